//! Arbitrary Markdown as a clause file: cases or faults with lines of the file, never a panic; and what is rewritten is
//! read again and is then what Onus says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use onus::clauses::{self, Outcome};
use onus::contract::Library;
use onus_engine::engine::Options;
use std::sync::Arc;

fuzz_target!(|text: &str| {
    let (sheet, faults) = clauses::read(text, "fuzz.md");
    let lines = text.lines().count().max(1);
    assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{faults:?}");
    // Files that a case names are the disk's, not the fuzzer's.
    let inline = |case: &clauses::Case| case.clauses.iter().all(|c| matches!(c, clauses::Clause::Inline { .. }));
    let outcomes = clauses::judge(std::slice::from_ref(&sheet), &Options::default(), &Arc::default(), &Library::default(), &|_, case| inline(case));
    let mut differ = Vec::new();
    for outcome in outcomes.into_iter().flatten().flatten() {
        if let Outcome::Judged(mismatches) = outcome {
            assert!(mismatches.iter().all(|m| !m.defect), "{mismatches:?}");
            differ.extend(mismatches);
        }
    }
    let (again, _) = clauses::read(&clauses::rewritten(text, &differ), "fuzz.md");
    for outcome in clauses::judge(&[again], &Options::default(), &Arc::default(), &Library::default(), &|_, case| inline(case)).into_iter().flatten().flatten() {
        assert!(matches!(outcome, Outcome::Faulty(_)) || matches!(outcome, Outcome::Judged(m) if m.is_empty()));
    }
});
