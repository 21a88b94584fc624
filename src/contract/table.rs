//! Tables: values by facts. What a row holds is the reader's business; how rows are chosen is the same for all.

use super::code::Code;
use super::dates;
use super::fields::{self, Fields, canonical};
use super::filters;
use super::keys::duty;
use super::names::{self, Cx};
use super::report::quote;
use super::yaml::{Entry, Node, Value};
use chrono::NaiveDate;
use onus_engine::terms::{Cell, Key, Row, Table};

/// What a level of a table is chosen by.
enum Level {
    /// Something that differs from subject to subject.
    Open(Key),
    /// A value of the contract, known now: its row is taken and the level is gone. None: it is not defined.
    Constant(Option<String>),
}

/// Reads the value of one row; `usize` is how many levels stand above it.
pub(crate) type Leaf<'l, T> = dyn FnMut(&Node, &mut Cx<'_>) -> Option<T> + 'l;

/// One row for everything.
pub(crate) fn single<T>(value: T) -> Table<T> {
    Table::single(value)
}

/// Whether a map is written as a table.
pub(crate) fn is_table(node: &Node) -> bool {
    node.get("depends-on").is_some() || node.get("table").is_some()
}

/// Reads `{depends-on: .., table: ..}`.
pub(crate) fn read<T>(node: &Node, cx: &mut Cx<'_>, leaf: &mut Leaf<'_, T>) -> Option<Table<T>> {
    let fields = Fields::of(node, &duty::TABLE, &mut cx.report)?;
    let depends_on = fields.need("depends-on", &mut cx.report);
    let rows = fields.need("table", &mut cx.report);
    let levels = levels(depends_on?, cx)?;
    by_levels(&levels, rows?, cx, leaf)
}

/// Reads `{P1: .., P2: ..}`: rows by the fact `priority`.
pub(crate) fn by_priority<T>(node: &Node, cx: &mut Cx<'_>, leaf: &mut Leaf<'_, T>) -> Option<Table<T>> {
    let mut clean = true;
    for entry in fields::map(node, "the priorities", &mut cx.report)? {
        // The walk over the rows tells of `P1:4h`.
        if !is_priority(&entry.key) && entry.key != "*" && !fields::unspaced(entry) {
            let possible = ["P1", "P2", "P3", "P4", "P5", "*"];
            fields::unknown(entry, "a table of priorities", &possible, &mut cx.report);
            clean = false;
        }
    }
    let table = by_levels(&[Level::Open(Key::Fact("priority".to_owned()))], node, cx, leaf)?;
    clean.then_some(table)
}

/// `P1` to `P9`.
pub(crate) fn is_priority(key: &str) -> bool {
    matches!(key.as_bytes(), [b'P', b'1'..=b'9'])
}

/// A row's value that is a map with neither head nor limit in it: one level too many.
pub(crate) fn too_deep(node: &Node, cx: &mut Cx<'_>) {
    let hint = "name a fact in `depends-on` for each level of the table";
    cx.report.hinted(Code::TableDepth, node.at, "the table is deeper than `depends-on` is long", hint);
}

fn levels(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Level>> {
    let items = fields::one_or_more(node, "`depends-on`", &mut cx.report)?;
    let mut seen: Vec<String> = Vec::new();
    fields::every(items, |item| {
        let text = fields::text(item, "`depends-on`", &mut cx.report)?.to_owned();
        if seen.contains(&text) {
            cx.report.error(Code::DuplicateName, item.at, format!("{} chooses twice", quote(&text)));
            return None;
        }
        let level = match names::value_name(&text) {
            Some(name) => {
                let value = cx.names.value(name).map(|(text, _)| text.clone());
                if value.is_none() {
                    names::no_value(name, item.at, cx);
                }
                Level::Constant(value)
            }
            None if text == "date" => Level::Open(Key::Date),
            None if filters::is_field(&text) => Level::Open(Key::Fact(text.clone())),
            None => {
                let hint = "name a field, `date`, or a value of the contract like `$class`";
                cx.report.hinted(Code::BadName, item.at, format!("{} is no fact", quote(&text)), hint);
                return None;
            }
        };
        seen.push(text);
        Some(level)
    })
}

fn by_levels<T>(levels: &[Level], rows: &Node, cx: &mut Cx<'_>, leaf: &mut Leaf<'_, T>) -> Option<Table<T>> {
    let mut walk = Walk { rows: Vec::new(), clean: true, leaf };
    walk.level(levels, rows, &mut Vec::new(), true, cx);
    let depends_on = levels
        .iter()
        .filter_map(|level| match level {
            Level::Open(key) => Some(key.clone()),
            Level::Constant(_) => None,
        })
        .collect();
    walk.clean.then_some(Table { depends_on, rows: walk.rows })
}

struct Walk<'w, 'l, T> {
    rows: Vec<Row<T>>,
    clean: bool,
    leaf: &'w mut Leaf<'l, T>,
}

impl<T> Walk<'_, '_, T> {
    /// `kept`: false below a row that a constant passes over; it is read for its problems only.
    fn level(&mut self, levels: &[Level], node: &Node, cells: &mut Vec<Cell>, kept: bool, cx: &mut Cx<'_>) {
        let Some((level, deeper)) = levels.split_first() else {
            match (self.leaf)(node, cx) {
                Some(value) if kept => self.rows.push(Row { cells: cells.clone(), value }),
                Some(_) => {}
                None => self.clean = false,
            }
            return;
        };
        let Value::Map(entries) = &node.value else {
            let many = if levels.len() == 1 { "1 level" } else { &format!("{} levels", levels.len()) };
            let message = format!("the table ends {many} before `depends-on` does");
            cx.report.hinted(Code::TableDepth, node.at, message, "give each fact of `depends-on` a level of rows");
            self.clean = false;
            return;
        };
        if entries.is_empty() {
            cx.report.error(Code::Empty, node.at, "a table without rows");
            self.clean = false;
        }
        match level {
            Level::Constant(value) => self.constant(value.as_deref(), deeper, node, entries, cells, kept, cx),
            Level::Open(key) => {
                let mut last: Option<NaiveDate> = None;
                for entry in entries {
                    // `{P1:4h}` has no value to look at.
                    if fields::unspaced(entry) {
                        fields::unknown(entry, "the table", &[], &mut cx.report);
                        self.clean = false;
                        continue;
                    }
                    match cell(key, entry, &mut last, cx) {
                        Some(cell) => {
                            cells.push(cell);
                            self.level(deeper, &entry.node, cells, kept, cx);
                            cells.pop();
                        }
                        None => self.clean = false,
                    }
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the walk's position; a struct for one call would hide it")]
    fn constant(
        &mut self,
        value: Option<&str>,
        deeper: &[Level],
        node: &Node,
        entries: &[Entry],
        cells: &mut Vec<Cell>,
        kept: bool,
        cx: &mut Cx<'_>,
    ) {
        let chosen = value.and_then(|v| {
            entries.iter().position(|e| e.key == v).or_else(|| entries.iter().position(|e| e.key == "*"))
        });
        if let (Some(value), None) = (value, chosen) {
            let message = format!("no row for {}, which is the contract's value", quote(value));
            cx.report.hinted(Code::NoRow, node.at, message, format!("add a row `{value}:`, or `*:` for the rest"));
        }
        self.clean &= chosen.is_some();
        for (index, entry) in entries.iter().enumerate() {
            self.level(deeper, &entry.node, cells, kept && chosen == Some(index), cx);
        }
    }
}

fn cell(key: &Key, entry: &Entry, last: &mut Option<NaiveDate>, cx: &mut Cx<'_>) -> Option<Cell> {
    match key {
        _ if entry.key == "*" => Some(Cell::Any),
        Key::Fact(_) => canonical(&entry.key, entry.quoted, entry.at, "the row", &mut cx.report).map(Cell::Is),
        Key::Date => {
            let date = dates::date(&entry.key, entry.at, &mut cx.report)?;
            if last.is_some_and(|last| last >= date) {
                let hint = "write them from the earliest on: each holds until the next one's date";
                cx.report.hinted(Code::DateOrder, entry.at, "date rows out of order", hint);
                return None;
            }
            *last = Some(date);
            Some(Cell::From(date))
        }
    }
}
