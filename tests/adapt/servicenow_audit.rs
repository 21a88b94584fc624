//! ServiceNow's audit log beside its rows: what changed is told once, exactly, whichever feed is read first.

use super::feed::{Feed, code, samples, says, tables, told};
use onus::ingest::adapt::{Answer, Event};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const TICKET: &str = "a23d0b951f84067341fb74fed0f4e4ad";

/// Under tables that call these audited.
fn feed() -> Feed {
    Feed::with("servicenow", "/servicenow/audited", json!(["incident", "sc_task", "change_request"]))
}

fn opened() -> Feed {
    let mut feed = feed();
    assert_eq!(told(&feed.read(&samples("servicenow")[0])), ["ticket.opened"]);
    feed
}

/// One field's step of the first incident.
fn audit(count: u32, field: &str, old: &str, new: &str) -> Value {
    json!({
        "sys_id": format!("{count}{field}"), "tablename": "incident", "documentkey": TICKET, "fieldname": field,
        "oldvalue": old, "newvalue": new, "user": "ben.okafor", "record_checkpoint": count.to_string(),
        "sys_created_on": format!("2026-03-02 {:02}:{:02}:00", 9 + count / 60, count % 60),
    })
}

#[test]
fn every_sample_of_the_log_reads_as_it_is_meant() {
    let mut feed = feed();
    for (n, sample) in samples("servicenow-audit").iter().enumerate() {
        let answer = feed.read(sample);
        assert_eq!(json!(told(&answer)), sample["means"], "{}: {answer:?}", n + 1);
        assert!(answer.errors.is_empty(), "{}: {answer:?}", n + 1);
    }
}

#[test]
fn what_one_poll_missed_is_told_exactly_with_who_did_it() {
    let mut feed = opened();
    assert_eq!(code(&feed.value(&audit(1, "state", "2", "3"))), "not-final");
    let paused = feed.value(&audit(1, "hold_reason", "", "1"));
    assert_eq!((told(&paused), says(&paused, "reason")), (vec!["ticket.paused"], json!("awaiting-caller")));
    let resumed = feed.value(&audit(2, "state", "3", "2"));
    assert_eq!(told(&resumed), ["ticket.resumed"]);
    for (answer, at) in [(&paused, "2026-03-02T09:01:00.000Z"), (&resumed, "2026-03-02T09:02:00.000Z")] {
        assert_eq!((says(answer, "time"), says(answer, "timequality")), (json!(at), json!("exact")));
        assert_eq!((says(answer, "actor"), says(answer, "subject")), (json!("ben.okafor"), json!("INC0010482")));
    }
    // The row that polling sees then tells nothing again.
    let mut row = samples("servicenow")[4]["value"].clone();
    row["sys_mod_count"] = json!("2");
    assert_eq!(code(&feed.value(&row)), "no-change");
}

#[test]
fn without_the_setting_rows_tell_and_the_log_does_not() {
    let mut feed = Feed::new("servicenow");
    feed.read(&samples("servicenow")[0]);
    let answer = feed.value(&audit(1, "state", "1", "2"));
    assert!(code(&answer) == "not-relevant" && answer.skips[0].1.contains("servicenow.audited"), "{answer:?}");
    assert_eq!(
        told(&feed.read(&samples("servicenow")[2])),
        ["ticket.acknowledged", "ticket.assigned", "ticket.reprioritised"]
    );
}

#[test]
fn a_pause_whose_update_set_no_reason_has_the_one_that_was_set_before() {
    let mut feed = opened();
    feed.value(&audit(1, "hold_reason", "", "4"));
    feed.value(&audit(1, "state", "1", "3"));
    assert_eq!(told(&feed.value(&audit(2, "state", "3", "2"))), ["ticket.resumed"]);
    assert_eq!(code(&feed.value(&audit(3, "state", "2", "3"))), "not-final");
    // Any later row of the record says that no reason will come.
    let answer = feed.value(&audit(4, "work_notes", "", "x"));
    assert_eq!((told(&answer), says(&answer, "reason")), (vec!["ticket.paused"], json!("awaiting-vendor")));
    assert_eq!(says(&answer, "time"), json!("2026-03-02T09:03:00.000Z"));
}

#[test]
fn another_reason_to_wait_is_another_pause_in_the_log_too() {
    let mut feed = opened();
    feed.value(&audit(1, "state", "1", "3"));
    feed.value(&audit(1, "hold_reason", "", "1"));
    let answer = feed.value(&audit(2, "hold_reason", "1", "4"));
    assert_eq!(told(&answer), ["ticket.resumed", "ticket.paused"]);
    assert_eq!(answer.events[0].field("reason"), Some(&"awaiting-caller".into()));
    assert_eq!(answer.events[1].field("reason"), Some(&"awaiting-vendor".into()));
    assert_eq!(told(&feed.value(&audit(3, "state", "3", "2"))), ["ticket.resumed"]);
}

#[test]
fn a_pause_that_a_resolution_cut_short_ends_when_the_work_goes_on() {
    let mut feed = opened();
    feed.value(&audit(1, "state", "1", "3"));
    feed.value(&audit(1, "hold_reason", "", "1"));
    assert_eq!(told(&feed.value(&audit(2, "state", "3", "6"))), ["ticket.resolved"]);
    assert_eq!(told(&feed.value(&audit(3, "state", "6", "2"))), ["ticket.resumed", "ticket.reopened"]);
    assert_eq!(told(&feed.value(&audit(4, "state", "2", "6"))), ["ticket.resolved"]);
    assert_eq!(told(&feed.value(&audit(5, "state", "6", "2"))), ["ticket.reopened"]);
}

#[test]
fn a_step_is_told_once_however_often_the_log_is_read() {
    let mut feed = opened();
    feed.value(&audit(1, "state", "1", "2"));
    let before = feed.state.to_bytes();
    assert_eq!(code(&feed.value(&audit(1, "state", "1", "2"))), "duplicate");
    assert_eq!(feed.state.to_bytes(), before);
}

#[test]
fn a_record_that_no_row_has_shown_waits_and_nobody_elses_partner_is_guessed() {
    let mut feed = feed();
    assert_eq!(code(&feed.value(&audit(1, "state", "1", "2"))), "not-final");
    assert_eq!(code(&feed.value(&audit(1, "work_notes", "", "x"))), "not-relevant");
    let answer = feed.read(&samples("servicenow")[0]);
    assert_eq!(told(&answer), ["ticket.opened", "ticket.acknowledged"]);
    assert!(answer.events.iter().all(|event| event.partner == "northwind-msp"));
}

#[test]
fn what_the_log_does_not_say_has_its_code() {
    for (field, value, wanted) in [
        ("documentkey", json!(""), "missing-subject"),
        ("record_checkpoint", json!(""), "missing-id"),
        ("sys_created_on", json!(""), "missing-time"),
        ("newvalue", json!("77"), "unmapped-state"),
        ("tablename", json!(""), "unknown-table"),
        ("tablename", json!("u_odd"), "not-relevant"),
    ] {
        let mut feed = opened();
        let before = feed.state.to_bytes();
        let mut row = audit(1, "state", "1", "2");
        row[field] = value;
        assert_eq!(code(&feed.value(&row)), wanted, "{field}");
        assert_eq!(feed.state.to_bytes(), before);
    }
    assert!(
        onus::ingest::adapt::Settings::parse(&tables().replacen(
            "\"system_users\"",
            "\"audited\": [\"incidnt\"], \"system_users\"",
            1
        ))
        .is_err()
    );
}

#[test]
fn a_vote_counts_from_the_update_that_decided_it() {
    let all = samples("servicenow");
    let approval = |count: &str, at: &str, new: &str| {
        json!({
            "sys_id": count, "tablename": "change_request", "documentkey": "ac3fa62fea1c76be2fcb89a9c0ff487a", "fieldname": "approval",
            "oldvalue": "requested", "newvalue": new, "user": "system", "record_checkpoint": count, "sys_created_on": at,
        })
    };
    let mut vote = all[13].clone();
    vote["value"]["group"] = json!({"value": "9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a9a"});
    let decided = approval("2", "2026-03-02 08:31:47", "approved");
    let records = [all[11].clone(), vote, json!({"topic": "x.sys_audit", "value": decided}), all[14].clone()];
    let mut orders = Vec::new();
    for order in [[0, 1, 2, 3], [2, 1, 0, 3], [1, 0, 3, 2], [0, 3, 1, 2], [0, 2, 3, 1]] {
        let mut feed = feed();
        let answers: Vec<Answer> = order.iter().map(|n| feed.read(&records[*n])).collect();
        let approved: Vec<Event> = answers
            .iter()
            .flat_map(|answer| answer.events.clone())
            .filter(|event| event.kind == "change.approved")
            .collect();
        assert_eq!(approved.len(), 1, "{order:?}");
        assert_eq!(
            (approved[0].at.to_string().as_str(), approved[0].quality.word()),
            ("2026-03-02T08:31:47.000Z", "exact")
        );
        orders.push(approved[0].id.clone());
    }
    orders.dedup();
    assert_eq!(orders.len(), 1);
}

/// A ticket's life: each update sets some fields.
#[derive(Clone, Debug)]
struct Life {
    updates: Vec<BTreeMap<&'static str, String>>,
    /// Which of its states polling sees.
    seen: Vec<bool>,
}

fn lives() -> impl Strategy<Value = Life> {
    let update = (
        proptest::sample::select(vec!["1", "2", "2", "3", "3", "3", "6", "7"]),
        proptest::sample::select(vec!["1", "4"]),
        proptest::option::weighted(0.3, proptest::sample::select(vec!["1", "2", "3"])),
        proptest::option::weighted(0.2, proptest::sample::select(vec!["aa", "bb"])),
        any::<bool>(),
    );
    proptest::collection::vec(update, 1..14).prop_map(|all| {
        let mut updates = vec![BTreeMap::from([("state", "1".to_owned()), ("priority", "3".to_owned())])];
        let mut seen = vec![true];
        for (state, reason, priority, assignee, look) in all {
            let mut now = updates.last().expect("a state").clone();
            now.insert("state", state.to_owned());
            now.insert("hold_reason", if state == "3" { reason.to_owned() } else { String::new() });
            now.extend(priority.map(|word| ("priority", word.to_owned())));
            now.extend(assignee.map(|word| ("assigned_to", word.to_owned())));
            updates.push(now);
            seen.push(look);
        }
        Life { updates, seen }
    })
}

fn time(count: usize) -> String {
    format!("2026-03-02 {:02}:{:02}:00", 9 + count / 60, count % 60)
}

impl Life {
    fn rows(&self) -> Vec<Value> {
        let row = |(count, fields): (usize, &BTreeMap<&str, String>)| {
            let mut row = samples("servicenow")[0]["value"].clone();
            fields.iter().for_each(|(name, value)| row[*name] = json!(value));
            row["sys_mod_count"] = json!(count.to_string());
            row["sys_updated_on"] = json!(time(count));
            row
        };
        self.updates.iter().enumerate().filter(|(count, _)| self.seen[*count]).map(row).collect()
    }

    /// The log, an update's fields in one order or the other.
    fn log(&self, turned: bool) -> Vec<Value> {
        let mut all = Vec::new();
        for (count, pair) in self.updates.windows(2).enumerate() {
            let fields =
                pair[1].iter().filter(|(name, value)| pair[0].get(**name).map_or("", |old| old) != value.as_str());
            let mut rows: Vec<Value> = fields
                .map(|(name, value)| {
                    let mut row = audit(count as u32 + 1, name, pair[0].get(*name).map_or("", |old| old), value);
                    row["sys_created_on"] = json!(time(count + 1));
                    row
                })
                .collect();
            if turned {
                rows.reverse();
            }
            all.extend(rows);
        }
        // Something after it all, so that nothing waits any more.
        all.push(audit(100, "work_notes", "", "x"));
        all
    }
}

/// What is told, by id, when these are read one after another as the picks say.
fn read(rows: &[Value], log: &[Value], picks: &[bool]) -> Result<(BTreeMap<String, Event>, Vec<u8>), TestCaseError> {
    let (mut rows, mut log, mut picks) = (rows.iter(), log.iter(), picks.iter().cycle());
    let (mut feed, mut all) = (feed(), BTreeMap::new());
    loop {
        let first = *picks.next().unwrap_or(&true);
        let next = if first { rows.next().or_else(|| log.next()) } else { log.next().or_else(|| rows.next()) };
        let Some(next) = next else { return Ok((all, feed.state.to_bytes())) };
        let answer = feed.value(next);
        prop_assert!(answer.errors.is_empty(), "{answer:?}");
        for mut event in answer.events {
            event.data.retain(|(name, _)| *name != "rawdigest");
            let before = all.insert(event.id.clone(), event);
            prop_assert!(before.is_none(), "told twice: {before:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whichever_feed_is_read_first_the_same_is_told_once(
        life in lives(),
        picks in proptest::collection::vec(any::<bool>(), 1..40),
        turned in any::<bool>(),
    ) {
        let rows = life.rows();
        let (mixed, state) = read(&rows, &life.log(turned), &picks)?;
        let (rows_first, _) = read(&rows, &life.log(false), &[true])?;
        let (log_first, other) = read(&rows, &life.log(turned), &[false])?;
        prop_assert_eq!(&mixed, &rows_first);
        prop_assert_eq!(&mixed, &log_first);
        prop_assert_eq!(state, other);
        // Each step is there at its own time: as many pauses as the ticket went on hold or changed its reason.
        let on_hold = |fields: &BTreeMap<&str, String>| fields["state"] == "3";
        let pauses = life.updates.windows(2).filter(|pair| on_hold(&pair[1]) && (!on_hold(&pair[0]) || pair[0].get("hold_reason") != pair[1].get("hold_reason")));
        prop_assert_eq!(mixed.values().filter(|event| event.kind == "ticket.paused").count(), pauses.count());
        prop_assert!(mixed.values().all(|event| event.quality.word() == "exact"));
    }
}
