//! The judge against a slow, plain reading of the same rules that shares no code with it.
//!
//! Random contracts and random events, in random order with repetitions, all stories of a run in one file.
//! `PROPTEST_CASES` sets the number of runs.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "oracle/ask.rs"]
mod ask;
#[path = "oracle/clock.rs"]
mod clock;
#[path = "oracle/dice.rs"]
mod dice;
#[path = "oracle/play.rs"]
mod play;
#[path = "oracle/reference.rs"]
mod reference;
#[path = "oracle/story.rs"]
mod story;

use ask::Page;
use dice::Run;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use reference::Answer;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use story::{Event, Story, Terms, Tick};

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

/// Looks for a difference between what should be told and what is.
type Find<'a> = &'a dyn Fn(&Answer, &Page) -> Option<String>;

fn judged(run: &Run, tally: &mut BTreeMap<String, usize>) -> Result<(), String> {
    let last = run.stories.iter().flat_map(|s| &s.events).map(|e| e.at).max().unwrap_or_default();
    let until = last + run.slack;
    let arrivals = run.seeds.map(|seed| ask::arrivals(run, seed));
    let replies = [0, 1].map(|n| ask::ask(&run.terms, run.unit, &ask::lines(&arrivals[n], run.unit), until));
    let page = |order: usize, n: usize| replies[order].get(&ask::partner(n)).cloned().unwrap_or_default();
    for (n, story) in run.stories.iter().enumerate() {
        let wanted = reference::judge(&run.terms, story, until);
        for duty in wanted.values() {
            let what = match duty {
                Err(gap) => format!("left open: {gap}"),
                Ok(duties) => format!("duties compared: {}", duties.last().map_or("none", |duty| duty.standing)),
            };
            *tally.entry(what).or_default() += 1;
        }
        for order in [0, 1] {
            let own = arrivals[order].iter().filter(|(of, _)| *of == n).map(|(_, event)| event.clone());
            let own = Story { events: own.collect() };
            for find in [ask::difference, |_: &Answer, page: &Page| page.odds.first().cloned()] {
                if find(&wanted, &page(order, n)).is_some() {
                    return Err(explain(run, &own, until, &find));
                }
            }
        }
        // Also where the rules do not say what is right: it is the same in every order.
        if page(0, n) != page(1, n) {
            let why = format!("another order of arrival\n  one    {:?}\n  other  {:?}\n", page(0, n), page(1, n));
            return Err(told(run, &run.terms, story, until, &why));
        }
    }
    Ok(())
}

/// The terms and the story cut down to what still differs, in its order of arrival.
fn explain(run: &Run, story: &Story, until: Tick, find: Find<'_>) -> String {
    let differs = |terms: &Terms, story: &Story| {
        let wanted = reference::judge(terms, story, until);
        find(&wanted, &ask::alone(terms, run.unit, story, until))
    };
    let (mut terms, mut least) = (run.terms.clone(), story.clone());
    let Some(mut why) = differs(&terms, &least) else {
        return told(run, &terms, &least, until, "only among other partners\n");
    };
    let mut n = 0;
    while terms.obligations.len() > 1 && n < terms.obligations.len() {
        let mut fewer = terms.clone();
        fewer.obligations.remove(n);
        match differs(&fewer, &least) {
            Some(new) => (terms, why, n) = (fewer, new, 0),
            None => n += 1,
        }
    }
    let mut n = 0;
    while n < least.events.len() {
        let mut fewer = least.clone();
        fewer.events.remove(n);
        match differs(&terms, &fewer) {
            Some(new) => (least, why, n) = (fewer, new, 0),
            None => n += 1,
        }
    }
    told(run, &terms, &least, until, &why)
}

fn told(run: &Run, terms: &Terms, story: &Story, until: Tick, why: &str) -> String {
    let event = |e: &Event| {
        let recorded = e.recorded.map_or(String::new(), |at| format!(" recorded {at}"));
        let sequence = e.sequence.map_or(String::new(), |n| format!(" sequence {n}"));
        let data = serde_json::Value::Object(e.data.clone());
        format!("  {:>3} {} {} {data} [{}]{recorded}{sequence}\n", e.at, e.subject, e.kind, e.id)
    };
    let events: String = story.events.iter().map(event).collect();
    format!("\n{why}events (in ticks of 1{}; until {until})\n{events}{}", run.unit.word, terms.yaml(run.unit))
}
