//! `onus lint`: everything that is wrong with contracts, at once, and what a code means.

mod sarif;
mod table;

use super::check::today;
use super::{CliError, exit, style, write_out};
use crate::contract::{self, Code, Level, Problem, Survey};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

/// With `--strict`: there are warnings, and no errors.
const WARNED: u8 = 1;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus lint contracts/
  onus lint contracts/ --strict --allow W204
  onus lint contracts/ --against agreed/
  onus lint acme.yaml --format sarif > acme.sarif
  onus lint --explain E201
  onus lint --explain all > contract-errors.md

Errors stop a contract from being used; warnings do not, and are looked for in
files without errors. Exit codes: 0 no errors, 1 warnings and `--strict` was
given, 2 errors.")]
pub(in crate::cli) struct LintArgs {
    /// Contract files, or folders of them; `-` is standard input
    #[arg(value_name = "PATH", required_unless_present = "explain", conflicts_with = "explain")]
    paths: Vec<PathBuf>,
    /// Look for included files in this folder, too (repeatable)
    #[arg(long, value_name = "FOLDER")]
    library: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Say what a code means, why it is refused or warned of, and how to mend it; `all` prints the page of all codes
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// Leave out warnings of this code (repeatable)
    #[arg(long, value_name = "CODE", value_parser = warning)]
    allow: Vec<Code>,
    /// Exit with 1 if there are warnings
    #[arg(long)]
    strict: bool,
    /// Hold them against contracts as agreed before: what reaches into the past is an error (repeatable)
    #[arg(long, value_name = "PATH", conflicts_with = "explain")]
    against: Vec<PathBuf>,
    /// Take this for today: in which years holidays run out, and what is past
    #[arg(long, value_name = "DATE")]
    as_of: Option<NaiveDate>,
}

/// How problems are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line, each with its `record` kind.
    Jsonl,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

pub(in crate::cli) fn run(args: &LintArgs) -> Result<u8, CliError> {
    if let Some(code) = &args.explain {
        write_out(&explain(code, args.format)?)?;
        return Ok(exit::FINE);
    }
    let today = args.as_of.unwrap_or_else(today);
    let library = contract::Library::new(args.library.clone());
    let mut survey = contract::survey_against(&args.paths, &args.against, &library, today);
    survey.problems.retain(|problem| !args.allow.contains(&problem.code));
    let count = Count::of(&survey);
    write_out(&match args.format {
        Format::Table => table::problems(&survey.problems),
        Format::Json => json(&survey, count),
        Format::Jsonl => lines(&survey, count),
        Format::Sarif => sarif::log(&survey),
    })?;
    talk(count);
    Ok(match () {
        () if count.errors > 0 => exit::BAD_INPUT,
        () if args.strict && count.warnings > 0 => WARNED,
        () => exit::FINE,
    })
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Serialize)]
struct Count {
    errors: usize,
    warnings: usize,
    files: usize,
}

impl Count {
    fn of(survey: &Survey) -> Count {
        let errors = survey.problems.iter().filter(|problem| problem.level() == Level::Error).count();
        Count { errors, warnings: survey.problems.len() - errors, files: survey.files }
    }
}

/// The outcome in one line, on standard error.
fn talk(count: Count) {
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (label, colour) = match count {
        Count { errors: 1.., .. } => ("errors", style::BAD),
        Count { warnings: 1.., .. } => ("warnings", style::WARN),
        Count { .. } => ("fine", style::GOOD),
    };
    anstream::eprintln!(
        "{}: {}, {} in {}",
        style::paint(colour, label),
        many(count.errors, "error"),
        many(count.warnings, "warning"),
        many(count.files, "file"),
    );
}

/// A problem with what its code says by itself.
#[derive(Serialize)]
struct Told<'p> {
    level: Level,
    name: &'static str,
    #[serde(flatten)]
    problem: &'p Problem,
}

impl<'p> From<&'p Problem> for Told<'p> {
    fn from(problem: &'p Problem) -> Told<'p> {
        Told { level: problem.level(), name: problem.code.explain().name, problem }
    }
}

fn json(survey: &Survey, count: Count) -> String {
    let problems: Vec<Told<'_>> = survey.problems.iter().map(Told::from).collect();
    format!("{}\n", serde_json::json!({ "problems": problems, "summary": count }))
}

fn lines(survey: &Survey, count: Count) -> String {
    #[derive(Serialize)]
    struct Line<T> {
        record: &'static str,
        #[serde(flatten)]
        what: T,
    }
    let problems =
        survey.problems.iter().map(|problem| serde_json::json!(Line { record: "problem", what: Told::from(problem) }));
    let summary = serde_json::json!(Line { record: "summary", what: count });
    problems.chain([summary]).map(|line| format!("{line}\n")).collect()
}

fn explain(text: &str, format: Format) -> Result<String, CliError> {
    if text.eq_ignore_ascii_case("all") && format == Format::Table {
        return Ok(contract::error_page());
    }
    let codes = match Code::find(text) {
        Some(code) => vec![code],
        None if text.eq_ignore_ascii_case("all") => Code::ALL.to_vec(),
        None => return Err(CliError::Other(unknown(text))),
    };
    let told = codes.iter().map(|code| explained(*code));
    Ok(match format {
        Format::Table => codes.iter().map(|code| headed(&contract::explanation(*code))).collect(),
        Format::Json => format!("{}\n", serde_json::json!({ "codes": told.collect::<Vec<_>>() })),
        Format::Jsonl => told.map(|code| format!("{code}\n")).collect(),
        Format::Sarif => return Err(CliError::Other("a code is explained as table, json or jsonl".to_owned())),
    })
}

/// An explanation with its first line as a heading.
fn headed(text: &str) -> String {
    match text.split_once('\n') {
        Some((head, rest)) => format!("{}\n{rest}", style::paint(style::HEAD, head)),
        None => text.to_owned(),
    }
}

fn explained(code: Code) -> serde_json::Value {
    let explanation = code.explain();
    serde_json::json!({
        "record": "code",
        "code": code,
        "name": explanation.name,
        "level": code.level(),
        "what": code.what(),
        "why": explanation.why,
        "remedy": explanation.remedy,
        "broken": explanation.example.broken(),
        "mended": explanation.example.mended(),
    })
}

fn unknown(text: &str) -> String {
    let group = text.chars().take(2).collect::<String>().to_uppercase();
    let near: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| code.starts_with(&group)).collect();
    let hint = if near.is_empty() {
        "`--explain all` lists them".to_owned()
    } else {
        format!("there are {}", near.join(", "))
    };
    format!("no problem has the code {}\n  hint: {hint}", style::plain(text))
}

fn warning(text: &str) -> Result<Code, String> {
    match Code::find(text) {
        Some(code) if code.level() == Level::Warning => Ok(code),
        Some(code) => Err(format!("{code} is an error: a contract with errors cannot be used")),
        None => Err("write the code of a warning, like W102; `--explain all` lists them".to_owned()),
    }
}
