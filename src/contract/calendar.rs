//! Calendars and holiday sets as a contract writes them.

use super::code::Code;
use super::dates;
use super::fields::{self, Fields};
use super::holidays;
use super::keys;
use super::length::time_of_day;
use super::library::Library;
use super::order::order;
use super::report::{At, Hint, Report, nearest, quote};
use super::yaml::{Entry, Node, Value};
use chrono::NaiveDate;
use chrono_tz::Tz;
use onus_engine::calendar::{Calendar, Spec, Window};
use std::collections::{BTreeMap, BTreeSet};

/// Named sets of holidays: date to name.
pub type HolidaySets = BTreeMap<String, BTreeMap<NaiveDate, String>>;

/// What calendars may refer to.
pub(crate) struct Known<'k> {
    /// Holiday sets by name.
    pub(crate) sets: &'k HolidaySets,
    /// Other calendars by name, for `any` and `all`.
    pub(crate) calendars: &'k BTreeSet<&'k str>,
    /// Zone of a calendar that gives none; None: that is an error.
    pub(crate) zone: Option<Tz>,
    /// Of a block outside a contract: holidays may be a map of date to name, and lists may be empty.
    pub(crate) loose: bool,
    /// Names may come from an included file: a missing one isn't reported.
    pub(crate) includes: bool,
}

/// One calendar, before others are looked up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// Of its own hours.
    Own(Box<Spec>),
    /// Open when any (true) or all (false) of these are.
    Joined { any: bool, zone: Tz, members: Vec<String> },
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads `holidays:` of a contract: sets by name.
pub(crate) fn sets(node: &Node, report: &mut Report<'_>) -> Option<HolidaySets> {
    let entries = fields::map(node, "`holidays`", report)?;
    let sets = fields::every(entries, |entry| {
        let named = fields::is_name(&entry.key, entry.at, "holiday set", report);
        let set = holidays::set(&entry.node, report)?;
        named.then(|| (entry.key.clone(), set))
    })?;
    Some(sets.into_iter().collect())
}

/// Reads one calendar.
pub(crate) fn block(node: &Node, known: &Known<'_>, report: &mut Report<'_>) -> Option<Block> {
    let fields = Fields::of(node, &keys::top::CALENDAR, report)?;
    let zone = match (fields.get("zone"), known.zone) {
        (Some(node), _) => dates::zone(node, report),
        (None, Some(zone)) => Some(zone),
        (None, None) => {
            report.hinted(Code::NoZone, node.at, "a calendar without a zone", "add `zone:`, like Europe/Amsterdam");
            None
        }
    };
    let heads: Vec<&str> = ["hours", "any", "all"].into_iter().filter(|key| fields.has(key)).collect();
    match heads.as_slice() {
        ["hours"] => own(&fields, zone, known, report),
        [head] => joined(&fields, head, zone, known, report),
        [] => {
            let hint = "add `hours:`, or `any:` or `all:` of other calendars";
            report.hinted(Code::MissingKey, node.at, "a calendar with neither hours nor members", hint);
            None
        }
        [first, second, ..] => {
            let message = format!("a calendar has `{first}` or `{second}`, not both");
            report.hinted(Code::WrongSentence, node.at, message, "name the hours as a calendar of their own");
            None
        }
    }
}

/// Makes calendars of blocks; `given` are those that exist already. Reports cycles.
pub(crate) fn build(
    blocks: &[(String, At, Block)],
    given: &BTreeMap<String, Calendar>,
    report: &mut Report<'_>,
) -> Option<Vec<(String, Calendar)>> {
    let things: Vec<(&str, Vec<&str>)> = blocks
        .iter()
        .map(|(name, _, block)| match block {
            Block::Own(_) => (name.as_str(), Vec::new()),
            Block::Joined { members, .. } => (name.as_str(), members.iter().map(String::as_str).collect()),
        })
        .collect();
    let ordered = match order(&things) {
        Ok(ordered) => ordered,
        Err(cycle) => {
            let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(|at| things[*at].0).collect();
            let message = format!("calendars made of each other: {}", names.join(", of "));
            let at = cycle.first().map_or(At::TOP, |at| blocks[*at].1);
            report.error(Code::CalendarCycle, at, message);
            return None;
        }
    };
    if !report.is_clean() {
        return None;
    }
    let mut made: BTreeMap<&str, Calendar> = BTreeMap::new();
    for position in ordered {
        let (name, _, block) = &blocks[position];
        let calendar = match block {
            Block::Own(spec) => Calendar::new((**spec).clone()),
            Block::Joined { any, zone, members } => {
                let find = |member: &String| made.get(member.as_str()).or_else(|| given.get(member)).cloned();
                let members: Option<Vec<Calendar>> = members.iter().map(find).collect();
                if *any { Calendar::any(*zone, members?) } else { Calendar::all(*zone, members?) }
            }
        };
        made.insert(name, calendar);
    }
    Some(blocks.iter().filter_map(|(name, ..)| Some((name.clone(), made.get(name.as_str())?.clone()))).collect())
}

fn own(fields: &Fields<'_>, zone: Option<Tz>, known: &Known<'_>, report: &mut Report<'_>) -> Option<Block> {
    // Generated blocks name every key, with nothing in some.
    let said = |key| fields.get(key).filter(|node| !(known.loose && is_empty(node)));
    let hours = match said("hours") {
        Some(node) => weekly(node, known, report),
        None => Some(Default::default()),
    };
    let breaks = said("breaks").map(|node| breaks(node, known, report));
    let holidays = said("holidays").map(|node| days_off(node, known, report));
    let worked = said("worked").map(|node| dated(node, known, report));
    let (breaks, dated_breaks) = breaks.unwrap_or_else(|| Some(Default::default()))?;
    Some(Block::Own(Box::new(Spec {
        zone: zone?,
        hours: hours?,
        breaks,
        dated_breaks,
        holidays: holidays.unwrap_or_else(|| Some(BTreeMap::new()))?,
        worked: worked.unwrap_or_else(|| Some(BTreeMap::new()))?,
    })))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        Value::Scalar { .. } => false,
    }
}

fn joined(
    fields: &Fields<'_>,
    head: &str,
    zone: Option<Tz>,
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> Option<Block> {
    let mut clean = true;
    for key in ["holidays", "breaks", "worked"] {
        if let Some(entry) = fields.entry(key) {
            let message = format!("`{key}` beside `{head}`");
            report.hinted(Code::WrongSentence, entry.at, message, "say it in the calendars that it is made of");
            clean = false;
        }
    }
    let members = fields::list(fields.get(head)?, "the members", report)?;
    let members = fields::every(members, |item| {
        let name = fields::text(item, "a member", report)?;
        if !known.calendars.contains(name) {
            if !known.includes {
                let message = format!("no calendar is named {}", quote(name));
                report.misnamed(Code::NoCalendar, item.at, message, name, known.calendars.iter().copied());
            }
            return None;
        }
        Some(name.to_owned())
    })?;
    let zone = zone?;
    clean.then_some(Block::Joined { any: head == "any", zone, members })
}

fn weekly(node: &Node, known: &Known<'_>, report: &mut Report<'_>) -> Option<[Vec<Window>; 7]> {
    let entries = fields::map(node, "`hours`", report)?;
    let mut week: [Vec<Window>; 7] = Default::default();
    let mut said: [Option<u32>; 7] = [None; 7];
    let mut clean = true;
    for entry in entries {
        clean &= day(entry, &mut week, &mut said, known, report).is_some();
    }
    clean.then_some(week)
}

fn day(
    entry: &Entry,
    week: &mut [Vec<Window>; 7],
    said: &mut [Option<u32>; 7],
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> Option<()> {
    let days = day_range(&entry.key);
    if days.is_empty() {
        let message = format!("{} is neither a weekday nor a range of them", quote(&entry.key));
        let hint = match nearest(&entry.key, DAYS) {
            Some(near) => Hint::Meant(near.to_owned()),
            None => "write mon, tue, wed, thu, fri, sat, sun, or a range like mon-fri".into(),
        };
        report.hinted(Code::BadTime, entry.at, message, hint);
    }
    let windows = windows(&entry.node, known, report);
    let mut clean = !days.is_empty();
    for day in days {
        if let Some(line) = said[day] {
            let message = format!("{} has its windows on line {line} already", DAYS[day]);
            report.hinted(Code::DuplicateName, entry.at, message, "give a day once, with a list of windows");
            clean = false;
        }
        said[day] = Some(entry.at.line);
        if let Some(windows) = &windows {
            week[day].clone_from(windows);
        }
    }
    (clean && windows.is_some()).then_some(())
}

/// `mon`, `mon-fri`, or round the week's end: `sat-mon`. Empty: no such days.
pub(crate) fn day_range(text: &str) -> Vec<usize> {
    let find = |name: &str| DAYS.iter().position(|d| *d == name);
    match text.split_once('-') {
        None => find(text).into_iter().collect(),
        Some((first, last)) => match (find(first), find(last)) {
            (Some(first), Some(last)) => (0..=(last + 7 - first) % 7).map(|n| (first + n) % 7).collect(),
            _ => Vec::new(),
        },
    }
}

/// Breaks by weekday and by date, in one map.
#[allow(clippy::type_complexity, reason = "both halves go straight into a Spec")]
fn breaks(
    node: &Node,
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> Option<([Vec<Window>; 7], BTreeMap<NaiveDate, Vec<Window>>)> {
    let entries = fields::map(node, "`breaks`", report)?;
    let mut week: [Vec<Window>; 7] = Default::default();
    let mut said: [Option<u32>; 7] = [None; 7];
    let mut by_date = BTreeMap::new();
    let mut clean = true;
    for entry in entries {
        if entry.key.starts_with(|c: char| c.is_ascii_digit()) {
            clean &= one_date(entry, &mut by_date, known, report).is_some();
        } else {
            clean &= day(entry, &mut week, &mut said, known, report).is_some();
        }
    }
    clean.then_some((week, by_date))
}

fn dated(node: &Node, known: &Known<'_>, report: &mut Report<'_>) -> Option<BTreeMap<NaiveDate, Vec<Window>>> {
    let entries = fields::map(node, "`worked`", report)?;
    let mut by_date = BTreeMap::new();
    let read = fields::every(entries, |entry| one_date(entry, &mut by_date, known, report));
    read.map(|_| by_date)
}

fn one_date(
    entry: &Entry,
    by_date: &mut BTreeMap<NaiveDate, Vec<Window>>,
    known: &Known<'_>,
    report: &mut Report<'_>,
) -> Option<()> {
    let date = dates::date(&entry.key, entry.at, report);
    let windows = windows(&entry.node, known, report);
    by_date.insert(date?, windows?);
    Some(())
}

fn windows(node: &Node, known: &Known<'_>, report: &mut Report<'_>) -> Option<Vec<Window>> {
    if known.loose && is_empty(node) {
        return Some(Vec::new());
    }
    let items = fields::one_or_more(node, "the windows of a day", report)?;
    fields::every(items, |item| {
        let text = fields::text(item, "a window", report)?;
        let window = window(text);
        if window.is_none() {
            let message = format!("{} is no window of a day", quote(text));
            report.hinted(Code::BadTime, item.at, message, "write it as \"09:00-17:30\", 00:00 to 24:00");
        }
        window
    })
}

/// `09:00-17:30`.
pub(crate) fn window(text: &str) -> Option<Window> {
    let (from, to) = text.split_once('-')?;
    // Nothing begins at 24:00: that is the next day's 00:00.
    let from = time_of_day(from).filter(|minute| *minute < 1440)?;
    Some(Window { from, to: time_of_day(to)? })
}

/// Set names and dates; where that is allowed, a map of date to name.
fn days_off(node: &Node, known: &Known<'_>, report: &mut Report<'_>) -> Option<BTreeMap<NaiveDate, String>> {
    if known.loose && matches!(node.value, Value::Map(_)) {
        return holidays::named_dates(node, report);
    }
    let mut days = BTreeMap::new();
    let items = fields::list(node, "`holidays`", report)?;
    let read = fields::every(items, |item| {
        let text = fields::text(item, "a holiday", report)?;
        if text.len() == 10 && text.starts_with(|c: char| c.is_ascii_digit()) {
            let date = dates::date(text, item.at, report)?;
            days.entry(date).or_insert_with(|| "holiday".to_owned());
            return Some(());
        }
        match known.sets.get(text) {
            Some(set) => days.extend(set.iter().map(|(date, name)| (*date, name.clone()))),
            None => {
                if !known.includes {
                    no_holidays(text, item.at, known, report);
                }
                return None;
            }
        }
        Some(())
    });
    read.map(|_| days)
}

/// Reports a holiday set that is not there: it may be another one misspelt, or one that is shipped and not included.
fn no_holidays(name: &str, at: At, known: &Known<'_>, report: &mut Report<'_>) {
    let message = format!("no holiday set is named {}", quote(name));
    let own = nearest(name, known.sets.keys().map(String::as_str));
    let file = |path: &'static str| path.strip_prefix("holidays/")?.strip_suffix(".yaml");
    let shipped = || Library::shipped().filter_map(file);
    let of_file = |set: &str| format!("`include: [holidays/{set}]`");
    // Of two letters each is near to many: another country is no slip.
    let near = if name.len() > 2 { nearest(name, shipped()) } else { None };
    match (own, near) {
        _ if shipped().any(|set| set == name) => {
            report.hinted(
                Code::NoHolidays,
                at,
                message,
                format!("it is shipped: add {} to the contract", of_file(name)),
            );
        }
        (Some(near), _) => report.hinted(Code::NoHolidays, at, message, Hint::Meant(near.to_owned())),
        (None, Some(near)) => {
            let hint = format!("did you mean `{near}`? It is shipped: add {} to the contract", of_file(near));
            report.hinted(Code::NoHolidays, at, message, hint);
        }
        (None, None) => {
            let own: Vec<&str> = known.sets.keys().map(String::as_str).take(12).collect();
            let own = if own.is_empty() { String::new() } else { format!("possible here: {}. Else ", own.join(", ")) };
            let shipped: Vec<&str> = shipped().collect();
            let hint = format!(
                "{own}list its days under `holidays:`, or include a set that is shipped, like {}: {}",
                of_file("nl"),
                shipped.join(", ")
            );
            report.hinted(Code::NoHolidays, at, message, hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::yaml;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Block, Vec<String>> {
        let mut report = Report::new("t.yaml", text);
        let sets = BTreeMap::from([("nl".to_owned(), BTreeMap::new())]);
        let known =
            Known { sets: &sets, calendars: &BTreeSet::from(["office"]), zone: None, loose: false, includes: false };
        let node = yaml::tree(text, &mut report).expect("YAML");
        let block = block(&node, &known, &mut report);
        match (block, report.is_clean()) {
            (Some(block), true) => Ok(block),
            _ => Err(report.finish().iter().map(|p| p.code.to_string()).collect()),
        }
    }

    #[test]
    fn a_week_of_hours_with_breaks_holidays_and_a_worked_day() {
        let text = "zone: Europe/Amsterdam\nhours: {mon-thu: [\"09:00-12:00\", \"13:00-17:30\"], fri-sat: \"22:00-06:00\"}\nbreaks: {mon-fri: \"10:00-10:15\", 2026-12-24: \"15:00-24:00\"}\nholidays: [nl, 2026-12-25]\nworked: {2026-12-19: \"09:00-13:00\"}\n";
        let Ok(Block::Own(spec)) = read(text) else { panic!("hours of its own") };
        assert_eq!(spec.zone, Tz::Europe__Amsterdam);
        assert_eq!(spec.hours[3], [Window { from: 540, to: 720 }, Window { from: 780, to: 1050 }]);
        assert_eq!(spec.hours[5], [Window { from: 1320, to: 360 }]);
        assert!(spec.hours[6].is_empty());
        assert_eq!(spec.breaks[4], [Window { from: 600, to: 615 }]);
        assert_eq!(spec.dated_breaks.len(), 1);
        assert_eq!(spec.holidays.values().collect::<Vec<_>>(), ["holiday"]);
        assert_eq!(spec.worked.len(), 1);
    }

    #[test]
    fn a_joined_calendar_names_its_members() {
        let want = Block::Joined { any: true, zone: Tz::UTC, members: vec!["office".into()] };
        assert_eq!(read("{any: [office], zone: UTC}"), Ok(want));
    }

    #[test]
    fn a_range_may_run_round_the_week() {
        assert_eq!(day_range("sat-mon"), [5, 6, 0]);
        assert_eq!(day_range("mon-sun"), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(day_range("wed"), [2]);
        assert!(day_range("mon-").is_empty() && day_range("weekday").is_empty());
    }

    #[test]
    fn broken_calendars_say_what_is_wrong() {
        for (text, code) in [
            ("hours: {mon: \"09:00-17:00\"}", "E406"),
            ("zone: UTC", "E102"),
            ("{zone: UTC, hours: {}}", "E105"),
            ("{zone: UTC, hours: {mon: \"9:00-17:00\"}}", "E207"),
            ("{zone: UTC, hours: {mon: \"24:00-08:00\"}}", "E207"),
            ("{zone: UTC, hours: {monday: \"09:00-17:00\"}}", "E207"),
            ("{zone: UTC, hours: {mon-wed: \"09:00-17:00\", tue: \"09:00-17:00\"}}", "E308"),
            ("{zone: UTC, hours: {mon: \"09:00-17:00\"}, holidays: [2026-02-30]}", "E204"),
            ("{zone: UTC, hours: {mon: \"09:00-17:00\"}, holidays: [be]}", "E305"),
            ("{zone: UTC, hours: {mon: \"09:00-17:00\"}, worked: {2026-13-01: \"09:00-10:00\"}}", "E204"),
            ("{zone: UTC, any: [ofice]}", "E301"),
            ("{zone: UTC, any: [office], holidays: [nl]}", "E402"),
            ("{zone: UTC, any: [office], hours: {mon: \"09:00-17:00\"}}", "E402"),
            ("{zone: Europe/Amsterdm, any: [office]}", "E205"),
        ] {
            assert_eq!(read(text), Err(vec![code.to_owned()]), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_window_makes_it_panic(text in "[0-9:é-]{0,12}") {
            let _ = window(&text);
        }
    }
}
