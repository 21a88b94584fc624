//! Days of 23 and 25 hours, midnights and dates that do not exist.

use super::*;

#[test]
fn a_skipped_boundary_takes_the_offset_before_the_gap() {
    assert_eq!(instant(AMSTERDAM, date("2026-03-29"), 2 * 60 + 30), at("2026-03-29T01:30:00Z"));
    assert_eq!(local(AMSTERDAM, at("2026-03-29T01:30:00Z")), "2026-03-29T03:30:00".parse().unwrap());
    let calendar = Calendar::new(daily(AMSTERDAM, "02:30-05:00"));
    let day = shown(&calendar, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z");
    assert_eq!(day, ["2026-03-29T01:30 2026-03-29T03:00"]);
}

#[test]
fn a_repeated_boundary_takes_the_first() {
    assert_eq!(instant(AMSTERDAM, date("2026-10-25"), 2 * 60 + 30), at("2026-10-25T00:30:00Z"));
    let calendar = Calendar::new(daily(AMSTERDAM, "02:30-05:00"));
    let day = shown(&calendar, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z");
    assert_eq!(
        day,
        ["2026-10-25T00:30 2026-10-25T04:00"],
        "two and a half hours by the wall, three and a half elapsed"
    );
}

#[test]
fn an_early_opening_is_not_split_in_two_at_fall_back() {
    let calendar = Calendar::new(daily(NEW_YORK, "01:30-05:00"));
    let day = shown(&calendar, "2026-11-01T04:00:00Z", "2026-11-02T04:00:00Z");
    assert_eq!(day, ["2026-11-01T05:30 2026-11-01T10:00"]);
}

#[test]
fn an_opening_that_spring_swallows_is_dropped() {
    // 02:30 becomes 03:30, past the end.
    let calendar = Calendar::new(daily(AMSTERDAM, "02:30-03:00"));
    assert!(shown(&calendar, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z").is_empty());
}

#[test]
fn an_opening_inside_the_gap_moves_behind_it() {
    let calendar = Calendar::new(daily(AMSTERDAM, "02:15-02:45"));
    let day = shown(&calendar, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
    assert_eq!(day, ["2026-03-29T01:15 2026-03-29T01:45"]);
}

#[test]
fn a_sunday_has_23_or_25_hours_when_the_clock_changes() {
    let mut spec = spec(AMSTERDAM, "", "00:00-24:00");
    spec.hours[5].clear();
    let sundays = Calendar::new(spec);
    assert_eq!(sundays.between(at("2026-03-28T00:00:00Z"), at("2026-03-31T00:00:00Z")), 23 * HOUR);
    assert_eq!(sundays.between(at("2026-10-24T00:00:00Z"), at("2026-10-27T00:00:00Z")), 25 * HOUR);
}

#[test]
fn around_the_clock_counts_every_hour_of_a_day_of_25() {
    let (a, b) = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
    assert_eq!(Calendar::always(AMSTERDAM).between(a, b), 25 * HOUR);
    assert_eq!(Calendar::new(daily(AMSTERDAM, "00:00-24:00")).between(a, b), 25 * HOUR);
}

#[test]
fn adding_an_hour_at_fall_back_moves_on_by_an_hour() {
    let calendar = Calendar::new(daily(NEW_YORK, "00:00-05:00"));
    for minute in 0..180 {
        let t = at("2026-11-01T04:00:00Z") + minute * MINUTE;
        assert_eq!(calendar.add(t, HOUR), Some(t + HOUR));
    }
}

#[test]
fn a_half_hour_change_moves_the_opening_by_half_an_hour() {
    let calendar = Calendar::new(daily(chrono_tz::Australia::Lord_Howe, "09:00-17:00"));
    let open = calendar.intervals(at("2026-04-03T12:00:00Z"), at("2026-04-05T12:00:00Z"));
    assert_eq!(open[0].0, at("2026-04-03T22:00:00Z"));
    assert_eq!(open[1].0, at("2026-04-04T22:30:00Z"));
}

#[test]
fn midnight_that_does_not_exist_starts_the_day_at_one() {
    let zone = chrono_tz::America::Sao_Paulo;
    assert_eq!(instant(zone, date("2018-11-04"), 0), at("2018-11-04T03:00:00Z"));
    let calendar = Calendar::new(daily(zone, "00:00-06:00"));
    assert_eq!(calendar.between(at("2018-11-04T00:00:00Z"), at("2018-11-04T12:00:00Z")), 5 * HOUR);
}

#[test]
fn a_local_date_that_does_not_exist_has_no_openings() {
    let calendar = Calendar::new(daily(APIA, "09:00-17:00"));
    assert_eq!(
        shown(&calendar, "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z"),
        ["2011-12-29T19:00 2011-12-30T03:00", "2011-12-30T19:00 2011-12-31T03:00"],
        "the shift of Friday the 30th is not moved to Saturday"
    );
    let night = Calendar::new(daily(APIA, "20:00-22:00"));
    assert_eq!(night.close_of(date("2011-12-30")), None);
    assert_eq!(night.working_day(at("2011-12-30T00:00:00Z"), 1), Some(date("2011-12-31")));
}
