//! Approvals: rows of `sysapproval_approver`, which name the person. What the change's own `approval` field says is a sum of
//! these and is not told again.

use super::sheet::Sheet;
use super::{ServiceNow, called};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::{Desk, Told};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::state::{Row, State};
use onus_engine::time::Moment;

/// Whose approval waits for which change's row.
fn waiting(change: &str) -> String {
    format!("waiting:{change}")
}

/// Whether an answer speaks for the change. One of a group's is one vote: what came of the vote the change's row says.
fn speaks(answer: &Row, change: &Row) -> bool {
    let kind = answer.get("kind").and_then(|kind| kind.strip_prefix("change."));
    change.get("number").is_some()
        && kind.is_some()
        && (answer.get("group").is_none() || kind == change.get("approval"))
}

/// Whether an answer waits for its change's row.
pub(super) fn waits(state: &State, id: &str, answer: &Row) -> bool {
    answer.get("of").and_then(|change| state.get(&waiting(change))).is_some_and(|queue| queue.get(id).is_some())
}

impl ServiceNow {
    pub(super) fn approval(&self, sheet: &Sheet<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let id = sheet.id()?.into_owned();
        let key = format!("sysapproval_approver:{id}");
        let known = desk.known(&key).cloned();
        let count = sheet.count()?;
        let before = known.as_ref().and_then(|row| row.get("count")).and_then(|text| text.parse::<i64>().ok());
        if before == Some(count) {
            return No::skip(Skip::Duplicate, format!("state {count} of approval {} was read", quoted(&id)));
        }
        if before.is_some_and(|before| count < before) {
            return No::skip(Skip::Stale, format!("a newer state of approval {} than {count} was read", quoted(&id)));
        }
        let Some(change) = sheet.get("sysapproval").or_else(|| sheet.get("document_id")) else {
            return No::error(Error::MissingSubject, "the approval does not say of what");
        };
        let of = sheet.get("source_table");
        if of.as_deref().is_some_and(|table| table != "change_request") {
            return No::skip(Skip::NotRelevant, "an approval of something that is no change");
        }
        let Some(state) = sheet.get("state") else {
            return No::error(Error::UnmappedState, "the approval has no state");
        };
        let (at, read) = sheet.needed("sys_updated_on")?;
        let next = before.map_or(count == 0, |before| count == before + 1);
        let quality = if next { read } else { Quality::UpperBound };
        let moved = known.as_ref().and_then(|row| row.get("state")) != Some(state.trim());
        let row = Row::default()
            .with("count", Some(&count.to_string()))
            .with("state", Some(state.trim()))
            .with("of", Some(&change));
        let kind = match state.trim() {
            "approved" => "change.approved",
            "rejected" => "change.rejected",
            "requested" | "not requested" | "not_requested" | "more_info_required" => {
                desk.remember(&key, row);
                return No::skip(Skip::NotFinal, "asked for, and not answered");
            }
            "cancelled" | "not_required" | "not required" | "no_longer_required" | "duplicate" => {
                desk.remember(&key, row);
                return No::skip(Skip::NotRelevant, "nobody has to answer any more");
            }
            other => return No::error(Error::UnmappedState, format!("{} is no state of an approval", quoted(other))),
        };
        if !moved {
            // What was answered, and when, stays: it may still wait to be told.
            desk.remember(&key, known.unwrap_or_default().with("count", Some(&count.to_string())));
            return No::skip(Skip::NoChange, "the answer is what it was");
        }
        // Who is named is whose approval it is; who wrote the row may be a delegate.
        let approver = sheet.get("approver").map(|id| called(&id, desk));
        let by = sheet.get("sys_updated_by").filter(|_| next || before.is_none());
        let row = row
            .with("kind", Some(kind))
            .with("answer", Some(&count.to_string()))
            .with("at", Some(&at.0.to_string()))
            .with("quality", Some(quality.word()))
            .with("by", by.as_deref())
            .with("approver", approver.as_deref())
            .with("group", sheet.get("group").as_deref());
        desk.remember(&key, row.clone());
        let parent = desk.known(&format!("change_request:{change}")).cloned().unwrap_or_default();
        if speaks(&row, &parent) {
            return self.answered(&id, &row, &parent, desk);
        }
        let place = waiting(&change);
        let mut queue = desk.known(&place).cloned().unwrap_or_default();
        queue.set(&id, Some(kind));
        desk.remember(&place, queue);
        No::skip(Skip::NotFinal, "it is remembered, and told when the change's own row says what came of it")
    }

    /// Approvals that came before the row of their change.
    pub(super) fn release(&self, change: &str, desk: &mut Desk<'_>) -> Result<usize, No> {
        let place = waiting(change);
        let Some(queue) = desk.known(&place).cloned() else { return Ok(0) };
        let row = desk.known(&format!("change_request:{change}")).cloned().unwrap_or_default();
        let (mut told, mut left) = (0, queue.clone());
        for (id, _) in queue.words() {
            let Some(answer) = desk.known(&format!("sysapproval_approver:{id}")).cloned() else { continue };
            if speaks(&answer, &row) {
                self.answered(id, &answer, &row, desk)?;
                told += 1;
            }
            // Told, or taken back before it could be.
            if answer.get("kind").is_none() || speaks(&answer, &row) {
                left.set(id, None);
            }
        }
        if left == Row::default() {
            desk.forget(&place);
        } else {
            desk.remember(&place, left);
        }
        Ok(told)
    }

    fn answered(&self, id: &str, row: &Row, change: &Row, desk: &mut Desk<'_>) -> Result<(), No> {
        let time = |row: &Row, name: &str| row.get(name).and_then(|at| at.parse::<i64>().ok());
        let (Some(kind), Some(at)) = (row.get("kind"), time(row, "at")) else {
            return No::error(Error::MissingTime, "the approval that was remembered has no answer");
        };
        // A vote counts from when the change was decided, and not from when it was given.
        let decided = time(change, "voted").filter(|decided| row.get("group").is_some() && *decided > at);
        // When a vote was decided the change's row shows at the latest, and the audit log exactly.
        let logged = change.get("voted-in").is_some();
        let exact = match decided {
            Some(_) => logged,
            None => row.get("quality") == Some(Quality::Exact.word()) && (logged || row.get("group").is_none()),
        };
        let at = decided.unwrap_or(at);
        let count = row.get("answer").unwrap_or_default();
        let mut data = Vec::from(self.who(row.get("by")));
        data.push(("approver", row.get("approver").map_or(Value::Null, Value::from)));
        // Nothing here says on whose side a person is.
        data.push(("side", Value::from("unknown")));
        desk.tell(Told {
            id: format!("sysapproval_approver:{id}:{count}"),
            kind: if kind == "change.approved" { "change.approved" } else { "change.rejected" },
            at: Moment(at),
            quality: if exact { Quality::Exact } else { Quality::UpperBound },
            subject: change.get("number").unwrap_or_default().to_owned(),
            partner: change.get("partner").unwrap_or_default().to_owned(),
            factkey: None,
            sequence: Some(count.to_owned()),
            correlation: None,
            data,
        })
    }
}
