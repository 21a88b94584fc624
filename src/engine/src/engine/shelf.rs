//! Where subjects lie while nothing happens to them: a small one as a single run of bytes (its name, its fold, its
//! facts), so that a look costs one cache miss or two, and a duty with its facts less than 200 bytes; a large one whole.

use super::pack;
use super::{Rare, Subject};
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// From this many bytes of facts on, a subject lies whole: it is no longer copied at each look.
const LARGE: usize = 4 * 1024;
/// Bytes are kept in steps, so that small growth needs no new place.
const STEP: usize = 32;

/// All subjects of an engine.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    slots: Vec<Slot>,
    index: HashTable<u32>,
    free: Vec<u32>,
    /// Subjects at hand, to be used again: their room is kept.
    // Boxed, since they go into the hand and into `Place::Whole` as they are, without being moved.
    #[expect(clippy::vec_box)]
    spare: Vec<Box<Subject>>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Slot {
    place: Place,
    /// Rises when the place is given to another subject: links know whom they meant.
    generation: u32,
    hash: u32,
}

#[derive(Debug)]
enum Place {
    Empty,
    Packed(Box<[u8]>),
    Whole(Box<Subject>),
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
    pub(super) fn packed(&self, slot: u32) -> Vec<u8> {
        match &self.slots[slot as usize].place {
            Place::Empty => Vec::new(),
            Place::Packed(bytes) => bytes.to_vec(),
            Place::Whole(subject) => {
                let mut out = Vec::new();
                pack::pack(subject, &mut out);
                out
            }
        }
    }

    /// Takes what [`Shelf::packed`] gave, place by place, with the generation of each.
    pub(super) fn restore(&mut self, places: Vec<(u32, Vec<u8>)>) {
        for (generation, bytes) in places {
            let slot = self.slots.len() as u32;
            if bytes.is_empty() {
                self.slots.push(Slot { place: Place::Empty, generation, hash: 0 });
                self.free.push(slot);
                continue;
            }
            let hash = hash(pack::partner(&bytes), pack::name(&bytes));
            self.slots.push(Slot { place: Place::Packed(bytes.into()), generation, hash });
            let slots = &self.slots;
            self.index.insert_unique(spread(hash), slot, |s| spread(slots[*s as usize].hash));
        }
    }

    /// Places in use.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> {
        let used = |(i, slot): (usize, &Slot)| (!matches!(slot.place, Place::Empty)).then_some(i as u32);
        self.slots.iter().enumerate().filter_map(used)
    }

    /// Bytes that subjects take up, the shelf's own included; what the allocator adds is not known.
    pub(super) fn bytes(&self) -> usize {
        let held = |slot: &Slot| match &slot.place {
            Place::Empty => 0,
            Place::Packed(bytes) => bytes.len(),
            Place::Whole(s) => size_of::<Subject>() + s.timeline.capacity() + s.head.heap_bytes(),
        };
        self.slots.iter().map(held).sum::<usize>()
            + self.slots.capacity() * size_of::<Slot>()
            + self.index.capacity() * 5
    }

    pub(super) fn generation(&self, slot: u32) -> u32 {
        self.slots[slot as usize].generation
    }

    pub(super) fn is_empty(&self, slot: u32) -> bool {
        self.slots.get(slot as usize).is_none_or(|s| matches!(s.place, Place::Empty))
    }

    /// Something is known of it that few subjects have.
    pub(super) fn has_rare(&self, slot: u32) -> bool {
        match &self.slots[slot as usize].place {
            Place::Empty => false,
            Place::Packed(bytes) => pack::has_rare(bytes),
            Place::Whole(s) => s.rare.is_some(),
        }
    }

    pub(super) fn partner(&self, slot: u32) -> u32 {
        match &self.slots[slot as usize].place {
            Place::Empty => u32::MAX,
            Place::Packed(bytes) => pack::partner(bytes),
            Place::Whole(s) => s.partner,
        }
    }

    pub(super) fn name(&self, slot: u32) -> &str {
        match &self.slots[slot as usize].place {
            Place::Empty => "",
            Place::Packed(bytes) => pack::name(bytes),
            Place::Whole(s) => &s.name,
        }
    }

    pub(super) fn find(&self, partner: u32, name: &str) -> Option<u32> {
        let hash = hash(partner, name);
        let is = |slot: &u32| {
            let at = &self.slots[*slot as usize];
            at.hash == hash
                && match &at.place {
                    Place::Empty => false,
                    Place::Packed(bytes) => pack::is(bytes, partner, name),
                    Place::Whole(s) => s.partner == partner && s.name == name,
                }
        };
        self.index.find(spread(hash), is).copied()
    }

    /// A new subject, with nothing known of it.
    pub(super) fn create(&mut self, partner: u32, name: &str) -> u32 {
        let hash = hash(partner, name);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { place: Place::Empty, generation: 0, hash: 0 });
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize].hash = hash;
        let mut subject = self.spare.pop().unwrap_or_default();
        subject.reset(partner, name);
        self.put(slot, subject);
        let slots = &self.slots;
        self.index.insert_unique(spread(hash), slot, |s| spread(slots[*s as usize].hash));
        slot
    }

    /// Takes a subject into the hand. It must be put back, or removed.
    pub(super) fn take(&mut self, slot: u32) -> Box<Subject> {
        match &mut self.slots[slot as usize].place {
            Place::Empty => self.spare.pop().unwrap_or_default(),
            Place::Packed(bytes) => {
                let mut subject = self.spare.pop().unwrap_or_default();
                pack::unpack(bytes, &mut subject);
                subject
            }
            Place::Whole(whole) => std::mem::take(whole),
        }
    }

    /// A copy of a subject, to look at.
    pub(super) fn copy(&self, slot: u32) -> Subject {
        match &self.slots[slot as usize].place {
            Place::Empty => Subject::default(),
            Place::Packed(bytes) => {
                let mut subject = Subject::default();
                pack::unpack(bytes, &mut subject);
                subject
            }
            Place::Whole(whole) => (**whole).clone(),
        }
    }

    /// Puts a subject back.
    pub(super) fn put(&mut self, slot: u32, subject: Box<Subject>) {
        let place = &mut self.slots[slot as usize].place;
        if subject.timeline.bytes().len() >= LARGE {
            *place = Place::Whole(subject);
            return;
        }
        let buffer = &mut self.buffer;
        buffer.clear();
        pack::pack(&subject, buffer);
        let room = buffer.len().next_multiple_of(STEP);
        match place {
            Place::Packed(bytes) if bytes.len() >= buffer.len() && bytes.len() < room + 2 * STEP => {
                bytes[..buffer.len()].copy_from_slice(buffer);
            }
            Place::Packed(_) | Place::Empty | Place::Whole(_) => {
                buffer.resize(room, 0);
                *place = Place::Packed(buffer.as_slice().into());
            }
        }
        if self.spare.len() < 8 {
            self.spare.push(subject);
        }
    }

    /// Removes a subject that is in the hand.
    pub(super) fn remove(&mut self, slot: u32, subject: Box<Subject>) {
        let at = &mut self.slots[slot as usize];
        at.place = Place::Empty;
        at.generation = at.generation.wrapping_add(1);
        if let Ok(entry) = self.index.find_entry(spread(at.hash), |s| *s == slot) {
            entry.remove();
        }
        self.free.push(slot);
        if self.spare.len() < 8 {
            self.spare.push(subject);
        }
    }
}

impl Subject {
    /// Nothing known of it but its name; room is kept.
    pub(super) fn reset(&mut self, partner: u32, name: &str) {
        self.partner = partner;
        self.name.clear();
        self.name.push_str(name);
        self.timeline.clear();
        self.head.clear();
        self.rare = None;
    }

    /// What few subjects need; made on first use.
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(Box::default)
    }
}

fn hash(partner: u32, name: &str) -> u32 {
    xxh3_64_with_seed(name.as_bytes(), u64::from(partner).wrapping_mul(0x9e37_79b9_7f4a_7c15)) as u32
}

/// The table takes its control bits from the top.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
