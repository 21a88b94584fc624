//! Secrets Manager. A rotation is told by the service when it is done; what was asked, begun or tried is none.

use super::{Aws, Entry};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::Desk;
use crate::ingest::adapt::event::Value;
use crate::ingest::adapt::state::Row;
use crate::ingest::adapt::tree::Tree;

impl Aws {
    pub(super) fn secret(&self, entry: &Entry<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let (request, response) = (entry.tree.at("requestParameters"), entry.tree.at("responseElements"));
        let kind = match entry.name {
            "RotationSucceeded" => "credential.rotated",
            "RotationFailed" | "RotationAbandoned" => "credential.rotation-failed",
            "PutSecretValue" if !current(request, response) => {
                return No::skip(Skip::NotFinal, "the value has not become the current one");
            }
            "PutSecretValue" if self.put_is_rotation => "credential.rotated",
            "PutSecretValue" => return No::skip(Skip::NoCanonicalType, "by the settings a new value is no rotation"),
            "CreateSecret" => "credential.created",
            "DeleteSecret" if request.at("forceDeleteWithoutRecovery").truth() == Some(true) => "credential.revoked",
            "DeleteSecret" => "credential.disabled",
            "RestoreSecret" => "credential.enabled",
            "RotateSecret" => return self.asked(entry, desk),
            "RotationStarted" => return No::skip(Skip::NotFinal, "the rotation has begun"),
            name if name.starts_with("TestRotation") => return No::skip(Skip::NotRelevant, "a test is no rotation"),
            other => return No::skip(Skip::NoCanonicalType, format!("{} of a secret is not told", quoted(other))),
        };
        let subject = subject(entry)?;
        let version = response.at("versionId").text().filter(|_| kind != "credential.disabled");
        let mut data = vec![("kind", Value::from("secret"))];
        let asked = desk.known(&subject).cloned().filter(|_| entry.name.starts_with("Rotation"));
        // Who asked later cannot have asked for this.
        let before = |row: &Row| row.get("at").and_then(|at| at.parse().ok()).is_some_and(|at: i64| at <= entry.at.0);
        let asked = asked.filter(|row| row.get("by").is_some() && before(row));
        let partner = self.partner(entry, asked.as_ref().and_then(|row| row.get("partner")))?;
        data.extend(asked.as_ref().and_then(|row| row.get("by")).map(|by| ("requested_by", Value::from(by))));
        if entry.name.starts_with("Rotation") && asked.is_some() {
            // Asked once, done once.
            desk.remember(&subject, Row::default().with("done", Some(&entry.at.0.to_string())));
        }
        self.tell(entry, kind, subject, partner, version, data, desk)
    }

    /// Who asked for the rotation that the service will tell of. Entries come late: one from before the last rotation asked
    /// for that one.
    fn asked(&self, entry: &Entry<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        const ASKED: &str = "the rotation was asked for; the service tells when it is done";
        if entry.tree.path(&["requestParameters", "rotateImmediately"]).truth() == Some(false) {
            return No::skip(Skip::NotFinal, "only a schedule was set");
        }
        let (Some(by), subject) = (entry.tree.path(&["userIdentity", "arn"]).text(), subject(entry)?) else {
            return No::skip(Skip::NotFinal, ASKED);
        };
        let number =
            |name: &str| desk.known(&subject).and_then(|row| row.get(name)).and_then(|at| at.parse::<i64>().ok());
        let late = ["done", "at"].iter().any(|name| number(name).is_some_and(|at| at >= entry.at.0));
        if !late {
            let partner = self.partner(entry, None).ok();
            let row = desk.known(&subject).cloned().unwrap_or_default();
            let row =
                row.with("by", Some(by)).with("at", Some(&entry.at.0.to_string())).with("partner", partner.as_deref());
            desk.remember(&subject, row);
        }
        if self.tells_requests {
            let partner = self.partner(entry, None)?;
            let data = vec![("kind", Value::from("secret"))];
            return self.tell(entry, "credential.rotation-requested", subject, partner, None, data, desk);
        }
        No::skip(Skip::NotFinal, ASKED)
    }
}

/// Whether the new value is the one in force; a request that names no stage means that one.
fn current(request: &Tree<'_>, response: &Tree<'_>) -> bool {
    let stages = |tree: &Tree<'_>| {
        let stages = tree.at("versionStages");
        (!stages.is_null()).then(|| stages.list().iter().any(|stage| stage.text() == Some("AWSCURRENT")))
    };
    stages(request).or_else(|| stages(response)).unwrap_or(true)
}

/// The secret, by its name: it is named in four places, and as a name, or an ARN with six characters behind it.
fn subject(entry: &Entry<'_, '_>) -> Result<String, No> {
    let tree = entry.tree;
    let response = tree.at("responseElements");
    let said = [
        tree.at("additionalEventData").like("SecretId"),
        tree.at("serviceEventDetails").like("secretId"),
        response.like("arn"),
        tree.path(&["requestParameters", "secretId"]),
        tree.path(&["requestParameters", "name"]),
    ];
    let Some(said) = said.iter().find_map(|field| field.text()) else {
        return No::error(Error::MissingSubject, "the entry names no secret");
    };
    let (account, region, arn_name) = match said.strip_prefix("arn:") {
        None => (entry.account, entry.region, None),
        Some(rest) => {
            let mut parts = rest.splitn(6, ':').skip(2);
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(region), Some(account), Some("secret"), Some(name)) => (account, region, Some(name)),
                _ => return No::error(Error::MissingSubject, format!("{} is no secret's ARN", quoted(said))),
            }
        }
    };
    let name = match (response.at("name").text(), arn_name) {
        // Where the answer gives the name, nothing has to be cut off.
        (Some(name), _) => name,
        (None, Some(name)) => unsuffixed(name),
        (None, None) => said,
    };
    Ok(format!("aws:secretsmanager:{account}:{region}:{name}"))
}

/// Without the hyphen and six characters that an ARN has behind the name, once.
fn unsuffixed(name: &str) -> &str {
    match name.len().checked_sub(7).filter(|at| name.is_char_boundary(*at)).map(|at| name.split_at(at)) {
        Some((front, tail)) if tail.starts_with('-') && tail[1..].bytes().all(|b| b.is_ascii_alphanumeric()) => front,
        _ => name,
    }
}
