//! One entry of the ledger: what was decided of a duty, and on what.

use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::{Millis, Moment};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// See the module. Its identity towards receivers is (duty, to, start).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Place in the ledger, from 1, without gaps.
    pub number: u64,
    /// Whose it is, and what it was decided by.
    pub under: Arc<Under>,
    /// What the duty is about.
    pub subject: String,
    /// Which duty of its subject under its obligation.
    pub which: Which,
    /// Told before.
    pub from: Standing,
    /// Told now.
    pub to: Standing,
    /// Counting from.
    pub start: Moment,
    /// Deadline, or the instant at which it broke.
    pub deadline: Option<Moment>,
    /// When it ended.
    pub ended: Option<Moment>,
    /// It broke its deadline or its rule.
    pub broken: bool,
    /// Late, with reasons that were given in time.
    pub excused: bool,
    /// One source says that its act was done, another only that it failed.
    pub disputed: bool,
    /// Its subject had settled: nobody is paged.
    pub adjustment: bool,
    /// Time counted of the limit.
    pub used: Millis,
    /// When it was decided.
    pub at: Moment,
    /// Everything up to here had been heard then.
    pub heard: Moment,
    /// [`digest`] of the entry before, and this one.
    pub digest: [u8; 32],
}

/// Which of the duties that an obligation makes of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// The one of this anchor. Its name follows from that, and from nothing else that the entry does not say: who asks for it
    /// works it out ([`Entry::duty`]), and who writes a thousand a commit does not.
    Key(u64),
    /// The one of this name: written before keys were.
    Id(DutyId),
}

impl Entry {
    /// Which duty it is, by its name.
    pub fn duty(&self) -> DutyId {
        let Under { partner, contract, obligation, .. } = &*self.under;
        match self.which {
            Which::Key(key) => DutyId::of(partner, contract, obligation, &self.subject, key),
            Which::Id(id) => id,
        }
    }
}

/// Whose an entry is, and what it was decided by: the same for very many. Counts of who has it lie on a cache line of their
/// own: they change on another thread than the one that reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Under {
    /// The partner.
    pub partner: String,
    /// Name of the contract.
    pub contract: String,
    /// Obligation.
    pub obligation: String,
    /// Where the obligation is written.
    pub clause: String,
}

/// SHA-256 over the digest of the entry before and everything that this entry says, each text with its length, so that no
/// two entries have the same bytes.
pub fn digest(before: &[u8; 32], entry: &Entry) -> [u8; 32] {
    digest_in(&mut Vec::with_capacity(320), before, entry)
}

/// The same, with room for its bytes.
fn digest_in(bytes: &mut Vec<u8>, before: &[u8; 32], entry: &Entry) -> [u8; 32] {
    bytes.clear();
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&entry.number.to_be_bytes());
    let Under { partner, contract, obligation, clause } = &*entry.under;
    let texts = [partner, contract, obligation, clause, &entry.subject];
    let standings = [entry.from, entry.to].map(Standing::word);
    // A block of SHA-256 less, where names are short: lengths are as long as they need to be.
    match entry.which {
        Which::Key(key) => {
            for text in texts {
                bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.extend_from_slice(&key.to_be_bytes());
            for word in standings {
                bytes.push(word.len() as u8);
                bytes.extend_from_slice(word.as_bytes());
            }
        }
        Which::Id(id) => {
            let long = |bytes: &mut Vec<u8>, text: &str| {
                bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
                bytes.extend_from_slice(text.as_bytes());
            };
            texts.iter().for_each(|text| long(bytes, text));
            bytes.extend_from_slice(&id.0);
            standings.iter().for_each(|word| long(bytes, word));
        }
    }
    let optional = |moment: Option<Moment>| moment.map_or(i64::MIN, |m| m.0);
    let times = [entry.start.0, optional(entry.deadline), optional(entry.ended)];
    for number in times.into_iter().chain([entry.used, entry.at.0, entry.heard.0]) {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend([entry.broken, entry.excused, entry.adjustment].map(u8::from));
    // What was written before there were disputes has the digest that it had.
    if entry.disputed {
        bytes.push(1);
    }
    Sha256::digest(bytes).into()
}

/// Gives entries that follow one another their digests; `before`: of the entry before them. The last one's.
pub(crate) fn chain(before: [u8; 32], entries: &mut [Entry]) -> [u8; 32] {
    let (mut last, mut room) = (before, Vec::with_capacity(320));
    for entry in entries {
        entry.digest = digest_in(&mut room, &last, entry);
        last = entry.digest;
    }
    last
}
