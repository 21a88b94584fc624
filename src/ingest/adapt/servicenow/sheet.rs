//! One row of a table, however it was asked for: plain, with `sysparm_display_value=all`, or with labels only.

use crate::ingest::adapt::codes::{Error, No, quoted};
use crate::ingest::adapt::event::Quality;
use crate::ingest::adapt::time::{EARLIEST_MS, epoch_ms, local};
use crate::ingest::adapt::tree::Tree;
use chrono_tz::Tz;
use onus_engine::time::Moment;
use std::borrow::Cow;

pub(super) struct Sheet<'t, 'a> {
    row: &'t Tree<'a>,
    /// Labels instead of values: times are on the clocks of whoever the connector's user is.
    labels: bool,
    zone: Option<Tz>,
}

impl<'t, 'a> Sheet<'t, 'a> {
    pub(super) fn new(row: &'t Tree<'a>, zone: Option<Tz>) -> Sheet<'t, 'a> {
        let label =
            |tree: &Tree<'_>| tree.is_map() && tree.at("value").is_null() && !tree.at("display_value").is_null();
        let labelled = match row {
            Tree::Map(members) => members.iter().any(|(_, value)| label(value)),
            _ => false,
        };
        // Rows without references tell it by their counter and their state, which are numbers only where values are.
        let state = row.at("state");
        let worded = |tree: &Tree<'_>| tree.text().is_some_and(|text| text.trim().parse::<i64>().is_err());
        let approval = !row.at("sysapproval").is_null();
        let labels = labelled || worded(row.at("sys_mod_count")) || (!approval && worded(state));
        Sheet { row, labels, zone }
    }

    /// A field's value. The empty reference is the empty text; a reference that was asked for by its label has its id at its
    /// link's end.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'t, str>> {
        let field = self.row.at(name);
        if !field.is_map() {
            return field.word();
        }
        if let Some(value) = field.at("value").word() {
            return Some(value);
        }
        match field.at("link").text() {
            Some(link) if field.at("value").is_null() => {
                let id = link.rsplit('/').next().filter(|id| !id.is_empty());
                id.map(Cow::Borrowed)
            }
            _ if field.at("value").is_null() => field.at("display_value").word(),
            _ => None,
        }
    }

    /// A field's label, where it came with one.
    pub(super) fn label(&self, name: &str) -> Option<&'t str> {
        self.row.at(name).at("display_value").text()
    }

    /// Which row.
    pub(super) fn id(&self) -> Result<Cow<'t, str>, No> {
        match self.get("sys_id") {
            Some(id) => Ok(id),
            None => No::error(Error::MissingId, "the row has no sys_id"),
        }
    }

    /// Which of the row's states: without it nobody can tell a newer one from an older one. Labels write 1002 as `1,002`.
    pub(super) fn count(&self) -> Result<i64, No> {
        let Some(text) = self.get("sys_mod_count") else {
            return No::error(Error::MissingId, "the row has no sys_mod_count, so its states cannot be told apart");
        };
        let digits: String =
            text.chars().filter(|c| !matches!(c, ',' | '.' | '\'' | ' ' | '\u{a0}' | '\u{202f}')).collect();
        match digits.parse() {
            Ok(count) if count >= 0 => Ok(count),
            _ => No::error(Error::MissingId, format!("sys_mod_count is {}, and no count", quoted(&text))),
        }
    }

    /// A time. Zero, which Connect writes for nothing, is none.
    pub(super) fn time(&self, name: &str) -> Result<Option<(Moment, Quality)>, No> {
        let field = self.row.at(name);
        let value = if field.is_map() && !field.at("value").is_null() { field.at("value") } else { field };
        if let Tree::Whole(ms) = value {
            return match ms {
                0 => Ok(None),
                _ => epoch_ms(name, *ms, EARLIEST_MS).map(|at| Some((at, Quality::Exact))),
            };
        }
        let Some(text) = self.get(name) else { return Ok(None) };
        if !self.labels || (field.is_map() && !field.at("value").is_null()) {
            return local(name, &text, Tz::UTC).map(Some);
        }
        match self.zone {
            Some(zone) => local(name, &text, zone).map(Some),
            None => {
                let why = format!(
                    "{name} is {} on the clocks of the connector's user, and servicenow.display_zone does not say which \
                     those are; better, ask for sysparm_display_value=false or all",
                    quoted(&text)
                );
                No::error(Error::BadTime, why)
            }
        }
    }

    /// A time that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<(Moment, Quality), No> {
        match self.time(name)? {
            Some(time) => Ok(time),
            None => No::error(Error::MissingTime, format!("the row has no {name}")),
        }
    }
}
