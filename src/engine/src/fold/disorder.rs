//! `in-order`: a step that comes before the steps that it follows is a finding. The duty itself goes on until all is done
//! in order.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Duty, Flags, More};
use crate::fact::Fact;
use crate::rule::Act;
use crate::select::Met;
use xxhash_rust::xxh3::xxh3_64;

impl Fold {
    /// The fact is a step of an open duty's act, and an earlier step is missing.
    pub(super) fn disorder<T: Trace>(&mut self, i: usize, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let duty = &self.open[i];
        let rule = cx.rule(duty.rule);
        let Some(Act::InOrder(steps)) = rule.act() else { return };
        if fact.at() < duty.acts_from() || fact.key() == duty.anchor() {
            return;
        }
        let anchor = cx.anchor(duty);
        let is = |step: &Act| {
            step.leaves().iter().any(|leaf| {
                acts::leaf_meets(leaf, fact, duty, cx) == Met::Yes && acts::at_place(leaf, fact, rule, anchor, cx)
            })
        };
        let Some(n) = steps.iter().position(is).filter(|n| *n > 0) else { return };
        let names = cx.view.book.names();
        let on = fact.origin().map(|o| names.text(o));
        if acts::steps_before(&steps[..n], on, duty, rule, cx) {
            return;
        }
        let name = [duty.key.to_le_bytes(), fact.key().to_le_bytes()].concat();
        let key = xxh3_64(&name);
        // Another copy of a step that was found out of order already.
        let same = |d: &Duty| d.key == key && cx.view.book.rule(d.rule).family == rule.family;
        if self.ended.iter().any(same) {
            return;
        }
        let mut finding = Duty::new(duty.rule, key, fact.at());
        let more = More { cycle: 1, root: key, follows: Some(duty.key), anchor: Some(fact.key()), ..More::default() };
        finding.more = Some(Box::new(more));
        (finding.ended, finding.deadline) = (fact.at(), fact.at());
        finding.flags.put(Flags::FINDING, true);
        finding.flags.put(Flags::FAILED, true);
        let text = || format!("{} came before what it follows: a finding", fact.id());
        cx.trace.note(fact.at(), Some(&finding), &text);
        let rule = finding.rule;
        self.retire(finding);
        self.open_breached(rule, key, fact.at(), cx);
    }
}
