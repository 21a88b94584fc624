//! Rows: how they stand, and what that tells.

use super::places;
use crate::contract::code::Code;
use crate::contract::fields::{self, Fields};
use crate::contract::keys::mapper::CHANGE;
use crate::contract::names::Cx;
use crate::contract::report::{At, Report, quote};
use crate::contract::yaml::{Node, Value};
use crate::mapper::{Change, Place, States};
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
    let first = fields.need("first-sight", &mut cx.report).and_then(|node| first(node, cx));
    let known = known(state.as_ref(), first.as_deref());
    let changes = fields::optional(fields.get("changes").map(|node| changes(node, &known, cx)));
    let (state, first) = (state?, first?);
    let complete = complete(&known, &first, fields, &mut cx.report);
    let first = first.into_iter().map(|(state, _, tells)| (state, tells)).collect();
    let states = States { state, first, changes: changes?.unwrap_or_default() };
    (complete && fields.has("order")).then_some(states)
}

/// A state, where it was written, and what it tells at first sight.
type First = (String, At, Vec<String>);

fn first(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<First>> {
    let entries = fields::map(node, "`first-sight`", &mut cx.report)?;
    fields::every(entries, |entry| {
        let state = places::said(entry, "a state", &mut cx.report);
        if entry.key == ANY {
            let message = "no state is called `any`: each has a line of its own here";
            cx.report.hinted(Code::NoState, entry.at, message, "write a line for each state");
            return None;
        }
        let tells = tells(&entry.node, cx);
        Some((state?, entry.at, tells?))
    })
}

/// The states that there are: what the table gives, else those of which a first sight is told.
fn known(state: Option<&Place>, first: Option<&[First]>) -> BTreeSet<String> {
    match state.and_then(|place| place.table.as_ref()) {
        Some(table) => table.values().cloned().collect(),
        None => first.unwrap_or_default().iter().map(|(state, ..)| state.clone()).collect(),
    }
}

/// Of every state it is said what its first sight tells, and of no other.
fn complete(known: &BTreeSet<String>, first: &[First], fields: &Fields<'_>, report: &mut Report<'_>) -> bool {
    let mut good = true;
    for (state, at, _) in first {
        good &= is_known(state, *at, known, report);
    }
    let missing: Vec<&str> =
        known.iter().map(String::as_str).filter(|state| !first.iter().any(|(said, ..)| said == state)).collect();
    if let (Some(state), Some(entry)) = (missing.first(), fields.entry("first-sight")) {
        let message = format!("nothing is said of rows that are first seen as {}", list(&missing));
        let hint = format!("add `{state}:` with event types, or `{state}: nothing`");
        report.hinted(Code::UntoldState, entry.at, message, hint);
        good = false;
    }
    good
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
