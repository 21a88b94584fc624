//! Backups, and what comes back of them.
//!
//! A backup is a SQLite store, whatever it was taken from: it can be verified, opened, listed, and put back
//! into either kind of place. It is taken as of one instant while the owner goes on writing.

use super::database::{Cell, Database, Value};
use super::error::StoreError;
use super::kept::Kept;
use super::place::Place;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Store, Verified, check, schema};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The shards that a store holds, each with what is in it and what is wrong.
///
/// # Errors
/// A store that cannot be opened: one that is too damaged for that, too.
pub fn verify(place: &Place) -> Result<BTreeMap<u16, Verified>, StoreError> {
    match place {
        Place::Sqlite(path) => verify_all(&mut Sqlite::existing(path)?),
        Place::Postgres(server) => verify_all(&mut Postgres::open(server)?),
    }
}

/// The shards that a store holds.
///
/// # Errors
/// It cannot be opened, or is another version's.
pub fn held(place: &Place) -> Result<Vec<u16>, StoreError> {
    fn all(database: &mut impl Database) -> Result<Vec<u16>, StoreError> {
        schema::known(database)?;
        read(database, shards)
    }
    match place {
        Place::Sqlite(path) => all(&mut Sqlite::existing(path)?),
        Place::Postgres(server) => all(&mut Postgres::open(server)?),
    }
}

/// Opens a shard's store that must be there, to read it.
///
/// # Errors
/// There is none, or it is another version's.
pub fn existing(place: &Place, shard: u16) -> Result<Box<dyn Store>, StoreError> {
    let shard = i64::from(shard);
    Ok(match place {
        Place::Sqlite(path) => {
            let mut database = Sqlite::existing(path)?;
            schema::known(&mut database)?;
            Box::new(Kept::of(database, shard))
        }
        Place::Postgres(server) => {
            let mut database = Postgres::open(server)?;
            schema::known(&mut database)?;
            Box::new(Kept::of(database, shard))
        }
    })
}

fn verify_all(database: &mut impl Database) -> Result<BTreeMap<u16, Verified>, StoreError> {
    schema::known(database)?;
    let mut below = database.look_inside()?;
    read(database, |database| {
        let mut all = BTreeMap::new();
        for shard in shards(database)? {
            // What the database says of itself is of no shard: it is told once.
            all.insert(shard, check::all(database, i64::from(shard), std::mem::take(&mut below))?);
        }
        if !below.is_empty() {
            all.entry(0).or_insert_with(Verified::default).wrong.append(&mut below);
        }
        Ok(all)
    })
}

pub(super) fn shards(database: &mut impl Database) -> Result<Vec<u16>, StoreError> {
    let mut found = Vec::new();
    database.ask("SELECT shard FROM shard ORDER BY shard", &[], &mut |row| {
        found.push(row.small(0)?);
        Ok(())
    })?;
    Ok(found)
}

/// As of one instant.
fn read<D: Database, T>(database: &mut D, work: impl FnOnce(&mut D) -> Result<T, StoreError>) -> Result<T, StoreError> {
    database.begin(false)?;
    let done = work(database);
    database.rollback();
    done
}

/// Writes everything into a new file; rows copied.
///
/// # Errors
/// The file is there already, or either of the two fails; then there is no file.
pub fn backup(from: &Place, into: &Path) -> Result<u64, StoreError> {
    let target = into.display().to_string();
    if into.exists() {
        let why = "this file is there already: name a new one, so that no backup takes an older one's place".to_owned();
        return Err(StoreError::Refused { target, why });
    }
    // Under another name until it is whole: what has the name is a backup.
    let folder = into.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| StoreError::Refused {
        target: target.clone(),
        why: format!("it cannot be written there ({error}): let this user write in {}", folder.display()),
    };
    let half = tempfile::Builder::new().prefix(".onus-backup-").tempdir_in(folder).map_err(failed)?;
    let path = half.path().join("onus.db");
    let copied = match from {
        Place::Sqlite(source) => Sqlite::existing(source)?.back_up(&path)?,
        Place::Postgres(server) => {
            let mut source = Postgres::open(server)?;
            schema::known(&mut source)?;
            let mut copy = Sqlite::open(&path)?;
            schema::migrate(&mut copy)?;
            let copied = read(&mut source, |source| copy_all(source, &mut copy))?;
            copy.one_file()?;
            copied
        }
    };
    let file = std::fs::File::open(&path).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    // A link, unlike a rename, takes nothing's place.
    std::fs::hard_link(&path, into).map_err(failed)?;
    Ok(copied)
}

/// What a restore has done.
#[derive(Debug)]
pub struct Restored {
    /// Rows copied.
    pub rows: u64,
    /// Files that were too damaged to be written to, under their new names.
    pub moved: Vec<PathBuf>,
}

/// Puts a backup into a place. What is there goes, if `overwrite` says so.
///
/// # Errors
/// There is something, and nobody said that it may go; or either of the two fails: then all is as it was.
pub fn restore(from: &Path, into: &Place, overwrite: bool) -> Result<Restored, StoreError> {
    let mut source = Sqlite::existing(from)?;
    schema::known(&mut source)?;
    let mut moved = Vec::new();
    let rows = match into {
        Place::Postgres(server) => put_back(&mut source, &mut Postgres::open(server)?, overwrite)?,
        Place::Sqlite(path) => {
            let done = Sqlite::open(path).and_then(|mut into| put_back(&mut source, &mut into, overwrite));
            match done {
                Err(StoreError::Damaged { .. }) if overwrite => {
                    moved = move_aside(path)?;
                    put_back(&mut source, &mut Sqlite::open(path)?, overwrite)?
                }
                done => done?,
            }
        }
    };
    Ok(Restored { rows, moved })
}

/// Gives a damaged file, and what lies beside it, other names.
fn move_aside(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let name = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let free = (0..).map(|number| format!(".damaged-{number}")).find(|mark| !name(mark).exists()).unwrap_or_default();
    let mut moved = Vec::new();
    for ending in ["", "-wal", "-shm"] {
        let (from, to) = (name(ending), name(&format!("{free}{ending}")));
        match std::fs::rename(&from, &to) {
            Ok(()) => moved.push(to),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let why = format!("it is damaged and cannot be moved aside: {error}");
                return Err(StoreError::Refused { target: from.display().to_string(), why });
            }
        }
    }
    Ok(moved)
}

fn put_back(source: &mut Sqlite, into: &mut impl Database, overwrite: bool) -> Result<u64, StoreError> {
    schema::migrate(into)?;
    read(source, |source| {
        into.begin(true)?;
        let done = clear(into, overwrite).and_then(|epochs| {
            let copied = copy_rows(source, into)?;
            outlive(into, &epochs)?;
            into.commit().map(|()| copied)
        });
        if done.is_err() {
            into.rollback();
        }
        done
    })
}

/// Takes out what is there; the epochs that it had.
fn clear(into: &mut impl Database, overwrite: bool) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut epochs = Vec::new();
    into.ask("SELECT shard, epoch FROM shard ORDER BY shard", &[], &mut |row| {
        epochs.push((row.int(0)?, row.int(1)?));
        Ok(())
    })?;
    if !epochs.is_empty() && !overwrite {
        let why = "there is a store already: say --overwrite if it may go, or name another place".to_owned();
        return Err(StoreError::Refused { target: into.target().to_owned(), why });
    }
    for sql in schema::CLEAR {
        into.run(sql, &[])?;
    }
    Ok(epochs)
}

/// Whoever wrote there before must not take the older state for its own: epochs go on from the higher of the two.
fn outlive(into: &mut impl Database, epochs: &[(i64, i64)]) -> Result<(), StoreError> {
    for (shard, epoch) in epochs {
        into.run(
            "UPDATE shard SET epoch = CASE WHEN epoch > $1 THEN epoch ELSE $1 END + 1 WHERE shard = $2",
            &[Value::Int(*epoch), Value::Int(*shard)],
        )?;
    }
    Ok(())
}

fn copy_all(source: &mut impl Database, copy: &mut Sqlite) -> Result<u64, StoreError> {
    copy.begin(true)?;
    let done = copy_rows(source, copy).and_then(|copied| copy.commit().map(|()| copied));
    if done.is_err() {
        copy.rollback();
    }
    done
}

fn copy_rows(source: &mut impl Database, into: &mut impl Database) -> Result<u64, StoreError> {
    let mut copied = 0;
    for table in schema::ALL {
        let order = table.columns[..table.key].join(", ");
        let sql = format!("SELECT {} FROM {} ORDER BY {order}", table.columns.join(", "), table.name);
        into.add(table, &mut |put| {
            source.stream(&sql, &[], &mut |row| {
                let cells = (0..table.columns.len()).map(|column| row.cell(column)).collect::<Result<Vec<_>, _>>()?;
                copied += 1;
                put(&cells.iter().map(Cell::value).collect::<Vec<_>>())
            })
        })?;
    }
    Ok(copied)
}
