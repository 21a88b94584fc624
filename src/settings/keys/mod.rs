//! Every setting, declared once: reader, default file and reference take it from here.

mod process;
mod sources;
mod told;
mod web;

pub(super) use sources::OURS;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// Files or folders.
    Paths,
    /// Texts.
    List,
    /// true or false.
    Bool,
    /// A whole number between these.
    Whole(i64, i64),
    /// A length of time between these, in milliseconds.
    Length(i64, i64),
    /// `none`, or a length of time between these.
    MaybeLength(i64, i64),
    /// `none`, or so many in a time, at most this number.
    MaybeRate(u64),
    /// A size of at most so many bytes.
    Size(u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `earliest`, `latest`, or an instant.
    Start,
    /// Names and texts of somebody else's.
    Open,
}

/// What holds where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// This, as TOML.
    Is(&'static str),
    /// Nothing; an example of a value, as TOML.
    Nothing(&'static str),
    /// It must be said; an example of a value, as TOML.
    Refused(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// With a dot for a table within the section.
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) absent: Absent,
    /// Kinds of source that have it; empty: all.
    pub(super) kinds: &'static [&'static str],
    pub(super) words: &'static str,
}

/// Settings that belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) words: &'static str,
    pub(super) keys: &'static [Key],
}

/// How a section is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[judge]`
    Once,
    /// `[kafka.NAME]`, as often as you like.
    Named,
    /// `[[source]]`, each with a `name`.
    Listed,
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const CENTURY: i64 = 36_525 * DAY;

const fn key(name: &'static str, shape: Shape, absent: Absent, words: &'static str) -> Key {
    Key { name, shape, absent, kinds: &[], words }
}

const fn of(kinds: &'static [&'static str], key: Key) -> Key {
    Key { kinds, ..key }
}

pub(super) const KINDS: &[&str] = &["kafka", "file", "stdin", "http"];
/// Adapters that there are (ingest/adapt), and a source's own; a test holds the list against theirs.
pub(super) const ADAPTERS: &[&str] =
    &["servicenow", "aws", "jira", "vault", "azure", "cyberark", "okta", "pagerduty", "mapper"];
pub(super) const CLOCKS: &[&str] = &["wall", "events"];
pub(super) const ROLES: &[&str] = &["all", "intake", "judge"];
pub(super) const TRUST: &[&str] = &["asserted", "shared", "system", "verified"];
pub(super) const OWNERS: &[&str] = &["partner", "customer"];
pub(super) const FORMATS: &[&str] = &["auto", "json", "confluent"];
pub(super) const MECHANISMS: &[&str] = &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

/// All of them, in the order in which they are shown.
pub(super) const SECTIONS: &[Section] = &[
    process::CONTRACTS,
    process::CATALOGUE,
    process::STORE,
    process::JUDGE,
    process::RUN,
    process::EXCHANGE,
    process::HTTP,
    process::DEAD_LETTERS,
    told::ALERTING,
    told::ALERTMANAGER,
    told::BREACHES,
    told::WEBHOOK,
    sources::REGISTRY,
    sources::KAFKA,
    sources::SOURCE,
];

/// A section by name.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}
