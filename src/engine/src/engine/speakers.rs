//! Sources as subjects, where something is owed of each: that one speaks is a fact of it, and so is what it owes.

use super::apply::Incoming;
use super::recall::Look;
use super::{Archive, Engine, NoArchive};
use crate::book::SEEN;
use crate::fact::{Draft, Fact, SourceId};
use crate::rule::Rule;
use crate::time::Moment;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Engine {
    /// A partner's source has said something: it is there from then on, and what is owed of it is told to it, too.
    #[cold]
    pub(super) fn note_source(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        self.is_there(partner, fact.source(), fact.at(), archive);
        let name = self.sources[usize::from(fact.source())].name.clone();
        if self.book.names().about(fact.kind()).of_source && subject != name {
            let slot = self.find_or_recall(partner, &name, fact.at(), Look::Later, archive);
            self.place(slot, fact, archive);
        }
    }

    /// Sources that contracts name are there from the contract's beginning, heard or not.
    pub(super) fn expect_sources(&mut self, partner: u32) {
        let book = Arc::clone(&self.book);
        let Some(sheet) = self.partners[partner as usize].sheet.clone().filter(|sheet| sheet.of_sources) else {
            return;
        };
        let of_source = |rule: &&Rule| rule.of_source;
        let mut expected = BTreeSet::new();
        for rule in sheet.rules.iter().map(|id| book.rule(*id)).filter(of_source) {
            let named = rule.sources.iter().filter(|pattern| !pattern.contains('*'));
            expected.extend(named.map(|name| (book.rule(rule.family).from, name.clone())));
        }
        for (from, name) in expected {
            let source = self.source(&name);
            self.is_there(partner, source, from, &mut NoArchive);
        }
    }

    /// Notes that a source is there, if that was not known of so early an instant.
    fn is_there(&mut self, partner: u32, source: SourceId, at: Moment, archive: &mut dyn Archive) {
        let speakers = &mut self.partners[partner as usize].speakers;
        if speakers.get(&source).is_some_and(|since| *since <= at) {
            return;
        }
        speakers.insert(source, at);
        let book = Arc::clone(&self.book);
        let Some(kind) = book.names().event_type(SEEN) else { return };
        let (name, id) = (self.sources[usize::from(source)].name.clone(), format!("seen {at}"));
        let draft = Draft { kind, id: &id, source: &name, at, recorded: at, sequence: "", factkey: None, exact: true };
        let mut bytes = Vec::new();
        let place = book.write(&draft, &[], &mut bytes);
        let partner = self.partners[partner as usize].name.clone();
        let fact = &mut bytes[place];
        self.apply(Incoming { partner: &partner, subject: &name, source: &name, trust: None, fact }, archive);
    }
}
