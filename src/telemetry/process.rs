//! The process's own figures, kept by the `prometheus` crate: commits, refusals, what was cut; and what the system says of it.

use super::families::{self as of, Family};
use super::histogram::Histogram;
use super::page::{Page, labels};
use prometheus::core::Collector;
use prometheus::{Error, HistogramOpts, IntCounterVec, Opts};

/// Bounds of how long commits take, in seconds.
const COMMITS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Why somebody was not shown figures.
const DENIALS: [&str; 5] = ["expired", "foreign", "missing", "nobody", "unknown"];
/// What the system says of the process.
const SYSTEM: [&Family; 6] = [
    &of::PROCESS_CPU,
    &of::PROCESS_OPEN_FDS,
    &of::PROCESS_MAX_FDS,
    &of::PROCESS_VIRTUAL_MEMORY,
    &of::PROCESS_RESIDENT_MEMORY,
    &of::PROCESS_THREADS,
];

/// See the module.
#[derive(Debug)]
pub(super) struct Process {
    commits: prometheus::Histogram,
    denied: IntCounterVec,
    truncated: IntCounterVec,
}

impl Process {
    /// # Errors
    /// A family has a wrong name: a mistake in the table of families.
    pub(super) fn new() -> Result<Process, Error> {
        let counter = |family: &Family| {
            let names: Vec<&str> = family.labels.iter().map(|label| label.name).collect();
            IntCounterVec::new(Opts::new(family.name, family.help), &names)
        };
        let commits = HistogramOpts::new(of::COMMIT_SECONDS.name, of::COMMIT_SECONDS.help).buckets(COMMITS.to_vec());
        Ok(Process {
            commits: prometheus::Histogram::with_opts(commits)?,
            denied: counter(&of::DENIED)?,
            truncated: counter(&of::TRUNCATED)?,
        })
    }

    pub(super) fn committed(&self, seconds: f64) {
        self.commits.observe(seconds);
    }

    pub(super) fn denied(&self, reason: &str) {
        count(&self.denied, reason, 1);
    }

    pub(super) fn truncated(&self, family: &str, series: u64) {
        count(&self.truncated, family, series);
    }

    /// How long commits took.
    pub(super) fn commits(&self, page: &mut Page) {
        page.family(&of::COMMIT_SECONDS);
        for metric in self.commits.collect().iter().flat_map(|family| family.get_metric()) {
            let all = metric.get_histogram();
            let below = all.get_bucket().iter().map(|bucket| bucket.cumulative_count());
            let below: Vec<u64> = below.take(COMMITS.len()).chain([all.get_sample_count()]).collect();
            let before = [0].into_iter().chain(below.iter().copied());
            let counts: Vec<u64> = below.iter().zip(before).map(|(to, from)| to.saturating_sub(from)).collect();
            page.histogram("", &Histogram::of(COMMITS, &counts, all.get_sample_sum()));
        }
    }

    /// Whom nothing was shown, and what was cut: each is there at 0.
    pub(super) fn refusals(&self, page: &mut Page) {
        page.family(&of::DENIED);
        DENIALS.iter().for_each(|reason| page.sample(&labels(&[("reason", reason)]), count(&self.denied, reason, 0)));
        page.family(&of::TRUNCATED);
        for family in of::FAMILIES.iter().filter(|family| family.about == of::About::Partners) {
            page.sample(&labels(&[("family", family.name)]), count(&self.truncated, family.name, 0));
        }
    }
}

/// Adds, and says how many there are.
fn count(counters: &IntCounterVec, label: &str, more: u64) -> u64 {
    // Each of the two has the one label.
    counters.get_metric_with_label_values(&[label]).map_or(0, |counter| {
        counter.inc_by(more);
        counter.get()
    })
}

/// What the system says of this process, by family's name; where it says nothing, nothing.
pub fn system() -> Vec<(&'static str, f64)> {
    #[cfg(target_os = "linux")]
    let found = prometheus::process_collector::ProcessCollector::for_self().collect();
    #[cfg(not(target_os = "linux"))]
    let found: Vec<prometheus::proto::MetricFamily> = Vec::new();
    let value = |family: &Family| {
        let metric = found.iter().find(|one| one.name() == family.name)?.get_metric().first()?;
        let (counter, gauge) = (metric.get_counter().get_value(), metric.get_gauge().get_value());
        Some((family.name, if family.kind == of::Kind::Counter { counter } else { gauge }))
    };
    SYSTEM.iter().filter_map(|family| value(family)).collect()
}

pub(super) fn of_the_system(page: &mut Page, said: &[(&'static str, f64)]) {
    for family in SYSTEM {
        page.family(family);
        said.iter().filter(|(name, _)| *name == family.name).for_each(|(_, value)| page.sample("", *value));
    }
}
