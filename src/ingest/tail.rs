//! A file of JSON lines that grows, or standard input, as a source of a process that runs on.
//!
//! Looked at again and again rather than watched: that works on every file system, and says when everything has been
//! read. Whole lines only. What was read before is found again by the file's own number and by the record that was read
//! last; where that isn't there any more and no file put aside has it, reading stops until somebody decides: to begin
//! anywhere else would lose records, or invent some.

mod cutter;
mod follow;
mod hand;
mod place;
mod stdin;

pub use cutter::{Cutter, Line};

use crate::ingest::feed::{self, FeedId};
use crate::ingest::wire::Wire;
use hand::Hand;
use onus_engine::time::Moment;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Tail {
    /// Which source it is.
    pub feed: FeedId,
    /// The file; `-` is standard input.
    pub path: PathBuf,
    /// It grows: go on at its end. Compressed files do not.
    pub follow: bool,
    /// How far it was read in an earlier life; None: from its beginning.
    pub from: Option<Start>,
    /// The longest record that is handed over whole, in bytes.
    pub longest: usize,
    /// Takes off what lines are wrapped in.
    pub wire: Arc<Wire>,
    /// How often to look for more.
    pub poll: Duration,
    /// The wall clock.
    pub clock: fn() -> Moment,
}

/// Where reading goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// What was read: as [`Records::incarnation`](crate::ingest::feed::Records) said.
    pub incarnation: String,
    /// The position after the last record.
    pub next: u64,
    /// xxh3 of the last record's bytes; 0: none was read.
    pub last: u64,
}

/// Reading goes on while this is held.
#[derive(Debug)]
pub struct Tailing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tailing {
    /// Ends it and waits until nothing more will be said. Whoever holds the receiver goes on taking, or has dropped it.
    pub fn stop(mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has said why, if it could not go on; there is nothing to add.
            let _ = thread.join();
        }
    }
}

/// Begins to read in a thread of its own.
///
/// # Errors
/// The system has no thread left.
pub fn spawn(tail: Tail, heard: feed::Sender) -> io::Result<Tailing> {
    let (stop, stopped) = channel();
    let thread = std::thread::Builder::new().name(format!("tail-{}", tail.feed.0)).spawn(move || {
        let hand = Hand::new(&tail, heard);
        let end = if tail.path == Path::new("-") {
            stdin::run(&tail, hand, &Stop(stopped))
        } else {
            follow::run(&tail, hand, &Stop(stopped))
        };
        // Whoever stopped it or left knows that.
        let (Ok(()) | Err(Left)) = end;
    })?;
    Ok(Tailing { stop: Some(stop), thread: Some(thread) })
}

/// Nobody wants to hear more.
#[derive(Clone, Copy, Debug)]
struct Left;

/// Told to stop when the other end is dropped.
struct Stop(Receiver<()>);

impl Stop {
    /// Waits; an error if there is nothing to wait for any more.
    fn wait(&self, time: Duration) -> Result<(), Left> {
        match self.0.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Left),
        }
    }

    /// An error if it was told to stop.
    fn look(&self) -> Result<(), Left> {
        self.wait(Duration::ZERO)
    }
}
