//! The holidays that are shipped, against lists of dates written by hand from what was published.

use chrono::{Datelike, NaiveDate, Weekday};
use onus::contract::holiday_sets;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/holidays")
}

fn set(name: &str) -> BTreeMap<NaiveDate, String> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).expect("a set of holidays");
    let mut sets = holiday_sets(&text, name).expect("it loads");
    assert_eq!(sets.len(), 1, "{name}: one set a file");
    sets.remove(name).expect("it is named as its file")
}

/// The days of a year, `01-01 12-25`; those at the weekend in brackets are there as well.
fn days(set: &BTreeMap<NaiveDate, String>, year: i32) -> String {
    let of_year = set.keys().filter(|date| date.year() == year);
    let shown = of_year.map(|date| {
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        if weekend { format!("({})", date.format("%m-%d")) } else { date.format("%m-%d").to_string() }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn are(name: &str, years: &[(i32, &str)]) {
    let set = set(name);
    for (year, want) in years {
        assert_eq!(days(&set, *year), *want, "{name} {year}");
    }
}

#[test]
fn the_netherlands() {
    are(
        "nl",
        &[
            (2024, "01-01 03-29 04-01 (04-27) (05-05) 05-09 05-20 12-25 12-26"),
            (2025, "01-01 04-18 04-21 (04-26) 05-05 05-29 06-09 12-25 12-26"),
            (2026, "01-01 04-03 04-06 04-27 05-05 05-14 05-25 12-25 (12-26)"),
            (2027, "01-01 03-26 03-29 04-27 05-05 05-06 05-17 (12-25) (12-26)"),
        ],
    );
}

#[test]
fn germany() {
    are(
        "de",
        &[
            (2024, "01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26"),
            (2025, "01-01 04-18 04-21 05-01 05-29 06-09 10-03 12-25 12-26"),
            (2026, "01-01 04-03 04-06 05-01 05-14 05-25 (10-03) 12-25 (12-26)"),
            (2027, "01-01 03-26 03-29 (05-01) 05-06 05-17 (10-03) (12-25) (12-26)"),
        ],
    );
}

#[test]
fn france() {
    are(
        "fr",
        &[
            (2024, "01-01 04-01 05-01 05-08 05-09 05-20 (07-14) 08-15 11-01 11-11 12-25"),
            (2025, "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 (11-01) 11-11 12-25"),
            (2026, "01-01 04-06 05-01 05-08 05-14 05-25 07-14 (08-15) (11-01) 11-11 12-25"),
            (2027, "01-01 03-29 (05-01) 05-06 (05-08) 05-17 07-14 (08-15) 11-01 11-11 (12-25)"),
        ],
    );
}

#[test]
fn ireland() {
    are(
        "ie",
        &[
            (2024, "01-01 02-05 (03-17) 04-01 05-06 06-03 08-05 10-28 12-25 12-26"),
            (2025, "01-01 02-03 03-17 04-21 05-05 06-02 08-04 10-27 12-25 12-26"),
            (2026, "01-01 02-02 03-17 04-06 05-04 06-01 08-03 10-26 12-25 (12-26)"),
            (2027, "01-01 02-01 03-17 03-29 05-03 06-07 08-02 10-25 (12-25) (12-26)"),
        ],
    );
    // 1 February 2030 is a Friday, and St Brigid's Day itself.
    assert_eq!(days(&set("ie"), 2030).split(' ').nth(1), Some("02-01"));
}

#[test]
fn england_and_wales() {
    are(
        "gb-eaw",
        &[
            (2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
            (2025, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"),
            (2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 (12-26) 12-28"),
            (2027, "01-01 03-26 03-29 05-03 05-31 08-30 (12-25) (12-26) 12-27 12-28"),
            (2028, "(01-01) 01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26"),
        ],
    );
    let set = set("gb-eaw");
    let name = |date: &str| set[&date.parse::<NaiveDate>().expect("a date")].as_str();
    assert_eq!(name("2027-12-27"), "Christmas Day (substitute day)");
    assert_eq!(name("2027-12-28"), "Boxing Day (substitute day)");
}

#[test]
fn the_united_states() {
    are(
        "us-federal",
        &[
            (2024, "01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25"),
            (2025, "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25"),
            (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
            // Christmas Day on a Saturday, and so is New Year's Day of 2028: both the Friday before.
            (2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
            (2028, "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"),
        ],
    );
}

#[test]
fn colorado() {
    are(
        "us-co",
        &[
            (2024, "01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-07 11-11 11-28 12-25"),
            (2025, "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-06 11-11 11-27 12-25"),
            (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-05 11-11 11-26 12-25"),
            (2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-04 11-11 11-25 12-24 12-31"),
        ],
    );
}

#[test]
fn australia_and_new_south_wales() {
    are(
        "au",
        &[
            (2024, "01-01 01-26 03-29 04-01 04-25 12-25 12-26"),
            (2025, "01-01 01-27 04-18 04-21 04-25 12-25 12-26"),
            (2026, "01-01 01-26 04-03 04-06 (04-25) 12-25 (12-26) 12-28"),
        ],
    );
    are(
        "au-nsw",
        &[
            (2024, "(03-30) (03-31) 06-10 10-07"),
            (2025, "(04-19) (04-20) 06-09 10-06"),
            (2026, "(04-04) (04-05) 04-27 06-08 10-05"),
        ],
    );
}

#[test]
fn singapore() {
    are(
        "sg",
        &[
            (2024, "01-01 (02-10) (02-11) 02-12 03-29 04-10 05-01 05-22 06-17 08-09 10-31 12-25"),
            (2025, "01-01 01-29 01-30 03-31 04-18 05-01 (05-03) 05-12 (06-07) (08-09) 10-20 12-25"),
            (2026, "01-01 02-17 02-18 (03-21) 04-03 05-01 05-27 (05-31) 06-01 (08-09) 08-10 (11-08) 11-09 12-25"),
        ],
    );
}

#[test]
fn india() {
    let set = set("in-central");
    for (year, count) in [(2024, 17), (2025, 16), (2026, 17)] {
        assert_eq!(set.keys().filter(|date| date.year() == year).count(), count, "{year}");
    }
    let both: NaiveDate = "2025-10-02".parse().expect("a date");
    assert_eq!(set[&both], "Mahatma Gandhi's Birthday, Dussehra");
}

#[test]
fn poland() {
    are(
        "pl",
        &[
            (2024, "01-01 (01-06) (03-31) 04-01 05-01 05-03 (05-19) 05-30 08-15 11-01 11-11 12-25 12-26"),
            (2025, "01-01 01-06 (04-20) 04-21 05-01 (05-03) (06-08) 06-19 08-15 (11-01) 11-11 12-24 12-25 12-26"),
            (2026, "01-01 01-06 (04-05) 04-06 05-01 (05-03) (05-24) 06-04 (08-15) (11-01) 11-11 12-24 12-25 (12-26)"),
            (2027, "01-01 01-06 (03-28) 03-29 (05-01) 05-03 (05-16) 05-27 (08-15) 11-01 11-11 12-24 (12-25) (12-26)"),
        ],
    );
}

#[test]
fn spain() {
    are(
        "es",
        &[
            (2024, "01-01 (01-06) 03-29 05-01 08-15 (10-12) 11-01 12-06 (12-08) 12-25"),
            (2025, "01-01 01-06 04-18 05-01 08-15 (10-12) (11-01) (12-06) 12-08 12-25"),
            (2026, "01-01 01-06 04-03 05-01 (08-15) 10-12 (11-01) (12-06) 12-08 12-25"),
            (2027, "01-01 01-06 03-26 (05-01) (08-15) 10-12 11-01 12-06 12-08 (12-25)"),
        ],
    );
}

#[test]
fn target() {
    are(
        "eu-target",
        &[
            (2024, "01-01 03-29 04-01 05-01 12-25 12-26"),
            (2025, "01-01 04-18 04-21 05-01 12-25 12-26"),
            (2026, "01-01 04-03 04-06 05-01 12-25 (12-26)"),
            (2027, "01-01 03-26 03-29 (05-01) (12-25) (12-26)"),
        ],
    );
}

#[test]
fn every_set_that_is_shipped_has_its_list_here() {
    let here = include_str!("holidays.rs");
    for entry in std::fs::read_dir(folder()).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        assert!(here.contains(&format!("\"{name}\"")), "{name}");
        assert!(!set(&name).is_empty());
    }
}
