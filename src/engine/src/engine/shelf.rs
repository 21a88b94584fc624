//! Where subjects lie while nothing happens to them: a small one as a single run of bytes (its name, its fold, its
//! facts), so that a look costs one cache miss or two, and a duty with its facts less than 200 bytes; a large one whole.

use super::arena::{Arena, Run};
use super::pack;
use super::{Rare, Subject};
use crate::duty::Duty;
use crate::region::LINE;
use crate::time::Moment;
use hashbrown::HashTable;
use prefetch_index::prefetch_index;
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// From this many bytes of facts on, a subject lies whole: it is no longer copied at each look.
const LARGE: usize = 4 * 1024;
/// From this many duties on, too.
const MANY: usize = 48;

/// How many subjects at hand a moment ago lie whole.
const HOT: usize = 4;

/// All subjects of an engine.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    slots: Vec<Slot>,
    index: HashTable<u32>,
    free: Vec<u32>,
    small: Arena,
    /// Empty while its subject is in the hand.
    large: Vec<Option<Box<Subject>>>,
    free_large: Vec<u32>,
    /// Places of small subjects that still lie whole, since they were at hand a moment ago: one event takes and puts the
    /// same few again and again, and only at the end is it worth to write them as bytes.
    hot: [u32; HOT],
    oldest: usize,
    /// Subjects at hand, to be used again: their room is kept.
    // Boxed, since they go into the hand and among the large as they are, without being moved.
    #[expect(clippy::vec_box)]
    spare: Vec<Box<Subject>>,
    /// Of the subject that is being laid down.
    parts: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Rises when the place is given to another subject: links know whom they meant.
    generation: u32,
    hash: u32,
    /// Which run of its class, or which of the large.
    at: u32,
    /// Class of the run, or one of the two below.
    class: u8,
}

const EMPTY: u8 = u8::MAX;
const WHOLE: u8 = u8::MAX - 1;

enum Place<'s> {
    Empty,
    Packed(&'s [u8]),
    Whole(Option<&'s Subject>),
}

impl Slot {
    fn empty(generation: u32) -> Slot {
        Slot { generation, hash: 0, at: 0, class: EMPTY }
    }

    fn run(self) -> Option<Run> {
        (self.class < WHOLE).then_some(Run { class: self.class, at: self.at })
    }
}

/// What is known of an event's subject before it is asked for: its hash, and where it probably lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    pub(super) hash: u32,
    pub(super) slot: Option<u32>,
}

/// How much of what the archive may have of a new subject is here: see [`Subject`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    pub(super) unread: bool,
    pub(super) read: bool,
}

impl Shelf {
    /// Subjects in memory.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Places, in use or not.
    pub(super) fn places(&self) -> usize {
        self.slots.len()
    }

    /// A subject as bytes; none where there is none.
    pub(super) fn packed(&self, slot: u32) -> Cow<'_, [u8]> {
        match self.place(slot) {
            Place::Packed(bytes) => Cow::Borrowed(bytes),
            Place::Whole(Some(subject)) => Cow::Owned(pack::packed(subject)),
            Place::Empty | Place::Whole(None) => Cow::Borrowed(&[]),
        }
    }

    /// Takes what [`Shelf::packed`] gave, place by place, with the generation of each.
    pub(super) fn restore<'a>(&mut self, places: impl Iterator<Item = (u32, &'a [u8])>) {
        for (generation, bytes) in places {
            let slot = self.slots.len() as u32;
            self.slots.push(Slot::empty(generation));
            if bytes.is_empty() {
                self.free.push(slot);
                continue;
            }
            self.slots[slot as usize].hash = hash(pack::partner(bytes), pack::name(bytes));
            let mut subject = self.spare.pop().unwrap_or_default();
            pack::unpack(bytes, &mut subject);
            self.put(slot, subject);
            self.insert(slot);
        }
    }

    /// Places in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let used = |(i, slot): (usize, &Slot)| (slot.class != EMPTY).then_some(i as u32);
        self.slots.iter().enumerate().filter_map(used)
    }

    /// Bytes that subjects take up, the shelf's own included.
    pub(super) fn bytes(&self) -> usize {
        let large = self.large.iter().flatten();
        large.map(|s| size_of::<Subject>() + s.timeline.capacity() + s.head.heap_bytes()).sum::<usize>()
            + self.small.held()
            + self.slots.capacity() * size_of::<Slot>()
            + self.index.capacity() * 5
    }

    pub(super) fn generation(&self, slot: u32) -> u32 {
        self.slots[slot as usize].generation
    }

    pub(super) fn is_empty(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_none_or(|s| s.class == EMPTY)
    }

    /// The archive may know more of it.
    pub(super) fn is_partial(&self, slot: u32) -> bool {
        match self.place(slot) {
            Place::Packed(bytes) => pack::is_partial(bytes),
            Place::Whole(subject) => subject.is_some_and(|s| s.unread || s.rare.is_some()),
            Place::Empty => false,
        }
    }

    /// Nothing was heard of it yet: others wait for it.
    pub(super) fn is_unseen(&self, slot: u32) -> bool {
        match self.place(slot) {
            Place::Packed(bytes) => pack::is_unseen(bytes),
            Place::Whole(subject) => subject.is_some_and(|s| s.timeline.is_empty()),
            Place::Empty => true,
        }
    }

    /// Who reads its facts: places, with the generation of each.
    pub(super) fn watchers(&self, slot: u32) -> Vec<(u32, u32)> {
        match self.place(slot) {
            Place::Packed(bytes) if !pack::has_rare(bytes) => Vec::new(),
            Place::Packed(_) => self.copy(slot).rare.map(|r| r.watchers).unwrap_or_default(),
            Place::Whole(subject) => {
                subject.and_then(|s| s.rare.as_ref()).map(|r| r.watchers.clone()).unwrap_or_default()
            }
            Place::Empty => Vec::new(),
        }
    }

    /// Shows the duties of a subject that have not ended.
    pub(super) fn each_open(&self, slot: u32, show: &mut dyn FnMut(&Duty)) {
        match self.place(slot) {
            Place::Packed(bytes) => pack::each_open(bytes, show),
            Place::Whole(Some(subject)) => subject.head.open.iter().for_each(show),
            Place::Empty | Place::Whole(None) => {}
        }
    }

    pub(super) fn partner(&self, slot: u32) -> u32 {
        match self.place(slot) {
            Place::Packed(bytes) => pack::partner(bytes),
            Place::Whole(Some(subject)) => subject.partner,
            Place::Empty | Place::Whole(None) => u32::MAX,
        }
    }

    pub(super) fn name(&self, slot: u32) -> &str {
        match self.place(slot) {
            Place::Packed(bytes) => pack::name(bytes),
            Place::Whole(Some(subject)) => &subject.name,
            Place::Empty | Place::Whole(None) => "",
        }
    }

    pub(super) fn find(&self, partner: u32, name: &str) -> Option<u32> {
        let hash = hash(partner, name);
        self.index.find(spread(hash), |slot| self.is(*slot, hash, partner, name)).copied()
    }

    /// The same, where a look ahead may know the place already.
    pub(super) fn find_hinted(&self, partner: u32, name: &str, hint: Hint) -> Option<u32> {
        if let Some(slot) = hint.slot
            && self.is(slot, hint.hash, partner, name)
        {
            return Some(slot);
        }
        self.index.find(spread(hint.hash), |slot| self.is(*slot, hint.hash, partner, name)).copied()
    }

    /// Where a subject probably lies: the first place in the index whose hash begins like its own.
    pub(super) fn hint(&self, hash: u32) -> Hint {
        Hint { hash, slot: self.index.find(spread(hash), |_| true).copied() }
    }

    /// Has what says where a place's bytes lie fetched from afar.
    #[inline(always)]
    pub(super) fn prefetch_slot(&self, slot: u32) {
        prefetch_index(&self.slots, slot as usize);
    }

    /// Has a place's bytes fetched.
    #[inline(always)]
    pub(super) fn prefetch(&self, slot: u32) {
        if let Place::Packed(bytes) = self.place(slot) {
            (0..bytes.len()).step_by(LINE).for_each(|at| prefetch_index(bytes, at));
        }
    }

    /// Reads what the index has of a place, so that it is near. Gives a number that means nothing.
    #[inline(always)]
    pub(super) fn touch_index(&self, slot: u32) -> u8 {
        self.hint(self.slots[slot as usize].hash).slot.map_or(0, |slot| slot as u8)
    }

    /// A new subject, with nothing known of it.
    pub(super) fn create(&mut self, partner: u32, name: &str, past: Past) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::empty(0));
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize].hash = hash(partner, name);
        let mut subject = self.spare.pop().unwrap_or_default();
        subject.reset(partner, name);
        (subject.unread, subject.read) = (past.unread, past.read);
        self.put(slot, subject);
        self.insert(slot);
        slot
    }

    /// The place of the next new subject but so many.
    #[inline(always)]
    pub(super) fn free_slot(&self, but: usize) -> u32 {
        let free = self.free.len().checked_sub(but + 1).map(|at| self.free[at]);
        free.unwrap_or((self.slots.len() + but - self.free.len()) as u32)
    }

    /// Takes a subject into the hand. It must be put back, or removed.
    pub(super) fn take(&mut self, slot: u32) -> Box<Subject> {
        let at = self.slots[slot as usize];
        if at.class == WHOLE
            && let Some(subject) = self.large[at.at as usize].take()
        {
            return subject;
        }
        let mut subject = self.spare.pop().unwrap_or_default();
        if let Some(run) = at.run() {
            pack::unpack(self.small.bytes(run), &mut subject);
        }
        subject
    }

    /// A copy of a subject, to look at.
    pub(super) fn copy(&self, slot: u32) -> Subject {
        match self.place(slot) {
            Place::Packed(bytes) => {
                let mut subject = Subject::default();
                pack::unpack(bytes, &mut subject);
                subject
            }
            Place::Whole(Some(subject)) => subject.clone(),
            Place::Empty | Place::Whole(None) => Subject::default(),
        }
    }

    /// Puts a subject back.
    pub(super) fn put(&mut self, slot: u32, subject: Box<Subject>) {
        self.put_whole(slot, subject);
        if !self.hot.contains(&slot) {
            let cold = std::mem::replace(&mut self.hot[self.oldest], slot);
            self.oldest = (self.oldest + 1) % HOT;
            self.cool(cold);
        }
    }

    #[inline(always)]
    fn put_whole(&mut self, slot: u32, subject: Box<Subject>) {
        let at = self.slots[slot as usize];
        if at.class == WHOLE {
            self.large[at.at as usize] = Some(subject);
            return;
        }
        self.vacate(slot);
        let place = self.free_large.pop().unwrap_or_else(|| {
            self.large.push(None);
            (self.large.len() - 1) as u32
        });
        self.large[place as usize] = Some(subject);
        let at = &mut self.slots[slot as usize];
        (at.class, at.at) = (WHOLE, place);
    }

    /// A small subject becomes bytes.
    fn cool(&mut self, slot: u32) {
        let Some(at) = self.slots.get(slot as usize).filter(|at| at.class == WHOLE) else { return };
        // In the hand, it is put back later.
        let Some(subject) = self.large[at.at as usize].take_if(|s| s.is_small()) else { return };
        match Arena::class(pack::measure(&subject, &mut self.parts)) {
            Some(class) => {
                let run = self.room(slot, class);
                pack::pack(&subject, &self.parts, self.small.bytes_mut(run));
                self.spare(subject);
            }
            None => self.put_whole(slot, subject),
        }
    }

    /// Removes a subject that is in the hand.
    pub(super) fn remove(&mut self, slot: u32, subject: Box<Subject>) {
        self.discard(slot);
        self.spare(subject);
    }

    /// Removes a subject where it lies.
    pub(super) fn discard(&mut self, slot: u32) {
        self.vacate(slot);
        let at = &mut self.slots[slot as usize];
        at.generation = at.generation.wrapping_add(1);
        if let Ok(entry) = self.index.find_entry(spread(at.hash), |s| *s == slot) {
            entry.remove();
        }
        self.free.push(slot);
    }

    /// Partner, name and facts of a small subject in which nothing changes by itself before `now`, and whether it is whole.
    pub(super) fn quiet(&self, slot: u32, now: Moment) -> Option<(u32, &str, &[u8], bool)> {
        match self.place(slot) {
            Place::Packed(bytes) => {
                let facts = pack::quiet_facts(bytes, now)?;
                Some((pack::partner(bytes), pack::name(bytes), facts, pack::is_whole(bytes)))
            }
            Place::Whole(_) | Place::Empty => None,
        }
    }

    /// Where a subject that lies whole will lie as bytes.
    fn room(&mut self, slot: u32, class: u8) -> Run {
        self.vacate(slot);
        let run = self.small.take(class);
        let at = &mut self.slots[slot as usize];
        (at.class, at.at) = (run.class, run.at);
        run
    }

    #[inline(always)]
    fn vacate(&mut self, slot: u32) {
        let at = &mut self.slots[slot as usize];
        if let Some(run) = at.run() {
            self.small.give(run);
        } else if at.class == WHOLE {
            self.large[at.at as usize] = None;
            self.free_large.push(at.at);
        }
        at.class = EMPTY;
    }

    #[inline(always)]
    fn spare(&mut self, subject: Box<Subject>) {
        if self.spare.len() < 8 {
            self.spare.push(subject);
        }
    }

    #[inline(always)]
    fn insert(&mut self, slot: u32) {
        let slots = &self.slots;
        let hash = |s: &u32| spread(slots[*s as usize].hash);
        self.index.insert_unique(hash(&slot), slot, hash);
    }

    #[inline(always)]
    fn place(&self, slot: u32) -> Place<'_> {
        let at = self.slots[slot as usize];
        match at.run() {
            Some(run) => Place::Packed(self.small.bytes(run)),
            None if at.class == WHOLE => Place::Whole(self.large[at.at as usize].as_deref()),
            None => Place::Empty,
        }
    }

    #[inline(always)]
    fn is(&self, slot: u32, hash: u32, partner: u32, name: &str) -> bool {
        self.slots[slot as usize].hash == hash
            && match self.place(slot) {
                Place::Packed(bytes) => pack::is(bytes, partner, name),
                Place::Whole(subject) => subject.is_some_and(|s| s.partner == partner && s.name == name),
                Place::Empty => false,
            }
    }
}

impl Subject {
    /// Nothing known of it but its name; room is kept.
    #[inline(always)]
    pub(super) fn reset(&mut self, partner: u32, name: &str) {
        self.partner = partner;
        self.name.clear();
        self.name.push_str(name);
        self.timeline.clear();
        self.head.clear();
        self.rare = None;
        (self.unread, self.read, self.whole) = (false, false, false);
    }

    fn is_small(&self) -> bool {
        self.timeline.bytes().len() < LARGE && self.head.open.len() + self.head.ended.len() < MANY
    }

    /// What few subjects need; made on first use.
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(Box::default)
    }
}

/// Of a subject's partner and name.
#[inline(always)]
pub(super) fn hash(partner: u32, name: &str) -> u32 {
    xxh3_64_with_seed(name.as_bytes(), u64::from(partner).wrapping_mul(0x9e37_79b9_7f4a_7c15)) as u32
}

/// The table takes its control bits from the top.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
