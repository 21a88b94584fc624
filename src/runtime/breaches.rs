//! Which breaches and findings stand: the net of everything that was told.

use super::report::Breach;
use hashbrown::{HashMap, HashTable};
use onus_engine::engine::Difference;
use onus_engine::identity::DutyId;
use onus_engine::rule::{Rule, RuleId};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaches {
    list: Vec<Told>,
    /// By duty: places in the list.
    places: HashTable<u32>,
    /// What all breaches of a partner's obligation have in common is there once.
    names: Vec<Names>,
    by_rule: HashMap<(u32, RuleId), u32>,
}

#[derive(Debug)]
struct Names {
    partner: Arc<str>,
    contract: Arc<str>,
    obligation: Arc<str>,
    clause: Arc<str>,
}

/// What is told of a breach, as long as it may be told otherwise.
#[derive(Debug)]
struct Told {
    duty: DutyId,
    subject: Box<str>,
    names: u32,
    last: Last,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    started: Moment,
    deadline: Moment,
    ended: Moment,
    standing: Standing,
    excused: bool,
}

impl Breaches {
    /// Takes in that a duty of this rule was told.
    #[inline]
    pub(super) fn take(&mut self, partner: &str, rule: &Rule, subject: &str, told: &Difference) {
        let stands = told.broken && !matches!(told.to, Standing::Withdrawn | Standing::Unknown);
        if !stands && !told.from.is_breach() && told.from != Standing::Waived {
            return;
        }
        let duty = DutyId::of(partner, &rule.contract, &rule.id, subject, told.key);
        if !stands {
            return self.remove(duty);
        }
        let names = *self.by_rule.entry((told.partner, told.rule)).or_insert_with(|| {
            self.names.push(Names::of(partner, rule));
            (self.names.len() - 1) as u32
        });
        let (standing, excused) = (told.to, told.excused);
        let last = Last { started: told.start, deadline: told.deadline, ended: told.ended, standing, excused };
        self.put(duty, subject, names, last);
    }

    fn put(&mut self, duty: DutyId, subject: &str, names: u32, last: Last) {
        match self.places.find(hash(duty), |at| self.list[*at as usize].duty == duty) {
            Some(at) => self.list[*at as usize].last = last,
            None => {
                self.list.push(Told { duty, subject: subject.into(), names, last });
                let list = &self.list;
                self.places.insert_unique(hash(duty), (list.len() - 1) as u32, |at| hash(list[*at as usize].duty));
            }
        }
    }

    fn remove(&mut self, duty: DutyId) {
        let list = &mut self.list;
        let Ok(entry) = self.places.find_entry(hash(duty), |at| list[*at as usize].duty == duty) else { return };
        let (at, _) = entry.remove();
        list.swap_remove(at as usize);
        // The last one lies there now.
        let (moved, was) = (list.get(at as usize), list.len() as u32);
        if let Some(place) = moved.and_then(|moved| self.places.find_mut(hash(moved.duty), |at| *at == was)) {
            *place = at;
        }
    }

    /// All that stand, in no order.
    pub(super) fn into_all(self) -> impl Iterator<Item = Breach> {
        let names = self.names;
        self.list.into_iter().map(move |Told { duty, subject, names: of, last }| {
            let Names { partner, contract, obligation, clause } = &names[of as usize];
            let name = Arc::clone;
            Breach {
                partner: name(partner),
                obligation: name(obligation),
                breached_at: last.deadline,
                subject: subject.into(),
                duty,
                clause: name(clause),
                started: last.started,
                ended: last.ended.known(),
                waived: last.standing == Standing::Waived,
                contract: name(contract),
                standing: last.standing,
                excused: last.excused,
            }
        })
    }
}

/// An id is a hash itself.
fn hash(duty: DutyId) -> u64 {
    duty.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

impl Names {
    fn of(partner: &str, rule: &Rule) -> Names {
        let [partner, contract, obligation, clause] =
            [partner, &rule.contract, &rule.id, &rule.clause].map(Arc::<str>::from);
        Names { partner, contract, obligation, clause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LAST: Last = Last {
        started: Moment(0),
        deadline: Moment(0),
        ended: Moment(0),
        standing: Standing::Breached,
        excused: false,
    };

    proptest! {
        /// Told to stand and taken back in any order, those stand that were told last to stand.
        #[test]
        fn what_was_taken_back_is_gone_and_the_rest_is_there(told in prop::collection::vec((0..12u8, any::<bool>()), 0..80)) {
            let (mut breaches, mut model) = (Breaches::default(), BTreeSet::new());
            for (name, stands) in told {
                let duty = DutyId([name; 16]);
                if stands {
                    breaches.put(duty, "", 0, LAST);
                    model.insert(duty);
                } else {
                    breaches.remove(duty);
                    model.remove(&duty);
                }
                prop_assert_eq!(breaches.places.len(), model.len());
            }
            prop_assert_eq!(breaches.list.len(), model.len());
            prop_assert_eq!(breaches.list.iter().map(|one| one.duty).collect::<BTreeSet<_>>(), model);
        }
    }
}
