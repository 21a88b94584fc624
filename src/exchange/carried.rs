//! The form of what travels through the exchange. A record has events of one partition, a line of JSON each, as its value, and
//! where each of them was in one header; or it says how far a source was heard; or which records were read anew.
//!
//! What a record costs is paid once for all events in it: by brokers, their clients, and whoever reads it. People who look into
//! the topic still see events.

use super::lanes::Lane;
use super::repeats::Reading;
use crate::store::Regenerated;
use onus_engine::time::Moment;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The header's name.
pub const HEADER: &str = "onus";
/// Rises when the form changes: the header's first byte.
const FORM: u8 = 1;
/// Of what has to do with records that were read anew: whoever does not know that would judge both readings.
const ANEW: u8 = 2;
/// No source has a place beyond: stores count so far.
const FURTHEST: u64 = i64::MAX as u64;
/// Nothing arrives later, which is the end of the year 9999.
const LATEST: i64 = 253_402_300_799_999;

/// A record of the exchange.
#[derive(Debug)]
pub enum Carried<'a> {
    /// Events.
    Events(Events<'a>),
    /// How far a source was heard.
    Tick(Tick),
    /// Records that were read anew: all of that reading was written here before, and counts from here on.
    Regenerated(Vec<Regenerated>),
    /// An intake of a later version wrote it.
    Later,
}

/// How far a source was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Its name.
    pub source: String,
    /// Up to then all of it has been written here.
    pub heard: Moment,
    /// When something of it last came.
    pub last: Moment,
    /// Whose share of it was heard so far; None: all of it.
    pub part: Option<Part>,
}

/// A lane's share of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Whose.
    pub lane: Lane,
    /// In how many parts the source comes: with fewer than there are lanes, the last lanes have none.
    pub parts: u32,
}

/// Events of a record, in order.
#[derive(Debug)]
pub struct Events<'a> {
    /// Where they were. There are as many places as lines.
    pub runs: Vec<Run>,
    lines: &'a [u8],
}

/// Events that follow one another in one reading of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which reading.
    pub reading: Reading,
    /// Where each was.
    pub places: Vec<Place>,
}

/// Where an event was in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Position of its record.
    pub offset: u64,
    /// Which of the record's events.
    pub item: u32,
    /// When the record came to where the source keeps it, else to the intake.
    pub arrived: Moment,
}

impl<'a> Events<'a> {
    /// Each as JSON on one line.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        let lines = self.lines;
        let ends = memchr::memchr_iter(b'\n', lines).chain([lines.len()]);
        ends.scan(0, |from, end| Some(&lines[std::mem::replace(from, end + 1)..end]))
    }
}

/// What a header says.
#[derive(Serialize, Deserialize)]
enum Head<'a> {
    #[serde(borrow)]
    Events(Vec<Stretch<'a>>),
    #[serde(borrow)]
    Tick(Heard<'a>),
    #[serde(borrow)]
    Regenerated(Anew<'a>),
}

/// One reading of what one adapter reads.
#[derive(Serialize, Deserialize)]
struct Anew<'a> {
    generation: u64,
    why: Cow<'a, str>,
    /// Source, partition, the first position, the first after the last.
    of: Vec<(Cow<'a, str>, i32, u64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct Stretch<'a> {
    source: Cow<'a, str>,
    partition: i32,
    incarnation: Cow<'a, str>,
    generation: u64,
    places: Vec<Step>,
}

/// A place as it is written: offset and arrival as distances from the event before, with the item between them.
type Step = (u64, u32, i64);

#[derive(Serialize, Deserialize)]
struct Heard<'a> {
    source: Cow<'a, str>,
    heard: Moment,
    last: Moment,
    /// A lane, of how many, and the parts.
    part: Option<(u16, u16, u32)>,
}

impl Head<'_> {
    fn form(&self) -> u8 {
        match self {
            Head::Events(all) if all.iter().all(|one| one.generation == 0) => FORM,
            Head::Tick(_) => FORM,
            Head::Events(_) | Head::Regenerated(_) => ANEW,
        }
    }

    fn written(&self) -> Vec<u8> {
        // Into memory, of plain types: there is nothing that could go wrong.
        postcard::to_extend(self, vec![self.form()]).unwrap_or_default()
    }
}

/// The header of the word that records were read anew, which are of one reading; None: of none.
pub fn regenerated(all: &[Regenerated]) -> Option<Vec<u8>> {
    let Regenerated { generation, why, .. } = all.first()?;
    let one = |one| {
        let Regenerated { source, partition, begins, ends, .. }: &Regenerated = one;
        (plain(source), *partition, *begins, *ends)
    };
    let of = all.iter().map(one).collect();
    Some(Head::Regenerated(Anew { generation: *generation, why: plain(why), of }).written())
}

impl Tick {
    /// Its header.
    pub fn header(&self) -> Vec<u8> {
        let part = self.part.map(|Part { lane, parts }| (lane.own, lane.of, parts));
        Head::Tick(Heard { source: plain(&self.source), heard: self.heard, last: self.last, part }).written()
    }
}

/// Events that go to one partition as one record.
#[derive(Debug, Default)]
pub struct Bundle {
    runs: Vec<(Arc<Reading>, Vec<Step>)>,
    /// The last one's place.
    last: Option<Place>,
    lines: Vec<u8>,
}

impl Bundle {
    /// Adds an event. Its line has no line ends.
    pub fn put(&mut self, reading: &Arc<Reading>, place: Place, line: &[u8]) {
        if self.last.is_some() {
            self.lines.push(b'\n');
        }
        self.lines.extend_from_slice(line);
        // Who reads a piece of a source says so of each of its events, and they are very many.
        if !self.runs.last().is_some_and(|(before, _)| Arc::ptr_eq(before, reading) || before == reading) {
            self.runs.push((Arc::clone(reading), Vec::new()));
        }
        let Place { offset, item, arrived } = place;
        let (from, then) = self.last.map_or((0, 0), |last| (last.offset, last.arrived.0));
        if let Some((_, places)) = self.runs.last_mut() {
            places.push((offset.wrapping_sub(from), item, arrived.0.wrapping_sub(then)));
        }
        self.last = Some(place);
    }

    /// Bytes of its lines.
    pub fn bytes(&self) -> usize {
        self.lines.len()
    }

    /// Header and value of the record; empty, it has none.
    pub fn record(self) -> Option<(Vec<u8>, Vec<u8>)> {
        let Bundle { mut runs, last, lines } = self;
        last?;
        let runs = runs.iter_mut().map(|(reading, places)| Stretch {
            source: plain(&reading.source),
            partition: reading.partition,
            incarnation: plain(&reading.incarnation),
            generation: reading.generation,
            places: std::mem::take(places),
        });
        Some((Head::Events(runs.collect()).written(), lines))
    }
}

/// A name without control characters, which no store takes.
fn plain(name: &str) -> Cow<'_, str> {
    match name.contains(char::is_control) {
        true => Cow::Owned(name.replace(char::is_control, " ")),
        false => Cow::Borrowed(name),
    }
}

/// Puts a record down as one piece of bytes: its header, with its length before it, and its value.
pub fn lay(header: Option<&[u8]>, value: &[u8], out: &mut Vec<u8>) {
    let header = header.unwrap_or_default();
    out.extend_from_slice(&(header.len() as u32).to_le_bytes());
    out.extend_from_slice(header);
    out.extend_from_slice(value);
}

/// The value of a record that was put down so.
pub fn value(record: &[u8]) -> &[u8] {
    parts(record).map_or(record, |(_, value)| value)
}

fn parts(record: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = record.split_first_chunk()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// A record that was put down so; None: nobody wrote it who writes here.
pub fn read(record: &[u8]) -> Option<Carried<'_>> {
    let (header, lines) = parts(record)?;
    let (form, header) = header.split_first()?;
    if !(FORM..=ANEW).contains(form) {
        return (*form > ANEW).then_some(Carried::Later);
    }
    let (head, rest): (Head<'_>, &[u8]) = postcard::take_from_bytes(header).ok()?;
    if !rest.is_empty() || head.form() != *form {
        return None;
    }
    match head {
        Head::Regenerated(Anew { generation, why, of }) => {
            let why = named(why)?;
            let one = |(source, partition, begins, ends): (Cow<'_, str>, i32, u64, u64)| {
                let source = named(source).filter(|source| !source.is_empty())?;
                let why = why.clone();
                (begins < ends && ends <= FURTHEST).then_some(Regenerated {
                    source,
                    partition,
                    generation,
                    begins,
                    ends,
                    why,
                })
            };
            let all: Vec<Regenerated> = of.into_iter().map(one).collect::<Option<_>>()?;
            let places: BTreeSet<(&str, i32)> = all.iter().map(|one| (one.source.as_str(), one.partition)).collect();
            let once = !all.is_empty() && places.len() == all.len();
            (once && (1..=FURTHEST).contains(&generation)).then_some(Carried::Regenerated(all))
        }
        Head::Tick(Heard { source, heard, last, part }) => {
            let source = named(source).filter(|source| !source.is_empty())?;
            let part = match part {
                Some((own, of, _)) if own >= of => return None,
                part => part.map(|(own, of, parts)| Part { lane: Lane { own, of }, parts }),
            };
            Some(Carried::Tick(Tick { source, heard, last, part }))
        }
        Head::Events(stretches) => {
            let (mut offset, mut at, mut count) = (0u64, 0i64, 0);
            let mut runs = Vec::with_capacity(stretches.len().min(header.len()));
            for one in stretches {
                let (source, incarnation) = (named(one.source)?, named(one.incarnation)?);
                let (partition, generation) = (one.partition, one.generation);
                let mut places = Vec::with_capacity(one.places.len());
                for (further, item, later) in one.places {
                    (offset, at) = (offset.wrapping_add(further), at.wrapping_add(later));
                    if offset > FURTHEST || !(0..=LATEST).contains(&at) {
                        return None;
                    }
                    places.push(Place { offset, item, arrived: Moment(at) });
                }
                if source.is_empty() || places.is_empty() || generation > FURTHEST {
                    return None;
                }
                count += places.len();
                runs.push(Run { reading: Reading { source, partition, incarnation, generation }, places });
            }
            let said = memchr::memchr_iter(b'\n', lines).count() + 1;
            (count == said).then_some(Carried::Events(Events { runs, lines }))
        }
    }
}

fn named(name: Cow<'_, str>) -> Option<String> {
    (!name.contains(char::is_control)).then(|| name.into_owned())
}

#[cfg(test)]
mod tests;
