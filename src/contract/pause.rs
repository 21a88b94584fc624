//! Pauses, reopening and changes of priority: what may move a running clock.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::duty;
use super::length;
use super::names::{Business, Cx};
use super::report::{At, quote};
use super::yaml::{Node, Value};
use onus_engine::terms::{Cap, Confirm, Party, Pause, Reopen, ReopenPolicy, Reprioritise};

/// `pause`: who may stop the clock, for which reasons, and how long. It has no calendar until it is [`bound`].
pub(crate) fn pause(node: &Node, cx: &mut Cx<'_>) -> Option<Pause> {
    let fields = Fields::of(node, &duty::PAUSE_BLOCK, &mut cx.report)?;
    let reasons = fields.need("reasons", &mut cx.report).and_then(|node| reasons(node, cx));
    let by = fields.need("by", &mut cx.report).and_then(|node| by(node, cx));
    let confirm = fields.get("confirm").map(|node| confirm(node, cx));
    let cap = fields.get("cap").map(|node| cap(node, cx));
    let (confirm, cap) = (fields::optional(confirm)?, fields::optional(cap)?);
    Some(Pause { reasons: reasons?, by: by?, confirm, cap })
}

/// A pause in the calendar of the obligation that it is of: a default is written before that is known.
pub(crate) fn bound(mut pause: Pause, at: At, business: Business, cx: &mut Cx<'_>) -> Option<Pause> {
    if let Some(confirm) = &mut pause.confirm {
        let needed = length::is_business(&confirm.within);
        cx.business(needed, business, at, "a pause is confirmed in business time")?;
        confirm.calendar = business.position();
    }
    let needed = matches!(&pause.cap, Some(Cap::Span(span)) if length::is_business(span));
    cx.business(needed, business, at, "`cap` is in business time")?;
    Some(pause)
}

/// The inner None: any reason.
fn reasons(node: &Node, cx: &mut Cx<'_>) -> Option<Option<Vec<String>>> {
    let reasons = fields::texts(node, "`reasons`", &mut cx.report)?;
    if reasons.iter().any(|r| r == "*") {
        if reasons.len() > 1 {
            let hint = "write [\"*\"] alone for any reason, or name the reasons";
            cx.report.hinted(Code::BadTest, node.at, "`*` beside reasons takes everything", hint);
            return None;
        }
        return Some(None);
    }
    Some(Some(reasons))
}

/// The inner None: anyone, of an unknown side too.
fn by(node: &Node, cx: &mut Cx<'_>) -> Option<Option<Vec<Party>>> {
    match &node.value {
        Value::Scalar { text, .. } if text == "anyone" => Some(None),
        _ => cx.parties(node, "`by`").map(Some),
    }
}

fn confirm(node: &Node, cx: &mut Cx<'_>) -> Option<Confirm> {
    let fields = Fields::of(node, &duty::CONFIRM, &mut cx.report)?;
    let by = fields.need("by", &mut cx.report).and_then(|node| cx.party(node, "`by`"));
    let within = fields.need("within", &mut cx.report).and_then(|node| cx.length(node, "`within`", length::limit));
    Some(Confirm { by: by?, within: within?, calendar: None })
}

fn cap(node: &Node, cx: &mut Cx<'_>) -> Option<Cap> {
    let text = fields::text(node, "`cap`", &mut cx.report)?;
    if let Some(percent) = text.strip_suffix('%') {
        let share = percent.parse().ok().filter(|p: &u32| (1..100).contains(p) && !percent.starts_with(['0', '+']));
        if share.is_none() {
            let message = format!("`cap` cannot be {}", quote(text));
            cx.report.hinted(Code::BadPercent, node.at, message, "a whole share of the limit, 1% to 99%");
        }
        return share.map(Cap::Percent);
    }
    cx.length(node, "`cap`", length::length).map(Cap::Span)
}

const POLICIES: &[(&str, ReopenPolicy)] =
    &[("resume", ReopenPolicy::Resume), ("new", ReopenPolicy::New), ("ignore", ReopenPolicy::Ignore)];

/// `reopen`: what undoing the act does.
pub(crate) fn reopen(node: &Node, cx: &mut Cx<'_>) -> Option<Reopen> {
    if !matches!(node.value, Value::Map(_)) {
        let policy = fields::word(node, "`reopen`", POLICIES, &mut cx.report)?;
        return Some(Reopen { policy, window: None });
    }
    let fields = Fields::of(node, &duty::REOPEN_BLOCK, &mut cx.report)?;
    let policy = fields.need("policy", &mut cx.report);
    let policy = policy.and_then(|node| fields::word(node, "`policy`", POLICIES, &mut cx.report));
    let window = fields.get("window").map(|node| cx.length(node, "`window`", length::elapsed));
    Some(Reopen { policy: policy?, window: fields::optional(window)? })
}

/// `reprioritise`: what a changed fact of the limit's table does.
pub(crate) fn reprioritise(node: &Node, cx: &mut Cx<'_>) -> Option<Reprioritise> {
    let policies = &[("rebase", false), ("restart", true)];
    if !matches!(node.value, Value::Map(_)) {
        let restart = fields::word(node, "`reprioritise`", policies, &mut cx.report)?;
        return Some(Reprioritise { restart, min_remaining: None });
    }
    let fields = Fields::of(node, &duty::REPRIORITISE_BLOCK, &mut cx.report)?;
    let restart = fields.need("policy", &mut cx.report);
    let restart = restart.and_then(|node| fields::word(node, "`policy`", policies, &mut cx.report));
    let least = fields.get("min-remaining").map(|node| cx.length(node, "`min-remaining`", length::elapsed));
    Some(Reprioritise { restart: restart?, min_remaining: fields::optional(least)? })
}
