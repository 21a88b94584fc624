//! How a duty stands.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How a duty stands. No wildcard arms: a new standing must be judged everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Standing {
    /// Nothing was said of it yet.
    #[default]
    Untold,
    /// Running, in time.
    Open,
    /// Waiting for the side that the contract lets it wait for.
    Paused,
    /// Done in time.
    Met,
    /// Done after the breach.
    MetLate,
    /// The deadline passed, or the rule was broken, and it is not done.
    Breached,
    /// Covered by an approved deviation.
    Waived,
    /// Ended without a verdict.
    Cancelled,
    /// No row of its table applies.
    Exempt,
    /// Said once, but it no longer follows from the facts.
    Withdrawn,
    /// Past its deadline, but a feed that could tell is silent.
    Unknown,
}

impl Standing {
    /// All, in order.
    pub const ALL: [Standing; 11] = [
        Standing::Untold,
        Standing::Open,
        Standing::Paused,
        Standing::Met,
        Standing::MetLate,
        Standing::Breached,
        Standing::Waived,
        Standing::Cancelled,
        Standing::Exempt,
        Standing::Withdrawn,
        Standing::Unknown,
    ];

    /// The word, with hyphens.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Untold => "untold",
            Standing::Open => "open",
            Standing::Paused => "paused",
            Standing::Met => "met",
            Standing::MetLate => "met-late",
            Standing::Breached => "breached",
            Standing::Waived => "waived",
            Standing::Cancelled => "cancelled",
            Standing::Exempt => "exempt",
            Standing::Withdrawn => "withdrawn",
            Standing::Unknown => "unknown",
        }
    }

    /// Says that the deadline was missed, waived or not being another matter.
    pub fn is_breach(self) -> bool {
        match self {
            Standing::Breached | Standing::MetLate => true,
            Standing::Untold
            | Standing::Open
            | Standing::Paused
            | Standing::Met
            | Standing::Waived
            | Standing::Cancelled
            | Standing::Exempt
            | Standing::Withdrawn
            | Standing::Unknown => false,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
