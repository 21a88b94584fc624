//! What a message may look like.

use crate::listening::{Listening, bytes, numbered};
use crate::support::{broker, send};
use rdkafka::producer::{BaseRecord, Producer};
use std::time::Duration;

#[test]
fn tombstones_are_passed_over_and_their_offsets_count() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    broker.produce_one(&name, Some(b"a"), &[]);
    broker.produce_one(&name, None, &[]);
    broker.produce_one(&name, Some(b"b"), &[]);
    broker.produce_one(&name, None, &[]);
    let mut all = Listening::to(&broker, &name);
    all.until("caught up", |all| !all.caught.is_empty());
    assert_eq!(all.texts(0), ["a", "b"]);
    assert_eq!(all.got[&0].iter().map(|one| one.offset).collect::<Vec<_>>(), [0, 2]);
    // From before the last tombstone, the record before it is still the one that was read.
    let known = all.known(2);
    let mut again = Listening::with(crate::listening::topic(&name), crate::listening::access(&broker), &known);
    again.until("caught up", |all| !all.caught.is_empty());
    assert!(again.halted.is_empty() && again.texts(0).is_empty());
    assert_eq!((all.passed, again.passed), (2, 1), "and they are counted");
}

#[test]
fn binary_mode_becomes_one_structured_event() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let headers = [("ce_specversion", "1.0"), ("ce_id", "7"), ("content-type", "application/json")];
    broker.produce_one(&name, Some(b"{\"n\":\n1}"), &headers);
    let mut all = Listening::to(&broker, &name);
    all.until_count(1);
    let want = "{\"specversion\":\"1.0\",\"id\":\"7\",\"datacontenttype\":\"application/json\",\"data\":{\"n\": 1}}";
    assert_eq!(all.texts(0), [want]);
    // What was made of it, line ends and all, is recognised.
    let mut again = Listening::with(crate::listening::topic(&name), crate::listening::access(&broker), &all.known(1));
    again.until("caught up", |all| !all.caught.is_empty());
    assert!(again.halted.is_empty(), "{:?}", again.halted);
}

#[test]
fn a_batch_is_parted_and_read_again_whole_if_it_was_written_down_in_part() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let headers = [("content-type", "application/cloudevents-batch+json")];
    broker.produce_one(&name, Some(b"{\"id\":0}"), &[("content-type", "application/cloudevents+json")]);
    broker.produce_one(&name, Some(b"[{\"id\":1},{\"id\":2},{\"id\":3}]"), &headers);
    let mut all = Listening::to(&broker, &name);
    all.until_count(4);
    assert_eq!(all.texts(0), ["{\"id\":0}", "{\"id\":1}", "{\"id\":2}", "{\"id\":3}"]);
    let places: Vec<(u64, u64)> = all.got[&0].iter().map(|one| (one.offset, one.next)).collect();
    assert_eq!(places, [(0, 1), (1, 1), (1, 1), (1, 2)]);
    for (upto, rest) in [(2, 3), (3, 3), (4, 0)] {
        let known = all.known(upto);
        let mut again = Listening::with(crate::listening::topic(&name), crate::listening::access(&broker), &known);
        again.until("caught up", |all| !all.caught.is_empty());
        assert!(again.halted.is_empty(), "{:?}", again.halted);
        assert_eq!(again.count(), rest);
    }
}

#[test]
fn all_compressions_are_read() {
    let broker = broker();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let name = broker.topic(1, &[]);
        let producer = broker.producer(&[("compression.codec", codec), ("linger.ms", "50")]);
        let values: Vec<String> = (0..200).map(|number| format!("{codec} {number} {}", "x".repeat(300))).collect();
        for value in &values {
            send(&producer, BaseRecord::to(&name).partition(0).payload(value.as_bytes()).key("k"));
        }
        producer.flush(Duration::from_secs(30)).expect("written");
        let mut all = Listening::to(&broker, &name);
        all.until_count(200);
        assert_eq!(all.texts(0), values);
    }
}

#[test]
fn a_huge_record_is_cut_and_holds_nothing_up() {
    let broker = broker();
    let name = broker.topic(1, &[("max.message.bytes", "8388608")]);
    let huge = vec![b'x'; 5 << 20];
    broker.produce(&name, 0, bytes(&numbered("a", 2)));
    broker.produce(&name, 0, [huge.as_slice()]);
    broker.produce(&name, 0, bytes(&numbered("b", 2)));
    let mut all = Listening::to(&broker, &name);
    all.until_count(5);
    let got = &all.got[&0];
    assert_eq!((got[2].cut, got[2].bytes.len()), (Some(5 << 20), 1 << 20));
    assert_eq!((got[3].bytes.as_slice(), got[3].cut), (b"b0".as_slice(), None));
    let mut again = Listening::with(crate::listening::topic(&name), crate::listening::access(&broker), &all.known(3));
    again.until_count(2);
    assert!(again.halted.is_empty(), "a cut record is recognised, too");
}
