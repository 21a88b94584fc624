//! The rows that the ledger lies in: looked through, and let go of.

use super::commit::{add_segments, refused};
use super::database::{Database, Value};
use super::error::StoreError;
use super::ledger::{self, Segment};
use super::{Entry, Query, rows};
use Value::{Bytes, Int};
use onus_engine::time::Moment;

/// Segments that are looked through at once.
const SEGMENTS: i64 = 16;

/// Entries that are asked for, by number.
pub(super) fn entries(database: &mut impl Database, shard: i64, query: &Query) -> Result<Vec<Entry>, StoreError> {
    let most = if query.limit == 0 { usize::MAX } else { query.limit as usize };
    let wanted = |entry: &Entry| {
        entry.number > query.after
            && query.partner.as_ref().is_none_or(|partner| *partner == entry.under.partner)
            && query.subject.as_ref().is_none_or(|subject| *subject == entry.subject)
    };
    let mut found = Vec::new();
    let mut after = query.after;
    while found.len() < most {
        let mut segments = Vec::new();
        database.ask(
            "SELECT last, first, before, digest, latest, bytes FROM ledger WHERE shard = $1 AND last > $2 \
             ORDER BY last LIMIT $3",
            &[Int(shard), Int(after as i64), Int(SEGMENTS)],
            &mut |row| rows::segment(row).map(|segment| segments.push(segment)),
        )?;
        let Some(end) = segments.last() else { break };
        after = end.last;
        for segment in &segments {
            if found.len() < most {
                found.extend(unpacked(database, segment)?.into_iter().filter(wanted));
            }
        }
    }
    found.truncate(most);
    Ok(found)
}

fn unpacked(database: &impl Database, segment: &Segment) -> Result<Vec<Entry>, StoreError> {
    let target = || database.target().to_owned();
    segment.entries().map_err(|what| StoreError::Damaged { target: target(), what: format!("the ledger: {what}") })
}

/// Entries go from the first on, up to one that was decided later: what is left has no gaps.
pub(super) fn retire(database: &mut impl Database, shard: i64, before: Moment) -> Result<(), StoreError> {
    let mut first_kept = None;
    database.ask(
        "SELECT last, first, before, digest, latest, bytes FROM ledger WHERE shard = $1 AND latest >= $2 \
         ORDER BY last LIMIT 1",
        &[Int(shard), Int(before.0)],
        &mut |row| rows::segment(row).map(|segment| first_kept = Some(segment)),
    )?;
    let mut gone = None;
    let mut rest = Vec::new();
    if let Some(segment) = &first_kept {
        let entries = unpacked(database, segment)?;
        let goes = entries.iter().take_while(|entry| entry.at < before).count();
        if let Some(last) = goes.checked_sub(1).map(|at| &entries[at]) {
            gone = Some((last.number as i64, last.digest));
            rest = ledger::pack(last.digest, &entries[goes..]).or_else(|why| refused(database, why))?;
        }
    }
    let bound = first_kept.as_ref().map_or(i64::MAX, |segment| segment.first as i64);
    if gone.is_none() {
        database.ask(
            "SELECT last, digest FROM ledger WHERE shard = $1 AND last < $2 ORDER BY last DESC LIMIT 1",
            &[Int(shard), Int(bound)],
            &mut |row| {
                gone = Some((row.int(0)?, row.exactly::<32>(1)?));
                Ok(())
            },
        )?;
    }
    let Some((number, digest)) = gone else { return Ok(()) };
    // Of a segment that goes in part the rest is written anew.
    database.run("DELETE FROM ledger WHERE shard = $1 AND first <= $2", &[Int(shard), Int(number)])?;
    add_segments(database, shard, &rest)?;
    database.run(
        "UPDATE shard SET retired_entries = $1, retired_digest = $2 WHERE shard = $3",
        &[Int(number), Bytes(&digest), Int(shard)],
    )?;
    Ok(())
}
