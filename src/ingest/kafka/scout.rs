//! Asks the brokers what polling must not wait for: partitions, ends, and whether what is there is what was read.

use super::connect::{Client, Purpose, client, plain};
use super::message;
use super::shared::{Shared, Spot};
use super::{Begin, Errand, GoOn, Heard, Known, Order};
use onus_engine::time::Moment;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often ends are asked.
const ROUND: Duration = Duration::from_secs(1);
/// How often partitions are asked.
const METADATA: Duration = Duration::from_secs(5);
/// A broker answers within this, or there is trouble.
const ANSWER: Duration = Duration::from_secs(5);
/// A partition that should go on and does not is looked at after this.
const STUCK: Duration = Duration::from_secs(5);

pub(super) struct Scout {
    shared: Arc<Shared>,
    orders: Sender<Order>,
    known: BTreeMap<i32, Known>,
    /// Nothing was ever read: reading begins where the settings say.
    fresh: bool,
    /// What is read, by partition, as the reader was told.
    named: BTreeMap<i32, String>,
    client: Option<Client>,
    cluster: Option<String>,
    /// Those of the first answer: only there may reading begin elsewhere than with the oldest record.
    first: Option<BTreeSet<i32>>,
    partitions: BTreeSet<i32>,
    /// How many the topic has, whoever reads them.
    total: u32,
    asked: Option<Instant>,
    /// The reader has these.
    reading: BTreeMap<i32, Stuck>,
    halted: BTreeSet<i32>,
    /// What the reader is to begin with, once all of the round are placed.
    begun: Vec<Order>,
    trouble: Option<String>,
    /// What was read must be compared with what is there.
    doubt: bool,
}

/// Since when a partition's position has stayed where it is.
struct Stuck {
    next: u64,
    since: Instant,
}

/// What a partition holds.
struct Found {
    offset: u64,
    digests: Vec<u64>,
}

impl Scout {
    pub(super) fn new(shared: Arc<Shared>, orders: Sender<Order>, known: BTreeMap<i32, Known>) -> Scout {
        Scout {
            shared,
            orders,
            fresh: known.is_empty(),
            named: BTreeMap::new(),
            known,
            client: None,
            cluster: None,
            first: None,
            partitions: BTreeSet::new(),
            total: 0,
            asked: None,
            reading: BTreeMap::new(),
            halted: BTreeSet::new(),
            begun: Vec::new(),
            trouble: None,
            doubt: false,
        }
    }

    pub(super) fn run(mut self, errands: &Receiver<Errand>) {
        loop {
            match self.round() {
                Ok(()) => self.fine(),
                Err(why) => self.troubled(why),
            }
            match errands.recv_timeout(ROUND) {
                Ok(Errand::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Errand::Verify) => self.doubt = true,
                Ok(Errand::GoOn(partition, go_on)) => {
                    if let Err(why) = self.go_on(partition, go_on) {
                        self.troubled(why);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn say(&self, heard: Heard) {
        let _ = self.orders.send(Order::Say(heard));
    }

    fn fine(&mut self) {
        if self.trouble.take().is_some() {
            self.shared.forget_reason();
            self.say(Heard::Fine { feed: self.shared.topic.feed });
        }
    }

    fn troubled(&mut self, why: String) {
        // Whatever went wrong: another broker may answer next, with another log.
        self.doubt = true;
        self.asked = None;
        if self.trouble.as_deref() != Some(&why) {
            self.say(Heard::Trouble { feed: self.shared.topic.feed, why: why.clone() });
            self.trouble = Some(why);
        }
    }

    fn halt(&mut self, partition: i32, why: String) {
        self.reading.remove(&partition);
        self.halted.insert(partition);
        let _ = self.orders.send(Order::Drop(vec![partition]));
        self.say(Heard::Halted { feed: self.shared.topic.feed, partition, why });
    }

    fn round(&mut self) -> Result<(), String> {
        let client = match self.client.take() {
            Some(client) => client,
            None => client(&self.shared, Purpose::Scout)?,
        };
        let done = self.round_with(&client);
        self.client = Some(client);
        done
    }

    fn round_with(&mut self, client: &Client) -> Result<(), String> {
        // Tokens are made, and errors told, in polling only.
        while client.poll(Duration::ZERO).is_some() {}
        if self.asked.is_none_or(|asked| asked.elapsed() >= METADATA) {
            self.metadata(client)?;
            self.asked = Some(Instant::now());
        }
        if self.doubt {
            self.compare(client)?;
            self.doubt = false;
        }
        let placed = self.place_all(client);
        // Together, so that none is ahead of another that nobody has heard of yet.
        for order in std::mem::take(&mut self.begun) {
            let _ = self.orders.send(order);
        }
        placed?;
        self.ends(client)
    }

    fn place_all(&mut self, client: &Client) -> Result<(), String> {
        for partition in self.partitions.clone() {
            if !self.reading.contains_key(&partition) && !self.halted.contains(&partition) {
                self.place(client, partition)?;
            }
        }
        Ok(())
    }

    fn metadata(&mut self, client: &Client) -> Result<(), String> {
        let name = &self.shared.topic.name;
        let about = client.fetch_metadata(Some(name), ANSWER).map_err(|error| self.unreachable(client, &error))?;
        let topic = about.topics().iter().find(|topic| topic.name() == name);
        let error = topic.and_then(|topic| topic.error()).map(RDKafkaErrorCode::from);
        let ids: BTreeSet<i32> =
            topic.map(|topic| topic.partitions().iter().map(|one| one.id()).collect()).unwrap_or_default();
        let ids = match self.shared.topic.exchange {
            Some(own) => ids.into_iter().filter(|id| *id == own).collect(),
            None => ids,
        };
        self.total = ids.len() as u32;
        match error {
            None if !ids.is_empty() => {}
            None | Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                // What comes under this name later may be something else: nothing is read of it unseen.
                let all: Vec<i32> = std::mem::take(&mut self.reading).into_keys().collect();
                let _ = self.orders.send(Order::Drop(all));
                self.partitions.clear();
                return Err(format!("there is no topic `{name}`; create it, or mend the source's `topic`"));
            }
            Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                return Err(format!("we may not see the topic `{name}`; allow DESCRIBE and READ on it"));
            }
            Some(error) => return Err(format!("the topic `{name}`: {error}")),
        }
        if self.cluster.is_none() {
            let id = client.client().fetch_cluster_id(ANSWER).ok_or("the brokers do not tell their cluster's id")?;
            self.cluster = Some(id);
        }
        // Of few, a lane may have none.
        let lane = self.shared.topic.lane;
        let ids: BTreeSet<i32> = ids.into_iter().filter(|id| lane.has(*id)).collect();
        self.first.get_or_insert_with(|| ids.clone());
        self.partitions = ids;
        Ok(())
    }

    fn unreachable(&self, client: &Client, error: &KafkaError) -> String {
        // Why it did not answer has perhaps come while we waited.
        while client.poll(Duration::ZERO).is_some() {}
        let reason = self.shared.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let brokers = self.shared.access.brokers.join(", ");
        format!("no broker of {brokers} answers: {}{reason}; check network, address, `tls` and `sasl`", plain(error))
    }

    fn incarnation(&self) -> String {
        format!("{}/{}", self.cluster.as_deref().unwrap_or_default(), self.shared.topic.name)
    }

    fn watermarks(&self, client: &Client, partition: i32) -> Result<(u64, u64), String> {
        let answer = client.fetch_watermarks(&self.shared.topic.name, partition, ANSWER);
        let (low, high) = answer.map_err(|error| {
            let reason = self.shared.reason().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!(
                "nobody tells where partition {partition} of `{}` ends: {}{reason}",
                self.shared.topic.name,
                plain(&error)
            )
        })?;
        Ok((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
    }

    /// Finds where a partition is to be read, and has it read.
    fn place(&mut self, client: &Client, partition: i32) -> Result<(), String> {
        let mut incarnation = self.incarnation();
        let mut last = 0;
        let mut began = false;
        let known = self.known.get(&partition).cloned();
        let spot = self.shared.spot(partition);
        let next = match (spot, known) {
            (None, None) => {
                began = true;
                let first = self.fresh && self.first.as_ref().is_some_and(|ids| ids.contains(&partition));
                self.beginning(client, partition, if first { self.shared.topic.begin } else { Begin::Earliest })?
            }
            (spot, known) => {
                if let Some(known) = &known {
                    let whose = known.incarnation.split('@').next().unwrap_or_default();
                    if whose != incarnation {
                        let why = format!(
                            "partition {partition} of `{}` was read in {whose}, and this is {incarnation}: another \
                             cluster. If it is the right one, decide where to go on",
                            self.shared.topic.name
                        );
                        self.halt(partition, why);
                        return Ok(());
                    }
                    incarnation.clone_from(&known.incarnation);
                }
                if let Some(named) = self.named.get(&partition) {
                    incarnation.clone_from(named);
                }
                let stored = known.map(|known| Spot { next: known.next, after_last: known.next, last: known.last });
                let spot = spot.or(stored).unwrap_or_default();
                if let Some(why) = self.changed(client, partition, spot)? {
                    self.halt(partition, why);
                    return Ok(());
                }
                last = spot.last;
                spot.next
            }
        };
        let order = self.read_from(partition, &incarnation, next, last, began);
        self.begun.push(order);
        Ok(())
    }

    fn read_from(&mut self, partition: i32, incarnation: &str, next: u64, last: u64, began: bool) -> Order {
        self.reading.insert(partition, Stuck { next, since: Instant::now() });
        self.named.insert(partition, incarnation.to_owned());
        Order::Read { partition, incarnation: Arc::from(incarnation), next, last, began }
    }

    fn beginning(&self, client: &Client, partition: i32, begin: Begin) -> Result<u64, String> {
        let (low, high) = self.watermarks(client, partition)?;
        let Begin::At(instant) = begin else { return Ok(if begin == Begin::Latest { high } else { low }) };
        let mut asked = TopicPartitionList::new();
        let told = asked
            .add_partition_offset(&self.shared.topic.name, partition, Offset::Offset(instant.0.max(0)))
            .and_then(|()| client.offsets_for_times(asked, ANSWER))
            .map_err(|error| self.unreachable(client, &error))?;
        let offset = told.elements().first().map(|one| one.offset());
        // No record is as new: reading begins with what comes.
        Ok(match offset {
            Some(Offset::Offset(offset)) => u64::try_from(offset).unwrap_or(high),
            _ => high,
        })
    }

    /// What was read is compared with what is there, while the reader goes on.
    fn compare(&mut self, client: &Client) -> Result<(), String> {
        let reading: Vec<i32> = self.reading.keys().copied().collect();
        for partition in reading {
            let Some(spot) = self.shared.spot(partition) else { continue };
            match self.changed(client, partition, spot)? {
                Some(why) => self.halt(partition, why),
                None => {
                    // The reader keeps its own position; it asks the broker anew.
                    let incarnation = Arc::from(self.incarnation());
                    let Spot { next, last, .. } = spot;
                    let _ = self.orders.send(Order::Read { partition, incarnation, next, last, began: false });
                }
            }
        }
        Ok(())
    }

    /// Why what is there is not what was read; None: nothing speaks against it.
    fn changed(&self, client: &Client, partition: i32, spot: Spot) -> Result<Option<String>, String> {
        let (low, high) = self.watermarks(client, partition)?;
        let name = &self.shared.topic.name;
        let Spot { next, after_last, last } = spot;
        if next > high {
            return Ok(Some(format!(
                "partition {partition} of `{name}` ends before offset {high}, and was read up to {next}: the topic was \
                 recreated, or its end was lost. Find out which, then decide where to go on"
            )));
        }
        if next < low {
            return Ok(Some(format!(
                "offsets {next} to {} of partition {partition} of `{name}` were deleted before they were read: keep \
                 records longer, or read faster. Get the records from elsewhere if you can, then decide where to go on",
                low - 1
            )));
        }
        if last == 0 || after_last <= low {
            return Ok(None);
        }
        let found = self.look(client, partition, after_last - 1, 2)?;
        let same = found.iter().any(|one| one.offset <= after_last && one.digests.contains(&last));
        // A record that was compacted away can be compared with nothing.
        let there = found.first().is_some_and(|one| one.offset == after_last - 1);
        if same || !there {
            return Ok(None);
        }
        Ok(Some(format!(
            "the record at offset {} of partition {partition} of `{name}` is not the one that was read there: the topic \
             was recreated, or its end was lost and written anew. Find out which, then decide where to go on",
            after_last - 1
        )))
    }

    /// Reads at most `most` messages from an offset; fewer where the partition ends.
    fn look(&self, client: &Client, partition: i32, from: u64, most: usize) -> Result<Vec<Found>, String> {
        let mut assigned = TopicPartitionList::new();
        let offset = Offset::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        assigned
            .add_partition_offset(&self.shared.topic.name, partition, offset)
            .and_then(|()| client.assign(&assigned))
            .map_err(|error| plain(&error))?;
        let until = Instant::now() + 2 * ANSWER;
        let mut found = Vec::new();
        let done = loop {
            if found.len() >= most {
                break Ok(());
            }
            if Instant::now() > until {
                break Err(format!("partition {partition} of `{}` cannot be read at {from}", self.shared.topic.name));
            }
            match client.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => {
                    let offset = u64::try_from(message.offset()).unwrap_or(0);
                    let digests = message::digests(&self.shared.topic, &message);
                    found.push(Found { offset, digests });
                }
                Some(Err(KafkaError::PartitionEOF(_))) => break Ok(()),
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
                        let name = &self.shared.topic.name;
                        break Err(format!("we may not read the topic `{name}`; allow READ on it"));
                    }
                    Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure) => {}
                    _ => self.shared.because(plain(&error)),
                },
            }
        };
        let _ = client.unassign();
        done.map(|()| found)
    }

    fn ends(&mut self, client: &Client) -> Result<(), String> {
        let partitions = self.total;
        for partition in self.reading.keys().copied().collect::<Vec<_>>() {
            // Before the question, not after the answer: what comes meanwhile may not be in it.
            let at: Moment = (self.shared.topic.clock)();
            let (_, end) = self.watermarks(client, partition)?;
            let _ = self.orders.send(Order::End { partition, end, at, partitions });
            let Some(spot) = self.shared.spot(partition) else { continue };
            let Some(stuck) = self.reading.get_mut(&partition) else { continue };
            if stuck.next != spot.next || spot.next >= end {
                *stuck = Stuck { next: spot.next, since: Instant::now() };
            } else if stuck.since.elapsed() >= STUCK {
                stuck.since = Instant::now();
                // An end that no record comes up to: compaction took the last ones.
                if self.look(client, partition, spot.next, 1)?.is_empty() {
                    let _ = self.orders.send(Order::Empty { partition, next: spot.next, upto: end });
                }
            }
        }
        Ok(())
    }

    fn resumed_at(&self, client: &Client, partition: i32, go_on: GoOn) -> Result<u64, String> {
        let (low, high) = self.watermarks(client, partition)?;
        Ok(match go_on {
            GoOn::Earliest => low,
            GoOn::Latest => high,
            GoOn::At(offset) => offset.clamp(low, high),
            GoOn::Since(instant) => self.beginning(client, partition, Begin::At(instant))?.clamp(low, high),
        })
    }

    fn go_on(&mut self, partition: i32, go_on: GoOn) -> Result<(), String> {
        if !self.halted.contains(&partition) {
            return Ok(());
        }
        let Some(client) = self.client.take() else { return Ok(()) };
        let answer = self.resumed_at(&client, partition, go_on);
        self.client = Some(client);
        let next = answer?;
        self.halted.remove(&partition);
        self.known.remove(&partition);
        // What comes from here on is no continuation, and is stored under another name.
        let incarnation = format!("{}@{}", self.incarnation(), (self.shared.topic.clock)().0);
        self.shared.put(partition, Spot { next, after_last: 0, last: 0 });
        let order = self.read_from(partition, &incarnation, next, 0, true);
        let _ = self.orders.send(order);
        Ok(())
    }
}
