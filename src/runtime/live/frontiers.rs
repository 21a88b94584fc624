//! How far each feed has been heard: the event time up to which we believe that everything has come.
//!
//! While a feed is behind: the least, over its partitions, of the last record's arrival. Once caught up at an instant:
//! that instant less its transit, the time that an act normally takes to reach us. A tick raises it, too. One that
//! promises a heartbeat and misses three stops.

use super::Feed;
use onus_engine::time::{Millis, Moment};
use std::collections::BTreeMap;

/// Heartbeats that may be missed.
const MISSED: Millis = 3;

/// Of one feed.
#[derive(Debug)]
pub(crate) struct Frontier {
    transit: Millis,
    heartbeat: Option<Millis>,
    /// How many partitions it has, once that is known.
    partitions: u32,
    by_partition: BTreeMap<i32, Reached>,
    /// As told to the judge; never goes back.
    heard: Moment,
    /// When something last came.
    last: Moment,
    /// It has no more to say.
    ended: bool,
    partitioned: bool,
}

/// Of one partition.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    /// Arrival of the last record.
    arrived: Option<Moment>,
    /// Caught up as of then.
    caught: Option<Moment>,
    lag: u64,
}

impl Frontier {
    pub(crate) fn new(feed: &Feed, heard: Moment) -> Frontier {
        Frontier {
            transit: feed.transit,
            heartbeat: feed.heartbeat,
            partitions: 0,
            by_partition: BTreeMap::new(),
            heard,
            last: Moment::DAWN,
            ended: false,
            partitioned: feed.partitioned,
        }
    }

    /// Records of a partition came; the last of them arrived then. `stamped`: where they are kept, not here.
    pub(crate) fn came(&mut self, partition: i32, arrived: Moment, stamped: bool) {
        let reached = self.by_partition.entry(partition).or_default();
        if stamped {
            reached.arrived = reached.arrived.max(Some(arrived));
        }
        self.last = self.last.max(arrived);
    }

    /// All that was there at `at` has come.
    pub(crate) fn caught_up(&mut self, partition: i32, partitions: u32, at: Moment, lag: u64) {
        self.partitions = partitions;
        let reached = self.by_partition.entry(partition).or_default();
        reached.caught = reached.caught.max(Some(at));
        reached.lag = lag;
    }

    /// Records that have not come yet.
    pub(crate) fn behind(&mut self, partition: i32, partitions: u32, lag: u64) {
        self.partitions = partitions;
        self.by_partition.entry(partition).or_default().lag = lag;
    }

    /// When something last came; None: nothing did.
    pub(crate) fn last(&self) -> Option<Moment> {
        (self.last != Moment::DAWN).then_some(self.last)
    }

    /// It promised to say something, and did not: three times.
    pub(crate) fn is_silent(&self, now: Moment) -> bool {
        // Nothing came yet: since when it has been silent, nobody knows.
        let last = self.last().unwrap_or(self.heard);
        !self.ended && last != Moment::DAWN && self.heartbeat.is_some_and(|every| now > last + MISSED * every)
    }

    /// Its source says that time has come so far.
    pub(crate) fn tick(&mut self, at: Moment) {
        self.last = self.last.max(at);
        self.heard = self.heard.max(at + -self.transit);
    }

    /// Whoever reads it says how far it was heard, and when something last came.
    pub(crate) fn told(&mut self, heard: Moment, last: Moment) {
        self.last = self.last.max(last);
        self.heard = self.heard.max(heard);
    }

    /// It has no more to say.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Partitions, with their lag.
    pub(crate) fn lags(&self) -> impl Iterator<Item = (i32, u64)> {
        self.by_partition.iter().map(|(partition, reached)| (*partition, reached.lag))
    }

    /// All of its partitions have been heard of.
    pub(crate) fn is_known(&self) -> bool {
        self.ended || self.partitions > 0 && self.by_partition.len() as u32 >= self.partitions
    }

    /// It has partitions of which nothing was heard yet.
    pub(crate) fn may_be_behind(&self) -> bool {
        self.partitioned && !self.is_known()
    }

    /// How far it was heard when it is `now`.
    pub(crate) fn heard(&mut self, now: Moment) -> Moment {
        if self.ended {
            self.heard = self.heard.max(now);
            return self.heard;
        }
        let known = self.is_known();
        let least = self.by_partition.values().map(|reached| {
            let caught = reached.caught.map(|at| at + -self.transit);
            caught.max(reached.arrived.map(|at| at + -self.transit))
        });
        if known && let Some(Some(least)) = least.min() {
            let silent = self.heartbeat.is_some_and(|every| now > self.last + MISSED * every);
            let least = if silent { least.min(self.last) } else { least };
            self.heard = self.heard.max(least.min(now));
        }
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onus_engine::time::{HOUR, MINUTE};

    fn feed(heartbeat: Option<Millis>) -> Feed {
        Feed { transit: MINUTE, heartbeat, ..Feed::named("tickets") }
    }

    #[test]
    fn a_feed_is_heard_as_far_as_its_slowest_partition() {
        let start = Moment(100 * HOUR);
        let mut frontier = Frontier::new(&feed(None), Moment::DAWN);
        frontier.came(0, start, true);
        assert_eq!(frontier.heard(start + HOUR), Moment::DAWN, "how many partitions there are is not known");
        frontier.behind(1, 2, 7);
        assert_eq!(frontier.heard(start + HOUR), Moment::DAWN, "nothing came of the second");
        frontier.caught_up(1, 2, start + HOUR, 0);
        assert_eq!(frontier.heard(start + HOUR), start + -MINUTE);
        frontier.caught_up(0, 2, start + HOUR, 0);
        assert_eq!(frontier.heard(start + HOUR), start + HOUR + -MINUTE);
        frontier.came(0, start, true);
        assert_eq!(frontier.heard(start + HOUR), start + HOUR + -MINUTE, "it never goes back");
    }

    #[test]
    fn three_missed_heartbeats_stop_it() {
        let start = Moment(100 * HOUR);
        let mut frontier = Frontier::new(&feed(Some(MINUTE)), Moment::DAWN);
        frontier.tick(start);
        frontier.caught_up(0, 1, start + 2 * MINUTE, 0);
        assert_eq!(frontier.heard(start + 3 * MINUTE), start + MINUTE);
        frontier.caught_up(0, 1, start + HOUR, 0);
        assert_eq!(frontier.heard(start + HOUR), start + MINUTE, "caught up with silence");
        frontier.tick(start + HOUR);
        assert_eq!(frontier.heard(start + HOUR), start + HOUR + -MINUTE);
    }
}
