//! The pages: everything for whoever runs Onus, and one partner's figures for that partner.
//!
//! Made anew each time that somebody asks, from what was read off the loop: a partition that is another process's now, or
//! a source that is gone, is gone from the page. A partner's page is made of that partner's reading alone: others' figures
//! are not taken out of it, they were never in it.

use super::families::{self as of, Family};
use super::histogram::{Example, Histogram};
use super::page::{Form, Page, labels};
use super::process::{self, Process};
use super::reading::{ENDED, ObligationReading, PartnerReading, Reading, SourceState, UNENDED};
use onus_engine::engine::HELD_STATES;
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Series of partners that one family has at most.
pub const MOST: usize = 50_000;
/// Under which partner and obligation adds up what has no room.
const OTHER: &str = "_other";

const DELAYS: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// What is known without asking the loop, and how to write a page.
#[derive(Debug)]
pub struct Figures {
    version: String,
    since: Moment,
    most: usize,
    process: Process,
    /// How late breaches were declared, with examples.
    delays: Mutex<Histogram>,
}

impl Figures {
    /// `version` is this program's, `since` when the process began.
    ///
    /// # Errors
    /// A family has a wrong name: a mistake in the table of families.
    pub fn new(version: &str, since: Moment) -> Result<Figures, prometheus::Error> {
        let (process, delays) = (Process::new()?, Mutex::new(Histogram::new(DELAYS)));
        Ok(Figures { version: version.to_owned(), since, most: MOST, process, delays })
    }

    /// With room for so many series of partners in each family.
    pub fn at_most(self, most: usize) -> Figures {
        Figures { most, ..self }
    }

    // A poisoned lock guards plain counts: they are as good as they were.
    fn delays(&self) -> MutexGuard<'_, Histogram> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A commit was written, and took so long.
    pub fn committed(&self, seconds: f64) {
        self.process.committed(seconds);
    }

    /// A breach was declared so long after it could be.
    pub fn detected(&self, duty: &str, seconds: f64, at: Moment) {
        self.delays().observe_example(Example { labels: labels(&[("duty", duty)]), value: seconds, at });
    }

    /// Somebody was not shown what was asked for.
    pub fn denied(&self, reason: &'static str) {
        self.process.denied(reason);
    }

    /// The page of one partner; None: there is no such partner.
    pub fn partner(&self, form: Form, reading: &Reading, partner: &str) -> Option<String> {
        let one = reading.partners.iter().find(|p| p.name == partner)?;
        let mut page = Page::new(form);
        Rows::new(std::iter::once(one)).write(&mut page, usize::MAX, &mut BTreeMap::new());
        Some(page.finish())
    }

    /// The page of everything.
    pub fn page(&self, form: Form, reading: &Reading) -> String {
        let mut page = Page::new(form);
        let rows = Rows::new(reading.partners.iter());
        let mut truncated = BTreeMap::new();
        rows.write(&mut page, self.most, &mut truncated);
        sources(&mut page, reading);
        receivers(&mut page, reading);
        truncated.into_iter().for_each(|(family, n)| self.process.truncated(family, n));
        self.process(&mut page, reading);
        page.finish()
    }

    fn process(&self, page: &mut Page, reading: &Reading) {
        of_shards(page, &of::CLOCK, reading, |page, of, one| one.now.iter().for_each(|at| page.sample(of, *at)));
        of_shards(page, &of::MINIMA, reading, |page, of, one| one.minima.iter().for_each(|at| page.sample(of, *at)));
        page.family(&of::DETECTION_DELAY);
        page.histogram("", &self.delays());
        of_shards(page, &of::LEDGER_ENTRIES, reading, |page, of, one| page.sample(of, one.entries));
        of_shards(page, &of::LEDGER_VERIFIED, reading, |page, of, one| {
            one.ledger.iter().for_each(|(at, _)| page.sample(of, *at));
        });
        of_shards(page, &of::LEDGER_OK, reading, |page, of, one| {
            one.ledger.iter().for_each(|(_, whole)| page.sample(of, u64::from(*whole)));
        });
        page.family(&of::BUILD_INFO);
        page.sample(&labels(&[("version", &self.version)]), 1u64);
        page.family(&of::START_TIME);
        page.sample("", self.since);
        self.process.commits(page);
        let written = reading.exchange;
        let counts = [written.map(|(events, ..)| events), written.map(|(_, waiting, _)| waiting)];
        for (family, value) in [&of::EXCHANGE_EVENTS, &of::EXCHANGE_WAITING].into_iter().zip(counts) {
            page.family(family);
            value.iter().for_each(|value| page.sample("", *value));
        }
        page.family(&of::EXCHANGE_LAST);
        written.and_then(|(.., last)| last).iter().for_each(|at| page.sample("", *at));
        one(page, &of::COMMITS, reading.commits);
        one(page, &of::UNOWNED, reading.astray[0]);
        one(page, &of::MOVED, reading.astray[1]);
        page.family(&of::DEAD_LETTERS);
        for (reason, n) in &reading.letters {
            page.sample(&labels(&[("reason", reason)]), *n);
        }
        of_shards(page, &of::FACTS, reading, |page, of, one| {
            let comma = if of.is_empty() { "" } else { "," };
            for (result, n) in &one.facts {
                page.sample(&format!("{of}{comma}{}", labels(&[("result", result)])), *n);
            }
        });
        of_shards(page, &of::JOURNAL_SEQUENCE, reading, |page, of, one| page.sample(of, one.sequence));
        of_shards(page, &of::SUBJECTS, reading, |page, of, one| page.sample(of, one.subjects));
        one(page, &of::RECOUNTS_WRONG, reading.recounts_wrong);
        of_shards(page, &of::RECOUNT_TIME, reading, |page, of, one| {
            one.recounted.iter().for_each(|at| page.sample(of, *at));
        });
        page.family(&of::SHARDS_ALL);
        reading.pool.iter().for_each(|pool| page.sample("", pool.all));
        page.family(&of::SHARDS_HELD);
        reading.pool.iter().for_each(|pool| page.sample("", pool.held));
        page.family(&of::SHARDS_TAKEN);
        reading.pool.iter().for_each(|pool| page.sample("", pool.taken));
        page.family(&of::LEASE_AGE);
        reading.pool.iter().filter_map(|pool| pool.age).for_each(|age| page.sample("", age));
        self.process.refusals(page);
        process::of_the_system(page, &reading.system);
    }
}

/// Of the process where it has one shard; else of each with its label.
fn of_shards(page: &mut Page, family: &'static Family, reading: &Reading, say: impl Fn(&mut Page, &str, &Reading)) {
    page.family(family);
    match &reading.shards {
        None => say(page, "", reading),
        Some(shards) => shards.iter().for_each(|(n, one)| say(page, &labels(&[("shard", &n.to_string())]), one)),
    }
}

fn one(page: &mut Page, family: &'static Family, value: u64) {
    page.family(family);
    page.sample("", value);
}

fn sources(page: &mut Page, reading: &Reading) {
    let all: Vec<_> = reading.sources.iter().map(|one| (labels(&[("source", &one.name)]), one)).collect();
    page.family(&of::SOURCE_EVENTS);
    for (labels, one) in &all {
        for (result, n) in ["taken", "idle", "unbound", "refused", "skipped"].into_iter().zip(one.results) {
            page.sample_of(labels, ("result", result), n);
        }
    }
    page.family(&of::SOURCE_SKIPPED);
    for (labels, one) in &all {
        for (why, n) in &one.skipped {
            page.sample_of(labels, ("reason", *why), *n);
        }
    }
    page.family(&of::SOURCE_VIOLATIONS);
    for (labels, one) in &all {
        for (kind, n) in ["unauthorised", "catalogue"].into_iter().zip(one.violations) {
            page.sample_of(labels, ("kind", kind), n);
        }
    }
    page.family(&of::SOURCE_LAST_VIOLATION);
    all.iter().filter_map(|(l, one)| Some((l, one.violated?))).for_each(|(labels, at)| page.sample(labels, at));
    page.family(&of::SOURCE_UP);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.state == SourceState::Up));
    page.family(&of::SOURCE_HALTED);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.state == SourceState::Halted));
    page.family(&of::SOURCE_LAG);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.lag));
    page.family(&of::SOURCE_WAITING);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.waiting));
    let quotas = || all.iter().filter_map(|(l, one)| Some((l, one.quota?)));
    page.family(&of::SOURCE_QUOTA_HELD);
    quotas().for_each(|(labels, (held, _))| page.sample(labels, held as f64 / 1e3));
    page.family(&of::SOURCE_QUOTA_TURNED);
    quotas().for_each(|(labels, (_, turned_away))| page.sample(labels, turned_away));
    page.family(&of::SOURCE_LAST_RECORD);
    all.iter().filter_map(|(l, one)| Some((l, one.last?))).for_each(|(labels, at)| page.sample(labels, at));
    page.family(&of::SOURCE_FRONTIER);
    all.iter().filter_map(|(l, one)| Some((l, one.heard?))).for_each(|(labels, at)| page.sample(labels, at));
    page.family(&of::SOURCE_EXPECTED);
    let expected = all.iter().filter_map(|(l, one)| Some((l, one.expected?)));
    expected.for_each(|(labels, every)| page.sample(labels, Moment(every)));
}

fn receivers(page: &mut Page, reading: &Reading) {
    let all: Vec<_> = reading.receivers.iter().map(|one| (labels(&[("receiver", &one.name)]), one)).collect();
    page.family(&of::SENT);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.sent));
    page.family(&of::ERRORS);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.errors));
    page.family(&of::DROPPED);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.dropped));
    page.family(&of::QUEUE);
    all.iter().for_each(|(labels, one)| page.sample(labels, one.queue));
    page.family(&of::HALTED);
    all.iter().for_each(|(labels, one)| page.sample(labels, u64::from(one.halted)));
    page.family(&of::LAST_SUCCESS);
    all.iter().filter_map(|(l, one)| Some((l, one.last_success?))).for_each(|(labels, at)| page.sample(labels, at));
    page.family(&of::LATENCY);
    all.iter().for_each(|(labels, one)| page.histogram(labels, &one.latency));
    page.family(&of::ALERTS_FIRING);
    reading.firing.iter().for_each(|(severity, n)| page.sample(&labels(&[("severity", severity)]), *n));
}

/// Partners and their obligations, with labels that are rendered once for all families.
struct Rows<'r> {
    partners: Vec<(String, &'r PartnerReading)>,
    /// By partner in the order of names; which partner each belongs to.
    obligations: Vec<(usize, String, &'r ObligationReading)>,
}

/// What one family has to say of an obligation.
type Say<'s> = &'s dyn Fn(&mut Page, &str, &ObligationReading);

impl<'r> Rows<'r> {
    fn new(partners: impl Iterator<Item = &'r PartnerReading>) -> Rows<'r> {
        let mut all: Vec<&PartnerReading> = partners.collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        let mut rows = Rows { partners: Vec::with_capacity(all.len()), obligations: Vec::new() };
        for (p, partner) in all.into_iter().enumerate() {
            let own = labels(&[("partner", &partner.name)]);
            for one in &partner.obligations {
                let both = format!("{own},{}", labels(&[("obligation", &one.id)]));
                rows.obligations.push((p, both, one));
            }
            rows.partners.push((own, partner));
        }
        rows
    }

    fn write(&self, page: &mut Page, most: usize, truncated: &mut BTreeMap<&'static str, u64>) {
        self.infos(page, most, truncated);
        let mut each = |family: &'static Family, series: usize, say: Say<'_>| {
            page.family(family);
            // The last place is for what has none.
            let fit =
                if self.obligations.len() * series <= most { usize::MAX } else { (most / series).saturating_sub(1) };
            // A partner is shown whole or not at all: half of it would look like all.
            let cut = self.obligations.get(fit).map_or(usize::MAX, |(partner, ..)| *partner);
            let (shown, rest): (Vec<_>, Vec<_>) = self.obligations.iter().partition(|(partner, ..)| *partner < cut);
            shown.iter().for_each(|(_, labels, one)| say(page, labels, one));
            if rest.is_empty() {
                return;
            }
            let mut other = ObligationReading::default();
            rest.iter().for_each(|(_, _, one)| other.add(one));
            *truncated.entry(family.name).or_default() += (rest.len() * series) as u64;
            say(page, &labels(&[("partner", OTHER), ("obligation", OTHER)]), &other);
        };
        each(&of::DUTIES, UNENDED.len(), &|page, labels, one| {
            UNENDED.iter().zip(one.unended).for_each(|(word, n)| page.sample_of(labels, ("standing", word), n));
        });
        each(&of::DUTIES_AT_RISK, 1, &|page, labels, one| page.sample(labels, one.at_risk));
        each(&of::DUTIES_DISPUTED, 1, &|page, labels, one| page.sample(labels, one.disputed));
        each(&of::VERDICTS, ENDED.len(), &|page, labels, one| {
            ENDED.iter().zip(one.ended).for_each(|(word, n)| page.sample_of(labels, ("standing", word), n));
        });
        each(&of::DUTIES_ENDED, ENDED.len(), &|page, labels, one| {
            ENDED.iter().zip(one.endings).for_each(|(word, n)| page.sample_of(labels, ("standing", word), n));
        });
        each(&of::BREACHES, 1, &|page, labels, one| page.sample(labels, one.breaches[0]));
        each(&of::BREACHES_WITHDRAWN, 1, &|page, labels, one| page.sample(labels, one.breaches[1]));
        each(&of::FINDINGS_OPEN, 1, &|page, labels, one| page.sample(labels, one.findings));
        each(&of::ACTIONS, 2, &|page, labels, one| {
            let Some(acts) = one.acts else { return };
            // Beyond the bound it is nobody's control in particular.
            let control = one.about.last().map_or(OTHER, |about| about[2].as_str());
            let labels = format!("{labels},{}", super::page::labels(&[("control", control)]));
            ["true", "false"].into_iter().zip(acts).for_each(|(w, n)| page.sample_of(&labels, ("attributed", w), n));
        });
        each(&of::COMPLIANCE_RATIO, 2, &|page, labels, one| {
            for (i, window) in ["current", "previous"].into_iter().enumerate() {
                if let Some(ratio) = one.ratio(i) {
                    page.sample_of(labels, ("window", window), ratio);
                }
            }
        });
        each(&of::WINDOW_VERDICTS, 4, &|page, labels, one| {
            for (window, counts) in ["current", "previous"].into_iter().zip(one.windows) {
                let of = format!("{labels},window=\"{window}\"");
                ["met", "breached"].into_iter().zip(counts).for_each(|(v, n)| page.sample_of(&of, ("verdict", v), n));
            }
        });
        each(&of::TARGET_RATIO, 1, &|page, labels, one| {
            one.target.into_iter().for_each(|target| page.sample(labels, f64::from(target) / 1e6));
        });
        each(&of::ALLOWANCE_REMAINING, 1, &|page, labels, one| {
            one.allowance().into_iter().for_each(|n| page.sample(labels, n));
        });
        each(&of::WINDOW_END, 1, &|page, labels, one| {
            one.window_end.into_iter().for_each(|at| page.sample(labels, at));
        });
        each(&of::NEXT_DEADLINE, 1, &|page, labels, one| {
            one.next_deadline.into_iter().for_each(|at| page.sample(labels, at));
        });
        each(&of::OLDEST_BREACH, 1, &|page, labels, one| {
            one.oldest_breach.into_iter().for_each(|at| page.sample(labels, at));
        });
        self.of_partners(page, most, truncated);
    }

    /// What nobody can add up: beyond the bound it is left out.
    fn infos(&self, page: &mut Page, most: usize, truncated: &mut BTreeMap<&'static str, u64>) {
        let names = ["contract", "clause", "control", "obligor", "severity"];
        page.family(&of::PARTNER_INFO);
        let customers = self.partners.iter().flat_map(|(own, partner)| partner.customers.iter().map(move |c| (own, c)));
        for (i, (own, customer)) in customers.enumerate() {
            if i < most {
                page.sample(&format!("{own},{}", labels(&[("customer", customer)])), 1u64);
            } else {
                *truncated.entry(of::PARTNER_INFO.name).or_default() += 1;
            }
        }
        page.family(&of::OBLIGATION_INFO);
        let about = self.obligations.iter().flat_map(|(_, own, one)| one.about.iter().map(move |about| (own, about)));
        for (i, (own, about)) in about.enumerate() {
            if i < most {
                let pairs: Vec<(&str, &str)> = names.into_iter().zip(about.iter().map(String::as_str)).collect();
                page.sample(&format!("{own},{}", labels(&pairs)), 1u64);
            } else {
                *truncated.entry(of::OBLIGATION_INFO.name).or_default() += 1;
            }
        }
    }

    fn of_partners(&self, page: &mut Page, most: usize, truncated: &mut BTreeMap<&'static str, u64>) {
        let held = self.partners.iter().flat_map(|(_, one)| &one.held);
        let kinds: BTreeSet<&str> = held.map(|(kind, _)| kind.as_str()).collect();
        let mut each = |family: &'static Family, series: usize, say: &dyn Fn(&mut Page, &str, &PartnerReading)| {
            page.family(family);
            let fit = if self.partners.len() * series <= most { usize::MAX } else { (most / series).saturating_sub(1) };
            let (shown, rest) = self.partners.split_at(fit.min(self.partners.len()));
            shown.iter().for_each(|(labels, one)| say(page, labels, one));
            if rest.is_empty() {
                return;
            }
            let mut other = PartnerReading::default();
            for (_, one) in rest {
                other.holds.iter_mut().zip(one.holds).for_each(|(mine, theirs)| *mine += theirs);
                other.waivers += one.waivers;
                for (kind, states) in &one.held {
                    let at = other.held.iter().position(|(known, _)| known == kind).unwrap_or_else(|| {
                        other.held.push((kind.clone(), Default::default()));
                        other.held.len() - 1
                    });
                    other.held[at].1.iter_mut().zip(states).for_each(|(mine, theirs)| *mine += theirs);
                }
                other.blind |= one.blind;
            }
            *truncated.entry(family.name).or_default() += (rest.len() * series) as u64;
            say(page, &labels(&[("partner", OTHER)]), &other);
        };
        each(&of::HOLDER_DUTIES, 2, &|page, labels, one| {
            ["partner", "customer"]
                .into_iter()
                .zip(one.holds)
                .for_each(|(s, n)| page.sample_of(labels, ("side", s), n));
        });
        each(&of::WAIVERS_ACTIVE, 1, &|page, labels, one| page.sample(labels, one.waivers));
        each(&of::CREDENTIALS, kinds.len().max(1) * HELD_STATES.len(), &|page, labels, one| {
            for (kind, states) in &one.held {
                let of = format!("{labels},{}", super::page::labels(&[("kind", kind)]));
                HELD_STATES.iter().zip(states).for_each(|(s, n)| page.sample_of(&of, ("state", s.word()), *n));
            }
        });
        each(&of::PARTNER_BLIND, 1, &|page, labels, one| page.sample(labels, one.blind));
    }
}
