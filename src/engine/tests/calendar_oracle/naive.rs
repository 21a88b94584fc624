//! The oracle: some weeks as a row of minutes, each open or closed. Shares no line with the engine: it asks the zone table
//! only which offset holds at a UTC minute, and finds local times by looking along the row.

use super::drafts::{Draft, Shape};
use chrono::{Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use onus_engine::calendar::{Closed, Window};

pub(crate) const MINUTE: i64 = 60_000;
/// Minutes known on each side of the centre, and how many of these are beyond doubt.
const KNOWN: i64 = 17 * 1440;
pub(crate) const SURE: i64 = 12 * 1440;

/// The wall clock of a zone along the row: minutes since the epoch as the wall shows them.
pub(crate) struct Wall {
    first: i64,
    shown: Vec<i64>,
}

impl Wall {
    pub(crate) fn new(zone: Tz, centre: i64) -> Wall {
        let first = centre - KNOWN;
        let shown = (first..centre + KNOWN).map(|minute| minute + offset(zone, minute)).collect();
        Wall { first, shown }
    }

    /// The UTC minute at which the wall first shows this; if it never does, that by the offset before the jump.
    fn find(&self, shown: i64) -> Option<i64> {
        let near = (shown - self.first - 1600).max(0) as usize;
        let row = self.shown.iter().enumerate().skip(near).take(4 * 1440);
        let mut last: Option<(usize, i64)> = None;
        let mut jumped = None;
        for (i, wall) in row {
            if *wall == shown {
                return Some(self.first + i as i64);
            }
            if let Some((_, before)) = last.filter(|(_, before)| *before < shown && shown < *wall) {
                jumped = jumped.or(Some(self.first + i as i64 - 1 + (shown - before)));
            }
            last = Some((i, *wall));
        }
        jumped
    }

    fn dates(&self) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> = self.shown.iter().map(|wall| date(*wall)).collect();
        dates.sort();
        dates.dedup();
        dates
    }

    /// UTC minutes of a local day.
    pub(crate) fn day(&self, date: NaiveDate) -> Option<(i64, i64)> {
        let midnight = i64::from(date.to_epoch_days()) * 1440;
        Some((self.find(midnight)?, self.find(midnight + 1440)?))
    }

    fn window(&self, date: NaiveDate, window: Window) -> Option<(i64, i64)> {
        let midnight = i64::from(date.to_epoch_days()) * 1440;
        let next = if window.to <= window.from { 1440 } else { 0 };
        Some((self.find(midnight + i64::from(window.from))?, self.find(midnight + i64::from(window.to) + next)?))
    }
}

/// The date that the wall shows at a UTC minute.
pub(crate) fn date_at(zone: Tz, minute: i64) -> NaiveDate {
    date(minute + offset(zone, minute))
}

fn offset(zone: Tz, minute: i64) -> i64 {
    let utc = chrono::DateTime::from_timestamp(minute * 60, 0).unwrap().naive_utc();
    let seconds = i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc());
    assert_eq!(seconds % 60, 0, "the oracle knows whole minutes only");
    seconds / 60
}

fn date(wall: i64) -> NaiveDate {
    NaiveDate::from_epoch_days(wall.div_euclid(1440) as i32).unwrap()
}

/// The row.
#[derive(Clone)]
pub(crate) struct Row {
    first: i64,
    open: Vec<bool>,
}

impl Row {
    pub(crate) fn of(shape: &Shape, centre: i64) -> Row {
        match shape {
            Shape::Hours(draft) => Plan::of(draft, centre).row(),
            Shape::Any(_, members) => Row::joined(members, centre, |states| states.contains(&true)),
            Shape::All(_, members) => Row::joined(members, centre, |states| !states.contains(&false)),
            Shape::Versions(old, new, cut) => {
                let (mut row, new) = (Row::of(old, centre), Row::of(new, centre));
                let from = (centre + cut - row.first) as usize;
                row.open[from..].copy_from_slice(&new.open[from..]);
                row
            }
        }
    }

    fn joined(members: &[Shape], centre: i64, rule: fn(&[bool]) -> bool) -> Row {
        let rows: Vec<Row> = members.iter().map(|member| Row::of(member, centre)).collect();
        let states = |i| rows.iter().map(|row| row.open[i]).collect::<Vec<bool>>();
        Row { first: centre - KNOWN, open: (0..2 * KNOWN as usize).map(|i| rule(&states(i))).collect() }
    }

    fn paint(&mut self, minute: i64, open: bool) {
        if let Some(known) = usize::try_from(minute - self.first).ok().and_then(|i| self.open.get_mut(i)) {
            *known = open;
        }
    }

    /// Whether the minute that holds this instant is open; None off the row.
    pub(crate) fn is_open(&self, ms: i64) -> Option<bool> {
        let i = ms.div_euclid(MINUTE) - self.first;
        let doubt = KNOWN - SURE;
        if i < doubt || i >= 2 * KNOWN - doubt { None } else { Some(self.open[i as usize]) }
    }

    pub(crate) fn between(&self, a: i64, b: i64) -> Option<i64> {
        let mut sum = 0;
        let mut now = a;
        while now < b {
            let next = ((now.div_euclid(MINUTE) + 1) * MINUTE).min(b);
            sum += if self.is_open(now)? { next - now } else { 0 };
            now = next;
        }
        Some(sum)
    }

    /// None: runs off the row.
    pub(crate) fn add(&self, t: i64, mut left: i64) -> Option<i64> {
        let mut now = t;
        loop {
            let next = (now.div_euclid(MINUTE) + 1) * MINUTE;
            if self.is_open(now)? {
                if left <= next - now {
                    return Some(now + left);
                }
                left -= next - now;
            }
            now = next;
        }
    }

    pub(crate) fn sub(&self, t: i64, mut left: i64) -> Option<i64> {
        if left == 0 && self.is_open(t)? {
            return Some(t);
        }
        let mut now = t;
        loop {
            let last = (now - 1).div_euclid(MINUTE) * MINUTE;
            if self.is_open(last)? {
                if left <= now - last {
                    return Some(now - left);
                }
                left -= now - last;
            }
            now = last;
        }
    }
}

/// The layers of one calendar with hours of its own, minute by minute.
pub(crate) struct Plan {
    wall: Wall,
    /// With the date on which each starts.
    windows: Vec<(NaiveDate, i64, i64)>,
    holidays: Vec<(NaiveDate, i64, i64)>,
    breaks: Vec<(NaiveDate, i64, i64)>,
    centre: i64,
}

impl Plan {
    pub(crate) fn of(draft: &Draft, centre: i64) -> Plan {
        let wall = Wall::new(draft.zone(), centre);
        let spec = draft.spec(centre);
        let mut plan = Plan { wall, windows: vec![], holidays: vec![], breaks: vec![], centre };
        for date in plan.wall.dates() {
            let weekday = date.weekday().num_days_from_monday() as usize;
            let windows = spec.worked.get(&date).unwrap_or(&spec.hours[weekday]);
            let place = |window: &Window| plan.wall.window(date, *window).map(|(from, to)| (date, from, to));
            plan.windows.extend(windows.iter().filter_map(place));
            plan.breaks.extend(spec.breaks[weekday].iter().filter_map(place));
            plan.breaks.extend(spec.dated_breaks.get(&date).into_iter().flatten().filter_map(place));
            if spec.holidays.contains_key(&date) {
                plan.holidays.extend(plan.wall.day(date).map(|(from, to)| (date, from, to)));
            }
        }
        plan
    }

    pub(crate) fn row(&self) -> Row {
        let mut row = Row { first: self.centre - KNOWN, open: vec![false; 2 * KNOWN as usize] };
        let closed = self.holidays.iter().chain(&self.breaks).map(|span| (span, false));
        for ((_, from, to), open) in self.windows.iter().map(|span| (span, true)).chain(closed) {
            (*from..*to).for_each(|minute| row.paint(minute, open));
        }
        row
    }

    pub(crate) fn why(&self, minute: i64) -> Option<Closed> {
        let holds = |(_, from, to): &&(NaiveDate, i64, i64)| *from <= minute && minute < *to;
        if let Some((date, ..)) = self.holidays.iter().find(holds) {
            return Some(Closed::Holiday(date.to_string()));
        }
        if self.windows.iter().find(holds).is_none() {
            return Some(Closed::Outside);
        }
        self.breaks.iter().find(holds).map(|_| Closed::Break)
    }

    /// Where the windows of a date end, minute by minute.
    pub(crate) fn close_of(&self, row: &Row, date: NaiveDate) -> Option<i64> {
        if self.holidays.iter().any(|(holiday, ..)| *holiday == date) {
            return None;
        }
        let own = self.windows.iter().filter(|(of, ..)| *of == date);
        let open = own.flat_map(|(_, from, to)| *from..*to).filter(|minute| row.is_open(minute * MINUTE).unwrap());
        open.max().map(|minute| minute + 1)
    }
}
