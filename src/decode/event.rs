//! One pass over a CloudEvent's JSON, borrowing what can be borrowed; data fields that no contract names are passed over.

use super::DecodeError;
use super::raw::{Name, Raw};
use memchr::memmem::Finder;
use onus_engine::book::Field;
use onus_engine::fact::FieldId;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// Whether a line has the escape of a NUL (and not an escaped backslash before `u0000`).
pub(super) fn has_nul(line: &str, nul: &Finder<'_>) -> bool {
    nul.find_iter(line.as_bytes()).any(|at| {
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

    pub(super) fn find(&self, name: &str) -> Option<FieldId> {
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

/// What a name in the envelope stands for.
pub(super) enum Attribute {
    Kept(Name),
    Data,
    DataBase64,
    Other,
}

impl Attribute {
    pub(super) fn of(name: &str) -> Attribute {
        Attribute::Kept(match name {
            "specversion" => Name::SpecVersion,
            "id" => Name::Id,
            "source" => Name::Source,
            "type" => Name::Type,
            "time" => Name::Time,
            "subject" => Name::Subject,
            "partner" => Name::Partner,
            "recordedtime" => Name::RecordedTime,
            "sequence" => Name::Sequence,
            "factkey" => Name::FactKey,
            "timequality" => Name::TimeQuality,
            "data" => return Attribute::Data,
            "data_base64" => return Attribute::DataBase64,
            _ => return Attribute::Other,
        })
    }
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
                Attribute::Kept(Name::Sequence) => match map.next_value_seed(Scalars)? {
                    Some(Field::One(Cow::Borrowed(text))) => raw.put(Name::Sequence, text),
                    Some(Field::One(Cow::Owned(text))) => raw.put_unescaped(Name::Sequence, text),
                    Some(Field::List(_)) | None => raw.remove(Name::Sequence),
                },
                Attribute::Kept(name) => {
                    let text = map.next_value_seed(TextOf(name))?;
                    if raw.has(name) {
                        return Err(M::Error::custom(format_args!("attribute `{}` stands twice", name.text())));
                    }
                    match text {
                        Some(Cow::Borrowed(text)) => raw.put(name, text),
                        Some(Cow::Owned(text)) => raw.put_unescaped(name, text),
                        None => {}
                    }
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
        Ok(Attribute::of(name))
    }
}

/// A text attribute; null is absent.
struct TextOf(Name);

impl<'a> DeserializeSeed<'a> for TextOf {
    type Value = Option<Cow<'a, str>>;
    fn deserialize<D: Deserializer<'a>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for TextOf {
    type Value = Option<Cow<'a, str>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute `{}` to be text", self.0.text())
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
