//! Taking a fact in: find its subject, place it, judge it, tell what changed.

use super::{Archive, Engine, Partner, Rare, Subject};
use crate::duty::Duty;
use crate::fact::{Fact, SourceId, stamp};
use crate::fold::{Cx, Fold, Silent, Source};
use crate::rule::glob;
use crate::standing::Standing;
use crate::terms::Trust;
use crate::time::Moment;
use crate::timeline::{Placed, Timeline};
use crate::vocabulary::Effect;
use std::sync::Arc;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

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
        let partner = self.partner(event.partner);
        if self.partners[partner as usize].sheet.is_none() {
            self.counts.unbound += 1;
            return Applied::Unbound;
        }
        let source = self.source(event.source);
        stamp(event.fact, source, self.sources[usize::from(source)].trust);
        let Some((fact, _)) = Fact::split(event.fact) else { return Applied::Repeat };
        let about = self.book.names().about(fact.kind());
        let (effect, partner_wide) = (about.effect, about.partner_wide);
        let sheet = self.partners[partner as usize].sheet.as_ref();
        let looks_back = sheet.is_some_and(|s| s.looks_back[usize::from(fact.kind())]);
        let slot = self.find_or_recall(partner, event.subject, fact.at(), looks_back, archive);
        let placed = self.place(slot, fact, archive);
        match placed {
            Applied::Placed => self.counts.facts += 1,
            Applied::Repeat => self.counts.repeats += 1,
            Applied::Conflict => self.counts.conflicts += 1,
            Applied::Unbound => {}
        }
        if placed != Applied::Placed {
            return placed;
        }
        self.follow_links(slot, fact, archive);
        if partner_wide {
            let own = self.own_subject(partner);
            self.place_copy(own, fact, event.subject, archive);
        }
        if matches!(effect, Effect::WaiverApproved | Effect::WaiverEnded) {
            self.spread_waiver(partner, slot, fact, archive);
        }
        Applied::Placed
    }

    /// Puts a fact into a subject's timeline and judges it.
    pub(super) fn place(&mut self, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) -> Applied {
        let settled = self.subjects[slot as usize].rare.as_ref().map_or(Moment::DAWN, |r| r.settled);
        if fact.at() < settled {
            self.unsettle(slot, archive);
        }
        let book = Arc::clone(&self.book);
        let rank = |t| book.names().about(t).rank;
        let subject = &mut self.subjects[slot as usize];
        let at = fact.at();
        let position = subject.timeline.bytes().len();
        match subject.timeline.insert(fact, &rank) {
            Placed::Repeat => return Applied::Repeat,
            Placed::Conflict => return Applied::Conflict,
            Placed::Last if at >= subject.head.at && !self.looks_back(fact) => self.step(slot, position, archive),
            Placed::Last | Placed::Amid(_) => {
                self.counts.late += 1;
                self.judge_again(slot, archive);
            }
        }
        self.rearm(slot);
        Applied::Placed
    }

    /// A confirmation decides from its pause's instant on.
    fn looks_back(&self, fact: Fact<'_>) -> bool {
        matches!(self.book.names().about(fact.kind()).effect, Effect::Confirmed | Effect::Voided)
    }

    /// One step from the head.
    fn step(&mut self, slot: u32, position: usize, archive: &mut dyn Archive) {
        let mut links = Vec::new();
        let mut head = std::mem::take(&mut self.subjects[slot as usize].head);
        let subject = &self.subjects[slot as usize];
        let mut waived = false;
        let mut at = self.now;
        if let Some(view) = self.view(subject)
            && let Some((fact, _)) = Fact::split(&subject.timeline.bytes()[position..])
        {
            at = fact.at();
            waived = matches!(view.book.names().about(fact.kind()).effect, Effect::WaiverApproved | Effect::WaiverEnded);
            let mut cx = Cx { view, trace: &mut Silent, links: &mut links, position };
            head.step(fact, &mut cx);
        }
        self.subjects[slot as usize].head = head;
        for target in links {
            self.link(slot, &target, at, archive);
        }
        if waived { self.tell_all(slot) } else { self.tell(slot) }
        self.compact(slot, archive);
    }

    /// Late news: judges the timeline again from where it is settled, and tells the difference.
    pub(super) fn judge_again(&mut self, slot: u32, archive: &mut dyn Archive) {
        let mut links = Vec::new();
        let now = self.now;
        let subject = &self.subjects[slot as usize];
        let Some(view) = self.view(subject) else { return };
        let own = self.partners[subject.partner as usize].own == Some(slot);
        let base = subject.rare.as_ref().and_then(|r| r.base.clone().map(|b| (b, r.settled)));
        let mut fold = judge(view, base, own, now, &mut Silent, &mut links);
        let old = std::mem::take(&mut self.subjects[slot as usize].head);
        let withdrawn = self.reconcile(slot, old, &mut fold);
        self.subjects[slot as usize].head = fold;
        for mut duty in withdrawn {
            self.tell_withdrawn(slot, &mut duty);
            self.subjects[slot as usize].rare.get_or_insert_default().withdrawn.push(duty);
        }
        for target in links {
            self.link(slot, &target, Moment::DAWN, archive);
        }
        self.tell_all(slot);
    }

    /// Carries what was told over to a new judgement of the same facts and more; gives what no longer follows.
    fn reconcile(&mut self, slot: u32, old: Fold, new: &mut Fold) -> Vec<Duty> {
        let book = Arc::clone(&self.book);
        let identity = |d: &Duty| (book.rule(d.rule).family, d.key);
        let rare = self.subjects[slot as usize].rare.as_mut();
        let before = rare.map(|r| std::mem::take(&mut r.withdrawn)).unwrap_or_default();
        let mut told: Vec<(Duty, bool)> = old.open.into_iter().chain(old.ended).map(|d| (d, false)).collect();
        told.extend(before.into_iter().map(|d| (d, true)));
        told.sort_by_key(|(d, _)| identity(d));
        for duty in new.open.iter_mut().chain(&mut new.ended) {
            duty.told = Standing::Untold;
            duty.flags.put(crate::duty::Flags::COUNTED, false);
            let Ok(at) = told.binary_search_by_key(&identity(duty), |(d, _)| identity(d)) else { continue };
            let (was, _) = told.remove(at);
            duty.told = was.told;
            duty.flags.put(crate::duty::Flags::COUNTED, was.flags.has(crate::duty::Flags::COUNTED));
            duty.flags.put(crate::duty::Flags::RETRACTED, was.flags.has(crate::duty::Flags::RETRACTED));
        }
        told.retain(|(d, _)| d.told != Standing::Untold);
        let (still, fresh): (Vec<_>, Vec<_>) = told.into_iter().partition(|(_, before)| *before);
        if !still.is_empty() {
            self.subjects[slot as usize].rare.get_or_insert_default().withdrawn = still.into_iter().map(|(d, _)| d).collect();
        }
        fresh.into_iter().map(|(d, _)| d).collect()
    }

    pub(super) fn find_partner(&self, name: &str) -> Option<u32> {
        self.partner_index.find(xxh3_64(name.as_bytes()), |p| self.partners[*p as usize].name == name).copied()
    }

    /// The partner's position; a partner seen for the first time begins its own duties.
    pub(super) fn partner(&mut self, name: &str) -> u32 {
        let hash = xxh3_64(name.as_bytes());
        if let Some(p) = self.partner_index.find(hash, |p| self.partners[*p as usize].name == name) {
            return *p;
        }
        let sheet = self.book.sheet(name).map(Arc::new);
        let recurring = sheet.as_ref().is_some_and(|s| !s.partner_wide.is_empty());
        let p = self.partners.len() as u32;
        self.partners.push(Partner {
            name: name.to_owned(),
            sheet,
            waivers: Vec::new(),
            own: None,
            cells: super::Cells::default(),
        });
        let partners = &self.partners;
        self.partner_index.insert_unique(hash, p, |p| xxh3_64(partners[*p as usize].name.as_bytes()));
        if recurring {
            let slot = self.own_subject(p);
            self.judge_again(slot, &mut super::NoArchive);
            self.rearm(slot);
        }
        p
    }

    pub(super) fn own_subject(&mut self, partner: u32) -> u32 {
        if let Some(own) = self.partners[partner as usize].own {
            return own;
        }
        let name = self.partners[partner as usize].name.clone();
        let slot = self.find(partner, &name).unwrap_or_else(|| self.create(partner, &name));
        self.partners[partner as usize].own = Some(slot);
        slot
    }

    fn source(&mut self, name: &str) -> SourceId {
        let hash = xxh3_64(name.as_bytes());
        if let Some(id) = self.source_index.find(hash, |id| self.sources[usize::from(*id)].name == name) {
            return *id;
        }
        if self.sources.len() >= usize::from(SourceId::MAX) {
            // More sources than any settings name: the last place stands for all of them, at the least trust.
            return SourceId::MAX - 1;
        }
        let fits = self.options.trust.iter().find(|(pattern, _)| glob(pattern, name));
        let trust = fits.map_or(self.options.otherwise, |(_, trust)| *trust);
        let (name, trust) = if self.sources.len() == usize::from(SourceId::MAX) - 1 {
            ("(other sources)".to_owned(), Trust::Asserted)
        } else {
            (name.to_owned(), trust)
        };
        let id = self.sources.len() as SourceId;
        self.sources.push(Source { name, trust });
        let sources = &self.sources;
        self.source_index.insert_unique(hash, id, |id| xxh3_64(sources[usize::from(*id)].name.as_bytes()));
        id
    }

    pub(super) fn find(&self, partner: u32, name: &str) -> Option<u32> {
        let fits = |slot: &u32| {
            let s = &self.subjects[*slot as usize];
            s.partner == partner && *s.name == *name
        };
        self.index.find(hash(partner, name), fits).copied()
    }

    /// A subject in memory, or back from the archive if it might be there, or new.
    pub(super) fn find_or_recall(
        &mut self,
        partner: u32,
        name: &str,
        at: Moment,
        looks_back: bool,
        archive: &mut dyn Archive,
    ) -> u32 {
        if let Some(slot) = self.find(partner, name) {
            return slot;
        }
        let slot = self.create(partner, name);
        let horizon = self.horizon();
        if looks_back || at < horizon {
            self.recall(slot, archive);
        }
        slot
    }

    /// Brings an archived subject back as it was told: without telling it again.
    pub(super) fn recall(&mut self, slot: u32, archive: &mut dyn Archive) {
        let subject = &self.subjects[slot as usize];
        let partner = &self.partners[subject.partner as usize].name;
        let Some(bytes) = archive.recall(partner, &subject.name) else { return };
        self.counts.recalled += 1;
        let book = Arc::clone(&self.book);
        let rank = |t| book.names().about(t).rank;
        let subject = &mut self.subjects[slot as usize];
        for fact in crate::timeline::Facts::of(&bytes) {
            subject.timeline.insert(fact, &rank);
        }
        let Some(view) = self.view(&self.subjects[slot as usize]) else { return };
        let own = self.partners[self.subjects[slot as usize].partner as usize].own == Some(slot);
        let mut fold = judge(view, None, own, self.now, &mut Silent, &mut Vec::new());
        for duty in fold.open.iter_mut().chain(&mut fold.ended) {
            duty.told = duty.standing(self.heard);
            let broken = duty.breached_at().is_some();
            duty.flags.put(crate::duty::Flags::COUNTED, broken);
        }
        self.subjects[slot as usize].head = fold;
    }

    pub(super) fn create(&mut self, partner: u32, name: &str) -> u32 {
        let hashed = hash(partner, name);
        self.live += 1;
        let slot = match self.free.pop() {
            Some(slot) => {
                let s = &mut self.subjects[slot as usize];
                s.name = name.into();
                s.partner = partner;
                slot
            }
            None => {
                self.subjects.push(Subject {
                    name: name.into(),
                    partner,
                    generation: 0,
                    timeline: Timeline::default(),
                    head: Fold::default(),
                    rare: None,
                });
                (self.subjects.len() - 1) as u32
            }
        };
        let subjects = &self.subjects;
        self.index.insert_unique(hashed, slot, |s| {
            let s = &subjects[*s as usize];
            hash(s.partner, &s.name)
        });
        slot
    }
}

pub(super) fn hash(partner: u32, name: &str) -> u64 {
    xxh3_64_with_seed(name.as_bytes(), u64::from(partner).wrapping_mul(0x9e37_79b9_7f4a_7c15))
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
    let mut cx = Cx { view, trace, links, position: 0 };
    if fresh && own {
        fold.begin_partner(&mut cx);
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

/// Used where a subject is looked at from outside.
pub(crate) fn rare(subject: &mut Subject) -> &mut Rare {
    subject.rare.get_or_insert_default()
}
