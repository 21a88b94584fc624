//! A restart is invisible: what a snapshot holds is all that an engine needs to go on.

use crate::cases;
use crate::records::ALL;
use crate::scene::scenes;
use crate::world::World;
use onus_engine::time::HOUR;
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn an_engine_taken_up_from_a_snapshot_goes_on_as_if_nothing_had_been(
        scene in scenes(ALL), settling in proptest::option::of(0i64..30), cut in 0usize..20, lag in 0i64..100
    ) {
        let lines = scene.arrivals();
        let (before, after) = lines.split_at(cut.min(lines.len()));
        let mut on = World::new(&scene, settling.map(|hours| hours * HOUR));
        for line in before {
            on.hear_behind(line, lag * 600_000);
        }
        let mut again = on.restarted();
        prop_assert_eq!(on.engine.dump(), again.engine.dump());
        for line in after {
            on.hear_behind(line, lag * 600_000);
            again.hear_behind(line, lag * 600_000);
        }
        on.finish(scene.until());
        again.finish(scene.until());
        let (one, other) = (on.outcome(), again.outcome());
        prop_assert!(one.unlike(&other).is_none(), "{}", one.unlike(&other).unwrap_or_default());
        prop_assert_eq!(on.engine.dump(), again.engine.dump());
        prop_assert_eq!(on.engine.counts(), again.engine.counts());
        prop_assert_eq!(on.history(), again.history());
        prop_assert!(again.engine.recount().is_empty(), "{}", again.engine.recount().join("\n"));
        prop_assert_eq!(on.shelf.0, again.shelf.0);
    }
}
