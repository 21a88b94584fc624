//! From differences to entries of the ledger: what was decided for good, or taken back.

use crate::store::{Entry, Message, digest};
use onus_engine::engine::{Difference, Engine};
use onus_engine::identity::DutyId;
use onus_engine::rule::Form;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde_json::json;

/// How long the ledger is, and the entries that wait for the commit.
#[derive(Debug)]
pub(super) struct Ledger {
    number: u64,
    digest: [u8; 32],
    messages: u64,
    /// Somebody wants to be told.
    tells: bool,
    pub(super) entries: Vec<Entry>,
    pub(super) told: Vec<Message>,
}

impl Ledger {
    pub(super) fn new(number: u64, digest: [u8; 32], messages: u64, tells: bool) -> Ledger {
        Ledger { number, digest, messages, tells, entries: Vec::new(), told: Vec::new() }
    }

    /// Entries written or waiting.
    pub(super) fn len(&self) -> u64 {
        self.number
    }

    /// Takes what an engine tells.
    pub(super) fn take(&mut self, engine: &mut Engine) {
        let differences = engine.take_differences();
        for (subject, d) in differences.iter() {
            if let Some(entry) = entry(engine, subject, d) {
                self.add(entry);
            }
        }
        engine.give_back(differences);
    }

    /// Adds one: its number and digest are given here.
    pub(super) fn add(&mut self, mut entry: Entry) {
        self.number += 1;
        entry.number = self.number;
        entry.digest = digest(&self.digest, &entry);
        self.digest = entry.digest;
        if self.tells {
            self.messages += 1;
            self.told.push(message(self.messages, &entry));
        }
        self.entries.push(entry);
    }

    /// They are written.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.told.clear();
    }
}

/// The entry of a difference, if it is worth one.
pub(super) fn entry(engine: &Engine, subject: &str, d: &Difference) -> Option<Entry> {
    let rule = engine.book().rule(d.rule);
    let checks = matches!(rule.form, Form::Requires(_));
    if !worth(d, checks) {
        return None;
    }
    let partner = engine.partner_name(d.partner);
    Some(Entry {
        number: 0,
        duty: DutyId::of(partner, &rule.contract, &rule.id, subject, d.key),
        partner: partner.to_owned(),
        contract: rule.contract.clone(),
        obligation: rule.id.clone(),
        clause: rule.clause.clone(),
        subject: subject.to_owned(),
        from: d.from,
        to: d.to,
        start: d.start,
        deadline: d.deadline.known(),
        ended: d.ended.known(),
        broken: d.broken,
        excused: d.excused,
        adjustment: false,
        used: d.used,
        at: d.at,
        heard: engine.heard(d.partner, d.rule).max(Moment::DAWN),
        digest: [0; 32],
    })
}

/// What ends, breaks or is withdrawn; what takes such a word back. A check that passes is counted, and makes none.
fn worth(d: &Difference, checks: bool) -> bool {
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
    word(d.to, d.ended.known().is_some()) || before && d.to != Standing::Unknown
}

/// Breached though not everything up to the deadline was heard: the silence was the obligor's own.
fn blind(entry: &Entry) -> bool {
    let known = entry.deadline.is_none_or(|deadline| match entry.ended {
        // A finding is certain from its own instant on, a deadline only after it.
        Some(_) => entry.heard >= deadline,
        None => entry.heard > deadline,
    });
    entry.to == Standing::Breached && !known
}

fn message(number: u64, entry: &Entry) -> Message {
    Message {
        number,
        partner: entry.partner.clone(),
        identity: format!("{} {} {}", entry.duty, entry.to, entry.start),
        body: json(entry).to_string(),
    }
}

/// An entry as JSON: docs/seams.md, section 11.
pub fn json(entry: &Entry) -> serde_json::Value {
    let optional = |moment: Option<Moment>| moment.map(|m| m.to_string());
    json!({
        "number": entry.number,
        "partner": entry.partner,
        "contract": entry.contract,
        "obligation": entry.obligation,
        "clause": entry.clause,
        "subject": entry.subject,
        "duty": entry.duty.to_string(),
        "from": entry.from.word(),
        "to": entry.to.word(),
        "start": entry.start.to_string(),
        "deadline": optional(entry.deadline),
        "ended_at": optional(entry.ended),
        "broken": entry.broken,
        "excused": entry.excused,
        "blind": blind(entry),
        "adjustment": entry.adjustment,
        "used_ms": entry.used,
        "at": entry.at.to_string(),
        "heard": entry.heard.to_string(),
    })
}
