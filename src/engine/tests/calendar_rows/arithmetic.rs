//! Adding, subtracting, measuring.

use super::*;

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
fn an_empty_range_holds_nothing() {
    let (noon, one) = (at("2026-01-05T12:00:00Z"), at("2026-01-05T13:00:00Z"));
    for calendar in [office(), Calendar::always(AMSTERDAM)] {
        assert_eq!(calendar.intervals(noon, noon), []);
        assert_eq!(calendar.intervals(one, noon), []);
        assert_eq!(calendar.stretches(noon, noon), []);
        assert_eq!(calendar.between(noon, noon), 0);
    }
}

#[test]
fn nine_to_five_is_nine_to_five_in_january_and_in_july() {
    assert_eq!(office().add(at("2026-01-14T00:00:00Z"), 0), Some(at("2026-01-14T08:00:00Z")));
    assert_eq!(office().add(at("2026-07-15T00:00:00Z"), 0), Some(at("2026-07-15T07:00:00Z")));
}
