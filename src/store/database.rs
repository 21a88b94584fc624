//! What the store needs of a database, and no more: SQLite and PostgreSQL (sqlite.rs, postgres.rs) each do this, and the
//! store's rules (kept.rs) are written once, above it.
//!
//! Statements are the same text for both. Parameters are `$1`, `$2`, ...: first named in their order, since SQLite numbers
//! them by first sight.

use super::StoreError;
use std::borrow::Cow;
use std::fmt;

/// What goes into a cell.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Null,
}

/// What is in a cell.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    Int(i64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    Null,
}

impl Cell<'_> {
    pub(super) fn value(&self) -> Value<'_> {
        match self {
            Cell::Int(number) => Value::Int(*number),
            Cell::Text(text) => Value::Text(text),
            Cell::Bytes(bytes) => Value::Bytes(bytes),
            Cell::Null => Value::Null,
        }
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Value::Null, Value::Int)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Value::Null, Value::Text)
    }
}

/// A table that rows are added to in bulk.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Its columns, in the schema's order.
    pub(super) columns: &'static [&'static str],
    /// How many of the first columns name a row.
    pub(super) key: usize,
}

/// One row of an answer.
pub(super) struct Row<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) target: &'a str,
}

pub(super) enum Cells<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

/// The cell is not of the kind that the schema says.
struct Odd(String);

impl<E: fmt::Display> From<E> for Odd {
    fn from(error: E) -> Odd {
        Odd(error.to_string())
    }
}

impl<'a> Row<'a> {
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        let cell = match &self.cells {
            Cells::Sqlite(row) => row.get(column).map_err(Odd::from),
            Cells::Postgres(row) => row.try_get(column).map_err(Odd::from),
        };
        self.odd(column, cell)
    }

    pub(super) fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        let cell = match &self.cells {
            Cells::Sqlite(row) => row.get(column).map_err(Odd::from),
            Cells::Postgres(row) => row.try_get(column).map_err(Odd::from),
        };
        self.odd(column, cell)
    }

    pub(super) fn text(&self, column: usize) -> Result<Cow<'_, str>, StoreError> {
        self.maybe_text(column)?.ok_or_else(|| self.damaged(format!("column {column} is empty")))
    }

    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<Cow<'_, str>>, StoreError> {
        let cell = match &self.cells {
            Cells::Sqlite(row) => row
                .get_ref(column)
                .map_err(Odd::from)
                .and_then(|cell| cell.as_str_or_null().map_err(Odd::from))
                .map(|text| text.map(Cow::Borrowed)),
            Cells::Postgres(row) => {
                row.try_get::<_, Option<&str>>(column).map_err(Odd::from).map(|text| text.map(with_zeros))
            }
        };
        self.odd(column, cell)
    }

    pub(super) fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        let cell = match &self.cells {
            Cells::Sqlite(row) => row.get_ref(column).map_err(Odd::from).and_then(|c| c.as_blob().map_err(Odd::from)),
            Cells::Postgres(row) => row.try_get(column).map_err(Odd::from),
        };
        self.odd(column, cell)
    }

    /// Bytes of a fixed number.
    pub(super) fn exactly<const N: usize>(&self, column: usize) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map_err(|_| self.damaged(format!("column {column} has {} bytes, not {N}", bytes.len())))
    }

    /// A number that was written from one of another kind.
    pub(super) fn small<T: TryFrom<i64>>(&self, column: usize) -> Result<T, StoreError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| self.damaged(format!("column {column} holds {number}, which cannot be")))
    }

    /// Whatever is there.
    pub(super) fn cell(&self, column: usize) -> Result<Cell<'_>, StoreError> {
        use rusqlite::types::ValueRef;
        match &self.cells {
            Cells::Sqlite(row) => match self.odd(column, row.get_ref(column).map_err(Odd::from))? {
                ValueRef::Null => Ok(Cell::Null),
                ValueRef::Integer(number) => Ok(Cell::Int(number)),
                ValueRef::Text(_) => Ok(Cell::Text(self.text(column)?)),
                ValueRef::Blob(bytes) => Ok(Cell::Bytes(bytes)),
                ValueRef::Real(_) => Err(self.damaged(format!("column {column} holds a fraction"))),
            },
            Cells::Postgres(row) => match *row.columns()[column].type_() {
                tokio_postgres::types::Type::INT8 => Ok(self.maybe_int(column)?.map_or(Cell::Null, Cell::Int)),
                tokio_postgres::types::Type::BYTEA => Ok(Cell::Bytes(self.bytes(column)?)),
                _ => Ok(self.maybe_text(column)?.map_or(Cell::Null, Cell::Text)),
            },
        }
    }

    fn odd<T>(&self, column: usize, cell: Result<T, Odd>) -> Result<T, StoreError> {
        cell.map_err(|Odd(why)| self.damaged(format!("column {column} cannot be read: {why}")))
    }

    pub(super) fn damaged(&self, what: String) -> StoreError {
        StoreError::Damaged { target: self.target.to_owned(), what }
    }
}

/// PostgreSQL's texts cannot hold the character zero, and partners can send it: it is written as [`ESCAPE`] and `0` there.
const ESCAPE: char = '\u{1a}';

/// A text as PostgreSQL takes it.
pub(super) fn without_zeros(text: &str) -> Cow<'_, str> {
    if memchr::memchr2(0, ESCAPE as u8, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    // First the escapes themselves, so that nothing is escaped twice.
    Cow::Owned(text.replace(ESCAPE, "\u{1a}1").replace('\0', "\u{1a}0"))
}

/// And back.
pub(super) fn with_zeros(text: &str) -> Cow<'_, str> {
    if memchr::memchr(ESCAPE as u8, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{1a}0", "\0").replace("\u{1a}1", "\u{1a}"))
}

/// Shows a row.
pub(super) type Each<'e> = dyn FnMut(&Row<'_>) -> Result<(), StoreError> + 'e;
/// Takes a row.
pub(super) type Put<'p> = dyn FnMut(&[Value<'_>]) -> Result<(), StoreError> + 'p;

/// See the module. Every statement stands between `begin` and `commit` or `rollback`.
pub(super) trait Database: Send {
    /// Which store, for people; without secrets.
    fn target(&self) -> &str;

    /// Another connection to the same, to read beside this one.
    fn again(&self) -> Result<Self, StoreError>
    where
        Self: Sized;

    /// Questions can be asked outside of a transaction: a connection that was lost is made anew.
    fn ready(&mut self) -> Result<(), StoreError>;

    /// Begins a transaction: one that writes, or one that sees everything as of one instant.
    fn begin(&mut self, writes: bool) -> Result<(), StoreError>;

    /// Ends it. What was written is on disk when this returns.
    fn commit(&mut self) -> Result<(), StoreError>;

    /// Ends it as if it had not been. Has no trouble of its own: a lost connection rolls back, too.
    fn rollback(&mut self);

    /// The last `commit` failed so that nobody knows whether it took place.
    fn in_doubt(&self) -> bool;

    /// Runs a statement; how many rows it has touched.
    fn run(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, StoreError>;

    /// Runs a statement for each list of values; how many rows they have touched together.
    fn run_each(&mut self, sql: &'static str, all: &[&[Value<'_>]]) -> Result<u64, StoreError>;

    /// Shows the rows of an answer that fits into memory.
    fn ask(&mut self, sql: &'static str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError>;

    /// Shows the rows of an answer that need not fit into memory.
    fn stream(&mut self, sql: &str, values: &[Value<'_>], each: &mut Each<'_>) -> Result<(), StoreError>;

    /// Adds rows: `fill` puts them, each with a value for each column.
    fn add(
        &mut self,
        table: &'static Table,
        fill: &mut dyn FnMut(&mut Put<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// The number of the newest migration; None: there is nothing yet. Stands outside of transactions.
    fn schema(&mut self) -> Result<Option<u32>, StoreError>;

    /// In a transaction that writes: applies a migration, unless it or a later one has been applied meanwhile.
    fn migrate(&mut self, number: u32, text: &str) -> Result<(), StoreError>;

    /// Looks for damage below what statements show.
    fn look_inside(&mut self) -> Result<Vec<String>, StoreError>;
}
