//! Judges a case: of every row, the events of that row and of the rows above it, as of the row's instant.

use super::files::contracts;
use super::reading::{Arrival, Case, Claim, Row, Sheet};
use super::saying::{self, Statement, compare};
use super::{Fault, accord, why};
use crate::catalogue::Catalogue;
use crate::contract::{self, Library};
use crate::decode;
use crate::ingest::Lines;
use crate::runtime::check::{self, Report, Request};
use onus_engine::book::Book;
use onus_engine::engine::Options;
use onus_engine::terms::{Contract, PartnerPattern};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What became of a case.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It could not be judged.
    Faulty(Vec<Fault>),
    /// Rows that are not what Onus says; empty: all are.
    Judged(Vec<Mismatch>),
}

/// A row whose last cell is not what Onus says.
#[derive(Clone, Debug, Serialize)]
pub struct Mismatch {
    /// Line of the row.
    pub line: usize,
    /// Its first cell.
    pub when: String,
    /// Its second cell.
    pub happened: String,
    /// Its last cell; empty: to be written.
    pub expected: String,
    /// What the cell would have to say.
    pub says: String,
    /// Why, a sentence or a few.
    pub because: Vec<String>,
    /// Onus is at odds with itself: no cell can be right.
    pub defect: bool,
    /// Bytes of the file that the last cell takes up.
    #[serde(skip)]
    pub(super) cell: std::ops::Range<usize>,
}

/// Judges all these cases of all these files, with as many threads as the machine has: the outcomes of each file's cases,
/// in their order. `wanted` says which are judged; the others have no outcome.
pub fn judge(
    sheets: &[Sheet],
    options: &Options,
    catalogue: &Arc<Catalogue>,
    library: &Library,
    wanted: &(dyn Fn(&Sheet, &Case) -> bool + Sync),
) -> Vec<Vec<Option<Outcome>>> {
    let work: Vec<(usize, usize)> =
        sheets.iter().enumerate().flat_map(|(s, sheet)| (0..sheet.cases.len()).map(move |c| (s, c))).collect();
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        while let Some((s, c)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (sheet, case) = (&sheets[*s], &sheets[*s].cases[*c]);
            if wanted(sheet, case) {
                done.push((*s, *c, one(sheet, case, (options, catalogue), library)));
            }
        }
        done
    };
    let mut all: Vec<Vec<Option<Outcome>>> = sheets.iter().map(|sheet| vec![None; sheet.cases.len()]).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(work.len()).max(1);
    let done: Vec<_> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut done = some();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    for (s, c, outcome) in done {
        all[s][c] = Some(outcome);
    }
    all
}

/// One case of a file.
fn one(sheet: &Sheet, case: &Case, (options, catalogue): (&Options, &Arc<Catalogue>), library: &Library) -> Outcome {
    let terms = match contracts(case, &sheet.file, library) {
        Ok(terms) => terms,
        Err(faults) => return Outcome::Faulty(faults),
    };
    let trust = case.trust.iter().chain(&options.trust).cloned().collect();
    let options = &Options { trust, ..options.clone() };
    let bench = Bench { file: &sheet.file, case, partner: usual(&terms), terms, options, catalogue };
    let faults = bench.faults();
    if !faults.is_empty() {
        return Outcome::Faulty(faults);
    }
    let mut lines = String::new();
    let (mut mismatches, mut faults) = (Vec::new(), Vec::new());
    for row in &case.rows {
        for arrival in &row.arrivals {
            match arrival {
                Arrival::Tick(record) => lines += record,
                Arrival::Event(event) => lines += &event.record(bench.partner.as_deref()).unwrap_or_default(),
            }
            lines.push('\n');
        }
        match bench.row(row, &lines) {
            Ok(mismatch) => mismatches.extend(mismatch),
            Err(fault) => {
                faults.push(fault);
                break;
            }
        }
    }
    if faults.is_empty() { Outcome::Judged(mismatches) } else { Outcome::Faulty(faults) }
}

/// Whose an event is that does not say so: the first partner that the case's contracts name outright.
fn usual(terms: &[Contract]) -> Option<String> {
    terms.iter().flat_map(|contract| &contract.partners).find_map(|pattern| match pattern {
        PartnerPattern::Exact(name) => Some(name.clone()),
        PartnerPattern::Prefix(_) => None,
    })
}

/// All that one case is judged by.
struct Bench<'c> {
    file: &'c str,
    case: &'c Case,
    partner: Option<String>,
    terms: Vec<Contract>,
    options: &'c Options,
    catalogue: &'c Arc<Catalogue>,
}

impl Bench<'_> {
    /// Events that no contract and no list knows, or that are nobody's: a slip of the pen would change nothing and say so.
    fn faults(&self) -> Vec<Fault> {
        let book = Book::new(&self.terms);
        let mut faults = Vec::new();
        for (row, arrival) in self.case.rows.iter().flat_map(|row| row.arrivals.iter().map(move |a| (row, a))) {
            let Arrival::Event(event) = arrival else { continue };
            let declared = || book.names().types().iter().map(|kind| kind.name.as_str());
            let built_in: Vec<String> = contract::events().collect();
            if !declared().chain(built_in.iter().map(String::as_str)).any(|kind| kind == event.kind) {
                let near = contract::nearest(&event.kind, declared().chain(built_in.iter().map(String::as_str)));
                let hint = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "no obligation of this case names it, and it is not built in".to_owned(),
                };
                faults.push(Fault::new(self.file, row.line, format!("no event is of the type `{}`", event.kind), hint));
            }
            if event.record(self.partner.as_deref()).is_none() {
                let hint = "say it with `partner=NAME`: the contracts name none outright";
                faults.push(Fault::new(self.file, row.line, "whose event this is cannot be told", hint));
            }
        }
        faults
    }

    fn row(&self, row: &Row, lines: &str) -> Result<Option<Mismatch>, Fault> {
        let request = Request {
            contracts: self.terms.clone(),
            events: Vec::new(),
            until: Some(row.now),
            wall: row.now,
            catalogue: Arc::clone(self.catalogue),
            options: self.options.clone(),
            duties: true,
            verbose: false,
            threads: 1,
        };
        let input = vec![Lines::of("row", lines.as_bytes().to_vec(), decode::LONGEST)];
        let fault = |what: String| Fault::new(self.file, row.line, what, "");
        let report = check::check_lines(&request, input, &mut |_| {}).map_err(|error| fault(error.to_string()))?;
        if let Some((_, letter)) = report.letters.first() {
            return Err(fault(format!("an event of this row cannot be read: {}", letter.error)));
        }
        Ok(self.compared(row, &report, request, lines))
    }

    fn compared(&self, row: &Row, report: &Report, request: Request, lines: &str) -> Option<Mismatch> {
        let mismatch = |says: String, because: Vec<String>, defect: bool| Mismatch {
            line: row.line,
            when: row.when.clone(),
            happened: row.happened.clone(),
            expected: row.says.clone(),
            says,
            because,
            defect,
            cell: row.cell.clone(),
        };
        if let Some(why) = accord::at_odds(report) {
            return Some(mismatch(format!("two things at once: {why}"), Vec::new(), true));
        }
        let duties = saying::cycles(&report.duties);
        let placed = saying::placed(&report.placed);
        let partner = self.partner.as_deref().unwrap_or_default();
        let statements = match &row.claim {
            Claim::Nothing => return None,
            Claim::Unwritten => &[][..],
            Claim::All(statements) => statements,
        };
        let compared = compare(statements, &duties, placed, partner, &self.case.place);
        if compared.agree() && !matches!(row.claim, Claim::Unwritten) {
            return None;
        }
        let about: Vec<_> = compared.differ.iter().map(|at| duties[*at]).collect();
        let mut because = self.misnamed(statements);
        because.extend(why::because(request, lines, &about, self.case.place.zone()));
        Some(mismatch(compared.said, because, false))
    }

    /// Obligations that the cell names and the case's contracts do not.
    fn misnamed(&self, statements: &[Statement]) -> Vec<String> {
        let known = || self.terms.iter().flat_map(|c| &c.obligations).map(|o| o.id.as_str());
        let mut unknown: Vec<&str> = statements.iter().filter_map(Statement::obligation).collect();
        unknown.retain(|id| !known().any(|k| k == *id));
        unknown.dedup();
        let told = unknown.into_iter().map(|id| match contract::nearest(id, known()) {
            Some(near) => format!("the contract has no obligation `{id}`; did you mean `{near}`?"),
            None => format!("the contract has no obligation `{id}`"),
        });
        told.collect()
    }
}
