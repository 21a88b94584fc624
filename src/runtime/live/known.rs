//! What has left memory, by hash: most looks into the archive are for what was never there, and this says so without asking
//! the store. It never says of something kept that it was not, and of one in a thousand others, at most, that it was: each of
//! those asks the store for nothing.
//!
//! A Bloom filter in blocks of 128 bits, eight bits of one block a key. One that is full is followed by another of twice its
//! size. It is a part of the snapshot; what leaves memory later is added when the journal is judged again.

use prefetch_index::prefetch_index;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Rises when the form changes, in snapshots too. That of before had no number, and began with how many filters there were.
const FORM: u8 = 102;
/// Keys of the first filter.
const FIRST: usize = 1 << 16;
/// Bits for a key.
const BITS: usize = 24;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Known {
    filters: Vec<Filter>,
}

#[derive(Debug)]
struct Filter {
    blocks: Vec<[u64; 2]>,
    keys: usize,
}

impl Known {
    pub(super) fn add(&mut self, key: u64) {
        let full = |filter: &Filter| filter.keys >= filter.blocks.len() * 128 / BITS;
        if self.filters.last().is_none_or(full) {
            let keys = FIRST << self.filters.len();
            self.filters.push(Filter { blocks: vec![[0; 2]; keys * BITS / 128], keys: 0 });
        }
        if let Some(filter) = self.filters.last_mut() {
            let [one, other] = bits(key);
            let block = filter.place(key);
            filter.blocks[block][0] |= one;
            filter.blocks[block][1] |= other;
            filter.keys += 1;
        }
    }

    /// Has the blocks fetched from afar in which a key will be looked for: what was never added is looked for in all.
    pub(super) fn prefetch(&self, key: u64) {
        for filter in &self.filters {
            prefetch_index(&filter.blocks, filter.place(key));
        }
    }

    /// False: it was never added.
    pub(super) fn may_have(&self, key: u64) -> bool {
        let [one, other] = bits(key);
        self.filters.iter().rev().any(|filter| {
            let block = filter.blocks[filter.place(key)];
            block[0] & one == one && block[1] & other == other
        })
    }
}

impl Filter {
    fn place(&self, key: u64) -> usize {
        (((key >> 32) * self.blocks.len() as u64) >> 32) as usize
    }
}

/// Four of each half of a block. Those of the second do not follow from what says which block it is.
fn bits(key: u64) -> [u64; 2] {
    let four = |key: u64| (0..4).fold(0, |bits, i| bits | 1 << (key >> (6 * i) & 63));
    [four(key), four(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40)]
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = |filter: &Filter| -> Vec<u8> {
            filter.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
        };
        let all: Vec<(u64, serde_bytes::ByteBuf)> =
            self.filters.iter().map(|filter| (filter.keys as u64, serde_bytes::ByteBuf::from(bytes(filter)))).collect();
        (FORM, all).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Known, D::Error> {
        let (form, all): (u8, Vec<(u64, &serde_bytes::Bytes)>) = Deserialize::deserialize(deserializer)?;
        if form != FORM {
            return Err(D::Error::custom("another version's filter"));
        }
        let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let blocks = |bytes: &[u8]| {
            bytes.as_chunks::<8>().0.as_chunks::<2>().0.iter().map(|two| two.each_ref().map(word)).collect()
        };
        let filters = all.into_iter().map(|(keys, bytes)| Filter { blocks: blocks(bytes), keys: keys as usize });
        Ok(Known { filters: filters.filter(|filter| !filter.blocks.is_empty()).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn what_was_added_is_known_and_most_else_is_not() {
        let key = |n: u64| xxh3_64(&n.to_le_bytes());
        let mut known = Known::default();
        assert!(!known.may_have(key(0)));
        (0..200_000).for_each(|n| known.add(key(n)));
        let bytes = postcard::to_allocvec(&known).expect("plain data");
        let known: Known = postcard::from_bytes(&bytes).expect("its own bytes");
        assert!((0..200_000).all(|n| known.may_have(key(n))));
        let wrong = (200_000..300_000).filter(|n| known.may_have(key(*n))).count();
        assert!(wrong < 100, "{wrong} of 100,000");
    }

    #[test]
    fn that_of_another_version_is_not_taken_for_ours() {
        let before: Vec<(u64, serde_bytes::ByteBuf)> = vec![(1, serde_bytes::ByteBuf::from([0; 64])); 3];
        let bytes = postcard::to_allocvec(&before).expect("plain data");
        assert!(postcard::from_bytes::<Known>(&bytes).is_err());
    }
}
