//! Looking ahead through a batch: what an event needs lies far away in memory, most of the time, and is fetched while those
//! before it are judged.

use crate::decode::{Batch, Event};
use onus_engine::engine::{Ahead, Archive, Engine};
use onus_engine::terms::Trust;

/// How many events are looked up at once.
const LOOK: usize = 16;
/// So many events before its turn comes a subject itself is fetched: it lies in several lines of the cache.
const NEAR: usize = 8;

/// What was found of the first events of a batch.
#[derive(Debug, Default)]
pub struct Foresight {
    seen: Vec<Ahead>,
}

impl Foresight {
    /// Another batch comes.
    pub fn clear(&mut self) {
        self.seen.clear();
    }

    /// What was found of the event whose turn it is: each in its turn, from the first on. `trust`: in what brought the batch;
    /// None: by the sources' names.
    #[inline(always)]
    pub fn of(
        &mut self,
        at: usize,
        batch: &mut Batch,
        trust: Option<Trust>,
        engine: &Engine,
        archive: &dyn Archive,
    ) -> Ahead {
        while self.seen.len() < batch.events.len().min(at + 1 + LOOK) {
            self.look(batch, trust, engine, archive);
        }
        if let Some(next) = self.seen.get(at + NEAR) {
            engine.prefetch(*next);
        }
        self.seen[at]
    }

    #[inline(never)]
    fn look(&mut self, batch: &mut Batch, trust: Option<Trust>, engine: &Engine, archive: &dyn Archive) {
        let from = self.seen.len();
        let next = batch.events[from..].iter().take(LOOK);
        let names = |e: &Event| [&e.partner, &e.source, &e.subject].map(|place| batch.name(place));
        engine.look_ahead(next.clone().map(names), &mut self.seen);
        let new = &self.seen[from..];
        for (event, _) in next.clone().zip(new).filter(|(_, seen)| !seen.is_at_hand()) {
            archive.prefetch(batch.name(&event.partner), batch.name(&event.subject));
        }
        for (event, seen) in next.zip(new) {
            engine.stamp_ahead(*seen, &mut batch.facts[event.fact.start as usize..event.fact.end as usize], trust);
        }
        if from == 0 {
            new.iter().take(NEAR).for_each(|seen| engine.prefetch(*seen));
        }
    }
}
