//! Duties that another duty's end or breach ends: `done` and `breached` in `do` and `until`, and in `requires`.

use super::{Cx, Fold, Trace};
use crate::duty::{Duty, Flags};
use crate::fact::TypeId;
use crate::rule::{Act, Named, RuleId};
use crate::time::Moment;

impl Fold {
    /// Ends what is ended by how other duties stand. `taken`: the fact at hand has been taken in; else time passes
    /// before it.
    pub(super) fn follow<T: Trace>(&mut self, now: Moment, taken: bool, cx: &mut Cx<'_, '_, T>) {
        let mut i = 0;
        while i < self.open.len() {
            let duty = &self.open[i];
            let rule = cx.rule(duty.rule);
            // One of the subjects that it names is enough to end a duty without a verdict; to do it, all are needed.
            let over = rule.until.as_ref().and_then(|act| self.by_duty(act, duty, false, taken, cx));
            let done = rule.act().and_then(|act| self.by_duty(act, duty, true, taken, cx));
            match (over, done) {
                (Some((at, kind)), done) if done.is_none_or(|(by, _)| at <= by) => {
                    self.forget_periods(rule);
                    // What came here later, or was taken up again, is over from then on and not before.
                    let at = at.max(self.open[i].since);
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
                until.is_some_and(|act| {
                    self.by_duty(act, &Duty::new(plan.rule, 0, plan.since), false, taken, cx).is_some()
                })
            });
            let over: Vec<RuleId> = over.map(|plan| plan.rule).collect();
            over.into_iter().for_each(|id| self.forget_periods(cx.rule(id)));
        }
        self.at = self.at.max(now);
    }

    /// Whether the end of another duty that did this one is still there.
    #[cold]
    pub(super) fn stands<T: Trace>(&self, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
        let act = cx.rule(duty.rule).act();
        act.and_then(|act| self.by_duty(act, duty, true, true, cx)).is_some_and(|(at, _)| at == duty.ended)
    }

    /// When another duty did what is owed, and the type of the event that did it.
    fn by_duty<T: Trace>(
        &self,
        act: &Act,
        duty: &Duty,
        all: bool,
        taken: bool,
        cx: &Cx<'_, '_, T>,
    ) -> Option<(Moment, TypeId)> {
        if act.of_several() && act.asks_duties() {
            return self.by_several(act, duty, all, taken, cx);
        }
        let from = duty.acts_from();
        let of = act.duties();
        let found = of.into_iter().flat_map(|named| self.ends_of(named, duty, all, taken, cx));
        found.filter(|(at, _)| *at >= from).min()
    }

    /// The same, of an act that needs more than that.
    #[cold]
    fn by_several<T: Trace>(
        &self,
        act: &Act,
        duty: &Duty,
        all: bool,
        taken: bool,
        cx: &Cx<'_, '_, T>,
    ) -> Option<(Moment, TypeId)> {
        let ends = |named: &Named| self.ends_of(named, duty, all, taken, cx).into_iter().map(|(at, _)| at).collect();
        let at = super::acts::evaluate_with(act, duty, &ends, taken, cx)?;
        let last = cx.so_far().filter(|f| f.at() <= at && super::acts::touches(act, *f)).last();
        Some((at, last.map_or(duty.ended_by, |fact| fact.kind())))
    }

    /// Ends or breaches of duties of these rules' families: on the own subject, or on those of another kind.
    pub(super) fn ends_of<T: Trace>(
        &self,
        named: &Named,
        duty: &Duty,
        all: bool,
        taken: bool,
        cx: &Cx<'_, '_, T>,
    ) -> smallvec::SmallVec<[(Moment, TypeId); 2]> {
        match named.on {
            Some(on) => self.ends_abroad(named, on, duty, all, taken, cx),
            None => self.ends(&named.of, named.breached, cx).collect(),
        }
    }

    /// Ends or breaches of duties of these rules' families, on the own subject.
    pub(super) fn ends<'f, T: Trace>(
        &'f self,
        rules: &[RuleId],
        breached: bool,
        cx: &Cx<'_, '_, T>,
    ) -> impl Iterator<Item = (Moment, TypeId)> + use<'f, T> {
        let book = cx.view.book;
        let families: Vec<RuleId> = rules.iter().map(|r| book.rule(*r).family).collect();
        let all = self.open.iter().chain(&self.ended).filter(|d| !d.flags.has(Flags::VOID));
        let of: Vec<&Duty> = all.filter(|d| families.contains(&book.rule(d.rule).family)).collect();
        of.into_iter().filter_map(move |d| match breached {
            true => d.breached_at().map(|at| (at, d.ended_by)),
            false if d.flags.has(Flags::CANCELLED) || d.flags.has(Flags::FINDING) => None,
            false => d.ended.known().map(|at| (at, d.ended_by)),
        })
    }
}
