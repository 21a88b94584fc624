//! A schema registry's frame: a byte 0, four bytes of the schema's id, and what was written by that schema. Or a byte 1 and
//! sixteen bytes, by which the schema is called the same in every registry. Newer clients put these into a header instead.

use super::registry::Registry;
use super::{BAD_FRAME, LONGEST, Layer, Stop, avro, protobuf};
use std::fmt;

/// Where newer clients put what stands before the value.
const HEADER: &str = "__value_schema_id";

/// What a schema is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Id {
    /// By one registry.
    Number(u32),
    /// By all of them.
    Guid([u8; 16]),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(id) => write!(f, "{id}"),
            Id::Guid(id) => f.write_str(&guid(*id)),
        }
    }
}

fn guid(id: [u8; 16]) -> String {
    let hex = format!("{:032x}", u128::from_be_bytes(id));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// What headers say of a value's schema, as it would stand before the value.
pub(super) fn in_header<'h>(headers: &[(&str, &'h [u8])]) -> Option<&'h [u8]> {
    headers.iter().find(|(name, _)| *name == HEADER).map(|(_, head)| *head)
}

/// It begins as a frame does.
pub(super) fn is_framed(value: &[u8]) -> bool {
    matches!(value.first(), Some(0 | 1))
}

/// The schema that AWS Glue's serializer has written before a value: a byte 3, how it is compressed, the schema version's id.
pub(super) fn glue(value: &[u8]) -> Option<[u8; 16]> {
    match value {
        [3, 0 | 5, rest @ ..] => rest.get(..16)?.try_into().ok(),
        _ => None,
    }
}

/// Why a value in such a frame is not read, and what to do.
pub(super) fn unread(schema: [u8; 16]) -> String {
    format!(
        "was written by AWS Glue's schema registry (schema version {}), whose schemas are had only with AWS's own credentials, \
         so it is not read: have the producer write JSON, or use a serializer of a registry that speaks as Confluent's does; \
         what was written so far can be turned into JSON by a connector or a stream job, onto a topic of its own",
        guid(schema)
    )
}

/// A schema's name, and how much of a frame that takes.
fn head(value: &[u8]) -> Option<(Id, usize)> {
    match *value.first()? {
        0 => Some((Id::Number(u32::from_be_bytes(value.get(1..5)?.try_into().ok()?)), 5)),
        1 => Some((Id::Guid(value.get(1..17)?.try_into().ok()?), 17)),
        _ => None,
    }
}

/// What to do where records have frames, and no registry is named.
pub(super) const NEEDED: &str = "was written by a schema registry's serializer; to have it read, name its registry: `registry` \
                                 at the [kafka.NAME] section, and a section [registry.NAME]; for `onus adapt`: `wire` in its settings";

/// A schema, ready to read by.
#[derive(Debug)]
pub(super) enum Schema {
    Avro(avro::Schema),
    /// What is written by it is JSON already. It is not held against its schema: whether it is an event is the decoder's
    /// question, and the registry's serializer has asked the other one.
    Json,
    Protobuf(protobuf::Schema),
}

/// A schema's text, and the texts of those that it names, which come before those that need them.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// AVRO, JSON or PROTOBUF.
    pub(super) kind: String,
    pub(super) text: String,
    /// By the name under which they are named.
    pub(super) references: Vec<(String, String)>,
}

impl Schema {
    pub(super) fn of(text: &Text) -> Result<Schema, String> {
        let longest = text.references.iter().map(|(_, text)| text.len()).chain([text.text.len()]).max();
        if longest > Some(LONGEST) {
            return Err(format!("it or one that it names is longer than {LONGEST} bytes; no schema needs to be"));
        }
        let read = match text.kind.as_str() {
            "AVRO" => avro::Schema::of(&text.text, &text.references).map(Schema::Avro),
            "JSON" => Ok(Schema::Json),
            "PROTOBUF" => protobuf::Schema::of(&text.text, &text.references).map(Schema::Protobuf),
            other => Err(format!("its type is `{other}`; read are AVRO, JSON and PROTOBUF")),
        };
        read.map_err(short)
    }

    /// Memory that it may take, by its text.
    pub(super) fn weight(text: &Text) -> usize {
        text.text.len() + text.references.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    fn read(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.json(bytes).map_err(short)
    }

    fn json(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match self {
            Schema::Avro(schema) => schema.json(bytes).map(Some),
            Schema::Json => Ok(None),
            Schema::Protobuf(schema) => schema.json(bytes).map(Some),
        }
    }
}

/// Why it cannot be used: names in it are somebody else's, and as long as they like.
fn short(mut why: String) -> String {
    const MOST: usize = 600;
    if why.len() > MOST {
        why.truncate((0..=MOST).rev().find(|end| why.is_char_boundary(*end)).unwrap_or_default());
        why.push('…');
    }
    why
}

/// What is in a frame, as JSON.
pub(super) fn unframed(value: &[u8], registry: Option<&Registry>) -> Result<Layer, Stop> {
    let Some(registry) = registry else { return Stop::wrong(BAD_FRAME, NEEDED) };
    let Some((id, from)) = head(value) else {
        let why = "the frame is cut: a byte 0 is followed by four bytes of the schema's id, a byte 1 by sixteen";
        return Stop::wrong(BAD_FRAME, why);
    };
    match registry.schema(id)?.read(&value[from..]) {
        Ok(None) => Ok(Layer::Within(from..value.len())),
        Ok(Some(json)) => Ok(Layer::Undone(json)),
        Err(why) => Stop::wrong(
            BAD_FRAME,
            format!("was not written by schema {id}, which its frame names: {why}; find out which serializer wrote it"),
        ),
    }
}
