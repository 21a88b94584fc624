//! Lines of one source look alike: the bytes between the values are the same again and again.
//!
//! What a real parser has read once is kept as a tree: from place to place by the literal bytes that stand between two
//! values, and at each place what the value there says. A line that follows a known way is read by comparing. One that
//! departs from all of them is left to the parser, and learned from.

mod way;

use super::event::Keys;
use super::plain::{Other, Plain};
use super::raw::{Name, Raw};
use onus_engine::book::Field;
use onus_engine::fact::FieldId;
use std::borrow::Cow;

/// Places kept. Beyond that all is forgotten, and what is still used is learned again.
const MANY: usize = 1024;
/// Literals that may follow one place: they are tried one by one.
const FORKS: usize = 64;
/// The longest line that is learned from, which bounds how deep one is nested, too.
const LONG: usize = 4096;
/// So many lines that depart are learned from at once; later only every few, for there are sources without a shape.
const EAGER: u64 = 64;
const SELDOM: u64 = 8;

/// The only version that is read. It belongs to the literals, as the type of the data does: they do not change.
const VERSION: &str = "1.0";

/// Shapes of the lines seen so far.
#[derive(Clone, Debug)]
pub(super) struct Shapes {
    /// The first stands before every line.
    places: Vec<Place>,
    departed: u64,
}

#[derive(Clone, Debug)]
struct Place {
    form: Form,
    says: Says,
    /// What follows the value here, and the place behind that.
    next: Vec<(Box<[u8]>, usize)>,
}

/// How the value at a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A text: its quotes belong to the literals around it.
    Text,
    /// Anything else but an object: the braces of those belong to literals.
    Other,
    /// There is none: the line ends.
    End,
}

/// What the value at a place says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Attribute(Name),
    Field(FieldId),
    /// Nothing that anybody asks for.
    Nothing,
}

impl Default for Shapes {
    fn default() -> Shapes {
        Shapes { places: vec![Place::new(Form::End, Says::Nothing)], departed: 0 }
    }
}

impl Shapes {
    /// Reads the first of the lines ahead, if it looks like one learned from, exactly as a parser would; gives its length.
    /// None if it departs: then `raw` is spoilt.
    // By itself, so that its loop has the registers: it is most of what decoding costs.
    #[inline(never)]
    pub(super) fn read<'a>(&self, ahead: &'a str, raw: &mut Raw<'a>) -> Option<usize> {
        let mut line = Plain::new(ahead);
        let mut place = &self.places[0];
        loop {
            let (literal, next) = place.follow(line.rest())?;
            line.take(literal.len())?;
            place = &self.places[*next];
            match place.form {
                Form::Text => place.says.text(&mut line, raw)?,
                Form::Other => place.says.other(&mut line, raw)?,
                Form::End => {
                    raw.put(Name::SpecVersion, VERSION);
                    return line.end().map(|end| ahead.len() - end.rest().len());
                }
            }
        }
    }

    /// Learns from a line that departed, once a parser has read it well.
    pub(super) fn learn(&mut self, line: &str, keys: &Keys) {
        if self.departs(line) {
            self.learn_from(line, keys);
        }
    }

    /// A line departed: whether it is to be learned from.
    pub(super) fn departs(&mut self, line: &str) -> bool {
        self.departed += 1;
        line.len() <= LONG && (self.departed <= EAGER || self.departed.is_multiple_of(SELDOM))
    }

    /// A parser has read it well.
    pub(super) fn learn_from(&mut self, line: &str, keys: &Keys) {
        let Some(way) = way::through(line, keys) else { return };
        let mut here = 0;
        for (literal, form, says) in way {
            let known = self.places[here].next.iter().find(|(known, _)| **known == *literal).map(|(_, to)| *to);
            here = match known {
                Some(to) => to,
                None if self.places.len() == MANY || self.places[here].next.len() == FORKS => {
                    self.places = Shapes::default().places;
                    return;
                }
                None => {
                    let to = self.places.len();
                    self.places[here].next.push((literal.into(), to));
                    self.places.push(Place::new(form, says));
                    to
                }
            };
        }
    }
}

impl Says {
    #[inline(always)]
    fn text<'a>(self, line: &mut Plain<'a>, raw: &mut Raw<'a>) -> Option<()> {
        let text = line.inside()?;
        match self {
            Says::Attribute(name) => raw.put(name, text),
            Says::Field(id) if !text.is_empty() => raw.fields.push((id, Field::One(Cow::Borrowed(text)))),
            Says::Nothing if line.rest().first() == Some(&b'\\') => *line = line.past_escapes()?,
            Says::Field(_) | Says::Nothing => {}
        }
        Some(())
    }

    #[inline(always)]
    fn other<'a>(self, line: &mut Plain<'a>, raw: &mut Raw<'a>) -> Option<()> {
        let (value, rest) = line.other()?;
        *line = rest;
        match (self, value) {
            (Says::Nothing, _) | (_, Other::Null) => {}
            // This alone may be something else than text.
            (Says::Attribute(Name::Sequence), Other::Bare(text)) => raw.put(Name::Sequence, text),
            (Says::Attribute(_), _) => return None,
            (Says::Field(id), Other::Bare(text)) => raw.fields.push((id, Field::One(Cow::Borrowed(text)))),
            (Says::Field(_), Other::List(texts)) if texts.is_empty() => {}
            (Says::Field(id), Other::List(texts)) => raw.fields.push((id, Field::List(texts))),
        }
        Some(())
    }
}

impl Place {
    fn new(form: Form, says: Says) -> Place {
        Place { form, says, next: Vec::new() }
    }

    /// The literal that stands next, and the place behind it.
    #[inline(always)]
    fn follow(&self, rest: &[u8]) -> Option<&(Box<[u8]>, usize)> {
        self.next.iter().find(|(literal, _)| {
            // Before a quote or a brace, one that ends without a quote is only the beginning of the one that is meant.
            begins(rest, literal)
                && (literal.last() == Some(&b'"') || !matches!(rest.get(literal.len()), Some(b'"' | b'{' | b' ')))
        })
    }
}

/// As `starts_with`, which asks the system's library: for so few bytes that costs more than to look at their ends.
#[inline(always)]
fn begins(bytes: &[u8], literal: &[u8]) -> bool {
    let Some(bytes) = bytes.get(..literal.len()) else { return false };
    let (Some(end), Some(literal_end)) = (bytes.last_chunk::<8>(), literal.last_chunk::<8>()) else {
        return bytes == literal;
    };
    end == literal_end
        && if literal.len() > 16 { bytes == literal } else { bytes.first_chunk::<8>() == literal.first_chunk() }
}

#[cfg(test)]
mod tests;
