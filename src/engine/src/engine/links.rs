//! Links: a duty on one subject may read facts of another. A link stands at the target, whether or not it is known.

use super::merges::merged_into;
use super::recall::{Look, noted};
use super::{Archive, Engine};
use crate::book::Book;
use crate::fact::{Fact, Value, WATCHED, WATCHER, note};
use crate::fold::waived;
use crate::register::UNREAD;
use crate::time::Moment;
use crate::vocabulary::Effect;
use std::sync::Arc;

impl Engine {
    /// Takes a fact to the other subjects that it concerns.
    pub(super) fn travel(&mut self, partner: u32, slot: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let about = book.names().about(fact.kind());
        if about.registered {
            self.enrol(partner, subject, fact, archive);
        }
        self.link_watchers(partner, slot, fact, archive);
        if about.linked {
            let list = self.shelf.watchers(slot);
            // An act may be undone long after it ended what has left memory since.
            if fact.at() < self.horizon() || about.reaches_back || about.effect == Effect::Undo {
                self.wake_watchers(partner, subject, fact, archive);
            }
            for (watcher, generation) in list {
                if self.shelf.generation(watcher) == generation {
                    self.place_copy(watcher, fact, subject, archive);
                }
            }
        }
        if about.partner_wide {
            let own = self.own_subject(partner);
            self.place_copy(own, fact, subject, archive);
        }
        if matches!(about.effect, Effect::WaiverApproved | Effect::WaiverEnded) {
            self.spread_waiver(partner, subject, fact, archive);
        }
    }

    /// It names subjects whose duties may read this one.
    fn link_watchers(&mut self, partner: u32, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        for field in &book.names().about(fact.kind()).names {
            for name in texts(fact.field(*field), &book) {
                // What decides of something before it may concern what has left memory.
                let look = if book.names().about(fact.kind()).reaches_back { Look::Back } else { Look::Later };
                let watcher = self.find_or_recall(partner, name, fact.at(), look, archive);
                self.watch(watcher, slot, archive);
            }
        }
    }

    /// Makes all links that a fact could make: of several copies of one event, whichever was heard first.
    pub(super) fn link_all(&mut self, partner: u32, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let kind = book.names().about(fact.kind()).kind;
        let Some(sheet) = self.partners[partner as usize].sheet.clone() else { return };
        self.link_watchers(partner, slot, fact, archive);
        if matches!(book.names().about(fact.kind()).effect, Effect::WaiverApproved | Effect::WaiverEnded) {
            self.replace_waiver(partner, slot, fact, archive);
        }
        if book.names().about(fact.kind()).effect == Effect::Merged {
            self.carry_to(slot, &merged_into(fact, &book), archive);
        }
        for rule in sheet.rules.iter().map(|id| book.rule(*id)).filter(|r| r.anchor.kinds.contains(&kind)) {
            let since = rule.anchor.events.iter().filter_map(|e| e.since()?.event.on);
            for field in rule.looks_on().into_iter().chain(since) {
                for name in texts(fact.field(field), &book) {
                    self.link(slot, name, fact.at(), archive);
                }
            }
        }
    }

    /// Whoever was sent this copy of a waiver gets the one that counts.
    fn replace_waiver(&mut self, partner: u32, slot: u32, copy: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let said = self.shelf.copy(slot);
        let counts = |f: &Fact<'_>| (f.key(), f.source(), f.id()) == (copy.key(), copy.source(), copy.id());
        let Some(fact) = said.timeline.facts().find(counts) else { return };
        for name in waived(copy, &book) {
            let target = self.find_or_recall(partner, name, copy.at().min(fact.at()), Look::Back, archive);
            self.place_copy(target, fact, &said.name, archive);
        }
    }

    /// Late news may change what ended long ago: those who have left memory hear it, too.
    fn wake_watchers(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        let kept = archive.recall(&self.partners[partner as usize].name, subject).unwrap_or_default();
        let names: std::collections::BTreeSet<&str> = noted(&kept, WATCHER).collect();
        for name in names {
            let watcher = self.find_or_recall(partner, name, fact.at(), Look::Back, archive);
            self.place_copy(watcher, fact, subject, archive);
        }
    }

    /// `slot`'s duties read the facts of the subject `target` from about `at` on.
    pub(super) fn link(&mut self, slot: u32, target: &str, at: Moment, archive: &mut dyn Archive) {
        let partner = self.shelf.partner(slot);
        if target == UNREAD {
            self.fill_register(partner, None, None, archive);
            self.judge_by_register(slot, at, archive);
            return;
        }
        let back = self.requires_links(partner) || self.reads_the_past(slot, partner, target);
        let look = if back { Look::Back } else { Look::Later };
        let other = self.find_or_recall(partner, target, at, look, archive);
        self.watch(slot, other, archive);
    }

    /// What happened on a subject that is not in memory, or not whole, may lie within the life of `slot`'s duties: it was let go
    /// of before anybody knew that they read it.
    fn reads_the_past(&mut self, slot: u32, partner: u32, target: &str) -> bool {
        let whole = |other| !self.shelf.is_partial(other);
        if self.options.settling.is_none() || self.shelf.find(partner, target).is_some_and(whole) {
            return false;
        }
        let subject = self.shelf.take(slot);
        let compacted = subject.rare.as_ref().is_some_and(|rare| rare.base.is_some());
        let past = compacted || subject.timeline.first_at() < self.horizon();
        self.put(slot, subject);
        past
    }

    /// Some requirement reads linked subjects: what happened there long ago may satisfy it.
    fn requires_links(&self, partner: u32) -> bool {
        self.partners[partner as usize].sheet.as_ref().is_some_and(|s| s.requires_links)
    }

    pub(super) fn watch(&mut self, watcher: u32, other: u32, archive: &mut dyn Archive) {
        if watcher == other {
            return;
        }
        let generation = self.shelf.generation(watcher);
        if self.shelf.is_unseen(watcher) {
            let mut waiting = self.shelf.take(watcher);
            waiting.rare().watched = self.now;
            self.put(watcher, waiting);
        }
        let mut subject = self.shelf.take(other);
        let known = subject.rare.as_ref().is_some_and(|r| r.watchers.contains(&(watcher, generation)));
        let mut linked = Vec::new();
        if !known {
            let links = &mut subject.rare().watchers;
            // Those who have left memory watch no more.
            links.retain(|(w, then)| self.shelf.generation(*w) == *then);
            links.push((watcher, generation));
            subject.rare().watched = self.now;
            if self.options.settling.is_some() {
                // Either may leave memory before the other.
                let partner = &self.partners[subject.partner as usize].name;
                let watches = self.shelf.name(watcher);
                archive.note(partner, &subject.name, &note(WATCHER, watches));
                archive.note(partner, watches, &note(WATCHED, &subject.name));
            }
            let names = self.book.names();
            for fact in subject.timeline.facts().filter(|f| !f.linked() && names.about(f.kind()).linked) {
                linked.push(fact.bytes().to_vec());
            }
        }
        let name = subject.name.clone();
        self.put(other, subject);
        for bytes in linked {
            if let Some((fact, _)) = Fact::split(&bytes) {
                self.place_copy(watcher, fact, &name, archive);
            }
        }
    }

    /// Puts a copy of another subject's fact into a timeline.
    pub(super) fn place_copy(&mut self, slot: u32, fact: Fact<'_>, origin: &str, archive: &mut dyn Archive) {
        if self.shelf.name(slot) == origin {
            return;
        }
        let book = Arc::clone(&self.book);
        let mut copy = Vec::with_capacity(fact.bytes().len() + origin.len() + 8);
        // As other facts name it: same texts are same atoms.
        fact.copy_linked(book.names().atom(origin), &mut copy);
        if let Some((fact, _)) = Fact::split(&copy) {
            if fact.at() < self.horizon() {
                self.read_back(slot, fact.at(), archive);
            }
            self.place(slot, fact, archive);
        }
    }

    /// A waiver reaches the subjects that it names; one for the partner's own name reaches all.
    fn spread_waiver(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        for name in waived(fact, &book) {
            let target = self.find_or_recall(partner, name, fact.at(), Look::Back, archive);
            self.place_copy(target, fact, subject, archive);
        }
        if subject != self.partners[partner as usize].name {
            return;
        }
        let Some(slot) = self.shelf.find(partner, subject) else { return };
        // A function of all that was said of waivers, not of what was said last.
        let said = self.shelf.take(slot);
        self.partners[partner as usize].waivers = crate::fold::granted(&said.timeline, &book);
        self.put(slot, said);
        let all: Vec<u32> = self.shelf.slots().filter(|s| self.shelf.partner(*s) == partner).collect();
        for slot in all {
            let mut subject = self.shelf.take(slot);
            let own = self.is_own(slot, &subject);
            if subject.rare.as_ref().is_some_and(|r| r.base.is_some()) {
                self.unsettle(own, &mut subject, archive);
            }
            self.fill_for(&subject, archive);
            let mut links = Vec::new();
            self.judge_again(own, &mut subject, &mut links);
            self.tell(slot, &mut subject, true);
            let from = subject.timeline.first_at();
            self.put(slot, subject);
            for target in links {
                self.link(slot, &target, from, archive);
            }
        }
    }

    /// News before this is settled.
    pub(super) fn horizon(&self) -> Moment {
        self.options.settling.map_or(Moment::DAWN, |settling| self.now + -settling)
    }
}

fn texts<'a>(value: Option<Value<'a>>, book: &'a Book) -> impl Iterator<Item = &'a str> {
    value.into_iter().flat_map(Value::atoms).map(|atom| book.names().text(atom))
}
