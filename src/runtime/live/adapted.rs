//! Vendors' records on their way to the judge: adapters make events of them. What adapters remember is written in the commit
//! that holds the events, so a restart finds neither without the other.
//!
//! The journal has the events and not the records: it is judged again without any adapter. Sources that name the same
//! adapter share what it remembers: an approval waits for its change, whichever topic brings it.

use super::LiveError;
use super::intake::unreadable;
use super::judge::Refused;
use crate::decode::DecodeError;
use crate::ingest::adapt::{Adapter, Error, Record, Skip, State};
use crate::ingest::feed::Records;
use crate::ingest::wire::REASONS;
use crate::store::{Remembered, Stamp, Store};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows that are forgotten with one commit, at most.
const AT_ONCE: usize = 1_000;

/// An adapter that reads what a source brings.
#[derive(Clone, Debug)]
pub struct Plugged {
    /// It.
    pub adapter: Arc<Adapter>,
    /// The topic that the source reads, if it reads one.
    pub topic: Option<String>,
}

/// The adapters of a shard.
#[derive(Debug, Default)]
pub(crate) struct Machines {
    machines: Vec<Machine>,
    /// Of each feed: which of them reads it, and its topic.
    of: Vec<Option<(usize, Option<String>)>>,
}

/// An adapter and what it remembers.
#[derive(Debug)]
pub(crate) struct Machine {
    adapter: Arc<Adapter>,
    state: State,
    /// It reads otherwise than the store says: written down with the next commit.
    restamp: bool,
    /// Rows that are over: when the record came that ended them.
    over: BTreeMap<String, Moment>,
    /// The same, by time.
    ends: BTreeSet<(Moment, String)>,
    /// Rows that are not over as long as another one is there, by that one.
    rests: BTreeMap<String, BTreeSet<String>>,
    /// When the records came that changed what is not written down yet.
    came: Moment,
}

/// What an adapter was brought, and what is not in the events that it made of it.
#[derive(Debug)]
pub(crate) struct Brought {
    /// As they came.
    pub(crate) records: Records,
    /// Of each event, which of them it is from.
    pub(crate) from: Vec<usize>,
    /// Records, or parts of them, that could not be read.
    pub(crate) refused: Vec<Refused>,
    /// Records that tell nothing, as it should be: why, and how many.
    pub(crate) skipped: BTreeMap<&'static str, u64>,
}

impl Machines {
    /// With what they remembered at the last commit.
    pub(crate) fn open(plugged: &[Option<Plugged>], store: &mut dyn Store) -> Result<Machines, LiveError> {
        let mut all = Machines::default();
        if plugged.iter().all(Option::is_none) {
            return Ok(all);
        }
        let stamps = store.stamps()?;
        for one in plugged {
            let Some(Plugged { adapter, topic }) = one else {
                all.of.push(None);
                continue;
            };
            let name = adapter.source();
            let known = all.machines.iter().position(|machine| machine.adapter.source() == name);
            let at = match known {
                Some(at) if all.machines[at].adapter.stamp() != adapter.stamp() => {
                    return Err(LiveError::Adapters(format!(
                        "two sources read {name} under different settings: give them the same `adapter-settings`, or one \
                         of them an `instance` of its own there"
                    )));
                }
                Some(at) => at,
                None => {
                    all.machines.push(Machine::open(adapter, &stamps, store)?);
                    all.machines.len() - 1
                }
            };
            all.of.push(Some((at, topic.clone())));
        }
        Ok(all)
    }

    /// Events of records, each at its record's place; where no adapter reads the feed, they are events as they are.
    pub(crate) fn read(&mut self, records: Records) -> (Records, Option<Brought>) {
        let Some((at, topic)) = self.of.get(usize::from(records.feed.0)).and_then(Option::as_ref) else {
            return (records, None);
        };
        let (events, brought) = self.machines[*at].read(records, topic.as_deref());
        (events, Some(brought))
    }

    /// What has changed, for the next commit.
    pub(crate) fn seal(
        &mut self,
        sequence: u64,
        before: Moment,
        remembered: &mut Vec<Remembered>,
        stamps: &mut Vec<Stamp>,
    ) {
        for machine in &mut self.machines {
            machine.forget(before);
            machine.seal(remembered);
            if std::mem::take(&mut machine.restamp) {
                stamps.push(machine.stamp(sequence));
            }
        }
    }
}

impl Machine {
    /// One that remembers nothing.
    pub(crate) fn new(adapter: &Arc<Adapter>) -> Machine {
        Machine {
            adapter: Arc::clone(adapter),
            state: State::default(),
            restamp: true,
            over: BTreeMap::new(),
            ends: BTreeSet::new(),
            rests: BTreeMap::new(),
            came: Moment::DAWN,
        }
    }

    /// Under what it reads, from a commit on.
    pub(crate) fn stamp(&self, since: u64) -> Stamp {
        let (config, version) = self.adapter.stamp();
        Stamp { adapter: self.adapter.source().to_owned(), config, version, since }
    }

    fn open(adapter: &Arc<Adapter>, stamps: &[Stamp], store: &mut dyn Store) -> Result<Machine, LiveError> {
        let name = adapter.source();
        let (config, version) = adapter.stamp();
        let known = stamps.iter().find(|stamp| stamp.adapter == name);
        let restamp = known.is_none_or(|stamp| (stamp.config, stamp.version) != (config, version));
        if let Some(stamp) = known.filter(|_| restamp) {
            tracing::warn!(
                adapter = name,
                since = stamp.since,
                "it reads otherwise than before: that holds from here on, and what was told stands; to have old records read \
                 so, too: `onus sources regenerate`"
            );
        }
        let mut machine = Machine { restamp, ..Machine::new(adapter) };
        let (mut trouble, mut came) = (None, Vec::new());
        store.remembered(name, &mut |one| {
            let Some(row) = one.row else { return };
            match machine.state.restore(&one.id, &row) {
                Ok(()) => came.push((one.id, one.at)),
                Err(error) => {
                    trouble.get_or_insert_with(|| format!("{name}: what it remembers of {}: {error}", one.id));
                }
            }
        })?;
        // Once all are there: some rest on others.
        came.into_iter().for_each(|(id, at)| machine.note(id, at));
        trouble.map_or(Ok(machine), |trouble| Err(LiveError::Adapters(trouble)))
    }

    /// Events of records, each at its record's place.
    pub(crate) fn read(&mut self, records: Records, topic: Option<&str>) -> (Records, Brought) {
        let mut events = Records::new(records.feed, records.partition, Arc::clone(&records.incarnation));
        events.stamped = records.stamped;
        let (mut from, mut refused, mut skipped) = (Vec::new(), Vec::new(), BTreeMap::new());
        let mut text = String::new();
        for (line, one) in records.list.iter().enumerate() {
            if let Some(unreadable) = unreadable(line, one) {
                refused.push(unreadable);
                continue;
            }
            let place = topic.map(|topic| format!("{topic}/{}/{}", records.partition, one.offset));
            let record = Record {
                value: Some(records.record(one)),
                recorded: Some(one.arrived),
                topic,
                place: place.as_deref(),
            };
            let answer = self.adapter.read(&mut self.state, &record);
            self.came = self.came.max(one.arrived);
            if answer.events.is_empty() && answer.errors.is_empty() {
                let why = answer.skips.first().map_or(Skip::NotRelevant, |(why, _)| *why);
                *skipped.entry(why.word()).or_default() += 1;
            }
            for event in &answer.events {
                text.clear();
                event.write(&mut text);
                events.push(text.as_bytes(), one.offset, one.next, one.arrived);
                from.push(line);
            }
            for (code, why) in answer.errors {
                let detail = format!("{why} ({}): {}", code.means(), remedy(code));
                refused.push(Refused { line, reason: code.word(), detail });
            }
        }
        (events, Brought { records, from, refused, skipped })
    }

    /// What it remembers otherwise than at the last commit.
    pub(crate) fn seal(&mut self, remembered: &mut Vec<Remembered>) {
        let (adapter, at) = (self.adapter.source(), self.came);
        let changed: Vec<Remembered> = self
            .state
            .changed()
            .map(|(id, row)| Remembered {
                adapter: adapter.to_owned(),
                id: id.to_owned(),
                row: row.map(crate::ingest::adapt::Row::to_bytes),
                at,
            })
            .collect();
        self.state.committed();
        for one in &changed {
            self.note(one.id.clone(), at);
        }
        remembered.extend(changed);
    }

    /// Whether a row is over, and since when.
    fn note(&mut self, id: String, at: Moment) {
        if let Some(before) = self.over.remove(&id) {
            self.ends.remove(&(before, id.clone()));
        }
        if self.state.get(&id).is_none() {
            for other in self.rests.remove(&id).unwrap_or_default() {
                self.note(other, at);
            }
        } else if self.adapter.is_over(&self.state, &id) {
            self.ends.insert((at, id.clone()));
            self.over.insert(id, at);
        } else if let Some(of) = self.adapter.rests_on(&self.state, &id).filter(|of| *of != id) {
            self.rests.entry(of).or_default().insert(id);
        }
    }

    /// Rows that were over before an instant go.
    fn forget(&mut self, before: Moment) {
        for _ in 0..AT_ONCE {
            let Some((at, id)) = self.ends.first().filter(|(at, _)| *at < before).cloned() else { return };
            self.ends.remove(&(at, id.clone()));
            self.over.remove(&id);
            // What waits for it now did not when it ended.
            if self.adapter.is_over(&self.state, &id) {
                self.state.forget(&id);
            }
        }
    }
}

/// Whether a dead letter's record is one that an adapter could not read; else it is an event that an adapter made of one.
pub(crate) fn is_record(reason: &str) -> bool {
    Error::named(reason).is_some() || REASONS.contains(&reason) || reason == DecodeError::TooLong { bytes: 0 }.name()
}

/// What to do about a record that could not be read.
fn remedy(code: Error) -> &'static str {
    match code {
        Error::UnknownPartner | Error::AmbiguousPartner => {
            "say in `adapter-settings` whose it is, then replay this dead letter"
        }
        Error::BadField => {
            "have the source send it as the mapper says, or mend the mapper, then replay this dead letter"
        }
        Error::UnmappedState | Error::UnknownTable => {
            "translate it in `adapter-settings`, then replay this dead letter"
        }
        Error::SchemaUnavailable | Error::UnknownSchema => "replay this dead letter once the schema can be had",
        Error::BadTime | Error::MissingTime => "have the source send an instant with its zone",
        Error::MissingId | Error::MissingSubject => "have the source send the whole record",
        Error::GlueFrame => "have the producer write JSON, or use another registry's serializer",
        Error::NotJson | Error::UnknownEnvelope | Error::BadFrame | Error::BadSchema => {
            "look at what sends it, and whether this is the right `adapter`"
        }
        Error::TooLarge => "have the source send less",
    }
}
