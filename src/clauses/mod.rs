//! Clause files: cases that a contract lawyer could sign. Each is a claim, the clause as a contract, and a table of what
//! happened and what Onus says of it. Read from Markdown, judged by the same way that `onus check` takes (decoder,
//! engine), compared, and, where one asks for it, written anew.
//!
//! `docs/guide/clauses.md` is the reference of the notation.

mod accord;
mod cells;
mod files;
mod happening;
mod judging;
mod place;
mod reading;
mod saying;
mod update;
mod why;

pub use files::{Found, find, load};
pub use judging::{Mismatch, Outcome, judge};
pub use place::Place;
pub use reading::{Case, Clause, Row, Sheet, read};
pub use update::rewritten;

use crate::contract::Problem;
use std::fmt;

/// What is wrong with a clause file, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// The file, as it was named.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do; empty where `what` says it.
    pub hint: String,
}

impl Fault {
    fn new(file: &str, line: usize, what: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { file: file.to_owned(), line, what: what.into(), hint: hint.into() }
    }

    /// A problem of a contract, with its excerpt.
    fn of(problem: &Problem) -> Fault {
        let text = problem.to_string();
        let place = format!("{}:{}:{}: ", problem.file, problem.line, problem.column);
        let what = text.strip_prefix(&place).unwrap_or(&text).to_owned();
        Fault { file: problem.file.clone(), line: problem.line as usize, what, hint: String::new() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)?;
        if !self.hint.is_empty() {
            write!(f, "\n      = {}", self.hint)?;
        }
        Ok(())
    }
}
