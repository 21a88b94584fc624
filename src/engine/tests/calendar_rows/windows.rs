//! Windows, breaks, holidays and worked days: who beats whom.

use super::*;

#[test]
fn twenty_four_hundred_closes_no_minute_of_the_night() {
    let whole = Calendar::new(daily(AMSTERDAM, "00:00-24:00"));
    let but_a_minute = Calendar::new(daily(AMSTERDAM, "00:00-23:59"));
    let (a, b) = (at("2026-01-05T12:00:00Z"), at("2026-01-07T12:00:00Z"));
    assert_eq!(whole.between(a, b), 2 * DAY);
    assert_eq!(but_a_minute.between(a, b), 2 * DAY - 2 * MINUTE);
}

#[test]
fn days_that_touch_at_midnight_are_one_interval() {
    let calendar = Calendar::new(spec(AMSTERDAM, "00:00-24:00", ""));
    assert_eq!(
        shown(&calendar, "2026-01-01T00:00:00Z", "2026-01-12T00:00:00Z"),
        ["2026-01-01T00:00 2026-01-02T23:00", "2026-01-04T23:00 2026-01-09T23:00", "2026-01-11T23:00 2026-01-12T00:00"]
    );
}

#[test]
fn a_window_that_ends_where_it_starts_or_before_ends_the_next_day() {
    let night = Calendar::new(spec(AMSTERDAM, "22:00-06:00", ""));
    assert_eq!(
        shown(&night, "2026-01-09T12:00:00Z", "2026-01-13T00:00:00Z"),
        ["2026-01-09T21:00 2026-01-10T05:00", "2026-01-12T21:00 2026-01-13T00:00"]
    );
    let round = Calendar::new(spec(AMSTERDAM, "08:00-08:00", ""));
    assert_eq!(round.between(at("2026-01-05T00:00:00Z"), at("2026-01-12T00:00:00Z")), 5 * DAY);
}

#[test]
fn overlapping_windows_count_once() {
    let calendar = Calendar::new(spec(AMSTERDAM, "09:00-13:00 12:00-17:00 10:00-11:00", ""));
    assert_eq!(calendar.between(at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z")), 8 * HOUR);
}

#[test]
fn several_windows_a_day_leave_lunch_out() {
    let calendar = Calendar::new(spec(AMSTERDAM, "09:00-12:00 13:00-17:00", ""));
    assert_eq!(calendar.add(at("2026-01-05T10:30:00Z"), HOUR), Some(at("2026-01-05T12:30:00Z")));
}

#[test]
fn a_break_is_taken_out_of_the_hours() {
    let mut spec = spec(AMSTERDAM, "09:00-17:00", "");
    spec.breaks[0] = windows("12:00-13:00");
    spec.dated_breaks.insert(date("2026-01-06"), windows("16:00-17:00"));
    let calendar = Calendar::new(spec);
    assert_eq!(calendar.between(at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z")), 7 * HOUR);
    assert_eq!(calendar.close_of(date("2026-01-06")), Some(at("2026-01-06T15:00:00Z")));
}

#[test]
fn a_holiday_closes_its_local_day_whichever_shift_runs_into_it() {
    let night = Calendar::new(holiday(daily(AMSTERDAM, "22:00-06:00"), "2026-01-06", "Epiphany"));
    assert_eq!(
        shown(&night, "2026-01-05T12:00:00Z", "2026-01-07T12:00:00Z"),
        ["2026-01-05T21:00 2026-01-05T23:00", "2026-01-06T23:00 2026-01-07T05:00"]
    );
}

#[test]
fn a_worked_saturday_replaces_the_hours_of_its_date() {
    let mut spec = spec(AMSTERDAM, "09:00-17:00", "");
    spec.worked.insert(date("2026-01-10"), windows("10:00-12:00"));
    spec.worked.insert(date("2026-01-12"), Vec::new());
    let calendar = Calendar::new(spec);
    assert_eq!(calendar.add(at("2026-01-09T16:00:00Z"), HOUR), Some(at("2026-01-10T10:00:00Z")));
    assert_eq!(calendar.add(at("2026-01-10T11:00:00Z"), 0), Some(at("2026-01-13T08:00:00Z")));
}

#[test]
fn a_holiday_beats_a_worked_date_and_a_break_beats_both() {
    let mut spec = holiday(spec(AMSTERDAM, "09:00-17:00", ""), "2026-01-10", "Holiday");
    spec.worked.insert(date("2026-01-10"), windows("09:00-17:00"));
    spec.worked.insert(date("2026-01-11"), windows("09:00-17:00"));
    spec.dated_breaks.insert(date("2026-01-11"), windows("09:00-16:00"));
    let calendar = Calendar::new(spec);
    let weekend = shown(&calendar, "2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z");
    assert_eq!(weekend, ["2026-01-11T15:00 2026-01-11T16:00"]);
}

#[test]
fn adding_a_holiday_moves_the_deadline_out() {
    let with = Calendar::new(holiday(spec(AMSTERDAM, "09:00-17:00", ""), "2026-01-06", "Holiday"));
    let t = at("2026-01-05T15:00:00Z");
    assert_eq!(office().add(t, 2 * HOUR), Some(at("2026-01-06T09:00:00Z")));
    assert_eq!(with.add(t, 2 * HOUR), Some(at("2026-01-07T09:00:00Z")));
}
