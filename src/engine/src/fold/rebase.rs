//! A fact that chooses rows has changed: other rows of the table apply from here on.

use super::birth::current;
use super::{Cx, Fold, Trace};
use crate::duty::{Clock, ClockState, Clocks, Duty, Flags};
use crate::fact::Fact;
use crate::rule::Rule;
use crate::time::Moment;

impl Fold {
    /// A fact that chooses rows has changed.
    pub(super) fn rebase<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        if self.open.is_empty() || fact.fields().next().is_none() {
            return;
        }
        for i in 0..self.open.len() {
            let rule = cx.rule(self.open[i].rule);
            if self.open[i].anchor() == fact.key() || rule.facts.iter().all(|f| fact.field(*f).is_none()) {
                continue;
            }
            self.rebase_one(i, fact, cx);
        }
    }

    #[cold]
    fn rebase_one<T: Trace>(&mut self, i: usize, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let mut duty = self.open[i].clone();
        self.rebase_duty(&mut duty, current(fact, cx), fact.at(), cx);
        Fold::find_deadline(&mut duty, cx);
        self.open[i] = duty;
    }

    /// Takes the rows that now apply: elapsed time and pauses stay, the target changes.
    #[cold]
    pub(super) fn rebase_duty<'a, T: Trace>(
        &self,
        duty: &mut Duty,
        fact: Option<Fact<'a>>,
        at: Moment,
        cx: &mut Cx<'a, '_, T>,
    ) {
        let rule = cx.rule(duty.rule);
        if matches!(rule.form, crate::rule::Form::Requires(_)) {
            return;
        }
        // What the duty is about stays; what its subject is now, counts.
        let facts = match (fact, cx.anchor(duty)) {
            (Some(f), _) => Some(f),
            (None, _) if rule.facts.is_empty() => return,
            (None, anchor) => last_with(rule, cx).or(anchor),
        };
        let fresh = self.clocks_for(rule, facts, duty.start, cx);
        // The same rows: a repeated fact, or a reopening, renews nothing.
        let same = |a: &Clock, b: &Clock| (a.limit, a.row) == (b.limit, b.row);
        let exempt = duty.flags.has(Flags::EXEMPT);
        if !exempt && fresh.len() == duty.clocks().count() && fresh.iter().all(|f| duty.clocks().any(|c| same(f, c))) {
            return;
        }
        Fold::settle(duty, at, cx);
        if fresh.is_empty() {
            cx.trace.note(at, Some(duty), &|| "leaves the table: exempt".to_owned());
            duty.flags.put(Flags::EXEMPT, true);
            return;
        }
        cx.trace.note(at, Some(duty), &|| "another row of the table applies".to_owned());
        let never_ran = exempt && duty.clock.state == ClockState::Waiting;
        duty.flags.put(Flags::EXEMPT, false);
        if never_ran {
            // Entering scope starts it at this instant, or at the time that it is about.
            let start = at.max(duty.start);
            (duty.start, duty.since) = (start, start);
            let fresh = self.clocks_for(rule, facts, start, cx);
            duty.set_clocks(fresh);
            return;
        }
        let old: Clocks = duty.clocks().copied().collect();
        let terms = rule.reprioritise;
        let kept_of = &*duty;
        let fresh = fresh.into_iter().map(|mut clock| {
            let kept = old.iter().find(|o| o.limit == clock.limit && o.calendar == clock.calendar);
            // What counts from an event of its own has its own time, whatever the calendar.
            let own = super::limits(rule).get(usize::from(clock.limit)).is_some_and(|l| !l.from.is_empty());
            let kept = kept.or_else(|| old.iter().find(|o| own && o.limit == clock.limit));
            let kept = kept.or_else(|| old.iter().find(|o| o.calendar == clock.calendar)).unwrap_or(&old[0]);
            clock.elapsed = if terms.restart { 0 } else { kept.elapsed };
            if clock.state == ClockState::Waiting && kept.state != ClockState::Waiting {
                clock = self.as_of_its_beginning(clock, kept_of, rule, cx);
            }
            if clock.state == ClockState::Fixed {
                return clock;
            }
            if kept.state == ClockState::Waiting {
                clock.state = ClockState::Waiting;
            } else if clock.state == ClockState::Waiting {
                clock.state = ClockState::Counting;
            }
            if let Some(least) = terms.min_remaining {
                clock.target = clock.target.max(clock.elapsed + least);
            }
            clock
        });
        let fresh: Clocks = fresh.collect();
        duty.set_clocks(fresh);
    }
}

pub(super) fn last_with<'a, T: Trace>(rule: &Rule, cx: &Cx<'a, '_, T>) -> Option<Fact<'a>> {
    cx.before().filter(|f| !f.linked() && rule.facts.iter().any(|field| f.field(*field).is_some())).last()
}
