//! The explanation: why every duty of a subject stands as it stands, stretch by stretch, and who held the onus when.
//!
//! It is made by judging the subject's timeline once more, by the engine's own judge, with a recorder that watches. So
//! it cannot tell another story than the one that was told: the stretches of a duty touch, cover its whole life, and
//! what they count adds up to the elapsed time that the engine shows. Who holds the onus follows rules that
//! `docs/decisions/0013-who-holds-the-onus.md` gives.

mod due;
mod facts;
mod holders;
mod limits;
mod populations;
mod recorder;
mod stretches;
pub mod words;

use crate::calendar::{self, Calendar};
use crate::duty::{Duty, Flags};
use crate::engine::{Engine, judge};
use crate::fold::View;
use crate::identity::DutyId;
use crate::rule::Rule;
use crate::standing::Standing;
use crate::time::{Millis, Moment};
use recorder::{Name, Raw, Recorder, name_of};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

pub use due::{Due, Plus};
pub use facts::FactUse;
pub use holders::Holding;
pub use limits::LimitUse;
pub use populations::Count;
pub use stretches::{Stretch, Why};

/// All there is to say about one subject of one partner.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Partner.
    pub partner: String,
    /// Subject.
    pub subject: String,
    /// As of when.
    #[serde(serialize_with = "rfc")]
    pub now: Moment,
    /// Duties in the order of their beginning; of a reopened one the last cycle, with the earlier ones in it.
    pub duties: Vec<DutyStory>,
    /// Who held the onus, from the first duty or fact to now, without a gap.
    pub holders: Vec<Holding>,
    /// Who holds it from now on, if nothing more happens; None: nothing is known of the subject.
    pub holder: Option<Holding>,
    /// What bears on no duty in particular, such as a pause that stopped nothing.
    pub notes: Vec<Note>,
}

/// One duty, explained.
#[derive(Clone, Debug, Serialize)]
pub struct DutyStory {
    /// Identity.
    pub duty: String,
    /// Obligation.
    pub obligation: String,
    /// Clause.
    pub clause: String,
    /// The clause's own words.
    pub says: Option<String>,
    /// The sentence that is judged, in words.
    pub owed: String,
    /// Contract.
    pub contract: String,
    /// In force from.
    #[serde(serialize_with = "rfc")]
    pub effective: Moment,
    /// The side, or its role, that owes it.
    pub obligor: String,
    /// That side's name.
    pub obligor_name: String,
    /// Cycle, from 1.
    pub cycle: u16,
    /// How it stands.
    pub standing: Standing,
    /// `claimed`, `capped`, `disputed`, `excused`, `retracted`.
    pub flags: Vec<&'static str>,
    /// Counting from.
    #[serde(serialize_with = "rfc")]
    pub start: Moment,
    /// Due, or the instant of the breach; None while paused or exempt.
    #[serde(serialize_with = "rfc_known")]
    pub deadline: Option<Moment>,
    /// The breach.
    #[serde(serialize_with = "rfc_known")]
    pub breached_at: Option<Moment>,
    /// The end.
    #[serde(serialize_with = "rfc_known")]
    pub ended_at: Option<Moment>,
    /// What ended it.
    pub ended_by: Option<String>,
    /// Time counted by the limit that binds.
    pub elapsed_ms: Millis,
    /// Past the deadline by, up to the end or now.
    pub late: Option<Late>,
    /// Zone of the local times in these words: the calendar's, else the contract's.
    pub zone: String,
    /// All limits that run; the first binds.
    pub limits: Vec<LimitUse>,
    /// How the deadline comes about.
    pub due: Option<Due>,
    /// Its whole life, in order.
    pub stretches: Vec<Stretch>,
    /// What happened to it, in order.
    pub notes: Vec<Note>,
    /// How far the populations are of which each owes the act.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub populations: Vec<Count>,
    /// The facts that it rests on, in order.
    pub facts: Vec<FactUse>,
    /// Of a reopened duty: the cycles before.
    pub earlier_cycles: Vec<DutyStory>,
}

/// Past the deadline by, in both measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Late {
    /// Wall time.
    pub elapsed_ms: Millis,
    /// Open time of the calendar of the limit that binds.
    pub calendar_ms: Millis,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// When.
    #[serde(serialize_with = "rfc")]
    pub at: Moment,
    /// What.
    pub text: String,
}

/// Explains a subject. None: the engine has nothing of it. To be asked of an engine that lets nothing settle, best with
/// a verbose book: what has left memory cannot be explained.
pub fn explain(engine: &Engine, partner: &str, subject: &str) -> Option<Explanation> {
    let told = engine.duties_of(partner, subject);
    engine.look(partner, subject, |view, _| of(engine, view, &told))
}

fn of(engine: &Engine, view: View<'_>, told: &[(Duty, Standing)]) -> Explanation {
    let now = engine.now();
    let mut recorder = Recorder::new(view);
    let own = view.partner == view.subject;
    let fold = judge(view, None, own, now, &mut recorder, &mut Vec::new());
    let standings: BTreeMap<Name, (Standing, Flags)> =
        told.iter().map(|(d, standing)| (name_of(view.book, d), (*standing, d.flags))).collect();
    let teller = Teller { view, now, engine };
    let mut stories: Vec<(Name, Life<'_>)> = Vec::new();
    for duty in fold.open.iter().chain(&fold.ended) {
        let name = name_of(view.book, duty);
        let Some((standing, flags)) = standings.get(&name) else { continue };
        let raw = recorder.raws.remove(&name).unwrap_or_default();
        stories.push((name, Life { duty, standing: *standing, told: *flags, raw }));
    }
    // Superseded, a duty is there and told as withdrawn.
    let there = |duty: &Duty| stories.iter().any(|(name, _)| *name == name_of(view.book, duty));
    let mut withdrawn: Vec<DutyStory> = told
        .iter()
        .filter(|(duty, standing)| *standing == Standing::Withdrawn && !there(duty))
        .map(|(duty, _)| teller.withdrawn(duty))
        .collect();
    for (_, life) in &mut stories {
        life.raw.close(life.duty, now);
    }
    let holders = holders::over_time(view, &stories, now);
    let holder = holders::from_now(view, &stories, now);
    let mut duties =
        chains(stories.iter().map(|(name, life)| (*name, life.duty.cycle(), teller.story(life))).collect());
    duties.append(&mut withdrawn);
    duties.sort_by(|a, b| (a.start, &a.obligation, &a.duty).cmp(&(b.start, &b.obligation, &b.duty)));
    Explanation {
        partner: view.partner.to_owned(),
        subject: view.subject.to_owned(),
        now,
        duties,
        holders,
        holder,
        notes: recorder.notes,
    }
}

/// A duty with all that was recorded of it.
pub(crate) struct Life<'f> {
    duty: &'f Duty,
    standing: Standing,
    /// Flags as the engine told them: whether a breach was taken back is a matter of telling.
    told: Flags,
    raw: Raw,
}

impl Life<'_> {
    /// The end, or now.
    fn end(&self, now: Moment) -> Moment {
        self.duty.ended.min(now).max(self.duty.start)
    }
}

struct Teller<'a> {
    view: View<'a>,
    now: Moment,
    engine: &'a Engine,
}

impl<'a> Teller<'a> {
    fn story(&self, life: &Life<'_>) -> DutyStory {
        let duty = life.duty;
        let rule = self.rule(duty);
        let end = life.end(self.now);
        let zone = self.zone(duty);
        let cut = stretches::cut(self.view, life, self.now, self.engine);
        let due = due::arithmetic(self.view, life, &cut, end, zone);
        let late = duty
            .breached_at()
            .filter(|at| end > *at)
            .map(|at| Late { elapsed_ms: end - at, calendar_ms: self.calendar(duty).between(at, end) });
        let mut flags = Vec::new();
        for (flag, word) in [(Flags::CLAIMED, "claimed"), (Flags::CAPPED, "capped")] {
            if duty.flags.has(flag) {
                flags.push(word);
            }
        }
        if duty.disputed() {
            flags.push("disputed");
        }
        if duty.late_excused() {
            flags.push("excused");
        }
        if life.told.has(Flags::RETRACTED) {
            flags.push("retracted");
        }
        let mut notes = life.raw.notes.clone();
        let counts = populations::of(self.view, duty);
        notes.extend(counts.iter().map(|count| Note { at: end, text: count.text() }));
        notes.extend(facts::futile_pauses(self.view, life, end));
        notes.sort();
        notes.dedup();
        DutyStory {
            standing: life.standing,
            flags,
            late,
            zone: zone.name().to_owned(),
            limits: limits::of(self.view, duty, end),
            due,
            elapsed_ms: duty.elapsed(self.now, self.view.book.calendars()),
            stretches: cut,
            notes,
            populations: counts,
            facts: facts::of(self.view, life, end),
            ..self.bare(duty, rule)
        }
    }

    fn withdrawn(&self, duty: &Duty) -> DutyStory {
        let text = "it was told once, but no longer follows from the facts".to_owned();
        let notes = vec![Note { at: duty.start, text }];
        DutyStory { standing: Standing::Withdrawn, flags: vec!["retracted"], notes, ..self.bare(duty, self.rule(duty)) }
    }

    fn bare(&self, duty: &Duty, rule: &Rule) -> DutyStory {
        let family = self.view.book.rule(rule.family);
        let partner = rule.obligor.side == crate::terms::Side::Partner;
        DutyStory {
            duty: DutyId::of(self.view.partner, &family.contract, &family.id, self.view.subject, duty.key).to_string(),
            obligation: rule.id.clone(),
            clause: rule.clause.clone(),
            says: rule.says.clone(),
            owed: words::sentence(self.view.book, rule),
            contract: rule.contract.clone(),
            effective: rule.from,
            obligor: rule.obligor.to_string(),
            obligor_name: if partner { self.view.partner.to_owned() } else { rule.customer.clone() },
            cycle: duty.cycle(),
            standing: Standing::Untold,
            flags: Vec::new(),
            start: duty.start,
            deadline: duty.shown_deadline(),
            breached_at: duty.breached_at(),
            ended_at: duty.ended.known(),
            ended_by: duty
                .ended
                .known()
                .filter(|_| !duty.flags.has(Flags::FINDING))
                .map(|_| self.view.book.names().about(duty.ended_by).name.clone()),
            elapsed_ms: 0,
            late: None,
            zone: rule.zone.name().to_owned(),
            limits: Vec::new(),
            due: None,
            stretches: Vec::new(),
            notes: Vec::new(),
            populations: Vec::new(),
            facts: Vec::new(),
            earlier_cycles: Vec::new(),
        }
    }

    fn rule(&self, duty: &Duty) -> &'a Rule {
        self.view.book.rule(duty.rule)
    }

    fn calendar(&self, duty: &Duty) -> &'a Calendar {
        self.view.book.calendar(duty.clock.calendar)
    }

    fn zone(&self, duty: &Duty) -> chrono_tz::Tz {
        if duty.clock.calendar == 0 { self.rule(duty).zone } else { calendar::Calendar::zone(self.calendar(duty)) }
    }
}

/// Cycles of one duty, the earlier ones in the last.
fn chains(all: Vec<(Name, u16, DutyStory)>) -> Vec<DutyStory> {
    let mut chains: BTreeMap<(u16, u64), Vec<(u16, DutyStory)>> = BTreeMap::new();
    for ((family, _, root), cycle, story) in all {
        chains.entry((family, root)).or_default().push((cycle, story));
    }
    let mut out = Vec::new();
    for mut cycles in chains.into_values() {
        cycles.sort_by_key(|(cycle, story)| (*cycle, story.start));
        let mut cycles: Vec<DutyStory> = cycles.into_iter().map(|(_, story)| story).collect();
        if let Some(mut last) = cycles.pop() {
            last.earlier_cycles = cycles;
            out.push(last);
        }
    }
    out
}

fn rfc<S: Serializer>(at: &Moment, s: S) -> Result<S::Ok, S::Error> {
    s.collect_str(at)
}

fn rfc_known<S: Serializer>(at: &Option<Moment>, s: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => s.collect_str(at),
        None => s.serialize_none(),
    }
}
