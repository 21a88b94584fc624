//! Sources that bring a vendor's records: what adapters remember is written with the facts, or not at all.

use crate::shard::{DESK, Shard, at, kept};
use onus::ingest::adapt::{Adapter, Settings};
use onus::ingest::feed::{FeedId, Heard, Records};
use onus::runtime::live::{Clock, Feed, LiveError, Plugged};
use onus::store::{LetterState, Query, Remembered};
use onus_engine::time::{DAY, HOUR};
use std::path::Path;
use std::sync::Arc;

const NOON: &str = "2026-03-02T12:00:00Z";

/// ServiceNow's tables, with these states of incidents.
pub(crate) fn tables(states: &str) -> String {
    format!(
        "{{\"partners\":{{\"p1\":{{\"servicenow\":{{\"assignment_group\":[\"desk\"]}}}}}},\"servicenow\":{{\"incident\":{{\"state\":\
         {{\"1\":\"new\",\"2\":\"in-progress\",\"7\":\"closed\"{states}}}}}}}}}"
    )
}

pub(crate) fn plugged(tables: &str) -> Option<Plugged> {
    let settings = Settings::parse(tables).expect("tables");
    Some(Plugged { adapter: Arc::new(Adapter::new("servicenow", &settings).expect("an adapter")), topic: None })
}

pub(crate) fn open(
    dir: &Path,
    feeds: Vec<Feed>,
    adapters: Vec<Option<Plugged>>,
    now: &str,
) -> Result<Shard, LiveError> {
    Shard::plugged(Clock::Wall, DESK, feeds, adapters, kept(dir), at(now))
}

fn one(dir: &Path, tables: &str, now: &str) -> Shard {
    open(dir, vec![Feed::named("snow")], vec![plugged(tables)], now).expect("it opens")
}

/// An incident as it is after so many updates, each an hour after the one before.
fn row(number: u32, count: u32, state: &str) -> String {
    let hour = 9 + count;
    let closed = if state == "7" { format!(",\"closed_at\":\"2026-03-02 {hour:02}:00:00\"") } else { String::new() };
    format!(
        "{{\"sys_id\":\"{number}\",\"number\":\"INC-{number}\",\"sys_class_name\":\"incident\",\"state\":\"{state}\",\
         \"assignment_group\":\"desk\",\"opened_at\":\"2026-03-02 09:00:00\",\"sys_updated_on\":\"2026-03-02 {hour:02}:00:00\",\
         \"sys_mod_count\":\"{count}\"{closed}}}"
    )
}

fn remembered(shard: &mut Shard) -> Vec<Remembered> {
    let mut rows = Vec::new();
    let store = shard.live.store().expect("its store");
    store.remembered("urn:onus:servicenow", &mut |row| rows.push(row)).expect("rows");
    rows
}

/// What the ledger says last of a ticket.
fn stands(shard: &mut Shard, subject: &str) -> Option<String> {
    let query = Query { subject: Some(subject.to_owned()), ..Query::default() };
    let entries = shard.live.store().expect("its store").entries(&query).expect("entries");
    entries.last().map(|entry| entry.to.to_string())
}

#[test]
fn what_is_remembered_is_written_with_the_facts_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &tables(""), NOON);
    shard.say(0, &[row(1, 0, "1")]);
    shard.write();
    assert_eq!(remembered(&mut shard).len(), 1);
    // Acknowledged, and killed before that is written.
    shard.say(0, &[row(1, 1, "2")]);
    drop(shard);
    let mut shard = one(dir.path(), &tables(""), NOON);
    // Read again from the position: the difference is there to be seen once more.
    shard.say(0, &[row(1, 1, "2")]);
    shard.write();
    assert_eq!(stands(&mut shard, "INC-1").as_deref(), Some("met"));
    // And a third time it is none.
    let before = remembered(&mut shard);
    shard.say(0, &[row(1, 1, "2")]);
    shard.write();
    assert_eq!((remembered(&mut shard), shard.letters().len()), (before, 0));
}

#[test]
fn a_record_that_cannot_be_read_is_a_dead_letter_and_is_read_once_the_tables_are_mended() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &tables(""), NOON);
    shard.say(0, &[row(1, 0, "18"), row(2, 0, "1"), "{".to_owned()]);
    shard.write();
    let letters = shard.letters();
    let reasons: Vec<&str> = letters.iter().map(|letter| &*letter.reason).collect();
    assert_eq!(reasons, ["unmapped-state", "not-json"]);
    assert!(
        letters[0].detail.contains("`18`") && letters[0].detail.contains("adapter-settings"),
        "{}",
        letters[0].detail
    );
    assert_eq!(letters[0].record, row(1, 0, "18").into_bytes(), "as it came");
    // But for what nobody should keep.
    let leak = row(9, 0, "18").replace("INC-9", "INC-9 password=hunter2hunter2");
    shard.say(0, &[leak]);
    shard.write();
    let last = shard.letters().pop().expect("a letter");
    let (record, detail) = (String::from_utf8_lossy(&last.record).into_owned(), last.detail);
    assert!(
        record.contains("[redacted:") && !record.contains("hunter2") && !detail.contains("hunter2"),
        "{record} {detail}"
    );
    drop(shard);
    let mut shard = one(dir.path(), &tables(",\"18\":\"new\""), NOON);
    let stamps = shard.live.store().expect("its store").stamps().expect("stamps");
    assert_eq!(stamps.len(), 1);
    for number in [1, 2] {
        assert!(shard.live.store().expect("its store").mark(number, LetterState::Asked, None).expect("marked"));
    }
    shard.set(at(NOON) + 5_000);
    shard.write();
    let states: Vec<_> = shard.letters().iter().map(|letter| letter.state).collect();
    assert_eq!(
        states,
        [LetterState::Replayed, LetterState::Waiting, LetterState::Waiting],
        "what is no JSON stays what it is"
    );
    assert_eq!(remembered(&mut shard).len(), 2);
    // The mended tables hold from the commit in which they were first used.
    let now = shard.live.store().expect("its store").stamps().expect("stamps");
    assert!(now[0].config != stamps[0].config && now[0].since > stamps[0].since);
    shard.set(at(NOON) + 2 * HOUR);
    shard.caught_up(0);
    shard.write();
    assert_eq!(stands(&mut shard, "INC-1").as_deref(), Some("breached"));
}

#[test]
fn an_event_that_its_source_may_not_say_is_kept_as_an_event_and_counts_once_it_may() {
    let dir = tempfile::tempdir().expect("a folder");
    let narrow = Feed { types: vec!["ticket.opened".to_owned()], ..Feed::named("snow") };
    let mut shard = open(dir.path(), vec![narrow], vec![plugged(&tables(""))], NOON).expect("it opens");
    shard.say(0, &[row(1, 0, "1"), row(1, 1, "2")]);
    shard.write();
    let letters = shard.letters();
    assert_eq!(letters.iter().map(|letter| &*letter.reason).collect::<Vec<_>>(), ["Unauthorised"]);
    let event: serde_json::Value = serde_json::from_slice(&letters[0].record).expect("an event");
    assert_eq!(event["type"], "ticket.acknowledged", "the row has been read; what it told waits");
    drop(shard);
    let mut shard = one(dir.path(), &tables(""), NOON);
    assert!(shard.live.store().expect("its store").mark(1, LetterState::Asked, None).expect("marked"));
    shard.set(at(NOON) + 5_000);
    shard.write();
    assert_eq!(shard.letters()[0].state, LetterState::Replayed);
    assert_eq!(stands(&mut shard, "INC-1").as_deref(), Some("met"));
}

#[test]
fn what_is_over_is_forgotten_after_settling_and_seen_again_it_is_a_repeat() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &tables(""), NOON);
    let rows = [row(1, 0, "1"), row(1, 1, "2"), row(1, 2, "7"), row(2, 0, "1")];
    shard.say(0, &rows);
    shard.write();
    assert_eq!(remembered(&mut shard).len(), 2);
    // A day settles it; what is written next forgets it.
    shard.set(at(NOON) + DAY + HOUR);
    shard.say(0, &[row(3, 0, "1")]);
    shard.write();
    let left: Vec<String> = remembered(&mut shard).into_iter().map(|row| row.id).collect();
    assert_eq!(left, ["incident:2", "incident:3"]);
    let entries = shard.live.entries();
    shard.say(0, &rows[2..3]);
    shard.say(0, &rows[..2]);
    shard.write();
    assert_eq!((shard.live.entries(), shard.letters()), (entries, Vec::new()), "nothing is told twice or taken back");
    // A restart forgets no less and no more.
    drop(shard);
    let mut shard = one(dir.path(), &tables(""), "2026-03-05T09:00:00Z");
    shard.say(0, &[row(4, 0, "1")]);
    shard.write();
    let left: Vec<String> = remembered(&mut shard).into_iter().map(|row| row.id).collect();
    assert_eq!(left, ["incident:2", "incident:3", "incident:4"]);
}

/// A mapper of rows that says when they are over.
const MAPPER: &str = "mapper: tickets
id: id
order: n
state: {from: state, table: {\"1\": open, \"2\": done}}
first-sight: {open: ticket.opened, done: [ticket.opened, ticket.acknowledged]}
changes:
  - {from: open, to: done, tells: ticket.acknowledged}
  - {from: any, to: any, tells: nothing}
over: done
time: {from: updated, as: rfc3339}
subject: key
partner: {fixed: p1}
tells:
  ticket.opened: {time: {from: opened, as: rfc3339}}
  ticket.acknowledged: {time: {from: done, as: rfc3339}}
";

fn mapped_row(number: u32, count: u32, state: u32) -> String {
    let done = if state == 2 { ",\"done\":\"2026-03-02T10:00:00Z\"" } else { "" };
    format!(
        "{{\"id\":\"{number}\",\"n\":{count},\"state\":{state},\"key\":\"INC-{number}\",\"opened\":\"2026-03-02T09:00:00Z\",\
         \"updated\":\"2026-03-02T11:00:00Z\"{done}}}"
    )
}

#[test]
fn a_mapper_s_row_that_is_over_is_forgotten_too_and_seen_again_it_is_a_repeat() {
    let dir = tempfile::tempdir().expect("a folder");
    let mapper = onus::contract::mapper(MAPPER, "tickets.yaml").expect("a mapper");
    let adapter = Arc::new(Adapter::mapped(&mapper, "urn:onus:servicenow"));
    let plugged = || vec![Some(Plugged { adapter: Arc::clone(&adapter), topic: None })];
    let mut shard = open(dir.path(), vec![Feed::named("rows")], plugged(), NOON).expect("it opens");
    let rows = [mapped_row(1, 1, 1), mapped_row(1, 2, 2), mapped_row(2, 1, 1)];
    shard.say(0, &rows);
    shard.write();
    assert_eq!((remembered(&mut shard).len(), stands(&mut shard, "INC-1").as_deref()), (2, Some("met")));
    shard.set(at(NOON) + DAY + HOUR);
    shard.say(0, &[mapped_row(3, 1, 1)]);
    shard.write();
    let left = |shard: &mut Shard| remembered(shard).into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(left(&mut shard), ["2", "3"]);
    let entries = shard.live.entries();
    // As it was, and touched since: its proofs are what they were.
    shard.say(0, &[mapped_row(1, 2, 2), mapped_row(1, 9, 2)]);
    shard.write();
    assert_eq!((shard.live.entries(), shard.letters()), (entries, Vec::new()), "nothing is told twice or taken back");
}

#[test]
fn what_was_told_of_secrets_in_a_ticket_is_forgotten_after_the_ticket_and_not_before() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &tables(""), NOON);
    let leak = |row: String| row.replacen('{', "{\"description\":\"password=hunter2hunter2\",", 1);
    shard.say(0, &[leak(row(1, 0, "1")), leak(row(2, 0, "1")), leak(row(2, 2, "7"))]);
    shard.write();
    let left = |shard: &mut Shard| remembered(shard).into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(left(&mut shard), ["exposed:INC-1", "exposed:INC-2", "incident:1", "incident:2"]);
    // A restart in between knows what rests on what.
    drop(shard);
    let mut shard = one(dir.path(), &tables(""), "2026-03-03T13:00:00Z");
    shard.say(0, &[row(3, 0, "1")]);
    shard.write();
    assert_eq!(left(&mut shard), ["exposed:INC-1", "exposed:INC-2", "incident:1", "incident:3"]);
    shard.set(at("2026-03-04T14:00:00Z"));
    shard.say(0, &[row(4, 0, "1")]);
    shard.write();
    assert_eq!(left(&mut shard), ["exposed:INC-1", "incident:1", "incident:3", "incident:4"], "an open ticket's stays");
}

/// With changes and the audit log of incidents.
fn all_tables() -> String {
    let states =
        "\"change_request\":{\"state\":{\"-5\":\"new\",\"3\":\"closed\"}},\"audited\":[\"incident\"],\"incident\"";
    tables("").replace("\"incident\"", states)
}

fn left(shard: &mut Shard) -> Vec<String> {
    shard.write();
    remembered(shard).into_iter().map(|row| row.id).collect()
}

#[test]
fn what_the_audit_log_said_is_forgotten_after_its_row_and_seen_again_is_told_by_the_same_ids() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &all_tables(), NOON);
    let log = |count: u32, old: &str, new: &str| {
        format!(
            "{{\"table_name\":\"sys_audit\",\"sys_id\":\"{count}s\",\"tablename\":\"incident\",\"documentkey\":\"1\",\"fieldname\":\"state\",\"oldvalue\":\"{old}\",\
             \"newvalue\":\"{new}\",\"user\":\"ben\",\"record_checkpoint\":\"{count}\",\"sys_created_on\":\"2026-03-02 1{count}:00:00\"}}"
        )
    };
    let life = [row(1, 0, "1"), log(1, "1", "2"), log(2, "2", "7"), row(1, 2, "7")];
    shard.say(0, &life);
    assert_eq!(left(&mut shard), ["audit:incident:1", "incident:1"]);
    assert_eq!(stands(&mut shard, "INC-1").as_deref(), Some("met"));
    for day in ["04", "06", "08"] {
        shard.set(at(&format!("2026-03-{day}T14:00:00Z")));
        shard.say(0, &[row(day.parse().expect("a number"), 0, "1")]);
        shard.write();
    }
    assert_eq!(left(&mut shard), ["incident:4", "incident:6", "incident:8"], "the row, and then what rests on it");
    let entries =
        |shard: &mut Shard| shard.live.store().expect("its store").entries(&Query::default()).expect("entries");
    let before = entries(&mut shard).into_iter().filter(|one| one.subject == "INC-1").count();
    shard.say(0, &life);
    shard.write();
    assert!(shard.letters().is_empty(), "{:?}", shard.letters());
    assert_eq!(entries(&mut shard).into_iter().filter(|one| one.subject == "INC-1").count(), before, "nothing new");
}

#[test]
fn an_approval_is_remembered_as_long_as_its_change_and_no_longer() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &all_tables(), NOON);
    let approval = |id: &str, count: u32, state: &str, change: &str| {
        format!(
            "{{\"sys_class_name\":\"sysapproval_approver\",\"sys_id\":\"{id}\",\"sysapproval\":\"{change}\",\"state\":\"{state}\",\"approver\":\"ann\",\
             \"sys_mod_count\":\"{count}\",\"sys_updated_on\":\"2026-03-02 1{count}:00:00\"}}"
        )
    };
    let change = |id: &str, count: u32, state: &str| {
        format!(
            "{{\"sys_class_name\":\"change_request\",\"sys_id\":\"{id}\",\"number\":\"CHG-{id}\",\"state\":\"{state}\",\"assignment_group\":\"desk\",\
             \"opened_at\":\"2026-03-02 09:00:00\",\"sys_mod_count\":\"{count}\",\"sys_updated_on\":\"2026-03-02 1{count}:00:00\"}}"
        )
    };
    // One that waits for its change first; one that nobody answers; one of a change that is still open.
    shard.say(
        0,
        &[
            approval("a", 0, "approved", "c1"),
            change("c1", 0, "-5"),
            approval("b", 0, "requested", "c1"),
            change("c2", 0, "-5"),
            approval("d", 0, "approved", "c2"),
        ],
    );
    shard.set(at("2026-03-04T14:00:00Z"));
    shard.say(0, &[row(4, 0, "1")]);
    // Written again, later and with another count, it is still known what was told.
    shard.say(0, &[approval("a", 3, "approved", "c1")]);
    let all = left(&mut shard);
    assert!(all.contains(&"sysapproval_approver:a".to_owned()), "{all:?}");
    let skipped = shard.live.status().board().feeds[0].passed.clone();
    assert_eq!(skipped.get("no-change").copied(), Some(1), "no second approval, at a later time: {skipped:?}");
    shard.say(0, &[change("c1", 4, "3")]);
    for day in ["06", "08", "10"] {
        shard.set(at(&format!("2026-03-{day}T14:00:00Z")));
        shard.say(0, &[row(day.parse().expect("a number"), 0, "1")]);
        shard.write();
    }
    let all: Vec<String> = left(&mut shard).into_iter().filter(|id| !id.starts_with("incident")).collect();
    assert_eq!(all, ["change_request:c2", "sysapproval_approver:d"]);
}

#[test]
fn what_is_passed_over_is_counted_by_why_wherever_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = one(dir.path(), &tables(""), NOON);
    shard.say(0, &[row(1, 0, "1"), row(1, 0, "1"), "{".to_owned()]);
    // As the wire does it: among records, and where there is nothing else.
    for lines in [&[row(1, 1, "2")][..], &[]] {
        let mut records = Records::new(FeedId(0), 0, Arc::from("a test"));
        lines.iter().for_each(|line| records.push(line.as_bytes(), 100, 101, at(NOON)));
        records.passes_over("tombstone");
        shard.live.take(Heard::Records(records)).expect("they are taken in");
    }
    shard.write();
    let feed = shard.live.status().board().feeds[0].clone();
    assert_eq!((feed.records, feed.refused, feed.skipped), (6, 1, 3));
    assert_eq!(feed.passed.into_iter().collect::<Vec<_>>(), [("duplicate", 1), ("tombstone", 2)]);
}

#[test]
fn sources_that_name_one_adapter_share_what_it_remembers_and_must_agree() {
    let dir = tempfile::tempdir().expect("a folder");
    let feeds = || vec![Feed::named("incidents"), Feed::named("bridge")];
    let both = vec![plugged(&tables("")), plugged(&tables(""))];
    let mut shard = open(dir.path(), feeds(), both, NOON).expect("it opens");
    shard.say(0, &[row(1, 0, "1")]);
    shard.say(1, &[row(1, 1, "2")]);
    shard.write();
    assert_eq!((remembered(&mut shard).len(), stands(&mut shard, "INC-1").as_deref()), (1, Some("met")));
    drop(shard);
    let apart = vec![plugged(&tables("")), plugged(&tables(",\"18\":\"new\""))];
    let refused = open(dir.path(), feeds(), apart, NOON).err().expect("refused").to_string();
    assert!(refused.contains("urn:onus:servicenow") && refused.contains("instance"), "{refused}");
}
