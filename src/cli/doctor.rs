//! `onus doctor`: is everything there that `onus run` needs, and what to do where it is not.

mod receivers;
mod registries;

use super::check::surveyed;
use super::{CliError, exit, style, write_out};
#[cfg(feature = "kafka")]
use crate::exchange::lanes::Lane;
use crate::settings::{self, Origin, Settings, SourceSettings, Store};
use clap::Args;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(
    after_help = "Looks at settings, contracts, catalogue, store, port, schema registries, sources, Alertmanagers and webhooks; reads, and changes
nothing. Webhooks are connected to, and told nothing.
Exit code 2 if `onus run` could not work as it is."
)]
pub(in crate::cli) struct DoctorArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What was found of one thing.
enum Finding {
    Fine(String),
    /// It works, and could be better.
    Worth(String),
    Bad(String),
}

pub(in crate::cli) fn run(args: &DoctorArgs) -> Result<u8, CliError> {
    let loaded = settings::load(args.config.as_deref())?;
    let file = loaded.file.as_ref().map_or_else(|| "defaults, no file".to_owned(), |file| file.display().to_string());
    let mut found = vec![("settings".to_owned(), Finding::Fine(file))];
    let settings = &loaded.settings;
    found.push(("contracts".to_owned(), contracts(settings)));
    if !settings.catalogue.is_empty() {
        found.push(("catalogue".to_owned(), catalogue(settings)));
    }
    found.push(("store".to_owned(), store(&settings.store)));
    found.push(("port".to_owned(), port(settings)));
    if settings.sources.is_empty() {
        let what =
            "there is none: nothing would ever be judged; write a [[source]] (`onus settings default` shows one)";
        found.push(("sources".to_owned(), Finding::Bad(what.to_owned())));
    }
    if settings.clusters.is_empty() {
        // Nobody asked for Kafka.
    } else {
        found.push(("kafka client".to_owned(), client()));
    }
    found.extend(registries::looked_at(settings));
    for one in &settings.sources {
        found.extend(source(settings, one).into_iter().map(|finding| (format!("source {}", one.name), finding)));
    }
    found.extend(receivers::looked_at(settings));
    let mut text = String::new();
    let mut bad = 0;
    for (what, finding) in &found {
        let (word, paint, said) = match finding {
            Finding::Fine(said) => ("fine ", style::GOOD, said),
            Finding::Worth(said) => ("note ", style::WARN, said),
            Finding::Bad(said) => ("wrong", style::BAD, said),
        };
        bad += usize::from(matches!(finding, Finding::Bad(_)));
        let _ = writeln!(text, "{}  {what}: {}", style::paint(paint, word), style::plain(said));
    }
    write_out(&text)?;
    Ok(if bad == 0 { exit::FINE } else { exit::BAD_INPUT })
}

fn contracts(settings: &Settings) -> Finding {
    match surveyed(&settings.contracts.paths, &settings.contracts.library) {
        Ok((contracts, 0)) => Finding::Fine(format!("{} read", contracts.len())),
        Ok((contracts, warnings)) => {
            Finding::Worth(format!("{} read, {warnings} warnings: `onus lint` tells them", contracts.len()))
        }
        Err(CliError::Contracts(problems)) => {
            Finding::Bad(format!("{} problems: `onus lint` tells them", problems.len()))
        }
        Err(error) => Finding::Bad(error.to_string()),
    }
}

fn catalogue(settings: &Settings) -> Finding {
    match crate::contract::catalogue(&settings.catalogue) {
        Ok(catalogue) => Finding::Fine(format!("{} identities", catalogue.identities().len())),
        Err(problems) => Finding::Bad(format!("{} problems: `onus lint` tells them", problems.len())),
    }
}

fn store(store: &Store) -> Finding {
    match store {
        Store::Sqlite(path) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match tempfile::tempfile_in(folder) {
                Ok(_) if path.exists() => Finding::Fine(path.display().to_string()),
                Ok(_) => Finding::Fine(format!("{} will be made", path.display())),
                Err(error) => Finding::Bad(format!("{}: {error}; make the folder, writable by us", folder.display())),
            }
        }
        Store::Postgres { password, .. } => match password.as_ref().map(settings::Secret::read) {
            Some(Err(why)) => Finding::Bad(why),
            Some(Ok(_)) | None => Finding::Worth("PostgreSQL: not asked here".to_owned()),
        },
    }
}

fn port(settings: &Settings) -> Finding {
    match std::net::TcpListener::bind(settings.http.listen) {
        Ok(_) => Finding::Fine(format!("{} is free", settings.http.listen)),
        Err(error) => Finding::Worth(format!("{}: {error}; if `onus run` runs, that is why", settings.http.listen)),
    }
}

fn source(settings: &Settings, source: &SourceSettings) -> Vec<Finding> {
    let mut found = origin(settings, source);
    if let Some(said) = &source.adapter {
        found.push(match super::run::adapter(&said.name, &said.file) {
            Ok(adapter) => Finding::Fine(format!("read as {}", adapter.source())),
            Err(why) => Finding::Bad(why),
        });
    }
    found
}

fn origin(settings: &Settings, source: &SourceSettings) -> Vec<Finding> {
    match &source.origin {
        Origin::Kafka { cluster, .. } => match settings.clusters.get(cluster) {
            Some(cluster) => kafka(source, cluster),
            None => Vec::new(),
        },
        Origin::File { path, .. } => vec![match std::fs::File::open(path) {
            Ok(_) => Finding::Fine(path.display().to_string()),
            Err(error) => Finding::Bad(format!("{}: {error}", path.display())),
        }],
        Origin::Stdin => vec![Finding::Fine("standard input".to_owned())],
        Origin::Http { token } => vec![match token.as_ref().map(settings::Secret::read) {
            Some(Err(why)) => Finding::Bad(why),
            Some(Ok(_)) | None => Finding::Fine("POST /events".to_owned()),
        }],
    }
}

#[cfg(not(feature = "kafka"))]
fn client() -> Finding {
    Finding::Bad("this Onus was built without Kafka; build it with the feature `kafka`".to_owned())
}

#[cfg(not(feature = "kafka"))]
fn kafka(_: &SourceSettings, _: &settings::Cluster) -> Vec<Finding> {
    vec![client()]
}

#[cfg(feature = "kafka")]
fn client() -> Finding {
    Finding::Fine(crate::ingest::kafka::features())
}

#[cfg(feature = "kafka")]
fn kafka(source: &SourceSettings, cluster: &settings::Cluster) -> Vec<Finding> {
    use crate::ingest::kafka::{Stamp, look};
    use onus_engine::terms::Trust;
    use onus_engine::time::Moment;

    /// Clocks that differ by more make deadlines of their own.
    const APART: i64 = 60_000;

    let clock: fn() -> Moment = super::check::wall_clock;
    let Some(topic) = crate::runtime::feeds::topic(
        crate::ingest::feed::FeedId(0),
        (source, Lane::ONLY),
        std::sync::Arc::default(),
        clock,
    ) else {
        return Vec::new();
    };
    let seen = match look(&topic, &crate::runtime::feeds::access(cluster), std::time::Duration::from_secs(15)) {
        Ok(seen) => seen,
        Err(why) => return vec![Finding::Bad(why)],
    };
    let records: u64 = seen.partitions.iter().map(|one| one.high - one.low).sum();
    let count = seen.partitions.len();
    let mut found = vec![Finding::Fine(format!(
        "topic {} in cluster {}: {count} partitions, {records} records",
        topic.name, seen.cluster
    ))];
    match seen.stamp {
        Some(Stamp::Broker(at)) if at.0 > clock().0 + APART => found.push(Finding::Bad(format!(
            "its newest record was appended {} s from now: this clock or the broker's is wrong",
            (at.0 - clock().0) / 1_000
        ))),
        Some(Stamp::Broker(_)) | None => {}
        Some(Stamp::Producer(_) | Stamp::None) => {
            let what =
                "records have the producer's time: when they arrived is not known, and a backlog says nothing of time";
            let remedy = "set message.timestamp.type=LogAppendTime on the topic";
            let less = matches!(source.trust, Trust::Asserted | Trust::Shared);
            let why = if less { "; for a source of this trust that matters" } else { "" };
            found.push(Finding::Worth(format!("{what}{why}; {remedy}")));
        }
    }
    found
}
