//! From a line of JSON to a written fact: CloudEvents 1.0, structured mode, one event a line.
//!
//! Strict where a guess could help a party: what cannot be read, placed in time or given to a partner is refused with a
//! reason, and lands in the dead letters.

#[cfg(feature = "kafka")]
mod envelope;
mod event;
mod letter;
mod plain;
mod raw;
mod several;
mod shape;

#[cfg(feature = "kafka")]
pub(crate) use envelope::{Envelope, Envelopes};
pub use letter::{DeadLetter, DecodeError};

use event::Keys;
use memchr::memmem::Finder;
use onus_engine::book::{Book, Field};
use onus_engine::fact::Draft;
use onus_engine::scope::{Owner, Seen};
use onus_engine::time::Moment;
use onus_engine::vocabulary::REHOMED;
use raw::Raw;
use shape::Shapes;
use std::ops::Range;
use std::sync::Arc;

/// The longest record that is read, in bytes; Kafka's own default is the same.
pub const LONGEST: usize = 1 << 20;

/// Reads records by the names of a book. Learns what lines look alike: each thread that reads has its own.
#[derive(Clone, Debug)]
pub struct Decoder {
    book: Arc<Book>,
    keys: Keys,
    /// Events later than this are held aside: their source's clock is wrong, or they are not for this run.
    horizon: Moment,
    /// The escape of a NUL.
    nul: Finder<'static>,
    shapes: Shapes,
    /// Some contract's scope says whose an event is, or of which control.
    scoped: bool,
    /// The types that may be said, where not all may.
    only: Option<Box<[String]>>,
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
    /// Events that name no partner, in their order.
    pub homeless: Vec<Homeless>,
    /// Those that no contract cares for but to place their subject.
    pub sightings: Vec<Homeless>,
    /// When each line came, where that is what was recorded; empty: events say it themselves. Not emptied by
    /// [`Batch::clear`]: whoever fills it does it anew.
    pub arrived: Vec<Moment>,
    /// Lines of events later than the horizon.
    pub aside: Vec<(u64, Moment)>,
    /// The latest tick.
    pub tick: Option<Moment>,
    /// Subjects that are handed from one partner to another: these concern both.
    pub handovers: u64,
    /// Lines that gave events to several partners.
    pub several: Vec<u32>,
    /// Events, by position, that tell a partner what another did on its ground: beside what the line says of that one.
    pub grounds: Vec<usize>,
    /// Events, by position, that tell the customer what several partners were told.
    pub customers: Vec<usize>,
}

/// An event that names no partner, and what the contracts' scopes say of it.
#[derive(Clone, Debug)]
pub struct Homeless {
    /// Its position among the events.
    pub event: usize,
    /// What it is about.
    pub subject: String,
    /// Whose it is.
    pub owner: Owner,
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
    /// Which line of the batch it was, from 0.
    pub line: u32,
}

impl Batch {
    /// Empties it, keeps the room.
    pub fn clear(&mut self) {
        self.events.clear();
        self.facts.clear();
        self.names.clear();
        self.letters.clear();
        self.homeless.clear();
        self.sightings.clear();
        self.aside.clear();
        self.tick = None;
        (self.peak, self.read, self.idle, self.held, self.lines) = (None, 0, 0, (0, None), 0);
        self.handovers = 0;
        self.several.clear();
        self.grounds.clear();
        self.customers.clear();
    }

    #[inline(always)]
    fn push(&mut self, peak: Moment, [partner, subject, source]: [&str; 3], fact: Range<usize>) {
        let mut name = |text: &str| {
            let from = self.names.len() as u32;
            self.names.push_str(text);
            from..self.names.len() as u32
        };
        let (partner, subject, source) = (name(partner), name(subject), name(source));
        let line = self.lines as u32;
        self.events.push(Event { peak, partner, subject, source, fact: fact.start as u32..fact.end as u32, line });
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
        let scoped = book.finds_partners() || book.finds_controls();
        Decoder { book, keys, horizon, nul: Finder::new(br"\u0000"), shapes: Shapes::default(), scoped, only: None }
    }

    /// Types that may be said, as patterns: what no contract names is refused beyond them, not passed over.
    #[must_use]
    pub fn only(mut self, types: &[String]) -> Decoder {
        self.only = types.iter().all(|pattern| pattern != "*").then(|| types.to_vec().into());
        self
    }

    /// Of a type that no contract names: it may be said.
    #[cold]
    fn passed_over(&self, kind: &str) -> Result<(), DecodeError> {
        let may = |types: &[String]| types.iter().any(|pattern| onus_engine::rule::glob(pattern, kind));
        match &self.only {
            Some(types) if !may(types) => Err(DecodeError::Unauthorised(kind.to_owned())),
            _ => Ok(()),
        }
    }

    /// Events later than this are held aside from now on.
    pub fn hold_beyond(&mut self, horizon: Moment) {
        self.horizon = horizon;
    }

    /// Reads whole lines; `first` is the number of the first, from 1.
    pub fn lines(&mut self, bytes: &[u8], first: u64, out: &mut Batch) {
        // Checked once for all lines; only where that fails is each looked at alone.
        let text = simdutf8::basic::from_utf8(bytes);
        let mut raw = Raw::default();
        let mut number = first;
        let mut from = 0;
        while from < bytes.len() {
            let ahead = match &text {
                Ok(text) => Ok(&text[from..]),
                Err(_) => std::str::from_utf8(first_line(&bytes[from..]))
                    .map_err(|e| DecodeError::Utf8 { byte: e.valid_up_to() + 1 }),
            };
            let (length, result) = match ahead {
                Ok(ahead) => self.line(ahead, &mut raw, out),
                Err(error) => (first_line(&bytes[from..]).len(), Err(error)),
            };
            if let Err(error) = result {
                out.letters.push(DeadLetter::new(number, &bytes[from..from + length], error));
            }
            number += 1;
            out.lines += 1;
            from += length + 1;
        }
    }

    /// Reads one record, without regard to what others looked like.
    pub fn record(&self, text: &str, out: &mut Batch) -> Result<(), DecodeError> {
        let Some(line) = trimmed(text)? else { return Ok(()) };
        let mut raw = Raw::default();
        self.read(line, &mut raw)?;
        self.take(&raw, out)
    }

    /// Reads the first of the lines ahead; says how long it is, too.
    #[inline(always)]
    fn line<'a>(&mut self, ahead: &'a str, raw: &mut Raw<'a>, out: &mut Batch) -> (usize, Result<(), DecodeError>) {
        raw.clear();
        // One of a known shape is not searched for its end: it ends where its shape does.
        match self.shapes.read(ahead, raw) {
            Some(length) if length <= LONGEST => (length, self.take(raw, out)),
            _ => {
                let length = first_line(ahead.as_bytes()).len();
                (length, self.parse(&ahead[..length], raw, out))
            }
        }
    }

    #[cold]
    fn parse<'a>(&mut self, line: &'a str, raw: &mut Raw<'a>, out: &mut Batch) -> Result<(), DecodeError> {
        let Some(line) = trimmed(line)? else { return Ok(()) };
        raw.clear();
        self.read(line, raw)?;
        self.shapes.learn(line, &self.keys);
        self.take(raw, out)
    }

    fn read<'a>(&self, line: &'a str, raw: &mut Raw<'a>) -> Result<(), DecodeError> {
        event::read(line, &self.keys, raw)?;
        if event::has_nul(line, &self.nul) { Err(DecodeError::Nul) } else { Ok(()) }
    }

    #[inline(always)]
    fn take(&self, raw: &Raw<'_>, out: &mut Batch) -> Result<(), DecodeError> {
        let at = raw.at()?;
        out.read += 1;
        if at > self.horizon {
            out.held = (out.held.0 + 1, Some(out.held.1.map_or(at, |earliest| earliest.min(at))));
            out.aside.push((out.lines, at));
            return Ok(());
        }
        let peak = out.peak.map_or(at, |peak| peak.max(at));
        out.peak = Some(peak);
        let kind = raw.kind()?;
        if kind == "onus.tick" {
            out.tick = out.tick.max(Some(at));
            return Ok(());
        }
        let (id, source, subject) = (raw.id()?, raw.source()?, raw.subject()?);
        let partner = match raw.partner() {
            // It stands under the name of the old one, and is the new one's as much.
            _ if kind == REHOMED => {
                out.handovers += 1;
                self.hands_over(raw)?
            }
            Err(DecodeError::NoPartner) if self.may_name_nobody(raw) => "",
            named => named?,
        };
        let recorded = match out.arrived.get(out.lines as usize) {
            Some(arrived) => *arrived,
            None => raw.recorded()?.unwrap_or(at),
        };
        if kind != REHOMED && self.gives_to_several(raw, partner, (peak, recorded), out)? {
            return Ok(());
        }
        if partner.is_empty() && !self.book.finds_partners() {
            return Err(DecodeError::NoPartner);
        }
        let placed = self.scoped.then(|| self.placed(raw, kind, source, subject, partner, at)).flatten();
        let homeless = placed.as_ref().filter(|_| partner.is_empty()).map(|owner| Homeless {
            event: out.events.len(),
            subject: subject.to_owned(),
            owner: owner.clone(),
        });
        let Some(kind) = self.book.names().event_type(kind) else {
            if self.only.is_some() {
                self.passed_over(kind)?;
            }
            out.idle += 1;
            out.sightings.extend(homeless.filter(|one| one.owner.partner.is_ok()));
            return Ok(());
        };
        let about = self.book.names().about(kind);
        if about.by_fields && !raw.fields.iter().any(|(field, _)| about.keeps(*field)) {
            out.idle += 1;
            out.sightings.extend(homeless.filter(|one| one.owner.partner.is_ok()));
            return Ok(());
        }
        out.homeless.extend(homeless);
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
        let fact = match placed.and_then(|owner| owner.control) {
            None => self.book.write(&draft, &raw.fields, &mut out.facts),
            Some(control) => {
                let mut fields = raw.fields.clone();
                fields.push((self.book.names().well_known().control, Field::One(control.into())));
                self.book.write(&draft, &fields, &mut out.facts)
            }
        };
        out.push(peak, [partner, subject, source], fact);
        Ok(())
    }
}

impl Decoder {
    /// From whom a subject is handed over.
    #[cold]
    fn hands_over<'a>(&self, raw: &'a Raw<'_>) -> Result<&'a str, DecodeError> {
        let known = self.book.names().well_known();
        let side = |field| {
            let said = raw.fields.iter().find(|(id, _)| *id == field).map(|(_, value)| value);
            match said {
                Some(Field::One(name)) if !name.is_empty() => Ok(name.as_ref()),
                Some(Field::One(_) | Field::List(_)) | None => Err(DecodeError::Handover),
            }
        };
        let (from, to) = (side(known.from)?, side(known.to)?);
        let subject = raw.subject()?;
        if from == to || subject == from || subject == to { Err(DecodeError::Handover) } else { Ok(from) }
    }

    /// What the scopes say of an event: whose it is, if it does not say it, and of which control.
    #[cold]
    fn placed(
        &self,
        raw: &Raw<'_>,
        kind: &str,
        source: &str,
        subject: &str,
        partner: &str,
        at: Moment,
    ) -> Option<Owner> {
        let seen = Seen { kind, source, subject, at, fields: &raw.fields };
        let said = self.said_control(raw);
        if partner.is_empty() {
            return self.book.owner(&seen, said);
        }
        let control = if said.is_none() { self.book.control(partner, &seen) } else { None };
        Some(Owner { partner: Ok(partner.to_owned()), control, overlap: None })
    }
}

impl Decoder {
    /// The control that an event says itself.
    fn said_control<'r>(&self, raw: &'r Raw<'_>) -> Option<&'r str> {
        let field = self.book.names().well_known().control;
        raw.fields.iter().find(|(id, _)| *id == field).and_then(|(_, value)| match value {
            Field::One(text) => Some(text.as_ref()),
            Field::List(texts) => texts.first().map(AsRef::as_ref),
        })
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..end])
}

/// A line without the white space around it; None if nothing is left.
fn trimmed(line: &str) -> Result<Option<&str>, DecodeError> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.len() > LONGEST {
        return Err(DecodeError::TooLong { bytes: line.len() });
    }
    Ok((!line.is_empty()).then_some(line))
}
