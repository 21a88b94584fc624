//! The keys of a catalogue.

use super::forms::{self, WORDS_SHAPE};
use super::{Block, Form, Key, Shape};

static TRUTH: Form = Form {
    name: "truth",
    says: "`true` or `false`.",
    pattern: Some("true|false"),
    examples: &["true"],
    unquoted: true,
    literal: true,
};

static NATIVE: Form = Form {
    name: "native-name",
    says: "What a source calls it, letter for letter: the `subject` of its events, or the `credential` or `parent` that they name.",
    pattern: None,
    examples: &["aws:secretsmanager:210987654321:eu-west-1:prod/payments/db"],
    unquoted: false,
    literal: true,
};

/// One identity.
pub(crate) static IDENTITY: Block = Block {
    name: "identity",
    what: "an identity",
    says: "One identity, whatever sources call it, and what is known of it. What an event says itself stands.",
    keys: &[
        must!("id", Shape::Text(&forms::NAME), "What it is called in duties, whatever a source calls it."),
        may!("names", Shape::OneOrMore(&Shape::Text(&NATIVE)), "What sources call it."),
        may!("partner", Shape::Text(&forms::NAME), "Who operates it: of events that name no partner."),
        may!("owner", Shape::Text(&forms::TEXT), "Who answers for it: `owner` of events about it."),
        may!("kind", Shape::Text(&forms::NAME), "What it is: `kind` of events about it."),
        may!(
            "privileged",
            Shape::Text(&TRUTH),
            "Whether it opens more than others: `privileged` of events about it, and of changes that name it. Left out, it is \
             not known."
        ),
        key!(false, Told, "says", WORDS_SHAPE, "Remarks, for people."),
    ],
    ways: &[],
};

/// A file.
pub(crate) static CATALOGUE: Block = Block {
    name: "catalogue",
    what: "a catalogue",
    says: "Identities, and what sources call them.",
    keys: &[
        must!("catalogue", Shape::Text(&forms::NAME), "Its name; the file is a catalogue because of this key."),
        key!(false, Told, "says", WORDS_SHAPE, "Remarks, for people."),
        must!("identities", Shape::List(&Shape::Block(&IDENTITY)), "What is in it."),
    ],
    ways: &[],
};
