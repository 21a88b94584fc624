//! One canonical event, as an adapter tells it, and the line that it becomes (docs/seams.md, section 1).

use onus_engine::time::Moment;
use std::borrow::Cow;
use std::fmt::Write as _;

/// The version of what stands in `data`.
const SCHEMA: u8 = 1;

/// How exact a time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// The source says when it happened.
    Exact,
    /// It had happened by then: the source was looked at only now and then.
    UpperBound,
    /// The source does not say; this is when the record was received.
    Received,
}

impl Quality {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Quality::Exact => "exact",
            Quality::UpperBound => "upper-bound",
            Quality::Received => "received",
        }
    }
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Known to be unknown: no actor, for one.
    Null,
    /// Truth.
    Bool(bool),
    /// A name or a word.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Names.
    List(Vec<String>),
    /// References to evidence.
    Evidence(Vec<Evidence>),
    /// An instant.
    At(Moment),
}

/// A reference to evidence: where it is, and the digest that it must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where it is to be had.
    pub uri: String,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: Option<String>,
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

/// A canonical event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The vendor's own id of what happened, and which part of it: the same input gives the same.
    pub id: String,
    /// `urn:onus:` with the adapter, and the instance if it has a name.
    pub source: String,
    /// `ticket.opened` and the like.
    pub kind: Cow<'static, str>,
    /// When it happened.
    pub at: Moment,
    /// How exact that is.
    pub quality: Quality,
    /// What it is about.
    pub subject: String,
    /// Whose it is.
    pub partner: String,
    /// What makes copies of one fact from several feeds one fact.
    pub factkey: Option<String>,
    /// When the record was first recorded, if that is known.
    pub recorded: Option<Moment>,
    /// Order among the events of one subject.
    pub sequence: Option<String>,
    /// The ticket or change behind it.
    pub correlation: Option<String>,
    /// What else is known, by allow-list.
    pub data: Vec<(Cow<'static, str>, Value)>,
}

impl Event {
    /// A field of its data.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.data.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Appends the event as one JSON object, without a line's end.
    pub fn write(&self, line: &mut String) {
        line.push_str("{\"specversion\":\"1.0\",\"id\":");
        quote(line, &self.id);
        line.push_str(",\"source\":");
        quote(line, &self.source);
        // Our own words, those of a mapper, which are as plain, and instants: nothing in them needs escaping.
        let _ = write!(line, ",\"type\":\"{}\",\"time\":\"{}\",\"subject\":", self.kind, self.at);
        quote(line, &self.subject);
        line.push_str(",\"partner\":");
        quote(line, &self.partner);
        line.push_str(",\"partitionkey\":");
        quote(line, &self.partner);
        for (name, text) in
            [("factkey", &self.factkey), ("sequence", &self.sequence), ("correlationid", &self.correlation)]
        {
            if let Some(text) = text {
                let _ = write!(line, ",\"{name}\":");
                quote(line, text);
            }
        }
        if let Some(recorded) = self.recorded {
            let _ = write!(line, ",\"recordedtime\":\"{recorded}\"");
        }
        let quality = self.quality.word();
        let _ = write!(line, ",\"timequality\":\"{quality}\",\"onusschema\":{SCHEMA},\"data\":{{");
        for (n, (name, value)) in self.data.iter().enumerate() {
            let _ = write!(line, "{}\"{name}\":", if n == 0 { "" } else { "," });
            value.write(line);
        }
        line.push_str("}}");
    }
}

impl Value {
    fn write(&self, line: &mut String) {
        match self {
            Value::Null => line.push_str("null"),
            Value::Bool(truth) => line.push_str(if *truth { "true" } else { "false" }),
            Value::Text(text) => quote(line, text),
            Value::Whole(number) => {
                let _ = write!(line, "{number}");
            }
            Value::Evidence(items) => {
                line.push('[');
                for (n, item) in items.iter().enumerate() {
                    line.push_str(if n > 0 { ",{\"uri\":" } else { "{\"uri\":" });
                    quote(line, &item.uri);
                    if let Some(digest) = &item.sha256 {
                        line.push_str(",\"sha256\":");
                        quote(line, digest);
                    }
                    line.push('}');
                }
                line.push(']');
            }
            Value::At(at) => {
                let _ = write!(line, "\"{at}\"");
            }
            Value::List(items) => {
                line.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        line.push(',');
                    }
                    quote(line, item);
                }
                line.push(']');
            }
        }
    }
}

/// A JSON string. A NUL, which no record may have, becomes the sign of a character that was lost.
pub(super) fn quote(line: &mut String, text: &str) {
    line.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        line.push_str(&text[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => line.push_str("\\\""),
            b'\\' => line.push_str("\\\\"),
            b'\n' => line.push_str("\\n"),
            b'\r' => line.push_str("\\r"),
            b'\t' => line.push_str("\\t"),
            0 => line.push('\u{fffd}'),
            _ => {
                let _ = write!(line, "\\u{byte:04x}");
            }
        }
    }
    line.push_str(&text[plain..]);
    line.push('"');
}
