//! An engine with what a caller keeps beside it: the archive, and the net of what was told.

use crate::scene::Scene;
use onus::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::duty::{Duty, Flags};
use onus_engine::engine::{Archive, Counted, ENDED, Engine, Incoming, Options, Tally, month_of};
use onus_engine::fold::{Cx, Fold, Silent, View};
use onus_engine::standing::Standing;
use onus_engine::terms::{Contract, Trust};
use onus_engine::time::{Millis, Moment};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// Partner, obligation, subject, key of the anchor.
pub(crate) type Name = (String, String, String, u64);

/// An archive in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(pub(crate) BTreeMap<(String, String), Vec<u8>>);

impl Archive for Shelf {
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool) {
        let kept = self.0.entry((partner.to_owned(), subject.to_owned())).or_default();
        if whole {
            kept.clear();
        }
        kept.extend_from_slice(facts);
    }

    fn note(&mut self, partner: &str, subject: &str, notes: &[u8]) {
        self.keep(partner, &notes_on(subject), notes, false);
    }

    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>> {
        let kept = |name: String| self.0.get(&(partner.to_owned(), name)).cloned();
        match (kept(subject.to_owned()), kept(notes_on(subject))) {
            (Some(facts), Some(notes)) => Some([facts, notes].concat()),
            (one, other) => one.or(other),
        }
    }

    fn prefetch(&self, _: &str, _: &str) {}
}

/// Where notes on a subject are kept.
fn notes_on(subject: &str) -> String {
    format!("{subject}\0")
}

/// What was last told of a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) standing: Standing,
    /// When it broke, and since when it had counted.
    pub(crate) breach: Option<(Moment, Moment)>,
    pub(crate) ended: Option<Moment>,
}

/// How a duty stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stands {
    pub(crate) standing: Standing,
    pub(crate) start: Moment,
    pub(crate) deadline: Option<Moment>,
    pub(crate) breach: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    pub(crate) elapsed: Millis,
    pub(crate) cycle: u16,
    pub(crate) claimed: bool,
    pub(crate) excused: bool,
    pub(crate) disputed: bool,
}

/// Everything that can be said at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) stands: BTreeMap<Name, Stands>,
    pub(crate) ledger: BTreeMap<Name, Told>,
    pub(crate) tallies: BTreeMap<(String, String), Vec<(&'static str, i64)>>,
    /// What is counted beside: duties that have ended, and verdicts by month.
    pub(crate) filed: BTreeMap<(String, String), BTreeMap<String, i64>>,
}

pub(crate) struct World {
    pub(crate) book: Arc<Book>,
    decoder: Decoder,
    pub(crate) engine: Engine,
    settling: Option<Millis>,
    pub(crate) shelf: Shelf,
    ledger: BTreeMap<Name, Told>,
    /// Where a difference did not begin at what was told before.
    pub(crate) breaks: Vec<String>,
    peak: Moment,
}

/// Settling time as given; one source is of the least trust.
pub(crate) fn options(settling: Option<Millis>) -> Options {
    Options {
        settling,
        trust: vec![("urn:low*".to_owned(), Trust::Asserted)],
        otherwise: Trust::Verified,
        ..Options::default()
    }
}

impl World {
    pub(crate) fn new(scene: &Scene, settling: Option<Millis>) -> World {
        World::of(&scene.contracts(), settling)
    }

    pub(crate) fn of(contracts: &[Contract], settling: Option<Millis>) -> World {
        let book = Arc::new(Book::new(contracts));
        let mut engine = Engine::new(Arc::clone(&book), options(settling));
        for partner in book.named_partners() {
            engine.begin(partner);
        }
        let decoder = Decoder::new(Arc::clone(&book), Moment::NEVER);
        let (ledger, breaks) = (BTreeMap::new(), Vec::new());
        World { book, decoder, engine, settling, shelf: Shelf::default(), ledger, breaks, peak: Moment::DAWN }
    }

    /// The outcome of hearing these lines, and nothing more up to the scene's last word.
    pub(crate) fn after(scene: &Scene, settling: Option<Millis>, lines: &[String]) -> World {
        let mut world = World::new(scene, settling);
        for line in lines {
            world.hear(line);
        }
        world.finish(scene.until());
        world
    }

    /// Another, with an engine that knows only what a snapshot holds.
    pub(crate) fn restarted(&self) -> World {
        let (book, settling) = (Arc::clone(&self.book), self.settling);
        let engine = Engine::restore(Arc::clone(&book), options(settling), &self.engine.snapshot());
        let engine = engine.expect("an engine takes up its own snapshot");
        let (decoder, shelf, ledger) = (self.decoder.clone(), self.shelf.clone(), self.ledger.clone());
        World { book, decoder, engine, settling, shelf, ledger, breaks: Vec::new(), peak: self.peak }
    }

    /// Takes a line in; time is that of the latest event so far.
    pub(crate) fn hear(&mut self, line: &str) {
        self.hear_behind(line, 0);
    }

    /// The same, where what has been heard lags behind the time.
    pub(crate) fn hear_behind(&mut self, line: &str, lag: Millis) {
        let mut batch = Batch::default();
        self.decoder.record(line, &mut batch).expect("a drawn event is a good event");
        self.peak = self.peak.max(batch.peak.expect("an event has a time"));
        self.engine.advance(self.peak, self.peak + -lag, &mut self.shelf);
        let Batch { events, facts, names, .. } = &mut batch;
        for event in events.iter() {
            let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
            let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
            let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
            self.engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut self.shelf);
        }
        self.tell();
    }

    pub(crate) fn pass(&mut self, now: Moment) {
        self.engine.advance(now, now, &mut self.shelf);
        self.tell();
    }

    pub(crate) fn finish(&mut self, until: Moment) {
        self.engine.finish(until, &mut self.shelf);
        self.tell();
    }

    fn tell(&mut self) {
        let differences = self.engine.take_differences();
        for (subject, d) in differences.iter() {
            let partner = self.engine.partner_name(d.partner).to_owned();
            let name = (partner, self.book.rule(d.rule).id.clone(), subject.to_owned(), d.key);
            let before = self.ledger.get(&name).map_or(Standing::Untold, |told| told.standing);
            // What no longer followed is forgotten when its subject leaves memory; if it follows again, that is news.
            let anew = before == Standing::Withdrawn && d.from == Standing::Untold;
            if before != d.from && !anew {
                self.breaks.push(format!("{name:?}: told {} after {before}, as if after {}", d.to, d.from));
            }
            let breach = d.broken.then_some((d.deadline, d.start));
            self.ledger.insert(name, Told { standing: d.to, breach, ended: d.ended.known() });
        }
        self.engine.give_back(differences);
    }

    pub(crate) fn outcome(&self) -> Outcome {
        let now = self.engine.now();
        let mut out = Outcome::default();
        self.engine.each_duty(&mut |partner, subject, duty, standing| {
            if standing != Standing::Withdrawn {
                let twice = out.stands.insert(self.name(partner, subject, duty), self.stands(duty, standing, now));
                assert!(twice.is_none(), "two duties of one identity");
            }
        });
        let net = self.ledger.iter().filter(|(_, told)| told.standing != Standing::Withdrawn);
        out.ledger = net.map(|(name, told)| (name.clone(), told.clone())).collect();
        for (partner, rules) in self.engine.bound() {
            for rule in rules {
                let tally = self.engine.tally(partner, rule);
                out.tallies.insert((partner.to_owned(), self.book.rule(rule).id.clone()), counts(&tally));
            }
        }
        for (p, partner, rules) in self.engine.bound_at() {
            for rule in rules {
                let of = (partner.to_owned(), self.book.rule(rule).id.clone());
                out.filed.insert(of, self.engine.counted(p, rule).map(filed).unwrap_or_default());
            }
        }
        out
    }

    /// What is counted beside and is no net: how often it was told that a duty had ended so, and breaches taken back.
    pub(crate) fn history(&self) -> BTreeMap<(String, String), Vec<u64>> {
        let mut out = BTreeMap::new();
        for (p, partner, rules) in self.engine.bound_at() {
            for rule in rules {
                let Some(Counted { tally, history }) = self.engine.counted(p, rule) else { continue };
                let mut counts: Vec<u64> = ENDED.map(|s| history.endings(s, tally.of(s))).to_vec();
                counts.push(history.withdrawn());
                out.insert((partner.to_owned(), self.book.rule(rule).id.clone()), counts);
            }
        }
        out
    }

    pub(crate) fn stands(&self, duty: &Duty, standing: Standing, now: Moment) -> Stands {
        Stands {
            standing,
            start: duty.start,
            deadline: duty.shown_deadline(),
            breach: duty.breached_at(),
            ended: duty.ended.known(),
            elapsed: duty.elapsed(now, self.book.calendars()),
            cycle: duty.cycle(),
            claimed: duty.flags.has(Flags::CLAIMED),
            excused: duty.late_excused(),
            disputed: duty.disputed(),
        }
    }

    fn name(&self, partner: &str, subject: &str, duty: &Duty) -> Name {
        (partner.to_owned(), self.book.rule(duty.rule).id.clone(), subject.to_owned(), duty.key)
    }

    /// Every subject in memory that has duties, judged from its timeline alone.
    pub(crate) fn judged_anew(&self) -> BTreeMap<Name, Stands> {
        let mut subjects = BTreeSet::new();
        self.engine.each_duty(&mut |partner, subject, _, _| {
            subjects.insert((partner.to_owned(), subject.to_owned()));
        });
        let mut out = BTreeMap::new();
        for (partner, subject) in &subjects {
            let judged = self.engine.look(partner, subject, |view, _| self.judge(partner, subject, view, &mut out));
            judged.expect("a subject with duties is in memory");
        }
        out
    }

    fn judge(&self, partner: &str, subject: &str, view: View<'_>, out: &mut BTreeMap<Name, Stands>) {
        let now = self.engine.now();
        let mut cx = Cx { view, trace: &mut Silent, links: &mut Vec::new(), position: 0, passing: false };
        let mut fold = Fold::default();
        if partner == subject && !view.sheet.partner_wide.is_empty() {
            fold.begin_partner(&mut cx);
        }
        fold.begin_at_home(view);
        for fact in view.timeline.facts() {
            fold.step(fact, &mut cx);
            cx.position += fact.bytes().len();
        }
        fold.advance(now, &mut cx);
        for duty in fold.open.iter().chain(&fold.ended) {
            let scheduled = duty.flags.has(Flags::SCHEDULED) && duty.start > now;
            if !scheduled && !duty.flags.has(Flags::VOID) {
                out.insert(self.name(partner, subject, duty), self.stands(duty, duty.standing(now), now));
            }
        }
    }
}

/// What is counted beside the standings, as far as it is a net.
fn filed(counted: Counted<'_>) -> BTreeMap<String, i64> {
    let Counted { tally, history } = counted;
    let mut out = BTreeMap::new();
    for standing in ENDED {
        let ended = history.ended(standing, tally.of(standing));
        assert!(history.endings(standing, tally.of(standing)) as i64 >= ended, "what was told is never fewer");
        out.insert(format!("ended {standing}"), ended);
    }
    for month in history.months() {
        out.insert(format!("met in {}", month.index), month.met);
        out.insert(format!("broken in {}", month.index), month.broken);
    }
    out.retain(|_, n| *n != 0);
    out
}

/// By standing, but for those that no longer follow, and for nothing told.
pub(crate) fn counts(tally: &Tally) -> Vec<(&'static str, i64)> {
    let told = Standing::ALL.into_iter().filter(|s| !matches!(s, Standing::Untold | Standing::Withdrawn));
    let mut out: Vec<(&'static str, i64)> = told.map(|s| (s.word(), tally.of(s))).filter(|(_, n)| *n != 0).collect();
    out.push(("broken", tally.broken));
    out
}

/// Where two maps differ, one line each; None: nowhere.
pub(crate) fn unlike<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    a: &BTreeMap<K, V>,
    b: &BTreeMap<K, V>,
) -> Option<String> {
    let keys: BTreeSet<&K> = a.keys().chain(b.keys()).collect();
    let mut out = String::new();
    for key in keys {
        let (one, other) = (a.get(key), b.get(key));
        if one != other {
            let _ = writeln!(out, "{what} {key:?}\n    here  {one:?}\n    there {other:?}");
        }
    }
    (!out.is_empty()).then_some(out)
}

impl Outcome {
    /// Where two outcomes differ.
    pub(crate) fn unlike(&self, other: &Outcome) -> Option<String> {
        let parts = [
            unlike("standing of", &self.stands, &other.stands),
            unlike("last word on", &self.ledger, &other.ledger),
            unlike("tally of", &self.tallies, &other.tallies),
            unlike("filed of", &self.filed, &other.filed),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        (!told.is_empty()).then(|| told.join(""))
    }

    /// What the ledger would have to say, by how everything stands.
    pub(crate) fn as_told(&self) -> BTreeMap<Name, Told> {
        let told = |s: &Stands| Told { standing: s.standing, breach: s.breach.map(|at| (at, s.start)), ended: s.ended };
        self.stands.iter().map(|(name, s)| (name.clone(), told(s))).collect()
    }

    /// The tallies, counted over all duties.
    pub(crate) fn recount(&self) -> BTreeMap<(String, String), Vec<(&'static str, i64)>> {
        let mut out = BTreeMap::new();
        for rule in self.tallies.keys() {
            let mut tally = Tally::default();
            for ((partner, obligation, ..), stands) in &self.stands {
                if (partner, obligation) == (&rule.0, &rule.1) {
                    tally.standings[stands.standing as usize] += 1;
                    tally.broken += i64::from(stands.breach.is_some() && stands.standing != Standing::Unknown);
                }
            }
            out.insert(rule.clone(), counts(&tally));
        }
        out
    }

    /// What is counted beside, counted over all duties.
    pub(crate) fn refiled(&self, book: &Book) -> BTreeMap<(String, String), BTreeMap<String, i64>> {
        let none = || self.filed.keys().map(|of| (of.clone(), BTreeMap::new()));
        let mut out: BTreeMap<(String, String), BTreeMap<String, i64>> = none().collect();
        for ((partner, obligation, ..), stands) in &self.stands {
            let rule = book.rules().iter().position(|rule| rule.id == *obligation).expect("a rule of that name");
            let mut add = |what: String| {
                *out.entry((partner.clone(), obligation.clone())).or_default().entry(what).or_default() += 1;
            };
            if stands.ended.is_some() && ENDED.contains(&stands.standing) {
                add(format!("ended {}", stands.standing));
            }
            let (word, at) = match stands.standing {
                Standing::Met => ("met", stands.ended),
                Standing::MetLate | Standing::Breached => ("broken", stands.breach),
                _ => continue,
            };
            let (month, ..) = month_of(book, rule as u16, at.expect("a verdict has an instant")).expect("a month");
            add(format!("{word} in {month}"));
        }
        out
    }
}
