//! Local times as instants and back. The only place that asks the zone table.

use crate::time::{Millis, Moment};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{GapInfo, Tz};

/// The instant of a local date and minute: a skipped time takes the offset before the gap, a repeated one the first.
/// Minutes beyond 1440 count on into the next days of the wall clock.
pub fn instant(zone: Tz, date: NaiveDate, minute: u16) -> Moment {
    let midnight = date.and_time(NaiveTime::MIN);
    let wall = midnight.checked_add_signed(TimeDelta::minutes(i64::from(minute))).unwrap_or(midnight);
    let offset = match zone.offset_from_local_datetime(&wall) {
        chrono::MappedLocalTime::Single(only) => only,
        chrono::MappedLocalTime::Ambiguous(first, _) => first,
        chrono::MappedLocalTime::None => before_the_gap(zone, &wall),
    };
    Moment(wall.and_utc().timestamp_millis()) + -millis(&offset)
}

/// The local date and minute-exact time of an instant; seconds and milliseconds are kept. Instants outside chrono's
/// years are taken as the first or last inside.
pub fn local(zone: Tz, at: Moment) -> NaiveDateTime {
    let nearest = if at.0 < 0 { DateTime::UNIX_EPOCH - OLDEST } else { DateTime::UNIX_EPOCH + OLDEST };
    let utc = at.utc().unwrap_or(nearest).naive_utc();
    let offset = zone.offset_from_utc_datetime(&utc);
    utc.checked_add_signed(TimeDelta::milliseconds(millis(&offset))).unwrap_or(utc)
}

/// The instants at which a local day begins and ends; equal when the zone skipped that date.
pub(super) fn day(zone: Tz, date: NaiveDate) -> (Moment, Moment) {
    (instant(zone, date, 0), instant(zone, date, 1440))
}

/// About 200,000 years: well inside chrono's range on both sides.
const OLDEST: TimeDelta = TimeDelta::days(73_000_000);

fn before_the_gap(zone: Tz, wall: &NaiveDateTime) -> <Tz as TimeZone>::Offset {
    let gap = GapInfo::new(wall, &zone).and_then(|gap| gap.begin);
    gap.map_or_else(|| zone.offset_from_utc_datetime(wall), |(_, offset)| offset)
}

fn millis(offset: &<Tz as TimeZone>::Offset) -> Millis {
    i64::from(offset.fix().local_minus_utc()) * crate::time::SECOND
}
