//! A registry that is away, refuses, or is another one: what may pass is waited for, and only what cannot is a dead letter.

use crate::desk::{Desk, found, frame, json, wrong};
use onus::ingest::wire::{Found, Need, Wire};
use std::time::{Duration, Instant};

const WHILE: Duration = Duration::from_secs(20);

/// Asks, and waits until it is said why there is no answer.
#[track_caller]
fn trouble(wire: &Wire, value: &[u8]) -> (Need, String) {
    let Found::Waits(need) = wire.read(Some(value), &[]) else { panic!("it waits") };
    let until = Instant::now() + WHILE;
    loop {
        assert!(!wire.wait(need, Duration::from_millis(50)), "it is not answered");
        if let Some(trouble) = wire.trouble() {
            return (need, trouble);
        }
        assert!(Instant::now() < until, "nobody says what is wrong");
    }
}

#[test]
fn one_that_does_not_listen_is_trouble_until_it_does() {
    let (desk, port) = Desk::closed();
    let wire = desk.wire();
    let (_, why) = trouble(&wire, &frame(9, b"{\"a\":1}"));
    assert!(why.contains(&format!("127.0.0.1:{port}")) && why.contains("look whether it runs"), "{why}");
    assert!(matches!(wire.read(Some(&frame(9, b"")), &[]), Found::Waits(_)), "still no dead letter");
    let _open = desk.open();
    assert_eq!(json(found(&wire, &frame(9, b"{\"a\":1}"), &[])), serde_json::json!({"a": 1}));
    assert_eq!(wire.trouble(), None);
}

#[test]
fn whatever_may_be_mended_is_trouble() {
    let cases = [
        (500, "{\"error_code\":50001,\"message\":\"Error in the backend data store\"}", "50001|backend"),
        (503, "", "its own log"),
        (401, "{\"error_code\":40101}", "bearer-token-file"),
        (403, "", "rights"),
        (404, "<html>not here</html>", "look at `url`"),
        (404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}", "look at `url`"),
        (200, "<html>hello</html>", "no schema registry"),
        (301, "", "it answered 301"),
        (429, "", "it answered 429"),
    ];
    for (status, body, words) in cases {
        let desk = Desk::new();
        let wire = desk.wire();
        desk.instead(Some((status, body)));
        let (_, why) = trouble(&wire, &frame(9, b"{}"));
        assert!(words.split('|').any(|word| why.contains(word)), "{status}: {why}");
        desk.instead(None);
        assert_eq!(json(found(&wire, &frame(9, b"{}"), &[])), serde_json::json!({}), "{status}: it goes on by itself");
    }
}

#[test]
fn one_that_accepts_and_says_nothing_is_trouble() {
    let desk = Desk::new();
    desk.silent(true);
    let target = onus::web::Target { timeout: Duration::from_millis(200), ..desk.target() };
    let registry = onus::ingest::wire::Registry::new(target);
    let wire = Wire::new(onus::ingest::wire::Format::Auto, Some(std::sync::Arc::new(registry)));
    let (_, why) = trouble(&wire, &frame(9, b"{}"));
    assert!(why.contains("no answer within 200 ms"), "{why}");
    desk.silent(false);
    assert_eq!(json(found(&wire, &frame(9, b"{}"), &[])), serde_json::json!({}));
}

#[test]
fn an_id_that_nobody_knows_is_asked_for_some_times_and_then_a_dead_letter() {
    let desk = Desk::new();
    let wire = desk.wire();
    let (reason, why) = wrong(found(&wire, &frame(4711, b"x"), &[]));
    assert_eq!(reason, "UnknownSchema");
    assert!(why.contains("no schema 4711") && why.contains("ask for the letter again"), "{why}");
    let asked = desk.asked().len();
    assert_eq!(asked, 3, "one that was registered just now may not be known to each node");
    assert_eq!(wrong(found(&wire, &frame(4711, b"y"), &[])).0, "UnknownSchema");
    assert_eq!(desk.asked().len(), asked, "and not again with every record");
}

#[test]
fn one_schema_that_is_never_answered_keeps_no_other_waiting() {
    let desk = Desk::new();
    desk.answers("/schemas/ids/8", 500, "{\"error_code\":50001}");
    let wire = desk.wire();
    trouble(&wire, &frame(8, b"\0"));
    assert_eq!(json(found(&wire, &frame(9, b"{}"), &[])), serde_json::json!({}));
}
