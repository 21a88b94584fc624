//! Timers: one a subject, in a hierarchical wheel of milliseconds. None is missed, none comes early.
//!
//! Eight levels of 64 slots reach some 8,900 years. A timer lies at the level of the highest group of six bits in which
//! its instant differs from the wheel's own, so entering a slot takes its timers one level down, and only once a level.
//!
//! A slot is a list of ids, read from one end to the other. What a timer is, stands by id: one that was moved earlier or
//! disarmed leaves a dead entry, known by lying where its timer does not; one that was put off stays where it is and is
//! moved when its old instant comes: most clocks stop before they ring, so most moves would be for nothing.

use crate::time::Moment;
use prefetch_index::prefetch_index;

const LEVELS: usize = 8;
const SLOTS: usize = 64;
/// How many timers before its turn comes one is fetched.
const AHEAD: usize = 16;
const HORIZON: u64 = (1 << 48) - 1;

/// The wheel.
#[derive(Clone, Debug)]
pub struct Wheel {
    at: u64,
    /// Nothing goes off before this.
    next: u64,
    slots: Vec<Vec<u32>>,
    occupied: [u64; LEVELS],
    timers: Vec<Timer>,
    armed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Timer {
    /// Where it lies; `u64::MAX` when not armed.
    at: u64,
    /// When it is to go off: at `at`, or later.
    rings: u64,
}

const IDLE: Timer = Timer { at: u64::MAX, rings: u64::MAX };

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel {
            at: 0,
            next: u64::MAX,
            slots: vec![Vec::new(); LEVELS * SLOTS],
            occupied: [0; LEVELS],
            timers: Vec::new(),
            armed: 0,
        }
    }
}

impl Wheel {
    /// A wheel with nothing armed begins at an instant.
    pub fn start(&mut self, at: Moment) {
        if self.armed == 0 {
            self.at = (at.0.max(0) as u64).min(HORIZON);
        }
    }

    /// Timers armed.
    pub fn len(&self) -> usize {
        self.armed
    }

    /// None armed.
    pub fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// When a timer goes off; None if it is not armed.
    pub fn armed(&self, id: u32) -> Option<Moment> {
        self.timers.get(id as usize).filter(|t| t.at != u64::MAX).map(|t| Moment(t.rings as i64))
    }

    /// Arms a timer, or moves it. Instants before 1970 go off at once.
    #[inline(always)]
    pub fn arm(&mut self, id: u32, at: Moment) {
        let at = (at.0.max(0) as u64).min(HORIZON);
        if self.timers.len() <= id as usize {
            self.timers.resize(id as usize + 1, IDLE);
        }
        let timer = &mut self.timers[id as usize];
        if timer.at <= at {
            timer.rings = at;
            return;
        }
        self.armed += usize::from(timer.at == u64::MAX);
        // What is past goes off at the next look.
        let at = at.max(self.at);
        *timer = Timer { at, rings: at };
        self.next = self.next.min(at);
        self.lay(id, at);
    }

    /// Disarms a timer.
    pub fn cancel(&mut self, id: u32) {
        if let Some(timer) = self.timers.get_mut(id as usize)
            && timer.at != u64::MAX
        {
            *timer = IDLE;
            self.armed -= 1;
        }
    }

    /// Has a timer fetched from afar, so that it is near when it is moved.
    #[inline(always)]
    pub(crate) fn prefetch(&self, id: u32) {
        prefetch_index(&self.timers, id as usize);
    }

    /// Something may go off before `to`.
    #[inline(always)]
    pub fn is_due(&self, to: Moment) -> bool {
        (to.0.max(0) as u64) > self.next
    }

    /// Takes out all timers before `to`, in order of time; those of one millisecond in no order that may be relied on.
    pub fn advance(&mut self, to: Moment, due: &mut Vec<u32>) {
        self.turn((to.0.max(0) as u64).min(HORIZON), due);
        self.next = match self.next_slot() {
            None => u64::MAX,
            Some((level, slot)) => self.start_of(level, slot).max(self.at),
        };
    }

    fn turn(&mut self, to: u64, due: &mut Vec<u32>) {
        while self.at < to {
            let Some((level, slot)) = self.next_slot() else {
                self.at = to;
                return;
            };
            let start = self.start_of(level, slot);
            if start > to {
                self.at = to;
                return;
            }
            self.at = self.at.max(start);
            if level == 0 && start >= to {
                return;
            }
            self.empty(level, slot, start, due);
            if level == 0 {
                self.at = start + 1;
                // Stepping out of a window enters the next slot of the levels above.
                let at = self.at;
                for level in (1..LEVELS).take_while(|l| at & ((1 << (6 * l)) - 1) == 0) {
                    let slot = (at >> (6 * level)) as usize % SLOTS;
                    if self.occupied[level] & 1 << slot != 0 {
                        self.empty(level, slot, at, due);
                    }
                }
            }
        }
    }

    /// Takes what lies in a slot down, off, or to where it now rings.
    #[inline(always)]
    fn empty(&mut self, level: usize, slot: usize, start: u64, due: &mut Vec<u32>) {
        let here = level * SLOTS + slot;
        let mut list = std::mem::take(&mut self.slots[here]);
        self.occupied[level] &= !(1 << slot);
        let width = 1u64 << (6 * level);
        list.iter().take(AHEAD).for_each(|id| self.prefetch(*id));
        for (i, id) in list.iter().copied().enumerate() {
            if let Some(next) = list.get(i + AHEAD) {
                self.prefetch(*next);
            }
            let timer = self.timers[id as usize];
            if timer.at < start || timer.at - start >= width {
                continue;
            }
            if timer.rings > timer.at {
                self.timers[id as usize].at = timer.rings;
                self.lay(id, timer.rings);
            } else if level == 0 {
                self.timers[id as usize] = IDLE;
                self.armed -= 1;
                due.push(id);
            } else {
                self.lay(id, timer.at);
            }
        }
        if self.slots[here].is_empty() {
            list.clear();
            self.slots[here] = list;
        }
    }

    /// The first occupied slot at or after the wheel's instant.
    #[inline(always)]
    fn next_slot(&self) -> Option<(usize, usize)> {
        (0..LEVELS).find_map(|level| {
            let here = (self.at >> (6 * level)) as usize % SLOTS;
            let ahead = self.occupied[level] >> here << here;
            (ahead != 0).then(|| (level, ahead.trailing_zeros() as usize))
        })
    }

    fn start_of(&self, level: usize, slot: usize) -> u64 {
        let below = 6 * level as u32;
        (self.at >> below >> 6 << 6 | slot as u64) << below
    }

    #[inline(always)]
    fn lay(&mut self, id: u32, at: u64) {
        let level = (63 - (at ^ self.at | 1).leading_zeros() as usize) / 6;
        let slot = (at >> (6 * level)) as usize % SLOTS;
        self.slots[level * SLOTS + slot].push(id);
        self.occupied[level] |= 1 << slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Op {
        Arm(u32, i64),
        Cancel(u32),
        Advance(i64),
    }

    fn op() -> impl Strategy<Value = Op> {
        let at = prop_oneof![0i64..200, 0i64..300_000, 0i64..40_000_000_000];
        prop_oneof![
            4 => (0u32..40, at.clone()).prop_map(|(id, at)| Op::Arm(id, at)),
            1 => (0u32..40).prop_map(Op::Cancel),
            2 => at.prop_map(Op::Advance),
        ]
    }

    proptest! {
        #[test]
        fn no_wake_up_is_missed_and_none_comes_early(ops in prop::collection::vec(op(), 1..120)) {
            let mut wheel = Wheel::default();
            let mut plain: BTreeMap<u32, i64> = BTreeMap::new();
            let mut now = 0;
            for op in ops {
                match op {
                    Op::Arm(id, at) => {
                        wheel.arm(id, Moment(at));
                        plain.insert(id, at.max(now));
                    }
                    Op::Cancel(id) => {
                        wheel.cancel(id);
                        plain.remove(&id);
                    }
                    Op::Advance(to) => {
                        let mut due = Vec::new();
                        wheel.advance(Moment(to), &mut due);
                        now = now.max(to);
                        let mut want: Vec<(i64, u32)> = plain.iter().filter(|(_, at)| **at < to).map(|(id, at)| (*at, *id)).collect();
                        want.sort_unstable();
                        let times: Vec<i64> = due.iter().map(|id| plain[id]).collect();
                        prop_assert!(times.is_sorted());
                        let mut got: Vec<(i64, u32)> = due.iter().map(|id| (plain[id], *id)).collect();
                        got.sort_unstable();
                        prop_assert_eq!(&got, &want);
                        for id in due {
                            plain.remove(&id);
                        }
                    }
                }
                prop_assert_eq!(wheel.len(), plain.len());
            }
        }
    }
}
