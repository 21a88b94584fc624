//! What was changed behind the store's back: `verify` names it, and it is not read as if nothing had been.

use crate::batches::{Owner, Recalled};
use crate::conformance::{Ground, whole};
use onus::store::{Query, Store, StoreError};
use onus_engine::time::Moment;

/// A store with something of everything, damaged by a statement; what verify says of it.
fn after(ground: &dyn Ground, sql: &str) -> (Box<dyn Store>, Owner, Vec<String>) {
    damage(ground, || ground.run(sql))
}

/// The same, with one bit of one blob turned round.
fn flipped(ground: &dyn Ground, table: &str, column: &str, condition: &str) -> (Box<dyn Store>, Owner, Vec<String>) {
    damage(ground, || ground.flip(table, column, condition))
}

fn damage(ground: &dyn Ground, act: impl FnOnce()) -> (Box<dyn Store>, Owner, Vec<String>) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 4);
    for piece in 0..2 {
        store.put_snapshot(owner.epoch, 4, piece, b"a piece of a snapshot").unwrap();
    }
    store.seal_snapshot(owner.epoch, 4, 2).unwrap();
    whole(&mut *store);
    act();
    let wrong = store.verify().unwrap().wrong;
    (store, owner, wrong)
}

fn says(wrong: &[String], due: &[&str]) {
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(due.iter().all(|part| wrong[0].contains(part)), "{wrong:?}");
}

fn damaged<T: std::fmt::Debug>(read: Result<T, StoreError>, due: &str) {
    match read {
        Err(StoreError::Damaged { what, .. }) => assert!(what.contains(due), "{what}"),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn a_changed_commit(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "journal", "bytes", "sequence = 3");
    says(&wrong, &["journal", "commit 3", "sum"]);
    damaged(store.journal(0, 0), "commit 3");
    assert_eq!(store.journal(0, 2).unwrap().len(), 2);
}

pub(crate) fn a_missing_commit(ground: &dyn Ground) {
    let (_, _, wrong) = after(ground, "DELETE FROM journal WHERE sequence = 2");
    says(&wrong, &["journal", "commit 2 is missing"]);
}

pub(crate) fn a_changed_entry(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "ledger", "bytes", "last = 6");
    says(&wrong, &["ledger", "entries 4 to 6 are not as they were written"]);
    damaged(store.entries(&Query::default()), "entries 4 to 6");
    assert_eq!(store.entries(&Query { limit: 3, ..Query::default() }).unwrap().len(), 3);
}

/// What can be read, and even was written once, is not what was written here.
pub(crate) fn a_forged_entry(ground: &dyn Ground) {
    let (_, _, wrong) =
        after(ground, "UPDATE ledger SET bytes = (SELECT bytes FROM ledger WHERE last = 9) WHERE last = 6");
    says(&wrong, &["ledger", "entries 4 to 6", "their digests do not lead to the last one"]);
}

pub(crate) fn a_changed_link(ground: &dyn Ground) {
    let (_, _, wrong) = after(ground, "UPDATE ledger SET digest = before WHERE last = 6");
    says(&wrong, &["ledger", "entries 4 to 6", "the first of 2"]);
}

pub(crate) fn a_missing_entry(ground: &dyn Ground) {
    let (_, _, wrong) = after(ground, "DELETE FROM ledger WHERE last = 6");
    says(&wrong, &["ledger", "entry 4 is missing", "the first of 2"]);
}

pub(crate) fn a_ledger_cut_at_its_end(ground: &dyn Ground) {
    let (mut store, owner, wrong) = after(ground, "DELETE FROM ledger WHERE last > 10");
    says(&wrong, &["ledger", "ends with entry 9, and 12 were written"]);
    // Nor does retention make it whole again.
    store.retire(owner.epoch, 0, Moment::NEVER).unwrap();
    assert_eq!(store.verify().unwrap().wrong.len(), 1);
}

pub(crate) fn a_changed_page(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "released_page", "bytes", "sequence = 2 AND page = 0");
    says(&wrong, &["released subjects", "page 0 of commit 2", "sum"]);
    damaged(store.recalled(1, 7, u64::MAX), "page 0");
    assert_eq!(store.recalled(1, 1_003, u64::MAX).unwrap().len(), 1);
}

pub(crate) fn a_changed_key(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "released_page", "keys", "sequence = 2 AND page = 0");
    says(&wrong, &["released subjects", "page 0 of commit 2", "sum"]);
    // Not even of others is said that they are not there.
    drop(store.claim("next"));
    damaged(store.recalled(1, 6, u64::MAX), "page 0 of released subjects of commit 2");
}

/// Keys of pages that lie in runs.
pub(crate) fn changed_keys(ground: &dyn Ground) {
    let (_, _, wrong) = damage(ground, || {
        many_keys(ground);
        ground.flip("released_key", "keys", "name = (SELECT MIN(name) FROM released_key)");
    });
    assert!(wrong[0].contains("of keys has another sum"), "{wrong:?}");
    damaged(ground.open().recalled(1, 0, u64::MAX), "another sum");
}

pub(crate) fn a_missing_row_of_keys(ground: &dyn Ground) {
    let (_, _, wrong) = damage(ground, || {
        many_keys(ground);
        ground.run("DELETE FROM released_key WHERE name = (SELECT MIN(name) FROM released_key)");
    });
    assert!(wrong[0].contains("the keys of page"), "{wrong:?}");
    damaged(ground.open().recalled(1, 3, u64::MAX), "is missing");
}

/// So many keys that they are written as a run.
fn many_keys(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let mut full = owner.next();
    full.terms = None;
    full.pages[0].keys = (0..9_000).map(|n| n << 48).collect();
    owner.write(&mut *store, &full).unwrap();
}

pub(crate) fn a_changed_piece(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "snapshot_piece", "bytes", "piece = 1");
    says(&wrong, &["snapshot", "piece 1", "sum"]);
    damaged(store.snapshot(&mut |_| Ok(())), "piece 1");
}

pub(crate) fn a_changed_letter(ground: &dyn Ground) {
    let (mut store, _, wrong) = flipped(ground, "letter", "record", "number = 2");
    says(&wrong, &["dead letters", "letter 2", "sum"]);
    damaged(store.letters(&Query::default()), "letter 2");
}

pub(crate) fn changed_contracts(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE terms SET text = text || ' '");
    says(&wrong, &["contracts", "since commit 1"]);
    damaged(store.claim("next").map(drop), "since commit 1");
}

pub(crate) fn a_changed_position(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE source_position SET next = next + 1 WHERE source = 'changes'");
    says(&wrong, &["positions", "changes"]);
    damaged(store.claim("next").map(drop), "changes");
}

pub(crate) fn a_changed_memory(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE remembered SET at = at + 1 WHERE id = 'incident:2'");
    says(&wrong, &["what adapters remember", "urn:onus:one", "incident:2"]);
    damaged(store.remembered("urn:onus:one", &mut |_| {}), "incident:2");
}

pub(crate) fn a_changed_stamp(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE stamp SET version = version + 1");
    says(&wrong, &["stamps of adapters", "urn:onus:one"]);
    damaged(store.stamps().map(drop), "urn:onus:one");
}

pub(crate) fn a_changed_generation(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE regenerated SET begins = begins + 1");
    says(&wrong, &["what was read anew", "tickets"]);
    damaged(store.regenerated().map(drop), "tickets");
}

pub(crate) fn a_cell_of_another_kind(ground: &dyn Ground) {
    let (mut store, _, wrong) = after(ground, "UPDATE letter SET state = 7 WHERE number > 2");
    says(&wrong, &["dead letters", "7 is no state of a dead letter", "the first of 2"]);
    damaged(store.letters(&Query::default()), "no state");
}

/// The ground is told to open it once more, and must be refused.
pub(crate) fn a_newer_schema(ground: &dyn Ground) {
    drop(after(ground, "SELECT 1"));
    ground.run("NEWER SCHEMA");
    match ground.try_open() {
        Err(StoreError::Newer { found: 99, known: 4, .. }) => {}
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("opened"),
    }
}
