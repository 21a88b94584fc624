//! Dead letters that are told to a topic, too.

use crate::house::{DESK, House, end, file};
use crate::kafka::broker;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

#[test]
fn every_dead_letter_is_told_to_the_topic_at_least_once_through_kills_of_the_program() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let settings = format!(
        "[kafka.main]\nbrokers = [\"{}\"]\n[dead-letters]\ncluster = \"main\"\ntopic = \"{topic}\"\n{}",
        broker.address(),
        file("desk")
    );
    let house = House::new(DESK, &settings);
    let mut text = String::new();
    for n in 0..40 {
        let _ = writeln!(text, "{{\"no event\": {n}");
    }
    house.write("desk.jsonl", &text);
    for pause in [400, 900] {
        let mut child = house.start(&["run"]);
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        house.append("desk.jsonl", "neither\n");
    }
    let child = house.start(&["run"]);
    let client: BaseConsumer = broker.config().create().expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&topic, 0, Offset::Beginning).expect("a partition");
    client.assign(&list).expect("assigned");
    let mut told: BTreeMap<u64, Value> = BTreeMap::new();
    let until = Instant::now() + Duration::from_secs(60);
    while told.len() < 42 {
        assert!(Instant::now() < until, "{} letters were told; the program said:\n{}", told.len(), house.talk());
        let Some(message) = client.poll(Duration::from_millis(200)) else { continue };
        let message = message.expect("a message");
        let letter: Value = serde_json::from_slice(message.payload().expect("a value")).expect("JSON");
        let number = letter["number"].as_u64().expect("a number");
        assert_eq!(message.key(), Some(format!("desk/{number}").as_bytes()));
        told.insert(number, letter);
    }
    assert!(told.keys().copied().eq(1..=42));
    assert_eq!((&told[&1]["reason"], &told[&1]["record"]), (&Value::from("Json"), &Value::from("{\"no event\": 0")));
    assert!(end(child), "{}", house.talk());
}
