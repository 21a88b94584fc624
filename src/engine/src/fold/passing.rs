//! The passing of time: deadlines, longest pauses, waivers, versions and periods, each at its own instant, in order.

use super::{Cx, Fold, Trace, pauses, populations};
use crate::duty::{Duty, Flags, More};
use crate::time::Moment;

/// The last instant before something changes by itself: at the next millisecond it has.
#[inline(always)]
pub(crate) fn wake_of<T: Trace>(duty: &Duty, at: Moment, cx: &Cx<'_, '_, T>) -> Moment {
    let broken = duty.flags.has(Flags::BROKEN);
    let mut wake = if broken { Moment::NEVER } else { duty.deadline };
    let changes_at = cx.rule(duty.rule).changes_at;
    if changes_at != Moment::NEVER {
        wake = wake.min(changes_at + -1);
    }
    match &duty.more {
        Some(more) => wake.min(wake_of_more(duty, more, at, cx)),
        None => wake,
    }
}

/// The same, for what few duties have.
#[cold]
fn wake_of_more<T: Trace>(duty: &Duty, more: &More, at: Moment, cx: &Cx<'_, '_, T>) -> Moment {
    let mut wake = Moment::NEVER;
    if cx.rule(duty.rule).populated {
        wake = populations::wake_of(duty, at, cx);
    }
    if let Some(cap) = pauses::cap_reached(duty, cx) {
        wake = wake.min(cap + -1);
    }
    for waiver in &more.waivers {
        for boundary in [waiver.starts.max(waiver.approved), waiver.ends] {
            if boundary > at && boundary != Moment::NEVER {
                wake = wake.min(boundary + -1);
            }
        }
    }
    wake
}

impl Fold {
    /// Lets time pass up to `to`: whatever happens by itself before or at that instant has happened, but for a deadline
    /// at that very instant, which is still kept.
    #[inline(always)]
    pub fn advance<T: Trace>(&mut self, to: Moment, cx: &mut Cx<'_, '_, T>) {
        if self.wake < to {
            self.let_pass(to, cx);
        }
    }

    #[cold]
    fn let_pass<T: Trace>(&mut self, to: Moment, cx: &mut Cx<'_, '_, T>) {
        // What happens by itself on the way must not depend on whether the fact that comes then was heard of yet.
        let passing = std::mem::replace(&mut cx.passing, true);
        loop {
            let duty = (0..self.open.len()).map(|i| (wake_of(&self.open[i], self.at, cx), i)).min();
            let period = self.next_period().map(|(at, i)| (at + -1, i));
            if cx.view.sheet.abroad {
                let own = duty.map_or(Moment::NEVER, |(x, _)| x).min(period.map_or(Moment::NEVER, |(y, _)| y));
                let there = self.wake_abroad(cx);
                if there < to && there < own {
                    self.at = self.at.max(there + 1);
                    self.follow(there + 1, false, cx);
                    continue;
                }
            }
            match (duty, period) {
                (Some((x, i)), p) if x < to && p.is_none_or(|(y, _)| x <= y) => self.pass(i, x, cx),
                (_, Some((y, i))) if y < to => {
                    self.at = self.at.max(y + 1);
                    self.open_period(i, cx);
                }
                _ => break,
            }
            if cx.view.sheet.populations {
                self.gather(cx);
            }
        }
        self.schedule(cx);
        cx.passing = passing;
    }

    /// Works out when to look again.
    #[inline(always)]
    pub(super) fn schedule<T: Trace>(&mut self, cx: &Cx<'_, '_, T>) {
        let mut wake = self.next_period().map_or(Moment::NEVER, |(at, _)| at + -1);
        for duty in &self.open {
            wake = wake.min(wake_of(duty, self.at, cx));
        }
        if cx.view.sheet.abroad {
            wake = wake.min(self.wake_abroad(cx));
        }
        self.wake = wake;
    }

    /// What happens to one duty between `x` and the next millisecond.
    fn pass<T: Trace>(&mut self, i: usize, x: Moment, cx: &mut Cx<'_, '_, T>) {
        let now = x + 1;
        self.at = self.at.max(now);
        let duty = &mut self.open[i];
        if duty.deadline <= x && matches!(cx.rule(duty.rule).form, crate::rule::Form::Requires(_)) {
            self.look_again(i, cx);
            return;
        }
        if duty.deadline <= x && !duty.flags.has(Flags::BROKEN) {
            self.breach(i, now, cx);
            return;
        }
        let rule = cx.rule(duty.rule);
        if rule.removed_at <= now {
            let kind = duty.ended_by;
            self.end(i, now, kind, true, cx);
            return;
        }
        let mut duty = duty.clone();
        if let Some((_, next)) = rule.next.filter(|(since, _)| rule.rebase && *since <= now) {
            Fold::settle(&mut duty, now, cx);
            cx.trace.note(now, Some(&duty), &|| "a new version of the contract takes it over".to_owned());
            duty.rule = next;
            if cx.rule(next).populated {
                duty.more_mut();
                populations::look_back(&duty, cx);
            }
            duty.clock.row = crate::duty::NO_ROW;
            let anchor = cx.anchor(&duty);
            self.rebase_duty(&mut duty, anchor, now, cx);
        }
        let waived = duty
            .more
            .as_ref()
            .is_some_and(|m| m.waivers.iter().any(|w| w.starts.max(w.approved) <= now && now < w.ends));
        if waived != duty.flags.has(Flags::WAIVED) {
            Fold::settle(&mut duty, now, cx);
            duty.flags.put(Flags::WAIVED, waived);
        }
        if pauses::cap_reached(&duty, cx).is_some_and(|cap| cap <= now) {
            Fold::settle(&mut duty, now, cx);
            cx.trace.note(now, Some(&duty), &|| "the longest pause is used up: time counts again".to_owned());
            duty.flags.put(Flags::CAPPED, true);
        }
        Fold::find_deadline(&mut duty, cx);
        self.open[i] = duty;
    }

    /// The deadline is over.
    pub(super) fn breach<T: Trace>(&mut self, i: usize, now: Moment, cx: &mut Cx<'_, '_, T>) {
        let duty = &mut self.open[i];
        duty.flags.put(Flags::BROKEN, true);
        // Of a waived duty the standing stays, but not that it is unbroken.
        duty.flags.put(Flags::NEWS, true);
        cx.trace.note(duty.deadline, Some(duty), &|| "the deadline passes: breach".to_owned());
        let (rule, key, at) = (duty.rule, duty.key, duty.deadline);
        self.open_breached(rule, key, at, cx);
        if cx.view.sheet.follows {
            self.follow(now, false, cx);
        }
    }
}
