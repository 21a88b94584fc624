//! Where released subjects lie: from the hash of a name to the pages that have it.
//!
//! A row for each key would be written into the midst of a large table: four kilobytes for its sixteen bytes. So the keys
//! of new pages wait in memory, and with their pages, until there are some thousands. These are written as a run: sorted,
//! some hundreds to a row. Eight runs are merged into one of the next level, so that a key is written three times in its
//! life and looked for in few places. Of runs the first key of each row is in memory.

use super::database::Value::{Bytes, Int};
use super::database::{Database, Row, Value};
use super::error::StoreError;
use super::{Page, schema, sums};
use hashbrown::HashTable;
use std::sync::LazyLock;

/// Keys that wait.
const WAITING: usize = 8_192;
/// Keys of one row: it fits into a page of SQLite's.
const ROW: usize = 240;
/// So many runs of one level become one of the next.
const RUNS: usize = 8;
/// The highest level: half a million keys. A larger run would be merged for longer than a commit may take.
const TOP: u8 = 2;
/// Rows that are asked for at once.
const AT_ONCE: usize = 16;
/// Low bits of a place that say which page of its commit, and of a row's name that say which row of its commit.
const LOW: u32 = 20;

/// What is in memory; None: nothing is known yet.
#[derive(Debug, Default)]
pub(super) struct Index(Option<Loaded>);

#[derive(Debug, Default)]
struct Loaded {
    /// Pages of commits up to this one are known.
    seen: u64,
    /// Keys of pages of commits up to this one are in runs.
    indexed: u64,
    /// What was asked for when it was read; for others it is read anew.
    of: Option<u32>,
    waiting: HashTable<Waiting>,
    runs: Vec<Run>,
}

/// A key that is in no run yet. Keys are hashes already.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    generation: u32,
    key: u64,
    place: u64,
}

#[derive(Debug)]
struct Run {
    generation: u32,
    level: u8,
    /// Of each row the first key, and its name.
    rows: Vec<(u64, i64)>,
}

/// Rows by their names. Each by itself: of a list PostgreSQL, which has planned while the table was small, reads all rows of the
/// shard to find sixteen.
static ROWS: LazyLock<String> = LazyLock::new(|| {
    let one = |n: usize| format!("SELECT name, keys, sum FROM released_key WHERE shard = $1 AND name = ${}", n + 2);
    (0..AT_ONCE).map(one).collect::<Vec<_>>().join(" UNION ALL ")
});

const MISSING: &str = "a row of the keys of released subjects is missing";

/// A row that was there has been merged into another.
struct Gone;

/// A page of a commit, in one number.
fn place(sequence: u64, page: usize) -> u64 {
    sequence << LOW | page as u64
}

/// A page's keys as its row has them.
pub(super) fn bytes_of(keys: &[u64]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.to_be_bytes()).collect()
}

/// And back.
pub(super) fn keys_of(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes))
}

/// Key and place, sixteen bytes each, as a row of a run has them.
pub(super) fn pairs_of(bytes: &[u8]) -> impl Iterator<Item = (u64, u64)> {
    bytes.as_chunks::<16>().0.iter().map(|both| {
        let both = u128::from_be_bytes(*both);
        ((both >> 64) as u64, both as u64)
    })
}

/// Commit and page of a place.
pub(super) fn placed(place: u64) -> (u64, i64) {
    (place >> LOW, (place & ((1 << LOW) - 1)) as i64)
}

impl Index {
    /// Pages with this key, of commits before one, oldest first: commit and number.
    pub(super) fn find(
        &mut self,
        database: &mut impl Database,
        shard: i64,
        wanted: (u32, u64),
        before: u64,
    ) -> Result<Vec<(u64, i64)>, StoreError> {
        // The owner's is always up to date; who reads beside it looks for what came later, and no longer waits for what is in
        // runs by now.
        let lacks = |loaded: &&mut Loaded| {
            loaded.of != Some(wanted.0) || before > loaded.seen + 1 || loaded.waiting.len() >= 2 * WAITING
        };
        if let Some(loaded) = self.0.as_mut().filter(|_| before != u64::MAX).filter(lacks)
            && !loaded.go_on(database, shard, wanted.0)?
        {
            self.0 = None;
        }
        let places = self.load(database, shard, wanted.0)?.look(database, shard, wanted)?;
        let mut places = match places {
            Ok(places) => places,
            Err(Gone) => {
                self.0 = None;
                let again = self.load(database, shard, wanted.0)?.look(database, shard, wanted)?;
                again.map_err(|Gone| damaged(database, MISSING))?
            }
        };
        places.sort_unstable();
        places.dedup();
        Ok(places.into_iter().map(placed).filter(|(sequence, _)| *sequence < before).collect())
    }

    /// Another view has committed these.
    pub(super) fn know(&mut self, sequence: u64, (generation, pages): (u32, &[Page])) {
        // What it lacks before them is read with them.
        if let Some(loaded) = self.0.as_mut().filter(|loaded| loaded.of == Some(generation))
            && sequence == loaded.seen + 1
        {
            loaded.put_all(sequence, generation, pages);
        }
    }

    /// Takes the keys of a commit's pages in; call before those are written.
    pub(super) fn add(
        &mut self,
        database: &mut impl Database,
        shard: i64,
        sequence: u64,
        (generation, pages): (u32, &[Page]),
    ) -> Result<(), StoreError> {
        let loaded = self.load(database, shard, generation)?;
        loaded.put_all(sequence, generation, pages);
        if loaded.waiting.len() < WAITING {
            return Ok(());
        }
        let mut writing = Writing { database, shard, next: (sequence << LOW) as i64 };
        loaded.indexed = sequence;
        let mut all: Vec<_> = loaded.waiting.drain().map(|one| (one.generation, one.key, one.place)).collect();
        all.sort_unstable();
        for some in all.chunk_by(|a, b| a.0 == b.0) {
            let generation = some[0].0;
            let pairs: Vec<(u64, u64)> = some.iter().map(|(_, key, place)| (*key, *place)).collect();
            loaded.runs.push(writing.run(generation, 0, &pairs)?);
            loaded.merge(&mut writing, generation)?;
        }
        database.run("UPDATE shard SET indexed = $1 WHERE shard = $2", &[Int(sequence as i64), Int(shard)])?;
        Ok(())
    }

    /// Generations before this one are gone.
    pub(super) fn forget(&mut self, before: u32) {
        if let Some(loaded) = &mut self.0 {
            loaded.waiting.retain(|one| one.generation >= before);
            loaded.runs.retain(|run| run.generation >= before);
        }
    }

    /// `generation`: for which it is asked for.
    fn load(&mut self, database: &mut impl Database, shard: i64, generation: u32) -> Result<&mut Loaded, StoreError> {
        let loaded = match self.0.take() {
            Some(loaded) => loaded,
            None => Loaded { of: Some(generation), ..Loaded::read(database, shard)? },
        };
        Ok(self.0.insert(loaded))
    }
}

impl Loaded {
    fn read(database: &mut impl Database, shard: i64) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        (loaded.seen, loaded.indexed) = reached(database, shard)?;
        loaded.runs_from(database, shard, i64::MIN)?;
        database.ask(
            "SELECT generation, sequence, page, keys, bytes, sum FROM released_page WHERE shard = $1 AND sequence > $2",
            &[Int(shard), Int(loaded.indexed as i64)],
            &mut |row| loaded.wait(row),
        )?;
        Ok(loaded)
    }

    /// Takes a page's keys in: generation, sequence, page, keys, bytes, sum.
    fn wait(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let (generation, sequence, page) = (row.small(0)?, row.small(1)?, row.int(2)?);
        let keys = row.bytes(3)?;
        if row.int(5)? != sums::page(generation, sequence, page, keys, row.bytes(4)?) {
            return Err(row.damaged(format!("page {page} of released subjects of commit {sequence} has another sum")));
        }
        keys_of(keys).for_each(|key| self.put(generation, key, place(sequence, page as usize)));
        Ok(())
    }

    /// All of a commit, which is the next one.
    fn put_all(&mut self, sequence: u64, generation: u32, pages: &[Page]) {
        for (number, page) in pages.iter().enumerate() {
            page.keys.iter().for_each(|key| self.put(generation, *key, place(sequence, number)));
        }
        self.seen = sequence;
    }

    fn put(&mut self, generation: u32, key: u64, place: u64) {
        self.waiting.insert_unique(key, Waiting { generation, key, place }, |one| one.key);
    }

    /// Takes runs in whose rows are named from here on. One question: what it shows is as of one commit.
    fn runs_from(&mut self, database: &mut impl Database, shard: i64, from: i64) -> Result<(), StoreError> {
        let mut due = 0;
        database.ask(
            "SELECT name, run, generation, level, first, rows FROM released_key WHERE shard = $1 AND name >= $2 \
             ORDER BY name",
            &[Int(shard), Int(from)],
            &mut |row| {
                let (name, run) = (row.int(0)?, row.int(1)?);
                if due == 0 {
                    self.runs.push(Run { generation: row.small(2)?, level: row.small(3)?, rows: Vec::new() });
                    due = row.small::<usize>(5)?;
                }
                let Some(known) = self.runs.last_mut() else { return Ok(()) };
                if name != run + known.rows.len() as i64 {
                    return Err(row.damaged(MISSING.to_owned()));
                }
                known.rows.push((row.int(4)? as u64, name));
                due -= 1;
                Ok(())
            },
        )?;
        if due > 0 { Err(damaged(database, MISSING)) } else { Ok(()) }
    }

    /// Runs that were written since, in place of those that were merged into them: a run of a level holds all of the lower
    /// levels of its generation that were there before it.
    fn go_on_with_runs(&mut self, database: &mut impl Database, shard: i64) -> Result<(), StoreError> {
        let from = ((self.indexed + 1) << LOW) as i64;
        let named = |run: &Run| run.rows.first().map_or(i64::MIN, |(_, name)| *name);
        // What was read of later commits than was known of is read again.
        self.runs.retain(|run| named(run) < from);
        let known = self.runs.len();
        self.runs_from(database, shard, from)?;
        let mut before = std::mem::take(&mut self.runs);
        let since = before.split_off(known);
        before.retain(|run| !since.iter().any(|new| new.generation == run.generation && new.level > run.level));
        before.extend(since);
        self.runs = before;
        Ok(())
    }

    /// Looks for what came since; false: it must be read anew.
    fn go_on(&mut self, database: &mut impl Database, shard: i64, generation: u32) -> Result<bool, StoreError> {
        if self.of != Some(generation) {
            return Ok(false);
        }
        let (sequence, indexed) = reached(database, shard)?;
        if indexed != self.indexed {
            self.go_on_with_runs(database, shard)?;
            self.indexed = indexed;
            self.seen = self.seen.max(indexed);
            self.waiting.retain(|one| placed(one.place).0 > indexed);
        }
        database.ask(
            "SELECT generation, sequence, page, keys, bytes, sum FROM released_page \
             WHERE shard = $1 AND generation = $2 AND sequence > $3",
            &[Int(shard), Int(i64::from(generation)), Int(self.seen as i64)],
            &mut |row| self.wait(row),
        )?;
        self.seen = sequence;
        Ok(true)
    }

    fn look(
        &self,
        database: &mut impl Database,
        shard: i64,
        (generation, key): (u32, u64),
    ) -> Result<Result<Vec<u64>, Gone>, StoreError> {
        let waits = self.waiting.iter_hash(key).filter(|one| (one.generation, one.key) == (generation, key));
        let mut found: Vec<u64> = waits.map(|one| one.place).collect();
        let mut names = Vec::new();
        for run in self.runs.iter().filter(|run| run.generation == generation) {
            // A key that begins a row may end the one before it, too.
            let from = run.rows.partition_point(|(first, _)| *first < key).saturating_sub(1);
            names.extend(run.rows[from..].iter().take_while(|(first, _)| *first <= key).map(|(_, name)| *name));
        }
        for some in names.chunks(AT_ONCE) {
            let mut values = [Int(-1); AT_ONCE + 1];
            values[0] = Int(shard);
            for (value, name) in values[1..].iter_mut().zip(some) {
                *value = Int(*name);
            }
            let mut there = 0;
            database.ask(&ROWS, &values, &mut |row| {
                there += 1;
                let bytes = row.bytes(1)?;
                if row.int(2)? != sums::keys(row.int(0)?, bytes) {
                    return Err(row.damaged("keys of released subjects have another sum".to_owned()));
                }
                let pairs = bytes.as_chunks::<16>().0;
                let begin = pairs.partition_point(|pair| pair[..8] < key.to_be_bytes()[..]);
                found.extend(
                    pairs_of(pairs[begin..].as_flattened()).take_while(|pair| pair.0 == key).map(|pair| pair.1),
                );
                Ok(())
            })?;
            if there != some.len() {
                return Ok(Err(Gone));
            }
        }
        Ok(Ok(found))
    }

    /// Merges what has become too many.
    fn merge<D: Database>(&mut self, writing: &mut Writing<'_, D>, generation: u32) -> Result<(), StoreError> {
        for level in 0..TOP {
            let of = |run: &Run| run.generation == generation && run.level == level;
            if self.runs.iter().filter(|run| of(run)).count() < RUNS {
                return Ok(());
            }
            let mut pairs = Vec::new();
            for run in self.runs.extract_if(.., |run| of(run)) {
                writing.take(&run, &mut pairs)?;
            }
            pairs.sort_unstable();
            self.runs.push(writing.run(generation, level + 1, &pairs)?);
        }
        Ok(())
    }
}

/// Rows of runs, written with a commit.
struct Writing<'a, D> {
    database: &'a mut D,
    shard: i64,
    /// Names of rows are never given twice: they begin with the commit's number.
    next: i64,
}

impl<D: Database> Writing<'_, D> {
    /// Pairs are sorted.
    fn run(&mut self, generation: u32, level: u8, pairs: &[(u64, u64)]) -> Result<Run, StoreError> {
        let mut run = Run { generation, level, rows: Vec::with_capacity(pairs.len().div_ceil(ROW)) };
        let named = self.next;
        let mut contents = Vec::with_capacity(run.rows.capacity());
        for some in pairs.chunks(ROW) {
            run.rows.push((some[0].0, self.next));
            contents.push(
                some.iter()
                    .flat_map(|(key, at)| (u128::from(*key) << 64 | u128::from(*at)).to_be_bytes())
                    .collect::<Vec<u8>>(),
            );
            self.next += 1;
        }
        let rows = || run.rows.iter().zip(&contents);
        self.database.add(&schema::RELEASED_KEY, &mut |put| {
            rows().try_for_each(|((first, name), bytes)| {
                put(&[
                    Int(self.shard),
                    Int(*name),
                    Int(named),
                    Int(contents.len() as i64),
                    Int(i64::from(generation)),
                    Int(i64::from(level)),
                    Int(*first as i64),
                    Bytes(bytes),
                    Int(sums::keys(*name, bytes)),
                ])
            })
        })?;
        Ok(run)
    }

    /// Takes a run's pairs out of the store.
    fn take(&mut self, run: &Run, pairs: &mut Vec<(u64, u64)>) -> Result<(), StoreError> {
        let (Some((_, from)), Some((_, to))) = (run.rows.first(), run.rows.last()) else { return Ok(()) };
        let values: [Value<'_>; 3] = [Int(self.shard), Int(*from), Int(*to)];
        let mut there = 0;
        self.database.ask(
            "SELECT name, keys, sum FROM released_key WHERE shard = $1 AND name BETWEEN $2 AND $3",
            &values,
            &mut |row| {
                let bytes = row.bytes(1)?;
                if row.int(2)? != sums::keys(row.int(0)?, bytes) {
                    return Err(row.damaged("keys of released subjects have another sum".to_owned()));
                }
                there += 1;
                pairs.extend(pairs_of(bytes));
                Ok(())
            },
        )?;
        if there != run.rows.len() {
            return Err(damaged(self.database, MISSING));
        }
        self.database.run("DELETE FROM released_key WHERE shard = $1 AND name BETWEEN $2 AND $3", &values)?;
        Ok(())
    }
}

/// The shard's last commit, and the one up to which keys are in runs.
fn reached(database: &mut impl Database, shard: i64) -> Result<(u64, u64), StoreError> {
    let mut found = (0, 0);
    database.ask("SELECT sequence, indexed FROM shard WHERE shard = $1", &[Int(shard)], &mut |row| {
        found = (row.small(0)?, row.small(1)?);
        Ok(())
    })?;
    Ok(found)
}

fn damaged(database: &impl Database, what: &str) -> StoreError {
    StoreError::Damaged { target: database.target().to_owned(), what: what.to_owned() }
}
