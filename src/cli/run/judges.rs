//! A judge that shares the exchange's partitions: one process, a shard on a thread for each partition that it owns at the moment.
//!
//! ```text
//! pool: take 3 -> a thread: store, reader of partition 3, receivers, Live
//! pool: give 3 -> its stop flag -> what is in hand is committed -> the lease is given up
//!                              \-> not within the deadline: given up all the same, the epoch fences
//! ```
//!
//! Of a shard that cannot go on the lease is given up, and it rests for a while; the process and its other shards go on.

mod shard;

use super::shards::Shards;
use super::{GRACE, POOL, Wanted, listen, plan, teller, topic, watch};
use crate::cli::{CliError, exit};
use crate::exchange;
use crate::ingest::feed::{self, Heard, Receiver, Sender, Wish};
use crate::pool::Unit;
use crate::pool::keeping::{Order, Pool};
use crate::publish::pages::Directory;
use crate::settings::{Role, Settings};
use crate::store::place::Place;
use crate::store::pool::Me;
use crate::telemetry;
use shard::{Failure, Shared, Task};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often threads and deadlines are looked at.
const LOOK: Duration = Duration::from_millis(20);
/// A shard that could not go on rests so long, the first time and at most.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Whoever ran so long has not failed because of what it failed of before.
const WELL: Duration = Duration::from_secs(120);
/// So often one after the other, where nothing else runs, is the process's own fault.
const HOPELESS: u32 = 5;

/// A shard's thread.
struct Running {
    stop: Arc<AtomicBool>,
    task: Arc<Task>,
    /// To its loop.
    wishes: Sender,
    /// The contracts are to be read again, and it has not been told yet.
    reload: bool,
    since: Instant,
    /// When it must have been given up, if it is to be.
    gives: Option<Instant>,
    thread: JoinHandle<Result<(), Failure>>,
}

pub(super) fn run(args: &super::RunArgs, settings: &Settings) -> Result<u8, CliError> {
    if args.until_end {
        return Err(CliError::Other("--until-end: what comes through the exchange has no end".to_owned()));
    }
    let Place::Postgres(server) = plan::place(settings).map_err(|error| CliError::Other(error.to_string()))? else {
        return Err(CliError::Other(
            "judges share partitions by a PostgreSQL store: name one in [store] url".to_owned(),
        ));
    };
    let Some(wanted) = topic(settings)? else {
        return Err(CliError::Other("the settings name no exchange: write a section [exchange]".to_owned()));
    };
    exchange::check(&wanted.0, wanted.1, &[]).map_err(CliError::Other)?;
    // What no shard could go on with is said at once.
    (plan::plan(settings).contracts)().map_err(CliError::Other)?;
    let teller = args.tell.as_deref().map(teller::Teller::open).transpose()?.map(|teller| Arc::new(Mutex::new(teller)));
    let me = me(settings, wanted.1 as u16);
    let (name, stop) = (me.name.clone(), Arc::new(AtomicBool::new(false)));
    let (sender, wishes) = feed::channel();
    let watching = watch::spawn(settings, &sender, Arc::clone(&stop))?;
    drop(sender);
    let pool =
        Pool::join(*server, POOL, me).map_err(|error| CliError::Other(format!("no thread for the leases: {error}")))?;
    let shards = Shards::new(pool.watch(), wanted.1 as u16)?;
    let (status, pages, access) = (Arc::clone(&shards), Arc::clone(&shards), super::access(settings)?);
    let serving = listen(settings, move || telemetry::routes(move || status.unready(), pages, access))?;
    tracing::info!("listening on http://{}", serving.addr);
    tracing::info!(member = name, partitions = wanted.1, "sharing the partitions of the exchange");
    let shared = Shared { settings: settings.clone(), wanted, directory: Arc::new(Directory::default()), teller, name };
    let drain = Duration::from_millis(settings.member.drain.unsigned_abs());
    let mut judges =
        Judges { pool, shards, shared: Arc::new(shared), drain, running: BTreeMap::new(), failed: BTreeMap::new() };
    let result = judges.until(&stop, &wishes);
    stop.store(true, Ordering::Relaxed);
    let drained = judges.end();
    serving.close();
    serving.stop();
    watching.stop();
    result?;
    if drained {
        tracing::info!("stopped; all that was read is written down");
    }
    Ok(exit::FINE)
}

fn me(settings: &Settings, units: u16) -> Me {
    let name = settings.member.name.clone().unwrap_or_else(|| {
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine = if machine.trim().is_empty() { "judge" } else { machine.trim() };
        format!("{machine}-{}", std::process::id())
    });
    // Nobody has to guess it: it tells two processes apart.
    let began = crate::cli::check::wall_clock();
    let token = format!("{} {}", std::process::id(), began.0);
    Me { name, token, version: env!("CARGO_PKG_VERSION").to_owned(), lease: settings.member.lease, units }
}

struct Judges {
    pool: Pool,
    shards: Arc<Shards>,
    shared: Arc<Shared>,
    drain: Duration,
    running: BTreeMap<Unit, Running>,
    /// How often one after the other a shard could not go on here.
    failed: BTreeMap<Unit, u32>,
}

impl Judges {
    /// Until it is asked to stop.
    fn until(&mut self, stop: &AtomicBool, wishes: &Receiver) -> Result<(), CliError> {
        while !stop.load(Ordering::Relaxed) {
            let order = self.pool.order(LOOK);
            if let Some(order) = order {
                self.obey(order)?;
            }
            if wishes.try_iter().any(|wish| matches!(wish, Heard::Wish(Wish::Reload))) {
                self.running.values_mut().for_each(|one| one.reload = true);
            }
            for one in self.running.values_mut().filter(|one| one.reload) {
                // A loop that has no room for it at the moment is told later.
                one.reload = one.wishes.try_send(Heard::Wish(Wish::Reload)).is_err();
            }
            self.look()?;
        }
        Ok(())
    }

    fn obey(&mut self, order: Order) -> Result<(), CliError> {
        match order {
            Order::Take(unit) => self.take(unit),
            Order::Give(unit) => {
                if let Some(one) = self.running.get_mut(&unit)
                    && one.gives.is_none()
                {
                    tracing::info!(shard = unit, "another judge gets it: what is in hand is written");
                    one.stop.store(true, Ordering::Relaxed);
                    one.gives = Some(Instant::now() + self.drain);
                }
            }
            Order::Lost(unit) => {
                tracing::warn!(shard = unit, "its lease was not renewed in time, and another judge has it now");
                self.abandon(unit);
            }
            Order::Out(why) => return Err(CliError::Other(why)),
        }
        Ok(())
    }

    fn take(&mut self, unit: Unit) {
        // Taken anew before its thread has ended: the epoch fences that one.
        self.abandon(unit);
        let failed = |why: String| Failure::Other(format!("no thread for it: {why}"));
        let (stop, task) = (Arc::new(AtomicBool::new(false)), Arc::new(Task { unit, hold: self.pool.hold(unit) }));
        let (sender, heard) = feed::channel();
        let (shared, shards, wishes) = (Arc::clone(&self.shared), Arc::clone(&self.shards), sender.clone());
        let (ours, stops) = (Arc::clone(&task), Arc::clone(&stop));
        self.shards.comes(unit, None);
        let work = move || shard::run(&shared, &shards, &ours, sender, heard, &stops);
        match std::thread::Builder::new().name(format!("shard {unit}")).spawn(work) {
            Ok(thread) => {
                let since = Instant::now();
                let one = Running { stop, task, wishes, reload: false, since, gives: None, thread };
                self.running.insert(unit, one);
            }
            Err(error) => self.rests(unit, &failed(error.to_string())),
        }
    }

    /// It is no longer ours, whatever its thread does.
    fn abandon(&mut self, unit: Unit) {
        if let Some(one) = self.running.remove(&unit) {
            one.task.hold.end();
            one.stop.store(true, Ordering::Relaxed);
            self.shards.forget(unit);
        }
    }

    /// It could not go on: nobody takes it for a while.
    fn rests(&mut self, unit: Unit, failure: &Failure) {
        let times = self.failed.entry(unit).or_default();
        let rest = (REST.0 * 2u32.saturating_pow(*times)).min(REST.1);
        *times += 1;
        match failure {
            Failure::Fenced => tracing::warn!(shard = unit, "another process has taken it over"),
            Failure::Other(why) => {
                tracing::error!(shard = unit, "it cannot go on here, and is given up for {} s: {why}", rest.as_secs());
            }
        }
        self.shards.comes(unit, Some(failure.to_string()));
        self.pool.gave(unit, rest);
    }

    /// Threads that have ended, and deadlines that have passed.
    fn look(&mut self) -> Result<(), CliError> {
        let ended: Vec<Unit> =
            self.running.iter().filter(|(_, one)| one.thread.is_finished()).map(|(unit, _)| *unit).collect();
        for unit in ended {
            let Some(one) = self.running.remove(&unit) else { continue };
            one.task.hold.end();
            let well = one.since.elapsed() > WELL;
            let fault =
                || Err(Failure::Other("its thread ended: this is a fault in Onus, please report it".to_owned()));
            match one.thread.join().unwrap_or_else(|_| fault()) {
                Ok(()) => {
                    self.failed.remove(&unit);
                    self.shards.forget(unit);
                    self.pool.gave(unit, Duration::ZERO);
                    tracing::info!(shard = unit, "given up; all that was read is written down");
                }
                Err(failure) => {
                    if well {
                        self.failed.remove(&unit);
                    }
                    self.rests(unit, &failure);
                    if self.running.is_empty()
                        && self.failed[&unit] >= HOPELESS
                        && let Failure::Other(why) = failure
                    {
                        return Err(CliError::Other(format!("no shard can go on here; shard {unit}: {why}")));
                    }
                }
            }
        }
        let late = |one: &Running| one.gives.is_some_and(|until| Instant::now() >= until);
        let late: Vec<Unit> = self.running.iter().filter(|(_, one)| late(one)).map(|(unit, _)| *unit).collect();
        for unit in late {
            tracing::warn!(
                shard = unit,
                "it was not finished in time, and is given up all the same: the epoch fences what is left"
            );
            self.abandon(unit);
            self.pool.gave(unit, Duration::ZERO);
        }
        Ok(())
    }

    /// Gives everything up, each as soon as it is finished. False: not all was finished in time.
    fn end(mut self) -> bool {
        self.pool.leaves();
        let until = Instant::now() + self.drain;
        for one in self.running.values_mut() {
            one.stop.store(true, Ordering::Relaxed);
            one.gives.get_or_insert(until);
        }
        let before = self.running.len();
        let mut finished = 0;
        while !self.running.is_empty() {
            finished += self.running.values().filter(|one| one.thread.is_finished()).count();
            if let Err(error) = self.look() {
                tracing::error!("{error}");
            }
            std::thread::sleep(LOOK);
        }
        self.pool.leave();
        finished == before
    }
}

/// How long the sources and receivers of a shard may take to end.
const ENDS: Duration = GRACE;

impl Shared {
    /// Settings as of a judge who was told its shard.
    fn settings(&self, unit: Unit) -> Settings {
        Settings { role: Role::Judge(unit), ..self.settings.clone() }
    }

    fn wanted(&self) -> &Wanted {
        &self.wanted
    }
}
