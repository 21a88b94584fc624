//! One limit of a duty, counted tick by tick.

use crate::story::{Span, Tick};

type Windows<'a> = &'a [(Tick, Tick)];

/// A used-up time and an aim. It is late when it is let run on with nothing left; a deadline is computed only to be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    /// None: out of scope.
    pub(crate) aim: Option<Span>,
    /// What it counts from has happened.
    pub(crate) begun: bool,
    pub(crate) elapsed: Tick,
    /// The last of the limit was used up at this instant, so it is due now and not at the next opening.
    pub(crate) used_up: Option<Tick>,
    /// Broken at this instant.
    pub(crate) late: Option<Tick>,
}

impl Clock {
    /// What it counts towards, where it counts at all.
    pub(crate) fn counts(&self) -> Option<Span> {
        self.aim.filter(|_| self.begun)
    }

    /// One tick passes while it runs.
    pub(crate) fn pass(&mut self, now: Tick, windows: Windows<'_>) {
        let Some(aim) = self.counts() else { return };
        let open = aim.open(now, windows);
        let due = self.elapsed >= aim.ticks && (open || self.used_up == Some(now));
        if due && self.late.is_none() {
            self.late = Some(now);
        }
        if open {
            self.elapsed += 1;
            self.used_up = (self.elapsed == aim.ticks).then_some(now + 1);
        }
    }

    /// It goes on. More used than a priority that came meanwhile allows: late now, and not at the next opening.
    pub(crate) fn go_on(&mut self, now: Tick) {
        let over = self.counts().is_some_and(|aim| self.elapsed > aim.ticks);
        self.used_up = over.then_some(now);
    }

    /// When it would run out if it were let run from now; with nothing left, at the next opening.
    pub(crate) fn deadline(&self, now: Tick, windows: Windows<'_>) -> Option<Tick> {
        let aim = self.counts()?;
        if self.used_up == Some(now) {
            return Some(now);
        }
        let mut left = (aim.ticks - self.elapsed).max(0);
        let mut at = now;
        while left > 0 || !aim.open(at, windows) {
            if aim.open(at, windows) {
                left -= 1;
                if left == 0 {
                    return Some(at + 1);
                }
            }
            at += 1;
        }
        Some(at)
    }
}

impl Span {
    pub(crate) fn open(self, now: Tick, windows: Windows<'_>) -> bool {
        !self.business || windows.iter().any(|(from, to)| (*from..*to).contains(&now.rem_euclid(24)))
    }
}
