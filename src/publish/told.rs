//! What became of what receivers were told: counted here, shown on the page of figures.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Upper bounds of the latencies that are told apart, in seconds.
pub const BOUNDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0];

/// Of one receiver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Count {
    /// Notices that it accepted.
    pub sent: u64,
    /// Sendings that failed, and are tried again.
    pub errors: u64,
    /// Notices that were given up: it refused them.
    pub dropped: u64,
    /// Notices that wait.
    pub queue: u64,
    /// When it last accepted something, in seconds since 1970.
    pub last: Option<f64>,
    /// Latencies, by [`BOUNDS`] and beyond.
    pub latency: [u64; BOUNDS.len() + 1],
    /// All of them together, in seconds.
    pub seconds: f64,
    /// It refuses what it is told, and waits for somebody's decision.
    pub halted: bool,
}

/// Of all receivers.
#[derive(Debug, Default)]
pub struct Told(Mutex<All>);

/// A copy of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct All {
    /// By the receiver's name.
    pub receivers: BTreeMap<String, Count>,
    /// Alerts that are believed to fire, by the contract's word of how loud they are; None: nobody is paged.
    pub firing: Option<[u64; 3]>,
}

impl Told {
    fn lock(&self) -> MutexGuard<'_, All> {
        // Counts are as good as they were.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There is one of this name: its figures are there from the first page on.
    pub fn add(&self, receiver: &str) {
        self.lock().receivers.entry(receiver.to_owned()).or_default();
    }

    fn change(&self, receiver: &str, change: impl FnOnce(&mut Count)) {
        change(self.lock().receivers.entry(receiver.to_owned()).or_default());
    }

    /// So many were accepted; of those that were news, how long each took.
    pub fn sent(&self, receiver: &str, notices: u64, took: &[Duration]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        self.change(receiver, |count| {
            count.sent += notices;
            count.last = Some(now);
            count.halted = false;
            for took in took.iter().map(Duration::as_secs_f64) {
                count.latency[BOUNDS.partition_point(|bound| *bound < took)] += 1;
                count.seconds += took;
            }
        });
    }

    /// A sending failed.
    pub fn failed(&self, receiver: &str) {
        self.change(receiver, |count| count.errors += 1);
    }

    /// A notice was given up.
    pub fn dropped(&self, receiver: &str) {
        self.change(receiver, |count| count.dropped += 1);
    }

    /// So many wait.
    pub fn queue(&self, receiver: &str, notices: u64) {
        self.change(receiver, |count| count.queue = notices);
    }

    /// It refuses what it is told.
    pub fn halted(&self, receiver: &str, halted: bool) {
        self.change(receiver, |count| count.halted = halted);
    }

    /// So many alerts fire: note, ticket, page.
    pub fn firing(&self, by: [u64; 3]) {
        self.lock().firing = Some(by);
    }

    /// How it stands.
    pub fn all(&self) -> All {
        self.lock().clone()
    }
}
