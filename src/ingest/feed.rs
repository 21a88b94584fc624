//! What a source of a process that runs on has to say: each kind of source speaks this to the loop, and nothing else.
//!
//! A source has its own thread or task. It hands over records in order, partition by partition, and each partition has a
//! bounded queue of its own (`queue`): where that is full, it alone stops being read, and a Kafka consumer goes on polling
//! meanwhile. The loop takes from sources in turn, so that one that floods keeps the others waiting for a slice.

mod channel;
mod queue;
mod quota;
#[cfg(test)]
mod tests;

pub use channel::{Gauge, Receiver, Sender, channel, channel_of};
pub use queue::{WAITING, Waits};
pub use quota::{Portion, Quota};

use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A source, by its place in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId(pub u16);

/// Records are handed over in pieces of about this many bytes.
pub const PIECE: usize = 256 * 1024;

/// What a source says.
#[derive(Debug)]
pub enum Heard {
    /// Records of one partition.
    Records(Records),
    /// Reading of a partition begins here, by settings or by somebody's decision. Write the position down with the next
    /// commit: a partition that begins with what comes from now on would begin elsewhere after a restart.
    Began {
        /// Whose.
        feed: FeedId,
        /// Partition.
        partition: i32,
        /// What is read there.
        incarnation: Arc<str>,
        /// The first position.
        next: u64,
    },
    /// All that had been written to a partition by an instant has been handed over.
    CaughtUp {
        /// Whose.
        feed: FeedId,
        /// Partition.
        partition: i32,
        /// How many partitions the source has: all of them count.
        partitions: u32,
        /// The instant, by this machine's clock.
        at: Moment,
        /// Records that others have and we do not: 0, but for what came since.
        lag: u64,
    },
    /// How far behind a partition is.
    Behind {
        /// Whose.
        feed: FeedId,
        /// Partition.
        partition: i32,
        /// How many partitions the source has.
        partitions: u32,
        /// Records.
        lag: u64,
    },
    /// It cannot be read at the moment, and goes on by itself when it can.
    Trouble {
        /// Whose.
        feed: FeedId,
        /// What is wrong and what to do.
        why: String,
    },
    /// It is read again.
    Fine {
        /// Whose.
        feed: FeedId,
    },
    /// It will not go on until somebody decides: what is there is not what was read before.
    Halted {
        /// Whose.
        feed: FeedId,
        /// Partition.
        partition: i32,
        /// What is wrong and what to do.
        why: String,
    },
    /// It has no more to say: a file that does not grow, standard input that was closed.
    Ended {
        /// Whose.
        feed: FeedId,
    },
    /// Somebody wants the process to do something now.
    Wish(Wish),
}

/// What may be asked of the loop from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Read the contracts again.
    Reload,
    /// Commit what is in hand, take a snapshot, end.
    Stop,
}

/// Records of one partition, in order.
#[derive(Debug)]
pub struct Records {
    /// Whose.
    pub feed: FeedId,
    /// Partition; 0 where there is but one.
    pub partition: i32,
    /// What is read there: cluster and topic, device and inode.
    pub incarnation: Arc<str>,
    /// One after the other, a line each: whole lines, as the decoder wants them.
    pub bytes: Vec<u8>,
    /// Each one's place.
    pub list: Vec<Record>,
    /// Arrivals are those of where the records are kept, not of when we read them: they say how far was heard while we
    /// are behind. A backlog that is read now would otherwise be taken for news.
    pub stamped: bool,
    /// What tells the last one from another when the partition is taken up again, where that is not its line: the digest of
    /// what lies there, headers and all. What is made of them may look otherwise under the next version, or need what is away.
    pub last: Option<u64>,
    /// What came between them and tells nothing, as it should be: why, and how often.
    pub passed: Box<BTreeMap<&'static str, u64>>,
    /// Whoever waits until they are written down.
    pub done: Option<oneshot::Sender<Receipt>>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it lies in [`Records::bytes`], without the end of its line.
    pub place: Range<u32>,
    /// Its position: an offset, a byte, a count.
    pub offset: u64,
    /// The position after it.
    pub next: u64,
    /// When it came: the broker's append time, else when it was read.
    pub arrived: Moment,
    /// It cannot be read, and is a dead letter as it is.
    pub wrong: Option<Box<Wrong>>,
}

impl Record {
    /// Its whole length, if it was cut.
    pub fn cut(&self) -> Option<u64> {
        match self.wrong.as_deref() {
            Some(Wrong::Cut(length)) => Some(*length),
            _ => None,
        }
    }
}

/// Why a record cannot be read, known before anybody has read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It was longer than a record may be, and was cut: its whole length.
    Cut(u64),
    /// What it is wrapped in cannot be undone. Its line is what lies there, in base64 where that is no text.
    Wire {
        /// Stable, without the particulars.
        reason: &'static str,
        /// What is wrong, where, and what to do.
        detail: String,
    },
}

/// What became of records that somebody waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// They are written down. Those that became dead letters: place in [`Records::list`] and why.
    Written(Vec<(usize, String)>),
    /// They are not: why. Send them again later.
    Not(String),
}

impl Records {
    /// None yet.
    pub fn new(feed: FeedId, partition: i32, incarnation: Arc<str>) -> Records {
        Records {
            feed,
            partition,
            incarnation,
            bytes: Vec::new(),
            list: Vec::new(),
            stamped: true,
            last: None,
            passed: Box::default(),
            done: None,
        }
    }

    /// Adds one as somebody writes it down, who takes it apart again: it need not be one line.
    #[cfg(feature = "kafka")]
    pub(crate) fn put(&mut self, offset: u64, next: u64, arrived: Moment, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.bytes.len();
        write(&mut self.bytes);
        let place = from as u32..self.bytes.len() as u32;
        self.list.push(Record { place, offset, next, arrived, wrong: None });
    }

    /// Adds one. Its bytes may contain line ends: between the tokens of JSON they become blanks, within its texts, where
    /// JSON forbids them, another character that it forbids.
    pub fn push(&mut self, bytes: &[u8], offset: u64, next: u64, arrived: Moment) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        if memchr::memchr(b'\n', bytes).is_some() {
            flatten(&mut self.bytes[from..]);
        }
        let place = from as u32..self.bytes.len() as u32;
        self.bytes.push(b'\n');
        self.list.push(Record { place, offset, next, arrived, wrong: None });
    }

    /// The last one is a dead letter, because.
    pub fn is_wrong(&mut self, wrong: Wrong) {
        if let Some(last) = self.list.last_mut() {
            last.wrong = Some(Box::new(wrong));
        }
    }

    /// Something came that tells nothing, because.
    pub fn passes_over(&mut self, why: &'static str) {
        *self.passed.entry(why).or_default() += 1;
    }

    /// Nothing came, not even what tells nothing.
    pub fn says_nothing(&self) -> bool {
        self.list.is_empty() && self.passed.is_empty()
    }

    /// The bytes of the one at this place of the list.
    pub fn of(&self, line: usize) -> &[u8] {
        self.record(&self.list[line])
    }

    /// One's bytes.
    pub fn record(&self, one: &Record) -> &[u8] {
        &self.bytes[one.place.start as usize..one.place.end as usize]
    }
}

fn flatten(json: &mut [u8]) {
    let (mut within, mut escaped) = (false, false);
    for byte in json {
        match *byte {
            b'\n' => *byte = if within { 0x0b } else { b' ' },
            b'"' if !escaped => within = !within,
            _ => {}
        }
        escaped = *byte == b'\\' && !escaped;
    }
}
