//! Mappers: which records of a source are taken, where in them stands what, what they tell.

use super::examples::EXAMPLE;
use super::forms::{self, WORDS_SHAPE};
use super::{Block, Form, Key, Shape, Way};

const WORD: Form = Form { name: "", says: "", pattern: None, examples: &[], unquoted: true, literal: true };

static PATH: Form = Form {
    name: "path",
    says: "Where something stands in a record: names with dots between them, a list's item by its place from 0, a name that \
           has dots itself in brackets and quotes. What is not there, null, and a text of blanks are nothing.",
    examples: &["number", "vendor.value", "approvals[0].by", "labels[\"app.name\"]"],
    ..WORD
};

pub(super) static TOPIC: Form = Form {
    name: "topic",
    says: "A topic's name, or the beginning of one with `*` for any rest.",
    examples: &["grc.evidence", "itsm.servicenow.*"],
    ..WORD
};

pub(super) static SAID: Form = Form {
    name: "said",
    says: "What stands in a record: a text, a whole number, `true` or `false`.",
    examples: &["approved", "3", "true"],
    ..WORD
};

static MEANT: Form = Form { name: "meant", says: "What it means.", examples: &["halden-pam", "approved"], ..WORD };

static PATTERN: Form = Form {
    name: "pattern",
    says: "A regular expression that the whole text matches.",
    examples: &["INC[0-9]{7}", "(CHG|CTASK)[0-9]{7}"],
    ..WORD
};

static FLAG: Form = Form { name: "flag", says: "`true` or `false`.", pattern: Some("true|false"), ..WORD };

static FIELD_NAME: Form = Form {
    name: "field-name",
    says: "A field's name: letters, digits, dots, underscores and hyphens.",
    pattern: Some("[A-Za-z0-9][A-Za-z0-9._-]*"),
    examples: &["control", "expires_at"],
    ..WORD
};

static STATE: Form = Form { name: "state", says: "A state, as `table` calls it.", examples: &["approved"], ..WORD };

static TYPE_KEY: Form = Form {
    name: "told-type",
    says: "An event type that the mapper tells.",
    pattern: forms::EVENT.pattern,
    examples: &["waiver.approved"],
    ..WORD
};

static PATHS: Shape = Shape::OneOrMore(&Shape::Text(&PATH));
static ZONE: Shape = Shape::Text(&forms::ZONE);
pub(super) static EVENT: Shape = Shape::Text(&forms::EVENT);
static NOTHING: Shape = Shape::Word(&[("nothing", "It tells nothing.")]);
static TELLS: Shape = Shape::Either(&[&NOTHING, &Shape::OneOrMore(&EVENT)]);

const FROM: Key = may!("from", PATHS, "Where it stands; of several the first that says something.");
const LIKE: Key = may!("like", Shape::Text(&PATTERN), "What it must be like, as a whole.");

/// Ways in which times are written.
pub(crate) const TIME_WORDS: &[(&str, &str)] = &[
    ("rfc3339", "`2026-03-02T08:04:11Z`, with an offset."),
    ("epoch-seconds", "Seconds since 1970."),
    ("epoch-ms", "Milliseconds since 1970."),
    ("local", "`2026-03-02 08:04:11`, on the clocks of `zone`. What no clock showed is no time."),
    ("start-of-day", "`2026-03-02`: the first instant of that day in `zone`."),
    ("end-of-day", "`2026-03-02`: the first instant of the day after in `zone`."),
];

/// The same, and what else a field may hold.
pub(crate) const AS_WORDS: &[(&str, &str)] = &[
    ("text", "A text or a whole number, as text."),
    ("number", "A whole number, also where it is written as text."),
    ("truth", "`true` or `false`, also where it is written as text."),
    ("list", "A list of texts, or one."),
    ("evidence", "A list of objects, or one: of each its `uri` and its `sha256`."),
    TIME_WORDS[0],
    TIME_WORDS[1],
    TIME_WORDS[2],
    TIME_WORDS[3],
    TIME_WORDS[4],
    TIME_WORDS[5],
];

/// How exact a time is.
pub(crate) const QUALITY_WORDS: &[(&str, &str)] = &[
    ("exact", "It happened then."),
    ("upper-bound", "It had happened by then."),
    ("received", "Somebody received the news then."),
];

/// What an actor is.
pub(crate) const ACTOR_WORDS: &[(&str, &str)] =
    &[("human", "A person."), ("app", "A program."), ("service", "A service."), ("unknown", "Nobody says.")];

/// Subjects that a record may name beside its own.
pub(crate) const LINKS: &[(&str, &str)] = &[
    ("ticket", "A ticket."),
    ("change", "A change."),
    ("credential", "A credential."),
    ("grant", "A grant."),
    ("incident", "An incident."),
];

/// A word's place.
pub(crate) static PLACE: Block = Block {
    name: "place",
    what: "a place",
    says: "Where a word stands in a record, and what becomes of it; or always the same word. A path alone is `{from: path}`.",
    keys: &[
        FROM,
        may!("fixed", Shape::Text(&MEANT), "Always this."),
        may!(
            "table",
            Shape::Map(&SAID, &Shape::Text(&MEANT)),
            "What each word means. A word that is not in it is an error by name: nothing is guessed."
        ),
        LIKE,
    ],
    ways: &[
        Way { with: &["from"], without: &["fixed"] },
        Way { with: &["fixed"], without: &["from", "table", "like"] },
    ],
};

static PLACE_SHAPE: Shape = Shape::Either(&[&Shape::Text(&PATH), &Shape::Block(&PLACE)]);

/// A time's place.
pub(crate) static TIME: Block = Block {
    name: "time",
    what: "a time",
    says: "Where a time stands and how it is written. A path alone is a time as RFC 3339. Zero is no time.",
    keys: &[
        key!(true, Judged, "from", PATHS, "Where it stands; of several the first that says something."),
        may!("as", Shape::Word(TIME_WORDS), "How it is written; by default `rfc3339`."),
        may!("zone", ZONE, "On whose clocks, of local times and days; they mean nothing without it."),
        may!(
            "timequality",
            Shape::Word(QUALITY_WORDS),
            "How exact it is; by default `exact`, and of an hour that the clocks showed twice `upper-bound`."
        ),
    ],
    ways: &[],
};

static TIME_SHAPE: Shape = Shape::Either(&[&Shape::Text(&PATH), &Shape::Block(&TIME)]);

/// Whoever did it.
pub(crate) static ACTOR: Block = Block {
    name: "actor",
    what: "an actor",
    says: "Who did it: `actor` and `actortype` of the event. Nobody there is null, which contracts can tell from somebody.",
    keys: &[
        key!(true, Judged, "from", PATHS, "Where it stands; of several the first that says something."),
        may!(
            "nobody",
            Shape::OneOrMore(&Shape::Text(&SAID)),
            "Names that stand for nobody: `system`, an integration's user."
        ),
        may!("type", Shape::Word(ACTOR_WORDS), "What those are who stand there; by default `unknown`."),
    ],
    ways: &[],
};

static ACTOR_SHAPE: Shape = Shape::Either(&[&Shape::Text(&PATH), &Shape::Block(&ACTOR)]);

/// A link.
pub(crate) static LINK: Block = Block {
    name: "link",
    what: "a link",
    says: "Where another subject is named. What does not match the pattern is no link, and is left out.",
    keys: &[
        key!(true, Judged, "from", PATHS, "Where it stands; of several the first that says something."),
        must!(
            "like",
            Shape::Text(&PATTERN),
            "What its name is like, as a whole: fields for links hold all kinds of remarks."
        ),
    ],
    ways: &[],
};

/// A field of data.
pub(crate) static FIELD: Block = Block {
    name: "data-field",
    what: "a field of data",
    says: "What an event carries under a name. Nothing is carried that is not named. A path alone is `{from: path}`.",
    keys: &[
        FROM,
        may!("fixed", Shape::Text(&MEANT), "Always this."),
        may!("as", Shape::Word(AS_WORDS), "What it is, or how the time is written; by default `text`."),
        may!("zone", ZONE, "On whose clocks, of local times and days."),
        may!("table", Shape::Map(&SAID, &Shape::Text(&MEANT)), "What each word means; of texts and lists."),
        LIKE,
        may!("uri", Shape::Text(&PATH), "Of each piece of evidence: where it is to be had."),
        may!("sha256", Shape::Text(&PATH), "Of each piece of evidence: its digest, 64 hexadecimal digits."),
        may!("required", Shape::Text(&FLAG), "Whether a record without it is an error; by default it is left out."),
    ],
    ways: &[
        Way { with: &["from"], without: &["fixed"] },
        Way { with: &["fixed"], without: &["from", "as", "zone", "table", "like", "uri", "sha256", "required"] },
    ],
};

const ACTOR_KEY: Key = may!("actor", ACTOR_SHAPE, "Who did it. Of rows only under `tells`.");
const DATA: Key = may!(
    "data",
    Shape::Map(&FIELD_NAME, &Shape::Either(&[&Shape::Text(&PATH), &Shape::Block(&FIELD)])),
    "What else is told, by its name: fields that contracts test. Texts of people are best left where they are."
);

/// What is told of one type.
pub(crate) static TELLING: Block = Block {
    name: "telling",
    what: "what is told of a type",
    says: "What holds for events of one type, before what all events say.",
    keys: &[
        may!(
            "time",
            TIME_SHAPE,
            "When it happened. Of rows: the field that proves it; without it the row's own time, as an upper bound."
        ),
        may!("actor", ACTOR_SHAPE, "Who did it."),
        DATA,
    ],
    ways: &[],
};

/// Which records.
pub(crate) static TAKES: Block = Block {
    name: "takes",
    what: "`takes`",
    says: "Which records are read; all of it must hold. Others are passed over by name: `not-relevant`.",
    keys: &[
        may!(
            "topics",
            Shape::OneOrMore(&Shape::Text(&TOPIC)),
            "From these topics. Where no topic is known, it is not asked."
        ),
        may!(
            "where",
            Shape::Map(&PATH, &Shape::Either(&[&Shape::OneOrMore(&Shape::Text(&SAID)), &Shape::Block(&TEST)])),
            "By fields: each says this, or one of these, or exists."
        ),
    ],
    ways: &[],
};

/// A test that compares nothing.
pub(crate) static TEST: Block = Block {
    name: "existence",
    what: "a test",
    says: "Whether a field says anything.",
    keys: &[must!("exists", Shape::Text(&FLAG), "`true`: it says something; `false`: it does not.")],
    ways: &[],
};

/// The type of a log's event, by what stands there.
pub(crate) static TYPE: Block = Block {
    name: "type-table",
    what: "`type`",
    says: "The event type by what stands in the record. What is not in the table is an error by name.",
    keys: &[
        key!(true, Judged, "from", PATHS, "Where it stands; of several the first that says something."),
        must!("table", Shape::Map(&SAID, &Shape::Either(&[&NOTHING, &EVENT])), "Of which type it is, or `nothing`."),
    ],
    ways: &[],
};

static STATES: Shape =
    Shape::Either(&[&Shape::Word(&[("any", "Any state.")]), &Shape::OneOrMore(&Shape::Text(&STATE))]);

/// A line of changes.
pub(crate) static CHANGE: Block = Block {
    name: "change",
    what: "a change",
    says: "What a change of state tells.",
    keys: &[
        must!("from", STATES, "The state before: one, several, or `any`."),
        must!("to", STATES, "The state now."),
        must!("tells", TELLS, "Event types in order, or `nothing`."),
    ],
    ways: &[],
};

/// A mapper.
pub(crate) static MAPPER: Block = Block {
    name: "mapper",
    what: "a mapper",
    says: "One source: which records it takes, where in them stands what, and what they tell.",
    keys: &[
        must!("mapper", Shape::Text(&forms::NAME), "Its name; the file is a mapper because of this key."),
        key!(false, Told, "says", WORDS_SHAPE, "What it reads, in words."),
        may!(
            "events",
            Shape::List(&Shape::Text(&forms::OWN_EVENT)),
            "Event types of its own, which contracts declare, too."
        ),
        may!("takes", Shape::Block(&TAKES), "Which records it takes; by default all."),
        may!(
            "each",
            Shape::Text(&PATH),
            "A list in the record whose items are each read by themselves. All other paths begin at the item."
        ),
        must!(
            "id",
            Shape::Text(&PATH),
            "The record's own id. In a log no two events share it; of rows it is the same for all states of a row."
        ),
        may!(
            "order",
            TIME_SHAPE,
            "What grows with each state of a record: a path to a whole number, or a time in braces. Rows need it: what is \
             not newer is passed over. In a log it is the events' `sequence`."
        ),
        may!("type", Shape::Either(&[&EVENT, &Shape::Block(&TYPE)]), "Of a log: which event a record is."),
        may!("state", PLACE_SHAPE, "Of rows: where the state stands, and what its values mean."),
        may!(
            "first-sight",
            Shape::Map(&STATE, &TELLS),
            "Of rows: what a row tells that is seen for the first time, by its state. Every state is there."
        ),
        may!(
            "changes",
            Shape::List(&Shape::Block(&CHANGE)),
            "Of rows: what changes of state tell; the first line that fits."
        ),
        may!(
            "over",
            Shape::OneOrMore(&Shape::Text(&STATE)),
            "Of rows: states in which nothing more is expected. A row that stands so is forgotten once the settling time has \
             passed. If it comes again, it tells once more, under the same ids, what its first sight tells: so each of that needs \
             a `time` under `tells`."
        ),
        may!("time", TIME_SHAPE, "Of a log: when it happened. Of rows: when the row was written."),
        must!("subject", PLACE_SHAPE, "What it is about. Of rows it stays what it was at first sight."),
        must!(
            "partner",
            PLACE_SHAPE,
            "Whose it is, by a table, a pattern or always the same. Of rows it stays what it was at first sight."
        ),
        may!(
            "factkey",
            PLACE_SHAPE,
            "What makes copies of one fact from several feeds one: a version, to which its type and subject are added."
        ),
        ACTOR_KEY,
        may!("links", Shape::Map(&LINK_KIND, &Shape::Block(&LINK)), "Other subjects that it names, by their kind."),
        DATA,
        may!("tells", Shape::Map(&TYPE_KEY, &Shape::Block(&TELLING)), "What holds for events of one type."),
        may!(
            "examples",
            Shape::List(&Shape::Block(&EXAMPLE)),
            "Its tests: `onus adapt --mapper FILE --test` runs them."
        ),
    ],
    ways: &[
        Way { with: &["type", "time"], without: &["state", "first-sight", "changes", "over"] },
        Way { with: &["type", "tells"], without: &["state", "first-sight", "changes", "over", "time"] },
        Way { with: &["state", "first-sight", "order"], without: &["type"] },
    ],
};

static LINK_KIND: Form = Form {
    name: "link-kind",
    says: "A kind of subject that events can name.",
    pattern: Some("ticket|change|credential|grant|incident"),
    examples: &["ticket"],
    ..WORD
};
