//! What a shard shows of itself to those who make figures of it.

use crate::shard::{DESK, Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::sqlite;
use onus_engine::standing::Standing;
use onus_engine::time::{HOUR, MINUTE, Moment, SECOND};

/// One that promises to say something each minute, and one that says nothing of p1.
fn feeds() -> Vec<Feed> {
    let desk = Feed { heartbeat: Some(MINUTE), types: vec!["ticket.*".to_owned()], ..Feed::named("desk") };
    let other = Feed { partners: vec!["q*".to_owned()], heartbeat: Some(MINUTE), ..Feed::named("other") };
    vec![desk, other]
}

fn opened(start: Moment) -> String {
    event("1", "ticket.opened", "INC-1", start, ",\"partner\":\"p1\"")
}

#[test]
fn who_rests_on_a_source_that_stopped_is_blind_and_nobody_else() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let start = at("2026-03-02T09:00:00Z");
    let mut shard = Shard::open(DESK, feeds(), Box::new(store), start);
    let board = shard.live.status().board();
    assert_eq!(board.duties.names.partners[0].name, "p1");
    assert_eq!(board.duties.partners[0].feeds, 0b01, "the desk's alone");
    shard.say(0, &[opened(start)]);
    shard.caught_up(0);
    shard.caught_up(1);
    shard.set(start + 2 * SECOND);
    shard.write();
    let feeds = shard.live.status().board().feeds;
    assert_eq!((feeds[0].silent, feeds[0].last, feeds[0].heartbeat), (false, Some(start), Some(MINUTE)));
    assert_eq!((feeds[1].silent, feeds[1].last), (false, None), "of what never spoke nobody knows since when");
    shard.set(start + 4 * MINUTE);
    shard.caught_up(0);
    shard.write();
    assert!(shard.live.status().board().feeds[0].silent, "three heartbeats were missed");
}

#[test]
fn a_breach_is_shown_with_its_delay_and_minima_follow_the_clock() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("onus.db");
    let start = at("2026-03-02T09:00:00Z");
    let deadline = start + 4 * HOUR;
    let store = || Box::new(sqlite::open(&file, 0).expect("a store"));
    let plain = || vec![Feed::named("desk")];
    let mut shard = Shard::open(DESK, plain(), store(), start);
    shard.say(0, &[opened(start)]);
    let at_time = |shard: &mut Shard, now: Moment| {
        shard.set(now);
        shard.caught_up(0);
        shard.write();
        // What was looked up is shown with the next.
        shard.set(now + SECOND);
        shard.live.tick().expect("time passes");
        shard.set(now + 3 * SECOND);
        shard.live.tick().expect("time passes");
        shard.live.status().board().duties.obligations[0]
    };
    let row = at_time(&mut shard, start + HOUR);
    assert_eq!((row.unended[0], row.seen.at_risk, row.seen.next_deadline), (1, 0, deadline));
    let row = at_time(&mut shard, deadline + -30 * MINUTE);
    assert_eq!((row.unended[0], row.seen.at_risk), (1, 1), "an eighth of its time is left");
    assert!(shard.live.status().declared().is_empty());
    let row = at_time(&mut shard, deadline + 2 * SECOND);
    assert_eq!((row.unended[3], row.seen.at_risk, row.seen.oldest_breach), (1, 0, deadline));
    assert_eq!(row.windows, [[0, 1], [0, 0]], "of this month");
    let declared = shard.live.status().declared();
    assert_eq!(declared.len(), 1);
    assert!((2.0..4.0).contains(&declared[0].seconds), "{declared:?}");
    assert!(shard.live.status().declared().is_empty(), "once");

    // Done late, taken back by slow news, and so on: what was counted outlives the process.
    let done = |id: &str, at: Moment| event(id, "ticket.acknowledged", "INC-1", at, ",\"partner\":\"p1\"");
    shard.say(0, &[done("2", deadline + HOUR)]);
    let row = at_time(&mut shard, deadline + 2 * HOUR);
    assert_eq!((row.ended, row.endings), ([0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]));
    shard.say(0, &[done("3", start + HOUR)]);
    let row = at_time(&mut shard, deadline + 3 * HOUR);
    assert_eq!((row.ended, row.endings), ([1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]), "the net, and how often");
    assert_eq!((row.tally.broken, row.withdrawn, row.windows[0]), (0, 1, [1, 0]));
    drop(shard);
    let again = Shard::open(DESK, plain(), store(), deadline + 4 * HOUR);
    let board = again.live.status().board();
    let after = board.duties.obligations[0];
    assert_eq!((after.ended, after.endings, after.withdrawn), (row.ended, row.endings, row.withdrawn));
    assert_eq!(after.tally.of(Standing::Met), 1);
    assert!(again.live.status().declared().is_empty(), "nobody is detected twice");
}

#[test]
fn counts_are_held_against_memory_every_hour() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let start = at("2026-03-02T09:00:00Z");
    let mut shard = Shard::open(DESK, vec![Feed::named("desk")], Box::new(store), start);
    shard.say(0, &[opened(start)]);
    shard.write();
    assert_eq!(shard.live.status().board().duties.recounted, (None, 0));
    shard.set(start + HOUR + SECOND);
    shard.caught_up(0);
    shard.write();
    shard.set(start + HOUR + 4 * SECOND);
    shard.live.tick().expect("time passes");
    let (when, wrong) = shard.live.status().board().duties.recounted;
    assert_eq!((when, wrong), (Some(start + HOUR + SECOND), 0));
}
