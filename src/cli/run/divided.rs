//! Several processes: a judge's partition of the exchange between them.

use super::Wanted;
use super::sources::Sources;
use crate::cli::{CliError, check};
use crate::exchange::lanes::Lane;
use crate::exchange::{self, NAME};
use crate::ingest::feed::{FeedId, Sender};
use crate::ingest::kafka::{self, Begin, Topic};
use crate::ingest::wire::Wire;
use crate::runtime::feeds;
use crate::runtime::live::Live;
use crate::settings::{Cluster, Exchange, Settings};
use std::sync::Arc;
use std::time::Duration;

/// How long a broker's answer is waited for before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);

pub(super) fn said(settings: &Settings) -> Result<(&Exchange, &Cluster), CliError> {
    let exchange = settings.exchange.as_ref();
    let both = exchange.and_then(|exchange| Some((exchange, settings.clusters.get(&exchange.topic.cluster)?)));
    both.ok_or_else(|| CliError::Other("the settings name no exchange: write a section [exchange]".to_owned()))
}

fn reading(exchange: &Exchange, feed: FeedId, own: i32) -> Topic {
    Topic {
        feed,
        source: NAME.to_owned(),
        name: exchange.topic.topic.clone(),
        // From its first record: nothing of what an intake wrote is left out.
        begin: Begin::Earliest,
        wire: Arc::new(Wire::default()),
        // Headers are put before the event; neither is cut.
        longest: 2 * crate::decode::LONGEST,
        clock: check::wall_clock,
        exchange: Some(own),
        lane: Lane::ONLY,
    }
}

/// Looks at the exchange.
pub(super) fn topic(settings: &Settings) -> Result<Wanted, CliError> {
    let (exchange, cluster) = said(settings)?;
    let topic = reading(exchange, FeedId(0), 0);
    let seen = kafka::look(&topic, &feeds::access(cluster), ANSWER)
        .map_err(|error| CliError::Other(format!("the exchange: {error}")))?;
    Ok((exchange::remembered(&seen.cluster, &exchange.topic.topic, exchange.partitions), seen.partitions.len()))
}

/// Looks at another topic of a cluster of the settings, as at an exchange.
///
/// # Errors
/// It cannot be seen, in words.
pub(in crate::cli) fn look(settings: &Settings, cluster: &str, name: &str) -> Result<kafka::Look, CliError> {
    let (exchange, _) = said(settings)?;
    let Some(cluster) = settings.clusters.get(cluster) else {
        return Err(CliError::Other(format!("no [kafka.{cluster}] is in the settings")));
    };
    let topic = Topic { name: name.to_owned(), ..reading(exchange, FeedId(0), 0) };
    kafka::look(&topic, &feeds::access(cluster), ANSWER).map_err(CliError::Other)
}

/// Begins to read a judge's partition.
pub(super) fn read(settings: &Settings, shard: u16, live: &Live, sender: &Sender) -> Result<Sources, CliError> {
    let (exchange, cluster) = said(settings)?;
    let feed = FeedId(settings.sources.len() as u16);
    let topic = reading(exchange, feed, i32::from(shard));
    let known = feeds::known(&live.positions(feed));
    if known.is_empty() {
        let seen = kafka::look(&topic, &feeds::access(cluster), ANSWER)
            .map_err(|error| CliError::Other(format!("the exchange: {error}")))?;
        if let Some(gone) = seen.partitions.iter().find(|one| one.partition == i32::from(shard) && one.low > 0) {
            return Err(CliError::Other(format!(
                "the oldest {} records of partition {shard} of the exchange are not there any more, and this store has not seen \
                 them: give the judge the store that has, or make a new topic and let the sources be read anew",
                gone.low
            )));
        }
    }
    let handle = kafka::spawn(topic, feeds::access(cluster), &known, sender.clone())
        .map_err(|error| CliError::Other(format!("no thread for the exchange: {error}")))?;
    Ok(Sources::exchange(NAME, handle))
}
