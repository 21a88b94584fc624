//! The tables under which sources are read: partners, states, priorities. Read strictly: what is not known is refused with
//! the nearest word, because a table that is not looked at would be taken for one that is.

mod keys;
mod wrapping;

pub use wrapping::Wrapping;

use self::keys::Keys;
use super::codes;
use super::partners::Partners;
use super::principals::Principals;
use super::time::EARLIEST_MS;
use super::tree::Tree;
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The rules by which partners are found. The file may repeat them; it cannot change them.
const RULES: &[(&str, &str)] = &[
    ("aws", "account first, then assumed-role prefix"),
    ("jira", "organizations, then project"),
    ("vault", "namespace, then mount"),
    ("pagerduty", "team, then service, then the incident seen before"),
    (
        "okta",
        "actor domain; when the actor is an application, the Okta system principal or of unknown alternateId, the org; an \
         actor of another known domain is unknown-partner",
    ),
    ("azure", "vault, then subscription, then tenant"),
    ("servicenow", "assignment_group at first sight; the binding stays"),
];

/// What of each source tells whose it is.
const LISTS: &[(&str, &[&str])] = &[
    ("servicenow", &["assignment_group", "company"]),
    ("aws", &["accounts", "role_prefix"]),
    ("jira", &["organizations", "projects"]),
    ("vault", &["namespaces", "mounts"]),
    ("azure", &["subscriptions", "vaults", "tenants"]),
    ("cyberark", &["safe_prefix"]),
    ("okta", &["actor_domains", "orgs"]),
    ("pagerduty", &["teams", "services", "escalation_policies"]),
];

const TIME: &str = "RFC 3339 UTC, milliseconds, truncated";
const TICKETS: &[&str] = &["new", "in-progress", "on-hold", "resolved", "closed", "cancelled"];
const CHANGES: &[&str] = &["new", "assess", "authorize", "scheduled", "implement", "review", "closed", "cancelled"];
const JIRA: &[&str] = &[
    "new",
    "in-progress",
    "on-hold",
    "resolved",
    "closed",
    "cancelled",
    "approved",
    "rejected",
    "scheduled",
    "implement",
    "executed",
    "failed",
    "rolled-back",
];
const PRIORITIES: &[&str] = &["P1", "P2", "P3", "P4", "P5"];
const ORDER: &[&str] = &[
    "opened",
    "acknowledged",
    "assigned",
    "reprioritised",
    "paused",
    "resumed",
    "resolved",
    "reopened",
    "closed",
    "cancelled",
];

/// Words by words.
pub(super) type Table = BTreeMap<String, String>;

/// The settings as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) max_text: usize,
    pub(super) ticket: Option<regex::bytes::Regex>,
    pub(super) principals: Principals,
    partners: BTreeMap<String, Partners>,
    instances: BTreeMap<String, String>,
    pub(super) servicenow: ServiceNow,
    pub(super) jira: Jira,
    pub(super) vault: Vault,
    pub(super) aws: Aws,
    pub(super) okta_service_accounts: BTreeSet<String>,
    pub(super) cyberark: CyberArk,
    pub(super) pagerduty_security: BTreeSet<String>,
    wrapping: Wrapping,
    digest: [u8; 32],
}

#[derive(Clone, Debug, Default)]
pub(super) struct ServiceNow {
    pub(super) system_users: BTreeSet<String>,
    pub(super) incident: Table,
    pub(super) sc_task: Table,
    pub(super) change: Table,
    pub(super) hold_reason: Table,
    pub(super) failed_close_codes: BTreeSet<String>,
    pub(super) priority: Table,
    pub(super) order: Vec<String>,
    pub(super) display_zone: Option<Tz>,
    pub(super) audited: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Jira {
    pub(super) change_types: BTreeSet<String>,
    pub(super) approvals: Option<String>,
    pub(super) organizations: Option<String>,
    pub(super) status: Table,
    pub(super) fallback: BTreeSet<String>,
    pub(super) priority: Table,
    pub(super) earliest: i64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Vault {
    pub(super) kv: Vec<String>,
    pub(super) root_by_mount: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aws {
    pub(super) put_is_rotation: bool,
    pub(super) tells_requests: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct CyberArk {
    pub(super) cpm: BTreeSet<String>,
    pub(super) zone: Option<Tz>,
}

/// Everything that is wrong with a settings file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sources' settings cannot be used:\n\n{}\n\n{}", .0.join("\n"), count(.0.len()))]
pub struct SettingsError(pub Vec<String>);

fn count(problems: usize) -> String {
    if problems == 1 { "1 problem".to_owned() } else { format!("{problems} problems") }
}

impl Settings {
    /// Reads a settings file's text.
    pub fn parse(text: &str) -> Result<Settings, SettingsError> {
        let tree = match Tree::parse(text) {
            Ok(tree) => tree,
            Err(error) => return Err(SettingsError(vec![format!("this is not JSON: {error}")])),
        };
        let mut keys = Keys::default();
        let settings = read(&tree, &mut keys, Sha256::digest(text.as_bytes()).into());
        if keys.problems.is_empty() { Ok(settings) } else { Err(SettingsError(keys.problems)) }
    }

    /// A digest of the file: what was read under another one was read by other tables.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// What records are wrapped in, where nobody else says it.
    pub fn wrapping(&self) -> &Wrapping {
        &self.wrapping
    }

    /// Whose is what, of one source.
    pub(super) fn partners(&self, source: &str) -> Partners {
        self.partners.get(source).cloned().unwrap_or_default()
    }

    /// What an adapter's events name as their source.
    pub(super) fn source(&self, name: &str) -> String {
        match self.instances.get(name) {
            Some(instance) => format!("urn:onus:{name}:{instance}"),
            None => format!("urn:onus:{name}"),
        }
    }
}

fn read(tree: &Tree<'_>, keys: &mut Keys, digest: [u8; 32]) -> Settings {
    let top = [
        "time",
        "max_text",
        "ticket_pattern",
        "partners",
        "principals",
        "partner_rules",
        "servicenow",
        "jira",
        "vault",
        "aws",
        "azure",
        "okta",
        "cyberark",
        "pagerduty",
        "error_codes",
        "skip_codes",
        "wire",
    ];
    keys.map("", tree, &top);
    if let Some(time) = keys.text("time", tree.at("time")).filter(|time| time != TIME) {
        keys.wrong("time", format!("times are written one way, `{TIME}`, and not `{time}`"));
    }
    for (source, said) in keys.words("partner_rules", tree.at("partner_rules")) {
        match RULES.iter().find(|(known, _)| *known == source) {
            Some((_, rule)) if *rule == said => {}
            Some((_, rule)) => keys.wrong(&format!("partner_rules.{source}"), format!("the one rule is `{rule}`")),
            None => keys.unknown("partner_rules", &source, RULES.iter().map(|(known, _)| *known)),
        }
    }
    keys.list_of(
        "error_codes",
        tree.at("error_codes"),
        &codes::Error::ALL.iter().map(|c| c.word()).collect::<Vec<_>>(),
    );
    keys.list_of("skip_codes", tree.at("skip_codes"), &codes::Skip::ALL.iter().map(|c| c.word()).collect::<Vec<_>>());
    let max_text = keys.whole("max_text", tree.at("max_text")).unwrap_or(4096);
    let mut instances = BTreeMap::new();
    for (source, _) in LISTS {
        let key = format!("{source}.instance");
        if let Some(name) = keys.text(&key, tree.at(source).at("instance")) {
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
                keys.wrong(&key, "a name of letters, digits, `-`, `_` and `.`".to_owned());
            }
            instances.insert((*source).to_owned(), name);
        }
    }
    keys.map("azure", tree.at("azure"), &["instance"]);
    keys.map("okta", tree.at("okta"), &["instance", "service_accounts"]);
    keys.map("pagerduty", tree.at("pagerduty"), &["instance", "security_services"]);
    Settings {
        max_text: usize::try_from(max_text).unwrap_or(4096).clamp(1, 65_536),
        ticket: pattern(tree.at("ticket_pattern"), keys),
        principals: principals(tree.at("principals"), keys),
        partners: partners(tree.at("partners"), keys),
        instances,
        servicenow: servicenow(tree.at("servicenow"), keys),
        jira: jira(tree.at("jira"), keys),
        vault: vault(tree.at("vault"), keys),
        aws: aws(tree.at("aws"), keys),
        okta_service_accounts: keys.set("okta.service_accounts", tree.at("okta").at("service_accounts")),
        cyberark: cyberark(tree.at("cyberark"), keys),
        pagerduty_security: keys.set("pagerduty.security_services", tree.at("pagerduty").at("security_services")),
        wrapping: wrapping::read(tree.at("wire"), keys),
        digest,
    }
}

/// The pattern of tickets; what it matches must be the whole text.
fn pattern(tree: &Tree<'_>, keys: &mut Keys) -> Option<regex::bytes::Regex> {
    let said = keys.text("ticket_pattern", tree)?;
    let built = regex::bytes::RegexBuilder::new(&format!("^(?:{said})$")).unicode(false).size_limit(1 << 20).build();
    match built {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            keys.wrong("ticket_pattern", format!("no pattern: {}", error.to_string().replace('\n', " ")));
            None
        }
    }
}

fn partners(tree: &Tree<'_>, keys: &mut Keys) -> BTreeMap<String, Partners> {
    let mut all: BTreeMap<String, Partners> = BTreeMap::new();
    for (partner, sources) in keys.members("partners", tree) {
        let path = format!("partners.{partner}");
        if partner.is_empty() || partner.len() > 1024 || partner.chars().any(char::is_control) {
            keys.wrong(&path, "a partner's name has 1 to 1,024 bytes and no control characters".to_owned());
        }
        keys.map(&path, sources, &LISTS.iter().map(|(source, _)| *source).collect::<Vec<_>>());
        for (source, lists) in LISTS {
            let path = format!("{path}.{source}");
            keys.map(&path, sources.at(source), lists);
            for list in *lists {
                for value in keys.set(&format!("{path}.{list}"), sources.at(source).at(list)) {
                    all.entry((*source).to_owned()).or_default().bind(list, &value, partner);
                }
            }
        }
    }
    all
}

/// On whose side people and programs are.
fn principals(tree: &Tree<'_>, keys: &mut Keys) -> Principals {
    keys.map("principals", tree, &["customer", "partner"]);
    let mut side = |name: &str| keys.set(&format!("principals.{name}"), tree.at(name)).into_iter().collect();
    Principals { customer: side("customer"), partner: side("partner") }
}

fn servicenow(tree: &Tree<'_>, keys: &mut Keys) -> ServiceNow {
    let known = [
        "instance",
        "system_users",
        "approvals_from",
        "incident",
        "change_request",
        "sc_task",
        "priority",
        "event_order",
        "display_zone",
        "audited",
    ];
    keys.map("servicenow", tree, &known);
    if let Some(table) = keys.text("servicenow.approvals_from", tree.at("approvals_from"))
        && table != "sysapproval_approver"
    {
        let why = "approvals are read from `sysapproval_approver` alone, which names the person".to_owned();
        keys.wrong("servicenow.approvals_from", why);
    }
    keys.map("servicenow.incident", tree.at("incident"), &["state", "hold_reason"]);
    keys.map("servicenow.change_request", tree.at("change_request"), &["state", "failed_close_codes"]);
    keys.map("servicenow.sc_task", tree.at("sc_task"), &["state"]);
    let mut order = keys.list_of("servicenow.event_order", tree.at("event_order"), ORDER);
    if order.is_empty() {
        order = ORDER.iter().map(|word| (*word).to_owned()).collect();
    } else if order.len() != ORDER.len() || order.iter().collect::<BTreeSet<_>>().len() != ORDER.len() {
        keys.wrong("servicenow.event_order", format!("names each of these once: {}", ORDER.join(", ")));
    }
    ServiceNow {
        system_users: keys.set("servicenow.system_users", tree.at("system_users")),
        incident: keys.table("servicenow.incident.state", tree.path(&["incident", "state"]), TICKETS),
        sc_task: keys.table("servicenow.sc_task.state", tree.path(&["sc_task", "state"]), TICKETS),
        change: keys.table("servicenow.change_request.state", tree.path(&["change_request", "state"]), CHANGES),
        hold_reason: keys.words("servicenow.incident.hold_reason", tree.path(&["incident", "hold_reason"])),
        failed_close_codes: keys
            .set("servicenow.change_request.failed_close_codes", tree.path(&["change_request", "failed_close_codes"])),
        priority: keys.table("servicenow.priority", tree.at("priority"), PRIORITIES),
        order,
        display_zone: keys.zone("servicenow.display_zone", tree.at("display_zone")),
        audited: keys
            .list_of("servicenow.audited", tree.at("audited"), &["incident", "sc_task", "change_request"])
            .into_iter()
            .collect(),
    }
}

fn jira(tree: &Tree<'_>, keys: &mut Keys) -> Jira {
    let known = [
        "instance",
        "change_types",
        "approvals_field",
        "organizations_field",
        "status",
        "fallback_by_category",
        "priority",
        "min_epoch_ms",
    ];
    keys.map("jira", tree, &known);
    Jira {
        change_types: keys.set("jira.change_types", tree.at("change_types")),
        approvals: keys.text("jira.approvals_field", tree.at("approvals_field")),
        organizations: keys.text("jira.organizations_field", tree.at("organizations_field")),
        status: keys.table("jira.status", tree.at("status"), JIRA),
        fallback: keys
            .list_of("jira.fallback_by_category", tree.at("fallback_by_category"), &["new", "done"])
            .into_iter()
            .collect(),
        priority: keys.table("jira.priority", tree.at("priority"), PRIORITIES),
        earliest: keys.whole("jira.min_epoch_ms", tree.at("min_epoch_ms")).unwrap_or(EARLIEST_MS).max(0),
    }
}

fn vault(tree: &Tree<'_>, keys: &mut Keys) -> Vault {
    keys.map("vault", tree, &["instance", "kv_credential_prefixes", "partner_root_only_by_mount"]);
    Vault {
        kv: keys.set("vault.kv_credential_prefixes", tree.at("kv_credential_prefixes")).into_iter().collect(),
        root_by_mount: keys
            .flag("vault.partner_root_only_by_mount", tree.at("partner_root_only_by_mount"))
            .unwrap_or(true),
    }
}

fn aws(tree: &Tree<'_>, keys: &mut Keys) -> Aws {
    keys.map("aws", tree, &["instance", "put_secret_value_is_rotation", "rotation_requests"]);
    let put = keys.flag("aws.put_secret_value_is_rotation", tree.at("put_secret_value_is_rotation"));
    let requests = keys.flag("aws.rotation_requests", tree.at("rotation_requests"));
    Aws { put_is_rotation: put.unwrap_or(false), tells_requests: requests.unwrap_or(false) }
}

fn cyberark(tree: &Tree<'_>, keys: &mut Keys) -> CyberArk {
    keys.map("cyberark", tree, &["instance", "cpm_users", "zone"]);
    CyberArk {
        cpm: keys.set("cyberark.cpm_users", tree.at("cpm_users")),
        zone: keys.zone("cyberark.zone", tree.at("zone")),
    }
}
