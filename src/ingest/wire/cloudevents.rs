//! The ways in which CloudEvents are sent: by what headers say, and by what an array shows.

use super::place;
use serde_json::value::RawValue;
use std::ops::Range;

/// What headers say of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Nothing.
    None,
    /// It is an event.
    Structured,
    /// It is an array of events.
    Batch,
    /// It is an event's data, of this content type; the attributes are in the headers.
    Binary(Option<String>),
    /// It is an event in a format that is not read.
    Unread(String),
}

impl Mode {
    pub(super) fn of(headers: &[(&str, &[u8])]) -> Mode {
        if headers.is_empty() {
            return Mode::None;
        }
        let content = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let content = content.map(|(_, value)| String::from_utf8_lossy(value).trim().to_ascii_lowercase());
        let kind = content.as_deref().map(|content| content.split(';').next().unwrap_or_default().trim_end());
        match kind.and_then(|kind| kind.strip_prefix("application/cloudevents")) {
            Some("" | "+json") => Mode::Structured,
            Some("-batch" | "-batch+json") => Mode::Batch,
            Some(format) => Mode::Unread(format!("application/cloudevents{format}")),
            None if headers.iter().any(|(name, _)| *name == "ce_specversion") => Mode::Binary(content),
            None => Mode::None,
        }
    }
}

/// A batch is an array of events. None: it is no array, and is handed on whole.
pub(super) fn batch(value: &[u8]) -> Option<Vec<Range<usize>>> {
    let events = serde_json::from_slice::<Vec<&RawValue>>(value).ok()?;
    events.into_iter().map(|event| place(event.get(), value)).collect()
}

/// An array that nothing speaks of is a batch if all in it are CloudEvents. Other arrays are their adapter's.
pub(super) fn sniffed_batch(value: &[u8]) -> Option<Vec<Range<usize>>> {
    let ranges = batch(value)?;
    let event = |range: &Range<usize>| {
        super::envelope::members(&value[range.clone()])
            .is_some_and(|members| members.iter().any(|(name, _)| name == "specversion"))
    };
    (!ranges.is_empty() && ranges.iter().all(event)).then_some(ranges)
}

/// Attributes are in the headers: one JSON object is made of them and the value.
pub(super) fn joined(value: &[u8], headers: &[(&str, &[u8])], content: Option<&str>) -> Vec<u8> {
    let mut out = attributes(headers, content);
    let json = content.is_none_or(|content| {
        let kind = content.split(';').next().unwrap_or_default().trim();
        kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
    });
    let whole = if json { serde_json::from_slice::<&RawValue>(value).ok() } else { None };
    match (whole, std::str::from_utf8(value)) {
        _ if value.is_empty() => {
            // No data at all.
            out.pop();
        }
        (Some(data), _) => {
            out.extend_from_slice(b"\"data\":");
            out.extend_from_slice(data.get().as_bytes());
        }
        (None, Ok(data)) => {
            out.extend_from_slice(b"\"data\":");
            text(&mut out, data);
        }
        // Not read by the decoder, which says so.
        (None, Err(_)) => out.extend_from_slice(b"\"data_base64\":\"\""),
    }
    out.push(b'}');
    out
}

/// The object's beginning: an opening bracket, and each attribute with a comma.
pub(super) fn attributes(headers: &[(&str, &[u8])], content: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + 64 * headers.len());
    out.push(b'{');
    for (name, value) in headers {
        // An attribute that is said twice stays twice: the decoder says what it thinks of that.
        let Some(name) = name.strip_prefix("ce_") else { continue };
        text(&mut out, name);
        out.push(b':');
        text(&mut out, &String::from_utf8_lossy(value));
        out.push(b',');
    }
    if let Some(content) = content {
        out.extend_from_slice(b"\"datacontenttype\":");
        text(&mut out, content);
        out.push(b',');
    }
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
}
