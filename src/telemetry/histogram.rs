//! Counts by size, with the last of each size as an example.

use onus_engine::time::Moment;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    pub(super) bounds: &'static [f64],
    /// One more than there are bounds.
    pub(super) counts: Vec<u64>,
    pub(super) examples: Vec<Option<Example>>,
    pub(super) sum: f64,
}

/// One that was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it was, as labels.
    pub labels: String,
    /// Its size.
    pub value: f64,
    /// When it was counted.
    pub at: Moment,
}

impl Histogram {
    /// With nothing in it; bounds rise, and each belongs to what is no larger.
    pub fn new(bounds: &'static [f64]) -> Histogram {
        let buckets = bounds.len() + 1;
        Histogram { bounds, counts: vec![0; buckets], examples: vec![None; buckets], sum: 0.0 }
    }

    /// Of counts that somebody else has made: one more than there are bounds, and the sum of all.
    pub fn of(bounds: &'static [f64], counts: &[u64], sum: f64) -> Histogram {
        let mut made = Histogram { sum, ..Histogram::new(bounds) };
        made.counts.iter_mut().zip(counts).for_each(|(mine, theirs)| *mine = *theirs);
        made
    }

    /// Adds another's counts, of the same bounds.
    pub(super) fn add(&mut self, other: &Histogram) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        self.sum += other.sum;
    }

    /// Counts one.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }

    /// Counts one that is worth showing.
    pub fn observe_example(&mut self, example: Example) {
        let bucket = self.bounds.partition_point(|bound| *bound < example.value);
        self.observe(example.value);
        self.examples[bucket] = Some(example);
    }
}
