//! Who is told of what was decided: Alertmanagers, and what pages have in common.

use super::reading::{Part, Reader};
use super::secret::Secret;
use onus_engine::standing::Standing;
use std::path::PathBuf;

/// Whoever is told over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Where it listens.
    pub url: String,
    /// Authorities; None: those of the system.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Who we are; None: nobody.
    pub login: Option<WebLogin>,
    /// How long an answer is waited for, in milliseconds.
    pub timeout: i64,
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebLogin {
    /// Basic authentication.
    Basic {
        /// Name.
        username: String,
        /// File that holds the password.
        password: Secret,
    },
    /// A token.
    Bearer(Secret),
}

/// An Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alertmanager {
    /// Its name in the settings.
    pub name: String,
    /// How it is reached.
    pub web: Web,
}

/// Somebody who is told by signed requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its name in the settings.
    pub name: String,
    /// How it is reached.
    pub web: Web,
    /// What signs.
    pub secret: Secret,
    /// Partners, as patterns with `*`.
    pub partners: Vec<String>,
    /// Standings, by their words.
    pub standings: Vec<String>,
    /// It is told what was decided before it came.
    pub from_the_beginning: bool,
}

/// What all pages have in common. Lengths are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerting {
    /// How often an alert is told again.
    pub resend: i64,
    /// So many breaches together are paged one by one.
    pub mass: usize,
    /// There are warnings before a breach.
    pub at_risk: bool,
    /// How long a finding fires.
    pub findings_for: i64,
    /// Where people see more.
    pub link: Option<String>,
    /// Labels that every alert has besides.
    pub labels: Vec<(String, String)>,
    /// Where accepted pages are written down besides.
    pub deliveries: Option<PathBuf>,
}

/// Labels that alerts have of their own, and those by which processes are told apart.
const OURS: &[&str] = &[
    "alertname",
    "partner",
    "obligation",
    "contract",
    "control",
    "severity",
    "duty",
    "subject",
    "clause",
    "rung",
    "instance",
    "pod",
    "replica",
];

pub(super) fn alerting(reader: &mut Reader<'_>) -> Alerting {
    let mut part = reader.part(super::declared("alerting"), None);
    let link = part.maybe_text("link").map(|link| link.trim_end_matches('/').to_owned());
    if link.as_deref().is_some_and(|link| !is_url(link)) {
        part.wrong("link", "is no address of a page", "write it with its scheme: https://onus.example");
    }
    let labels = part.open("external-labels");
    for (name, value) in &labels {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !first || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.starts_with("__") {
            part.wrong("external-labels", format!("`{name}` is no label"), "letters, digits and `_`, no digit first");
        } else if OURS.contains(&name.as_str()) {
            part.wrong(
                "external-labels",
                format!("`{name}` cannot be set here"),
                "one breach is one alert: take it out",
            );
        } else if value.trim().is_empty() {
            part.wrong("external-labels", format!("`{name}` is empty"), "an empty label is none: take it out");
        }
    }
    Alerting {
        resend: part.length("resend").max(1_000),
        mass: usize::try_from(part.whole("mass")).unwrap_or(1).max(1),
        at_risk: part.yes("at-risk"),
        findings_for: part.length("findings-for"),
        link,
        labels,
        deliveries: part.maybe_path("deliveries"),
    }
}

pub(super) fn alertmanagers(reader: &mut Reader<'_>) -> Vec<Alertmanager> {
    let section = super::declared("alertmanager");
    let mut all: Vec<Alertmanager> = Vec::new();
    for name in reader.names(section) {
        let part = &mut reader.part(section, Some(&name));
        let web = web(part);
        if let Some(same) = all.iter().find(|other| other.web.url == web.url) {
            part.wrong("url", format!("alertmanager `{}` is the same", same.name), "take one of them out");
        }
        all.push(Alertmanager { name, web });
    }
    all
}

pub(super) fn webhooks(reader: &mut Reader<'_>) -> Vec<Webhook> {
    let section = super::declared("webhook");
    let mut all = Vec::new();
    for name in reader.names(section) {
        let part = &mut reader.part(section, Some(&name));
        let web = web(part);
        let secret = part.file("secret-file").map(Secret::new);
        let (partners, standings) = (part.list("partners"), part.list("standings"));
        for (key, list) in [("partners", &partners), ("standings", &standings)] {
            if list.is_empty() && part.has(key) {
                part.wrong(key, "is empty", "nobody would be told of anything: take the webhook out");
            }
        }
        for word in &standings {
            let told = Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Unknown));
            let words: Vec<&str> = told.map(Standing::word).collect();
            if !words.contains(&word.as_str()) {
                let remedy = format!("there are: {}", words.join(", "));
                part.wrong("standings", format!("there is no standing `{word}`"), remedy);
            }
        }
        let from_the_beginning = part.yes("from-the-beginning");
        if let Some(secret) = secret {
            all.push(Webhook { name, web, secret, partners, standings, from_the_beginning });
        }
    }
    all
}

/// How somebody is reached over HTTP.
pub(super) fn web(part: &mut Part<'_, '_>) -> Web {
    let url = part.text("url").trim_end_matches('/').to_owned();
    if !url.is_empty() && !is_url(&url) {
        part.wrong("url", "is no address", "write it with its scheme: http://HOST:PORT or https://HOST/PATH");
    }
    if url.split("//").nth(1).and_then(|rest| rest.split('/').next()).is_some_and(|host| host.contains('@')) {
        part.wrong("url", "holds a name or a password", "take it out; there is `basic`, with a file for the password");
    }
    let (cert, key) = (part.file("tls.cert-file"), part.file("tls.key-file"));
    match (&cert, &key) {
        (Some(_), None) => part.wrong("tls.key-file", "must be said", "a certificate needs its key"),
        (None, Some(_)) => part.wrong("tls.cert-file", "must be said", "a key needs its certificate"),
        _ => {}
    }
    let ca = part.file("tls.ca-file");
    if url.starts_with("http://") && part.has("tls") {
        part.wrong("tls", "is not spoken with an address that begins with http://", "write https://, or take it out");
    }
    let username = part.maybe_text("basic.username");
    let password = part.file("basic.password-file").map(Secret::new);
    let bearer = part.file("bearer-token-file").map(Secret::new);
    match (&username, &password) {
        (Some(_), None) => part.wrong("basic.password-file", "must be said", "name the file that holds the password"),
        (None, Some(_)) => part.wrong("basic.username", "must be said", "a password belongs to a name"),
        _ => {}
    }
    if bearer.is_some() && (username.is_some() || password.is_some()) {
        part.wrong("bearer-token-file", "cannot be sent beside `basic`", "take one of them out");
    }
    let basic = username.zip(password).map(|(username, password)| WebLogin::Basic { username, password });
    let login = bearer.map(WebLogin::Bearer).or(basic);
    Web { url, ca, own: cert.zip(key), login, timeout: part.length("timeout") }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && !rest.starts_with('/') && !rest.contains(['?', '#', ' ', '"', '<', '>'])
    }) && text.parse::<hyper::Uri>().is_ok()
}
