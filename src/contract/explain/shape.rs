//! Shape: which keys, and maps, lists or text where they belong.

use super::{Example, Explanation};

pub(crate) const UNKNOWN_KEY: Explanation = Explanation {
    name: "unknown-key",
    remedy: "Use the key that the hint names. A map in braces wants a blank after the colon: `{P1: 4h}`.",
    why: "A key that was skipped would be a promise that nobody keeps. So a contract has no keys that mean nothing: \
          remarks go into comments.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, puase: {reasons: [waiting-customer], by: customer}}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, pause: {reasons: [waiting-customer], by: customer}}",
    },
};

pub(crate) const MISSING_KEY: Explanation = Explanation {
    name: "missing-key",
    remedy: "Add the key.",
    why: "Without it the sentence does not say what is owed, by whom, until when or where it is written. The reader \
          does not guess.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const WRONG_SHAPE: Explanation = Explanation {
    name: "wrong-shape",
    remedy: "Write what the message asks for: text, a list or a map.",
    why: "A list where one thing belongs may mean any of them or all of them; the difference is who is in breach.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: [ticket.resolved, ticket.closed], within: 4h}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: {any: [ticket.resolved, ticket.closed]}, within: 4h}",
    },
};

pub(crate) const MUST_QUOTE: Explanation = Explanation {
    name: "must-quote",
    remedy: "Quote it (`\"4.10\"`), or write the value that YAML takes it for.",
    why: "To YAML 4.10 is the number 4.1, 007 is 7 and True is true. A clause 4.10 that is shown as 4.1 points at \
          another clause.",
    example: Example::Contract {
        broken: "- {id: restore, clause: 4.10, when: ticket.opened, do: ticket.resolved, within: 4h}",
        mended: "- {id: restore, clause: \"4.10\", when: ticket.opened, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const EMPTY: Explanation = Explanation {
    name: "empty",
    remedy: "Say something, or leave the key out.",
    why: "Nothing under a key may mean none, any, or that somebody has still to write it. Leaving the key out means \
          the default, which the reference states.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, maps: []}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const UNKNOWN_WORD: Explanation = Explanation {
    name: "unknown-word",
    remedy: "Use one of the words in the hint.",
    why: "Only these words mean something here.",
    example: Example::Contract { broken: "defaults: {trust: high}", mended: "defaults: {trust: verified}" },
};

pub(crate) const BAD_NAME: Explanation = Explanation {
    name: "bad-name",
    remedy: "Letters, digits, dots, underscores and hyphens; it begins with a letter or digit.",
    why: "Names go into duty ids, labels of metrics and file names, where blanks and signs mean something else.",
    example: Example::Contract {
        broken: "- {id: restore service, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}",
        mended: "- {id: restore-service, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}",
    },
};
