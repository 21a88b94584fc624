//! What a mapper says, as plain data: which records it takes, where in them stands what, and what they tell. It decides
//! nothing. [`crate::contract`] reads it from YAML, the adapters in [`crate::ingest`] act by it; neither knows the other.

mod example;
mod path;
mod pattern;

pub use example::{Example, Outcome, Sample, Want};
pub use path::{BadPath, Path, Step};
pub use pattern::Pattern;

use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};

/// One source, described.
#[derive(Clone, Debug)]
pub struct Mapper {
    /// What it is called.
    pub name: String,
    /// Which records it takes.
    pub takes: Takes,
    /// The list in a record whose items are each read by themselves; None: the record itself.
    pub each: Option<Path>,
    /// The record's own id.
    pub id: Path,
    /// What tells two states of one record apart.
    pub order: Option<Order>,
    /// What a record is.
    pub reading: Reading,
    /// In a log: when it happened. Of rows: when the row was written.
    pub time: Option<Clock>,
    /// What it is about.
    pub subject: Place,
    /// Whose it is.
    pub partner: Place,
    /// What makes copies of one fact from several feeds one, beside its type and subject: a version.
    pub factkey: Option<Place>,
    /// Who did it.
    pub actor: Option<Actor>,
    /// Other subjects that it names, by kind.
    pub links: Vec<(String, Place)>,
    /// What else is told.
    pub data: Vec<Field>,
    /// What holds for events of one type, by type.
    pub events: BTreeMap<String, Telling>,
    /// Its tests.
    pub examples: Vec<Example>,
    /// Of all that changes what is told: not of remarks, places and examples.
    pub digest: [u8; 32],
}

/// Which records are taken.
#[derive(Clone, Debug, Default)]
pub struct Takes {
    /// Names of topics, or their beginnings with `*`; none: any.
    pub topics: Vec<String>,
    /// Tests of fields; all must hold.
    pub tests: Vec<(Path, Test)>,
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It says one of these words.
    OneOf(BTreeSet<String>),
    /// It says something, or it doesn't.
    Exists(bool),
}

/// What a record is.
#[derive(Clone, Debug)]
pub enum Reading {
    /// Something that happened: one event.
    Log(Kind),
    /// Something as it is now: events follow from the difference.
    Rows(States),
}

/// Of which type a log's event is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Always this.
    Fixed(String),
    /// By what stands there; None: it tells nothing.
    Table(Vec<Path>, BTreeMap<String, Option<String>>),
}

/// How rows stand, and what it tells.
#[derive(Clone, Debug)]
pub struct States {
    /// Where the state stands.
    pub state: Place,
    /// What a row tells that is seen for the first time, by its state.
    pub first: BTreeMap<String, Vec<String>>,
    /// What changes tell; the first that fits holds.
    pub changes: Vec<Change>,
    /// In these nothing more is expected: a row that stands so is forgotten once its settling time is over.
    pub over: BTreeSet<String>,
}

/// What changes from some states to others tell.
#[derive(Clone, Debug)]
pub struct Change {
    /// From these; None: from any.
    pub from: Option<BTreeSet<String>>,
    /// To these; None: to any.
    pub to: Option<BTreeSet<String>>,
    /// Event types, in order; none: nothing.
    pub tells: Vec<String>,
}

impl Change {
    /// Whether it speaks of this change.
    pub fn fits(&self, from: &str, to: &str) -> bool {
        let has = |set: &Option<BTreeSet<String>>, state: &str| set.as_ref().is_none_or(|set| set.contains(state));
        has(&self.from, from) && has(&self.to, to)
    }
}

/// What tells two states of one record apart.
#[derive(Clone, Debug)]
pub enum Order {
    /// A whole number that grows.
    Count(Path),
    /// A time that grows.
    Time(Clock),
}

/// Where a word stands, and what becomes of it.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Looked at in turn: the first that says something.
    pub from: Vec<Path>,
    /// Always this.
    pub fixed: Option<String>,
    /// Word for word; what is not in it has no meaning.
    pub table: Option<BTreeMap<String, String>>,
    /// The whole word matches.
    pub like: Option<Pattern>,
}

/// Where a time stands, and how it is written.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Looked at in turn: the first that says something.
    pub from: Vec<Path>,
    /// How it is written.
    pub form: Form,
    /// How exact it is; None: as exact as it is written.
    pub quality: Option<Quality>,
}

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `2026-03-02T08:04:11Z`.
    Rfc3339,
    /// Seconds since 1970.
    EpochSeconds,
    /// Milliseconds since 1970.
    EpochMs,
    /// `2026-03-02 08:04:11` on the clocks of a zone.
    Local(Tz),
    /// `2026-03-02`: the day's first instant in a zone.
    StartOfDay(Tz),
    /// `2026-03-02`: the next day's first instant in a zone.
    EndOfDay(Tz),
}

/// How exact a time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// When it happened.
    Exact,
    /// It had happened by then.
    UpperBound,
    /// When somebody received it.
    Received,
}

/// Who did it.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Looked at in turn: the first that says something.
    pub from: Vec<Path>,
    /// Names that stand for nobody.
    pub nobody: BTreeSet<String>,
    /// What those are who have a name: human, app, service, unknown.
    pub kind: &'static str,
}

/// A field of an event's data.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// A record without it cannot be read.
    pub required: bool,
    /// What stands there.
    pub shape: Shape,
}

/// What stands in a field.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A word or a text.
    Text(Place),
    /// A whole number.
    Number(Vec<Path>),
    /// True or false.
    Truth(Vec<Path>),
    /// An instant.
    Time(Clock),
    /// Words.
    List(Place),
    /// References to evidence.
    Evidence(Evidence),
}

/// Where a list of evidence stands: objects, of which two members are copied.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Looked at in turn: the first that says something.
    pub from: Vec<Path>,
    /// Of each: where it is.
    pub uri: Path,
    /// Of each: its digest.
    pub sha256: Option<Path>,
}

/// What holds for events of one type.
#[derive(Clone, Debug, Default)]
pub struct Telling {
    /// When it happened. Of rows: the evidence that proves it.
    pub time: Option<Clock>,
    /// Who did it.
    pub actor: Option<Actor>,
    /// What else is told, before what all events tell.
    pub data: Vec<Field>,
}

impl Mapper {
    /// All types that it may tell.
    pub fn types(&self) -> BTreeSet<&str> {
        match &self.reading {
            Reading::Log(Kind::Fixed(kind)) => BTreeSet::from([kind.as_str()]),
            Reading::Log(Kind::Table(_, table)) => table.values().flatten().map(String::as_str).collect(),
            Reading::Rows(states) => {
                let changes = states.changes.iter().map(|change| &change.tells);
                states.first.values().chain(changes).flatten().map(String::as_str).collect()
            }
        }
    }
}
