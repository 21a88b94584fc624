//! Instants: whole milliseconds since 1970-01-01T00:00:00Z. Time is an argument here, never asked for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::{Add, Sub};

/// Milliseconds of a length of time.
pub type Millis = i64;

/// One second, minute, hour and (elapsed) day in milliseconds.
pub const SECOND: Millis = 1_000;
/// See [`SECOND`].
pub const MINUTE: Millis = 60 * SECOND;
/// See [`SECOND`].
pub const HOUR: Millis = 60 * MINUTE;
/// See [`SECOND`]. A day of elapsed time is always 86,400 s; local days are the calendar's business.
pub const DAY: Millis = 24 * HOUR;

/// An instant, in whole milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// Later than every instant: "not yet", "no deadline".
    pub const NEVER: Moment = Moment(i64::MAX);
    /// Earlier than every instant.
    pub const DAWN: Moment = Moment(i64::MIN);

    /// Reads RFC 3339 with an offset. Digits beyond the millisecond are cut off, not rounded.
    /// None for anything else: no offset, a date that does not exist, a leap second.
    pub fn parse(text: &str) -> Option<Moment> {
        fast(text.as_bytes()).or_else(|| slow(text))
    }

    /// None when it is [`Moment::NEVER`].
    pub fn known(self) -> Option<Moment> {
        (self != Moment::NEVER).then_some(self)
    }

    /// As a chrono instant; None outside chrono's years.
    pub fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }
}

impl Add<Millis> for Moment {
    type Output = Moment;
    fn add(self, ms: Millis) -> Moment {
        Moment(self.0.saturating_add(ms))
    }
}

impl Sub<Moment> for Moment {
    type Output = Millis;
    fn sub(self, other: Moment) -> Millis {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Moment::NEVER {
            return f.pad("never");
        }
        let (y, m, d) = civil_from_days(self.0.div_euclid(DAY));
        if !(0..=9999).contains(&y) {
            return f.pad("out of range");
        }
        let ms = self.0.rem_euclid(DAY);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |at: usize, digits: usize, mut n: i64| {
            for i in (at..at + digits).rev() {
                text[i] = b'0' + (n % 10) as u8;
                n /= 10;
            }
        };
        put(0, 4, y);
        put(5, 2, m);
        put(8, 2, d);
        put(11, 2, ms / HOUR);
        put(14, 2, ms / MINUTE % 60);
        put(17, 2, ms / SECOND % 60);
        put(20, 3, ms % SECOND);
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The form that nearly every record has: `2026-01-05T09:12:33.120Z`, or without a fraction. Eight bytes at a time.
fn fast(b: &[u8]) -> Option<Moment> {
    let second = match b.len() {
        24 => *b.last_chunk()?,
        20 => [b[16], b[17], b[18], b'.', b'0', b'0', b'0', b[19]],
        _ => return None,
    };
    let date = pairs(*b.first_chunk()?, *b"0000-00-")?;
    let hour = pairs(*b[8..].first_chunk()?, *b"00T00:00")?;
    let second = pairs(second, *b":00.000Z")?;
    let (y, m, d) = (date[0] * 100 + date[2], date[5], hour[0]);
    let (h, min, s) = (hour[3], hour[6], second[1]);
    // The first digit of three makes a pair with the point before it, which counts nothing.
    let fraction = second[3] * 100 + second[5];
    if !(1..=12).contains(&m) || d < 1 || d > days_in(y, m) || h > 23 || min > 59 || s > 59 {
        return None;
    }
    Some(Moment(days_from_civil(y, m, d) * DAY + h * HOUR + min * MINUTE + s * SECOND + fraction))
}

/// Each digit and the next as a number, if the text has the form: digits where that has a `0`, else the same signs.
fn pairs(text: [u8; 8], form: [u8; 8]) -> Option<[i64; 8]> {
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let digits = u64::from_le_bytes(text) ^ u64::from_le_bytes(form);
    // What may be added to a byte before its top bit is set, if it is a digit, or the right sign.
    let room = u64::from_le_bytes(form.map(|b| if b == b'0' { 0x7f - 9 } else { 0x7f }));
    if (digits.wrapping_add(room) | digits) & TOPS != 0 {
        return None;
    }
    Some((digits * 10 + (digits >> 8)).to_le_bytes().map(i64::from))
}

fn days_in(y: i64, m: i64) -> i64 {
    match m {
        2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a proleptic Gregorian date; the era arithmetic is Howard Hinnant's.
#[inline(always)]
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Offsets, other fractions, lower-case letters.
fn slow(text: &str) -> Option<Moment> {
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    // chrono keeps a leap second as a nanosecond count above one second: no such instant here.
    (at.timestamp_subsec_nanos() < 1_000_000_000).then(|| Moment(at.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offsets_and_fractions_are_read_and_cut_to_the_millisecond() {
        let want = Moment::parse("2026-01-05T09:12:33.120Z");
        assert!(want.is_some());
        assert_eq!(Moment::parse("2026-01-05T10:12:33.1209999+01:00"), want);
        assert_eq!(Moment::parse("2026-01-05t09:12:33.12z"), want);
        assert_eq!(want.map(|m| m.to_string()).as_deref(), Some("2026-01-05T09:12:33.120Z"));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-01-05",
            "2026-01-05T09:12:33",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-12-31T23:59:60Z",
            "yesterday",
            "2026-01-05T09:12:3éZ",
            "1767604353",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back_and_agrees_with_chrono(ms in -60_000_000_000_000i64..250_000_000_000_000) {
            let shown = Moment(ms).to_string();
            prop_assert_eq!(Moment::parse(&shown), Some(Moment(ms)));
            let chrono = Moment(ms).utc().map(|utc| utc.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
            prop_assert_eq!(chrono, Some(shown));
        }

        #[test]
        fn the_fast_path_agrees_with_chrono(text in "[0-2][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{3})?Z") {
            if let Some(at) = fast(text.as_bytes()) {
                prop_assert_eq!(slow(&text), Some(at));
            } else {
                prop_assert_eq!(slow(&text), None);
            }
        }
    }
}
