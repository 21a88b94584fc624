//! Sense: each part can be read, and together they say nothing.

use super::{Example, Explanation};

pub(crate) const NO_SENTENCE: Explanation = Explanation {
    name: "no-sentence",
    remedy: "Say `when`, `do`, `within`; or `every`, `do`; or `when`, `requires`.",
    why: "An obligation is one of three sentences: when A, do B, within L; every P, do B; when A, requires B. In any \
          other mixture it is not clear what is owed.",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: change.executed, do: change.closed, requires: change.approved, within: 24h}",
        mended: "- {id: approved, clause: \"6.1\", when: change.executed, requires: change.approved}\n- {id: closed, clause: \"6.2\", when: change.executed, do: change.closed, within: 24h}",
    },
};

pub(crate) const WRONG_SENTENCE: Explanation = Explanation {
    name: "wrong-sentence",
    remedy: "Take the key out, or make it another sentence.",
    why: "A requirement is judged at once: it has no limit, and nothing to pause. A key without effect would let \
          somebody believe that it has one.",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: change.executed, requires: change.approved, within: 4h}",
        mended: "- {id: approved, clause: \"6.1\", when: change.executed, requires: change.approved}",
    },
};

pub(crate) const TABLE_DEPTH: Explanation = Explanation {
    name: "table-depth",
    remedy: "One level of rows for each fact of `depends-on`.",
    why: "Each level of a table is chosen by one fact. With a level too many or too few, a row has no fact or a fact \
          no row.",
    example: Example::Contract {
        broken: "- {id: fix, clause: \"9\", when: finding.opened, do: finding.closed, within: {depends-on: [severity, exposed], table: {high: 24h, \"*\": 30 days}}}",
        mended: "- {id: fix, clause: \"9\", when: finding.opened, do: finding.closed, within: {depends-on: severity, table: {high: 24h, \"*\": 30 days}}}",
    },
};

pub(crate) const NO_ROW: Explanation = Explanation {
    name: "no-row",
    remedy: "Add the row, or `*` for the rest.",
    why: "The contract chooses a row by a value of its own, and there is no such row: the duty would have no limit.",
    example: Example::Contract {
        broken: "values: {class: systemic}\nobligations:\n  - {id: report, clause: \"9\", when: incident.detected, do: incident.reported, within: {depends-on: $class, table: {ordinary: 24h}}}",
        mended: "values: {class: systemic}\nobligations:\n  - {id: report, clause: \"9\", when: incident.detected, do: incident.reported, within: {depends-on: $class, table: {ordinary: 24h, systemic: 4h}}}",
    },
};

pub(crate) const ENDS_FIRST: Explanation = Explanation {
    name: "ends-first",
    remedy: "Correct one of the two instants.",
    why: "A contract or waiver that ends before it begins is never in force.",
    example: Example::Contract {
        broken: "effective: 2026-01-01T00:00:00Z\nends: 2025-12-31T00:00:00Z",
        mended: "effective: 2026-01-01T00:00:00Z\nends: 2028-12-31T00:00:00Z",
    },
};

pub(crate) const NO_ZONE: Explanation = Explanation {
    name: "no-zone",
    remedy: "Add `zone:`.",
    why: "Nine o'clock is another instant in each zone. A calendar that took the contract's, or the server's, would \
          move when either does.",
    example: Example::Contract {
        broken: "calendars: {office: {hours: {mon-fri: \"09:00-17:00\"}}}",
        mended: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}",
    },
};

pub(crate) const SHOULD_NOT_SHORTER: Explanation = Explanation {
    name: "should-not-shorter",
    remedy: "Shorten `should`, or leave it out.",
    why: "Past `should` it is noted, past `must` it is a breach. A `should` that ends with the `must` or after it would \
          never be noted in time; perhaps the two are swapped.",
    example: Example::Contract {
        broken: "- {id: replace, clause: \"BR 4.9\", when: finding.opened, do: credential.revoked, within: {must: 24h, should: 5 days}}",
        mended: "- {id: replace, clause: \"BR 4.9\", when: finding.opened, do: credential.revoked, within: {must: 5 days, should: 24h}}",
    },
};

pub(crate) const DATE_ORDER: Explanation = Explanation {
    name: "date-order",
    remedy: "Earliest first: each row holds until the next one's date.",
    why: "A row by date holds from its date on. Out of order, a reader takes another row than the judge.",
    example: Example::Contract {
        broken: "- {id: age, clause: \"BR 6.3\", when: credential.created, do: credential.rotated, within: {depends-on: date, table: {2026-03-15: 200 days, 2020-09-01: 398 days}}}",
        mended: "- {id: age, clause: \"BR 6.3\", when: credential.created, do: credential.rotated, within: {depends-on: date, table: {2020-09-01: 398 days, 2026-03-15: 200 days}}}",
    },
};

pub(crate) const WAIVER_PARTY: Explanation = Explanation {
    name: "waiver-party",
    remedy: "The customer approves, and not the role that owes.",
    why: "Whoever owes a duty cannot free itself of it, and the partner cannot accept the customer's risk.",
    example: Example::Contract {
        broken: "waivers: {approve: partner.desk, longest: 30 days}",
        mended: "waivers: {approve: customer.ciso-office, longest: 30 days}",
    },
};

pub(crate) const SELECTOR_HEAD: Explanation = Explanation {
    name: "selector-head",
    remedy: "Name one of `event`, `any`, `all`, `in-order`, `done`, `breached`.",
    why: "A selector says which events count. With none it would be every event, with two it is either or both.",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: {where: {privileged: true}}, requires: change.approved}",
        mended: "- {id: approved, clause: \"6.1\", when: {event: change.executed, where: {privileged: true}}, requires: change.approved}",
    },
};

pub(crate) const WRONG_FILTER: Explanation = Explanation {
    name: "wrong-filter",
    remedy: "Put the filter where the hint says.",
    why: "`ahead` says how long before an anchor something came, `same-as` what is equal to the anchor's: where there \
          is no anchor to compare with, they mean nothing.",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: {event: change.executed, ahead: 2h}, requires: change.approved}",
        mended: "- {id: approved, clause: \"6.1\", when: change.executed, requires: {event: change.approved, ahead: 2h}}",
    },
};

pub(crate) const OWN_TIME: Explanation = Explanation {
    name: "own-time",
    remedy: "Let the source give the event the time at which it happened, or begin a limit there with `when` or `from`.",
    why: "An act, an end, an approval or a reason counts when it happened. A field with an earlier instant helps who \
          fills it: whoever was late would write that he was not.",
    example: Example::Contract {
        broken: "- {id: resolve, clause: \"4.2\", when: ticket.opened, do: {event: ticket.resolved, time: resolved_at}, within: 4h}",
        mended: "- {id: resolve, clause: \"4.2\", when: {event: ticket.opened, time: occurred_at}, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const KINDS_DIFFER: Explanation = Explanation {
    name: "kinds-differ",
    remedy: "Say it of one kind of subject: begin at the last of the events and require the others, say `per`, or make an \
             obligation for each kind.",
    why: "A duty is about one subject. Of events on several kinds of subject nobody could say which ticket and which \
          change belong together, or what each duty is about.",
    example: Example::Contract {
        broken: "- {id: close, clause: \"4.4\", when: {all: [ticket.resolved, change.closed]}, do: ticket.closed, within: 4h}",
        mended: "- {id: close, clause: \"4.4\", when: {all: [ticket.resolved, ticket.acknowledged]}, do: ticket.closed, within: 4h}",
    },
};

pub(crate) const KEY_IN_ROW: Explanation = Explanation {
    name: "key-in-row",
    remedy: "Say it around the table. Where rows differ in it, make two limits of a list, each with its own table.",
    why: "A row says how long. What softens, starts or moves a limit is the limit's, so that it can be read in one place.",
    example: Example::Contract {
        broken: "- {id: resolve, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {P1: {must: 4h, should: 2h}, \"*\": 8h}}",
        mended: "- {id: resolve, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {must: {P1: 4h, \"*\": 8h}, should: 2h}}",
    },
};

pub(crate) const UNCOVERED_HOLIDAY: Explanation = Explanation {
    name: "uncovered-holiday",
    remedy: "Make `covers` the years for which every holiday is there, and no others.",
    why: "`covers` is a promise: in these years no holiday is missing. A date outside them, a rule for other years, or a \
          year without any day shows that it was not kept, and a missing holiday is a breach that is none.",
    example: Example::Contract {
        broken: "holidays:\n  sg:\n    covers: 2025-2026\n    source: Ministry of Manpower\n    days:\n      - {name: Deepavali, on: [2026-11-08]}",
        mended: "holidays:\n  sg:\n    covers: 2025-2026\n    source: Ministry of Manpower\n    days:\n      - {name: Deepavali, on: [2025-10-20, 2026-11-08]}",
    },
};

pub(crate) const UNSUPPORTED: Explanation = Explanation {
    name: "unsupported",
    remedy: "Say it otherwise, or keep this part out until it is supported.",
    why: "It is not skipped, because a contract with a part skipped would judge by something nobody agreed to.",
    example: Example::Contract {
        broken: "- {id: renewed, clause: \"7.1\", every: 90 days, do: {event: grant.extended, of: {every: grant}}}",
        mended: "- {id: renewed, clause: \"7.1\", every: quarter, do: {event: grant.extended, of: {every: grant}}}",
    },
};
