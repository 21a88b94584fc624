//! ServiceNow: rows of tables as they are now. What happened is the difference from the row before.
//!
//! Read are incidents, change requests, catalogue tasks, approvals, users for their names, and the log of what changed, which tells
//! transitions exactly where it is read (audit.rs). `sys_mod_count` tells the
//! states of a row apart; a count that jumps hides updates, and what is read across a jump had happened by then, no more.

mod approval;
mod audit;
mod change;
mod sheet;
mod ticket;

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::settings::{ServiceNow as Tables, Settings, Table};
use super::state::{Row, State};
use super::tree::Tree;
use super::{Page, Vendor};
use onus_engine::time::Moment;
use sheet::Sheet;

#[derive(Debug)]
pub(super) struct ServiceNow {
    tables: Tables,
    partners: Partners,
}

/// One update of one row, with what is the same for every event that it tells.
struct Update<'u, 't, 'a> {
    sheet: &'u Sheet<'t, 'a>,
    table: &'u str,
    id: String,
    count: i64,
    number: String,
    partner: String,
    /// When this state was written.
    at: Moment,
    /// Exact, unless updates between the states that we saw are missing.
    quality: Quality,
    /// Who wrote it, unless that may have been somebody of whom we saw nothing.
    actor: [(&'static str, Value); 2],
}

impl Vendor for ServiceNow {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = page.json()?;
        if !tree.is_map() {
            return No::error(Error::UnknownEnvelope, "the record is no row of a table");
        }
        // A business rule's or a flow's own envelope.
        let wrapped = tree.at("record").is_map();
        let row = if wrapped { tree.at("record") } else { &tree };
        let deleted = |text: &str| ["delete", "deleted"].contains(&text.to_ascii_lowercase().as_str());
        if wrapped && tree.at("operation").text().is_some_and(deleted) {
            return No::skip(Skip::DeletedRow, "the row was deleted; what was told of it stands");
        }
        let sheet = Sheet::new(row, self.tables.display_zone);
        let table = table(&tree, row, page.topic);
        let previous = Some(tree.at("previous")).filter(|previous| wrapped && previous.is_map());
        match table.as_deref() {
            Some("incident") => self.ticket("incident", &self.tables.incident, &sheet, previous, desk),
            Some("sc_task") => self.ticket("sc_task", &self.tables.sc_task, &sheet, previous, desk),
            Some("change_request") => self.change(&sheet, previous, desk),
            Some("sysapproval_approver") => self.approval(&sheet, desk),
            Some("sys_user") => user(&sheet, desk),
            Some("sys_audit") => self.audit(&sheet, desk),
            Some("sys_audit_delete") => No::skip(Skip::DeletedRow, "a row was deleted; what was told of it stands"),
            Some(other) => No::error(Error::UnknownTable, format!("table {} is not read", quoted(other))),
            None => No::error(
                Error::UnknownTable,
                "the record names no table: neither table_name nor sys_class_name, and its topic does not end in one",
            ),
        }
    }

    fn is_over(&self, state: &State, id: &str, row: &Row) -> bool {
        match id.split_once(':') {
            Some(("sys_user", _)) => false,
            Some(("sysapproval_approver", approval)) => {
                // Read again while its change is known, it must be known what was told of it.
                let change = row.get("of").map(|change| format!("change_request:{change}"));
                change.is_some_and(|change| state.get(&change).is_none()) && !approval::waits(state, approval, row)
            }
            // What the audit log said of a row goes when the row has gone.
            Some(("audit", of)) => state.get(of).is_none(),
            _ => matches!(row.get("state"), Some("closed" | "cancelled")),
        }
    }

    fn rests_on(&self, id: &str, row: &Row) -> Option<String> {
        match id.split_once(':')? {
            ("audit", of) => Some(of.to_owned()),
            ("sysapproval_approver", _) => row.get("of").map(|change| format!("change_request:{change}")),
            _ => None,
        }
    }
}

/// The tables that a topic may be named after.
const TABLES: &[&str] =
    &["incident", "sc_task", "change_request", "sysapproval_approver", "sys_user", "sys_audit", "sys_audit_delete"];

/// Which table: named by the collector, by the row's class, or by the topic's last part.
fn table(tree: &Tree<'_>, row: &Tree<'_>, topic: Option<&str>) -> Option<String> {
    let class = row.at("sys_class_name");
    let class = if class.is_map() { class.at("value") } else { class };
    let named = [tree.at("table_name"), row.at("table_name"), class];
    if let Some(name) = named.iter().find_map(|field| field.text()) {
        let plain = name.trim().to_ascii_lowercase();
        // The class is a label where labels were asked for.
        return Some(match plain.as_str() {
            "change request" => "change_request".to_owned(),
            "catalog task" | "catalogue task" => "sc_task".to_owned(),
            _ => plain,
        });
    }
    if !row.at("sysapproval").is_null() {
        return Some("sysapproval_approver".to_owned());
    }
    if !row.at("documentkey").is_null() && !row.at("fieldname").is_null() {
        return Some("sys_audit".to_owned());
    }
    let last = topic?.rsplit(['.', '/']).next()?;
    TABLES.contains(&last).then(|| last.to_owned())
}

/// A user's name by the user's id: rows name people by the one or by the other.
fn user(sheet: &Sheet<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
    let id = sheet.id()?;
    let name = sheet.get("user_name");
    desk.remember(&format!("sys_user:{id}"), Row::default().with("name", name.as_deref()));
    No::skip(Skip::NotRelevant, "a user: only the name is remembered")
}

/// A user by name, if the name was read; else by id.
fn called(id: &str, desk: &Desk<'_>) -> String {
    let name = desk.known(&format!("sys_user:{id}")).and_then(|row| row.get("name"));
    name.unwrap_or(id).to_owned()
}

impl ServiceNow {
    pub(super) fn new(settings: &Settings) -> ServiceNow {
        ServiceNow { tables: settings.servicenow.clone(), partners: settings.partners("servicenow") }
    }

    /// The actor of a user's name. Those that stand for nobody are nobody.
    fn who(&self, name: Option<&str>) -> [(&'static str, Value); 2] {
        match name {
            Some(name) if self.tables.system_users.contains(name) => actor(None, ActorType::Service),
            Some(name) => actor(Some(name), ActorType::Human),
            None => actor(None, ActorType::Unknown),
        }
    }

    /// What is the same for every event of this state of the row. `known` is the state before, with its partner: whoever a
    /// ticket is given to later, it stays with whom it was first seen.
    fn update<'u, 't, 'a>(
        &self,
        table: &'u str,
        sheet: &'u Sheet<'t, 'a>,
        known: Option<&Row>,
        told_before: bool,
    ) -> Result<Update<'u, 't, 'a>, No> {
        let id = sheet.id()?.into_owned();
        let count = sheet.count()?;
        let before = known.and_then(|row| row.get("count")).and_then(|text| text.parse::<i64>().ok());
        if before.is_some_and(|before| count == before) {
            return No::skip(Skip::Duplicate, format!("state {count} of {table} {} was read", quoted(&id)));
        }
        if before.is_some_and(|before| count < before) {
            return No::skip(Skip::Stale, format!("a newer state of {table} {} than {count} was read", quoted(&id)));
        }
        let Some(number) = sheet.get("number") else {
            return No::error(Error::MissingSubject, "the row has no number");
        };
        let partner = match known.and_then(|row| row.get("partner")) {
            Some(partner) => partner.to_owned(),
            None => self.partner(sheet)?,
        };
        let (at, read) = sheet.needed("sys_updated_on")?;
        let next = match before {
            Some(before) => count == before + 1,
            None => told_before || count == 0,
        };
        let quality = if next { read } else { Quality::UpperBound };
        let by = sheet.get("sys_updated_by").filter(|_| next);
        let actor = self.who(by.as_deref());
        Ok(Update { sheet, table, id, count, number: number.into_owned(), partner, at, quality, actor })
    }

    fn partner(&self, sheet: &Sheet<'_, '_>) -> Result<String, No> {
        let mut looked_at = Vec::new();
        for list in ["assignment_group", "company"] {
            let names = [sheet.get(list), sheet.label(list).map(Into::into)];
            for name in names.into_iter().flatten() {
                if let Some(partner) = self.partners.exact(list, &name)? {
                    return Ok(partner.to_owned());
                }
                looked_at.push(format!("{list} {}", quoted(&name)));
            }
        }
        if looked_at.is_empty() {
            return unknown("it: the row has no assignment_group");
        }
        unknown(&looked_at.join(", "))
    }

    /// A state or priority in our words.
    fn word<'s>(&self, table: &'s Table, field: &str, value: &str) -> Result<&'s str, No> {
        match table.get(value.trim()) {
            Some(word) => Ok(word),
            None => No::error(Error::UnmappedState, format!("the settings do not translate {field} {}", quoted(value))),
        }
    }

    fn priority(&self, sheet: &Sheet<'_, '_>) -> Result<Option<&str>, No> {
        sheet.get("priority").map(|value| self.word(&self.tables.priority, "priority", &value)).transpose()
    }
}
