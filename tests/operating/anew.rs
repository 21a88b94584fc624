//! Records that an intake read anew, as a judge behind the exchange comes to them.

use crate::adapters::{open, plugged, tables};
use crate::regenerated::{BEGUN, NOON, NOT_BEGUN, net, rows, say, updates};
use crate::shard::{DESK, Shard, at, contracts, kept};
use onus::exchange::carried::{self, Bundle, Place, Tick};
use onus::exchange::repeats::Reading;
use onus::ingest::adapt::{self, State};
use onus::ingest::feed::{FeedId, Heard, Record, Records};
use onus::runtime::live::{Clock, Feed};
use onus::store::{LetterState, Regenerated};
use onus_engine::time::HOUR;
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const EXCHANGE: FeedId = FeedId(1);

/// A partition of the exchange, and the judge that reads it.
struct Divided<'a> {
    dir: &'a Path,
    shard: Shard,
    offset: u64,
}

fn feeds() -> Vec<Feed> {
    // The exchange speaks for nobody.
    let exchange = Feed { partners: Vec::new(), types: Vec::new(), ..Feed::named(onus::exchange::NAME) };
    vec![Feed { adapted: true, ..Feed::named("snow") }, exchange]
}

fn judge(dir: &Path) -> Shard {
    Shard::open(DESK, feeds(), kept(dir), at(NOON))
}

type Kept = (Vec<u8>, Vec<u8>);

/// Rows as an intake makes events of them, and what its adapter remembers then.
fn made(
    state: &mut State,
    tables: &str,
    rows: &[String],
    from: usize,
    generation: u64,
) -> Vec<(Arc<Reading>, Place, String)> {
    let adapter = plugged(tables).expect("an adapter").adapter;
    let (source, incarnation) = ("snow".to_owned(), "here".to_owned());
    let reading = Arc::new(Reading { source, partition: 0, incarnation, generation });
    let mut all = Vec::new();
    for (offset, row) in (0..).zip(rows).skip(from) {
        let (value, recorded) = (Some(row.as_bytes()), Some(at(NOON)));
        let answer = adapter.read(state, &adapt::Record { value, recorded, topic: None, place: None });
        for (item, event) in (0..).zip(&answer.events) {
            let mut line = String::new();
            event.write(&mut line);
            all.push((Arc::clone(&reading), Place { offset, item, arrived: at(NOON) }, line));
        }
    }
    all
}

fn bundled(events: &[(Arc<Reading>, Place, String)], size: usize) -> Vec<Kept> {
    let one = |some: &[(Arc<Reading>, Place, String)]| {
        let mut bundle = Bundle::default();
        some.iter().for_each(|(reading, place, line)| bundle.put(reading, *place, line.as_bytes()));
        bundle.record()
    };
    events.chunks(size).filter_map(one).collect()
}

fn word(generation: u64, ends: usize) -> Kept {
    let (source, why) = ("snow".to_owned(), "18 is not begun".to_owned());
    let mark = Regenerated { source, partition: 0, generation, begins: 0, ends: ends as u64, why };
    (carried::regenerated(&[mark]).expect("a word"), b"{}".to_vec())
}

impl Divided<'_> {
    fn new(dir: &Path) -> Divided<'_> {
        Divided { dir, shard: judge(dir), offset: 0 }
    }

    fn take(&mut self, records: &[Kept]) {
        let mut come = Records::new(EXCHANGE, 0, Arc::from("exchange"));
        for (header, value) in records {
            let from = come.bytes.len() as u32;
            carried::lay(Some(header), value, &mut come.bytes);
            let (place, offset) = (from..come.bytes.len() as u32, self.offset);
            come.list.push(Record { place, offset, next: offset + 1, arrived: at(NOON), wrong: None });
            self.offset += 1;
        }
        if !come.list.is_empty() {
            self.shard.live.take(Heard::Records(come)).expect("they are taken in");
        }
    }

    /// It is killed, and goes on where it was.
    fn killed(&mut self) {
        // Only one may have the store.
        let empty = tempfile::tempdir().expect("a folder");
        drop(std::mem::replace(&mut self.shard, judge(empty.path())));
        self.shard = judge(self.dir);
    }

    /// A reading by these tables: all of it, or, without a word, as far as it came.
    fn regenerated(&mut self, tables: &str, rows: &[String], generation: u64, piece: usize, wanted: bool) -> State {
        let mut state = State::default();
        let events = made(&mut state, tables, rows, 0, generation);
        let mut records = bundled(&events, piece);
        if wanted {
            records.push(word(generation, rows.len()));
        }
        self.take(&records);
        self.shard.write();
        state
    }

    /// All of the source was heard up to then.
    fn heard(&mut self) {
        self.shard.set(at(NOON) + 4 * HOUR);
        let tick = Tick { source: "snow".to_owned(), heard: at(NOON) + 4 * HOUR, last: at(NOON), part: None };
        self.take(&[(tick.header(), b"{}".to_vec())]);
        self.shard.write();
    }

    fn net(&mut self) -> Vec<String> {
        net(self.shard.live.store().expect("its store"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever was begun and never ended, however often it was read anew before, wherever the judge is killed, and however often
    /// it is told.
    #[test]
    fn what_is_left_after_a_regeneration_through_the_exchange_is_what_one_process_has(
        updates in updates(), read in 0..12usize, piece in 1..6usize,
        (unfinished, twice, again) in any::<(bool, bool, bool)>(), kill in prop::collection::vec(any::<bool>(), 4),
    ) {
        let rows = rows(&updates);
        let read = read.clamp(1, rows.len());
        let (old, new) = (tables(BEGUN), tables(NOT_BEGUN));
        let afresh = tempfile::tempdir().expect("a folder");
        let mut one = open(afresh.path(), vec![Feed::named("snow")], vec![plugged(&new)], NOON).expect("it opens");
        say(&mut one, &rows, 0);
        one.set(at(NOON) + 4 * HOUR);
        one.caught_up(0);
        one.write();

        let dir = tempfile::tempdir().expect("a folder");
        let mut divided = Divided::new(dir.path());
        let first = bundled(&made(&mut State::default(), &old, &rows[..read], 0, 0), piece);
        divided.take(&first);
        divided.shard.write();
        let before = (divided.shard.live.dump(), divided.net());
        if unfinished {
            divided.regenerated(&new, &rows[..read], 3, piece, false);
            prop_assert_eq!(&(divided.shard.live.dump(), divided.net()), &before);
        }
        if kill[0] {
            divided.killed();
            prop_assert_eq!(&(divided.shard.live.dump(), divided.net()), &before);
        }
        if twice {
            divided.regenerated(&new, &rows[..read], 5, piece, true);
            if kill[1] { divided.killed() } else { divided.shard.live.reload().expect("judged again") }
            divided.regenerated(&old, &rows[..read], 7, piece, true);
            divided.shard.live.reload().expect("judged again");
            prop_assert_eq!(&divided.net(), &before.1);
        }
        let mut state = divided.regenerated(&new, &rows[..read], 9, piece, true);
        if kill[2] { divided.killed() } else { divided.shard.live.reload().expect("judged again") }
        if again {
            // What the lane kept until the brokers had it is written again by whoever goes on.
            divided.take(&[word(9, read)]);
            divided.shard.write();
        }
        divided.take(&bundled(&made(&mut state, &new, &rows, read, 0), piece));
        divided.shard.write();
        if kill[3] { divided.killed() }
        divided.heard();
        prop_assert_eq!(divided.net(), net(one.live.store().expect("its store")));
        prop_assert_eq!(divided.shard.letters(), vec![]);
    }
}

#[test]
fn what_comes_of_a_reading_that_is_over_is_divergence_and_letters_of_what_was_read_anew_are_settled() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut divided = Divided::new(dir.path());
    let reading = |generation| {
        let (source, incarnation) = ("snow".to_owned(), "here".to_owned());
        Arc::new(Reading { source, partition: 0, incarnation, generation })
    };
    let event = |generation, offset, time: &str| {
        let line = crate::shard::event("1", "ticket.opened", "INC-1", at(time), ",\"partner\":\"p1\"");
        (reading(generation), Place { offset, item: 0, arrived: at(NOON) }, line)
    };
    // Too far ahead: a dead letter, and another that lies beyond what is read anew.
    let early = "2026-03-09T09:00:00Z";
    divided.take(&bundled(&[event(0, 0, early), event(0, 5, early)], 2));
    divided.take(&bundled(&[event(4, 0, "2026-03-02T09:00:00Z")], 1));
    divided.take(&[word(4, 3)]);
    divided.shard.write();
    divided.shard.live.reload().expect("judged again");
    let states = |divided: &mut Divided<'_>| -> Vec<(String, LetterState)> {
        divided.shard.letters().into_iter().map(|one| (one.reason, one.state)).collect()
    };
    let future = |state| ("Future".to_owned(), state);
    assert_eq!(states(&mut divided), [future(LetterState::Replayed), future(LetterState::Waiting)]);
    assert!(divided.shard.live.dump().contains("INC-1"));
    for generation in [4, 3] {
        divided.take(&bundled(&[event(generation, 2, "2026-03-02T10:00:00Z")], 1));
    }
    divided.shard.write();
    let after: Vec<String> = states(&mut divided).into_iter().skip(2).map(|(reason, _)| reason).collect();
    assert_eq!(after, ["Divergence", "Divergence"]);
}

#[test]
fn where_contracts_cannot_be_read_when_the_word_comes_the_old_reading_stands_until_they_can() {
    let dir = tempfile::tempdir().expect("a folder");
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = Arc::clone(&broken);
    let read = move || match is_broken.load(Ordering::Relaxed) {
        true => Err("line 1: no contract".to_owned()),
        false => Ok(contracts(DESK)),
    };
    let shard = Shard::read_by(Clock::Wall, Box::new(read), feeds(), Vec::new(), kept(dir.path()), at(NOON));
    let mut divided = Divided { dir: dir.path(), shard: shard.expect("it opens"), offset: 0 };
    let opened = |generation, subject: &str| {
        let (source, incarnation) = ("snow".to_owned(), "here".to_owned());
        let reading = Arc::new(Reading { source, partition: 0, incarnation, generation });
        let line =
            crate::shard::event(subject, "ticket.opened", subject, at("2026-03-02T09:00:00Z"), ",\"partner\":\"p1\"");
        bundled(&[(reading, Place { offset: 0, item: 0, arrived: at(NOON) }, line)], 1)
    };
    divided.take(&opened(0, "INC-1"));
    divided.take(&opened(4, "INC-2"));
    divided.take(&[word(4, 1)]);
    divided.shard.write();
    let mut known = |is: bool| {
        broken.store(is, Ordering::Relaxed);
        divided.shard.live.reload().expect("it goes on");
        ["INC-1", "INC-2"].map(|subject| divided.shard.live.dump().contains(subject))
    };
    assert_eq!([known(true), known(false)], [[true, false], [false, true]]);
}
