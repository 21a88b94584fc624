//! Names that some contract uses, each with a small number: event types, data fields, constants.
//!
//! Built once, before the first event; shared by all who read events and all who judge them.

use crate::fact::{Atom, FieldId, Sym, TypeId, Value};
use crate::terms::Side;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Position of a kind of subject: what stands before the dot of an event type.
pub type KindId = u8;

/// What an event type does to every duty of its subject, beside what obligations say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// A reason to wait begins.
    Paused,
    /// A reason to wait ends.
    Resumed,
    /// A pause is confirmed, from its own instant.
    Confirmed,
    /// A pause is void, from its own instant.
    Voided,
    /// The subject is cancelled.
    Cancelled,
    /// The acts of these types are undone.
    Undo,
    /// A deviation is approved.
    WaiverApproved,
    /// A deviation ends early.
    WaiverEnded,
    /// The subject is found to be another one: that one has its duties from here on.
    Merged,
    /// The subject is handed to another partner: that one has the duties from here on.
    Rehomed,
}

/// An event type that matters to some obligation.
#[derive(Clone, Debug)]
pub struct EventType {
    /// `ticket.opened`; `ticket.*` for all others of a kind that carry facts some table depends on.
    pub name: String,
    /// Kind of its subject.
    pub kind: KindId,
    /// Order among facts of one instant.
    pub rank: u8,
    /// What it does to all duties of its subject.
    pub effect: Effect,
    /// Types whose acts it undoes.
    pub undoes: Vec<TypeId>,
    /// Some duty looks for such an act on other subjects, too: undone, what has settled may have to be judged again.
    pub undoes_elsewhere: bool,
    /// Types that satisfy no requirement any more after it.
    pub withdraws: Vec<TypeId>,
    /// The type by which a source says that such an act failed, where some obligation asks for the act.
    pub denied_by: Option<TypeId>,
    /// Begins its subject's life.
    pub opening: bool,
    /// Holds once it has happened, until undone: an act of this type before the opening counts at the opening.
    pub state: bool,
    /// Some obligation anchored at another kind of subject reads it.
    pub linked: bool,
    /// Some obligation of the partner as a whole reads it.
    pub partner_wide: bool,
    /// Decides of what happened before it: what was judged must be judged again.
    pub reaches_back: bool,
    /// Matters only for the facts that it carries: an event that carries none is no fact.
    pub by_fields: bool,
    /// Fields kept, by field.
    pub fields: Vec<bool>,
    /// Fields that name subjects of another kind whose obligations read this event.
    pub names: Vec<FieldId>,
    /// Kept in the partner's register: some obligation is about every living subject of the kind.
    pub registered: bool,
    /// Whether a subject lives after it.
    pub life: Life,
    /// Some obligation of each source reads it.
    pub of_source: bool,
    /// Some contract takes it as a fact that a stack shares.
    pub shared: bool,
}

/// What an event says of its subject's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// That it is there, if nothing said that it has ended.
    Shows,
    /// That it begins, or begins anew.
    Begins,
    /// That it has ended.
    Ends,
    /// That it has ended, unless it speaks of one version of it.
    EndsWhole,
}

/// Texts and their positions, both ways.
#[derive(Clone, Debug, Default)]
struct Names {
    texts: Vec<String>,
    places: HashTable<u16>,
}

impl Names {
    #[inline(always)]
    fn find(&self, text: &str) -> Option<u16> {
        self.places.find(xxh3_64(text.as_bytes()), |i| self.texts[usize::from(*i)] == text).copied()
    }

    fn add(&mut self, text: &str) -> u16 {
        let id = self.texts.len() as u16;
        self.texts.push(text.to_owned());
        let texts = &self.texts;
        self.places.insert_unique(xxh3_64(text.as_bytes()), id, |i| xxh3_64(texts[usize::from(*i)].as_bytes()));
        id
    }
}

/// All names.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    types: Vec<EventType>,
    type_names: Names,
    kinds: Vec<String>,
    fields: Names,
    constants: Names,
    other: Vec<Option<TypeId>>,
    well_known: WellKnown,
}

/// Fields that the engine itself reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct WellKnown {
    /// Why, on pauses.
    pub reason: FieldId,
    /// Which side did it.
    pub side: FieldId,
    /// In which role.
    pub role: FieldId,
    /// Which control.
    pub control: FieldId,
    /// Which subject this one was merged into.
    pub into: FieldId,
    /// Which evidence shows it.
    pub evidence: FieldId,
    /// Which partner hands a subject over.
    pub from: FieldId,
    /// To which partner.
    pub to: FieldId,
    /// Which partners it concerns.
    pub partners: FieldId,
    /// `customer`.
    pub customer: Sym,
    /// `partner`.
    pub partner: Sym,
}

impl Vocabulary {
    pub(crate) fn new() -> Vocabulary {
        let mut new = Vocabulary::default();
        // Field 0 marks copies of linked facts; no data field has it.
        new.field("\0origin");
        new.well_known = WellKnown {
            reason: new.field("reason"),
            side: new.field("side"),
            role: new.field("role"),
            control: new.field("control"),
            into: new.field("into"),
            evidence: new.field("evidence"),
            from: new.field("from"),
            to: new.field("to"),
            partners: new.field("partners"),
            customer: new.constant("customer"),
            partner: new.constant("partner"),
        };
        new
    }

    /// Fields that the engine itself reads.
    pub fn well_known(&self) -> &WellKnown {
        &self.well_known
    }

    /// The type of an event by name; for a type that nobody names, its kind's collective one, if facts of that kind matter.
    #[inline(always)]
    pub fn event_type(&self, name: &str) -> Option<TypeId> {
        if let Some(id) = self.type_names.find(name) {
            return Some(id);
        }
        let kind = self.kind_id(name.split_once('.')?.0)?;
        self.other[usize::from(kind)]
    }

    /// What is known of a type.
    pub fn about(&self, id: TypeId) -> &EventType {
        &self.types[usize::from(id)]
    }

    /// All types.
    pub fn types(&self) -> &[EventType] {
        &self.types
    }

    /// The kind's name.
    pub fn kind_name(&self, id: KindId) -> &str {
        &self.kinds[usize::from(id)]
    }

    /// A kind by name.
    pub fn kind_id(&self, name: &str) -> Option<KindId> {
        self.kinds.iter().position(|k| k == name).map(|i| i as KindId)
    }

    /// A field by name, if any contract asks for it.
    pub fn field_id(&self, name: &str) -> Option<FieldId> {
        self.fields.find(name)
    }

    /// A field's name.
    pub fn field_name(&self, id: FieldId) -> &str {
        &self.fields.texts[usize::from(id)]
    }

    /// All fields by position.
    pub fn field_names(&self) -> &[String] {
        &self.fields.texts
    }

    /// All constants by position.
    pub fn constants(&self) -> &[String] {
        &self.constants.texts
    }

    /// A text as facts store it: as the constant that some contract names, else as itself.
    #[inline]
    pub fn atom<'a>(&self, text: &'a str) -> Atom<'a> {
        self.constants.find(text).map_or(Atom::Text(text), Atom::Sym)
    }

    /// The text of an atom.
    pub fn text<'a>(&'a self, atom: Atom<'a>) -> &'a str {
        match atom {
            Atom::Sym(sym) => &self.constants.texts[usize::from(sym)],
            Atom::Text(text) => text,
        }
    }

    /// A value for people.
    pub fn show(&self, value: Value<'_>) -> String {
        value.atoms().map(|a| self.text(a).to_owned()).collect::<Vec<_>>().join(", ")
    }

    /// The side that a fact names, if it names one of the two.
    pub fn side(&self, value: Option<Value<'_>>) -> Option<Side> {
        match value? {
            Value::One(Atom::Sym(s)) if s == self.well_known.customer => Some(Side::Customer),
            Value::One(Atom::Sym(s)) if s == self.well_known.partner => Some(Side::Partner),
            _ => None,
        }
    }

    pub(crate) fn kind(&mut self, name: &str) -> KindId {
        self.kind_id(name).unwrap_or_else(|| {
            self.kinds.push(name.to_owned());
            self.other.push(None);
            (self.kinds.len() - 1) as KindId
        })
    }

    pub(crate) fn field(&mut self, name: &str) -> FieldId {
        self.fields.find(name).unwrap_or_else(|| self.fields.add(name))
    }

    pub(crate) fn constant(&mut self, text: &str) -> Sym {
        self.constants.find(text).unwrap_or_else(|| self.constants.add(text))
    }

    pub(crate) fn declare(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.type_names.find(name) {
            return id;
        }
        let kind = self.kind(name.split_once('.').map_or(name, |(kind, _)| kind));
        let id = self.type_names.add(name);
        let (rank, effect) = nature(name);
        self.types.push(EventType {
            name: name.to_owned(),
            kind,
            rank,
            effect,
            undoes: Vec::new(),
            undoes_elsewhere: false,
            withdraws: Vec::new(),
            denied_by: None,
            opening: OPENING.contains(&name),
            state: UNDONE_BY.iter().any(|(act, _)| *act == name),
            linked: false,
            partner_wide: false,
            reaches_back: matches!(effect, Effect::Confirmed | Effect::Voided | Effect::Rehomed),
            by_fields: name.ends_with(".*"),
            fields: Vec::new(),
            names: Vec::new(),
            registered: false,
            life: life(name),
            of_source: false,
            shared: false,
        });
        if let Some(stem) = name.strip_suffix(".*")
            && let Some(kind) = self.kind_id(stem)
        {
            self.other[usize::from(kind)] = Some(id);
        }
        id
    }

    /// Declares a type that matters only for the facts that it carries, unless it matters anyway.
    pub(crate) fn declare_by_fields(&mut self, name: &str) {
        if self.type_names.find(name).is_none() {
            let id = self.declare(name);
            self.about_mut(id).by_fields = true;
        }
    }

    pub(crate) fn about_mut(&mut self, id: TypeId) -> &mut EventType {
        &mut self.types[usize::from(id)]
    }

    pub(crate) fn want(&mut self, id: TypeId, field: FieldId) {
        let fields = &mut self.types[usize::from(id)].fields;
        if fields.len() <= usize::from(field) {
            fields.resize(usize::from(field) + 1, false);
        }
        fields[usize::from(field)] = true;
    }

    /// Facts of this kind matter whatever event carries them.
    pub(crate) fn has_collective(&self, kind: KindId) -> bool {
        self.other[usize::from(kind)].is_some()
    }

    pub(crate) fn of_kind(&self, kind: KindId) -> Vec<TypeId> {
        (0..self.types.len() as TypeId).filter(|t| self.about(*t).kind == kind).collect()
    }
}

impl EventType {
    /// Whether facts of this type keep the field.
    pub fn keeps(&self, field: FieldId) -> bool {
        self.fields.get(usize::from(field)).copied().unwrap_or(false)
    }
}

/// Types that begin a subject's life (CLOCKS "same instant": starts).
pub const OPENING: [&str; 7] = [
    "ticket.opened",
    "change.requested",
    "credential.created",
    "grant.given",
    "incident.detected",
    "evidence.requested",
    "drill.started",
];

/// The type that hands a subject from one partner to another.
pub const REHOMED: &str = "subject.rehomed";

/// Fields of an instant that lies behind whoever writes it: when something happened, was found or became known.
pub const LOOKS_BACK: [&str; 6] = ["aware_at", "detected_at", "discovered_at", "found_at", "known_at", "occurred_at"];

/// What satisfies a requirement no more once the other has followed on the same subject.
pub const WITHDRAWN_BY: [(&str, &str); 2] =
    [("change.approved", "change.rejected"), ("incident.accepted", "incident.refused")];

/// Acts that can be undone, and by what (GRAMMAR semantics 9).
pub const UNDONE_BY: [(&str, &str); 5] = [
    ("ticket.resolved", "ticket.reopened"),
    ("ticket.closed", "ticket.reopened"),
    ("ticket.acknowledged", "ticket.unacknowledged"),
    ("change.executed", "change.rolled-back"),
    ("evidence.submitted", "evidence.rejected"),
];

/// Acts, and what says that one failed: two sources may say both of the same.
pub const DENIED_BY: [(&str, &str); 2] =
    [("credential.rotated", "credential.rotation-failed"), ("change.executed", "change.failed")];

/// Types that say that a subject's life begins, beside those of [`OPENING`].
pub(crate) const BEGINS: [&str; 5] =
    ["credential.enabled", "grant.extended", "ticket.reopened", "operator.joined", "finding.opened"];

/// Types that say that a subject lives no longer.
pub(crate) const ENDS: [&str; 13] = [
    "credential.revoked",
    "credential.expired",
    "credential.retired",
    "grant.revoked",
    "ticket.closed",
    "ticket.cancelled",
    "change.closed",
    "change.rejected",
    "incident.closed",
    "drill.ended",
    "finding.closed",
    "operator.left",
    "contract.ended",
];

/// The type that says that a subject lives, and is off until its life is said to begin.
pub(crate) const TURNS_OFF: &str = "credential.disabled";

/// Of kinds that a contract declares: what stands after the dot of the event that ends a subject's life.
const ENDING_WORDS: [&str; 6] = ["revoked", "retired", "closed", "ended", "deleted", "removed"];

fn life(name: &str) -> Life {
    let (kind, act) = name.split_once('.').unwrap_or((name, ""));
    let known = OPENING.iter().chain(&BEGINS).chain(&ENDS).any(|n| n.split_once('.').is_some_and(|(k, _)| k == kind));
    match () {
        () if name == "credential.retired" => Life::EndsWhole,
        () if ENDS.contains(&name) || !known && ENDING_WORDS.contains(&act) => Life::Ends,
        () if OPENING.contains(&name) || BEGINS.contains(&name) => Life::Begins,
        () => Life::Shows,
    }
}

/// Types with a rank of their own, which they keep where they matter only for the facts that they carry.
pub(crate) const RANKED: [&str; 7] = [
    "ticket.reprioritised",
    "ticket.acknowledged",
    "change.approved",
    "change.rejected",
    "change.executed",
    "ticket.cancelled",
    "ticket.merged",
];

/// Rank among facts of one instant, and effect on all duties of the subject.
fn nature(name: &str) -> (u8, Effect) {
    match name {
        "ticket.paused" => (6, Effect::Paused),
        "ticket.resumed" => (5, Effect::Resumed),
        "ticket.pause-confirmed" => (4, Effect::Confirmed),
        "ticket.pause-voided" => (4, Effect::Voided),
        "ticket.cancelled" => (9, Effect::Cancelled),
        "ticket.merged" => (9, Effect::Merged),
        "ticket.reopened" | "ticket.unacknowledged" | "change.rolled-back" | "evidence.rejected" => (10, Effect::Undo),
        // What happens at the instant itself is still the old partner's.
        REHOMED => (11, Effect::Rehomed),
        "waiver.approved" => (4, Effect::WaiverApproved),
        "waiver.ended" => (4, Effect::WaiverEnded),
        "ticket.reprioritised" => (2, Effect::None),
        "ticket.acknowledged" => (3, Effect::None),
        "change.approved" | "change.rejected" => (4, Effect::None),
        "change.executed" => (8, Effect::None),
        name if OPENING.contains(&name) => (0, Effect::None),
        _ => (7, Effect::None),
    }
}
