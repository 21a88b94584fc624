//! `excused-by`: reasons given in time for the deadline. What is late then is late and excused; it is not waived, and it
//! stays among the broken ones.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Duty, Flags};
use crate::fact::Fact;
use crate::rule::Excuse;
use crate::select::{self, Against, Met};

impl Fold {
    /// Holds a fact against what excuses the open duties. After the deadline it is too late for reasons.
    pub(super) fn excuse<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        for i in 0..self.open.len() {
            let duty = &self.open[i];
            let rule = cx.rule(duty.rule);
            let Some(Excuse::Event(excuse)) = rule.excuse.as_deref() else { continue };
            let over = duty.flags.has(Flags::BROKEN) || duty.flags.has(Flags::EXCUSED);
            if over || fact.at() < duty.acts_from() || fact.key() == duty.anchor() {
                continue;
            }
            let given = if excuse.of_several() {
                acts::touches(excuse, fact) && acts::evaluate(excuse, duty, rule, cx).0.is_some()
            } else {
                excuse.leaves().iter().any(|leaf| {
                    acts::leaf_meets(leaf, fact, duty, cx) == Met::Yes
                        && acts::at_place(leaf, fact, rule, cx.anchor(duty), cx)
                })
            };
            if given {
                self.open[i].flags.put(Flags::EXCUSED, true);
                cx.trace.note(fact.at(), Some(&self.open[i]), &|| {
                    format!("reasons given in time ({}): if it is late, it is excused", fact.id())
                });
            }
        }
    }

    /// A late act that carries its own reasons.
    pub(super) fn excuse_by_act<T: Trace>(&mut self, i: usize, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let duty = &self.open[i];
        let Some(Excuse::Itself(tests)) = cx.rule(duty.rule).excuse.as_deref() else { return };
        let against = Against { anchor: cx.anchor(duty), subject: cx.view.subject };
        if duty.flags.has(Flags::BROKEN) && tests.iter().all(|t| select::passes(cx.book(), t, fact, against)) {
            self.open[i].flags.put(Flags::EXCUSED, true);
            let text = || format!("late, with reasons ({}): excused", fact.id());
            cx.trace.note(fact.at(), Some(&self.open[i]), &text);
        }
    }

    /// The late act is undone, and the reasons that it carried with it.
    pub(super) fn forget_excuse<T: Trace>(duty: &mut Duty, cx: &Cx<'_, '_, T>) {
        if let Some(Excuse::Itself(_)) = cx.rule(duty.rule).excuse.as_deref() {
            duty.flags.put(Flags::EXCUSED, false);
        }
    }
}
