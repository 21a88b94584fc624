-- What a store holds. One text for SQLite and PostgreSQL; where they differ:
--   {bytes}    BLOB, or BYTEA
--   {sorted}   WITHOUT ROWID: the rows lie in the key's own order; PostgreSQL has no such tables
--   a line that begins with "--sqlite:" or "--postgres:" is for that one alone
-- There are three types: whole numbers, texts, bytes. Instants are milliseconds since the epoch, in UTC. Hashes and sums
-- are 64 bits with a sign; `sum` is a CRC-32 over the row (store/sums.rs), since bytes rot.

CREATE TABLE shard (
    shard BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL,
    owner TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    now BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    before_last {bytes} NOT NULL,
    letters BIGINT NOT NULL,
    snapshot BIGINT NOT NULL,
    pieces BIGINT NOT NULL,
    retired_commits BIGINT NOT NULL,
    retired_entries BIGINT NOT NULL,
    retired_digest {bytes} NOT NULL,
    indexed BIGINT NOT NULL
);

CREATE TABLE journal (
    shard BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    now BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, sequence)
);

-- Some hundreds of entries to a row (store/ledger.rs), from `first` to `last`; `before` and `digest` are those of the entry
-- before the first and of the last, `latest` is when the entry was decided that was decided last.
CREATE TABLE ledger (
    shard BIGINT NOT NULL,
    last BIGINT NOT NULL,
    first BIGINT NOT NULL,
    before {bytes} NOT NULL,
    digest {bytes} NOT NULL,
    latest BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    PRIMARY KEY (shard, last)
);

CREATE TABLE letter (
    shard BIGINT NOT NULL,
    number BIGINT NOT NULL,
    source TEXT NOT NULL,
    part BIGINT NOT NULL,
    place BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    record {bytes} NOT NULL,
    length BIGINT NOT NULL,
    hash BIGINT NOT NULL,
    state BIGINT NOT NULL,
    note TEXT,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, number)
);

-- Runs of keys of released subjects (store/released.rs): pairs of key and place, sorted, `first` the first key. A run has
-- the name of the first of its `rows`. The keys of
-- pages of commits after the shard's `indexed` are not in them yet, but with their pages alone.
CREATE TABLE released_key (
    shard BIGINT NOT NULL,
    name BIGINT NOT NULL,
    run BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    level BIGINT NOT NULL,
    first BIGINT NOT NULL,
    keys {bytes} NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, name)
);

CREATE TABLE released_page (
    shard BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    page BIGINT NOT NULL,
    keys {bytes} NOT NULL,
    bytes {bytes} NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, generation, sequence, page)
);

-- How far sources were read; under names that begin with @, how much receivers were told.
CREATE TABLE source_position (
    shard BIGINT NOT NULL,
    source TEXT NOT NULL,
    part BIGINT NOT NULL,
    incarnation TEXT NOT NULL,
    next BIGINT NOT NULL,
    last BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, source, part)
) {sorted};

CREATE TABLE terms (
    shard BIGINT NOT NULL,
    since BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    text TEXT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, since)
);

CREATE TABLE snapshot_piece (
    shard BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    piece BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, sequence, piece)
);

-- These come compressed: PostgreSQL need not try again.
--postgres: ALTER TABLE journal ALTER COLUMN bytes SET STORAGE EXTERNAL;
--postgres: ALTER TABLE released_page ALTER COLUMN bytes SET STORAGE EXTERNAL;
--postgres: ALTER TABLE snapshot_piece ALTER COLUMN bytes SET STORAGE EXTERNAL;
