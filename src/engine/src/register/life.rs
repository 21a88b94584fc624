//! One subject's life, read off its facts: when it lives and belongs to a population, and when the act was done by it.

use super::homes::begins_here;
use crate::book::Book;
use crate::fact::{Atom, Fact, TypeId, Value};
use crate::fold::Way;
use crate::rule::{Act, Match, Population, Test, Want};
use crate::select::{self, Against, Met};
use crate::time::Moment;
use crate::timeline::Timeline;
use crate::vocabulary::{Life, REHOMED, TURNS_OFF};
use smallvec::SmallVec;

/// From when on a subject belongs to a population, and when it did what is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) joined: Moment,
    pub(super) done: Option<(Moment, TypeId)>,
}

/// Against what a subject is held.
pub(super) struct Terms<'a> {
    book: &'a Book,
    partner: &'a str,
    subject: &'a str,
    population: &'a Population,
    from: Moment,
    anchor: Option<Fact<'a>>,
    /// Of each test the texts that the anchor says, where it must be the same; None: the anchor does not say.
    pub(super) same: Vec<Option<Vec<String>>>,
    /// Where turning it off is all that is owed: of whom that stands already, nothing is owed.
    off: Vec<&'a Match>,
}

impl<'a> Terms<'a> {
    pub(super) fn new(
        book: &'a Book,
        partner: &'a str,
        subject: &'a str,
        population: &'a Population,
        from: Moment,
        anchor: &'a [u8],
    ) -> Terms<'a> {
        let anchor = Fact::split(anchor).map(|(fact, _)| fact);
        let same = population.tests.iter().map(|test| said_by_anchor(book, test, anchor, subject)).collect();
        let mut off = Vec::new();
        turns_off(book, &population.act, &mut off);
        Terms { book, partner, subject, population, from, anchor, same, off }
    }

    /// When the subject joined, and when it was done: once for each life within the time that is asked about, and for each
    /// time that it was handed to this partner. `moves`: when it came and went.
    pub(super) fn spans(&self, timeline: &Timeline, moves: &[(Moment, Way)]) -> SmallVec<[Span; 1]> {
        let facts: Vec<Fact<'_>> = timeline.facts().collect();
        let tests = &self.population.tests;
        let mut out = SmallVec::new();
        let mut told: Vec<Option<Value<'_>>> = vec![None; tests.len()];
        let (mut alive, mut joined, mut begun, mut off) = (false, false, false, false);
        // Whose end begins the duty is not one of those of whom it is owed.
        let ends_it = |anchor: &Fact<'_>| matches!(life(self.book, *anchor), Life::Ends | Life::EndsWhole);
        let anchor = self.anchor.filter(ends_it).map(Fact::key);
        let outlived = anchor.is_none_or(|anchor| facts.iter().all(|fact| fact.key() != anchor));
        let mut here = begins_here(moves);
        let mut moves = moves.iter().peekable();
        let last = (facts.len(), None);
        for (i, fact) in facts.iter().enumerate().map(|(i, fact)| (i, Some(fact))).chain([last]) {
            // What happens at the instant of a handover comes before it.
            while let Some((at, way)) = moves.next_if(|(at, _)| fact.is_none_or(|fact| *at < fact.at())) {
                if !begun && *at >= self.from {
                    begun = true;
                    if here && alive && !off && outlived && self.belongs(&told) {
                        joined = true;
                        out.push(self.span(self.from, &facts, i));
                    }
                }
                here = *way == Way::In;
                if !here && std::mem::take(&mut joined) {
                    self.let_go(*at, out.last_mut());
                }
                if here && begun && !joined && alive && !off && self.belongs(&told) {
                    joined = true;
                    out.push(self.span(*at, &facts, i));
                }
            }
            let Some(fact) = fact else { break };
            if !begun && fact.at() >= self.from {
                begun = true;
                // One that ends at the very instant was there when the duty opened.
                if here && alive && !off && outlived && self.belongs(&told) {
                    joined = true;
                    out.push(self.span(self.from, &facts, i));
                }
            }
            match life(self.book, *fact) {
                Life::Begins if !alive => {
                    // Another life: what was told of the one before is told of nobody any more.
                    told.fill(None);
                    (alive, joined, off) = (true, false, false);
                }
                // On again: the act stands no more.
                Life::Begins => off = false,
                Life::Ends | Life::EndsWhole => alive = false,
                // Catalogued: the first that is heard of it.
                Life::Shows if i == 0 => alive = true,
                Life::Shows => {}
            }
            if !self.off.is_empty() && is_turned_off(self.book, *fact) {
                // Before the opening the latest word counts, which is what the register keeps.
                off = self.is_off_by(fact) || begun && off;
                joined &= !off;
            }
            for (test, told) in tests.iter().zip(&mut told) {
                if let Some(value) = fact.field(test.field) {
                    *told = Some(value);
                }
            }
            if here && begun && !joined && alive && !off && self.belongs(&told) {
                joined = true;
                out.push(self.span(fact.at(), &facts, i));
            }
        }
        if here && !begun && alive && !off && self.belongs(&told) {
            out.push(self.span(self.from, &facts, facts.len()));
        }
        out
    }

    /// Whether a fact does what is owed by turning the subject off.
    fn is_off_by(&self, fact: &Fact<'_>) -> bool {
        let against = Against { anchor: self.anchor, subject: self.subject };
        self.anchor.map(Fact::key) != Some(fact.key())
            && self.off.iter().any(|leaf| select::meets(self.book, leaf, *fact, against) == Met::Yes)
    }

    /// Whoever was handed over before it was done is not waited for any more.
    fn let_go(&self, at: Moment, span: Option<&mut Span>) {
        let Some(span) = span else { return };
        if span.done.is_none_or(|(done, _)| done > at) {
            span.done = self.book.names().event_type(REHOMED).map(|kind| (at, kind));
        }
    }

    fn span(&self, joined: Moment, facts: &[Fact<'_>], from: usize) -> Span {
        let done = self.done(&self.population.act, facts, from).map(|(at, _, kind)| (at, kind));
        Span { joined, done }
    }

    /// When an act was done by facts from a position on, the position after it, and the type that did it.
    fn done(&self, act: &Act, facts: &[Fact<'_>], from: usize) -> Option<(Moment, usize, TypeId)> {
        match act {
            Act::One(leaf) => {
                let against = Against { anchor: self.anchor, subject: self.subject };
                let anchor = self.anchor.map(Fact::key);
                let meets = |fact: &Fact<'_>| {
                    anchor != Some(fact.key()) && select::meets(self.book, leaf, *fact, against) == Met::Yes
                };
                let (i, fact) = facts.iter().enumerate().skip(from).find(|(_, fact)| meets(fact))?;
                Some((fact.at(), i + 1, leaf.kind))
            }
            Act::Any(of) => of.iter().filter_map(|one| self.done(one, facts, from)).min(),
            Act::All(of) => {
                let all: Option<Vec<_>> = of.iter().map(|one| self.done(one, facts, from)).collect();
                all?.into_iter().max()
            }
            Act::InOrder(of) => {
                let mut last = None;
                let mut next = from;
                for one in of {
                    let done = self.done(one, facts, next)?;
                    next = done.1;
                    last = Some(done);
                }
                last
            }
            Act::Duty(..) | Act::Every(_) => None,
        }
    }

    fn belongs(&self, told: &[Option<Value<'_>>]) -> bool {
        let tests = self.population.tests.iter().zip(&self.same);
        tests.zip(told).all(|((test, same), told)| self.passes(&test.want, same.as_deref(), *told))
    }

    /// Of a list it is enough that one of its items passes: a population is rather too large than too small.
    fn passes(&self, want: &Want, same: Option<&[String]>, told: Option<Value<'_>>) -> bool {
        match told {
            Some(value) => value.atoms().any(|atom| self.item_passes(want, same, atom)),
            None => match want {
                Want::SameAs(_) | Want::SameAsSubject => false,
                Want::Not(inner) if matches!(**inner, Want::SameAs(_) | Want::SameAsSubject) => true,
                _ => select::holds(self.book, want, None, Against { anchor: self.anchor, subject: self.subject }),
            },
        }
    }

    fn item_passes(&self, want: &Want, same: Option<&[String]>, atom: Atom<'_>) -> bool {
        let text = self.book.names().text(atom);
        match want {
            Want::Not(inner) if same.is_none() && matches!(**inner, Want::SameAs(_)) => true,
            Want::Not(inner) => !self.item_passes(inner, same, atom),
            // What the anchor does not say may be any of them.
            Want::SameAs(_) => same.is_none_or(|same| same.iter().any(|one| one == text)),
            Want::OneOf(constants, _)
                if text == self.partner && constants.contains(&self.book.names().well_known().partner) =>
            {
                true
            }
            Want::Present | Want::Absent | Want::OneOf(..) | Want::SameAsSubject | Want::Number(..) => {
                let against = Against { anchor: self.anchor, subject: self.subject };
                select::holds(self.book, want, Some(Value::One(atom)), against)
            }
        }
    }
}

/// What the anchor says in the field that a test compares with: a field of it, or its subject where the field is called
/// like the subject's kind.
fn said_by_anchor(book: &Book, test: &Test, anchor: Option<Fact<'_>>, subject: &str) -> Option<Vec<String>> {
    let field = match crate::book::innermost(&test.want) {
        Want::SameAs(field) => *field,
        _ => return None,
    };
    let anchor = anchor?;
    let names = book.names();
    if let Some(value) = anchor.field(field) {
        return Some(value.atoms().map(|atom| names.text(atom).to_owned()).collect());
    }
    let kind = names.kind_name(names.about(anchor.kind()).kind);
    (names.field_name(field) == kind).then(|| vec![subject.to_owned()])
}

/// The steps that each do all that is owed by turning a subject off.
fn turns_off<'a>(book: &Book, act: &'a Act, out: &mut Vec<&'a Match>) {
    match act {
        Act::One(leaf) if book.names().about(leaf.kind).name == TURNS_OFF => out.push(leaf),
        Act::Any(of) => of.iter().for_each(|one| turns_off(book, one, out)),
        Act::One(_) | Act::All(_) | Act::InOrder(_) | Act::Duty(..) | Act::Every(_) => {}
    }
}

/// Whether a fact says that its subject was turned off: it lives on, and may be turned on again.
pub(super) fn is_turned_off(book: &Book, fact: Fact<'_>) -> bool {
    book.names().about(fact.kind()).name == TURNS_OFF
}

/// What a fact says of its subject's life.
pub(super) fn life(book: &Book, fact: Fact<'_>) -> Life {
    let names = book.names();
    match names.about(fact.kind()).life {
        // Of a version that is retired the subject lives on.
        Life::EndsWhole if names.field_id("version").is_some_and(|v| fact.field(v).is_some()) => Life::Shows,
        life @ (Life::Shows | Life::Begins | Life::Ends | Life::EndsWhole) => life,
    }
}
