//! What one source has sent, in its order, to the loop.

use super::split::Item;
use crate::ingest::feed::{FeedId, Heard, Receipt, Records, Wrong};
use onus_engine::time::Moment;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// One source.
pub(super) struct Line {
    pub(super) feed: FeedId,
    heard: SyncSender<Heard>,
    incarnation: Arc<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Records handed over in this life.
    count: u64,
    /// It had something to say and was turned away, and has not been heard since.
    owed: bool,
    /// The loop knows that.
    told: bool,
}

/// What became of a request's events.
pub(super) enum Sent {
    /// The loop has them, and will say when they are written down.
    Handed(oneshot::Receiver<Receipt>),
    /// There was no room.
    Full,
    /// The loop has ended.
    Over,
}

impl Line {
    /// `since` sets its positions apart from those of another life.
    pub(super) fn new(feed: FeedId, since: Moment, heard: SyncSender<Heard>) -> Line {
        Line { feed, heard, incarnation: Arc::from(format!("http since {since}")), state: Mutex::default() }
    }

    /// Hands events over, if there is room.
    pub(super) fn send(&self, items: &[Item<'_>], longest: usize, arrived: Moment) -> Sent {
        let (done, receipt) = oneshot::channel();
        let mut records = Records::new(self.feed, 0, self.incarnation.clone());
        // How far was heard is for the beat to say, which knows who was turned away.
        records.stamped = false;
        let mut state = self.state();
        for (at, item) in (state.count..).zip(items) {
            let bytes = &item.bytes[..item.bytes.len().min(longest)];
            records.push(bytes, at, at + 1, arrived);
            if bytes.len() < item.bytes.len() {
                records.is_wrong(Wrong::Cut(item.bytes.len() as u64));
            }
        }
        records.done = Some(done);
        // Numbered and handed over under one lock, so that numbers come in order.
        match self.heard.try_send(Heard::Records(records)) {
            Ok(()) => {
                state.count += items.len() as u64;
                Sent::Handed(receipt)
            }
            Err(TrySendError::Full(_)) => {
                state.owed = true;
                Sent::Full
            }
            Err(TrySendError::Disconnected(_)) => Sent::Over,
        }
    }

    /// It had something to say, and we could not take it.
    pub(super) fn turned_away(&self) {
        self.state().owed = true;
    }

    /// It was heard.
    pub(super) fn written(&self) {
        self.state().owed = false;
    }

    /// Says that all it has sent is handed over; not while it is known to have more.
    pub(super) fn beat(&self, clock: fn() -> Moment) {
        let mut state = self.state();
        let feed = self.feed;
        if state.owed != state.told {
            let news = if state.owed {
                let why = "events were turned away for want of room: whoever sent them must send them again; until then \
                           this source is heard up to here";
                Heard::Trouble { feed, why: why.to_owned() }
            } else {
                Heard::Fine { feed }
            };
            if self.heard.try_send(news).is_err() {
                return;
            }
            state.told = state.owed;
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
