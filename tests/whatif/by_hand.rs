//! A few tickets, worked out by hand under two texts.

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

/// Four hours to resolve, one to acknowledge; by `change` it becomes the new text.
fn text(effective: &str, change: impl Fn(String) -> String) -> String {
    change(format!(
        "contract: halden
partner: halden
customer: northwind
effective: {effective}
zone: UTC
defaults: {{trust: asserted}}
obligations:
  - id: acknowledge
    clause: \"4.1\"
    when: ticket.opened
    do: ticket.acknowledged
    within: 1h
  - id: resolve
    clause: \"4.2\"
    when: ticket.opened
    do: ticket.resolved
    within: 4h
"
    ))
}

const TODAY: &str = "2026-01-01T00:00:00Z";
const NEXT: &str = "2027-01-01T00:00:00Z";

/// INC1 opened 09:00 on 2 March, acknowledged after 30 min, resolved after 5 h.
/// INC2 the same on 3 March, acknowledged after 2 h, resolved after 3 h.
/// INC3 the same on 4 March, never acknowledged, resolved after 9 h.
const EVENTS: [(&str, &str, &str); 8] = [
    ("INC1", "opened", "2026-03-02T09:00:00Z"),
    ("INC1", "acknowledged", "2026-03-02T09:30:00Z"),
    ("INC1", "resolved", "2026-03-02T14:00:00Z"),
    ("INC2", "opened", "2026-03-03T09:00:00Z"),
    ("INC2", "acknowledged", "2026-03-03T11:00:00Z"),
    ("INC2", "resolved", "2026-03-03T12:00:00Z"),
    ("INC3", "opened", "2026-03-04T09:00:00Z"),
    ("INC3", "resolved", "2026-03-04T18:00:00Z"),
];

fn events(partner: &str) -> String {
    let line = |(n, (subject, verb, at)): (usize, &(&str, &str, &str))| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"urn:desk\",\"type\":\"ticket.{verb}\",\"subject\":\"{subject}\",\"partner\":\"{partner}\",\"time\":\"{at}\"}}\n"
        )
    };
    EVENTS.iter().enumerate().map(line).collect()
}

struct Desk(tempfile::TempDir);

impl Desk {
    fn new(old: &str, new: &str) -> Desk {
        let desk = Desk(tempfile::tempdir().expect("a folder"));
        desk.write("old.yaml", old);
        desk.write("new.yaml", new);
        desk.write("events.jsonl", &events("halden"));
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).expect("written");
    }

    fn run(&self, args: &[&str], stdin: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
            .args(["whatif", "--against", "old.yaml", "--contracts", "new.yaml"])
            .args(args)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(stdin.as_bytes()).ok();
        drop(pipe);
        let out = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (out.status.code().unwrap_or(-1), text(out.stdout), text(out.stderr))
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        let all: Vec<&str> = ["--format", "json", "-q", "events.jsonl"].iter().chain(args).copied().collect();
        let (code, out, talk) = self.run(&all, "");
        (code, serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out} {talk}")))
    }
}

/// What becomes of which breach, and when the duty is due before and after.
fn shifts(told: &Value) -> Vec<(String, String, String, String)> {
    let list = told["breaches"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    list.iter()
        .map(|b| {
            let what = format!("{} {} of {}", text(&b["change"]), text(&b["obligation"]), text(&b["subject"]));
            (what, text(&b["before"]["deadline"]), text(&b["after"]["deadline"]), text(&b["reason"]))
        })
        .collect()
}

fn shift(what: &str, before: &str, after: &str, reason: &str) -> (String, String, String, String) {
    (what.to_owned(), before.to_owned(), after.to_owned(), reason.to_owned())
}

fn line<'t>(told: &'t Value, obligation: &str) -> &'t Value {
    let lines = told["obligations"].as_array().expect("a list");
    lines.iter().find(|line| line["obligation"] == obligation).expect("the obligation")
}

#[test]
fn breaches_go_come_and_move_as_one_would_work_out_by_hand() {
    // Six hours to resolve, a quarter of an hour to acknowledge.
    let new = text(NEXT, |t| t.replace("within: 4h", "within: 6h").replace("within: 1h", "within: 15min"));
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    let (code, told) = desk.json(&[]);
    assert_eq!(code, 1);
    let want = [
        shift(
            "vanishes resolve of INC1",
            "2026-03-02T13:00:00.000Z",
            "2026-03-02T15:00:00.000Z",
            "under the new terms it is done in time",
        ),
        shift(
            "appears acknowledge of INC1",
            "2026-03-02T10:00:00.000Z",
            "2026-03-02T09:15:00.000Z",
            "under today's terms it is done in time",
        ),
        shift("moves acknowledge of INC2", "2026-03-03T10:00:00.000Z", "2026-03-03T09:15:00.000Z", "it breaks earlier"),
        shift("moves acknowledge of INC3", "2026-03-04T10:00:00.000Z", "2026-03-04T09:15:00.000Z", "it breaks earlier"),
        shift("moves resolve of INC3", "2026-03-04T13:00:00.000Z", "2026-03-04T15:00:00.000Z", "it breaks later"),
    ];
    assert_eq!(shifts(&told), want);
    let resolve = line(&told, "resolve");
    assert_eq!((&resolve["before"]["met"], &resolve["after"]["met"]), (&Value::from(1), &Value::from(2)));
    assert_eq!((&resolve["before"]["breached"], &resolve["after"]["breached"]), (&Value::from(2), &Value::from(1)));
    let acknowledge = line(&told, "acknowledge");
    assert_eq!((&acknowledge["before"]["met"], &acknowledge["after"]["met"]), (&Value::from(1), &Value::from(0)));
    assert_eq!(acknowledge["after"]["met_late"], 2);
    assert_eq!(told["summary"], serde_json::json!({"vanish": 1, "appear": 1, "move": 3, "same": 0}));
    // Its `effective` lies a year ahead; it is judged by all the same.
    assert_eq!(told["contracts"][0]["in_force_from"], "2026-01-01T00:00:00.000Z");
    assert_eq!(told["contracts"][0]["effective"], "2027-01-01T00:00:00.000Z");
}

#[test]
fn only_what_began_since_is_compared() {
    let new = text(NEXT, |t| t.replace("within: 4h", "within: 6h").replace("within: 1h", "within: 15min"));
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    // INC2 begins in this very instant, and is in.
    let (_, told) = desk.json(&["--since", "2026-03-03T09:00:00Z"]);
    let whats: Vec<String> = shifts(&told).into_iter().map(|s| s.0).collect();
    assert_eq!(whats, ["moves acknowledge of INC2", "moves acknowledge of INC3", "moves resolve of INC3"]);
    assert_eq!(line(&told, "resolve")["before"]["met"], 1);
    assert_eq!(line(&told, "resolve")["before"]["breached"], 1);
    let (code, told) = desk.json(&["--since", "2026-03-05T00:00:00Z"]);
    assert_eq!((code, shifts(&told).len()), (0, 0));
}

#[test]
fn obligations_that_come_and_go_are_told() {
    let new = text(NEXT, |t| {
        t.replace("  - id: acknowledge\n    clause: \"4.1\"\n    when: ticket.opened\n    do: ticket.acknowledged\n    within: 1h\n", "")
            + "  - id: close\n    clause: \"4.3\"\n    when: ticket.resolved\n    do: ticket.closed\n    within: 24h\n"
    });
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    let (code, told) = desk.json(&["--until", "2026-03-05T15:00:00Z"]);
    assert_eq!(code, 1);
    assert_eq!(line(&told, "acknowledge")["change"], "removed");
    assert_eq!(line(&told, "close")["change"], "new");
    assert_eq!(line(&told, "resolve")["change"], "in both");
    let want = [
        shift("vanishes acknowledge of INC2", "2026-03-03T10:00:00.000Z", "-", "the new terms have no such obligation"),
        shift("vanishes acknowledge of INC3", "2026-03-04T10:00:00.000Z", "-", "the new terms have no such obligation"),
        shift("appears close of INC1", "-", "2026-03-03T14:00:00.000Z", "today's terms have no such obligation"),
        shift("appears close of INC2", "-", "2026-03-04T12:00:00.000Z", "today's terms have no such obligation"),
    ];
    assert_eq!(shifts(&told), want);
    assert_eq!(line(&told, "close")["after"]["open"], 1);
}

#[test]
fn the_same_text_changes_nothing_and_contracts_that_are_not_new_stay() {
    let desk = Desk::new(&text(TODAY, |t| t), &text(NEXT, |t| t));
    let (code, out, talk) = desk.run(&["events.jsonl"], "");
    assert_eq!(code, 0, "{out}{talk}");
    assert!(out.contains("Nothing would have been different."), "{out}");
    assert!(
        talk.contains("halden of halden: the new text is taken as in force from 2026-01-01T00:00:00.000Z"),
        "{talk}"
    );
    // Another contract is not among the new ones: it stays, and is said to.
    desk.write("other.yaml", &text(TODAY, |t| t.replace("contract: halden", "contract: second").replace("1h", "2h")));
    let (code, _, talk) = desk.run(&["--against", "other.yaml", "events.jsonl"], "");
    assert_eq!(code, 0);
    assert!(talk.contains("second of halden: not among the new contracts, so the same in both"), "{talk}");
}

#[test]
fn standard_input_is_read_as_often_as_it_takes() {
    let new = text(NEXT, |t| t.replace("within: 4h", "within: 6h"));
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    let (code, piped, _) = desk.run(&["-", "--format", "jsonl"], &events("halden"));
    let (_, read, _) = desk.run(&["events.jsonl", "--format", "jsonl"], "");
    assert_eq!((code, piped), (1, read));
}

#[test]
fn the_table_shows_as_many_examples_as_asked_for() {
    let new = text(NEXT, |t| t.replace("within: 1h", "within: 15min"));
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    let (_, out, _) = desk.run(&["events.jsonl", "--examples", "1"], "");
    assert!(out.contains("... and 1 more of acknowledge of halden: --examples 2"), "{out}");
    assert!(out.contains("Breaches: 0 gone, 1 new, 2 at another instant, 2 the same; 1 obligation as it is"), "{out}");
}

#[test]
fn bad_input_is_told_and_nothing_is_judged() {
    let desk = Desk::new(&text(TODAY, |t| t), &text(NEXT, |t| t.replace("within: 4h", "witin: 4h")));
    let (code, out, talk) = desk.run(&["events.jsonl"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(talk.contains("new.yaml:17:5: E101"), "{talk}");
    let desk = Desk::new(&text(TODAY, |t| t), &text(NEXT, |t| t));
    assert_eq!(desk.run(&["missing.jsonl"], "").0, 2);
    assert_eq!(desk.run(&[], "").0, 2);
    let (code, _, talk) =
        desk.run(&["events.jsonl", "--since", "2026-04-01T00:00:00Z", "--until", "2026-03-01T00:00:00Z"], "");
    assert_eq!(code, 2);
    assert!(talk.contains("lies after --until"), "{talk}");
    desk.write("events.jsonl", &format!("{{nonsense\n{}", events("halden")));
    let (code, _, talk) = desk.run(&["events.jsonl"], "");
    assert_eq!(code, 0);
    assert_eq!(talk.matches("dead letter: events.jsonl:1:").count(), 1, "{talk}");
    assert_eq!(desk.run(&["events.jsonl", "--strict"], "").0, 2);
}

/// A version that binds one partner more: the others' versions still follow each other.
#[test]
fn a_text_that_binds_more_partners_is_taken_partner_by_partner() {
    let new = text(NEXT, |t| {
        t.replace("partner: halden", "partner: [halden, tidewater]").replace("within: 4h", "within: 6h")
    });
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    desk.write("events.jsonl", &format!("{}{}", events("halden"), events("tidewater")));
    let (_, told) = desk.json(&["--since", "2026-02-01T00:00:00Z"]);
    let of = |partner: &str| {
        let lines = told["obligations"].as_array().expect("a list");
        let line =
            lines.iter().find(|l| l["partner"] == partner && l["obligation"] == "resolve").expect("a line").clone();
        (line["before"]["breached"].clone(), line["after"]["breached"].clone(), line["after"]["met"].clone())
    };
    assert_eq!(of("halden"), (2.into(), 1.into(), 2.into()));
    assert_eq!(of("tidewater"), (0.into(), 1.into(), 2.into()));
}

#[test]
fn a_partner_mistyped_in_a_known_contract_is_told() {
    let new = text(NEXT, |t| t.replace("partner: halden", "partner: haldn"));
    let desk = Desk::new(&text(TODAY, |t| t), &new);
    let (code, _, talk) = desk.run(&["events.jsonl"], "");
    let want = "today's contract halden is of halden, the new one of haldn (did you mean `halden`?): nothing of today is \
                compared with it";
    assert!(code == 1 && talk.contains(want), "{talk}");
    let (_, told) = desk.json(&[]);
    assert_eq!(told["contracts"][0]["other_partners_today"], serde_json::json!(["halden"]));
}
