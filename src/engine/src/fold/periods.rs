//! Recurring duties: of the partner as a whole, sliding from act to act, or by calendar periods.

use super::opening::{Opening, current};
use super::{Cx, Fold, Memory, Periodic, Trace, acts};
use crate::duty::{Clock, ClockState, Duty, Flags, More};
use crate::fact::Fact;
use crate::limits;
use crate::rule::{Form, Match, Rule, RuleId};
use crate::select::{self, Against, Met};
use crate::terms::{Per, Period};
use crate::time::Moment;
use xxhash_rust::xxh3::xxh3_64;

impl Fold {
    /// The recurring duties of a partner as a whole: they begin with the contract, not with an event.
    pub fn begin_partner<T: Trace>(&mut self, cx: &mut Cx<'_, '_, T>) {
        let sheet = cx.view.sheet;
        for id in &sheet.partner_wide {
            let rule = cx.rule(*id);
            if rule.family != *id {
                continue;
            }
            let Form::Every { period, .. } = &rule.form else { continue };
            let calendar = period.rows.iter().any(|r| matches!(r.value, Period::Calendar(_)));
            if calendar {
                self.plan(*id, rule.from, cx);
            } else {
                let key = period_key(rule, rule.from);
                let opening =
                    Opening { rule: *id, key, fact: None, start: rule.from, acts_from: rule.from, tied: false };
                self.birth(opening, None, false, cx);
            }
        }
        self.schedule(cx);
    }

    /// A sliding duty of the partner as a whole begins anew with each act.
    pub(super) fn slide<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let Some(fact) = current(fact, cx).filter(|_| cx.view.subject == cx.view.partner) else { return };
        let sheet = cx.view.sheet;
        for id in &sheet.partner_wide {
            let rule = cx.rule(*id);
            let in_force = rule.from <= fact.at() && fact.at() < rule.to;
            let Some(act) = rule.act().filter(|_| in_force && unit_of(rule).is_none()) else { continue };
            if !self.recurs(rule) {
                continue;
            }
            let probe = Duty::new(*id, 0, fact.at());
            if !act.leaves().iter().any(|leaf| acts::leaf_meets(leaf, fact, &probe, cx) == Met::Yes) {
                continue;
            }
            if self.already(rule, fact.key(), true, (fact.at(), fact.at()), cx) {
                continue;
            }
            let opening = Opening {
                rule: *id,
                key: fact.key(),
                fact: Some(fact),
                start: fact.at(),
                acts_from: fact.at(),
                tied: false,
            };
            self.birth(opening, None, false, cx);
        }
    }

    /// The act of a sliding duty was done on another subject: that begins the next period, as one on its own would.
    #[cold]
    pub(super) fn renew<T: Trace>(&mut self, id: RuleId, before: u64, anchor: u64, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let mut id = id;
        while let Some((_, next)) = cx.rule(id).next.filter(|(since, _)| *since <= at) {
            id = next;
        }
        let rule = cx.rule(id);
        let family = rule.family;
        let in_force = rule.from <= at && at < rule.to;
        let said = self.memory.iter().flat_map(|m| &m.recurring);
        let over = said.into_iter().any(|(of, goes_on)| *of == family && !goes_on);
        if !rule.slides() || !in_force || over || self.begins_by_itself(rule, at, cx) {
            return;
        }
        let among = cx.view.timeline.facts().find(|f| f.key() == anchor);
        if among.is_some_and(|fact| !super::opening::is_among(&rule.among, fact, cx)) {
            return;
        }
        let name = [before.to_le_bytes(), at.0.to_le_bytes()].concat();
        let key = xxh3_64(&name);
        let same = |d: &Duty| cx.view.book.rule(d.rule).family == family;
        // One period is open at a time.
        if self.open.iter().any(|d| same(d) && !d.flags.has(Flags::SCHEDULED))
            || self.ended.iter().any(|d| d.key == key)
        {
            return;
        }
        // The act says nothing of this subject: the duty is about what it was about before.
        let more = More { cycle: 1, root: key, follows: Some(before), anchor: Some(anchor), ..More::default() };
        let opening = Opening { rule: id, key, fact: None, start: at, acts_from: at, tied: false };
        self.birth(opening, Some(more), false, cx);
    }

    /// The fact at hand is an act on the own subject: a period begins with it as with any.
    fn begins_by_itself<T: Trace>(&self, rule: &Rule, at: Moment, cx: &Cx<'_, '_, T>) -> bool {
        let against = Against { anchor: None, subject: cx.view.subject };
        let acts = rule.anchor.events.get(rule.anchor.acts..).unwrap_or_default();
        cx.so_far().last().is_some_and(|fact| {
            let meets = |e: &Match| e.kind == fact.kind() && select::meets(cx.book(), e, fact, against) != Met::No;
            fact.at() == at && !fact.linked() && acts.iter().any(meets)
        })
    }

    pub(super) fn recur<T: Trace>(&mut self, id: RuleId, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let rule = cx.rule(id);
        let Form::Every { per: Per::Subject { .. } | Per::Source { .. }, .. } = &rule.form else { return };
        if rule.family != id || rule.of_source && !super::sources::from_itself(fact, cx) {
            return;
        }
        let against = Against { anchor: None, subject: cx.view.subject };
        let opens =
            |e: &Match| select::meets(cx.book(), e, fact, against) != Met::No && super::since::holds(e, fact, cx);
        if rule.anchor.events.iter().any(opens) {
            self.plan(id, fact.at().max(rule.from), cx);
        }
    }

    /// A recurring duty of calendar periods that begins where another ended or was breached. False: it is none.
    #[cold]
    pub(super) fn recur_after<T: Trace>(&mut self, id: RuleId, at: Moment, cx: &Cx<'_, '_, T>) -> bool {
        let rule = cx.rule(id);
        if unit_of(rule).is_none() {
            return false;
        }
        self.plan(rule.family, at.max(cx.rule(rule.family).from), cx);
        true
    }

    /// What ends a recurring duty ends it for good, whether or not the duty of a period is open just then.
    #[cold]
    pub(super) fn end_periods<T: Trace>(&mut self, fact: Fact<'_>, cx: &Cx<'_, '_, T>) {
        let Some(memory) = &mut self.memory else { return };
        memory.periods.retain(|plan| {
            let rule = cx.rule(plan.rule);
            let probe = Duty::new(plan.rule, 0, plan.since);
            rule.until.as_ref().is_none_or(|until| !acts::is_over(until, fact, rule, &probe, cx))
        });
    }

    pub(super) fn plan<T: Trace>(&mut self, id: RuleId, since: Moment, cx: &Cx<'_, '_, T>) {
        let rule = cx.rule(id);
        let Some(unit) = unit_of(rule) else { return };
        let Some((from, to)) = limits::period(unit, rule.zone, since) else { return };
        // With a limit after the period's end, the duty opens at the end.
        let next = if super::limits(rule).is_empty() { from.max(since) } else { to };
        let memory: &mut Memory = self.memory();
        if memory.periods.iter().all(|p| p.rule != id) {
            memory.periods.push(Periodic { rule: id, next, since });
        }
    }

    /// Opens the duty of the period that begins or ends at `at`, and plans the next.
    pub(super) fn open_period<T: Trace>(&mut self, i: usize, cx: &mut Cx<'_, '_, T>) {
        let Some(plan) = self.memory.as_ref().and_then(|m| m.periods.get(i)).copied() else { return };
        let mut id = plan.rule;
        while let Some((_, next)) = cx.rule(id).next.filter(|(since, _)| *since <= plan.next) {
            id = next;
        }
        let rule = cx.rule(id);
        let unit = unit_of(rule);
        let period = unit.and_then(|u| limits::period(u, rule.zone, plan.next));
        // What begins with the contract's end, or follows a duty that outlived it, is owed after it.
        let in_force = plan.next < rule.to || plan.since >= rule.to;
        let Some((from, to)) = period.filter(|_| in_force && plan.next < rule.removed_at) else {
            self.memory().periods.remove(i);
            return;
        };
        self.memory().periods[i].next = to;
        let start = plan.next;
        // The part of a period after a handover is a period of its own.
        let home = self.memory().home_since.filter(|home| from < *home);
        let key = home.map_or_else(|| period_key(rule, from), |home| period_key(rule, home));
        // One duty a period: a subject that came back within it has had that one.
        let family = rule.family;
        if self.open.iter().chain(&self.ended).any(|d| d.key == key && cx.rule(d.rule).family == family) {
            return;
        }
        let mut more = More { cycle: 1, root: key, ..More::default() };
        let due_at_end = super::limits(rule).is_empty();
        if due_at_end {
            more.period_end = Some(to);
        }
        let mut duty = Duty::new(id, key, start);
        duty.more = Some(Box::new(more));
        let clocks = if due_at_end {
            // Due at the period's last instant; or on the working day before, if that is still to come.
            let last = to + -1;
            let due = limits::roll(cx.book(), rule, (0, 0), last);
            smallvec::smallvec![Clock {
                elapsed: 0,
                target: if due < start { last.0 } else { due.0 },
                calendar: 0,
                limit: 0,
                row: 0,
                state: ClockState::Fixed
            }]
        } else {
            self.clocks_for(rule, None, start, cx)
        };
        duty.flags.put(Flags::EXEMPT, clocks.is_empty());
        duty.set_clocks(clocks);
        self.add_waivers(&mut duty, None, cx);
        self.hold(&mut duty, start, cx);
        Fold::find_deadline(&mut duty, cx);
        if rule.populated {
            super::populations::look_back(&duty, cx);
        }
        cx.trace.note(start, Some(&duty), &|| "a new period begins".to_owned());
        self.open.push(duty);
    }

    /// A recurring duty whose subject has retired recurs no more.
    pub(super) fn forget_periods(&mut self, rule: &Rule) {
        if let Some(memory) = &mut self.memory {
            memory.periods.retain(|p| p.rule != rule.family);
        }
        if matches!(rule.form, Form::Every { .. }) && unit_of(rule).is_none() {
            let memory = self.memory();
            memory.recurring.retain(|(family, _)| *family != rule.family);
            memory.recurring.push((rule.family, false));
        }
    }

    /// An act begins the duty anew: not before it has begun, nor after what has ended it for good.
    pub(super) fn recurs(&self, rule: &Rule) -> bool {
        let said = self.memory.iter().flat_map(|m| &m.recurring).find(|(family, _)| *family == rule.family);
        said.map_or(!rule.anchor.awaited, |(_, goes_on)| *goes_on)
    }

    /// A recurring duty begins, or begins again after what had ended it.
    pub(super) fn recur_from_now(&mut self, rule: &Rule) {
        if rule.anchor.awaited || self.memory.as_ref().is_some_and(|m| !m.recurring.is_empty()) {
            let memory = self.memory();
            memory.recurring.retain(|(family, _)| *family != rule.family);
            memory.recurring.push((rule.family, true));
        }
    }

    pub(super) fn next_period(&self) -> Option<(Moment, usize)> {
        let periods = &self.memory.as_ref()?.periods;
        periods.iter().enumerate().map(|(i, p)| (p.next, i)).min()
    }
}

/// It began with an act on another subject that ended the one before.
pub(super) fn is_renewed(duty: &Duty) -> bool {
    duty.more.as_ref().is_some_and(|more| more.follows.is_some() && more.anchor.is_some())
}

fn unit_of(rule: &Rule) -> Option<crate::terms::Unit> {
    let Form::Every { period, .. } = &rule.form else { return None };
    period.rows.iter().find_map(|r| match r.value {
        Period::Calendar(unit) => Some(unit),
        Period::Sliding(_) => None,
    })
}

fn period_key(rule: &Rule, from: Moment) -> u64 {
    xxh3_64(format!("{}\0{}\0{}", rule.contract, rule.id, from.0).as_bytes())
}
