//! How far closed days carry a deadline: the longest run of days without work, and what it does to a limit.

use super::reading;
use crate::contract::length::is_business;
use chrono::{Days, NaiveDate};
use onus_engine::calendar::{Calendar, local};
use onus_engine::terms::{Contract, Limit, Roll, Span};
use onus_engine::time::{DAY, MINUTE, Millis, Moment};

/// So many days of a contract without an end, or with a far one, are looked at: thirty years.
const LOOKED_AT: u64 = 30 * 365;

/// What [`reading::may_outlast`] allows for already: a weekend and a holiday.
const ALLOWED: i64 = 3;

/// Days in a row on which nobody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) days: i64,
    pub(super) first: NaiveDate,
}

/// The longest run of closed days, in a contract's life, of the calendar that a limit goes by.
pub(super) fn longest_run(limit: &Limit, contract: &Contract) -> Option<Run> {
    let (_, calendar) = contract.calendars.get(limit.calendar?)?;
    if calendar.is_always() {
        return None;
    }
    let date = |at: Moment| local(calendar.zone(), at).date();
    let first = date(contract.effective);
    let last = first.checked_add_days(Days::new(LOOKED_AT))?.min(contract.ends.map_or(NaiveDate::MAX, date));
    let (mut longest, mut now): (Option<Run>, Option<Run>) = (None, None);
    for day in first.iter_days().take_while(|day| *day <= last) {
        if calendar.close_of(day).is_some() {
            now = None;
            continue;
        }
        let run = now.map_or(Run { days: 1, first: day }, |run| Run { days: run.days + 1, ..run });
        now = Some(run);
        if longest.is_none_or(|longest| longest.days < run.days) {
            longest = Some(run);
        }
    }
    longest
}

/// The longest that a limit of this length lasts where such a run lies in its way; None: no length.
pub(super) fn longest(span: &Span, limit: &Limit, run: Run) -> Option<Millis> {
    let whole = run.days * DAY;
    if is_business(span) {
        // What counts in working time ends on a working day: nothing is moved.
        return match span {
            Span::TimeOfWorkingDay { minute, days } => {
                Some(i64::from(*days) * DAY + whole + i64::from(*minute) * MINUTE)
            }
            _ => Some(reading::reach(span)?.1 + (run.days - ALLOWED).max(0) * DAY),
        };
    }
    let alone = if *span == Span::AtOnce { 0 } else { reading::reach(span)?.1 };
    let carried = limit.roll.rows.iter().map(|row| match row.value {
        Roll::None | Roll::Previous => 0,
        Roll::Next => whole,
        Roll::NextAt(minute) => whole + i64::from(minute) * MINUTE,
    });
    Some(alone + carried.max().unwrap_or(0))
}

/// Whether two limits are moved alike: then the shorter one stays the shorter.
pub(super) fn alike(mine: (&Limit, &Contract), theirs: (&Limit, &Contract)) -> bool {
    fn calendar<'c>((limit, contract): (&Limit, &'c Contract)) -> Option<&'c Calendar> {
        Some(&contract.calendars.get(limit.calendar?)?.1)
    }
    let same = match (calendar(mine), calendar(theirs)) {
        // Of two contracts they are two calendars, which say the same or not.
        (Some(mine), Some(theirs)) => format!("{mine:?}") == format!("{theirs:?}"),
        _ => false,
    };
    same && mine.0.roll == theirs.0.roll && mine.0.roll.depends_on.is_empty()
}
