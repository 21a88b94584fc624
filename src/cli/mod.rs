//! What a person types, and the answers.

mod adapt;
mod args;
mod ask;
mod check;
mod dashboards;
mod dead_letters;
mod demo;
mod doctor;
pub mod due;
mod explain;
mod fmt;
mod json;
mod lint;
mod replay;
mod rules;
mod run;
mod schema;
mod settings;
mod shards;
mod sources;
mod store;
mod style;
mod test;
mod token;
mod whatif;

pub use args::Cli;

use std::io::{self, Write};
use std::process::ExitCode;

/// Stable exit codes.
pub mod exit {
    /// All is well.
    pub const FINE: u8 = 0;
    /// Something was breached.
    pub const BREACHES: u8 = 1;
    /// The input is bad: a contract, a file, an option.
    pub const BAD_INPUT: u8 = 2;
}

/// What went wrong, told on standard error; the exit code is [`exit::BAD_INPUT`].
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Contracts with problems, each told whole.
    #[error("{}", problems(.0))]
    Contracts(Vec<crate::contract::Problem>),
    /// A run over files.
    #[error(transparent)]
    Check(#[from] crate::runtime::check::CheckError),
    /// Settings with problems, each told whole.
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    /// Reading or writing.
    #[error("{0}")]
    Other(String),
}

fn problems(all: &[crate::contract::Problem]) -> String {
    let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
    let count = if all.len() == 1 { "1 problem".to_owned() } else { format!("{} problems", all.len()) };
    format!("the contracts cannot be used:\n\n{}\n\n{count}; nothing was judged", texts.join("\n\n"))
}

/// Runs what was asked for.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        args::Command::Adapt(args) => adapt::run(&args),
        args::Command::Check(args) => check::run(args),
        args::Command::Dashboards(args) => dashboards::run(&args),
        args::Command::DeadLetters(args) => dead_letters::run(&args),
        args::Command::Demo(args) => demo::run(&args),
        args::Command::Doctor(args) => doctor::run(&args),
        args::Command::Due(args) => ask::run(&args),
        args::Command::Explain(args) => explain::run(args),
        args::Command::Fmt(args) => fmt::run(&args),
        args::Command::Lint(args) => lint::run(&args),
        args::Command::Replay(args) => replay::run(&args),
        args::Command::Rules(args) => rules::run(&args),
        args::Command::Run(args) => run::run(&args),
        args::Command::Schema(args) => schema::run(&args),
        args::Command::Settings(args) => settings::run(&args),
        args::Command::Shards(args) => shards::run(&args),
        args::Command::Sources(args) => sources::run(&args),
        args::Command::Store(args) => store::run(&args),
        args::Command::Test(args) => test::run(&args),
        args::Command::Token(args) => token::run(&args),
        args::Command::Whatif(args) => whatif::run(args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("{}error{}: {error}", style::BAD, style::END);
            ExitCode::from(exit::BAD_INPUT)
        }
    }
}

/// What colours begin with.
const ESCAPE: u8 = 0x1b;

/// Standard output is for data: an error there means that nobody reads it any more.
fn write_out(text: &str) -> Result<(), CliError> {
    let bytes = text.as_bytes();
    if memchr::memchr(ESCAPE, bytes).is_none() {
        return write_data(|out| out.write_all(bytes));
    }
    // Colours go to a terminal only.
    let mut out = anstream::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

/// The same, of what is made while it is written, and has no colours.
fn write_data(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    written(write(&mut out).and_then(|()| out.flush()))
}

fn written(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CliError::Other(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
