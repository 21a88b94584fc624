//! What one source has sent, in its order, to the loop.

use super::split::Item;
use crate::ingest::feed::{FeedId, Heard, Receipt, Records, Sender};
use crate::ingest::wire::{Came, Format, Wire};
use onus_engine::time::Moment;
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// One source.
pub(super) struct Line {
    pub(super) feed: FeedId,
    heard: Sender,
    wire: Arc<Wire>,
    incarnation: Arc<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Records handed over in this life.
    count: u64,
    /// It had something to say and was turned away, and has not been heard since.
    owed: bool,
    /// That was for want of room, and not for its quota.
    wants_room: bool,
    /// The loop knows that.
    told: bool,
}

/// What became of a request's events.
pub(super) enum Sent {
    /// The loop has their records, and will say when they are written down; of each record, which event it is from.
    Handed(oneshot::Receiver<Receipt>, Vec<usize>),
    /// There is nothing in them to write down, and nothing wrong.
    Nothing,
    /// There was no room.
    Full,
    /// Its quota lets nothing more in for so long.
    OverQuota(Duration),
    /// The loop has ended.
    Over,
}

impl Line {
    /// `since` sets its positions apart from those of another life.
    pub(super) fn new(feed: FeedId, wire: Arc<Wire>, since: Moment, heard: Sender) -> Line {
        Line { feed, heard, wire, incarnation: Arc::from(format!("http since {since}")), state: Mutex::default() }
    }

    /// Hands events over, if there is room. `wrapped`: they may be wrapped in something, as nothing says what they are.
    pub(super) fn send(&self, items: &[Item<'_>], wrapped: bool, longest: usize, arrived: Moment) -> Sent {
        let (done, receipt) = oneshot::channel();
        let mut records = Records::new(self.feed, 0, self.incarnation.clone());
        // How far was heard is for the beat to say, which knows who was turned away.
        records.stamped = false;
        let mut state = self.state();
        if let Some(wait) = self.heard.over_quota(self.feed) {
            // Others of it came while this one was read.
            state.owed = true;
            return Sent::OverQuota(wait);
        }
        let plain = Wire::new(Format::Json, None);
        let wire = if wrapped { &*self.wire } else { &plain };
        let mut of = Vec::with_capacity(items.len());
        for ((n, at), item) in (state.count..).enumerate().zip(items) {
            let came = Came { value: Some(&item.bytes), headers: &[], offset: at, next: at + 1, arrived, longest };
            // No schema is waited for: settings give frames to Kafka's sources alone.
            wire.put(&came, || format!("event {n} of the request"), &mut records);
            of.resize(records.list.len(), n);
        }
        if records.list.is_empty() {
            // Only counted.
            let _ = self.heard.try_send(Heard::Records(records));
            return Sent::Nothing;
        }
        records.done = Some(done);
        // Numbered and handed over under one lock, so that numbers come in order.
        match self.heard.try_send(Heard::Records(records)) {
            Ok(()) => {
                state.count += items.len() as u64;
                Sent::Handed(receipt, of)
            }
            Err(TrySendError::Full(_)) => {
                (state.owed, state.wants_room) = (true, true);
                Sent::Full
            }
            Err(TrySendError::Disconnected(_)) => Sent::Over,
        }
    }

    /// How long its quota lets nothing in; whoever says more is turned away, and it is not heard until it is let in.
    pub(super) fn over_quota(&self) -> Option<Duration> {
        let mut state = self.state();
        let wait = self.heard.over_quota(self.feed)?;
        state.owed = true;
        Some(wait)
    }

    /// It had something to say, and we could not take it.
    pub(super) fn turned_away(&self) {
        let mut state = self.state();
        (state.owed, state.wants_room) = (true, true);
    }

    /// It was heard.
    pub(super) fn written(&self) {
        let mut state = self.state();
        (state.owed, state.wants_room) = (false, false);
    }

    /// Says that all it has sent is handed over; not while it is known to have more.
    pub(super) fn beat(&self, clock: fn() -> Moment) {
        let mut state = self.state();
        let feed = self.feed;
        // That somebody sends more than was agreed is no trouble of this process: others go on sending.
        if state.wants_room != state.told {
            let news = if state.wants_room {
                let why = "events were turned away for want of room: whoever sent them must send them again; until then \
                           this source is heard up to here";
                Heard::Trouble { feed, why: why.to_owned() }
            } else {
                Heard::Fine { feed }
            };
            if self.heard.try_send(news).is_err() {
                return;
            }
            state.told = state.wants_room;
        }
        if !state.owed {
            // Under the lock: what is handed over after this has come after it. If there is no room, the next beat says it.
            let _ = self.heard.try_send(Heard::CaughtUp { feed, partition: 0, partitions: 1, at: clock(), lag: 0 });
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
