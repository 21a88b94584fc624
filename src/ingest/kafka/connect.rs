//! From plain settings to a client of librdkafka.

use super::shared::Shared;
use crate::ingest::base64::base64;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How to reach a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Brokers to begin with.
    pub brokers: Vec<String>,
    /// Under which group positions are told.
    pub group: String,
    /// TLS; None: plain text.
    pub tls: Option<Tls>,
    /// Who we are; None: nobody.
    pub login: Option<Login>,
    /// Other settings of librdkafka. They cannot change those on which we depend.
    pub properties: Vec<(String, String)>,
}

/// TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Authorities; None: the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub own: Option<(PathBuf, PathBuf)>,
    /// Whether the broker's name must be in its certificate.
    pub verify: bool,
}

/// Who we are. Secrets are read when a client is built, so that a new one is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// PLAIN or SCRAM.
    Password {
        /// As Kafka calls it.
        mechanism: String,
        /// Name.
        username: String,
        /// File that holds the password.
        password: PathBuf,
    },
    /// OAUTHBEARER.
    Token {
        /// File that holds a JWT.
        file: PathBuf,
    },
}

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading.
    Reader,
    /// Reading no faster than a quota: what is fetched ahead would be thrown away.
    Metered,
    /// Asking, and looking at single records.
    Scout,
}

pub(super) type Client = BaseConsumer<Context>;

/// A client. Building it connects to nothing yet.
pub(super) fn client(shared: &Arc<Shared>, purpose: Purpose) -> Result<Client, String> {
    let config = config(&shared.access, purpose)?;
    let token = match &shared.access.login {
        Some(Login::Token { file }) => Some(file.clone()),
        _ => None,
    };
    let made = match token {
        Some(file) => config.create_with_context(Context { shared: Arc::clone(shared), token: Some(file) }),
        None => config.create_with_context(Context { shared: Arc::clone(shared), token: None }),
    };
    made.map_err(|error| format!("no Kafka client can be made: {}", plain(&error)))
}

pub(super) fn config(access: &Access, purpose: Purpose) -> Result<ClientConfig, String> {
    let mut config = ClientConfig::new();
    config
        .set("client.id", "onus")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "2000")
        .set("check.crcs", "true")
        // Memory: what waits is bounded by bytes, whatever the number of partitions.
        .set("queued.max.messages.kbytes", "16384")
        .set("queued.min.messages", "5000")
        .set("fetch.message.max.bytes", "1048576")
        // A queue that was full is looked at again soon: the default, a second, throttles catching up, and at 50 ms the judge
        // still waited two fifths of the time.
        .set("fetch.queue.backoff.ms", "5");
    if purpose == Purpose::Metered {
        config.set("queued.max.messages.kbytes", "1024").set("queued.min.messages", "1000");
    }
    if purpose != Purpose::Scout {
        // Who asks for every record by itself keeps the broker busy with answering: records come a few milliseconds later,
        // together, and under load that is sooner.
        config.set("fetch.min.bytes", "65536").set("fetch.wait.max.ms", "5");
    }
    for (name, value) in &access.properties {
        config.set(name, value);
    }
    config
        .set("bootstrap.servers", access.brokers.join(","))
        .set("group.id", &access.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("allow.auto.create.topics", "false");
    match purpose {
        Purpose::Reader | Purpose::Metered => config.set("isolation.level", "read_committed"),
        // Ends are those of what is there, committed or not: nothing is behind us while a transaction is open.
        Purpose::Scout => config
            .set("isolation.level", "read_uncommitted")
            .set("enable.partition.eof", "true")
            .set("queued.min.messages", "1")
            .set("fetch.wait.max.ms", "100"),
    };
    secure(access, &mut config)?;
    Ok(config)
}

pub(super) fn secure(access: &Access, config: &mut ClientConfig) -> Result<(), String> {
    let path = |path: &Path| path.display().to_string();
    if let Some(tls) = &access.tls {
        for file in tls.ca.iter().chain(tls.own.iter().flat_map(|(certificate, key)| [certificate, key])) {
            // The client's own word on a file that it cannot read names neither the file nor the reason.
            std::fs::metadata(file)
                .and_then(|about| if about.is_dir() { Ok(()) } else { File::open(file).map(drop) })
                .map_err(|error| format!("tls: {}: {error}", file.display()))?;
        }
        if let Some(ca) = &tls.ca {
            config.set("ssl.ca.location", path(ca));
        }
        if let Some((certificate, key)) = &tls.own {
            config.set("ssl.certificate.location", path(certificate)).set("ssl.key.location", path(key));
        }
        config.set("ssl.endpoint.identification.algorithm", if tls.verify { "https" } else { "none" });
    }
    match &access.login {
        None => {}
        Some(Login::Password { mechanism, username, password }) => {
            config
                .set("sasl.mechanism", mechanism)
                .set("sasl.username", username)
                .set("sasl.password", secret(password)?);
        }
        Some(Login::Token { .. }) => {
            config.set("sasl.mechanism", "OAUTHBEARER");
        }
    }
    let protocol = match (&access.tls, &access.login) {
        (None, None) => "plaintext",
        (Some(_), None) => "ssl",
        (None, Some(_)) => "sasl_plaintext",
        (Some(_), Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    Ok(())
}

fn secret(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// What librdkafka says to us.
pub(super) struct Context {
    shared: Arc<Shared>,
    token: Option<PathBuf>,
}

impl ClientContext for Context {
    // Called only where the mechanism is OAUTHBEARER.
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let source = self.shared.topic.source.as_str();
        if level as i32 <= RDKafkaLogLevel::Error as i32 {
            tracing::warn!(source, facility, "{message}");
        } else {
            tracing::debug!(source, facility, "{message}");
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        use rdkafka::types::RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure};
        // That nobody answers follows from a reason, and says less than it.
        let follows = matches!(error.rdkafka_error_code(), Some(AllBrokersDown | BrokerTransportFailure));
        if !follows || self.shared.reason().is_none() {
            self.shared.because(format!("{}: {reason}", plain(&error)));
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        let file = self.token.as_deref().ok_or("no token file is set")?;
        let made = token(file);
        if let Err(why) = &made {
            self.shared.because(why.clone());
        }
        made.map_err(Into::into)
    }
}

impl ConsumerContext for Context {
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            // Only lag tools see these positions.
            let source = self.shared.topic.source.as_str();
            tracing::debug!(source, "positions could not be told to Kafka: {}", plain(&error));
        }
    }
}

/// An error without the type's name around it.
pub(super) fn plain(error: &KafkaError) -> String {
    match (error.rdkafka_error_code(), error) {
        (_, KafkaError::ClientConfig(_, what, name, value)) if hidden(name) || value.is_empty() => {
            format!("{name}: {what}")
        }
        (_, KafkaError::ClientConfig(_, what, name, value)) => format!("{name} = {value}: {what}"),
        (Some(code), _) => {
            let text = code.to_string();
            // "BrokerTransportFailure (Local: Broker transport failure)": the words in brackets are for people.
            text.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(&text).to_owned()
        }
        (None, other) => other.to_string(),
    }
}

fn hidden(name: &str) -> bool {
    ["password", "secret", "token", "key"].iter().any(|word| name.contains(word))
}

/// A JWT's subject and end are read, not checked: that is the broker's part.
pub(super) fn token(file: &Path) -> Result<OAuthToken, String> {
    let text = secret(file)?;
    let wrong = |what: &str| format!("{}: {what}; it should hold a JWT, and nothing else", file.display());
    let middle = text.split('.').nth(1).ok_or_else(|| wrong("has no parts"))?;
    let claims = base64(middle).ok_or_else(|| wrong("its middle part is no base64url"))?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).map_err(|_| wrong("its middle part is no JSON"))?;
    let ends = claims["exp"].as_i64().ok_or_else(|| wrong("it does not say when it ends (`exp`)"))?;
    let who = claims["sub"].as_str().unwrap_or("onus").to_owned();
    Ok(OAuthToken { token: text, principal_name: who, lifetime_ms: ends.saturating_mul(1_000) })
}
