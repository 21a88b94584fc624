//! What a source's two threads both see.

use super::{Access, Topic};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// How far a partition was handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) next: u64,
    /// Offset after the last record that was handed over: tombstones move `next` only.
    pub(super) after_last: u64,
    pub(super) last: u64,
}

pub(super) struct Shared {
    pub(super) topic: Topic,
    pub(super) access: Access,
    spots: Mutex<BTreeMap<i32, Spot>>,
    /// The client's last word on a connection, for a message that says why.
    reason: Mutex<Option<String>>,
}

impl Shared {
    pub(super) fn new(topic: Topic, access: Access) -> Shared {
        Shared { topic, access, spots: Mutex::default(), reason: Mutex::default() }
    }

    pub(super) fn spot(&self, partition: i32) -> Option<Spot> {
        self.spots.lock().ok()?.get(&partition).copied()
    }

    pub(super) fn put(&self, partition: i32, spot: Spot) {
        if let Ok(mut spots) = self.spots.lock() {
            spots.insert(partition, spot);
        }
    }

    /// The client says some errors twice, once with its particulars and once without: whichever comes last, they stay.
    pub(super) fn because(&self, reason: String) {
        if let Ok(mut last) = self.reason.lock()
            && !last.as_ref().is_some_and(|known| known.starts_with(&reason))
        {
            *last = Some(reason);
        }
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.reason.lock().ok()?.clone()
    }

    pub(super) fn forget_reason(&self) {
        if let Ok(mut last) = self.reason.lock() {
            *last = None;
        }
    }
}
