//! Polls, and hands over.

mod room;

use super::connect::{Client, Purpose, client, plain};
use super::message;
use super::shared::{Shared, Spot};
use super::waits::Waits;
use super::{Errand, Order, digest};
use crate::ingest::feed::{self, Heard, PIECE, Records};
use crate::ingest::wire::Taken;
use onus_engine::time::Moment;
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

/// Partitions that are full are waited for so long before they are paused: what was fetched ahead is thrown away then.
const PATIENCE: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_millis(20);
/// Messages between two looks at anything else.
const TURN: usize = 1_000;
/// How often positions are told to Kafka.
const COMMITS: Duration = Duration::from_secs(1);
/// A partition that is behind and silent for so long is asked for anew.
const SILENT: Duration = Duration::from_secs(60);

pub(super) struct Reader {
    shared: Arc<Shared>,
    sender: feed::Sender,
    errands: Sender<Errand>,
    partitions: BTreeMap<i32, Partition>,
    /// Those whose next record waits for its schema.
    waits: Waits,
    /// What there was no room for.
    waiting: VecDeque<Heard>,
    /// Exactly those that were paused: resuming another one would move its position.
    paused: BTreeSet<i32>,
    commits: BTreeMap<i32, u64>,
    committed: Instant,
    /// Reading was refused: what we said of it.
    refused: bool,
    stopping: bool,
}

struct Partition {
    incarnation: Arc<str>,
    /// The next offset to be handed over.
    next: u64,
    after_last: u64,
    last: u64,
    records: Records,
    /// The end to be reached, and when it was asked.
    asked: Option<(u64, Moment)>,
    /// A later answer: it has its turn when the first is reached, or a busy partition would never be caught up.
    newest: Option<(u64, Moment)>,
    of: u32,
    /// Where it was when it was looked at last, and when it last moved.
    seen: u64,
    moved: Instant,
}

/// Why a client's life ends.
enum End {
    Stop,
    Again(String),
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, sender: feed::Sender, errands: Sender<Errand>) -> Reader {
        Reader {
            shared,
            sender,
            errands,
            partitions: BTreeMap::new(),
            waits: Waits::default(),
            waiting: VecDeque::new(),
            paused: BTreeSet::new(),
            commits: BTreeMap::new(),
            committed: Instant::now(),
            refused: false,
            stopping: false,
        }
    }

    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        let feed = self.shared.topic.feed;
        while let Err(End::Again(why)) = self.life(orders) {
            self.push(Heard::Trouble { feed, why: format!("{why}; a new client is made") });
            let until = Instant::now() + Duration::from_secs(1);
            while Instant::now() < until {
                self.drain();
                if self.obey_all(orders, None).is_err() {
                    return;
                }
                std::thread::sleep(IDLE);
            }
            self.push(Heard::Fine { feed });
            self.waits.say_again();
            let _ = self.errands.send(Errand::Verify);
        }
    }

    /// One client's life; ends with an error only.
    fn life(&mut self, orders: &Receiver<Order>) -> Result<(), End> {
        self.paused.clear();
        let metered = self.sender.has_quota(self.shared.topic.feed);
        let purpose = if metered { Purpose::Metered } else { Purpose::Reader };
        let client = client(&self.shared, purpose).map_err(End::Again)?;
        self.assign(&client)?;
        loop {
            self.obey_all(orders, Some(&client))?;
            self.make_room(&client)?;
            self.turn(&client)?;
            self.go_on(&client)?;
            self.tell_ends();
            self.commit(&client);
            self.wake_silent(&client)?;
        }
    }

    fn obey_all(&mut self, orders: &Receiver<Order>, client: Option<&Client>) -> Result<(), End> {
        let mut changed = false;
        while let Ok(order) = orders.try_recv() {
            changed |= self.obey(order);
        }
        if self.stopping {
            return Err(End::Stop);
        }
        match client {
            Some(client) if changed => self.assign(client),
            _ => Ok(()),
        }
    }

    /// True: what is read has changed.
    fn obey(&mut self, order: Order) -> bool {
        let feed = self.shared.topic.feed;
        match order {
            Order::Stop => self.stopping = true,
            Order::Say(heard) => {
                self.flush_all();
                if matches!(heard, Heard::Fine { .. }) {
                    self.waits.say_again();
                }
                self.push(heard);
            }
            Order::Committed(positions) => self.commits.extend(positions),
            Order::Read { partition, incarnation, next, last, began } => {
                if !self.partitions.contains_key(&partition) {
                    if began {
                        let incarnation = Arc::clone(&incarnation);
                        self.push(Heard::Began { feed, partition, incarnation, next });
                    }
                    let records = Records::new(feed, partition, Arc::clone(&incarnation));
                    let after_last = if last == 0 { 0 } else { next };
                    let moved = Instant::now();
                    self.shared.put(partition, Spot { next, after_last, last });
                    let (asked, newest) = (None, None);
                    let one = Partition {
                        incarnation,
                        next,
                        after_last,
                        last,
                        records,
                        asked,
                        newest,
                        of: 0,
                        seen: next,
                        moved,
                    };
                    self.partitions.insert(partition, one);
                }
                return true;
            }
            Order::Drop(gone) => {
                self.flush_all();
                for partition in gone {
                    self.partitions.remove(&partition);
                    self.waits.forget(partition);
                    self.commits.remove(&partition);
                }
                return true;
            }
            Order::End { partition, end, at, partitions } => {
                let Some(one) = self.partitions.get_mut(&partition) else { return false };
                one.of = partitions;
                if one.asked.is_none() {
                    one.asked = Some((end, at));
                } else {
                    one.newest = Some((end, at));
                    let lag = end.saturating_sub(one.next);
                    if lag > 0 {
                        self.behind(partition, partitions, lag);
                    }
                }
            }
            Order::Empty { partition, next, upto } => {
                if let Some(one) = self.partitions.get_mut(&partition).filter(|one| one.next == next) {
                    one.next = upto;
                }
            }
        }
        false
    }

    /// Everything that is to be read, each from where it stands: nothing is asked of Kafka's stored offsets.
    fn assign(&mut self, client: &Client) -> Result<(), End> {
        let list = self.list(|one| Offset::Offset(i64::try_from(one.next).unwrap_or(i64::MAX)));
        let done = if list.count() == 0 { client.unassign() } else { client.assign(&list) };
        done.map_err(|error| End::Again(format!("partitions cannot be read: {}", plain(&error))))?;
        // A new assignment is not paused, whatever the old one was.
        let paused = std::mem::take(&mut self.paused);
        self.pause(client, paused)
    }

    /// Those that are asked for.
    fn list(&self, offset: impl Fn(&Partition) -> Offset) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, one) in self.partitions.iter().filter(|(partition, _)| !self.waits.has(**partition)) {
            // It refuses only offsets that cannot be.
            let _ = list.add_partition_offset(&self.shared.topic.name, *partition, offset(one));
        }
        list
    }

    /// Polls until nothing is left, there is no room, or other things are due.
    fn turn(&mut self, client: &Client) -> Result<(), End> {
        let mut wait = IDLE;
        // One look at the clock for all that was there at once.
        let mut now = None;
        let waited = self.waits.len();
        for _ in 0..TURN {
            match client.poll(wait) {
                None => break,
                Some(Ok(message)) => self.take(&message, *now.get_or_insert_with(self.shared.topic.clock)),
                Some(Err(error)) => self.failed(&error)?,
            }
            if self.waits.len() > waited {
                // The others go on without it.
                self.flush_all();
                return self.assign(client);
            }
            if self.is_stuck() {
                break;
            }
            wait = Duration::ZERO;
        }
        self.flush_all();
        Ok(())
    }

    fn take(&mut self, message: &BorrowedMessage<'_>, now: Moment) {
        let feed = self.shared.topic.feed;
        if self.refused {
            self.refused = false;
            self.push(Heard::Fine { feed });
        }
        let Some(one) = self.partitions.get_mut(&message.partition()) else { return };
        let offset = u64::try_from(message.offset()).unwrap_or(0);
        if offset < one.next || self.waits.has(message.partition()) {
            // Handed over already: a client that rewinds does not make a fact twice. Or behind one that waits: it comes again.
            return;
        }
        // The producer's time is the word of whoever writes: it is no arrival.
        let (arrived, stamped) = match message.timestamp() {
            Timestamp::LogAppendTime(at) => (Moment(at), true),
            Timestamp::CreateTime(_) | Timestamp::NotAvailable => (now, false),
        };
        let topic = &self.shared.topic;
        let mut taken = message::take(topic, message, arrived, &mut one.records);
        if let Taken::Waits(need) = taken
            && topic.wire.wait(need, PATIENCE)
        {
            taken = message::take(topic, message, arrived, &mut one.records);
        }
        match taken {
            Taken::Waits(need) => {
                self.waits.add(message.partition(), need);
                return;
            }
            Taken::Records(0) => {}
            Taken::Records(_) => {
                one.records.stamped = stamped;
                one.after_last = offset + 1;
            }
        }
        one.next = offset + 1;
        if one.records.bytes.len() >= PIECE {
            self.flush(message.partition());
        }
    }

    /// Those that waited for a schema go on once the registry has answered; until then it is said why not.
    fn go_on(&mut self, client: &Client) -> Result<(), End> {
        let feed = self.shared.topic.feed;
        let Reader { waits, partitions, shared, .. } = self;
        let news = waits.look(&shared.topic, |partition| partitions.get(&partition).map_or(0, |one| one.next));
        if let Some(why) = news.trouble {
            self.push(Heard::Trouble { feed, why });
        }
        if news.fine {
            self.push(Heard::Fine { feed });
        }
        if news.go_on { self.assign(client) } else { Ok(()) }
    }

    fn failed(&mut self, error: &KafkaError) -> Result<(), End> {
        if let KafkaError::MessageConsumptionFatal(_) = error {
            return Err(End::Again(format!("the Kafka client gave up: {}", plain(error))));
        }
        let feed = self.shared.topic.feed;
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                let _ = self.errands.send(Errand::Verify);
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                if !self.refused {
                    self.refused = true;
                    let why = format!("we may not read the topic `{}`; allow READ on it", self.shared.topic.name);
                    self.push(Heard::Trouble { feed, why });
                }
            }
            // Those that last are told by the scout, whose questions fail then.
            // That nobody answers follows from a reason, which was told on its own.
            Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure) => {}
            _ => self.shared.because(plain(error)),
        }
        Ok(())
    }

    fn flush_all(&mut self) {
        let some: Vec<i32> = self.partitions.keys().copied().collect();
        for partition in some {
            self.flush(partition);
        }
    }

    fn flush(&mut self, partition: i32) {
        let feed = self.shared.topic.feed;
        let Some(one) = self.partitions.get_mut(&partition) else { return };
        let full = (!one.records.says_nothing()).then(|| {
            let mut next = Records::new(feed, partition, Arc::clone(&one.incarnation));
            // Most likely as much comes again.
            next.bytes.reserve(one.records.bytes.len());
            next.list.reserve(one.records.list.len());
            std::mem::replace(&mut one.records, next)
        });
        if let Some((records, last)) = full.as_ref().and_then(|records| Some((records, records.list.last()?))) {
            one.last = records.last.unwrap_or_else(|| digest(records.record(last)));
        }
        self.shared.put(partition, Spot { next: one.next, after_last: one.after_last, last: one.last });
        if one.next != one.seen {
            (one.seen, one.moved) = (one.next, Instant::now());
        }
        if let Some(records) = full {
            self.push(Heard::Records(records));
        }
    }

    /// Says of each partition whose end was reached that it was, as of the instant of the question.
    fn tell_ends(&mut self) {
        // Nothing is caught up while a part of it waits; and that others are would be taken for the end of the trouble.
        if !self.waiting.is_empty() || !self.waits.is_empty() {
            return;
        }
        let feed = self.shared.topic.feed;
        let mut said = Vec::new();
        for (partition, one) in &mut self.partitions {
            if let Some((end, at)) = one.asked
                && one.next >= end
            {
                said.push(Heard::CaughtUp { feed, partition: *partition, partitions: one.of, at, lag: 0 });
                one.asked = one.newest.take();
                one.moved = Instant::now();
            }
        }
        for heard in said {
            self.push(heard);
        }
    }

    /// Once in a while: what the caller has written down, and what moved without a record.
    fn commit(&mut self, client: &Client) {
        self.past_markers(client);
        if self.commits.is_empty() || self.committed.elapsed() < COMMITS {
            return;
        }
        self.committed = Instant::now();
        let mut list = TopicPartitionList::new();
        for (partition, next) in std::mem::take(&mut self.commits) {
            let offset = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            let _ = list.add_partition_offset(&self.shared.topic.name, partition, offset);
        }
        if let Err(error) = client.commit(&list, CommitMode::Async) {
            let source = self.shared.topic.source.as_str();
            tracing::debug!(source, "positions could not be told to Kafka: {}", plain(&error));
        }
    }

    /// The ends of transactions take offsets and are no records: the client's own position is behind them.
    fn past_markers(&mut self, client: &Client) {
        if !self.partitions.values().any(|one| one.asked.is_some_and(|(end, _)| one.next < end)) {
            return;
        }
        let Ok(list) = client.position() else { return };
        for element in list.elements() {
            let Offset::Offset(position) = element.offset() else { continue };
            let position = u64::try_from(position).unwrap_or(0);
            if let Some(one) = self.partitions.get_mut(&element.partition()).filter(|one| one.next < position) {
                one.next = position;
                one.moved = Instant::now();
            }
        }
    }

    fn wake_silent(&mut self, client: &Client) -> Result<(), End> {
        let silent = |one: &Partition| one.asked.is_some_and(|(end, _)| one.next < end) && one.moved.elapsed() > SILENT;
        if !self.paused.is_empty() || !self.waits.is_empty() || !self.partitions.values().any(silent) {
            return Ok(());
        }
        for one in self.partitions.values_mut() {
            one.moved = Instant::now();
        }
        let source = self.shared.topic.source.as_str();
        tracing::warn!(source, "a partition that should have records was silent for a minute; it is asked for anew");
        self.assign(client)
    }
}
