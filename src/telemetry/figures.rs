//! The process's own figures, as Prometheus reads them.

use onus_engine::time::Moment;
use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};

/// How a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It is read, or waits for more.
    Up,
    /// It cannot be read at the moment.
    Trouble,
    /// It will not go on until somebody decides.
    Halted,
    /// It has no more to say.
    Ended,
}

/// Everything that is counted or measured of this process. Counters begin at zero with it.
pub struct Figures {
    registry: Registry,
    events: IntCounterVec,
    letters: IntCounterVec,
    commits: IntCounter,
    seconds: Histogram,
    lag: IntGaugeVec,
    up: IntGaugeVec,
    halted: IntGaugeVec,
    age: GaugeVec,
    subjects: IntGauge,
    sequence: IntGauge,
    started: Gauge,
    /// Ages grow by themselves, so instants are kept and ages worked out when somebody asks.
    frontiers: Mutex<BTreeMap<String, Moment>>,
    /// Families that somebody else has written.
    more: RwLock<String>,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

impl Figures {
    /// All at nothing. `version` is this program's, `since` when the process began.
    ///
    /// # Errors
    /// A family is declared twice or has a wrong name: a mistake in this file.
    pub fn new(version: &str, since: Moment) -> Result<Figures, prometheus::Error> {
        let registry = Registry::new();
        let opts = |name: &str, help: &str| Opts::new(name, help);
        let counters = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(opts(name, help), labels);
        let gauges = |name: &str, help: &str, labels: &[&str]| IntGaugeVec::new(opts(name, help), labels);
        let seconds = HistogramOpts::new("onus_commit_seconds", "How long commits took.")
            .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        let figures = Figures {
            events: counters("onus_events_total", "Records taken in, dead letters too.", &["source"])?,
            letters: counters("onus_dead_letters_total", "Records that could not be used.", &["source", "reason"])?,
            commits: IntCounter::new("onus_commits_total", "Commits to the store.")?,
            seconds: Histogram::with_opts(seconds)?,
            lag: gauges("onus_source_lag_records", "Records there that were not read yet.", &["source", "partition"])?,
            up: gauges("onus_source_up", "1: the source can be read.", &["source"])?,
            halted: gauges("onus_source_halted", "1: the source waits for somebody's decision.", &["source"])?,
            age: GaugeVec::new(
                opts("onus_frontier_age_seconds", "How long ago the instant lies up to which the source was heard."),
                &["source"],
            )?,
            subjects: IntGauge::new("onus_subjects", "Subjects in memory.")?,
            sequence: IntGauge::new("onus_journal_sequence", "Sequence of the last commit.")?,
            started: Gauge::new("onus_start_time_seconds", "When the process began, in seconds since 1970.")?,
            frontiers: Mutex::default(),
            more: RwLock::default(),
            registry,
        };
        let build = gauges("onus_build_info", "Always 1; the labels say which Onus this is.", &["version"])?;
        build.with_label_values(&[version]).set(1);
        figures.started.set(since.0 as f64 / 1e3);
        let all: [Box<dyn prometheus::core::Collector>; 12] = [
            Box::new(build),
            Box::new(figures.events.clone()),
            Box::new(figures.letters.clone()),
            Box::new(figures.commits.clone()),
            Box::new(figures.seconds.clone()),
            Box::new(figures.lag.clone()),
            Box::new(figures.up.clone()),
            Box::new(figures.halted.clone()),
            Box::new(figures.age.clone()),
            Box::new(figures.subjects.clone()),
            Box::new(figures.sequence.clone()),
            Box::new(figures.started.clone()),
        ];
        for family in all {
            figures.registry.register(family)?;
        }
        Ok(figures)
    }

    /// A source that is there from now on, so that it is seen before it says anything.
    pub fn source(&self, source: &str) {
        self.events.with_label_values(&[source]);
        self.state(source, SourceState::Up);
    }

    /// Records of a source were taken in.
    pub fn taken(&self, source: &str, records: u64) {
        self.events.with_label_values(&[source]).inc_by(records);
    }

    /// Records of a source became dead letters, for a reason by its stable name.
    pub fn letters(&self, source: &str, reason: &str, records: u64) {
        self.letters.with_label_values(&[source, reason]).inc_by(records);
    }

    /// A commit was written.
    pub fn committed(&self, sequence: u64, seconds: f64) {
        self.commits.inc();
        self.seconds.observe(seconds);
        self.sequence.set(whole(sequence));
    }

    /// How many records a partition has that were not read yet.
    pub fn lag(&self, source: &str, partition: i32, records: u64) {
        self.lag.with_label_values(&[source, &partition.to_string()]).set(whole(records));
    }

    /// The instant up to which a source was heard.
    pub fn frontier(&self, source: &str, at: Moment) {
        let mut frontiers = self.frontiers.lock().unwrap_or_else(PoisonError::into_inner);
        match frontiers.get_mut(source) {
            Some(known) => *known = at,
            None => drop(frontiers.insert(source.to_owned(), at)),
        }
    }

    /// Subjects in memory.
    pub fn subjects(&self, count: u64) {
        self.subjects.set(whole(count));
    }

    /// How a source is.
    pub fn state(&self, source: &str, state: SourceState) {
        self.up.with_label_values(&[source]).set(i64::from(matches!(state, SourceState::Up | SourceState::Ended)));
        self.halted.with_label_values(&[source]).set(i64::from(state == SourceState::Halted));
    }

    /// Whole families that somebody else has written, in the form of the page: they are shown below these.
    pub fn more(&self, text: String) {
        *self.more.write().unwrap_or_else(PoisonError::into_inner) = text;
    }

    /// The page, as of now.
    ///
    /// # Errors
    /// A family could not be written.
    pub fn page(&self, now: Moment) -> Result<String, prometheus::Error> {
        for (source, at) in &*self.frontiers.lock().unwrap_or_else(PoisonError::into_inner) {
            self.age.with_label_values(&[source]).set((now - *at) as f64 / 1e3);
        }
        let mut bytes = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut bytes)?;
        let mut text = String::from_utf8(bytes).map_err(|error| prometheus::Error::Msg(error.to_string()))?;
        let more = self.more.read().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&more);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
