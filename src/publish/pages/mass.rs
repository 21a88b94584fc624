//! Many breaches at once: more than so many of one obligation of one partner within a minute are one page.
//!
//! Whether a breach is one of many depends on when it was decided and what was decided in the minute before and the second
//! after, not on when it was told: after a restart it is the same.

use super::ENDED_FOR;
use super::board::{About, Alert, Ended, GATHER, GroupKey, Key, Notice};
use crate::store::{Entry, Under};
use onus_engine::identity::DutyId;
use onus_engine::time::{Millis, Moment};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// Breaches within this are counted together.
const WINDOW: Millis = 60_000;

/// Breaches of one obligation of one partner.
#[derive(Debug)]
pub(super) struct Group {
    under: Arc<Under>,
    /// Those of the last minute: when each was decided, and by which entry.
    recent: VecDeque<(Moment, DutyId, u64)>,
    many: Option<Many>,
}

/// Told as one.
#[derive(Debug)]
struct Many {
    first: u64,
    last: u64,
    starts: Moment,
    /// In all, and of them those that fire.
    all: u64,
    fire: u64,
    ended: Option<Ended>,
    version: u64,
    from: Moment,
    since: Instant,
}

impl Group {
    pub(super) fn new(under: Arc<Under>) -> Group {
        Group { under, recent: VecDeque::new(), many: None }
    }

    /// Counts a breach. Some: it is one of many, and so are these, if they were not before.
    pub(super) fn breach(&mut self, entry: &Entry, duty: DutyId, mass: usize) -> Option<Vec<DutyId>> {
        let at = entry.at;
        self.recent.retain(|(when, ..)| when.0 > at.0 - WINDOW);
        let before = self.recent.len();
        self.recent.push_back((at, duty, entry.number));
        if self.recent.len() <= mass {
            return None;
        }
        if before > mass {
            return Some(Vec::new());
        }
        let same = self.recent.iter().filter(|(when, ..)| when.0 > at.0 - GATHER).map(|(_, duty, _)| *duty);
        Some(same.collect())
    }

    /// One that fires becomes one of many.
    pub(super) fn join(&mut self, alert: &Alert, version: u64, now: Moment) {
        // That they are many rests on all that were counted, those that have ended since, too.
        let counted = self.recent.front().map_or(alert.first, |(.., number)| alert.first.min(*number));
        let before = (self.recent.len() as u64).saturating_sub(1);
        let many = self.many.get_or_insert_with(|| Many {
            first: counted,
            last: alert.last,
            starts: alert.starts,
            all: 0,
            fire: 0,
            ended: None,
            version,
            from: alert.from,
            since: Instant::now(),
        });
        if many.ended.take().is_some() {
            // Another time.
            (many.all, many.starts, many.first) = (before, alert.starts, counted);
            (many.version, many.from, many.since) = (version, alert.from.max(now), Instant::now());
        }
        many.all += 1;
        many.fire += 1;
        many.starts = many.starts.min(alert.starts);
        many.first = many.first.min(alert.first);
        many.last = many.last.max(alert.last);
    }

    /// One of many fires no more.
    pub(super) fn leave(&mut self, entry: u64, ended: Ended, version: u64) {
        let Some(many) = &mut self.many else { return };
        many.fire = many.fire.saturating_sub(1);
        many.last = entry;
        if many.fire == 0 && many.ended.is_none() {
            let why = format!("All {} have ended. The last one: {}", many.all, ended.why);
            many.ended = Some(Ended { at: ended.at.max(many.starts), why, ..ended });
            (many.version, many.since) = (version, Instant::now());
        }
    }

    /// False: nothing is left of it.
    pub(super) fn tidy(&mut self, now: Moment) -> bool {
        if self.many.as_ref().and_then(|many| many.ended.as_ref()).is_some_and(|e| now.0 >= e.known.0 + ENDED_FOR) {
            self.many = None;
        }
        // By when they were decided: a clock that follows events is in another year.
        self.many.is_some() || !self.recent.is_empty()
    }

    /// The first entry that it rests on.
    pub(super) fn first(&self) -> Option<u64> {
        self.many.as_ref().map(|many| many.first)
    }

    pub(super) fn notice(&self, key: &GroupKey) -> Option<Notice<'_>> {
        let many = self.many.as_ref()?;
        Some(Notice {
            key: Key::Many(key.clone()),
            version: many.version,
            entry: many.last,
            under: &self.under,
            starts: many.starts,
            ended: many.ended.as_ref(),
            from: many.from,
            since: many.since,
            about: About::Many(many.all, many.fire),
        })
    }
}
