//! What one commit writes, and what must hold before it does.

use super::database::Database;
use super::database::Value::{self, Bytes, Int, Text};
use super::error::StoreError;
use super::ledger::{self, Segment};
use super::released::{self, Index};
use super::{Batch, Epoch, rows, schema, sums};
use std::ops::ControlFlow;

/// The first statement of a commit: it checks the epoch, the sequence and, by what it gives back, all counts.
const ADVANCE: &str = "UPDATE shard SET sequence = sequence + 1, now = $1, entries = entries + $2, letters = letters + $3, \
     before_last = digest, digest = COALESCE($4, digest) \
     WHERE shard = $5 AND epoch = $6 AND sequence = $7 RETURNING entries, letters, before_last";

/// The last commit, as long as this epoch is the newest.
const LAST: &str = "SELECT sequence FROM shard WHERE shard = $1 AND epoch = $2";

/// Break: this very batch was committed already, by a call that could not learn it. Else the digest of the ledger's last
/// entry before it.
pub(super) fn advance(
    database: &mut impl Database,
    shard: i64,
    epoch: Epoch,
    batch: &Batch<'_>,
) -> Result<ControlFlow<(), [u8; 32]>, StoreError> {
    let digest = batch.entries.last().map_or(Value::Null, |entry| Bytes(&entry.digest));
    let values = [
        Int(batch.now.0),
        Int(batch.entries.len() as i64),
        Int(batch.letters.len() as i64),
        digest,
        Int(shard),
        Int(epoch.0 as i64),
        Int((batch.sequence as i64).wrapping_sub(1)),
    ];
    let mut counts = None;
    database.ask(ADVANCE, &values, &mut |row| {
        counts = Some((row.int(0)? as u64, row.int(1)? as u64, row.exactly::<32>(2)?));
        Ok(())
    })?;
    let Some((entries, letters, before)) = counts else {
        return committed_before(database, shard, epoch, batch);
    };
    follow(database, "entry", entries, batch.entries.iter().map(|e| e.number))?;
    follow(database, "letter", letters, batch.letters.iter().map(|l| l.number))?;
    // One link is enough to tell that a ledger goes on where it ended; whoever made the batch made the others.
    if let Some(first) = batch.entries.first().filter(|first| super::digest(&before, first) != first.digest) {
        return refused(database, format!("entry {} does not follow from the one before it", first.number));
    }
    if batch.terms.is_some_and(|terms| terms.since != batch.sequence) {
        return refused(database, "the contracts are said to hold since another commit than their own".to_owned());
    }
    Ok(ControlFlow::Continue(before))
}

/// Numbers have no gaps, so the last is the count, and the others stand before it.
fn follow(
    database: &impl Database,
    what: &str,
    count: u64,
    numbers: impl ExactSizeIterator<Item = u64>,
) -> Result<(), StoreError> {
    let first = count - numbers.len() as u64 + 1;
    match numbers.zip(first..).find(|(number, due)| number != due) {
        Some((number, due)) => refused(database, format!("{what} {number} where number {due} was due")),
        None => Ok(()),
    }
}

/// A batch that does not fit the store is a fault of Onus itself.
pub(super) fn refused<T>(database: &impl Database, what: String) -> Result<T, StoreError> {
    let why = format!("{what}: nothing was written; this is a fault in Onus, please report it");
    Err(StoreError::Refused { target: database.target().to_owned(), why })
}

fn committed_before(
    database: &mut impl Database,
    shard: i64,
    epoch: Epoch,
    batch: &Batch<'_>,
) -> Result<ControlFlow<(), [u8; 32]>, StoreError> {
    const OURS: &str = "SELECT journal.sum FROM shard JOIN journal ON journal.shard = shard.shard AND journal.sequence = \
         shard.sequence WHERE shard.shard = $1 AND shard.epoch = $2 AND journal.epoch = shard.epoch AND shard.sequence = $3";
    let sum = sums::journal(batch.sequence, epoch.0, batch.now.0, batch.journal);
    let mut ours = false;
    database.ask(OURS, &[Int(shard), Int(epoch.0 as i64), Int(batch.sequence as i64)], &mut |row| {
        ours = row.int(0)? == sum;
        Ok(())
    })?;
    if ours {
        return Ok(ControlFlow::Break(()));
    }
    // Nobody has taken over, and yet it is not where this process left it.
    let wrote = batch.sequence.wrapping_sub(1);
    let mut has = None;
    database.ask(LAST, &[Int(shard), Int(epoch.0 as i64)], &mut |row| {
        has = Some(row.int(0)? as u64);
        Ok(())
    })?;
    match has.filter(|has| *has < wrote) {
        Some(has) => Err(StoreError::WentBack { target: database.target().to_owned(), has, wrote }),
        None => Err(StoreError::Fenced { held: epoch.0 }),
    }
}

/// All but the shard's own row.
pub(super) fn write(
    database: &mut impl Database,
    shard: i64,
    epoch: Epoch,
    batch: &Batch<'_>,
    before: [u8; 32],
    index: &mut Index,
) -> Result<(), StoreError> {
    let sequence = batch.sequence as i64;
    let sum = sums::journal(batch.sequence, epoch.0, batch.now.0, batch.journal);
    database.run(
        "INSERT INTO journal (shard, sequence, epoch, now, bytes, sum) VALUES ($1, $2, $3, $4, $5, $6)",
        &[Int(shard), Int(sequence), Int(epoch.0 as i64), Int(batch.now.0), Bytes(batch.journal), Int(sum)],
    )?;
    let segments = ledger::pack(before, batch.entries).or_else(|why| refused(database, why))?;
    add_segments(database, shard, &segments)?;
    if !batch.letters.is_empty() {
        database
            .add(&schema::LETTER, &mut |put| batch.letters.iter().try_for_each(|l| put(&rows::of_letter(shard, l))))?;
    }
    for (number, state) in batch.reread {
        let changed = database.run(
            "UPDATE letter SET state = $1 WHERE shard = $2 AND number = $3",
            &[Int(rows::of_state(*state)), Int(shard), Int(*number as i64)],
        )?;
        if changed != 1 {
            return refused(database, format!("letter {number} is said to be read again, and there is none such"));
        }
    }
    if !batch.released.1.is_empty() {
        index.add(database, shard, batch.sequence, batch.released)?;
    }
    release(database, shard, sequence, batch)?;
    remember(database, shard, batch)?;
    let positions: Vec<_> = batch.positions.iter().map(|p| rows::of_position(shard, p)).collect();
    if !positions.is_empty() {
        let positions: Vec<&[Value<'_>]> = positions.iter().map(|row| &row[..]).collect();
        database.run_each(
            "INSERT INTO source_position (shard, source, part, incarnation, next, last, sum) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (shard, source, part) DO UPDATE SET \
             incarnation = excluded.incarnation, next = excluded.next, last = excluded.last, sum = excluded.sum",
            &positions,
        )?;
    }
    if let Some(terms) = batch.terms {
        database.run(
            "INSERT INTO terms (shard, since, generation, digest, text, sum) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                Int(shard),
                Int(terms.since as i64),
                Int(i64::from(terms.generation)),
                Bytes(&terms.digest),
                Text(&terms.text),
                Int(sums::terms(terms)),
            ],
        )?;
    }
    Ok(())
}

/// Segments of the ledger.
pub(super) fn add_segments(database: &mut impl Database, shard: i64, segments: &[Segment]) -> Result<(), StoreError> {
    let rows: Vec<_> = segments.iter().map(|segment| rows::of_segment(shard, segment)).collect();
    let rows: Vec<&[Value<'_>]> = rows.iter().map(|row| &row[..]).collect();
    if rows.is_empty() {
        return Ok(());
    }
    database.run_each(
        "INSERT INTO ledger (shard, last, first, before, digest, latest, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &rows,
    )?;
    Ok(())
}

/// What adapters remember, and forget; under what they read; what was read anew.
fn remember(database: &mut impl Database, shard: i64, batch: &Batch<'_>) -> Result<(), StoreError> {
    let (mut kept, mut gone) = (Vec::new(), Vec::new());
    for one in batch.remembered {
        match &one.row {
            Some(row) => kept.push([
                Int(shard),
                Text(&one.adapter),
                Text(&one.id),
                Bytes(row),
                Int(one.at.0),
                Int(sums::remembered(one)),
            ]),
            None => gone.push([Int(shard), Text(&one.adapter), Text(&one.id)]),
        }
    }
    if !kept.is_empty() {
        let kept: Vec<&[Value<'_>]> = kept.iter().map(|row| &row[..]).collect();
        database.run_each(
            "INSERT INTO remembered (shard, adapter, id, bytes, at, sum) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (shard, adapter, id) DO UPDATE SET \
             bytes = excluded.bytes, at = excluded.at, sum = excluded.sum",
            &kept,
        )?;
    }
    if !gone.is_empty() {
        let gone: Vec<&[Value<'_>]> = gone.iter().map(|row| &row[..]).collect();
        database.run_each("DELETE FROM remembered WHERE shard = $1 AND adapter = $2 AND id = $3", &gone)?;
    }
    for stamp in batch.stamps {
        if stamp.since != batch.sequence {
            let what = format!("{} is said to read so since another commit than its own", stamp.adapter);
            return refused(database, what);
        }
        database.run(
            "INSERT INTO stamp (shard, adapter, config, version, since, sum) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (shard, adapter) DO UPDATE SET config = excluded.config, version = excluded.version, \
             since = excluded.since, sum = excluded.sum",
            &[
                Int(shard),
                Text(&stamp.adapter),
                Bytes(&stamp.config),
                Int(i64::from(stamp.version)),
                Int(stamp.since as i64),
                Int(sums::stamp(stamp)),
            ],
        )?;
    }
    for one in batch.regenerated {
        database.run(
            "INSERT INTO regenerated (shard, source, part, generation, begins, ends, why, sum) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            &[
                Int(shard),
                Text(&one.source),
                Int(i64::from(one.partition)),
                Int(one.generation as i64),
                Int(one.begins as i64),
                Int(one.ends as i64),
                Text(&one.why),
                Int(sums::regenerated(one)),
            ],
        )?;
    }
    Ok(())
}

fn release(database: &mut impl Database, shard: i64, sequence: i64, batch: &Batch<'_>) -> Result<(), StoreError> {
    let (generation, pages) = batch.released;
    if pages.is_empty() {
        return Ok(());
    }
    database.add(&schema::RELEASED_PAGE, &mut |put| {
        pages.iter().zip(0..).try_for_each(|(page, number)| {
            let keys = released::bytes_of(&page.keys);
            put(&[
                Int(shard),
                Int(i64::from(generation)),
                Int(sequence),
                Int(number),
                Bytes(&keys),
                Bytes(&page.bytes),
                Int(sums::page(generation, sequence as u64, number, &keys, &page.bytes)),
            ])
        })
    })
}
