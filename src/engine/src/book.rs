//! The book: all contracts, compiled once. It knows every name that matters, every rule, and which rules bind a partner.

mod compile;
mod concerned;
mod held;
mod kept;
mod limits;
mod matches;
mod partners;
mod populations;
mod sources;
mod stacks;

use crate::calendar::Calendar;
use crate::fact::{Draft, FieldId, TypeId};
use crate::fold::limits as limits_of;
use crate::rule::*;
use crate::scope::{Homes, Owner, Seen};
use crate::terms::{self, Contract, PartnerPattern, Side};
use crate::time::Moment;
use crate::vocabulary::{Effect, EventType, KindId, Vocabulary};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

pub use concerned::CUSTOMER;
pub(crate) use kept::innermost;
pub(crate) use populations::Registered;
pub(crate) use sources::SEEN;

/// All contracts, compiled.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) names: Vocabulary,
    rules: Vec<Rule>,
    calendars: Calendars,
    calendar_names: Vec<String>,
    bindings: Vec<Binding>,
    homes: Option<Homes>,
    endings: Vec<Ending>,
    registered: BTreeMap<KindId, Registered>,
    stacks: Option<stacks::Stacks>,
    concerned: concerned::Concerned,
    held: Vec<Option<KindId>>,
}

/// When a contract ends.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) contract: String,
    partners: Vec<PartnerPattern>,
    pub(crate) at: Moment,
}

#[derive(Clone, Debug)]
struct Binding {
    partners: Vec<PartnerPattern>,
    rules: Vec<RuleId>,
    from: Moment,
}

/// What binds one partner.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Rules, in the order of the contracts.
    pub rules: Vec<RuleId>,
    /// Rules that an event of a type may open a duty of, by type.
    pub opens: Vec<Vec<RuleId>>,
    /// Rules of the partner as a whole.
    pub partner_wide: Vec<RuleId>,
    /// Rules that count the partner's acts.
    pub counted: Vec<RuleId>,
    /// Whether an event of a type may depend on, or change, what has settled, by type: then a subject that has left
    /// memory is looked up.
    pub looks_back: Vec<bool>,
    /// Whether an event of a type concerns other subjects than its own, by type.
    pub travels: Vec<bool>,
    /// Some requirement reads linked subjects.
    pub requires_links: bool,
    /// Some duty may be late and excused.
    pub excuses: bool,
    /// Some duty is ended by the end or breach of another.
    pub follows: bool,
    /// Some obligation takes the place of others.
    pub supersedes: bool,
    /// Some act is owed of every living subject of a kind.
    pub populations: bool,
    /// Some act is owed of each source.
    pub of_sources: bool,
    /// Some duty looks at duties on other subjects.
    pub abroad: bool,
    /// Some limit counts anew from the latest of several events.
    pub renews: bool,
    /// Fields in which subjects of other kinds are named, at which some duty looks.
    pub on: Vec<FieldId>,
    /// Kinds of subject whose duties follow calendar periods.
    pub periodic: Vec<(KindId, RuleId)>,
}

impl Book {
    /// Compiles contracts. They must have passed the loader: nothing is checked again here.
    pub fn new(contracts: &[Contract]) -> Book {
        Book::with(contracts, false)
    }

    /// The same; with `verbose`, facts keep what people like to read (actor, reason) though no rule asks for it.
    pub fn with(contracts: &[Contract], verbose: bool) -> Book {
        let until_named = partners::until_named(contracts);
        compile::Compiler::new(contracts.iter().chain(&until_named).collect()).compile(verbose)
    }

    /// All names.
    pub fn names(&self) -> &Vocabulary {
        &self.names
    }

    /// All rules by position.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[usize::from(id)]
    }

    /// A calendar.
    pub fn calendar(&self, id: CalendarId) -> &Calendar {
        &self.calendars[usize::from(id)]
    }

    /// A calendar's name in its contract; None: the one that is open always.
    pub fn calendar_name(&self, id: CalendarId) -> Option<&str> {
        usize::from(id).checked_sub(1).and_then(|i| self.calendar_names.get(i)).map(String::as_str)
    }

    /// All calendars by position.
    pub fn calendars(&self) -> &[Calendar] {
        &self.calendars
    }

    /// What a partner's register keeps of a kind, if some obligation is about every living subject of it.
    pub(crate) fn registered(&self, kind: KindId) -> Option<&Registered> {
        self.registered.get(&kind)
    }

    /// Kinds of which some obligation is about every living subject.
    pub(crate) fn registered_kinds(&self) -> Vec<KindId> {
        self.registered.keys().copied().collect()
    }

    /// Partners that contracts name outright: their periodic duties run before any event of theirs.
    pub fn named_partners(&self) -> BTreeSet<&str> {
        let all = self.bindings.iter().flat_map(|b| &b.partners);
        all.filter_map(|p| if let PartnerPattern::Exact(name) = p { Some(name.as_str()) } else { None }).collect()
    }

    /// What binds a partner; None if no contract names it. A contract that names it wins over a pattern.
    pub fn sheet(&self, partner: &str) -> Option<Sheet> {
        let exact =
            |b: &&Binding| b.partners.iter().any(|p| matches!(p, PartnerPattern::Exact(name) if name == partner));
        let prefix = |b: &&Binding| {
            b.partners.iter().any(|p| matches!(p, PartnerPattern::Prefix(stem) if partner.starts_with(stem.as_str())))
        };
        let mut bound: Vec<&Binding> = self.bindings.iter().filter(exact).collect();
        if bound.is_empty() {
            bound = self.bindings.iter().filter(prefix).collect();
        }
        if bound.is_empty() {
            return None;
        }
        let mut sheet = Sheet { opens: vec![Vec::new(); self.names.types().len()], ..Sheet::default() };
        for id in bound.iter().flat_map(|b| &b.rules) {
            let rule = self.rule(*id);
            sheet.rules.push(*id);
            if rule.quota().is_some() {
                sheet.counted.push(*id);
                continue;
            }
            sheet.requires_links |= rule.act().is_some_and(Act::evidenced);
            let ended_by_duties = |act: &Act| act.asks_duties();
            sheet.follows |=
                rule.act().is_some_and(ended_by_duties) || rule.until.as_ref().is_some_and(ended_by_duties);
            sheet.excuses |= rule.excuse.is_some();
            sheet.supersedes |= !rule.supersedes.is_empty();
            sheet.populations |= rule.populated;
            sheet.of_sources |= rule.of_source;
            sheet.abroad |= rule.looks_abroad();
            sheet.requires_links |= sheet.abroad;
            // A duty that begins before its anchor's event was told may have been done elsewhere before it.
            let dated = |e: &Match| e.rare.as_ref().is_some_and(|rare| rare.time.is_some());
            sheet.requires_links |= rule.anchor.time.is_some() || rule.anchor.events.iter().any(dated);
            sheet.renews |= limits_of(rule).iter().any(|l| l.latest);
            sheet.on.extend(rule.looks_on());
            // What a limit counts from, or an anchor must follow, may have happened elsewhere long ago.
            sheet.requires_links |= limits_of(rule).iter().flat_map(|l| &l.from).any(|from| from.on.is_some())
                || rule.anchor.events.iter().any(|e| e.since().is_some_and(|since| since.event.on.is_some()));
            for event in &rule.anchor.events {
                let opens = &mut sheet.opens[usize::from(event.kind)];
                if !opens.contains(id) {
                    opens.push(*id);
                }
            }
            if let Form::Requires(table) = &rule.form {
                let mut leaves = table.rows.iter().flat_map(|r| r.value.leaves());
                sheet.requires_links |= leaves.any(|l| l.on.is_some());
            }
            if let Form::Every { period, per, .. } = &rule.form {
                let calendar = period.rows.iter().any(|r| matches!(r.value, terms::Period::Calendar(_)));
                match per {
                    terms::Per::Partner => sheet.partner_wide.push(*id),
                    terms::Per::Subject { .. } | terms::Per::Source { .. } if calendar => {
                        sheet.periodic.extend(rule.anchor.kinds.iter().map(|k| (*k, *id)));
                    }
                    terms::Per::Subject { .. } | terms::Per::Source { .. } => {}
                }
            }
        }
        sheet.on.sort_unstable();
        sheet.on.dedup();
        sheet.looks_back = (0..self.names.types().len() as TypeId).map(|t| self.looks_back(&sheet, t)).collect();
        let travels = |about: &EventType| travels(about) || about.registered && sheet.populations;
        sheet.travels = self.names.types().iter().map(travels).collect();
        Some(sheet)
    }

    fn looks_back(&self, sheet: &Sheet, kind: TypeId) -> bool {
        let about = self.names.about(kind);
        // An act, a pause, a resume: without an open duty there is nothing to stop, and what is open is in memory.
        let undoes = !matches!(about.effect, Effect::None | Effect::Resumed);
        // What it names may read all of the subject's past.
        let opened = || sheet.opens[usize::from(kind)].iter().map(|id| self.rule(*id));
        let states =
            |rule: &Rule| rule.act().is_some_and(|a| a.leaves().iter().any(|l| self.names.about(l.kind).state));
        // A state that held before the opening counts at it.
        let kept = |rule: &Rule| rule.pause.is_some() || rule.waived_by.is_some() || states(rule);
        let born_so = about.opening && opened().any(kept);
        // It may have been merged: then it opens nothing here.
        let merges = self.names.types().iter().any(|t| t.kind == about.kind && t.effect == Effect::Merged);
        undoes
            || merges && !about.opening && opened().next().is_some()
            || about.reaches_back
            || born_so
            || !about.names.is_empty()
            // Only the archive may know who waits for it elsewhere.
            || about.linked && !about.opening
            || opened().any(|rule| {
                let required = matches!(&rule.form, Form::Requires(t) if t.rows.iter().any(|r| !r.value.leaves().is_empty()));
                let earlier = limits_of(rule).iter().any(|l| !l.from.is_empty());
                let waits = rule.pause.is_some() || rule.waived_by.is_some();
                let told_before = !about.opening
                    && (!rule.facts.is_empty() || !rule.among.is_empty() || rule.control.is_some() || waits);
                let picks = |e: &Match| e.rare.as_ref().is_some_and(|rare| rare.pick.is_some());
                let picked = matches!(rule.anchor.pick, Some(terms::Pick::First)) || rule.anchor.events.iter().any(picks);
                let back_dated = rule.anchor.time.is_some() || picked;
                let since = rule.anchor.events.iter().any(|e| e.since().is_some());
                let since = since || rule.anchor.whole.is_some() || requires_duty(rule);
                required || earlier || told_before || back_dated || since
            })
    }

    /// The ends of the contracts that bind a partner, if some obligation begins or ends with one.
    pub(crate) fn endings<'b>(&'b self, partner: &'b str) -> impl Iterator<Item = &'b Ending> {
        let named = self.bindings.iter().any(|b| names(&b.partners, partner));
        self.endings.iter().filter(move |ending| match named {
            true => names(&ending.partners, partner),
            false => ending
                .partners
                .iter()
                .any(|p| matches!(p, PartnerPattern::Prefix(s) if partner.starts_with(s.as_str()))),
        })
    }

    /// The first end of a contract after an instant, if some obligation begins or ends with one.
    pub(crate) fn next_ending(&self, after: Moment) -> Moment {
        let matters = self.names.event_type(ENDED).is_some();
        let all = self.endings.iter().filter(|_| matters).map(|ending| ending.at);
        all.filter(|at| *at > after).min().unwrap_or(Moment::NEVER)
    }

    /// Whether a contract's scope can say whose an event is that names no partner.
    pub fn finds_partners(&self) -> bool {
        self.homes.as_ref().is_some_and(|homes| homes.finds_partners)
    }

    /// Whose an event is that names no partner. `control` is what it says of that itself.
    pub fn owner(&self, seen: &Seen<'_>, control: Option<&str>) -> Option<Owner> {
        self.homes.as_ref().map(|homes| homes.owner(seen, control))
    }

    /// Whether some control has a scope.
    pub fn finds_controls(&self) -> bool {
        self.homes.as_ref().is_some_and(Homes::finds_controls)
    }

    /// The control of a partner's event that names none, if the scope of one says it.
    pub fn control(&self, partner: &str, seen: &Seen<'_>) -> Option<String> {
        self.homes.as_ref()?.control(partner, seen)
    }

    /// Since when a partner is bound by anything.
    pub fn bound_since(&self, rule: RuleId) -> Moment {
        self.bindings.iter().find(|b| b.rules.contains(&rule)).map_or(Moment::DAWN, |b| b.from)
    }

    /// Writes an event as a fact, with those of its fields that its type keeps.
    #[inline(always)]
    pub fn write(
        &self,
        draft: &Draft<'_>,
        fields: &[(FieldId, Field<'_>)],
        out: &mut Vec<u8>,
    ) -> std::ops::Range<usize> {
        let about = self.names.about(draft.kind);
        let mut writer = crate::fact::Writer::begin(out, draft);
        for (field, value) in fields.iter().filter(|(field, _)| about.keeps(*field)) {
            match value {
                Field::One(text) => writer.one(*field, self.names.atom(text)),
                Field::List(texts) => writer.list(*field, texts.iter().map(|t| self.names.atom(t))),
            }
        }
        writer.end()
    }
}

/// A field as read from an event, before its texts are looked up.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'a> {
    /// One scalar's canonical text.
    One(Cow<'a, str>),
    /// The items' canonical texts.
    List(Vec<Cow<'a, str>>),
}

/// The texts of a field.
fn texts<'v>(value: &'v Field<'_>) -> Vec<&'v str> {
    match value {
        Field::One(text) => vec![text.as_ref()],
        Field::List(all) => all.iter().map(AsRef::as_ref).collect(),
    }
}

/// What is told of a contract that has ended.
pub(crate) const ENDED: &str = "contract.ended";

fn names(patterns: &[PartnerPattern], partner: &str) -> bool {
    patterns.iter().any(|p| matches!(p, PartnerPattern::Exact(name) if name == partner))
}

/// It asks how other duties of the subject stood.
fn requires_duty(rule: &Rule) -> bool {
    fn asks(requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Duty(..) => true,
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => of.iter().any(asks),
            Requirement::Before(..) | Requirement::Itself(_) | Requirement::During(_) | Requirement::Quota(..) => false,
        }
    }
    matches!(&rule.form, Form::Requires(table) if table.rows.iter().any(|row| asks(&row.value)))
}

fn travels(about: &EventType) -> bool {
    let waiver = matches!(about.effect, Effect::WaiverApproved | Effect::WaiverEnded);
    about.linked || about.partner_wide || !about.names.is_empty() || waiver
}

/// What a waiver says.
pub const WAIVER_FIELDS: [&str; 10] =
    ["obligations", "obligation", "starts", "ends", "approver", "ticket", "change", "credential", "incident", "grant"];

/// Whether a party's words fit a named party: the side, and the role if the event tells it.
pub fn fits(party: &terms::Party, side: Option<Side>, role: Option<&str>) -> bool {
    side == Some(party.side) && (party.role.is_none() || role.is_none() || party.role.as_deref() == role)
}
