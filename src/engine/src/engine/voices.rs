//! Which source speaks of which partner: the same few pairs again and again, so both are found by one look.

use crate::fact::SourceId;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Beyond this many pairs they are forgotten, and found one by one again.
const MANY: usize = 1 << 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Voices(HashTable<Voice>);

/// A partner and a source, by name and by position.
#[derive(Debug)]
pub(super) struct Voice {
    /// The partner's name, then the source's.
    names: Box<str>,
    /// Where the source's begins.
    cut: u32,
    pub(super) partner: u32,
    pub(super) source: SourceId,
}

impl Voice {
    pub(super) fn new(partner_name: &str, source_name: &str, partner: u32, source: SourceId) -> Voice {
        let names = [partner_name, source_name].concat().into();
        Voice { names, cut: partner_name.len() as u32, partner, source }
    }

    #[inline(always)]
    fn names(&self) -> (&str, &str) {
        self.names.split_at(self.cut as usize)
    }
}

impl Voices {
    #[inline(always)]
    pub(super) fn find(&self, partner: &str, source: &str) -> Option<&Voice> {
        self.0.find(hash(partner, source), |voice| voice.names() == (partner, source))
    }

    /// Adds one, if it is not known by now: events are looked up some at a time.
    pub(super) fn add(&mut self, voice: Voice) {
        let (partner, source) = voice.names();
        if self.find(partner, source).is_some() {
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
fn hash(partner: &str, source: &str) -> u64 {
    xxh3_64(partner.as_bytes()) ^ xxh3_64(source.as_bytes()).rotate_left(32)
}
