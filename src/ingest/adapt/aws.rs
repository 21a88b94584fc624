//! AWS: CloudTrail, through EventBridge or from S3. A record is a log entry: what it says happened, and needs no row before.
//!
//! What is remembered: who asked for a secret's rotation, because the service that then does it names nobody.

mod iam;
mod secret;

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::settings::{Aws as AwsTables, Settings};
use super::time::rfc3339;
use super::tree::Tree;
use super::{Page, Vendor};
use onus_engine::time::Moment;

#[derive(Debug)]
pub(super) struct Aws {
    put_is_rotation: bool,
    tells_requests: bool,
    partners: Partners,
}

/// One entry of CloudTrail.
struct Entry<'t, 'a> {
    tree: &'t Tree<'a>,
    id: &'t str,
    name: &'t str,
    at: Moment,
    account: &'t str,
    region: &'t str,
}

impl Aws {
    pub(super) fn new(settings: &Settings) -> Aws {
        let AwsTables { put_is_rotation, tells_requests } = settings.aws;
        Aws { put_is_rotation, tells_requests, partners: settings.partners("aws") }
    }

    fn entry(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        // EventBridge's envelope around it, if it came that way. Its detail-type has been seen wrong, so nothing goes by it.
        let tree = if tree.at("detail").is_map() { tree.at("detail") } else { tree };
        let (Some(name), Some(service)) = (tree.at("eventName").text(), tree.at("eventSource").text()) else {
            return No::error(Error::UnknownEnvelope, "no entry of CloudTrail: eventName or eventSource is missing");
        };
        if tree.at("readOnly").truth() == Some(true) {
            return No::skip(Skip::NotRelevant, format!("{} only reads", quoted(name)));
        }
        if let Some(code) = tree.at("errorCode").text() {
            return No::skip(Skip::Refused, format!("{} was refused: {}", quoted(name), quoted(code)));
        }
        let Some(id) = tree.at("eventID").text() else {
            return No::error(Error::MissingId, "the entry has no eventID");
        };
        let Some(time) = tree.at("eventTime").text() else {
            return No::error(Error::MissingTime, "the entry has no eventTime");
        };
        let at = rfc3339("eventTime", time)?;
        let account = tree.at("recipientAccountId").text().or_else(|| tree.path(&["userIdentity", "accountId"]).text());
        let account = account.unwrap_or_default();
        let region = tree.at("awsRegion").text().unwrap_or_default();
        let entry = Entry { tree, id, name, at, account, region };
        match service {
            "secretsmanager.amazonaws.com" => self.secret(&entry, desk),
            "iam.amazonaws.com" => self.iam(&entry, desk),
            "kms.amazonaws.com" => self.key(&entry, desk),
            other => No::skip(Skip::NotRelevant, format!("{} is not looked at", quoted(other))),
        }
    }

    /// A key of KMS.
    fn key(&self, entry: &Entry<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let kind = match entry.name {
            "RotateKey" => "credential.rotated",
            "RotateKeyOnDemand" if self.tells_requests => "credential.rotation-requested",
            "RotateKeyOnDemand" if !self.tells_requests => {
                return No::skip(Skip::NotFinal, "the rotation was asked for; RotateKey tells that it was done");
            }
            other => return No::skip(Skip::NoCanonicalType, format!("{} of a key is not told", quoted(other))),
        };
        let tree = entry.tree;
        let arn = tree.at("resources").list().iter().find_map(|one| one.like("ARN").text());
        let named = [tree.path(&["serviceEventDetails", "keyId"]), tree.path(&["requestParameters", "keyId"])];
        let id = arn.or_else(|| named.iter().find_map(|field| field.text()));
        let Some(id) = id.map(|id| id.rsplit('/').next().unwrap_or(id)) else {
            return No::error(Error::MissingSubject, "the entry names no key");
        };
        let subject = format!("aws:kms:{}:{}:{id}", entry.account, entry.region);
        let partner = self.partner(entry, None)?;
        let data = vec![("kind", Value::from("key"))];
        self.tell(entry, kind, subject, partner, None, data, desk)
    }

    /// The account's partner; in an account of several, the one whose role was assumed.
    fn partner(&self, entry: &Entry<'_, '_>, asked: Option<&str>) -> Result<String, No> {
        if let Some(partner) = self.partners.exact("accounts", entry.account)? {
            return Ok(partner.to_owned());
        }
        let role = entry.tree.path(&["userIdentity", "arn"]).text().and_then(role);
        if let Some(partner) = role.map(|role| self.partners.prefix("role_prefix", role)).transpose()?.flatten() {
            return Ok(partner.to_owned());
        }
        match (role, asked) {
            // Nobody assumed a role: the service did what this partner's role had asked of it.
            (None, Some(partner)) => Ok(partner.to_owned()),
            (Some(role), _) => unknown(&format!("account {} or role {}", quoted(entry.account), quoted(role))),
            (None, None) => unknown(&format!("account {}", quoted(entry.account))),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn tell(
        &self,
        entry: &Entry<'_, '_>,
        kind: &'static str,
        subject: String,
        partner: String,
        version: Option<&str>,
        more: Vec<(&'static str, Value)>,
        desk: &mut Desk<'_>,
    ) -> Result<(), No> {
        let mut data = Vec::from(who(entry.tree.at("userIdentity")));
        data.push(("account", Value::from(entry.account)));
        data.extend(version.map(|version| ("version", Value::from(version))));
        data.extend(more);
        desk.tell(Told {
            id: entry.id.to_owned(),
            kind,
            at: entry.at,
            quality: Quality::Exact,
            factkey: version.map(|version| format!("{kind}|{subject}|{version}")),
            subject,
            partner,
            sequence: None,
            correlation: None,
            data,
        })
    }
}

impl Vendor for Aws {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = page.json()?;
        let items = match &tree {
            Tree::List(items) => items.as_slice(),
            Tree::Map(_) if matches!(tree.at("Records"), Tree::List(_)) => tree.at("Records").list(),
            _ => return self.entry(&tree, desk),
        };
        for item in items {
            desk.item_of(item, |desk| self.entry(item, desk));
        }
        Ok(())
    }
}

/// `arn:aws:sts::210987654321:assumed-role/NAME/session`: the name. The session is free text, and says nothing.
fn role(arn: &str) -> Option<&str> {
    let rest = arn.split(":assumed-role/").nth(1)?;
    rest.split('/').next().filter(|name| !name.is_empty())
}

/// Who did it. A service that acts by itself is nobody; whether a role was a person's AWS does not say.
fn who(identity: &Tree<'_>) -> [(&'static str, Value); 2] {
    match (identity.at("arn").text(), identity.at("invokedBy").text()) {
        (Some(arn), _) => actor(Some(arn), ActorType::Unknown),
        (None, Some(_)) => actor(None, ActorType::Service),
        (None, None) if identity.at("type").text() == Some("AWSService") => actor(None, ActorType::Service),
        (None, None) => actor(identity.at("principalId").text(), ActorType::Unknown),
    }
}
