//! Azure: Key Vault's events from Event Grid, its audit log, and the audit log of Entra ID. The first knows versions and no
//! people, the second people, so that one rotation is told twice; its name and version make it one.

mod audit;
mod entra;

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::redact;
use super::settings::Settings;
use super::time::rfc3339;
use super::tree::Tree;
use super::{Page, Vendor};
use onus_engine::time::Moment;

#[derive(Debug)]
pub(super) struct Azure {
    partners: Partners,
}

/// What every event of Azure's is told from.
struct Fact {
    id: String,
    kind: &'static str,
    at: Moment,
    subject: String,
    partner: String,
    version: Option<String>,
    data: Vec<(&'static str, Value)>,
}

impl Azure {
    pub(super) fn new(settings: &Settings) -> Azure {
        Azure { partners: settings.partners("azure") }
    }

    fn one(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        match tree.at("category").text() {
            Some("AuditEvent") => return self.audited(tree, desk),
            Some("AuditLogs") => return self.directory(tree, desk),
            Some(other) => return No::skip(Skip::NotRelevant, format!("logs of {} are not looked at", quoted(other))),
            None => {}
        }
        self.event(tree, desk)
    }

    /// An event of Event Grid, in its own schema or as a CloudEvent.
    fn event(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let Some(kind) = tree.at("eventType").text().or_else(|| tree.at("type").text()) else {
            return No::error(Error::UnknownEnvelope, "neither an event of Event Grid nor an entry of a log");
        };
        let Some(what) = kind.strip_prefix("Microsoft.KeyVault.") else {
            return No::skip(Skip::NotRelevant, format!("{} tells nothing", quoted(kind)));
        };
        let (object, told) = match what {
            "SecretNewVersionCreated" => ("secret", "credential.rotated"),
            "KeyNewVersionCreated" => ("key", "credential.rotated"),
            "CertificateNewVersionCreated" => ("certificate", "credential.rotated"),
            "SecretExpired" => ("secret", "credential.expired"),
            "KeyExpired" => ("key", "credential.expired"),
            "CertificateExpired" => ("certificate", "credential.expired"),
            other if other.ends_with("NearExpiry") => {
                return No::skip(Skip::NoCanonicalType, "it is due, which is no rotation");
            }
            other => return No::skip(Skip::NoCanonicalType, format!("{} is not told", quoted(other))),
        };
        let Some(id) = tree.at("id").text() else {
            return No::error(Error::MissingId, "the event has no id");
        };
        let Some(time) = tree.at("eventTime").text().or_else(|| tree.at("time").text()) else {
            return No::error(Error::MissingTime, "the event has no time");
        };
        let at = rfc3339("its time", time)?;
        // The documentation and what comes differ in case, and once in a blank behind the name.
        let data = tree.at("data");
        let source = tree.at("topic").text().or_else(|| tree.at("source").text()).unwrap_or_default();
        let vault = data.like("VaultName").text().map(str::to_owned).or_else(|| segment(source, "vaults"));
        let Some(vault) = vault else {
            return No::error(Error::MissingSubject, "the event names no vault");
        };
        let Some(name) = data.like("ObjectName").text().or_else(|| tree.at("subject").text()) else {
            return No::error(Error::MissingSubject, "the event names no object");
        };
        let version = data.like("Version").text().map(str::to_owned);
        let mut more = Vec::from(actor(None, ActorType::Service));
        more.push(("kind", Value::from(object)));
        let (mut at, mut quality) = (at, Quality::Exact);
        if let Some(seconds) = data.like("EXP").whole().filter(|seconds| *seconds > 0) {
            let expires = Moment(seconds.saturating_mul(1000));
            if told == "credential.expired" && expires <= at {
                // The event is the news of it; this is the fact.
                at = expires;
            } else if told == "credential.expired" {
                quality = Quality::UpperBound;
            }
            more.push(("expires_at", Value::At(expires)));
        } else if told == "credential.expired" {
            quality = Quality::UpperBound;
        }
        let partner = self.partner(Some(&vault), source, None)?;
        let subject = subject(&vault, object, name);
        let fact = Fact { id: id.to_owned(), kind: told, at, subject, partner, version, data: more };
        tell(fact, quality, desk)
    }

    /// The vault's partner, else the subscription's, else the tenant's. Names have no case.
    fn partner(&self, vault: Option<&str>, resource: &str, tenant: Option<&str>) -> Result<String, No> {
        let subscription = segment(resource, "subscriptions");
        let places = [("vaults", vault), ("subscriptions", subscription.as_deref()), ("tenants", tenant)];
        for (list, value) in places {
            if let Some(value) = value
                && let Some(partner) = self.partners.caseless(list, value)?
            {
                return Ok(partner.to_owned());
            }
        }
        let named = places.iter().filter_map(|(list, value)| value.map(|value| format!("{list} {}", quoted(value))));
        unknown(&named.collect::<Vec<_>>().join(", "))
    }
}

impl Vendor for Azure {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        // Storage queues put it into base64.
        let bare = page.text.trim();
        let packed =
            (!bare.starts_with(['{', '[']) && !bare.is_empty()).then(|| crate::ingest::base64::base64(bare)).flatten();
        let unpacked = packed.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(text) = unpacked.as_deref().filter(|text| redact::marked(text)) {
            desk.exposed(redact::forms(text));
        }
        let page = Page { text: unpacked.as_deref().unwrap_or(page.text), topic: page.topic };
        let tree = page.json()?;
        let items = match &tree {
            Tree::List(items) => items.as_slice(),
            Tree::Map(_) if matches!(tree.at("records"), Tree::List(_)) => tree.at("records").list(),
            Tree::Map(_) => return self.one(&tree, desk),
            _ => return No::error(Error::UnknownEnvelope, "neither events nor entries of a log"),
        };
        for item in items {
            desk.item_of(item, |desk| self.one(item, desk));
        }
        Ok(())
    }
}

/// What stands behind a word in a resource's path, whatever its case.
fn segment(path: &str, word: &str) -> Option<String> {
    let mut parts = path.split('/');
    parts.by_ref().find(|part| part.eq_ignore_ascii_case(word))?;
    parts.next().filter(|part| !part.is_empty()).map(str::to_owned)
}

/// An object of a vault: names have no case, and logs shout them.
fn subject(vault: &str, object: &str, name: &str) -> String {
    format!("azure:keyvault:{}:{object}:{}", vault.to_lowercase(), name.to_lowercase())
}

fn tell(fact: Fact, quality: Quality, desk: &mut Desk<'_>) -> Result<(), No> {
    let Fact { id, kind, at, subject, partner, version, mut data } = fact;
    data.extend(version.as_deref().map(|version| ("version", Value::from(version))));
    desk.tell(Told {
        id,
        kind,
        at,
        quality,
        factkey: version.map(|version| format!("{kind}|{subject}|{version}")),
        subject,
        partner,
        sequence: None,
        correlation: None,
        data,
    })
}
