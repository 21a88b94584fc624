//! The judge: a fold over a subject's facts in order. In order, one step from the head; late news folds again from the
//! settled base. What it knows is what the facts say, never what was told before.

mod abroad;
mod acts;
mod birth;
mod disorder;
mod disputes;
mod evidence;
mod excuses;
mod findings;
mod follow;
mod foregone;
mod memory;
mod merges;
mod opening;
mod origins;
mod passing;
mod pauses;
mod periods;
mod populations;
mod quotas;
mod rebase;
mod rehomed;
mod since;
mod sources;
mod supersede;
mod undone;
mod waivers;

use crate::book::{Book, Sheet};
use crate::duty::{Duty, Flags, WaiverSpan};
use crate::fact::{Atom, Fact, FieldId};
use crate::register::Register;
use crate::rule::{Form, Limit, Rule, RuleId};
use crate::terms::Side;
use crate::time::Moment;
use crate::timeline::Timeline;
use crate::vocabulary::{Effect, EventType};
use serde::{Deserialize, Serialize};

use memory::{ActivePause, Memory};

pub(crate) use foregone::is_looked_back_on;
pub(crate) use rehomed::{Way, parties, way};
pub(crate) use waivers::{covers, granted, waived};

/// What is known of one subject after some of its facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// Everything up to here has been taken in.
    pub at: Moment,
    /// The next instant at which something changes by itself.
    pub wake: Moment,
    /// Duties that have not ended.
    pub open: Vec<Duty>,
    /// Duties that have.
    pub ended: Vec<Duty>,
    memory: Option<Box<Memory>>,
}

/// A waiver that an event approved for this subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubjectWaiver {
    /// Key of the approving fact.
    pub key: u64,
    /// Obligations by id; empty: all.
    pub obligations: Vec<String>,
    /// Side of the approver.
    pub side: Option<Side>,
    /// Role of the approver.
    pub role: Option<String>,
    /// What it covers.
    pub span: WaiverSpan,
}

/// A recurring duty by calendar periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Periodic {
    rule: RuleId,
    /// The next duty opens here.
    next: Moment,
    /// Counting of the first period begins here, not at the period's start.
    since: Moment,
}

/// Where an event came from, as the engine knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// How far it is believed.
    pub trust: crate::terms::Trust,
}

/// What a judgement may look at, beside the fold itself.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// All contracts.
    pub book: &'a Book,
    /// What binds this partner.
    pub sheet: &'a Sheet,
    /// The partner.
    pub partner: &'a str,
    /// The subject's id.
    pub subject: &'a str,
    /// Its facts and copies of linked ones.
    pub timeline: &'a Timeline,
    /// Waivers for the partner as a whole.
    pub waivers: &'a [SubjectWaiver],
    /// Sources by position.
    pub sources: &'a [Source],
    /// Who lives, of the kinds of which some act is owed of each.
    pub register: Option<&'a Register>,
}

/// Why a stretch of time did not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It counted, as far as the calendar is open.
    Not,
    /// An effective pause.
    Paused,
    /// An approved deviation.
    Waived,
    /// No row of the table applied.
    Exempt,
    /// It had ended, and was later reopened.
    Ended,
}

impl Stopped {
    /// Why an open duty's time does not count as things stand.
    pub fn of(duty: &Duty) -> Stopped {
        match () {
            () if duty.flags.has(Flags::WAIVED) => Stopped::Waived,
            () if duty.flags.has(Flags::EXEMPT) => Stopped::Exempt,
            () if !duty.counting() => Stopped::Paused,
            () => Stopped::Not,
        }
    }
}

/// A pause that holds a duty: since when, why and by whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PausedBy {
    /// Its own instant.
    pub at: Moment,
    /// The reason given.
    pub reason: Option<String>,
    /// The side that paused; None: not known.
    pub side: Option<Side>,
    /// The role within it.
    pub role: Option<String>,
}

/// Watches a judgement being made. Two implementations: [`Silent`], and the explanation's recorder.
pub trait Trace: Sized {
    /// A stretch of a duty's time.
    fn stretch(&mut self, duty: &Duty, from: Moment, to: Moment, why: Stopped);
    /// Something that bears on a duty, or on the subject (None).
    fn note(&mut self, at: Moment, duty: Option<&Duty>, text: &dyn Fn() -> String);
    /// Whether what costs to say is worth saying.
    fn watches(&self) -> bool {
        true
    }
    /// The pauses that hold a duty from `at` on; none: it runs again.
    fn held(&mut self, _at: Moment, _duty: &Duty, _by: Vec<PausedBy>) {}
    /// A fact was taken in, and this is the judgement after it.
    fn taken(&mut self, _fact: Fact<'_>, _fold: &Fold) {}
    /// Watches another subject being judged for this one's sake: nothing of it is this one's unless it is adopted.
    fn aside(&self) -> Self;
    /// A duty of what was watched aside goes on here, with all that was seen of it.
    fn adopted(&mut self, _duty: &Duty, _aside: &mut Self) {}
    /// The limits of another duty run along from here on, with the time that it has used; it was watched aside, or here (None).
    fn runs_along(&mut self, _duty: &Duty, _other: &Duty, _aside: Option<&mut Self>) {}
}

/// Watches nothing, and costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Trace for Silent {
    fn stretch(&mut self, _: &Duty, _: Moment, _: Moment, _: Stopped) {}
    fn note(&mut self, _: Moment, _: Option<&Duty>, _: &dyn Fn() -> String) {}
    fn watches(&self) -> bool {
        false
    }
    fn aside(&self) -> Silent {
        Silent
    }
}

/// What a step works with.
pub struct Cx<'a, 'l, T> {
    /// What may be looked at.
    pub view: View<'a>,
    /// Who watches.
    pub trace: &'l mut T,
    /// Subjects whose facts these duties read: the engine makes the links.
    pub links: &'l mut Vec<String>,
    /// Byte position of the current fact in the timeline: what stands before it has been taken in.
    pub position: usize,
    /// Time passes on the way to the current fact: it lies ahead.
    pub passing: bool,
}

impl<'a, T: Trace> Cx<'a, '_, T> {
    fn book(&self) -> &'a Book {
        self.view.book
    }

    fn rule(&self, id: RuleId) -> &'a Rule {
        self.view.book.rule(id)
    }

    fn about(&self, fact: Fact<'_>) -> &'a EventType {
        self.view.book.names().about(fact.kind())
    }

    /// Facts before the current one.
    fn before(&self) -> impl Iterator<Item = Fact<'a>> + use<'a, T> {
        let end = self.position;
        let mut offset = 0;
        self.view.timeline.facts().take_while(move |fact| {
            let inside = offset < end;
            offset += fact.bytes().len();
            inside
        })
    }

    /// Facts before the current one, and that one, unless time passes before it.
    fn so_far(&self) -> impl Iterator<Item = Fact<'a>> + use<'a, T> {
        let (end, passing) = (self.position, self.passing);
        let mut offset = 0;
        self.view.timeline.facts().take_while(move |fact| {
            let inside = offset < end || offset == end && !passing;
            offset += fact.bytes().len();
            inside
        })
    }

    fn anchor(&self, duty: &Duty) -> Option<Fact<'a>> {
        self.view.timeline.facts().find(|f| f.key() == duty.anchor())
    }

    /// A field of an event, else of its subject as it then stood.
    fn known(&self, fact: Option<Fact<'a>>, field: FieldId) -> Option<Atom<'a>> {
        let one = |f: Fact<'a>| f.field(field).and_then(|v| v.atoms().next());
        if let Some(atom) = fact.and_then(one) {
            return Some(atom);
        }
        if self.position == 0 {
            return None;
        }
        self.before().filter(|f| !f.linked()).filter_map(one).last()
    }
}

/// Limits of a rule.
pub(crate) fn limits(rule: &Rule) -> &[Limit] {
    match &rule.form {
        Form::Within { limits, .. } | Form::Every { limits, .. } => limits,
        Form::Requires(_) => &[],
    }
}

impl Default for Fold {
    fn default() -> Fold {
        Fold { at: Moment::DAWN, wake: Moment::NEVER, open: Vec::new(), ended: Vec::new(), memory: None }
    }
}

impl Fold {
    /// Takes in the fact at `cx.position`, which must not be earlier than what was taken in before.
    #[inline(always)]
    pub fn step<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        self.advance(fact.at(), cx);
        self.take(fact, cx, true);
        self.schedule(cx);
        // What begins overdue is so at once.
        self.advance(fact.at(), cx);
    }

    /// Nothing open, nothing recurring: only news can change it.
    pub fn is_quiet(&self) -> bool {
        self.open.is_empty() && self.memory.as_ref().is_none_or(|m| m.periods.is_empty())
    }

    /// Pauses whose confirmation is still awaited would be judged again by it.
    pub(crate) fn has_pauses(&self) -> bool {
        self.memory.as_ref().is_some_and(|m| !m.pauses.is_empty())
    }

    /// Bytes on the heap, roughly as the allocator counts them.
    pub fn heap_bytes(&self) -> usize {
        let duties = self.open.capacity() + self.ended.capacity();
        duties * size_of::<Duty>() + self.memory.as_ref().map_or(0, |_| size_of::<Memory>())
    }

    fn take<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>, opening: bool) {
        let about = cx.about(fact);
        let tied = self.at == fact.at();
        self.forget_lifted(fact.at());
        self.at = self.at.max(fact.at());
        if !fact.linked() {
            self.rebase(fact, cx);
            match about.effect {
                Effect::Paused => self.pause(fact, cx),
                Effect::Resumed => self.resume(fact, cx),
                Effect::Cancelled => self.cancel(fact, cx),
                // What another partner has in hand is not undone here.
                Effect::Undo if self.is_away() => {}
                Effect::Undo => self.undo(fact, about, cx),
                Effect::Rehomed => self.rehome(fact, opening, cx),
                // Confirmations are read when their pause is taken in; see `pauses`.
                Effect::Confirmed | Effect::Voided | Effect::None => {}
                Effect::WaiverApproved | Effect::WaiverEnded | Effect::Merged => {}
            }
        }
        match about.effect {
            Effect::None => {}
            Effect::WaiverApproved => self.waive(fact, cx),
            Effect::WaiverEnded => self.end_waiver(fact, cx),
            Effect::Merged => self.merge(fact, opening, cx),
            Effect::Undo if fact.linked() && !self.is_away() => self.undo(fact, about, cx),
            Effect::Paused
            | Effect::Resumed
            | Effect::Confirmed
            | Effect::Voided
            | Effect::Cancelled
            | Effect::Rehomed
            | Effect::Undo => {}
        }
        self.begin_limits(fact, cx);
        if cx.view.sheet.excuses {
            self.excuse(fact, cx);
        }
        self.acts(fact, about, cx);
        if self.memory.as_ref().is_some_and(|m| !m.periods.is_empty()) {
            self.end_periods(fact, cx);
        }
        if !cx.view.sheet.on.is_empty() && !fact.linked() {
            self.look_there(fact, cx);
        }
        if opening && !fact.linked() {
            self.open_on(fact, about, tied, cx);
        }
        // On whatever subject it happened: a copy, or the partner's own fact. Copies on others are not of this duty.
        if opening && about.partner_wide && cx.view.subject == cx.view.partner {
            self.slide(fact, cx);
            if !cx.view.sheet.counted.is_empty() {
                self.count(fact, cx);
            }
        }
        if cx.view.sheet.populations {
            self.gather(cx);
        }
        if cx.view.sheet.follows {
            self.follow(fact.at(), true, cx);
        }
    }

    fn retire(&mut self, mut duty: Duty) {
        duty.flags.put(Flags::NEWS, true);
        self.ended.push(duty);
    }

    #[inline]
    fn settle<T: Trace>(duty: &mut Duty, to: Moment, cx: &mut Cx<'_, '_, T>) {
        if to > duty.since && duty.is_open() {
            cx.trace.stretch(duty, duty.since, to, Stopped::of(duty));
        }
        duty.settle(to, cx.view.book.calendars());
    }

    #[inline]
    fn find_deadline<T: Trace>(duty: &mut Duty, cx: &Cx<'_, '_, T>) {
        let rule = cx.rule(duty.rule);
        duty.find_deadline(cx.book().calendars(), |row, at| crate::limits::roll(cx.book(), rule, row, at));
    }

    #[cold]
    fn cancel<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        for mut duty in std::mem::take(&mut self.open) {
            cx.trace.note(fact.at(), Some(&duty), &|| format!("cancelled ({})", fact.id()));
            Fold::settle(&mut duty, fact.at(), cx);
            duty.flags.put(Flags::CANCELLED, true);
            duty.ended = fact.at();
            duty.ended_by = fact.kind();
            self.retire(duty);
        }
        if let Some(memory) = &mut self.memory {
            memory.periods.clear();
        }
    }
}
