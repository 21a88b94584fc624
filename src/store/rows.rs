//! What is kept, as rows, and back. The order of columns is the schema's.

use super::database::Row;
use super::database::Value::{self, Bytes, Int, Text};
use super::error::StoreError;
use super::ledger::Segment;
use super::{Committed, Epoch, Letter, LetterState, Position, Regenerated, Remembered, Stamp, Terms, sums};
use onus_engine::time::Moment;

pub(super) fn of_segment(shard: i64, segment: &Segment) -> [Value<'_>; 7] {
    [
        Int(shard),
        Int(segment.last as i64),
        Int(segment.first as i64),
        Bytes(&segment.before),
        Bytes(&segment.digest),
        Int(segment.latest.0),
        Bytes(&segment.bytes),
    ]
}

/// last, first, before, digest, latest, bytes
pub(super) fn segment(row: &Row<'_>) -> Result<Segment, StoreError> {
    Ok(Segment {
        last: row.small(0)?,
        first: row.small(1)?,
        before: row.exactly(2)?,
        digest: row.exactly(3)?,
        latest: Moment(row.int(4)?),
        bytes: row.bytes(5)?.to_vec(),
    })
}

pub(super) fn of_state(state: LetterState) -> i64 {
    match state {
        LetterState::Waiting => 0,
        LetterState::Asked => 1,
        LetterState::Replayed => 2,
        LetterState::Dropped => 3,
    }
}

pub(super) fn of_letter(shard: i64, letter: &Letter) -> [Value<'_>; 14] {
    [
        Int(shard),
        Int(letter.number as i64),
        Text(&letter.source),
        Int(i64::from(letter.partition)),
        Int(letter.offset as i64),
        Int(letter.at.0),
        Text(&letter.reason),
        Text(&letter.detail),
        Bytes(&letter.record),
        Int(letter.length as i64),
        Int(letter.hash as i64),
        Int(of_state(letter.state)),
        letter.note.as_deref().into(),
        Int(sums::letter(letter)),
    ]
}

/// number, source, part, place, at, reason, detail, record, length, hash, state, note
pub(super) fn letter(row: &Row<'_>) -> Result<Letter, StoreError> {
    let state = row.int(10)?;
    Ok(Letter {
        number: row.small(0)?,
        source: row.text(1)?.into_owned(),
        partition: row.small(2)?,
        offset: row.int(3)? as u64,
        at: Moment(row.int(4)?),
        reason: row.text(5)?.into_owned(),
        detail: row.text(6)?.into_owned(),
        record: row.bytes(7)?.to_vec(),
        length: row.int(8)? as u64,
        hash: row.int(9)? as u64,
        state: LetterState::ALL
            .into_iter()
            .find(|known| of_state(*known) == state)
            .ok_or_else(|| row.damaged(format!("{state} is no state of a dead letter")))?,
        note: row.maybe_text(11)?.map(|note| note.into_owned()),
    })
}

pub(super) fn of_position(shard: i64, position: &Position) -> [Value<'_>; 7] {
    [
        Int(shard),
        Text(&position.source),
        Int(i64::from(position.partition)),
        Text(&position.incarnation),
        Int(position.next as i64),
        Int(position.last as i64),
        Int(sums::position(position)),
    ]
}

/// source, part, incarnation, next, last
pub(super) fn position(row: &Row<'_>) -> Result<Position, StoreError> {
    Ok(Position {
        source: row.text(0)?.into_owned(),
        partition: row.small(1)?,
        incarnation: row.text(2)?.into_owned(),
        next: row.int(3)? as u64,
        last: row.int(4)? as u64,
    })
}

/// adapter, id, bytes, at
pub(super) fn remembered(row: &Row<'_>) -> Result<Remembered, StoreError> {
    Ok(Remembered {
        adapter: row.text(0)?.into_owned(),
        id: row.text(1)?.into_owned(),
        row: Some(row.bytes(2)?.to_vec()),
        at: Moment(row.int(3)?),
    })
}

/// adapter, config, version, since
pub(super) fn stamp(row: &Row<'_>) -> Result<Stamp, StoreError> {
    Ok(Stamp {
        adapter: row.text(0)?.into_owned(),
        config: row.exactly(1)?,
        version: row.small(2)?,
        since: row.small(3)?,
    })
}

/// source, part, generation, begins, ends, why
pub(super) fn regenerated(row: &Row<'_>) -> Result<Regenerated, StoreError> {
    Ok(Regenerated {
        source: row.text(0)?.into_owned(),
        partition: row.small(1)?,
        generation: row.small(2)?,
        begins: row.int(3)? as u64,
        ends: row.int(4)? as u64,
        why: row.text(5)?.into_owned(),
    })
}

/// since, generation, digest, text
pub(super) fn terms(row: &Row<'_>) -> Result<Terms, StoreError> {
    Ok(Terms {
        since: row.small(0)?,
        generation: row.small(1)?,
        digest: row.exactly(2)?,
        text: row.text(3)?.into_owned(),
    })
}

/// sequence, epoch, now, bytes, sum
pub(super) fn committed(row: &Row<'_>) -> Result<Committed, StoreError> {
    let (sequence, epoch, now, journal) = (row.small(0)?, row.small(1)?, row.int(2)?, row.bytes(3)?);
    if row.int(4)? != sums::journal(sequence, epoch, now, journal) {
        return Err(row.damaged(format!("commit {sequence} of the journal has another sum")));
    }
    Ok(Committed { sequence, epoch: Epoch(epoch), now: Moment(now), journal: journal.to_vec() })
}
