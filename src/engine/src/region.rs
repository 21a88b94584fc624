//! A large piece of memory, zeroed. What is looked at in no order misses the table of pages at most looks, too, where pages are
//! small: a piece that is large enough is asked for in huge ones.

use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// From here on it is worth a mapping of its own; huge pages have two MiB, on most systems.
const HUGE: usize = 4 << 20;

/// See the module.
#[derive(Debug)]
pub enum Region {
    /// As any other memory.
    Plain(Box<[u8]>),
    /// A mapping of its own.
    Mapped(MmapMut),
}

impl Region {
    /// So many bytes, all of them 0.
    pub fn new(bytes: usize) -> Region {
        match bytes {
            HUGE.. => map(bytes).map_or_else(|| Region::plain(bytes), Region::Mapped),
            _ => Region::plain(bytes),
        }
    }

    fn plain(bytes: usize) -> Region {
        Region::Plain(vec![0; bytes].into_boxed_slice())
    }
}

fn map(bytes: usize) -> Option<MmapMut> {
    let map = MmapMut::map_anon(bytes).ok()?;
    // Advice: where it is not taken, all is as before.
    #[cfg(target_os = "linux")]
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl Deref for Region {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Region::Plain(bytes) => bytes,
            Region::Mapped(map) => map,
        }
    }
}

impl DerefMut for Region {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Region::Plain(bytes) => bytes,
            Region::Mapped(map) => map,
        }
    }
}
