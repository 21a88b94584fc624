//! Issues as they are now: created ones, and rows that a connector reads again and again.

use super::deed::{Deed, Source, change, reason, ticket};
use super::{Jira, place, who};
use crate::ingest::adapt::codes::{Error, No, Skip};
use crate::ingest::adapt::desk::{ActorType, Desk, actor};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::state::Row;
use crate::ingest::adapt::time::rfc3339;
use crate::ingest::adapt::tree::Tree;

impl Jira {
    /// An issue as it is now; `by` is who made it, where it was made just now.
    pub(super) fn row(
        &self,
        tree: &Tree<'_>,
        by: Option<[(&'static str, Value); 2]>,
        desk: &mut Desk<'_>,
    ) -> Result<(), No> {
        let issue = self.issue(tree, &Tree::Null, desk)?;
        let fields = tree.at("fields");
        let status = fields.at("status");
        let name = status.at("name").text();
        let category = status.path(&["statusCategory", "key"]).text();
        let stage = self.stage(status.at("id").word().as_deref(), name, category, issue.change)?;
        let priority = fields.path(&["priority", "name"]).text().map(|name| self.priority(name)).transpose()?;
        let holder = fields.at("assignee");
        let assignee =
            [holder.at("accountId"), holder.at("key"), holder.at("name")].iter().find_map(|field| field.text());
        let known = desk.known(&place(&issue.id)).cloned();
        let made = by.is_some();
        let (opened, seen) = (fields.at("created").text(), fields.at("updated").text());
        let updated = match seen.or(opened) {
            Some(text) => rfc3339("updated", text)?,
            None => return No::error(Error::MissingTime, "the issue has neither updated nor created"),
        };
        let before = known.clone().unwrap_or_default();
        let newest = before.get("at").and_then(|at| at.parse::<i64>().ok());
        // A made issue tells that it was made, however late that is heard.
        let late = newest.is_some_and(|newest| updated.0 < newest);
        if late && before.get("opened").is_some() {
            return No::skip(Skip::Stale, "a newer state of the issue was read");
        }
        desk.about(&issue.key, &issue.partner, updated);
        let base = |log: String| Source {
            issue: &issue,
            log,
            at: updated,
            quality: Quality::UpperBound,
            actor: actor(None, ActorType::Unknown),
            priority: priority.map(str::to_owned),
        };
        let mut told = 0;
        if before.get("opened").is_none() {
            let Some(opened) = opened else {
                return No::error(Error::MissingTime, "the issue has no created");
            };
            let at = rfc3339("created", opened)?;
            let maker = by.unwrap_or_else(|| who(fields.at("creator")));
            let first = Source { at, quality: Quality::Exact, actor: maker, ..base("opened".to_owned()) };
            let kind = if issue.change { "change.requested" } else { "ticket.opened" };
            first.tell(vec![Deed::new(kind, "issue")], desk)?;
            told += 1;
        }
        let mut row = issue.onto(before.clone()).with("opened", Some("yes"));
        if !late {
            let deeds = self.between(&before, stage, name, priority, assignee, issue.change, made)?;
            told += deeds.len();
            base(format!("row:{}", updated.0)).tell(deeds, desk)?;
            row = row
                .with("at", Some(&updated.0.to_string()))
                .with("stage", Some(stage))
                .with("status", name)
                .with("priority", priority)
                .with("assignee", assignee);
        }
        desk.remember(&place(&issue.id), row);
        match told {
            0 => No::skip(Skip::NoChange, "nothing that is told has changed"),
            _ => Ok(()),
        }
    }

    /// What lies between the row before and this one. Of a first row: how it stands.
    #[allow(clippy::too_many_arguments)]
    fn between(
        &self,
        before: &Row,
        stage: &str,
        name: Option<&str>,
        priority: Option<&str>,
        assignee: Option<&str>,
        is_change: bool,
        made: bool,
    ) -> Result<Vec<Deed>, No> {
        let first = before.get("stage").is_none();
        let from = before.get("stage").or(Some("new"));
        if is_change {
            return Ok(change(from, stage).into_iter().collect());
        }
        let status = name.unwrap_or_default();
        let mut deeds = Vec::new();
        let other = before.get("status").map(reason) != name.map(reason);
        if from == Some("on-hold") && stage == "on-hold" {
            if other {
                let mut over = Deed::new("ticket.resumed", "status");
                over.data.push(("reason", Value::from(reason(before.get("status").unwrap_or_default()))));
                deeds.push(over);
                deeds.extend(ticket(from, stage, status)?);
            }
        } else {
            deeds.extend(ticket(from, stage, status)?);
        }
        if first || made {
            return Ok(deeds);
        }
        if priority.is_some() && before.get("priority").is_some() && before.get("priority") != priority {
            let mut deed = Deed::new("ticket.reprioritised", "priority");
            deed.data.push(("previous", before.get("priority").map_or(Value::Null, Value::from)));
            deeds.push(deed);
        }
        if before.get("assignee") != assignee {
            let mut deed = Deed::new("ticket.assigned", "assignee");
            deed.data.push(("assignee", assignee.map_or(Value::Null, Value::from)));
            deeds.push(deed);
        }
        Ok(deeds)
    }
}
