//! Links: a duty on one subject may read facts of another. A link stands at the target, whether or not it is known.

use super::apply::rare;
use super::{Archive, Engine};
use crate::fact::{Atom, Fact, Value};
use crate::time::Moment;
use std::sync::Arc;

impl Engine {
    /// Gives a new fact to the subjects whose duties read it, and makes the links that it names.
    pub(super) fn follow_links(&mut self, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let about = book.names().about(fact.kind());
        let partner = self.subjects[slot as usize].partner;
        for field in &about.names {
            // It names subjects whose duties may read this one.
            let named: Vec<String> = fact.field(*field).into_iter().flat_map(Value::atoms).map(|a| book.names().text(a).to_owned()).collect();
            for name in named {
                let watcher = self.find_or_recall(partner, &name, fact.at(), false, archive);
                self.watch(watcher, slot, archive);
                self.rearm(watcher);
            }
        }
        if about.linked {
            let watchers = self.subjects[slot as usize].rare.as_ref().map(|r| r.watchers.clone()).unwrap_or_default();
            let name = self.subjects[slot as usize].name.clone();
            for (watcher, generation) in watchers {
                if self.subjects[watcher as usize].generation == generation {
                    self.place_copy(watcher, fact, &name, archive);
                }
            }
        }
    }

    /// `slot`'s duties read the facts of the subject `target` from about `at` on (DAWN: from its beginning).
    pub(super) fn link(&mut self, slot: u32, target: &str, at: Moment, archive: &mut dyn Archive) {
        let partner = self.subjects[slot as usize].partner;
        let other = match self.find(partner, target) {
            Some(other) => other,
            None => {
                let other = self.create(partner, target);
                if at < self.horizon() || self.requires_links(partner) {
                    self.recall(other, archive);
                }
                other
            }
        };
        self.watch(slot, other, archive);
        self.rearm(other);
    }

    /// Some requirement reads linked subjects: what happened there long ago may satisfy it.
    fn requires_links(&self, partner: u32) -> bool {
        self.partners[partner as usize].sheet.as_ref().is_some_and(|s| s.requires_links)
    }

    fn watch(&mut self, watcher: u32, other: u32, archive: &mut dyn Archive) {
        if watcher == other {
            return;
        }
        let generation = self.subjects[watcher as usize].generation;
        let generations: Vec<u32> = match &self.subjects[other as usize].rare {
            Some(r) if r.watchers.contains(&(watcher, generation)) => return,
            Some(r) => r.watchers.iter().map(|(w, _)| self.subjects[*w as usize].generation).collect(),
            None => Vec::new(),
        };
        let links = &mut rare(&mut self.subjects[other as usize]).watchers;
        // Those who have left memory watch no more.
        let mut now = generations.into_iter();
        links.retain(|(_, then)| now.next() == Some(*then));
        links.push((watcher, generation));
        let book = Arc::clone(&self.book);
        let linked: Vec<Vec<u8>> = self.subjects[other as usize]
            .timeline
            .facts()
            .filter(|f| !f.linked() && book.names().about(f.kind()).linked)
            .map(|f| f.bytes().to_vec())
            .collect();
        let name = self.subjects[other as usize].name.clone();
        for bytes in linked {
            if let Some((fact, _)) = Fact::split(&bytes) {
                self.place_copy(watcher, fact, &name, archive);
            }
        }
    }

    /// Puts a copy of another subject's fact into a timeline.
    pub(super) fn place_copy(&mut self, slot: u32, fact: Fact<'_>, origin: &str, archive: &mut dyn Archive) {
        if *self.subjects[slot as usize].name == *origin {
            return;
        }
        let mut copy = std::mem::take(&mut self.scratch);
        copy.clear();
        // As other facts name it: same texts are same atoms.
        let book = Arc::clone(&self.book);
        let origin: Atom<'_> = book.names().atom(origin);
        fact.copy_linked(origin, &mut copy);
        if let Some((fact, _)) = Fact::split(&copy) {
            self.place(slot, fact, archive);
        }
        self.scratch = copy;
    }

    /// A waiver reaches the subjects that it names; one for the partner's own name reaches all.
    pub(super) fn spread_waiver(&mut self, partner: u32, slot: u32, fact: Fact<'_>, archive: &mut dyn Archive) {
        let book = Arc::clone(&self.book);
        let names = book.names();
        let subject = self.subjects[slot as usize].name.clone();
        for kind in ["ticket", "change", "credential", "incident", "grant"] {
            let value = names.field_id(kind).and_then(|f| fact.field(f));
            let named: Vec<String> = value.into_iter().flat_map(Value::atoms).map(|a| names.text(a).to_owned()).collect();
            for name in named {
                let target = self.find_or_recall(partner, &name, fact.at(), true, archive);
                self.place_copy(target, fact, &subject, archive);
            }
        }
        if *subject != *self.partners[partner as usize].name {
            return;
        }
        // A function of all that was said of waivers, not of what was said last.
        self.partners[partner as usize].waivers = crate::fold::granted(&self.subjects[slot as usize].timeline, &book);
        let all: Vec<u32> = (0..self.subjects.len() as u32).filter(|s| self.is_of(*s, partner)).collect();
        for slot in all {
            if self.subjects[slot as usize].rare.as_ref().is_some_and(|r| r.base.is_some()) {
                self.unsettle(slot, archive);
            }
            self.judge_again(slot, archive);
            self.rearm(slot);
        }
    }

    fn is_of(&self, slot: u32, partner: u32) -> bool {
        let s = &self.subjects[slot as usize];
        s.partner == partner && !s.name.is_empty()
    }

    /// News before this is settled.
    pub(super) fn horizon(&self) -> Moment {
        self.options.settling.map_or(Moment::DAWN, |settling| self.now + -settling)
    }
}
