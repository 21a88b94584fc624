//! From what a calendar says to intervals: local windows become instants, then holidays and breaks are taken out.

use super::span::{self, Span};
use super::{Spec, Window, zone};
use crate::time::Moment;
use chrono::{Datelike, Days, NaiveDate};

/// A window may start two local days before the range it reaches into; one more for a zone that skips a date.
const REACH: Days = Days::new(3);

impl Spec {
    /// Windows, holidays and breaks that reach into `[from, to)`, each in order, not clipped.
    pub(super) fn layers(&self, from: Moment, to: Moment) -> Layers {
        let days = self.dates(from, to);
        Layers {
            windows: span::join(days.iter().flat_map(|day| self.windows(*day)).collect()),
            holidays: self.holidays_among(&days),
            breaks: span::join(days.iter().flat_map(|day| self.breaks(*day)).collect()),
        }
    }

    /// The end of the last opening that the windows of each date leave; None where it is no working day.
    pub(super) fn closes(&self, days: &[NaiveDate]) -> Vec<Option<Moment>> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
        let from = zone::day(self.zone, *first).0;
        let to = zone::day(self.zone, last.checked_add_days(REACH).unwrap_or(*last)).1;
        let holes = self.layers(from, to).holes();
        days.iter().map(|day| self.close(*day, &holes)).collect()
    }

    /// True when no instant can be closed.
    pub(super) fn never_closes(&self) -> bool {
        let full = |window: &Window| window.from == 0 && (window.to == 0 || window.to == 1440);
        self.hours.iter().all(|windows| windows.iter().any(full))
            && self.breaks.iter().chain(self.dated_breaks.values()).all(Vec::is_empty)
            && self.holidays.is_empty()
            && self.worked.is_empty()
    }

    fn close(&self, day: NaiveDate, holes: &[Span]) -> Option<Moment> {
        if self.holidays.contains_key(&day) {
            return None;
        }
        let windows = span::join(self.windows(day));
        let near = holes.partition_point(|hole| windows.first().is_some_and(|window| hole.1 <= window.0));
        span::subtract(&windows, &holes[near..]).last().map(|open| open.1)
    }

    fn windows(&self, day: NaiveDate) -> Vec<Span> {
        let weekday = &self.hours[weekday(day)];
        self.spans(day, self.worked.get(&day).unwrap_or(weekday))
    }

    fn breaks(&self, day: NaiveDate) -> Vec<Span> {
        let mut breaks = self.spans(day, &self.breaks[weekday(day)]);
        if let Some(dated) = self.dated_breaks.get(&day) {
            breaks.extend(self.spans(day, dated));
        }
        breaks
    }

    fn holidays_among(&self, days: &[NaiveDate]) -> Vec<(Span, String)> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
        let named = self.holidays.range(*first..=*last);
        named.map(|(day, name)| (zone::day(self.zone, *day), name.clone())).filter(|(day, _)| day.0 < day.1).collect()
    }

    /// Nothing starts on a date that does not exist: mapped by its boundaries alone, the shift would move to the next day.
    fn spans(&self, day: NaiveDate, windows: &[Window]) -> Vec<Span> {
        let (begins, ends) = if windows.is_empty() { return Vec::new() } else { zone::day(self.zone, day) };
        if begins >= ends {
            return Vec::new();
        }
        let instants = windows.iter().map(|window| {
            let (from, to) = (window.from.min(1440), window.to.min(1440));
            let to = if to <= from { to + 1440 } else { to };
            (zone::instant(self.zone, day, from), zone::instant(self.zone, day, to))
        });
        // A window that a clock change swallowed ends where, or before, it starts.
        instants.filter(|span| span.0 < span.1).collect()
    }

    fn dates(&self, from: Moment, to: Moment) -> Vec<NaiveDate> {
        let (first, last) = (zone::local(self.zone, from).date(), zone::local(self.zone, to).date());
        let first = first.checked_sub_days(REACH).unwrap_or(first);
        first.iter_days().take_while(|day| *day <= last).collect()
    }
}

/// What a calendar says of a range, before one thing is taken from another.
pub(super) struct Layers {
    pub(super) windows: Vec<Span>,
    pub(super) holidays: Vec<(Span, String)>,
    pub(super) breaks: Vec<Span>,
}

impl Layers {
    /// Open time.
    pub(super) fn open(&self) -> Vec<Span> {
        span::subtract(&self.windows, &self.holes())
    }

    /// What would be open but for a break: windows that no holiday closes, within breaks.
    pub(super) fn open_but_for_breaks(&self) -> Vec<Span> {
        span::intersect(&span::subtract(&self.windows, &self.closed_days()), &self.breaks)
    }

    fn holes(&self) -> Vec<Span> {
        span::join([self.closed_days(), self.breaks.clone()].concat())
    }

    fn closed_days(&self) -> Vec<Span> {
        self.holidays.iter().map(|(day, _)| *day).collect()
    }
}

fn weekday(day: NaiveDate) -> usize {
    day.weekday().num_days_from_monday() as usize
}
