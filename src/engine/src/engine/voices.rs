//! Which source speaks of which partner: the same few pairs again and again, so both are found by one look.

use crate::fact::SourceId;
use hashbrown::HashTable;
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

/// Beyond this many pairs they are forgotten, and found one by one again.
const MANY: usize = 1 << 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Voices(HashTable<Voice>);

/// A partner and a source, by name and by position.
#[derive(Debug)]
pub(super) struct Voice {
    /// The partner's name, then the source's, mostly where the rest lies: one look less into memory.
    names: SmallVec<[u8; 36]>,
    /// Where the source's begins.
    cut: u32,
    pub(super) partner: u32,
    pub(super) source: SourceId,
}

impl Voice {
    pub(super) fn new(partner_name: &str, source_name: &str, partner: u32, source: SourceId) -> Voice {
        let names = [partner_name.as_bytes(), source_name.as_bytes()].concat().into();
        Voice { names, cut: partner_name.len() as u32, partner, source }
    }

    #[inline(always)]
    fn names(&self) -> (&[u8], &[u8]) {
        self.names.split_at(self.cut as usize)
    }
}

impl Voices {
    #[inline(always)]
    pub(super) fn find(&self, partner: &str, source: &str) -> Option<&Voice> {
        let (partner, source) = (partner.as_bytes(), source.as_bytes());
        self.0.find(hash(partner, source), |voice| voice.names() == (partner, source))
    }

    /// Adds one, if it is not known by now: events are looked up some at a time.
    pub(super) fn add(&mut self, voice: Voice) {
        let is = |known: &Voice| known.names() == voice.names();
        if self.0.find(hash(voice.names().0, voice.names().1), is).is_some() {
            return;
        }
        if self.0.len() >= MANY {
            self.0.clear();
        }
        let of = |voice: &Voice| hash(voice.names().0, voice.names().1);
        self.0.insert_unique(of(&voice), voice, of);
    }
}

#[inline(always)]
fn hash(partner: &[u8], source: &[u8]) -> u64 {
    xxh3_64(partner) ^ xxh3_64(source).rotate_left(32)
}
