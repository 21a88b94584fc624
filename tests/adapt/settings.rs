//! The tables under which sources are read: strictly.

use super::feed::tables;
use onus::ingest::adapt::{Adapter, Record, Settings, State, Value as Field};
use serde_json::{Value, json};

fn bent(path: &str, value: Value) -> String {
    let mut all: Value = serde_json::from_str(&tables()).expect("tables");
    let (parent, key) = path.rsplit_once('/').expect("a path");
    all.pointer_mut(parent).expect("what it is in")[key] = value;
    Settings::parse(&all.to_string()).expect_err("refused").to_string()
}

#[test]
fn the_tables_of_the_samples_are_read_as_they_are() {
    Settings::parse(&tables()).expect("read");
}

#[test]
fn a_key_that_is_not_known_is_refused_with_the_nearest_word() {
    for (path, value, wanted) in [
        ("/servicenw", json!({}), "did you mean `servicenow`?"),
        ("/servicenow/system_user", json!([]), "did you mean `system_users`?"),
        ("/partners/fjord-iam/jira/organisations", json!(["x"]), "did you mean `organizations`?"),
        ("/partners/fjord-iam/okt", json!({}), "did you mean `okta`?"),
        ("/servicenow/incident/state/9", json!("resolvd"), "did you mean `resolved`?"),
        ("/servicenow/priority/9", json!("P9"), "servicenow.priority.9"),
        ("/jira/status/Frozen", json!("on-hodl"), "did you mean `on-hold`?"),
        ("/error_codes", json!(["not-jsn"]), "did you mean `not-json`?"),
        ("/partner_rules/aws", json!("role first"), "the one rule is"),
        ("/ticket_pattern", json!("(INC"), "no pattern"),
        ("/cyberark/zone", json!("Mars/Olympus"), "no time zone"),
        ("/servicenow/event_order", json!(["opened"]), "names each of these once"),
        ("/max_text", json!("many"), "a whole number"),
        ("/time", json!("local"), "times are written one way"),
        ("/servicenow/approvals_from", json!("change_request"), "sysapproval_approver"),
    ] {
        let said = bent(path, value);
        assert!(said.contains(wanted), "{path}: {said}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_what_stands_twice_is_refused() {
    let said = Settings::parse(r#"{"a": 1, "b": 2}"#).expect_err("refused");
    assert_eq!(said.0.len(), 2, "{said}");
    let said = Settings::parse(r#"{"time": null, "time": null}"#).expect_err("refused").to_string();
    assert!(said.contains("stands twice"), "{said}");
}

#[test]
fn each_source_has_a_page_whose_settings_can_be_copied() {
    for name in onus::ingest::adapt::Adapter::names() {
        let page = std::fs::read_to_string(format!("{}/docs/sources/{name}.md", super::feed::HERE)).expect("a page");
        let mut blocks = page.split("```json\n").skip(1);
        let block = blocks.next().expect("settings").split("```").next().unwrap_or_default();
        let settings = Settings::parse(block).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(block.contains(&format!("\"{name}\"")) && onus::ingest::adapt::Adapter::new(name, &settings).is_some());
        for part in ["## Onto Kafka", "## Switch on", "## What is told", "## What it can't tell", "## Settings"] {
            assert!(page.contains(part), "{name} has no {part}");
        }
    }
}

#[test]
fn the_pages_list_every_source_and_every_code_as_it_is() {
    use onus::ingest::adapt::{Adapter, Error, Skip};
    let page = std::fs::read_to_string(format!("{}/docs/sources/README.md", super::feed::HERE)).expect("the page");
    for name in Adapter::names() {
        assert!(page.contains(&format!("| [{name}]({name}.md) |")), "{name}");
    }
    let skips = Skip::ALL.iter().map(|code| (code.word(), code.means()));
    for (word, means) in skips.chain(Error::ALL.iter().map(|code| (code.word(), code.means()))) {
        assert!(page.contains(&format!("| {word} | {means} |")), "{word}");
    }
}

/// Whoever approves or pauses does so for somebody, and only the customer's directory says for whom.
#[test]
fn the_settings_say_on_whose_side_people_are_and_nobody_is_by_default() {
    let mut tables: Value = serde_json::from_str(&tables()).expect("JSON");
    let incident = |by: &str| {
        format!(
            "{{\"sys_id\":\"1\",\"number\":\"INC1\",\"sys_class_name\":\"incident\",\"state\":\"1\",\"assignment_group\":\
             \"Northwind MSP - IAM Ops\",\"opened_at\":\"2026-03-02 08:00:00\",\"sys_created_by\":\"{by}\",\"sys_updated_on\":\
             \"2026-03-02 08:00:00\",\"sys_mod_count\":\"0\"}}"
        )
    };
    let side = |tables: &Value, by: &str| {
        let settings = Settings::parse(&tables.to_string()).expect("settings");
        let adapter = Adapter::new("servicenow", &settings).expect("an adapter");
        let text = incident(by);
        let record = Record { value: Some(text.as_bytes()), ..Record::default() };
        let answer = adapter.read(&mut State::default(), &record);
        assert_eq!(answer.events.len(), 1, "{answer:?}");
        answer.events[0].field("side").cloned()
    };
    assert_eq!(side(&tables, "ana.ruiz"), None, "without a directory nothing is said");
    tables["principals"] = json!({"customer": ["ana.*", "both"], "partner": ["ben.okafor", "both"]});
    assert_eq!(side(&tables, "ana.ruiz"), Some(Field::from("customer")));
    assert_eq!(side(&tables, "ben.okafor"), Some(Field::from("partner")));
    assert_eq!(side(&tables, "both"), None, "who is on both sides is on none");
    assert_eq!(side(&tables, "somebody"), None);
    tables["principals"] = json!({"costumer": []});
    let error = Settings::parse(&tables.to_string()).expect_err("a word that is not known").to_string();
    assert!(error.contains("did you mean `customer`?"), "{error}");
}

/// The settings of a process name the adapters that there are, and mappers; each page shows them, to be copied.
#[test]
fn a_source_of_the_settings_may_name_every_adapter() {
    let reference = std::fs::read_to_string(format!("{}/docs/reference/settings.md", super::feed::HERE)).expect("it");
    for name in Adapter::names().chain(["mapper"]) {
        assert!(reference.contains(&format!("`{name}`")), "{name} is not among the values of `source.adapter`");
    }
    let dir = tempfile::tempdir().expect("a folder");
    for name in Adapter::names() {
        let page = std::fs::read_to_string(format!("{}/docs/sources/{name}.md", super::feed::HERE)).expect("a page");
        let mut blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let block = blocks.find(|block| block.contains("[[source]]")).expect("settings");
        std::fs::write(dir.path().join("onus.toml"), block).expect("written");
        let loaded =
            onus::settings::load(Some(&dir.path().join("onus.toml"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        let source = &loaded.settings.sources[0];
        assert_eq!(source.adapter.as_ref().map(|adapter| &*adapter.name), Some(name));
    }
}
