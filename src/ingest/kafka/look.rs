//! One look at a topic, for whoever wants to know before it is read.

use super::connect::{Purpose, client, plain};
use super::shared::Shared;
use super::{Access, Topic};
use onus_engine::time::Moment;
use rdkafka::consumer::Consumer;
use rdkafka::message::{Message, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is seen of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// The cluster's id.
    pub cluster: String,
    /// Its partitions.
    pub partitions: Vec<PartitionLook>,
    /// What its newest records' times are; None: it has no records.
    pub stamp: Option<Stamp>,
}

/// What is seen of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionLook {
    /// Which.
    pub partition: i32,
    /// The oldest offset.
    pub low: u64,
    /// The offset of what comes next.
    pub high: u64,
}

/// What a record's time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The broker's, when it was appended.
    Broker(Moment),
    /// The producer's word.
    Producer(Moment),
    /// There is none.
    None,
}

/// What this build of librdkafka can do, and its version.
pub fn features() -> String {
    let (_, version) = rdkafka::util::get_rdkafka_version();
    let features = rdkafka::ClientConfig::new().get("builtin.features").map(str::to_owned);
    let features =
        features.or_else(|| rdkafka::ClientConfig::new().create_native_config().ok()?.get("builtin.features").ok());
    format!("librdkafka {version}: {}", features.unwrap_or_default().trim_end_matches('\0'))
}

/// Looks; what is wrong is said in words, with what to do.
pub fn look(topic: &Topic, access: &Access, within: Duration) -> Result<Look, String> {
    let shared = Arc::new(Shared::new(topic.clone(), access.clone()));
    let client = client(&shared, Purpose::Scout)?;
    let name = topic.name.as_str();
    let fail = |what: &str, error: &rdkafka::error::KafkaError| {
        let reason = shared.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{what}: {}{reason}", plain(error))
    };
    // A token is made in polling only.
    let _ = client.poll(Duration::from_millis(100));
    let about = client.fetch_metadata(Some(name), within).map_err(|error| {
        let what =
            format!("no broker of {} answers; check network, address, `tls` and `sasl`", access.brokers.join(", "));
        fail(&what, &error)
    })?;
    let found = about.topics().iter().find(|found| found.name() == name);
    if let Some(error) = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
        return Err(match error {
            RDKafkaErrorCode::TopicAuthorizationFailed => {
                format!("we may not see the topic `{name}`; allow DESCRIBE and READ on it")
            }
            RDKafkaErrorCode::UnknownTopicOrPartition => {
                format!("there is no topic `{name}`; create it, or mend the source's `topic`")
            }
            other => format!("the topic `{name}`: {other}"),
        });
    }
    let ids: Vec<i32> = found.map(|found| found.partitions().iter().map(|one| one.id()).collect()).unwrap_or_default();
    let cluster = client.client().fetch_cluster_id(within).unwrap_or_default();
    let mut partitions = Vec::new();
    for partition in ids {
        let (low, high) = client
            .fetch_watermarks(name, partition, within)
            .map_err(|error| fail(&format!("nobody tells where partition {partition} ends"), &error))?;
        let [low, high] = [low, high].map(|offset| u64::try_from(offset).unwrap_or(0));
        partitions.push(PartitionLook { partition, low, high });
    }
    let stamp = match partitions.iter().find(|one| one.high > one.low) {
        Some(one) => {
            let mut list = TopicPartitionList::new();
            let offset = Offset::Offset(i64::try_from(one.high - 1).unwrap_or(i64::MAX));
            list.add_partition_offset(name, one.partition, offset)
                .and_then(|()| client.assign(&list))
                .map_err(|error| fail("it cannot be read", &error))?;
            newest(&client, name, within)?
        }
        None => None,
    };
    Ok(Look { cluster, partitions, stamp })
}

fn newest(client: &super::connect::Client, name: &str, within: Duration) -> Result<Option<Stamp>, String> {
    let until = Instant::now() + within;
    while Instant::now() < until {
        match client.poll(Duration::from_millis(100)) {
            None => {}
            Some(Ok(message)) => {
                return Ok(Some(match message.timestamp() {
                    Timestamp::LogAppendTime(at) => Stamp::Broker(Moment(at)),
                    Timestamp::CreateTime(at) => Stamp::Producer(Moment(at)),
                    Timestamp::NotAvailable => Stamp::None,
                }));
            }
            // The end, and nothing before it that could be read: the end of a transaction.
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(error)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                return Err(format!("we may not read the topic `{name}`; allow READ on it"));
            }
            Some(Err(_)) => {}
        }
    }
    Err(format!("no record of `{name}` came in time, though there are some"))
}
