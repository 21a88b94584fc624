//! A record that cannot be read, as it is kept in a dead letter: a text, from which it can be read again.

use super::{Found, Mode, Wire, cloudevents, envelope, schema};
use crate::ingest::base64::base64;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// What lies there: as it is where it is text, in base64 where it is not; with its attributes where they are in headers.
pub fn kept<'m>(value: &'m [u8], headers: &[(&str, &[u8])]) -> Cow<'m, [u8]> {
    if let Some(head) = schema::in_header(headers) {
        let headers: Vec<(&str, &[u8])> = headers.iter().filter(|(_, value)| *value != head).copied().collect();
        return Cow::Owned(kept(&[head, value].concat(), &headers).into_owned());
    }
    if let Mode::Binary(content) = Mode::of(headers) {
        let mut out = cloudevents::attributes(headers, content.as_deref());
        out.extend_from_slice(b"\"data_base64\":\"");
        out.extend_from_slice(STANDARD.encode(value).as_bytes());
        out.extend_from_slice(b"\"}");
        return Cow::Owned(out);
    }
    let shown = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    match std::str::from_utf8(value) {
        Ok(text) if text.chars().all(shown) => Cow::Borrowed(value),
        _ => Cow::Owned(STANDARD.encode(value).into_bytes()),
    }
}

impl Wire {
    /// Reads what was kept.
    pub fn again(&self, kept: &[u8]) -> Found<'static> {
        if let Some(found) = self.event_again(kept) {
            return found;
        }
        match std::str::from_utf8(kept).ok().and_then(base64) {
            Some(value) => owned(self.read(Some(&value), &[])),
            None => owned(self.read(Some(kept), &[])),
        }
    }

    /// An event whose attributes were in headers.
    fn event_again(&self, kept: &[u8]) -> Option<Found<'static>> {
        let members = envelope::members(kept)?;
        envelope::one(&members, "specversion")?;
        let value: String = serde_json::from_str(envelope::one(&members, "data_base64")?).ok()?;
        let value = base64(&value)?;
        let texts = members.iter().filter_map(|(name, text)| {
            let text: String = serde_json::from_str(text.get()).ok()?;
            let name = if name == "datacontenttype" { "content-type".to_owned() } else { format!("ce_{name}") };
            Some((name, text))
        });
        let texts: Vec<(String, String)> = texts.filter(|(name, _)| name != "ce_data_base64").collect();
        let headers: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        Some(owned(self.read(Some(&value), &headers)))
    }
}

fn owned(found: Found<'_>) -> Found<'static> {
    match found {
        Found::One(one) => Found::One(Cow::Owned(one.into_owned())),
        Found::Many(many) => Found::Many(many.into_iter().map(|one| Cow::Owned(one.into_owned())).collect()),
        Found::Skip(skip) => Found::Skip(skip),
        Found::Wrong(fault) => Found::Wrong(fault),
        Found::Waits(need) => Found::Waits(need),
    }
}
