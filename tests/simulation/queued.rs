//! What waits in its queue while others speak, or for its quota: it is taken in its turn, and nobody is breached meanwhile.

use super::Hands;
use onus::ingest::feed::{FeedId, Heard, Portion, Quota, Receiver, Records, channel, channel_of};
use onus::runtime::live::{Clock, Contracts, Feed, Live, Plan, taken_in};
use onus::store::{Query, Store, sqlite};
use onus_engine::standing::Standing;
use onus_engine::time::{DAY, HOUR, Moment};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

/// When tickets are opened.
const NINE: Moment = Moment(1_772_442_000_000);

fn open(path: &Path, hands: &Arc<AtomicI64>) -> Live {
    let text = include_str!("../support/desk.yaml").replace("partner: p1", "partner: \"p*\"");
    let contract = onus::contract::parse(&text, "desk.yaml").expect("it loads");
    let contracts = Contracts { list: vec![contract], text: String::new(), ..Contracts::default() };
    let plan = Plan {
        contracts: Box::new(move || Ok(contracts.clone())),
        feeds: vec![Feed::named("flood"), Feed::named("trickle")],
        adapters: Vec::new(),
        clock: Clock::Wall,
        settling: 7 * DAY,
        commit_every: 50,
        batch: 1_000,
        snapshot_every: i64::MAX,
        retention: 36_500 * DAY,
        owner: "queued".to_owned(),
    };
    let store = sqlite::open(path, 0).expect("a store");
    Live::open(plan, Box::new(store), Box::new(Hands(Arc::clone(hands)))).expect("it opens")
}

fn run(live: &mut Live, heard: &Receiver) {
    live.run(heard, true, &AtomicBool::new(false), &mut |_| {}).expect("it runs to the end");
}

fn event(n: u64, partner: &str, kind: &str, at: Moment) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
         \"partner\":\"{partner}\",\"time\":\"{at}\"}}"
    )
}

fn records(feed: u16, from: u64, lines: &[String]) -> Heard {
    let mut records = Records::new(FeedId(feed), 0, Arc::from("here"));
    for (at, line) in (from..).zip(lines) {
        records.push(line.as_bytes(), at, at + 1, NINE);
    }
    Heard::Records(records)
}

fn ended(feed: u16, at: Moment) -> [Heard; 2] {
    let feed = FeedId(feed);
    [Heard::CaughtUp { feed, partition: 0, partitions: 1, at, lag: 0 }, Heard::Ended { feed }]
}

/// Sixteen pieces of the flood wait when the other source says its word, and as many as you like come after.
#[test]
fn a_word_is_taken_after_a_slice_of_a_flood_and_committed_with_it() {
    const PIECES: u64 = 120;
    const EACH: u64 = 900;
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let mut live = open(&path, &Arc::new(AtomicI64::new(NINE.0)));
    let (sender, heard) = channel();
    let piece = |number: u64| {
        let from = number * EACH;
        let lines: Vec<String> = (from..from + EACH).map(|n| event(n, "p1", "opened", NINE)).collect();
        records(0, from, &lines)
    };
    let mut number = 0;
    while sender.try_send(piece(number)).is_ok() {
        number += 1;
    }
    assert!(number >= 8, "much of the flood waits: {number} pieces");
    let word = [event(0, "p2", "opened", NINE), event(0, "p2", "acknowledged", NINE)];
    sender.try_send(records(1, 0, &word)).expect("there is room");
    ended(1, NINE).into_iter().for_each(|heard| sender.try_send(heard).expect("there is room"));
    let flood = std::thread::spawn(move || {
        (number..PIECES).for_each(|number| sender.send(piece(number)).expect("it listens"));
        ended(0, NINE).into_iter().for_each(|heard| sender.send(heard).expect("it listens"));
    });
    run(&mut live, &heard);
    flood.join().expect("it comes to its end");
    drop(live);
    let mut store = sqlite::open(&path, 0).expect("a store");
    let (mut before, mut all, mut held) = (0, 0, None);
    taken_in(&mut store, &mut |one| {
        if one.source == "trickle" {
            held.get_or_insert((before, one.commit));
        }
        before += u64::from(one.source == "flood");
        all += 1;
    })
    .expect("what was taken in");
    let (before, commit) = held.expect("the word was taken in");
    assert_eq!(all, PIECES * EACH + 2, "nothing is lost");
    assert!(before <= 2 * EACH, "{before} records of the flood came first");
    let first = store.journal(0, 1).expect("the journal")[0].sequence;
    assert!(commit <= first + 2, "it stands in commit {commit}, the first is {first}");
    let met = store.entries(&Query { partner: Some("p2".to_owned()), ..Query::default() }).expect("the ledger");
    assert_eq!(met.iter().map(|entry| entry.to).collect::<Vec<_>>(), [Standing::Met]);
}

/// The proof was handed over in time, and waits for the quota of its source far beyond the deadline: a source that waits is
/// behind, and not silent.
#[test]
fn nobody_is_breached_while_the_proof_waits_for_a_quota() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let hands = Arc::new(AtomicI64::new(NINE.0));
    let mut live = open(&path, &hands);
    let quota = Some(Quota { records: 400, each: Duration::from_secs(1) });
    let (sender, heard) = channel_of(vec![Portion { share: 1, quota }]);
    // Two seconds' worth, of which one may be used ahead.
    let opened: Vec<String> = (0..800).map(|n| event(n, "p1", "opened", NINE)).collect();
    sender.send(records(0, 0, &opened)).expect("it listens");
    let feed = FeedId(0);
    let caught_up = Heard::CaughtUp { feed, partition: 0, partitions: 1, at: NINE + HOUR, lag: 0 };
    sender.send(caught_up).expect("it listens");
    let answered: Vec<String> = (0..800).map(|n| event(n, "p1", "acknowledged", NINE + 2 * HOUR)).collect();
    sender.send(records(0, 800, &answered)).expect("it listens");
    let later = NINE + 9 * HOUR;
    ended(0, later).into_iter().for_each(|heard| sender.send(heard).expect("it listens"));
    // The other source has been heard up to the end all the while.
    ended(1, later).into_iter().for_each(|heard| sender.send(heard).expect("it listens"));
    let (gauge, turned) = (heard.gauge(), Arc::clone(&hands));
    let clock = std::thread::spawn(move || {
        // The first are taken in; then it is evening at once.
        while gauge.waits()[0].records > 800 {
            std::thread::yield_now();
        }
        turned.store(later.0, Ordering::Relaxed);
        gauge.waits()[0].records
    });
    run(&mut live, &heard);
    assert_eq!(clock.join().expect("it is turned"), 800, "the proof waited when the deadline had passed");
    drop(live);
    let mut store = sqlite::open(&path, 0).expect("a store");
    let entries = store.entries(&Query::default()).expect("the ledger");
    assert!(entries.iter().all(|entry| entry.to != Standing::Breached), "somebody was breached");
    assert_eq!(entries.iter().filter(|entry| entry.to == Standing::Met).count(), 800);
}
