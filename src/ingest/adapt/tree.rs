//! JSON as vendors send it: borrowed from the record, in its own order, with whatever fields they like. Nothing of it is kept
//! unless an adapter asks for it by name.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree<'a> {
    Null,
    Bool(bool),
    Whole(i64),
    /// A number that is no whole one, or too large for one.
    Broken,
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Map(Vec<(Cow<'a, str>, Tree<'a>)>),
}

/// What stands where nothing stands.
static NOTHING: Tree<'static> = Tree::Null;

/// So many keys are compared one by one; more are looked up.
const FEW: usize = 48;

impl<'a> Tree<'a> {
    /// One JSON document and nothing behind it.
    pub(super) fn parse(text: &'a str) -> Result<Tree<'a>, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The member of that name; null where there is none.
    pub(super) fn at(&self, name: &str) -> &Tree<'a> {
        match self {
            Tree::Map(members) => members.iter().find(|(key, _)| key == name).map_or(nothing(), |(_, value)| value),
            _ => nothing(),
        }
    }

    /// The member of that name, in any case and with blanks around it.
    pub(super) fn like(&self, name: &str) -> &Tree<'a> {
        match self {
            Tree::Map(members) => {
                let found = members.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
                found.map_or(nothing(), |(_, value)| value)
            }
            _ => nothing(),
        }
    }

    /// A member of a member of a member.
    pub(super) fn path(&self, names: &[&str]) -> &Tree<'a> {
        names.iter().fold(self, |tree, name| tree.at(name))
    }

    /// Its text, if it is a text that says something.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Tree::Text(text) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// Its text or its whole number, written out: ids come as either.
    pub(super) fn word(&self) -> Option<Cow<'_, str>> {
        match self {
            Tree::Whole(number) => Some(Cow::Owned(number.to_string())),
            _ => self.text().map(Cow::Borrowed),
        }
    }

    /// Its whole number, also where it was written as a text.
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Tree::Whole(number) => Some(*number),
            Tree::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Its truth, also where it was written as a text.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Tree::Bool(truth) => Some(*truth),
            Tree::Text(text) => match text.as_ref() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Its items; of anything else none.
    pub(super) fn list(&self) -> &[Tree<'a>] {
        match self {
            Tree::List(items) => items,
            _ => &[],
        }
    }

    /// Each text in it, keys too.
    pub(super) fn texts(&self, told: &mut impl FnMut(&str)) {
        match self {
            Tree::Text(text) => told(text),
            Tree::List(items) => items.iter().for_each(|item| item.texts(told)),
            Tree::Map(members) => members.iter().for_each(|(key, value)| {
                told(key);
                value.texts(told);
            }),
            Tree::Null | Tree::Bool(_) | Tree::Whole(_) | Tree::Broken => {}
        }
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Tree::Map(_))
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Tree::Null)
    }
}

/// The one null, for as long as anybody likes.
fn nothing<'b, 'a>() -> &'b Tree<'a> {
    // A `Tree<'static>` is a `Tree` of any shorter life.
    let nothing: &'static Tree<'static> = &NOTHING;
    nothing
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Tree::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Tree::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Tree::Broken, Tree::Whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        // `1772438651300.0` is a whole number all the same.
        let whole = number as i64;
        let exact = number.abs() < 9_007_199_254_740_992.0 && whole as f64 == number;
        Ok(if exact { Tree::Whole(whole) } else { Tree::Broken })
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut map: Vec<(Cow<'de, str>, Tree<'de>)> = Vec::with_capacity(8);
        let (mut some, mut seen) = (0_u128, HashSet::new());
        while let Some(Key(key)) = members.next_key()? {
            // What stands twice has two meanings, and somebody would choose the one that helps.
            let sign = sign(&key);
            let twice = if map.len() < FEW {
                // A key of a new sign is a new one, which most are.
                some & sign != 0 && map.iter().any(|(known, _)| *known == key)
            } else {
                if seen.is_empty() {
                    seen.extend(map.iter().map(|(known, _)| known.to_string()));
                }
                !seen.insert(key.to_string())
            };
            some |= sign;
            if twice {
                return Err(A::Error::custom(format_args!("`{}` stands twice in one object", key.escape_debug())));
            }
            map.push((key, members.next_value()?));
        }
        Ok(Tree::Map(map))
    }
}

/// One bit of 128 for a key: equal keys have the same one.
fn sign(key: &str) -> u128 {
    let bytes = key.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().map_or(0, usize::from);
    let mixed = bytes.len() + 7 * byte(0) + 31 * byte(bytes.len() / 2) + 101 * byte(bytes.len().wrapping_sub(1));
    1 << (mixed % 128)
}

/// A key, borrowed where it can be.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Tree::deserialize(deserializer)? {
            Tree::Text(text) => Ok(Key(text)),
            _ => Err(D::Error::custom("a key is a text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_twice_is_refused_however_many_stand_there() {
        assert!(Tree::parse(r#"{"a": 1, "b": 2, "a": 3}"#).is_err());
        let many: Vec<String> = (0..200).map(|n| format!("\"k{n}\": {n}")).collect();
        assert!(Tree::parse(&format!("{{{}}}", many.join(","))).is_ok());
        assert!(Tree::parse(&format!("{{{}, \"k7\": 0}}", many.join(","))).is_err());
        assert!(Tree::parse(&format!("{{{}, \"k199\": 0}}", many.join(","))).is_err());
    }

    #[test]
    fn ids_are_read_as_texts_and_as_numbers() {
        let tree = Tree::parse(r#"{"a": 4, "b": "4", "c": 4.0, "d": 4.5, "e": "", "f": 18446744073709551615}"#);
        let tree = tree.expect("JSON");
        let words: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].iter().map(|k| tree.at(k).word()).collect();
        let four = || Some(Cow::Borrowed("4"));
        assert_eq!(words, [four(), four(), four(), None, None, None, None]);
    }
}
