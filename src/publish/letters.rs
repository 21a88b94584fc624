//! Dead letters to a Kafka topic: each at least once, after its commit, in the order of their numbers.

use crate::ingest::kafka::{Access, Outgoing, outgoing};
use crate::store::Letter;
use serde_json::json;

/// Of a record so much is told: brokers take messages of a megabyte.
const RECORD: usize = 512 << 10;

/// Who tells them.
pub struct Letters {
    access: Access,
    topic: String,
    producer: Option<Outgoing>,
    trouble: Option<String>,
}

impl Letters {
    /// Nothing is connected to yet.
    pub fn new(access: Access, topic: String) -> Letters {
        Letters { access, topic, producer: None, trouble: None }
    }

    /// Tells all of them, or none; says how many the brokers have. Whoever calls waits before it tries again.
    pub fn take(&mut self, letters: &[Letter]) -> usize {
        let all: Vec<(String, String)> =
            letters.iter().map(|letter| (format!("{}/{}", letter.source, letter.number), body(letter))).collect();
        match self.send(&all) {
            Ok(()) => {
                self.trouble = None;
                letters.len()
            }
            Err(why) => {
                if self.trouble.as_ref() != Some(&why) {
                    tracing::warn!(topic = self.topic, "dead letters cannot be told, and wait in the store: {why}");
                    self.trouble = Some(why);
                }
                // Secrets may have changed.
                self.producer = None;
                0
            }
        }
    }

    fn send(&mut self, all: &[(String, String)]) -> Result<(), String> {
        match &self.producer {
            Some(producer) => producer.send(&self.topic, all),
            None => self.producer.insert(outgoing(&self.access)?).send(&self.topic, all),
        }
    }
}

/// A letter as JSON: docs/seams.md, section 14.
pub fn body(letter: &Letter) -> String {
    let shown = &letter.record[..letter.record.len().min(RECORD)];
    let mut told = json!({
        "number": letter.number,
        "source": letter.source,
        "partition": letter.partition,
        "offset": letter.offset,
        "at": letter.at.to_string(),
        "reason": letter.reason,
        "detail": letter.detail,
        "state": letter.state.word(),
        "note": letter.note,
        "length": letter.length,
        "hash": format!("{:016x}", letter.hash),
        "whole": shown.len() as u64 == letter.length,
    });
    match std::str::from_utf8(shown) {
        Ok(text) => told["record"] = json!(text),
        Err(_) => told["record_hex"] = json!(shown.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
    }
    told.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LetterState;
    use onus_engine::time::Moment;

    #[test]
    fn a_letter_says_its_record_whatever_that_is() {
        let letter = |record: &[u8]| Letter {
            number: 7,
            source: "tickets".to_owned(),
            partition: 1,
            offset: 12,
            at: Moment(0),
            reason: "Json".to_owned(),
            detail: "no JSON".to_owned(),
            record: record.to_vec(),
            length: record.len() as u64,
            hash: 255,
            state: LetterState::Waiting,
            note: None,
        };
        let told: serde_json::Value = serde_json::from_str(&body(&letter(b"{\"a"))).expect("JSON");
        assert_eq!((&told["record"], &told["hash"]), (&json!("{\"a"), &json!("00000000000000ff")));
        let told: serde_json::Value = serde_json::from_str(&body(&letter(&[0xff, 0x00]))).expect("JSON");
        assert_eq!((&told["record_hex"], &told["whole"]), (&json!("ff00"), &json!(true)));
    }
}
