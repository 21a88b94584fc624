//! Instants, dates and zones as a contract writes them.

use super::code::Code;
use super::fields;
use super::report::{At, Hint, Report, nearest, quote};
use super::yaml::Node;
use chrono::NaiveDate;
use chrono_tz::{TZ_VARIANTS, Tz};
use onus_engine::time::Moment;

/// An instant with its offset.
pub(crate) fn instant(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Moment> {
    let text = fields::text(node, what, report)?;
    let at = Moment::parse(text);
    if at.is_none() {
        let message = format!("{what} {} is no instant", quote(text));
        let hint = match read_date(text.get(..10).unwrap_or("")) {
            Some(date) => format!("write it with a time and an offset, like {date}T00:00:00Z"),
            None => "write it like 2026-01-01T00:00:00Z; the date must exist and the offset must be there".to_owned(),
        };
        report.hinted(Code::BadInstant, node.at, message, hint);
    }
    at
}

/// A date, `2026-12-24`.
pub(crate) fn date(text: &str, at: At, report: &mut Report<'_>) -> Option<NaiveDate> {
    let date = read_date(text);
    if date.is_none() {
        let message = format!("{} is no date", quote(text));
        report.hinted(Code::BadDate, at, message, "write it as YYYY-MM-DD, and it must exist");
    }
    date
}

/// A date in its one form; None if it is another, or does not exist.
pub(crate) fn read_date(text: &str) -> Option<NaiveDate> {
    let b = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| b.get(range).is_some_and(|d| d.iter().all(u8::is_ascii_digit));
    let formed = b.len() == 10 && digits(0..4) && b[4] == b'-' && digits(5..7) && b[7] == b'-' && digits(8..10);
    if !formed {
        return None;
    }
    NaiveDate::from_ymd_opt(text[0..4].parse().ok()?, text[5..7].parse().ok()?, text[8..10].parse().ok()?)
}

/// A zone of the IANA table.
pub(crate) fn zone(node: &Node, report: &mut Report<'_>) -> Option<Tz> {
    let text = fields::text(node, "zone", report)?;
    let zone = text.parse().ok();
    if zone.is_none() {
        let message = format!("unknown zone {}", quote(text));
        let named = nearest(text, TZ_VARIANTS.iter().map(|z| z.name()));
        let hint = match named {
            Some(near) => Hint::Meant(near.to_owned()),
            None => "write it as the IANA table does, like Europe/Amsterdam or UTC".into(),
        };
        report.hinted(Code::UnknownZone, node.at, message, hint);
    }
    zone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_one_form_and_must_exist() {
        assert!(read_date("2028-02-29").is_some());
        for text in ["2026-02-29", "2026-2-01", "2026-13-01", "20260101", "2026-01-0é", "+026-01-01"] {
            assert_eq!(read_date(text), None, "{text}");
        }
    }
}
