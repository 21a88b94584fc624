//! What is there is not what was read: never passed over in silence.

use crate::listening::{Listening, access, bytes, numbered, topic};
use crate::support::broker;
use onus::ingest::kafka::{GoOn, Known};

#[test]
fn records_deleted_before_they_were_read_halt_the_partition() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 100)));
    broker.produce(&name, 1, bytes(&numbered("b", 10)));
    let mut first = Listening::to(&broker, &name);
    first.until_count(110);
    let known = first.known(5);
    first.stop();
    broker.delete_before(&name, 0, 50);
    let mut all = Listening::with(topic(&name), access(&broker), &known);
    all.until_halted("offsets 5 to 49 of partition 0");
    all.until_count(5);
    assert_eq!(all.texts(1), numbered("b", 10)[5..], "other partitions go on");
    all.resume(0, GoOn::Earliest);
    all.until_count(5 + 50);
    assert_eq!(all.texts(0), numbered("a", 100)[50..]);
    assert_eq!(all.began, [(0, 50)]);
    assert_ne!(all.incarnations[&0], first.incarnations[&0], "it is no continuation");
    // And what was decided holds after a restart.
    let known = all.known(60);
    let mut again = Listening::with(topic(&name), access(&broker), &known);
    again.until("caught up", |all| all.caught.iter().any(|(partition, _)| *partition == 0));
    assert!(again.halted.is_empty() && again.got.is_empty());
}

#[test]
fn a_position_behind_the_end_halts() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    let mut first = Listening::to(&broker, &name);
    first.until_count(10);
    let known: Vec<Known> = first.known(10).into_iter().map(|known| Known { next: 11, ..known }).collect();
    let mut all = Listening::with(topic(&name), access(&broker), &known);
    all.until_halted("was read up to 11");
    assert!(all.got.is_empty());
}

#[test]
fn a_topic_recreated_while_nobody_read_halts_however_long_it_is() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    let mut first = Listening::to(&broker, &name);
    first.until_count(10);
    let known = first.known(10);
    first.stop();
    broker.delete_topic(&name);
    broker.topic_named(&name, 1, &[]);
    broker.produce(&name, 0, bytes(&numbered("other", 30)));
    let mut all = Listening::with(topic(&name), access(&broker), &known);
    all.until_halted("the record at offset 9");
    assert!(all.got.is_empty());
    all.resume(0, GoOn::At(28));
    all.until_count(2);
    assert_eq!(all.texts(0), ["other28", "other29"]);
}

#[test]
fn a_topic_recreated_with_the_same_values_under_other_headers_halts() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let event = |id| broker.produce_one(&name, Some(b"{}"), &[("ce_specversion", "1.0"), ("ce_id", id)]);
    ["1", "2"].into_iter().for_each(event);
    let mut first = Listening::to(&broker, &name);
    first.until_count(2);
    let known = first.known(2);
    first.stop();
    let mut again = Listening::with(topic(&name), access(&broker), &known);
    again.until("caught up", |all| !all.caught.is_empty());
    assert!(again.halted.is_empty(), "{:?}", again.halted);
    again.stop();
    broker.delete_topic(&name);
    broker.topic_named(&name, 1, &[]);
    ["3", "4", "5"].into_iter().for_each(event);
    let mut all = Listening::with(topic(&name), access(&broker), &known);
    all.until_halted("the record at offset 1");
    assert!(all.got.is_empty());
}

#[test]
fn a_topic_recreated_while_it_is_read_halts() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    let mut all = Listening::to(&broker, &name);
    all.until_count(10);
    broker.delete_topic(&name);
    all.until("trouble", |all| all.trouble.iter().any(|why| why.contains("there is no topic")));
    broker.topic_named(&name, 1, &[]);
    broker.produce(&name, 0, bytes(&numbered("other", 30)));
    all.until_halted("recreated");
    assert_eq!(all.count(), 10);
}

#[test]
fn another_cluster_under_the_same_name_halts() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    let known = [Known { partition: 0, incarnation: format!("elsewhere/{name}"), next: 0, last: 0 }];
    let mut all = Listening::with(topic(&name), access(&broker), &known);
    all.until_halted("another cluster");
    assert!(all.got.is_empty());
}

#[test]
fn a_topic_that_is_not_there_is_trouble_until_it_is() {
    let broker = broker();
    let mut all = Listening::to(&broker, "not-yet");
    all.until("trouble", |all| all.trouble.iter().any(|why| why.contains("there is no topic `not-yet`")));
    broker.topic_named("not-yet", 1, &[]);
    broker.produce("not-yet", 0, bytes(&numbered("a", 3)));
    all.until_count(3);
    assert_eq!(all.fine, 1);
}
