//! IAM: access keys and policies of users. A key's rotation is the making of a new one and the end of the old; they share a
//! parent, the user.

use super::{Aws, Entry};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::Desk;
use crate::ingest::adapt::event::Value;

impl Aws {
    pub(super) fn iam(&self, entry: &Entry<'_, '_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = entry.tree;
        let (request, made) = (tree.at("requestParameters"), tree.path(&["responseElements", "accessKey"]));
        let kind = match (entry.name, request.at("status").text()) {
            ("CreateAccessKey", _) => "credential.created",
            ("UpdateAccessKey", Some("Inactive")) => "credential.disabled",
            ("UpdateAccessKey", Some("Active")) => "credential.enabled",
            ("DeleteAccessKey", _) => "credential.revoked",
            ("AttachUserPolicy", _) => return self.policy(entry, "grant.given", desk),
            ("DetachUserPolicy", _) => return self.policy(entry, "grant.revoked", desk),
            (other, _) => return No::skip(Skip::NoCanonicalType, format!("{} is not told", quoted(other))),
        };
        let Some(key) = made.at("accessKeyId").text().or_else(|| request.at("accessKeyId").text()) else {
            return No::error(Error::MissingSubject, "the entry names no access key");
        };
        let subject = format!("aws:iam:{}:{key}", entry.account);
        let mut data = vec![("kind", Value::from("key"))];
        data.extend(self.user(entry).map(|user| ("parent", Value::from(user))));
        let partner = self.partner(entry, None)?;
        self.tell(entry, kind, subject, partner, None, data, desk)
    }

    /// Whose key or policy: said in the request; in the answer, where people make keys for themselves; else the caller is
    /// the user. The account's root has no name.
    fn user(&self, entry: &Entry<'_, '_>) -> Option<String> {
        let tree = entry.tree;
        let said =
            [tree.path(&["requestParameters", "userName"]), tree.path(&["responseElements", "accessKey", "userName"])];
        let identity = tree.at("userIdentity");
        let own = identity.at("userName").text().filter(|_| identity.at("type").text() == Some("IAMUser"));
        let name = said.iter().find_map(|field| field.text()).or(own)?;
        Some(format!("aws:iam:{}:user/{name}", entry.account))
    }

    fn policy(&self, entry: &Entry<'_, '_>, kind: &'static str, desk: &mut Desk<'_>) -> Result<(), No> {
        let request = entry.tree.at("requestParameters");
        let (Some(user), Some(policy)) = (request.at("userName").text(), request.at("policyArn").text()) else {
            return No::error(Error::MissingSubject, "the entry does not say which policy of which user");
        };
        let subject = format!("aws:iam:{}:user/{user}:{policy}", entry.account);
        let grantee = format!("aws:iam:{}:user/{user}", entry.account);
        let partner = self.partner(entry, None)?;
        let data = vec![("grantee", Value::from(grantee)), ("role", Value::from(policy))];
        self.tell(entry, kind, subject, partner, None, data, desk)
    }
}
