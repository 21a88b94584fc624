//! A line taken apart, once a parser has read it well: the literals between its values, and what each value says.

use super::{Form, Says, VERSION};
use crate::decode::event::{Attribute, Keys};
use crate::decode::plain::Plain;
use crate::decode::raw::Name;

/// A literal, and the value behind it.
pub(super) type Step<'a> = (&'a [u8], Form, Says);

/// The steps through a line that a parser has read well. None where something is not plain, or a name stands twice.
pub(super) fn through<'a>(line: &'a str, keys: &Keys) -> Option<Vec<Step<'a>>> {
    let plain = Plain::new(line);
    let mut way = Way { plain, from: plain, steps: Vec::new(), versioned: false };
    way.envelope(keys)?;
    way.step(Form::End, Says::Nothing)?;
    // Every shape has a version, so that reading one can say so.
    way.versioned.then_some(way.steps)
}

struct Way<'a> {
    plain: Plain<'a>,
    /// What is left from the next literal on.
    from: Plain<'a>,
    steps: Vec<Step<'a>>,
    /// It says that it is of the version that is read.
    versioned: bool,
}

impl<'a> Way<'a> {
    fn envelope(&mut self, keys: &Keys) -> Option<()> {
        self.members(|way, name| match Attribute::of(name) {
            Attribute::Kept(Name::SpecVersion) => (way.plain.text()? == VERSION).then(|| way.versioned = true),
            Attribute::Kept(name) => way.value(Says::Attribute(name)),
            Attribute::Data => way.members(|way, name| match keys.find(name) {
                Some(field) => way.value(Says::Field(field)),
                None => way.passed_over(),
            }),
            Attribute::DataBase64 => None,
            Attribute::Other if name == "datacontenttype" => way.plain.text().map(drop),
            Attribute::Other => way.passed_over(),
        })
    }

    fn members(&mut self, member: impl Fn(&mut Self, &str) -> Option<()>) -> Option<()> {
        self.plain.sign(b'{')?;
        if self.plain.sign(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.plain.text()?;
            self.plain.sign(b':')?;
            member(self, name)?;
            if self.plain.sign(b'}').is_some() {
                return Some(());
            }
            self.plain.sign(b',')?;
        }
    }

    fn passed_over(&mut self) -> Option<()> {
        match self.plain.rest() {
            [b'{', ..] => self.members(|way, _| way.passed_over()),
            _ => self.value(Says::Nothing),
        }
    }

    fn value(&mut self, says: Says) -> Option<()> {
        // A name that stands twice is the parser's business, every time.
        if says != Says::Nothing && self.steps.iter().any(|(_, _, said)| *said == says) {
            return None;
        }
        if self.plain.rest().first() != Some(&b'"') {
            self.step(Form::Other, says)?;
            self.plain = self.plain.other()?.1;
            self.from = self.plain;
            return Some(());
        }
        self.plain.take(1)?;
        self.step(Form::Text, says)?;
        self.plain.inside()?;
        if says == Says::Nothing {
            self.plain = self.plain.past_escapes()?;
        }
        self.from = self.plain;
        self.plain.byte(b'"')
    }

    /// The literal up to here, and what stands behind it.
    fn step(&mut self, form: Form, says: Says) -> Option<()> {
        self.steps.push((self.from.rest().strip_suffix(self.plain.rest())?, form, says));
        Some(())
    }
}
