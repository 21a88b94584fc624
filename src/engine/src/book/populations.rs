//! Acts that are owed of every living subject of a kind: what a register must keep to tell who they are.

use super::compile::Compiler;
use super::kept::innermost;
use crate::fact::FieldId;
use crate::rule::*;
use crate::terms::{self, Trust};
use crate::vocabulary::{BEGINS, ENDS, OPENING};
use std::collections::BTreeSet;

/// What registers keep of one kind of subject.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registered {
    /// Fields by which some population is chosen.
    pub(crate) fields: BTreeSet<FieldId>,
    /// Of these, those that must be the same as a field of the anchor: members are found by them.
    pub(crate) indexed: BTreeSet<FieldId>,
}

impl Compiler<'_> {
    /// An act of each of a population. Its events are on the members themselves.
    pub(super) fn population(
        &mut self,
        of: &terms::Population,
        act: &terms::Act,
        trust: Trust,
        anchor: &Anchor,
    ) -> Act {
        let kind = self.names.kind(&of.kind);
        for name in OPENING.iter().chain(&BEGINS).chain(&ENDS) {
            if name.split_once('.').is_some_and(|(k, _)| k == of.kind) {
                self.names.declare(name);
            }
        }
        if of.kind == "credential" {
            let (retired, version) = (self.names.declare("credential.retired"), self.names.field("version"));
            self.names.want(retired, version);
        }
        let tests: Vec<Test> = of.tests.iter().map(|t| self.test(t)).collect();
        let kept = self.populated.entry(kind).or_default();
        for test in &tests {
            kept.fields.insert(test.field);
            if let Want::SameAs(_) = test.want {
                kept.indexed.insert(test.field);
            }
        }
        let act = self.of_each(act, trust);
        let asked = act.leaves().into_iter().flat_map(|leaf| &leaf.tests).chain(&tests);
        let asked: Vec<FieldId> = asked
            .filter_map(|test| match innermost(&test.want) {
                Want::SameAs(field) => Some(*field),
                _ => None,
            })
            .collect();
        for event in &anchor.events {
            asked.iter().for_each(|field| self.names.want(event.kind, *field));
        }
        let place = self.places;
        self.places += 1;
        Act::Every(Box::new(Population { kind, tests, act, place }))
    }

    fn of_each(&mut self, act: &terms::Act, trust: Trust) -> Act {
        match act {
            terms::Act::One(event) => Act::One(self.event(event, trust)),
            terms::Act::Any(of) => Act::Any(of.iter().map(|a| self.of_each(a, trust)).collect()),
            terms::Act::All(of) => Act::All(of.iter().map(|a| self.of_each(a, trust)).collect()),
            terms::Act::InOrder(of) => Act::InOrder(of.iter().map(|a| self.of_each(a, trust)).collect()),
            // The loader takes no other duties among them.
            terms::Act::Duty(..) => Act::Any(Vec::new()),
        }
    }

    /// All events of such a kind are registered, and tell what chooses among its subjects.
    pub(super) fn registered_types(&mut self) {
        for (kind, kept) in self.populated.clone() {
            for field in kept.fields {
                self.subject_fact(&[kind], field);
            }
            for t in self.names.of_kind(kind) {
                self.names.about_mut(t).registered = true;
            }
        }
    }
}
