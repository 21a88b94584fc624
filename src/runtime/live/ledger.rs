//! From differences to entries of the ledger: what was decided for good, or taken back.

use super::declared::Declaring;
use crate::store::{Entry, Under, Which, chain};
use hashbrown::HashMap;
use onus_engine::engine::{Difference, Engine};
use onus_engine::rule::{Form, RuleId};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::sync::Arc;

/// How long the ledger is, and the entries that wait for the commit. They get their digests when they are written down: that
/// is the store's thread's work.
#[derive(Debug)]
pub(super) struct Ledger {
    number: u64,
    /// Of the last entry that was written down.
    digest: [u8; 32],
    pub(super) entries: Vec<Entry>,
    pub(super) declaring: Declaring,
    /// By partner and rule of the engine that was asked last.
    under: HashMap<(u32, RuleId), Arc<Under>>,
}

impl Ledger {
    pub(super) fn new(number: u64, digest: [u8; 32]) -> Ledger {
        Ledger { number, digest, entries: Vec::new(), declaring: Declaring::default(), under: HashMap::new() }
    }

    /// Entries written or waiting.
    pub(super) fn len(&self) -> u64 {
        self.number
    }

    /// Takes what an engine tells.
    pub(super) fn take(&mut self, engine: &mut Engine) {
        let differences = engine.take_differences();
        for (subject, d) in differences.iter() {
            self.declaring.note(engine, subject, d);
            if worth(engine, d) {
                let under = self.under.entry((d.partner, d.rule)).or_insert_with(|| under(engine, d));
                let entry = entry(engine, subject, d, Arc::clone(under));
                self.add(entry);
            }
        }
        self.declaring.pause();
        engine.give_back(differences);
    }

    /// Adds one: its number is given here.
    pub(super) fn add(&mut self, mut entry: Entry) {
        self.number += 1;
        entry.number = self.number;
        self.entries.push(entry);
    }

    /// Gives those that wait their digests.
    pub(super) fn chain(&mut self) {
        self.digest = chain(self.digest, &mut self.entries);
    }

    /// Of the entry before the first that waits; nothing else may be on its way to the store.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// These were written down.
    pub(super) fn written(&mut self, entries: &[Entry]) {
        self.digest = entries.last().map_or(self.digest, |last| last.digest);
    }

    /// From here on another engine is asked.
    pub(super) fn forget_names(&mut self) {
        self.under.clear();
    }

    /// They are written.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}

/// Whose a difference is, and by what it was decided.
pub(super) fn under(engine: &Engine, d: &Difference) -> Arc<Under> {
    let rule = engine.book().rule(d.rule);
    Arc::new(Under {
        partner: engine.partner_name(d.partner).to_owned(),
        contract: rule.contract.clone(),
        obligation: rule.id.clone(),
        clause: rule.clause.clone(),
    })
}

/// The entry of a difference that [is worth](worth) one.
pub(super) fn entry(engine: &Engine, subject: &str, d: &Difference, under: Arc<Under>) -> Entry {
    Entry {
        number: 0,
        which: Which::Key(d.key),
        under,
        subject: subject.to_owned(),
        from: d.from,
        to: d.to,
        start: d.start,
        deadline: d.deadline.known(),
        ended: d.ended.known(),
        broken: d.broken,
        excused: d.excused,
        disputed: d.disputed,
        adjustment: false,
        used: d.used,
        at: d.at,
        heard: engine.heard(d.partner, d.rule).max(Moment::DAWN),
        digest: [0; 32],
    }
}

/// What ends, breaks, is withdrawn or disputed; what takes such a word back. A check that passes is counted, and makes none.
pub(super) fn worth(engine: &Engine, d: &Difference) -> bool {
    let checks = matches!(engine.book().rule(d.rule).form, Form::Requires(_));
    let word = |standing: Standing, ended: bool| match standing {
        Standing::Met => !checks,
        Standing::MetLate | Standing::Breached | Standing::Cancelled => true,
        Standing::Waived => d.broken || ended,
        Standing::Exempt => ended,
        Standing::Withdrawn => d.from != Standing::Untold,
        Standing::Untold | Standing::Open | Standing::Paused | Standing::Unknown => false,
    };
    // A pause, or more to wait for, takes nothing back.
    let before = matches!(d.from, Standing::Met | Standing::MetLate | Standing::Breached | Standing::Cancelled)
        && !(checks && d.from == Standing::Met);
    d.disputed || word(d.to, d.ended.known().is_some()) || before && d.to != Standing::Unknown
}
