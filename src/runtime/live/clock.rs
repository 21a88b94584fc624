//! What time it is: the wall clock, unless it jumps.
//!
//! The wall clock is compared with the monotonic one in each life of the process. Where they part by more than five
//! minutes the wall clock was set; until it is back, or somebody restarts the process to accept it, time goes on as the
//! monotonic clock says. So a clock set forward an hour breaches nobody, and one set back fires nothing twice.

use onus_engine::time::{MINUTE, Millis, Moment};
use std::time::Instant;

/// The least difference that is a jump.
const JUMP: Millis = 5 * MINUTE;

/// Where time comes from.
pub trait Time: Send {
    /// The wall clock.
    fn wall(&mut self) -> Moment;
    /// Milliseconds since some instant: never set, never back.
    fn steady(&mut self) -> Millis;
}

/// This machine's clocks.
#[derive(Debug)]
pub struct Machine(Instant);

impl Default for Machine {
    fn default() -> Machine {
        Machine(Instant::now())
    }
}

impl Time for Machine {
    fn wall(&mut self) -> Moment {
        Moment(chrono::Utc::now().timestamp_millis())
    }

    fn steady(&mut self) -> Millis {
        self.0.elapsed().as_millis() as Millis
    }
}

/// See the module.
pub(super) struct Now {
    time: Box<dyn Time>,
    /// Wall clock less monotonic clock, when they were last believed.
    offset: Millis,
    last: Moment,
    /// By how much the wall clock has jumped, if it has.
    pub(super) jumped: Option<Millis>,
}

impl Now {
    pub(super) fn new(mut time: Box<dyn Time>) -> Now {
        let (wall, steady) = (time.wall(), time.steady());
        Now { time, offset: wall.0 - steady, last: wall, jumped: None }
    }

    /// Now. Never goes back.
    pub(super) fn now(&mut self) -> Moment {
        let (wall, steady) = (self.time.wall(), self.time.steady());
        let apart = wall.0 - steady - self.offset;
        let now = if apart.abs() > JUMP {
            self.jumped = Some(apart);
            Moment(steady + self.offset)
        } else {
            self.jumped = None;
            // Clocks are set a little all the time, and slowly drift: that is followed.
            self.offset += apart;
            wall
        };
        self.last = self.last.max(now);
        self.last
    }

    /// Milliseconds that pass, whatever the wall clock says.
    pub(super) fn steady(&mut self) -> Millis {
        self.time.steady()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onus_engine::time::HOUR;
    use std::sync::{Arc, Mutex};

    struct Hands(Arc<Mutex<(i64, i64)>>);

    impl Time for Hands {
        fn wall(&mut self) -> Moment {
            Moment(self.0.lock().expect("a clock").0)
        }

        fn steady(&mut self) -> Millis {
            self.0.lock().expect("a clock").1
        }
    }

    #[test]
    fn a_clock_that_is_set_is_not_followed() {
        let hands = Arc::new(Mutex::new((1000 * HOUR, 0)));
        let mut now = Now::new(Box::new(Hands(Arc::clone(&hands))));
        let start = now.now();
        let mut set = |wall: i64, steady: i64| {
            *hands.lock().expect("a clock") = (wall, steady);
            (now.now(), now.jumped)
        };
        assert_eq!(set(start.0 + MINUTE, MINUTE), (start + MINUTE, None));
        assert_eq!(set(start.0 + HOUR, 2 * MINUTE), (start + 2 * MINUTE, Some(HOUR - 2 * MINUTE)), "forward");
        assert_eq!(set(start.0 + 3 * MINUTE, 3 * MINUTE), (start + 3 * MINUTE, None), "and right again");
        assert_eq!(set(start.0 - HOUR, 4 * MINUTE), (start + 4 * MINUTE, Some(-HOUR - 4 * MINUTE)), "back");
        assert_eq!(set(start.0 + 4 * MINUTE - 2000, 4 * MINUTE), (start + 4 * MINUTE, None), "a little back: it waits");
    }
}
