//! What others may know of a running shard, at any moment and without waiting for it: probes, metrics, people.

use super::Feed;
use super::figures::{Duties, Looking};
use super::frontiers::Frontier;
use super::judge::{Judge, Taken};
use crate::ingest::feed::{FeedId, Gauge};
use onus_engine::identity::DutyId;
use onus_engine::time::{Millis, Moment};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// See the module.
#[derive(Debug, Default)]
pub struct Status(Mutex<Board>, OnceLock<Gauge>);

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
    pub duties: Arc<Duties>,
    /// Facts by what became of them, ever.
    pub facts: onus_engine::engine::Counts,
    /// Commits of this process's life.
    pub commits: u64,
    /// Why the store cannot be written, if so.
    pub store: Option<String>,
    /// What an intake has written to the exchange; None: it is no intake.
    pub written: Option<Written>,
    /// Why new contracts were refused, if so.
    pub contracts: Option<String>,
    /// By how much the wall clock has jumped, if it has.
    pub jumped: Option<Millis>,
    /// It has stopped.
    pub ended: bool,
    /// How long the last commits took, until somebody asks.
    seconds: Vec<f64>,
    /// Breaches that were declared, until somebody asks.
    declared: Vec<Declared>,
    /// What the journal had at the start is counted in what became of the events of each feed, and not shown.
    before: Option<Vec<Taken>>,
}

/// What an intake has written to the exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Events that the brokers have, in this process's life.
    pub events: u64,
    /// Events that are kept in the store until the brokers have them.
    pub waiting: u64,
    /// When the brokers last took some; None: they did not yet.
    pub last: Option<Moment>,
    /// Why they do not, if so.
    pub trouble: Option<String>,
}

/// A breach that was declared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Declared {
    /// Which duty's.
    pub duty: DutyId,
    /// When its commit was written, by the judge's clock.
    pub at: Moment,
    /// How long after it could have been.
    pub seconds: f64,
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
    /// Subjects that no scope and no catalogue has given to a partner.
    pub unowned: u64,
    /// Subjects of which a later event fits another partner.
    pub moved: u64,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown { now: Moment::DAWN, sequence: 0, entries: 0, live: 0, letters: 0, unowned: 0, moved: 0 }
    }
}

/// One feed.
#[derive(Clone, Debug, Default)]
pub struct FeedStatus {
    /// Its name.
    pub name: String,
    /// Records that came; of one that an adapter has read, each part that became an event or a dead letter.
    pub records: u64,
    /// Of them, dead letters.
    pub refused: u64,
    /// Of them, those that tell nothing, as it should be.
    pub skipped: u64,
    /// The same, by why.
    pub passed: BTreeMap<&'static str, u64>,
    /// Events that named another partner than the catalogue.
    pub contradicted: u64,
    /// Events that it may not say: of a partner, or of a type, that is not its own.
    pub unauthorised: u64,
    /// When the latest of these came.
    pub violated: Option<Moment>,
    /// What became of the events.
    pub taken: Taken,
    /// Up to when it was heard; None: not at all.
    pub heard: Option<Moment>,
    /// When something last came; None: nothing did.
    pub last: Option<Moment>,
    /// How often it promises to say something.
    pub heartbeat: Option<Millis>,
    /// It promised to say something, and did not.
    pub silent: bool,
    /// Records that have not come yet, by partition.
    pub lag: BTreeMap<i32, u64>,
    /// Why it cannot be read at the moment.
    pub trouble: Option<String>,
    /// Why it will not go on until somebody decides.
    pub halted: Option<String>,
    /// Records that were read and not taken in yet.
    pub waiting: u64,
    /// How long its quota kept records waiting, in this process's life; None: it has none.
    pub held: Option<Duration>,
    /// How often somebody who pushed was told to come again, because of its quota.
    pub turned_away: u64,
    /// Another lane reads it: nothing is known of it here.
    pub elsewhere: bool,
}

/// One feed's place on the board.
pub(crate) struct FeedPlace<'a>(MutexGuard<'a, Board>, usize);

impl Status {
    pub(crate) fn new(feeds: &[Feed]) -> Status {
        let feeds = feeds.iter().map(|feed| FeedStatus {
            name: feed.name.clone(),
            heartbeat: feed.heartbeat,
            ..FeedStatus::default()
        });
        Status(Mutex::new(Board { feeds: feeds.collect(), ..Board::default() }), OnceLock::new())
    }

    /// As it is now.
    pub fn board(&self) -> Board {
        let waits = self.1.get().map(Gauge::waits).unwrap_or_default();
        let mut board = self.lock().clone();
        for (feed, waits) in board.feeds.iter_mut().zip(waits) {
            (feed.waiting, feed.held, feed.turned_away) = (waits.records, waits.held, waits.turned_away);
        }
        board
    }

    /// From here on it shows what waits there.
    pub(crate) fn hears(&self, gauge: Gauge) {
        // A loop is run once.
        let _ = self.1.set(gauge);
    }

    /// Why it is not ready; empty: it is.
    pub fn unready(&self) -> Vec<String> {
        let board = self.lock();
        let mut why = Vec::new();
        why.extend(board.ended.then(|| "it has stopped".to_owned()));
        why.extend(board.store.iter().map(|what| format!("store: {what}")));
        let exchange = board.written.as_ref().and_then(|written| written.trouble.as_ref());
        why.extend(exchange.map(|what| format!("exchange: {what}")));
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

    pub(crate) fn feed(&self, feed: FeedId) -> FeedPlace<'_> {
        FeedPlace(self.lock(), usize::from(feed.0))
    }

    pub(crate) fn letter(&self, reason: &'static str) {
        *self.lock().letters.entry(reason).or_default() += 1;
    }

    pub(crate) fn store(&self, trouble: Option<String>) {
        self.lock().store = trouble;
    }

    /// What has changed in what an intake writes.
    #[cfg(feature = "kafka")]
    pub(crate) fn writes(&self, change: impl FnOnce(&mut Written)) {
        change(self.lock().written.get_or_insert_default());
    }

    /// A commit of an intake took place, and so far its feeds were heard.
    #[cfg(feature = "kafka")]
    pub(crate) fn reads(&self, sequence: u64, frontiers: &mut [Frontier], now: Moment) {
        let mut board = self.lock();
        board.commits += u64::from(sequence != board.shown.sequence);
        board.shown.sequence = sequence;
        for (feed, frontier) in board.feeds.iter_mut().zip(frontiers) {
            let heard = frontier.heard(now);
            feed.heard = (heard != Moment::DAWN).then_some(heard);
            (feed.last, feed.silent) = (frontier.last(), frontier.is_silent(now));
            feed.lag = frontier.lags().collect();
        }
    }

    pub(crate) fn contracts(&self, refused: Option<String>) {
        self.lock().contracts = refused;
    }

    pub(super) fn jumped(&self, by: Option<Millis>) {
        self.lock().jumped = by;
    }

    pub(crate) fn took(&self, seconds: f64) {
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

    /// Breaches that were declared since this was last asked.
    pub fn declared(&self) -> Vec<Declared> {
        std::mem::take(&mut self.lock().declared)
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
    }

    /// Shows how it stood at an instant.
    pub(super) fn show(&self, snap: Snap) {
        let mut board = self.lock();
        board.commits += u64::from(snap.shown.sequence != board.shown.sequence);
        board.shown = snap.shown;
        board.facts = snap.facts;
        let taken = || snap.feeds.iter().map(|feed| feed.taken).collect();
        let before = board.before.take().unwrap_or_else(taken);
        for ((feed, now), before) in board.feeds.iter_mut().zip(snap.feeds).zip(&before) {
            feed.taken = now.taken.less(before);
            (feed.heard, feed.lag, feed.last, feed.silent) = (now.heard, now.lag, now.last, now.silent);
        }
        board.before = Some(before);
        if let Some(duties) = snap.duties {
            board.duties = duties;
        }
        // If nobody asks for a day, the oldest are forgotten.
        if board.declared.len() >= 1 << 16 {
            board.declared.clear();
        }
        let took = board.seconds.last().copied().unwrap_or(0.0);
        let now = snap.shown.now;
        let since = |from: Moment| ((now - from).max(0) as f64 / 1e3 + took).max(0.0);
        let declared = snap.declared.into_iter().map(|(from, duty)| Declared { duty, at: now, seconds: since(from) });
        board.declared.extend(declared);
    }
}

/// How a shard stands at an instant, to be shown once that is written.
#[derive(Debug)]
pub(super) struct Snap {
    shown: Shown,
    feeds: Vec<FeedSnap>,
    facts: onus_engine::engine::Counts,
    /// Counting takes longer: not each time.
    duties: Option<Arc<Duties>>,
    /// Breaches that were declared since the last one: since when they could be, and whose.
    pub(super) declared: Vec<(Moment, DutyId)>,
}

#[derive(Debug)]
struct FeedSnap {
    taken: Taken,
    heard: Option<Moment>,
    last: Option<Moment>,
    silent: bool,
    lag: BTreeMap<i32, u64>,
}

impl Snap {
    pub(super) fn new(
        shown: Shown,
        judge: &Judge,
        frontiers: &[Frontier],
        heard: &[Moment],
        looking: Option<&Looking>,
    ) -> Snap {
        let feed = |(i, frontier): (usize, &Frontier)| FeedSnap {
            taken: judge.taken[i],
            heard: (heard[i] != Moment::DAWN).then_some(heard[i]),
            last: frontier.last(),
            silent: frontier.is_silent(shown.now),
            lag: frontier.lags().collect(),
        };
        let feeds = frontiers.iter().enumerate().map(feed).collect();
        let duties = looking.and_then(|looking| looking.duties(&judge.engine));
        Snap { shown, feeds, facts: judge.engine.counts(), duties, declared: Vec::new() }
    }
}

impl Taken {
    /// What came since.
    fn less(self, before: &Taken) -> Taken {
        Taken {
            events: self.events.saturating_sub(before.events),
            idle: self.idle.saturating_sub(before.idle),
            unbound: self.unbound.saturating_sub(before.unbound),
            aside: self.aside,
        }
    }
}

impl FeedPlace<'_> {
    fn change(mut self, change: impl FnOnce(&mut FeedStatus)) {
        let FeedPlace(board, at) = &mut self;
        if let Some(feed) = board.feeds.get_mut(*at) {
            change(feed);
        }
    }

    pub(crate) fn fine(self) {
        self.change(|feed| feed.trouble = None);
    }

    pub(crate) fn trouble(self, why: String) {
        self.change(|feed| feed.trouble = Some(why));
    }

    pub(crate) fn halt(self, why: String) {
        self.change(|feed| feed.halted = Some(why));
    }

    /// A partition goes on; `still`: why another one does not.
    pub(crate) fn goes_on(self, still: Option<String>) {
        self.change(|feed| feed.halted = still);
    }

    /// It said so many things that are not its to say.
    pub(super) fn violated(self, events: u64, at: Moment) {
        if events > 0 {
            self.change(|feed| {
                feed.unauthorised += events;
                feed.violated = feed.violated.max(Some(at));
            });
        }
    }

    pub(crate) fn contradicted(self, events: u64) {
        if events > 0 {
            self.change(|feed| feed.contradicted += events);
        }
    }

    #[cfg(feature = "kafka")]
    pub(crate) fn read_elsewhere(self) {
        self.change(|feed| feed.elsewhere = true);
    }

    pub(crate) fn took(self, records: u64, refused: u64) {
        self.change(|feed| {
            feed.records += records;
            feed.refused += refused;
        });
    }

    /// So many records came that tell nothing, by why.
    pub(crate) fn passed(self, by_why: &BTreeMap<&'static str, u64>) {
        if by_why.is_empty() {
            return;
        }
        self.change(|feed| {
            for (why, records) in by_why {
                feed.records += records;
                feed.skipped += records;
                *feed.passed.entry(why).or_default() += records;
            }
        });
    }
}
