//! Jira's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

/// A sample's value with other fields, by pointer.
fn bent(n: usize, fields: Value) -> Value {
    let mut value = samples("jira")[n]["value"].clone();
    for (path, field) in fields.as_object().expect("fields") {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        let place = value.pointer_mut(parent).expect("a place");
        match (field.is_null(), place.as_object_mut()) {
            (true, Some(object)) => drop(object.remove(key)),
            _ => place[key] = field.clone(),
        }
    }
    value
}

#[test]
fn an_offset_without_a_colon_is_read() {
    let answer = Feed::new("jira").value(&bent(0, json!({})));
    assert_eq!(says(&answer, "time"), json!("2026-03-02T08:04:11.120Z"));
}

#[test]
fn the_change_log_and_the_webhook_give_one_id() {
    let mut feed = Feed::new("jira");
    feed.value(&bent(0, json!({})));
    let webhook = feed.value(&bent(1, json!({})));
    let log = feed.value(&bent(21, json!({})));
    assert_eq!(webhook.events[0].id, log.events[0].id);
    assert_eq!(webhook.events[0].at, log.events[0].at);
    assert_eq!(webhook.events[0].kind, log.events[0].kind);
}

#[test]
fn of_a_log_without_its_issue_nobody_knows_what_it_is_of() {
    assert_eq!(code(&Feed::new("jira").value(&bent(21, json!({})))), "unknown-envelope");
}

#[test]
fn an_app_and_nobody_are_no_operators() {
    let mut feed = Feed::new("jira");
    assert_eq!(says(&feed.value(&bent(8, json!({}))), "actor"), Value::Null);
    let answer = Feed::new("jira").value(&bent(7, json!({"user": null})));
    assert_eq!((says(&answer, "actor"), says(&answer, "actortype")), (Value::Null, json!("unknown")));
    let server = Feed::new("jira").value(&bent(7, json!({"user": {"name": "bokafor", "key": "JIRAUSER1"}})));
    assert_eq!(says(&server, "actor"), json!("JIRAUSER1"));
}

#[test]
fn the_approver_and_the_time_are_in_the_approvals_field() {
    let answer = Feed::new("jira").value(&bent(13, json!({})));
    assert_eq!((says(&answer, "approver"), says(&answer, "actor")), (json!("712020:77aa"), Value::Null));
    assert_eq!(says(&answer, "time"), json!("2026-03-02T08:31:44.000Z"));
    // One that did not approve is no approver.
    let declined = "/issue/fields/customfield_10031/0/approvers/0/approverDecision";
    let answer = Feed::new("jira").value(&bent(13, json!({ declined: "declined" })));
    assert_eq!(says(&answer, "approver"), Value::Null);
}

#[test]
fn two_partners_among_the_organisations_are_an_error_and_none_is_the_projects() {
    let field = "/issue/fields/customfield_10002";
    let both = json!([{"id": "12", "name": "Northwind MSP"}, {"id": "13", "name": "Fjord IAM"}]);
    assert_eq!(code(&Feed::new("jira").value(&bent(0, json!({ field: both })))), "ambiguous-partner");
    let none = Feed::new("jira").value(&bent(0, json!({ field: [] })));
    assert_eq!(says(&none, "partner"), json!("northwind-msp"));
    let other = json!({ field: null, "/issue/fields/project/key": "ELSE" });
    assert_eq!(code(&Feed::new("jira").value(&bent(0, other))), "unknown-partner");
    let one = json!({ field: [{"name": "Fjord IAM"}], "/issue/fields/project/key": "NWSEC" });
    assert_eq!(says(&Feed::new("jira").value(&bent(0, one)), "partner"), json!("fjord-iam"));
}

#[test]
fn a_move_renames_the_key_and_not_what_it_is_about() {
    let mut feed = Feed::new("jira");
    feed.value(&bent(0, json!({})));
    let moved = bent(5, json!({"/issue/key": "OPS-9", "/issue/fields/project/key": "OPS"}));
    assert_eq!(says(&feed.value(&moved), "subject"), json!("NWSEC-142"));
    let mut unseen = moved;
    let items = unseen["changelog"]["items"].as_array_mut().expect("items");
    items.push(json!({"field": "Key", "fieldtype": "jira", "fromString": "NWSEC-142", "toString": "OPS-9"}));
    assert_eq!(says(&Feed::new("jira").value(&unseen), "subject"), json!("NWSEC-142"));
}

#[test]
fn a_status_nobody_translated_is_an_error_unless_its_category_may_speak() {
    let status = |category: &str| {
        bent(
            5,
            json!({
                "/changelog/items/1/toString": "Erledigt", "/changelog/items/1/to": "777",
                "/issue/fields/status": {"name": "Erledigt", "id": "777", "statusCategory": {"key": category}},
            }),
        )
    };
    assert_eq!(told(&Feed::new("jira").value(&status("done"))), ["ticket.resolved"]);
    assert_eq!(code(&Feed::new("jira").value(&status("indeterminate"))), "unmapped-state");
    // By its id a status is known under any name.
    let mut feed = Feed::with("jira", "/jira/status/777", json!("closed"));
    assert_eq!(told(&feed.value(&status("indeterminate"))), ["ticket.closed"]);
}

#[test]
fn that_a_change_is_done_does_not_say_that_it_was_carried_out() {
    let done = bent(
        16,
        json!({
            "/changelog/items/0/toString": "Fertig", "/changelog/items/0/to": "777",
            "/issue/fields/status": {"name": "Fertig", "id": "777", "statusCategory": {"key": "done"}},
        }),
    );
    assert_eq!(told(&Feed::new("jira").value(&done)), ["change.closed"]);
}

#[test]
fn a_resolution_alone_is_nothing() {
    let mut alone = bent(5, json!({}));
    alone["changelog"]["items"].as_array_mut().expect("items").pop();
    assert_eq!(code(&Feed::new("jira").value(&alone)), "no-change");
}

#[test]
fn several_items_are_told_in_one_order() {
    let mut many = bent(1, json!({}));
    let items = many["changelog"]["items"].as_array_mut().expect("items");
    items.push(
        json!({"field": "priority", "fieldId": "priority", "fromString": "High", "toString": "Highest", "to": "1"}),
    );
    items.reverse();
    let wanted = ["ticket.acknowledged", "ticket.assigned", "ticket.reprioritised"];
    assert_eq!(told(&Feed::new("jira").value(&many)), wanted);
    let mut bad = many;
    bad["changelog"]["items"][0]["toString"] = json!("Urgent!!");
    assert_eq!(
        (code(&Feed::new("jira").value(&bad)), told(&Feed::new("jira").value(&bad)).len()),
        ("unmapped-state", 0)
    );
}

#[test]
fn times_that_are_none_are_refused() {
    for (stamp, wanted) in [(json!(0), "bad-time"), (json!(1_772_439_185), "bad-time"), (json!("soon"), "bad-time")] {
        assert_eq!(code(&Feed::new("jira").value(&bent(1, json!({ "timestamp": stamp })))), wanted);
    }
    assert_eq!(code(&Feed::new("jira").value(&bent(1, json!({ "timestamp": null })))), "missing-time");
    let zoneless = json!({"/issue/fields/created": "2026-03-02T09:04:11.120"});
    assert_eq!(code(&Feed::new("jira").value(&bent(0, zoneless))), "bad-time");
}

#[test]
fn a_body_without_its_event_is_read_by_what_it_holds() {
    let mut feed = Feed::new("jira");
    feed.value(&bent(0, json!({})));
    let bare = bent(1, json!({"webhookEvent": null, "issue_event_type_name": null}));
    assert_eq!(told(&feed.value(&bare)), ["ticket.acknowledged", "ticket.assigned"]);
    assert_eq!(code(&feed.value(&json!({"text": "done"}))), "unknown-envelope");
}

/// A connector's row of the first issue.
fn row(updated: &str, status: &str, id: &str) -> Value {
    let mut issue = samples("jira")[0]["value"]["issue"].clone();
    issue["fields"]["status"] = json!({"name": status, "id": id, "statusCategory": {"key": "indeterminate"}});
    issue["fields"]["updated"] = json!(updated);
    issue
}

#[test]
fn of_rows_it_is_the_difference_and_its_time_an_upper_bound() {
    let mut feed = Feed::new("jira");
    assert_eq!(told(&feed.value(&row("2026-03-02T09:04:11.120+0100", "Open", "1"))), ["ticket.opened"]);
    let answer = feed.value(&row("2026-03-02T09:30:00.000+0100", "Work in progress", "3"));
    assert_eq!(told(&answer), ["ticket.acknowledged"]);
    assert_eq!((says(&answer, "timequality"), says(&answer, "actor")), (json!("upper-bound"), Value::Null));
    assert_eq!(code(&feed.value(&row("2026-03-02T09:30:00.000+0100", "Work in progress", "3"))), "no-change");
    assert_eq!(code(&feed.value(&row("2026-03-02T09:10:00.000+0100", "Open", "1"))), "stale");
}

#[test]
fn a_webhook_and_a_row_of_it_tell_once() {
    let mut feed = Feed::new("jira");
    feed.value(&bent(0, json!({})));
    feed.value(&bent(1, json!({})));
    let mut now = row("2026-03-02T09:13:05.010+0100", "Work in progress", "3");
    now["fields"]["assignee"] = json!({"accountId": "712020:0b3c"});
    assert_eq!(code(&feed.value(&now)), "no-change");
}

#[test]
fn another_status_to_wait_in_is_another_pause() {
    let mut feed = Feed::with("jira", "/jira/status/Waiting for vendor", json!("on-hold"));
    feed.value(&bent(3, json!({})));
    let other = bent(4, json!({"/changelog/items/0/toString": "Waiting for vendor", "/changelog/items/0/to": "9"}));
    let answer = feed.value(&other);
    assert_eq!(told(&answer), ["ticket.paused", "ticket.resumed"]);
    assert_eq!(answer.events[1].field("reason"), Some(&"waiting-for-customer".into()));
}

#[test]
fn a_description_of_any_size_and_kind_is_not_looked_at() {
    let document = json!({"type": "doc", "content": vec![json!({"type": "text", "text": "x".repeat(1000)}); 300]});
    let answer = Feed::new("jira").value(&bent(0, json!({"/issue/fields/description": document})));
    assert_eq!(told(&answer), ["ticket.opened"]);
}

#[test]
fn a_deleted_issue_and_a_comment_tell_nothing() {
    assert_eq!(code(&Feed::new("jira").value(&bent(0, json!({"webhookEvent": "jira:issue_deleted"})))), "deleted-row");
    assert_eq!(code(&Feed::new("jira").value(&bent(0, json!({"webhookEvent": "comment_created"})))), "not-relevant");
}
