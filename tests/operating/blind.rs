use crate::shard::{DESK, Shard, at, event};
use onus::publish::decided::Decided;
use onus::runtime::live::Feed;
use onus::store::sqlite;
use onus::store::{Entry, Query};
use onus_engine::standing::Standing;
use onus_engine::terms::Side;
use onus_engine::time::HOUR;
use serde_json::Value;

/// A ticket is opened at nine, and then its source says nothing more: what the ledger has by then, and what was told.
fn silence(owner: Option<Side>, hours: i64) -> (Vec<Entry>, Vec<Value>) {
    let dir = tempfile::tempdir().expect("a folder");
    let start = at("2026-03-02T09:00:00Z");
    let feed = Feed { owner, ..Feed::named("desk") };
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let mut shard = Shard::open(&format!("{DESK}    blind-for: 12h\n"), vec![feed], Box::new(store), start);
    shard.say(0, &[event("1", "ticket.opened", "INC-1", start, ",\"partner\":\"p1\"")]);
    shard.caught_up(0);
    shard.write();
    for hour in 1..=hours {
        shard.set(start + hour * HOUR);
        shard.write();
    }
    let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
    let told = entries.iter().map(|entry| Decided(entry).value()).collect();
    (entries, told)
}

#[test]
fn who_owes_a_duty_cannot_hide_behind_the_silence_of_its_own_source() {
    let deadline = at("2026-03-02T13:00:00Z");
    let (entries, _) = silence(Some(Side::Partner), 15);
    assert!(entries.is_empty(), "eleven hours after the deadline nothing is known yet: {entries:?}");
    let (entries, told) = silence(Some(Side::Partner), 17);
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!((entries[0].to, entries[0].deadline), (Standing::Breached, Some(deadline)));
    assert!(entries[0].heard < deadline, "and the entry says how far was heard");
    assert_eq!((&told[0]["to"], &told[0]["blind"]), (&Value::from("breached"), &Value::from(true)));
}

#[test]
fn the_silence_of_somebody_elses_source_proves_nothing_however_long() {
    for owner in [None, Some(Side::Customer)] {
        let (entries, _) = silence(owner, 24 * 10);
        assert!(entries.is_empty(), "{owner:?}: {entries:?}");
    }
}
