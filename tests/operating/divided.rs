//! A judge behind an exchange: events come together in records, however an intake put them, and some come again.

use crate::shard::{Shard, at, event};
use onus::exchange::carried::{self, Bundle, Place};
use onus::exchange::repeats::Reading;
use onus::ingest::feed::{FeedId, Heard, Record, Records};
use onus::runtime::live::{Feed, LiveError};
use onus::store::sqlite;
use onus_engine::time::{HOUR, Moment};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

const DESK: &str = "contract: soc
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - {id: close, clause: \"3\", when: incident.detected, do: incident.closed, within: 4h}
";
const EXCHANGE: u16 = 2;

fn now() -> Moment {
    at("2026-03-02T09:00:00Z")
}

fn shard(dir: &Path) -> Shard {
    let store = sqlite::open(&dir.join("onus.db"), 0).expect("a store");
    let feeds = ["desk", "vault", onus::exchange::NAME].map(Feed::named).to_vec();
    Shard::open(DESK, feeds, Box::new(store), now() + 3 * HOUR)
}

/// Events of two partitions of each source, as they come.
fn events(count: u64) -> Vec<(Arc<Reading>, Place, String)> {
    let reading = |n: u64| {
        let (source, incarnation) = (["desk", "vault"][n as usize % 2].to_owned(), "here".to_owned());
        Arc::new(Reading { source, partition: (n / 2 % 2) as i32, incarnation, generation: 0 })
    };
    let readings: Vec<Arc<Reading>> = (0..4).map(reading).collect();
    let one = |n: u64| {
        let kind = if n % 3 == 2 { "incident.closed" } else { "incident.detected" };
        let line = event(&n.to_string(), kind, &format!("IR-{}", n / 3), now(), ",\"partner\":\"p1\"");
        let place = Place { offset: n, item: 0, arrived: now() + HOUR };
        (Arc::clone(&readings[(n / 2 % 4) as usize]), place, line)
    };
    (0..count).map(one).collect()
}

/// A record of the exchange.
fn record(events: &[(Arc<Reading>, Place, String)]) -> (Vec<u8>, Vec<u8>) {
    let mut bundle = Bundle::default();
    events.iter().for_each(|(reading, place, line)| bundle.put(reading, *place, line.as_bytes()));
    bundle.record().expect("events")
}

fn take(shard: &mut Shard, records: &[(Vec<u8>, Vec<u8>)]) -> Result<(), LiveError> {
    let mut come = Records::new(FeedId(EXCHANGE), 0, Arc::from("exchange"));
    for (offset, (header, value)) in (0..).zip(records) {
        let from = come.bytes.len() as u32;
        carried::lay(Some(header), value, &mut come.bytes);
        let place = from..come.bytes.len() as u32;
        come.list.push(Record { place, offset, next: offset + 1, arrived: now() + 2 * HOUR, wrong: None });
    }
    shard.live.take(Heard::Records(come))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// However an intake puts events together, and however often it goes back and writes again, each is taken once.
    #[test]
    fn events_count_once_however_they_come_together(
        lives in prop::collection::vec((0..30usize, prop::collection::vec(1..12usize, 1..6)), 0..6),
        cuts in prop::collection::vec(1..12usize, 1..6),
    ) {
        let all = events(40);
        let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let [mut alone, mut again] = [0, 1].map(|n: usize| shard(dirs[n].path()));
        let each: Vec<_> = all.iter().map(|one| record(std::slice::from_ref(one))).collect();
        take(&mut alone, &each).expect("they are taken in");
        let mut reached = 0;
        for (back, sizes) in lives.into_iter().chain([(0, cuts.repeat(40))]) {
            let mut from = reached - back.min(reached);
            let mut records = Vec::new();
            for size in sizes {
                let to = (from + size).min(all.len());
                if from < to {
                    records.push(record(&all[from..to]));
                }
                (from, reached) = (to, reached.max(to));
            }
            take(&mut again, &records).expect("they are taken in");
            again.write();
        }
        for shard in [&mut alone, &mut again] {
            shard.write();
            prop_assert_eq!(shard.letters(), vec![]);
        }
        prop_assert_eq!(again.live.entries(), alone.live.entries());
        prop_assert_eq!(again.live.dump(), alone.live.dump());
    }
}

#[test]
fn one_event_that_diverges_takes_none_of_its_record_with_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut all = events(8);
    let mut shard = shard(dir.path());
    take(&mut shard, &[record(&all[..4])]).expect("they are taken in");
    all[1].2 = all[1].2.replace("detected", "closed");
    take(&mut shard, &[record(&all)]).expect("they are taken in");
    shard.write();
    let letters = shard.letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((letters[0].reason.as_str(), letters[0].source.as_str(), letters[0].offset), ("Divergence", "desk", 1));
    assert_eq!(letters[0].record, all[1].2.as_bytes());
    assert!(shard.live.dump().contains("IR-2"), "what came behind it was taken");
}

#[test]
fn what_a_later_version_wrote_is_waited_for_and_never_left_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let (header, value) = record(&events(3));
    let later = [&[header[0] + 1], &header[1..]].concat();
    let mut old = shard(dir.path());
    let ended = take(&mut old, &[(later, value.clone())]).expect_err("it ends");
    assert!(ended.to_string().contains("later version"), "{ended}");
    drop(old);
    // Of no version at all, it is nobody's, and a dead letter.
    let mut shard = shard(dir.path());
    take(&mut shard, &[(Vec::new(), value.clone()), (vec![header[0]], value.clone()), (header, value.clone())])
        .expect("taken");
    shard.write();
    let letters = shard.letters();
    assert_eq!(letters.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["Foreign", "Foreign"]);
    assert!(letters.iter().all(|one| one.record == value));
}
