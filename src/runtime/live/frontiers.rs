//! How far each feed has been heard: the event time up to which we believe that everything has come.
//!
//! While a feed is behind: the least, over its partitions, of the last record's arrival. Once caught up at an instant:
//! that instant less its transit, the time that an act normally takes to reach us. A tick raises it, too. One that
//! promises a heartbeat and misses three stops.

use super::Feed;
use crate::exchange::carried::Part;
use crate::exchange::lanes::Lane;
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
    /// Its share of the partitions that are read here.
    lane: Lane,
    /// How far others say that they have heard of their shares: by lane, how many lanes, and in how many parts it comes.
    shares: (BTreeMap<u16, Moment>, u16, u32),
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
            lane: Lane::ONLY,
            shares: (BTreeMap::new(), 0, 0),
        }
    }

    /// Of a lane that reads some of its partitions: whether its heartbeats come is for those to say who hear of all lanes.
    #[cfg(feature = "kafka")]
    pub(crate) fn of_lane(feed: &Feed, lane: Lane) -> Frontier {
        Frontier { lane, heartbeat: None, ..Frontier::new(feed, Moment::DAWN) }
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

    /// Whoever reads a share of it says the same of that. A share of which nobody spoke was not heard.
    pub(crate) fn told_part(&mut self, part: Part, heard: Moment, last: Moment) {
        let (by_lane, of, parts) = &mut self.shares;
        if *of != part.lane.of {
            by_lane.clear();
            (*of, *parts) = (part.lane.of, 0);
        }
        *parts = part.parts.max(*parts);
        let lane = by_lane.entry(part.lane.own).or_insert(heard);
        *lane = heard.max(*lane);
        self.last = self.last.max(last);
    }

    /// How far all shares were heard; None: of some, nobody knows.
    fn told_in_parts(&self) -> Option<Moment> {
        let (by_lane, of, parts) = &self.shares;
        let with_any = (*parts).clamp(1, u32::from((*of).max(1))) as u16;
        let known = *of > 0 && by_lane.range(..with_any).count() == usize::from(with_any);
        by_lane.range(..with_any).map(|(_, heard)| *heard).min().filter(|_| known)
    }

    /// In how many parts it comes, as far as is known.
    #[cfg(feature = "kafka")]
    pub(crate) fn parts(&self) -> u32 {
        self.partitions
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
        let own = self.lane.count(self.partitions);
        self.ended || self.partitions > 0 && self.by_partition.len() as u32 >= own
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
        let least = if known { least.min().flatten() } else { None };
        if let Some(least) = least.or_else(|| self.told_in_parts()) {
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
    fn a_source_that_lanes_share_is_heard_as_far_as_the_slowest_of_them() {
        let start = Moment(100 * HOUR);
        let part = |own, parts| Part { lane: Lane { own, of: 3 }, parts };
        let mut frontier = Frontier::new(&feed(None), Moment::DAWN);
        frontier.told_part(part(0, 2), start, start);
        assert_eq!(frontier.heard(start + HOUR), Moment::DAWN, "nobody spoke of the second share");
        frontier.told_part(part(1, 2), start + MINUTE, start);
        assert_eq!(frontier.heard(start + HOUR), start, "two partitions: the third lane has none");
        frontier.told_part(part(0, 3), start + HOUR, start);
        assert_eq!(frontier.heard(start + HOUR), start, "the topic has grown, and of the third nothing is known");
        frontier.told_part(part(2, 2), start + HOUR, start);
        assert_eq!(frontier.heard(start + HOUR), start + MINUTE, "whoever has not seen that it grew does not undo it");
        frontier.told_part(part(1, 3), start + 2 * HOUR, start);
        assert_eq!(frontier.heard(start + HOUR), start + HOUR);
        frontier.told_part(Part { lane: Lane { own: 0, of: 2 }, parts: 3 }, start + 3 * HOUR, start);
        assert_eq!(
            frontier.heard(start + 3 * HOUR),
            start + HOUR,
            "another number of lanes: of the other nothing is known"
        );
    }

    #[test]
    fn heartbeats_are_missed_in_all_lanes_together() {
        let start = Moment(100 * HOUR);
        let part = |own| Part { lane: Lane { own, of: 2 }, parts: 2 };
        let mut frontier = Frontier::new(&feed(Some(MINUTE)), Moment::DAWN);
        frontier.told_part(part(0), start + MINUTE, start);
        frontier.told_part(part(1), start + MINUTE, Moment::DAWN);
        assert_eq!(frontier.heard(start + MINUTE), start + MINUTE, "they come to one lane only");
        frontier.told_part(part(0), start + HOUR, start);
        frontier.told_part(part(1), start + HOUR, Moment::DAWN);
        assert_eq!(frontier.heard(start + HOUR), start + MINUTE, "caught up with silence");
        let mut lane = Frontier::of_lane(&feed(Some(MINUTE)), Lane { own: 1, of: 2 });
        lane.caught_up(1, 3, start + HOUR, 0);
        assert_eq!(lane.heard(start + HOUR), start + HOUR + -MINUTE, "of three partitions one is its");
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
