//! What an intake has read and not written yet, and what is kept until the brokers have it.
//!
//! Messages are kept as a row beside what adapters remember, in the commit that notes their records as read. So whoever
//! goes on after a crash writes the very same: nothing is made a second time, by other settings or in another order.

use crate::exchange::NAME;
use crate::ingest::feed::Receipt;
use crate::ingest::kafka::Message;
use crate::runtime::live::LiveError;
use crate::store::{Letter, LetterState, Position, Remembered, Store, zip};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::time::Instant;
use tokio::sync::oneshot;

/// The row's name. There is one: the next commit is written when the brokers have what the one before it kept.
const ROW: &str = "out";
/// Events that are written in one commit, at most, but for those of one piece: far fewer than judges remember.
const EVENTS: usize = 4_000;
/// Their bytes.
const BYTES: usize = 8 << 20;

/// Read, and not noted as read yet.
#[derive(Default)]
pub(super) struct Hand {
    pub(super) messages: Vec<Message>,
    pub(super) letters: Vec<Letter>,
    /// Letters that were read again, or decided.
    pub(super) reread: Vec<(u64, LetterState)>,
    pub(super) positions: BTreeMap<(u16, i32), Position>,
    /// Positions that are no source's.
    pub(super) others: Vec<Position>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) since: Option<Instant>,
    pub(super) bytes: usize,
}

/// Somebody who waits until the brokers have what came of records.
pub(super) struct Waiting {
    pub(super) done: oneshot::Sender<Receipt>,
    /// Of them, those that became dead letters.
    pub(super) refused: Vec<(usize, String)>,
}

impl Hand {
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.letters.is_empty()
            && self.reread.is_empty()
            && self.positions.is_empty()
            && self.others.is_empty()
            && self.waiting.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= EVENTS || self.bytes >= BYTES
    }

    pub(super) fn begins(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn put(&mut self, message: Message) {
        self.bytes += message.value.len();
        self.messages.push(message);
    }
}

/// Committed, and not known to be with the brokers.
#[derive(Default)]
pub(super) struct Out {
    pub(super) messages: Vec<Message>,
    pub(super) waiting: Vec<Waiting>,
    /// The store has a row.
    kept: bool,
}

impl Out {
    /// What whoever was here before may not have written.
    pub(super) fn open(store: &mut dyn Store) -> Result<Out, LiveError> {
        let mut found = None;
        store.remembered(NAME, &mut |one| {
            if one.id == ROW {
                found = one.row;
            }
        })?;
        let Some(row) = found else { return Ok(Out::default()) };
        let read = zstd::stream::decode_all(row.as_slice()).ok();
        match read.and_then(|plain| postcard::from_bytes(&plain).ok()) {
            Some(messages) => Ok(Out { messages, waiting: Vec::new(), kept: true }),
            None => Err(LiveError::Exchange(
                "what the intake keeps in the store until the brokers have it cannot be read: another version wrote it, or it is \
                 damaged (`onus store verify`); start the version that wrote it, and stop that in good order"
                    .to_owned(),
            )),
        }
    }

    /// The row for the next commit; None: it stays as it is.
    pub(super) fn row(&mut self, messages: &[Message], at: Moment) -> Result<Option<Remembered>, LiveError> {
        if messages.is_empty() && !std::mem::take(&mut self.kept) {
            return Ok(None);
        }
        let mut row = None;
        if !messages.is_empty() {
            let refused = |why: String| LiveError::Exchange(format!("events cannot be kept: {why}"));
            let plain = postcard::to_allocvec(messages).map_err(|error| refused(error.to_string()))?;
            row = Some(zip(&plain, 1).map_err(|error| refused(error.to_string()))?);
            self.kept = true;
        }
        Ok(Some(Remembered { adapter: NAME.to_owned(), id: ROW.to_owned(), row, at }))
    }

    /// The brokers have all of it.
    pub(super) fn settle(&mut self) {
        self.messages.clear();
        for Waiting { done, refused } in self.waiting.drain(..) {
            // Whoever asked may have gone.
            let _ = done.send(Receipt::Written(refused));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, place};
    use proptest::prelude::*;
    use std::borrow::Cow;

    fn messages() -> impl Strategy<Value = Vec<Message>> {
        let one = (0..9i32, ".{0,9}", prop::collection::vec(any::<u8>(), 0..40)).prop_map(|(partition, key, value)| {
            let headers = vec![(Cow::Borrowed("onus-source"), key.clone())];
            Message { partition, key, headers, value }
        });
        prop::collection::vec(one, 0..20)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        /// Whatever a process kept last is what the next one finds.
        #[test]
        fn what_was_kept_last_is_found(all in prop::collection::vec(messages(), 1..5)) {
            let folder = tempfile::tempdir().expect("a folder");
            let place = place::Place::Sqlite(folder.path().join("lane.db"));
            let mut store = place::open(&place, u16::MAX).expect("a store");
            let epoch = store.claim("test").expect("ours").epoch;
            let mut out = Out::open(store.as_mut()).expect("nothing");
            prop_assert!(out.messages.is_empty());
            for (sequence, messages) in (1..).zip(&all) {
                let remembered: Vec<Remembered> = out.row(messages, Moment(0)).expect("a row").into_iter().collect();
                let batch = Batch { remembered: &remembered, ..Batch::empty(sequence, Moment(0)) };
                store.commit(epoch, &batch).expect("written");
                prop_assert_eq!(&Out::open(store.as_mut()).expect("read").messages, messages);
            }
        }
    }
}
