//! What has left memory, by hash: most looks into the archive are for what was never there, and this says so without asking
//! the store. It never says of something kept that it was not.
//!
//! A Bloom filter in blocks of 64 bits, four bits of one word a key. One that is full is followed by another of twice its
//! size. It is a part of the snapshot; what leaves memory later is added when the journal is judged again.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Keys of the first filter.
const FIRST: usize = 1 << 16;
/// Bits for a key.
const BITS: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Known {
    filters: Vec<Filter>,
}

#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
    keys: usize,
}

impl Known {
    pub(super) fn add(&mut self, key: u64) {
        let full = |filter: &Filter| filter.keys >= filter.words.len() * 64 / BITS;
        if self.filters.last().is_none_or(full) {
            let keys = FIRST << self.filters.len();
            self.filters.push(Filter { words: vec![0; keys * BITS / 64], keys: 0 });
        }
        if let Some(filter) = self.filters.last_mut() {
            let (word, bits) = filter.place(key);
            filter.words[word] |= bits;
            filter.keys += 1;
        }
    }

    /// False: it was never added.
    pub(super) fn may_have(&self, key: u64) -> bool {
        self.filters.iter().rev().any(|filter| {
            let (word, bits) = filter.place(key);
            filter.words[word] & bits == bits
        })
    }
}

impl Filter {
    fn place(&self, key: u64) -> (usize, u64) {
        let bits = (0..4).fold(0, |bits, i| bits | 1 << (key >> (6 * i) & 63));
        let word = ((key >> 32) * self.words.len() as u64) >> 32;
        (word as usize, bits)
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = |filter: &Filter| -> Vec<u8> { filter.words.iter().flat_map(|word| word.to_le_bytes()).collect() };
        let all: Vec<(u64, serde_bytes::ByteBuf)> =
            self.filters.iter().map(|filter| (filter.keys as u64, serde_bytes::ByteBuf::from(bytes(filter)))).collect();
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Known, D::Error> {
        let all: Vec<(u64, &serde_bytes::Bytes)> = Deserialize::deserialize(deserializer)?;
        let words = |bytes: &[u8]| bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let filters = all.into_iter().map(|(keys, bytes)| Filter { words: words(bytes), keys: keys as usize });
        Ok(Known { filters: filters.filter(|filter| !filter.words.is_empty()).collect() })
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
        assert!(wrong < 2_000, "{wrong} of 100,000");
    }
}
