//! Records that were read anew, under other settings of their adapter. What was made of them before is void; everything else
//! in the journal stands.
//!
//! The new reading lies in the journal behind the old one, under the source's name with the number of the reading. Until the
//! commit that says what it takes the place of, nobody looks at it: a reading that was not finished never was.

use crate::store::{Regenerated, Store, StoreError};
use std::collections::BTreeMap;

/// Which readings count.
#[derive(Clone, Debug, Default)]
pub(super) struct Generations(BTreeMap<String, Vec<Regenerated>>);

/// Between a source's name and the number of a reading; no source has it in its name.
const MARK: char = '~';

/// A source's name in the journal, in one of its readings.
pub(super) fn named(source: &str, generation: u64) -> String {
    format!("{source}{MARK}{generation}")
}

/// The source, and which reading of it.
pub(super) fn split(name: &str) -> (&str, u64) {
    let parts = name.split_once(MARK).and_then(|(source, number)| Some((source, number.parse().ok()?)));
    parts.unwrap_or((name, 0))
}

impl Generations {
    /// As the store has them.
    pub(super) fn of(store: &mut dyn Store) -> Result<Generations, StoreError> {
        let mut all: BTreeMap<String, Vec<Regenerated>> = BTreeMap::new();
        for one in store.regenerated()? {
            all.entry(one.source.clone()).or_default().push(one);
        }
        Ok(Generations(all))
    }

    /// Whether all records of a reading count; None: some may not.
    pub(super) fn of_all(&self, source: &str, generation: u64) -> Option<bool> {
        match self.0.get(source) {
            None => Some(generation == 0),
            Some(_) => None,
        }
    }

    /// Whether what was made of a record in this reading counts.
    pub(super) fn counts(&self, source: &str, generation: u64, partition: i32, offset: u64) -> bool {
        let all = self.0.get(source).map_or(&[][..], Vec::as_slice);
        let covers = |one: &Regenerated| one.partition == partition && (one.begins..one.ends).contains(&offset);
        let finished = generation == 0 || all.iter().any(|one| one.generation == generation && covers(one));
        finished && !all.iter().any(|one| one.generation > generation && covers(one))
    }

    /// Another finished reading; false: it was known.
    pub(super) fn add(&mut self, one: Regenerated) -> bool {
        let known = self.is_known(&one);
        if !known {
            let all = self.0.entry(one.source.clone()).or_default();
            all.push(one);
            // As the store has them.
            all.sort_by_key(|one| (one.generation, one.partition));
        }
        !known
    }

    /// Whether this reading is finished already.
    pub(super) fn is_known(&self, one: &Regenerated) -> bool {
        let all = self.0.get(&one.source).map_or(&[][..], Vec::as_slice);
        all.iter().any(|other| (other.partition, other.generation) == (one.partition, one.generation))
    }

    /// Whether nothing more can come of a reading: it, or a later one, is finished.
    pub(super) fn is_over(&self, source: &str, generation: u64) -> bool {
        self.0.get(source).is_some_and(|all| all.iter().any(|one| one.generation >= generation))
    }

    /// Which reading of a record counts: what is said of it from here on belongs to that.
    pub(super) fn newest(&self, source: &str, partition: i32, offset: u64) -> u64 {
        let all = self.0.get(source).map_or(&[][..], Vec::as_slice);
        let here = all.iter().filter(|one| one.partition == partition && (one.begins..one.ends).contains(&offset));
        here.map(|one| one.generation).max().unwrap_or(0)
    }

    /// One text for everything in it: whoever judged by another must judge again.
    pub(super) fn text(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("{:?}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(generation: u64, begins: u64, ends: u64) -> Regenerated {
        Regenerated { source: "snow".to_owned(), partition: 1, generation, begins, ends, why: String::new() }
    }

    #[test]
    fn the_newest_finished_reading_of_a_record_counts_and_no_other() {
        let all = Generations([("snow".to_owned(), vec![one(5, 10, 20), one(9, 15, 30)])].into());
        let counting = |offset: u64| -> Vec<u64> {
            [0, 5, 7, 9].into_iter().filter(|generation| all.counts("snow", *generation, 1, offset)).collect()
        };
        assert_eq!((counting(9), counting(30)), (vec![0], vec![0]));
        assert_eq!((counting(10), counting(14)), (vec![5], vec![5]));
        assert_eq!((counting(15), counting(29)), (vec![9], vec![9]));
        assert!(all.counts("snow", 0, 2, 15), "another partition");
        assert!(!all.counts("snow", 7, 1, 0), "a reading that was never finished");
        for offset in [9, 10, 15, 29, 30] {
            assert_eq!(counting(offset), [all.newest("snow", 1, offset)]);
        }
        assert!(
            all.is_over("snow", 5) && all.is_over("snow", 9) && !all.is_over("snow", 10) && !all.is_over("other", 1)
        );
        assert_eq!((all.of_all("other", 0), all.of_all("other", 3)), (Some(true), Some(false)));
        assert_eq!((split(&named("snow", 9)), split("snow")), (("snow", 9), ("snow", 0)));
    }
}
