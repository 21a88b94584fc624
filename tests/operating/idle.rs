use crate::shard::{DESK, Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::sqlite;
use onus_engine::time::HOUR;

#[test]
fn who_has_nothing_to_say_writes_once_a_minute_and_who_has_something_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let start = at("2026-03-02T09:00:00Z");
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let mut shard = Shard::open(DESK, vec![Feed::named("desk")], Box::new(store), start);
    shard.say(0, &[event("1", "ticket.opened", "INC-1", start, ",\"partner\":\"p1\"")]);
    shard.write();
    // Second by second until half an hour after the ticket's deadline.
    let (first, mut commits) = (shard.live.sequence(), Vec::new());
    for second in 1..=(4 * 3600 + 1800) {
        shard.set(start + second * 1_000);
        shard.caught_up(0);
        shard.live.tick().expect("time passes");
        if shard.live.is_due() {
            shard.live.commit().expect("it is written");
            commits.push(second);
        }
    }
    assert_eq!(shard.live.sequence() - first, commits.len() as u64);
    let apart: Vec<i64> = commits.windows(2).map(|two| two[1] - two[0]).collect();
    assert!(apart.iter().filter(|gap| **gap != 60).count() <= 2, "{apart:?}");
    let breach = HOUR / 1_000 * 4;
    assert!(commits.iter().any(|second| (breach..breach + 3).contains(second)), "the breach did not wait: {commits:?}");
}
