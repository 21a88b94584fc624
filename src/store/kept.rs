//! The store's rules, once for both databases.

use super::commit::{advance, last, refused, write};
use super::database::{Database, Row, Value};
use super::error::StoreError;
use super::released::Index;
use super::{
    Batch, Claim, Committed, Entry, Epoch, Letter, LetterState, Page, Position, Query, Regenerated, Remembered, Show,
    Stamp, Store, Terms, Verified,
};
use super::{check, rows, schema, segments, sums};
use Value::{Bytes, Int, Text};
use onus_engine::time::Moment;
use std::ops::ControlFlow;

/// A shard's store in some database.
pub(super) struct Kept<D> {
    pub(super) database: D,
    pub(super) shard: i64,
    index: Index,
    /// The last commit that was found or written here.
    reached: u64,
}

const FENCE: &str = "UPDATE shard SET owner = owner WHERE shard = $1 AND epoch = $2";

impl<D: Database> Kept<D> {
    /// Brings the schema up to date and gives the store.
    pub(super) fn open(mut database: D, shard: u16) -> Result<Self, StoreError> {
        schema::migrate(&mut database)?;
        Ok(Kept::of(database, i64::from(shard)))
    }

    /// With a schema that is known.
    pub(super) fn of(database: D, shard: i64) -> Self {
        Kept { database, shard, index: Index::default(), reached: 0 }
    }

    /// All of it or nothing.
    fn transaction<T>(
        &mut self,
        writes: bool,
        work: impl FnOnce(&mut D, i64) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.database.begin(writes)?;
        let done = work(&mut self.database, self.shard).and_then(|value| self.database.commit().map(|()| value));
        if done.is_err() {
            self.database.rollback();
        }
        done
    }

    /// The same, for the owner alone.
    fn as_owner<T>(
        &mut self,
        epoch: Epoch,
        work: impl FnOnce(&mut D, i64) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.transaction(true, |database, shard| match database.run(FENCE, &[Int(shard), Int(epoch.0 as i64)])? {
            1 => work(database, shard),
            _ => Err(StoreError::Fenced { held: epoch.0 }),
        })
    }

    /// Not one transaction, which would be as long again: pages are never changed, and where the index was read in parts it
    /// knows some twice.
    fn pages(
        &mut self,
        (generation, key): (u32, u64),
        before: u64,
        shown: &mut usize,
        show: &mut Show<'_>,
    ) -> Result<(), StoreError> {
        let (database, shard) = (&mut self.database, self.shard);
        let places = self.index.find(database, shard, (generation, key), before)?;
        for (sequence, page) in places.into_iter().rev().skip(*shown) {
            let mut more = ControlFlow::Continue(());
            database.ask(
                "SELECT keys, bytes, sum FROM released_page \
                 WHERE shard = $1 AND generation = $2 AND sequence = $3 AND page = $4",
                &[Int(shard), Int(i64::from(generation)), Int(sequence as i64), Int(page)],
                &mut |row| {
                    let bytes = row.bytes(1)?;
                    let what = || format!("page {page} of released subjects of commit {sequence}");
                    whole(row, 2, sums::page(generation, sequence, page, row.bytes(0)?, bytes), what)?;
                    more = show(bytes);
                    Ok(())
                },
            )?;
            *shown += 1;
            if more.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn write(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError> {
        // It is as the store has it only where all went well.
        let mut index = std::mem::take(&mut self.index);
        let written = self.transaction(true, |database, shard| match advance(database, shard, epoch, batch)? {
            ControlFlow::Break(()) => Ok(false),
            ControlFlow::Continue(before) => write(database, shard, epoch, batch, before, &mut index).map(|()| true),
        });
        let written = written.map_err(|error| match error {
            StoreError::Fenced { .. } => self.gone_back(epoch).unwrap_or(error),
            error => error,
        })?;
        if written {
            self.index = index;
        }
        self.reached = batch.sequence;
        Ok(())
    }

    /// Where nobody has taken over, and yet the store is older than what was found or written here.
    fn gone_back(&mut self, epoch: Epoch) -> Option<StoreError> {
        let last = self.transaction(false, |database, shard| last(database, shard, epoch)).ok()??;
        let (target, wrote) = (self.database.target().to_owned(), self.reached);
        (last < wrote).then_some(StoreError::WentBack { target, has: last, wrote })
    }
}

/// The newest contracts.
fn terms(database: &mut impl Database, shard: i64) -> Result<Option<Terms>, StoreError> {
    let mut found = None;
    database.ask(
        "SELECT since, generation, digest, text, sum FROM terms WHERE shard = $1 ORDER BY since DESC LIMIT 1",
        &[Int(shard)],
        &mut |row| {
            let terms = rows::terms(row)?;
            whole(row, 4, sums::terms(&terms), || format!("the contracts since commit {}", terms.since))?;
            found = Some(terms);
            Ok(())
        },
    )?;
    Ok(found)
}

/// How far each source was read.
fn positions(database: &mut impl Database, shard: i64) -> Result<Vec<Position>, StoreError> {
    let mut found = Vec::new();
    database.ask(
        "SELECT source, part, incarnation, next, last, sum FROM source_position WHERE shard = $1 ORDER BY source, part",
        &[Int(shard)],
        &mut |row| {
            let position = rows::position(row)?;
            whole(row, 5, sums::position(&position), || format!("the position in {}", position.source))?;
            found.push(position);
            Ok(())
        },
    )?;
    // Databases order texts each in its own way.
    found.sort_by(|a: &Position, b: &Position| (&a.source, a.partition).cmp(&(&b.source, b.partition)));
    Ok(found)
}

/// Every sum is checked where a row is read.
fn whole(row: &Row<'_>, column: usize, sum: i64, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if row.int(column)? == sum { Ok(()) } else { Err(row.damaged(format!("{} has another sum", what()))) }
}

fn limit(limit: u32) -> Value<'static> {
    Int(if limit == 0 { i64::MAX } else { i64::from(limit) })
}

impl<D: Database + 'static> Store for Kept<D> {
    fn reader(&self) -> Result<Option<Box<dyn Store>>, StoreError> {
        Ok(Some(Box::new(Kept::of(self.database.again()?, self.shard))))
    }

    fn know(&mut self, sequence: u64, released: (u32, &[Page])) {
        self.index.know(sequence, released);
    }

    fn claim(&mut self, owner: &str) -> Result<Claim, StoreError> {
        self.index = Index::default();
        let claim = self.transaction(true, |database, shard| {
            let nothing = [0; 32];
            database.run(
                "INSERT INTO shard (shard, epoch, owner, sequence, now, entries, digest, before_last, letters, snapshot, \
                  pieces, retired_commits, retired_entries, retired_digest, indexed) \
                 VALUES ($1, 0, '', 0, 0, 0, $2, $2, 0, 0, 0, 0, 0, $2, 0) ON CONFLICT (shard) DO NOTHING",
                &[Int(shard), Bytes(&nothing)],
            )?;
            let mut claim = None;
            database.ask(
                "UPDATE shard SET epoch = epoch + 1, owner = $1 WHERE shard = $2 \
                 RETURNING epoch, sequence, entries, digest, letters, snapshot",
                &[Text(owner), Int(shard)],
                &mut |row| {
                    claim = Some(Claim {
                        epoch: Epoch(row.small(0)?),
                        sequence: row.small(1)?,
                        entries: row.small(2)?,
                        digest: row.exactly(3)?,
                        letters: row.small(4)?,
                        positions: Vec::new(),
                        snapshot: Some(row.small(5)?).filter(|sequence| *sequence > 0),
                        terms: None,
                    });
                    Ok(())
                },
            )?;
            let Some(mut claim) = claim else {
                return refused(database, "the shard has no row".to_owned());
            };
            claim.positions = positions(database, shard)?;
            claim.terms = terms(database, shard)?;
            Ok(claim)
        })?;
        self.reached = claim.sequence;
        Ok(claim)
    }

    fn terms(&mut self) -> Result<Option<Terms>, StoreError> {
        self.transaction(false, |database, shard| terms(database, shard))
    }

    fn positions(&mut self) -> Result<Vec<Position>, StoreError> {
        self.transaction(false, |database, shard| positions(database, shard))
    }

    fn stamps(&mut self) -> Result<Vec<Stamp>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            database.ask(
                "SELECT adapter, config, version, since, sum FROM stamp WHERE shard = $1 ORDER BY adapter",
                &[Int(shard)],
                &mut |row| {
                    let stamp = rows::stamp(row)?;
                    whole(row, 4, sums::stamp(&stamp), || format!("the stamp of {}", stamp.adapter))?;
                    found.push(stamp);
                    Ok(())
                },
            )?;
            Ok(found)
        })
    }

    fn regenerated(&mut self) -> Result<Vec<Regenerated>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            database.ask(
                "SELECT source, part, generation, begins, ends, why, sum FROM regenerated WHERE shard = $1 \
                 ORDER BY generation, source, part",
                &[Int(shard)],
                &mut |row| {
                    let one = rows::regenerated(row)?;
                    whole(row, 6, sums::regenerated(&one), || format!("what was read anew of {}", one.source))?;
                    found.push(one);
                    Ok(())
                },
            )?;
            Ok(found)
        })
    }

    fn remembered(&mut self, adapter: &str, show: &mut dyn FnMut(Remembered)) -> Result<(), StoreError> {
        self.transaction(false, |database, shard| {
            database.stream(
                "SELECT adapter, id, bytes, at, sum FROM remembered WHERE shard = $1 AND adapter = $2 ORDER BY id",
                &[Int(shard), Text(adapter)],
                &mut |row| {
                    let one = rows::remembered(row)?;
                    whole(row, 4, sums::remembered(&one), || format!("what {adapter} remembers of {}", one.id))?;
                    show(one);
                    Ok(())
                },
            )
        })
    }

    fn commit(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError> {
        match self.write(epoch, batch) {
            // Told twice it is written once: the second telling learns what became of the first.
            Err(_) if self.database.in_doubt() => self.write(epoch, batch),
            done => done,
        }
    }

    fn journal(&mut self, after: u64, limit: u32) -> Result<Vec<Committed>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            database.ask(
                "SELECT sequence, epoch, now, bytes, sum FROM journal WHERE shard = $1 AND sequence > $2 \
                 ORDER BY sequence LIMIT $3",
                &[Int(shard), Int(after as i64), self::limit(limit)],
                &mut |row| rows::committed(row).map(|commit| found.push(commit)),
            )?;
            Ok(found)
        })
    }

    fn recall(&mut self, generation: u32, key: u64, before: u64, show: &mut Show<'_>) -> Result<(), StoreError> {
        self.database.ready()?;
        let mut shown = 0;
        match self.pages((generation, key), before, &mut shown, show) {
            // A connection that was lost since the last call is noticed by the first question.
            Err(error) if error.may_pass() => {
                self.database.ready()?;
                self.pages((generation, key), before, &mut shown, show)
            }
            done => done,
        }
    }

    fn put_snapshot(&mut self, epoch: Epoch, sequence: u64, piece: u32, bytes: &[u8]) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            let piece = i64::from(piece);
            let sum = sums::piece(sequence, piece, bytes);
            database.run(
                "INSERT INTO snapshot_piece (shard, sequence, piece, epoch, bytes, sum) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (shard, sequence, piece) DO UPDATE SET epoch = excluded.epoch, bytes = excluded.bytes, \
                 sum = excluded.sum",
                &[Int(shard), Int(sequence as i64), Int(piece), Int(epoch.0 as i64), Bytes(bytes), Int(sum)],
            )?;
            Ok(())
        })
    }

    fn seal_snapshot(&mut self, epoch: Epoch, sequence: u64, pieces: u32) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            // Pieces that another owner left are no part of this one.
            let mut there = 0;
            database.ask(
                "SELECT COUNT(*) FROM snapshot_piece WHERE shard = $1 AND sequence = $2 AND epoch = $3 AND piece < $4",
                &[Int(shard), Int(sequence as i64), Int(epoch.0 as i64), Int(i64::from(pieces))],
                &mut |row| row.int(0).map(|count| there = count),
            )?;
            if there != i64::from(pieces) || pieces == 0 {
                return refused(database, format!("a snapshot of {pieces} pieces of which {there} are there"));
            }
            let sealed = database.run(
                "UPDATE shard SET snapshot = $1, pieces = $2 WHERE shard = $3 AND sequence >= $1 AND snapshot <= $1",
                &[Int(sequence as i64), Int(i64::from(pieces)), Int(shard)],
            )?;
            if sealed != 1 {
                return refused(database, format!("a snapshot of commit {sequence}, which is not there or long past"));
            }
            database.run(
                "DELETE FROM snapshot_piece WHERE shard = $1 AND (sequence <> $2 OR piece >= $3)",
                &[Int(shard), Int(sequence as i64), Int(i64::from(pieces))],
            )?;
            Ok(())
        })
    }

    fn snapshot(&mut self, show: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>) -> Result<Option<u64>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut newest = (0, 0);
            database.ask("SELECT snapshot, pieces FROM shard WHERE shard = $1", &[Int(shard)], &mut |row| {
                newest = (row.int(0)?, row.int(1)?);
                Ok(())
            })?;
            let (sequence, pieces) = newest;
            if sequence == 0 {
                return Ok(None);
            }
            let mut next = 0;
            let sql = "SELECT piece, bytes, sum FROM snapshot_piece WHERE shard = $1 AND sequence = $2 ORDER BY piece";
            database.stream(sql, &[Int(shard), Int(sequence)], &mut |row| {
                let (piece, bytes) = (row.int(0)?, row.bytes(1)?);
                if piece != next {
                    return Err(row.damaged(format!("piece {next} of the snapshot is missing")));
                }
                whole(row, 2, sums::piece(sequence as u64, piece, bytes), || format!("piece {piece} of the snapshot"))?;
                next += 1;
                show(bytes)
            })?;
            if next == pieces {
                return Ok(Some(sequence as u64));
            }
            let what = format!("the snapshot has {next} pieces of {pieces}");
            Err(StoreError::Damaged { target: database.target().to_owned(), what })
        })
    }

    fn entries(&mut self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        self.transaction(false, |database, shard| segments::entries(database, shard, query))
    }

    fn letters(&mut self, query: &Query) -> Result<Vec<Letter>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            let state = query.state.map(rows::of_state);
            let (least, most) = (state.unwrap_or(i64::MIN), state.unwrap_or(i64::MAX));
            database.ask(
                "SELECT number, source, part, place, at, reason, detail, record, length, hash, state, note, sum FROM letter \
                 WHERE shard = $1 AND number > $2 AND state BETWEEN $3 AND $4 ORDER BY number LIMIT $5",
                &[Int(shard), Int(query.after as i64), Int(least), Int(most), limit(query.limit)],
                &mut |row| {
                    let letter = rows::letter(row)?;
                    whole(row, 12, sums::letter(&letter), || format!("dead letter {}", letter.number))?;
                    found.push(letter);
                    Ok(())
                },
            )?;
            Ok(found)
        })
    }

    fn mark(&mut self, number: u64, state: LetterState, note: Option<&str>) -> Result<bool, StoreError> {
        self.transaction(true, |database, shard| {
            let changed = database.run(
                "UPDATE letter SET state = $1, note = COALESCE($2, note) WHERE shard = $3 AND number = $4 AND state < $5",
                &[
                    Int(rows::of_state(state)),
                    note.into(),
                    Int(shard),
                    Int(number as i64),
                    Int(rows::of_state(LetterState::Replayed)),
                ],
            )?;
            Ok(changed == 1)
        })
    }

    fn forget_generations(&mut self, epoch: Epoch, before: u32) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            let values = [Int(shard), Int(i64::from(before))];
            database.run("DELETE FROM released_key WHERE shard = $1 AND generation < $2", &values)?;
            database.run("DELETE FROM released_page WHERE shard = $1 AND generation < $2", &values)?;
            Ok(())
        })?;
        self.index.forget(before);
        Ok(())
    }

    fn retire(&mut self, epoch: Epoch, journal_to: u64, entries_before: Moment) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            let to = i64::try_from(journal_to).unwrap_or(i64::MAX);
            // Without a snapshot (0) nothing goes: it could not be worked out again.
            database.run(
                "UPDATE shard SET retired_commits = CASE WHEN snapshot < $1 THEN snapshot ELSE $1 END \
                 WHERE shard = $2 AND retired_commits < $1 AND retired_commits < snapshot",
                &[Int(to), Int(shard)],
            )?;
            database.run(
                "DELETE FROM journal WHERE shard = $1 AND sequence <= \
                 (SELECT retired_commits FROM shard WHERE shard.shard = $1)",
                &[Int(shard)],
            )?;
            segments::retire(database, shard, entries_before)
        })
    }

    fn verify(&mut self) -> Result<Verified, StoreError> {
        let below = self.database.look_inside()?;
        match self.transaction(false, |database, shard| check::all(database, shard, below)) {
            // So damaged that there is nothing to look through: that, too, is what was found.
            Err(StoreError::Damaged { what, .. }) => {
                Ok(Verified { wrong: vec![format!("store: {what}")], ..Verified::default() })
            }
            found => found,
        }
    }
}
