//! `onus fmt`: contract files in their canonical form.

use super::style::{self, paint, plain};
use super::{CliError, exit, write_out};
use crate::contract::{self, Problem, Unformatted};
use clap::Args;
use similar::{ChangeTag, TextDiff};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// With `--check`: something would change.
const WOULD_CHANGE: u8 = 1;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus fmt contracts/
  onus fmt --check contracts/
  onus fmt - < acme.yaml

Keys in reading order, two blanks a level, double quotes, one empty line at most,
braces where they fit on the line. What the contract says does not change, and no
comment is lost: a file in which something could not be kept is left as it is, and
named. Exit codes: 0 all is in its form, 1 `--check` was given and something would
change, 2 a file could not be read or kept.")]
pub(in crate::cli) struct FmtArgs {
    /// Contract files, or folders of them; `-` reads standard input and writes standard output
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Change nothing: print what would change
    #[arg(long)]
    check: bool,
}

pub(in crate::cli) fn run(args: &FmtArgs) -> Result<u8, CliError> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return standard(args);
    }
    let (files, mut problems) = contract::files(&args.paths);
    let (mut changed, mut left) = (0, 0);
    for path in &files {
        match one(path, args.check) {
            Ok(true) => changed += 1,
            Ok(false) => {}
            Err(Failure::Problems(found)) => problems.extend(found),
            Err(Failure::Other(why)) => {
                left += 1;
                anstream::eprintln!("{}: {why}", paint(style::BAD, "error"));
            }
        }
    }
    for problem in &problems {
        anstream::eprintln!("{}: {problem}\n", paint(style::BAD, "error"));
    }
    let (what, colour) = if args.check { ("would change", style::WARN) } else { ("formatted", style::GOOD) };
    anstream::eprintln!("{}: {changed} of {}", paint(colour, what), many(files.len()));
    Ok(match () {
        () if left > 0 || !problems.is_empty() => exit::BAD_INPUT,
        () if args.check && changed > 0 => WOULD_CHANGE,
        () => exit::FINE,
    })
}

enum Failure {
    Problems(Vec<Problem>),
    Other(String),
}

impl From<Unformatted> for Failure {
    fn from(why: Unformatted) -> Failure {
        match why {
            Unformatted::Problems(problems) => Failure::Problems(problems),
            Unformatted::NotKept { .. } => Failure::Other(why.to_string()),
        }
    }
}

/// Whether the file changed, or would.
fn one(path: &Path, check: bool) -> Result<bool, Failure> {
    let name = plain(&path.display().to_string());
    let before = contract::read(path).map_err(Failure::Problems)?;
    let after = contract::format(&before, &name)?;
    if before == after {
        return Ok(false);
    }
    if check {
        write_out(&difference(&name, &before, &after)).map_err(|error| Failure::Other(error.to_string()))?;
    } else {
        replace(path, &after).map_err(|error| Failure::Other(format!("{name} cannot be written: {error}")))?;
    }
    Ok(true)
}

/// All of it or nothing: a file that is half written would be half a contract.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Of a link, what it points to is written.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".onus-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

fn standard(args: &FmtArgs) -> Result<u8, CliError> {
    if args.paths.len() > 1 {
        return Err(CliError::Other("`-` stands alone: standard input is one contract".to_owned()));
    }
    let mut before = String::new();
    let failed = |error: io::Error| CliError::Other(format!("standard input: {error}"));
    io::stdin().lock().take(1 << 24).read_to_string(&mut before).map_err(failed)?;
    let after = contract::format(&before, "standard input").map_err(|why| CliError::Other(why.to_string()))?;
    if !args.check {
        write_out(&after)?;
        return Ok(exit::FINE);
    }
    write_out(&difference("standard input", &before, &after))?;
    Ok(if before == after { exit::FINE } else { WOULD_CHANGE })
}

/// What would change, with three lines around each place.
fn difference(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut out = if before == after {
        String::new()
    } else {
        format!("{}\n", paint(style::HEAD, &format!("--- {name}\n+++ {name}")))
    };
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&format!("{}\n", paint(style::DIM, &hunk.header().to_string())));
        for change in hunk.iter_changes() {
            let line = plain(change.value().trim_end_matches(['\n', '\r']));
            out.push_str(&match change.tag() {
                ChangeTag::Delete => paint(style::BAD, &format!("-{line}")),
                ChangeTag::Insert => paint(style::GOOD, &format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            });
            out.push('\n');
        }
    }
    out
}

fn many(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}
