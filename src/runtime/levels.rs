//! Levels over many duties (`target`): shares met in time, and averages, by calendar period. Reported beside the standings;
//! they change none.

use onus_engine::book::Book;
use onus_engine::engine::Difference;
use onus_engine::identity::DutyId;
use onus_engine::limits::{self, period};
use onus_engine::rule::{Form, Rule, RuleId};
use onus_engine::standing::Standing;
use onus_engine::terms::{Level, Target};
use onus_engine::time::{Millis, Moment};
use std::collections::BTreeMap;

/// One obligation's level over one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Partner.
    pub partner: String,
    /// Contract.
    pub contract: String,
    /// Obligation.
    pub obligation: String,
    /// Clause.
    pub clause: String,
    /// The period: first instant inside.
    pub from: Moment,
    /// First instant outside.
    pub to: Moment,
    /// What must be reached, over what, and what it costs.
    pub target: Target,
    /// Duties that count: of a share those with a verdict in the period, of an average those done in it.
    pub counted: u64,
    /// Of these, met in time.
    pub met: u64,
    /// Time used by all that count.
    pub used: Millis,
    /// What an average may come to over all that count.
    pub allowed: Millis,
    /// The most that one of them used.
    pub worst: Millis,
    /// The period is over.
    pub over: bool,
}

impl Measured {
    /// The level is not reached. Of nothing, everything is.
    pub fn missed(&self) -> bool {
        match &self.target.level {
            _ if self.counted == 0 => false,
            Level::Share(least) => u128::from(self.met) * 1_000_000 < u128::from(self.counted) * u128::from(*least),
            Level::Average(_) | Level::AverageOf(_) => self.used > self.allowed,
        }
    }
}

/// How one duty bears on its obligation's level.
#[derive(Clone, Debug)]
struct Verdict {
    partner: String,
    rule: RuleId,
    at: Moment,
    met: bool,
    used: Millis,
    allowed: Millis,
}

/// The net of the verdicts of all duties whose obligation has a target.
#[derive(Debug, Default)]
pub(super) struct Levels {
    verdicts: BTreeMap<DutyId, Verdict>,
}

impl Levels {
    /// None: no obligation has a target.
    pub(super) fn of(book: &Book) -> Option<Levels> {
        book.rules().iter().any(|rule| rule.target.is_some()).then(Levels::default)
    }

    /// Takes in what was told of one duty.
    pub(super) fn take(&mut self, book: &Book, partner: &str, subject: &str, d: &Difference) {
        let family = book.rule(d.rule);
        let Some((id, target)) = in_force(book, d) else { return };
        let duty = DutyId::of(partner, &family.contract, &family.id, subject, d.key);
        let at = match (&target.level, d.to) {
            (_, Standing::Met) => Some(d.ended),
            (Level::Share(_), Standing::MetLate | Standing::Breached) => Some(d.deadline),
            (Level::Average(_) | Level::AverageOf(_), Standing::MetLate) => Some(d.ended),
            // What is waived is left out of the ratio, never of the ledger.
            (
                _,
                Standing::Untold
                | Standing::Open
                | Standing::Paused
                | Standing::Breached
                | Standing::Waived
                | Standing::Cancelled
                | Standing::Exempt
                | Standing::Withdrawn
                | Standing::Unknown,
            ) => None,
        };
        match at {
            Some(at) => {
                let met = d.to == Standing::Met;
                let allowed = allowed(book, id, target, d.start);
                let partner = partner.to_owned();
                self.verdicts.insert(duty, Verdict { partner, rule: id, at, met, used: d.used, allowed });
            }
            None => {
                self.verdicts.remove(&duty);
            }
        }
    }

    /// The levels of all periods in which something counted.
    pub(super) fn measured(self, book: &Book, until: Moment) -> Vec<Measured> {
        let mut out: BTreeMap<(String, String, String, Moment), Measured> = BTreeMap::new();
        for verdict in self.verdicts.into_values() {
            let rule = book.rule(verdict.rule);
            let Some(target) = &rule.target else { continue };
            let Some((from, to)) = period(target.each, rule.zone, verdict.at) else { continue };
            let key = (verdict.partner.clone(), rule.contract.clone(), rule.id.clone(), from);
            let row = out.entry(key).or_insert_with(|| Measured {
                partner: verdict.partner,
                contract: rule.contract.clone(),
                obligation: rule.id.clone(),
                clause: rule.clause.clone(),
                from,
                to,
                target: target.clone(),
                counted: 0,
                met: 0,
                used: 0,
                allowed: 0,
                worst: 0,
                over: to <= until,
            });
            row.counted += 1;
            row.met += u64::from(verdict.met);
            row.used += verdict.used;
            row.allowed = row.allowed.saturating_add(verdict.allowed);
            row.worst = row.worst.max(verdict.used);
        }
        out.into_values().collect()
    }
}

/// What an average lets one duty use: days come to what they come to as a limit of that duty, by its first calendar.
fn allowed(book: &Book, id: RuleId, target: &Target, start: Moment) -> Millis {
    let span = match &target.level {
        Level::Share(_) => return 0,
        Level::Average(most) => return *most,
        Level::AverageOf(span) => span,
    };
    let rule = book.rule(id);
    let limits = match &rule.form {
        Form::Within { limits, .. } | Form::Every { limits, .. } => limits.as_slice(),
        Form::Requires(_) => &[],
    };
    let calendar = limits.first().map_or(0, |limit| limit.calendar);
    match limits::target(span, calendar, book.calendar(calendar), rule.zone, start) {
        limits::Target::Length(ms, _) => ms,
        limits::Target::Fixed(at) => (at - start).max(0),
    }
}

/// The version of the obligation that was in force when the duty began, if it has a target.
fn in_force<'b>(book: &'b Book, d: &Difference) -> Option<(RuleId, &'b Target)> {
    let (mut id, mut rule): (RuleId, &Rule) = (d.rule, book.rule(d.rule));
    while let Some((_, next)) = rule.next.filter(|(since, _)| *since <= d.start) {
        (id, rule) = (next, book.rule(next));
    }
    rule.target.as_ref().map(|target| (id, target))
}
