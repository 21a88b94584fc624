//! `onus replay`: judges what the store's journal holds again, and holds the outcome against the ledger. Writes nothing.

use super::run::{plan, store};
use super::{CliError, exit, write_out};
use crate::publish::decided::Decided;
use crate::runtime::live::{Moved, Replayed, replay};
use crate::settings;
use crate::store::Entry;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus replay
  onus replay --config /etc/onus/onus.toml --contracts contracts/2027 --format json
  onus replay --dump > state.txt

Before an upgrade: the new program judges the whole history again, and says which duties would stand otherwise. The store is
only read; the process that runs on it may go on.

Exit codes: 0 everything stands as the ledger says, 1 something would stand otherwise, 2 it could not be judged.")]
pub(in crate::cli) struct ReplayArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Judge by these contracts instead of those of the settings
    #[arg(long, value_name = "PATH")]
    contracts: Vec<PathBuf>,
    /// Print the state at the end, in words and in a defined order
    #[arg(long)]
    dump: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: super::args::Format,
}

pub(super) fn run(args: &ReplayArgs) -> Result<u8, CliError> {
    let mut settings = settings::load(args.config.as_deref())?.settings;
    if !args.contracts.is_empty() {
        settings.contracts.paths.clone_from(&args.contracts);
    }
    let mut store = store(&settings)?;
    let replayed = replay(&mut plan(&settings), store.as_mut()).map_err(|error| CliError::Other(error.to_string()))?;
    if args.dump {
        write_out(&replayed.dump)?;
    } else {
        write_out(&match args.format {
            super::args::Format::Table => page(&replayed),
            super::args::Format::Json => document(&replayed).to_string() + "\n",
            super::args::Format::Jsonl => replayed.moved.iter().map(|moved| entry(moved).to_string() + "\n").collect(),
        })?;
    }
    Ok(if replayed.moved.is_empty() { exit::FINE } else { exit::BREACHES })
}

fn page(replayed: &Replayed) -> String {
    let Replayed { commits, events, moved, .. } = replayed;
    let mut text = format!("{events} events of {commits} commits judged again\n");
    if moved.is_empty() {
        text.push_str("every duty stands as the ledger says\n");
        return text;
    }
    let _ = writeln!(text, "{} duties would stand otherwise:\n", moved.len());
    for Moved { before, after } in moved {
        let Some(either) = after.as_ref().or(before.as_ref()) else { continue };
        let says = |entry: &Option<crate::store::Entry>| match entry {
            None => "nothing".to_owned(),
            Some(e) => match (e.deadline, e.ended) {
                (Some(due), Some(ended)) => format!("{}, due {due}, ended {ended}", e.to),
                (Some(due), None) => format!("{}, due {due}", e.to),
                (None, Some(ended)) => format!("{}, ended {ended}", e.to),
                (None, None) => e.to.to_string(),
            },
        };
        let clean = |text: &str| super::style::plain(text).to_string();
        let _ = writeln!(
            text,
            "{}  {} (clause {})  {}\n    ledger  {}\n    again   {}",
            clean(&either.under.partner),
            clean(&either.under.obligation),
            clean(&either.under.clause),
            clean(&either.subject),
            says(before),
            says(after)
        );
    }
    text
}

fn document(replayed: &Replayed) -> Value {
    let moved: Vec<Value> = replayed.moved.iter().map(entry).collect();
    json!({"commits": replayed.commits, "events": replayed.events, "moved": moved})
}

fn entry(moved: &Moved) -> Value {
    let said = |entry: &Option<Entry>| entry.as_ref().map(|entry| Decided(entry).value());
    json!({"before": said(&moved.before), "after": said(&moved.after)})
}
