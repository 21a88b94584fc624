//! Deterministic simulation: a shard that lives through a year of events while everything that may happen to it does, and
//! ends as one that was left in peace.
//!
//! Time is virtual, every choice hangs on a seed, the store is a real SQLite file. What happens: crashes between any two
//! steps, another owner that takes over, sources that lag and fall silent, records that come twice and in other pieces,
//! snapshots at any moment. What is checked: a restart finds the state as it was last committed, word for word; who lost
//! the shard writes nothing; the ledger follows from itself; its net is that of the undisturbed run.
//!
//! A failure names its seed: `ONUS_SIMULATION=SEED cargo test --test simulation`. `ONUS_SIMULATIONS=500` runs more.

#[path = "simulation/away.rs"]
mod away;
#[path = "simulation/queued.rs"]
mod queued;
#[path = "support/w1.rs"]
mod w1;

use onus::ingest::feed::{FeedId, Heard, Records};
use onus::runtime::live::{Clock, Contracts, Feed, Live, LiveError, Plan, Time};
use onus::store::{Query, Store, StoreError, sqlite};
use onus_engine::standing::Standing;
use onus_engine::time::{DAY, HOUR, MINUTE, Millis, Moment};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Numbers that look like chance.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Clocks that the simulation turns.
struct Hands(Arc<AtomicI64>);

impl Time for Hands {
    fn wall(&mut self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }

    fn steady(&mut self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a partition holds, in order: when each record came.
type Partition = Vec<(Moment, String)>;

const PARTITIONS: usize = 2;

/// The same for every run of a seed.
struct World {
    partitions: BTreeMap<(u16, i32), Partition>,
    from: Moment,
    to: Moment,
}

fn feeds() -> Vec<Feed> {
    let feed = |name: &str, types: &[&str]| Feed {
        types: types.iter().map(|t| (*t).to_owned()).collect(),
        transit: 10 * MINUTE,
        ..Feed::named(name)
    };
    vec![feed("tickets", &["ticket.*"]), feed("others", &["change.*", "credential.*"])]
}

impl World {
    fn drawn(seed: u64) -> World {
        let mut dice = Dice(seed);
        let (events, _) = w1::draw(w1::Order { events: 1_500, partners: 5, seed });
        let mut partitions: BTreeMap<(u16, i32), Partition> = BTreeMap::new();
        let (mut from, mut to) = (Moment::NEVER, Moment::DAWN);
        let mut lines = Vec::new();
        w1::write(&events, &mut lines).expect("they are written into memory");
        let lines = String::from_utf8(lines).expect("text");
        for (event, line) in events.iter().zip(lines.lines().map(str::to_owned)) {
            let at = Moment(event.at);
            // Most within the transit, some far too late.
            let delay = if dice.one_in(30) { dice.below(20 * 24) as i64 * HOUR } else { dice.below(600_000) as i64 };
            let feed = u16::from(!line.contains("\"ticket."));
            let key = (feed, dice.below(PARTITIONS as u64) as i32);
            (from, to) = (from.min(at), to.max(at + delay));
            partitions.entry(key).or_default().push((at + delay, line.clone()));
            if dice.one_in(40) {
                partitions.entry(key).or_default().push((at + delay + MINUTE, line));
            }
            if dice.one_in(200) {
                partitions.entry(key).or_default().push((at + delay, "{\"specversion\": \"1.0\", ".to_owned()));
            }
        }
        for partition in partitions.values_mut() {
            partition.sort_by_key(|(arrived, _)| *arrived);
        }
        World { partitions, from, to: to + 30 * DAY }
    }
}

fn open(store: &Path, hands: &Arc<AtomicI64>) -> Live {
    open_by(Clock::Wall, store, hands)
}

fn open_by(clock: Clock, store: &Path, hands: &Arc<AtomicI64>) -> Live {
    let contract = onus::contract::parse(include_str!("../examples/w1/w1.yaml"), "w1.yaml").expect("it loads");
    let contracts = Contracts { list: vec![contract], text: String::new(), ..Contracts::default() };
    let plan = Plan {
        contracts: Box::new(move || Ok(contracts.clone())),
        feeds: feeds(),
        adapters: Vec::new(),
        clock,
        settling: 7 * DAY,
        commit_every: 50,
        batch: 5_000,
        snapshot_every: i64::MAX,
        retention: 36_500 * DAY,
        owner: "simulation".to_owned(),
    };
    let store = sqlite::open(store, 0).expect("a store");
    Live::open(plan, Box::new(store), Box::new(Hands(Arc::clone(hands)))).expect("it opens")
}

/// The last word on each duty: its standing, and the instant at which it broke.
type Net = BTreeMap<String, (Standing, Option<Moment>)>;

fn net(store: &mut dyn Store) -> Net {
    let verified = store.verify().expect("it can be read");
    assert_eq!(verified.wrong, Vec::<String>::new(), "the store is whole");
    let entries = store.entries(&Query::default()).expect("the ledger");
    let last = entries.into_iter().map(|e| (e.duty().to_string(), (e.to, e.deadline.filter(|_| e.broken))));
    let net: Net = last.collect();
    net.into_iter().filter(|(_, (to, _))| *to != Standing::Withdrawn).collect()
}

/// Lives through the world; `trouble`: with everything that may happen.
fn live(world: &World, seed: u64, trouble: bool) -> (Net, String, u64) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let hands = Arc::new(AtomicI64::new(world.from.0));
    let mut dice = Dice(seed ^ 0x5eed);
    let mut shard = open(&path, &hands);
    let mut committed = shard.dump();
    // As it was handed to the thread that writes, which may or may not get to it.
    let mut handed = None;
    let mut now = world.from;
    let mut silent_until = [Moment::DAWN; 2];
    let mut crashes = 0;
    while now < world.to {
        now = now + (1 + dice.below(12 * 60) as i64) * MINUTE;
        hands.store(now.0, Ordering::Relaxed);
        for (feed, until) in silent_until.iter_mut().enumerate() {
            if trouble && dice.one_in(80) {
                *until = now + dice.below(5 * 24) as i64 * HOUR;
            }
            if *until <= now {
                deliver(world, &mut shard, feed as u16, now, trouble.then_some(&mut dice));
            }
        }
        shard.tick().expect("time passes");
        if !trouble || dice.one_in(2) {
            shard.commit().expect("it is written");
            (committed, handed) = (shard.dump(), None);
        } else if handed.is_none() && dice.one_in(2) {
            // The loop goes on while it is written.
            handed = Some(shard.dump());
            shard.hand_over();
        }
        if trouble && dice.one_in(25) {
            shard.commit().expect("it is written");
            (committed, handed) = (shard.dump(), None);
            shard.snapshot().expect("a snapshot");
        }
        if trouble && dice.one_in(20) {
            crashes += 1;
            let mut next = open(&path, &hands);
            let found = next.dump();
            if handed.as_ref() != Some(&found) {
                assert_eq!(found, committed, "a restart is invisible");
            }
            (committed, handed) = (found, None);
            // The other one does not know yet that it has lost.
            deliver(world, &mut shard, 0, now, None);
            let late = shard.commit();
            let nothing = shard.sequence() == next.sequence() && late.is_ok();
            assert!(nothing || matches!(late, Err(LiveError::Store(StoreError::Fenced { .. }))), "{late:?}");
            std::mem::swap(&mut shard, &mut next);
        }
    }
    let now = world.to + DAY;
    hands.store(now.0, Ordering::Relaxed);
    for feed in 0..2 {
        deliver(world, &mut shard, feed, now, None);
    }
    shard.tick().expect("time passes");
    shard.commit().expect("it is written");
    let dump = shard.dump();
    let letters = shard.store().expect("the store").letters(&Query::default()).expect("letters").len() as u64;
    drop(shard);
    let mut again = open(&path, &hands);
    assert_eq!(again.dump(), dump, "a restart is invisible at the end, too");
    let net = net(again.store().expect("the store"));
    eprintln!("seed {seed}: {crashes} crashes, {} duties, {letters} dead letters", net.len());
    (net, dump, letters)
}

/// Hands over what has come by now; with dice, perhaps not all of it, and in pieces.
fn deliver(world: &World, shard: &mut Live, feed: u16, now: Moment, mut dice: Option<&mut Dice>) {
    for partition in 0..PARTITIONS as i32 {
        let id = FeedId(feed);
        let here = world.partitions.get(&(feed, partition)).map_or(&[][..], Vec::as_slice);
        let known = shard.positions(id).into_iter().find(|p| p.partition == partition);
        let from = known.map_or(0, |p| p.next as usize);
        let to = here.partition_point(|(arrived, _)| *arrived <= now);
        let held_back = dice.as_mut().and_then(|dice| dice.one_in(4).then_some(dice));
        let reach = held_back.map_or(to, |dice| from + dice.below((to - from + 1) as u64) as usize);
        let mut at = from;
        while at < reach {
            let piece = dice.as_mut().map_or(reach - at, |dice| 1 + dice.below((reach - at) as u64) as usize);
            let mut records = Records::new(id, partition, Arc::from("here"));
            for (offset, (arrived, line)) in here.iter().enumerate().skip(at).take(piece) {
                records.push(line.as_bytes(), offset as u64, offset as u64 + 1, *arrived);
            }
            shard.take(Heard::Records(records)).expect("records are taken in");
            at += piece;
        }
        let partitions = PARTITIONS as u32;
        let said = if reach == to {
            Heard::CaughtUp { feed: id, partition, partitions, at: now, lag: 0 }
        } else {
            Heard::Behind { feed: id, partition, partitions, lag: (to - reach) as u64 }
        };
        shard.take(said).expect("it is heard");
    }
}

#[test]
fn a_shard_that_everything_happens_to_ends_as_one_that_was_left_in_peace() {
    let named = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds: Vec<u64> = match named("ONUS_SIMULATION") {
        Some(seed) => vec![seed],
        None => (1..=named("ONUS_SIMULATIONS").unwrap_or(6)).collect(),
    };
    for seed in seeds {
        eprintln!("seed {seed}: ONUS_SIMULATION={seed} cargo test --test simulation");
        let world = World::drawn(seed);
        let (peace, state, letters) = live(&world, seed, false);
        let (troubled, then, others) = live(&world, seed, true);
        assert!(!peace.is_empty());
        assert_eq!(state, then, "seed {seed}: what is in memory at the end");
        assert_eq!(letters, others, "seed {seed}: each record that cannot be read is put away once");
        let apart: Vec<_> = peace
            .iter()
            .filter(|(duty, says)| troubled.get(*duty) != Some(says))
            .map(|(duty, says)| (duty, says, troubled.get(duty)))
            .chain(troubled.iter().filter(|(duty, _)| !peace.contains_key(*duty)).map(|(d, says)| (d, says, None)))
            .collect();
        assert!(
            apart.is_empty(),
            "seed {seed}: {} duties stand otherwise: {:#?}",
            apart.len(),
            &apart[..apart.len().min(5)]
        );
    }
}

/// Time that one partition held back goes on when that one has no more to say, though no other record comes.
#[test]
fn by_the_events_clock_time_goes_on_when_who_held_it_back_has_come_to_its_end() {
    let dir = tempfile::tempdir().expect("a folder");
    let hands = Arc::new(AtomicI64::new(0));
    let mut shard = open_by(Clock::Events, &dir.path().join("onus.db"), &hands);
    let (events, _) = w1::draw(w1::Order { events: 300, partners: 3, seed: 3 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let lines = String::from_utf8(lines).expect("text");
    let lines: Vec<&str> = lines.lines().collect();
    let (tick, lines) = lines.split_last().expect("the clock is last");
    let feed = FeedId(0);
    let part = |partition: i32, lines: &[&str]| {
        let mut records = Records::new(feed, partition, Arc::from("here"));
        for (at, line) in (0..).zip(lines) {
            records.push(line.as_bytes(), at, at + 1, Moment(0));
        }
        Heard::Records(records)
    };
    for partition in [0, 1] {
        shard.take(Heard::Behind { feed, partition, partitions: 2, lag: 1 }).expect("it is heard");
    }
    // The first tickets, many of them open at the last one's time; and the clock in the other partition.
    let tickets = lines.iter().copied().filter(|line| line.contains("\"ticket."));
    let tickets: Vec<&str> = tickets.take(40).collect();
    shard.take(part(0, &tickets)).expect("records are taken in");
    shard.take(part(1, &[tick])).expect("records are taken in");
    shard.tick().expect("time passes");
    shard.commit().expect("it is written");
    let broken = |shard: &mut Live| {
        let entries = shard.store().expect("the store").entries(&Query::default()).expect("the ledger");
        let last: BTreeMap<String, bool> = entries.into_iter().map(|e| (e.duty().to_string(), e.broken)).collect();
        last.into_values().filter(|broken| *broken).count()
    };
    let before = broken(&mut shard);
    for partition in [0, 1] {
        shard.take(Heard::CaughtUp { feed, partition, partitions: 2, at: Moment(0), lag: 0 }).expect("it is heard");
    }
    shard.take(Heard::Ended { feed: FeedId(1) }).expect("it is heard");
    shard.tick().expect("time passes");
    shard.commit().expect("it is written");
    let after = broken(&mut shard);
    assert!(before < after, "deadlines up to the clock have passed: {before}, {after}");
}

/// Clocks that can be set apart from one another.
#[derive(Clone)]
struct Clocks(Arc<AtomicI64>, Arc<AtomicI64>);

impl Clocks {
    fn at(now: Moment) -> Clocks {
        Clocks(Arc::new(AtomicI64::new(now.0)), Arc::new(AtomicI64::new(0)))
    }

    /// Time passes.
    fn pass(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::Relaxed);
        self.1.fetch_add(by, Ordering::Relaxed);
    }

    /// The wall clock alone is set.
    fn set(&self, by: Millis) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

impl Time for Clocks {
    fn wall(&mut self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }

    fn steady(&mut self) -> Millis {
        self.1.load(Ordering::Relaxed)
    }
}

/// One ticket of 15 minutes, heard of by one source; by the wall clock.
struct Desk {
    shard: Live,
    clocks: Clocks,
    start: Moment,
    offset: u64,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new(heartbeat: Option<Millis>) -> Desk {
        let dir = tempfile::tempdir().expect("a folder");
        let start = Moment(1_772_442_000_000);
        let clocks = Clocks::at(start);
        let contract = onus::contract::parse(include_str!("../examples/w1/w1.yaml"), "w1.yaml").expect("it loads");
        let contracts = Contracts { list: vec![contract], text: String::new(), ..Contracts::default() };
        let plan = Plan {
            contracts: Box::new(move || Ok(contracts.clone())),
            feeds: vec![Feed { heartbeat, ..Feed::named("desk") }],
            adapters: Vec::new(),
            clock: Clock::Wall,
            settling: 7 * DAY,
            commit_every: 50,
            batch: 5_000,
            snapshot_every: i64::MAX,
            retention: 36_500 * DAY,
            owner: "simulation".to_owned(),
        };
        let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
        let shard = Live::open(plan, Box::new(store), Box::new(clocks.clone())).expect("it opens");
        let mut desk = Desk { shard, clocks, start, offset: 0, _dir: dir };
        desk.says("ticket.opened", start);
        desk
    }

    fn hears(&mut self, line: &str) {
        let mut records = Records::new(FeedId(0), 0, Arc::from("here"));
        let arrived = Moment(self.clocks.0.load(Ordering::Relaxed));
        records.push(line.as_bytes(), self.offset, self.offset + 1, arrived);
        self.offset += 1;
        self.shard.take(Heard::Records(records)).expect("it is taken in");
    }

    fn says(&mut self, kind: &str, at: Moment) {
        self.hears(&format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{kind}\",\"source\":\"urn:desk\",\"type\":\"{kind}\",\"time\":\"{at}\",\
             \"subject\":\"INC1\",\"partner\":\"p0001\",\"data\":{{\"priority\":\"P1\"}}}}"
        ));
    }

    fn ticks(&mut self, at: Moment) {
        self.hears(&format!(
            "{{\"specversion\":\"1.0\",\"id\":\"tick-{at}\",\"source\":\"urn:desk\",\"type\":\"onus.tick\",\"time\":\"{at}\",\
             \"subject\":\"clock\",\"partner\":\"\",\"data\":{{}}}}"
        ));
    }

    /// All that there is was read, as of the wall clock's now. What was decided of the ticket's 15 minutes so far.
    fn passes(&mut self, by: Millis) -> Vec<String> {
        self.clocks.pass(by);
        let at = Moment(self.clocks.0.load(Ordering::Relaxed));
        self.shard.take(Heard::CaughtUp { feed: FeedId(0), partition: 0, partitions: 1, at, lag: 0 }).expect("heard");
        self.shard.tick().expect("time passes");
        self.shard.commit().expect("it is written");
        let entries = self.shard.store().expect("the store").entries(&Query::default()).expect("the ledger");
        entries.into_iter().filter(|e| e.under.obligation == "S1").map(|e| format!("{} {}", e.from, e.to)).collect()
    }
}

#[test]
fn a_host_clock_set_forward_breaches_nobody_and_one_set_back_fires_nothing_twice() {
    let mut desk = Desk::new(None);
    assert!(desk.passes(10 * MINUTE).is_empty());
    desk.clocks.set(HOUR);
    assert!(desk.passes(2 * MINUTE).is_empty(), "an hour forward is no hour that has passed");
    assert!(desk.shard.status().board().jumped.is_some(), "and it shows");
    desk.clocks.set(-HOUR);
    assert!(desk.passes(MINUTE).is_empty());
    let breached = desk.passes(3 * MINUTE);
    assert_eq!(breached.len(), 1, "16 minutes have passed: {breached:?}");
    desk.clocks.set(-HOUR);
    assert_eq!(desk.passes(MINUTE), breached);
    assert!(desk.shard.status().board().jumped.is_some());
    for _ in 0..70 {
        assert_eq!(desk.passes(MINUTE), breached, "the hour that comes a second time fires nothing");
    }
}

#[test]
fn a_source_that_falls_silent_proves_nothing_and_nobody_is_breached() {
    let mut desk = Desk::new(Some(MINUTE));
    for minute in 1..=5 {
        let at = desk.start + minute * MINUTE;
        assert!(desk.passes(MINUTE).is_empty());
        desk.ticks(at);
    }
    for _ in 0..25 {
        assert!(desk.passes(MINUTE).is_empty(), "its connector may be dead: whether it was answered is not known");
    }
    desk.shard.tick().expect("time passes");
    let rows = desk.shard.status().board().duties.rows();
    let unknown: i64 =
        rows.iter().filter(|row| row.obligation == "S1").map(|row| row.tally.of(Standing::Unknown)).sum();
    assert_eq!(unknown, 1, "and that is what is said");
    let (answered, at) = (desk.start + 14 * MINUTE, desk.start + 31 * MINUTE);
    desk.says("ticket.acknowledged", answered);
    desk.ticks(at);
    let decided = desk.passes(MINUTE);
    assert!(decided.len() == 1 && decided[0].ends_with(" met"), "{decided:?}");
}
