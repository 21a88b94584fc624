//! One obligation of one contract version, compiled: names are numbers, versions know their successors.

mod glob;
mod looks;
mod warn;

pub use glob::glob;
pub use warn::Warn;

use crate::calendar::Calendar;
use crate::fact::{FieldId, Sym, TypeId};
use crate::scope::Bounds;
use crate::terms::{Confirm, Each, Party, Per, Period, Pick, Reopen, Reprioritise, Roll, Span, Trust};
use crate::time::{Millis, Moment};
use crate::vocabulary::KindId;

/// Position of a rule in the book.
pub type RuleId = u16;
/// Position of a calendar in the book; 0 is open always.
pub type CalendarId = u16;

/// A compiled obligation. In this order in memory: what nearly every event asks for lies together.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Rule {
    /// When the contract itself first changes an open duty: closes it, or hands it to the next version.
    pub changes_at: Moment,
    /// Anchors from here...
    pub from: Moment,
    /// ...to here belong to this version.
    pub to: Moment,
    /// The same obligation in the first version: what a duty's identity names.
    pub family: RuleId,
    /// Open duties take the next version's limits when it comes into force.
    pub rebase: bool,
    /// Some obligation begins where a duty of this one ends.
    pub followed: bool,
    /// Some obligation begins where a duty of this one is breached.
    pub feared: bool,
    /// Its act is looked for on subjects that the anchor names.
    pub elsewhere: bool,
    /// It slides, and an act may be done where no event of its own subject says so: what ends a duty begins the next.
    pub begins_next: bool,
    /// Least trust that stops its clock.
    pub trust: Trust,
    /// Ends the duty without a verdict.
    pub until: Option<Act>,
    /// The form of the sentence, and what it owes.
    pub form: Form,
    /// Facts that choose rows of its tables.
    pub facts: Vec<FieldId>,
    /// Who may pause.
    pub pause: Option<Pause>,
    /// Obligation id.
    pub id: String,
    /// Contract name.
    pub contract: String,
    /// Customer's name.
    pub customer: String,
    /// Where it is written.
    pub clause: String,
    /// The clause's words.
    pub says: Option<String>,
    /// Who owes it.
    pub obligor: Party,
    /// Which control it concerns.
    pub control: Option<(String, Sym)>,
    /// Who holds the onus when nothing is open.
    pub risk_owner: Option<Party>,
    /// Event sources in scope; empty: all.
    pub sources: Vec<String>,
    /// What else of the contract's scope a fact may lead out of.
    pub bounds: Option<Box<Bounds>>,
    /// The end of this version is the contract's: that it has ended belongs to it still.
    pub closes: bool,
    /// Open duties are closed as cancelled here: the next version has no such obligation.
    pub removed_at: Moment,
    /// The same obligation in the next version, and since when.
    pub next: Option<(Moment, RuleId)>,
    /// What opens a duty.
    pub anchor: Anchor,
    /// What undoing does.
    pub reopen: Reopen,
    /// What a changed table fact does.
    pub reprioritise: Reprioritise,
    /// How long a silent feed may keep a late duty unknown.
    pub blind_for: Millis,
    /// Waivers written into the contract, for this obligation.
    pub waivers: Vec<GrantedWaiver>,
    /// Who may approve waivers; None: nothing can be waived.
    pub waived_by: Option<Party>,
    /// The longest a waiver may last.
    pub waiver_longest: Option<Millis>,
    /// How many more waivers may follow the first on one duty.
    pub waiver_renewals: Option<u32>,
    /// Zone of local days and months.
    pub zone: chrono_tz::Tz,
    /// Rules whose duties on the subject end when a duty of this one begins.
    pub supersedes: Vec<RuleId>,
    /// What makes a late act an excused one.
    pub excuse: Option<Box<Excuse>>,
    /// A level over many duties, for reports.
    pub target: Option<crate::terms::Target>,
    /// Its duties are those of the partner as a whole.
    pub wide: bool,
    /// Its act is owed of every living subject of a kind.
    pub populated: bool,
    /// Its duties are those of a source.
    pub of_source: bool,
    /// Of *every P* on subjects of a kind: which of them, as they then stand; none: all.
    pub among: Vec<Test>,
    /// How loud its breach is.
    pub severity: crate::terms::Severity,
    /// From when on an open duty is at risk.
    pub warn: Warn,
}

/// The sentence, compiled.
#[derive(Clone, Debug)]
pub enum Form {
    /// An act within limits.
    Within {
        /// The act.
        act: Act,
        /// All run, the earliest deadline binds.
        limits: Vec<Limit>,
    },
    /// An act in every period.
    Every {
        /// The act.
        act: Act,
        /// How long, by facts.
        period: Table<Period>,
        /// About what.
        per: Per,
        /// After the period's end; empty: due at its last instant.
        limits: Vec<Limit>,
        /// Of a sliding period: what "business" means.
        calendar: CalendarId,
        /// Where its end goes on a closed day...
        roll: Roll,
        /// ... or, where facts say it, for each row of the period's table.
        rolls: Vec<Roll>,
    },
    /// Something that was there before.
    Requires(Table<Requirement>),
}

/// What opens a duty.
#[derive(Clone, Debug, Default)]
pub struct Anchor {
    /// These events.
    pub events: Vec<Match>,
    /// The acts that end duties of these rules.
    pub done: Vec<RuleId>,
    /// The breaches of these rules.
    pub breached: Vec<RuleId>,
    /// All of the events are needed: it opens with the one that completes them.
    pub whole: Option<Act>,
    /// Count from the instant in this field.
    pub time: Option<FieldId>,
    /// Which of several.
    pub pick: Option<Pick>,
    /// Kinds of subject that it opens on.
    pub kinds: Vec<KindId>,
    /// Of a recurring duty's events, where its own acts begin: those begin it anew, the others begin it.
    pub acts: usize,
    /// A recurring duty begins only where `when` says so: an act before that begins nothing.
    pub awaited: bool,
}

/// A compiled event match.
#[derive(Clone, Debug)]
pub struct Match {
    /// Event type.
    pub kind: TypeId,
    /// Kind of the event's subject.
    pub subject: KindId,
    /// All must hold.
    pub tests: Vec<Test>,
    /// Who did it.
    pub by: Option<Party>,
    /// Least trust.
    pub trust: Trust,
    /// Field of the anchor that names the subjects on which to look; None: the anchor's own subject.
    pub on: Option<FieldId>,
    /// What few matches ask beside.
    pub rare: Option<Box<Beside>>,
}

/// What few matches ask beside: see [`crate::terms::EventMatch`].
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// Count from the instant in this field.
    pub time: Option<FieldId>,
    /// Of an anchor's member: which of several counts, and which member it is.
    pub pick: Option<(Pick, u8)>,
    /// Only so long after another event.
    pub since: Option<Since>,
    /// Counts only with evidence.
    pub evidenced: Option<crate::terms::Evidenced>,
}

/// See [`crate::terms::Since`].
#[derive(Clone, Debug)]
pub struct Since {
    /// The other event.
    pub event: Match,
    /// The latest before, not the first.
    pub latest: bool,
    /// Later than so long after it, or no later.
    pub more: bool,
    /// How long.
    pub span: Span,
    /// What "business" means.
    pub calendar: CalendarId,
    /// Zone of local days and months.
    pub zone: chrono_tz::Tz,
}

/// See [`crate::terms::Excuse`].
#[derive(Clone, Debug)]
pub enum Excuse {
    /// An event, no later than the deadline.
    Event(Act),
    /// What the late act itself carries.
    Itself(Vec<Test>),
}

/// A compiled test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Field.
    pub field: FieldId,
    /// What it must be.
    pub want: Want,
}

/// See [`crate::terms::Want`].
#[derive(Clone, Debug)]
pub enum Want {
    /// Present.
    Present,
    /// Absent.
    Absent,
    /// One of these constants, or a text of such a pattern.
    OneOf(Vec<Sym>, Vec<String>),
    /// Not so.
    Not(Box<Want>),
    /// Equal to the anchor's field.
    SameAs(FieldId),
    /// Equal to the anchor's subject.
    SameAsSubject,
    /// Number in this open or closed range: (least, inclusive), (most, inclusive).
    Number(Option<(f64, bool)>, Option<(f64, bool)>),
}

/// Other duties that are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of these rules' families.
    pub of: Vec<RuleId>,
    /// Their breach, not their end.
    pub breached: bool,
    /// They are on subjects of another kind: the field of the anchor that names those, and the kind.
    pub on: Option<(FieldId, KindId)>,
}

/// A compiled act.
#[derive(Clone, Debug)]
pub enum Act {
    /// One event.
    One(Match),
    /// The first of these.
    Any(Vec<Act>),
    /// All; the last counts.
    All(Vec<Act>),
    /// All, each after the one before.
    InOrder(Vec<Act>),
    /// The act that ended a duty of one of these rules' families, or (true) its breach.
    Duty(Named),
    /// An act of each of a population.
    Every(Box<Population>),
}

/// Living subjects of a kind, and what is owed of each.
#[derive(Clone, Debug)]
pub struct Population {
    /// Their kind.
    pub kind: KindId,
    /// What is told of each; all must hold.
    pub tests: Vec<Test>,
    /// What is owed of each, in its own events.
    pub act: Act,
    /// Which population of its rule.
    pub place: u8,
}

/// A compiled requirement.
#[derive(Clone, Debug)]
pub enum Requirement {
    /// Came before, at least so long (by this calendar) if a span is given.
    Before(Match, Option<(Span, CalendarId)>),
    /// A duty of one of these rules' families had ended by its act, or (true) had been breached.
    Duty(Named),
    /// True of the anchor.
    Itself(Vec<Test>),
    /// The anchor lies in open time of this calendar.
    During(CalendarId),
    /// No more than so many such anchors of the partner in each such stretch of time.
    Quota(u32, Each),
    /// One of these.
    Any(Vec<Requirement>),
    /// All of these.
    All(Vec<Requirement>),
    /// Each after the one before.
    InOrder(Vec<Requirement>),
}

/// A compiled table.
#[derive(Clone, Debug)]
pub struct Table<T> {
    /// Fields, None for the anchor's day.
    pub keys: Vec<Option<FieldId>>,
    /// Rows.
    pub rows: Vec<TableRow<T>>,
}

/// A row of a compiled table.
#[derive(Clone, Debug)]
pub struct TableRow<T> {
    /// Conditions, one a key.
    pub cells: Vec<RowCell>,
    /// What applies.
    pub value: T,
}

/// A compiled cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowCell {
    /// Any value.
    Any,
    /// This constant.
    Is(Sym),
    /// From this day on.
    From(chrono::NaiveDate),
}

/// A compiled limit.
#[derive(Clone, Debug)]
pub struct Limit {
    /// How long, by facts.
    pub must: Table<Span>,
    /// Past this it is noted.
    pub should: Option<Span>,
    /// Counted from one of these events, if there are any.
    pub from: Vec<Match>,
    /// Anew from the latest of them, not from the first.
    pub latest: bool,
    /// What "business" means.
    pub calendar: CalendarId,
    /// Where a deadline on a closed day goes...
    pub roll: Roll,
    /// ... or, where facts say it, for each row of `must`.
    pub rolls: Vec<Roll>,
}

/// A compiled pause rule.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Reasons that count, `*` for any run of characters; None: any, and none given.
    pub reasons: Option<Vec<String>>,
    /// Parties whose pauses count; None: anyone's.
    pub by: Option<Vec<Party>>,
    /// Who must confirm, by when, by which calendar.
    pub confirm: Option<(Confirm, CalendarId)>,
    /// Longest, all together.
    pub cap: Option<crate::terms::Cap>,
}

/// A waiver of the contract itself.
#[derive(Clone, Debug)]
pub struct GrantedWaiver {
    /// Its name.
    pub id: String,
    /// The reason, and who approved it, for people.
    pub why: String,
    /// Which anchors.
    pub tests: Vec<Test>,
    /// Patterns of the subject's id, from tests on the subject itself.
    pub subjects: Vec<crate::terms::Want>,
    /// From.
    pub starts: Moment,
    /// To.
    pub ends: Moment,
}

impl Match {
    /// The evidence without which it does not count.
    pub fn evidenced(&self) -> Option<&crate::terms::Evidenced> {
        self.rare.as_ref()?.evidenced.as_ref()
    }

    /// How long after another event it counts.
    pub fn since(&self) -> Option<&Since> {
        self.rare.as_ref()?.since.as_ref()
    }
}

impl Limit {
    /// Where a deadline of this row goes.
    pub fn roll_of(&self, row: usize) -> Roll {
        self.rolls.get(row).copied().unwrap_or(self.roll)
    }
}

impl<T> Table<T> {
    /// One row for everything.
    pub fn constant(value: T) -> Table<T> {
        Table { keys: Vec::new(), rows: vec![TableRow { cells: Vec::new(), value }] }
    }
}

impl Rule {
    /// The act owed, if the sentence owes one.
    pub fn act(&self) -> Option<&Act> {
        match &self.form {
            Form::Within { act, .. } | Form::Every { act, .. } => Some(act),
            Form::Requires(_) => None,
        }
    }

    /// Duties of the partner as a whole.
    pub fn partner_wide(&self) -> bool {
        self.wide
    }

    /// How many of its anchors a partner may have in each stretch of time, if that is what it asks.
    pub fn quota(&self) -> Option<(u32, Each)> {
        let Form::Requires(table) = &self.form else { return None };
        match table.rows.as_slice() {
            [TableRow { value: Requirement::Quota(most, each), .. }] => Some((*most, *each)),
            _ => None,
        }
    }

    /// Events of this source are in scope.
    pub fn in_scope(&self, source: &str) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|pattern| glob(pattern, source)) || source == OWN_SOURCE
    }
}

/// Who says what follows from the contracts alone.
pub const OWN_SOURCE: &str = "urn:onus:contracts";

/// All calendars in use; position 0 is open always.
pub type Calendars = Vec<Calendar>;
