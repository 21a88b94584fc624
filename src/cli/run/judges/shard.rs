//! One shard of a process that may have several: from its store to its end.

use super::super::shards::{Shard, Shards};
use super::super::{STORE_AGAIN, Wanted, divided, notices, opened, plan, teller};
use super::ENDS;
use crate::cli::check;
use crate::exchange::partition::partition;
use crate::ingest::feed::{Receiver, Sender};
use crate::pool::Unit;
use crate::pool::hold::Hold;
use crate::publish::pages::{Directory, May};
use crate::publish::told::Told;
use crate::runtime::live::{LiveError, Plan, SETTLED};
use crate::settings::Settings;
use crate::store::StoreError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What all shards of a process have in common.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) wanted: Wanted,
    pub(super) directory: Arc<Directory>,
    pub(super) teller: Option<Arc<Mutex<teller::Teller>>>,
    /// The member's name.
    pub(super) name: String,
}

/// Which shard, and whether it may speak.
pub(super) struct Task {
    pub(super) unit: Unit,
    pub(super) hold: Arc<Hold>,
}

/// Why it cannot go on.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another process has the shard.
    Fenced,
    /// Anything else.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Fenced => f.write_str("another process has taken it over"),
            Failure::Other(why) => f.write_str(why),
        }
    }
}

fn failed(error: LiveError) -> Failure {
    match error {
        LiveError::Store(StoreError::Fenced { .. }) => Failure::Fenced,
        error => Failure::Other(error.to_string()),
    }
}

fn other(error: impl fmt::Display) -> Failure {
    Failure::Other(error.to_string())
}

/// Runs it until it is asked to stop. Everything that it read is written then.
pub(super) fn run(
    shared: &Shared,
    shards: &Shards,
    task: &Task,
    sender: Sender,
    heard: Receiver,
    stop: &Arc<AtomicBool>,
) -> Result<(), Failure> {
    let settings = shared.settings(task.unit);
    let mut live = loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let plan = Plan { owner: shared.name.clone(), ..plan(&settings) };
        match opened(&settings, &shared.directory, Some(shared.wanted()), plan) {
            Err(LiveError::Store(error)) if error.may_pass() => {
                tracing::error!(shard = task.unit, "{error}");
                std::thread::sleep(STORE_AGAIN);
            }
            opened => break opened.map_err(failed)?,
        }
    };
    tracing::info!(shard = task.unit, commit = live.sequence(), "taken; judged up to the last commit");
    live.heed(stop);
    let counts = Arc::new(Told::default());
    let hold = Arc::clone(&task.hold);
    let may: May = Arc::new(move || hold.may_speak());
    // Nothing is read before everybody is there who is told of it.
    if let Some(teller) = &shared.teller {
        live.tell(teller::Teller::receiver(teller, Some(&may))).map_err(other)?;
    }
    let notices = notices::spawn(&settings, &mut live, &shared.directory, &counts, Some(&may)).map_err(other)?;
    let sources = divided::read(&settings, task.unit, &live, &sender).map_err(other)?;
    drop(sender);
    live.decide_by(sources.decide());
    live.unwrap_by(sources.unwrap());
    let (partitions, unit) = (shared.wanted().1 as u16, i32::from(task.unit));
    let shard = Arc::new(Shard {
        status: Arc::clone(live.status()),
        told: counts,
        proof: live.prove(SETTLED, check::wall_clock).map_err(failed)?,
        hold: Arc::clone(&task.hold),
        owns: Box::new(move |partner| partition(partner, partitions) == unit),
    });
    shards.add(task.unit, &shard);
    let result = live.run(&heard, false, stop, &mut |positions| sources.committed(positions));
    shards.remove(task.unit, &shard);
    drop(heard);
    // Whoever takes it over speaks of it from here on.
    task.hold.end();
    sources.stop(ENDS);
    notices.stop();
    result.map_err(failed)
}
