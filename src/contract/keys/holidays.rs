//! Sets of holidays: dates, or rules with the years that they are good for.

use super::forms::{self, WORDS_SHAPE};
use super::{Block, Form, Key, Shape, Way};

pub(crate) static YEARS: Form = Form {
    name: "years",
    says: "A year, or the first and the last of several.",
    pattern: Some("(19|2[01])[0-9]{2}(-(19|2[01])[0-9]{2})?"),
    examples: &["2024-2032", "2026"],
    unquoted: true,
    literal: true,
};

static DAY_OF_YEAR: Form = Form {
    name: "day-of-year",
    says: "A day of every year.",
    pattern: Some(
        "[1-9][0-9]? (January|February|March|April|May|June|July|August|September|October|November|December)",
    ),
    examples: &["27 April"],
    unquoted: false,
    literal: true,
};

static OFFSET: Form = Form {
    name: "offset",
    says: "Days after Easter Sunday, or with a minus before it.",
    pattern: Some("[+-]?[0-9]{1,3}"),
    examples: &["-2", "39"],
    unquoted: true,
    literal: true,
};

pub(crate) const WEEKDAY_WORDS: &[(&str, &str)] = &[
    ("mon", "Monday."),
    ("tue", "Tuesday."),
    ("wed", "Wednesday."),
    ("thu", "Thursday."),
    ("fri", "Friday."),
    ("sat", "Saturday."),
    ("sun", "Sunday."),
];

const MONTH_WORDS: &[(&str, &str)] = &[
    ("January", "Of 31 days."),
    ("February", "Of 28 or 29 days."),
    ("March", "Of 31 days."),
    ("April", "Of 30 days."),
    ("May", "Of 31 days."),
    ("June", "Of 30 days."),
    ("July", "Of 31 days."),
    ("August", "Of 31 days."),
    ("September", "Of 30 days."),
    ("October", "Of 31 days."),
    ("November", "Of 30 days."),
    ("December", "Of 31 days."),
];

/// Which of a month's weekdays, and its number; None: the last.
pub(crate) const NTH_WORDS: &[(&str, Option<u8>)] =
    &[("1", Some(1)), ("2", Some(2)), ("3", Some(3)), ("4", Some(4)), ("last", None)];

static NTH: Form = Form {
    name: "nth",
    says: "The first to the fourth of a weekday in a month, or the last.",
    pattern: Some("[1-4]|last"),
    examples: &["1", "last"],
    unquoted: true,
    literal: true,
};

static SHIFT: Form = Form {
    name: "shift",
    says: "Where a holiday goes: `day before`, `day after`; `next mon` or `previous mon`, the first one after or before \
           it (any weekday); `next weekday`, the next of Monday to Friday on which the set has no other holiday, \
           `previous weekday` the one before.",
    pattern: Some("day before|day after|(next|previous) (weekday|mon|tue|wed|thu|fri|sat|sun)"),
    examples: &["day before", "next mon", "next weekday"],
    unquoted: false,
    literal: true,
};

static DATE: Shape = Shape::Text(&forms::DATE);
static SHIFTS: Shape = Shape::Map(&forms::DAYS, &Shape::Text(&SHIFT));

const YEARS_OF_RULE: Key =
    may!("years", Shape::Text(&YEARS), "The years in which the rule holds; by default all that the set covers.");

/// One day of a set, by a rule or by its dates.
pub(crate) static HOLIDAY: Block = Block {
    name: "holiday-rule",
    what: "a holiday",
    says: "One holiday: a day of the year, dates, days from Easter, or the n-th weekday of a month.",
    keys: &[
        key!(true, Told, "name", WORDS_SHAPE, "What it is called."),
        may!(
            "on",
            Shape::Either(&[&Shape::Text(&DAY_OF_YEAR), &Shape::OneOrMore(&DATE)]),
            "A day of every year, or dates."
        ),
        may!("easter", Shape::Text(&OFFSET), "So many days from Easter Sunday of the western churches."),
        may!("orthodox-easter", Shape::Text(&OFFSET), "So many days from Easter Sunday of the orthodox churches."),
        may!("nth", Shape::Text(&NTH), "Which of those weekdays in the month."),
        may!("weekday", Shape::Word(WEEKDAY_WORDS), "The weekday, with `nth`."),
        may!("month", Shape::Word(MONTH_WORDS), "The month, with `nth`."),
        YEARS_OF_RULE,
        may!("moved", SHIFTS, "On these weekdays it is another day instead."),
        may!("also", SHIFTS, "On these weekdays another day is closed as well."),
    ],
    ways: &[
        Way { with: &["on"], without: &["nth", "weekday", "month"] },
        Way { with: &["easter"], without: &["nth", "weekday", "month"] },
        Way { with: &["orthodox-easter"], without: &["nth", "weekday", "month"] },
        Way { with: &["nth", "weekday", "month"], without: &["on", "easter", "orthodox-easter"] },
    ],
};

/// A set by rules and dates.
pub(crate) static SET: Block = Block {
    name: "holiday-set",
    what: "a set of holidays",
    says: "Holidays by rules and dates, with the years for which they are all there, and where they are written.",
    keys: &[
        must!("covers", Shape::Text(&YEARS), "The years for which the set is complete."),
        key!(true, Told, "source", WORDS_SHAPE, "The law, or who announces them."),
        must!("days", Shape::List(&Shape::Either(&[&DATE, &Shape::Block(&HOLIDAY)])), "The holidays."),
    ],
    ways: &[],
};
