//! Acts that are undone: the clock goes on, or a new cycle begins. An act is undone where it was done: on the duty's own
//! subject, or on the one on which the duty found it.

use super::{Cx, Fold, Stopped, Trace, acts};
use crate::duty::{Duty, Flags};
use crate::fact::Fact;
use crate::rule::{Act, Form, Rule};
use crate::select::Met;
use crate::terms::ReopenPolicy;
use crate::time::Moment;
use crate::vocabulary::EventType;

impl Fold {
    /// Ended duties whose act this fact undoes.
    #[inline(never)]
    pub(super) fn undo<T: Trace>(&mut self, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        self.undo_some(fact, about, false, cx);
        // Then what was done by another duty's end, if that was undone; and what was done by that, in turn.
        let mut left = usize::MAX;
        while cx.view.sheet.follows && self.ended.len() < left {
            left = self.ended.len();
            self.undo_some(fact, about, true, cx);
        }
        if self.memory.as_ref().is_some_and(|memory| !memory.done_before.is_empty()) {
            self.undo_before(fact, about, cx);
        }
    }

    /// Of all ended duties those whose act asks how other duties stand, or the others.
    fn undo_some<T: Trace>(&mut self, fact: Fact<'_>, about: &EventType, asking: bool, cx: &mut Cx<'_, '_, T>) {
        let at = fact.at();
        let mut i = 0;
        while i < self.ended.len() {
            let duty = &self.ended[i];
            let settled =
                duty.flags.has(Flags::CANCELLED) || duty.flags.has(Flags::FINDING) || duty.flags.has(Flags::RENEWED);
            let is_meant = || cx.rule(duty.rule).act().is_some_and(Act::asks_duties) == asking;
            if settled || duty.ended > at || !is_meant() || !undoes(fact, about, duty, cx) {
                i += 1;
                continue;
            }
            // A stop and a reopening at one instant on a stopped clock leave it stopped.
            let acts = cx.rule(duty.rule).act().map(|a| a.leaves()).unwrap_or_default();
            let stops = |f: Fact<'_>| {
                f.at() == at
                    && f.origin() == fact.origin()
                    && about.undoes.contains(&f.kind())
                    && acts.iter().any(|l| l.kind == f.kind())
            };
            if duty.ended < at && cx.before().any(stops) {
                i += 1;
                continue;
            }
            let reopen = cx.rule(duty.rule).reopen;
            let inside = reopen.window.is_none_or(|window| at - duty.ended <= window);
            match reopen.policy {
                ReopenPolicy::Ignore => i += 1,
                ReopenPolicy::Resume if inside && asking && self.stands(&self.ended[i], cx) => i += 1,
                ReopenPolicy::Resume if inside => {
                    let duty = self.ended.remove(i);
                    self.resume_duty(duty, fact, about, cx);
                }
                ReopenPolicy::Resume | ReopenPolicy::New => {
                    self.ended[i].flags.put(Flags::RENEWED, true);
                    let before = self.ended[i].clone();
                    self.next_cycle(&before, fact, cx);
                    i += 1;
                }
            }
        }
    }

    /// The same of what was done before the subject was handed to this partner: it is owed anew, whatever was left of its time.
    #[cold]
    fn undo_before<T: Trace>(&mut self, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        let done = std::mem::take(&mut self.memory().done_before);
        let (lost, stays): (Vec<Duty>, Vec<Duty>) = done.into_iter().partition(|duty| undoes(fact, about, duty, cx));
        self.memory().done_before = stays;
        for before in lost {
            let rule = cx.rule(before.rule);
            let same = |d: &Duty| cx.view.book.rule(d.rule).family == rule.family && d.root() == before.root();
            if rule.reopen.policy != ReopenPolicy::Ignore && !self.open.iter().any(same) {
                self.next_cycle(&before, fact, cx);
            }
        }
    }

    #[cold]
    fn resume_duty<T: Trace>(&mut self, mut duty: Duty, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        let at = fact.at();
        cx.trace.note(at, Some(&duty), &|| format!("reopened ({}): the clock goes on with what it had", fact.id()));
        cx.trace.stretch(&duty, duty.ended, at, Stopped::Ended);
        // What followed its act has lost its ground.
        let (lost, stays) =
            std::mem::take(&mut self.open).into_iter().partition(|d| rests_on(d, &duty, fact, about, cx));
        self.open = stays;
        for mut duty in lost {
            Fold::settle(&mut duty, at, cx);
            duty.flags.put(Flags::CANCELLED, true);
            duty.ended = at;
            self.retire(duty);
        }
        let stopped = std::mem::replace(&mut duty.ended, Moment::NEVER);
        duty.ended_by = 0;
        duty.flags.put(Flags::NEWS, true);
        if let Some(more) = &mut duty.more {
            more.disputed = false;
        }
        Fold::forget_excuse(&mut duty, cx);
        // Done and undone before it began to count, it has used nothing.
        duty.since = duty.since.max(at);
        self.rebase_duty(&mut duty, None, at, cx);
        self.begin_stopped_limits(&mut duty, stopped, at, cx);
        self.hold(&mut duty, at, cx);
        Fold::find_deadline(&mut duty, cx);
        self.open.push(duty);
        self.fall_back(cx);
    }

    /// Of several acts on several subjects another may stand: then the duty was done by that one, at its own time.
    fn fall_back<T: Trace>(&mut self, cx: &mut Cx<'_, '_, T>) {
        let Some(i) = self.open.len().checked_sub(1) else { return };
        let duty = &self.open[i];
        let rule = cx.rule(duty.rule);
        let Some(act) = rule.act().filter(|act| reads_elsewhere(rule, act)) else { return };
        let Some(done) = acts::evaluate(act, duty, rule, cx).0 else { return };
        let Some(by) = cx.so_far().filter(|f| f.at() == done && acts::touches(act, *f)).last() else { return };
        let (broke, rule, key) = (duty.deadline < done && !duty.flags.has(Flags::BROKEN), duty.rule, duty.key);
        if broke {
            let deadline = duty.deadline;
            self.open[i].flags.put(Flags::BROKEN, true);
            self.open_breached(rule, key, deadline, cx);
        }
        self.end(i, done, by.kind(), false, cx);
    }
}

/// The fact undoes what did the duty.
#[inline(always)]
fn undoes<T: Trace>(fact: Fact<'_>, about: &EventType, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
    let rule = cx.rule(duty.rule);
    match rule.act() {
        Some(act) if fact.linked() || reads_elsewhere(rule, act) => takes_away(fact, about, duty, cx),
        _ => about.undoes.contains(&duty.ended_by),
    }
}

/// Its acts are looked for on other subjects, too.
fn reads_elsewhere(rule: &Rule, act: &Act) -> bool {
    rule.partner_wide() || !act.looks_on().is_empty()
}

/// The same, of acts on several subjects: one of them was done there, and without it the duty was not done then.
#[cold]
fn takes_away<T: Trace>(fact: Fact<'_>, about: &EventType, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
    let rule = cx.rule(duty.rule);
    let Some(act) = rule.act() else { return false };
    if act.asks_duties() {
        return !fact.linked() && about.undoes.contains(&duty.ended_by);
    }
    let leaves = act.leaves();
    let anchor = cx.anchor(duty);
    let was_done = |f: Fact<'_>| {
        about.undoes.contains(&f.kind())
            && f.origin() == fact.origin()
            && f.at() >= duty.acts_from()
            && f.at() <= duty.ended
            && leaves.iter().any(|leaf| {
                acts::at_place(leaf, f, rule, anchor, cx) && acts::leaf_meets(leaf, f, duty, cx) == Met::Yes
            })
    };
    cx.before().any(was_done) && acts::evaluate(act, duty, rule, cx).0.is_none_or(|at| at > duty.ended)
}

/// A duty that began because another was done: that it followed, or whose next period the act began.
fn rests_on<T: Trace>(duty: &Duty, done: &Duty, undo: Fact<'_>, about: &EventType, cx: &Cx<'_, '_, T>) -> bool {
    if duty.more.as_ref().and_then(|m| m.follows) == Some(done.key) {
        return true;
    }
    let rule = cx.rule(duty.rule);
    // One that an act elsewhere began follows by name; its anchor is that of the one before.
    let own = matches!(rule.form, Form::Every { .. }) && !super::periods::is_renewed(duty);
    let next = own && rule.family == cx.rule(done.rule).family;
    next && cx.anchor(duty).is_some_and(|anchor| {
        anchor.at() == done.ended && about.undoes.contains(&anchor.kind()) && anchor.origin() == undo.origin()
    })
}
