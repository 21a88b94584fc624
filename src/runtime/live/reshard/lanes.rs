//! What intakes keep: how far sources were read, what adapters remember, and dead letters of what they could not read. It is
//! divided by sources, not by partners, and so is what it was; one process's is the only lane's.

use super::carry::{LETTERS, Places, letters_of, taken};
use super::target::{Target, nothing};
use super::{LiveError, Old, Reshard, cannot};
use crate::exchange::carried::{self, Carried, Events};
use crate::exchange::kept::{self, Kept, Message};
use crate::exchange::lanes::{self, Lane};
use crate::exchange::repeats::{Digests, Item, Reading};
use crate::exchange::{self, NAME};
use crate::store::place::Place;
use crate::store::reshard::New;
use crate::store::{Batch, Letter, Position, Query, Regenerated, Remembered, Stamp};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one commit.
const ROWS: usize = 1_000;

impl Reshard {
    /// Whether every lane has written all that it noted, and judges have taken it.
    pub(super) fn look_at_lanes(&mut self, of: u16) -> Result<(), LiveError> {
        if self.exchange.is_none() {
            return match of {
                1 => Ok(()),
                _ => Err(cannot(format!(
                    "one process has read all sources, and [exchange] lanes says {of}: what it has read cannot be divided among \
                     lanes; write 1"
                ))),
            };
        }
        let mut kept: Vec<(u16, Message)> = Vec::new();
        for lane in &mut self.lanes {
            lanes::check(of, &lane.positions).map_err(LiveError::Exchange)?;
            let own = u16::MAX - lane.held.shard;
            kept.extend(out(lane, own)?.into_iter().map(|message| (own, message)));
        }
        if kept.is_empty() {
            return Ok(());
        }
        let taken = taken(&mut self.olds)?;
        let mut digests = Digests::default();
        for (own, Message { partition, header, value }) in &kept {
            let mut record = Vec::new();
            carried::lay(Some(header), value, &mut record);
            let known = match carried::read(&record) {
                Some(Carried::Events(events)) => all_taken(&events, &taken, &mut digests),
                Some(Carried::Regenerated(marks)) => knows(&mut self.olds, *partition, &marks)?,
                Some(Carried::Tick(_) | Carried::Later) | None => false,
            };
            if !known {
                return Err(cannot(format!(
                    "lane {own} has read what no judge has taken yet: start it and the judges again, stop the intakes in good \
                     order, then the judges once they have taken everything, and then start this again"
                )));
            }
        }
        Ok(())
    }

    /// The new store's shards of lanes.
    pub(super) fn new_lanes(&self) -> Vec<New> {
        let new = |shard, epoch| New { shard, epoch, after: 0, follows: None };
        match self.exchange {
            // What is pushed has places of a lane's epoch: none comes a second time.
            Some(_) => self.lanes.iter().map(|lane| new(lane.held.shard, lane.held.epoch + 1)).collect(),
            None => vec![new(Lane::ONLY.shard(), 0)],
        }
    }

    /// Fills them.
    pub(super) fn fill_lanes(&mut self, into: &Place) -> Result<u64, LiveError> {
        let judged = self.exchange.is_some();
        let mut letters = 0;
        if !judged {
            for old in &mut self.olds {
                letters += fill(old, Lane::ONLY.shard(), false, into)?;
            }
        }
        for lane in &mut self.lanes {
            let shard = lane.held.shard;
            letters += fill(lane, shard, true, into)?;
        }
        Ok(letters)
    }
}

/// Whether the judge of a partition has come to the word that these were read anew.
fn knows(olds: &mut [Old], partition: i32, marks: &[Regenerated]) -> Result<bool, LiveError> {
    let Some(judge) = olds.iter_mut().find(|old| i32::from(old.held.shard) == partition) else { return Ok(false) };
    let known = judge.store.regenerated()?;
    Ok(marks.iter().all(|mark| known.contains(mark)))
}

/// Judges have taken each of these events.
fn all_taken(events: &Events<'_>, taken: &BTreeMap<Reading, Places>, digests: &mut Digests) -> bool {
    let mut lines = events.lines();
    events.runs.iter().all(|run| {
        let known = taken.get(&run.reading);
        run.places.iter().zip(&mut lines).all(|(place, line)| {
            let item = Item { offset: place.offset, item: place.item, digest: digests.of(line, place.arrived) };
            known.is_some_and(|known| known.has(&item))
        })
    })
}

/// What a lane keeps until the brokers have it.
fn out(lane: &mut Old, own: u16) -> Result<Vec<Message>, LiveError> {
    match kept::read(lane.store.as_mut())? {
        Kept::Nothing => Ok(Vec::new()),
        Kept::Made(made) => Ok(made.messages),
        Kept::Unreadable => Err(cannot(format!(
            "what lane {own} keeps until the brokers have it cannot be read: another version wrote it; start that one, and stop \
             it in good order"
        ))),
    }
}

/// Fills a lane's shard with what an old shard has of it; gives how many letters. `lane`: it was one, and all is its own.
fn fill(old: &mut Old, shard: u16, lane: bool, into: &Place) -> Result<u64, LiveError> {
    let mut target = Target::bare(into, shard)?;
    let mut positions: Vec<Position> = old.positions.clone();
    let count = exchange::of(&old.positions).map(|count| count.source.clone());
    positions.retain(|one| match lane {
        true => Some(&one.source) != count.as_ref(),
        false => !one.source.starts_with('@'),
    });
    if !lane {
        positions.push(lanes::remembered(1));
    }
    let stamps = old.store.stamps()?;
    let adapters: BTreeSet<String> = stamps.iter().map(|stamp| stamp.adapter.clone()).collect();
    let since = target.sequence + 1;
    let stamps: Vec<Stamp> = stamps.into_iter().map(|stamp| Stamp { since, ..stamp }).collect();
    target.commit(old.held.now, &Batch { positions: &positions, stamps: &stamps, ..nothing() })?;
    for adapter in adapters.iter().filter(|adapter| *adapter != NAME) {
        let (mut rows, mut trouble): (Vec<Remembered>, Option<LiveError>) = (Vec::new(), None);
        old.store.remembered(adapter, &mut |one| {
            rows.push(one);
            if rows.len() >= ROWS && trouble.is_none() {
                let rows = std::mem::take(&mut rows);
                trouble = target.commit(Moment::DAWN, &Batch { remembered: &rows, ..nothing() }).err();
            }
        })?;
        trouble.map_or(Ok(()), Err)?;
        target.commit(Moment::DAWN, &Batch { remembered: &rows, ..nothing() })?;
    }
    let (mut hand, mut letters): (Vec<Letter>, u64) = (Vec::new(), 0);
    let mut put = |letter: Letter| {
        letters += 1;
        hand.push(letter);
        if hand.len() < LETTERS {
            return Ok(());
        }
        target.put_letters(&mut std::mem::take(&mut hand))
    };
    if lane {
        let mut after = 0;
        loop {
            let some = old.store.letters(&Query { after, limit: LETTERS as u32, ..Query::default() })?;
            let Some(last) = some.last() else { break };
            after = last.number;
            some.into_iter().try_for_each(&mut put)?;
        }
    } else {
        letters_of(old, false, &mut put)?;
    }
    if !hand.is_empty() {
        target.put_letters(&mut hand)?;
    }
    Ok(letters)
}
