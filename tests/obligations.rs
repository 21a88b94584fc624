//! The obligations that are known to exist (docs/obligations) can be said: each is loaded, and its limit compared.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "obligations/page.rs"]
mod page;
#[path = "obligations/rows.rs"]
mod rows;
#[path = "obligations/spans.rs"]
mod spans;
#[path = "support/waiting.rs"]
mod waiting;

use onus::contract::{Code, Problem, parse};
use onus_engine::terms::{Contract, Obligation};
use rows::{Reference, Row, comment_above, rows, template_text};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of the list from which docs/obligations/rows.csv was taken.
const KNOWN: usize = 158;

/// What stands around a template.
const HEAD: &str = "contract: row\npartner: partner\ncustomer: customer\neffective: 2020-01-01T00:00:00Z\nzone: UTC\nstack: shared\n\
                    calendars: {office: {zone: UTC, hours: {mon-fri: \"09:00-17:00\"}}}\n";

/// A contract that includes a template, with the values that a row chooses.
fn contract(reference: &Reference) -> String {
    let values: Vec<String> = reference.values.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let values = if values.is_empty() { String::new() } else { format!("values: {{{}}}\n", values.join(", ")) };
    format!("{HEAD}calendar: office\ninclude: [templates/{}]\n{values}", reference.template)
}

/// The obligation that a row refers to; or what the loader says against it.
fn load(reference: &Reference) -> Result<Obligation, Vec<Problem>> {
    let contract = match parse(&contract(reference), "row.yaml") {
        Err(problems) if waiting::TEMPLATES.contains(&reference.template.as_str()) => beside(reference, problems)?,
        read => read?,
    };
    let found = contract.obligations.into_iter().find(|obligation| obligation.id == reference.obligation);
    Ok(found.unwrap_or_else(|| panic!("{} has no obligation {}", reference.template, reference.obligation)))
}

/// A template without the obligations that are refused, unless the one that is wanted is among them.
fn beside(reference: &Reference, mut problems: Vec<Problem>) -> Result<Contract, Vec<Problem>> {
    let mut text = template_text(&reference.template);
    for (name, value) in &reference.values {
        let old = text.lines().find(|line| line.starts_with(&format!("  {name}: "))).expect("a value").to_owned();
        text = text.replace(&old, &format!("  {name}: {value}"));
    }
    let calendar = if text.contains("\ncalendar:") { "" } else { "calendar: office\n" };
    loop {
        let refused: BTreeSet<String> = problems.iter().filter_map(|problem| problem.obligation.clone()).collect();
        if refused.is_empty() || refused.contains(&reference.obligation) {
            return Err(problems);
        }
        for id in &refused {
            let (before, from) = text.split_once(&format!("\n  - id: {id}\n")).expect("the obligation");
            let rest = from.split_once("\n\n").map_or("", |(_, rest)| rest);
            text = format!("{before}\n{rest}");
        }
        match parse(&format!("{HEAD}{calendar}{text}"), "row.yaml") {
            Ok(contract) => return Ok(contract),
            Err(found) => problems = found,
        }
    }
}

/// What is wrong with what says a row.
fn wrong(row: &Row) -> Result<(), String> {
    let mut said = Vec::new();
    for reference in &row.said_by {
        match load(reference) {
            Ok(obligation) => said.extend(spans::of(&obligation, reference)?),
            Err(problems) => return Err(refusal(&problems, reference)),
        }
    }
    said.dedup();
    let wanted: Vec<&str> = row.limit_code.split('|').collect();
    // Further obligations of a row say what its words add to the figure.
    let fits = match row.limit_code.as_str() {
        _ if row.said_by.is_empty() => true,
        "GRANT_END" => said.first().is_some_and(|first| first.ends_with("@expires_at")),
        code if Row::has_number(code) => {
            said.len() >= wanted.len() && said.iter().zip(&wanted).all(|(said, wanted)| spans::same(said, wanted))
        }
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("the contract says {said:?}, the row {wanted:?}")) }
}

/// Problems that concern the obligation itself; others of its file do not speak against it.
fn refusal(problems: &[Problem], reference: &Reference) -> String {
    let own = |p: &&Problem| p.obligation.as_deref() == Some(reference.obligation.as_str());
    let all_wait = problems.iter().all(|p| p.code == Code::Unsupported);
    match problems.iter().find(own) {
        Some(problem) if all_wait => format!("waits: {}", problem.message),
        None if all_wait => "waits: another obligation of its file".to_owned(),
        _ => problems.iter().map(|p| format!("{p}\n")).collect(),
    }
}

#[test]
fn every_row_is_said_and_with_its_own_limit() {
    let waits = |row: &Row| row.said_by.iter().any(|r| waiting::TEMPLATES.contains(&r.template.as_str()));
    let failed: Vec<String> = rows()
        .iter()
        .filter_map(|row| Some((row, wrong(row).err()?)))
        .filter(|(row, why)| !(waits(row) && why.starts_with("waits: ")))
        .map(|(row, why)| format!("{}: {why}", row.id))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_template_that_waits_is_refused_for_that_alone() {
    for template in waiting::TEMPLATES {
        let reference = Reference {
            template: (*template).to_owned(),
            obligation: String::new(),
            limit: None,
            cells: vec![],
            values: vec![],
        };
        let problems = parse(&contract(&reference), "row.yaml").err().unwrap_or_default();
        assert!(!problems.is_empty(), "{template} loads now: take it out of tests/support/waiting.rs");
        assert!(problems.iter().all(|p| p.code == Code::Unsupported), "{template}: {problems:?}");
    }
}

#[test]
fn no_row_is_missing_and_none_with_a_number_is_without_a_contract_text() {
    let rows = rows();
    assert_eq!(rows.len(), KNOWN);
    assert_eq!(rows.iter().map(|row| &row.id).collect::<BTreeSet<_>>().len(), KNOWN, "an id stands there twice");
    for row in &rows {
        let numbered = Row::has_number(&row.limit_code);
        assert!(!numbered || !row.said_by.is_empty(), "{} has a number and no contract text", row.id);
        assert!(numbered || !row.remark.is_empty() || !row.said_by.is_empty(), "{}: what of it?", row.id);
    }
}

#[test]
fn the_comment_above_each_obligation_names_its_rows_with_their_grade() {
    let mut named: BTreeMap<(String, String), BTreeSet<(String, String)>> = BTreeMap::new();
    for row in rows() {
        for reference in &row.said_by {
            let place = (reference.template.clone(), reference.obligation.clone());
            named.entry(place).or_default().insert((row.confidence.clone(), row.id.clone()));
        }
    }
    for ((template, obligation), rows) in named {
        let there = comment_above(&template_text(&template), &obligation);
        assert_eq!(there, rows, "{template}: {obligation}");
    }
}

#[test]
fn every_obligation_of_every_template_has_a_grade_above_it() {
    for template in rows::templates() {
        let text = template_text(&template);
        let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  - id: ")).collect();
        assert!(!ids.is_empty(), "{template}");
        for id in ids {
            let above = text.lines().take_while(|line| *line != format!("  - id: {id}")).last().unwrap_or_default();
            assert!(above.starts_with("  # ["), "{template}: {id} has no grade: {above}");
            assert!(text.contains(&format!("  - id: {id}\n    clause:")), "{template}: {id}");
        }
    }
}

#[test]
fn the_page_of_them_is_the_one_checked_in() {
    checked_in::same("docs/reference/obligations.md", &page::page(&rows(), waiting::TEMPLATES));
}
