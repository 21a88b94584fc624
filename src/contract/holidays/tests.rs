//! What loads, what does not, and what the rules that are shipped come to.

use super::*;
use crate::contract::yaml;

fn read(text: &str) -> Result<Days, Vec<String>> {
    let mut report = Report::new("t.yaml", text);
    let node = yaml::tree(text, &mut report).expect("YAML");
    match (set(&node, &mut report), report.is_clean()) {
        (Some(days), true) => Ok(days),
        _ => Err(report.finish().iter().map(|p| p.code.to_string()).collect()),
    }
}

fn of(rule: &str) -> Result<Vec<String>, Vec<String>> {
    let days = read(&format!("covers: 2024-2026\nsource: a law\ndays: [{rule}]"))?;
    Ok(days.keys().map(ToString::to_string).collect())
}

#[test]
fn each_kind_of_rule_comes_to_its_dates() {
    for (rule, want) in [
        ("{name: a, on: 27 April}", ["2024-04-27", "2025-04-27", "2026-04-27"]),
        ("{name: a, on: 27 April, moved: {sun: day before}}", ["2024-04-27", "2025-04-26", "2026-04-27"]),
        ("{name: a, easter: -2}", ["2024-03-29", "2025-04-18", "2026-04-03"]),
        ("{name: a, easter: 39}", ["2024-05-09", "2025-05-29", "2026-05-14"]),
        ("{name: a, easter: 0}", ["2024-03-31", "2025-04-20", "2026-04-05"]),
        ("{name: a, orthodox-easter: +1}", ["2024-05-06", "2025-04-21", "2026-04-13"]),
        ("{name: a, nth: 1, weekday: mon, month: May}", ["2024-05-06", "2025-05-05", "2026-05-04"]),
        ("{name: a, nth: last, weekday: mon, month: May}", ["2024-05-27", "2025-05-26", "2026-05-25"]),
        ("{name: a, nth: 4, weekday: thu, month: November}", ["2024-11-28", "2025-11-27", "2026-11-26"]),
        ("{name: a, on: [2024-01-01, 2025-06-09, 2026-01-01]}", ["2024-01-01", "2025-06-09", "2026-01-01"]),
        // The Monday on or before 24 May.
        ("{name: a, on: 24 May, moved: {tue-sun: previous mon}}", ["2024-05-20", "2025-05-19", "2026-05-18"]),
        // The first Monday of February, or the first if that is a Friday.
        (
            "{name: a, on: 1 February, moved: {tue-thu: next mon, sat-sun: next mon}}",
            ["2024-02-05", "2025-02-03", "2026-02-02"],
        ),
    ] {
        assert_eq!(of(rule).as_deref(), Ok(want.map(str::to_owned).as_slice()), "{rule}");
    }
    let fewer = "{name: a, on: 1 May}, {name: b, on: 24 December, years: 2025-2026}, 2024-05-05";
    let want = ["2024-05-01", "2024-05-05", "2025-05-01", "2025-12-24", "2026-05-01", "2026-12-24"];
    assert_eq!(of(fewer).as_deref(), Ok(want.map(str::to_owned).as_slice()));
}

#[test]
fn a_day_that_stays_is_closed_beside_its_substitute() {
    let days =
        read("covers: 2026\nsource: s\ndays: [{name: Boxing Day, on: 26 December, also: {sat-sun: next weekday}}]");
    let want = [("2026-12-26", "Boxing Day"), ("2026-12-28", "Boxing Day (substitute day)")];
    let want = want.map(|(date, name)| (date.parse().expect("a date"), name.to_owned()));
    assert_eq!(days, Ok(BTreeMap::from(want)));
}

#[test]
fn two_holidays_on_one_day_have_both_names() {
    let text = "covers: 2025\nsource: s\ndays: [{name: a, on: 2 October}, {name: b, on: 2025-10-02}]";
    assert_eq!(read(text).map(|days| days.into_values().collect()), Ok(vec!["a, b".to_owned()]));
}

#[test]
fn broken_sets_say_what_is_wrong() {
    for (rule, code) in [
        ("{on: 1 May}", "E102"),
        ("{name: a}", "E102"),
        ("{name: a, weekday: mon, month: May}", "E102"),
        ("{name: a, on: 1 May, easter: 1}", "E402"),
        ("{name: a, on: 1 May, weekday: mon}", "E402"),
        ("{name: a, on: 31 April}", "E204"),
        ("{name: a, on: 29 February}", "E204"),
        ("{name: a, on: 1 Mai}", "E204"),
        ("{name: a, on: May 1}", "E204"),
        ("{name: a, on: 2026-02-30}", "E204"),
        ("{name: a, easter: Friday}", "E209"),
        ("{name: a, easter: 200}", "E209"),
        ("{name: a, easter: -+2}", "E209"),
        ("{name: a, nth: 5, weekday: mon, month: May}", "E107"),
        ("{name: a, nth: 1, weekday: monday, month: May}", "E107"),
        ("{name: a, nth: 1, weekday: mon, month: may}", "E107"),
        ("{name: a, on: 1 May, moved: {sunday: day before}}", "E207"),
        ("{name: a, on: 1 May, moved: {sun: monday}}", "E107"),
        ("{name: a, on: 1 May, moved: {sat-sun: day after, sun: day before}}", "E308"),
        ("{name: a, on: 1 May, moved: {sun: day after}, also: {sat: day before}}", "E402"),
        ("{name: a, on: 1 May, years: 2020-2024}", "E420"),
        ("{name: a, on: 2024-05-01, years: 2024}", "E402"),
        ("{name: a, on: [2024-05-01, 2027-05-01]}", "E420"),
        ("{name: a, on: [2024-05-01, 2026-05-01]}", "E420"),
        ("2023-05-01", "E420"),
        ("{name: a, on: 1 May, at: 1 May}", "E101"),
    ] {
        let found = of(rule).expect_err(rule);
        assert_eq!(found.first().map(String::as_str), Some(code), "{rule}: {found:?}");
    }
    for (text, code) in [
        ("{covers: 2024, days: [{name: a, on: 1 May}]}", "E102"),
        ("{source: s, days: [{name: a, on: 1 May}]}", "E102"),
        ("{covers: 2024, source: s}", "E102"),
        ("{covers: 2026-2024, source: s, days: [{name: a, on: 1 May}]}", "E204"),
        ("{covers: always, source: s, days: [{name: a, on: 1 May}]}", "E204"),
        ("{covers: 2024-2026, source: s, days: []}", "E105"),
        ("{2024-05-01: a, covers: 2024}", "E101"),
    ] {
        let found = read(text).expect_err(text);
        assert!(found.iter().any(|found| found == code), "{text}: {found:?}");
    }
}
