//! `onus dead-letters`: what people do with records that could not be used, over a store as a process leaves it.

use onus::store::{Batch, Letter, LetterState, Query, Store, sqlite};
use onus_engine::time::Moment;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

const NOON: Moment = Moment(1_767_614_400_000);

struct Place {
    _folder: tempfile::TempDir,
    store: PathBuf,
}

fn letter(number: u64, source: &str, reason: &str, record: &[u8]) -> Letter {
    Letter {
        number,
        source: source.to_owned(),
        partition: 0,
        offset: 100 + number,
        at: NOON + number as i64 * 1000,
        reason: reason.to_owned(),
        detail: format!("what is wrong with {number}"),
        record: record.to_vec(),
        length: record.len() as u64,
        hash: number,
        state: LetterState::Waiting,
        note: None,
    }
}

impl Place {
    fn with(letters: &[Letter]) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("onus.db");
        let mut open = sqlite::open(&store, 0).expect("a new store");
        let claim = open.claim("test").expect("claimed");
        let batch = Batch { letters, ..Batch::empty(1, NOON) };
        open.commit(claim.epoch, &batch).expect("committed");
        Place { _folder: folder, store }
    }

    fn usual() -> Place {
        let long = format!("{{\"id\": \"{}\"}}", "x".repeat(1000));
        let mut cut = letter(4, "changes", "TooLong", b"{\"id\"");
        cut.length = 2_000_000;
        Place::with(&[
            letter(1, "tickets", "NoPartner", b"{\"id\": \"1\"}"),
            letter(2, "tickets", "Json", "{\u{1b}[2J\"a\": \u{202e}\u{7}".as_bytes()),
            letter(3, "changes", "NoPartner", long.as_bytes()),
            cut,
        ])
    }

    fn onus(&self, args: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onus"));
        let run = command.arg("dead-letters").args(args).arg("--store").arg(&self.store).output().expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (run.status.code().unwrap_or(-1), text(run.stdout), text(run.stderr))
    }

    fn json(&self, args: &[&str]) -> Value {
        let (code, out, talk) = self.onus(&[args, &["--format", "json"]].concat());
        assert_eq!((code, talk.as_str()), (0, ""));
        serde_json::from_str(&out).expect("JSON")
    }

    fn numbers(&self, args: &[&str]) -> Vec<u64> {
        let told = self.json(&[&["list"], args].concat());
        let all = told["dead_letters"].as_array().expect("a list");
        all.iter().map(|letter| letter["number"].as_u64().expect("a number")).collect()
    }

    fn state(&self, number: u64) -> (LetterState, Option<String>) {
        let mut open = sqlite::open(&self.store, 0).expect("the store");
        let all = open.letters(&Query::default()).expect("letters");
        let one = all.into_iter().find(|letter| letter.number == number).expect("it is there");
        (one.state, one.note)
    }

    fn mark(&self, number: u64, state: LetterState) {
        let mut open = sqlite::open(&self.store, 0).expect("the store");
        assert!(open.mark(number, state, None).expect("marked"));
    }
}

#[test]
fn a_list_has_a_line_each() {
    let place = Place::usual();
    let (code, out, talk) = place.onus(&["list"]);
    let want = "\
number  source   place  at                        state    reason     what is wrong
     1  tickets  0/101  2026-01-05T12:00:01.000Z  waiting  NoPartner  what is wrong with 1
     2  tickets  0/102  2026-01-05T12:00:02.000Z  waiting  Json       what is wrong with 2
     3  changes  0/103  2026-01-05T12:00:03.000Z  waiting  NoPartner  what is wrong with 3
     4  changes  0/104  2026-01-05T12:00:04.000Z  waiting  TooLong    what is wrong with 4
";
    assert_eq!((code, out.as_str(), talk.as_str()), (0, want, ""));
    let (code, out, talk) = place.onus(&["list", "--source", "nobody"]);
    assert_eq!((code, out.as_str(), talk.as_str()), (0, "", "no dead letters\n"));
}

#[test]
fn a_list_is_of_what_was_asked_for() {
    let place = Place::usual();
    assert_eq!(place.numbers(&["--source", "tickets"]), [1, 2]);
    assert_eq!(place.numbers(&["--reason", "NoPartner"]), [1, 3]);
    assert_eq!(place.numbers(&["--reason", "NoPartner", "--source", "changes"]), [3]);
    place.mark(1, LetterState::Asked);
    place.mark(2, LetterState::Dropped);
    assert_eq!(place.numbers(&[]), [1, 3, 4]);
    assert_eq!(place.numbers(&["--state", "waiting"]), [3, 4]);
    assert_eq!(place.numbers(&["--state", "asked"]), [1]);
    assert_eq!(place.numbers(&["--state", "dropped"]), [2]);
    assert_eq!(place.numbers(&["--state", "all"]), [1, 2, 3, 4]);
    // No record is in a list.
    assert!(!place.json(&["list"]).to_string().contains("\\\"id\\\""));
}

#[test]
fn a_long_list_goes_on_where_it_stopped() {
    let letters: Vec<Letter> = (1..=150).map(|number| letter(number, "tickets", "Json", b"{")).collect();
    let place = Place::with(&letters);
    let first = place.json(&["list"]);
    assert_eq!((first["dead_letters"].as_array().map(Vec::len), &first["next"]), (Some(100), &json!(100)));
    let second = place.json(&["list", "--after", "100"]);
    assert_eq!((second["dead_letters"].as_array().map(Vec::len), &second["next"]), (Some(50), &json!(null)));
    let (_, out, talk) = place.onus(&["list", "--limit", "2"]);
    assert_eq!((out.lines().count(), talk.contains("--after 2")), (3, true));
    let (_, out, _) = place.onus(&["list", "--limit", "2", "--after", "148", "--format", "jsonl"]);
    assert_eq!(out.lines().count(), 2);
    let (_, out, _) = place.onus(&["list", "--limit", "1", "--format", "jsonl"]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["record"], &lines[1]), (&json!("dead_letter"), &json!({"record": "more", "next": 1})));
}

#[test]
fn one_is_shown_without_harm_and_not_more_of_it_than_was_asked_for() {
    let place = Place::usual();
    let (code, out, _) = place.onus(&["show", "2"]);
    assert_eq!(code, 0);
    assert!(out.contains(r#"{\u{1b}[2J"a": \u{202e}\u{7}"#), "{out}");
    assert!(out.chars().all(|c| c == '\n' || !c.is_control()), "{out:?}");
    let (_, out, _) = place.onus(&["show", "3"]);
    assert!(out.contains("610 bytes more; `--whole`") && !out.contains(&"x".repeat(401)), "{out}");
    let (_, out, _) = place.onus(&["show", "3", "--whole"]);
    assert!(out.contains(&"x".repeat(1000)), "{out}");
    let (_, out, _) = place.onus(&["show", "4"]);
    assert!(out.contains("2000000 bytes, of which the first 5 were kept"), "{out}");
    let told = place.json(&["show", "1"]);
    assert_eq!((&told["bytes"], &told["length"], &told["shown"]), (&json!("{\"id\": \"1\"}"), &json!(11), &json!(11)));
    for missing in ["0", "5"] {
        let (code, out, talk) = place.onus(&["show", missing]);
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(talk.contains(&format!("no dead letter {missing}")), "{talk}");
    }
}

#[test]
fn what_is_asked_for_is_marked_and_what_cannot_be_is_told() {
    let place = Place::usual();
    let (code, out, talk) = place.onus(&["replay", "1", "2", "1"]);
    assert_eq!((code, out.as_str(), talk.as_str()), (0, "", "2 dead letters asked for\n"));
    assert_eq!(place.state(1), (LetterState::Asked, None));
    // Again: nothing changes, and that is fine.
    assert_eq!(place.onus(&["replay", "1"]).0, 0);
    place.mark(2, LetterState::Replayed);
    let (code, _, talk) = place.onus(&["replay", "2", "3", "4", "9"]);
    assert_eq!(code, 2);
    let lines: Vec<&str> = talk.lines().collect();
    assert_eq!(lines[0], "error: dead letter 2: was replayed already");
    assert!(lines[1].starts_with("error: dead letter 4: only its beginning was kept"), "{talk}");
    assert_eq!(lines[2..], ["error: dead letter 9: there is none with this number", "1 dead letter asked for"]);
    assert_eq!(place.state(3).0, LetterState::Asked);
    assert_eq!(place.state(4).0, LetterState::Waiting);
}

#[test]
fn all_of_a_reason_are_asked_for_at_once() {
    let place = Place::usual();
    let (code, _, talk) = place.onus(&["replay", "--all", "--reason", "NoPartner"]);
    assert_eq!((code, talk.as_str()), (0, "2 dead letters asked for\n"));
    assert_eq!([1, 2, 3, 4].map(|number| place.state(number).0 == LetterState::Asked), [true, false, true, false]);
    assert_eq!(place.onus(&["replay", "--all", "--source", "nobody"]).2, "0 dead letters asked for\n");
    // A filter without `--all`, numbers with it, nothing at all: none of them is guessed at.
    for wrong in [&["replay", "1", "--reason", "Json"][..], &["replay", "1", "--all"], &["replay"]] {
        assert_eq!(place.onus(wrong).0, 2, "{wrong:?}");
    }
    assert_eq!(place.state(2).0, LetterState::Waiting);
}

#[test]
fn who_drops_one_says_why_and_that_stays() {
    let place = Place::usual();
    assert_eq!(place.onus(&["drop", "1"]).0, 2);
    assert_eq!(place.onus(&["drop", "1", "--reason", "  "]).0, 2);
    assert_eq!(place.state(1).0, LetterState::Waiting);
    let (code, _, talk) = place.onus(&["drop", "1", "4", "--reason", "test data"]);
    assert_eq!((code, talk.as_str()), (0, "2 dead letters dropped\n"));
    assert_eq!(place.state(4), (LetterState::Dropped, Some("test data".to_owned())));
    let (_, out, _) = place.onus(&["show", "1"]);
    assert!(out.contains("because  test data"), "{out}");
    let (code, _, talk) = place.onus(&["drop", "1", "--reason", "again"]);
    assert_eq!(code, 2);
    assert!(talk.contains("dead letter 1: was dropped already"), "{talk}");
}

#[test]
fn a_wrong_path_is_no_new_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place { store: folder.path().join("none.db"), _folder: folder };
    let (code, _, talk) = place.onus(&["list"]);
    assert_eq!(code, 2);
    assert!(talk.contains("no store at"), "{talk}");
    assert!(!place.store.exists());
    std::fs::write(&place.store, "not a store").expect("written");
    assert_eq!(place.onus(&["list"]).0, 2);
}
