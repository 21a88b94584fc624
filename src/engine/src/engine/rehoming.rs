//! Subjects that are handed from one partner to another: who is told what of them.
//!
//! What is told of such a subject under the old partner's name goes to the new one, too: it begins with all that was before. What
//! is told under the new one's name of the time before goes to the old one, whose it was. So it does not matter under whose
//! name, and when, late news comes. Whose the duties are is decided where they are judged (fold/rehomed.rs).

use super::recall::Look;
use super::{Applied, Archive, Engine, Incoming};
use crate::fact::{Fact, stamp};
use crate::fold::parties;
use crate::time::Moment;
use crate::timeline::{Facts, Placed};
use crate::vocabulary::Effect;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A subject went from one partner to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Handing {
    pub(crate) at: Moment,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Engine {
    /// From whom to whom a written fact hands its subject; None: it hands over nothing.
    pub fn handover<'a>(&'a self, fact: &'a [u8]) -> Option<(&'a str, &'a str)> {
        let (fact, _) = Fact::split(fact)?;
        let hands = self.book.names().about(fact.kind()).effect == Effect::Rehomed;
        hands.then(|| parties(fact, &self.book))?
    }

    /// Some partner handed this subject to another.
    #[inline(always)]
    pub(super) fn is_handed(&self, subject: &str) -> bool {
        !self.handed.is_empty() && self.handed.contains_key(subject)
    }

    /// A subject is handed over: both partners hear of it, and of what was before. None: it says not from whom to whom.
    #[cold]
    pub(super) fn rehome(&mut self, event: &mut Incoming<'_>, archive: &mut dyn Archive) -> Option<Applied> {
        let book = Arc::clone(&self.book);
        let source = self.source(event.source);
        stamp(event.fact, source, event.trust.unwrap_or(self.sources[usize::from(source)].trust));
        let (fact, _) = Fact::split(event.fact)?;
        let (from, to) = parties(fact, &book).filter(|(from, to)| from != to)?;
        let handing = Handing { at: fact.at(), from: from.to_owned(), to: to.to_owned() };
        let all = self.handed.entry(event.subject.to_owned()).or_default();
        if let Err(place) = all.binary_search(&handing) {
            all.insert(place, handing);
        }
        let mut names: Vec<String> = all.iter().flat_map(|h| [h.from.clone(), h.to.clone()]).collect();
        names.sort_unstable();
        names.dedup();
        let bound: Vec<u32> = names.iter().map(|name| self.partner(name)).collect();
        let bound: Vec<u32> = bound.into_iter().filter(|p| self.partners[*p as usize].sheet.is_some()).collect();
        let mut told = Vec::new();
        for partner in &bound {
            told.push((*partner, self.own_facts(*partner, event.subject, archive)));
        }
        let mut applied = Applied::Unbound;
        for partner in bound {
            let name = self.partners[partner as usize].name.clone();
            let mut news: Vec<Fact<'_>> = Vec::new();
            for (other, facts) in told.iter().filter(|(other, _)| *other != partner) {
                for fact in Facts::of(facts) {
                    let handover = book.names().about(fact.kind()).effect == Effect::Rehomed;
                    if !handover && self.hearers(*other, event.subject, fact.at()).contains(&name) {
                        news.push(fact);
                    }
                }
            }
            let concerned = name == from || name == to;
            if concerned {
                // Before the facts: of whose it was, nobody is to be told in between.
                self.enrol_handover(partner, event.subject, fact, archive);
            }
            let placed = self.place_all(partner, event.subject, concerned.then_some(fact), &news, archive);
            applied = match (applied, placed) {
                (_, Applied::Placed) | (Applied::Placed, _) => Applied::Placed,
                (_, Applied::Conflict) | (Applied::Conflict, _) => Applied::Conflict,
                (_, Applied::Repeat) | (Applied::Repeat, _) => Applied::Repeat,
                (Applied::Unbound, Applied::Unbound) => Applied::Unbound,
            };
        }
        Some(applied)
    }

    /// What is told of a subject that was handed over goes to the others who had it, or have it.
    #[cold]
    pub(super) fn share(&mut self, partner: u32, subject: &str, fact: Fact<'_>, archive: &mut dyn Archive) {
        for name in self.hearers(partner, subject, fact.at()) {
            let other = self.partner(&name);
            if self.partners[other as usize].sheet.is_some() {
                self.place_all(other, subject, None, &[fact], archive);
            }
        }
    }

    /// Whom a fact concerns that was told under a partner's name, beside that one: follows from the handovers alone, so that
    /// it does not matter which was heard first.
    fn hearers(&self, partner: u32, subject: &str, at: Moment) -> BTreeSet<String> {
        let first = &self.partners[partner as usize].name;
        let Some(all) = self.handed.get(subject) else { return BTreeSet::new() };
        let mut found = BTreeSet::from([first.clone()]);
        loop {
            let before = found.len();
            for handing in all {
                if found.contains(&handing.from) {
                    found.insert(handing.to.clone());
                }
                if at < handing.at && found.contains(&handing.to) {
                    found.insert(handing.from.clone());
                }
            }
            if found.len() == before {
                break;
            }
        }
        found.remove(first);
        found
    }

    /// All facts of a subject of its own, those that have left memory, too.
    fn own_facts(&mut self, partner: u32, subject: &str, archive: &mut dyn Archive) -> Vec<u8> {
        let slot = self.find_or_recall(partner, subject, Moment::DAWN, Look::Back, archive);
        let subject = self.shelf.copy(slot);
        let own = subject.timeline.facts().filter(|fact| !fact.linked());
        own.flat_map(|fact| fact.bytes().iter().copied()).collect()
    }

    /// Places facts of a subject and judges them together: a handover without the facts from before would begin nothing, and
    /// they without it everything. Gives what became of `first`, or of all.
    fn place_all(
        &mut self,
        partner: u32,
        subject: &str,
        first: Option<Fact<'_>>,
        others: &[Fact<'_>],
        archive: &mut dyn Archive,
    ) -> Applied {
        let slot = self.find_or_recall(partner, subject, Moment::DAWN, Look::Back, archive);
        let book = Arc::clone(&self.book);
        let rank = |t| book.names().about(t).rank;
        let mut hand = self.shelf.take(slot);
        let own = self.is_own(slot, &hand);
        if hand.rare.as_ref().is_some_and(|rare| rare.base.is_some()) {
            self.unsettle(own, &mut hand, archive);
        }
        let (mut fresh, mut copies, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        let mut applied = Applied::Repeat;
        for fact in first.iter().chain(others) {
            let placed = match hand.timeline.insert(*fact, &rank) {
                Placed::Repeat => Applied::Repeat,
                Placed::Conflict => {
                    copies.push(*fact);
                    Applied::Conflict
                }
                Placed::Last | Placed::Amid(_) => {
                    fresh.push(*fact);
                    Applied::Placed
                }
                Placed::Instead(copy) => {
                    gone.push(copy);
                    fresh.push(*fact);
                    Applied::Placed
                }
            };
            if first.is_none_or(|first| first == *fact) && applied != Applied::Placed {
                applied = placed;
            }
        }
        let mut links = Vec::new();
        if !fresh.is_empty() {
            self.counts.late += 1;
            self.fill_for(&hand, archive);
            self.judge_again(own, &mut hand, &mut links);
            if links.is_empty() {
                self.tell(slot, &mut hand, true);
            }
        }
        let merged = hand.head.merged_into().is_some();
        self.put(slot, hand);
        if let Some(one) = fresh.first().filter(|_| !links.is_empty()) {
            self.link_those(slot, links, true, *one, archive);
        }
        if merged && !fresh.is_empty() {
            self.carry(slot, archive);
        }
        for copy in &gone {
            if let Some((copy, _)) = Fact::split(copy) {
                self.link_all(partner, slot, copy, archive);
            }
        }
        for fact in copies {
            self.link_all(partner, slot, fact, archive);
        }
        let Some(sheet) = self.partners[partner as usize].sheet.clone() else { return applied };
        for fact in fresh {
            if sheet.travels[usize::from(fact.kind())] {
                // What it makes others do may have moved it.
                let slot = self.find_or_recall(partner, subject, Moment::DAWN, Look::Back, archive);
                self.travel(partner, slot, subject, fact, archive);
            }
        }
        applied
    }
}
