//! An entry of the ledger as an event of CloudEvents 1.0: docs/seams.md, section 15.

use super::decided::Decided;
use crate::store::Entry;
use onus_engine::standing::Standing;
use serde::ser::SerializeMap;
use serde::{Serialize, ser};

/// Structured, as JSON.
pub struct Event<'a>(pub &'a Entry);

impl Event<'_> {
    /// The same for the same entry, whoever tells it: a receiver that knows it has heard it.
    pub fn id(&self) -> String {
        let entry = self.0;
        format!("{}/{}/{}", entry.duty(), entry.to.word(), entry.start)
    }

    /// `onus.duty.` and how the duty stands.
    pub fn kind(&self) -> String {
        format!("onus.duty.{}", self.0.to.word())
    }

    /// As text.
    pub fn text(&self) -> String {
        // Texts, numbers and flags: nothing in it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id())?;
        map.serialize_entry("source", "/onus")?;
        map.serialize_entry("type", &self.kind())?;
        map.serialize_entry("subject", &entry.subject)?;
        map.serialize_entry("time", &entry.at.to_string())?;
        map.serialize_entry("partner", &entry.under.partner)?;
        map.serialize_entry("datacontenttype", "application/json")?;
        map.serialize_entry("data", &Decided(entry))?;
        map.end()
    }
}

/// A breach, or what becomes of one: done late, waived, taken back.
pub fn of_a_breach(entry: &Entry) -> bool {
    let late = |standing: Standing| matches!(standing, Standing::Breached | Standing::MetLate);
    late(entry.to) || late(entry.from)
}
