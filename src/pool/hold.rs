//! Whether an owner may still speak for what it owns, by this machine's own steady clock: whoever stood still for longer than its lease must
//! be silent from its first instruction on, before it could ask anybody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a member's leases hold still.
#[derive(Debug)]
pub struct Fresh {
    lease: Duration,
    /// When the last round began that renewed them.
    renewed: Mutex<Option<Instant>>,
}

impl Fresh {
    /// Of leases of that length, not renewed yet.
    pub fn new(lease: Duration) -> Fresh {
        Fresh { lease, renewed: Mutex::new(None) }
    }

    /// Renewed by a round that began then: the database may have counted from that instant on.
    pub fn renew(&self, began: Instant) {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
    }

    /// How long ago they were renewed; None: never.
    pub fn age(&self) -> Option<Duration> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).map(|renewed| renewed.elapsed())
    }

    /// They were renewed in time.
    pub fn holds(&self) -> bool {
        self.age().is_some_and(|age| age < self.lease)
    }
}

/// One unit that is owned.
#[derive(Debug)]
pub struct Hold {
    fresh: Arc<Fresh>,
    over: AtomicBool,
}

impl Hold {
    /// From now on.
    pub fn new(fresh: Arc<Fresh>) -> Hold {
        Hold { fresh, over: AtomicBool::new(false) }
    }

    /// Whether its owner may speak: page, tell, show figures.
    pub fn may_speak(&self) -> bool {
        !self.over.load(Ordering::Acquire) && self.fresh.holds()
    }

    /// It is another's.
    pub fn end(&self) {
        self.over.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_not_renewed_in_time_is_silent_until_it_is() {
        let fresh = Arc::new(Fresh::new(Duration::from_secs(3_600)));
        let hold = Hold::new(Arc::clone(&fresh));
        assert!(!hold.may_speak(), "not before the first round");
        fresh.renew(Instant::now());
        assert!(hold.may_speak());
        // A round that took longer than the lease renews nothing: it counts from its beginning.
        let Some(long_ago) = Instant::now().checked_sub(Duration::from_secs(3_600)) else { return };
        fresh.renew(long_ago);
        assert!(!hold.may_speak() && fresh.age().is_some());
        fresh.renew(Instant::now());
        assert!(hold.may_speak());
        hold.end();
        assert!(!hold.may_speak(), "for good");
    }
}
