//! A question's fields, and what is wrong with them.

use onus_engine::time::Moment;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

const KEYS: [&str; 5] = ["calendar", "op", "at", "to", "seconds"];

/// The fields of one question as they were written, each once.
pub(super) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub(super) fn read(line: &str) -> Result<Fields, String> {
        let fields: Fields = serde_json::from_str(line).map_err(|error| format!("this is no question: {error}"))?;
        match fields.0.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
            Some((key, _)) => Err(format!("there is no key `{key}`: {}", among(key, &KEYS))),
            None => Ok(fields),
        }
    }

    /// Refuses keys that this op does not use: whoever wrote one expects it to count.
    pub(super) fn only(&self, op: &str, keys: &[&str]) -> Result<(), String> {
        match self.0.iter().find(|(key, _)| !keys.contains(&key.as_str())) {
            Some((key, _)) => Err(format!("`{op}` takes no `{key}`: give {}", list(keys))),
            None => Ok(()),
        }
    }

    /// A number's digits.
    pub(super) fn number(&self, key: &str) -> Result<&str, String> {
        let text = self.raw(key)?;
        let starts = |c: char| c == '-' || c.is_ascii_digit();
        if text.starts_with(starts) {
            Ok(text)
        } else {
            Err(format!("`{key}` must be a number without quotes, as 5400"))
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<String, String> {
        match self.value(key)? {
            Value::String(text) => Ok(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(format!("`{key}` must be text in quotes"))
            }
        }
    }

    pub(super) fn instant(&self, key: &str) -> Result<Moment, String> {
        let text = self.text(key)?;
        let wrong =
            || format!("`{key}` is no instant: write RFC 3339 with an offset, as 2026-01-05T09:00:00Z, for `{text}`");
        Moment::parse(&text).ok_or_else(wrong)
    }

    pub(super) fn value(&self, key: &str) -> Result<Value, String> {
        serde_json::from_str(self.raw(key)?).map_err(|error| format!("`{key}` cannot be read: {error}"))
    }

    fn raw(&self, key: &str) -> Result<&str, String> {
        let found = self.0.iter().find(|(known, _)| known == key);
        found.map(|(_, raw)| raw.get()).ok_or_else(|| format!("`{key}` is missing: add it"))
    }
}

/// `did you mean` the nearest, when one is near; else all there are.
pub(super) fn among(said: &str, known: &[&str]) -> String {
    match nearest(said, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", list(known)),
    }
}

fn nearest<'a>(said: &str, known: &[&'a str]) -> Option<&'a str> {
    let away = |name: &&&str| strsim::damerau_levenshtein(&said.to_lowercase(), &name.to_lowercase());
    known.iter().filter(|name| away(name) <= name.len().div_ceil(3)).min_by_key(away).copied()
}

/// ``a`, `b` and `c``
fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "none".into(),
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Fields, D::Error> {
        from.deserialize_map(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `calendar`, `op` and `at`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields: Vec<(String, Box<RawValue>)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if fields.iter().any(|(known, _)| *known == key) {
                return Err(A::Error::custom(format_args!("`{key}` is given twice")));
            }
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}
