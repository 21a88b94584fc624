//! Room for small runs of bytes, by size. A run is taken from the pages of its size and given back to them: neither an
//! allocator's time nor its own bytes are spent on each. Pages are cut from a few large regions.

use crate::region::Region;

/// Up to here sizes rise by 16 bytes.
const FINE: usize = 512;
const FINE_STEP: usize = 16;
/// From there on by 128.
const COARSE_STEP: usize = 128;
/// The longest run.
pub(super) const LONGEST: usize = 8 * 1024;
const CLASSES: usize = FINE / FINE_STEP + (LONGEST - FINE) / COARSE_STEP;
/// A class is one byte, and the shelf has two of its own.
const _: () = assert!(CLASSES < 254);
/// About so many bytes a page, and the first region.
const PAGE: usize = 64 * 1024;
/// So much in regions that double each time, then in large ones.
const SMALL: usize = 1 << 20;
const REGION: usize = 16 << 20;

/// Runs of all sizes.
#[derive(Debug)]
pub(super) struct Arena {
    classes: Vec<Class>,
    regions: Vec<Region>,
    /// Bytes of the last region that are in pages.
    cut: usize,
}

/// Where a run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) class: u8,
    pub(super) at: u32,
}

/// Runs of one size.
#[derive(Debug)]
struct Class {
    size: usize,
    /// Runs a page, as a power of two.
    shift: u32,
    pages: Vec<Page>,
    free: Vec<u32>,
    /// Runs ever handed out.
    used: u32,
}

#[derive(Clone, Copy, Debug)]
struct Page {
    region: u32,
    from: u32,
}

impl Default for Arena {
    fn default() -> Arena {
        let class = |i: usize| {
            let fine = FINE / FINE_STEP;
            let size = if i < fine { (i + 1) * FINE_STEP } else { FINE + (i - fine + 1) * COARSE_STEP };
            Class { size, shift: (PAGE / size).ilog2(), pages: Vec::new(), free: Vec::new(), used: 0 }
        };
        Arena { classes: (0..CLASSES).map(class).collect(), regions: Vec::new(), cut: 0 }
    }
}

impl Arena {
    /// The class for so many bytes; none where they are too many for a run.
    pub(super) fn class(len: usize) -> Option<u8> {
        let class = match len {
            0..=FINE => len.saturating_sub(1) / FINE_STEP,
            _ if len <= LONGEST => FINE / FINE_STEP + (len - FINE - 1) / COARSE_STEP,
            _ => return None,
        };
        Some(class as u8)
    }

    /// A run of the class; what is in it is left over from before.
    pub(super) fn take(&mut self, class: u8) -> Run {
        let of = &self.classes[usize::from(class)];
        if of.free.is_empty() && of.used as usize >= of.pages.len() << of.shift {
            let page = self.page(of.size << of.shift);
            self.classes[usize::from(class)].pages.push(page);
        }
        let of = &mut self.classes[usize::from(class)];
        let at = of.free.pop().unwrap_or_else(|| {
            of.used += 1;
            of.used - 1
        });
        Run { class, at }
    }

    fn page(&mut self, bytes: usize) -> Page {
        if self.regions.last().is_none_or(|r| r.len() - self.cut < bytes) {
            // Little for an engine with little to keep.
            let held: usize = self.regions.iter().map(|r| r.len()).sum();
            self.regions.push(Region::new(if held < SMALL { held.max(PAGE) } else { REGION }));
            self.cut = 0;
        }
        let page = Page { region: (self.regions.len() - 1) as u32, from: self.cut as u32 };
        self.cut += bytes;
        page
    }

    /// Gives a run back.
    pub(super) fn give(&mut self, run: Run) {
        self.classes[usize::from(run.class)].free.push(run.at);
    }

    /// A run's bytes.
    #[inline(always)]
    pub(super) fn bytes(&self, run: Run) -> &[u8] {
        let (page, from, to) = self.place(run);
        &self.regions[page][from..to]
    }

    /// A run's bytes, to be written.
    pub(super) fn bytes_mut(&mut self, run: Run) -> &mut [u8] {
        let (page, from, to) = self.place(run);
        &mut self.regions[page][from..to]
    }

    #[inline(always)]
    fn place(&self, run: Run) -> (usize, usize, usize) {
        let of = &self.classes[usize::from(run.class)];
        let page = of.pages[(run.at >> of.shift) as usize];
        let from = page.from as usize + (run.at as usize & ((1 << of.shift) - 1)) * of.size;
        (page.region as usize, from, from + of.size)
    }

    /// Bytes of all regions.
    pub(super) fn held(&self) -> usize {
        let free: usize = self.classes.iter().map(|c| c.free.capacity() * 4).sum();
        free + self.regions.iter().map(|r| r.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_fits_its_class_and_no_smaller_one() {
        let arena = Arena::default();
        for len in 1..=LONGEST {
            let class = usize::from(Arena::class(len).unwrap_or_default());
            assert!(len <= arena.classes[class].size, "{len}");
            assert!(class == 0 || len > arena.classes[class - 1].size, "{len}");
        }
        assert_eq!(Arena::class(LONGEST + 1), None);
    }

    #[test]
    fn runs_do_not_overlap_and_are_used_again() {
        let mut arena = Arena::default();
        let runs: Vec<Run> = (0..5_000).map(|_| arena.take(Arena::class(40).unwrap_or_default())).collect();
        for (i, run) in runs.iter().enumerate() {
            arena.bytes_mut(*run).fill(i as u8);
        }
        for (i, run) in runs.iter().enumerate() {
            assert!(arena.bytes(*run).iter().all(|b| *b == i as u8));
        }
        arena.give(runs[7]);
        assert_eq!(arena.take(runs[7].class), runs[7]);
    }
}
