//! `onus store reshard`: what was judged in some shards, divided among others.

use super::super::args::Format;
use super::super::run::{place, plan};
use super::super::style::{self, paint, plain};
use super::super::{CliError, check, exit, write_out};
use super::told;
use crate::runtime::live::{Dealt, LiveError, Reshard};
use crate::settings::{self, Exchange, Settings};
use crate::store::Position;
use crate::store::place::Place;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus store reshard --from 'postgres://onus@db/onus?passwordfile=/run/secrets/onus' --dry-run
  onus store reshard --from 'postgres://onus@db/onus?passwordfile=/run/secrets/onus'
  onus store reshard --config onus-5.toml --from sqlite:/var/lib/onus/onus.db      one process's store, for an exchange

The settings are those to go on with: their [store] is the new store, an empty one, and their [exchange] a new topic with its
number of partitions. Stop the intakes first, in good order; then the judges, when they have taken all that the old topic has.
The store that is divided is fenced off and not changed. Killed at any instant, this is started again: nobody runs on a new
store that is not finished. docs/scale-out.md has it step by step.

Exit codes: 0 done, 2 it cannot be divided (so), or a store or a topic could not be reached; nothing has changed then.")]
pub(super) struct ReshardArgs {
    /// Settings file [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store that is divided: sqlite:PATH, or postgres://..; where judges had a file each, every one of them
    #[arg(long, value_name = "URL", required = true)]
    from: Vec<String>,
    /// Say what each new shard would get, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

pub(super) fn run(args: &ReshardArgs) -> Result<u8, CliError> {
    let flags = vec![("ONUS__RUN__ROLE", "judge".to_owned()), ("ONUS__RUN__SHARD", "0".to_owned())];
    let settings = settings::load_with(args.config.as_deref(), flags)?.settings;
    let Some(exchange) = settings.exchange.clone() else {
        return Err(CliError::Other("the settings name no exchange: write a section [exchange]".to_owned()));
    };
    let from = args.from.iter().map(|url| Place::parse(url)).collect::<Result<Vec<_>, _>>().map_err(told)?;
    let into = place(&settings).map_err(told)?;
    let mut reshard = Reshard::open(&from).map_err(failed)?;
    from.iter().try_for_each(nobody_judges)?;
    let wanted = topics(&settings, &exchange, &reshard)?;
    let now = check::wall_clock();
    let mut dealt = reshard.look(&mut plan(&settings), exchange.partitions, exchange.lanes, now).map_err(failed)?;
    if !args.dry_run {
        let mut plans = || plan(&settings);
        dealt = reshard.build(&mut plans, &into, &wanted, now).map_err(failed)?;
    }
    write_out(&match args.format {
        Format::Table => table(&dealt),
        Format::Json => format!("{}\n", document(&dealt)),
        Format::Jsonl => lines(&dealt),
    })?;
    for (receiver, again) in &dealt.again {
        let name = receiver.split_once(' ').map_or(receiver.as_str(), |(_, name)| name);
        anstream::eprintln!(
            "{}: `{}` had not taken everything: {again} are told to it again, each under the identity that it knows",
            paint(style::WARN, "note"),
            plain(name)
        );
    }
    let (shards, from) = (dealt.shares.len(), from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    if args.dry_run {
        anstream::eprintln!("{}: {from} can be divided among {shards} shards", paint(style::GOOD, "dry run"));
    } else {
        anstream::eprintln!(
            "{}: {from} among {shards} shards, verified, in {into}; start intakes and judges with these settings",
            paint(style::GOOD, "divided")
        );
    }
    Ok(exit::FINE)
}

fn failed(error: LiveError) -> CliError {
    CliError::Other(plain(&error.to_string()))
}

/// Judges that share say that they are there.
#[cfg(feature = "kafka")]
fn nobody_judges(place: &Place) -> Result<(), CliError> {
    use super::super::run::POOL;
    use crate::store::pool::Pool;

    let Place::Postgres(server) = place else { return Ok(()) };
    let failed = |error: &dyn std::fmt::Display| CliError::Other(plain(&error.to_string()));
    let mut pool = Pool::existing(server, POOL).map_err(|error| failed(&error))?;
    let listed = pool.list().map_err(|error| failed(&error))?;
    let there: Vec<&str> = (listed.members.iter())
        .filter(|member| member.seen + member.lease > listed.now)
        .map(|member| member.name.as_str())
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    Err(CliError::Other(format!(
        "{place}: {} judges there: stop the judges in good order, once they have taken everything",
        plain(&there.join(", "))
    )))
}

#[cfg(not(feature = "kafka"))]
fn nobody_judges(_: &Place) -> Result<(), CliError> {
    Ok(())
}

#[cfg(not(feature = "kafka"))]
fn topics(_: &Settings, _: &Exchange, _: &Reshard) -> Result<Position, CliError> {
    Err(CliError::Other(
        "the exchange is a Kafka topic, and this Onus was built without Kafka: build it with the feature `kafka`"
            .to_owned(),
    ))
}

/// The new topic has nothing in it, and the old one nothing that was not judged. Gives the new one, as shards remember it.
#[cfg(feature = "kafka")]
fn topics(settings: &Settings, exchange: &Exchange, reshard: &Reshard) -> Result<Position, CliError> {
    use super::super::run::look;
    use crate::exchange::{check, remembered};

    let (cluster, topic) = (&exchange.topic.cluster, &exchange.topic.topic);
    let seen = look(settings, cluster, topic)?;
    let wanted = remembered(&seen.cluster, topic, exchange.partitions);
    check(&wanted, seen.partitions.len(), &[]).map_err(CliError::Other)?;
    let before = reshard.exchange();
    if before.is_some_and(|before| before.incarnation == wanted.incarnation) {
        return Err(CliError::Other(format!(
            "the settings name the topic {topic}, of which the store was filled: make a new one for the new number of partitions, \
             and name that in [exchange]"
        )));
    }
    if let Some(used) = seen.partitions.iter().find(|one| one.high > 0) {
        return Err(CliError::Other(format!(
            "partition {} of the topic {topic} has been written to: judges begin at the first record of a new topic; make another \
             one, and name that in [exchange]",
            used.partition
        )));
    }
    let Some(before) = before else { return Ok(wanted) };
    let (id, old) = before.incarnation.split_once('/').unwrap_or(("", &before.incarnation));
    let mut why = "the settings name no cluster".to_owned();
    for cluster in settings.clusters.keys() {
        match look(settings, cluster, old) {
            Ok(seen) if seen.cluster == id => {
                let taken = reshard.taken();
                let ends = seen.partitions.iter().map(|one| (one, taken.get(&one.partition).copied().unwrap_or(0)));
                let Some((one, taken)) = ends.into_iter().find(|(one, taken)| *taken < one.high) else {
                    return Ok(wanted);
                };
                let (partition, left) = (one.partition, one.high - taken);
                return Err(CliError::Other(format!(
                    "{left} records of partition {partition} of the topic {old} were not judged yet: let its judges go on until \
                     they have taken everything (the intakes stay stopped), then start this again"
                )));
            }
            Ok(seen) => why = format!("that is a topic of the cluster {}, and it was one of {id}", seen.cluster),
            Err(error) => why = error.to_string(),
        }
    }
    Err(CliError::Other(format!(
        "whether all of the topic {old} was judged cannot be seen: {}; its cluster must be in the settings until this is done",
        plain(&why)
    )))
}

fn table(dealt: &Dealt) -> String {
    let head = format!("{:>5}  {:>12}  {:>12}  {:>12}  {:>8}", "shard", "events", "entries", "dead letters", "added");
    let mut out = format!("{}\n", paint(style::HEAD, &head));
    for (shard, share) in dealt.shares.iter().enumerate() {
        let (events, entries, letters, added) = (share.events, share.entries, share.letters, share.added);
        let _ = writeln!(out, "{shard:>5}  {events:>12}  {entries:>12}  {letters:>12}  {added:>8}");
    }
    let _ = writeln!(out, "{:>5}  {:>12}  {:>12}  {:>12}", "lanes", "", "", dealt.lanes);
    out
}

fn value(shard: usize, dealt: &Dealt) -> Value {
    let share = dealt.shares[shard];
    json!({
        "shard": shard, "events": share.events, "entries": share.entries, "dead_letters": share.letters, "added": share.added,
    })
}

fn again(dealt: &Dealt) -> Value {
    dealt.again.iter().map(|(receiver, again)| json!({"receiver": receiver, "again": again})).collect()
}

fn document(dealt: &Dealt) -> Value {
    let shards: Vec<Value> = (0..dealt.shares.len()).map(|shard| value(shard, dealt)).collect();
    json!({"shards": shards, "lanes": {"dead_letters": dealt.lanes}, "told_again": again(dealt)})
}

fn lines(dealt: &Dealt) -> String {
    let line = |record: &str, mut value: Value| {
        value["record"] = record.into();
        format!("{value}\n")
    };
    let mut out: String = (0..dealt.shares.len()).map(|shard| line("shard", value(shard, dealt))).collect();
    out.push_str(&line("lanes", json!({"dead_letters": dealt.lanes})));
    dealt.again.iter().for_each(|(receiver, again)| {
        out.push_str(&line("told_again", json!({"receiver": receiver, "again": again})));
    });
    out
}
