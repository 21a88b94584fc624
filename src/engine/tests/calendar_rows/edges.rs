//! Where a search ends, and where time does.

use super::*;

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
fn a_gap_of_400_days_may_lie_anywhere_in_the_search() {
    // Early enough, and late enough, not to meet the seam between two pages of the engine.
    for (first, second) in [("2022-06-06", "2023-08-01"), ("2026-01-05", "2027-03-01")] {
        let mut spec = spec(AMSTERDAM, "", "");
        for day in [date(first), date(first).succ_opt().unwrap(), date(second), date(second).succ_opt().unwrap()] {
            spec.worked.insert(day, windows("09:00-17:00"));
        }
        let calendar = Calendar::new(spec);
        let (start, end) = (instant(AMSTERDAM, date(first), 0), instant(AMSTERDAM, date(second), 3 * 1440));
        let close = instant(AMSTERDAM, date(first), 1440 + 17 * 60);
        assert_eq!(calendar.add(start, 16 * HOUR), Some(close));
        assert_eq!(calendar.add(start, 16 * HOUR + 1), None);
        assert_eq!(calendar.add(start, 40 * HOUR), None);
        assert_eq!(calendar.sub(end, 16 * HOUR), Some(instant(AMSTERDAM, date(second), 9 * 60)));
        assert_eq!(calendar.sub(end, 16 * HOUR + 1), None);
        assert_eq!(calendar.sub(end, 40 * HOUR), None);
    }
}

#[test]
fn a_deadline_may_lie_decades_away_while_the_calendar_opens_now_and_then() {
    let t = at("2001-05-01T12:00:00Z");
    for years in [1, 5, 30, 150] {
        let d = years * 250 * 8 * HOUR;
        let due = office().add(t, d).unwrap();
        assert_eq!(office().between(t, due), d);
        assert_eq!(office().sub(due, d), Some(t));
    }
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
