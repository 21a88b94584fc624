//! What the loop has no room for yet: it waits here, in order, and its partition is paused. Other partitions are read on.

use super::{End, PATIENCE, Reader, plain};
use crate::ingest::feed::{Heard, Records};
use crate::ingest::kafka::connect::Client;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::TopicPartitionList;
use std::collections::BTreeSet;
use std::sync::mpsc::TrySendError;
use std::time::{Duration, Instant};

impl Reader {
    /// Of these, those that are asked for.
    fn of(&self, partitions: &BTreeSet<i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        let asked = |partition: &&i32| self.partitions.contains_key(*partition) && !self.waits.has(**partition);
        for partition in partitions.iter().filter(asked) {
            list.add_partition(&self.shared.topic.name, *partition);
        }
        list
    }

    pub(super) fn pause(&mut self, client: &Client, partitions: BTreeSet<i32>) -> Result<(), End> {
        let list = self.of(&partitions);
        if list.count() > 0 {
            let failed = |error| End::Again(format!("partitions cannot be paused: {}", plain(&error)));
            client.pause(&list).map_err(failed)?;
        }
        self.paused.extend(partitions);
        Ok(())
    }

    /// Waits a little where partitions are full; then pauses those, and goes on polling the others. Resumes what has room.
    pub(super) fn make_room(&mut self, client: &Client) -> Result<(), End> {
        let until = Instant::now() + PATIENCE;
        let full = loop {
            let full = self.drain();
            if self.stopping {
                return Err(End::Stop);
            }
            if full.is_subset(&self.paused) {
                break full;
            }
            if Instant::now() >= until {
                self.pause(client, full.difference(&self.paused).copied().collect())?;
                break full;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let free: BTreeSet<i32> = self.paused.difference(&full).copied().collect();
        if !free.is_empty() {
            let list = self.of(&free);
            let failed = |error| End::Again(format!("partitions cannot be resumed: {}", plain(&error)));
            client.resume(&list).map_err(failed)?;
            self.paused.retain(|partition| full.contains(partition));
        }
        Ok(())
    }

    /// Sends what waits, as far as there is room; gives those for which there is none.
    pub(super) fn drain(&mut self) -> BTreeSet<i32> {
        let mut full = BTreeSet::new();
        for heard in std::mem::take(&mut self.waiting) {
            // What is said of all comes after all that was said before.
            let behind = match partition_of(&heard) {
                Some(partition) => full.contains(&partition),
                None => !self.waiting.is_empty(),
            };
            let back = if behind { Some(heard) } else { self.say(heard) };
            let Some(heard) = back else { continue };
            match partition_of(&heard) {
                Some(partition) => drop(full.insert(partition)),
                None => full.extend(self.partitions.keys()),
            }
            self.waiting.push_back(heard);
        }
        full
    }

    /// Gives it back where there is no room.
    fn say(&mut self, heard: Heard) -> Option<Heard> {
        match self.sender.try_send(heard) {
            Ok(()) => None,
            Err(TrySendError::Full(heard)) => Some(heard),
            Err(TrySendError::Disconnected(_)) => {
                self.stopping = true;
                None
            }
        }
    }

    pub(super) fn push(&mut self, heard: Heard) {
        // Behind what waits: as soon as it is looked at again, others may be let in.
        let back = if self.waiting.is_empty() { self.say(heard) } else { Some(heard) };
        self.waiting.extend(back);
    }

    /// How far behind one is; said once, however long it waits to be heard.
    pub(super) fn behind(&mut self, partition: i32, partitions: u32, lag: u64) {
        let feed = self.shared.topic.feed;
        let heard = Heard::Behind { feed, partition, partitions, lag };
        let same = |one: &&mut Heard| matches!(one, Heard::Behind { partition: other, .. } if *other == partition);
        match self.waiting.iter_mut().find(same) {
            Some(one) => *one = heard,
            None => self.push(heard),
        }
    }

    /// Something waits for room of which more may come.
    pub(super) fn is_stuck(&self) -> bool {
        self.waiting.iter().any(|heard| partition_of(heard).is_none_or(|partition| !self.paused.contains(&partition)))
    }
}

/// Of which partition something is said; None: of all.
fn partition_of(heard: &Heard) -> Option<i32> {
    match heard {
        Heard::Records(Records { partition, .. })
        | Heard::Began { partition, .. }
        | Heard::CaughtUp { partition, .. }
        | Heard::Behind { partition, .. }
        | Heard::Halted { partition, .. } => Some(*partition),
        Heard::Trouble { .. } | Heard::Fine { .. } | Heard::Ended { .. } | Heard::Wish(_) => None,
    }
}
