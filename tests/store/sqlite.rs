//! SQLite: the suite, and what a file of its own can do wrong.

use crate::batches::Owner;
use crate::conformance::{Ground, conforms, journal, whole};
use onus::store::{Query, Store, StoreError, sqlite};
use std::fs;
use std::path::{Path, PathBuf};

struct File {
    folder: tempfile::TempDir,
}

fn file() -> File {
    File { folder: tempfile::tempdir().unwrap() }
}

impl File {
    fn path(&self) -> PathBuf {
        self.folder.path().join("onus.db")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("onus.db-wal")
    }
}

impl Ground for File {
    fn try_open(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(sqlite::open(&self.path(), 7)?))
    }

    fn run(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        if sql == "NEWER SCHEMA" {
            return connection.pragma_update(None, "user_version", 99).unwrap();
        }
        connection.execute_batch(sql).unwrap();
    }

    fn flip(&self, table: &str, column: &str, condition: &str) {
        let connection = rusqlite::Connection::open(self.path()).unwrap();
        let ask = format!("SELECT {column} FROM {table} WHERE {condition}");
        let mut bytes: Vec<u8> = connection.query_row(&ask, [], |row| row.get(0)).unwrap();
        bytes[0] ^= 1;
        let put = format!("UPDATE {table} SET {column} = ?1 WHERE {condition}");
        assert_eq!(connection.execute(&put, [bytes]).unwrap(), 1);
    }
}

conforms!(file);

#[test]
fn a_torn_file_is_damaged() {
    let ground = file();
    let mut store = ground.open();
    Owner::claim(&mut *store).write_some(&mut *store, 30);
    drop(store);
    let whole_file = fs::read(ground.path()).unwrap();
    for part in [whole_file.len() / 2, 5_000, 50, 7] {
        fs::write(ground.path(), &whole_file[..part]).unwrap();
        match ground.try_open().map(|mut store| store.verify()) {
            Err(StoreError::Damaged { what, target }) => {
                assert!(target.ends_with("onus.db") && !what.is_empty(), "{part}: {what}");
            }
            Ok(Ok(found)) => assert!(!found.wrong.is_empty(), "{part}: nothing wrong with half a file"),
            other => panic!("{part}: {:?}", other.map(|_| ())),
        }
    }
    fs::write(ground.path(), &whole_file).unwrap();
    whole(&mut *ground.open());
}

/// What was not flushed was not promised: an older state, and all of it.
#[test]
fn a_torn_log_leaves_whole_commits() {
    let ground = file();
    let mut store = ground.open();
    Owner::claim(&mut *store).write_some(&mut *store, 12);
    // As a machine that stops leaves it: nothing is put from the log into the file.
    let (kept, log) = (fs::read(ground.path()).unwrap(), fs::read(ground.log()).unwrap());
    drop(store);
    let mut before = 0;
    for parts in 0..=8 {
        let ground = file();
        fs::write(ground.path(), &kept).unwrap();
        let torn = &log[..log.len() * parts / 8];
        fs::write(ground.log(), torn).unwrap();
        let mut store = ground.open();
        whole(&mut *store);
        let commits = journal(&mut *store, 0).len();
        assert_eq!(store.entries(&Query::default()).unwrap().len(), commits * 3);
        assert!(commits >= before, "more of the log, and fewer commits");
        before = commits;
    }
    assert_eq!(before, 12);
}

#[test]
fn a_flipped_byte_anywhere_is_noticed_or_does_not_matter() {
    let ground = file();
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let written = owner.write_some(&mut *store, 24);
    drop(store);
    let bytes = fs::read(ground.path()).unwrap();
    let mut noticed = 0;
    // The first page is the file's head: what of it is not used need not be right. Its size stands there.
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    for step in 0..150 {
        let at = page + step * (bytes.len() - page) / 150;
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(ground.path(), &flipped).unwrap();
        for beside in [ground.log(), ground.folder.path().join("onus.db-shm")] {
            fs::remove_file(beside).ok();
        }
        let Ok(mut store) = ground.try_open() else {
            noticed += 1;
            continue;
        };
        let wrong = store.verify().unwrap().wrong;
        noticed += usize::from(!wrong.is_empty());
        if wrong.is_empty() {
            let entries = store.entries(&Query::default()).unwrap();
            assert_eq!(entries, written.iter().flat_map(|f| f.entries.clone()).collect::<Vec<_>>(), "byte {at}");
            assert_eq!(journal(&mut *store, 0).len(), 24, "byte {at}");
        }
    }
    assert!(noticed > 10, "{noticed} of 150");
}

fn refusal(path: &Path) -> String {
    match sqlite::open(path, 7).map(drop) {
        Err(error) => {
            assert!(!error.may_pass(), "{error}");
            error.to_string()
        }
        Ok(()) => panic!("opened"),
    }
}

#[test]
fn what_cannot_be_a_store_is_named_with_a_remedy() {
    let ground = file();
    let folder = ground.folder.path();
    let text = refusal(&folder.join("none/onus.db"));
    assert!(text.contains("there is no folder") && text.contains("make it"), "{text}");
    let text = refusal(folder);
    assert!(text.contains("this is a folder"), "{text}");
    fs::write(folder.join("notes.txt"), "not a database, and longer than a header").unwrap();
    let text = refusal(&folder.join("notes.txt"));
    assert!(text.contains("notes.txt is damaged") && text.contains("onus store restore"), "{text}");
    rusqlite::Connection::open(folder.join("other.db")).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let text = refusal(&folder.join("other.db"));
    assert!(text.contains("of another program"), "{text}");
    assert!(fs::metadata(folder.join("none")).is_err());
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let ground = file();
    ground.open();
    assert_eq!(fs::metadata(ground.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Whoever holds the file and does not end is the world's fault, and nothing was written.
#[test]
fn a_writer_that_does_not_end_is_waited_for_and_then_told() {
    let ground = file();
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let hung = rusqlite::Connection::open(ground.path()).unwrap();
    hung.execute_batch("BEGIN IMMEDIATE").unwrap();
    let full = owner.next();
    let error = owner.write(&mut *store, &full).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }) && error.may_pass(), "{error}");
    hung.execute_batch("ROLLBACK").unwrap();
    owner.write(&mut *store, &full).unwrap();
    whole(&mut *store);
}

/// A small disk of its own, where this user may make one; `max_page_count` stands for it elsewhere (src/store/sqlite.rs).
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_everything_and_loses_nothing() {
    let ground = file();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=3m", "onus-test"])
        .arg(ground.folder.path())
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("no small disk for this user: seen by `max_page_count` alone");
        return;
    }
    let done = std::panic::catch_unwind(|| {
        let mut store = ground.open();
        let mut owner = Owner::claim(&mut *store);
        let filler = ground.folder.path().join("filler");
        fs::write(&filler, vec![0; 1_000_000]).unwrap();
        let mut full;
        let error = loop {
            full = owner.next();
            full.journal = vec![7; 100_000];
            match owner.write(&mut *store, &full) {
                Ok(()) => assert!(owner.sequence < 1_000, "the disk is never full"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        // It says so as often as it is asked, and what is there can be read.
        assert!(owner.write(&mut *store, &full).is_err());
        assert_eq!(journal(&mut *store, 0).len() as u64, owner.sequence);
        whole(&mut *store);
        fs::remove_file(&filler).unwrap();
        owner.write(&mut *store, &full).unwrap();
        assert_eq!(journal(&mut *store, 0).len() as u64, owner.sequence);
        whole(&mut *store);
        drop(store);
        whole(&mut *ground.open());
    });
    std::process::Command::new("umount").arg("-l").arg(ground.folder.path()).status().unwrap();
    done.unwrap();
}
