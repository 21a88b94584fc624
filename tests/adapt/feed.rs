//! A feed: one adapter under the samples' tables, and what it has read.

use onus::decode::{Batch, Decoder};
use onus::ingest::adapt::{Adapter, Answer, Event, Record, Settings, State};
use onus_engine::book::Book;
use onus_engine::time::Moment;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

pub(crate) const HERE: &str = env!("CARGO_MANIFEST_DIR");

pub(crate) struct Feed {
    pub(crate) adapter: Adapter,
    pub(crate) state: State,
}

pub(crate) fn tables() -> String {
    std::fs::read_to_string(format!("{HERE}/tests/samples/adapters.config.json")).expect("the samples' tables")
}

pub(crate) fn samples(name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{HERE}/tests/samples/{name}.jsonl")).expect("samples");
    text.lines().map(|line| serde_json::from_str(line).expect("a sample")).collect()
}

impl Feed {
    pub(crate) fn new(name: &str) -> Feed {
        Feed::under(name, &tables())
    }

    /// Under other tables.
    pub(crate) fn under(name: &str, tables: &str) -> Feed {
        let settings = Settings::parse(tables).expect("tables");
        Feed { adapter: Adapter::new(name, &settings).expect("an adapter"), state: State::default() }
    }

    /// Under the samples' tables with one more or another value.
    pub(crate) fn with(name: &str, path: &str, value: Value) -> Feed {
        let mut all: Value = serde_json::from_str(&tables()).expect("tables");
        let (parent, key) = path.rsplit_once('/').expect("a path");
        all.pointer_mut(parent).expect("what it is in")[key] = value;
        Feed::under(name, &all.to_string())
    }

    /// One sample: its value, with its topic and time.
    pub(crate) fn read(&mut self, sample: &Value) -> Answer {
        let bytes = match &sample["value"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone().into_bytes()),
            value => Some(value.to_string().into_bytes()),
        };
        let recorded = sample["headers"]["kafka_timestamp"].as_str().and_then(Moment::parse);
        let topic = sample["topic"].as_str();
        self.adapter.read(&mut self.state, &Record { value: bytes.as_deref(), recorded, topic, place: None })
    }

    /// A value by itself.
    pub(crate) fn value(&mut self, value: &Value) -> Answer {
        self.text(&value.to_string())
    }

    pub(crate) fn text(&mut self, text: &str) -> Answer {
        self.adapter.read(&mut self.state, &Record { value: Some(text.as_bytes()), ..Record::default() })
    }
}

/// The types of its events, which are a vendor's adapter's own words.
pub(crate) fn told(answer: &Answer) -> Vec<&'static str> {
    let word = |event: &Event| match event.kind {
        Cow::Borrowed(word) => word,
        Cow::Owned(_) => panic!("only a mapper makes words"),
    };
    answer.events.iter().map(word).collect()
}

/// Its first error, else its first skip, else nothing.
pub(crate) fn code(answer: &Answer) -> &'static str {
    let error = answer.errors.first().map(|(code, _)| code.word());
    error.or_else(|| answer.skips.first().map(|(code, _)| code.word())).unwrap_or("")
}

/// What its first event says in a field.
pub(crate) fn says(answer: &Answer, field: &str) -> Value {
    let mut line = String::new();
    answer.events.first().expect("an event").write(&mut line);
    let event: Value = serde_json::from_str(&line).expect("JSON");
    if event[field].is_null() { event["data"][field].clone() } else { event[field].clone() }
}

/// A line as the decoder of canonical events takes it.
pub(crate) fn decoded(line: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(format!("{HERE}/examples/w1/w1.yaml")).expect("a contract");
    let contract = onus::contract::parse(&text, "w1").expect("the contract loads");
    let decoder = Decoder::new(Arc::new(Book::new(&[contract])), Moment(4_000_000_000_000));
    let mut batch = Batch::default();
    decoder.record(line, &mut batch).map_err(|error| error.to_string())
}
