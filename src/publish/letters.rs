//! Dead letters to a Kafka topic: each at least once, after its commit, in the order of their numbers.
//!
//! A thread of its own sends a few at a time and waits until the brokers have them all; only then they count as told. Where
//! the brokers are away it tries again for as long as it runs. Nobody waits for it: letters wait in the store.

use crate::ingest::kafka::{Access, Outgoing, outgoing};
use crate::store::Letter;
use serde_json::json;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Letters that are sent together.
const TOGETHER: usize = 64;
/// Of a record so much is told: brokers take messages of a megabyte.
const RECORD: usize = 512 << 10;
/// Pauses where the brokers are away.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells letters until nobody sends any; `done` is the number up to which all were taken by the brokers.
pub fn spawn(
    access: Access,
    topic: String,
    letters: Receiver<Letter>,
    done: Arc<AtomicU64>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("dead letters".to_owned()).spawn(move || tell(&access, &topic, &letters, &done))
}

fn tell(access: &Access, topic: &str, letters: &Receiver<Letter>, done: &AtomicU64) {
    let mut producer: Option<Outgoing> = None;
    while let Some(mut some) = next(letters) {
        let mut said = None;
        loop {
            let sent = match &producer {
                Some(producer) => send(producer, topic, &some),
                None => outgoing(access).and_then(|made| send(producer.insert(made), topic, &some)),
            };
            match sent {
                Ok(()) => break,
                Err(why) => {
                    if said.as_ref() != Some(&why) {
                        tracing::warn!(topic, "dead letters cannot be told, and wait in the store: {why}");
                        said = Some(why);
                    }
                    // Secrets may have changed.
                    producer = None;
                }
            }
            match letters.recv_timeout(PAUSE) {
                Ok(letter) => some.push(letter),
                Err(RecvTimeoutError::Timeout) => {}
                // Nobody waits any more: at the next start they are told again.
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        if let Some(last) = some.last() {
            done.store(last.number, Ordering::Release);
        }
    }
}

/// The next few; None: nobody sends any more.
fn next(letters: &Receiver<Letter>) -> Option<Vec<Letter>> {
    let mut some = vec![letters.recv().ok()?];
    while some.len() < TOGETHER {
        match letters.try_recv() {
            Ok(letter) => some.push(letter),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    Some(some)
}

fn send(producer: &Outgoing, topic: &str, letters: &[Letter]) -> Result<(), String> {
    let all: Vec<(String, String)> =
        letters.iter().map(|letter| (format!("{}/{}", letter.source, letter.number), body(letter))).collect();
    producer.send(topic, &all)
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
