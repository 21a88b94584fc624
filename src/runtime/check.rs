//! `onus check`: judges event files from the first line to the last, and says how everything stands at the end.

use super::ahead::Foresight;
use super::breaches::Breaches;
use super::homes::Homes;
use super::levels::Levels;
use super::parallel;
use super::reading::Reading;
pub use super::report::{Breach, DutyRow, Placed, Read, Report, Row};
use super::rows::{counted, rows};
use super::spill::Spill;
use super::streams::Stream;
use super::watch::{Plan, State, Watch};
use crate::catalogue::Catalogue;
use crate::decode::{self, Batch, Decoder};
use crate::ingest::{self, Lines, ReadError};
use onus_engine::book::Book;
use onus_engine::engine::{Archive, Engine, Incoming, NoArchive, Options};
use onus_engine::identity::DutyId;
use onus_engine::terms::Contract;
use onus_engine::time::{DAY, Moment};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

pub use super::rows::standings;

/// What to judge.
#[derive(Clone, Debug)]
pub struct Request {
    /// Contracts, loaded.
    pub contracts: Vec<Contract>,
    /// Event files; `-` is standard input.
    pub events: Vec<PathBuf>,
    /// As of when; None: the last event that is not in the far future.
    pub until: Option<Moment>,
    /// The clock on the wall: what lies a day beyond it is held aside.
    pub wall: Moment,
    /// Which names are one identity, and what is known of it.
    pub catalogue: Arc<Catalogue>,
    /// Settling time and trust.
    pub options: Options,
    /// Every duty, not only counts and breaches: then nothing leaves memory.
    pub duties: bool,
    /// Facts keep what people like to read.
    pub verbose: bool,
    /// Threads.
    pub threads: usize,
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A file.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The temporary files.
    #[error("temporary file: {0}: free some space or set TMPDIR to a folder that has it")]
    Spill(#[from] std::io::Error),
    /// A subject goes from one partner to another, and several threads were to judge.
    #[error("a subject is handed from one partner to another (subject.rehomed): judge it with --threads 1")]
    Handover,
}

/// Bytes read so far, and of how many: for a progress bar.
pub type Progress<'p> = &'p mut (dyn FnMut(u64) + Send);

/// Engines that have judged everything up to `until`, for those who ask more of them than a report says.
#[derive(Debug)]
pub struct Judged {
    /// Each partner lives in one of them.
    pub engines: Vec<Engine>,
    /// As of when; None: no event had a time.
    pub until: Option<Moment>,
    /// Lines that could not be read, by file.
    pub letters: Vec<(String, crate::decode::DeadLetter)>,
    /// What was read.
    pub read: Read,
}

/// Judges, and gives the engines back with everything in memory, whatever the settling time.
pub fn judged(request: Request, progress: Progress<'_>) -> Result<Judged, CheckError> {
    let files = ingest::open_all(&request.events, decode::LONGEST)?;
    match judged_lines(request.clone(), files, &mut *progress) {
        Err(CheckError::Handover) if can_be_read_again(&request.events) => {
            let files = ingest::open_all(&request.events, decode::LONGEST)?;
            judged_lines(Request { threads: 1, ..request }, files, progress)
        }
        judged => judged,
    }
}

/// Standard input is gone once it was read.
fn can_be_read_again(events: &[PathBuf]) -> bool {
    events.iter().all(|path| path.as_os_str() != "-")
}

/// The same of what these files say, whatever they are; `request.events` is not looked at.
pub fn judged_lines(mut request: Request, files: Vec<Lines>, progress: Progress<'_>) -> Result<Judged, CheckError> {
    request.options.settling = None;
    let (shards, report) = run(&request, files, None, progress)?;
    let mut engines = Vec::new();
    for Shard { mut engine, .. } in shards {
        if let Some(until) = report.until {
            engine.finish(until, &mut NoArchive);
        }
        engines.push(engine);
    }
    Ok(Judged { engines, until: report.until, letters: report.letters, read: report.read })
}

/// Judges.
pub fn check(request: Request, progress: Progress<'_>) -> Result<Report, CheckError> {
    let files = ingest::open_all(&request.events, decode::LONGEST)?;
    match check_lines(&request, files, &mut *progress) {
        // Partners are walls, and one thread has all of a partner; what both have to do with is for one thread.
        Err(CheckError::Handover) if can_be_read_again(&request.events) => {
            let files = ingest::open_all(&request.events, decode::LONGEST)?;
            check_lines(&Request { threads: 1, ..request }, files, progress)
        }
        report => report,
    }
}

/// Judges what these files say, whatever they are; `request.events` is not looked at.
pub fn check_lines(request: &Request, files: Vec<Lines>, progress: Progress<'_>) -> Result<Report, CheckError> {
    watched(request, files, None, progress).map(|(report, _)| report)
}

/// Judges, and watches what is told.
pub(super) fn watched(
    request: &Request,
    files: Vec<Lines>,
    plan: Option<&Plan>,
    progress: Progress<'_>,
) -> Result<(Report, BTreeMap<DutyId, State>), CheckError> {
    let (shards, mut report) = run(request, files, plan, progress)?;
    let mut states = BTreeMap::new();
    for shard in shards {
        // Each partner is one shard's.
        states.extend(shard.finish(report.until, request.duties, &mut report)?.map(|w| w.states).unwrap_or_default());
    }
    report
        .obligations
        .sort_by(|a, b| (&a.partner, &a.contract, &a.obligation).cmp(&(&b.partner, &b.contract, &b.obligation)));
    report.obligations.dedup_by(|a, b| {
        let same = (&a.partner, &a.contract, &a.obligation) == (&b.partner, &b.contract, &b.obligation);
        if same {
            b.tally.add(&a.tally);
        }
        same
    });
    report.breaches.sort_unstable();
    report.levels.sort_by(|a, b| {
        (&a.partner, &a.contract, &a.obligation, a.from).cmp(&(&b.partner, &b.contract, &b.obligation, b.from))
    });
    report.duties.sort_by(|a, b| {
        (&a.partner, &a.obligation, a.start, &a.subject, a.duty).cmp(&(
            &b.partner,
            &b.obligation,
            b.start,
            &b.subject,
            b.duty,
        ))
    });
    Ok((report, states))
}

/// The loop: everything that the files say has been taken in, and nothing reported yet.
fn run(
    request: &Request,
    files: Vec<Lines>,
    plan: Option<&Plan>,
    progress: Progress<'_>,
) -> Result<(Vec<Shard>, Report), CheckError> {
    let book = Arc::new(Book::with(&request.contracts, request.verbose));
    let horizon = request.until.unwrap_or(request.wall + DAY);
    let mut reading = Reading::new(Decoder::new(Arc::clone(&book), horizon), &request.catalogue);
    let options =
        if request.duties { Options { settling: None, ..request.options.clone() } } else { request.options.clone() };
    let mut shards: Vec<Shard> = Vec::new();
    // Where a subject is at home, all of its events must be seen in one order.
    let single = files.len() == 1 && request.threads > 1 && !book.finds_partners();
    for _ in 0..if single { request.threads } else { 1 } {
        shards.push(Shard::new(Arc::clone(&book), options.clone(), plan.map(Watch::new))?);
    }
    for partner in book.named_partners() {
        let shard = parallel::shard_of(partner, shards.len());
        shards[shard].engine.begin(partner);
    }
    let mut report = Report::default();
    let mut files = files.into_iter();
    let peak = match files.next() {
        Some(file) if single => parallel::run(file, &reading, &mut shards, &mut report, progress)?,
        first => merged(
            first.into_iter().chain(files).map(Stream::new).collect(),
            &mut reading,
            &mut shards[0],
            &mut report,
            progress,
        )?,
    };
    report.until = request.until.or(peak);
    report.read.against = reading.against();
    Ok((shards, report))
}

/// One thread; the files as one stream.
fn merged(
    mut files: Vec<Stream>,
    reading: &mut Reading,
    shard: &mut Shard,
    report: &mut Report,
    progress: Progress<'_>,
) -> Result<Option<Moment>, CheckError> {
    let mut peak = None;
    let mut note = |name: &str, batch: &Batch, report: &mut Report, peak: &mut Option<Moment>| {
        report.note(name, batch);
        *peak = (*peak).max(batch.peak);
        progress(batch.lines);
    };
    for file in &mut files {
        file.refill(reading, &mut |name, batch| {
            note(name, batch, report, &mut peak);
            shard.sight(batch);
        })?;
    }
    // What a file says beside its events (ticks) counts when all are read.
    while let Some((_, least)) = files.iter().enumerate().filter_map(|(i, f)| Some((f.key()?, i))).min() {
        let others = files.iter().enumerate().filter(|(i, _)| *i != least).filter_map(|(_, f)| f.key()).min();
        let file = &mut files[least];
        while let Some(next) = file.next(others) {
            for at in next {
                let key = file.key_of(at);
                shard.take(&mut file.batch, &mut file.foresight, at, key);
            }
            // Often, so that what was told is still near when the net is kept.
            shard.tell();
        }
        if file.is_spent() {
            file.refill(reading, &mut |name, batch| {
                note(name, batch, report, &mut peak);
                shard.sight(batch);
            })?;
        }
    }
    Ok(peak)
}

/// After so many events at most, what was told is taken into the net.
pub(super) const TOGETHER: usize = 16;

/// An engine, and the net of what it told.
pub(super) struct Shard {
    engine: Engine,
    spill: Option<Spill>,
    breaches: Breaches,
    levels: Option<Levels>,
    unbound: BTreeMap<String, u64>,
    watch: Option<Watch>,
    /// Where events belong that name no partner.
    homes: Homes,
}

impl Shard {
    fn new(book: Arc<Book>, options: Options, watch: Option<Watch>) -> Result<Shard, std::io::Error> {
        let spill = options.settling.map(|_| Spill::new()).transpose()?;
        let levels = Levels::of(&book);
        Ok(Shard {
            levels,
            engine: Engine::new(book, options),
            spill,
            breaches: Breaches::default(),
            unbound: BTreeMap::new(),
            watch,
            homes: Homes::default(),
        })
    }

    /// Takes a batch's next event in, when everything up to `now` has been heard.
    #[inline(always)]
    pub(super) fn take(&mut self, batch: &mut Batch, foresight: &mut Foresight, at: usize, now: Moment) {
        let mut none = NoArchive;
        let archive: &mut dyn Archive = match &mut self.spill {
            Some(spill) => spill,
            None => &mut none,
        };
        let seen = foresight.of(at, batch, None, &self.engine, archive);
        self.engine.advance(now, now, archive);
        let Batch { events, facts, names, homeless, .. } = batch;
        let event = &events[at];
        let name = |place: &Range<u32>| &names[place.start as usize..place.end as usize];
        let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
        let partner = name(&event.partner);
        if partner.is_empty() {
            let subject = name(&event.subject);
            let place = homeless.binary_search_by_key(&at, |one| one.event);
            let one = &homeless[place.expect("an event without a partner is among the homeless")];
            match self.homes.place(one).map(str::to_owned) {
                None => self.homes.wait(one, name(&event.source), fact, None, None),
                Some(partner) => {
                    let incoming =
                        Incoming { partner: &partner, subject, source: name(&event.source), fact, trust: None };
                    self.engine.apply(incoming, archive);
                    self.come_home(&partner, subject);
                }
            }
            return;
        }
        let incoming =
            Incoming { partner, subject: name(&event.subject), source: name(&event.source), fact, trust: None };
        if self.engine.apply_seen(incoming, seen, archive) == onus_engine::engine::Applied::Unbound {
            *self.unbound.entry(partner.to_owned()).or_default() += 1;
        }
        if batch.handovers > 0 {
            self.hand_over(batch, at);
        }
    }

    /// What nobody knew whose it is may be known by a handover.
    #[cold]
    fn hand_over(&mut self, batch: &Batch, at: usize) {
        let event = &batch.events[at];
        let fact = &batch.facts[event.fact.start as usize..event.fact.end as usize];
        let Some((from, to)) = self.engine.handover(fact) else { return };
        let subject = batch.name(&event.subject);
        let partner = self.homes.hand(subject, from, to).to_owned();
        self.come_home(&partner, subject);
    }

    /// Events that no contract cares for may still say whose their subject is.
    fn sight(&mut self, batch: &Batch) {
        for one in &batch.sightings {
            if let Some(partner) = self.homes.place(one).map(str::to_owned) {
                self.come_home(&partner, &one.subject);
            }
        }
    }

    /// What waited for a subject to be placed goes to its partner.
    fn come_home(&mut self, partner: &str, subject: &str) {
        let mut none = NoArchive;
        for mut one in self.homes.release(subject) {
            let archive: &mut dyn Archive = match &mut self.spill {
                Some(spill) => spill,
                None => &mut none,
            };
            let incoming = Incoming { partner, subject, source: &one.source, fact: &mut one.fact, trust: None };
            self.engine.apply(incoming, archive);
        }
    }

    /// Keeps the net of what was told since the last time.
    pub(super) fn tell(&mut self) {
        let differences = self.engine.take_differences();
        let book = self.engine.book();
        for (subject, d) in differences.iter() {
            if let Some(levels) = &mut self.levels {
                levels.take(book, self.engine.partner_name(d.partner), subject, d);
            }
            if let Some(watch) = &mut self.watch {
                let (rule, partner) = (book.rule(d.rule), self.engine.partner_name(d.partner));
                watch.note(partner, DutyId::of(partner, &rule.contract, &rule.id, subject, d.key), d);
            }
            self.breaches.take(self.engine.partner_name(d.partner), book.rule(d.rule), subject, d);
        }
        self.engine.give_back(differences);
    }

    fn finish(mut self, until: Option<Moment>, duties: bool, report: &mut Report) -> Result<Option<Watch>, CheckError> {
        if let Some(until) = until {
            match &mut self.spill {
                Some(spill) => self.engine.finish(until, spill),
                None => self.engine.finish(until, &mut NoArchive),
            }
        }
        self.tell();
        if let Some(trouble) = self.spill.and_then(|s| s.trouble) {
            return Err(CheckError::Spill(trouble));
        }
        report.placed.add(self.homes.finish());
        let book = Arc::clone(self.engine.book());
        report.obligations.extend(match &self.watch {
            Some(watch) => counted(&self.engine, &|partner, rule| watch.tally(&self.engine, partner, rule)),
            None => standings(&self.engine),
        });
        report.breaches.extend(self.breaches.into_all());
        if let Some(levels) = self.levels {
            report.levels.extend(levels.measured(&book, until.unwrap_or(Moment::DAWN)));
        }
        let counts = self.engine.counts();
        report.read.repeats += counts.repeats;
        report.read.conflicts += counts.conflicts;
        report.read.late += counts.late;
        for (partner, n) in self.unbound {
            *report.read.unbound.entry(partner).or_default() += n;
        }
        if duties {
            rows(&self.engine, &book, until.unwrap_or(Moment::DAWN), &mut report.duties);
        }
        Ok(self.watch)
    }
}
