//! Comments: where they are, and to what each belongs. None is ever lost; the caller counts them.

use super::source::{Body, Child, Collection, Node, Source};

/// A comment on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    /// An empty line stands before it.
    pub(super) blank: bool,
}

/// A comment as it is found.
#[derive(Debug)]
struct Comment {
    text: String,
    /// In characters of the file.
    index: usize,
    line: usize,
    column: usize,
    /// Nothing stands before it on its line.
    alone: bool,
    blank: bool,
}

/// Comments before the first key, which stay at the top of the file.
pub(super) struct Top {
    pub(super) notes: Vec<Note>,
    /// An empty line stands between them and the first key.
    pub(super) blank: bool,
}

/// The text of each comment, in order.
pub(super) fn texts(text: &str, source: &Source) -> Vec<String> {
    find(text, &source.texts).into_iter().map(|comment| comment.text).collect()
}

/// Gives each comment to the key or item that it belongs to.
pub(super) fn attach(text: &str, source: &mut Source) -> Top {
    let mut top = Top { notes: Vec::new(), blank: false };
    let comments = find(text, &source.texts);
    let Body::Collection(root) = &mut source.root.body else { return top };
    let first = root.children.first().map_or(usize::MAX, |child| child.start);
    for comment in comments {
        if comment.index < first {
            top.notes.push(comment.note());
        } else {
            place(root, comment);
        }
    }
    let (false, Some(child)) = (top.notes.is_empty(), root.children.first_mut()) else { return top };
    top.blank = std::mem::take(&mut child.blank);
    // What stands right above the first key, apart from the file's own words, is the key's.
    let apart = top.notes.iter().skip(1).rposition(|note| note.blank).map(|index| index + 1);
    if let (false, Some(apart)) = (top.blank, apart) {
        child.lead.splice(0..0, top.notes.drain(apart..));
        top.blank = true;
    }
    top
}

fn find(text: &str, texts: &[(usize, usize)]) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut texts = texts.iter().peekable();
    let (mut index, mut above) = (0, false);
    for (number, line) in text.split('\n').enumerate() {
        let mut last = ' ';
        for (column, c) in line.chars().enumerate() {
            let at = index + column;
            while texts.next_if(|(_, end)| *end <= at).is_some() {}
            let inside = texts.peek().is_some_and(|(start, end)| *start <= at && at < *end);
            if c == '#' && last.is_whitespace() && !inside {
                let before: String = line.chars().take(column).collect();
                let rest: String = line.chars().skip(column).collect();
                found.push(Comment {
                    text: rest.trim_end().to_owned(),
                    index: at,
                    line: number + 1,
                    column,
                    alone: before.trim().is_empty(),
                    blank: above,
                });
                break;
            }
            last = c;
        }
        index += line.chars().count() + 1;
        above = line.trim().is_empty();
    }
    found
}

impl Comment {
    fn note(&self) -> Note {
        Note { text: self.text.clone(), blank: self.blank }
    }
}

fn place(collection: &mut Collection, comment: Comment) {
    let next = collection.children.partition_point(|child| child.start <= comment.index);
    let Some(last) = next.checked_sub(1) else {
        match collection.children.first_mut() {
            Some(first) => first.lead.push(comment.note()),
            None => collection.foot.push(comment.note()),
        }
        return;
    };
    let has_next = next < collection.children.len();
    let outer = collection.column;
    let child = &mut collection.children[last];
    if comment.index < child.value.end {
        return inside(child, comment);
    }
    if !comment.alone && comment.line == child.value.end_line {
        return match &mut child.value.body {
            Body::Collection(inner) if !inner.flow => place(inner, comment),
            _ => child.tail = Some(comment.text),
        };
    }
    if let (false, Some(following)) = (comment.alone, collection.children.get_mut(next)) {
        // Between a dash and what it begins.
        return following.lead.push(comment.note());
    }
    let Some(child) = collection.children.get_mut(last) else { return };
    // After the child: by its column it still belongs to the child's own block, or it leads the next.
    let deeper = comment.column > outer || !has_next;
    if let (true, Some(inner)) = (deeper, block_at(&mut child.value, comment.column)) {
        return place(inner, comment);
    }
    match collection.children.get_mut(next) {
        Some(following) => following.lead.push(comment.note()),
        None => collection.foot.push(comment.note()),
    }
}

fn inside(child: &mut Child, comment: Comment) {
    let Node { start, body: Body::Collection(inner), .. } = &mut child.value else {
        return child.lead.push(comment.note());
    };
    let first = inner.children.first().map_or(usize::MAX, |child| child.start);
    // Behind the key, or behind the brace that opens.
    let beside = if inner.flow { comment.index >= *start } else { comment.line == child.line };
    if comment.index >= first {
        return place(inner, comment);
    }
    match inner.children.first_mut() {
        Some(_) if child.head.is_none() && !comment.alone && beside => child.head = Some(comment.text),
        Some(first) if comment.index >= *start || !inner.flow => first.lead.push(comment.note()),
        Some(_) | None => child.lead.push(comment.note()),
    }
}

/// The block that a comment of this column can belong to.
fn block_at(node: &mut Node, column: usize) -> Option<&mut Collection> {
    match &mut node.body {
        Body::Collection(inner) if !inner.flow && inner.column <= column => Some(inner),
        Body::Collection(_) | Body::Scalar(_) => None,
    }
}
