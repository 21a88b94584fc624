//! Outcomes as JUnit XML: a suite a file, a test a case.

use super::Told;
use crate::clauses::{Fault, Mismatch, Outcome};
use std::fmt::Write as _;

pub(super) fn suites(told: &[Told], faults: &[Fault]) -> String {
    let (mut tests, mut failures, mut errors, mut suites) = (0, 0, 0, String::new());
    let mut add = |name: &str, cases: Vec<Tested>| {
        let of = |wanted: fn(&Tested) -> bool| cases.iter().filter(|case| wanted(case)).count();
        let (failed, erred) = (of(|c| matches!(c.what, What::Failed(_))), of(|c| matches!(c.what, What::Erred(_))));
        (tests, failures, errors) = (tests + cases.len(), failures + failed, errors + erred);
        let _ = writeln!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{erred}\" skipped=\"0\">",
            escaped(name),
            cases.len(),
        );
        cases.iter().for_each(|case| suites += &case.xml(name));
        suites.push_str("  </testsuite>\n");
    };
    if !faults.is_empty() {
        add(
            "files",
            vec![Tested { name: "can be read".to_owned(), line: 1, what: What::Erred(joined(faults.iter())) }],
        );
    }
    for file in told {
        let mut cases: Vec<Tested> = file
            .cases()
            .map(|(case, outcome)| Tested {
                name: case.title.clone(),
                line: case.line,
                what: match outcome {
                    Outcome::Judged(mismatches) if mismatches.is_empty() => What::Fine,
                    Outcome::Judged(mismatches) => {
                        What::Failed(mismatches.iter().map(|m| row(&file.sheet.file, m)).collect())
                    }
                    Outcome::Faulty(faults) => What::Erred(joined(faults.iter())),
                },
            })
            .collect();
        if !file.faults.is_empty() {
            let what = What::Erred(joined(file.faults.iter()));
            cases.push(Tested { name: "can be read".to_owned(), line: file.faults[0].line, what });
        }
        if !cases.is_empty() {
            add(&file.sheet.file, cases);
        }
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"onus test\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n{suites}</testsuites>\n"
    )
}

struct Tested {
    name: String,
    line: usize,
    what: What,
}

enum What {
    Fine,
    Failed(String),
    Erred(String),
}

impl Tested {
    fn xml(&self, file: &str) -> String {
        let head = format!(
            "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
            escaped(&self.name),
            escaped(file),
            escaped(file),
            self.line
        );
        let (kind, text) = match &self.what {
            What::Fine => return format!("{head}/>\n"),
            What::Failed(text) => ("failure", text),
            What::Erred(text) => ("error", text),
        };
        let first = text.lines().next().unwrap_or_default();
        format!("{head}>\n      <{kind} message=\"{}\">{}</{kind}>\n    </testcase>\n", escaped(first), escaped(text))
    }
}

fn row(file: &str, m: &Mismatch) -> String {
    let mut text = format!(
        "{file}:{}: Onus says {}\n  row        | {} | {} |\n  expected   {}\n",
        m.line, m.says, m.when, m.happened, m.expected
    );
    for why in &m.because {
        let _ = writeln!(text, "  because    {why}");
    }
    text
}

fn joined<'f>(faults: impl Iterator<Item = &'f Fault>) -> String {
    faults.map(|fault| format!("{fault}\n")).collect()
}

/// What XML 1.0 may hold: its own marks written out, control characters shown as a sign.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push('\n'),
            '\t' => out.push('\t'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
