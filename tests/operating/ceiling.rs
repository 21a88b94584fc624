use crate::shard::{DESK, Shard, at, event};
use onus::ingest::feed::{FeedId, Heard};
use onus::runtime::live::{Clock, Feed};
use onus::store::sqlite;
use onus_engine::time::{DAY, HOUR};

/// By the events' clock a partition that is far ahead waits for the others; after a restart from a snapshot, too.
#[test]
fn how_far_time_may_go_is_part_of_what_a_snapshot_holds() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("onus.db");
    let open = || Box::new(sqlite::open(&path, 0).expect("a store"));
    let start = at("2026-03-02T09:00:00Z");
    let p1 = ",\"partner\":\"p1\"";
    let feed = FeedId(0);
    let mut shard = Shard::open_by(Clock::Events, DESK, vec![Feed::named("desk")], open(), start);
    for partition in [0, 1] {
        shard.live.take(Heard::Behind { feed, partition, partitions: 2, lag: 9 }).expect("it is heard");
    }
    shard.say_in(0, 1, &[event("1", "ticket.opened", "INC-1", start, p1)]);
    shard.say_in(0, 0, &[event("2", "ticket.opened", "INC-2", start + HOUR, p1)]);
    shard.write();
    shard.live.snapshot().expect("a snapshot");
    // Far ahead; the other partition may still bring what answers the first ticket in time.
    shard.say_in(0, 0, &[event("3", "ticket.opened", "INC-3", start + 3 * DAY, p1)]);
    shard.write();
    let state = shard.live.dump();
    drop(shard);
    let again = Shard::open_by(Clock::Events, DESK, vec![Feed::named("desk")], open(), start);
    assert_eq!(again.live.dump(), state, "a restart is invisible");
}
