//! The calendar against an oracle that walks the minutes, on random calendars near clock changes; and its laws.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "calendar_oracle/drafts.rs"]
mod drafts;
#[path = "calendar_oracle/naive.rs"]
mod naive;

use chrono::{Days, NaiveDate};
use drafts::{Shape, ZONES, centre, draft, shape};
use naive::{MINUTE, Plan, Row, SURE, Wall, date_at};
use onus_engine::calendar::{Calendar, Closed, Spec, instant, local};
use onus_engine::time::{DAY, HOUR, Millis, Moment};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Milliseconds from the centre; half of them whole minutes, to meet boundaries.
fn away() -> impl Strategy<Value = Millis> {
    prop_oneof![-4 * DAY..4 * DAY, (-4i64 * 96..4 * 96).prop_map(|quarter| quarter * 15 * MINUTE)]
}

fn length() -> impl Strategy<Value = Millis> {
    prop_oneof![1 => Just(0), 4 => 0..30 * HOUR, 4 => (0i64..120).prop_map(|quarter| quarter * 15 * MINUTE), 1 => 0..5000i64]
}

proptest! {
    #[test]
    fn each_minute_is_open_exactly_when_the_oracle_says_so(shape in shape(), centre in centre()) {
        let (calendar, row) = (shape.calendar(centre), Row::of(&shape, centre));
        let (from, to) = ((centre - SURE) * MINUTE, (centre + SURE) * MINUTE);
        let open = calendar.intervals(Moment(from), Moment(to));
        prop_assert!(open.iter().all(|(a, b)| from <= a.0 && a < b && b.0 <= to), "clipped and not empty");
        prop_assert!(open.windows(2).all(|pair| pair[0].1 < pair[1].0), "in order, merged where they touch");
        let mut told = open.iter().flat_map(|(a, b)| (a.0..b.0).step_by(MINUTE as usize));
        for minute in (from..to).step_by(MINUTE as usize).filter(|minute| row.is_open(*minute).unwrap()) {
            prop_assert_eq!(told.next().map(Moment), Some(Moment(minute)));
        }
        prop_assert_eq!(told.next().map(Moment), None);
    }

    #[test]
    fn sums_agree_with_walking(shape in shape(), centre in centre(), asked in vec((away(), away(), length()), 8)) {
        let (calendar, row) = (shape.calendar(centre), Row::of(&shape, centre));
        for (a, b, d) in asked {
            let (a, b) = (centre * MINUTE + a, centre * MINUTE + b);
            prop_assert_eq!(calendar.is_open(Moment(a)), row.is_open(a).unwrap());
            prop_assert_eq!(calendar.between(Moment(a.min(b)), Moment(a.max(b))), row.between(a.min(b), a.max(b)).unwrap());
            prop_assert_eq!(calendar.between(Moment(a), Moment(b)), -calendar.between(Moment(b), Moment(a)));
            if let Some(due) = row.add(a, d) {
                prop_assert_eq!(calendar.add(Moment(a), d), Some(Moment(due)), "{} after {}", d, Moment(a));
            }
            if let Some(begun) = row.sub(a, d) {
                prop_assert_eq!(calendar.sub(Moment(a), d), Some(Moment(begun)), "{} before {}", d, Moment(a));
            }
        }
    }

    #[test]
    fn stretches_give_the_oracles_reasons(draft in draft(), centre in centre(), a in away(), b in away()) {
        let (calendar, plan) = (Calendar::new(draft.spec(centre)), Plan::of(&draft, centre));
        let (a, b) = (centre * MINUTE + a.min(b), centre * MINUTE + a.max(b));
        for stretch in calendar.stretches(Moment(a), Moment(b)) {
            let mut now = stretch.from.0;
            while now < stretch.to.0 {
                prop_assert_eq!(&plan.why(now.div_euclid(MINUTE)), &stretch.closed, "at {}", Moment(now));
                now = (now.div_euclid(MINUTE) + 1) * MINUTE;
            }
        }
    }

    #[test]
    fn working_days_and_their_closes_agree(draft in draft(), centre in centre(), zone in 0..ZONES.len(), n in 1i32..4) {
        let (plan, wall) = (Plan::of(&draft, centre), Wall::new(ZONES[zone], centre));
        let row = plan.row();
        let own = Calendar::new(draft.spec(centre));
        let today = date_at(draft.zone(), centre);
        let near = |days: i64| today - Days::new(9) + Days::new((9 + days) as u64);
        for date in (-9..9).map(near) {
            let close = plan.close_of(&row, date).map(|minute| Moment(minute * MINUTE));
            prop_assert_eq!(own.close_of(date), close, "{}", date);
        }
        let working: Vec<NaiveDate> = (1..9).map(near).filter(|date| plan.close_of(&row, *date).is_some()).collect();
        if let Some(nth) = working.get(n as usize - 1) {
            prop_assert_eq!(own.working_day(Moment(centre * MINUTE), n), Some(*nth));
        }
        let before: Vec<NaiveDate> = (1..9).map(|day| near(-day)).filter(|date| plan.close_of(&row, *date).is_some()).collect();
        if let Some(nth) = before.get(n as usize - 1) {
            prop_assert_eq!(own.working_day(Moment(centre * MINUTE), -n), Some(*nth));
        }
        let joined = Calendar::any(ZONES[zone], vec![own]);
        for date in (-7..7).map(near) {
            let (begin, end) = wall.day(date).unwrap();
            let open = (begin..end).filter(|minute| row.is_open(minute * MINUTE).unwrap());
            prop_assert_eq!(joined.close_of(date), open.max().map(|minute| Moment((minute + 1) * MINUTE)), "{}", date);
        }
    }

    #[test]
    fn local_times_and_instants_undo_each_other(zone in 0..ZONES.len(), centre in centre(), away in away()) {
        let t = Moment((centre * MINUTE + away).div_euclid(MINUTE) * MINUTE);
        let shown = local(ZONES[zone], t);
        let minute = (shown.and_utc().timestamp() / 60).rem_euclid(1440) as u16;
        let back = instant(ZONES[zone], shown.date(), minute);
        // A time shown twice leads back to its first showing.
        prop_assert!(back <= t);
        prop_assert_eq!(local(ZONES[zone], back), shown);
    }

    #[test]
    fn open_time_adds_up(shape in shape(), centre in centre(), a in away(), b in away(), c in away()) {
        let calendar = shape.calendar(centre);
        let [a, b, c] = [a, b, c].map(|away| Moment(centre * MINUTE + away));
        prop_assert_eq!(calendar.between(a, b) + calendar.between(b, c), calendar.between(a, c));
    }

    #[test]
    fn a_deadline_lies_so_much_open_time_away(shape in shape(), centre in centre(), a in away(), d in length()) {
        let (calendar, a) = (shape.calendar(centre), Moment(centre * MINUTE + a));
        if let Some(due) = calendar.add(a, d) {
            prop_assert_eq!(calendar.between(a, due), d);
            // The least such instant: a millisecond before, less has passed; with nothing to pass, it is closed.
            prop_assert!(due == a || calendar.between(a, due + -1) < d || (d == 0 && !calendar.is_open(due + -1)));
            prop_assert!(d > 0 || calendar.is_open(due));
        }
        if let Some(begun) = calendar.sub(a, d) {
            prop_assert_eq!(calendar.between(begun, a), d);
            prop_assert!(begun == a || calendar.between(begun + 1, a) < d || (d == 0 && !calendar.is_open(begun)));
        }
    }

    #[test]
    fn in_two_steps_or_in_one(shape in shape(), centre in centre(), a in away(), x in length(), y in length()) {
        let (calendar, a) = (shape.calendar(centre), Moment(centre * MINUTE + a));
        let (x, y) = (x + 1, y + 1);
        prop_assert_eq!(calendar.add(a, x).and_then(|half| calendar.add(half, y)), calendar.add(a, x + y));
        prop_assert_eq!(calendar.sub(a, x).and_then(|half| calendar.sub(half, y)), calendar.sub(a, x + y));
    }

    #[test]
    fn subtracting_mirrors_adding(shape in shape(), centre in centre(), a in away(), d in length()) {
        let (calendar, a) = (shape.calendar(centre), Moment(centre * MINUTE + a));
        let d = d + 1;
        prop_assert_eq!(calendar.add(a, -d), calendar.sub(a, d));
        prop_assert_eq!(calendar.sub(a, -d), calendar.add(a, d));
        if let Some(due) = calendar.add(a, d) {
            prop_assert_eq!(calendar.sub(due, d), calendar.add(a, 0));
        }
        if let Some(begun) = calendar.sub(a, d) {
            // Not always `sub(a, 0)`: at an opening that is `a` itself, while the work was done at the close before.
            let done = calendar.add(begun, d).unwrap();
            prop_assert!(done <= a && calendar.between(done, a) == 0);
            prop_assert_eq!(calendar.sub(done, d), Some(begun));
        }
    }

    #[test]
    fn a_holiday_more_makes_no_deadline_earlier(
        draft in draft(), centre in centre(), a in away(), d in length(), day in -9i64..9,
    ) {
        let spec = draft.spec(centre);
        let date = local(spec.zone, Moment(centre * MINUTE + day * DAY)).date();
        let mut closed: Spec = spec.clone();
        closed.holidays.insert(date, "one more".into());
        let a = Moment(centre * MINUTE + a);
        let (before, after) = (Calendar::new(spec).add(a, d), Calendar::new(closed).add(a, d));
        prop_assert!(after.unwrap_or(Moment::NEVER) >= before.unwrap_or(Moment::NEVER));
    }

    #[test]
    fn stretches_cover_the_range_and_sum_to_the_open_time(shape in shape(), centre in centre(), a in away(), b in away()) {
        let calendar = shape.calendar(centre);
        let (a, b) = (Moment(centre * MINUTE + a.min(b)), Moment(centre * MINUTE + a.max(b)));
        let stretches = calendar.stretches(a, b);
        let mut end = a;
        for stretch in &stretches {
            prop_assert_eq!(stretch.from, end);
            prop_assert!(stretch.from < stretch.to);
            end = stretch.to;
        }
        prop_assert_eq!(end, b);
        let open = |closed: &Option<Closed>| closed.is_none();
        let spans: Vec<(Moment, Moment)> =
            stretches.iter().filter(|stretch| open(&stretch.closed)).map(|stretch| (stretch.from, stretch.to)).collect();
        prop_assert_eq!(spans, calendar.intervals(a, b));
    }

    #[test]
    fn a_break_is_named_only_where_ending_it_would_open(draft in draft(), centre in centre(), a in away(), b in away()) {
        let spec = draft.spec(centre);
        let mut unbroken = spec.clone();
        unbroken.breaks = Default::default();
        unbroken.dated_breaks.clear();
        let unbroken = Calendar::new(unbroken);
        let (a, b) = (Moment(centre * MINUTE + a.min(b)), Moment(centre * MINUTE + a.max(b)));
        for stretch in Calendar::new(spec).stretches(a, b) {
            if stretch.closed == Some(Closed::Break) {
                prop_assert_eq!(unbroken.between(stretch.from, stretch.to), stretch.to - stretch.from);
            }
        }
    }

    #[test]
    fn joined_reasons_are_a_members_own(draft in draft(), other in draft(), centre in centre(), a in away(), any: bool) {
        let members = [Shape::Hours(draft), Shape::Hours(other)];
        let each = members.iter().map(|member| member.calendar(centre)).collect::<Vec<_>>();
        let zone = ZONES[0];
        let joined = if any { Calendar::any(zone, each.clone()) } else { Calendar::all(zone, each.clone()) };
        let at = Moment(centre * MINUTE + a);
        let why = |calendar: &Calendar| calendar.stretches(at, at + 1)[0].closed.clone();
        if let Some(reason) = why(&joined) {
            let own: BTreeSet<Closed> = each.iter().filter_map(why).collect();
            prop_assert!(own.contains(&reason));
        }
    }
}
