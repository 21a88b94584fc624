//! What every code means: each example has the problem it speaks of, and its mended form has not.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/example.rs"]
mod example;

use chrono::NaiveDate;
use example::{whole, whole_mapper};
use onus::contract::{Code, Example, Level, Problem, error_page, explanation, lint, mapper_problems};

fn problems(example: &str) -> Vec<Problem> {
    let today = NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date");
    lint(&whole(example), "example.yaml", today).problems
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// The whole texts of a code's examples, with what is wrong with each.
type Read = [(String, Vec<Problem>); 2];

/// None: no file could show it.
fn read(code: Code) -> Option<Read> {
    let contract = |text: &str| (whole(text), problems(text));
    let mapper = |text: &str| (whole_mapper(text), mapper_problems(&whole_mapper(text), "example.yaml"));
    match code.explain().example {
        Example::Contract { broken, mended } => Some([broken, mended].map(contract)),
        Example::Mapper { broken, mended } => Some([broken, mended].map(mapper)),
        Example::Around { .. } => None,
    }
}

#[test]
fn each_broken_example_has_its_problem_and_each_mended_one_has_not() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let Some([(broken, found), (mended, left)]) = read(*code) else { continue };
        let says = |found: &[Problem]| found.iter().any(|problem| problem.code == *code);
        if !says(&found) {
            wrong.push(format!("{code}: the broken example gives\n{}{broken}", told(&found)));
        }
        if says(&left) || left.iter().any(|problem| problem.level() == Level::Error) {
            wrong.push(format!("{code}: the mended example gives\n{}{mended}", told(&left)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_example_has_no_error_beside_its_own() {
    for code in Code::ALL {
        let Some([(_, mut others), _]) = read(*code) else { continue };
        others.retain(|problem| problem.level() == Level::Error && problem.code != *code);
        assert!(others.is_empty(), "{code}:\n{}", told(&others));
    }
}

#[test]
fn every_explanation_says_what_why_and_what_to_do() {
    let mut names = std::collections::BTreeSet::new();
    for code in Code::ALL {
        let told = explanation(*code);
        let parts = code.explain();
        assert!(names.insert(parts.name), "{code}: the name {} is taken", parts.name);
        for text in [code.what(), parts.why, parts.remedy] {
            assert!(text.ends_with('.') || text.ends_with('`'), "{code}: {text:?} is no sentence");
            let first = text.split_whitespace().next().expect("some words");
            assert!(told.contains(first), "{code}");
        }
        assert!(
            told.lines().filter(|line| !line.starts_with("    ")).all(|line| line.chars().count() <= 100),
            "{told}"
        );
    }
}

#[test]
fn the_page_of_all_codes_is_the_one_checked_in() {
    checked_in::same("docs/reference/contract-errors.md", &error_page());
}
