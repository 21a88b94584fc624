//! Broken contracts: what is wrong, where, and what to do about it.

use onus::contract::{Problem, mapper, mapper_problems, parse};
use proptest::prelude::*;

const FULL: &str = include_str!("contracts/full.yaml");

/// Eight lines: an obligation's first key stands on line 9.
const HEAD: &str = "contract: c
partner: p
customer: k
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}
values: {undue: 24h}
obligations:
";

fn problems(text: &str) -> Vec<Problem> {
    parse(text, "c.yaml").err().unwrap_or_default()
}

/// The one problem of a contract whose only obligation has these lines, besides its id and clause on line 9.
fn of_duty(lines: &str) -> (String, u32, String) {
    let lines: String = lines.lines().map(|l| format!("    {l}\n")).collect();
    one(&format!(
        "{HEAD}  - {{id: before, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}}\n  - id: a\n    clause: x\n{lines}"
    ))
}

/// The one problem of a contract whose head reads otherwise.
fn of_head(line: &str, other: &str) -> (String, u32, String) {
    assert!(HEAD.contains(line));
    one(&format!(
        "{}  - {{id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}}\n",
        HEAD.replace(line, other)
    ))
}

fn one(text: &str) -> (String, u32, String) {
    let all = problems(text);
    let [problem] = all.as_slice() else {
        panic!("one problem, not {}:\n{}\n{text}", all.len(), all.iter().map(|p| format!("{p}\n")).collect::<String>())
    };
    (
        problem.code.to_string(),
        problem.line,
        format!("{} = {}", problem.message, problem.hint.clone().unwrap_or_default()),
    )
}

#[track_caller]
fn says(found: (String, u32, String), code: &str, line: u32, piece: &str) {
    assert_eq!((found.0.as_str(), found.1), (code, line), "{}", found.2);
    assert!(found.2.contains(piece), "{piece:?} is not in {:?}", found.2);
}

#[test]
fn the_head_and_the_duty_they_break_are_sound() {
    let sound = format!("{HEAD}  - {{id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}}\n");
    assert!(parse(&sound, "c.yaml").is_ok());
    assert!(parse(FULL, "full.yaml").is_ok());
}

#[test]
fn unknown_keys_name_the_nearest() {
    says(of_head("customer: k", "custmer: k\ncustomer: k"), "E101", 3, "did you mean `customer`?");
    says(
        of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\nwihtin: 4h"),
        "E101",
        15,
        "did you mean `within`?",
    );
    says(
        of_duty("when: {evnet: ticket.opened, event: ticket.opened}\ndo: ticket.closed\nwithin: 4h"),
        "E101",
        12,
        "`event`",
    );
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: {must: 4h, shuld: 2h}"), "E101", 14, "`should`");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: {P1: 4h, p2: 8h}"), "E101", 14, "`P2`");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: {P1:4h}"), "E101", 14, "a blank after the colon");
    says(
        of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: {depends-on: date, table: {2020-09-01:4h}}"),
        "E101",
        14,
        "a blank after the colon",
    );
}

#[test]
fn keys_that_must_be_there_are_asked_for() {
    says(of_head("customer: k\n", ""), "E102", 1, "add `customer:`");
    says(
        one(&format!("{HEAD}  - {{id: a, when: ticket.opened, do: ticket.closed, within: 4h}}\n")),
        "E102",
        9,
        "add `clause:`",
    );
    says(of_duty("when: ticket.opened\ndo: ticket.closed"), "E102", 10, "add `within:`");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\npause: {reasons: [x]}"), "E102", 15, "add `by:`");
    says(of_head("zone: Europe/Amsterdam, ", ""), "E406", 6, "add `zone:`");
}

#[test]
fn a_clause_that_is_a_number_must_be_quoted() {
    let text = format!("{HEAD}  - {{id: a, clause: 4.10, when: ticket.opened, do: ticket.closed, within: 4h}}\n");
    says(one(&text), "E104", 9, "quote it, \"4.10\": 4.10 is not 4.1");
    says(
        of_duty("when: {event: ticket.opened, where: {release: 1.10}}\ndo: ticket.closed\nwithin: 4h"),
        "E104",
        12,
        "\"1.10\"",
    );
    says(
        of_duty("when: {event: ticket.opened, where: {open: True}}\ndo: ticket.closed\nwithin: 4h"),
        "E104",
        12,
        "write true",
    );
}

#[test]
fn lengths_in_the_wrong_unit_get_the_right_one() {
    let limit = |limit: &str| of_duty(&format!("when: ticket.opened\ndo: ticket.closed\nwithin: {limit}"));
    says(limit("4 hours"), "E201", 14, "did you mean `4h`?");
    says(limit("90d"), "E201", 14, "did you mean `90 days`?");
    says(limit("by 31 April"), "E201", 14, "the last day is 30 April");
    says(limit("by 12:00 next day"), "E201", 14, "by 12:00 next business day");
    says(limit("{P1: 15m}"), "E201", 14, "did you mean `15min`?");
    says(limit("0h"), "E201", 14, "at least 1");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\nblind-for: 1 month"), "E201", 15, "`24h`");
}

#[test]
fn what_names_a_field_must_look_like_one() {
    let of = |when: &str| of_duty(&format!("when: {when}\ndo: ticket.closed\nwithin: 4h"));
    says(of("{event: ticket.opened, time: 2.0}"), "E108", 12, "no field name");
    says(of("{event: ticket.opened, where: {actor: {same-as: 4}}}"), "E108", 12, "no field name");
}

#[test]
fn event_types_must_be_known() {
    says(of_duty("when: ticket.opend\ndo: ticket.closed\nwithin: 4h"), "E202", 12, "did you mean `ticket.opened`?");
    says(
        of_duty("when: ticket.opened\ndo: badge.returned\nwithin: 4h"),
        "E202",
        13,
        "declare types of your own under `events:`",
    );
}

#[test]
fn instants_dates_zones_and_times_must_exist() {
    says(of_head("2026-01-01T00:00:00Z", "2026-01-01"), "E203", 4, "2026-01-01T00:00:00Z");
    says(of_head("zone: Europe/Amsterdam\n", "zone: Europe/Amsterdm\n"), "E205", 5, "did you mean `Europe/Amsterdam`?");
    says(of_head("17:00\"}}}", "17:00\"}, holidays: [2026-02-30]}}"), "E204", 6, "it must exist");
    says(of_head("\"09:00-17:00\"", "\"9-17\""), "E207", 6, "09:00-17:30");
    says(of_head("mon-fri", "mo-fri"), "E207", 6, "mon-fri");
    let ends = "effective: 2026-01-01T00:00:00Z\nends: 2025-01-01T00:00:00Z";
    says(of_head("effective: 2026-01-01T00:00:00Z", ends), "E405", 5, "before it takes effect");
}

#[test]
fn names_that_are_used_must_be_defined() {
    let duty = "when: ticket.opened\ndo: ticket.closed\nwithin: ";
    says(of_duty(&format!("{duty}4 business hours\ncalendar: ofice")), "E301", 15, "did you mean `office`?");
    says(of_duty(&format!("{duty}4h\ncontrol: rotation")), "E302", 15, "no control is named");
    says(of_duty("when: {done: befor}\ndo: ticket.closed\nwithin: 4h"), "E303", 12, "did you mean `before`?");
    says(of_duty(&format!("{duty}$undeu")), "E304", 14, "did you mean `$undue`?");
    says(of_duty(&format!("{duty}{{depends-on: $clas, table: {{a: 4h}}}}")), "E304", 14, "values: {clas");
    says(of_head("17:00\"}}}", "17:00\"}, holidays: [nl]}}"), "E305", 6, "no holiday set is named `nl`");
    says(of_duty(&format!("{duty}4h\nescalate: urgent")), "E306", 15, "no escalation ladder");
    says(of_duty(&format!("{duty}4 business hours")), "E311", 14, "add `calendar: office`");
    let pause = "pause: {reasons: [x], by: anyone, cap: 1 business day}";
    says(of_duty(&format!("{duty}4h\n{pause}")), "E311", 15, "`cap` is in business time");
    let roles = of_head("values: {undue: 24h}", "roles: {customer.lead: x}\nwaivers: {approve: customer.laed}");
    says(roles, "E307", 8, "did you mean `customer.lead`?");
}

#[test]
fn nothing_may_be_named_twice_or_go_round() {
    let twice = "  - {id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}\n";
    says(one(&format!("{HEAD}{twice}{twice}")), "E308", 10, "the other stands on line 9");
    says(one(&format!("{HEAD}{twice}").replace("within: 4h", "within: 4h, within: 5h")), "E006", 9, "keep one");
    let round = "  - {id: a, clause: x, when: {done: b}, do: ticket.closed, within: 4h}\n  - {id: b, clause: x, when: {breached: [a]}, do: ticket.closed, within: 4h}\n";
    says(one(&format!("{HEAD}{round}")), "E309", 9, "a, after b, after a");
    let calendars = "calendars:\n  one: {zone: UTC, any: [two]}\n  two: {zone: UTC, all: [one]}";
    let line = "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}";
    says(of_head(line, calendars), "E310", 7, "one, of two, of one");
}

#[test]
fn an_obligation_is_one_of_three_sentences() {
    says(
        of_duty("when: ticket.opened\ndo: ticket.closed\nrequires: change.approved\nwithin: 4h"),
        "E401",
        14,
        "make two",
    );
    says(of_duty("when: ticket.opened\nwithin: 4h"), "E401", 10, "say `when`, `do`, `within`");
    says(of_duty("when: change.executed\nrequires: change.approved\nwithin: 4h"), "E402", 14, "take it out");
    says(of_duty("every: 90 days\ndo: ticket.closed\nwithin: 4h"), "E402", 14, "drop `within`");
    says(
        of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\nper: credential"),
        "E402",
        15,
        "`per` belongs to `every`",
    );
    says(of_duty("every: weekly\ndo: ticket.closed"), "E201", 12, "did you mean `week`?");
}

#[test]
fn tables_are_as_deep_as_their_facts() {
    let limit = |limit: &str| of_duty(&format!("when: ticket.opened\ndo: ticket.closed\nwithin: {limit}"));
    says(limit("{depends-on: [a, b], table: {x: 4h}}"), "E403", 14, "a level of rows");
    says(limit("{depends-on: a, table: {x: {y: 4h}}}"), "E403", 14, "name a fact in `depends-on`");
    says(limit("{depends-on: $undue, table: {x: 4h}}"), "E404", 14, "add a row `24h:`");
    says(limit("{depends-on: date, table: {2026-02-01: 4h, 2026-01-01: 2h}}"), "E408", 14, "from the earliest on");
    says(limit("{must: 4h, should: 4h}"), "E407", 14, "not shorter");
    says(limit("{depends-on: date, table: {2026-02-30: 4h}}"), "E204", 14, "must exist");
}

#[test]
fn selectors_name_one_thing_and_filters_stand_where_they_mean_something() {
    let when = |when: &str| of_duty(&format!("when: {when}\ndo: ticket.closed\nwithin: 4h"));
    says(when("{where: {a: b}}"), "E410", 12, "add `event:`");
    says(when("{event: ticket.opened, any: [ticket.closed]}"), "E410", 12, "nest one in the other");
    says(when("[ticket.opened, ticket.closed]"), "E103", 12, "any: [..]");
    says(when("{event: ticket.opened, ahead: 4h}"), "E411", 12, "only in `requires`");
    says(when("{event: ticket.opened, where: {a: {same-as: b}}}"), "E411", 12, "speaks of the anchor");
    says(when("{event: ticket.opened, by: nobody}"), "E208", 12, "customer.iam-lead");
    says(when("{event: ticket.opened, where: {a: {more-than: lots}}}"), "E209", 12, "no number");
    says(when("{event: ticket.opened, trust: sytem}"), "E107", 12, "did you mean `system`?");
    says(when("{event: ticket.opened, pick: last}"), "E107", 12, "latest");
    says(
        of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\npause: {reasons: [x], by: anyone, cap: 120%}"),
        "E206",
        15,
        "1% to 99%",
    );
}

#[test]
fn waivers_are_the_customer_s_and_end() {
    let waivers = |text: &str| of_head("values: {undue: 24h}", text);
    says(waivers("waivers: {approve: partner.desk}"), "E409", 7, "only the customer");
    let granted = |rest: &str| {
        waivers(&format!(
            "waivers: {{approve: customer.a, granted: [{{id: w, obligations: [a], approved-by: customer.a, reason: r, starts: 2026-02-01T00:00:00Z{rest}}}]}}"
        ))
    };
    says(granted(""), "E102", 7, "add `ends:`");
    says(granted(", ends: 2026-01-01T00:00:00Z"), "E405", 7, "before it starts");
    let own = format!("{HEAD}  - {{id: a, clause: x, obligor: customer.a, when: ticket.opened, do: ticket.closed, within: 4h}}\n")
        .replace("values: {undue: 24h}", "waivers: {approve: customer.a, granted: [{id: w, obligations: [a], approved-by: customer.a, reason: r, starts: 2026-02-01T00:00:00Z, ends: 2026-03-01T00:00:00Z}]}");
    says(one(&own), "E409", 7, "which it owes itself");
}

#[test]
fn ambiguous_yaml_is_refused() {
    says(of_head("customer: k", "customer: &k k"), "E007", 3, "`defaults` or `values`");
    says(of_head("customer: k", "<<: {customer: k}\ncustomer: k"), "E008", 3, "`values`");
    says(of_head("customer: k", "customer: !!str k"), "E009", 3, "quote what must be text");
    says(one("a: 1\n---\nb: 2\n"), "E010", 2, "a file of its own");
    says(one("a: [1\n"), "E005", 2, "not YAML");
    says(one("a: \u{0}\n"), "E004", 1, "remove it");
    says(one(""), "E012", 1, "nothing");
    says(one(&format!("a: {}1{}", "[".repeat(70), "]".repeat(70))), "E011", 1, "deeper than 64");
    says(one(&"#".repeat((1 << 20) + 1)), "E003", 1, "split it");
}

/// E004: what is compared must be what was reviewed.
#[test]
fn what_nobody_sees_is_refused_wherever_it_stands() {
    let duty = |rest: &str| of_duty(&format!("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\n{rest}"));
    says(duty("says: \"within \u{202e}an hour\""), "E004", 15, "direction of writing, U+202E = remove it");
    says(duty("says: \"within \\u202e an hour\""), "E004", 15, "U+202E, written as an escape");
    says(duty("says: within an hour # \u{2066}a remark"), "E004", 15, "U+2066");
    let seen =
        of_duty("when: {event: ticket.opened, where: {severity: \"high\u{200b}\"}}\ndo: ticket.closed\nwithin: 4h");
    says(seen, "E004", 12, "not seen, U+200B");
    says(of_head("customer: k", "custo\u{ad}mer: k"), "E004", 3, "U+00AD");
    let text =
        format!("{HEAD}  - {{id: a, clause: x, when: ticket.opened, do: ticket.closed, within: \"4h\u{feff}\"}}\n");
    let found = &problems(&text)[0];
    assert_eq!((found.line, found.column), (9, 75), "{found}");
    assert!(!found.to_string().contains('\u{feff}'), "it is shown, not sent: {found}");
    for seen in ["Größe \u{a0}€ – “漢字” שלום 👍", "a\u{301}"] {
        let text = format!(
            "{HEAD}  - {{id: a, clause: x, says: \"{seen}\", when: ticket.opened, do: ticket.closed, within: 4h}}\n"
        );
        assert!(parse(&text, "c.yaml").is_ok(), "{seen}");
    }
}

/// A small file of thousands of aliases is refused on half a page.
#[test]
fn many_aliases_are_told_in_a_summary() {
    let aliases = "*a, ".repeat(4_095);
    let text = format!("values: {{a: &a x}}\nevents: [{aliases}]\n{HEAD}").replace("values: {undue: 24h}\n", "");
    let all = problems(&text);
    let told: Vec<&str> = all.iter().filter(|p| p.code.as_str() == "E007").map(|p| p.message.as_str()).collect();
    let few = ["anchors are not allowed", "aliases are not allowed", "aliases are not allowed"];
    assert_eq!(told, [&few[..], &["and 4,093 more anchors and aliases"]].concat());
    assert!(all.len() < 10, "{}", all.len());
}

#[test]
fn hints_say_what_to_write_instead() {
    let set = |name: &str| of_head("17:00\"}}}", &format!("17:00\"}}, holidays: [{name}]}}}}"));
    says(set("nl"), "E305", 6, "it is shipped: add `include: [holidays/nl]`");
    says(set("nll"), "E305", 6, "did you mean `nl`? It is shipped: add `include: [holidays/nl]`");
    says(set("mars-colony"), "E305", 6, "list its days under `holidays:`");
    says(
        one(&HEAD.replace("17:00\"}}}", "17:00\"}, holidays: [nll]}}\nholidays: {nl: {2026-12-25: x}}").replace(
            "obligations:\n",
            "obligations: [{id: a, clause: x, when: ticket.opened, do: ticket.closed, within: 4h}]\n",
        )),
        "E305",
        6,
        "did you mean `nl`?",
    );
    says(one("- contract: c\n- partner: p\n"), "E103", 1, "without a dash");
    says(of_head("values: {undue: 24h}", "values: [undue]"), "E103", 7, "without a dash before it");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\nsays: [a]"), "E103", 15, "without brackets");
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 101 years"), "E201", 14, "at most 100 years");
    let excuse = "excused-by: {any: [incident.delay-explained, {where: {reasons: \"*\"}}]}";
    says(
        of_duty(&format!("when: incident.detected\ndo: incident.reported\nwithin: 4h\n{excuse}")),
        "E410",
        15,
        "`excused-by: {where: ..}` with nothing beside it",
    );
}

#[test]
fn evidence_excuses_and_what_is_superseded_must_make_sense() {
    let duty = "when: ticket.opened\ndo: ticket.closed\nwithin: 4h\n";
    says(of_duty(&format!("{duty}evidence: {{kind: log}}")), "E102", 15, "add `within:`");
    says(of_duty(&format!("{duty}evidence: {{kind: log, within: 1 business day}}")), "E311", 15, "business");
    says(of_duty(&format!("{duty}evidence: {{kind: log, within: 24h, acept: customer}}")), "E101", 15, "`accept`");
    says(
        of_duty("when: ticket.opened\nrequires: ticket.assigned\nevidence: {kind: log, within: 24h}"),
        "E402",
        14,
        "evidence",
    );
    says(of_duty(&format!("{duty}supersedes: [befor]")), "E303", 15, "did you mean `before`?");
    says(of_duty(&format!("{duty}supersedes: [a]")), "E309", 10, "a, supersedes a");
    says(
        of_duty("when: change.executed\ndo: change.closed\nwithin: 4h\nsupersedes: [before]"),
        "E402",
        10,
        "about a ticket",
    );
    says(
        of_duty("when: {event: ticket.opened, evidenced: accepted}\ndo: ticket.closed\nwithin: 4h"),
        "E411",
        12,
        "only in `do`",
    );
    says(
        of_duty("when: {event: ticket.opened, since: {event: ticket.closed}}\ndo: ticket.closed\nwithin: 4h"),
        "E411",
        12,
        "`more-than: 24h`",
    );
    says(of_duty("when: ticket.opened\ndo: ticket.closed\nwithin: 4h\nuntil: {done: a}"), "E402", 10, "itself");
    says(
        of_duty("when: ticket.opened\nrequires: {event: ticket.assigned, ahead: 3 business days}"),
        "E311",
        13,
        "`ahead` is in business time",
    );
}

#[test]
fn populations_must_make_sense() {
    let of = |of: &str| format!("when: operator.left\ndo: {{event: grant.revoked, of: {of}}}\nwithin: 4h");
    says(of_duty(&of("{every: credential}")), "E411", 13, "not an event of a credential");
    says(of_duty(&of("{every: grnat}")), "E107", 13, "did you mean `grant`?");
    says(of_duty(&of("{where: {a: b}}")), "E102", 13, "every");
    says(of_duty(&of("stack")), "E411", 13, "no stack");
    says(
        of_duty("when: {event: operator.left, of: {every: operator}}\ndo: grant.revoked\nwithin: 4h"),
        "E411",
        12,
        "only in `do`",
    );
    says(of_duty("every: quarter\nper: control\ndo: review.completed"), "E402", 13, "no controls");
}

#[test]
fn what_cannot_be_kept_is_refused_and_not_skipped() {
    let duty = "when: ticket.opened\ndo: ticket.closed\nwithin: 4h\n";
    for (lines, line, piece) in [
        ("every: day\nper: {every: source, where: {owner: x}}\ndo: feed.heartbeat", 13, "tests of the source"),
        ("every: 90 days\ndo: {event: grant.revoked, of: {every: grant}}", 13, "sliding period"),
        ("when: operator.left\ndo: {event: change.executed, of: {every: change}}\nwithin: 4h", 13, "undone"),
        (
            "when: operator.left\ndo: {in-order: [operator.joined, {event: grant.revoked, of: {every: grant}}]}\nwithin: 4h",
            13,
            "`in-order`",
        ),
        (
            "when: {done: before}\ndo: {event: grant.revoked, of: {every: grant, where: {grantee: {same-as: operator}}}}\nwithin: 4h",
            13,
            "`same-as` in `of`",
        ),
    ] {
        says(of_duty(lines), "E900", line, piece);
    }
    let duty = duty.trim_end();
    for (lines, code, line, piece) in [
        ("when: {all: [ticket.opened, change.closed]}\ndo: ticket.closed\nwithin: 4h", "E416", 12, "several kinds"),
        (
            "when: ticket.opened\ndo: {event: ticket.closed, since: {event: change.closed, more-than: 4h}}\nwithin: 4h",
            "E416",
            13,
            "only what opens a duty",
        ),
        (
            "calendar: office\nwhen: {event: ticket.opened, since: {event: ticket.closed, more-than: 4 business hours}}\ndo: \
             ticket.closed\nwithin: 4h\nuntil: {done: nobody}",
            "E303",
            16,
            "`nobody`",
        ),
        (
            "when: {event: ticket.opened, since: {event: ticket.closed, more-than: 4 business hours}}\ndo: ticket.closed\nwithin: 4h",
            "E311",
            10,
            "`since` is in business time",
        ),
        ("when: ticket.opened\ndo: {event: ticket.closed, time: closed_at}\nwithin: 4h", "E415", 13, "`time`"),
        ("when: ticket.opened\nrequires: {event: ticket.closed, time: closed_at}", "E415", 13, "`time`"),
        (
            "calendar: office\nevery: quarter\ndo: review.completed\nroll: next business day",
            "E402",
            15,
            "working day before",
        ),
        (
            "calendar: office\nwhen: ticket.opened\ndo: ticket.closed\nwithin: {must: 4h, roll: {depends-on: a, table: {x: none}}}",
            "E404",
            15,
            "for the rest",
        ),
        (
            "when: ticket.opened\ndo: ticket.closed\nwithin: {P1: {must: 4h, should: 2h}, \"*\": 8h}",
            "E417",
            14,
            "around the table",
        ),
        ("when: ticket.opened\ndo: {event: ticket.closed, pick: latest}\nwithin: 4h", "E411", 13, "first such act"),
        (
            "when: ticket.opened\ndo: ticket.closed\nwithin: {must: 4h, from: {all: [ticket.assigned, ticket.closed]}}",
            "E411",
            14,
            "`any` of several",
        ),
        (
            "when: {all: [{event: ticket.opened, pick: first}, ticket.assigned]}\ndo: ticket.closed\nwithin: 4h",
            "E411",
            12,
            "`pick` of their own",
        ),
        (
            "when: ticket.opened\ndo: {in-order: [ticket.closed, {done: before}]}\nwithin: 4h",
            "E411",
            13,
            "begin at its end",
        ),
        ("when: ticket.opened\ndo: {done: before, by: partner}\nwithin: 4h", "E411", 13, "not an event with fields"),
        (
            "when: ticket.opened\nrequires: {in-order: [ticket.assigned, {where: {actor: x}}]}",
            "E411",
            13,
            "more than an event",
        ),
        (
            "every: quarter\nper: {every: partner, where: {a: b}}\ndo: review.completed",
            "E411",
            13,
            "tests of the partner",
        ),
        ("every: quarter\nwhen: {any: [ticket.opened, change.closed]}\ndo: ticket.closed", "E416", 10, "several kinds"),
        ("every: quarter\ndo: review.completed\nuntil: {done: before}", "E416", 10, "never meet"),
    ] {
        says(of_duty(lines), code, line, piece);
    }
    let kept = format!("{HEAD}  - {{id: a, clause: x, {}, look-back: 7 days}}\n", duty.replace('\n', ", "));
    assert!(parse(&kept, "a.yaml").is_ok(), "{kept}");
    says(of_head("values: {undue: 24h}", "scope: {acounts: [x]}"), "E101", 7, "`accounts`");
    says(of_head("values: {undue: 24h}", "yields-to: [c]"), "E108", 7, "give way to itself");
    says(
        of_head(
            "values: {undue: 24h}",
            "controls: {c: {risk-owner: customer, mode: advisory, retained: [grant.given]}}",
        ),
        "E402",
        7,
        "every act of the partner is a finding",
    );
    says(
        of_head(
            "values: {undue: 24h}",
            "controls: {c: {risk-owner: customer, guardrails: [{event: grant.given, at-most: 5 per day}]}}",
        ),
        "E201",
        7,
        "200 each day",
    );
    says(
        of_head("values: {undue: 24h}", "controls: {c: {risk-owner: customer, retained: [{done: a}]}}"),
        "E410",
        7,
        "no end of a duty",
    );
    says(of_head("values: {undue: 24h}", "waivers: {approve: customer.lead, renewals: many}"), "E209", 7, "`renewals`");
}

#[test]
fn all_problems_are_told_at_once_with_their_clauses() {
    let text = format!(
        "{}  - {{id: a, clause: \"4.1\", when: ticket.opend, do: ticket.closd, within: 4 hours, severty: page}}\n  - {{id: b, clause: x}}\n",
        HEAD.replace("customer: k", "custmer: k").replace("zone: Europe/Amsterdam\n", "zone: Mars\n")
    );
    let all = problems(&text);
    let codes: Vec<(&str, u32)> = all.iter().map(|p| (p.code.as_str(), p.line)).collect();
    // That `customer` is missing follows from its being misspelt, and isn't told.
    let want = [("E101", 3), ("E205", 5), ("E202", 9), ("E202", 9), ("E201", 9), ("E101", 9), ("E401", 10)];
    assert_eq!(codes, want);
    assert_eq!((all[2].obligation.as_deref(), all[2].clause.as_deref()), (Some("a"), Some("4.1")));
    let shown = all[2].to_string();
    assert!(
        shown.starts_with("c.yaml:9:34: E202: unknown event type `ticket.opend` (obligation a, clause 4.1)\n"),
        "{shown}"
    );
    assert!(shown.contains("      |                                  ^^^^^^^^^^^^\n"), "{shown}");
    let json = serde_json::to_value(&all[2]).expect("JSON");
    assert_eq!((json["code"].as_str(), json["line"].as_u64()), (Some("E202"), Some(9)));
}

/// A sound contract with something done to it that people and editors do.
fn broken() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just(": ".to_owned()),
        Just("\n".to_owned()),
        Just("- ".to_owned()),
        Just("{".to_owned()),
        Just("]".to_owned()),
        Just("\"".to_owned()),
        Just("*".to_owned()),
        Just("$undue".to_owned()),
        Just("null".to_owned()),
        Just("999999999999".to_owned()),
        Just("2026-02-30".to_owned()),
        Just("P1".to_owned()),
        "\\PC{1,4}",
    ];
    let edit = (any::<prop::sample::Index>(), 0usize..24, words);
    prop::collection::vec(edit, 1..6).prop_map(|edits| {
        let mut text: Vec<char> = FULL.chars().collect();
        for (at, cut, word) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, word.chars());
        }
        text.into_iter().collect()
    })
}

/// A sound contract with lines lost, doubled or out of place.
fn shuffled() -> impl Strategy<Value = String> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0u8..3), 1..6).prop_map(
        |edits| {
            let mut lines: Vec<&str> = FULL.lines().collect();
            for (a, b, what) in edits {
                let (a, b) = (a.index(lines.len()), b.index(lines.len()));
                match what {
                    0 => drop(lines.remove(a)),
                    1 => lines.insert(b, lines[a]),
                    _ => lines.swap(a, b),
                }
            }
            lines.join("\n")
        },
    )
}

/// A mapper that ships with something done to it.
fn broken_mapper() -> impl Strategy<Value = String> {
    const SHIPPED: &[&str] = &[
        include_str!("../config/mappers/evidence-log.yaml"),
        include_str!("../config/mappers/grc-exceptions.yaml"),
        include_str!("../config/mappers/servicenow-access-review.yaml"),
    ];
    let words = prop::sample::select(vec![
        ": ",
        "\n",
        "- ",
        "{",
        "]",
        "\"",
        "*",
        "null",
        "nothing",
        "any",
        "local",
        "[0]",
        "..",
        "from",
        "(",
        "true",
        "4.10",
        "as: number",
    ]);
    let edit = (any::<prop::sample::Index>(), 0usize..24, words);
    (prop::sample::select(SHIPPED), prop::collection::vec(edit, 1..6)).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (at, cut, word) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, word.chars());
        }
        text.into_iter().collect()
    })
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    told(text, parse(text, "full.yaml").err())
}

fn mapper_holds(text: &str) -> Result<(), TestCaseError> {
    let read = mapper(text, "m.yaml");
    if let Ok(mapper) = &read {
        let (_, differences) = onus::ingest::adapt::tried(mapper);
        prop_assert!(differences.iter().all(|difference| !difference.what.is_empty()));
    }
    let problems = read.err();
    let errors = mapper_problems(text, "m.yaml").into_iter().filter(|problem| problem.code.as_str().starts_with('E'));
    prop_assert_eq!(problems.clone().unwrap_or_default(), errors.collect::<Vec<_>>());
    told(text, problems)
}

fn told(text: &str, problems: Option<Vec<Problem>>) -> Result<(), TestCaseError> {
    if let Some(problems) = problems {
        prop_assert!(!problems.is_empty());
        for problem in problems {
            prop_assert!(problem.line >= 1 && problem.column >= 1);
            prop_assert!(!problem.message.contains("no reader said why"), "{}", text);
            let _ = problem.to_string();
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_edited_contract_loads_or_says_why(text in broken()) {
        holds(&text)?;
    }

    #[test]
    fn a_contract_with_its_lines_astray_loads_or_says_why(text in shuffled()) {
        holds(&text)?;
    }

    #[test]
    fn an_edited_mapper_loads_or_says_why(text in broken_mapper()) {
        mapper_holds(&text)?;
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\PC\\n\\t:,{}\\[\\]&*!|>%@-]{0,200}") {
        holds(&text)?;
        mapper_holds(&text)?;
    }
}
