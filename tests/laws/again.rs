//! Random obligations that follow others, or themselves.

use crate::contracts::{Piece, limits, pause};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) fn chained() -> impl Strategy<Value = Piece> {
    let acts = vec!["ticket.closed", "ticket.resolved", "ticket.acknowledged"];
    let once = (select(vec!["done", "breached"]), select(acts), limits(), pause(false), select(&UNTIL[..])).prop_map(
        |(how, act, limits, pause, until)| {
            let mut lines =
                vec![format!("when: {{{how}: {{BEFORE}}}}"), format!("do: {act}"), "within: {LIMIT}".to_owned()];
            lines.extend(pause);
            lines.extend((!until.is_empty()).then(|| until.to_owned()));
            Piece { lines, limits, owes: true, also: "" }
        },
    );
    let periods = select(vec!["6h", "day"]);
    let again = (select(vec!["done", "breached"]), periods, select(&UNTIL[3..])).prop_map(|(how, period, until)| {
        let lines = vec![
            format!("when: {{{how}: {{BEFORE}}}}"),
            format!("every: {period}"),
            "do: {any: [evidence.submitted, review.completed]}".to_owned(),
            until.to_owned(),
        ];
        Piece { lines, limits: ["", ""], owes: false, also: "" }
    });
    prop_oneof![3 => once, 1 => again]
}

/// What ends a duty that follows another; it may happen before that one is done.
const UNTIL: [&str; 6] = [
    "",
    "",
    "",
    "until: ticket.assigned",
    "until: {any: [ticket.closed, {event: ticket.acknowledged, by: customer}]}",
    "until: {all: [ticket.acknowledged, ticket.assigned]}",
];

/// Sliding periods of a subject whose acts are done elsewhere: each begins the next.
pub(crate) fn slides_elsewhere() -> impl Strategy<Value = Piece> {
    let of: [&[&str]; 9] = [
        &["every: 8h", "per: credential", "do: review.completed"],
        &["every: 4h", "per: credential", "do: {event: review.completed, where: {kind: log}}"],
        &["every: 8h", "per: {every: credential, where: {privileged: {not: true}}}", "do: review.completed"],
        &["every: 8h", "per: credential", "do: change.executed", "until: credential.revoked", "reopen: new"],
        &["every: 6h", "per: ticket", "do: evidence.submitted"],
        &["every: 6h", "per: change", "do: {event: change.closed, evidenced: submitted}"],
        &[
            "every: {depends-on: privileged, table: {true: 4h, false: 1 day}}",
            "per: credential",
            "do: {any: [credential.rotated, review.completed]}",
            "until: credential.revoked",
        ],
        &["when: ticket.assigned", "every: 6h", "do: {all: [change.executed, ticket.acknowledged]}"],
        &["when: ticket.opened", "every: 6h", "do: change.executed", "until: ticket.resolved"],
    ];
    select(of.to_vec()).prop_map(|lines| Piece {
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        limits: ["", ""],
        owes: false,
        also: "",
    })
}
