//! AWS' pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

/// A sample's entry of CloudTrail, with other fields.
fn entry(n: usize, fields: Value) -> Value {
    let sample = &samples("aws")[n]["value"];
    let mut entry = if sample["detail"].is_object() { sample["detail"].clone() } else { sample.clone() };
    for (path, value) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = if parent.is_empty() { String::new() } else { format!("/{parent}") };
        let place = entry.pointer_mut(&parent).expect("a place");
        place[key] = value.clone();
    }
    entry
}

fn subject(entry: &Value) -> Value {
    says(&Feed::new("aws").value(entry), "subject")
}

#[test]
fn the_secret_is_found_in_each_of_its_four_places_and_the_suffix_is_cut_off_once() {
    let wanted = json!("aws:secretsmanager:210987654321:eu-west-1:prod/payments/db");
    let arn = "arn:aws:secretsmanager:eu-west-1:210987654321:secret:prod/payments/db-Ab3dE9";
    assert_eq!(subject(&entry(5, json!({}))), wanted);
    let elsewhere = entry(5, json!({"additionalEventData": null, "serviceEventDetails": {"secretId": arn}}));
    assert_eq!(subject(&elsewhere), wanted);
    let old = entry(8, json!({"responseElements": {"aRN": arn}, "requestParameters/secretId": "other"}));
    assert_eq!(subject(&old), wanted);
    let asked = entry(8, json!({"responseElements": null, "requestParameters/secretId": "prod/payments/db"}));
    assert_eq!(subject(&asked), wanted);
    // A name that looks as if it had a suffix keeps it: only an ARN has one.
    let named = entry(8, json!({"responseElements": null, "requestParameters/secretId": "prod/my-secret"}));
    assert_eq!(subject(&named), json!("aws:secretsmanager:210987654321:eu-west-1:prod/my-secret"));
    let twice = entry(
        5,
        json!({"additionalEventData/SecretId": "arn:aws:secretsmanager:eu-west-1:210987654321:secret:a-secret-Ab3dE9"}),
    );
    assert_eq!(subject(&twice), json!("aws:secretsmanager:210987654321:eu-west-1:a-secret"));
    assert_eq!(code(&Feed::new("aws").value(&entry(5, json!({"additionalEventData": {}})))), "missing-subject");
}

#[test]
fn what_is_asked_begun_tried_or_pending_is_no_rotation() {
    for (n, fields, wanted) in [
        (1, json!({}), "not-final"),
        (2, json!({}), "not-final"),
        (3, json!({}), "not-final"),
        (4, json!({}), "not-relevant"),
        (8, json!({"requestParameters/versionStages": ["AWSPENDING"]}), "not-final"),
        (8, json!({"requestParameters/versionStages": ["MYLABEL"]}), "not-final"),
        (5, json!({"eventName": "TestRotationFailed"}), "not-relevant"),
        (16, json!({"eventName": "RotateKeyOnDemand"}), "not-final"),
    ] {
        assert_eq!(code(&Feed::new("aws").value(&entry(n, fields.clone()))), wanted, "{n} {fields}");
    }
}

#[test]
fn a_new_value_is_a_rotation_by_default_unless_the_settings_say_otherwise() {
    let default = entry(8, json!({"requestParameters": {"secretId": "a"}, "responseElements/versionStages": null}));
    assert_eq!(told(&Feed::new("aws").value(&default)), ["credential.rotated"]);
    let mut feed = Feed::with("aws", "/aws/put_secret_value_is_rotation", json!(false));
    assert_eq!(code(&feed.value(&default)), "no-canonical-type");
}

#[test]
fn the_service_names_nobody_and_who_asked_is_told_beside_it_once() {
    let mut feed = Feed::new("aws");
    feed.read(&samples("aws")[1]);
    let done = feed.read(&samples("aws")[5]);
    assert_eq!((says(&done, "actor"), says(&done, "actortype")), (Value::Null, json!("service")));
    let by = json!("arn:aws:sts::210987654321:assumed-role/NorthwindMSP-Operator/mkowalski");
    assert_eq!(says(&done, "requested_by"), by);
    let next = feed.value(&entry(5, json!({"eventID": "next", "eventTime": "2026-04-02T09:17:02Z"})));
    assert_eq!(says(&next, "requested_by"), Value::Null);
    // What was asked before the last rotation was asked for that one, however late it is heard.
    feed.read(&samples("aws")[1]);
    let later = feed.value(&entry(5, json!({"eventID": "later", "eventTime": "2026-05-02T09:17:02Z"})));
    assert_eq!(says(&later, "requested_by"), Value::Null);
}

#[test]
fn that_somebody_asked_is_told_where_the_tables_want_it() {
    let mut feed = Feed::with("aws", "/aws/rotation_requests", json!(true));
    let asked = feed.read(&samples("aws")[1]);
    assert_eq!(told(&asked), ["credential.rotation-requested"]);
    let by = json!("arn:aws:sts::210987654321:assumed-role/NorthwindMSP-Operator/mkowalski");
    assert_eq!(says(&asked, "actor"), by);
    let done = feed.read(&samples("aws")[5]);
    assert_eq!(
        (told(&done), says(&done, "requested_by")),
        (vec!["credential.rotated"], by),
        "and it is remembered all the same"
    );
    assert_eq!(done.events[0].subject, asked.events[0].subject);
    let schedule = entry(1, json!({"requestParameters/rotateImmediately": false}));
    assert_eq!(code(&feed.value(&schedule)), "not-final");
    let key = feed.value(&entry(16, json!({"eventName": "RotateKeyOnDemand"})));
    assert_eq!(told(&key), ["credential.rotation-requested"]);
}

#[test]
fn who_asked_after_it_was_done_and_who_only_set_a_schedule_asked_for_nothing() {
    let mut feed = Feed::new("aws");
    feed.value(&entry(1, json!({"eventTime": "2026-03-02T09:20:00Z"})));
    assert_eq!(says(&feed.read(&samples("aws")[5]), "requested_by"), Value::Null);
    let mut feed = Feed::new("aws");
    feed.value(&entry(1, json!({"requestParameters/rotateImmediately": false})));
    assert_eq!(says(&feed.read(&samples("aws")[5]), "requested_by"), Value::Null);
}

#[test]
fn what_was_refused_or_only_reads_did_not_happen() {
    for n in [0, 8, 10, 11] {
        assert_eq!(code(&Feed::new("aws").value(&entry(n, json!({"errorCode": "AccessDenied"})))), "refused");
        assert_eq!(code(&Feed::new("aws").value(&entry(n, json!({"readOnly": true})))), "not-relevant");
    }
}

#[test]
fn one_entry_has_one_id_bare_in_records_or_in_an_envelope_whose_type_is_wrong() {
    let bare = entry(5, json!({}));
    let mut wrapped = samples("aws")[5]["value"].clone();
    wrapped["detail-type"] = json!("AWS API Call via CloudTrail");
    wrapped["id"] = json!("another");
    let ids: Vec<Value> = [bare.clone(), json!({"Records": [bare]}), wrapped]
        .iter()
        .map(|record| says(&Feed::new("aws").value(record), "id"))
        .collect();
    assert_eq!(ids, vec![json!("c9c2d48d-c531-4d33-9c66-d77c46868938"); 3]);
}

#[test]
fn one_bad_entry_of_a_file_spoils_no_other() {
    let records =
        json!({"Records": [entry(5, json!({})), entry(5, json!({"eventTime": "soon"})), entry(4, json!({}))]});
    let answer = Feed::new("aws").value(&records);
    assert_eq!((told(&answer), answer.errors.len(), answer.skips.len()), (vec!["credential.rotated"], 1, 1));
}

#[test]
fn in_a_shared_account_the_assumed_role_says_whose_it_is() {
    let shared = json!({
        "recipientAccountId": "999999999999",
        "userIdentity/arn": "arn:aws:sts::999999999999:assumed-role/FjordIAM-Ops/NorthwindMSP-x",
    });
    assert_eq!(says(&Feed::new("aws").value(&entry(11, shared)), "partner"), json!("fjord-iam"));
    let nobody = json!({"recipientAccountId": "999999999999", "userIdentity/arn": "arn:aws:sts::9:assumed-role/Other/FjordIAM-x"});
    assert_eq!(code(&Feed::new("aws").value(&entry(11, nobody))), "unknown-partner");
}

#[test]
fn a_rotation_in_a_shared_account_is_whose_role_asked_for_it() {
    let mut feed = Feed::new("aws");
    let shared = |n: usize, role: &str| {
        let arn = format!("arn:aws:sts::999999999999:assumed-role/{role}/x");
        entry(n, json!({"recipientAccountId": "999999999999", "userIdentity/arn": arn}))
    };
    feed.value(&shared(1, "FjordIAM-Ops"));
    let done = entry(5, json!({"recipientAccountId": "999999999999"}));
    assert_eq!(says(&feed.value(&done), "partner"), json!("fjord-iam"));
    assert_eq!(code(&Feed::new("aws").value(&done)), "unknown-partner");
}

#[test]
fn keys_made_for_oneself_are_found_in_the_answer_and_roots_have_no_user() {
    let own = Feed::new("aws").read(&samples("aws")[17]);
    assert_eq!(says(&own, "parent"), json!("aws:iam:210987654321:user/svc-batch"));
    let root = entry(
        13,
        json!({
            "requestParameters": {"accessKeyId": "AKIAEXAMPLE000000A09"},
            "userIdentity": {"type": "Root", "arn": "arn:aws:iam::210987654321:root", "accountId": "210987654321"},
        }),
    );
    let answer = Feed::new("aws").value(&root);
    assert_eq!(
        (says(&answer, "parent"), says(&answer, "subject")),
        (Value::Null, json!("aws:iam:210987654321:AKIAEXAMPLE000000A09"))
    );
}

#[test]
fn a_key_that_is_switched_on_again_is_told() {
    let on = entry(12, json!({"requestParameters/status": "Active"}));
    assert_eq!(told(&Feed::new("aws").value(&on)), ["credential.enabled"]);
}

#[test]
fn what_is_missing_has_its_code_and_dates_in_answers_are_never_read() {
    for (field, wanted) in [("eventID", "missing-id"), ("eventTime", "missing-time"), ("eventName", "unknown-envelope")]
    {
        assert_eq!(code(&Feed::new("aws").value(&entry(11, json!({ field: null })))), wanted, "{field}");
    }
    let local = json!({"eventTime": null, "responseElements/accessKey/createDate": "Mar 2, 2026, 8:50:00 AM"});
    assert_eq!(code(&Feed::new("aws").value(&entry(11, local))), "missing-time");
    assert_eq!(code(&Feed::new("aws").value(&entry(11, json!({"eventTime": "2026-03-02T08:50:00"})))), "bad-time");
}
