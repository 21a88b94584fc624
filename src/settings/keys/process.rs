//! What the process itself needs: what is owed, where it is written down, how it is judged, where it listens.

use super::Absent::{Is, Nothing};
use super::Shape::{Bool, Choice, Length, Path, Paths, Size, Text, Whole};
use super::{CENTURY, CLOCKS, DAY, Form, ROLES, SECOND, Section, key};

pub(super) const CONTRACTS: Section = Section {
    name: "contracts",
    form: Form::Once,
    words: "What is owed.",
    keys: &[
        key("paths", Paths, Is("[\"contracts\"]"), "Contract files, and folders of contract files."),
        key("library", Paths, Is("[]"), "Folders in which included files are looked for, too."),
    ],
};

pub(super) const CATALOGUE: Section = Section {
    name: "catalogue",
    form: Form::Once,
    words: "Which native names are one identity, and whose it is (docs/guide/catalogue.md).",
    keys: &[key("paths", Paths, Is("[]"), "Catalogue files, and folders of them.")],
};

pub(super) const STORE: Section = Section {
    name: "store",
    form: Form::Once,
    words: "What must outlive the process: journal, ledger, positions of sources.",
    keys: &[
        key(
            "url",
            Text,
            Is("\"sqlite:onus.db\""),
            "`sqlite:FILE` for one node, or `postgres://USER@HOST:PORT/DATABASE` where several share it. \
             A password does not stand here.",
        ),
        key("password-file", Path, Nothing("\"/run/secrets/store\""), "File that holds PostgreSQL's password."),
    ],
};

pub(super) const JUDGE: Section = Section {
    name: "judge",
    form: Form::Once,
    words: "How it is judged, and how often it is written down.",
    keys: &[
        key(
            "clock",
            Choice(CLOCKS),
            Is("\"wall\""),
            "`wall`: it is as late as this machine's clock says. `events`: it is as late as the events of the \
             sources say, for trials and for reading an archive.",
        ),
        key(
            "settling",
            Length(SECOND, CENTURY),
            Is("\"7 days\""),
            "How late news may come and still change what was said. What ended longer ago leaves memory.",
        ),
        key(
            "commit-every",
            Length(1, 60 * SECOND),
            Is("\"50ms\""),
            "The longest that judged events wait for a commit.",
        ),
        key(
            "batch",
            Whole(1, 1_000_000),
            Is("5000"),
            "Events after which a commit is due; up to four times as many where the one before it takes long.",
        ),
        key(
            "snapshot-every",
            Length(SECOND, 30 * DAY),
            Is("\"10min\""),
            "How often the whole state is written; after a restart, only what came since is judged again.",
        ),
        key(
            "retention",
            Length(DAY, CENTURY),
            Is("\"2555 days\""),
            "How long journal and ledger are kept (seven years).",
        ),
    ],
};

pub(super) const RUN: Section = Section {
    name: "run",
    form: Form::Once,
    words: "What a process does of the whole (docs/scale-out.md).",
    keys: &[
        key(
            "role",
            Choice(ROLES),
            Is("\"all\""),
            "`all`: reads, judges, tells, and needs no exchange. `intake`: reads sources, and writes their events to the \
             exchange. `judge`: judges partitions of the exchange. `onus run --role` says it, too.",
        ),
        key(
            "shard",
            Whole(0, 9_999),
            Nothing("0"),
            "Of a judge: which partition of the exchange is its own, and so which shard of the store. Unsaid, with PostgreSQL: \
             judges share the partitions. `onus run --shard` says it, too.",
        ),
        key(
            "name",
            Text,
            Nothing("\"judge-1\""),
            "Of a judge that shares: what it is called in `onus shards`. Unsaid: after the machine and the process. No two may have one \
             name; one that is started again under its name has its partitions back at once.",
        ),
        key(
            "lease",
            Length(SECOND / 5, 60 * SECOND),
            Is("\"3s\""),
            "Of a judge that shares: how long after it was heard last the others take over. It is heard thrice as often.",
        ),
        key(
            "drain",
            Length(0, 600 * SECOND),
            Is("\"10s\""),
            "Of a judge that shares: how long it may take to finish with a partition that another one gets; beyond that the other \
             one begins all the same, and what is not written is written there.",
        ),
        key(
            "lane",
            Whole(0, 255),
            Nothing("0"),
            "Of an intake, where `[exchange] lanes` is more than 1: which of them it runs. `onus run --lane` says it, too.",
        ),
    ],
};

pub(super) const EXCHANGE: Section = Section {
    name: "exchange",
    form: Form::Once,
    words: "The topic through which events go from intake to judges. Needs `cluster`, `topic` and `partitions`.",
    keys: &[
        key("cluster", Text, Nothing("\"main\""), "Name of a `[kafka.NAME]` section; needs `topic`."),
        key(
            "topic",
            Text,
            Nothing("\"onus.events\""),
            "Its topic, made beforehand, written by intakes alone. Its key is the partner.",
        ),
        key(
            "partitions",
            Whole(1, 10_000),
            Nothing("12"),
            "How many partitions it was made with. It says which partner belongs to which judge: another number is \
             refused, and needs a new topic and a new store (`onus store reshard`).",
        ),
        key(
            "lanes",
            Whole(1, 256),
            Is("1"),
            "How many intakes divide the sources between them. It says who reads what, so it never changes: a store that was \
             filled with another number is refused.",
        ),
    ],
};

pub(super) const HTTP: Section = Section {
    name: "http",
    form: Form::Once,
    words: "The port on which Onus listens: metrics, interface, and events that are pushed.",
    keys: &[
        key(
            "listen",
            Text,
            Is("\"127.0.0.1:9464\""),
            "Address and port. The default is heard on this machine only; there is no TLS, so put a proxy before it.",
        ),
        key("max-body", Size(1 << 30), Is("\"1 MiB\""), "The longest request that is read."),
        key(
            "tokens-file",
            Path,
            Nothing("\"/run/secrets/tokens\""),
            "File with a line `SOURCE SHA256` for each token that may push: the source's name and the token's hash \
             in hexadecimal digits. Another way is `token-file` at the source.",
        ),
        key(
            "metrics-tokens-file",
            Path,
            Nothing("\"/etc/onus/metrics-tokens\""),
            "File of the tokens that open figures, hashed; `onus token` writes it, and it is read again when it changes. \
             Without it `/partners/PARTNER/metrics` opens for nobody.",
        ),
        key(
            "metrics-need-token",
            Bool,
            Is("false"),
            "Whether `/metrics` wants a token, too: one that was made with `--all`.",
        ),
    ],
};

pub(super) const DEAD_LETTERS: Section = Section {
    name: "dead-letters",
    form: Form::Once,
    words: "Where dead letters are told besides. They stand in the store in any case.",
    keys: &[
        key("cluster", Text, Nothing("\"main\""), "Name of a `[kafka.NAME]` section; needs `topic`."),
        key(
            "topic",
            Text,
            Nothing("\"onus.dead-letters\""),
            "Its topic. Each letter is written to it after the commit that holds it, at least once, as JSON; its key \
             is the source and the letter's number.",
        ),
    ],
};
