//! Duties that another duty's end or breach ends: `done` and `breached` in `do` and `until`, and in `requires`.

use super::{Cx, Fold, Trace};
use crate::duty::{Duty, Flags};
use crate::fact::TypeId;
use crate::rule::{Act, RuleId};
use crate::time::Moment;

impl Fold {
    /// Ends what is ended by how other duties of the subject stand.
    pub(super) fn follow<T: Trace>(&mut self, now: Moment, cx: &mut Cx<'_, '_, T>) {
        let mut i = 0;
        while i < self.open.len() {
            let duty = &self.open[i];
            let rule = cx.rule(duty.rule);
            let over = rule.until.as_ref().and_then(|act| self.by_duty(act, duty, cx));
            let done = rule.act().and_then(|act| self.by_duty(act, duty, cx));
            match (over, done) {
                (Some((at, kind)), done) if done.is_none_or(|(by, _)| at <= by) => {
                    let family = rule.family;
                    self.forget_periods(family);
                    self.end(i, at, kind, true, cx);
                    i = 0;
                }
                (_, Some((at, kind))) => {
                    self.end(i, at, kind, false, cx);
                    i = 0;
                }
                _ => i += 1,
            }
        }
        if let Some(memory) = &self.memory {
            let over = memory.periods.iter().filter(|plan| {
                let until = cx.rule(plan.rule).until.as_ref();
                until.is_some_and(|act| self.by_duty(act, &Duty::new(plan.rule, 0, plan.since), cx).is_some())
            });
            let over: Vec<RuleId> = over.map(|plan| plan.rule).collect();
            over.into_iter().for_each(|family| self.forget_periods(family));
        }
        self.at = self.at.max(now);
    }

    /// When another duty did what is owed, and the type of the event that did it.
    fn by_duty<T: Trace>(&self, act: &Act, duty: &Duty, cx: &Cx<'_, '_, T>) -> Option<(Moment, TypeId)> {
        let from = duty.acts_from();
        let of = act.duties();
        let found = of.iter().flat_map(|(rules, breached)| self.ends_of(rules, *breached, cx));
        found.filter(|(at, _)| *at >= from).min()
    }

    /// Ends or breaches of duties of these rules' families.
    fn ends_of<'f, T: Trace>(
        &'f self,
        rules: &[RuleId],
        breached: bool,
        cx: &Cx<'f, '_, T>,
    ) -> impl Iterator<Item = (Moment, TypeId)> + use<'f, T> {
        let book = cx.view.book;
        let families: Vec<RuleId> = rules.iter().map(|r| book.rule(*r).family).collect();
        let all = self.open.iter().chain(&self.ended).filter(|d| !d.flags.has(Flags::VOID));
        all.filter(move |d| families.contains(&book.rule(d.rule).family)).filter_map(move |d| match breached {
            true => d.breached_at().map(|at| (at, d.ended_by)),
            false if d.flags.has(Flags::CANCELLED) || d.flags.has(Flags::FINDING) => None,
            false => d.ended.known().map(|at| (at, d.ended_by)),
        })
    }

    /// Whether such a duty had ended by its act, or had been breached, by now.
    pub(super) fn was<'f, T: Trace>(&'f self, rules: &[RuleId], breached: bool, cx: &Cx<'f, '_, T>) -> bool {
        self.ends_of(rules, breached, cx).next().is_some()
    }
}
