//! What a contract looks for: anchors, events with filters, acts, requirements.

use super::{Each, Party, Span, Trust};

/// Which events open a duty.
#[derive(Clone, Debug, PartialEq)]
pub struct Anchor {
    /// Any of these.
    pub any: Vec<Trigger>,
    /// All of the events are needed, in order or not: it opens with the one that completes them.
    pub whole: Option<Act>,
    /// Count from the instant in this field, when the event has it.
    pub time: Option<String>,
    /// Which of several on one subject; a member may say its own.
    pub pick: Pick,
}

/// What an anchor listens for.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// An event.
    Event(EventMatch),
    /// The act that ended a duty of one of these obligations (ids), in time or late.
    Done(Vec<String>),
    /// The instant of breach of one of these obligations (ids).
    Breached(Vec<String>),
}

/// Which anchor of several on one subject counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Each opens a duty of its own.
    Each,
    /// Only the first.
    First,
    /// The latest: an open duty starts anew from it.
    Latest,
}

/// One event type with filters.
#[derive(Clone, Debug, PartialEq)]
pub struct EventMatch {
    /// Event type, `ticket.opened`.
    pub kind: String,
    /// All must hold.
    pub tests: Vec<Test>,
    /// Side or role that did it.
    pub by: Option<Party>,
    /// Least trust, where it differs from the obligation's.
    pub trust: Option<Trust>,
    /// Count from the instant in this field: of an anchor with several members, and of what a limit counts from.
    pub time: Option<String>,
    /// Of an anchor whose members differ: which of several such events counts. Of what a limit counts from: anew from
    /// the latest.
    pub pick: Option<Pick>,
    /// Only so long after another event.
    pub since: Option<Box<Since>>,
    /// Counts only with evidence.
    pub evidenced: Option<Evidenced>,
    /// Of a whole population, or a fact that a stack shares; None: of one subject.
    pub of: Option<Box<Of>>,
}

impl EventMatch {
    /// Any event of a type.
    pub fn of(kind: impl Into<String>) -> EventMatch {
        let kind = kind.into();
        EventMatch {
            kind,
            tests: Vec::new(),
            by: None,
            trust: None,
            time: None,
            pick: None,
            since: None,
            evidenced: None,
            of: None,
        }
    }

    /// The population of which each must be, if it asks for one.
    pub fn population(&self) -> Option<&Population> {
        match self.of.as_deref()? {
            Of::Every(population) => Some(population),
            Of::Stack => None,
        }
    }
}

/// Of whom an event is looked for, where it is not one subject's.
#[derive(Clone, Debug, PartialEq)]
pub enum Of {
    /// Of each of these.
    Every(Population),
    /// A fact that the customer shares with all partners of the contract's stack.
    Stack,
}

/// Living subjects of a kind, of the same partner.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// What stands before the dot of their events.
    pub kind: String,
    /// What is told of each; all must hold.
    pub tests: Vec<Test>,
}

impl Act {
    /// Its single events, in the order written.
    pub fn events(&self) -> Vec<&EventMatch> {
        match self {
            Act::One(one) => vec![one],
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().flat_map(Act::events).collect(),
            Act::Duty(..) => Vec::new(),
        }
    }

    /// The one population of which all its events are to be.
    pub fn population(&self) -> Option<&Population> {
        let events = self.events();
        let first = events.first()?.population()?;
        let duties = matches!(self, Act::Any(of) if of.iter().any(|act| matches!(act, Act::Duty(..))));
        (!duties && events.iter().all(|event| event.population() == Some(first))).then_some(first)
    }
}

/// How long after another event of the subject something counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Since {
    /// The other event, on the same subject; of an anchor also on those of another kind that it names, or that name it.
    pub event: EventMatch,
    /// The latest before, not the first.
    pub latest: bool,
    /// Later than so long after it (true), or no later (false).
    pub more: bool,
    /// How long.
    pub span: Span,
    /// What "business" means: position in [`super::Contract::calendars`].
    pub calendar: Option<usize>,
}

/// The evidence without which an act does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidenced {
    /// Submitted is not enough: it must be accepted.
    pub accepted: bool,
    /// By whom; None: by anyone but the obligor.
    pub by: Option<Party>,
}

/// What excuses a late act, if it is given in time.
#[derive(Clone, Debug, PartialEq)]
pub enum Excuse {
    /// An event, no later than the deadline.
    Event(Act),
    /// What the late act itself carries.
    Itself(Vec<Test>),
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Field of the event's data.
    pub field: String,
    /// What it must be.
    pub want: Want,
}

/// What a field must be. Of a list field, every item must pass; an empty list is absent.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// `*`: present.
    Present,
    /// `null`: absent.
    Absent,
    /// One of these texts; `*` in a text stands for any run of characters.
    OneOf(Vec<String>),
    /// Not so. An absent field passes, but for [`Want::SameAs`]: who is not known cannot be shown to be another.
    Not(Box<Want>),
    /// Equal to this field of the anchor (`subject` and the anchor's kind name its own id).
    SameAs(String),
    /// Number greater than.
    MoreThan(f64),
    /// Number at least.
    AtLeast(f64),
    /// Number less than.
    LessThan(f64),
    /// Number at most.
    AtMost(f64),
}

/// The act that stops a duty: the first at or after the anchor, other than the anchor itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// One event.
    One(EventMatch),
    /// The first of these.
    Any(Vec<Act>),
    /// All of these; the last counts.
    All(Vec<Act>),
    /// All, each after the one before.
    InOrder(Vec<Act>),
    /// The act that ended a duty of one of these obligations (ids) of the subject; or (true) its breach.
    Duty(Vec<String>, bool),
}

/// What must have come before, or be true of, an anchor.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// This event came before.
    Before(EventMatch),
    /// This event came at least so long before (counted like a limit, backwards); what "business" means: position in
    /// [`super::Contract::calendars`].
    Ahead(EventMatch, Span, Option<usize>),
    /// A duty of one of these obligations (ids) had ended by its act; or (true) had been breached.
    Duty(Vec<String>, bool),
    /// The anchor itself has these.
    Itself(Vec<Test>),
    /// The anchor lies in open time of this calendar: position in [`super::Contract::calendars`].
    During(usize),
    /// Of such anchors of the partner no more than so many are in each such stretch of local time. It stands alone.
    Quota(u32, Each),
    /// One of these.
    Any(Vec<Requirement>),
    /// All of these.
    All(Vec<Requirement>),
    /// These events, or any of several at each step, each after the one before.
    InOrder(Vec<Requirement>),
}
