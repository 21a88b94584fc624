//! Which breaches and findings stand: the net of everything that was told.

use super::report::Breach;
use hashbrown::HashTable;
use onus_engine::engine::Difference;
use onus_engine::identity::DutyId;
use onus_engine::rule::{Rule, RuleId};
use onus_engine::standing::Standing;
use std::collections::HashMap;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaches {
    list: Vec<Breach>,
    /// By duty: places in the list.
    places: HashTable<u32>,
    /// What all breaches of a partner's obligation have in common is there once.
    names: HashMap<(u32, RuleId), Names>,
}

#[derive(Clone, Debug)]
struct Names {
    partner: Arc<str>,
    contract: Arc<str>,
    obligation: Arc<str>,
    clause: Arc<str>,
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
        let Names { partner, contract, obligation, clause } =
            self.names.entry((told.partner, told.rule)).or_insert_with(|| Names::of(partner, rule)).clone();
        self.put(Breach {
            partner,
            obligation,
            breached_at: told.deadline,
            subject: subject.to_owned(),
            duty,
            clause,
            started: told.start,
            ended: told.ended.known(),
            waived: told.to == Standing::Waived,
            contract,
            standing: told.to,
            excused: told.excused,
        });
    }

    fn put(&mut self, breach: Breach) {
        let duty = breach.duty;
        match self.places.find(hash(duty), |at| self.list[*at as usize].duty == duty) {
            Some(at) => self.list[*at as usize] = breach,
            None => {
                self.list.push(breach);
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
    pub(super) fn into_all(self) -> Vec<Breach> {
        self.list
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
    use onus_engine::time::Moment;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn breach(duty: DutyId) -> Breach {
        let none: Arc<str> = Arc::from("");
        Breach {
            partner: Arc::clone(&none),
            obligation: Arc::clone(&none),
            breached_at: Moment(0),
            subject: String::new(),
            duty,
            clause: Arc::clone(&none),
            started: Moment(0),
            ended: None,
            waived: false,
            contract: none,
            standing: Standing::Breached,
            excused: false,
        }
    }

    proptest! {
        /// Told to stand and taken back in any order, those stand that were told last to stand.
        #[test]
        fn what_was_taken_back_is_gone_and_the_rest_is_there(told in prop::collection::vec((0..12u8, any::<bool>()), 0..80)) {
            let (mut breaches, mut model) = (Breaches::default(), BTreeSet::new());
            for (name, stands) in told {
                let duty = DutyId([name; 16]);
                if stands {
                    breaches.put(breach(duty));
                    model.insert(duty);
                } else {
                    breaches.remove(duty);
                    model.remove(&duty);
                }
                prop_assert_eq!(breaches.places.len(), model.len());
            }
            let all = breaches.into_all();
            prop_assert_eq!(all.len(), model.len());
            prop_assert_eq!(all.into_iter().map(|one| one.duty).collect::<BTreeSet<_>>(), model);
        }
    }
}
