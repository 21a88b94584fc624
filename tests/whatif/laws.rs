//! Nothing differs from itself, and the other way round is the same seen in a mirror.

use crate::records::ALL;
use crate::scene::{Scene, scenes};
use onus::runtime::check::{self, Request};
use onus::runtime::whatif::{self, Change, Line, Shift, WhatIf};
use onus_engine::engine::{Options, Tally};
use onus_engine::standing::Standing;
use onus_engine::terms::Contract;
use onus_engine::time::Moment;
use proptest::prelude::*;
use std::io::Write;

/// As many cases as `PROPTEST_CASES` says, else some.
fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn request(contracts: Vec<Contract>, scene: &Scene, file: &std::path::Path) -> Request {
    Request {
        contracts,
        events: vec![file.to_owned()],
        until: Some(scene.until()),
        wall: scene.until(),
        catalogue: Default::default(),
        options: Options::default(),
        duties: false,
        verbose: false,
        threads: 1,
    }
}

fn file(scene: &Scene) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for line in scene.arrivals() {
        writeln!(file, "{line}").expect("written");
    }
    file
}

fn whatif(old: &[Contract], new: &[Contract], since: Option<Moment>, scene: &Scene) -> WhatIf {
    let file = file(scene);
    whatif::whatif(request(old.to_vec(), scene, file.path()), new, since, &mut |_| {}).expect("it runs")
}

fn counts(tally: &Tally) -> (Vec<i64>, i64) {
    let shown = Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Withdrawn));
    (shown.map(|standing| tally.of(standing)).collect(), tally.broken)
}

fn mirrored(change: Change) -> Change {
    match change {
        Change::Appears => Change::Vanishes,
        Change::Vanishes => Change::Appears,
        Change::Same | Change::Moves => change,
    }
}

type Told = (String, String, String, String, Change, Vec<Option<(Standing, Moment, Option<Moment>, Option<Moment>)>>);

fn told(shift: &Shift, mirror: bool) -> Told {
    let mut states: Vec<_> =
        shift.states.iter().map(|s| s.map(|s| (s.standing, s.start, s.deadline, s.ended))).collect();
    if mirror {
        states.reverse();
    }
    let change = if mirror { mirrored(shift.change) } else { shift.change };
    (shift.partner.clone(), shift.contract.clone(), shift.obligation.clone(), shift.subject.clone(), change, states)
}

/// Partner, obligation, what becomes of it, counts of both sides, and how many breaches go, come and move.
type Counted = (String, String, Change, Vec<(Vec<i64>, i64)>, [usize; 3]);

fn line(line: &Line, mirror: bool) -> Counted {
    let mut both: Vec<_> = line.counts.iter().map(counts).collect();
    let mut shifts = [line.vanish, line.appear, line.moves];
    let mut change = line.change;
    if mirror {
        both.reverse();
        shifts.swap(0, 1);
        change = mirrored(change);
    }
    (line.partner.clone(), line.obligation.clone(), change, both, shifts)
}

/// An instant somewhere in what happens.
fn instant(scene: &Scene, part: u8) -> Moment {
    let first = scene.records.iter().map(|r| r.at).min().unwrap_or(crate::records::BASE);
    Moment(first + (scene.until - first) * i64::from(part) / 255)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_same_terms_change_nothing(scene in scenes(ALL), part in prop::option::of(any::<u8>())) {
        let one = &scene.contracts()[..1];
        let since = part.map(|part| instant(&scene, part));
        let told = whatif(one, one, since, &scene);
        prop_assert!(!told.differs(), "since {since:?}: {:?} {:?}", told.obligations, told.breaches);
    }

    #[test]
    fn the_newest_version_changes_nothing_for_what_began_under_it(scene in scenes(ALL), part in any::<u8>()) {
        let all = scene.contracts();
        let last = all.iter().map(|c| c.effective).max().unwrap_or(Moment::DAWN);
        let told = whatif(&all, &all, Some(instant(&scene, part).max(last)), &scene);
        prop_assert!(!told.differs(), "{:?} {:?}", told.obligations, told.breaches);
    }

    #[test]
    fn the_other_way_round_is_the_mirror(scene in scenes(ALL), other in scenes(ALL)) {
        let a = scene.contracts()[..1].to_vec();
        // Other sentences under the same name, in force from the same instant.
        let b = vec![Contract { name: a[0].name.clone(), partners: a[0].partners.clone(), effective: a[0].effective, ..other.contracts()[0].clone() }];
        let (there, back) = (whatif(&a, &b, None, &scene), whatif(&b, &a, None, &scene));
        let lines = |of: &WhatIf, mirror| of.obligations.iter().map(|l| line(l, mirror)).collect::<Vec<_>>();
        prop_assert_eq!(lines(&there, false), lines(&back, true));
        let sorted = |of: &WhatIf, mirror| {
            let mut all: Vec<Told> = of.breaches.iter().map(|b| told(b, mirror)).collect();
            all.sort();
            all
        };
        prop_assert_eq!(sorted(&there, false), sorted(&back, true));
        prop_assert_eq!(there.same, back.same);
    }

    #[test]
    fn its_counts_are_those_of_a_check(scene in scenes(ALL), part in prop::option::of(any::<u8>())) {
        let all = scene.contracts();
        let since = part.map(|part| instant(&scene, part));
        let file = file(&scene);
        let asked = Request { duties: true, ..request(all.clone(), &scene, file.path()) };
        let report = check::check(asked, &mut |_| {}).expect("it runs");
        let told = whatif(&all, &all, since, &scene);
        for line in &told.obligations {
            let duties = report.duties.iter().flat_map(|d| d.earlier.iter().chain([d]));
            let of = duties.filter(|d| (&d.partner, &d.obligation) == (&line.partner, &line.obligation));
            let of: Vec<_> = of.filter(|d| d.standing != Standing::Withdrawn && since.is_none_or(|s| d.start >= s)).collect();
            let mut tally = Tally::default();
            for duty in of {
                tally.standings[duty.standing as usize] += 1;
                tally.broken += i64::from(duty.breached_at.is_some() && duty.standing != Standing::Unknown);
            }
            prop_assert_eq!(counts(&line.counts[0]), counts(&tally), "{} {}", &line.partner, &line.obligation);
        }
    }
}
