//! Mappers: sources described in YAML.

use super::{Example, Explanation};

pub(crate) const NO_READING: Explanation = Explanation {
    name: "no-reading",
    remedy: "Say `type` if each record is something that happened, `state` if it is a row as it is now.",
    why: "A log's record is an event; of rows the difference is one. Read as a log, every look at an unchanged row would \
          be told as news; read as rows, a second event of one id would be taken for the same one.",
    example: Example::Mapper {
        broken: "type: review.completed\nstate: status\nfirst-sight: {open: nothing, done: review.completed}\norder: version",
        mended: "type: review.completed",
    },
};

pub(crate) const BAD_PATH: Explanation = Explanation {
    name: "bad-path",
    remedy: "Names with dots between them, a list's item as `[0]`, a name that has dots itself as `[\"app.name\"]`.",
    why: "A path that can be read in two ways would find one field today and another tomorrow.",
    example: Example::Mapper { broken: "id: review..id", mended: "id: review.id" },
};

pub(crate) const BAD_PATTERN: Explanation = Explanation {
    name: "bad-pattern",
    remedy: "Write a regular expression that the whole text matches, in quotes.",
    why: "What is no pattern matches nothing, and a link or partner that matches nothing is missed in silence.",
    example: Example::Mapper {
        broken: "links: {ticket: {from: ticket, like: \"INC[0-9{7}\"}}",
        mended: "links: {ticket: {from: ticket, like: \"INC[0-9]{7}\"}}",
    },
};

pub(crate) const MISPLACED: Explanation = Explanation {
    name: "misplaced",
    remedy: "Take it out, or put it where the hint says.",
    why: "It would have no effect there, or one that nobody meant: a zone beside an instant that has its own offset, \
          whoever wrote a row last as the one who did what it shows, a link that no pattern guards.",
    example: Example::Mapper {
        broken: "time: {from: done_at, as: epoch-ms, zone: Europe/Warsaw}",
        mended: "time: {from: done_at, as: epoch-ms}",
    },
};

pub(crate) const FREE_PARTNER: Explanation = Explanation {
    name: "free-partner",
    remedy: "Give a `table` from what stands there to the partners' names, a `like` with their pattern, or `fixed`.",
    why: "Partners are walls. A record that could name any partner could put its news on anybody's account, and a name \
          that is spelt otherwise would be nobody's.",
    example: Example::Mapper { broken: "partner: vendor", mended: "partner: {from: vendor, table: {\"4711\": acme}}" },
};

pub(crate) const NO_STATE: Explanation = Explanation {
    name: "no-state",
    remedy: "Use a state that `table` under `state` gives; without one, those of `first-sight` are the states.",
    why: "A line about a state that does not exist is never used, and the one that was meant is an error when it comes.",
    example: Example::Mapper {
        broken: "state: {from: status, table: {\"1\": open, \"2\": done}}\norder: version\nfirst-sight: {open: nothing, done: review.completed}\nchanges: [{from: open, to: doen, tells: review.completed}, {from: done, to: open, tells: nothing}]",
        mended: "state: {from: status, table: {\"1\": open, \"2\": done}}\norder: version\nfirst-sight: {open: nothing, done: review.completed}\nchanges: [{from: open, to: done, tells: review.completed}, {from: done, to: open, tells: nothing}]",
    },
};

pub(crate) const UNTOLD_STATE: Explanation = Explanation {
    name: "untold-state",
    remedy: "Add a line for each state to `first-sight`; `nothing` says that it tells nothing.",
    why: "Rows may be first seen in any state: the feed began late, or polls missed what was before. What then is told is \
          for the author to say, also where it is nothing.",
    example: Example::Mapper {
        broken: "state: {from: status, table: {\"1\": open, \"2\": done}}\norder: version\nfirst-sight: {open: nothing}\nchanges: [{from: any, to: any, tells: nothing}]",
        mended: "state: {from: status, table: {\"1\": open, \"2\": done}}\norder: version\nfirst-sight: {open: nothing, done: review.completed}\nchanges: [{from: any, to: any, tells: nothing}]",
    },
};

pub(crate) const BAD_EXAMPLE: Explanation = Explanation {
    name: "bad-example",
    remedy: "Say of each record one of `tells`, `skips` and `fails`.",
    why: "An example without an outcome shows nothing, and cannot fail.",
    example: Example::Mapper {
        broken: "examples: [{name: a review, records: [{value: {id: 1}}]}]",
        mended: "examples: [{name: a review, records: [{value: {id: 1}, fails: missing-time}]}]",
    },
};

pub(crate) const UNTOLD_CHANGE: Explanation = Explanation {
    name: "untold-change",
    remedy: "Add a line to `changes` for each; `tells: nothing` says that it tells nothing.",
    why: "Polls miss states in between, so rows jump. A change that no line speaks of is not passed over: it is \
          `unmapped-state`, a dead letter, when it comes.",
    example: Example::Mapper {
        broken: "state: status\norder: version\nfirst-sight: {open: nothing, done: review.completed}\nchanges: [{from: open, to: done, tells: review.completed}]",
        mended: "state: status\norder: version\nfirst-sight: {open: nothing, done: review.completed}\nchanges: [{from: open, to: done, tells: review.completed}, {from: done, to: open, tells: nothing}]",
    },
};

pub(crate) const NO_EXAMPLES: Explanation = Explanation {
    name: "no-examples",
    remedy: "Add records as they come, each with what it tells, and run `onus adapt --mapper FILE --test`.",
    why: "Whether a mapper says what was meant is seen from what becomes of records, not from its text.",
    example: Example::Mapper {
        broken: "examples: null",
        mended: "examples: [{name: a tombstone, records: [{value: null, skips: tombstone}]}]",
    },
};

pub(crate) const OPEN_WAIVER: Explanation = Explanation {
    name: "open-waiver",
    remedy: "Give `ends` and `obligations`, each `required: true` or `fixed`.",
    why: "An approval without `ends` holds for ever, and one without `obligations` waives all. In a table of exceptions an \
          empty field means neither: somebody forgot it.",
    example: Example::Mapper {
        broken: "type: waiver.approved\ndata: {ends: {from: until, as: rfc3339}}",
        mended: "type: waiver.approved\ndata: {ends: {from: until, as: rfc3339, required: true}, obligations: {fixed: rotate}}",
    },
};
