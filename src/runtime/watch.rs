//! Watches what a run tells: counts of the duties that began at or after an instant, and how certain duties stood last.

use onus_engine::engine::{Difference, Engine, Tally};
use onus_engine::identity::DutyId;
use onus_engine::rule::RuleId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What to watch for.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// Count only duties that began at this instant or later; None: the engine's own counts will do.
    pub(super) since: Option<Moment>,
    /// Duties whose last state is to be kept.
    pub(super) wanted: Arc<BTreeSet<DutyId>>,
}

/// How a duty stood when it was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// How it stands.
    pub standing: Standing,
    /// Counting from.
    pub start: Moment,
    /// Deadline, or the instant of the breach; None while there is none.
    pub deadline: Option<Moment>,
    /// None while open.
    pub ended: Option<Moment>,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    plan: Plan,
    /// How each duty stands in `counts`, and whether it broke: the start of a duty may move over the instant.
    counted: HashMap<DutyId, (Standing, bool)>,
    /// By partner and obligation (first version).
    counts: BTreeMap<(String, RuleId), Tally>,
    /// The wanted duties that were told.
    pub(super) states: BTreeMap<DutyId, State>,
}

impl Watch {
    pub(super) fn new(plan: &Plan) -> Watch {
        Watch { plan: plan.clone(), ..Watch::default() }
    }

    /// Takes note of one change.
    pub(super) fn note(&mut self, partner: &str, duty: DutyId, d: &Difference) {
        if self.plan.wanted.contains(&duty) {
            let state = State { standing: d.to, start: d.start, deadline: d.deadline.known(), ended: d.ended.known() };
            self.states.insert(duty, state);
        }
        let Some(since) = self.plan.since else { return };
        let is =
            (d.start >= since && d.to != Standing::Withdrawn).then_some((d.to, d.broken && d.to != Standing::Unknown));
        let was = match is {
            Some(is) => self.counted.insert(duty, is),
            None => self.counted.remove(&duty),
        };
        if was == is {
            return;
        }
        let tally = self.counts.entry((partner.to_owned(), d.rule)).or_default();
        for (how, by) in [(was, -1), (is, 1)] {
            if let Some((standing, broken)) = how {
                tally.standings[standing as usize] += by;
                tally.broken += if broken { by } else { 0 };
            }
        }
    }

    /// Counts of an obligation, by its first version.
    pub(super) fn tally(&self, engine: &Engine, partner: &str, rule: RuleId) -> Tally {
        match self.plan.since {
            Some(_) => self.counts.get(&(partner.to_owned(), rule)).copied().unwrap_or_default(),
            None => engine.tally(partner, rule),
        }
    }
}
