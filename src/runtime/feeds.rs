//! From settings and stored positions to Kafka sources.

use crate::exchange::lanes::Lane;
use crate::ingest::feed::{FeedId, Sender};
use crate::ingest::kafka::{Access, Begin, Handle, Known, Login, Tls, Topic, spawn};
use crate::ingest::wire::Wire;
use crate::settings::{Cluster, Origin, Sasl, SourceSettings, Start};
use crate::store::Position;
use onus_engine::time::Moment;
use std::sync::Arc;

/// How to reach a cluster.
pub fn access(cluster: &Cluster) -> Access {
    let tls = cluster.tls.as_ref().map(|tls| Tls { ca: tls.ca.clone(), own: tls.own.clone(), verify: tls.verify });
    let login = cluster.sasl.as_ref().map(|sasl| match sasl {
        Sasl::Password { mechanism, username, password } => Login::Password {
            mechanism: mechanism.clone(),
            username: username.clone(),
            password: password.file().to_path_buf(),
        },
        Sasl::Token { token } => Login::Token { file: token.file().to_path_buf() },
    });
    let Cluster { brokers, group, properties, .. } = cluster.clone();
    Access { brokers, group, tls, login, properties }
}

/// What is read of it by a lane; None: it is no Kafka source.
pub fn topic(
    feed: FeedId,
    (source, lane): (&SourceSettings, Lane),
    wire: Arc<Wire>,
    clock: fn() -> Moment,
) -> Option<Topic> {
    let Origin::Kafka { topic, start, .. } = &source.origin else { return None };
    let begin = match start {
        Start::Earliest => Begin::Earliest,
        Start::Latest => Begin::Latest,
        Start::At(instant) => Begin::At(*instant),
    };
    let (source, name) = (source.name.clone(), topic.clone());
    Some(Topic { feed, source, name, begin, wire, longest: crate::decode::LONGEST, clock, exchange: None, lane })
}

/// How far it was read, as the store has it.
pub fn known(positions: &[Position]) -> Vec<Known> {
    let one = |position: &Position| Known {
        partition: position.partition,
        incarnation: position.incarnation.clone(),
        next: position.next,
        last: position.last,
    };
    positions.iter().map(one).collect()
}

/// Begins to read a source from where the store says; None: it is no Kafka source.
pub fn kafka(
    feed: FeedId,
    (source, lane): (&SourceSettings, Lane),
    cluster: &Cluster,
    wire: Arc<Wire>,
    positions: &[Position],
    clock: fn() -> Moment,
    sender: Sender,
) -> Option<std::io::Result<Handle>> {
    topic(feed, (source, lane), wire, clock).map(|topic| spawn(topic, access(cluster), &known(positions), sender))
}
