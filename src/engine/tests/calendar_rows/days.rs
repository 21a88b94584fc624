//! Working days, and why time does not count.

use super::*;

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
fn today_is_told_by_the_zone_of_the_version_that_rules() {
    let moved = Calendar::new(spec(NEW_YORK, "09:00-17:00", ""));
    let versions = Calendar::versions(vec![(Moment(0), office()), (at("2026-06-01T00:00:00Z"), moved)]);
    // Tuesday in Amsterdam, still Monday in New York.
    assert_eq!(versions.working_day(at("2026-01-06T02:00:00Z"), 1), Some(date("2026-01-07")));
    assert_eq!(versions.working_day(at("2026-07-07T02:00:00Z"), 1), Some(date("2026-07-07")));
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
fn a_break_is_the_reason_where_without_it_a_joined_calendar_would_be_open() {
    let mut lunch = spec(AMSTERDAM, "09:00-17:00", "");
    lunch.breaks[0] = windows("12:00-13:00");
    let (lunch, night) = (Calendar::new(lunch), Calendar::new(spec(AMSTERDAM, "22:00-06:00", "")));
    let noon = at("2026-01-05T11:30:00Z");
    let why = |calendar: Calendar| calendar.stretches(noon, noon + 1)[0].closed.clone();
    assert_eq!(why(Calendar::any(AMSTERDAM, vec![lunch.clone(), night.clone()])), Some(Closed::Break));
    assert_eq!(why(Calendar::all(AMSTERDAM, vec![lunch.clone(), office()])), Some(Closed::Break));
    assert_eq!(why(Calendar::all(AMSTERDAM, vec![lunch, night])), Some(Closed::Outside));
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
