//! Acts that are owed of every living subject of a kind: done when the last of them has done it. Who they are and what
//! they did is looked up in the partner's register.

use super::acts::evaluate_by;
use super::{Cx, Fold, Trace};
use crate::duty::Duty;
use crate::fact::TypeId;
use crate::register::{Ask, UNREAD};
use crate::rule::{Act, Population};
use crate::time::Moment;

/// When an act was done by all of a population.
pub(super) fn gathered<T: Trace>(population: &Population, duty: &Duty, cx: &Cx<'_, '_, T>) -> Option<(Moment, TypeId)> {
    let register = cx.view.register?;
    let ask = Ask {
        book: cx.view.book,
        subject: cx.view.subject,
        rule: duty.rule,
        population,
        from: duty.acts_from(),
        anchor: cx.anchor(duty),
    };
    register.gathered(&ask)
}

/// The last instant before some population is complete.
#[cold]
pub(super) fn wake_of<T: Trace>(duty: &Duty, at: Moment, cx: &Cx<'_, '_, T>) -> Moment {
    let populations = cx.rule(duty.rule).act().map(Act::populations).unwrap_or_default();
    let complete = populations.into_iter().filter_map(|p| gathered(p, duty, cx)).map(|(when, _)| when);
    complete.filter(|when| *when > at).min().map_or(Moment::NEVER, |when| when + -1)
}

/// A duty begins whose population may reach back to where the register is not whole: the engine fills it first.
#[cold]
pub(super) fn look_back<T: Trace>(duty: &Duty, cx: &mut Cx<'_, '_, T>) {
    if cx.view.register.is_some_and(|register| duty.acts_from() < register.complete_from()) {
        cx.links.push(UNREAD.to_owned());
    }
}

impl Fold {
    /// Ends the duties whose populations are complete by now.
    #[cold]
    pub(super) fn gather<T: Trace>(&mut self, cx: &mut Cx<'_, '_, T>) {
        let mut i = 0;
        let mut ended = false;
        while i < self.open.len() {
            match self.complete(i, cx) {
                Some((at, kind)) => {
                    self.end(i, at, kind, false, cx);
                    ended = true;
                    i = 0;
                }
                None => i += 1,
            }
        }
        // No fact of this subject says so: what these duties end is looked at here.
        if ended && cx.view.sheet.follows {
            self.follow(self.at, true, cx);
        }
    }

    fn complete<T: Trace>(&self, i: usize, cx: &Cx<'_, '_, T>) -> Option<(Moment, TypeId)> {
        let duty = &self.open[i];
        let rule = cx.rule(duty.rule);
        let act = rule.act().filter(|_| rule.populated)?;
        let (at, _) = evaluate_by(act, duty, rule, self.at, cx);
        let at = at.filter(|at| *at <= self.at)?;
        let last = |(when, kind): (Moment, TypeId)| (when == at).then_some(kind);
        let kind = act.populations().into_iter().filter_map(|p| gathered(p, duty, cx)).find_map(last);
        // Else the last of its other events did it, which was looked at when it came; then any name will do.
        Some((at.max(duty.start.min(self.at)), kind.unwrap_or_default()))
    }
}
