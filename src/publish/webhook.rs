//! Signed webhooks: entries as batches of CloudEvents, posted in the ledger's order, at least once.
//!
//! A partner's webhook is told of that partner alone. What cannot be told waits; what is refused halts the webhook, loudly:
//! nothing is passed over.

use super::events::Event;
use super::told::Told;
use crate::store::Entry;
use crate::web::{Client, Target};
use onus_engine::rule::glob;
use onus_engine::time::Moment;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Events in one request, and about how long it may be.
const TOGETHER: usize = 100;
const LONG: usize = 512 << 10;
/// Pauses where it is away: the first, and the longest; and where it refuses what it is told.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
const HALT: Duration = Duration::from_secs(60);

/// What a webhook wants to be told, and how.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub target: Target,
    /// File of the secret that signs.
    pub secret: PathBuf,
    /// Partners, as patterns.
    pub partners: Vec<String>,
    /// Standings, by their words; of entries that turn to one of them, or away from it.
    pub standings: Vec<String>,
}

/// Who tells it.
pub struct Webhook {
    wants: Wants,
    receiver: String,
    client: Client,
    told: Arc<Told>,
    clock: fn() -> Moment,
    again: Option<Instant>,
    pause: Duration,
    trouble: Option<String>,
}

impl Webhook {
    /// Nothing is connected to yet.
    ///
    /// # Errors
    /// Its address is none.
    pub fn new(wants: Wants, told: Arc<Told>, clock: fn() -> Moment) -> Result<Webhook, String> {
        let client = Client::new(wants.target.clone(), "")?;
        let receiver = format!("webhook/{}", wants.name);
        told.add(&receiver);
        Ok(Webhook { wants, receiver, client, told, clock, again: None, pause: PAUSE.0, trouble: None })
    }

    /// Under this its position is kept, and its figures.
    pub fn name(&self) -> &str {
        &self.receiver
    }

    /// Tells as many as it accepts; says how many that is.
    pub fn take(&mut self, entries: &[Entry]) -> usize {
        if self.again.is_some_and(|again| Instant::now() < again) {
            return 0;
        }
        let came = Instant::now();
        let mut taken = 0;
        let mut left = entries.iter().filter(|entry| self.wanted(entry)).count();
        self.told.queue(&self.receiver, left as u64);
        while taken < entries.len() {
            let (batch, number, next) = self.batch(entries, taken);
            if number > 0 {
                if let Err(pause) = self.post(&batch) {
                    self.told.failed(&self.receiver);
                    self.again = Some(Instant::now() + pause);
                    return taken;
                }
                self.again = None;
                self.pause = PAUSE.0;
                if self.trouble.take().is_some() {
                    tracing::info!(webhook = self.wants.name, "it is told again");
                }
                left -= number;
                self.told.sent(&self.receiver, number as u64, &vec![came.elapsed(); number]);
                self.told.queue(&self.receiver, left as u64);
            }
            taken = next;
        }
        taken
    }

    fn wanted(&self, entry: &Entry) -> bool {
        let partner = &entry.under.partner;
        self.wants.partners.iter().any(|pattern| glob(pattern, partner))
            && self.wants.standings.iter().any(|word| word == entry.to.word() || word == entry.from.word())
    }

    /// The next few that it wants, how many they are, and up to which entry they come.
    fn batch(&self, entries: &[Entry], from: usize) -> (String, usize, usize) {
        let (mut text, mut number, mut next) = (String::from("["), 0, from);
        for entry in &entries[from..] {
            if self.wanted(entry) {
                if number == TOGETHER || text.len() > LONG {
                    break;
                }
                if number > 0 {
                    text.push(',');
                }
                text.push_str(&Event(entry).text());
                number += 1;
            }
            next += 1;
        }
        text.push(']');
        (text, number, next)
    }

    /// Posts one batch; else says how long to wait.
    fn post(&mut self, body: &str) -> Result<(), Duration> {
        let stamp = (self.clock)().0 / 1_000;
        let sent = sign(&self.wants.secret, stamp, body).and_then(|signature| {
            let headers = [("onus-timestamp", stamp.to_string()), ("onus-signature", format!("v1={signature}"))];
            self.client.post("application/cloudevents-batch+json", &headers, body.as_bytes())
        });
        let name = &self.wants.name;
        match sent {
            Ok(answer) if (200..300).contains(&answer.status) => return Ok(()),
            Ok(answer) if (400..500).contains(&answer.status) && ![408, 429].contains(&answer.status) => {
                let said: String = answer.body.trim().chars().take(300).collect();
                tracing::error!(
                    webhook = name,
                    "HALTED: it answered {}: {said}; nothing is passed over, and it is asked again every {} s",
                    answer.status,
                    HALT.as_secs()
                );
                self.told.halted(&self.receiver, true);
                self.trouble = Some(format!("halted: {}", answer.status));
                return Err(HALT);
            }
            Ok(answer) => self.say(format!("it answered {}", answer.status)),
            Err(why) => self.say(why),
        }
        self.told.halted(&self.receiver, false);
        let pause = self.pause;
        self.pause = (self.pause * 2).min(PAUSE.1);
        Err(pause)
    }

    fn say(&mut self, why: String) {
        if self.trouble.as_ref() != Some(&why) {
            tracing::warn!(webhook = self.wants.name, "it cannot be told, and is tried again: {why}");
            self.trouble = Some(why);
        }
    }
}

/// HMAC-SHA256, in hexadecimal digits, over the time, a dot, and the body.
fn sign(secret: &Path, stamp: i64, body: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(secret).map_err(|error| format!("{}: {error}", secret.display()))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.is_empty() {
        return Err("the secret's file is empty".to_owned());
    }
    hmac(secret, format!("{stamp}.{body}").as_bytes()).map_err(|error| error.to_string())
}

fn hmac(secret: &str, bytes: &[u8]) -> Result<String, openssl::error::ErrorStack> {
    let key = PKey::hmac(secret.as_bytes())?;
    let signed = Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(bytes)?;
    Ok(signed.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_rfc_4231() {
        let signed = hmac("Jefe", b"what do ya want for nothing?").expect("signed");
        assert_eq!(signed, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
