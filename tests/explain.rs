//! `onus explain`: the words of a page, the shape of the JSON, and the property that makes it trustworthy: the
//! stretches of every duty touch, cover its life, and add up to the elapsed time that is shown elsewhere.

#![allow(clippy::unwrap_used)]

use onus::contract;
use onus::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::engine::{Engine, Incoming, NoArchive, Options};
use onus_engine::explain::{DutyStory, Explanation, explain};
use onus_engine::standing::Standing;
use onus_engine::time::{HOUR, MINUTE, Moment};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

const CONTRACT: &str = r#"
contract: halden
partner: halden
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
calendar: office
defaults: {trust: asserted}
calendars:
  office:
    zone: Europe/Amsterdam
    hours: {mon-fri: "09:00-17:00"}
    breaks: {mon-fri: "12:30-13:00"}
    holidays: [nl]
  yard: {zone: Europe/Amsterdam, hours: {mon-sat: "06:00-22:00"}}
holidays:
  nl: {2026-04-03: Good Friday, 2026-04-06: Easter Monday}
controls:
  access: {mode: operational, risk-owner: customer.ciso}
obligations:
  - id: acknowledge
    clause: "4.1"
    when: ticket.opened
    do: {any: [ticket.acknowledged, ticket.resolved]}
    within: {P1: 15min, P2: 2 business hours, "*": 1 business day}
  - id: resolve
    clause: "4.2"
    says: Resolved in time.
    when: ticket.opened
    do: ticket.resolved
    within: {P1: 8h, P2: 6 business hours, P3: 2 business days}
    pause: {reasons: [waiting-customer, no-access], by: customer, cap: 50%}
    reopen: {policy: resume, window: 20h}
  - id: restarts
    clause: "4.3"
    when: ticket.opened
    do: ticket.closed
    within: {P1: 4h, P2: 9h, P3: 30h}
    calendar: yard
    reprioritise: {policy: restart}
    pause: {reasons: ["*"], by: anyone}
    reopen: new
  - id: several
    clause: "4.4"
    when: {event: ticket.opened, time: occurred_at}
    do: ticket.resolved
    within:
      - {must: 10 business hours}
      - {must: 12h, from: ticket.acknowledged}
      - {must: 3h, calendar: yard, from: ticket.assigned}
    pause: {reasons: [waiting-customer], by: anyone, confirm: {by: customer, within: 5h}}
  - id: answer
    clause: "4.5"
    obligor: customer
    when: {event: ticket.assigned, pick: latest}
    do: {all: [ticket.acknowledged, ticket.answered]}
    within: 5 business hours
    until: ticket.closed
  - id: named
    clause: "4.6"
    when: ticket.resolved
    requires: {any: [{where: {actor: "*"}}, {event: ticket.acknowledged, by: partner}]}
  - id: shown
    clause: "4.7"
    when: ticket.opened
    do: {event: ticket.resolved, evidenced: accepted}
    within: 10 business hours
    excused-by: ticket.answered
    evidence: {kind: log, within: 4h, accept: customer}
  - id: in-turn
    clause: "4.8"
    when: {event: ticket.assigned, since: {event: ticket.opened, at-most: 30h}}
    do: {in-order: [ticket.acknowledged, ticket.resolved]}
    within: 20h
    supersedes: [shown]
  - id: ahead
    clause: "4.9"
    when: {event: ticket.assigned, time: due_at, pick: latest}
    requires: {any: [{event: ticket.answered, ahead: 4 business hours}, {done: acknowledge}]}
  - id: until-done
    clause: "4.10"
    when: {all: [ticket.acknowledged, ticket.assigned]}
    do: {any: [ticket.closed, {done: resolve}]}
    within: 6h
    until: {breached: restarts}
waivers: {approve: customer, longest: 2 days}
events: [ticket.answered]
"#;

fn binary(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
}

fn demo(more: &[&str]) -> Output {
    let mut args = vec!["explain"];
    args.extend(more);
    args.extend(["--contracts", "examples/demo/contracts", "examples/demo/events.jsonl"]);
    binary(&args)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_page_says_what_counted_what_did_not_and_why() {
    let page = text(&demo(&["INC-2048"]));
    for want in [
        "restore (clause 4.2)",
        "8 business hours on calendar office (Europe/Amsterdam)",
        "holiday: Good Friday",
        "holiday: Easter Monday",
        "Tue 7 Apr 15:30 (13:30Z)",
        "= Thu 2 Apr 15:30 + 8h + 64h outside hours + 24h holiday: Good Friday + 24h holiday: Easter Monday",
        "Who held the onus",
        "nothing is open: the risk owner",
    ] {
        assert!(page.contains(want), "no {want:?} in\n{page}");
    }
}

#[test]
fn a_pause_by_the_wrong_side_is_told_with_the_reason_why_it_stopped_nothing() {
    let page = text(&demo(&["INC-2041", "--obligation", "restore"]));
    assert!(page.contains("does not stop this clock: only the customer may pause it"), "{page}");
    assert!(!page.contains("acknowledge (clause"), "{page}");
}

#[test]
fn in_an_effective_pause_the_side_that_is_waited_for_holds_the_onus() {
    let output = demo(&["INC-2045", "--format", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let holders: Vec<&str> = answer["explanations"][0]["holders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["holder"].as_str().unwrap())
        .collect();
    assert_eq!(holders, ["partner", "partner", "customer", "partner", "customer.ciso-office"]);
}

#[test]
fn json_carries_the_elapsed_time_that_check_shows() {
    let checked = binary(&[
        "check",
        "--contracts",
        "examples/demo/contracts",
        "examples/demo/events.jsonl",
        "--duties",
        "--format",
        "json",
    ]);
    let checked: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let mut seen = 0;
    for duty in checked["duties"].as_array().unwrap() {
        let subject = duty["subject"].as_str().unwrap();
        let told: Value = serde_json::from_slice(&demo(&[subject, "--format", "json"]).stdout).unwrap();
        let stories = told["explanations"].as_array().unwrap().iter().flat_map(|e| e["duties"].as_array().unwrap());
        let story = stories.into_iter().find(|s| s["duty"] == duty["duty"]).unwrap();
        let ms = (duty["elapsed_seconds"].as_f64().unwrap() * 1000.0) as i64;
        assert_eq!(story["elapsed_ms"], json!(ms), "{subject}");
        let sum: i64 = story["stretches"].as_array().unwrap().iter().map(|s| s["counted_ms"].as_i64().unwrap()).sum();
        assert_eq!(sum, ms, "{subject}");
        assert_eq!(story["standing"], duty["standing"]);
        assert_eq!(story["deadline"], duty["deadline"]);
        seen += 1;
    }
    assert!(seen > 20);
}

#[test]
fn json_lines_name_their_kind() {
    let lines = text(&demo(&["svc-mainframe", "--format", "jsonl"]));
    let kinds: Vec<String> = lines
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["record"].as_str().unwrap().to_owned())
        .collect();
    assert!(kinds.contains(&"duty".to_owned()) && kinds.contains(&"holder".to_owned()), "{kinds:?}");
}

#[test]
fn an_unknown_subject_is_bad_input_with_the_nearest_ids() {
    let output = demo(&["INC-2014"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("did you mean INC-2041"), "{complaint}");
    let elsewhere = demo(&["IR-77", "--partner", "brightkey"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&elsewhere.stderr).contains("--partner tidewater-soc"));
}

#[test]
fn a_subject_on_which_nothing_was_owed_is_not_said_to_be_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let (contract, events) = (folder.path().join("halden.yaml"), folder.path().join("events.jsonl"));
    std::fs::write(&contract, CONTRACT).unwrap();
    std::fs::write(&events, record(&told("ticket.paused", "INC1", 0, &[]), 0)).unwrap();
    let output = binary(&["explain", "INC1", "--contracts", contract.to_str().unwrap(), events.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("nothing was ever owed on INC1\n  hint: events speak of it"), "{complaint}");
}

#[derive(Clone, Debug)]
struct Happening {
    kind: &'static str,
    subject: &'static str,
    /// Minutes after Thursday 2 April 2026, 06:00 UTC.
    minute: i64,
    fields: Vec<(&'static str, String)>,
}

fn happening() -> impl Strategy<Value = Happening> {
    let kinds = [
        "ticket.opened",
        "ticket.acknowledged",
        "ticket.assigned",
        "ticket.paused",
        "ticket.paused",
        "ticket.resumed",
        "ticket.pause-confirmed",
        "ticket.reprioritised",
        "ticket.resolved",
        "ticket.reopened",
        "ticket.closed",
        "ticket.answered",
        "ticket.cancelled",
        "ticket.merged",
        "evidence.submitted",
        "evidence.accepted",
        "evidence.rejected",
        "waiver.approved",
        "waiver.ended",
    ];
    let side = prop_oneof![Just(None), Just(Some("customer")), Just(Some("partner"))];
    let priority = prop_oneof![3 => Just(None), 1 => Just(Some("P1")), 1 => Just(Some("P2")), 1 => Just(Some("P3")), 1 => Just(Some("P9"))];
    let reason = prop_oneof![Just(None), Just(Some("waiting-customer")), Just(Some("no-access")), Just(Some("tea"))];
    // Some fall on the hour: ties matter.
    let minute = prop_oneof![(0i64..8 * 24).prop_map(|h| h * 60), 0i64..8 * 1440];
    (prop::sample::select(kinds.to_vec()), minute, side, priority, reason, 0i64..3000).prop_map(
        |(kind, minute, side, priority, reason, other)| {
            let mut fields = Vec::new();
            let mut put = |name, value: Option<&str>| fields.extend(value.map(|v| (name, v.to_owned())));
            put("side", side);
            match kind {
                "ticket.opened" | "ticket.reprioritised" | "ticket.assigned" => put("priority", priority),
                "ticket.paused" | "ticket.resumed" | "ticket.pause-confirmed" => put("reason", reason),
                _ => {}
            }
            if kind == "ticket.opened" && other % 3 == 0 {
                put("occurred_at", Some(&instant(minute - other).to_string()));
            }
            if kind == "ticket.assigned" && other % 2 == 0 {
                put("due_at", Some(&instant(minute + other).to_string()));
            }
            if kind.starts_with("evidence") {
                put("ticket", Some("INC1"));
                put("kind", Some("log"));
            }
            if kind == "ticket.merged" {
                put("into", Some("INC1"));
            }
            let other_ticket = kind == "ticket.merged" || other % 5 == 1;
            let subject = match kind.split_once('.') {
                Some(("waiver", _)) => "RISK-1",
                Some(("evidence", _)) => "EV1",
                _ if other_ticket => "INC2",
                _ => "INC1",
            };
            if kind == "waiver.approved" {
                put("ticket", Some("INC1"));
                put("starts", Some(&instant(minute + other - 1000).to_string()));
                put("ends", Some(&instant(minute + other).to_string()));
            }
            Happening { kind, subject, minute, fields }
        },
    )
}

fn instant(minute: i64) -> Moment {
    Moment::parse("2026-04-02T06:00:00Z").unwrap() + minute * MINUTE
}

fn record(happening: &Happening, id: usize) -> String {
    let Happening { kind, subject, minute, fields } = happening;
    let data: serde_json::Map<String, Value> = fields.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    json!({"specversion": "1.0", "id": format!("e{id}"), "source": "urn:desk", "type": kind, "subject": subject,
        "partner": "halden", "time": instant(*minute).to_string(), "data": data})
    .to_string()
}

/// Judges in order of arrival, as `onus check` does, up to `now`.
fn judge(happenings: &[Happening], now: Moment) -> Engine {
    let book = Arc::new(Book::with(&[contract::parse(CONTRACT, "contract").unwrap()], true));
    let decoder = Decoder::new(Arc::clone(&book), now);
    let mut engine = Engine::new(book, Options { settling: None, ..Options::default() });
    engine.begin("halden");
    let mut batch = Batch::default();
    for (id, happening) in happenings.iter().enumerate() {
        decoder.record(&record(happening, id), &mut batch).unwrap();
    }
    let Batch { events, facts, names, .. } = &mut batch;
    for event in events.iter() {
        engine.advance(event.peak, event.peak, &mut NoArchive);
        let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
        let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
        let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
        engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut NoArchive);
    }
    engine.finish(now, &mut NoArchive);
    engine
}

fn flat<'s>(stories: &'s [DutyStory], out: &mut Vec<&'s DutyStory>) {
    for story in stories {
        flat(&story.earlier_cycles, out);
        out.push(story);
    }
}

fn holds(engine: &Engine, told: &Explanation) -> Result<(), TestCaseError> {
    let now = told.now;
    let mut stories = Vec::new();
    flat(&told.duties, &mut stories);
    let duties = engine.duties_of("halden", &told.subject);
    prop_assert_eq!(stories.len(), duties.len(), "a story a duty");
    for story in stories {
        if story.standing == Standing::Withdrawn {
            continue;
        }
        let obligation = &story.obligation;
        let end = story.ended_at.unwrap_or(now);
        for pair in story.stretches.windows(2) {
            prop_assert_eq!(pair[0].to, pair[1].from, "{}: they touch", obligation);
        }
        if end > story.start && !story.limits.is_empty() {
            let first = story.stretches.first().map(|s| s.from);
            prop_assert!(first.is_some_and(|f| f <= story.start), "{}: from the start", obligation);
            prop_assert_eq!(story.stretches.last().map(|s| s.to), Some(end), "{}: to the end", obligation);
        }
        let sum: i64 = story.stretches.iter().map(|s| s.counted_ms).sum();
        prop_assert_eq!(sum, story.elapsed_ms, "{}: counted time is the elapsed time", obligation);
        let same = |(d, s): &&(onus_engine::duty::Duty, Standing)| {
            d.start == story.start
                && d.cycle() == story.cycle
                && engine.book().rule(d.rule).id == *obligation
                && *s == story.standing
        };
        let shown = duties.iter().filter(same).map(|(d, _)| d.elapsed(now, engine.book().calendars()));
        prop_assert!(shown.into_iter().any(|ms| ms == story.elapsed_ms), "{}: as check shows it", obligation);
        if let Some(due) = &story.due {
            let plus: i64 = due.plus.iter().map(|p| p.ms).sum();
            if let Some(limit) = due.limit_ms {
                prop_assert_eq!(due.from + limit + plus, due.deadline, "{}: the sum is the deadline", obligation);
            }
        }
    }
    for pair in told.holders.windows(2) {
        prop_assert_eq!(pair[0].to, pair[1].from, "holders touch");
    }
    if let (Some(first), Some(last)) = (told.holders.first(), told.holders.last()) {
        prop_assert_eq!(last.to, now);
        prop_assert!(
            told.duties
                .iter()
                .filter(|d| d.standing != Standing::Withdrawn)
                .all(|d| d.start >= first.from || d.start >= now)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stretches_touch_cover_the_duty_and_add_up_to_its_elapsed_time(
        happenings in prop::collection::vec(happening(), 1..14),
        hours in 0i64..10 * 24,
    ) {
        let last = happenings.iter().map(|h| h.minute).max().unwrap_or(0);
        let engine = judge(&happenings, instant(last) + hours * HOUR);
        for subject in ["INC1", "INC2", "RISK-1"] {
            if let Some(told) = explain(&engine, "halden", subject) {
                holds(&engine, &told)?;
            }
        }
    }
}

fn told(kind: &'static str, subject: &'static str, minute: i64, fields: &[(&'static str, &str)]) -> Happening {
    Happening { kind, subject, minute, fields: fields.iter().map(|(k, v)| (*k, (*v).to_owned())).collect() }
}

/// What a ticket owed goes on where it was merged to, and so do the facts that it rests on.
#[test]
fn what_was_merged_brings_its_facts_along() {
    let happenings = [
        told("ticket.opened", "INC2", 60, &[("priority", "P1")]),
        told("ticket.paused", "INC2", 65, &[("reason", "no-access"), ("side", "customer")]),
        told("ticket.opened", "INC1", 120, &[("priority", "P2")]),
        told("ticket.merged", "INC2", 150, &[("into", "INC1")]),
        told("ticket.resolved", "INC1", 210, &[]),
    ];
    let engine = judge(&happenings, instant(300));
    let story = explain(&engine, "halden", "INC1").unwrap();
    let met = story.duties.iter().find(|d| d.obligation == "resolve" && d.standing == Standing::Met).unwrap();
    let facts: Vec<_> = met.facts.iter().map(|f| (f.event.as_str(), f.part.as_str())).collect();
    assert_eq!(
        facts,
        [
            ("ticket.opened", "begins it"),
            ("ticket.paused", "pauses it"),
            ("ticket.merged", "lets it run again"),
            ("ticket.resolved", "the act that was owed"),
        ]
    );
    holds(&engine, &story).unwrap();
}

/// A ticket merged twice is judged twice for the other's sake; what came of that the second time is nobody's stretch.
#[test]
fn a_ticket_merged_again_leaves_the_others_stretches_as_they_are() {
    let happenings = [
        told("ticket.merged", "INC2", 3120, &[("into", "INC1")]),
        told("ticket.reprioritised", "INC1", 3180, &[("priority", "P1")]),
        told("ticket.opened", "INC2", 0, &[("priority", "P3")]),
        told("ticket.merged", "INC2", 3180, &[("into", "INC1")]),
    ];
    let engine = judge(&happenings, instant(3180));
    let story = explain(&engine, "halden", "INC1").unwrap();
    assert!(story.duties.iter().any(|d| d.obligation == "acknowledge" && d.ended_at.is_none()));
    holds(&engine, &story).unwrap();
}

/// Exempt by itself, it goes on with what the merged ticket had used: that stands in the other's stretches.
#[test]
fn what_a_merged_ticket_had_used_is_told_where_it_goes_on() {
    let happenings = [
        told("ticket.opened", "INC1", 0, &[("priority", "P9")]),
        told("ticket.opened", "INC2", 1860, &[("priority", "P3")]),
        told("ticket.merged", "INC2", 1920, &[("into", "INC1")]),
    ];
    let engine = judge(&happenings, instant(2400));
    let story = explain(&engine, "halden", "INC1").unwrap();
    let restarts = story.duties.iter().find(|d| d.obligation == "restarts" && d.standing == Standing::Open).unwrap();
    let stretches: Vec<_> = restarts.stretches.iter().map(|s| (s.to, s.counted)).collect();
    assert_eq!(stretches, [(instant(1860), false), (instant(2400), true)]);
    holds(&engine, &story).unwrap();
}

/// A limit that begins takes nothing from the others.
#[test]
fn what_one_limit_has_used_stays_used_when_another_begins() {
    let happenings = [told("ticket.opened", "INC1", 391, &[]), told("ticket.acknowledged", "INC1", 8640, &[])];
    let engine = judge(&happenings, instant(8700));
    let story = explain(&engine, "halden", "INC1").unwrap();
    let several = story.duties.iter().find(|d| d.obligation == "several").unwrap();
    // Ten business hours from Thursday 14:31: Good Friday and Easter Monday are closed.
    assert_eq!(several.deadline, Some(instant(8701)));
    holds(&engine, &story).unwrap();
}

/// Done by another duty's end, which stands after the reopening: its own end is where it was.
#[test]
fn what_falls_back_to_an_end_in_the_past_has_no_stretch_after_it() {
    let happenings = [
        told("ticket.opened", "INC1", 0, &[("priority", "P9")]),
        told("ticket.assigned", "INC1", 0, &[]),
        told("ticket.acknowledged", "INC1", 0, &[]),
        told("ticket.resolved", "INC1", 60, &[]),
        told("ticket.reopened", "INC1", 4020, &[]),
    ];
    let engine = judge(&happenings, instant(4020));
    let story = explain(&engine, "halden", "INC1").unwrap();
    let done = story.duties.iter().find(|d| d.obligation == "until-done").unwrap();
    assert_eq!((done.ended_at, done.deadline), (Some(instant(60)), Some(instant(360))));
    holds(&engine, &story).unwrap();
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(48)
}

#[test]
fn the_examples_of_the_help_are_there() {
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/demo/contracts").is_dir());
    let help = text(&binary(&["explain", "--help"]));
    assert!(help.contains("onus explain INC-2041 --contracts"), "{help}");
}
