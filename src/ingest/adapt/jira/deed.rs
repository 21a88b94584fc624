//! What a step from one status to another means, and the event that it becomes.

use super::Issue;
use crate::ingest::adapt::codes::{Error, No, quoted};
use crate::ingest::adapt::desk::{Desk, Told};
use crate::ingest::adapt::event::{Quality, Value};
use onus_engine::time::Moment;

/// What is the same for every event of one record.
pub(super) struct Source<'s> {
    pub(super) issue: &'s Issue,
    /// The change log's id, or what stands for it.
    pub(super) log: String,
    pub(super) at: Moment,
    pub(super) quality: Quality,
    pub(super) actor: [(&'static str, Value); 2],
    pub(super) priority: Option<String>,
}

/// One event to be.
pub(super) struct Deed {
    pub(super) kind: &'static str,
    /// The field of the change log that says it.
    pub(super) field: &'static str,
    pub(super) at: Option<Moment>,
    pub(super) data: Vec<(&'static str, Value)>,
}

impl Deed {
    pub(super) fn new(kind: &'static str, field: &'static str) -> Deed {
        Deed { kind, field, at: None, data: Vec::new() }
    }
}

/// In this order events of one record are told.
const ORDER: &[&str] = &[
    "ticket.opened",
    "change.requested",
    "ticket.acknowledged",
    "ticket.assigned",
    "ticket.reprioritised",
    "ticket.paused",
    "ticket.resumed",
    "ticket.resolved",
    "ticket.reopened",
    "ticket.closed",
    "ticket.cancelled",
];

/// What a ticket's step means; `None` before it where nobody knows.
pub(super) fn ticket(from: Option<&str>, to: &str, status: &str) -> Result<Vec<Deed>, No> {
    let over = |stage: &str| matches!(stage, "resolved" | "closed" | "cancelled");
    let mut deeds = Vec::new();
    let deed = |kind| Deed::new(kind, "status");
    if from == Some(to) && to != "on-hold" {
        return Ok(deeds);
    }
    if !over(to) && from.is_some_and(over) {
        deeds.push(deed("ticket.reopened"));
    }
    if from == Some("on-hold") && to != "on-hold" && !over(to) {
        deeds.push(deed("ticket.resumed"));
    }
    match to {
        "in-progress" if from == Some("new") => deeds.push(deed("ticket.acknowledged")),
        "new" | "in-progress" => {}
        "on-hold" => {
            let mut pause = deed("ticket.paused");
            pause.data.push(("reason", Value::from(reason(status))));
            deeds.push(pause);
        }
        "resolved" if from == Some("closed") => {}
        "resolved" => deeds.push(deed("ticket.resolved")),
        "closed" => deeds.push(deed("ticket.closed")),
        "cancelled" => deeds.push(deed("ticket.cancelled")),
        other => {
            return No::error(Error::UnmappedState, format!("{} is a change's state, and this is none", quoted(other)));
        }
    }
    Ok(deeds)
}

/// What a change's step means; nothing is told of states on the way.
pub(super) fn change(from: Option<&str>, to: &str) -> Option<Deed> {
    if from == Some(to) {
        return None;
    }
    let kind = match to {
        "approved" => "change.approved",
        "rejected" => "change.rejected",
        "scheduled" => "change.scheduled",
        "executed" => "change.executed",
        "failed" => "change.failed",
        "rolled-back" => "change.rolled-back",
        "closed" | "cancelled" => "change.closed",
        _ => return None,
    };
    let mut deed = Deed::new(kind, "status");
    if to == "cancelled" {
        deed.data.push(("outcome", Value::from("cancelled")));
    }
    Some(deed)
}

/// A reason to wait, from the status' own name: Jira has no other.
pub(super) fn reason(status: &str) -> String {
    let words: Vec<String> = status.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

impl Source<'_> {
    pub(super) fn tell(&self, mut deeds: Vec<Deed>, desk: &mut Desk<'_>) -> Result<(), No> {
        deeds.sort_by_key(|deed| ORDER.iter().position(|kind| *kind == deed.kind).unwrap_or(ORDER.len()));
        for deed in deeds {
            let word = deed.kind.rsplit('.').next().unwrap_or_default();
            let mut data = Vec::from(self.actor.clone());
            data.extend(self.priority.as_deref().map(|priority| ("priority", Value::from(priority))));
            if deed.kind == "change.requested" {
                // No field says whether it touches privileged access: not known is not no.
                data.push(("privileged", Value::Null));
            }
            data.extend(deed.data);
            desk.tell(Told {
                // One change of one field: the same in the webhook and in the change log.
                id: format!("{}:{}:{}:{word}", self.issue.id, self.log, deed.field),
                kind: deed.kind,
                at: deed.at.unwrap_or(self.at),
                quality: if deed.at.is_some() { Quality::Exact } else { self.quality },
                subject: self.issue.key.clone(),
                partner: self.issue.partner.clone(),
                factkey: None,
                sequence: None,
                correlation: None,
                data,
            })?;
        }
        Ok(())
    }
}
