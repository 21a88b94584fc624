//! The canonical form: two blanks a level, one blank between, double quotes, braces where they fit on the line.

use super::comments::{Note, Top};
use super::source::{Body, Child, Collection, Node, Scalar};
use saphyr_parser::ScalarStyle;

/// Widest line that something in braces may make.
const WIDTH: usize = 120;

const STEP: usize = 2;

/// The whole file.
pub(super) fn file(top: Top, mut root: Collection) -> String {
    let mut out = Lines::default();
    for note in top.notes {
        out.note(0, note);
    }
    if top.blank {
        out.blank();
    }
    out.block(0, &mut root);
    out.text
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, indent: usize, text: &str) {
        if !text.is_empty() {
            self.text.push_str(&" ".repeat(indent));
            self.text.push_str(text);
        }
        self.text.push('\n');
    }

    /// An empty line, but never two, and none at the beginning.
    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn note(&mut self, indent: usize, note: Note) {
        if note.blank {
            self.blank();
        }
        self.line(indent, &note.text);
    }

    fn block(&mut self, indent: usize, collection: &mut Collection) {
        for (index, child) in collection.children.iter_mut().enumerate() {
            // Nothing parts a key from the first thing under it.
            if index == 0 && indent > 0 {
                child.blank = false;
                child.lead.iter_mut().take(1).for_each(|note| note.blank = false);
            }
            self.child(indent, child);
        }
        for note in collection.foot.drain(..) {
            self.note(indent, note);
        }
    }

    fn child(&mut self, indent: usize, child: &mut Child) {
        settle(indent, child);
        for note in child.lead.drain(..) {
            self.note(indent, note);
        }
        if child.blank {
            self.blank();
        }
        let start = match &child.key {
            Some(key) => format!("{}:", word(key)),
            None => "-".to_owned(),
        };
        let tail = |comment: &Option<String>| comment.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
        match &mut child.value.body {
            Body::Scalar(scalar) => {
                let lines = lines(scalar);
                let last = lines.len().saturating_sub(1);
                for (index, text) in lines.iter().enumerate() {
                    let end = if index == last { tail(&child.tail) } else { String::new() };
                    match index {
                        0 if text.is_empty() => self.line(indent, &format!("{start}{end}")),
                        0 => self.line(indent, &format!("{start} {text}{end}")),
                        _ => self.line(indent + STEP, &format!("{text}{end}")),
                    }
                }
            }
            Body::Collection(collection) => match inline(indent, &start, collection) {
                Some(text) => self.line(indent, &format!("{start} {text}{}", tail(&child.tail))),
                None if child.key.is_some() => {
                    self.line(indent, &format!("{start}{}", tail(&child.head)));
                    self.block(indent + STEP, collection);
                }
                None => self.item(indent, collection),
            },
        }
    }

    /// A block under a dash: its first line stands beside the dash.
    fn item(&mut self, indent: usize, collection: &mut Collection) {
        let mut below = Lines::default();
        below.block(indent + STEP, collection);
        let first = below.text.trim_start_matches(' ');
        self.line(indent, &format!("- {}", first.trim_end_matches('\n')));
    }
}

/// Finds a line for each comment of a child that the canonical form leaves without its own.
fn settle(indent: usize, child: &mut Child) {
    let Child { key, value, lead, head, tail, .. } = child;
    let Body::Collection(collection) = &mut value.body else { return };
    let start = key.as_ref().map_or(1, |key| word(key).chars().count() + 1);
    let above = |text: String| Note { text, blank: false };
    if inline(indent, &" ".repeat(start), collection).is_some() {
        lead.extend(head.take().map(above));
        return;
    }
    // Braces that do not fit are opened: the comment behind them goes behind the key.
    if head.is_none() {
        *head = tail.take();
    }
    lead.extend(tail.take().map(above));
    if key.is_none() {
        lead.extend(head.take().map(above));
        // Beside a dash there is no room for what leads the first thing under it.
        while let Some(first) = first_under_dash(indent + STEP, collection) {
            if first.lead.is_empty() {
                break;
            }
            lead.append(&mut first.lead);
        }
    }
}

/// What will stand beside the dash: the first child, or the first of the first that is a list itself.
fn first_under_dash(indent: usize, collection: &mut Collection) -> Option<&mut Child> {
    let first = collection.children.first_mut()?;
    let nested = first.key.is_none()
        && matches!(&first.value.body, Body::Collection(inner) if inline(indent, "-", inner).is_none());
    if nested && first.lead.is_empty() {
        let Body::Collection(inner) = &mut first.value.body else { return None };
        return first_under_dash(indent + STEP, inner);
    }
    Some(first)
}

/// In braces on one line; None: it was a block, has comments, or does not fit.
fn inline(indent: usize, start: &str, collection: &Collection) -> Option<String> {
    let text = braces(collection)?;
    let fits = indent + start.chars().count() + 1 + text.chars().count() <= WIDTH;
    (fits || collection.children.is_empty()).then_some(text)
}

fn braces(collection: &Collection) -> Option<String> {
    if !collection.flow || !collection.foot.is_empty() {
        return None;
    }
    let each: Option<Vec<String>> = collection.children.iter().map(within).collect();
    let each = each?.join(", ");
    Some(if collection.map { format!("{{{each}}}") } else { format!("[{each}]") })
}

fn within(child: &Child) -> Option<String> {
    if !child.lead.is_empty() || child.head.is_some() || child.tail.is_some() {
        return None;
    }
    let value = match &child.value {
        Node { body: Body::Scalar(scalar), .. } => match lines(scalar).as_slice() {
            [one] => one.clone(),
            _ => return None,
        },
        Node { body: Body::Collection(inner), .. } => braces(inner)?,
    };
    Some(match &child.key {
        Some(key) => format!("{}: {value}", word(key)),
        None => value,
    })
}

/// A text as it is written canonically: quotes stay where they are, and are double where that needs no escape.
fn lines(scalar: &Scalar) -> Vec<String> {
    let single = scalar.style == ScalarStyle::SingleQuoted && scalar.lines.len() == 1;
    if single && !scalar.text.contains(['"', '\\']) && !scalar.text.contains(char::is_control) {
        return vec![format!("\"{}\"", scalar.text)];
    }
    scalar.lines.clone()
}

/// A key. It keeps its quotes only where some reader would take it for something else without.
fn word(key: &Scalar) -> String {
    let text = key.text.as_str();
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let taken = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    if plain && !taken.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    lines(key).join(" ")
}
