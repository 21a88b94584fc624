//! Jira and Jira Service Management: webhooks, the change log, and rows of issues. The first two say what changed; of rows it
//! is the difference from the row before.

mod changelog;
mod deed;
mod row;

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, actor};
use super::event::Value;
use super::partners::{Partners, unknown};
use super::settings::{Jira as Tables, Settings};
use super::state::{Row, State};
use super::time::{epoch_ms, rfc3339};
use super::tree::Tree;
use super::{Page, Vendor};
use onus_engine::time::Moment;
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Jira {
    tables: Tables,
    partners: Partners,
}

/// Which issue, whose, and what it is.
struct Issue {
    /// Its id, which a move does not change.
    id: String,
    /// The key under which it was first seen.
    key: String,
    partner: String,
    change: bool,
}

impl Vendor for Jira {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = page.json()?;
        if !tree.is_map() {
            return No::error(Error::UnknownEnvelope, "the record is no webhook, no change log and no issue");
        }
        match tree.at("webhookEvent").text() {
            Some("jira:issue_created") => self.created(&tree, desk),
            Some("jira:issue_updated") => self.updated(&tree, desk),
            Some("jira:issue_deleted") => {
                No::skip(Skip::DeletedRow, "the issue was deleted; what was told of it stands")
            }
            Some(other) => No::skip(Skip::NotRelevant, format!("{} tells nothing", quoted(other))),
            // An automation's body may leave it out; what it holds says what it is.
            None if tree.at("issue").is_map() => self.updated(&tree, desk),
            None if tree.at("issueId").word().is_some() && !tree.at("items").is_null() => self.logged(&tree, desk),
            None if tree.at("fields").is_map() => self.row(&tree, None, desk),
            None => No::error(Error::UnknownEnvelope, "the record is no webhook, no change log and no issue"),
        }
    }

    fn is_over(&self, _: &State, _: &str, row: &Row) -> bool {
        matches!(row.get("stage"), Some("closed" | "cancelled" | "executed" | "failed" | "rolled-back" | "rejected"))
    }
}

impl Jira {
    pub(super) fn new(settings: &Settings) -> Jira {
        Jira { tables: settings.jira.clone(), partners: settings.partners("jira") }
    }

    fn created(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        self.row(tree.at("issue"), Some(who(tree.at("user"))), desk)
    }

    fn updated(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let (issue, log) = (tree.at("issue"), tree.at("changelog"));
        if !log.is_map() {
            return self.row(issue, None, desk);
        }
        let at = self.stamp(tree)?;
        let seen = self.issue(issue, log, desk)?;
        self.changes(&seen, Some(issue.at("fields")), log, at, who(tree.at("user")), desk)
    }

    /// The change log by itself, as a connector reads it.
    fn logged(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let Some(created) = tree.at("created").text() else {
            return No::error(Error::MissingTime, "the entry has no created");
        };
        let at = rfc3339("created", created)?;
        let id = tree.at("issueId").word().unwrap_or_default();
        let known = desk.known(&place(&id));
        let Some(issue) = known.and_then(|row| Issue::known(&id, row)) else {
            let why = "what kind of issue this is its own row or webhook says, and none was read";
            return No::error(Error::UnknownEnvelope, why);
        };
        self.changes(&issue, None, tree, at, who(tree.at("author")), desk)
    }

    fn stamp(&self, tree: &Tree<'_>) -> Result<Moment, No> {
        match tree.at("timestamp") {
            Tree::Null => match tree.path(&["changelog", "created"]).text() {
                Some(created) => rfc3339("changelog.created", created),
                None => No::error(Error::MissingTime, "the webhook has no timestamp"),
            },
            stamp => match stamp.whole() {
                Some(ms) => epoch_ms("timestamp", ms, self.tables.earliest),
                None => No::error(Error::BadTime, "timestamp is no whole number of milliseconds"),
            },
        }
    }

    /// The issue, as it was first seen: a move renames the key and a new organisation makes nobody else owe what was owed.
    fn issue(&self, issue: &Tree<'_>, log: &Tree<'_>, desk: &Desk<'_>) -> Result<Issue, No> {
        let Some(id) = issue.at("id").word() else {
            return No::error(Error::MissingId, "the issue has no id");
        };
        if let Some(known) = desk.known(&place(&id)).and_then(|row| Issue::known(&id, row)) {
            return Ok(known);
        }
        // Its key before the move, if this is one.
        let renamed = log.at("items").list().iter().find(|item| item.at("field").text() == Some("Key"));
        let before = renamed.and_then(|item| item.at("fromString").text());
        let Some(key) = before.or_else(|| issue.at("key").text()) else {
            return No::error(Error::MissingSubject, "the issue has no key");
        };
        let fields = issue.at("fields");
        let Some(kind) = fields.path(&["issuetype", "name"]).text() else {
            return No::error(Error::UnknownEnvelope, "the issue does not say of what type it is");
        };
        let change = self.tables.change_types.contains(kind);
        Ok(Issue { id: id.into_owned(), key: key.to_owned(), partner: self.partner(fields, key)?, change })
    }

    /// The organisations' partner, else the project's.
    fn partner(&self, fields: &Tree<'_>, key: &str) -> Result<String, No> {
        let field = self.tables.organizations.as_deref().map_or(&Tree::Null, |name| fields.at(name));
        let mut found = BTreeSet::new();
        for one in field.list() {
            let names = [one.text(), one.at("name").text()];
            for name in names.into_iter().flatten() {
                found.extend(self.partners.exact("organizations", name)?);
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(only), None) => return Ok(only.to_owned()),
            (Some(a), Some(b)) => {
                let why = format!("the issue's organisations are {}'s and {}'s", quoted(a), quoted(b));
                return No::error(Error::AmbiguousPartner, why);
            }
            _ => {}
        }
        let by_key = key.rsplit_once('-').map(|(project, _)| project);
        let project = fields.path(&["project", "key"]).text().or(by_key).unwrap_or_default();
        match self.partners.exact("projects", project)? {
            Some(partner) => Ok(partner.to_owned()),
            None => unknown(&format!("its organisations or project {}", quoted(project))),
        }
    }

    /// A status in our words: by its id or its name; by its category only where the settings let that be.
    fn stage<'s>(
        &'s self,
        id: Option<&str>,
        name: Option<&str>,
        category: Option<&str>,
        change: bool,
    ) -> Result<&'s str, No> {
        let told = [id, name].into_iter().flatten().find_map(|word| self.tables.status.get(word));
        if let Some(stage) = told {
            return Ok(stage);
        }
        match category.filter(|category| self.tables.fallback.contains(*category)) {
            Some("new") => Ok("new"),
            // Done says that it is over, and of a change not that it was carried out.
            Some("done") if change => Ok("closed"),
            Some("done") => Ok("resolved"),
            _ => {
                let said = name.or(id).unwrap_or_default();
                No::error(Error::UnmappedState, format!("the settings do not translate status {}", quoted(said)))
            }
        }
    }

    fn priority<'s>(&'s self, name: &str) -> Result<&'s str, No> {
        match self.tables.priority.get(name) {
            Some(word) => Ok(word),
            None => No::error(Error::UnmappedState, format!("the settings do not translate priority {}", quoted(name))),
        }
    }
}

impl Issue {
    fn known(id: &str, row: &Row) -> Option<Issue> {
        Some(Issue {
            id: id.to_owned(),
            key: row.get("key")?.to_owned(),
            partner: row.get("partner")?.to_owned(),
            change: row.get("change").is_some(),
        })
    }

    /// What is remembered of the issue whatever else is.
    fn onto(&self, row: Row) -> Row {
        row.with("key", Some(&self.key))
            .with("partner", Some(&self.partner))
            .with("change", self.change.then_some("yes"))
    }
}

fn place(id: &str) -> String {
    format!("issue:{id}")
}

/// Who did it. An app, or nobody, is no operator.
fn who(user: &Tree<'_>) -> [(&'static str, Value); 2] {
    if user.at("accountType").text() == Some("app") {
        return actor(None, ActorType::App);
    }
    match [user.at("accountId"), user.at("key"), user.at("name")].iter().find_map(|field| field.text()) {
        Some(name) => actor(Some(name), ActorType::Human),
        None => actor(None, ActorType::Unknown),
    }
}
