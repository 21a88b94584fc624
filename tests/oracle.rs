//! The judge against a slow, plain reading of the same rules that shares no code with it.
//!
//! Random contracts and random events, in random order with repetitions, all stories of a run in one file.
//! `PROPTEST_CASES` sets the number of runs.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "oracle/ask.rs"]
mod ask;
#[path = "oracle/dice.rs"]
mod dice;
#[path = "oracle/play.rs"]
mod play;
#[path = "oracle/reference.rs"]
mod reference;
#[path = "oracle/story.rs"]
mod story;

use dice::Run;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use story::{Story, Terms, Tick, Unit};

const STORIES: usize = 200;

#[test]
fn the_judge_and_a_plain_reading_of_the_rules_agree_on_every_duty() {
    let cases = env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64);
    // A failing story is cut down by its own events below, which is quicker than shrinking the run.
    let config = Config { cases, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
    let tally = RefCell::new(BTreeMap::new());
    let result = TestRunner::new(config)
        .run(&dice::run(STORIES), |run| judged(&run, &mut tally.borrow_mut()).map_err(TestCaseError::fail));
    for (what, times) in tally.borrow().iter() {
        println!("{times:8} {what}");
    }
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("aborted: {why}"),
    }
}

#[test]
fn all_terms_that_are_drawn_load() {
    let config = Config { failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(&dice::run(1), |run| {
        let yaml = run.terms.yaml(run.unit);
        let loaded = onus::contract::parse(&yaml, "oracle.yaml").map(|_| ());
        loaded.map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{yaml}")))
    });
    result.unwrap();
}

fn judged(run: &Run, tally: &mut BTreeMap<String, usize>) -> Result<(), String> {
    let last = run.stories.iter().flat_map(|s| &s.events).map(|e| e.at).max().unwrap_or_default();
    let until = last + run.slack;
    let (reply, answer) = ask::ask(&run.terms, run.unit, &ask::lines(run, run.seeds[0]), until);
    let none = BTreeMap::new();
    for (n, story) in run.stories.iter().enumerate() {
        let wanted = reference::judge(&run.terms, story, until);
        for duty in wanted.values() {
            let what = match duty {
                Err(gap) => format!("left open: {gap}"),
                Ok(duties) => format!("duties compared: {}", duties.last().map_or("none", |duty| duty.standing)),
            };
            *tally.entry(what).or_default() += 1;
        }
        if let Some(why) = ask::difference(&wanted, reply.get(&ask::partner(n)).unwrap_or(&none)) {
            return Err(explain(run, story, until, &why));
        }
    }
    let (_, again) = ask::ask(&run.terms, run.unit, &ask::lines(run, run.seeds[1]), until);
    if again != answer {
        return Err(disagreement(&run.terms, run.unit, &answer, &again));
    }
    Ok(())
}

/// The story cut down to what still differs, with its contract.
fn explain(run: &Run, story: &Story, until: Tick, why: &str) -> String {
    let differs = |story: &Story| {
        let wanted = reference::judge(&run.terms, story, until);
        ask::difference(&wanted, &ask::alone(&run.terms, run.unit, story, until))
    };
    let (mut least, mut why) = match differs(story) {
        Some(why) => (story.clone(), why),
        None => (story.clone(), format!("(only among other partners, or in another order of arrival)\n{why}")),
    };
    let mut n = 0;
    while n < least.events.len() {
        let mut fewer = least.clone();
        fewer.events.remove(n);
        match differs(&fewer) {
            Some(new) => (least, why, n) = (fewer, new, 0),
            None => n += 1,
        }
    }
    least.events.sort_by_key(|e| e.at);
    let events: String = least
        .events
        .iter()
        .map(|e| {
            let recorded = e.recorded.map_or(String::new(), |at| format!(" recorded {at}"));
            let sequence = e.sequence.map_or(String::new(), |n| format!(" sequence {n}"));
            format!("  {:>3} {} {} {} [{}]{recorded}{sequence}\n", e.at, e.subject, e.kind, json(&e.data), e.id)
        })
        .collect();
    format!("\n{why}events (in ticks of 1{}; until {until})\n{events}{}", run.unit.word, run.terms.yaml(run.unit))
}

fn json(data: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::Value::Object(data.clone()).to_string()
}

fn disagreement(terms: &Terms, unit: Unit, one: &serde_json::Value, other: &serde_json::Value) -> String {
    let mut text = "another order of arrival gives another answer\n".to_owned();
    for key in ["until", "obligations", "breaches", "duties"] {
        let (a, b) = (one[key].as_array().cloned(), other[key].as_array().cloned());
        let pairs = a.iter().flatten().zip(b.iter().flatten());
        if let Some((a, b)) = pairs.into_iter().find(|(a, b)| a != b) {
            text += &format!("{key}\n  {a}\n  {b}\n");
        }
    }
    text + &terms.yaml(unit)
}
