//! Outcomes as JSON; docs/seams.md has the keys.

use super::{Count, Told};
use crate::clauses::{Case, Fault, Mismatch, Outcome};
use serde_json::{Value, json};

pub(super) fn document(told: &[Told], faults: &[Fault], count: Count) -> String {
    let cases: Vec<Value> = told.iter().flat_map(cases).collect();
    format!("{}\n", json!({ "cases": cases, "errors": all_faults(told, faults), "summary": count }))
}

pub(super) fn lines(told: &[Told], faults: &[Fault], count: Count) -> String {
    let of = |record: &str, mut value: Value| {
        value["record"] = record.into();
        format!("{value}\n")
    };
    let cases = told.iter().flat_map(cases).map(|case| of("case", case));
    let faults = all_faults(told, faults).into_iter().map(|fault| of("error", json!(fault)));
    cases.chain(faults).chain([of("summary", json!(count))]).collect()
}

fn all_faults<'t>(told: &'t [Told], faults: &'t [Fault]) -> Vec<&'t Fault> {
    faults.iter().chain(told.iter().flat_map(Told::all_faults)).collect()
}

fn cases(told: &Told) -> impl Iterator<Item = Value> {
    told.cases().map(|(case, outcome)| one(&told.sheet.file, case, outcome))
}

fn one(file: &str, case: &Case, outcome: &Outcome) -> Value {
    let (word, mismatches): (_, &[Mismatch]) = match outcome {
        Outcome::Judged(mismatches) if mismatches.is_empty() => ("fine", mismatches),
        Outcome::Judged(mismatches) => ("different", mismatches),
        Outcome::Faulty(_) => ("unread", &[]),
    };
    json!({
        "file": file,
        "line": case.line,
        "title": case.title,
        "rows": case.rows.len(),
        "open_points": case.open_points,
        "outcome": word,
        "mismatches": mismatches,
    })
}
