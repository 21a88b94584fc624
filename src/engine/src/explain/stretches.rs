//! A duty's life cut into what counted and what did not, with the reason.

use super::recorder::{Piece, Raw};
use super::{Life, rfc, words};
use crate::calendar::Closed;
use crate::duty::{Clock, ClockState, PARKED};
use crate::engine::Engine;
use crate::fact::{Fact, Value};
use crate::fold::{PausedBy, Stopped, View};
use crate::rule::CalendarId;
use crate::time::{Millis, Moment};
use crate::vocabulary::Effect;
use serde::Serialize;

/// A stretch of a duty's life, half-open: the instant `to` belongs to the next one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// First instant inside.
    #[serde(serialize_with = "rfc")]
    pub from: Moment,
    /// First instant outside.
    #[serde(serialize_with = "rfc")]
    pub to: Moment,
    /// It counts.
    pub counted: bool,
    /// Counted time in it.
    pub counted_ms: Millis,
    /// Counted time from the start to its end.
    pub used_ms: Millis,
    /// Why it counts or does not.
    pub why: Why,
    /// The same in words.
    pub text: String,
}

/// Why a stretch counts or does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Why {
    /// It counts: the calendar is open.
    Open,
    /// It counts though a pause holds it: the longest pause is used up.
    Capped,
    /// It counts, and lies before the start: a limit counted from an earlier event.
    Earlier,
    /// Night, or a day without hours.
    Outside,
    /// A holiday.
    Holiday {
        /// Its name.
        name: String,
    },
    /// A break.
    Break,
    /// Effective pauses.
    Paused {
        /// All in force.
        by: Vec<Pause>,
    },
    /// An approved deviation.
    Waived {
        /// Its name.
        waiver: String,
        /// Reason and approver, as far as they are known.
        because: Option<String>,
    },
    /// No row of its table applies.
    Exempt,
    /// It had ended and was reopened later.
    Ended,
    /// The event that its limit counts from has not happened.
    Waiting,
    /// The count began anew after it.
    Discarded,
}

/// One effective pause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Pause {
    /// The event.
    pub event: Option<String>,
    /// Its own instant.
    #[serde(serialize_with = "rfc")]
    pub since: Moment,
    /// The reason given.
    pub reason: Option<String>,
    /// The side that paused, or its role; None: not known.
    pub side: Option<String>,
    /// The person.
    pub actor: Option<String>,
}

/// Cuts the pieces of a life by the calendars on which the limit that binds counted in each.
pub(super) fn cut(view: View<'_>, life: &Life<'_>, now: Moment, engine: &Engine) -> Vec<Stretch> {
    let (counted, first) = lineage(view, life, now);
    let brought = first.map_or(0, |clock| clock.elapsed);
    let mut out = Cutter { out: Vec::new(), used: 0 };
    if let Some(clock) = first.filter(|_| brought > 0) {
        let calendar = view.book.calendar(clock.calendar);
        if let Some(from) = calendar.sub(life.duty.start, brought) {
            for part in calendar.stretches(from, life.duty.start) {
                let why = part.closed.map_or(Why::Earlier, closed);
                out.push(part.from, part.to, why);
            }
        }
    }
    for Counted { piece, to, of, on } in counted {
        let from = piece.from;
        match (piece.why, on) {
            (Stopped::Exempt, _) | (Stopped::Not, On::Parked) => out.push(from, to, Why::Exempt),
            (_, On::Discarded) => out.push(from, to, Why::Discarded),
            (Stopped::Not, On::Waiting) => out.push(from, to, Why::Waiting),
            (Stopped::Not, On::Calendar(id)) => {
                for part in view.book.calendar(id).stretches(from, to) {
                    let open = if piece.capped { Why::Capped } else { Why::Open };
                    out.push(part.from, part.to, part.closed.map_or(open, closed));
                }
            }
            (Stopped::Paused, _) => paused(view, of, (from, to), &mut out),
            (Stopped::Waived, _) => {
                let span = piece.waivers.iter().find(|w| w.starts.max(w.approved) <= from && from < w.ends);
                let waiver = span.map_or(String::new(), |w| w.name.clone());
                let because = because(view, life, &waiver, engine);
                out.push(from, to, Why::Waived { waiver, because });
            }
            (Stopped::Ended, _) => out.push(from, to, Why::Ended),
        }
    }
    out.out
}

struct Cutter {
    out: Vec<Stretch>,
    used: Millis,
}

impl Cutter {
    fn push(&mut self, from: Moment, to: Moment, why: Why) {
        if from >= to {
            return;
        }
        let counted = matches!(why, Why::Open | Why::Capped | Why::Earlier);
        let counted_ms = if counted { to - from } else { 0 };
        self.used += counted_ms;
        match self.out.last_mut() {
            Some(last) if last.why == why && last.to == from => {
                last.to = to;
                last.counted_ms += counted_ms;
                last.used_ms = self.used;
            }
            Some(_) | None => {
                let text = words::why(&why);
                self.out.push(Stretch { from, to, counted, counted_ms, used_ms: self.used, why, text });
            }
        }
    }
}

fn closed(closed: Closed) -> Why {
    match closed {
        Closed::Outside => Why::Outside,
        Closed::Holiday(name) => Why::Holiday { name },
        Closed::Break => Why::Break,
    }
}

/// What a piece counted on, as the limit that binds in the end saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Calendar(CalendarId),
    Waiting,
    /// No row of its table applied, while another limit ran.
    Parked,
    Discarded,
}

/// A piece as far as it counts here, of whose life it is, and what it counted on.
struct Counted<'l> {
    piece: &'l Piece,
    to: Moment,
    of: &'l Raw,
    on: On,
}

/// Follows the binding limit back through changes of row and of calendar: in each piece, the clock that had counted so
/// much. Where two tickets were merged, it may have counted in the other's life. Gives also the first of them, which may
/// bring time along from before the start; None: the count began anew.
fn lineage<'l>(view: View<'_>, life: &'l Life<'_>, now: Moment) -> (Vec<Counted<'l>>, Option<Clock>) {
    let mut out = Vec::new();
    let mut clock = life.duty.clock;
    clock.elapsed = life.duty.elapsed(now, view.book.calendars());
    let (mut of, mut rest) = (&life.raw, &life.raw.pieces[..]);
    while let Some((piece, earlier)) = rest.split_last() {
        if let Some(before) = ancestor(view, piece, &clock) {
            let on = match before.state {
                _ if before.row == PARKED => On::Parked,
                ClockState::Waiting => On::Waiting,
                ClockState::Counting | ClockState::Fixed => On::Calendar(before.calendar),
            };
            out.push(Counted { piece, to: piece.to, of, on });
            (clock, rest) = (before, earlier);
            continue;
        }
        let counts = |other: &&Raw| {
            let last = other.pieces.last().filter(|last| last.to == piece.to);
            last.is_some_and(|last| ancestor(view, last, &clock).is_some())
        };
        let Some(other) = of.along.iter().find(counts) else { break };
        (of, rest) = (other, &other.pieces);
    }
    // What is left of its own life, if it counted in another's since; or what was dropped.
    let mine = std::ptr::eq(of, &life.raw);
    let until = out.last().map_or(Moment::NEVER, |counted: &Counted<'_>| counted.piece.from);
    let before = life.raw.pieces.iter().rev().filter(|piece| piece.from < until);
    let dropped = before.map(|piece| Counted { piece, to: piece.to.min(until), of: &life.raw, on: On::Discarded });
    let all = out.len();
    out.extend(dropped);
    let whole = mine && all == out.len();
    out.reverse();
    (out, whole.then_some(clock))
}

fn ancestor(view: View<'_>, piece: &Piece, clock: &Clock) -> Option<Clock> {
    let after = |k: &Clock| {
        let counts = piece.why == Stopped::Not && k.state != ClockState::Waiting;
        let grown = if counts { view.book.calendar(k.calendar).between(piece.from, piece.to) } else { 0 };
        k.elapsed + grown
    };
    let likeness = |k: &Clock| {
        (k.calendar == clock.calendar, k.limit == clock.limit, k.target == clock.target, k.state == clock.state)
    };
    let fits = piece.clocks.iter().enumerate().filter(|(_, k)| after(k) == clock.elapsed);
    // Of equals, the first: it bound.
    fits.max_by_key(|(i, k)| (likeness(k), std::cmp::Reverse(*i))).map(|(_, k)| *k)
}

fn paused(view: View<'_>, of: &Raw, (begin, end): (Moment, Moment), out: &mut Cutter) {
    let inside = of.held.iter().map(|(at, _)| *at).filter(|at| *at > begin && *at < end);
    let mut from = begin;
    for to in inside.chain([end]) {
        let by = of.held_at(from).iter().map(|by| pause(view, by)).collect();
        out.push(from, to, Why::Paused { by });
        from = to;
    }
}

fn pause(view: View<'_>, by: &PausedBy) -> Pause {
    let names = view.book.names();
    let one = |fact: Fact<'_>, field: &str| match fact.field(names.field_id(field)?)? {
        Value::One(atom) => Some(names.text(atom).to_owned()),
        Value::List(_) => None,
    };
    let fact = view
        .timeline
        .facts()
        .find(|f| f.at() == by.at && names.about(f.kind()).effect == Effect::Paused && one(*f, "reason") == by.reason);
    Pause {
        event: fact.map(|f| f.id().to_owned()),
        since: by.at,
        reason: by.reason.clone(),
        side: by.side.map(|side| crate::terms::Party { side, role: by.role.clone() }.to_string()),
        actor: fact.and_then(|f| one(f, "actor")),
    }
}

/// A waiver's reason and approver: the contract's words, or those of the event that approved it.
fn because(view: View<'_>, life: &Life<'_>, name: &str, engine: &Engine) -> Option<String> {
    let rule = view.book.rule(life.duty.rule);
    if let Some(granted) = rule.waivers.iter().find(|w| w.id == name) {
        return Some(granted.why.clone());
    }
    let here = approval(view, name);
    here.or_else(|| engine.look(view.partner, view.partner, |own, _| approval(own, name)).flatten())
}

fn approval(view: View<'_>, name: &str) -> Option<String> {
    let names = view.book.names();
    let fact = view.timeline.facts().find(|f| f.id() == name)?;
    let one = |field: &str| fact.field(names.field_id(field)?).map(|v| names.show(v));
    let by = one("approver").or_else(|| one("actor")).or_else(|| one("role")).or_else(|| one("side"));
    match (one("reason"), by) {
        (Some(reason), Some(by)) => Some(format!("{reason}; approved by {by}")),
        (Some(reason), None) => Some(reason),
        (None, Some(by)) => Some(format!("approved by {by}")),
        (None, None) => None,
    }
}
