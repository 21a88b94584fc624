//! Reading one map, one list, one text: what each reader asks of a node, with the complaint when it isn't so.

use super::code::Code;
use super::keys::Block;
use super::keys::mapper::MAPPER;
use super::report::{At, Report, nearest, quote};
use super::yaml::{Entry, Node, Value};

/// A map whose keys have been checked against those that mean something.
pub(crate) struct Fields<'n> {
    pub(crate) at: At,
    what: &'static str,
    entries: &'n [Entry],
    /// Keys that some unknown key is near to: they are not missing, but misspelt.
    meant: Vec<String>,
}

impl<'n> Fields<'n> {
    /// None when it is no map. Unknown keys are reported, and the others can still be read.
    pub(crate) fn of(node: &'n Node, block: &Block, report: &mut Report<'_>) -> Option<Fields<'n>> {
        Fields::among(node, block.what, &block.names(), report)
    }

    /// The same, where a map may have keys of more than one block.
    pub(crate) fn among(
        node: &'n Node,
        what: &'static str,
        keys: &[&str],
        report: &mut Report<'_>,
    ) -> Option<Fields<'n>> {
        let entries = map(node, what, report)?;
        let mut meant = Vec::new();
        for entry in entries {
            if !keys.contains(&entry.key.as_str()) {
                unknown(entry, what, keys, report);
                meant.extend(nearest(&entry.key, keys.iter().copied()).map(str::to_owned));
            }
        }
        // What such a key hides would only be missed under its own name.
        (!entries.iter().any(unspaced)).then_some(Fields { at: node.at, what, entries, meant })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|e| &e.node)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|e| e.key == key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Whether an unknown key, which has been reported, is this one misspelt.
    pub(crate) fn is_meant(&self, key: &str) -> bool {
        self.meant.iter().any(|meant| meant == key)
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &str, report: &mut Report<'_>) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() && !self.is_meant(key) {
            let message = format!("{} has no `{key}`", self.what);
            report.hinted(Code::MissingKey, self.at, message, format!("add `{key}:`"));
        }
        node
    }
}

/// A key that means nothing here, with the nearest that does.
pub(crate) fn unknown(entry: &Entry, what: &str, keys: &[&str], report: &mut Report<'_>) {
    let message = format!("{what} has no key {}", quote(&entry.key));
    if unspaced(entry) {
        let hint = "a map in braces wants a blank after the colon";
        report.hinted(Code::UnknownKey, entry.at, message, hint);
    } else if keys.len() > 12 && nearest(&entry.key, keys.iter().copied()).is_none() {
        let page = if what == MAPPER.what { "mapper" } else { "contract" };
        let hint =
            format!("no key is like it; `onus schema {page} --format page` has them all, and remarks go into comments");
        report.hinted(Code::UnknownKey, entry.at, message, hint);
    } else {
        report.misnamed(Code::UnknownKey, entry.at, message, &entry.key, keys.iter().copied());
    }
}

/// `{P1:4h}`, which to YAML is the key `P1:4h` of nothing.
pub(crate) fn unspaced(entry: &Entry) -> bool {
    !entry.quoted && entry.key.contains(':') && entry.node.is_null()
}

/// The entries of a map.
pub(crate) fn map<'n>(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => {
            empty(node, what, report);
            None
        }
        Value::Map(entries) => Some(entries),
        Value::Scalar { .. } | Value::List(_) => {
            shape(node, what, "a map", report);
            None
        }
    }
}

/// The items of a list.
pub(crate) fn list<'n>(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            empty(node, what, report);
            None
        }
        Value::List(items) => Some(items),
        Value::Scalar { .. } | Value::Map(_) => {
            shape(node, what, "a list", report);
            None
        }
    }
}

/// The items of a list, or the one thing that stands without brackets.
pub(crate) fn one_or_more<'n>(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<&'n [Node]> {
    match &node.value {
        Value::List(_) => list(node, what, report),
        Value::Scalar { .. } | Value::Map(_) => Some(std::slice::from_ref(node)),
    }
}

/// Text that says something.
pub(crate) fn text<'n>(node: &'n Node, what: &str, report: &mut Report<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => {
            shape(node, what, "text", report);
            None
        }
        Value::Scalar { text, .. } if text.trim().is_empty() => {
            empty(node, what, report);
            None
        }
        Value::Scalar { text, .. } => Some(text),
        Value::List(_) | Value::Map(_) => {
            shape(node, what, "text", report);
            None
        }
    }
}

/// A list of texts.
pub(crate) fn texts(node: &Node, what: &str, report: &mut Report<'_>) -> Option<Vec<String>> {
    let items = list(node, what, report)?;
    every(items, |item| text(item, what, report).map(str::to_owned))
}

/// Reads all, so that all problems are told, and is None if one failed.
pub(crate) fn every<'n, N, T>(
    items: impl IntoIterator<Item = &'n N>,
    mut read: impl FnMut(&'n N) -> Option<T>,
) -> Option<Vec<T>>
where
    N: 'n,
{
    let read: Vec<Option<T>> = items.into_iter().map(&mut read).collect();
    read.into_iter().collect()
}

/// A key that may be missing, but must be right when it is there: None only when it is there and wrong.
pub(crate) fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

/// A name: letters, digits, dots, underscores and hyphens.
pub(crate) fn name(node: &Node, what: &str, report: &mut Report<'_>) -> Option<String> {
    let name = text(node, what, report)?;
    is_name(name, node.at, what, report).then(|| name.to_owned())
}

/// Whether a key or text can be a name; if not, it is reported.
pub(crate) fn is_name(name: &str, at: At, what: &str, report: &mut Report<'_>) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let good = starts && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !good {
        let message = format!("{what} {} is no name", quote(name));
        report.hinted(Code::BadName, at, message, "a name has letters, digits, dots, underscores and hyphens");
    }
    good
}

/// One of a few words.
pub(crate) fn word<T: Copy>(node: &Node, what: &str, words: &[(&str, T)], report: &mut Report<'_>) -> Option<T> {
    let text = text(node, what, report)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let message = format!("{what} cannot be {}", quote(text));
        report.misnamed(Code::UnknownWord, node.at, message, text, words.iter().map(|(word, _)| *word));
    }
    found
}

/// The canonical text of a scalar that an event may carry: what `true`, `4` and `4.5` are written as.
///
/// Plain text that YAML would read as a number or truth value written otherwise (`1.10`, `007`, `True`) is refused: it
/// is one thing to the reader of the file and another to the reader of YAML.
pub(crate) fn canonical(text: &str, quoted: bool, at: At, what: &str, report: &mut Report<'_>) -> Option<String> {
    let meant = if quoted { None } else { plain_value(text) };
    match meant {
        Some(value) if value != text => {
            let message = format!("{what} {} is the value {value} to YAML", quote(text));
            report.hinted(Code::MustQuote, at, message, format!("write {value}, or quote it: \"{text}\""));
            None
        }
        Some(_) | None => Some(text.to_owned()),
    }
}

/// What plain text is to YAML's core schema, when it is a truth value or a number.
pub(crate) fn plain_value(text: &str) -> Option<String> {
    match text {
        "true" | "True" | "TRUE" => return Some("true".into()),
        "false" | "False" | "FALSE" => return Some("false".into()),
        _ => {}
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(|n| n.to_string());
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(|n| n.to_string());
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let digits = unsigned.trim_start_matches('0');
        let sign = if text.starts_with('-') && !digits.is_empty() { "-" } else { "" };
        return Some(format!("{sign}{}", if digits.is_empty() { "0" } else { digits }));
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|b| b.is_ascii_digit())
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    if numeric { text.parse::<f64>().ok().map(|n| n.to_string()) } else { None }
}

fn empty(node: &Node, what: &str, report: &mut Report<'_>) {
    report.hinted(Code::Empty, node.at, format!("{what} is empty"), "say something, or leave the key out");
}

fn shape(node: &Node, what: &str, wanted: &str, report: &mut Report<'_>) {
    let hint = match (wanted, &node.value) {
        ("a map", Value::List(_)) => "write `key: value`, one a line, without a dash before it",
        ("a map", _) => "write `key: value`, one a line, further in than the key above",
        ("a list", _) => "write `[.., ..]`, or one a line with a dash before each",
        (_, Value::List(_)) => "write one of them, without brackets or a dash",
        (_, Value::Map(_)) => "write a text; one with a colon and a blank in it wants quotes",
        (_, Value::Scalar { .. }) => "write something after the colon, or leave the key out",
    };
    report.hinted(Code::WrongShape, node.at, format!("{what} must be {wanted}, not {}", node.shape()), hint);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_have_one_canonical_text() {
        for (text, value) in [
            ("1.10", "1.1"),
            ("4", "4"),
            ("4.5", "4.5"),
            ("007", "7"),
            ("+3", "3"),
            ("-0", "0"),
            ("1e3", "1000"),
            ("0x10", "16"),
            ("True", "true"),
            ("4.", "4"),
        ] {
            assert_eq!(plain_value(text).as_deref(), Some(value), "{text}");
        }
        for text in ["P1", "4.1.2", "12:00", "2026-01-01", "no", "-", ".", "e", "1-2", "Art 5"] {
            assert_eq!(plain_value(text), None, "{text}");
        }
    }
}
