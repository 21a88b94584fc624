//! An event that concerns several partners is judged as if each of them had been sent one of its own.

use crate::cases;
use crate::records::{ALL, Draw, Record};
use crate::scene::{Scene, scenes};
use crate::world::World;
use proptest::prelude::*;
use serde_json::json;

/// Every third record concerns both: as it is said once, and as it is sent to each.
fn both_ways(scene: &Scene) -> (Scene, Scene) {
    let (mut once, mut apart) = (Vec::new(), Vec::new());
    for (i, record) in scene.records.iter().enumerate() {
        let shared = i % 3 == 0 && record.kind != "subject.rehomed" && record.data.iter().all(|(k, _)| *k != "to");
        if !shared {
            once.push(record.clone());
            apart.push(record.clone());
            continue;
        }
        let mut whole = record.clone();
        whole.data.push(("partners", json!(["bb", "aa"])));
        once.push(whole);
        let named = |partner: &'static str| Record { partner, ..record.clone() };
        apart.extend([named("aa"), named("bb")]);
    }
    (Scene { records: once, ..scene.clone() }, Scene { records: apart, ..scene.clone() })
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn an_event_of_several_partners_is_one_of_each(scene in scenes(Draw { two: true, most: 20, ..ALL })) {
        let (once, apart) = both_ways(&scene);
        let said = World::after(&once, None, &once.arrivals()).outcome();
        let sent = World::after(&apart, None, &apart.arrivals()).outcome();
        prop_assert!(said.unlike(&sent).is_none(), "{}", said.unlike(&sent).unwrap_or_default());
    }

    #[test]
    fn it_does_not_matter_when_an_event_of_several_partners_is_heard(scene in scenes(Draw { two: true, ..ALL })) {
        let (once, _) = both_ways(&scene);
        let late = World::after(&once, None, &once.arrivals()).outcome();
        let timely = World::after(&once, None, &once.in_order()).outcome();
        prop_assert!(late.unlike(&timely).is_none(), "{}", late.unlike(&timely).unwrap_or_default());
    }
}
