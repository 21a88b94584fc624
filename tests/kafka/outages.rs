//! The broker goes, stands still, and comes back.

use crate::listening::{Listening, bytes, now, numbered};
use crate::support::{broker, broker_alone};
use std::time::Duration;

#[test]
fn a_broker_that_dies_is_trouble_and_reading_goes_on_when_it_is_back() {
    let broker = broker_alone();
    let name = broker.topic(2, &[]);
    broker.produce(&name, 0, bytes(&numbered("a", 100)));
    let mut all = Listening::to(&broker, &name);
    all.until_count(100);
    broker.kill();
    let died = now();
    all.until("trouble", |all| !all.trouble.is_empty());
    all.caught.clear();
    all.during(Duration::from_secs(2));
    assert!(all.caught.iter().all(|(_, at)| *at <= died), "nobody says how far was heard while nobody answers");
    broker.start();
    broker.produce(&name, 0, bytes(&numbered("b", 50)));
    broker.produce(&name, 1, bytes(&numbered("c", 50)));
    all.until_count(200);
    all.until("fine", |all| all.fine >= 1);
    let want: Vec<String> = numbered("a", 100).into_iter().chain(numbered("b", 50)).collect();
    assert_eq!((all.texts(0), all.texts(1)), (want, numbered("c", 50)));
    assert!(all.halted.is_empty(), "{:?}", all.halted);
}

#[test]
fn a_broker_that_stands_still_is_trouble_and_does_not_keep_us_from_ending() {
    let broker = broker_alone();
    let name = broker.topic(1, &[]);
    let mut all = Listening::to(&broker, &name);
    all.until("caught up", |all| !all.caught.is_empty());
    let frozen = broker.freeze();
    let still = now();
    all.until("trouble", |all| !all.trouble.is_empty());
    assert!(all.caught.iter().all(|(_, at)| at.0 <= still.0 + 1_000));
    // In time, or said to be stuck: whoever stops never waits longer than it said.
    let began = std::time::Instant::now();
    let _ = all.handle().stop(Duration::from_secs(3));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(frozen);
}

#[test]
fn a_broker_that_is_stopped_in_order_comes_back_too() {
    let broker = broker_alone();
    let name = broker.topic(1, &[]);
    let mut all = Listening::to(&broker, &name);
    all.until("caught up", |all| !all.caught.is_empty());
    broker.stop();
    all.until("trouble", |all| !all.trouble.is_empty());
    broker.start();
    broker.produce(&name, 0, bytes(&numbered("a", 10)));
    all.until_count(10);
}

#[test]
fn nobody_listens_any_more() {
    let broker = broker();
    let name = broker.topic(1, &[]);
    let mut all = Listening::to(&broker, &name);
    all.until("caught up", |all| !all.caught.is_empty());
    assert!(all.stop() < Duration::from_secs(10));
}
