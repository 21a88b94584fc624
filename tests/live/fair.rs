//! Sources that flood, and those beside them. What is said is counted in the store: by the commits that hold what was taken
//! in, and by the time that they say.

use crate::client::Client;
use crate::house::{DESK, House, end};
use crate::pushed::address;
use onus::runtime::live::taken_in;
use onus::store::{Store, sqlite};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

fn contract() -> String {
    DESK.replace("partner: p1", "partner: \"p*\"")
}

/// A ticket, opened and answered in time: two events, and a duty that is met.
fn answered(desk: &str, partner: &str, n: usize, into: &mut String) {
    for (kind, time) in [("opened", "09:00"), ("acknowledged", "12:00")] {
        let _ = writeln!(
            into,
            "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"{desk}\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
             \"partner\":\"{partner}\",\"time\":\"2026-03-02T{time}:00Z\"}}"
        );
    }
}

fn flood(tickets: usize) -> String {
    let mut text = String::new();
    (0..tickets).for_each(|n| answered("flood", "p1", n, &mut text));
    text
}

fn source(name: &str, more: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\nkind = \"file\"\npath = \"{name}.jsonl\"\ntrust = \"system\"\npartners = [\"*\"]\n\
         types = [\"*\"]\n{more}\n"
    )
}

/// The store of a process that runs, or has ended; None: there is none yet.
fn store(house: &House) -> Option<impl Store> {
    let path = house.path("onus.db");
    Path::new(&path).exists().then(|| sqlite::open(&path, 0).ok()).flatten()
}

/// Bytes of a source that the store says were read.
fn read(house: &House, source: &str) -> u64 {
    let positions = store(house).and_then(|mut store| store.positions().ok()).unwrap_or_default();
    positions.iter().find(|position| position.source == source).map_or(0, |position| position.next)
}

/// How many duties of a partner are met, as its last word.
fn decided(house: &House, partner: &str) -> usize {
    let query = onus::store::Query { partner: Some(partner.to_owned()), ..onus::store::Query::default() };
    let entries = store(house).and_then(|mut store| store.entries(&query).ok()).unwrap_or_default();
    let last: BTreeMap<_, _> = entries.iter().map(|entry| (entry.duty(), entry.to)).collect();
    last.values().filter(|to| **to == Standing::Met).count()
}

/// By commit: the time that it says; and of each source how many records it holds, and when its last one had come.
type Commits = BTreeMap<u64, (Moment, BTreeMap<String, (u64, Moment)>)>;

fn commits(house: &House) -> Commits {
    let mut store = store(house).expect("a store");
    let journal = store.journal(0, u32::MAX).expect("the journal");
    let mut commits: Commits = journal.iter().map(|one| (one.sequence, (one.now, BTreeMap::new()))).collect();
    taken_in(&mut store, &mut |one| {
        let (_, of) = commits.get_mut(&one.commit).expect("its commit");
        let (count, last) = of.entry(one.source.to_owned()).or_insert((0, Moment::DAWN));
        (*count, *last) = (*count + 1, one.arrived);
    })
    .expect("what was taken in");
    commits
}

#[test]
fn a_flood_of_one_source_keeps_no_other_waiting_for_longer_than_a_few_commits() {
    const TICKETS: usize = 150_000;
    let settings = format!("[judge]\nbatch = 1000\n{}{}", source("flood", ""), source("trickle", ""));
    let house = House::new(&contract(), &settings);
    house.write("flood.jsonl", &flood(TICKETS));
    house.write("trickle.jsonl", "");
    let size = house.path("flood.jsonl").metadata().expect("it is there").len();
    let child = house.start(&["run"]);
    let mut trickle = std::fs::OpenOptions::new().append(true).open(house.path("trickle.jsonl")).expect("a file");
    let mut said = 0;
    // A word of the other source now and then, while the first half of the flood comes in.
    house.until("half of the flood", || read(&house, "flood") > 0);
    while read(&house, "flood") < size / 2 {
        let mut text = String::new();
        answered("trickle", "p2", said, &mut text);
        trickle.write_all(text.as_bytes()).expect("it is written");
        said += 1;
        house.until("it is decided", || decided(&house, "p2") >= said);
    }
    house.until("the whole flood", || read(&house, "flood") == size);
    assert!(end(child), "{}", house.talk());
    let commits = commits(&house);
    let of = |source: &str| commits.values().filter_map(|(_, of)| of.get(source)).map(|(count, _)| count).sum::<u64>();
    assert_eq!((of("flood"), of("trickle")), (2 * TICKETS as u64, 2 * said as u64), "nothing is lost");
    // From its coming to the commit that holds it: the commits that were written meanwhile, itself too. Two are under way
    // when it comes; how late a thread is woken on a busy machine is nobody's law, so one or the other may have more.
    let mut waited: Vec<usize> = commits
        .iter()
        .filter_map(|(sequence, (_, of))| {
            let (_, arrived) = of.get("trickle")?;
            Some(commits.range(..=sequence).filter(|(_, (now, _))| now >= arrived).count())
        })
        .collect();
    waited.sort_unstable();
    assert!(!waited.is_empty() && waited[waited.len() / 2] <= 3, "{waited:?} of {} commits", commits.len());
    assert!(commits.len() > 75, "the flood came in {} commits", commits.len());
}

#[test]
fn a_source_with_a_quota_is_read_no_faster_and_loses_nothing() {
    const TICKETS: usize = 50_000;
    const QUOTA: u64 = 4_000;
    let settings = |quota: &str| format!("[judge]\nbatch = 1000\n{}{}", source("flood", quota), source("trickle", ""));
    let house = House::new(&contract(), &settings("quota = \"4000/s\""));
    let text = flood(TICKETS);
    house.write("flood.jsonl", &text);
    let mut other = String::new();
    (0..500).for_each(|n| answered("trickle", "p2", n, &mut other));
    house.write("trickle.jsonl", &other);
    let child = house.start(&["run"]);
    house.until("it listens", || address(&house).is_some());
    let client = || Client::to(address(&house).expect("it listens"));
    house.until("the other is decided", || decided(&house, "p2") == 500);
    house.until("some of it", || read(&house, "flood") > text.len() as u64 / 10);
    let page = client().get("/metrics").body;
    let figure = |name: &str, source: &str| {
        let begin = format!("{name}{{source=\"{source}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&begin)).and_then(|value| value.parse::<f64>().ok())
    };
    assert!(figure("onus_source_quota_held_seconds_total", "flood").is_some_and(|held| held > 0.0), "{page}");
    assert!(figure("onus_source_waiting_records", "flood").is_some_and(|waiting| waiting > 0.0), "{page}");
    assert_eq!(figure("onus_source_quota_held_seconds_total", "trickle"), None);
    // It is as it should be: whoever balances sends here, and the other sources are read.
    assert_eq!(client().get("/readyz").status, 200);
    assert!(end(child), "{}", house.talk());
    let held: Vec<(Moment, u64)> =
        commits(&house).values().filter_map(|(now, of)| of.get("flood").map(|(count, _)| (*now, *count))).collect();
    assert!(held.len() > 4, "{held:?}");
    for (at, (from, _)) in held.iter().enumerate() {
        let mut sum = 0;
        for (to, count) in &held[at + 1..] {
            sum += count;
            // A second's worth may be used ahead, and a piece is paid for when it is taken.
            let most = QUOTA * ((*to - *from) as u64 + 1_000) / 1_000 + 2_500;
            assert!(sum <= most, "{sum} records from {from} to {to}, and {most} may be: {held:?}");
        }
    }
    let before: u64 = held.iter().map(|(_, count)| count).sum();
    assert!(before < 2 * TICKETS as u64, "all of it was read before anybody could look");
    // Without the quota the next one goes on where it was.
    let text_of = std::fs::read_to_string(house.path("onus.toml")).expect("settings");
    house.write("onus.toml", &text_of.replace("quota = \"4000/s\"", ""));
    let child = house.start(&["run"]);
    house.until("the whole flood", || read(&house, "flood") == text.len() as u64);
    assert!(end(child), "{}", house.talk());
    let all: u64 = commits(&house).values().filter_map(|(_, of)| of.get("flood")).map(|(count, _)| count).sum();
    assert_eq!(all, 2 * TICKETS as u64);
}

#[test]
fn who_pushes_beyond_its_quota_is_told_when_to_come_again_and_the_others_are_not() {
    let push = |name: &str, more: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\nkind = \"http\"\ntoken-file = \"{name}\"\ntrust = \"system\"\npartners = [\"*\"]\n\
             types = [\"*\"]\n{more}\n"
        )
    };
    let house = House::new(&contract(), &(push("one", "quota = \"60/h\"") + &push("two", "")));
    house.write("one", "first");
    house.write("two", "second");
    let child = house.start(&["run"]);
    house.until("it listens", || address(&house).is_some());
    let client = || Client::to(address(&house).expect("it listens"));
    let some = |desk: &str, from: usize| {
        let (partner, mut text) = (if desk == "one" { "p1" } else { "p2" }, String::new());
        (from..from + 5).for_each(|n| answered(desk, partner, n, &mut text));
        text
    };
    let ndjson = "application/x-ndjson";
    let reply = client().post("first", ndjson, &some("one", 0));
    assert_eq!(
        (reply.status, reply.json()),
        (202, json!({"events": 10, "dead_letters": []})),
        "what comes at once is whole"
    );
    let reply = client().post("first", ndjson, &some("one", 10));
    assert_eq!(reply.status, 429, "{}", reply.body);
    let seconds: u64 = reply.header("retry-after").and_then(|text| text.parse().ok()).expect("when to come again");
    assert!((300..=600).contains(&seconds), "ten events are ten minutes: {seconds}");
    assert!(reply.body.contains("the quota of this source is used up"), "{}", reply.body);
    assert_eq!(client().post("second", ndjson, &some("two", 0)).status, 202);
    // One that sends too much takes nobody else's door away.
    assert_eq!(client().get("/readyz").status, 200);
    let page = client().get("/metrics").body;
    let line = "onus_source_quota_turned_away_total{source=\"one\"} 1";
    assert!(page.lines().any(|one| one == line), "{page}");
    assert!(end(child), "{}", house.talk());
    assert_eq!((decided(&house, "p1"), decided(&house, "p2")), (5, 5));
}
