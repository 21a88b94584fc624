//! From rules to dates: Easter, n-th weekdays, holidays that move.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use std::collections::{BTreeMap, BTreeSet};

/// One holiday of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) when: When,
    /// The first and the last year in which it holds; None: in all.
    pub(crate) years: Option<(i32, i32)>,
    pub(crate) shift: Option<Shift>,
}

/// Which day of a year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The same day of every year.
    Day { month: u32, day: u32 },
    /// These, and no others.
    Dates(Vec<NaiveDate>),
    /// So many days from Easter Sunday.
    Easter { orthodox: bool, days: i64 },
    /// The n-th of a weekday in a month; None: the last.
    Nth { nth: Option<u8>, weekday: Weekday, month: u32 },
}

/// What becomes of a holiday that falls on certain weekdays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shift {
    /// The day itself stays closed.
    pub(crate) stays: bool,
    /// By weekday, from Monday.
    pub(crate) to: [Option<To>; 7],
}

/// Where a holiday goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The day before.
    Before,
    /// The day after.
    After,
    /// The nearest of Monday to Friday that is no holiday, later or earlier.
    Free { later: bool },
    /// The nearest of that weekday, later or earlier.
    Weekday { later: bool, weekday: Weekday },
}

/// The holidays of the years from `first` to `last`, with their names.
pub(crate) fn expand(rules: &[Rule], (first, last): (i32, i32)) -> BTreeMap<NaiveDate, String> {
    let mut fixed: BTreeMap<NaiveDate, Vec<String>> = BTreeMap::new();
    let mut moving: Vec<(NaiveDate, To, String)> = Vec::new();
    for rule in rules {
        // A neighbouring year's day may move into these.
        for date in rule.when.dates(first - 1, last + 1) {
            if rule.years.is_some_and(|(from, to)| !(from..=to).contains(&date.year())) {
                continue;
            }
            let shift = rule.shift.as_ref();
            let to = shift.and_then(|shift| shift.to[date.weekday().num_days_from_monday() as usize]);
            let stays = to.is_none() || shift.is_some_and(|shift| shift.stays);
            if stays {
                fixed.entry(date).or_default().push(rule.name.clone());
            }
            if let Some(to) = to {
                let name = if stays { format!("{} (substitute day)", rule.name) } else { rule.name.clone() };
                moving.push((date, to, name));
            }
        }
    }
    // In the order of their dates, so that of two that want the next free day the earlier one has it.
    moving.sort_by_key(|(date, ..)| *date);
    let mut taken: BTreeSet<NaiveDate> = fixed.keys().copied().collect();
    for (date, to, name) in moving {
        if let Some(date) = to.from(date, &taken) {
            taken.insert(date);
            fixed.entry(date).or_default().push(name);
        }
    }
    fixed.retain(|date, _| (first..=last).contains(&date.year()));
    fixed.into_iter().map(|(date, names)| (date, names.join(", "))).collect()
}

impl When {
    fn dates(&self, first: i32, last: i32) -> Vec<NaiveDate> {
        match self {
            When::Dates(dates) => dates.clone(),
            When::Day { .. } | When::Easter { .. } | When::Nth { .. } => {
                (first..=last).filter_map(|year| self.in_year(year)).collect()
            }
        }
    }

    fn in_year(&self, year: i32) -> Option<NaiveDate> {
        match self {
            When::Day { month, day } => NaiveDate::from_ymd_opt(year, *month, *day),
            When::Dates(_) => None,
            When::Easter { orthodox, days } => by(easter(year, *orthodox)?, *days),
            When::Nth { nth: Some(nth), weekday, month } => {
                NaiveDate::from_weekday_of_month_opt(year, *month, *weekday, *nth)
            }
            When::Nth { nth: None, weekday, month } => {
                [5, 4].into_iter().find_map(|nth| NaiveDate::from_weekday_of_month_opt(year, *month, *weekday, nth))
            }
        }
    }
}

impl To {
    fn from(self, date: NaiveDate, taken: &BTreeSet<NaiveDate>) -> Option<NaiveDate> {
        let step = |later: bool, stop: &dyn Fn(NaiveDate) -> bool| {
            let mut date = date;
            loop {
                date = if later { date.succ_opt()? } else { date.pred_opt()? };
                if stop(date) {
                    return Some(date);
                }
            }
        };
        match self {
            To::Before => date.pred_opt(),
            To::After => date.succ_opt(),
            To::Free { later } => {
                let weekend = |date: NaiveDate| matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
                step(later, &|date| !weekend(date) && !taken.contains(&date))
            }
            To::Weekday { later, weekday } => step(later, &|date| date.weekday() == weekday),
        }
    }
}

/// Easter Sunday, of the western or of the orthodox churches, as a date of the calendar in civil use.
fn easter(year: i32, orthodox: bool) -> Option<NaiveDate> {
    if orthodox { orthodox_easter(year) } else { western_easter(year) }
}

/// The Sunday after the full moon of the church's tables, on or after 21 March.
fn western_easter(year: i32) -> Option<NaiveDate> {
    let golden = year % 19;
    let century = year / 100;
    // Two corrections to the moon's age: for the leap days left out, and for its drift of eight days in 2500 years.
    let leap = century - century / 4;
    let drift = (8 * century + 13) / 25;
    let mut epact = (19 * golden + leap - drift + 15) % 30;
    // The tables keep two moons from falling on one day, and none after 18 April.
    if epact == 29 || (epact == 28 && golden > 10) {
        epact -= 1;
    }
    let moon = by(NaiveDate::from_ymd_opt(year, 3, 21)?, i64::from(epact))?;
    sunday_after(moon)
}

/// The same by the Julian calendar, whose moon repeats every 19 years, said in the calendar in civil use.
fn orthodox_easter(year: i32) -> Option<NaiveDate> {
    let age = (19 * (year % 19) + 15) % 30;
    let century = year / 100;
    let behind = i64::from(century - century / 4 - 2);
    // 21 March of the Julian calendar, and so many days on.
    let moon = by(NaiveDate::from_ymd_opt(year, 3, 21)?, behind + i64::from(age))?;
    sunday_after(moon)
}

fn sunday_after(date: NaiveDate) -> Option<NaiveDate> {
    by(date, 7 - i64::from(date.weekday().num_days_from_sunday()))
}

fn by(date: NaiveDate, days: i64) -> Option<NaiveDate> {
    let count = Days::new(days.unsigned_abs());
    if days < 0 { date.checked_sub_days(count) } else { date.checked_add_days(count) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn easter_is_when_the_churches_keep_it() {
        for (western, orthodox) in [
            ("1961-04-02", "1961-04-09"),
            ("1981-04-19", "1981-04-26"),
            ("2000-04-23", "2000-04-30"),
            ("2008-03-23", "2008-04-27"),
            ("2011-04-24", "2011-04-24"),
            ("2016-03-27", "2016-05-01"),
            ("2019-04-21", "2019-04-28"),
            ("2023-04-09", "2023-04-16"),
            ("2024-03-31", "2024-05-05"),
            ("2025-04-20", "2025-04-20"),
            ("2026-04-05", "2026-04-12"),
            ("2027-03-28", "2027-05-02"),
            ("2028-04-16", "2028-04-16"),
            ("2029-04-01", "2029-04-08"),
            ("2030-04-21", "2030-04-28"),
            ("2031-04-13", "2031-04-13"),
            ("2032-03-28", "2032-05-02"),
            ("2038-04-25", "2038-04-25"),
            ("2076-04-19", "2076-04-26"),
        ] {
            let year = date(western).year();
            assert_eq!(easter(year, false), Some(date(western)));
            assert_eq!(easter(year, true), Some(date(orthodox)));
        }
    }

    #[test]
    fn of_two_that_want_the_next_free_day_the_earlier_one_has_it() {
        let weekend = Shift { stays: true, to: [None, None, None, None, None, to_free(), to_free()] };
        let day = |name: &str, day| Rule {
            name: name.into(),
            when: When::Day { month: 12, day },
            years: None,
            shift: Some(weekend.clone()),
        };
        let found = expand(&[day("Boxing Day", 26), day("Christmas Day", 25)], (2021, 2022));
        let found: Vec<String> = found.iter().map(|(date, name)| format!("{date} {name}")).collect();
        let want = [
            "2021-12-25 Christmas Day",
            "2021-12-26 Boxing Day",
            "2021-12-27 Christmas Day (substitute day)",
            "2021-12-28 Boxing Day (substitute day)",
            "2022-12-25 Christmas Day",
            "2022-12-26 Boxing Day",
            "2022-12-27 Christmas Day (substitute day)",
        ];
        assert_eq!(found, want);
    }

    fn to_free() -> Option<To> {
        Some(To::Free { later: true })
    }

    #[test]
    fn a_day_of_the_next_year_moves_into_the_last_one() {
        let shift = Shift { stays: false, to: [None, None, None, None, None, Some(To::Before), Some(To::After)] };
        let when = When::Day { month: 1, day: 1 };
        let rule = Rule { name: "New Year's Day".into(), when, years: None, shift: Some(shift) };
        let found: Vec<NaiveDate> = expand(&[rule], (2027, 2027)).into_keys().collect();
        assert_eq!(found, [date("2027-01-01"), date("2027-12-31")]);
    }

    proptest! {
        /// The count of days in the tables' own arithmetic, by another way: the golden number and Sunday letters.
        #[test]
        fn easter_is_a_sunday_between_its_bounds(year in 1900..2200_i32) {
            let western = easter(year, false).expect("a date");
            prop_assert_eq!(western.weekday(), Weekday::Sun);
            let bounds = NaiveDate::from_ymd_opt(year, 3, 22)..=NaiveDate::from_ymd_opt(year, 4, 25);
            prop_assert!(bounds.contains(&Some(western)), "{}", western);
            let orthodox = easter(year, true).expect("a date");
            prop_assert_eq!(orthodox.weekday(), Weekday::Sun);
            // Never before the western one, and five weeks after it at most.
            let apart = (orthodox - western).num_days();
            prop_assert!([0, 7, 28, 35].contains(&apart), "{} and {}", western, orthodox);
        }

        #[test]
        fn the_last_weekday_of_a_month_is_followed_by_none(year in 1900..2200_i32, month in 1..=12_u32) {
            let last = When::Nth { nth: None, weekday: Weekday::Mon, month }.in_year(year).expect("a date");
            prop_assert_eq!(last.weekday(), Weekday::Mon);
            prop_assert_eq!(last.month(), month);
            prop_assert_ne!(by(last, 7).expect("a date").month(), month);
        }
    }
}
