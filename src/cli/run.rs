//! `onus run`: reads its sources, judges as it happens, writes down, tells.

#[cfg(feature = "kafka")]
mod divided;
mod figures;
#[cfg(feature = "kafka")]
mod intake;
#[cfg(feature = "kafka")]
mod judges;
mod notices;
mod plan;
#[cfg(feature = "kafka")]
mod shards;
mod sources;
mod teller;
mod watch;

#[cfg(feature = "kafka")]
pub(super) use divided::look;
#[cfg(feature = "kafka")]
pub(super) use intake::anew;
pub(super) use notices::target;

pub(super) use figures::Pages;
pub(super) use plan::{adapter, adapters, place, plan, store, tables};

/// The pool of judges: its units are partitions of the exchange, and so shards of the store.
pub(super) const POOL: &str = "judge";

use super::{CliError, exit};
use crate::exchange;
use crate::ingest::feed::{self, FeedId, Heard, Wish};
use crate::ingest::http;
use crate::ingest::wire::Wire;
use crate::publish::pages::Directory;
use crate::publish::told::Told;
use crate::runtime::live::{Live, LiveError, Machine, Plan, Proof, SETTLED};
use crate::settings::Role;
use crate::store::{Position, Store};
use crate::{serve, settings, telemetry};
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus run
  onus run --config /etc/onus/onus.toml
  onus run --tell -                 print what is decided, a JSON line each, after it is written down
  onus run --until-end              end when every source has ended: files that do not grow, standard input
  onus run --role judge             judge a share of the exchange's partitions, among others that do (docs/scale-out.md)

Stop it with SIGTERM or Ctrl-C: it writes down what it has in hand first. SIGHUP, or a change in the contracts' files,
makes it read the contracts again; bad ones are refused, and the old ones stay. `onus settings default` prints a settings
file to begin with.")]
pub(in crate::cli) struct RunArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to print what is decided: a file that grows, or - for standard output
    #[arg(long, value_name = "FILE")]
    tell: Option<PathBuf>,
    /// End when every source has ended
    #[arg(long)]
    until_end: bool,
    /// What this process does: all, intake, judge [default: as the settings say]
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Which partition of the exchange a judge owns [default: with PostgreSQL, judges share them]
    #[arg(long, value_name = "N")]
    shard: Option<u16>,
    /// Which lane an intake runs, where there are several
    #[arg(long, value_name = "N")]
    lane: Option<u16>,
}

/// How long until a store that was away at the start is asked again.
const STORE_AGAIN: Duration = Duration::from_secs(1);
/// How long sources may take to end.
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn run(args: &RunArgs) -> Result<u8, CliError> {
    talk();
    let role = args.role.iter().map(|role| ("ONUS__RUN__ROLE", role.clone()));
    let shard = args.shard.iter().map(|shard| ("ONUS__RUN__SHARD", shard.to_string()));
    let lane = args.lane.iter().map(|lane| ("ONUS__RUN__LANE", lane.to_string()));
    let settings = settings::load_with(args.config.as_deref(), role.chain(shard).chain(lane).collect())?.settings;
    if settings.role == Role::Intake {
        return read_only(args, &settings);
    }
    #[cfg(feature = "kafka")]
    if settings.role == Role::Judges {
        return judges::run(args, &settings);
    }
    let wanted = topic(&settings)?;
    let teller = args.tell.as_deref().map(teller::Teller::open).transpose()?;
    let (directory, counts) = (Arc::new(Directory::default()), Arc::new(Told::default()));
    let mut live = open(&settings, &directory, wanted.as_ref())?;
    tracing::info!(commit = live.sequence(), "judged up to the last commit");

    let stop = Arc::new(AtomicBool::new(false));
    live.heed(&stop);
    let (sender, heard) = feed::channel_of(sources::portions(&settings));
    let sources = read(&settings, &live, &sender)?;
    live.decide_by(sources.decide());
    live.unwrap_by(sources.unwrap());
    let proof = live.prove(SETTLED, super::check::wall_clock).map_err(told)?;
    let serving = serving(&settings, &live, &sender, sources.wires(), Arc::clone(&counts), Arc::new(proof))?;
    tracing::info!("listening on http://{}", serving.addr);
    let watching = watch::spawn(&settings, &sender, Arc::clone(&stop))?;
    drop(sender);
    if let Some(teller) = teller {
        let teller = Arc::new(Mutex::new(teller));
        live.tell(teller::Teller::receiver(&teller, None)).map_err(|error| CliError::Other(error.to_string()))?;
    }
    let notices = notices::spawn(&settings, &mut live, &directory, &counts, None)?;
    let result = live.run(&heard, args.until_end, &stop, &mut |positions| sources.committed(positions));
    stop.store(true, Ordering::Relaxed);
    // Whoever still waits to be heard is not: the positions say where to go on.
    drop(heard);
    serving.close();
    sources.stop(GRACE);
    serving.stop();
    watching.stop();
    notices.stop();
    let commit = live.sequence();
    drop(live);
    result.map_err(told)?;
    tracing::info!(commit, "stopped; all that was read is written down");
    Ok(exit::FINE)
}

/// The exchange's topic as the store is to remember it, and how many partitions it has.
type Wanted = (Position, usize);

/// Looks at the exchange, where there is one.
fn topic(settings: &settings::Settings) -> Result<Option<Wanted>, CliError> {
    match settings.role {
        Role::All => Ok(None),
        #[cfg(feature = "kafka")]
        Role::Intake | Role::Judge(_) | Role::Judges => divided::topic(settings).map(Some),
        #[cfg(not(feature = "kafka"))]
        Role::Intake | Role::Judge(_) | Role::Judges => Err(without_kafka()),
    }
}

/// Whether the store has the exchange's topic already. One that belongs elsewhere is refused before anybody is fenced off.
fn belongs(store: &mut dyn Store, wanted: Option<&Wanted>) -> Result<bool, LiveError> {
    let stored = store.positions()?;
    match wanted {
        Some((topic, there)) => exchange::check(topic, *there, &stored),
        None => exchange::check_alone(&stored),
    }
    .map_err(LiveError::Exchange)?;
    Ok(wanted.is_some_and(|(topic, _)| stored.contains(topic)))
}

/// Begins to read: sources, or a partition of the exchange.
fn read(settings: &settings::Settings, live: &Live, sender: &feed::Sender) -> Result<sources::Sources, CliError> {
    match settings.role {
        #[cfg(feature = "kafka")]
        Role::Judge(shard) => divided::read(settings, shard, live, sender),
        _ => sources::Sources::spawn(settings, &|feed| live.positions(feed), sender),
    }
}

#[cfg(feature = "kafka")]
fn read_only(args: &RunArgs, settings: &settings::Settings) -> Result<u8, CliError> {
    if args.tell.is_some() {
        return Err(CliError::Other("an intake decides nothing: say --tell to judges".to_owned()));
    }
    intake::lane(settings, args.until_end)
}

#[cfg(not(feature = "kafka"))]
fn read_only(_: &RunArgs, _: &settings::Settings) -> Result<u8, CliError> {
    Err(without_kafka())
}

#[cfg(not(feature = "kafka"))]
fn without_kafka() -> CliError {
    CliError::Other(
        "the exchange is a Kafka topic, and this Onus was built without Kafka: build it with the feature `kafka`"
            .to_owned(),
    )
}

/// Takes the shard over. A store that is away is waited for: whoever starts both need not start them in order.
fn open(settings: &settings::Settings, directory: &Arc<Directory>, wanted: Option<&Wanted>) -> Result<Live, CliError> {
    // What comes through the exchange was adapted before.
    let adapters = if wanted.is_some() { Vec::new() } else { adapters(settings)? };
    loop {
        match opened(settings, directory, wanted, Plan { adapters: adapters.clone(), ..plan(settings) }) {
            Err(LiveError::Store(error)) if error.may_pass() => {
                tracing::error!("{error}");
                std::thread::sleep(STORE_AGAIN);
            }
            opened => return opened.map_err(told),
        }
    }
}

/// The same, asked once.
fn opened(
    settings: &settings::Settings,
    directory: &Arc<Directory>,
    wanted: Option<&Wanted>,
    plan: Plan,
) -> Result<Live, LiveError> {
    let mut store = plan::opened(settings)?;
    let known = belongs(store.as_mut(), wanted)?;
    let mut live = Live::open(notices::informed(plan, directory), store, Box::new(Machine::default()))?;
    if let Some((topic, _)) = wanted.filter(|_| !known) {
        live.remember(topic.clone());
    }
    Ok(live)
}

fn serving(
    settings: &settings::Settings,
    live: &Live,
    sender: &feed::Sender,
    wires: &[(FeedId, Arc<Wire>)],
    counts: Arc<Told>,
    proof: Arc<Proof>,
) -> Result<serve::Serving, CliError> {
    // What is pushed to a judge would not go through the exchange.
    let tokens = if settings.role == Role::All { sources::tokens(settings)? } else { None };
    let events = tokens.map(|tokens| (pushed(settings, tokens, wires), sender.clone()));
    let status = Arc::clone(live.status());
    let pages = Pages::new(Arc::clone(&status), counts, Some(proof), super::check::wall_clock())?;
    let access = access(settings)?;
    let routes = move || {
        let own = telemetry::routes(move || status.unready(), pages, access);
        match events {
            Some((events, sender)) => own.merge(http::routes(events, sender)),
            None => own,
        }
    };
    listen(settings, routes)
}

/// What is taken of what is pushed.
fn pushed(settings: &settings::Settings, tokens: Vec<http::Token>, wires: &[(FeedId, Arc<Wire>)]) -> http::Events {
    let adapted = settings.sources.iter().zip(0..).filter(|(source, _)| source.adapter.is_some());
    let raw = adapted.map(|(_, at)| FeedId(at)).collect();
    let (body, wires) = (settings.http.max_body as usize, wires.to_vec());
    http::Events { body, wires, raw, ..http::Events::from(tokens, super::check::wall_clock) }
}

fn listen(
    settings: &settings::Settings,
    routes: impl FnOnce() -> axum::Router + Send + 'static,
) -> Result<serve::Serving, CliError> {
    serve::spawn(serve::Listen::on(settings.http.listen), routes).map_err(|error| {
        let listen = settings.http.listen;
        CliError::Other(format!("cannot listen on {listen}: {error}; name another address in [http] listen"))
    })
}

/// Who may see figures. A file of tokens that cannot be read is said at the start; later on it lets nobody in.
fn access(settings: &settings::Settings) -> Result<telemetry::Access, CliError> {
    let tokens = settings.http.metrics_tokens.clone();
    if let Some(file) = &tokens {
        telemetry::tokens::load(file).map_err(CliError::Other)?;
    }
    let tokens = tokens.map(|file| telemetry::tokens::Tokens::of(file, super::check::wall_clock));
    Ok(telemetry::Access { tokens, closed: settings.http.metrics_need_token })
}

/// Says what it does on standard error; standard output is for data. `ONUS_LOG=debug` says more.
fn talk() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("ONUS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Whoever runs this as a library may have set up another one.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

fn told(error: LiveError) -> CliError {
    CliError::Other(error.to_string())
}

/// What others may ask of the loop.
fn wish(sender: &feed::Sender, wish: Wish) {
    // A loop that has ended has no wishes left to hear.
    let _ = sender.send(Heard::Wish(wish));
}
