//! Where subjects go that have left memory: pages of the store, written with the commit in which they left.

use super::Status;
use super::keeper::Keeper;
use super::known::Known;
use crate::store::{Page, Store, StoreError, zip};
use hashbrown::HashMap;
use onus_engine::engine::Archive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Facts of one page, uncompressed, in bytes: what one look has to read.
const PAGE: usize = 64 * 1024;
/// Half the CPU of level 1, for a quarter more on disk (docs/performance.md).
const LEVEL: i32 = -5;

/// What has left memory since the last commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving {
    /// Names and facts, as pages hold them.
    bytes: Vec<u8>,
    /// Where each begins, and which one before it has the same hash.
    starts: Vec<(usize, Option<u32>)>,
    /// By hash: the last place in `starts`.
    index: HashMap<u64, u32>,
}

/// The engine's archive: what is leaving, and the store.
pub(super) struct Shelves<'a> {
    pub(super) leaving: &'a mut Leaving,
    /// All that ever left; a judge's own, lent for as long as it judges.
    pub(super) known: Known,
    pub(super) behind: Behind<'a>,
    pub(super) generation: u32,
    /// Commits from this one on are not looked at: a journal that is read again must not see what came later.
    pub(super) before: u64,
    /// The first thing that went wrong: an archive's methods cannot fail.
    pub(super) trouble: Option<StoreError>,
    /// While it may pass, it is waited for; None: nobody waits.
    pub(super) patience: Option<Patience<'a>>,
}

/// What went wrong may pass: nothing is judged meanwhile, since it would be judged without what cannot be read.
pub(super) struct Patience<'a> {
    /// Nobody waits any longer.
    pub(super) stop: &'a AtomicBool,
    pub(super) status: &'a Status,
}

impl Shelves<'_> {
    /// An event that is half judged cannot be put back: a store that is away is waited for.
    fn pages(&mut self, key: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut pause = 100;
        let mut waited = false;
        loop {
            match (self.behind.recall(self.generation, key, self.before), &self.patience) {
                (Err(error), Some(patience)) if error.may_pass() && !patience.stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    patience.status.store(Some(error.to_string()));
                    std::thread::sleep(Duration::from_millis(pause));
                    pause = (pause * 2).min(5_000);
                    waited = true;
                }
                (found, patience) => {
                    if let (true, true, Some(patience)) = (waited, found.is_ok(), patience) {
                        patience.status.store(None);
                    }
                    return found;
                }
            }
        }
    }
}

/// Where pages lie that were written.
pub(super) enum Behind<'a> {
    /// In a store that nobody else uses.
    Store(&'a mut dyn Store),
    /// In one that may be writing.
    Keeper(&'a mut Keeper),
}

impl Behind<'_> {
    fn recall(&mut self, generation: u32, key: u64, before: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        match self {
            Behind::Store(store) => store.recall(generation, key, before),
            Behind::Keeper(keeper) => keeper.recall(generation, key),
        }
    }

    fn leaving(&self) -> Option<&Leaving> {
        match self {
            Behind::Store(_) => None,
            Behind::Keeper(keeper) => keeper.leaving(),
        }
    }
}

impl Archive for Shelves<'_> {
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8]) {
        if !facts.is_empty() {
            self.known.add(self.leaving.keep(partner, subject, facts));
        }
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let key = hash(partner, subject);
        if !self.known.may_have(key) {
            return None;
        }
        let mut found = Vec::new();
        if self.trouble.is_none() {
            match self.pages(key) {
                Ok(pages) => {
                    for page in pages {
                        match zstd::bulk::decompress(&page, 1 << 28) {
                            Ok(bytes) => {
                                for left in all(&bytes).filter(|left| left.is(partner, subject)) {
                                    found.extend_from_slice(left.facts);
                                }
                            }
                            Err(error) => {
                                let what = format!("a page of released subjects cannot be read: {error}");
                                self.trouble = Some(StoreError::Damaged { target: "the store".to_owned(), what });
                            }
                        }
                    }
                }
                Err(error) => self.trouble = Some(error),
            }
        }
        if let Some(leaving) = self.behind.leaving() {
            leaving.look(key, partner, subject, &mut found);
        }
        self.leaving.look(key, partner, subject, &mut found);
        (!found.is_empty()).then_some(found)
    }
}

impl Leaving {
    /// Gives its hash.
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8]) -> u64 {
        let key = hash(partner, subject);
        let before = self.index.insert(key, self.starts.len() as u32);
        self.starts.push((self.bytes.len(), before));
        for part in [partner.as_bytes(), subject.as_bytes(), facts] {
            self.bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            self.bytes.extend_from_slice(part);
        }
        key
    }

    fn look(&self, key: u64, partner: &str, subject: &str, found: &mut Vec<u8>) {
        let mut places = Vec::new();
        let mut next = self.index.get(&key).copied();
        while let Some(place) = next {
            let (from, before) = self.starts[place as usize];
            places.push(from);
            next = before;
        }
        for from in places.into_iter().rev() {
            if let Some(left) = split(&self.bytes[from..]).filter(|left| left.is(partner, subject)) {
                found.extend_from_slice(left.facts);
            }
        }
    }

    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// As pages; begins anew only with [`Leaving::clear`].
    pub(super) fn pages(&self) -> Result<Vec<Page>, String> {
        let mut pages = Vec::new();
        let mut from = 0;
        while from < self.bytes.len() {
            let mut to = from;
            let mut keys = Vec::new();
            while to < self.bytes.len() && to - from < PAGE {
                let Some(left) = split(&self.bytes[to..]) else { break };
                keys.push(hash_of(left.partner, left.subject));
                to += left.length;
            }
            keys.sort_unstable();
            keys.dedup();
            let bytes = zip(&self.bytes[from..to], LEVEL).map_err(|e| e.to_string())?;
            pages.push(Page { keys, bytes });
            from = to;
        }
        Ok(pages)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.starts.clear();
        self.index.clear();
    }
}

/// One subject of a page.
struct Left<'a> {
    partner: &'a [u8],
    subject: &'a [u8],
    facts: &'a [u8],
    /// Of the whole.
    length: usize,
}

impl Left<'_> {
    fn is(&self, partner: &str, subject: &str) -> bool {
        self.partner == partner.as_bytes() && self.subject == subject.as_bytes()
    }
}

fn split(bytes: &[u8]) -> Option<Left<'_>> {
    let mut at = 0;
    let mut part = || {
        let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let part = bytes.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some(part)
    };
    let (partner, subject, facts) = (part()?, part()?, part()?);
    Some(Left { partner, subject, facts, length: at })
}

fn all(bytes: &[u8]) -> impl Iterator<Item = Left<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let left = split(&bytes[at..])?;
        at += left.length;
        Some(left)
    })
}

fn hash(partner: &str, subject: &str) -> u64 {
    hash_of(partner.as_bytes(), subject.as_bytes())
}

fn hash_of(partner: &[u8], subject: &[u8]) -> u64 {
    xxh3_64_with_seed(subject, xxh3_64(partner))
}
