//! `onus sources regenerate`: the records of an adapter's sources, read anew under its settings of today.
//!
//! Nothing of it counts before the last commit, which says what it takes the place of (generations.rs). Whoever judges the
//! journal next judges it so, and the ledger gets what that changes.

mod own;

use super::adapted::{Machine, Plugged};
use super::exchanged::is_no_record;
use super::halts::{HALTED, SKIPPED};
use super::identities::Identities;
use super::intake::letter;
use super::judge::{FUTURE, Refused};
use super::{Feed, LiveError, Plan};
use crate::exchange::repeats::Reading;
use crate::ingest::adapt::redact_bytes;
use crate::ingest::feed::{FeedId, Records};
use crate::store::{Batch, Epoch, Letter, LetterState, Position, Query, Regenerated, Remembered, Store, StoreError};
use onus_engine::rule::glob;
use onus_engine::time::Moment;
use own::OwnJournal;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Where what is read anew goes. Nobody looks at it before the last commit.
pub(crate) trait Destination {
    /// The shard has been taken over, and this is its next commit. Gives the number of the reading: above all before.
    ///
    /// # Errors
    /// What whoever was here before has left there cannot be read, or written.
    fn begins(&mut self, store: &mut dyn Store, commit: u64) -> Result<u64, LiveError>;
    /// Takes these of the events; gives those that it cannot take.
    fn put(&mut self, reading: Reading, events: &Records, lines: &[usize]) -> Vec<Refused>;
    /// So much is in hand that it should be written.
    fn is_full(&self) -> bool;
    /// Nothing is in hand.
    fn is_empty(&self) -> bool;
    /// What the shard's own journal gets of it with the next commit.
    ///
    /// # Errors
    /// It cannot be packed.
    fn journal(&self) -> Result<Vec<u8>, LiveError>;
    /// That commit took place, so nobody else has the shard.
    ///
    /// # Errors
    /// What is in hand cannot be written elsewhere.
    fn committed(&mut self) -> Result<(), LiveError>;
    /// All was written. The next commit is the last: what is to be remembered with it beside.
    ///
    /// # Errors
    /// Nobody could be told of it.
    fn last(&mut self, marks: &[Regenerated], at: Moment) -> Result<Option<Remembered>, LiveError>;
}

/// See the module.
pub struct Regeneration {
    epoch: Epoch,
    sequence: u64,
    now: Moment,
    generation: u64,
    machine: Machine,
    /// What it knows of identities is pinned to events, as when they come.
    identities: Identities,
    adapter: String,
    readings: BTreeMap<FeedId, Source>,
    to: Box<dyn Destination>,
    letters: Vec<Letter>,
    letter: u64,
    renewed: Renewed,
}

/// One source that is read anew.
struct Source {
    feed: Feed,
    topic: Option<String>,
    /// By partition: how far it was read before, and from where to where it is read now.
    partitions: BTreeMap<i32, (Position, Option<(u64, u64)>)>,
    /// Partitions that are not read to there yet.
    left: BTreeSet<i32>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Records that were read anew.
    pub records: u64,
    /// Events that were made of them.
    pub events: u64,
    /// Dead letters among them now.
    pub letters: u64,
    /// Dead letters of the reading before that are none any more, or are among those.
    pub settled: u64,
}

/// What is asked of an event.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    partner: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

impl Regeneration {
    /// Takes the shard over, to read anew what the adapter of this source has read. Whoever ran it is fenced off.
    ///
    /// # Errors
    /// There is no such source, no adapter reads it, or nothing of it was read yet; contracts or catalogue; the store.
    pub fn begin(plan: &mut Plan, name: &str, store: &mut dyn Store) -> Result<Regeneration, LiveError> {
        Regeneration::into(Box::<OwnJournal>::default(), plan, name, store)
    }

    /// The same, of a shard that has no journal of its own.
    ///
    /// # Errors
    /// As [`Regeneration::begin`], and those of the destination.
    pub(crate) fn into(
        mut to: Box<dyn Destination>,
        plan: &mut Plan,
        name: &str,
        store: &mut dyn Store,
    ) -> Result<Regeneration, LiveError> {
        let wrong = |what: String| LiveError::Adapters(what);
        let catalogue = (plan.contracts)().map_err(LiveError::Contracts)?.catalogue;
        let plugged = |at: usize| plan.adapters.get(at).and_then(Option::as_ref);
        let Some(at) = plan.feeds.iter().position(|feed| feed.name == name) else {
            return Err(wrong(format!("there is no source `{name}` in the settings")));
        };
        let Some(Plugged { adapter, .. }) = plugged(at) else {
            return Err(wrong(format!("`{name}` brings events and no vendor's records: no `adapter` reads it")));
        };
        let claim = store.claim(&plan.owner)?;
        let mut readings = BTreeMap::new();
        for (at, feed) in plan.feeds.iter().enumerate() {
            let Some(other) = plugged(at).filter(|other| other.adapter.source() == adapter.source()) else { continue };
            if other.adapter.stamp() != adapter.stamp() {
                let what = format!("`{}` and `{name}` read {} under different settings", feed.name, adapter.source());
                return Err(wrong(what));
            }
            let own = claim.positions.iter().filter(|position| position.source == feed.name);
            let partitions: BTreeMap<i32, _> = own.map(|at| (at.partition, (at.clone(), None))).collect();
            let left = partitions.iter().filter(|(_, (at, _))| at.next > 0).map(|(partition, _)| *partition).collect();
            let reading = Source { feed: feed.clone(), topic: other.topic.clone(), partitions, left };
            readings.insert(FeedId(at as u16), reading);
        }
        let last = store.journal(claim.sequence.saturating_sub(1), 1)?;
        let Some(last) = last.first() else {
            return Err(wrong("nothing was ever read: there is nothing to read anew".to_owned()));
        };
        let generation = to.begins(store, claim.sequence + 1)?;
        Ok(Regeneration {
            epoch: claim.epoch,
            sequence: claim.sequence,
            now: last.now,
            generation,
            machine: Machine::new(adapter),
            identities: Identities { catalogue, ..Identities::default() },
            adapter: adapter.source().to_owned(),
            readings,
            to,
            letters: Vec::new(),
            letter: claim.letters,
            renewed: Renewed::default(),
        })
    }

    /// The sources that are to be read from where they begin, one after the other, until they are [done](Self::is_done).
    pub fn feeds(&self) -> Vec<FeedId> {
        self.readings.keys().copied().collect()
    }

    /// Whether all that had been read of a source is read anew.
    pub fn is_done(&self, feed: FeedId) -> bool {
        self.readings.get(&feed).is_none_or(|reading| reading.left.is_empty())
    }

    /// There is no more in this partition, or in all of them.
    pub fn ended(&mut self, feed: FeedId, partition: Option<i32>) {
        if let Some(reading) = self.readings.get_mut(&feed) {
            reading.left.retain(|one| partition.is_some_and(|partition| *one != partition));
        }
    }

    /// Reads records; those that were not read before are left for later.
    ///
    /// # Errors
    /// They are not what was read before; the store.
    pub fn take(&mut self, mut records: Records, store: &mut dyn Store) -> Result<(), LiveError> {
        let Some(reading) = self.readings.get_mut(&records.feed) else { return Ok(()) };
        let partition = records.partition;
        let Some((position, read)) = reading.partitions.get_mut(&partition) else { return Ok(()) };
        if position.incarnation != *records.incarnation {
            return Err(LiveError::Adapters(format!(
                "what is in `{}` now, {}, is not what was read, {}: nothing was changed",
                reading.feed.name, records.incarnation, position.incarnation
            )));
        }
        // What tells nothing says nothing of how far was read.
        if records.list.is_empty() {
            return Ok(());
        }
        records.list.retain(|one| one.offset < position.next);
        let Some((first, last)) = records.list.first().zip(records.list.last()) else {
            reading.left.remove(&partition);
            return Ok(());
        };
        read.get_or_insert((first.offset, 0)).1 = last.next.max(last.offset + 1);
        if last.next >= position.next {
            reading.left.remove(&partition);
        }
        self.renewed.records += records.list.len() as u64;
        let topic = reading.topic.clone();
        let name = reading.feed.name.clone();
        let (told, brought) = self.machine.read(records, topic.as_deref());
        let pinned = self.identities.pin(&told, &name);
        let events = pinned.as_ref().unwrap_or(&told);
        let (mut lines, mut refused) = (Vec::with_capacity(events.list.len()), Vec::new());
        for (line, one) in events.list.iter().enumerate() {
            match self.barred(events.feed, events.record(one)) {
                Some((reason, detail)) => refused.push(Refused { line, reason, detail }),
                None => lines.push(line),
            }
        }
        let (incarnation, generation) = (events.incarnation.to_string(), self.generation);
        let reading = Reading { source: name, partition, incarnation, generation };
        let lost = self.to.put(reading, events, &lines);
        self.renewed.events += (lines.len() - lost.len()) as u64;
        refused.extend(lost);
        refused.sort_by_key(|one| one.line);
        for one in &refused {
            self.put_letter(events, one, events.of(one.line));
        }
        for one in &brought.refused {
            self.put_letter(&brought.records, one, &redact_bytes(brought.records.of(one.line)));
        }
        if self.to.is_full() {
            self.write(store, &Batch::empty(0, Moment::DAWN))?;
        }
        Ok(())
    }

    /// All has been read: from here on it counts. What the adapter remembers is as if it had read so from the beginning.
    ///
    /// # Errors
    /// The store; then nothing has changed.
    pub fn finish(mut self, why: &str, store: &mut dyn Store) -> Result<Renewed, LiveError> {
        if !self.to.is_empty() {
            self.write(store, &Batch::empty(0, Moment::DAWN))?;
        }
        let mut marks = Vec::new();
        // Whether records are missing of which the adapter may remember something.
        let mut whole = true;
        for reading in self.readings.values() {
            for (position, read) in reading.partitions.values() {
                whole &= position.next == 0 || read.is_some_and(|(begins, _)| begins == 0);
                // What is not there any more, at either end, stands as it was read.
                let Some((begins, reached)) = *read else { continue };
                marks.push(Regenerated {
                    source: reading.feed.name.clone(),
                    partition: position.partition,
                    generation: self.generation,
                    begins,
                    ends: reached.min(position.next),
                    why: why.to_owned(),
                });
            }
        }
        let mut remembered = Vec::new();
        self.machine.seal(&mut remembered);
        if whole {
            let known: BTreeSet<String> = remembered.iter().map(|row| row.id.clone()).collect();
            let (adapter, now) = (&self.adapter, self.now);
            store.remembered(adapter, &mut |row| {
                if !known.contains(&row.id) {
                    remembered.push(Remembered { adapter: adapter.clone(), id: row.id, row: None, at: now });
                }
            })?;
        }
        remembered.extend(self.to.last(&marks, self.now)?);
        let settled = settled(&marks, store)?;
        self.renewed.settled = settled.len() as u64;
        self.renewed.letters = self.letters.len() as u64;
        let letters = std::mem::take(&mut self.letters);
        let stamps = [self.machine.stamp(self.sequence + 1)];
        let last = Batch {
            letters: &letters,
            reread: &settled,
            remembered: &remembered,
            stamps: &stamps,
            regenerated: &marks,
            ..Batch::empty(0, Moment::DAWN)
        };
        self.write(store, &last)?;
        Ok(self.renewed)
    }

    /// Writes what is in hand, with the rest of this batch.
    fn write(&mut self, store: &mut dyn Store, rest: &Batch<'_>) -> Result<(), LiveError> {
        let blob = self.to.journal()?;
        let batch = Batch { sequence: self.sequence + 1, now: self.now, journal: &blob, ..rest.clone() };
        store.commit(self.epoch, &batch)?;
        self.sequence += 1;
        self.to.committed()
    }

    /// Why an event does not count, as the judge would say it.
    fn barred(&self, feed: FeedId, line: &[u8]) -> Option<(&'static str, String)> {
        let feed = &self.readings.get(&feed)?.feed;
        let said: Said<'_> = serde_json::from_slice(line).ok()?;
        let may = |patterns: &[String], name: &str| patterns.iter().any(|pattern| glob(pattern, name));
        if !may(&feed.types, &said.kind) {
            let detail =
                format!("the source {} may not say {}: let its `types` in the settings have it", feed.name, said.kind);
            return Some(("Unauthorised", detail));
        }
        if !may(&feed.partners, &said.partner) {
            let (name, partner) = (&feed.name, &said.partner);
            let detail =
                format!("the source {name} may not speak of {partner}: let its `partners` in the settings have it");
            return Some(("Unauthorised", detail));
        }
        let late = Moment::parse(&said.time).is_some_and(|at| at > self.now + FUTURE);
        late.then(|| ("Future", format!("its time {} lies more than a day ahead of {}", said.time, self.now)))
    }

    /// `whole`: its record, as it is to be kept.
    fn put_letter(&mut self, records: &Records, refused: &Refused, whole: &[u8]) {
        let source = self.readings.get(&records.feed).map_or_else(String::new, |reading| reading.feed.name.clone());
        self.letter += 1;
        self.letters.push(letter(self.letter, source, records, refused, whole));
    }
}

/// Whether whatever a dead letter was is said by the new reading. A halt is no record, and what diverged was said by somebody
/// else: that stands.
pub(super) fn is_settled(marks: &[Regenerated], letter: &Letter) -> bool {
    let covers = marks.iter().any(|mark| {
        let here = mark.source == letter.source && mark.partition == letter.partition;
        here && (mark.begins..mark.ends).contains(&letter.offset)
    });
    let open = matches!(letter.state, LetterState::Waiting | LetterState::Asked);
    let stands = matches!(&*letter.reason, HALTED | SKIPPED) || is_no_record(&letter.reason);
    covers && open && !stands
}

/// Dead letters in the store that are settled so.
pub(super) fn settled(marks: &[Regenerated], store: &mut dyn Store) -> Result<Vec<(u64, LetterState)>, StoreError> {
    let mut found = Vec::new();
    let mut query = Query { limit: 1_000, ..Query::default() };
    loop {
        let some = store.letters(&query)?;
        let Some(last) = some.last() else { return Ok(found) };
        query.after = last.number;
        let here = some.iter().filter(|one| is_settled(marks, one));
        found.extend(here.map(|one| (one.number, LetterState::Replayed)));
    }
}
