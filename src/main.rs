//! The `onus` binary.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    onus::cli::run(onus::cli::Cli::parse())
}
