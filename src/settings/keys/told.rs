//! Whoever is told what was decided.

use super::Absent::{Is, Nothing, Refused};
use super::Shape::{Bool, Length, List, Open, Path, Text, Whole};
use super::web::{BASIC_NAME, BASIC_PASSWORD, BEARER, TIMEOUT, TLS_CA, TLS_CERT, TLS_KEY};
use super::{DAY, Form, HOUR, SECOND, Section, key};

pub(super) const ALERTING: Section = Section {
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
};

pub(super) const ALERTMANAGER: Section = Section {
    name: "alertmanager",
    form: Form::Named,
    words: "An Alertmanager that is told of breaches. Alertmanagers don't tell each other: name each of them.",
    keys: &[
        key("url", Text, Refused("\"https://alertmanager-1:9093\""), "Where it listens; `/api/v2/alerts` is below it."),
        TLS_CA,
        TLS_CERT,
        TLS_KEY,
        BASIC_NAME,
        BASIC_PASSWORD,
        BEARER,
        TIMEOUT,
    ],
};

pub(super) const BREACHES: Section = Section {
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
};

pub(super) const WEBHOOK: Section = Section {
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
};
