//! What is published of the language says what the loader accepts.

#[path = "support/checked_in.rs"]
mod checked_in;
#[path = "support/example.rs"]
mod example;
#[path = "support/tree.rs"]
mod tree;
#[path = "support/waiting.rs"]
mod waiting;

use example::{whole, whole_mapper};
use jsonschema::Validator;
use onus::contract::{Code, Example, key_page, mapper, mapper_page, mapper_schema, parse, part_schema, schema};
use proptest::prelude::*;
use std::path::Path;

const FULL: &str = include_str!("contracts/full.yaml");

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

/// What the schema says against a contract; empty: nothing.
fn against(validator: &Validator, text: &str) -> Vec<String> {
    let Some(value) = tree::json(text) else { return vec!["no YAML".to_owned()] };
    validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schema_and_the_page_are_those_checked_in() {
    checked_in::same("docs/reference/contract.schema.json", &format!("{:#}\n", schema()));
    checked_in::same("docs/reference/part.schema.json", &format!("{:#}\n", part_schema()));
    checked_in::same("docs/reference/contract.md", &key_page());
    checked_in::same("docs/reference/mapper.schema.json", &format!("{:#}\n", mapper_schema()));
    checked_in::same("docs/reference/mapper.md", &mapper_page());
}

#[test]
fn every_link_of_the_pages_leads_somewhere() {
    leads_somewhere(&key_page(), 100);
    leads_somewhere(&mapper_page(), 50);
}

fn leads_somewhere(page: &str, least: usize) {
    let headings: Vec<String> = page
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let links: Vec<&str> = page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > least, "only {} links", links.len());
    for link in links {
        assert!(headings.iter().any(|heading| heading == link), "#{link}");
    }
}

#[test]
fn the_schemas_are_of_draft_2020_12_and_have_words_for_every_key() {
    has_words(&schema(), 100);
    has_words(&mapper_schema(), 60);
}

fn has_words(schema: &serde_json::Value, least: usize) {
    jsonschema::draft202012::meta::validate(schema).expect("a schema of draft 2020-12");
    fn look(value: &serde_json::Value, keys: &mut usize) {
        if let Some(properties) = value.get("properties").and_then(serde_json::Value::as_object) {
            for (key, schema) in properties {
                let words = |word: &str| schema[word].as_str().is_some_and(|text| !text.is_empty());
                assert!(words("title") && words("description"), "`{key}` has no words");
                *keys += 1;
            }
        }
        let below = value.as_object().map(|map| map.values().collect::<Vec<_>>());
        let below = below.or_else(|| value.as_array().map(|items| items.iter().collect()));
        below.unwrap_or_default().into_iter().for_each(|value| look(value, keys));
    }
    let mut keys = 0;
    look(schema, &mut keys);
    assert!(keys > least, "only {keys} keys");
}

#[test]
fn contracts_that_are_shipped_pass() {
    let validator = validator();
    let mut seen = 0;
    for folder in ["examples/demo/contracts", "examples/w1", "tests/contracts"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "yaml") {
                let text = std::fs::read_to_string(&path).expect("text");
                assert_eq!(against(&validator, &text), [""; 0], "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "only {seen} contracts");
}

#[test]
fn what_config_ships_passes_but_for_what_waits() {
    let (contracts, parts) = (validator(), jsonschema::draft202012::new(&part_schema()).expect("a schema"));
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut seen = 0;
    for folder in ["", "calendars", "holidays", "templates"] {
        for entry in std::fs::read_dir(config.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().unwrap_or_default().display().to_string();
            let waits = folder == "templates" && waiting::TEMPLATES.contains(&name.as_str());
            if path.extension().is_some_and(|end| end == "yaml") && !waits {
                let text = std::fs::read_to_string(&path).expect("text");
                let schema = if folder.is_empty() { &contracts } else { &parts };
                assert_eq!(against(schema, &text), [""; 0], "{}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen >= 35, "only {seen} files");
}

#[test]
fn mended_examples_pass_and_what_a_schema_can_say_against_broken_ones_is_said() {
    let validator = validator();
    // Names, dates that must exist, numbers read from text: no schema can say these.
    let beyond = [
        "E004", "E005", "E006", "E007", "E008", "E009", "E013", "E301", "E302", "E303", "E304", "E305", "E306", "E307",
        "E308", "E309", "E310", "E311", "E403", "E404", "E405", "E407", "E408", "E202", "E205", "E210", "E411", "E415",
        "E416", "E417", "E420", "E900",
    ];
    for code in Code::ALL {
        let Example::Contract { broken, mended } = code.explain().example else { continue };
        assert_eq!(against(&validator, &whole(mended)), [""; 0], "{code}: {}", whole(mended));
        if code.as_str().starts_with('E') && !beyond.contains(&code.as_str()) {
            assert!(!against(&validator, &whole(broken)).is_empty(), "{code}: {}", whole(broken));
        }
    }
}

#[test]
fn mappers_that_are_shipped_pass_and_what_a_schema_can_say_against_broken_ones_is_said() {
    let validator = jsonschema::draft202012::new(&mapper_schema()).expect("the schema is one");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/mappers");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(against(&validator, &text), [""; 0], "{}", path.display());
    }
    // What paths and patterns are like, and names that must be there.
    let beyond = ["E602", "E603", "E604", "E605", "E606", "E607"];
    for code in Code::ALL {
        let Example::Mapper { broken, mended } = code.explain().example else { continue };
        assert_eq!(against(&validator, &whole_mapper(mended)), [""; 0], "{code}");
        if code.as_str().starts_with('E') && !beyond.contains(&code.as_str()) {
            assert!(!against(&validator, &whole_mapper(broken)).is_empty(), "{code}: {}", whole_mapper(broken));
        }
    }
}

/// A mapper that ships, with a line lost or a word of it exchanged for another.
fn edited_mapper() -> impl Strategy<Value = String> {
    const SHIPPED: &[&str] = &[
        include_str!("../config/mappers/evidence-log.yaml"),
        include_str!("../config/mappers/grc-exceptions.yaml"),
        include_str!("../config/mappers/servicenow-access-review.yaml"),
    ];
    (prop::sample::select(SHIPPED), edits()).prop_map(|(text, edits)| changed(text, edits))
}

#[test]
fn lengths_that_load_are_lengths_to_the_schema_and_others_are_not() {
    let validator = validator();
    let duty = |within: &str| {
        whole(&format!(
            "calendar: office\nobligations:\n  - {{id: a, clause: \"1\", when: ticket.opened, do: ticket.closed, within: {within}}}"
        ))
    };
    for (text, right) in [
        ("4h", true),
        ("1 business minute", true),
        ("60 calendar days", true),
        ("by 24:00 same business day", true),
        ("by 15 April", true),
        ("by 2027-03-15T00:00:00+01:00", true),
        ("at once", true),
        ("4 hours", false),
        ("0h", false),
        ("04h", false),
        ("by 25:00 next business day", false),
        ("by noon", false),
        ("{P1: 4h, \"*\": 8h}", true),
        ("{P1: 4h, p2: 8h}", false),
        ("{must: {P1: 4h}, should: 1h}", true),
        ("[4h, {must: 8h, from: ticket.assigned}]", true),
        ("{depends-on: [a, b], table: {x: {y: 4h}}}", true),
    ] {
        let text = duty(text);
        assert_eq!(parse(&text, "c.yaml").is_ok(), right, "{text}");
        assert_eq!(against(&validator, &text).is_empty(), right, "{text}");
    }
}

/// The full contract with a line lost, or a word of it exchanged for another of the contract.
fn edited() -> impl Strategy<Value = String> {
    edits().prop_map(|edits| changed(FULL, edits))
}

type Edits = Vec<(prop::sample::Index, prop::sample::Index, bool)>;

fn edits() -> impl Strategy<Value = Edits> {
    let at = any::<prop::sample::Index>;
    prop::collection::vec((at(), at(), any::<bool>()), 1..4)
}

fn changed(text: &str, edits: Edits) -> String {
    let mut text = text.to_owned();
    for (a, b, lose) in edits {
        if lose {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.remove(a.index(lines.len()));
            text = lines.join("\n");
        } else {
            let words: Vec<String> =
                text.split([' ', '\n', ',', '{', '}', '[', ']']).filter(|w| !w.is_empty()).map(str::to_owned).collect();
            text = text.replacen(&words[a.index(words.len())], &words[b.index(words.len())], 1);
        }
    }
    text
}

proptest! {
    #[test]
    fn whatever_loads_passes(text in edited()) {
        static VALIDATOR: std::sync::LazyLock<Validator> = std::sync::LazyLock::new(validator);
        if parse(&text, "c.yaml").is_ok() {
            let said = against(&VALIDATOR, &text);
            prop_assert!(said.is_empty(), "{said:?}\n{text}");
        }
    }

    #[test]
    fn whatever_mapper_loads_passes(text in edited_mapper()) {
        static VALIDATOR: std::sync::LazyLock<Validator> =
            std::sync::LazyLock::new(|| jsonschema::draft202012::new(&mapper_schema()).expect("the schema is one"));
        if mapper(&text, "m.yaml").is_ok() {
            let said = against(&VALIDATOR, &text);
            prop_assert!(said.is_empty(), "{said:?}\n{text}");
        }
    }
}
