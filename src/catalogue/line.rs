//! An event's line, with the places of what a catalogue looks at; and the line with something else in those places. What
//! is not touched stays as it is, byte for byte.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Fields that name a credential or an identity.
pub(super) const LINKS: [&str; 2] = ["credential", "parent"];

/// A line that is an event in JSON.
pub(super) struct Line<'l> {
    text: &'l str,
    top: Object<'l>,
    /// None: there is no `data`, or it is null.
    data: Option<Object<'l>>,
}

/// What stands in a place.
pub(super) enum Said<'l> {
    /// Nothing: no such key, null, or empty.
    Nothing,
    /// A text.
    Text(Cow<'l, str>),
    /// Something else.
    Other,
}

impl<'l> Line<'l> {
    /// None: it is no such event, or something stands twice in it. The decoder says so; nothing of it is touched.
    pub(super) fn read(text: &'l str) -> Option<Line<'l>> {
        let top = Object::read(text)?;
        let data = match top.get("data") {
            Some(raw) if raw.get() != "null" => Some(Object::read(raw.get())?),
            _ => None,
        };
        Some(Line { text, top, data })
    }

    /// What an attribute says.
    pub(super) fn attribute(&self, name: &str) -> Said<'l> {
        self.top.get(name).map_or(Said::Nothing, said)
    }

    /// What a field of its data says.
    pub(super) fn field(&self, name: &str) -> Said<'l> {
        self.data.as_ref().and_then(|data| data.get(name)).map_or(Said::Nothing, said)
    }

    /// What its links name: one, or each of a list.
    pub(super) fn links(&self) -> Vec<Cow<'l, str>> {
        let values = LINKS.iter().filter_map(|name| self.data.as_ref()?.get(name));
        values.flat_map(|raw| names(raw).into_iter().map(|(name, _)| name)).collect()
    }

    /// Each name in a link, with its place in the line.
    pub(super) fn linked(&self) -> Vec<(Cow<'l, str>, Range<usize>)> {
        let values = LINKS.iter().filter_map(|name| self.data.as_ref()?.get(name));
        values.flat_map(names).map(|(name, raw)| (name, self.place(raw))).collect()
    }

    /// Where an attribute's value stands.
    pub(super) fn attribute_place(&self, name: &str) -> Option<Range<usize>> {
        self.top.get(name).map(|raw| self.place(raw.get()))
    }

    /// The line with something else in some places.
    pub(super) fn with(&self, edits: Edits) -> String {
        let Edits { mut places, attributes, fields } = edits;
        let mut inner = String::new();
        for (name, value) in fields {
            match self.data.as_ref().and_then(|data| data.get(name)) {
                Some(raw) => places.push((self.place(raw.get()), value)),
                None => inner += &format!("\"{name}\":{value},"),
            }
        }
        let mut outer = String::new();
        for (name, value) in attributes {
            match self.top.get(name) {
                Some(raw) => places.push((self.place(raw.get()), value)),
                None => outer += &format!("\"{name}\":{value},"),
            }
        }
        match (&self.data, self.top.get("data")) {
            (Some(data), Some(raw)) if !inner.is_empty() => {
                let begin = self.place(raw.get()).start;
                places.push((begin..begin + 1, opened(inner, data.entries.is_empty())));
            }
            (None, Some(raw)) if !inner.is_empty() => {
                places.push((self.place(raw.get()), opened(inner, true) + "}"));
            }
            (None, None) if !inner.is_empty() => outer += &format!("\"data\":{}}},", opened(inner, true)),
            _ => {}
        }
        if !outer.is_empty() {
            let begin = self.text.find('{').unwrap_or_default();
            places.push((begin..begin + 1, opened(outer, self.top.entries.is_empty())));
        }
        places.sort_by_key(|(place, _)| place.start);
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut from = 0;
        for (place, value) in places {
            out += &self.text[from..place.start];
            out += &value;
            from = place.end;
        }
        out + &self.text[from..]
    }

    /// Where a piece of the line stands in it.
    fn place(&self, piece: &str) -> Range<usize> {
        let start = piece.as_ptr() as usize - self.text.as_ptr() as usize;
        start..start + piece.len()
    }
}

/// An object's beginning with entries in it.
fn opened(mut entries: String, last: bool) -> String {
    if last {
        entries.pop();
    }
    entries.insert(0, '{');
    entries
}

/// What is to stand elsewhere than it does; values are JSON.
#[derive(Default)]
pub(super) struct Edits {
    places: Vec<(Range<usize>, String)>,
    attributes: Vec<(&'static str, String)>,
    fields: Vec<(&'static str, String)>,
}

impl Edits {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.attributes.is_empty() && self.fields.is_empty()
    }

    /// Another text in a place.
    pub(super) fn replace(&mut self, place: Range<usize>, text: &str) {
        self.places.push((place, json(text)));
    }

    /// An attribute.
    pub(super) fn attribute(&mut self, name: &'static str, text: &str) {
        self.attributes.push((name, json(text)));
    }

    /// A field of the data.
    pub(super) fn field(&mut self, name: &'static str, text: &str) {
        self.fields.push((name, json(text)));
    }

    /// A field that is true or false.
    pub(super) fn truth(&mut self, name: &'static str, truth: bool) {
        self.fields.push((name, truth.to_string()));
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn said(raw: &RawValue) -> Said<'_> {
    match raw.get().as_bytes().first() {
        Some(b'"') => match text(raw.get()) {
            Some(text) if text.is_empty() => Said::Nothing,
            Some(text) => Said::Text(text),
            None => Said::Other,
        },
        _ if matches!(raw.get(), "null" | "[]") => Said::Nothing,
        _ => Said::Other,
    }
}

/// The texts of a value that is one, or a list of them, as they are meant and as they stand there.
fn names(raw: &RawValue) -> Vec<(Cow<'_, str>, &str)> {
    let items = match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(raw.get()).unwrap_or_default(),
        _ => vec![raw],
    };
    items.into_iter().filter_map(|item| Some((text(item.get())?, item.get()))).collect()
}

/// A JSON text, borrowed where it has no escapes.
fn text(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// An object's entries, each key once.
struct Object<'l> {
    entries: Vec<(Cow<'l, str>, &'l RawValue)>,
}

impl<'l> Object<'l> {
    fn read(text: &'l str) -> Option<Object<'l>> {
        let object: Object<'l> = serde_json::from_str(text).ok()?;
        let twice = |at: usize| object.entries[..at].iter().any(|(key, _)| *key == object.entries[at].0);
        (0..object.entries.len()).all(|at| !twice(at)).then_some(object)
    }

    fn get(&self, name: &str) -> Option<&'l RawValue> {
        self.entries.iter().find(|(key, _)| key == name).map(|(_, raw)| *raw)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Key(key), raw)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    entries.push((key, raw));
                }
                Ok(Object { entries })
            }
        }
        from.deserialize_map(Entries)
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'l>(Cow<'l, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, edit: impl Fn(&Line<'_>, &mut Edits)) -> String {
        let line = Line::read(text).expect("an event");
        let mut edits = Edits::default();
        edit(&line, &mut edits);
        line.with(edits)
    }

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let text = r#" {"subject" : "a\u0062", "n":1.50,"data":{ "credential":["x", "y"] } } "#;
        let new = with(text, |line, edits| {
            edits.replace(line.attribute_place("subject").expect("a subject"), "q\"");
            let links = line.linked();
            edits.replace(links[1].1.clone(), "z");
            edits.field("kind", "key");
            edits.attribute("partner", "p");
        });
        let wanted =
            r#" {"partner":"p","subject" : "q\"", "n":1.50,"data":{"kind":"key", "credential":["x", "z"] } } "#;
        assert_eq!(new, wanted);
    }

    #[test]
    fn what_is_null_or_missing_is_put_where_it_belongs() {
        let fill = |_: &Line<'_>, edits: &mut Edits| {
            edits.truth("privileged", true);
            edits.attribute("partner", "p");
        };
        let told = [
            (r#"{"data":{"privileged":null},"partner":null}"#, r#"{"data":{"privileged":true},"partner":"p"}"#),
            (r#"{"data":{}}"#, r#"{"partner":"p","data":{"privileged":true}}"#),
            (r#"{"data":null}"#, r#"{"partner":"p","data":{"privileged":true}}"#),
            (r#"{"id":"1"}"#, r#"{"partner":"p","data":{"privileged":true},"id":"1"}"#),
            (r#"{}"#, r#"{"partner":"p","data":{"privileged":true}}"#),
        ];
        for (text, wanted) in told {
            assert_eq!(with(text, fill), wanted);
        }
    }

    #[test]
    fn what_stands_twice_is_left_to_the_decoder() {
        for text in
            [r#"{"subject":"a","subject":"b"}"#, r#"{"data":{"kind":1,"kind":2}}"#, r#"[1]"#, "{", r#"{"data":[]}"#]
        {
            assert!(Line::read(text).is_none(), "{text}");
        }
    }
}
