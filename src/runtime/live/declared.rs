//! Breaches that are declared, and since when they could have been: how late Onus itself is.

use hashbrown::HashMap;
use onus_engine::engine::{Difference, Engine};
use onus_engine::identity::DutyId;
use onus_engine::rule::RuleId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Declaring {
    /// Told unknown in this step of time, and whether they had been told before.
    unknown: HashMap<(u32, RuleId, u64), (Moment, bool)>,
    /// Since when, and whose.
    pub(super) declared: Vec<(Moment, DutyId)>,
}

impl Declaring {
    /// Notes what is told of one duty: a breach could be told from its deadline on; where a feed was behind, from when that
    /// had been heard beyond it. What nobody knew of before its deadline could be told no sooner than it was known.
    pub(super) fn note(&mut self, engine: &Engine, subject: &str, d: &Difference) {
        let of = (d.partner, d.rule, d.key);
        let since = match (d.from, d.to) {
            (from, Standing::Unknown) => {
                self.unknown.insert(of, (d.at, from != Standing::Untold));
                return;
            }
            (Standing::Open | Standing::Paused, Standing::Breached) => d.deadline,
            // A step of time first sees the deadline pass, and then how far was heard.
            (Standing::Unknown, Standing::Breached) => match self.unknown.get(&of) {
                Some((at, false)) if *at == d.at => return,
                Some((at, true)) if *at == d.at => d.deadline,
                Some(_) | None => d.at,
            },
            _ => return,
        };
        let rule = engine.book().rule(d.rule);
        let partner = engine.partner_name(d.partner);
        self.declared.push((since, DutyId::of(partner, &rule.contract, &rule.id, subject, d.key)));
    }

    /// The step of time is over.
    pub(super) fn pause(&mut self) {
        self.unknown.clear();
    }
}
