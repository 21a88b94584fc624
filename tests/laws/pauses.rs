//! A pause is the time that it covers, however it is told.

use crate::cases;
use crate::contracts::pausable_pieces;
use crate::records::{Draw, HALF_HOUR, Record};
use crate::scene::{Scene, scenes_of};
use crate::world::World;
use proptest::prelude::*;
use serde_json::json;

const PLAIN: Draw = Draw { most: 16, tricks: false, moved: false, two: false, handed: false, wide: true };

/// Nobody confirms or voids a pause.
fn plain() -> impl Strategy<Value = Scene> {
    scenes_of(pausable_pieces().boxed(), PLAIN).prop_map(|mut scene| {
        scene.records.retain(|r| !r.kind.starts_with("ticket.pause-"));
        scene
    })
}

fn paused_at(scene: &Scene, which: usize) -> Option<&Record> {
    let pauses: Vec<&Record> = scene.records.iter().filter(|r| r.kind == "ticket.paused").collect();
    (!pauses.is_empty()).then(|| pauses[which % pauses.len()])
}

fn reason(record: &Record) -> Option<&serde_json::Value> {
    record.data.iter().find(|(name, _)| *name == "reason").map(|(_, value)| value)
}

fn with(scene: &Scene, more: &[Record]) -> Scene {
    let mut all = scene.clone();
    all.records.extend(more.iter().cloned());
    all
}

fn outcomes_are_alike(a: &Scene, b: &Scene) -> Result<(), TestCaseError> {
    let (one, other) = (World::after(a, None, &a.in_order()), World::after(b, None, &b.in_order()));
    let (one, other) = (one.outcome(), other.outcome());
    prop_assert!(one.unlike(&other).is_none(), "{}", one.unlike(&other).unwrap_or_default());
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_pause_told_in_two_parts_is_one_pause(
        scene in plain(), which in 0usize..5, after in 1i64..20
    ) {
        let Some(pause) = paused_at(&scene, which) else { return Ok(()) };
        let split = pause.at + after * HALF_HOUR;
        let same = |r: &&Record| r.subject == pause.subject && reason(r) == reason(pause);
        let any = |r: &&Record| r.subject == pause.subject && r.kind == "ticket.resumed" && reason(r).is_none();
        let others = scene.records.iter().filter(|r| r.id != pause.id && r.at <= split);
        // It must still run at the split, and be the only one of its reason.
        prop_assume!(split < scene.until);
        prop_assume!(reason(pause).is_some());
        prop_assume!(!others.clone().any(|r| same(&r) && r.kind != "ticket.noted" || any(&r) && r.at >= pause.at));
        let resumed = Record { id: "x1".into(), kind: "ticket.resumed", at: split, ..pause.clone() };
        let paused = Record { id: "x2".into(), at: split, ..pause.clone() };
        outcomes_are_alike(&scene, &with(&scene, &[resumed, paused]))?;
    }

    #[test]
    fn a_pause_of_no_length_changes_nothing(
        scene in plain(), at in 0i64..60, many in 1usize..3
    ) {
        prop_assume!(!scene.records.is_empty());
        let at = scene.records[0].at + at * HALF_HOUR;
        prop_assume!(at <= scene.until);
        let mut more = Vec::new();
        for (i, word) in ["waiting", "parts"].into_iter().enumerate().take(many) {
            // A pause of that reason that runs would be ended by it.
            prop_assume!(!scene.records.iter().any(|r| r.kind == "ticket.paused" && reason(r) == Some(&json!(word))));
            for kind in ["ticket.paused", "ticket.resumed"] {
                let data = vec![("reason", json!(word)), ("side", json!("customer"))];
                more.push(Record { id: format!("x{i}-{kind}"), kind, at, data, subject: "T1", ..scene.records[0].clone() });
            }
        }
        outcomes_are_alike(&scene, &with(&scene, &more))?;
    }
}
