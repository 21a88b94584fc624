//! `onus run`: the one loop. Sources speak into a channel; what they say is judged, written down in one commit, and only
//! then told.
//!
//! ```text
//! sources -> channel -> Live::take    journal, judge, ledger: in memory
//!                       Live::commit  all of it in one transaction, or none of it
//!                       publish       messages, receipts
//! ```
//!
//! Killed at any instant, the next process finds a commit and goes on behind it: the journal is judged again up to there,
//! and sources are read from the positions that it holds.

mod clock;
mod frontiers;
mod journal;
mod judge;
mod ledger;
mod recover;
mod shelves;
mod status;

pub use clock::{Machine, Time};
pub use judge::{Clock, Taken};
pub use ledger::json;
pub use recover::{Moved, Replayed, replay};
pub use status::{Board, FeedStatus, Shown, Status};

use crate::ingest::feed::{FeedId, Heard, Receipt, Records, Wish};
use crate::store::{Batch, Epoch, LETTER, Letter, LetterState, Message, Position, Query, Store, StoreError, Terms};
use clock::Now;
use frontiers::Frontier;
use journal::{Item, Piece, Writer};
use judge::{Judge, Refused};
use ledger::Ledger;
use onus_engine::terms::{Contract, Side, Trust};
use onus_engine::time::{DAY, Millis, Moment};
use serde::{Deserialize, Serialize};
use shelves::{Leaving, Shelves};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;
use xxhash_rust::xxh3::xxh3_64;

/// What a source may say, and how its silence is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name in the settings.
    pub name: String,
    /// Patterns of the partners that it may speak of.
    pub partners: Vec<String>,
    /// Patterns of the event types that it may say.
    pub types: Vec<String>,
    /// How far it is believed.
    pub trust: Trust,
    /// Whose it is.
    pub owner: Option<Side>,
    /// The `recordedtime` of its events is believed, not only when they came.
    pub claims_time: bool,
    /// How long an act normally takes to reach us.
    pub transit: Millis,
    /// How often it promises to say something.
    pub heartbeat: Option<Millis>,
}

impl Feed {
    /// One that may say everything, believed, at once.
    pub fn named(name: &str) -> Feed {
        Feed {
            name: name.to_owned(),
            partners: vec!["*".to_owned()],
            types: vec!["*".to_owned()],
            trust: Trust::Verified,
            owner: None,
            claims_time: false,
            transit: 0,
            heartbeat: None,
        }
    }
}

/// Contracts as they were read.
#[derive(Clone, Debug)]
pub struct Contracts {
    /// Loaded.
    pub list: Vec<Contract>,
    /// Their files, for the store.
    pub text: String,
}

/// How a shard is run.
pub struct Plan {
    /// Reads the contracts, at the start and when asked to; else says why not.
    pub contracts: Box<dyn FnMut() -> Result<Contracts, String> + Send>,
    /// Sources, in the order of their [`FeedId`]s.
    pub feeds: Vec<Feed>,
    /// Who says what time it is.
    pub clock: Clock,
    /// How late news may come.
    pub settling: Millis,
    /// Longest time from an event to its commit.
    pub commit_every: Millis,
    /// Most events of a commit.
    pub batch: usize,
    /// Least time between snapshots.
    pub snapshot_every: Millis,
    /// Somebody wants to be told: messages are written.
    pub tells: bool,
    /// Who runs it, for people who find another owner.
    pub owner: String,
}

/// Why it cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The contracts at the start.
    #[error("{0}")]
    Contracts(String),
    /// The journal says what no version of this program wrote.
    #[error("the journal cannot be judged again: {0}")]
    Journal(String),
}

/// One shard, judged as it happens.
pub struct Live {
    plan: Plan,
    store: Box<dyn Store>,
    epoch: Epoch,
    sequence: u64,
    terms: Terms,
    judge: Judge,
    ledger: Ledger,
    leaving: Leaving,
    journal: Writer,
    frontiers: Vec<Frontier>,
    /// As told to the judge.
    heard: Vec<Moment>,
    positions: BTreeMap<(u16, i32), Position>,
    moved: BTreeSet<(u16, i32)>,
    /// By the events' clock: how far each partition has come, and whether it waits for more.
    peaks: BTreeMap<(u16, i32), (Option<Moment>, bool)>,
    letters: Vec<Letter>,
    letter: u64,
    reread: Vec<(u64, LetterState)>,
    waiting: Vec<Waiting>,
    events: usize,
    now: Now,
    /// When the oldest thing that waits for a commit came, by the steady clock.
    since: Option<Millis>,
    idle_since: Millis,
    snapped: (Millis, usize, usize),
    letters_asked: Millis,
    shown: Millis,
    /// Something was written that nobody was told of.
    untold: bool,
    status: Arc<Status>,
}

/// Somebody who waits until records are written down.
struct Waiting {
    done: oneshot::Sender<Receipt>,
    /// Of them, those that became dead letters.
    refused: Vec<(usize, String)>,
}

/// Longest time without a commit while only time passes.
const IDLE: Millis = 10_000;
/// Journal bytes for each byte of a snapshot before the next is taken.
const WORTH: usize = 4;
/// One piece of a snapshot, compressed.
const PIECE: usize = 4 << 20;
/// How often counts are shown.
const SHOWN: Millis = 1_000;
/// How often operators' wishes are looked up.
const WISHES: Millis = 2_000;

impl Live {
    /// Takes the shard over and comes to where the last owner was.
    pub fn open(mut plan: Plan, mut store: Box<dyn Store>, time: Box<dyn Time>) -> Result<Live, LiveError> {
        let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
        let mut now = Now::new(time);
        let found = recover::recover(&plan, &contracts, store.as_mut())?;
        let recover::Recovered { claim, judge, terms, ledger } = found;
        let heard_before: BTreeMap<String, Moment> =
            judge.engine.frontiers().map(|(name, heard)| (name.to_owned(), heard)).collect();
        let heard: Vec<Moment> =
            plan.feeds.iter().map(|f| heard_before.get(&f.name).copied().unwrap_or(Moment::DAWN)).collect();
        let frontiers = plan.feeds.iter().zip(&heard).map(|(feed, heard)| Frontier::new(feed, *heard)).collect();
        let mut positions = BTreeMap::new();
        for position in claim.positions {
            if let Some(feed) = plan.feeds.iter().position(|feed| feed.name == position.source) {
                positions.insert((feed as u16, position.partition), position);
            }
        }
        let start = now.steady();
        let live = Live {
            store,
            epoch: claim.epoch,
            sequence: claim.sequence,
            terms,
            judge,
            ledger,
            leaving: Leaving::default(),
            journal: Writer::default(),
            frontiers,
            heard,
            positions,
            moved: BTreeSet::new(),
            peaks: BTreeMap::new(),
            letters: Vec::new(),
            letter: claim.letters,
            reread: Vec::new(),
            waiting: Vec::new(),
            events: 0,
            now,
            since: None,
            idle_since: start,
            snapped: (start, 0, 0),
            letters_asked: 0,
            shown: Millis::MIN / 2,
            untold: false,
            status: Arc::new(Status::new(&plan.feeds)),
            plan,
        };
        live.show();
        Ok(live)
    }

    /// How far a feed was read, for whoever reads it on.
    pub fn positions(&self, feed: FeedId) -> Vec<Position> {
        self.positions.range((feed.0, i32::MIN)..=(feed.0, i32::MAX)).map(|(_, p)| p.clone()).collect()
    }

    /// What others may know of it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// The state in words, by which two shards are compared.
    pub fn dump(&self) -> String {
        self.judge.engine.dump()
    }

    /// The last commit's sequence.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The store, for questions between commits.
    pub fn store(&mut self) -> &mut dyn Store {
        self.store.as_mut()
    }

    /// Runs until it is asked to stop, or, if so wanted, every source has ended.
    ///
    /// `told` gets what is to be told, after its commit, and says which of it the receivers took; `committed` gets the
    /// positions that are written.
    pub fn run(
        &mut self,
        sources: &Receiver<Heard>,
        until_end: bool,
        stop: &AtomicBool,
        told: &mut dyn FnMut(&[Message]) -> Vec<u64>,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        self.catch_up(told)?;
        let mut ended = 0;
        while !stop.load(Ordering::Relaxed) {
            let wait = self.wait();
            match sources.recv_timeout(wait) {
                Ok(Heard::Wish(Wish::Stop)) => break,
                Ok(heard) => {
                    ended += usize::from(matches!(heard, Heard::Ended { .. }));
                    self.take(heard)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tick()?;
            if self.is_due() {
                self.commit_or_wait(stop, told, committed)?;
            }
            if std::mem::take(&mut self.untold) {
                self.catch_up(told)?;
            }
            if until_end && ended == self.plan.feeds.len() {
                break;
            }
        }
        self.commit_or_wait(stop, told, committed)?;
        self.snapshot()?;
        self.status.end();
        Ok(())
    }

    fn wait(&mut self) -> Duration {
        let steady = self.now.steady();
        let due = self.since.map_or(100, |since| (since + self.plan.commit_every - steady).clamp(0, 100));
        Duration::from_millis(due as u64)
    }

    /// Takes in what a source says.
    pub fn take(&mut self, heard: Heard) -> Result<(), LiveError> {
        match heard {
            Heard::Records(records) => self.records(records, None)?,
            Heard::Began { feed, partition, incarnation, next } => self.began(feed, partition, &incarnation, next),
            Heard::CaughtUp { feed, partition, partitions, at, lag } => {
                self.frontiers[usize::from(feed.0)].caught_up(partition, partitions, at, lag);
                self.peaks.entry((feed.0, partition)).or_default().1 = true;
                self.status.feed(feed).fine();
            }
            Heard::Behind { feed, partition, partitions, lag } => {
                self.frontiers[usize::from(feed.0)].behind(partition, partitions, lag);
                self.peaks.entry((feed.0, partition)).or_default().1 = false;
            }
            Heard::Trouble { feed, why } => {
                tracing::warn!(source = self.plan.feeds[usize::from(feed.0)].name, "{why}");
                self.status.feed(feed).trouble(why);
            }
            Heard::Fine { feed } => self.status.feed(feed).fine(),
            Heard::Halted { feed, partition, why } => {
                tracing::error!(source = self.plan.feeds[usize::from(feed.0)].name, partition, "{why}");
                self.status.feed(feed).halt(why);
            }
            Heard::Ended { feed } => {
                self.frontiers[usize::from(feed.0)].end();
                for (_, peak) in self.peaks.range_mut((feed.0, i32::MIN)..=(feed.0, i32::MAX)) {
                    peak.1 = true;
                }
            }
            Heard::Wish(Wish::Reload) => self.reload()?,
            Heard::Wish(Wish::Stop) => {}
        }
        Ok(())
    }

    /// Takes records in: judged, and in the journal, and not yet written. `letter`: they were a dead letter before.
    fn records(&mut self, mut records: Records, letter: Option<u64>) -> Result<(), LiveError> {
        let at = usize::from(records.feed.0);
        let key = (records.feed.0, records.partition);
        self.time_for(key)?;
        let arrived: Vec<Moment> = records.list.iter().map(|one| one.arrived).collect();
        let mut refused: Vec<Refused> = Vec::new();
        for (line, one) in records.list.iter().enumerate() {
            if let Some(bytes) = one.cut {
                let error = crate::decode::DecodeError::TooLong { bytes: bytes as usize };
                refused.push(Refused { line, reason: error.name(), detail: error.to_string() });
            }
        }
        let cut: Vec<usize> = refused.iter().map(|one| one.line).collect();
        let mut trouble = None;
        self.with_shelves(|judge, shelves| {
            judge.lines(at, &records.bytes, &arrived, shelves, &mut |one| {
                if !cut.contains(&one.line) {
                    refused.push(one);
                }
            });
            trouble = shelves.trouble.take();
        });
        if let Some(trouble) = trouble {
            return Err(trouble.into());
        }
        refused.sort_by_key(|one| one.line);
        self.write_down(&records, &arrived, &refused);
        self.status.feed(records.feed).took(records.list.len() as u64, refused.len() as u64);
        match letter {
            Some(number) => {
                let state = if refused.is_empty() { LetterState::Replayed } else { LetterState::Waiting };
                self.reread.push((number, state));
            }
            None => {
                for one in &refused {
                    self.put_letter(&records, one);
                }
                self.note_position(&records, key);
                if let (Some(frontier), Some(last)) = (self.frontiers.get_mut(at), arrived.last()) {
                    frontier.came(records.partition, *last, records.stamped);
                    if let Some(tick) = self.judge.tick {
                        frontier.tick(tick);
                    }
                }
            }
        }
        let reached = self.peaks.entry(key).or_default();
        reached.0 = reached.0.max(self.judge.peak);
        self.ledger.take(&mut self.judge.engine);
        self.events += records.list.len();
        if let Some(done) = records.done.take() {
            let refused = refused.into_iter().map(|one| (one.line, format!("{}: {}", one.reason, one.detail)));
            self.waiting.push(Waiting { done, refused: refused.collect() });
        }
        self.since.get_or_insert(self.now.steady());
        Ok(())
    }

    /// What became of it is a matter of the journal from here on; what was refused changed nothing and is not in it.
    fn write_down(&mut self, records: &Records, arrived: &[Moment], refused: &[Refused]) {
        let gone = |line: usize| refused.binary_search_by_key(&line, |one| one.line).is_ok();
        let (mut offsets, mut times) = (Vec::new(), Vec::new());
        let (mut last, mut then) = (0, 0);
        for (line, one) in records.list.iter().enumerate().filter(|(line, _)| !gone(*line)) {
            offsets.push(one.offset.wrapping_sub(last));
            times.push(arrived[line].0 - then);
            (last, then) = (one.offset, arrived[line].0);
        }
        if offsets.is_empty() {
            return;
        }
        let lines = if refused.is_empty() {
            Cow::Borrowed(&records.bytes[..])
        } else {
            let mut rest = Vec::with_capacity(records.bytes.len());
            for (_, one) in records.list.iter().enumerate().filter(|(line, _)| !gone(*line)) {
                rest.extend_from_slice(records.record(one));
                rest.push(b'\n');
            }
            Cow::Owned(rest)
        };
        let feed = self.journal.name(&self.plan.feeds[usize::from(records.feed.0)].name);
        let piece = Piece { feed, partition: records.partition, offsets, arrived: times, lines };
        self.journal.put(&Item::Piece(piece));
    }

    fn put_letter(&mut self, records: &Records, refused: &Refused) {
        let one = &records.list[refused.line];
        let whole = records.record(one);
        self.letter += 1;
        self.letters.push(Letter {
            number: self.letter,
            source: self.plan.feeds[usize::from(records.feed.0)].name.clone(),
            partition: records.partition,
            offset: one.offset,
            at: one.arrived,
            reason: refused.reason.to_owned(),
            detail: refused.detail.clone(),
            record: whole[..whole.len().min(LETTER)].to_vec(),
            length: one.cut.unwrap_or(whole.len() as u64),
            hash: xxh3_64(whole),
            state: LetterState::Waiting,
            note: None,
        });
        self.status.letter(refused.reason);
    }

    /// Where reading begins is written down like what was read.
    fn began(&mut self, feed: FeedId, partition: i32, incarnation: &str, next: u64) {
        let source = self.plan.feeds[usize::from(feed.0)].name.clone();
        let position = Position { source, partition, incarnation: incarnation.to_owned(), next, last: 0 };
        self.positions.insert((feed.0, partition), position);
        self.moved.insert((feed.0, partition));
        self.since.get_or_insert(self.now.steady());
    }

    fn note_position(&mut self, records: &Records, key: (u16, i32)) {
        let Some(last) = records.list.last() else { return };
        let position = Position {
            source: self.plan.feeds[usize::from(records.feed.0)].name.clone(),
            partition: records.partition,
            incarnation: records.incarnation.to_string(),
            next: last.next,
            last: xxh3_64(records.record(last)),
        };
        self.positions.insert(key, position);
        self.moved.insert(key);
    }

    /// Before events of a partition are taken in: time goes on.
    fn time_for(&mut self, partition: (u16, i32)) -> Result<(), LiveError> {
        match self.plan.clock {
            Clock::Wall => self.pass_time(),
            Clock::Events => {
                let others = self.peaks.iter().filter(|(key, (_, waits))| **key != partition && !waits);
                let ceiling = others.map(|(_, (peak, _))| peak.unwrap_or(Moment::DAWN)).min();
                self.tell_time(ceiling.unwrap_or(Moment::NEVER), Vec::new())
            }
        }
    }

    /// By the wall clock: now, and how far each feed has been heard by now.
    fn pass_time(&mut self) -> Result<(), LiveError> {
        let now = self.now.now();
        let mut news = Vec::new();
        for (feed, frontier) in self.frontiers.iter_mut().enumerate() {
            let heard = frontier.heard(now);
            if heard > self.heard[feed] {
                self.heard[feed] = heard;
                news.push((feed, heard));
            }
        }
        self.tell_time(now, news)
    }

    fn tell_time(&mut self, now: Moment, news: Vec<(usize, Moment)>) -> Result<(), LiveError> {
        let unchanged = match self.plan.clock {
            Clock::Wall => now <= self.judge.engine.now(),
            Clock::Events => now == self.judge.ceiling,
        };
        if unchanged && news.is_empty() {
            return Ok(());
        }
        let names = &self.plan.feeds;
        let heard = news.iter().map(|(feed, at)| (self.journal.name(&names[*feed].name), *at)).collect();
        self.journal.put(&Item::Time { now, heard });
        let mut trouble = None;
        self.with_shelves(|judge, shelves| {
            judge.time(now, &news, shelves);
            trouble = shelves.trouble.take();
        });
        trouble.map_or(Ok(()), |trouble| Err(trouble.into()))
    }

    fn with_shelves(&mut self, act: impl FnOnce(&mut Judge, &mut Shelves<'_>)) {
        let mut shelves = Shelves {
            leaving: &mut self.leaving,
            store: self.store.as_mut(),
            generation: self.terms.generation,
            before: u64::MAX,
            trouble: None,
        };
        act(&mut self.judge, &mut shelves);
    }

    /// Time passes, and operators may have wishes.
    pub fn tick(&mut self) -> Result<(), LiveError> {
        if self.plan.clock == Clock::Wall {
            self.pass_time()?;
        }
        self.ledger.take(&mut self.judge.engine);
        if !self.ledger.entries.is_empty() {
            self.since.get_or_insert(self.now.steady());
        }
        let steady = self.now.steady();
        if steady - self.letters_asked >= WISHES {
            self.letters_asked = steady;
            self.read_letters_again()?;
        }
        self.status.jumped(self.now.jumped);
        if steady - self.shown >= SHOWN {
            self.shown = steady;
            self.status.show_standings(&self.judge);
            self.show();
        }
        Ok(())
    }

    /// There is something to commit, and it has waited long enough.
    pub fn is_due(&mut self) -> bool {
        let steady = self.now.steady();
        self.events >= self.plan.batch
            || self.since.is_some_and(|since| steady - since >= self.plan.commit_every)
            || !self.journal.is_empty() && steady - self.idle_since >= IDLE
    }

    /// Writes down what is in hand. Nothing of it was told before; on an error nothing of it is written, and it may be
    /// tried again.
    pub fn commit(&mut self) -> Result<(), LiveError> {
        if self.journal.is_empty() && self.letters.is_empty() && self.moved.is_empty() && self.reread.is_empty() {
            self.settle_receipts();
            return Ok(());
        }
        let wrong = |what: String| StoreError::Refused { target: "the journal".to_owned(), why: what };
        let blob = self.journal.blob().map_err(|e| wrong(e.to_string()))?;
        let pages = self.leaving.pages().map_err(wrong)?;
        let positions: Vec<Position> = self.moved.iter().filter_map(|key| self.positions.get(key).cloned()).collect();
        let batch = Batch {
            sequence: self.sequence + 1,
            now: self.judge.engine.now(),
            journal: &blob,
            entries: &self.ledger.entries,
            messages: &self.ledger.told,
            letters: &self.letters,
            reread: &self.reread,
            released: (self.terms.generation, &pages),
            positions: &positions,
            terms: None,
        };
        let began = std::time::Instant::now();
        self.store.commit(self.epoch, &batch)?;
        self.status.took(began.elapsed().as_secs_f64());
        self.sequence += 1;
        self.snapped.1 += blob.len();
        self.journal.clear();
        self.leaving.clear();
        self.ledger.clear();
        self.letters.clear();
        self.reread.clear();
        self.moved.clear();
        (self.events, self.since) = (0, None);
        self.idle_since = self.now.steady();
        self.settle_receipts();
        self.show();
        Ok(())
    }

    fn settle_receipts(&mut self) {
        for one in self.waiting.drain(..) {
            // Who waited may have given up.
            let _ = one.done.send(Receipt::Written(one.refused));
        }
    }

    /// Commits, however long the store is away: nothing is taken in meanwhile, so sources wait.
    fn commit_or_wait(
        &mut self,
        stop: &AtomicBool,
        told: &mut dyn FnMut(&[Message]) -> Vec<u64>,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        let messages = self.ledger.told.clone();
        let positions: Vec<Position> = self.moved.iter().filter_map(|key| self.positions.get(key).cloned()).collect();
        let mut pause = 100;
        loop {
            match self.commit() {
                Ok(()) => break,
                Err(LiveError::Store(error)) if error.may_pass() && !stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    self.status.store(Some(error.to_string()));
                    std::thread::sleep(Duration::from_millis(pause));
                    pause = (pause * 2).min(5_000);
                }
                Err(error) => {
                    for one in self.waiting.drain(..) {
                        let _ = one.done.send(Receipt::Not(error.to_string()));
                    }
                    return Err(error);
                }
            }
        }
        self.status.store(None);
        if !positions.is_empty() {
            committed(&positions);
        }
        self.tell(&messages, told)?;
        if self.wants_snapshot() {
            self.snapshot()?;
        }
        Ok(())
    }

    fn tell(&mut self, messages: &[Message], told: &mut dyn FnMut(&[Message]) -> Vec<u64>) -> Result<(), LiveError> {
        if messages.is_empty() {
            return Ok(());
        }
        let taken = told(messages);
        if !taken.is_empty() {
            self.store.delivered(self.epoch, &taken)?;
        }
        Ok(())
    }

    /// What was written and perhaps not told by whoever ran before.
    fn catch_up(&mut self, told: &mut dyn FnMut(&[Message]) -> Vec<u64>) -> Result<(), LiveError> {
        let mut after = 0;
        while self.plan.tells {
            let messages = self.store.messages(after, 1_000)?;
            let Some(last) = messages.last() else { break };
            after = last.number;
            self.tell(&messages, told)?;
        }
        Ok(())
    }

    fn wants_snapshot(&mut self) -> bool {
        let (at, journal, size) = self.snapped;
        self.now.steady() - at >= self.plan.snapshot_every && journal > WORTH * size
    }

    /// Writes a snapshot: the next start judges only what the journal has after it.
    pub fn snapshot(&mut self) -> Result<(), LiveError> {
        let written =
            recover::write_snapshot(self.store.as_mut(), self.epoch, self.sequence, &self.judge, &self.terms)?;
        self.snapped = (self.now.steady(), 0, written);
        Ok(())
    }

    /// Dead letters that somebody asked to be read again.
    fn read_letters_again(&mut self) -> Result<(), LiveError> {
        let asked = Query { state: Some(LetterState::Asked), limit: 100, ..Query::default() };
        let again = match self.store.letters(&asked) {
            Err(error) if error.may_pass() => return Ok(()),
            found => found?,
        };
        for letter in again {
            let feed = self.plan.feeds.iter().position(|feed| feed.name == letter.source);
            let known = self.reread.iter().any(|(number, _)| *number == letter.number);
            let Some(feed) = feed.filter(|_| !known) else { continue };
            let mut records = Records::new(FeedId(feed as u16), letter.partition, Arc::from(""));
            records.push(&letter.record, letter.offset, letter.offset, letter.at);
            if letter.length > letter.record.len() as u64 {
                records.list[0].cut = Some(letter.length);
            }
            self.records(records, Some(letter.number))?;
        }
        Ok(())
    }

    /// The contracts may have changed: if they can be read, they are judged by from here on; else the old ones are.
    pub fn reload(&mut self) -> Result<(), LiveError> {
        let contracts = match (self.plan.contracts)() {
            Ok(contracts) => contracts,
            Err(why) => {
                tracing::error!("the contracts stay as they were: {why}");
                self.status.contracts(Some(why));
                return Ok(());
            }
        };
        self.status.contracts(None);
        if recover::digest_of(&self.plan, &contracts) == self.terms.digest {
            return Ok(());
        }
        self.commit()?;
        let rebuilt = recover::rebuild(&self.plan, &contracts, self.store.as_mut(), self.epoch, &mut self.sequence)?;
        match recover::adopt(rebuilt, self.store.as_mut(), self.epoch, &mut self.sequence, &mut self.ledger) {
            Ok((judge, terms)) => {
                (self.judge, self.terms) = (judge, terms);
                self.untold = true;
                tracing::info!("the contracts have changed; judged again to commit {}", self.sequence);
            }
            Err(error) => return Err(error),
        }
        self.snapshot()
    }

    /// Lets others see how it stands.
    fn show(&self) {
        let state = status::Shown {
            now: self.judge.engine.now(),
            sequence: self.sequence,
            entries: self.ledger.len(),
            live: self.judge.engine.live() as u64,
            letters: self.letter,
        };
        self.status.show(state, &self.judge, &self.frontiers, &self.heard);
    }
}

/// An event so far ahead of the clock is a dead letter; for settings and docs.
pub const FUTURE: Millis = DAY;
