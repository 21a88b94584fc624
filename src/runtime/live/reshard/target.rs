//! A new shard that is filled: batches one after the other, as an owner writes them.

use super::{LiveError, OWNER, cannot};
use crate::store::place::{self, Place};
use crate::store::reshard::Follows;
use crate::store::{Batch, Entry, Epoch, Letter, Regenerated, Store, Terms, chain};
use onus_engine::time::Moment;

/// A batch to be filled; its number and time are [`Target::commit`]'s.
pub(super) fn nothing() -> Batch<'static> {
    Batch::empty(0, Moment::DAWN)
}

/// With what each new shard begins.
pub(super) struct Begun {
    /// What the old ones were judged by.
    pub(super) terms: Option<Terms>,
    pub(super) regenerated: Vec<Regenerated>,
    /// From when on all journals that have lost their beginning are there.
    pub(super) from: Moment,
}

/// A new shard that is filled.
pub(super) struct Target {
    store: Box<dyn Store>,
    epoch: Epoch,
    pub(super) sequence: u64,
    now: Moment,
    /// Number of the last entry, and its digest; number of the last letter.
    pub(super) entries: u64,
    digest: [u8; 32],
    letters: u64,
    /// When what is in hand of its journal began.
    pub(super) begins: Option<Moment>,
}

impl Target {
    /// Takes it over.
    pub(super) fn bare(into: &Place, shard: u16) -> Result<Target, LiveError> {
        let mut store = place::open(into, shard)?;
        let claim = store.claim(OWNER)?;
        let (entries, digest, letters) = (claim.entries, claim.digest, claim.letters);
        let (epoch, sequence, now) = (claim.epoch, claim.sequence, Moment::DAWN);
        Ok(Target { store, epoch, sequence, now, entries, digest, letters, begins: None })
    }

    /// The same of a judge's, with what stands before its journal.
    pub(super) fn open(into: &Place, shard: u16, begun: &Begun, follows: &Follows) -> Result<Target, LiveError> {
        let mut target = Target::bare(into, shard)?;
        if target.digest != follows.digest() {
            return Err(cannot(format!(
                "shard {shard} of the new store was begun by something else: start this again"
            )));
        }
        let terms = begun.terms.clone().map(|terms| Terms { since: target.sequence + 1, ..terms });
        let (from, regenerated) = (begun.from.max(Moment::DAWN), begun.regenerated.as_slice());
        target.commit(from, &Batch { terms: terms.as_ref(), regenerated, ..nothing() })?;
        Ok(target)
    }

    /// Writes one batch.
    pub(super) fn commit(&mut self, now: Moment, batch: &Batch<'_>) -> Result<(), LiveError> {
        self.now = self.now.max(now);
        let batch = Batch { sequence: self.sequence + 1, now: self.now, ..batch.clone() };
        self.store.commit(self.epoch, &batch)?;
        self.sequence += 1;
        self.letters += batch.letters.len() as u64;
        Ok(())
    }

    /// Writes entries behind those that are there: each gets its number and its digest.
    pub(super) fn decide(&mut self, entries: &mut [Entry]) -> Result<(), LiveError> {
        entries.iter_mut().zip(self.entries + 1..).for_each(|(entry, number)| entry.number = number);
        self.digest = chain(self.digest, entries);
        self.entries += entries.len() as u64;
        self.commit(Moment::DAWN, &Batch { entries, ..nothing() })
    }

    /// Writes dead letters behind those that are there.
    pub(super) fn put_letters(&mut self, letters: &mut [Letter]) -> Result<(), LiveError> {
        letters.iter_mut().zip(self.letters + 1..).for_each(|(letter, number)| letter.number = number);
        self.commit(Moment::DAWN, &Batch { letters, ..nothing() })
    }
}
