//! Arbitrary lines are decoded and judged: nothing panics, every line is an event, idle, held aside or a dead letter, and
//! says the same whether lines like it are known or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus::catalogue::{Catalogue, Identity, Names};
use onus::decode::{Batch, DeadLetter, DecodeError, Decoder};
use onus_engine::book::Book;
use onus_engine::engine::{Engine, Incoming, NoArchive, Options};
use onus_engine::time::Moment;
use std::sync::{Arc, LazyLock};

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

fuzz_target!(|bytes: &[u8]| {
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
    let names = Names::of(&CATALOGUE, &Names::default());
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
