//! Killed at points that have names: between judging and the commit, and between the commit and telling.

use crate::house::{House, W1, file};
use crate::w1;
use onus::store::{Entry, Query, Store, sqlite};
use std::collections::BTreeSet;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

fn settings() -> String {
    format!("[judge]\nclock = \"events\"\nbatch = 200\n{}", file("w1"))
}

/// The workload in two halves.
fn halves() -> [String; 2] {
    let (events, _) = w1::draw(w1::Order { events: 4_000, partners: 10, seed: 5 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let text = String::from_utf8(lines).expect("text");
    let middle = text.match_indices('\n').nth(2_000).expect("lines").0 + 1;
    [text[..middle].to_owned(), text[middle..].to_owned()]
}

fn ledger(house: &House) -> Vec<Entry> {
    let mut store = sqlite::open(&house.path("onus.db"), 0).expect("a store");
    assert!(store.verify().expect("it can be read").wrong.is_empty());
    store.entries(&Query::default()).expect("the ledger")
}

/// When nothing more comes.
fn at_rest(house: &House) -> Vec<Entry> {
    house.until("something is written", || house.path("onus.db").exists() && !ledger(house).is_empty());
    loop {
        let before = ledger(house).len();
        std::thread::sleep(Duration::from_millis(700));
        let now = ledger(house);
        if now.len() == before {
            return now;
        }
    }
}

/// What was decided, whenever that was.
fn decided(entries: &[Entry]) -> Vec<String> {
    let mut all: Vec<String> =
        entries.iter().map(|e| format!("{} {} {} {:?} {:?}", e.duty(), e.to, e.start, e.deadline, e.ended)).collect();
    all.sort();
    all
}

#[test]
fn killed_between_judging_and_the_commit_nothing_is_written_and_the_same_is_decided_again() {
    let [one, two] = halves();
    let peace = House::new(W1, &settings());
    peace.write("w1.jsonl", &(one.clone() + &two));
    let child = peace.start(&["run"]);
    let want = at_rest(&peace);
    assert!(crate::house::end(child));

    let house = House::new(W1, &settings());
    house.write("w1.jsonl", &one);
    let mut child = house.start(&["run"]);
    let before = at_rest(&house);
    // Somebody else writes to the file and does not end: what is judged from here on cannot be committed.
    let other = rusqlite::Connection::open(house.path("onus.db")).expect("the file");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is held");
    house.append("w1.jsonl", &two);
    house.until("it waits for the store", || house.talk().contains("ERROR"));
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    other.execute_batch("ROLLBACK").expect("it is let go");
    assert_eq!(ledger(&house), before, "nothing of it is written");
    let child = house.start(&["run"]);
    house.until("all is decided", || ledger(&house).len() >= want.len());
    assert!(crate::house::end(child));
    let now = ledger(&house);
    assert_eq!(now[..before.len()], before[..], "what was written stays");
    assert_eq!(decided(&now), decided(&want));
}

#[test]
fn killed_between_the_commit_and_telling_it_is_told_under_the_same_identity() {
    let [one, two] = halves();
    let house = House::new(W1, &settings());
    house.write("w1.jsonl", &(one + &two));
    let mut command = house.command(&["run", "--tell", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program runs");
    // Nobody reads what it tells: when the pipe is full, telling stands still, and judging does not.
    let written = at_rest(&house);
    child.kill().expect("it runs");
    let mut heard = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut heard).expect("text");
    child.wait().expect("it ended");
    let identity = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(format!("{} {} {}", line["duty"], line["to"], line["start"]))
    };
    let first: Vec<String> = heard.lines().filter_map(identity).collect();
    assert!(first.len() < written.len(), "{} of {} were told", first.len(), written.len());
    let child = house.start(&["run", "--tell", "told"]);
    let text = || std::fs::read_to_string(house.path("told")).unwrap_or_default();
    let all = || first.iter().cloned().chain(text().lines().filter_map(identity)).collect::<BTreeSet<String>>();
    let due = |entries: &[Entry]| -> BTreeSet<String> {
        entries.iter().map(|e| format!("\"{}\" \"{}\" \"{}\"", e.duty(), e.to, e.start)).collect()
    };
    house.until("all of it is told", || all() == due(&written));
    assert!(crate::house::end(child), "{}", house.talk());
    assert_eq!(ledger(&house).len(), written.len(), "all was decided though nobody listened");
    let second: Vec<String> = text().lines().filter_map(identity).collect();
    assert!(first.iter().any(|one| second.contains(one)), "what was told and not noted is told again");
}
