//! `since`: an event that counts only so long after another one.

use super::{Cx, Trace};
use crate::fact::Fact;
use crate::limits::{self, Target};
use crate::rule::{Match, Since};
use crate::select::{self, Against, Met};
use crate::time::Moment;

/// Whether a fact comes so long after another as its match asks. Where the other has not happened, how long it is since
/// cannot be said, and it does not count.
#[inline(always)]
pub(super) fn holds<T: Trace>(wanted: &Match, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    wanted.since().is_none_or(|since| comes_so_long_after(since, fact, cx))
}

#[cold]
fn comes_so_long_after<T: Trace>(since: &Since, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    let against = Against { anchor: Some(fact), subject: cx.view.subject };
    let mut earlier = cx.view.timeline.facts().take_while(|f| f.key() != fact.key()).filter(|f| {
        let there = match since.event.on {
            Some(field) => super::acts::is_named(field, *f, Some(fact), cx),
            None => f.linked() == fact.linked() && f.origin() == fact.origin(),
        };
        there && select::meets(cx.book(), &since.event, *f, against) == Met::Yes
    });
    let Some(earlier) = (if since.latest { earlier.last() } else { earlier.next() }) else { return false };
    let (id, book) = (since.calendar, cx.book());
    let until = match limits::target(&since.span, id, book.calendar(id), since.zone, earlier.at()) {
        Target::Length(ms, id) => book.calendar(id).add(earlier.at(), ms).unwrap_or(Moment::NEVER),
        Target::Fixed(at) => at,
    };
    let later = until != Moment::NEVER && fact.at() > until;
    later == since.more
}
