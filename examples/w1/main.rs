//! Draws the performance workload: events to be judged by `w1.yaml` beside this file, and what must come of them.
//!
//!     cargo run --release --example w1 -- --events 2000000 --partners 200 --seed 1 --out w1.jsonl --expect w1.json
//!     onus check --contracts examples/w1/w1.yaml w1.jsonl

#[path = "../../tests/support/w1.rs"]
mod w1;

use clap::Parser;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::PathBuf;

/// Draws the performance workload.
#[derive(Debug, Parser)]
struct Args {
    /// Events, not counting the last line: the clock.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// Partners.
    #[arg(long, default_value_t = 200)]
    partners: usize,
    /// Equal seeds, equal files.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the events go, one a line.
    #[arg(long)]
    out: PathBuf,
    /// Where the expected totals and the digest of all breaches go, as JSON.
    #[arg(long)]
    expect: PathBuf,
}

fn main() -> io::Result<()> {
    let Args { events, partners, seed, out, expect } = Args::parse();
    let (events, expected) = w1::draw(w1::Order { events, partners: partners.max(1), seed });
    w1::write(&events, &mut BufWriter::with_capacity(1 << 20, File::create(out)?))?;
    fs::write(expect, expected.json() + "\n")
}
