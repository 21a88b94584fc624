//! The examples of a mapper: records, and what becomes of each.

use super::forms::{self, WORDS_SHAPE};
use super::mapper::{EVENT, QUALITY_WORDS, SAID, TOPIC};
use super::{Block, Key, Shape, Way};

/// An event of an example.
pub(crate) static WANT: Block = Block {
    name: "wanted-event",
    what: "an event of an example",
    says: "An event as it must be told. What is left out is not compared. A type alone is `{type: ..}`.",
    keys: &[
        must!("type", EVENT, "Its type."),
        may!("id", Shape::Text(&SAID), "Its id."),
        may!("time", Shape::Text(&forms::INSTANT), "When it happened."),
        may!("timequality", Shape::Word(QUALITY_WORDS), "How exact that is."),
        may!("subject", Shape::Text(&SAID), "What it is about."),
        may!("partner", Shape::Text(&SAID), "Whose it is."),
        may!("sequence", Shape::Text(&SAID), "Its order."),
        may!("correlationid", Shape::Text(&SAID), "The ticket or change behind it."),
        may!("data", Shape::Any, "Fields of its data as JSON; `null`: null, or not there."),
    ],
    ways: &[],
};

/// A record of an example.
pub(crate) static SAMPLE: Block = Block {
    name: "example-record",
    what: "a record of an example",
    says: "A record and what becomes of it.",
    keys: &[
        may!("topic", Shape::Text(&TOPIC), "Its topic."),
        may!("received", Shape::Text(&forms::INSTANT), "When the broker took it."),
        must!("value", Shape::Any, "The record, as YAML or pasted as JSON; as a text its bytes; `null`: a tombstone."),
        may!(
            "tells",
            Shape::OneOrMore(&Shape::Either(&[&EVENT, &Shape::Block(&WANT)])),
            "The events that it tells: all, in order."
        ),
        may!("skips", Shape::Text(&SAID), "Why it tells nothing, as it should be: the skip's code."),
        may!("fails", Shape::Text(&SAID), "Why it cannot be read: the error's code."),
    ],
    ways: &[
        Way { with: &["tells"], without: &["skips", "fails"] },
        Way { with: &["skips"], without: &["tells", "fails"] },
        Way { with: &["fails"], without: &["tells", "skips"] },
    ],
};

/// An example.
pub(crate) static EXAMPLE: Block = Block {
    name: "example",
    what: "an example",
    says: "Records that are read one after another, from nothing.",
    keys: &[
        must!("name", WORDS_SHAPE, "What it shows."),
        must!("records", Shape::List(&Shape::Block(&SAMPLE)), "The records, each with what becomes of it."),
    ],
    ways: &[],
};
