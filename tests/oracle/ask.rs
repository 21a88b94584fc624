//! Asks the binary, and reads what it says.

use crate::dice::Run;
use crate::reference::{Answer, Duty, Said};
use crate::story::{Event, Story, Terms, Tick, Unit};
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

/// What one partner is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Page {
    /// By obligation and subject, without what was withdrawn.
    pub(crate) duties: BTreeMap<(String, String), Vec<Told>>,
    /// Where the tallies and the list of breaches tell another story than the duties.
    pub(crate) odds: Vec<String>,
}

/// By partner.
pub(crate) type Reply = BTreeMap<String, Page>;

pub(crate) fn ask(terms: &Terms, unit: Unit, lines: &[String], until: Tick) -> Reply {
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
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        panic!("no answer ({error}): {complaint}\n{}", terms.yaml(unit))
    });
    read(&answer, unit)
}

fn read(answer: &Value, unit: Unit) -> Reply {
    let mut reply = Reply::new();
    for duty in answer["duties"].as_array().into_iter().flatten() {
        let page = reply.entry(text(duty, "partner")).or_default();
        let told = page.duties.entry((text(duty, "obligation"), text(duty, "subject"))).or_default();
        told.extend(duty["earlier_cycles"].as_array().into_iter().flatten().map(|earlier| told_of(earlier, unit)));
        told.push(told_of(duty, unit));
        told.retain(|told| told.standing != "withdrawn");
        told.sort_by_key(|told| {
            (told.start, told.ended_at.unwrap_or(Tick::MAX), told.standing.clone(), told.breached_at, told.cycle)
        });
    }
    for page in reply.values_mut() {
        page.duties.retain(|_, told| !told.is_empty());
    }
    tallies(answer, &mut reply);
    breaches(answer, unit, &mut reply);
    reply
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn tallies(answer: &Value, reply: &mut Reply) {
    for tally in answer["obligations"].as_array().into_iter().flatten() {
        let id = text(tally, "obligation");
        let page = reply.entry(text(tally, "partner")).or_default();
        let duties = || page.duties.iter().filter(|((obligation, _), _)| *obligation == id).flat_map(|(_, told)| told);
        let standing = |names: &[&str]| duties().filter(|told| names.contains(&told.standing.as_str())).count();
        let counts = [
            ("met", standing(&["met"])),
            ("met_late", standing(&["met-late"])),
            ("breached", duties().filter(|told| told.breached_at.is_some()).count()),
            ("cancelled", standing(&["cancelled"])),
            ("exempt", standing(&["exempt"])),
            ("open", standing(&["open", "paused"])),
        ];
        for (key, count) in counts {
            if tally[key].as_u64() != Some(count as u64) {
                page.odds.push(format!("{id} of all: {} {key}, but {count} duties\n", tally[key]));
            }
        }
    }
}

fn breaches(answer: &Value, unit: Unit, reply: &mut Reply) {
    let tick = |value: &Value, key: &str| value[key].as_str().and_then(|text| unit.tick(text));
    let mut listed: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for breach in answer["breaches"].as_array().into_iter().flatten() {
        listed.entry(text(breach, "partner")).or_default().push((
            (text(breach, "obligation"), text(breach, "subject")),
            tick(breach, "started"),
            tick(breach, "breached_at"),
            tick(breach, "ended_at"),
        ));
    }
    for (partner, page) in reply {
        let mut follow: Vec<_> = page
            .duties
            .iter()
            .flat_map(|(key, told)| told.iter().map(move |told| (key, told)))
            .filter(|(_, told)| told.breached_at.is_some())
            .map(|(key, told)| (key.clone(), told.start, told.breached_at, told.ended_at))
            .collect();
        let mut listed = listed.remove(partner).unwrap_or_default();
        follow.sort();
        listed.sort();
        if let Some((listed, follow)) = listed.iter().zip(&follow).find(|(a, b)| a != b) {
            page.odds.push(format!("{} of {}: listed {listed:?}\n  its duty {follow:?}\n", listed.0.0, listed.0.1));
        } else if listed.len() != follow.len() {
            page.odds.push(format!("{} breaches listed, {} follow from the duties\n", listed.len(), follow.len()));
        }
    }
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
pub(crate) fn difference(wanted: &Answer, page: &Page) -> Option<String> {
    let told = &page.duties;
    for (key, duties) in wanted {
        let Ok(duties) = duties else { continue };
        // Two that start at one instant are told apart by their ends; their anchors have no other order here.
        let mut duties = duties.clone();
        duties.sort_by_key(|duty| match duty.ended_at {
            Said::Is(Some(at)) => (duty.start, at, duty.standing),
            Said::Is(None) | Said::Unsaid => (duty.start, Tick::MAX, duty.standing),
        });
        let none = Vec::new();
        let got = told.get(key).unwrap_or(&none);
        if duties.len() != got.len() || duties.iter().zip(got).any(|(duty, got)| !agree(duty, got)) {
            let wanted: String = duties.iter().map(|d| format!("  expected  {}\n", say(d))).collect();
            let got: String = got.iter().map(|t| format!("  got       {t:?}\n")).collect();
            return Some(format!("{} of {}\n{wanted}{got}", key.0, key.1));
        }
    }
    let extra = told.keys().find(|key| !wanted.contains_key(*key));
    extra.map(|key| format!("{} of {}: nothing is owed\n", key.0, key.1))
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
        && told.elapsed.is_some_and(|elapsed| duty.elapsed.contains(&elapsed))
}

fn say(duty: &Duty) -> String {
    let Duty { standing, start, deadline, breached_at, ended_at, elapsed, .. } = duty;
    format!(
        "{standing} start {start} deadline {deadline:?} breached {breached_at:?} ended {ended_at:?} elapsed {elapsed:?}"
    )
}

/// The events of all stories, with their partners, in an order that the seed decides.
pub(crate) fn arrivals(run: &Run, seed: u64) -> Vec<(usize, Event)> {
    let stories = run.stories.iter().enumerate();
    let mut events: Vec<(usize, Event)> =
        stories.flat_map(|(n, story)| story.events.iter().map(move |event| (n, event.clone()))).collect();
    shuffle(&mut events, seed);
    events
}

pub(crate) fn lines(arrivals: &[(usize, Event)], unit: Unit) -> Vec<String> {
    arrivals.iter().map(|(n, event)| event.json(&partner(*n), unit)).collect()
}

pub(crate) fn partner(n: usize) -> String {
    format!("p{n:04}")
}

/// The binary on one story alone, as the sole partner of a file, in the order of its events.
pub(crate) fn alone(terms: &Terms, unit: Unit, story: &Story, until: Tick) -> Page {
    let lines: Vec<String> = story.events.iter().map(|event| event.json(&partner(0), unit)).collect();
    ask(terms, unit, &lines, until).remove(&partner(0)).unwrap_or_default()
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
