//! Arbitrary calendars and instants: no panic, and the laws of working time hold.
#![no_main]

use chrono::{Days, NaiveDate};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use onus_engine::calendar::{Calendar, Spec, Window};
use onus_engine::time::Moment;
use std::collections::BTreeMap;

#[derive(Arbitrary, Debug)]
struct Input {
    zone: u16,
    hours: [Vec<(u16, u16)>; 7],
    breaks: [Vec<(u16, u16)>; 7],
    holidays: Vec<u8>,
    worked: Vec<(u8, Vec<(u16, u16)>)>,
    at: u32,
    by: u32,
    more: u32,
}

fn windows(of: &[(u16, u16)]) -> Vec<Window> {
    of.iter().take(4).map(|(from, to)| Window { from: from % 1440, to: to % 1441 }).collect()
}

fuzz_target!(|input: Input| {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    let day = |n: &u8| first.checked_add_days(Days::new(u64::from(*n))).expect("within the year");
    let zones = chrono_tz::TZ_VARIANTS;
    let calendar = Calendar::new(Spec {
        zone: zones[usize::from(input.zone) % zones.len()],
        hours: input.hours.each_ref().map(|h| windows(h)),
        breaks: input.breaks.each_ref().map(|b| windows(b)),
        dated_breaks: BTreeMap::new(),
        holidays: input.holidays.iter().take(20).map(|n| (day(n), "holiday".to_owned())).collect(),
        worked: input.worked.iter().take(10).map(|(n, w)| (day(n), windows(w))).collect(),
    });
    let at = Moment(1_767_225_600_000 + i64::from(input.at));
    let (by, more) = (i64::from(input.by) / 16 + 1, i64::from(input.more) / 16 + 1);
    let Some(end) = calendar.add(at, by) else { return };
    assert_eq!(calendar.between(at, end), by);
    if let Some(further) = calendar.add(end, more) {
        assert_eq!(calendar.add(at, by + more), Some(further));
        assert_eq!(calendar.between(at, further), by + more);
    }
    let open: i64 = calendar.intervals(at, end).iter().map(|(from, to)| *to - *from).sum();
    assert_eq!(open, by);
    let stretches = calendar.stretches(at, end);
    assert_eq!(stretches.iter().filter(|s| s.closed.is_none()).map(|s| s.to - s.from).sum::<i64>(), by);
    assert!(stretches.windows(2).all(|pair| pair[0].to == pair[1].from));
});
