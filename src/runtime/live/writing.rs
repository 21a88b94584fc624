//! What is in hand is written down, in one commit; then, and not before, it is told.

use super::hand::Hand;
use super::keeper::Written;
use super::{Live, LiveError, SHOWN, WORTH, recover};
use crate::ingest::feed::Receipt;
use crate::store::Position;
use onus_engine::time::Millis;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

impl Live {
    /// Writes down what is in hand, and waits for it. Nothing of it was told before; on an error nothing of it is written,
    /// and it may be tried again.
    pub fn commit(&mut self) -> Result<(), LiveError> {
        if self.keeper.is_busy() {
            if let Some(Ok(written)) = self.keeper.ended(true) {
                self.written(written);
            }
            if let Some(hand) = self.keeper.give_up() {
                let written = self.keeper.write(hand)?;
                self.written(written);
            }
        }
        if let Some(hand) = self.seal() {
            let written = self.keeper.write(hand)?;
            self.written(written);
        }
        Ok(())
    }

    /// What is in hand, for the next commit; None: there is nothing to write.
    fn seal(&mut self) -> Option<Box<Hand>> {
        for key in std::mem::take(&mut self.moved) {
            self.hand.positions.extend(self.positions.get(&key).cloned());
        }
        self.hand.positions.extend(self.followers.positions().chain(self.letters_told.positions()));
        if self.hand.is_empty() {
            settle(&mut self.hand.waiting);
            self.since = None;
            return None;
        }
        let empty = self.spare.take().unwrap_or_default();
        let mut hand = std::mem::replace(&mut self.hand, empty);
        std::mem::swap(&mut hand.entries, &mut self.ledger.entries);
        let sequence = self.sequence + 1;
        let settled = self.judge.engine.now() + -self.plan.settling;
        self.machines.seal(sequence, settled, &mut hand.remembered, &mut hand.stamps);
        if let Some(exchanged) = &mut self.exchanged {
            exchanged.seal(sequence, &mut hand.remembered);
        }
        let steady = self.now.steady();
        let count = steady - self.shown >= SHOWN;
        if count {
            self.shown = steady;
        }
        let mut snap = self.snap(sequence, count);
        snap.declared = std::mem::take(&mut self.ledger.declaring.declared);
        hand.snap = Some(snap);
        hand.seal(self.epoch, sequence, self.judge.engine.now(), self.terms.generation, self.ledger.digest());
        self.since = None;
        self.idle_since = steady;
        Some(hand)
    }

    /// Has what is in hand written while the loop goes on. Only where nothing else is under way.
    pub fn hand_over(&mut self) {
        if !self.keeper.is_busy()
            && let Some(hand) = self.seal()
        {
            self.keeper.begin(hand);
        }
    }

    /// A commit took place.
    fn written(&mut self, written: Written) -> Box<Hand> {
        let Written { mut hand, seconds } = written;
        self.sequence = hand.sequence();
        self.snapped.1 += hand.journalled();
        self.ledger.written(&hand.entries);
        self.letters_told.written(&hand.positions, hand.letters.last().map(|letter| letter.number));
        self.followers.written(&hand.positions, hand.entries.last().map(|entry| entry.number));
        // Begun milliseconds count: a disk that is faster than that is no reason to commit all the time.
        self.took = (seconds * 1e3).ceil() as Millis;
        self.status.took(seconds);
        settle(&mut hand.waiting);
        if let Some(snap) = hand.snap.take() {
            self.status.show(snap);
        }
        tracing::debug!(
            commit = self.sequence,
            events = hand.events,
            entries = hand.entries.len(),
            writing_ms = seconds * 1e3,
            oldest_ms = hand.began.map(|began| began.elapsed().as_secs_f64() * 1e3),
            "written"
        );
        hand
    }

    /// Tells what was under way, once it is written. `wait`: however long the store is away; nothing is taken in meanwhile,
    /// so sources wait.
    pub(super) fn land(
        &mut self,
        wait: bool,
        stop: &AtomicBool,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        let mut pause = 100;
        let mut wait = wait;
        while let Some(ended) = self.keeper.ended(wait) {
            match ended {
                Ok(written) => {
                    let mut hand = self.written(written);
                    self.status.store(None);
                    if !hand.positions.is_empty() {
                        committed(&hand.positions);
                    }
                    self.followers.tell(&mut self.keeper)?;
                    hand.clear();
                    self.spare = Some(hand);
                    return Ok(());
                }
                Err(error) if error.may_pass() && !stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    self.status.store(Some(error.to_string()));
                    std::thread::sleep(Duration::from_millis(pause));
                    pause = (pause * 2).min(5_000);
                    self.keeper.again();
                    wait = true;
                }
                Err(error) => {
                    let unwritten = self.keeper.give_up().map(|hand| hand.waiting).unwrap_or_default();
                    for one in unwritten.into_iter().chain(self.hand.waiting.drain(..)) {
                        let _ = one.done.send(Receipt::Not(error.to_string()));
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    pub(super) fn wants_snapshot(&mut self) -> bool {
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

    /// Writes a snapshot: the next start judges only what the journal has after it. What is in hand is written first.
    pub fn snapshot(&mut self) -> Result<(), LiveError> {
        self.commit()?;
        let store = self.keeper.store()?;
        let written = recover::write_snapshot(store, self.epoch, self.sequence, &self.judge, &self.terms)?;
        self.snapped = (self.now.steady(), 0, written);
        self.snapped_at = self.sequence;
        Ok(())
    }
}

/// Who waited until it is written hears that it is.
fn settle(waiting: &mut Vec<super::Waiting>) {
    for one in waiting.drain(..) {
        // Who waited may have given up.
        let _ = one.done.send(Receipt::Written(one.refused));
    }
}
