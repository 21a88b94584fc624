//! Random contracts: every construct of the language that the judge keeps, in few words, so that a small one shrinks to
//! something that a person can read.

use crate::again::{chained, slides_elsewhere};
use proptest::prelude::*;
use proptest::sample::select;
use std::fmt::Write;

/// One or two versions of one contract, as YAML. `second` is the second version's `effective`.
pub(crate) fn contracts(pieces: impl Strategy<Value = Vec<Piece>>) -> impl Strategy<Value = Vec<String>> {
    let second = prop_oneof![3 => Just(None), 1 => (0i64..20).prop_map(Some)];
    (pieces, header(), second, any::<bool>()).prop_map(|(pieces, header, second, shorter)| {
        let mut out = vec![render(&header, "2026-01-01T00:00:00Z", &pieces, 0)];
        // A version that takes effect after the contract's end is refused.
        let header: String = header.lines().filter(|l| !l.starts_with("ends:")).map(|l| format!("{l}\n")).collect();
        if let Some(step) = second {
            let effective = crate::records::shown(crate::records::BASE + step * 6 * crate::records::HALF_HOUR);
            let keep = if shorter && pieces.len() > 1 { pieces.len() - 1 } else { pieces.len() };
            out.push(render(&header, &effective, &pieces[..keep], 1));
        }
        out
    })
}

/// Any obligations: the least that is interesting is one.
pub(crate) fn any_pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        8 => within(pause(true)),
        3 => chained(),
        3 => requires(),
        3 => every(),
        2 => slides_elsewhere(),
        3 => shown(),
        3 => undone(),
        2 => replaced(),
        2 => planned(),
        2 => together(),
        3 => populated(),
        2 => abroad(),
    ];
    prop::collection::vec(piece, 1..4)
}

/// Pausable obligations without confirmation: for the laws of pauses.
pub(crate) fn pausable_pieces() -> impl Strategy<Value = Vec<Piece>> {
    prop::collection::vec(prop_oneof![4 => within(pause(false)), 1 => chained()], 1..4)
}

/// One obligation, apart from its id.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Lines, with `{LIMIT}` for the limit and `{BEFORE}` for the id of an earlier obligation.
    pub(crate) lines: Vec<String>,
    /// In the first version, and in the second.
    pub(crate) limits: [&'static str; 2],
    /// Whether `done` and `breached` may name it.
    pub(crate) owes: bool,
    /// Another obligation that stands before it, named `{OTHER}`; none if empty.
    pub(crate) also: &'static str,
}

const LIMITS: [&str; 19] = [
    "4h",
    "90min",
    "{P1: 1h, P2: 4h, \"*\": 2 business days}",
    "{P1: 2h, P2: 5 business hours}",
    "3 business hours",
    "2 business days",
    "{depends-on: privileged, table: {true: 1h, false: 4h}}",
    "[{must: 1 business day}, {must: 2h, from: ticket.assigned}]",
    "[{must: 6h}, {must: 3 business hours}]",
    "by 12:00 next business day",
    "1 calendar day",
    "1 month",
    "{must: 30h, roll: next business day}",
    "{must: {P1: 4h, \"*\": 30h}, roll: {depends-on: privileged, table: {true: none, \"*\": next business day}}}",
    "{must: 4h, from: {any: [ticket.assigned, ticket.acknowledged]}}",
    "{must: 3h, from: {event: ticket.assigned, pick: latest, time: occurred_at}}",
    "{must: 2 business days, from: {event: ticket.assigned, by: [customer, partner]}}",
    "[{must: 8h}, {must: 2h, from: change.approved}]",
    "at once",
];

const WHENS: [&str; 11] = [
    "ticket.opened",
    "{event: ticket.opened, where: {control: revocation}}",
    "ticket.assigned",
    "{event: ticket.assigned, pick: first}",
    "{event: ticket.assigned, pick: latest}",
    "{any: [ticket.opened, ticket.assigned]}",
    "{event: ticket.opened, time: occurred_at}",
    "{any: [{event: ticket.assigned, pick: latest}, {event: ticket.acknowledged, pick: first}]}",
    "{any: [ticket.opened, {event: ticket.assigned, by: [customer, partner], pick: first}]}",
    "change.executed",
    "{any: [credential.created, credential.rotated]}",
];

const TICKET_ACTS: [&str; 10] = [
    "ticket.resolved",
    "ticket.acknowledged",
    "{any: [ticket.resolved, ticket.closed]}",
    "{all: [ticket.acknowledged, ticket.resolved]}",
    "{in-order: [ticket.acknowledged, ticket.resolved]}",
    "{event: ticket.resolved, by: customer}",
    "{event: ticket.resolved, where: {actor: {not: {same-as: actor}}}}",
    "credential.revoked",
    "{all: [ticket.resolved, credential.revoked]}",
    "change.executed",
];

fn within(pause: impl Strategy<Value = Vec<String>>) -> impl Strategy<Value = Piece> {
    let of = prop_oneof![
        6 => (select(&WHENS[..9]), select(&TICKET_ACTS[..])),
        1 => (Just(WHENS[9]), Just("{event: change.closed, where: {evidence: \"*\"}}")),
        1 => (Just(WHENS[10]), Just("{any: [credential.rotated, credential.revoked]}")),
    ];
    (of, limits(), pause, extras()).prop_map(|((when, act), limits, pause, extras)| {
        let mut lines = vec![format!("when: {when}"), format!("do: {act}"), "within: {LIMIT}".to_owned()];
        lines.extend(pause);
        lines.extend(extras);
        Piece { lines, limits, owes: true, also: "" }
    })
}

/// Acts that count with evidence, evidence that is owed, and late acts that are excused.
fn shown() -> impl Strategy<Value = Piece> {
    let of: [(&str, &str, &str); 9] = [
        ("ticket.opened", "ticket.resolved", "excused-by: {all: [ticket.assigned, ticket.acknowledged]}"),
        ("change.executed", "{event: change.closed, evidenced: accepted}", ""),
        ("change.executed", "{event: change.closed, evidenced: submitted}", ""),
        ("change.executed", "{event: change.approved, by: customer, evidenced: accepted}", ""),
        ("ticket.opened", "{event: ticket.resolved, evidenced: accepted}", "excused-by: ticket.assigned"),
        ("ticket.opened", "ticket.resolved", "evidence: {kind: log, within: 3h, accept: customer.owner}"),
        ("ticket.opened", "{any: [ticket.closed, ticket.resolved]}", "evidence: {kind: log, within: 1 business day}"),
        ("ticket.opened", "{all: [ticket.acknowledged, {event: ticket.resolved, evidenced: submitted}]}", ""),
        ("ticket.opened", "ticket.resolved", "excused-by: {where: {actor: \"*\"}}"),
    ];
    (select(of.to_vec()), limits()).prop_map(|((when, act, more), limits)| {
        let mut lines = vec![format!("when: {when}"), format!("do: {act}"), "within: {LIMIT}".to_owned()];
        lines.extend((!more.is_empty()).then(|| more.to_owned()));
        Piece { lines, limits, owes: true, also: "" }
    })
}

/// Acts that can be undone, here and on other subjects; duties whose time is still to come and moves.
fn undone() -> impl Strategy<Value = Piece> {
    let whens = [
        "ticket.opened",
        "ticket.assigned",
        "{event: ticket.assigned, time: due_at}",
        "{event: ticket.assigned, time: due_at, pick: latest}",
        "{any: [ticket.opened, {event: ticket.assigned, time: due_at, pick: latest}]}",
    ];
    let acts = [
        "evidence.submitted",
        "{event: evidence.submitted, where: {kind: log}}",
        "{event: evidence.submitted, evidenced: accepted}",
        "change.executed",
        "ticket.resolved",
        "{all: [ticket.resolved, evidence.submitted]}",
        "{any: [ticket.resolved, change.executed]}",
        "{in-order: [evidence.submitted, ticket.closed]}",
    ];
    let reopen = prop_oneof![1 => Just(""), 1 => select(&REOPEN[..])];
    let on_ticket = (select(whens.to_vec()), select(acts.to_vec()), limits(), pause(false), reopen).prop_map(
        |(when, act, limits, pause, reopen)| {
            let mut lines = vec![format!("when: {when}"), format!("do: {act}"), "within: {LIMIT}".to_owned()];
            lines.extend(pause);
            lines.extend((!reopen.is_empty()).then(|| reopen.to_owned()));
            Piece { lines, limits, owes: true, also: "" }
        },
    );
    let recurring: [&[&str]; 5] = [
        &["every: day", "do: evidence.submitted"],
        &["every: 8h", "do: {event: evidence.submitted, where: {kind: log}}"],
        &["every: 6h", "per: change", "do: change.executed"],
        &["every: day", "within: 4h", "do: change.executed", "reopen: new"],
        &["when: contract.ended", "do: {all: [change.executed, evidence.submitted]}", "within: 6h"],
    ];
    let recurring = select(recurring.to_vec()).prop_map(|lines| Piece {
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        limits: ["", ""],
        owes: false,
        also: "",
    });
    prop_oneof![3 => on_ticket, 1 => recurring]
}

/// Requirements about an instant that is still to come.
fn planned() -> impl Strategy<Value = Piece> {
    let whens = [
        "{event: ticket.assigned, time: due_at}",
        "{event: ticket.assigned, time: due_at, pick: latest}",
        "{event: change.requested, time: due_at, pick: latest}",
    ];
    let whats = [
        "{event: change.approved, ahead: 2h}",
        "{event: ticket.acknowledged, ahead: 3 business hours}",
        "ticket.resolved",
        "{all: [ticket.acknowledged, {event: change.approved, by: customer, ahead: 1h}]}",
        "{any: [{event: ticket.acknowledged, ahead: 90min}, {where: {actor: \"*\"}}]}",
        "{depends-on: privileged, table: {true: {event: change.approved, ahead: 1 business day}, false: change.approved}}",
    ];
    (select(whens.to_vec()), select(whats.to_vec())).prop_map(|(when, what)| Piece {
        lines: vec![format!("when: {when}"), format!("requires: {what}")],
        limits: ["", ""],
        owes: false,
        also: "",
    })
}

/// Anchors of several events, and duties that end or need other duties.
fn together() -> impl Strategy<Value = Piece> {
    let of: [(&str, &str, &str); 11] = [
        ("ticket.assigned", "do: ticket.closed", "until: {all: [ticket.acknowledged, ticket.resolved]}"),
        ("ticket.opened", "do: {all: [ticket.closed, {done: {BEFORE}}]}", ""),
        ("{event: change.executed, since: {event: ticket.opened, more-than: 1h}}", "do: change.closed", ""),
        ("{event: ticket.assigned, since: {event: ticket.opened, at-most: 3 business hours}}", "do: ticket.closed", ""),
        ("{all: [ticket.acknowledged, ticket.assigned]}", "do: ticket.resolved", ""),
        ("{in-order: [ticket.assigned, ticket.acknowledged]}", "do: ticket.closed", ""),
        ("{all: [ticket.opened, {any: [ticket.assigned, ticket.acknowledged]}], pick: first}", "do: ticket.closed", ""),
        ("{any: [{event: ticket.opened, time: occurred_at}, ticket.assigned]}", "do: ticket.resolved", ""),
        ("ticket.assigned", "do: ticket.closed", "until: {done: {BEFORE}}"),
        ("ticket.assigned", "do: {any: [ticket.closed, {done: {BEFORE}}]}", ""),
        ("ticket.opened", "do: ticket.closed", "until: {any: [ticket.assigned, {breached: {BEFORE}}]}"),
    ];
    (select(of.to_vec()), limits()).prop_map(|((when, act, more), limits)| {
        let mut lines = vec![format!("when: {when}"), act.to_owned(), "within: {LIMIT}".to_owned()];
        lines.extend((!more.is_empty()).then(|| more.to_owned()));
        Piece { lines, limits, owes: true, also: "" }
    })
}

/// Duties that wait for duties on other subjects.
fn abroad() -> impl Strategy<Value = Piece> {
    let others = [
        "when: credential.created, do: credential.rotated, within: 3 business hours",
        "when: {any: [credential.created, credential.rotated]}, do: credential.revoked, within: 4h",
        "every: 8h, per: credential, do: credential.rotated",
    ];
    let of: [&[&str]; 5] = [
        &["when: ticket.opened", "do: {any: [ticket.closed, {done: {OTHER}}]}", "within: {LIMIT}"],
        &["when: ticket.assigned", "do: {done: {OTHER}}", "within: {LIMIT}"],
        &["when: ticket.opened", "do: ticket.closed", "within: {LIMIT}", "until: {breached: {OTHER}}"],
        &["when: ticket.opened", "do: {all: [ticket.closed, {done: {OTHER}}]}", "within: {LIMIT}"],
        &["when: ticket.resolved", "requires: {done: {OTHER}}"],
    ];
    (select(of.to_vec()), select(others.to_vec()), limits()).prop_map(|(lines, also, limits)| {
        let owes = lines.len() > 2;
        Piece { lines: lines.iter().map(|l| (*l).to_owned()).collect(), limits, owes, also }
    })
}

/// Acts of every living subject of a kind.
fn populated() -> impl Strategy<Value = Piece> {
    let whens = [
        "ticket.opened",
        "ticket.assigned",
        "{event: ticket.assigned, pick: latest}",
        "{event: ticket.opened, time: occurred_at}",
        "change.executed",
        "credential.revoked",
        "contract.ended",
    ];
    let acts = [
        "{event: credential.revoked, of: {every: credential}}",
        "{event: credential.rotated, of: {every: credential, where: {privileged: true}}}",
        "{event: credential.revoked, of: {every: credential, where: {actor: {same-as: actor}}}}",
        "{event: credential.revoked, by: customer, of: {every: credential, where: {privileged: {not: true}}}}",
        "{any: [credential.rotated, credential.revoked], of: {every: credential, where: {ticket: {same-as: ticket}}}}",
        "{in-order: [credential.rotated, credential.revoked], of: {every: credential, where: {actor: [ann, bob]}}}",
        "{any: [credential.disabled, credential.revoked], of: {every: credential, where: {actor: [ann, bob]}}}",
        "{event: credential.disabled, by: customer, of: {every: credential, where: {ticket: {same-as: ticket}}}}",
        "{all: [{event: credential.rotated, of: {every: credential}}, {event: change.approved, of: {every: change}}]}",
    ];
    (select(whens.to_vec()), select(acts.to_vec()), limits()).prop_map(|(when, act, limits)| {
        let lines = vec![format!("when: {when}"), format!("do: {act}"), "within: {LIMIT}".to_owned()];
        Piece { lines, limits, owes: true, also: "" }
    })
}

/// Duties that take the place of others.
fn replaced() -> impl Strategy<Value = Piece> {
    let of = [
        "{event: ticket.assigned, since: {event: ticket.opened, more-than: 1h}}",
        "{event: ticket.assigned, since: {event: ticket.opened, at-most: 90min, pick: latest}}",
        "{event: ticket.assigned, pick: first}",
    ];
    (select(of.to_vec()), limits()).prop_map(|(when, limits)| {
        let lines = vec![
            format!("when: {when}"),
            "do: ticket.resolved".to_owned(),
            "within: {LIMIT}".to_owned(),
            "supersedes: [{BEFORE}]".to_owned(),
        ];
        Piece { lines, limits, owes: true, also: "" }
    })
}

fn requires() -> impl Strategy<Value = Piece> {
    let of = [
        ("change.executed", "{event: change.approved, by: customer}"),
        (
            "change.executed",
            "{depends-on: privileged, table: {true: {event: change.approved, by: customer}, false: change.approved}}",
        ),
        ("change.executed", "{any: [{where: {actor: \"*\"}}, change.approved]}"),
        ("change.executed", "{event: change.approved, ahead: 2h}"),
        ("change.executed", "ticket.acknowledged"),
        ("change.executed", "{in-order: [change.requested, {any: [change.approved, change.closed]}]}"),
        ("ticket.resolved", "{in-order: [ticket.acknowledged, ticket.assigned, change.approved]}"),
        ("ticket.resolved", "{event: change.approved, by: customer}"),
        ("ticket.resolved", "{all: [ticket.acknowledged, change.approved]}"),
        ("credential.rotated", "{where: {actor: \"*\"}}"),
    ];
    select(of.to_vec()).prop_map(|(when, what)| Piece {
        lines: vec![format!("when: {when}"), format!("requires: {what}")],
        limits: ["", ""],
        owes: false,
        also: "",
    })
}

fn every() -> impl Strategy<Value = Piece> {
    let of: [&[&str]; 16] = [
        &["every: 8h", "per: {every: credential, where: {privileged: true}}", "do: credential.rotated"],
        &["every: 6h", "per: source", "do: review.completed"],
        &["every: day", "per: source", "do: review.completed"],
        &["every: 6h", "per: {every: source, where: {actor: ann}}", "do: review.completed"],
        &["every: day", "per: control", "do: review.completed"],
        &["every: day", "do: {event: credential.rotated, of: {every: credential}}"],
        &["every: week", "do: review.completed", "roll: previous business day"],
        &["every: 8h", "per: credential", "do: credential.rotated"],
        &["every: 2 days", "per: credential", "do: credential.rotated", "until: credential.revoked"],
        &["every: day", "per: credential", "do: credential.rotated", "until: credential.revoked"],
        &[
            "every: {depends-on: privileged, table: {true: 4h, false: 1 day}}",
            "per: credential",
            "do: credential.rotated",
        ],
        &["every: day", "do: review.completed"],
        &["every: week", "within: 1 business day", "do: review.completed"],
        &["when: contract.ended", "do: review.completed", "within: 6h"],
        &["every: 3 days", "do: attestation.submitted"],
        &["when: ticket.opened", "every: 6h", "do: ticket.acknowledged", "until: ticket.resolved"],
    ];
    select(of.to_vec()).prop_map(|lines| Piece {
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        limits: ["", ""],
        owes: false,
        also: "",
    })
}

pub(crate) fn limits() -> impl Strategy<Value = [&'static str; 2]> {
    (select(&LIMITS[..]), select(&LIMITS[..])).prop_map(|(a, b)| [a, b])
}

pub(crate) fn pause(confirmed: bool) -> impl Strategy<Value = Vec<String>> {
    let plain = [
        "",
        "pause: {reasons: [\"*\"], by: anyone}",
        "pause: {reasons: [waiting], by: customer}",
        "pause: {reasons: [\"wait*\"], by: anyone}",
        "pause: {reasons: [waiting, parts], by: [customer, partner], cap: 2h}",
        "pause: {reasons: [\"*\"], by: anyone, cap: 50%}",
        "pause: {reasons: [\"*\"], by: partner, cap: 3 business hours}",
    ];
    let with = [
        "pause: {reasons: [\"*\"], by: anyone, confirm: {by: customer, within: 3h}}",
        "pause: {reasons: [waiting], by: partner, confirm: {by: customer.owner, within: 1 business day}, cap: 4h}",
    ];
    let all: Vec<&str> = plain.iter().chain(if confirmed { &with[..] } else { &[] }).copied().collect();
    select(all).prop_map(|line| if line.is_empty() { Vec::new() } else { vec![line.to_owned()] })
}

const REOPEN: [&str; 6] = [
    "",
    "reopen: resume",
    "reopen: {policy: resume, window: 4h}",
    "reopen: {policy: new, window: 2h}",
    "reopen: new",
    "reopen: ignore",
];

const FURTHER: [&str; 7] = [
    "",
    "reprioritise: {policy: restart}",
    "reprioritise: {policy: rebase, min-remaining: 30min}",
    "until: ticket.closed",
    "trust: system",
    "control: revocation",
    "open-duties: rebase",
];

fn extras() -> impl Strategy<Value = Vec<String>> {
    let optional = |all: &'static [&'static str]| prop_oneof![2 => Just(""), 1 => select(all)];
    (optional(&REOPEN), optional(&FURTHER))
        .prop_map(|(a, b)| [a, b].into_iter().filter(|l| !l.is_empty()).map(str::to_owned).collect())
}

fn header() -> impl Strategy<Value = String> {
    let granted = "\n  granted:\n    - {id: W-1, obligations: [o1], where: {subject: \"T1\"}, approved-by: customer.owner, \
                   reason: agreed, starts: 2026-03-23T12:00:00Z, ends: 2026-03-24T09:00:00Z}";
    let waivers = [
        String::new(),
        "waivers:\n  approve: customer.owner\n".to_owned(),
        "waivers:\n  approve: customer.owner\n  longest: 6h\n".to_owned(),
        "waivers:\n  approve: customer.owner\n  longest: 6h\n  renewals: 0\n".to_owned(),
        format!("waivers:\n  approve: customer.owner{granted}\n"),
    ];
    let ends = prop_oneof![6 => Just(""), 1 => Just("ends: 2026-03-25T00:00:00Z\n")];
    let waivers = prop_oneof![2 => Just(String::new()), 1 => select(waivers.to_vec())];
    let scope =
        prop_oneof![6 => Just(""), 1 => Just("scope: {assignment-groups: [\"*\"], except: {credentials: [C1]}}\n")];
    (waivers, ends, control(), scope).prop_map(|(waivers, ends, control, scope)| {
        format!("{ends}{scope}{waivers}controls: {{revocation: {control}}}\n")
    })
}

/// What the one control says in short.
fn control() -> impl Strategy<Value = &'static str> {
    let plain = "{mode: delegated, risk-owner: customer.owner}";
    let others = [
        "{mode: operational, risk-owner: customer.owner}",
        "{mode: advisory, risk-owner: customer.owner}",
        "{risk-owner: customer.owner, retained: [{event: change.executed, where: {privileged: true}}]}",
        "{risk-owner: customer.owner, scope: {credentials: [\"C*\"]}, guardrails: [{event: credential.rotated, at-most: 1 each day}]}",
        "{risk-owner: customer.owner, scope: {credentials: [\"*\"]}, guardrails: [{event: credential.rotated, calendar: office, evidence: log}, {event: credential.created, at-most: 2 each week}]}",
    ];
    prop_oneof![3 => Just(plain), 2 => select(others.to_vec())]
}

fn render(header: &str, effective: &str, pieces: &[Piece], version: usize) -> String {
    let mut out = format!(
        "contract: halden
partner: [aa, bb]
customer: northwind
effective: {effective}
zone: Europe/Amsterdam
calendar: office
roles: {{customer.owner: \"mail:owner@northwind.example\", partner.desk: \"mail:desk@halden.example\"}}
calendars:
  office: {{zone: Europe/Amsterdam, hours: {{mon-fri: \"09:00-17:00\"}}, holidays: [2026-03-25]}}
defaults: {{trust: asserted}}
{header}obligations:
"
    );
    for (i, piece) in pieces.iter().enumerate() {
        // An event that it must come after may be of another kind.
        let head = |l: &String| l.split("since").next().is_some_and(|head| head.contains("ticket"));
        let on_ticket = |p: &Piece| p.lines.iter().any(|l| l.starts_with("when:") && head(l));
        // What names another duty of its subject.
        let names = |l: &String| l.contains("{BEFORE}") && !l.starts_with("when");
        let replaces = piece.lines.iter().any(names);
        let fits = |p: &Piece| p.owes && (!replaces || on_ticket(p));
        let before = pieces[..i].iter().rposition(fits).map(|b| format!("o{}", b + 1));
        if !piece.also.is_empty() {
            let _ = writeln!(out, "  - {{id: x{}, clause: x, {}}}", i + 1, piece.also);
        }
        let _ = write!(out, "  - id: o{}\n    clause: \"{}\"\n", i + 1, i + 1);
        for line in &piece.lines {
            let line = match &before {
                Some(before) => line.replace("{BEFORE}", before),
                None if line.contains("supersedes") || line.starts_with("until") => continue,
                None if line.starts_with("do") => line.replace("{done: {BEFORE}}", "ticket.resolved"),
                None if line.contains("{BEFORE}") => "when: ticket.opened".to_owned(),
                None => line.clone(),
            };
            // Where waivers may be granted, a breach elsewhere cannot be waited for.
            let line =
                if header.contains("waivers:") { line.replace("{breached: {OTHER}}", "{done: {OTHER}}") } else { line };
            let line = line.replace("{OTHER}", &format!("x{}", i + 1));
            let _ = writeln!(out, "    {}", line.replace("{LIMIT}", piece.limits[version]));
        }
    }
    out
}
