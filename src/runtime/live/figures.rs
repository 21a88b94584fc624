//! How duties stand, for those who show it: counts as they are told, and what is looked up besides, a slice at a time.

use crate::runtime::check::Row;
use crate::store::Under;
use onus_engine::book::Book;
use onus_engine::engine::{ENDED, Engine, Held, History, Minima, OfPartner, Pass, Tally, month_of};
use onus_engine::identity::DutyId;
use onus_engine::limits::period;
use onus_engine::rule::{Form, Rule, RuleId};
use onus_engine::standing::Standing;
use onus_engine::terms::{Level, Severity, Unit};
use onus_engine::time::{HOUR, Millis, Moment};
use onus_engine::vocabulary::KindId;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Hundredths of the loop's time that looking may take.
const SHARE: i64 = 2;
/// The same while there is nothing else to do.
const IDLE: i64 = 20;
/// After a pause no more milliseconds than this are made up for at once.
const SLICE: Millis = 100;
/// Places that are looked at in any case: a few microseconds.
const LEAST: i64 = 64;
/// What a place is thought to cost before one was looked at, in nanoseconds.
const COST: i64 = 150;
/// Least time between looks through everything: they are shown as often.
const EVERY: Millis = 1_000;
/// Duties at risk that are told by name, at most.
const THREATENED: usize = 10_000;
/// How often everything is counted anew.
const RECOUNT: Millis = HOUR;

/// Standings of duties that have not ended, in the order of [`OfObligation::unended`].
const UNENDED: [Standing; 6] =
    [Standing::Open, Standing::Paused, Standing::Unknown, Standing::Breached, Standing::Waived, Standing::Exempt];

/// How all duties stand, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Duties {
    /// What is called how.
    pub names: Arc<Names>,
    /// By partner, as named.
    pub partners: Vec<PartnerFigures>,
    /// By obligation, as named.
    pub obligations: Vec<OfObligation>,
    /// As of when minima were looked up.
    pub minima: Option<Moment>,
    /// When counts were last held against what is in memory, and how often they did not agree.
    pub recounted: (Option<Moment>, u64),
}

/// Of one partner.
#[derive(Clone, Debug, Default)]
pub struct PartnerFigures {
    /// What was looked up.
    pub seen: OfPartner,
    /// What it holds, by kind as named.
    pub held: Vec<Held>,
    /// Feeds on which its duties rest, a bit each.
    pub feeds: u64,
}

/// Of one obligation of one partner.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfObligation {
    /// By standing, whether they have ended or not.
    pub tally: Tally,
    /// Duties that have not ended, by standing.
    pub unended: [i64; UNENDED.len()],
    /// Duties that have, in the order of [`ENDED`].
    pub ended: [i64; ENDED.len()],
    /// How often it was told that one had ended so.
    pub endings: [u64; ENDED.len()],
    /// Breaches taken back.
    pub withdrawn: u64,
    /// Those of whose act sources contradict each other.
    pub disputed: i64,
    /// Met and breached in the current window, and in the one before.
    pub windows: [[i64; 2]; 2],
    /// When the current window ends.
    pub window_end: Option<Moment>,
    /// What was looked up.
    pub seen: Minima,
}

/// What partners and obligations are called, and what is said of them. Changes with the contracts, and with each new partner.
#[derive(Clone, Debug)]
pub struct Names {
    book: Option<Arc<Book>>,
    seen: usize,
    /// When the next version of a contract comes into force.
    until: Moment,
    /// Partners by name.
    pub partners: Vec<NamedPartner>,
    /// Obligations by partner, contract and id.
    pub obligations: Vec<NamedObligation>,
    windows: Vec<(Unit, RuleId)>,
}

impl Default for Names {
    fn default() -> Names {
        let (partners, obligations, windows) = (Vec::new(), Vec::new(), Vec::new());
        Names { book: None, seen: 0, until: Moment::NEVER, partners, obligations, windows }
    }
}

/// A partner.
#[derive(Clone, Debug)]
pub struct NamedPartner {
    at: u32,
    /// Its name.
    pub name: String,
    /// For whom it works.
    pub customers: Vec<String>,
    /// Kinds of what it holds, as far as obligations are about them.
    pub holds: Vec<(KindId, String)>,
}

/// An obligation of a partner.
#[derive(Clone, Debug)]
pub struct NamedObligation {
    rule: RuleId,
    window: usize,
    /// Which partner's, in [`Names::partners`].
    pub partner: usize,
    /// Contract.
    pub contract: String,
    /// Id.
    pub id: String,
    /// Clause.
    pub clause: String,
    /// Control.
    pub control: Option<String>,
    /// Who owes it.
    pub obligor: String,
    /// How loud its breach is.
    pub severity: &'static str,
    /// It is about what was there before.
    pub finds: bool,
    /// It asks who answers for an act.
    pub asks_who: bool,
    /// Millionths to be met in time.
    pub target: Option<u32>,
    /// The target is measured over the window.
    pub by_window: bool,
}

impl Duties {
    /// Counts by obligation, as a report has them.
    pub fn rows(&self) -> Vec<Row> {
        let row = |(named, one): (&NamedObligation, &OfObligation)| Row {
            partner: self.names.partners[named.partner].name.clone(),
            contract: named.contract.clone(),
            obligation: named.id.clone(),
            clause: named.clause.clone(),
            tally: one.tally,
        };
        self.names.obligations.iter().zip(&self.obligations).map(row).collect()
    }
}

impl Names {
    /// The places of a partner's obligations.
    pub fn obligations_of(&self, partner: usize) -> Range<usize> {
        let from = self.obligations.partition_point(|one| one.partner < partner);
        from..self.obligations.partition_point(|one| one.partner <= partner)
    }

    fn is_of(&self, engine: &Engine) -> bool {
        self.book.as_ref().is_some_and(|book| Arc::ptr_eq(book, engine.book()))
    }

    /// They are of this book. Partners may have come, and versions come into force.
    fn fits(&self, engine: &Engine) -> bool {
        self.is_of(engine) && self.seen == engine.partner_count() && engine.now() < self.until
    }

    fn of(engine: &Engine) -> Names {
        let book = engine.book();
        let versions = book.rules().iter().filter_map(|rule| rule.next).map(|(since, _)| since);
        let until = versions.filter(|since| *since > engine.now()).min().unwrap_or(Moment::NEVER);
        let seen = engine.partner_count();
        let mut names = Names { book: Some(Arc::clone(book)), seen, until, ..Names::default() };
        let mut bound: Vec<(u32, &str, Vec<RuleId>)> = engine.bound_at().collect();
        bound.sort_by(|a, b| a.1.cmp(b.1));
        for (at, name, families) in bound {
            let partner = names.partners.len();
            let mut customers: Vec<String> = families.iter().map(|id| book.rule(*id).customer.clone()).collect();
            customers.sort_unstable();
            customers.dedup();
            let holds = engine.held_kinds(at).into_iter().map(|(kind, word)| (kind, word.to_owned())).collect();
            names.partners.push(NamedPartner { at, name: name.to_owned(), customers, holds });
            let from = names.obligations.len();
            for family in families {
                let named = names.obligation(book, partner, family, engine.now());
                names.obligations.push(named);
            }
            names.obligations[from..].sort_by(|a, b| (&a.contract, &a.id).cmp(&(&b.contract, &b.id)));
        }
        names
    }

    fn obligation(&mut self, book: &Book, partner: usize, family: RuleId, now: Moment) -> NamedObligation {
        let rule = in_force(book, family, now);
        let target = rule.target.as_ref();
        // Whole months are what verdicts are counted by.
        let unit = target.map(|target| target.each).filter(|unit| !matches!(unit, Unit::Day | Unit::Week));
        let unit_or_month = unit.unwrap_or(Unit::Month);
        let zone = |id: RuleId| newest(book, id).zone;
        let same = |(of, id): &(Unit, RuleId)| *of == unit_or_month && zone(*id) == zone(family);
        let window = self.windows.iter().position(same).unwrap_or_else(|| {
            self.windows.push((unit_or_month, family));
            self.windows.len() - 1
        });
        NamedObligation {
            rule: family,
            window,
            partner,
            contract: rule.contract.clone(),
            id: rule.id.clone(),
            clause: rule.clause.clone(),
            control: rule.control.as_ref().map(|(name, _)| name.clone()),
            obligor: rule.obligor.to_string(),
            severity: match rule.severity {
                Severity::Note => "note",
                Severity::Ticket => "ticket",
                Severity::Page => "page",
            },
            finds: matches!(rule.form, Form::Requires(_)),
            asks_who: book.asks_who(current(book, family, now)),
            target: target.and_then(|target| match target.level {
                Level::Share(millionths) => Some(millionths),
                Level::Average(_) | Level::AverageOf(_) => None,
            }),
            by_window: unit.is_some(),
        }
    }
}

/// The version that has come into force last, else the first.
fn in_force(book: &Book, family: RuleId, now: Moment) -> &Rule {
    book.rule(current(book, family, now))
}

fn current(book: &Book, family: RuleId, now: Moment) -> RuleId {
    let mut id = family;
    while let Some((_, next)) = book.rule(id).next.filter(|(since, _)| *since <= now) {
        id = next;
    }
    id
}

fn newest(book: &Book, family: RuleId) -> &Rule {
    in_force(book, family, Moment::NEVER)
}

/// A duty of which little of the limit is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threatened {
    /// Which.
    pub duty: DutyId,
    /// Whose it is, and by what.
    pub under: Arc<Under>,
    /// What it is about.
    pub subject: String,
    /// When it is due, as it is known now.
    pub deadline: Moment,
}

/// Takes duties at risk, as often as they are looked up, and whether these are all; waits for nobody.
pub type TakesThreatened = Box<dyn FnMut(Vec<Threatened>, bool) + Send>;

/// Who wants to know what is at risk.
#[derive(Default)]
struct Wanted(Option<TakesThreatened>);

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wanted({})", self.0.is_some())
    }
}

impl Wanted {
    fn tell(&mut self, engine: &Engine, pass: &Pass) {
        let Some(takes) = &mut self.0 else { return };
        let (risks, whole) = pass.risks();
        let named = risks.iter().map(|risk| {
            let rule = engine.book().rule(risk.rule);
            let under = Under {
                partner: engine.partner_name(risk.partner).to_owned(),
                contract: rule.contract.clone(),
                obligation: rule.id.clone(),
                clause: rule.clause.clone(),
            };
            Threatened {
                duty: DutyId::of(&under.partner, &under.contract, &under.obligation, &risk.subject, risk.key),
                under: Arc::new(under),
                subject: risk.subject.clone(),
                deadline: risk.deadline,
            }
        });
        takes(named.collect(), whole);
    }
}

/// What is looked up while the loop goes on.
#[derive(Debug, Default)]
pub(super) struct Looking {
    names: Arc<Names>,
    under_way: Option<Pass>,
    last: Option<Pass>,
    began: Millis,
    named: Millis,
    looked: Millis,
    /// What a place has cost of late, in nanoseconds; 0: nobody knows.
    cost: i64,
    recount_at: Millis,
    recounted: (Option<Moment>, u64),
    wanted: Wanted,
}

impl Looking {
    /// Somebody wants to know what is at risk.
    pub(super) fn tell_threatened(&mut self, takes: TakesThreatened) {
        self.wanted = Wanted(Some(takes));
    }

    /// Goes on looking, for as long as a small share of the time that has passed allows. `idle`: the loop has nothing else to
    /// do. What is shown depends on how fast this machine is, nothing that is judged does.
    pub(super) fn on(&mut self, engine: &Engine, steady: Millis, idle: bool) {
        if !self.names.is_of(engine) {
            // Another book, another judge: nothing of what was seen is of it.
            let mut pass = engine.begin_pass();
            engine.look_on(&mut pass, usize::MAX);
            self.names = Arc::new(Names::of(engine));
            (self.under_way, self.last) = (None, Some(pass));
            (self.began, self.named, self.looked, self.recount_at) = (steady, steady, steady, steady + RECOUNT);
            return;
        }
        // Where partners come one after the other, not for each.
        if !self.names.fits(engine) && steady - self.named >= EVERY {
            self.names = Arc::new(Names::of(engine));
            self.named = steady;
        }
        let past = (steady - self.looked).clamp(0, SLICE);
        if self.under_way.is_none() && steady - self.began >= EVERY {
            let mut pass = engine.begin_pass();
            pass.name_risks(if self.wanted.0.is_some() { THREATENED } else { 0 });
            self.under_way = Some(pass);
            self.began = steady;
        }
        if past == 0 {
            return;
        }
        self.looked = steady;
        if let Some(mut pass) = self.under_way.take() {
            if self.slice(engine, &mut pass, past * 1_000_000 * if idle { IDLE } else { SHARE } / 100) {
                self.wanted.tell(engine, &pass);
                self.last = Some(pass);
            } else {
                self.under_way = Some(pass);
            }
        }
        if steady >= self.recount_at {
            self.recount_at = steady + RECOUNT;
            self.recount(engine);
        }
    }

    /// Looks on for so many nanoseconds; true: that was all.
    fn slice(&mut self, engine: &Engine, pass: &mut Pass, nanoseconds: i64) -> bool {
        let cost = if self.cost == 0 { COST } else { self.cost };
        let (before, began) = (pass.looked_at(), Instant::now());
        let all = engine.look_on(pass, (nanoseconds / cost).max(LEAST) as usize);
        let places = i64::from(pass.looked_at() - before);
        if places >= LEAST {
            let now = i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX) / places;
            self.cost = (cost * 7 + now.clamp(1, 100 * COST)) / 8;
        }
        all
    }

    fn recount(&mut self, engine: &Engine) {
        let wrong = engine.recount();
        self.recounted.0 = Some(engine.now());
        if wrong.is_empty() {
            return;
        }
        self.recounted.1 += 1;
        tracing::error!(
            "counts of duties do not agree with the duties in memory; this is a defect of Onus, please report it: {}",
            wrong.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("; ")
        );
    }

    /// How everything stands; None: its partners are not named yet.
    pub(super) fn duties(&self, engine: &Engine) -> Option<Arc<Duties>> {
        let (book, names) = (engine.book(), &self.names);
        if !names.is_of(engine) {
            return None;
        }
        let now = engine.now();
        let windows: Vec<Window> =
            names.windows.iter().map(|(unit, rule)| Window::of(book, *unit, *rule, now)).collect();
        let last = self.last.as_ref();
        let none = (Tally::default(), History::default());
        let obligation = |named: &NamedObligation| {
            let partner = names.partners[named.partner].at;
            let counted = engine.counted(partner, named.rule);
            let (tally, history) = counted.map_or((&none.0, &none.1), |c| (c.tally, c.history));
            let window = &windows[named.window];
            OfObligation {
                tally: *tally,
                unended: UNENDED.map(|s| tally.of(s) - history.ended(s, tally.of(s))),
                ended: ENDED.map(|s| history.ended(s, tally.of(s))),
                endings: ENDED.map(|s| history.endings(s, tally.of(s))),
                withdrawn: history.withdrawn(),
                disputed: history.disputed(),
                windows: window.sums(history),
                window_end: window.to,
                seen: last.map(|pass| pass.row(partner, named.rule)).unwrap_or_default(),
            }
        };
        let partner = |named: &NamedPartner| PartnerFigures {
            seen: last.map(|pass| pass.partner(named.at)).unwrap_or_default(),
            held: named
                .holds
                .iter()
                .map(|(kind, _)| last.map(|l| l.held(named.at, *kind)).unwrap_or_default())
                .collect(),
            feeds: engine.rests_on_feeds(named.at),
        };
        Some(Arc::new(Duties {
            names: Arc::clone(names),
            partners: names.partners.iter().map(partner).collect(),
            obligations: names.obligations.iter().map(obligation).collect(),
            minima: last.map(Pass::began).filter(|at| *at != Moment::DAWN),
            recounted: self.recounted,
        }))
    }
}

/// The current window, in whole months.
struct Window {
    first: i32,
    months: i32,
    to: Option<Moment>,
}

impl Window {
    fn of(book: &Book, unit: Unit, rule: RuleId, now: Moment) -> Window {
        let months = match unit {
            Unit::Day | Unit::Week | Unit::Month => 1,
            Unit::Quarter => 3,
            Unit::HalfYear => 6,
            Unit::Year => 12,
        };
        let known = (now != Moment::DAWN).then(|| month_of(book, rule, now)).flatten();
        let first = known.map_or(i32::MIN, |(index, ..)| index - index.rem_euclid(months));
        let to = known.and_then(|_| period(unit, newest(book, rule).zone, now)).map(|(_, to)| to);
        Window { first, months, to }
    }

    fn sums(&self, history: &History) -> [[i64; 2]; 2] {
        let mut out = [[0; 2]; 2];
        for month in history.months() {
            let ahead = i64::from(month.index) - i64::from(self.first);
            let back = match ahead.div_euclid(i64::from(self.months)) {
                0 => 0,
                -1 => 1,
                _ => continue,
            };
            out[back][0] += month.met;
            out[back][1] += month.broken;
        }
        out
    }
}
