//! What an adapter costs a record: each source's samples, read again and again, each time from an empty state, so that each record
//! tells what it tells; the events are written as lines, too.
//!
//!     cargo bench --bench adapt                     all sources
//!     cargo bench --bench adapt -- servicenow       one of them
//!     cargo bench --bench adapt -- servicenow 20    so many rounds and no more: for callgrind
//!
//! What is told is CPU time, by the best of five runs: what else runs on the machine only ever adds.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use onus::ingest::adapt::{Adapter, Record, Settings, State, redact_bytes};
use std::hint::black_box;

const RUNS: usize = 5;
const SECONDS: f64 = 0.5;

struct Sample {
    topic: String,
    value: Vec<u8>,
}

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    let tables = std::fs::read_to_string(format!("{folder}/adapters.config.json")).unwrap();
    let settings = Settings::parse(&tables).unwrap();
    // Cargo passes `--bench`.
    let said: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let rounds = said.iter().find_map(|argument| argument.parse().ok());
    println!(
        "{:<12}{:>9}{:>14}{:>10}{:>16}{:>12}{:>14}",
        "source", "bytes", "records/s", "MB/s", "events/record", "us/record", "secrets us"
    );
    for name in Adapter::names() {
        if said.is_empty()
            || said.iter().any(|argument| argument == name)
            || said.iter().all(|a| a.parse::<u32>().is_ok())
        {
            let text = std::fs::read_to_string(format!("{folder}/{name}.jsonl")).unwrap();
            let samples: Vec<Sample> = text.lines().map(sample).collect();
            run(name, &Adapter::new(name, &settings).unwrap(), &samples, rounds);
        }
    }
}

fn sample(line: &str) -> Sample {
    let record: serde_json::Value = serde_json::from_str(line).unwrap();
    let value = match &record["value"] {
        serde_json::Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    Sample { topic: record["topic"].as_str().unwrap_or_default().to_owned(), value: value.into_bytes() }
}

fn run(name: &str, adapter: &Adapter, samples: &[Sample], rounds: Option<usize>) {
    let mut line = String::new();
    // How many events it told.
    let mut read = || -> usize {
        let (mut state, mut events) = (State::default(), 0);
        for sample in samples {
            let record = Record { value: Some(&sample.value), topic: Some(&sample.topic), ..Record::default() };
            let answer = adapter.read(&mut state, black_box(&record));
            events += answer.events.len();
            line.clear();
            answer.events.iter().for_each(|event| event.write(&mut line));
            black_box(&line);
        }
        events
    };
    if let Some(rounds) = rounds {
        (0..rounds).for_each(|_| {
            read();
        });
        return;
    }
    let events = read();
    let best = fastest(&mut || {
        read();
    });
    let secrets = fastest(&mut || samples.iter().for_each(|sample| drop(black_box(redact_bytes(&sample.value)))));
    let count = samples.len() as f64;
    let bytes = samples.iter().map(|sample| sample.value.len()).sum::<usize>() as f64;
    println!(
        "{name:<12}{:>9.0}{:>14.0}{:>10.0}{:>16.2}{:>12.2}{:>14.2}",
        bytes / count,
        count / best,
        bytes / best / 1e6,
        events as f64 / count,
        best / count * 1e6,
        secrets / count * 1e6,
    );
}

/// Seconds that one round takes, in the best run.
fn fastest(round: &mut impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let (began, mut rounds) = (used(), 0);
        while used() - began < SECONDS {
            (0..16).for_each(|_| round());
            rounds += 16;
        }
        best = best.min((used() - began) / f64::from(rounds));
    }
    best
}

/// Seconds that this thread, the only one, was on a processor.
fn used() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    told.split(' ').next().and_then(|spent| spent.parse::<f64>().ok()).unwrap() / 1e9
}
