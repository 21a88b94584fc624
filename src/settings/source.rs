//! Sources.

use super::problem::nearest;
use super::reading::{Part, Reader};
use super::secret::Secret;
use super::units::length_text;
use super::{Cluster, Http, Judge};
use onus_engine::terms::{Side, Trust};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// One source. Lengths are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// Its name: positions are stored under it.
    pub name: String,
    /// Where it is read.
    pub origin: Origin,
    /// What its records are wrapped in.
    pub format: Format,
    /// How its records become events; None: they are events.
    pub adapter: Option<AdapterSettings>,
    /// How far it is believed.
    pub trust: Trust,
    /// Whose it is, if that was said.
    pub owner: Option<Side>,
    /// Partners it may speak for, as patterns with `*`.
    pub partners: Vec<String>,
    /// Event types it may speak of, as patterns with `*`.
    pub types: Vec<String>,
    /// How long an act normally takes to reach us.
    pub transit: i64,
    /// How often it promises a sign of life; None: never.
    pub heartbeat: Option<i64>,
    /// How late its news may come.
    pub settling: i64,
    /// Slices that are taken of it in its turn, while other sources wait.
    pub share: u16,
    /// Records that are taken of it at most, and in how many milliseconds; None: as many as there is time for.
    pub quota: Option<(u64, i64)>,
    /// Whether `recordedtime` inside its events is believed.
    pub may_claim_time: bool,
}

/// How a vendor's records become events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSettings {
    /// The adapter's name.
    pub name: String,
    /// File of its tables.
    pub file: PathBuf,
}

/// Where a source is read.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// All partitions of a topic.
    Kafka {
        /// Name of the cluster.
        cluster: String,
        /// The topic.
        topic: String,
        /// Where to begin in partitions that were never read.
        start: Start,
    },
    /// A file of JSON lines.
    File {
        /// Where it is.
        path: PathBuf,
        /// It grows.
        follow: bool,
    },
    /// Standard input.
    Stdin,
    /// What is pushed to us.
    Http {
        /// Token of whoever pushes; None: it stands hashed in [`Http::tokens`].
        token: Option<Secret>,
    },
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest record that is kept.
    Earliest,
    /// With what comes from now on.
    Latest,
    /// With the first record that is not older.
    At(Moment),
}

/// What records are wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As each one shows.
    Auto,
    /// Nothing.
    Json,
    /// A schema registry's frame.
    Confluent,
}

pub(super) fn all(
    reader: &mut Reader<'_>,
    judge: &Judge,
    http: &Http,
    clusters: &BTreeMap<String, Cluster>,
) -> Vec<SourceSettings> {
    let section = super::declared("source");
    let mut all: Vec<SourceSettings> = Vec::new();
    for name in reader.names(section) {
        let part = &mut reader.part(section, Some(&name));
        let source = one(part, judge, http, clusters);
        let same = all.iter().find(|other| match (&other.origin, &source.origin) {
            (Origin::Kafka { cluster: a, topic: b, .. }, Origin::Kafka { cluster: c, topic: d, .. }) => {
                (a, b) == (c, d)
            }
            (Origin::File { path: a, .. }, Origin::File { path: b, .. }) => a == b,
            (Origin::Stdin, Origin::Stdin) => true,
            _ => false,
        });
        if let Some(other) = same {
            part.wrong(
                "kind",
                format!("source `{}` reads the same", other.name),
                "every record would be heard twice: take one out",
            );
        }
        all.push(source);
    }
    all
}

fn one(part: &mut Part<'_, '_>, judge: &Judge, http: &Http, clusters: &BTreeMap<String, Cluster>) -> SourceSettings {
    let name = part.text("name");
    if name != part.path["source.".len()..] && !name.is_empty() {
        part.wrong("name", "cannot be changed from outside", "the variable's second part is the source's name");
    }
    let origin = match part.kind().as_str() {
        "kafka" => kafka(part, clusters),
        "file" => Origin::File { path: part.maybe_path("path").unwrap_or_default(), follow: part.yes("follow") },
        "http" => {
            let token = part.file("token-file").map(Secret::new);
            if token.is_none() && http.tokens.is_none() && !part.has("token-file") {
                part.wrong("token-file", "must be said, or http.tokens-file", "nobody pushes events without a token");
            }
            Origin::Http { token }
        }
        _ => Origin::Stdin,
    };
    let format = format(part, &origin, clusters);
    let adapter = adapter(part);
    let trust = match part.text("trust").as_str() {
        "shared" => Trust::Shared,
        "system" => Trust::System,
        "verified" => Trust::Verified,
        _ => Trust::Asserted,
    };
    let owner = match part.maybe_text("owner").as_deref() {
        Some("partner") => Some(Side::Partner),
        Some("customer") => Some(Side::Customer),
        _ => None,
    };
    let (partners, types) = (some(part, "partners"), some(part, "types"));
    let transit = part.length("transit");
    let heartbeat = part.maybe_length("heartbeat");
    let own = part.maybe_length("settling");
    let settling = own.unwrap_or(judge.settling);
    if settling < transit {
        let remedy = format!("make it at least {}, or `transit` shorter", length_text(transit));
        let what = format!("{} is less than `transit`, {}", length_text(settling), length_text(transit));
        part.wrong(if own.is_some() { "settling" } else { "transit" }, what, remedy);
    }
    let share = u16::try_from(part.whole("share")).unwrap_or(1);
    let quota = part.maybe_rate("quota");
    let may_claim_time = part.yes("may-claim-time");
    SourceSettings {
        name,
        origin,
        format,
        adapter,
        trust,
        owner,
        partners,
        types,
        transit,
        heartbeat,
        settling,
        share,
        quota,
        may_claim_time,
    }
}

/// A frame around each record needs a source whose records may be any bytes, and a registry that knows its schemas.
fn format(part: &mut Part<'_, '_>, origin: &Origin, clusters: &BTreeMap<String, Cluster>) -> Format {
    let format = match part.text("format").as_str() {
        "json" => Format::Json,
        "confluent" => Format::Confluent,
        _ => Format::Auto,
    };
    if format != Format::Confluent {
        return format;
    }
    let reads = match origin {
        Origin::Kafka { cluster, .. } => {
            if clusters.get(cluster).is_some_and(|cluster| cluster.registry.is_none()) {
                let remedy = format!(
                    "write registry = \"NAME\" in [kafka.{cluster}], and a section [registry.NAME] with its url"
                );
                part.wrong("format", format!("the cluster `{cluster}` has no registry"), remedy);
            }
            return format;
        }
        Origin::File { .. } | Origin::Stdin => "lines of text, and a frame is bytes, among which a line's end may be",
        Origin::Http { .. } => "what is posted, and nobody posts frames: they are what serializers for Kafka write",
    };
    let remedy = "leave `format` out, and have JSON come here; or read the topic on which the frames lie, as a source of kind kafka";
    let what = format!("`confluent` is for topics: a source of kind {} reads {reads}", part.kind());
    part.wrong("format", what, remedy);
    format
}

fn adapter(part: &mut Part<'_, '_>) -> Option<AdapterSettings> {
    let (name, file) = (part.maybe_text("adapter"), part.maybe_path("adapter-settings"));
    match (name, file) {
        (Some(name), Some(file)) => Some(AdapterSettings { name, file }),
        (Some(_), None) => {
            let remedy = "name the file that says whose a record is (docs/sources)";
            part.wrong("adapter-settings", "must be said with `adapter`", remedy);
            None
        }
        (None, Some(_)) => {
            part.wrong("adapter-settings", "means nothing without `adapter`", "say `adapter`, or take it out");
            None
        }
        (None, None) => None,
    }
}

fn some(part: &mut Part<'_, '_>, name: &str) -> Vec<String> {
    let list = part.list(name);
    if list.is_empty() && part.has(name) {
        part.wrong(name, "is empty: the source could say nothing", "write [\"*\"] for all of them");
    }
    list
}

/// What a topic's name may be.
pub(super) const TOPIC: &str = "one topic a source: letters, digits, `.`, `_` and `-`";

pub(super) fn is_topic(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    name.bytes().all(fine) && name.len() <= 249
}

fn kafka(part: &mut Part<'_, '_>, clusters: &BTreeMap<String, Cluster>) -> Origin {
    let cluster = part.text("cluster");
    if !cluster.is_empty() && !clusters.contains_key(&cluster) {
        let remedy = match nearest(&cluster, clusters.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write a section [kafka.{cluster}] with its brokers"),
        };
        part.wrong("cluster", format!("there is no cluster `{cluster}`"), remedy);
    }
    let topic = part.text("topic");
    if !is_topic(&topic) {
        part.wrong("topic", format!("`{topic}` cannot be a topic"), TOPIC);
    }
    let start = match part.text("start").as_str() {
        "latest" => Start::Latest,
        text => Moment::parse(text).map_or(Start::Earliest, Start::At),
    };
    Origin::Kafka { cluster, topic, start }
}
