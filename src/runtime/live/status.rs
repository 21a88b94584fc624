//! What others may know of a running shard, at any moment and without waiting for it: probes, metrics, people.

use super::Feed;
use super::frontiers::Frontier;
use super::judge::{Judge, Taken};
use crate::ingest::feed::FeedId;
use crate::runtime::check::{Row, standings};
use onus_engine::time::{Millis, Moment};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
#[derive(Debug, Default)]
pub struct Status(Mutex<Board>);

/// All of it, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// The shard as a whole, after its last commit.
    pub shown: Shown,
    /// By feed, in the order of the settings.
    pub feeds: Vec<FeedStatus>,
    /// Dead letters of this process's life, by reason.
    pub letters: BTreeMap<&'static str, u64>,
    /// How duties stand, after the last commit.
    pub standings: Vec<Row>,
    /// Commits of this process's life.
    pub commits: u64,
    /// Why the store cannot be written, if so.
    pub store: Option<String>,
    /// Why new contracts were refused, if so.
    pub contracts: Option<String>,
    /// By how much the wall clock has jumped, if it has.
    pub jumped: Option<Millis>,
    /// It has stopped.
    pub ended: bool,
    /// How long the last commits took, until somebody asks.
    seconds: Vec<f64>,
}

/// The shard as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The judge's time.
    pub now: Moment,
    /// Of the last commit.
    pub sequence: u64,
    /// Entries of the ledger.
    pub entries: u64,
    /// Subjects in memory.
    pub live: u64,
    /// Dead letters ever.
    pub letters: u64,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown { now: Moment::DAWN, sequence: 0, entries: 0, live: 0, letters: 0 }
    }
}

/// One feed.
#[derive(Clone, Debug, Default)]
pub struct FeedStatus {
    /// Its name.
    pub name: String,
    /// Records that came.
    pub records: u64,
    /// Of them, dead letters.
    pub refused: u64,
    /// What became of the events.
    pub taken: Taken,
    /// Up to when it was heard; None: not at all.
    pub heard: Option<Moment>,
    /// Records that have not come yet, by partition.
    pub lag: BTreeMap<i32, u64>,
    /// Why it cannot be read at the moment.
    pub trouble: Option<String>,
    /// Why it will not go on until somebody decides.
    pub halted: Option<String>,
}

/// One feed's place on the board.
pub(super) struct FeedPlace<'a>(MutexGuard<'a, Board>, usize);

impl Status {
    pub(super) fn new(feeds: &[Feed]) -> Status {
        let feeds = feeds.iter().map(|feed| FeedStatus { name: feed.name.clone(), ..FeedStatus::default() });
        Status(Mutex::new(Board { feeds: feeds.collect(), ..Board::default() }))
    }

    /// As it is now.
    pub fn board(&self) -> Board {
        self.lock().clone()
    }

    /// Why it is not ready; empty: it is.
    pub fn unready(&self) -> Vec<String> {
        let board = self.lock();
        let mut why = Vec::new();
        why.extend(board.ended.then(|| "it has stopped".to_owned()));
        why.extend(board.store.iter().map(|what| format!("store: {what}")));
        for feed in &board.feeds {
            why.extend(feed.halted.iter().map(|what| format!("source {} is halted: {what}", feed.name)));
            why.extend(feed.trouble.iter().map(|what| format!("source {}: {what}", feed.name)));
        }
        why
    }

    // A poisoned lock guards plain values: they are as good as they were.
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn feed(&self, feed: FeedId) -> FeedPlace<'_> {
        FeedPlace(self.lock(), usize::from(feed.0))
    }

    pub(super) fn letter(&self, reason: &'static str) {
        *self.lock().letters.entry(reason).or_default() += 1;
    }

    pub(super) fn store(&self, trouble: Option<String>) {
        self.lock().store = trouble;
    }

    pub(super) fn contracts(&self, refused: Option<String>) {
        self.lock().contracts = refused;
    }

    pub(super) fn jumped(&self, by: Option<Millis>) {
        self.lock().jumped = by;
    }

    pub(super) fn took(&self, seconds: f64) {
        let mut board = self.lock();
        // If nobody asks for a day, the oldest are forgotten.
        if board.seconds.len() >= 1 << 16 {
            board.seconds.clear();
        }
        board.seconds.push(seconds);
    }

    /// How long commits took since this was last asked.
    pub fn commit_seconds(&self) -> Vec<f64> {
        std::mem::take(&mut self.lock().seconds)
    }

    pub(super) fn end(&self) {
        self.lock().ended = true;
    }

    pub(super) fn show(&self, shown: Shown, judge: &Judge, frontiers: &[Frontier], heard: &[Moment]) {
        let mut board = self.lock();
        board.commits += u64::from(shown.sequence != board.shown.sequence);
        board.shown = shown;
        for (i, frontier) in frontiers.iter().enumerate() {
            let Some(feed) = board.feeds.get_mut(i) else { continue };
            feed.taken = judge.taken[i];
            feed.heard = (heard[i] != Moment::DAWN).then_some(heard[i]);
            feed.lag = frontier.lags().collect();
        }
    }

    /// Counts of duties, which take longer: not at every commit.
    pub(super) fn show_standings(&self, judge: &Judge) {
        let rows = standings(&judge.engine);
        self.lock().standings = rows;
    }
}

impl FeedPlace<'_> {
    fn change(mut self, change: impl FnOnce(&mut FeedStatus)) {
        let FeedPlace(board, at) = &mut self;
        if let Some(feed) = board.feeds.get_mut(*at) {
            change(feed);
        }
    }

    pub(super) fn fine(self) {
        self.change(|feed| feed.trouble = None);
    }

    pub(super) fn trouble(self, why: String) {
        self.change(|feed| feed.trouble = Some(why));
    }

    pub(super) fn halt(self, why: String) {
        self.change(|feed| feed.halted = Some(why));
    }

    /// A partition goes on; `still`: why another one does not.
    pub(super) fn goes_on(self, still: Option<String>) {
        self.change(|feed| feed.halted = still);
    }

    pub(super) fn took(self, records: u64, refused: u64) {
        self.change(|feed| {
            feed.records += records;
            feed.refused += refused;
        });
    }
}
