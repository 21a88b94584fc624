//! PostgreSQL: the suite, and what a server of its own can do wrong.

use crate::batches::{Full, Owner};
use crate::conformance::{Ground, conforms, journal, whole};
use crate::server::{Cluster, Stop, shared};
use onus::store::place::{Place, open};
use onus::store::{Query, Store, StoreError};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

struct Database {
    cluster: &'static Cluster,
    name: String,
}

fn database() -> Database {
    let cluster = shared();
    Database { cluster, name: cluster.database() }
}

impl Ground for Database {
    fn try_open(&self) -> Result<Box<dyn Store>, StoreError> {
        at(&self.cluster.url(&self.name))
    }

    fn run(&self, sql: &str) {
        let sql = if sql == "NEWER SCHEMA" { "INSERT INTO migration VALUES (99)" } else { sql };
        self.cluster.sql(&self.name, &format!("SET search_path TO onus; {sql}"));
    }

    fn flip(&self, table: &str, column: &str, condition: &str) {
        let flipped = format!("set_byte({column}, 0, get_byte({column}, 0) # 1)");
        self.run(&format!("UPDATE {table} SET {column} = {flipped} WHERE {condition}"));
    }
}

fn at(url: &str) -> Result<Box<dyn Store>, StoreError> {
    open(&Place::parse(url)?, 7)
}

conforms!(database);

/// As the loop does it: the same batch until it is written, while the trouble may pass.
fn write_on(store: &mut dyn Store, owner: &mut Owner, full: &Full) -> u32 {
    for tries in 0..600 {
        match owner.write(store, full) {
            Ok(()) => return tries,
            Err(error) if error.may_pass() => std::thread::sleep(Duration::from_millis(50)),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("never written");
}

fn all_there(store: &mut dyn Store, written: &[Full]) {
    let commits = journal(store, 0);
    assert_eq!(commits.len(), written.len());
    assert!(commits.iter().zip(written).all(|(commit, full)| commit.journal == full.journal));
    let entries = store.entries(&Query::default()).unwrap();
    assert_eq!(entries, written.iter().flat_map(|full| full.entries.clone()).collect::<Vec<_>>());
    whole(store);
}

#[test]
fn a_server_that_was_restarted_between_two_calls_is_found_again() {
    let cluster = Cluster::start("-c fsync=off");
    let mut store = at(&cluster.url(&cluster.database())).unwrap();
    let mut owner = Owner::claim(&mut *store);
    let mut written = owner.write_some(&mut *store, 2);
    cluster.restart();
    written.extend(owner.write_some(&mut *store, 1));
    cluster.stop(Stop::Fast);
    let full = owner.next();
    let error = owner.write(&mut *store, &full).unwrap_err();
    assert!(error.may_pass() && error.to_string().contains("tried again"), "{error}");
    assert!(store.entries(&Query::default()).unwrap_err().may_pass());
    cluster.go_on();
    owner.write(&mut *store, &full).unwrap();
    written.push(full);
    all_there(&mut *store, &written);
}

#[test]
fn a_server_that_is_killed_while_it_commits_loses_nothing_and_writes_nothing_twice() {
    let cluster = Cluster::start("-c fsync=off");
    let mut store = at(&cluster.url(&cluster.database())).unwrap();
    let mut owner = Owner::claim(&mut *store);
    let ended = AtomicBool::new(false);
    let (written, troubles) = std::thread::scope(|scope| {
        let ended = &ended;
        let store = &mut store;
        let writing = scope.spawn(move || {
            let (mut written, mut troubles) = (Vec::new(), 0);
            while !ended.load(Ordering::Relaxed) {
                let full = owner.next();
                troubles += u32::from(write_on(&mut **store, &mut owner, &full) > 0);
                written.push(full);
            }
            (written, troubles)
        });
        for how in [Stop::Immediate, Stop::Kill, Stop::Immediate, Stop::Fast, Stop::Immediate] {
            std::thread::sleep(Duration::from_millis(300));
            cluster.stop(how);
            cluster.go_on();
        }
        std::thread::sleep(Duration::from_millis(300));
        ended.store(true, Ordering::Relaxed);
        writing.join().unwrap()
    });
    assert!(written.len() > 20 && troubles > 2, "{} written, {troubles} troubles", written.len());
    all_there(&mut *store, &written);
}

/// What a wire between owner and server does to a COMMIT.
#[derive(Clone, Copy, PartialEq)]
enum Wire {
    Whole,
    /// It arrives, and the answer does not.
    CutAfter,
    /// It does not arrive.
    CutBefore,
}

/// A wire that is cut at the next COMMIT, and whole again for the next connection.
fn wire(port: u16) -> (u16, Arc<Mutex<Wire>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let state = Arc::new(Mutex::new(Wire::Whole));
    let told = Arc::clone(&state);
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back_from, mut back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
            let cut = Arc::new(AtomicBool::new(false));
            let answers_go = Arc::clone(&cut);
            std::thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while let Ok(count @ 1..) = back_from.read(&mut bytes) {
                    if answers_go.load(Ordering::SeqCst) || back_to.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
                back_to.shutdown(Shutdown::Both).ok();
            });
            let told = Arc::clone(&told);
            std::thread::spawn(move || forward(near, far, &told, &cut));
        }
    });
    (own, state)
}

fn forward(mut near: TcpStream, mut far: TcpStream, state: &Mutex<Wire>, cut: &AtomicBool) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = near.read(&mut bytes) {
        if bytes[..count].windows(7).any(|part| part == b"COMMIT\0") {
            let how = std::mem::replace(&mut *state.lock().unwrap(), Wire::Whole);
            if how != Wire::Whole {
                cut.store(true, Ordering::SeqCst);
                if how == Wire::CutAfter {
                    far.write_all(&bytes[..count]).ok();
                }
                near.shutdown(Shutdown::Both).ok();
                // The server has what it got, and ends the session after it.
                far.shutdown(Shutdown::Write).ok();
                return;
            }
        }
        if far.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
    far.shutdown(Shutdown::Both).ok();
}

#[test]
fn a_commit_whose_answer_is_lost_is_known_to_have_been_made() {
    let ground = database();
    let (port, state) = wire(ground.cluster.port());
    let mut store = at(&format!("postgres://onus@127.0.0.1:{port}/{}", ground.name)).unwrap();
    let mut owner = Owner::claim(&mut *store);
    let mut written = Vec::new();
    for how in [Wire::CutAfter, Wire::CutBefore, Wire::CutAfter, Wire::CutAfter, Wire::CutBefore, Wire::Whole] {
        *state.lock().unwrap() = how;
        let full = owner.next();
        // The store finds out by itself: the server is there.
        owner.write(&mut *store, &full).unwrap();
        assert!(*state.lock().unwrap() == Wire::Whole, "the wire was not cut");
        written.push(full);
    }
    all_there(&mut *store, &written);
}

#[test]
fn an_unknown_outcome_does_not_outlive_a_new_owner() {
    let ground = database();
    let (port, state) = wire(ground.cluster.port());
    let mut store = at(&format!("postgres://onus@127.0.0.1:{port}/{}", ground.name)).unwrap();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 1);
    *state.lock().unwrap() = Wire::CutAfter;
    // A claim whose answer is lost has been made, and nobody believes it.
    assert!(store.claim("lost").unwrap_err().may_pass());
    let full = owner.next();
    assert!(matches!(owner.write(&mut *store, &full), Err(StoreError::Fenced { .. })));
    let claim = store.claim("again").unwrap();
    assert_eq!((claim.epoch.0, claim.sequence), (3, 1));
}

#[test]
fn a_shard_that_somebody_holds_is_waited_for_and_then_told() {
    let ground = database();
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let full = owner.next();
    std::thread::scope(|scope| {
        scope.spawn(|| ground.run("BEGIN; UPDATE shard SET owner = 'hung'; SELECT pg_sleep(13); ROLLBACK"));
        std::thread::sleep(Duration::from_secs(1));
        let error = owner.write(&mut *store, &full).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert!(error.to_string().contains("lock"), "{error}");
    });
    owner.write(&mut *store, &full).unwrap();
    whole(&mut *store);
}

#[test]
fn what_cannot_be_a_store_is_named_with_a_remedy() {
    let ground = database();
    let port = ground.cluster.port();
    let said = |url: &str| at(url).map(drop).unwrap_err();
    let error = said(&format!("postgres://onus@127.0.0.1:{port}/nowhere"));
    assert!(!error.may_pass() && error.to_string().contains("createdb"), "{error}");
    let error = said(&format!("postgres://stranger:hunter2@127.0.0.1:{port}/{}", ground.name));
    assert!(!error.may_pass() && !error.to_string().contains("hunter2"), "{error}");
    let error = said(&format!("postgres://onus@127.0.0.1:{port}/{}?passwordfile=/nowhere/at/all", ground.name));
    assert!(!error.may_pass() && error.to_string().contains("/nowhere/at/all"), "{error}");
    // Nobody listens there: it may come yet.
    let error = said("postgres://onus@127.0.0.1:1/db");
    assert!(error.may_pass(), "{error}");
    ground.cluster.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
    let error = said(&ground.cluster.url("latin"));
    assert!(!error.may_pass() && error.to_string().contains("ENCODING 'UTF8'"), "{error}");
    ground.cluster.sql("postgres", "CREATE ROLE guest LOGIN");
    let error = said(&format!("postgres://guest@127.0.0.1:{port}/{}", ground.name));
    assert!(!error.may_pass() && error.to_string().contains("schema `onus`"), "{error}");
}
