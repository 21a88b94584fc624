//! `onus store ledger`: what was decided, as it was written down.

use super::super::args::Format;
use super::super::style::{self, paint, plain};
use super::super::{CliError, exit, write_out};
use super::{Where, told};
use crate::publish::decided::Decided;
use crate::store::{Entry, Query, copies};
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store ledger --store sqlite:/var/lib/onus/onus.db --partner acme --limit 20
  onus store ledger --store sqlite:onus.db --subject INC0041 --format jsonl
  onus store ledger --store 'postgres://onus@db.example/onus?passwordfile=/run/secrets/onus' --limit 0 --format jsonl

Oldest first. Every digest is worked out again as it is read; JSON is as docs/seams.md, section 11, has it. It may run
beside the process that writes. Exit codes: 0 done, 2 the store could not be read.")]
pub(super) struct LedgerArgs {
    #[command(flatten)]
    at: Where,
    /// Which shard
    #[arg(long, value_name = "N", default_value = "0")]
    shard: u16,
    /// Of this partner only
    #[arg(long, value_name = "PARTNER")]
    partner: Option<String>,
    /// Of this subject only
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only entries with a greater number: where the list before this one stopped
    #[arg(long, value_name = "N", default_value = "0")]
    after: u64,
    /// At most so many; 0: all
    #[arg(long, value_name = "N", default_value = "100")]
    limit: u64,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Entries that are in memory at once.
const PART: u64 = 10_000;

pub(super) fn run(args: &LedgerArgs) -> Result<u8, CliError> {
    let mut store = copies::existing(&args.at.place()?, args.shard).map_err(told)?;
    let mut query =
        Query { partner: args.partner.clone(), subject: args.subject.clone(), after: args.after, ..Query::default() };
    let mut left = if args.limit == 0 { u64::MAX } else { args.limit };
    let mut document = Vec::new();
    if args.format == Format::Table {
        write_out(&format!(
            "{}\n",
            paint(style::HEAD, &row(["number", "decided", "partner", "obligation", "subject", "stands"]))
        ))?;
    }
    while left > 0 {
        query.limit = left.min(PART) as u32;
        let entries = store.entries(&query).map_err(told)?;
        let Some(last) = entries.last() else { break };
        query.after = last.number;
        left -= entries.len() as u64;
        match args.format {
            Format::Table => write_out(&entries.iter().map(|entry| line(entry) + "\n").collect::<String>())?,
            Format::Jsonl => {
                write_out(&entries.iter().map(|entry| format!("{}\n", record(entry))).collect::<String>())?;
            }
            Format::Json => document.extend(entries.iter().map(|entry| Decided(entry).value())),
        }
    }
    if args.format == Format::Json {
        write_out(&format!("{}\n", serde_json::json!({ "entries": document })))?;
    }
    Ok(exit::FINE)
}

/// As every line that Onus prints: with its kind.
fn record(entry: &Entry) -> serde_json::Value {
    let mut value = Decided(entry).value();
    value["record"] = "entry".into();
    value
}

fn row([number, at, partner, obligation, subject, stands]: [&str; 6]) -> String {
    format!("{number:>9}  {at:<24}  {partner:<16}  {obligation:<24}  {subject:<20}  {stands}")
}

fn line(entry: &Entry) -> String {
    let adjusted = if entry.adjustment { ", adjusted" } else { "" };
    let by = entry.deadline.map(|at| format!(", due {at}")).unwrap_or_default();
    row([
        &entry.number.to_string(),
        &entry.at.to_string(),
        &plain(&entry.under.partner),
        &plain(&entry.under.obligation),
        &plain(&entry.subject),
        &format!("{} (was {}){by}{adjusted}", entry.to, entry.from),
    ])
}
