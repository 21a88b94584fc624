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

-- What was read anew under other settings of an adapter: what was made of these records before is void.
CREATE TABLE regenerated (
    shard BIGINT NOT NULL,
    source TEXT NOT NULL,
    part BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    begins BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    why TEXT NOT NULL,
    sum BIGINT NOT NULL,
    PRIMARY KEY (shard, source, part, generation)
);
