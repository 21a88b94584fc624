//! A contract as it is written: its tree with the very characters of each text, and where each thing stands.

use super::comments::Note;
use crate::contract::report::quoted;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

/// A key or item with what stands under it, and the comments that are its own.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) key: Option<Scalar>,
    pub(super) value: Node,
    /// Where it begins, in characters of the file.
    pub(super) start: usize,
    /// The line it begins on.
    pub(super) line: usize,
    /// An empty line stands before it.
    pub(super) blank: bool,
    /// Comments on lines of their own before it.
    pub(super) lead: Vec<Note>,
    /// The comment behind its key, where its value begins on a later line.
    pub(super) head: Option<String>,
    /// The comment behind its value.
    pub(super) tail: Option<String>,
}

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) end_line: usize,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Scalar(Scalar),
    Collection(Collection),
}

/// A list or a map.
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) map: bool,
    /// In braces or brackets.
    pub(super) flow: bool,
    /// Where its children stand, from 0; of one in braces or brackets, beyond all.
    pub(super) column: usize,
    pub(super) children: Vec<Child>,
    /// Comments after its last child.
    pub(super) foot: Vec<Note>,
}

/// A text, as it is meant and as it is written.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: ScalarStyle,
    /// With its quotes. Of a block (`|`, `>`): the header, then the lines without their indentation.
    pub(super) lines: Vec<String>,
}

/// A file that was read.
pub(super) struct Source {
    pub(super) root: Node,
    /// Ranges of characters that belong to texts: a `#` there begins no comment.
    pub(super) texts: Vec<(usize, usize)>,
}

/// None: the parser stopped, or the text is written in a way that is not kept.
pub(super) fn read(text: &str) -> Option<Source> {
    let mut reader =
        Reader { parser: Parser::new_from_str(text), chars: text.chars().collect(), texts: Vec::new(), last: 0 };
    let root = loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (event, span) => break reader.node(event, span, false)?,
        }
    };
    Some(Source { root, texts: reader.texts })
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    chars: Vec<char>,
    texts: Vec<(usize, usize)>,
    /// Where the last text ended.
    last: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        self.parser.next_event()?.ok()
    }

    fn node(&mut self, event: Event<'t>, span: Span, flow: bool) -> Option<Node> {
        match event {
            Event::Scalar(text, style, ..) => self.scalar(text.into_owned(), style, span),
            Event::SequenceStart(..) => self.collection(false, span.start, flow),
            Event::MappingStart(..) => self.collection(true, span.start, flow),
            _ => None,
        }
    }

    fn collection(&mut self, map: bool, start: Marker, within_flow: bool) -> Option<Node> {
        let flow = within_flow || matches!(self.chars.get(start.index()), Some('{' | '['));
        let mut children: Vec<Child> = Vec::new();
        let (mut first, mut end) = (start.index(), (start.index(), start.line()));
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                let at = span.start.index();
                if flow && matches!(self.chars.get(at), Some('}' | ']')) {
                    end = (at + 1, span.start.line());
                }
                break;
            }
            let child = self.child(map, event, span, flow)?;
            end = (child.value.end.max(end.0), child.value.end_line.max(end.1));
            if !flow {
                first = children.first().map_or(child.start, |child| child.start);
            }
            children.push(child);
        }
        let column = if flow { usize::MAX } else { start.col() };
        let body = Body::Collection(Collection { map, flow, column, children, foot: Vec::new() });
        Some(Node { start: first, end: end.0, end_line: end.1, body })
    }

    fn child(&mut self, map: bool, event: Event<'t>, span: Span, flow: bool) -> Option<Child> {
        let (start, line) = (span.start.index(), span.start.line());
        let (key, value) = if map {
            let key = self.node(event, span, flow)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, flow)?;
            let Body::Scalar(key) = key.body else { return None };
            (Some(key), value)
        } else {
            (None, self.node(event, span, flow)?)
        };
        let blank = !flow && self.is_below_blank(start);
        Some(Child { key, value, start, line, blank, lead: Vec::new(), head: None, tail: None })
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, span: Span) -> Option<Node> {
        let at = span.start.index();
        let (start, end, end_line, lines) = match style {
            // Of nothing, the parser's place may be that of what follows.
            ScalarStyle::Plain if text.is_empty() => (at, at, span.start.line(), vec![String::new()]),
            ScalarStyle::Plain => {
                let end = span.end.index();
                (at, end, span.end.line(), self.lines(at, end)?)
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                // The parser's own end reaches over what follows.
                let rest = self.chars.get(at..)?;
                let end = at + quoted(rest.iter().copied(), *rest.first()?);
                let lines = self.lines(at, end)?;
                (at, end, span.start.line() + lines.len() - 1, lines)
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                // The parser's own start is that of the first line, behind the header.
                let header = (self.last..at).find(|at| matches!(self.chars.get(*at), Some('|' | '>')))?;
                let above = self.chars[header..at].iter().filter(|c| **c == '\n').count();
                let raw: String = self.chars.get(header..span.end.index())?.iter().collect();
                let (lines, length) = block(&raw)?;
                (header, header + length, span.start.line() - above + lines.len() - 1, lines)
            }
        };
        if end > start {
            self.texts.push((start, end));
            self.last = end;
        }
        Some(Node { start, end, end_line, body: Body::Scalar(Scalar { text, style, lines }) })
    }

    /// What is written, line by line, without indentation.
    fn lines(&self, start: usize, end: usize) -> Option<Vec<String>> {
        let raw: String = self.chars.get(start..end)?.iter().collect();
        Some(raw.split('\n').map(|line| line.trim().to_owned()).collect())
    }

    /// Whether the line above a place is empty.
    fn is_below_blank(&self, at: usize) -> bool {
        let above = |from: usize| self.chars[..from].iter().rposition(|c| *c == '\n');
        let Some(end) = above(at) else { return false };
        let start = above(end).map_or(0, |at| at + 1);
        self.chars[start..end].iter().all(|c| c.is_whitespace())
    }
}

/// The header of a block text and its lines without their indentation; how many characters that was.
fn block(raw: &str) -> Option<(Vec<String>, usize)> {
    let mut lines = raw.split('\n');
    let header = lines.next()?;
    let keeps = header.split('#').next().is_some_and(|signs| signs.contains('+'));
    let says_indent = header.split('#').next().is_some_and(|signs| signs.contains(|c: char| c.is_ascii_digit()));
    if keeps || says_indent {
        return None;
    }
    let body: Vec<&str> = lines.collect();
    let used = body.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let body = &body[..used];
    let indent = body
        .iter()
        .find(|line| !line.trim().is_empty())
        .map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
    let mut out = vec![header.trim_end().to_owned()];
    for line in body {
        let blank = line.trim().is_empty();
        out.push(if blank { String::new() } else { line.get(indent..)?.to_owned() });
    }
    let length = header.chars().count() + body.iter().map(|line| line.chars().count() + 1).sum::<usize>();
    Some((out, length))
}
