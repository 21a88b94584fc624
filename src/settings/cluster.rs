//! Kafka clusters, and their schema registries.

use super::keys;
use super::notices::{Web, web};
use super::problem::nearest;
use super::reading::{Part, Reader};
use super::secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How to reach a Kafka cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Brokers to begin with.
    pub brokers: Vec<String>,
    /// Under which consumer group positions are told, for lag tools.
    pub group: String,
    /// Name of its schema registry, if it has one.
    pub registry: Option<String>,
    /// TLS; None: plain text.
    pub tls: Option<Tls>,
    /// Who we are; None: nobody.
    pub sasl: Option<Sasl>,
    /// Other settings of librdkafka.
    pub properties: Vec<(String, String)>,
}

/// TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Authorities; None: those of the system.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Whether the broker's name must be in its certificate.
    pub verify: bool,
}

/// Who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sasl {
    /// PLAIN or SCRAM.
    Password {
        /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        mechanism: String,
        /// Name.
        username: String,
        /// File that holds the password.
        password: Secret,
    },
    /// OAUTHBEARER.
    Token {
        /// File that holds a JWT.
        token: Secret,
    },
}

/// Schema registries, by name.
pub(super) fn registries(reader: &mut Reader<'_>) -> BTreeMap<String, Web> {
    let section = super::declared("registry");
    reader.names(section).into_iter().map(|name| (name.clone(), web(&mut reader.part(section, Some(&name))))).collect()
}

pub(super) fn all(reader: &mut Reader<'_>, registries: &BTreeMap<String, Web>) -> BTreeMap<String, Cluster> {
    let section = super::declared("kafka");
    let names = reader.names(section).into_iter();
    names.map(|name| (name.clone(), one(&mut reader.part(section, Some(&name)), registries))).collect()
}

fn one(part: &mut Part<'_, '_>, registries: &BTreeMap<String, Web>) -> Cluster {
    let brokers = part.list("brokers");
    if brokers.is_empty() && part.has("brokers") {
        part.wrong("brokers", "is empty", "name at least one: [\"broker-1:9092\"]");
    }
    let group = part.text("group");
    let registry = part.maybe_text("registry");
    if let Some(name) = registry.as_ref().filter(|name| !registries.contains_key(*name)) {
        let remedy = match nearest(name, registries.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write a section [registry.{name}] with its url"),
        };
        part.wrong("registry", format!("there is no registry `{name}`"), remedy);
    }
    let tls = part.has("tls").then(|| tls(part));
    let sasl = if part.has("sasl") { sasl(part) } else { None };
    let properties = part.open("properties");
    for (name, _) in &properties {
        let ours =
            keys::OURS.iter().find(|(own, _)| if own.ends_with('.') { name.starts_with(own) } else { name == own });
        if let Some((_, why)) = ours {
            part.wrong("properties", format!("`{name}` cannot be set here"), *why);
        }
    }
    let hidden = |name: &str| ["password", "secret", "token", ".key", "config"].iter().any(|word| name.contains(word));
    let shown = properties.iter().map(|(name, value)| {
        let value = if hidden(name) { "(hidden)" } else { value };
        (name.clone(), toml::Value::String(value.to_owned()))
    });
    part.show_as("properties", toml::Value::Table(shown.collect()));
    Cluster { brokers, group, registry, tls, sasl, properties }
}

fn tls(part: &mut Part<'_, '_>) -> Tls {
    let ca = part.file("tls.ca-file");
    let (cert, key) = (part.file("tls.cert-file"), part.file("tls.key-file"));
    match (&cert, &key) {
        (Some(_), None) => part.wrong("tls.key-file", "must be said", "a certificate needs its key"),
        (None, Some(_)) => part.wrong("tls.cert-file", "must be said", "a key needs its certificate"),
        _ => {}
    }
    Tls { ca, own: cert.zip(key), verify: part.yes("tls.verify") }
}

fn sasl(part: &mut Part<'_, '_>) -> Option<Sasl> {
    let mechanism = part.maybe_text("sasl.mechanism");
    let username = part.maybe_text("sasl.username");
    let password = part.file("sasl.password-file").map(Secret::new);
    let token = part.file("sasl.token-file").map(Secret::new);
    match mechanism.as_deref() {
        None => {
            if !part.has("sasl.mechanism") {
                part.wrong("sasl.mechanism", "must be said", format!("there are: {}", keys::MECHANISMS.join(", ")));
            }
            None
        }
        Some("OAUTHBEARER") => {
            for foreign in ["sasl.username", "sasl.password-file"] {
                if part.has(foreign) {
                    part.wrong(foreign, "OAUTHBEARER has none", "take it out: the token says who we are");
                }
            }
            if token.is_none() {
                part.wrong("sasl.token-file", "must be said", "name the file that holds the token");
            }
            token.map(|token| Sasl::Token { token })
        }
        Some(mechanism) => {
            if token.is_some() {
                part.wrong("sasl.token-file", format!("{mechanism} has none"), "take it out, or use OAUTHBEARER");
            }
            if username.is_none() {
                part.wrong("sasl.username", "must be said", format!("{mechanism} needs a name"));
            }
            if password.is_none() {
                part.wrong("sasl.password-file", "must be said", "name the file that holds the password");
            }
            let mechanism = mechanism.to_owned();
            username.zip(password).map(|(username, password)| Sasl::Password { mechanism, username, password })
        }
    }
}
