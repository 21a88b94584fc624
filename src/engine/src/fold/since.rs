//! `since`: an event that counts only so long after another one.

use super::{Cx, Trace};
use crate::fact::Fact;
use crate::limits::{self, Target};
use crate::rule::Match;
use crate::select::{self, Against, Met};
use crate::time::Moment;

/// Whether a fact comes so long after another as its match asks. Where the other has not happened, how long it is since
/// cannot be said, and it does not count.
pub(super) fn holds<T: Trace>(wanted: &Match, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    let Some(since) = wanted.since() else { return true };
    let against = Against { anchor: Some(fact), subject: cx.view.subject };
    let mut earlier = cx.view.timeline.facts().take_while(|f| f.key() != fact.key()).filter(|f| {
        f.linked() == fact.linked()
            && f.origin() == fact.origin()
            && select::meets(cx.book(), &since.event, *f, against) == Met::Yes
    });
    let Some(earlier) = (if since.latest { earlier.last() } else { earlier.next() }) else { return false };
    let until = match limits::target(&since.span, 0, cx.book().calendar(0), since.zone, earlier.at()) {
        Target::Length(ms, _) => earlier.at() + ms,
        Target::Fixed(at) => at,
    };
    let later = until != Moment::NEVER && fact.at() > until;
    later == since.more
}
