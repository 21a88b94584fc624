//! A large piece of memory, zeroed. What is looked at in no order misses the table of pages at most looks, too, where pages are
//! small: a piece that is large enough is asked for in huge ones.

use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// From here on it is worth a mapping of its own; huge pages have two MiB, on most systems.
const HUGE: usize = 4 << 20;

/// Bytes of a line of the processor's cache.
pub const LINE: usize = 64;

/// See the module. It begins with a line of the cache.
#[derive(Debug)]
pub enum Region {
    /// As any other memory; it begins somewhere in the first line.
    Plain {
        /// With a line more than were asked for.
        bytes: Box<[u8]>,
        /// Where it begins.
        from: usize,
    },
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
        let bytes = vec![0; bytes + LINE].into_boxed_slice();
        let from = bytes.as_ptr().align_offset(LINE).min(LINE);
        Region::Plain { bytes, from }
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
            Region::Plain { bytes, from } => &bytes[*from..bytes.len() - LINE + from],
            Region::Mapped(map) => map,
        }
    }
}

impl DerefMut for Region {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Region::Plain { bytes, from } => {
                let to = bytes.len() - LINE + *from;
                &mut bytes[*from..to]
            }
            Region::Mapped(map) => map,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_line_of_the_cache_and_is_as_long_as_was_asked_for() {
        for bytes in [1, 64, 4096, HUGE - 1, HUGE, HUGE + 1] {
            let mut region = Region::new(bytes);
            assert_eq!(region.len(), bytes);
            assert_eq!(region.as_ptr().align_offset(LINE), 0);
            assert!(region.iter().all(|byte| *byte == 0));
            region[bytes - 1] = 7;
            assert_eq!(region.last(), Some(&7));
        }
    }
}
