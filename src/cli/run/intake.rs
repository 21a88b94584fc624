//! One lane of the intake: it reads its share of the sources and writes to the exchange.

use super::divided::{said, topic};
use super::figures::Pages;
use super::plan::place;
use super::sources::{self, Sources};
use super::{GRACE, STORE_AGAIN, Wanted, access, adapters, belongs, plan, pushed, told, watch};
use crate::cli::{CliError, check, exit};
use crate::exchange::intake::{Intake, Setup};
use crate::exchange::lanes::{self, Lane, Share};
use crate::ingest::feed::{self, Sender};
use crate::ingest::kafka;
use crate::publish::told::Told;
use crate::runtime::feeds;
use crate::runtime::live::{LiveError, Plan, Plugged};
use crate::settings::{Origin, Settings, SourceSettings};
use crate::store::copies;
use crate::{ingest::http, serve, telemetry};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs the lane of the settings until it is asked to stop.
pub(super) fn lane(settings: &Settings, until_end: bool) -> Result<u8, CliError> {
    let (exchange, _) = said(settings)?;
    let lane = match settings.lane {
        None if exchange.lanes > 1 => {
            let last = exchange.lanes - 1;
            return Err(CliError::Other(format!(
                "which lane? There are several: say --lane, 0 to {last} (or [run] lane)"
            )));
        }
        own => Lane { own: own.unwrap_or(0), of: exchange.lanes },
    };
    let wanted = topic(settings)?;
    let adapters = adapters(settings)?;
    let shares: Vec<Share> =
        settings.sources.iter().zip(&adapters).map(|(one, of)| share(one, of.as_ref(), lane)).collect();
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, heard) = feed::channel_of(sources::portions(settings));
    let watching = watch::spawn(settings, &sender, Arc::clone(&stop))?;
    let mut intake = open(settings, &wanted, lane, &shares, &adapters)?;
    let sources = Sources::share(settings, (lane, &shares), &|feed| intake.positions(feed), &sender)?;
    intake.decide_by(sources.decide());
    intake.unwrap_by(sources.unwrap());
    let serving = serving(settings, &intake, &shares, &sources, &sender)?;
    tracing::info!("listening on http://{}", serving.addr);
    drop(sender);
    let (topic, partitions) = (&exchange.topic.topic, exchange.partitions);
    tracing::info!(topic, partitions, lane = lane.own, lanes = lane.of, "reading sources into the exchange");
    let result = intake.run(&heard, until_end, &stop, &mut |positions| sources.committed(positions));
    stop.store(true, Ordering::Relaxed);
    // Whoever still waits to be heard is not: the positions say where to go on.
    drop(heard);
    serving.close();
    sources.stop(GRACE);
    serving.stop();
    watching.stop();
    drop(intake);
    result.map_err(told)?;
    tracing::info!("stopped; all that was noted as read is in the exchange, or is written by whoever goes on");
    Ok(exit::FINE)
}

/// What a lane reads of a source. What an adapter remembers is of all its sources: they are not divided.
fn share(source: &SourceSettings, adapter: Option<&Plugged>, lane: Lane) -> Share {
    let whole = |name: &str| if lane.is_home_of(name) { Share::Whole } else { Share::Nothing };
    match (&source.origin, adapter) {
        (_, Some(plugged)) => whole(plugged.adapter.source()),
        (Origin::Kafka { .. }, None) => Share::Partitions,
        (Origin::Http { .. }, None) => Share::Pushed,
        (Origin::File { .. } | Origin::Stdin, None) => whole(&source.name),
    }
}

/// Takes the lane over. A store that is away is waited for.
fn open(
    settings: &Settings,
    wanted: &Wanted,
    lane: Lane,
    shares: &[Share],
    adapters: &[Option<Plugged>],
) -> Result<Intake, CliError> {
    let (exchange, cluster) = said(settings)?;
    let once = settings.sources.iter().map(|source| matches!(source.origin, Origin::Http { .. } | Origin::Stdin));
    loop {
        let opened = super::plan::opened(settings).map_err(LiveError::Store).and_then(|mut store| {
            belongs(store.as_mut(), Some(wanted))?;
            let positions = store.positions()?;
            lanes::check(lane.of, &positions).map_err(LiveError::Exchange)?;
            if positions.is_empty() {
                siblings(settings, lane)?;
            }
            let plan = Plan { adapters: adapters.to_vec(), ..plan(settings) };
            let outgoing = kafka::unending(&feeds::access(cluster)).map_err(LiveError::Exchange)?;
            let (topic, shares, once) = (exchange.topic.topic.clone(), shares.to_vec(), once.clone().collect());
            let (exchange, clock) = (wanted.0.clone(), check::wall_clock);
            Intake::open(Setup { plan, store, outgoing, exchange, topic, lane, shares, once, clock })
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

/// A lane that starts for the first time has nothing of its own to hold the number of lanes against: what the others remember.
fn siblings(settings: &Settings, lane: Lane) -> Result<(), LiveError> {
    let place = place(settings).map_err(LiveError::Store)?;
    // No more lanes can be set up than this.
    let lanes = copies::held(&place)?.into_iter().filter(|shard| *shard > u16::MAX - 256 && *shard != lane.shard());
    for shard in lanes {
        let positions = copies::existing(&place, shard)?.positions()?;
        let other = u16::MAX - shard;
        lanes::check(lane.of, &positions).map_err(|why| LiveError::Exchange(format!("lane {other}: {why}")))?;
    }
    Ok(())
}

/// The port: probes, figures of what is read here, and events that are pushed.
fn serving(
    settings: &Settings,
    intake: &Intake,
    shares: &[Share],
    sources: &Sources,
    sender: &Sender,
) -> Result<serve::Serving, CliError> {
    let tokens = sources::tokens(settings)?;
    let events = tokens.map(|mut tokens| {
        // What goes whole to another lane is not taken here.
        tokens.retain(|token| shares[usize::from(token.feed.0)] != Share::Nothing);
        (pushed(settings, tokens, sources.wires()), sender.clone())
    });
    let status = Arc::clone(intake.status());
    let pages = Pages::new(Arc::clone(&status), Arc::new(Told::default()), None, check::wall_clock())?;
    let access = access(settings)?;
    let routes = move || {
        let own = telemetry::routes(move || status.unready(), pages, access);
        match events {
            Some((events, sender)) => own.merge(http::routes(events, sender)),
            None => own,
        }
    };
    super::listen(settings, routes)
}
