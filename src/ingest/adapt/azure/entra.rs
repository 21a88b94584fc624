//! Entra ID's audit log: applications' secrets and roles. Which secret came and which went is the difference of two lists that
//! stand as JSON in a text.

use super::{Azure, Fact, tell};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::{ActorType, Desk, actor};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::time::rfc3339;
use crate::ingest::adapt::tree::Tree;
use std::collections::BTreeSet;

impl Azure {
    pub(super) fn directory(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let properties = tree.at("properties");
        let named = properties.at("activityDisplayName").text().or_else(|| tree.at("operationName").text());
        let Some(activity) = named.map(plain) else {
            return No::error(Error::UnknownEnvelope, "the entry names no activity");
        };
        let keys = activity.ends_with("certificates and secrets management");
        let kind = match activity.as_str() {
            _ if keys => "",
            "delete application" | "hard delete application" | "remove service principal" => "credential.revoked",
            _ if activity.starts_with("add app role assignment") => "grant.given",
            _ if activity.starts_with("remove app role assignment") => "grant.revoked",
            "add member to role" => "grant.given",
            "remove member from role" => "grant.revoked",
            other => return No::skip(Skip::NoCanonicalType, format!("{} is not told", quoted(other))),
        };
        if properties.at("result").text().is_some_and(|result| !result.eq_ignore_ascii_case("success")) {
            return No::skip(Skip::Refused, "it failed, so nothing happened");
        }
        let Some(id) = properties.at("id").text() else {
            return No::error(Error::MissingId, "the entry has no properties.id");
        };
        let Some(time) = properties.at("activityDateTime").text().or_else(|| tree.at("time").text()) else {
            return No::error(Error::MissingTime, "the entry has no time");
        };
        let at = rfc3339("activityDateTime", time)?;
        let targets = properties.at("targetResources").list();
        let Some(target) = targets.first().and_then(|target| target.at("id").text()) else {
            return No::error(Error::MissingSubject, "the entry names no target");
        };
        let resource = tree.at("resourceId").text().unwrap_or_default();
        let partner = self.partner(None, resource, tree.at("tenantId").text())?;
        let who = who(properties.at("initiatedBy"));
        let application = format!("entra:app:{target}");
        if !keys {
            let mut data = Vec::from(who);
            let subject = match kind {
                "credential.revoked" => {
                    data.push(("kind", Value::from("application")));
                    application
                }
                _ => {
                    let other = targets.get(1).and_then(|other| other.at("id").text());
                    data.push(("grantee", Value::from(application.as_str())));
                    data.extend(other.map(|role| ("role", Value::from(role))));
                    match other {
                        Some(role) => format!("{application}:role:{role}"),
                        None => format!("{application}:role"),
                    }
                }
            };
            let fact = Fact { id: id.to_owned(), kind, at, subject, partner, version: None, data };
            return tell(fact, Quality::Exact, desk);
        }
        let changed = targets[0].at("modifiedProperties").list();
        let lists = changed.iter().find(|one| one.at("displayName").text() == Some("KeyDescription"));
        let Some(lists) = lists else {
            return No::skip(Skip::NoChange, "the entry does not say which secrets came or went");
        };
        let (before, after) = (described(lists.at("oldValue"))?, described(lists.at("newValue"))?);
        let steps = [
            (after.difference(&before), "credential.created", "created"),
            (before.difference(&after), "credential.revoked", "revoked"),
        ];
        let mut told = 0;
        for (keys, kind, word) in steps {
            for (key, form) in keys {
                let mut data = Vec::from(who.clone());
                data.push(("kind", Value::from(if form == "Password" { "secret" } else { "certificate" })));
                data.push(("parent", Value::from(application.as_str())));
                let (id, subject) = (format!("{id}:{word}:{key}"), format!("{application}:{key}"));
                let fact = Fact { id, kind, at, subject, partner: partner.clone(), version: None, data };
                tell(fact, Quality::Exact, desk)?;
                told += 1;
            }
        }
        match told {
            0 => No::skip(Skip::NoChange, "no secret came and none went"),
            _ => Ok(()),
        }
    }
}

/// An activity's name: dashes of any length, and blanks behind, are the vendor's spelling.
fn plain(name: &str) -> String {
    name.trim().replace(['\u{2013}', '\u{2014}'], "-").to_lowercase()
}

/// The keys of a list: `["[KeyIdentifier=..,KeyType=..,..]"]`, as a text.
fn described(field: &Tree<'_>) -> Result<BTreeSet<(String, String)>, No> {
    let Some(text) = field.text() else { return Ok(BTreeSet::new()) };
    let Ok(list) = serde_json::from_str::<Vec<String>>(text) else {
        return No::error(Error::UnknownEnvelope, format!("KeyDescription is {}, and no list of texts", quoted(text)));
    };
    let mut keys = BTreeSet::new();
    for key in list {
        let inner = key.trim().trim_start_matches('[').trim_end_matches(']');
        let part = |name: &str| inner.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let Some(id) = part("KeyIdentifier").filter(|id| !id.is_empty()) else {
            return No::error(Error::MissingSubject, "a key of the list has no KeyIdentifier");
        };
        keys.insert((id.to_owned(), part("KeyType").unwrap_or_default().to_owned()));
    }
    Ok(keys)
}

/// A person, or an application; its own id may be null, and then only a service principal's is known.
fn who(by: &Tree<'_>) -> [(&'static str, Value); 2] {
    let (user, app) = (by.at("user"), by.at("app"));
    if let Some(name) = user.at("userPrincipalName").text().or_else(|| user.at("id").text()) {
        return actor(Some(name), ActorType::Human);
    }
    let id = app.at("appId").text().or_else(|| app.at("servicePrincipalId").text());
    match id {
        Some(id) => actor(Some(id), ActorType::App),
        None if app.is_map() => actor(None, ActorType::App),
        None => actor(None, ActorType::Unknown),
    }
}
