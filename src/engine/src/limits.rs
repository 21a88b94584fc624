//! From a contract's limit to a clock: which rows apply, and what they come to from a given start.

use crate::book::Book;
use crate::calendar::{Calendar, instant, local};
use crate::duty::{Clock, ClockState, Clocks};
use crate::fact::{Atom, FieldId};
use crate::rule::{CalendarId, Form, Limit, RowCell, Rule, Table};
use crate::terms::{Cap, Roll, Span, Unit};
use crate::time::{Millis, Moment};
use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;
use smallvec::SmallVec;

/// How a subject's fact stands for choosing rows: unknown, or a text.
pub type Facts<'f> = &'f dyn Fn(FieldId) -> Option<Atom<'f>>;

/// The rows of a table that apply. A fact that is absent makes every row apply.
#[inline]
pub fn rows<'t, T>(table: &'t Table<T>, facts: Facts<'_>, day: NaiveDate) -> SmallVec<[&'t T; 4]> {
    // The two forms that nearly all tables have: no key, and one key whose fact is known.
    match (&table.keys[..], &table.rows[..]) {
        ([], rows) => return rows.iter().map(|r| &r.value).collect(),
        ([Some(field)], rows) => {
            if let Some(value) = facts(*field) {
                let exact = rows.iter().filter(|r| matches!(&r.cells[0], RowCell::Is(sym) if Atom::Sym(*sym) == value));
                let exact: SmallVec<[&T; 4]> = exact.map(|r| &r.value).collect();
                if !exact.is_empty() {
                    return exact;
                }
            }
        }
        _ => {}
    }
    rows_by_facts(table, facts, day)
}

/// The local day by which a table chooses, if it chooses by one.
#[inline(always)]
pub fn day_of<T>(table: &Table<T>, zone: Tz, at: Moment) -> NaiveDate {
    if table.keys.iter().any(Option::is_none) { local(zone, at).date() } else { NaiveDate::MIN }
}

/// The same, of any table.
#[cold]
fn rows_by_facts<'t, T>(table: &'t Table<T>, facts: Facts<'_>, day: NaiveDate) -> SmallVec<[&'t T; 4]> {
    let mut out: Vec<(&Vec<RowCell>, &T)> = table.rows.iter().map(|r| (&r.cells, &r.value)).collect();
    for (i, key) in table.keys.iter().enumerate() {
        match key {
            None => {
                // Of rows by date, the newest that has begun.
                let begun = |cells: &[RowCell]| match &cells[i] {
                    RowCell::From(from) => (*from <= day).then_some(Some(*from)),
                    RowCell::Any => Some(None),
                    RowCell::Is(_) => None,
                };
                let newest = out.iter().filter_map(|(cells, _)| begun(cells)).max();
                out.retain(|(cells, _)| begun(cells) == newest && newest.is_some());
            }
            Some(field) => {
                let Some(value) = facts(*field) else { continue };
                let exact = |cells: &[RowCell]| matches!(&cells[i], RowCell::Is(sym) if Atom::Sym(*sym) == value);
                let known = out.iter().any(|(cells, _)| exact(cells));
                out.retain(|(cells, _)| if known { exact(cells) } else { cells[i] == RowCell::Any });
            }
        }
    }
    out.into_iter().map(|(_, value)| value).collect()
}

/// What a span comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// So much time on this calendar.
    Length(Millis, CalendarId),
    /// An instant that nothing moves.
    Fixed(Moment),
}

/// Counts a span from `start`. Days and months become the length of time that they come to on the calendar, so that a
/// pause moves them by the time that it took; what names an instant stays there.
#[inline(always)]
pub fn target(span: &Span, calendar_id: CalendarId, calendar: &Calendar, zone: Tz, start: Moment) -> Target {
    match span {
        Span::Elapsed(ms) => Target::Length(*ms, 0),
        Span::Open(ms) => Target::Length(*ms, calendar_id),
        _ => target_by_day(span, calendar_id, calendar, zone, start),
    }
}

/// The same, of spans that name days, months or instants.
#[cold]
fn target_by_day(span: &Span, calendar_id: CalendarId, calendar: &Calendar, zone: Tz, start: Moment) -> Target {
    let fixed = |at: Option<Moment>| Target::Fixed(at.unwrap_or(Moment::NEVER));
    match span {
        Span::Elapsed(ms) | Span::Open(ms) => Target::Length(*ms, calendar_id),
        Span::WorkingDays(n) => {
            let close = calendar.working_day(start, *n as i32).and_then(|day| calendar.close_of(day));
            close.map_or(Target::Fixed(Moment::NEVER), |at| Target::Length(calendar.between(start, at), calendar_id))
        }
        Span::CalendarDays(n) => {
            let end = local(zone, start).date().checked_add_days(Days::new(u64::from(*n) + 1));
            end.map_or(Target::Fixed(Moment::NEVER), |day| Target::Length(instant(zone, day, 0) - start, 0))
        }
        Span::Months(n) => {
            months_later(zone, start, *n).map_or(Target::Fixed(Moment::NEVER), |at| Target::Length(at - start, 0))
        }
        Span::TimeOfWorkingDay { minute, days } => {
            let zone = if calendar_id == 0 { zone } else { calendar.zone() };
            fixed(calendar.working_day(start, *days as i32).map(|day| instant(zone, day, *minute)))
        }
        Span::DayOfYear { month, day } => fixed(end_of_day_of_year(zone, start, *month, *day)),
        Span::At(at) => Target::Fixed(*at),
        Span::AtOnce => Target::Fixed(start),
    }
}

/// The same local time so many months later, clamped to the month's end.
fn months_later(zone: Tz, start: Moment, n: u32) -> Option<Moment> {
    let at = local(zone, start);
    let day = at.date().checked_add_months(Months::new(n))?;
    let minute = (chrono::Timelike::hour(&at) * 60 + chrono::Timelike::minute(&at)) as u16;
    let rest = start.0.rem_euclid(60_000);
    Some(instant(zone, day, minute) + rest)
}

fn end_of_day_of_year(zone: Tz, start: Moment, month: u32, day: u32) -> Option<Moment> {
    let year = local(zone, start).year();
    (0..9).find_map(|y| {
        let date = NaiveDate::from_ymd_opt(year + y, month, day)?;
        let end = instant(zone, date.succ_opt()?, 0);
        (end >= start).then_some(end)
    })
}

/// The clocks of an obligation's limits for a duty that counts from `start`. Empty: no row applies, the duty is exempt.
#[inline(always)]
pub fn clocks(book: &Book, rule: &Rule, limits: &[Limit], facts: Facts<'_>, start: Moment) -> Clocks {
    let mut out = Clocks::new();
    for (i, limit) in limits.iter().enumerate() {
        let calendar = book.calendar(limit.calendar);
        let day = day_of(&limit.must, rule.zone, start);
        for span in rows(&limit.must, facts, day) {
            let row = limit.must.rows.iter().position(|r| std::ptr::eq(&r.value, span)).unwrap_or(0);
            let clock = clock(span, (i, row), limit.calendar, calendar, rule.zone, start);
            let clock = if !limit.from.is_empty() { Clock { state: ClockState::Waiting, ..clock } } else { clock };
            let same = |c: &Clock| {
                (c.limit, c.target, c.calendar, c.state) == (clock.limit, clock.target, clock.calendar, clock.state)
                    && (limit.rolls.is_empty()
                        || limit.roll_of(usize::from(c.row)) == limit.roll_of(usize::from(clock.row)))
            };
            if !out.iter().any(same) {
                out.push(clock);
            }
        }
    }
    out
}

/// One clock for one span.
#[inline(always)]
pub fn clock(
    span: &Span,
    (limit, row): (usize, usize),
    id: CalendarId,
    calendar: &Calendar,
    zone: Tz,
    start: Moment,
) -> Clock {
    let (limit, row) = (limit as u8, row as u8);
    match target(span, id, calendar, zone, start) {
        Target::Length(target, calendar) => {
            Clock { elapsed: 0, target, calendar, limit, row, state: ClockState::Counting }
        }
        Target::Fixed(at) => Clock { elapsed: 0, target: at.0, calendar: 0, limit, row, state: ClockState::Fixed },
    }
}

/// The longest pause, and what it counts on.
#[cold]
pub fn cap(
    book: &Book,
    rule: &Rule,
    cap: &Cap,
    limit: Option<&Limit>,
    clock: &Clock,
    from: Moment,
) -> (Millis, CalendarId) {
    match cap {
        Cap::Percent(share) if clock.state == ClockState::Counting => {
            ((i128::from(clock.target) * i128::from(*share) / 100) as Millis, clock.calendar)
        }
        // A share of a fixed instant is no length: nothing is granted.
        Cap::Percent(_) => (0, 0),
        Cap::Span(span) => {
            let period = match &rule.form {
                Form::Every { calendar, .. } => *calendar,
                Form::Within { .. } | Form::Requires(_) => 0,
            };
            let id = limit.map_or(period, |l| l.calendar);
            match target(span, id, book.calendar(id), rule.zone, from) {
                Target::Length(ms, calendar) => (ms, calendar),
                Target::Fixed(at) => ((at - from).max(0), 0),
            }
        }
    }
}

/// The deadline of a limit on a closed day.
pub fn roll(book: &Book, rule: &Rule, (limit, row): (u8, u8), at: Moment) -> Moment {
    let (roll, calendar) = match (crate::fold::limits(rule).get(usize::from(limit)), &rule.form) {
        (Some(limit), _) => (limit.roll_of(usize::from(row)), limit.calendar),
        (None, Form::Every { roll, rolls, calendar, .. }) => {
            (rolls.get(usize::from(row)).copied().unwrap_or(*roll), *calendar)
        }
        (None, Form::Within { .. } | Form::Requires(_)) => return at,
    };
    if roll == Roll::None { at } else { crate::duty::rolled(roll, book.calendar(calendar), at) }
}

/// The calendar period that contains an instant: first instant inside, first instant outside.
pub fn period(unit: Unit, zone: Tz, at: Moment) -> Option<(Moment, Moment)> {
    let day = local(zone, at).date();
    let first = |month: u32| NaiveDate::from_ymd_opt(day.year(), month, 1);
    let (from, to) = match unit {
        Unit::Day => (day, day.succ_opt()?),
        Unit::Week => {
            let monday = day.checked_sub_days(Days::new(u64::from(day.weekday().num_days_from_monday())))?;
            (monday, monday.checked_add_days(Days::new(7))?)
        }
        Unit::Month => (first(day.month())?, first(day.month())?.checked_add_months(Months::new(1))?),
        Unit::Quarter => {
            let from = first((day.month0() / 3) * 3 + 1)?;
            (from, from.checked_add_months(Months::new(3))?)
        }
        Unit::HalfYear => {
            let from = first((day.month0() / 6) * 6 + 1)?;
            (from, from.checked_add_months(Months::new(6))?)
        }
        Unit::Year => (first(1)?, first(1)?.checked_add_months(Months::new(12))?),
    };
    Some((instant(zone, from, 0), instant(zone, to, 0)))
}
