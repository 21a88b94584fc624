//! A vendor's records that are pushed: a business rule, a webhook.

use crate::client::Client;
use crate::house::{DESK, House, end};
use serde_json::json;
use std::net::SocketAddr;

const SETTINGS: &str = "[[source]]\nname = \"snow\"\nkind = \"http\"\ntoken-file = \"token\"\nadapter = \"servicenow\"\n\
     adapter-settings = \"sources.json\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";

pub(crate) fn address(house: &House) -> Option<SocketAddr> {
    let talk = house.talk();
    let line = talk.lines().rev().find_map(|line| line.split("listening on http://").nth(1))?;
    // The colours' end may stand behind it.
    line.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
}

/// An incident as a business rule sends it.
fn incident(number: &str, count: u32, state: &str) -> String {
    json!({"table_name": "incident", "operation": "update", "record": {
        "sys_id": number, "number": number, "state": state, "priority": "1", "assignment_group": "desk",
        "opened_at": "2026-03-02 09:00:00", "sys_updated_on": format!("2026-03-02 {:02}:00:00", 9 + count),
        "sys_mod_count": count.to_string(),
    }})
    .to_string()
}

#[test]
fn a_body_is_one_record_and_the_answer_says_what_could_not_be_read() {
    let house = House::new(DESK, SETTINGS);
    house.write("token", "s3cret");
    house.write(
        "sources.json",
        &json!({
            "partners": {"p1": {"servicenow": {"assignment_group": ["desk"]}}},
            "servicenow": {"incident": {"state": {"1": "new", "2": "in-progress"}}, "priority": {"1": "P1"}},
        })
        .to_string(),
    );
    let child = house.start(&["run", "--tell", "told"]);
    house.until("it listens", || address(&house).is_some());
    let post = |kind: &str, body: &str| Client::to(address(&house).expect("it listens")).post("s3cret", kind, body);
    let reply = post("application/json", &incident("INC-1", 0, "1"));
    assert_eq!((reply.status, reply.json()), (202, json!({"events": 1, "dead_letters": []})));
    // Two rows, one a line, of which one cannot be read.
    let both = format!("{}\n{}\n", incident("INC-2", 0, "18"), incident("INC-1", 1, "2"));
    let reply = post("application/x-ndjson", &both);
    let letters = reply.json()["dead_letters"].clone();
    assert_eq!((reply.status, letters[0]["line"].clone(), letters[1].is_null()), (202, json!(1), true), "{letters}");
    assert!(letters[0]["reason"].as_str().is_some_and(|why| why.starts_with("unmapped-state: ")), "{letters}");
    house.until("what it told is decided", || {
        house.told().iter().any(|line| line["subject"] == "INC-1" && line["to"] == "met")
    });
    assert!(end(child), "{}", house.talk());
}

/// What a customer's own tool sends, described in YAML.
#[test]
fn a_source_that_a_mapper_describes_ends_in_standings() {
    let contract = "contract: evidence\npartner: halden-pam\ncustomer: acme\neffective: 2026-01-01T00:00:00Z\nzone: UTC\n\
         obligations:\n  - id: renewed\n    clause: \"6.2\"\n    when: evidence.rejected\n    do: evidence.submitted\n    within: 2 days\n";
    let settings = SETTINGS.replace("\"servicenow\"", "\"mapper\"").replace("sources.json", "evidence.yaml");
    let house = House::new(contract, &settings);
    house.write("token", "s3cret");
    house.write("evidence.yaml", include_str!("../../config/mappers/evidence-log.yaml"));
    let child = house.start(&["run", "--tell", "told"]);
    house.until("it listens", || address(&house).is_some());
    let post = |entries: serde_json::Value| {
        let body = json!({ "entries": entries }).to_string();
        Client::to(address(&house).expect("it listens")).post("s3cret", "application/json", &body)
    };
    let entry = |id: &str, action: &str, at: &str, key: &str| {
        json!({"uuid": id, "action": action, "at": at, "supplier": {"code": "halden-pam"}, "request": {"key": key},
               "user": {"login": "j.kovac", "org": "supplier"}, "files": [{"href": "https://files.example/1"}]})
    };
    let reply = post(json!([
        entry("1", "evidence.reject", "2026-03-02T09:00:00Z", "REQ-7"),
        entry("2", "evidence.reject", "2026-03-02T09:00:00Z", "REQ-8"),
        entry("3", "evidence.upload", "2026-03-03T09:00:00Z", "REQ-7"),
        entry("4", "comment.add", "2026-03-03T09:00:00Z", "REQ-8"),
    ]));
    assert_eq!((reply.status, reply.json()), (202, json!({"events": 1, "dead_letters": []})));
    let stands = |key: &str, to: &str| house.told().iter().any(|line| line["subject"] == key && line["to"] == to);
    house.until("one is renewed and one is not", || stands("REQ-7", "met") && stands("REQ-8", "breached"));
    assert!(end(child), "{}", house.talk());
}
