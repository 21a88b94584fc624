//! The ledger held against itself while the service runs: its entries are read from the first to the last, each digest must
//! follow from the one before, and then again after a while. By a thread and a view of the store of its own, unhurried.

use super::{Live, LiveError};
use crate::store::{Entry, Query, Store, StoreError, digest};
use onus_engine::time::Moment;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries that are read at once: as many as lie together in the store.
const AT_ONCE: u32 = 1_024;
/// Between two of those: a hundredth or so of a core, and fifty thousand entries a second.
const PAUSE: Duration = Duration::from_millis(20);
/// Whoever has taken a shard over first comes to where its sources are: looking begins so much later.
pub const SETTLED: Duration = Duration::from_secs(60);
/// From the end of one look to the beginning of the next.
const EVERY: Duration = Duration::from_secs(3_600);

/// What was found last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    /// When the ledger was last read to its end, by the clock of whoever asked for it.
    pub at: Option<Moment>,
    /// So many entries were read then.
    pub entries: u64,
    /// What is wrong: that stays so until a later look finds nothing.
    pub wrong: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct Proof {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<(Proven, bool)>,
    stop: Condvar,
}

impl Shared {
    // A poisoned lock guards plain values: they are as good as they were.
    fn state(&self) -> MutexGuard<'_, (Proven, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False: it is to end.
    fn wait(&self, time: Duration) -> bool {
        let waited = self.stop.wait_timeout_while(self.state(), time, |(_, stop)| !*stop);
        !waited.unwrap_or_else(PoisonError::into_inner).0.1
    }
}

impl Proof {
    /// What was found last.
    pub fn proven(&self) -> Proven {
        self.shared.state().0.clone()
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        self.shared.state().1 = true;
        self.shared.stop.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Live {
    /// The ledger is looked at, `first` after so long; `clock` says when that was.
    ///
    /// # Errors
    /// The store gives no view for it.
    pub fn prove(&mut self, first: Duration, clock: fn() -> Moment) -> Result<Proof, LiveError> {
        let view = self.keeper.store()?.reader()?;
        let shared = Arc::<Shared>::default();
        let Some(mut store) = view else { return Ok(Proof { shared, thread: None }) };
        let ours = Arc::clone(&shared);
        let work = move || {
            if !ours.wait(first) {
                return;
            }
            loop {
                match look(store.as_mut(), &ours) {
                    Ok(Some((entries, wrong))) => {
                        if let Some(wrong) = &wrong {
                            tracing::error!("the ledger does not hold together: {wrong}; see `onus store verify`");
                        }
                        ours.state().0 = Proven { at: Some(clock()), entries, wrong };
                    }
                    Ok(None) => return,
                    // A store that is away is told of by whoever writes.
                    Err(error) => tracing::debug!("the ledger could not be looked at: {error}"),
                }
                if !ours.wait(EVERY) {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("proof".to_owned()).spawn(work);
        let thread = thread.inspect_err(|error| tracing::warn!("no thread for looking at the ledger: {error}")).ok();
        Ok(Proof { shared, thread })
    }
}

/// From the first entry to the last: how many there are, and what is wrong. None: it was to end.
fn look(store: &mut dyn Store, shared: &Shared) -> Result<Option<(u64, Option<String>)>, StoreError> {
    let (mut count, mut before): (u64, Option<Entry>) = (0, None);
    loop {
        let after = before.as_ref().map_or(0, |entry| entry.number);
        let found = match store.entries(&Query { after, limit: AT_ONCE, ..Query::default() }) {
            Ok(found) => found,
            Err(StoreError::Damaged { what, .. }) => return Ok(Some((count, Some(what)))),
            Err(error) => return Err(error),
        };
        if found.is_empty() {
            return Ok(Some((count, None)));
        }
        for entry in found {
            if let Some(wrong) = before.as_ref().and_then(|before| broken(before, &entry)) {
                return Ok(Some((count, Some(wrong))));
            }
            count += 1;
            before = Some(entry);
        }
        if !shared.wait(PAUSE) {
            return Ok(None);
        }
    }
}

/// What stands between an entry and the next one.
fn broken(before: &Entry, entry: &Entry) -> Option<String> {
    if entry.number != before.number + 1 {
        return Some(format!("after entry {} comes entry {}", before.number, entry.number));
    }
    (digest(&before.digest, entry) != entry.digest)
        .then(|| format!("entry {} does not follow from the one before it", entry.number))
}
