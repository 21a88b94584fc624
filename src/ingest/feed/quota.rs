//! How a source shares the loop with the others: its share of the turns, and how many records are taken of it in a time.
//!
//! A quota holds on the average. What is taken at once is a piece, however large: it is paid for afterwards, by waiting. So
//! in any time no more is taken than the quota allows for that time and one second, and one piece.

use std::time::Duration;

/// What of a quota may be used at once, after silence.
const AHEAD: Duration = Duration::from_secs(1);

/// How one source is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Slices that are taken of it in its turn, while others wait; 0 is 1.
    pub share: u16,
    /// What is taken of it at most; None: as much as there is time for.
    pub quota: Option<Quota>,
}

impl Default for Portion {
    fn default() -> Portion {
        Portion { share: 1, quota: None }
    }
}

/// So many records in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Records; 0 is 1.
    pub records: u64,
    /// In so long.
    pub each: Duration,
}

/// What has been used of a quota. Time is counted from any beginning, and does not go back.
#[derive(Debug)]
pub(super) struct Meter {
    quota: Quota,
    /// Up to when what was taken has used it up.
    used: Duration,
}

impl Meter {
    pub(super) fn new(quota: Quota) -> Meter {
        Meter { quota, used: Duration::ZERO }
    }

    /// How long nothing more is taken, if `waiting` records are taken before; None: now.
    pub(super) fn wait(&self, now: Duration, waiting: u64) -> Option<Duration> {
        let used = self.used.max(now).saturating_add(self.cost(waiting));
        used.checked_sub(now.saturating_add(AHEAD)).filter(|wait| !wait.is_zero())
    }

    /// Records are taken.
    pub(super) fn take(&mut self, now: Duration, records: u64) {
        self.used = self.used.max(now).saturating_add(self.cost(records));
    }

    fn cost(&self, records: u64) -> Duration {
        let nanoseconds = self.quota.each.as_nanos().saturating_mul(u128::from(records));
        let each = nanoseconds.div_ceil(u128::from(self.quota.records.max(1)));
        Duration::from_nanos(u64::try_from(each).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_piece_is_taken_whole_and_paid_for_afterwards() {
        let mut meter = Meter::new(Quota { records: 100, each: SECOND });
        assert_eq!(meter.wait(SECOND, 0), None);
        meter.take(SECOND, 1_000);
        // Ten seconds' worth, of which one may be used ahead.
        assert_eq!(meter.wait(SECOND, 0), Some(9 * SECOND));
        assert_eq!(meter.wait(10 * SECOND, 0), None);
        assert_eq!(meter.wait(10 * SECOND, 50), Some(SECOND / 2), "what waits already comes first");
    }

    proptest! {
        #[test]
        fn in_any_time_no_more_is_taken_than_the_quota_allows(
            records in 1u64..5_000, each in 1u64..100_000, pieces in prop::collection::vec((1u64..2_000, 0u64..3_000), 1..60),
        ) {
            let quota = Quota { records, each: Duration::from_millis(each) };
            let mut meter = Meter::new(quota);
            let (mut now, mut taken) = (Duration::ZERO, Vec::new());
            for (piece, pause) in pieces {
                now += Duration::from_millis(pause);
                if let Some(wait) = meter.wait(now, 0) {
                    now += wait;
                    prop_assert_eq!(meter.wait(now, 0), None, "it is as long as was said");
                }
                meter.take(now, piece);
                taken.push((now, piece));
            }
            for (at, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (to, piece) in &taken[at..] {
                    // All but the last piece, which is paid for later.
                    let time = (*to - *from + AHEAD).as_nanos() * u128::from(records) / quota.each.as_nanos();
                    prop_assert!(sum <= time, "{sum} records where {time} are allowed");
                    sum += u128::from(*piece);
                }
            }
        }
    }
}
