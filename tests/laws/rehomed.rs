//! Subjects that are handed from one partner to another keep all laws, and each partner is judged for the time in which it
//! had them.

use crate::cases;
use crate::records::{ALL, BASE, Draw, Record, shown};
use crate::scene::{Scene, scenes};
use crate::world::{World, unlike};
use onus_engine::time::{HOUR, Moment};
use proptest::prelude::*;

const HANDED: Draw = Draw { two: true, handed: true, ..ALL };
/// Without copies that contradict each other: so that it can be said plainly whose a subject was.
const PLAIN: Draw = Draw { tricks: false, ..HANDED };

/// When a partner had a subject: from, to.
fn had(scene: &Scene, partner: &str, subject: &str) -> Vec<(Moment, Moment)> {
    let side = |r: &Record, key: &str| r.data.iter().any(|(k, v)| *k == key && v == partner);
    let mut moves: Vec<(i64, bool)> = scene
        .records
        .iter()
        .filter(|r| r.kind == "subject.rehomed" && r.subject == subject && side(r, "from") != side(r, "to"))
        .map(|r| (r.at, side(r, "to")))
        .collect();
    moves.sort_unstable();
    let mut since = moves.first().is_none_or(|(_, into)| !into).then_some(Moment::DAWN);
    let mut out = Vec::new();
    for (at, into) in moves {
        match (since, into) {
            (None, true) => since = Some(Moment(at)),
            (Some(from), false) => {
                out.push((from, Moment(at)));
                since = None;
            }
            _ => {}
        }
    }
    out.extend(since.map(|from| (from, Moment::NEVER)));
    out
}

/// Subjects that were merged into this one, or into one of those.
fn merged_into(scene: &Scene, subject: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> = vec![subject];
    let mut i = 0;
    let mut theirs = Vec::new();
    while i < found.len() {
        let into = |r: &&Record| r.kind == "ticket.merged" && r.data.iter().any(|(k, v)| *k == "into" && v == found[i]);
        let new: Vec<&'static str> =
            scene.records.iter().filter(into).map(|r| r.subject).filter(|one| !found.contains(one)).collect();
        theirs.extend(&new);
        found.extend(new);
        i += 1;
    }
    theirs
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn it_does_not_matter_when_a_handover_is_heard(scene in scenes(HANDED)) {
        let late = World::after(&scene, None, &scene.arrivals());
        let timely = World::after(&scene, None, &scene.in_order());
        let (late, timely) = (late.outcome(), timely.outcome());
        prop_assert!(late.unlike(&timely).is_none(), "{}", late.unlike(&timely).unwrap_or_default());
    }

    #[test]
    fn handed_over_the_fold_is_the_judgement_of_all_facts(scene in scenes(HANDED)) {
        for lines in [scene.arrivals(), scene.in_order()] {
            let world = World::after(&scene, None, &lines);
            let outcome = world.outcome();
            let wrong = unlike("standing of", &outcome.stands, &world.judged_anew());
            prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
            prop_assert!(world.breaks.is_empty(), "{}", world.breaks.join("\n"));
            let wrong = unlike("last word on", &outcome.ledger, &outcome.as_told());
            prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
            prop_assert!(world.engine.recount().is_empty(), "{}", world.engine.recount().join("\n"));
        }
    }

    #[test]
    fn a_restart_between_handovers_is_invisible(
        scene in scenes(HANDED), settling in proptest::option::of(0i64..30), cut in 0usize..20
    ) {
        let lines = scene.arrivals();
        let (before, after) = lines.split_at(cut.min(lines.len()));
        let mut on = World::new(&scene, settling.map(|hours| hours * HOUR));
        before.iter().for_each(|line| on.hear(line));
        let mut again = on.restarted();
        prop_assert_eq!(on.engine.dump(), again.engine.dump());
        for line in after {
            on.hear(line);
            again.hear(line);
        }
        on.finish(scene.until());
        again.finish(scene.until());
        let (one, other) = (on.outcome(), again.outcome());
        prop_assert!(one.unlike(&other).is_none(), "{}", one.unlike(&other).unwrap_or_default());
        prop_assert_eq!(on.engine.dump(), again.engine.dump());
    }

    /// The wall between them: no duty on a subject begins before its partner had it, or runs on after. One of a ticket that was
    /// merged into it begins when its partner had that one (merging launders nothing, decision 0020).
    #[test]
    fn each_partner_is_judged_for_the_time_in_which_it_had_the_subject(scene in scenes(PLAIN)) {
        let world = World::after(&scene, None, &scene.arrivals());
        for ((partner, obligation, subject, _), stands) in &world.outcome().stands {
            let ends = stands.ended.or(stands.breach).unwrap_or(Moment::NEVER);
            let within = |(from, to): &(Moment, Moment), at: Moment| *from <= at && at <= *to;
            let theirs: Vec<_> = merged_into(&scene, subject).iter().flat_map(|one| had(&scene, partner, one)).collect();
            let had = had(&scene, partner, subject);
            let begins = |span: &(Moment, Moment)| span.0 <= stands.start || theirs.iter().any(|one| within(one, stands.start));
            let inside = had.iter().any(|span| begins(span) && (ends <= span.1 || stands.breach.is_some_and(|b| b <= span.1)));
            prop_assert!(inside, "{obligation} of {partner}/{subject}: {stands:?} within {had:?} or {theirs:?}");
        }
    }
}

/// The handover itself has settled and left memory: what is told under the old name is the new partner's all the same.
#[test]
fn a_handover_that_settled_long_ago_still_says_whose_the_subject_is() {
    let contract = "contract: halden
partner: [aa, bb]
customer: northwind
effective: 2026-01-01T00:00:00Z
zone: UTC
defaults: {trust: asserted}
obligations: [{id: rotate, clause: \"1\", when: credential.created, do: credential.rotated, within: 4h}]
";
    let contract = onus::contract::parse(contract, "found.yaml").expect("it loads");
    let line = |id: &str, kind: &str, at: i64, data: &str| {
        let at = shown(BASE + at * HOUR);
        format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"urn:d","type":"{kind}","partner":"aa","subject":"C1","time":"{at}","data":{data}}}"#
        )
    };
    for settling in [None, Some(HOUR)] {
        let mut world = World::of(std::slice::from_ref(&contract), settling);
        world.hear(&line("1", "subject.rehomed", 0, r#"{"from":"aa","to":"bb"}"#));
        world.pass(Moment(BASE + 100 * HOUR));
        assert_eq!(world.engine.live() == 0, settling.is_some(), "it has left memory");
        world.hear(&line("2", "credential.created", 100, "{}"));
        world.finish(Moment(BASE + 101 * HOUR));
        let owed: Vec<String> = world.outcome().ledger.into_keys().map(|(partner, ..)| partner).collect();
        assert_eq!(owed, ["bb"]);
    }
}
