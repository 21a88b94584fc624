//! What contracts say for a page: how loud, who owes it, whom to call.

use crate::store::Under;
use chrono_tz::Tz;
use onus_engine::calendar::Calendar;
use onus_engine::limits::{Target, target};
use onus_engine::terms::{Contract, Limit, Obligation, Party, Role, RungAt, Sentence, Severity, Span};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// By contract and obligation, the versions in the order in which they take effect.
type Book = BTreeMap<(String, String), Vec<(Moment, Arc<Words>)>>;

/// Of all contracts; read anew when they are.
#[derive(Debug, Default)]
pub struct Directory(Mutex<Arc<Book>>);

/// What one version says of one obligation.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    pub(super) control: Option<String>,
    pub(super) severity: Severity,
    /// Who owes it, with where that is reached.
    pub(super) owed_by: String,
    /// Whom to call at a breach.
    pub(super) call: String,
    /// Whom to call while it is at risk.
    pub(super) warn: String,
    pub(super) customer: String,
    /// Rungs of its ladder that lie after the breach, in the order written.
    pub(super) rungs: Vec<Step>,
}

/// A rung that lies after the breach.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Its place on the ladder, from 1.
    pub(super) number: usize,
    after: Span,
    /// What "business" means for those who are told, else for the limit; None: every hour counts.
    calendar: Option<Calendar>,
    zone: Tz,
    /// Whom to call.
    pub(super) call: String,
    pub(super) severity: Severity,
}

impl Step {
    /// When it is reached, of a breach at that instant.
    pub(super) fn reached(&self, breach: Moment) -> Option<Moment> {
        let always = Calendar::always(self.zone);
        let calendar = self.calendar.as_ref().unwrap_or(&always);
        match target(&self.after, 1, calendar, self.zone, breach) {
            Target::Length(length, 0) => breach.0.checked_add(length).map(Moment),
            Target::Length(length, _) => calendar.add(breach, length),
            Target::Fixed(at) => at.known(),
        }
    }
}

impl Directory {
    /// These contracts, from now on.
    pub fn set(&self, contracts: &[Contract]) {
        let mut book = Book::new();
        for contract in contracts {
            for obligation in &contract.obligations {
                let ladder =
                    contract.escalation.iter().find(|ladder| Some(&ladder.name) == obligation.escalate.as_ref());
                let rungs = ladder.into_iter().flat_map(|ladder| &ladder.rungs);
                let before = |at: &RungAt| matches!(at, RungAt::Share(_) | RungAt::Before(_));
                let at_breach = rungs.clone().filter(|rung| rung.at == RungAt::Breach).flat_map(|rung| &rung.tell);
                let told = named(at_breach, &obligation.obligor);
                let warned = rungs.filter(|rung| before(&rung.at)).take(1).flat_map(|rung| &rung.tell);
                let warned = named(warned, &obligation.obligor);
                let call = |told: &[Party]| {
                    told.iter().map(|party| reached(party, &contract.roles)).collect::<Vec<String>>().join("; ")
                };
                let rungs = ladder.into_iter().flat_map(|ladder| ladder.rungs.iter().enumerate());
                let rungs = rungs.filter_map(|(place, rung)| {
                    let RungAt::After(after) = &rung.at else { return None };
                    Some(Step {
                        number: place + 1,
                        after: after.clone(),
                        calendar: rung.calendar.map_or_else(
                            || calendar_of(contract, obligation),
                            |place| contract.calendars.get(place).map(|(_, calendar)| calendar.clone()),
                        ),
                        zone: contract.zone,
                        call: call(&rung.tell),
                        severity: rung.severity.unwrap_or(obligation.severity),
                    })
                });
                let words = Words {
                    control: obligation.control.clone(),
                    severity: obligation.severity,
                    owed_by: reached(&obligation.obligor, &contract.roles),
                    call: call(&told),
                    warn: call(&warned),
                    customer: contract.customer.clone(),
                    rungs: rungs.collect(),
                };
                let key = (contract.name.clone(), obligation.id.clone());
                book.entry(key).or_default().push((contract.effective, Arc::new(words)));
            }
        }
        for versions in book.values_mut() {
            versions.sort_by_key(|(effective, _)| *effective);
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }

    /// What is in force.
    pub(super) fn words(&self, under: &Under, now: Moment) -> Arc<Words> {
        let book = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let versions = book.get(&(under.contract.clone(), under.obligation.clone()));
        let newest = versions.and_then(|all| all.iter().rev().find(|(from, _)| *from <= now).or(all.first()));
        newest.map(|(_, words)| Arc::clone(words)).unwrap_or_default()
    }
}

/// Each once; if there is nobody, the obligor.
fn named<'p>(parties: impl Iterator<Item = &'p Party>, obligor: &Party) -> Vec<Party> {
    let mut all: Vec<Party> = Vec::new();
    for party in parties {
        if !all.contains(party) {
            all.push(party.clone());
        }
    }
    if all.is_empty() {
        all.push(obligor.clone());
    }
    all
}

/// What "business" means for its first limit.
fn calendar_of(contract: &Contract, obligation: &Obligation) -> Option<Calendar> {
    let limits: &[Limit] = match &obligation.sentence {
        Sentence::Within { limits, .. } | Sentence::Every { limits, .. } => limits,
        Sentence::Requires { .. } => &[],
    };
    let place = limits.first()?.calendar?;
    contract.calendars.get(place).map(|(_, calendar)| calendar.clone())
}

/// A party and where it is reached; a side as such is reached by its roles.
fn reached(party: &Party, roles: &[Role]) -> String {
    if let Some(role) = roles.iter().find(|role| role.party == *party) {
        return format!("{party} ({})", role.address);
    }
    let of_side: Vec<String> = roles
        .iter()
        .filter(|role| party.role.is_none() && role.party.side == party.side)
        .take(3)
        .map(|role| format!("{} ({})", role.party, role.address))
        .collect();
    if of_side.is_empty() { party.to_string() } else { format!("{party}: {}", of_side.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESK: &str = "contract: desk
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
calendar: day
calendars:
  day: {zone: UTC, hours: {mon-fri: \"08:00-16:00\"}}
  night: {zone: UTC, hours: {mon-fri: \"16:00-24:00\"}}
escalation:
  standard:
    - {at: breach, tell: partner}
    - {at: 2 business hours after, tell: partner}
    - {at: 2 business hours after, tell: customer, calendar: night}
obligations:
  - {id: answer, clause: \"4.2\", when: ticket.opened, do: ticket.acknowledged, within: 4 business hours, escalate: standard}
";

    #[test]
    fn a_rung_counts_on_its_own_calendar_where_it_names_one() {
        let contract = crate::contract::parse(DESK, "desk.yaml").expect("a contract");
        let directory = Directory::default();
        directory.set(&[contract]);
        let [partner, contract, obligation, clause] = ["p1", "desk", "answer", "4.2"].map(str::to_owned);
        let words = directory.words(&Under { partner, contract, obligation, clause }, Moment(0));
        let at = |text: &str| Moment(chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis());
        let breach = at("2026-03-02T11:00:00Z");
        let reached: Vec<(usize, Option<Moment>)> = words.rungs.iter().map(|s| (s.number, s.reached(breach))).collect();
        let expected = [(2, Some(at("2026-03-02T13:00:00Z"))), (3, Some(at("2026-03-02T18:00:00Z")))];
        assert_eq!(reached, expected);
    }
}
