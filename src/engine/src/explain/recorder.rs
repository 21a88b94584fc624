//! Watches a judgement being made, and keeps what it sees of each duty.

use super::facts::FactUse;
use super::{Note, facts};
use crate::book::Book;
use crate::duty::{Clock, Duty, Flags, WaiverSpan};
use crate::fact::Fact;
use crate::fold::{Fold, PausedBy, Stopped, Trace, View};
use crate::rule::RuleId;
use crate::time::Moment;
use std::collections::BTreeMap;

/// A duty within its subject: the obligation's first version, its anchor, and the first cycle's anchor.
pub(super) type Name = (RuleId, u64, u64);

pub(super) fn name_of(book: &Book, duty: &Duty) -> Name {
    (book.rule(duty.rule).family, duty.key, duty.root())
}

/// A stretch as the fold gave it: not cut by any calendar yet.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) from: Moment,
    pub(super) to: Moment,
    pub(super) why: Stopped,
    /// Its clocks as they were at `from`; the first bound.
    pub(super) clocks: Vec<Clock>,
    /// The deadline in force meanwhile.
    pub(super) deadline: Moment,
    /// A pause held it, but its longest pause was used up.
    pub(super) capped: bool,
    pub(super) waivers: Vec<WaiverSpan>,
}

/// What was seen of one duty.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) pieces: Vec<Piece>,
    pub(super) notes: Vec<Note>,
    pub(super) facts: Vec<FactUse>,
    /// From each instant on, the pauses that hold it.
    pub(super) held: Vec<(Moment, Vec<PausedBy>)>,
    /// What was seen of others whose limits run along, up to where they were joined: a merged ticket's.
    pub(super) along: Vec<Raw>,
}

impl Raw {
    fn push(&mut self, duty: &Duty, from: Moment, to: Moment, why: Stopped) {
        // Sometimes a copy of a duty is settled and then not kept: what begins at or after here is told again.
        while self.pieces.last().is_some_and(|p| p.from >= from) {
            self.pieces.pop();
        }
        if let Some(last) = self.pieces.last_mut() {
            last.to = last.to.min(from);
        }
        if from < to {
            self.pieces.push(Piece {
                from,
                to,
                why,
                clocks: duty.clocks().copied().collect(),
                deadline: duty.deadline,
                capped: duty.flags.has(Flags::HELD) && duty.flags.has(Flags::CAPPED),
                waivers: duty.more.as_ref().map(|m| m.waivers.clone()).unwrap_or_default(),
            });
        }
    }

    /// The last stretch of a duty that is still open.
    pub(super) fn close(&mut self, duty: &Duty, now: Moment) {
        if duty.is_open() && now > duty.since {
            self.push(duty, duty.since, now, Stopped::of(duty));
        }
        // What ran before it began anew is no part of it, nor what came after its end: undone, it may fall back to
        // another act, in the past.
        self.pieces.retain(|p| p.to > duty.start && p.from < duty.ended);
        for piece in &mut self.pieces {
            piece.from = piece.from.max(duty.start);
            piece.to = piece.to.min(duty.ended);
        }
    }

    /// The pauses in force at an instant.
    pub(super) fn held_at(&self, at: Moment) -> &[PausedBy] {
        self.held.iter().rev().find(|(since, _)| *since <= at).map_or(&[], |(_, by)| by)
    }
}

/// See the module.
pub(super) struct Recorder<'a> {
    view: View<'a>,
    pub(super) raws: BTreeMap<Name, Raw>,
    pub(super) notes: Vec<Note>,
    /// Duties as they were before the fact now taken in.
    open: BTreeMap<Name, Duty>,
    ended: BTreeMap<Name, Duty>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(view: View<'a>) -> Recorder<'a> {
        Recorder { view, raws: BTreeMap::new(), notes: Vec::new(), open: BTreeMap::new(), ended: BTreeMap::new() }
    }

    fn raw(&mut self, duty: &Duty) -> &mut Raw {
        self.raws.entry(name_of(self.view.book, duty)).or_default()
    }

    fn undoes(&self, fact: Fact<'_>) -> &'a [u16] {
        &self.view.book.names().about(fact.kind()).undoes
    }

    /// What a fact did to a duty, if anything.
    fn part(&self, name: Name, duty: &Duty, fact: Fact<'_>) -> Option<&'static str> {
        let was = self.open.get(&name);
        let ended = self.ended.get(&name);
        Some(match (was, ended) {
            (None, None) if duty.cycle() > 1 && duty.start == fact.at() && !self.undoes(fact).is_empty() => {
                "undoes the act: a new cycle begins"
            }
            (None, None) if duty.key == fact.key() => facts::BEGINS,
            (None, None) => return None,
            (None, Some(_)) if duty.is_open() => "undoes the act: it goes on",
            (None, Some(was)) if was != duty && changed_waivers(was, duty) => "waives it after the fact",
            (None, Some(_)) => return None,
            (Some(_), _) if !duty.is_open() && duty.ended_by == fact.kind() => {
                if duty.flags.has(Flags::CANCELLED) {
                    "ends it without a verdict"
                } else {
                    "the act that was owed"
                }
            }
            (Some(was), _) => changed(was, duty)?,
        })
    }
}

/// What of a running duty only a fact can change, and did.
fn changed(was: &Duty, is: &Duty) -> Option<&'static str> {
    let newly = |flag| is.flags.has(flag) && !was.flags.has(flag);
    let held = was.flags.has(Flags::HELD) != is.flags.has(Flags::HELD);
    let targets = |d: &Duty| {
        let mut all: Vec<_> = d.clocks().map(|c| (c.limit, c.calendar, c.target, c.state as u8)).collect();
        all.sort_unstable();
        all
    };
    Some(match () {
        () if newly(Flags::CLAIMED) => "claims the act, at too little trust",
        () if is.disputed() && !was.disputed() => "is denied by another source",
        () if held && is.flags.has(Flags::HELD) => "pauses it",
        () if held => "lets it run again",
        () if changed_waivers(was, is) => "waives it",
        () if was.start != is.start => "lets it start anew",
        () if targets(was) != targets(is) || newly(Flags::EXEMPT) => "changes its limit",
        () if was.more.as_ref().map(|m| m.progress) != is.more.as_ref().map(|m| m.progress) => "part of the act",
        () => return None,
    })
}

fn changed_waivers(was: &Duty, is: &Duty) -> bool {
    let of = |d: &Duty| d.more.as_ref().map(|m| m.waivers.clone()).unwrap_or_default();
    of(was) != of(is)
}

impl Trace for Recorder<'_> {
    fn stretch(&mut self, duty: &Duty, from: Moment, to: Moment, why: Stopped) {
        self.raw(duty).push(duty, from, to, why);
    }

    fn note(&mut self, at: Moment, duty: Option<&Duty>, text: &dyn Fn() -> String) {
        let note = Note { at, text: text() };
        match duty {
            Some(duty) => self.raw(duty).notes.push(note),
            None => self.notes.push(note),
        }
    }

    fn held(&mut self, at: Moment, duty: &Duty, by: Vec<PausedBy>) {
        let held = &mut self.raw(duty).held;
        while held.last().is_some_and(|(since, _)| *since >= at) {
            held.pop();
        }
        if held.last().is_none_or(|(_, before)| *before != by) {
            held.push((at, by));
        }
    }

    fn taken(&mut self, fact: Fact<'_>, fold: &Fold) {
        let book = self.view.book;
        for duty in fold.open.iter().chain(&fold.ended) {
            let name = name_of(book, duty);
            if let Some(part) = self.part(name, duty, fact) {
                let told = facts::line(self.view, fact, part);
                self.raw(duty).facts.push(told);
            }
        }
        let named = |duties: &[Duty]| duties.iter().map(|d| (name_of(book, d), d.clone())).collect();
        (self.open, self.ended) = (named(&fold.open), named(&fold.ended));
    }

    fn aside(&self) -> Self {
        Recorder::new(self.view)
    }

    fn adopted(&mut self, duty: &Duty, aside: &mut Self) {
        let name = name_of(self.view.book, duty);
        self.raws.insert(name, aside.raws.remove(&name).unwrap_or_default());
        self.open.extend(aside.open.remove(&name).map(|was| (name, was)));
    }

    fn runs_along(&mut self, duty: &Duty, other: &Duty, aside: Option<&mut Self>) {
        let name = name_of(self.view.book, other);
        let other = aside.map_or(&self.raws, |aside| &aside.raws).get(&name).cloned();
        self.raw(duty).along.extend(other);
    }
}
