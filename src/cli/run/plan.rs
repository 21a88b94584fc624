//! From settings to what the loop runs by.

use crate::catalogue::Catalogue;
use crate::cli::{CliError, check};
use crate::contract::{self, nearest};
use crate::exchange;
use crate::exchange::lanes::Lane;
use crate::ingest::adapt::{Adapter, Settings as Tables};
use crate::runtime::live::{Clock, Contracts, Feed, Plan, Plugged};
use crate::settings::{self, Role, Settings};
use crate::store::place::{self, Place};
use crate::store::{Store, StoreError};
use onus_engine::book::Book;
use onus_engine::terms::Contract;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The plan.
pub(in crate::cli) fn plan(settings: &Settings) -> Plan {
    let (paths, library) = (settings.contracts.paths.clone(), settings.contracts.library.clone());
    let catalogued = settings.catalogue.clone();
    let divided = settings.role != Role::All;
    Plan {
        contracts: Box::new(move || {
            let read = contracts(&paths, &library)?;
            if divided {
                can_be_divided(&read.list)?;
            }
            Ok(Contracts { catalogue: Arc::new(catalogue(&catalogued)?), ..read })
        }),
        feeds: settings.sources.iter().map(feed).chain(exchange(settings)).collect(),
        adapters: Vec::new(),
        clock: match settings.judge.clock {
            settings::Clock::Wall => Clock::Wall,
            settings::Clock::Events => Clock::Events,
        },
        settling: settings.judge.settling,
        commit_every: settings.judge.commit_every,
        batch: settings.judge.batch as usize,
        snapshot_every: settings.judge.snapshot_every,
        retention: settings.judge.retention,
        owner: format!("process {}", std::process::id()),
    }
}

/// The store of the settings.
pub(in crate::cli) fn store(settings: &Settings) -> Result<Box<dyn Store>, CliError> {
    opened(settings).map_err(|error| CliError::Other(error.to_string()))
}

/// The same, for whoever may wait for it.
pub(super) fn opened(settings: &Settings) -> Result<Box<dyn Store>, StoreError> {
    let shard = match settings.role {
        Role::All => 0,
        Role::Intake => Lane { own: settings.lane.unwrap_or(0), of: 1 }.shard(),
        Role::Judge(shard) => shard,
        Role::Judges => {
            let (target, why) =
                ("the store".to_owned(), "which shard? Say ONUS__RUN__SHARD=N, or [run] shard".to_owned());
            return Err(StoreError::Refused { target, why });
        }
    };
    place::open(&place(settings)?, shard)
}

/// Where the store is.
pub(in crate::cli) fn place(settings: &Settings) -> Result<Place, StoreError> {
    Ok(match &settings.store {
        settings::Store::Sqlite(path) => Place::Sqlite(path.clone()),
        settings::Store::Postgres { url, password } => {
            let Place::Postgres(server) = Place::parse(url)? else {
                let (target, why) = ("[store] url".to_owned(), "is no PostgreSQL server".to_owned());
                return Err(StoreError::Refused { target, why });
            };
            let file = password.as_ref().map(|secret| secret.file().to_owned());
            let server = server.with_password_file(file);
            // Another process may be about to take over what this one owns.
            let shared = settings.role != Role::All;
            Place::Postgres(Box::new(if shared { server.with_lease(settings.member.lease) } else { server }))
        }
    })
}

/// What an event concerns must follow from the event alone: another partner's judge may be another process.
fn can_be_divided(contracts: &[Contract]) -> Result<(), String> {
    let book = Book::with(contracts, false);
    let what = match (book.finds_partners(), book.has_stacks()) {
        (true, _) => "finds by its `scope` whose an event is",
        (_, true) => "shares events between partners (a stack)",
        _ => return Ok(()),
    };
    Err(format!(
        "a contract {what}, and that works in one process only so far: have the sources name the partner, or run with role = \"all\""
    ))
}

/// A judge's partition of the exchange, as one feed more: it speaks for nobody itself.
fn exchange(settings: &Settings) -> Option<Feed> {
    let own = matches!(settings.role, Role::Judge(_) | Role::Judges);
    own.then(|| Feed { partners: Vec::new(), types: Vec::new(), ..Feed::named(exchange::NAME) })
}

/// The adapters of sources that bring a vendor's records.
///
/// # Errors
/// A file of settings that cannot be read, with all that is wrong with it.
pub(in crate::cli) fn adapters(settings: &Settings) -> Result<Vec<Option<Plugged>>, CliError> {
    let one = |source: &settings::SourceSettings| {
        let Some(said) = &source.adapter else { return Ok(None) };
        let adapter = adapter(&said.name, &said.file).map_err(|why| format!("source `{}`: {why}", source.name))?;
        let topic = match &source.origin {
            settings::Origin::Kafka { topic, .. } => Some(topic.clone()),
            _ => None,
        };
        Ok(Some(Plugged { adapter: Arc::new(adapter), topic }))
    };
    settings.sources.iter().map(one).collect::<Result<_, String>>().map_err(CliError::Other)
}

/// An adapter by name, under the settings of a file; of a mapper, the file is the mapper.
pub(in crate::cli) fn adapter(name: &str, file: &Path) -> Result<Adapter, String> {
    if name == "mapper" {
        return crate::cli::adapt::mapper::adapter(file).map_err(|error| error.to_string());
    }
    let settings = tables(file)?;
    Adapter::new(name, &settings).ok_or_else(|| {
        let known: Vec<&str> = Adapter::names().collect();
        let remedy = match nearest(name, known.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        format!("no adapter is called `{}`; {remedy}", name.escape_debug())
    })
}

/// The tables of a file.
pub(in crate::cli) fn tables(file: &Path) -> Result<Tables, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: cannot read: {error}"))?;
    Tables::parse(&text).map_err(|error| format!("{shown}: {error}"))
}

fn feed(source: &settings::SourceSettings) -> Feed {
    Feed {
        name: source.name.clone(),
        partners: source.partners.clone(),
        types: source.types.clone(),
        trust: source.trust,
        owner: source.owner,
        claims_time: source.may_claim_time,
        transit: source.transit,
        heartbeat: source.heartbeat,
        partitioned: matches!(source.origin, settings::Origin::Kafka { .. }),
        adapted: source.adapter.is_some(),
    }
}

/// Reads the contracts, with their text.
fn contracts(paths: &[PathBuf], library: &[PathBuf]) -> Result<Contracts, String> {
    let (list, warnings) = check::surveyed(paths, library).map_err(|error| error.to_string())?;
    if warnings > 0 {
        tracing::warn!("the contracts have {warnings} warnings: `onus lint` tells them");
    }
    let mut text = String::new();
    for file in files(paths) {
        let read = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        text.push_str(&format!("# {}\n{read}\n", file.display()));
    }
    Ok(Contracts { list, text, ..Contracts::default() })
}

/// Reads the catalogue; without paths there is nothing in it.
///
/// # Errors
/// Everything that is wrong with it.
fn catalogue(paths: &[PathBuf]) -> Result<Catalogue, String> {
    contract::catalogue(paths).map_err(|problems| {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        format!("the catalogue cannot be used:\n\n{}", all.join("\n\n"))
    })
}

/// Files, and what lies in folders, in the order of their names.
pub(super) fn files(paths: &[PathBuf]) -> Vec<PathBuf> {
    fn below(path: &Path, depth: u8, found: &mut Vec<PathBuf>) {
        let yaml = |path: &Path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
        if !path.is_dir() {
            found.push(path.to_owned());
            return;
        }
        let Ok(entries) = std::fs::read_dir(path) else { return };
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            if entry.is_dir() && depth > 0 {
                below(&entry, depth - 1, found);
            } else if entry.is_file() && yaml(&entry) {
                found.push(entry);
            }
        }
    }
    let mut found = Vec::new();
    for path in paths {
        below(path, 32, &mut found);
    }
    found
}
