//! An event whose attributes are in headers, as the JSON object that it would have been.

use super::answer::Answer;
use super::split::{not_split, one};
use axum::http::HeaderMap;

/// The record. Attributes are texts, as headers are; which of them must be there is for the decoder to say.
pub(super) fn event(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Answer> {
    let mut json = String::from("{");
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
        let fail = |why: &str| Err(not_split(0, &format!("the header `ce-{name}` {why}")));
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
            return fail("names no attribute: a name has only the letters a to z and digits");
        }
        if name == "data" {
            return fail("is not read: an event's data is the body");
        }
        if seen.contains(&name) {
            return fail("stands twice");
        }
        seen.push(name);
        let Some(text) = text(value.as_bytes()) else { return fail("is not UTF-8 in percent-encoding") };
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&quoted(name));
        json.push(':');
        json.push_str(&quoted(&text));
    }
    if !body.is_empty() {
        json.push_str(",\"data\":");
        json.push_str(one(body)?);
    }
    json.push('}');
    Ok(json.into_bytes())
}

/// A header's value as the text that was meant: what is in double quotes unescaped, then percent-encoding undone once.
fn text(value: &[u8]) -> Option<String> {
    let mut plain = Vec::with_capacity(value.len());
    let mut within = false;
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => within = !within,
            b'\\' if within => plain.push(*bytes.next()?),
            byte => plain.push(*byte),
        }
    }
    let mut out = Vec::with_capacity(plain.len());
    let mut rest = plain.as_slice();
    while let Some((byte, after)) = rest.split_first() {
        let code = (*byte == b'%').then(|| after.get(..2)).flatten().and_then(hex);
        match code {
            Some(code) => {
                out.push(code);
                rest = &after[2..];
            }
            // A lone percent sign means itself.
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    if within { None } else { String::from_utf8(out).ok() }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_was_meant() {
        let read = |value: &str| text(value.as_bytes());
        assert_eq!(read("INC-1").as_deref(), Some("INC-1"));
        assert_eq!(read("Z%C3%BCrich%20%E2%82%AC").as_deref(), Some("Zürich €"));
        assert_eq!(read("%2525").as_deref(), Some("%25"));
        assert_eq!(read(r#""a \"b\" %22c""#).as_deref(), Some(r#"a "b" "c"#));
        assert_eq!(read("100% or 5%2").as_deref(), Some("100% or 5%2"));
        assert_eq!(read("%FF"), None);
        assert_eq!(read(r#""open"#), None);
    }
}
