//! Two processes and one shard: whoever came last owns it, and the other one writes and tells nothing more.

use crate::house::{DESK, House, end, file, signal};
use onus::store::{Query, Store, sqlite};
use onus_engine::standing::Standing;
use std::collections::BTreeMap;
use std::process::Child;
use std::time::Duration;

fn ticket(n: usize, kind: &str, time: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{kind}-{n}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-{n}\",\
         \"partner\":\"p1\",\"time\":\"2026-03-02T{time}:00Z\"}}\n"
    )
}

/// Opened, and answered in time.
fn answered(n: usize) -> String {
    ticket(n, "opened", "09:00") + &ticket(n, "acknowledged", "12:00")
}

/// Duties on which the ledger says something; all of them ended well.
fn duties(house: &House) -> usize {
    let mut store = sqlite::open(&house.path("onus.db"), 0).expect("a store");
    assert!(store.verify().expect("it can be read").wrong.is_empty());
    let entries = store.entries(&Query::default()).expect("the ledger");
    let last: BTreeMap<String, Standing> = entries.into_iter().map(|e| (e.duty().to_string(), e.to)).collect();
    assert!(last.values().all(|to| *to == Standing::Met), "{last:?}");
    last.len()
}

fn told(house: &House, name: &str, subject: &str) -> bool {
    std::fs::read_to_string(house.path(name)).unwrap_or_default().contains(&format!("\"{subject}\""))
}

fn lines(house: &House, name: &str) -> usize {
    std::fs::read_to_string(house.path(name)).unwrap_or_default().lines().count()
}

/// It ends by itself, and not in peace.
fn ends_refused(child: &mut Child, house: &House) {
    house.until("the one that lost the shard ends", || house.talk().contains("error: "));
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(2), "{}", house.talk());
    assert!(house.talk().contains("another process has taken over"), "and says why: {}", house.talk());
}

#[test]
fn an_owner_that_stood_still_and_comes_back_writes_and_tells_nothing() {
    let house = House::new(DESK, &file("desk"));
    house.write("desk.jsonl", &answered(1));
    let mut first = house.start(&["run", "--tell", "first"]);
    house.until("the first tells", || lines(&house, "first") == 1);
    signal(&first, "STOP");
    let second = house.start(&["run", "--tell", "second"]);
    house.append("desk.jsonl", &answered(2));
    // What the first may have told and not noted is told again, too.
    house.until("the second tells", || told(&house, "second", "INC-2"));
    signal(&first, "CONT");
    ends_refused(&mut first, &house);
    assert_eq!(lines(&house, "first"), 1, "it told nothing that it had judged meanwhile");
    house.append("desk.jsonl", &answered(3));
    house.until("the second goes on", || told(&house, "second", "INC-3"));
    assert!(end(second), "{}", house.talk());
    assert_eq!(duties(&house), 3, "each duty once");
}

#[test]
fn of_two_that_are_started_for_one_shard_one_goes_on() {
    let house = House::new(DESK, &file("desk"));
    house.write("desk.jsonl", &answered(1));
    let mut both = [house.start(&["run", "--tell", "a"]), house.start(&["run", "--tell", "b"])];
    // The one that lost finds out when it next writes; time itself is written now and then.
    house.until("something is told", || lines(&house, "a") + lines(&house, "b") > 0);
    let (mut written, mut over) = (1, None);
    for n in 2..60 {
        house.append("desk.jsonl", &answered(n));
        written += 1;
        std::thread::sleep(Duration::from_millis(200));
        over = both.iter_mut().position(|child| child.try_wait().expect("its status").is_some());
        if over.is_some() {
            house.append("desk.jsonl", &answered(60));
            written += 1;
            break;
        }
    }
    let over = over.expect("one of them ends");
    ends_refused(&mut both[over], &house);
    let [a, b] = both;
    let (owner, name) = if over == 0 { (b, "b") } else { (a, "a") };
    house.until("the other one goes on", || told(&house, name, "INC-60"));
    assert!(end(owner), "{}", house.talk());
    assert_eq!(duties(&house), written, "each duty once");
}
