//! Sums over rows: disks, cables and hands change bytes, and what was changed must not be judged by.

use super::{Letter, Position, Regenerated, Remembered, Stamp, Terms};
use crc32fast::Hasher;

/// CRC-32 of what a row says; texts and bytes go in with their lengths.
#[derive(Default)]
struct Sum(Hasher);

impl Sum {
    fn int(mut self, number: i64) -> Sum {
        self.0.update(&number.to_be_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Sum {
        self = self.int(bytes.len() as i64);
        self.0.update(bytes);
        self
    }

    fn done(self) -> i64 {
        i64::from(self.0.finalize())
    }
}

pub(super) fn journal(sequence: u64, epoch: u64, now: i64, bytes: &[u8]) -> i64 {
    Sum::default().int(sequence as i64).int(epoch as i64).int(now).bytes(bytes).done()
}

pub(super) fn page(generation: u32, sequence: u64, page: i64, keys: &[u8], bytes: &[u8]) -> i64 {
    Sum::default().int(i64::from(generation)).int(sequence as i64).int(page).bytes(keys).bytes(bytes).done()
}

/// Of a row of a run.
pub(super) fn keys(name: i64, bytes: &[u8]) -> i64 {
    Sum::default().int(name).bytes(bytes).done()
}

/// To be joined by xor, so that the order in which keys are met does not matter.
pub(super) fn key(key: u64) -> i64 {
    xxhash_rust::xxh3::xxh3_64(&key.to_be_bytes()) as i64
}

pub(super) fn piece(sequence: u64, piece: i64, bytes: &[u8]) -> i64 {
    Sum::default().int(sequence as i64).int(piece).bytes(bytes).done()
}

/// State and note are not in it: they change.
pub(super) fn letter(letter: &Letter) -> i64 {
    Sum::default()
        .int(letter.number as i64)
        .bytes(letter.source.as_bytes())
        .int(i64::from(letter.partition))
        .int(letter.offset as i64)
        .int(letter.at.0)
        .bytes(letter.reason.as_bytes())
        .bytes(letter.detail.as_bytes())
        .bytes(&letter.record)
        .int(letter.length as i64)
        .int(letter.hash as i64)
        .done()
}

pub(super) fn position(at: &Position) -> i64 {
    let sum = Sum::default().bytes(at.source.as_bytes()).int(i64::from(at.partition));
    sum.bytes(at.incarnation.as_bytes()).int(at.next as i64).int(at.last as i64).done()
}

pub(super) fn terms(terms: &Terms) -> i64 {
    let sum = Sum::default().int(terms.since as i64).int(i64::from(terms.generation));
    sum.bytes(&terms.digest).bytes(terms.text.as_bytes()).done()
}

pub(super) fn remembered(one: &Remembered) -> i64 {
    let sum = Sum::default().bytes(one.adapter.as_bytes()).bytes(one.id.as_bytes());
    sum.bytes(one.row.as_deref().unwrap_or_default()).int(one.at.0).done()
}

pub(super) fn stamp(stamp: &Stamp) -> i64 {
    let sum = Sum::default().bytes(stamp.adapter.as_bytes()).bytes(&stamp.config);
    sum.int(i64::from(stamp.version)).int(stamp.since as i64).done()
}

pub(super) fn regenerated(one: &Regenerated) -> i64 {
    let sum = Sum::default().bytes(one.source.as_bytes()).int(i64::from(one.partition)).int(one.generation as i64);
    sum.int(one.begins as i64).int(one.ends as i64).bytes(one.why.as_bytes()).done()
}
