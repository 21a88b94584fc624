//! What holds of every mapper: those that ship, their examples, replay, errors without a trace.

use super::feed::{HERE, decoded};
use super::mapper::{Feed, LOG, ROWS, entry, merged, read, row};
use onus::contract::{Library, load, mapper_problems, survey};
use onus::ingest::adapt::{Adapter, State, tried};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

#[test]
fn a_stamp_is_of_what_is_told_and_not_of_remarks() {
    let stamp = |text: &str| Adapter::mapped(&read(text), "urn:x").stamp();
    let remarks = format!(
        "# why\n{}says: what it is\nexamples: [{{name: a, records: [{{value: null, skips: tombstone}}]}}]\n",
        LOG.trim_start()
    );
    assert_eq!(stamp(LOG), stamp(&remarks));
    // `onus fmt` puts keys in order.
    assert_eq!(stamp(LOG), stamp(&onus::contract::format(LOG, "log").expect("a form")));
    assert_ne!(stamp(LOG), stamp(&LOG.replace("B2: berth-iam", "B2: halden-pam")));
}

fn shipped() -> Vec<(String, String)> {
    let folder = format!("{HERE}/config/mappers");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("config/mappers")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    all.sort();
    all
}

#[test]
fn each_mapper_that_ships_has_nothing_wrong_with_it_and_its_examples_hold() {
    let all = shipped();
    assert!(all.len() >= 3, "only {} mappers", all.len());
    for (name, text) in all {
        let problems = mapper_problems(&text, &name);
        assert!(problems.is_empty(), "{}", problems[0]);
        let (count, differences) = tried(&read(&text));
        assert!(count >= 5 && differences.is_empty(), "{name}: {count} records, {differences:?}");
    }
}

#[test]
fn a_mapper_among_contracts_is_linted_and_judges_nobody() {
    let library = Library::default();
    let paths = [format!("{HERE}/config/mappers"), format!("{HERE}/examples/w1/w1.yaml")].map(PathBuf::from);
    assert_eq!(load(&paths, &library).expect("they load").len(), 1);
    let none = load(&paths[..1], &library).expect_err("no contract");
    assert_eq!(none[0].code.as_str(), "E502");
    let broken = PathBuf::from(format!("{HERE}/tests/contracts/broken/mapper-of-nothing.yaml"));
    assert!(load(&[broken.clone(), paths[1].clone()], &library).is_ok());
    let today = chrono::NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date");
    let found = survey(&[broken], &library, today);
    assert_eq!((found.problems.len(), found.contracts.len(), found.files), (2, 0, 1));
}

#[test]
fn an_example_that_does_not_hold_says_what_came() {
    let text = format!(
        "{}examples:\n  - name: wrong\n    records:\n      - {{value: {}, tells: {{type: evidence.submitted, partner: berth-iam, data: {{note: x, reason: null}}}}}}\n      - {{value: null, skips: tombston}}\n      - {{value: 4, tells: evidence.submitted}}\n",
        LOG.trim_start(),
        entry(json!({}))
    );
    let (count, differences) = tried(&read(&text));
    assert_eq!((count, differences.len()), (3, 3));
    let what = differences[0].what.join("\n");
    assert_eq!(
        what,
        "wanted: evidence.submitted, partner \"berth-iam\"\ncame:   evidence.submitted, partner \"halden-pam\"\nwanted: evidence.submitted, data.note \"x\"\ncame:   evidence.submitted, data.note null"
    );
    assert!(
        differences[1].what[0] == "wanted: skips tombston"
            && differences[1].what[2].starts_with("there is no such code")
    );
    assert_eq!(
        differences[2].what,
        ["wanted: tells evidence.submitted", "came:   fails unknown-envelope: the record is `4`, and no object"]
    );
}

/// Rows and entries, some bent, in some order.
fn records() -> impl Strategy<Value = (&'static str, Vec<Value>, usize)> {
    let bent = prop::sample::select(vec![
        json!({}),
        json!({"key": null, "control": 4}),
        json!({"vendor": ["A", "B"], "vendors": ["A", "B"]}),
        json!({"until": "soon", "files": [4]}),
        json!({"approved": "2026-03-29 02:30:00", "due": "x"}),
        json!({"updated": "", "at": 0}),
    ]);
    let record = (0i64..3, 0i64..6, 0i64..6, bent).prop_map(|(id, n, state, bent)| {
        let one = json!({"id": id, "n": n, "state": state, "asked": 1_772_400_000 + n, "action": state.to_string()});
        merged(merged(merged(entry(json!({})), row(n, state, json!({}))), one), bent)
    });
    (prop::sample::select(vec![LOG, ROWS]), prop::collection::vec(record, 1..30), any::<prop::sample::Index>())
        .prop_map(|(text, records, cut)| (text, records.clone(), cut.index(records.len())))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn replaying_from_any_earlier_position_with_its_state_changes_nothing((text, records, cut) in records()) {
        let mut feed = Feed::of(text);
        let read = |records: &[Value], feed: &mut Feed| records.iter().map(|r| feed.read(r.clone())).collect::<Vec<_>>();
        let mut answers = read(&records[..cut], &mut feed);
        let then = feed.state.to_bytes();
        answers.extend(read(&records[cut..], &mut feed));
        let mut again = Feed::of(text);
        again.state = State::from_bytes(&then).expect("what was written is read");
        prop_assert_eq!(&read(&records[cut..], &mut again), &answers[cut..]);
        prop_assert_eq!(again.state.to_bytes(), feed.state.to_bytes());
    }

    #[test]
    fn an_error_leaves_no_trace_and_what_is_told_is_an_event((text, records, _) in records()) {
        let mut feed = Feed::of(text);
        let mut ids = std::collections::BTreeMap::new();
        for record in records {
            let before = feed.state.to_bytes();
            let answer = feed.read(record);
            prop_assert!(!(answer.events.is_empty() && answer.skips.is_empty() && answer.errors.is_empty()));
            if !answer.errors.is_empty() {
                prop_assert!(answer.events.is_empty());
                prop_assert_eq!(feed.state.to_bytes(), before);
            }
            for event in &answer.events {
                let mut line = String::new();
                event.write(&mut line);
                prop_assert!(decoded(&line).is_ok(), "{}", line);
                // Of rows an id is one event; a log's ids are its own.
                if text == ROWS {
                    prop_assert!(ids.insert(event.id.clone(), line).is_none(), "{} twice", event.id);
                }
            }
        }
    }
}
