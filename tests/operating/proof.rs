//! A service looks at its own ledger: whole, and changed behind its back.

use crate::shard::{DESK, Shard, at, event};
use onus::runtime::live::{Feed, Proven};
use onus::store::sqlite;
use onus_engine::time::{HOUR, Moment};
use std::time::{Duration, Instant};

fn proven(shard: &mut Shard) -> Proven {
    let proof = shard.live.prove(Duration::ZERO, || Moment(7)).expect("a view of the store");
    let until = Instant::now() + Duration::from_secs(30);
    while proof.proven().at.is_none() {
        assert!(Instant::now() < until, "nobody looked");
        std::thread::sleep(Duration::from_millis(5));
    }
    proof.proven()
}

#[test]
fn a_ledger_that_was_changed_behind_its_back_is_noticed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let start = at("2026-03-02T09:00:00Z");
    let store = sqlite::open(&path, 0).expect("a store");
    let mut shard = Shard::open(DESK, vec![Feed::named("desk")], Box::new(store), start);
    assert_eq!(proven(&mut shard), Proven { at: Some(Moment(7)), entries: 0, wrong: None });
    for n in 0..3 {
        let now = start + n * HOUR;
        shard.set(now);
        let subject = format!("INC-{n}");
        let partner = ",\"partner\":\"p1\"";
        shard.say(0, &[event(&format!("{n}o"), "ticket.opened", &subject, now, partner)]);
        shard.set(now + 2_000);
        shard.say(0, &[event(&format!("{n}a"), "ticket.acknowledged", &subject, now + 1_000, partner)]);
        shard.caught_up(0);
        shard.write();
    }
    let found = proven(&mut shard);
    assert!(found.entries == 3 && found.wrong.is_none(), "{found:?}");
    let other = rusqlite::Connection::open(&path).expect("a second hand");
    let changed = other.execute("DELETE FROM ledger WHERE first = (SELECT MIN(first) + 1 FROM ledger)", []);
    assert_eq!(changed.expect("it may"), 1, "a row that has another before it and one behind it");
    let found = proven(&mut shard);
    assert!(found.wrong.is_some(), "{found:?}");
}
