//! `sys_audit`: a log of what changed, a row for each field of each update. It tells what polling cannot: a pause and a resumption
//! between two looks, each at its own time and by whom.
//!
//! Of the tables that the settings call audited the log alone tells transitions; rows of the table itself say that a ticket is
//! there, its number and whose it is. Each feed so tells the same whatever the other has told, and in whatever order both are
//! read. What the log tells of a ticket that no row has shown yet is remembered until one does.

use super::sheet::Sheet;
use super::ticket::{ended, kind};
use super::{ServiceNow, Update};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::{Desk, Told};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::state::Row;
use onus_engine::time::Moment;

/// The fields that are looked at.
const FIELDS: &[&str] = &["state", "hold_reason", "priority", "assignment_group", "assigned_to"];

/// Between the parts of what is remembered; no field of a row has it.
const APART: char = '\u{1f}';

/// One field's step in one update of one record, in our words.
struct Step {
    field: String,
    /// The record's `sys_mod_count` after it.
    count: i64,
    at: Moment,
    by: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

/// Which record of which table, and what is known of it.
struct Record<'r> {
    table: &'r str,
    id: &'r str,
    row: &'r Row,
}

fn place(table: &str, id: &str) -> String {
    format!("audit:{table}:{id}")
}

impl ServiceNow {
    pub(super) fn audited(&self, table: &str) -> bool {
        self.tables.audited.contains(table)
    }

    pub(super) fn audit(&self, sheet: &Sheet<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let (Some(table), Some(field)) = (sheet.get("tablename"), sheet.get("fieldname")) else {
            return No::error(Error::UnknownTable, "the audit row does not say of which table and field it is");
        };
        if !self.audited(&table) {
            let why = format!("servicenow.audited does not name {}, so its own rows tell what changed", quoted(&table));
            return No::skip(Skip::NotRelevant, why);
        }
        let Some(id) = sheet.get("documentkey") else {
            return No::error(Error::MissingSubject, "the audit row does not say of which record it is");
        };
        let Some(count) = sheet.get("record_checkpoint").and_then(|text| text.replace(',', "").parse::<i64>().ok())
        else {
            return No::error(
                Error::MissingId,
                "the audit row has no record_checkpoint, so updates cannot be told apart",
            );
        };
        let (at, _) = sheet.needed("sys_created_on")?;
        let (from, to) = (self.translated(&table, &field, sheet.get("oldvalue").as_deref())?, sheet.get("newvalue"));
        let to = self.translated(&table, &field, to.as_deref())?;
        let by = sheet.get("user").map(|by| by.into_owned());
        let step = Step { field: field.into_owned(), count, at, by, from, to };
        let place = place(&table, &id);
        let mut memory = desk.known(&place).cloned().unwrap_or_default();
        let known = desk.known(&format!("{table}:{id}")).cloned();
        let told = match &known {
            Some(row) => {
                let record = Record { table: &table, id: &id, row };
                self.step(&record, &step, &mut memory, desk)?
            }
            None if !self.looked_at(&table, &step.field) => {
                // That there was a later update may be what a pause waits for.
                if memory != Row::default() && memory.get("last").and_then(|last| last.parse().ok()) < Some(step.count)
                {
                    memory.set("last", Some(&step.count.to_string()));
                    desk.remember(&place, memory);
                }
                return No::skip(Skip::NotRelevant, format!("{} of a record tells nothing", quoted(&step.field)));
            }
            None => {
                memory.set(&step.key(), Some(&step.packed()));
                desk.remember(&place, memory);
                return No::skip(
                    Skip::NotFinal,
                    "it is remembered, and told when the record's own row says whose it is",
                );
            }
        };
        let waits = memory.get("due").is_some() && told == 0;
        if memory != Row::default() {
            desk.remember(&place, memory);
        }
        match told {
            0 if waits => No::skip(Skip::NotFinal, "a pause waits for its reason, which the same update has set"),
            0 => No::skip(Skip::NoChange, format!("this step of {} tells nothing", quoted(&step.field))),
            _ => Ok(()),
        }
    }

    /// What the log had told before the record's own row came.
    pub(super) fn catch_up(&self, update: &Update<'_, '_, '_>, desk: &mut Desk<'_>) -> Result<usize, No> {
        let place = place(update.table, &update.id);
        let Some(queue) = desk.known(&place).cloned() else { return Ok(0) };
        let row = desk.known(&format!("{}:{}", update.table, update.id)).cloned().unwrap_or_default();
        let record = Record { table: update.table, id: &update.id, row: &row };
        let (mut memory, mut told) = (Row::default(), 0);
        for (key, packed) in queue.words() {
            match Step::unpacked(key, packed) {
                Some(step) => told += self.step(&record, &step, &mut memory, desk)?,
                None if key == "last" => {}
                None => memory.set(key, Some(packed)),
            }
        }
        if let Some(last) = queue.get("last").and_then(|last| last.parse().ok()) {
            told += self.overdue(&record, last, &mut memory, desk)?;
        }
        desk.remember(&place, memory);
        Ok(told)
    }

    fn looked_at(&self, table: &str, field: &str) -> bool {
        if table == "change_request" { field == "approval" } else { FIELDS.contains(&field) }
    }

    /// A field's value in our words, before anything of it is remembered: a table that was mended later mends nothing in a queue.
    fn translated(&self, table: &str, field: &str, value: Option<&str>) -> Result<Option<String>, No> {
        let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else { return Ok(None) };
        let states = if table == "sc_task" { &self.tables.sc_task } else { &self.tables.incident };
        let word = match field {
            _ if !self.looked_at(table, field) => return Ok(None),
            "state" => self.word(states, "state", value)?,
            "hold_reason" => self.word(&self.tables.hold_reason, "hold_reason", value)?,
            "priority" => self.word(&self.tables.priority, "priority", value)?,
            "approval" => return Ok(Some(value.to_lowercase())),
            _ => value,
        };
        Ok(Some(word.to_owned()))
    }

    /// A pause waited for its reason, and a later update says that none will come: it has the one that was set before.
    fn overdue(&self, record: &Record<'_>, count: i64, memory: &mut Row, desk: &mut Desk<'_>) -> Result<usize, No> {
        let due = memory.get("due").and_then(|due| Step::unpacked("q0:state", due));
        let Some(due) = due.filter(|due| due.count < count) else { return Ok(0) };
        memory.set("due", None);
        let reason = reason_at(memory, |at| at <= due.count).flatten();
        self.paused(record, &due, reason.as_deref(), desk)
    }

    /// One step of a record that is known: how many events it told.
    fn step(&self, record: &Record<'_>, step: &Step, memory: &mut Row, desk: &mut Desk<'_>) -> Result<usize, No> {
        let mut told = self.overdue(record, step.count, memory, desk)?;
        if !self.looked_at(record.table, &step.field) {
            return Ok(told);
        }
        let seen = format!("seen:{}", step.field);
        let counts = memory.get(&seen).unwrap_or_default().to_owned();
        if counts.split(',').any(|count| count.parse() == Ok(step.count)) {
            return match told {
                0 => No::skip(Skip::Duplicate, format!("this step of {} was read", quoted(&step.field))),
                _ => Ok(told),
            };
        }
        let all = if counts.is_empty() { step.count.to_string() } else { format!("{counts},{}", step.count) };
        memory.set(&seen, Some(&all));
        told += match step.field.as_str() {
            "approval" => self.voted(record, step, desk)?,
            // What a record was made with, its own row tells.
            _ if step.from == step.to || (step.from.is_none() && step.count == 0) => 0,
            "state" => self.moved(record, step, memory, desk)?,
            "hold_reason" => self.reason(record, step, memory, desk)?,
            "priority" => {
                let said = |word: &Option<String>| word.as_deref().map_or(Value::Null, Value::from);
                let data = vec![("priority", said(&step.to)), ("previous", said(&step.from))];
                self.tell(record, step, "reprioritised", "", data, desk)?
            }
            field => {
                let name = if field == "assigned_to" { "assignee" } else { "group" };
                let data = vec![(name, step.to.as_deref().map_or(Value::Null, Value::from))];
                self.tell(record, step, "assigned", field, data, desk)?
            }
        };
        Ok(told)
    }

    fn moved(&self, record: &Record<'_>, step: &Step, memory: &mut Row, desk: &mut Desk<'_>) -> Result<usize, No> {
        let (Some(from), Some(to)) = (step.from.as_deref(), step.to.as_deref()) else { return Ok(0) };
        let mut words = Vec::new();
        // A pause that ended with the ticket ends when the work goes on.
        let goes_on = matches!(to, "new" | "in-progress");
        if goes_on && (from == "on-hold" || memory.get("cut").is_some()) {
            words.push("resumed");
        }
        if ended(from) && !ended(to) {
            words.push("reopened");
        }
        match to {
            "in-progress" if from == "new" => words.push("acknowledged"),
            "resolved" if from != "closed" => words.push("resolved"),
            "closed" => words.push("closed"),
            "cancelled" => words.push("cancelled"),
            _ => {}
        }
        if from == "on-hold" && ended(to) {
            memory.set("cut", Some("yes"));
        } else if goes_on {
            memory.set("cut", None);
        }
        memory.set("held", (to == "on-hold").then_some("yes"));
        for word in &words {
            self.tell(record, step, word, "", Vec::new(), desk)?;
        }
        if to != "on-hold" {
            return Ok(words.len());
        }
        match reason_at(memory, |at| at == step.count) {
            Some(reason) => Ok(words.len() + self.paused(record, step, reason.as_deref(), desk)?),
            None => {
                memory.set("due", Some(&step.packed()));
                Ok(words.len())
            }
        }
    }

    /// Why it waits: of the pause of the same update, or of one that goes on for another reason, which is another pause.
    fn reason(&self, record: &Record<'_>, step: &Step, memory: &mut Row, desk: &mut Desk<'_>) -> Result<usize, No> {
        memory.set("reason", Some(&format!("{}{APART}{}", step.count, step.to.as_deref().unwrap_or_default())));
        let due = memory.get("due").and_then(|due| Step::unpacked("q0:state", due));
        if let Some(due) = due.filter(|due| due.count == step.count) {
            memory.set("due", None);
            return self.paused(record, &due, step.to.as_deref(), desk);
        }
        let same_update = |count: &str| count.parse() == Ok(step.count);
        let moved = memory.get("seen:state").is_some_and(|counts| counts.split(',').any(same_update));
        if moved || memory.get("held").is_none() || step.to.is_none() {
            return Ok(0);
        }
        let over = step.from.as_deref().map(|reason| ("reason", Value::from(reason)));
        let over = self.tell(record, step, "resumed", "", over.into_iter().collect(), desk)?;
        Ok(over + self.paused(record, step, step.to.as_deref(), desk)?)
    }

    fn paused(&self, record: &Record<'_>, step: &Step, reason: Option<&str>, desk: &mut Desk<'_>) -> Result<usize, No> {
        let reason = reason.map(|reason| ("reason", Value::from(reason)));
        self.tell(record, step, "paused", "", reason.into_iter().collect(), desk)
    }

    /// What came of a vote, exactly when it did.
    fn voted(&self, record: &Record<'_>, step: &Step, desk: &mut Desk<'_>) -> Result<usize, No> {
        let key = format!("{}:{}", record.table, record.id);
        let mut row = desk.known(&key).cloned().unwrap_or_default();
        let newest =
            row.get("voted-in").and_then(|count| count.parse::<i64>().ok()).is_none_or(|seen| seen < step.count);
        if !newest {
            return Ok(0);
        }
        row.set("approval", step.to.as_deref());
        row.set("voted", Some(&step.at.0.to_string()));
        row.set("voted-in", Some(&step.count.to_string()));
        desk.remember(&key, row);
        self.release(record.id, desk)
    }

    fn tell(
        &self,
        record: &Record<'_>,
        step: &Step,
        word: &str,
        field: &str,
        more: Vec<(&'static str, Value)>,
        desk: &mut Desk<'_>,
    ) -> Result<usize, No> {
        let Record { table, id, row } = record;
        let part = if field.is_empty() { String::new() } else { format!(":{field}") };
        let mut data = Vec::from(self.who(step.by.as_deref()));
        data.extend(more);
        desk.tell(Told {
            id: format!("{table}:{id}:{}:{word}{part}", step.count),
            kind: kind(word),
            at: step.at,
            quality: Quality::Exact,
            subject: row.get("number").unwrap_or_default().to_owned(),
            partner: row.get("partner").unwrap_or_default().to_owned(),
            factkey: None,
            sequence: Some(step.count.to_string()),
            correlation: None,
            data,
        })?;
        Ok(1)
    }
}

/// The reason that was read last, if it is of such an update; an update may have taken it away.
fn reason_at(memory: &Row, of: impl Fn(i64) -> bool) -> Option<Option<String>> {
    let (at, reason) = memory.get("reason")?.split_once(APART)?;
    at.parse().is_ok_and(of).then(|| (!reason.is_empty()).then(|| reason.to_owned()))
}

impl Step {
    /// Under what it is remembered: in the order of the updates.
    fn key(&self) -> String {
        format!("q{:010}:{}", self.count, self.field)
    }

    fn packed(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let parts = [self.count.to_string(), self.at.0.to_string(), part(&self.by), part(&self.from), part(&self.to)];
        parts.join(&APART.to_string())
    }

    fn unpacked(key: &str, packed: &str) -> Option<Step> {
        let field = key.strip_prefix('q')?.split_once(':')?.1.to_owned();
        let mut parts = packed.split(APART);
        let (count, at) = (parts.next()?.parse().ok()?, Moment(parts.next()?.parse().ok()?));
        let mut part = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        Some(Step { field, count, at, by: part(), from: part(), to: part() })
    }
}
