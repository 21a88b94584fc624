use crate::postgres::{Cluster, Stop};
use crate::shard::{DESK, Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::Query;
use onus::store::place::{self, Place};
use onus_engine::standing::Standing;
use onus_engine::time::{DAY, HOUR};
use std::time::{Duration, Instant};

/// News of a ticket that left memory long ago: what is known of it is in the database, which is away just then.
#[test]
fn what_must_be_looked_up_while_the_database_is_away_is_waited_for() {
    let server = Cluster::start("");
    let url = server.url(&server.database());
    let store = place::open(&Place::parse(&url).expect("an address"), 0).expect("a store");
    let start = at("2026-03-02T09:00:00Z");
    let p1 = ",\"partner\":\"p1\"";
    let mut shard = Shard::open(DESK, vec![Feed::named("desk")], store, start);
    shard.say(0, &[event("1", "ticket.opened", "INC-1", start, p1)]);
    shard.set(start + 5 * HOUR);
    shard.say(0, &[event("2", "ticket.acknowledged", "INC-1", start + 5 * HOUR, p1)]);
    shard.caught_up(0);
    shard.write();
    shard.set(start + 3 * DAY);
    shard.caught_up(0);
    shard.write();
    assert_eq!(shard.live.status().board().shown.live, 0, "it has left memory");

    server.stop(Stop::Immediate);
    let began = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(2));
            server.go_on();
        });
        // It was answered in time, by somebody who says so only now.
        shard.say(0, &[event("3", "ticket.acknowledged", "INC-1", start + HOUR, p1)]);
    });
    assert!(began.elapsed() >= Duration::from_secs(2), "it has waited");
    assert!(shard.live.status().unready().is_empty(), "{:?}", shard.live.status().unready());
    shard.write();
    let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
    let last = entries.last().expect("an entry");
    assert_eq!((last.to, last.ended), (Standing::Met, Some(start + HOUR)), "{entries:#?}");
}
