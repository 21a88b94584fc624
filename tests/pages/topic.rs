//! Breaches on a real topic.

use crate::house::{House, end};
use crate::kafka::broker;
use crate::real::{DESK, HOUR, desk, event, grow};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

#[test]
fn breaches_and_what_becomes_of_them_are_told_to_a_topic_through_a_kill() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let settings = format!(
        "[kafka.main]\nbrokers = [\"{}\"]\n[breaches]\ncluster = \"main\"\ntopic = \"{topic}\"\n{}",
        broker.address(),
        desk()
    );
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    let _ = writeln!(text, "{}", event("opened", "INC-1", 4 * HOUR + 60));
    let _ = writeln!(text, "{}", event("opened", "INC-met", 2 * HOUR));
    house.write("desk.jsonl", &text);
    let client: BaseConsumer = broker.config().create().expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Beginning).expect("a partition");
    client.assign(&list).expect("assigned");
    let mut told: Vec<Value> = Vec::new();
    let mut until = |what: &str, house: &House, so: &dyn Fn(&[Value]) -> bool| {
        let end = Instant::now() + Duration::from_secs(60);
        while !so(&told) {
            assert!(Instant::now() < end, "{what}: never came; {told:?}; the program said:\n{}", house.talk());
            let Some(message) = client.poll(Duration::from_millis(200)) else { continue };
            let message = message.expect("a message");
            assert_eq!(message.key(), Some("p1".as_bytes()), "the partner");
            told.push(serde_json::from_slice(message.payload().expect("a value")).expect("JSON"));
        }
        told.clone()
    };
    let has = |told: &[Value], kind: &str| told.iter().any(|event| event["type"] == kind);
    let mut child = house.start(&["run"]);
    until("the breach", &house, &|told| has(told, "onus.duty.breached"));
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let _ = writeln!(text, "{}", event("acknowledged", "INC-met", 0));
    let _ = writeln!(text, "{}", event("acknowledged", "INC-1", 0));
    grow(&house, &text);
    let child = house.start(&["run"]);
    let told = until("the recovery", &house, &|told| has(told, "onus.duty.met-late"));
    for event in &told {
        assert_eq!((&event["specversion"], &event["subject"]), (&"1.0".into(), &"INC-1".into()), "{event}");
        let [duty, to, start] = ["duty", "to", "start"].map(|name| event["data"][name].as_str().expect("a text"));
        assert_eq!(event["id"], format!("{duty}/{to}/{start}"));
    }
    let mut ids: Vec<&str> = told.iter().map(|event| event["id"].as_str().expect("an id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 2, "told again with the same id, if it was told again: {told:?}");
    assert!(end(child), "{}", house.talk());
}
