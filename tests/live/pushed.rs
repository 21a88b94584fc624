//! A vendor's records that are pushed: a business rule, a webhook.

use crate::client::Client;
use crate::house::{DESK, House, end};
use serde_json::json;
use std::net::SocketAddr;

const SETTINGS: &str = "[[source]]\nname = \"snow\"\nkind = \"http\"\ntoken-file = \"token\"\nadapter = \"servicenow\"\n\
     adapter-settings = \"sources.json\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n";

fn address(house: &House) -> Option<SocketAddr> {
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
