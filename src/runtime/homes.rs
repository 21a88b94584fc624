//! Events that name no partner: each goes to the partner by whose contract's scope its subject was first placed, and
//! waits while nothing has placed it yet. What is left at the end is nobody's, and said so.

use crate::catalogue::UNOWNED;
use crate::decode::Homeless;
use onus_engine::scope::Unowned;
use onus_engine::terms::Trust;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where subjects are at home.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Homes {
    /// By subject: its partner.
    known: BTreeMap<String, String>,
    waiting: BTreeMap<String, Vec<Waiting>>,
    told: Placed,
}

/// An event that waits for its subject to be placed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) source: String,
    pub(super) fact: Vec<u8>,
    /// How far what brought it is trusted, where that was said.
    pub(super) trust: Option<Trust>,
    /// What brought it, and its record, where that may not speak of every partner: it is not known yet whether of this one.
    pub(super) narrow: Option<(String, Vec<u8>)>,
    why: Unowned,
}

/// What the scopes of contracts said of events that name no partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Subjects that no scope placed: how many events, and why.
    pub unowned: BTreeMap<String, (u64, String)>,
    /// Events that several contracts matched, by the contract that went first and those that gave way.
    pub overlaps: BTreeMap<String, u64>,
    /// Subjects of which a later event fits another partner: where they are, and where else they would be.
    pub moved: BTreeMap<String, (String, String)>,
}

impl Homes {
    /// Takes note of where an event places its subject; gives the subject's partner, if it is known by now.
    pub(super) fn place(&mut self, one: &Homeless) -> Option<&str> {
        if let Some(overlap) = &one.owner.overlap {
            *self.told.overlaps.entry(overlap.clone()).or_default() += 1;
        }
        if let Ok(partner) = &one.owner.partner {
            let known = self.known.entry(one.subject.clone()).or_insert_with(|| partner.clone());
            if known != partner {
                // The first word stands: a subject that is handed on keeps its clocks where they began.
                self.told.moved.insert(one.subject.clone(), (known.clone(), partner.clone()));
            }
        }
        self.known.get(&one.subject).map(String::as_str)
    }

    /// A subject is handed over. Of one that nothing has placed yet this says whose it is: who hands it over has had it, and what
    /// is told of it goes on to whoever has it later. Gives the partner under whose name it is known.
    pub(super) fn hand(&mut self, subject: &str, from: &str, to: &str) -> &str {
        let first = if from == UNOWNED { to } else { from };
        self.known.entry(subject.to_owned()).or_insert_with(|| first.to_owned())
    }

    pub(super) fn wait(
        &mut self,
        one: &Homeless,
        source: &str,
        fact: &[u8],
        trust: Option<Trust>,
        narrow: Option<(String, Vec<u8>)>,
    ) {
        let Err(why) = &one.owner.partner else { return };
        let waiting = Waiting { source: source.to_owned(), fact: fact.to_owned(), trust, narrow, why: why.clone() };
        self.waiting.entry(one.subject.clone()).or_default().push(waiting);
    }

    /// What waited for this subject.
    pub(super) fn release(&mut self, subject: &str) -> Vec<Waiting> {
        if self.waiting.is_empty() { Vec::new() } else { self.waiting.remove(subject).unwrap_or_default() }
    }

    /// Subjects that nothing has placed yet, and subjects of which a later event fits another partner.
    pub(super) fn astray(&self) -> [u64; 2] {
        [self.waiting.len() as u64, self.told.moved.len() as u64]
    }

    /// At the end: what waits is nobody's.
    pub(super) fn finish(self) -> Placed {
        let mut told = self.told;
        for (subject, waiting) in self.waiting {
            let why = waiting.iter().map(|one| &one.why).max().map(words).unwrap_or_default();
            told.unowned.insert(subject, (waiting.len() as u64, why));
        }
        told
    }
}

impl Placed {
    /// Adds what another shard was told.
    pub(super) fn add(&mut self, other: Placed) {
        self.unowned.extend(other.unowned);
        self.moved.extend(other.moved);
        for (contracts, n) in other.overlaps {
            *self.overlaps.entry(contracts).or_default() += n;
        }
    }

    /// Nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Placed::default()
    }
}

fn words(why: &Unowned) -> String {
    match why {
        Unowned::Silent => "it says nothing that a scope lists".to_owned(),
        Unowned::NoScope => "it fits no contract's scope".to_owned(),
        Unowned::NoControl(control) => format!("no contract whose scope it fits lists the control {control}"),
        Unowned::Several(names) => format!("it fits several contracts, and none yields to another: {names}"),
    }
}
