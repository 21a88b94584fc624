//! One intake and several judges, with a real Kafka between them and one PostgreSQL for all.

use crate::house::{DESK, House, W1, end, file, signal};
use crate::kafka::{Broker, broker, broker_alone, send};
use crate::{ledger, postgres, w1};
use onus::exchange::NAME;
use onus::exchange::carried::{self, Bundle, Carried, HEADER, Place};
use onus::exchange::partition::partition;
use onus::exchange::repeats::Reading;
use onus::store::{Entry, Letter, Query, Store, place, sqlite};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) type Net = BTreeMap<String, (String, Option<String>)>;

/// Settings for all roles; the store's address is said last.
pub(crate) fn settings(broker: &Broker, topic: &str, partitions: usize, store: &str) -> String {
    format!(
        "[kafka.main]\nbrokers = [\"{}\"]\n[exchange]\ncluster = \"main\"\ntopic = \"{topic}\"\npartitions = {partitions}\n\
         [store]\nurl = \"{store}\"\n{}",
        broker.address(),
        file("desk")
    )
}

pub(crate) fn ticket(n: usize, partner: &str, kind: &str, time: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
         \"partner\":\"{partner}\",\"time\":\"2026-03-02T{time}:00Z\"}}\n"
    )
}

/// Opened, and answered in time.
pub(crate) fn answered(n: usize, partner: &str) -> String {
    ticket(n, partner, "opened", "09:00") + &ticket(n, partner, "acknowledged", "12:00")
}

pub(crate) fn desk() -> String {
    DESK.replace("partner: p1", "partner: \"p*\"")
}

pub(crate) fn append(house: &House, text: &str) {
    house.append("desk.jsonl", text);
}

pub(crate) fn intake(house: &House) -> Child {
    house.start(&["run", "--role", "intake"])
}

pub(crate) fn judge(house: &House, shard: usize) -> Child {
    house.start(&["run", "--role", "judge", "--shard", &shard.to_string(), "--tell", &format!("told-{shard}")])
}

/// The last word on each duty, of one file of what was told.
pub(crate) fn net(house: &House, name: &str) -> Net {
    let text = fs::read_to_string(house.path(name)).unwrap_or_default();
    let mut net = Net::new();
    // The last line may be on its way.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let broke = line["broken"].as_bool().expect("a truth").then(|| text("deadline")).flatten();
        net.insert(text("duty").expect("a duty"), (text("to").expect("a standing"), broke));
    }
    net.retain(|_, (to, _)| to != "withdrawn");
    net
}

pub(crate) fn shard(url: &str, shard: u16) -> Box<dyn Store> {
    place::open(&place::Place::parse(url).expect("an address"), shard).expect("a store")
}

pub(crate) fn letters(url: &str, of: u16) -> Vec<Letter> {
    shard(url, of).letters(&Query::default()).expect("letters")
}

/// Everything that was decided in these shards, and by one process with a store of its own.
pub(crate) fn ledgers(url: &str, shards: u16, alone: &House) -> [Vec<Vec<Entry>>; 2] {
    let all = |store: &mut dyn Store| store.entries(&Query::default()).expect("a ledger");
    let mut one = sqlite::open(&alone.path("onus.db"), 0).expect("a store");
    [(0..shards).map(|of| all(&mut *shard(url, of))).collect(), vec![all(&mut one)]]
}

/// Events that a shard has in its journal, judged again.
pub(crate) fn events(house: &House, of: usize) -> u64 {
    let out = house
        .command(&["replay"])
        .env("ONUS__RUN__ROLE", "judge")
        .env("ONUS__RUN__SHARD", of.to_string())
        .output()
        .expect("the program runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    said.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

/// A record of the topic.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) partition: i32,
    pub(crate) header: Option<Vec<u8>>,
    pub(crate) value: Vec<u8>,
}

/// Where an event was, and its line.
pub(crate) type Said = (Arc<Reading>, Place, String);

impl Kept {
    /// Its events; none: it is a tick.
    pub(crate) fn events(&self) -> Vec<Said> {
        let mut record = Vec::new();
        carried::lay(self.header.as_deref(), &self.value, &mut record);
        let Some(Carried::Events(events)) = carried::read(&record) else { return Vec::new() };
        let mut lines = events.lines().map(|line| String::from_utf8(line.to_vec()).expect("text"));
        let mut all = Vec::new();
        for run in &events.runs {
            let reading = Arc::new(run.reading.clone());
            all.extend(run.places.iter().zip(lines.by_ref()).map(|(place, line)| (Arc::clone(&reading), *place, line)));
        }
        all
    }

    /// As an intake writes one event that it reads again.
    fn alone(partition: i32, (reading, place, line): &Said) -> Kept {
        let mut bundle = Bundle::default();
        bundle.put(reading, *place, line.as_bytes());
        let (header, value) = bundle.record().expect("an event");
        Kept { partition, header: Some(header), value }
    }
}

/// Where a partition of a topic ends.
pub(crate) fn ends(broker: &Broker, topic: &str, partition: i32) -> u64 {
    let client: BaseConsumer = broker.config().set("group.id", "looks").create().expect("a client");
    client.fetch_watermarks(topic, partition, Duration::from_secs(10)).expect("an answer").1 as u64
}

pub(crate) fn all(broker: &Broker, topic: &str, partitions: i32) -> Vec<Kept> {
    let client: BaseConsumer = broker.config().set("group.id", "looks").create().expect("a client");
    let mut found = Vec::new();
    for partition in 0..partitions {
        let (_, high) = client.fetch_watermarks(topic, partition, Duration::from_secs(10)).expect("an answer");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Beginning).expect("an offset");
        client.assign(&list).expect("it is assigned");
        let (mut next, until) = (0, Instant::now() + Duration::from_secs(20));
        while next < high {
            assert!(Instant::now() < until, "{topic} cannot be read");
            let Some(Ok(message)) = client.poll(Duration::from_millis(100)) else { continue };
            next = message.offset() + 1;
            let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
            let header = headers.filter(|one| one.key == HEADER).find_map(|one| one.value.map(<[u8]>::to_vec));
            let value = message.payload().unwrap_or_default().to_owned();
            found.push(Kept { partition, header, value });
        }
    }
    found
}

fn write(broker: &Broker, topic: &str, record: &Kept) {
    let producer = broker.producer(&[]);
    let headers = record
        .header
        .iter()
        .fold(OwnedHeaders::new(), |all, value| all.insert(Header { key: HEADER, value: Some(value) }));
    let message =
        BaseRecord::to(topic).partition(record.partition).key("k").payload(&record.value[..]).headers(headers);
    send(&producer, message);
    producer.flush(Duration::from_secs(60)).expect("it is written");
}

#[test]
fn one_intake_and_two_judges_decide_what_one_process_does() {
    let broker = broker();
    let topic = broker.topic(2, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let (drawn, expected) = w1::draw(w1::Order { events: 4_000, partners: 20, seed: 5 });
    let mut lines = Vec::new();
    w1::write(&drawn, &mut lines).expect("into memory");
    let lines = String::from_utf8(lines).expect("text");
    let houses = [House::new(W1, &file("desk")), House::new(W1, &settings(&broker, &topic, 2, &url))];
    houses.iter().for_each(|house| append(house, &lines));
    let [alone, divided] = &houses;
    let child = alone.start(&["run", "--tell", "told"]);
    let others = [intake(divided), judge(divided, 0), judge(divided, 1)];
    let both = || [net(divided, "told-0"), net(divided, "told-1")];
    let mut last = (Net::new(), Instant::now());
    let mut settled = || {
        let [a, b] = both();
        let one = net(alone, "told");
        if one != last.0 {
            last = (one, Instant::now());
        }
        // All deadlines lie in the past, so it comes to rest.
        let rest = last.1.elapsed() > Duration::from_secs(2);
        rest && !last.0.is_empty() && a.into_iter().chain(b).collect::<Net>() == last.0
    };
    let began = Instant::now();
    while !settled() {
        let [a, b] = both().map(|net| net.len());
        let one = net(alone, "told").len();
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "{one} and {a} + {b}:\n{}\n{}",
            alone.talk(),
            divided.talk()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let [a, b] = both();
    assert!(!a.is_empty() && !b.is_empty(), "both have partners");
    assert_eq!(a.keys().filter(|duty| b.contains_key(*duty)).count(), 0, "and none in common");
    let broken = |net: &Net| net.values().filter(|(_, broke)| broke.is_some()).count();
    assert!(broken(&a) > 0 && broken(&b) > 0, "some are broken");
    assert!(end(child), "{}", alone.talk());
    others.into_iter().for_each(|child| assert!(end(child), "{}", divided.talk()));
    let [ours, one] = ledgers(&url, 2, alone);
    ledger::same(&ours, &one, &expected);
    assert_eq!(
        ledger::sequences(&ours),
        ledger::sequences(&one),
        "and word for word: all of it was there when they began"
    );
    assert_eq!(events(divided, 0) + events(divided, 1), 4_000, "each event once");
    assert!([0, 1, u16::MAX].iter().all(|of| letters(&url, *of).is_empty()), "nothing was refused");
    let kept = all(&broker, &topic, 2);
    let mut ticks = [0, 0];
    for record in &kept {
        let events = record.events();
        for (_, _, line) in &events {
            let event: Value = serde_json::from_str(line).expect("an event");
            let partner = event["partner"].as_str().expect("a partner");
            assert_eq!(record.partition, partition(partner, 2), "{partner}");
        }
        ticks[record.partition as usize] += usize::from(events.is_empty());
    }
    assert!(ticks.iter().all(|count| *count > 0), "ticks go to every partition");
    // Whoever owned a shard goes on where it was, and so does the intake.
    append(
        divided,
        &answered(1, "p0001").replace("\"desk\"", "\"urn:desk\"").replace("}\n", ",\"data\":{\"priority\":\"P1\"}}\n"),
    );
    let others = [intake(divided), judge(divided, 0), judge(divided, 1)];
    let more =
        |house: &House| fs::read_to_string(house.path(&format!("told-{}", partition("p0001", 2)))).unwrap_or_default();
    divided.until("what is new is told", || more(divided).contains("\"INC-1\""));
    others.into_iter().for_each(|child| assert!(end(child), "{}", divided.talk()));
    assert_eq!(events(divided, 0) + events(divided, 1), 4_002, "and nothing twice");
}

#[test]
fn an_intake_that_was_killed_before_the_brokers_had_what_it_kept_writes_that_again_and_nothing_counts_twice() {
    let broker = broker_alone();
    let topic = broker.topic(2, &[]);
    let server = postgres::shared();
    let database = server.database();
    let url = server.url(&database);
    let house = House::new(&desk(), &settings(&broker, &topic, 2, &url));
    let partners = ["p1", "p2", "p3", "p4"];
    let some = |from: usize| (from..from + 8).map(|n| answered(n, partners[n % 4])).collect::<String>();
    append(&house, &some(0));
    let judges = [judge(&house, 0), judge(&house, 1)];
    let mut child = intake(&house);
    let decided = || net(&house, "told-0").len() + net(&house, "told-1").len();
    house.until("the first are decided", || decided() == 8);
    let noted = || {
        let positions = shard(&url, u16::MAX).positions().expect("positions");
        positions.iter().find(|one| one.source == "desk").map_or(0, |one| one.next)
    };
    // The brokers are silent: what is read is noted, and kept. Where they fell silent with a tick on its way nothing more is read
    // until they have it, so that is tried again.
    let mut all_of = 8;
    let frozen = loop {
        let before = noted();
        let frozen = broker.freeze();
        append(&house, &some(all_of));
        all_of += 8;
        let until = Instant::now() + Duration::from_secs(5);
        while noted() == before && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        if noted() > before {
            break frozen;
        }
        drop(frozen);
        house.until("the brokers have it", || decided() == all_of);
    };
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    assert_eq!(decided(), all_of - 8, "nobody has it yet");
    drop(frozen);
    let mut child = intake(&house);
    house.until("whoever goes on writes it", || decided() == all_of);
    // And what the brokers have, but nobody knows that they do.
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let child = intake(&house);
    append(&house, &some(all_of));
    all_of += 8;
    house.until("the rest is decided", || decided() == all_of);
    assert!(end(child), "{}", house.talk());
    judges.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    let mut places = BTreeMap::<(u64, u32), usize>::new();
    for (_, place, _) in all(&broker, &topic, 2).iter().flat_map(Kept::events) {
        *places.entry((place.offset, place.item)).or_default() += 1;
    }
    assert_eq!(places.len(), 2 * all_of);
    assert!(places.values().filter(|times| **times > 1).count() >= 16, "it was written again: {places:?}");
    assert_eq!(events(&house, 0) + events(&house, 1), 2 * all_of as u64, "and nothing of it was taken again");
    assert!([0, 1, u16::MAX].iter().all(|of| letters(&url, *of).is_empty()), "nor held against anybody");
    let nets = [net(&house, "told-0"), net(&house, "told-1")];
    assert!(nets.iter().flat_map(BTreeMap::values).all(|(to, _)| to == "met"), "{nets:?}");
}

#[test]
fn what_was_tampered_with_is_a_dead_letter_and_never_a_fact() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let house = House::new(&desk(), &settings(&broker, &topic, 1, &url));
    append(&house, &(answered(1, "p1") + &ticket(2, "p1", "opened", "09:00")));
    let (reads, judges) = (intake(&house), judge(&house, 0));
    // The second was not answered, and that is long ago.
    house.until("both are decided", || net(&house, "told-0").len() == 2);
    let before = net(&house, "told-0");
    let kept = all(&broker, &topic, 1);
    let last = kept.iter().flat_map(Kept::events).next_back().expect("the last ticket");
    let opened = Kept::alone(0, &last);
    // At the place of what was said, somebody says something else: that it was answered.
    let said = String::from_utf8(opened.value.clone()).expect("text");
    let forged = said.replace("opened", "acknowledged");
    assert_ne!(said, forged);
    write(&broker, &topic, &Kept { value: forged.clone().into_bytes(), ..opened.clone() });
    // Whoever does not know our header says nothing at all; and the very event again is a repeat.
    write(&broker, &topic, &Kept { header: None, value: forged.clone().into_bytes(), ..opened.clone() });
    write(&broker, &topic, &opened);
    let reasons = || letters(&url, 0).into_iter().map(|letter| letter.reason).collect::<Vec<_>>();
    house.until("both are dead letters", || reasons().len() == 2);
    assert_eq!(reasons(), ["Divergence", "Foreign"]);
    let letter = letters(&url, 0).remove(0);
    assert_eq!((letter.source.as_str(), letter.offset), ("desk", last.1.offset));
    assert!(letters(&url, 0).iter().all(|letter| letter.record == forged.as_bytes()));
    // Not even if somebody asks for it.
    assert!(shard(&url, 0).mark(1, onus::store::LetterState::Asked, None).expect("marked"));
    house.until("it is a letter still", || letters(&url, 0)[0].state == onus::store::LetterState::Waiting);
    append(&house, &answered(3, "p1"));
    house.until("it goes on", || net(&house, "told-0").len() == 3);
    assert!(end(reads) && end(judges), "{}", house.talk());
    let after = net(&house, "told-0");
    assert!(before.iter().all(|(duty, stands)| after[duty] == *stands), "{before:?} {after:?}");
    assert_eq!(events(&house, 0), 5);
    // A judge that begins again knows what it took.
    write(&broker, &topic, &opened);
    write(&broker, &topic, &Kept { value: forged.into_bytes(), ..opened });
    let judges = judge(&house, 0);
    house.until("it is told from a repeat again", || reasons().len() == 3);
    assert!(end(judges), "{}", house.talk());
    assert_eq!(reasons(), ["Divergence", "Foreign", "Divergence"]);
    assert_eq!(events(&house, 0), 5);
}

#[test]
fn another_number_of_partitions_starts_nobody() {
    let broker = broker();
    let topic = broker.topic(2, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let said = settings(&broker, &topic, 2, &url);
    let house = House::new(&desk(), &said);
    append(&house, &answered(1, "p1"));
    let own = partition("p1", 2) as usize;
    let roles = [vec!["--role", "intake"], vec!["--role", "judge", "--shard", if own == 0 { "0" } else { "1" }]];
    let wrong = |settings: &str| {
        let house = House::new(&desk(), settings);
        append(&house, "");
        roles.clone().map(|role| {
            let out = house.onus(&[&["run"][..], &role].concat());
            assert_eq!(out.status.code(), Some(2));
            String::from_utf8_lossy(&out.stderr).into_owned()
        })
    };
    for said in wrong(&said.replace("partitions = 2", "partitions = 3")) {
        assert!(said.contains("has 2 partitions") && said.contains("partitions says 3"), "{said}");
    }
    let children = [intake(&house), judge(&house, own)];
    house.until("it is decided", || net(&house, &format!("told-{own}")).len() == 1);
    children.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    // The topic grows, and somebody has the settings follow: the stores remember.
    broker.grow_topic(&topic, 3);
    for said in wrong(&said) {
        assert!(said.contains("has 3 partitions") && said.contains("partitions says 2"), "{said}");
    }
    for said in wrong(&said.replace("partitions = 2", "partitions = 3")) {
        assert!(said.contains("with 2 partitions"), "{said}");
    }
    if own == 0 {
        let out = house.onus(&["run", "--role", "all"]);
        assert_eq!(out.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&out.stderr).contains("one shard of the exchange"), "and none goes on alone");
    }
}

#[test]
fn an_intake_that_lost_its_sources_to_another_notes_nothing_more() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let house = House::new(&desk(), &settings(&broker, &topic, 1, &url));
    append(&house, &answered(1, "p1"));
    let (mut first, judges) = (intake(&house), judge(&house, 0));
    house.until("it is decided", || net(&house, "told-0").len() == 1);
    signal(&first, "STOP");
    let second = intake(&house);
    append(&house, &answered(2, "p1"));
    house.until("the second goes on", || net(&house, "told-0").len() == 2);
    signal(&first, "CONT");
    house.until("the first ends", || house.talk().contains("another process has taken over"));
    assert_eq!(first.wait().expect("it ends").code(), Some(2));
    append(&house, &answered(3, "p1"));
    house.until("the second goes on", || net(&house, "told-0").len() == 3);
    assert!(end(second) && end(judges), "{}", house.talk());
    assert_eq!(events(&house, 0), 6);
    assert!(letters(&url, 0).is_empty());
}

#[test]
fn an_exchange_that_was_made_anew_halts_its_judge_until_somebody_decides() {
    let broker = broker();
    let topic = broker.topic(1, &[]);
    let server = postgres::shared();
    let url = server.url(&server.database());
    let house = House::new(&desk(), &settings(&broker, &topic, 1, &url));
    append(&house, &(answered(1, "p1") + &answered(2, "p1") + &answered(3, "p1")));
    let children = [intake(&house), judge(&house, 0)];
    house.until("it is decided", || net(&house, "told-0").len() == 3);
    house.until("how far was heard is told, too", || ends(&broker, &topic, 0) > 2);
    children.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    // An intake that begins writes its last commit again. A judge that had read nothing but that finds it in its old place and
    // goes on: nothing is missing there.
    house.until("a judge has read that", || {
        let positions = shard(&url, 0).positions().expect("positions");
        let read = positions.iter().any(|one| one.source == NAME && one.next > 1);
        if !read {
            let child = judge(&house, 0);
            std::thread::sleep(Duration::from_secs(1));
            assert!(end(child), "{}", house.talk());
        }
        read
    });
    broker.delete_topic(&topic);
    broker.topic_named(&topic, 1, &[]);
    append(&house, &answered(4, "p1"));
    let children = [intake(&house), judge(&house, 0)];
    house.until("it halts", || letters(&url, 0).iter().any(|letter| letter.reason == "Halted"));
    assert_eq!(net(&house, "told-0").len(), 3, "nobody guesses");
    let said = house
        .command(&["sources", "resume", "@exchange", "--from", "earliest", "--reason", "made anew on purpose"])
        .envs([("ONUS__RUN__ROLE", "judge"), ("ONUS__RUN__SHARD", "0")])
        .output()
        .expect("the program runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    house.until("it goes on", || net(&house, "told-0").len() == 4);
    children.into_iter().for_each(|child| assert!(end(child), "{}", house.talk()));
    assert_eq!(events(&house, 0), 8);
}
