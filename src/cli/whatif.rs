//! `onus whatif`: the same events under new terms, side by side with today's.

mod json;
mod table;

use super::args::{Format, instant, length};
use super::check::{catalogued, letters, progress_bar, surveyed, trusted, wall_clock};
use super::style;
use super::{CliError, exit, write_out};
use crate::contract::nearest;
use crate::runtime::check::Request;
use crate::runtime::whatif::{self, Taken, WhatIf};
use clap::Args;
use onus_engine::engine::Options;
use onus_engine::time::Moment;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus whatif --against contracts/ --contracts acme-2027.yaml quarter.jsonl.gz
  onus whatif --against contracts/ --contracts drafts/ --since 2026-07-01T00:00:00Z events/*.jsonl --format json

The newest version of each new contract is taken as if it had stood in the place of today's contract of the same name
since `--since`, whatever `effective` it has; without `--since`, for as long as there has been a contract of that name.
Duties that began before `--since` are left out. Contracts that the new ones do not name stay as they are.

Exit codes: 0 nothing would have been different, 1 something would, 2 the input is bad.")]
pub(in crate::cli) struct WhatifArgs {
    /// Contracts as they are today: file, or folder of files (repeatable)
    #[arg(long, required = true, value_name = "OLD")]
    against: Vec<PathBuf>,
    /// New contracts: file, or folder of files (repeatable)
    #[arg(long, required = true, value_name = "NEW")]
    contracts: Vec<PathBuf>,
    /// Event files: CloudEvents 1.0 as JSON lines, plain, gzip or zstd; `-` is standard input, which goes to a temporary
    /// file first, since it is read more than once
    #[arg(required = true, value_name = "EVENTS")]
    events: Vec<PathBuf>,
    /// Only duties that began at this instant or later
    #[arg(long, value_name = "TIME", value_parser = instant)]
    since: Option<Moment>,
    /// Judge as of this instant [default: the last event or tick not later than the wall clock and a day]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<Moment>,
    /// How far sources are believed: a YAML map of source pattern to asserted, shared, system or verified; in its
    /// absence, event files are taken at their word
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Look for included files in this folder, too (repeatable)
    #[arg(long, value_name = "FOLDER")]
    library: Vec<PathBuf>,
    /// Catalogue of identities, the same for both: file, or folder of files (repeatable)
    #[arg(long, value_name = "PATH")]
    catalogue: Vec<PathBuf>,
    /// How late news may come; what ended longer ago leaves memory and is read back if news of it comes after all
    #[arg(long, value_name = "LENGTH", default_value = "7d", value_parser = length)]
    settling: i64,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Breaches shown of each obligation in the table; json and jsonl have all
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: usize,
    /// Stop with exit code 2 if any record could not be read
    #[arg(long)]
    strict: bool,
    /// No progress bar and no summary on standard error
    #[arg(long, short)]
    quiet: bool,
}

pub(in crate::cli) fn run(args: WhatifArgs) -> Result<u8, CliError> {
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since > until
    {
        return Err(CliError::Other(format!("--since {since} lies after --until {until}: no duty could be compared")));
    }
    let (today, _) = surveyed(&args.against, &args.library)?;
    let (new, _) = surveyed(&args.contracts, &args.library)?;
    let options = Options { settling: Some(args.settling), ..trusted(args.trust.as_deref())? };
    let bar = (!args.quiet).then(progress_bar);
    let mut lines = 0;
    let mut progress = |n: u64| {
        lines += n;
        if let Some(bar) = &bar {
            bar.set_position(lines);
        }
    };
    let request = Request {
        contracts: today,
        events: args.events,
        until: args.until,
        wall: wall_clock(),
        catalogue: catalogued(&args.catalogue)?,
        options,
        duties: false,
        verbose: false,
        threads: std::thread::available_parallelism().map_or(1, |n| n.get().min(2)),
    };
    let told = whatif::whatif(request, &new, args.since, &mut progress);
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    let told = told?;
    letters(&told.letters);
    if !args.quiet {
        talk(&told);
    }
    write_out(&match args.format {
        Format::Table => table::page(&told, args.examples),
        Format::Json => json::document(&told),
        Format::Jsonl => json::lines(&told),
    })?;
    Ok(match () {
        () if args.strict && !told.letters.is_empty() => exit::BAD_INPUT,
        () if told.differs() => exit::BREACHES,
        () => exit::FINE,
    })
}

/// How the question was understood, for people, on standard error.
fn talk(told: &WhatIf) {
    let note = |text: String| anstream::eprintln!("{}note{}: {text}", style::WARN, style::END);
    for taken in told.taken.iter().filter(|taken| taken.written != taken.from || !taken.known) {
        let of = style::plain(&format!("{} of {}", taken.contract, taken.partners.join(", ")));
        let known = if taken.known { "" } else { ", which is new" };
        let written =
            if taken.written == taken.from { String::new() } else { format!(" (its text says {})", taken.written) };
        let never = told.until.filter(|until| *until < taken.from);
        let never = never.map_or(String::new(), |until| format!(": never, of events up to {until}"));
        note(format!("{of}{known}: the new text is taken as in force from {}{written}{never}", taken.from));
    }
    for taken in told.taken.iter().filter(|taken| !taken.others.is_empty()) {
        note(unlike(taken));
    }
    for kept in &told.kept {
        note(format!("{}: not among the new contracts, so the same in both", style::plain(kept)));
    }
    let partners: Vec<String> = told.read.unbound.keys().take(5).map(|name| style::plain(name)).collect();
    if !partners.is_empty() {
        note(format!("no contract of today names {}", partners.join(", ")));
    }
    anstream::eprintln!("{} lines, {} events, {} dead letters", told.read.lines, told.read.events, told.letters.len());
}

/// A new text of a known contract that binds somebody whom it does not bind today.
fn unlike(taken: &Taken) -> String {
    let of = |partners: &[String]| style::plain(&partners.join(", "));
    let near = taken.partners.iter().find_map(|partner| nearest(partner, taken.others.iter().map(String::as_str)));
    let meant = near.map_or(String::new(), |near| format!(" (did you mean `{}`?)", style::plain(near)));
    format!(
        "today's contract {} is of {}, the new one of {}{meant}: nothing of today is compared with it",
        style::plain(&taken.contract),
        of(&taken.others),
        of(&taken.partners),
    )
}
