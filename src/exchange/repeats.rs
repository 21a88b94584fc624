//! What was taken from the exchange, by where it came from: an intake that starts again writes once more what it had not noted
//! as written, and nothing of that may count twice.
//!
//! Of each reading (source, partition, what is read there, generation) the places taken last are kept, each with a digest.
//! Beyond the highest place an item is new. At or below it, the very item that was taken is a repeat; anything else is
//! divergence: somebody says of a place that was read something that was not said of it.

use memchr::memmem::Finder;
use onus_engine::time::Moment;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use xxhash_rust::xxh3::xxh3_64;

/// Places that are kept of each reading. An intake writes far fewer before it notes them as written.
pub const KEPT: usize = 1 << 14;

/// One reading of one partition of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// The source's name.
    pub source: String,
    /// Its partition.
    pub partition: i32,
    /// What is read there.
    pub incarnation: String,
    /// Which reading of the same records: later ones are greater.
    pub generation: u64,
}

/// Where an event was in its source, and what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its record's position.
    pub offset: u64,
    /// Which of the events of that record.
    pub item: u32,
    /// Of what was said.
    pub digest: u64,
}

impl Item {
    fn place(&self) -> (u64, u32) {
        (self.offset, self.item)
    }
}

/// What an item is to whoever has taken others before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was not there yet.
    New,
    /// It was taken already.
    Repeat,
    /// It is not what was taken there, or was never there.
    Divergence,
}

/// Digests of what events say. When a record was read is not what it says: of a source that has no times of its own, the same
/// record comes at another time when it is read again.
#[derive(Debug)]
pub struct Digests {
    any: Finder<'static>,
    /// An arrival, as an event says that it is its own.
    own: (Moment, String),
    rest: Vec<u8>,
}

impl Default for Digests {
    fn default() -> Digests {
        let own = (Moment(i64::MIN), String::new());
        Digests { any: Finder::new(b",\"recordedtime\":\""), own, rest: Vec::new() }
    }
}

impl Digests {
    /// Of an event that arrived then, as it is compared with others of its place.
    pub fn of(&mut self, event: &[u8], arrived: Moment) -> u64 {
        // Most have no such word.
        if self.any.find(event).is_none() {
            return xxh3_64(event);
        }
        let (of, own) = &mut self.own;
        if *of != arrived || own.is_empty() {
            *of = arrived;
            own.clear();
            // Into memory.
            let _ = write!(own, ",\"recordedtime\":\"{arrived}\"");
        }
        match memchr::memmem::find(event, own.as_bytes()) {
            Some(at) => {
                self.rest.clear();
                self.rest.extend_from_slice(&event[..at]);
                self.rest.extend_from_slice(&event[at + own.len()..]);
                xxh3_64(&self.rest)
            }
            None => xxh3_64(event),
        }
    }
}

/// Items that were taken, by their readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeats {
    readings: BTreeMap<Reading, Taken>,
}

/// Items that were taken of one reading, the last ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken(VecDeque<Item>);

impl Taken {
    /// Looks at an item; a new one is taken.
    pub fn take(&mut self, item: Item) -> Seen {
        let taken = &mut self.0;
        if taken.back().is_none_or(|last| last.place() < item.place()) {
            if taken.len() == KEPT {
                taken.pop_front();
            }
            taken.push_back(item);
            return Seen::New;
        }
        match taken.binary_search_by_key(&item.place(), Item::place) {
            Ok(at) if taken[at] == item => Seen::Repeat,
            _ => Seen::Divergence,
        }
    }
}

impl Repeats {
    /// Those of a reading.
    pub fn of(&mut self, reading: &Reading) -> &mut Taken {
        self.readings.entry(reading.clone()).or_default()
    }

    /// Looks at an item; a new one is taken.
    pub fn take(&mut self, reading: &Reading, item: Item) -> Seen {
        self.of(reading).take(item)
    }

    /// How many places are kept of a reading.
    pub fn kept(&self, reading: &Reading) -> usize {
        self.readings.get(reading).map_or(0, |taken| taken.0.len())
    }

    /// Nothing of it is kept any more: what comes of it again is new.
    pub fn forget(&mut self, reading: &Reading) {
        self.readings.remove(reading);
    }

    /// The oldest place that is kept of a reading.
    pub fn oldest(&self, reading: &Reading) -> Option<(u64, u32)> {
        self.readings.get(reading)?.0.front().map(Item::place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading() -> Reading {
        Reading { source: "desk".to_owned(), partition: 0, incarnation: "here".to_owned(), generation: 0 }
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        prop::collection::btree_map((0..200u64, 0..3u32), any::<u64>(), 1..80).prop_map(|places| {
            places.into_iter().map(|((offset, item), digest)| Item { offset, item, digest }).collect()
        })
    }

    proptest! {
        /// However often an intake goes back and writes again, each item is taken once, and nothing of it is divergence.
        #[test]
        fn what_is_written_again_is_taken_once(items in items(), backs in prop::collection::vec((0..80usize, 0..80usize), 0..12)) {
            let mut repeats = Repeats::default();
            let (mut taken, mut reached) = (Vec::new(), 0);
            let lives = backs.iter().map(|(from, to)| (from % items.len(), to % items.len())).chain([(0, items.len())]);
            for (from, to) in lives {
                // It goes back to what it noted, which is never beyond what it wrote.
                for (at, item) in items.iter().enumerate().take(to).skip(from.min(reached)) {
                    let seen = repeats.take(&reading(), *item);
                    prop_assert_eq!(seen, if at < reached { Seen::Repeat } else { Seen::New });
                    if seen == Seen::New {
                        taken.push(*item);
                        reached = at + 1;
                    }
                }
            }
            prop_assert_eq!(taken, items);
        }

        /// What was tampered with, or put between, is never taken; and it disturbs nothing.
        #[test]
        fn what_was_not_said_is_divergence(items in items(), at in any::<prop::sample::Index>(), other in any::<u64>(), between in 0..200u64) {
            let mut repeats = Repeats::default();
            for item in &items {
                repeats.take(&reading(), *item);
            }
            let before = repeats.clone();
            let one = *at.get(&items);
            prop_assume!(other != one.digest);
            prop_assert_eq!(repeats.take(&reading(), Item { digest: other, ..one }), Seen::Divergence);
            let odd = Item { offset: between, item: 7, digest: other };
            if items.last().is_some_and(|last| last.place() > odd.place()) {
                prop_assert_eq!(repeats.take(&reading(), odd), Seen::Divergence);
            }
            prop_assert_eq!(repeats.take(&reading(), one), Seen::Repeat);
            prop_assert_eq!(repeats, before);
        }
    }

    #[test]
    fn when_it_was_read_is_not_what_it_says() {
        let mut digests = Digests::default();
        let (a, b) = (Moment(1_700_000_000_000), Moment(1_700_000_000_009));
        let mut say = |at: Moment, known: Moment| {
            digests.of(format!("{{\"id\":\"1\",\"recordedtime\":\"{known}\"}}").as_bytes(), at)
        };
        assert_eq!(say(a, a), say(b, b));
        assert_eq!(say(a, a), xxh3_64(b"{\"id\":\"1\"}"));
        assert_ne!(say(a, a), say(a, b), "a time of its own is a word like others");
        let none = b"{\"id\":\"1\"}";
        assert_eq!(digests.of(none, a), xxh3_64(none));
    }

    #[test]
    fn another_reading_is_not_compared_with_this_one() {
        let mut repeats = Repeats::default();
        let item = Item { offset: 5, item: 0, digest: 1 };
        assert_eq!(repeats.take(&reading(), item), Seen::New);
        let others = [
            Reading { source: "vault".to_owned(), ..reading() },
            Reading { partition: 1, ..reading() },
            Reading { incarnation: "there".to_owned(), ..reading() },
            Reading { generation: 1, ..reading() },
        ];
        for other in others {
            assert_eq!(repeats.take(&other, Item { digest: 2, ..item }), Seen::New, "{other:?}");
        }
        assert_eq!(repeats.take(&reading(), Item { digest: 2, ..item }), Seen::Divergence);
    }

    #[test]
    fn memory_is_bounded_and_what_it_no_longer_holds_is_no_fact() {
        let mut repeats = Repeats::default();
        let item = |offset: u64| Item { offset, item: 0, digest: offset };
        (0..2 * KEPT as u64).for_each(|n| assert_eq!(repeats.take(&reading(), item(n)), Seen::New));
        assert_eq!(repeats.oldest(&reading()), Some((KEPT as u64, 0)));
        assert_eq!(repeats.take(&reading(), item(KEPT as u64)), Seen::Repeat);
        assert_eq!(repeats.take(&reading(), item(0)), Seen::Divergence);
    }
}
