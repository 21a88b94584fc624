//! Rows as a mapper describes them: what is old, missed, proven or moved.

use super::feed::{code, says};
use super::mapper::{Feed, ROWS, merged, row, told, why};
use onus::ingest::adapt::{Answer, Record};
use onus_engine::time::Moment;
use serde_json::json;

#[test]
fn of_an_hour_that_came_twice_nothing_is_made_that_could_not_say_so() {
    let local =
        |time: &str| ROWS.replace("order: n\n", &format!("order: {{from: {time}, as: local, zone: Europe/Warsaw}}\n"));
    let answer = Feed::of(&local("updated")).read(row(1, 2, json!({"updated": "2026-10-25 02:30:00"})));
    assert!(
        why(&answer).0 == "bad-time" && why(&answer).1.contains("updated is of an hour that the clocks showed twice")
    );
    let ends = ROWS.replace("{from: until, as: rfc3339,", "{from: until, as: local, zone: Europe/Warsaw,");
    let answer = Feed::of(&ends).read(row(1, 3, json!({"until": "2026-10-25 02:30:00"})));
    assert!(why(&answer).0 == "bad-time" && why(&answer).1.contains("could be two instants"));
    assert_eq!(told(&Feed::of(&ends).read(row(1, 3, json!({"until": "2026-10-25 03:30:00"})))).len(), 2);
}

#[test]
fn a_proof_says_when_and_without_one_it_had_happened_by_the_time_of_the_row() {
    let mut feed = Feed::of(ROWS);
    let answer = feed.read(row(1, 2, json!({"asked": 1_772_400_000})));
    let event = &answer.events[0];
    assert_eq!((event.id.as_str(), event.quality.word()), ("r1:waiver.requested:1772400000000", "exact"));
    let answer = feed.read(row(4, 3, json!({"approved": 0, "approver": "iberg"})));
    let event = &answer.events[0];
    assert_eq!((event.id.as_str(), event.quality.word()), ("r1:4:waiver.approved", "upper-bound"));
    assert_eq!(event.at.to_string(), "2026-03-02T08:00:00.000Z");
    assert_eq!((says(&answer, "actor"), says(&answer, "sequence")), (json!("iberg"), json!("4")));
}

#[test]
fn a_proof_that_was_told_proves_nothing_new() {
    let mut feed = Feed::of(ROWS);
    let proof = json!({"asked": 1_772_400_000, "approved": "2026-03-01 09:00:00"});
    assert_eq!(told(&feed.read(row(1, 3, proof.clone()))), ["waiver.requested", "waiver.approved"]);
    assert_eq!(code(&feed.read(row(2, 2, proof.clone()))), "no-change");
    let again = feed.read(row(3, 3, merged(proof, json!({"updated": "2026-03-09 08:00:00"}))));
    let event = &again.events[0];
    assert_eq!(
        (event.id.as_str(), event.at.to_string().as_str()),
        ("r1:3:waiver.approved", "2026-03-09T08:00:00.000Z")
    );
}

#[test]
fn a_row_that_is_forgotten_and_seen_again_gives_the_ids_that_its_proofs_gave() {
    let proof = json!({"asked": 1_772_400_000, "approved": "2026-03-01 09:00:00"});
    let ids = |answer: Answer| answer.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    let mut feed = Feed::of(ROWS);
    let first = ids(feed.read(row(1, 3, proof.clone())));
    feed.state.forget("r1");
    assert_eq!(ids(feed.read(row(9, 3, proof))), first);
}

#[test]
fn a_row_is_over_where_its_author_says_so_and_all_that_would_be_told_again_was_proven() {
    let rows = ROWS.replace("time: {from: updated", "over: [approved, ended]\ntime: {from: updated");
    let proof = json!({"asked": 1_772_400_000, "approved": "2026-03-01 09:00:00"});
    let over = |text: &str, rows: &[serde_json::Value]| {
        let mut feed = Feed::of(text);
        rows.iter().for_each(|row| drop(feed.read(row.clone())));
        feed.adapter.is_over(&feed.state, "r1")
    };
    assert!(!over(ROWS, &[row(1, 3, proof.clone())]), "nobody said so");
    assert!(over(&rows, &[row(1, 3, proof.clone())]));
    assert!(over(&rows, &[row(1, 1, json!({})), row(2, 4, json!({}))]), "a first sight of it tells nothing");
    assert!(!over(&rows, &[row(1, 2, proof.clone())]), "it still waits");
    assert!(!over(&rows, &[row(1, 3, json!({"approved": "2026-03-01 09:00:00"}))]), "when it was asked nobody knows");
    // Asked under one row, approved under another: each proof is remembered.
    assert!(over(&rows, &[row(1, 2, proof.clone()), row(2, 3, proof)]));
}

#[test]
fn what_is_over_must_be_a_state_whose_events_can_be_proven() {
    let wrong = |over: &str| {
        let text = ROWS.replace("time: {from: updated", &format!("over: {over}\ntime: {{from: updated"));
        let text = text.replace("  waiver.requested: {time: {from: asked, as: epoch-seconds}}\n", "");
        onus::contract::mapper(&text, "test.yaml").map(|_| ()).map_err(|problems| problems[0].to_string())
    };
    assert_eq!(wrong("ended"), Ok(()));
    let told = wrong("[ended, approved]").expect_err("it would be told twice");
    assert!(told.contains("waiver.requested would be told under another id"), "{told}");
    let told = wrong("aproved").expect_err("there is no such state");
    assert!(told.contains("no state is called `aproved`") && told.contains("approved"), "{told}");
}

#[test]
fn a_row_that_is_not_newer_is_passed_over() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(5, 2, json!({})));
    let before = feed.state.to_bytes();
    assert_eq!(code(&feed.read(row(5, 2, json!({"approver": "x"})))), "duplicate");
    assert_eq!(code(&feed.read(row(4, 3, json!({})))), "stale");
    assert_eq!(code(&feed.read(row(-1, 1, json!({})))), "stale");
    // One number, two states: nobody can tell which was first.
    let answer = feed.read(row(5, 3, json!({})));
    let (code, text) = why(&answer);
    assert!(code == "missing-id" && text.contains("`asked` and `approved` under one and the same number"), "{text}");
    assert_eq!(feed.state.to_bytes(), before);
}

#[test]
fn a_time_may_be_the_order() {
    let text = ROWS.replace("order: n\n", "order: {from: updated, as: local, zone: UTC}\n");
    let mut feed = Feed::of(&text);
    let at = |updated: &str, state: i64| row(0, state, json!({ "updated": updated }));
    assert_eq!(told(&feed.read(at("2026-03-02 08:00:00", 2))), ["waiver.requested"]);
    assert_eq!(code(&feed.read(at("2026-03-02 07:59:59", 3))), "stale");
    assert_eq!(code(&feed.read(at("2026-03-02 08:00:00", 2))), "duplicate");
    assert!(why(&feed.read(at("2026-03-02 08:00:00", 3))).1.contains("order by a counter"));
    assert_eq!(code(&feed.read(at("", 3))), "missing-time");
    assert_eq!(told(&feed.read(at("2026-03-02 08:00:01", 3))), ["waiver.approved"]);
}

#[test]
fn a_state_that_is_not_in_the_table_and_a_change_of_which_no_line_speaks_are_errors() {
    let mut feed = Feed::of(ROWS);
    assert_eq!(why(&feed.read(row(1, 9, json!({})))).0, "unmapped-state");
    assert!(feed.state.is_empty());
    feed.read(row(1, 4, json!({})));
    let answer = feed.read(row(2, 1, json!({})));
    assert_eq!(
        why(&answer),
        ("unmapped-state", "the row of `r1` went from `ended` to `draft`, and no line of `changes` speaks of that")
    );
    // It is read again when the line is there: nothing of it was remembered.
    assert_eq!(feed.state.get("r1").and_then(|row| row.get("order")), Some("1"));
}

#[test]
fn whose_it_is_and_what_it_is_about_stays_as_it_was_first_seen() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(1, 1, json!({})));
    let moved = feed.read(row(2, 2, json!({"vendor": "B", "key": "EXC-9"})));
    assert_eq!((says(&moved, "partner"), says(&moved, "subject")), (json!("halden-pam"), json!("EXC-1")));
    let gone = feed.read(row(3, 4, json!({"vendor": null, "key": null})));
    assert_eq!(told(&gone), ["waiver.ended"]);
}

#[test]
fn a_field_that_must_be_there_holds_its_event_back_as_an_error_that_leaves_no_trace() {
    let mut feed = Feed::of(ROWS);
    feed.read(row(1, 2, json!({})));
    let before = feed.state.to_bytes();
    let answer = feed.read(row(2, 3, json!({"until": null})));
    assert_eq!(why(&answer), ("bad-field", "the field `ends` must be there, and nothing says it"));
    assert_eq!(feed.state.to_bytes(), before);
    assert_eq!(told(&feed.read(row(2, 3, json!({})))), ["waiver.approved"]);
}

#[test]
fn where_no_time_stands_the_time_of_receipt_says_so() {
    let mut feed = Feed::of(ROWS);
    let bytes = row(1, 2, json!({"updated": ""})).to_string();
    assert_eq!(code(&feed.text(&bytes)), "missing-time");
    let recorded = Some(Moment(1_772_500_000_000));
    let answer =
        feed.adapter.read(&mut feed.state, &Record { value: Some(bytes.as_bytes()), recorded, ..Record::default() });
    assert_eq!((answer.events[0].at, answer.events[0].quality.word()), (Moment(1_772_500_000_000), "received"));
}
