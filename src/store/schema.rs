//! The schema, as numbered migrations, and the tables that rows are added to.

use super::database::{Database, Table};
use super::error::StoreError;

/// What each migration does; their numbers count from 1. A migration that was released is never changed.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
];

/// The newest schema that this program can.
pub(super) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Brings a store to the schema of this program, a migration a transaction. Several programs may do so at once.
pub(super) fn migrate(database: &mut impl Database) -> Result<(), StoreError> {
    let known = KNOWN;
    let found = database.schema()?.unwrap_or(0);
    if found > known {
        return Err(StoreError::Newer { target: database.target().to_owned(), found, known });
    }
    for number in found + 1..=known {
        database.begin(true)?;
        let done = database.migrate(number, MIGRATIONS[number as usize - 1]).and_then(|()| database.commit());
        if let Err(error) = done {
            database.rollback();
            return Err(error);
        }
    }
    Ok(())
}

/// Neither newer nor older than this program, for whoever only reads.
pub(super) fn known(database: &mut impl Database) -> Result<(), StoreError> {
    let known = KNOWN;
    let target = database.target().to_owned();
    match database.schema()? {
        Some(found) if found > known => Err(StoreError::Newer { target, found, known }),
        Some(found) if found == known => Ok(()),
        Some(_) => {
            let why = "its schema is an older version's: start `onus run` once, which brings it up to date".to_owned();
            Err(StoreError::Refused { target, why })
        }
        None => Err(StoreError::Refused { target, why: "there is no store in it: look at the address".to_owned() }),
    }
}

/// A migration's text for one kind of database.
pub(super) fn text_for(text: &str, kind: &str, words: &[(&str, &str)]) -> String {
    let only = format!("--{kind}:");
    let mut out = String::with_capacity(text.len());
    for line in text.lines().map(|line| line.strip_prefix(&only).unwrap_or(line)) {
        if !line.trim_start().starts_with("--") {
            out.push_str(line);
            out.push('\n');
        }
    }
    words.iter().fold(out, |text, (from, to)| text.replace(from, to))
}

/// Takes all rows out of all tables that are backed up: who is there at the moment is no part of a backup.
pub(super) const CLEAR: [&str; 12] = [
    "DELETE FROM shard",
    "DELETE FROM journal",
    "DELETE FROM ledger",
    "DELETE FROM letter",
    "DELETE FROM released_key",
    "DELETE FROM released_page",
    "DELETE FROM source_position",
    "DELETE FROM terms",
    "DELETE FROM snapshot_piece",
    "DELETE FROM remembered",
    "DELETE FROM stamp",
    "DELETE FROM regenerated",
];

/// All tables that are backed up.
pub(super) const ALL: [&Table; 12] = [
    &SHARD,
    &JOURNAL,
    &LEDGER,
    &LETTER,
    &RELEASED_KEY,
    &RELEASED_PAGE,
    &SOURCE_POSITION,
    &TERMS,
    &SNAPSHOT_PIECE,
    &REMEMBERED,
    &STAMP,
    &REGENERATED,
];

pub(super) static SHARD: Table = Table {
    name: "shard",
    columns: &[
        "shard",
        "epoch",
        "owner",
        "sequence",
        "now",
        "entries",
        "digest",
        "before_last",
        "letters",
        "snapshot",
        "pieces",
        "retired_commits",
        "retired_entries",
        "retired_digest",
        "indexed",
    ],
    key: 1,
};
pub(super) static JOURNAL: Table =
    Table { name: "journal", columns: &["shard", "sequence", "epoch", "now", "bytes", "sum"], key: 2 };
pub(super) static LEDGER: Table =
    Table { name: "ledger", columns: &["shard", "last", "first", "before", "digest", "latest", "bytes"], key: 2 };
pub(super) static LETTER: Table = Table {
    name: "letter",
    columns: &[
        "shard", "number", "source", "part", "place", "at", "reason", "detail", "record", "length", "hash", "state",
        "note", "sum",
    ],
    key: 2,
};
pub(super) static RELEASED_KEY: Table = Table {
    name: "released_key",
    columns: &["shard", "name", "run", "rows", "generation", "level", "first", "keys", "sum"],
    key: 2,
};
pub(super) static RELEASED_PAGE: Table = Table {
    name: "released_page",
    columns: &["shard", "generation", "sequence", "page", "keys", "bytes", "sum"],
    key: 4,
};
pub(super) static SOURCE_POSITION: Table = Table {
    name: "source_position",
    columns: &["shard", "source", "part", "incarnation", "next", "last", "sum"],
    key: 3,
};
pub(super) static TERMS: Table =
    Table { name: "terms", columns: &["shard", "since", "generation", "digest", "text", "sum"], key: 2 };
pub(super) static SNAPSHOT_PIECE: Table =
    Table { name: "snapshot_piece", columns: &["shard", "sequence", "piece", "epoch", "bytes", "sum"], key: 3 };
pub(super) static REMEMBERED: Table =
    Table { name: "remembered", columns: &["shard", "adapter", "id", "bytes", "at", "sum"], key: 3 };
pub(super) static STAMP: Table =
    Table { name: "stamp", columns: &["shard", "adapter", "config", "version", "since", "sum"], key: 2 };
pub(super) static REGENERATED: Table = Table {
    name: "regenerated",
    columns: &["shard", "source", "part", "generation", "begins", "ends", "why", "sum"],
    key: 4,
};
