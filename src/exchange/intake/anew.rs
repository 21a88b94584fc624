//! `onus sources regenerate` where there is an exchange: what is read anew goes to the partitions of its partners under the number
//! of its reading, and judges put it aside. Once the brokers have all of it, the word that it is read goes to every partition.
//!
//! That word is kept in the last commit, as events of an intake are: before it nothing has changed, and after it whoever goes
//! on says it.

use super::hand::{Hand, Out};
use super::wishes::Items;
use crate::decode::DecodeError;
use crate::exchange::carried::{HEADER, Place, regenerated};
use crate::exchange::kept::{Made, Message};
use crate::exchange::partition::partition;
use crate::exchange::repeats::Reading;
use crate::exchange::whose::{Sorter, Whose};
use crate::ingest::feed::Records;
use crate::ingest::kafka::Outgoing;
use crate::runtime::live::judge::Refused;
use crate::runtime::live::{Destination, LiveError};
use crate::store::{Regenerated, Remembered, Store};
use onus_engine::time::Moment;
use std::sync::Arc;

/// Longest word that brokers are to take: half of what they do.
const LONGEST: usize = 512 << 10;

/// See the module.
pub(crate) struct Anew {
    outgoing: Outgoing,
    topic: String,
    partitions: u16,
    clock: fn() -> Moment,
    sorter: Sorter,
    hand: Hand,
    out: Out,
}

impl Anew {
    /// To this topic.
    pub(crate) fn new(outgoing: Outgoing, topic: String, partitions: u16, clock: fn() -> Moment) -> Anew {
        let (sorter, hand, out) = (Sorter::default(), Hand::default(), Out::default());
        Anew { outgoing, topic, partitions, clock, sorter, hand, out }
    }

    fn send(&mut self) -> Result<(), LiveError> {
        let mut trouble = |why: Option<String>| {
            if let Some(why) = why {
                eprintln!("{why}");
            }
        };
        let sent = self.outgoing.send_all(&self.topic, HEADER, &self.out.made.messages, &|| false, &mut trouble);
        sent.map_err(LiveError::Exchange)?;
        self.out.settle();
        Ok(())
    }
}

impl Destination for Anew {
    /// What the lane had noted is written first. Commits of a lane are counted anew where its store was made of another one, so its
    /// readings are counted by the clock, and beyond those that it knows.
    fn begins(&mut self, store: &mut dyn Store, commit: u64) -> Result<u64, LiveError> {
        self.out = Out::open(store)?;
        self.send()?;
        let known = store.regenerated()?.iter().map(|one| one.generation + 1).max().unwrap_or(0);
        Ok(commit.max(known).max((self.clock)().0.unsigned_abs()))
    }

    fn put(&mut self, reading: Reading, events: &Records, lines: &[usize]) -> Vec<Refused> {
        let (reading, mut items) = (Arc::new(reading), Items::default());
        let mut refused = Vec::new();
        for (line, one) in lines.iter().filter_map(|line| Some((*line, events.list.get(*line)?))) {
            let item = items.next(one.offset);
            let event = events.record(one);
            let (reason, detail) = match self.sorter.whose(event) {
                Ok(Whose::Nobody(_) | Whose::Blank) => continue,
                Ok(Whose::Partner(partner)) => {
                    let place = Place { offset: one.offset, item, arrived: one.arrived };
                    self.hand.put(partition(&partner, self.partitions), &reading, place, event);
                    continue;
                }
                Ok(Whose::Handover) => (DecodeError::Handover.name(), super::HANDOVER.to_owned()),
                Err(error) => (error.name(), error.to_string()),
            };
            refused.push(Refused { line, reason, detail });
        }
        refused
    }

    fn is_full(&self) -> bool {
        self.hand.is_full()
    }

    fn is_empty(&self) -> bool {
        self.hand.is_empty()
    }

    /// A lane's journal is empty. Its commit says that the lane is ours still.
    fn journal(&self) -> Result<Vec<u8>, LiveError> {
        Ok(Vec::new())
    }

    fn committed(&mut self) -> Result<(), LiveError> {
        if self.out.made.messages.is_empty() {
            self.out.made = std::mem::take(&mut self.hand).made();
        }
        self.send()
    }

    fn last(&mut self, marks: &[Regenerated], at: Moment) -> Result<Option<Remembered>, LiveError> {
        let mut made = Made::default();
        if let Some(header) = regenerated(marks) {
            if header.len() > LONGEST {
                let what = "the exchange cannot take the reason: say it in fewer words; nothing has changed";
                return Err(LiveError::Exchange(what.to_owned()));
            }
            // Its value is for people who look into the topic; judges go by the header.
            let of: Vec<_> = marks
                .iter()
                .map(|one| {
                    serde_json::json!({ "source": one.source, "partition": one.partition,
                        "begins": one.begins, "ends": one.ends, "generation": one.generation })
                })
                .collect();
            let why = marks.first().map_or("", |one| &one.why);
            let value = serde_json::json!({ "specversion": "1.0", "type": "onus.regenerated", "source": "onus",
                "id": format!("regenerated-{}", marks.first().map_or(0, |one| one.generation)), "data": { "why": why, "of": of } });
            let value = value.to_string().into_bytes();
            made.messages.extend((0..i32::from(self.partitions)).map(|partition| Message {
                partition,
                header: header.clone(),
                value: value.clone(),
            }));
        }
        let row = self.out.row(&made, at)?;
        self.out.made = made;
        Ok(row)
    }
}
