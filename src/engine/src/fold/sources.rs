//! Duties of a source: on the subject that is called like it, by what it says itself.

use super::{Cx, Fold, Trace};
use crate::fact::Fact;
use crate::rule::Rule;

/// The subject is the source that says so.
#[cold]
pub(super) fn from_itself<T: Trace>(fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    cx.view.sources[usize::from(fact.source())].name == cx.view.subject
}

impl Fold {
    /// A fact begins no duty of a source: it is another's, or says only that the source is there, which is known.
    #[cold]
    pub(super) fn is_no_news_of<T: Trace>(&self, rule: &Rule, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
        let there = || {
            let mut all = self.open.iter().chain(&self.ended);
            cx.about(fact).opening && all.any(|duty| cx.rule(duty.rule).family == rule.family)
        };
        !from_itself(fact, cx) || there()
    }
}
