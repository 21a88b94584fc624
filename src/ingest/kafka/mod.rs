//! A Kafka topic as a source.
//!
//! Two threads a source. The **reader** polls and hands over; it never asks a broker anything that could block. The
//! **scout** asks: which partitions there are, where they end, and whether what is there is what was read before.
//!
//! Where to go on is the caller's to say, from its own store. Kafka's stored offsets are never read; they are written,
//! after the caller's commit, so that lag tools show something. No group is joined, so there is no rebalance.

mod connect;
mod look;
mod message;
mod outgoing;
mod reader;
mod scout;
mod shared;
mod waits;

pub use connect::{Access, Login, Tls};
pub use look::{Look, PartitionLook, Stamp, features, look};
pub use outgoing::{Outgoing, outgoing, unending};

use super::feed::{self, FeedId, Heard};
use super::wire::Wire;
use crate::exchange::lanes::Lane;
use onus_engine::time::Moment;
use shared::Shared;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// What is read.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Whose it is.
    pub feed: FeedId,
    /// The source's name, for messages and threads.
    pub source: String,
    /// The topic.
    pub name: String,
    /// Where to begin if nothing was ever read.
    pub begin: Begin,
    /// What its records are wrapped in.
    pub wire: Arc<Wire>,
    /// Longer records are cut.
    pub longest: usize,
    /// This machine's clock.
    pub clock: fn() -> Moment,
    /// It is an exchange, and this partition of it is ours; None: all partitions of a source are read.
    pub exchange: Option<i32>,
    /// Of a source: the partitions of this lane are read.
    pub lane: Lane,
}

/// Where to begin in a partition that was never read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With the oldest record.
    Earliest,
    /// With what comes from now on.
    Latest,
    /// With the first record that is not older.
    At(Moment),
}

/// How far a partition was read, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Partition.
    pub partition: i32,
    /// What was read there.
    pub incarnation: String,
    /// The next offset.
    pub next: u64,
    /// Of the last record: [`digest`] of its line, or, where its line was made of what lies there,
    /// [of that](crate::ingest::wire::digest); 0: none was read.
    pub last: u64,
}

/// What tells one record from another when a partition is taken up again.
pub fn digest(record: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(record)
}

/// Where to go on after a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoOn {
    /// With the oldest record that is there now.
    Earliest,
    /// With what comes from now on.
    Latest,
    /// With this offset.
    At(u64),
    /// With the first record that is not older.
    Since(Moment),
}

/// Tells a source where a halted partition goes on, from anywhere.
#[derive(Clone, Debug)]
pub struct Decider(Sender<Errand>);

impl Decider {
    /// Somebody decided where a halted partition goes on. One that has not halted stays as it is.
    pub fn resume_after_halt(&self, partition: i32, go_on: GoOn) {
        let _ = self.0.send(Errand::GoOn(partition, go_on));
    }
}

/// What the reader is told from outside.
enum Order {
    Committed(Vec<(i32, u64)>),
    /// Read on here, and this is what is there.
    Read {
        partition: i32,
        incarnation: Arc<str>,
        next: u64,
        last: u64,
        began: bool,
    },
    /// Stop reading these.
    Drop(Vec<i32>),
    /// A partition's end, asked at an instant; how many partitions there are.
    End {
        partition: i32,
        end: u64,
        at: Moment,
        partitions: u32,
    },
    /// No record is left between the position and here.
    Empty {
        partition: i32,
        next: u64,
        upto: u64,
    },
    /// Say this.
    Say(Heard),
    Stop,
}

/// What the scout is told.
#[derive(Debug)]
enum Errand {
    /// An offset was out of range, or a consumer was built anew: look at all partitions again.
    Verify,
    GoOn(i32, GoOn),
    Stop,
}

/// A source that runs.
#[derive(Debug)]
pub struct Handle {
    orders: Sender<Order>,
    errands: Sender<Errand>,
    ended: Receiver<()>,
    source: String,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Order")
    }
}

/// It did not end in time. Its threads hold nothing that must be saved; end the process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Kafka source `{0}` did not close in time; what it read is written down, so end the process")]
pub struct Stuck(String);

/// Begins to read a topic. All that can go wrong is said through the channel.
pub fn spawn(topic: Topic, access: Access, known: &[Known], sender: feed::Sender) -> std::io::Result<Handle> {
    let (orders, told) = channel();
    let (errands, asked) = channel();
    let (ending, ended) = channel();
    let source = topic.source.clone();
    let shared = Arc::new(Shared::new(topic, access));
    let positions: BTreeMap<i32, Known> = known.iter().map(|known| (known.partition, known.clone())).collect();
    let scout = {
        let (shared, orders) = (Arc::clone(&shared), orders.clone());
        let name = format!("scout {source}");
        thread::Builder::new().name(name).spawn(move || scout::Scout::new(shared, orders, positions).run(&asked))?
    };
    let to_scout = errands.clone();
    thread::Builder::new().name(format!("kafka {source}")).spawn(move || {
        reader::Reader::new(shared, sender, to_scout.clone()).run(&told);
        let _ = to_scout.send(Errand::Stop);
        let _ = scout.join();
        let _ = ending.send(());
    })?;
    Ok(Handle { orders, errands, ended, source })
}

impl Handle {
    /// These are written down: (partition, next offset). They are told to Kafka for lag tools.
    pub fn committed(&self, positions: &[(i32, u64)]) {
        let _ = self.orders.send(Order::Committed(positions.to_vec()));
    }

    /// For whoever decides where halted partitions go on.
    pub fn decider(&self) -> Decider {
        Decider(self.errands.clone())
    }

    /// Somebody decided where a halted partition goes on.
    pub fn resume_after_halt(&self, partition: i32, go_on: GoOn) {
        let _ = self.errands.send(Errand::GoOn(partition, go_on));
    }

    /// Ends it, waiting so long at most. Whoever reads the channel must go on reading, or have dropped its end.
    pub fn stop(self, within: Duration) -> Result<(), Stuck> {
        let _ = self.orders.send(Order::Stop);
        let _ = self.errands.send(Errand::Stop);
        match self.ended.recv_timeout(within) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => Err(Stuck(self.source)),
        }
    }
}
