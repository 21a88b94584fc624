//! What has settled leaves memory and comes back when news concerns it: nobody can tell by what is told.

use crate::cases;
use crate::records::{ALL, Draw, Record};
use crate::scene::{Scene, scenes};
use crate::world::{Outcome, World, unlike};
use onus_engine::time::{DAY, HOUR, Moment};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Waivers for the partner as a whole do not reach back into the archive: see `found.rs`.
const NARROW: Draw = Draw { wide: false, moved: false, ..ALL };

/// Without what the design gives up for speed: an event whose type begins a timeline is not looked up while it is recent
/// news, so nothing may lie before it, and no copy of it after it.
fn begun(mut scene: Scene) -> Scene {
    let begins = |r: &Record| onus_engine::vocabulary::OPENING.contains(&r.kind);
    let mut first: BTreeMap<&str, (i64, String)> = BTreeMap::new();
    for r in scene.records.iter().filter(|r| begins(r)) {
        let one = first.entry(r.subject).or_insert((r.at, r.id.clone()));
        *one = (r.at, r.id.clone()).min(one.clone());
    }
    let unborn = |r: &Record, name: &Value| name.as_str().and_then(|n| first.get(n)).is_some_and(|(at, _)| r.at < *at);
    let waives = |r: &Record| r.kind.starts_with("waiver") && r.data.iter().any(|(_, name)| unborn(r, name));
    scene.records.retain(|r| !waives(r));
    scene.records.retain(|r| match first.get(r.subject) {
        Some((at, id)) => r.at >= *at && (!begins(r) || r.id == *id && r.at == *at),
        None => true,
    });
    scene
}

fn same_net(released: &Outcome, kept: &Outcome) -> Option<String> {
    let ledger = unlike("last word on", &released.ledger, &kept.ledger);
    let tallies = unlike("tally of", &released.tallies, &kept.tallies);
    let filed = unlike("filed of", &released.filed, &kept.filed);
    let told: Vec<String> = [ledger, tallies, filed].into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join(""))
}

fn long_after(scene: &Scene) -> Moment {
    scene.until() + 400 * DAY
}

proptest! {
    #![proptest_config(cases(300))]

    /// Other content under a known id comes at the known time: what is recent news is not held against the archive.
    #[test]
    fn what_settles_is_told_as_if_it_had_stayed(scene in scenes(NARROW).prop_map(begun), settling in 0i64..30) {
        let kept = World::after(&scene, None, &scene.arrivals());
        let released = World::after(&scene, Some(settling * HOUR), &scene.arrivals());
        prop_assert!(released.breaks.is_empty(), "{}", released.breaks.join("\n"));
        let wrong = same_net(&released.outcome(), &kept.outcome());
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    /// Also where subjects go from one partner to another.
    #[test]
    fn what_was_handed_over_settles_as_if_it_had_stayed(
        scene in scenes(Draw { two: true, handed: true, ..NARROW }).prop_map(begun), settling in 0i64..30
    ) {
        let kept = World::after(&scene, None, &scene.arrivals());
        let released = World::after(&scene, Some(settling * HOUR), &scene.arrivals());
        prop_assert!(released.breaks.is_empty(), "{}", released.breaks.join("\n"));
        let wrong = same_net(&released.outcome(), &kept.outcome());
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    /// What nobody has heard yet is unknown, and settles no sooner than it is known.
    #[test]
    fn what_is_heard_only_after_it_could_settle_is_told(
        scene in scenes(NARROW).prop_map(begun), settling in 0i64..30, lag in 0i64..90
    ) {
        let kept = World::after(&scene, None, &scene.arrivals());
        let mut behind = World::new(&scene, Some(settling * HOUR));
        for line in scene.arrivals() {
            behind.hear_behind(&line, lag * HOUR);
        }
        behind.finish(scene.until());
        let wrong = same_net(&behind.outcome(), &kept.outcome());
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }

    #[test]
    fn memory_holds_what_is_open(scene in scenes(NARROW).prop_map(begun), settling in 0i64..30) {
        let mut world = World::after(&scene, Some(settling * HOUR), &scene.arrivals());
        for days in 0..3 {
            world.pass(long_after(&scene) + days * DAY);
        }
        let mut open = BTreeSet::new();
        world.engine.each_duty(&mut |partner, subject, duty, _| {
            if duty.is_open() {
                open.insert((partner.to_owned(), subject.to_owned()));
            }
        });
        // Subjects that an open duty waits for stay, seen or not; so does each partner's own.
        let fields = scene.records.iter().flat_map(|r| &r.data).filter(|(f, _)| ["ticket", "change", "credential"].contains(f));
        let named: BTreeSet<String> = fields.map(|(_, names)| names.to_string()).collect();
        let awaited = if open.is_empty() { 0 } else { 2 * named.len() };
        prop_assert!(world.engine.live() <= open.len() + awaited + 2, "{} in memory, open: {open:?}", world.engine.live());
    }
}
