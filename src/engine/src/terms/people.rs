//! What a contract says for people and notices: who is reached where, and who is told what, when. No standing depends on it.

use super::{Party, Span};

/// A named role, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role.
    pub party: Party,
    /// For example `mail:desk@acme.example`.
    pub address: String,
}

/// Who works for the partner. The partner stays answerable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subcontractor {
    /// Its name.
    pub name: String,
    /// The controls that it works on, by name.
    pub controls: Vec<String>,
    /// The clause that binds it as the partner is bound.
    pub flow_down: String,
}

/// How loud something is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Written down.
    Note,
    /// A ticket.
    #[default]
    Ticket,
    /// Somebody is woken.
    Page,
}

/// A ladder of escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// Its name; obligations refer to it.
    pub name: String,
    /// In the order written.
    pub rungs: Vec<Rung>,
}

/// One step of a ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// When it is reached.
    pub at: RungAt,
    /// Who is told.
    pub tell: Vec<Party>,
    /// How loud; None: as loud as the obligation is.
    pub severity: Option<Severity>,
    /// Its place among the contract's calendars: what "business" means; None: what it means for the limit.
    pub calendar: Option<usize>,
}

/// When a rung is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RungAt {
    /// So many hundredths of the limit are used.
    Share(u32),
    /// So long before the deadline.
    Before(Span),
    /// At the breach.
    Breach,
    /// So long after it.
    After(Span),
}
