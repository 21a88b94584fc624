//! Subjects out of memory and back: found where they lie, fetched from the archive if their past may matter, or new.

use super::apply::judge;
use super::shelf::Past;
use super::{Archive, Engine, Subject};
use crate::duty::{Duty, Flags};
use crate::fact::{Fact, TypeId, WATCHED, WATCHER};
use crate::fold::Silent;
use crate::time::Moment;
use crate::timeline::Facts;
use std::sync::Arc;

impl Engine {
    /// A subject in memory, or back from the archive if its past may matter, or new.
    pub(super) fn find_or_recall(
        &mut self,
        partner: u32,
        name: &str,
        at: Moment,
        look: Look,
        archive: &mut dyn Archive,
    ) -> u32 {
        let found = self.shelf.find(partner, name);
        let slot = self.at_or_recall(found, partner, name, at, look, archive);
        if found.is_none() {
            // Whatever becomes of it, it has a time to be let go.
            let subject = self.shelf.take(slot);
            self.put(slot, subject);
        }
        slot
    }

    /// The same, where the look into memory was made. One that is new is put back by whoever asked.
    #[inline(always)]
    pub(super) fn at_or_recall(
        &mut self,
        found: Option<u32>,
        partner: u32,
        name: &str,
        at: Moment,
        look: Look,
        archive: &mut dyn Archive,
    ) -> u32 {
        let back = look == Look::Back || at < self.horizon();
        if let Some(slot) = found {
            if at < self.horizon() || look == Look::Back && self.shelf.is_partial(slot) {
                self.read_back(slot, at, archive);
            }
            return slot;
        }
        let kept = if back { archive.recall(&self.partners[partner as usize].name, name) } else { None };
        let unread = !back && look == Look::Later && self.options.settling.is_some();
        let slot = self.shelf.create(partner, name, Past { unread, read: back });
        if let Some(kept) = kept {
            self.recall(slot, &kept, archive);
        }
        slot
    }

    /// Of a subject in memory, what is in the archive only.
    pub(super) fn read_back(&mut self, slot: u32, at: Moment, archive: &mut dyn Archive) {
        let mut subject = self.shelf.take(slot);
        let settled = subject.rare.as_ref().map_or(Moment::DAWN, |r| r.settled);
        let compacted = subject.rare.as_ref().is_some_and(|r| r.base.is_some());
        let (unread, late) = (subject.unread, at < self.horizon() && !subject.read);
        if compacted && at < settled {
            let own = self.is_own(slot, &subject);
            self.unsettle(own, &mut subject, archive);
            self.judge_again(own, &mut subject, &mut Vec::new());
            self.tell(slot, &mut subject, true);
        }
        self.put(slot, subject);
        if compacted || !(unread || late) {
            return;
        }
        let partner = &self.partners[self.shelf.partner(slot) as usize].name;
        match archive.recall(partner, self.shelf.name(slot)) {
            Some(kept) => self.recall(slot, &kept, archive),
            None => {
                let mut subject = self.shelf.take(slot);
                (subject.unread, subject.read) = (false, true);
                self.put(slot, subject);
            }
        }
    }

    /// Brings an archived subject back as it was told: without telling it again.
    fn recall(&mut self, slot: u32, kept: &[u8], archive: &mut dyn Archive) {
        let mut subject = self.shelf.take(slot);
        let partner = subject.partner;
        (subject.unread, subject.read) = (false, true);
        self.counts.recalled += 1;
        self.fill_for_archived(partner, kept, archive);
        let mut links = self.fetch(slot, &mut subject, kept);
        links.extend(noted(kept, WATCHED).map(str::to_owned));
        links.sort_unstable();
        links.dedup();
        let watchers = noted(kept, WATCHER).filter_map(|name| self.shelf.find(partner, name));
        let watchers: Vec<u32> = watchers.filter(|w| *w != slot).collect();
        let from = subject.timeline.first_at();
        self.put(slot, subject);
        for watcher in watchers {
            self.watch(watcher, slot, archive);
        }
        for target in links {
            self.link(slot, &target, from, archive);
        }
    }

    /// Takes in facts from the archive, with what was told of them. Gives the subjects that they make it read.
    #[cold]
    fn fetch(&mut self, slot: u32, subject: &mut Subject, bytes: &[u8]) -> Vec<String> {
        let own = self.is_own(slot, subject);
        let mut links = Vec::new();
        let mut then = Subject::default();
        then.reset(subject.partner, &subject.name);
        let book = Arc::clone(&self.book);
        let rank = |t| book.names().about(t).rank;
        for fact in archived(bytes) {
            then.timeline.insert(fact, &rank);
        }
        let Some(view) = self.view(&then).filter(|v| !v.timeline.is_empty()) else { return links };
        let mut fold = judge(view, None, own, self.now, &mut Silent, &mut links);
        for duty in fold.open.iter_mut().chain(&mut fold.ended) {
            self.as_told(subject.partner, duty);
        }
        subject.whole = true;
        if subject.timeline.is_empty() {
            (subject.timeline, subject.head) = (then.timeline, fold);
            return links;
        }
        for fact in then.timeline.facts() {
            subject.timeline.insert(fact, &rank);
        }
        let family = |d: &Duty| book.rule(d.rule).family;
        for duty in fold.open.into_iter().chain(fold.ended) {
            let head = &mut subject.head;
            if head.open.iter().chain(&head.ended).all(|d| d.key != duty.key || family(d) != family(&duty)) {
                head.ended.push(duty);
            }
        }
        self.judge_again(own, subject, &mut links);
        self.tell(slot, subject, true);
        links
    }

    /// A duty that was told before it left memory.
    pub(super) fn as_told(&self, partner: u32, duty: &mut Duty) {
        duty.told = duty.standing(self.ear(&self.partners[partner as usize]).of(duty.rule));
        duty.flags.put(Flags::NEWS, false);
        duty.flags.put(Flags::COUNTED, duty.breached_at().is_some());
        duty.filed = super::history::filed(&self.book, duty, duty.told);
    }
}

/// Whether to look into the archive for a subject that is not in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Its life begins: there is nothing of it.
    Nowhere,
    /// What is there does not matter yet.
    Later,
    /// What is there may matter.
    Back,
}

/// The facts among what an archive kept.
pub(super) fn archived(bytes: &[u8]) -> impl Iterator<Item = Fact<'_>> {
    Facts::of(bytes).filter(|f| !matches!(f.kind(), WATCHER | WATCHED))
}

/// The subjects that notes of this type name, among what an archive kept.
pub(super) fn noted(bytes: &[u8], kind: TypeId) -> impl Iterator<Item = &str> {
    Facts::of(bytes).filter(move |f| f.kind() == kind).map(Fact::id)
}
