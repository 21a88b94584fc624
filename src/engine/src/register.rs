//! A partner's register: who lives, of the kinds of which some obligation is about every living subject.
//!
//! It keeps, of each such subject, the facts that say so, for as long as it lives, whether or not the subject itself is
//! in memory; and the questions that duties asked of it, so that each fact is held only against those that it concerns.
//! An answer follows from the facts alone, whatever the order in which they came.

mod answers;
mod homes;
mod life;
mod living;
mod upkeep;

use crate::book::Book;
use crate::fact::{Fact, FieldId, TypeId};
use crate::rule::{Population, RuleId};
use crate::time::Moment;
use crate::timeline::{Placed, Timeline};
use crate::vocabulary::KindId;
use answers::Asked;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use homes::Homes;
pub(crate) use upkeep::SavedRegister;

/// Among the subjects that a duty reads: that its population reaches back to where the register is not whole. No subject
/// has this name; the archive keeps under it who is not in the register any more, and who asked of it.
pub(crate) const UNREAD: &str = "\0register";

/// See the module.
#[derive(Clone, Debug)]
pub struct Register {
    /// Whose it is.
    partner: String,
    members: BTreeMap<KindId, BTreeMap<String, Member>>,
    /// How many of them live.
    living: BTreeMap<KindId, u64>,
    /// Subjects by what was ever told of them in the fields by which anchors find them.
    index: BTreeMap<(KindId, FieldId, String), BTreeSet<String>>,
    /// Of what was before, only what still matters from here on is kept.
    complete_from: Moment,
    /// When it was last swept.
    swept: Moment,
    /// Subjects that were handed over, and when: follows from the handovers.
    homes: Homes,
    /// A memory of answers: it changes no answer, only what an answer costs.
    asked: RefCell<Asked>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Member {
    facts: Timeline,
    /// The archive knows that there is such a one.
    noted: bool,
    /// It lives by the latest that is told of it: follows from its facts.
    #[serde(skip)]
    alive: bool,
}

/// A question: who is in this population from an instant on, and when was the act done by all of them?
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The subject whose duty asks.
    pub(crate) subject: String,
    pub(crate) rule: RuleId,
    place: u8,
    /// From when on.
    pub(crate) from: Moment,
    /// The anchor, by key and content.
    anchor: u64,
    digest: u32,
}

/// The same, with what is needed to answer it.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) book: &'a Book,
    pub(crate) subject: &'a str,
    pub(crate) rule: RuleId,
    pub(crate) population: &'a Population,
    pub(crate) from: Moment,
    pub(crate) anchor: Option<Fact<'a>>,
}

impl Ask<'_> {
    fn question(&self) -> Question {
        Question {
            subject: self.subject.to_owned(),
            rule: self.rule,
            place: self.population.place,
            from: self.from,
            anchor: self.anchor.map_or(0, Fact::key),
            digest: self.anchor.map_or(0, Fact::digest),
        }
    }
}

/// How far a population is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Headcount {
    /// Of how many it is done.
    pub(crate) done: usize,
    /// Of how many it is owed.
    pub(crate) all: usize,
    /// Of whom it is not done, by name.
    pub(crate) open: Vec<String>,
}

impl Register {
    /// Of a partner of whom nothing is known.
    pub(crate) fn new(partner: &str) -> Register {
        Register {
            partner: partner.to_owned(),
            members: BTreeMap::new(),
            living: BTreeMap::new(),
            index: BTreeMap::new(),
            complete_from: Moment::DAWN,
            swept: Moment::DAWN,
            homes: Homes::default(),
            asked: RefCell::default(),
        }
    }

    /// It answers questions from here on; what lies before must be brought back first.
    pub(crate) fn complete_from(&self) -> Moment {
        self.complete_from
    }

    /// It knows this subject.
    pub(crate) fn knows(&self, kind: KindId, name: &str) -> bool {
        self.members.get(&kind).is_some_and(|of| of.contains_key(name))
    }

    /// When the act was done by all of a population, and by which type of event the last did it.
    pub(crate) fn gathered(&self, ask: &Ask<'_>) -> Option<(Moment, TypeId)> {
        self.answer(ask, |answer| answer.complete)
    }

    /// How far a population is.
    pub(crate) fn headcount(&self, ask: &Ask<'_>) -> Headcount {
        self.answer(ask, |answer| answer.headcount())
    }

    /// Takes a fact in. Gives the subjects whose duties' answers it changes.
    pub(crate) fn insert(&mut self, book: &Book, kind: KindId, name: &str, fact: Fact<'_>) -> BTreeSet<String> {
        if !self.put(book, kind, name, fact) {
            return BTreeSet::new();
        }
        self.ask_again(book, kind, name)
    }

    /// Puts a fact at its place. False: it was known.
    fn put(&mut self, book: &Book, kind: KindId, name: &str, fact: Fact<'_>) -> bool {
        let Some(kept) = book.registered(kind) else { return false };
        for field in &kept.indexed {
            for atom in fact.field(*field).into_iter().flat_map(crate::fact::Value::atoms) {
                let text = book.names().text(atom).to_owned();
                self.index.entry((kind, *field, text)).or_default().insert(name.to_owned());
            }
        }
        let of = self.members.entry(kind).or_default();
        if !of.contains_key(name) {
            of.insert(name.to_owned(), Member::default());
        }
        let Some(member) = of.get_mut(name) else { return false };
        let rank = |t| book.names().about(t).rank;
        if matches!(member.facts.insert(fact, &rank), Placed::Repeat | Placed::Conflict) {
            return false;
        }
        let alive = homes::is_here(self.homes.of(name)) && living::is_alive(book, &member.facts);
        let count = self.living.entry(kind).or_default();
        match (std::mem::replace(&mut member.alive, alive), alive) {
            (false, true) => *count += 1,
            (true, false) => *count -= 1,
            (true, true) | (false, false) => {}
        }
        true
    }

    /// The subjects whose duties' answers a fact of this subject may change.
    pub(crate) fn concerned(&self, book: &Book, kind: KindId, name: &str, fact: Fact<'_>) -> BTreeSet<String> {
        let known = self.members.get(&kind).and_then(|of| of.get(name));
        let facts = known.into_iter().flat_map(|m| m.facts.facts()).chain([fact]);
        let asked = self.asked.borrow();
        asked.concerned(book, kind, facts).into_iter().map(|question| question.subject.clone()).collect()
    }
}
