//! Does this fact match? Tests of fields, parties and trust, for anchors, acts and requirements.

use crate::book::{Book, fits};
use crate::fact::{Atom, Fact, FieldId, Value};
use crate::rule::{Match, Test, Want, glob};
use crate::terms;

/// The anchor that a match may refer to (`same-as`).
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The fact that opened the duty, if it is at hand.
    pub anchor: Option<Fact<'a>>,
    /// Its subject.
    pub subject: &'a str,
}

/// How a fact meets a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Not at all.
    No,
    /// But for the trust that it lacks.
    Claimed,
    /// Yes.
    Yes,
}

/// Tests a fact against a match; where it happened is the caller's affair.
#[inline(always)]
pub fn meets(book: &Book, wanted: &Match, fact: Fact<'_>, against: Against<'_>) -> Met {
    if fact.kind() != wanted.kind
        || !wanted.tests.iter().all(|t| passes(book, t, fact, against))
        || !wanted.by.as_ref().is_none_or(|party| done_by(book, party, fact))
    {
        return Met::No;
    }
    if fact.trust() >= wanted.trust { Met::Yes } else { Met::Claimed }
}

/// Whether the fact names this party as the one who did it.
pub fn done_by(book: &Book, party: &terms::Party, fact: Fact<'_>) -> bool {
    let names = book.names();
    let known = names.well_known();
    let side = names.side(fact.field(known.side));
    let role = match fact.field(known.role) {
        Some(Value::One(atom)) => Some(names.text(atom)),
        Some(Value::List(_)) | None => None,
    };
    // A role may be told with its side's name before it, as contracts write it.
    let role = role.map(|r| r.split_once('.').map_or(r, |(_, name)| name));
    fits(party, side, role)
}

/// Tests one field.
pub fn passes(book: &Book, test: &Test, fact: Fact<'_>, against: Against<'_>) -> bool {
    holds(book, &test.want, fact.field(test.field), against)
}

#[inline]
pub(crate) fn holds(book: &Book, want: &Want, value: Option<Value<'_>>, against: Against<'_>) -> bool {
    match want {
        Want::Present => value.is_some(),
        Want::Absent => value.is_none(),
        // Who is not known cannot be shown to be another: an absent field is not "not the same".
        Want::Not(inner) if matches!(**inner, Want::SameAs(_) | Want::SameAsSubject) && value.is_none() => false,
        Want::Not(inner) => !holds(book, inner, value, against),
        Want::OneOf(constants, patterns) => value.is_some_and(|value| {
            value.atoms().all(|atom| {
                matches!(atom, Atom::Sym(sym) if constants.contains(&sym))
                    || patterns.iter().any(|pattern| glob(pattern, book.names().text(atom)))
            })
        }),
        Want::SameAs(field) => same(value, against.anchor.and_then(|a| a.field(*field))),
        Want::SameAsSubject => {
            value.is_some_and(|value| value.atoms().all(|atom| book.names().text(atom) == against.subject))
        }
        Want::Number(least, most) => value.is_some_and(|value| {
            value.atoms().all(|atom| {
                book.names().text(atom).parse::<f64>().is_ok_and(|n| {
                    least.is_none_or(|(l, inclusive)| n > l || inclusive && n == l)
                        && most.is_none_or(|(m, inclusive)| n < m || inclusive && n == m)
                })
            })
        }),
    }
}

/// Constants are stored as constants everywhere, so equal texts are equal atoms.
fn same(a: Option<Value<'_>>, b: Option<Value<'_>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.atoms().eq(b.atoms()),
        _ => false,
    }
}

/// The subjects that a fact names in a field.
pub fn named<'a>(book: &'a Book, fact: Fact<'a>, field: FieldId) -> impl Iterator<Item = &'a str> {
    fact.field(field).into_iter().flat_map(Value::atoms).map(|atom| book.names().text(atom))
}
