//! Backups and what comes back of them, by the command line that an operator has.

use crate::batches::Owner;
use crate::batches::Recalled;
use crate::conformance::{journal, whole};
use crate::server::shared;
use onus::store::place::{Place, open};
use onus::store::{Query, Store, StoreError};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn onus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onus")).arg("store").args(arguments).output().unwrap()
}

fn fine(arguments: &[&str]) -> String {
    let output = onus(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap() + &said
}

fn refused(arguments: &[&str], due: &str) {
    let output = onus(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(due), "{said}");
}

fn at(url: &str) -> Box<dyn Store> {
    open(&Place::parse(url).unwrap(), 7).unwrap()
}

/// Both kinds of place, and a folder for backups.
fn places(folder: &Path) -> [String; 2] {
    let cluster = shared();
    [format!("sqlite:{}", folder.join("onus.db").display()), cluster.url(&cluster.database())]
}

/// Everything that can be asked for.
fn all(store: &mut dyn Store) -> impl PartialEq + std::fmt::Debug + use<> {
    let mut pieces = Vec::new();
    let snapshot = store
        .snapshot(&mut |piece| {
            pieces.push(piece.to_vec());
            Ok(())
        })
        .unwrap();
    let everything = Query::default();
    (
        journal(store, 0),
        store.entries(&everything).unwrap(),
        store.letters(&everything).unwrap(),
        (1..6).map(|key| store.recalled(1, 1_000 + key, u64::MAX).unwrap()).collect::<Vec<_>>(),
        (snapshot, pieces),
    )
}

#[test]
fn a_backup_of_either_comes_back_into_either() {
    let folder = tempfile::tempdir().unwrap();
    for (number, from) in places(folder.path()).iter().enumerate() {
        let mut store = at(from);
        let mut owner = Owner::claim(&mut *store);
        owner.write_some(&mut *store, 5);
        store.put_snapshot(owner.epoch, 5, 0, b"a piece").unwrap();
        store.seal_snapshot(owner.epoch, 5, 1).unwrap();
        store.retire(owner.epoch, 2, onus_engine::time::Moment(300)).unwrap();
        let before = all(&mut *store);
        let file = folder.path().join(format!("backup-{number}"));
        let file = file.to_str().unwrap();
        // The owner has it open, and goes on.
        fine(&["backup", "--store", from, "--into", file]);
        owner.write_some(&mut *store, 1);
        refused(&["backup", "--store", from, "--into", file], "there already");
        let kept = fs::read(file).unwrap();
        for into in places(&tempfile::tempdir().unwrap().keep()) {
            fine(&["restore", "--store", &into, "--from", file]);
            assert_eq!(all(&mut *at(&into)), before);
            // Onto itself no more, unless somebody says so.
            refused(&["restore", "--store", &into, "--from", file], "--overwrite");
        }
        assert!(fs::read(file).unwrap() == kept, "reading a backup has changed it");
        assert_eq!(fs::read_dir(folder.path()).unwrap().filter(|f| is_half(f.as_ref().unwrap())).count(), 0);
    }
}

fn is_half(file: &fs::DirEntry) -> bool {
    file.file_name().to_string_lossy().starts_with(".onus")
}

#[test]
fn whoever_wrote_before_a_restore_writes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for (number, url) in places(folder.path()).iter().enumerate() {
        let mut store = at(url);
        let mut owner = Owner::claim(&mut *store);
        owner.write_some(&mut *store, 2);
        let file = folder.path().join(format!("backup-{number}"));
        let file = file.to_str().unwrap();
        fine(&["backup", "--store", url, "--into", file]);
        fine(&["restore", "--store", url, "--from", file, "--overwrite"]);
        let full = owner.next();
        assert!(matches!(owner.write(&mut *store, &full), Err(StoreError::Fenced { .. })));
        let mut owner = Owner::claim(&mut *store);
        owner.write_some(&mut *store, 1);
        whole(&mut *store);
    }
}

#[test]
fn a_backup_while_somebody_writes_is_of_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    for (number, url) in places(folder.path()).iter().enumerate() {
        let mut store = at(url);
        let mut owner = Owner::claim(&mut *store);
        owner.write_some(&mut *store, 3);
        let ended = &std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    owner.write_some(&mut *store, 1);
                }
            });
            let file = |step: u32| folder.path().join(format!("backup-{number}-{step}"));
            // It verifies by itself.
            let done: Vec<Output> =
                (0..3).map(|step| onus(&["backup", "--store", url, "--into", file(step).to_str().unwrap()])).collect();
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            done.iter().for_each(|done| assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr)));
        });
    }
}

#[test]
fn verify_tells_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let [url, _] = places(folder.path());
    let mut store = at(&url);
    Owner::claim(&mut *store).write_some(&mut *store, 4);
    let said = fine(&["verify", "--store", &url]);
    assert!(said.contains("everything is as it was written"), "{said}");
    let listed = |args: &[&str]| {
        let output = onus(&[&["ledger", "--store", &url, "--shard", "7"], args].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(listed(&["--limit", "5", "--format", "jsonl"]).lines().count(), 5);
    let of_one = listed(&["--partner", "partner-1", "--after", "2", "--format", "jsonl"]);
    let numbers: Vec<u64> = of_one
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [3, 5, 7, 9, 11]);
    assert!(of_one.lines().all(|line| line.contains(r#""record":"entry""#)), "{of_one}");
    let table = listed(&["--limit", "0"]);
    assert_eq!(table.lines().count(), 13);
    assert!(table.contains("partner-0") && table.contains("resolve"), "{table}");
    refused(&["ledger", "--store", "sqlite:/nowhere/onus.db"], "/nowhere/onus.db");
    let connection = rusqlite::Connection::open(folder.path().join("onus.db")).unwrap();
    connection
        .execute_batch(
            "UPDATE ledger SET bytes = (SELECT bytes FROM ledger WHERE last = 9) WHERE last = 6; DELETE FROM letter",
        )
        .unwrap();
    let output = onus(&["verify", "--store", &url, "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["whole"], false);
    assert_eq!(document["shards"][0]["entries"], 12);
    let wrong = document["shards"][0]["wrong"].to_string();
    assert!(wrong.contains("entries 4 to 6 are not as they were written") && wrong.contains("dead letters"), "{wrong}");
    let file = folder.path().join("backup");
    refused(&["backup", "--store", &url, "--into", file.to_str().unwrap()], "not whole");
    refused(&["restore", "--store", "sqlite:x.db", "--from", file.to_str().unwrap()], "nothing was put back");
    assert!(!Path::new("x.db").exists());
    refused(&["verify", "--store", "sqlite:/nowhere/onus.db"], "/nowhere/onus.db");
    refused(&["verify", "--store", "postgers://onus:hunter2@db/x"], "PostgreSQL");
    assert!(!String::from_utf8(onus(&["verify", "--store", "x://a:hunter2@b"]).stderr).unwrap().contains("hunter2"));
}

#[test]
fn a_file_that_is_no_store_any_more_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let [url, _] = places(folder.path());
    let mut store = at(&url);
    Owner::claim(&mut *store).write_some(&mut *store, 4);
    let file = folder.path().join("backup");
    let file = file.to_str().unwrap();
    fine(&["backup", "--store", &url, "--into", file]);
    drop(store);
    fs::write(folder.path().join("onus.db"), "once a store").unwrap();
    refused(&["restore", "--store", &url, "--from", file], "damaged");
    let said = fine(&["restore", "--store", &url, "--from", file, "--overwrite"]);
    assert!(said.contains("onus.db.damaged-0"), "{said}");
    assert_eq!(fs::read(folder.path().join("onus.db.damaged-0")).unwrap(), b"once a store");
    whole(&mut *at(&url));
}
