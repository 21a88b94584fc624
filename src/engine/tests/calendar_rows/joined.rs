//! Calendars made of others.

use super::*;

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
