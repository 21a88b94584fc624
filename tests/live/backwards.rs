//! A store that has gone back: to a backup, or to a standby that had not heard the last commits.

use crate::house::{House, W1, end, file};
use crate::postgres::{Cluster, Stop};
use crate::w1;
use std::fs;

#[test]
fn a_store_that_lost_its_last_commits_reads_them_again_and_says_the_same() {
    let settings =
        format!("[judge]\nclock = \"events\"\nbatch = 200\n{}", file("w1").replace("true\ntrust", "false\ntrust"));
    let (events, _) = w1::draw(w1::Order { events: 6_000, partners: 10, seed: 9 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let lines = String::from_utf8(lines).expect("text");
    let run = ["run", "--until-end", "--tell", "told"];

    let peace = House::new(W1, &settings);
    peace.write("w1.jsonl", &lines);
    assert!(peace.onus(&run).status.success());

    let house = House::new(W1, &settings);
    // The copy is made while it runs and, however fast the machine is, before it has read all.
    let half = lines[..lines.len() / 2].rfind('\n').expect("lines") + 1;
    house.write("w1.jsonl", &lines[..half]);
    let child = house.start(&["run", "--tell", "told"]);
    house.until("some is told", || !house.told().is_empty());
    let backup = house.onus(&["store", "backup", "--store", "sqlite:onus.db", "--into", "then.db"]);
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    assert!(end(child));
    house.write("w1.jsonl", &lines);
    assert!(house.onus(&run).status.success());
    assert_eq!(house.net(), peace.net());
    let told = house.told().len();
    for name in ["onus.db", "onus.db-wal", "onus.db-shm"] {
        let _ = fs::remove_file(house.path(name));
    }
    let restore = house.onus(&["store", "restore", "--from", "then.db", "--store", "sqlite:onus.db"]);
    assert!(restore.status.success(), "{}", String::from_utf8_lossy(&restore.stderr));
    // Positions, state and ledger have gone back together, so nothing is missing and nothing is there twice.
    let again = house.onus(&run);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(house.told().len() > told, "what was lost is decided and told again");
    assert_eq!(house.net(), peace.net(), "and is what it was");
    assert!(house.onus(&["store", "verify", "--store", "sqlite:onus.db"]).status.success());
    let replay = house.onus(&["replay"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
}

#[test]
fn a_standby_that_had_not_heard_the_last_commits_takes_over_and_the_same_is_said_again() {
    let primary = Cluster::start("");
    let database = primary.database();
    let settings =
        |store: &str| format!("[store]\nurl = \"{store}\"\n[judge]\nclock = \"events\"\nbatch = 200\n{}", file("w1"));
    let (events, _) = w1::draw(w1::Order { events: 4_000, partners: 10, seed: 17 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    let lines = String::from_utf8(lines).expect("text");
    let end_of = |part: usize| lines[..lines.len() * part / 4].rfind('\n').map_or(0, |at| at + 1);
    let part = |part: usize| &lines[end_of(part - 1)..end_of(part)];
    let peace = House::new(W1, &settings("sqlite:onus.db").replace("follow = true", "follow = false"));
    peace.write("w1.jsonl", &lines);
    assert!(peace.onus(&["run", "--until-end", "--tell", "told"]).status.success());

    let house = House::new(W1, &settings(&primary.url(&database)));
    house.append("w1.jsonl", part(1));
    let mut child = house.start(&["run", "--tell", "told"]);
    let commits = |server: &Cluster| server.sql(&database, "SELECT max(sequence) FROM shard").trim().to_owned();
    house.until("something is told", || !house.told().is_empty());
    let mut standby = primary.standby();
    house.append("w1.jsonl", part(2));
    house.until("the standby follows", || {
        let told = house.told().len();
        std::thread::sleep(std::time::Duration::from_millis(300));
        told > 0 && told == house.told().len() && commits(&primary) == commits(&standby)
    });
    // It hears nothing of what comes now.
    standby.stop(Stop::Fast);
    let told = house.told().len();
    house.append("w1.jsonl", part(3));
    house.until("more is told", || house.told().len() > told);
    primary.stop(Stop::Immediate);
    standby.takes_over(&primary);
    house.append("w1.jsonl", part(4));
    house.until("it says that the store has gone back", || house.talk().contains("has gone back to commit"));
    assert_eq!(child.wait().expect("it ends").code(), Some(2));
    // Whoever starts it again finds all in order.
    let told = house.told().len();
    let child = house.start(&["run", "--tell", "told"]);
    house.until("all is told", || house.net() == peace.net());
    assert!(house.told().len() > told);
    assert!(end(child));
    let store = standby.url(&database);
    assert!(house.onus(&["store", "verify", "--store", &store]).status.success());
    let replay = house.onus(&["replay"]);
    assert!(replay.status.success(), "{}", String::from_utf8_lossy(&replay.stdout));
}

#[test]
fn a_store_with_a_flipped_byte_is_named_and_nothing_is_built_on_it() {
    let house =
        House::new(W1, &format!("[judge]\nclock = \"events\"\n{}", file("w1").replace("true\ntrust", "false\ntrust")));
    let (events, _) = w1::draw(w1::Order { events: 1_000, partners: 5, seed: 2 });
    let mut lines = Vec::new();
    w1::write(&events, &mut lines).expect("into memory");
    house.write("w1.jsonl", &String::from_utf8(lines).expect("text"));
    assert!(house.onus(&["run", "--until-end"]).status.success());
    let store = rusqlite::Connection::open(house.path("onus.db")).expect("the file");
    let flip = "UPDATE snapshot_piece SET bytes = CAST(substr(bytes, 1, 40) || x'00ff' || substr(bytes, 43) AS BLOB)";
    assert!(store.execute(flip, []).expect("it is written") > 0);
    drop(store);
    let verified = house.onus(&["store", "verify", "--store", "sqlite:onus.db"]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(!verified.status.success() && said.contains("snapshot"), "{said}");
    let before = fs::read(house.path("onus.db")).expect("the file");
    let start = house.onus(&["run", "--until-end"]);
    let said = String::from_utf8_lossy(&start.stderr).into_owned();
    assert_eq!(start.status.code(), Some(2), "{said}");
    assert!(said.contains("snapshot") && said.contains("onus store"), "what is wrong, and what to do: {said}");
    let now = fs::read(house.path("onus.db")).expect("the file");
    assert_eq!(before.len(), now.len(), "nothing was put beside it");
}
