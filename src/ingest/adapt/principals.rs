//! On whose side people and programs are. Vendors do not say it, and what a pause or an approval is worth rests on it: the
//! customer says it, in the settings, by patterns of the names under which its tools know them.

use super::event::{Event, Value};
use onus_engine::rule::glob;

/// Patterns with `*`, by side.
#[derive(Clone, Debug, Default)]
pub(super) struct Principals {
    pub(super) customer: Vec<String>,
    pub(super) partner: Vec<String>,
}

impl Principals {
    /// Says on whose side whoever did it is; of an approval, whoever it is the approval of. Who stands on both, or on none,
    /// is unknown: nobody is taken for the customer by default.
    pub(super) fn mark(&self, event: &mut Event) {
        if self.customer.is_empty() && self.partner.is_empty() {
            return;
        }
        let name = |field: &str| match event.field(field) {
            Some(Value::Text(name)) => Some(name.as_str()),
            _ => None,
        };
        let Some(side) = name("approver").or_else(|| name("actor")).and_then(|name| self.side(name)) else { return };
        match event.data.iter_mut().find(|(field, _)| *field == "side") {
            Some((_, said)) => *said = Value::from(side),
            None => event.data.push(("side".into(), Value::from(side))),
        }
    }

    fn side(&self, name: &str) -> Option<&'static str> {
        let among = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, name));
        match (among(&self.customer), among(&self.partner)) {
            (true, false) => Some("customer"),
            (false, true) => Some("partner"),
            _ => None,
        }
    }
}
