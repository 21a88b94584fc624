//! `onus whatif`: the same events under the terms of today and under new ones, and what would have been different.
//!
//! Three passes over the events, so that memory holds what is open and what broke, not every duty there was: today's
//! terms; the new ones, with an eye on what broke under today's; and today's again, where something broke under the new
//! ones only, to say how it stands there.

mod compare;
mod terms;

pub use super::watch::State;
pub use compare::{Breach as Shift, Change, Line, Side};
pub use terms::Taken;

use super::check::{self, CheckError, Progress, Report, Request};
use super::watch::Plan;
use crate::decode::{self, DeadLetter};
use crate::ingest;
use onus_engine::identity::DutyId;
use onus_engine::terms::Contract;
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What would have been different.
#[derive(Debug)]
pub struct WhatIf {
    /// As of this instant; None: no event had a time.
    pub until: Option<Moment>,
    /// Only duties that began at or after this.
    pub since: Option<Moment>,
    /// New contracts, and from when they were taken to be in force.
    pub taken: Vec<Taken>,
    /// Contracts of today that the new ones do not name, as they are in both runs.
    pub kept: Vec<String>,
    /// Every obligation of every partner.
    pub obligations: Vec<Line>,
    /// Breaches that are not the same.
    pub breaches: Vec<Shift>,
    /// Breaches that are the same in both.
    pub same: usize,
    /// Lines that could not be read, under either terms.
    pub letters: Vec<(String, DeadLetter)>,
    /// What was read.
    pub read: check::Read,
}

impl WhatIf {
    /// Something would have been different.
    pub fn differs(&self) -> bool {
        !self.breaches.is_empty() || self.obligations.iter().any(|line| line.differs())
    }
}

/// Judges under `request.contracts` and under `new`, and compares.
pub fn whatif(
    mut request: Request,
    new: &[Contract],
    since: Option<Moment>,
    progress: Progress<'_>,
) -> Result<WhatIf, CheckError> {
    let input = Input::of(&request.events)?;
    let terms = terms::as_if(&request.contracts, new, since);
    let mut pass = |contracts: &[Contract], wanted: BTreeSet<DutyId>| {
        request.contracts = contracts.to_vec();
        let plan = Plan { since, wanted: Arc::new(wanted) };
        check::watched(&request, input.open()?, Some(&plan), progress)
    };
    let (mut before, _) = pass(&terms.today, BTreeSet::new())?;
    keep(&mut before, since);
    let broken = |report: &Report| report.breaches.iter().map(|b| b.duty).collect::<BTreeSet<_>>();
    let (mut after, states_after) = pass(&terms.contracts, broken(&before))?;
    keep(&mut after, since);
    let appeared: BTreeSet<DutyId> = broken(&after).difference(&broken(&before)).copied().collect();
    let states_before = if appeared.is_empty() { BTreeMap::new() } else { pass(&terms.today, appeared)?.1 };
    let sides = [Side::of(&before, &terms.today, states_before), Side::of(&after, &terms.contracts, states_after)];
    let (obligations, breaches, same) = compare::compare(&sides, &terms.taken);
    let mut letters = before.letters;
    letters.extend(after.letters);
    letters.sort_by(|a, b| (&a.0, a.1.line).cmp(&(&b.0, b.1.line)));
    letters.dedup();
    Ok(WhatIf {
        until: before.until,
        since,
        taken: terms.taken,
        kept: terms.kept,
        obligations,
        breaches,
        same,
        letters,
        read: before.read,
    })
}

/// Breaches of duties that began in time to be compared.
fn keep(report: &mut Report, since: Option<Moment>) {
    report.breaches.retain(|breach| since.is_none_or(|since| breach.started >= since));
}

/// Event files that can be read again: what comes in on standard input is written to a temporary file first.
struct Input {
    files: Vec<PathBuf>,
    spooled: Option<tempfile::NamedTempFile>,
}

impl Input {
    fn of(paths: &[PathBuf]) -> Result<Input, CheckError> {
        let stdin = Path::new("-");
        let spooled = if paths.iter().any(|path| path == stdin) {
            let mut file = tempfile::NamedTempFile::new()?;
            std::io::copy(&mut std::io::stdin().lock(), &mut file)?;
            Some(file)
        } else {
            None
        };
        Ok(Input { files: paths.to_vec(), spooled })
    }

    fn open(&self) -> Result<Vec<ingest::Lines>, CheckError> {
        let opened = self.files.iter().map(|path| match &self.spooled {
            Some(file) if path == Path::new("-") => {
                ingest::Lines::open(file.path(), decode::LONGEST).map(|lines| lines.named("(standard input)"))
            }
            _ => ingest::Lines::open(path, decode::LONGEST),
        });
        Ok(opened.collect::<Result<_, _>>()?)
    }
}
