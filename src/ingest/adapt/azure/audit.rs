//! Key Vault's audit log: who did what. It comes minutes late.

use super::{Azure, Fact, segment, subject, tell};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::{ActorType, Desk, actor};
use crate::ingest::adapt::event::{Quality, Value};
use crate::ingest::adapt::hex;
use crate::ingest::adapt::time::rfc3339;
use crate::ingest::adapt::tree::Tree;
use sha2::{Digest, Sha256};

impl Azure {
    pub(super) fn audited(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let Some(operation) = tree.at("operationName").text() else {
            return No::error(Error::UnknownEnvelope, "the entry has no operationName");
        };
        let properties = tree.at("properties");
        let status = properties.at("httpStatusCode").whole();
        let failed = tree.at("resultType").text().is_some_and(|result| !result.eq_ignore_ascii_case("success"))
            || status.is_some_and(|status| !(200..300).contains(&status));
        let (object, told) = match operation {
            "SecretSet" => ("secret", "credential.rotated"),
            "KeyCreate" | "KeyRotate" | "KeyImport" => ("key", "credential.rotated"),
            "SecretDelete" | "SecretPurge" => ("secret", "credential.revoked"),
            "KeyDelete" | "KeyPurge" => ("key", "credential.revoked"),
            "CertificateDelete" | "CertificatePurge" => ("certificate", "credential.revoked"),
            "SecretUpdate" | "KeyUpdate" => match enabled(properties) {
                Some(false) if operation == "SecretUpdate" => ("secret", "credential.disabled"),
                Some(true) if operation == "SecretUpdate" => ("secret", "credential.enabled"),
                Some(false) => ("key", "credential.disabled"),
                Some(true) => ("key", "credential.enabled"),
                None => return No::skip(Skip::NoChange, "the update does not say that it switched anything on or off"),
            },
            "VaultPatch" => ("vault", "grant.given"),
            other if other.ends_with("Get") || other.ends_with("List") || other == "Authentication" => {
                return No::skip(Skip::NotRelevant, format!("{} only reads", quoted(other)));
            }
            other => return No::skip(Skip::NoCanonicalType, format!("{} is not told", quoted(other))),
        };
        if failed {
            return No::skip(Skip::Refused, format!("{} was refused", quoted(operation)));
        }
        let Some(time) = tree.at("time").text() else {
            return No::error(Error::MissingTime, "the entry has no time");
        };
        let at = rfc3339("time", time)?;
        let resource = tree.at("resourceId").text().unwrap_or_default();
        let address = properties.at("id").text().or_else(|| properties.at("requestUri").text()).unwrap_or_default();
        let Some(vault) = segment(resource, "vaults").or_else(|| host(address)) else {
            return No::error(Error::MissingSubject, "the entry names no vault");
        };
        let partner = self.partner(Some(&vault), resource, tree.at("tenantId").text())?;
        let mut data = Vec::from(who(tree.path(&["identity", "claim"])));
        data.push(("kind", Value::from(object)));
        let (subject, version) = if object == "vault" {
            // Access to the vault as a whole: for whom, and what, the entry does not say.
            (format!("azure:keyvault:{}:access", vault.to_lowercase()), None)
        } else {
            let plural = format!("{object}s");
            let Some(name) = segment(address, &plural) else {
                return No::error(Error::MissingSubject, format!("the entry names no {object}"));
            };
            let name = name.split('?').next().unwrap_or_default().to_owned();
            let version = address.split('?').next().unwrap_or_default().rsplit('/').next();
            let version = version.filter(|version| is_version(version) && told == "credential.rotated");
            (subject(&vault, object, &name), version.map(str::to_owned))
        };
        // The entry has no id of its own: what it says is what it is known by.
        let mut digest = Sha256::new();
        let correlation = tree.at("correlationId").text().unwrap_or_default();
        for part in [&resource.to_lowercase(), correlation, operation, time, address] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let id = hex(&digest.finalize());
        tell(Fact { id, kind: told, at, subject, partner, version, data }, Quality::Exact, desk)
    }
}

/// Whether an update switched it on or off.
fn enabled(properties: &Tree<'_>) -> Option<bool> {
    let places = [
        properties.path(&["secretProperties", "attributes", "enabled"]),
        properties.path(&["keyProperties", "attributes", "enabled"]),
    ];
    places.iter().find_map(|field| field.truth())
}

/// A version as the vault makes them: 32 hexadecimal digits.
fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The vault's name in its address.
fn host(address: &str) -> Option<String> {
    let rest = address.strip_prefix("https://")?;
    rest.split(['.', '/']).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

fn who(claim: &Tree<'_>) -> [(&'static str, Value); 2] {
    const UPN: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn";
    const OID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";
    if let Some(name) = claim.at(UPN).text().or_else(|| claim.at("upn").text()) {
        return actor(Some(name), ActorType::Human);
    }
    if let Some(id) = claim.at(OID).text().or_else(|| claim.at("oid").text()) {
        return actor(Some(id), ActorType::Unknown);
    }
    match claim.at("appid").text() {
        Some(app) => actor(Some(app), ActorType::App),
        None => actor(None, ActorType::Unknown),
    }
}
