//! ServiceNow's pitfalls, by name.

use super::feed::{Feed, code, samples, says, told};
use serde_json::{Value, json};

/// The first incident as it was opened, with other fields.
fn row(fields: Value) -> Value {
    let mut row = samples("servicenow")[0]["value"].clone();
    for (key, value) in fields.as_object().expect("fields") {
        row[key] = value.clone();
    }
    row
}

/// A later state of it.
fn later(count: u32, at: &str, fields: Value) -> Value {
    let mut row = row(fields);
    row["sys_mod_count"] = json!(count.to_string());
    row["sys_updated_on"] = json!(at);
    row
}

fn opened() -> Feed {
    let mut feed = Feed::new("servicenow");
    assert_eq!(told(&feed.value(&row(json!({})))), ["ticket.opened"]);
    feed
}

#[test]
fn the_same_state_again_is_a_duplicate_and_an_older_one_is_stale() {
    let mut feed = opened();
    assert_eq!(code(&feed.value(&row(json!({})))), "duplicate");
    feed.value(&later(5, "2026-03-02 09:00:00", json!({"state": "2"})));
    let before = feed.state.to_bytes();
    assert_eq!(code(&feed.value(&later(4, "2026-03-02 08:50:00", json!({"state": "1"})))), "stale");
    assert_eq!(feed.state.to_bytes(), before);
}

#[test]
fn a_count_that_jumps_makes_a_time_an_upper_bound_and_names_nobody() {
    let mut feed = opened();
    let answer = feed.value(&later(3, "2026-03-02 08:13:05", json!({"state": "2", "sys_updated_by": "ben.okafor"})));
    assert_eq!((says(&answer, "timequality"), says(&answer, "actor")), (json!("upper-bound"), Value::Null));
    let mut feed = opened();
    let answer = feed.value(&later(1, "2026-03-02 08:13:05", json!({"state": "2", "sys_updated_by": "ben.okafor"})));
    assert_eq!((says(&answer, "timequality"), says(&answer, "actor")), (json!("exact"), json!("ben.okafor")));
}

#[test]
fn a_pause_and_resumption_inside_one_poll_is_not_invented() {
    let mut feed = opened();
    feed.value(&later(1, "2026-03-02 08:10:00", json!({"state": "2"})));
    let answer = feed.value(&later(3, "2026-03-02 09:00:00", json!({"state": "2"})));
    assert_eq!(code(&answer), "no-change");
}

#[test]
fn resolved_at_without_a_seen_resolution_is_resolved_by_evidence() {
    let mut feed = opened();
    let fields = json!({"state": "7", "resolved_at": "2026-03-02 10:00:00", "closed_at": "2026-03-02 11:00:00"});
    let answer = feed.value(&later(9, "2026-03-02 11:00:01", fields));
    assert_eq!(told(&answer), ["ticket.resolved", "ticket.closed"]);
    let times: Vec<String> = answer.events.iter().map(|e| format!("{} {}", e.at, e.quality.word())).collect();
    assert_eq!(times, ["2026-03-02T10:00:00.000Z exact", "2026-03-02T11:00:00.000Z exact"]);
}

#[test]
fn a_ticket_that_is_first_seen_in_the_middle_is_opened_and_stands_where_it_stands() {
    let first = |fields: Value| told(&Feed::new("servicenow").value(&later(4, "2026-03-02 09:00:00", fields)));
    assert_eq!(first(json!({"state": "2"})), ["ticket.opened", "ticket.acknowledged"]);
    assert_eq!(first(json!({"state": "3", "hold_reason": "1"})), ["ticket.opened", "ticket.paused"]);
    assert_eq!(
        first(json!({"state": "6", "resolved_at": "2026-03-02 08:59:00"})),
        ["ticket.opened", "ticket.resolved"]
    );
    assert_eq!(first(json!({"state": "8"})), ["ticket.opened", "ticket.cancelled"]);
}

#[test]
fn a_row_that_was_forgotten_gives_the_ids_that_it_gave() {
    let mut feed = Feed::new("servicenow");
    let all = samples("servicenow");
    let mut ids: Vec<String> = Vec::new();
    for sample in &all[..9] {
        ids.extend(feed.read(sample).events.into_iter().map(|event| event.id));
    }
    feed.state.forget("incident:a23d0b951f84067341fb74fed0f4e4ad");
    let mut last = all[8].clone();
    last["value"]["sys_mod_count"] = json!("11");
    last["value"]["sys_updated_on"] = json!("2026-03-20 10:00:00");
    let again: Vec<String> = feed.read(&last).events.into_iter().map(|event| event.id).collect();
    assert!(again.len() == 3 && again.iter().all(|id| ids.contains(id)), "{again:?} of {ids:?}");
}

#[test]
fn the_empty_reference_is_a_text_and_a_full_one_an_object_in_any_display_mode() {
    let group = "c0ffee17db8a4410a1b2c3d4e5f60001";
    for reference in [
        json!({"link": format!("https://x/sys_user_group/{group}"), "value": group}),
        json!({"display_value": "Northwind MSP - IAM Ops", "link": format!("https://x/sys_user_group/{group}"), "value": group}),
        json!(group),
    ] {
        let answer = Feed::new("servicenow").value(&row(json!({"assignment_group": reference, "assigned_to": ""})));
        assert_eq!(says(&answer, "group"), json!(group));
        assert_eq!(says(&answer, "assignee"), Value::Null);
    }
}

#[test]
fn journal_fields_are_empty_in_the_table_and_told_to_nobody_where_they_are_not() {
    // But for the digest of the whole record.
    let lines = |fields: Value| {
        let answer = Feed::new("servicenow").value(&row(fields));
        let mut line = String::new();
        answer.events.iter().for_each(|event| event.write(&mut line));
        line.replace(says(&answer, "rawdigest").as_str().expect("a digest"), "")
    };
    let plain = lines(json!({}));
    assert_eq!(lines(json!({"comments": "", "work_notes": ""})), plain);
    let text = "2026-03-02 08:05:00 - Ada Byron (Work notes)\nasked the vault's owner";
    let full = lines(json!({"comments": text, "work_notes": text}));
    assert_eq!(full, plain, "what stands in them is neither told nor read for a state");
    let mut feed = opened();
    let note = json!({"work_notes": text});
    assert_eq!(code(&feed.value(&later(1, "2026-03-02 08:10:00", note))), "no-change");
}

#[test]
fn with_display_values_beside_values_the_values_count() {
    let both = |value: &str, label: &str| json!({"value": value, "display_value": label});
    let answer = Feed::new("servicenow").value(&row(json!({
        "state": both("1", "Neu"), "priority": both("2", "2 - Hoch"), "opened_at": both("2026-03-02 08:04:11", "02.03.2026 09:04:11"),
        "sys_mod_count": both("1002", "1.002"), "sys_updated_on": both("2026-03-02 08:05:00", "02.03.2026 09:05:00"),
    })));
    assert_eq!((says(&answer, "priority"), says(&answer, "time")), (json!("P2"), json!("2026-03-02T08:04:11.000Z")));
}

#[test]
fn labels_alone_are_no_states_unless_the_tables_say_so_and_their_times_need_a_zone() {
    let labelled = row(json!({
        "state": "New", "priority": "2 - High", "sys_mod_count": "1,002",
        "assignment_group": {"display_value": "Northwind MSP - IAM Ops", "link": "https://x/c0ffee17db8a4410a1b2c3d4e5f60001"},
    }));
    assert_eq!(code(&Feed::new("servicenow").value(&labelled)), "bad-time");
    let mut all: Value = serde_json::from_str(&super::feed::tables()).expect("tables");
    all["servicenow"]["display_zone"] = json!("Europe/Warsaw");
    assert_eq!(code(&Feed::under("servicenow", &all.to_string()).value(&labelled)), "unmapped-state");
    all["servicenow"]["incident"]["state"]["New"] = json!("new");
    all["servicenow"]["priority"]["2 - High"] = json!("P2");
    let answer = Feed::under("servicenow", &all.to_string()).value(&labelled);
    assert_eq!((says(&answer, "time"), says(&answer, "priority")), (json!("2026-03-02T07:04:11.000Z"), json!("P2")));
    // An hour that no clock showed.
    let mut gap = labelled.clone();
    gap["opened_at"] = json!("2026-03-29 02:30:00");
    assert_eq!(code(&Feed::under("servicenow", &all.to_string()).value(&gap)), "bad-time");
}

#[test]
fn milliseconds_are_read_and_zero_is_nothing() {
    let at = |opened: Value| says(&Feed::new("servicenow").value(&row(json!({"opened_at": opened}))), "time");
    assert_eq!(at(json!(1_772_438_651_000_i64)), json!("2026-03-02T08:04:11.000Z"));
    assert_eq!(at(json!(0)), json!("2026-03-02T08:04:12.000Z"));
    assert_eq!(code(&Feed::new("servicenow").value(&row(json!({"opened_at": 5})))), "bad-time");
}

#[test]
fn a_ticket_given_to_the_customer_stays_with_its_partner() {
    let mut feed = opened();
    let answer = feed.value(&later(1, "2026-03-02 09:00:00", json!({"assignment_group": "d00d"})));
    assert_eq!((told(&answer), says(&answer, "partner")), (vec!["ticket.assigned"], json!("northwind-msp")));
    assert_eq!(code(&Feed::new("servicenow").value(&row(json!({"assignment_group": "d00d"})))), "unknown-partner");
    assert_eq!(code(&Feed::new("servicenow").value(&row(json!({"assignment_group": ""})))), "unknown-partner");
}

#[test]
fn users_that_stand_for_nobody_are_nobody() {
    for user in ["system", "guest", "svc.kafka.connect"] {
        let answer = Feed::new("servicenow").value(&row(json!({"sys_created_by": user})));
        assert_eq!((says(&answer, "actor"), says(&answer, "actortype")), (Value::Null, json!("service")));
    }
    let answer = Feed::new("servicenow").value(&row(json!({"sys_created_by": ""})));
    assert_eq!((says(&answer, "actor"), says(&answer, "actortype")), (Value::Null, json!("unknown")));
}

#[test]
fn a_user_that_was_read_is_called_by_name() {
    let mut feed = opened();
    let user = json!({"table_name": "sys_user", "sys_id": "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2", "user_name": "ben.okafor", "email": "x"});
    assert_eq!(code(&feed.value(&user)), "not-relevant");
    let fields = json!({"state": "6", "resolved_at": "2026-03-02 10:00:00", "resolved_by": {"value": "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"}});
    assert_eq!(says(&feed.value(&later(1, "2026-03-02 10:00:01", fields)), "actor"), json!("ben.okafor"));
}

#[test]
fn another_reason_to_wait_is_another_pause() {
    let mut feed = opened();
    feed.value(&later(1, "2026-03-02 09:00:00", json!({"state": "3", "hold_reason": "1"})));
    let answer = feed.value(&later(2, "2026-03-02 10:00:00", json!({"state": "3", "hold_reason": "4"})));
    assert_eq!(told(&answer), ["ticket.paused", "ticket.resumed"]);
    assert_eq!(says(&answer, "reason"), json!("awaiting-vendor"));
    assert_eq!(
        code(&feed.value(&later(3, "2026-03-02 10:00:00", json!({"state": "3", "hold_reason": "9"})))),
        "unmapped-state"
    );
}

#[test]
fn a_pause_that_ended_with_the_ticket_ends_when_it_is_reopened() {
    let mut feed = opened();
    feed.value(&later(1, "2026-03-02 09:00:00", json!({"state": "3", "hold_reason": "1"})));
    let fields = json!({"state": "6", "resolved_at": "2026-03-02 10:00:00"});
    assert_eq!(told(&feed.value(&later(2, "2026-03-02 10:00:00", fields))), ["ticket.resolved"]);
    let answer = feed.value(&later(3, "2026-03-02 11:00:00", json!({"state": "2"})));
    assert_eq!(told(&answer), ["ticket.resumed", "ticket.reopened"]);
}

#[test]
fn reopened_and_resolved_again_between_two_looks_is_told_by_its_evidence() {
    let mut feed = opened();
    feed.value(&later(1, "2026-03-02 10:00:00", json!({"state": "6", "resolved_at": "2026-03-02 10:00:00"})));
    let fields = json!({
        "state": "6", "resolved_at": "2026-03-02 13:00:00", "reopen_count": "1", "reopened_time": "2026-03-02 12:00:00",
    });
    let answer = feed.value(&later(4, "2026-03-02 13:00:00", fields));
    let mut times: Vec<String> = answer.events.iter().map(|e| format!("{} {}", e.at, e.kind)).collect();
    times.sort();
    assert_eq!(times, ["2026-03-02T12:00:00.000Z ticket.reopened", "2026-03-02T13:00:00.000Z ticket.resolved"]);
}

#[test]
fn an_approval_waits_for_its_change_and_names_whose_it_is() {
    let all = samples("servicenow");
    let mut feed = Feed::new("servicenow");
    assert_eq!(code(&feed.read(&all[13])), "not-final");
    let answer = feed.read(&all[11]);
    assert_eq!(told(&answer), ["change.requested", "change.approved"]);
    let approval = &answer.events[1];
    assert_eq!((approval.subject.as_str(), approval.partner.as_str()), ("CHG0030077", "northwind-msp"));
    assert_eq!(approval.field("approver"), Some(&"c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3".into()));
    assert_eq!(approval.field("actor"), Some(&"cho.lin".into()));
    assert_eq!(approval.field("side"), Some(&"unknown".into()));
    assert_eq!(code(&feed.read(&all[13])), "duplicate");
}

#[test]
fn one_vote_of_a_group_is_not_the_changes_approval() {
    let all = samples("servicenow");
    let mut feed = Feed::new("servicenow");
    feed.read(&all[11]);
    let mut vote = all[13].clone();
    vote["value"]["group"] = json!({"value": "9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a"});
    let mut against = vote.clone();
    against["value"]["sys_id"] = json!("another");
    against["value"]["state"] = json!("rejected");
    assert_eq!(code(&feed.read(&vote)), "not-final");
    assert_eq!(code(&feed.read(&against)), "not-final");
    let answer = feed.read(&all[14]);
    assert_eq!(told(&answer), ["change.scheduled", "change.approved"]);
    let approved = &answer.events[1];
    // When the vote was over at the latest, and not when this one was given.
    assert_eq!(
        (approved.at.to_string().as_str(), approved.quality.word()),
        ("2026-03-02T08:31:50.000Z", "upper-bound")
    );
}

#[test]
fn an_approval_that_waits_may_be_written_again_or_taken_back() {
    let all = samples("servicenow");
    let state = |count: &str, state: &str| {
        let mut row = all[13].clone();
        row["value"]["sys_mod_count"] = json!(count);
        row["value"]["state"] = json!(state);
        row["value"]["sys_updated_on"] = json!("2026-03-02 08:32:00");
        row
    };
    let mut feed = Feed::new("servicenow");
    feed.read(&all[13]);
    assert_eq!(code(&feed.read(&state("2", "approved"))), "no-change");
    let answer = feed.read(&all[11]);
    assert_eq!(told(&answer), ["change.requested", "change.approved"]);
    assert_eq!(answer.events[1].at.to_string(), "2026-03-02T08:31:44.000Z");
    let mut feed = Feed::new("servicenow");
    feed.read(&all[13]);
    assert_eq!(code(&feed.read(&state("2", "requested"))), "not-final");
    assert_eq!(told(&feed.read(&all[11])), ["change.requested"]);
}

#[test]
fn an_approval_of_something_else_and_one_that_nobody_needs_tell_nothing() {
    let mut other = samples("servicenow")[13]["value"].clone();
    other["source_table"] = json!("sc_req_item");
    assert_eq!(code(&Feed::new("servicenow").value(&other)), "not-relevant");
    let mut not_needed = samples("servicenow")[13]["value"].clone();
    not_needed["state"] = json!("not_required");
    assert_eq!(code(&Feed::new("servicenow").value(&not_needed)), "not-relevant");
    not_needed["state"] = json!("Genehmigt");
    assert_eq!(code(&Feed::new("servicenow").value(&not_needed)), "unmapped-state");
}

/// A change at its first state, then at another.
fn change(fields: Value) -> Vec<&'static str> {
    let mut feed = Feed::new("servicenow");
    let mut row = samples("servicenow")[11]["value"].clone();
    feed.value(&row);
    row["sys_mod_count"] = json!("5");
    row["sys_updated_on"] = json!("2026-03-02 12:00:00");
    for (key, value) in fields.as_object().expect("fields") {
        row[key] = value.clone();
    }
    told(&feed.value(&row))
}

#[test]
fn a_change_that_is_closed_without_its_work_having_been_seen_was_executed_only_by_evidence() {
    let work = json!({"state": "3", "close_code": "successful", "work_end": "2026-03-02 11:00:00", "closed_at": "2026-03-02 12:00:00"});
    assert_eq!(change(work), ["change.executed", "change.closed"]);
    assert_eq!(change(json!({"state": "3", "close_code": "successful"})), ["change.closed"]);
    assert_eq!(change(json!({"state": "3", "close_code": "unsuccessful"})), ["change.failed", "change.closed"]);
    assert_eq!(change(json!({"state": "4"})), ["change.closed"]);
}

#[test]
fn whether_a_change_is_privileged_is_not_known_and_not_no() {
    let answer = Feed::new("servicenow").read(&samples("servicenow")[11]);
    assert_eq!(answer.events[0].field("privileged"), Some(&onus::ingest::adapt::Value::Null));
}

#[test]
fn what_is_missing_or_unknown_has_its_code() {
    for (fields, wanted) in [
        (json!({"sys_id": ""}), "missing-id"),
        (json!({"sys_mod_count": ""}), "missing-id"),
        (json!({"number": ""}), "missing-subject"),
        (json!({"number": "INC\u{7}1"}), "missing-subject"),
        (json!({"number": "I".repeat(2000)}), "too-large"),
        (json!({"state": "77"}), "unmapped-state"),
        (json!({"state": ""}), "unmapped-state"),
        (json!({"priority": "9"}), "unmapped-state"),
        (json!({"sys_updated_on": ""}), "missing-time"),
        (json!({"sys_updated_on": "yesterday"}), "bad-time"),
        (json!({"opened_at": "2026-02-30 08:00:00"}), "bad-time"),
        (json!({"sys_class_name": "u_odd"}), "unknown-table"),
    ] {
        let row = row(fields.clone());
        let row = if fields["state"] == "" { super::servicenow::without(row, "incident_state") } else { row };
        let mut feed = Feed::new("servicenow");
        assert_eq!(code(&feed.value(&row)), wanted, "{fields}");
        assert!(feed.state.is_empty(), "{fields}");
    }
    assert_eq!(code(&Feed::new("servicenow").text("[1]")), "unknown-envelope");
    assert_eq!(code(&Feed::new("servicenow").text("{")), "not-json");
    assert_eq!(code(&Feed::new("servicenow").text("{\"a\": 1, \"a\": 2}")), "not-json");
}

pub(crate) fn without(mut row: Value, field: &str) -> Value {
    row.as_object_mut().expect("a row").remove(field);
    row
}

#[test]
fn a_deleted_row_takes_nothing_back() {
    let mut feed = opened();
    let gone = json!({"table_name": "incident", "operation": "delete", "record": row(json!({}))});
    assert_eq!(code(&feed.value(&gone)), "deleted-row");
    assert_eq!(code(&feed.value(&json!({"table_name": "sys_audit_delete", "documentkey": "x"}))), "deleted-row");
}

#[test]
fn what_the_sender_says_stood_before_is_a_difference_too() {
    let answer = Feed::new("servicenow").read(&samples("servicenow")[26]);
    assert_eq!(told(&answer), ["ticket.opened", "ticket.acknowledged"]);
    assert_eq!(answer.events[1].quality.word(), "exact");
}

#[test]
fn what_stood_before_does_not_make_exact_what_was_missed() {
    let all = samples("servicenow");
    let mut feed = Feed::new("servicenow");
    feed.read(&all[25]);
    let mut later = all[26].clone();
    later["value"]["record"]["sys_mod_count"] = json!("4");
    later["value"]["previous"] = json!({"state": "2", "priority": "2"});
    let answer = feed.read(&later);
    assert_eq!((told(&answer), says(&answer, "timequality")), (vec!["ticket.acknowledged"], json!("upper-bound")));
}

#[test]
fn a_table_is_named_by_the_collector_by_its_class_or_by_the_topic() {
    let plain = without(row(json!({})), "sys_class_name");
    assert_eq!(code(&Feed::new("servicenow").value(&plain)), "unknown-table");
    let by_topic = json!({"topic": "itsm.servicenow.incident", "value": plain});
    assert_eq!(told(&Feed::new("servicenow").read(&by_topic)), ["ticket.opened"]);
    let by_collector = row(json!({"sys_class_name": "Incident", "table_name": "incident"}));
    assert_eq!(told(&Feed::new("servicenow").value(&by_collector)), ["ticket.opened"]);
}
