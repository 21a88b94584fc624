//! From contracts to rules: names become numbers, versions of one contract follow each other.

use super::limits::member;
use super::populations::Registered;
use super::stacks;
use super::{Binding, Book, Ending};
use crate::calendar::Calendar;
use crate::fact::{FieldId, TypeId};
use crate::rule::*;
use crate::scope::{Bounds, Homes, Marks};
use crate::terms::{self, Contract, Trust};
use crate::time::Moment;
use crate::vocabulary::{KindId, Vocabulary};
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Compiler<'c> {
    contracts: Vec<&'c Contract>,
    pub(super) names: Vocabulary,
    calendars: Calendars,
    calendar_names: Vec<String>,
    pub(super) rules: Vec<Rule>,
    bindings: Vec<Binding>,
    /// Of the contract that is compiled: zone, place of its first calendar, name, version.
    pub(super) zone: chrono_tz::Tz,
    pub(super) first: CalendarId,
    pub(super) of: (String, usize),
    /// Kinds of subject of which everything is copied to who looks at duties there.
    pub(super) all_linked: Vec<KindId>,
    /// (contract, version, obligation) to rule.
    pub(super) ids: BTreeMap<(String, usize, String), RuleId>,
    /// Kinds of which some obligation is about every living subject.
    pub(super) populated: BTreeMap<KindId, Registered>,
    /// Populations of the rule that is compiled.
    pub(super) places: u8,
    /// Types of event that some contract takes as facts that a stack shares.
    pub(super) shared: BTreeSet<String>,
}

impl<'c> Compiler<'c> {
    pub(super) fn new(mut contracts: Vec<&'c Contract>) -> Compiler<'c> {
        contracts.sort_by(|a, b| (&a.name, &a.partners, a.effective).cmp(&(&b.name, &b.partners, b.effective)));
        Compiler {
            contracts,
            names: Vocabulary::new(),
            calendars: vec![Calendar::always(chrono_tz::UTC)],
            calendar_names: Vec::new(),
            rules: Vec::new(),
            bindings: Vec::new(),
            zone: chrono_tz::UTC,
            first: 0,
            of: (String::new(), 0),
            all_linked: Vec::new(),
            ids: BTreeMap::new(),
            populated: BTreeMap::new(),
            places: 0,
            shared: BTreeSet::new(),
        }
    }

    pub(super) fn compile(mut self, verbose: bool) -> Book {
        let all = std::mem::take(&mut self.contracts);
        self.shared = stacks::shared_types(&all);
        for versions in all.chunk_by(|a, b| a.name == b.name && a.partners == b.partners) {
            self.number(versions);
            for (v, contract) in versions.iter().enumerate() {
                self.contract(versions, v, contract);
            }
        }
        self.abroad();
        self.chain();
        self.clock_types();
        self.linked_types();
        self.rehomings();
        self.registered_types();
        let scoped = |c: &&Contract| !c.scope.is_empty() || c.controls.iter().any(|control| control.scope.is_some());
        let marks = all.iter().any(scoped).then(|| Marks::new(&mut self.names));
        let homes = Homes::new(&all, marks);
        let stacks = self.stacks(&all);
        if verbose {
            for field in ["actor", "actortype", "side", "role", "reason", "priority", "approver"] {
                let id = self.names.field(field);
                for t in 0..self.names.types().len() as TypeId {
                    self.names.want(t, id);
                }
            }
        }
        Book {
            held: super::held::held(&self.rules, &self.names),
            names: self.names,
            rules: self.rules,
            calendars: self.calendars,
            calendar_names: self.calendar_names,
            endings: endings(&all),
            bindings: self.bindings,
            registered: self.populated,
            stacks,
            concerned: super::concerned::Concerned::new(&all),
            homes,
        }
    }

    /// Who is on which stack, where some contract takes what is shared.
    fn stacks(&mut self, all: &[&Contract]) -> Option<stacks::Stacks> {
        if self.shared.is_empty() {
            return None;
        }
        let (stack, shared) = (self.names.field(stacks::STACK), self.names.field(stacks::SHARED));
        for name in self.shared.clone() {
            let kind = self.names.declare(&name);
            self.names.about_mut(kind).shared = true;
            self.names.want(kind, shared);
        }
        stacks::Stacks::new(all, stack, shared)
    }

    /// Which rules have others after them.
    fn chain(&mut self) {
        let families = |of: fn(&Anchor) -> &Vec<RuleId>| -> BTreeSet<RuleId> {
            self.rules.iter().flat_map(|r| of(&r.anchor)).map(|id| self.rules[usize::from(*id)].family).collect()
        };
        let (followed, feared) = (families(|a| &a.done), families(|a| &a.breached));
        let renewing: BTreeSet<RuleId> = self.rules.iter().filter(|r| r.slides_elsewhere()).map(|r| r.family).collect();
        for rule in &mut self.rules {
            rule.followed = followed.contains(&rule.family);
            rule.feared = feared.contains(&rule.family);
            rule.begins_next = renewing.contains(&rule.family);
            let since = |e: &Match| e.since().is_some_and(|since| since.event.on.is_some());
            rule.populated = rule.act().is_some_and(|act| !act.populations().is_empty());
            rule.elsewhere = rule.populated || !rule.looks_on().is_empty() || rule.anchor.events.iter().any(since);
        }
    }

    /// Rules are numbered before any is compiled: `done`, `breached` and versions refer to each other.
    fn number(&mut self, versions: &[&Contract]) {
        let mut next = self.rules.len();
        for (v, contract) in versions.iter().enumerate() {
            for obligation in &contract.obligations {
                self.ids.insert((contract.name.clone(), v, obligation.id.clone()), next as RuleId);
                next += 1;
            }
        }
    }

    fn contract(&mut self, versions: &[&Contract], v: usize, contract: &Contract) {
        let first = self.calendars.len() as CalendarId;
        for (name, calendar) in &contract.calendars {
            self.calendars.push(successive(versions, name).unwrap_or_else(|| calendar.clone()));
            self.calendar_names.push(name.clone());
        }
        (self.zone, self.first, self.of) = (contract.zone, first, (contract.name.clone(), v));
        let mut rules = Vec::new();
        for obligation in &contract.obligations {
            let rule = self.rule(versions, v, contract, obligation, first);
            rules.push(self.rules.len() as RuleId);
            self.rules.push(rule);
        }
        self.bindings.push(Binding { partners: contract.partners.clone(), rules, from: contract.effective });
    }

    fn rule(
        &mut self,
        versions: &[&Contract],
        v: usize,
        contract: &Contract,
        o: &terms::Obligation,
        first: CalendarId,
    ) -> Rule {
        let next = versions.get(v + 1);
        let successor = next.and_then(|n| n.obligations.iter().find(|s| s.id == o.id));
        let rebase = successor.is_some_and(|s| s.rebase_open);
        let id_in = |v: usize, name: &str| self.ids.get(&(name.to_owned(), v, o.id.clone())).copied();
        let next_version = next.zip(successor).and_then(|(n, _)| Some((n.effective, id_in(v + 1, &n.name)?)));
        let family = (0..=v).find_map(|earlier| id_in(earlier, &contract.name)).unwrap_or(self.rules.len() as RuleId);
        let removed_at = next.filter(|_| successor.is_none()).map_or(Moment::NEVER, |n| n.effective);
        self.places = 0;
        let anchor = self.anchor(v, contract, o);
        let kinds = anchor.kinds.clone();
        let mut facts = BTreeSet::new();
        let wide = is_wide(contract, o, contract.obligations.len());
        let form = self.form(o, &kinds, &anchor, wide, first, &mut facts);
        let until = o.until.as_ref().map(|act| self.act(act, o.trust, &kinds, &anchor));
        let excuse = o.excused_by.as_ref().map(|e| Box::new(self.excuse(e, o, &kinds, &anchor, wide)));
        let control = o.control.as_ref().map(|c| (c.clone(), self.names.constant(c)));
        if control.is_some() {
            facts.insert(self.names.well_known().control);
        }
        for field in &facts {
            self.subject_fact(&kinds, *field);
        }
        let among: Vec<Test> = match &o.sentence {
            terms::Sentence::Every { per: terms::Per::Subject { tests, .. }, .. } => {
                tests.iter().map(|t| self.test(t)).collect()
            }
            _ => Vec::new(),
        };
        for test in &among {
            self.subject_fact(&kinds, test.field);
        }
        if let Some(bounds) = self.bounds(contract) {
            for event in &anchor.events {
                for field in bounds.marks.of(&bounds.scope) {
                    self.names.want(event.kind, field);
                }
            }
        }
        let risk_owner = contract
            .controls
            .iter()
            .find(|c| o.control.as_ref() == Some(&c.name))
            .or(contract.controls.first())
            .and_then(|c| c.risk_owner.clone());
        let waivers = self.granted(contract, o, &kinds);
        let pause = o.pause.as_ref().map(|p| self.pause(p, first));
        let ends = contract.ends.unwrap_or(Moment::NEVER).min(contract.until.unwrap_or(Moment::NEVER));
        let to = next.map_or(Moment::NEVER, |n| n.effective).min(ends);
        Rule {
            id: o.id.clone(),
            contract: contract.name.clone(),
            customer: contract.customer.clone(),
            clause: o.clause.clone(),
            says: o.says.clone(),
            obligor: o.obligor.clone(),
            control,
            risk_owner,
            sources: contract.scope.sources.clone(),
            bounds: self.bounds(contract),
            from: contract.effective,
            to,
            closes: contract.ends == Some(to),
            removed_at,
            next: next_version,
            rebase,
            changes_at: next_version.filter(|_| rebase).map_or(Moment::NEVER, |(since, _)| since).min(removed_at),
            followed: false,
            feared: false,
            elsewhere: false,
            begins_next: false,
            family,
            anchor,
            form,
            until,
            trust: o.trust,
            pause,
            reopen: o.reopen,
            reprioritise: o.reprioritise,
            facts: facts.into_iter().collect(),
            blind_for: o.blind_for,
            waivers,
            waived_by: contract.waivers.as_ref().map(|w| w.approve.clone()),
            waiver_longest: contract.waivers.as_ref().and_then(|w| w.longest),
            waiver_renewals: contract.waivers.as_ref().and_then(|w| w.renewals),
            zone: contract.zone,
            supersedes: self.refer(contract, v, &o.supersedes),
            excuse,
            target: o.target.clone(),
            wide,
            populated: false,
            among,
            of_source: matches!(&o.sentence, terms::Sentence::Every { per: terms::Per::Source { .. }, .. }),
            severity: o.severity,
            warn: Warn::of(contract, o),
        }
    }

    fn excuse(
        &mut self,
        excuse: &terms::Excuse,
        o: &terms::Obligation,
        kinds: &[KindId],
        anchor: &Anchor,
        wide: bool,
    ) -> Excuse {
        match excuse {
            terms::Excuse::Event(act) if wide => Excuse::Event(self.partner_act(act, o.trust)),
            terms::Excuse::Event(act) => Excuse::Event(self.act(act, o.trust, kinds, anchor)),
            terms::Excuse::Itself(tests) => {
                let tests: Vec<Test> = tests.iter().map(|t| self.test(t)).collect();
                let acts = match &o.sentence {
                    terms::Sentence::Within { act, .. } | terms::Sentence::Every { act, .. } => act_leaves(act),
                    terms::Sentence::Requires { .. } => Vec::new(),
                };
                for leaf in acts {
                    let kind = self.names.declare(&leaf.kind);
                    tests.iter().for_each(|t| self.names.want(kind, t.field));
                }
                Excuse::Itself(tests)
            }
        }
    }

    /// The contract's scope, where it lists more than sources; None: nothing that a fact says leads out of it.
    fn bounds(&mut self, contract: &Contract) -> Option<Box<Bounds>> {
        let scope = &contract.scope;
        (!scope.is_bare() || scope.except.is_some())
            .then(|| Box::new(Bounds { scope: scope.clone(), marks: Marks::new(&mut self.names) }))
    }

    fn anchor(&mut self, v: usize, contract: &Contract, o: &terms::Obligation) -> Anchor {
        let mut out = Anchor::default();
        let when = match &o.sentence {
            terms::Sentence::Within { when, .. } | terms::Sentence::Requires { when, .. } => Some(when),
            terms::Sentence::Every { when, .. } => when.as_ref(),
        };
        for trigger in when.iter().flat_map(|w| &w.any) {
            match trigger {
                terms::Trigger::Event(event) => {
                    let mut compiled = self.event(event, Trust::Asserted);
                    if let (Some(pick), Some(when)) = (event.pick, when) {
                        compiled.rare.get_or_insert_with(Box::default).pick = Some((pick, member(when, event)));
                    }
                    out.events.push(compiled);
                }
                terms::Trigger::Done(ids) => out.done.extend(self.refer(contract, v, ids)),
                terms::Trigger::Breached(ids) => out.breached.extend(self.refer(contract, v, ids)),
            }
        }
        if let Some(when) = when {
            out.time = when.time.as_ref().map(|f| self.names.field(f));
            out.pick = Some(when.pick);
            // Its events are on the anchor's own subject: the loader takes no others.
            let nothing = Anchor::default();
            out.whole = when.whole.as_ref().map(|act| self.act(act, Trust::Asserted, &[], &nothing));
        }
        out.acts = usize::MAX;
        if let terms::Sentence::Every { per: terms::Per::Subject { kind, tests }, act, when, .. } = &o.sentence {
            out.awaited = when.is_some();
            self.recurring(&mut out, kind, tests, act, when.is_none());
        }
        if let terms::Sentence::Every { per: terms::Per::Source { tests }, act, .. } = &o.sentence {
            self.of_source(&mut out, tests, act);
        }
        self.since_elsewhere(&mut out.events);
        if let Some(time) = out.time {
            for event in &out.events {
                self.names.want(event.kind, time);
            }
        }
        out.kinds = out.events.iter().map(|e| e.subject).collect();
        // A chained duty lives on the subject of the duty that it follows.
        out.kinds.extend(chained_kinds(contract, o, contract.obligations.len()).iter().map(|k| self.names.kind(k)));
        out.kinds.sort_unstable();
        out.kinds.dedup();
        out
    }

    /// *Every P* on subjects of a kind begins at their creation and begins again at each act.
    fn recurring(
        &mut self,
        out: &mut Anchor,
        kind: &str,
        tests: &[terms::Test],
        act: &terms::Act,
        from_creation: bool,
    ) {
        if from_creation {
            for opening in
                crate::vocabulary::OPENING.iter().filter(|o| o.split_once('.').is_some_and(|(k, _)| k == kind))
            {
                let event = terms::EventMatch { tests: tests.to_vec(), ..terms::EventMatch::of(*opening) };
                let event = self.event(&event, Trust::Asserted);
                out.events.push(event);
            }
        }
        out.acts = out.events.len();
        for leaf in act_leaves(act).into_iter().filter(|l| l.kind.split_once('.').is_some_and(|(k, _)| k == kind)) {
            let event = self.event(leaf, Trust::Asserted);
            out.events.push(event);
        }
    }

    fn refer(&self, contract: &Contract, v: usize, ids: &[String]) -> Vec<RuleId> {
        ids.iter().filter_map(|id| self.ids.get(&(contract.name.clone(), v, id.clone())).copied()).collect()
    }

    fn form(
        &mut self,
        o: &terms::Obligation,
        kinds: &[KindId],
        anchor: &Anchor,
        wide: bool,
        first: CalendarId,
        facts: &mut BTreeSet<FieldId>,
    ) -> Form {
        match &o.sentence {
            terms::Sentence::Within { act, limits, .. } => Form::Within {
                act: if wide { self.partner_act(act, o.trust) } else { self.act(act, o.trust, kinds, anchor) },
                limits: limits.iter().map(|l| self.limit(l, o.trust, first, facts, (kinds, anchor, wide))).collect(),
            },
            terms::Sentence::Every { period, per, act, limits, calendar, roll, .. } => {
                let act = match per {
                    terms::Per::Partner => self.partner_act(act, o.trust),
                    terms::Per::Subject { .. } | terms::Per::Source { .. } => self.act(act, o.trust, kinds, anchor),
                };
                let period = self.table(period, facts, &mut |_, p| p.clone());
                let (period, roll, rolls) = self.rolled(period, roll, facts);
                Form::Every {
                    act,
                    period,
                    per: per.clone(),
                    limits: limits
                        .iter()
                        .map(|l| self.limit(l, o.trust, first, facts, (kinds, anchor, wide)))
                        .collect(),
                    calendar: calendar.map_or(0, |c| first + c as CalendarId),
                    roll,
                    rolls,
                }
            }
            terms::Sentence::Requires { what, .. } => {
                let trust = o.trust;
                Form::Requires(self.table(what, facts, &mut |c, r| c.requirement(r, trust, kinds, anchor)))
            }
        }
    }

    pub(super) fn table<T, U>(
        &mut self,
        table: &terms::Table<T>,
        facts: &mut BTreeSet<FieldId>,
        value: &mut dyn FnMut(&mut Self, &T) -> U,
    ) -> Table<U> {
        let mut keys = Vec::new();
        for key in &table.depends_on {
            keys.push(match key {
                terms::Key::Fact(name) => {
                    let field = self.names.field(name);
                    facts.insert(field);
                    Some(field)
                }
                terms::Key::Date => None,
            });
        }
        let mut rows = Vec::new();
        for row in &table.rows {
            let cells = row
                .cells
                .iter()
                .map(|cell| match cell {
                    terms::Cell::Any => RowCell::Any,
                    terms::Cell::Is(text) => RowCell::Is(self.names.constant(text)),
                    terms::Cell::From(day) => RowCell::From(*day),
                })
                .collect();
            let value = value(self, &row.value);
            rows.push(TableRow { cells, value });
        }
        Table { keys, rows }
    }

    fn pause(&mut self, p: &terms::Pause, first: CalendarId) -> Pause {
        Pause {
            reasons: p.reasons.clone(),
            by: p.by.clone(),
            confirm: p.confirm.as_ref().map(|c| (c.clone(), c.calendar.map_or(0, |i| first + i as CalendarId))),
            cap: p.cap.clone(),
        }
    }

    fn granted(&mut self, contract: &Contract, o: &terms::Obligation, kinds: &[KindId]) -> Vec<GrantedWaiver> {
        let granted = contract.waivers.iter().flat_map(|w| &w.granted).filter(|g| g.obligations.contains(&o.id));
        let mut out = Vec::new();
        for g in granted {
            let own = |field: &str| field == "subject" || kinds.iter().any(|k| self.names.kind_name(*k) == field);
            let (subjects, others): (Vec<_>, Vec<_>) = g.tests.iter().partition(|t| own(&t.field));
            let subjects = subjects.into_iter().map(|t| t.want.clone()).collect();
            let tests = others.into_iter().map(|t| self.test(t)).collect();
            let why = format!("{}; approved by {}", g.reason, g.approved_by);
            out.push(GrantedWaiver { id: g.id.clone(), why, tests, subjects, starts: g.starts, ends: g.ends });
        }
        out
    }
}

/// Whether duties are those of the partner as a whole: so are those that follow such duties and nothing else.
fn is_wide(contract: &Contract, o: &terms::Obligation, depth: usize) -> bool {
    let when = match &o.sentence {
        terms::Sentence::Every { per: terms::Per::Partner, .. } => return true,
        terms::Sentence::Every { .. } => return false,
        terms::Sentence::Within { when, .. } | terms::Sentence::Requires { when, .. } => when,
    };
    let wide = |ids: &Vec<String>| {
        let mut before = contract.obligations.iter().filter(|b| ids.contains(&b.id));
        depth > 0 && before.all(|b| is_wide(contract, b, depth - 1))
    };
    !when.any.is_empty()
        && when.any.iter().all(|trigger| match trigger {
            terms::Trigger::Event(_) => false,
            terms::Trigger::Done(ids) | terms::Trigger::Breached(ids) => wide(ids),
        })
}

/// When contracts end, with whom they bind: of versions the last one says it.
fn endings(contracts: &[&Contract]) -> Vec<Ending> {
    let last = |c: &&&Contract| {
        contracts.iter().all(|o| (&o.name, &o.partners) != (&c.name, &c.partners) || o.effective <= c.effective)
    };
    let of = contracts.iter().filter(last).filter(|c| c.until.is_none());
    let ending = |c: &&Contract| Some(Ending { contract: c.name.clone(), partners: c.partners.clone(), at: c.ends? });
    of.filter_map(ending).collect()
}

/// Kinds of subject on which the duties that `o` follows live, by name. `depth` bounds a cycle, which the loader refuses.
fn chained_kinds(contract: &Contract, o: &terms::Obligation, depth: usize) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let when = match &o.sentence {
        terms::Sentence::Within { when, .. } | terms::Sentence::Requires { when, .. } => Some(when),
        terms::Sentence::Every { when, .. } => when.as_ref(),
    };
    for trigger in when.iter().flat_map(|w| &w.any) {
        match trigger {
            terms::Trigger::Event(event) => {
                out.insert(event.kind.split_once('.').map_or(event.kind.as_str(), |(kind, _)| kind).to_owned());
            }
            terms::Trigger::Done(ids) | terms::Trigger::Breached(ids) if depth > 0 => {
                for before in contract.obligations.iter().filter(|b| ids.contains(&b.id)) {
                    out.extend(chained_kinds(contract, before, depth - 1));
                }
            }
            terms::Trigger::Done(_) | terms::Trigger::Breached(_) => {}
        }
    }
    out
}

pub(super) fn act_leaves(act: &terms::Act) -> Vec<&terms::EventMatch> {
    match act {
        terms::Act::One(one) => vec![one],
        terms::Act::Any(of) | terms::Act::All(of) | terms::Act::InOrder(of) => of.iter().flat_map(act_leaves).collect(),
        terms::Act::Duty(..) => Vec::new(),
    }
}

/// A calendar through the versions of its contract: each stretch counts on the version then in force.
fn successive(versions: &[&Contract], name: &str) -> Option<Calendar> {
    let of: Vec<(Moment, Calendar)> = versions
        .iter()
        .filter_map(|c| c.calendars.iter().find(|(n, _)| n == name).map(|(_, cal)| (c.effective, cal.clone())))
        .collect();
    (of.len() > 1).then(|| Calendar::versions(of))
}
