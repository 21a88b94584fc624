//! Lanes: several intakes divide the sources between them, each for good, so that none need know of another.
//!
//! A topic that no adapter reads is divided by its partitions. What an adapter remembers is of all its sources, and is not
//! divided: they go to one lane. So does a file. What is pushed may come to any lane.

use super::partition::murmur2;
use crate::store::Position;

/// Under this name a lane's store remembers how many there are.
const COUNT: &str = "@exchange-lanes";

/// One of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Which.
    pub own: u16,
    /// Of how many.
    pub of: u16,
}

/// What a lane reads of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it; no other lane does.
    Whole,
    /// Those of its topic's partitions that are the lane's.
    Partitions,
    /// What is pushed to it; every lane is pushed to.
    Pushed,
    /// Nothing: another lane reads it.
    Nothing,
}

impl Lane {
    /// Where there is but one.
    pub const ONLY: Lane = Lane { own: 0, of: 1 };

    /// The shard of the store in which it keeps positions and what adapters remember.
    pub fn shard(self) -> u16 {
        u16::MAX - self.own
    }

    /// A topic's partition is its.
    pub fn has(self, partition: i32) -> bool {
        partition.rem_euclid(i32::from(self.of.max(1))) == i32::from(self.own)
    }

    /// How many of a topic's partitions are its.
    pub fn count(self, partitions: u32) -> u32 {
        let (own, of) = (u32::from(self.own), u32::from(self.of.max(1)));
        partitions.saturating_sub(own).div_ceil(of)
    }

    /// What is not divided goes to the lane that its name says.
    pub fn is_home_of(self, name: &str) -> bool {
        murmur2(name.as_bytes()) % u32::from(self.of.max(1)) == u32::from(self.own)
    }
}

/// What a lane's store is to remember.
pub fn remembered(lanes: u16) -> Position {
    Position { source: COUNT.to_owned(), partition: 0, incarnation: String::new(), next: u64::from(lanes), last: 0 }
}

/// Whether there are as many lanes as when a lane's store was filled: with another number, partitions would be read from
/// their beginning by a lane that has not read them, and what adapters remember would be another lane's.
///
/// # Errors
/// There are not, in words, with what to do.
pub fn check(lanes: u16, stored: &[Position]) -> Result<(), String> {
    // Before there were lanes, there was one.
    let before = stored.iter().find(|position| position.source == COUNT).map(|position| position.next);
    let before = before.or((!stored.is_empty()).then_some(1));
    match before {
        Some(before) if before != u64::from(lanes) => Err(format!(
            "this store was filled by an intake of {before} lanes, and [exchange] lanes says {lanes}: what one lane has read \
             would be another's. Write {before}, or begin with a new store and a new topic"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Each partition of a topic is one lane's, and each lane knows how many are its.
        #[test]
        fn every_partition_is_in_one_lane(of in 1..300u16, partitions in 0..700u32) {
            let lanes: Vec<Lane> = (0..of).map(|own| Lane { own, of }).collect();
            for lane in &lanes {
                let own = (0..partitions as i32).filter(|partition| lane.has(*partition)).count();
                prop_assert_eq!(own as u32, lane.count(partitions));
            }
            for partition in 0..partitions as i32 {
                prop_assert_eq!(lanes.iter().filter(|lane| lane.has(partition)).count(), 1);
            }
        }

        #[test]
        fn every_name_is_at_home_in_one_lane(of in 1..300u16, name in ".{0,20}") {
            prop_assert_eq!((0..of).filter(|own| Lane { own: *own, of }.is_home_of(&name)).count(), 1);
        }
    }

    #[test]
    fn the_number_of_lanes_is_held_against_the_store() {
        assert_eq!(check(3, &[]), Ok(()));
        assert_eq!(check(3, &[remembered(3)]), Ok(()));
        assert!(check(2, &[remembered(3)]).expect_err("refused").contains("3 lanes"));
        let old = Position { source: "desk".to_owned(), ..remembered(1) };
        assert_eq!(check(1, std::slice::from_ref(&old)), Ok(()), "a store from before there were lanes");
        assert!(check(2, &[old]).is_err());
    }

    #[test]
    fn each_lane_has_a_shard_of_its_own() {
        assert_eq!(Lane::ONLY.shard(), u16::MAX);
        assert_eq!(Lane { own: 3, of: 4 }.shard(), u16::MAX - 3);
    }
}
