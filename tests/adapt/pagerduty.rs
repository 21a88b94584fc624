//! PagerDuty's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use onus::ingest::adapt::Answer;
use serde_json::{Value, json};

fn bent(n: usize, fields: Value) -> Value {
    let mut value = samples("pagerduty")[n]["value"].clone();
    for (path, field) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        value.pointer_mut(parent).expect("a place")[key] = field.clone();
    }
    value
}

#[test]
fn what_only_refers_to_an_incident_is_placed_by_the_incident_seen_before() {
    let mut feed = Feed::new("pagerduty");
    assert_eq!(code(&feed.value(&bent(12, json!({})))), "unknown-partner");
    feed.value(&bent(10, json!({})));
    let answer = feed.value(&bent(12, json!({})));
    assert_eq!((told(&answer), says(&answer, "partner")), (vec!["incident.notified"], json!("northwind-msp")));
    assert_eq!(says(&answer, "subject"), json!("PINC900"));
}

#[test]
fn merged_is_cancelled_and_not_resolved() {
    for reason in [json!({"type": "merge_resolve_reason", "incident": {"id": "P2"}}), json!("merged")] {
        let answer = Feed::new("pagerduty").value(&bent(7, json!({"/event/data/resolve_reason": reason})));
        assert_eq!((told(&answer), says(&answer, "reason")), (vec!["ticket.cancelled"], json!("merged")));
        let security = bent(13, json!({"/event/data/resolve_reason": reason}));
        assert_eq!(code(&Feed::new("pagerduty").value(&security)), "no-canonical-type");
    }
}

#[test]
fn an_integration_and_nobody_are_no_actors() {
    let who = |agent: Value| says(&Feed::new("pagerduty").value(&bent(1, json!({"/event/agent": agent}))), "actor");
    assert_eq!(who(json!(null)), Value::Null);
    assert_eq!(who(json!({"id": "PINT01", "type": "inbound_integration_reference"})), Value::Null);
    assert_eq!(who(json!({"id": "PBEN01", "type": "user_reference"})), json!("PBEN01"));
}

#[test]
fn a_priority_that_is_null_or_of_ones_own_is_none() {
    for priority in [json!(null), json!({"summary": "Urgent"})] {
        let answer = Feed::new("pagerduty").value(&bent(0, json!({"/event/data/priority": priority})));
        assert_eq!((told(&answer), says(&answer, "priority")), (vec!["ticket.opened"], Value::Null));
    }
}

#[test]
fn the_team_then_the_service_says_whose_it_is_and_it_stays() {
    let other = json!({"/event/data/teams": [], "/event/data/service/id": "PSVCNW1"});
    assert_eq!(says(&Feed::new("pagerduty").value(&bent(0, other)), "partner"), json!("northwind-msp"));
    let nobody = json!({"/event/data/teams": [{"id": "PX"}], "/event/data/service/id": "PY"});
    assert_eq!(code(&Feed::new("pagerduty").value(&bent(0, nobody.clone()))), "unknown-partner");
    let mut feed = Feed::new("pagerduty");
    feed.value(&bent(0, json!({})));
    assert_eq!(says(&feed.value(&bent(1, nobody)), "partner"), json!("northwind-msp"));
}

#[test]
fn an_incident_that_is_delegated_to_another_partners_policy_is_handed_to_it() {
    let policies = |partners: Value| {
        let mut settings: Value = serde_json::from_str(&super::feed::tables()).expect("the tables");
        for (partner, policy) in partners.as_object().expect("partners") {
            settings["partners"][partner]["pagerduty"]["escalation_policies"] = policy.clone();
        }
        Feed::under("pagerduty", &settings.to_string())
    };
    let sides = |answer: &Answer| (says(answer, "from"), says(answer, "to"));
    let mut feed = policies(json!({"fjord-iam": ["PEPCUST"]}));
    let answer = feed.value(&bent(11, json!({})));
    assert_eq!(sides(&answer), (json!("northwind-msp"), json!("fjord-iam")), "{answer:?}");
    // To a policy of its own, or of nobody's, it is handed to nobody of whom we know.
    let mut feed = policies(json!({"northwind-msp": ["PEPCUST"]}));
    assert_eq!(sides(&feed.value(&bent(11, json!({})))), (Value::Null, Value::Null));
    assert_eq!(sides(&Feed::new("pagerduty").value(&bent(11, json!({})))), (Value::Null, Value::Null));
}

#[test]
fn an_acknowledgement_that_timed_out_and_a_note_tell_nothing() {
    assert_eq!(code(&Feed::new("pagerduty").value(&bent(2, json!({})))), "no-canonical-type");
    assert_eq!(code(&Feed::new("pagerduty").value(&bent(14, json!({})))), "not-relevant");
    assert_eq!(
        code(&Feed::new("pagerduty").value(&bent(0, json!({"/event/event_type": "service.updated"})))),
        "not-relevant"
    );
}

#[test]
fn what_is_missing_has_its_code() {
    for (field, wanted) in [
        ("/event/id", "missing-id"),
        ("/event/occurred_at", "missing-time"),
        ("/event/event_type", "unknown-envelope"),
        ("/event/data/id", "missing-subject"),
    ] {
        assert_eq!(code(&Feed::new("pagerduty").value(&bent(0, json!({ field: null })))), wanted, "{field}");
    }
    assert_eq!(code(&Feed::new("pagerduty").value(&json!({"messages": []}))), "unknown-envelope");
}
