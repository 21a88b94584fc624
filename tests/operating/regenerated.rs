//! Records that are read anew under other tables: what is left is exactly the new meaning.

use crate::adapters::{open, plugged, tables};
use crate::shard::{DESK, Shard, at};
use onus::ingest::feed::{FeedId, Heard, Records};
use onus::runtime::live::{Clock, Contracts, Feed, Plan, Regeneration, Renewed};
use onus::store::{LetterState, Query, Store, sqlite};
use onus_engine::time::{DAY, HOUR, Moment};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

pub(crate) const NOON: &str = "2026-03-03T12:00:00Z";

/// The same state in two meanings: under way, or not begun.
pub(crate) const BEGUN: &str = ",\"18\":\"in-progress\",\"6\":\"resolved\"";
pub(crate) const NOT_BEGUN: &str = ",\"18\":\"new\",\"6\":\"resolved\"";

/// An update of an incident.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Update {
    number: u32,
    state: &'static str,
}

pub(crate) fn updates() -> impl Strategy<Value = Vec<Update>> {
    let state = prop::sample::select(vec!["1", "2", "18", "6", "7", "unknown"]);
    prop::collection::vec((1..4u32, state).prop_map(|(number, state)| Update { number, state }), 1..12)
}

/// The rows as a table is polled: each with its incident's count, two minutes after the one before.
pub(crate) fn rows(updates: &[Update]) -> Vec<String> {
    let row = |(at, update): (usize, &Update)| {
        let Update { number, state } = update;
        let count = updates[..at].iter().filter(|other| other.number == *number).count();
        let time = Moment(at_nine().0 + at as i64 * 120_000).to_string().replace('T', " ").replace(".000Z", "");
        format!(
            "{{\"sys_id\":\"{number}\",\"number\":\"INC-{number}\",\"sys_class_name\":\"incident\",\"state\":\"{state}\",\
             \"assignment_group\":\"desk\",\"opened_at\":\"2026-03-02 09:00:00\",\"sys_updated_on\":\"{time}\",\
             \"sys_mod_count\":\"{count}\"}}"
        )
    };
    updates.iter().enumerate().map(row).collect()
}

fn at_nine() -> Moment {
    at("2026-03-02T09:00:00Z")
}

/// Rows from an offset on, which came at noon.
fn records(rows: &[String], from: usize) -> Records {
    let mut records = Records::new(FeedId(0), 0, Arc::from("here"));
    for (offset, row) in rows.iter().enumerate().skip(from) {
        records.push(row.as_bytes(), offset as u64, offset as u64 + 1, at(NOON));
    }
    records
}

pub(crate) fn say(shard: &mut Shard, rows: &[String], from: usize) {
    if from < rows.len() {
        shard.live.take(Heard::Records(records(rows, from))).expect("they are taken in");
    }
    shard.caught_up(0);
    shard.write();
}

fn plan(tables: &str) -> Plan {
    let contracts = Contracts {
        list: vec![onus::contract::parse(DESK, "desk").expect("it loads")],
        text: String::new(),
        catalogue: Arc::default(),
    };
    Plan {
        contracts: Box::new(move || Ok(contracts.clone())),
        feeds: vec![Feed::named("snow")],
        adapters: vec![plugged(tables)],
        clock: Clock::Wall,
        settling: DAY,
        commit_every: 50,
        batch: 5_000,
        snapshot_every: i64::MAX / 4,
        retention: 30 * DAY,
        owner: "tests".to_owned(),
    }
}

/// Reads anew what was read up to here, in pieces of so many.
fn regenerate(dir: &Path, tables: &str, rows: &[String], piece: usize) -> Renewed {
    let mut store = sqlite::open(&dir.join("onus.db"), 0).expect("a store");
    let mut work = Regeneration::begin(&mut plan(tables), "snow", &mut store).expect("it begins");
    let mut from = 0;
    while !work.is_done(FeedId(0)) {
        let to = rows.len().min(from + piece);
        work.take(records(&rows[..to], from), &mut store).expect("it is what was read");
        from = to;
    }
    work.finish("18 is not begun", &mut store).expect("it is written")
}

/// How it stands.
#[derive(Debug, PartialEq)]
struct Stands {
    /// The state in words.
    dump: String,
    /// What is told.
    net: Vec<String>,
    /// What the adapter remembers.
    rows: Vec<(String, Option<Vec<u8>>)>,
    /// Dead letters that wait.
    letters: Vec<(u64, String)>,
}

fn stands(shard: &mut Shard) -> Stands {
    shard.set(at(NOON) + 4 * HOUR);
    shard.caught_up(0);
    shard.write();
    let dump = shard.live.dump();
    let waiting = |letter: &onus::store::Letter| letter.state == LetterState::Waiting;
    let letters = shard.letters().into_iter().filter(waiting).map(|one| (one.offset, one.reason)).collect();
    let store = shard.live.store().expect("its store");
    let net = net(store);
    let mut rows = Vec::new();
    store.remembered("urn:onus:servicenow", &mut |row| rows.push((row.id, row.row))).expect("rows");
    Stands { dump, net, rows, letters }
}

/// The last word on each duty.
pub(crate) fn net(store: &mut dyn Store) -> Vec<String> {
    let mut net = std::collections::BTreeMap::new();
    for entry in store.entries(&Query::default()).expect("entries") {
        net.insert(entry.duty(), (entry.subject, entry.to, entry.ended, entry.broken));
    }
    let net = net.into_values().filter(|(_, to, ..)| to.to_string() != "withdrawn");
    net.map(|one| format!("{one:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_after_a_regeneration_is_exactly_the_new_meaning(
        updates in updates(), read in 0..12usize, piece in 1..6usize, twice in any::<bool>(),
    ) {
        let rows = rows(&updates);
        let read = read.clamp(1, rows.len());
        let (old, new) = (tables(BEGUN), tables(NOT_BEGUN));
        let dir = tempfile::tempdir().expect("a folder");
        let one = |dir: &Path, tables: &str| {
            open(dir, vec![Feed::named("snow")], vec![plugged(tables)], NOON).expect("it opens")
        };
        let mut shard = one(dir.path(), &old);
        say(&mut shard, &rows[..read], 0);
        drop(shard);
        if twice {
            // To the new tables, back, and to the new ones: only the last counts.
            regenerate(dir.path(), &new, &rows[..read], piece);
            regenerate(dir.path(), &old, &rows[..read], piece);
        }
        let renewed = regenerate(dir.path(), &new, &rows[..read], piece);
        prop_assert_eq!(renewed.records, read as u64);
        let mut shard = one(dir.path(), &new);
        say(&mut shard, &rows, read);

        let afresh = tempfile::tempdir().expect("a folder");
        let mut other = one(afresh.path(), &new);
        say(&mut other, &rows[..read], 0);
        drop(other);
        let mut other = one(afresh.path(), &new);
        say(&mut other, &rows, read);
        prop_assert_eq!(stands(&mut shard), stands(&mut other));
    }
}

#[test]
fn a_reading_that_was_not_finished_never_was_and_another_owner_ends_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let updates = [Update { number: 1, state: "18" }, Update { number: 1, state: "7" }];
    let rows = rows(&updates);
    let (old, new) = (tables(BEGUN), tables(NOT_BEGUN));
    let one =
        |tables: &str| open(dir.path(), vec![Feed::named("snow")], vec![plugged(tables)], NOON).expect("it opens");
    let mut shard = one(&old);
    say(&mut shard, &rows, 0);
    let before = stands(&mut shard);
    drop(shard);
    let mut store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let mut work = Regeneration::begin(&mut plan(&new), "snow", &mut store).expect("it begins");
    work.take(records(&rows[..1], 0), &mut store).expect("it is what was read");
    // A process starts meanwhile.
    let mut shard = one(&old);
    let fenced = work.finish("too late", &mut store).expect_err("fenced off").to_string();
    assert!(fenced.contains("another"), "{fenced}");
    assert_eq!(stands(&mut shard), before);
}

#[test]
fn what_is_there_now_must_be_what_was_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = rows(&[Update { number: 1, state: "1" }]);
    let mut shard = open(dir.path(), vec![Feed::named("snow")], vec![plugged(&tables(BEGUN))], NOON).expect("it opens");
    say(&mut shard, &rows, 0);
    drop(shard);
    let mut store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let mut work = Regeneration::begin(&mut plan(&tables(NOT_BEGUN)), "snow", &mut store).expect("it begins");
    let mut other = records(&rows, 0);
    other.incarnation = Arc::from("elsewhere");
    let wrong = work.take(other, &mut store).expect_err("another topic").to_string();
    assert!(wrong.contains("elsewhere") && wrong.contains("nothing was changed"), "{wrong}");
    let wrong =
        Regeneration::begin(&mut plan(&tables("")), "tickets", &mut store).err().expect("no such source").to_string();
    assert!(wrong.contains("no source `tickets`"), "{wrong}");
    assert_eq!(store.regenerated().expect("marks"), []);
}

/// A file that was cut, a topic whose end is gone: what cannot be read any more is not taken back.
#[test]
fn what_is_not_there_any_more_stands_as_it_was_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = rows(&[Update { number: 1, state: "18" }, Update { number: 2, state: "18" }]);
    let mut shard = open(dir.path(), vec![Feed::named("snow")], vec![plugged(&tables(BEGUN))], NOON).expect("it opens");
    say(&mut shard, &rows, 0);
    drop(shard);
    let mut store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let mut work = Regeneration::begin(&mut plan(&tables(NOT_BEGUN)), "snow", &mut store).expect("it begins");
    work.take(records(&rows[..1], 0), &mut store).expect("it is what was read");
    work.ended(FeedId(0), None);
    work.finish("only the first is left", &mut store).expect("it is written");
    let marks = store.regenerated().expect("marks");
    assert_eq!((marks.len(), marks[0].begins, marks[0].ends), (1, 0, 1));
    drop(store);
    let tables = tables(NOT_BEGUN);
    let mut shard = open(dir.path(), vec![Feed::named("snow")], vec![plugged(&tables)], NOON).expect("it opens");
    let net = stands(&mut shard).net;
    assert!(net.iter().any(|one| one.contains("INC-1") && one.contains("Breached")), "{net:?}");
    assert!(net.iter().any(|one| one.contains("INC-2") && one.contains("Met")), "{net:?}");
}

/// What a dead letter becomes is of the reading that counts, not of the first.
#[test]
fn a_dead_letter_of_the_new_reading_that_is_read_again_stays_when_all_is_judged_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = rows(&[Update { number: 1, state: "18" }, Update { number: 2, state: "1" }]);
    let one =
        |tables: &str| open(dir.path(), vec![Feed::named("snow")], vec![plugged(tables)], NOON).expect("it opens");
    let mut shard = one(&tables(""));
    say(&mut shard, &rows, 0);
    drop(shard);
    regenerate(dir.path(), &tables(",\"6\":\"resolved\""), &rows, 2);
    let mended = tables(NOT_BEGUN);
    let mut shard = one(&mended);
    let waits = shard.letters().into_iter().find(|letter| letter.state == LetterState::Waiting).expect("a letter");
    let store = shard.live.store().expect("its store");
    assert!(store.mark(waits.number, LetterState::Asked, None).expect("marked"));
    shard.set(at(NOON) + 5_000);
    shard.write();
    let before = stands(&mut shard);
    assert!(before.net.iter().any(|one| one.contains("INC-1")), "{before:?}");
    drop(shard);
    let mut store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let again = onus::runtime::live::replay(&mut plan(&mended), &mut store).expect("it is judged again");
    assert!(again.moved.is_empty() && again.dump.contains("INC-1"), "{}", again.dump);
}
