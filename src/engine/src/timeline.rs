//! A subject's facts in order of event time, in one run of bytes.
//!
//! Order: time; then, if all facts of that instant carry a sequence of one source, by it; else by the rank of the
//! type, then by id (CLOCKS "same instant"). One event counts once however often it arrives.

use crate::fact::{Fact, TypeId};
use crate::time::Moment;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::cmp::{Ordering, Reverse};

/// From this many facts on, keys are looked up in a table instead of by reading along.
const MANY: u32 = 48;

/// A subject's facts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timeline {
    bytes: Vec<u8>,
    count: u32,
    /// Offset of the last fact.
    last: u32,
    #[serde(skip)]
    keys: Option<Box<HashTable<u64>>>,
}

/// What became of a fact offered to a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// After all others.
    Last,
    /// Before some other, or another feed's word on a fact that is known: what was judged must be judged again.
    Amid(Moment),
    /// In place of another copy: what was judged must be judged again, without that copy.
    Instead(Vec<u8>),
    /// Known already.
    Repeat,
    /// Another content under a known id; the copy that counts was kept, this one was not.
    Conflict,
}

/// How facts of one instant are ordered: the type's rank.
pub type Rank<'r> = &'r dyn Fn(TypeId) -> u8;

impl Timeline {
    /// How many facts.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// No facts.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Forgets all facts, keeps the room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        (self.count, self.last, self.keys) = (0, 0, None);
    }

    /// Takes the bytes of another timeline, with its [`Timeline::extent`].
    pub(crate) fn set(&mut self, bytes: &[u8], (count, last): (u32, u32)) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        (self.count, self.last, self.keys) = (count, last, None);
    }

    /// Count of facts, and the last one's place.
    pub(crate) fn extent(&self) -> (u32, u32) {
        (self.count, self.last)
    }

    /// The bytes of all facts, in order.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes held, with reserve.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Facts in order.
    pub fn facts(&self) -> Facts<'_> {
        Facts(&self.bytes)
    }

    /// When the first fact happened; never if there is none.
    pub(crate) fn first_at(&self) -> Moment {
        self.facts().next().map_or(Moment::NEVER, Fact::at)
    }

    /// The last fact.
    pub fn last(&self) -> Option<Fact<'_>> {
        Fact::split(self.bytes.get(self.last as usize..)?).map(|(fact, _)| fact)
    }

    /// Puts a fact at its event time.
    #[inline(always)]
    pub fn insert(&mut self, fact: Fact<'_>, rank: Rank<'_>) -> Placed {
        if self.has_key(fact.key()) {
            return self.copied(fact, rank);
        }
        self.place(fact, rank)
    }

    /// A fact of which something is known already: the same event, or what another feed says of it.
    #[cold]
    fn copied(&mut self, fact: Fact<'_>, rank: Rank<'_>) -> Placed {
        if let Some(old) = self.known(fact) {
            return self.second_copy(old, fact, rank);
        }
        match self.place(fact, rank) {
            // Wherever it stands: what the earlier copy leaves out, this one may say.
            Placed::Last => Placed::Amid(fact.at()),
            placed => placed,
        }
    }

    /// The same event, where some event of its key is known.
    #[cold]
    fn known(&self, fact: Fact<'_>) -> Option<Vec<u8>> {
        self.facts().find(|old| same_event(*old, fact)).map(|old| old.bytes().to_vec())
    }

    /// Drops the facts that `stay` does not want from among those before `horizon`. Gives the dropped ones' bytes.
    pub fn drain(&mut self, horizon: Moment, stay: &mut dyn FnMut(Fact<'_>) -> bool) -> Vec<u8> {
        let mut kept = Vec::new();
        let mut dropped = Vec::new();
        let mut last = 0;
        self.count = 0;
        for fact in Facts(&self.bytes) {
            if fact.at() >= horizon || stay(fact) {
                last = kept.len() as u32;
                kept.extend_from_slice(fact.bytes());
                self.count += 1;
            } else {
                dropped.extend_from_slice(fact.bytes());
            }
        }
        self.bytes = kept;
        self.last = last;
        self.keys = None;
        self.index();
        dropped
    }

    fn has_key(&self, key: u64) -> bool {
        match &self.keys {
            Some(keys) => keys.find(key, |k| *k == key).is_some(),
            None => self.facts().any(|fact| fact.key() == key),
        }
    }

    #[inline(always)]
    fn index(&mut self) {
        if self.keys.is_none() && self.count >= MANY {
            self.index_all();
        }
    }

    #[cold]
    fn index_all(&mut self) {
        let mut keys = HashTable::with_capacity(self.count as usize * 2);
        for fact in Facts(&self.bytes) {
            keys.insert_unique(fact.key(), fact.key(), |k| *k);
        }
        self.keys = Some(Box::new(keys));
    }

    #[inline(always)]
    fn place(&mut self, fact: Fact<'_>, rank: Rank<'_>) -> Placed {
        let late = self
            .last()
            .is_some_and(|last| fact.at() < last.at() || fact.at() == last.at() && !follows(last, fact, rank));
        let place = if late { self.slot(fact, rank) } else { None };
        self.count += 1;
        match &mut self.keys {
            Some(keys) => {
                keys.insert_unique(fact.key(), fact.key(), |k| *k);
            }
            None => self.index_with(fact.key()),
        }
        match place {
            None => {
                self.last = self.bytes.len() as u32;
                self.bytes.extend_from_slice(fact.bytes());
                Placed::Last
            }
            Some(slot) => self.put_amid(slot, fact),
        }
    }

    #[cold]
    fn put_amid(&mut self, slot: Slot, fact: Fact<'_>) -> Placed {
        match slot {
            Slot::At(offset) => {
                self.bytes.splice(offset..offset, fact.bytes().iter().copied());
                self.last += fact.bytes().len() as u32;
            }
            Slot::Reordered(bytes) => {
                self.bytes = bytes;
                self.last = last_offset(&self.bytes);
            }
        }
        Placed::Amid(fact.at())
    }

    fn index_with(&mut self, key: u64) {
        self.index();
        if let Some(keys) = &mut self.keys {
            keys.insert_unique(key, key, |k| *k);
        }
    }

    /// Where a fact that is not later than all others goes; None: after all of them.
    #[cold]
    fn slot(&self, fact: Fact<'_>, rank: Rank<'_>) -> Option<Slot> {
        let mut offset = 0;
        let mut group: Vec<Fact<'_>> = Vec::new();
        let mut group_at = 0;
        for old in self.facts() {
            match old.at().cmp(&fact.at()) {
                Ordering::Less => {}
                Ordering::Equal => {
                    if group.is_empty() {
                        group_at = offset;
                    }
                    group.push(old);
                }
                Ordering::Greater if group.is_empty() => return Some(Slot::At(offset)),
                Ordering::Greater => break,
            }
            offset += old.bytes().len();
        }
        // Among facts of its own instant the order may change as a whole: one without a sequence ends sequencing.
        let before = group.len();
        let group_len: usize = group.iter().map(|f| f.bytes().len()).sum();
        let was: Vec<u64> = group.iter().map(|f| f.key()).collect();
        group.push(fact);
        order(&mut group, rank);
        let stable =
            group.iter().filter(|f| f.key() != fact.key() || f.bytes() != fact.bytes()).map(|f| f.key()).eq(was);
        let at_end = group_at + group_len == self.bytes.len();
        if stable && at_end && group.last().is_some_and(|f| f.bytes() == fact.bytes()) && before > 0 {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() + fact.bytes().len());
        bytes.extend_from_slice(&self.bytes[..group_at]);
        for one in &group {
            bytes.extend_from_slice(one.bytes());
        }
        bytes.extend_from_slice(&self.bytes[group_at + group_len..]);
        Some(Slot::Reordered(bytes))
    }

    /// Of two copies of one event the one of the highest trust counts, then the one with the least recorded time, then the
    /// least digest.
    #[cold]
    fn second_copy(&mut self, old: Vec<u8>, new: Fact<'_>, rank: Rank<'_>) -> Placed {
        let Some((held, _)) = Fact::split(&old) else { return Placed::Repeat };
        let same = held.digest() == new.digest();
        let order = |fact: Fact<'_>| (Reverse(fact.trust()), fact.recorded(), fact.digest());
        if order(held) <= order(new) {
            return if same { Placed::Repeat } else { Placed::Conflict };
        }
        self.remove(held, rank);
        self.place(new, rank);
        // The same content, too: when it was first heard of may matter.
        Placed::Instead(old)
    }

    /// Those of its instant may stand in another order without it: what it lacked, their numbers, may order them now.
    fn remove(&mut self, gone: Fact<'_>, rank: Rank<'_>) {
        let mut left: Vec<Fact<'_>> = self.facts().filter(|fact| !same_event(*fact, gone)).collect();
        let from = left.partition_point(|fact| fact.at() < gone.at());
        let to = left.partition_point(|fact| fact.at() <= gone.at());
        order(&mut left[from..to], rank);
        let mut bytes = Vec::with_capacity(self.bytes.len());
        for fact in left {
            bytes.extend_from_slice(fact.bytes());
        }
        self.count -= 1;
        self.last = last_offset(&bytes);
        self.bytes = bytes;
        self.keys = None;
    }
}

enum Slot {
    At(usize),
    Reordered(Vec<u8>),
}

/// The same event, not merely the same hash: fact keys are hashes, and a partner might look for a collision.
fn same_event(a: Fact<'_>, b: Fact<'_>) -> bool {
    a.key() == b.key() && a.id() == b.id() && a.source() == b.source()
}

/// Goes after the last fact of its own instant without a look at the others: none of them is ordered by sequence.
fn follows(last: Fact<'_>, fact: Fact<'_>, rank: Rank<'_>) -> bool {
    last.sequence().is_empty()
        && (rank(last.kind()), last.id(), last.key()) < (rank(fact.kind()), fact.id(), fact.key())
}

fn order(group: &mut [Fact<'_>], rank: Rank<'_>) {
    let source = group.first().map(|f| f.source());
    // One source, and one subject: copies of linked facts are numbered among others.
    let origin = group.first().and_then(|f| f.origin());
    let sequenced =
        group.iter().all(|f| !f.sequence().is_empty() && Some(f.source()) == source && f.origin() == origin);
    group.sort_by(|a, b| {
        let by_sequence = if sequenced { sequence(*a, *b) } else { Ordering::Equal };
        by_sequence
            .then_with(|| rank(a.kind()).cmp(&rank(b.kind())))
            .then_with(|| a.id().cmp(b.id()))
            .then_with(|| a.key().cmp(&b.key()))
    });
}

/// Digits compare as numbers, anything else as text.
fn sequence(a: Fact<'_>, b: Fact<'_>) -> Ordering {
    match (a.sequence().parse::<u64>(), b.sequence().parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.sequence().cmp(b.sequence()),
    }
}

fn last_offset(bytes: &[u8]) -> u32 {
    let mut offset = 0;
    let mut last = 0;
    for fact in Facts(bytes) {
        last = offset;
        offset += fact.bytes().len();
    }
    last as u32
}

/// Facts in order.
#[derive(Clone, Debug)]
pub struct Facts<'a>(&'a [u8]);

impl<'a> Facts<'a> {
    /// Over bytes written by a timeline.
    pub fn of(bytes: &'a [u8]) -> Facts<'a> {
        Facts(bytes)
    }
}

impl<'a> Iterator for Facts<'a> {
    type Item = Fact<'a>;
    fn next(&mut self) -> Option<Fact<'a>> {
        let (fact, rest) = Fact::split(self.0)?;
        self.0 = rest;
        Some(fact)
    }
}
