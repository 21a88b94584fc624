//! One ticket under one obligation, played tick by tick.
//!
//! Each limit has a clock of its own. All of them run and stop together, and the first that is late breaks the duty.

use crate::clock::Clock;
use crate::reference::{Duty, Gap, Said};
use crate::story::{Event, Limits, PauseTerms, Reopen, Span, Tick, TicketTerms};
use std::collections::BTreeSet;

impl Limits {
    /// None: out of scope. No priority: all rows apply, so the strictest.
    fn aim(&self, priority: Option<&str>) -> Result<Option<Span>, Gap> {
        let rows = || self.rows.iter().map(|(_, span)| *span).chain(self.star);
        match priority {
            None if rows().any(|a| rows().any(|b| a.business != b.business)) => {
                Err("which of two clocks is the strictest?")
            }
            None => Ok(rows().min_by_key(|span| span.ticks)),
            Some(p) => Ok(self.rows.iter().find(|(row, _)| *row == p).map(|(_, span)| *span).or(self.star)),
        }
    }
}

impl PauseTerms {
    fn takes(&self, event: &Event) -> bool {
        let reason = event.text("reason");
        self.reasons.as_ref().is_none_or(|list| reason.is_some_and(|r| list.contains(&r)))
            && self.by.is_none_or(|by| event.text("side") == Some(by))
    }
}

/// How a cycle came to rest.
#[derive(Clone, Debug)]
struct Rest {
    at: Tick,
    deadline: Option<Tick>,
    used: Vec<Tick>,
    by_act: bool,
}

pub(crate) struct Play<'a> {
    terms: &'a TicketTerms,
    windows: &'a [(Tick, Tick)],
    events: &'a [&'a Event],
    anchor: usize,
    priority: Option<&'a str>,
    reasons: BTreeSet<Option<&'a str>>,
    /// Before the opening: the act was done and not undone.
    closed: bool,
    cancelled: bool,
    born: Option<Tick>,
    /// By priority, then the further limit if there is one.
    clocks: Vec<Clock>,
    /// At some time in this cycle.
    was_in_scope: bool,
    rest: Option<Rest>,
    /// The priority changed while the clock was stopped.
    changed_at_rest: bool,
    done: Vec<Duty>,
}

impl<'a> Play<'a> {
    pub(crate) fn new(
        terms: &'a TicketTerms,
        windows: &'a [(Tick, Tick)],
        events: &'a [&'a Event],
        anchor: usize,
    ) -> Play<'a> {
        let further = terms.limits.further.iter().map(|f| Clock { aim: Some(f.span), ..Clock::default() });
        Play {
            terms,
            windows,
            events,
            anchor,
            priority: None,
            reasons: BTreeSet::new(),
            closed: false,
            cancelled: false,
            born: None,
            clocks: std::iter::once(Clock::default()).chain(further).collect(),
            was_in_scope: false,
            rest: None,
            changed_at_rest: false,
            done: Vec::new(),
        }
    }

    pub(crate) fn play(mut self, until: Tick) -> Result<Vec<Duty>, Gap> {
        let first = self.events[0].at;
        for now in first..=until {
            for event in self.of_instant(now)? {
                self.take(event)?;
            }
            if now < until {
                self.pass(now)?;
            }
        }
        let last = self.close(until);
        self.done.push(last);
        Ok(self.done)
    }

    fn in_scope(&self) -> bool {
        self.clocks.iter().any(|clock| clock.aim.is_some())
    }

    fn counts(&self) -> bool {
        self.clocks.iter().any(|clock| clock.counts().is_some())
    }

    fn running(&self) -> bool {
        self.born.is_some() && self.rest.is_none() && self.reasons.is_empty() && self.counts()
    }

    /// The first limit that is broken breaks the duty.
    fn breached_at(&self) -> Option<Tick> {
        self.clocks.iter().filter_map(|clock| clock.late).min()
    }

    /// One tick passes. What counts from before the opening counts already.
    fn pass(&mut self, now: Tick) -> Result<(), Gap> {
        if self.born.is_none() && self.counts() && (self.closed || !self.reasons.is_empty()) {
            return Err("stopped or paused before the opening, where a limit counts from before it");
        }
        let breached_at = self.breached_at();
        let frozen = |clock: &Clock| clock.late.is_some() && clock.late == breached_at && clock.aim.is_none();
        if self.born.is_some() && self.rest.is_none() && self.clocks.iter().any(frozen) {
            return Err("does a late clock count while out of scope?");
        }
        if self.rest.is_none() && self.reasons.is_empty() {
            self.clocks.iter_mut().for_each(|clock| clock.pass(now, self.windows));
        }
        Ok(())
    }

    /// The earliest of all limits; None while paused.
    fn deadline(&self, now: Tick) -> Option<Tick> {
        let running = self.clocks.iter().filter(|_| self.reasons.is_empty());
        running.filter_map(|clock| clock.deadline(now, self.windows)).min()
    }

    /// Of the limit that binds: the first that is broken, else the one with the earliest deadline. Of all that count where
    /// there is no deadline, and of all there are where none counts: the rules name none.
    fn used(&self, now: Tick) -> Vec<Tick> {
        let (breached_at, deadline, counts) = (self.breached_at(), self.deadline(now), self.counts());
        let binds = |clock: &&Clock| match (breached_at, deadline) {
            (Some(_), _) => clock.late == breached_at,
            (None, Some(_)) => clock.deadline(now, self.windows) == deadline,
            (None, None) => !counts || clock.counts().is_some(),
        };
        self.clocks.iter().filter(binds).map(|clock| clock.elapsed).collect()
    }

    /// The facts of one instant, without those that cancel out.
    fn of_instant(&self, now: Tick) -> Result<Vec<&'a Event>, Gap> {
        let (terms, events) = (self.terms, self.events);
        let mut facts: Vec<&Event> = events.iter().copied().filter(|e| e.at == now).collect();
        let numbered = facts.iter().all(|e| e.sequence.is_some());
        facts.retain(|e| e.kind != "ticket.paused" || terms.pause.as_ref().is_some_and(|p| p.takes(e)));
        let both = |facts: &[&Event], reason: Option<&str>| {
            ["ticket.paused", "ticket.resumed"]
                .iter()
                .all(|kind| facts.iter().any(|e| e.kind == *kind && e.text("reason") == reason))
        };
        let reasons: BTreeSet<Option<&str>> =
            facts.iter().filter(|e| e.kind == "ticket.paused").map(|e| e.text("reason")).collect();
        let resumed_at_all = facts.iter().any(|e| e.kind == "ticket.resumed" && e.text("reason").is_none());
        if resumed_at_all && reasons.iter().any(Option::is_some) {
            return Err("paused for a reason and resumed for none in one instant");
        }
        for reason in reasons {
            if both(&facts, reason) && numbered {
                return Err("paused and resumed in one instant, both numbered");
            }
            if both(&facts, reason) && !self.reasons.contains(&reason) {
                if !self.running() {
                    return Err("paused and resumed in one instant on a clock that was not running");
                }
                facts.retain(|e| !matches!(e.kind, "ticket.paused" | "ticket.resumed") || e.text("reason") != reason);
            }
        }
        let stop = |e: &&Event| self.is_act(e);
        let reopened = |e: &&Event| e.kind == "ticket.reopened";
        let stopped = self.rest.as_ref().is_some_and(|rest| rest.by_act);
        if stopped && facts.iter().any(&stop) && facts.iter().any(&reopened) {
            if terms.reopen == Reopen::New || self.beyond_window(now) {
                return Err("reopened into a new cycle and stopped in one instant");
            }
            if numbered {
                return Err("reopened and stopped in one instant, both numbered");
            }
            facts.retain(|e| !stop(e) && !reopened(e));
        }
        Ok(facts)
    }

    fn is_act(&self, event: &Event) -> bool {
        event.kind.strip_prefix("ticket.").is_some_and(|verb| self.terms.acts.contains(&verb))
    }

    fn beyond_window(&self, now: Tick) -> bool {
        self.terms.window.is_some_and(|window| self.rest.as_ref().is_some_and(|rest| now - rest.at > window))
    }

    fn take(&mut self, event: &'a Event) -> Result<(), Gap> {
        let now = event.at;
        self.begin(event)?;
        match event.kind {
            "ticket.opened" if std::ptr::eq(event, self.events[self.anchor]) => {
                self.priority = event.text("priority").or(self.priority);
                self.clocks[0].aim = self.terms.limits.aim(self.priority)?;
                self.begin_with_the_duty();
                self.was_in_scope = self.in_scope();
                self.born = Some(now);
                if self.cancelled {
                    return Err("born cancelled");
                }
                if self.closed {
                    self.stop(now)?;
                }
            }
            "ticket.reprioritised" => self.reprioritise(event)?,
            "ticket.paused" => {
                self.reasons.insert(event.text("reason"));
                self.clocks.iter_mut().for_each(|clock| clock.used_up = None);
            }
            "ticket.resumed" => {
                let was_running = self.running();
                match event.text("reason") {
                    None => self.reasons.clear(),
                    reason => {
                        self.reasons.remove(&reason);
                    }
                }
                if !was_running && self.running() {
                    self.clocks.iter_mut().for_each(|clock| clock.go_on(now));
                }
            }
            "ticket.cancelled" => {
                self.cancelled = true;
                if self.born.is_some() && self.rest.is_none() {
                    self.rest = Some(Rest { at: now, deadline: None, used: self.used(now), by_act: false });
                }
            }
            "ticket.reopened" => self.reopen(now)?,
            _ if self.is_act(event) => match (self.born, &self.rest) {
                (None, _) => self.closed = true,
                (Some(_), None) => self.stop(now)?,
                (Some(_), Some(_)) => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn begin_with_the_duty(&mut self) {
        let from_the_opening = self.terms.limits.further.iter().map(|further| further.from.is_empty());
        for (clock, begins) in self.clocks.iter_mut().zip(std::iter::once(true).chain(from_the_opening)) {
            clock.begun |= begins;
        }
    }

    /// What a further limit counts from: the first such event, or each one anew until the limit is broken.
    fn begin(&mut self, event: &Event) -> Result<(), Gap> {
        let further = self.terms.limits.further.as_ref().filter(|f| f.from.contains(&event.kind));
        let (Some(further), Some(clock)) = (further, self.clocks.get_mut(1)) else { return Ok(()) };
        if clock.begun && !further.latest {
            return Ok(());
        }
        match (clock.late, self.born) {
            (None, _) => *clock = Clock { aim: clock.aim, begun: true, ..Clock::default() },
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                return Err("is a limit broken that ran out before the opening and began anew before it?");
            }
        }
        Ok(())
    }

    /// Only a limit that has a table has another row.
    fn reprioritise(&mut self, event: &'a Event) -> Result<(), Gap> {
        let now = event.at;
        if event.text("priority") == self.priority || event.text("priority").is_none() {
            return Ok(());
        }
        // What the row said, before a minimum that an earlier change gave.
        let row = self.terms.limits.aim(self.priority).ok().flatten();
        self.priority = event.text("priority");
        let aim = self.terms.limits.aim(self.priority)?;
        if self.born.is_none() {
            return Ok(());
        }
        if self.rest.is_some() {
            self.changed_at_rest = true;
            self.clocks[0].aim = aim;
            return Ok(());
        }
        let before = std::mem::replace(&mut self.clocks[0].aim, aim);
        if before.is_none() && !self.was_in_scope && aim.is_some() {
            self.born = Some(now);
        }
        self.was_in_scope |= aim.is_some();
        let plain = !self.terms.restart && self.terms.min_remaining.is_none();
        let same = before == aim || row == aim;
        if !plain && (before.is_none() || aim.is_none() || same || self.breached_at().is_some()) {
            return Err("what is a change worth a new count or a minimum?");
        }
        if !plain && self.clocks.iter().skip(1).any(|further| further.begun) {
            return Err("does a limit that keeps its row get a new count or a minimum, where another gets one?");
        }
        let running = self.running();
        let clock = &mut self.clocks[0];
        if self.terms.restart {
            clock.elapsed = 0;
        }
        if let (Some(minimum), Some(aim)) = (self.terms.min_remaining, &mut clock.aim) {
            aim.ticks = aim.ticks.max(clock.elapsed + minimum);
        }
        let used_up = clock.used_up.take() == Some(now);
        if let (Some(aim), true) = (clock.aim, running) {
            if used_up && clock.elapsed == aim.ticks && !aim.open(now, self.windows) {
                return Err("used up at the close, and given the same again");
            }
            // Never before the change, and no later.
            clock.go_on(now);
        }
        Ok(())
    }

    fn stop(&mut self, now: Tick) -> Result<(), Gap> {
        if !self.in_scope() {
            return Err("done while out of scope");
        }
        self.rest = Some(Rest { at: now, deadline: self.deadline(now), used: self.used(now), by_act: true });
        self.changed_at_rest = false;
        Ok(())
    }

    fn reopen(&mut self, now: Tick) -> Result<(), Gap> {
        if self.terms.reopen == Reopen::Ignore {
            let undone = self.born.is_none() && self.closed;
            return if undone { Err("done and undone before the opening, where undoing is ignored") } else { Ok(()) };
        }
        if self.born.is_none() {
            self.closed = false;
            return Ok(());
        }
        if !self.rest.as_ref().is_some_and(|rest| rest.by_act) {
            return Ok(());
        }
        if self.cancelled {
            return Err("reopened after it was done and then cancelled");
        }
        if self.closed && self.terms.window.is_some() {
            return Err("since when was a ticket closed that was born closed?");
        }
        if self.terms.reopen == Reopen::New || self.beyond_window(now) {
            let ended = self.close(now);
            self.done.push(ended);
            self.begin_cycle(now)?;
        } else if self.changed_at_rest && (self.terms.restart || self.terms.min_remaining.is_some()) {
            return Err("a new count or a minimum for a change while stopped?");
        }
        self.closed = false;
        self.rest = None;
        self.clocks.iter_mut().for_each(|clock| clock.used_up = None);
        if self.running() {
            self.clocks.iter_mut().for_each(|clock| clock.go_on(now));
        }
        Ok(())
    }

    /// With nothing used.
    fn begin_cycle(&mut self, now: Tick) -> Result<(), Gap> {
        let further = self.terms.limits.further.as_ref();
        if further.is_some_and(|further| !further.from.is_empty() && self.clocks[1].begun) {
            return Err("does a limit of a new cycle count from what happened before it?");
        }
        self.born = Some(now);
        self.clocks.iter_mut().for_each(|clock| *clock = Clock { aim: clock.aim, ..Clock::default() });
        self.clocks[0].aim = self.terms.limits.aim(self.priority)?;
        self.begin_with_the_duty();
        self.was_in_scope = self.in_scope();
        Ok(())
    }

    fn close(&self, until: Tick) -> Duty {
        let by_act = self.rest.as_ref().is_some_and(|rest| rest.by_act);
        let breached_at = self.breached_at();
        let late = breached_at.is_some();
        let standing = match (&self.rest, late) {
            (Some(_), false) if by_act => "met",
            (Some(_), true) if by_act => "met-late",
            (_, true) => "breached",
            (Some(_), false) => "cancelled",
            (None, false) if !self.in_scope() => "exempt",
            (None, false) if !self.reasons.is_empty() => "paused",
            (None, false) => "open",
        };
        let deadline = match (standing, &self.rest) {
            _ if late => Said::Is(breached_at),
            ("cancelled", _) => Said::Unsaid,
            (_, Some(rest)) => Said::Is(rest.deadline),
            (_, None) => Said::Is(self.deadline(until)),
        };
        Duty {
            obligation: String::new(),
            subject: String::new(),
            standing,
            start: self.born.unwrap_or_default(),
            deadline,
            breached_at,
            ended_at: Said::Is(self.rest.as_ref().map(|rest| rest.at)),
            elapsed: self.rest.as_ref().map_or_else(|| self.used(until), |rest| rest.used.clone()),
        }
    }
}
