//! Where events come from: sources, and the clusters and registries that they name.

use super::Absent::{Is, Nothing, Refused};
use super::Shape::{Bool, Choice, Length, List, MaybeLength, MaybeRate, Open, Path, Start, Text, Whole};
use super::web::{BASIC_NAME, BASIC_PASSWORD, BEARER, TIMEOUT, TLS_CA, TLS_CERT, TLS_KEY};
use super::{ADAPTERS, CENTURY, FORMATS, Form, KINDS, MECHANISMS, OWNERS, SECOND, Section, TRUST, key, of};

pub(super) const REGISTRY: Section = Section {
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
};

pub(super) const KAFKA: Section = Section {
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
        key("tls.cert-file", Path, Nothing("\"/etc/onus/client.pem\""), "Our certificate, where brokers ask for one."),
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
};

pub(super) const SOURCE: Section = Section {
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
        key(
            "format",
            Choice(FORMATS),
            Is("\"auto\""),
            "What its records are wrapped in. `auto`: as each one shows. `json`: in nothing. `confluent`: each in a schema \
             registry's frame, and one without it is a dead letter; for Kafka only.",
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
            "share",
            Whole(1, 100),
            Is("1"),
            "Sources take turns, so that one that floods keeps no other waiting for longer than its turn. How many slices are \
             taken of this one in its turn: of a quarter of a MiB each, or some thousand records.",
        ),
        key(
            "quota",
            MaybeRate(1_000_000_000),
            Is("\"none\""),
            "Records that are taken of it at most, on the average: \"1000/s\", \"60/min\", \"5000/h\". What comes beyond \
             waits where it is, and counts as not heard yet; what is pushed is answered with 429 and when to come again. \
             Nothing is left out.",
        ),
        key(
            "may-claim-time",
            Bool,
            Is("false"),
            "Whether `recordedtime` inside its events is believed. If not, a record was recorded when it arrived.",
        ),
    ],
};

/// librdkafka's settings that Onus gives itself, and why nobody else may.
pub(in crate::settings) const OURS: &[(&str, &str)] = &[
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
