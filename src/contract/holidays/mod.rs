//! Sets of holidays as a contract writes them: dates by name, or rules with the years that they cover.

mod dates;

use super::calendar::day_range;
use super::code::Code;
use super::dates::{date, read_date};
use super::fields::{self, Fields};
use super::keys::holidays::{HOLIDAY, NTH_WORDS, SET, WEEKDAY_WORDS};
use super::length;
use super::report::{At, Report, quote};
use super::yaml::{Entry, Node, Value};
use chrono::{Datelike, NaiveDate, Weekday};
use dates::{Rule, Shift, To, When, expand};
use std::collections::{BTreeMap, BTreeSet};

/// Holidays by date, with their names.
type Days = BTreeMap<NaiveDate, String>;

/// Reads one set.
pub(crate) fn set(node: &Node, report: &mut Report<'_>) -> Option<Days> {
    // A map of dates says no word of the language.
    let by_rules = SET.keys.iter().any(|key| node.get(key.name).is_some());
    if by_rules { ruled(node, report) } else { named_dates(node, report) }
}

/// The first and the last year for which a set says that it is complete. None: it says nothing of years.
pub(crate) fn covers(set: &Node) -> Option<(i32, i32)> {
    match &set.get("covers")?.value {
        Value::Scalar { text, .. } => years(text),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// A map of date to name.
pub(crate) fn named_dates(node: &Node, report: &mut Report<'_>) -> Option<Days> {
    if matches!(&node.value, Value::Map(entries) if entries.is_empty()) {
        return Some(BTreeMap::new());
    }
    let entries = fields::map(node, "a set of holidays", report)?;
    let days = fields::every(entries, |entry| {
        let date = date(&entry.key, entry.at, report);
        let name = fields::text(&entry.node, "a holiday's name", report)?;
        Some((date?, name.to_owned()))
    })?;
    Some(days.into_iter().collect())
}

fn ruled(node: &Node, report: &mut Report<'_>) -> Option<Days> {
    let fields = Fields::of(node, &SET, report)?;
    let covered = fields.need("covers", report);
    let covers = covered.and_then(|node| said_years(node, "`covers`", report));
    let source = fields.need("source", report).and_then(|node| fields::text(node, "`source`", report));
    let days = fields.need("days", report).and_then(|node| fields::list(node, "`days`", report));
    let rules = days.and_then(|items| fields::every(items, |item| rule(item, covers, report)));
    let (rules, covers) = (rules?, covers?);
    source?;
    let days = expand(&rules, covers);
    let with_days: BTreeSet<i32> = days.keys().map(Datelike::year).collect();
    let without = (covers.0..=covers.1).find(|year| !with_days.contains(year));
    if let (Some(year), Some(covered)) = (without, covered) {
        let message = format!("the set covers {year}, and has no day of it");
        report.hinted(Code::UncoveredHoliday, covered.at, message, "add its days, or cover fewer years");
        return None;
    }
    Some(days)
}

/// One holiday. Those of tables must lie in the years that are covered: a date outside is a slip in one or the other.
fn rule(node: &Node, covers: Option<(i32, i32)>, report: &mut Report<'_>) -> Option<Rule> {
    if let Value::Scalar { text, .. } = &node.value {
        let date = covered(date(text, node.at, report)?, node.at, covers, report)?;
        return Some(Rule { name: "holiday".into(), when: When::Dates(vec![date]), years: None, shift: None });
    }
    let fields = Fields::of(node, &HOLIDAY, report)?;
    let name = fields.need("name", report).and_then(|node| fields::text(node, "a holiday's name", report));
    let when = when(&fields, covers, report);
    let years = fields.entry("years").map(|entry| {
        let years = said_years(&entry.node, "`years`", report)?;
        if matches!(when, Some(When::Dates(_))) {
            let message = "`years` beside dates, which have years of their own";
            report.hinted(Code::WrongSentence, entry.at, message, "take it out");
            return None;
        }
        match covers {
            Some((first, last)) if years.0 < first || years.1 > last => {
                let message = format!("a rule for years outside those that the set covers, {first}-{last}");
                report.hinted(Code::UncoveredHoliday, entry.node.at, message, "cover them, or leave them out");
                None
            }
            _ => Some(years),
        }
    });
    let shift = match (fields.entry("moved"), fields.entry("also")) {
        (Some(_), Some(entry)) => {
            let hint = "it moves (`moved`), or it stays and another day is closed too (`also`)";
            report.hinted(Code::WrongSentence, entry.at, "a holiday with both `moved` and `also`", hint);
            Some(None)
        }
        (Some(entry), None) => Some(shift(entry, false, report)),
        (None, Some(entry)) => Some(shift(entry, true, report)),
        (None, None) => None,
    };
    let (years, shift) = (fields::optional(years)?, fields::optional(shift)?);
    Some(Rule { name: name?.to_owned(), when: when?, years, shift })
}

fn when(fields: &Fields<'_>, covers: Option<(i32, i32)>, report: &mut Report<'_>) -> Option<When> {
    let heads: Vec<&str> =
        ["on", "easter", "orthodox-easter", "nth"].into_iter().filter(|key| fields.has(key)).collect();
    let head = match heads.as_slice() {
        [head] => *head,
        // `weekday` and `month` by themselves: the reader of `nth` says what is missing.
        [] if fields.has("weekday") || fields.has("month") => "nth",
        [] => {
            let hint = "add `on:`, `easter:`, `orthodox-easter:`, or `nth:` with `weekday:` and `month:`";
            report.hinted(Code::MissingKey, fields.at, "a holiday that does not say when it is", hint);
            return None;
        }
        [first, second, ..] => {
            let message = format!("a holiday with both `{first}` and `{second}`");
            report.hinted(Code::WrongSentence, fields.at, message, "make two of it");
            return None;
        }
    };
    if head != "nth" {
        for key in ["weekday", "month"] {
            if let Some(entry) = fields.entry(key) {
                report.hinted(Code::WrongSentence, entry.at, format!("`{key}` without `nth`"), "take it out");
                return None;
            }
        }
    }
    match head {
        "on" => on(fields.get("on")?, covers, report),
        "nth" => nth(fields, report),
        easter => {
            let node = fields.get(easter)?;
            let days = offset(node, easter, report)?;
            Some(When::Easter { orthodox: easter == "orthodox-easter", days })
        }
    }
}

/// `27 April`, or dates.
fn on(node: &Node, covers: Option<(i32, i32)>, report: &mut Report<'_>) -> Option<When> {
    let text = match &node.value {
        Value::Scalar { text, .. } => text.as_str(),
        Value::List(_) | Value::Map(_) => "",
    };
    let day = text.split_once(' ').filter(|(day, _)| day.len() <= 2 && day.bytes().all(|b| b.is_ascii_digit()));
    if let Some((day, month)) = day {
        return match length::month_and_day(day, month, "") {
            Ok((month, day)) => Some(When::Day { month, day }),
            Err(slip) => {
                match slip.hint {
                    Some(hint) => report.hinted(Code::BadDate, node.at, slip.message, hint),
                    None => report.error(Code::BadDate, node.at, slip.message),
                }
                None
            }
        };
    }
    let items = fields::one_or_more(node, "`on`", report)?;
    let dates = fields::every(items, |item| {
        let text = fields::text(item, "`on`", report)?;
        let Some(date) = read_date(text) else {
            let message = format!("{} is no day", quote(text));
            report.hinted(Code::BadDate, item.at, message, "write it like `27 April`, or as dates: `2026-04-27`");
            return None;
        };
        covered(date, item.at, covers, report)
    })?;
    Some(When::Dates(dates))
}

fn covered(date: NaiveDate, at: At, covers: Option<(i32, i32)>, report: &mut Report<'_>) -> Option<NaiveDate> {
    if let Some((first, last)) = covers.filter(|(first, last)| !(*first..=*last).contains(&date.year())) {
        let message = format!("{date} is outside the years that the set covers, {first}-{last}");
        report.hinted(Code::UncoveredHoliday, at, message, "cover its year, with all of that year's days");
        return None;
    }
    Some(date)
}

fn nth(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<When> {
    let days: Vec<(&str, Weekday)> = WEEKDAY_WORDS.iter().zip(WEEK).map(|((word, _), day)| (*word, day)).collect();
    let nth = fields.need("nth", report).and_then(|node| {
        let text = fields::text(node, "`nth`", report)?;
        let nth = NTH_WORDS.iter().find(|(word, _)| *word == text).map(|(_, nth)| *nth);
        if nth.is_none() {
            // No digit is near to another.
            let hint = "possible here: 1, 2, 3, 4, last";
            report.hinted(Code::UnknownWord, node.at, format!("`nth` cannot be {}", quote(text)), hint);
        }
        nth
    });
    let weekday = fields.need("weekday", report).and_then(|node| fields::word(node, "`weekday`", &days, report));
    let month = fields.need("month", report).and_then(|node| {
        let name = fields::text(node, "`month`", report)?;
        let month = length::month(name);
        if month.is_none() {
            let message = format!("{} is no month", quote(name));
            report.misnamed(Code::UnknownWord, node.at, message, name, length::months());
        }
        month
    });
    Some(When::Nth { nth: nth?, weekday: weekday?, month: month? })
}

const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// Days from Easter, at most a quarter of a year.
fn offset(node: &Node, key: &str, report: &mut Report<'_>) -> Option<i64> {
    let text = fields::text(node, "days from Easter", report)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let formed = (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let days = text.parse::<i64>().ok().filter(|days| formed && days.abs() <= 100);
    if days.is_none() {
        let message = format!("`{key}`: {} is no number of days", quote(text));
        report.hinted(Code::BadNumber, node.at, message, "write `-2` for Good Friday, `39` for Ascension Day");
    }
    days
}

fn shift(entry: &Entry, stays: bool, report: &mut Report<'_>) -> Option<Shift> {
    let entries = fields::map(&entry.node, "where a holiday goes", report)?;
    let mut to = [None; 7];
    let read = fields::every(entries, |entry| {
        let days = day_range(&entry.key);
        if days.is_empty() {
            let message = format!("{} is neither a weekday nor a range of them", quote(&entry.key));
            let hint = "write mon, tue, wed, thu, fri, sat, sun, or a range like sat-sun";
            report.hinted(Code::BadTime, entry.at, message, hint);
        }
        let text = fields::text(&entry.node, "where a holiday goes", report)?;
        let Some(target) = target(text) else {
            let message = format!("{} is no place for a holiday", quote(text));
            report.misnamed(Code::UnknownWord, entry.node.at, message, text, TARGETS);
            return None;
        };
        if let Some(day) = days.iter().find(|day| to[**day].is_some()) {
            let message = format!("{} stands here twice", WEEKDAY_WORDS[*day].0);
            report.hinted(Code::DuplicateName, entry.at, message, "a holiday goes to one place");
            return None;
        }
        days.iter().for_each(|day| to[*day] = Some(target));
        (!days.is_empty()).then_some(())
    });
    read.map(|_| Shift { stays, to })
}

/// What is offered where the word is none.
const TARGETS: [&str; 6] = ["day before", "day after", "next weekday", "previous weekday", "next mon", "previous mon"];

fn target(text: &str) -> Option<To> {
    let (later, what) = match text.split_once(' ')? {
        ("day", "before") => return Some(To::Before),
        ("day", "after") => return Some(To::After),
        ("next", what) => (true, what),
        ("previous", what) => (false, what),
        _ => return None,
    };
    if what == "weekday" {
        return Some(To::Free { later });
    }
    let day = WEEKDAY_WORDS.iter().position(|(word, _)| *word == what)?;
    Some(To::Weekday { later, weekday: WEEK[day] })
}

fn said_years(node: &Node, what: &str, report: &mut Report<'_>) -> Option<(i32, i32)> {
    let text = fields::text(node, what, report)?;
    let years = years(text);
    if years.is_none() {
        let message = format!("{what}: {} is neither a year nor a range of years", quote(text));
        report.hinted(Code::BadDate, node.at, message, "write it like 2026 or 2024-2032, of 1900 to 2199");
    }
    years
}

/// `2026`, `2024-2032`.
fn years(text: &str) -> Option<(i32, i32)> {
    let year = |text: &str| {
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|year| digits && (1900..2200).contains(year))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (year(first)?, year(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests;
