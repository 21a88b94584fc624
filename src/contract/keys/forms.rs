//! The forms that text has.

use super::{Form, Shape};

/// Text of any kind.
const ANY: Form = Form { name: "", says: "", pattern: None, examples: &[], unquoted: true, literal: false };

pub(crate) static TEXT: Form = Form { name: "text", says: "Any text.", ..ANY };

/// Words for people: a `$name` in them is these characters.
pub(crate) static WORDS: Form = Form { name: "words", says: "Any text, for people.", literal: true, ..ANY };

pub(crate) static CLAUSE: Form = Form {
    name: "clause",
    says: "Where it is written in the contract on paper. A number is quoted: 4.10 is not 4.1.",
    examples: &["4.1", "Art 5(1)(a)"],
    unquoted: false,
    literal: true,
    ..ANY
};

pub(crate) static NAME: Form = Form {
    name: "name",
    says: "Letters, digits, dots, underscores and hyphens; it begins with a letter or digit.",
    pattern: Some("[A-Za-z0-9][A-Za-z0-9._-]*"),
    examples: &["acme-pam"],
    ..ANY
};

pub(crate) static KIND: Form = Form {
    name: "kind",
    says: "A kind of subject: what stands before the dot of its event types.",
    pattern: Some("[A-Za-z0-9][A-Za-z0-9_-]*"),
    examples: &["credential", "grant"],
    ..ANY
};

pub(crate) static PARTNER: Form = Form {
    name: "partner",
    says: "A partner's name, or the beginning of one with `*` for any rest.",
    pattern: Some("[A-Za-z0-9][A-Za-z0-9._-]*\\*?|\\*"),
    examples: &["halden-pam", "berth-*"],
    ..ANY
};

pub(crate) static INSTANT: Form = Form {
    name: "instant",
    says: "A date, a time and an offset.",
    pattern: Some("[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"),
    examples: &["2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00"],
    unquoted: false,
    ..ANY
};

pub(crate) static DATE: Form = Form {
    name: "date",
    says: "Year, month, day.",
    pattern: Some("[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    examples: &["2026-12-24"],
    unquoted: false,
    literal: true,
};

pub(crate) static HOLIDAY: Form = Form {
    name: "holiday",
    says: "The name of a holiday set, or a date.",
    examples: &["nl", "2026-12-24"],
    ..NAME_LIKE
};

const NAME_LIKE: Form = Form { pattern: Some("[A-Za-z0-9][A-Za-z0-9._-]*"), ..ANY };

pub(crate) static ZONE: Form = Form {
    name: "zone",
    says: "A zone of the IANA table.",
    pattern: Some("[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*"),
    examples: &["Europe/Amsterdam", "UTC"],
    unquoted: false,
    ..ANY
};

pub(crate) static CALENDAR: Form = Form { name: "calendar-name", says: "A calendar of `calendars`.", ..NAME_LIKE };

pub(crate) static CONTROL: Form = Form { name: "control-name", says: "A control of `controls`.", ..NAME_LIKE };

pub(crate) static LADDER: Form = Form { name: "ladder-name", says: "A ladder of `escalation`.", ..ANY };

pub(crate) static OBLIGATION: Form = Form { name: "obligation-id", says: "The id of an obligation.", ..NAME_LIKE };

pub(crate) static SERVED: Form = Form {
    name: "served",
    says: "The id of an obligation, of another contract with the contract's name before it.",
    examples: &["report", "acme-dora/initial-notification"],
    ..ANY
};

pub(crate) static PARTY: Form = Form {
    name: "party",
    says: "A side, or a role of it.",
    pattern: Some("(customer|partner)(\\.[a-z0-9-]+)?"),
    examples: &["customer", "partner", "customer.iam-lead"],
    unquoted: false,
    ..ANY
};

pub(crate) static ROLE: Form = Form {
    name: "role",
    says: "A role of a side.",
    pattern: Some("(customer|partner)\\.[a-z0-9-]+"),
    examples: &["customer.iam-lead", "partner.desk"],
    unquoted: false,
    literal: true,
};

pub(crate) static CUSTOMER: Form = Form {
    name: "customer-party",
    says: "The customer, or better a role of it.",
    pattern: Some("customer(\\.[a-z0-9-]+)?"),
    examples: &["customer.ciso-office"],
    unquoted: false,
    ..ANY
};

pub(crate) static INCLUDED: Form = Form {
    name: "included",
    says: "A path without `..`, looked for beside the file, then in the folders of `--library`, then among the parts \
           that are shipped. `.yaml` may be left out.",
    pattern: Some("[^./\\\\$][^\\\\]*"),
    examples: &["holidays/nl", "terms/exit.yaml"],
    literal: true,
    ..ANY
};

pub(crate) static QUOTA: Form = Form {
    name: "quota",
    says: "How many in each hour, day, week or month of the contract's zone.",
    pattern: Some("[1-9][0-9]{0,8} each (hour|day|week|month)"),
    examples: &["200 each day"],
    unquoted: false,
    ..ANY
};

pub(crate) static COUNT: Form =
    Form { name: "count", says: "A whole number.", pattern: Some("0|[1-9][0-9]{0,2}"), examples: &["0", "1"], ..ANY };

pub(crate) static LABEL: Form =
    Form { name: "label", says: "The name of a label.", examples: &["team"], literal: true, ..ANY };

pub(crate) static VALUE_NAME: Form = Form {
    name: "value-name",
    says: "Lower-case letters, digits and hyphens; used as `$name`.",
    pattern: Some("[a-z][a-z0-9-]*"),
    examples: &["undue"],
    unquoted: false,
    literal: true,
};

pub(crate) static VALUE: Form =
    Form { name: "value", says: "What stands in the place of `$name`.", literal: true, ..ANY };

pub(crate) static OWN_EVENT: Form = Form {
    name: "own-event",
    says: "An event type of the contract's own: kind.act.",
    pattern: Some("[a-z]+(-[a-z]+)*\\.[a-z]+(-[a-z]+)*"),
    examples: &["badge.returned"],
    unquoted: false,
    ..ANY
};

pub(crate) static EVENT: Form = Form {
    name: "event-type",
    says: "An event type that is built in, or declared under `events`.",
    pattern: Some("[a-z]+(-[a-z]+)*\\.[a-z]+(-[a-z]+)*"),
    examples: &[],
    unquoted: false,
    ..ANY
};

pub(crate) static FIELD: Form = Form {
    name: "field",
    says: "A field of the event's data; `subject`, or a kind's name, is the subject's own id.",
    pattern: Some("[A-Za-z][A-Za-z0-9_.-]*"),
    examples: &["privileged", "actor", "evidence"],
    unquoted: false,
    ..ANY
};

pub(crate) static FACT: Form = Form {
    name: "fact",
    says: "A field, `date` for the anchor's local day, or a value of the contract.",
    pattern: Some("\\$[a-z][a-z0-9-]*|[A-Za-z][A-Za-z0-9_.-]*"),
    examples: &["severity", "date", "$class"],
    unquoted: false,
    literal: true,
};

pub(crate) static ROW: Form = Form {
    name: "row",
    says: "A value of the fact, `*` for the rest, or a date from which the row holds.",
    literal: true,
    ..ANY
};

pub(crate) static NUMBER: Form = Form {
    name: "number",
    says: "A number.",
    pattern: Some("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"),
    ..ANY
};

pub(crate) static EQUAL: Form = Form {
    name: "equal",
    says: "Equal to this; `*` in it for any run of characters, alone for: is there.",
    examples: &["major", "svc-*", "*"],
    ..ANY
};

pub(crate) static PRIORITY: Form = Form {
    name: "priority",
    says: "`P1` to `P9`, or `*` for the rest.",
    pattern: Some("P[1-9]|\\*"),
    examples: &["P1"],
    unquoted: false,
    literal: true,
};

/// Every length, without the ends of the pattern.
macro_rules! length {
    () => {
        "[1-9][0-9]*(s|min|h| days?| weeks?| business minutes?| business hours?| business days?| calendar days?| months?| years?)"
    };
}

pub(crate) static LENGTH: Form = Form {
    name: "length",
    says: "A count and a unit. The unit says the clock: seconds to weeks run day and night, a day is 24 hours; business \
           time is that of the calendar; calendar days, months and years are of the zone.",
    pattern: Some(length!()),
    examples: &[
        "15min",
        "4h",
        "90 days",
        "2 weeks",
        "4 business hours",
        "3 business days",
        "60 calendar days",
        "1 month",
    ],
    unquoted: false,
    ..ANY
};

pub(crate) static ELAPSED: Form = Form {
    name: "elapsed",
    says: "A length that runs day and night.",
    pattern: Some("[1-9][0-9]*(s|min|h| days?| weeks?)"),
    examples: &["15min", "4h", "14 days"],
    unquoted: false,
    ..ANY
};

pub(crate) static LIMIT: Form = Form {
    name: "limit-text",
    says: "A length, or an instant that pauses do not move. `3 business days`: by close of the third working day after \
           the anchor's day. `60 calendar days`: to the end of the 60th local day after. `1 month`: the same local \
           time, at most the month's last day.",
    pattern: Some(concat!(
        length!(),
        "|at once|by ([01][0-9]|2[0-3]):[0-5][0-9] (same|next) business day|by 24:00 (same|next) business day",
        "|by [1-9][0-9]? (January|February|March|April|May|June|July|August|September|October|November|December)",
        "|by [0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
    )),
    examples: &[
        "15min",
        "4h",
        "90 days",
        "4 business hours",
        "3 business days",
        "60 calendar days",
        "1 month",
        "by 12:00 next business day",
        "by 15 April",
        "by 2027-03-15T00:00:00Z",
        "at once",
    ],
    unquoted: false,
    ..ANY
};

pub(crate) static PERIOD: Form = Form {
    name: "period",
    says: "A length slides from the last act; a bare unit is of the calendar.",
    pattern: Some(concat!(length!(), "|day|week|month|quarter|half-year|year")),
    examples: &["90 days", "6 months", "day", "week", "month", "quarter", "half-year", "year"],
    unquoted: false,
    ..ANY
};

pub(crate) static AHEAD: Form = Form {
    name: "ahead",
    says: "A length.",
    pattern: Some(length!()),
    examples: &["2h", "30 business days"],
    unquoted: false,
    ..ANY
};

pub(crate) static SINCE: Form = Form {
    name: "since-length",
    says: "A length, not of business time.",
    pattern: Some("[1-9][0-9]*(s|min|h| days?| weeks?| calendar days?| months?| years?)"),
    examples: &["2h", "30 days"],
    unquoted: false,
    ..ANY
};

pub(crate) static CAP: Form = Form {
    name: "cap",
    says: "A length, or a share of the limit.",
    pattern: Some(concat!(length!(), "|[1-9][0-9]?%")),
    examples: &["50%", "5 business days"],
    unquoted: false,
    ..ANY
};

pub(crate) static PERCENT: Form = Form {
    name: "percent",
    says: "A share.",
    pattern: Some("(100(\\.0*)?|[0-9]{1,2}(\\.[0-9]*)?)%"),
    examples: &["95%", "99.5%"],
    unquoted: false,
    ..ANY
};

pub(crate) static RUNG: Form = Form {
    name: "rung-at",
    says: "A share of the limit, so long before the deadline, the breach, or so long after it.",
    pattern: Some(concat!("[1-9][0-9]?%|breach|", length!(), " (before|after)")),
    examples: &["80%", "2h before", "breach", "1h after"],
    unquoted: false,
    ..ANY
};

pub(crate) static ROLL: Form = Form {
    name: "roll-text",
    says: "Where a deadline on a closed day of the calendar goes.",
    pattern: Some(
        "none|previous business day|next business day|by (([01][0-9]|2[0-3]):[0-5][0-9]|24:00) next business day",
    ),
    examples: &["none", "previous business day", "next business day", "by 12:00 next business day"],
    unquoted: false,
    ..ANY
};

pub(crate) static WINDOW: Form = Form {
    name: "window",
    says: "From and to; to at or before from is on the next day. The day ends at 24:00.",
    pattern: Some("([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"),
    examples: &["09:00-17:30", "22:00-06:00"],
    unquoted: false,
    ..ANY
};

pub(crate) static DAYS: Form = Form {
    name: "days",
    says: "A weekday, or a range of them.",
    pattern: Some("(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?"),
    examples: &["mon-fri", "sat"],
    unquoted: false,
    literal: true,
};

pub(crate) static DAYS_OR_DATE: Form = Form {
    name: "days-or-date",
    says: "A weekday, a range of them, or a date.",
    pattern: Some("(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?|[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    examples: &["mon-fri", "2026-12-24"],
    unquoted: false,
    literal: true,
};

pub(crate) static NAME_KEY: Form =
    Form { literal: true, name: "name-key", says: "A name of your choice.", ..NAME_LIKE };

pub(crate) static TEXT_SHAPE: Shape = Shape::Text(&TEXT);
pub(crate) static WORDS_SHAPE: Shape = Shape::Text(&WORDS);
pub(crate) static NAME_SHAPE: Shape = Shape::Text(&NAME);
pub(crate) static PARTY_SHAPE: Shape = Shape::Text(&PARTY);
pub(crate) static PARTIES: Shape = Shape::OneOrMore(&PARTY_SHAPE);
pub(crate) static TEXTS: Shape = Shape::List(&TEXT_SHAPE);
