//! Calendars: the last minute of the day, windows that overlap, years without holidays.

use super::{Lint, entries, list, one_or_more, text};
use crate::contract::calendar::{day_range, window};
use crate::contract::code::Code;
use crate::contract::dates::read_date;
use crate::contract::holidays::covers;
use crate::contract::report::{Report, quote};
use crate::contract::yaml::{Entry, Node};
use chrono::{Datelike, Days, NaiveDate};
use onus_engine::calendar::{instant, local};
use onus_engine::time::{DAY, Moment};
use std::collections::BTreeSet;

/// So long before a year ends, deadlines of the next one are being worked out.
const AHEAD: Days = Days::new(90);

/// Most years that are looked at, and named in one message.
const YEARS: i32 = 100;

/// Reports what is odd about the contract's calendars.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    for calendar in entries(lint.root.get("calendars")) {
        for key in ["hours", "breaks", "worked"] {
            for day in entries(calendar.node.get(key)) {
                windows(day, key == "breaks", report);
            }
        }
        if calendar.node.get("hours").is_some() {
            holidays(lint, calendar, report);
            swallowed(lint, calendar, report);
        }
    }
}

fn windows(day: &Entry, breaks: bool, report: &mut Report<'_>) {
    let mut taken: Vec<(u16, u16)> = Vec::new();
    for node in one_or_more(&day.node) {
        let Some(words) = text(node) else { continue };
        let Some(read) = window(words) else { continue };
        if words.ends_with("-23:59") {
            let open = if breaks { "open" } else { "closed" };
            let message = format!("{} leaves the day's last minute {open}", quote(words));
            report.hinted(Code::MinuteToMidnight, node.at, message, format!("write `{}24:00`", &words[..6]));
        }
        let to = if read.to <= read.from { read.to + 1440 } else { read.to };
        if taken.iter().any(|(from, until)| read.from < *until && *from < to) {
            let message = format!("{} overlaps another window of {}", quote(words), quote(&day.key));
            report.hinted(
                Code::Overlap,
                node.at,
                message,
                "time in both counts once; let one end where the other begins",
            );
        }
        taken.push((read.from, to));
    }
}

fn holidays(lint: &Lint<'_>, calendar: &Entry, report: &mut Report<'_>) {
    let Some(said) = calendar.node.entry("holidays") else {
        let open: BTreeSet<usize> =
            entries(calendar.node.get("hours")).iter().flat_map(|day| day_range(&day.key)).collect();
        if open.len() < 7 {
            let message = format!("the calendar {} has weekends and no holidays", quote(&calendar.key));
            report.hinted(Code::NoHolidaysAtAll, calendar.at, message, "add `holidays:`");
        }
        return;
    };
    let (first, last) = life(lint);
    let wanted = |covered: &dyn Fn(i32) -> bool| {
        let missing: Vec<String> = (first..=last).filter(|year| !covered(*year)).map(|y| y.to_string()).collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    };
    let until = match lint.contract.ends {
        Some(_) => "the contract's last year".to_owned(),
        None => format!("{last}: the contract has no end"),
    };
    let items = list(Some(&said.node));
    // Sets that say for which years they are complete: each must be it for all of the contract's.
    let complete: Vec<_> = items.iter().filter_map(|item| Some((item, covers(set(lint, item)?)?))).collect();
    for (item, (from, to)) in &complete {
        if let Some(missing) = wanted(&|year| (*from..=*to).contains(&year)) {
            let name = quote(text(item).unwrap_or_default());
            let message = format!(
                "the holidays {name} cover {from}-{to}, and the calendar {} needs {missing}",
                quote(&calendar.key)
            );
            let hint = format!("add each year up to {until} to the set, and to its `covers`");
            report.hinted(Code::YearRunsOut, item.at, message, hint);
        }
    }
    if !complete.is_empty() {
        return;
    }
    let covered: BTreeSet<i32> = items.iter().flat_map(|item| years(lint, item)).collect();
    if let Some(missing) = wanted(&|year| covered.contains(&year)) {
        let message = format!("the calendar {} has no holidays in {missing}", quote(&calendar.key));
        report.hinted(Code::YearRunsOut, said.at, message, format!("add the holidays of each year up to {until}"));
    }
}

/// Windows that lie within the hour that the clocks leave out.
fn swallowed(lint: &Lint<'_>, calendar: &Entry, report: &mut Report<'_>) {
    let Some(zone) = calendar.node.get("zone").and_then(text).and_then(|zone| zone.parse().ok()) else { return };
    let (first, last) = life(lint);
    let days = NaiveDate::from_ymd_opt(first, 1, 1).into_iter().flat_map(|first| first.iter_days());
    let of_life = days.take_while(|date| date.year() <= last);
    // Few days are not of 24 hours; only those are looked at window by window.
    let odd: Vec<NaiveDate> = of_life
        .filter(|date| date.succ_opt().is_some_and(|next| instant(zone, next, 0) - instant(zone, *date, 0) < DAY))
        .collect();
    for day in entries(calendar.node.get("hours")) {
        let weekdays = day_range(&day.key);
        for node in one_or_more(&day.node) {
            let Some((words, window)) = text(node).and_then(|words| Some((words, window(words)?))) else { continue };
            let gone = |date: &&NaiveDate| {
                let at = |minute| instant(zone, **date, minute);
                let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or_default();
                weekdays.contains(&weekday) && window.from < window.to && at(window.from) >= at(window.to)
            };
            if let Some(date) = odd.iter().find(gone) {
                let message =
                    format!("the clocks leave {} of {date} out: the calendar does not open in it", quote(words));
                report.hinted(Code::SwallowedWindow, node.at, message, "begin it earlier, or end it later");
            }
        }
    }
}

/// The set of holidays that is named.
fn set<'l>(lint: &Lint<'l>, item: &Node) -> Option<&'l Node> {
    lint.root.get("holidays").and_then(|sets| sets.get(text(item)?))
}

/// The years of a date, or of the dates of a set.
fn years(lint: &Lint<'_>, item: &Node) -> Vec<i32> {
    let Some(words) = text(item) else { return Vec::new() };
    if let Some(date) = read_date(words) {
        return vec![date.year()];
    }
    entries(set(lint, item)).iter().filter_map(|day| read_date(&day.key)).map(|date| date.year()).collect()
}

/// The first and the last year in which the contract's deadlines fall, as far as can be said today.
fn life(lint: &Lint<'_>) -> (i32, i32) {
    let year = |at: Moment| local(lint.contract.zone, at).year();
    let first = year(lint.contract.effective);
    let last = match lint.contract.ends {
        Some(ends) => year(Moment(ends.0.saturating_sub(1))),
        None => lint.today.checked_add_days(AHEAD).unwrap_or(lint.today).year(),
    };
    (first, last.max(first).min(first.saturating_add(YEARS)))
}
