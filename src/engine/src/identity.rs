//! The identity of a duty: what a page, a ledger entry and a partner's question mean by "this duty".

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smallvec::SmallVec;
use std::fmt;

/// 128 bits: SHA-256, cut, over partner, contract, obligation, subject and the anchor's key. No cycle, version or time
/// of arrival goes in, so every copy of Onus gives one duty one name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DutyId(pub [u8; 16]);

impl DutyId {
    /// Of a duty.
    pub fn of(partner: &str, contract: &str, obligation: &str, subject: &str, key: u64) -> DutyId {
        let mut bytes = SmallVec::<[u8; 128]>::new();
        for part in [partner, contract, obligation, subject] {
            // Length first: no two lists of names run together alike.
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&key.to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(&bytes)[..16]);
        DutyId(id)
    }
}

impl fmt::Display for DutyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DutyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
