//! A register in the long run: what no answer needs any more goes, comes back when late news asks, and is saved.

use super::life::{is_turned_off, life};
use super::{Homes, Member, Question, Register};
use crate::book::Book;
use crate::fact::Fact;
use crate::time::Moment;
use crate::timeline::Timeline;
use crate::vocabulary::{KindId, Life};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A register as a snapshot keeps it: answers are worked out again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedRegister {
    members: Vec<(KindId, String, Member)>,
    complete_from: Moment,
    swept: Moment,
    questions: Vec<(Question, Vec<u8>)>,
}

impl Register {
    /// What was asked, and not forgotten since.
    pub(crate) fn questions(&self) -> Vec<Question> {
        self.asked.borrow().answers.keys().cloned().collect()
    }

    /// Nobody asks this any more.
    pub(crate) fn forget(&mut self, question: &Question) {
        self.asked.get_mut().forget(question);
    }

    /// When it was last swept.
    pub(crate) fn swept(&self) -> Moment {
        self.swept
    }

    /// Drops what no question from `from` on needs. Gives the subjects of which something was dropped for the first time:
    /// the archive must know that there are such.
    pub(crate) fn sweep(&mut self, book: &Book, at: Moment, from: Moment) -> Vec<(KindId, String)> {
        self.swept = at;
        let mut noted = Vec::new();
        if from <= self.complete_from {
            return noted;
        }
        self.complete_from = from;
        for (kind, of) in &mut self.members {
            of.retain(|name, member| {
                let needed = needed(book, *kind, &member.facts, from);
                let before = member.facts.facts().take_while(|f| f.at() < from).count();
                if needed.len() < before && !std::mem::replace(&mut member.noted, true) {
                    noted.push((*kind, name.clone()));
                }
                if needed.len() < before {
                    member.facts.drain(from, &mut |fact| needed.contains(&fact.key()));
                }
                !member.facts.is_empty()
            });
        }
        self.index_anew(book);
        self.count_anew(book);
        noted
    }

    /// Facts that come back.
    pub(crate) fn bring_back<'f>(
        &mut self,
        book: &Book,
        kind: KindId,
        name: &str,
        facts: impl Iterator<Item = Fact<'f>>,
    ) {
        for fact in facts.filter(|f| !f.linked() && book.names().about(f.kind()).kind == kind) {
            self.put(book, kind, name, fact);
        }
    }

    /// The archive knows of these.
    pub(crate) fn are_noted(&mut self, names: &BTreeSet<(KindId, String)>) {
        for (kind, name) in names {
            if let Some(member) = self.members.get_mut(kind).and_then(|of| of.get_mut(name)) {
                member.noted = true;
            }
        }
    }

    /// All of the past is there again.
    pub(crate) fn is_whole_again(&mut self, book: &Book) {
        self.complete_from = Moment::DAWN;
        self.ask_all_again(book);
    }

    /// The earliest fact that says who lives.
    pub(crate) fn rests_on(&self) -> Moment {
        let members = self.members.values().flat_map(|members| members.values());
        members.filter_map(|member| member.facts.facts().next()).map(|fact| fact.at()).fold(Moment::NEVER, Moment::min)
    }

    /// Those it knows, by name.
    pub(crate) fn known(&self) -> Vec<(KindId, String)> {
        self.members.iter().flat_map(|(kind, of)| of.keys().map(|name| (*kind, name.clone()))).collect()
    }

    fn index_anew(&mut self, book: &Book) {
        self.index.clear();
        for (kind, of) in &self.members {
            let Some(kept) = book.registered(*kind) else { continue };
            for (name, member) in of {
                for fact in member.facts.facts() {
                    for field in &kept.indexed {
                        for atom in fact.field(*field).into_iter().flat_map(crate::fact::Value::atoms) {
                            let key = (*kind, *field, book.names().text(atom).to_owned());
                            self.index.entry(key).or_default().insert(name.clone());
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn saved(&self) -> SavedRegister {
        let members = self.members.iter();
        let asked = self.asked.borrow();
        SavedRegister {
            members: members
                .flat_map(|(kind, of)| of.iter().map(|(name, m)| (*kind, name.clone(), m.clone())))
                .collect(),
            complete_from: self.complete_from,
            swept: self.swept,
            questions: asked.answers.iter().map(|(q, answer)| (q.clone(), answer.anchor.clone())).collect(),
        }
    }

    pub(crate) fn restored(partner: &str, book: &Book, saved: SavedRegister, homes: Homes) -> Register {
        let mut new = Register { homes, ..Register::new(partner) };
        for (kind, name, member) in saved.members {
            new.members.entry(kind).or_default().insert(name, member);
        }
        (new.complete_from, new.swept) = (saved.complete_from, saved.swept);
        new.index_anew(book);
        new.count_anew(book);
        for (question, anchor) in saved.questions {
            new.restore_answer(book, question, &anchor);
        }
        new
    }

    /// Who it knows, and by which facts, in words and in a defined order.
    pub(crate) fn dump(&self, book: &Book, words: &dyn Fn(Fact<'_>) -> String, out: &mut String) {
        if self.complete_from != Moment::DAWN {
            let _ = writeln!(out, "  register from {}", self.complete_from);
        }
        let by_name: BTreeMap<(&str, &str), &Member> = self
            .members
            .iter()
            .flat_map(|(kind, of)| of.iter().map(|(name, m)| ((book.names().kind_name(*kind), name.as_str()), m)))
            .collect();
        for ((kind, name), member) in by_name {
            let _ = writeln!(out, "  registered {kind} {name:?}");
            for fact in member.facts.facts() {
                let _ = writeln!(out, "    {}", words(fact));
            }
        }
    }
}

/// Of a subject's facts before an instant, the keys of those that still matter: that it lives, whether it was turned off or
/// on again, and what was told last of what chooses among its like; of one that has ended, that it has, if there is more to come.
fn needed(book: &Book, kind: KindId, facts: &Timeline, from: Moment) -> Vec<u64> {
    let Some(kept) = book.registered(kind) else { return Vec::new() };
    let mut alive = None;
    let mut ended = None;
    let mut switched = None;
    let mut told = BTreeMap::new();
    for (i, fact) in facts.facts().take_while(|f| f.at() < from).enumerate() {
        match life(book, fact) {
            Life::Begins if alive.is_none() => {
                told.clear();
                (alive, ended, switched) = (Some(fact.key()), None, None);
            }
            // On again: what was told as it was turned off may be kept, and so must be this.
            Life::Begins => switched = switched.map(|_| fact.key()),
            Life::Ends | Life::EndsWhole => (alive, ended) = (None, Some(fact.key())),
            Life::Shows if i == 0 => alive = Some(fact.key()),
            Life::Shows => {}
        }
        if is_turned_off(book, fact) {
            switched = Some(fact.key());
        }
        for field in kept.fields.iter().filter(|field| fact.field(**field).is_some()) {
            told.insert(*field, fact.key());
        }
    }
    match (alive, ended) {
        (Some(first), _) => {
            told.into_values().chain(switched).chain([first]).collect::<BTreeSet<u64>>().into_iter().collect()
        }
        (None, Some(ended)) if facts.last().is_some_and(|last| last.at() >= from) => vec![ended],
        (None, _) => Vec::new(),
    }
}
