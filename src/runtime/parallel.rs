//! One file, several threads: each decodes the next chunk that nobody has, or judges its own partners' events, in the
//! file's order. Partners are walls, so shards need nothing of each other but the time.

use super::check::{self, CheckError, Progress, Report, Shard};
use super::streams::decode;
use crate::decode::{Batch, Decoder, Event};
use crate::ingest::{Chunk, Lines, ReadError};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Chunks decoded but not yet judged by every shard, at most: bounds memory.
const AHEAD: u64 = 8;

struct Desk {
    lines: Lines,
    /// Number of the next chunk to decode.
    next: u64,
    ended: bool,
    failed: Option<ReadError>,
    /// Decoded chunks, by number, until all shards have judged them.
    ready: BTreeMap<u64, Ready>,
    /// By shard: the next chunk that it will judge.
    turns: Vec<u64>,
    idle: Vec<Chunk>,
}

struct Ready {
    batch: Arc<Mutex<Parts>>,
    /// Latest time in this chunk.
    peak: Option<Moment>,
    /// Shards that have not judged it yet.
    left: usize,
}

/// A batch cut by shard.
struct Parts {
    shards: Vec<Option<Batch>>,
}

struct Room {
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// Judges one file; gives the latest time in it.
pub(super) fn run(
    file: Lines,
    decoder: &Decoder,
    shards: &mut [Shard],
    report: &mut Report,
    progress: Progress<'_>,
) -> Result<Option<Moment>, CheckError> {
    let name = file.name().to_owned();
    let count = shards.len();
    let room = Room {
        desk: Mutex::new(Desk {
            lines: file,
            next: 0,
            ended: false,
            failed: None,
            ready: BTreeMap::new(),
            turns: vec![0; count],
            idle: Vec::new(),
        }),
        changed: Condvar::new(),
    };
    let notes = Mutex::new(Notes { report, progress, peak: None });
    std::thread::scope(|scope| {
        for (i, shard) in shards.iter_mut().enumerate() {
            let (room, notes, name) = (&room, &notes, &name);
            scope.spawn(move || work(i, shard, room, decoder, notes, name));
        }
    });
    let Notes { report, peak, .. } = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let desk = room.desk.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Threads finish chunks in any order.
    report.letters.sort_by_key(|(_, letter)| letter.line);
    match desk.failed {
        Some(error) => Err(error.into()),
        None => Ok(peak),
    }
}

/// What all threads write to.
struct Notes<'r, 'p> {
    report: &'r mut Report,
    progress: Progress<'p>,
    peak: Option<Moment>,
}

fn work(me: usize, shard: &mut Shard, room: &Room, decoder: &Decoder, notes: &Mutex<Notes<'_, '_>>, name: &str) {
    let mut now: Option<Moment> = None;
    let mut desk = lock(&room.desk);
    loop {
        let turn = desk.turns[me];
        if let Some(ready) = desk.ready.get(&turn) {
            let (parts, peak) = (Arc::clone(&ready.batch), ready.peak);
            drop(desk);
            let part = lock(&parts).shards[me].take();
            if let Some(mut batch) = part {
                for at in 0..batch.events.len() {
                    if at.is_multiple_of(check::AHEAD) {
                        shard.look_ahead(&batch, at);
                    }
                    let key = batch.events[at].peak;
                    let key = now.map_or(key, |before| before.max(key));
                    shard.take(&mut batch, at, key);
                }
                shard.tell();
            }
            now = now.max(peak);
            desk = lock(&room.desk);
            desk.turns[me] += 1;
            if let Some(ready) = desk.ready.get_mut(&turn) {
                ready.left -= 1;
                if ready.left == 0 {
                    desk.ready.remove(&turn);
                }
            }
            room.changed.notify_all();
            continue;
        }
        let slowest = desk.turns.iter().min().copied().unwrap_or(0);
        if desk.failed.is_none() && !desk.ended && desk.next < slowest + AHEAD {
            desk = decode_next(desk, room, decoder, notes, name);
            continue;
        }
        if (desk.ended || desk.failed.is_some()) && turn >= desk.next {
            return;
        }
        desk = room.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Reads the next chunk under the lock, decodes it outside.
fn decode_next<'d>(
    mut desk: MutexGuard<'d, Desk>,
    room: &'d Room,
    decoder: &Decoder,
    notes: &Mutex<Notes<'_, '_>>,
    name: &str,
) -> MutexGuard<'d, Desk> {
    let mut chunk = desk.idle.pop().unwrap_or_default();
    match desk.lines.next(&mut chunk) {
        Ok(true) => {}
        Ok(false) => {
            desk.ended = true;
            room.changed.notify_all();
            return desk;
        }
        Err(error) => {
            desk.failed = Some(error);
            room.changed.notify_all();
            return desk;
        }
    }
    let number = desk.next;
    desk.next += 1;
    let shards = desk.turns.len();
    drop(desk);
    let mut batch = Batch::default();
    decode(decoder, &chunk, &mut batch);
    {
        let mut notes = lock(notes);
        notes.report.note(name, &batch);
        notes.peak = notes.peak.max(batch.peak);
        (notes.progress)(batch.lines);
    }
    let peak = batch.peak;
    let parts = cut(batch, shards);
    let mut desk = lock(&room.desk);
    desk.ready.insert(number, Ready { batch: Arc::new(Mutex::new(Parts { shards: parts })), peak, left: shards });
    desk.idle.push(chunk);
    room.changed.notify_all();
    desk
}

/// Events by shard: all of one partner's go to one.
fn cut(batch: Batch, shards: usize) -> Vec<Option<Batch>> {
    let mut lists: Vec<Vec<Event>> = vec![Vec::with_capacity(batch.events.len() / shards + 1); shards];
    for event in &batch.events {
        lists[shard_of(batch.name(&event.partner), shards)].push(event.clone());
    }
    let shared = (batch.facts, batch.names);
    let mut out = Vec::with_capacity(shards);
    let mut last = Some(shared);
    for (i, events) in lists.into_iter().enumerate() {
        let (facts, names) =
            if i + 1 == shards { last.take().unwrap_or_default() } else { last.clone().unwrap_or_default() };
        out.push(Some(Batch { events, facts, names, ..Batch::default() }));
    }
    out
}

/// The shard of a partner.
pub(super) fn shard_of(partner: &str, shards: usize) -> usize {
    // FNV-1a: the same on every run, so that a run can be told again.
    let hash = partner.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 32) as usize % shards
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
