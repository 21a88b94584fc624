//! To whom an event goes: as much of it is read as is needed to send it on. The judge reads the rest, and is as strict as ever.

use crate::decode::{DecodeError, Envelope, Envelopes, LONGEST};
use onus_engine::time::Moment;
use onus_engine::vocabulary::REHOMED;
use serde::Deserialize;
use std::borrow::Cow;

/// Longest event that is carried, in bytes: brokers take messages of a million.
const CARRIED: usize = LONGEST * 9 / 10;

/// What is needed of an event.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    partner: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
}

/// To whom an event goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose<'a> {
    Partner(Cow<'a, str>),
    /// A tick: it moves time and is nobody's.
    Nobody(Moment),
    /// An empty line.
    Blank,
    /// It concerns two partners.
    Handover,
}

/// Reads the events of one source, which look alike.
#[derive(Debug, Default)]
pub(super) struct Sorter(Envelopes);

impl Sorter {
    /// Reads one.
    pub(super) fn whose<'a>(&mut self, line: &'a [u8]) -> Result<Whose<'a>, DecodeError> {
        if let Ok(text) = simdutf8::basic::from_utf8(line)
            && text.len() <= CARRIED
        {
            if let Some(Envelope { kind, partner, time }) = self.0.known(text) {
                return of(kind, partner.map(Cow::Borrowed), time);
            }
            let read = whose(line);
            if read.is_ok() {
                self.0.learn(text);
            }
            return read;
        }
        whose(line)
    }
}

/// Reads one as it stands.
fn whose(line: &[u8]) -> Result<Whose<'_>, DecodeError> {
    let text = std::str::from_utf8(line).map_err(|error| DecodeError::Utf8 { byte: error.valid_up_to() + 1 })?;
    if text.trim().is_empty() {
        return Ok(Whose::Blank);
    }
    if text.len() > CARRIED {
        return Err(DecodeError::TooLong { bytes: text.len() });
    }
    let said: Said<'_> = serde_json::from_str(text).map_err(|error| DecodeError::Json(error.to_string()))?;
    of(said.kind.as_deref(), said.partner, said.time.as_deref())
}

fn of<'a>(kind: Option<&str>, partner: Option<Cow<'a, str>>, time: Option<&str>) -> Result<Whose<'a>, DecodeError> {
    if kind == Some("onus.tick") {
        let time = time.ok_or(DecodeError::Missing("time"))?;
        let wrong = || DecodeError::Time { name: "time", text: time.to_owned() };
        return Moment::parse(time).map(Whose::Nobody).ok_or_else(wrong);
    }
    if kind == Some(REHOMED) {
        return Ok(Whose::Handover);
    }
    match partner.filter(|partner| !partner.is_empty()) {
        // A name that is too long for any partner is too long for a key.
        Some(partner) if partner.len() <= LONGEST / 20 => Ok(Whose::Partner(partner)),
        _ => Err(DecodeError::NoPartner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute() -> impl Strategy<Value = String> {
        let name = prop::sample::select(&["type", "partner", "time", "id", "other", "data", "specversion"][..]);
        let value = prop::sample::select(
            &[
                "\"p1\"",
                "\"\"",
                "\"p\\u0031\"",
                "\"onus.tick\"",
                "\"subject.rehomed\"",
                "\"2026-03-02T09:00:00Z\"",
                "null",
                "7",
                "[1,{}]",
                "{\"partner\":\"p2\"}",
                "\"1.0\"",
                "\"a\\n\"",
                "\"\\x\"",
                "tru",
            ][..],
        );
        (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
    }

    proptest! {
        /// Whatever it has learned, it says of an event what a parser does.
        #[test]
        fn what_is_known_is_read_as_what_is_not(
            known in prop::collection::vec(prop::collection::vec(attribute(), 0..6), 1..6),
            version in prop::collection::vec(any::<bool>(), 6),
        ) {
            let mut sorter = Sorter::default();
            let lines: Vec<String> = known.iter().zip(&version).map(|(all, version)| {
                let version = if *version { "\"specversion\":\"1.0\"," } else { "" };
                format!("{{{version}{}}}", all.join(","))
            }).collect();
            for line in lines.iter().chain(&lines) {
                prop_assert_eq!(sorter.whose(line.as_bytes()), whose(line.as_bytes()), "{}", line);
            }
        }
    }

    #[test]
    fn what_looks_like_one_before_needs_no_parser() {
        let event = |partner: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"a","type":"ticket.opened","partner":"{partner}","data":{{"x":["a","b"],"n":null}}}}"#
            )
        };
        let mut sorter = Sorter::default();
        assert!(sorter.0.known(&event("p1")).is_none());
        assert_eq!(sorter.whose(event("p1").as_bytes()), Ok(Whose::Partner("p1".into())));
        assert_eq!(sorter.0.known(&event("p2")).and_then(|known| known.partner), Some("p2"));
    }

    #[test]
    fn an_event_goes_to_its_partner_and_what_has_none_is_refused() {
        let at = |text: &str| Moment::parse(text).expect("an instant");
        assert_eq!(whose(br#"{"type":"ticket.opened","partner":"p1","data":{}}"#), Ok(Whose::Partner("p1".into())));
        assert_eq!(whose(br#"{"type":"x","partner":"p\u0031"}"#), Ok(Whose::Partner("p1".into())));
        let tick = br#"{"type":"onus.tick","source":"desk","time":"2026-03-02T09:00:00Z"}"#;
        assert_eq!(whose(tick), Ok(Whose::Nobody(at("2026-03-02T09:00:00Z"))));
        assert_eq!(whose(b" \r"), Ok(Whose::Blank));
        let handover = br#"{"type":"subject.rehomed","partner":"p1","data":{"from":"p1","to":"p2"}}"#;
        assert_eq!(whose(handover), Ok(Whose::Handover));
        for (line, reason) in [
            (&br#"{"type":"ticket.opened"}"#[..], "NoPartner"),
            (br#"{"type":"ticket.opened","partner":""}"#, "NoPartner"),
            (br#"{"type":"onus.tick"}"#, "Missing"),
            (br#"{"type":"onus.tick","time":"now"}"#, "Time"),
            (br#"{"partner":"p1","partner":"p2"}"#, "Json"),
            (b"nonsense", "Json"),
            (b"\xff", "Utf8"),
        ] {
            assert_eq!(whose(line).expect_err("refused").name(), reason);
        }
    }
}
