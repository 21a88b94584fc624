//! What the contract leaves out. Most is asked only of contracts that give the partner controls: a contract that is
//! about tickets alone leaves the rest to another.

use super::{Lint, entries, reading};
use crate::contract::code::Code;
use crate::contract::names::read_party;
use crate::contract::report::{Report, quote};
use crate::contract::yaml::{Entry, Value};
use onus_engine::terms::{
    Level, Obligation, PartnerPattern, Per, Period, Sentence, Side, Span, Trigger, Unit, Waivers,
};
use onus_engine::time::DAY;
use std::collections::BTreeMap;

/// Controls whose acts can stop the customer's business.
const HIGH_RISK: &[&str] = &["privileged-access", "emergency-revocation", "emergency-access", "break-glass"];

const GRANTS: &[&str] = &["grant.given", "grant.extended"];

/// Reports what is missing.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let controls = entries(lint.root.get("controls"));
    controls.iter().for_each(|control| self::control(lint, control, report));
    if !controls.is_empty() {
        duties(lint, report);
        forced(lint, report);
    }
    averages(lint, report);
    rotation(lint, report);
    grants(lint, report);
    let one = matches!(lint.contract.partners.as_slice(), [PartnerPattern::Exact(_)]);
    if !lint.contract.scope.is_bare() && !one {
        let message = "the contract binds several partners: its scope cannot say whose an event is that names none";
        report.hinted(Code::ScopeOfMany, lint.key("scope"), message, "give each partner a contract with its scope");
    }
    match &lint.contract.waivers {
        Some(waivers) => self::waivers(lint, waivers, report),
        None if !controls.is_empty() => {
            let message = "no `waivers`: nobody of the customer can approve a deviation";
            let hint = "add `waivers: {approve: customer.ciso-office, longest: 90 days}`";
            report.hinted(Code::NoApprover, lint.key("contract"), message, hint);
        }
        None => {}
    }
}

fn control(lint: &Lint<'_>, control: &Entry, report: &mut Report<'_>) {
    let name = quote(&control.key);
    let party = |key: &str| match control.node.get("raci")?.get(key).map(|node| (&node.value, node.at)) {
        Some((Value::Scalar { text, .. }, at)) => Some((read_party(text)?, at)),
        _ => None,
    };
    if control.node.get("raci").is_none() {
        let message = format!("the control {name} has no `raci`: nobody is named who acts");
        report.hinted(
            Code::NoRaci,
            control.at,
            message,
            "add `raci: {request: .., approve: .., execute: .., review: ..}`",
        );
    }
    if let Some((approver, at)) = party("approve").filter(|(party, _)| party.side == Side::Partner) {
        let operational = control.node.get("mode").and_then(super::text) == Some("operational");
        if operational || HIGH_RISK.contains(&control.key.as_str()) {
            let why =
                if operational { "`mode: operational` means that the customer approves" } else { "it is of high risk" };
            let message = format!("{approver} approves its own acts on {name}, and {why}");
            report.hinted(Code::NotApproved, at, message, "name a role of the customer");
        }
    }
    failures(lint, control, report);
    let owner = lint.contract.controls.iter().find(|c| c.name == control.key).and_then(|c| c.risk_owner.as_ref());
    if let (Some(owner), Some(node)) = (owner, control.node.get("risk-owner"))
        && (owner.side == Side::Partner || owner.role.is_none())
    {
        let message = format!("the risk of {name} is owned by {owner}, which is no role of the customer");
        report.hinted(Code::NoRiskOwner, node.at, message, "name one, like `customer.ciso-office`");
    }
    let about: Vec<&Obligation> =
        lint.contract.obligations.iter().filter(|o| o.control.as_ref() == Some(&control.key)).collect();
    let executes = party("execute").is_some_and(|(party, _)| party.side == Side::Partner);
    let written = lint.obligations().any(|(_, o)| o.control.as_ref() == Some(&control.key));
    if !written {
        let message = format!("no obligation is about the control {name}");
        report.hinted(Code::NothingOwed, control.at, message, "add one with this `control:`, or take the control out");
    } else if executes && !evidenced(lint, &about) {
        let message = format!("the partner executes {name}, and no evidence of it is owed");
        let hint = "add an obligation: `when: {done: ..}`, `do: evidence.submitted`, `within: 24h`";
        report.hinted(Code::NoEvidence, control.at, message, hint);
    }
}

/// Where the partner rotates by itself, somebody must be told that it failed.
fn failures(lint: &Lint<'_>, control: &Entry, report: &mut Report<'_>) {
    let delegated = control.node.get("mode").and_then(super::text) == Some("delegated");
    let seen = lint.contract.obligations.iter().any(|o| reading::begins_at(o, &["credential.rotation-failed"]));
    if control.key == "rotation" && delegated && !seen && control.node.get("retained").is_none() {
        let hint = "add `when: credential.rotation-failed`, or `retained` with the changes that follow a failure";
        let message = "the partner rotates by itself, and nothing is asked of a rotation that failed";
        report.hinted(Code::NoFailurePath, control.at, message, hint);
    }
}

/// Whether one of the obligations, or one that follows it, asks for evidence.
fn evidenced(lint: &Lint<'_>, about: &[&Obligation]) -> bool {
    let asks = |obligation: &Obligation| {
        reading::acts(obligation).iter().any(|event| {
            event.kind.starts_with("evidence.")
                || event.kind == "attestation.submitted"
                || event.tests.iter().any(|test| test.field == "evidence")
        }) || reading::requires_field(obligation, "evidence")
    };
    let follows = |obligation: &Obligation| {
        reading::triggers(obligation).iter().any(|trigger| match trigger {
            Trigger::Done(ids) => ids.iter().any(|id| about.iter().any(|o| o.id == *id)),
            Trigger::Event(_) | Trigger::Breached(_) => false,
        })
    };
    about.iter().any(|obligation| asks(obligation))
        || lint.contract.obligations.iter().any(|obligation| asks(obligation) && follows(obligation))
}

/// Duties that every partner with controls should owe, whatever else it does.
fn duties(lint: &Lint<'_>, report: &mut Report<'_>) {
    let all = &lint.contract.obligations;
    let begins_at = |kinds: &[&str]| all.iter().any(|o| reading::begins_at(o, kinds));
    let asks_for = |kinds: &[&str]| all.iter().any(|o| reading::asks_for(o, kinds));
    let at = lint.key("obligations");
    let mut lacks = |code: Code, message: &str, hint: &str| report.hinted(code, at, message, hint);
    if !begins_at(&["operator.left"]) {
        lacks(Code::NoLeavers, "nothing is owed when a person leaves the partner", "add one: `when: operator.left`");
    }
    if !begins_at(&["contract.ended"]) {
        let message = "nothing is owed when the contract ends: access and secrets stay";
        lacks(Code::NoExit, message, "add one: `when: contract.ended`, `do: grant.revoked`, `within: 24h`");
    }
    if !begins_at(&["drill.started"]) && !asks_for(&["drill.started", "drill.ended", "drill.acknowledged"]) {
        lacks(Code::NoDrill, "no drill is owed", "add one: `every: quarter`, `do: drill.ended`");
    }
    let feeds = ["feed.heartbeat", "evidence.submitted", "evidence.accepted", "attestation.submitted"];
    let monitored = |o: &Obligation| reading::asks_for(o, &feeds) || o.id.contains(".evidence");
    if !all.iter().any(monitored) {
        let hint = "add one: `every: 15min`, `do: feed.heartbeat`";
        lacks(Code::NoFeedDuty, "nothing is owed of the feeds that the judging rests on", hint);
    }
    if !all.iter().any(reviews) {
        let hint = "add one: `obligor: customer.ciso-office`, `every: quarter`, `do: review.completed`";
        lacks(Code::NoRiskReview, "no obligation has the customer review its risk in every quarter", hint);
    }
}

/// What the customer can make the partner do at once: an act that ends or changes access, begun by a demand and not by
/// the life of what it is about, in plain hours.
fn forced(lint: &Lint<'_>, report: &mut Report<'_>) {
    const ACTS: &[&str] = &["credential.revoked", "credential.disabled", "credential.rotated", "grant.revoked"];
    const DEMANDS: &[&str] =
        &["ticket.opened", "credential.exposed", "credential.rotation-requested", "change.requested"];
    let demanded = |o: &Obligation| {
        reading::triggers(o).iter().any(|trigger| match trigger {
            Trigger::Event(event) => DEMANDS.contains(&event.kind.as_str()) || event.kind.starts_with("incident."),
            Trigger::Done(_) | Trigger::Breached(_) => false,
        })
    };
    let at_any_hour = |o: &Obligation| match &o.sentence {
        Sentence::Within { limits, .. } => {
            limits.iter().flat_map(|l| &l.must.rows).any(|row| matches!(row.value, Span::Elapsed(_) | Span::AtOnce))
        }
        Sentence::Every { .. } | Sentence::Requires { .. } => false,
    };
    let all = &lint.contract.obligations;
    if !all
        .iter()
        .any(|o| o.obligor.side == Side::Partner && demanded(o) && reading::asks_for(o, ACTS) && at_any_hour(o))
    {
        let message =
            "the customer can force nothing: no demand of it makes the partner revoke, disable or rotate in hours";
        let hint = "add one: `when: ticket.opened` with a `where`, `do: credential.revoked`, `within: 1h`";
        report.hinted(Code::NoForcedAct, lint.key("obligations"), message, hint);
    }
}

/// An average hides the slow ones.
fn averages(lint: &Lint<'_>, report: &mut Report<'_>) {
    let averaged = |o: &Obligation| o.target.as_ref().is_some_and(|t| !matches!(t.level, Level::Share(_)));
    let shares = |o: &Obligation| o.target.as_ref().is_some_and(|t| matches!(t.level, Level::Share(_)));
    let all = &lint.contract.obligations;
    for (node, obligation) in lint.obligations().filter(|(_, o)| averaged(o)) {
        let acts: Vec<&str> = reading::acts(obligation).iter().map(|event| event.kind.as_str()).collect();
        if all.iter().any(|other| shares(other) && reading::asks_for(other, &acts)) {
            continue;
        }
        report.within(Some(obligation.id.clone()), Some(obligation.clause.clone()));
        let at = node.entry("target").map_or(node.at, |entry| entry.at);
        let message = "the level is an average and no share: fast easy cases hide the slow ones";
        report.hinted(Code::AverageOnly, at, message, "add an obligation for the same act with `at-least: 95%`");
        report.within(None, None);
    }
}

/// Access that nothing ends stays.
fn grants(lint: &Lint<'_>, report: &mut Report<'_>) {
    let all = &lint.contract.obligations;
    let given = lint.obligations().find(|(_, o)| reading::begins_at(o, GRANTS) || is_per_grant(o));
    let ended =
        all.iter().any(|o| reading::asks_for(o, &["grant.revoked"]) || reading::requires_field(o, "expires_at"));
    if let (Some((node, obligation)), false) = (given, ended) {
        report.within(Some(obligation.id.clone()), Some(obligation.clause.clone()));
        let message = "grants are given, and no obligation ends them";
        let hint = "add one: `when: {event: grant.given, time: expires_at, pick: latest}`, `do: grant.revoked`";
        report.hinted(Code::EndlessGrants, node.entry("when").map_or(node.at, |entry| entry.at), message, hint);
        report.within(None, None);
    }
}

fn is_per_grant(obligation: &Obligation) -> bool {
    matches!(&obligation.sentence, Sentence::Every { per: Per::Subject { kind, .. }, .. } if kind == "grant")
}

/// A review by the customer, at least once a quarter.
fn reviews(obligation: &Obligation) -> bool {
    let Sentence::Every { period, .. } = &obligation.sentence else { return false };
    let quarterly = period.rows.iter().all(|row| match &row.value {
        Period::Calendar(unit) => *unit != Unit::Year,
        Period::Sliding(Span::Elapsed(ms)) => *ms <= 93 * DAY,
        Period::Sliding(Span::Months(months)) => *months <= 3,
        Period::Sliding(Span::CalendarDays(days)) => *days <= 93,
        Period::Sliding(_) => false,
    });
    quarterly
        && obligation.obligor.side == Side::Customer
        && reading::asks_for(obligation, &["review.completed", "review.signed-off"])
}

/// Two live secrets are worse than an old one.
fn rotation(lint: &Lint<'_>, report: &mut Report<'_>) {
    let retires = lint.contract.obligations.iter().any(|o| reading::asks_for(o, &["credential.retired"]));
    let first = lint.obligations().find(|(_, o)| reading::asks_for(o, &["credential.rotated"]));
    if let (Some((node, obligation)), false) = (first, retires) {
        report.within(Some(obligation.id.clone()), Some(obligation.clause.clone()));
        let at = node.entry("do").map_or(node.at, |entry| entry.at);
        let message = "rotation is owed, and retiring the old version is not: it still opens the door";
        let hint = "add one: `when: credential.rotated`, `do: credential.retired`, `within: 7 days`";
        report.hinted(Code::NoRetirement, at, message, hint);
        report.within(None, None);
    }
}

fn waivers(lint: &Lint<'_>, waivers: &Waivers, report: &mut Report<'_>) {
    let Some(root) = lint.root.get("waivers") else { return };
    let place = |key: &str| root.get(key).map_or(root.at, |node| node.at);
    if waivers.approve.role.is_none() {
        let message = "any role of the customer may waive: nobody knows who did";
        report.hinted(Code::NoApprover, place("approve"), message, "name one, like `customer.ciso-office`");
    }
    let owes = lint.contract.obligations.iter().find(|o| o.obligor == waivers.approve);
    if let Some(obligation) = owes {
        let message = format!("{} approves waivers, and owes {} itself", waivers.approve, quote(&obligation.id));
        report.hinted(Code::ApproverOwes, place("approve"), message, "let another role of the customer approve");
    }
    if let Some(renewals) = waivers.renewals {
        let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
        for (granted, node) in waivers.granted.iter().zip(super::list(root.get("granted"))) {
            // Waivers of some subjects only may be of different duties.
            for id in granted.obligations.iter().filter(|_| granted.tests.is_empty()) {
                let count = seen.entry(id).or_default();
                *count += 1;
                if *count == renewals + 2 {
                    let message =
                        format!("{} is waived more often than `renewals` allows: this has no effect", quote(id));
                    report.hinted(Code::TooManyWaivers, node.at, message, "take it out, or raise `renewals`");
                }
            }
        }
    }
    let Some(longest) = waivers.longest else {
        let message = "a waiver may last for ever";
        report.hinted(Code::NoLongest, lint.key("waivers"), message, "add `longest: 90 days`");
        return;
    };
    for (granted, node) in waivers.granted.iter().zip(super::list(root.get("granted"))) {
        if granted.ends.0.saturating_sub(granted.starts.0) > longest {
            let at = node.get("ends").map_or(node.at, |ends| ends.at);
            let message = format!("the waiver {} ends before this: the longest one is cut", quote(&granted.id));
            report.hinted(Code::CutWaiver, at, message, "let it end in time, or raise `longest`");
        }
    }
}
