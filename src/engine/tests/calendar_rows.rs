//! The contested cases of working time, one claim a test.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "calendar_rows/arithmetic.rs"]
mod arithmetic;
#[path = "calendar_rows/clock_changes.rs"]
mod clock_changes;
#[path = "calendar_rows/days.rs"]
mod days;
#[path = "calendar_rows/edges.rs"]
mod edges;
#[path = "calendar_rows/joined.rs"]
mod joined;
#[path = "calendar_rows/windows.rs"]
mod windows;

use chrono::NaiveDate;
use chrono_tz::Tz;
use onus_engine::calendar::{Calendar, Closed, Spec, Window, instant, local};
use onus_engine::time::{DAY, HOUR, MINUTE, Millis, Moment, SECOND};
use std::collections::BTreeMap;

const AMSTERDAM: Tz = chrono_tz::Europe::Amsterdam;
const NEW_YORK: Tz = chrono_tz::America::New_York;
const APIA: Tz = chrono_tz::Pacific::Apia;

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `09:00-17:00 22:00-06:00`
fn windows(text: &str) -> Vec<Window> {
    let minute = |clock: &str| {
        let (h, m) = clock.split_once(':').unwrap();
        h.parse::<u16>().unwrap() * 60 + m.parse::<u16>().unwrap()
    };
    let window = |text: &str| {
        let (from, to) = text.split_once('-').unwrap();
        Window { from: minute(from), to: minute(to) }
    };
    text.split_whitespace().map(window).collect()
}

fn spec(zone: Tz, monday_to_friday: &str, weekend: &str) -> Spec {
    let (week, end) = (windows(monday_to_friday), windows(weekend));
    Spec {
        zone,
        hours: [week.clone(), week.clone(), week.clone(), week.clone(), week, end.clone(), end],
        breaks: Default::default(),
        dated_breaks: BTreeMap::new(),
        holidays: BTreeMap::new(),
        worked: BTreeMap::new(),
    }
}

fn daily(zone: Tz, hours: &str) -> Spec {
    spec(zone, hours, hours)
}

/// Monday to Friday, 09:00 to 17:00, in Amsterdam (an hour ahead in winter, two in summer).
fn office() -> Calendar {
    Calendar::new(spec(AMSTERDAM, "09:00-17:00", ""))
}

fn holiday(mut spec: Spec, day: &str, name: &str) -> Spec {
    spec.holidays.insert(date(day), name.into());
    spec
}

fn shown(calendar: &Calendar, from: &str, to: &str) -> Vec<String> {
    let text = |m: Moment| m.to_string()[..16].to_string();
    calendar.intervals(at(from), at(to)).into_iter().map(|(a, b)| format!("{} {}", text(a), text(b))).collect()
}
