//! Duties on subjects of another kind that a duty looks at. They are judged anew from the copies of that subject's facts,
//! of which all are here: a function of the facts, like everything else, and paid for only by who asks.

use super::{Cx, Fold, Silent, Trace, View, acts};
use crate::duty::Duty;
use crate::engine::judge;
use crate::fact::{Fact, FieldId, TypeId};
use crate::rule::Named;
use crate::time::Moment;
use crate::timeline::Timeline;
use crate::vocabulary::KindId;
use smallvec::SmallVec;

impl Fold {
    /// Ends or breaches of duties on the subjects that the anchor names, or else on those that name its subject.
    #[cold]
    pub(super) fn ends_abroad<T: Trace>(
        &self,
        named: &Named,
        (field, kind): (FieldId, KindId),
        duty: &Duty,
        all: bool,
        taken: bool,
        cx: &Cx<'_, '_, T>,
    ) -> SmallVec<[(Moment, TypeId); 2]> {
        let targets: Vec<&str> = acts::targets(cx.anchor(duty), field, cx).collect();
        let origins = origins(kind, taken, cx);
        let from = duty.acts_from();
        // A requirement asks whether it ever was; what ends a duty comes after its beginning.
        let requires = matches!(cx.rule(duty.rule).form, crate::rule::Form::Requires(_));
        let first = |origin: &str| {
            let there = abroad(origin, self.at, taken, cx);
            there.ends(&named.of, named.breached, cx).filter(|(at, _)| requires || *at >= from).min()
        };
        if targets.len() < 2 || !all {
            let fits = |origin: &&str| targets.is_empty() || targets.contains(origin);
            return origins.into_iter().filter(fits).filter_map(first).collect();
        }
        let ends: Option<Vec<_>> = targets.iter().map(|target| first(target)).collect();
        ends.and_then(|ends| ends.into_iter().max()).into_iter().collect()
    }

    /// When something changes by itself on another subject that an open duty looks at.
    #[cold]
    pub(super) fn wake_abroad<T: Trace>(&self, cx: &Cx<'_, '_, T>) -> Moment {
        // A fact at hand that has not been taken in lies ahead.
        let taken = cx.so_far().last().is_some_and(|fact| fact.at() <= self.at);
        let mut kinds: Vec<KindId> = Vec::new();
        for rule in self.open.iter().map(|duty| cx.rule(duty.rule)).filter(|rule| rule.looks_abroad()) {
            kinds.extend(rule.duties_on());
        }
        kinds.sort_unstable();
        kinds.dedup();
        let all = kinds.into_iter().flat_map(|kind| origins(kind, taken, cx));
        all.map(|origin| abroad(origin, self.at, taken, cx).wake).min().unwrap_or(Moment::NEVER)
    }
}

/// Subjects of a kind whose facts are copied here.
fn origins<'a, T: Trace>(kind: KindId, taken: bool, cx: &Cx<'a, '_, T>) -> Vec<&'a str> {
    let names = cx.view.book.names();
    let of = seen(taken, cx).filter(|fact| names.about(fact.kind()).kind == kind);
    let mut out: Vec<&str> = of.filter_map(|fact| fact.origin()).map(|origin| names.text(origin)).collect();
    out.sort_unstable();
    out.dedup();
    out
}

fn seen<'a, T: Trace>(taken: bool, cx: &Cx<'a, '_, T>) -> impl Iterator<Item = Fact<'a>> + use<'a, T> {
    let before = cx.before().count();
    cx.so_far().take(before + usize::from(taken))
}

/// Another subject as it stands at `now`, from what has been heard of it here.
fn abroad<T: Trace>(origin: &str, now: Moment, taken: bool, cx: &Cx<'_, '_, T>) -> Fold {
    let names = cx.view.book.names();
    let rank = |t| names.about(t).rank;
    let mut timeline = Timeline::default();
    let mut own = Vec::new();
    for fact in seen(taken, cx).filter(|fact| fact.origin().is_some_and(|o| names.text(o) == origin)) {
        own.clear();
        fact.own_again(&mut own);
        if let Some((fact, _)) = Fact::split(&own) {
            timeline.insert(fact, &rank);
        }
    }
    let view = View { subject: origin, timeline: &timeline, ..cx.view };
    judge(view, None, false, now, &mut Silent, &mut Vec::new())
}
