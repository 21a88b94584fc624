//! From a request to its events, each as one record. What is in an event is not looked at: the decoder does that, and what
//! it cannot read becomes a dead letter. What cannot even be told apart is refused here.

use super::answer::{Answer, Problem};
use super::{binary, only};
use axum::http::{HeaderMap, header};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How events lie in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// One event, its attributes and its data in one JSON object.
    Structured,
    /// A JSON array of such objects.
    Batch,
    /// Such objects, one a line.
    Lines,
    /// Attributes in headers, data in the body.
    Binary,
    /// The body is one record, whatever stands in it: an adapter reads it.
    Whole,
}

/// One event.
#[derive(Debug)]
pub(super) struct Item<'b> {
    pub(super) bytes: Cow<'b, [u8]>,
    /// Its line, where events lie in lines.
    pub(super) line: Option<u64>,
}

/// What is read.
const FORMS: &str = "send `application/cloudevents+json` (one event), `application/cloudevents-batch+json` (a JSON array \
                     of events), `application/x-ndjson` (one event a line), or the attributes in `ce-` headers with JSON \
                     data";

impl Mode {
    /// Of a vendor's records: one that is the body, or one a line.
    pub(super) fn of_records(headers: &HeaderMap) -> Result<Mode, Answer> {
        let value = only(headers, &header::CONTENT_TYPE)?.map(String::from_utf8_lossy).unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(if matches!(&*kind, "application/x-ndjson" | "text/plain") { Mode::Lines } else { Mode::Whole })
    }

    /// As the headers say it.
    pub(super) fn of(headers: &HeaderMap) -> Result<Mode, Answer> {
        let binary = headers.keys().any(|name| name.as_str().starts_with("ce-"));
        let Some(value) = only(headers, &header::CONTENT_TYPE)? else {
            return if binary { Ok(Mode::Binary) } else { Err(Answer::form(&format!("no `content-type`: {FORMS}"))) };
        };
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        let (kind, rest) = value.split_once(';').unwrap_or((&value, ""));
        let utf8 = rest.split(';').filter_map(|part| part.split_once('=')).all(|(name, value)| {
            name.trim() != "charset" || matches!(value.trim().trim_matches('"'), "utf-8" | "utf8" | "us-ascii")
        });
        if !utf8 {
            return Err(Answer::form("JSON is read as UTF-8 only"));
        }
        match kind.trim() {
            "application/cloudevents+json" => Ok(Mode::Structured),
            "application/cloudevents-batch+json" => Ok(Mode::Batch),
            "application/x-ndjson" => Ok(Mode::Lines),
            json if binary && (json == "application/json" || json == "text/json" || json.ends_with("+json")) => {
                Ok(Mode::Binary)
            }
            other => {
                let printable: String = other.chars().filter(|c| !c.is_control()).take(80).collect();
                Err(Answer::form(&format!("the content type `{printable}` is not read: {FORMS}")))
            }
        }
    }
}

/// The events of a body, at most `most`.
pub(super) fn split<'b>(mode: Mode, headers: &HeaderMap, body: &'b [u8], most: usize) -> Result<Vec<Item<'b>>, Answer> {
    let items = match mode {
        Mode::Structured => vec![structured(body)?],
        Mode::Batch => batch(body)?,
        Mode::Lines => lines(body, most),
        Mode::Whole => vec![Item { bytes: Cow::Borrowed(body), line: None }],
        Mode::Binary => vec![Item { bytes: Cow::Owned(binary::event(headers, body)?), line: None }],
    };
    if items.len() > most {
        return Err(Answer::too_large(&format!(
            "more than the {most} events that one request may have: send them in several requests"
        )));
    }
    Ok(items)
}

fn structured(body: &[u8]) -> Result<Item<'_>, Answer> {
    let json = one(body)?;
    match json.as_bytes().first() {
        Some(b'{') => Ok(Item { bytes: Cow::Borrowed(json.as_bytes()), line: None }),
        Some(b'[') => {
            Err(not_split(0, "the body is a JSON array: several events are `application/cloudevents-batch+json`"))
        }
        _ => Err(not_split(0, "the body is no JSON object, so it is no event")),
    }
}

fn batch(body: &[u8]) -> Result<Vec<Item<'_>>, Answer> {
    let json = one(body)?;
    let array: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| {
        not_split(0, "the body is no JSON array: one event by itself is `application/cloudevents+json`")
    })?;
    Ok(array.iter().map(|event| Item { bytes: Cow::Borrowed(event.get().as_bytes()), line: None }).collect())
}

/// Each line is an event, whatever stands in it; those with nothing on them are passed over.
fn lines(body: &[u8], most: usize) -> Vec<Item<'_>> {
    let blank = |line: &[u8]| line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
    let all = (1..).zip(body.split(|byte| *byte == b'\n')).filter(|(_, line)| !blank(line));
    all.take(most + 1).map(|(number, line)| Item { bytes: Cow::Borrowed(line), line: Some(number) }).collect()
}

/// The one JSON value that a body is, without the white space around it.
pub(super) fn one(body: &[u8]) -> Result<&str, Answer> {
    let text = std::str::from_utf8(body)
        .map_err(|error| not_split(0, &format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    let json: &RawValue = serde_json::from_str(text).map_err(|error| not_split(0, &format!("no JSON: {error}")))?;
    Ok(json.get())
}

pub(super) fn not_split(item: usize, reason: &str) -> Answer {
    Answer::refused("no events can be made out; nothing is written down", vec![Problem::of(item, reason)])
}
