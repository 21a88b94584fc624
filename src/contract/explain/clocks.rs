//! Warnings about clocks, limits, calendars and names.

use super::{Example, Explanation};

pub(crate) const PAUSABLE_ANSWER: Explanation = Explanation {
    name: "pausable-answer",
    remedy: "Take `pause` off this obligation; if it comes from `defaults`, give it to the obligations that want it.",
    why: "To acknowledge, to notify and to revoke asks nothing of the other side, so there is nothing to wait for. \
          Paused while a leaked credential lives, the clock says that all is well.",
    example: Example::Contract {
        broken: "- {id: revoke, clause: \"5.1\", when: ticket.opened, do: credential.revoked, within: 1h, pause: {reasons: [waiting-customer], by: customer, cap: 50%}}",
        mended: "- {id: revoke, clause: \"5.1\", when: ticket.opened, do: credential.revoked, within: 1h}",
    },
};

pub(crate) const NO_REST: Explanation = Explanation {
    name: "no-rest",
    remedy: "Add a row `\"*\":` for whatever the table does not name.",
    why: "A value without a row has no target: the duty is exempt until one applies, without a word. (A value that is \
          unknown is another matter: then every row applies.) A tool that learns a new value frees the partner.",
    example: Example::Contract {
        broken: "- {id: fix, clause: \"9.1\", when: finding.opened, do: finding.closed, within: {depends-on: severity, table: {high: 7 days, medium: 30 days}}}",
        mended: "- {id: fix, clause: \"9.1\", when: finding.opened, do: finding.closed, within: {depends-on: severity, table: {high: 7 days, medium: 30 days, \"*\": 90 days}}}",
    },
};

pub(crate) const NO_PRIORITY: Explanation = Explanation {
    name: "no-priority",
    remedy: "Add the priorities that are named, or a row `\"*\":`.",
    why: "The contract knows these priorities: the table skips one, or another obligation has it. A ticket of such a \
          priority is exempt from this duty and not from the others, which is rarely what was agreed.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {P1: 4h, P3: 3 days}}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {P1: 4h, P2: 8h, P3: 3 days, \"*\": 5 days}}",
    },
};

pub(crate) const LATE_FIRST_ROW: Explanation = Explanation {
    name: "late-first-row",
    remedy: "Let the first row begin no later than the contract, or add a row `\"*\":`.",
    why: "A row by date holds from its date on. Whatever begins before the first one has no limit.",
    example: Example::Contract {
        broken: "- {id: age, clause: \"BR 6.3\", when: credential.created, do: credential.rotated, within: {depends-on: date, table: {2026-03-15: 200 days, 2027-03-15: 100 days}}}",
        mended: "- {id: age, clause: \"BR 6.3\", when: credential.created, do: credential.rotated, within: {depends-on: date, table: {2020-09-01: 398 days, 2026-03-15: 200 days, 2027-03-15: 100 days}}}",
    },
};

pub(crate) const LATE_SHOULD: Explanation = Explanation {
    name: "late-should",
    remedy: "Say both on one clock, `should` the shorter.",
    why: "`should` is noted before the breach. On another clock it may end after `must`: one business day from a Friday \
          lasts longer than two days.",
    example: Example::Contract {
        broken: "calendar: office\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {must: 2 days, should: 1 business day}}",
        mended: "calendar: office\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: {must: 2 days, should: 24h}}",
    },
};

pub(crate) const PAST_LIMIT: Explanation = Explanation {
    name: "past-limit",
    remedy: "Write an instant within the contract's life, or a length.",
    why: "A fixed instant that lies before the contract takes effect is overdue whenever a duty begins: each of them is \
          a breach at birth.",
    example: Example::Contract {
        broken: "- {id: plan, clause: \"18.4\", when: contract.signed, do: evidence.submitted, within: by 2025-03-15T00:00:00Z}",
        mended: "- {id: plan, clause: \"18.4\", when: contract.signed, do: evidence.submitted, within: by 2026-03-15T00:00:00Z}",
    },
};

pub(crate) const RUNG_ORDER: Explanation = Explanation {
    name: "rung-order",
    remedy: "Write the rungs in the order in which they are reached: shares, so long before, the breach, so long after.",
    why: "A ladder is read from the first rung up. One that stands above and is reached earlier tells the director \
          before the desk.",
    example: Example::Contract {
        broken: "escalation: {urgent: [{at: breach, tell: customer.soc}, {at: 80%, tell: partner.desk}]}\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, escalate: urgent}",
        mended: "escalation: {urgent: [{at: 80%, tell: partner.desk}, {at: breach, tell: customer.soc}]}\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, escalate: urgent}",
    },
};

pub(crate) const SERVES_TOO_LATE: Explanation = Explanation {
    name: "serves-too-late",
    remedy: "Shorten this limit, so that the larger promise can still be kept after it.",
    why: "What serves a larger promise must end before it: a partner that tells within 24 hours leaves the customer \
          nothing of the 24 hours that the law gives it. The law's hours go on when an office is closed: a deadline that \
          `roll` moves to the next working day, or that counts in business time, ends after a long weekend as late as the \
          longest closure of its calendar makes it.",
    example: Example::Contract {
        broken: "- {id: tell-us, clause: \"9.1\", when: incident.detected, do: incident.notified, within: 24h, serves: [report]}\n- {id: report, clause: \"9.2\", obligor: customer, when: incident.detected, do: incident.reported, within: 24h}",
        mended: "- {id: tell-us, clause: \"9.1\", when: incident.detected, do: incident.notified, within: 4h, serves: [report]}\n- {id: report, clause: \"9.2\", obligor: customer, when: incident.detected, do: incident.reported, within: 24h}",
    },
};

pub(crate) const ENDLESS_PAUSE: Explanation = Explanation {
    name: "endless-pause",
    remedy: "Say who confirms (`confirm: {by, within}`) or how long all pauses together may last (`cap`).",
    why: "A ticket that is parked and forgotten is the commonest way out of a limit: a paused clock has no deadline \
          and cannot be breached.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, pause: {reasons: [waiting-customer], by: customer}}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, pause: {reasons: [waiting-customer], by: customer, cap: 5 days}}",
    },
};

pub(crate) const OWN_PAUSE: Explanation = Explanation {
    name: "own-pause",
    remedy: "Let the other side pause, or add `confirm: {by: .., within: ..}` by the other side.",
    why: "Who owes must not stop its own clock by its word alone.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, pause: {reasons: [waiting-customer], by: partner, cap: 50%}}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, pause: {reasons: [waiting-customer], by: partner, cap: 50%, confirm: {by: customer.service-owner, within: 24h}}}",
    },
};

pub(crate) const NOTICE_IN_BUSINESS_TIME: Explanation = Explanation {
    name: "notice-in-business-time",
    remedy: "Use hours or days of the clock, `4h`; if the notice serves no law, `--allow W111`.",
    why: "Laws that ask for notice of an incident count day and night. A partner that may wait until Monday makes the \
          customer late on Saturday.",
    example: Example::Contract {
        broken: "calendar: office\nobligations:\n  - {id: notice, clause: \"9.1\", when: incident.detected, do: incident.notified, within: 4 business hours}",
        mended: "calendar: office\nobligations:\n  - {id: notice, clause: \"9.1\", when: incident.detected, do: incident.notified, within: 4h}",
    },
};

pub(crate) const MINUTE_TO_MIDNIGHT: Explanation = Explanation {
    name: "minute-to-midnight",
    remedy: "Write `24:00`, which is the day's end.",
    why: "A window that ends at 23:59 is closed for the last minute of every day, and a deadline that counts in it is a \
          minute later for each night.",
    example: Example::Contract {
        broken: "calendars: {yard: {zone: UTC, hours: {mon-sun: \"00:00-23:59\"}}}",
        mended: "calendars: {yard: {zone: UTC, hours: {mon-sun: \"00:00-24:00\"}}}",
    },
};

pub(crate) const OVERLAP: Explanation = Explanation {
    name: "overlap",
    remedy: "Let one window end where the next begins, or make one of them.",
    why: "Time in two windows counts once. That they overlap is most often a slip in one of the times.",
    example: Example::Contract {
        broken: "calendars: {office: {zone: UTC, hours: {mon-fri: [\"09:00-13:00\", \"12:30-17:00\"]}}}",
        mended: "calendars: {office: {zone: UTC, hours: {mon-fri: [\"09:00-12:30\", \"13:00-17:00\"]}}}",
    },
};

pub(crate) const YEAR_RUNS_OUT: Explanation = Explanation {
    name: "year-runs-out",
    remedy: "Add the holidays of that year.",
    why: "In a year without holidays every holiday is a working day: deadlines fall on Christmas, and breaches are told \
          that are none. A contract without an end must cover this year and, in its last 90 days, the next.",
    example: Example::Contract {
        broken: "ends: 2027-12-31T23:00:00Z\ncalendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [nl]}}\nholidays: {nl: {2026-12-25: Christmas Day}}",
        mended: "ends: 2027-12-31T22:00:00Z\ncalendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [nl]}}\nholidays: {nl: {2026-12-25: Christmas Day, 2027-04-27: King's Day}}",
    },
};

pub(crate) const NO_HOLIDAYS_AT_ALL: Explanation = Explanation {
    name: "no-holidays-at-all",
    remedy: "Add `holidays:`, or say `--allow W204` if this office never closes.",
    why: "An office that keeps weekdays has holidays too. Which ones, two parties in two countries do not know of each \
          other.",
    example: Example::Contract {
        broken: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}}}",
        mended: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [2026-12-25]}}",
    },
};

pub(crate) const UNUSED: Explanation = Explanation {
    name: "unused",
    remedy: "Use it, or take it out.",
    why: "A calendar, ladder, value, holiday set or event type that nothing refers to is often one that something was \
          meant to refer to.",
    example: Example::Contract {
        broken: "values: {undue: 24h}",
        mended: "values: {undue: 24h}\nobligations:\n  - {id: notice, clause: \"9.1\", when: incident.detected, do: incident.notified, within: $undue}",
    },
};

pub(crate) const SWALLOWED_WINDOW: Explanation = Explanation {
    name: "swallowed-window",
    remedy: "Begin the window before the gap or end it after, or live with a day that does not open.",
    why: "When summer time begins, an hour of the local day is left out. A window that lies within it does not exist on \
          that day: nobody is there, and no time counts.",
    example: Example::Contract {
        broken: "calendars: {night: {zone: Europe/Amsterdam, hours: {mon-sun: [\"02:00-03:00\", \"09:00-17:00\"]}}}",
        mended: "calendars: {night: {zone: Europe/Amsterdam, hours: {mon-sun: [\"01:00-04:00\", \"09:00-17:00\"]}}}",
    },
};

pub(crate) const MISSPELT_FIELD: Explanation = Explanation {
    name: "misspelt-field",
    remedy: "Spell it as it is known. Where the source really names it so, say `--allow W112`.",
    why: "A field that no event has is absent: a test of it never holds, or with `not` always. Nobody is told, and the \
          obligation judges nothing, or everything. Fields need no declaration, so this is told only of those that are one \
          slip away from a field that Onus reads, that shipped parts use, or that this contract uses elsewhere.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: {event: ticket.opened, where: {prioritty: P1}}, do: ticket.resolved, within: 4h}",
        mended: "- {id: restore, clause: \"4.2\", when: {event: ticket.opened, where: {priority: P1}}, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const ACT_OF_THE_PAST: Explanation = Explanation {
    name: "act-of-the-past",
    remedy: "Name the act that is owed after the beginning.",
    why: "A ticket is opened once, an incident detected once. Owed because of an event of the same subject, such an act has \
          come already and cannot come again: no source can give it, and every duty is breached.",
    example: Example::Contract {
        broken: "- {id: answer, clause: \"4.1\", when: ticket.opened, do: ticket.opened, within: 1h}",
        mended: "- {id: answer, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 1h}",
    },
};

pub(crate) const WRONG_YEAR: Explanation = Explanation {
    name: "wrong-year",
    remedy: "Correct the year of `effective`. Where it is right, say `--allow W114`.",
    why: "Whatever is owed every day is owed for each day since `effective`. A year with a digit lost, `0206` or `1026`, \
          makes hundreds of thousands of duties that nobody did. Told of years before 1990, and where a calendar period \
          has begun more than 20,000 times.",
    example: Example::Contract { broken: "effective: 0206-01-01T00:00:00Z", mended: "effective: 2026-01-01T00:00:00Z" },
};

pub(crate) const ALIKE_NAMES: Explanation = Explanation {
    name: "alike-names",
    remedy: "Give one of them another name.",
    why: "Onus tells `Restore` from `restore`; a reader of a report, a spreadsheet or a file system often does not. Two \
          obligations become one in a search, and a waiver of one is taken for the other's.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}\n- {id: Restore, clause: \"4.3\", when: ticket.reopened, do: ticket.resolved, within: 2h}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}\n- {id: restore-again, clause: \"4.3\", when: ticket.reopened, do: ticket.resolved, within: 2h}",
    },
};
