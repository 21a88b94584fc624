//! Vault's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

fn bent(n: usize, fields: Value) -> Value {
    let mut value = samples("vault")[n]["value"].clone();
    for (path, field) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        value.pointer_mut(parent).expect("a place")[key] = field.clone();
    }
    value
}

#[test]
fn a_request_alone_and_what_was_denied_or_failed_are_no_facts() {
    assert_eq!(code(&Feed::new("vault").value(&bent(0, json!({})))), "not-final");
    let denied = json!({"error": "1 error occurred:\n\t* permission denied\n\n"});
    assert_eq!(code(&Feed::new("vault").value(&bent(1, denied))), "refused");
    assert_eq!(code(&Feed::new("vault").value(&bent(1, json!({"/auth/policy_results/allowed": false})))), "refused");
    assert_eq!(code(&Feed::new("vault").value(&bent(5, json!({"error": "internal error"})))), "refused");
}

#[test]
fn several_devices_tell_one_fact() {
    let ids: Vec<Value> = ["2026-03-02T09:17:02.356625452Z", "2026-03-02T09:17:02.356625999Z"]
        .iter()
        .map(|time| bent(1, json!({ "time": time })))
        .map(|entry| Feed::new("vault").value(&entry))
        .map(|answer| json!([says(&answer, "id"), says(&answer, "time")]))
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0][1], json!("2026-03-02T09:17:02.356Z"));
}

#[test]
fn a_devices_prefix_before_the_json_is_passed_over() {
    let text = format!("vault-audit: {}", bent(1, json!({})));
    assert_eq!(told(&Feed::new("vault").text(&text)), ["credential.rotated"]);
}

#[test]
fn root_and_whoever_has_no_name_are_nobody() {
    let who = |auth: Value| says(&Feed::new("vault").value(&bent(1, json!({ "auth": auth }))), "actor");
    assert_eq!(who(json!({"display_name": "root", "entity_id": ""})), Value::Null);
    assert_eq!(who(json!({})), Value::Null);
    assert_eq!(who(json!({"display_name": "oidc-ben"})), json!("oidc-ben"));
}

#[test]
fn the_namespace_says_whose_it_is_and_in_the_root_only_the_mount() {
    let place = |namespace: Value, mount: &str| {
        let path = format!("{mount}rotate-role/x");
        bent(1, json!({"/request/namespace": namespace, "/request/mount_point": mount, "/request/path": path}))
    };
    let read = |entry: Value| Feed::new("vault").value(&entry);
    assert_eq!(code(&read(place(json!({"id": "root", "path": ""}), "database/"))), "unknown-partner");
    assert_eq!(says(&read(place(json!({"id": "root"}), "northwind-db/")), "partner"), json!("northwind-msp"));
    assert_eq!(says(&read(place(json!(null), "northwind-db/")), "partner"), json!("northwind-msp"));
    let below = place(json!({"path": "partners/northwind/emea/"}), "database/");
    assert_eq!(says(&read(below), "partner"), json!("northwind-msp"));
    assert_eq!(code(&read(place(json!({"path": "partners/northwind2/"}), "database/"))), "unknown-partner");
}

#[test]
fn only_secrets_of_the_prefixes_that_the_settings_name_are_credentials() {
    let path = |path: &str| code(&Feed::new("vault").value(&bent(5, json!({ "/request/path": path }))));
    assert_eq!(path("secret/data/test/x"), "not-relevant");
    assert_eq!(path("secret/data/prod/x"), "");
}

#[test]
fn the_first_version_is_created_and_the_next_rotated_and_what_is_undone_is_told() {
    let version = |n: Value| told(&Feed::new("vault").value(&bent(5, json!({ "/response/data/version": n }))));
    assert_eq!(version(json!(1)), ["credential.created"]);
    assert_eq!(version(json!(7)), ["credential.rotated"]);
    let answer = Feed::new("vault").value(&bent(5, json!({})));
    assert_eq!(
        says(&answer, "factkey"),
        json!("credential.rotated|vault:partners/northwind/secret/prod/payments/api|2")
    );
    let undone = bent(7, json!({"/request/path": "secret/undelete/prod/payments/api"}));
    assert_eq!(told(&Feed::new("vault").value(&undone)), ["credential.enabled"]);
}

#[test]
fn what_is_done_to_older_versions_leaves_the_credential_as_it_is() {
    let mut feed = Feed::new("vault");
    feed.value(&bent(5, json!({})));
    assert_eq!(code(&feed.value(&bent(7, json!({"/request/data/versions": [1]})))), "no-canonical-type");
    assert_eq!(told(&feed.value(&bent(7, json!({"/request/data/versions": [1, 2]})))), ["credential.revoked"]);
}

#[test]
fn a_write_whose_version_is_not_said_is_neither_the_first_nor_a_rotation() {
    assert_eq!(code(&Feed::new("vault").value(&bent(5, json!({"/response/data/version": null})))), "unknown-envelope");
}

#[test]
fn a_hashed_name_says_that_it_is_one() {
    let lease = json!({"/request/path": "sys/leases/revoke", "/request/data": {"lease_id": "hmac-sha256:aa"}});
    let answer = Feed::new("vault").value(&bent(10, lease));
    assert_eq!((told(&answer), says(&answer, "hashed")), (vec!["credential.revoked"], json!(true)));
    let clear = Feed::new("vault").value(&bent(10, json!({})));
    assert_eq!(says(&clear, "hashed"), Value::Null);
    let (issued, ended) = (Feed::new("vault").value(&bent(9, json!({}))), clear);
    assert_eq!(says(&issued, "subject"), says(&ended, "subject"));
}

#[test]
fn a_notification_is_what_stands_inside_and_names_nobody() {
    let mut feed = Feed::new("vault");
    feed.value(&bent(1, json!({})));
    let answer = feed.value(&bent(15, json!({})));
    assert_eq!((told(&answer), says(&answer, "actor")), (vec!["credential.rotated"], Value::Null));
    assert_eq!(says(&answer, "subject"), json!("vault:partners/northwind/database/static-roles/payments-rw"));
    assert_eq!(says(&answer, "time"), json!("2026-03-08T03:00:00.000Z"));
    let offset = feed.value(&bent(15, json!({"time": "2026-03-08T04:00:00.5+01:00"})));
    assert_eq!(says(&offset, "time"), json!("2026-03-08T03:00:00.500Z"));
    assert_eq!(code(&feed.value(&bent(15, json!({"/data/event_type": "kv-v2/data-write"})))), "not-relevant");
}

#[test]
fn a_notification_of_a_credential_that_is_in_two_namespaces_is_nobodys() {
    assert_eq!(code(&Feed::new("vault").value(&bent(15, json!({})))), "unknown-partner");
    let mut all: Value = serde_json::from_str(&super::feed::tables()).expect("tables");
    all["partners"]["fjord-iam"]["vault"] = json!({"namespaces": ["partners/fjord/"]});
    let mut feed = Feed::under("vault", &all.to_string());
    feed.value(&bent(1, json!({})));
    feed.value(&bent(1, json!({"/request/namespace/path": "partners/fjord/", "/request/id": "another"})));
    assert_eq!(code(&feed.value(&bent(15, json!({})))), "ambiguous-partner");
}

#[test]
fn kmip_and_what_is_missing_have_their_codes() {
    assert_eq!(code(&Feed::new("vault").value(&json!({"type": "kmip-request", "time": "x"}))), "not-relevant");
    assert_eq!(code(&Feed::new("vault").value(&json!({"type": "response"}))), "unknown-envelope");
    assert_eq!(code(&Feed::new("vault").value(&json!({"kind": "x"}))), "unknown-envelope");
    assert_eq!(code(&Feed::new("vault").value(&bent(1, json!({"time": null})))), "missing-time");
    assert_eq!(code(&Feed::new("vault").value(&bent(1, json!({"/request/id": null})))), "missing-id");
    assert_eq!(code(&Feed::new("vault").value(&bent(1, json!({"time": "2026-03-02 09:17:02"})))), "bad-time");
}
