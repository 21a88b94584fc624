//! Okta's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

fn bent(n: usize, fields: Value) -> Value {
    let mut value = samples("okta")[n]["value"].clone();
    for (path, field) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        value.pointer_mut(parent).expect("a place")[key] = field.clone();
    }
    value
}

#[test]
fn targets_are_found_by_their_type_and_not_by_their_place() {
    let mut turned = bent(0, json!({}));
    turned["target"].as_array_mut().expect("targets").reverse();
    let (one, other) = (Feed::new("okta").value(&bent(0, json!({}))), Feed::new("okta").value(&turned));
    assert_eq!((says(&one, "subject"), says(&one, "parent")), (json!("okta:secret:ocs2"), json!("okta:client:0oaPAY")));
    assert_eq!((says(&other, "subject"), says(&other, "parent")), (says(&one, "subject"), says(&one, "parent")));
    assert_eq!(code(&Feed::new("okta").value(&bent(0, json!({"target": null})))), "missing-subject");
}

#[test]
fn a_secret_in_an_entrys_detail_goes_nowhere() {
    let mut entry = bent(0, json!({}));
    entry["target"][1]["detailEntry"] = json!({"clientSecret": "s3cr3t-in-plain-text"});
    let answer = Feed::new("okta").value(&entry);
    let mut line = String::new();
    answer.events[0].write(&mut line);
    assert!(!line.contains("s3cr3t"), "{line}");
    let mut feed = Feed::new("okta");
    feed.value(&entry);
    assert!(!String::from_utf8_lossy(&feed.state.to_bytes()).contains("s3cr3t"));
}

#[test]
fn what_failed_did_not_happen() {
    for result in ["FAILURE", "DENY", "SKIPPED", "UNKNOWN"] {
        assert_eq!(code(&Feed::new("okta").value(&bent(3, json!({"/outcome/result": result})))), "refused");
    }
}

#[test]
fn people_are_out_of_scope_and_service_accounts_are_not() {
    assert_eq!(told(&Feed::new("okta").value(&bent(14, json!({})))), ["credential.disabled"]);
    let mut person = bent(14, json!({}));
    person["target"][0]["id"] = json!("00uBEN");
    assert_eq!(code(&Feed::new("okta").value(&person)), "not-relevant");
    assert_eq!(
        code(&Feed::new("okta").value(&bent(14, json!({"eventType": "user.account.update_password"})))),
        "not-relevant"
    );
}

#[test]
fn okta_itself_is_nobody_and_a_client_is_an_application_and_both_are_the_organisations() {
    let okta = json!({"actor": {"id": "okta", "type": "SystemPrincipal", "alternateId": "system@okta.com"}});
    let answer = Feed::new("okta").value(&bent(3, okta));
    assert_eq!((says(&answer, "actor"), says(&answer, "partner")), (Value::Null, json!("northwind-msp")));
    let client = json!({"actor": {"id": "0oaX", "type": "PublicClientApp", "alternateId": "0oaX"}});
    let answer = Feed::new("okta").value(&bent(3, client));
    assert_eq!((says(&answer, "actor"), says(&answer, "actortype")), (json!("0oaX"), json!("app")));
}

#[test]
fn an_actor_of_a_domain_that_nobody_named_is_nobodys() {
    let other = json!({"/actor/alternateId": "eve@elsewhere.example"});
    assert_eq!(code(&Feed::new("okta").value(&bent(3, other))), "unknown-partner");
    let unknown = Feed::new("okta").value(&bent(3, json!({"/actor/alternateId": "unknown"})));
    assert_eq!(says(&unknown, "partner"), json!("northwind-msp"));
    let mut hook = bent(15, json!({"source": "https://other.okta.com/api/v1/eventHooks/x"}));
    hook["data"]["events"][0]["actor"]["alternateId"] = json!("unknown");
    assert_eq!(code(&Feed::new("okta").value(&hook)), "unknown-partner");
}

#[test]
fn activation_is_news_only_of_what_was_switched_off() {
    let mut feed = Feed::new("okta");
    let on = |uuid: &str| {
        let mut entry = bent(1, json!({ "uuid": uuid }));
        entry["target"][1]["id"] = json!("ocs1");
        entry
    };
    assert_eq!(code(&feed.value(&on("a"))), "no-change");
    feed.value(&bent(2, json!({})));
    assert_eq!(told(&feed.value(&on("b"))), ["credential.enabled"]);
    assert_eq!(code(&feed.value(&on("c"))), "no-change");
}

#[test]
fn a_hook_is_a_batch_and_no_cloudevent_of_today() {
    let mut hook = bent(15, json!({}));
    let mut second = hook["data"]["events"][0].clone();
    second["uuid"] = json!("another");
    second["target"][0]["id"] = json!("00Ty");
    hook["data"]["events"].as_array_mut().expect("events").push(second);
    assert_eq!(told(&Feed::new("okta").value(&hook)).len(), 2);
}

#[test]
fn what_is_missing_has_its_code() {
    for (field, wanted) in [("uuid", "missing-id"), ("published", "missing-time"), ("eventType", "unknown-envelope")] {
        assert_eq!(code(&Feed::new("okta").value(&bent(3, json!({ field: null })))), wanted, "{field}");
    }
    assert_eq!(code(&Feed::new("okta").value(&bent(3, json!({"published": 1_772_438_651})))), "missing-time");
}
