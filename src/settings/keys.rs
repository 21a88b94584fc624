//! Every setting, declared once: reader, default file and reference take it from here.

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// Files or folders.
    Paths,
    /// Texts.
    List,
    /// true or false.
    Bool,
    /// A whole number between these.
    Whole(i64, i64),
    /// A length of time between these, in milliseconds.
    Length(i64, i64),
    /// `none`, or a length of time between these.
    MaybeLength(i64, i64),
    /// A size of at most so many bytes.
    Size(u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `earliest`, `latest`, or an instant.
    Start,
    /// Names and texts of somebody else's.
    Open,
}

/// What holds where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absent {
    /// This, as TOML.
    Is(&'static str),
    /// Nothing; an example of a value, as TOML.
    Nothing(&'static str),
    /// It must be said; an example of a value, as TOML.
    Refused(&'static str),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// With a dot for a table within the section.
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) absent: Absent,
    /// Kinds of source that have it; empty: all.
    pub(super) kinds: &'static [&'static str],
    pub(super) words: &'static str,
}

/// Settings that belong together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) form: Form,
    pub(super) words: &'static str,
    pub(super) keys: &'static [Key],
}

/// How a section is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `[judge]`
    Once,
    /// `[kafka.NAME]`, as often as you like.
    Named,
    /// `[[source]]`, each with a `name`.
    Listed,
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;
const CENTURY: i64 = 36_525 * DAY;

const fn key(name: &'static str, shape: Shape, absent: Absent, words: &'static str) -> Key {
    Key { name, shape, absent, kinds: &[], words }
}

const fn of(kinds: &'static [&'static str], key: Key) -> Key {
    Key { kinds, ..key }
}

pub(super) const KINDS: &[&str] = &["kafka", "file", "stdin", "http"];
/// Adapters that there are (ingest/adapt), and a source's own; a test holds the list against theirs.
pub(super) const ADAPTERS: &[&str] =
    &["servicenow", "aws", "jira", "vault", "azure", "cyberark", "okta", "pagerduty", "mapper"];
pub(super) const CLOCKS: &[&str] = &["wall", "events"];
pub(super) const ROLES: &[&str] = &["all", "intake", "judge"];
pub(super) const TRUST: &[&str] = &["asserted", "shared", "system", "verified"];
pub(super) const OWNERS: &[&str] = &["partner", "customer"];
pub(super) const FORMATS: &[&str] = &["auto", "json", "confluent"];
pub(super) const MECHANISMS: &[&str] = &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

use Absent::{Is, Nothing, Refused};
use Shape::{Bool, Choice, Length, List, MaybeLength, Open, Path, Paths, Size, Start, Text, Whole};

// Whoever is told or asked over HTTP.
const TLS_CA: Key = key(
    "tls.ca-file",
    Path,
    Nothing("\"/etc/onus/ca.pem\""),
    "Authorities that its certificate is held against; without it those of the system.",
);
const TLS_CERT: Key =
    key("tls.cert-file", Path, Nothing("\"/etc/onus/client.pem\""), "Our certificate, where it asks for one.");
const TLS_KEY: Key = key("tls.key-file", Path, Nothing("\"/etc/onus/client.key\""), "Its key.");
const BASIC_NAME: Key = key("basic.username", Text, Nothing("\"onus\""), "Who we are, for basic authentication.");
const BASIC_PASSWORD: Key = key(
    "basic.password-file",
    Path,
    Nothing("\"/run/secrets/basic\""),
    "File that holds the password. It is read anew for each request.",
);
const BEARER: Key = key(
    "bearer-token-file",
    Path,
    Nothing("\"/run/secrets/bearer\""),
    "File that holds a token. It is read anew for each request.",
);
const TIMEOUT: Key = key("timeout", Length(100, 300 * SECOND), Is("\"10s\""), "How long an answer is waited for.");

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "contracts",
        form: Form::Once,
        words: "What is owed.",
        keys: &[
            key("paths", Paths, Is("[\"contracts\"]"), "Contract files, and folders of contract files."),
            key("library", Paths, Is("[]"), "Folders in which included files are looked for, too."),
        ],
    },
    Section {
        name: "catalogue",
        form: Form::Once,
        words: "Which native names are one identity, and whose it is (docs/guide/catalogue.md).",
        keys: &[key("paths", Paths, Is("[]"), "Catalogue files, and folders of them.")],
    },
    Section {
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
    },
    Section {
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
    },
    Section {
        name: "run",
        form: Form::Once,
        words: "What a process does of the whole (docs/scale-out.md).",
        keys: &[
            key(
                "role",
                Choice(ROLES),
                Is("\"all\""),
                "`all`: reads, judges, tells, and needs no exchange. `intake`: reads sources, and writes their events to the \
                 exchange. `judge`: judges one partition of the exchange. `onus run --role` says it, too.",
            ),
            key(
                "shard",
                Whole(0, 9_999),
                Nothing("0"),
                "Of a judge: which partition of the exchange is its own, and so which shard of the store. `onus run --shard` \
                 says it, too.",
            ),
        ],
    },
    Section {
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
                "How many partitions it was made with. It says which partner belongs to which judge, so it never changes: a \
                 topic with another number is refused.",
            ),
        ],
    },
    Section {
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
    },
    Section {
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
    },
    Section {
        name: "alerting",
        form: Form::Once,
        words: "Pages: what holds for every Alertmanager. docs/alerting.md shows a page, and what resolves it.",
        keys: &[
            key(
                "resend",
                Length(SECOND, HOUR),
                Is("\"1min\""),
                "How often an alert is told again. If Onus ends, alerts end four times as much later, by themselves.",
            ),
            key(
                "mass",
                Whole(1, 1_000_000),
                Is("20"),
                "So many breaches of one obligation of one partner within a minute are paged one by one; more are one page.",
            ),
            key(
                "at-risk",
                Bool,
                Is("true"),
                "Whether there are warnings of what may still be done in time: from where the contract warns, else from four \
                 fifths of the limit on.",
            ),
            key(
                "findings-for",
                Length(60 * SECOND, 30 * DAY),
                Is("\"1h\""),
                "A finding has no end of its own: it fires so long after it was decided.",
            ),
            key(
                "link",
                Text,
                Nothing("\"https://onus.example\""),
                "Where people see more: pages link to `/duties/DUTY` below it.",
            ),
            key(
                "external-labels",
                Open,
                Is("{}"),
                "Labels that every alert has besides its own: { site = \"north\" }. Nothing that tells processes apart: \
                 one breach is one alert, whoever sends it.",
            ),
            key(
                "deliveries",
                Path,
                Nothing("\"deliveries.jsonl\""),
                "A file that grows by a JSON line for each page that an Alertmanager has accepted: the proof that it went \
                 out. It is in the log in any case.",
            ),
        ],
    },
    Section {
        name: "alertmanager",
        form: Form::Named,
        words: "An Alertmanager that is told of breaches. Alertmanagers don't tell each other: name each of them.",
        keys: &[
            key(
                "url",
                Text,
                Refused("\"https://alertmanager-1:9093\""),
                "Where it listens; `/api/v2/alerts` is below it.",
            ),
            TLS_CA,
            TLS_CERT,
            TLS_KEY,
            BASIC_NAME,
            BASIC_PASSWORD,
            BEARER,
            TIMEOUT,
        ],
    },
    Section {
        name: "breaches",
        form: Form::Once,
        words: "A topic on which breaches are told, and what becomes of them, as CloudEvents. Needs `cluster` and `topic`.",
        keys: &[
            key("cluster", Text, Nothing("\"main\""), "Name of a `[kafka.NAME]` section; needs `topic`."),
            key(
                "topic",
                Text,
                Nothing("\"onus.breaches\""),
                "Its topic. Each event is written after the commit that holds it, at least once, in the ledger's order; its \
                 key is the partner, its id the same whenever it is told.",
            ),
        ],
    },
    Section {
        name: "webhook",
        form: Form::Named,
        words: "Somebody who is told what was decided by signed requests. docs/alerting.md says how they are checked.",
        keys: &[
            key("url", Text, Refused("\"https://hooks.example/onus\""), "Where it is posted to."),
            key(
                "secret-file",
                Path,
                Refused("\"/run/secrets/webhook\""),
                "File that holds the secret by which requests are signed. It is read anew for each request.",
            ),
            key(
                "partners",
                List,
                Refused("[\"acme\"]"),
                "Partners of which it is told; `*` stands for any run of characters. A partner's own webhook names that \
                 partner alone.",
            ),
            key(
                "standings",
                List,
                Is("[\"breached\", \"met-late\"]"),
                "It is told when a duty comes to stand so, or stands so no more.",
            ),
            key(
                "from-the-beginning",
                Bool,
                Is("false"),
                "Whether it is told, too, what was decided before it was named here for the first time.",
            ),
            TLS_CA,
            TLS_CERT,
            TLS_KEY,
            BASIC_NAME,
            BASIC_PASSWORD,
            BEARER,
            TIMEOUT,
        ],
    },
    Section {
        name: "registry",
        form: Form::Named,
        words: "A schema registry that speaks as Confluent's does: Confluent, Karapace, Redpanda, Apicurio (below \
                `/apis/ccompat/v7`). docs/sources/wire.md says what is read.",
        keys: &[
            key("url", Text, Refused("\"https://registry:8081\""), "Where it listens; `/schemas/ids` is below it."),
            TLS_CA,
            TLS_CERT,
            TLS_KEY,
            BASIC_NAME,
            BASIC_PASSWORD,
            BEARER,
            TIMEOUT,
        ],
    },
    Section {
        name: "kafka",
        form: Form::Named,
        words: "A Kafka cluster, by a name of your own.",
        keys: &[
            key(
                "brokers",
                List,
                Refused("[\"broker-1:9092\", \"broker-2:9092\"]"),
                "Brokers to begin with; the others are learnt.",
            ),
            key(
                "group",
                Text,
                Is("\"onus\""),
                "Consumer group under which positions are told to Kafka, so that lag tools show them. Onus never reads \
                 them: it goes on from what its own store says.",
            ),
            key(
                "registry",
                Text,
                Nothing("\"main\""),
                "Name of a `[registry.NAME]` section: the schemas by which its records were written. Without it a frame \
                 with a schema's id is a dead letter.",
            ),
            key(
                "tls.ca-file",
                Path,
                Nothing("\"/etc/onus/ca.pem\""),
                "Authorities that the brokers' certificates are held against.",
            ),
            key(
                "tls.cert-file",
                Path,
                Nothing("\"/etc/onus/client.pem\""),
                "Our certificate, where brokers ask for one.",
            ),
            key("tls.key-file", Path, Nothing("\"/etc/onus/client.key\""), "Its key."),
            key(
                "tls.verify",
                Bool,
                Is("true"),
                "Whether the broker's name must be the one in its certificate. TLS is spoken if any of `tls` is said.",
            ),
            key("sasl.mechanism", Choice(MECHANISMS), Nothing("\"SCRAM-SHA-512\""), "How we say who we are."),
            key("sasl.username", Text, Nothing("\"onus\""), "For PLAIN and SCRAM."),
            key(
                "sasl.password-file",
                Path,
                Nothing("\"/run/secrets/kafka\""),
                "File that holds the password, for PLAIN and SCRAM.",
            ),
            key(
                "sasl.token-file",
                Path,
                Nothing("\"/run/secrets/kafka-token\""),
                "File that holds a JWT, for OAUTHBEARER. It is read again before the token runs out; whoever issues \
                 tokens puts a new one there.",
            ),
            key(
                "properties",
                Open,
                Is("{}"),
                "Other settings of librdkafka, by their own names. Those on which Onus depends are refused.",
            ),
        ],
    },
    Section {
        name: "source",
        form: Form::Listed,
        words: "Where events come from, and how far each is believed.",
        keys: &[
            key(
                "name",
                Text,
                Refused("\"tickets\""),
                "A name of your own: lower-case letters, digits, hyphens. Positions are stored under it: another name \
                 is another source, read from its start.",
            ),
            key("kind", Choice(KINDS), Refused("\"kafka\""), "Where it is read."),
            of(&["kafka"], key("cluster", Text, Refused("\"main\""), "Name of a `[kafka.NAME]` section.")),
            of(&["kafka"], key("topic", Text, Refused("\"itsm.tickets\""), "Its topic; all partitions are read.")),
            of(
                &["kafka"],
                key(
                    "start",
                    Start,
                    Is("\"earliest\""),
                    "Where to begin in partitions that were never read: `earliest`, `latest`, or an instant such as \
                     2026-01-01T00:00:00Z.",
                ),
            ),
            of(
                &["kafka"],
                key(
                    "format",
                    Choice(FORMATS),
                    Is("\"auto\""),
                    "What its records are wrapped in. `auto`: as each one shows. `json`: in nothing. `confluent`: each in a \
                     schema registry's frame, and one without it is a dead letter.",
                ),
            ),
            of(&["file"], key("path", Path, Refused("\"/var/spool/onus/tickets.jsonl\""), "A file of JSON lines.")),
            of(
                &["file"],
                key("follow", Bool, Is("true"), "Whether the file grows. If not, the source ends with the file."),
            ),
            of(
                &["http"],
                key(
                    "token-file",
                    Path,
                    Nothing("\"/run/secrets/push-token\""),
                    "File that holds the token of whoever pushes. Without it, `http.tokens-file` must name the source.",
                ),
            ),
            key(
                "adapter",
                Choice(ADAPTERS),
                Nothing("\"servicenow\""),
                "How its records become events, where they are a vendor's own, or as a mapper says (docs/sources). Sources \
                 that name the same adapter with the same settings share what it remembers.",
            ),
            key(
                "adapter-settings",
                Path,
                Nothing("\"/etc/onus/sources.json\""),
                "The adapter's tables: whose a record is, what states and priorities mean; of `mapper`, the mapper's file.",
            ),
            key(
                "trust",
                Choice(TRUST),
                Refused("\"system\""),
                "`asserted`: the partner's own tool. `shared`: the customer's tool that partner staff can edit. \
                 `system`: a system of record that the customer controls. `verified`: an independent check.",
            ),
            key(
                "owner",
                Choice(OWNERS),
                Nothing("\"partner\""),
                "Whose it is: the partner's of which it speaks, or the customer's. Who owes a duty cannot hide behind the \
                 silence of a source of its own: after the obligation's `blind-for` the duty is breached, and the entry \
                 says that nothing was heard. Where it is not said, silence is never held against anybody.",
            ),
            key(
                "partners",
                List,
                Refused("[\"*\"]"),
                "Partners it may speak for; `*` stands for any run of characters. What it says of others is a dead letter.",
            ),
            key(
                "types",
                List,
                Refused("[\"ticket.*\"]"),
                "Event types it may speak of. What it says beyond is a dead letter.",
            ),
            key(
                "transit",
                Length(0, CENTURY),
                Is("\"5s\""),
                "How long an act normally takes to reach us. Nothing is called missed before.",
            ),
            key(
                "heartbeat",
                MaybeLength(SECOND, CENTURY),
                Is("\"none\""),
                "How often the source promises an `onus.tick`. After three that did not come, its silence proves \
                 nothing. `none`: it is believed to be alive whenever all that it wrote was read.",
            ),
            key(
                "settling",
                Length(0, CENTURY),
                Nothing("\"7 days\""),
                "How late its news may come; at least `transit`. Where it is not said: `judge.settling`.",
            ),
            key(
                "may-claim-time",
                Bool,
                Is("false"),
                "Whether `recordedtime` inside its events is believed. If not, a record was recorded when it arrived.",
            ),
        ],
    },
];

/// A section by name.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// librdkafka's settings that Onus gives itself, and why nobody else may.
pub(super) const OURS: &[(&str, &str)] = &[
    ("bootstrap.servers", "write `brokers`"),
    ("metadata.broker.list", "write `brokers`"),
    ("group.", "write `group`; Onus joins no group"),
    ("enable.auto.", "positions are told to Kafka after Onus's own commit, and never before"),
    ("auto.commit.", "positions are told to Kafka after Onus's own commit, and never before"),
    ("auto.offset.reset", "where records are gone, Onus must stop and say so; write `start` at the source"),
    ("isolation.level", "records of aborted transactions never happened"),
    ("enable.partition.eof", "whether all was read is found from end offsets"),
    ("partition.assignment.strategy", "Onus joins no group"),
    ("session.timeout.ms", "Onus joins no group"),
    ("security.protocol", "it follows from `tls` and `sasl`"),
    ("ssl.", "write `tls`"),
    ("enable.ssl.certificate.verification", "write `tls.verify`"),
    ("sasl.", "write `sasl`"),
    ("enable.sasl.", "write `sasl`"),
    ("allow.auto.create.topics", "a topic that is not there is a mistake, not a wish"),
    ("offset.store.", "positions are in Onus's store"),
    ("plugin.library.paths", "no code is loaded by a setting"),
    ("max.poll.interval.ms", "Onus joins no group"),
];
