//! Waivers: who may approve a deviation, and those granted in the contract itself.

use super::code::Code;
use super::dates;
use super::fields::{self, Fields};
use super::filters;
use super::keys::top;
use super::length;
use super::names::Cx;
use super::report::quote;
use super::yaml::Node;
use onus_engine::terms::{Granted, Obligation, Party, Side, Waivers};
use std::collections::BTreeSet;

/// Reads `waivers:`.
pub(crate) fn waivers(node: &Node, cx: &mut Cx<'_>) -> Option<Waivers> {
    let fields = Fields::of(node, &top::WAIVERS, &mut cx.report)?;
    let approve = fields.need("approve", &mut cx.report).and_then(|node| approver(node, "`approve`", cx));
    let longest = fields.get("longest").map(|node| cx.length(node, "`longest`", length::elapsed));
    let renewals = fields.get("renewals").map(|node| renewals(node, cx));
    let granted = match fields.get("granted") {
        Some(node) => {
            let mut ids = BTreeSet::new();
            fields::list(node, "`granted`", &mut cx.report)
                .and_then(|items| fields::every(items, |item| granted(item, &mut ids, cx)))
        }
        None => Some(Vec::new()),
    };
    let (longest, renewals) = (fields::optional(longest)?, fields::optional(renewals)?);
    Some(Waivers { approve: approve?, longest, renewals, granted: granted? })
}

/// How many more may follow the first on one duty.
fn renewals(node: &Node, cx: &mut Cx<'_>) -> Option<u32> {
    let text = fields::text(node, "`renewals`", &mut cx.report)?;
    let digits = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    let read = text.parse().ok().filter(|n: &u32| digits && *n < 1000);
    if read.is_none() {
        let message = format!("`renewals` cannot be {}", quote(text));
        cx.report.hinted(Code::BadNumber, node.at, message, "write how often a waiver may be renewed: 0, 1, 2");
    }
    read
}

/// Reports waivers that the party who owes would have granted to itself.
pub(crate) fn not_by_obligor(node: &Node, waivers: &Waivers, obligations: &[Obligation], cx: &mut Cx<'_>) {
    for granted in &waivers.granted {
        let own = obligations
            .iter()
            .find(|o| granted.obligations.contains(&o.id) && o.obligor.to_string() == granted.approved_by);
        if let Some(own) = own {
            let message = format!(
                "waiver {} frees {} of {}, which it owes itself",
                quote(&granted.id),
                quote(&granted.approved_by),
                quote(&own.id)
            );
            cx.report.hinted(Code::WaiverParty, node.at, message, "another role of the customer must approve it");
        }
    }
}

fn granted(node: &Node, ids: &mut BTreeSet<String>, cx: &mut Cx<'_>) -> Option<Granted> {
    let fields = Fields::of(node, &top::GRANTED, &mut cx.report)?;
    let id = fields.need("id", &mut cx.report).and_then(|node| {
        let id = fields::name(node, "a waiver's id", &mut cx.report)?;
        if ids.insert(id.clone()) {
            return Some(id);
        }
        cx.report.error(Code::DuplicateName, node.at, format!("two waivers are named {}", quote(&id)));
        None
    });
    let obligations = fields.need("obligations", &mut cx.report).and_then(|node| cx.obligations(node, "`obligations`"));
    let tests = match fields.get("where") {
        Some(node) => filters::tests(node, cx)
            .and_then(|tests| filters::without_anchor(&tests, node, "a waiver", cx).map(|()| tests)),
        None => Some(Vec::new()),
    };
    let approved_by = fields.need("approved-by", &mut cx.report).and_then(|node| approver(node, "`approved-by`", cx));
    let reason = fields.need("reason", &mut cx.report).and_then(|node| {
        let reason = fields::text(node, "`reason`", &mut cx.report);
        reason.map(str::to_owned)
    });
    let ticket = fields.get("ticket").map(|node| fields::text(node, "`ticket`", &mut cx.report).map(str::to_owned));
    let starts = fields.need("starts", &mut cx.report).and_then(|n| dates::instant(n, "`starts`", &mut cx.report));
    let ends_node = fields.need("ends", &mut cx.report);
    let ends = ends_node.and_then(|n| dates::instant(n, "`ends`", &mut cx.report));
    let (starts, ends) = (starts?, ends?);
    if ends <= starts {
        let at = ends_node.map_or(node.at, |n| n.at);
        cx.report.hinted(Code::EndsFirst, at, "the waiver ends before it starts", "write an instant after `starts`");
        return None;
    }
    Some(Granted {
        id: id?,
        obligations: obligations?,
        tests: tests?,
        approved_by: approved_by?.to_string(),
        reason: reason?,
        ticket: fields::optional(ticket)?,
        starts,
        ends,
    })
}

/// A deviation is the customer's to approve.
fn approver(node: &Node, what: &str, cx: &mut Cx<'_>) -> Option<Party> {
    let party = cx.party(node, what)?;
    match party.side {
        Side::Customer => Some(party),
        Side::Partner => {
            let hint = "name a role of the customer, like `customer.ciso-office`";
            cx.report.hinted(Code::WaiverParty, node.at, "only the customer can waive a duty", hint);
            None
        }
    }
}
