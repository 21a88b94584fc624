//! Arbitrary lines are decoded and judged: nothing panics, every line is an event, idle, held aside or a dead letter, and
//! says the same whether lines like it are known or not. And arbitrary records are unwrapped: nothing panics, what comes out is
//! no longer than a record may be, and what was written by a schema is JSON; and arbitrary schemas are read by. And what lies in an
//! exchange has a place for each event, or is nobody's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus::catalogue::{Catalogue, Identity, Names};
use onus::decode::{Batch, DeadLetter, DecodeError, Decoder};
use onus::exchange::carried::{self, Bundle, Carried};
use onus::ingest::wire::{Format, Found, LONGEST, Registry, Wire, kept};
use onus::web::{Login, Target};
use onus_engine::book::Book;
use onus_engine::engine::{Engine, Incoming, NoArchive, Options};
use onus_engine::time::Moment;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static BOOK: LazyLock<Arc<Book>> = LazyLock::new(|| {
    let text = include_str!("../../examples/demo/contracts/halden-pam.yaml");
    let w1 = include_str!("../../examples/w1/w1.yaml");
    let contracts = [onus::contract::parse(text, "halden"), onus::contract::parse(w1, "w1")];
    Arc::new(Book::new(&contracts.map(|c| c.expect("the example contracts load"))))
});

/// Names that the seeds use, one of each kind of text.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let names = ["INC1", "svc-a", "T\"1\\\u{e9}"].map(str::to_owned).to_vec();
    let (partner, owner) = (Some("p1".to_owned()), Some("who \"else\"".to_owned()));
    Catalogue::new(vec![Identity { id: "one".to_owned(), privileged: Some(true), partner, owner, names, ..Identity::default() }])
});

/// Three schemas, and a registry that is never asked.
static WIRE: LazyLock<Wire> = LazyLock::new(|| {
    let registry = Registry::new(TARGET.clone());
    let avro = r#"{"type":"record","name":"A","fields":[{"name":"n","type":["null","A",{"type":"map","values":"double"}]},
        {"name":"l","type":{"type":"array","items":["null","string",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}]}},
        {"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"d","type":{"type":"int","logicalType":"date"}},
        {"name":"f","type":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["x","y"]}}]}"#;
    let proto = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
        import "google/protobuf/any.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/field_mask.proto";
        message A { map<string, A> m = 1; repeated sint64 n = 2; google.protobuf.Timestamp t = 3; google.protobuf.Value v = 4;
        bytes b = 5; E e = 6; google.protobuf.Any a = 7; google.protobuf.Duration d = 8; google.protobuf.FieldMask f = 9; float x = 10; }
        enum E { X = 0; }"#;
    for (id, kind, text) in [(1, "AVRO", avro), (2, "PROTOBUF", proto), (3, "JSON", "{}")] {
        registry.know(id, kind, text).expect("the schemas can be used");
    }
    Wire::new(Format::Auto, Some(Arc::new(registry)))
});

/// Takes off what a record is wrapped in; `written`: by a schema, so that it is JSON then.
fn unwrapped(value: &[u8], headers: &[(&str, &[u8])], written: bool) {
    let lines = match WIRE.read(Some(value), headers) {
        Found::One(line) => vec![line],
        Found::Many(lines) => lines,
        Found::Skip(_) | Found::Waits(_) => return,
        Found::Wrong(fault) => {
            assert!(fault.why.len() < 4_096, "{}", fault.why);
            WIRE.again(&kept(value, headers));
            return;
        }
    };
    for line in lines {
        assert!(line.len() <= 2 * LONGEST + value.len());
        if written {
            serde_json::from_slice::<serde_json::Value>(&line).expect("what was written by a schema is JSON");
        }
    }
}

/// Schemas come from a registry, and who may write to a topic may often register one: none of them is a panic, nor is what is read
/// by it. The text ends with a zero byte; what was written by it follows.
fn schemas(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let Ok(text) = std::str::from_utf8(&bytes[..end]) else { return };
    let value = bytes.get(end + 1..).unwrap_or_default();
    let kinds: &[&str] = if text.trim_start().starts_with(['{', '[', '"']) { &["AVRO", "JSON"] } else { &["PROTOBUF"] };
    for kind in kinds {
        let registry = Registry::new(TARGET.clone());
        if registry.know(7, kind, text).is_err() {
            continue;
        }
        let wire = Wire::new(Format::Confluent, Some(Arc::new(registry)));
        let framed = [&[0, 0, 0, 0, 7], value].concat();
        if let Found::One(line) = wire.read(Some(&framed), &[])
            && *kind != "JSON"
        {
            serde_json::from_slice::<serde_json::Value>(&line).expect("what was written by a schema is JSON");
        }
    }
}

/// A record of an exchange; what is read of it is written so that the same is read.
fn exchanged(bytes: &[u8]) {
    let events = match carried::read(bytes) {
        Some(Carried::Events(events)) => events,
        Some(Carried::Regenerated(marks)) => {
            let header = carried::regenerated(&marks).expect("it is of some");
            let mut again = Vec::new();
            carried::lay(Some(&header), b"{}", &mut again);
            let Some(Carried::Regenerated(again)) = carried::read(&again) else { panic!("it is read") };
            return assert_eq!(again, marks);
        }
        Some(Carried::Tick(_) | Carried::Later) | None => return,
    };
    let mut bundle = Bundle::default();
    let mut lines = events.lines();
    for run in &events.runs {
        let reading = Arc::new(run.reading.clone());
        for place in &run.places {
            bundle.put(&reading, *place, lines.next().expect("a line for each place"));
        }
    }
    assert_eq!(lines.next(), None);
    let (header, value) = bundle.record().expect("events");
    let mut again = Vec::new();
    carried::lay(Some(&header), &value, &mut again);
    let Some(Carried::Events(again)) = carried::read(&again) else { panic!("it is read") };
    let places = |events: &carried::Events<'_>| {
        events.runs.iter().flat_map(|run| run.places.iter().map(|place| (run.reading.clone(), *place))).collect::<Vec<_>>()
    };
    assert_eq!(places(&again), places(&events));
    assert!(again.lines().eq(events.lines()));
}

/// A registry that is never asked.
static TARGET: LazyLock<Target> = LazyLock::new(|| Target {
    url: "http://127.0.0.1:1".to_owned(),
    ca: None,
    own: None,
    login: Login::Nobody,
    timeout: Duration::ZERO,
});

fuzz_target!(|bytes: &[u8]| {
    schemas(bytes);
    exchanged(bytes);
    unwrapped(bytes, &[], false);
    unwrapped(bytes, &[("ce_specversion", b"1.0"), ("ce_id", b"1")], false);
    for id in [1, 2, 3] {
        // What Avro or Protobuf writes may be a change of a row: then it is passed over, or its row is read.
        unwrapped(&[&[0, 0, 0, 0, id], bytes].concat(), &[], id != 3);
    }
    catalogued(bytes);
    let mut decoder = Decoder::new(Arc::clone(&BOOK), Moment(4_000_000_000_000));
    let by_the_parser = parsed(&decoder, bytes);
    let mut batch = Batch::default();
    // Twice: the second time what can be known is known.
    for _ in 0..2 {
        batch.clear();
        decoder.lines(bytes, 1, &mut batch);
        assert_eq!(format!("{batch:?}"), format!("{by_the_parser:?}"));
    }
    let mut engine = Engine::new(Arc::clone(&BOOK), Options::default());
    let Batch { events, facts, names, .. } = &mut batch;
    let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
    for event in events.iter() {
        engine.advance(event.peak, event.peak, &mut NoArchive);
        let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
        let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
        engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut NoArchive);
    }
    let restored = Engine::restore(Arc::clone(&BOOK), Options::default(), &engine.snapshot());
    assert_eq!(restored.map(|e| e.dump()), Ok(engine.dump()));
});

/// With a catalogue there are as many lines, done once they are done, and what was an event is one.
fn catalogued(bytes: &[u8]) {
    let names = Names::of(&CATALOGUE, &Names::default(), Moment::DAWN);
    let new = names.resolved(bytes).into_owned();
    assert_eq!(names.resolved(&new), new);
    let lines = |bytes: &[u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (lines(bytes), lines(&new));
    assert_eq!(old.len(), new.len());
    for (old, new) in old.iter().zip(&new) {
        let reads = |line: &[u8]| serde_json::from_slice::<&serde_json::value::RawValue>(line).is_ok();
        assert_eq!(reads(old), reads(new));
        if let Some(pinned) = std::str::from_utf8(new).ok().and_then(|line| CATALOGUE.pin(line).line) {
            assert!(reads(pinned.as_bytes()) && CATALOGUE.pin(&pinned).line.is_none());
        }
    }
}

/// Each line by itself.
fn parsed(decoder: &Decoder, bytes: &[u8]) -> Batch {
    let mut batch = Batch::default();
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|b| *b == b'\n');
    for line in lines.filter(|_| !bytes.is_empty()) {
        let read = std::str::from_utf8(line).map_err(|e| DecodeError::Utf8 { byte: e.valid_up_to() + 1 });
        if let Err(error) = read.and_then(|line| decoder.record(line, &mut batch)) {
            batch.letters.push(DeadLetter::new(batch.lines + 1, line, error));
        }
        batch.lines += 1;
    }
    batch
}
