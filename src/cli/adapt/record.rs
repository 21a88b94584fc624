//! A record as one line: `{key, headers, kafka_timestamp, topic, partition, offset}` and its value.

use super::reader::Reader;
use crate::ingest::adapt::{Answer, Error, Record, redact_text};
use onus_engine::time::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is looked at of a line; it may say more.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default, deserialize_with = "there")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    value: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "there")]
    value_b64: Option<&'a RawValue>,
    #[serde(default)]
    kafka_timestamp: Option<serde_json::Value>,
    #[serde(default)]
    headers: Option<serde_json::Value>,
    #[serde(default)]
    topic: Option<String>,
    #[serde(default)]
    partition: Option<i64>,
    #[serde(default)]
    offset: Option<i64>,
}

/// Null is there, too: a null value is a tombstone, none at all is a mistake.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

pub(super) fn read(reader: &mut Reader, line: &[u8]) -> Answer {
    let wrong = |code: Error, why: String| Answer { errors: vec![(code, why)], ..Answer::default() };
    let parsed = match serde_json::from_slice::<Line<'_>>(line) {
        Ok(parsed) => parsed,
        Err(error) => {
            return wrong(Error::NotJson, redact_text(&format!("the line is no record: {error}")).into_owned());
        }
    };
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    let bytes = match (parsed.payload, parsed.value, parsed.value_b64) {
        (Some(raw), None, None) | (None, Some(raw), None) | (None, None, Some(raw)) if raw.get() == "null" => None,
        (None, None, Some(raw)) => match text(raw).and_then(|text| crate::ingest::base64::base64(&text)) {
            Some(bytes) => Some(bytes),
            None => return wrong(Error::BadFrame, "value_b64 is no base64".to_owned()),
        },
        // A text is the record's bytes; anything else is what they say.
        (Some(raw), None, None) | (None, Some(raw), None) => {
            Some(text(raw).unwrap_or_else(|| raw.get().to_owned()).into_bytes())
        }
        _ => return wrong(Error::UnknownEnvelope, "a record has one of payload, value and value_b64".to_owned()),
    };
    let time = match (&parsed.kafka_timestamp, &parsed.headers) {
        (Some(serde_json::Value::Null) | None, Some(headers)) => headers.get("kafka_timestamp"),
        (said, _) => said.as_ref(),
    };
    let recorded = match time.filter(|time| !time.is_null()).map(instant) {
        None => None,
        Some(Some(at)) => Some(at),
        Some(None) => {
            return wrong(Error::BadTime, "kafka_timestamp is no instant and no milliseconds since 1970".to_owned());
        }
    };
    let place = match (&parsed.topic, parsed.partition, parsed.offset) {
        (Some(topic), Some(partition), Some(offset)) => Some(format!("{topic}/{partition}/{offset}")),
        _ => None,
    };
    let record = Record { value: bytes.as_deref(), recorded, topic: parsed.topic.as_deref(), place: place.as_deref() };
    let headers = match &parsed.headers {
        Some(serde_json::Value::Object(headers)) => headers.iter().filter_map(header).collect(),
        _ => Vec::new(),
    };
    reader.read(&record, &headers)
}

/// A header as it is on a topic. What is no text is none of those that are looked at.
fn header<'h>((name, value): (&'h String, &'h serde_json::Value)) -> Option<(&'h str, &'h [u8])> {
    Some((name.as_str(), value.as_str()?.as_bytes())).filter(|(name, _)| *name != "kafka_timestamp")
}

fn instant(said: &serde_json::Value) -> Option<Moment> {
    match said {
        serde_json::Value::String(text) => Moment::parse(text),
        other => other.as_i64().filter(|ms| (0..4_102_444_800_000).contains(ms)).map(Moment),
    }
}
