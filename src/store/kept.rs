//! The store's rules, once for both databases.

use super::commit::{advance, refused, write};
use super::database::{Database, Row, Value};
use super::error::StoreError;
use super::{
    Batch, Claim, Committed, Entry, Epoch, Letter, LetterState, Message, Position, Query, Store, Terms, Verified,
};
use super::{check, rows, schema, sums};
use Value::{Bytes, Int, Text};
use onus_engine::time::Moment;
use std::ops::ControlFlow;

/// A shard's store in some database.
pub(super) struct Kept<D> {
    pub(super) database: D,
    pub(super) shard: i64,
}

const FENCE: &str = "UPDATE shard SET owner = owner WHERE shard = $1 AND epoch = $2";

impl<D: Database> Kept<D> {
    /// Brings the schema up to date and gives the store.
    pub(super) fn open(mut database: D, shard: u16) -> Result<Self, StoreError> {
        schema::migrate(&mut database)?;
        Ok(Kept { database, shard: i64::from(shard) })
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

    fn write(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError> {
        self.transaction(true, |database, shard| match advance(database, shard, epoch, batch)? {
            ControlFlow::Break(()) => Ok(()),
            ControlFlow::Continue(()) => write(database, shard, epoch, batch),
        })
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

impl<D: Database> Store for Kept<D> {
    fn claim(&mut self, owner: &str) -> Result<Claim, StoreError> {
        self.transaction(true, |database, shard| {
            let nothing = [0; 32];
            database.run(
                "INSERT INTO shard (shard, epoch, owner, sequence, now, entries, digest, before_last, letters, messages, \
                 snapshot, pieces, retired_commits, retired_entries, retired_digest) \
                 VALUES ($1, 0, '', 0, 0, 0, $2, $2, 0, 0, 0, 0, 0, 0, $2) ON CONFLICT (shard) DO NOTHING",
                &[Int(shard), Bytes(&nothing)],
            )?;
            let mut claim = None;
            database.ask(
                "UPDATE shard SET epoch = epoch + 1, owner = $1 WHERE shard = $2 \
                 RETURNING epoch, sequence, entries, digest, letters, messages, snapshot",
                &[Text(owner), Int(shard)],
                &mut |row| {
                    claim = Some(Claim {
                        epoch: Epoch(row.small(0)?),
                        sequence: row.small(1)?,
                        entries: row.small(2)?,
                        digest: row.exactly(3)?,
                        letters: row.small(4)?,
                        messages: row.small(5)?,
                        positions: Vec::new(),
                        snapshot: Some(row.small(6)?).filter(|sequence| *sequence > 0),
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
        })
    }

    fn terms(&mut self) -> Result<Option<Terms>, StoreError> {
        self.transaction(false, |database, shard| terms(database, shard))
    }

    fn positions(&mut self) -> Result<Vec<Position>, StoreError> {
        self.transaction(false, |database, shard| positions(database, shard))
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

    fn recall(&mut self, generation: u32, key: u64, before: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            database.ask(
                "SELECT p.sequence, p.page, p.bytes, p.sum FROM released_key k JOIN released_page p ON p.shard = k.shard \
                 AND p.generation = k.generation AND p.sequence = k.sequence AND p.page = k.page \
                 WHERE k.shard = $1 AND k.generation = $2 AND k.key = $3 AND k.sequence < $4 \
                 ORDER BY k.sequence, k.page",
                &[
                    Int(shard),
                    Int(i64::from(generation)),
                    Int(key as i64),
                    Int(i64::try_from(before).unwrap_or(i64::MAX)),
                ],
                &mut |row| {
                    let (sequence, page, bytes) = (row.small(0)?, row.int(1)?, row.bytes(2)?);
                    let what = || format!("page {page} of released subjects of commit {sequence}");
                    whole(row, 3, sums::page(generation, sequence, page, bytes), what)?;
                    found.push(bytes.to_vec());
                    Ok(())
                },
            )?;
            Ok(found)
        })
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
        self.transaction(false, |database, shard| {
            let (shard, after, limit) = (Int(shard), Int(query.after as i64), limit(query.limit));
            let mut found = Vec::new();
            let mut each = |row: &Row<'_>| rows::entry(row).map(|entry| found.push(entry));
            match (query.partner.as_deref(), query.subject.as_deref()) {
                (None, None) => database.ask(rows::ENTRIES, &[shard, after, limit], &mut each),
                (Some(partner), None) => {
                    database.ask(rows::OF_PARTNER, &[shard, after, limit, Text(partner)], &mut each)
                }
                (None, Some(subject)) => {
                    database.ask(rows::OF_SUBJECT, &[shard, after, limit, Text(subject)], &mut each)
                }
                (Some(partner), Some(subject)) => {
                    database.ask(rows::OF_BOTH, &[shard, after, limit, Text(partner), Text(subject)], &mut each)
                }
            }?;
            Ok(found)
        })
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

    fn messages(&mut self, after: u64, limit: u32) -> Result<Vec<Message>, StoreError> {
        self.transaction(false, |database, shard| {
            let mut found = Vec::new();
            database.ask(
                "SELECT number, partner, identity, body, sum FROM message WHERE shard = $1 AND number > $2 \
                 ORDER BY number LIMIT $3",
                &[Int(shard), Int(after as i64), self::limit(limit)],
                &mut |row| {
                    let message = rows::message(row)?;
                    whole(row, 4, sums::message(&message), || format!("message {}", message.number))?;
                    found.push(message);
                    Ok(())
                },
            )?;
            Ok(found)
        })
    }

    fn delivered(&mut self, epoch: Epoch, numbers: &[u64]) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            let all: Vec<[Value<'_>; 2]> = numbers.iter().map(|number| [Int(shard), Int(*number as i64)]).collect();
            let all: Vec<&[Value<'_>]> = all.iter().map(|row| &row[..]).collect();
            database.run_each("DELETE FROM message WHERE shard = $1 AND number = $2", &all)?;
            Ok(())
        })
    }

    fn forget_generations(&mut self, epoch: Epoch, before: u32) -> Result<(), StoreError> {
        self.as_owner(epoch, |database, shard| {
            let values = [Int(shard), Int(i64::from(before))];
            database.run("DELETE FROM released_key WHERE shard = $1 AND generation < $2", &values)?;
            database.run("DELETE FROM released_page WHERE shard = $1 AND generation < $2", &values)?;
            Ok(())
        })
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
            retire_entries(database, shard, entries_before)
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

/// Entries go from the first on, up to one that was decided later: what is left has no gaps.
fn retire_entries(database: &mut impl Database, shard: i64, before: Moment) -> Result<(), StoreError> {
    let mut first_kept = None;
    database.ask(
        "SELECT number FROM entry WHERE shard = $1 AND at >= $2 ORDER BY number LIMIT 1",
        &[Int(shard), Int(before.0)],
        &mut |row| row.int(0).map(|number| first_kept = Some(number)),
    )?;
    let first_kept = Int(first_kept.unwrap_or(i64::MAX));
    let mut last = None;
    database.ask(
        "SELECT number, digest FROM entry WHERE shard = $1 AND number < $2 ORDER BY number DESC LIMIT 1",
        &[Int(shard), first_kept],
        &mut |row| {
            last = Some((row.int(0)?, row.exactly::<32>(1)?));
            Ok(())
        },
    )?;
    let Some((number, digest)) = last else { return Ok(()) };
    database.run("DELETE FROM entry WHERE shard = $1 AND number <= $2", &[Int(shard), Int(number)])?;
    database.run(
        "UPDATE shard SET retired_entries = $1, retired_digest = $2 WHERE shard = $3",
        &[Int(number), Bytes(&digest), Int(shard)],
    )?;
    Ok(())
}
