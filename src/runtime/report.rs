//! What a run found: how everything stands, and what was read.

pub use super::homes::Placed;
use super::levels::Measured;
use crate::decode::{Batch, DeadLetter};
use onus_engine::engine::Tally;
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How everything stands.
#[derive(Debug, Default)]
pub struct Report {
    /// As of this instant; None: no event had a time.
    pub until: Option<Moment>,
    /// Counts a partner and obligation.
    pub obligations: Vec<Row>,
    /// Breaches and findings.
    pub breaches: Vec<Breach>,
    /// Levels over many duties, by period.
    pub levels: Vec<Measured>,
    /// Every duty, if asked for.
    pub duties: Vec<DutyRow>,
    /// Lines that could not be read, by file.
    pub letters: Vec<(String, DeadLetter)>,
    /// What was read.
    pub read: Read,
    /// What the scopes of contracts said of events that name no partner.
    pub placed: Placed,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// Lines.
    pub lines: u64,
    /// Events.
    pub events: u64,
    /// Events that no contract cares for.
    pub idle: u64,
    /// Events later than `until`, or in the far future: how many, and the earliest.
    pub held: (u64, Option<Moment>),
    /// Known already.
    pub repeats: u64,
    /// Another content under a known id.
    pub conflicts: u64,
    /// Of partners that no contract names, by partner.
    pub unbound: BTreeMap<String, u64>,
    /// Late: judged again.
    pub late: u64,
    /// Of another partner than the catalogue has.
    pub against: u64,
}

/// Counts of one obligation of one partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Partner.
    pub partner: String,
    /// Contract.
    pub contract: String,
    /// Obligation.
    pub obligation: String,
    /// Clause.
    pub clause: String,
    /// Counts.
    pub tally: Tally,
}

/// A breach or a finding that stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// Partner.
    pub partner: Arc<str>,
    /// Obligation.
    pub obligation: Arc<str>,
    /// When it broke.
    pub breached_at: Moment,
    /// Subject.
    pub subject: String,
    /// The duty.
    pub duty: DutyId,
    /// Clause.
    pub clause: Arc<str>,
    /// Counting from.
    pub started: Moment,
    /// Done later, at.
    pub ended: Option<Moment>,
    /// Excused by a waiver, after the fact.
    pub waived: bool,
    /// Contract.
    pub contract: Arc<str>,
    /// How the duty stands: done late, not done, or waived.
    pub standing: Standing,
    /// Late, with reasons that were given in time.
    pub excused: bool,
}

/// One duty.
#[derive(Clone, Debug)]
pub struct DutyRow {
    /// Partner.
    pub partner: String,
    /// Obligation.
    pub obligation: String,
    /// Subject.
    pub subject: String,
    /// Identity.
    pub duty: DutyId,
    /// Cycle, from 1.
    pub cycle: u16,
    /// How it stands.
    pub standing: Standing,
    /// Counting from.
    pub start: Moment,
    /// None while paused, exempt or ended while paused.
    pub deadline: Option<Moment>,
    /// The breach.
    pub breached_at: Option<Moment>,
    /// The end.
    pub ended_at: Option<Moment>,
    /// Counted time in milliseconds.
    pub elapsed: i64,
    /// A breach was told that no longer stands.
    pub retracted: bool,
    /// An act was seen that does not count yet.
    pub claimed: bool,
    /// One source says that its act was done, another only that it failed.
    pub disputed: bool,
    /// Late, with reasons that were given in time.
    pub excused: bool,
    /// Of a reopened duty: the cycles before.
    pub earlier: Vec<DutyRow>,
}

impl Report {
    /// Takes note of what a batch says beside its events.
    pub(super) fn note(&mut self, name: &str, batch: &Batch) {
        self.read.lines += batch.lines;
        self.read.events += batch.read;
        self.read.idle += batch.idle;
        self.read.held.0 += batch.held.0;
        self.read.held.1 = match (self.read.held.1, batch.held.1) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.letters.extend(batch.letters.iter().map(|letter| (name.to_owned(), letter.clone())));
    }

    /// Some duty broke its deadline or its rule.
    pub fn has_breaches(&self) -> bool {
        !self.breaches.is_empty()
    }
}
