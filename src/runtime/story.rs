//! Judges line by line, and tells what changed at each: the same engine as a run over files, looked at more closely.

use crate::decode::{Batch, DecodeError, Decoder};
use onus_engine::book::Book;
use onus_engine::engine::{Differences, Engine, Incoming, NoArchive, Options};
use onus_engine::terms::Contract;
use onus_engine::time::{MINUTE, Moment};
use std::sync::Arc;

/// A story being told.
#[derive(Debug)]
pub struct Story {
    engine: Engine,
    decoder: Decoder,
    now: Option<Moment>,
}

/// What changed, and why: a record, or only the passing of time.
#[derive(Debug)]
pub struct Beat<'s> {
    /// The engine after it.
    pub engine: &'s Engine,
    /// When we know it: what is told here may have happened earlier.
    pub now: Moment,
    /// A record was taken in.
    pub record: bool,
    /// What changed.
    pub changes: &'s Differences,
}

/// Listens to a story.
pub type Listener<'l> = &'l mut dyn FnMut(&Beat<'_>);

impl Story {
    /// A story under these contracts; every source is taken at its word.
    pub fn new(contracts: &[Contract]) -> Story {
        let book = Arc::new(Book::with(contracts, true));
        let decoder = Decoder::new(Arc::clone(&book), Moment::NEVER);
        let mut engine = Engine::new(Arc::clone(&book), Options { settling: None, ..Options::default() });
        for partner in book.named_partners() {
            engine.begin(partner);
        }
        Story { engine, decoder, now: None }
    }

    /// Goes on with the next record, in order of arrival.
    pub fn record(&mut self, line: &str, listen: Listener<'_>) -> Result<(), DecodeError> {
        let mut batch = Batch::default();
        self.decoder.record(line, &mut batch)?;
        if let Some(at) = batch.peak {
            self.pass(at, listen);
        }
        let Batch { events, facts, names, .. } = &mut batch;
        for event in events.iter() {
            let name = |place: &std::ops::Range<u32>| &names[place.start as usize..place.end as usize];
            let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
            let (partner, subject, source) = (name(&event.partner), name(&event.subject), name(&event.source));
            self.engine.apply(Incoming { partner, subject, source, fact, trust: None }, &mut NoArchive);
            self.tell(true, listen);
        }
        Ok(())
    }

    /// Time passes, minute by minute, so that what happens by itself is told in order.
    fn pass(&mut self, to: Moment, listen: Listener<'_>) {
        let mut at = self.now.unwrap_or(to);
        while at < to {
            at = Moment((at.0.div_euclid(MINUTE) + 1) * MINUTE).min(to);
            self.advance(at, listen);
        }
        if self.now.is_none() {
            self.advance(to, listen);
        }
    }

    fn advance(&mut self, to: Moment, listen: Listener<'_>) {
        self.now = Some(to);
        self.engine.advance(to, to, &mut NoArchive);
        self.tell(false, listen);
    }

    fn tell(&mut self, record: bool, listen: Listener<'_>) {
        let changes = self.engine.take_differences();
        if record || !changes.is_empty() {
            let now = self.now.unwrap_or(Moment::DAWN);
            listen(&Beat { engine: &self.engine, now, record, changes: &changes });
        }
        self.engine.give_back(changes);
    }

    /// The engine, as far as the story went.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How far the story went.
    pub fn now(&self) -> Option<Moment> {
        self.now
    }
}
