//! What was written in Protobuf, as the JSON that its own mapping makes of it: names in lower camel case, numbers of 64 bits
//! as texts, what has its default left out.

mod plain;

use super::LONGEST;
use crate::ingest::base64::base64;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor};
use std::io;

/// A file of messages.
#[derive(Debug)]
pub(super) struct Schema {
    file: FileDescriptor,
}

/// The file's own name among those that it imports.
const OWN: &str = "onus-own.proto";

/// What Confluent's serializers know without a reference, as schemas with tags and decimals need it.
const BUILT_IN: [(&str, &str); 2] = [
    (
        "confluent/meta.proto",
        "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\"; \
         message Meta { string doc = 1; map<string, string> params = 2; repeated string tags = 3; repeated Rule rules = 4; } \
         message Rule { string name = 1; string doc = 2; string expr = 3; string sql = 4; } \
         extend google.protobuf.FileOptions { Meta file_meta = 1088; } \
         extend google.protobuf.MessageOptions { Meta message_meta = 1088; } \
         extend google.protobuf.FieldOptions { Meta field_meta = 1088; } \
         extend google.protobuf.EnumOptions { Meta enum_meta = 1088; } \
         extend google.protobuf.EnumValueOptions { Meta enum_value_meta = 1088; }",
    ),
    (
        "confluent/type/decimal.proto",
        "syntax = \"proto3\"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }",
    ),
];

impl Schema {
    pub(super) fn of(text: &str, references: &[(String, String)]) -> Result<Schema, String> {
        // Google's own types are there already.
        let mut pool = DescriptorPool::global();
        let own = (OWN, text);
        for (name, text) in references.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain([own]) {
            let of = |why: String| if name == OWN { why } else { format!("`{name}`, which it imports: {why}") };
            let file = file(name, text).map_err(of)?;
            for (known, text) in BUILT_IN {
                if file.dependency.iter().any(|one| one == known) && pool.get_file_by_name(known).is_none() {
                    let built_in = self::file(known, text).map_err(of)?;
                    pool.add_file_descriptor_proto(built_in).map_err(|error| of(error.to_string()))?;
                }
            }
            if pool.get_file_by_name(name).is_none() {
                pool.add_file_descriptor_proto(file).map_err(|error| of(error.to_string()))?;
            }
        }
        pool.get_file_by_name(OWN).map(|file| Schema { file }).ok_or_else(|| "is no file".to_owned())
    }

    /// The message that these bytes are: which one stands before it, as the way to it through the file.
    pub(super) fn json(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let (way, bytes) = way(bytes)?;
        let kind = self.message(&way)?;
        let name = kind.full_name().to_owned();
        let message = DynamicMessage::decode(kind, bytes).map_err(|error| format!("no message {name}: {error}"))?;
        let mut out = Bounded(Vec::with_capacity(2 * bytes.len()));
        serde_json::to_writer(&mut out, &message)
            .map_err(|error| format!("the message {name} has no JSON: {error}"))?;
        Ok(out.0)
    }

    fn message(&self, way: &[usize]) -> Result<MessageDescriptor, String> {
        let none = || format!("the file has no message at {way:?}");
        let (first, rest) = way.split_first().ok_or_else(none)?;
        let mut message = self.file.messages().nth(*first).ok_or_else(none)?;
        for step in rest {
            // What a map is made of is no message that anybody wrote down.
            let found = message.child_messages().filter(|one| !one.is_map_entry()).nth(*step);
            message = found.ok_or_else(none)?;
        }
        Ok(message)
    }
}

/// A file by the name under which it is imported. Registries hand out its text, or what a compiler made of it, in base64.
fn file(name: &str, text: &str) -> Result<FileDescriptorProto, String> {
    let mut file = match base64(text) {
        Some(bytes) => {
            FileDescriptorProto::decode(bytes.as_slice()).map_err(|error| format!("is no file of Protobuf: {error}"))?
        }
        None => protox_parse::parse(name, text).map_err(|error| format!("is no Protobuf: {error}"))?,
    };
    file.name = Some(name.to_owned());
    plain::plain(&mut file)?;
    Ok(file)
}

/// The way to a message, and what comes behind it. The first message of a file is a single nought.
fn way(bytes: &[u8]) -> Result<(Vec<usize>, &[u8]), String> {
    let (count, mut rest) = number(bytes)?;
    if count == 0 {
        return Ok((vec![0], rest));
    }
    // Protobuf's compiler nests no deeper.
    if count > 64 {
        return Err(format!("a message {count} levels deep is none"));
    }
    let mut way = Vec::with_capacity(count);
    for _ in 0..count {
        let (step, after) = number(rest)?;
        way.push(step);
        rest = after;
    }
    Ok((way, rest))
}

/// A number in zigzag, as Kafka writes them.
fn number(bytes: &[u8]) -> Result<(usize, &[u8]), String> {
    let mut number = 0u64;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let signed = (number >> 1) as i64 ^ -((number & 1) as i64);
            let number = usize::try_from(signed).map_err(|_| format!("a place in the file is {signed}"))?;
            return Ok((number, &bytes[at + 1..]));
        }
    }
    Err("the way to its message is cut".to_owned())
}

/// Room for no more than a record may have.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other(format!("it is longer than {LONGEST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
