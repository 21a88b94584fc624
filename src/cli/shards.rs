//! `onus shards`: who owns which shard, and who is to.
//!
//! Works on the store, beside the judges: what is decided here they do within some seconds.

use super::args::Format;
use super::run::{POOL, place};
use super::style::{BAD, DIM, HEAD, WARN, paint, plain};
use super::{CliError, exit, write_out};
use crate::settings;
use crate::store::place::Place;
use crate::store::pool::{Listed, Member, Owned, Pool};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus shards list
  onus shards list --format json
  onus shards move 3 --to judge-2          shard 3 goes there now, and whenever that one is there
  onus shards move 3 --unpin               shard 3 is whoever's it falls to again
  onus shards drain judge-1                it gives its shards to the others: before its machine is taken away
  onus shards drain judge-1 --undo

Exit codes: 0 done, 2 the store cannot be read, or there is no such shard or member.")]
pub(in crate::cli) struct ShardsArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Who judges, what is whose, and up to where it is judged.
    List(ListArgs),
    /// Say whose a shard is to be.
    Move(MoveArgs),
    /// Have a member give its shards to the others.
    Drain(DrainArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whither").required(true).args(["to", "unpin"]))]
struct MoveArgs {
    /// The shard: a partition of the exchange
    #[arg(value_name = "SHARD")]
    shard: u16,
    /// Its member from now on, whenever that one is there and does not drain
    #[arg(long, value_name = "MEMBER")]
    to: Option<String>,
    /// Whoever's it falls to
    #[arg(long)]
    unpin: bool,
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DrainArgs {
    /// The member, as `onus shards list` names it
    #[arg(value_name = "MEMBER")]
    member: String,
    /// It has its share again
    #[arg(long)]
    undo: bool,
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(in crate::cli) fn run(args: &ShardsArgs) -> Result<u8, CliError> {
    match &args.what {
        What::List(args) => {
            let listed = open(args.config.as_deref())?.list().map_err(failed)?;
            write_out(&match args.format {
                Format::Table => table(&listed),
                Format::Json => format!("{:#}\n", document(&listed)),
                Format::Jsonl => lines(&listed),
            })?;
        }
        What::Move(args) => {
            open(args.config.as_deref())?.pin(args.shard, args.to.as_deref()).map_err(failed)?;
        }
        What::Drain(args) => {
            open(args.config.as_deref())?.drain(&args.member, !args.undo).map_err(failed)?;
        }
    }
    Ok(exit::FINE)
}

fn failed(error: impl std::fmt::Display) -> CliError {
    CliError::Other(plain(&error.to_string()))
}

fn open(config: Option<&Path>) -> Result<Pool, CliError> {
    let settings = settings::load(config)?.settings;
    match place(&settings).map_err(failed)? {
        Place::Postgres(server) => Pool::existing(&server, POOL).map_err(failed),
        Place::Sqlite(_) => Err(CliError::Other(
            "judges share shards by a PostgreSQL store: with SQLite each is told its own (docs/scale-out.md)"
                .to_owned(),
        )),
    }
}

fn table(listed: &Listed) -> String {
    let mut out = String::new();
    if listed.members.is_empty() {
        let _ = writeln!(out, "{}", paint(WARN, "no judge is in the pool"));
    } else {
        let head =
            format!("{:<24} {:>6}  {:<24} {:<24} {:<8} {}", "MEMBER", "SHARDS", "SINCE", "LEASE UNTIL", "VERSION", "");
        let _ = writeln!(out, "{}", paint(HEAD, head.trim_end()));
    }
    for one in &listed.members {
        let owns = listed.units.iter().filter(|unit| unit.member.as_deref() == Some(&one.name)).count();
        let until = one.seen + one.lease;
        let state = if one.draining { paint(WARN, "drains") } else { String::new() };
        let (name, version) = (plain(&one.name), plain(&one.version));
        let row = format!(
            "{name:<24} {owns:>6}  {:<24} {:<24} {version:<8} {state}",
            one.since.to_string(),
            until.to_string()
        );
        let _ = writeln!(out, "{}", row.trim_end());
    }
    if listed.units.is_empty() {
        return out;
    }
    let (epoch, commit, entries) = ("EPOCH", "COMMIT", "ENTRIES");
    let head = format!(
        "{:<6} {:<24} {epoch:>6} {:<24} {commit:>9} {:<24} {entries:>9}  {}",
        "SHARD", "OWNER", "SINCE", "AS OF", "PINNED TO"
    );
    let _ = writeln!(out, "\n{}", paint(HEAD, &head));
    for one in &listed.units {
        let owner = match (&one.member, one.giving) {
            (None, _) => paint(BAD, &format!("{:<24}", "nobody")),
            (Some(name), true) => paint(WARN, &format!("{:<24}", format!("{} (gives it up)", plain(name)))),
            (Some(name), false) => format!("{:<24}", plain(name)),
        };
        let since = one.taken.map_or_else(String::new, |at| at.to_string());
        let [epoch, commit, now, entries] = one.shard.map_or_else(Default::default, |(epoch, commit, now, entries)| {
            [epoch.to_string(), commit.to_string(), now.to_string(), entries.to_string()]
        });
        let pinned = one.pinned.as_deref().map(|name| paint(DIM, &plain(name))).unwrap_or_default();
        let row =
            format!("{:<6} {owner} {epoch:>6} {since:<24} {commit:>9} {now:<24} {entries:>9}  {pinned}", one.unit);
        let _ = writeln!(out, "{}", row.trim_end());
    }
    out
}

fn member(listed: &Listed, one: &Member) -> Value {
    let owned: Vec<u16> =
        listed.units.iter().filter(|unit| unit.member.as_deref() == Some(&one.name)).map(|unit| unit.unit).collect();
    json!({
        "member": one.name,
        "since": one.since.to_string(),
        "seen": one.seen.to_string(),
        "lease_until": (one.seen + one.lease).to_string(),
        "draining": one.draining,
        "version": one.version,
        "schema": one.schema,
        "shards": owned,
    })
}

fn shard(listed: &Listed, one: &Owned) -> Value {
    let owner = listed.members.iter().find(|member| one.member.as_deref() == Some(&member.name));
    json!({
        "shard": one.unit,
        "owner": one.member,
        "giving_up": one.giving,
        "since": one.taken.map(|at| at.to_string()),
        "lease_until": owner.map(|member| (member.seen + member.lease).to_string()),
        "epoch": one.shard.map(|(epoch, ..)| epoch),
        "commit": one.shard.map(|(_, commit, ..)| commit),
        "now": one.shard.map(|(_, _, now, _)| now.to_string()),
        "entries": one.shard.map(|(.., entries)| entries),
        "pinned": one.pinned,
    })
}

fn document(listed: &Listed) -> Value {
    json!({
        "at": listed.now.to_string(),
        "members": listed.members.iter().map(|one| member(listed, one)).collect::<Vec<_>>(),
        "shards": listed.units.iter().map(|one| shard(listed, one)).collect::<Vec<_>>(),
    })
}

fn lines(listed: &Listed) -> String {
    let mark = |kind: &str, mut value: Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("record".to_owned(), kind.into());
        }
        format!("{value}\n")
    };
    let members = listed.members.iter().map(|one| mark("member", member(listed, one)));
    members.chain(listed.units.iter().map(|one| mark("shard", shard(listed, one)))).collect()
}
