//! What a contract says for people and notices: checked for its shape, and without effect on any standing.
//!
//! Each is read here so that a slip in it is told when the contract is written, not when it is first needed.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::{duty, top};
use super::length::{self, Slip};
use super::names::{self, Cx};
use super::report::quote;
use super::words;
use super::yaml::{Node, Value};

const EACH: &[(&str, ())] = &[("week", ()), ("month", ()), ("quarter", ()), ("half-year", ()), ("year", ())];

/// Roles and where they are reached.
pub(crate) fn roles(node: &Node, cx: &mut Cx<'_>) {
    for entry in fields::map(node, "`roles`", &mut cx.report).unwrap_or_default() {
        if names::read_party(&entry.key).is_none_or(|party| party.role.is_none()) {
            let message = format!("{} is no role", quote(&entry.key));
            cx.report.hinted(Code::BadParty, entry.at, message, "write it like `customer.iam-lead` or `partner.desk`");
        }
        fields::text(&entry.node, "a role's address", &mut cx.report);
    }
}

/// Subcontractors with the controls they work on and the clause that binds them.
pub(crate) fn subcontractors(node: &Node, cx: &mut Cx<'_>) {
    for entry in fields::map(node, "`subcontractors`", &mut cx.report).unwrap_or_default() {
        let Some(fields) = Fields::of(&entry.node, &top::SUBCONTRACTOR, &mut cx.report) else { continue };
        if let Some(node) = fields.need("controls", &mut cx.report) {
            for item in fields::list(node, "`controls`", &mut cx.report).unwrap_or_default() {
                if let Some(name) = fields::text(item, "a control", &mut cx.report) {
                    cx.known(Code::NoControl, "control", name, item.at);
                }
            }
        }
        if let Some(node) = fields.need("flow-down", &mut cx.report) {
            fields::text(node, "`flow-down`", &mut cx.report);
        }
    }
}

/// Escalation ladders: rungs with when, whom and how loud.
pub(crate) fn escalation(node: &Node, cx: &mut Cx<'_>) {
    for ladder in fields::map(node, "`escalation`", &mut cx.report).unwrap_or_default() {
        for rung in fields::list(&ladder.node, "a ladder", &mut cx.report).unwrap_or_default() {
            let Some(fields) = Fields::of(rung, &top::RUNG, &mut cx.report) else { continue };
            if let Some(node) = fields.need("at", &mut cx.report) {
                cx.length(node, "`at`", rung_at);
            }
            if let Some(node) = fields.need("tell", &mut cx.report) {
                cx.parties(node, "`tell`");
            }
            if let Some(node) = fields.get("severity") {
                severity(node, cx);
            }
        }
    }
}

/// How loud a notice is.
pub(crate) fn severity(node: &Node, cx: &mut Cx<'_>) {
    fields::word(node, "`severity`", words::SEVERITIES, &mut cx.report);
}

/// The ladder that an obligation climbs.
pub(crate) fn escalate(node: &Node, cx: &mut Cx<'_>) {
    if let Some(name) = fields::text(node, "`escalate`", &mut cx.report) {
        cx.known(Code::NoLadder, "escalation ladder", name, node.at);
    }
}

/// A level over many duties.
pub(crate) fn target(node: &Node, cx: &mut Cx<'_>) {
    let Some(fields) = Fields::of(node, &duty::TARGET, &mut cx.report) else { return };
    if let Some(node) = fields.need("each", &mut cx.report) {
        fields::word(node, "`each`", EACH, &mut cx.report);
    }
    for key in ["at-least", "credit"] {
        if let Some(node) = fields.get(key) {
            percent(node, key, cx);
        }
    }
    if let Some(node) = fields.get("average") {
        cx.length(node, "`average`", length::length);
    }
    if !fields.has("at-least") && !fields.has("average") {
        let message = "a target has neither `at-least` nor `average`";
        cx.report.hinted(Code::MissingKey, node.at, message, "add `at-least: 95%` or `average: 6h`");
    }
}

/// Larger promises that an obligation is part of: its own contract's must exist.
pub(crate) fn serves(node: &Node, cx: &mut Cx<'_>) {
    for item in fields::list(node, "`serves`", &mut cx.report).unwrap_or_default() {
        let Some(text) = fields::text(item, "`serves`", &mut cx.report) else { continue };
        if !text.contains('/') {
            cx.known(Code::NoObligation, "obligation", text, item.at);
        }
    }
}

/// How long facts are kept.
pub(crate) fn retention(node: &Node, cx: &mut Cx<'_>) {
    cx.length(node, "`retention`", length::length);
}

/// A list of texts for people: laws, framework ids.
pub(crate) fn maps(node: &Node, cx: &mut Cx<'_>) {
    fields::texts(node, "`maps`", &mut cx.report);
}

/// The contract's values are text; each is judged where it is used.
pub(crate) fn values(node: &Node, cx: &mut Cx<'_>) {
    for entry in fields::map(node, "`values`", &mut cx.report).unwrap_or_default() {
        if names::value_name(&format!("${}", entry.key)).is_none() {
            let message = format!("the value {} cannot be named in a contract", quote(&entry.key));
            let hint = "a value's name has lower-case letters, digits and hyphens";
            cx.report.hinted(Code::BadName, entry.at, message, hint);
        }
        let text = fields::text(&entry.node, "a value", &mut cx.report);
        if text.is_some_and(|text| text.len() > names::MAX_VALUE) {
            let message = format!("a value longer than {} bytes", names::MAX_VALUE);
            cx.report.error(Code::BadName, entry.node.at, message);
        }
        if matches!(&entry.node.value, Value::Scalar { text, .. } if names::value_name(text).is_some()) {
            cx.report.error(Code::BadName, entry.node.at, "a value cannot stand for another");
        }
    }
}

/// Event types of the contract's own.
pub(crate) fn events(node: &Node, cx: &mut Cx<'_>) {
    for item in fields::list(node, "`events`", &mut cx.report).unwrap_or_default() {
        let Some(text) = fields::text(item, "an event type", &mut cx.report) else { continue };
        let part =
            |p: &str| !p.is_empty() && p.split('-').all(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase()));
        let good = text.split_once('.').is_some_and(|(subject, act)| part(subject) && part(act));
        if !good {
            let message = format!("{} is no event type", quote(text));
            cx.report.hinted(Code::BadName, item.at, message, "write it as kind.act, like `badge.returned`");
        } else if words::is_event(text) {
            let message = format!("{} is built in", quote(text));
            cx.report.hinted(Code::DuplicateName, item.at, message, "take it out of `events`");
        }
    }
}

/// A share of a hundred.
fn percent(node: &Node, key: &str, cx: &mut Cx<'_>) {
    let Some(text) = fields::text(node, key, &mut cx.report) else { return };
    let digits = text.strip_suffix('%').unwrap_or("");
    let formed = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !digits.starts_with('.');
    let share = digits.parse::<f64>().ok().filter(|share| formed && (0.0..=100.0).contains(share));
    if share.is_none() {
        let message = format!("`{key}` cannot be {}", quote(text));
        cx.report.hinted(Code::BadPercent, node.at, message, "write it like 95% or 99.5%");
    }
}

/// When a rung is reached: a share of the limit, the breach, or so long before or after the deadline.
fn rung_at(text: &str) -> Result<(), Slip> {
    if text == "breach" {
        return Ok(());
    }
    let share = text.strip_suffix('%').and_then(|p| p.parse::<u32>().ok());
    if share.is_some_and(|share| (1..100).contains(&share)) {
        return Ok(());
    }
    match text.strip_suffix(" before").or_else(|| text.strip_suffix(" after")) {
        Some(span) => length::length(span).map(|_| ()),
        None => Err(Slip {
            message: format!("{} is no place on a ladder", quote(text)),
            hint: Some("possible here: `80%`, `2h before`, `breach`, `1h after`".into()),
        }),
    }
}
