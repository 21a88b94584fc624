//! `verify`: everything is read, every sum worked out anew, and what must follow from one another does.
//!
//! Of each kind the first wrong thing is named, and how many there are: one flipped page spoils many rows.

use super::database::Value::Int;
use super::database::{Database, Row};
use super::error::StoreError;
use super::released::{keys_of, pairs_of, placed};
use super::reshard::Follows;
use super::{Regenerated, Verified, rows, sums};
use std::collections::BTreeMap;

/// The shard's own row.
#[derive(Default)]
struct Shard {
    epoch: u64,
    sequence: u64,
    entries: u64,
    digest: [u8; 32],
    letters: u64,
    snapshot: u64,
    pieces: u64,
    retired_commits: u64,
    retired_entries: u64,
    retired_digest: [u8; 32],
    /// Up to this commit the keys of pages are in runs.
    indexed: u64,
}

/// What is wrong with one kind of thing.
#[derive(Default)]
struct Wrong {
    first: Option<String>,
    count: u64,
}

impl Wrong {
    fn note(&mut self, what: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(what);
    }

    fn hold(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if !fine {
            self.note(what);
        }
    }

    /// A row that cannot be read is damage like any other, and the next one is looked at; all else ends the work.
    fn read<T>(&mut self, read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Damaged { what, .. }) => {
                self.note(|| what);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn tell(self, kind: &str, all: &mut Vec<String>) {
        match (self.first, self.count) {
            (Some(first), 1) => all.push(format!("{kind}: {first}")),
            (Some(first), count) => all.push(format!("{kind}: {first} (the first of {count})")),
            (None, _) => {}
        }
    }
}

/// See the module. `below` is what the database itself has found.
pub(super) fn all(database: &mut impl Database, shard: i64, below: Vec<String>) -> Result<Verified, StoreError> {
    let mut found = Verified { wrong: below, ..Verified::default() };
    let mut own = Wrong::default();
    let Some(state) = own_row(database, shard, &mut own)? else {
        own.tell("shard", &mut found.wrong);
        return Ok(found);
    };
    own.tell("shard", &mut found.wrong);
    type Part = fn(&mut dyn Reading, &Shard, &mut Verified, &mut Wrong) -> Result<(), StoreError>;
    let parts: [(&str, Part); 10] = [
        ("journal", journal),
        ("ledger", ledger),
        ("released subjects", pages),
        ("snapshot", snapshot),
        ("dead letters", letters),
        ("positions", positions),
        ("what adapters remember", remembered),
        ("stamps of adapters", stamps),
        ("what was read anew", regenerated),
        ("contracts", terms),
    ];
    for (kind, part) in parts {
        let mut wrong = Wrong::default();
        // A database that gives up within a table has found damage of its own, and the other tables can be read yet.
        let read = part(&mut Of { database, shard }, &state, &mut found, &mut wrong);
        wrong.read(read)?;
        wrong.tell(kind, &mut found.wrong);
    }
    Ok(found)
}

/// Reads a shard's rows of one table.
trait Reading {
    fn rows(
        &mut self,
        sql: &'static str,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

struct Of<'a, D> {
    database: &'a mut D,
    shard: i64,
}

impl<D: Database> Reading for Of<'_, D> {
    fn rows(
        &mut self,
        sql: &'static str,
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.database.stream(sql, &[Int(self.shard)], each)
    }
}

/// None: it is not there (nothing was ever claimed) or cannot be read.
fn own_row(database: &mut impl Database, shard: i64, wrong: &mut Wrong) -> Result<Option<Shard>, StoreError> {
    let mut state = None;
    let sql = "SELECT epoch, sequence, entries, digest, letters, snapshot, pieces, retired_commits, \
               retired_entries, retired_digest, indexed FROM shard WHERE shard = $1";
    let read = database.stream(sql, &[Int(shard)], &mut |row| {
        state = Some(Shard {
            epoch: row.small(0)?,
            sequence: row.small(1)?,
            entries: row.small(2)?,
            digest: row.exactly(3)?,
            letters: row.small(4)?,
            snapshot: row.small(5)?,
            pieces: row.small(6)?,
            retired_commits: row.small(7)?,
            retired_entries: row.small(8)?,
            retired_digest: row.exactly(9)?,
            indexed: row.small(10)?,
        });
        Ok(())
    });
    wrong.read(read)?;
    Ok(state)
}

fn journal(
    reading: &mut dyn Reading,
    shard: &Shard,
    found: &mut Verified,
    wrong: &mut Wrong,
) -> Result<(), StoreError> {
    let (mut last, mut epoch) = (shard.retired_commits, 0);
    reading.rows(
        "SELECT sequence, epoch, now, bytes, sum FROM journal WHERE shard = $1 ORDER BY sequence",
        &mut |row| {
            found.commits += 1;
            let sequence: u64 = row.small(0)?;
            wrong.hold(sequence == last + 1, || format!("commit {} is missing", last + 1));
            last = sequence;
            if let Some(commit) = wrong.read(rows::committed(row))? {
                wrong.hold(commit.epoch.0 >= epoch, || {
                    format!("commit {sequence} is of an older epoch than the one before")
                });
                epoch = commit.epoch.0;
            }
            Ok(())
        },
    )?;
    wrong.hold(last == shard.sequence, || format!("it ends with commit {last}, and {} were written", shard.sequence));
    wrong.hold(epoch <= shard.epoch, || format!("commit {last} is of an epoch that never was"));
    Ok(())
}

fn ledger(reading: &mut dyn Reading, shard: &Shard, found: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let (mut last, mut before) = (shard.retired_entries, shard.retired_digest);
    begins(reading, shard, wrong)?;
    let sql = "SELECT last, first, before, digest, latest, bytes FROM ledger WHERE shard = $1 ORDER BY last";
    reading.rows(sql, &mut |row| {
        let Some(segment) = wrong.read(rows::segment(row))? else { return Ok(()) };
        wrong.hold(segment.first == last + 1, || match segment.first {
            first if first > last + 1 => format!("entry {} is missing", last + 1),
            first => format!("entry {first} is there twice"),
        });
        wrong.hold(segment.before == before, || {
            format!("entry {} does not follow from the one before it", segment.first)
        });
        found.entries += (segment.last + 1).saturating_sub(segment.first);
        if let Err(what) = segment.entries() {
            wrong.note(|| what);
        }
        (last, before) = (segment.last, segment.digest);
        Ok(())
    })?;
    wrong.hold(last == shard.entries, || format!("it ends with entry {last}, and {} were written", shard.entries));
    wrong.hold(before == shard.digest, || "its last digest is not the one that the last commit left".to_owned());
    Ok(())
}

/// A ledger that goes on where others ended begins with the line that names them; once its first entries have gone, the line
/// with its digest cannot be held against anything any more.
fn begins(reading: &mut dyn Reading, shard: &Shard, wrong: &mut Wrong) -> Result<(), StoreError> {
    let mut found = Vec::new();
    let sql =
        "SELECT source, part, incarnation, next, last FROM source_position WHERE shard = $1 AND source = '@follows'";
    reading.rows(sql, &mut |row| {
        found.extend(wrong.read(rows::position(row))?);
        Ok(())
    })?;
    let nothing_gone = |follows: &Follows| follows.after == shard.retired_entries;
    if let Some(follows) = Follows::of(&found).filter(nothing_gone) {
        wrong.hold(follows.digest() == shard.retired_digest, || {
            "it does not begin with the line that names the ledgers that it follows".to_owned()
        });
    }
    Ok(())
}

fn pages(reading: &mut dyn Reading, shard: &Shard, found: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let mut keys: BTreeMap<(i64, u64, i64), (u64, i64)> = BTreeMap::new();
    let sql = "SELECT name, run, generation, first, keys, sum FROM released_key WHERE shard = $1 ORDER BY name";
    let mut before = (-1, (0, 0));
    reading.rows(sql, &mut |row| {
        let (name, run, generation, bytes) = (row.int(0)?, row.int(1)?, row.int(2)?, row.bytes(4)?);
        wrong.hold(row.int(5)? == sums::keys(name, bytes), || format!("row {name} of keys has another sum"));
        let mut last = if before.0 == run { before.1 } else { (0, 0) };
        let first = pairs_of(bytes).next().map(|pair| pair.0 as i64);
        wrong.hold(first == Some(row.int(3)?), || format!("row {name} of keys begins with another one"));
        for (key, place) in pairs_of(bytes) {
            wrong.hold(last <= (key, place), || format!("row {name} of keys is not in order"));
            last = (key, place);
            let (sequence, page) = placed(place);
            let of = keys.entry((generation, sequence, page)).or_default();
            of.0 += 1;
            of.1 ^= sums::key(key);
        }
        before = (run, last);
        Ok(())
    })?;
    let sql = "SELECT generation, sequence, page, keys, bytes, sum FROM released_page WHERE shard = $1 \
               ORDER BY generation, sequence, page";
    reading.rows(sql, &mut |row| {
        found.pages += 1;
        let (generation, sequence, page) = (row.small(0)?, row.small(1)?, row.int(2)?);
        let own = row.bytes(3)?;
        let name = || format!("page {page} of commit {sequence}");
        wrong.hold(row.int(5)? == sums::page(generation, sequence, page, own, row.bytes(4)?), || {
            format!("{} has another sum", name())
        });
        let known = keys.remove(&(i64::from(generation), sequence, page)).unwrap_or_default();
        let due = match sequence <= shard.indexed {
            true => keys_of(own).fold((0, 0), |(count, sum), key| (count + 1, sum ^ sums::key(key))),
            false => (0, 0),
        };
        wrong.hold(known == due, || format!("the keys of {} are not its own", name()));
        wrong.hold(sequence <= shard.sequence, || format!("{} is of a commit that never was", name()));
        Ok(())
    })?;
    for ((_, sequence, page), _) in keys {
        wrong.note(|| format!("page {page} of commit {sequence} is missing"));
    }
    Ok(())
}

/// Pieces of a snapshot in the making are nobody's loss.
fn snapshot(reading: &mut dyn Reading, shard: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let mut next = 0;
    let sql = "SELECT sequence, piece, bytes, sum FROM snapshot_piece WHERE shard = $1 ORDER BY sequence, piece";
    reading.rows(sql, &mut |row| {
        let (sequence, piece): (u64, i64) = (row.small(0)?, row.int(1)?);
        if sequence != shard.snapshot {
            return Ok(());
        }
        wrong.hold(row.int(3)? == sums::piece(sequence, piece, row.bytes(2)?), || {
            format!("piece {piece} has another sum")
        });
        wrong.hold(piece == next, || format!("piece {next} is missing"));
        next = piece + 1;
        Ok(())
    })?;
    wrong.hold(next as u64 == shard.pieces, || format!("it ends with piece {next} of {}", shard.pieces));
    wrong.hold(shard.snapshot >= shard.retired_commits, || "commits after it are gone".to_owned());
    Ok(())
}

fn letters(reading: &mut dyn Reading, shard: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let mut last = 0;
    reading.rows(
        "SELECT number, source, part, place, at, reason, detail, record, length, hash, state, note, sum FROM letter \
         WHERE shard = $1 ORDER BY number",
        &mut |row| {
            let number: u64 = row.small(0)?;
            wrong.hold(number == last + 1, || format!("letter {} is missing", last + 1));
            last = number;
            if let Some(letter) = wrong.read(rows::letter(row))? {
                wrong.hold(row.int(12)? == sums::letter(&letter), || format!("letter {number} has another sum"));
            }
            Ok(())
        },
    )?;
    wrong.hold(last == shard.letters, || format!("the last is letter {last}, and {} were written", shard.letters));
    Ok(())
}

fn positions(reading: &mut dyn Reading, _: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let sql = "SELECT source, part, incarnation, next, last, sum FROM source_position WHERE shard = $1 \
               ORDER BY source, part";
    reading.rows(sql, &mut |row| {
        if let Some(position) = wrong.read(rows::position(row))? {
            wrong.hold(row.int(5)? == sums::position(&position), || {
                format!("the position in {}, partition {}, has another sum", position.source, position.partition)
            });
        }
        Ok(())
    })
}

fn remembered(reading: &mut dyn Reading, _: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let sql = "SELECT adapter, id, bytes, at, sum FROM remembered WHERE shard = $1 ORDER BY adapter, id";
    reading.rows(sql, &mut |row| {
        if let Some(one) = wrong.read(rows::remembered(row))? {
            wrong.hold(row.int(4)? == sums::remembered(&one), || {
                format!("what {} remembers of {} has another sum", one.adapter, one.id)
            });
        }
        Ok(())
    })
}

fn stamps(reading: &mut dyn Reading, shard: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let sql = "SELECT adapter, config, version, since, sum FROM stamp WHERE shard = $1 ORDER BY adapter";
    reading.rows(sql, &mut |row| {
        if let Some(stamp) = wrong.read(rows::stamp(row))? {
            let name = &stamp.adapter;
            wrong.hold(row.int(4)? == sums::stamp(&stamp), || format!("that of {name} has another sum"));
            wrong.hold(stamp.since <= shard.sequence, || format!("that of {name} is of a commit that never was"));
        }
        Ok(())
    })
}

fn regenerated(reading: &mut dyn Reading, _: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let sql = "SELECT source, part, generation, begins, ends, why, sum FROM regenerated WHERE shard = $1 \
               ORDER BY generation, source, part";
    reading.rows(sql, &mut |row| {
        if let Some(one) = wrong.read(rows::regenerated(row))? {
            let Regenerated { source, partition, .. } = &one;
            wrong.hold(row.int(6)? == sums::regenerated(&one), || {
                format!("that of {source}, partition {partition}, has another sum")
            });
        }
        Ok(())
    })
}

fn terms(reading: &mut dyn Reading, shard: &Shard, _: &mut Verified, wrong: &mut Wrong) -> Result<(), StoreError> {
    let sql = "SELECT since, generation, digest, text, sum FROM terms WHERE shard = $1 ORDER BY since";
    reading.rows(sql, &mut |row| {
        if let Some(terms) = wrong.read(rows::terms(row))? {
            let since = terms.since;
            wrong.hold(row.int(4)? == sums::terms(&terms), || format!("those since commit {since} have another sum"));
            wrong
                .hold(since <= shard.sequence, || format!("those since commit {since} are of a commit that never was"));
        }
        Ok(())
    })
}
