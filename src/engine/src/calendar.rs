//! Working time. One primitive, the list of open intervals; everything else is derived from it.

use crate::time::{Millis, Moment};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Version of the IANA time zone table that is compiled in.
pub const TZ_TABLE: &str = chrono_tz::IANA_TZDB_VERSION;

/// A window of local time on one day, in minutes after midnight: 0..=1440. `to <= from` runs into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First minute inside.
    pub from: u16,
    /// First minute outside.
    pub to: u16,
}

/// What one calendar says, before compilation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Zone of all local times below.
    pub zone: Tz,
    /// Windows by weekday, Monday first.
    pub hours: [Vec<Window>; 7],
    /// Breaks by weekday, Monday first.
    pub breaks: [Vec<Window>; 7],
    /// Breaks on one date, beside the weekly ones.
    pub dated_breaks: BTreeMap<NaiveDate, Vec<Window>>,
    /// Closed local days, with their names.
    pub holidays: BTreeMap<NaiveDate, String>,
    /// Windows that replace the hours of a date.
    pub worked: BTreeMap<NaiveDate, Vec<Window>>,
}

/// A compiled calendar; cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendar {}

/// Why a stretch of time does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// Outside hours: night or weekend.
    Outside,
    /// A holiday, by name.
    Holiday(String),
    /// A break.
    Break,
}

/// A stretch of time that counts or doesn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// First instant inside.
    pub from: Moment,
    /// First instant outside.
    pub to: Moment,
    /// None: open.
    pub closed: Option<Closed>,
}

impl Calendar {
    /// Open at every instant.
    pub fn always(zone: Tz) -> Calendar { let _ = zone; unimplemented!() }
    /// From hours, breaks, holidays and worked days.
    pub fn new(spec: Spec) -> Calendar { let _ = spec; unimplemented!() }
    /// Open when any of these is open; `zone` gives its local days.
    pub fn any(zone: Tz, members: Vec<Calendar>) -> Calendar { let _ = (zone, members); unimplemented!() }
    /// Open when all of these are open.
    pub fn all(zone: Tz, members: Vec<Calendar>) -> Calendar { let _ = (zone, members); unimplemented!() }
    /// Successive versions: each rules from its instant until the next one's. The first rules before, too.
    pub fn versions(of: Vec<(Moment, Calendar)>) -> Calendar { let _ = of; unimplemented!() }
    /// Its zone.
    pub fn zone(&self) -> Tz { unimplemented!() }
    /// True when open at every instant.
    pub fn is_always(&self) -> bool { unimplemented!() }
    /// The open intervals within `[from, to)`, in order, merged where they touch, clipped to the range.
    pub fn intervals(&self, from: Moment, to: Moment) -> Vec<(Moment, Moment)> { let _ = (from, to); unimplemented!() }
    /// Open at this instant (half-open intervals).
    pub fn is_open(&self, at: Moment) -> bool { let _ = at; unimplemented!() }
    /// Open time in `[a, b)`; `-between(b, a)` when `b < a`.
    pub fn between(&self, a: Moment, b: Moment) -> Millis { let _ = (a, b); unimplemented!() }
    /// CLOCKS arithmetic: the least instant with `d` of open time since `t`; `add(t, 0)` is the first open instant at or
    /// after `t`; `add(t, -d)` is `sub(t, d)`. None: no opening within 400 days.
    pub fn add(&self, t: Moment, d: Millis) -> Option<Moment> { let _ = (t, d); unimplemented!() }
    /// The mirror of [`Calendar::add`].
    pub fn sub(&self, t: Moment, d: Millis) -> Option<Moment> { let _ = (t, d); unimplemented!() }
    /// The local date of the `n`-th working day after (negative: before) the local day of `t`; n = 0 is never asked.
    pub fn working_day(&self, t: Moment, n: i32) -> Option<NaiveDate> { let _ = (t, n); unimplemented!() }
    /// Where work ends on a working day: the end of the last opening that starts on it. None if it is no working day.
    pub fn close_of(&self, day: NaiveDate) -> Option<Moment> { let _ = day; unimplemented!() }
    /// `[a, b)` cut into stretches, open and closed, with the reason; they touch and cover the whole range.
    pub fn stretches(&self, a: Moment, b: Moment) -> Vec<Stretch> { let _ = (a, b); unimplemented!() }
}

/// The instant of a local date and minute: a skipped time takes the offset before the gap, a repeated one the first.
pub fn instant(zone: Tz, date: NaiveDate, minute: u16) -> Moment { let _ = (zone, date, minute); unimplemented!() }

/// The local date and minute-exact time of an instant.
pub fn local(zone: Tz, at: Moment) -> chrono::NaiveDateTime { let _ = (zone, at); unimplemented!() }
