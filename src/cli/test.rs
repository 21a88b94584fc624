//! `onus test`: cases that people sign, judged and compared.

mod json;
mod junit;
mod table;

use super::check::{catalogued, trusted};
use super::fmt::replace;
use super::style::{self, paint, plain};
use super::{CliError, exit, write_out};
use crate::clauses::{self, Case, Fault, Mismatch, Outcome, Sheet};
use crate::contract::Library;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  onus test clauses/
  onus test clauses/pauses.md --only \"weekend\"
  onus test clauses/ --format junit > onus.xml
  onus test clauses/ --update && git diff

A clause file is Markdown: `## The claim`, the clause as a block of ```yaml or a line `contract: PATH`, the line
`Times are Europe/Amsterdam; the day is Monday 2 March 2026.`, and a table `| when | what happened | what Onus says |`.
docs/guide/clauses.md tells all of it. In folders every *.md is read but READMEs.

Exit codes: 0 every row is what Onus says (or was rewritten by `--update`), 1 some are not, 2 a file or a contract cannot
be read.")]
pub(in crate::cli) struct TestArgs {
    /// Clause files, or folders of them
    #[arg(value_name = "CLAUSES", required = true)]
    paths: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Write what Onus says into the last column where it says something else, to be reviewed as a difference
    #[arg(long)]
    update: bool,
    /// Only cases whose title or file contains this text, in capitals or not
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// How far sources are believed: a YAML map of source pattern to asserted, shared, system or verified; in its
    /// absence, all are taken at their word
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Look for included files in this folder, too (repeatable)
    #[arg(long, value_name = "FOLDER")]
    library: Vec<PathBuf>,
    /// Catalogue of identities: file, or folder of files (repeatable)
    #[arg(long, value_name = "PATH")]
    catalogue: Vec<PathBuf>,
    /// Say nothing of cases that are as they should be
    #[arg(long, short)]
    quiet: bool,
}

/// How outcomes are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line, each with its `record` kind.
    Jsonl,
    /// JUnit XML, for build servers.
    Junit,
}

/// A file, with what became of its cases.
struct Told {
    sheet: Sheet,
    text: String,
    path: PathBuf,
    /// Of the file as a whole.
    faults: Vec<Fault>,
    /// None: not asked for.
    outcomes: Vec<Option<Outcome>>,
}

impl Told {
    /// The cases that were asked for.
    fn cases(&self) -> impl Iterator<Item = (&Case, &Outcome)> {
        self.sheet.cases.iter().zip(&self.outcomes).filter_map(|(case, outcome)| Some((case, outcome.as_ref()?)))
    }

    /// What is wrong with it, in the order of its lines; of other files, where a case names them.
    fn all_faults(&self) -> Vec<&Fault> {
        let of_cases = self.cases().flat_map(|(_, outcome)| match outcome {
            Outcome::Faulty(faults) => &faults[..],
            Outcome::Judged(_) => &[],
        });
        let mut seen = std::collections::BTreeSet::new();
        let all = self.faults.iter().chain(of_cases);
        // Two cases that name one broken contract have one fault.
        all.filter(|fault| seen.insert((&fault.file, fault.line, &fault.what))).collect()
    }

    fn mismatches(&self) -> Vec<&Mismatch> {
        let all = self.cases().flat_map(|(_, outcome)| match outcome {
            Outcome::Judged(mismatches) => &mismatches[..],
            Outcome::Faulty(_) => &[],
        });
        all.collect()
    }
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
struct Count {
    files: usize,
    cases: usize,
    rows: usize,
    open_points: usize,
    mismatches: usize,
    faults: usize,
    /// Rows written anew.
    rewritten: usize,
}

pub(in crate::cli) fn run(args: &TestArgs) -> Result<u8, CliError> {
    let options = trusted(args.trust.as_deref())?;
    let clauses::Found { files, faults } = clauses::find(&args.paths);
    let mut sheets = Vec::new();
    let mut told = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let (text, (sheet, mut faults)) = match clauses::load(&path) {
            Ok(text) => {
                let read = clauses::read(&text, &name);
                (text, read)
            }
            Err(fault) => (String::new(), (Sheet { file: name.clone(), cases: Vec::new() }, vec![fault])),
        };
        if sheet.cases.is_empty() && faults.is_empty() && args.paths.contains(&path) {
            let hint = "a case is a heading `## The claim` with a clause, a day and a table under it";
            faults.push(Fault { file: name, line: 1, what: "no cases in this file".to_owned(), hint: hint.to_owned() });
        }
        sheets.push(sheet);
        told.push((path, text, faults));
    }
    let only = args.only.as_ref().map(|text| text.to_lowercase());
    let wanted = |sheet: &Sheet, case: &Case| {
        only.as_ref()
            .is_none_or(|text| case.title.to_lowercase().contains(text) || sheet.file.to_lowercase().contains(text))
    };
    let outcomes =
        clauses::judge(&sheets, &options, &catalogued(&args.catalogue)?, &Library::new(args.library.clone()), &wanted);
    let mut told: Vec<Told> = sheets
        .into_iter()
        .zip(told)
        .zip(outcomes)
        .map(|((sheet, (path, text, faults)), outcomes)| Told { sheet, text, path, faults, outcomes })
        .collect();
    let mut count = count(&told, &faults);
    if count.cases == 0 && count.faults == 0 {
        return Err(CliError::Other(match &args.only {
            Some(text) => format!("no case or file has `{}` in its name", plain(text)),
            None => "no cases in any of these files".to_owned(),
        }));
    }
    if args.update {
        count.rewritten = update(&mut told)?;
    }
    write_out(&match args.format {
        Format::Table => table::page(&told, &faults, args.quiet, args.update),
        Format::Json => json::document(&told, &faults, count),
        Format::Jsonl => json::lines(&told, &faults, count),
        Format::Junit => junit::suites(&told, &faults),
    })?;
    talk(count, args.update);
    Ok(match () {
        () if count.faults > 0 => exit::BAD_INPUT,
        () if count.mismatches > count.rewritten => exit::BREACHES,
        () => exit::FINE,
    })
}

fn count(told: &[Told], faults: &[Fault]) -> Count {
    let mut count = Count { files: told.len(), faults: faults.len(), ..Count::default() };
    for file in told {
        count.faults += file.all_faults().len();
        count.mismatches += file.mismatches().len();
        for (case, _) in file.cases() {
            count.cases += 1;
            count.rows += case.rows.len();
            count.open_points += case.open_points;
        }
    }
    count
}

/// Writes the files of which rows differ; says how many rows were written. A file in which something could not be read
/// stays as it is: what is judged of half a file is not what was meant.
fn update(told: &mut [Told]) -> Result<usize, CliError> {
    let mut rows = 0;
    for file in told.iter().filter(|file| file.all_faults().is_empty()) {
        let mismatches: Vec<Mismatch> = file.mismatches().into_iter().filter(|m| !m.defect).cloned().collect();
        if mismatches.is_empty() {
            continue;
        }
        let text = clauses::rewritten(&file.text, &mismatches);
        let failed = |error| CliError::Other(format!("{} cannot be written: {error}", file.sheet.file));
        replace(&file.path, &text).map_err(failed)?;
        rows += mismatches.len();
    }
    Ok(rows)
}

/// The outcome in one line, on standard error.
fn talk(count: Count, update: bool) {
    let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let (label, colour) = match count {
        Count { faults: 1.., .. } => ("errors", style::BAD),
        Count { mismatches, rewritten, .. } if mismatches > rewritten => ("different", style::BAD),
        Count { rewritten: 1.., .. } => ("rewritten", style::WARN),
        Count { .. } => ("fine", style::GOOD),
    };
    let mut text =
        format!("{}, {} in {}", many(count.cases, "case"), many(count.rows, "row"), many(count.files, "file"),);
    let also = [
        (count.open_points, many(count.open_points, "open point")),
        (count.mismatches, format!("{} not as expected", many(count.mismatches, "row"))),
        (count.faults, many(count.faults, "error")),
    ];
    for (_, what) in also.iter().filter(|(n, _)| *n > 0) {
        text.push_str(&format!(", {what}"));
    }
    if update {
        text.push_str(&format!(", {} rewritten", count.rewritten));
    }
    anstream::eprintln!("{}: {text}", paint(colour, label));
}
