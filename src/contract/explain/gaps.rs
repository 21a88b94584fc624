//! Warnings about what a contract leaves out. They are looked for in contracts that give the partner `controls:`.

use super::{Example, Explanation};

pub(crate) const NO_RACI: Explanation = Explanation {
    name: "no-raci",
    remedy: "Add `raci: {request: .., approve: .., execute: .., review: ..}`.",
    why: "When nobody matches, an event of this control is nobody's, and the risk owner is paged for what somebody \
          should be doing.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls:\n  rotation:\n    risk-owner: customer.ciso-office\n    raci: {request: partner.desk, approve: customer.iam-lead, execute: partner.desk, review: customer.audit}",
    },
};

pub(crate) const NOT_APPROVED: Explanation = Explanation {
    name: "not-approved",
    remedy: "Let a role of the customer approve.",
    why: "Privileged access and emergency revocation can stop the customer's business. Where the partner approves its \
          own acts, the customer answers for what it was not asked. `mode: operational` says that it is asked.",
    example: Example::Contract {
        broken: "controls:\n  privileged-access:\n    risk-owner: customer.ciso-office\n    raci: {request: partner.desk, approve: partner.desk, execute: partner.desk, review: customer.audit}",
        mended: "controls:\n  privileged-access:\n    risk-owner: customer.ciso-office\n    raci: {request: partner.desk, approve: customer.iam-lead, execute: partner.desk, review: customer.audit}",
    },
};

pub(crate) const NO_RISK_OWNER: Explanation = Explanation {
    name: "no-risk-owner",
    remedy: "Name a role of the customer, like `customer.ciso-office`.",
    why: "The risk stays with the customer whoever does the work, and `customer` by itself is nobody who can be asked.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: partner.desk}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}",
    },
};

pub(crate) const NOTHING_OWED: Explanation = Explanation {
    name: "nothing-owed",
    remedy: "Add an obligation with this `control:`, or take the control out.",
    why: "The partner is given a control, and the contract asks nothing of it.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}",
    },
};

pub(crate) const NO_EVIDENCE: Explanation = Explanation {
    name: "no-evidence",
    remedy: "Add an obligation that asks for it: `when: {done: ..}`, `do: evidence.submitted`, or an act with `where: {evidence: \"*\"}`.",
    why: "That a control operated is shown by evidence. Where none is owed, the auditor finds a word against a word.",
    example: Example::Contract {
        broken: "controls:\n  rotation:\n    risk-owner: customer.ciso-office\n    raci: {request: partner.desk, approve: customer.iam-lead, execute: partner.desk, review: customer.audit}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}",
        mended: "controls:\n  rotation:\n    risk-owner: customer.ciso-office\n    raci: {request: partner.desk, approve: customer.iam-lead, execute: partner.desk, review: customer.audit}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}\n  - {id: rotation-log, clause: \"7.2\", when: {done: rotate}, do: evidence.submitted, within: 24h}",
    },
};

pub(crate) const NO_RETIREMENT: Explanation = Explanation {
    name: "no-retirement",
    remedy: "Add an obligation: `when: credential.rotated`, `do: credential.retired`, `within: ..`.",
    why: "After a rotation the old version still opens the door until it is retired. Two live secrets are worse than an \
          old one.",
    example: Example::Contract {
        broken: "- {id: rotate, clause: \"7.1\", every: 90 days, per: credential, do: credential.rotated}",
        mended: "- {id: rotate, clause: \"7.1\", every: 90 days, per: credential, do: credential.rotated}\n- {id: retire, clause: \"7.2\", when: credential.rotated, do: credential.retired, within: 7 days}",
    },
};

pub(crate) const ENDLESS_GRANTS: Explanation = Explanation {
    name: "endless-grants",
    remedy: "Add an obligation that ends them: `when: {event: grant.given, time: expires_at}`, `do: grant.revoked`; or one that requires an end.",
    why: "Access that nothing ends stays with whoever has it (NIS2 11.2.2(d)).",
    example: Example::Contract {
        broken: "- {id: approved, clause: \"6.1\", when: grant.given, requires: change.approved}",
        mended: "- {id: approved, clause: \"6.1\", when: grant.given, requires: change.approved}\n- {id: grant-ends, clause: \"6.2\", when: {event: grant.given, time: expires_at, pick: latest}, do: grant.revoked, within: 15min}",
    },
};

pub(crate) const NO_LEAVERS: Explanation = Explanation {
    name: "no-leavers",
    remedy: "Add an obligation with `when: operator.left`.",
    why: "Who leaves the partner takes what they know along. The customer must be told, and access must end (PS-7).",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: leaver, clause: \"8.1\", when: operator.left, do: {all: [notice.given, grant.revoked]}, within: 24h}",
    },
};

pub(crate) const NO_EXIT: Explanation = Explanation {
    name: "no-exit",
    remedy: "Add an obligation with `when: contract.ended`.",
    why: "On the day after the end, the partner's access and what it knows are still there unless somebody owes their \
          end (CSF 2.0 GV.SC-10, NIS2 5.1.4(h)).",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: access-ended, clause: \"18.1\", when: contract.ended, do: grant.revoked, within: 24h}",
    },
};

pub(crate) const NO_DRILL: Explanation = Explanation {
    name: "no-drill",
    remedy: "Add an obligation about `drill.started` or `drill.ended`.",
    why: "That the partner can be made to act within the hour is known only from a drill.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: drill-held, clause: \"11.1\", obligor: customer.soc, every: quarter, do: drill.ended}",
    },
};

pub(crate) const NO_RISK_REVIEW: Explanation = Explanation {
    name: "no-risk-review",
    remedy: "Add an obligation of the customer: `every: quarter`, `do: review.completed`.",
    why: "A risk that its owner has not looked at for a quarter is owned in name only.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: risk-review, clause: \"10.3\", obligor: customer.ciso-office, every: quarter, do: review.completed}",
    },
};

pub(crate) const NO_APPROVER: Explanation = Explanation {
    name: "no-approver",
    remedy: "Add `waivers: {approve: customer.ciso-office, longest: 90 days}`; the approver is a role, not the side as such.",
    why: "Deviations come anyway. Where nobody of the customer may approve one, it is agreed by mail and judged as a \
          breach; where all of the customer may, nobody knows who did.",
    example: Example::Contract {
        broken: "controls: {rotation: {risk-owner: customer.ciso-office}}",
        mended: "controls: {rotation: {risk-owner: customer.ciso-office}}\nwaivers: {approve: customer.ciso-office, longest: 90 days}",
    },
};

pub(crate) const NO_LONGEST: Explanation = Explanation {
    name: "no-longest",
    remedy: "Add `longest:` to `waivers`.",
    why: "A waiver for ten years is a change of contract that nobody signed.",
    example: Example::Contract {
        broken: "waivers: {approve: customer.ciso-office}",
        mended: "waivers: {approve: customer.ciso-office, longest: 90 days}",
    },
};

pub(crate) const CUT_WAIVER: Explanation = Explanation {
    name: "cut-waiver",
    remedy: "Let it end in time, or raise `longest`.",
    why: "A waiver is cut at `longest`: from then on the duty is back, whatever its `ends` says.",
    example: Example::Contract {
        broken: "waivers:\n  approve: customer.ciso-office\n  longest: 30 days\n  granted: [{id: W-1, obligations: [acknowledge], approved-by: customer.ciso-office, reason: Move of the desk, starts: 2026-02-01T00:00:00Z, ends: 2026-04-30T00:00:00Z}]",
        mended: "waivers:\n  approve: customer.ciso-office\n  longest: 90 days\n  granted: [{id: W-1, obligations: [acknowledge], approved-by: customer.ciso-office, reason: Move of the desk, starts: 2026-02-01T00:00:00Z, ends: 2026-04-30T00:00:00Z}]",
    },
};

pub(crate) const APPROVER_OWES: Explanation = Explanation {
    name: "approver-owes",
    remedy: "Let another role of the customer approve.",
    why: "Who approves waivers could free itself of what it owes.",
    example: Example::Contract {
        broken: "waivers: {approve: customer.iam-lead, longest: 30 days}\nobligations:\n  - {id: approve, clause: \"5.3\", obligor: customer.iam-lead, when: change.requested, do: change.approved, within: 8h}",
        mended: "waivers: {approve: customer.ciso-office, longest: 30 days}\nobligations:\n  - {id: approve, clause: \"5.3\", obligor: customer.iam-lead, when: change.requested, do: change.approved, within: 8h}",
    },
};

pub(crate) const NO_FAILURE_PATH: Explanation = Explanation {
    name: "no-failure-path",
    remedy: "Add an obligation at credential.rotation-failed, or retain the changes that follow a failure.",
    why: "A rotation that failed is where a partner improvises, with the old secret still alive. It is a decision of high \
          risk, which the customer should see.",
    example: Example::Contract {
        broken: "controls: {rotation: {mode: delegated, risk-owner: customer.ciso-office}}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}",
        mended: "controls: {rotation: {mode: delegated, risk-owner: customer.ciso-office}}\nobligations:\n  - {id: rotate, clause: \"7.1\", control: rotation, every: 90 days, per: credential, do: credential.rotated}\n  - {id: failed, clause: \"7.2\", control: rotation, when: credential.rotation-failed, do: credential.rotated, within: 24h}",
    },
};

pub(crate) const NO_FEED_DUTY: Explanation = Explanation {
    name: "no-feed-duty",
    remedy: "Add a duty of feeds: a heartbeat, or evidence, or an attestation in every period.",
    why: "Without a right to monitor there is no right to the feeds, and a partner that sends nothing breaches nothing. \
          Silence is not compliance.",
    example: Example::Contract {
        broken: "controls: {onboarding: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: welcome, clause: \"2.1\", control: onboarding, when: ticket.opened, do: ticket.resolved, within: 8h}",
        mended: "controls: {onboarding: {risk-owner: customer.ciso-office}}\nobligations:\n  - {id: welcome, clause: \"2.1\", control: onboarding, when: ticket.opened, do: ticket.resolved, within: 8h}\n  - {id: alive, clause: \"12.1\", every: 15min, do: feed.heartbeat}",
    },
};

pub(crate) const TOO_MANY_WAIVERS: Explanation = Explanation {
    name: "too-many-waivers",
    remedy: "Take out what is one too many, or raise `renewals`.",
    why: "Of one duty only the first waiver and its renewals count, in the order of their beginnings. What is granted \
          beyond them says something that is not so.",
    example: Example::Contract {
        broken: "waivers:\n  approve: customer.ciso-office\n  longest: 90 days\n  renewals: 0\n  granted:\n    - {id: W-1, obligations: [acknowledge], approved-by: customer.ciso-office, reason: Move of the desk, starts: 2026-02-01T00:00:00Z, ends: 2026-03-01T00:00:00Z}\n    - {id: W-2, obligations: [acknowledge], approved-by: customer.ciso-office, reason: It takes longer, starts: 2026-03-01T00:00:00Z, ends: 2026-04-01T00:00:00Z}",
        mended: "waivers:\n  approve: customer.ciso-office\n  longest: 90 days\n  renewals: 1\n  granted:\n    - {id: W-1, obligations: [acknowledge], approved-by: customer.ciso-office, reason: Move of the desk, starts: 2026-02-01T00:00:00Z, ends: 2026-03-01T00:00:00Z}\n    - {id: W-2, obligations: [acknowledge], approved-by: customer.ciso-office, reason: It takes longer, starts: 2026-03-01T00:00:00Z, ends: 2026-04-01T00:00:00Z}",
    },
};

pub(crate) const VERSION_GAP: Explanation = Explanation {
    name: "version-gap",
    remedy: "Let the earlier version end when the next takes effect, or leave its `ends` out.",
    why: "Between the two, nothing is owed.",
    example: Example::Around {
        broken: "acme-2026.yaml:   ends: 2026-12-31T23:00:00Z\nacme-2027.yaml:   effective: 2027-02-01T00:00:00+01:00",
        mended: "acme-2026.yaml:   ends: 2026-12-31T23:00:00Z\nacme-2027.yaml:   effective: 2027-01-01T00:00:00+01:00",
    },
};

pub(crate) const VERSION_OVERLAP: Explanation = Explanation {
    name: "version-overlap",
    remedy: "Let the earlier version end when the next takes effect, or leave its `ends` out: the next one replaces it.",
    why: "From its `effective` on only the later version is in force; an `ends` after that says something that is not so.",
    example: Example::Around {
        broken: "acme-2026.yaml:   ends: 2027-12-31T23:00:00Z\nacme-2027.yaml:   effective: 2027-01-01T00:00:00+01:00",
        mended: "acme-2026.yaml:   ends: 2026-12-31T23:00:00Z\nacme-2027.yaml:   effective: 2027-01-01T00:00:00+01:00",
    },
};

pub(crate) const NO_FORCED_ACT: Explanation = Explanation {
    name: "no-forced-act",
    remedy: "Add an obligation of the partner to revoke, disable or rotate within hours of the customer's demand.",
    why: "In an emergency the customer must be able to make the partner act, at any hour. Without a clause that says so \
          within what time, it can only ask.",
    example: Example::Contract {
        broken: "controls:\n  rotation: {mode: operational, risk-owner: customer.ciso-office, raci: {request: partner, approve: customer, execute: partner, review: customer}}",
        mended: "controls:\n  rotation: {mode: operational, risk-owner: customer.ciso-office, raci: {request: partner, approve: customer, execute: partner, review: customer}}\nobligations:\n  - {id: force, clause: \"5.1\", when: {event: ticket.opened, by: customer}, do: credential.revoked, within: 1h}",
    },
};

pub(crate) const AVERAGE_ONLY: Explanation = Explanation {
    name: "average-only",
    remedy: "Add an obligation for the same act with `at-least`, or replace the average by one.",
    why: "Many fast and easy cases hide the few that took days: an average is kept while those who waited longest wait on. \
          A share in time beside it shows them.",
    example: Example::Contract {
        broken: "- {id: resolve, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, target: {average: 4h, each: month}}",
        mended: "- {id: resolve, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: 8h, target: {at-least: 95%, each: month}}",
    },
};
