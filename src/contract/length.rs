//! Lengths and limits as text: `15min`, `3 business days`, `by 15 April`. The unit says the clock.

use super::report::Hint;
use onus_engine::terms::Span;
use onus_engine::time::{DAY, HOUR, MINUTE, Millis, Moment, SECOND};

/// Why a text is no length, and what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) message: String,
    pub(crate) hint: Option<Hint>,
}

/// Longest count of each unit: a century, so that no arithmetic on instants can leave their range.
const CENTURY: Millis = 36_525 * DAY;

const MONTHS: [(&str, u32); 12] = [
    ("January", 31),
    ("February", 28),
    ("March", 31),
    ("April", 30),
    ("May", 31),
    ("June", 30),
    ("July", 31),
    ("August", 31),
    ("September", 30),
    ("October", 31),
    ("November", 30),
    ("December", 31),
];

/// A limit: a length, or an instant (`by ...`, `at once`).
pub(crate) fn limit(text: &str) -> Result<Span, Slip> {
    if text == "at once" {
        return Ok(Span::AtOnce);
    }
    match text.strip_prefix("by ") {
        Some(rest) => by(rest),
        None => length(text),
    }
}

/// A length of time, by any clock.
pub(crate) fn length(text: &str) -> Result<Span, Slip> {
    let (count, unit) = split(text).ok_or_else(|| slip(text))?;
    let n = i64::from(count);
    let span = match unit {
        "s" => Span::Elapsed(n * SECOND),
        "min" => Span::Elapsed(n * MINUTE),
        "h" => Span::Elapsed(n * HOUR),
        " day" | " days" => Span::Elapsed(n * DAY),
        " week" | " weeks" => Span::Elapsed(n * 7 * DAY),
        " business minute" | " business minutes" => Span::Open(n * MINUTE),
        " business hour" | " business hours" => Span::Open(n * HOUR),
        " business day" | " business days" => Span::WorkingDays(count),
        " calendar day" | " calendar days" => Span::CalendarDays(count),
        " month" | " months" => Span::Months(count),
        " year" | " years" => Span::Months(count.saturating_mul(12)),
        _ => return Err(slip(text)),
    };
    let long = match span {
        Span::Elapsed(ms) | Span::Open(ms) => ms > CENTURY,
        Span::WorkingDays(days) | Span::CalendarDays(days) => days > 36_525,
        Span::Months(months) => months > 1_200,
        Span::TimeOfWorkingDay { .. } | Span::DayOfYear { .. } | Span::At(_) | Span::AtOnce => false,
    };
    if long {
        return Err(Slip {
            message: "longer than a century".into(),
            hint: Some("at most 100 years: is a digit too many?".into()),
        });
    }
    Ok(span)
}

/// Elapsed time only.
pub(crate) fn elapsed(text: &str) -> Result<Millis, Slip> {
    match length(text)? {
        Span::Elapsed(ms) => Ok(ms),
        _ => Err(Slip {
            message: "a plain length is needed here, of the 24x7 clock".into(),
            hint: Some("write it like `15min`, `24h`, `14 days` or `2 weeks`".into()),
        }),
    }
}

/// Whether it is counted on a calendar's working time.
pub(crate) fn is_business(span: &Span) -> bool {
    match span {
        Span::Open(_) | Span::WorkingDays(_) | Span::TimeOfWorkingDay { .. } => true,
        Span::Elapsed(_)
        | Span::CalendarDays(_)
        | Span::Months(_)
        | Span::DayOfYear { .. }
        | Span::At(_)
        | Span::AtOnce => false,
    }
}

/// Minutes after midnight of `HH:MM`; `24:00` is the day's end.
pub(crate) fn time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |t: &str| (t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit())).then(|| t.parse::<u16>().ok())?;
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= 1440).then_some(minute)
}

fn by(rest: &str) -> Result<Span, Slip> {
    if let Some(at) = Moment::parse(rest) {
        return Ok(Span::At(at));
    }
    let words: Vec<&str> = rest.split(' ').collect();
    match words.as_slice() {
        [time, which @ ("same" | "next"), "business", "day"] => {
            let minute = time_of_day(time).ok_or_else(|| Slip {
                message: format!("`{time}` is no time of day"),
                hint: Some("write it as HH:MM, 00:00 to 24:00".into()),
            })?;
            Ok(Span::TimeOfWorkingDay { minute, days: u32::from(*which == "next") })
        }
        [day, month] if day.len() <= 2 && day.bytes().all(|b| b.is_ascii_digit()) => day_of_year(day, month),
        _ => Err(Slip {
            message: format!("`by {rest}` names no instant"),
            hint: Some("possible here: `by 12:00 next business day`, `by 15 April`, `by 2027-03-15T00:00:00Z`".into()),
        }),
    }
}

fn day_of_year(day: &str, month: &str) -> Result<Span, Slip> {
    let (month, day) = month_and_day(day, month, "by ")?;
    Ok(Span::DayOfYear { month, day })
}

/// The number of a month, from 1.
pub(crate) fn month(name: &str) -> Option<u32> {
    let index = MONTHS.iter().position(|(known, _)| *known == name)?;
    u32::try_from(index + 1).ok()
}

/// The names of the months.
pub(crate) fn months() -> impl Iterator<Item = &'static str> {
    MONTHS.iter().map(|(name, _)| *name)
}

/// A day that every year has, `27 April`, as month and day; `before` is what stands before it, for the hint.
pub(crate) fn month_and_day(day: &str, month: &str, before: &str) -> Result<(u32, u32), Slip> {
    let Some(index) = MONTHS.iter().position(|(name, _)| *name == month) else {
        let near = super::report::nearest(month, MONTHS.iter().map(|(name, _)| *name));
        return Err(Slip {
            message: format!("`{month}` is no month"),
            hint: near.map(|near| Hint::Meant(format!("{before}{day} {near}"))),
        });
    };
    let last = MONTHS[index].1;
    let number: u32 = day.parse().unwrap_or(0);
    if number == 0 || number > last || day.starts_with('0') {
        let leap = if index == 1 && number == 29 { " in every year" } else { "" };
        return Err(Slip {
            message: format!("there is no {day} {month}{leap}"),
            hint: Some(format!("the last day is {last} {month}").into()),
        });
    }
    Ok((u32::try_from(index + 1).unwrap_or(12), number))
}

/// The count and what follows it, the blank included: `90 days` is (90, " days").
fn split(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    if text.starts_with('0') {
        return None;
    }
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn slip(text: &str) -> Slip {
    let quoted = super::report::quote(text);
    if text.starts_with('0') && split(text.trim_start_matches('0')).is_none() {
        return Slip { message: format!("{quoted} is no length"), hint: Some("at least 1".into()) };
    }
    let hint = match meant(text) {
        Some(meant) => Hint::Meant(meant),
        None => "possible here: `15min`, `4h`, `90 days`, `2 weeks`, `4 business hours`, `3 business days`, \
                 `60 calendar days`, `1 month`, `1 year`"
            .into(),
    };
    Slip { message: format!("{quoted} is no length"), hint: Some(hint) }
}

/// The nearest right spelling of a length in a unit spelt otherwise.
fn meant(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let plain =
        lower.strip_prefix("pt").map(|rest| (rest, true)).or_else(|| lower.strip_prefix('p').map(|r| (r, false)));
    let (rest, iso_time) = match plain {
        Some((rest, time)) if rest.starts_with(|c: char| c.is_ascii_digit()) => (rest, time),
        _ => (lower.as_str(), true),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let count: u32 = rest[..end].parse().ok()?;
    let many = |one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let unit = rest[end..].trim().replace(['-', '_'], " ");
    let (business, unit) = match unit.split_once(' ') {
        Some(("business" | "working" | "work" | "office", unit)) => (true, unit.trim().to_owned()),
        Some(_) => return None,
        None => (false, unit),
    };
    let meant = match (business, unit.as_str()) {
        (false, "m") if !iso_time => many("month"),
        (false, "s" | "sec" | "secs" | "second" | "seconds") => format!("{count}s"),
        (false, "m" | "min" | "mins" | "minute" | "minutes") => format!("{count}min"),
        (false, "h" | "hr" | "hrs" | "hour" | "hours") => format!("{count}h"),
        (false, "d" | "day" | "days") => many("day"),
        (false, "w" | "wk" | "wks" | "week" | "weeks") => many("week"),
        (false, "mo" | "mon" | "month" | "months") => many("month"),
        (false, "y" | "yr" | "yrs" | "year" | "years") => many("year"),
        (false, "bd" | "wd") | (true, "d" | "day" | "days") => many("business day"),
        (true, "h" | "hr" | "hrs" | "hour" | "hours") => many("business hour"),
        (true, "m" | "min" | "mins" | "minute" | "minutes") => many("business minute"),
        _ => return None,
    };
    (meant != text && length(&meant).is_ok()).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_unit_says_the_clock() {
        for (text, span) in [
            ("15min", Span::Elapsed(15 * MINUTE)),
            ("4h", Span::Elapsed(4 * HOUR)),
            ("90 days", Span::Elapsed(90 * DAY)),
            ("2 weeks", Span::Elapsed(14 * DAY)),
            ("4 business hours", Span::Open(4 * HOUR)),
            ("30 business minutes", Span::Open(30 * MINUTE)),
            ("3 business days", Span::WorkingDays(3)),
            ("60 calendar days", Span::CalendarDays(60)),
            ("1 month", Span::Months(1)),
            ("1 year", Span::Months(12)),
            ("by 12:00 next business day", Span::TimeOfWorkingDay { minute: 720, days: 1 }),
            ("by 24:00 same business day", Span::TimeOfWorkingDay { minute: 1440, days: 0 }),
            ("by 15 April", Span::DayOfYear { month: 4, day: 15 }),
            ("by 1970-01-01T00:00:01Z", Span::At(Moment(1000))),
            ("at once", Span::AtOnce),
        ] {
            assert_eq!(limit(text), Ok(span), "{text}");
        }
    }

    #[test]
    fn a_unit_spelt_otherwise_gets_the_right_spelling() {
        for (text, right) in [
            ("4 hours", "4h"),
            ("4 h", "4h"),
            ("15m", "15min"),
            ("15 minutes", "15min"),
            ("90d", "90 days"),
            ("90days", "90 days"),
            ("1 Day", "1 day"),
            ("3 working days", "3 business days"),
            ("2 business-days", "2 business days"),
            ("PT4H", "4h"),
            ("P90D", "90 days"),
            ("P1M", "1 month"),
        ] {
            let slip = limit(text).expect_err(text);
            assert_eq!(slip.hint, Some(Hint::Meant(right.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_no_limit_is_refused() {
        for text in [
            "",
            "4",
            "h",
            "0h",
            "04h",
            "1.5h",
            "-4h",
            "99999999999h",
            "2000 years",
            "by",
            "by noon",
            "by 31 April",
            "by 29 February",
            "by 12:60 next business day",
            "by 25:00 next business day",
            "at  once",
            "4 fortnights",
            "by 2026-02-30T00:00:00Z",
            "4h ",
            "４h",
        ] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = limit(&text);
        }

        #[test]
        fn nearly_right_texts_do_not_make_it_panic(text in "(by )?[0-9PT:]{0,12} ?(business|working|calendar)?[ -]?[a-zA-Zé]{0,8}( next business day)?") {
            let _ = limit(&text);
        }
    }
}
