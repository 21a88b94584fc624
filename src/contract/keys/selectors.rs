//! Which events: selectors, their filters, and tests of fields.

use super::duty::{TRUST_WORDS, WHERE};
use super::forms::{self, PARTIES};
use super::{Block, Key, Named, Shape, Way};

static EVENT_TYPE: Shape = Shape::Text(&forms::EVENT);
static IDS: Shape = Shape::OneOrMore(&Shape::Text(&forms::OBLIGATION));

const EVENT: Key = may!("event", EVENT_TYPE, "One event type.");
const ANY: &str = "One of these is enough. Filters beside it hold for each member.";
const ALL: &str = "All are needed; the last one counts.";
const IN_ORDER: &str = "All are needed, each after the one before; in `do`, one that comes too early is a finding.";
const DONE: Key = may!("done", IDS, "The act that ended a duty of this obligation, in time or late.");
const BREACHED: Key = may!("breached", IDS, "The instant at which a duty of this obligation was breached.");

const BY: Key = may!("by", PARTIES, "Who did it: a side takes all its roles.");
const OF: Key = may!(
    "of",
    Shape::Either(&[
        &Shape::Word(&[(
            "stack",
            "In `when`: a fact of the customer's that reaches each partner of the contract's stack."
        )]),
        &Shape::Block(&POPULATION),
    ]),
    "In `do`: of each living subject of a kind; in `when`, `stack`: a shared fact.",
);
const TIME: Key = may!(
    "time",
    Shape::Text(&forms::FIELD),
    "In `when` and `from`: count from the instant in this field of the event, where it is there, and not from when the \
     event happened.",
);
const PICK: Key = may!(
    "pick",
    Shape::Word(&[("first", "Only the first on a subject."), ("latest", "An open duty starts anew from the latest.")]),
    "Which of several on one subject counts; without it each opens a duty of its own. Members of an anchor's `any` may \
     each say it.",
);
const SINCE: Key = may!("since", Shape::Block(&SINCE_BLOCK), "Only so long after another event of the subject.");
const TRUST: Key =
    may!("trust", Shape::Word(TRUST_WORDS), "The least trust that counts, where it is not the obligation's.");
const EVIDENCED: Key = may!(
    "evidenced",
    Shape::Word(EVIDENCED_WORDS),
    "In `do`: counts, from its own time, once evidence of it that was submitted in time stands so.",
);
const AHEAD: Key = may!("ahead", Shape::Text(&forms::AHEAD), "In `requires`: at least so long before the anchor.");

/// One head and no other.
macro_rules! heads {
    ($($head:literal),+) => { &[$(Way { with: &[$head], without: &[] }),+] };
}

pub(crate) const EVIDENCED_WORDS: &[(&str, &str)] =
    &[("submitted", "It is submitted and not rejected."), ("accepted", "It is accepted, by another than the obligor.")];

/// Of whom an act is owed.
pub(crate) static POPULATION: Block = Block {
    name: "population",
    what: "`of`",
    says: "Each subject of a kind, of the same partner, that lives and passes the tests when the duty opens, or does so \
           later and before it ends.",
    keys: &[must!("every", Shape::Text(&forms::KIND), "The kind: what stands before the dot of its events."), WHERE],
    ways: &[],
};

/// How long after another event.
pub(crate) static SINCE_BLOCK: Block = Block {
    name: "since",
    what: "`since`",
    says: "How long after another event of the same subject; in `when` also of another kind of subject, that the anchor names or \
           that names it. Where that has not happened, it does not hold.",
    keys: &[
        must!("event", EVENT_TYPE, "The other event."),
        BY,
        WHERE,
        may!(
            "pick",
            Shape::Word(&[("first", "The first of several."), ("latest", "The latest before this one.")]),
            "Which of several; by default the first.",
        ),
        may!("more-than", Shape::Text(&forms::SINCE), "Later than so long after it."),
        may!("at-most", Shape::Text(&forms::SINCE), "No later than so long after it."),
    ],
    ways: heads!["more-than", "at-most"],
};

/// The keys of a selector, of which the members of `any`, `all` and `in-order` are read alike.
macro_rules! selector_keys {
    ($members:expr) => {
        &[
            EVENT,
            may!("any", $members, ANY),
            may!("all", $members, ALL),
            may!("in-order", $members, IN_ORDER),
            DONE,
            BREACHED,
            BY,
            OF,
            WHERE,
            TIME,
            PICK,
            SINCE,
            TRUST,
            EVIDENCED,
            AHEAD,
        ]
    };
}

/// Which events, where an event must be named.
pub(crate) static SELECTOR: Block = Block {
    name: "selector-map",
    what: "a selector",
    says: "Which events: one head, and filters that hold for it.",
    keys: selector_keys!(SELECTORS),
    ways: heads!["event", "any", "all", "in-order", "done", "breached"],
};

/// What must have come before an anchor, or be true of it.
pub(crate) static REQUIREMENT: Block = Block {
    name: "requirement-map",
    what: "a selector",
    says: "What came before the anchor; `where` with no event speaks of the anchor itself.",
    keys: selector_keys!(REQUIREMENTS),
    ways: &[
        Way { with: &["event"], without: &[] },
        Way { with: &["any"], without: &[] },
        Way { with: &["all"], without: &[] },
        Way { with: &["done"], without: &[] },
        Way { with: &["breached"], without: &[] },
        Way { with: &["where"], without: &["event", "any", "all", "in-order", "done", "breached"] },
    ],
};

static SELECTOR_NAMED: Named = Named {
    name: "selector",
    says: "Which events: a type as plain text, or a map with one head and its filters.",
    shape: Shape::Either(&[&EVENT_TYPE, &Shape::Block(&SELECTOR)]),
};

static REQUIREMENT_NAMED: Named = Named {
    name: "requirement",
    says: "What came before the anchor, or is true of it.",
    shape: Shape::Either(&[&EVENT_TYPE, &Shape::Block(&REQUIREMENT)]),
};

pub(crate) static SELECTOR_SHAPE: Shape = Shape::Named(&SELECTOR_NAMED);
pub(crate) static REQUIREMENT_SHAPE: Shape = Shape::Named(&REQUIREMENT_NAMED);
static SELECTORS: Shape = Shape::List(&SELECTOR_SHAPE);
static REQUIREMENTS: Shape = Shape::List(&REQUIREMENT_SHAPE);

static NUMBER: Shape = Shape::Text(&forms::NUMBER);
static EQUAL: Shape = Shape::Text(&forms::EQUAL);

/// Tests other than being equal.
pub(crate) static TEST: Block = Block {
    name: "relation",
    what: "a test",
    says: "One test of a field.",
    keys: &[
        may!("not", TEST_SHAPE, "Not so. A field that is absent passes, but for `same-as`."),
        may!("same-as", Shape::Text(&forms::FIELD), "Equal to this field of the anchor."),
        may!("more-than", NUMBER, "Greater than this number."),
        may!("at-least", NUMBER, "This number or greater."),
        may!("less-than", NUMBER, "Less than this number."),
        may!("at-most", NUMBER, "This number or less."),
    ],
    ways: heads!["not", "same-as", "more-than", "at-least", "less-than", "at-most"],
};

static TEST_NAMED: Named = Named {
    name: "test",
    says: "A text that the field is equal to, a list of which it is one (of a list field: all its items are), `null` for absent, or a relation.",
    shape: Shape::Either(&[&EQUAL, &Shape::Null, &Shape::List(&EQUAL), &Shape::Block(&TEST)]),
};

pub(crate) static TEST_SHAPE: Shape = Shape::Named(&TEST_NAMED);
