//! Stores as older versions left them: made by their own migrations, and filled with what a store of today holds.

use crate::batches::Owner;
use crate::conformance::{journal, whole};
use crate::server::shared;
use onus::store::place::{Place, open};
use onus::store::{Query, Store, sqlite};
use std::fs;

/// Schema 2, as that version made it.
const TWO: [&str; 2] =
    [include_str!("../../src/store/schema/0001.sql"), include_str!("../../src/store/schema/0002.sql")];
const TABLES: [&str; 12] = [
    "shard",
    "journal",
    "ledger",
    "letter",
    "released_key",
    "released_page",
    "source_position",
    "terms",
    "snapshot_piece",
    "remembered",
    "stamp",
    "regenerated",
];

fn two(kind: &str, bytes: &str, sorted: &str) -> String {
    let only = format!("--{kind}:");
    let lines = TWO.iter().flat_map(|text| text.lines()).map(|line| line.strip_prefix(&only).unwrap_or(line));
    let text: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("--")).collect();
    text.join("\n").replace("{bytes}", bytes).replace("{sorted}", sorted)
}

/// Everything that is in it, but for who owns it.
fn all(store: &mut dyn Store) -> String {
    let mut remembered = Vec::new();
    store.remembered("urn:onus:one", &mut |row| remembered.push(format!("{row:?}"))).unwrap();
    let commits: Vec<_> = journal(store, 0).into_iter().map(|one| (one.sequence, one.journal.clone())).collect();
    let entries = store.entries(&Query::default()).unwrap();
    let letters = store.letters(&Query::default()).unwrap();
    let (positions, stamps) = (store.positions().unwrap(), store.stamps().unwrap());
    let (terms, regenerated) = (store.terms().unwrap(), store.regenerated().unwrap());
    format!("{commits:?} {entries:?} {letters:?} {positions:?} {stamps:?} {terms:?} {regenerated:?} {remembered:?}")
}

fn fill(store: &mut dyn Store) -> String {
    let mut owner = Owner::claim(store);
    owner.write_some(store, 20);
    store.put_snapshot(owner.epoch, owner.sequence, 0, b"a piece").unwrap();
    store.seal_snapshot(owner.epoch, owner.sequence, 1).unwrap();
    all(store)
}

/// It has what it had, and takes more.
fn goes_on(store: &mut dyn Store, before: &str) {
    assert_eq!(all(store), before);
    let mut pieces = Vec::new();
    let sealed = store.snapshot(&mut |piece| {
        pieces.push(piece.to_vec());
        Ok(())
    });
    assert_eq!((sealed.unwrap(), pieces), (Some(20), vec![b"a piece".to_vec()]));
    Owner::claim(store).write_some(store, 5);
    assert_eq!(journal(store, 0).len(), 25);
    whole(store);
}

#[test]
fn a_file_as_schema_2_left_it_is_brought_up_to_date_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let (newer, path) = (folder.path().join("newer.db"), folder.path().join("onus.db"));
    let mut store = sqlite::open(&newer, 7).unwrap();
    let before = fill(&mut store);
    drop(store);
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(&two("sqlite", "BLOB", "WITHOUT ROWID")).unwrap();
    file.execute("ATTACH ?1 AS newer", [newer.to_str().unwrap()]).unwrap();
    for table in TABLES {
        let mut asked = file.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        let columns: Vec<String> = asked.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let columns = columns.join(", ");
        file.execute_batch(&format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM newer.{table}")).unwrap();
    }
    file.pragma_update(None, "user_version", 2).unwrap();
    file.pragma_update(None, "application_id", 0x4f4e_5553).unwrap();
    drop(file);
    fs::remove_file(newer).unwrap();
    goes_on(&mut sqlite::open(&path, 7).unwrap(), &before);
    let file = rusqlite::Connection::open(&path).unwrap();
    let version: u32 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert!(version > 2);
    file.execute_batch("SELECT * FROM member, lease").unwrap();
}

#[test]
fn a_database_as_schema_2_left_it_is_brought_up_to_date_by_many_at_once_and_keeps_what_it_has() {
    let (cluster, name) = (shared(), shared().database());
    let place = Place::parse(&cluster.url(&name)).unwrap();
    let mut store = open(&place, 7).unwrap();
    let before = fill(&mut *store);
    drop(store);
    let text = two("postgres", "BYTEA", "");
    cluster.sql(
        &name,
        &format!(
            "ALTER SCHEMA onus RENAME TO newer; CREATE SCHEMA onus; SET search_path TO onus; \
             CREATE TABLE migration (number BIGINT PRIMARY KEY); INSERT INTO migration VALUES (1), (2); {text}"
        ),
    );
    for table in TABLES {
        let asked = format!(
            "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns \
             WHERE table_schema = 'onus' AND table_name = '{table}'"
        );
        let columns = cluster.sql(&name, &asked);
        let columns = columns.trim();
        cluster.sql(&name, &format!("INSERT INTO onus.{table} ({columns}) SELECT {columns} FROM newer.{table}"));
    }
    cluster.sql(&name, "DROP SCHEMA newer CASCADE");
    // As when all processes of a new version are started at once.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(open(&place, 7).unwrap()));
        }
    });
    goes_on(&mut *open(&place, 7).unwrap(), &before);
    let numbers = cluster.sql(&name, "SELECT count(*) FROM onus.migration WHERE number IN (1, 2, 3, 4)");
    assert_eq!(numbers.trim(), "4", "each of them once");
    cluster.sql(&name, "SELECT * FROM onus.member, onus.lease");
}
