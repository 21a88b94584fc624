//! A schema registry's frame: a byte 0, four bytes of the schema's id, and what was written by that schema.

use super::registry::Registry;
use super::{BAD_FRAME, Layer, Stop, avro, protobuf};

/// What a frame begins with.
pub(super) const MAGIC: u8 = 0;
/// Of a frame, before what is in it.
const HEAD: usize = 5;

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
        match text.kind.as_str() {
            "AVRO" => avro::Schema::of(&text.text, &text.references).map(Schema::Avro),
            "JSON" => Ok(Schema::Json),
            "PROTOBUF" => protobuf::Schema::of(&text.text, &text.references).map(Schema::Protobuf),
            other => Err(format!("its type is `{other}`; read are AVRO, JSON and PROTOBUF")),
        }
    }

    /// Memory that it may take, by its text.
    pub(super) fn weight(text: &Text) -> usize {
        text.text.len() + text.references.iter().map(|(_, text)| text.len()).sum::<usize>()
    }

    fn read(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match self {
            Schema::Avro(schema) => schema.json(bytes).map(Some),
            Schema::Json => Ok(None),
            Schema::Protobuf(schema) => schema.json(bytes).map(Some),
        }
    }
}

/// What is in a frame, as JSON.
pub(super) fn unframed(value: &[u8], registry: Option<&Registry>) -> Result<Layer, Stop> {
    let Some(registry) = registry else {
        let why = "begins with a byte 0, as what is written by a schema registry's serializers; to have it read, name its \
                   registry: `registry` at the [kafka.NAME] section, and a section [registry.NAME]";
        return Stop::wrong(BAD_FRAME, why);
    };
    let Some(id) = value.get(1..HEAD).and_then(|id| id.try_into().ok()).map(u32::from_be_bytes) else {
        return Stop::wrong(BAD_FRAME, "the frame is cut: a byte 0 is followed by four bytes of the schema's id");
    };
    let bytes = &value[HEAD..];
    match registry.schema(id)?.read(bytes) {
        Ok(None) => Ok(Layer::Within(HEAD..value.len())),
        Ok(Some(json)) => Ok(Layer::Undone(json)),
        Err(why) => Stop::wrong(
            BAD_FRAME,
            format!("was not written by schema {id}, which its frame names: {why}; find out which serializer wrote it"),
        ),
    }
}
