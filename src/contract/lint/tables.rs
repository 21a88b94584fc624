//! Tables that leave values out: whatever has no row is exempt, and nobody is told.

use super::{Lint, one_or_more};
use crate::contract::code::Code;
use crate::contract::report::{At, Report};
use crate::contract::table::is_priority;
use crate::contract::yaml::Node;
use onus_engine::calendar::local;
use onus_engine::terms::{Cell, Key, Obligation, Sentence, Table};
use std::collections::BTreeSet;

const PRIORITY: &str = "priority";

/// The priorities that some table of the contract has.
pub(super) fn priorities(lint: &Lint<'_>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for (node, obligation) in lint.obligations() {
        each(node, obligation, &mut |_, table| {
            for level in (0..table.depends_on.len()).filter(|level| is_of(&table.depends_on[*level], PRIORITY)) {
                known.extend(table.cells.iter().filter_map(|cells| match cells.get(level) {
                    Some(Cell::Is(text)) if is_priority(text) => Some(text.clone()),
                    _ => None,
                }));
            }
        });
    }
    known
}

/// Reports tables that leave values out.
pub(super) fn check(
    lint: &Lint<'_>,
    node: &Node,
    obligation: &Obligation,
    known: &BTreeSet<String>,
    report: &mut Report<'_>,
) {
    each(node, obligation, &mut |at, table| {
        for (level, key) in table.depends_on.iter().enumerate() {
            // Rows that agree in all facts before this one stand together, and are chosen by this one.
            let told = table.cells.chunk_by(|a, b| a[..level] == b[..level]).find_map(|rows| {
                let cells: Vec<&Cell> = rows.iter().map(|cells| &cells[level]).collect();
                lacking(lint, key, &cells, known)
            });
            if let Some((code, message, hint)) = told {
                report.hinted(code, at, message, hint);
            }
        }
    });
}

fn lacking(lint: &Lint<'_>, key: &Key, cells: &[&Cell], known: &BTreeSet<String>) -> Option<(Code, String, String)> {
    if cells.contains(&&Cell::Any) {
        return None;
    }
    match key {
        Key::Date => late(lint, cells),
        Key::Fact(fact) => {
            let rows: BTreeSet<&str> = cells
                .iter()
                .filter_map(|cell| match cell {
                    Cell::Is(text) => Some(text.as_str()),
                    Cell::Any | Cell::From(_) => None,
                })
                .collect();
            let by_priority = fact == PRIORITY && rows.iter().any(|row| is_priority(row));
            if by_priority { priority(&rows, known) } else { rest(fact, &rows) }
        }
    }
}

fn priority(rows: &BTreeSet<&str>, known: &BTreeSet<String>) -> Option<(Code, String, String)> {
    let last = rows.iter().copied().chain(known.iter().map(String::as_str)).filter(|row| is_priority(row)).max()?;
    let up_to: u8 = last.trim_start_matches('P').parse().ok()?;
    let missing: Vec<String> = (1..=up_to).map(|n| format!("P{n}")).filter(|p| !rows.contains(p.as_str())).collect();
    if missing.is_empty() {
        let message = format!("no row for a priority other than {}: any other is exempt", listed(rows));
        return Some((Code::NoRest, message, "add a row `\"*\":` for the rest".to_owned()));
    }
    let message = format!("no row for {}: a ticket of that priority is exempt here", missing.join(", "));
    let hint = format!("add `{}: ..`, or a row `\"*\":` for the rest", missing.join(": .., "));
    Some((Code::NoPriority, message, hint))
}

fn rest(fact: &str, rows: &BTreeSet<&str>) -> Option<(Code, String, String)> {
    let (yes, no) = (rows.contains("true"), rows.contains("false"));
    if yes && no {
        return None;
    }
    if rows.len() == 1 && (yes || no) {
        let other = if yes { "false" } else { "true" };
        let message = format!("no row for `{fact}: {other}`: what is so is exempt");
        return Some((Code::NoRest, message, format!("add a row `{other}:`, or `\"*\":` for the rest")));
    }
    let message = format!("no row for `{fact}` other than {}: any other value is exempt", listed(rows));
    Some((Code::NoRest, message, "add a row `\"*\":` for the rest".to_owned()))
}

fn late(lint: &Lint<'_>, cells: &[&Cell]) -> Option<(Code, String, String)> {
    let first = cells
        .iter()
        .filter_map(|cell| match cell {
            Cell::From(date) => Some(*date),
            Cell::Any | Cell::Is(_) => None,
        })
        .min()?;
    let effective = local(lint.contract.zone, lint.contract.effective).date();
    if first <= effective {
        return None;
    }
    let message = format!("the contract takes effect on {effective}, and what begins before {first} has no row");
    Some((Code::LateFirstRow, message, format!("add a row `{effective}:`, or `\"*\":` for the rest")))
}

fn listed(rows: &BTreeSet<&str>) -> String {
    let mut shown: Vec<&str> = rows.iter().copied().take(6).collect();
    if rows.len() > shown.len() {
        shown.push("…");
    }
    shown.join(", ")
}

fn is_of(key: &Key, fact: &str) -> bool {
    matches!(key, Key::Fact(name) if name == fact)
}

/// How the rows of a table are chosen, whatever they hold.
struct Choice<'t> {
    depends_on: &'t [Key],
    cells: Vec<&'t [Cell]>,
}

impl<'t, T> From<&'t Table<T>> for Choice<'t> {
    fn from(table: &'t Table<T>) -> Choice<'t> {
        Choice { depends_on: &table.depends_on, cells: table.rows.iter().map(|row| row.cells.as_slice()).collect() }
    }
}

/// Every table of an obligation, with its place.
fn each<'o>(node: &Node, obligation: &'o Obligation, see: &mut dyn FnMut(At, Choice<'o>)) {
    let place = |key: &str| node.get(key).map_or(node.at, |value| value.at);
    match &obligation.sentence {
        Sentence::Within { limits, .. } => within(node, limits, see),
        Sentence::Every { period, limits, .. } => {
            see(place("every"), period.into());
            within(node, limits, see);
        }
        Sentence::Requires { what, .. } => see(place("requires"), what.into()),
    }
}

fn within<'o>(node: &Node, limits: &'o [onus_engine::terms::Limit], see: &mut dyn FnMut(At, Choice<'o>)) {
    let nodes = node.get("within").map_or(&[][..], one_or_more);
    for (node, limit) in nodes.iter().zip(limits) {
        see(node.get("must").map_or(node.at, |must| must.at), (&limit.must).into());
    }
}
