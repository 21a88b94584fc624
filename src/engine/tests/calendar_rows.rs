//! The contested cases of working time, one claim a test.
#![allow(clippy::unwrap_used, missing_docs)]

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

// Arithmetic

#[test]
fn work_that_ends_with_the_day_is_due_at_the_close_not_at_the_next_opening() {
    assert_eq!(office().add(at("2026-01-05T15:00:00Z"), HOUR), Some(at("2026-01-05T16:00:00Z")));
    assert_eq!(office().add(at("2026-01-05T15:00:00Z"), HOUR + 1), Some(at("2026-01-06T08:00:00.001Z")));
}

#[test]
fn with_nothing_left_it_is_due_now_or_at_the_next_opening() {
    assert_eq!(office().add(at("2026-01-05T12:00:00Z"), 0), Some(at("2026-01-05T12:00:00Z")));
    assert_eq!(office().add(at("2026-01-05T16:00:00Z"), 0), Some(at("2026-01-06T08:00:00Z")));
    assert_eq!(office().add(at("2026-01-09T16:00:00Z"), 0), Some(at("2026-01-12T08:00:00Z")));
}

#[test]
fn subtracting_nothing_rolls_back_to_the_last_close() {
    assert_eq!(office().sub(at("2026-01-05T12:00:00Z"), 0), Some(at("2026-01-05T12:00:00Z")));
    assert_eq!(office().sub(at("2026-01-05T16:00:00Z"), 0), Some(at("2026-01-05T16:00:00Z")));
    assert_eq!(office().sub(at("2026-01-06T08:00:00Z"), 0), Some(at("2026-01-06T08:00:00Z")));
    assert_eq!(office().sub(at("2026-01-06T07:59:59.999Z"), 0), Some(at("2026-01-05T16:00:00Z")));
}

#[test]
fn subtracting_a_whole_day_leads_to_its_opening_not_to_the_close_before() {
    assert_eq!(office().sub(at("2026-01-06T16:00:00Z"), 8 * HOUR), Some(at("2026-01-06T08:00:00Z")));
    assert_eq!(office().sub(at("2026-01-06T16:00:00Z"), 8 * HOUR + 1), Some(at("2026-01-05T15:59:59.999Z")));
}

#[test]
fn a_warning_before_the_deadline_is_counted_in_business_time_across_the_night() {
    assert_eq!(office().sub(at("2026-01-06T08:30:00Z"), HOUR), Some(at("2026-01-05T15:30:00Z")));
}

#[test]
fn adding_less_than_nothing_is_subtracting() {
    let t = at("2026-01-06T12:34:56.789Z");
    assert_eq!(office().add(t, -20 * HOUR), office().sub(t, 20 * HOUR));
    assert_eq!(office().sub(t, -20 * HOUR), office().add(t, 20 * HOUR));
}

#[test]
fn between_is_signed_and_counts_only_open_time() {
    let (friday, monday) = (at("2026-01-09T15:00:00Z"), at("2026-01-12T09:30:00Z"));
    assert_eq!(office().between(friday, monday), 2 * HOUR + 30 * MINUTE);
    assert_eq!(office().between(monday, friday), -(2 * HOUR + 30 * MINUTE));
}

#[test]
fn the_closing_instant_is_closed_and_the_opening_instant_open() {
    assert!(office().is_open(at("2026-01-05T08:00:00Z")));
    assert!(office().is_open(at("2026-01-05T15:59:59.999Z")));
    assert!(!office().is_open(at("2026-01-05T16:00:00Z")));
    assert!(!office().is_open(at("2026-01-05T07:59:59.999Z")));
}

#[test]
fn nine_to_five_is_nine_to_five_in_january_and_in_july() {
    assert_eq!(office().add(at("2026-01-14T00:00:00Z"), 0), Some(at("2026-01-14T08:00:00Z")));
    assert_eq!(office().add(at("2026-07-15T00:00:00Z"), 0), Some(at("2026-07-15T07:00:00Z")));
}

// Windows

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

// Clock changes

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

// Holidays, worked days, breaks: who beats whom

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

// Joined calendars and versions

#[test]
fn any_is_open_when_one_is_and_all_when_each_is() {
    let london = Calendar::new(spec(chrono_tz::Europe::London, "09:00-17:00", ""));
    let york = Calendar::new(spec(NEW_YORK, "09:00-17:00", ""));
    let any = Calendar::any(AMSTERDAM, vec![london.clone(), york.clone()]);
    let all = Calendar::all(AMSTERDAM, vec![london, york]);
    let (a, b) = ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    assert_eq!(shown(&any, a, b), ["2026-01-05T09:00 2026-01-05T22:00"]);
    assert_eq!(shown(&all, a, b), ["2026-01-05T14:00 2026-01-05T17:00"]);
}

#[test]
fn each_version_rules_from_its_instant_and_the_first_before_too() {
    let late = Calendar::new(spec(AMSTERDAM, "12:00-20:00", ""));
    let versions = Calendar::versions(vec![(at("2026-01-06T14:00:00Z"), late), (at("2026-01-01T00:00:00Z"), office())]);
    assert_eq!(
        shown(&versions, "2026-01-06T00:00:00Z", "2026-01-08T00:00:00Z"),
        ["2026-01-06T08:00 2026-01-06T19:00", "2026-01-07T11:00 2026-01-07T19:00"]
    );
    assert!(versions.is_open(at("2025-12-31T08:30:00Z")));
    assert_eq!(versions.close_of(date("2026-01-06")), Some(at("2026-01-06T16:00:00Z")), "the day began under the old");
    assert_eq!(versions.close_of(date("2026-01-07")), Some(at("2026-01-07T19:00:00Z")));
}

#[test]
fn what_is_never_closed_is_known_to_be() {
    let always = Calendar::always(AMSTERDAM);
    assert!(Calendar::any(AMSTERDAM, vec![office(), always.clone()]).is_always());
    assert!(!Calendar::all(AMSTERDAM, vec![office(), always.clone()]).is_always());
    assert!(Calendar::versions(vec![(Moment(0), always)]).is_always());
    assert!(Calendar::new(daily(APIA, "00:00-24:00")).is_always());
    assert!(!Calendar::new(holiday(daily(APIA, "00:00-24:00"), "2026-01-01", "New Year")).is_always());
    assert!(!Calendar::any(AMSTERDAM, Vec::new()).is_always());
}

// Working days

#[test]
fn the_nth_working_day_skips_weekends_and_holidays() {
    let calendar = Calendar::new(holiday(spec(AMSTERDAM, "09:00-17:00", ""), "2026-01-12", "Holiday"));
    let friday = at("2026-01-09T22:30:00Z");
    assert_eq!(calendar.working_day(friday, 1), Some(date("2026-01-13")));
    assert_eq!(calendar.working_day(friday, 3), Some(date("2026-01-15")));
    assert_eq!(calendar.working_day(friday, -1), Some(date("2026-01-08")));
    // 23:30 in UTC is already Saturday in Amsterdam.
    assert_eq!(calendar.working_day(at("2026-01-09T23:30:00Z"), -1), Some(date("2026-01-09")));
}

#[test]
fn a_night_shift_belongs_to_the_day_on_which_it_starts() {
    let night = Calendar::new(spec(AMSTERDAM, "22:00-06:00", ""));
    assert_eq!(night.close_of(date("2026-01-05")), Some(at("2026-01-06T05:00:00Z")));
    assert_eq!(night.close_of(date("2026-01-09")), Some(at("2026-01-10T05:00:00Z")), "Friday's ends on Saturday");
    assert_eq!(night.close_of(date("2026-01-10")), None, "and makes Saturday no working day");
}

#[test]
fn a_holiday_is_never_a_working_day() {
    let night = Calendar::new(holiday(daily(AMSTERDAM, "22:00-06:00"), "2026-01-06", "Epiphany"));
    assert_eq!(night.close_of(date("2026-01-05")), Some(at("2026-01-05T23:00:00Z")), "cut short at midnight");
    assert_eq!(night.close_of(date("2026-01-06")), None);
}

#[test]
fn a_joined_calendar_closes_within_its_own_local_day() {
    let night = Calendar::new(spec(AMSTERDAM, "22:00-06:00", ""));
    let joined = Calendar::any(AMSTERDAM, vec![night, office()]);
    assert_eq!(joined.close_of(date("2026-01-05")), Some(at("2026-01-05T23:00:00Z")));
    assert_eq!(joined.close_of(date("2026-01-10")), Some(at("2026-01-10T05:00:00Z")));
    assert_eq!(joined.close_of(date("2026-01-11")), None);
    assert_eq!(Calendar::always(AMSTERDAM).close_of(date("2026-01-11")), Some(at("2026-01-11T23:00:00Z")));
}

// Explaining

#[test]
fn each_stretch_says_why_it_does_not_count() {
    let mut spec = holiday(spec(AMSTERDAM, "09:00-17:00", ""), "2026-01-06", "Epiphany");
    spec.breaks[0] = windows("12:00-13:00 20:00-21:00");
    spec.breaks[1] = windows("12:00-13:00");
    let calendar = Calendar::new(spec);
    let (a, b) = (at("2026-01-05T07:00:00Z"), at("2026-01-07T08:30:00Z"));
    let told: Vec<(Millis, Option<Closed>)> =
        calendar.stretches(a, b).into_iter().map(|s| ((s.to - s.from) / MINUTE, s.closed)).collect();
    assert_eq!(
        told,
        [
            (60, Some(Closed::Outside)),
            (180, None),
            (60, Some(Closed::Break)),
            (240, None),
            (7 * 60, Some(Closed::Outside)),
            (24 * 60, Some(Closed::Holiday("Epiphany".into()))),
            (9 * 60, Some(Closed::Outside)),
            (30, None),
        ]
    );
}

#[test]
fn two_holidays_in_a_row_are_told_apart_by_name() {
    let spec = holiday(spec(AMSTERDAM, "09:00-17:00", ""), "2026-12-25", "Christmas");
    let calendar = Calendar::new(holiday(spec, "2026-12-26", "Boxing Day"));
    let told: Vec<Option<Closed>> = calendar
        .stretches(at("2026-12-25T00:00:00Z"), at("2026-12-26T12:00:00Z"))
        .into_iter()
        .map(|s| s.closed)
        .collect();
    assert_eq!(told, [Some(Closed::Holiday("Christmas".into())), Some(Closed::Holiday("Boxing Day".into()))]);
}

#[test]
fn a_joined_calendar_names_the_holiday_that_closed_it() {
    let london =
        Calendar::new(holiday(spec(chrono_tz::Europe::London, "09:00-17:00", ""), "2026-01-06", "Bank Holiday"));
    let both = Calendar::all(AMSTERDAM, vec![office(), london]);
    let told = both.stretches(at("2026-01-06T09:30:00Z"), at("2026-01-06T15:00:00Z"));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].closed, Some(Closed::Holiday("Bank Holiday".into())));
}

// The edges of time

#[test]
fn no_opening_within_400_days_is_no_answer() {
    let mut spec = spec(AMSTERDAM, "", "");
    spec.worked.insert(date("2026-01-05"), windows("09:00-17:00"));
    spec.worked.insert(date("2027-03-01"), windows("09:00-17:00"));
    let calendar = Calendar::new(spec);
    let opening = at("2027-03-01T08:00:00Z");
    assert_eq!(calendar.add(opening + -400 * DAY, 0), Some(opening));
    assert_eq!(calendar.add(opening + -(400 * DAY + 1), 0), None);
    assert_eq!(calendar.add(at("2026-01-05T08:00:00Z"), 8 * HOUR), Some(at("2026-01-05T16:00:00Z")));
    assert_eq!(calendar.add(at("2026-01-05T08:00:00Z"), 8 * HOUR + 1), None);
    assert_eq!(calendar.sub(opening + HOUR, HOUR), Some(opening));
    assert_eq!(calendar.sub(opening + HOUR, HOUR + 1), None);
    assert_eq!(calendar.sub(at("2026-01-05T16:00:00Z") + 400 * DAY, 0), Some(at("2026-01-05T16:00:00Z")));
    assert_eq!(calendar.sub(at("2026-01-05T16:00:00Z") + (400 * DAY + 1), 0), None);
    assert_eq!(calendar.between(Moment(0), at("2030-01-01T00:00:00Z")), 16 * HOUR);
    assert_eq!(calendar.working_day(at("2026-01-05T08:00:00Z"), 1), None);
}

#[test]
fn a_calendar_that_never_opens_answers_none() {
    let never = Calendar::any(AMSTERDAM, Vec::new());
    assert_eq!(never.add(Moment(0), 1), None);
    assert_eq!(never.sub(Moment(0), 0), None);
    assert_eq!(never.working_day(Moment(0), 1), None);
    assert_eq!(never.between(Moment::DAWN, Moment::NEVER), 0);
}

#[test]
fn the_ends_of_time_are_no_place_to_panic() {
    let night = Calendar::new(daily(AMSTERDAM, "22:00-06:00"));
    let versions = Calendar::versions(vec![(Moment::DAWN, office()), (Moment::NEVER, night.clone())]);
    let edges = [i64::MIN, i64::MIN + 1, -62_135_596_800_000, 253_402_300_799_999, i64::MAX - 1, i64::MAX];
    for calendar in [office(), night, versions, Calendar::always(APIA), Calendar::all(APIA, Vec::new())] {
        for t in edges.map(Moment) {
            for d in [i64::MIN, -HOUR, 0, HOUR, i64::MAX] {
                let _ = (calendar.add(t, d), calendar.sub(t, d));
            }
            let _ = (calendar.is_open(t), calendar.stretches(t, t + SECOND), calendar.intervals(t, t + DAY));
            let _ = (calendar.working_day(t, 5), calendar.working_day(t, -5), local(APIA, t));
        }
        for day in [NaiveDate::MIN, NaiveDate::MAX, date("0001-01-01"), date("9999-12-31")] {
            let _ = (calendar.close_of(day), instant(APIA, day, 0), instant(APIA, day, u16::MAX));
        }
        assert_eq!(calendar.working_day(Moment(0), i32::MAX), None);
    }
    let (a, b) = (at("0001-01-01T00:00:00Z"), at("9999-12-31T23:59:59Z"));
    assert_eq!(
        office().add(a, 0),
        Some(at("0001-01-01T08:42:30Z")),
        "local mean time, which Amsterdam's table takes from Brussels"
    );
    assert_eq!(office().sub(b, 0), Some(at("9999-12-31T16:00:00Z")));
    assert_eq!(office().between(Moment::NEVER, Moment::DAWN), -office().between(Moment::DAWN, Moment::NEVER));
    assert_eq!(office().add(Moment::NEVER, 0), None);
    assert_eq!(Calendar::always(APIA).between(Moment::DAWN, Moment::NEVER), i64::MAX);
    assert_eq!(Calendar::always(APIA).add(Moment::NEVER, 1), None);
}
