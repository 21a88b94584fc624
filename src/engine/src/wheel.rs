//! Timers: one a subject, in a hierarchical wheel of milliseconds. Exact cancel, no dead entries, 24 bytes a timer.
//!
//! A timer that is put off stays where it is and is moved when its old instant comes: most clocks stop before they ring,
//! so most moves would be for nothing.
//!
//! Eight levels of 64 slots reach some 8,900 years. A timer lies at the level of the highest group of six bits in which
//! its instant differs from the wheel's own, so entering a slot takes its timers one level down, and only once a level.

use crate::time::Moment;

const LEVELS: usize = 8;
const SLOTS: usize = 64;
const NIL: u32 = u32::MAX;
const HORIZON: u64 = (1 << 48) - 1;

/// The wheel.
#[derive(Clone, Debug)]
pub struct Wheel {
    at: u64,
    /// Nothing goes off before this.
    next: u64,
    heads: Vec<u32>,
    occupied: [u64; LEVELS],
    nodes: Vec<Node>,
    armed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Where it lies; `u64::MAX` when not armed.
    at: u64,
    /// When it is to go off: at `at`, or later.
    rings: u64,
    next: u32,
    prev: u32,
}

const IDLE: Node = Node { at: u64::MAX, rings: u64::MAX, next: NIL, prev: NIL };

impl Default for Wheel {
    fn default() -> Wheel {
        Wheel { at: 0, next: 0, heads: vec![NIL; LEVELS * SLOTS], occupied: [0; LEVELS], nodes: Vec::new(), armed: 0 }
    }
}

impl Wheel {
    /// A wheel with nothing armed begins at an instant.
    pub fn start(&mut self, at: Moment) {
        if self.armed == 0 {
            self.at = (at.0.max(0) as u64).min(HORIZON);
            self.next = u64::MAX;
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
        self.nodes.get(id as usize).filter(|n| n.at != u64::MAX).map(|n| Moment(n.rings as i64))
    }

    /// Arms a timer, or moves it. Instants before 1970 go off at once.
    pub fn arm(&mut self, id: u32, at: Moment) {
        let at = (at.0.max(0) as u64).min(HORIZON);
        if let Some(node) = self.nodes.get_mut(id as usize)
            && node.at <= at
        {
            node.rings = at;
            return;
        }
        self.cancel(id);
        if self.nodes.len() <= id as usize {
            self.nodes.resize(id as usize + 1, IDLE);
        }
        (self.nodes[id as usize].at, self.nodes[id as usize].rings) = (at, at);
        self.next = self.next.min(at);
        self.link(id);
        self.armed += 1;
    }

    /// Disarms a timer.
    pub fn cancel(&mut self, id: u32) {
        let Some(node) = self.nodes.get(id as usize).copied() else { return };
        if node.at == u64::MAX {
            return;
        }
        let bucket = self.bucket(node.at);
        if node.prev == NIL {
            self.heads[bucket] = node.next;
            if node.next == NIL {
                self.occupied[bucket / SLOTS] &= !(1 << (bucket % SLOTS));
            }
        } else {
            self.nodes[node.prev as usize].next = node.next;
        }
        if node.next != NIL {
            self.nodes[node.next as usize].prev = node.prev;
        }
        self.nodes[id as usize] = IDLE;
        self.armed -= 1;
    }

    /// Something may go off before `to`.
    pub fn is_due(&self, to: Moment) -> bool {
        (to.0.max(0) as u64) > self.next
    }

    /// Takes out all timers before `to`, in order of time; those of one millisecond in no order that may be relied on.
    pub fn advance(&mut self, to: Moment, due: &mut Vec<u32>) {
        self.pop(to, due);
        self.next = match self.next_slot() {
            None => u64::MAX,
            Some((level, slot)) => self.start_of(level, slot).max(self.at),
        };
    }

    fn start_of(&self, level: usize, slot: usize) -> u64 {
        let below = 6 * level as u32;
        (self.at >> below >> 6 << 6 | slot as u64) << below
    }

    fn pop(&mut self, to: Moment, due: &mut Vec<u32>) {
        let to = (to.0.max(0) as u64).min(HORIZON);
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
            let mut id = std::mem::replace(&mut self.heads[level * SLOTS + slot], NIL);
            self.occupied[level] &= !(1 << slot);
            while id != NIL {
                let next = self.nodes[id as usize].next;
                let rings = self.nodes[id as usize].rings;
                if level == 0 && rings > start {
                    // Put off: it goes to where it rings now. The wheel's instant must not pass this slot before that.
                    self.nodes[id as usize].at = rings;
                    self.link(id);
                } else if level == 0 {
                    self.nodes[id as usize] = IDLE;
                    self.armed -= 1;
                    due.push(id);
                } else {
                    self.link(id);
                }
                id = next;
            }
            if level == 0 {
                self.at = start + 1;
                // Stepping out of a window enters the next slot of the levels above.
                self.enter();
            }
        }
    }

    /// The wheel's own instant has moved into new slots above: their timers come down.
    fn enter(&mut self) {
        for level in 1..LEVELS {
            if self.at & ((1 << (6 * level)) - 1) != 0 {
                return;
            }
            let slot = (self.at >> (6 * level)) as usize % SLOTS;
            if self.occupied[level] & (1 << slot) == 0 {
                continue;
            }
            let mut id = std::mem::replace(&mut self.heads[level * SLOTS + slot], NIL);
            self.occupied[level] &= !(1 << slot);
            while id != NIL {
                let next = self.nodes[id as usize].next;
                self.link(id);
                id = next;
            }
        }
    }

    /// The first occupied slot at or after the wheel's instant.
    fn next_slot(&self) -> Option<(usize, usize)> {
        (0..LEVELS).find_map(|level| {
            let here = (self.at >> (6 * level)) as usize % SLOTS;
            let ahead = self.occupied[level] >> here << here;
            (ahead != 0).then(|| (level, ahead.trailing_zeros() as usize))
        })
    }

    fn bucket(&self, at: u64) -> usize {
        let at = at.max(self.at);
        let level = (63 - (at ^ self.at | 1).leading_zeros() as usize) / 6;
        level * SLOTS + (at >> (6 * level)) as usize % SLOTS
    }

    fn link(&mut self, id: u32) {
        let at = self.nodes[id as usize].at.max(self.at);
        self.nodes[id as usize].at = at;
        let bucket = self.bucket(at);
        let first = self.heads[bucket];
        self.nodes[id as usize].next = first;
        self.nodes[id as usize].prev = NIL;
        if first != NIL {
            self.nodes[first as usize].prev = id;
        }
        self.heads[bucket] = id;
        self.occupied[bucket / SLOTS] |= 1 << (bucket % SLOTS);
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
