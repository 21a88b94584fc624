//! Arbitrary lines are decoded and judged: nothing panics, and every line is an event, idle, held aside or a dead letter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus::decode::{Batch, Decoder};
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

fuzz_target!(|bytes: &[u8]| {
    let decoder = Decoder::new(Arc::clone(&BOOK), Moment(4_000_000_000_000));
    let mut batch = Batch::default();
    decoder.lines(bytes, 1, &mut batch);
    let mut engine = Engine::new(Arc::clone(&BOOK), Options::default());
    let Batch { events, facts, names, .. } = &mut batch;
    let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
    for event in events.iter() {
        engine.advance(event.peak, event.peak, &mut NoArchive);
        let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
        let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
        engine.apply(Incoming { partner, subject, source, fact }, &mut NoArchive);
    }
    let restored = Engine::restore(Arc::clone(&BOOK), Options::default(), &engine.snapshot());
    assert_eq!(restored.map(|e| e.dump()), Ok(engine.dump()));
});
