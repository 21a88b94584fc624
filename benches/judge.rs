//! What the judge costs an event when history grows and what is open does not: a steady stream of tickets, changes and
//! rotations from 1 to 50 million events after a run-in of 5 million, archive included; and one credential with 100,000
//! rotations. Reading is not counted: events are decoded before the watch starts.
//!
//!     cargo bench --bench judge              both, the stream up to 10 million events
//!     cargo bench --bench judge -- 50        ... up to 50 million
#![allow(clippy::expect_used, clippy::print_stdout, missing_docs)]

use onus::decode::{Batch, Decoder};
use onus::runtime::ahead::Foresight;
use onus::runtime::spill::Spill;
use onus_engine::book::Book;
use onus_engine::engine::{Engine, Incoming, Options};
use onus_engine::time::{DAY, HOUR, MINUTE, Moment};
use rustix::time::{ClockId, clock_gettime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const START: Moment = Moment(1_767_225_600_000);
const PARTNERS: u64 = 200;
const CREDENTIALS: u64 = 20_000;
/// A hundred days: before them less is open, and few credentials were rotated.
const RUN_IN: u64 = 5_000_000;

fn main() {
    // Cargo passes `--bench`.
    let millions: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(10);
    steady(millions);
    one_credential();
}

fn steady(millions: u64) {
    println!("a steady stream\n{:>16}{:>12}{:>14}{:>16}", "events so far", "ns/event", "in memory", "bytes of them");
    let mut stream = Stream::new();
    let mut judge = Judge::new();
    judge.run(&mut stream, RUN_IN);
    let mut windows: Vec<u64> = vec![1, 2, 5, 10, 20, 30, 40, 50];
    windows.retain(|m| *m <= millions);
    for until in windows {
        // The last half million before each mark is what is shown.
        judge.run(&mut stream, RUN_IN + until * 1_000_000 - 500_000);
        let spent = judge.run(&mut stream, RUN_IN + until * 1_000_000);
        let ns = spent.as_nanos() as u64 / 500_000;
        println!("{:>16}{ns:>12}{:>14}{:>16}", until * 1_000_000, judge.engine.live(), judge.engine.bytes());
    }
    let began = Instant::now();
    let mut pass = judge.engine.begin_pass();
    judge.engine.look_on(&mut pass, usize::MAX);
    let live = judge.engine.live().max(1) as u128;
    println!("a look through all of it: {} ns a subject", began.elapsed().as_nanos() / live);
}

fn one_credential() {
    println!("\none credential, rotated each hour\n{:>16}{:>12}", "rotations", "ns/event");
    let mut judge = Judge::new();
    let mut stream = Rotations { told: 0 };
    for until in [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000] {
        judge.run(&mut stream, until - 1_000);
        let spent = judge.run(&mut stream, until);
        println!("{until:>16}{:>12}", spent.as_nanos() / 1_000);
    }
}

/// CPU time of this thread: what others do beside it weighs less than in the time that passes.
fn on_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// Events without end, in order of time.
trait Events {
    /// How many there were.
    fn told(&self) -> u64;
    /// Writes the next as a line.
    fn next(&mut self, out: &mut String);
}

struct Judge {
    decoder: Decoder,
    engine: Engine,
    archive: Spill,
    batch: Batch,
    text: String,
}

impl Judge {
    fn new() -> Judge {
        let contract = include_str!("../examples/w1/w1.yaml");
        let contract = onus::contract::parse(contract, "w1.yaml").expect("the workload's contract loads");
        let book = Arc::new(Book::new(&[contract]));
        Judge {
            decoder: Decoder::new(Arc::clone(&book), Moment(i64::MAX - 1)),
            engine: Engine::new(book, Options::default()),
            archive: Spill::new().expect("a temporary file"),
            batch: Batch::default(),
            text: String::new(),
        }
    }

    /// Judges up to so many events; gives the CPU time that this took, without reading.
    fn run(&mut self, events: &mut dyn Events, until: u64) -> Duration {
        let mut spent = Duration::ZERO;
        while events.told() < until {
            self.text.clear();
            for _ in 0..(until - events.told()).min(500) {
                events.next(&mut self.text);
            }
            self.batch.clear();
            self.decoder.lines(self.text.as_bytes(), 1, &mut self.batch);
            assert!(self.batch.letters.is_empty(), "{:?}", self.batch.letters);
            let begun = on_cpu();
            self.judge();
            spent += on_cpu() - begun;
        }
        spent
    }

    fn judge(&mut self) {
        let mut foresight = Foresight::default();
        for i in 0..self.batch.events.len() {
            let seen = foresight.of(i, &mut self.batch, None, &self.engine, &self.archive);
            let Batch { events, facts, names, .. } = &mut self.batch;
            let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
            let event = &events[i];
            self.engine.advance(event.peak, event.peak, &mut self.archive);
            let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
            let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
            let incoming = Incoming { partner, subject, source, fact, trust: None };
            self.engine.apply_seen(incoming, seen, &mut self.archive);
        }
        let told = self.engine.take_differences();
        self.engine.give_back(told);
    }
}

/// Tickets and changes at an even rate, each with its life; a fixed number of credentials, each rotated within 90 days, so
/// that it has an open duty and stays in memory, while its history grows.
struct Stream {
    /// What comes next: instant, order of making, what.
    coming: BinaryHeap<Reverse<(i64, u64, What)>>,
    told: u64,
    made: u64,
    dice: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Begin,
    Ticket(u64, u8),
    Change(u64, u8),
    Credential(u64, bool),
}

impl Stream {
    fn new() -> Stream {
        let mut stream = Stream { coming: BinaryHeap::new(), told: 0, made: 0, dice: 0x9e37_79b9_7f4a_7c15 };
        for n in 0..CREDENTIALS {
            let at = START.0 + stream.roll(60 * DAY);
            stream.coming(at, What::Credential(n, false));
        }
        stream.coming(START.0, What::Begin);
        stream
    }

    fn coming(&mut self, at: i64, what: What) {
        self.made += 1;
        self.coming.push(Reverse((at, self.made, what)));
    }

    /// Up to `most`, never nothing.
    fn roll(&mut self, most: i64) -> i64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % most as u64) as i64 + 1
    }
}

impl Events for Stream {
    fn told(&self) -> u64 {
        self.told
    }

    fn next(&mut self, out: &mut String) {
        let Some(Reverse((at, made, what))) = self.coming.pop() else { return };
        let (of, kind, n, data) = match what {
            What::Begin => {
                self.coming(at + 12_000, What::Begin);
                let n = made;
                let later = self.roll(3 * HOUR);
                self.coming(at + later, What::Change(n, 0));
                self.coming(at + self.made as i64 % 50 * MINUTE, What::Ticket(n, 1));
                let data = format!(r#"{{"priority":"P{}","control":"onboarding"}}"#, n % 3 + 1);
                ("INC", "ticket.opened", n, data)
            }
            What::Ticket(n, step) => {
                if step == 1 {
                    let later = self.roll(30 * HOUR);
                    self.coming(at + later, What::Ticket(n, 2));
                }
                let kind = if step == 1 { "ticket.acknowledged" } else { "ticket.resolved" };
                ("INC", kind, n, r#"{"actor":"op-7"}"#.to_owned())
            }
            What::Change(n, step) => {
                let (kind, data) = match step {
                    0 => ("change.requested", r#"{"privileged":true}"#),
                    1 => ("change.approved", r#"{"actor":"boss-1","side":"customer"}"#),
                    2 => ("change.executed", r#"{"actor":"op-7"}"#),
                    _ => ("change.closed", r#"{"evidence":["urn:log:1"]}"#),
                };
                if step < 3 {
                    let later = self.roll(8 * HOUR);
                    self.coming(at + later, What::Change(n, step + 1));
                }
                ("CHG", kind, n, data.to_owned())
            }
            What::Credential(n, rotated) => {
                let later = self.roll(60 * DAY) + 25 * DAY;
                self.coming(at + later, What::Credential(n, true));
                let kind = if rotated { "credential.rotated" } else { "credential.created" };
                ("svc-", kind, n, r#"{"kind":"key","actor":"rotator-1"}"#.to_owned())
            }
        };
        self.told += 1;
        line(out, self.told, kind, at, &format!("{of}{n}"), n % PARTNERS, &data);
    }
}

struct Rotations {
    told: u64,
}

impl Events for Rotations {
    fn told(&self) -> u64 {
        self.told
    }

    fn next(&mut self, out: &mut String) {
        let kind = if self.told == 0 { "credential.created" } else { "credential.rotated" };
        self.told += 1;
        let at = START.0 + self.told as i64 * HOUR;
        line(out, self.told, kind, at, "svc-1", 1, r#"{"kind":"key","actor":"rotator-1"}"#);
    }
}

fn line(out: &mut String, id: u64, kind: &str, at: i64, subject: &str, partner: u64, data: &str) {
    let at = Moment(at);
    let _ = writeln!(
        out,
        r#"{{"specversion":"1.0","id":"e-{id:09}","source":"urn:desk:p{partner:04}","type":"{kind}","time":"{at}","subject":"{subject}","partner":"p{partner:04}","data":{data}}}"#
    );
}
