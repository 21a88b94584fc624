//! Incidents and catalogue tasks.

use super::sheet::Sheet;
use super::{ServiceNow, Update, called};
use crate::ingest::adapt::codes::{Error, No, Skip};
use crate::ingest::adapt::desk::{Desk, Told};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::settings::Table;
use crate::ingest::adapt::state::Row;
use crate::ingest::adapt::tree::Tree;
use onus_engine::time::Moment;

/// What a row says, in our words.
struct Now<'s> {
    state: &'s str,
    priority: Option<&'s str>,
    hold: Option<String>,
    group: Option<String>,
    assignee: Option<String>,
    resolved: Option<(Moment, Quality)>,
    reopened: Option<String>,
}

/// One thing that happened.
struct Deed {
    word: &'static str,
    at: Moment,
    quality: Quality,
    /// What makes its id: the instant that proves it, or the state of the row that showed it.
    proof: Option<Moment>,
    actor: [(&'static str, Value); 2],
    data: Vec<(&'static str, Value)>,
}

pub(super) fn ended(state: &str) -> bool {
    matches!(state, "resolved" | "closed" | "cancelled")
}

impl ServiceNow {
    pub(super) fn ticket(
        &self,
        table: &'static str,
        states: &Table,
        sheet: &Sheet<'_, '_>,
        previous: Option<&Tree<'_>>,
        desk: &mut Desk<'_>,
    ) -> Result<(), No> {
        let key = format!("{table}:{}", sheet.id()?);
        let known = desk.known(&key).cloned();
        let update = self.update(table, sheet, known.as_ref(), previous.is_some())?;
        desk.about(&update.number, &update.partner, update.at);
        let now = self.now(states, sheet)?;
        let mut deeds = Vec::new();
        let mut paused = known.as_ref().and_then(|row| row.get("paused")).map(str::to_owned);
        match (&known, previous) {
            // The log tells what changed.
            (Some(_), _) if self.audited(table) => {}
            (None, _) if self.audited(table) => deeds.push(self.opened(&update, &now)?),
            (Some(row), _) => self.differences(&update, row, &now, &mut paused, desk, &mut deeds)?,
            (None, Some(previous)) => {
                // The sender says what stood before: that is a difference, too.
                deeds.push(self.opened(&update, &now)?);
                let row = self.before(states, previous, &now)?;
                self.differences(&update, &row, &now, &mut paused, desk, &mut deeds)?;
            }
            (None, None) => {
                deeds.push(self.opened(&update, &now)?);
                self.present(&update, &now, &mut paused, desk, &mut deeds)?;
            }
        }
        let row = Row::default()
            .with("count", Some(&update.count.to_string()))
            .with("number", Some(&update.number))
            .with("partner", Some(&update.partner))
            .with("state", Some(now.state))
            .with("priority", now.priority)
            .with("hold", now.hold.as_deref())
            .with("paused", paused.as_deref())
            .with("group", now.group.as_deref())
            .with("assignee", now.assignee.as_deref())
            .with("reopened", now.reopened.as_deref())
            .with("resolved", now.resolved.map(|(at, _)| at.0.to_string()).as_deref());
        desk.remember(&key, row);
        if deeds.is_empty() {
            return No::skip(Skip::NoChange, format!("nothing that is told changed with state {}", update.count));
        }
        let place = |deed: &Deed| self.tables.order.iter().position(|word| word == deed.word);
        deeds.sort_by_key(place);
        let change = sheet.get("rfc").and_then(|id| number_of("change_request", &id, desk));
        for deed in deeds {
            tell(&update, &now, deed, change.as_deref(), desk)?;
        }
        if known.is_none() && self.audited(table) {
            self.catch_up(&update, desk)?;
        }
        Ok(())
    }

    fn now<'s>(&'s self, states: &'s Table, sheet: &Sheet<'_, '_>) -> Result<Now<'s>, No> {
        let Some(state) = sheet.get("state").or_else(|| sheet.get("incident_state")) else {
            return No::error(Error::UnmappedState, "the row has no state");
        };
        let state = self.word(states, "state", &state)?;
        let hold = match sheet.get("hold_reason") {
            // Why it waits decides whose time runs, so a reason of which nobody said what it is says nothing.
            Some(reason) if state == "on-hold" => {
                Some(self.word(&self.tables.hold_reason, "hold_reason", &reason)?.to_owned())
            }
            _ => None,
        };
        Ok(Now {
            state,
            priority: self.priority(sheet)?,
            hold,
            group: sheet.get("assignment_group").map(|text| text.into_owned()),
            assignee: sheet.get("assigned_to").map(|text| text.into_owned()),
            resolved: sheet.time("resolved_at")?,
            reopened: sheet.get("reopen_count").map(|text| text.into_owned()),
        })
    }

    /// The row before, as the sender tells it: what it leaves out was as it is now.
    fn before(&self, states: &Table, previous: &Tree<'_>, now: &Now<'_>) -> Result<Row, No> {
        let sheet = Sheet::new(previous, self.tables.display_zone);
        let or_now = |name: &str, today: Option<&str>| match previous.at(name) {
            Tree::Null => today.map(str::to_owned),
            _ => sheet.get(name).map(|text| text.into_owned()),
        };
        let state = match sheet.get("state") {
            Some(state) => self.word(states, "state", &state)?,
            None => now.state,
        };
        let priority = match previous.at("priority") {
            Tree::Null => now.priority,
            _ => self.priority(&sheet)?,
        };
        let resolved = now.resolved.filter(|_| ended(state)).map(|(at, _)| at.0.to_string());
        Ok(Row::default()
            .with("state", Some(state))
            .with("priority", priority)
            .with("hold", now.hold.as_deref())
            .with("group", or_now("assignment_group", now.group.as_deref()).as_deref())
            .with("assignee", or_now("assigned_to", now.assignee.as_deref()).as_deref())
            .with("reopened", now.reopened.as_deref())
            .with("resolved", resolved.as_deref()))
    }

    fn opened(&self, update: &Update<'_, '_, '_>, now: &Now<'_>) -> Result<Deed, No> {
        let sheet = update.sheet;
        let (at, quality) = match sheet.time("opened_at")? {
            Some(time) => time,
            // The row cannot have been made before the ticket was opened.
            None => (sheet.needed("sys_created_on")?.0, Quality::UpperBound),
        };
        let by = sheet.get("sys_created_by");
        let data = vec![("assignee", now.assignee.as_deref().map_or(Value::Null, Value::from))];
        Ok(Deed { word: "opened", at, quality, proof: None, actor: self.who(by.as_deref()), data })
    }

    /// What a row shows that is seen for the first time.
    fn present(
        &self,
        update: &Update<'_, '_, '_>,
        now: &Now<'_>,
        paused: &mut Option<String>,
        desk: &Desk<'_>,
        deeds: &mut Vec<Deed>,
    ) -> Result<(), No> {
        match now.state {
            "in-progress" => deeds.push(update.deed("acknowledged")),
            "on-hold" => deeds.push(pause(update, now, paused)),
            "cancelled" => deeds.push(self.closed(update, "cancelled")?),
            "resolved" => deeds.push(self.resolved(update, now, desk)?),
            "closed" => {
                if now.resolved.is_some() {
                    deeds.push(self.resolved(update, now, desk)?);
                }
                deeds.push(self.closed(update, "closed")?);
            }
            _ => {}
        }
        Ok(())
    }

    fn differences(
        &self,
        update: &Update<'_, '_, '_>,
        before: &Row,
        now: &Now<'_>,
        paused: &mut Option<String>,
        desk: &Desk<'_>,
        deeds: &mut Vec<Deed>,
    ) -> Result<(), No> {
        let from = before.get("state").unwrap_or("new");
        let resolved = now.resolved.map(|(at, _)| at.0.to_string());
        let proven = resolved.is_some() && before.get("resolved") != resolved.as_deref();
        if !ended(now.state) && ended(from) {
            deeds.push(self.reopened(update)?);
        }
        match (from, now.state) {
            ("new", "in-progress") => deeds.push(update.deed("acknowledged")),
            ("on-hold", "on-hold") if before.get("hold") != now.hold.as_deref() => {
                // Waiting for another reason is another pause, and the first is over.
                let mut over = update.deed("resumed");
                over.data.extend(before.get("hold").map(|reason| ("reason", Value::from(reason))));
                deeds.push(pause(update, now, paused));
                deeds.push(over);
            }
            ("on-hold", "on-hold") => {}
            (_, "on-hold") => deeds.push(pause(update, now, paused)),
            // A pause that ended with the ticket ends when the work goes on.
            (_, "new" | "in-progress") if paused.take().is_some() => deeds.push(update.deed("resumed")),
            ("resolved" | "closed", "resolved" | "closed") if proven => {
                // Reopened and resolved again between two looks; without its time the reopening stays untold.
                if before.get("reopened") != now.reopened.as_deref() && update.sheet.time("reopened_time")?.is_some() {
                    deeds.push(self.reopened(update)?);
                }
                deeds.push(self.resolved(update, now, desk)?);
                if now.state == "closed" {
                    deeds.push(self.closed(update, "closed")?);
                }
            }
            ("closed", "resolved") => {}
            (from, "resolved") if from != "resolved" => deeds.push(self.resolved(update, now, desk)?),
            (from, "closed") if from != "closed" => {
                if proven {
                    deeds.push(self.resolved(update, now, desk)?);
                }
                deeds.push(self.closed(update, "closed")?);
            }
            (from, "cancelled") if from != "cancelled" => deeds.push(self.closed(update, "cancelled")?),
            _ => {}
        }
        if now.priority.is_some() && before.get("priority") != now.priority {
            let mut deed = update.deed("reprioritised");
            deed.data.push(("previous", before.get("priority").map_or(Value::Null, Value::from)));
            deeds.push(deed);
        }
        let (group, assignee) = (now.group.as_deref(), now.assignee.as_deref());
        if before.get("group") != group || before.get("assignee") != assignee {
            let mut deed = update.deed("assigned");
            deed.data.push(("assignee", assignee.map_or(Value::Null, Value::from)));
            deeds.push(deed);
        }
        Ok(())
    }

    fn reopened(&self, update: &Update<'_, '_, '_>) -> Result<Deed, No> {
        let deed = update.deed("reopened");
        Ok(match update.sheet.time("reopened_time")? {
            Some((at, quality)) if at <= update.at => Deed { at, quality, proof: Some(at), ..deed },
            _ => deed,
        })
    }

    /// By the evidence of `resolved_at`, or of `closed_at` where a table has no other; else by the state alone.
    fn resolved(&self, update: &Update<'_, '_, '_>, now: &Now<'_>, desk: &Desk<'_>) -> Result<Deed, No> {
        let deed = update.deed("resolved");
        let evidence = match now.resolved {
            Some(time) => Some(time),
            None => update.sheet.time("closed_at")?,
        };
        let by = update.sheet.get("resolved_by").map(|id| called(&id, desk));
        let by = by.map_or(deed.actor.clone(), |name| self.who(Some(&name)));
        Ok(match evidence {
            Some((at, quality)) => Deed { at, quality, proof: Some(at), actor: by, ..deed },
            None => Deed { actor: by, ..deed },
        })
    }

    fn closed(&self, update: &Update<'_, '_, '_>, word: &'static str) -> Result<Deed, No> {
        let deed = update.deed(word);
        Ok(match update.sheet.time("closed_at")? {
            Some((at, quality)) => Deed { at, quality, proof: Some(at), ..deed },
            None => deed,
        })
    }
}

impl Update<'_, '_, '_> {
    /// What this state of the row shows, at its own time.
    fn deed(&self, word: &'static str) -> Deed {
        Deed { word, at: self.at, quality: self.quality, proof: None, actor: self.actor.clone(), data: Vec::new() }
    }
}

fn pause(update: &Update<'_, '_, '_>, now: &Now<'_>, paused: &mut Option<String>) -> Deed {
    let mut deed = update.deed("paused");
    deed.data.extend(now.hold.as_deref().map(|reason| ("reason", Value::from(reason))));
    *paused = Some(now.hold.clone().unwrap_or_else(|| "unsaid".to_owned()));
    deed
}

/// The number of a row that was read.
pub(super) fn number_of(table: &str, id: &str, desk: &Desk<'_>) -> Option<String> {
    desk.known(&format!("{table}:{id}")).and_then(|row| row.get("number")).map(str::to_owned)
}

pub(super) fn kind(word: &str) -> &'static str {
    match word {
        "opened" => "ticket.opened",
        "acknowledged" => "ticket.acknowledged",
        "assigned" => "ticket.assigned",
        "reprioritised" => "ticket.reprioritised",
        "paused" => "ticket.paused",
        "resumed" => "ticket.resumed",
        "resolved" => "ticket.resolved",
        "reopened" => "ticket.reopened",
        "closed" => "ticket.closed",
        _ => "ticket.cancelled",
    }
}

fn tell(
    update: &Update<'_, '_, '_>,
    now: &Now<'_>,
    deed: Deed,
    change: Option<&str>,
    desk: &mut Desk<'_>,
) -> Result<(), No> {
    let Update { table, id, count, .. } = update;
    let id = match (deed.word, deed.proof) {
        // A row is opened once, whenever it is first seen.
        ("opened", _) => format!("{table}:{id}:opened"),
        (word, Some(at)) => format!("{table}:{id}:{word}:{}", at.0),
        (word, None) => format!("{table}:{id}:{count}:{word}"),
    };
    let mut data = Vec::from(deed.actor);
    data.push(("priority", now.priority.map_or(Value::Null, Value::from)));
    data.push(("group", now.group.as_deref().map_or(Value::Null, Value::from)));
    data.extend(deed.data);
    data.extend(change.map(|number| ("change", Value::from(number))));
    desk.tell(Told {
        id,
        kind: kind(deed.word),
        at: deed.at,
        quality: deed.quality,
        subject: update.number.clone(),
        partner: update.partner.clone(),
        factkey: None,
        sequence: Some(count.to_string()),
        correlation: None,
        data,
    })
}
