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
    messages BIGINT NOT NULL,
    snapshot BIGINT NOT NULL,
    pieces BIGINT NOT NULL,
    retired_commits BIGINT NOT NULL,
    retired_entries BIGINT NOT NULL,
    retired_digest {bytes} NOT NULL
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

CREATE TABLE entry (
    shard BIGINT NOT NULL,
    number BIGINT NOT NULL,
    partner TEXT NOT NULL,
    contract TEXT NOT NULL,
    obligation TEXT NOT NULL,
    clause TEXT NOT NULL,
    subject TEXT NOT NULL,
    duty {bytes} NOT NULL,
    stood TEXT NOT NULL,
    stands TEXT NOT NULL,
    start BIGINT NOT NULL,
    deadline BIGINT,
    ended BIGINT,
    broken BIGINT NOT NULL,
    excused BIGINT NOT NULL,
    adjustment BIGINT NOT NULL,
    used BIGINT NOT NULL,
    at BIGINT NOT NULL,
    heard BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    PRIMARY KEY (shard, number)
) {sorted};
CREATE INDEX entry_of_partner ON entry (shard, partner, number);
CREATE INDEX entry_of_subject ON entry (shard, subject, number);

CREATE TABLE message (
    shard BIGINT NOT NULL,
    number BIGINT NOT NULL,
    partner TEXT NOT NULL,
    identity TEXT NOT NULL,
    body TEXT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, number)
) {sorted};

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

CREATE TABLE released_key (
    shard BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    key BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    page BIGINT NOT NULL,
    PRIMARY KEY (shard, generation, key, sequence, page)
) {sorted};

-- `keys` counts, and `keys_sum` mixes, the rows of released_key that lead here.
CREATE TABLE released_page (
    shard BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    page BIGINT NOT NULL,
    keys BIGINT NOT NULL,
    keys_sum BIGINT NOT NULL,
    bytes {bytes} NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, generation, sequence, page)
);

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
