//! What was read off the loop, as plain data: the page says nothing else.

use super::Histogram;
use onus_engine::engine::HELD_STATES;
use onus_engine::time::Moment;
use std::collections::BTreeMap;

/// Standings of duties that have not ended, in the order of [`ObligationReading::unended`].
pub(super) const UNENDED: [&str; 6] = ["open", "paused", "unknown", "breached", "waived", "exempt"];
/// Standings of duties that have, in the order of [`ObligationReading::ended`].
pub(super) const ENDED: [&str; 6] = ["met", "met-late", "breached", "waived", "cancelled", "exempt"];

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

/// What was read off the loop. Counts are of this process's life where nothing else is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// In the order of the settings.
    pub sources: Vec<SourceReading>,
    /// By name.
    pub partners: Vec<PartnerReading>,
    /// Whom notices are sent to, by name.
    pub receivers: Vec<ReceiverReading>,
    /// Alerts that fire, by severity; none: no pages are pushed.
    pub firing: Vec<(&'static str, u64)>,
    /// Dead letters by the stable name of their reason.
    pub letters: BTreeMap<String, u64>,
    /// Commits.
    pub commits: u64,
    /// Sequence of the last commit.
    pub sequence: u64,
    /// Subjects in memory.
    pub subjects: u64,
    /// Subjects that are nobody's, and subjects of which a later event fits another partner than theirs.
    pub astray: [u64; 2],
    /// Entries of the ledger.
    pub entries: u64,
    /// When the ledger was last read to its end, and whether it holds together.
    pub ledger: Option<(Moment, bool)>,
    /// The judge's time; None: it has none yet.
    pub now: Option<Moment>,
    /// As of when duties were last looked through.
    pub minima: Option<Moment>,
    /// Facts by what became of them, ever.
    pub facts: Vec<(&'static str, u64)>,
    /// When counts were last held against what is in memory.
    pub recounted: Option<Moment>,
    /// How often they did not agree.
    pub recounts_wrong: u64,
    /// Of an intake: events that the exchange has from it, those that wait for that, and when it last took some.
    pub exchange: Option<(u64, u64, Option<Moment>)>,
    /// What the [system says](super::system) of the process.
    pub system: Vec<(&'static str, f64)>,
    /// Its place among those that share shards; None: it shares none.
    pub pool: Option<PoolReading>,
    /// Shard by shard, where a process may have several: what is of a shard as a whole is shown of each.
    pub shards: Option<Vec<(u16, Reading)>>,
}

/// A process among those that share shards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolReading {
    /// Shards that there are, among all.
    pub all: u64,
    /// Shards that it owns now.
    pub held: u64,
    /// Shards that it took, since the process began.
    pub taken: u64,
    /// How long ago its leases were renewed, in seconds.
    pub age: Option<f64>,
}

/// One source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceReading {
    /// Its name in the settings.
    pub name: String,
    /// Records by what became of them: taken, idle, unbound, refused, skipped.
    pub results: [u64; 5],
    /// Those that were skipped, by why.
    pub skipped: Vec<(&'static str, u64)>,
    /// Events that it may not say, and events that name another partner than the catalogue.
    pub violations: [u64; 2],
    /// When the latest came that it may not say.
    pub violated: Option<Moment>,
    /// Records that are there and have not come.
    pub lag: u64,
    /// Up to when it was heard; None: not at all.
    pub heard: Option<Moment>,
    /// When something last came.
    pub last: Option<Moment>,
    /// How often it promises to say something, in milliseconds.
    pub expected: Option<i64>,
    /// Records that were read and wait for their turn.
    pub waiting: u64,
    /// For how long its quota kept records waiting, in milliseconds, and how often somebody was told to come again because
    /// of it; None: it has none.
    pub quota: Option<(u64, u64)>,
    /// How it is.
    pub state: SourceState,
}

/// One partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerReading {
    /// Its name.
    pub name: String,
    /// For whom it works.
    pub customers: Vec<String>,
    /// Duties on which it must act next, and those on which the customer must.
    pub holds: [u64; 2],
    /// Approved deviations in force.
    pub waivers: u64,
    /// What it holds, by kind: how many stand how, in the order of [`HELD_STATES`].
    pub held: Vec<(String, [u64; HELD_STATES.len()])>,
    /// A source on which its duties rest has stopped.
    pub blind: bool,
    /// By contract and id.
    pub obligations: Vec<ObligationReading>,
}

/// One obligation of one partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObligationReading {
    /// Its id.
    pub id: String,
    /// What contracts say of it: contract, clause, control, obligor, severity. Several contracts may have one of its name.
    pub about: Vec<[String; 5]>,
    /// Duties that have not ended, by standing.
    pub unended: [i64; 6],
    /// Duties that have, by standing.
    pub ended: [i64; 6],
    /// How often it was told that one had ended so, ever.
    pub endings: [u64; 6],
    /// Breaches told, and breaches taken back, ever.
    pub breaches: [u64; 2],
    /// Findings that stand.
    pub findings: i64,
    /// Acts for which somebody answers, and those for which nobody does, as they were told; none: it does not ask.
    pub acts: Option<[u64; 2]>,
    /// Open duties at risk.
    pub at_risk: u64,
    /// Duties of whose act sources contradict each other.
    pub disputed: i64,
    /// Met and breached in the current window and in the one before.
    pub windows: [[i64; 2]; 2],
    /// When the current window ends.
    pub window_end: Option<Moment>,
    /// Millionths to be met in time.
    pub target: Option<u32>,
    /// The target is measured over the window.
    pub by_window: bool,
    /// The earliest deadline.
    pub next_deadline: Option<Moment>,
    /// The oldest breach.
    pub oldest_breach: Option<Moment>,
}

impl ObligationReading {
    /// Adds what is counted of another; of instants the earliest.
    pub fn add(&mut self, other: &ObligationReading) {
        let first = |a: Option<Moment>, b: Option<Moment>| [a, b].into_iter().flatten().min();
        let sum = |mine: &mut [i64], theirs: &[i64]| mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        sum(&mut self.unended, &other.unended);
        sum(&mut self.ended, &other.ended);
        self.endings.iter_mut().zip(other.endings).for_each(|(m, t)| *m += t);
        self.breaches.iter_mut().zip(other.breaches).for_each(|(m, t)| *m += t);
        self.windows.iter_mut().zip(&other.windows).for_each(|(m, t)| sum(m, t));
        if let Some(theirs) = other.acts {
            self.acts.get_or_insert_default().iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        }
        self.findings += other.findings;
        self.at_risk += other.at_risk;
        self.disputed += other.disputed;
        self.window_end = first(self.window_end, other.window_end);
        self.next_deadline = first(self.next_deadline, other.next_deadline);
        self.oldest_breach = first(self.oldest_breach, other.oldest_breach);
    }

    /// Further breaches that the window has room for; None: no target is measured over it.
    pub fn allowance(&self) -> Option<i64> {
        let target = i128::from(self.target.filter(|target| self.by_window && *target > 0)?);
        let [met, broken] = self.windows[0].map(i128::from);
        i64::try_from(met * 1_000_000 / target - met - broken).ok()
    }

    /// Share of a window's verdicts that were met; None: there is no verdict.
    pub fn ratio(&self, window: usize) -> Option<f64> {
        let [met, broken] = self.windows[window];
        (met + broken > 0).then(|| met as f64 / (met + broken) as f64)
    }
}

/// Whom notices are sent to.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiverReading {
    /// Its name.
    pub name: String,
    /// Accepted.
    pub sent: u64,
    /// Failed.
    pub errors: u64,
    /// Given up.
    pub dropped: u64,
    /// Waiting.
    pub queue: u64,
    /// It refuses what it is told.
    pub halted: bool,
    /// When it last accepted something.
    pub last_success: Option<Moment>,
    /// From when a notice was read in the ledger to its word, in seconds.
    pub latency: Histogram,
}
