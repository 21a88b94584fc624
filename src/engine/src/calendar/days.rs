//! Working days and where they close.

use super::{Calendar, Kind, SEARCH, page, zone};
use crate::time::{DAY, Moment};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Days are worked out this many at a time; those of 1970 to 2110 are kept.
const DAYS: i64 = 1024;
const KEPT: usize = 50;

/// Nobody promises work in so many working days; it bounds the search.
const MOST: u32 = 100_000;

/// The closes of one calendar that are kept.
pub(super) struct Shelf([OnceLock<Closes>; KEPT]);

/// By day; None: no working day.
type Closes = Vec<Option<Moment>>;

impl Default for Shelf {
    fn default() -> Shelf {
        Shelf([const { OnceLock::new() }; KEPT])
    }
}

/// See [`Calendar::working_day`].
pub(super) fn working_day(calendar: &Calendar, t: Moment, n: i32) -> Option<NaiveDate> {
    let step = i64::from(n.signum());
    let today = zone::local(calendar.ruling(t).zone(), t).date();
    let mut day = i64::from(today.to_epoch_days());
    let mut block = day.div_euclid(DAYS);
    let mut closes = calendar.closes(block);
    let mut wanted = Some(n.unsigned_abs()).filter(|n| (1..=MOST).contains(n))?;
    let mut idle = 0;
    while wanted > 0 {
        day += step;
        if day.div_euclid(DAYS) != block {
            block = day.div_euclid(DAYS);
            closes = calendar.closes(block);
        }
        if at(&closes, day).is_some() {
            wanted -= 1;
            idle = 0;
        } else {
            idle += DAY;
        }
        if idle > SEARCH {
            return None;
        }
    }
    date(day)
}

/// See [`Calendar::close_of`].
pub(super) fn close_of(calendar: &Calendar, day: NaiveDate) -> Option<Moment> {
    let day = i64::from(day.to_epoch_days());
    at(&calendar.closes(day.div_euclid(DAYS)), day)
}

fn at(closes: &[Option<Moment>], day: i64) -> Option<Moment> {
    let place = usize::try_from(day.rem_euclid(DAYS)).ok()?;
    closes.get(place).copied().flatten()
}

fn date(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

impl Calendar {
    /// The closes of one block of days; none at all where nothing can be open.
    fn closes(&self, block: i64) -> Cow<'_, [Option<Moment>]> {
        let kept = usize::try_from(block).ok().and_then(|block| self.0.days.0.get(block));
        match kept {
            Some(closes) => Cow::Borrowed(closes.get_or_init(|| self.make_closes(block))),
            None => Cow::Owned(self.make_closes(block)),
        }
    }

    fn make_closes(&self, block: i64) -> Closes {
        let start = Moment(block * DAYS * DAY);
        if page::numbers(start, start).is_empty() {
            return Vec::new();
        }
        let days: Vec<NaiveDate> = (block * DAYS..(block + 1) * DAYS).filter_map(date).collect();
        match &self.0.kind {
            Kind::Hours(spec) => spec.closes(&days),
            Kind::Always(zone) | Kind::Any(zone, _) | Kind::All(zone, _) => self.closes_at_midnight(*zone, &days),
            Kind::Versions(of) => {
                let zone = self.zone();
                let each: Vec<_> = of.iter().map(|(_, version)| version.closes(block)).collect();
                let close = |(i, day)| each.get(ruler(of, zone::instant(zone, day, 0)))?.get(i).copied().flatten();
                days.into_iter().enumerate().map(close).collect()
            }
        }
    }

    fn closes_at_midnight(&self, zone: Tz, days: &[NaiveDate]) -> Closes {
        let days: Vec<_> = days.iter().map(|day| zone::day(zone, *day)).collect();
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
        let open = self.intervals(first.0, last.1);
        let close = |(from, to): &(Moment, Moment)| {
            let started = open.partition_point(|open| open.0 < *to);
            let close = open[..started].last()?.1.min(*to);
            (*from < close).then_some(close)
        };
        days.iter().map(close).collect()
    }

    /// The version that rules at an instant, down to one that has no versions.
    fn ruling(&self, at: Moment) -> &Calendar {
        match &self.0.kind {
            Kind::Versions(of) => of.get(ruler(of, at)).map_or(self, |(_, version)| version.ruling(at)),
            Kind::Always(_) | Kind::Hours(_) | Kind::Any(..) | Kind::All(..) => self,
        }
    }
}

/// Which of these versions rules at an instant: the last whose time has come, else the first.
fn ruler(of: &[(Moment, Calendar)], at: Moment) -> usize {
    of.partition_point(|(from, _)| *from <= at).saturating_sub(1)
}
