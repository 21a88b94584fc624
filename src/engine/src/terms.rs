//! What a contract says, as plain data: the loader writes it from YAML, [`crate::book`] compiles it for the judge.
//!
//! Nothing here decides anything. Every scalar that an event or a contract can carry is compared by its canonical
//! text (`true`, `4`, `4.5`, `P1`), so a number in one tool and the same digits as text in another are one value.

use crate::calendar::Calendar;
use crate::time::{Millis, Moment};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;

mod clocks;
mod matches;
mod people;

pub use clocks::{Cap, Confirm, Pause, Reopen, ReopenPolicy, Reprioritise};
pub use matches::{
    Act, Anchor, EventMatch, Evidenced, Excuse, Of, Pick, Population, Requirement, Since, Test, Trigger, Want,
};
pub use people::{Ladder, Role, Rung, RungAt, Severity, Subcontractor};

/// One version of one contract: what one or more partners owe from `effective` on.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The contract's name; versions of one contract share it.
    pub name: String,
    /// Whom it binds.
    pub partners: Vec<PartnerPattern>,
    /// The accountable side.
    pub customer: String,
    /// In force from this instant, until the next version's.
    pub effective: Moment,
    /// When the relationship ends, if it says so.
    pub ends: Option<Moment>,
    /// From here on its partner has a contract of its own; the relationship goes on under that.
    pub until: Option<Moment>,
    /// Zone for local days, months, quarters and years.
    pub zone: Tz,
    /// What it is about.
    pub scope: Scope,
    /// Contracts that go first where a scope of theirs matches the same event.
    pub yields_to: Vec<String>,
    /// Why this version may take effect in the past, if it is meant to: what it moves is restated.
    pub restates: Option<String>,
    /// The stack that several partners run together.
    pub stack: Option<String>,
    /// How long facts are kept.
    pub retention: Option<Span>,
    /// Named roles and where they are reached.
    pub roles: Vec<Role>,
    /// Who works for the partner.
    pub subcontractors: Vec<Subcontractor>,
    /// Whom to tell, and when.
    pub escalation: Vec<Ladder>,
    /// Calendars by name; obligations refer to them by position.
    pub calendars: Vec<(String, Calendar)>,
    /// Controls that the contract gives to the partner.
    pub controls: Vec<Control>,
    /// Who may waive, and what is waived from the start; None: nothing can be waived.
    pub waivers: Option<Waivers>,
    /// The sentences.
    pub obligations: Vec<Obligation>,
}

/// Whom a contract names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartnerPattern {
    /// One partner; wins over a prefix.
    Exact(String),
    /// Every partner whose name begins so (`p*`).
    Prefix(String),
}

/// What a contract, or a control of it, is about. Patterns have `*` for any run of characters.
///
/// An event is in it if its source is among the sources, nothing of `except` fits it, and one of the other lists does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Groups that tickets are assigned to: the field `group`.
    pub groups: Vec<String>,
    /// Accounts: the field `account`.
    pub accounts: Vec<String>,
    /// Mounts of a vault: the field `mount`. One that ends in a slash is everything below it.
    pub mounts: Vec<String>,
    /// Names of credentials: the subject of credential events, else the field `credential`.
    pub credentials: Vec<String>,
    /// Labels, all of them needed: the field `labels`, whose items are `name=value`.
    pub labels: Vec<(String, String)>,
    /// Sources; empty: all.
    pub sources: Vec<String>,
    /// What is left out of all this.
    pub except: Option<Box<Scope>>,
}

impl Scope {
    /// It lists nothing but sources.
    pub fn is_bare(&self) -> bool {
        let lists = [&self.groups, &self.accounts, &self.mounts, &self.credentials];
        lists.iter().all(|list| list.is_empty()) && self.labels.is_empty()
    }

    /// It says nothing at all.
    pub fn is_empty(&self) -> bool {
        self.is_bare() && self.sources.is_empty() && self.except.is_none()
    }
}

/// The two sides of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Accountable.
    Customer,
    /// Executes.
    Partner,
}

/// A side, or a named role of it (`customer.iam-lead`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Party {
    /// Which side.
    pub side: Side,
    /// Role within the side, without the side's name; None: the side as such.
    pub role: Option<String>,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Customer => "customer",
            Side::Partner => "partner",
        };
        match &self.role {
            Some(role) => write!(f, "{side}.{role}"),
            None => f.write_str(side),
        }
    }
}

/// How far a source is believed (DESIGN "Trust"), least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The partner's own tool.
    Asserted,
    /// The customer's tool that partner staff can edit.
    Shared,
    /// A system of record that the customer controls.
    System,
    /// An independent check.
    Verified,
}

/// One identity-security activity in scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// For example `rotation`.
    pub name: String,
    /// Who holds the onus when no duty is open.
    pub risk_owner: Option<Party>,
    /// How far the partner goes by itself.
    pub mode: Option<Mode>,
    /// Who does what.
    pub raci: Option<Raci>,
    /// Which events are of this control; None: those that say so.
    pub scope: Option<Scope>,
}

/// How far the partner goes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It recommends; its acts are findings.
    Advisory,
    /// It acts, the customer approves.
    Operational,
    /// It approves and acts.
    Delegated,
}

/// Who does what on a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raci {
    /// Asks for an act.
    pub request: Party,
    /// Allows it.
    pub approve: Party,
    /// Does it.
    pub execute: Party,
    /// Looks at it afterwards.
    pub review: Party,
}

/// Who may approve deviations, and those granted in the contract itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Waivers {
    /// The only role whose approval counts.
    pub approve: Party,
    /// The longest a waiver may last; a longer one is cut there.
    pub longest: Option<Millis>,
    /// How many more may follow the first on one duty; None: any number.
    pub renewals: Option<u32>,
    /// Granted from the start.
    pub granted: Vec<Granted>,
}

/// A waiver written into the contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// Its name.
    pub id: String,
    /// Obligations it covers, by id.
    pub obligations: Vec<String>,
    /// Which anchors it covers; `subject`, or a kind's name (`credential`), tests the subject's own id.
    pub tests: Vec<Test>,
    /// Approver, for the record.
    pub approved_by: String,
    /// Why.
    pub reason: String,
    /// Reference, if any.
    pub ticket: Option<String>,
    /// From here (inclusive)...
    pub starts: Moment,
    /// ...to here (exclusive): at `ends` the duty is back.
    pub ends: Moment,
}

/// One contracted duty.
#[derive(Clone, Debug)]
pub struct Obligation {
    /// Unique within the contract.
    pub id: String,
    /// Where it is written.
    pub clause: String,
    /// The clause's own words, if quoted.
    pub says: Option<String>,
    /// Only anchors resolved to this control.
    pub control: Option<String>,
    /// Who owes it.
    pub obligor: Party,
    /// What is owed.
    pub sentence: Sentence,
    /// Ends the duty without a verdict.
    pub until: Option<Act>,
    /// Least trust that stops its clock.
    pub trust: Trust,
    /// Who may stop the clock; None: nobody.
    pub pause: Option<Pause>,
    /// What undoing the act does.
    pub reopen: Reopen,
    /// What a changed fact of the table does.
    pub reprioritise: Reprioritise,
    /// At this version's `effective`, open duties of the version before take its limits (`open-duties: rebase`).
    pub rebase_open: bool,
    /// How long a silent feed may keep a late duty unknown.
    pub blind_for: Millis,
    /// How long acts are kept that are told before what they belong to; None: as long as the settling time.
    pub look_back: Option<Millis>,
    /// How loud its breach is.
    pub severity: Severity,
    /// The ladder that its duties climb, by name; None: they are told at their breach.
    pub escalate: Option<String>,
    /// Obligations (ids) whose duties on the subject end when this opens, and whose verdicts go.
    pub supersedes: Vec<String>,
    /// What makes a late act an excused one.
    pub excused_by: Option<Excuse>,
    /// A level over many duties, beside the limit of each.
    pub target: Option<Target>,
}

/// A level over the duties of an obligation in a calendar period. It changes no standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What must be reached.
    pub level: Level,
    /// Measured over each of these.
    pub each: Unit,
    /// What is paid back where it is missed, as the contract says it.
    pub credit: Option<String>,
}

/// See [`Target`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Level {
    /// At least so many millionths are met in time.
    Share(u32),
    /// On average no more than this is used.
    Average(Millis),
    /// On average no more is used than these days or months come to, counted like a limit from each duty's own start.
    AverageOf(Span),
}

/// The three sentences.
#[derive(Clone, Debug)]
pub enum Sentence {
    /// When A, do B, within L.
    Within {
        /// A.
        when: Anchor,
        /// B.
        act: Act,
        /// L: all run, the earliest deadline binds.
        limits: Vec<Limit>,
    },
    /// Every P, do B.
    Every {
        /// P, by the subject's facts where the table has keys.
        period: Table<Period>,
        /// What each duty is about.
        per: Per,
        /// Where counting begins, if not at the subject's creation.
        when: Option<Anchor>,
        /// B.
        act: Act,
        /// With limits, due so long after the calendar period's end; without, at its last instant.
        limits: Vec<Limit>,
        /// Of a sliding period: what "business" means (position in [`Contract::calendars`])...
        calendar: Option<usize>,
        /// ... and where its end goes if it falls on a closed day. Of a calendar period without limits, too.
        roll: Table<Roll>,
    },
    /// When A, requires B.
    Requires {
        /// A.
        when: Anchor,
        /// B: came before, or is true of A itself. Every row that may apply must hold.
        what: Table<Requirement>,
    },
}

/// Values by facts. Without keys: one row for everything.
///
/// A fact that is absent makes every row apply (the strictest binds); a fact without a row, where there is no `*` row,
/// has no target: the duty is exempt until one applies.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    /// What the rows are chosen by.
    pub depends_on: Vec<Key>,
    /// Rows in the order written.
    pub rows: Vec<Row<T>>,
}

impl<T> Table<T> {
    /// One row for everything.
    pub fn single(value: T) -> Table<T> {
        Table { depends_on: Vec::new(), rows: vec![Row { cells: Vec::new(), value }] }
    }
}

/// What a table is chosen by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A field of the anchor, else of its subject as it then stood.
    Fact(String),
    /// The anchor's local day.
    Date,
}

/// One row of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    /// One cell a key.
    pub cells: Vec<Cell>,
    /// What applies.
    pub value: T,
}

/// One cell of a row's condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// `*`.
    Any,
    /// Equal to this canonical text.
    Is(String),
    /// From this day on, until the next row's.
    From(NaiveDate),
}

/// One limit of several that may run together.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Past this it is a breach.
    pub must: Table<Span>,
    /// Past this it is noted.
    pub should: Option<Span>,
    /// Counted from the first of such events of the subject, or with [`Pick::Latest`] anew from each, not from the
    /// anchor; not running before it. Empty: from the anchor.
    pub from: Vec<EventMatch>,
    /// What "business" means: position in [`Contract::calendars`].
    pub calendar: Option<usize>,
    /// Where a deadline on a closed day goes, by that calendar. Every fact has a row: there is one for the rest.
    pub roll: Table<Roll>,
}

/// A length or an instant, in the unit that the contract uses. The unit says the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// `15min`, `4h`, `90 days` (of 86,400 s), `2 weeks`: elapsed, 24x7.
    Elapsed(Millis),
    /// `4 business hours`: open time of the calendar.
    Open(Millis),
    /// `3 business days`: by close of the third working day after the anchor's day.
    WorkingDays(u32),
    /// `60 calendar days`: to the end of the 60th local day after.
    CalendarDays(u32),
    /// `1 month` (a year is 12): same local time, clamped to the month's end.
    Months(u32),
    /// `by 12:00 next business day`: minute of the day, working days after the anchor's. Fixed.
    TimeOfWorkingDay {
        /// Minutes after local midnight.
        minute: u16,
        /// Working days after the anchor's day.
        days: u32,
    },
    /// `by 15 April`: the end of that local day, the first at or after the anchor. Fixed.
    DayOfYear {
        /// 1 to 12.
        month: u32,
        /// 1 to 31.
        day: u32,
    },
    /// `by 2027-03-15T00:00:00Z`. Fixed.
    At(Moment),
    /// `at once`: the anchor's own instant. Fixed.
    AtOnce,
}

/// Where a deadline that falls on a closed day goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roll {
    /// Stays.
    None,
    /// The same local time of the working day before.
    Previous,
    /// The same local time of the next working day.
    Next,
    /// This minute of the next working day.
    NextAt(u16),
}

/// P of *every P*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Period {
    /// Slides from the last act.
    Sliding(Span),
    /// A calendar day, week (from Monday), month, quarter or year of the contract's zone.
    Calendar(Unit),
}

/// A calendar period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Local day.
    Day,
    /// From Monday.
    Week,
    /// Local month.
    Month,
    /// From January, April, July, October.
    Quarter,
    /// From January and July.
    HalfYear,
    /// Local year.
    Year,
}

/// A stretch of local time in which acts are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// From the full hour.
    Hour,
    /// Day, week, month.
    Unit(Unit),
}

/// What each duty of an *every* is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Per {
    /// The partner itself.
    Partner,
    /// Each subject of this kind (`credential`) that passes the tests when created.
    Subject {
        /// Kind of subject.
        kind: String,
        /// Tests of the creating event.
        tests: Vec<Test>,
    },
    /// Each source that speaks of the partner, or that the contract's scope names.
    Source {
        /// What an act of it must say for it to be one of them.
        tests: Vec<Test>,
    },
}
