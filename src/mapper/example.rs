//! What a mapper's own examples say: records, and what becomes of each.

use serde_json::Value;

/// Records that are read one after another, from nothing.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The line that it begins on.
    pub line: u32,
    /// The records, in order.
    pub records: Vec<Sample>,
}

/// One record, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The line that it begins on.
    pub line: u32,
    /// Its bytes, as text; None: a tombstone.
    pub value: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// When the broker took it.
    pub received: Option<onus_engine::time::Moment>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It tells exactly these events, in this order.
    Tells(Vec<Want>),
    /// It is passed over, for this reason.
    Skips(String),
    /// It cannot be read, for this reason.
    Fails(String),
}

/// An event as an example wants it. What is not named is not compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    /// Attributes by name: type, time, subject and the like.
    pub says: Vec<(String, Value)>,
    /// Fields of its data by name; null: null, or not there.
    pub data: Vec<(String, Value)>,
}
