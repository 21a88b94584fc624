//! Duties of which little of the limit is left: warnings, as long as they are told to be at risk.
//!
//! They are not in the ledger: nothing was decided. What is at risk is told as a whole, again and again.

use super::ENDED_FOR;
use super::board::{About, Ended, GroupKey, Key, Notice, group_of};
use crate::store::Under;
use onus_engine::identity::DutyId;
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

/// One that is at risk.
#[derive(Clone, Debug)]
pub struct Risk {
    /// Which.
    pub duty: DutyId,
    /// Whose it is, and by what.
    pub under: Arc<Under>,
    /// What it is about.
    pub subject: String,
    /// When it is due.
    pub deadline: Moment,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Risks {
    warnings: BTreeMap<DutyId, Warning>,
    groups: BTreeMap<GroupKey, Group>,
    version: u64,
}

#[derive(Debug)]
struct Warning {
    risk: Risk,
    starts: Moment,
    ended: Option<Ended>,
    version: u64,
    since: Instant,
    many: bool,
}

/// Told as one.
#[derive(Debug)]
struct Group {
    under: Arc<Under>,
    starts: Moment,
    fire: u64,
    ended: Option<Ended>,
    version: u64,
    since: Instant,
}

impl Risks {
    /// These are at risk; `whole`: and no others. `mass`: so many of one obligation are warned of one by one.
    pub(super) fn take(
        &mut self,
        risks: Vec<Risk>,
        whole: bool,
        mass: usize,
        now: Moment,
        breached: impl Fn(DutyId) -> bool,
    ) {
        self.version += 1;
        let here: BTreeSet<DutyId> = risks.iter().map(|risk| risk.duty).collect();
        let mut singles: BTreeMap<GroupKey, usize> = BTreeMap::new();
        for (duty, warning) in self.warnings.iter_mut().filter(|(_, warning)| warning.ended.is_none()) {
            if whole && !here.contains(duty) {
                let why = match breached(*duty) {
                    true => "Breached: there is a page of its own.",
                    false => "At risk no more: done, paused, waived, or due later.",
                };
                warning.ended = Some(Ended { at: now, known: now, why: why.to_owned() });
                (warning.version, warning.since) = (self.version, Instant::now());
            } else if !warning.many {
                *singles.entry(group_of(&warning.risk.under)).or_default() += 1;
            }
        }
        let (known, new): (Vec<Risk>, Vec<Risk>) =
            risks.into_iter().partition(|r| self.warnings.get(&r.duty).is_some_and(|w| w.ended.is_none()));
        for risk in known {
            if let Some(warning) = self.warnings.get_mut(&risk.duty) {
                // What is said is how it is now; that it is said again takes no news.
                warning.risk.deadline = risk.deadline;
            }
        }
        for risk in &new {
            *singles.entry(group_of(&risk.under)).or_default() += 1;
        }
        for risk in new {
            let many = singles.get(&group_of(&risk.under)).is_some_and(|number| *number > mass);
            let warning =
                Warning { starts: now, ended: None, version: self.version, since: Instant::now(), many, risk };
            self.warnings.insert(warning.risk.duty, warning);
        }
        self.gather(now);
    }

    /// What is told as one.
    fn gather(&mut self, now: Moment) {
        let mut fire: BTreeMap<GroupKey, (u64, Arc<Under>)> = BTreeMap::new();
        for warning in self.warnings.values().filter(|warning| warning.many && warning.ended.is_none()) {
            fire.entry(group_of(&warning.risk.under)).or_insert_with(|| (0, Arc::clone(&warning.risk.under))).0 += 1;
        }
        let version = self.version;
        for (key, group) in &mut self.groups {
            if group.ended.is_none() && !fire.contains_key(key) {
                let why = "None of them is at risk any more: done, breached, or due later.".to_owned();
                group.ended = Some(Ended { at: now, known: now, why });
                (group.fire, group.version, group.since) = (0, version, Instant::now());
            }
        }
        for (key, (number, under)) in fire {
            let new = || Group { under, starts: now, fire: 0, ended: None, version, since: Instant::now() };
            let group = self.groups.entry(key).or_insert_with(new);
            if group.ended.take().is_some() {
                (group.starts, group.version, group.since) = (now, version, Instant::now());
            }
            group.fire = number;
        }
    }

    pub(super) fn tidy(&mut self, now: Moment) {
        let over = |ended: &Option<Ended>| ended.as_ref().is_some_and(|ended| now.0 >= ended.known.0 + ENDED_FOR);
        self.warnings.retain(|_, warning| !(over(&warning.ended) || warning.many && warning.ended.is_some()));
        self.groups.retain(|_, group| !over(&group.ended));
    }

    pub(super) fn notices(&self) -> impl Iterator<Item = Notice<'_>> {
        let single = self.warnings.values().filter(|warning| !warning.many).map(|warning| Notice {
            key: Key::Risk(warning.risk.duty),
            version: warning.version,
            entry: 0,
            under: &warning.risk.under,
            starts: warning.starts,
            ended: warning.ended.as_ref(),
            from: warning.starts,
            since: warning.since,
            about: About::Risk(warning.risk.duty, &warning.risk.subject, warning.risk.deadline),
        });
        single.chain(self.groups.iter().map(|(key, group)| Notice {
            key: Key::Risks(key.clone()),
            version: group.version,
            entry: 0,
            under: &group.under,
            starts: group.starts,
            ended: group.ended.as_ref(),
            from: group.starts,
            since: group.since,
            about: About::Risks(group.fire),
        }))
    }
}
