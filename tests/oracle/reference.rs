//! The rules, played out tick by tick: at each tick the facts of that instant in their order, then time passes.
//!
//! No deadline is ever computed to find a breach: a clock that has used up its limit and is let run on is late.

use crate::play::Play;
use crate::story::{Event, Sentence, Story, Terms, Tick};
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
    /// Of the limit that binds; several where the rules do not say which.
    pub(crate) elapsed: Vec<Tick>,
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
            let duties = sentence.judge(terms, &events, subject, until).map(|found| {
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

/// Where all facts of an instant are numbered, the numbers order them.
fn numbered(mut own: Vec<&Event>) -> Vec<&Event> {
    for instant in own.chunk_by_mut(|a, b| a.at == b.at) {
        if instant.iter().all(|e| e.sequence.is_some()) {
            instant.sort_by_key(|e| e.sequence);
        }
    }
    own
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
            Sentence::Reviewed(_) => event.kind == "credential.created",
        }
    }

    fn judge(&self, terms: &Terms, events: &[Event], subject: &str, until: Tick) -> Result<Vec<Duty>, Gap> {
        let own = numbered(events.iter().filter(|e| e.subject == subject).collect());
        let anchors: Vec<usize> = (0..own.len()).filter(|n| self.begins(own[*n])).collect();
        let beside = |o: &&Event| events.iter().any(|e| e.kind == "review.completed" && e.at == o.at);
        if own.iter().any(|o| o.sequence.is_some() && beside(o)) {
            return Err("numbered, beside a record of another subject in the same instant");
        }
        if let Sentence::Ticket(ticket) = self {
            return Play::new(ticket, &terms.windows, &own, anchors[0]).play(until);
        }
        if let Sentence::Reviewed(limit) = self {
            return reviewed(events, own[anchors[0]], *limit, until);
        }
        anchors
            .into_iter()
            .map(|n| {
                let (anchor, before, after) = (own[n], &own[..n], &own[n + 1..]);
                match self {
                    Sentence::Revoke(_) if before.iter().any(|e| e.kind == "ticket.cancelled") => Err("born cancelled"),
                    Sentence::Revoke(limit) => revoke(events, anchor, after, *limit, until),
                    Sentence::Evidence(limit) => {
                        let closed = |e: &&&Event| e.kind == "change.closed" && has_evidence(e);
                        if before.iter().any(|e| e.at == anchor.at && closed(&e)) {
                            return Err("closed in the instant of its execution");
                        }
                        Ok(plain(anchor, after.iter().find(closed).map(|e| e.at), None, *limit, until))
                    }
                    Sentence::Age(limit) => {
                        if before.iter().any(|e| e.at == anchor.at && e.kind == "credential.revoked") {
                            return Err("revoked and rotated in one instant");
                        }
                        let act = after.iter().find(|e| matches!(e.kind, "credential.rotated" | "credential.revoked"));
                        Ok(plain(anchor, act.map(|e| e.at), None, *limit, until))
                    }
                    Sentence::Authorised => Ok(check(anchor, authorised(anchor, before))),
                    Sentence::FourEyes => {
                        let actors: Vec<Option<&str>> =
                            before.iter().filter(|e| e.kind == "change.approved").map(|e| e.text("actor")).collect();
                        let executor = anchor.text("actor");
                        let another = executor.is_some() && actors.iter().any(|a| a.is_some() && *a != executor);
                        if !another && !actors.is_empty() && (executor.is_none() || actors.contains(&None)) {
                            return Err("is nobody another than somebody?");
                        }
                        Ok(check(anchor, another))
                    }
                    Sentence::Attributed => Ok(check(anchor, anchor.text("actor").is_some())),
                    Sentence::Ticket(_) | Sentence::Reviewed(_) => Err("judged above"),
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
        elapsed: vec![0],
    }
}

/// Every credential that the ticket names; where it names none, any that names the ticket, whenever it does.
fn revoke(events: &[Event], anchor: &Event, after: &[&Event], limit: Tick, until: Tick) -> Result<Duty, Gap> {
    let revoked = || events.iter().filter(|e| e.kind == "credential.revoked" && e.at >= anchor.at);
    let named = anchor.data.get("credential").and_then(|c| c.as_array().cloned()).unwrap_or_default();
    let stop = if named.is_empty() {
        let names = |e: &Event| e.text("ticket") == Some(&anchor.subject);
        let first = revoked().find(|e| names(e));
        let known = |subject: &str| events.iter().any(|e| e.subject == subject && names(e));
        if revoked().any(|e| known(&e.subject) && first.is_none_or(|first| e.at <= first.at && !names(e))) {
            return Err("revoked, but for another ticket or for none");
        }
        first.map(|e| e.at)
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

/// From the creation to the first review that names it, from that to the next, and so on.
fn reviewed(events: &[Event], created: &Event, limit: Tick, until: Tick) -> Result<Vec<Duty>, Gap> {
    let names = |e: &&Event| match e.data.get("credential") {
        Some(serde_json::Value::Array(list)) => list.iter().any(|name| name.as_str() == Some(&created.subject)),
        Some(one) => one.as_str() == Some(&created.subject),
        None => false,
    };
    let all = events.iter().filter(|e| e.kind == "review.completed").filter(names);
    let reviews: BTreeSet<Tick> = all.map(|e| e.at).filter(|at| *at >= created.at).collect();
    if reviews.contains(&created.at) {
        return Err("reviewed in the instant of its creation");
    }
    let starts = std::iter::once(created.at).chain(reviews.iter().copied());
    let ends = reviews.iter().map(|at| Some(*at)).chain([None]);
    let period = |(start, end)| plain(&Event { at: start, ..created.clone() }, end, None, limit, until);
    Ok(starts.zip(ends).map(period).collect())
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
        elapsed: vec![end.unwrap_or(until) - anchor.at],
    }
}
