use crate::shard::{Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::{Query, sqlite};
use onus_engine::time::HOUR;

const SCOPED: &str = "contract: desk
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
scope: {assignment-groups: [\"NW PAM *\"]}
obligations:
  - id: answer
    clause: \"1\"
    when: ticket.opened
    do: ticket.acknowledged
    within: 4h
";

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

fn shard(dir: &std::path::Path, feeds: Vec<Feed>) -> Shard {
    let store = sqlite::open(&dir.join("onus.db"), 0).expect("a store");
    Shard::open(SCOPED, feeds, Box::new(store), at("2026-03-02T09:00:00Z"))
}

/// What is refused, and why, in the order of the records.
fn refused(shard: &mut Shard) -> Vec<(String, String)> {
    shard.write();
    let id = |record: &[u8]| {
        let event: serde_json::Value = serde_json::from_slice(record).expect("a record that was kept whole");
        event["id"].as_str().expect("an id").to_owned()
    };
    shard.letters().iter().map(|letter| (id(&letter.record), format!("{}: {}", letter.reason, letter.detail))).collect()
}

#[test]
fn a_type_that_no_binding_allows_is_a_dead_letter_whether_a_contract_names_it_or_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let feed = Feed { types: texts(&["ticket.*"]), ..Feed::named("desk") };
    let mut shard = shard(dir.path(), vec![feed]);
    let now = at("2026-03-02T09:00:00Z");
    let p1 = ",\"partner\":\"p1\"";
    shard.say(
        0,
        &[
            event("1", "ticket.opened", "INC-1", now, p1),
            event("2", "ticket.assigned", "INC-1", now, p1),
            event("3", "weather.changed", "sky", now, p1),
            event("4", "change.approved", "CHG-1", now, p1),
            event("5", "onus.tick", "x", now, ""),
        ],
    );
    let found = refused(&mut shard);
    assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["3", "4"], "{found:?}");
    assert!(found.iter().all(|(_, why)| why.starts_with("Unauthorised: ") && why.contains("`types`")), "{found:?}");
    let feed = &shard.live.status().board().feeds[0];
    assert_eq!((feed.unauthorised, feed.violated), (2, Some(now)), "it is a security event");
}

#[test]
fn a_partner_that_no_binding_allows_is_a_dead_letter_however_its_events_find_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let own = Feed { partners: texts(&["p2"]), ..Feed::named("theirs") };
    let mut shard = shard(dir.path(), vec![Feed::named("desk"), own]);
    let now = at("2026-03-02T09:00:00Z");
    let group = ",\"data\":{\"group\":\"NW PAM ops\"}";
    // By name; by a scope that places it; by an event that no contract cares for.
    shard.say(1, &[event("1", "ticket.opened", "INC-1", now, ",\"partner\":\"p1\"")]);
    shard.say(1, &[event("2", "ticket.opened", "INC-2", now, group)]);
    shard.say(1, &[event("3", "ticket.assigned", "INC-3", now, group)]);
    // Before it is known whose it is.
    shard.say(1, &[event("4", "ticket.acknowledged", "INC-4", now, "")]);
    let found = refused(&mut shard);
    assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["1", "2"], "{found:?}");
    shard.say(
        0,
        &[event("5", "ticket.opened", "INC-4", now, group), event("6", "ticket.acknowledged", "INC-3", now, "")],
    );
    let found = refused(&mut shard);
    assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["1", "2", "4"], "{found:?}");
    assert!(found[2].1.contains("may not speak of p1"), "{found:?}");
    let violations: Vec<u64> = shard.live.status().board().feeds.iter().map(|feed| feed.unauthorised).collect();
    assert_eq!(violations, [0, 3], "of whom it is known later, too");
    // What it said did not stop INC-4's clock, and placed nothing.
    shard.set(now + 5 * HOUR);
    shard.caught_up(0);
    shard.caught_up(1);
    shard.write();
    let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
    let broken: Vec<&str> = entries.iter().filter(|e| e.broken).map(|e| e.subject.as_str()).collect();
    assert_eq!(broken, ["INC-4"], "{entries:?}");
    // A restart that judges the journal again knows the same.
    let state = shard.live.dump();
    drop(shard);
    let own = Feed { partners: texts(&["p2"]), ..Feed::named("theirs") };
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let again = Shard::open(SCOPED, vec![Feed::named("desk"), own], Box::new(store), now + 5 * HOUR);
    assert_eq!(again.live.dump(), state);
}

#[test]
fn nobody_hands_over_to_whom_its_binding_does_not_allow() {
    let dir = tempfile::tempdir().expect("a folder");
    let own = Feed { partners: texts(&["p1"]), ..Feed::named("theirs") };
    let mut shard = shard(dir.path(), vec![Feed::named("desk"), own]);
    let now = at("2026-03-02T09:00:00Z");
    shard.say(0, &[event("1", "ticket.opened", "INC-1", now, ",\"partner\":\"p1\"")]);
    let over = |id: &str, from: &str, to: &str| {
        event(id, "subject.rehomed", "INC-1", now, &format!(",\"data\":{{\"from\":\"{from}\",\"to\":\"{to}\"}}"))
    };
    // To another, to nobody, and from another: each is a way to be rid of what is owed, or to make another owe it.
    shard.say(1, &[over("2", "p1", "p2"), over("3", "p1", "unowned"), over("4", "p2", "p1")]);
    let found = refused(&mut shard);
    assert_eq!(found.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["2", "3", "4"], "{found:?}");
    assert!(
        found.iter().all(|(_, why)| why.starts_with("Unauthorised: ") && why.contains("may not speak of")),
        "{found:?}"
    );
    // Without its two sides, or of a partner itself, it is no event.
    shard.say(0, &[event("5", "subject.rehomed", "INC-1", now, ",\"data\":{\"to\":\"p2\"}"), over("6", "p1", "INC-1")]);
    let found = refused(&mut shard);
    assert!(found[3..].iter().all(|(_, why)| why.starts_with("Handover: ")) && found.len() == 5, "{found:?}");
    shard.set(now + 5 * HOUR);
    shard.caught_up(0);
    shard.caught_up(1);
    shard.write();
    let entries = shard.live.store().expect("its store").entries(&Query::default()).expect("the ledger");
    let broken: Vec<&str> = entries.iter().filter(|e| e.broken).map(|e| e.subject.as_str()).collect();
    assert_eq!(broken, ["INC-1"], "its clock ran on: {entries:?}");
}
