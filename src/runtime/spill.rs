//! The archive of a run over files: settled timelines go to an unnamed temporary file and come back when late news asks.
//!
//! Blocks are appended; an index of (hash of the subject, place) is kept in memory up to a bound and then written out as
//! a sorted run, so that memory does not grow with history. Runs of like size are merged, and a look into one reads one
//! page of it.

use hashbrown::HashTable;
use onus_engine::engine::Archive;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Entries kept in memory before they become a run.
const RECENT: usize = 1 << 16;
/// So many runs of like size become one.
const RUNS: usize = 4;
const ENTRY: usize = 16;
/// Entries between two keys of a run that are kept in memory.
const PAGE: u64 = 256;

/// See the module.
#[derive(Debug)]
pub struct Spill {
    blocks: File,
    end: u64,
    unwritten: Vec<u8>,
    recent: HashTable<(u64, u64)>,
    runs: Vec<Run>,
    /// The first thing that went wrong with the disk: told at the end, since an archive's methods cannot fail.
    pub trouble: Option<io::Error>,
}

#[derive(Debug)]
struct Run {
    file: File,
    entries: u64,
    /// The first key of each page.
    pages: Vec<u64>,
    /// Says of most keys that are not in the run that they are not: ten bits an entry, all that stays in memory of it.
    filter: Filter,
}

/// A Bloom filter in blocks of 64 bits: one look a key, four bits set of one word.
#[derive(Debug, Default)]
struct Filter(Vec<u64>);

impl Filter {
    fn of(keys: &[u64]) -> Filter {
        let mut filter = Filter(vec![0; keys.len() * 10 / 64 + 1]);
        for key in keys {
            let (word, bits) = filter.place(*key);
            filter.0[word] |= bits;
        }
        filter
    }

    fn may_have(&self, key: u64) -> bool {
        let (word, bits) = self.place(key);
        self.0[word] & bits == bits
    }

    fn place(&self, key: u64) -> (usize, u64) {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let bits = (0..4).fold(0, |bits, i| bits | 1 << (mixed >> (6 * i) & 63));
        ((mixed >> 32) as usize % self.0.len(), bits)
    }
}

impl Spill {
    /// In the system's folder for temporary files.
    pub fn new() -> io::Result<Spill> {
        Ok(Spill {
            blocks: tempfile::tempfile()?,
            end: 0,
            unwritten: Vec::new(),
            recent: HashTable::with_capacity(RECENT),
            runs: Vec::new(),
            trouble: None,
        })
    }

    fn append(&mut self, partner: &str, subject: &str, facts: &[u8]) -> io::Result<()> {
        let at = self.end + self.unwritten.len() as u64;
        for part in [partner.as_bytes(), subject.as_bytes(), facts] {
            self.unwritten.extend_from_slice(&(part.len() as u32).to_le_bytes());
        }
        for part in [partner.as_bytes(), subject.as_bytes(), facts] {
            self.unwritten.extend_from_slice(part);
        }
        let key = hash(partner, subject);
        self.recent.insert_unique(key, (key, at), |(key, _)| *key);
        if self.unwritten.len() >= 1 << 18 {
            self.flush()?;
        }
        if self.recent.len() >= RECENT {
            self.write_run()?;
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

    fn write_run(&mut self) -> io::Result<()> {
        let mut recent: Vec<(u64, u64)> = self.recent.drain().collect();
        recent.sort_unstable();
        self.runs.push(Run::write(recent.into_iter().map(Ok))?);
        // The newest runs are the smallest; as many of like size as one merge takes become one of the next size.
        while let Some(from) = self.runs.len().checked_sub(RUNS)
            && self.runs[from].entries < 2 * self.runs[self.runs.len() - 1].entries
        {
            let mut tail = self.runs.split_off(from);
            self.runs.push(Run::merge(&mut tail)?);
        }
        Ok(())
    }

    fn places(&self, key: u64) -> io::Result<Vec<u64>> {
        let mut out = Vec::new();
        for run in &self.runs {
            run.find(key, &mut out)?;
        }
        let mut recent: Vec<u64> = self.recent.iter_hash(key).filter(|(k, _)| *k == key).map(|(_, at)| *at).collect();
        recent.sort_unstable();
        out.extend(recent);
        Ok(out)
    }

    fn block(&self, at: u64) -> io::Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        let read = |bytes: &mut [u8], at: u64| -> io::Result<()> {
            if at >= self.end {
                let from = (at - self.end) as usize;
                bytes.copy_from_slice(&self.unwritten[from..from + bytes.len()]);
                Ok(())
            } else {
                self.blocks.read_exact_at(bytes, at)
            }
        };
        let mut head = [0; 12];
        read(&mut head, at)?;
        let len = |i: usize| u32::from_le_bytes([head[i], head[i + 1], head[i + 2], head[i + 3]]) as usize;
        let (mut partner, mut subject, mut facts) = (vec![0; len(0)], vec![0; len(4)], vec![0; len(8)]);
        let mut from = at + 12;
        for part in [&mut partner, &mut subject, &mut facts] {
            read(part, from)?;
            from += part.len() as u64;
        }
        Ok((partner, subject, facts))
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
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8]) {
        if facts.is_empty() || self.trouble.is_some() {
            return;
        }
        let result = self.append(partner, subject, facts);
        self.note(result);
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let places = self.places(hash(partner, subject));
        let places = self.note(places)?;
        let mut out = Vec::new();
        for at in places {
            let block = self.block(at);
            let (p, s, facts) = self.note(block)?;
            if p == partner.as_bytes() && s == subject.as_bytes() {
                out.extend_from_slice(&facts);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

impl Run {
    fn write(entries: impl Iterator<Item = io::Result<(u64, u64)>>) -> io::Result<Run> {
        let mut out = io::BufWriter::with_capacity(1 << 16, tempfile::tempfile()?);
        let mut count = 0;
        let mut pages = Vec::new();
        let mut keys = Vec::new();
        for entry in entries {
            let (key, at) = entry?;
            keys.push(key);
            if count % PAGE == 0 {
                pages.push(key);
            }
            out.write_all(&key.to_le_bytes())?;
            out.write_all(&at.to_le_bytes())?;
            count += 1;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Run { file, entries: count, pages, filter: Filter::of(&keys) })
    }

    fn merge(runs: &mut [Run]) -> io::Result<Run> {
        let mut readers = Vec::new();
        for run in runs {
            run.file.seek(SeekFrom::Start(0))?;
            let mut reader = io::BufReader::with_capacity(1 << 15, run.file.try_clone()?);
            let head = next_entry(&mut reader)?;
            readers.push((head, reader));
        }
        Run::write(std::iter::from_fn(move || {
            let least = readers.iter_mut().filter(|(head, _)| head.is_some()).min_by_key(|(head, _)| *head)?;
            let entry = least.0.take()?;
            match next_entry(&mut least.1) {
                Ok(head) => {
                    least.0 = head;
                    Some(Ok(entry))
                }
                Err(error) => Some(Err(error)),
            }
        }))
    }

    fn find(&self, key: u64, out: &mut Vec<u64>) -> io::Result<()> {
        if !self.filter.may_have(key) {
            return Ok(());
        }
        // Equal keys may begin in the page before the first that begins with this key.
        let mut page = self.pages.partition_point(|first| *first < key).saturating_sub(1) as u64;
        let mut bytes = [0; PAGE as usize * ENTRY];
        while page * PAGE < self.entries && self.pages[page as usize] <= key {
            let held = (self.entries - page * PAGE).min(PAGE) as usize * ENTRY;
            self.file.read_exact_at(&mut bytes[..held], page * PAGE * ENTRY as u64)?;
            let entries = bytes[..held].chunks_exact(ENTRY).map(split);
            out.extend(entries.filter(|(k, _)| *k == key).map(|(_, at)| at));
            page += 1;
        }
        Ok(())
    }
}

fn next_entry(reader: &mut impl Read) -> io::Result<Option<(u64, u64)>> {
    let mut bytes = [0; ENTRY];
    match reader.read_exact(&mut bytes) {
        Ok(()) => Ok(Some(split(&bytes))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn split(bytes: &[u8]) -> (u64, u64) {
    let number = |from: usize| {
        let mut eight = [0; 8];
        eight.copy_from_slice(&bytes[from..from + 8]);
        u64::from_le_bytes(eight)
    };
    (number(0), number(8))
}

/// Only this process reads it, and equal hashes are told apart by the names in the block.
fn hash(partner: &str, subject: &str) -> u64 {
    xxh3_64_with_seed(subject.as_bytes(), xxh3_64(partner.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_in_the_order_kept_however_many_runs_it_took() {
        let mut spill = Spill::new().expect("a temporary file");
        let many = RECENT as u64 * (RUNS as u64 * RUNS as u64 + 2);
        for i in 0..many {
            spill.keep("p", &format!("s{}", i % (many / 2)), &i.to_le_bytes());
        }
        assert!(spill.runs.len() <= 2 * RUNS);
        for i in [0, 1, many / 2 - 1, many / 3] {
            let want = [i.to_le_bytes(), (i + many / 2).to_le_bytes()].concat();
            assert_eq!(spill.recall("p", &format!("s{i}")), Some(want), "subject {i}");
        }
        assert_eq!(spill.recall("q", "s0"), None);
        assert!(spill.trouble.is_none());
    }
}
