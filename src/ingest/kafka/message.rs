//! What one Kafka message holds: the three ways in which CloudEvents are sent.

use rdkafka::message::{BorrowedMessage, Headers, Message};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Shows the records of one message, in order, and says with the last that it is; none: it is passed over.
pub(super) fn each(message: &BorrowedMessage<'_>, show: &mut dyn FnMut(&[u8], bool)) {
    // A message without value deletes a key in a compacted topic: that is no event.
    let Some(value) = message.payload() else { return };
    // Most come without headers, and are what their value says.
    let Some(headers) = message.headers() else { return show(value, true) };
    let headers: Vec<(&str, &[u8])> = headers.iter().filter_map(|header| Some((header.key, header.value?))).collect();
    let records = made(value, &headers);
    let last = records.len().wrapping_sub(1);
    for (at, record) in records.iter().enumerate() {
        show(record, at == last);
    }
}

fn made<'m>(value: &'m [u8], headers: &[(&str, &[u8])]) -> Vec<Cow<'m, [u8]>> {
    let content = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let content = content.map(|(_, value)| String::from_utf8_lossy(value).trim().to_ascii_lowercase());
    match content.as_deref() {
        Some(content) if content.starts_with("application/cloudevents-batch") => parted(value),
        Some(content) if content.starts_with("application/cloudevents") => vec![Cow::Borrowed(value)],
        content if headers.iter().any(|(name, _)| *name == "ce_specversion") => {
            vec![Cow::Owned(joined(value, headers, content))]
        }
        _ => vec![Cow::Borrowed(value)],
    }
}

/// A batch is an array of events. What is none is handed over whole, and becomes a dead letter as it is.
fn parted(value: &[u8]) -> Vec<Cow<'_, [u8]>> {
    match serde_json::from_slice::<Vec<&RawValue>>(value) {
        Ok(events) => events.into_iter().map(|event| Cow::Borrowed(event.get().as_bytes())).collect(),
        Err(_) => vec![Cow::Borrowed(value)],
    }
}

/// Attributes are in the headers: one JSON object is made of them and the value.
fn joined(value: &[u8], headers: &[(&str, &[u8])], content: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 64 * headers.len());
    let text =
        |out: &mut Vec<u8>, text: &str| out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str, headers: &[(&str, &str)]) -> Vec<String> {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        made(value.as_bytes(), &headers).iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect()
    }

    #[test]
    fn a_structured_event_is_taken_as_it_is() {
        assert_eq!(texts("{\"id\":1}", &[]), ["{\"id\":1}"]);
        let headers = [("content-type", "application/cloudevents+json; charset=UTF-8"), ("ce_specversion", "1.0")];
        assert_eq!(texts("{\"id\":1}", &headers), ["{\"id\":1}"]);
    }

    #[test]
    fn a_binary_event_becomes_a_structured_one() {
        let headers =
            [("ce_specversion", "1.0"), ("ce_id", "a\"b"), ("other", "x"), ("content-type", "application/json")];
        let want =
            "{\"specversion\":\"1.0\",\"id\":\"a\\\"b\",\"datacontenttype\":\"application/json\",\"data\":{\"n\": 1}}";
        assert_eq!(texts(" {\"n\": 1}\n", &headers), [want]);
    }

    #[test]
    fn data_that_is_no_json_is_a_text_and_no_data_is_none() {
        let headers = [("ce_specversion", "1.0"), ("Content-Type", "text/plain")];
        assert_eq!(
            texts("12", &headers),
            ["{\"specversion\":\"1.0\",\"datacontenttype\":\"text/plain\",\"data\":\"12\"}"]
        );
        assert_eq!(texts("", &headers[..1]), ["{\"specversion\":\"1.0\"}"]);
        assert_eq!(texts("{", &headers[..1]), ["{\"specversion\":\"1.0\",\"data\":\"{\"}"]);
    }

    #[test]
    fn a_batch_is_parted_and_what_is_no_batch_stays_whole() {
        let headers = [("content-type", "application/cloudevents-batch+json")];
        assert_eq!(texts("[{\"a\": [1]}, {\"b\":2}]", &headers), ["{\"a\": [1]}", "{\"b\":2}"]);
        assert_eq!(texts("[{\"a\": 1}, ", &headers), ["[{\"a\": 1}, "]);
        assert!(texts("[]", &headers).is_empty());
    }
}
