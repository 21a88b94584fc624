use crate::house::{DESK, House, W1, end};
use crate::kafka::{Broker, broker};
use crate::w1;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Another position, in our name.
fn tell_kafka(broker: &Broker, topic: &str, partition: i32, offset: i64) {
    let client: BaseConsumer = broker.config().set("group.id", "onus").create().expect("a client");
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset)).expect("an offset");
    client.commit(&list, CommitMode::Sync).expect("it is told");
}

#[test]
fn a_topic_is_judged_as_it_was_drawn_through_kills_of_the_program() {
    let broker = broker();
    let topic = broker.topic(4, &[("message.timestamp.type", "LogAppendTime")]);
    let (events, expected) = w1::draw(w1::Order { events: 20_000, partners: 20, seed: 11 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let lines = String::from_utf8(lines).expect("text");
    let lines: Vec<&str> = lines.lines().collect();
    let (tick, lines) = lines.split_last().expect("the clock is last");
    let of = |line: &str| {
        let partner = line.split("\"partner\":\"p").nth(1).and_then(|rest| rest.get(..4)).expect("a partner");
        partner.parse::<i32>().expect("its number") % 4
    };
    for partition in 0..4 {
        let here = lines.iter().filter(|line| of(line) == partition).map(|line| line.as_bytes());
        broker.produce(&topic, partition, here.chain([tick.as_bytes()]));
    }
    let settings = format!(
        "[judge]\nclock = \"events\"\nbatch = 500\n[kafka.main]\nbrokers = [\"{}\"]\n[[source]]\nname = \"w1\"\nkind = \"kafka\"\n\
         cluster = \"main\"\ntopic = \"{topic}\"\ntrust = \"system\"\npartners = [\"*\"]\ntypes = [\"*\"]\n",
        broker.address()
    );
    let house = House::new(W1, &settings);
    for pause in [1500, 2000] {
        let mut child = house.start(&["run", "--tell", "told"]);
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        // What Kafka thinks of our positions is for lag tools; whatever stands there, nothing is missing or there twice.
        for partition in 0..4 {
            tell_kafka(&broker, &topic, partition, if partition % 2 == 0 { 0 } else { 1_000_000 });
        }
    }
    let child = house.start(&["run", "--tell", "told"]);
    let breached: u64 = expected.totals.values().map(|[_, breached, _]| breached).sum();
    let broke = || {
        let net = house.net().into_iter().filter_map(|(duty, (_, broke))| Some((duty, broke?)));
        net.collect::<BTreeMap<String, String>>()
    };
    house.until("all breaches are told", || broke().len() as u64 == breached);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(broke().len() as u64, breached, "and no more");
    // No record was late: whatever partition was read first, nobody was told of a breach that was none.
    let told = house.told();
    let broken = told.iter().filter(|line| line["to"] == "breached" || line["to"] == "met-late");
    let ever: BTreeSet<&str> = broken.filter_map(|line| line["duty"].as_str()).collect();
    assert_eq!(ever.len() as u64, breached, "none was taken back");
    assert!(end(child), "{}", house.talk());
    let replay = house.onus(&["replay"]);
    assert!(replay.status.success());
    let said = String::from_utf8_lossy(&replay.stdout).into_owned();
    assert!(said.starts_with(&format!("{} events", 20_000 + 4)), "each record was read once: {said}");
}

#[test]
fn a_topic_that_was_made_anew_halts_its_source_and_the_others_go_on() {
    let broker = broker();
    let event = |n: usize, kind: &str, time: &str| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
             \"partner\":\"p1\",\"time\":\"2026-03-02T{time}:00Z\"}}"
        )
    };
    let [old, other] = [broker.topic(1, &[]), broker.topic(1, &[])];
    let send = |topic: &str, n: usize| {
        let both = [event(n, "opened", "09:00"), event(n, "acknowledged", "10:00")];
        broker.produce(topic, 0, both.iter().map(|line| line.as_bytes()));
    };
    send(&old, 1);
    send(&other, 2);
    let source = |name: &str, topic: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nkind = \"kafka\"\ncluster = \"main\"\ntopic = \"{topic}\"\ntrust = \"system\"\n\
             partners = [\"*\"]\ntypes = [\"*\"]\n"
        )
    };
    let cluster = format!("[kafka.main]\nbrokers = [\"{}\"]\n", broker.address());
    let house = House::new(DESK, &(cluster + &source("old", &old) + &source("other", &other)));
    let met = |n: usize| {
        let subject = format!("INC-{n}");
        house.told().iter().any(|line| line["subject"] == *subject && line["to"] == "met")
    };
    let child = house.start(&["run", "--tell", "told"]);
    house.until("both are met", || met(1) && met(2));
    assert!(end(child), "{}", house.talk());
    broker.delete_topic(&old);
    broker.topic_named(&old, 1, &[]);
    (3..9).for_each(|n| send(&old, n));
    let child = house.start(&["run", "--tell", "told"]);
    send(&other, 9);
    house.until("the other goes on", || met(9));
    house.until("it is halted, with words", || house.talk().contains("ERROR") && house.talk().contains(&old));
    std::thread::sleep(Duration::from_secs(1));
    assert!((3..9).all(|n| !met(n)), "what is there is not what was read: nobody guesses");
    assert!(end(child), "{}", house.talk());
}
