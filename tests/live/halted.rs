//! A partition that halted, and the person who decides where it goes on.

use crate::house::{DESK, House, end};
use crate::kafka::broker;
use serde_json::Value;

fn event(n: u32) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{n}\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"INC-{n}\",\
         \"time\":\"2026-03-02T09:{:02}:00Z\",\"partner\":\"p1\"}}",
        n % 60
    )
}

fn json(house: &House, args: &[&str]) -> Value {
    let output = house.onus(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn source(house: &House) -> Value {
    json(house, &["sources", "list", "--format", "json"])["sources"][0].clone()
}

fn next(house: &House) -> Option<u64> {
    source(house)["positions"][0]["next"].as_u64()
}

/// A halt that nobody has decided about.
fn is_halted(house: &House) -> bool {
    source(house)["halts"].as_array().is_some_and(|all| all.iter().any(|one| one["state"] == "waiting"))
}

#[test]
fn a_person_says_where_a_halted_partition_goes_on_and_what_that_left_out_is_written_down() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let produce = |range: std::ops::Range<u32>| {
        let lines: Vec<String> = range.map(event).collect();
        broker.produce(&topic, 0, lines.iter().map(|line| line.as_bytes()));
    };
    produce(0..10);
    let settings = format!(
        "[kafka.main]\nbrokers = [\"{}\"]\n[[source]]\nname = \"tickets\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{topic}\"\n\
         trust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n",
        broker.address()
    );
    let house = House::new(DESK, &settings);
    let child = house.start(&["run"]);
    house.until("all is read", || house.path("onus.db").exists() && next(&house) == Some(10));
    let none = house.onus(&["sources", "resume", "tickets", "--from", "earliest", "--reason", "x"]);
    assert_eq!(none.status.code(), Some(2), "nothing has halted");
    assert!(end(child), "{}", house.talk());

    // The topic is made anew, with less in it. It is decided while the process runs.
    broker.delete_topic(&topic);
    broker.topic_named(&topic, 1, &[]);
    produce(100..103);
    let child = house.start(&["run"]);
    house.until("it halts", || is_halted(&house));
    let page = String::from_utf8(house.onus(&["sources", "list"]).stdout).expect("text");
    assert!(page.contains("HALTED partition 0") && page.contains("ends before offset"), "{page}");
    let replayed = house.onus(&["dead-letters", "replay", "1"]);
    assert!(String::from_utf8_lossy(&replayed.stderr).contains("onus sources resume tickets"), "{replayed:?}");
    let args = ["sources", "resume", "tickets", "--from", "earliest", "--reason", "made anew: see CHG-7"];
    assert!(house.onus(&args).status.success());
    house.until("it goes on", || next(&house) == Some(3));
    let told = source(&house);
    assert_eq!(told["halts"][0]["state"], "dropped", "{told:#}");
    assert_eq!(told["halts"][0]["note"], "go on with earliest: made anew: see CHG-7");
    assert_eq!(told["skipped"][0]["note"], "made anew: see CHG-7");
    let detail = told["skipped"][0]["detail"].as_str().expect("words");
    assert!(detail.contains("halted at offset 10") && detail.contains("goes on at offset 0"), "{detail}");
    assert!(told["positions"][0]["incarnation"].as_str().is_some_and(|name| name.contains(&format!("{topic}@"))));
    produce(103..104);
    house.until("and on", || next(&house) == Some(4));
    assert!(end(child), "{}", house.talk());

    // Records are gone before they were read. It is decided while no process runs.
    produce(104..110);
    broker.delete_before(&topic, 0, 7);
    let child = house.start(&["run"]);
    house.until("it halts again", || is_halted(&house));
    assert!(end(child), "{}", house.talk());
    let args = ["sources", "resume", "tickets", "--partition", "0", "--from", "8", "--reason", "7 is in the backup"];
    assert!(house.onus(&args).status.success());
    let child = house.start(&["run"]);
    house.until("it goes on", || next(&house) == Some(10));
    let told = source(&house);
    let detail = told["skipped"][1]["detail"].as_str().expect("words");
    assert!(detail.contains("Offsets 4 to 7 were never read here"), "{detail}");
    assert!(end(child), "{}", house.talk());
    assert_eq!(told["halts"].as_array().map(Vec::len), Some(2), "one letter a halt, whatever restarts came between");
    for args in [&["store", "verify", "--store", "sqlite:onus.db"][..], &["replay"]] {
        assert!(house.onus(args).status.success(), "{args:?}");
    }
}
