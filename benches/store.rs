//! What a commit costs: batches of 5,000 events with about 100 bytes of journal an event and an entry for every third, in
//! SQLite and, if its address is given, in PostgreSQL.
//!
//!     cargo bench --bench store                                        SQLite, in a temporary folder
//!     cargo bench --bench store -- postgres://onus@127.0.0.1/bench     ... and this one
//!     cargo bench --bench store -- sqlite:/var/tmp/bench.db            ... and on this disk
//!
//! A store that is there already goes on growing: run it again to see what size does.
//!
//! CPU is of this process alone: what PostgreSQL's own processes use is told by `ps`.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use onus::store::place::{Place, open};
use onus::store::{Batch, Entry, Page, Position, Store, Under, Which, digest};
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::sync::Arc;
use std::time::Instant;

const EVENTS: u64 = 5_000;
const BATCHES: u64 = 100;

fn main() {
    println!(
        "{:<12}{:>12}{:>12}{:>14}{:>16}{:>10}{:>10}",
        "store", "commits/s", "events/s", "CPU s/M", "CPU s/M alone", "p50 ms", "p99 ms"
    );
    let folder = tempfile::tempdir().unwrap();
    run(&format!("sqlite:{}", folder.path().join("onus.db").display()));
    // Cargo passes `--bench`.
    std::env::args().skip(1).filter(|argument| argument.contains(':')).for_each(|url| run(&url));
}

fn run(url: &str) {
    let name = url.split(':').next().unwrap_or_default();
    let mut store = open(&Place::parse(url).unwrap(), 0).unwrap();
    let claim = store.claim("bench").unwrap();
    let under = |partner: usize| {
        Arc::new(Under {
            partner: format!("partner-{partner:03}"),
            contract: "managed-identity-services".to_owned(),
            obligation: "resolve-incident".to_owned(),
            clause: "4.2".to_owned(),
        })
    };
    let under = (0..200).map(under).collect();
    let mut made = Made { sequence: claim.sequence, entries: claim.entries, digest: claim.digest, seed: 1, under };
    let (mut times, mut cpu, mut alone) = (Vec::new(), 0.0, 0.0);
    for _ in 0..BATCHES {
        let before = used();
        let (journal, entries) = made.next();
        let between = used();
        let began = Instant::now();
        commit(&mut *store, &claim, made.sequence, &journal, &entries);
        times.push(began.elapsed().as_secs_f64());
        cpu += used() - before;
        alone += used() - between;
    }
    let whole: f64 = times.iter().sum();
    times.sort_by(f64::total_cmp);
    let millions = (BATCHES * EVENTS) as f64 / 1e6;
    let at = |part: usize| times[times.len() * part / 100] * 1e3;
    println!(
        "{name:<12}{:>12.1}{:>12.0}{:>14.2}{:>16.2}{:>10.1}{:>10.1}",
        BATCHES as f64 / whole,
        (BATCHES * EVENTS) as f64 / whole,
        cpu / millions,
        alone / millions,
        at(50),
        at(99),
    );
}

fn commit(store: &mut dyn Store, claim: &onus::store::Claim, sequence: u64, journal: &[u8], entries: &[Entry]) {
    let positions: Vec<Position> = (0..8)
        .map(|partition| Position {
            source: "tickets".to_owned(),
            partition,
            incarnation: "cluster/topic".to_owned(),
            next: sequence * EVENTS,
            last: sequence,
        })
        .collect();
    let pages: &[Page] = &[];
    let batch = Batch {
        sequence,
        now: Moment(sequence as i64),
        journal,
        entries,
        letters: &[],
        reread: &[],
        released: (0, pages),
        remembered: &[],
        stamps: &[],
        regenerated: &[],
        positions: &positions,
        terms: None,
    };
    store.commit(claim.epoch, &batch).unwrap();
}

struct Made {
    sequence: u64,
    entries: u64,
    digest: [u8; 32],
    seed: u64,
    under: Vec<Arc<Under>>,
}

impl Made {
    fn next(&mut self) -> (Vec<u8>, Vec<Entry>) {
        self.sequence += 1;
        // What is compressed already looks like noise.
        let journal = (0..EVENTS * 100).map(|_| self.drawn() as u8).collect();
        let entries = (0..EVENTS / 3).map(|_| self.entry()).collect();
        (journal, entries)
    }

    fn entry(&mut self) -> Entry {
        self.entries += 1;
        let (drawn, number) = (self.drawn(), self.entries);
        let mut entry = Entry {
            number,
            under: Arc::clone(&self.under[drawn as usize % 200]),
            // Tickets are numbered as they are opened, and end within a while.
            subject: format!("INC-{:07}", number + drawn % 20_000),
            which: Which::Key(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            from: Standing::Open,
            to: Standing::Met,
            start: Moment(1_767_225_600_000 + number as i64),
            deadline: Some(Moment(1_767_225_600_000 + drawn as i64 % 1_000_000)),
            ended: Some(Moment(1_767_225_600_000 + number as i64)),
            broken: false,
            excused: false,
            disputed: false,
            adjustment: false,
            used: 1_000,
            at: Moment(1_767_225_600_000 + number as i64),
            heard: Moment(1_767_225_600_000 + number as i64),
            digest: [0; 32],
        };
        entry.digest = digest(&self.digest, &entry);
        self.digest = entry.digest;
        entry
    }

    fn drawn(&mut self) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }
}

/// Seconds of CPU that this process has used, in user and kernel; hundredths are all that the kernel tells.
fn used() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let field =
        |number: usize| after_name.split(' ').nth(number).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (field(11) + field(12)) / 100.0
}
