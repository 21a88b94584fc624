//! The contract as a whole.

use super::duty::{DEFAULTS, OBLIGATION, SEVERITY_WORDS, WHERE};
use super::forms::{self, NAME_SHAPE, PARTIES, PARTY_SHAPE, TEXT_SHAPE, TEXTS, WORDS_SHAPE};
use super::holidays;
use super::selectors::SELECTOR_SHAPE;
use super::{Block, Key, Shape, Way};

static INSTANT: Shape = Shape::Text(&forms::INSTANT);
static ZONE: Shape = Shape::Text(&forms::ZONE);
static CONTROL_NAMES: Shape = Shape::List(&Shape::Text(&forms::CONTROL));

/// What a contract may share with others: it may stand in an included file, too.
const INCLUDE: Key = may!(
    "include",
    Shape::OneOrMore(&Shape::Text(&forms::INCLUDED)),
    "Files with parts of a contract, in this grammar: their names add up, and only `values` may be given anew.",
);
const BUSINESS: Key =
    may!("calendar", Shape::Text(&forms::CALENDAR), "What \"business\" means unless an obligation says otherwise.");
const VALUES: Key = may!(
    "values",
    Shape::Map(&forms::VALUE_NAME, &Shape::Text(&forms::VALUE)),
    "Named figures and words, used as `$name`.",
);
const EVENTS: Key = may!(
    "events",
    Shape::List(&Shape::Text(&forms::OWN_EVENT)),
    "Event types of the contract's own; any other unknown type is an error.",
);
const ROLES: Key = told!(
    "roles",
    Shape::Map(&forms::ROLE, &WORDS_SHAPE),
    "Roles and where they are reached. Where they are listed, no other role may be named.",
);
const SUBCONTRACTORS: Key =
    told!("subcontractors", Shape::Map(&forms::NAME_KEY, &Shape::Block(&SUBCONTRACTOR)), "Who works for the partner.",);
const CALENDARS: Key = may!("calendars", Shape::Map(&forms::NAME_KEY, &Shape::Block(&CALENDAR)), "Calendars by name.");
const HOLIDAYS: Key = may!(
    "holidays",
    Shape::Map(
        &forms::NAME_KEY,
        &Shape::Either(&[&Shape::Map(&forms::DATE, &TEXT_SHAPE), &Shape::Block(&holidays::SET)]),
    ),
    "Sets of holidays by name: each date to name, or rules with the years that they cover.",
);
const CONTROLS: Key = may!(
    "controls",
    Shape::Map(&forms::NAME_KEY, &Shape::Block(&CONTROL)),
    "The identity-security activities that the contract gives to the partner.",
);
const OBLIGATION_DEFAULTS: Key =
    may!("defaults", Shape::Block(&DEFAULTS), "What every obligation of the file says unless it says otherwise.");
const ESCALATION: Key = told!(
    "escalation",
    Shape::Map(&forms::NAME_KEY, &Shape::List(&Shape::Block(&RUNG))),
    "Ladders by name: whom to tell, and when.",
);
const OBLIGATIONS: Key = may!("obligations", Shape::List(&Shape::Block(&OBLIGATION)), "What is owed.");

/// One version of one contract.
pub(crate) static CONTRACT: Block = Block {
    name: "contract",
    what: "a contract",
    says: "One version of one contract. Unknown keys are errors.",
    keys: &[
        must!("contract", NAME_SHAPE, "The contract's name; its versions share it."),
        must!(
            "partner",
            Shape::OneOrMore(&Shape::Text(&forms::PARTNER)),
            "The partner that is bound; a list, or a beginning with `*`: the same terms for many, each judged apart.",
        ),
        must!("customer", NAME_SHAPE, "The accountable side."),
        must!(
            "effective",
            INSTANT,
            "In force from here until the next version; a duty keeps the version it began under."
        ),
        may!("ends", INSTANT, "When the relationship ends."),
        told!(
            "restates",
            TEXT_SHAPE,
            "Why this version may take effect in the past, or a version in force be changed: what has ended is judged anew."
        ),
        must!("zone", ZONE, "For local days, months, quarters and years."),
        BUSINESS,
        told!("retention", Shape::Text(&forms::LENGTH), "How long facts are kept for restating and audit."),
        INCLUDE,
        VALUES,
        EVENTS,
        may!("scope", Shape::Block(&SCOPE), "Which events the contract is about; by default all of the partner's."),
        may!(
            "stack",
            NAME_SHAPE,
            "The stack that several partners run together: what the customer shares of it reaches each (`of: stack`).",
        ),
        may!(
            "yields-to",
            Shape::OneOrMore(&NAME_SHAPE),
            "The contracts that go first where the scopes of both fit an event."
        ),
        ROLES,
        SUBCONTRACTORS,
        CALENDARS,
        HOLIDAYS,
        CONTROLS,
        OBLIGATION_DEFAULTS,
        ESCALATION,
        may!("waivers", Shape::Block(&WAIVERS), "Who may approve deviations, and those granted; by default none."),
        OBLIGATIONS,
    ],
    ways: &[Way { with: &["obligations"], without: &[] }, Way { with: &["include"], without: &["obligations"] }],
};

/// An included file.
pub(crate) static PART: Block = Block {
    name: "part",
    what: "an included file",
    says: "Part of the contracts that include it. Its `calendar` and `defaults` hold for its own obligations, over \
           those of the file that includes it.",
    keys: &[
        BUSINESS,
        INCLUDE,
        VALUES,
        EVENTS,
        ROLES,
        SUBCONTRACTORS,
        CALENDARS,
        HOLIDAYS,
        CONTROLS,
        OBLIGATION_DEFAULTS,
        ESCALATION,
        OBLIGATIONS,
    ],
    ways: &[],
};

pub(crate) static SCOPE: Block = Block {
    name: "scope",
    what: "`scope`",
    says: "Which events it is about: those that one of its lists fits, with `*` for any run of characters. An event that \
           names no partner belongs to the partner of the contract whose scope it fits.",
    keys: &[
        may!("assignment-groups", TEXTS, "Groups that tickets are assigned to: the field `group`."),
        may!("accounts", TEXTS, "Accounts: the field `account`."),
        may!("vault-mounts", TEXTS, "Paths of a vault: the field `mount`. One that ends in `/` is all below it."),
        may!("credentials", TEXTS, "Names of credentials: the subject of their events, else the field `credential`."),
        may!("sources", TEXTS, "Sources of events; of others nothing is taken."),
        may!(
            "labels",
            Shape::Map(&forms::LABEL, &TEXT_SHAPE),
            "Labels, all of them needed: the field `labels`, a list of `name=value`.",
        ),
        may!("except", Shape::Block(&SCOPE), "What is left out of all this."),
    ],
    ways: &[],
};

pub(crate) static SUBCONTRACTOR: Block = Block {
    name: "subcontractor",
    what: "a subcontractor",
    says: "Who works for the partner, on what, bound by which clause.",
    keys: &[
        must!("controls", CONTROL_NAMES, "The controls it works on."),
        must!("flow-down", TEXT_SHAPE, "The clause that binds it as the partner is bound."),
    ],
    ways: &[],
};

static WINDOWS: Shape = Shape::OneOrMore(&Shape::Text(&forms::WINDOW));
static MEMBERS: Shape = Shape::List(&Shape::Text(&forms::CALENDAR));

pub(crate) static CALENDAR: Block = Block {
    name: "calendar",
    what: "a calendar",
    says: "When time counts: hours of its own, or those of other calendars.",
    keys: &[
        must!("zone", ZONE, "The zone of its hours and days."),
        may!("hours", Shape::Map(&forms::DAYS, &WINDOWS), "Windows by weekday."),
        may!("breaks", Shape::Map(&forms::DAYS_OR_DATE, &WINDOWS), "Windows that do not count, by weekday or date."),
        may!("holidays", Shape::List(&Shape::Text(&forms::HOLIDAY)), "Days that do not count."),
        may!(
            "worked",
            Shape::Map(&forms::DATE, &WINDOWS),
            "Windows that replace the hours of a date. A holiday beats them, a break beats both.",
        ),
        may!("any", MEMBERS, "Open when any of these is."),
        may!("all", MEMBERS, "Open when all of these are."),
    ],
    ways: &[
        Way { with: &["hours"], without: &[] },
        Way { with: &["any"], without: &["holidays", "breaks", "worked"] },
        Way { with: &["all"], without: &["holidays", "breaks", "worked"] },
    ],
};

pub(crate) static CONTROL: Block = Block {
    name: "control",
    what: "a control",
    says: "One identity-security activity.",
    keys: &[
        may!(
            "mode",
            Shape::Word(&[
                ("advisory", "The partner recommends; its acts are findings."),
                ("operational", "The partner acts, the customer approves: an act without approval is a finding."),
                ("delegated", "The partner approves and acts, but for what is retained."),
            ]),
            "How far the partner goes by itself.",
        ),
        must!("risk-owner", PARTY_SHAPE, "Who holds the onus when no duty is open."),
        may!("raci", Shape::Block(&RACI), "Who does what. Who approves is whose approval counts."),
        may!("scope", Shape::Block(&SCOPE), "Which events are of this control, where they do not say it themselves."),
        may!(
            "retained",
            Shape::List(&SELECTOR_SHAPE),
            "Acts that always need the customer's approval first, by another than who acts.",
        ),
        may!(
            "guardrails",
            Shape::List(&Shape::Block(&GUARDRAIL)),
            "Acts that are approved beforehand, within bounds; outside them they need approval like others.",
        ),
        told!("maps", TEXTS, "Laws and ids of frameworks that ask for it."),
    ],
    ways: &[],
};

pub(crate) static GUARDRAIL: Block = Block {
    name: "guardrail",
    what: "a guardrail",
    says: "An act that is approved beforehand, within bounds.",
    keys: &[
        must!("event", Shape::Text(&forms::EVENT), "The act."),
        WHERE,
        may!("calendar", Shape::Text(&forms::CALENDAR), "Only in the hours of this calendar."),
        may!("at-most", Shape::Text(&forms::QUOTA), "No more of them than this; one too many is a finding."),
        may!("evidence", NAME_SHAPE, "The kind of evidence that is owed of each, within 24h."),
    ],
    ways: &[],
};

pub(crate) static RACI: Block = Block {
    name: "raci",
    what: "`raci`",
    says: "Who does what on a control.",
    keys: &[
        must!("request", PARTY_SHAPE, "Asks for an act."),
        must!("approve", PARTY_SHAPE, "Allows it."),
        must!("execute", PARTY_SHAPE, "Does it."),
        must!("review", PARTY_SHAPE, "Looks at it afterwards."),
    ],
    ways: &[],
};

pub(crate) static RUNG: Block = Block {
    name: "rung",
    what: "a rung",
    says: "One step of a ladder.",
    keys: &[
        must!("at", Shape::Text(&forms::RUNG), "When it is reached."),
        must!("tell", PARTIES, "Whom to tell."),
        may!("severity", Shape::Word(SEVERITY_WORDS), "How loud."),
        may!(
            "calendar",
            Shape::Text(&forms::CALENDAR),
            "What \"business\" means for `at`, where those who are told work other hours than the duty counts.",
        ),
    ],
    ways: &[],
};

pub(crate) static WAIVERS: Block = Block {
    name: "waivers",
    what: "`waivers`",
    says: "Who may approve deviations, and those granted from the start.",
    keys: &[
        must!("approve", Shape::Text(&forms::CUSTOMER), "The only role whose approval counts, never one that owes."),
        may!("longest", Shape::Text(&forms::ELAPSED), "The longest that a waiver lasts; a longer one is cut there."),
        may!(
            "renewals",
            Shape::Text(&forms::COUNT),
            "How many more may follow the first on one duty; what is approved after them has no effect.",
        ),
        may!("granted", Shape::List(&Shape::Block(&GRANTED)), "Those granted from the start."),
    ],
    ways: &[],
};

pub(crate) static GRANTED: Block = Block {
    name: "waiver",
    what: "a waiver",
    says: "A deviation that the customer approved.",
    keys: &[
        must!("id", NAME_SHAPE, "Its name."),
        must!("obligations", Shape::OneOrMore(&Shape::Text(&forms::OBLIGATION)), "The obligations it frees from."),
        WHERE,
        must!("approved-by", Shape::Text(&forms::CUSTOMER), "The customer, or a role of it."),
        must!("reason", WORDS_SHAPE, "Why."),
        may!("ticket", TEXT_SHAPE, "Where it was asked for."),
        must!("starts", INSTANT, "From here."),
        must!("ends", INSTANT, "To here: from this instant on the duty is back."),
    ],
    ways: &[],
};
