//! How far was heard, and when records arrived.

use crate::listening::{Listening, access, bytes, now, numbered, topic};
use crate::support::{broker, send};
use onus::ingest::kafka::{Stamp, features, look};
use onus_engine::time::Moment;
use rdkafka::producer::{BaseRecord, Producer};
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn caught_up_instants_never_claim_more_than_was_there() {
    let broker = broker();
    let name = broker.topic(2, &[]);
    // The broker has acknowledged a record at the instant that is noted: it was there before.
    let (noted, notes) = mpsc::channel::<(i32, u64, Moment)>();
    let producer = broker.producer(&[]);
    let to = name.clone();
    let writing = std::thread::spawn(move || {
        for number in 0..160u64 {
            let partition = (number % 2) as i32;
            send(&producer, BaseRecord::to(&to).partition(partition).payload(b"x".as_slice()).key("k"));
            producer.flush(Duration::from_secs(30)).expect("acknowledged");
            let _ = noted.send((partition, number / 2, now()));
            std::thread::sleep(Duration::from_millis(number % 20));
        }
    });
    let mut all = Listening::to(&broker, &name);
    let mut said = 0;
    let mut claims: Vec<(i32, Moment, usize)> = Vec::new();
    while all.count() < 160 || said < 8 {
        let before = said;
        all.until("more", |all| all.caught.len() > before);
        for (partition, at) in &all.caught[said..] {
            claims.push((*partition, *at, all.got.get(partition).map_or(0, Vec::len)));
        }
        said = all.caught.len();
        all.during(Duration::from_millis(10));
        for (partition, at) in &all.caught[said..] {
            claims.push((*partition, *at, all.got.get(partition).map_or(0, Vec::len)));
        }
        said = all.caught.len();
    }
    writing.join().expect("it wrote");
    let notes: Vec<(i32, u64, Moment)> = notes.iter().collect();
    assert!(claims.len() >= 8);
    for (partition, at, had) in claims {
        let there = notes.iter().filter(|(of, _, when)| *of == partition && *when < at).count();
        assert!(had >= there, "partition {partition} claims {at:?} with {had} of {there}");
    }
}

#[test]
fn a_partition_that_is_behind_says_so_and_claims_nothing() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let large: Vec<String> = (0..6_000).map(|number| format!("{number:0>5000}")).collect();
    broker.produce(&name, 0, bytes(&large));
    let mut all = Listening::to(&broker, &name);
    all.until_count(1);
    std::thread::sleep(Duration::from_secs(4));
    assert!(all.caught.is_empty());
    all.until("caught up", |all| !all.caught.is_empty());
    assert_eq!(all.count(), 6_000, "all that was there came first");
}

#[test]
fn transactions_count_when_they_end_and_aborted_ones_never_happened() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let producer = broker.producer(&[("transactional.id", &name)]);
    let long = Duration::from_secs(30);
    producer.init_transactions(long).expect("it may");
    let write = |values: &[String]| {
        producer.begin_transaction().expect("begun");
        for value in values {
            send(&producer, BaseRecord::to(&name).partition(0).payload(value.as_bytes()).key("k"));
        }
        producer.flush(long).expect("written");
    };
    write(&numbered("kept", 3));
    producer.commit_transaction(long).expect("committed");
    write(&numbered("lost", 3));
    producer.abort_transaction(long).expect("aborted");
    let mut all = Listening::to(&broker, &name);
    // The end is behind two markers that are no records.
    all.until("caught up", |all| !all.caught.is_empty());
    assert_eq!(all.texts(0), numbered("kept", 3));
    write(&numbered("open", 3));
    let opened = now();
    all.during(Duration::from_secs(4));
    assert!(all.caught.iter().all(|(_, at)| at.0 <= opened.0), "nothing is claimed beyond an open transaction");
    producer.commit_transaction(long).expect("committed");
    all.until("caught up again", |all| all.caught.iter().any(|(_, at)| at.0 > opened.0 + 4_000));
    assert_eq!(all.texts(0), [numbered("kept", 3), numbered("open", 3)].concat());
}

#[test]
fn arrival_is_the_brokers_time_where_it_has_one_and_else_our_clock() {
    let broker = broker();
    let by_broker = broker.topic(1, &[("message.timestamp.type", "LogAppendTime")]);
    // A record of 1970 is older than the broker keeps any: its next look for such, every five minutes, would take it away.
    let by_producer = broker.topic(1, &[("retention.ms", "-1")]);
    let before = now();
    for name in [&by_broker, &by_producer] {
        let producer = broker.producer(&[]);
        send(&producer, BaseRecord::to(name).partition(0).payload(b"a".as_slice()).key("k").timestamp(1_000));
        producer.flush(Duration::from_secs(30)).expect("written");
    }
    let written = now();
    std::thread::sleep(Duration::from_millis(20));
    let mut all = Listening::to(&broker, &by_broker);
    all.until_count(1);
    let arrived = all.got[&0][0].arrived;
    assert!(before <= arrived && arrived <= written && all.stamped);
    let mut all = Listening::to(&broker, &by_producer);
    all.until_count(1);
    assert!(all.got[&0][0].arrived > written && !all.stamped, "a producer may say what it likes");

    let stamp = |name: &str| look(&topic(name), &access(&broker), Duration::from_secs(20)).expect("a look").stamp;
    assert!(matches!(stamp(&by_broker), Some(Stamp::Broker(at)) if at == arrived));
    assert_eq!(stamp(&by_producer), Some(Stamp::Producer(Moment(1_000))));
    assert_eq!(stamp(&broker.topic(1, &[])), None);
}

#[test]
fn this_build_can_do_what_settings_offer() {
    let features = features();
    for feature in ["ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer", "zstd", "lz4", "snappy", "gzip"] {
        assert!(features.contains(feature), "{feature} is missing: {features}");
    }
}

#[test]
fn an_end_that_compaction_emptied_is_reached() {
    let broker = broker();
    let settings = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "100"),
        ("min.cleanable.dirty.ratio", "0.001"),
        ("delete.retention.ms", "0"),
    ];
    let name = broker.topic(1, &settings);
    broker.produce(&name, 0, bytes(&numbered("a", 50)));
    let mut all = Listening::to(&broker, &name);
    all.until("caught up", |all| !all.caught.is_empty());
    let known = all.known(20);
    std::thread::sleep(Duration::from_secs(2));
    broker.produce_one(&name, Some(b"last"), &[]);
    let mut again = Listening::with(topic(&name), access(&broker), &known);
    again.until("the last", |all| all.texts(0).last().is_some_and(|text| text == "last"));
    assert!(again.halted.is_empty(), "a record that is gone speaks for nothing: {:?}", again.halted);
}
