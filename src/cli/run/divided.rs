//! Several processes: one reads sources and writes to the exchange, others judge a partition of it each.

use super::sources::Sources;
use super::{GRACE, STORE_AGAIN, Wanted, adapters, belongs, plan, told, watch};
use crate::cli::{CliError, check, exit};
use crate::exchange::intake::Intake;
use crate::exchange::{self, NAME};
use crate::ingest::feed::{self, FeedId, Heard};
use crate::ingest::kafka::{self, Begin, Topic};
use crate::ingest::wire::Wire;
use crate::runtime::feeds;
use crate::runtime::live::{Live, LiveError, Plan};
use crate::settings::{Cluster, Exchange, Settings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// How long a broker's answer is waited for before it is asked again.
const ANSWER: Duration = Duration::from_secs(10);

fn said(settings: &Settings) -> Result<(&Exchange, &Cluster), CliError> {
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

/// Begins to read a judge's partition.
pub(super) fn read(
    settings: &Settings,
    shard: u16,
    live: &Live,
    sender: &SyncSender<Heard>,
) -> Result<Sources, CliError> {
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

/// Reads sources and writes to the exchange until it is asked to stop.
pub(super) fn intake(settings: &Settings, until_end: bool) -> Result<u8, CliError> {
    let wanted = topic(settings)?;
    let (exchange, cluster) = said(settings)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, heard) = feed::channel();
    let watching = watch::spawn(settings, &sender, Arc::clone(&stop))?;
    let mut intake = open(settings, exchange, cluster, &wanted)?;
    let sources = Sources::spawn(settings, &|feed| intake.positions(feed), &sender)?;
    drop(sender);
    let topic = &exchange.topic.topic;
    tracing::info!(topic, partitions = exchange.partitions, "reading sources into the exchange");
    let result = intake.run(&heard, until_end, &stop, &mut |positions| sources.committed(positions));
    stop.store(true, Ordering::Relaxed);
    // Whoever still waits to be heard is not: the positions say where to go on.
    drop(heard);
    sources.stop(GRACE);
    watching.stop();
    result.map_err(told)?;
    tracing::info!("stopped; all that was noted as read is in the exchange");
    Ok(exit::FINE)
}

fn open(settings: &Settings, exchange: &Exchange, cluster: &Cluster, wanted: &Wanted) -> Result<Intake, CliError> {
    let adapters = adapters(settings)?;
    let (remembered, _) = wanted;
    loop {
        let opened = super::plan::opened(settings).map_err(LiveError::Store).and_then(|mut store| {
            belongs(store.as_mut(), Some(wanted))?;
            let plan = Plan { adapters: adapters.clone(), ..plan(settings) };
            let outgoing = kafka::unending(&feeds::access(cluster)).map_err(LiveError::Exchange)?;
            Intake::open(plan, store, outgoing, &exchange.topic.topic, remembered.clone(), check::wall_clock)
        });
        match opened {
            Err(LiveError::Store(error)) if error.may_pass() => {
                tracing::error!("{error}");
                std::thread::sleep(STORE_AGAIN);
            }
            opened => return opened.map_err(told),
        }
    }
}
