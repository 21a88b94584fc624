//! SQLite: one file, for one node.
//!
//! A write-ahead log, each commit flushed to the disk before it counts. Other processes may read, mark dead letters and
//! make backups beside the owner.

use super::Store;
use super::database::{Cells, Database, Each, Put, Row, Table, Value};
use super::error::StoreError;
use super::kept::Kept;
use super::schema::text_for;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi, params_from_iter};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

/// "ONUS": what SQLite keeps in a file's header to say whose it is.
const APPLICATION: i64 = 0x4f4e_5553;
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often is looked meanwhile.
const LOOK: Duration = Duration::from_millis(1);
/// What a SQLite file begins with.
const HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Opens a store for a shard, and makes it if there is none.
///
/// # Errors
/// A folder that may not be written, a file of something else, a torn one, a newer schema.
pub fn open(path: &Path, shard: u16) -> Result<impl Store + use<>, StoreError> {
    Kept::open(Sqlite::open(path)?, shard)
}

/// A file, and what is open of it.
pub(super) struct Sqlite {
    connection: Connection,
    target: String,
}

impl Sqlite {
    /// Opens the file; an empty one is made if there is none.
    pub(super) fn open(path: &Path) -> Result<Sqlite, StoreError> {
        let target = path.display().to_string();
        let refused = |why: String| StoreError::Refused { target: target.clone(), why };
        prepare(path).map_err(|error| match error {
            Unfit::Refused(why) => refused(why),
            Unfit::Damaged(what) => StoreError::Damaged { target: target.clone(), what },
        })?;
        Sqlite::connect(path, target, true)
    }

    /// Opens a file that must be there, to read it: a backup stays as it is.
    pub(super) fn existing(path: &Path) -> Result<Sqlite, StoreError> {
        let target = path.display().to_string();
        match path.metadata() {
            Ok(file) if file.is_file() && file.len() > 0 => {}
            Ok(_) => {
                let why = "there is no store in it: look at the path".to_owned();
                return Err(StoreError::Refused { target, why });
            }
            Err(error) => {
                let why = format!("there is no store that can be read ({error}): look at the path");
                return Err(StoreError::Refused { target, why });
            }
        }
        Sqlite::connect(path, target, false)
    }

    fn connect(path: &Path, target: String, writes: bool) -> Result<Sqlite, StoreError> {
        // A file that may not be written is opened all the same, and says so when somebody tries.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(|error| told(&target, &error))?;
        let mut sqlite = Sqlite { connection, target };
        sqlite.settle(writes).map_err(|error| match error {
            Settling::Sqlite(error) => told(&sqlite.target, &error),
            Settling::Other(error) => error,
        })?;
        Ok(sqlite)
    }

    /// Copies every page into a new file while others write; rows copied.
    pub(super) fn back_up(&mut self, into: &Path) -> Result<u64, StoreError> {
        super::schema::known(self)?;
        create(into).map_err(|error| match error {
            Unfit::Refused(what) | Unfit::Damaged(what) => {
                StoreError::Refused { target: into.display().to_string(), why: what }
            }
        })?;
        let target = into.display().to_string();
        let copied = || -> rusqlite::Result<()> {
            let mut copy = Connection::open(into)?;
            // All pages in one step: begun anew at each write of the owner, it might never end.
            let backup = rusqlite::backup::Backup::new(&self.connection, &mut copy)?;
            backup.run_to_completion(i32::MAX, Duration::from_millis(50), None)
        };
        copied().map_err(|error| told(&target, &error))?;
        let mut copy = Sqlite::open(into)?;
        let mut rows = 0;
        for table in super::schema::ALL {
            copy.rows(&format!("SELECT COUNT(*) FROM {}", table.name), &[], &mut |row| {
                rows += row.small::<u64>(0)?;
                Ok(())
            })?;
        }
        copy.one_file()?;
        Ok(rows)
    }

    /// Puts everything into the one file: a backup has no log beside it.
    pub(super) fn one_file(self) -> Result<(), StoreError> {
        let mode: Result<String, _> = self.connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0));
        mode.map(drop).map_err(|error| self.told(&error))
    }

    fn settle(&mut self, writes: bool) -> Result<(), Settling> {
        self.connection.busy_handler(Some(waits))?;
        let connection = &self.connection;
        connection.set_prepared_statement_cache_capacity(64);
        // Both as of one moment: another process may make its first tables, and mark the file as ours, between them.
        let reading = connection.unchecked_transaction()?;
        let number = |sql: &str| reading.query_row(sql, [], |row| row.get::<_, i64>(0));
        let application = number("PRAGMA application_id")?;
        let tables = number("SELECT COUNT(*) FROM sqlite_schema")?;
        reading.commit()?;
        if application != APPLICATION && (application != 0 || tables > 0) {
            let why = "this SQLite file is of another program: name another file, or move this one away".to_owned();
            return Err(Settling::Other(StoreError::Refused { target: self.target.clone(), why }));
        }
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        if !writes {
            return Ok(());
        }
        // Only a file that is being made takes it. Most of what is written are blobs of many pages.
        connection.pragma_update(None, "page_size", 8_192)?;
        let mode = write_ahead(connection)?;
        if mode != "wal" {
            let why = format!(
                "this file system keeps no write-ahead log (`{mode}`): put the store on a local disk, not on a network folder"
            );
            return Err(Settling::Other(StoreError::Refused { target: self.target.clone(), why }));
        }
        // A commit counts when the disk has it, not when the kernel has.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Pages that many commits change (indexes) go from the log into the file once for all of them; about 32 MiB of log.
        connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        connection.pragma_update(None, "cache_size", -32_768)?;
        Ok(())
    }

    fn told(&self, error: &rusqlite::Error) -> StoreError {
        told(&self.target, error)
    }

    fn rows(&mut self, sql: &str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| told(&self.target, &error))?;
        let mut rows = statement.query(params_from_iter(values)).map_err(|error| told(&self.target, &error))?;
        while let Some(row) = rows.next().map_err(|error| told(&self.target, &error))? {
            each(&Row { cells: Cells::Sqlite(row), target: &self.target })?;
        }
        Ok(())
    }
}

/// Whoever else writes is waited for, `tried` times so far. SQLite's own way looks every tenth of a second in the end, and
/// misses the gaps of a process that commits one batch after another.
fn waits(tried: i32) -> bool {
    std::thread::sleep(LOOK);
    u128::try_from(tried).is_ok_and(|tried| tried * LOOK.as_millis() < PATIENCE.as_millis())
}

/// Changes to a write-ahead log; the mode that is now. SQLite does not wait for another process that does so too.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)) {
            Err(rusqlite::Error::SqliteFailure(code, _))
                if code.code == ErrorCode::DatabaseBusy && Instant::now() < until =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

enum Settling {
    Sqlite(rusqlite::Error),
    Other(StoreError),
}

impl From<rusqlite::Error> for Settling {
    fn from(error: rusqlite::Error) -> Self {
        Settling::Sqlite(error)
    }
}

enum Unfit {
    Refused(String),
    Damaged(String),
}

/// SQLite would say "unable to open database file" of all this.
fn prepare(path: &Path) -> Result<(), Unfit> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shown = folder.display();
    if path.is_dir() {
        return Err(Unfit::Refused("this is a folder: name a file in it".to_owned()));
    }
    if !folder.is_dir() {
        return Err(Unfit::Refused(format!("there is no folder {shown}: make it, and let this process write there")));
    }
    // The log lies beside the file, so the folder must be writable, not the file alone.
    tempfile::Builder::new().prefix(".onus-").tempfile_in(folder).map_err(|error| {
        Unfit::Refused(format!("the folder {shown} may not be written ({error}): let this process write there"))
    })?;
    match fs::File::open(path) {
        Ok(file) => {
            let mut header = Vec::with_capacity(HEADER.len());
            file.take(HEADER.len() as u64)
                .read_to_end(&mut header)
                .map_err(|error| Unfit::Refused(format!("it cannot be read: {error}")))?;
            if !header.is_empty() && header != HEADER {
                return Err(Unfit::Damaged("it does not begin as a SQLite file does".to_owned()));
            }
            fs::OpenOptions::new().append(true).open(path).map_err(|error| {
                Unfit::Refused(format!("it may not be written ({error}): let this process write it"))
            })?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path)?,
        Err(error) => {
            return Err(Unfit::Refused(format!("it cannot be read ({error}): let this process read and write it")));
        }
    }
    Ok(())
}

/// What partners did is not for everybody who has an account on the machine.
fn create(path: &Path) -> Result<(), Unfit> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| Unfit::Refused(format!("it cannot be made: {error}")))
}

/// SQLite's words, by what to do about them.
fn told(target: &str, error: &rusqlite::Error) -> StoreError {
    let target = target.to_owned();
    let rusqlite::Error::SqliteFailure(code, words) = error else {
        return StoreError::Refused { target, why: error.to_string() };
    };
    let why = words.clone().unwrap_or_else(|| code.to_string());
    match code.code {
        ErrorCode::DiskFull => StoreError::Full { target },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged { target, what: why },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            StoreError::Unavailable { target, why: format!("another process writes and does not end ({why})") }
        }
        ErrorCode::SystemIoFailure => match code.extended_code {
            ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => {
                StoreError::Damaged { target, what: why }
            }
            // The log's index could not grow.
            ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full { target },
            other => StoreError::Unavailable { target, why: format!("the disk does not do its work ({why}, {other})") },
        },
        _ => StoreError::Refused { target, why },
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Null => ValueRef::Null,
        }))
    }
}

impl Database for Sqlite {
    fn target(&self) -> &str {
        &self.target
    }

    fn again(&self) -> Result<Sqlite, StoreError> {
        Sqlite::existing(Path::new(self.connection.path().unwrap_or(&self.target)))
    }

    fn ready(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn begin(&mut self, writes: bool) -> Result<(), StoreError> {
        // Who will write says so at once: two who read first could never both go on.
        let sql = if writes { "BEGIN IMMEDIATE" } else { "BEGIN" };
        self.run(sql, &[]).map(drop)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT", &[]).map(drop)
    }

    fn rollback(&mut self) {
        // Some errors have rolled back already.
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK").ok();
        }
    }

    fn in_doubt(&self) -> bool {
        false
    }

    fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.told(&error))?;
        statement.execute(params_from_iter(values)).map(|rows| rows as u64).map_err(|error| self.told(&error))
    }

    fn run_each(&mut self, sql: &'static str, all: &[&[Value<'_>]]) -> Result<u64, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.told(&error))?;
        let mut touched = 0;
        for values in all {
            touched += statement.execute(params_from_iter(*values)).map_err(|error| self.told(&error))? as u64;
        }
        Ok(touched)
    }

    fn ask(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.rows(sql, values, each)
    }

    fn stream(&mut self, sql: &str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError> {
        self.rows(sql, values, each)
    }

    fn add(
        &mut self,
        table: &'static Table,
        fill: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, table.columns.join(", "));
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| self.told(&error))?;
        fill(&mut |values| statement.execute(params_from_iter(values)).map(drop).map_err(|error| self.told(&error)))
    }

    fn schema(&mut self) -> Result<Option<u32>, StoreError> {
        let number = |sql: &str| self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        let version = number("PRAGMA user_version").map_err(|error| self.told(&error))?;
        // A version that is no number of ours is newer than anything that we know.
        Ok(Some(u32::try_from(version).unwrap_or(u32::MAX)).filter(|version| *version > 0))
    }

    fn migrate(&mut self, number: u32, text: &str) -> Result<(), StoreError> {
        if self.schema()?.is_some_and(|found| found >= number) {
            return Ok(());
        }
        let text = text_for(text, "sqlite", &[("{bytes}", "BLOB"), ("{sorted}", "WITHOUT ROWID")]);
        let mark = format!("{text}\nPRAGMA user_version = {number};\nPRAGMA application_id = {APPLICATION};");
        self.connection.execute_batch(&mark).map_err(|error| self.told(&error))
    }

    fn look_inside(&mut self) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        let read = self.rows("PRAGMA integrity_check(20)", &[], &mut |row| {
            let said = row.text(0)?.into_owned();
            if said != "ok" {
                found.push(format!("file: {said}"));
            }
            Ok(())
        });
        match read {
            Err(StoreError::Damaged { what, .. }) => found.push(format!("file: {what}")),
            other => other?,
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::{Batch, Claim};
    use onus_engine::time::Moment;

    fn batch<'a>(claim: &Claim, journal: &'a [u8]) -> Batch<'a> {
        Batch { journal, ..Batch::empty(claim.sequence + 1, Moment(1)) }
    }

    #[test]
    fn a_full_disk_is_told_and_nothing_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Kept::open(Sqlite::open(&folder.path().join("onus.db")).unwrap(), 7).unwrap();
        let claim = store.claim("test").unwrap();
        store.database.connection.execute_batch("PRAGMA max_page_count = 60").unwrap();
        let large = vec![7; 400_000];
        let full = store.commit(claim.epoch, &batch(&claim, &large)).unwrap_err();
        assert!(matches!(full, StoreError::Full { .. }) && full.may_pass(), "{full}");
        assert_eq!(store.verify().unwrap().commits, 0);
        store.commit(claim.epoch, &batch(&claim, b"small")).unwrap();
        store.database.connection.execute_batch("PRAGMA max_page_count = 100000").unwrap();
        let claim = store.claim("test").unwrap();
        store.commit(claim.epoch, &batch(&claim, &large)).unwrap();
        assert_eq!(store.verify().unwrap().wrong, Vec::<String>::new());
    }
}
