//! `onus run --role intake`: reads sources, makes events of what they bring, and writes each to the partition of its partner.
//!
//! The order of acts: read, adapt, write to the brokers, note as read. What was written and not noted when a process ended is
//! written again by the next one, word for word, and judges tell that it is a repeat.

use super::carried::{Carried, Event};
use super::partition::partition;
use super::repeats::Reading;
use super::whose::{Whose, whose};
use crate::decode::DecodeError;
use crate::ingest::adapt::redact_bytes;
use crate::ingest::feed::{FeedId, Heard, Records, Wish};
use crate::ingest::kafka::{Message, Outgoing};
use crate::runtime::live::adapted::Machines;
use crate::runtime::live::frontiers::Frontier;
use crate::runtime::live::identities::Identities;
use crate::runtime::live::intake::{letter, unreadable};
use crate::runtime::live::judge::Refused;
use crate::runtime::live::{LiveError, Plan};
use crate::store::{Batch, Claim, Letter, Position, Remembered, Stamp, Store};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// Events that are written before they are noted, at most, but for those of one piece: far fewer than judges remember.
const AT_ONCE: usize = 4_000;
/// How often sources that were heard further are told of.
const TICKS: Duration = Duration::from_millis(500);
/// How long the brokers are waited for at the end.
const GRACE: Duration = Duration::from_secs(5);
/// How long until a store that is away is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// See the module.
pub struct Intake {
    plan: Plan,
    store: Box<dyn Store>,
    claim: Claim,
    topic: String,
    partitions: u16,
    outgoing: Outgoing,
    clock: fn() -> Moment,
    machines: Machines,
    identities: Identities,
    frontiers: Vec<Frontier>,
    /// As judges were told.
    told: Vec<Moment>,
    positions: BTreeMap<(u16, i32), Position>,
    hand: Hand,
    ticked: Instant,
    wants_reload: bool,
}

/// Read, and not written and noted yet.
#[derive(Default)]
struct Hand {
    messages: Vec<Message>,
    letters: Vec<Letter>,
    positions: BTreeMap<(u16, i32), Position>,
    others: Vec<Position>,
    since: Option<Instant>,
}

impl Hand {
    fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.letters.is_empty() && self.positions.is_empty() && self.others.is_empty()
    }
}

impl Intake {
    /// Takes over from whoever read these sources before.
    ///
    /// # Errors
    /// The store; contracts or catalogue; adapters that do not fit.
    pub fn open(
        mut plan: Plan,
        mut store: Box<dyn Store>,
        outgoing: Outgoing,
        topic: &str,
        remembered: Position,
        clock: fn() -> Moment,
    ) -> Result<Intake, LiveError> {
        let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
        let claim = store.claim(&plan.owner)?;
        let machines = Machines::open(&plan.adapters, store.as_mut())?;
        let mut positions = BTreeMap::new();
        for position in &claim.positions {
            if let Some(feed) = plan.feeds.iter().position(|feed| feed.name == position.source) {
                positions.insert((feed as u16, position.partition), position.clone());
            }
        }
        let partitions = u16::try_from(remembered.next).unwrap_or(1);
        let known = claim.positions.contains(&remembered);
        let others = if known { Vec::new() } else { vec![remembered] };
        let hand = Hand { others, ..Hand::default() };
        Ok(Intake {
            frontiers: plan.feeds.iter().map(|feed| Frontier::new(feed, Moment::DAWN)).collect(),
            told: vec![Moment::DAWN; plan.feeds.len()],
            identities: Identities { catalogue: contracts.catalogue, ..Identities::default() },
            plan,
            store,
            claim,
            topic: topic.to_owned(),
            partitions,
            outgoing,
            clock,
            machines,
            positions,
            hand,
            ticked: Instant::now(),
            wants_reload: false,
        })
    }

    /// How far a feed was read, for whoever reads it on.
    pub fn positions(&self, feed: FeedId) -> Vec<Position> {
        self.positions.range((feed.0, i32::MIN)..=(feed.0, i32::MAX)).map(|(_, position)| position.clone()).collect()
    }

    /// Runs until it is asked to stop, or, if so wanted, every source has ended. `committed` gets the positions that are noted.
    ///
    /// # Errors
    /// Somebody else has taken over, or the brokers or the store refuse for good.
    pub fn run(
        &mut self,
        sources: &Receiver<Heard>,
        until_end: bool,
        stop: &AtomicBool,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        let stopped = || stop.load(Ordering::Relaxed);
        self.write(&stopped, committed)?;
        let every = Duration::from_millis(self.plan.commit_every.max(1) as u64);
        let (mut ended, mut over) = (0, false);
        while !stopped() && !over {
            let wait = self.hand.since.map_or(TICKS, |since| every.saturating_sub(since.elapsed()));
            match sources.recv_timeout(wait) {
                Ok(Heard::Wish(Wish::Stop)) | Err(RecvTimeoutError::Disconnected) => over = true,
                Ok(heard) => {
                    ended += usize::from(matches!(heard, Heard::Ended { .. }));
                    let begins = matches!(heard, Heard::Began { .. });
                    self.take(heard);
                    if begins {
                        // Where reading begins is noted before anything of it is written: it would begin elsewhere, else.
                        self.write(&stopped, committed)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let due = self.hand.since.is_some_and(|since| since.elapsed() >= every);
            if due || self.hand.messages.len() >= AT_ONCE {
                self.write(&stopped, committed)?;
            }
            if self.ticked.elapsed() >= TICKS {
                self.write(&stopped, committed)?;
                self.tick(&stopped)?;
            }
            if std::mem::take(&mut self.wants_reload) {
                self.reload();
            }
            over |= until_end && ended == self.plan.feeds.len();
        }
        // What is in hand is written if brokers and store are there; else the next process reads it again.
        let until = Instant::now() + GRACE;
        let late = || Instant::now() >= until;
        self.write(&late, committed)?;
        self.tick(&late)
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Records(records) => self.records(records),
            Heard::Began { feed, partition, incarnation, next } => {
                let source = self.plan.feeds[usize::from(feed.0)].name.clone();
                let position = Position { source, partition, incarnation: incarnation.to_string(), next, last: 0 };
                self.note((feed.0, partition), position);
            }
            Heard::CaughtUp { feed, partition, partitions, at, lag } => {
                self.frontiers[usize::from(feed.0)].caught_up(partition, partitions, at, lag);
            }
            Heard::Behind { feed, partition, partitions, lag } => {
                self.frontiers[usize::from(feed.0)].behind(partition, partitions, lag);
            }
            Heard::Trouble { feed, why } => {
                tracing::warn!(source = self.plan.feeds[usize::from(feed.0)].name, "{why}");
            }
            Heard::Fine { feed } => tracing::info!(source = self.plan.feeds[usize::from(feed.0)].name, "it is read"),
            // It is not heard further from here on, so nothing is judged as if it had been silent.
            Heard::Halted { feed, partition, why } => {
                tracing::error!(source = self.plan.feeds[usize::from(feed.0)].name, partition, "halted: {why}");
            }
            Heard::Ended { feed } => self.frontiers[usize::from(feed.0)].end(),
            Heard::Wish(Wish::Reload) => self.wants_reload = true,
            Heard::Wish(Wish::Stop) => {}
        }
    }

    fn note(&mut self, key: (u16, i32), position: Position) {
        self.positions.insert(key, position.clone());
        self.hand.positions.insert(key, position);
        self.hand.since.get_or_insert_with(Instant::now);
    }

    fn records(&mut self, records: Records) {
        let (feed, key) = (usize::from(records.feed.0), (records.feed.0, records.partition));
        let (events, brought) = self.machines.read(records);
        let source = self.plan.feeds[feed].name.clone();
        let events = self.identities.pin(&events, &source).unwrap_or(events);
        let reading = Reading {
            source,
            partition: events.partition,
            incarnation: events.incarnation.to_string(),
            // Nothing is read anew where there is an exchange.
            generation: 0,
        };
        let mut refused = Vec::new();
        let (mut item, mut last) = (0, None);
        for (line, one) in events.list.iter().enumerate() {
            item = if last == Some(one.offset) { item + 1 } else { 0 };
            last = Some(one.offset);
            let found = match unreadable(line, one) {
                Some(refused) => Err(refused),
                None => whose(events.record(one)).map_err(|error| Refused {
                    line,
                    reason: error.name(),
                    detail: error.to_string(),
                }),
            };
            match found {
                Ok(Whose::Nobody(tick)) => self.frontiers[feed].tick(tick),
                Ok(Whose::Blank) => {}
                Ok(Whose::Handover) => {
                    let detail = "a handover concerns two partners, whose judges may be two: through an exchange nothing is handed \
                                  over yet; judge in one process where that is needed"
                        .to_owned();
                    refused.push(Refused { line, reason: DecodeError::Handover.name(), detail });
                }
                Ok(Whose::Partner(partner)) => {
                    let value = events.record(one).to_vec();
                    let (offset, arrived) = (one.offset, one.arrived);
                    let event =
                        Carried::Event(Event { reading: reading.clone(), offset, item, arrived, value: Vec::new() });
                    let partition = partition(&partner, self.partitions);
                    let headers = event.headers();
                    self.hand.messages.push(Message { partition, key: partner.into_owned(), headers, value });
                }
                Err(one) => refused.push(one),
            }
        }
        let whole = brought.as_ref().map_or(&events, |brought| &brought.records);
        let unread = brought.as_ref().map_or(&[][..], |brought| &brought.refused);
        for one in unread {
            let bytes = redact_bytes(whole.of(one.line)).into_owned();
            self.put_letter(whole, one, &bytes);
        }
        for one in &refused {
            self.put_letter(&events, one, events.of(one.line));
        }
        if let Some(end) = whole.list.last() {
            let last = whole.last.unwrap_or_else(|| xxh3_64(whole.record(end)));
            let Reading { source, partition, incarnation, .. } = reading;
            self.note(key, Position { source, partition, incarnation, next: end.next, last });
            self.frontiers[feed].came(whole.partition, end.arrived, whole.stamped);
        }
    }

    fn put_letter(&mut self, records: &Records, refused: &Refused, whole: &[u8]) {
        let number = self.claim.letters + self.hand.letters.len() as u64 + 1;
        let source = self.plan.feeds[usize::from(records.feed.0)].name.clone();
        self.hand.letters.push(letter(number, source, records, refused, whole));
    }

    /// The brokers have what is in hand; then it is noted, in one commit. A process that is to stop leaves it.
    fn write(&mut self, stop: &dyn Fn() -> bool, committed: &mut dyn FnMut(&[Position])) -> Result<(), LiveError> {
        self.hand.since = None;
        if self.hand.is_empty() {
            return Ok(());
        }
        let messages = std::mem::take(&mut self.hand.messages);
        let sent = self.outgoing.send_all(&self.topic, &messages, stop, &mut trouble).map_err(LiveError::Exchange)?;
        let hand = std::mem::take(&mut self.hand);
        if !sent {
            return Ok(());
        }
        let sequence = self.claim.sequence + 1;
        let now = (self.clock)();
        let (mut remembered, mut stamps): (Vec<Remembered>, Vec<Stamp>) = (Vec::new(), Vec::new());
        self.machines.seal(sequence, now + -self.plan.settling, &mut remembered, &mut stamps);
        let positions: Vec<Position> = hand.positions.into_values().chain(hand.others).collect();
        let batch = Batch {
            letters: &hand.letters,
            remembered: &remembered,
            stamps: &stamps,
            positions: &positions,
            ..Batch::empty(sequence, now)
        };
        while let Err(error) = self.store.commit(self.claim.epoch, &batch) {
            if !error.may_pass() || stop() {
                return Err(error.into());
            }
            tracing::error!("{error}");
            std::thread::sleep(AGAIN);
        }
        self.claim.sequence = sequence;
        self.claim.letters += hand.letters.len() as u64;
        committed(&positions);
        tracing::debug!(commit = sequence, events = messages.len(), "written");
        Ok(())
    }

    /// Tells every judge how far sources were heard: all of it up to there is written before this. Nothing may be in hand.
    fn tick(&mut self, stop: &dyn Fn() -> bool) -> Result<(), LiveError> {
        self.ticked = Instant::now();
        if !self.hand.is_empty() {
            return Ok(());
        }
        let now = (self.clock)();
        let mut messages = Vec::new();
        for (feed, frontier) in self.frontiers.iter_mut().enumerate() {
            let heard = frontier.heard(now);
            if heard <= self.told[feed] {
                continue;
            }
            self.told[feed] = heard;
            let source = self.plan.feeds[feed].name.clone();
            let last = frontier.last().unwrap_or(Moment::DAWN);
            // Its value is for people who look into the topic; judges go by the headers.
            let value = serde_json::json!({ "specversion": "1.0", "type": "onus.tick", "source": source,
                "id": format!("{source}-{}", heard.0), "time": heard.to_string() });
            let headers = Carried::Tick { source, heard, last }.headers();
            messages.extend((0..i32::from(self.partitions)).map(|partition| {
                let (key, headers, value) = (String::new(), headers.clone(), value.to_string().into_bytes());
                Message { partition, key, headers, value }
            }));
        }
        if !messages.is_empty() {
            self.outgoing.send_all(&self.topic, &messages, stop, &mut trouble).map_err(LiveError::Exchange)?;
        }
        Ok(())
    }

    fn reload(&mut self) {
        match (self.plan.contracts)() {
            Ok(contracts) => match self.identities.moved(&contracts.catalogue) {
                Some(identity) => tracing::error!(
                    identity,
                    "the catalogue stays as it was: it gives this one to another partner, and through an exchange nothing is \
                     handed over yet (docs/scale-out.md)"
                ),
                None => self.identities.replace(contracts.catalogue),
            },
            Err(why) => tracing::error!("the catalogue stays as it was: {why}"),
        }
    }
}

/// Brokers that keep us waiting are told of in the log.
fn trouble(why: Option<String>) {
    if let Some(why) = why {
        tracing::error!("{why}");
    }
}
