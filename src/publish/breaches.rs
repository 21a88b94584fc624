//! Breaches on a Kafka topic, and what becomes of them: at least once, in the ledger's order, keyed by partner.

use super::events::{Event, of_a_breach};
use super::told::Told;
use crate::ingest::kafka::{Access, Outgoing, outgoing};
use crate::store::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The receiver's name, and its figures'.
pub const NAME: &str = "breaches";
/// Entries whose events are sent together, and how soon it is tried again.
const TOGETHER: usize = 1_024;
const PAUSE: Duration = Duration::from_secs(1);

/// Who tells them.
pub struct Breaches {
    access: Access,
    topic: String,
    told: Arc<Told>,
    producer: Option<Outgoing>,
    again: Option<Instant>,
    trouble: Option<String>,
}

impl Breaches {
    /// Nothing is connected to yet.
    pub fn new(access: Access, topic: String, told: Arc<Told>) -> Breaches {
        told.add(NAME);
        Breaches { access, topic, told, producer: None, again: None, trouble: None }
    }

    /// Tells as many as the brokers have afterwards; says how many that is.
    pub fn take(&mut self, entries: &[Entry]) -> usize {
        if self.again.is_some_and(|again| Instant::now() < again) {
            return 0;
        }
        let came = Instant::now();
        let mut taken = 0;
        let waits = entries.iter().filter(|entry| of_a_breach(entry)).count();
        self.told.queue(NAME, waits as u64);
        for some in entries.chunks(TOGETHER) {
            let all: Vec<(String, String)> = some
                .iter()
                .filter(|entry| of_a_breach(entry))
                .map(|entry| (entry.under.partner.clone(), Event(entry).text()))
                .collect();
            if !all.is_empty() {
                if let Err(why) = self.send(&all) {
                    if self.trouble.as_ref() != Some(&why) {
                        tracing::warn!(topic = self.topic, "breaches cannot be told, and wait in the ledger: {why}");
                        self.trouble = Some(why);
                    }
                    self.told.failed(NAME);
                    // Secrets may have changed.
                    self.producer = None;
                    self.again = Some(Instant::now() + PAUSE);
                    return taken;
                }
                self.trouble = None;
                self.told.sent(NAME, all.len() as u64, &vec![came.elapsed(); all.len()]);
            }
            taken += some.len();
        }
        self.told.queue(NAME, 0);
        taken
    }

    fn send(&mut self, all: &[(String, String)]) -> Result<(), String> {
        match &self.producer {
            Some(producer) => producer.send(&self.topic, all),
            None => self.producer.insert(outgoing(&self.access)?).send(&self.topic, all),
        }
    }
}
