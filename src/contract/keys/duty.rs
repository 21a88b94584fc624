//! An obligation, and what qualifies it.

use super::forms::{self, NAME_SHAPE, PARTIES, PARTY_SHAPE, TEXT_SHAPE, TEXTS, WORDS_SHAPE};
use super::selectors::{REQUIREMENT_SHAPE, SELECTOR_SHAPE, TEST_SHAPE};
use super::{Block, Key, Named, Shape, Way};

pub(crate) const TRUST_WORDS: &[(&str, &str)] = &[
    ("asserted", "The partner's own tool."),
    ("shared", "The customer's tool that the partner's staff can edit."),
    ("system", "A system of record that the customer controls."),
    ("verified", "An independent check."),
];

pub(crate) const SEVERITY_WORDS: &[(&str, &str)] =
    &[("page", "Wakes somebody."), ("ticket", "Waits for the day."), ("note", "Is read in the report.")];

pub(crate) const KIND_WORDS: &[(&str, &str)] = &[
    ("ticket", "Each ticket."),
    ("change", "Each change."),
    ("credential", "Each credential."),
    ("grant", "Each grant."),
    ("incident", "Each incident."),
    ("partner", "The partner itself: one duty a period."),
    ("control", "Each control of the contract: an obligation of each, named after this one with `-CONTROL`."),
    ("source", "Each source that speaks of the partner, or that the contract's scope names."),
];

pub(crate) const WHERE: Key = may!(
    "where",
    Shape::Map(&forms::FIELD, &TEST_SHAPE),
    "Tests of fields; all must hold. A field is read on the event itself: what earlier events said of its subject chooses rows of tables, and passes no test.",
);

const CALENDAR: Key =
    may!("calendar", Shape::Text(&forms::CALENDAR), "What \"business\" means here, unless a limit says otherwise.");
const ROLL: Key = may!(
    "roll",
    Shape::Either(&[&Shape::Text(&forms::ROLL), &Shape::Rows(&Shape::Text(&forms::ROLL))]),
    "Where a deadline on a closed day goes; by default it stays. In a table, by facts or by values of the contract; what facts choose needs a row for the rest.",
);
const PAUSE: Key = may!("pause", Shape::Block(&PAUSE_BLOCK), "Who may stop the clock; by default nobody.");
const REOPEN: Key = may!(
    "reopen",
    Shape::Either(&[&Shape::Word(REOPEN_WORDS), &Shape::Block(&REOPEN_BLOCK)]),
    "What undoing the act does. By default it resumes; `ignore` where ticket.acknowledged is among the acts.",
);
const REPRIORITISE: Key = may!(
    "reprioritise",
    Shape::Either(&[&Shape::Word(REPRIORITISE_WORDS), &Shape::Block(&REPRIORITISE_BLOCK)]),
    "What a new priority, or another changed fact of the limit's table, does; by default it rebases.",
);
const EVIDENCE: Key = may!(
    "evidence",
    Shape::Block(&EVIDENCE_BLOCK),
    "Evidence that is owed once the act is done: a duty of its own, named after this one with `-evidence`.",
);
const SEVERITY: Key = told!("severity", Shape::Word(SEVERITY_WORDS), "How loud a breach is told; by default `ticket`.");
const ESCALATE: Key = told!("escalate", Shape::Text(&forms::LADDER), "The ladder of `escalation` that it climbs.");
const TRUST: Key =
    may!("trust", Shape::Word(TRUST_WORDS), "The least trust that stops the clock; by default `system`.");
const BLIND_FOR: Key = may!(
    "blind-for",
    Shape::Text(&forms::ELAPSED),
    "How long a silent feed may keep a late duty unknown; by default 24h.",
);
const OBLIGOR: Key = may!("obligor", PARTY_SHAPE, "Who owes it: a side, or a role of one; by default the partner.");

/// One sentence and what qualifies it.
pub(crate) static OBLIGATION: Block = Block {
    name: "obligation",
    what: "an obligation",
    says: "One contracted duty, in one of three sentences: when A, do B, within L; every P, do B; when A, requires B.",
    keys: &[
        must!("id", NAME_SHAPE, "Its name, unique in the contract."),
        must!("clause", Shape::Text(&forms::CLAUSE), "Where it is written in the contract on paper."),
        told!("says", WORDS_SHAPE, "The clause's own words."),
        told!("maps", TEXTS, "Laws and ids of frameworks that ask for it."),
        OBLIGOR,
        may!("control", Shape::Text(&forms::CONTROL), "Only events of this control."),
        may!("when", SELECTOR_SHAPE, "The anchor: each such event opens a duty on its subject."),
        may!(
            "every",
            Shape::Either(&[&Shape::Text(&forms::PERIOD), &Shape::Rows(&Shape::Text(&forms::PERIOD))]),
            "The period: `90 days` slides from the last act, `quarter` is the calendar's.",
        ),
        may!(
            "per",
            Shape::Either(&[&Shape::Word(KIND_WORDS), &Shape::Block(&PER)]),
            "With `every`: a duty of its own for each of these.",
        ),
        may!("do", SELECTOR_SHAPE, "The act that is owed: the first at or after the anchor, other than the anchor."),
        may!(
            "requires",
            Shape::Either(&[&REQUIREMENT_SHAPE, &Shape::Rows(&REQUIREMENT_SHAPE)]),
            "What came before the anchor, or is true of it; if not, it is a finding at the anchor.",
        ),
        may!(
            "within",
            Shape::OneOrMore(&LIMIT_SHAPE),
            "The limit; of a list all run, and the earliest deadline binds. With a calendar period: so long after its end.",
        ),
        may!(
            "until",
            SELECTOR_SHAPE,
            "Ends the duty without a verdict. Of one that follows another it is looked for from the start of that one."
        ),
        CALENDAR,
        ROLL,
        PAUSE,
        REOPEN,
        REPRIORITISE,
        EVIDENCE,
        may!(
            "excused-by",
            REQUIREMENT_SHAPE,
            "Reasons given no later than the deadline, or (`where` with no event) carried by the late act: late and \
             excused, not waived.",
        ),
        may!(
            "supersedes",
            Shape::OneOrMore(&Shape::Text(&forms::OBLIGATION)),
            "Opening this ends those duties on the subject, and withdraws their verdicts.",
        ),
        told!("serves", Shape::List(&Shape::Text(&forms::SERVED)), "The larger promises that it is part of."),
        told!(
            "target",
            Shape::Block(&TARGET),
            "A level over many duties, beside the limit of each: told in the report."
        ),
        SEVERITY,
        ESCALATE,
        TRUST,
        BLIND_FOR,
        told!(
            "look-back",
            Shape::Text(&forms::ELAPSED),
            "How long acts are kept that are told before what they belong to; by default the settling time."
        ),
        may!(
            "open-duties",
            Shape::Word(&[("rebase", "Open duties take this version's limits when it takes effect.")]),
            "What a new version does to duties that are open; by default they keep the terms they began with.",
        ),
    ],
    ways: &[
        Way { with: &["when", "do", "within"], without: &["every", "requires", "per"] },
        Way { with: &["every", "do"], without: &["requires"] },
        Way {
            with: &["when", "requires"],
            without: &[
                "do",
                "within",
                "every",
                "per",
                "until",
                "pause",
                "reopen",
                "reprioritise",
                "evidence",
                "excused-by",
            ],
        },
    ],
};

/// What obligations say unless they say otherwise.
pub(crate) static DEFAULTS: Block = Block {
    name: "defaults",
    what: "`defaults`",
    says: "What every obligation says unless it says otherwise.",
    keys: &[OBLIGOR, CALENDAR, ROLL, PAUSE, REOPEN, REPRIORITISE, EVIDENCE, SEVERITY, ESCALATE, TRUST, BLIND_FOR],
    ways: &[],
};

static LIMIT_TEXT: Shape = Shape::Text(&forms::LIMIT);

/// A limit in full.
pub(crate) static LIMIT: Block = Block {
    name: "limit",
    what: "a limit",
    says: "A limit in full.",
    keys: &[
        must!("must", MUST, "Past this it is a breach."),
        told!("should", LIMIT_TEXT, "Past this it is noted. Shorter than `must`."),
        may!(
            "from",
            SELECTOR_SHAPE,
            "Counted from the first such event, and not from the anchor; not running before it."
        ),
        may!("calendar", Shape::Text(&forms::CALENDAR), "What \"business\" means in this limit."),
        ROLL,
    ],
    ways: &[],
};

/// The long way to say a span, in a row of a table.
pub(crate) static ROW: Block = Block {
    name: "limit-in-row",
    what: "a limit",
    says: "A limit in a row of a table.",
    keys: &[must!("must", LIMIT_TEXT, "Past this it is a breach.")],
    ways: &[],
};

static SPAN_ROW: Shape = Shape::Either(&[&LIMIT_TEXT, &Shape::Block(&ROW)]);
static BY_PRIORITY: Shape = Shape::Map(&forms::PRIORITY, &SPAN_ROW);
static MUST: Shape = Shape::Either(&[&LIMIT_TEXT, &BY_PRIORITY, &Shape::Rows(&SPAN_ROW)]);

static LIMIT_NAMED: Named = Named {
    name: "one-limit",
    says: "Text, `{P1: .., P2: ..}`, a table, or a limit in full.",
    shape: Shape::Either(&[&LIMIT_TEXT, &BY_PRIORITY, &Shape::Rows(&SPAN_ROW), &Shape::Block(&LIMIT)]),
};

static LIMIT_SHAPE: Shape = Shape::Named(&LIMIT_NAMED);

/// Values by facts. What a row holds is where the table stands.
pub(crate) static TABLE: Block = Block {
    name: "table",
    what: "a table",
    says: "Values by facts. Of a fact that is unknown every row applies, the strictest binds; a value without a row, where \
           there is no `*` row, is exempt.",
    keys: &[
        must!(
            "depends-on",
            Shape::OneOrMore(&Shape::Text(&forms::FACT)),
            "The facts that choose the row, the outermost first.",
        ),
        must!("table", Shape::Map(&forms::ROW, &TEXT_SHAPE), "One level of rows for each fact of `depends-on`.",),
    ],
    ways: &[],
};

/// Each of a kind that passes.
pub(crate) static PER: Block = Block {
    name: "per",
    what: "`per`",
    says: "Each of a kind that passes the tests when it is created.",
    keys: &[must!("every", Shape::Word(KIND_WORDS), "The kind."), WHERE],
    ways: &[],
};

/// Who may stop a clock.
pub(crate) static PAUSE_BLOCK: Block = Block {
    name: "pause",
    what: "a pause",
    says: "Who may stop the clock, why and for how long. Other pauses are shown and have no effect.",
    keys: &[
        must!("reasons", TEXTS, "The reasons that count; [\"*\"] for any, and for none given."),
        must!(
            "by",
            Shape::Either(&[&Shape::Word(&[("anyone", "Anyone, of an unknown side too.")]), &PARTIES]),
            "Who may pause.",
        ),
        may!(
            "confirm",
            Shape::Block(&CONFIRM),
            "A pause is void unless it is confirmed; then it counts from its own instant."
        ),
        may!(
            "cap",
            Shape::Text(&forms::CAP),
            "The longest that all pauses of a duty last together; beyond it time counts again."
        ),
    ],
    ways: &[],
};

/// What is handed in to show an act.
pub(crate) static EVIDENCE_BLOCK: Block = Block {
    name: "evidence",
    what: "`evidence`",
    says: "Evidence that is handed in, and perhaps accepted: it counts from when it was submitted. A rejection takes it \
           back. It names the subject of the duty.",
    keys: &[
        must!("kind", TEXT_SHAPE, "What `kind` the evidence says it is."),
        must!("within", LIMIT_TEXT, "Counted from the act."),
        may!("accept", PARTY_SHAPE, "Who must accept it; without it, it must not be rejected."),
    ],
    ways: &[],
};

pub(crate) static CONFIRM: Block = Block {
    name: "confirm",
    what: "`confirm`",
    says: "Who confirms a pause, and by when.",
    keys: &[must!("by", PARTY_SHAPE, "Whose word counts."), must!("within", LIMIT_TEXT, "Counted from the pause.")],
    ways: &[],
};

const REOPEN_WORDS: &[(&str, &str)] = &[
    ("resume", "Stopped time does not count, elapsed time is kept; the verdict is withdrawn unless it is a breach."),
    ("new", "A new cycle; the old verdict stands."),
    ("ignore", "Nothing."),
];

pub(crate) static REOPEN_BLOCK: Block = Block {
    name: "reopen",
    what: "`reopen`",
    says: "What undoing the act does.",
    keys: &[
        must!("policy", Shape::Word(REOPEN_WORDS), "Within the window."),
        may!(
            "window",
            Shape::Text(&forms::ELAPSED),
            "Later than this after the act, a new cycle begins; without it, never."
        ),
    ],
    ways: &[],
};

const REPRIORITISE_WORDS: &[(&str, &str)] =
    &[("rebase", "The target changes, elapsed time and pauses stay."), ("restart", "Counting starts anew.")];

pub(crate) static REPRIORITISE_BLOCK: Block = Block {
    name: "reprioritise",
    what: "`reprioritise`",
    says: "What a changed fact of the limit's table does.",
    keys: &[
        must!("policy", Shape::Word(REPRIORITISE_WORDS), "How the clock goes on."),
        may!("min-remaining", Shape::Text(&forms::ELAPSED), "At least so much is left after the change."),
    ],
    ways: &[],
};

pub(crate) static TARGET: Block = Block {
    name: "target",
    what: "a target",
    says: "A level over many duties. It never replaces the limit of each.",
    keys: &[
        may!("at-least", Shape::Text(&forms::PERCENT), "The share that is met in time."),
        may!("average", Shape::Text(&forms::LENGTH), "The average that is not exceeded."),
        must!(
            "each",
            Shape::Word(&[
                ("week", "From Monday."),
                ("month", "The calendar's."),
                ("quarter", "From January, April, July, October."),
                ("half-year", "From January and July."),
                ("year", "The calendar's."),
            ]),
            "Measured over each of these.",
        ),
        may!("credit", Shape::Text(&forms::PERCENT), "What is paid back where it is missed."),
    ],
    ways: &[Way { with: &["at-least"], without: &[] }, Way { with: &["average"], without: &["at-least"] }],
};
