//! The performance workload is judged as it was drawn, whatever the seed and however many threads.

#[path = "support/w1.rs"]
mod w1;

use onus::runtime::check::{Report, Request, check};
use onus_engine::engine::Options;
use onus_engine::standing::Standing;
use onus_engine::terms::Trust;
use onus_engine::time::{DAY, Moment};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use w1::{Expected, Order};

fn judged(file: &Path, threads: usize) -> Report {
    let contract = onus::contract::parse(include_str!("../examples/w1/w1.yaml"), "w1.yaml").expect("it loads");
    let request = Request {
        contracts: vec![contract],
        events: vec![file.to_owned()],
        until: None,
        wall: Moment(w1::end()),
        catalogue: Default::default(),
        options: Options {
            settling: Some(7 * DAY),
            trust: Vec::new(),
            otherwise: Trust::Verified,
            ..Options::default()
        },
        duties: false,
        verbose: false,
        threads,
    };
    check(request, &mut |_| {}).expect("the file is judged")
}

fn told(report: &Report) -> Expected {
    let mut out = Expected::default();
    for breach in &report.breaches {
        let (at, started) = (breach.breached_at.0, breach.started.0);
        out.breached(&breach.obligation, &breach.partner, &breach.subject, at, started);
    }
    for row in &report.obligations {
        let total = out.totals.entry(row.obligation.clone()).or_default();
        total[0] += row.tally.of(Standing::Met) as u64;
        total[2] += (row.tally.of(Standing::Open) + row.tally.of(Standing::Paused)) as u64;
    }
    out
}

#[test]
fn the_workload_is_judged_as_it_was_drawn() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for seed in [1, 2, 20_260_105] {
        let file = dir.path().join(format!("{seed}.jsonl"));
        let (events, expected) = w1::draw(Order { events: 60_000, partners: 40, seed });
        let out = File::create(&file).expect("a file");
        w1::write(&events, &mut BufWriter::new(out)).expect("it is written");
        for threads in [1, 2] {
            let report = judged(&file, threads);
            assert_eq!(report.read.events, 60_001, "the last is the clock");
            assert_eq!(report.letters, []);
            assert_eq!(told(&report), expected, "seed {seed}, {threads} threads");
            let broken: i64 = report.obligations.iter().map(|row| row.tally.broken).sum();
            assert_eq!(broken as usize, report.breaches.len(), "each breach is counted");
        }
    }
}
