//! What goes with the events: each thing to whom it belongs, in its order.

use crate::house::{DESK, House, file};
use crate::kafka::broker;
use crate::world::said;
use onus::exchange::partition::partition;
use onus::store::place::{Place, open};
use onus::store::{
    Batch, Entry, Epoch, Letter, LetterState, Position, Query, Remembered, Stamp, Store, Under, Which, digest,
};
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::sync::Arc;
use std::time::Duration;

const PARTNERS: [&str; 6] = ["p1", "p2", "p3", "p4", "p5", "p6"];

fn position(source: &str, next: u64) -> Position {
    Position { source: source.to_owned(), partition: 0, incarnation: String::new(), next, last: 9 }
}

/// One after the other, partner by partner. They were taken back: nothing comes of judging them again.
fn entries() -> Vec<Entry> {
    let mut before = [0; 32];
    let one = |number: u64| {
        let partner = PARTNERS[number as usize % PARTNERS.len()].to_owned();
        let under =
            Under { partner, contract: "desk".to_owned(), obligation: "answer".to_owned(), clause: "1".to_owned() };
        let mut entry = Entry {
            number,
            under: Arc::new(under),
            subject: format!("INC-{number}"),
            which: if number.is_multiple_of(2) { Which::Id(DutyId([number as u8; 16])) } else { Which::Key(number) },
            from: Standing::Breached,
            to: Standing::Withdrawn,
            start: Moment(number as i64),
            deadline: None,
            ended: None,
            broken: false,
            excused: false,
            disputed: false,
            adjustment: false,
            used: 0,
            at: Moment(1_000 + number as i64),
            heard: Moment(0),
            digest: [0; 32],
        };
        entry.digest = digest(&before, &entry);
        before = entry.digest;
        entry
    };
    (1..=30).map(one).collect()
}

/// An event of a partner, and by turns what no adapter could read.
fn letters() -> Vec<Letter> {
    let one = |number: u64| {
        let record = match number % 4 {
            0 => format!("nonsense {number}"),
            n => format!("{{\"id\":\"{number}\",\"partner\":\"p{n}\"}}"),
        };
        Letter {
            number,
            source: "desk".to_owned(),
            partition: 0,
            offset: number,
            at: Moment(number as i64),
            reason: if number.is_multiple_of(4) { "Json" } else { "Unauthorised" }.to_owned(),
            detail: "why".to_owned(),
            length: record.len() as u64,
            hash: 7,
            record: record.into_bytes(),
            state: if number == 1 { LetterState::Dropped } else { LetterState::Waiting },
            note: (number == 1).then(|| "of no use".to_owned()),
        }
    };
    (1..=40).map(one).collect()
}

fn rows() -> Vec<Remembered> {
    let one = |n: u32| Remembered {
        adapter: "urn:snow".to_owned(),
        id: format!("{n:05}"),
        row: Some(n.to_le_bytes().to_vec()),
        at: Moment(i64::from(n)),
    };
    (0..2_500).map(one).collect()
}

fn remembered(store: &mut dyn Store) -> Vec<Remembered> {
    let mut found = Vec::new();
    store.remembered("urn:snow", &mut |one| found.push(one)).expect("they can be read");
    found
}

/// One process's store that has all of it: of `first` it was told 20 entries, of `second` all, of dead letters 12.
fn fill(place: &Place) -> Epoch {
    let mut store = open(place, 0).expect("a store");
    let epoch = store.claim("one process").expect("ours").epoch;
    let stamps = [Stamp { adapter: "urn:snow".to_owned(), config: [3; 32], version: 4, since: 1 }];
    let positions = [
        position("desk", 77),
        position("@told first", 21),
        position("@told second", 31),
        position("@dead-letters main/dead", 13),
    ];
    let (entries, letters, remembered) = (entries(), letters(), rows());
    let batch = Batch {
        entries: &entries,
        letters: &letters,
        remembered: &remembered,
        stamps: &stamps,
        positions: &positions,
        ..Batch::empty(1, Moment(2_000))
    };
    store.commit(epoch, &batch).expect("written");
    epoch
}

#[test]
fn each_goes_to_whom_it_belongs_and_whoever_lacked_something_is_told_it() {
    let broker = broker();
    let topic = broker.topic(3, &[]);
    let settings = format!(
        "[store]\nurl = \"sqlite:new.db\"\n[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{topic}\"\n\
         partitions = 3\n{}",
        broker.address(),
        file("desk")
    );
    let house = House::new(&DESK.replace("partner: p1", "partner: \"p*\""), &settings);
    let (old, new) = (Place::Sqlite(house.path("onus-old.db")), Place::Sqlite(house.path("new.db")));
    fill(&old);
    let out = house.onus(&["store", "reshard", "--from", "sqlite:onus-old.db", "--format", "jsonl"]);
    assert!(out.status.success(), "{}", said(&out));
    assert!(!said(&out).contains("told to it again"), "{}", said(&out));
    let shards: Vec<Box<dyn Store>> = (0..3).map(|n| open(&new, n).expect("a shard")).collect();
    let mut told_again = 0;
    for (n, mut store) in (0..).zip(shards) {
        let mine = |partner: &str| partition(partner, 3) == n;
        let here = store.entries(&Query::default()).expect("a ledger");
        let due: Vec<Entry> = entries().into_iter().filter(|entry| mine(&entry.under.partner)).collect();
        let says = |entry: &Entry| (entry.duty(), entry.to, entry.start, entry.at, entry.subject.clone());
        assert_eq!(here.iter().map(says).collect::<Vec<_>>(), due.iter().map(says).collect::<Vec<_>>());
        assert!(here.iter().zip(1..).all(|(entry, number)| entry.number == number));
        let positions = store.positions().expect("positions");
        let next = |source: &str| positions.iter().find(|one| one.source == source).map(|one| one.next);
        // One shard's ledger has the order of the old one: who lacked the last ones lacks those.
        let told = due.iter().filter(|entry| entry.number <= 20).count() as u64;
        assert_eq!(next("@told first"), Some(told + 1));
        assert_eq!(next("@told second"), Some(due.len() as u64 + 1));
        told_again += due.len() as u64 - told;
        let letters_here = store.letters(&Query::default()).expect("letters");
        let events = letters().into_iter().filter(|letter| !letter.number.is_multiple_of(4));
        let due: Vec<Letter> = events.filter(|letter| mine(&format!("p{}", letter.number % 4))).collect();
        let says = |letter: &Letter| (letter.offset, letter.record.clone(), letter.state, letter.note.clone());
        assert_eq!(letters_here.iter().map(says).collect::<Vec<_>>(), due.iter().map(says).collect::<Vec<_>>());
        let told = due.iter().filter(|letter| letter.number <= 12).count() as u64;
        assert_eq!(next("@dead-letters main/dead"), Some(told + 1));
        assert_eq!(next("desk"), None, "how far sources were read is the intake's");
        assert!(remembered(store.as_mut()).is_empty());
    }
    assert_eq!(told_again, 10, "what was not told is told");
    let mut lane = open(&new, u16::MAX).expect("a lane");
    let positions = lane.positions().expect("positions");
    let names: Vec<&str> = positions.iter().map(|one| one.source.as_str()).collect();
    assert_eq!(names, ["@exchange-lanes", "@exchange-partitions", "desk"]);
    assert_eq!(positions[2], position("desk", 77));
    assert_eq!(remembered(lane.as_mut()), rows());
    let stamps = lane.stamps().expect("stamps");
    assert_eq!((stamps.len(), stamps[0].config, stamps[0].version), (1, [3; 32], 4));
    let raw: Vec<u64> = lane.letters(&Query::default()).expect("letters").iter().map(|letter| letter.offset).collect();
    assert_eq!(raw, (1..=10).map(|n| 4 * n).collect::<Vec<_>>());
}

#[test]
fn judges_that_had_a_file_each_are_divided_together_and_a_receiver_that_one_had_not_told_lacks_nothing() {
    let broker = broker();
    let topics = [broker.topic(2, &[]), broker.topic(3, &[])];
    let client: BaseConsumer = broker.config().create().expect("a client");
    let cluster = client.client().fetch_cluster_id(Duration::from_secs(10)).expect("an answer");
    let settings = format!(
        "[store]\nurl = \"sqlite:new.db\"\n[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{}\"\n\
         partitions = 3\n{}",
        broker.address(),
        topics[1],
        file("desk")
    );
    let house = House::new(&DESK.replace("partner: p1", "partner: \"p*\""), &settings);
    // The first has told all of its entries, the second none.
    let mut untold = Vec::new();
    for n in 0..2_u16 {
        let mut store = open(&Place::Sqlite(house.path(&format!("judge-{n}.db"))), n).expect("a store");
        let epoch = store.claim("a judge").expect("ours").epoch;
        let mut before = [0; 32];
        let own = entries().into_iter().filter(|entry| partition(&entry.under.partner, 2) == i32::from(n));
        let own: Vec<Entry> = (own.zip(1..))
            .map(|(entry, number)| {
                let mut entry = Entry { number, ..entry };
                entry.digest = digest(&before, &entry);
                before = entry.digest;
                entry
            })
            .collect();
        untold.extend(own.iter().filter(|_| n == 1).map(|entry| entry.duty()));
        let told = if n == 0 { own.len() as u64 + 1 } else { 1 };
        let positions = [position("@told first", told), onus::exchange::remembered(&cluster, &topics[0], 2)];
        let batch = Batch { entries: &own, positions: &positions, ..Batch::empty(1, Moment(2_000)) };
        store.commit(epoch, &batch).expect("written");
    }
    assert!((1..30).contains(&untold.len()));
    let args = ["store", "reshard", "--from", "sqlite:judge-0.db", "--from"];
    let out = house.onus(&[&args[..], &["sqlite:judge-0.db"]].concat());
    assert!(said(&out).contains("shard 0 is in two of the stores"), "{}", said(&out));
    let out = house.onus(&[&args[..], &["sqlite:judge-1.db"]].concat());
    assert!(out.status.success(), "{}", said(&out));
    let mut all = Vec::new();
    for n in 0..3 {
        let mut store = open(&Place::Sqlite(house.path("new.db")), n).expect("a shard");
        let here = store.entries(&Query::default()).expect("a ledger");
        assert!(here.is_sorted_by_key(|entry| entry.at), "in the order in which they were decided");
        assert!(here.iter().all(|entry| partition(&entry.under.partner, 3) == i32::from(n)));
        let positions = store.positions().expect("positions");
        let next = positions.iter().find(|one| one.source == "@told first").expect("a receiver").next;
        let first = here.iter().find(|entry| untold.contains(&entry.duty())).map(|entry| entry.number);
        assert_eq!(next, first.unwrap_or(here.len() as u64 + 1), "it goes on at the first that it lacks");
        all.extend(here.into_iter().map(|entry| entry.duty()));
    }
    let mut each: Vec<DutyId> = entries().into_iter().map(|entry| entry.duty()).collect();
    all.sort();
    each.sort();
    assert_eq!(all, each, "each is there once");
}

#[test]
fn a_store_is_begun_where_there_is_none_and_whoever_was_at_it_before_writes_nothing_more() {
    use onus::exchange::unfinished;
    use onus::store::reshard::{New, begin, finish, held};
    use onus::store::{StoreError, copies};
    let folder = tempfile::tempdir().expect("a folder");
    let server = crate::postgres::shared();
    let url = server.url(&server.database());
    for place in [Place::Sqlite(folder.path().join("a.db")), Place::parse(&url).expect("an address")] {
        let new = |shard| New { shard, epoch: 5, after: 0, follows: None };
        let (mark, topic) = (unfinished(), onus::exchange::remembered("c", "t", 2));
        begin(&place, &mark, &[new(0), new(1), new(u16::MAX)]).expect("it is empty");
        let mut first = open(&place, 0).expect("a shard");
        let mine = first.claim("first").expect("ours").epoch;
        assert!(mine > Epoch(5));
        first.commit(mine, &Batch::empty(1, Moment(0))).expect("written");
        begin(&place, &mark, &[new(0), new(1)]).expect("it was not finished");
        let mut second = open(&place, 0).expect("a shard");
        let epoch = second.claim("second").expect("ours").epoch;
        second.commit(epoch, &Batch::empty(1, Moment(0))).expect("written");
        let fenced = first.commit(mine, &Batch::empty(2, Moment(0)));
        assert!(matches!(fenced, Err(StoreError::Fenced { .. })), "{fenced:?}");
        finish(&place, &mark, &topic).expect("it is in force");
        for shard in [0, 1] {
            assert!(open(&place, shard).expect("a shard").positions().expect("positions").contains(&topic));
        }
        assert_eq!(held(&place).expect("shards").len(), 2);
        assert!(copies::verify(&place).expect("read").values().all(|found| found.wrong.is_empty()));
        for again in [begin(&place, &mark, &[new(0)]), finish(&place, &mark, &topic)] {
            assert!(matches!(again, Err(StoreError::Refused { .. })), "{again:?}");
        }
    }
}
