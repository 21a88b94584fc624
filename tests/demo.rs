//! `onus demo`: the story is told from anywhere, by what the engine says, and the files say the same to `onus check`.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str], at: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).args(args).current_dir(at).output().unwrap()
}

fn story() -> String {
    let elsewhere = tempfile::tempdir().unwrap();
    let output = run(&["demo"], elsewhere.path());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_story_has_every_turn_that_it_is_there_to_show() {
    let told = story();
    let mut at = 0;
    // In this order.
    for turn in [
        "the clock of restore (4.2) goes on: only the customer may pause it",
        "BREACH: halden-pam broke restore (4.2)",
        "the clock of restore (4.2) stops",
        "the onus passes to northwind (customer)",
        "restore (4.2) is done, 2h 25min late",
        "restore (4.2) begins: it is due Tue 7 Apr 15:30",
        "svc-mainframe: rotate (7.1) is waived",
        "BREACH: halden-pam broke revoke-leaked (5.1)",
        "we learn only now, 10h 17min later: svc-build-agent revoked",
        "INC-2050: the breach of revoke-leaked (5.1) is taken back",
        "svc-reporting: BREACH: brightkey broke rotate (7.1)",
        "BREACH: northwind (customer.iam-lead) broke approve (5.3)",
        "IR-77 handed off",
        "the onus passes to tidewater-soc (partner)",
        "accept-handoff (3.1) is met",
        "FINDING: halden-pam broke approved-first (5.2)",
        "the waiver is over: rotate (7.1) is due",
        "How everything stands",
        "onus explain",
    ] {
        let found = told[at..].find(turn);
        at += found.unwrap_or_else(|| panic!("no {turn:?} after byte {at} of\n{told}"));
    }
    assert!(!told.contains('\u{1b}'), "colour only for terminals");
}

#[test]
fn the_bundled_files_judge_alike_in_the_story_and_in_check() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let args = ["check", "--contracts", "examples/demo/contracts", "examples/demo/events.jsonl", "--format", "json"];
    let output = run(&args, here);
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(checked["dead_letters"].as_array().unwrap().is_empty());
    let told = story();
    let rows: Vec<Vec<&str>> = told.lines().map(|l| l.split_whitespace().collect()).collect();
    for row in checked["obligations"].as_array().unwrap() {
        let name = [row["partner"].as_str().unwrap(), row["obligation"].as_str().unwrap()];
        let shown =
            rows.iter().find(|r| r.len() == 10 && r[..2] == name).unwrap_or_else(|| panic!("no row of {name:?}"));
        for (cell, key) in
            shown[2..].iter().zip(["met", "breached", "met_late", "waived", "cancelled", "exempt", "unknown", "open"])
        {
            assert_eq!(*cell, row[key].to_string(), "{name:?} {key}");
        }
    }
    let breaches = checked["breaches"].as_array().unwrap().len();
    assert!(told.contains(&format!("{breaches} breaches and findings that stand")), "{told}");
}

#[test]
fn the_story_can_be_unpacked_and_judged_and_is_never_written_over() {
    let elsewhere = tempfile::tempdir().unwrap();
    let told = run(&["demo", "--into", "play"], elsewhere.path());
    assert_eq!(told.status.code(), Some(0));
    let checked = run(&["check", "--contracts", "play/contracts", "play/events.jsonl"], elsewhere.path());
    assert_eq!(checked.status.code(), Some(1));
    let told = String::from_utf8(told.stdout).unwrap();
    let next = told.lines().find(|l| l.trim_start().starts_with("onus explain")).unwrap();
    let words: Vec<&str> = next.split('#').next().unwrap().split_whitespace().skip(1).collect();
    assert_eq!(run(&words, elsewhere.path()).status.code(), Some(0), "{words:?}");
    let again = run(&["demo", "--into", "play"], elsewhere.path());
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn the_story_can_be_unpacked_as_if_it_had_just_ended() {
    let elsewhere = tempfile::tempdir().unwrap();
    let told = run(&["demo", "--into", "play", "--recent"], elsewhere.path());
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    let text = std::fs::read_to_string(elsewhere.path().join("play/events.jsonl")).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = std::fs::read_to_string(here.join("examples/demo/events.jsonl")).unwrap();
    let at = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        onus_engine::time::Moment::parse(record["time"].as_str().unwrap()).unwrap()
    };
    let moved: Vec<i64> = text.lines().zip(original.lines()).map(|(new, old)| at(new) - at(old)).collect();
    assert_eq!(moved.len(), original.lines().count());
    assert!(
        moved.iter().all(|by| *by == moved[0] && by % (7 * 86_400_000) == 0),
        "by whole weeks, all alike: {moved:?}"
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let ago = now - text.lines().map(at).max().unwrap().0;
    assert!((0..=7 * 86_400_000).contains(&ago), "{ago}");
    assert_eq!(
        run(&["check", "--contracts", "play/contracts", "play/events.jsonl"], elsewhere.path()).status.code(),
        Some(1)
    );
}

/// The part of a page that says how everything stands.
fn standings(told: &str) -> &str {
    let from = told.find("How everything stands").unwrap();
    told[from..].split("\n\n").next().unwrap()
}

#[test]
fn it_plays_through_the_service_itself_and_ends_as_the_story_does() {
    use std::io::{BufRead, BufReader, Read, Write};
    let elsewhere = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["demo", "--live", "--seconds", "5"])
        .current_dir(elsewhere.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("/metrics") {
        assert!(out.read_line(&mut told).unwrap() > 0, "{told}");
    }
    let line = told.lines().last().unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let mut page = String::new();
    // As soon as something is owed.
    while !page.contains("onus_duties{") {
        let mut asked = std::net::TcpStream::connect(address).expect("figures while it runs");
        asked.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        page.clear();
        asked.read_to_string(&mut page).unwrap();
        assert!(page.contains("onus_commits_total"), "{page}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    out.read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success());
    for turn in [
        "BREACH: halden-pam broke restore (4.2)",
        "restore (4.2) is done, 2h 25min late",
        "the breach of revoke-leaked (5.1) is taken back",
        "BREACH: brightkey broke rotate (7.1)",
        "BREACH: northwind (customer.iam-lead) broke approve (5.3)",
        "FINDING: halden-pam broke approved-first (5.2)",
        "every sum and the ledger's chain are whole",
    ] {
        assert!(told.contains(turn), "no {turn:?} in\n{told}");
    }
    let plain = story();
    assert_eq!(standings(&told), standings(&plain), "{told}");
    let sum = plain.lines().find(|line| line.contains("that stand")).unwrap();
    assert!(told.contains(sum), "no {sum:?} in\n{told}");
    let store = told.lines().find(|line| line.trim_start().starts_with("store")).unwrap();
    let file = store.split_whitespace().nth(1).unwrap().trim_end_matches(',');
    assert!(!Path::new(file).exists(), "{file} is gone at the end");
}
