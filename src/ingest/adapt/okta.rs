//! Okta's System Log: bare, as an event hook, or through EventBridge. There is no rotation: a new secret comes and the old one
//! goes, under one application.

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::settings::Settings;
use super::time::rfc3339;
use super::tree::Tree;
use super::{Page, Vendor};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Okta {
    service_accounts: BTreeSet<String>,
    partners: Partners,
}

/// What an event type says, and of which target.
enum Meaning {
    Credential(&'static str, &'static [&'static str], &'static str),
    Grant(&'static str),
    /// Of a service account only: people's own accounts are out of scope.
    Account(&'static str),
}

const APPS: &[&str] = &["PublicClientApp", "AppInstance", "OAuth2Client"];
const SECRETS: &[&str] = &["OAuth2ClientCredential", "OAuth2ClientSecret", "JsonWebKey", "JWK"];
const TOKENS: &[&str] = &["Token", "ApiToken"];

fn meaning(kind: &str) -> Option<Meaning> {
    use Meaning::{Account, Credential, Grant};
    Some(match kind {
        "app.oauth2.credentials.lifecycle.create" => Credential("credential.created", SECRETS, "secret"),
        "app.oauth2.credentials.lifecycle.deactivate" => Credential("credential.disabled", SECRETS, "secret"),
        "app.oauth2.credentials.lifecycle.activate" => Credential("credential.enabled", SECRETS, "secret"),
        "app.oauth2.credentials.lifecycle.delete" => Credential("credential.revoked", SECRETS, "secret"),
        "system.api_token.create" => Credential("credential.created", TOKENS, "token"),
        "system.api_token.revoke" => Credential("credential.revoked", TOKENS, "token"),
        "app.oauth2.client.lifecycle.create" => Credential("credential.created", APPS, "client"),
        "app.oauth2.client.lifecycle.deactivate" => Credential("credential.disabled", APPS, "client"),
        "app.oauth2.client.lifecycle.activate" => Credential("credential.enabled", APPS, "client"),
        "app.oauth2.client.lifecycle.delete" => Credential("credential.revoked", APPS, "client"),
        "app.oauth2.client.privilege.grant" | "user.account.privilege.grant" | "group.user_membership.add" => {
            Grant("grant.given")
        }
        "app.oauth2.client.privilege.revoke" | "user.account.privilege.revoke" | "group.user_membership.remove" => {
            Grant("grant.revoked")
        }
        "user.lifecycle.suspend" | "user.lifecycle.deactivate" => Account("credential.disabled"),
        "user.lifecycle.unsuspend" | "user.lifecycle.reactivate" => Account("credential.enabled"),
        "user.lifecycle.delete.completed" => Account("credential.revoked"),
        _ => return None,
    })
}

impl Okta {
    pub(super) fn new(settings: &Settings) -> Okta {
        Okta { service_accounts: settings.okta_service_accounts.clone(), partners: settings.partners("okta") }
    }

    fn entry(&self, tree: &Tree<'_>, org: Option<&str>, desk: &mut Desk<'_>) -> Result<(), No> {
        let Some(kind) = tree.at("eventType").text() else {
            return No::error(Error::UnknownEnvelope, "no entry of the System Log: eventType is missing");
        };
        let Some(meaning) = meaning(kind) else {
            return No::skip(Skip::NotRelevant, format!("{} tells nothing", quoted(kind)));
        };
        match tree.path(&["outcome", "result"]).text() {
            None | Some("SUCCESS" | "ALLOW") => {}
            Some(other) => return No::skip(Skip::Refused, format!("its outcome is {}", quoted(other))),
        }
        let targets = tree.at("target").list();
        // The order of targets is nobody's promise: they are found by their type.
        let find = |kinds: &[&str]| {
            let one = targets.iter().find(|target| target.at("type").text().is_some_and(|kind| kinds.contains(&kind)));
            one.and_then(|target| target.at("id").text())
        };
        let no_target =
            || No::error(Error::MissingSubject, format!("{} names no target that it is about", quoted(kind)));
        let mut data = Vec::new();
        let (told, subject) = match meaning {
            Meaning::Credential(told, kinds, what) => {
                let Some(id) = find(kinds) else { return no_target() };
                data.push(("kind", Value::from(what)));
                if what == "secret" {
                    data.extend(find(APPS).map(|app| ("parent", Value::from(format!("okta:client:{app}")))));
                }
                (told, format!("okta:{what}:{id}"))
            }
            Meaning::Account(told) => {
                let Some(id) = find(&["User"]) else { return no_target() };
                if !self.service_accounts.contains(id) {
                    return No::skip(Skip::NotRelevant, "a person's account");
                }
                data.push(("kind", Value::from("account")));
                (told, format!("okta:account:{id}"))
            }
            Meaning::Grant(told) => {
                let Some(grantee) = find(APPS).or_else(|| find(&["User"])) else { return no_target() };
                let debug = tree.path(&["debugContext", "debugData", "privilegeGranted"]).text();
                let role = find(&["Scope", "UserGroup", "ROLE", "Role"]).or(debug);
                data.push(("grantee", Value::from(grantee)));
                data.extend(role.map(|role| ("role", Value::from(role))));
                // Which privilege was taken back Okta does not always say; the grant is then of the grantee alone.
                let role = match kind.starts_with("user.account.privilege") {
                    true => "privilege",
                    false => role.unwrap_or_default(),
                };
                (told, format!("okta:grant:{grantee}:{role}"))
            }
        };
        let Some(id) = tree.at("uuid").text() else {
            return No::error(Error::MissingId, "the entry has no uuid");
        };
        let Some(time) = tree.at("published").text() else {
            return No::error(Error::MissingTime, "the entry has no published");
        };
        let at = rfc3339("published", time)?;
        let partner = self.partner(tree.at("actor"), org)?;
        let known = desk.known(&subject).and_then(|row| row.get("disabled")).is_some();
        match told {
            "credential.disabled" => {
                desk.remember(&subject, super::state::Row::default().with("disabled", Some("yes")));
            }
            "credential.enabled" if !known => {
                return No::skip(Skip::NoChange, "it was not switched off, so nothing was switched on again");
            }
            "credential.enabled" | "credential.revoked" if known => desk.forget(&subject),
            _ => {}
        }
        let mut all = Vec::from(who(tree.at("actor")));
        all.extend(data);
        desk.tell(Told {
            id: id.to_owned(),
            kind: told,
            at,
            quality: Quality::Exact,
            subject,
            partner,
            factkey: None,
            sequence: None,
            correlation: None,
            data: all,
        })
    }

    /// The partner of the actor's domain. An application, Okta itself, and whoever has no name that says where from, are the
    /// organisation's; somebody of a domain that nobody named is nobody's.
    fn partner(&self, who: &Tree<'_>, org: Option<&str>) -> Result<String, No> {
        let name = who.at("alternateId").text().filter(|name| *name != "unknown");
        let person =
            !matches!(who.at("type").text(), Some("PublicClientApp" | "SystemPrincipal" | "AppInstance") | None);
        if let Some((_, domain)) = name.filter(|_| person).and_then(|name| name.rsplit_once('@')) {
            return match self.partners.caseless("actor_domains", domain)? {
                Some(partner) => Ok(partner.to_owned()),
                None => unknown(&format!("the actor's domain {}", quoted(domain))),
            };
        }
        // A feed that does not say which organisation it is of is of the only one that there is.
        let found = match org {
            Some(org) => self.partners.exact("orgs", org)?,
            None => self.partners.only("orgs"),
        };
        match found {
            Some(partner) => Ok(partner.to_owned()),
            None => unknown(&format!("organisation {}", quoted(org.unwrap_or("(not said)")))),
        }
    }
}

impl Vendor for Okta {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let tree = page.json()?;
        let source = tree.at("source").text().unwrap_or_default();
        if tree.at("detail").is_map() {
            // `aws.partner/okta.com/ORG/NAME`
            let org = source.strip_prefix("aws.partner/okta.com/").and_then(|rest| rest.split('/').next());
            return self.entry(tree.at("detail"), org, desk);
        }
        let (items, org) = match &tree {
            Tree::List(items) => (items.as_slice(), None),
            Tree::Map(_) if matches!(tree.path(&["data", "events"]), Tree::List(_)) => {
                // `https://ORG.okta.com/...`
                let org = source.strip_prefix("https://").and_then(|rest| rest.split(['.', '/']).next());
                (tree.path(&["data", "events"]).list(), org)
            }
            _ => return self.entry(&tree, None, desk),
        };
        for item in items {
            desk.item_of(item, |desk| self.entry(item, org, desk));
        }
        Ok(())
    }
}

/// Who did it. Okta itself is nobody; a client is an application.
fn who(who: &Tree<'_>) -> [(&'static str, Value); 2] {
    match who.at("type").text() {
        Some("SystemPrincipal") => actor(None, ActorType::Service),
        Some("PublicClientApp" | "AppInstance") => actor(who.at("id").text(), ActorType::App),
        Some("User") => actor(who.at("id").text(), ActorType::Human),
        _ => actor(who.at("id").text(), ActorType::Unknown),
    }
}
