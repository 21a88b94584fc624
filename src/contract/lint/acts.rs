//! Acts that cannot come any more when they are owed.

use super::reading;
use crate::contract::code::Code;
use crate::contract::report::Report;
use crate::contract::yaml::Node;
use onus_engine::terms::{Act, EventMatch, Obligation, Sentence, Trigger, Want};

/// What comes once on a subject, and before everything else on it.
const FIRST: &[&str] = &["ticket.opened", "incident.detected"];

/// What comes once on a subject.
const ONCE: &[&str] = &["change.requested", "drill.started", "contract.signed"];

/// Reports an act that has come when its duty begins, and comes once.
pub(super) fn check(node: &Node, obligation: &Obligation, report: &mut Report<'_>) {
    let Sentence::Within { act, .. } = &obligation.sentence else { return };
    let begun = reading::triggers(obligation).iter().find_map(|trigger| match trigger {
        Trigger::Event(event) => Some((event, past(act, event)?)),
        Trigger::Done(_) | Trigger::Breached(_) => None,
    });
    if let Some((event, kind)) = begun {
        let message =
            format!("{kind} comes once, and has come when {} begins this: nobody can do it any more", event.kind);
        let at = node.get("do").map_or(node.at, |act| act.at);
        report.hinted(Code::ActOfThePast, at, message, "name what is to be done after that");
    }
}

/// What has come already, if without it the act cannot be.
fn past<'a>(act: &'a Act, begun: &EventMatch) -> Option<&'a str> {
    match act {
        Act::One(event) => is_past(event, begun).then_some(event.kind.as_str()),
        Act::Any(of) => {
            let all: Option<Vec<&str>> = of.iter().map(|act| past(act, begun)).collect();
            all?.first().copied()
        }
        Act::All(of) | Act::InOrder(of) => of.iter().find_map(|act| past(act, begun)),
        Act::Duty(..) => None,
    }
}

fn is_past(event: &EventMatch, begun: &EventMatch) -> bool {
    let subject = |kind: &str| kind.split_once('.').map(|(subject, _)| subject.to_owned());
    let own = event.of.is_none() && !event.tests.iter().any(|test| matches!(test.want, Want::SameAs(_)));
    let kind = event.kind.as_str();
    let once = FIRST.contains(&kind) || (ONCE.contains(&kind) && begun.kind == kind);
    own && once && subject(kind) == subject(&begun.kind)
}
