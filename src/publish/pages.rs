//! Pages: breaches as alerts, pushed to Alertmanagers.
//!
//! ```text
//! ledger -> Receiver -> board      what fires, what has ended: folded from the entries, level by level
//!                         |
//!             peer, peer, peer     one thread an Alertmanager: tells the newest state of each alert, again and again
//! ```
//!
//! Nothing is queued: a peer that was away is told how things stand when it is back. After a restart the ledger is followed
//! again from the oldest breach that still fires, so what fires is the same as before, without a store of its own.

mod alert;
mod board;
mod deliveries;
mod directory;
mod mass;
mod peer;
mod risk;

pub use directory::Directory;
pub use risk::Risk;

use super::told::Told;
use crate::store::Entry;
use crate::web::Target;
use board::Board;
use onus_engine::time::{Millis, Moment};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How pages are told.
#[derive(Clone, Debug)]
pub struct Manner {
    /// How often an alert is told again.
    pub resend: Millis,
    /// So many breaches together are paged one by one.
    pub mass: usize,
    /// How long a finding fires.
    pub findings_for: Millis,
    /// Where people see more.
    pub link: Option<String>,
    /// Labels that every alert has besides.
    pub labels: Vec<(String, String)>,
    /// Where accepted pages are written down.
    pub deliveries: Option<PathBuf>,
}

/// Whether somebody may speak at this moment.
pub type May = Arc<dyn Fn() -> bool + Send + Sync>;

/// An alert that has ended is told so for this long.
const ENDED_FOR: Millis = 15 * 60_000;
/// Who looks whether there is something to tell looks so often.
const LOOK: Duration = Duration::from_millis(100);
/// At the end, what is news may still be told for so long.
const GRACE: Duration = Duration::from_secs(5);

/// What the receiver and the peers share.
struct Shared {
    board: Mutex<Board>,
    news: Condvar,
    manner: Manner,
    directory: Arc<Directory>,
    told: Arc<Told>,
    clock: fn() -> Moment,
    /// Up to which entry the board knows everything.
    reached: Mutex<Option<Arc<AtomicU64>>>,
    /// How many there were at the start: before it knows them, the board does not know what fires.
    at_start: u64,
    ready: AtomicBool,
    stop: AtomicBool,
    /// None: always.
    may: OnceLock<May>,
    record: deliveries::Record,
    again_from: Arc<AtomicU64>,
    /// What is at risk, as it was told last and not looked at yet; and whether that is all.
    risks: Mutex<Option<(Vec<Risk>, bool)>>,
}

/// Everything that tells pages.
pub struct Pages {
    shared: Arc<Shared>,
    peers: Vec<JoinHandle<()>>,
}

impl Pages {
    /// Peers that wait for what fires. `entries`: so many there are in the ledger.
    ///
    /// # Errors
    /// An address or a file cannot be used, or there is no thread.
    pub fn spawn(
        peers: Vec<(String, Target)>,
        manner: Manner,
        directory: Arc<Directory>,
        told: Arc<Told>,
        entries: u64,
        clock: fn() -> Moment,
    ) -> Result<Pages, String> {
        let record = deliveries::Record::open(manner.deliveries.as_deref())?;
        let board = Mutex::new(Board::new(manner.mass, manner.findings_for));
        let shared = Arc::new(Shared {
            board,
            news: Condvar::new(),
            manner,
            directory,
            told,
            clock,
            reached: Mutex::new(None),
            at_start: entries,
            ready: AtomicBool::new(entries == 0),
            stop: AtomicBool::new(false),
            may: OnceLock::new(),
            record,
            again_from: Arc::default(),
            risks: Mutex::default(),
        });
        let mut threads = Vec::new();
        for (name, target) in peers {
            let peer = peer::Peer::new(&name, target, Arc::clone(&shared))?;
            let thread = std::thread::Builder::new().name(format!("pages {name}")).spawn(move || peer.run());
            threads.push(thread.map_err(|error| format!("no thread for pages: {error}"))?);
        }
        Ok(Pages { shared, peers: threads })
    }

    /// Who takes entries: all of them. What was breached before anybody was paged fires, too, so it wants them from the first
    /// one on.
    pub fn takes(&self) -> impl FnMut(&[Entry]) -> usize + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move |entries: &[Entry]| {
            shared.take(entries);
            entries.len()
        }
    }

    /// Who takes what is at risk; it waits for nobody.
    pub fn takes_risks(&self) -> impl FnMut(Vec<Risk>, bool) + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move |risks, whole| {
            *shared.risks.lock().unwrap_or_else(PoisonError::into_inner) = Some((risks, whole));
        }
    }

    /// From now on nothing is told, not even again, while it may not be.
    pub fn only_while(&self, may: May) {
        let _ = self.shared.may.set(may);
    }

    /// Entries from this one on must be told again after a restart: what fires follows from them.
    pub fn again_from(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.again_from)
    }

    /// Up to which entry the receiver has everything.
    pub fn reached(&self, reached: Arc<AtomicU64>) {
        *self.shared.reached.lock().unwrap_or_else(PoisonError::into_inner) = Some(reached);
    }

    /// What is news is told, if that is soon.
    pub fn stop(self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.news.notify_all();
        let until = Instant::now() + GRACE + Duration::from_secs(1);
        while self.peers.iter().any(|peer| !peer.is_finished()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // Whoever panicked had changed one alert at most.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, entries: &[Entry]) {
        let live = self.is_ready();
        let mut board = self.board();
        let now = (self.clock)();
        for entry in entries {
            board.take(entry, now, live);
        }
        self.tidy(&mut board, now);
        drop(board);
        self.news.notify_all();
    }

    /// What is over goes, and what fires is counted.
    fn tidy(&self, board: &mut Board, now: Moment) {
        if let Some((risks, whole)) = self.risks.lock().unwrap_or_else(PoisonError::into_inner).take() {
            board.at_risk(risks, whole, now);
        }
        board.tidy(now);
        self.again_from.store(board.oldest(), Ordering::Release);
        let mut firing = [0; 3];
        for notice in board.notices().filter(|notice| notice.ended.is_none() && !notice.about.is_warning()) {
            firing[self.directory.words(notice.under, now).severity as usize] += 1;
        }
        self.told.firing(firing);
    }

    fn may_speak(&self) -> bool {
        self.may.get().is_none_or(|may| may())
    }

    /// The board knows all that was decided before this process began.
    fn is_ready(&self) -> bool {
        if self.ready.load(Ordering::Acquire) {
            return true;
        }
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = reached.as_ref().map_or(0, |reached| reached.load(Ordering::Acquire));
        let ready = reached >= self.at_start;
        self.ready.store(ready, Ordering::Release);
        ready
    }
}
