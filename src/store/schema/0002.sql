-- What adapters remember of the records of their sources: a row by the source's own id, in the adapter's form.
CREATE TABLE remembered (
    shard BIGINT NOT NULL,
    adapter TEXT NOT NULL,
    id TEXT NOT NULL,
    bytes {bytes} NOT NULL,
    at BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, adapter, id)
) {sorted};

-- Under which settings and by which version of the code each of them reads, and from which commit on.
CREATE TABLE stamp (
    shard BIGINT NOT NULL,
    adapter TEXT NOT NULL,
    config {bytes} NOT NULL,
    version BIGINT NOT NULL,
    since BIGINT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, adapter)
);
