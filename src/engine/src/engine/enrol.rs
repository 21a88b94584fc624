//! The partner's register, kept up: facts go into it, what they change is judged again, and what has settled leaves it.

use super::recall::{Look, archived, noted};
use super::{Archive, Engine, Subject};
use crate::book::Sheet;
use crate::fact::{Fact, WATCHED, WATCHER, note};
use crate::fold::way;
use crate::register::{Question, Register, UNREAD};
use crate::rule::{Form, Rule};
use crate::time::{HOUR, Moment};
use crate::timeline::Timeline;
use crate::vocabulary::{KindId, Life};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Engine {
    /// Takes a fact into the register, and tells what it changes of duties about whole populations.
    pub(super) fn enrol(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let about = book.names().about(fact.kind());
        let Some(register) = self.register(partner) else { return };
        let (whole, known) = (register.complete_from(), register.knows(about.kind, subject));
        let mut names = BTreeSet::new();
        if fact.at() < self.horizon() {
            if fact.at() < whole {
                self.fill_register(partner, None, Some(fact), archive);
            }
            // Who has left memory must be as it was told before it hears the news.
            names = self.askers(partner, about.kind, subject, fact, archive);
            for name in &names {
                self.find_or_recall(partner, name, fact.at(), Look::Back, archive);
            }
        } else if !known && whole != Moment::DAWN && about.life != Life::Begins {
            self.bring_back(partner, about.kind, subject, Some(fact), archive);
        }
        let Some(register) = self.partners[partner as usize].register.as_mut() else { return };
        names.extend(register.insert(&book, about.kind, subject, fact));
        self.judge_those(partner, names, fact.at(), archive);
    }

    /// A subject comes to a partner or goes: it is of other populations from then on.
    #[cold]
    pub(super) fn enrol_handover(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let Some(way) = way(fact, &self.partners[partner as usize].name, &book) else { return };
        let Some(register) = self.register(partner) else { return };
        let mut names = BTreeSet::new();
        if fact.at() < self.horizon() {
            if fact.at() < register.complete_from() {
                self.fill_register(partner, None, None, archive);
            }
            for kind in book.registered_kinds() {
                names.extend(self.askers(partner, kind, subject, fact, archive));
            }
            for name in &names {
                self.find_or_recall(partner, name, fact.at(), Look::Back, archive);
            }
        }
        let Some(register) = self.partners[partner as usize].register.as_mut() else { return };
        names.extend(register.rehome(&book, subject, fact.at(), way));
        self.judge_those(partner, names, fact.at(), archive);
    }

    fn register(&self, partner: u32) -> Option<&Register> {
        self.partners[partner as usize].register.as_deref()
    }

    /// Subjects whose duties a late fact may concern, in memory or not.
    fn askers(
        &self,
        partner: u32,
        kind: KindId,
        subject: &str,
        fact: Fact<'_>,
        archive: &mut dyn Archive,
    ) -> BTreeSet<String> {
        let Some(register) = self.register(partner) else { return BTreeSet::new() };
        let mut names = register.concerned(&self.book, kind, subject, fact);
        let kept = archive.recall(&self.partners[partner as usize].name, UNREAD).unwrap_or_default();
        names.extend(noted(&kept, WATCHER).map(str::to_owned));
        names
    }

    /// They asked the register; and where one of them was merged into another, its duties go on there.
    fn judge_those(&mut self, partner: u32, names: BTreeSet<String>, from: Moment, archive: &mut dyn Archive) {
        let (mut names, mut next): (Vec<String>, usize) = (names.into_iter().collect(), 0);
        while let Some(name) = names.get(next) {
            next += 1;
            let Some(slot) = self.shelf.find(partner, name) else { continue };
            self.judge_by_register(slot, from, archive);
            let into = self.shelf.copy(slot).head.merged_into().map(str::to_owned);
            if let Some(into) = into.filter(|into| !names.contains(into)) {
                self.find_or_recall(partner, &into, from, Look::Back, archive);
                names.push(into);
            }
        }
    }

    /// What a subject's duties are told by the register has changed, from an instant on.
    pub(super) fn judge_by_register(&mut self, slot: u32, from: Moment, archive: &mut dyn Archive) {
        let mut subject = self.shelf.take(slot);
        let own = self.is_own(slot, &subject);
        if subject.rare.as_ref().is_some_and(|r| from < r.settled) {
            self.unsettle(own, &mut subject, archive);
        }
        let mut links = Vec::new();
        self.judge_again(own, &mut subject, &mut links);
        links.retain(|target| target != UNREAD);
        if links.is_empty() {
            self.tell(slot, &mut subject, true);
            self.compact(own, &mut subject, archive);
            self.put(slot, subject);
            return;
        }
        let first = subject.timeline.first_at();
        self.put(slot, subject);
        for target in links {
            self.link(slot, &target, first, archive);
        }
        let mut subject = self.shelf.take(slot);
        self.tell(slot, &mut subject, true);
        self.put(slot, subject);
    }

    /// A subject at hand is to be judged from its beginning: the register must know of the time of its anchors.
    pub(super) fn fill_for(&mut self, subject: &Subject, archive: &mut dyn Archive) {
        self.fill_for_facts(subject.partner, subject.timeline.bytes(), Some(subject), archive);
    }

    /// The same, of facts from the archive.
    pub(super) fn fill_for_archived(&mut self, partner: u32, bytes: &[u8], archive: &mut dyn Archive) {
        self.fill_for_facts(partner, bytes, None, archive);
    }

    fn fill_for_facts(&mut self, partner: u32, facts: &[u8], hand: Option<&Subject>, archive: &mut dyn Archive) {
        let one = &self.partners[partner as usize];
        let (Some(register), Some(sheet)) = (&one.register, &one.sheet) else { return };
        let whole = register.complete_from();
        if whole != Moment::DAWN && archived(facts).any(|fact| self.asks_before(sheet, whole, fact)) {
            self.fill_register(partner, hand, None, archive);
        }
    }

    /// A duty about a population may begin with this fact, or after it, and reach back before an instant.
    fn asks_before(&self, sheet: &Sheet, whole: Moment, fact: Fact<'_>) -> bool {
        let chained = |rule: &Rule| {
            let periodic = matches!(rule.form, Form::Every { .. });
            periodic || !rule.anchor.done.is_empty() || !rule.anchor.breached.is_empty()
        };
        let populated = || sheet.rules.iter().map(|id| self.book.rule(*id)).filter(|rule| rule.populated);
        populated().any(|rule| {
            let opens = rule.anchor.events.iter().filter(|event| event.kind == fact.kind());
            let dated = |event: &crate::rule::Match| event.rare.as_ref().is_some_and(|rare| rare.time.is_some());
            let mut opens = opens.map(|event| fact.at() < whole || rule.anchor.time.is_some() || dated(event));
            opens.any(|reaches| reaches) || chained(rule) && fact.at() < whole
        })
    }

    /// All of the past comes back into the register, but for the news that asks for it.
    #[cold]
    pub(super) fn fill_register(
        &mut self,
        partner: u32,
        hand: Option<&Subject>,
        news: Option<Fact<'_>>,
        archive: &mut dyn Archive,
    ) {
        let book = Arc::clone(&self.book);
        let Some(register) = self.register(partner).filter(|r| r.complete_from() != Moment::DAWN) else { return };
        let mut names: BTreeSet<(KindId, String)> = register.known().into_iter().collect();
        let kept = archive.recall(&self.partners[partner as usize].name, UNREAD).unwrap_or_default();
        let gone: BTreeSet<(KindId, String)> = noted(&kept, WATCHED)
            .filter_map(|id| {
                let (kind, name) = id.split_once('\0')?;
                Some((book.names().kind_id(kind)?, name.to_owned()))
            })
            .collect();
        names.extend(gone.iter().cloned());
        for (kind, name) in names {
            self.bring_back(partner, kind, &name, news, archive);
        }
        if let Some(register) = &mut self.partners[partner as usize].register {
            register.are_noted(&gone);
            // One at hand does not lie where it could be looked at.
            for fact in hand.into_iter().flat_map(|subject| subject.timeline.facts()) {
                let kind = book.names().about(fact.kind()).kind;
                register.bring_back(&book, kind, hand.map_or("", |subject| &subject.name), [fact].into_iter());
            }
            register.is_whole_again(&book);
        }
    }

    /// What the archive and memory have of one subject. News lies in memory by now: it is taken in only after those whom
    /// it concerns are as they were told.
    fn bring_back(
        &mut self,
        partner: u32,
        kind: KindId,
        name: &str,
        news: Option<Fact<'_>>,
        archive: &mut dyn Archive,
    ) {
        let book = Arc::clone(&self.book);
        let kept = archive.recall(&self.partners[partner as usize].name, name).unwrap_or_default();
        let here = self.shelf.find(partner, name).map(|slot| self.shelf.copy(slot).timeline);
        let here = here.iter().flat_map(Timeline::facts);
        let is_old = |fact: &Fact<'_>| news.is_none_or(|news| news.bytes() != fact.bytes());
        let Some(register) = self.partners[partner as usize].register.as_mut() else { return };
        register.bring_back(&book, kind, name, archived(&kept));
        register.bring_back(&book, kind, name, here.filter(is_old));
    }

    /// Rids registers of what no answer needs any more: of who has ended, and what was told before of who has not.
    #[cold]
    pub(super) fn sweep(&mut self, archive: &mut dyn Archive) {
        let Some(settling) = self.options.settling else {
            self.next_sweep = Moment::NEVER;
            return;
        };
        if self.now == Moment::DAWN {
            // Time has not begun: there is nothing to forget, and no hour before it.
            return;
        }
        let step = (settling / 4).max(HOUR);
        let at = Moment(self.now.0.div_euclid(step) * step);
        self.next_sweep = at + step;
        for partner in 0..self.partners.len() as u32 {
            if self.register(partner).is_some_and(|register| register.swept() < at) {
                self.sweep_one(partner, at, at + -settling, archive);
            }
        }
    }

    fn sweep_one(&mut self, partner: u32, at: Moment, settled: Moment, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let Some(register) = self.register(partner) else { return };
        let (asked, gone): (Vec<Question>, Vec<Question>) =
            register.questions().into_iter().partition(|question| self.is_asked(partner, question, settled));
        let from = asked.iter().map(|question| question.from).fold(settled, Moment::min);
        let name = self.partners[partner as usize].name.clone();
        for subject in gone.iter().map(|q| &q.subject).collect::<BTreeSet<_>>() {
            archive.note(&name, UNREAD, &note(WATCHER, subject));
        }
        let Some(register) = self.partners[partner as usize].register.as_mut() else { return };
        gone.iter().for_each(|question| register.forget(question));
        for (kind, member) in register.sweep(&book, at, from) {
            let id = format!("{}\0{member}", book.names().kind_name(kind));
            archive.note(&name, UNREAD, &note(WATCHED, &id));
        }
    }

    /// Some duty of the asking subject is open, or ended where news may still come.
    fn is_asked(&self, partner: u32, question: &Question, settled: Moment) -> bool {
        let Some(slot) = self.shelf.find(partner, &question.subject) else { return false };
        let family = self.book.rule(question.rule).family;
        let head = self.shelf.copy(slot).head;
        let mut duties = head.open.iter().chain(&head.ended).filter(|d| self.book.rule(d.rule).family == family);
        duties.any(|duty| duty.ended >= settled)
    }
}
