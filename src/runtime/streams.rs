//! Several files as one stream: always on with the file that is least far in time, so that no file runs ahead.

use super::ahead::Foresight;
use super::check::TOGETHER;
use super::reading::Reading;
use crate::decode::{Batch, DeadLetter, DecodeError};
use crate::ingest::{Chunk, Lines, ReadError};
use onus_engine::time::Moment;
use std::ops::Range;

/// A file being read, decoded chunk by chunk.
pub(super) struct Stream {
    lines: Lines,
    chunk: Chunk,
    pub(super) batch: Batch,
    pub(super) foresight: Foresight,
    at: usize,
    /// Latest time of all chunks before this one.
    before: Option<Moment>,
    done: bool,
}

impl Stream {
    pub(super) fn new(lines: Lines) -> Stream {
        Stream {
            lines,
            chunk: Chunk::default(),
            batch: Batch::default(),
            foresight: Foresight::default(),
            at: 0,
            before: None,
            done: false,
        }
    }

    /// How far the file is with its next event; None at its end.
    pub(super) fn key(&self) -> Option<Moment> {
        (!self.is_spent()).then(|| self.key_of(self.at))
    }

    /// How far the file is with the event at a position.
    pub(super) fn key_of(&self, at: usize) -> Moment {
        let peak = self.batch.events[at].peak;
        self.before.map_or(peak, |before| before.max(peak))
    }

    /// Positions of the next few events that no other file's next is earlier than, and on to the one after.
    pub(super) fn next(&mut self, others: Option<Moment>) -> Option<Range<usize>> {
        let last = self.batch.events.len().min(self.at + TOGETHER);
        let fits = |at: &usize| others.is_none_or(|other| self.key_of(*at) <= other);
        let next = self.at..self.at + (self.at..last).take_while(fits).count();
        self.at = next.end;
        (!next.is_empty()).then_some(next)
    }

    /// Nothing left in the batch.
    pub(super) fn is_spent(&self) -> bool {
        self.at >= self.batch.events.len()
    }

    /// Reads on until there are events or the end; `seen` takes note of each batch. False at the end.
    pub(super) fn refill(
        &mut self,
        reading: &mut Reading,
        seen: &mut dyn FnMut(&str, &Batch),
    ) -> Result<bool, ReadError> {
        while !self.done && self.is_spent() {
            self.before = self.before.max(self.batch.peak);
            self.at = 0;
            self.batch.clear();
            self.foresight.clear();
            if !self.lines.next(&mut self.chunk)? {
                self.done = true;
                break;
            }
            decode(reading, &self.chunk, &mut self.batch);
            seen(self.lines.name(), &self.batch);
        }
        Ok(!self.is_spent())
    }
}

/// Decodes a chunk, with a letter for each line that is too long.
pub(super) fn decode(reading: &mut Reading, chunk: &Chunk, batch: &mut Batch) {
    for (line, bytes) in &chunk.too_long {
        batch.letters.push(DeadLetter::new(*line, b"", DecodeError::TooLong { bytes: *bytes }));
        batch.lines += 1;
    }
    // A line too long stands before the chunk's lines, or, at a file's end, after all of them.
    reading.lines(chunk.bytes(), chunk.first, batch);
}
