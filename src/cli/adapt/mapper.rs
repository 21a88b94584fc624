//! A mapper as an adapter, and its own examples tried.

use crate::cli::style::{self, paint, plain};
use crate::cli::{CliError, exit, write_out};
use crate::contract;
use crate::ingest::adapt::{Adapter, Difference, tried};
use crate::mapper::Mapper;
use std::fmt::Write as _;
use std::path::Path;

/// Some example does not hold.
const DIFFERS: u8 = 1;

/// The adapter that a mapper's file describes.
pub(in crate::cli) fn adapter(path: &Path) -> Result<Adapter, CliError> {
    let mapper = load(path)?;
    Ok(Adapter::mapped(&mapper, &format!("urn:onus:{}", mapper.name)))
}

/// Reads a mapper's examples, and prints what differs.
pub(super) fn test(path: &Path) -> Result<u8, CliError> {
    let mapper = load(path)?;
    let name = path.display().to_string();
    if mapper.examples.is_empty() {
        let why = format!("{}: the mapper has no examples; write some under `examples:`", plain(&name));
        return Err(CliError::Other(why));
    }
    let (records, differences) = tried(&mapper);
    let mut out = String::new();
    differences.iter().for_each(|difference| tell(&name, difference, &mut out));
    write_out(&out)?;
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (examples, records) = (many(mapper.examples.len(), "example"), many(records, "record"));
    if differences.is_empty() {
        anstream::eprintln!("{}: {examples} with {records} hold", paint(style::GOOD, "fine"));
        return Ok(exit::FINE);
    }
    let wrong = if differences.len() == 1 { "1 is".to_owned() } else { format!("{} are", differences.len()) };
    anstream::eprintln!("{}: of {records} in {examples} {wrong} read otherwise", paint(style::BAD, "differs"));
    Ok(DIFFERS)
}

fn tell(file: &str, difference: &Difference, out: &mut String) {
    let Difference { example, record, line, what } = difference;
    let place = paint(style::HEAD, &format!("{}:{line}", plain(file)));
    let _ = writeln!(out, "{place}: {}, record {record}", plain(example));
    what.iter().for_each(|line| {
        let _ = writeln!(out, "    {}", plain(line));
    });
    out.push('\n');
}

fn load(path: &Path) -> Result<Mapper, CliError> {
    contract::mapper_file(path).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let count = if texts.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", texts.len()) };
        CliError::Other(format!("the mapper cannot be used:\n\n{}\n\n{count}; nothing was read", texts.join("\n\n")))
    })
}
