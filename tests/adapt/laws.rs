//! What holds of every adapter, whatever it is given.

use super::feed::{Feed, samples};
use onus::ingest::adapt::{Adapter, Answer, State};
use proptest::prelude::*;
use serde_json::Value;

/// Some of a source's samples, in some order, some twice.
fn feeds() -> impl Strategy<Value = (&'static str, Vec<Value>, usize)> {
    let names: Vec<&'static str> = Adapter::names().collect();
    (proptest::sample::select(names), proptest::collection::vec(any::<proptest::sample::Index>(), 1..60), any::<bool>())
        .prop_map(|(name, picks, in_order)| {
            let all = samples(name);
            let mut picks: Vec<usize> = picks.iter().map(|pick| pick.index(all.len())).collect();
            if in_order {
                picks.sort_unstable();
            }
            let cut = picks.iter().sum::<usize>() % picks.len();
            (name, picks.into_iter().map(|pick| all[pick].clone()).collect(), cut)
        })
}

fn all(feed: &mut Feed, records: &[Value]) -> Vec<Answer> {
    records.iter().map(|record| feed.read(record)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn replaying_a_feed_from_any_earlier_position_with_its_state_changes_nothing((name, records, cut) in feeds()) {
        let mut feed = Feed::new(name);
        let mut answers = all(&mut feed, &records[..cut]);
        let then = feed.state.to_bytes();
        answers.extend(all(&mut feed, &records[cut..]));

        let mut again = Feed::new(name);
        again.state = State::from_bytes(&then).expect("what was written is read");
        prop_assert_eq!(&all(&mut again, &records[cut..]), &answers[cut..]);
        prop_assert_eq!(again.state.to_bytes(), feed.state.to_bytes());
    }

    #[test]
    fn rows_that_changed_since_a_position_are_all_that_is_needed((name, records, cut) in feeds()) {
        let mut feed = Feed::new(name);
        all(&mut feed, &records[..cut]);
        let mut kept: std::collections::BTreeMap<String, _> =
            feed.state.rows().map(|(id, row)| (id.to_owned(), row.clone())).collect();
        feed.state.committed();
        all(&mut feed, &records[cut..]);
        for (id, row) in feed.state.changed() {
            match row {
                Some(row) => kept.insert(id.to_owned(), row.clone()),
                None => kept.remove(id),
            };
        }
        let whole: Vec<_> = feed.state.rows().map(|(id, row)| (id.to_owned(), row.clone())).collect();
        prop_assert_eq!(kept.into_iter().collect::<Vec<_>>(), whole);
    }

    #[test]
    fn a_record_that_cannot_be_read_leaves_no_trace(
        (name, records, at) in feeds(),
        field in any::<proptest::sample::Index>(),
        instead in proptest::sample::select(vec!["null", "0", "\"\"", "\"\\u0001\"", "[]", "{}", "\"ł\"", "-1", "true"]),
    ) {
        let mut feed = Feed::new(name);
        all(&mut feed, &records[..at]);
        let before = feed.state.to_bytes();
        let mut bent = records[at].clone();
        let mut places = Vec::new();
        leaves(&bent["value"], String::from("/value"), &mut places);
        let place = &places[field.index(places.len())];
        *bent.pointer_mut(place).expect("a place") = serde_json::from_str(instead).expect("JSON");
        let answer = feed.read(&bent);
        if answer.events.is_empty() && answer.skips.is_empty() {
            prop_assert!(!answer.errors.is_empty());
            prop_assert_eq!(feed.state.to_bytes(), before);
        }
        for event in &answer.events {
            let mut line = String::new();
            event.write(&mut line);
            prop_assert!(super::feed::decoded(&line).is_ok(), "{}", line);
        }
    }

    #[test]
    fn any_text_is_answered(name in proptest::sample::select(Adapter::names().collect::<Vec<_>>()), text in ".{0,200}") {
        let answer = Feed::new(name).text(&text);
        prop_assert!(!answer.errors.is_empty() || !answer.skips.is_empty() || !answer.events.is_empty());
    }
}

/// Where a value has something that can be bent, as pointers.
fn leaves(value: &Value, at: String, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                leaves(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) => {
            for (n, value) in items.iter().enumerate() {
                leaves(value, format!("{at}/{n}"), into);
            }
        }
        _ => {}
    }
    into.push(at);
}

#[test]
fn an_id_is_given_once_over_all_samples_but_for_copies_of_one_fact() {
    for name in Adapter::names() {
        let mut feed = Feed::new(name);
        let mut seen: std::collections::BTreeMap<String, (String, String)> = std::collections::BTreeMap::new();
        for sample in samples(name) {
            for event in feed.read(&sample).events {
                let fact = (event.kind.to_string(), event.subject.clone());
                let before = seen.insert(event.id.clone(), fact.clone());
                assert!(before.is_none_or(|before| before == fact), "{name}: {} is two things", event.id);
            }
        }
    }
}

#[test]
fn a_tombstone_is_a_skip_and_a_huge_record_an_error() {
    for name in Adapter::names() {
        let mut feed = Feed::new(name);
        assert_eq!(super::feed::code(&feed.read(&serde_json::json!({"value": null}))), "tombstone");
        assert_eq!(super::feed::code(&feed.text("null")), "tombstone");
        let huge = serde_json::json!({ "value": {"x": "x".repeat(1 << 20)} });
        assert_eq!(super::feed::code(&feed.read(&huge)), "too-large");
    }
}
