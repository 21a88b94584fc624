//! The process's own figures, as Prometheus reads them.
//!
//! Made anew each time that somebody asks, from what was read off the loop: a partition that is another process's now, or
//! a source that is gone, is gone from the page.

use onus_engine::time::Moment;
use prometheus::core::Collector;
use prometheus::{
    Encoder, Error, Gauge, GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use std::collections::BTreeMap;

/// How a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceState {
    /// It is read, or waits for more.
    #[default]
    Up,
    /// It cannot be read at the moment.
    Trouble,
    /// It will not go on until somebody decides.
    Halted,
}

/// What was read off the loop. Counts are of this process's life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the order of the settings.
    pub sources: Vec<SourceReading>,
    /// Dead letters by the stable name of their reason.
    pub letters: BTreeMap<String, u64>,
    /// Commits.
    pub commits: u64,
    /// Sequence of the last commit.
    pub sequence: u64,
    /// Subjects in memory.
    pub subjects: u64,
    /// Whole families that somebody else has written, in the form of the page: they stand below these.
    pub more: String,
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceReading {
    /// Its name in the settings.
    pub name: String,
    /// Records that came.
    pub records: u64,
    /// Of them, dead letters.
    pub letters: u64,
    /// Records that are there and have not come, by partition.
    pub lag: BTreeMap<i32, u64>,
    /// Up to when it was heard; None: not at all.
    pub heard: Option<Moment>,
    /// How it is.
    pub state: SourceState,
}

/// What is known without asking the loop, and how to write a page.
#[derive(Debug)]
pub struct Figures {
    version: String,
    since: Moment,
    seconds: Histogram,
}

impl Figures {
    /// `version` is this program's, `since` when the process began.
    ///
    /// # Errors
    /// The histogram has a wrong name or bounds: a mistake in this file.
    pub fn new(version: &str, since: Moment) -> Result<Figures, Error> {
        let seconds = HistogramOpts::new("onus_commit_seconds", "How long commits took.")
            .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        Ok(Figures { version: version.to_owned(), since, seconds: Histogram::with_opts(seconds)? })
    }

    /// A commit was written, and took so long.
    pub fn committed(&self, seconds: f64) {
        self.seconds.observe(seconds);
    }

    /// The page, as of now.
    ///
    /// # Errors
    /// A family is declared twice or has a wrong name: a mistake in this file. Or two sources have one name.
    pub fn page(&self, now: Moment, reading: &Reading) -> Result<String, Error> {
        let page = Page(Registry::new());
        page.gauge("onus_build_info", "Always 1; the label says which Onus this is.", &["version"], |family| {
            family.with_label_values(&[&self.version]).set(1);
        })?;
        let started = Gauge::new("onus_start_time_seconds", "When the process began, in seconds since 1970.")?;
        started.set(self.since.0 as f64 / 1e3);
        page.add(started)?;
        page.add(self.seconds.clone())?;
        page.one("onus_commits_total", "Commits to the store.", reading.commits)?;
        page.count("onus_dead_letters_total", "Records that could not be used, by reason.", &["reason"], |family| {
            reading.letters.iter().for_each(|(reason, count)| family.with_label_values(&[reason]).inc_by(*count));
        })?;
        for (name, help, value) in [
            ("onus_journal_sequence", "Sequence of the last commit.", reading.sequence),
            ("onus_subjects", "Subjects in memory.", reading.subjects),
        ] {
            let gauge = IntGauge::new(name, help)?;
            gauge.set(whole(value));
            page.add(gauge)?;
        }
        page.sources(now, &reading.sources)?;
        let mut bytes = Vec::new();
        TextEncoder::new().encode(&page.0.gather(), &mut bytes)?;
        let mut text = String::from_utf8(bytes).map_err(|error| Error::Msg(error.to_string()))?;
        text.push_str(&reading.more);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }
}

/// A page in the making.
struct Page(Registry);

impl Page {
    fn add(&self, family: impl Collector + 'static) -> Result<(), Error> {
        self.0.register(Box::new(family))
    }

    fn one(&self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let counter = IntCounter::new(name, help)?;
        counter.inc_by(value);
        self.add(counter)
    }

    fn count(&self, name: &str, help: &str, labels: &[&str], fill: impl FnOnce(&IntCounterVec)) -> Result<(), Error> {
        let family = IntCounterVec::new(Opts::new(name, help), labels)?;
        fill(&family);
        self.add(family)
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str], fill: impl FnOnce(&IntGaugeVec)) -> Result<(), Error> {
        let family = IntGaugeVec::new(Opts::new(name, help), labels)?;
        fill(&family);
        self.add(family)
    }

    fn sources(&self, now: Moment, all: &[SourceReading]) -> Result<(), Error> {
        let of = ["source"];
        self.count("onus_events_total", "Records that came, dead letters too.", &of, |family| {
            all.iter().for_each(|one| family.with_label_values(&[&one.name]).inc_by(one.records));
        })?;
        self.count("onus_source_dead_letters_total", "Records that could not be used, by source.", &of, |family| {
            all.iter().for_each(|one| family.with_label_values(&[&one.name]).inc_by(one.letters));
        })?;
        self.gauge("onus_source_up", "1: the source can be read, or has come to its end.", &of, |family| {
            let up = |one: &SourceReading| i64::from(one.state == SourceState::Up);
            all.iter().for_each(|one| family.with_label_values(&[&one.name]).set(up(one)));
        })?;
        self.gauge("onus_source_halted", "1: the source waits for somebody's decision.", &of, |family| {
            let halted = |one: &SourceReading| i64::from(one.state == SourceState::Halted);
            all.iter().for_each(|one| family.with_label_values(&[&one.name]).set(halted(one)));
        })?;
        self.gauge(
            "onus_source_lag_records",
            "Records there that have not come.",
            &["source", "partition"],
            |family| {
                for one in all {
                    for (partition, lag) in &one.lag {
                        family.with_label_values(&[&one.name, &partition.to_string()]).set(whole(*lag));
                    }
                }
            },
        )?;
        // A source that was not heard at all has no age: a figure would be an invention.
        let help = "How long ago the instant lies up to which the source was heard.";
        let age = GaugeVec::new(Opts::new("onus_frontier_age_seconds", help), &of)?;
        for one in all {
            if let Some(heard) = one.heard {
                age.with_label_values(&[&one.name]).set((now - heard) as f64 / 1e3);
            }
        }
        self.add(age)
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
