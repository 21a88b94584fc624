//! The two ends of what waits between sources and the loop: as a channel of the standard library's, but that each partition
//! of each source is full by itself, and that sources take turns.

use super::queue::{Next, Queue, Waits};
use super::quota::Portion;
use super::{FeedId, Heard};
use std::sync::mpsc::{RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Two ends, for sources that share alike.
pub fn channel() -> (Sender, Receiver) {
    channel_of(Vec::new())
}

/// Two ends, with each source's portion in the order of their [`FeedId`]s; those beyond the end have the usual one.
pub fn channel_of(portions: Vec<Portion>) -> (Sender, Receiver) {
    let state = State { queue: Queue::new(portions), senders: 1, gone: false, listens: false, knock: 0 };
    let (state, news, room) = (Mutex::new(state), Condvar::new(), Condvar::new());
    let shared = Arc::new(Shared { state, news, room, begun: Instant::now() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// A source's end.
#[derive(Debug)]
pub struct Sender(Arc<Shared>);

/// The loop's end.
#[derive(Debug)]
pub struct Receiver(Arc<Shared>);

/// Says how sources wait, at any moment.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Something came, or nobody is left who could say something.
    news: Condvar,
    /// Something was taken, or nobody takes any more.
    room: Condvar,
    begun: Instant,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    senders: usize,
    /// Nobody takes any more.
    gone: bool,
    /// The loop waits.
    listens: bool,
    /// Sources that wait for room.
    knock: usize,
}

impl Shared {
    // A poisoned lock guards plain values: they are as good as they were.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Sender {
    /// Says it, once there is room.
    ///
    /// # Errors
    /// Nobody takes any more.
    pub fn send(&self, heard: Heard) -> Result<(), SendError<Heard>> {
        let mut heard = heard;
        let mut state = self.0.lock();
        loop {
            if state.gone {
                return Err(SendError(heard));
            }
            match state.queue.put(heard) {
                Ok(()) => {
                    self.told(state);
                    return Ok(());
                }
                Err(back) => heard = back,
            }
            state.knock += 1;
            state = self.0.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.knock -= 1;
        }
    }

    /// Says it, if there is room.
    ///
    /// # Errors
    /// There is none for this partition, or nobody takes any more.
    pub fn try_send(&self, heard: Heard) -> Result<(), TrySendError<Heard>> {
        let mut state = self.0.lock();
        if state.gone {
            return Err(TrySendError::Disconnected(heard));
        }
        state.queue.put(heard).map_err(TrySendError::Full)?;
        self.told(state);
        Ok(())
    }

    /// How long a source's quota keeps out what it says now, for those who would rather say it later than wait; None: it
    /// does not.
    pub fn over_quota(&self, feed: FeedId) -> Option<Duration> {
        let now = self.0.now();
        self.0.lock().queue.over(feed, now)
    }

    /// It has one.
    pub fn has_quota(&self, feed: FeedId) -> bool {
        self.0.lock().queue.has_quota(feed)
    }

    fn told(&self, state: MutexGuard<'_, State>) {
        let listens = state.listens;
        drop(state);
        if listens {
            self.0.news.notify_one();
        }
    }
}

impl Clone for Sender {
    fn clone(&self) -> Sender {
        self.0.lock().senders += 1;
        Sender(Arc::clone(&self.0))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        if state.senders == 0 {
            drop(state);
            self.0.news.notify_one();
        }
    }
}

impl Receiver {
    /// What is next, if there is anything.
    ///
    /// # Errors
    /// There is nothing, or never will be.
    pub fn try_recv(&self) -> Result<Heard, TryRecvError> {
        self.recv_timeout(Duration::ZERO).map_err(|error| match error {
            RecvTimeoutError::Timeout => TryRecvError::Empty,
            RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
        })
    }

    /// What is next, waited for.
    ///
    /// # Errors
    /// Nothing came in that time, or nothing ever will.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Heard, RecvTimeoutError> {
        let mut state = self.0.lock();
        let mut now = self.0.now();
        let end = now.saturating_add(timeout);
        loop {
            let until = match state.queue.take(now) {
                Next::Heard(heard, room) => {
                    let wakes = room && state.knock > 0;
                    drop(state);
                    if wakes {
                        self.0.room.notify_all();
                    }
                    return Ok(heard);
                }
                Next::Later(until) => until,
                Next::Nothing if state.senders == 0 => return Err(RecvTimeoutError::Disconnected),
                Next::Nothing => Duration::MAX,
            };
            if now >= end {
                return Err(RecvTimeoutError::Timeout);
            }
            state.listens = true;
            let wait = until.min(end).saturating_sub(now);
            state = self.0.news.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            state.listens = false;
            now = self.0.now();
        }
    }

    /// All that is there now.
    pub fn try_iter(&self) -> impl Iterator<Item = Heard> {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    /// For whoever wants to know how sources wait.
    pub fn gauge(&self) -> Gauge {
        Gauge(Arc::clone(&self.0))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.gone = true;
        // Whoever waits for what becomes of it is told that nothing does.
        let rest = std::mem::take(&mut state.queue);
        drop(state);
        drop(rest);
        self.0.room.notify_all();
    }
}

impl Gauge {
    /// By source; those that never spoke may be missing at the end.
    pub fn waits(&self) -> Vec<Waits> {
        let now = self.0.now();
        self.0.lock().queue.waits(now)
    }
}
