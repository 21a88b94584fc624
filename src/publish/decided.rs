//! An entry of the ledger as JSON: docs/seams.md, section 11.

use crate::store::Entry;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde::ser::{SerializeMap, Serializer};
use serde::{Serialize, ser};
use std::fmt::Display;

/// Written field by field: very many are told.
pub struct Decided<'a>(pub &'a Entry);

struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Decided<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.fields(&mut map)?;
        map.end()
    }
}

impl Decided<'_> {
    /// Its fields, for an object that has others besides.
    pub fn fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let entry = self.0;
        map.serialize_entry("number", &entry.number)?;
        map.serialize_entry("partner", &entry.under.partner)?;
        map.serialize_entry("contract", &entry.under.contract)?;
        map.serialize_entry("obligation", &entry.under.obligation)?;
        map.serialize_entry("clause", &entry.under.clause)?;
        map.serialize_entry("subject", &entry.subject)?;
        map.serialize_entry("duty", &Shown(entry.duty()))?;
        map.serialize_entry("from", entry.from.word())?;
        map.serialize_entry("to", entry.to.word())?;
        map.serialize_entry("start", &Shown(entry.start))?;
        map.serialize_entry("deadline", &entry.deadline.map(Shown))?;
        map.serialize_entry("ended_at", &entry.ended.map(Shown))?;
        map.serialize_entry("broken", &entry.broken)?;
        map.serialize_entry("excused", &entry.excused)?;
        map.serialize_entry("disputed", &entry.disputed)?;
        map.serialize_entry("blind", &blind(entry))?;
        map.serialize_entry("adjustment", &entry.adjustment)?;
        map.serialize_entry("used_ms", &entry.used)?;
        map.serialize_entry("at", &Shown(entry.at))?;
        map.serialize_entry("heard", &Shown(entry.heard))
    }

    /// As a tree, for documents made of many things.
    pub fn value(&self) -> serde_json::Value {
        // Texts, numbers and flags: nothing in it can fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Breached though not everything up to the deadline was heard: the silence was the obligor's own.
fn blind(entry: &Entry) -> bool {
    let known = entry.deadline.is_none_or(|deadline: Moment| match entry.ended {
        // A finding is certain from its own instant on, a deadline only after it.
        Some(_) => entry.heard >= deadline,
        None => entry.heard > deadline,
    });
    entry.to == Standing::Breached && !known
}
