//! A line of a table, cut into its cells.

use std::ops::Range;

/// Cells of a row without the blanks around them, each with its place in the line. `\|` is no border.
pub(super) fn cells(line: &str) -> Vec<Range<usize>> {
    let mut borders = Vec::new();
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            '\\' => escaped = !escaped,
            '|' if !escaped => borders.push(at),
            _ => escaped = false,
        }
    }
    let mut cells: Vec<Range<usize>> = borders.windows(2).map(|pair| pair[0] + 1..pair[1]).collect();
    // A row may go without its last border.
    if let Some(last) = borders.last().map(|at| at + 1).filter(|at| !line[*at..].trim().is_empty()) {
        cells.push(last..line.len());
    }
    cells.into_iter().map(|cell| trimmed(line, cell)).collect()
}

fn trimmed(line: &str, cell: Range<usize>) -> Range<usize> {
    let text = &line[cell.clone()];
    let from = cell.start + (text.len() - text.trim_start().len());
    from..from + text.trim().len()
}

/// The line under a table's head: `|---|:--|--:|`.
pub(super) fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// A text cut at each `; ` that stands outside brackets and quotes.
pub(super) fn items(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut quoted, mut from) = (0i32, false, 0);
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            ';' if depth <= 0 && !quoted && text[at + 1..].starts_with(' ') => {
                items.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(text[from..].trim());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_cut_at_its_borders_only() {
        let line = r"|  09:00 | INC1 opened x=a\|b |said  ";
        let texts: Vec<&str> = cells(line).into_iter().map(|cell| &line[cell]).collect();
        assert_eq!(texts, ["09:00", r"INC1 opened x=a\|b", "said"]);
        assert_eq!(cells("| a | b |").len(), 2);
        assert_eq!(cells("|").len(), 0);
        assert_eq!(cells("| a || b |").len(), 3);
    }

    #[test]
    fn events_are_parted_outside_brackets_and_quotes() {
        assert_eq!(items(r#"INC1 opened; INC2 opened x="a; b""#), ["INC1 opened", r#"INC2 opened x="a; b""#]);
    }
}
