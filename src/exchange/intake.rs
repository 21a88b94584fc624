//! `onus run --role intake`: one lane of those that read sources, make events of what they bring, and write each to the
//! partition of its partner.
//!
//! The order of acts: read, adapt, note as read together with what was made of it, write to the brokers. What was noted and
//! perhaps not written when a process ended is written again by the next one, word for word, and judges tell that it is a
//! repeat.

mod hand;
mod ticks;
mod wishes;
mod writing;

use super::carried::Place;
use super::lanes::{self, Lane, Share};
use super::partition::partition;
use super::repeats::Reading;
use super::whose::{Sorter, Whose};
use crate::decode::DecodeError;
use crate::ingest::adapt::redact_bytes;
use crate::ingest::feed::{FeedId, Heard, Receiver, Records, Wish};
use crate::ingest::kafka::Outgoing;
use crate::runtime::live::adapted::Machines;
use crate::runtime::live::frontiers::Frontier;
use crate::runtime::live::halts::{Decide, Halts};
use crate::runtime::live::identities::Identities;
use crate::runtime::live::intake::{letter, unreadable};
use crate::runtime::live::judge::Refused;
use crate::runtime::live::{LiveError, Plan, Status, Unwrap};
use crate::store::{Claim, Position, Store};
use hand::{Hand, Out, Waiting};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};
use wishes::Items;
use xxhash_rust::xxh3::xxh3_64;

/// How often sources that were heard further are told of.
const TICKS: Duration = Duration::from_millis(500);
/// How often operators' wishes are looked up.
const WISHES: Duration = Duration::from_secs(2);
/// How long the brokers are waited for at the end.
const GRACE: Duration = Duration::from_secs(5);

/// What a lane is run by.
pub struct Setup {
    /// Contracts, feeds and adapters.
    pub plan: Plan,
    /// The lane's own shard.
    pub store: Box<dyn Store>,
    /// Writes to the exchange.
    pub outgoing: Outgoing,
    /// The exchange's topic, as the store is to remember it.
    pub exchange: Position,
    /// Its name.
    pub topic: String,
    /// Which lane.
    pub lane: Lane,
    /// What it reads of each feed.
    pub shares: Vec<Share>,
    /// Feeds that nobody can read a second time: what comes of them has places of this life.
    pub once: Vec<bool>,
    /// The wall clock.
    pub clock: fn() -> Moment,
}

/// See the module.
pub struct Intake {
    plan: Plan,
    store: Box<dyn Store>,
    claim: Claim,
    topic: String,
    partitions: u16,
    lane: Lane,
    shares: Vec<Share>,
    once: Vec<bool>,
    /// By feed.
    sorters: Vec<Sorter>,
    outgoing: Outgoing,
    clock: fn() -> Moment,
    machines: Machines,
    identities: Identities,
    frontiers: Vec<Frontier>,
    /// As judges were told.
    told: Vec<Moment>,
    positions: BTreeMap<(u16, i32), Position>,
    hand: Hand,
    out: Out,
    halts: Halts,
    unwrap: Option<Unwrap>,
    status: Arc<Status>,
    ticked: Instant,
    wished: Option<Instant>,
    wants_reload: bool,
}

impl Intake {
    /// Takes over from whoever ran this lane before.
    ///
    /// # Errors
    /// The store; contracts or catalogue; adapters that do not fit.
    pub fn open(setup: Setup) -> Result<Intake, LiveError> {
        let Setup { mut plan, mut store, outgoing, exchange, topic, lane, shares, once, clock } = setup;
        let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
        let claim = store.claim(&plan.owner)?;
        let machines = Machines::open(&plan.adapters, store.as_mut())?;
        let mut positions = BTreeMap::new();
        for position in &claim.positions {
            if let Some(feed) = plan.feeds.iter().position(|feed| feed.name == position.source) {
                positions.insert((feed as u16, position.partition), position.clone());
            }
        }
        let partitions = u16::try_from(exchange.next).unwrap_or(1);
        let others = [exchange, lanes::remembered(lane.of)];
        let others = others.into_iter().filter(|one| !claim.positions.contains(one)).collect();
        let status = Status::new(&plan.feeds);
        let frontier = |(feed, share)| match share {
            Share::Partitions | Share::Pushed if lane.of > 1 => Frontier::of_lane(feed, lane),
            Share::Partitions | Share::Pushed | Share::Whole | Share::Nothing => Frontier::new(feed, Moment::DAWN),
        };
        let frontiers = plan.feeds.iter().zip(shares.iter().copied()).map(frontier).collect();
        for (share, at) in shares.iter().zip(0..) {
            if *share == Share::Nothing {
                status.feed(FeedId(at)).read_elsewhere();
            }
        }
        let out = Out::open(store.as_mut())?;
        status.writes(|written| written.waiting = out.made.events);
        Ok(Intake {
            frontiers,
            told: vec![Moment::DAWN; plan.feeds.len()],
            sorters: plan.feeds.iter().map(|_| Sorter::default()).collect(),
            identities: Identities { catalogue: contracts.catalogue, ..Identities::default() },
            plan,
            store,
            claim,
            topic,
            partitions,
            lane,
            shares,
            once,
            outgoing,
            clock,
            machines,
            positions,
            hand: Hand::with(others),
            out,
            halts: Halts::default(),
            unwrap: None,
            status: Arc::new(status),
            ticked: Instant::now(),
            wished: None,
            wants_reload: false,
        })
    }

    /// How far a feed was read, for whoever reads it on.
    pub fn positions(&self, feed: FeedId) -> Vec<Position> {
        self.positions.range((feed.0, i32::MIN)..=(feed.0, i32::MAX)).map(|(_, position)| position.clone()).collect()
    }

    /// What others may know of it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// Where decisions about halted partitions go.
    pub fn decide_by(&mut self, decide: Decide) {
        self.halts.decide = Some(decide);
    }

    /// Has letters be read again so.
    pub fn unwrap_by(&mut self, unwrap: Unwrap) {
        self.unwrap = Some(unwrap);
    }

    /// Runs until it is asked to stop, or, if so wanted, every source of the lane has ended. `committed` gets the positions
    /// that are noted.
    ///
    /// # Errors
    /// Somebody else has taken over, or the brokers or the store refuse for good.
    pub fn run(
        &mut self,
        sources: &Receiver,
        until_end: bool,
        stop: &AtomicBool,
        committed: &mut dyn FnMut(&[Position]),
    ) -> Result<(), LiveError> {
        let stopped = || stop.load(Ordering::Relaxed);
        self.status.hears(sources.gauge());
        self.write(&stopped, committed)?;
        let every = Duration::from_millis(self.plan.commit_every.max(1) as u64);
        let own = self.shares.iter().filter(|share| **share != Share::Nothing).count();
        let (mut ended, mut over) = (0, false);
        while !stopped() && !over {
            let wait = self.hand.since.map_or(TICKS, |since| every.saturating_sub(since.elapsed()));
            match sources.recv_timeout(wait.min(TICKS)) {
                Ok(Heard::Wish(Wish::Stop)) | Err(RecvTimeoutError::Disconnected) => over = true,
                Ok(heard) => {
                    ended += usize::from(matches!(heard, Heard::Ended { .. }));
                    self.take(heard)?;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let due = self.hand.since.is_some_and(|since| since.elapsed() >= every);
            if due || self.hand.is_full() {
                self.write(&stopped, committed)?;
            }
            if self.ticked.elapsed() >= TICKS {
                self.write(&stopped, committed)?;
                self.tick(&stopped)?;
            }
            if self.wished.is_none_or(|wished| wished.elapsed() >= WISHES) {
                self.wished = Some(Instant::now());
                self.write(&stopped, committed)?;
                if self.wishes()? {
                    self.write(&stopped, committed)?;
                }
            }
            if std::mem::take(&mut self.wants_reload) {
                self.reload();
            }
            over |= until_end && ended == own;
        }
        // What is in hand is written if brokers and store are there; else the next process reads it, or writes it, again.
        let until = Instant::now() + GRACE;
        let late = || Instant::now() >= until;
        self.write(&late, committed)?;
        self.tick(&late)?;
        self.status.end();
        Ok(())
    }

    fn name(&self, feed: FeedId) -> String {
        self.plan.feeds[usize::from(feed.0)].name.clone()
    }

    fn take(&mut self, heard: Heard) -> Result<(), LiveError> {
        match heard {
            Heard::Records(records) => self.records(records),
            Heard::Began { feed, partition, incarnation, next } => {
                self.goes_on(feed, partition, &incarnation, next);
                let source = self.name(feed);
                let position = Position { source, partition, incarnation: incarnation.to_string(), next, last: 0 };
                self.note((feed.0, partition), position);
            }
            Heard::CaughtUp { feed, partition, partitions, at, lag } => {
                self.frontiers[usize::from(feed.0)].caught_up(partition, partitions, at, lag);
                self.status.feed(feed).fine();
            }
            Heard::Behind { feed, partition, partitions, lag } => {
                self.frontiers[usize::from(feed.0)].behind(partition, partitions, lag);
            }
            Heard::Trouble { feed, why } => {
                tracing::warn!(source = self.name(feed), "{why}");
                self.status.feed(feed).trouble(why);
            }
            Heard::Fine { feed } => self.status.feed(feed).fine(),
            // It is not heard further from here on, so nothing is judged as if it had been silent.
            Heard::Halted { feed, partition, why } => self.halted(feed, partition, why)?,
            Heard::Ended { feed } => self.frontiers[usize::from(feed.0)].end(),
            Heard::Wish(Wish::Reload) => self.wants_reload = true,
            Heard::Wish(Wish::Stop) => {}
        }
        Ok(())
    }

    fn note(&mut self, key: (u16, i32), position: Position) {
        self.positions.insert(key, position.clone());
        self.hand.positions.insert(key, position);
        self.hand.begins();
    }

    fn records(&mut self, mut records: Records) {
        let (feed, key) = (usize::from(records.feed.0), (records.feed.0, records.partition));
        self.status.feed(records.feed).passed(&std::mem::take(&mut records.passed));
        let done = records.done.take();
        let (events, brought) = self.machines.read(records);
        let source = self.name(events.feed);
        let events = self.identities.pin(&events, &source).unwrap_or(events);
        let mut incarnation = events.incarnation.to_string();
        if self.once[feed] {
            // Nobody will read it there again, and another life begins to count anew.
            incarnation = format!("{incarnation}, lane {}, epoch {}", self.lane.own, self.claim.epoch.0);
        }
        // Nothing is read anew where there is an exchange.
        let reading = Arc::new(Reading { source, partition: events.partition, incarnation, generation: 0 });
        let refused = self.made(&events, &reading, &mut Items::default());
        let whole = brought.as_ref().map_or(&events, |brought| &brought.records);
        let unread = brought.as_ref().map_or(&[][..], |brought| &brought.refused);
        for one in unread {
            let bytes = redact_bytes(whole.of(one.line)).into_owned();
            self.put_letter(whole, one, &bytes);
        }
        for one in &refused {
            self.put_letter(&events, one, events.of(one.line));
        }
        let lost = refused.len() + unread.len();
        self.status.feed(events.feed).took((events.list.len() + unread.len()) as u64, lost as u64);
        if let Some(brought) = &brought {
            self.status.feed(events.feed).passed(&brought.skipped);
        }
        if let Some(done) = done {
            let of = |line: usize| brought.as_ref().map_or(line, |brought| brought.from[line]);
            let all = refused.iter().map(|one| (of(one.line), one)).chain(unread.iter().map(|one| (one.line, one)));
            let refused = all.map(|(line, one)| (line, format!("{}: {}", one.reason, one.detail))).collect();
            self.hand.waiting.push(Waiting { done, refused });
            self.hand.begins();
        }
        if let Some(end) = whole.list.last() {
            let last = whole.last.unwrap_or_else(|| xxh3_64(whole.record(end)));
            let (source, incarnation) = (reading.source.clone(), whole.incarnation.to_string());
            let position = Position { source, partition: whole.partition, incarnation, next: end.next, last };
            self.frontiers[feed].came(whole.partition, end.arrived, whole.stamped);
            self.note(key, position);
        }
    }

    /// Puts events into the hand, each at its place; gives those that are refused.
    fn made(&mut self, events: &Records, reading: &Arc<Reading>, items: &mut Items) -> Vec<Refused> {
        let mut refused = Vec::new();
        let sorter = &mut self.sorters[usize::from(events.feed.0)];
        for (line, one) in events.list.iter().enumerate() {
            let item = items.next(one.offset);
            let found = match unreadable(line, one) {
                Some(refused) => Err(refused),
                None => sorter.whose(events.record(one)).map_err(|error| Refused {
                    line,
                    reason: error.name(),
                    detail: error.to_string(),
                }),
            };
            match found {
                Ok(Whose::Nobody(tick)) => self.frontiers[usize::from(events.feed.0)].tick(tick),
                Ok(Whose::Blank) => {}
                Ok(Whose::Handover) => {
                    let detail = "a handover concerns two partners, whose judges may be two: through an exchange nothing is handed \
                                  over yet; judge in one process where that is needed"
                        .to_owned();
                    refused.push(Refused { line, reason: DecodeError::Handover.name(), detail });
                }
                Ok(Whose::Partner(partner)) => {
                    let place = Place { offset: one.offset, item, arrived: one.arrived };
                    self.hand.put(partition(&partner, self.partitions), reading, place, events.record(one));
                }
                Err(one) => refused.push(one),
            }
        }
        refused
    }

    fn next_letter(&self) -> u64 {
        self.claim.letters + self.hand.letters.len() as u64 + 1
    }

    fn put_letter(&mut self, records: &Records, refused: &Refused, whole: &[u8]) {
        let (number, source) = (self.next_letter(), self.name(records.feed));
        self.hand.letters.push(letter(number, source, records, refused, whole));
        self.status.letter(refused.reason);
    }

    fn reload(&mut self) {
        let refused = match (self.plan.contracts)() {
            Ok(contracts) => match self.identities.moved(&contracts.catalogue) {
                Some(identity) => Some(format!(
                    "the catalogue stays as it was: it gives {identity} to another partner, and through an exchange nothing is \
                     handed over yet (docs/scale-out.md)"
                )),
                None => {
                    self.identities.replace(contracts.catalogue);
                    None
                }
            },
            Err(why) => Some(format!("the catalogue stays as it was: {why}")),
        };
        if let Some(why) = &refused {
            tracing::error!("{why}");
        }
        self.status.contracts(refused);
    }
}
