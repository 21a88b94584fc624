//! Clause files as they should not be: whatever the Markdown, it is read or refused with a line, and never a panic.

use onus::clauses::{self, Case, Clause, Outcome};
use onus::contract::Library;
use onus_engine::engine::Options;
use proptest::prelude::*;
use std::sync::Arc;

const WHOLE: &str = include_str!("clauses/pauses.md");

fn inline(case: &Case) -> bool {
    case.clauses.iter().all(|clause| matches!(clause, Clause::Inline { .. }))
}

/// Reads, judges, rewrites, and reads again.
fn survives(text: &str) -> Result<(), TestCaseError> {
    let (sheet, faults) = clauses::read(text, "any.md");
    let lines = text.lines().count().max(1);
    prop_assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)), "{faults:?}");
    let outcomes =
        clauses::judge(&[sheet], &Options::default(), &Arc::default(), &Library::default(), &|_, case| inline(case));
    let mut differ = Vec::new();
    for outcome in outcomes.into_iter().flatten().flatten() {
        if let Outcome::Judged(mismatches) = outcome {
            prop_assert!(mismatches.iter().all(|m| !m.defect), "{mismatches:?}");
            differ.extend(mismatches);
        }
    }
    let (again, _) = clauses::read(&clauses::rewritten(text, &differ), "any.md");
    for outcome in
        clauses::judge(&[again], &Options::default(), &Arc::default(), &Library::default(), &|_, case| inline(case))
            .into_iter()
            .flatten()
            .flatten()
    {
        let agrees = match &outcome {
            Outcome::Judged(mismatches) => mismatches.is_empty(),
            Outcome::Faulty(_) => true,
        };
        prop_assert!(agrees, "{outcome:?}");
    }
    Ok(())
}

/// Two cases of the real files, somewhere in them.
fn some_cases() -> impl Strategy<Value = String> {
    let starts: Vec<usize> = WHOLE.match_indices("\n## ").map(|(at, _)| at + 1).collect();
    (0..starts.len() - 2).prop_map(move |at| WHOLE[starts[at]..starts[at + 2]].to_owned())
}

#[derive(Clone, Debug)]
struct Edit {
    at: prop::sample::Index,
    remove: usize,
    put: String,
}

fn edit() -> impl Strategy<Value = Edit> {
    let put = prop_oneof![
        Just("|"),
        Just("; "),
        Just("\n"),
        Just("```"),
        Just("<!--"),
        Just("\\|"),
        Just("\u{feff}"),
        Just("\r"),
        Just("## "),
        Just("\""),
        Just("["),
        Just("99999999999999999999"),
        Just("Times are "),
        Just("contract: "),
        Just("due "),
        Just("é"),
        Just("2026"),
        Just("Z"),
        Just("-"),
        Just("?"),
        Just(" at "),
        Just("\0"),
    ];
    (any::<prop::sample::Index>(), 0usize..12, put.prop_map(str::to_owned)).prop_map(|(at, remove, put)| Edit {
        at,
        remove,
        put,
    })
}

fn edited(mut text: String, edits: &[Edit]) -> String {
    for Edit { at, remove, put } in edits {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let from = at.index(boundaries.len());
        let to = (from + remove).min(boundaries.len() - 1);
        text.replace_range(boundaries[from]..boundaries[to], put);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_case_is_judged_or_says_why(text in some_cases(), edits in prop::collection::vec(edit(), 1..6)) {
        survives(&edited(text, &edits))?;
    }

    #[test]
    fn any_markdown_is_read_or_refused(text in "(\\PC|\n|\\||`){0,300}") {
        survives(&text)?;
    }

    #[test]
    fn any_lines_are_read_or_refused(lines in prop::collection::vec(prop_oneof![
        Just("## A"), Just("Times are UTC; the day is Monday 2 March 2026."), Just("| when | what happened | what Onus says |"),
        Just("|---|---|---|"), Just("| 09:00 | INC1 opened P1 | - |"), Just("|||"), Just("| 09:00 | nothing |"),
        Just("```yaml"), Just("```"), Just("contract: x.yaml"), Just("<!-- open: a"), Just("-->"), Just("| a | b |"),
        Just("| 24:00 | x | y |"), Just("|"), Just("~~~~"), Just("| 10:00 | INC1 x=[1 | resolve: met |"),
    ], 0..25)) {
        survives(&lines.join("\n"))?;
    }
}
