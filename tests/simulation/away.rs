//! A store that is away at any call, before or after it did what it was asked: the shard waits for it, goes on by itself,
//! and ends as if nothing had been. Found by the soak: it ended where the store was away while it noted what was told.

use super::{Dice, Net, net, w1};
use onus::ingest::feed::{self, FeedId, Heard, Records};
use onus::runtime::live::{Clock, Contracts, Feed, Live, Plan};
use onus::store::{
    Batch, Claim, Committed, Entry, Epoch, Letter, LetterState, Message, Query, Store, StoreError, Terms, Verified,
    sqlite,
};
use onus_engine::time::{DAY, Moment};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};

/// A store behind a bad wire.
struct Away {
    store: Box<dyn Store>,
    dice: Dice,
    /// How often it was away.
    count: Arc<AtomicU64>,
}

impl Away {
    /// Does it or not, and says so or not.
    fn through<T>(
        &mut self,
        odds: u64,
        act: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (before, after) = (self.dice.one_in(odds), self.dice.one_in(odds));
        let away = StoreError::Unavailable { target: "the store".to_owned(), why: "the wire is cut".to_owned() };
        if before {
            self.count.fetch_add(1, Ordering::Relaxed);
            return Err(away);
        }
        let done = act(self.store.as_mut())?;
        if after {
            self.count.fetch_add(1, Ordering::Relaxed);
            return Err(away);
        }
        Ok(done)
    }
}

impl Store for Away {
    fn claim(&mut self, owner: &str) -> Result<Claim, StoreError> {
        self.store.claim(owner)
    }

    fn terms(&mut self) -> Result<Option<Terms>, StoreError> {
        self.store.terms()
    }

    fn positions(&mut self) -> Result<Vec<onus::store::Position>, StoreError> {
        self.store.positions()
    }

    fn commit(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError> {
        // What a start writes is no part of this: a start that fails is tried again as a whole.
        if batch.terms.is_some() {
            return self.store.commit(epoch, batch);
        }
        self.through(12, |store| store.commit(epoch, batch))
    }

    fn journal(&mut self, after: u64, limit: u32) -> Result<Vec<Committed>, StoreError> {
        self.store.journal(after, limit)
    }

    fn recall(&mut self, generation: u32, key: u64, before: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.through(60, |store| store.recall(generation, key, before))
    }

    fn put_snapshot(&mut self, epoch: Epoch, sequence: u64, piece: u32, bytes: &[u8]) -> Result<(), StoreError> {
        if sequence <= 1 {
            return self.store.put_snapshot(epoch, sequence, piece, bytes);
        }
        self.through(12, |store| store.put_snapshot(epoch, sequence, piece, bytes))
    }

    fn seal_snapshot(&mut self, epoch: Epoch, sequence: u64, pieces: u32) -> Result<(), StoreError> {
        self.store.seal_snapshot(epoch, sequence, pieces)
    }

    fn snapshot(&mut self, show: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>) -> Result<Option<u64>, StoreError> {
        self.store.snapshot(show)
    }

    fn entries(&mut self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(query)
    }

    fn letters(&mut self, query: &Query) -> Result<Vec<Letter>, StoreError> {
        self.through(12, |store| store.letters(query))
    }

    fn mark(&mut self, number: u64, state: LetterState, note: Option<&str>) -> Result<bool, StoreError> {
        self.store.mark(number, state, note)
    }

    fn messages(&mut self, after: u64, limit: u32) -> Result<Vec<Message>, StoreError> {
        self.through(12, |store| store.messages(after, limit))
    }

    fn delivered(&mut self, epoch: Epoch, numbers: &[u64]) -> Result<(), StoreError> {
        self.through(12, |store| store.delivered(epoch, numbers))
    }

    fn forget_generations(&mut self, epoch: Epoch, before: u32) -> Result<(), StoreError> {
        self.store.forget_generations(epoch, before)
    }

    fn retire(&mut self, epoch: Epoch, journal_to: u64, entries_before: Moment) -> Result<(), StoreError> {
        self.store.retire(epoch, journal_to, entries_before)
    }

    fn verify(&mut self) -> Result<Verified, StoreError> {
        self.store.verify()
    }
}

/// What a receiver does with messages that it is told: says how many of them it takes.
type Receiver<'r> = &'r mut dyn FnMut(&[Message]) -> usize;

/// The loop itself, over the whole workload, one in thirty of it late.
fn lived(path: &Path, wire: Option<Arc<AtomicU64>>, receiver: Receiver<'_>) -> Net {
    let contract = onus::contract::parse(include_str!("../../examples/w1/w1.yaml"), "w1.yaml").expect("it loads");
    let contracts = Contracts { list: vec![contract], text: String::new() };
    let plan = Plan {
        contracts: Box::new(move || Ok(contracts.clone())),
        feeds: vec![Feed::named("w1")],
        clock: Clock::Events,
        settling: 7 * DAY,
        commit_every: 1,
        batch: 100,
        snapshot_every: 1,
        retention: 36_500 * DAY,
        tells: true,
        owner: "simulation".to_owned(),
    };
    let open = || Box::new(sqlite::open(path, 0).expect("a store"));
    let store: Box<dyn Store> = match wire {
        Some(count) => Box::new(Away { store: open(), dice: Dice(17), count }),
        None => open(),
    };
    let mut live = Live::open(plan, store, Box::<onus::runtime::live::Machine>::default()).expect("it opens");
    let (events, _) = w1::draw(w1::Order { events: 3_000, partners: 5, seed: 17 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let text = String::from_utf8(lines).expect("text");
    let mut lines: Vec<&str> = text.lines().collect();
    let tick = lines.pop().expect("the clock is last");
    let mut dice = Dice(3);
    let mut order: Vec<(usize, &str)> = Vec::new();
    for (n, line) in lines.into_iter().enumerate() {
        order.push((n + if dice.one_in(30) { 1_500 } else { 0 }, line));
    }
    order.sort_by_key(|(at, _)| *at);
    order.push((usize::MAX, tick));
    let (sender, heard) = feed::channel();
    let feed = FeedId(0);
    std::thread::scope(|scope| {
        // If the loop fails, whoever speaks to it must not wait for ever.
        let heard = heard;
        scope.spawn(|| {
            for (piece, lines) in order.chunks(50).enumerate() {
                let mut records = Records::new(feed, 0, Arc::from("here"));
                for (at, (_, line)) in (piece as u64 * 50..).zip(lines) {
                    records.push(line.as_bytes(), at, at + 1, Moment(0));
                }
                sender.send(Heard::Records(records)).expect("somebody listens");
            }
            let caught = Heard::CaughtUp { feed, partition: 0, partitions: 1, at: Moment(0), lag: 0 };
            sender.send(caught).expect("somebody listens");
            sender.send(Heard::Ended { feed }).expect("somebody listens");
        });
        let stop = AtomicBool::new(false);
        let mut told = |messages: &[Message]| {
            let taken = receiver(messages);
            messages[..taken].iter().map(|message| message.number).collect()
        };
        live.run(&heard, true, &stop, &mut told, &mut |_| {}).expect("it runs to the end");
    });
    drop(live);
    net(open().as_mut())
}

#[test]
fn a_store_that_is_away_at_any_call_is_waited_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let peace = lived(&dir.path().join("peace.db"), None, &mut <[Message]>::len);
    let count = Arc::new(AtomicU64::new(0));
    let mut heard = std::collections::BTreeSet::new();
    let mut receiver = |messages: &[Message]| {
        heard.extend(messages.iter().map(|message| message.number));
        messages.len()
    };
    let troubled = lived(&dir.path().join("troubled.db"), Some(Arc::clone(&count)), &mut receiver);
    let count = count.load(Ordering::Relaxed);
    assert!(count > 10, "it was away {count} times");
    assert!(!peace.is_empty() && peace == troubled, "{} duties, {} duties", peace.len(), troubled.len());
    let last = heard.last().copied().unwrap_or_default();
    assert_eq!(heard.len() as u64, last, "all that was written was told");
}

/// Found by the soak: what a receiver refused was told at the next start, behind what had come of it since.
#[test]
fn what_could_not_be_told_is_told_before_what_came_after_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (mut calls, mut taken) = (0, Vec::new());
    let mut receiver = |messages: &[Message]| {
        calls += 1;
        let takes = if calls == 3 { 0 } else { messages.len() };
        taken.extend(messages[..takes].iter().map(|message| message.number));
        takes
    };
    let path = dir.path().join("onus.db");
    lived(&path, None, &mut receiver);
    let entries = sqlite::open(&path, 0).expect("a store").entries(&Query::default()).expect("the ledger").len() as u64;
    let whole: Vec<u64> = (1..=entries).collect();
    assert_eq!(taken, whole, "each once, in the order in which it was decided");
    assert!(calls > 3, "{calls} calls");
}
