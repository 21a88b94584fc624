//! `onus dead-letters`: records that could not be used, looked at, read again or given up.
//!
//! Works beside a process that runs: what is asked for here, it does at its next commit; if none runs, the next one does.

mod page;

use super::args::{self, Format};
use super::{CliError, exit, style, write_out};
use crate::runtime::live::halts::HALTED;
use crate::settings::{self, Role};
use crate::store::{Letter, LetterState, Query, Store, StoreError};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus dead-letters list
  onus dead-letters list --config /etc/onus/onus.toml --source tickets --reason NoPartner --format jsonl
  onus dead-letters show 17 --store onus.db
  onus dead-letters replay --all --reason NoPartner
  onus dead-letters list --lane 0                what lane 0 of the intake could not read
  onus dead-letters drop 17 18 --reason \"test data of 3 March\"

Exit codes: 0 done, 2 the store cannot be read, or not everything that was named could be done.")]
pub(in crate::cli) struct DeadLettersArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them, oldest first.
    List(ListArgs),
    /// Show one, with its record.
    Show(ShowArgs),
    /// Have them read again: by the process that runs, else by the next one.
    Replay(ReplayArgs),
    /// Give them up, and say why. They stay listed, with the reason.
    Drop(DropArgs),
}

/// Which store.
#[derive(Debug, Args)]
struct Where {
    /// Settings file that names the store [default: onus.toml, if there is one]
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    config: Option<PathBuf>,
    /// The store's file, without settings
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Those of this lane of the intake: what it could not read
    #[arg(long, value_name = "N", conflicts_with = "store")]
    lane: Option<u16>,
}

/// Which of them.
#[derive(Debug, Args)]
struct Filter {
    /// Of this source only
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// With this reason only: a name as `list` shows it
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    filter: Filter,
    /// In this state only
    #[arg(long, value_enum, default_value = "open")]
    state: State,
    /// Only those with a greater number: where the list before this one stopped
    #[arg(long, value_name = "N", default_value = "0")]
    after: u64,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "100", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    /// Waiting or asked for.
    Open,
    /// Nobody has decided.
    Waiting,
    /// To be read again.
    Asked,
    /// Read again, and used.
    Replayed,
    /// Given up.
    Dropped,
    /// Whatever the state.
    All,
}

impl State {
    fn has(self, state: LetterState) -> bool {
        match self {
            State::Open => matches!(state, LetterState::Waiting | LetterState::Asked),
            State::Waiting => state == LetterState::Waiting,
            State::Asked => state == LetterState::Asked,
            State::Replayed => state == LetterState::Replayed,
            State::Dropped => state == LetterState::Dropped,
            State::All => true,
        }
    }

    /// What the store itself can tell apart.
    fn query(self) -> Option<LetterState> {
        LetterState::ALL
            .into_iter()
            .find(|state| self.has(*state))
            .filter(|_| !matches!(self, State::Open | State::All))
    }
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Its number
    #[arg(value_name = "N")]
    number: u64,
    #[command(flatten)]
    place: Where,
    /// The whole record, not only how it begins; it may hold what not everybody should read
    #[arg(long)]
    whole: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// Their numbers
    #[arg(value_name = "N", required_unless_present = "all", conflicts_with = "all")]
    numbers: Vec<u64>,
    #[command(flatten)]
    place: Where,
    /// All that wait, or those of them that the filters name
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: AllOf,
}

/// Which of all.
#[derive(Debug, Args)]
struct AllOf {
    /// With `--all`: of this source only
    #[arg(long, value_name = "NAME", requires = "all", conflicts_with = "numbers")]
    source: Option<String>,
    /// With `--all`: with this reason only
    #[arg(long, value_name = "REASON", requires = "all", conflicts_with = "numbers")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
struct DropArgs {
    /// Their numbers
    #[arg(value_name = "N", required = true)]
    numbers: Vec<u64>,
    #[command(flatten)]
    place: Where,
    /// Why they are given up; whoever asks later reads it
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why in a few words".to_owned()) } else { Ok(text.to_owned()) }
}

/// Letters are taken from the store in pieces: a record may be long.
const PIECE: u32 = 64;

pub(in crate::cli) fn run(args: &DeadLettersArgs) -> Result<u8, CliError> {
    match &args.what {
        What::List(args) => list(&mut *open(&args.place)?, args),
        What::Show(args) => show(&mut *open(&args.place)?, args),
        What::Replay(args) => replay(&mut *open(&args.place)?, args),
        What::Drop(args) => {
            let mark = |letter: &Letter, store: &mut dyn Store| {
                if letter.reason == HALTED {
                    return Ok(Err(halted(letter)));
                }
                let gone = matches!(letter.state, LetterState::Replayed | LetterState::Dropped);
                if gone {
                    return Ok(Err(format!("was {} already", letter.state.word())));
                }
                told(store.mark(letter.number, LetterState::Dropped, Some(&args.reason)))
            };
            named(&mut *open(&args.place)?, &args.numbers, "dropped", &mark)
        }
    }
}

fn open(place: &Where) -> Result<Box<dyn Store>, CliError> {
    let mut settings = settings::load_with(place.config.as_deref(), args::of_lane(place.lane))?.settings;
    let several = settings.exchange.as_ref().is_some_and(|exchange| exchange.lanes > 1);
    if place.store.is_none() && several && settings.role == Role::Intake && settings.lane.is_none() {
        return Err(CliError::Other("each lane of the intake has dead letters of its own: say --lane".to_owned()));
    }
    if let Some(file) = &place.store {
        settings.store = settings::Store::Sqlite(file.clone());
    }
    // A wrong path is no new store.
    match &settings.store {
        settings::Store::Sqlite(file) if !file.is_file() => {
            Err(CliError::Other(format!("there is no store at {}; check the path", file.display())))
        }
        _ => super::run::store(&settings),
    }
}

fn failed(error: StoreError) -> CliError {
    CliError::Other(error.to_string())
}

/// Shows letters beyond a number, in order, until `show` has enough.
fn each(
    store: &mut dyn Store,
    state: State,
    mut after: u64,
    show: &mut dyn FnMut(Letter, &mut dyn Store) -> Result<bool, CliError>,
) -> Result<(), CliError> {
    loop {
        let query = Query { state: state.query(), after, limit: PIECE, ..Query::default() };
        let letters = store.letters(&query).map_err(failed)?;
        let Some(last) = letters.last() else { return Ok(()) };
        after = last.number;
        for letter in letters {
            if state.has(letter.state) && !show(letter, store)? {
                return Ok(());
            }
        }
    }
}

/// A partition that halted is no record.
fn halted(letter: &Letter) -> String {
    format!("stands for a partition that halted: `onus sources resume {}` says where it goes on", letter.source)
}

fn fits(letter: &Letter, source: Option<&String>, reason: Option<&String>) -> bool {
    source.is_none_or(|source| *source == letter.source) && reason.is_none_or(|reason| *reason == letter.reason)
}

fn list(store: &mut dyn Store, args: &ListArgs) -> Result<u8, CliError> {
    let mut found = Vec::new();
    let mut more = false;
    each(store, args.state, args.after, &mut |mut letter, _| {
        if !fits(&letter, args.filter.source.as_ref(), args.filter.reason.as_ref()) {
            return Ok(true);
        }
        if found.len() == args.limit as usize {
            more = true;
            return Ok(false);
        }
        // Not shown in a list, so not held.
        letter.record = Vec::new();
        found.push(letter);
        Ok(true)
    })?;
    let next = if more { found.last().map(|letter: &Letter| letter.number) } else { None };
    write_out(&match args.format {
        Format::Table => page::list(&found),
        Format::Json => page::document(&found, next),
        Format::Jsonl => page::lines(&found, next),
    })?;
    if args.format == Format::Table {
        match next {
            Some(next) => {
                anstream::eprintln!("{}note{}: there are more; go on with `--after {next}`", style::DIM, style::END)
            }
            None if found.is_empty() => eprintln!("no dead letters"),
            None => {}
        }
    }
    Ok(exit::FINE)
}

fn one(store: &mut dyn Store, number: u64) -> Result<Option<Letter>, CliError> {
    let Some(after) = number.checked_sub(1) else { return Ok(None) };
    let letters = store.letters(&Query { after, limit: 1, ..Query::default() }).map_err(failed)?;
    Ok(letters.into_iter().find(|letter| letter.number == number))
}

fn show(store: &mut dyn Store, args: &ShowArgs) -> Result<u8, CliError> {
    let Some(letter) = one(store, args.number)? else {
        return Err(CliError::Other(format!(
            "there is no dead letter {}; `onus dead-letters list` lists them",
            args.number
        )));
    };
    write_out(&match args.format {
        Format::Table => page::one(&letter, args.whole),
        Format::Json | Format::Jsonl => page::one_json(&letter, args.whole),
    })?;
    Ok(exit::FINE)
}

fn replay(store: &mut dyn Store, args: &ReplayArgs) -> Result<u8, CliError> {
    let mark = |letter: &Letter, store: &mut dyn Store| match letter.state {
        _ if letter.reason == HALTED => Ok(Err(halted(letter))),
        LetterState::Replayed | LetterState::Dropped => Ok(Err(format!("was {} already", letter.state.word()))),
        LetterState::Asked => Ok(Ok(())),
        LetterState::Waiting if letter.length > letter.record.len() as u64 => {
            Ok(Err("only its beginning was kept, since it was too long: it cannot be read again; drop it".to_owned()))
        }
        LetterState::Waiting => told(store.mark(letter.number, LetterState::Asked, None)),
    };
    if !args.all {
        return named(store, &args.numbers, "asked for", &mark);
    }
    let (mut done, mut left) = (0u64, 0u64);
    each(store, State::Waiting, 0, &mut |letter, store| {
        if letter.reason != HALTED && fits(&letter, args.filter.source.as_ref(), args.filter.reason.as_ref()) {
            match mark(&letter, store)? {
                Ok(()) => done += 1,
                Err(why) => {
                    left += 1;
                    complain(letter.number, &why);
                }
            }
        }
        Ok(true)
    })?;
    eprintln!("{}", counted(done, "asked for"));
    Ok(if left == 0 { exit::FINE } else { exit::BAD_INPUT })
}

/// What came of a mark: the owner of the shard may have been faster.
fn told(marked: Result<bool, StoreError>) -> Result<Result<(), String>, CliError> {
    let marked = marked.map_err(failed)?;
    Ok(if marked { Ok(()) } else { Err("was replayed or dropped already".to_owned()) })
}

type Mark<'m> = dyn Fn(&Letter, &mut dyn Store) -> Result<Result<(), String>, CliError> + 'm;

/// Marks those that were named; says of each that could not be marked why.
fn named(store: &mut dyn Store, numbers: &[u64], what: &str, mark: &Mark<'_>) -> Result<u8, CliError> {
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    let (mut done, mut left) = (0u64, 0u64);
    for number in numbers {
        let outcome = match one(store, number)? {
            None => Err("there is none with this number".to_owned()),
            Some(letter) => mark(&letter, store)?,
        };
        match outcome {
            Ok(()) => done += 1,
            Err(why) => {
                left += 1;
                complain(number, &why);
            }
        }
    }
    eprintln!("{}", counted(done, what));
    Ok(if left == 0 { exit::FINE } else { exit::BAD_INPUT })
}

fn complain(number: u64, why: &str) {
    anstream::eprintln!("{}error{}: dead letter {number}: {why}", style::BAD, style::END);
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 dead letter {what}") } else { format!("{count} dead letters {what}") }
}
