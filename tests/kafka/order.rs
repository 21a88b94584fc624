//! Order, positions, back-pressure.

use crate::listening::{Listening, access, bytes, numbered, topic};
use crate::support::broker;
use onus::ingest::feed::{PIECE, Quota};
use onus::ingest::kafka::Begin;
use std::time::Duration;

#[test]
fn records_of_several_partitions_come_each_in_their_order() {
    let broker = broker();
    let name = broker.topic(3, &[]);
    for partition in 0..3 {
        broker.produce(&name, partition, bytes(&numbered(&format!("p{partition}-"), 1_000)));
    }
    let mut all = Listening::to(&broker, &name);
    all.until_count(3_000);
    for partition in 0..3 {
        assert_eq!(all.texts(partition), numbered(&format!("p{partition}-"), 1_000));
        let offsets: Vec<(u64, u64)> = all.got[&partition].iter().map(|one| (one.offset, one.next)).collect();
        assert_eq!(offsets, (0..1_000).map(|offset| (offset, offset + 1)).collect::<Vec<_>>());
    }
    assert!(all.incarnations[&0].ends_with(&format!("/{name}")), "{:?}", all.incarnations);
    assert_eq!((all.halted.len(), all.trouble.len()), (0, 0));
}

#[test]
fn a_restart_in_the_middle_reads_exactly_the_rest() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 500)));
    broker.produce(&name, 1, bytes(&numbered("b", 300)));
    let mut first = Listening::to(&broker, &name);
    first.until_count(800);
    // What Kafka was told is not asked.
    first.committed(&[(0, 500), (1, 300)]);
    let known = first.known(123);
    first.during(Duration::from_millis(1_500));
    first.stop();
    let mut second = Listening::with(topic(&name), access(&broker), &known);
    second.until_count(500 - 123 + 300 - 123);
    second.during(Duration::from_millis(500));
    assert_eq!(second.texts(0), numbered("a", 500)[123..]);
    assert_eq!(second.texts(1), numbered("b", 300)[123..]);
    assert!(second.began.is_empty() && second.halted.is_empty());
}

#[test]
fn committed_positions_are_told_to_kafka_for_lag_tools() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    let mut all = Listening::to(&broker, &name);
    all.until_count(10);
    assert_eq!(broker.group_offset("onus", &name, 0), None, "nothing is told before it is written down");
    all.committed(&[(0, 7)]);
    for _ in 0..100 {
        all.during(Duration::from_millis(100));
        if broker.group_offset("onus", &name, 0) == Some(7) {
            return;
        }
    }
    panic!("Kafka never heard of it");
}

#[test]
fn a_slow_reader_pauses_the_topic_and_loses_nothing() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    // More than the channel and the client's own queue hold together.
    let large: Vec<String> = (0..6_000).map(|number| format!("{number:0>5000}")).collect();
    broker.produce(&name, 0, bytes(&large));
    broker.produce(&name, 1, bytes(&large));
    let mut all = Listening::to(&broker, &name);
    all.until_count(1);
    // Long enough to pause; then now and then a piece.
    std::thread::sleep(Duration::from_secs(3));
    for _ in 0..5 {
        let before = all.count();
        all.until_count(before + 1);
        std::thread::sleep(Duration::from_millis(400));
    }
    all.until_count(12_000);
    assert!(all.texts(0) == large && all.texts(1) == large, "in order, each once");
    const { assert!(6_000 * 5_000 > 16 * PIECE) };
}

#[test]
fn a_partition_that_floods_is_paused_and_its_neighbour_is_read_on() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    let large: Vec<String> = (0..6_000).map(|number| format!("{number:0>5000}")).collect();
    broker.produce(&name, 0, bytes(&large));
    let mut all = Listening::to(&broker, &name);
    // Nobody takes anything: it is as full as it may be, and stays so.
    let full = all.until_waiting("the flood waits", |waiting| waiting > 0, Duration::from_secs(2));
    assert!(full < 6_000, "{full} records wait, and there are no more");
    broker.produce(&name, 1, bytes(&["news".to_owned()]));
    all.until_waiting("the news waits beside it", |waiting| waiting > full, Duration::ZERO);
    // Partitions take turns: it is heard after a piece or two of the flood, which is far from its end.
    all.until("the news", |all| all.got.contains_key(&1));
    let before = all.texts(0).len();
    assert!(before <= 3 * PIECE / 5_000, "{before} records of the flood were heard before it");
    all.until_count(6_001);
    assert!(all.texts(0) == large && all.texts(1) == ["news"], "in order, each once");
}

#[test]
fn a_topic_beyond_its_quota_is_paused_again_and_again_and_loses_nothing() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    let some: Vec<String> = (0..6_000).map(|number| format!("{number:0>1000}")).collect();
    broker.produce(&name, 0, bytes(&some));
    broker.produce(&name, 1, bytes(&some));
    // Three seconds, with more than waits in its queues.
    let quota = Quota { records: 4_000, each: Duration::from_secs(1) };
    let mut all = Listening::metered(topic(&name), access(&broker), quota);
    all.until_count(12_000);
    assert!(all.texts(0) == some && all.texts(1) == some, "in order, each once");
    all.until("it is heard to its end", |all| [0, 1].iter().all(|p| all.caught.iter().any(|(of, _)| of == p)));
}

#[test]
fn latest_begins_with_what_comes_and_the_beginning_is_told() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("old", 5)));
    let mut all = Listening::with(topic_from(&name, Begin::Latest), access(&broker), &[]);
    all.until("where it begins", |all| !all.began.is_empty());
    assert_eq!(all.began, [(0, 5)]);
    broker.produce(&name, 0, bytes(&numbered("new", 3)));
    all.until_count(3);
    assert_eq!(all.texts(0), numbered("new", 3));
}

#[test]
fn an_instant_begins_with_the_first_record_that_is_not_older() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("old", 5)));
    std::thread::sleep(Duration::from_millis(50));
    let instant = crate::listening::now();
    std::thread::sleep(Duration::from_millis(50));
    broker.produce(&name, 0, bytes(&numbered("new", 3)));
    let mut all = Listening::with(topic_from(&name, Begin::At(instant)), access(&broker), &[]);
    all.until_count(3);
    assert_eq!((all.texts(0), all.began.clone()), (numbered("new", 3), vec![(0, 5)]));
}

fn topic_from(name: &str, begin: Begin) -> onus::ingest::kafka::Topic {
    onus::ingest::kafka::Topic { begin, ..topic(name) }
}

#[test]
fn a_partition_that_is_added_is_read_from_its_start_wherever_the_others_began() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("old", 5)));
    let mut all = Listening::with(topic_from(&name, Begin::Latest), access(&broker), &[]);
    all.until("where it begins", |all| !all.began.is_empty());
    broker.grow_topic(&name, 3);
    broker.produce(&name, 2, bytes(&numbered("c", 4)));
    all.until_count(4);
    assert_eq!(all.texts(2), numbered("c", 4));
    assert!(all.began.contains(&(2, 0)), "{:?}", all.began);
    // Also if it came while nobody looked.
    let known =
        vec![onus::ingest::kafka::Known { partition: 0, incarnation: all.incarnations[&0].clone(), next: 5, last: 0 }];
    let mut again = Listening::with(topic_from(&name, Begin::Latest), access(&broker), &known);
    again.until_count(4);
    assert_eq!(again.texts(2), numbered("c", 4));
}
