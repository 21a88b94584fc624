//! Killed in the middle of it, and started again.

use crate::postgres;
use crate::world::{Stage, World, said};
use onus::store::{Committed, Entry, Letter, Position, Query, copies};
use std::time::{Duration, Instant};

/// Everything of a shard but whose it is.
type All = Vec<(Vec<Committed>, Vec<Entry>, Vec<Letter>, Vec<Position>)>;

fn all(world: &World) -> All {
    let shards = (0..world.at.partitions).chain([u16::MAX]);
    shards
        .map(|n| {
            let mut store = world.shard(n);
            let entries = store.entries(&Query::default()).expect("a ledger");
            let letters = store.letters(&Query::default()).expect("letters");
            (store.journal(0, 0).expect("a journal"), entries, letters, store.positions().expect("positions"))
        })
        .collect()
}

/// Whoever writes so to this database stands still until this is dropped.
struct Halt<'a> {
    database: &'a str,
    table: &'a str,
    holder: Option<std::thread::JoinHandle<()>>,
}

impl<'a> Halt<'a> {
    fn new(database: &'a str, table: &'a str, when: &str) -> Halt<'a> {
        let server = postgres::shared();
        let name = database.to_owned();
        let holder = std::thread::spawn(move || {
            // It is ended by force.
            let _ = std::panic::catch_unwind(|| {
                postgres::shared().sql(&name, "SELECT pg_advisory_lock(7); SELECT pg_sleep(600)")
            });
        });
        let halt = Halt { database, table, holder: Some(holder) };
        halt.until("the lock is held", "granted");
        server.sql(
            database,
            &format!(
                "CREATE FUNCTION halt() RETURNS trigger AS $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NEW; END $$ \
                 LANGUAGE plpgsql; CREATE TRIGGER halt BEFORE {when} EXECUTE FUNCTION halt()"
            ),
        );
        halt
    }

    fn until(&self, what: &str, so: &str) {
        let sql = format!(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE d.datname = '{}' AND l.locktype = 'advisory' AND {so}",
            self.database
        );
        let began = Instant::now();
        while postgres::shared().sql(self.database, &sql).trim() == "0" {
            assert!(began.elapsed() < Duration::from_secs(60), "{what}: never came");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Halt<'_> {
    fn drop(&mut self) {
        let server = postgres::shared();
        let ends = "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE \
                    l.locktype = 'advisory' AND l.granted";
        server.sql(self.database, &format!("{ends} AND d.datname = '{}'", self.database));
        if let Some(holder) = self.holder.take() {
            let _ = holder.join();
        }
        server.sql(self.database, &format!("DROP TRIGGER halt ON onus.{}; DROP FUNCTION halt()", self.table));
    }
}

#[test]
fn killed_at_any_instant_it_leaves_the_old_store_as_it_was_and_is_started_again() {
    let mut world = World::new(2, 1_500);
    world.begin();
    world.feed(700);
    world.until_decided();
    world.stop();
    let before = all(&world);
    let new = world.stage(3);
    let database = new.database.clone().expect("a database");
    // The schema is there, and nothing in it.
    drop(onus::store::place::open(&world.place(&new.url), 0).expect("a schema"));
    let halts = [
        ("journal", "INSERT ON onus.journal FOR EACH ROW WHEN (NEW.shard = 0)"),
        ("ledger", "INSERT ON onus.ledger FOR EACH ROW WHEN (NEW.shard = 1)"),
        ("snapshot_piece", "INSERT ON onus.snapshot_piece FOR EACH ROW WHEN (NEW.shard = 1)"),
        ("source_position", "UPDATE ON onus.source_position FOR EACH ROW WHEN (NEW.incarnation LIKE '%/%')"),
    ];
    world.house.write("next.toml", "");
    for (table, when) in halts {
        let halt = Halt::new(&database, table, when);
        let mut child = world.reshards(&world.at, &new);
        halt.until(table, "NOT granted");
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        drop(halt);
        assert_eq!(all(&world), before, "{table}: what is divided stays as it was");
        let out = world.house.onus(&["run", "--config", "next.toml", "--role", "judge", "--shard", "0"]);
        assert_eq!(out.status.code(), Some(2), "{table}");
        assert!(said(&out).contains("has begun this store and not finished it"), "{table}: {}", said(&out));
    }
    // The old ones can go on instead, and it is divided later.
    world.begin();
    world.feed(300);
    world.until_decided();
    world.stop();
    world.divides(&new);
    world.holds();
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    world.holds();
    world.nothing_was_refused();
}

#[test]
fn a_ledger_that_does_not_begin_with_its_line_is_found() {
    let mut world = World::new(0, 300);
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    let to: Stage = world.stage_at(2, "sqlite:two.db");
    world.divides(&to);
    let line = |world: &World| {
        let positions = world.shard(0).positions().expect("positions");
        positions.into_iter().find(|one| one.source == "@follows").expect("a line")
    };
    let follows = line(&world);
    let old = world.place("sqlite:onus.db");
    let held = onus::store::reshard::held(&old).expect("it can be read").remove(0);
    let hex: String = held.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let due = format!("after the ledgers of one process: 0 to entry {} {hex};", held.entries);
    assert_eq!(follows.incarnation, due);
    let mut store = world.shard(0);
    let claim = store.claim("somebody").expect("ours");
    let other = [Position { incarnation: due.replace("entry", "entry 1"), ..follows }];
    let batch = onus::store::Batch {
        positions: &other,
        ..onus::store::Batch::empty(claim.sequence + 1, onus_engine::time::Moment::DAWN)
    };
    store.commit(claim.epoch, &batch).expect("written");
    let found = copies::verify(&world.place(&to.url)).expect("it can be read");
    assert!(found[&0].wrong[0].contains("does not begin with the line"), "{found:?}");
    assert!(found[&1].wrong.is_empty());
}
