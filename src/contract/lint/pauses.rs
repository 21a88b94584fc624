//! Pauses: a paused clock has no deadline, so who may stop it, and for how long, is the way out of every limit.

use super::{Lint, reading};
use crate::contract::code::Code;
use crate::contract::report::{At, Report};
use crate::contract::yaml::Node;
use onus_engine::terms::{Obligation, Pause};

/// Acts that ask nothing of the other side, so that there is nothing to wait for.
const ANSWERS: &[&str] = &[
    "ticket.acknowledged",
    "incident.notified",
    "incident.reported",
    "notice.given",
    "credential.revoked",
    "credential.disabled",
    "grant.revoked",
];

/// Reports what may be too much in an obligation's pause.
pub(super) fn check(lint: &Lint<'_>, node: &Node, obligation: &Obligation, report: &mut Report<'_>) {
    let Some(pause) = &obligation.pause else { return };
    let own = node.entry("pause").map(|entry| entry.at);
    let answer = reading::acts(obligation).into_iter().find(|event| ANSWERS.contains(&event.kind.as_str()));
    if let Some(event) = answer {
        let from = if own.is_some() { "" } else { ", by `defaults`" };
        let message = format!("a clock that stops at {} can be paused{from}", event.kind);
        let hint = "there is nothing to wait for: take `pause` off";
        report.hinted(Code::PausableAnswer, own.unwrap_or(node.at), message, hint);
    }
    match own {
        Some(at) => limits(pause, obligation, at, report),
        None => {
            // Said once, where it is written, and not for each obligation that takes it.
            let at = lint.root.get("defaults").and_then(|defaults| defaults.entry("pause")).map(|entry| entry.at);
            report.within(None, None);
            limits(pause, obligation, at.unwrap_or(node.at), report);
            report.within(Some(obligation.id.clone()), Some(obligation.clause.clone()));
        }
    }
}

fn limits(pause: &Pause, obligation: &Obligation, at: At, report: &mut Report<'_>) {
    if pause.confirm.is_none() && pause.cap.is_none() {
        let message = "a pause that nobody confirms and nothing caps may last for ever";
        report.hinted(Code::EndlessPause, at, message, "add `cap: 50%`, or `confirm: {by: .., within: ..}`");
    }
    let owes = obligation.obligor.side;
    let by_itself = pause.by.as_ref().is_none_or(|parties| parties.iter().any(|party| party.side == owes));
    let confirmed = pause.confirm.as_ref().is_some_and(|confirm| confirm.by.side != owes);
    if by_itself && !confirmed {
        let message = format!("{} owes this, and may stop its own clock unconfirmed", obligation.obligor);
        report.hinted(
            Code::OwnPause,
            at,
            message,
            "let the other side pause, or confirm: `confirm: {by: .., within: ..}`",
        );
    }
}
