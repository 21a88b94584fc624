//! Records that no mapper should send: each is kept with its reason, and what comes behind it is judged.

use crate::house::{DESK, House, end, file};
use serde_json::Value;
use std::fs;

fn event(id: &str, kind: &str, time: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{id}-{kind}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"{id}\",\
         \"partner\":\"p1\",\"time\":\"2026-03-02T{time}:00Z\",\"data\":{{\"priority\":\"P1\"}}}}"
    )
}

fn letters(house: &House) -> Vec<Value> {
    let out = house.onus(&["dead-letters", "list", "--state", "all", "--format", "jsonl"]);
    let text = String::from_utf8(out.stdout).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.get("reason").is_some()).collect()
}

#[test]
fn poison_of_every_kind_is_put_away_and_the_source_goes_on() {
    let opened = |id: &str| event(id, "opened", "09:00");
    let mut records: Vec<(Vec<u8>, &str)> = Vec::new();
    let mut bad = |record: Vec<u8>, reason: &'static str| records.push((record, reason));
    bad(
        opened("INC-1")
            .replace("INC-1-", "\u{1}")
            .into_bytes()
            .into_iter()
            .map(|b| if b == 1 { 0xff } else { b })
            .collect(),
        "Utf8",
    );
    bad(opened("INC-2").replace("P1", "P\\u0000").into_bytes(), "Nul");
    bad([b"\0\0\0".to_vec(), opened("INC-3").into_bytes()].concat(), "Json");
    bad(opened("INC-4").replace("\"P1\"", &("[".repeat(100_000) + &"]".repeat(100_000))).into_bytes(), "");
    bad(opened("INC-5").replace("\"P1\"", "1e999999999999").into_bytes(), "");
    bad(opened("INC-6").replace("\"P1\"", &"9".repeat(5_000)).into_bytes(), "");
    bad(opened("INC-7").replace("\"P1\"", &format!("\"{}\"", "x".repeat(10 << 20))).into_bytes(), "TooLong");
    bad(opened("INC-8").replace("\"id\":\"INC-8-opened\",", "").into_bytes(), "Missing");
    bad(opened("INC-9").replace("\"time\":\"2026-03-02T09:00:00Z\",", "").into_bytes(), "Missing");
    bad(opened("INC-10").replace("\"1.0\"", "\"2.0\"").into_bytes(), "Version");
    bad(opened("INC-11").replace("T09:00:00Z", " nine o'clock").into_bytes(), "Time");
    // Of tomorrow's schema: what is not known is passed over, and what is known counts.
    bad(opened("INC-12").replace("\"data\"", "\"newattribute\":{\"a\":1},\"data\"").into_bytes(), "");
    bad(event("INC-13", "reconsidered", "09:00").into_bytes(), "");
    let house = House::new(DESK, &file("desk"));
    let good = event("INC-99", "opened", "10:00") + "\n" + &event("INC-99", "acknowledged", "11:00") + "\n";
    let mut bytes = Vec::new();
    for (record, _) in &records {
        bytes.extend_from_slice(record);
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(good.as_bytes());
    fs::write(house.path("desk.jsonl"), bytes).expect("written");
    let child = house.start(&["run", "--tell", "told"]);
    let told =
        |subject: &str| house.told().iter().find(|line| line["subject"] == subject).map(|line| line["to"].clone());
    house.until("what comes behind is judged", || told("INC-99").is_some());
    house.until("and so is what was not answered", || told("INC-12").is_some());
    assert_eq!((told("INC-99"), told("INC-12")), (Some("met".into()), Some("breached".into())));
    let due: Vec<&str> = records.iter().map(|(_, reason)| *reason).filter(|reason| !reason.is_empty()).collect();
    let all = letters(&house);
    let reasons: Vec<&str> = all.iter().map(|line| line["reason"].as_str().expect("a reason")).collect();
    assert_eq!(reasons, due);
    // What no rule reads harms nobody: neither its depth nor its size.
    assert!(["INC-4", "INC-5", "INC-6"].iter().all(|subject| told(subject).is_some()));
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["replay"]).status.success());
}

#[test]
fn two_events_of_one_id_are_a_conflict_that_people_see() {
    let house = House::new(DESK, &file("desk"));
    let first = event("INC-1", "opened", "09:00");
    let again = first.clone();
    let other = first.replace("T09:00", "T08:00");
    let answer = event("INC-1", "acknowledged", "12:30");
    house.write("desk.jsonl", &format!("{first}\n{again}\n"));
    let child = house.start(&["run", "--tell", "told"]);
    house.until("the deadline has passed", || house.told().iter().any(|line| line["to"] == "breached"));
    assert!(letters(&house).is_empty(), "the same again is no conflict");
    house.append("desk.jsonl", &format!("{other}\n{answer}\n"));
    house.until("the copy that does not count is shown", || letters(&house).len() == 1);
    assert_eq!(letters(&house)[0]["reason"], "Conflict");
    // By the one that counts, the answer came in time.
    house.until("it is judged by the other", || house.told().last().is_some_and(|line| line["to"] == "met"));
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["replay"]).status.success());
    let child = house.start(&["run", "--tell", "told"]);
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(end(child), "{}", house.talk());
    assert_eq!(letters(&house).len(), 1, "a restart shows it no second time");
}
