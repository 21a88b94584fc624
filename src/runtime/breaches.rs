//! Which breaches and findings stand: the net of everything that was told.

use super::report::Breach;
use indexmap::IndexMap;
use onus_engine::engine::Difference;
use onus_engine::identity::DutyId;
use onus_engine::rule::{Rule, RuleId};
use onus_engine::standing::Standing;
use std::collections::HashMap;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Breaches {
    standing: IndexMap<DutyId, Breach>,
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
            self.standing.swap_remove(&duty);
            return;
        }
        let Names { partner, contract, obligation, clause } =
            self.names.entry((told.partner, told.rule)).or_insert_with(|| Names::of(partner, rule)).clone();
        let breach = Breach {
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
        };
        self.standing.insert(duty, breach);
    }

    /// All that stand, in no order.
    pub(super) fn into_all(self) -> impl Iterator<Item = Breach> {
        self.standing.into_values()
    }
}

impl Names {
    fn of(partner: &str, rule: &Rule) -> Names {
        let [partner, contract, obligation, clause] =
            [partner, &rule.contract, &rule.id, &rule.clause].map(Arc::<str>::from);
        Names { partner, contract, obligation, clause }
    }
}
