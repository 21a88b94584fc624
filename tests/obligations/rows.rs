//! The rows of docs/obligations/rows.csv, and the templates that they refer to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One obligation that is known to exist.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) limit_code: String,
    pub(crate) reference: String,
    pub(crate) confidence: String,
    pub(crate) said_by: Vec<Reference>,
    pub(crate) remark: String,
}

/// `template/obligation`, with `@2` for its second limit, `[P1]` for rows of its table, `?class=B` for values.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) template: String,
    pub(crate) obligation: String,
    pub(crate) limit: Option<usize>,
    pub(crate) cells: Vec<String>,
    pub(crate) values: Vec<(String, String)>,
}

impl Row {
    /// Whether a limit code is a figure, an instant, or an order in time.
    pub(crate) fn has_number(code: &str) -> bool {
        code.starts_with("DATE:") || code.chars().any(|c| c.is_ascii_digit())
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(at("docs/obligations/rows.csv")).expect("the list");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,name,limit_code,reference,confidence,said_by,remark"));
    lines.map(|line| row(&cells(line))).collect()
}

fn row(cells: &[String]) -> Row {
    let [id, name, limit_code, reference, confidence, said_by, remark] = cells else {
        panic!("seven cells: {cells:?}")
    };
    assert!(["A", "B", "C", "T"].contains(&confidence.as_str()), "{id}: no grade {confidence}");
    Row {
        id: id.clone(),
        name: name.clone(),
        limit_code: limit_code.clone(),
        reference: reference.clone(),
        confidence: confidence.clone(),
        said_by: said_by.split_whitespace().map(read).collect(),
        remark: remark.clone(),
    }
}

fn read(text: &str) -> Reference {
    let (place, values) = text.split_once('?').unwrap_or((text, ""));
    let (place, cells) = place.split_once('[').unwrap_or((place, ""));
    let (place, limit) = place.split_once('@').map_or((place, None), |(place, n)| (place, n.parse().ok()));
    let (template, obligation) = place.split_once('/').unwrap_or_else(|| panic!("{text}: no template"));
    let pair = |value: &str| value.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    Reference {
        template: template.to_owned(),
        obligation: obligation.to_owned(),
        limit,
        cells: cells.trim_end_matches(']').split(',').filter(|cell| !cell.is_empty()).map(str::to_owned).collect(),
        values: values.split('&').filter_map(pair).collect(),
    }
}

/// The cells of a line of CSV: quoted where they hold a comma or a quote.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

pub(crate) fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The names of the templates that are shipped.
pub(crate) fn templates() -> BTreeSet<String> {
    let files = std::fs::read_dir(at("config/templates")).expect("templates");
    files.map(|file| file.expect("a file").path().file_stem().expect("a name").display().to_string()).collect()
}

pub(crate) fn template_text(template: &str) -> String {
    std::fs::read_to_string(at(&format!("config/templates/{template}.yaml")))
        .unwrap_or_else(|e| panic!("{template}: {e}"))
}

/// Grades and rows in the comments above an obligation, `# [B] DORA-IN-4H, DORA-IN-24H`.
pub(crate) fn comment_above(text: &str, obligation: &str) -> BTreeSet<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| *line == format!("  - id: {obligation}"));
    let start = start.unwrap_or_else(|| panic!("no obligation {obligation}"));
    let comments = lines[..start].iter().rev().map_while(|line| line.strip_prefix("  # ["));
    let grades = comments.filter_map(|line| line.split_once(']'));
    grades.flat_map(|(grade, rows)| rows.split(',').map(|row| (grade.to_owned(), row.trim().to_owned()))).collect()
}

/// An obligation as its template writes it.
pub(crate) fn obligation_text(text: &str, obligation: &str) -> String {
    let lines = text.lines().skip_while(|line| *line != format!("  - id: {obligation}"));
    let own = lines.enumerate().take_while(|(n, line)| *n == 0 || line.starts_with("    "));
    own.map(|(_, line)| format!("{}\n", line.get(2..).unwrap_or(line))).collect()
}
