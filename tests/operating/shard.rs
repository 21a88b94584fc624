//! A shard by hand: its clock, its sources.

use onus::ingest::feed::{FeedId, Heard, Records};
use onus::runtime::live::{Clock, Contracts, Feed, Live, LiveError, Plan, Plugged, Time};
use onus::store::{Letter, Query, Store, sqlite};
use onus_engine::time::{DAY, Millis, Moment};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A ticket is to be answered within four hours.
pub(crate) const DESK: &str = include_str!("../support/desk.yaml");

/// A new credential is to be rotated within four hours.
pub(crate) const ROTATE: &str = "contract: pam
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - id: rotate
    clause: \"1\"
    when: credential.created
    do: credential.rotated
    within: 4h
";

/// A store in a folder: what is there is gone on with.
pub(crate) fn kept(dir: &Path) -> Box<dyn Store> {
    Box::new(sqlite::open(&dir.join("onus.db"), 0).expect("a store"))
}

pub(crate) struct Hands(Arc<AtomicI64>);

impl Time for Hands {
    fn wall(&mut self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }

    fn steady(&mut self) -> Millis {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct Shard {
    pub(crate) live: Live,
    clock: Arc<AtomicI64>,
    next: u64,
}

pub(crate) fn at(text: &str) -> Moment {
    Moment::parse(text).expect("an instant")
}

/// An event as a line.
pub(crate) fn event(id: &str, kind: &str, subject: &str, time: Moment, more: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}\",\"source\":\"here\",\"type\":\"{kind}\",\"subject\":\"{subject}\",\
         \"time\":\"{time}\"{more}}}"
    )
}

/// One contract, or several with `---` between them.
pub(crate) fn contracts(text: &str) -> Contracts {
    let one = |text| onus::contract::parse(text, "contract.yaml").expect("it loads");
    let list = text.split("---\n").map(one).collect();
    Contracts { list, text: text.to_owned(), ..Contracts::default() }
}

impl Shard {
    pub(crate) fn open(contract: &str, feeds: Vec<Feed>, store: Box<dyn Store>, now: Moment) -> Shard {
        Shard::open_by(Clock::Wall, contract, feeds, store, now)
    }

    pub(crate) fn open_by(clock: Clock, contract: &str, feeds: Vec<Feed>, store: Box<dyn Store>, now: Moment) -> Shard {
        Shard::plugged(clock, contract, feeds, Vec::new(), store, now).expect("it opens")
    }

    pub(crate) fn plugged(
        clock: Clock,
        contract: &str,
        feeds: Vec<Feed>,
        adapters: Vec<Option<Plugged>>,
        store: Box<dyn Store>,
        now: Moment,
    ) -> Result<Shard, LiveError> {
        let contracts = contracts(contract);
        Shard::read_by(clock, Box::new(move || Ok(contracts.clone())), feeds, adapters, store, now)
    }

    /// Contracts and catalogue are read by this, now and whenever they may have changed.
    pub(crate) fn read_by(
        clock: Clock,
        contracts: Box<dyn FnMut() -> Result<Contracts, String> + Send>,
        feeds: Vec<Feed>,
        adapters: Vec<Option<Plugged>>,
        store: Box<dyn Store>,
        now: Moment,
    ) -> Result<Shard, LiveError> {
        let plan = Plan {
            contracts,
            feeds,
            adapters,
            clock,
            settling: DAY,
            commit_every: 50,
            batch: 5_000,
            snapshot_every: i64::MAX / 4,
            retention: 30 * DAY,
            owner: "tests".to_owned(),
        };
        let hands = Arc::new(AtomicI64::new(now.0));
        let live = Live::open(plan, store, Box::new(Hands(Arc::clone(&hands))))?;
        Ok(Shard { live, clock: hands, next: 0 })
    }

    pub(crate) fn set(&mut self, now: Moment) {
        self.clock.store(now.0, Ordering::Relaxed);
    }

    /// Records of a feed, which come now.
    pub(crate) fn say(&mut self, feed: u16, lines: &[String]) {
        self.say_in(feed, 0, lines);
    }

    pub(crate) fn say_in(&mut self, feed: u16, partition: i32, lines: &[String]) {
        let mut records = Records::new(FeedId(feed), partition, Arc::from("here"));
        for line in lines {
            records.push(line.as_bytes(), self.next, self.next + 1, Moment(self.clock.load(Ordering::Relaxed)));
            self.next += 1;
        }
        self.live.take(Heard::Records(records)).expect("they are taken in");
    }

    /// All of a feed has come by now.
    pub(crate) fn caught_up(&mut self, feed: u16) {
        let at = Moment(self.clock.load(Ordering::Relaxed));
        let heard = Heard::CaughtUp { feed: FeedId(feed), partition: 0, partitions: 1, at, lag: 0 };
        self.live.take(heard).expect("it is heard");
    }

    pub(crate) fn write(&mut self) {
        self.live.tick().expect("time passes");
        self.live.commit().expect("it is written");
    }

    pub(crate) fn letters(&mut self) -> Vec<Letter> {
        self.live.store().expect("its store").letters(&Query::default()).expect("letters")
    }
}
