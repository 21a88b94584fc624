//! Working time. One primitive, the list of open intervals; everything else is derived from it.
//!
//! Openings are known between the years 0 and 10,000; before and after, a calendar is closed (one that is always open is
//! open there too). Nothing here panics on an extreme instant: what cannot be answered is None, what cannot be counted
//! in 64 bits stays at the largest number.

mod arithmetic;
mod days;
mod page;
mod span;
mod spec;
mod stretches;
mod zone;

use crate::time::{DAY, Millis, Moment};
use chrono::NaiveDate;
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use zone::{instant, local};

/// Version of the IANA time zone table that is compiled in.
pub const TZ_TABLE: &str = chrono_tz::IANA_TZDB_VERSION;

/// A search that meets a closed stretch longer than this finds nothing: the calendar has ended, or is in error.
pub const SEARCH: Millis = 400 * DAY;

/// A window of local time on one day, in minutes after midnight: 0..=1440. `to <= from` runs into the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First minute inside.
    pub from: u16,
    /// First minute outside.
    pub to: u16,
}

/// What one calendar says, before compilation.
///
/// A break beats both hours and `worked`; a holiday beats `worked`. What starts on a local date that the zone skipped
/// (Samoa, 2011-12-30) is dropped, as is what a clock change leaves empty.
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

/// A compiled calendar; cheap to clone. Clones share what was worked out before.
#[derive(Clone)]
pub struct Calendar(Arc<Inner>);

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

struct Inner {
    kind: Kind,
    /// Known to be open at every instant: arithmetic needs no table.
    always: bool,
    pages: page::Shelf,
    days: days::Shelf,
}

#[derive(Debug)]
enum Kind {
    Always(Tz),
    Hours(Box<Spec>),
    Any(Tz, Vec<Calendar>),
    All(Tz, Vec<Calendar>),
    /// In order of their instants.
    Versions(Vec<(Moment, Calendar)>),
}

impl Calendar {
    /// Open at every instant.
    pub fn always(zone: Tz) -> Calendar {
        Calendar::of(Kind::Always(zone), true)
    }

    /// From hours, breaks, holidays and worked days.
    pub fn new(spec: Spec) -> Calendar {
        let always = spec.never_closes();
        Calendar::of(Kind::Hours(Box::new(spec)), always)
    }

    /// Open when any of these is open; `zone` gives its local days. Of none: never open.
    pub fn any(zone: Tz, members: Vec<Calendar>) -> Calendar {
        let always = members.iter().any(Calendar::is_always);
        Calendar::of(Kind::Any(zone, members), always)
    }

    /// Open when all of these are open. Of none: always open, as nothing closes it.
    pub fn all(zone: Tz, members: Vec<Calendar>) -> Calendar {
        let always = members.iter().all(Calendar::is_always);
        Calendar::of(Kind::All(zone, members), always)
    }

    /// Successive versions: each rules from its instant until the next one's. The first rules before, too. Of none:
    /// never open.
    pub fn versions(mut of: Vec<(Moment, Calendar)>) -> Calendar {
        of.sort_by_key(|(from, _)| *from);
        let always = !of.is_empty() && of.iter().all(|(_, version)| version.is_always());
        Calendar::of(Kind::Versions(of), always)
    }

    /// Its zone; of versions, the newest one's.
    pub fn zone(&self) -> Tz {
        match &self.0.kind {
            Kind::Always(zone) | Kind::Any(zone, _) | Kind::All(zone, _) => *zone,
            Kind::Hours(spec) => spec.zone,
            Kind::Versions(of) => of.last().map_or(Tz::UTC, |(_, newest)| newest.zone()),
        }
    }

    /// True when open at every instant.
    pub fn is_always(&self) -> bool {
        self.0.always
    }

    /// The open intervals within `[from, to)`, in order, merged where they touch, clipped to the range.
    pub fn intervals(&self, from: Moment, to: Moment) -> Vec<(Moment, Moment)> {
        if self.0.always {
            return span::clip(&[(from, to)], from, to);
        }
        let mut open = Vec::new();
        for number in page::numbers(from, to) {
            open.extend(self.page(number).within(from, to));
        }
        span::join(open)
    }

    /// Open at this instant (half-open intervals).
    pub fn is_open(&self, at: Moment) -> bool {
        self.0.always || self.page(page::number(at)).is_open(at)
    }

    /// Open time in `[a, b)`; `-between(b, a)` when `b < a`.
    pub fn between(&self, a: Moment, b: Moment) -> Millis {
        arithmetic::between(self, a, b)
    }

    /// CLOCKS arithmetic: the least instant with `d` of open time since `t`; `add(t, 0)` is the first open instant at or
    /// after `t`; `add(t, -d)` is `sub(t, d)`. None: no opening within 400 days.
    pub fn add(&self, t: Moment, d: Millis) -> Option<Moment> {
        arithmetic::add(self, t, d)
    }

    /// The mirror of [`Calendar::add`]: the greatest instant with `d` of open time before `t`; `sub(t, 0)` is the latest
    /// instant at or before `t` that lies in open time or ends it.
    pub fn sub(&self, t: Moment, d: Millis) -> Option<Moment> {
        arithmetic::sub(self, t, d)
    }

    /// The local date of the `n`-th working day after (negative: before) the local day of `t`; n = 0 is never asked.
    /// None, too, when 400 days in a row are no working days.
    pub fn working_day(&self, t: Moment, n: i32) -> Option<NaiveDate> {
        days::working_day(self, t, n)
    }

    /// Where work ends on a working day: the end of the last opening that starts on it. None if it is no working day.
    ///
    /// With hours of its own, a day owns the windows that start on it: a night shift from Monday closes on Tuesday
    /// morning, and a holiday is never a working day though Sunday's night shift may leave an hour after it. A joined
    /// calendar owns what is open between two midnights of its zone. Versions ask the one that rules as the day begins.
    pub fn close_of(&self, day: NaiveDate) -> Option<Moment> {
        days::close_of(self, day)
    }

    /// `[a, b)` cut into stretches, open and closed, with the reason; they touch and cover the whole range.
    pub fn stretches(&self, a: Moment, b: Moment) -> Vec<Stretch> {
        stretches::of(self, a, b)
    }

    fn of(kind: Kind, always: bool) -> Calendar {
        Calendar(Arc::new(Inner { kind, always, pages: page::Shelf::default(), days: days::Shelf::default() }))
    }
}

/// What it says, without what was worked out from it.
impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Calendar").field(&self.0.kind).finish()
    }
}
