//! Values: lengths, events, instants, dates, zones, parties, tests.

use super::{Example, Explanation};

pub(crate) const BAD_LENGTH: Explanation = Explanation {
    name: "bad-length",
    remedy: "See the lengths in the key reference: `15min`, `4h`, `90 days`, `3 business days`, `1 month`.",
    why: "The unit says the clock: `4h` runs at night, `4 business hours` does not. So there is one way to write each, \
          and a length in another spelling is not guessed at.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4 hours}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const UNKNOWN_EVENT: Explanation = Explanation {
    name: "unknown-event",
    remedy: "Use the type in the hint, or declare your own under `events:`.",
    why: "A duty that waits for an event which no source sends is breached for ever, or never begins.",
    example: Example::Contract {
        broken: "- {id: badge, clause: \"8.1\", when: operator.left, do: badge.returned, within: 24h}",
        mended: "events: [badge.returned]\nobligations:\n  - {id: badge, clause: \"8.1\", when: operator.left, do: badge.returned, within: 24h}",
    },
};

pub(crate) const BAD_INSTANT: Explanation = Explanation {
    name: "bad-instant",
    remedy: "Write it like `2026-01-01T00:00:00Z`.",
    why: "Without a time and an offset, an instant is a different one in each zone: up to a day apart.",
    example: Example::Contract { broken: "effective: 2026-01-01", mended: "effective: 2026-01-01T00:00:00+01:00" },
};

pub(crate) const BAD_DATE: Explanation = Explanation {
    name: "bad-date",
    remedy: "Write it like `2026-12-24`.",
    why: "A day that does not exist is a slip, and day and month in another order are another day.",
    example: Example::Contract {
        broken: "holidays: {nl: {24-12-2026: Closing day}}",
        mended: "holidays: {nl: {2026-12-24: Closing day}}",
    },
};

pub(crate) const UNKNOWN_ZONE: Explanation = Explanation {
    name: "unknown-zone",
    remedy: "Use a name of the IANA table, like `Europe/Amsterdam`.",
    why: "Abbreviations such as CET or EST name several zones, and an offset knows nothing of summer time.",
    example: Example::Contract { broken: "zone: Amsterdam", mended: "zone: Europe/Amsterdam" },
};

pub(crate) const BAD_PERCENT: Explanation = Explanation {
    name: "bad-percent",
    remedy: "`50%`; a `cap` is whole and below 100%.",
    why: "A share without its sign could be a count, and a cap of the whole limit or more would double the time.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, pause: {reasons: [waiting-customer], by: customer, cap: 150%}}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, pause: {reasons: [waiting-customer], by: customer, cap: 50%}}",
    },
};

pub(crate) const BAD_TIME: Explanation = Explanation {
    name: "bad-time",
    remedy: "Days are `mon` to `sun` or a range; windows are `\"09:00-17:30\"`; the day ends at `24:00`.",
    why: "`9-5` may be nine to five at night, and `12:30` am or pm. Four digits on a day of 24 hours are one thing.",
    example: Example::Contract {
        broken: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: 9-17}}}",
        mended: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}",
    },
};

pub(crate) const BAD_PARTY: Explanation = Explanation {
    name: "bad-party",
    remedy: "`customer`, `partner`, or a role of either: `customer.iam-lead`.",
    why: "Who owes, approves or pauses is always a side, or a role of one: a person's name would be wrong after the \
          next change of staff.",
    example: Example::Contract {
        broken: "- {id: approve, clause: \"5.3\", obligor: iam-lead, when: change.requested, do: change.approved, within: 8h}",
        mended: "- {id: approve, clause: \"5.3\", obligor: customer.iam-lead, when: change.requested, do: change.approved, within: 8h}",
    },
};

pub(crate) const BAD_NUMBER: Explanation = Explanation {
    name: "bad-number",
    remedy: "A plain number.",
    why: "Fields are compared with it. A unit or a comma would make it text, which is neither more nor less than anything.",
    example: Example::Contract {
        broken: "- {id: big-change, clause: \"6.1\", when: {event: change.executed, where: {hosts: {more-than: \"1,000\"}}}, requires: change.approved}",
        mended: "- {id: big-change, clause: \"6.1\", when: {event: change.executed, where: {hosts: {more-than: 1000}}}, requires: change.approved}",
    },
};

pub(crate) const BAD_TEST: Explanation = Explanation {
    name: "bad-test",
    remedy: "One test a field: a text, a list, `null`, `\"*\"`, or one of `not`, `same-as`, `more-than`, `at-least`, `less-than`, `at-most`.",
    why: "A test decides which events count. If it can be read in two ways, so can the contract.",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: {event: change.executed, where: {kind: [\"*\", patch]}}, requires: change.approved}",
        mended: "- {id: approved, clause: \"6.1\", when: {event: change.executed, where: {kind: \"*\"}}, requires: change.approved}",
    },
};
