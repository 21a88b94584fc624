//! CyberArk's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use onus::ingest::adapt::Answer;
use serde_json::{Value, json};

fn text(n: usize) -> String {
    samples("cyberark")[n]["value"].as_str().expect("a line").to_owned()
}

fn read(line: &str) -> Answer {
    Feed::new("cyberark").text(line)
}

#[test]
fn the_same_act_in_json_and_in_cef_is_one_event() {
    let (one, other) = (read(&text(2)), read(&text(12)));
    assert_eq!((says(&one, "id"), says(&one, "subject")), (says(&other, "id"), says(&other, "subject")));
}

#[test]
fn the_records_own_utc_counts_and_not_its_local_time() {
    let answer = read(&text(2));
    assert_eq!(says(&answer, "time"), json!("2026-03-02T09:17:02.000Z"));
}

#[test]
fn a_header_without_year_and_zone_is_received_or_read_in_the_zone_that_the_settings_name() {
    let sample = &samples("cyberark")[14];
    let answer = Feed::new("cyberark").read(sample);
    assert_eq!(
        (says(&answer, "time"), says(&answer, "timequality")),
        (json!("2026-03-08T09:17:04.000Z"), json!("received"))
    );
    let answer = Feed::with("cyberark", "/cyberark/zone", json!("America/Chicago")).read(sample);
    assert_eq!(
        (says(&answer, "time"), says(&answer, "timequality")),
        (json!("2026-03-08T09:17:02.000Z"), json!("exact"))
    );
    assert_eq!(code(&read(&text(14))), "bad-time");
    // In a new year of the old one.
    let mut late = sample.clone();
    late["value"] = json!(text(14).replace("Mar 08 04:17:02", "Dec 31 23:59:58"));
    late["headers"]["kafka_timestamp"] = json!("2027-01-01T06:00:01Z");
    let answer = Feed::with("cyberark", "/cyberark/zone", json!("America/Chicago")).read(&late);
    assert_eq!(says(&answer, "time"), json!("2027-01-01T05:59:58.000Z"));
    // An hour that no clock showed: 8 March 2026, two o'clock.
    let mut gap = sample.clone();
    gap["value"] = json!(text(14).replace("04:17:02", "02:17:02"));
    assert_eq!(code(&Feed::with("cyberark", "/cyberark/zone", json!("America/Chicago")).read(&gap)), "bad-time");
}

#[test]
fn the_password_manager_is_nobody() {
    assert_eq!((says(&read(&text(2)), "actor"), says(&read(&text(2)), "actortype")), (Value::Null, json!("service")));
    assert_eq!(says(&read(&text(8)), "actor"), json!("ben.okafor"));
}

#[test]
fn only_what_looks_like_a_ticket_is_one() {
    assert_eq!(says(&read(&text(2)), "change"), json!("CHG0030077"));
    for not in ["VerificationPeriod", "ImmediateTask", "see CHG0030077", "CHG"] {
        let answer = read(&text(2).replace("CHG0030077", not));
        assert_eq!((says(&answer, "change"), says(&answer, "ticket")), (Value::Null, Value::Null), "{not}");
    }
    let incident = read(&text(12).replace("cn2=\"\"", "cn2=\"INC0010482\""));
    assert_eq!(says(&incident, "ticket"), json!("INC0010482"));
}

#[test]
fn to_verify_and_to_look_at_is_not_to_change() {
    for n in [1, 6, 11] {
        assert_eq!(code(&read(&text(n))), "not-relevant");
    }
}

#[test]
fn stored_again_is_rotated_until_it_is_deleted() {
    let mut feed = Feed::new("cyberark");
    assert_eq!(told(&feed.text(&text(0))), ["credential.created"]);
    assert_eq!(
        told(&feed.text(&text(0).replace("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z"))),
        ["credential.rotated"]
    );
    assert_eq!(told(&feed.text(&text(8))), ["credential.revoked"]);
    assert_eq!(
        told(&feed.text(&text(0).replace("2026-03-01T09:00:00Z", "2026-03-09T10:00:00Z"))),
        ["credential.created"]
    );
}

#[test]
fn management_that_is_off_is_labelled_as_that() {
    assert_eq!(says(&read(&text(7)), "reason"), json!("management-disabled"));
}

#[test]
fn a_property_may_be_one_object_or_a_list() {
    let line = text(2);
    let (front, rest) = line.split_once('{').expect("JSON");
    let mut record: Value = serde_json::from_str(&format!("{{{rest}")).expect("JSON");
    record["syslog"]["audit_record"]["CAProperties"]["CAProperty"] = json!({"Name": "PolicyID", "Value": "x"});
    assert_eq!(told(&read(&format!("{front}{record}"))), ["credential.rotated"]);
    assert_eq!(told(&read(&record.to_string())), ["credential.rotated"]);
}

#[test]
fn names_may_hold_blanks_equals_signs_and_pipes() {
    let line = text(12)
        .replace("suser=PasswordManager", "suser=ana=ruiz of x=y")
        .replace("\"NWMSP-Prod-DB\"", "\"NWMSP-Prod | a=b\"");
    let answer = read(&line);
    assert_eq!(says(&answer, "actor"), json!("ana=ruiz of x=y"));
    let subject = says(&answer, "subject").as_str().expect("a subject").to_owned();
    assert!(subject.starts_with("cyberark:NWMSP-Prod | a=b:"), "{subject}");
    let leef = text(15).replace("usrName=PasswordManager", "usrName=ana | ruiz = x");
    assert_eq!(says(&read(&leef), "actor"), json!("ana | ruiz = x"));
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    let twice = text(12).replace("suser=PasswordManager", "suser=PasswordManager suser=ben");
    assert_eq!(code(&read(&twice)), "bad-frame");
}

#[test]
fn a_line_that_was_cut_tells_nothing() {
    for n in [2, 12] {
        let whole = text(n);
        let safe = whole.find("NWMSP-Prod-DB").expect("a safe") + 5;
        for end in (20..safe).chain(whole.len() - 30..whole.len() - 12) {
            if let Some(cut) = whole.get(..end) {
                let answer = read(cut);
                let all = says_all(&answer);
                assert!(answer.events.is_empty() || n == 12 && all == says_all(&read(&whole)), "{n} {end}: {cut}");
            }
        }
    }
}

fn says_all(answer: &Answer) -> Vec<String> {
    answer.events.iter().map(|event| format!("{} {} {}", event.id, event.kind, event.subject)).collect()
}

#[test]
fn owners_of_one_second_are_two() {
    let (one, other) = (read(&text(9)), read(&text(9).replace("NW-IAM-Ops", "NW-Other")));
    assert_ne!(says(&one, "id"), says(&other, "id"));
    assert_eq!(says(&one, "grantee"), json!("NW-IAM-Ops"));
}

#[test]
fn what_is_missing_has_its_code() {
    assert_eq!(code(&read("<5>1 2026-03-02T09:17:02Z VAULT01 hello")), "not-json");
    assert_eq!(code(&read("{\"a\": 1}")), "unknown-envelope");
    assert_eq!(code(&read("CEF:0|Cyber-Ark|Vault|14")), "bad-frame");
    assert_eq!(code(&read(&text(2).replace("NWMSP-Prod-DB", "ELSE-Prod-DB"))), "unknown-partner");
    assert_eq!(code(&read(&text(15).replace("isoTimestamp=2026-03-09T09:17:02Z\t", ""))), "missing-time");
    assert_eq!(code(&read(&text(15).replace("2026-03-09T09:17:02Z", "2026-03-09T09:17:02"))), "bad-time");
    assert_eq!(code(&read(&text(9).replace("NW-IAM-Ops", ""))), "missing-subject");
}
