//! What is said to the loop, in pieces.

use super::cutter::Line;
use super::{Left, Tail};
use crate::ingest::feed::{FeedId, Heard, PIECE, Records, Sender, Wrong};
use crate::ingest::wire::{Came, Wire};
use onus_engine::time::Moment;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where nothing came, how often it is said that nothing came.
const QUIET: Duration = Duration::from_secs(1);

/// Gathers records into pieces; knows what was said last, so that nothing is said twice.
pub(super) struct Hand {
    feed: FeedId,
    heard: Sender,
    wire: Arc<Wire>,
    longest: usize,
    piece: Records,
    trouble: Option<String>,
    /// Records were said since it was last said that all was.
    news: bool,
    quiet_since: Option<Instant>,
    /// Records and bytes handed over: how long a record is.
    records: u64,
    bytes: u64,
}

impl Hand {
    pub(super) fn new(tail: &Tail, heard: Sender) -> Hand {
        Hand {
            feed: tail.feed,
            heard,
            wire: Arc::clone(&tail.wire),
            longest: tail.longest,
            piece: piece(tail.feed, Arc::from("")),
            trouble: None,
            news: false,
            quiet_since: None,
            records: 0,
            bytes: 0,
        }
    }

    /// What follows is read there.
    pub(super) fn reads(&mut self, incarnation: &str) -> Result<(), Left> {
        self.flush()?;
        self.piece.incarnation = Arc::from(incarnation);
        Ok(())
    }

    /// One more record; `offset` and `next` are its positions.
    pub(super) fn record(&mut self, line: &Line<'_>, offset: u64, next: u64, arrived: Moment) {
        if let Some(length) = line.cut {
            self.piece.push(line.bytes, offset, next, arrived);
            self.piece.is_wrong(Wrong::Cut(length));
            self.piece.last = None;
        } else {
            let came = Came { value: Some(line.bytes), headers: &[], offset, next, arrived, longest: self.longest };
            // No schema is waited for: settings give frames to Kafka's sources alone.
            self.wire.put(&came, || format!("the line at {offset}"), &mut self.piece);
        }
        self.records += 1;
        self.bytes += line.next - line.offset;
    }

    /// Hands over what is gathered, if it is a piece.
    pub(super) fn flush_full(&mut self) -> Result<(), Left> {
        if self.piece.bytes.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Hands over what is gathered.
    pub(super) fn flush(&mut self) -> Result<(), Left> {
        if self.piece.says_nothing() {
            return Ok(());
        }
        self.news = true;
        let next = piece(self.feed, self.piece.incarnation.clone());
        let piece = std::mem::replace(&mut self.piece, next);
        self.say(Heard::Records(piece))
    }

    /// All that had been written by an instant is handed over.
    pub(super) fn caught_up(&mut self, at: Moment) -> Result<(), Left> {
        self.flush()?;
        let told = self.quiet_since.is_some_and(|since| since.elapsed() < QUIET);
        if told && !self.news {
            return Ok(());
        }
        self.news = false;
        self.quiet_since = Some(Instant::now());
        self.say(Heard::CaughtUp { feed: self.feed, partition: 0, partitions: 1, at, lag: 0 })
    }

    /// So many bytes are there that are not read yet. Their records are counted by the length of those that were.
    pub(super) fn behind(&mut self, bytes: u64) -> Result<(), Left> {
        let length = (self.bytes / self.records.max(1)).max(1);
        self.news = true;
        self.say(Heard::Behind { feed: self.feed, partition: 0, partitions: 1, lag: bytes.div_ceil(length) })
    }

    /// It cannot be read; said once.
    pub(super) fn trouble(&mut self, why: String) -> Result<(), Left> {
        self.flush()?;
        if self.trouble.as_ref() == Some(&why) {
            return Ok(());
        }
        self.trouble = Some(why.clone());
        self.say(Heard::Trouble { feed: self.feed, why })
    }

    /// It can.
    pub(super) fn fine(&mut self) -> Result<(), Left> {
        if self.trouble.take().is_none() { Ok(()) } else { self.say(Heard::Fine { feed: self.feed }) }
    }

    /// It will not go on.
    pub(super) fn halted(&mut self, why: String) -> Result<(), Left> {
        self.flush()?;
        self.say(Heard::Halted { feed: self.feed, partition: 0, why })
    }

    /// There is no more, and all of it is handed over as of an instant.
    pub(super) fn ended(&mut self, at: Moment) -> Result<(), Left> {
        self.news = true;
        self.caught_up(at)?;
        self.say(Heard::Ended { feed: self.feed })
    }

    fn say(&self, what: Heard) -> Result<(), Left> {
        self.heard.send(what).map_err(|_| Left)
    }
}

/// A file does not say when its lines came to stand there: that they are read now says nothing of how far was heard.
fn piece(feed: FeedId, incarnation: Arc<str>) -> Records {
    Records { stamped: false, ..Records::new(feed, 0, incarnation) }
}
