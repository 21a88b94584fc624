//! The settings of a process that runs on: one TOML file, and over it the environment.
//!
//! Every setting is declared once, in `keys`. What nobody declared is refused; what is wrong is told with its place and
//! the remedy, all at once. Secrets stand in files of their own; settings name the files.
//!
//! A relative path counts from the folder of the settings file, whoever says it; without a file, from the working folder.

mod cluster;
mod exchange;
mod keys;
mod layers;
mod notices;
mod problem;
mod publish;
mod reading;
mod secret;
mod shaped;
mod source;
mod units;

pub use cluster::{Cluster, Sasl, Tls};
pub use exchange::{Exchange, Member, Role};
pub use notices::{Alerting, Alertmanager, Web, WebLogin, Webhook};
pub use problem::{Problem, SettingsError};
pub use publish::{default_file, json, reference, toml};
pub use reading::InForce;
pub use secret::Secret;
pub use source::{AdapterSettings, Format, Origin, SourceSettings, Start};

use reading::Reader;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file that is read if none is named, and it is there.
pub const FILE: &str = "onus.toml";

/// All settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What is owed.
    pub contracts: Contracts,
    /// Files and folders of catalogues.
    pub catalogue: Vec<PathBuf>,
    /// Where it is written down.
    pub store: Store,
    /// How it is judged.
    pub judge: Judge,
    /// What this process does.
    pub role: Role,
    /// Of an intake: which lane it runs; None: that need be said only where there are several.
    pub lane: Option<u16>,
    /// Its place among those that share.
    pub member: Member,
    /// The topic between several of them.
    pub exchange: Option<Exchange>,
    /// The port.
    pub http: Http,
    /// Schema registries by name.
    pub registries: BTreeMap<String, Web>,
    /// Kafka clusters by name.
    pub clusters: BTreeMap<String, Cluster>,
    /// Where dead letters are told besides.
    pub dead_letters: Option<OutTopic>,
    /// Where breaches are told besides.
    pub breaches: Option<OutTopic>,
    /// Who is told by signed requests.
    pub webhooks: Vec<Webhook>,
    /// What pages have in common.
    pub alerting: Alerting,
    /// Who is paged.
    pub alertmanagers: Vec<Alertmanager>,
    /// Sources, in the file's order.
    pub sources: Vec<SourceSettings>,
}

/// A topic to which something is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutTopic {
    /// Name of its cluster.
    pub cluster: String,
    /// The topic.
    pub topic: String,
}

/// What is owed.
#[derive(Clone, Debug, PartialEq)]
pub struct Contracts {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Folders for included files.
    pub library: Vec<PathBuf>,
}

/// What must outlive the process.
#[derive(Clone, Debug, PartialEq)]
pub enum Store {
    /// A file, for one node.
    Sqlite(PathBuf),
    /// A server, where several share it.
    Postgres {
        /// Without password.
        url: String,
        /// File that holds the password.
        password: Option<Secret>,
    },
}

/// Whose time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// This machine's.
    Wall,
    /// The sources' events'.
    Events,
}

/// How it is judged. Lengths are milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Judge {
    /// Whose time it is.
    pub clock: Clock,
    /// How late news may come.
    pub settling: i64,
    /// The longest that judged events wait for a commit.
    pub commit_every: i64,
    /// Events after which a commit is due; up to four times as many where the one before it takes long.
    pub batch: u32,
    /// How often the whole state is written.
    pub snapshot_every: i64,
    /// How long journal and ledger are kept.
    pub retention: i64,
}

/// The port.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Address and port.
    pub listen: SocketAddr,
    /// The longest request, in bytes.
    pub max_body: u64,
    /// Hashed tokens of those who push.
    pub tokens: Option<PathBuf>,
    /// Hashed tokens that open figures.
    pub metrics_tokens: Option<PathBuf>,
    /// The page of everything wants one.
    pub metrics_need_token: bool,
}

/// Settings, and where each comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Each with its origin, in the order of the reference.
    pub in_force: Vec<InForce>,
    /// The file, if there was one.
    pub file: Option<PathBuf>,
}

/// Reads a file ([`FILE`] if none is named) and the process's environment.
pub fn load(named: Option<&Path>) -> Result<Loaded, SettingsError> {
    load_with(named, Vec::new())
}

/// The same, with what a command's own flags say: variables that come before those of the environment.
pub fn load_with(named: Option<&Path>, flags: Vec<(&str, String)>) -> Result<Loaded, SettingsError> {
    let path = match named {
        Some(path) => Some(path),
        None => Some(Path::new(FILE)).filter(|path| path.exists()),
    };
    let text = path.map(std::fs::read_to_string).transpose().map_err(|error| {
        let name = path.map_or_else(String::new, |path| path.display().to_string());
        let remedy = Some("name a file with --config; `onus settings show` prints one to begin with".to_owned());
        SettingsError(vec![Problem { place: Some(name), key: String::new(), what: error.to_string(), remedy }])
    })?;
    let mut environment = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("ONUS__")) else { continue };
        let Some(value) = value.to_str() else {
            let what = "is no UTF-8".to_owned();
            return Err(SettingsError(vec![Problem {
                place: Some(name.to_owned()),
                key: String::new(),
                what,
                remedy: None,
            }]));
        };
        environment.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in flags {
        environment.retain(|(other, _)| other != name);
        environment.push((name.to_owned(), value));
    }
    environment.sort();
    let mut loaded = read(path.zip(text.as_deref()), &environment)?;
    loaded.file = path.map(Path::to_path_buf);
    Ok(loaded)
}

/// Reads a file's text, by its name, and variables.
pub fn read(file: Option<(&Path, &str)>, environment: &[(String, String)]) -> Result<Loaded, SettingsError> {
    let mut problems = Vec::new();
    let name = file.map(|(path, _)| path.display().to_string());
    let named = name.as_deref().zip(file.map(|(_, text)| text));
    let Some(layers) = layers::join(named, environment, &mut problems) else { return Err(SettingsError(problems)) };
    let base = file.and_then(|(path, _)| path.parent()).unwrap_or(Path::new(""));
    let mut reader = Reader::new(&layers, base, problems);
    reader.strangers(keys::SECTIONS);
    let contracts = contracts(&mut reader);
    let catalogue = catalogue(&mut reader);
    let store = store(&mut reader);
    let judge = judge(&mut reader);
    let http = http(&mut reader);
    let registries = cluster::registries(&mut reader);
    let clusters = cluster::all(&mut reader, &registries);
    let dead_letters = out_topic("dead-letters", &mut reader, &clusters);
    let breaches = out_topic("breaches", &mut reader, &clusters);
    let alerting = notices::alerting(&mut reader);
    let alertmanagers = notices::alertmanagers(&mut reader);
    let webhooks = notices::webhooks(&mut reader);
    let exchange = exchange::exchange(&mut reader, &clusters);
    let sources = source::all(&mut reader, &judge, &http, &clusters);
    exchange::not_read(&mut reader, exchange.as_ref(), &sources);
    let (role, lane) = exchange::role(&mut reader, &judge, exchange.as_ref(), &store);
    let member = exchange::member(&mut reader);
    let Reader { problems, shown: in_force, .. } = reader;
    if !problems.is_empty() {
        return Err(SettingsError(problems));
    }
    Ok(Loaded {
        settings: Settings {
            contracts,
            catalogue,
            store,
            judge,
            role,
            lane,
            member,
            exchange,
            http,
            registries,
            clusters,
            dead_letters,
            breaches,
            webhooks,
            alerting,
            alertmanagers,
            sources,
        },
        in_force,
        file: None,
    })
}

fn declared(name: &str) -> &'static keys::Section {
    keys::section(name).expect("every section that is read is declared")
}

fn contracts(reader: &mut Reader<'_>) -> Contracts {
    let mut part = reader.part(declared("contracts"), None);
    Contracts { paths: part.paths("paths"), library: part.paths("library") }
}

fn catalogue(reader: &mut Reader<'_>) -> Vec<PathBuf> {
    reader.part(declared("catalogue"), None).paths("paths")
}

fn store(reader: &mut Reader<'_>) -> Store {
    let mut part = reader.part(declared("store"), None);
    let url = part.text("url");
    let password = part.file("password-file").map(Secret::new);
    if let Some(path) = url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
        if password.is_some() {
            part.wrong(
                "password-file",
                "SQLite has no password",
                "take it out; who may read the file is the system's to say",
            );
        }
        return Store::Sqlite(part.resolve(path));
    }
    let server = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    if let Some((who, _)) = server.and_then(|server| server.split_once('@'))
        && who.contains(':')
    {
        part.wrong("url", "holds a password", "take it out, and name a file that holds it: password-file");
    }
    if url.contains("password=") {
        part.wrong("url", "holds a password", "take it out, and name a file that holds it: password-file");
    }
    if server.is_none() && !url.is_empty() {
        // The text may hold a password, whatever it was meant to be.
        part.wrong("url", "is no store", "write \"sqlite:FILE\" or \"postgres://USER@HOST:PORT/DATABASE\"");
    }
    Store::Postgres { url, password }
}

fn judge(reader: &mut Reader<'_>) -> Judge {
    let mut part = reader.part(declared("judge"), None);
    let clock = if part.text("clock") == "events" { Clock::Events } else { Clock::Wall };
    let judge = Judge {
        clock,
        settling: part.length("settling"),
        commit_every: part.length("commit-every"),
        batch: u32::try_from(part.whole("batch")).unwrap_or(1),
        snapshot_every: part.length("snapshot-every"),
        retention: part.length("retention"),
    };
    if judge.retention != 0 && judge.retention < judge.settling {
        part.wrong("retention", "is shorter than `settling`", "what may still change must still be there");
    }
    judge
}

fn out_topic(section: &str, reader: &mut Reader<'_>, clusters: &BTreeMap<String, Cluster>) -> Option<OutTopic> {
    let mut part = reader.part(declared(section), None);
    let (cluster, topic) = (part.maybe_text("cluster"), part.maybe_text("topic"));
    match (&cluster, &topic) {
        (Some(_), None) => part.wrong("topic", "must be said where `cluster` is", "name the topic"),
        (None, Some(_)) => part.wrong("cluster", "must be said where `topic` is", "name a [kafka.NAME] section"),
        (Some(name), Some(topic)) => {
            if !clusters.contains_key(name) {
                let remedy = format!("write a section [kafka.{name}] with its brokers");
                part.wrong("cluster", format!("there is no cluster `{name}`"), remedy);
            }
            if !source::is_topic(topic) {
                part.wrong("topic", format!("`{topic}` cannot be a topic"), source::TOPIC);
            }
        }
        (None, None) => {}
    }
    cluster.zip(topic).map(|(cluster, topic)| OutTopic { cluster, topic })
}

fn http(reader: &mut Reader<'_>) -> Http {
    let mut part = reader.part(declared("http"), None);
    let listen = part.text("listen");
    let address = listen.parse().unwrap_or_else(|_| {
        if !listen.is_empty() {
            part.wrong(
                "listen",
                format!("`{listen}` is no address"),
                "write an IP address and a port: 127.0.0.1:9464, [::]:9464",
            );
        }
        SocketAddr::from(([127, 0, 0, 1], 9464))
    });
    let (metrics_tokens, metrics_need_token) = (part.maybe_path("metrics-tokens-file"), part.yes("metrics-need-token"));
    if metrics_need_token && metrics_tokens.is_none() {
        part.wrong(
            "metrics-need-token",
            "nobody has such a token".to_owned(),
            "say http.metrics-tokens-file, and make one with `onus token create --all`",
        );
    }
    let (max_body, tokens) = (part.size("max-body"), part.file("tokens-file"));
    Http { listen: address, max_body, tokens, metrics_tokens, metrics_need_token }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_can_be_read() {
        let loaded = read(None, &[]).expect("the defaults are settings");
        assert!(loaded.in_force.iter().all(|one| one.from == "default"));
    }
}
