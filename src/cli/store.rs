//! `onus store`: what was decided and on what, is it whole, a copy of it, and back.

mod events;
mod ledger;
mod reshard;

use super::args::Format;
use super::style::{self, paint, plain};
use super::{CliError, exit, write_out};
use crate::store::place::Place;
use crate::store::{StoreError, Verified, copies};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Read everything, check every sum and every link of the ledger, and name what is wrong.
    Verify(VerifyArgs),
    /// List what was decided, oldest first.
    Ledger(ledger::LedgerArgs),
    /// Print what was taken in, as it came, oldest first.
    Events(events::EventsArgs),
    /// Copy a store into one file, as of one instant, while a process goes on writing to it.
    Backup(BackupArgs),
    /// Put a backup back, into a file or a PostgreSQL database.
    Restore(RestoreArgs),
    /// Make a new store for another number of partitions of the exchange, of one that was filled with fewer, more or none.
    Reshard(reshard::ReshardArgs),
}

#[derive(Debug, Args)]
struct Where {
    /// The store: sqlite:PATH, or postgres://user@host:5432/database?passwordfile=PATH
    #[arg(long, value_name = "URL")]
    store: String,
}

impl Where {
    /// Not by clap: its errors show what was typed, and that may be a password.
    fn place(&self) -> Result<Place, CliError> {
        Place::parse(&self.store).map_err(told)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store verify --store sqlite:/var/lib/onus/onus.db
  onus store verify --store 'postgres://onus@db.example/onus?passwordfile=/run/secrets/onus' --format json

It may run beside the process that writes. Of each kind of thing the first that is wrong is named, and how many there
are. Exit codes: 0 all is whole, 2 something is not, or the store could not be read.")]
struct VerifyArgs {
    #[command(flatten)]
    at: Where,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store backup --store sqlite:/var/lib/onus/onus.db --into /backup/onus-2026-03-09.db
  onus store backup --store 'postgres://onus@db.example/onus?passwordfile=/run/secrets/onus' --into onus.db

A backup is a SQLite store, whatever it was taken from: `onus store verify --store sqlite:FILE` looks it through, and
`onus store restore` puts it into either kind of place. It is verified before this ends.
Exit codes: 0 it is written and whole, 2 it is not.")]
struct BackupArgs {
    #[command(flatten)]
    at: Where,
    /// The new file
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store restore --store sqlite:/var/lib/onus/onus.db --from /backup/onus-2026-03-09.db
  onus store restore --store postgres://onus@db.example/onus --from onus.db --overwrite

The backup is verified first, and what was put back afterwards. Whoever writes to the store meanwhile is fenced off: stop
it first, and start it after; it reads its sources again from where the backup stands. A damaged SQLite file is moved
aside, and named. Exit codes: 0 it is back and whole, 2 it is not.")]
struct RestoreArgs {
    #[command(flatten)]
    at: Where,
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// What is in the store may go
    #[arg(long)]
    overwrite: bool,
}

pub(in crate::cli) fn run(args: &StoreArgs) -> Result<u8, CliError> {
    match &args.command {
        StoreCommand::Verify(args) => verify(args),
        StoreCommand::Ledger(args) => ledger::run(args),
        StoreCommand::Events(args) => events::run(args),
        StoreCommand::Backup(args) => backup(args),
        StoreCommand::Restore(args) => restore(args),
        StoreCommand::Reshard(args) => reshard::run(args),
    }
}

fn told(error: StoreError) -> CliError {
    CliError::Other(plain(&error.to_string()))
}

fn verify(args: &VerifyArgs) -> Result<u8, CliError> {
    let place = args.at.place()?;
    let found = copies::verify(&place).map_err(told)?;
    write_out(&match args.format {
        Format::Table => table(&place, &found),
        Format::Json => document(&place, &found),
        Format::Jsonl => found.iter().map(|(shard, found)| format!("{}\n", line(*shard, found))).collect(),
    })?;
    let wrong: usize = found.values().map(|found| found.wrong.len()).sum();
    if wrong == 0 {
        anstream::eprintln!("{}: everything is as it was written", paint(style::GOOD, "whole"));
        return Ok(exit::FINE);
    }
    anstream::eprintln!(
        "{}: {place} is not as it was written; `onus store restore` brings a backup back",
        paint(style::BAD, "damaged")
    );
    Ok(exit::BAD_INPUT)
}

fn table(place: &Place, found: &BTreeMap<u16, Verified>) -> String {
    let mut out = format!("{}\n", paint(style::HEAD, &plain(&place.to_string())));
    if found.is_empty() {
        out.push_str("no shard was ever claimed: there is nothing in it\n");
        return out;
    }
    out.push_str(&format!("{:>5}  {:>12}  {:>12}  {:>12}  {:>6}\n", "shard", "commits", "entries", "pages", "wrong"));
    for (shard, found) in found {
        let (commits, entries, pages, wrong) = (found.commits, found.entries, found.pages, found.wrong.len());
        out.push_str(&format!("{shard:>5}  {commits:>12}  {entries:>12}  {pages:>12}  {wrong:>6}\n"));
    }
    for (shard, found) in found {
        for wrong in &found.wrong {
            out.push_str(&format!("{} shard {shard}, {}\n", paint(style::BAD, "wrong:"), plain(wrong)));
        }
    }
    out
}

fn value(shard: u16, found: &Verified) -> serde_json::Value {
    serde_json::json!({
        "shard": shard, "commits": found.commits, "entries": found.entries, "pages": found.pages, "wrong": found.wrong,
    })
}

fn line(shard: u16, found: &Verified) -> serde_json::Value {
    let mut value = value(shard, found);
    value["record"] = "shard".into();
    value
}

fn document(place: &Place, found: &BTreeMap<u16, Verified>) -> String {
    let shards: Vec<_> = found.iter().map(|(shard, found)| value(*shard, found)).collect();
    let whole = found.values().all(|found| found.wrong.is_empty());
    format!("{}\n", serde_json::json!({"store": place.to_string(), "whole": whole, "shards": shards}))
}

fn backup(args: &BackupArgs) -> Result<u8, CliError> {
    let place = args.at.place()?;
    let rows = copies::backup(&place, &args.into).map_err(told)?;
    let copy = Place::Sqlite(args.into.clone());
    whole(&copy, "the backup is not whole, and stays where it is to be looked at; so is the store, most likely")?;
    anstream::eprintln!("{}: {rows} rows of {place}, verified, in {copy}", paint(style::GOOD, "backed up"));
    Ok(exit::FINE)
}

fn restore(args: &RestoreArgs) -> Result<u8, CliError> {
    let place = args.at.place()?;
    let copy = Place::Sqlite(args.from.clone());
    whole(&copy, "the backup is not whole: nothing was put back")?;
    let restored = copies::restore(&args.from, &place, args.overwrite).map_err(told)?;
    for moved in &restored.moved {
        anstream::eprintln!(
            "{}: moved aside to {}",
            paint(style::WARN, "damaged"),
            plain(&moved.display().to_string())
        );
    }
    whole(&place, "what was put back is not what was read: do not start `onus run` on it")?;
    anstream::eprintln!("{}: {} rows of {copy}, verified, in {place}", paint(style::GOOD, "restored"), restored.rows);
    Ok(exit::FINE)
}

fn whole(place: &Place, otherwise: &str) -> Result<(), CliError> {
    let found = copies::verify(place).map_err(told)?;
    let wrong: Vec<String> = found
        .iter()
        .flat_map(|(shard, found)| found.wrong.iter().map(move |wrong| format!("\n  shard {shard}, {}", plain(wrong))))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(CliError::Other(format!("{place}: {otherwise}{}", wrong.concat())))
}
