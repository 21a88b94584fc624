//! `onus sources`: how far sources were read, which partitions halted, where one of them goes on, and what is read anew.
//!
//! Works on the store, beside a process that runs: what is decided here, it does within some seconds; if none runs, the
//! next one does. What that leaves out is a dead letter of its own, which nobody can take away.

mod regenerate;

use super::args::{Format, of_lane};
use super::style::{BAD, DIM, HEAD, WARN, paint, plain};
use super::{CliError, exit, write_out};
use crate::exchange;
use crate::runtime::live::halts::{HALTED, SKIPPED, Whence, note, noted};
use crate::settings::{self, Origin, Role, Settings};
use crate::store::{Letter, LetterState, Position, Query, Store, StoreError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus sources list
  onus sources list --format json
  onus sources resume tickets --from earliest --reason \"topic made anew after CHG-4711; nothing else reads it\"
  onus sources resume tickets --partition 3 --from 1500 --reason \"records to 1499 were read from the backup\"
  onus sources resume tickets --from 2026-03-02T09:00:00Z --reason \"retention was too short over the weekend\"

Exit codes: 0 done, 2 the store cannot be read, or nothing of the source has halted.")]
pub(in crate::cli) struct SourcesArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// How far each was read, what has halted, and what was decided.
    List(ListArgs),
    /// Say where a source that halted goes on, and why.
    Resume(ResumeArgs),
    /// Read anew what an adapter has read, under its settings of today.
    Regenerate(regenerate::RegenerateArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Of the intake this lane only [default: all, where the settings' role is intake]
    #[arg(long, value_name = "N")]
    lane: Option<u16>,
}

#[derive(Debug, Args)]
struct ResumeArgs {
    /// The source's name in the settings
    #[arg(value_name = "NAME")]
    name: String,
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// This partition only [default: all that have halted]
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Where: earliest, latest, an offset, or an instant
    #[arg(long, value_name = "WHERE", value_parser = whence)]
    from: Whence,
    /// Why; whoever asks later reads it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Of the intake this lane only [default: all, where the settings' role is intake]
    #[arg(long, value_name = "N")]
    lane: Option<u16>,
}

fn whence(text: &str) -> Result<Whence, String> {
    Whence::parse(text).ok_or_else(|| {
        "write earliest, latest, an offset such as 1500, or an instant such as 2026-03-02T09:00:00Z".to_owned()
    })
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why in a few words".to_owned()) } else { Ok(text.to_owned()) }
}

pub(in crate::cli) fn run(args: &SourcesArgs) -> Result<u8, CliError> {
    match &args.what {
        What::List(args) => list(args),
        What::Resume(args) => resume(args),
        What::Regenerate(args) => regenerate::regenerate(args),
    }
}

fn here(settings: Settings) -> Result<(Settings, Box<dyn Store>), CliError> {
    if let settings::Store::Sqlite(file) = &settings.store
        && !file.is_file()
    {
        // A wrong path is no new store.
        return Err(CliError::Other(format!("there is no store at {}; check the path", file.display())));
    }
    let store = super::run::store(&settings)?;
    Ok((settings, store))
}

/// The shard of the settings; of an intake each lane's, where the server has all of them.
fn open_all(config: Option<&std::path::Path>, lane: Option<u16>) -> Result<(Settings, Vec<Box<dyn Store>>), CliError> {
    let mut settings = settings::load_with(config, of_lane(lane))?.settings;
    let lanes = settings.exchange.as_ref().map_or(1, |exchange| exchange.lanes);
    let all = settings.role == Role::Intake && settings.lane.is_none() && lanes > 1;
    if let settings::Store::Sqlite(_) = settings.store {
        if all {
            return Err(CliError::Other("each lane of the intake has a file of its own: say --lane".to_owned()));
        }
        return here(settings).map(|(settings, store)| (settings, vec![store]));
    }
    let own: Vec<Option<u16>> = if all { (0..lanes).map(Some).collect() } else { vec![settings.lane] };
    let mut stores = Vec::new();
    for lane in own {
        settings.lane = lane;
        stores.push(super::run::store(&settings)?);
    }
    Ok((settings, stores))
}

fn failed(error: StoreError) -> CliError {
    CliError::Other(error.to_string())
}

/// Letters that say of halts and of what was decided about them.
fn letters(store: &mut dyn Store) -> Result<Vec<Letter>, CliError> {
    let mut query = Query { limit: 64, ..Query::default() };
    let mut found = Vec::new();
    loop {
        let some = store.letters(&query).map_err(failed)?;
        let Some(last) = some.last() else { return Ok(found) };
        query.after = last.number;
        found.extend(some.into_iter().filter(|one| one.reason == HALTED || one.reason == SKIPPED));
    }
}

fn is_open(letter: &Letter) -> bool {
    letter.reason == HALTED && matches!(letter.state, LetterState::Waiting | LetterState::Asked)
}

fn list(args: &ListArgs) -> Result<u8, CliError> {
    let (settings, stores) = open_all(args.config.as_deref(), args.lane)?;
    let (mut positions, mut found) = (Vec::new(), Vec::new());
    for mut store in stores {
        positions.extend(store.positions().map_err(failed)?);
        found.extend(letters(store.as_mut())?);
    }
    positions.sort_by(|a, b| (&a.source, a.partition).cmp(&(&b.source, b.partition)));
    let mut names: Vec<String> = settings.sources.iter().map(|source| source.name.clone()).collect();
    for position in &positions {
        // What is no source has a position, too: how far dead letters were told.
        if !position.source.starts_with('@') && !names.contains(&position.source) {
            names.push(position.source.clone());
        }
    }
    let mut out = String::new();
    let mut all = Vec::new();
    for name in &names {
        let kind = settings.sources.iter().find(|source| source.name == *name).map(|source| kind(&source.origin));
        let own: Vec<&Position> = positions.iter().filter(|position| position.source == *name).collect();
        let about: Vec<&Letter> = found.iter().filter(|letter| letter.source == *name).collect();
        match args.format {
            Format::Table => page(&mut out, name, kind, &own, &about),
            Format::Json | Format::Jsonl => all.push(document(name, kind, &own, &about)),
        }
    }
    match args.format {
        Format::Table => {}
        Format::Json => out = format!("{:#}\n", json!({ "sources": all })),
        Format::Jsonl => {
            for mut one in all {
                one["record"] = json!("source");
                let _ = writeln!(out, "{one}");
            }
        }
    }
    write_out(&out)?;
    Ok(exit::FINE)
}

fn kind(origin: &Origin) -> &'static str {
    match origin {
        Origin::Kafka { .. } => "kafka",
        Origin::File { .. } => "file",
        Origin::Stdin => "stdin",
        Origin::Http { .. } => "http",
    }
}

fn page(out: &mut String, name: &str, kind: Option<&str>, positions: &[&Position], letters: &[&Letter]) {
    let kind = kind.map_or_else(|| paint(DIM, "no longer in the settings"), str::to_owned);
    let _ = writeln!(out, "{} ({kind})", paint(HEAD, name));
    if positions.is_empty() {
        let _ = writeln!(out, "  nothing was read yet");
    }
    for position in positions {
        let Position { partition, next, incarnation, .. } = position;
        let _ = writeln!(out, "  partition {partition}: next is {next} of {}", plain(incarnation));
    }
    for letter in letters {
        let number = letter.number;
        let when = letter.at;
        if is_open(letter) {
            let _ = writeln!(
                out,
                "  {} partition {} since {when} (dead letter {number})",
                paint(BAD, "HALTED"),
                letter.partition
            );
            let _ = writeln!(out, "    {}", plain(&letter.detail));
            if let Some((from, why)) = letter.note.as_deref().and_then(noted) {
                let said = format!("decided: goes on with {from}: {why}; whoever runs does it");
                let _ = writeln!(out, "    {}", paint(WARN, &plain(&said)));
            }
        } else if letter.reason == SKIPPED {
            let why = letter.note.as_deref().unwrap_or("nobody said why");
            let _ = writeln!(out, "  gone on {when} (dead letter {number}): {}", plain(&letter.detail));
            let _ = writeln!(out, "    why: {}", plain(why));
        }
    }
}

fn document(name: &str, kind: Option<&str>, positions: &[&Position], letters: &[&Letter]) -> Value {
    let positions: Vec<Value> = positions
        .iter()
        .map(|one| json!({"partition": one.partition, "next": one.next, "incarnation": one.incarnation}))
        .collect();
    let about = |letter: &&Letter| {
        json!({
            "dead_letter": letter.number,
            "partition": letter.partition,
            "offset": letter.offset,
            "at": letter.at.to_string(),
            "state": letter.state.word(),
            "detail": letter.detail,
            "note": letter.note,
        })
    };
    let halts: Vec<Value> = letters.iter().filter(|letter| letter.reason == HALTED).map(about).collect();
    let skipped: Vec<Value> = letters.iter().filter(|letter| letter.reason == SKIPPED).map(about).collect();
    json!({"source": name, "kind": kind, "positions": positions, "halts": halts, "skipped": skipped})
}

fn resume(args: &ResumeArgs) -> Result<u8, CliError> {
    let (settings, mut stores) = open_all(args.config.as_deref(), args.lane)?;
    let name = &args.name;
    let source = settings.sources.iter().find(|source| source.name == *name);
    match source.map(|source| &source.origin) {
        // A judge's partition of the exchange halts as a source's does.
        None if name == exchange::NAME && matches!(settings.role, Role::Judge(_) | Role::Judges) => {}
        None => return Err(CliError::Other(format!("there is no source `{name}` in the settings"))),
        Some(Origin::Kafka { .. }) => {}
        Some(_) => {
            return Err(CliError::Other(format!(
                "`{name}` is no Kafka topic: where its file is not the one that was read, give the source another name, \
                 and it is read from its beginning; repeats change nothing"
            )));
        }
    }
    let is_meant = |letter: &Letter| {
        letter.source == *name
            && is_open(letter)
            && args.partition.is_none_or(|partition| partition == letter.partition)
    };
    let mut halted: Vec<(usize, Letter)> = Vec::new();
    for (at, store) in stores.iter_mut().enumerate() {
        halted.extend(letters(store.as_mut())?.into_iter().filter(is_meant).map(|letter| (at, letter)));
    }
    if halted.is_empty() {
        let which = args.partition.map_or_else(|| "nothing".to_owned(), |partition| format!("partition {partition}"));
        return Err(CliError::Other(format!(
            "{which} of `{name}` has halted, as far as the store knows; `onus sources list` shows what has"
        )));
    }
    let note = note(args.from, &args.reason);
    for (at, letter) in halted {
        if stores[at].mark(letter.number, LetterState::Asked, Some(&note)).map_err(failed)? {
            eprintln!(
                "partition {} of {name} goes on with {}: within some seconds if a process runs, else when the next one does",
                letter.partition, args.from
            );
        } else {
            eprintln!("partition {} of {name} has gone on already", letter.partition);
        }
    }
    Ok(exit::FINE)
}
