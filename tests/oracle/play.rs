//! One ticket under one obligation, played tick by tick.
//!
//! The clock has a used-up time and an aim. It is late when it is let run on with nothing left; a deadline is computed
//! only to be shown.

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
#[derive(Clone, Copy, Debug)]
struct Rest {
    at: Tick,
    deadline: Option<Tick>,
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
    /// None: out of scope.
    aim: Option<Span>,
    /// At some time in this cycle.
    was_in_scope: bool,
    elapsed: Tick,
    /// The last of the limit was used up at this instant, so it is due now and not at the next opening.
    used_up: Option<Tick>,
    breached_at: Option<Tick>,
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
            aim: None,
            was_in_scope: false,
            elapsed: 0,
            used_up: None,
            breached_at: None,
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

    fn running(&self) -> bool {
        self.born.is_some() && self.rest.is_none() && self.reasons.is_empty() && self.aim.is_some()
    }

    fn open(&self, aim: Span, now: Tick) -> bool {
        !aim.business || self.windows.iter().any(|(from, to)| (*from..*to).contains(&now.rem_euclid(24)))
    }

    /// One tick passes.
    fn pass(&mut self, now: Tick) -> Result<(), Gap> {
        if self.born.is_some() && self.rest.is_none() && self.breached_at.is_some() && self.aim.is_none() {
            return Err("does a late clock count while out of scope?");
        }
        let Some(aim) = self.aim.filter(|_| self.running()) else { return Ok(()) };
        let open = self.open(aim, now);
        let due = self.elapsed >= aim.ticks && (open || self.used_up == Some(now));
        if due && self.breached_at.is_none() {
            self.breached_at = Some(now);
        }
        if open {
            self.elapsed += 1;
            self.used_up = (self.elapsed == aim.ticks).then_some(now + 1);
        }
        Ok(())
    }

    /// When the clock would run out if it were let run from now; with nothing left, at the next opening.
    fn deadline(&self, aim: Span, now: Tick) -> Tick {
        if self.used_up == Some(now) {
            return now;
        }
        let mut left = (aim.ticks - self.elapsed).max(0);
        let mut at = now;
        while left > 0 || !self.open(aim, at) {
            if self.open(aim, at) {
                left -= 1;
                if left == 0 {
                    return at + 1;
                }
            }
            at += 1;
        }
        at
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
        let stopped = self.rest.is_some_and(|rest| rest.by_act);
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
        self.terms.window.is_some_and(|window| self.rest.is_some_and(|rest| now - rest.at > window))
    }

    fn take(&mut self, event: &'a Event) -> Result<(), Gap> {
        let now = event.at;
        match event.kind {
            "ticket.opened" if std::ptr::eq(event, self.events[self.anchor]) => {
                self.priority = event.text("priority").or(self.priority);
                self.aim = self.terms.limits.aim(self.priority)?;
                self.was_in_scope = self.aim.is_some();
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
                self.used_up = None;
            }
            "ticket.resumed" => {
                let was_running = self.running();
                match event.text("reason") {
                    None => self.reasons.clear(),
                    reason => {
                        self.reasons.remove(&reason);
                    }
                }
                // More used than a priority changed in the pause allows: late at the resumption, not at an opening.
                if !was_running && self.running() && self.aim.is_some_and(|aim| self.elapsed > aim.ticks) {
                    self.used_up = Some(now);
                }
            }
            "ticket.cancelled" => {
                self.cancelled = true;
                if self.born.is_some() && self.rest.is_none() {
                    self.rest = Some(Rest { at: now, deadline: None, by_act: false });
                }
            }
            "ticket.reopened" => self.reopen(now)?,
            _ if self.is_act(event) => match (self.born, self.rest) {
                (None, _) => self.closed = true,
                (Some(_), None) => self.stop(now)?,
                (Some(_), Some(_)) => {}
            },
            _ => {}
        }
        Ok(())
    }

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
            self.aim = aim;
            return Ok(());
        }
        let before = std::mem::replace(&mut self.aim, aim);
        if before.is_none() && !self.was_in_scope && aim.is_some() {
            self.born = Some(now);
        }
        self.was_in_scope |= aim.is_some();
        let plain = !self.terms.restart && self.terms.min_remaining.is_none();
        let same = before == aim || row == aim;
        if !plain && (before.is_none() || aim.is_none() || same || self.breached_at.is_some()) {
            return Err("what is a change worth a new count or a minimum?");
        }
        if self.terms.restart {
            self.elapsed = 0;
        }
        if let (Some(minimum), Some(aim)) = (self.terms.min_remaining, &mut self.aim) {
            aim.ticks = aim.ticks.max(self.elapsed + minimum);
        }
        let used_up = self.used_up.take() == Some(now);
        if let (Some(aim), true) = (self.aim, self.running()) {
            if used_up && self.elapsed == aim.ticks && !self.open(aim, now) {
                return Err("used up at the close, and given the same again");
            }
            // Never before the change, and no later.
            self.used_up = (self.elapsed > aim.ticks).then_some(now);
        }
        Ok(())
    }

    fn stop(&mut self, now: Tick) -> Result<(), Gap> {
        let aim = self.aim.ok_or("done while out of scope")?;
        let deadline = self.reasons.is_empty().then(|| self.deadline(aim, now));
        self.rest = Some(Rest { at: now, deadline, by_act: true });
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
        if !self.rest.is_some_and(|rest| rest.by_act) {
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
            self.born = Some(now);
            self.elapsed = 0;
            self.breached_at = None;
            self.aim = self.terms.limits.aim(self.priority)?;
            self.was_in_scope = self.aim.is_some();
        } else if self.changed_at_rest && (self.terms.restart || self.terms.min_remaining.is_some()) {
            return Err("a new count or a minimum for a change while stopped?");
        }
        self.closed = false;
        self.rest = None;
        // More is used than the row that came meanwhile allows: late at the resumption, not at the next opening.
        let over = self.aim.is_some_and(|aim| self.elapsed > aim.ticks);
        self.used_up = (over && self.running()).then_some(now);
        Ok(())
    }

    fn close(&self, until: Tick) -> Duty {
        let by_act = self.rest.is_some_and(|rest| rest.by_act);
        let late = self.breached_at.is_some();
        let standing = match (self.rest, late) {
            (Some(_), false) if by_act => "met",
            (Some(_), true) if by_act => "met-late",
            (_, true) => "breached",
            (Some(_), false) => "cancelled",
            (None, false) if self.aim.is_none() => "exempt",
            (None, false) if !self.reasons.is_empty() => "paused",
            (None, false) => "open",
        };
        let deadline = match (standing, self.rest, self.aim) {
            (_, _, _) if late => Said::Is(self.breached_at),
            ("cancelled", _, _) => Said::Unsaid,
            (_, Some(rest), _) => Said::Is(rest.deadline),
            ("open", None, Some(aim)) => Said::Is(Some(self.deadline(aim, until))),
            _ => Said::Is(None),
        };
        Duty {
            obligation: String::new(),
            subject: String::new(),
            standing,
            start: self.born.unwrap_or_default(),
            deadline,
            breached_at: self.breached_at,
            ended_at: Said::Is(self.rest.map(|rest| rest.at)),
            elapsed: self.elapsed,
        }
    }
}
