//! `until` of a duty that follows another: what happened while that one ran has ended it before it could begin.

use super::{Cx, Fold, Trace, acts};
use crate::book::Book;
use crate::duty::Duty;
use crate::fact::Fact;
use crate::rule::{Rule, RuleId};
use crate::time::Moment;

impl Fold {
    /// Whether what ends duties of `next` happened between the start of the duty `before`, which it follows, and `at`.
    /// How other duties ended is not asked: that ends it from its beginning on.
    #[cold]
    pub(super) fn is_foregone<T: Trace>(
        &self,
        next: &Rule,
        before: (RuleId, u64),
        at: Moment,
        cx: &mut Cx<'_, '_, T>,
    ) -> bool {
        let Some(until) = &next.until else { return false };
        let family = cx.rule(before.0).family;
        let is = |d: &&Duty| d.key == before.1 && cx.view.book.rule(d.rule).family == family;
        let Some(followed) = self.open.iter().chain(&self.ended).find(is) else { return false };
        let probe = Duty::new(next.family, 0, followed.acts_from());
        // Of several events all lie before: the fact that is taken in now may come after `at`.
        let over = |f: &Fact<'_>| f.at() <= at && acts::is_over_by(until, *f, next, &probe, at, cx);
        let Some(by) = cx.before().find(over) else { return false };
        cx.trace.note(at, None, &|| format!("{} does not begin: over already ({})", next.id, by.id()));
        true
    }
}

/// Some duty that may begin where one of this rule ends looks at what happened while that one ran.
pub(crate) fn is_looked_back_on(rule: &Rule, rules: &[RuleId], book: &Book) -> bool {
    let follows = |next: &Rule| {
        let mut before = next.anchor.done.iter().chain(&next.anchor.breached);
        next.until.is_some() && before.any(|id| book.rule(*id).family == rule.family)
    };
    (rule.followed || rule.feared) && rules.iter().any(|id| follows(book.rule(*id)))
}
