//! A mapper's own examples, tried: each from nothing, record by record.

use crate::ingest::adapt::{Adapter, Answer, Error, Event, Record, Skip, State};
use crate::mapper::{Mapper, Outcome, Sample, Want};
use serde_json::Value;

/// A record of an example that becomes something else than the example says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which example.
    pub example: String,
    /// Which of its records, from 1.
    pub record: usize,
    /// The line of the mapper that the record begins on.
    pub line: u32,
    /// What is otherwise, a line each.
    pub what: Vec<String>,
}

/// Reads a mapper's examples, and says what differs; with how many records were read.
pub fn tried(mapper: &Mapper) -> (usize, Vec<Difference>) {
    let adapter = Adapter::mapped(mapper, &format!("urn:onus:{}", mapper.name));
    let (mut count, mut differences) = (0, Vec::new());
    for example in &mapper.examples {
        let mut state = State::default();
        for (n, sample) in example.records.iter().enumerate() {
            count += 1;
            let record = Record {
                value: sample.value.as_ref().map(|text| text.as_bytes()),
                recorded: sample.received,
                topic: sample.topic.as_deref(),
                place: None,
            };
            let what = compared(sample, &adapter.read(&mut state, &record));
            if !what.is_empty() {
                let example = example.name.clone();
                differences.push(Difference { example, record: n + 1, line: sample.line, what });
            }
        }
    }
    (count, differences)
}

fn compared(sample: &Sample, answer: &Answer) -> Vec<String> {
    let Outcome::Tells(wants) = &sample.outcome else {
        let wanted = match &sample.outcome {
            Outcome::Skips(code) => format!("skips {code}"),
            Outcome::Fails(code) => format!("fails {code}"),
            Outcome::Tells(_) => String::new(),
        };
        let came = outcome(answer);
        let same = came.split_once(": ").map_or(came.as_str(), |(code, _)| code) == wanted;
        if same {
            return Vec::new();
        }
        let mut out = vec![format!("wanted: {wanted}"), format!("came:   {came}")];
        out.extend(unknown(&sample.outcome));
        return out;
    };
    let kinds = |kinds: Vec<&str>| if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") };
    let wanted = kinds(wants.iter().filter_map(|want| want.says[0].1.as_str()).collect());
    let came = kinds(answer.events.iter().map(|event| event.kind.as_ref()).collect());
    if answer.events.is_empty() || !answer.errors.is_empty() {
        return vec![format!("wanted: tells {wanted}"), format!("came:   {}", outcome(answer))];
    }
    if wanted != came {
        return vec![format!("wanted: tells {wanted}"), format!("came:   tells {came}")];
    }
    wants.iter().zip(&answer.events).flat_map(|(want, event)| unlike(want, event)).collect()
}

/// What became of a record, in a line.
fn outcome(answer: &Answer) -> String {
    match (answer.errors.first(), answer.skips.first()) {
        (Some((code, why)), _) => format!("fails {code}: {why}"),
        (None, _) if !answer.events.is_empty() => {
            let kinds: Vec<&str> = answer.events.iter().map(|event| event.kind.as_ref()).collect();
            format!("tells {}", kinds.join(", "))
        }
        (None, Some((code, why))) => format!("skips {code}: {why}"),
        (None, None) => "tells nothing".to_owned(),
    }
}

/// A code that no record could ever have.
fn unknown(outcome: &Outcome) -> Option<String> {
    let (code, mut known) = match outcome {
        Outcome::Skips(code) => (code, Skip::ALL.iter().map(|code| code.word()).collect::<Vec<_>>()),
        Outcome::Fails(code) => (code, Error::ALL.iter().map(|code| code.word()).collect::<Vec<_>>()),
        Outcome::Tells(_) => return None,
    };
    if known.contains(&code.as_str()) {
        return None;
    }
    known.sort_unstable();
    Some(format!("there is no such code; there are {}", known.join(", ")))
}

/// Where an event says otherwise.
fn unlike(want: &Want, event: &Event) -> Vec<String> {
    let mut line = String::new();
    event.write(&mut line);
    let told: Value = serde_json::from_str(&line).unwrap_or_default();
    let attributes = want.says.iter().map(|(name, value)| (name.clone(), value, &told[name.as_str()]));
    let data = want.data.iter().map(|(name, value)| (format!("data.{name}"), value, &told["data"][name.as_str()]));
    attributes
        .chain(data)
        .filter(|(_, wanted, came)| wanted != came)
        .flat_map(|(name, wanted, came)| {
            [format!("wanted: {}, {name} {wanted}", event.kind), format!("came:   {}, {name} {came}", event.kind)]
        })
        .collect()
}
