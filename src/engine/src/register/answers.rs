//! Questions that duties asked, with their answers: kept so that a fact of one subject asks only of that subject again.

use super::life::{Span, Terms};
use super::{Ask, Headcount, Question, Register};
use crate::book::Book;
use crate::fact::{Fact, FieldId, TypeId, Value};
use crate::rule::{Population, RuleId, Want};
use crate::time::Moment;
use crate::vocabulary::KindId;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};

/// What finds a question from a fact: its kind, and the text in a field if the population is chosen by one.
type Key = (KindId, Option<(FieldId, String)>);

#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) answers: BTreeMap<Question, Answer>,
    by: BTreeMap<Key, BTreeSet<Question>>,
}

/// Who is in a population, and how far it is.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    key: Key,
    /// The anchor's bytes; empty where no fact opened the duty.
    pub(super) anchor: Vec<u8>,
    members: BTreeMap<String, SmallVec<[Span; 1]>>,
    /// Members from the beginning who have not done it: while there are any, the others need not be looked through.
    stuck: usize,
    pub(super) complete: Option<(Moment, TypeId)>,
}

impl Register {
    /// Shows the answer to a question; what was not asked before is worked out.
    pub(super) fn answer<R>(&self, ask: &Ask<'_>, show: impl FnOnce(&Answer) -> R) -> R {
        let question = ask.question();
        if let Some(answer) = self.asked.borrow().answers.get(&question) {
            return show(answer);
        }
        let answer = self.work_out(&question, ask.book, ask.population, ask.anchor.map_or(&[], Fact::bytes));
        let shown = show(&answer);
        self.asked.borrow_mut().add(question, answer);
        shown
    }

    fn work_out(&self, question: &Question, book: &Book, population: &Population, anchor: &[u8]) -> Answer {
        let terms = Terms::new(book, &self.partner, &question.subject, population, question.from, anchor);
        let key = key_of(population, &terms);
        let mut answer = Answer { key, anchor: anchor.to_vec(), members: BTreeMap::new(), stuck: 0, complete: None };
        let all = self.members.get(&population.kind);
        let mut add = |name: &String, member: &super::Member| {
            let spans = terms.spans(&member.facts, self.homes.of(name));
            if !spans.is_empty() {
                answer.stuck += usize::from(is_stuck(&spans, question.from));
                answer.members.insert(name.clone(), spans);
            }
        };
        match &answer.key.1 {
            None => all.into_iter().flatten().for_each(|(name, member)| add(name, member)),
            Some((field, text)) => {
                let named = self.index.get(&(population.kind, *field, text.clone())).into_iter().flatten();
                for name in named {
                    if let Some(member) = all.and_then(|of| of.get(name)) {
                        add(name, member);
                    }
                }
            }
        }
        answer.complete = answer.completed(question.from, population);
        answer
    }

    /// A subject's facts have changed: who asked of it is answered again. Gives those whose answer is another one.
    pub(super) fn ask_again(&self, book: &Book, kind: KindId, name: &str) -> BTreeSet<String> {
        let mut changed = BTreeSet::new();
        let Some(member) = self.members.get(&kind).and_then(|of| of.get(name)) else { return changed };
        let asked = &mut *self.asked.borrow_mut();
        for question in asked.concerned(book, kind, member.facts.facts()) {
            let Some(answer) = asked.answers.get_mut(&question) else { continue };
            let Some(population) = population(book, question.rule, question.place) else { continue };
            let terms = Terms::new(book, &self.partner, &question.subject, population, question.from, &answer.anchor);
            let spans = terms.spans(&member.facts, self.homes.of(name));
            let before = answer.members.get(name).map(|s| s.as_slice()).unwrap_or_default();
            if before == spans.as_slice() {
                continue;
            }
            answer.stuck += usize::from(is_stuck(&spans, question.from));
            answer.stuck -= usize::from(is_stuck(before, question.from));
            if spans.is_empty() {
                answer.members.remove(name);
            } else {
                answer.members.insert(name.to_owned(), spans);
            }
            let complete = answer.completed(question.from, population);
            if std::mem::replace(&mut answer.complete, complete) != complete {
                changed.insert(question.subject.clone());
            }
        }
        changed
    }

    /// All questions are answered anew: more of the past is known.
    pub(super) fn ask_all_again(&mut self, book: &Book) {
        let asked = std::mem::take(self.asked.get_mut());
        for (question, answer) in asked.answers {
            self.restore_answer(book, question, &answer.anchor);
        }
    }

    /// Asks a question that was asked before, of which only the question is left.
    pub(super) fn restore_answer(&mut self, book: &Book, question: Question, anchor: &[u8]) {
        let Some(population) = population(book, question.rule, question.place) else { return };
        let answer = self.work_out(&question, book, population, anchor);
        self.asked.get_mut().add(question, answer);
    }
}

impl Asked {
    fn add(&mut self, question: Question, answer: Answer) {
        self.by.entry(answer.key.clone()).or_default().insert(question.clone());
        self.answers.insert(question, answer);
    }

    pub(super) fn forget(&mut self, question: &Question) {
        let Some(answer) = self.answers.remove(question) else { return };
        if let Some(others) = self.by.get_mut(&answer.key) {
            others.remove(question);
            if others.is_empty() {
                self.by.remove(&answer.key);
            }
        }
    }

    /// The questions that facts of one subject may bear on.
    pub(super) fn concerned<'f>(
        &self,
        book: &Book,
        kind: KindId,
        facts: impl Iterator<Item = Fact<'f>>,
    ) -> BTreeSet<Question> {
        let mut out: BTreeSet<Question> = self.by.get(&(kind, None)).into_iter().flatten().cloned().collect();
        let Some(kept) = book.registered(kind).filter(|kept| !kept.indexed.is_empty()) else { return out };
        let mut seen = BTreeSet::new();
        for fact in facts {
            for field in &kept.indexed {
                for atom in fact.field(*field).into_iter().flat_map(Value::atoms) {
                    let key = (kind, Some((*field, book.names().text(atom).to_owned())));
                    if seen.insert(key.clone()) {
                        out.extend(self.by.get(&key).into_iter().flatten().cloned());
                    }
                }
            }
        }
        out
    }
}

impl Answer {
    /// The first instant at which all who had joined by then had done it.
    fn completed(&self, from: Moment, population: &Population) -> Option<(Moment, TypeId)> {
        if self.stuck > 0 {
            return None;
        }
        let first = population.act.leaves().first().map_or(0, |leaf| leaf.kind);
        let mut reached = (from, first);
        loop {
            let mut last = reached;
            for span in self.members.values().flatten().filter(|span| span.joined <= reached.0) {
                last = last.max(span.done?);
            }
            if last.0 == reached.0 {
                return Some(last);
            }
            reached = last;
        }
    }

    pub(super) fn headcount(&self) -> Headcount {
        let done = |spans: &[Span]| spans.iter().all(|span| span.done.is_some());
        let open: Vec<String> =
            self.members.iter().filter(|(_, spans)| !done(spans)).map(|(name, _)| name.clone()).collect();
        Headcount { done: self.members.len() - open.len(), all: self.members.len(), open }
    }
}

fn is_stuck(spans: &[Span], from: Moment) -> bool {
    spans.iter().any(|span| span.joined == from && span.done.is_none())
}

/// By what a question's population is found: the first field that must be as the anchor says, if the anchor says it.
fn key_of(population: &Population, terms: &Terms<'_>) -> Key {
    let by = population.tests.iter().zip(&terms.same).find_map(|(test, same)| match (&test.want, same.as_deref()) {
        (Want::SameAs(_), Some([one])) => Some((test.field, one.clone())),
        _ => None,
    });
    (population.kind, by)
}

pub(super) fn population(book: &Book, rule: RuleId, place: u8) -> Option<&Population> {
    book.rule(rule).act()?.populations().into_iter().find(|p| p.place == place)
}
