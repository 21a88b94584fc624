//! Dead letters for people and programs. What a record holds was written by somebody else, perhaps with intent: nothing
//! that a terminal would obey goes out.

use crate::cli::style::{BAD, DIM, HEAD, WARN, paint, plain};
use crate::store::{Letter, LetterState};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// So many bytes of a record are shown unless all are asked for.
const BEGINNING: usize = 400;
/// So many characters of what is wrong are in a list.
const SHORT: usize = 100;

/// A line each.
pub(super) fn list(all: &[Letter]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let cells = |l: &Letter| {
        let place = format!("{}/{}", l.partition, l.offset);
        [l.number.to_string(), plain(&l.source), place, l.at.to_string(), l.state.word().to_owned(), plain(&l.reason)]
    };
    let head = ["number", "source", "place", "at", "state", "reason"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(all.iter().map(cells)).collect();
    let widths: [usize; 6] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let mut line = format!("{:>width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            let _ = write!(line, "  {cell:width$}");
        }
        let detail = at.checked_sub(1).map_or("what is wrong", |at| all[at].detail.as_str());
        line = format!("{line}  {}", short(detail));
        let _ = writeln!(out, "{}", if at == 0 { paint(HEAD, &line) } else { line });
    }
    out
}

fn short(text: &str) -> String {
    let mut cut: String = plain(text).chars().take(SHORT).collect();
    if text.chars().count() > SHORT {
        cut.push('…');
    }
    cut
}

/// One, with its record.
pub(super) fn one(letter: &Letter, whole: bool) -> String {
    let mut out = String::new();
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(out, "{} {value}", paint(DIM, &format!("{name:8}")));
    };
    let state = match letter.state {
        LetterState::Waiting => paint(WARN, "waiting"),
        LetterState::Asked => "asked for: it is read again at the next commit".to_owned(),
        LetterState::Replayed => "replayed: it was read again, and used".to_owned(),
        LetterState::Dropped => "dropped".to_owned(),
    };
    row("number", &letter.number.to_string());
    row("state", &state);
    if let Some(note) = &letter.note {
        row("because", &plain(note));
    }
    row("source", &plain(&letter.source));
    row("place", &format!("partition {}, position {}", letter.partition, letter.offset));
    row("at", &letter.at.to_string());
    row("reason", &paint(BAD, &plain(&letter.reason)));
    row("wrong", &plain(&letter.detail));
    row("length", &length(letter));
    let shown = if whole { &letter.record[..] } else { &letter.record[..letter.record.len().min(BEGINNING)] };
    row("record", &escaped(shown));
    if shown.len() < letter.record.len() {
        let left = letter.record.len() - shown.len();
        row("", &paint(DIM, &format!("{left} bytes more; `--whole` shows all that was kept")));
    }
    out
}

fn length(letter: &Letter) -> String {
    let kept = letter.record.len() as u64;
    if kept == letter.length {
        format!("{kept} bytes")
    } else {
        format!("{} bytes, of which the first {kept} were kept: it cannot be read again", letter.length)
    }
}

/// As text, with everything escaped that is not to be seen as it is: control characters, those that turn or hide what
/// stands beside them, bytes that are no text.
fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                c if c.is_control() || hides(c) => out.extend(c.escape_default()),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn hides(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// One document of a list.
pub(super) fn document(all: &[Letter], next: Option<u64>) -> String {
    let letters: Vec<Value> = all.iter().map(fields).collect();
    format!("{}\n", json!({ "dead_letters": letters, "next": next }))
}

/// A line each; a last one if there are more.
pub(super) fn lines(all: &[Letter], next: Option<u64>) -> String {
    let mut out = String::new();
    for letter in all {
        let _ = writeln!(out, "{}", marked("dead_letter", fields(letter)));
    }
    if let Some(next) = next {
        let _ = writeln!(out, "{}", json!({ "record": "more", "next": next }));
    }
    out
}

/// One, with its record.
pub(super) fn one_json(letter: &Letter, whole: bool) -> String {
    let mut value = fields(letter);
    let shown = if whole { &letter.record[..] } else { &letter.record[..letter.record.len().min(BEGINNING)] };
    if let Value::Object(map) = &mut value {
        map.insert("kept".to_owned(), json!(letter.record.len()));
        map.insert("shown".to_owned(), json!(shown.len()));
        map.insert("bytes".to_owned(), json!(escaped(shown)));
    }
    format!("{value}\n")
}

fn fields(l: &Letter) -> Value {
    json!({
        "number": l.number,
        "source": l.source,
        "partition": l.partition,
        "offset": l.offset,
        "at": l.at.to_string(),
        "reason": l.reason,
        "detail": l.detail,
        "state": l.state.word(),
        "note": l.note,
        "length": l.length,
        "hash": format!("{:016x}", l.hash),
    })
}

fn marked(kind: &str, mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.insert("record".to_owned(), json!(kind));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_goes_out() {
        let record = "{\"a\":\"\u{1b}[2J\u{7}\\n\u{9b}\u{202e}x\u{0}é\"}\r\n".as_bytes();
        let mut bytes = record.to_vec();
        bytes.push(0xff);
        let text = escaped(&bytes);
        assert_eq!(text, "{\"a\":\"\\u{1b}[2J\\u{7}\\\\n\\u{9b}\\u{202e}x\\u{0}é\"}\\r\\n\\xff");
        assert!(text.chars().all(|c| !c.is_control()));
    }
}
