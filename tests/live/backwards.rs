//! A store that has gone back: to a backup, or to a standby that had not heard the last commits.

use crate::house::{House, W1, file};
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
    house.write("w1.jsonl", &lines);
    let mut child = house.start(&run);
    house.until("some is told", || !house.told().is_empty());
    let backup = house.onus(&["store", "backup", "--store", "sqlite:onus.db", "--into", "then.db"]);
    assert!(backup.status.success(), "{}", String::from_utf8_lossy(&backup.stderr));
    child.wait().expect("it ends");
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
