//! `onus sources regenerate`: what an adapter's sources brought, read anew under its settings of today.

use crate::cli::check::wall_clock;
use crate::cli::{CliError, exit, run};
use crate::decode::LONGEST;
#[cfg(feature = "kafka")]
use crate::exchange::lanes::Lane;
use crate::ingest::feed::{FeedId, Heard, channel};
use crate::ingest::tail::{self, Tail};
use crate::runtime::live::{Plan, Regeneration};
use crate::runtime::wires;
use crate::settings::{Origin, Settings, SourceSettings};
use crate::store::Store;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus sources regenerate incidents --reason \"state 18 is on hold, not in progress; CHG-4711\"
  onus replay && onus run

Stop `onus run` first: it is fenced off. All sources that share the adapter are read from the oldest record that is still
there up to where they were read; what was made of these records before is void, everything else stands. Until the
last record is read nothing has changed. `onus replay` shows what it changes; the next `onus run` writes that into the
ledger as adjustments, of which nobody is paged.

Exit codes: 0 done, 2 something could not be read, and nothing has changed.")]
pub(super) struct RegenerateArgs {
    /// The source's name in the settings
    #[arg(value_name = "NAME")]
    name: String,
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Why; whoever asks later reads it
    #[arg(long, value_name = "TEXT", value_parser = super::reason)]
    reason: String,
}

/// How long a source may say nothing before it is told that it does.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a source may take to end.
#[cfg(feature = "kafka")]
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn regenerate(args: &RegenerateArgs) -> Result<u8, CliError> {
    let (settings, mut store) = super::open(args.config.as_deref())?;
    if settings.role != crate::settings::Role::All {
        let what = "where there is an exchange, nothing can be read anew so far (docs/scale-out.md)";
        return Err(CliError::Other(what.to_owned()));
    }
    let other = |error: crate::runtime::live::LiveError| CliError::Other(error.to_string());
    let mut plan = Plan { adapters: run::adapters(&settings)?, ..run::plan(&settings) };
    // What cannot be read anew is said before anybody is fenced off.
    for source in settings.sources.iter().filter(|source| source.adapter.is_some()) {
        if source.name == args.name && !can_be_read_again(source) {
            return Err(CliError::Other(format!(
                "what came into `{}` is not kept there: it cannot be read anew",
                source.name
            )));
        }
    }
    let mut work = Regeneration::begin(&mut plan, &args.name, store.as_mut()).map_err(other)?;
    for feed in work.feeds() {
        let source = &settings.sources[usize::from(feed.0)];
        if work.is_done(feed) {
            continue;
        }
        if !can_be_read_again(source) {
            return Err(CliError::Other(format!(
                "`{}` shares the adapter, and what came into it is not kept there: it cannot be read anew; nothing has changed",
                source.name
            )));
        }
        eprintln!("reading {} anew", source.name);
        read(&settings, source, feed, &mut work, store.as_mut())?;
    }
    let done = work.finish(&args.reason, store.as_mut()).map_err(other)?;
    eprintln!(
        "{} records were read anew: {} events, {} dead letters; {} dead letters of before are settled. `onus replay` shows \
         what that changes, and the next `onus run` judges so",
        done.records, done.events, done.letters, done.settled
    );
    Ok(exit::FINE)
}

fn can_be_read_again(source: &SourceSettings) -> bool {
    matches!(source.origin, Origin::Kafka { .. } | Origin::File { .. })
}

/// Reads one source from where it begins to where it was read.
fn read(
    settings: &Settings,
    source: &SourceSettings,
    feed: FeedId,
    work: &mut Regeneration,
    store: &mut dyn Store,
) -> Result<(), CliError> {
    let other = |text: String| CliError::Other(text);
    let (sender, heard) = channel();
    let stop: Box<dyn FnOnce()> = match &source.origin {
        Origin::File { path, .. } => {
            let (path, from, poll) = (path.clone(), None, Duration::from_millis(200));
            let wire = Arc::new(wires::wire(source, None));
            let tail = Tail { feed, path, follow: false, from, longest: LONGEST, wire, poll, clock: wall_clock };
            let tailing =
                tail::spawn(tail, sender).map_err(|error| other(format!("no thread for a source: {error}")))?;
            Box::new(move || tailing.stop())
        }
        Origin::Kafka { cluster, .. } => topic(settings, source, cluster, feed, sender)?,
        Origin::Stdin | Origin::Http { .. } => return Ok(()),
    };
    let mut outcome = Ok(());
    while outcome.is_ok() && !work.is_done(feed) {
        outcome = match heard.recv_timeout(SILENCE) {
            Ok(Heard::Records(records)) => work.take(records, store).map_err(|error| other(error.to_string())),
            Ok(Heard::CaughtUp { partition, .. }) => {
                work.ended(feed, Some(partition));
                Ok(())
            }
            Ok(Heard::Ended { .. }) | Err(RecvTimeoutError::Disconnected) => {
                work.ended(feed, None);
                Ok(())
            }
            Ok(Heard::Halted { why, .. }) => Err(other(format!("{}: {why}; nothing has changed", source.name))),
            Ok(Heard::Trouble { why, .. }) => {
                eprintln!("{}: {why}", source.name);
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => {
                eprintln!("{}: nothing came for {} s; still waiting", source.name, SILENCE.as_secs());
                Ok(())
            }
            Ok(Heard::Began { .. } | Heard::Behind { .. } | Heard::Fine { .. } | Heard::Wish(_)) => Ok(()),
        };
    }
    // Whoever waits to be heard is not.
    drop(heard);
    stop();
    outcome
}

#[cfg(feature = "kafka")]
fn topic(
    settings: &Settings,
    source: &SourceSettings,
    cluster: &str,
    feed: FeedId,
    sender: crate::ingest::feed::Sender,
) -> Result<Box<dyn FnOnce()>, CliError> {
    use crate::ingest::wire::Registry;
    use crate::runtime::feeds;
    use crate::settings::Start;

    let Some(cluster) = settings.clusters.get(cluster) else {
        return Err(CliError::Other(format!("the source `{}` names no cluster of the settings", source.name)));
    };
    let mut source = source.clone();
    if let Origin::Kafka { start, .. } = &mut source.origin {
        *start = Start::Earliest;
    }
    let name = source.name.clone();
    let registry = cluster.registry.as_ref().and_then(|name| settings.registries.get(name));
    let registry = registry.map(|web| Arc::new(Registry::new(run::target(web))));
    let wire = Arc::new(wires::wire(&source, registry));
    match feeds::kafka(feed, (&source, Lane::ONLY), cluster, wire, &[], wall_clock, sender) {
        Some(Ok(handle)) => Ok(Box::new(move || {
            if let Err(stuck) = handle.stop(GRACE) {
                eprintln!("{name}: {stuck}");
            }
        })),
        Some(Err(error)) => Err(CliError::Other(format!("no thread for the source `{name}`: {error}"))),
        None => Err(CliError::Other(format!("the source `{name}` is no Kafka topic"))),
    }
}

#[cfg(not(feature = "kafka"))]
fn topic(
    _: &Settings,
    source: &SourceSettings,
    _: &str,
    _: FeedId,
    _: crate::ingest::feed::Sender,
) -> Result<Box<dyn FnOnce()>, CliError> {
    Err(CliError::Other(format!(
        "the source `{}` is a Kafka topic, and this Onus was built without Kafka",
        source.name
    )))
}
