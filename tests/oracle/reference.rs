//! The rules, played out tick by tick: at each tick the facts of that instant in their order, then time passes.
//!
//! No deadline is ever computed to find a breach: a clock that has used up its limit and is let run on is late.

use crate::story::{Event, Limits, PauseTerms, Reopen, Sentence, Story, Terms, Tick, TicketTerms};
use std::collections::{BTreeMap, BTreeSet};

/// How one duty should stand. Without a deadline where the rules say none; `Unsaid` fields are not compared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Duty {
    pub(crate) obligation: String,
    pub(crate) subject: String,
    pub(crate) standing: &'static str,
    pub(crate) start: Tick,
    pub(crate) deadline: Said<Option<Tick>>,
    pub(crate) breached_at: Option<Tick>,
    pub(crate) ended_at: Said<Option<Tick>>,
    pub(crate) elapsed: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said<T> {
    Is(T),
    Unsaid,
}

/// What the rules do not settle, in a few words.
pub(crate) type Gap = &'static str;

/// The duties of one obligation on one subject, or why the rules do not say.
pub(crate) type Answer = BTreeMap<(String, String), Result<Vec<Duty>, Gap>>;

pub(crate) fn judge(terms: &Terms, story: &Story, until: Tick) -> Answer {
    let events = in_order(&story.events);
    let mut answer = Answer::new();
    for (id, sentence) in &terms.obligations {
        let anchors: BTreeSet<&str> = events.iter().filter(|e| sentence.begins(e)).map(|e| &*e.subject).collect();
        for subject in anchors {
            let duties = sentence.judge(&events, subject, until).map(|found| {
                found.into_iter().map(|d| Duty { obligation: id.clone(), subject: subject.to_owned(), ..d }).collect()
            });
            answer.insert((id.clone(), subject.to_owned()), duties);
        }
    }
    answer
}

/// One copy of each event, by time, then rank, then id.
fn in_order(events: &[Event]) -> Vec<Event> {
    let mut copies: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in events {
        let first = copies.entry(&event.id).or_insert(event);
        if event.recorded < first.recorded {
            *first = event;
        }
    }
    let mut events: Vec<Event> = copies.into_values().cloned().collect();
    events.sort_by(|a, b| (a.at, rank(a.kind), &a.id).cmp(&(b.at, rank(b.kind), &b.id)));
    events
}

fn rank(kind: &str) -> u8 {
    match kind {
        "ticket.opened" | "change.requested" | "credential.created" => 0,
        "ticket.reprioritised" => 2,
        "ticket.acknowledged" => 3,
        "change.approved" => 4,
        "ticket.resumed" => 5,
        "ticket.paused" => 6,
        "change.executed" => 8,
        "ticket.cancelled" => 9,
        "ticket.reopened" => 10,
        _ => 7,
    }
}

impl Sentence {
    fn begins(&self, event: &Event) -> bool {
        match self {
            Sentence::Ticket(_) => event.kind == "ticket.opened",
            Sentence::Revoke(_) => {
                event.kind == "ticket.opened" && event.text("control") == Some("emergency-revocation")
            }
            Sentence::Evidence(_) | Sentence::Authorised | Sentence::FourEyes => event.kind == "change.executed",
            Sentence::Age(_) => matches!(event.kind, "credential.created" | "credential.rotated"),
            Sentence::Attributed => event.kind == "credential.rotated",
        }
    }

    fn judge(&self, events: &[Event], subject: &str, until: Tick) -> Result<Vec<Duty>, Gap> {
        let own: Vec<&Event> = events.iter().filter(|e| e.subject == subject).collect();
        let anchors: Vec<usize> = (0..own.len()).filter(|n| self.begins(own[*n])).collect();
        if let Sentence::Ticket(terms) = self {
            return Play::new(terms, &own, anchors[0]).play(until);
        }
        anchors
            .into_iter()
            .map(|n| {
                let (anchor, before, after) = (own[n], &own[..n], &own[n + 1..]);
                match self {
                    Sentence::Revoke(limit) => revoke(events, anchor, after, *limit, until),
                    Sentence::Evidence(limit) => {
                        let closed = |e: &&&Event| e.kind == "change.closed" && has_evidence(e);
                        if before.iter().any(|e| e.at == anchor.at && closed(&e)) {
                            return Err("closed in the instant of its execution");
                        }
                        Ok(plain(anchor, after.iter().find(closed).map(|e| e.at), None, *limit, until))
                    }
                    Sentence::Age(limit) => {
                        let act = after.iter().find(|e| matches!(e.kind, "credential.rotated" | "credential.revoked"));
                        Ok(plain(anchor, act.map(|e| e.at), None, *limit, until))
                    }
                    Sentence::Authorised => Ok(check(anchor, authorised(anchor, before))),
                    Sentence::FourEyes => {
                        // Whoever is not named passes a "not the same as".
                        let other = |e: &&Event| e.text("actor").is_none() || e.text("actor") != anchor.text("actor");
                        let approvals = before.iter().filter(|e| e.kind == "change.approved");
                        Ok(check(anchor, approvals.copied().any(|e| other(&e))))
                    }
                    Sentence::Attributed => Ok(check(anchor, anchor.text("actor").is_some())),
                    Sentence::Ticket(_) => Err("judged above"),
                }
            })
            .collect()
    }
}

fn has_evidence(event: &Event) -> bool {
    event.data.get("evidence").and_then(|list| list.as_array()).is_some_and(|list| !list.is_empty())
}

/// Unknown whether privileged: both rows must hold.
fn authorised(anchor: &Event, before: &[&Event]) -> bool {
    let told = |e: &Event| e.data.get("privileged").and_then(|p| p.as_bool());
    let privileged = told(anchor).or_else(|| before.iter().rev().find_map(|e| told(e)));
    let approvals = || before.iter().filter(|e| e.kind == "change.approved");
    match privileged {
        Some(false) => approvals().next().is_some(),
        Some(true) | None => approvals().any(|e| e.text("side") == Some("customer")),
    }
}

fn check(anchor: &Event, holds: bool) -> Duty {
    Duty {
        obligation: String::new(),
        subject: String::new(),
        standing: if holds { "met" } else { "breached" },
        start: anchor.at,
        deadline: Said::Is(Some(anchor.at)),
        breached_at: (!holds).then_some(anchor.at),
        ended_at: Said::Is(Some(anchor.at)),
        elapsed: 0,
    }
}

/// Every credential that the ticket names; where it names none, any that names the ticket.
fn revoke(events: &[Event], anchor: &Event, after: &[&Event], limit: Tick, until: Tick) -> Result<Duty, Gap> {
    let revoked = || events.iter().filter(|e| e.kind == "credential.revoked" && e.at >= anchor.at);
    let named = anchor.data.get("credential").and_then(|c| c.as_array().cloned()).unwrap_or_default();
    let stop = if named.is_empty() {
        revoked().find(|e| e.text("ticket") == Some(&anchor.subject)).map(|e| e.at)
    } else {
        let firsts = named.iter().map(|c| revoked().find(|e| Some(e.subject.as_str()) == c.as_str()).map(|e| e.at));
        firsts.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max())
    };
    let cancel = after.iter().find(|e| e.kind == "ticket.cancelled").map(|e| e.at);
    let stop = stop.filter(|stop| cancel.is_none_or(|cancel| *stop <= cancel));
    if stop.is_some_and(|stop| after.iter().any(|e| e.kind == "ticket.reopened" && e.at >= stop)) {
        return Err("does reopening a ticket undo the revocation of a credential?");
    }
    Ok(plain(anchor, stop, cancel, limit, until))
}

/// A clock that nothing pauses.
fn plain(anchor: &Event, stop: Option<Tick>, cancel: Option<Tick>, limit: Tick, until: Tick) -> Duty {
    let due = anchor.at + limit;
    let end = stop.or(cancel);
    let late = end.unwrap_or(until) > due;
    let standing = match (stop, cancel, late) {
        (Some(_), _, false) => "met",
        (Some(_), _, true) => "met-late",
        (None, _, true) => "breached",
        (None, Some(_), false) => "cancelled",
        (None, None, false) => "open",
    };
    Duty {
        obligation: String::new(),
        subject: String::new(),
        standing,
        start: anchor.at,
        deadline: if standing == "cancelled" { Said::Unsaid } else { Said::Is(Some(due)) },
        breached_at: late.then_some(due),
        ended_at: Said::Is(end),
        elapsed: end.unwrap_or(until) - anchor.at,
    }
}

impl Limits {
    /// None: out of scope. No priority: the strictest row.
    fn target(&self, priority: Option<&str>) -> Option<Tick> {
        match priority {
            None => self.rows.iter().map(|(_, n)| *n).chain(self.star).min(),
            Some(p) => self.rows.iter().find(|(row, _)| *row == p).map(|(_, n)| *n).or(self.star),
        }
    }
}

impl PauseTerms {
    fn takes(&self, event: &Event) -> bool {
        let reason = event.text("reason");
        let side = event.text("side");
        self.reasons.as_ref().is_none_or(|list| reason.is_some_and(|r| list.contains(&r)))
            && self.by.is_none_or(|by| side == Some(by))
    }
}

/// How a cycle came to rest.
#[derive(Clone, Copy, Debug)]
struct Rest {
    at: Tick,
    deadline: Option<Tick>,
    by_act: bool,
}

/// One ticket under one obligation.
struct Play<'a> {
    terms: &'a TicketTerms,
    events: &'a [&'a Event],
    anchor: usize,
    priority: Option<&'a str>,
    reasons: BTreeSet<Option<&'a str>>,
    /// Before the opening: the act was done and not undone.
    closed: bool,
    cancelled: bool,
    born: Option<Tick>,
    elapsed: Tick,
    breached_at: Option<Tick>,
    rest: Option<Rest>,
    done: Vec<Duty>,
}

impl<'a> Play<'a> {
    fn new(terms: &'a TicketTerms, events: &'a [&'a Event], anchor: usize) -> Play<'a> {
        Play {
            terms,
            events,
            anchor,
            priority: None,
            reasons: BTreeSet::new(),
            closed: false,
            cancelled: false,
            born: None,
            elapsed: 0,
            breached_at: None,
            rest: None,
            done: Vec::new(),
        }
    }

    fn play(mut self, until: Tick) -> Result<Vec<Duty>, Gap> {
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

    fn target(&self) -> Option<Tick> {
        self.terms.limits.target(self.priority)
    }

    fn running(&self) -> bool {
        self.born.is_some() && self.rest.is_none() && self.reasons.is_empty() && self.target().is_some()
    }

    /// One tick passes.
    fn pass(&mut self, now: Tick) -> Result<(), Gap> {
        if self.born.is_some() && self.rest.is_none() && self.breached_at.is_some() && self.target().is_none() {
            return Err("does a late clock count while out of scope?");
        }
        if self.running() {
            if self.breached_at.is_none() && self.target().is_some_and(|target| self.elapsed >= target) {
                self.breached_at = Some(now);
            }
            self.elapsed += 1;
        }
        Ok(())
    }

    /// The facts of one instant, without those that cancel out.
    fn of_instant(&self, now: Tick) -> Result<Vec<&'a Event>, Gap> {
        let (terms, events) = (self.terms, self.events);
        let mut facts: Vec<&Event> = events.iter().copied().filter(|e| e.at == now).collect();
        facts.retain(|e| e.kind != "ticket.paused" || terms.pause.as_ref().is_some_and(|p| p.takes(e)));
        let both = |facts: &[&Event], reason: Option<&str>| {
            ["ticket.paused", "ticket.resumed"]
                .iter()
                .all(|kind| facts.iter().any(|e| e.kind == *kind && e.text("reason") == reason))
        };
        let reasons: BTreeSet<Option<&str>> =
            facts.iter().filter(|e| e.kind == "ticket.paused").map(|e| e.text("reason")).collect();
        for reason in reasons {
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
                self.born = Some(now);
                if self.cancelled {
                    return Err("born cancelled");
                }
                if self.closed {
                    self.stop(now)?;
                }
            }
            "ticket.reprioritised" => self.priority = event.text("priority").or(self.priority),
            "ticket.paused" => {
                self.reasons.insert(event.text("reason"));
            }
            "ticket.resumed" => match event.text("reason") {
                None => self.reasons.clear(),
                reason => {
                    self.reasons.remove(&reason);
                }
            },
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

    fn stop(&mut self, now: Tick) -> Result<(), Gap> {
        let target = self.target().ok_or("done while out of scope")?;
        let left = (target - self.elapsed).max(0);
        let deadline = self.reasons.is_empty().then_some(now + left);
        self.rest = Some(Rest { at: now, deadline, by_act: true });
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
        }
        self.closed = false;
        self.rest = None;
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
            (None, false) if self.target().is_none() => "exempt",
            (None, false) if !self.reasons.is_empty() => "paused",
            (None, false) => "open",
        };
        let deadline = match (standing, self.rest, self.target()) {
            (_, _, _) if late => Said::Is(self.breached_at),
            ("cancelled", _, _) => Said::Unsaid,
            (_, Some(rest), _) => Said::Is(rest.deadline),
            ("open", None, Some(target)) => Said::Is(Some(until + (target - self.elapsed).max(0))),
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
