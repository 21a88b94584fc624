//! What is in hand is noted, and then written: in this order, so that whoever goes on after a crash writes the very same.

use super::Intake;
use crate::exchange::carried::HEADER;
use crate::runtime::live::LiveError;
use crate::store::{Batch, Position, Remembered, Stamp};
use std::time::{Duration, Instant};

/// How long until a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

impl Intake {
    /// What is in hand is noted, with what was made of it, in one commit; then the brokers get it. A process that is to stop
    /// leaves it: what is noted is written by the next one.
    pub(super) fn write(
        &mut self,
        stop: &dyn Fn() -> bool,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        if !self.send(stop)? || self.hand.is_empty() {
            return Ok(());
        }
        let mut hand = std::mem::take(&mut self.hand);
        let made = hand.made();
        let sequence = self.claim.sequence + 1;
        let now = (self.clock)();
        let (mut remembered, mut stamps): (Vec<Remembered>, Vec<Stamp>) = (Vec::new(), Vec::new());
        self.machines.seal(sequence, now + -self.plan.settling, &mut remembered, &mut stamps);
        remembered.extend(self.out.row(&made, now)?);
        let positions: Vec<Position> = hand.positions.into_values().chain(hand.others).collect();
        let batch = Batch {
            letters: &hand.letters,
            reread: &hand.reread,
            remembered: &remembered,
            stamps: &stamps,
            positions: &positions,
            ..Batch::empty(sequence, now)
        };
        let began = Instant::now();
        while let Err(error) = self.store.commit(self.claim.epoch, &batch) {
            if !error.may_pass() || stop() {
                return Err(error.into());
            }
            tracing::error!("{error}");
            self.status.store(Some(error.to_string()));
            std::thread::sleep(AGAIN);
        }
        self.status.store(None);
        self.status.took(began.elapsed().as_secs_f64());
        self.claim.sequence = sequence;
        self.claim.letters += hand.letters.len() as u64;
        committed(&positions);
        tracing::debug!(commit = sequence, events = made.events, records = made.messages.len(), "noted");
        let waiting = made.events;
        (self.out.made, self.out.waiting) = (made, hand.waiting);
        self.status.writes(|written| written.waiting = waiting);
        self.send(stop)?;
        Ok(())
    }

    /// The brokers get what was noted; false: they have not got all of it yet, and the process is to stop.
    fn send(&mut self, stop: &dyn Fn() -> bool) -> Result<bool, LiveError> {
        if !self.out.made.messages.is_empty() {
            let status = &self.status;
            let mut trouble = |why: Option<String>| {
                if let Some(why) = &why {
                    tracing::error!("{why}");
                }
                status.writes(|written| written.trouble = why);
            };
            let sent = self.outgoing.send_all(&self.topic, HEADER, &self.out.made.messages, stop, &mut trouble);
            if !sent.map_err(LiveError::Exchange)? {
                return Ok(false);
            }
            let (events, now) = (self.out.made.events, (self.clock)());
            self.status.writes(|written| {
                written.events += events;
                (written.waiting, written.last) = (0, Some(now));
            });
        }
        self.out.settle();
        Ok(true)
    }
}
