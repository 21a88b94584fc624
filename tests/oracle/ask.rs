//! Asks the binary, and reads what it says.

use crate::dice::Run;
use crate::reference::{Answer, Duty, Said};
use crate::story::{Story, Terms, Tick, Unit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// A duty as the binary lists it; None where it is null.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) struct Told {
    pub(crate) cycle: i64,
    pub(crate) standing: String,
    pub(crate) start: Option<Tick>,
    pub(crate) deadline: Option<Tick>,
    pub(crate) breached_at: Option<Tick>,
    pub(crate) ended_at: Option<Tick>,
    pub(crate) elapsed: Option<Tick>,
}

/// By partner, then obligation and subject.
pub(crate) type Reply = BTreeMap<String, BTreeMap<(String, String), Vec<Told>>>;

/// The reply, and the whole answer without what depends on the order of arrival.
pub(crate) fn ask(terms: &Terms, unit: Unit, lines: &[String], until: Tick) -> (Reply, Value) {
    let dir = tempfile::tempdir().unwrap();
    let (contract, events) = (dir.path().join("oracle.yaml"), dir.path().join("events.jsonl"));
    fs::write(&contract, terms.yaml(unit)).unwrap();
    fs::write(&events, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onus"))
        .args(["check", "--contracts"])
        .arg(&contract)
        .arg(&events)
        .args(["--until", &unit.rfc(until), "--format", "json", "--duties"])
        .output()
        .unwrap();
    let mut answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        panic!("no answer ({error}): {complaint}\n{}", terms.yaml(unit))
    });
    for duty in answer["duties"].as_array_mut().into_iter().flatten() {
        duty.as_object_mut().map(|duty| duty.remove("retracted"));
    }
    if let Some(duties) = answer["duties"].as_array_mut() {
        duties.retain(|duty| duty["standing"] != "withdrawn");
    }
    (read(&answer, unit), answer)
}

fn read(answer: &Value, unit: Unit) -> Reply {
    let mut reply = Reply::new();
    for duty in answer["duties"].as_array().into_iter().flatten() {
        let text = |key: &str| duty[key].as_str().unwrap_or_default().to_owned();
        let told = reply.entry(text("partner")).or_default().entry((text("obligation"), text("subject"))).or_default();
        told.extend(duty["earlier_cycles"].as_array().into_iter().flatten().map(|earlier| told_of(earlier, unit)));
        told.push(told_of(duty, unit));
        told.sort_by_key(|told| (told.start, told.cycle));
    }
    reply
}

fn told_of(duty: &Value, unit: Unit) -> Told {
    let tick = |key: &str| duty[key].as_str().and_then(|text| unit.tick(text));
    Told {
        cycle: duty["cycle"].as_i64().unwrap_or_default(),
        standing: duty["standing"].as_str().unwrap_or_default().to_owned(),
        start: tick("start"),
        deadline: tick("deadline"),
        breached_at: tick("breached_at"),
        ended_at: tick("ended_at"),
        elapsed: duty["elapsed_seconds"].as_f64().map(|s| s as i64 / unit.seconds),
    }
}

/// What differs, in words; None: nothing.
pub(crate) fn difference(wanted: &Answer, told: &BTreeMap<(String, String), Vec<Told>>) -> Option<String> {
    for (key, duties) in wanted {
        let Ok(duties) = duties else { continue };
        let none = Vec::new();
        let got = told.get(key).unwrap_or(&none);
        if duties.len() != got.len() || duties.iter().zip(got).any(|(duty, got)| !agree(duty, got)) {
            let wanted: String = duties.iter().map(|d| format!("  expected  {}\n", say(d))).collect();
            let got: String = got.iter().map(|t| format!("  got       {t:?}\n")).collect();
            return Some(format!("{} of {}\n{wanted}{got}", key.0, key.1));
        }
    }
    told.keys().find(|key| !wanted.contains_key(*key)).map(|key| format!("{} of {}: nothing is owed", key.0, key.1))
}

fn agree(duty: &Duty, told: &Told) -> bool {
    let same = |said: Said<Option<Tick>>, told: Option<Tick>| match said {
        Said::Is(at) => at == told,
        Said::Unsaid => true,
    };
    duty.standing == told.standing
        && Some(duty.start) == told.start
        && same(duty.deadline, told.deadline)
        && duty.breached_at == told.breached_at
        && same(duty.ended_at, told.ended_at)
        && Some(duty.elapsed) == told.elapsed
}

fn say(duty: &Duty) -> String {
    let Duty { standing, start, deadline, breached_at, ended_at, elapsed, .. } = duty;
    format!(
        "{standing} start {start} deadline {deadline:?} breached {breached_at:?} ended {ended_at:?} elapsed {elapsed}"
    )
}

/// The lines of a run, in an order that the seed decides.
pub(crate) fn lines(run: &Run, seed: u64) -> Vec<String> {
    let mut lines: Vec<String> = run
        .stories
        .iter()
        .enumerate()
        .flat_map(|(n, story)| story.events.iter().map(move |event| event.json(&partner(n), run.unit)))
        .collect();
    shuffle(&mut lines, seed);
    lines
}

pub(crate) fn partner(n: usize) -> String {
    format!("p{n:04}")
}

/// The binary on one story alone, as the sole partner of a file.
pub(crate) fn alone(terms: &Terms, unit: Unit, story: &Story, until: Tick) -> BTreeMap<(String, String), Vec<Told>> {
    let lines: Vec<String> = story.events.iter().map(|event| event.json("p0000", unit)).collect();
    ask(terms, unit, &lines, until).0.remove("p0000").unwrap_or_default()
}

/// Fisher and Yates, with xorshift.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for n in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(n, (state % (n as u64 + 1)) as usize);
    }
}
