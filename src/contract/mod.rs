//! Contracts as people write them, read strictly into what the judge works by ([`Contract`]); and mappers, read by the same
//! means into what adapters work by ([`crate::mapper::Mapper`]).
//!
//! A file is read in layers: YAML into a tree with places (`yaml`), the names it declares (`names`), then each part by
//! a reader of its own. Readers report what is wrong and go on, so that all problems of a file are told at once; one
//! problem, and there is no contract: half a contract would judge people by half of what was agreed.
//!
//! Parts of the language that the judge cannot keep yet are refused, not skipped, wherever skipping them would change
//! a standing. See [`Code`] for what can be wrong.

mod abroad;
mod asides;
mod calendar;
mod catalogue;
mod chains;
mod code;
mod control;
mod dates;
mod every;
mod evidence;
mod explain;
mod fields;
mod filters;
mod format;
mod header;
mod hidden;
mod holidays;
mod include;
mod keys;
mod length;
mod library;
mod limit;
mod lint;
mod load;
mod mapper;
mod names;
mod obligation;
mod order;
mod pause;
mod population;
mod problem;
mod publish;
mod report;
mod scope;
mod selector;
mod since;
mod table;
mod target;
mod waiver;
mod words;
mod yaml;

pub use calendar::HolidaySets;
pub use catalogue::{catalogue, catalogue_text};
pub use code::{Code, Level};
pub use explain::{Example, Explanation, page as error_page, text as explanation};
pub use format::{Unformatted, format};
pub use library::Library;
pub(crate) use load::together;
pub use load::{Survey, files, load, none, read, survey, survey_against};
pub use mapper::{mapper, mapper_file, mapper_problems};
pub use problem::{Excerpt, Problem};
pub use publish::{catalogue_schema, key_page, mapper_page, mapper_schema, part_schema, schema};
pub(crate) use report::nearest;
pub(crate) use words::{TRUST, events};

use chrono::NaiveDate;
use library::Place;
use names::{Cx, Names};
use onus_engine::calendar::Calendar;
use onus_engine::terms::Contract;
use report::{At, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use yaml::{Node, Value};

/// Reads one contract from its text; `origin` is how problems name it. Text is in no folder: of included files it has
/// only those that are shipped.
///
/// # Errors
/// Everything that is wrong with it, in the order of its lines.
pub fn parse(text: &str, origin: &str) -> Result<Contract, Vec<Problem>> {
    let whole = Whole::read(text, origin, &Place::Nowhere, &Library::default());
    finish(whole.contract, whole.cx.report)
}

/// A contract as far as it could be read, with all that is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// None: there are errors.
    pub contract: Option<Contract>,
    /// Errors; where there are none, warnings. In the order of the file's lines.
    pub problems: Vec<Problem>,
}

/// Reads one contract as [`parse`] does, and looks for warnings where there are no errors. `today` says which holidays
/// should be there.
pub fn lint(text: &str, origin: &str, today: NaiveDate) -> Reading {
    Whole::read(text, origin, &Place::Nowhere, &Library::default()).linted(today)
}

/// A contract with the tree that it and its included files make.
pub(crate) struct Whole<'t> {
    root: Option<Node>,
    /// None: something is wrong with it.
    contract: Option<Contract>,
    cx: Cx<'t>,
}

impl<'t> Whole<'t> {
    fn read(text: &'t str, origin: &str, place: &Place, library: &Library) -> Whole<'t> {
        let mut report = Report::new(origin, text);
        let root = yaml::tree(text, &mut report);
        Whole::of(root, report, place, library)
    }

    /// Of a file that has been taken apart already.
    fn of(mut root: Option<Node>, report: Report<'t>, place: &Place, library: &Library) -> Whole<'t> {
        let mut cx = Cx { names: Names::default(), parts: include::Parts::default(), report };
        let contract = root.as_mut().and_then(|root| {
            cx.parts = include::expand(root, place, library, &mut cx.report);
            header::contract(root, &mut cx)
        });
        Whole { root, contract, cx }
    }

    fn plain(self) -> Reading {
        match finish(self.contract, self.cx.report) {
            Ok(contract) => Reading { contract: Some(contract), problems: Vec::new() },
            Err(problems) => Reading { contract: None, problems },
        }
    }

    fn linted(mut self, today: NaiveDate) -> Reading {
        if let (Some(root), Some(contract), true) = (&self.root, &self.contract, self.cx.report.is_clean()) {
            let Cx { names, parts, report } = &mut self.cx;
            lint::Lint { root, contract, names, parts, today }.run(report);
        }
        match finish_with(self.contract, self.cx.report) {
            Ok((contract, problems)) => Reading { contract: Some(contract), problems },
            Err(problems) => Reading { contract: None, problems },
        }
    }
}

/// What is wrong with a part that no contract of the run includes; None: the file is no part.
pub(crate) fn part(text: &str, origin: &str, place: &Place, library: &Library) -> Option<Vec<Problem>> {
    let report = Report::new(origin, text);
    let mut cx = Cx { names: Names::default(), parts: include::Parts::default(), report };
    let mut root = yaml::tree(text, &mut cx.report)?;
    if !include::is_part(&root) {
        return None;
    }
    cx.parts = include::expand(&mut root, place, library, &mut cx.report);
    header::part(&mut root, &mut cx);
    Some(cx.report.finish())
}

/// Reads the calendars of a file: a contract (its other parts are not looked at), a file with `calendars:` and perhaps
/// `holidays:` and `zone:`, or a map of names to calendars. A calendar without a zone takes the file's.
///
/// # Errors
/// Everything that is wrong with its calendars.
pub fn calendars(text: &str, origin: &str) -> Result<BTreeMap<String, Calendar>, Vec<Problem>> {
    let (root, mut report) = tree_of(text, origin, &Place::Nowhere, &Library::default());
    let calendars = root.and_then(|root| file_calendars(&root, &mut report));
    finish(calendars, report)
}

/// Reads the named holiday sets of a file, wherever [`calendars`] would read calendars from it.
///
/// # Errors
/// Everything that is wrong with its holidays.
pub fn holiday_sets(text: &str, origin: &str) -> Result<HolidaySets, Vec<Problem>> {
    let (root, mut report) = tree_of(text, origin, &Place::Nowhere, &Library::default());
    let sets = root.and_then(|root| file_sets(&root, &mut report));
    finish(sets, report)
}

/// Reads both from a file, with those of the files that it includes.
///
/// # Errors
/// Everything that is wrong with them.
pub fn calendar_file(
    path: &Path,
    library: &Library,
) -> Result<(BTreeMap<String, Calendar>, HolidaySets), Vec<Problem>> {
    let text = load::read(path)?;
    let origin = path.display().to_string();
    let (root, mut report) = tree_of(&text, &origin, &Place::of(path), library);
    let both = root.and_then(|root| Some((file_calendars(&root, &mut report)?, file_sets(&root, &mut report)?)));
    finish(both, report)
}

/// The tree that a file and its included files make.
fn tree_of<'t>(text: &'t str, origin: &str, place: &Place, library: &Library) -> (Option<Node>, Report<'t>) {
    let mut report = Report::new(origin, text);
    let mut root = yaml::tree(text, &mut report);
    if let Some(root) = &mut root {
        include::expand(root, place, library, &mut report);
    }
    (root, report)
}

/// Reads one calendar that stands by itself, as YAML or JSON: a block like those under `calendars:`, or the name of a
/// known one. `named` are calendars it may join, `sets` holidays it may name, `zone` what it takes for want of its own.
///
/// # Errors
/// Everything that is wrong with it.
pub fn calendar_block(
    text: &str,
    origin: &str,
    named: &BTreeMap<String, Calendar>,
    sets: &HolidaySets,
    zone: Option<chrono_tz::Tz>,
) -> Result<Calendar, Vec<Problem>> {
    let mut report = Report::new(origin, text);
    let calendar = yaml::tree(text, &mut report).and_then(|root| {
        let names: BTreeSet<&str> = named.keys().map(String::as_str).collect();
        if let Value::Scalar { text, .. } = &root.value {
            if !named.contains_key(text) {
                let message = format!("no calendar is named {}", report::quote(text));
                report.misnamed(Code::NoCalendar, root.at, message, text, names.iter().copied());
            }
            return named.get(text).cloned();
        }
        let known = calendar::Known { sets, calendars: &names, zone, loose: true, includes: false };
        let block = calendar::block(&root, &known, &mut report)?;
        let built = calendar::build(&[(String::new(), root.at, block)], named, &mut report)?;
        built.into_iter().next().map(|(_, calendar)| calendar)
    });
    finish(calendar, report)
}

/// Reads a plain map of texts to texts, as strictly as a contract: source patterns and their trust.
///
/// # Errors
/// Everything that is wrong with it.
pub fn text_map(text: &str, origin: &str) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut report = Report::new(origin, text);
    let map = yaml::tree(text, &mut report).and_then(|root| {
        let Value::Map(entries) = &root.value else {
            report.hinted(
                Code::WrongShape,
                root.at,
                "a map of texts is wanted here",
                "write `pattern: word`, one a line",
            );
            return None;
        };
        let mut out = Vec::new();
        for entry in entries {
            match &entry.node.value {
                Value::Scalar { text, .. } => out.push((entry.key.clone(), text.clone())),
                _ => report.hinted(Code::WrongShape, entry.node.at, "a word is wanted here", "write `pattern: word`"),
            }
        }
        Some(out)
    });
    finish(map, report)
}

fn file_sets(root: &Node, report: &mut Report<'_>) -> Option<HolidaySets> {
    match root.get("holidays") {
        Some(node) => calendar::sets(node, report),
        None => Some(BTreeMap::new()),
    }
}

fn file_calendars(root: &Node, report: &mut Report<'_>) -> Option<BTreeMap<String, Calendar>> {
    let whole = ["calendars", "contract", "holidays", "include", "zone"].iter().any(|key| root.get(key).is_some());
    let zone = match root.get("zone") {
        Some(node) => Some(dates::zone(node, report)?),
        None => None,
    };
    let sets = if whole { file_sets(root, report) } else { Some(BTreeMap::new()) };
    let Some(node) = (if whole { root.get("calendars") } else { Some(root) }) else {
        return Some(BTreeMap::new());
    };
    let entries = fields::map(node, "`calendars`", report)?;
    let names: BTreeSet<&str> = entries.iter().map(|e| e.key.as_str()).collect();
    let known = calendar::Known { sets: sets.as_ref()?, calendars: &names, zone, loose: true, includes: false };
    let blocks = fields::every(entries, |entry| {
        let block = calendar::block(&entry.node, &known, report)?;
        Some((entry.key.clone(), entry.at, block))
    })?;
    Some(calendar::build(&blocks, &BTreeMap::new(), report)?.into_iter().collect())
}

/// A result only where nothing was wrong.
fn finish<T>(read: Option<T>, report: Report<'_>) -> Result<T, Vec<Problem>> {
    finish_with(read, report).map(|(read, _)| read)
}

/// The same, with the warnings.
fn finish_with<T>(read: Option<T>, mut report: Report<'_>) -> Result<(T, Vec<Problem>), Vec<Problem>> {
    match read {
        Some(read) if report.is_clean() => Ok((read, report.finish())),
        _ => {
            if report.is_clean() {
                // A reader gave up in silence: a defect, and still no reason to load half a contract.
                report.error(Code::Syntax, At::TOP, "this file could not be read, and no reader said why");
            }
            Err(report.finish())
        }
    }
}
