//! What stands on an event for whoever sends it on: much less than a judge reads, and by the same shapes.

use super::event::{self, Keys};
use super::raw::{Name, Raw};
use super::shape::Shapes;

/// Reads the events of a source by what others of it looked like.
#[derive(Debug)]
pub(crate) struct Envelopes {
    keys: Keys,
    shapes: Shapes,
}

/// What stands on an event; None: it does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    pub(crate) kind: Option<&'a str>,
    pub(crate) partner: Option<&'a str>,
    pub(crate) time: Option<&'a str>,
}

impl Default for Envelopes {
    fn default() -> Envelopes {
        Envelopes { keys: Keys::new(&[]), shapes: Shapes::default() }
    }
}

impl Envelopes {
    /// Of an event that looks like one learned from, what a parser would find; None: it does not.
    pub(crate) fn known<'a>(&self, line: &'a str) -> Option<Envelope<'a>> {
        let mut raw = Raw::default();
        self.shapes.read(line, &mut raw).filter(|length| *length == line.len())?;
        let [kind, partner, time] = [Name::Type, Name::Partner, Name::Time].map(|name| raw.plain(name));
        Some(Envelope { kind, partner, time })
    }

    /// Learns from an event that is not known.
    #[cold]
    pub(crate) fn learn(&mut self, line: &str) {
        if self.shapes.departs(line) && event::read(line, &self.keys, &mut Raw::default()).is_ok() {
            self.shapes.learn_from(line, &self.keys);
        }
    }
}
