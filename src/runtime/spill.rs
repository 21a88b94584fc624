//! The archive of a run over files: settled timelines go to an unnamed temporary file and come back when late news asks.
//!
//! Blocks are appended; an index of (hash of the subject, place) is kept in memory up to a bound and then written out as
//! a sorted run, so that memory does not grow with history. Runs of like size are merged, and a look into one reads one
//! page of it. Most looks are for what was never kept: a filter answers them.

use onus_engine::engine::Archive;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Entries kept in memory before they become a run.
const RECENT: usize = 1 << 14;
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
    recent: Recent,
    runs: Vec<Run>,
    filter: Filter,
    /// The first thing that went wrong with the disk: told at the end, since an archive's methods cannot fail.
    pub trouble: Option<io::Error>,
}

/// Entries that are in no run yet, in lists by the highest bits of their hash.
#[derive(Debug)]
struct Recent {
    lists: Vec<Vec<(u64, u64)>>,
    filter: Filter,
}

const LISTS: usize = 256;

impl Recent {
    fn new() -> Recent {
        Recent { lists: vec![Vec::new(); LISTS], filter: Filter::new(RECENT) }
    }

    fn add(&mut self, key: u64, at: u64) {
        self.lists[list_of(key)].push((key, at));
        self.filter.add(key);
    }

    fn find(&self, key: u64) -> impl Iterator<Item = u64> {
        let list = if self.filter.may_have(key) { &self.lists[list_of(key)][..] } else { &[] };
        list.iter().filter(move |(k, _)| *k == key).map(|(_, at)| *at)
    }

    /// Empties it, in order.
    fn drain(&mut self) -> impl Iterator<Item = (u64, u64)> {
        self.filter = Filter::new(RECENT);
        self.lists.iter_mut().flat_map(|list| {
            list.sort_unstable();
            list.drain(..)
        })
    }
}

fn list_of(key: u64) -> usize {
    (key >> 56) as usize
}

#[derive(Debug)]
struct Run {
    file: File,
    entries: u64,
    /// The first key of each page.
    pages: Vec<u64>,
}

/// Says of most keys that were never kept that they were not, and never of one that was: a Bloom filter in blocks of 64
/// bits, one look a key, four bits set of one word. When it has eight bits an entry it is made anew with sixteen: all that
/// stays in memory of what was kept, but for one key a page.
#[derive(Debug)]
struct Filter {
    words: Vec<u64>,
    entries: usize,
}

impl Filter {
    /// With room for so many entries.
    fn new(entries: usize) -> Filter {
        Filter { words: vec![0; entries / 8 + 1], entries: 0 }
    }

    fn is_full(&self) -> bool {
        self.entries >= self.words.len() * 8
    }

    fn add(&mut self, key: u64) {
        let (word, bits) = self.place(key);
        self.words[word] |= bits;
        self.entries += 1;
    }

    fn may_have(&self, key: u64) -> bool {
        let (word, bits) = self.place(key);
        self.words[word] & bits == bits
    }

    /// Keys in order have words in order: those of a run are added from one end to the other.
    fn place(&self, key: u64) -> (usize, u64) {
        let bits = (0..4).fold(0, |bits, i| bits | 1 << (key >> (6 * i) & 63));
        let word = ((key >> 32) * self.words.len() as u64) >> 32;
        (word as usize, bits)
    }
}

impl Spill {
    /// In the system's folder for temporary files.
    pub fn new() -> io::Result<Spill> {
        Ok(Spill {
            blocks: tempfile::tempfile()?,
            end: 0,
            unwritten: Vec::new(),
            recent: Recent::new(),
            runs: Vec::new(),
            filter: Filter::new(RECENT),
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
        self.recent.add(key, at);
        if self.unwritten.len() >= 1 << 18 {
            self.flush()?;
        }
        if self.recent.filter.entries >= RECENT {
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
        let filter = &mut self.filter;
        let entries = self.recent.drain().inspect(|(key, _)| filter.add(*key));
        self.runs.push(Run::write(entries.map(Ok))?);
        // The newest runs are the smallest; as many of like size as one merge takes become one of the next size.
        while let Some(from) = self.runs.len().checked_sub(RUNS)
            && self.runs[from].entries < 2 * self.runs[self.runs.len() - 1].entries
        {
            let tail = self.runs.split_off(from);
            self.runs.push(Run::write(merged(&tail)?)?);
        }
        if self.filter.is_full() {
            let mut filter = Filter::new(2 * self.filter.entries);
            for entry in merged(&self.runs)? {
                filter.add(entry?.0);
            }
            self.filter = filter;
        }
        Ok(())
    }

    fn places(&self, key: u64) -> io::Result<Vec<u64>> {
        let mut out = Vec::new();
        if self.filter.may_have(key) {
            for run in &self.runs {
                run.find(key, &mut out)?;
            }
        }
        out.extend(self.recent.find(key));
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
        for entry in entries {
            let (key, at) = entry?;
            if count % PAGE == 0 {
                pages.push(key);
            }
            out.write_all(&key.to_le_bytes())?;
            out.write_all(&at.to_le_bytes())?;
            count += 1;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Run { file, entries: count, pages })
    }

    fn find(&self, key: u64, out: &mut Vec<u64>) -> io::Result<()> {
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

/// The entries of several runs, in order.
fn merged(runs: &[Run]) -> io::Result<impl Iterator<Item = io::Result<(u64, u64)>>> {
    let mut readers = Vec::new();
    for run in runs {
        let mut file = run.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = io::BufReader::with_capacity(1 << 15, file);
        let head = next_entry(&mut reader)?;
        readers.push((head, reader));
    }
    Ok(std::iter::from_fn(move || {
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
#[inline(always)]
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
