//! Instants and lengths of time as a contract lawyer writes them, read and written back the same way.

use chrono::offset::LocalResult;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The zone and the day that a case's times are in unless a time says otherwise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    zone: Tz,
    day: NaiveDate,
}

impl Place {
    /// Reads `Times are Europe/Amsterdam; the day is Monday 2 March 2026.`
    pub(crate) fn read(line: &str) -> Result<Place, String> {
        let (zone, day) = line
            .strip_prefix("Times are ")
            .and_then(|rest| rest.trim_end_matches('.').split_once("; the day is "))
            .ok_or_else(|| format!("not a zone and a day: {line}"))?;
        let zone = zone.parse().map_err(|_| format!("unknown zone {zone}"))?;
        let [weekday, day, month, year] = day.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not a day: {day}"));
        };
        let year = year.parse().map_err(|_| format!("not a year: {year}"))?;
        Ok(Place { zone, day: date(weekday, day, month, year)? })
    }

    /// Reads `11:58`, `Tue 3 Mar 11:58:00.001`, `Sun 25 Oct 01:30Z`. A repeated local time is the first of the two.
    pub(crate) fn instant(&self, text: &str) -> Result<DateTime<Utc>, String> {
        let (text, utc) = text.strip_suffix('Z').map_or((text, false), |rest| (rest, true));
        let words: Vec<&str> = text.split(' ').collect();
        let (day, clock) = match words[..] {
            [clock] => (self.day, clock),
            [weekday, day, month, clock] => (date(weekday, day, month, self.day.year())?, clock),
            _ => return Err(format!("not a time: {text}")),
        };
        let time = ["%H:%M", "%H:%M:%S", "%H:%M:%S%.3f"]
            .iter()
            .find_map(|form| NaiveTime::parse_from_str(clock, form).ok())
            .ok_or_else(|| format!("not a time of day: {clock}"))?;
        let local = NaiveDateTime::new(day, time);
        if utc {
            return Ok(local.and_utc());
        }
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Ok(at.to_utc()),
            LocalResult::None => Err(format!("{text} does not exist in {}", self.zone)),
        }
    }

    /// The shortest form that [`Place::instant`] reads back.
    pub(crate) fn say(&self, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&self.zone).naive_local();
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(back) if back == at => self.say_local(local),
            LocalResult::Ambiguous(first, _) if first == at => self.say_local(local),
            _ => format!("{}Z", self.say_local(at.naive_utc())),
        }
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
        format!("{} {} {} {clock}", local.weekday(), local.day(), MONTHS[local.month0() as usize])
    }
}

/// A weekday that does not fit its date is a slip of the pen, so it is refused.
fn date(weekday: &str, day: &str, month: &str, year: i32) -> Result<NaiveDate, String> {
    let wrong = || format!("no such day: {weekday} {day} {month} {year}");
    let month = MONTHS.iter().zip(1..).find(|(name, _)| month.starts_with(**name)).ok_or_else(wrong)?.1;
    let day = day.parse().map_err(|_| wrong())?;
    let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(wrong)?;
    (weekday.parse::<Weekday>() == Ok(date.weekday())).then_some(date).ok_or_else(wrong)
}

/// `3h 30min`, `1h 0min 0.001s` is written `1h 1ms`.
pub(crate) fn say_span(ms: i64) -> String {
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")];
    let mut left = ms.abs();
    let mut words = Vec::new();
    for (size, name) in units {
        if left >= size {
            words.push(format!("{}{name}", left / size));
            left %= size;
        }
    }
    let text = if words.is_empty() { "0s".to_owned() } else { words.join(" ") };
    if ms < 0 { format!("minus {text}") } else { text }
}

/// Reads what [`say_span`] writes.
pub(crate) fn span(text: &str) -> Result<i64, String> {
    let wrong = || format!("not a length of time: {text}");
    text.split(' ')
        .map(|word| {
            let digits = word.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let n: i64 = word[..digits].parse().map_err(|_| wrong())?;
            let size = match &word[digits..] {
                "h" => 3_600_000,
                "min" => 60_000,
                "s" => 1_000,
                "ms" => 1,
                _ => return Err(wrong()),
            };
            Ok(n * size)
        })
        .sum()
}
