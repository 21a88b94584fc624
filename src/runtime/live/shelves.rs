//! Where subjects go that have left memory: pages of the store, written with the commit in which they left.

use super::Status;
use super::keeper::Keeper;
use super::known::Known;
use crate::store::{Page, Show, Store, StoreError, zip};
use hashbrown::HashMap;
use onus_engine::engine::Archive;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Facts of one page, uncompressed, in bytes: what one look has to read.
const PAGE: usize = 64 * 1024;
/// Half the CPU of level 1, for a quarter more on disk (docs/performance.md).
const LEVEL: i32 = -5;
/// In the length of a subject's facts: what left before is among them.
const WHOLE: u32 = 1 << 31;

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
    /// Room for the name of what is looked for.
    pub(super) name: String,
}

/// What went wrong may pass: nothing is judged meanwhile, since it would be judged without what cannot be read.
pub(super) struct Patience<'a> {
    /// Nobody waits any longer.
    pub(super) stop: &'a AtomicBool,
    pub(super) status: &'a Status,
}

impl<'a> Shelves<'a> {
    /// Over a store that nobody else uses, while a journal is read again: of this generation, and of commits before one.
    pub(super) fn of(
        store: &'a mut dyn Store,
        leaving: &'a mut Leaving,
        known: Known,
        (generation, before): (u32, u64),
    ) -> Shelves<'a> {
        let behind = Behind::Store(store);
        Shelves { leaving, known, behind, generation, before, trouble: None, patience: None, name: String::new() }
    }
}

impl Shelves<'_> {
    /// An event that is half judged cannot be put back: a store that is away is waited for.
    fn pages(&mut self, key: u64, found: &mut Found<'_>) -> Result<(), StoreError> {
        let mut pause = 100;
        let mut waited = false;
        loop {
            let mut show = |page: &[u8]| found.page(page);
            match (self.behind.recall(self.generation, key, self.before, &mut show), &self.patience) {
                (Err(error), Some(patience)) if error.may_pass() && !patience.stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    patience.status.store(Some(error.to_string()));
                    std::thread::sleep(Duration::from_millis(pause));
                    pause = (pause * 2).min(5_000);
                    waited = true;
                }
                (done, patience) => {
                    if let (true, true, Some(patience)) = (waited, done.is_ok(), patience) {
                        patience.status.store(None);
                    }
                    return done;
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
    fn recall(&mut self, generation: u32, key: u64, before: u64, show: &mut Show<'_>) -> Result<(), StoreError> {
        match self {
            Behind::Store(store) => store.recall(generation, key, before, show),
            Behind::Keeper(keeper) => keeper.recall(generation, key, show),
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
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool) {
        if !facts.is_empty() {
            self.known.add(self.leaving.keep(partner, subject, facts, whole));
        }
    }

    fn note(&mut self, partner: &str, subject: &str, notes: &[u8]) {
        self.keep(partner, &notes_on(subject, String::new()), notes, false);
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let facts = self.all_of(partner, subject);
        let name = notes_on(subject, std::mem::take(&mut self.name));
        let notes = self.all_of(partner, &name);
        self.name = name;
        match (facts, notes) {
            (Some(facts), Some(notes)) => Some([facts, notes].concat()),
            (one, other) => one.or(other),
        }
    }

    fn prefetch(&self, partner: &str, subject: &str) {
        let of_partner = xxh3_64(partner.as_bytes());
        self.known.prefetch(xxh3_64_with_seed(subject.as_bytes(), of_partner));
        // The name of its notes. Of one that is longer nothing is lost but time.
        let mut name = [0; 64];
        if let Some(name) = name.get_mut(..=subject.len()) {
            name[..subject.len()].copy_from_slice(subject.as_bytes());
            self.known.prefetch(xxh3_64_with_seed(name, of_partner));
        }
    }
}

/// The name under which notes on a subject are kept, which no subject has. `room`: is written into.
fn notes_on(subject: &str, mut room: String) -> String {
    room.clear();
    room.push_str(subject);
    room.push('\0');
    room
}

impl Shelves<'_> {
    /// What was kept under a name.
    fn all_of(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let key = hash(partner, subject);
        if !self.known.may_have(key) {
            return None;
        }
        let mut found = Found { partner, subject, facts: Vec::new(), is_whole: false, trouble: None };
        self.leaving.look(key, &mut found);
        if let Some(leaving) = self.behind.leaving() {
            leaving.look(key, &mut found);
        }
        if !found.is_whole && self.trouble.is_none() {
            let read = self.pages(key, &mut found);
            let damaged = |what| StoreError::Damaged { target: "the store".to_owned(), what };
            self.trouble = read.err().or_else(|| found.trouble.take().map(damaged));
        }
        (!found.facts.is_empty()).then_some(found.facts)
    }
}

impl Leaving {
    /// Gives its hash.
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool) -> u64 {
        let key = hash(partner, subject);
        let before = self.index.insert(key, self.starts.len() as u32);
        self.starts.push((self.bytes.len(), before));
        let whole = if whole { WHOLE } else { 0 };
        for (part, mark) in [(partner.as_bytes(), 0), (subject.as_bytes(), 0), (facts, whole)] {
            self.bytes.extend_from_slice(&(part.len() as u32 | mark).to_le_bytes());
            self.bytes.extend_from_slice(part);
        }
        key
    }

    fn look(&self, key: u64, found: &mut Found<'_>) {
        let mut next = self.index.get(&key).copied();
        while let Some(place) = next.filter(|_| !found.is_whole) {
            let (from, before) = self.starts[place as usize];
            if let Some(left) = split(&self.bytes[from..]) {
                found.take(&left);
            }
            next = before;
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

/// What a look has found so far, the newest first.
struct Found<'a> {
    partner: &'a str,
    subject: &'a str,
    facts: Vec<u8>,
    /// Nothing older need be looked at.
    is_whole: bool,
    /// Why a page could not be read.
    trouble: Option<String>,
}

impl Found<'_> {
    fn take(&mut self, left: &Left<'_>) {
        if !self.is_whole && left.is(self.partner, self.subject) {
            self.facts.extend_from_slice(left.facts);
            self.is_whole = left.whole;
        }
    }

    fn page(&mut self, page: &[u8]) -> ControlFlow<()> {
        match zstd::bulk::decompress(page, 1 << 28) {
            Ok(bytes) => {
                let of_it: Vec<Left<'_>> = all(&bytes).filter(|left| left.is(self.partner, self.subject)).collect();
                of_it.iter().rev().for_each(|left| self.take(left));
            }
            Err(error) => self.trouble = Some(format!("a page of released subjects cannot be read: {error}")),
        }
        if self.is_whole || self.trouble.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// One subject of a page.
struct Left<'a> {
    partner: &'a [u8],
    subject: &'a [u8],
    facts: &'a [u8],
    /// What left before is among them.
    whole: bool,
    /// Of all of it.
    length: usize,
}

impl Left<'_> {
    fn is(&self, partner: &str, subject: &str) -> bool {
        self.partner == partner.as_bytes() && self.subject == subject.as_bytes()
    }
}

fn split(bytes: &[u8]) -> Option<Left<'_>> {
    let mut at = 0;
    let mut whole = false;
    let mut part = || {
        let length = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        whole |= length & WHOLE != 0;
        let length = (length & !WHOLE) as usize;
        let part = bytes.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some(part)
    };
    let (partner, subject, facts) = (part()?, part()?, part()?);
    Some(Left { partner, subject, facts, whole, length: at })
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
