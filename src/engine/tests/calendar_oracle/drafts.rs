//! Random calendars, and instants near the changes of a clock.

use super::naive::date_at;
use chrono::{Days, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use onus_engine::calendar::{Calendar, Spec, Window};
use onus_engine::time::Moment;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const ZONES: [Tz; 10] = [
    chrono_tz::Europe::Amsterdam,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Pacific::Apia,
    chrono_tz::Africa::Casablanca,
    chrono_tz::UTC,
    chrono_tz::America::Sao_Paulo,
    // Clocks that change at midnight, and a minute after it.
    chrono_tz::America::Havana,
    chrono_tz::America::St_Johns,
];

/// A calendar with hours; its dates are days from the centre.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    zone: usize,
    hours: Vec<Vec<Window>>,
    breaks: Vec<Vec<Window>>,
    dated_breaks: Vec<(i8, Vec<Window>)>,
    holidays: Vec<i8>,
    worked: Vec<(i8, Vec<Window>)>,
}

impl Draft {
    pub(crate) fn zone(&self) -> Tz {
        ZONES[self.zone]
    }

    pub(crate) fn spec(&self, centre: i64) -> Spec {
        let middle = date_at(self.zone(), centre);
        let date = |day: &i8| middle - Days::new(100) + Days::new((100 + i64::from(*day)) as u64);
        let dated = |list: &[(i8, Vec<Window>)]| list.iter().map(|(day, w)| (date(day), w.clone())).collect();
        let named = |day: &i8| (date(day), date(day).to_string());
        Spec {
            zone: self.zone(),
            hours: self.hours.clone().try_into().unwrap(),
            breaks: self.breaks.clone().try_into().unwrap(),
            dated_breaks: dated(&self.dated_breaks),
            holidays: self.holidays.iter().map(named).collect(),
            worked: dated(&self.worked),
        }
    }
}

/// What kind of calendar; versions change at minutes from the centre.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Hours(Draft),
    Any(usize, Vec<Shape>),
    All(usize, Vec<Shape>),
    Versions(Box<Shape>, Box<Shape>, i64),
}

impl Shape {
    pub(crate) fn calendar(&self, centre: i64) -> Calendar {
        let each = |members: &[Shape]| members.iter().map(|member| member.calendar(centre)).collect();
        match self {
            Shape::Hours(draft) => Calendar::new(draft.spec(centre)),
            Shape::Any(zone, members) => Calendar::any(ZONES[*zone], each(members)),
            Shape::All(zone, members) => Calendar::all(ZONES[*zone], each(members)),
            Shape::Versions(old, new, cut) => Calendar::versions(vec![
                (Moment::DAWN, old.calendar(centre)),
                (Moment((centre + cut) * 60_000), new.calendar(centre)),
            ]),
        }
    }
}

fn minute() -> impl Strategy<Value = u16> {
    prop_oneof![4 => (0u16..=96).prop_map(|quarter| quarter * 15), 1 => 0u16..=1440, 1 => select(vec![0, 60, 120, 1440])]
}

fn windows(most: usize) -> impl Strategy<Value = Vec<Window>> {
    vec((minute(), minute()).prop_map(|(from, to)| Window { from, to }), 0..=most)
}

fn week(most: usize) -> impl Strategy<Value = Vec<Vec<Window>>> {
    let same = windows(most).prop_map(|day| vec![day; 7]);
    let office = windows(most).prop_map(|day| [vec![day; 5], vec![vec![]; 2]].concat());
    prop_oneof![vec(windows(most), 7), same, office]
}

pub(crate) fn draft() -> impl Strategy<Value = Draft> {
    let rare = prop_oneof![2 => Just(vec![vec![]; 7]), 1 => week(2)];
    let dated = |most| vec((-9i8..9, windows(most)), 0..3);
    (0..ZONES.len(), week(4), rare, dated(2), vec(-9i8..9, 0..4), dated(3)).prop_map(
        |(zone, hours, breaks, dated_breaks, holidays, worked)| Draft {
            zone,
            hours,
            breaks,
            dated_breaks,
            holidays,
            worked,
        },
    )
}

pub(crate) fn shape() -> impl Strategy<Value = Shape> {
    let hours = draft().prop_map(Shape::Hours).boxed();
    prop_oneof![3 => hours.clone(), 2 => hours.prop_recursive(2, 6, 3, |inner| {
        let members = vec(inner.clone(), 1..=3);
        prop_oneof![
            (0..ZONES.len(), members.clone()).prop_map(|(zone, members)| Shape::Any(zone, members)),
            (0..ZONES.len(), members).prop_map(|(zone, members)| Shape::All(zone, members)),
            (inner.clone(), inner, -4000i64..4000)
                .prop_map(|(old, new, cut)| Shape::Versions(Box::new(old), Box::new(new), cut)),
        ]
    })]
}

/// A minute since the epoch: a clock change of some zone, a seam between two pages of the engine, or any minute.
pub(crate) fn centre() -> impl Strategy<Value = i64> {
    let change = (0..ZONES.len(), 1966i32..2100, any::<prop::sample::Index>()).prop_map(|(zone, year, pick)| {
        let changes = changes(ZONES[zone], year);
        if changes.is_empty() { start(year) } else { changes[pick.index(changes.len())] }
    });
    // 2011-12-30T10:00Z: Samoa skips a date.
    let samoa = Just(1_325_239_200 / 60);
    let seam = (-2i64..36).prop_map(|page| (page << 37) / 60_000);
    prop_oneof![6 => change, 2 => samoa, 1 => seam, 1 => start(1960)..start(2120)]
}

fn changes(zone: Tz, year: i32) -> Vec<i64> {
    let offset = |hour: i64| {
        let utc = chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap().naive_utc();
        zone.offset_from_utc_datetime(&utc).fix()
    };
    let hours = start(year) / 60..start(year + 1) / 60;
    hours.filter(|hour| offset(*hour) != offset(hour + 1)).map(|hour| (hour + 1) * 60).collect()
}

fn start(year: i32) -> i64 {
    i64::from(NaiveDate::from_ymd_opt(year, 1, 1).unwrap().to_epoch_days()) * 1440
}
