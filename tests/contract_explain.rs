//! What every code means: each example has the problem it speaks of, and its mended form has not.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/example.rs"]
mod example;

use chrono::NaiveDate;
use example::whole;
use onus::contract::{Code, Example, Level, Problem, error_page, explanation, lint};

fn problems(example: &str) -> Vec<Problem> {
    let today = NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date");
    lint(&whole(example), "example.yaml", today).problems
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn each_broken_example_has_its_problem_and_each_mended_one_has_not() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let Example::Contract { broken, mended } = code.explain().example else { continue };
        let says = |found: &[Problem]| found.iter().any(|problem| problem.code == *code);
        let (found, left) = (problems(broken), problems(mended));
        if !says(&found) {
            wrong.push(format!("{code}: the broken example gives\n{}{}", told(&found), whole(broken)));
        }
        if says(&left) || left.iter().any(|problem| problem.level() == Level::Error) {
            wrong.push(format!("{code}: the mended example gives\n{}{}", told(&left), whole(mended)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_example_has_no_error_beside_its_own() {
    for code in Code::ALL {
        let Example::Contract { broken, .. } = code.explain().example else { continue };
        let mut others = problems(broken);
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
