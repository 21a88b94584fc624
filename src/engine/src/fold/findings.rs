//! Findings: what had to come before an anchor, or be true of it, judged at its instant.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Clock, ClockState, Duty, Flags, NO_ROW};
use crate::fact::{Atom, Fact, FieldId};
use crate::limits::{self, Target};
use crate::rule::{CalendarId, Form, Match, Requirement, Rule, Table};
use crate::select::{self, Against, Met};
use crate::terms::Span;
use crate::time::Moment;

impl Fold {
    /// Judges a `requires` at its anchor. Every row that may apply must hold; no row: exempt. Where the anchor names an
    /// instant that is still to come, the requirement is due then, or so long before it as it says.
    pub(super) fn judge_requirement<'a, T: Trace>(
        &mut self,
        mut duty: Duty,
        table: &Table<Requirement>,
        rule: &Rule,
        anchor: Option<Fact<'a>>,
        cx: &mut Cx<'a, '_, T>,
    ) {
        for field in table.rows.iter().flat_map(|r| r.value.looks_on()) {
            let named: Vec<String> = acts::targets(naming(anchor, field, cx), field, cx).map(str::to_owned).collect();
            cx.links.extend(named);
        }
        let (at, told) = (duty.start, anchor.map_or(duty.start, Fact::at));
        let exempt = rows(table, anchor, (rule.zone, at), cx).is_empty();
        if at > told && exempt {
            duty.flags.put(Flags::EXEMPT, true);
            (duty.start, duty.since) = (told, told);
            return self.found(duty, told, false, cx);
        }
        if at > told {
            // What it is about is still to come: the duty runs from when that was told.
            (duty.start, duty.since) = (told, told);
            duty.more_mut().period_end = Some(at);
            let finding = Finding { duty: &duty, rule, anchor, cx, fold: self, of: at, open: true };
            match finding.state(table) {
                State::Pending(due) if due > told => return self.wait_until(duty, due, cx),
                State::Holds => return self.found(duty, told, false, cx),
                State::Lost | State::Pending(_) => return self.found(duty, told, true, cx),
            }
        }
        let finding = Finding { duty: &duty, rule, anchor, cx, fold: self, of: at, open: false };
        let holds = matches!(finding.state(table), State::Holds);
        duty.flags.put(Flags::EXEMPT, exempt);
        self.found(duty, at, !exempt && !holds, cx);
    }

    /// A requirement that was not due yet: by a new fact, or because it falls due.
    pub(super) fn look_again<T: Trace>(&mut self, i: usize, cx: &mut Cx<'_, '_, T>) {
        let duty = self.open[i].clone();
        let rule = cx.rule(duty.rule);
        let Form::Requires(table) = &rule.form else { return };
        let of = duty.more.as_ref().and_then(|m| m.period_end).unwrap_or(duty.start);
        let anchor = cx.anchor(&duty);
        let finding = Finding { duty: &duty, rule, anchor, cx, fold: self, of, open: true };
        let (at, due) = (self.at, duty.deadline);
        match finding.state(table) {
            State::Pending(later) if later == due && due >= at => {}
            State::Pending(later) if later >= at => {
                self.open.remove(i);
                self.wait_until(duty, later, cx);
            }
            State::Holds => {
                self.open.remove(i);
                self.found(duty, at.min(due), false, cx);
            }
            State::Lost | State::Pending(_) => {
                self.open.remove(i);
                self.found(duty, due, true, cx);
            }
        }
    }

    fn wait_until<T: Trace>(&mut self, mut duty: Duty, due: Moment, cx: &mut Cx<'_, '_, T>) {
        let clock = Clock { elapsed: 0, target: due.0, calendar: 0, limit: 0, row: NO_ROW, state: ClockState::Fixed };
        duty.set_clocks(smallvec::smallvec![clock]);
        Fold::find_deadline(&mut duty, cx);
        self.open.push(duty);
    }

    /// The verdict, at its instant.
    fn found<T: Trace>(&mut self, mut duty: Duty, at: Moment, failed: bool, cx: &mut Cx<'_, '_, T>) {
        let exempt = duty.flags.has(Flags::EXEMPT);
        Fold::settle(&mut duty, at, cx);
        duty.flags.put(Flags::FINDING, true);
        duty.flags.put(Flags::FAILED, failed);
        (duty.ended, duty.deadline, duty.since) = (at, at, at);
        cx.trace.note(at, Some(&duty), &|| match () {
            () if exempt => "no row of the table applies: exempt".to_owned(),
            () if failed => "what is required was not there: a finding".to_owned(),
            () => "what is required was there".to_owned(),
        });
        let (rule, key) = (duty.rule, duty.key);
        self.retire(duty);
        if failed {
            self.open_breached(rule, key, at, cx);
        }
    }
}

fn rows<'t, T: Trace>(
    table: &'t Table<Requirement>,
    anchor: Option<Fact<'_>>,
    (zone, of): (chrono_tz::Tz, Moment),
    cx: &Cx<'_, '_, T>,
) -> smallvec::SmallVec<[&'t Requirement; 4]> {
    // Facts that choose rows are those of the anchor, or of its subject as it stood at the anchor.
    let facts = |field| match anchor {
        Some(anchor) => known_at(anchor, field, cx),
        None => cx.known(None, field),
    };
    limits::rows(table, &facts, limits::day_of(table, zone, of))
}

fn known_at<'a, T: Trace>(anchor: Fact<'a>, field: FieldId, cx: &Cx<'a, '_, T>) -> Option<Atom<'a>> {
    let one = |f: Fact<'a>| f.field(field).and_then(|v| v.atoms().next());
    let before = || cx.before().take_while(|f| f.key() != anchor.key()).filter(|f| !f.linked());
    one(anchor).or_else(|| before().filter_map(one).last())
}

/// A fact, and what other feeds say of it under the same key, wherever in time they put it. Who did it, and what it names, may
/// stand in any of them.
fn copies<'a, T: Trace>(fact: Option<Fact<'a>>, cx: &Cx<'a, '_, T>) -> impl Iterator<Item = Fact<'a>> + use<'a, T> {
    let all = cx.view.timeline.facts();
    let others = fact.into_iter().flat_map(move |fact| {
        let same = move |one: &Fact<'_>| one.key() == fact.key() && one.kind() == fact.kind() && !one.linked();
        all.clone().filter(same)
    });
    fact.into_iter().chain(others)
}

/// The copy of a fact that names something in a field; else the fact.
fn naming<'a, T: Trace>(fact: Option<Fact<'a>>, field: FieldId, cx: &Cx<'a, '_, T>) -> Option<Fact<'a>> {
    copies(fact, cx).find(|one| one.field(field).is_some()).or(fact)
}

/// How a requirement stands before it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is satisfied.
    Holds,
    /// It cannot be satisfied any more.
    Lost,
    /// It can be up to this instant.
    Pending(Moment),
}

impl State {
    fn all(states: impl Iterator<Item = State>) -> State {
        states.fold(State::Holds, |a, b| match (a, b) {
            (State::Lost, _) | (_, State::Lost) => State::Lost,
            (State::Holds, other) | (other, State::Holds) => other,
            (State::Pending(a), State::Pending(b)) => State::Pending(a.min(b)),
        })
    }

    fn any(states: impl Iterator<Item = State>) -> State {
        states.fold(State::Lost, |a, b| match (a, b) {
            (State::Holds, _) | (_, State::Holds) => State::Holds,
            (State::Lost, other) | (other, State::Lost) => other,
            (State::Pending(a), State::Pending(b)) => State::Pending(a.max(b)),
        })
    }
}

struct Finding<'f, 'a, 'l, T> {
    duty: &'f Duty,
    rule: &'f Rule,
    anchor: Option<Fact<'a>>,
    cx: &'f Cx<'a, 'l, T>,
    fold: &'f Fold,
    /// The instant that it is about.
    of: Moment,
    /// It is not due yet: the fact now taken in counts, too.
    open: bool,
}

impl<'a, T: Trace> Finding<'_, 'a, '_, T> {
    fn state(&self, table: &Table<Requirement>) -> State {
        State::all(rows(table, self.anchor, (self.rule.zone, self.of), self.cx).into_iter().map(|r| self.one(r)))
    }

    fn one(&self, requirement: &Requirement) -> State {
        let sure = |holds: bool| if holds { State::Holds } else { State::Lost };
        match requirement {
            Requirement::Itself(tests) => sure(self.anchor.is_some_and(|fact| {
                let against = Against { anchor: Some(fact), subject: self.cx.view.subject };
                let said = |field| copies(self.anchor, self.cx).find_map(|fact| fact.field(field));
                tests.iter().all(|t| select::holds(self.cx.book(), &t.want, said(t.field), against))
            })),
            Requirement::During(calendar) => sure(self.cx.book().calendar(*calendar).is_open(self.of)),
            // Only what is one too many becomes a duty: see `quotas`.
            Requirement::Quota(..) => State::Lost,
            Requirement::Before(leaf, ahead) => {
                let latest = ahead.as_ref().map_or(self.of, |(span, id)| self.ahead(span, *id));
                self.until(
                    self.came_before(leaf, if ahead.is_some() || self.open { latest } else { Moment::NEVER }),
                    latest,
                )
            }
            Requirement::Duty(named) => {
                let was = self.fold.ends_of(named, self.duty, true, self.open, self.cx);
                self.until(!was.is_empty(), self.of)
            }
            Requirement::Any(of) => State::any(of.iter().map(|r| self.one(r))),
            Requirement::All(of) => State::all(of.iter().map(|r| self.one(r))),
            Requirement::InOrder(steps) => self.until(self.came_in_order(steps), self.of),
        }
    }

    /// What does not hold now may hold yet.
    fn until(&self, holds: bool, latest: Moment) -> State {
        match () {
            () if holds => State::Holds,
            () if self.open && latest >= self.fold.at => State::Pending(latest),
            () => State::Lost,
        }
    }

    fn facts(&self) -> impl Iterator<Item = Fact<'a>> + use<'a, '_, T> {
        let (open, position) = (self.open, self.cx.position);
        let mut offset = 0;
        self.cx.view.timeline.facts().take_while(move |fact| {
            let inside = offset < position || open && offset == position;
            offset += fact.bytes().len();
            inside
        })
    }

    fn came_before(&self, leaf: &Match, latest: Moment) -> bool {
        let names = self.cx.book().names();
        let anchor = self.anchor.map(Fact::key);
        let fits = |fact: &Fact<'_>| {
            fact.at() <= latest
                && Some(fact.key()) != anchor
                && acts::leaf_meets(leaf, *fact, self.duty, self.cx) == Met::Yes
        };
        let anchor_here = leaf.on.map_or(self.anchor, |field| naming(self.anchor, field, self.cx));
        let named: Vec<&str> = match leaf.on {
            Some(field) => acts::targets(anchor_here, field, self.cx).collect(),
            None => Vec::new(),
        };
        // What the anchor's own instant orders before it came before; copies of linked facts are ordered among them.
        let at_place = |fact: &Fact<'_>| acts::at_place(leaf, *fact, self.rule, anchor_here, self.cx);
        if named.len() < 2 {
            return self.stands(leaf, &|f| at_place(f) && fits(f));
        }
        let on = |fact: &Fact<'_>, one: &str| fact.origin().is_some_and(|o| names.text(o) == one);
        named.iter().all(|one| self.stands(leaf, &|f| on(f, one) && fits(f)))
    }

    /// Some fact is such a one, and nothing has withdrawn it since: an approval counts no more after a rejection.
    fn stands(&self, leaf: &Match, fits: &dyn Fn(&Fact<'a>) -> bool) -> bool {
        let mut said: Vec<Fact<'a>> = Vec::new();
        for fact in self.facts() {
            if fits(&fact) {
                said.push(fact);
            } else if !said.is_empty()
                && fact.trust() >= leaf.trust
                && self.cx.about(fact).withdraws.contains(&leaf.kind)
            {
                said.retain(|one| one.origin() != fact.origin());
            }
        }
        !said.is_empty()
    }

    /// Each step after the one before, on each of the subjects that the anchor names.
    fn came_in_order(&self, steps: &[Requirement]) -> bool {
        let field = steps.iter().flat_map(Requirement::leaves).find_map(|leaf| leaf.on);
        let named: Vec<&str> = field.map(|f| acts::targets(self.anchor, f, self.cx).collect()).unwrap_or_default();
        if named.len() < 2 {
            return self.in_order_on(steps, None);
        }
        named.iter().all(|one| self.in_order_on(steps, Some(one)))
    }

    fn in_order_on(&self, steps: &[Requirement], on: Option<&str>) -> bool {
        let names = self.cx.book().names();
        let anchor = self.anchor.map(Fact::key);
        let latest = if self.open { self.of } else { Moment::NEVER };
        let fits = |leaf: &Match, fact: Fact<'_>| {
            let there = match on {
                Some(one) if leaf.on.is_some() => fact.origin().is_some_and(|o| names.text(o) == one),
                _ => acts::at_place(leaf, fact, self.rule, self.anchor, self.cx),
            };
            there
                && fact.at() <= latest
                && Some(fact.key()) != anchor
                && acts::leaf_meets(leaf, fact, self.duty, self.cx) == Met::Yes
        };
        let mut left = steps.iter();
        let mut step = left.next();
        for fact in self.facts() {
            if step.is_some_and(|step| step.leaves().iter().any(|leaf| fits(leaf, fact))) {
                step = left.next();
            }
        }
        step.is_none()
    }

    /// The latest instant that lies so long before the anchor.
    fn ahead(&self, span: &Span, id: CalendarId) -> Moment {
        let calendar = self.cx.book().calendar(id);
        let start = self.of;
        match span {
            Span::WorkingDays(n) => {
                let day = calendar.working_day(start, -(*n as i32));
                day.and_then(|d| calendar.close_of(d)).unwrap_or(Moment::DAWN)
            }
            Span::CalendarDays(n) => {
                let zone = self.rule.zone;
                let day = crate::calendar::local(zone, start).date().checked_sub_days(chrono::Days::new(u64::from(*n)));
                let end = day.and_then(|d| d.succ_opt());
                end.map_or(Moment::DAWN, |d| crate::calendar::instant(zone, d, 0))
            }
            Span::Months(n) => {
                let at = crate::calendar::local(self.rule.zone, start);
                let day = at.date().checked_sub_months(chrono::Months::new(*n));
                let minute = (chrono::Timelike::hour(&at) * 60 + chrono::Timelike::minute(&at)) as u16;
                day.map_or(Moment::DAWN, |d| crate::calendar::instant(self.rule.zone, d, minute))
            }
            other => match limits::target(other, id, calendar, self.rule.zone, start) {
                Target::Length(ms, id) => self.cx.book().calendar(id).sub(start, ms).unwrap_or(Moment::DAWN),
                Target::Fixed(at) => at,
            },
        }
    }
}
