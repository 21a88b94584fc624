//! Names: what is used must be defined, once, and not in a circle.

use super::{Example, Explanation};

pub(crate) const NO_CALENDAR: Explanation = Explanation {
    name: "no-calendar",
    remedy: "Define it under `calendars:`, or use the name in the hint.",
    why: "Without the calendar nobody knows what a business hour is. Falling back to another, or to day and night, \
          would move every deadline.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4 business hours, calendar: ofice}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4 business hours, calendar: office}",
    },
};

pub(crate) const NO_CONTROL: Explanation = Explanation {
    name: "no-control",
    remedy: "Define it under `controls:`.",
    why: "The control chooses which events the obligation is about. One that the contract does not list matches none.",
    example: Example::Contract {
        broken: "- {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}",
    },
};

pub(crate) const NO_OBLIGATION: Explanation = Explanation {
    name: "no-obligation",
    remedy: "Use the id of an obligation of this contract.",
    why: "A duty that begins where another ends never begins if there is no other.",
    example: Example::Contract {
        broken: "- {id: answer, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 1h}\n- {id: report, clause: \"4.3\", when: {done: anwser}, do: incident.reported, within: 24h}",
        mended: "- {id: answer, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 1h}\n- {id: report, clause: \"4.3\", when: {done: answer}, do: incident.reported, within: 24h}",
    },
};

pub(crate) const NO_VALUE: Explanation = Explanation {
    name: "no-value",
    remedy: "Define it under `values:`.",
    why: "The contract says that a figure stands elsewhere in it, and it does not.",
    example: Example::Contract {
        broken: "- {id: report, clause: \"9.1\", when: incident.detected, do: incident.notified, within: $undue}",
        mended: "values: {undue: 24h}\nobligations:\n  - {id: report, clause: \"9.1\", when: incident.detected, do: incident.notified, within: $undue}",
    },
};

pub(crate) const NO_HOLIDAYS: Explanation = Explanation {
    name: "no-holidays",
    remedy: "Define it under `holidays:`.",
    why: "A set of holidays that is not there would leave the days open, and deadlines would fall on them.",
    example: Example::Contract {
        broken: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [nl]}}",
        mended: "calendars: {office: {zone: Europe/Amsterdam, hours: {mon-fri: \"09:00-17:00\"}, holidays: [nl]}}\nholidays: {nl: {2026-12-25: Christmas Day}}",
    },
};

pub(crate) const NO_LADDER: Explanation = Explanation {
    name: "no-ladder",
    remedy: "Define it under `escalation:`.",
    why: "A breach that is told to nobody is found at the end of the month.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, escalate: urgent}",
        mended: "escalation: {urgent: [{at: breach, tell: customer.soc}]}\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h, escalate: urgent}",
    },
};

pub(crate) const NO_ROLE: Explanation = Explanation {
    name: "no-role",
    remedy: "Add it to `roles:`. A contract without `roles:` is not checked for this.",
    why: "A role that is listed nowhere has no address, and an approval by it would never count.",
    example: Example::Contract {
        broken: "roles: {customer.iam-lead: \"mail:iam@bank.example\"}\nwaivers: {approve: customer.iam-laed, longest: 30 days}",
        mended: "roles: {customer.iam-lead: \"mail:iam@bank.example\"}\nwaivers: {approve: customer.iam-lead, longest: 30 days}",
    },
};

pub(crate) const DUPLICATE_NAME: Explanation = Explanation {
    name: "duplicate-name",
    remedy: "Give one of them another name.",
    why: "An id is how waivers, other obligations and reports speak of it. With two of one name nobody knows of which.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}\n- {id: restore, clause: \"4.3\", when: ticket.opened, do: ticket.closed, within: 8h}",
        mended: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4h}\n- {id: close, clause: \"4.3\", when: ticket.opened, do: ticket.closed, within: 8h}",
    },
};

pub(crate) const OBLIGATION_CYCLE: Explanation = Explanation {
    name: "obligation-cycle",
    remedy: "Let one of them begin at an event.",
    why: "Each begins where the other ends, so none ever begins.",
    example: Example::Contract {
        broken: "- {id: first, clause: \"1\", when: {done: second}, do: ticket.closed, within: 4h}\n- {id: second, clause: \"2\", when: {done: first}, do: ticket.resolved, within: 4h}",
        mended: "- {id: first, clause: \"1\", when: ticket.opened, do: ticket.closed, within: 4h}\n- {id: second, clause: \"2\", when: {done: first}, do: ticket.resolved, within: 4h}",
    },
};

pub(crate) const CALENDAR_CYCLE: Explanation = Explanation {
    name: "calendar-cycle",
    remedy: "Give one of them hours of its own.",
    why: "Each is open when the other is, and neither says when.",
    example: Example::Contract {
        broken: "calendars:\n  day: {any: [night], zone: UTC}\n  night: {any: [day], zone: UTC}",
        mended: "calendars:\n  day: {hours: {mon-fri: \"09:00-17:00\"}, zone: UTC}\n  night: {any: [day], zone: UTC}",
    },
};

pub(crate) const NO_BUSINESS: Explanation = Explanation {
    name: "no-business",
    remedy: "Add `calendar:` to the obligation, to `defaults`, or to the contract.",
    why: "A business hour is an hour of some calendar. Whose, the contract must say: the partner's week may end when \
          the customer's begins.",
    example: Example::Contract {
        broken: "- {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4 business hours}",
        mended: "calendar: office\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 4 business hours}",
    },
};
