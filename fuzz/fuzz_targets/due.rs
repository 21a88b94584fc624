//! Arbitrary text as a question of working time: an answer or an error, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

fuzz_target!(|text: &str| {
    let inline = |block: &serde_json::Value| {
        onus::contract::calendar_block(&block.to_string(), "fuzz", &BTreeMap::new(), &BTreeMap::new(), None)
            .map_err(|_| "no calendar".to_owned())
    };
    let answer = onus::cli::due::answer_line(text, &[], &inline);
    assert!(answer.get("result").is_some() != answer.get("error").is_some());
});
