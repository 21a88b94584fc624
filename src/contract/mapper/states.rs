//! Rows: how they stand, and what that tells.

use super::places;
use crate::contract::code::Code;
use crate::contract::fields::{self, Fields};
use crate::contract::keys::mapper::CHANGE;
use crate::contract::names::Cx;
use crate::contract::report::{At, Report, quote};
use crate::contract::yaml::{Node, Value};
use crate::mapper::{Change, States};
use std::collections::BTreeSet;

/// What tells nothing, on purpose.
pub(super) const NOTHING: &str = "nothing";

/// Any state.
const ANY: &str = "any";

pub(super) fn read(node: &Node, fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<States> {
    let state = places::place(node, "`state`", &mut cx.report);
    if !fields.has("order") && !fields.is_meant("order") {
        let hint = "add `order:` with the field that grows: a counter, or `{from: updated_at}` for a time";
        let message = "rows without an `order`: an old row that comes again would undo what a newer one told";
        cx.report.hinted(Code::MissingKey, fields.at, message, hint);
    }
    // What the table gives; without one, the states are those of which a first sight is told.
    let given: Option<BTreeSet<String>> =
        state.as_ref().and_then(|place| place.table.as_ref()).map(|table| table.values().cloned().collect());
    let first = fields.need("first-sight", &mut cx.report).and_then(|node| first(node, given.as_ref(), cx));
    let told = || first.iter().flatten().map(|(state, _)| state.clone()).collect();
    let known = given.unwrap_or_else(told);
    let changes = fields::optional(fields.get("changes").map(|node| changes(node, &known, cx)));
    let over = fields::optional(fields.get("over").map(|node| {
        let items = fields::one_or_more(node, "`over`", &mut cx.report)?;
        fields::every(items, |item| {
            let state = places::word(item, "a state", &mut cx.report)?;
            is_known(&state, item.at, &known, &mut cx.report).then_some(state)
        })
    }));
    let (state, first) = (state?, first?);
    let complete = complete(&known, &first, fields, &mut cx.report);
    let states = States {
        state,
        first: first.into_iter().collect(),
        changes: changes?.unwrap_or_default(),
        over: over?.unwrap_or_default().into_iter().collect(),
    };
    (complete && fields.has("order")).then_some(states)
}

/// What each state tells at first sight.
fn first(node: &Node, given: Option<&BTreeSet<String>>, cx: &mut Cx<'_>) -> Option<Vec<(String, Vec<String>)>> {
    let entries = fields::map(node, "`first-sight`", &mut cx.report)?;
    fields::every(entries, |entry| {
        let state = places::said(entry, "a state", &mut cx.report);
        let tells = tells(&entry.node, cx);
        if entry.key == ANY {
            let message = "no state is called `any`: each has a line of its own here";
            cx.report.hinted(Code::NoState, entry.at, message, "write a line for each state");
            return None;
        }
        let state = state.filter(|state| given.is_none_or(|known| is_known(state, entry.at, known, &mut cx.report)));
        Some((state?, tells?))
    })
}

/// Of every state it is said what its first sight tells.
fn complete(
    known: &BTreeSet<String>,
    first: &[(String, Vec<String>)],
    fields: &Fields<'_>,
    report: &mut Report<'_>,
) -> bool {
    let missing: Vec<&str> =
        known.iter().map(String::as_str).filter(|state| !first.iter().any(|(said, _)| said == state)).collect();
    let (Some(state), Some(entry)) = (missing.first(), fields.entry("first-sight")) else { return true };
    let message = format!("nothing is said of rows that are first seen as {}", list(&missing));
    let hint = format!("add `{state}:` with event types, or `{state}: nothing`");
    report.hinted(Code::UntoldState, entry.at, message, hint);
    false
}

/// Words in a row, for a message.
pub(super) fn list(words: &[&str]) -> String {
    const MOST: usize = 6;
    let shown: Vec<String> = words.iter().take(MOST).map(|word| quote(word)).collect();
    let more = words.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn is_known(state: &str, at: At, known: &BTreeSet<String>, report: &mut Report<'_>) -> bool {
    if known.contains(state) {
        return true;
    }
    let message = format!("no state is called {}", quote(state));
    report.misnamed(Code::NoState, at, message, state, known.iter().map(String::as_str));
    false
}

fn changes(node: &Node, known: &BTreeSet<String>, cx: &mut Cx<'_>) -> Option<Vec<Change>> {
    fields::every(fields::list(node, "`changes`", &mut cx.report)?, |item| {
        let fields = Fields::of(item, &CHANGE, &mut cx.report)?;
        let mut side = |key: &str| {
            let node = fields.need(key, &mut cx.report)?;
            if matches!(&node.value, Value::Scalar { text, .. } if text == ANY) {
                return Some(None);
            }
            let items = fields::one_or_more(node, key, &mut cx.report)?;
            let states = fields::every(items, |item| {
                let state = places::word(item, "a state", &mut cx.report)?;
                is_known(&state, item.at, known, &mut cx.report).then_some(state)
            })?;
            Some(Some(states.into_iter().collect()))
        };
        let (from, to) = (side("from"), side("to"));
        let tells = fields.need("tells", &mut cx.report).and_then(|node| tells(node, cx));
        Some(Change { from: from?, to: to?, tells: tells? })
    })
}

/// Event types in order, or nothing.
fn tells(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<String>> {
    if matches!(&node.value, Value::Scalar { text, .. } if text == NOTHING) {
        return Some(Vec::new());
    }
    let items = fields::one_or_more(node, "what it tells", &mut cx.report)?;
    let mut seen = BTreeSet::new();
    fields::every(items, |item| {
        let kind = cx.event(item)?;
        if !seen.insert(kind.clone()) {
            let message = format!("{} stands twice: one change tells it once", quote(&kind));
            cx.report.hinted(Code::DuplicateName, item.at, message, "keep one of them");
            return None;
        }
        Some(kind)
    })
}
