//! Events that concern several partners, under what sources are bound to: one record, one dead letter, and nobody's word of
//! another's ground.

use crate::shard::{Shard, at, event};
use onus::runtime::live::Feed;
use onus::store::sqlite;
use onus_engine::time::HOUR;

const BOTH: &str = "contract: soc
partner: [p1, p2]
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
obligations:
  - {id: contain, clause: \"3\", when: incident.detected, do: incident.closed, within: 4h}
";

const GROUNDS: [&str; 2] = [
    "contract: one
partner: p1
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
scope: {vault-mounts: [\"one/\"]}
obligations:
  - {id: rotate, clause: \"7\", when: credential.created, do: credential.rotated, within: 4h}
",
    "contract: two
partner: p2
customer: acme
effective: 2026-01-01T00:00:00Z
zone: UTC
scope: {vault-mounts: [\"two/\"]}
obligations:
  - {id: rotate, clause: \"7\", when: credential.created, do: credential.rotated, within: 4h}
",
];

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|one| (*one).to_owned()).collect()
}

fn feed(name: &str, partners: &[&str]) -> Feed {
    Feed { partners: texts(partners), ..Feed::named(name) }
}

fn shard(dir: &std::path::Path, contracts: &str, feeds: Vec<Feed>) -> Shard {
    let store = sqlite::open(&dir.join("onus.db"), 0).expect("a store");
    Shard::open(contracts, feeds, Box::new(store), at("2026-03-02T09:00:00Z"))
}

/// Partner, subject and obligation of what is broken.
fn broken(shard: &mut Shard) -> Vec<(String, String)> {
    shard.write();
    let entries = shard.live.store().expect("its store").entries(&onus::store::Query::default()).expect("the ledger");
    entries.iter().filter(|e| e.broken).map(|e| (e.under.partner.clone(), e.subject.clone())).collect()
}

#[test]
fn nobody_speaks_of_several_partners_who_may_not_speak_of_each() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = shard(dir.path(), BOTH, vec![feed("desk", &["*"]), feed("theirs", &["p1"])]);
    let now = at("2026-03-02T09:00:00Z");
    let both = ",\"partner\":\"p1\",\"data\":{\"partners\":[\"p2\"]}";
    shard.say(1, &[event("1", "incident.detected", "IR-1", now, both)]);
    shard.say(
        1,
        &[event("2", "incident.closed", "IR-2", now, ",\"partner\":\"p1\",\"data\":{\"from\":\"p1\",\"to\":\"p2\"}")],
    );
    shard.write();
    let letters = shard.letters();
    assert_eq!(letters.len(), 2, "a letter a record: {letters:?}");
    assert!(letters.iter().all(|one| one.reason == "Unauthorised" && one.detail.contains("may not speak of p2")));
    shard.say(0, &[event("3", "incident.detected", "IR-3", now, both)]);
    // A list that is none.
    let long = format!(",\"data\":{{\"partners\":[\"{}\"]}}", "p".repeat(2_000));
    shard.say(0, &[event("4", "incident.detected", "IR-4", now, &long)]);
    let many: Vec<String> = (0..101).map(|n| format!("\"p{n}\"")).collect();
    shard.say(
        0,
        &[event("5", "incident.detected", "IR-5", now, &format!(",\"data\":{{\"partners\":[{}]}}", many.join(",")))],
    );
    shard.write();
    let reasons: Vec<String> = shard.letters().iter().map(|one| one.reason.clone()).collect();
    assert_eq!(reasons[2..], ["Partners", "Partners"]);
    shard.set(now + 5 * HOUR);
    shard.caught_up(0);
    shard.caught_up(1);
    let found = broken(&mut shard);
    assert_eq!(found, [("p1".into(), "IR-3".into()), ("p2".into(), "IR-3".into())]);
    // Judged again from the journal it is the same.
    let state = shard.live.dump();
    drop(shard);
    let store = sqlite::open(&dir.path().join("onus.db"), 0).expect("a store");
    let feeds = vec![feed("desk", &["*"]), feed("theirs", &["p1"])];
    let again = Shard::open(BOTH, feeds, Box::new(store), now + 5 * HOUR);
    assert_eq!(again.live.dump(), state);
}

#[test]
fn of_a_record_for_several_that_is_refused_or_contradicted_there_is_one_letter() {
    let dir = tempfile::tempdir().expect("a folder");
    let only = Feed { types: texts(&["ticket.*"]), ..Feed::named("theirs") };
    let mut shard = shard(dir.path(), BOTH, vec![feed("desk", &["*"]), only]);
    let now = at("2026-03-02T09:00:00Z");
    let both = ",\"data\":{\"partners\":[\"p1\",\"p2\"]}";
    shard.say(1, &[event("1", "incident.detected", "IR-1", now, both)]);
    shard.say(0, &[event("2", "incident.detected", "IR-2", now, both)]);
    shard.say(0, &[event("2", "incident.detected", "IR-2", now + HOUR, both)]);
    shard.write();
    let reasons: Vec<String> = shard.letters().iter().map(|one| one.reason.clone()).collect();
    assert_eq!(reasons.iter().filter(|reason| *reason == "Unauthorised").count(), 1, "{reasons:?}");
    assert!(reasons.len() <= 2, "{reasons:?}");
}

#[test]
fn of_whose_ground_an_act_is_the_source_of_the_one_who_acts_has_no_say() {
    let dir = tempfile::tempdir().expect("a folder");
    let feeds = || vec![feed("vault", &["*"]), feed("theirs", &["p1"])];
    let mut shard = shard(dir.path(), &GROUNDS.join("---\n"), feeds());
    let now = at("2026-03-02T09:00:00Z");
    let by = |partner: &str| format!(",\"partner\":\"{partner}\",\"data\":{{\"mount\":\"two/db\"}}");
    shard.say(
        0,
        &[
            event("1", "credential.created", "svc-a", now, &by("p2")),
            event("2", "credential.created", "svc-b", now, &by("p2")),
        ],
    );
    // What the vault's log says of p1's act on p2's ground is told to p2; what p1's own tool says of it is not.
    shard.say(0, &[event("3", "credential.rotated", "svc-a", now + HOUR, &by("p1"))]);
    shard.say(1, &[event("4", "credential.rotated", "svc-b", now + HOUR, &by("p1"))]);
    shard.write();
    assert!(shard.letters().is_empty(), "{:?}", shard.letters());
    shard.set(now + 5 * HOUR);
    shard.caught_up(0);
    shard.caught_up(1);
    let found = broken(&mut shard);
    assert_eq!(found, [("p2".into(), "svc-b".into())]);
}

#[test]
fn through_an_exchange_an_event_for_several_is_refused_whole_and_not_judged_by_half() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut shard = shard(dir.path(), BOTH, vec![feed("desk", &["*"]), feed(onus::exchange::NAME, &[])]);
    let now = at("2026-03-02T09:00:00Z");
    let both = ",\"partner\":\"p1\",\"data\":{\"partners\":[\"p2\"]}";
    shard.say(0, &[event("1", "incident.detected", "IR-1", now, both)]);
    shard.write();
    let letters = shard.letters();
    assert_eq!(letters.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["Several"], "{letters:?}");
}
