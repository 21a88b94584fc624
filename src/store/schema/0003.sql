-- Pools (src/pool): who is there to own units, and who owns which. Only PostgreSQL has any; `pool` says of what the units are. Instants are
-- those of the database's clock.
CREATE TABLE member (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    token TEXT NOT NULL,
    since BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    lease BIGINT NOT NULL,
    draining BIGINT NOT NULL,
    version TEXT NOT NULL,
    knows BIGINT NOT NULL,
    PRIMARY KEY (pool, name)
) {sorted};

CREATE TABLE lease (
    pool TEXT NOT NULL,
    unit BIGINT NOT NULL,
    member TEXT,
    giving BIGINT NOT NULL,
    pinned TEXT,
    taken BIGINT NOT NULL,
    rests BIGINT NOT NULL,
    PRIMARY KEY (pool, unit)
) {sorted};
