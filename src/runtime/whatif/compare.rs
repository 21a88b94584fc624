//! Two runs held against each other.

use super::terms::Taken;
use crate::runtime::check::Breach as Broken;
use crate::runtime::check::{Report, Row};
use crate::runtime::watch::State;
use onus_engine::engine::Tally;
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::terms::{Contract, PartnerPattern};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// What a run found.
#[derive(Debug)]
pub struct Side<'r> {
    rows: BTreeMap<Key<'r>, &'r Row>,
    breaches: &'r [Broken],
    contracts: &'r [Contract],
    states: BTreeMap<DutyId, State>,
}

/// Partner, contract, obligation.
type Key<'r> = (&'r str, &'r str, &'r str);

/// One obligation of one partner, under both.
#[derive(Clone, Debug)]
pub struct Line {
    /// Partner.
    pub partner: String,
    /// Contract.
    pub contract: String,
    /// Obligation.
    pub obligation: String,
    /// Clause: of the new text, else of today's.
    pub clause: String,
    /// In the new text only, or in today's only.
    pub change: Change,
    /// Counts under today's terms, and under the new ones.
    pub counts: [Tally; 2],
    /// Breaches that would be gone.
    pub vanish: usize,
    /// Breaches that would be new.
    pub appear: usize,
    /// Breaches that would be at another instant.
    pub moves: usize,
}

/// What becomes of an obligation, or of a breach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// In both.
    Same,
    /// Under today's only.
    Vanishes,
    /// Under the new terms only.
    Appears,
    /// In both, at another instant.
    Moves,
}

/// A breach that is not the same under both.
#[derive(Clone, Debug)]
pub struct Breach {
    /// What becomes of it.
    pub change: Change,
    /// Partner.
    pub partner: String,
    /// Contract.
    pub contract: String,
    /// Obligation.
    pub obligation: String,
    /// Clause.
    pub clause: String,
    /// Subject.
    pub subject: String,
    /// The duty's id; where it is another one under the new terms, that of today.
    pub duty: DutyId,
    /// How the duty stands under today's terms, and under the new ones; None: there is none.
    pub states: [Option<State>; 2],
    /// Why it is not the same, in words.
    pub reason: String,
}

impl Line {
    /// Not the same under both.
    pub fn differs(&self) -> bool {
        let shown = |tally: &Tally| {
            let of: Vec<i64> = shown_standings().map(|standing| tally.of(standing)).collect();
            (of, tally.broken)
        };
        self.change != Change::Same
            || shown(&self.counts[0]) != shown(&self.counts[1])
            || self.vanish + self.appear + self.moves > 0
    }

    /// Duties under today's terms, and under the new ones.
    pub fn duties(&self) -> [i64; 2] {
        self.counts.map(|tally| shown_standings().map(|standing| tally.of(standing)).sum())
    }
}

/// Those that a duty may have: what was never told or no longer follows is none.
fn shown_standings() -> impl Iterator<Item = Standing> {
    Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Withdrawn))
}

impl<'r> Side<'r> {
    pub(super) fn of(report: &'r Report, contracts: &'r [Contract], states: BTreeMap<DutyId, State>) -> Side<'r> {
        let key = |row: &'r Row| (row.partner.as_str(), row.contract.as_str(), row.obligation.as_str());
        let rows = report.obligations.iter().map(|row| (key(row), row)).collect();
        Side { rows, breaches: &report.breaches, contracts, states }
    }

    /// Whether a version that is in force at or after `from` has this obligation for this partner.
    fn owes(&self, (partner, contract, obligation): Key<'_>, from: Moment) -> bool {
        let binds = |c: &&Contract| {
            c.name == contract
                && c.partners.iter().any(|pattern| match pattern {
                    PartnerPattern::Exact(name) => name == partner,
                    PartnerPattern::Prefix(stem) => partner.starts_with(stem.as_str()),
                })
        };
        let versions = || self.contracts.iter().filter(binds);
        versions().any(|version| {
            let next = versions().map(|other| other.effective).filter(|at| *at > version.effective).min();
            next.is_none_or(|next| next > from) && version.obligations.iter().any(|o| o.id == obligation)
        })
    }
}

/// Lines, breaches that are not the same, and how many are.
pub(super) fn compare(sides: &[Side<'_>; 2], taken: &[Taken]) -> (Vec<Line>, Vec<Breach>, usize) {
    let (mut breaches, same) = shifted(sides);
    let keys: BTreeSet<Key<'_>> = sides.iter().flat_map(|side| side.rows.keys().copied()).collect();
    let mut lines = Vec::new();
    for key in keys {
        let rows = sides.each_ref().map(|side| side.rows.get(&key).copied());
        let from = taken.iter().filter(|t| t.contract == key.1).map(|t| t.from).max().unwrap_or(Moment::DAWN);
        let change = match sides.each_ref().map(|side| side.owes(key, from)) {
            [false, true] => Change::Appears,
            [true, false] => Change::Vanishes,
            [true, true] | [false, false] => Change::Same,
        };
        let of = |change: Change| {
            let same = |b: &&Breach| (b.partner.as_str(), b.contract.as_str(), b.obligation.as_str()) == key;
            breaches.iter().filter(same).filter(|b| b.change == change).count()
        };
        let line = Line {
            partner: key.0.to_owned(),
            contract: key.1.to_owned(),
            obligation: key.2.to_owned(),
            clause: rows[1].or(rows[0]).map(|row| row.clause.clone()).unwrap_or_default(),
            change,
            counts: rows.map(|row| row.map(|row| row.tally).unwrap_or_default()),
            vanish: of(Change::Vanishes),
            appear: of(Change::Appears),
            moves: of(Change::Moves),
        };
        if change == Change::Vanishes || change == Change::Appears {
            let here = |b: &&mut Breach| (b.partner.as_str(), b.contract.as_str(), b.obligation.as_str()) == key;
            let why = if change == Change::Vanishes {
                "the new terms have no such obligation"
            } else {
                "today's terms have no such obligation"
            };
            breaches.iter_mut().filter(here).for_each(|b| b.reason = why.to_owned());
        }
        lines.push(line);
    }
    (lines, breaches, same)
}

/// Breaches by duty; what is left over on both sides is matched by obligation and subject, in order of beginning: a duty
/// that begins with another's breach has another name when that breach is elsewhere.
fn shifted(sides: &[Side<'_>; 2]) -> (Vec<Breach>, usize) {
    let by_id = sides.each_ref().map(|side| side.breaches.iter().map(|b| (b.duty, b)).collect::<BTreeMap<_, _>>());
    let mut same = 0;
    let mut pairs: Vec<[Option<&Broken>; 2]> = Vec::new();
    let mut left: BTreeMap<(Key<'_>, &str), [Vec<&Broken>; 2]> = BTreeMap::new();
    for (at, side) in sides.iter().enumerate() {
        for breach in side.breaches {
            match by_id[1 - at].get(&breach.duty) {
                Some(_) if at == 1 => {}
                Some(other) if other.breached_at == breach.breached_at => same += 1,
                Some(other) => pairs.push([Some(breach), Some(other)]),
                None => {
                    let key = (&*breach.partner, &*breach.contract, &*breach.obligation);
                    left.entry((key, &breach.subject)).or_default()[at].push(breach);
                }
            }
        }
    }
    for mut both in left.into_values() {
        both.iter_mut().for_each(|side| side.sort_by_key(|b| (b.started, b.breached_at, b.duty)));
        let [before, after] = both;
        for n in 0..before.len().max(after.len()) {
            match (before.get(n), after.get(n)) {
                (Some(a), Some(b)) if a.breached_at == b.breached_at => same += 1,
                (a, b) => pairs.push([a.copied(), b.copied()]),
            }
        }
    }
    let mut breaches: Vec<Breach> = pairs.into_iter().filter_map(|pair| told(pair, sides)).collect();
    breaches.sort_by(|a, b| {
        let key = |x: &Breach| {
            (
                x.change,
                x.partner.clone(),
                x.contract.clone(),
                x.obligation.clone(),
                x.states[0].or(x.states[1]).map(|s| s.start),
                x.subject.clone(),
                x.duty,
            )
        };
        key(a).cmp(&key(b))
    });
    (breaches, same)
}

fn told(pair: [Option<&Broken>; 2], sides: &[Side<'_>; 2]) -> Option<Breach> {
    let either = pair[0].or(pair[1])?;
    let state = |at: usize| match pair[at] {
        Some(b) => {
            Some(State { standing: b.standing, start: b.started, deadline: Some(b.breached_at), ended: b.ended })
        }
        None => sides[at].states.get(&either.duty).copied().filter(|s| s.standing != Standing::Withdrawn),
    };
    let states = [state(0), state(1)];
    let change = match pair {
        [Some(_), Some(_)] => Change::Moves,
        [Some(_), None] => Change::Vanishes,
        [None, _] => Change::Appears,
    };
    let reason = match change {
        Change::Vanishes => format!("under the new terms {}", unbroken(states[1])),
        Change::Appears => format!("under today's terms {}", unbroken(states[0])),
        Change::Moves => match (states[0].and_then(|s| s.deadline), states[1].and_then(|s| s.deadline)) {
            (Some(a), Some(b)) if a < b => "it breaks later".to_owned(),
            _ => "it breaks earlier".to_owned(),
        },
        Change::Same => String::new(),
    };
    Some(Breach {
        change,
        partner: either.partner.to_string(),
        contract: either.contract.to_string(),
        obligation: either.obligation.to_string(),
        clause: either.clause.to_string(),
        subject: either.subject.clone(),
        duty: either.duty,
        states,
        reason,
    })
}

/// How a duty stands that did not break.
fn unbroken(state: Option<State>) -> String {
    let Some(State { standing, deadline, .. }) = state else { return "there is no such duty".to_owned() };
    match standing {
        Standing::Met if deadline.is_some() => "it is done in time".to_owned(),
        Standing::Met => "it is done while its clock stood still".to_owned(),
        Standing::Open => "it is not due yet".to_owned(),
        Standing::Paused => "its clock stands still".to_owned(),
        Standing::Waived => "it is waived".to_owned(),
        Standing::Cancelled => "it ends without a verdict".to_owned(),
        Standing::Exempt => "no row of its table applies".to_owned(),
        Standing::Unknown => "it is unknown: not everything was heard".to_owned(),
        // Of a duty that stands so the breach would be listed.
        Standing::Breached | Standing::MetLate | Standing::Untold | Standing::Withdrawn => {
            "it is not broken".to_owned()
        }
    }
}
