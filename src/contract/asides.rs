//! What a contract says for people and notices: read for those who tell them, and without effect on any standing.
//!
//! Each is read here so that a slip in it is told when the contract is written, not when it is first needed.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::top;
use super::length::{self, Slip};
use super::names::{self, Business, Cx};
use super::report::quote;
use super::words;
use super::yaml::{Node, Value};
use onus_engine::terms::{Ladder, Role, Rung, RungAt, Severity, Span, Subcontractor};

/// Roles and where they are reached.
pub(crate) fn roles(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Role>> {
    let entries = fields::map(node, "`roles`", &mut cx.report)?;
    fields::every(entries, |entry| {
        let party = names::read_party(&entry.key).filter(|party| party.role.is_some());
        if party.is_none() {
            let message = format!("{} is no role", quote(&entry.key));
            cx.report.hinted(Code::BadParty, entry.at, message, "write it like `customer.iam-lead` or `partner.desk`");
        }
        let address = fields::text(&entry.node, "a role's address", &mut cx.report);
        Some(Role { party: party?, address: address?.to_owned() })
    })
}

/// Subcontractors with the controls they work on and the clause that binds them.
pub(crate) fn subcontractors(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Subcontractor>> {
    let entries = fields::map(node, "`subcontractors`", &mut cx.report)?;
    fields::every(entries, |entry| {
        let fields = Fields::of(&entry.node, &top::SUBCONTRACTOR, &mut cx.report)?;
        let controls = fields.need("controls", &mut cx.report).and_then(|node| {
            let items = fields::list(node, "`controls`", &mut cx.report)?;
            fields::every(items, |item| {
                let name = fields::text(item, "a control", &mut cx.report)?;
                cx.known(Code::NoControl, "control", name, item.at).then(|| name.to_owned())
            })
        });
        let flow_down = fields.need("flow-down", &mut cx.report);
        let flow_down = flow_down.and_then(|node| fields::text(node, "`flow-down`", &mut cx.report));
        Some(Subcontractor { name: entry.key.clone(), controls: controls?, flow_down: flow_down?.to_owned() })
    })
}

/// Escalation ladders: rungs with when, whom and how loud.
pub(crate) fn escalation(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Ladder>> {
    let ladders = fields::map(node, "`escalation`", &mut cx.report)?;
    fields::every(ladders, |ladder| {
        let rungs = fields::list(&ladder.node, "a ladder", &mut cx.report)?;
        let rungs = fields::every(rungs, |rung| {
            let fields = Fields::of(rung, &top::RUNG, &mut cx.report)?;
            let at = fields.need("at", &mut cx.report).and_then(|node| cx.length(node, "`at`", rung_at));
            let tell = fields.need("tell", &mut cx.report).and_then(|node| cx.parties(node, "`tell`"));
            let severity = fields.get("severity").map(|node| severity(node, cx));
            let calendar = fields.get("calendar").map(|node| rung_calendar(node, at.as_ref(), cx));
            let (severity, calendar) = (fields::optional(severity)?, fields::optional(calendar)?);
            Some(Rung { at: at?, tell: tell?, severity, calendar })
        });
        Some(Ladder { name: ladder.key.clone(), rungs: rungs? })
    })
}

/// The calendar of those who are told; there is something to count on it only after the breach, and in business time.
fn rung_calendar(node: &Node, at: Option<&RungAt>, cx: &mut Cx<'_>) -> Option<usize> {
    let Business::By(calendar) = cx.calendar(node) else { return None };
    if at.is_some_and(|at| !matches!(at, RungAt::After(span) if length::is_business(span))) {
        let hint = "write `at` in business time after the breach, like `2 business hours after`, or drop `calendar`";
        cx.report.hinted(Code::WrongSentence, node.at, "a calendar on which this rung counts nothing", hint);
        return None;
    }
    Some(calendar)
}

/// How loud a notice is.
pub(crate) fn severity(node: &Node, cx: &mut Cx<'_>) -> Option<Severity> {
    fields::word(node, "`severity`", words::SEVERITIES, &mut cx.report)
}

/// The ladder that an obligation climbs.
pub(crate) fn escalate(node: &Node, cx: &mut Cx<'_>) -> Option<String> {
    let name = fields::text(node, "`escalate`", &mut cx.report)?;
    cx.known(Code::NoLadder, "escalation ladder", name, node.at).then(|| name.to_owned())
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
pub(crate) fn retention(node: &Node, cx: &mut Cx<'_>) -> Option<Span> {
    cx.length(node, "`retention`", length::length)
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

/// When a rung is reached: a share of the limit, the breach, or so long before or after the deadline.
fn rung_at(text: &str) -> Result<RungAt, Slip> {
    if text == "breach" {
        return Ok(RungAt::Breach);
    }
    let share = text.strip_suffix('%').and_then(|p| p.parse::<u32>().ok());
    if let Some(share) = share.filter(|share| (1..100).contains(share)) {
        return Ok(RungAt::Share(share));
    }
    match (text.strip_suffix(" before"), text.strip_suffix(" after")) {
        (Some(span), _) => length::length(span).map(RungAt::Before),
        (None, Some(span)) => length::length(span).map(RungAt::After),
        (None, None) => Err(Slip {
            message: format!("{} is no place on a ladder", quote(text)),
            hint: Some("possible here: `80%`, `2h before`, `breach`, `1h after`".into()),
        }),
    }
}
