//! Controls: how far the partner goes by itself on one activity, and who does what.

use super::asides;
use super::fields::{self, Fields};
use super::keys::{Effect, top};
use super::names::Cx;
use super::scope;
use super::yaml::{Entry, Node};
use onus_engine::terms::{Control, Mode, Raci};

const MODES: &[(&str, Mode)] =
    &[("advisory", Mode::Advisory), ("operational", Mode::Operational), ("delegated", Mode::Delegated)];

/// Reads `controls:`.
pub(crate) fn controls(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Control>> {
    let entries = fields::map(node, "`controls`", &mut cx.report)?;
    fields::every(entries, |entry| control(entry, cx))
}

fn control(entry: &Entry, cx: &mut Cx<'_>) -> Option<Control> {
    let named = fields::is_name(&entry.key, entry.at, "the control", &mut cx.report);
    let fields = Fields::of(&entry.node, &top::CONTROL, &mut cx.report)?;
    let mut clean = named;
    for key in top::CONTROL.keys.iter().filter(|key| key.effect == Effect::Refused) {
        if let Some(entry) = fields.entry(key.name) {
            cx.report.unsupported(entry.at, format!("`{}` of a control", key.name));
            clean = false;
        }
    }
    let mode = fields.get("mode").map(|node| fields::word(node, "`mode`", MODES, &mut cx.report));
    let raci = fields.get("raci").map(|node| raci(node, cx));
    let scope = fields.get("scope").map(|node| scope::scope(node, cx));
    if let Some(node) = fields.get("maps") {
        asides::maps(node, cx);
    }
    let owner = fields.need("risk-owner", &mut cx.report).and_then(|node| cx.party(node, "`risk-owner`"));
    let control = Control {
        name: entry.key.clone(),
        risk_owner: Some(owner?),
        mode: fields::optional(mode)?,
        raci: fields::optional(raci)?,
        scope: fields::optional(scope)?,
    };
    clean.then_some(control)
}

fn raci(node: &Node, cx: &mut Cx<'_>) -> Option<Raci> {
    let fields = Fields::of(node, &top::RACI, &mut cx.report)?;
    let mut party = |key: &str| fields.need(key, &mut cx.report).and_then(|node| cx.party(node, key));
    let (request, approve, execute, review) = (party("request"), party("approve"), party("execute"), party("review"));
    Some(Raci { request: request?, approve: approve?, execute: execute?, review: review? })
}
