//! A fact that chooses rows has changed: other rows of the table apply from here on.

use super::opening::current;
use super::{Cx, Fold, Trace};
use crate::duty::{Clock, ClockState, Clocks, Duty, Flags, NO_ROW, PARKED};
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
        let due_now = (duty.deadline == fact.at()).then_some(duty.clock);
        self.rebase_duty(&mut duty, current(fact, cx), fact.at(), cx);
        Fold::find_deadline(&mut duty, cx);
        super::origins::still_due(&mut duty, due_now, fact.at());
        self.open[i] = duty;
    }

    /// Takes the rows that now apply: elapsed time and pauses stay, the target changes. A limit that has none stands still, and
    /// goes on from there when it has one again.
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
        let rows = || duty.clocks().filter(|c| c.row != PARKED);
        if !exempt && fresh.len() == rows().count() && fresh.iter().all(|f| rows().any(|c| same(f, c))) {
            return;
        }
        Fold::settle(duty, at, cx);
        if fresh.is_empty() {
            cx.trace.note(at, Some(duty), &|| "leaves the table: exempt".to_owned());
            duty.flags.put(Flags::EXEMPT, true);
            return;
        }
        cx.trace.note(at, Some(duty), &|| "another row of the table applies".to_owned());
        let never_ran = exempt && duty.clocks().all(|c| c.state == ClockState::Waiting && c.row != PARKED);
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
        // An amended contract may have fewer limits.
        let lost =
            |o: &&Clock| usize::from(o.limit) < super::limits(rule).len() && fresh.iter().all(|f| f.limit != o.limit);
        let parked: Clocks = old.iter().filter(lost).map(Clock::parked).collect();
        let kept_of = &*duty;
        let fresh = fresh.into_iter().map(|clock| {
            let mut clock = self.goes_on(clock, &old, kept_of, cx);
            if terms.restart {
                clock.elapsed = 0;
            }
            if let Some(least) = terms.min_remaining.filter(|_| clock.state != ClockState::Fixed) {
                clock.target = clock.target.max(clock.elapsed + least);
            }
            clock
        });
        let mut fresh: Clocks = fresh.chain(parked).collect();
        // The limit that was broken goes on being the one that is shown.
        if duty.flags.has(Flags::BROKEN)
            && let Some(i) = fresh.iter().position(|f| f.limit == old[0].limit)
        {
            fresh.swap(0, i);
        }
        duty.set_clocks(fresh);
    }

    /// A limit by the row that applies now, with what it has used itself: what another limit has used, or waits for, is no
    /// matter of this one. Where another version of the contract has limits that the old one had not, they take what was used.
    fn goes_on<T: Trace>(&self, clock: Clock, old: &[Clock], duty: &Duty, cx: &Cx<'_, '_, T>) -> Clock {
        let rule = cx.rule(duty.rule);
        let of_limit = |o: &&Clock| o.limit == clock.limit;
        let own =
            old.iter().find(|o| of_limit(o) && o.calendar == clock.calendar).or_else(|| old.iter().find(of_limit));
        let amended = old[0].row == NO_ROW;
        let other = || old.iter().find(|o| o.calendar == clock.calendar).unwrap_or(&old[0]);
        let kept = own.or_else(|| amended.then(other));
        let elapsed = kept.map_or(0, |o| o.elapsed);
        if clock.state != ClockState::Waiting {
            return Clock { elapsed, ..clock };
        }
        match own {
            Some(own) if own.state == ClockState::Waiting && own.row != PARKED => Clock { elapsed, ..clock },
            Some(own) if own.state != ClockState::Waiting => {
                let counting = Clock { elapsed, state: ClockState::Counting, ..clock };
                self.as_of_its_beginning(clock, duty, rule, cx).map_or(counting, |begun| Clock { elapsed, ..begun })
            }
            // Whether it had begun, or has since, its events say.
            Some(_) | None => match self.as_of_its_beginning(clock, duty, rule, cx) {
                Some(begun) => Clock { elapsed, ..begun },
                None => clock,
            },
        }
    }
}

pub(super) fn last_with<'a, T: Trace>(rule: &Rule, cx: &Cx<'a, '_, T>) -> Option<Fact<'a>> {
    cx.before().filter(|f| !f.linked() && rule.facts.iter().any(|field| f.field(*field).is_some())).last()
}
