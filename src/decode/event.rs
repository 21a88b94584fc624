//! One pass over a CloudEvent's JSON, borrowing what can be borrowed; data fields that no contract names are passed over.

use super::DecodeError;
use onus_engine::book::Field;
use onus_engine::fact::FieldId;
use onus_engine::time::Moment;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The longest id, source, subject or partner name.
const LONGEST_NAME: usize = 1024;

/// What an event says, before it is placed.
#[derive(Debug, Default)]
pub(super) struct Raw<'a> {
    specversion: Text<'a>,
    id: Text<'a>,
    source: Text<'a>,
    kind: Text<'a>,
    time: Text<'a>,
    subject: Text<'a>,
    partner: Text<'a>,
    recordedtime: Text<'a>,
    sequence: Text<'a>,
    factkey: Text<'a>,
    timequality: Text<'a>,
    data_seen: bool,
    /// Texts that were written with escapes.
    unescaped: Vec<String>,
    /// Data fields that some contract names; null, empty texts and empty lists are absent.
    pub(super) fields: Vec<(FieldId, Field<'a>)>,
}

/// A text attribute: nearly always as it stands in the line.
#[derive(Clone, Copy, Debug, Default)]
enum Text<'a> {
    #[default]
    Absent,
    Plain(&'a str),
    /// Position among the unescaped texts.
    Unescaped(usize),
}

impl<'a> Raw<'a> {
    pub(super) fn clear(&mut self) {
        let (mut fields, mut unescaped) = (std::mem::take(&mut self.fields), std::mem::take(&mut self.unescaped));
        fields.clear();
        unescaped.clear();
        *self = Raw { fields, unescaped, ..Raw::default() };
    }

    fn text(&self, text: Text<'a>) -> Option<&str> {
        match text {
            Text::Absent => None,
            Text::Plain(text) => Some(text),
            Text::Unescaped(i) => self.unescaped.get(i).map(String::as_str),
        }
    }

    pub(super) fn at(&self) -> Result<Moment, DecodeError> {
        match self.text(self.specversion) {
            Some("1.0") => {}
            Some(other) => return Err(DecodeError::Version(other.chars().take(20).collect())),
            None => return Err(DecodeError::Missing("specversion")),
        }
        instant("time", self.text(self.time).ok_or(DecodeError::Missing("time"))?)
    }

    pub(super) fn recorded(&self) -> Result<Option<Moment>, DecodeError> {
        self.text(self.recordedtime).map(|text| instant("recordedtime", text)).transpose()
    }

    pub(super) fn kind(&self) -> Result<&str, DecodeError> {
        self.name("type", self.kind)
    }

    pub(super) fn id(&self) -> Result<&str, DecodeError> {
        self.name("id", self.id)
    }

    pub(super) fn source(&self) -> Result<&str, DecodeError> {
        self.name("source", self.source)
    }

    pub(super) fn subject(&self) -> Result<&str, DecodeError> {
        self.name("subject", self.subject)
    }

    pub(super) fn partner(&self) -> Result<&str, DecodeError> {
        match self.text(self.partner) {
            None | Some("") => Err(DecodeError::NoPartner),
            Some(_) => self.name("partner", self.partner),
        }
    }

    pub(super) fn sequence(&self) -> &str {
        self.text(self.sequence).unwrap_or_default()
    }

    pub(super) fn factkey(&self) -> Option<&str> {
        self.text(self.factkey).filter(|key| !key.is_empty())
    }

    pub(super) fn exact(&self) -> bool {
        self.text(self.timequality).is_none_or(|quality| quality == "exact")
    }

    fn name(&self, what: &'static str, text: Text<'a>) -> Result<&str, DecodeError> {
        let escaped = matches!(text, Text::Unescaped(_));
        let text = self.text(text).ok_or(DecodeError::Missing(what))?;
        if text.is_empty() {
            return Err(DecodeError::Empty(what));
        }
        if text.len() > LONGEST_NAME {
            return Err(DecodeError::LongName { name: what, bytes: text.len(), most: LONGEST_NAME });
        }
        // Only an escape can hide a control character: JSON forbids bare ones.
        if escaped && text.chars().any(char::is_control) {
            return Err(DecodeError::Control(what));
        }
        Ok(text)
    }
}

fn instant(name: &'static str, text: &str) -> Result<Moment, DecodeError> {
    let at = Moment::parse(text)
        .ok_or_else(|| DecodeError::Time { name, text: text.chars().take(60).filter(|c| !c.is_control()).collect() })?;
    if at.0 < 0 { Err(DecodeError::Ancient(at.to_string())) } else { Ok(at) }
}

/// Whether a line has the escape of a NUL (and not an escaped backslash before `u0000`).
pub(super) fn has_nul(line: &str) -> bool {
    memchr::memmem::find_iter(line.as_bytes(), br"\u0000").any(|at| {
        let backslashes = line.as_bytes()[..at].iter().rev().take_while(|b| **b == b'\\').count();
        backslashes % 2 == 0
    })
}

/// Names of data fields that matter.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    buckets: Vec<Vec<(Box<str>, FieldId)>>,
}

const BUCKETS: usize = 64;

impl Keys {
    pub(super) fn new(names: &[String]) -> Keys {
        let mut buckets = vec![Vec::new(); BUCKETS];
        for (id, name) in names.iter().enumerate().skip(1) {
            buckets[bucket(name)].push((name.as_str().into(), id as FieldId));
        }
        Keys { buckets }
    }

    fn find(&self, name: &str) -> Option<FieldId> {
        self.buckets[bucket(name)].iter().find(|(n, _)| **n == *name).map(|(_, id)| *id)
    }
}

fn bucket(name: &str) -> usize {
    let b = name.as_bytes();
    (b.len() + usize::from(b.first().copied().unwrap_or(0)) * 5 + usize::from(b.last().copied().unwrap_or(0))) % BUCKETS
}

/// Reads one event.
pub(super) fn read<'a>(line: &'a str, keys: &Keys, raw: &mut Raw<'a>) -> Result<(), DecodeError> {
    let mut json = serde_json::Deserializer::from_str(line);
    Envelope { keys, raw }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|e| DecodeError::Json(e.to_string()))
}

struct Envelope<'r, 'a> {
    keys: &'r Keys,
    raw: &'r mut Raw<'a>,
}

impl<'a> DeserializeSeed<'a> for Envelope<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_map(self)
    }
}

const ATTRIBUTES: [&str; 10] =
    ["specversion", "id", "source", "type", "time", "subject", "partner", "recordedtime", "factkey", "timequality"];

enum Attribute {
    Text(usize),
    Sequence,
    Data,
    DataBase64,
    Other,
}

impl<'a> Visitor<'a> for Envelope<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvent (a JSON object)")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        let Envelope { keys, raw } = self;
        while let Some(attribute) = map.next_key_seed(AttributeName)? {
            match attribute {
                Attribute::Text(which) => {
                    let seed = TextOf { name: ATTRIBUTES[which], unescaped: &mut raw.unescaped };
                    let text = map.next_value_seed(seed)?;
                    let slot = match which {
                        0 => &mut raw.specversion,
                        1 => &mut raw.id,
                        2 => &mut raw.source,
                        3 => &mut raw.kind,
                        4 => &mut raw.time,
                        5 => &mut raw.subject,
                        6 => &mut raw.partner,
                        7 => &mut raw.recordedtime,
                        8 => &mut raw.factkey,
                        _ => &mut raw.timequality,
                    };
                    if !matches!(slot, Text::Absent) {
                        return Err(M::Error::custom(format_args!("attribute `{}` stands twice", ATTRIBUTES[which])));
                    }
                    *slot = text;
                }
                Attribute::Sequence => {
                    raw.sequence = match map.next_value_seed(Scalars)? {
                        Some(Field::One(Cow::Borrowed(text))) => Text::Plain(text),
                        Some(Field::One(Cow::Owned(text))) => {
                            raw.unescaped.push(text);
                            Text::Unescaped(raw.unescaped.len() - 1)
                        }
                        Some(Field::List(_)) | None => Text::Absent,
                    };
                }
                Attribute::Data if raw.data_seen => return Err(M::Error::custom("attribute `data` stands twice")),
                Attribute::Data => {
                    raw.data_seen = true;
                    map.next_value_seed(Data { keys, fields: &mut raw.fields })?;
                }
                Attribute::DataBase64 => {
                    return Err(M::Error::custom("`data_base64` is not read: send `data` as JSON"));
                }
                Attribute::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct AttributeName;

impl<'a> DeserializeSeed<'a> for AttributeName {
    type Value = Attribute;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Attribute, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl Visitor<'_> for AttributeName {
    type Value = Attribute;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute's name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Attribute, E> {
        Ok(match name {
            "specversion" => Attribute::Text(0),
            "id" => Attribute::Text(1),
            "source" => Attribute::Text(2),
            "type" => Attribute::Text(3),
            "time" => Attribute::Text(4),
            "subject" => Attribute::Text(5),
            "partner" => Attribute::Text(6),
            "recordedtime" => Attribute::Text(7),
            "factkey" => Attribute::Text(8),
            "timequality" => Attribute::Text(9),
            "sequence" => Attribute::Sequence,
            "data" => Attribute::Data,
            "data_base64" => Attribute::DataBase64,
            _ => Attribute::Other,
        })
    }
}

/// A text attribute; null is absent.
struct TextOf<'r> {
    name: &'static str,
    unescaped: &'r mut Vec<String>,
}

impl<'a> DeserializeSeed<'a> for TextOf<'_> {
    type Value = Text<'a>;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Text<'a>, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for TextOf<'_> {
    type Value = Text<'a>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute `{}` to be text", self.name)
    }
    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Text<'a>, E> {
        Ok(Text::Plain(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        self.unescaped.push(text.to_owned());
        Ok(Text::Unescaped(self.unescaped.len() - 1))
    }
    fn visit_unit<E>(self) -> Result<Text<'a>, E> {
        Ok(Text::Absent)
    }
}

/// The data object.
struct Data<'r, 'a> {
    keys: &'r Keys,
    fields: &'r mut Vec<(FieldId, Field<'a>)>,
}

impl<'a> DeserializeSeed<'a> for Data<'_, 'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Data<'_, 'a> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`data` to be a JSON object")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key_seed(FieldName(self.keys))? {
            let Some(field) = key else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.fields.iter().any(|(f, _)| *f == field) {
                return Err(M::Error::custom("a field of `data` stands twice"));
            }
            if let Some(value) = map.next_value_seed(Scalars)? {
                self.fields.push((field, value));
            }
        }
        Ok(())
    }
}

struct FieldName<'r>(&'r Keys);

impl<'a> DeserializeSeed<'a> for FieldName<'_> {
    type Value = Option<FieldId>;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_identifier(self)
    }
}

impl Visitor<'_> for FieldName<'_> {
    type Value = Option<FieldId>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.find(name))
    }
}

/// A scalar or a list of scalars, as canonical texts. An object in a list counts by its `uri`, else as something.
struct Scalars;

impl<'a> DeserializeSeed<'a> for Scalars {
    type Value = Option<Field<'a>>;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Scalars {
    type Value = Option<Field<'a>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then_some(Field::One(Cow::Borrowed(text))))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| Field::One(Cow::Owned(text.to_owned()))))
    }
    fn visit_bool<E>(self, b: bool) -> Result<Self::Value, E> {
        Ok(Some(Field::One(Cow::Borrowed(if b { "true" } else { "false" }))))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Self::Value, E> {
        Ok(Some(Field::One(Cow::Owned(n.to_string()))))
    }
    fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
        Ok(Some(Field::One(Cow::Owned(n.to_string()))))
    }
    fn visit_f64<E>(self, n: f64) -> Result<Self::Value, E> {
        // `4.0` and `4` are one value; Rust writes both as `4`.
        Ok(Some(Field::One(Cow::Owned(n.to_string()))))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_seq<S: SeqAccess<'a>>(self, mut seq: S) -> Result<Self::Value, S::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Scalars)? {
            match item {
                Some(Field::One(text)) => items.push(text),
                Some(Field::List(texts)) => items.extend(texts),
                None => {}
            }
        }
        Ok((!items.is_empty()).then_some(Field::List(items)))
    }
    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut uri = None;
        let mut any = false;
        while let Some(key) = map.next_key::<Cow<'a, str>>()? {
            any = true;
            if key == "uri" {
                uri = map.next_value_seed(Scalars)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(uri.or_else(|| any.then_some(Field::One(Cow::Borrowed("{}")))))
    }
}
