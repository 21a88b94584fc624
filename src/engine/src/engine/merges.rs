//! Merged subjects: the facts of one are copied to the one that it was merged into, whenever they come.

use super::apply::Look;
use super::{Archive, Engine};
use crate::book::Book;
use crate::fact::{Fact, Value};
use crate::timeline::Facts;
use crate::vocabulary::Effect;

impl Engine {
    /// A subject that was merged: all that is known of it goes to where it was merged into.
    pub(super) fn carry(&mut self, slot: u32, archive: &mut dyn Archive) {
        let merged = self.shelf.copy(slot).head.merged_into().map(str::to_owned);
        if let Some(into) = merged {
            self.carry_to(slot, &into, archive);
        }
    }

    /// Copies a subject's facts to another one.
    pub(super) fn carry_to(&mut self, slot: u32, into: &str, archive: &mut dyn Archive) {
        let mut subject = self.shelf.take(slot);
        if subject.rare.as_ref().is_some_and(|r| r.base.is_some()) {
            // What has settled counts as well.
            let own = self.is_own(slot, &subject);
            self.unsettle(own, &mut subject, archive);
            self.judge_again(own, &mut subject, &mut Vec::new());
            self.tell(slot, &mut subject, true);
        }
        let (facts, name, partner) = (subject.timeline.bytes().to_vec(), subject.name.clone(), subject.partner);
        self.put(slot, subject);
        if into.is_empty() || into == name {
            return;
        }
        let first = Facts::of(&facts).next().map_or(self.now, Fact::at);
        let target = self.find_or_recall(partner, into, first, Look::Back, archive);
        for fact in Facts::of(&facts) {
            if !fact.linked() {
                self.place_copy(target, fact, &name, archive);
                continue;
            }
            // A copy of what was merged into this one before keeps the name of where it came from.
            let from_there = fact.origin().is_some_and(|o| self.book.names().text(o) == into);
            if !from_there {
                if fact.at() < self.horizon() {
                    self.read_back(target, fact.at(), archive);
                }
                self.place(target, fact, archive);
            }
        }
    }
}

/// The subject that a merge names; empty if none.
pub(super) fn merged_into(fact: Fact<'_>, book: &Book) -> String {
    let names = book.names();
    if names.about(fact.kind()).effect != Effect::Merged {
        return String::new();
    }
    match fact.field(names.well_known().into) {
        Some(Value::One(atom)) => names.text(atom).to_owned(),
        Some(Value::List(_)) | None => String::new(),
    }
}
