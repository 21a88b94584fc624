//! The archive of a run over files: settled timelines go to an unnamed temporary file and come back when late news asks.
//!
//! Blocks are appended, each with the place of the one before it whose hash falls into the same bucket: the index in memory
//! is the last place of each bucket, a byte a block, and nothing is ever sorted or written twice. Most looks are for what
//! was never kept: a filter answers them.

use onus_engine::engine::Archive;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Blocks that the first index is for; each next one is for twice as many.
const FIRST: usize = 1 << 14;
/// Blocks to a bucket, when its index is full.
const LOAD: usize = 4;
/// Blocks begin at multiples of this, so that four bytes name the place of one in 64 GiB.
const UNIT: u64 = 16;
/// So much of a block is read at once: most are no longer.
const NEAR: usize = 512;
/// Before a block: the place of the next older one of its bucket, half of its hash, the lengths of its three parts.
const HEAD: usize = 5 * 4;
/// In the length of a block's facts: what was kept before is among them.
const WHOLE: u32 = 1 << 31;

/// See the module.
#[derive(Debug)]
pub struct Spill {
    blocks: File,
    /// Bytes in the file.
    end: u64,
    unwritten: Vec<u8>,
    /// The newest is last, and the only one that grows.
    indexes: Vec<Index>,
    /// The first thing that went wrong with the disk: told at the end, since an archive's methods cannot fail.
    pub trouble: Option<io::Error>,
}

/// Where the blocks of some time are.
#[derive(Debug)]
struct Index {
    filter: Filter,
    /// By the highest bits of the hash, one more than the place of the newest block in units; 0: none.
    buckets: Vec<u32>,
}

impl Index {
    fn new(blocks: usize) -> Index {
        Index { filter: Filter::new(blocks), buckets: vec![0; blocks / LOAD] }
    }

    fn bucket(&self, key: u64) -> usize {
        (((key >> 32) * self.buckets.len() as u64) >> 32) as usize
    }
}

/// Says of most keys that were never kept that they were not, and never of one that was: a Bloom filter in blocks of 64
/// bits, one look a key, four bits set of one word. Full, it has 21 bits a key.
#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
    room: usize,
}

impl Filter {
    /// With room for so many keys.
    fn new(keys: usize) -> Filter {
        Filter { words: vec![0; keys / 3 + 1], room: keys }
    }

    fn is_full(&self) -> bool {
        self.room == 0
    }

    fn add(&mut self, key: u64) {
        let (word, bits) = self.place(key);
        self.words[word] |= bits;
        self.room = self.room.saturating_sub(1);
    }

    fn may_have(&self, key: u64) -> bool {
        let (word, bits) = self.place(key);
        self.words[word] & bits == bits
    }

    fn place(&self, key: u64) -> (usize, u64) {
        let bits = (0..4).fold(0, |bits, i| bits | 1 << (key >> (6 * i) & 63));
        let word = ((key >> 32) * self.words.len() as u64) >> 32;
        (word as usize, bits)
    }
}

/// What stands before a block.
struct Head {
    /// One more than its place in units; 0: none.
    older: u32,
    tag: u32,
    partner: u32,
    subject: u32,
    facts: u32,
    whole: bool,
}

impl Head {
    fn bytes(&self) -> [u8; HEAD] {
        let mut out = [0; HEAD];
        let facts = self.facts | if self.whole { WHOLE } else { 0 };
        let parts = [self.older, self.tag, self.partner, self.subject, facts];
        for (four, part) in out.chunks_exact_mut(4).zip(parts) {
            four.copy_from_slice(&part.to_le_bytes());
        }
        out
    }

    fn of(bytes: [u8; HEAD]) -> Head {
        let part = |i: usize| u32::from_le_bytes([bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]]);
        Head {
            older: part(0),
            tag: part(4),
            partner: part(8),
            subject: part(12),
            facts: part(16) & !WHOLE,
            whole: part(16) & WHOLE != 0,
        }
    }
}

impl Spill {
    /// In the system's folder for temporary files.
    pub fn new() -> io::Result<Spill> {
        let blocks = tempfile::tempfile()?;
        Ok(Spill { blocks, end: 0, unwritten: Vec::new(), indexes: vec![Index::new(FIRST)], trouble: None })
    }

    /// Reads what will be asked first about a subject, so that it is near by then. Gives a number that means nothing.
    pub fn touch(&self, partner: &str, subject: &str) -> u64 {
        let key = hash(partner, subject);
        self.indexes.iter().fold(0, |sum, index| sum ^ index.filter.words[index.filter.place(key).0])
    }

    fn append(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool) -> io::Result<()> {
        let at = self.end + self.unwritten.len() as u64;
        let Ok(place) = u32::try_from(at / UNIT + 1) else {
            return Err(io::Error::other("what has settled takes more than 64 GiB: judge the files in several runs"));
        };
        let key = hash(partner, subject);
        if self.indexes.last().is_none_or(|index| index.filter.is_full()) {
            self.indexes.push(Index::new(FIRST << self.indexes.len()));
        }
        let Some(index) = self.indexes.last_mut() else { return Ok(()) };
        index.filter.add(key);
        let bucket = index.bucket(key);
        let older = std::mem::replace(&mut index.buckets[bucket], place);
        let len = |part: &[u8]| part.len() as u32;
        let (partner, subject) = (partner.as_bytes(), subject.as_bytes());
        let head =
            Head { older, tag: key as u32, partner: len(partner), subject: len(subject), facts: len(facts), whole }
                .bytes();
        for part in [&head[..], partner, subject, facts] {
            self.unwritten.extend_from_slice(part);
        }
        let whole = self.unwritten.len().next_multiple_of(UNIT as usize);
        self.unwritten.resize(whole, 0);
        if self.unwritten.len() >= 1 << 18 {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.blocks.seek(SeekFrom::Start(self.end))?;
        self.blocks.write_all(&self.unwritten)?;
        self.end += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// All that was kept of a subject since it was whole, in the order in which it was.
    fn find(&self, partner: &str, subject: &str) -> io::Result<Vec<u8>> {
        let key = hash(partner, subject);
        let mut found = Vec::new();
        'all: for index in self.indexes.iter().rev().filter(|index| index.filter.may_have(key)) {
            let mut place = index.buckets[index.bucket(key)];
            while let Some(at) = place.checked_sub(1).map(|at| u64::from(at) * UNIT) {
                let mut near = [0; NEAR];
                let near = self.read(&mut near, at)?;
                let Some((head, rest)) = near.split_first_chunk().map(|(head, rest)| (Head::of(*head), rest)) else {
                    break;
                };
                place = head.older;
                if head.tag != key as u32 {
                    continue;
                }
                let names = (head.partner + head.subject) as usize;
                let mut block = vec![0; names + head.facts as usize];
                match rest.get(..block.len()) {
                    Some(whole) => block.copy_from_slice(whole),
                    None => self.blocks.read_exact_at(&mut block, at + HEAD as u64)?,
                }
                let (p, s) = block[..names].split_at(head.partner as usize);
                if p == partner.as_bytes() && s == subject.as_bytes() {
                    found.push(block.split_off(names));
                    if head.whole {
                        break 'all;
                    }
                }
            }
        }
        found.reverse();
        Ok(found.concat())
    }

    /// Bytes from here on: all that are asked for, if there are so many.
    fn read<'b>(&'b self, bytes: &'b mut [u8], at: u64) -> io::Result<&'b [u8]> {
        match at.checked_sub(self.end) {
            Some(from) => Ok(&self.unwritten[from as usize..]),
            None => {
                let there = (self.end - at).min(bytes.len() as u64) as usize;
                self.blocks.read_exact_at(&mut bytes[..there], at)?;
                Ok(&bytes[..there])
            }
        }
    }

    fn note<T>(&mut self, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.trouble.get_or_insert(error);
                None
            }
        }
    }
}

impl Archive for Spill {
    #[inline(never)]
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool) {
        if facts.is_empty() || self.trouble.is_some() {
            return;
        }
        let result = self.append(partner, subject, facts, whole);
        self.note(result);
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let found = self.find(partner, subject);
        self.note(found).filter(|facts| !facts.is_empty())
    }
}

/// Only this process reads it, and equal hashes are told apart by the names in the block.
#[inline(always)]
fn hash(partner: &str, subject: &str) -> u64 {
    xxh3_64_with_seed(subject.as_bytes(), xxh3_64(partner.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_in_the_order_kept_however_many_indexes_it_took() {
        let mut spill = Spill::new().expect("a temporary file");
        let many = FIRST as u64 * 18;
        for i in 0..many {
            spill.keep("p", &format!("s{}", i % (many / 2)), &i.to_le_bytes(), false);
        }
        assert_eq!(spill.indexes.len(), 5);
        for i in [0, 1, many / 2 - 1, many / 3] {
            let want = [i.to_le_bytes(), (i + many / 2).to_le_bytes()].concat();
            assert_eq!(spill.recall("p", &format!("s{i}")), Some(want), "subject {i}");
        }
        assert_eq!(spill.recall("q", "s0"), None);
        spill.keep("p", "s7", b"all", true);
        assert_eq!(spill.recall("p", "s7"), Some(b"all".to_vec()));
        spill.keep("p", "s7", b" and more", false);
        assert_eq!(spill.recall("p", "s7"), Some(b"all and more".to_vec()));
        assert!(spill.trouble.is_none());
    }

    #[test]
    fn most_that_was_never_kept_costs_no_look_into_the_file() {
        let mut filter = Filter::new(FIRST);
        (0..FIRST).for_each(|i| filter.add(hash("p", &format!("kept {i}"))));
        assert!(filter.is_full());
        let wrong = (0..100_000).filter(|i| filter.may_have(hash("p", &format!("never {i}")))).count();
        assert!(wrong < 500, "{wrong} of 100,000");
    }
}
