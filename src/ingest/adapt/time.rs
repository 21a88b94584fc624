//! Times as vendors write them. What could be several instants is none.

use super::codes::{Error, No, quoted};
use super::event::Quality;
use chrono::{LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use onus_engine::time::Moment;

/// Earlier than this no record of a living source is: zero, and seconds taken for milliseconds (2000-01-01).
pub(super) const EARLIEST_MS: i64 = 946_684_800_000;

/// Later than this (2100-01-01) nothing happened yet: microseconds taken for milliseconds.
const LATEST_MS: i64 = 4_102_444_800_000;

/// RFC 3339; also with an offset without a colon, with a blank for the T, and with any number of digits.
pub(super) fn rfc3339(field: &str, text: &str) -> Result<Moment, No> {
    let text = text.trim();
    let read = Moment::parse(text).or_else(|| {
        // `+0100`, as Jira writes it.
        let at = text.len().checked_sub(5).filter(|at| *at >= 10 && text.is_char_boundary(*at))?;
        let (front, offset) = text.split_at(at);
        let digits = offset[1..].bytes().all(|b| b.is_ascii_digit());
        (matches!(offset.as_bytes()[0], b'+' | b'-') && digits)
            .then(|| Moment::parse(&format!("{front}{}:{}", &offset[..3], &offset[3..])))?
    });
    match read.filter(|at| (EARLIEST_MS..LATEST_MS).contains(&at.0)) {
        Some(at) => Ok(at),
        None => No::error(Error::BadTime, format!("{field} is {}, and no instant with an offset", quoted(text))),
    }
}

/// Milliseconds since 1970.
pub(super) fn epoch_ms(field: &str, ms: i64, earliest: i64) -> Result<Moment, No> {
    if (earliest..LATEST_MS).contains(&ms) {
        return Ok(Moment(ms));
    }
    No::error(
        Error::BadTime,
        format!("{field} is {ms}, and that many milliseconds since 1970 lie outside 2000 to 2100"),
    )
}

/// `2026-03-02 08:04:11` on the clocks of a zone. What no clock showed is no time; of two instants it is at most the later.
pub(super) fn local(field: &str, text: &str, zone: Tz) -> Result<(Moment, Quality), No> {
    let wrong = |why: &str| No::error(Error::BadTime, format!("{field} is {}, {why}", quoted(text)));
    // Nearly all are so.
    if zone == Tz::UTC && text.len() == 19 {
        let read = Moment::parse(&format!("{text}Z")).filter(|at| (EARLIEST_MS..LATEST_MS).contains(&at.0));
        if let Some(at) = read.filter(|_| text.as_bytes()[10] == b' ') {
            return Ok((at, Quality::Exact));
        }
    }
    let Ok(naive) = NaiveDateTime::parse_from_str(text.trim(), "%Y-%m-%d %H:%M:%S") else {
        return wrong("and not `2026-03-02 08:04:11`");
    };
    let (at, quality) = match zone.from_local_datetime(&naive) {
        LocalResult::Single(at) => (at, Quality::Exact),
        LocalResult::Ambiguous(_, later) => (later, Quality::UpperBound),
        LocalResult::None => return wrong(&format!("which no clock of {zone} has shown")),
    };
    let at = Moment(at.timestamp_millis());
    if !(EARLIEST_MS..LATEST_MS).contains(&at.0) {
        return wrong("which lies outside 2000 to 2100");
    }
    Ok((at, quality))
}

/// `2026-03-02`: the first instant of that day, or of the day after, on the clocks of a zone.
pub(super) fn day(field: &str, text: &str, zone: Tz, after: bool) -> Result<(Moment, Quality), No> {
    let date = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok().filter(|_| text.trim().len() == 10);
    match date.and_then(|date| if after { date.succ_opt() } else { Some(date) }) {
        Some(date) => local(field, &format!("{date} 00:00:00"), zone),
        None => No::error(Error::BadTime, format!("{field} is {}, and not a day like `2026-03-02`", quoted(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_with_and_without_a_colon_and_digits_are_cut_off() {
        let at = Some(Moment(1_772_438_651_120));
        for text in ["2026-03-02T09:04:11.120+0100", "2026-03-02T09:04:11.120+01:00", "2026-03-02T08:04:11.1209999Z"] {
            assert_eq!(rfc3339("t", text).ok(), at, "{text}");
        }
    }

    #[test]
    fn what_has_no_zone_or_lies_far_off_is_no_time() {
        for text in
            ["2026-03-02T09:04:11", "2026-03-02 08:04:11", "", "0", "1970-01-01T00:00:00Z", "Mar 2, 2026, 8:50:00 AM"]
        {
            assert!(rfc3339("t", text).is_err(), "{text}");
        }
        for ms in [0, 1_772_438_651, 1_772_438_651_120_000, -1] {
            assert!(epoch_ms("t", ms, EARLIEST_MS).is_err(), "{ms}");
        }
    }

    #[test]
    fn a_gap_of_the_clocks_is_an_error_and_a_doubled_hour_is_at_most_the_later() {
        let warsaw = chrono_tz::Europe::Warsaw;
        assert!(local("t", "2026-03-29 02:30:00", warsaw).is_err());
        let twice = local("t", "2026-10-25 02:30:00", warsaw);
        assert_eq!(twice, Ok((Moment(1_792_891_800_000), Quality::UpperBound)));
        assert_eq!(local("t", "2026-03-02 08:04:11", Tz::UTC), Ok((Moment(1_772_438_651_000), Quality::Exact)));
    }
}
