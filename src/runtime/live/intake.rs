//! Records that come in: judged, put into the journal, and not yet written. What cannot be used is a dead letter.

use super::exchanged::is_no_record;
use super::generations::named;
use super::halts::HALTED;
use super::journal::{Item, Piece};
use super::judge::{CONFLICT, Refused, UNAUTHORISED};
use super::{Live, LiveError, Waiting, adapted};
use crate::decode::DecodeError;
use crate::ingest::adapt::redact_bytes;
use crate::ingest::feed::{FeedId, Record, Records, Wrong};
use crate::store::{LETTER, Letter, LetterState, Position, Query};
use onus_engine::time::Moment;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// A character with which no JSON begins.
const NO_JSON: u8 = 0x0b;

impl Live {
    /// Takes records in: judged, and in the journal, and not yet written. `letter`: they were this dead letter before.
    pub(super) fn records(&mut self, mut records: Records, letter: Option<&Letter>) -> Result<(), LiveError> {
        self.status.feed(records.feed).passed(&std::mem::take(&mut records.passed));
        if records.list.is_empty() && letter.is_none() && records.done.is_none() {
            return Ok(());
        }
        self.hand.began.get_or_insert_with(Instant::now);
        let (feed, key) = (records.feed, (records.feed.0, records.partition));
        self.time_for(key)?;
        // A dead letter of a source with an adapter may be an event already.
        let (mut events, mut brought) = match letter.is_none_or(|letter| adapted::is_record(&letter.reason)) {
            true => self.machines.read(records),
            false => (records, None),
        };
        let done = brought.as_mut().map_or(&mut events.done, |brought| &mut brought.records.done).take();
        let source = &self.plan.feeds[usize::from(feed.0)].name;
        let against = self.identities.against;
        let told = self.identities.pin(&events, source).map(|pinned| std::mem::replace(&mut events, pinned));
        let arrived: Vec<Moment> = events.list.iter().map(|one| one.arrived).collect();
        let mut refused = self.judged(&mut events, &arrived)?;
        let adapted_before = self.exchanged.is_some() && self.plan.feeds[usize::from(feed.0)].adapted;
        if brought.is_some() || adapted_before {
            // A row that was forgotten and is seen again tells once more what was told, as it looks now: the first word
            // counts, and that is no conflict.
            refused.retain(|one| one.reason != CONFLICT);
        }
        let unread = brought.as_ref().map_or(&[][..], |brought| &brought.refused);
        // Dead letters and positions are of what was told.
        let told = told.as_ref().unwrap_or(&events);
        let whole = brought.as_ref().map_or(told, |brought| &brought.records);
        let lost = (refused.len() + unread.len()) as u64;
        self.status.feed(feed).took((events.list.len() + unread.len()) as u64, lost);
        if let Some(brought) = &brought {
            self.status.feed(feed).passed(&brought.skipped);
        }
        if letter.is_none() {
            let last = whole.list.last().map_or(Moment::DAWN, |last| last.arrived);
            let violations = refused.iter().filter(|one| one.reason == UNAUTHORISED).count();
            self.status.feed(feed).violated(violations as u64, last);
        }
        self.status.feed(feed).contradicted(self.identities.against - against);
        match letter {
            Some(letter) => {
                let state = if lost == 0 { LetterState::Replayed } else { LetterState::Waiting };
                self.hand.reread.push((letter.number, state));
            }
            None => {
                // A vendor's record may hold what nobody should keep; an event was made without it.
                unread.iter().for_each(|one| self.put_letter(whole, one, &redact_bytes(whole.of(one.line))));
                refused.iter().for_each(|one| self.put_letter(told, one, told.of(one.line)));
                // What came through the exchange is read on there.
                if self.exchanged.is_none() {
                    self.note_position(whole, key);
                }
                if let (Some(frontier), Some(last)) = (self.frontiers.get_mut(usize::from(feed.0)), whole.list.last()) {
                    frontier.came(whole.partition, last.arrived, whole.stamped);
                    if let Some(tick) = self.judge.tick {
                        frontier.tick(tick);
                    }
                }
            }
        }
        let reached = self.peaks.entry(key).or_default();
        reached.0 = reached.0.max(self.judge.peak);
        self.ledger.take(&mut self.judge.engine);
        self.hand.events += whole.list.len();
        if let Some(done) = done {
            let of = |line: usize| brought.as_ref().map_or(line, |brought| brought.from[line]);
            let events = refused.iter().map(|one| (of(one.line), one));
            let all = events.chain(unread.iter().map(|one| (one.line, one)));
            let refused = all.map(|(line, one)| (line, format!("{}: {}", one.reason, one.detail))).collect();
            self.hand.waiting.push(Waiting { done, refused });
        }
        self.write_down(events, &arrived, &refused);
        self.since.get_or_insert(self.now.steady());
        Ok(())
    }

    /// Has events judged; gives those that were refused, in their order.
    fn judged(&mut self, events: &mut Records, arrived: &[Moment]) -> Result<Vec<Refused>, LiveError> {
        let at = usize::from(events.feed.0);
        let mut refused: Vec<Refused> =
            events.list.iter().enumerate().filter_map(|(line, one)| unreadable(line, one)).collect();
        let cut: Vec<usize> = refused.iter().map(|one| one.line).collect();
        // What is left of a record that was cut may still be an event; it is not to be taken for one.
        let places = cut.iter().map(|line| &events.list[*line].place).filter(|place| !place.is_empty());
        let starts: Vec<usize> = places.map(|place| place.start as usize).collect();
        let firsts: Vec<u8> = starts.iter().map(|at| std::mem::replace(&mut events.bytes[*at], NO_JSON)).collect();
        let mut trouble = None;
        self.with_shelves(|judge, shelves| {
            judge.lines(at, &events.bytes, arrived, shelves, &mut |one| {
                if !cut.contains(&one.line) {
                    refused.push(one);
                }
            });
            trouble = shelves.trouble.take();
        });
        for (at, first) in starts.into_iter().zip(firsts) {
            events.bytes[at] = first;
        }
        refused.sort_by_key(|one| one.line);
        // A line for several partners is one record, and one dead letter.
        refused.dedup_by_key(|one| one.line);
        trouble.map_or(Ok(refused), |trouble| Err(trouble.into()))
    }

    /// What became of it is a matter of the journal from here on; what was refused changed nothing and is not in it.
    fn write_down(&mut self, records: Records, arrived: &[Moment], refused: &[Refused]) {
        let none: Vec<usize> = refused.iter().filter(|one| one.reason != CONFLICT).map(|one| one.line).collect();
        let gone = |line: usize| none.binary_search(&line).is_ok();
        let source = &self.plan.feeds[usize::from(records.feed.0)].name;
        // A dead letter that is read again is of a record that may have been read anew: what it says now belongs to that reading.
        let reading = |line: &usize| {
            let offset = records.list.get(*line).map_or(0, |one| one.offset);
            self.generations.newest(source, records.partition, offset)
        };
        let lines: Vec<usize> = match self.generations.of_all(source, 0) {
            Some(_) => Vec::new(),
            None => (0..records.list.len()).filter(|line| !gone(*line)).collect(),
        };
        if lines.iter().any(|line| reading(line) > 0) {
            for some in lines.chunk_by(|a, b| reading(a) == reading(b)) {
                let name = match some.first().map_or(0, reading) {
                    0 => source.clone(),
                    generation => named(source, generation),
                };
                self.hand.journal.put_lines(&name, &records, some.iter().copied());
            }
            return;
        }
        let (mut offsets, mut times) = (Vec::new(), Vec::new());
        let (mut last, mut then) = (0, 0);
        for (line, one) in records.list.iter().enumerate().filter(|(line, _)| !gone(*line)) {
            offsets.push(one.offset.wrapping_sub(last));
            times.push(arrived[line].0 - then);
            (last, then) = (one.offset, arrived[line].0);
        }
        if offsets.is_empty() {
            return;
        }
        let lines = if none.is_empty() {
            records.bytes
        } else {
            let mut rest = Vec::with_capacity(records.bytes.len());
            for (_, one) in records.list.iter().enumerate().filter(|(line, _)| !gone(*line)) {
                rest.extend_from_slice(records.record(one));
                rest.push(b'\n');
            }
            rest
        };
        let feed = self.hand.journal.name(source);
        let piece = Piece { feed, partition: records.partition, offsets, arrived: times, lines: Cow::Owned(lines) };
        self.hand.journal.put(Item::Piece(piece));
    }

    /// `whole`: its record, as it is to be kept.
    pub(super) fn put_letter(&mut self, records: &Records, refused: &Refused, whole: &[u8]) {
        self.letter += 1;
        let source = self.plan.feeds[usize::from(records.feed.0)].name.clone();
        self.hand.letters.push(letter(self.letter, source, records, refused, whole));
        self.status.letter(refused.reason);
    }

    /// Where reading begins is written down like what was read.
    pub(super) fn began(&mut self, feed: FeedId, partition: i32, incarnation: &str, next: u64) {
        let source = self.plan.feeds[usize::from(feed.0)].name.clone();
        let position = Position { source, partition, incarnation: incarnation.to_owned(), next, last: 0 };
        self.positions.insert((feed.0, partition), position);
        self.moved.insert((feed.0, partition));
        self.peaks.entry((feed.0, partition)).or_default();
        self.since.get_or_insert(self.now.steady());
    }

    pub(super) fn note_position(&mut self, records: &Records, key: (u16, i32)) {
        let Some(last) = records.list.last() else { return };
        let position = Position {
            source: self.plan.feeds[usize::from(records.feed.0)].name.clone(),
            partition: records.partition,
            incarnation: records.incarnation.to_string(),
            next: last.next,
            last: records.last.unwrap_or_else(|| xxh3_64(records.record(last))),
        };
        self.positions.insert(key, position);
        self.moved.insert(key);
    }

    /// Dead letters that somebody asked to be read again.
    pub(super) fn read_letters_again(&mut self) -> Result<(), LiveError> {
        let asked = Query { state: Some(LetterState::Asked), limit: 100, ..Query::default() };
        let again = match self.keeper.store().and_then(|store| store.letters(&asked)) {
            Err(error) if error.may_pass() => return Ok(()),
            found => found?,
        };
        // What could not be written yet may have read them already.
        let again = if self.keeper.has_unwritten() { Vec::new() } else { again };
        for letter in again {
            let feed = self.plan.feeds.iter().position(|feed| feed.name == letter.source);
            if letter.reason == HALTED {
                self.decided(&letter);
                continue;
            }
            if is_no_record(&letter.reason) {
                // Nobody's word makes a fact of it.
                self.hand.reread.push((letter.number, LetterState::Waiting));
                continue;
            }
            let known = self.hand.reread.iter().any(|(number, _)| *number == letter.number);
            let Some(feed) = feed.filter(|_| !known) else { continue };
            let records = Records::new(FeedId(feed as u16), letter.partition, Arc::from(""));
            let Some(records) = self.unwrapped(&letter, records) else { continue };
            self.records(records, Some(&letter))?;
        }
        Ok(())
    }
}

/// A dead letter. `whole`: its record, as it is to be kept.
pub(crate) fn letter(number: u64, source: String, records: &Records, refused: &Refused, whole: &[u8]) -> Letter {
    let one = &records.list[refused.line];
    Letter {
        number,
        source,
        partition: records.partition,
        offset: one.offset,
        at: one.arrived,
        reason: refused.reason.to_owned(),
        detail: refused.detail.clone(),
        record: whole[..whole.len().min(LETTER)].to_vec(),
        length: one.cut().unwrap_or(whole.len() as u64),
        hash: xxh3_64(whole),
        state: LetterState::Waiting,
        note: None,
    }
}

/// Why a record cannot be read, where its source has said so.
pub(crate) fn unreadable(line: usize, one: &Record) -> Option<Refused> {
    match one.wrong.as_deref()? {
        Wrong::Cut(bytes) => {
            let error = DecodeError::TooLong { bytes: *bytes as usize };
            Some(Refused { line, reason: error.name(), detail: error.to_string() })
        }
        Wrong::Wire { reason, detail } => Some(Refused { line, reason, detail: detail.clone() }),
    }
}
