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
    specversion: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    source: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    partner: Option<Cow<'a, str>>,
    recordedtime: Option<Cow<'a, str>>,
    sequence: Option<Cow<'a, str>>,
    factkey: Option<Cow<'a, str>>,
    timequality: Option<Cow<'a, str>>,
    data_seen: bool,
    /// Data fields that some contract names; null, empty texts and empty lists are absent.
    pub(super) fields: Vec<(FieldId, Field<'a>)>,
}

impl<'a> Raw<'a> {
    pub(super) fn clear(&mut self) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        *self = Raw { fields, ..Raw::default() };
    }

    pub(super) fn at(&self) -> Result<Moment, DecodeError> {
        match self.specversion.as_deref() {
            Some("1.0") => {}
            Some(other) => return Err(DecodeError::Version(other.chars().take(20).collect())),
            None => return Err(DecodeError::Missing("specversion")),
        }
        let text = self.time.as_deref().ok_or(DecodeError::Missing("time"))?;
        instant("time", text)
    }

    pub(super) fn recorded(&self) -> Result<Option<Moment>, DecodeError> {
        self.recordedtime.as_deref().map(|text| instant("recordedtime", text)).transpose()
    }

    pub(super) fn kind(&self) -> Result<&str, DecodeError> {
        name("type", &self.kind)
    }

    pub(super) fn id(&self) -> Result<&str, DecodeError> {
        name("id", &self.id)
    }

    pub(super) fn source(&self) -> Result<&str, DecodeError> {
        name("source", &self.source)
    }

    pub(super) fn subject(&self) -> Result<&str, DecodeError> {
        name("subject", &self.subject)
    }

    pub(super) fn partner(&self) -> Result<&str, DecodeError> {
        match &self.partner {
            None => Err(DecodeError::NoPartner),
            Some(partner) if partner.is_empty() => Err(DecodeError::NoPartner),
            partner => name("partner", partner),
        }
    }

    pub(super) fn sequence(&self) -> &str {
        self.sequence.as_deref().unwrap_or_default()
    }

    pub(super) fn factkey(&self) -> Option<&str> {
        self.factkey.as_deref().filter(|key| !key.is_empty())
    }

    pub(super) fn exact(&self) -> bool {
        self.timequality.as_deref().is_none_or(|quality| quality == "exact")
    }
}

fn instant(name: &'static str, text: &str) -> Result<Moment, DecodeError> {
    let at = Moment::parse(text)
        .ok_or_else(|| DecodeError::Time { name, text: text.chars().take(60).filter(|c| !c.is_control()).collect() })?;
    if at.0 < 0 { Err(DecodeError::Ancient(at.to_string())) } else { Ok(at) }
}

fn name<'r>(what: &'static str, text: &'r Option<Cow<'_, str>>) -> Result<&'r str, DecodeError> {
    let text = text.as_ref().ok_or(DecodeError::Missing(what))?;
    if text.is_empty() {
        return Err(DecodeError::Empty(what));
    }
    if text.len() > LONGEST_NAME {
        return Err(DecodeError::LongName { name: what, bytes: text.len(), most: LONGEST_NAME });
    }
    // Only an escaped text can hide a control character: JSON forbids bare ones.
    if matches!(text, Cow::Owned(_)) && text.chars().any(char::is_control) {
        return Err(DecodeError::Control(what));
    }
    Ok(text)
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
    Envelope { keys, raw }.deserialize(&mut json).and_then(|()| json.end()).map_err(|e| DecodeError::Json(e.to_string()))
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
                    let (name, slot) = match which {
                        0 => ("specversion", &mut raw.specversion),
                        1 => ("id", &mut raw.id),
                        2 => ("source", &mut raw.source),
                        3 => ("type", &mut raw.kind),
                        4 => ("time", &mut raw.time),
                        5 => ("subject", &mut raw.subject),
                        6 => ("partner", &mut raw.partner),
                        7 => ("recordedtime", &mut raw.recordedtime),
                        8 => ("factkey", &mut raw.factkey),
                        _ => ("timequality", &mut raw.timequality),
                    };
                    if slot.is_some() {
                        return Err(M::Error::custom(format_args!("attribute `{name}` stands twice")));
                    }
                    *slot = map.next_value_seed(Text { name })?;
                }
                Attribute::Sequence => {
                    raw.sequence = match map.next_value_seed(Scalars)? {
                        Some(Field::One(text)) => Some(text),
                        Some(Field::List(_)) | None => None,
                    };
                }
                Attribute::Data if raw.data_seen => return Err(M::Error::custom("attribute `data` stands twice")),
                Attribute::Data => {
                    raw.data_seen = true;
                    map.next_value_seed(Data { keys, fields: &mut raw.fields })?;
                }
                Attribute::DataBase64 => return Err(M::Error::custom("`data_base64` is not read: send `data` as JSON")),
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
struct Text {
    name: &'static str,
}

impl<'a> DeserializeSeed<'a> for Text {
    type Value = Option<Cow<'a, str>>;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Text {
    type Value = Option<Cow<'a, str>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute `{}` to be text", self.name)
    }
    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
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
