//! From a line of JSON to a written fact: CloudEvents 1.0, structured mode, one event a line.
//!
//! Strict where a guess could help a party: what cannot be read, placed in time or given to a partner is refused with a
//! reason, and lands in the dead letters.

mod event;
mod letter;

pub use letter::{DeadLetter, DecodeError};

use event::{Keys, Raw};
use onus_engine::book::Book;
use onus_engine::fact::Draft;
use onus_engine::time::Moment;
use std::ops::Range;
use std::sync::Arc;

/// The longest record that is read, in bytes; Kafka's own default is the same.
pub const LONGEST: usize = 1 << 20;

/// Reads records by the names of a book.
#[derive(Clone, Debug)]
pub struct Decoder {
    book: Arc<Book>,
    keys: Keys,
    /// Events later than this are held aside: their source's clock is wrong, or they are not for this run.
    horizon: Moment,
}

/// Events read from consecutive lines, with their texts, and the lines that could not be read.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events that some contract may care for.
    pub events: Vec<Event>,
    /// Written facts, one after the other.
    pub facts: Vec<u8>,
    /// Names of partners, subjects and sources.
    pub names: String,
    /// Lines that could not be read.
    pub letters: Vec<DeadLetter>,
    /// Latest event time of all events read, of those that no contract cares for, too.
    pub peak: Option<Moment>,
    /// Events read.
    pub read: u64,
    /// Events that no contract cares for.
    pub idle: u64,
    /// Events later than the horizon: how many, and the earliest.
    pub held: (u64, Option<Moment>),
    /// Lines consumed.
    pub lines: u64,
}

/// One event of a [`Batch`].
#[derive(Clone, Debug)]
pub struct Event {
    /// Latest event time of the batch so far, this event's included.
    pub peak: Moment,
    /// Place of the partner's name.
    pub partner: Range<u32>,
    /// Place of the subject's id.
    pub subject: Range<u32>,
    /// Place of the source's name.
    pub source: Range<u32>,
    /// Place of the fact.
    pub fact: Range<u32>,
}

impl Batch {
    /// Empties it, keeps the room.
    pub fn clear(&mut self) {
        self.events.clear();
        self.facts.clear();
        self.names.clear();
        self.letters.clear();
        (self.peak, self.read, self.idle, self.held, self.lines) = (None, 0, 0, (0, None), 0);
    }

    /// A name by its place.
    pub fn name(&self, place: &Range<u32>) -> &str {
        &self.names[place.start as usize..place.end as usize]
    }
}

impl Decoder {
    /// A decoder; events later than `horizon` are held aside.
    pub fn new(book: Arc<Book>, horizon: Moment) -> Decoder {
        let keys = Keys::new(book.names().field_names());
        Decoder { book, keys, horizon }
    }

    /// Reads whole lines; `first` is the number of the first, from 1.
    pub fn lines(&self, bytes: &[u8], first: u64, out: &mut Batch) {
        // Checked once for all lines; only where that fails is each looked at alone.
        let text = std::str::from_utf8(bytes);
        let nul = memchr::memmem::find(bytes, br"\u0000").is_some();
        let mut raw = Raw::default();
        let mut number = first;
        let mut from = 0;
        while from < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |n| from + n);
            let line = &bytes[from..end];
            let read = match &text {
                Ok(text) => Ok(&text[from..end]),
                Err(_) => std::str::from_utf8(line).map_err(|e| DecodeError::Utf8 { byte: e.valid_up_to() + 1 }),
            };
            let result = read.and_then(|line| self.line(line, nul, &mut raw, out));
            if let Err(error) = result {
                out.letters.push(DeadLetter::new(number, line, error));
            }
            number += 1;
            out.lines += 1;
            from = end + 1;
        }
    }

    /// Reads one record.
    pub fn record(&self, text: &str, out: &mut Batch) -> Result<(), DecodeError> {
        self.line(text, text.contains(r"\u0000"), &mut Raw::default(), out)
    }

    fn line<'a>(&self, line: &'a str, nul: bool, raw: &mut Raw<'a>, out: &mut Batch) -> Result<(), DecodeError> {
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() {
            return Ok(());
        }
        if line.len() > LONGEST {
            return Err(DecodeError::TooLong { bytes: line.len() });
        }
        raw.clear();
        event::read(line, &self.keys, raw)?;
        if nul && event::has_nul(line) {
            return Err(DecodeError::Nul);
        }
        self.take(raw, out)
    }

    fn take(&self, raw: &Raw<'_>, out: &mut Batch) -> Result<(), DecodeError> {
        let at = raw.at()?;
        out.read += 1;
        if at > self.horizon {
            out.held = (out.held.0 + 1, Some(out.held.1.map_or(at, |earliest| earliest.min(at))));
            return Ok(());
        }
        let peak = out.peak.map_or(at, |peak| peak.max(at));
        out.peak = Some(peak);
        let kind = raw.kind()?;
        if kind == "onus.tick" {
            return Ok(());
        }
        let (id, source, subject, partner) = (raw.id()?, raw.source()?, raw.subject()?, raw.partner()?);
        let recorded = raw.recorded()?.unwrap_or(at);
        let Some(kind) = self.book.names().event_type(kind) else {
            out.idle += 1;
            return Ok(());
        };
        let about = self.book.names().about(kind);
        if about.by_fields && !raw.fields.iter().any(|(field, _)| about.keeps(*field)) {
            out.idle += 1;
            return Ok(());
        }
        let draft = Draft {
            kind,
            id,
            source,
            at,
            recorded,
            sequence: raw.sequence(),
            factkey: raw.factkey(),
            exact: raw.exact(),
        };
        let fact = self.book.write(&draft, &raw.fields, &mut out.facts);
        let mut name = |text: &str| {
            let from = out.names.len() as u32;
            out.names.push_str(text);
            from..out.names.len() as u32
        };
        let (partner, subject, source) = (name(partner), name(subject), name(source));
        out.events.push(Event { peak, partner, subject, source, fact: fact.start as u32..fact.end as u32 });
        Ok(())
    }
}
