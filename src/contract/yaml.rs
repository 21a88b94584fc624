//! A small strict YAML: a tree of text, lists and maps, each with its place. JSON is YAML, so JSON reads too.
//!
//! What makes two readers of one file disagree is refused: duplicate keys, anchors, aliases, merge keys, tags, more
//! than one document. Every scalar is kept as its text; what `true` or `4` means is for the reader that wants it.

use super::code::Code;
use super::hidden;
use super::report::{At, Report, quote};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Largest file that is read.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// What to do instead of repeating by reference.
const SAY_ONCE: &str = "write it out, or in a contract use `defaults` or `values`";

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// Text; plain text may still mean nothing, a number or a truth value to its reader.
    Scalar { text: String, quoted: bool },
    /// In the order written.
    List(Vec<Node>),
    /// In the order written; keys are unique.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) quoted: bool,
    pub(crate) at: At,
    pub(crate) node: Node,
}

impl Node {
    /// Nothing written, or `null`.
    pub(crate) fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, quoted: false } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => false,
        }
    }

    /// The value of a key, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A key with its value, if this is a map that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|e| e.key == key),
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn shape(&self) -> &'static str {
        match &self.value {
            Value::Scalar { .. } if self.is_null() => "nothing",
            Value::Scalar { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Reads one document. None: it could not be read to its end, and the report says why.
pub(crate) fn tree(text: &str, report: &mut Report<'_>) -> Option<Node> {
    if text.len() > MAX_BYTES {
        let top = report.top();
        report.hinted(Code::TooLarge, top, format!("{} bytes: larger than 1 MiB", text.len()), "split it");
        return None;
    }
    // A byte order mark says nothing in UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !printable(text, report) {
        return None;
    }
    let text = without_surrogates(text);
    let mut reader = Reader { parser: Parser::new_from_str(&text), report, open: Vec::new() };
    reader.document()
}

/// What is not seen hides text from reviewers, and control characters end strings early elsewhere. Keys, texts and
/// comments alike.
fn printable(text: &str, report: &mut Report<'_>) -> bool {
    let (mut at, mut clean, mut last) = (report.top(), true, ' ');
    for c in text.chars() {
        if hidden::is_hidden(c) {
            report.hinted(Code::ControlCharacter, at, hidden::named(c), "remove it");
            clean = false;
        }
        match c {
            '\n' if last == '\r' => {}
            '\n' | '\r' => at = At { line: at.line + 1, column: 1, ..at },
            _ => at.column += 1,
        }
        last = c;
    }
    clean
}

/// JSON may escape a character as a pair of UTF-16 halves, which YAML's `\\u` cannot say. Text that isn't JSON is left
/// alone: there a backslash may be one.
fn without_surrogates(text: &str) -> Cow<'_, str> {
    let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !text.contains("\\u") || !is_json() {
        return Cow::Borrowed(text);
    }
    let half = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = 0;
    while let Some(found) = text[rest..].find('\\') {
        let at = rest + found;
        out.push_str(&text[rest..at]);
        let pair = half(at).zip(half(at + 6)).and_then(|(a, b)| char::decode_utf16([a, b]).next()?.ok());
        // A first half that is a whole character leaves the second to be read by itself.
        let (piece, end) = match pair {
            Some(c) if c.len_utf16() == 2 => (format!("\\U{:08x}", c as u32), at + 12),
            Some(_) | None => {
                let escape: String = text[at..].chars().take(2).collect();
                let end = at + escape.len();
                (escape, end)
            }
        };
        out.push_str(&piece);
        rest = end;
    }
    out.push_str(&text[rest..]);
    Cow::Owned(out)
}

struct Reader<'r, 't, 'x> {
    parser: Parser<'t, StrInput<'t>>,
    report: &'r mut Report<'x>,
    /// Where the lists and maps begin that have not ended.
    open: Vec<At>,
}

impl<'t> Reader<'_, 't, '_> {
    fn document(&mut self) -> Option<Node> {
        let root = loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => {
                    let top = self.report.top();
                    self.report.error(Code::EmptyFile, top, "nothing in this file");
                    return None;
                }
                (event, at) => break self.node(event, at, 1)?,
            }
        };
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Some(root),
                (Event::DocumentStart(_), at) => {
                    let hint = "one contract version a file: move it to a file of its own";
                    self.report.hinted(Code::SecondDocument, at, "a second document begins here", hint);
                    return None;
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Option<(Event<'t>, At)> {
        match self.parser.next_event()? {
            Ok((event, span)) => {
                let at = self.place(&span.start);
                // An omitted value has no extent of its own, and shares its place with what follows.
                if matches!(event, Event::Scalar(..)) && !span.is_empty() {
                    let end = self.place(&span.end);
                    self.report.scalar(at, end);
                }
                Some((event, at))
            }
            Err(error) if error.info().contains("unknown anchor") => {
                self.alias(self.place(error.marker()));
                None
            }
            Err(error) => {
                self.syntax(self.place(error.marker()), error.info());
                None
            }
        }
    }

    fn place(&self, marker: &Marker) -> At {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let top = self.report.top();
        At { line: count(marker.line()).max(1), column: count(marker.col()).saturating_add(1), ..top }
    }

    fn node(&mut self, event: Event<'t>, at: At, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH}");
            self.report.error(Code::TooDeep, at, message);
            return None;
        }
        let value = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor, tag.map(|t| t.to_string()), at);
                if let Some(c) = text.chars().find(|c| hidden::is_hidden(*c)) {
                    let message = format!("{}, written as an escape", hidden::named(c));
                    self.report.hinted(Code::ControlCharacter, at, message, "remove it");
                }
                Value::Scalar { text: text.into_owned(), quoted: style != ScalarStyle::Plain }
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse(anchor, tag.map(|t| t.to_string()), at);
                self.open.push(at);
                let items = self.list(depth)?;
                self.open.pop();
                Value::List(items)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse(anchor, tag.map(|t| t.to_string()), at);
                self.open.push(at);
                let entries = self.map(depth)?;
                self.open.pop();
                Value::Map(entries)
            }
            Event::Alias(_) => {
                self.alias(at);
                Value::Scalar { text: String::new(), quoted: true }
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => {
                self.report.error(Code::Syntax, at, "not YAML: a value is missing");
                return None;
            }
        };
        Some(Node { at, value })
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(items),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Option<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => return Some(entries),
                (event, at) => self.node(event, at, depth + 1)?,
            };
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth + 1)?;
            let at = key.at;
            let Value::Scalar { text, quoted } = key.value else {
                self.report.error(Code::KeyNotText, at, format!("a key must be text, not {}", key.shape()));
                continue;
            };
            if text.is_empty() {
                self.report.error(Code::KeyNotText, at, "an empty key");
                continue;
            }
            if text == "<<" {
                self.report.hinted(Code::MergeKey, at, "merge keys are not allowed", SAY_ONCE);
                continue;
            }
            if let Some(line) = seen.get(&text) {
                let message = format!("duplicate key {}: it stands on line {line} already", quote(&text));
                self.report.hinted(Code::DuplicateKey, at, message, "keep one of them");
                continue;
            }
            seen.insert(text.clone(), at.line);
            entries.push(Entry { key: text, quoted, at, node });
        }
    }

    /// The parser says what it was doing; a person wants to know what to look for, and where.
    fn syntax(&mut self, at: At, info: &str) {
        if info.contains("recursion limit") {
            self.report.error(Code::TooDeep, at, format!("nested deeper than {MAX_DEPTH}"));
            return;
        }
        let message = format!("not YAML: {info}");
        let brace =
            self.open.iter().rev().find_map(|at| Some((*at, self.report.char_at(*at).filter(|c| "{[".contains(*c))?)));
        // The parser points at the tab, or behind it.
        let tab = |back: u32| self.report.char_at(At { column: at.column.saturating_sub(back), ..at }) == Some('\t');
        let after_colon = info.contains("must be followed") && (tab(0) || tab(1));
        if after_colon {
            let message = "not YAML: a tab stands after the colon";
            self.report.hinted(Code::Syntax, at, message, "write a blank after the colon: YAML takes no tabs");
        } else if info.contains("tab") {
            let at = self.report.tab_from(at).unwrap_or(at);
            self.report.hinted(Code::Syntax, at, message, "indent with blanks: YAML takes no tabs");
        } else if let Some((open, brace)) = brace {
            let close = if brace == '{' { '}' } else { ']' };
            let hint = format!(
                "look for a `{close}` or a comma: the `{brace}` on line {}, column {} is open",
                open.line, open.column
            );
            self.report.hinted(Code::Syntax, at, message, hint);
        } else if info.contains("mapping values are not allowed") {
            self.report.hinted(Code::Syntax, at, message, "a text with a colon and a blank in it wants quotes");
        } else if info.contains("block") {
            let hint = "look at the indentation: this line does not stand under the one it belongs to";
            self.report.hinted(Code::Syntax, at, message, hint);
        } else {
            self.report.error(Code::Syntax, at, message);
        }
    }

    fn refuse(&mut self, anchor: usize, tag: Option<String>, at: At) {
        if anchor != 0 {
            self.report.hinted(Code::Alias, at, "anchors are not allowed", SAY_ONCE);
        }
        if let Some(tag) = tag {
            let hint = "leave it out; quote what must be text";
            let tag = tag.replace("tag:yaml.org,2002:!", "!!");
            self.report.hinted(Code::Tag, at, format!("tags are not allowed: {}", quote(&tag)), hint);
        }
    }

    fn alias(&mut self, at: At) {
        let hint = format!("{SAY_ONCE}; quote a text that begins with `*`");
        self.report.hinted(Code::Alias, at, "aliases are not allowed", hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Vec<(String, u32, u32)>> {
        let mut report = Report::new("t.yaml", text);
        let tree = tree(text, &mut report);
        match (tree, report.is_clean()) {
            (Some(tree), true) => Ok(tree),
            _ => Err(report.finish().iter().map(|p| (p.code.to_string(), p.line, p.column)).collect()),
        }
    }

    fn text(node: Option<&Node>) -> Option<&str> {
        match &node?.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    #[test]
    fn on_no_and_clock_times_are_text() {
        let node = read("on: no\n12:00: 1.10\n1: true\n2026-03-15: x").expect("strict YAML");
        assert_eq!(text(node.get("on")), Some("no"));
        assert_eq!(text(node.get("12:00")), Some("1.10"));
        assert_eq!(text(node.get("1")), Some("true"));
        assert_eq!(text(node.get("2026-03-15")), Some("x"));
    }

    #[test]
    fn places_are_counted_from_one_in_characters() {
        let node = read("a: é\nb:\n  - x\n  - {k: v}").expect("strict YAML");
        assert_eq!(node.get("a").map(|n| n.at), Some(At { column: 4, ..At::TOP }));
        let Some(Value::List(items)) = node.get("b").map(|n| &n.value) else { panic!("a list") };
        assert_eq!(items[1].get("k").map(|n| n.at), Some(At { line: 4, column: 9, ..At::TOP }));
    }

    #[test]
    fn json_is_yaml() {
        let json =
            "{\"zone\":\"UTC\",\"hours\":{\"mon-fri\":[\"09:00-17:00\",\"18:00-19:00\"]},\n\t\"u\":\"\\u00e9\\/\\n\"}";
        let node = read(json).expect("JSON");
        assert_eq!(text(node.get("zone")), Some("UTC"));
        assert_eq!(text(node.get("u")), Some("é/\n"));
    }

    #[test]
    fn json_characters_beyond_sixteen_bits_are_read() {
        let node = read(r#"{"a": "\ud83d\ude00 \\ud83d \u00e9\u00e9"}"#).expect("JSON");
        assert_eq!(text(node.get("a")), Some("\u{1f600} \\ud83d éé"));
        assert!(read(r#"{"a": "\ud83d"}"#).is_err(), "half a character");
    }

    #[test]
    fn whatever_two_readers_could_read_differently_is_refused() {
        let one = |text: &str| read(text).expect_err(text)[0].clone();
        assert_eq!(one("a: 1\nb: 2\na: 3"), ("E006".into(), 3, 1));
        assert_eq!(one("a: &x 1"), ("E007".into(), 1, 4));
        assert_eq!(one("a: *x").0, "E007");
        assert_eq!(one("<<: {a: 1}"), ("E008".into(), 1, 1));
        assert_eq!(one("a: !!str 1").0, "E009");
        assert_eq!(one("a: 1\n---\nb: 2"), ("E010".into(), 2, 1));
        assert_eq!(one("a: \u{0}"), ("E004".into(), 1, 4));
        assert_eq!(one("a: \"\\0\""), ("E004".into(), 1, 4));
        assert_eq!(one("? [a]\n: b").0, "E013");
        assert_eq!(one("# nothing").0, "E012");
        assert_eq!(one("a: [1").0, "E005");
        assert_eq!(one(&format!("{}1{}", "[".repeat(65), "]".repeat(65))).0, "E011");
        assert_eq!(one(&" ".repeat(MAX_BYTES + 1)).0, "E003");
    }

    #[test]
    fn sixty_four_levels_are_read() {
        assert!(read(&format!("{}1{}", "[".repeat(63), "]".repeat(63))).is_ok());
    }

    #[test]
    fn several_problems_are_told_at_once() {
        let all = read("a: &x 1\na: !t 2\n<<: {}").expect_err("three problems");
        assert_eq!(all.iter().map(|(c, ..)| c.as_str()).collect::<Vec<_>>(), ["E007", "E006", "E009", "E008"]);
    }
}
