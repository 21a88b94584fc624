//! The loop: takes in what sources say, hands over what is due, tells what is written.

use super::{Live, LiveError};
use crate::ingest::feed::{Heard, Receiver, Wish};
use crate::store::Position;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// So many batches are taken in while a commit is under way that takes long: a disk that is busy stops no judge at once.
const BEHIND: usize = 4;
/// How long at the end is waited for receivers.
const GRACE: Duration = Duration::from_secs(5);
/// While a commit is under way and sources are silent, it is looked at so often.
const LANDING: Duration = Duration::from_millis(1);

impl Live {
    /// Runs until it is asked to stop, or, if so wanted, every source has ended.
    ///
    /// `committed` gets the positions that are written.
    pub fn run(
        &mut self,
        sources: &Receiver,
        until_end: bool,
        stop: &AtomicBool,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        self.status.hears(sources.gauge());
        let mut ended = 0;
        while !stop.load(Ordering::Relaxed) {
            match self.next(sources) {
                Some(Heard::Wish(Wish::Stop)) => break,
                Some(heard) => {
                    ended += usize::from(matches!(heard, Heard::Ended { .. }));
                    self.take(heard)?;
                }
                None if self.disconnected => break,
                None => {}
            }
            self.tick()?;
            self.land(false, stop, committed)?;
            if self.wants_snapshot() {
                self.write_all(stop, committed)?;
                self.snapshot_or_later()?;
            } else if self.is_due() && (!self.keeper.is_busy() || self.hand.events >= BEHIND * self.plan.batch) {
                self.land(true, stop, committed)?;
                self.hand_over();
            }
            if self.reload_at.is_some_and(|at| self.now.steady() >= at) {
                self.reload_at = None;
                // What was judged by the old contracts is written down first, however long the store is away.
                self.write_all(stop, committed)?;
                self.reload()?;
            }
            if until_end && ended == self.plan.feeds.len() {
                break;
            }
        }
        self.write_all(stop, committed)?;
        self.status.show(self.snap(self.sequence, true));
        let until = Instant::now() + GRACE;
        self.followers.end(&mut self.keeper, until)?;
        self.letters_told.end(&mut self.keeper, until)?;
        // Up to where everybody was told.
        self.write_all(stop, committed)?;
        self.snapshot_or_later()?;
        self.status.end();
        Ok(())
    }

    /// What a source says next. Where none says anything at the moment, what is in hand is written.
    fn next(&mut self, sources: &Receiver) -> Option<Heard> {
        match sources.try_recv() {
            Ok(heard) => return Some(heard),
            Err(TryRecvError::Disconnected) => {
                self.disconnected = true;
                return None;
            }
            Err(TryRecvError::Empty) => {}
        }
        let wait = self.wait();
        if wait.is_zero() && !self.keeper.is_busy() {
            self.hand_over();
            return None;
        }
        // A commit that is under way is told as soon as it is written.
        let wait = if self.keeper.is_busy() { LANDING } else { wait };
        match sources.recv_timeout(wait) {
            Ok(heard) => Some(heard),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.disconnected = true;
                None
            }
        }
    }

    /// Nothing is in hand or under way afterwards.
    fn write_all(&mut self, stop: &AtomicBool, committed: &mut dyn FnMut(&[Position])) -> Result<(), LiveError> {
        self.land(true, stop, committed)?;
        self.hand_over();
        self.land(true, stop, committed)
    }

    /// How long to wait for more while sources are silent: what is in hand need not wait until it is due, but commits take
    /// no more than a quarter of the time.
    fn wait(&mut self) -> Duration {
        let Some(since) = self.since else { return Duration::from_millis(100) };
        let steady = self.now.steady();
        let due = (self.idle_since + 3 * self.took).min(since + self.plan.commit_every);
        Duration::from_millis((due - steady).clamp(0, 100) as u64)
    }
}
