//! Taking a fact in: find its subject, place it, judge it, tell what changed.

use super::recall::Look;
use super::shelf::{self, Hint};
use super::voices::Voice;
use super::{Archive, Engine, Subject};
use crate::duty::{Duty, Filed, Flags};
use crate::fact::{Fact, SourceId, TypeId, stamp};
use crate::fold::{Cx, Fold, Silent};
use crate::standing::Standing;
use crate::terms::Trust;
use crate::time::Moment;
use crate::timeline::Placed;
use crate::vocabulary::Effect;

/// An event as it comes in: names as text, the rest as a written fact.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// Partner.
    pub partner: &'a str,
    /// Subject's id.
    pub subject: &'a str,
    /// Source.
    pub source: &'a str,
    /// The fact, as [`crate::book::Book::write`] wrote it; stamped here.
    pub fact: &'a mut [u8],
    /// How far what brought it is trusted; None: by the source's name.
    pub trust: Option<Trust>,
}

/// What a look ahead found of an event; see [`Engine::look_ahead`].
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    partner: Option<u32>,
    source: Option<SourceId>,
    /// They were not seen together before.
    is_new: bool,
    hint: Hint,
}

impl Ahead {
    /// Its subject is probably in memory.
    pub fn is_at_hand(&self) -> bool {
        self.hint.slot.is_some()
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Taken in.
    Placed,
    /// Known already: nothing changes.
    Repeat,
    /// Another content under a known id: shown, not lost.
    Conflict,
    /// No contract names the partner.
    Unbound,
}

impl Engine {
    /// Takes an event in. `now` must have been advanced to what was heard before.
    pub fn apply(&mut self, event: Incoming<'_>, archive: &mut dyn Archive) -> Applied {
        let seen = self.ahead(event.partner, event.source, event.subject);
        self.apply_seen(event, seen, archive)
    }

    /// The same, of an event that was looked up before ([`Engine::look_ahead`]).
    pub fn apply_seen(&mut self, mut event: Incoming<'_>, seen: Ahead, archive: &mut dyn Archive) -> Applied {
        let partner = seen.partner.unwrap_or_else(|| self.partner(event.partner));
        let Some(kind) = Fact::split(event.fact).map(|(fact, _)| usize::from(fact.kind())) else {
            return Applied::Repeat;
        };
        if self.book.names().about(kind as TypeId).effect == Effect::Rehomed
            && let Some(applied) = self.rehome(&mut event, archive)
        {
            self.count(applied);
            return applied;
        }
        let Some(sheet) = &self.partners[partner as usize].sheet else {
            self.counts.unbound += 1;
            return Applied::Unbound;
        };
        // What may begin now is counted in a moment.
        for id in &sheet.opens[kind] {
            self.partners[partner as usize].cells.prefetch(self.book.rule(*id).family);
        }
        let (looks_back, travels, of_sources) = (sheet.looks_back[kind], sheet.travels[kind], sheet.of_sources);
        let source = seen.source.unwrap_or_else(|| self.source(event.source));
        if seen.is_new {
            self.voices.add(Voice::new(event.partner, event.source, partner, source));
        }
        stamp(event.fact, source, event.trust.unwrap_or(self.sources[usize::from(source)].trust));
        let Some((fact, _)) = Fact::split(event.fact) else { return Applied::Repeat };
        let look = match () {
            () if looks_back || self.is_handed(event.subject) => Look::Back,
            () if self.book.names().about(fact.kind()).opening => Look::Nowhere,
            () => Look::Later,
        };
        let found = match seen.partner {
            Some(_) => self.shelf.find_hinted(partner, event.subject, seen.hint),
            None => self.shelf.find(partner, event.subject),
        };
        let slot = self.at_or_recall(found, partner, event.subject, fact.at(), look, archive);
        let placed = self.place(slot, fact, archive);
        self.count(placed);
        if placed != Applied::Repeat && self.is_handed(event.subject) {
            self.share(partner, event.subject, fact, archive);
        }
        if placed == Applied::Conflict {
            // The other copy counts, but links may come from any.
            self.link_all(partner, slot, fact, archive);
        }
        if placed == Applied::Placed && travels {
            self.travel(partner, slot, event.subject, fact, archive);
        }
        if of_sources && placed != Applied::Repeat {
            self.note_source(partner, event.subject, fact, archive);
        }
        placed
    }

    #[inline(always)]
    fn count(&mut self, applied: Applied) {
        match applied {
            Applied::Placed => self.counts.facts += 1,
            Applied::Repeat => self.counts.repeats += 1,
            Applied::Conflict => self.counts.conflicts += 1,
            Applied::Unbound => self.counts.unbound += 1,
        }
    }

    /// Looks events up some time before they are taken in, by partner, source and subject, and adds what it found: most of the
    /// memory that they need is far away, and is fetched meanwhile. Changes nothing.
    pub fn look_ahead<'e>(&self, events: impl Iterator<Item = [&'e str; 3]>, seen: &mut Vec<Ahead>) {
        let before = seen.len();
        seen.extend(events.map(|[partner, source, subject]| self.ahead(partner, source, subject)));
        // One kind of look at a time: no look waits for the one before it.
        let mut new = 0;
        for one in &mut seen[before..] {
            one.hint = self.shelf.hint(one.hint.hash);
            let slot = one.hint.slot.unwrap_or_else(|| {
                new += 1;
                self.shelf.free_slot(new - 1)
            });
            self.shelf.prefetch_slot(slot);
            self.wheel.prefetch(slot);
        }
    }

    /// A part of the look ahead: stamps a written fact, if its source was known by then. Taking it in does so in any case, but
    /// then its copy has to wait for it.
    #[inline(always)]
    pub fn stamp_ahead(&self, seen: Ahead, fact: &mut [u8], trust: Option<Trust>) {
        if let Some(source) = seen.source {
            stamp(fact, source, trust.unwrap_or(self.sources[usize::from(source)].trust));
        }
    }

    /// The second step of a look ahead, a little before the event is taken in: has its subject itself fetched.
    #[inline(always)]
    pub fn prefetch(&self, seen: Ahead) {
        if let Some(slot) = seen.hint.slot {
            self.shelf.prefetch(slot);
        }
    }

    fn ahead(&self, partner: &str, source: &str, subject: &str) -> Ahead {
        let voice = self.voices.find(partner, source);
        let (partner, source) = match voice {
            Some(voice) => (Some(voice.partner), Some(voice.source)),
            None => (self.find_partner(partner), self.find_source(source)),
        };
        let hint = Hint { hash: shelf::hash(partner.unwrap_or_default(), subject), slot: None };
        Ahead { partner, source, is_new: voice.is_none(), hint }
    }

    /// Puts a fact into a subject's timeline, judges it, and tells what changed.
    #[inline(never)]
    pub(super) fn place(&mut self, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) -> Applied {
        let mut subject = self.shelf.take(slot);
        let mut links = Vec::new();
        let own = self.is_own(slot, &subject);
        for duty in &subject.head.open {
            self.partners[subject.partner as usize].cells.prefetch(self.book.rule(duty.rule).family);
        }
        let mut gone = None;
        let placed = self.take_in(&mut subject, own, fact, &mut links, &mut gone, archive);
        if let Ok(all) = placed
            && links.is_empty()
        {
            self.tell(slot, &mut subject, all);
            self.compact(own, &mut subject, archive);
        }
        let merged = placed.is_ok() && subject.head.merged_into().is_some();
        self.put(slot, subject);
        let all = match placed {
            Ok(all) => all,
            Err(known) => return known,
        };
        if !links.is_empty() {
            self.link_those(slot, links, all, fact, archive);
        }
        if merged {
            self.carry(slot, archive);
        }
        if let Some(gone) = gone {
            self.link_anew(slot, &gone, fact, archive);
        }
        Applied::Placed
    }

    /// What the linked subjects say comes first: a requirement may be met there.
    #[inline(never)]
    pub(super) fn link_those(
        &mut self,
        slot: u32,
        links: Vec<String>,
        all: bool,
        fact: Fact<'_>,
        archive: &mut dyn Archive,
    ) {
        let from = if all { self.shelf.copy(slot).timeline.first_at() } else { fact.at() };
        for target in links {
            self.link(slot, &target, from, archive);
        }
        let mut subject = self.shelf.take(slot);
        self.tell(slot, &mut subject, true);
        self.put(slot, subject);
    }

    /// Another copy of an event counts: who read the one reads the other.
    #[cold]
    fn link_anew(&mut self, slot: u32, gone: &[u8], fact: Fact<'_>, archive: &mut dyn Archive) {
        if let Some((gone, _)) = Fact::split(gone).filter(|(gone, _)| !gone.linked()) {
            let partner = self.shelf.partner(slot);
            self.link_all(partner, slot, gone, archive);
            self.link_all(partner, slot, fact, archive);
        }
    }

    /// Places and judges; gives whether every duty may have changed, or what the fact was instead of news.
    #[inline(always)]
    fn take_in(
        &mut self,
        subject: &mut Subject,
        own: bool,
        fact: Fact<'_>,
        links: &mut Vec<String>,
        gone: &mut Option<Vec<u8>>,
        archive: &mut dyn Archive,
    ) -> Result<bool, Applied> {
        let settled = subject.rare.as_ref().map_or(Moment::DAWN, |r| r.settled);
        let about = self.book.names().about(fact.kind());
        // A confirmation decides from its pause's instant on, evidence from its act's: that may lie in the settled part.
        let (effect, reaches_back, denied_by) = (about.effect, about.reaches_back, about.denied_by);
        if fact.at() < settled || (reaches_back || about.undoes_elsewhere) && settled != Moment::DAWN {
            self.unsettle(own, subject, archive);
        }
        let names = self.book.names();
        let rank = |t| names.about(t).rank;
        let position = subject.timeline.bytes().len();
        // An act confirms what its source may have denied before, of acts that were told already.
        let denied = denied_by.is_some_and(|denial| subject.timeline.facts().any(|one| one.kind() == denial));
        let in_order = match subject.timeline.insert(fact, &rank) {
            Placed::Repeat => return Err(Applied::Repeat),
            Placed::Conflict => return Err(Applied::Conflict),
            Placed::Last => fact.at() >= subject.head.at && !reaches_back && !denied,
            Placed::Amid(_) => false,
            Placed::Instead(copy) => {
                *gone = Some(copy);
                false
            }
        };
        if !in_order {
            self.counts.late += 1;
            self.fill_for(subject, archive);
            self.judge_again(own, subject, links);
            return Ok(true);
        }
        let mut head = std::mem::take(&mut subject.head);
        if let Some(view) = self.view(subject)
            && let Some((fact, _)) = Fact::split(&subject.timeline.bytes()[position..])
        {
            let mut cx = Cx { view, trace: &mut Silent, links, position, passing: false };
            head.step(fact, &mut cx);
            if head.wake < self.now {
                cx.position = view.timeline.bytes().len();
                head.advance(self.now, &mut cx);
            }
        }
        subject.head = head;
        Ok(matches!(effect, Effect::WaiverApproved | Effect::WaiverEnded))
    }

    /// Late news: judges the timeline again from where it is settled. What no longer follows is told at once.
    #[cold]
    pub(super) fn judge_again(&mut self, own: bool, subject: &mut Subject, links: &mut Vec<String>) {
        let Some(view) = self.view(subject) else { return };
        let base = subject.rare.as_ref().and_then(|r| r.base.clone().map(|b| (b, r.settled)));
        let mut fold = judge(view, base, own, self.now, &mut Silent, links);
        let old = std::mem::take(&mut subject.head);
        let withdrawn = self.reconcile(subject, old, &mut fold);
        subject.head = fold;
        for mut duty in withdrawn {
            self.tell_withdrawn(subject, &mut duty);
            subject.rare().withdrawn.push(duty);
        }
    }

    /// Carries what was told over to a new judgement of the same facts and more; gives what no longer follows.
    #[cold]
    fn reconcile(&self, subject: &mut Subject, old: Fold, new: &mut Fold) -> Vec<Duty> {
        let identity = |d: &Duty| (self.book.rule(d.rule).family, d.key);
        let before = subject.rare.as_mut().map(|r| std::mem::take(&mut r.withdrawn)).unwrap_or_default();
        let mut told: Vec<(Duty, bool)> = old.open.into_iter().chain(old.ended).map(|d| (d, false)).collect();
        told.extend(before.into_iter().map(|d| (d, true)));
        told.sort_by_key(|(d, _)| identity(d));
        for duty in new.open.iter_mut().chain(&mut new.ended) {
            (duty.told, duty.filed) = (Standing::Untold, Filed::NOWHERE);
            duty.flags.put(Flags::COUNTED, false);
            if let Some(more) = &mut duty.more {
                more.told_disputed = false;
            }
            let Ok(at) = told.binary_search_by_key(&identity(duty), |(d, _)| identity(d)) else { continue };
            let was = &mut told[at].0;
            (duty.told, duty.filed) = (std::mem::take(&mut was.told), was.filed);
            duty.flags.put(Flags::COUNTED, was.flags.has(Flags::COUNTED));
            duty.flags.put(Flags::RETRACTED, was.flags.has(Flags::RETRACTED));
            if was.more.as_ref().is_some_and(|more| more.told_disputed) {
                duty.more_mut().told_disputed = true;
            }
            let instants = |d: &Duty| (d.start, d.breached_at(), d.ended, d.late_excused(), d.disputed());
            duty.flags.put(Flags::NEWS, was.flags.has(Flags::NEWS) || instants(was) != instants(duty));
        }
        told.retain(|(d, _)| d.told != Standing::Untold);
        let (still, fresh): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, before)| *before);
        if !still.is_empty() {
            subject.rare().withdrawn = still.into_iter().map(|(d, _)| d).collect();
        }
        fresh.into_iter().map(|(d, _)| d).collect()
    }

    /// The partner's own timeline, where duties of the partner as a whole live.
    pub(super) fn is_own(&self, slot: u32, subject: &Subject) -> bool {
        self.partners[subject.partner as usize].own == Some(slot)
    }
}

/// Judges a timeline: from its settled base if there is one, else from the beginning.
pub(crate) fn judge<'a, T: crate::fold::Trace>(
    view: crate::fold::View<'a>,
    base: Option<(Fold, Moment)>,
    own: bool,
    now: Moment,
    trace: &mut T,
    links: &mut Vec<String>,
) -> Fold {
    let fresh = base.is_none();
    let (mut fold, settled) = base.unwrap_or((Fold::default(), Moment::DAWN));
    let mut cx = Cx { view, trace, links, position: 0, passing: false };
    if fresh && own {
        fold.begin_partner(&mut cx);
    }
    if fresh {
        fold.begin_at_home(view);
    }
    let mut offset = 0;
    for fact in view.timeline.facts() {
        cx.position = offset;
        offset += fact.bytes().len();
        if fact.at() >= settled {
            fold.step(fact, &mut cx);
            cx.trace.taken(fact, &fold);
        }
    }
    cx.position = offset;
    fold.advance(now, &mut cx);
    fold
}
