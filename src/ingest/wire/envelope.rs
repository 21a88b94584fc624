//! JSON around the JSON that is meant. An envelope is told by its whole shape, and looked for only where the first name in
//! it is one of an envelope's: every event that begins otherwise is left alone after a look at a few bytes.

use super::{BAD_FRAME, Layer, Skip, Stop, place};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a change of a row may have, by Debezium.
const CHANGE: [&str; 8] = ["before", "after", "source", "op", "ts_ms", "ts_us", "ts_ns", "transaction"];

/// An object's outermost wrapping.
pub(super) fn object(value: &[u8]) -> Result<Layer, Stop> {
    match first_name(value) {
        Some(b"schema" | b"payload") => connect(value),
        // An event may begin with its source, too; a change's is an object.
        Some(b"source") if !source_is_object(value) => Ok(Layer::Bare),
        Some(name) if CHANGE.iter().any(|known| known.as_bytes() == name) => debezium(value),
        Some(b"messageType" | b"owner") => Ok(log_events(value)),
        _ => Ok(Layer::Bare),
    }
}

/// The first name of an object, as it is written; one with an escape in it is none of ours.
fn first_name(value: &[u8]) -> Option<&[u8]> {
    let rest = value.get(1..)?.trim_ascii_start().strip_prefix(b"\"")?;
    // None of ours is longer.
    let end = rest.iter().take(16).position(|byte| *byte == b'"')?;
    Some(&rest[..end])
}

fn source_is_object(value: &[u8]) -> bool {
    let rest = memchr::memchr(b':', value).map_or(&[][..], |at| &value[at + 1..]);
    rest.trim_ascii_start().first() == Some(&b'{')
}

/// Kafka Connect's JSON with its schema beside it.
fn connect(value: &[u8]) -> Result<Layer, Stop> {
    let Some(members) = members(value).filter(|members| members.len() == 2) else { return Ok(Layer::Bare) };
    let (schema, payload) = (one(&members, "schema"), one(&members, "payload"));
    match (schema, payload) {
        (Some(_), Some("null")) => Err(Stop::Skip(Skip::Tombstone)),
        (Some(_), Some(payload)) => Ok(place(payload, value).map_or(Layer::Bare, Layer::Within)),
        _ => Ok(Layer::Bare),
    }
}

/// A change of a row: what is read is the row as it was left.
fn debezium(value: &[u8]) -> Result<Layer, Stop> {
    let Some(members) = members(value) else { return Ok(Layer::Bare) };
    let known = |name: &String| CHANGE.contains(&name.as_str());
    let twice = (1..members.len()).any(|at| members[..at].iter().any(|(name, _)| *name == members[at].0));
    let (op, source) = (one(&members, "op"), one(&members, "source"));
    let (Some(op), Some(source)) = (op, source) else { return Ok(Layer::Bare) };
    if twice || !source.starts_with('{') || !members.iter().all(|(name, _)| known(name)) {
        return Ok(Layer::Bare);
    }
    match op {
        "\"c\"" | "\"u\"" | "\"r\"" => match one(&members, "after").filter(|after| *after != "null") {
            Some(after) => Ok(place(after, value).map_or(Layer::Bare, Layer::Within)),
            None => Stop::wrong(
                BAD_FRAME,
                format!("a change of a row ({op}) that does not say how the row was left: `after` is missing or null"),
            ),
        },
        // A whole table that was emptied is so many rows that were deleted.
        "\"d\"" | "\"t\"" => Err(Stop::Skip(Skip::DeletedRow)),
        _ => Ok(Layer::Bare),
    }
}

/// Lines of a log that CloudWatch sends together: each is a record by itself.
fn log_events(value: &[u8]) -> Layer {
    let Some(members) = members(value) else { return Layer::Bare };
    let (Some(kind), Some(_), Some(events)) =
        (one(&members, "messageType"), one(&members, "logGroup"), one(&members, "logEvents"))
    else {
        return Layer::Bare;
    };
    if kind == "\"CONTROL_MESSAGE\"" {
        return Layer::Lines(Vec::new());
    }
    let Ok(events) = serde_json::from_str::<Vec<Members<'_>>>(events) else { return Layer::Bare };
    let mut lines = Vec::new();
    for event in &events {
        let message = one(&event.0, "message").and_then(|text| serde_json::from_str::<String>(text).ok());
        let Some(message) = message else { return Layer::Bare };
        lines.push(message.into_bytes());
    }
    Layer::Lines(lines)
}

/// An object's members as they are written, in order; None where it is no object.
pub(super) fn members(value: &[u8]) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_slice::<Members<'_>>(value).ok().map(|members| members.0)
}

/// A member's text; None where there is none, or more than one.
pub(super) fn one<'a>(members: &[(String, &'a RawValue)], name: &str) -> Option<&'a str> {
    let mut found = members.iter().filter(|(known, _)| known == name);
    let (_, value) = found.next()?;
    found.next().is_none().then(|| value.get())
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Vec::new();
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Members(all))
            }
        }
        from.deserialize_map(All)
    }
}
