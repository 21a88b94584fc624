//! Instants and lengths of time as a contract lawyer writes them, read and written back the same way.

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use onus_engine::time::{HOUR, MINUTE, Millis, Moment, SECOND};

const MONTHS: [(&str, &str); 12] = [
    ("Jan", "January"),
    ("Feb", "February"),
    ("Mar", "March"),
    ("Apr", "April"),
    ("May", "May"),
    ("Jun", "June"),
    ("Jul", "July"),
    ("Aug", "August"),
    ("Sep", "September"),
    ("Oct", "October"),
    ("Nov", "November"),
    ("Dec", "December"),
];

/// Years that a case may speak of: events before 1970 are refused, and nobody signs for longer.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2999;

/// The zone and the day that a case's times are in unless a time says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    zone: Tz,
    day: NaiveDate,
}

impl Place {
    /// Reads `Times are Europe/Amsterdam; the day is Monday 2 March 2026.`
    pub(super) fn read(line: &str) -> Result<Place, String> {
        let (zone, day) = line
            .strip_prefix("Times are ")
            .and_then(|rest| rest.trim_end().trim_end_matches('.').split_once("; the day is "))
            .ok_or_else(|| {
                "write it as `Times are Europe/Amsterdam; the day is Monday 2 March 2026.`, all on one line".to_owned()
            })?;
        let zone = zone.trim().parse().map_err(|_| {
            let near = crate::contract::nearest(zone, chrono_tz::TZ_VARIANTS.iter().map(|z| z.name()));
            let hint = near.map_or("write it like Europe/Amsterdam".to_owned(), |near| format!("did you mean {near}?"));
            format!("no zone is named `{zone}`: {hint}")
        })?;
        let [weekday, day, month, year] = day.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("`{day}` is no day: write it like Monday 2 March 2026"));
        };
        Ok(Place { zone, day: date(weekday, day, month, self::year(year)?)? })
    }

    /// The zone.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Reads `11:58`, `Tue 3 Mar 11:58:00.001`, `Fri 15 Jan 2027 09:00`, `Sun 25 Oct 01:30Z`. A repeated local time is
    /// the first of the two.
    pub(super) fn instant(&self, text: &str) -> Result<Moment, String> {
        let (rest, utc) = text.strip_suffix('Z').map_or((text, false), |rest| (rest, true));
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (day, clock) = match words[..] {
            [clock] => (self.day, clock),
            [weekday, day, month, clock] => (date(weekday, day, month, self.day.year())?, clock),
            [weekday, day, month, year, clock] => (date(weekday, day, month, self::year(year)?)?, clock),
            _ => return Err(format!("`{text}` is no time: write it like 09:00, or Tue 3 Mar 09:00")),
        };
        let time = time_of_day(clock).ok_or_else(|| format!("`{clock}` is no time of day: write it like 09:00"))?;
        let local = NaiveDateTime::new(day, time);
        if utc {
            return Ok(Moment(local.and_utc().timestamp_millis()));
        }
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(Moment(at.timestamp_millis())),
            LocalResult::None => {
                Err(format!("`{text}` does not exist in {}: the clocks skip it; write it in UTC, with a Z", self.zone))
            }
        }
    }

    /// The shortest form that [`Place::instant`] reads back.
    pub(super) fn say(&self, at: Moment) -> String {
        let Some(utc) = at.utc() else { return at.to_string() };
        let local = utc.with_timezone(&self.zone).naive_local();
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(back) if back == utc => self.say_local(local),
            LocalResult::Ambiguous(first, _) if first == utc => self.say_local(local),
            _ => self.say_utc(utc),
        }
    }

    fn say_utc(&self, at: DateTime<Utc>) -> String {
        format!("{}Z", self.say_local(at.naive_utc()))
    }

    fn say_local(&self, local: NaiveDateTime) -> String {
        let form = match local.and_utc().timestamp_millis() % 60_000 {
            0 => "%H:%M",
            rest if rest % 1000 == 0 => "%H:%M:%S",
            _ => "%H:%M:%S%.3f",
        };
        let clock = local.format(form).to_string();
        if local.date() == self.day {
            return clock;
        }
        let year = if local.year() == self.day.year() { String::new() } else { format!(" {}", local.year()) };
        format!("{} {} {}{year} {clock}", local.weekday(), local.day(), MONTHS[local.month0() as usize].0)
    }
}

/// `09:00`, `09:00:30`, `09:00:30.125`; no leap second, and 24:00 is 00:00 of the next day.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    let plain = text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.');
    let time = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.3f"]
        .iter()
        .find_map(|form| NaiveTime::parse_from_str(text, form).ok())
        .filter(|_| plain)?;
    (chrono::Timelike::nanosecond(&time) < 1_000_000_000).then_some(time)
}

fn year(text: &str) -> Result<i32, String> {
    let known = text.parse().ok().filter(|year| text.len() == 4 && YEARS.contains(year));
    known.ok_or_else(|| format!("`{text}` is no year: write one from {} to {}", YEARS.start(), YEARS.end()))
}

/// A weekday that does not fit its date is a slip of the pen, so it is refused.
fn date(weekday: &str, day: &str, month: &str, year: i32) -> Result<NaiveDate, String> {
    let text = format!("{weekday} {day} {month} {year}");
    let wrong = |why: &str| format!("`{text}` is no day: {why}");
    let number = MONTHS.iter().zip(1..).find(|((short, long), _)| month == *short || month == *long);
    let number = number.ok_or_else(|| wrong("write the month like Mar or March"))?.1;
    let day = day.parse().map_err(|_| wrong("write it like Tue 3 Mar"))?;
    let date = NaiveDate::from_ymd_opt(year, number, day).ok_or_else(|| wrong("the month has no such day"))?;
    match weekday.parse::<Weekday>() {
        Ok(right) if right == date.weekday() => Ok(date),
        Ok(_) => Err(wrong(&format!("that date is a {}", date.format("%A")))),
        Err(_) => Err(wrong("write the weekday like Tue or Tuesday")),
    }
}

/// `3h 30min`; `1h 0min 0.001s` is written `1h 1ms`.
pub(super) fn say_span(ms: Millis) -> String {
    let mut left = ms.unsigned_abs();
    let mut words = Vec::new();
    for (size, name) in [(HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1, "ms")] {
        let size = size.unsigned_abs();
        if left >= size {
            words.push(format!("{}{name}", left / size));
            left %= size;
        }
    }
    let text = if words.is_empty() { "0s".to_owned() } else { words.join(" ") };
    if ms < 0 { format!("minus {text}") } else { text }
}

/// Reads what [`say_span`] writes.
pub(super) fn span(text: &str) -> Result<Millis, String> {
    let wrong = || format!("`{text}` is no length of time: write it like 3h 30min");
    text.split(' ').try_fold(0i64, |sum, word| {
        let digits = word.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let n: i64 = word[..digits].parse().map_err(|_| wrong())?;
        let size = match &word[digits..] {
            "h" => HOUR,
            "min" => MINUTE,
            "s" => SECOND,
            "ms" => 1,
            _ => return Err(wrong()),
        };
        n.checked_mul(size).and_then(|length| sum.checked_add(length)).ok_or_else(wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amsterdam() -> Place {
        Place::read("Times are Europe/Amsterdam; the day is Monday 2 March 2026.").unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn a_time_is_written_as_it_is_read() {
        let place = amsterdam();
        for text in
            ["09:00", "Tue 3 Mar 09:00:00.001", "Fri 15 Jan 2027 09:00", "Sun 25 Oct 02:30", "Sun 25 Oct 01:30Z"]
        {
            assert_eq!(place.instant(text).map(|at| place.say(at)), Ok(text.to_owned()));
        }
        assert_eq!(place.instant("Tuesday 3 March 09:00"), place.instant("Tue 3 Mar 09:00"));
    }

    #[test]
    fn a_slip_of_the_pen_is_told() {
        let place = amsterdam();
        let why = |text: &str| place.instant(text).err().unwrap_or_default();
        assert!(why("Mon 3 Mar 09:00").contains("a Tuesday"), "{}", why("Mon 3 Mar 09:00"));
        assert!(why("Sun 29 Mar 02:30").contains("the clocks skip it"));
        assert!(why("Sun 29 Feb 02:30").contains("no such day"));
        assert!(why("24:00").contains("no time of day"));
        assert!(why("23:59:60").contains("no time of day"));
        assert!(why("Tue 3 Mar").contains("no time"));
        let zone = Place::read("Times are Europe/Amsterdm; the day is Monday 2 March 2026.").err();
        assert!(zone.is_some_and(|why| why.contains("did you mean Europe/Amsterdam?")));
    }

    #[test]
    fn a_length_is_written_as_it_is_read() {
        for text in ["3h 30min", "1h 1ms", "0s", "26h"] {
            assert_eq!(span(text).map(say_span), Ok(text.to_owned()));
        }
        assert!(span("99999999999999999h").is_err());
        assert!(span("3 h").is_err());
    }
}
