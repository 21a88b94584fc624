//! `supersedes`: a duty that takes the place of others on its subject. They end, and their verdicts are withdrawn.

use super::{Cx, Fold, Trace};
use crate::duty::{Duty, Flags};
use crate::rule::RuleId;
use crate::time::Moment;

impl Fold {
    /// What the duties that just began with this key take the place of.
    pub(super) fn supersede<T: Trace>(&mut self, rules: &[RuleId], key: u64, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let book = cx.view.book;
        for rule in rules.iter().map(|id| book.rule(*id)).filter(|r| !r.supersedes.is_empty()) {
            let family = |d: &Duty| book.rule(d.rule).family;
            let began = |d: &Duty| d.anchor() == key && family(d) == rule.family && !d.flags.has(Flags::VOID);
            if self.open.iter().chain(&self.ended).any(began) {
                let gone: Vec<RuleId> = rule.supersedes.iter().map(|id| book.rule(*id).family).collect();
                self.withdraw(&|d| gone.contains(&family(d)), at, cx);
            }
        }
    }

    fn withdraw<T: Trace>(&mut self, which: &dyn Fn(&Duty) -> bool, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let goes = |d: &Duty| which(d) && !d.flags.has(Flags::VOID);
        let (gone, open): (Vec<Duty>, Vec<Duty>) = std::mem::take(&mut self.open).into_iter().partition(goes);
        let (over, ended): (Vec<Duty>, Vec<Duty>) = std::mem::take(&mut self.ended).into_iter().partition(goes);
        (self.open, self.ended) = (open, ended);
        let mut broke = Vec::new();
        for mut duty in gone.into_iter().chain(over) {
            if duty.is_open() {
                Fold::settle(&mut duty, at, cx);
                duty.ended = at;
            }
            cx.trace.note(at, Some(&duty), &|| "another duty takes its place: its verdict is withdrawn".to_owned());
            if duty.flags.has(Flags::BROKEN) {
                broke.push(duty.key);
            }
            duty.flags.put(Flags::CANCELLED, true);
            duty.flags.put(Flags::VOID, true);
            self.retire(duty);
        }
        if !broke.is_empty() {
            // What followed such a breach has lost its ground; what followed an act has not: it was done.
            let book = cx.view.book;
            self.withdraw(
                &|d| {
                    let follows = d.more.as_ref().and_then(|m| m.follows);
                    follows.is_some_and(|key| broke.contains(&key)) && !book.rule(d.rule).anchor.breached.is_empty()
                },
                at,
                cx,
            );
        }
    }
}
