//! Levels over many duties: measured in the report of `onus check`, and no standing changes by them.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};

const CONTRACT: &str = r#"
contract: halden
partner: halden
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: Europe/Amsterdam
defaults: {trust: asserted}
obligations:
  - id: acknowledge
    clause: "4.1"
    when: ticket.opened
    do: ticket.acknowledged
    within: 1h
    target: {at-least: 75%, each: month, credit: 3%}
  - id: resolve
    clause: "4.2"
    when: ticket.opened
    do: ticket.resolved
    within: 8h
    pause: {reasons: [waiting], by: anyone}
    target: {average: 3h, each: month}
"#;

/// (type, subject, time, reason)
fn check(events: &[(&str, &str, &str, &str)], more: &[&str]) -> Output {
    check_with(CONTRACT, events, more)
}

fn check_with(text: &str, events: &[(&str, &str, &str, &str)], more: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let contract = dir.path().join("contract.yaml");
    fs::write(&contract, text).unwrap();
    let lines: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(id, (kind, subject, time, reason))| {
            json!({"specversion": "1.0", "id": id.to_string(), "source": "urn:desk", "type": kind, "partner": "halden",
                "subject": subject, "time": time, "data": {"reason": reason}})
            .to_string()
        })
        .collect();
    let file = dir.path().join("events.jsonl");
    fs::write(&file, lines.join("\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
    command.args(["check", "--contracts"]).arg(&contract).arg(&file).args(["--until", "2026-04-10T00:00:00Z"]);
    command.args(more).output().unwrap()
}

fn levels(events: &[(&str, &str, &str, &str)]) -> Vec<Value> {
    let output = check(events, &["--format", "json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["levels"].as_array().unwrap().clone()
}

const MARCH: &[(&str, &str, &str, &str)] = &[
    ("ticket.opened", "INC1", "2026-03-02T09:00:00Z", ""),
    ("ticket.acknowledged", "INC1", "2026-03-02T09:30:00Z", ""),
    ("ticket.paused", "INC1", "2026-03-02T10:00:00Z", "waiting"),
    ("ticket.resumed", "INC1", "2026-03-02T15:00:00Z", "waiting"),
    ("ticket.resolved", "INC1", "2026-03-02T16:00:00Z", ""),
    ("ticket.opened", "INC2", "2026-03-03T09:00:00Z", ""),
    ("ticket.acknowledged", "INC2", "2026-03-03T10:30:00Z", ""),
    ("ticket.resolved", "INC2", "2026-03-03T15:00:00Z", ""),
    // The breach is at 23:30 local time of 31 March, the end in April.
    ("ticket.opened", "INC3", "2026-03-31T20:30:00Z", ""),
    ("ticket.resolved", "INC3", "2026-04-01T03:30:00Z", ""),
    ("ticket.opened", "INC4", "2026-04-02T09:00:00Z", ""),
    ("ticket.acknowledged", "INC4", "2026-04-02T09:10:00Z", ""),
];

#[test]
fn a_share_counts_the_verdicts_of_a_local_month_and_an_average_the_time_used_of_what_was_done_in_it() {
    let all = levels(MARCH);
    let of = |obligation: &str, from: &str| {
        let found = all.iter().find(|l| l["obligation"] == obligation && l["from"] == from);
        found.unwrap_or_else(|| panic!("no {obligation} from {from} in {all:#?}"))
    };
    let march = of("acknowledge", "2026-02-28T23:00:00.000Z");
    assert_eq!((&march["counted"], &march["met"], &march["share"]), (&json!(3), &json!(1), &json!(33.33)));
    assert_eq!((&march["missed"], &march["credit"], &march["over"]), (&json!(true), &json!("3%"), &json!(true)));
    let april = of("acknowledge", "2026-03-31T22:00:00.000Z");
    assert_eq!((&april["counted"], &april["share"], &april["missed"]), (&json!(1), &json!(100.0), &json!(false)));
    assert_eq!(april["over"], json!(false));
    let march = of("resolve", "2026-02-28T23:00:00.000Z");
    // 2 h without the pause, and 6 h.
    assert_eq!((&march["used_seconds"], &march["worst_seconds"]), (&json!(14_400), &json!(21_600)));
    assert_eq!((&march["counted"], &march["missed"]), (&json!(2), &json!(true)));
    let april = of("resolve", "2026-03-31T22:00:00.000Z");
    assert_eq!((&april["counted"], &april["used_seconds"]), (&json!(1), &json!(25_200)));
    assert_eq!(all.len(), 4, "{all:#?}");
}

#[test]
fn a_missed_level_is_no_breach_and_late_news_moves_it() {
    let met = &[
        ("ticket.opened", "INC1", "2026-03-02T09:00:00Z", ""),
        ("ticket.acknowledged", "INC1", "2026-03-02T09:30:00Z", ""),
        ("ticket.resolved", "INC1", "2026-03-02T16:00:00Z", ""),
    ];
    let output = check(met, &[]);
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "seven hours are within the limit: {page}");
    assert!(page.contains("Levels") && page.contains("7h on average of 1, at most 3h; the longest 7h"), "{page}");
    assert!(page.contains("missed") && page.contains("100% of 1 met, at least 75%"), "{page}");
    let mut late = MARCH.to_vec();
    late.push(("ticket.acknowledged", "INC2", "2026-03-03T09:20:00Z", ""));
    late.push(("ticket.acknowledged", "INC3", "2026-03-31T20:40:00Z", ""));
    let all = levels(&late);
    let march = all.iter().find(|l| l["obligation"] == "acknowledge" && l["from"] == "2026-02-28T23:00:00.000Z");
    assert_eq!(march.map(|m| (&m["met"], &m["missed"])), Some((&json!(3), &json!(false))), "{all:#?}");
}

/// Days are what they come to as a limit: two business days from Friday at four are more hours than from Monday at nine.
#[test]
fn an_average_in_days_is_what_those_days_come_to_from_each_duty_s_own_start() {
    let contract = CONTRACT
        .replace(
            "zone: Europe/Amsterdam",
            "zone: UTC\ncalendar: office\ncalendars: {office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}}",
        )
        .replace("within: 8h", "within: 5 business days")
        .replace("average: 3h", "average: 1 business day");
    let measured = |events: &[(&str, &str, &str, &str)]| {
        let output = check_with(&contract, events, &["--format", "json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let all = answer["levels"].as_array().unwrap().clone();
        all.into_iter().find(|level| level["obligation"] == "resolve").unwrap()
    };
    // Monday 09:00 to Tuesday's close: 16 open hours allowed, 16 used.
    let kept = measured(&[
        ("ticket.opened", "INC1", "2026-03-02T09:00:00Z", ""),
        ("ticket.resolved", "INC1", "2026-03-03T17:00:00Z", ""),
    ]);
    assert_eq!((&kept["missed"], &kept["average_seconds"]), (&json!(false), &json!(16 * 3600)), "{kept}");
    // Monday 16:00 to Tuesday's close: 9 hours allowed, 10 used by Wednesday 10:00.
    let missed = measured(&[
        ("ticket.opened", "INC1", "2026-03-02T16:00:00Z", ""),
        ("ticket.resolved", "INC1", "2026-03-04T10:00:00Z", ""),
    ]);
    assert_eq!((&missed["missed"], &missed["average_seconds"]), (&json!(true), &json!(9 * 3600)), "{missed}");
}
