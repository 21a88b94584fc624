//! The last column written anew, and nothing else touched.

use super::judging::Mismatch;

/// The text with what Onus says in the last cell of each row that differs. Cells in which Onus is at odds with itself
/// stay as they are.
pub fn rewritten(text: &str, mismatches: &[Mismatch]) -> String {
    let mut cells: Vec<&Mismatch> = mismatches.iter().filter(|mismatch| !mismatch.defect).collect();
    cells.sort_by_key(|mismatch| mismatch.cell.start);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for Mismatch { cell, says, .. } in cells {
        out.push_str(&text[from..cell.start]);
        // An empty cell has no blanks of its own.
        let blank = |beside: Option<char>| if beside == Some('|') { " " } else { "" };
        out.push_str(blank(text[..cell.start].chars().next_back()));
        out.push_str(&says.replace('|', "\\|"));
        out.push_str(blank(text[cell.end..].chars().next()));
        from = cell.end;
    }
    out.push_str(&text[from..]);
    out
}
