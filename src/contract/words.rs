//! The words that a contract may use without declaring them.

use onus_engine::terms::{Severity, Side, Trust};

/// Event types that every Onus knows.
pub(crate) const EVENTS: &[(&str, &[&str])] = &[
    (
        "ticket",
        &[
            "opened",
            "acknowledged",
            "unacknowledged",
            "assigned",
            "paused",
            "pause-confirmed",
            "pause-voided",
            "resumed",
            "reprioritised",
            "resolved",
            "reopened",
            "merged",
            "closed",
            "cancelled",
        ],
    ),
    (
        "change",
        &["requested", "approved", "rejected", "scheduled", "started", "executed", "failed", "rolled-back", "closed"],
    ),
    (
        "credential",
        &[
            "created",
            "rotation-requested",
            "rotated",
            "seen-in-use",
            "retired",
            "rotation-failed",
            "revoked",
            "disabled",
            "enabled",
            "expiring",
            "expired",
            "exposed",
            "probed",
            "owner-assigned",
        ],
    ),
    ("grant", &["given", "extended", "revoked"]),
    (
        "incident",
        &[
            "detected",
            "classified",
            "notified",
            "reported",
            "handed-off",
            "accepted",
            "refused",
            "closed",
            "recovered",
            "delay-explained",
        ],
    ),
    ("review", &["completed", "signed-off"]),
    ("attestation", &["submitted"]),
    ("evidence", &["submitted", "accepted", "rejected", "requested"]),
    ("waiver", &["requested", "approved", "rejected", "ended"]),
    ("drill", &["started", "ended", "acknowledged"]),
    ("contract", &["signed", "amended", "ended"]),
    ("control", &["failed", "restored"]),
    ("finding", &["opened", "closed"]),
    ("notice", &["given", "received"]),
    ("operator", &["joined", "left"]),
    ("register", &["updated"]),
    ("feed", &["heartbeat"]),
    ("subject", &["rehomed"]),
];

/// Whether an event type is built in.
pub(crate) fn is_event(kind: &str) -> bool {
    kind.split_once('.')
        .is_some_and(|(subject, act)| EVENTS.iter().any(|(s, acts)| *s == subject && acts.contains(&act)))
}

/// All built-in event types, as text.
pub(crate) fn events() -> impl Iterator<Item = String> {
    EVENTS.iter().flat_map(|(subject, acts)| acts.iter().map(move |act| format!("{subject}.{act}")))
}

/// Kinds that `per` may name. Of these, a duty of its own can be kept for the subjects.
pub(crate) const KINDS: &[(&str, PerKind)] = &[
    ("ticket", PerKind::Subject),
    ("change", PerKind::Subject),
    ("credential", PerKind::Subject),
    ("grant", PerKind::Subject),
    ("incident", PerKind::Subject),
    ("partner", PerKind::Partner),
    ("control", PerKind::Control),
    ("source", PerKind::Source),
];

/// What a kind in `per` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PerKind {
    /// Things that events create.
    Subject,
    /// The partner itself.
    Partner,
    /// The controls that the contract lists.
    Control,
    /// The sources that speak of the partner, and those that the contract's scope names.
    Source,
}

/// Levels of trust.
pub(crate) const TRUST: &[(&str, Trust)] = &[
    ("asserted", Trust::Asserted),
    ("shared", Trust::Shared),
    ("system", Trust::System),
    ("verified", Trust::Verified),
];

/// How evidence may have to stand: accepted, or only submitted.
pub(crate) const EVIDENCED: &[(&str, bool)] = &[("submitted", false), ("accepted", true)];

/// The two sides.
pub(crate) const SIDES: &[(&str, Side)] = &[("customer", Side::Customer), ("partner", Side::Partner)];

/// How loud a notice is: checked, and without effect on any standing.
pub(crate) const SEVERITIES: &[(&str, Severity)] =
    &[("page", Severity::Page), ("ticket", Severity::Ticket), ("note", Severity::Note)];

/// Fields that Onus itself reads, and those that shipped parts test. A contract may test any other.
pub(crate) const FIELDS: &[&str] = &[
    "about",
    "account",
    "actor",
    "actortype",
    "approver",
    "cause",
    "class",
    "control",
    "count",
    "credential",
    "emergency",
    "evidence",
    "expires_at",
    "grantee",
    "group",
    "holder",
    "individuals",
    "interactive",
    "into",
    "kind",
    "labels",
    "material",
    "mount",
    "operator",
    "outcome",
    "owner",
    "partner",
    "person",
    "personal-data",
    "population",
    "priority",
    "privileged",
    "rating",
    "reason",
    "reasons",
    "report",
    "reportable",
    "responder",
    "role",
    "severity",
    "shared-with",
    "side",
    "source",
    "stage",
    "subject",
    "supply-chain",
    "to",
    "verified-by",
    "version",
];
