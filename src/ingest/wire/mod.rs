//! What a record is wrapped in, taken off: from its bytes and headers to lines of JSON, before an adapter or the decoder
//! sees them. Outermost first:
//!
//! ```text
//! headers   CloudEvents: structured, batch, binary
//! bytes     a schema registry's frame around Avro, JSON or Protobuf; gzip, zstd; base64; a JSON text
//! JSON      Kafka Connect's {schema, payload}; Debezium's change of a row; an array of CloudEvents
//! ```
//!
//! A record that needs nothing is handed on as it lies, and costs a look at its first bytes. What is undone is never longer
//! than a record may be. Nothing is guessed: what only looks like a wrapping stays as it is, and the decoder says what it
//! thinks of it.

mod avro;
mod cloudevents;
mod envelope;
mod kept;
mod packed;
mod protobuf;
mod put;
mod registry;
mod schema;

pub use kept::kept;
pub use packed::Packing;
pub use put::{Came, Taken, digest};
pub use registry::{Need, Registry, types};

use cloudevents::Mode;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The longest that may come out, as for every record.
pub const LONGEST: usize = 1 << 20;
/// So many wrappings are taken off: more is nobody's habit.
const LAYERS: usize = 8;

/// How a source's records lie on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// As each one shows.
    #[default]
    Auto,
    /// As JSON, bare: nothing but CloudEvents' headers is heeded.
    Json,
    /// Each in a schema registry's frame; what is in it as it shows.
    Confluent,
}

impl Format {
    /// By its word.
    pub fn named(word: &str) -> Option<Format> {
        match word {
            "auto" => Some(Format::Auto),
            "json" => Some(Format::Json),
            "confluent" => Some(Format::Confluent),
            _ => None,
        }
    }
}

/// Takes off what one source's records are wrapped in.
#[derive(Clone, Debug, Default)]
pub struct Wire {
    format: Format,
    registry: Option<Arc<Registry>>,
    /// No frames come here: a byte 0 is damage, such as a file has that was cut while it was written to.
    frameless: bool,
}

/// What was found in a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'m> {
    /// One line of JSON.
    One(Cow<'m, [u8]>),
    /// Several, in order.
    Many(Vec<Cow<'m, [u8]>>),
    /// Nothing to read, and nothing wrong.
    Skip(Skip),
    /// It can never be read as it is.
    Wrong(Fault),
    /// It cannot be read before its schema is there.
    Waits(Need),
}

/// Why there is nothing to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// No value: a key was deleted from the topic.
    Tombstone,
    /// A row was deleted at its source; what was told of it stands.
    DeletedRow,
    /// A batch of nothing.
    Empty,
}

impl Skip {
    /// As adapters call it.
    pub fn word(self) -> &'static str {
        match self {
            Skip::Tombstone => "tombstone",
            Skip::DeletedRow => "deleted-row",
            Skip::Empty => "not-relevant",
        }
    }
}

/// Why a record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One of [`REASONS`].
    pub reason: &'static str,
    /// What is wrong and what to do.
    pub why: String,
}

impl Fault {
    /// It is longer than it may be, and nothing else is wrong.
    pub fn is_too_large(&self) -> bool {
        self.reason == TOO_LARGE
    }
}

/// The registry knows no schema of that id.
pub(crate) const UNKNOWN_SCHEMA: &str = "UnknownSchema";
/// The schema itself cannot be used.
pub(crate) const BAD_SCHEMA: &str = "BadSchema";
/// The bytes are not what their frame or schema says.
pub(crate) const BAD_FRAME: &str = "BadFrame";
/// What is packed in it is longer than a record may be.
pub(crate) const TOO_LARGE: &str = "TooLarge";
/// It is in a frame of AWS Glue's schema registry, which is not read.
pub(crate) const GLUE_FRAME: &str = "GlueFrame";

/// Reasons of dead letters that are given here.
pub const REASONS: [&str; 5] = [UNKNOWN_SCHEMA, BAD_SCHEMA, BAD_FRAME, TOO_LARGE, GLUE_FRAME];

/// Why a wrapping was not taken off.
#[derive(Debug)]
enum Stop {
    Skip(Skip),
    Wrong(Fault),
    Waits(Need),
}

impl Stop {
    fn wrong<T>(reason: &'static str, why: impl Into<String>) -> Result<T, Stop> {
        Err(Stop::Wrong(Fault { reason, why: why.into() }))
    }
}

/// The outermost wrapping of some bytes, taken off.
enum Layer {
    /// There is none.
    Bare,
    /// What is in it lies there.
    Within(Range<usize>),
    /// What was in it.
    Undone(Vec<u8>),
    /// What was compressed: it may be many lines.
    Unpacked(Vec<u8>),
    /// Several records lie there.
    Parts(Vec<Range<usize>>),
    /// Several records were in it.
    Lines(Vec<Vec<u8>>),
}

impl Wire {
    /// Of one source.
    pub fn new(format: Format, registry: Option<Arc<Registry>>) -> Wire {
        Wire { format, registry, frameless: false }
    }

    /// Of a source where no frames can come.
    pub fn frameless(format: Format) -> Wire {
        Wire { format, registry: None, frameless: true }
    }

    /// What a record holds.
    pub fn read<'m>(&self, value: Option<&'m [u8]>, headers: &[(&str, &[u8])]) -> Found<'m> {
        let Some(value) = value else { return Found::Skip(Skip::Tombstone) };
        // Most come without headers, as JSON.
        if self.is_event(value) || headers.is_empty() && self.format == Format::Json {
            return Found::One(Cow::Borrowed(value));
        }
        self.made(value, headers).unwrap_or_else(|stop| match stop {
            Stop::Skip(skip) => Found::Skip(skip),
            Stop::Wrong(fault) => Found::Wrong(fault),
            Stop::Waits(need) => Found::Waits(need),
        })
    }

    /// A whole CloudEvent by its first bytes: what its headers say of it adds nothing, and need not be looked at.
    pub fn is_event(&self, value: &[u8]) -> bool {
        self.format != Format::Confluent && value.starts_with(b"{\"specversion\":")
    }

    /// Waits until the registry has answered, so long at most, and not at all while it is away. True: it has.
    pub fn wait(&self, need: Need, within: Duration) -> bool {
        self.registry.as_ref().is_none_or(|registry| registry.wait(need, within))
    }

    /// The registry has answered.
    pub fn has(&self, need: Need) -> bool {
        self.registry.as_ref().is_none_or(|registry| registry.has(need))
    }

    /// Why the registry does not answer, if it does not.
    pub fn trouble(&self) -> Option<String> {
        self.registry.as_ref().and_then(|registry| registry.trouble())
    }

    fn made<'m>(&self, value: &'m [u8], headers: &[(&str, &[u8])]) -> Result<Found<'m>, Stop> {
        let plain = match schema::in_header(headers) {
            Some(_) if self.registry.is_none() && self.format != Format::Json => {
                return Stop::wrong(BAD_FRAME, schema::NEEDED);
            }
            Some(head) if self.format != Format::Json => Cow::Owned([head, value].concat()),
            _ => Cow::Borrowed(value),
        };
        match Mode::of(headers) {
            Mode::Batch => {
                let value = self.bare(plain)?;
                Ok(parts(&value, cloudevents::batch(&value)).unwrap_or(Found::One(value)))
            }
            Mode::Structured => Ok(Found::One(self.bare(plain)?)),
            Mode::Unread(format) => Stop::wrong(
                BAD_FRAME,
                format!(
                    "a CloudEvent in the format `{format}`; events are read in JSON: send them so, or in binary mode"
                ),
            ),
            Mode::Binary(content) => {
                let undone = self.bare(plain)?;
                let content = if is_same(&undone, value) { content.as_deref() } else { Some("application/json") };
                Ok(Found::One(Cow::Owned(cloudevents::joined(&undone, headers, content))))
            }
            Mode::None => self.peeled(plain),
        }
    }

    /// Takes off what headers do not speak of: a frame, and compression.
    fn bare<'m>(&self, mut value: Cow<'m, [u8]>) -> Result<Cow<'m, [u8]>, Stop> {
        self.framed(&value)?;
        for _ in 0..LAYERS {
            if self.format == Format::Json {
                return Ok(value);
            }
            value = match self.of_bytes(&value)? {
                Layer::Within(range) => within(value, range),
                Layer::Undone(bytes) | Layer::Unpacked(bytes) => Cow::Owned(bytes),
                Layer::Bare | Layer::Parts(_) | Layer::Lines(_) => return Ok(value),
            };
        }
        too_deep()
    }

    /// Takes off everything.
    fn peeled<'m>(&self, mut value: Cow<'m, [u8]>) -> Result<Found<'m>, Stop> {
        self.framed(&value)?;
        if self.format == Format::Json {
            return Ok(Found::One(value));
        }
        let mut packed = false;
        for _ in 0..LAYERS {
            value = match self.layer(&value)? {
                Layer::Bare if packed => {
                    return Ok(parts(&value, packed::lines(&value)).unwrap_or(Found::One(value)));
                }
                Layer::Bare => return Ok(Found::One(value)),
                Layer::Within(range) => within(value, range),
                Layer::Undone(bytes) => Cow::Owned(bytes),
                Layer::Unpacked(bytes) => {
                    packed = true;
                    Cow::Owned(bytes)
                }
                Layer::Parts(ranges) => return Ok(parts(&value, Some(ranges)).unwrap_or(Found::One(value))),
                Layer::Lines(lines) if lines.is_empty() => return Err(Stop::Skip(Skip::Empty)),
                Layer::Lines(lines) => return Ok(Found::Many(lines.into_iter().map(Cow::Owned).collect())),
            };
        }
        too_deep()
    }

    /// Where each record is said to have a frame, this one has.
    fn framed(&self, value: &[u8]) -> Result<(), Stop> {
        if self.format == Format::Confluent
            && let Some(schema) = schema::glue(value)
        {
            return Stop::wrong(GLUE_FRAME, schema::unread(schema));
        }
        if self.format == Format::Confluent && !schema::is_framed(value) {
            let why = "is in no schema registry's frame, which begins with a byte 0 and four of the schema's id; if such \
                       records are meant to come here, take `format = \"confluent\"` from the source";
            return Stop::wrong(BAD_FRAME, why);
        }
        Ok(())
    }

    fn layer(&self, value: &[u8]) -> Result<Layer, Stop> {
        match value.first() {
            Some(b'{') => envelope::object(value),
            Some(b'[') => Ok(cloudevents::sniffed_batch(value).map_or(Layer::Bare, Layer::Parts)),
            Some(b'"') => Ok(packed::quoted(value, self.registry.is_some())),
            Some(byte) if byte.is_ascii_whitespace() || *byte == 0xef => Ok(packed::trimmed(value)),
            Some(byte) if byte.is_ascii_alphanumeric() || b"+/-_".contains(byte) => {
                Ok(packed::text(value, self.registry.is_some()))
            }
            _ => self.of_bytes(value),
        }
    }

    /// By the first bytes of what is no text.
    fn of_bytes(&self, value: &[u8]) -> Result<Layer, Stop> {
        match value {
            [0x1f, 0x8b, ..] => Packing::Gzip.record(value).map(Layer::Unpacked),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd.record(value).map(Layer::Unpacked),
            [0, ..] if !self.frameless => schema::unframed(value, self.registry.as_deref()),
            [1, ..] if self.registry.is_some() => schema::unframed(value, self.registry.as_deref()),
            _ => match schema::glue(value) {
                Some(schema) => Stop::wrong(GLUE_FRAME, schema::unread(schema)),
                None => Ok(Layer::Bare),
            },
        }
    }
}

fn too_deep<T>() -> Result<T, Stop> {
    Stop::wrong(BAD_FRAME, format!("is wrapped in more than {LAYERS} layers; send it with fewer"))
}

/// Records that lie there, one by one.
fn parts<'m>(value: &Cow<'m, [u8]>, ranges: Option<Vec<Range<usize>>>) -> Option<Found<'m>> {
    let mut ranges = ranges?;
    if ranges.is_empty() {
        return Some(Found::Skip(Skip::Empty));
    }
    if ranges.len() == 1 {
        return Some(Found::One(within(value.clone(), ranges.remove(0))));
    }
    let one = |range: Range<usize>| match value {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[range]),
        Cow::Owned(bytes) => Cow::Owned(bytes[range].to_vec()),
    };
    Some(Found::Many(ranges.into_iter().map(one).collect()))
}

fn within(value: Cow<'_, [u8]>, range: Range<usize>) -> Cow<'_, [u8]> {
    match value {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[range]),
        Cow::Owned(mut bytes) => {
            bytes.truncate(range.end);
            bytes.drain(..range.start);
            Cow::Owned(bytes)
        }
    }
}

/// It lies where it lay: nothing was undone.
pub fn is_same(found: &[u8], value: &[u8]) -> bool {
    std::ptr::eq(found, value)
}

/// Where a part of a text lies in it.
fn place(part: &str, whole: &[u8]) -> Option<Range<usize>> {
    let from = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
    (from + part.len() <= whole.len()).then_some(from..from + part.len())
}

#[cfg(test)]
mod tests;
