//! What may move a running clock: pauses, reopening, changed facts.

use super::{Party, Span};
use crate::time::Millis;

/// Who may pause a clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause {
    /// Reasons that count; None: any, and none given.
    pub reasons: Option<Vec<String>>,
    /// Parties whose pauses count; None: anyone's, of an unknown side too.
    pub by: Option<Vec<Party>>,
    /// Without effect until confirmed, then from its own instant.
    pub confirm: Option<Confirm>,
    /// All pauses of a duty together; beyond it time counts again.
    pub cap: Option<Cap>,
}

/// Who confirms a pause, and by when; else it is void.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// Whose word counts.
    pub by: Party,
    /// From the pause.
    pub within: Span,
    /// What "business" means in `within`: position in [`super::Contract::calendars`].
    pub calendar: Option<usize>,
}

/// The longest that all pauses of one duty may last together.
#[derive(Clone, Debug, PartialEq)]
pub enum Cap {
    /// This long, by the unit's clock (calendar: that of the obligation's first limit).
    Span(Span),
    /// Share of the limit, measured as the limit is.
    Percent(u32),
}

/// What undoing the act does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reopen {
    /// Within the window.
    pub policy: ReopenPolicy,
    /// Plain elapsed time from the stop, the end counts as inside; later, a new cycle. None: always inside.
    pub window: Option<Millis>,
}

/// See [`Reopen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReopenPolicy {
    /// Stopped time out, elapsed time kept, the verdict withdrawn unless breached.
    Resume,
    /// A new cycle; the old verdict stands.
    New,
    /// Nothing.
    Ignore,
}

/// What a changed fact of the limit's table does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reprioritise {
    /// The target changes and elapsed time stays (false), or counting starts anew (true).
    pub restart: bool,
    /// At least so much is left after the change, measured as the limit is.
    pub min_remaining: Option<Millis>,
}
