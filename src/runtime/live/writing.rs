//! What is in hand is written down, in one commit; then, and not before, it is told.

use super::{Live, LiveError, WORTH, recover};
use crate::ingest::feed::Receipt;
use crate::store::{Batch, Message, Position, StoreError};
use onus_engine::time::Millis;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// After what could not be told it is tried again in so many milliseconds.
const TELL_AGAIN: Millis = 1_000;

impl Live {
    /// Writes down what is in hand. Nothing of it was told before; on an error nothing of it is written, and it may be
    /// tried again.
    pub fn commit(&mut self) -> Result<(), LiveError> {
        if self.journal.is_empty() && self.letters.is_empty() && self.moved.is_empty() && self.reread.is_empty() {
            self.settle_receipts();
            return Ok(());
        }
        let wrong = |what: String| StoreError::Refused { target: "the journal".to_owned(), why: what };
        let blob = self.journal.blob().map_err(|e| wrong(e.to_string()))?;
        let pages = self.leaving.pages().map_err(wrong)?;
        let mut positions: Vec<Position> =
            self.moved.iter().filter_map(|key| self.positions.get(key).cloned()).collect();
        let told = self.telling.position();
        positions.extend(told.clone());
        let batch = Batch {
            sequence: self.sequence + 1,
            now: self.judge.engine.now(),
            journal: &blob,
            entries: &self.ledger.entries,
            messages: &self.ledger.told,
            letters: &self.letters,
            reread: &self.reread,
            released: (self.terms.generation, &pages),
            positions: &positions,
            terms: None,
        };
        let began = std::time::Instant::now();
        self.store.commit(self.epoch, &batch)?;
        self.status.took(began.elapsed().as_secs_f64());
        self.sequence += 1;
        self.telling.written(told);
        self.snapped.1 += blob.len();
        self.journal.clear();
        self.leaving.clear();
        self.ledger.clear();
        self.letters.clear();
        self.reread.clear();
        self.moved.clear();
        (self.events, self.since) = (0, None);
        self.idle_since = self.now.steady();
        self.settle_receipts();
        self.show();
        Ok(())
    }

    pub(super) fn settle_receipts(&mut self) {
        for one in self.waiting.drain(..) {
            // Who waited may have given up.
            let _ = one.done.send(Receipt::Written(one.refused));
        }
    }

    /// Commits, however long the store is away: nothing is taken in meanwhile, so sources wait.
    pub(super) fn commit_or_wait(
        &mut self,
        stop: &AtomicBool,
        told: &mut dyn FnMut(&[Message]) -> Vec<u64>,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        let messages = self.ledger.told.clone();
        let positions: Vec<Position> = self.moved.iter().filter_map(|key| self.positions.get(key).cloned()).collect();
        let mut pause = 100;
        loop {
            match self.commit() {
                Ok(()) => break,
                Err(LiveError::Store(error)) if error.may_pass() && !stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    self.status.store(Some(error.to_string()));
                    std::thread::sleep(Duration::from_millis(pause));
                    pause = (pause * 2).min(5_000);
                }
                Err(error) => {
                    for one in self.waiting.drain(..) {
                        let _ = one.done.send(Receipt::Not(error.to_string()));
                    }
                    return Err(error);
                }
            }
        }
        self.status.store(None);
        if !positions.is_empty() {
            committed(&positions);
        }
        self.tell(&messages, told)?;
        if self.wants_snapshot() {
            self.snapshot_or_later()?;
        }
        Ok(())
    }

    /// Tells what is written, in the order in which it was decided: nothing overtakes what could not be told.
    fn tell(&mut self, messages: &[Message], told: &mut dyn FnMut(&[Message]) -> Vec<u64>) -> Result<(), LiveError> {
        if messages.is_empty() || self.untold {
            return Ok(());
        }
        let taken = told(messages);
        if taken.len() < messages.len() {
            self.tell_later();
        }
        self.taken.extend(taken);
        self.note_told()
    }

    /// Notes what was told. While the store is away it is said again with the next; whoever starts before that tells it again.
    fn note_told(&mut self) -> Result<(), LiveError> {
        if self.taken.is_empty() {
            return Ok(());
        }
        match self.store.delivered(self.epoch, &self.taken) {
            Err(error) if error.may_pass() => tracing::warn!("what was told cannot be noted yet: {error}"),
            done => {
                done?;
                self.taken.clear();
            }
        }
        Ok(())
    }

    fn tell_later(&mut self) {
        (self.untold, self.tell_again) = (true, self.now.steady() + TELL_AGAIN);
    }

    /// What was written and perhaps not told.
    pub(super) fn catch_up(&mut self, told: &mut dyn FnMut(&[Message]) -> Vec<u64>) -> Result<(), LiveError> {
        self.untold = false;
        let mut after = 0;
        while self.plan.tells && !self.untold {
            let messages = match self.store.messages(after, 1_000) {
                Err(error) if error.may_pass() => {
                    self.tell_later();
                    break;
                }
                found => found?,
            };
            let Some(last) = messages.last() else { break };
            after = last.number;
            self.tell(&messages, told)?;
        }
        Ok(())
    }

    fn wants_snapshot(&mut self) -> bool {
        let (at, journal, size) = self.snapped;
        self.now.steady() - at >= self.plan.snapshot_every && journal > WORTH * size
    }

    /// A store that is away now gets the next one: it only spares the next start some work.
    pub(super) fn snapshot_or_later(&mut self) -> Result<(), LiveError> {
        match self.snapshot() {
            Err(LiveError::Store(error)) if error.may_pass() => {
                tracing::error!("no snapshot: {error}");
                self.snapped.0 = self.now.steady();
                Ok(())
            }
            done => done,
        }
    }

    /// Writes a snapshot: the next start judges only what the journal has after it.
    pub fn snapshot(&mut self) -> Result<(), LiveError> {
        let written =
            recover::write_snapshot(self.store.as_mut(), self.epoch, self.sequence, &self.judge, &self.terms)?;
        self.snapped = (self.now.steady(), 0, written);
        self.snapped_at = self.sequence;
        Ok(())
    }
}
