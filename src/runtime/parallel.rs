//! One file, several threads: each decodes the next chunk that nobody has, or judges its own partners' events, in the
//! file's order. Partners are walls, so shards need nothing of each other but the time.

use super::ahead::Foresight;
use super::check::{CheckError, Progress, Report, Shard, TOGETHER};
use super::reading::Reading;
use super::streams::decode;
use crate::decode::Batch;
use crate::ingest::{Chunk, Lines, ReadError};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Chunks decoded but not yet judged by every shard, at most: bounds memory.
const AHEAD: u64 = 8;

/// What is read goes by its own lock: who judges does not wait for who reads.
struct Reader {
    lines: Lines,
    /// Number of the next chunk.
    next: u64,
    idle: Vec<Chunk>,
}

struct Desk {
    /// Chunks that somebody reads or has read.
    claimed: u64,
    /// How many chunks there are; known at the end.
    chunks: Option<u64>,
    failed: Option<ReadError>,
    /// A subject goes from one partner to another: shards need something of each other.
    handed: bool,
    /// Decoded chunks, by number, until all shards have judged them.
    ready: BTreeMap<u64, Ready>,
    /// By shard: the next chunk that it will judge.
    turns: Vec<u64>,
    /// Batches judged, to be used again.
    spare: Vec<Batch>,
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
    reader: Mutex<Reader>,
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// Judges one file; gives the latest time in it.
pub(super) fn run(
    file: Lines,
    reading: &Reading,
    shards: &mut [Shard],
    report: &mut Report,
    progress: Progress<'_>,
) -> Result<Option<Moment>, CheckError> {
    let name = file.name().to_owned();
    let count = shards.len();
    let room = Room {
        reader: Mutex::new(Reader { lines: file, next: 0, idle: Vec::new() }),
        desk: Mutex::new(Desk {
            claimed: 0,
            chunks: None,
            failed: None,
            handed: false,
            ready: BTreeMap::new(),
            turns: vec![0; count],
            spare: Vec::new(),
        }),
        changed: Condvar::new(),
    };
    let notes = Mutex::new(Notes { report, progress, peak: None });
    std::thread::scope(|scope| {
        for (i, shard) in shards.iter_mut().enumerate() {
            let (room, notes, name) = (&room, &notes, &name);
            scope.spawn(move || work(i, shard, room, reading.clone(), notes, name));
        }
    });
    let Notes { report, peak, .. } = notes.into_inner().unwrap_or_else(PoisonError::into_inner);
    let desk = room.desk.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Threads finish chunks in any order.
    report.letters.sort_by_key(|(_, letter)| letter.line);
    match desk.failed {
        Some(error) => Err(error.into()),
        None if desk.handed => Err(CheckError::Handover),
        None => Ok(peak),
    }
}

/// What all threads write to.
struct Notes<'r, 'p> {
    report: &'r mut Report,
    progress: Progress<'p>,
    peak: Option<Moment>,
}

fn work(me: usize, shard: &mut Shard, room: &Room, mut reading: Reading, notes: &Mutex<Notes<'_, '_>>, name: &str) {
    let mut now: Option<Moment> = None;
    let mut foresight = Foresight::default();
    let mut desk = lock(&room.desk);
    loop {
        let turn = desk.turns[me];
        if let Some(ready) = desk.ready.get(&turn) {
            let (parts, peak) = (Arc::clone(&ready.batch), ready.peak);
            drop(desk);
            let part = lock(&parts).shards[me].take();
            let mut judged = None;
            if let Some(mut batch) = part {
                let all = batch.events.len();
                foresight.clear();
                for from in (0..all).step_by(TOGETHER) {
                    for at in from..all.min(from + TOGETHER) {
                        let key = batch.events[at].peak;
                        let key = now.map_or(key, |before| before.max(key));
                        shard.take(&mut batch, &mut foresight, at, key);
                    }
                    shard.tell();
                }
                judged = Some(batch);
            }
            now = now.max(peak);
            desk = lock(&room.desk);
            desk.spare.extend(judged);
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
        let going = desk.failed.is_none() && !desk.handed && desk.chunks.is_none();
        if going && desk.claimed < slowest + AHEAD {
            desk = decode_next(desk, room, &mut reading, notes, name);
            continue;
        }
        if desk.failed.is_some() || desk.handed || desk.chunks.is_some_and(|chunks| turn >= chunks) {
            return;
        }
        desk = room.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Reads the next chunk under the lock, decodes it outside.
fn decode_next<'d>(
    mut desk: MutexGuard<'d, Desk>,
    room: &'d Room,
    reading: &mut Reading,
    notes: &Mutex<Notes<'_, '_>>,
    name: &str,
) -> MutexGuard<'d, Desk> {
    desk.claimed += 1;
    let shards = desk.turns.len();
    let mut batches: Vec<Batch> = (0..shards).filter_map(|_| desk.spare.pop()).collect();
    drop(desk);
    let mut reader = lock(&room.reader);
    let mut chunk = reader.idle.pop().unwrap_or_default();
    let read = reader.lines.next(&mut chunk);
    let number = reader.next;
    if !matches!(read, Ok(true)) {
        drop(reader);
        let mut desk = lock(&room.desk);
        match read {
            Err(error) => desk.failed = Some(error),
            Ok(_) => desk.chunks = Some(number),
        }
        room.changed.notify_all();
        return desk;
    }
    reader.next += 1;
    drop(reader);
    let mut batch = batches.pop().unwrap_or_default();
    batch.clear();
    decode(reading, &chunk, &mut batch);
    {
        let mut notes = lock(notes);
        notes.report.note(name, &batch);
        notes.peak = notes.peak.max(batch.peak);
        (notes.progress)(batch.lines);
    }
    let (peak, handed) = (batch.peak, batch.handovers > 0);
    let parts = cut(batch, shards, batches);
    lock(&room.reader).idle.push(chunk);
    let mut desk = lock(&room.desk);
    desk.handed |= handed;
    desk.ready.insert(number, Ready { batch: Arc::new(Mutex::new(Parts { shards: parts })), peak, left: shards });
    room.changed.notify_all();
    desk
}

/// Events by shard: all of one partner's go to one. What all share is copied; `spare` gives the room.
fn cut(mut batch: Batch, shards: usize, mut spare: Vec<Batch>) -> Vec<Option<Batch>> {
    let events = std::mem::take(&mut batch.events);
    let mut out: Vec<Batch> = Vec::with_capacity(shards);
    for _ in 1..shards {
        let mut part = spare.pop().unwrap_or_default();
        part.clear();
        part.facts.extend_from_slice(&batch.facts);
        part.names.push_str(&batch.names);
        out.push(part);
    }
    out.push(batch);
    for event in events {
        let shard = shard_of(out[shards - 1].name(&event.partner), shards);
        out[shard].events.push(event);
    }
    out.into_iter().map(Some).collect()
}

/// The shard of a partner.
pub(super) fn shard_of(partner: &str, shards: usize) -> usize {
    // The same on every run, so that a run can be told again.
    (xxhash_rust::xxh3::xxh3_64(partner.as_bytes()) >> 32) as usize % shards
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::shard_of;

    #[test]
    fn partners_with_like_names_are_spread_over_all_shards() {
        for shards in 2..=4 {
            let mut counts = vec![0; shards];
            (1..=200).for_each(|p| counts[shard_of(&format!("p{p:04}"), shards)] += 1);
            assert!(counts.iter().all(|n| *n > 120 / shards), "{counts:?}");
        }
    }
}
