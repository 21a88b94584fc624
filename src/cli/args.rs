//! The command line's shape.

use clap::{Args, Parser, Subcommand, ValueEnum};
use onus_engine::time::Moment;
use std::path::PathBuf;

/// Who holds the onus, until when, on what evidence?
///
/// Onus judges streams of ticket, change and credential events against the security duties that a contract sets a
/// partner, and says of each duty how it stands.
#[derive(Debug, Parser)]
#[command(name = "onus", version = version(), arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 all is well, 1 something was breached, 2 the input is bad.")]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

fn version() -> &'static str {
    use std::sync::OnceLock;
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{} (time zones {})", env!("CARGO_PKG_VERSION"), onus_engine::calendar::TZ_TABLE))
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make canonical events of what a vendor's tool sends.
    Adapt(super::adapt::AdaptArgs),
    /// Judge event files against contracts.
    Check(CheckArgs),
    /// Print Grafana's boards, or write them into a folder.
    Dashboards(super::dashboards::DashboardsArgs),
    /// Look at records that could not be used; have them read again, or give them up.
    DeadLetters(super::dead_letters::DeadLettersArgs),
    /// Tell a bundled story: three partners, two weeks, judged before your eyes.
    Demo(DemoArgs),
    /// Look whether everything is there that a process which runs on needs, and say what to do where it is not.
    Doctor(super::doctor::DoctorArgs),
    /// Answer questions of working time.
    Due(DueArgs),
    /// Say why the duties on one subject stand as they stand, and who held the onus when.
    Explain(ExplainArgs),
    /// Put contract files into their canonical form; comments stay.
    Fmt(super::fmt::FmtArgs),
    /// Say everything that is wrong with contracts, and what a code means.
    Lint(super::lint::LintArgs),
    /// Judge a store's journal again, and say what would stand otherwise.
    Replay(super::replay::ReplayArgs),
    /// Print recording and alerting rules for Prometheus.
    Rules(super::rules::RulesArgs),
    /// Read sources as they speak, judge, write down, tell: the service.
    Run(super::run::RunArgs),
    /// Print the schema of contract files, for editors, or their key reference.
    Schema(super::schema::SchemaArgs),
    /// Print the settings in force, or say what is wrong with them.
    Settings(super::settings::SettingsArgs),
    /// Which judge owns which shard; move one, or empty a judge before it is stopped.
    Shards(super::shards::ShardsArgs),
    /// How far sources were read; say where one that halted goes on.
    Sources(super::sources::SourcesArgs),
    /// Look a store through, copy it, put a copy back.
    Store(super::store::StoreArgs),
    /// Judge clause files: cases in Markdown that say what Onus must say.
    Test(super::test::TestArgs),
    /// Make, list and take back tokens that open figures.
    Token(super::token::TokenArgs),
    /// Judge the same events under today's contracts and under new ones, and say what would have been different.
    Whatif(super::whatif::WhatifArgs),
}

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line, each with its `record` kind.
    Jsonl,
}

/// Contracts, and how far sources are believed.
#[derive(Clone, Debug, Args)]
pub(super) struct Terms {
    /// Contract file, or folder of contract files (repeatable)
    #[arg(long, required = true, value_name = "PATH")]
    pub(super) contracts: Vec<PathBuf>,
    /// How far sources are believed: a YAML map of source pattern to asserted, shared, system or verified; in its
    /// absence, event files are taken at their word
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,
    /// Look for included files in this folder, too (repeatable)
    #[arg(long, value_name = "FOLDER")]
    pub(super) library: Vec<PathBuf>,
    /// Catalogue of identities: file, or folder of files (repeatable)
    #[arg(long, value_name = "PATH")]
    pub(super) catalogue: Vec<PathBuf>,
    /// How late news may come; what ended longer ago leaves memory and is read back if news of it comes after all
    #[arg(long, value_name = "LENGTH", default_value = "7d", value_parser = length)]
    pub(super) settling: i64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus check --contracts contracts/ tickets.jsonl changes.jsonl.gz
  onus check --contracts w1.yaml events.jsonl --until 2026-10-01T00:00:00Z --format json
  zcat export.jsonl.gz | onus check --contracts contracts/ - --duties --format jsonl")]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) terms: Terms,
    /// Event files: CloudEvents 1.0 as JSON lines, plain, gzip or zstd; `-` is standard input
    #[arg(required = true, value_name = "EVENTS")]
    pub(super) events: Vec<PathBuf>,
    /// Judge as of this instant [default: the last event or tick not later than the wall clock and a day]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<Moment>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
    /// Print every duty, too (keeps all in memory)
    #[arg(long)]
    pub(super) duties: bool,
    /// Stop with exit code 2 if any record could not be read
    #[arg(long)]
    pub(super) strict: bool,
    /// Threads [default: 2 if the machine has them; several files are read by one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) threads: Option<u16>,
    /// No progress bar and no summary on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus demo
  onus demo --live
  onus demo --into play
  onus demo --into play --recent
  onus check --contracts play/contracts play/events.jsonl")]
pub(super) struct DemoArgs {
    /// Write the story's contracts and records into this folder, too, to change them and judge again
    #[arg(long, value_name = "FOLDER")]
    pub(super) into: Option<PathBuf>,
    /// With `--into`: moved by whole weeks, so that the story has just ended
    #[arg(long, requires = "into")]
    pub(super) recent: bool,
    /// Play it through the service itself, sped up: a source, a store in a temporary folder, figures while it runs
    #[arg(long)]
    pub(super) live: bool,
    /// With `--live`: how long it takes, about
    #[arg(long, value_name = "SECONDS", requires = "live", default_value = "40",
          value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub(super) seconds: u16,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus explain INC-2041 --contracts contracts/ tickets.jsonl changes.jsonl.gz
  onus explain INC-2041 --contracts contracts/ events.jsonl --obligation resolve --until 2026-03-09T12:00:00Z
  onus explain svc-payroll --contracts contracts/ events.jsonl --partner halden-pam --format json

Of each duty: the clause, the facts it rests on, every stretch of time counted or not and why, how the deadline comes
about, and how it stands. `--settling` changes nothing here: everything stays in memory.")]
pub(super) struct ExplainArgs {
    /// The subject's id: a ticket, change, credential, grant or incident, or a partner's own name
    #[arg(value_name = "SUBJECT")]
    pub(super) subject: String,
    #[command(flatten)]
    pub(super) terms: Terms,
    /// Event files: CloudEvents 1.0 as JSON lines, plain, gzip or zstd; `-` is standard input
    #[arg(required = true, value_name = "EVENTS")]
    pub(super) events: Vec<PathBuf>,
    /// At this partner only [default: at all that have the subject]
    #[arg(long, value_name = "NAME")]
    pub(super) partner: Option<String>,
    /// Duties of this obligation only
    #[arg(long, value_name = "ID")]
    pub(super) obligation: Option<String>,
    /// As things stood at this instant [default: the last event or tick not later than the wall clock and a day]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<Moment>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus due --calendars contract.yaml --calendar office --op add --at 2026-03-27T16:00:00Z --seconds 7200
  onus due --calendars contract.yaml < questions.jsonl

A question is {\"calendar\": name or block, \"op\": \"add|sub|between|is_open|intervals\", \"at\", \"to\", \"seconds\"};
an answer {\"result\": ...} or {\"error\": ...}.")]
pub(super) struct DueArgs {
    /// File with calendars: a contract, or a map of names to calendar blocks
    #[arg(long, value_name = "FILE")]
    pub(super) calendars: Option<PathBuf>,
    /// Look for included files in this folder, too (repeatable)
    #[arg(long, value_name = "FOLDER")]
    pub(super) library: Vec<PathBuf>,
    /// Calendar by name; with this, one question is read from the flags, else many from standard input
    #[arg(long, value_name = "NAME")]
    pub(super) calendar: Option<String>,
    /// add, sub, between, is_open or intervals
    #[arg(long, requires = "calendar", value_name = "OP")]
    pub(super) op: Option<String>,
    /// The instant asked about
    #[arg(long, requires = "calendar", value_name = "TIME")]
    pub(super) at: Option<String>,
    /// The other end, of between and intervals
    #[arg(long, requires = "calendar", value_name = "TIME")]
    pub(super) to: Option<String>,
    /// Open time, of add and sub; may be negative, or have milliseconds
    #[arg(long, requires = "calendar", value_name = "SECONDS", allow_negative_numbers = true)]
    pub(super) seconds: Option<String>,
}

pub(super) fn instant(text: &str) -> Result<Moment, String> {
    Moment::parse(text).ok_or_else(|| "write RFC 3339 with an offset, such as 2026-10-01T00:00:00Z".to_owned())
}

pub(super) fn length(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" | "m" => 60_000,
        "h" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return Err("write a number and a unit: 30s, 15min, 12h, 7d".to_owned()),
    };
    let number: i64 = digits.trim().parse().map_err(|_| "write a number and a unit: 30s, 15min, 12h, 7d".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "longer than time itself".to_owned())
}

/// What `--lane` says over the settings: the shard is that lane of the intake's.
pub(super) fn of_lane(lane: Option<u16>) -> Vec<(&'static str, String)> {
    let said = lane.map(|lane| [("ONUS__RUN__ROLE", "intake".to_owned()), ("ONUS__RUN__LANE", lane.to_string())]);
    said.into_iter().flatten().collect()
}
