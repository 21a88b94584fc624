//! Arbitrary bytes go through each adapter and each mapper that ships: nothing panics, each record is answered, an error alone leaves the state as it was,
//! what is told is an event that the decoder takes, and the same again from the same state is the same. Secrets are taken out of each
//! line: JSON stays JSON, twice is once, and the line without them says what the line with them says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus::decode::{Batch, Decoder};
use onus::ingest::adapt::{Adapter, Record, Settings, State, redact_bytes};
use onus_engine::book::Book;
use onus_engine::time::Moment;
use std::sync::{Arc, LazyLock};

const MAPPERS: &[&str] = &[
    include_str!("../../config/mappers/evidence-log.yaml"),
    include_str!("../../config/mappers/grc-exceptions.yaml"),
    include_str!("../../config/mappers/servicenow-access-review.yaml"),
];

static ADAPTERS: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    let settings = Settings::parse(include_str!("../../tests/samples/adapters.config.json")).expect("the tables load");
    let mapped = MAPPERS.iter().map(|text| {
        let mapper = onus::contract::mapper(text, "shipped").expect("it loads");
        Adapter::mapped(&mapper, &format!("urn:onus:{}", mapper.name))
    });
    Adapter::names().filter_map(|name| Adapter::new(name, &settings)).chain(mapped).collect()
});

/// ServiceNow under tables of which the audit log tells what changed.
static AUDITED: LazyLock<Adapter> = LazyLock::new(|| {
    let tables = include_str!("../../tests/samples/adapters.config.json");
    let tables = tables.replacen("\"system_users\"", "\"audited\": [\"incident\", \"change_request\"], \"system_users\"", 1);
    let settings = Settings::parse(&tables).expect("the tables load");
    Adapter::new("servicenow", &settings).expect("an adapter")
});

static BOOK: LazyLock<Arc<Book>> = LazyLock::new(|| {
    let contract = onus::contract::parse(include_str!("../../examples/w1/w1.yaml"), "w1");
    Arc::new(Book::new(&[contract.expect("the example contract loads")]))
});

fuzz_target!(|bytes: &[u8]| {
    // The first byte says which adapter and whether it is known when the record came; then records, a line each.
    let Some((first, rest)) = bytes.split_first() else { return };
    let adapter = match usize::from(first & 0x3f) % ADAPTERS.len() {
        0 if first & 0x40 != 0 => &AUDITED,
        n => &ADAPTERS[n],
    };
    let recorded = (first & 0x80 != 0).then_some(Moment(1_772_961_424_000));
    let decoder = Decoder::new(Arc::clone(&BOOK), Moment(4_200_000_000_000));
    let mut state = State::default();
    for line in rest.split(|byte| *byte == b'\n') {
        let before = state.to_bytes();
        let record = Record { value: Some(line), recorded, topic: Some("itsm.servicenow.incident"), place: None };
        let answer = adapter.read(&mut state, &record);
        let after = state.to_bytes();
        assert!(!(answer.events.is_empty() && answer.skips.is_empty() && answer.errors.is_empty()));
        if answer.events.is_empty() && answer.skips.is_empty() {
            assert_eq!(before, after);
        }
        for event in &answer.events {
            let mut text = String::new();
            event.write(&mut text);
            assert!(decoder.record(&text, &mut Batch::default()).is_ok(), "{text}");
        }
        let clean = redact_bytes(line);
        assert_eq!(redact_bytes(&clean), clean);
        if serde_json::from_slice::<serde_json::Value>(line).is_ok() {
            assert!(serde_json::from_slice::<serde_json::Value>(&clean).is_ok());
        }
        let mut letter = State::from_bytes(&before).expect("what was written is read");
        let replayed = adapter.read(&mut letter, &Record { value: Some(&clean), ..record });
        assert!(line.len() > onus::ingest::adapt::LONGEST || clean.len() > onus::ingest::adapt::LONGEST || replayed == answer);
        let mut again = State::from_bytes(&before).expect("what was written is read");
        assert_eq!(adapter.read(&mut again, &record), answer);
        assert_eq!(again.to_bytes(), after);
    }
});
