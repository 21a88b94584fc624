//! Azure's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

fn bent(n: usize, fields: Value) -> Value {
    let mut value = samples("azure")[n]["value"].clone();
    for (path, field) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        let place = value.pointer_mut(parent).expect("a place");
        match place.as_array_mut() {
            Some(items) => items[key.parse::<usize>().expect("an index")] = field.clone(),
            None => place[key] = field.clone(),
        }
    }
    value
}

#[test]
fn one_rotation_of_two_feeds_has_one_fact_key_and_the_log_names_who() {
    let grid = Feed::new("azure").value(&bent(0, json!({})));
    let log = Feed::new("azure").value(&bent(8, json!({})));
    assert_eq!(says(&grid, "factkey"), says(&log, "factkey"));
    assert_eq!((says(&grid, "actor"), says(&log, "actor")), (Value::Null, json!("ben.okafor@northwind.example")));
    assert_eq!(says(&grid, "subject"), json!("azure:keyvault:kv-northwind-prod:secret:svc-payments-rw"));
}

#[test]
fn names_have_no_case_and_fields_may_have_blanks_behind_them() {
    let data = json!({
        "id": "https://kv/secrets/svc-payments-rw/c8184201edc099eedd57c7583bbf2af0", "vaultName": "KV-Northwind-Prod",
        "objectType": "Secret", "objectName ": "Svc-Payments-RW", "version": "c8184201edc099eedd57c7583bbf2af0",
        "nbf": "1772000000", "exp": "1780000000",
    });
    let answer = Feed::new("azure").value(&bent(0, json!({ "data": data })));
    assert_eq!(says(&answer, "subject"), json!("azure:keyvault:kv-northwind-prod:secret:svc-payments-rw"));
    assert_eq!(says(&answer, "expires_at"), json!("2026-05-28T20:26:40.000Z"));
}

#[test]
fn the_news_of_an_expiry_comes_after_the_fact() {
    let answer = Feed::new("azure").value(&bent(3, json!({})));
    assert_eq!(
        (says(&answer, "time"), says(&answer, "timequality")),
        (json!("2026-04-01T00:00:00.000Z"), json!("exact"))
    );
    let unsaid = Feed::new("azure").value(&bent(3, json!({"/data/EXP": null})));
    let said = (says(&unsaid, "time"), says(&unsaid, "timequality"));
    assert_eq!(said, (json!("2026-04-01T00:05:00.000Z"), json!("upper-bound")));
}

#[test]
fn a_certificates_three_events_are_of_three_things() {
    let subjects: Vec<Value> = ["Certificate", "Secret", "Key"]
        .iter()
        .map(|kind| {
            bent(6, json!({"type": format!("Microsoft.KeyVault.{kind}NewVersionCreated"), "/data/ObjectType": kind}))
        })
        .map(|event| says(&Feed::new("azure").value(&event), "subject"))
        .collect();
    assert!(subjects[0] != subjects[1] && subjects[1] != subjects[2] && subjects[0] != subjects[2], "{subjects:?}");
}

#[test]
fn near_expiry_is_due_and_no_rotation() {
    for kind in ["SecretNearExpiry", "KeyNearExpiry", "CertificateNearExpiry"] {
        let near = bent(2, json!({"type": format!("Microsoft.KeyVault.{kind}")}));
        assert_eq!(code(&Feed::new("azure").value(&near)), "no-canonical-type");
    }
}

#[test]
fn a_storage_queue_puts_base64_around_it_and_a_handshake_is_no_event() {
    let plain = bent(0, json!({})).to_string();
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let three = |c: &[u8]| c.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
    let packed: String = plain
        .as_bytes()
        .chunks(3)
        .flat_map(|c| (0..=c.len()).map(move |n| char::from(ALPHABET[(three(c) >> (18 - 6 * n) & 63) as usize])))
        .collect();
    assert_eq!(told(&Feed::new("azure").text(&packed)), ["credential.rotated"]);
    let handshake = json!([{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "eventTime": "2026-03-02T09:30:00Z", "data": {}}]);
    assert_eq!(code(&Feed::new("azure").value(&handshake)), "not-relevant");
}

#[test]
fn what_failed_or_only_reads_is_no_fact() {
    let failed = bent(9, json!({"/records/0/resultType": "Unauthorized"}));
    assert_eq!(code(&Feed::new("azure").value(&failed)), "refused");
    let status = bent(9, json!({"/records/0/properties/httpStatusCode": 403}));
    assert_eq!(code(&Feed::new("azure").value(&status)), "refused");
    let read = bent(9, json!({"/records/0/operationName": "SecretGet"}));
    assert_eq!(code(&Feed::new("azure").value(&read)), "not-relevant");
    let entra = bent(12, json!({"/records/0/properties/result": "failure"}));
    assert_eq!(code(&Feed::new("azure").value(&entra)), "refused");
}

#[test]
fn an_audit_entry_has_no_id_and_is_known_by_what_it_says() {
    let id = |fields: Value| says(&Feed::new("azure").value(&bent(9, fields)), "id");
    assert_eq!(id(json!({})), id(json!({"/records/0/durationMs": "99"})));
    assert_ne!(id(json!({})), id(json!({"/records/0/correlationId": "other"})));
}

#[test]
fn secrets_of_an_application_are_the_difference_of_two_lists() {
    let list = |keys: &[&str]| {
        let texts: Vec<String> = keys
            .iter()
            .map(|k| format!("[KeyIdentifier={k},KeyType=Password,KeyUsage=Verify,DisplayName=ci]"))
            .collect();
        json!(json!(texts).to_string())
    };
    let change = |before: Value, after: Value| {
        let at = "/records/0/properties/targetResources/0/modifiedProperties/0";
        Feed::new("azure")
            .value(&bent(12, json!({ format!("{at}/oldValue"): before, format!("{at}/newValue"): after })))
    };
    let answer = change(list(&["a", "b"]), list(&["b", "c"]));
    assert_eq!(told(&answer), ["credential.created", "credential.revoked"]);
    let subjects: Vec<&str> = answer.events.iter().map(|event| event.subject.as_str()).collect();
    assert!(subjects[0].ends_with(":c") && subjects[1].ends_with(":a"), "{subjects:?}");
    assert_ne!(answer.events[0].id, answer.events[1].id);
    assert_eq!(code(&change(list(&["a"]), list(&["a"]))), "no-change");
    assert_eq!(code(&change(json!("not a list"), list(&["a"]))), "unknown-envelope");
}

#[test]
fn an_application_whose_id_is_null_is_its_service_principal_or_nobody() {
    let by = |app: Value| {
        says(&Feed::new("azure").value(&bent(12, json!({"/records/0/properties/initiatedBy": {"app": app}}))), "actor")
    };
    assert_eq!(by(json!({"appId": null, "servicePrincipalId": "sp-1"})), json!("sp-1"));
    assert_eq!(by(json!({"appId": null, "displayName": "x"})), Value::Null);
}

#[test]
fn the_vault_then_the_subscription_then_the_tenant_says_whose_it_is() {
    let other = "/subscriptions/99999999-2222-4333-8444-555555555555/resourceGroups/x/providers/Microsoft.KeyVault/vaults/kv-other";
    let elsewhere = json!({"source": other, "/data/VaultName": "kv-other"});
    assert_eq!(code(&Feed::new("azure").value(&bent(0, elsewhere))), "unknown-partner");
    let by_vault = Feed::new("azure").value(&bent(0, json!({ "source": other })));
    assert_eq!(says(&by_vault, "partner"), json!("northwind-msp"));
    let by_subscription = Feed::new("azure").value(&bent(0, json!({"/data/VaultName": "kv-other"})));
    assert_eq!(says(&by_subscription, "partner"), json!("northwind-msp"));
}

#[test]
fn what_is_missing_has_its_code() {
    for (fields, wanted) in [
        (json!({"id": null}), "missing-id"),
        (json!({"time": null}), "missing-time"),
        (json!({"time": "2026-03-02T09:17:02"}), "bad-time"),
        (json!({"type": null}), "unknown-envelope"),
        (json!({"/data/ObjectName": null, "subject": null}), "missing-subject"),
    ] {
        assert_eq!(code(&Feed::new("azure").value(&bent(0, fields.clone()))), wanted, "{fields}");
    }
    assert_eq!(code(&Feed::new("azure").value(&json!({"records": []}))), "not-relevant");
}
