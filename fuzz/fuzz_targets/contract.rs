//! Arbitrary text as a contract, a mapper, a catalogue, a file of calendars and a calendar block: read or problems, never a panic;
//! and what loads can be compiled. Its warnings never panic, and its canonical form is its own. What a mapper that loads makes of its
//! own examples are events and differences.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|text: &str| {
    if let Ok(contract) = onus::contract::parse(text, "fuzz") {
        let book = onus_engine::book::Book::new(&[contract]);
        assert!(book.rules().len() < 1 << 16);
    }
    if let Ok(mapper) = onus::contract::mapper(text, "fuzz") {
        let _ = onus::ingest::adapt::tried(&mapper);
    }
    let _ = onus::contract::mapper_problems(text, "fuzz");
    let _ = onus::contract::lint(text, "fuzz", Default::default());
    if let Ok(once) = onus::contract::format(text, "fuzz") {
        assert_eq!(onus::contract::format(&once, "fuzz").ok(), Some(once));
    }
    if let Ok(catalogue) = onus::contract::catalogue_text(text, "fuzz") {
        let names = onus::catalogue::Names::of(&catalogue, &Default::default(), onus_engine::time::Moment::DAWN);
        let once = names.resolved(text.as_bytes()).into_owned();
        assert_eq!(names.resolved(&once), once);
    }
    let _ = onus::contract::calendars(text, "fuzz");
    let _ = onus::contract::calendar_block(text, "fuzz", &BTreeMap::new(), &BTreeMap::new(), None);
});
