//! HashiCorp Vault and OpenBao: the audit log, and the event notifications of the Enterprise edition. Only an answer without
//! an error is a fact; a request alone says what somebody wanted.

use super::codes::{Error, No, Skip, quoted};
use super::desk::{ActorType, Desk, Told, actor};
use super::event::{Quality, Value};
use super::partners::{Partners, unknown};
use super::settings::{Settings, Vault as Tables};
use super::state::Row;
use super::time::rfc3339;
use super::tree::Tree;
use super::{Page, Vendor};
use onus_engine::time::Moment;

#[derive(Debug)]
pub(super) struct Vault {
    tables: Tables,
    partners: Partners,
}

/// A value was written, and not which version it became: the first one, or a rotation.
const UNSAID: &str = "";

/// What an operation did to which credential.
struct Deed {
    kind: &'static str,
    /// Below the namespace.
    name: String,
    what: &'static str,
    version: Option<String>,
    /// The name holds an HMAC: it is the same for the same secret, and no name.
    hashed: bool,
    grantee: Vec<String>,
}

impl Vault {
    pub(super) fn new(settings: &Settings) -> Vault {
        Vault { tables: settings.vault.clone(), partners: settings.partners("vault") }
    }

    /// The namespace's partner; in the root, which many share, the mount's.
    fn partner(&self, namespace: &str, mount: &str) -> Result<String, No> {
        let root = namespace.is_empty() || namespace == "root";
        let path = format!("{}/", namespace.trim_end_matches('/'));
        if !(root && self.tables.root_by_mount)
            && let Some(partner) = self.partners.prefix("namespaces", &path)?
        {
            return Ok(partner.to_owned());
        }
        match self.partners.exact("mounts", mount)? {
            Some(partner) => Ok(partner.to_owned()),
            None => unknown(&format!("namespace {} or mount {}", quoted(namespace), quoted(mount))),
        }
    }

    fn audit(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        match tree.at("type").text() {
            Some("response") => {}
            Some("request") => return No::skip(Skip::NotFinal, "a request; its response tells what came of it"),
            Some(kmip) if kmip.starts_with("kmip-") => return No::skip(Skip::NotRelevant, "KMIP is not looked at"),
            _ => {
                return No::error(
                    Error::UnknownEnvelope,
                    "no entry of an audit log: type is neither request nor response",
                );
            }
        }
        let request = tree.at("request");
        let (Some(path), Some(operation)) = (request.at("path").text(), request.at("operation").text()) else {
            return No::error(Error::UnknownEnvelope, "the entry has no request with a path and an operation");
        };
        let error = tree.at("error").text();
        let denied = tree.path(&["auth", "policy_results", "allowed"]).truth() == Some(false)
            || error.is_some_and(|error| error.contains("permission denied"));
        if denied {
            return No::skip(Skip::Refused, "permission was denied");
        }
        let mount = request.at("mount_point").text().unwrap_or_default();
        let Some(mut deed) = self.deed(tree, path, operation, mount) else {
            return No::skip(Skip::NotRelevant, format!("{} of {} tells nothing", quoted(operation), quoted(path)));
        };
        if error.is_some() {
            if deed.kind != "credential.rotated" || deed.what == "secret" {
                return No::skip(Skip::Refused, "it failed, so nothing happened");
            }
            deed.kind = "credential.rotation-failed";
        }
        if deed.kind == UNSAID {
            return No::error(Error::UnknownEnvelope, "the answer to the write does not say which version it made");
        }
        let Some(id) = request.at("id").text() else {
            return No::error(Error::MissingId, "the entry's request has no id");
        };
        let Some(time) = tree.at("time").text() else {
            return No::error(Error::MissingTime, "the entry has no time");
        };
        let at = rfc3339("time", time)?;
        let namespace = request.path(&["namespace", "path"]).text().unwrap_or_default();
        let partner = self.partner(namespace, mount)?;
        let who = who(tree.at("auth"));
        if deed.what == "secret" && request.at("mount_type").text() == Some("kv") {
            older(tree, &deed, namespace, desk)?;
        }
        // Several devices write the same entry: the request's id is what they share.
        tell(deed, format!("{id}:response"), at, namespace, partner, who, desk)
    }

    fn deed(&self, tree: &Tree<'_>, path: &str, operation: &str, mount: &str) -> Option<Deed> {
        let request = tree.at("request");
        let inside = path.strip_prefix(mount).unwrap_or(path);
        let writes = matches!(operation, "update" | "create" | "patch");
        let deed =
            |kind, what, name: String| Deed { kind, name, what, version: None, hashed: false, grantee: Vec::new() };
        match (request.at("mount_type").text().unwrap_or_default(), inside.split_once('/')) {
            (_, Some(("rotate-role" | "rotate-root", name))) if writes && !name.is_empty() => {
                let root = inside.starts_with("rotate-root");
                let name = if root { format!("{mount}config/{name}") } else { format!("{mount}static-roles/{name}") };
                Some(deed("credential.rotated", "password", name))
            }
            ("kv", Some((part, name))) => self.kv(tree, (mount, part, name), operation, writes),
            ("database", Some(("creds", _))) if operation == "read" => {
                let lease = tree.path(&["response", "secret", "lease_id"]).text()?;
                let hashed = lease.contains("hmac-sha256:");
                Some(Deed { hashed, ..deed("credential.created", "lease", lease.to_owned()) })
            }
            ("system", _) if writes => {
                let lease =
                    ["leases/revoke-prefix/", "leases/revoke-force/", "leases/revoke/", "revoke-prefix/", "revoke/"]
                        .iter()
                        .find_map(|front| inside.strip_prefix(front))
                        .or_else(|| {
                            (inside == "leases/revoke").then(|| request.path(&["data", "lease_id"]).text())?
                        })?;
                let hashed = lease.contains("hmac-sha256:");
                Some(Deed { hashed, ..deed("credential.revoked", "lease", lease.to_owned()) })
            }
            ("approle", _) if writes => {
                let (role, rest) = inside.strip_prefix("role/")?.split_once('/')?;
                let (kind, holder) = match rest {
                    "secret-id" | "custom-secret-id" => ("credential.created", tree.path(&["response", "data"])),
                    "secret-id-accessor/destroy" | "secret-id/destroy" => ("credential.revoked", request.at("data")),
                    _ => return None,
                };
                // The accessor names the secret id; where it is hashed it is hashed alike at both ends.
                let accessor = holder.at("secret_id_accessor").text();
                let id = accessor.or_else(|| holder.at("secret_id").text())?;
                let name = format!("{mount}role/{role}/{id}");
                Some(Deed { hashed: id.starts_with("hmac-"), ..deed(kind, "secret", name) })
            }
            ("identity", Some(("group", name))) if writes => {
                let members = request.path(&["data", "member_entity_ids"]).list();
                // All of the group, not who is new in it: an update does not say who was there before.
                let grantee: Vec<String> = members.iter().filter_map(|one| one.text()).map(str::to_owned).collect();
                let hashed = grantee.first()?.starts_with("hmac-");
                Some(Deed { hashed, grantee, ..deed("grant.given", "group", format!("{mount}group/{name}")) })
            }
            _ => None,
        }
    }

    /// A secret of KV, where the settings say that secrets of that prefix are credentials.
    fn kv(
        &self,
        tree: &Tree<'_>,
        (mount, part, name): (&str, &str, &str),
        operation: &str,
        writes: bool,
    ) -> Option<Deed> {
        let full = format!("{mount}{name}");
        if !self.tables.kv.iter().any(|prefix| full.starts_with(prefix.as_str())) {
            return None;
        }
        let version = tree.path(&["response", "data", "version"]).whole();
        let kind = match (part, operation) {
            ("data", _) if writes => match version {
                Some(1) => "credential.created",
                Some(_) => "credential.rotated",
                None => UNSAID,
            },
            ("data", "delete") => "credential.disabled",
            ("delete", _) if writes => "credential.disabled",
            ("undelete", _) if writes => "credential.enabled",
            ("destroy", _) if writes => "credential.revoked",
            ("metadata", "delete") => "credential.revoked",
            _ => return None,
        };
        let version = version.map(|version| version.to_string());
        Some(Deed { kind, name: full, what: "secret", version, hashed: false, grantee: Vec::new() })
    }

    /// A notification: a CloudEvent whose type is `*`, with the real one inside. The only trace of a rotation by schedule.
    fn notification(&self, tree: &Tree<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        let data = tree.at("data");
        let Some(real) = data.at("event_type").text() else {
            return No::error(Error::UnknownEnvelope, "the notification has no data.event_type");
        };
        let (plugin, meta) = (data.at("plugin_info"), data.path(&["event", "metadata"]));
        let mount = plugin.at("mount_path").text().unwrap_or_default();
        let (kind, place) = match real {
            "database/rotate" => ("credential.rotated", "static-roles"),
            "database/rotate-fail" => ("credential.rotation-failed", "static-roles"),
            "database/root-rotate" => ("credential.rotated", "config"),
            "database/root-rotate-fail" => ("credential.rotation-failed", "config"),
            other => return No::skip(Skip::NotRelevant, format!("{} tells nothing", quoted(other))),
        };
        let path = meta.at("path").text().and_then(|path| path.rsplit('/').next());
        let Some(name) = meta.at("name").text().or(path) else {
            return No::error(Error::MissingSubject, "the notification names no role");
        };
        let Some(id) = tree.at("id").text() else {
            return No::error(Error::MissingId, "the notification has no id");
        };
        let Some(time) = tree.at("time").text() else {
            return No::error(Error::MissingTime, "the notification has no time");
        };
        let at = rfc3339("time", time)?;
        let said = [plugin.at("namespace"), data.at("namespace"), meta.at("namespace")];
        let namespace = said.iter().find_map(|field| field.text()).unwrap_or_default();
        let partner = self.event_partner(namespace, mount, name, place, desk)?;
        let deed = Deed {
            kind,
            name: format!("{mount}{place}/{name}"),
            what: "password",
            version: None,
            hashed: false,
            grantee: Vec::new(),
        };
        tell(deed, id.to_owned(), at, &partner.0, partner.1, actor(None, ActorType::Service), desk)
    }

    /// Whose: by namespace and mount; where the notification names no namespace, as the audit log placed the credential.
    fn event_partner(
        &self,
        namespace: &str,
        mount: &str,
        name: &str,
        place: &str,
        desk: &Desk<'_>,
    ) -> Result<(String, String), No> {
        let found = self.partner(namespace, mount);
        if !namespace.is_empty() || found.is_ok() {
            return found.map(|partner| (namespace.to_owned(), partner));
        }
        let Some(row) = desk.known(&format!("{mount}{place}/{name}")) else { return found.map(|p| (String::new(), p)) };
        match (row.get("several"), row.get("partner")) {
            (None, Some(partner)) => Ok((row.get("namespace").unwrap_or_default().to_owned(), partner.to_owned())),
            _ => No::error(
                Error::AmbiguousPartner,
                format!("{} is in several namespaces, and the notification says in none", quoted(name)),
            ),
        }
    }
}

impl Vendor for Vault {
    fn read(&self, page: &Page<'_>, desk: &mut Desk<'_>) -> Result<(), No> {
        // A device may put its own word before the JSON.
        let text = match page.text.find('{') {
            Some(at) if at <= 256 => &page.text[at..],
            _ => page.text,
        };
        let tree = Page { text, topic: page.topic }.json()?;
        if !tree.is_map() {
            return No::error(Error::UnknownEnvelope, "the record is no entry of an audit log");
        }
        if tree.at("specversion").text().is_some() { self.notification(&tree, desk) } else { self.audit(&tree, desk) }
    }
}

/// Remembers a secret's newest version. What is done to older ones alone leaves the credential as it is.
fn older(tree: &Tree<'_>, deed: &Deed, namespace: &str, desk: &mut Desk<'_>) -> Result<(), No> {
    let place = format!("kv:{namespace}:{}", deed.name);
    if let Some(version) = &deed.version {
        desk.remember(&place, Row::default().with("version", Some(version)));
        return Ok(());
    }
    let versions = tree.path(&["request", "data", "versions"]).list();
    let newest = desk.known(&place).and_then(|row| row.get("version"));
    match newest {
        Some(newest) if !versions.is_empty() && !versions.iter().any(|v| v.word().as_deref() == Some(newest)) => {
            No::skip(Skip::NoCanonicalType, format!("only versions older than {newest}, which is in force"))
        }
        _ => Ok(()),
    }
}

/// Who did it: the entity, which stays the same however somebody logged in. Root is nobody in particular.
fn who(auth: &Tree<'_>) -> [(&'static str, Value); 2] {
    let entity = auth.at("entity_id").text();
    let name = auth.at("display_name").text().filter(|name| *name != "root" && !name.starts_with("hmac-"));
    match entity.or(name) {
        Some(who) => actor(Some(who), ActorType::Unknown),
        None => actor(None, ActorType::Unknown),
    }
}

fn tell(
    deed: Deed,
    id: String,
    at: Moment,
    namespace: &str,
    partner: String,
    who: [(&'static str, Value); 2],
    desk: &mut Desk<'_>,
) -> Result<(), No> {
    let Deed { kind, name, what, version, hashed, grantee } = deed;
    let namespace = if namespace.is_empty() { String::new() } else { format!("{}/", namespace.trim_end_matches('/')) };
    let subject = format!("vault:{namespace}{name}");
    if what == "password" {
        // Where the credential is, for notifications that do not say it.
        let before = desk.known(&name).cloned().unwrap_or_default();
        let elsewhere = before.get("partner").is_some() && before.get("namespace").unwrap_or_default() != namespace;
        let several = before.get("several").is_some() || elsewhere;
        let row = before
            .with("namespace", Some(&namespace))
            .with("partner", Some(&partner))
            .with("several", several.then_some("yes"));
        desk.remember(&name, row);
    }
    let mut data = Vec::from(who);
    data.push(("kind", Value::from(what)));
    data.extend(version.as_deref().map(|version| ("version", Value::from(version))));
    if !grantee.is_empty() {
        data.push(("grantee", Value::List(grantee)));
    }
    if hashed {
        data.push(("hashed", Value::Bool(true)));
    }
    desk.tell(Told {
        id,
        kind,
        at,
        quality: Quality::Exact,
        factkey: version.map(|version| format!("{kind}|{subject}|{version}")),
        subject,
        partner,
        sequence: None,
        correlation: None,
        data,
    })
}
