//! Judged, divided, and judged on.

use crate::hook::Hook;
use crate::world::{World, said};
use onus::store::Query;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn two_shards_become_five_and_then_three_and_everything_is_as_if_nobody_had_been_there() {
    let mut world = World::new(2, 3_000);
    world.begin();
    world.feed(1_300);
    world.until_decided();
    world.stop();
    let (before, told) = (world.decided(), world.told());
    let five = world.stage(5);
    world.divides(&five);
    world.holds();
    assert_eq!((world.decided(), world.told()), (before, told), "nothing was decided by that, and nothing told");
    world.begin();
    world.until_decided();
    world.feed(900);
    world.until_decided();
    // An intake that was killed has left nothing behind, if judges have taken what it noted last.
    world.kill("intake");
    world.until("judges have taken everything", |world| world.left() == 0);
    world.end("judge");
    let three = world.stage(3);
    world.divides(&three);
    world.holds();
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    world.holds();
    world.nothing_was_refused();
}

#[test]
fn one_process_becomes_four_shards() {
    let mut world = World::new(0, 2_000);
    world.begin();
    world.feed(1_100);
    world.until_decided();
    world.stop();
    let (before, told) = (world.decided(), world.told());
    let four = world.stage(4);
    world.divides(&four);
    world.holds();
    assert_eq!((world.decided(), world.told()), (before, told), "nothing was decided by that, and nothing told");
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    world.holds();
    world.nothing_was_refused();
}

#[test]
fn one_process_becomes_two_shards_of_a_file() {
    let mut world = World::new(0, 800);
    world.begin();
    world.feed(500);
    world.until_decided();
    world.stop();
    let two = world.stage_at(2, "sqlite:shards.db");
    world.divides(&two);
    world.holds();
    world.begin();
    world.feed_all();
    world.until_decided();
    world.stop();
    world.holds();
    world.nothing_was_refused();
}

/// What a hook was told that fires, as of its last word on each: by labels, since when. `from`: of its posts from this one on.
fn firing(hook: &Hook, from: usize) -> BTreeMap<String, String> {
    let mut firing = BTreeMap::new();
    for post in hook.all().into_iter().skip(from) {
        for alert in post.json().as_array().expect("a list") {
            let text = |key: &str| alert[key].as_str().unwrap_or_default().to_owned();
            let (labels, since, until) = (alert["labels"].to_string(), text("startsAt"), text("endsAt"));
            // What fires ends in the future, if it is said.
            let ends = onus_engine::time::Moment::parse(&until);
            match ends
                .is_some_and(|until| until <= onus_engine::time::Moment::parse("2026-11-01T00:00:00Z").expect("one"))
            {
                true => firing.remove(&labels),
                false => firing.insert(labels, since),
            };
        }
    }
    firing
}

#[test]
fn what_fires_goes_on_firing_under_its_identity_and_nobody_is_paged_for_what_was_paged() {
    let hook = Hook::new();
    let more = format!("[alerting]\nresend = \"1s\"\nmass = 100000\n[alertmanager.hook]\nurl = \"{}\"", hook.url());
    let mut world = World::with(2, 1_200, &more);
    world.begin();
    world.feed(700);
    world.until_decided();
    let told = |hook: &Hook| hook.all().len();
    let before = told(&hook);
    world.until("it is told again", |_| told(&hook) > before + 4);
    world.stop();
    let paged = firing(&hook, 0);
    assert!(!paged.is_empty());
    let three = world.stage(3);
    world.divides(&three);
    let from = told(&hook);
    world.begin();
    world.until("what fired fires", |_| firing(&hook, from) == paged);
    let again = told(&hook);
    world.until("and again", |_| told(&hook) > again + 4);
    assert_eq!(firing(&hook, from), paged, "and nothing else does");
    world.feed_all();
    world.until_decided();
    world.stop();
    let mut starts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for alert in hook.all().iter().flat_map(|post| post.json().as_array().expect("a list").clone()) {
        starts.entry(alert["labels"].to_string()).or_default().insert(alert["startsAt"].to_string());
    }
    assert!(starts.values().all(|starts| starts.len() == 1), "a page has one identity: {starts:?}");
}

#[test]
fn a_store_whose_beginning_has_gone_is_divided_and_what_is_no_longer_known_is_not_decided_anew() {
    let mut world = World::new(0, 1_200);
    world.begin();
    world.feed(500);
    world.until_decided();
    let first = world.ledger().len();
    world.feed_all();
    world.until_decided();
    world.stop();
    let mut store = world.shard(0);
    let claim = store.claim("retention").expect("ours");
    let entries = store.entries(&Query::default()).expect("a ledger");
    let snapshot = claim.snapshot.expect("it was taken at the end");
    store.retire(claim.epoch, snapshot / 2, entries[first].at).expect("it goes");
    drop(store);
    let left = world.decided();
    assert!(left.values().sum::<usize>() < entries.len() && !left.is_empty());
    let told = world.told();
    let three = world.stage(3);
    world.divides(&three);
    assert_eq!(world.decided(), left, "nothing is decided that was decided before");
    world.begin();
    world.until("all are judged", |world| (0..3).all(|n| world.shard(n).positions().is_ok_and(|all| all.len() > 3)));
    world.stop();
    assert_eq!((world.decided(), world.told()), (left, told));
    let out = world.house.onus(&["store", "verify", "--store", &world.at.url]);
    assert!(out.status.success(), "{}", said(&out));
}
