//! The contract as a whole: parties, dates, scope, controls, and the order in which its parts are read.

use super::abroad;
use super::chains;
use super::code::Code;
use super::dates;
use super::fields::{self, Fields};
use super::keys::top;
use super::names::{Business, Cx, Names, substitute};
use super::obligation::{self, Defaults};
use super::report::{At, quote};
use super::yaml::{Node, Value};
use super::{asides, calendar, control, population, scope, waiver};
use onus_engine::terms::{Contract, Ladder, Obligation, PartnerPattern, Role, Scope, Span, Subcontractor};
use std::collections::{BTreeMap, BTreeSet};

/// Reads a whole contract, and puts its values in their places. None: something is wrong, and the report says what.
pub(crate) fn contract(root: &mut Node, cx: &mut Cx<'_>) -> Option<Contract> {
    if let Value::List(_) = &root.value {
        let hint = "write `contract: ..` and its other keys without a dash; the only list is that under `obligations:`";
        cx.report.hinted(Code::WrongShape, root.at, "a contract is a map, not a list", hint);
        return None;
    }
    names(root, cx);
    let fields = Fields::of(root, &top::CONTRACT, &mut cx.report)?;
    let asides = asides(&fields, cx);
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
    let scope = fields.get("scope").map_or(Some(Scope::default()), |node| scope::scope(node, cx));
    let yields_to = fields.get("yields-to").map_or(Some(Vec::new()), |node| yields_to(node, name.as_deref(), cx));
    let restates =
        fields.get("restates").map(|node| fields::text(node, "`restates`", &mut cx.report).map(str::to_owned));
    let blocks = blocks(&fields, cx);
    let defaults = defaults_by_file(&fields, cx);
    let controls =
        fields.get("controls").map_or(Some(Default::default()), |node| control::controls(node, &defaults, cx));
    let obligations = obligations(&fields, &defaults, cx);
    let (controls, obligations) = match (controls, obligations) {
        (Some((controls, derived)), Some(obligations)) => {
            let derived = control::without_written(derived, &obligations);
            (Some(controls), Some([obligations, derived].concat()))
        }
        (controls, obligations) => (controls.map(|(controls, _)| controls), obligations),
    };
    if let (Some(partners), Some(obligations)) = (&partners, &obligations) {
        let at = fields.entry("partner").map_or(fields.at, |entry| entry.at);
        population::shared_by_named(partners, obligations, at, cx)?;
    }
    let waivers = fields.get("waivers").map(|node| {
        let waivers = waiver::waivers(node, cx)?;
        waiver::not_by_obligor(node, &waivers, obligations.as_deref().unwrap_or_default(), cx);
        abroad::waived_abroad(obligations.as_deref().unwrap_or_default(), node.at, cx);
        Some(waivers)
    });
    let calendars = calendar::build(&blocks?, &BTreeMap::new(), &mut cx.report);
    Some(Contract {
        name: name?,
        partners: partners?,
        customer: customer?,
        effective: effective?,
        ends: fields::optional(ends)?,
        until: None,
        zone: zone?,
        scope: scope?,
        yields_to: yields_to?,
        restates: fields::optional(restates)?,
        stack: fields::optional(asides.stack)?,
        retention: fields::optional(asides.retention)?,
        roles: fields::optional(asides.roles)?.unwrap_or_default(),
        subcontractors: fields::optional(asides.subcontractors)?.unwrap_or_default(),
        escalation: fields::optional(asides.escalation)?.unwrap_or_default(),
        calendars: calendars?,
        controls: controls?,
        waivers: fields::optional(waivers)?,
        obligations: obligations?,
    })
}

/// Gathers the names that the contract declares, and puts its values in their places.
fn names(root: &mut Node, cx: &mut Cx<'_>) {
    cx.names = Names::of(root);
    cx.names.open = cx.parts.missing;
    substitute(root, cx);
    let mut scoped = std::mem::take(&mut cx.parts.scoped);
    for node in scoped.iter_mut().flat_map(|part| part.calendar.iter_mut().chain(&mut part.defaults)) {
        substitute(node, cx);
    }
    cx.parts.scoped = scoped;
}

/// Reads an included file that stands by itself: names that it lacks may be those of the contracts that include it.
pub(crate) fn part(root: &mut Node, cx: &mut Cx<'_>) -> Option<()> {
    cx.parts.missing = true;
    names(root, cx);
    let fields = Fields::of(root, &top::PART, &mut cx.report)?;
    asides(&fields, cx);
    let blocks = blocks(&fields, cx);
    let defaults = defaults_by_file(&fields, cx);
    if let Some(node) = fields.get("controls") {
        control::controls(node, &defaults, cx);
    }
    if fields.has("obligations") {
        obligations(&fields, &defaults, cx);
    }
    if let Some(blocks) = blocks {
        calendar::build(&blocks, &BTreeMap::new(), &mut cx.report);
    }
    Some(())
}

/// What says nothing to the judge. Where it is there, the inner None is what could not be read.
struct Asides {
    roles: Option<Option<Vec<Role>>>,
    subcontractors: Option<Option<Vec<Subcontractor>>>,
    escalation: Option<Option<Vec<Ladder>>>,
    retention: Option<Option<Span>>,
    stack: Option<Option<String>>,
}

fn asides(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Asides {
    if let Some(node) = fields.get("values") {
        asides::values(node, cx);
    }
    if let Some(node) = fields.get("events") {
        asides::events(node, cx);
    }
    Asides {
        roles: fields.get("roles").map(|node| asides::roles(node, cx)),
        subcontractors: fields.get("subcontractors").map(|node| asides::subcontractors(node, cx)),
        escalation: fields.get("escalation").map(|node| asides::escalation(node, cx)),
        retention: fields.get("retention").map(|node| asides::retention(node, cx)),
        stack: fields.get("stack").map(|node| fields::name(node, "`stack`", &mut cx.report)),
    }
}

/// Contracts that go first. They may be in other files, which are looked at when all are loaded.
fn yields_to(node: &Node, own: Option<&str>, cx: &mut Cx<'_>) -> Option<Vec<String>> {
    let items = fields::one_or_more(node, "`yields-to`", &mut cx.report)?;
    fields::every(items, |item| {
        let name = fields::name(item, "`yields-to`", &mut cx.report)?;
        if own == Some(name.as_str()) {
            let hint = "name the other contract, whose partner is the owner";
            cx.report.hinted(Code::BadName, item.at, "a contract cannot give way to itself", hint);
            return None;
        }
        Some(name)
    })
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
        includes: cx.names.open,
    };
    let entries = fields::map(node, "`calendars`", &mut cx.report)?;
    let blocks = fields::every(entries, |entry| {
        let named = fields::is_name(&entry.key, entry.at, "the calendar", &mut cx.report);
        let block = calendar::block(&entry.node, &known, &mut cx.report)?;
        named.then(|| (entry.key.clone(), entry.at, block))
    });
    sets.and(blocks)
}

/// The defaults of the contract's own file, and of each that it includes.
fn defaults_by_file(fields: &Fields<'_>, cx: &mut Cx<'_>) -> BTreeMap<u16, Defaults> {
    let own = defaults(None, fields.get("calendar"), fields.get("defaults"), cx);
    let mut by_file = BTreeMap::from([(0, own)]);
    // Those of the file that includes come before those of what it includes.
    let mut scoped = std::mem::take(&mut cx.parts.scoped);
    scoped.sort_by_key(|part| part.file);
    for part in &scoped {
        let over = by_file.get(&part.parent).cloned();
        by_file.insert(part.file, defaults(over, part.calendar.as_ref(), part.defaults.as_ref(), cx));
    }
    cx.parts.scoped = scoped;
    by_file
}

fn obligations(fields: &Fields<'_>, defaults: &BTreeMap<u16, Defaults>, cx: &mut Cx<'_>) -> Option<Vec<Obligation>> {
    let node = fields.need("obligations", &mut cx.report)?;
    let items = fields::list(node, "`obligations`", &mut cx.report)?;
    let unique = unique(items, cx);
    let drafts = items.iter().map(|item| obligation::obligation(item, &defaults[&item.at.file], cx)).collect();
    let settled = chains::settle(drafts, cx);
    if unique { settled } else { None }
}

/// What the obligations of one file say unless they say otherwise.
fn defaults(over: Option<Defaults>, calendar: Option<&Node>, defaults: Option<&Node>, cx: &mut Cx<'_>) -> Defaults {
    let mut own = over.unwrap_or_else(|| Defaults::new(Business::Unknown));
    if let Some(node) = calendar {
        own = own.on(cx.calendar(node));
    }
    match defaults {
        Some(node) => own.read(node, cx),
        None => own,
    }
}

fn unique(items: &[Node], cx: &mut Cx<'_>) -> bool {
    let mut seen: BTreeMap<&str, At> = BTreeMap::new();
    let mut clean = true;
    for node in items.iter().filter_map(|item| item.get("id")) {
        let Value::Scalar { text, .. } = &node.value else { continue };
        if let Some(first) = seen.get(text.as_str()) {
            let hint = "an id is how everything else speaks of it: make it unique";
            cx.report.twice("obligations", text, *first, node.at, hint);
            clean = false;
        }
        seen.entry(text).or_insert(node.at);
    }
    clean
}
