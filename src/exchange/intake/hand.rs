//! What an intake has read and not written yet, and what is kept until the brokers have it.
//!
//! Messages are kept in the commit that notes their records as read. So whoever goes on after a crash writes the very same:
//! nothing is made a second time, by other settings or in another order.

use crate::exchange::carried::{Bundle, Place};
use crate::exchange::kept::{self, Kept, Made, Message};
use crate::exchange::repeats::Reading;
use crate::ingest::feed::Receipt;
use crate::runtime::live::LiveError;
use crate::store::{Letter, LetterState, Position, Remembered, Store};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

/// Events that are written in one commit, at most, but for those of one piece: far fewer than judges remember.
const EVENTS: u64 = 4_000;
/// Their bytes.
const BYTES: usize = 8 << 20;
/// Bytes of events that become one record, at most, but for one event: half of what a judge takes in at once.
const RECORD: usize = 128 << 10;

/// Read, and not noted as read yet.
#[derive(Default)]
pub(super) struct Hand {
    /// Events, by the partition that they go to: these fill a record each.
    open: BTreeMap<i32, Bundle>,
    made: Made,
    pub(super) letters: Vec<Letter>,
    /// Letters that were read again, or decided.
    pub(super) reread: Vec<(u64, LetterState)>,
    pub(super) positions: BTreeMap<(u16, i32), Position>,
    /// Positions that are no source's.
    pub(super) others: Vec<Position>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) since: Option<Instant>,
    bytes: usize,
}

/// Somebody who waits until the brokers have what came of records.
pub(super) struct Waiting {
    pub(super) done: oneshot::Sender<Receipt>,
    /// Of them, those that became dead letters.
    pub(super) refused: Vec<(usize, String)>,
}

impl Hand {
    /// Nothing, but these positions are to be noted.
    pub(super) fn with(others: Vec<Position>) -> Hand {
        Hand { others, ..Hand::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.made.events == 0
            && self.letters.is_empty()
            && self.reread.is_empty()
            && self.positions.is_empty()
            && self.others.is_empty()
            && self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.made.events >= EVENTS || self.bytes >= BYTES
    }

    pub(super) fn begins(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// An event for a partition.
    pub(super) fn put(&mut self, partition: i32, reading: &Arc<Reading>, place: Place, line: &[u8]) {
        self.bytes += line.len();
        self.made.events += 1;
        let open = self.open.entry(partition).or_default();
        if open.bytes() > 0 && open.bytes() + line.len() >= RECORD {
            let full = std::mem::take(open);
            self.made.close(partition, full);
        }
        self.open.entry(partition).or_default().put(reading, place, line);
    }

    /// All events in it.
    pub(super) fn made(&mut self) -> Made {
        let mut made = std::mem::take(&mut self.made);
        for (partition, bundle) in std::mem::take(&mut self.open) {
            made.close(partition, bundle);
        }
        made
    }
}

impl Made {
    fn close(&mut self, partition: i32, bundle: Bundle) {
        self.messages.extend(bundle.record().map(|(header, value)| Message { partition, header, value }));
    }
}

/// Committed, and not known to be with the brokers.
#[derive(Default)]
pub(super) struct Out {
    pub(super) made: Made,
    pub(super) waiting: Vec<Waiting>,
    /// The store has a row.
    kept: bool,
}

impl Out {
    /// What whoever was here before may not have written.
    pub(super) fn open(store: &mut dyn Store) -> Result<Out, LiveError> {
        match kept::read(store)? {
            Kept::Nothing => Ok(Out::default()),
            Kept::Made(made) => Ok(Out { made, waiting: Vec::new(), kept: true }),
            Kept::Unreadable => Err(LiveError::Exchange(
                "what the intake keeps in the store until the brokers have it cannot be read: another version wrote it, or it is \
                 damaged (`onus store verify`); start the version that wrote it, and stop that in good order"
                    .to_owned(),
            )),
        }
    }

    /// The row for the next commit; None: it stays as it is.
    pub(super) fn row(&mut self, made: &Made, at: Moment) -> Result<Option<Remembered>, LiveError> {
        if made.messages.is_empty() && !std::mem::take(&mut self.kept) {
            return Ok(None);
        }
        self.kept = !made.messages.is_empty();
        let row = kept::row(self.kept.then_some(made), at);
        row.map(Some).map_err(|error| LiveError::Exchange(format!("events cannot be kept: {error}")))
    }

    /// The brokers have all of it.
    pub(super) fn settle(&mut self) {
        self.made = Made::default();
        for Waiting { done, refused } in self.waiting.drain(..) {
            // Whoever asked may have gone.
            let _ = done.send(Receipt::Written(refused));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::carried::{Carried, lay, read};
    use crate::store::{Batch, place};
    use proptest::prelude::*;

    /// Events: each one's partition, its length, and whether it is of another reading than the one before.
    fn events() -> impl Strategy<Value = Vec<(i32, usize, bool)>> {
        prop::collection::vec(
            (0..3i32, prop_oneof![1..40usize, Just(RECORD / 2), Just(RECORD + 1)], any::<bool>()),
            0..20,
        )
    }

    fn made(events: &[(i32, usize, bool)]) -> Made {
        let mut hand = Hand::default();
        let mut life = 0;
        for (offset, (partition, length, other)) in (0..).zip(events) {
            life += u32::from(*other);
            let (source, incarnation) = ("desk".to_owned(), format!("life {life}"));
            let reading = Arc::new(Reading { source, partition: 0, incarnation, generation: 0 });
            let place = Place { offset, item: 0, arrived: Moment(7) };
            hand.put(*partition, &reading, place, "x".repeat(*length).as_bytes());
        }
        assert_eq!(hand.is_empty(), events.is_empty());
        let made = hand.made();
        assert!(hand.is_empty());
        made
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        /// Whatever a process kept last is what the next one finds.
        #[test]
        fn what_was_kept_last_is_found(all in prop::collection::vec(events().prop_map(|events| made(&events)), 1..5)) {
            let folder = tempfile::tempdir().expect("a folder");
            let place = place::Place::Sqlite(folder.path().join("lane.db"));
            let mut store = place::open(&place, u16::MAX).expect("a store");
            let epoch = store.claim("test").expect("ours").epoch;
            let mut out = Out::open(store.as_mut()).expect("nothing");
            prop_assert_eq!(&out.made, &Made::default());
            for (sequence, made) in (1..).zip(&all) {
                let remembered: Vec<Remembered> = out.row(made, Moment(0)).expect("a row").into_iter().collect();
                let batch = Batch { remembered: &remembered, ..Batch::empty(sequence, Moment(0)) };
                store.commit(epoch, &batch).expect("written");
                prop_assert_eq!(&Out::open(store.as_mut()).expect("read").made, made);
            }
        }

        /// Each event goes to its partition, in its order; and no record is larger than brokers take.
        #[test]
        fn events_of_a_partition_stay_in_order(events in events()) {
            let made = made(&events);
            let mut found = BTreeMap::<i32, Vec<(u64, usize)>>::new();
            for Message { partition, header, value } in &made.messages {
                prop_assert!(value.len() <= RECORD || !value.contains(&b'\n'));
                let mut record = Vec::new();
                lay(Some(header), value, &mut record);
                let Some(Carried::Events(all)) = read(&record) else { panic!("it is read") };
                let offsets = all.runs.iter().flat_map(|run| run.places.iter().map(|place| place.offset));
                found.entry(*partition).or_default().extend(offsets.zip(all.lines().map(<[u8]>::len)));
            }
            let mut wanted = BTreeMap::<i32, Vec<(u64, usize)>>::new();
            for (offset, (partition, length, _)) in (0..).zip(&events) {
                wanted.entry(*partition).or_default().push((offset, *length));
            }
            prop_assert_eq!(found, wanted);
            prop_assert_eq!(made.events, events.len() as u64);
        }
    }

    #[test]
    fn what_another_version_kept_ends_the_intake_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = place::Place::Sqlite(folder.path().join("lane.db"));
        let mut store = place::open(&place, u16::MAX).expect("a store");
        let epoch = store.claim("test").expect("ours").epoch;
        let remembered = [Remembered { row: Some(vec![0]), ..kept::row(None, Moment(0)).expect("a row") }];
        let batch = Batch { remembered: &remembered, ..Batch::empty(1, Moment(0)) };
        store.commit(epoch, &batch).expect("written");
        assert!(matches!(Out::open(store.as_mut()), Err(LiveError::Exchange(why)) if why.contains("another version")));
    }
}
