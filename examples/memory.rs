//! What open duties cost in memory: opens tickets of the performance workload (two duties each) or credentials (one each)
//! and says how many bytes a duty takes, its facts, names and timers included.
//!
//!     cargo run --release --example memory -- tickets 5000000

use onus::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::engine::{Engine, Incoming, NoArchive, Options};
use onus_engine::time::Moment;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

const DAY: i64 = 86_400_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let credentials = args.next().is_some_and(|what| what == "credentials");
    let subjects: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let contract = onus::contract::parse(include_str!("w1/w1.yaml"), "w1.yaml").expect("the workload's contract loads");
    let book = Arc::new(Book::new(&[contract]));
    let mut decoder = Decoder::new(Arc::clone(&book), Moment(i64::MAX - 1));
    let mut engine = Engine::new(book, Options::default());
    let before = resident();
    let mut batch = Batch::default();
    let mut text = String::new();
    // All within an hour, so that every duty is still open at the end.
    let start = Moment(1_767_225_600_000);
    for from in (0..subjects).step_by(10_000) {
        text.clear();
        for n in from..subjects.min(from + 10_000) {
            let at = Moment(start.0 + (n * 600_000 / subjects) as i64);
            let partner = n % 200;
            let _ = if credentials {
                writeln!(
                    text,
                    r#"{{"specversion":"1.0","id":"e-{n:09}","source":"urn:vault:p{partner:04}","type":"credential.created","time":"{at}","subject":"svc-{n:07}","partner":"p{partner:04}","data":{{"kind":"key"}}}}"#
                )
            } else {
                writeln!(
                    text,
                    r#"{{"specversion":"1.0","id":"e-{n:09}","source":"urn:desk:p{partner:04}","type":"ticket.opened","time":"{at}","subject":"INC{n:08}","partner":"p{partner:04}","data":{{"priority":"P3","control":"onboarding","credential":"svc-{n:07}"}}}}"#
                )
            };
        }
        batch.clear();
        decoder.lines(text.as_bytes(), 1, &mut batch);
        let Batch { events, facts, names, .. } = &mut batch;
        let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
        for event in events.iter() {
            engine.advance(event.peak, event.peak, &mut NoArchive);
            let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
            let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
            engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut NoArchive);
        }
        engine.give_back(onus_engine::engine::Differences::default());
        drop(engine.take_differences());
    }
    let duties = subjects * if credentials { 1 } else { 2 };
    let bytes = resident() - before;
    let _ = writeln!(
        std::io::stdout(),
        "{duties} open duties on {} subjects: {} MiB, {} bytes a duty; all within {} days",
        engine.live(),
        bytes >> 20,
        bytes / duties,
        (engine.now() - start) / DAY + 1,
    );
}

/// Resident memory in bytes, as Linux tells it.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
