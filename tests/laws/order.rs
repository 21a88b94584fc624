//! Order of arrival is irrelevant, and the fold is nothing but the judgement of all facts.

use crate::cases;
use crate::records::{ALL, Draw};
use crate::scene::scenes;
use crate::world::{World, unlike};
use onus_engine::time::Moment;
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_order_of_arrival_ends_alike(scene in scenes(Draw { two: true, ..ALL })) {
        let late = World::after(&scene, None, &scene.arrivals());
        let timely = World::after(&scene, None, &scene.in_order());
        let (late, timely) = (late.outcome(), timely.outcome());
        prop_assert!(late.unlike(&timely).is_none(), "{}", late.unlike(&timely).unwrap_or_default());
    }

    #[test]
    fn the_fold_is_the_judgement_of_all_facts(scene in scenes(ALL)) {
        for lines in [scene.arrivals(), scene.in_order()] {
            let world = World::after(&scene, None, &lines);
            let wrong = unlike("standing of", &world.outcome().stands, &world.judged_anew());
            prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
        }
    }

    #[test]
    fn the_ledger_and_the_tallies_say_how_everything_stands(scene in scenes(ALL)) {
        let world = World::after(&scene, None, &scene.arrivals());
        let outcome = world.outcome();
        prop_assert!(world.breaks.is_empty(), "{}", world.breaks.join("\n"));
        let wrong = unlike("last word on", &outcome.ledger, &outcome.as_told());
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
        let wrong = unlike("tally of", &outcome.tallies, &outcome.recount());
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
        let wrong = unlike("filed of", &outcome.filed, &outcome.refiled(&world.book));
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
        prop_assert!(world.engine.recount().is_empty(), "{}", world.engine.recount().join("\n"));
    }

    #[test]
    fn no_wake_up_is_missed(scene in scenes(ALL), steps in 1i64..40) {
        let once = World::after(&scene, None, &scene.arrivals());
        let mut often = World::new(&scene, None);
        let from = scene.records.iter().map(|r| r.at).min().unwrap_or(0);
        for line in scene.arrivals() {
            often.hear(&line);
            let now = often.engine.now();
            often.pass(now);
        }
        let now = often.engine.now().0.max(from);
        for step in 1..=steps {
            often.pass(Moment(now + (scene.until - now) * step / steps));
        }
        let (once, often) = (once.outcome(), often.outcome());
        prop_assert!(once.unlike(&often).is_none(), "{}", once.unlike(&often).unwrap_or_default());
    }

    #[test]
    fn news_that_is_heard_late_ends_alike(scene in scenes(ALL), lag in 0i64..300) {
        let timely = World::after(&scene, None, &scene.arrivals());
        let mut behind = World::new(&scene, None);
        for line in scene.arrivals() {
            behind.hear_behind(&line, lag * 60_000 * 10);
        }
        behind.finish(scene.until());
        let (timely, behind) = (timely.outcome(), behind.outcome());
        prop_assert!(timely.unlike(&behind).is_none(), "{}", timely.unlike(&behind).unwrap_or_default());
    }
}
