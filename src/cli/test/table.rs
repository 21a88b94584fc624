//! Outcomes for people: a line a case, and of each row that differs what it expected, what Onus says, and why.

use super::Told;
use crate::clauses::{Case, Fault, Mismatch, Outcome};
use crate::cli::style::{BAD, DIM, GOOD, HEAD, WARN, paint, plain};
use std::fmt::Write as _;

pub(super) fn page(told: &[Told], faults: &[Fault], quiet: bool, update: bool) -> String {
    let mut out: String = faults.iter().map(fault).collect();
    for file in told {
        let faults = file.all_faults();
        let mut lines = String::new();
        for (case, outcome) in file.cases() {
            match outcome {
                Outcome::Judged(mismatches) if mismatches.is_empty() => {
                    if !quiet {
                        lines += &line(case, &paint(GOOD, "fine     "));
                    }
                }
                Outcome::Judged(mismatches) => {
                    let rewritten = update && faults.is_empty() && mismatches.iter().all(|m| !m.defect);
                    let word = if rewritten { paint(WARN, "rewritten") } else { paint(BAD, "different") };
                    lines += &line(case, &word);
                    mismatches.iter().for_each(|m| lines += &mismatch(&file.sheet.file, m));
                }
                Outcome::Faulty(_) => lines += &line(case, &paint(BAD, "unread   ")),
            }
        }
        if lines.is_empty() && faults.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{}", paint(HEAD, &plain(&file.sheet.file)));
        out += &lines;
        faults.iter().for_each(|found| out += &fault(found));
        out.push('\n');
    }
    out
}

fn line(case: &Case, word: &str) -> String {
    let rows = if case.rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", case.rows.len()) };
    format!("  {word}  {} {}\n", plain(&case.title), paint(DIM, &format!("({rows})")))
}

fn mismatch(file: &str, m: &Mismatch) -> String {
    let expected = if m.expected.is_empty() { "(nothing written)" } else { &m.expected };
    let mut out = format!("    {}\n", paint(HEAD, &format!("{}:{}", plain(file), m.line)));
    let mut say = |name: &str, text: &str| {
        let _ = writeln!(out, "      {name:<10}{text}");
    };
    say("row", &plain(&format!("| {} | {} |", m.when, m.happened)));
    say("expected", &plain(expected));
    if m.defect {
        say("defect", &paint(BAD, &plain(&format!("Onus says {}; please report this", m.says))));
    } else {
        say("Onus says", &paint(BAD, &plain(&m.says)));
    }
    for (text, name) in m.because.iter().zip(["because"].into_iter().chain(std::iter::repeat(""))) {
        say(name, &paint(DIM, &plain(text)));
    }
    out
}

fn fault(fault: &Fault) -> String {
    // An excerpt of a contract has lines of its own.
    let text = fault.to_string();
    let lines: Vec<String> = text.lines().map(plain).collect();
    format!("  {}  {}\n", paint(BAD, "error    "), lines.join("\n             "))
}
