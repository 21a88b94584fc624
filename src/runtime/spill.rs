//! The archive of a run over files: settled timelines go to an unnamed temporary file and come back when late news asks.
//!
//! Blocks are appended, each with the place of the one before it of the same subject; the index in memory is the place of
//! each subject's newest. Most looks are for what was never kept, and a look costs the same however much was: one line of
//! the processor's cache, and hardly ever another.

use onus_engine::engine::Archive;
use onus_engine::region::Region;
use prefetch_index::prefetch_index;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Lines of an index that is empty.
const FIRST: usize = 1 << 12;
/// Places in a line of the cache.
const LINE: usize = 8;
/// Bytes of one.
const ENTRY: usize = 8;
/// Of them, so many are taken on the average before the index grows by half: fuller, looks would go on in the next line.
const FULL: usize = 6;
/// Blocks begin at multiples of this, so that four bytes name the place of one in 64 GiB.
const UNIT: u64 = 16;
/// So many bytes are written at once: few enough to stay near.
const TOGETHER: usize = 1 << 16;
/// So much of a block is read at once: most are no longer.
const NEAR: usize = 512;
/// Before a block: the place of the one before it of its subject, half of its hash, the lengths of its three parts.
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
    index: Index,
    /// The first thing that went wrong with the disk: told at the end, since an archive's methods cannot fail.
    pub trouble: Option<io::Error>,
}

/// By half of a subject's hash, one more than the place of its newest block in units. Subjects that have that half in common
/// (of 50 million, one in eighty) share an entry, and are told apart by their blocks.
///
/// Open addressing: who finds its line full goes into the next. Nothing is ever taken out, so a line with room ends a look. It
/// lies in the order of the halves, so that growing writes from the beginning to the end.
#[derive(Debug)]
struct Index {
    /// Entries: half and place each; 0: none.
    bytes: Region,
    lines: usize,
    subjects: usize,
}

impl Index {
    fn new(lines: usize) -> Index {
        Index { bytes: Region::new(lines * LINE * ENTRY), lines, subjects: 0 }
    }

    /// The line in which it is looked for first.
    #[inline(always)]
    fn line(&self, half: u32) -> usize {
        ((u64::from(half) * self.lines as u64) >> 32) as usize
    }

    /// Where its entry begins, or would.
    #[inline(always)]
    fn seek(&self, half: u32) -> usize {
        let mut line = self.line(half);
        loop {
            let from = line * LINE * ENTRY;
            let entries = self.bytes[from..from + LINE * ENTRY].as_chunks::<ENTRY>().0;
            let here = |entry: u64| entry == 0 || (entry >> 32) as u32 == half;
            if let Some(at) = entries.iter().position(|entry| here(u64::from_le_bytes(*entry))) {
                return from + at * ENTRY;
            }
            line = if line + 1 == self.lines { 0 } else { line + 1 };
        }
    }

    #[inline(always)]
    fn entry(&self, at: usize) -> u64 {
        self.bytes[at..].first_chunk().map_or(0, |entry| u64::from_le_bytes(*entry))
    }

    fn set(&mut self, at: usize, entry: u64) {
        self.bytes[at..at + ENTRY].copy_from_slice(&entry.to_le_bytes());
    }

    /// Has the line of one fetched from afar.
    #[inline(always)]
    fn prefetch(&self, half: u32) {
        prefetch_index(&*self.bytes, self.line(half) * LINE * ENTRY);
    }

    /// Its newest block; 0: none.
    #[inline(always)]
    fn newest(&self, half: u32) -> u32 {
        self.entry(self.seek(half)) as u32
    }

    /// Another newest block; gives the one before; 0: none.
    fn put(&mut self, half: u32, place: u32) -> u32 {
        if self.subjects >= self.lines * FULL {
            self.grow();
        }
        let at = self.seek(half);
        let older = self.entry(at) as u32;
        self.set(at, u64::from(half) << 32 | u64::from(place));
        self.subjects += usize::from(older == 0);
        older
    }

    #[cold]
    fn grow(&mut self) {
        let larger = Index { subjects: self.subjects, ..Index::new(self.lines * 3 / 2) };
        let smaller = std::mem::replace(self, larger);
        for entry in
            smaller.bytes.as_chunks().0.iter().map(|entry| u64::from_le_bytes(*entry)).filter(|entry| *entry != 0)
        {
            self.set(self.seek((entry >> 32) as u32), entry);
        }
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
        Ok(Spill { blocks, end: 0, unwritten: Vec::new(), index: Index::new(FIRST), trouble: None })
    }

    fn append(&mut self, kind: Kind, partner: &str, subject: &str, bytes: &[u8], whole: bool) -> io::Result<()> {
        let at = self.end + self.unwritten.len() as u64;
        let Ok(place) = u32::try_from(at / UNIT + 1) else {
            return Err(io::Error::other("what has settled takes more than 64 GiB: judge the files in several runs"));
        };
        let (half, tag) = kind.of(halves(partner, subject));
        let older = self.index.put(half, place);
        let len = |part: &[u8]| part.len() as u32;
        let (partner, subject) = (partner.as_bytes(), subject.as_bytes());
        let head = Head { older, tag, partner: len(partner), subject: len(subject), facts: len(bytes), whole }.bytes();
        for part in [&head[..], partner, subject, bytes] {
            self.unwritten.extend_from_slice(part);
        }
        let whole = self.unwritten.len().next_multiple_of(UNIT as usize);
        self.unwritten.resize(whole, 0);
        if self.unwritten.len() >= TOGETHER {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.blocks.write_all_at(&self.unwritten, self.end)?;
        self.end += self.unwritten.len() as u64;
        self.unwritten.clear();
        Ok(())
    }

    /// All that was kept of a subject since it was whole: facts, then notes, each in the order in which they were kept.
    fn find(&self, partner: &str, subject: &str) -> io::Result<Vec<u8>> {
        let halves = halves(partner, subject);
        let mut all = Vec::new();
        for (half, tag) in [Kind::Facts, Kind::Notes].map(|kind| kind.of(halves)) {
            let newest = self.index.newest(half);
            if newest != 0 {
                self.follow(newest, tag, partner, subject, &mut all)?;
            }
        }
        Ok(all)
    }

    /// From block to block, each older than the one before.
    fn follow(&self, mut place: u32, tag: u32, partner: &str, subject: &str, all: &mut Vec<u8>) -> io::Result<()> {
        let mut found = Vec::new();
        while let Some(at) = place.checked_sub(1).map(|at| u64::from(at) * UNIT) {
            let mut near = [0; NEAR];
            let near = self.read(&mut near, at)?;
            let Some((head, rest)) = near.split_first_chunk().map(|(head, rest)| (Head::of(*head), rest)) else {
                break;
            };
            place = head.older;
            if head.tag != tag {
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
                    break;
                }
            }
        }
        found.iter().rev().for_each(|block: &Vec<u8>| all.extend_from_slice(block));
        Ok(())
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

    fn put(&mut self, kind: Kind, partner: &str, subject: &str, bytes: &[u8], whole: bool) {
        if !bytes.is_empty() && self.trouble.is_none() {
            let result = self.append(kind, partner, subject, bytes, whole);
            self.unless_trouble(result);
        }
    }

    fn unless_trouble<T>(&mut self, result: io::Result<T>) -> Option<T> {
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
        self.put(Kind::Facts, partner, subject, facts, whole);
    }

    fn note(&mut self, partner: &str, subject: &str, notes: &[u8]) {
        self.put(Kind::Notes, partner, subject, notes, false);
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let found = self.find(partner, subject);
        self.unless_trouble(found).filter(|all| !all.is_empty())
    }

    fn prefetch(&self, partner: &str, subject: &str) {
        let (half, _) = halves(partner, subject);
        self.index.prefetch(half);
    }
}

/// What a block holds of its subject.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Facts,
    Notes,
}

impl Kind {
    /// Notes are found beside the facts, in the same line of the index: whoever asks, asks for both.
    #[inline(always)]
    fn of(self, (half, tag): (u32, u32)) -> (u32, u32) {
        match self {
            Kind::Facts => (half, tag),
            Kind::Notes => (half ^ 1, !tag),
        }
    }
}

/// What a subject is found by, and what its blocks are told by. Only this process reads them, and equal ones are told apart by
/// the names in the block.
#[inline(always)]
fn halves(partner: &str, subject: &str) -> (u32, u32) {
    let hash = xxh3_64_with_seed(subject.as_bytes(), xxh3_64(partner.as_bytes()));
    ((hash >> 32) as u32, hash as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn what_was_kept_comes_back_in_the_order_kept_however_often_the_index_grew() {
        let mut spill = Spill::new().expect("a temporary file");
        let lines = spill.index.lines;
        let many = (FIRST * FULL * 8) as u64;
        for i in 0..many {
            spill.keep("p", &format!("s{}", i % (many / 2)), &i.to_le_bytes(), false);
        }
        assert!(spill.index.lines > lines * 3, "it grew several times");
        for i in [0, 1, many / 2 - 1, many / 3] {
            let want = [i.to_le_bytes(), (i + many / 2).to_le_bytes()].concat();
            assert_eq!(spill.recall("p", &format!("s{i}")), Some(want), "subject {i}");
        }
        assert_eq!(spill.recall("q", "s0"), None);
        spill.keep("p", "s7", b"all", true);
        assert_eq!(spill.recall("p", "s7"), Some(b"all".to_vec()));
        spill.keep("p", "s7", b" and more", false);
        spill.note("p", "s7", b", and a note");
        spill.keep("p", "s7", b" again", true);
        assert_eq!(spill.recall("p", "s7"), Some(b" again, and a note".to_vec()));
        assert!(spill.trouble.is_none());
    }

    proptest! {
        /// However few lines there are and wherever the halves lie, each has its newest place.
        #[test]
        fn each_half_has_its_newest_place(puts in prop::collection::vec(prop_oneof![0..40u32, (u32::MAX - 40)..=u32::MAX, any::<u32>()], 0..200)) {
            let mut index = Index::new(2);
            let mut model = HashMap::new();
            for (place, half) in (1..).zip(puts) {
                prop_assert_eq!(index.put(half, place), model.insert(half, place).unwrap_or_default());
            }
            prop_assert_eq!(index.subjects, model.len());
            for half in (0..60).chain((u32::MAX - 60)..=u32::MAX).chain(model.keys().copied()) {
                prop_assert_eq!(index.newest(half), model.get(&half).copied().unwrap_or_default());
            }
        }
    }
}
