//! Partners are walls.

use crate::cases;
use crate::records::{ALL, Draw};
use crate::scene::{Scene, scenes};
use crate::world::{Outcome, World};
use proptest::prelude::*;

fn of(partner: &str, outcome: Outcome) -> Outcome {
    Outcome {
        stands: outcome.stands.into_iter().filter(|(name, _)| name.0 == partner).collect(),
        ledger: outcome.ledger.into_iter().filter(|(name, _)| name.0 == partner).collect(),
        tallies: outcome.tallies.into_iter().filter(|(name, _)| name.0 == partner).collect(),
        filed: outcome.filed.into_iter().filter(|(name, _)| name.0 == partner).collect(),
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn nothing_of_one_partner_reaches_another(scene in scenes(Draw { two: true, most: 20, ..ALL })) {
        let both = World::after(&scene, None, &scene.arrivals());
        let mut alone = scene.records.clone();
        alone.retain(|r| r.partner == "aa");
        let alone = Scene { records: alone, ..scene.clone() };
        let alone = World::after(&alone, None, &alone.arrivals());
        let (both, alone) = (of("aa", both.outcome()), of("aa", alone.outcome()));
        prop_assert!(both.unlike(&alone).is_none(), "{}", both.unlike(&alone).unwrap_or_default());
    }
}
