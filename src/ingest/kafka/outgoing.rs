//! Writing to a topic, by the same settings as reading. Knows nothing of what is written.

use super::connect::{Access, Login, plain, secure, token};
use crate::exchange::kept::Message;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A message is given up after this, and whoever sent it tries again.
const PATIENCE: Duration = Duration::from_secs(15);

/// While messages are on their way, their receipts are looked for so often.
const STEP: Duration = Duration::from_millis(1);

/// Writes messages and knows when the brokers have them.
pub struct Outgoing(BaseProducer<Context>);

/// One that is ready; nothing is connected to yet.
pub fn outgoing(access: &Access) -> Result<Outgoing, String> {
    made(access, (PATIENCE.as_millis() - 1_000).to_string())
}

/// The same, and it never gives a message up: of those of a partition none is left out before another one is there.
pub fn unending(access: &Access) -> Result<Outgoing, String> {
    made(access, "0".to_owned())
}

fn made(access: &Access, timeout: String) -> Result<Outgoing, String> {
    let mut config = ClientConfig::new();
    config.set("client.id", "onus").set("socket.keepalive.enable", "true").set("reconnect.backoff.max.ms", "2000");
    // They are sent together and waited for: for others to come nobody need wait.
    config.set("linger.ms", "1");
    for (name, value) in &access.properties {
        config.set(name, value);
    }
    config
        .set("bootstrap.servers", access.brokers.join(","))
        .set("allow.auto.create.topics", "false")
        // All replicas have it, once and in order, before it counts.
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("message.timeout.ms", timeout);
    secure(access, &mut config)?;
    let token = match &access.login {
        Some(Login::Token { file }) => Some(file.clone()),
        _ => None,
    };
    let made = config.create_with_context(Context { token, failed: Mutex::default(), reason: Mutex::default() });
    made.map(Outgoing).map_err(|error| format!("no Kafka client can be made: {}", plain(&error)))
}

impl Outgoing {
    /// Writes these, key and value, and waits until the brokers have them all; else says why, and some may be there.
    pub fn send(&self, topic: &str, all: &[(String, String)]) -> Result<(), String> {
        let context = self.0.client().context();
        *lock(&context.failed) = None;
        for (key, value) in all {
            let record = BaseRecord::to(topic).key(key.as_str()).payload(value.as_str());
            if let Err((error, _)) = self.0.send(record) {
                return Err(plain(&error));
            }
            self.0.poll(Duration::ZERO);
        }
        // The client's own ways to wait look up ten times a second, or wait to the end whatever came, the last millisecond of
        // it without rest.
        let until = Instant::now() + PATIENCE;
        let mut left = self.0.in_flight_count();
        while left > 0 && Instant::now() < until {
            self.0.poll(Duration::ZERO);
            let before = std::mem::replace(&mut left, self.0.in_flight_count());
            if left == before {
                std::thread::sleep(STEP);
            }
        }
        let reason = || lock(&context.reason).take().map(|why| format!(" ({why})")).unwrap_or_default();
        if let Some(why) = lock(&context.failed).take() {
            return Err(format!("{why}{}", reason()));
        }
        match self.0.in_flight_count() {
            0 => Ok(()),
            left => Err(format!("{left} messages were not taken within {} s{}", PATIENCE.as_secs(), reason())),
        }
    }
}

impl Outgoing {
    /// Writes these, each to its partition and with one header of this name, and waits until the brokers have them all, however
    /// long that takes; false: `stop` said so before. `wait` hears now and then for what is waited.
    ///
    /// # Errors
    /// The brokers refuse one of them for good.
    pub fn send_all(
        &self,
        topic: &str,
        header: &str,
        all: &[Message],
        stop: &dyn Fn() -> bool,
        wait: &mut dyn FnMut(Option<String>),
    ) -> Result<bool, String> {
        let context = self.0.client().context();
        *lock(&context.failed) = None;
        let mut told = Instant::now();
        let mut rest = |left: usize| {
            self.0.poll(Duration::ZERO);
            if let Some(why) = lock(&context.failed).take() {
                return Err(format!("the topic `{topic}` takes no events: {why}"));
            }
            if stop() {
                return Ok(false);
            }
            if told.elapsed() >= PATIENCE {
                told = Instant::now();
                let why = lock(&context.reason).take().map(|why| format!(" ({why})")).unwrap_or_default();
                wait(Some(format!("{left} records wait for the topic `{topic}`{why}")));
            }
            std::thread::sleep(STEP);
            Ok(true)
        };
        for one in all {
            loop {
                let headers = OwnedHeaders::new_with_capacity(1);
                let headers = headers.insert(Header { key: header, value: Some(one.header.as_slice()) });
                let record: BaseRecord<'_, (), [u8]> =
                    BaseRecord::to(topic).partition(one.partition).payload(&one.value);
                match self.0.send(record.headers(headers)) {
                    Ok(()) => break,
                    Err((error, _)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                        if !rest(all.len())? {
                            return Ok(false);
                        }
                    }
                    Err((error, _)) => return Err(format!("the topic `{topic}` takes no events: {}", plain(&error))),
                }
            }
            self.0.poll(Duration::ZERO);
        }
        loop {
            self.0.poll(Duration::ZERO);
            match self.0.in_flight_count() {
                0 => break,
                left if !rest(usize::try_from(left).unwrap_or(0))? => return Ok(false),
                _ => {}
            }
        }
        match lock(&context.failed).take() {
            Some(why) => Err(format!("the topic `{topic}` takes no events: {why}")),
            None => {
                wait(None);
                Ok(true)
            }
        }
    }
}

struct Context {
    token: Option<PathBuf>,
    /// Why a message was not taken.
    failed: Mutex<Option<String>>,
    /// The client's last word on a connection.
    reason: Mutex<Option<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        *lock(&self.reason) = Some(format!("{}: {reason}", plain(&error)));
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        token(self.token.as_deref().ok_or("no token file is set")?).map_err(Into::into)
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            *lock(&self.failed) = Some(plain(error));
        }
    }
}
