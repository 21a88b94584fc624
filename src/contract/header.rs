//! The contract as a whole: parties, dates, scope, controls, and the order in which its parts are read.

use super::chains;
use super::code::Code;
use super::dates;
use super::fields::{self, Fields};
use super::keys::{Effect, top};
use super::names::{Business, Cx, Names, substitute};
use super::obligation::{self, Defaults};
use super::report::{At, quote};
use super::yaml::{Node, Value};
use super::{asides, calendar, waiver};
use onus_engine::terms::{Contract, Control, Obligation, PartnerPattern};
use std::collections::{BTreeMap, BTreeSet};

/// Reads a whole contract, and puts its values in their places. None: something is wrong, and the report says what.
pub(crate) fn contract(root: &mut Node, cx: &mut Cx<'_>) -> Option<Contract> {
    cx.names = Names::of(root);
    substitute(root, cx);
    let fields = Fields::of(root, &top::CONTRACT, &mut cx.report)?;
    asides(&fields, cx);
    let name = fields.need("contract", &mut cx.report);
    let name = name.and_then(|node| fields::name(node, "`contract`", &mut cx.report));
    let partners = fields.need("partner", &mut cx.report).and_then(|node| partners(node, cx));
    let customer = fields.need("customer", &mut cx.report);
    let customer = customer.and_then(|node| fields::name(node, "`customer`", &mut cx.report));
    let effective = fields.need("effective", &mut cx.report);
    let effective = effective.and_then(|node| dates::instant(node, "`effective`", &mut cx.report));
    let ends = fields.get("ends").map(|node| {
        let ends = dates::instant(node, "`ends`", &mut cx.report);
        if matches!((effective, ends), (Some(from), Some(to)) if to <= from) {
            let hint = "write an instant after `effective`, or leave `ends` out";
            cx.report.hinted(Code::EndsFirst, node.at, "the contract ends before it takes effect", hint);
        }
        ends
    });
    let zone = fields.need("zone", &mut cx.report).and_then(|node| dates::zone(node, &mut cx.report));
    let sources = fields.get("scope").map_or(Some(Vec::new()), |node| sources(node, cx));
    let blocks = blocks(&fields, cx);
    let controls = fields.get("controls").map_or(Some(Vec::new()), |node| controls(node, cx));
    let obligations = obligations(&fields, cx);
    let waivers = fields.get("waivers").map(|node| {
        let waivers = waiver::waivers(node, cx)?;
        waiver::not_by_obligor(node, &waivers, obligations.as_deref().unwrap_or_default(), cx);
        Some(waivers)
    });
    let calendars = calendar::build(&blocks?, &BTreeMap::new(), &mut cx.report);
    Some(Contract {
        name: name?,
        partners: partners?,
        customer: customer?,
        effective: effective?,
        ends: fields::optional(ends)?,
        zone: zone?,
        sources: sources?,
        calendars: calendars?,
        controls: controls?,
        waivers: fields::optional(waivers)?,
        obligations: obligations?,
    })
}

/// What says nothing to the judge, and what it must not be silent about.
fn asides(fields: &Fields<'_>, cx: &mut Cx<'_>) {
    type Read = fn(&Node, &mut Cx<'_>);
    let readers: [(&str, Read); 7] = [
        ("values", asides::values),
        ("events", asides::events),
        ("roles", asides::roles),
        ("subcontractors", asides::subcontractors),
        ("escalation", asides::escalation),
        ("retention", asides::retention),
        ("yields-to", |node, cx| asides::name_list(node, "`yields-to`", cx)),
    ];
    for (key, read) in readers {
        if let Some(node) = fields.get(key) {
            read(node, cx);
        }
    }
    if let Some(node) = fields.get("stack") {
        fields::name(node, "`stack`", &mut cx.report);
    }
    if let Some(entry) = fields.entry("include") {
        cx.report.unsupported(entry.at, "`include`; write the parts into the file");
    }
}

fn partners(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<PartnerPattern>> {
    let items = fields::one_or_more(node, "`partner`", &mut cx.report)?;
    let mut seen = BTreeSet::new();
    fields::every(items, |item| {
        let text = fields::text(item, "`partner`", &mut cx.report)?;
        if !seen.insert(text.to_owned()) {
            cx.report.error(Code::DuplicateName, item.at, format!("the partner {} stands here twice", quote(text)));
            return None;
        }
        if text == "unowned" {
            let hint = "what no contract claims is unowned; name the partner that owes";
            cx.report.hinted(Code::BadName, item.at, "`unowned` is nobody to have a contract with", hint);
            return None;
        }
        match text.strip_suffix('*') {
            Some("") => Some(PartnerPattern::Prefix(String::new())),
            Some(prefix) => fields::is_name(prefix, item.at, "the partner", &mut cx.report)
                .then(|| PartnerPattern::Prefix(prefix.to_owned())),
            None => fields::is_name(text, item.at, "the partner", &mut cx.report)
                .then(|| PartnerPattern::Exact(text.to_owned())),
        }
    })
}

/// `scope: {sources: [..]}`. A narrower scope that was ignored would bring strangers' subjects under the contract.
fn sources(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<String>> {
    let fields = Fields::of(node, &top::SCOPE, &mut cx.report)?;
    let mut clean = true;
    for key in top::SCOPE.keys.iter().filter(|key| key.effect == Effect::Refused) {
        if let Some(entry) = fields.entry(key.name) {
            cx.report.unsupported(entry.at, format!("`{}` in `scope`, which knows `sources` only", key.name));
            clean = false;
        }
    }
    let sources =
        fields.get("sources").map_or(Some(Vec::new()), |node| fields::texts(node, "`sources`", &mut cx.report))?;
    clean.then_some(sources)
}

fn controls(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Control>> {
    let entries = fields::map(node, "`controls`", &mut cx.report)?;
    fields::every(entries, |entry| {
        let named = fields::is_name(&entry.key, entry.at, "the control", &mut cx.report);
        let fields = Fields::of(&entry.node, &top::CONTROL, &mut cx.report)?;
        let mut clean = named;
        for key in top::CONTROL.keys.iter().filter(|key| key.effect == Effect::Refused) {
            if let Some(entry) = fields.entry(key.name) {
                cx.report.unsupported(entry.at, format!("`{}` of a control", key.name));
                clean = false;
            }
        }
        if let Some(node) = fields.get("mode") {
            asides::mode(node, cx);
        }
        if let Some(node) = fields.get("raci") {
            asides::raci(node, cx);
        }
        if let Some(node) = fields.get("maps") {
            asides::maps(node, cx);
        }
        let owner = fields.need("risk-owner", &mut cx.report).and_then(|node| cx.party(node, "`risk-owner`"))?;
        clean.then(|| Control { name: entry.key.clone(), risk_owner: Some(owner) })
    })
}

fn blocks(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<Vec<(String, At, calendar::Block)>> {
    let sets = match fields.get("holidays") {
        Some(node) => calendar::sets(node, &mut cx.report),
        None => Some(BTreeMap::new()),
    };
    let Some(node) = fields.get("calendars") else { return Some(Vec::new()) };
    let names: BTreeSet<&str> = cx.names.calendars.iter().map(String::as_str).collect();
    // Sets that are wrong have been told; their names still count, so that nothing is told twice.
    let misread = match fields.get("holidays").map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|e| (e.key.clone(), BTreeMap::new())).collect(),
        _ => BTreeMap::new(),
    };
    let known = calendar::Known {
        sets: sets.as_ref().unwrap_or(&misread),
        calendars: &names,
        zone: None,
        loose: false,
        includes: fields.has("include"),
    };
    let entries = fields::map(node, "`calendars`", &mut cx.report)?;
    let blocks = fields::every(entries, |entry| {
        let named = fields::is_name(&entry.key, entry.at, "the calendar", &mut cx.report);
        let block = calendar::block(&entry.node, &known, &mut cx.report)?;
        named.then(|| (entry.key.clone(), entry.at, block))
    });
    sets.and(blocks)
}

fn obligations(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<Vec<Obligation>> {
    let business = fields.get("calendar").map_or(Business::Unknown, |node| cx.calendar(node));
    let mut defaults = Defaults::new(business);
    if let Some(node) = fields.get("defaults") {
        defaults = defaults.read(node, cx);
    }
    let node = fields.need("obligations", &mut cx.report)?;
    let items = fields::list(node, "`obligations`", &mut cx.report)?;
    let unique = unique(items, cx);
    let drafts = items.iter().map(|item| obligation::obligation(item, &defaults, cx)).collect();
    let settled = chains::settle(drafts, cx);
    if unique { settled } else { None }
}

fn unique(items: &[Node], cx: &mut Cx<'_>) -> bool {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut clean = true;
    for node in items.iter().filter_map(|item| item.get("id")) {
        let Value::Scalar { text, .. } = &node.value else { continue };
        if let Some(line) = seen.get(text.as_str()) {
            let message = format!("two obligations are named {}: the first on line {line}", quote(text));
            cx.report.hinted(
                Code::DuplicateName,
                node.at,
                message,
                "an id is how everything else speaks of it: make it unique",
            );
            clean = false;
        }
        seen.entry(text).or_insert(node.at.line);
    }
    clean
}
