//! A store for other shards than it had: begun, filled as any other, and in force from one instant on.
//!
//! Until it is finished each of its shards remembers a mark in the place of its exchange, by which whoever would run on it is
//! refused. So whoever fills it may be killed at any instant: it is begun anew, and what it is made of is not touched.

use super::Position;
use super::copies::shards;
use super::database::Database;
use super::database::Value::{Bytes, Int, Text};
use super::error::StoreError;
use super::place::Place;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{schema, sums};
use onus_engine::time::Moment;
use sha2::{Digest, Sha256};

/// Under this name a shard remembers which ledgers its own follows. No source is called so.
pub(super) const FOLLOWS: &str = "@follows";

/// The line with which a ledger begins that goes on where others ended: its chain of digests begins with the line's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// Names the ledgers, each with the digest of its last entry.
    pub line: String,
    /// Number of the entry before the first: 1 where the beginning of those ledgers has gone, else 0.
    pub after: u64,
    /// What was decided before may have gone, and is not to be decided anew.
    pub told_from: Moment,
}

impl Follows {
    /// Digest of the line: what stands before the first entry.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.line.as_bytes()).into()
    }

    /// As it is stored.
    pub fn position(&self) -> Position {
        Position {
            source: FOLLOWS.to_owned(),
            partition: 0,
            incarnation: self.line.clone(),
            next: self.after,
            last: self.told_from.0 as u64,
        }
    }

    /// As it was stored; None: this ledger follows no other.
    pub fn of(positions: &[Position]) -> Option<Follows> {
        positions.iter().find(|position| position.source == FOLLOWS).map(|position| Follows {
            line: position.incarnation.clone(),
            after: position.next,
            told_from: Moment(position.last as i64),
        })
    }
}

/// What a store holds of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub shard: u16,
    /// Its epoch.
    pub epoch: u64,
    /// Its last commit.
    pub sequence: u64,
    /// The judge's time after it.
    pub now: Moment,
    /// The number of its last entry, and that entry's digest.
    pub entries: u64,
    /// See there.
    pub digest: [u8; 32],
    /// The number of its last dead letter.
    pub letters: u64,
    /// Commits of the journal that have gone.
    pub retired_commits: u64,
    /// Entries that have gone.
    pub retired_entries: u64,
}

/// Every shard of a store.
///
/// # Errors
/// There is none, it is another version's, or it cannot be read.
pub fn held(place: &Place) -> Result<Vec<Held>, StoreError> {
    match place {
        Place::Sqlite(path) => all_held(&mut Sqlite::existing(path)?),
        Place::Postgres(server) => all_held(&mut Postgres::open(server)?),
    }
}

fn all_held(database: &mut impl Database) -> Result<Vec<Held>, StoreError> {
    const SQL: &str = "SELECT shard, epoch, sequence, entries, digest, letters, retired_commits, retired_entries, now FROM shard \
                       ORDER BY shard";
    schema::known(database)?;
    whole(database, false, |database| {
        let mut found = Vec::new();
        database.ask(SQL, &[], &mut |row| {
            found.push(Held {
                shard: row.small(0)?,
                epoch: row.small(1)?,
                sequence: row.small(2)?,
                now: Moment(row.int(8)?),
                entries: row.small(3)?,
                digest: row.exactly(4)?,
                letters: row.small(5)?,
                retired_commits: row.small(6)?,
                retired_entries: row.small(7)?,
            });
            Ok(())
        })?;
        Ok(found)
    })
}

/// A shard to begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// Which.
    pub shard: u16,
    /// Its epochs are greater than this one.
    pub epoch: u64,
    /// Number of the commit before the first: 1 where the beginning of the journals that it goes on has gone, else 0.
    pub after: u64,
    /// Which ledgers its own follows; None: none.
    pub follows: Option<Follows>,
}

/// Begins a store, in a place that is empty or in which another one was begun and not finished: that one goes.
///
/// # Errors
/// There is a store in it, or it cannot be written to.
pub fn begin(place: &Place, mark: &Position, new: &[New]) -> Result<(), StoreError> {
    match place {
        Place::Sqlite(path) => begin_in(&mut Sqlite::open(path)?, mark, new),
        Place::Postgres(server) => begin_in(&mut Postgres::open(server)?, mark, new),
    }
}

fn begin_in(database: &mut impl Database, mark: &Position, new: &[New]) -> Result<(), StoreError> {
    schema::migrate(database)?;
    whole(database, true, |database| {
        let floor = make_room(database, mark)?;
        for one in new {
            let first = one.follows.as_ref().map_or([0; 32], Follows::digest);
            let entries = one.follows.as_ref().map_or(0, |follows| follows.after);
            database.run(
                "INSERT INTO shard (shard, epoch, owner, sequence, now, entries, digest, before_last, letters, snapshot, \
                 pieces, retired_commits, retired_entries, retired_digest, indexed) \
                 VALUES ($1, $2, '', $3, 0, $4, $5, $5, 0, 0, 0, $3, $4, $5, 0)",
                &[
                    Int(i64::from(one.shard)),
                    Int(one.epoch.max(floor) as i64),
                    Int(one.after as i64),
                    Int(entries as i64),
                    Bytes(&first),
                ],
            )?;
            let follows = one.follows.as_ref().map(Follows::position);
            for position in [Some(mark), follows.as_ref()].into_iter().flatten() {
                database.run(
                    "INSERT INTO source_position (shard, source, part, incarnation, next, last, sum) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    &super::rows::of_position(i64::from(one.shard), position),
                )?;
            }
        }
        Ok(())
    })
}

/// What was begun before goes; whoever is still at it has a lower epoch than this, and writes nothing more.
fn make_room(database: &mut impl Database, mark: &Position) -> Result<u64, StoreError> {
    let (mut floor, mut other) = (0, None);
    database.ask(
        "SELECT s.shard, s.epoch, COALESCE(p.incarnation, '') FROM shard s LEFT JOIN source_position p \
         ON p.shard = s.shard AND p.source = $1 AND p.part = 0 ORDER BY s.shard",
        &[Text(&mark.source)],
        &mut |row| {
            floor = floor.max(row.int(1)? as u64);
            if row.text(2)? != mark.incarnation {
                other.get_or_insert(row.int(0)?);
            }
            Ok(())
        },
    )?;
    if let Some(shard) = other {
        let why = format!("there is a store in it (shard {shard}): name an empty place, it is not overwritten");
        return Err(StoreError::Refused { target: database.target().to_owned(), why });
    }
    for sql in schema::CLEAR {
        database.run(sql, &[])?;
    }
    Ok(floor)
}

/// From here on the store is in force, all shards of it: each remembers `position` in the place of the mark.
///
/// # Errors
/// Somebody else has begun another one there meanwhile, or it cannot be written to: then it is not finished.
pub fn finish(place: &Place, mark: &Position, position: &Position) -> Result<(), StoreError> {
    match place {
        Place::Sqlite(path) => finish_in(&mut Sqlite::existing(path)?, mark, position),
        Place::Postgres(server) => finish_in(&mut Postgres::open(server)?, mark, position),
    }
}

fn finish_in(database: &mut impl Database, mark: &Position, position: &Position) -> Result<(), StoreError> {
    whole(database, true, |database| {
        let there = shards(database)?.len() as u64;
        let changed = database.run(
            "UPDATE source_position SET incarnation = $1, next = $2, last = $3, sum = $4 \
             WHERE source = $5 AND part = 0 AND incarnation = $6",
            &[
                Text(&position.incarnation),
                Int(position.next as i64),
                Int(position.last as i64),
                Int(sums::position(position)),
                Text(&mark.source),
                Text(&mark.incarnation),
            ],
        )?;
        if changed == there {
            return Ok(());
        }
        let why = format!("of its {there} shards {changed} were being made: something else has written to it");
        Err(StoreError::Refused { target: database.target().to_owned(), why })
    })
}

/// All of it or nothing.
fn whole<D: Database, T>(
    database: &mut D,
    writes: bool,
    work: impl FnOnce(&mut D) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    database.begin(writes)?;
    let done = work(database).and_then(|value| database.commit().map(|()| value));
    if done.is_err() {
        database.rollback();
    }
    done
}
