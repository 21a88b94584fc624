//! Which partition of the exchange a partner belongs to. Computed here, not by a client: whatever writes and whatever version
//! it has, a partner stays where it is.

/// Murmur2 as Kafka's own producer computes it over keys.
pub fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ bytes.len() as u32;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The partition of a partner, as Kafka's default partitioner places this key.
pub fn partition(partner: &str, partitions: u16) -> i32 {
    let positive = murmur2(partner.as_bytes()) & 0x7fff_ffff;
    (positive % u32::from(partitions.max(1))) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_of_kafkas_own_tests() {
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn every_partner_has_a_partition_that_there_is() {
        for partitions in [0, 1, 2, 7, 1_000] {
            for n in 0..500 {
                let at = partition(&format!("partner-{n}"), partitions);
                assert!((0..i32::from(partitions.max(1))).contains(&at));
            }
        }
    }
}
