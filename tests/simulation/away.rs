//! A store that is away at any call, before or after it did what it was asked: the shard waits for it, goes on by itself,
//! and ends as if nothing had been. Found by the soak: it ended where the store was away while it noted what was told.

use super::{Dice, Net, net, w1};
use onus::ingest::feed::{self, FeedId, Heard, Records};
use onus::runtime::live::{Clock, Contracts, Feed, Live, Plan, Receiver, Takes};
use onus::store::{
    Batch, Claim, Committed, Entry, Epoch, Letter, LetterState, Query, Show, Store, StoreError, Terms, Verified, sqlite,
};
use onus_engine::time::{DAY, Moment};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

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

    fn stamps(&mut self) -> Result<Vec<onus::store::Stamp>, StoreError> {
        self.store.stamps()
    }

    fn regenerated(&mut self) -> Result<Vec<onus::store::Regenerated>, StoreError> {
        self.store.regenerated()
    }

    fn remembered(&mut self, adapter: &str, show: &mut dyn FnMut(onus::store::Remembered)) -> Result<(), StoreError> {
        self.store.remembered(adapter, show)
    }

    fn commit(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError> {
        // What a start writes is no part of this: a start that fails is tried again as a whole.
        if batch.terms.is_some() {
            return self.store.commit(epoch, batch);
        }
        self.through(5, |store| store.commit(epoch, batch))
    }

    fn reader(&self) -> Result<Option<Box<dyn Store>>, StoreError> {
        let wired = |store| -> Box<dyn Store> {
            Box::new(Away { store, dice: self.dice.clone(), count: Arc::clone(&self.count) })
        };
        Ok(self.store.reader()?.map(wired))
    }

    fn journal(&mut self, after: u64, limit: u32) -> Result<Vec<Committed>, StoreError> {
        self.store.journal(after, limit)
    }

    fn recall(&mut self, generation: u32, key: u64, before: u64, show: &mut Show<'_>) -> Result<(), StoreError> {
        self.through(60, |store| store.recall(generation, key, before, show))
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
        self.through(12, |store| store.entries(query))
    }

    fn letters(&mut self, query: &Query) -> Result<Vec<Letter>, StoreError> {
        self.through(12, |store| store.letters(query))
    }

    fn mark(&mut self, number: u64, state: LetterState, note: Option<&str>) -> Result<bool, StoreError> {
        self.store.mark(number, state, note)
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

/// Told by the loop, or by a thread of its own.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    AtOnce,
    Apart,
}

/// The loop itself, over the whole workload, one in thirty of it late.
fn lived(path: &Path, wire: Option<Arc<AtomicU64>>, told: Told, takes: Takes) -> Net {
    let contract = onus::contract::parse(include_str!("../../examples/w1/w1.yaml"), "w1.yaml").expect("it loads");
    let contracts = Contracts { list: vec![contract], text: String::new(), ..Contracts::default() };
    let plan = Plan {
        contracts: Box::new(move || Ok(contracts.clone())),
        feeds: vec![Feed::named("w1")],
        adapters: Vec::new(),
        clock: Clock::Events,
        settling: 7 * DAY,
        commit_every: 1,
        batch: 20,
        snapshot_every: 1,
        retention: 36_500 * DAY,
        owner: "simulation".to_owned(),
    };
    let open = || Box::new(sqlite::open(path, 0).expect("a store"));
    let store: Box<dyn Store> = match wire {
        Some(count) => Box::new(Away { store: open(), dice: Dice(17), count }),
        None => open(),
    };
    let mut live = Live::open(plan, store, Box::<onus::runtime::live::Machine>::default()).expect("it opens");
    let receiver = Receiver { name: "test".to_owned(), from_the_beginning: true, takes, again_from: None };
    match told {
        Told::AtOnce => live.tell_at_once(receiver),
        Told::Apart => drop(live.tell(receiver).expect("a view of the store")),
    }
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
        live.run(&heard, true, &stop, &mut |_| {}).expect("it runs to the end");
    });
    drop(live);
    net(open().as_mut())
}

/// Numbers as they are taken; at the third call nothing is.
fn taker() -> (Arc<Mutex<Vec<u64>>>, Takes) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (ours, mut calls) = (Arc::clone(&taken), 0);
    let takes = move |entries: &[Entry]| {
        calls += 1;
        // Half of them at the second call, none at the third.
        let takes = match calls {
            2 => entries.len() / 2,
            3 => 0,
            _ => entries.len(),
        };
        ours.lock().expect("a lock").extend(entries[..takes].iter().map(|entry| entry.number));
        takes
    };
    (taken, Box::new(takes))
}

/// What was told is the ledger: each entry once, in the order in which it was decided.
fn told_whole(path: &Path, taken: &Mutex<Vec<u64>>) {
    let mut store = sqlite::open(path, 0).expect("a store");
    let entries = store.entries(&Query::default()).expect("the ledger").len() as u64;
    let whole: Vec<u64> = (1..=entries).collect();
    assert_eq!(*taken.lock().expect("a lock"), whole);
    let kept = store.positions().expect("positions");
    let kept = kept.iter().find(|position| position.source == "@told test").expect("its position");
    assert_eq!(kept.next, entries + 1, "and the store says so");
}

#[test]
fn a_store_that_is_away_at_any_call_is_waited_for() {
    let dir = tempfile::tempdir().expect("a folder");
    let peace = lived(&dir.path().join("peace.db"), None, Told::AtOnce, taker().1);
    for told in [Told::AtOnce, Told::Apart] {
        let path = dir.path().join(if told == Told::Apart { "apart.db" } else { "at-once.db" });
        let count = Arc::new(AtomicU64::new(0));
        let (taken, takes) = taker();
        let troubled = lived(&path, Some(Arc::clone(&count)), told, takes);
        let count = count.load(Ordering::Relaxed);
        assert!(count > 10, "it was away {count} times");
        assert!(!peace.is_empty() && peace == troubled, "{} duties, {} duties", peace.len(), troubled.len());
        told_whole(&path, &taken);
    }
}

/// Found by the soak: what a receiver refused was told at the next start, behind what had come of it since.
#[test]
fn what_could_not_be_told_is_told_before_what_came_after_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let (taken, takes) = taker();
    lived(&path, None, Told::AtOnce, takes);
    told_whole(&path, &taken);
    // Whoever comes again goes on where it was; somebody else hears everything.
    let (again, takes) = taker();
    lived(&path, None, Told::Apart, takes);
    assert!(again.lock().expect("a lock").is_empty());
}
