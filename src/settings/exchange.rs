//! What a process does of the whole, and the topic between several of them.

use super::reading::Reader;
use super::source::{self, Origin, SourceSettings};
use super::{Clock, Cluster, Judge, OutTopic, Store, declared};
use std::collections::BTreeMap;

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything, without an exchange.
    #[default]
    All,
    /// Reads sources, and writes events to the exchange.
    Intake,
    /// Judges this partition of the exchange.
    Judge(u16),
    /// Judges its share of the partitions, among others that do.
    Judges,
}

/// A process's place among those that share the partitions. Lengths are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called; None: after the machine and the process.
    pub name: Option<String>,
    /// How long the others believe that it is there after they heard it last.
    pub lease: i64,
    /// How long it may take to give a partition up.
    pub drain: i64,
}

/// The topic between intake and judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Where it is.
    pub topic: OutTopic,
    /// How many partitions it has.
    pub partitions: u16,
    /// How many intakes divide the sources between them.
    pub lanes: u16,
}

pub(super) fn exchange(reader: &mut Reader<'_>, clusters: &BTreeMap<String, Cluster>) -> Option<Exchange> {
    let topic = super::out_topic("exchange", reader, clusters);
    let mut part = reader.part(declared("exchange"), None);
    let partitions = part.maybe_whole("partitions");
    let lanes = u16::try_from(part.whole("lanes")).unwrap_or(1);
    match (&topic, partitions) {
        (Some(_), None) => part.wrong(
            "partitions",
            "must be said where `topic` is",
            "write how many partitions the topic was made with",
        ),
        (None, Some(_)) => part.wrong("partitions", "means nothing without `topic`", "say `cluster` and `topic`, too"),
        _ => {}
    }
    let partitions = u16::try_from(partitions?).ok()?;
    Some(Exchange { topic: topic?, partitions, lanes })
}

pub(super) fn member(reader: &mut Reader<'_>) -> Member {
    let mut part = reader.part(declared("run"), None);
    Member { name: part.maybe_text("name"), lease: part.length("lease"), drain: part.length("drain") }
}

pub(super) fn role(
    reader: &mut Reader<'_>,
    judge: &Judge,
    exchange: Option<&Exchange>,
    store: &Store,
) -> (Role, Option<u16>) {
    let mut part = reader.part(declared("run"), None);
    let (role, shard) = (part.text("role"), part.maybe_whole("shard"));
    let lane = part.maybe_whole("lane").and_then(|lane| u16::try_from(lane).ok());
    if role == "all" {
        return (Role::All, lane);
    }
    let Some(exchange) = exchange else {
        let remedy = "write a section [exchange] with cluster, topic and partitions (docs/scale-out.md)";
        part.wrong("role", format!("`{role}` needs an exchange"), remedy);
        return (Role::All, lane);
    };
    if judge.clock == Clock::Events {
        part.wrong(
            "role",
            "judge.clock = \"events\" works in one process only",
            "write clock = \"wall\", or role = \"all\"",
        );
    }
    if role == "intake" {
        if let Some(lane) = lane.filter(|lane| *lane >= exchange.lanes) {
            let last = exchange.lanes.saturating_sub(1);
            part.wrong("lane", format!("the exchange has no lane {lane}"), format!("they are 0 to {last}"));
        }
        return (Role::Intake, lane);
    }
    let last = exchange.partitions.saturating_sub(1);
    let role = match shard.and_then(|shard| u16::try_from(shard).ok()) {
        Some(shard) if shard <= last => Role::Judge(shard),
        Some(shard) => {
            part.wrong("shard", format!("the exchange has no partition {shard}"), format!("they are 0 to {last}"));
            Role::Judge(0)
        }
        None if matches!(store, Store::Postgres { .. }) => Role::Judges,
        None => {
            let remedy =
                format!("a partition of the exchange: 0 to {last}; with PostgreSQL judges share them by themselves");
            part.wrong("shard", "must be said for a judge with a store of its own", remedy);
            Role::Judge(0)
        }
    };
    (role, lane)
}

/// An exchange is no source: events would go round.
pub(super) fn not_read(reader: &mut Reader<'_>, exchange: Option<&Exchange>, sources: &[SourceSettings]) {
    let Some(Exchange { topic: OutTopic { cluster, topic }, .. }) = exchange else { return };
    let same = |one: &&SourceSettings| matches!(&one.origin, Origin::Kafka { cluster: c, topic: t, .. } if (c, t) == (cluster, topic));
    if let Some(source) = sources.iter().find(same) {
        let section = declared("source");
        let mut part = reader.part(section, Some(&source.name));
        part.wrong("topic", "is the exchange's: what is written there would be read as news", source::TOPIC);
    }
}
