//! What is in hand: everything that the next commit writes, as it was taken in. It is written as a whole or not at all, and
//! told only then.

use super::Waiting;
use super::journal::Writer;
use super::shelves::Leaving;
use super::status::Snap;
use crate::store::{
    Batch, Entry, Epoch, Letter, LetterState, Page, Position, Regenerated, Remembered, Stamp, Store, StoreError, chain,
};
use onus_engine::time::Moment;
use std::sync::Arc;
use std::time::Instant;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Hand {
    pub(super) journal: Writer,
    pub(super) leaving: Arc<Leaving>,
    pub(super) entries: Vec<Entry>,
    pub(super) letters: Vec<Letter>,
    pub(super) reread: Vec<(u64, LetterState)>,
    pub(super) positions: Vec<Position>,
    /// What adapters remember since the batch before, and under what they read.
    pub(super) remembered: Vec<Remembered>,
    pub(super) stamps: Vec<Stamp>,
    /// Records that were read anew, and count from here on.
    pub(super) regenerated: Vec<Regenerated>,
    /// Who waits until it is written.
    pub(super) waiting: Vec<Waiting>,
    /// Records in it.
    pub(super) events: usize,
    /// When the first of them was taken in.
    pub(super) began: Option<Instant>,
    /// How everything stood when it was handed over: shown once it is written.
    pub(super) snap: Option<Snap>,
    sealed: Sealed,
}

/// What the batch says beside its contents. Made once: a batch that is tried again is the same to the byte.
#[derive(Debug)]
struct Sealed {
    epoch: u64,
    sequence: u64,
    now: Moment,
    generation: u32,
    /// Digest of the ledger's entry before its own.
    before: [u8; 32],
    made: Option<(Vec<u8>, Vec<Page>)>,
}

impl Default for Sealed {
    fn default() -> Sealed {
        Sealed { epoch: 0, sequence: 0, now: Moment::DAWN, generation: 0, before: [0; 32], made: None }
    }
}

impl Hand {
    /// There is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.journal.is_empty() && self.letters.is_empty() && self.positions.is_empty() && self.reread.is_empty()
    }

    /// From here on nothing is added.
    pub(super) fn seal(&mut self, epoch: Epoch, sequence: u64, now: Moment, generation: u32, before: [u8; 32]) {
        self.sealed = Sealed { epoch: epoch.0, sequence, now, generation, before, made: None };
    }

    /// Its commit.
    pub(super) fn sequence(&self) -> u64 {
        self.sealed.sequence
    }

    /// Bytes of journal that it has made.
    pub(super) fn journalled(&self) -> usize {
        self.sealed.made.as_ref().map_or(0, |(blob, _)| blob.len())
    }

    /// Pages of what left memory with it, and of which generation.
    pub(super) fn released(&self) -> (u32, &[Page]) {
        (self.sealed.generation, self.sealed.made.as_ref().map_or(&[], |(_, pages)| pages))
    }

    /// Writes it; on an error nothing of it is written, and it may be tried again.
    pub(super) fn write(&mut self, store: &mut dyn Store) -> Result<(), StoreError> {
        let wrong = |why: String| StoreError::Refused { target: "the journal".to_owned(), why };
        if self.sealed.made.is_none() {
            chain(self.sealed.before, &mut self.entries);
            let blob = self.journal.blob().map_err(|error| wrong(error.to_string()))?;
            self.sealed.made = Some((blob, self.leaving.pages().map_err(wrong)?));
        }
        let Sealed { epoch, sequence, now, generation, made, .. } = &self.sealed;
        let (blob, pages) = made.as_ref().map_or((&[][..], &[][..]), |(blob, pages)| (&blob[..], &pages[..]));
        let batch = Batch {
            sequence: *sequence,
            now: *now,
            journal: blob,
            entries: &self.entries,
            letters: &self.letters,
            reread: &self.reread,
            released: (*generation, pages),
            remembered: &self.remembered,
            stamps: &self.stamps,
            regenerated: &self.regenerated,
            positions: &self.positions,
            terms: None,
        };
        store.commit(Epoch(*epoch), &batch)
    }

    /// Empties it, keeps the room.
    pub(super) fn clear(&mut self) {
        self.journal.clear();
        Arc::make_mut(&mut self.leaving).clear();
        self.entries.clear();
        self.letters.clear();
        self.reread.clear();
        self.positions.clear();
        self.remembered.clear();
        self.stamps.clear();
        self.regenerated.clear();
        self.waiting.clear();
        self.events = 0;
        self.began = None;
        self.snap = None;
        self.sealed.made = None;
    }
}
