//! A source that runs, and what it says.

use crate::support::Broker;
use onus::ingest::feed::{FeedId, Heard, Portion, Quota, Receiver, Records, Sender, Wrong, channel, channel_of};
use onus::ingest::kafka::{Access, Begin, GoOn, Handle, Known, Topic, digest, spawn};
use onus::ingest::wire::Wire;
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub(crate) const PATIENCE: Duration = Duration::from_secs(45);

pub(crate) fn now() -> Moment {
    Moment(SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64)
}

pub(crate) fn access(broker: &Broker) -> Access {
    Access { brokers: vec![broker.address()], group: "onus".to_owned(), ..Access::default() }
}

pub(crate) fn topic(name: &str) -> Topic {
    topic_with(name, Wire::default())
}

pub(crate) fn topic_with(name: &str, wire: Wire) -> Topic {
    Topic {
        feed: FeedId(3),
        source: name.to_owned(),
        name: name.to_owned(),
        begin: Begin::Earliest,
        wire: Arc::new(wire),
        longest: 1 << 20,
        clock: now,
        exchange: None,
        lane: onus::exchange::lanes::Lane::ONLY,
    }
}

/// One record as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) offset: u64,
    pub(crate) next: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) arrived: Moment,
    pub(crate) cut: Option<u64>,
    pub(crate) wrong: Option<Box<Wrong>>,
    /// What it is known by.
    digest: u64,
}

/// A source, and all that was heard of it.
pub(crate) struct Listening {
    handle: Option<Handle>,
    from: Receiver,
    pub(crate) got: BTreeMap<i32, Vec<Got>>,
    /// What tells nothing.
    pub(crate) passed: u64,
    pub(crate) incarnations: BTreeMap<i32, String>,
    pub(crate) began: Vec<(i32, u64)>,
    pub(crate) caught: Vec<(i32, Moment)>,
    pub(crate) behind: Vec<(i32, u64)>,
    pub(crate) trouble: Vec<String>,
    pub(crate) fine: usize,
    pub(crate) halted: Vec<(i32, String)>,
    pub(crate) stamped: bool,
}

impl Listening {
    pub(crate) fn to(broker: &Broker, name: &str) -> Listening {
        Listening::with(topic(name), access(broker), &[])
    }

    pub(crate) fn with(topic: Topic, access: Access, known: &[Known]) -> Listening {
        Listening::through(channel(), topic, access, known)
    }

    /// No faster than a quota lets it.
    pub(crate) fn metered(topic: Topic, access: Access, quota: Quota) -> Listening {
        let portion = Portion { share: 1, quota: Some(quota) };
        Listening::through(channel_of(vec![portion; 4]), topic, access, &[])
    }

    fn through((sender, from): (Sender, Receiver), topic: Topic, access: Access, known: &[Known]) -> Listening {
        let handle = Some(spawn(topic, access, known, sender).expect("threads"));
        Listening {
            handle,
            from,
            got: BTreeMap::new(),
            passed: 0,
            incarnations: BTreeMap::new(),
            began: Vec::new(),
            caught: Vec::new(),
            behind: Vec::new(),
            trouble: Vec::new(),
            fine: 0,
            halted: Vec::new(),
            stamped: false,
        }
    }

    /// Waits without listening, until so many records wait to be heard and no more have come for so long; says how many.
    pub(crate) fn until_waiting(&mut self, what: &str, enough: impl Fn(u64) -> bool, still: Duration) -> u64 {
        let gauge = self.from.gauge();
        let waiting = || gauge.waits().get(3).map_or(0, |waits| waits.records);
        let (begin, mut last, mut since) = (Instant::now(), 0, Instant::now());
        loop {
            let now = waiting();
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if enough(now) && since.elapsed() >= still {
                return now;
            }
            assert!(begin.elapsed() < PATIENCE, "{what}: never; {now} wait");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Records(records) => self.records(&records),
            Heard::Began { partition, next, incarnation, .. } => {
                self.incarnations.insert(partition, incarnation.to_string());
                self.began.push((partition, next));
            }
            Heard::CaughtUp { partition, at, lag, .. } => {
                assert_eq!(lag, 0);
                self.caught.push((partition, at));
            }
            Heard::Behind { partition, lag, .. } => self.behind.push((partition, lag)),
            Heard::Trouble { why, .. } => self.trouble.push(why),
            Heard::Fine { .. } => self.fine += 1,
            Heard::Halted { partition, why, .. } => self.halted.push((partition, why)),
            Heard::Ended { .. } | Heard::Wish(_) => panic!("a topic has no end and no wishes"),
        }
    }

    fn records(&mut self, records: &Records) {
        assert_eq!(records.feed, FeedId(3));
        self.stamped = records.stamped;
        self.passed += records.passed.values().sum::<u64>();
        self.incarnations.insert(records.partition, records.incarnation.to_string());
        let got = self.got.entry(records.partition).or_default();
        for one in &records.list {
            let bytes = records.record(one).to_vec();
            let (digest, wrong) = (digest(&bytes), one.wrong.clone());
            got.push(Got {
                offset: one.offset,
                next: one.next,
                bytes,
                arrived: one.arrived,
                cut: one.cut(),
                wrong,
                digest,
            });
        }
        if let (Some(last), Some(digest)) = (got.last_mut(), records.last) {
            last.digest = digest;
        }
    }

    /// Listens until it is so; with a limit, after which the test fails.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, so: impl Fn(&Listening) -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !so(self) {
            assert!(Instant::now() < limit, "never came: {what}; {}", self.told());
            match self.from.recv_timeout(Duration::from_millis(100)) {
                Ok(heard) => self.take(heard),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the source is gone; {}", self.told()),
            }
        }
    }

    fn told(&self) -> String {
        let counts: Vec<(i32, usize)> = self.got.iter().map(|(partition, got)| (*partition, got.len())).collect();
        format!(
            "records {counts:?}, began {:?}, caught up {:?}, behind {:?}, trouble {:?}, halted {:?}",
            self.began,
            self.caught.last(),
            self.behind.last(),
            self.trouble,
            self.halted
        )
    }

    /// Listens for a while, whatever comes.
    pub(crate) fn during(&mut self, length: Duration) {
        let until = Instant::now() + length;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if let Ok(heard) = self.from.recv_timeout(left) {
                self.take(heard);
            }
        }
    }

    #[track_caller]
    pub(crate) fn until_count(&mut self, count: usize) {
        self.until(&format!("{count} records"), |all| all.count() >= count);
    }

    pub(crate) fn count(&self) -> usize {
        self.got.values().map(Vec::len).sum()
    }

    #[track_caller]
    pub(crate) fn until_halted(&mut self, words: &str) {
        self.until(&format!("halted: {words}"), |all| all.halted.iter().any(|(_, why)| why.contains(words)));
    }

    pub(crate) fn texts(&self, partition: i32) -> Vec<String> {
        let got = self.got.get(&partition).map(Vec::as_slice).unwrap_or_default();
        got.iter().map(|one| String::from_utf8_lossy(&one.bytes).into_owned()).collect()
    }

    /// What the store would hold if the first so many records of each partition had been written down.
    pub(crate) fn known(&self, upto: usize) -> Vec<Known> {
        let one = |(partition, got): (&i32, &Vec<Got>)| {
            let last = got.get(..upto.min(got.len()))?.last()?;
            let incarnation = self.incarnations[partition].clone();
            Some(Known { partition: *partition, incarnation, next: last.next, last: last.digest })
        };
        self.got.iter().filter_map(one).collect()
    }

    pub(crate) fn committed(&self, positions: &[(i32, u64)]) {
        self.handle.as_ref().expect("it runs").committed(positions);
    }

    pub(crate) fn resume(&self, partition: i32, go_on: GoOn) {
        self.handle.as_ref().expect("it runs").resume_after_halt(partition, go_on);
    }

    /// Ends it; how long that took.
    pub(crate) fn stop(&mut self) -> Duration {
        let began = Instant::now();
        self.handle.take().expect("it runs").stop(Duration::from_secs(20)).expect("it ends in time");
        began.elapsed()
    }

    pub(crate) fn handle(&mut self) -> Handle {
        self.handle.take().expect("it runs")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            let _ = handle.stop(Duration::from_secs(20));
        }
    }
}

/// `a0`, `a1`, ...
pub(crate) fn numbered(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name}{number}")).collect()
}

pub(crate) fn bytes(texts: &[String]) -> impl Iterator<Item = &[u8]> {
    texts.iter().map(String::as_bytes)
}
