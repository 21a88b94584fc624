//! What is kept, as rows, and back. The order of columns is the schema's.

use super::database::Row;
use super::database::Value::{self, Bytes, Int, Text};
use super::error::StoreError;
use super::{Committed, Entry, Epoch, Letter, LetterState, Message, Position, Terms, sums};
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;

macro_rules! entries {
    ($also:literal) => {
        concat!(
            "SELECT number, partner, contract, obligation, clause, subject, duty, stood, stands, start, deadline, ended, \
             broken, excused, adjustment, used, at, heard, digest FROM entry WHERE shard = $1 AND number > $2",
            $also
        )
    };
}

/// SQLite numbers parameters by first sight: the limit stands first, in a condition that is always true.
pub(super) const ENTRIES: &str = entries!(" ORDER BY number LIMIT $3");
pub(super) const OF_PARTNER: &str = entries!(" AND CAST($3 AS BIGINT) > 0 AND partner = $4 ORDER BY number LIMIT $3");
pub(super) const OF_SUBJECT: &str = entries!(" AND CAST($3 AS BIGINT) > 0 AND subject = $4 ORDER BY number LIMIT $3");
pub(super) const OF_BOTH: &str =
    entries!(" AND CAST($3 AS BIGINT) > 0 AND partner = $4 AND subject = $5 ORDER BY number LIMIT $3");

pub(super) fn of_entry(shard: i64, entry: &Entry) -> [Value<'_>; 20] {
    [
        Int(shard),
        Int(entry.number as i64),
        Text(&entry.partner),
        Text(&entry.contract),
        Text(&entry.obligation),
        Text(&entry.clause),
        Text(&entry.subject),
        Bytes(&entry.duty.0),
        Text(entry.from.word()),
        Text(entry.to.word()),
        Int(entry.start.0),
        entry.deadline.map(|m| m.0).into(),
        entry.ended.map(|m| m.0).into(),
        Int(i64::from(entry.broken)),
        Int(i64::from(entry.excused)),
        Int(i64::from(entry.adjustment)),
        Int(entry.used),
        Int(entry.at.0),
        Int(entry.heard.0),
        Bytes(&entry.digest),
    ]
}

/// Columns as in [`ENTRIES`].
pub(super) fn entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        number: row.small(0)?,
        partner: row.text(1)?.into_owned(),
        contract: row.text(2)?.into_owned(),
        obligation: row.text(3)?.into_owned(),
        clause: row.text(4)?.into_owned(),
        subject: row.text(5)?.into_owned(),
        duty: DutyId(row.exactly(6)?),
        from: standing(row, 7)?,
        to: standing(row, 8)?,
        start: Moment(row.int(9)?),
        deadline: row.maybe_int(10)?.map(Moment),
        ended: row.maybe_int(11)?.map(Moment),
        broken: flag(row, 12)?,
        excused: flag(row, 13)?,
        adjustment: flag(row, 14)?,
        used: row.int(15)?,
        at: Moment(row.int(16)?),
        heard: Moment(row.int(17)?),
        digest: row.exactly(18)?,
    })
}

fn standing(row: &Row<'_>, column: usize) -> Result<Standing, StoreError> {
    let word = row.text(column)?;
    let known = Standing::ALL.into_iter().find(|standing| standing.word() == word);
    known.ok_or_else(|| row.damaged(format!("`{word}` is no standing")))
}

fn flag(row: &Row<'_>, column: usize) -> Result<bool, StoreError> {
    match row.int(column)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(row.damaged(format!("column {column} holds {other}, which is neither yes nor no"))),
    }
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

pub(super) fn of_message(shard: i64, message: &Message) -> [Value<'_>; 6] {
    [
        Int(shard),
        Int(message.number as i64),
        Text(&message.partner),
        Text(&message.identity),
        Text(&message.body),
        Int(sums::message(message)),
    ]
}

/// number, partner, identity, body
pub(super) fn message(row: &Row<'_>) -> Result<Message, StoreError> {
    Ok(Message {
        number: row.small(0)?,
        partner: row.text(1)?.into_owned(),
        identity: row.text(2)?.into_owned(),
        body: row.text(3)?.into_owned(),
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
