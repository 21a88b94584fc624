//! Acts: what stops a duty, in one event or several, on its own subject or on those that it names.

use super::{Cx, Fold, Trace};
use crate::duty::{Duty, Flags};
use crate::fact::{Fact, FieldId, TypeId};
use crate::rule::{Act, Match, Rule};
use crate::select::{self, Against, Met};
use crate::time::Moment;
use crate::vocabulary::EventType;

impl Fold {
    /// Holds a fact against the acts of all open duties.
    pub(super) fn acts<T: Trace>(&mut self, fact: Fact<'_>, about: &EventType, cx: &mut Cx<'_, '_, T>) {
        let mut i = 0;
        while i < self.open.len() {
            let key = self.open[i].key;
            match self.holds_against(i, fact, about, cx) {
                Verdict::GoesOn => i += 1,
                Verdict::Looked => i += usize::from(self.open.get(i).is_some_and(|d| d.key == key)),
                Verdict::Replaced => {
                    self.open.remove(i);
                }
                Verdict::Done(at) => {
                    if cx.view.sheet.excuses {
                        self.excuse_by_act(i, fact, cx);
                    }
                    self.end(i, at, fact.kind(), false, cx);
                }
                Verdict::Over => self.end(i, fact.at(), fact.kind(), true, cx),
            }
        }
    }

    fn holds_against<T: Trace>(
        &mut self,
        i: usize,
        fact: Fact<'_>,
        about: &EventType,
        cx: &mut Cx<'_, '_, T>,
    ) -> Verdict {
        let duty = &self.open[i];
        let rule = cx.rule(duty.rule);
        if is_its_beginning(fact, duty, cx) || rule.of_source && !super::sources::from_itself(fact, cx) {
            return Verdict::GoesOn;
        }
        if let Some(until) = &rule.until
            && is_over(until, fact, rule, duty, cx)
        {
            self.forget_periods(rule);
            return Verdict::Over;
        }
        let Some(act) = rule.act() else {
            self.look_again(i, cx);
            return Verdict::Looked;
        };
        if fact.at() < duty.acts_from() {
            let scheduled = duty.flags.has(Flags::SCHEDULED) && begins_instead(act, fact, cx);
            return if scheduled { Verdict::Replaced } else { Verdict::GoesOn };
        }
        if act.simple() {
            let met = simple(act, fact, rule, duty, cx);
            if met != Met::No {
                self.dispute(i, fact, about, cx);
            }
            let duty = &self.open[i];
            return match met {
                Met::No => Verdict::GoesOn,
                Met::Claimed => {
                    cx.trace
                        .note(fact.at(), Some(duty), &|| format!("{} claims the act, at too little trust", fact.id()));
                    self.open[i].flags.put(Flags::CLAIMED, true);
                    Verdict::GoesOn
                }
                Met::Yes => Verdict::Done(fact.at()),
            };
        }
        self.holds_against_several(i, act, fact, about, cx)
    }

    /// An act of several parts, or on other subjects.
    #[cold]
    fn holds_against_several<T: Trace>(
        &mut self,
        i: usize,
        act: &Act,
        fact: Fact<'_>,
        about: &EventType,
        cx: &mut Cx<'_, '_, T>,
    ) -> Verdict {
        let evidence = about.reaches_back && act.evidenced();
        if !touches(act, fact) && !evidence && !act.leaves().iter().any(|l| about.undoes.contains(&l.kind)) {
            return Verdict::GoesOn;
        }
        let duty = &self.open[i];
        let (rule, anchor) = (cx.rule(duty.rule), cx.anchor(duty));
        let does =
            |leaf: &&Match| at_place(leaf, fact, rule, anchor, cx) && leaf_meets(leaf, fact, duty, cx) != Met::No;
        if about.denied_by.is_some() && act.leaves().iter().any(does) {
            self.dispute(i, fact, about, cx);
        }
        let duty = &self.open[i];
        let (done, progress) = evaluate(act, duty, cx.rule(duty.rule), cx);
        if let Some(progress) = progress {
            self.open[i].more_mut().progress = progress;
        }
        if done.is_none() {
            self.claim(i, fact, cx);
            self.disorder(i, fact, cx);
        }
        // What completes it late, such as evidence, does so at its own instant.
        done.map_or(Verdict::GoesOn, |at| Verdict::Done(at.max(if evidence { fact.at() } else { at })))
    }

    /// Ends a duty; what follows it begins.
    #[inline(always)]
    pub(super) fn end<T: Trace>(&mut self, i: usize, at: Moment, by: TypeId, cancelled: bool, cx: &mut Cx<'_, '_, T>) {
        let mut duty = self.open.remove(i);
        Fold::settle(&mut duty, at, cx);
        duty.ended = at;
        duty.ended_by = by;
        duty.flags.put(Flags::CANCELLED, cancelled);
        cx.trace.note(at, Some(&duty), &|| {
            let what = &cx.view.book.names().about(by).name;
            if cancelled { format!("ended without a verdict by {what}") } else { format!("done by {what}") }
        });
        let (key, rule) = (duty.key, duty.rule);
        let anchor = duty.anchor();
        self.retire(duty);
        if !cancelled {
            self.open_done(rule, key, at, cx);
            if cx.rule(rule).begins_next {
                self.renew(rule, key, anchor, at, cx);
            }
        }
    }
}

/// The fact opened the duty, or ended the one that it follows.
#[inline(always)]
fn is_its_beginning<T: Trace>(fact: Fact<'_>, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
    fact.key() == duty.anchor()
        || duty.more.is_some() && fact.at() == duty.acts_from() && ended_what_it_follows(fact, duty, cx)
}

/// Whether, in the instant in which the duty before it ended, this fact was the act that was owed by that one.
#[cold]
fn ended_what_it_follows<T: Trace>(fact: Fact<'_>, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
    if duty.more.as_ref().is_none_or(|more| more.follows.is_none()) {
        return false;
    }
    let rule = cx.rule(duty.rule);
    if rule.begins_next && super::periods::is_renewed(duty) {
        // Several acts in one instant are one.
        let (act, anchor) = (rule.act(), cx.anchor(duty));
        let meets =
            |leaf: &&Match| at_place(leaf, fact, rule, anchor, cx) && leaf_meets(leaf, fact, duty, cx) == Met::Yes;
        return act.is_some_and(|act| act.leaves().iter().any(meets));
    }
    let against = Against { anchor: None, subject: cx.view.subject };
    let told = |leaf: &&Match| !leaf.tests.iter().any(|t| refers_to_anchor(&t.want));
    let before = cx.rule(duty.rule).anchor.done.iter().filter_map(|id| cx.rule(*id).act());
    before.flat_map(Act::leaves).filter(told).any(|leaf| select::meets(cx.book(), leaf, fact, against) == Met::Yes)
}

/// An act from before the contract: another period begins with it, in the place of this one.
#[cold]
fn begins_instead<T: Trace>(act: &Act, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    let against = Against { anchor: None, subject: cx.view.subject };
    let meets = |leaf: &Match| select::meets(cx.book(), leaf, fact, against) != Met::No;
    !fact.linked() && act.leaves().iter().any(|leaf| leaf.kind == fact.kind() && meets(leaf))
}

enum Verdict {
    GoesOn,
    /// A requirement that is not due yet was judged, and perhaps ended.
    Looked,
    Replaced,
    Done(Moment),
    Over,
}

/// The fact ends the duty without a verdict.
#[cold]
pub(super) fn is_over<T: Trace>(until: &Act, fact: Fact<'_>, rule: &Rule, duty: &Duty, cx: &Cx<'_, '_, T>) -> bool {
    is_over_by(until, fact, rule, duty, Moment::NEVER, cx)
}

/// The same, of facts up to an instant.
pub(super) fn is_over_by<T: Trace>(
    until: &Act,
    fact: Fact<'_>,
    rule: &Rule,
    duty: &Duty,
    by: Moment,
    cx: &Cx<'_, '_, T>,
) -> bool {
    if until.of_several() {
        // Other duties are looked at by themselves; see `follow`.
        return !until.asks_duties() && touches(until, fact) && evaluate_by(until, duty, rule, by, cx).0.is_some();
    }
    fact.at() >= duty.acts_from()
        && until
            .leaves()
            .iter()
            .any(|leaf| at_place(leaf, fact, rule, cx.anchor(duty), cx) && leaf_meets(leaf, fact, duty, cx) == Met::Yes)
}

pub(super) fn touches(act: &Act, fact: Fact<'_>) -> bool {
    act.leaves().iter().any(|leaf| leaf.kind == fact.kind())
}

/// Of an act that one event on the own subject does.
#[inline(always)]
fn simple<T: Trace>(act: &Act, fact: Fact<'_>, rule: &Rule, duty: &Duty, cx: &Cx<'_, '_, T>) -> Met {
    match act {
        Act::One(leaf) => {
            if leaf.kind != fact.kind() || !here(fact, rule) {
                return Met::No;
            }
            leaf_meets(leaf, fact, duty, cx)
        }
        // Other duties are looked at by themselves, and so are populations; see `follow` and `populations`.
        Act::Duty(..) | Act::Every(_) => Met::No,
        Act::Any(of) | Act::All(of) | Act::InOrder(of) => {
            let mut best = Met::No;
            for one in of {
                match simple(one, fact, rule, duty, cx) {
                    Met::Yes => return Met::Yes,
                    Met::Claimed => best = Met::Claimed,
                    Met::No => {}
                }
            }
            best
        }
    }
}

/// A duty is done on its own subject; one of the partner as a whole on any, the partner's own included.
fn here(fact: Fact<'_>, rule: &Rule) -> bool {
    !fact.linked() || rule.partner_wide()
}

#[inline(always)]
pub(super) fn leaf_meets<T: Trace>(leaf: &Match, fact: Fact<'_>, duty: &Duty, cx: &Cx<'_, '_, T>) -> Met {
    if leaf.kind != fact.kind() {
        return Met::No;
    }
    let refers = leaf.tests.iter().any(|t| refers_to_anchor(&t.want));
    let anchor = if refers { cx.anchor(duty) } else { None };
    match select::meets(cx.book(), leaf, fact, Against { anchor, subject: cx.view.subject }) {
        met @ (Met::Yes | Met::Claimed) if super::since::holds(leaf, fact, cx) => met,
        Met::Yes | Met::Claimed | Met::No => Met::No,
    }
}

fn refers_to_anchor(want: &crate::rule::Want) -> bool {
    match want {
        crate::rule::Want::SameAs(_) => true,
        crate::rule::Want::Not(inner) => refers_to_anchor(inner),
        crate::rule::Want::Present
        | crate::rule::Want::Absent
        | crate::rule::Want::OneOf(..)
        | crate::rule::Want::SameAsSubject
        | crate::rule::Want::Number(..) => false,
    }
}

/// The fact happened where the match looks: on the own subject, or on one that the anchor names (if it names any).
pub(super) fn at_place<T: Trace>(
    leaf: &Match,
    fact: Fact<'_>,
    rule: &Rule,
    anchor: Option<Fact<'_>>,
    cx: &Cx<'_, '_, T>,
) -> bool {
    match leaf.on {
        Some(field) => is_named(field, fact, anchor, cx) && !(rule.begins_next && is_of_others(fact, rule, cx)),
        None => here(fact, rule),
    }
}

/// Of acts that are done again and again: this one names such subjects, and not this one of them.
#[cold]
fn is_of_others<T: Trace>(fact: Fact<'_>, rule: &Rule, cx: &Cx<'_, '_, T>) -> bool {
    let book = cx.view.book;
    let names = book.names();
    let is_of_its_kind =
        |field: &&FieldId| rule.anchor.kinds.iter().any(|kind| names.kind_name(*kind) == names.field_name(**field));
    let fields = cx.about(fact).names.iter().filter(is_of_its_kind);
    let mut told = fields.filter(|field| fact.field(**field).is_some()).peekable();
    told.peek().is_some() && !told.any(|field| select::named(book, fact, *field).any(|one| one == cx.view.subject))
}

/// It happened on a subject that the anchor names in a field; or, if it names none, on any that names it.
pub(super) fn is_named<T: Trace>(field: FieldId, fact: Fact<'_>, anchor: Option<Fact<'_>>, cx: &Cx<'_, '_, T>) -> bool {
    let Some(origin) = fact.origin() else { return false };
    let names = cx.book().names();
    let origin = names.text(origin);
    let mut any = false;
    for target in targets(anchor, field, cx) {
        if target == origin {
            return true;
        }
        any = true;
    }
    !any
}

/// The subjects that an anchor names in a field: itself, else the last of its subject's facts that names any.
pub(super) fn targets<'a, T: Trace>(
    anchor: Option<Fact<'a>>,
    field: FieldId,
    cx: &Cx<'a, '_, T>,
) -> impl Iterator<Item = &'a str> + use<'a, T> {
    let own = anchor.filter(|a| a.field(field).is_some());
    // What is named only later is not known yet.
    let from = own.or_else(|| cx.so_far().filter(|f| !f.linked() && f.field(field).is_some()).last());
    let book = cx.view.book;
    from.into_iter().flat_map(move |fact| select::named(book, fact, field))
}

/// Looks through the facts from a duty's anchor to the current one for an act of several parts or several subjects.
/// Gives when it was done, and how many of the named subjects are.
pub(super) fn evaluate<T: Trace>(
    act: &Act,
    duty: &Duty,
    rule: &Rule,
    cx: &Cx<'_, '_, T>,
) -> (Option<Moment>, Option<(u32, u32)>) {
    evaluate_by(act, duty, rule, Moment::NEVER, cx)
}

/// The same, of facts up to an instant.
pub(super) fn evaluate_by<T: Trace>(
    act: &Act,
    duty: &Duty,
    rule: &Rule,
    by: Moment,
    cx: &Cx<'_, '_, T>,
) -> (Option<Moment>, Option<(u32, u32)>) {
    let anchor = cx.anchor(duty);
    let after = cx.so_far().filter(|f| f.at() >= duty.acts_from() && f.at() <= by && !is_its_beginning(*f, duty, cx));
    let facts: Vec<(usize, Fact<'_>)> = after.enumerate().collect();
    let field = act.leaves().iter().find_map(|l| l.on);
    let named: Vec<&str> = field.map(|f| targets(anchor, f, cx).collect()).unwrap_or_default();
    let search = Search { facts: &facts, duty, rule, cx, anchor, ends: &|_| Vec::new() };
    search.on_all(act, &named)
}

/// The same, where how other duties ended is part of the act. `taken`: the current fact has been taken in.
pub(super) fn evaluate_with<T: Trace>(
    act: &Act,
    duty: &Duty,
    ends: &Ends<'_>,
    taken: bool,
    cx: &Cx<'_, '_, T>,
) -> Option<Moment> {
    let rule = cx.rule(duty.rule);
    let anchor = cx.anchor(duty);
    let now = cx.before().count();
    let all = cx.so_far().take(now + usize::from(taken));
    let after = all.filter(|f| f.at() >= duty.acts_from() && !is_its_beginning(*f, duty, cx));
    let facts: Vec<(usize, Fact<'_>)> = after.enumerate().collect();
    let field = act.leaves().iter().find_map(|l| l.on);
    let named: Vec<&str> = field.map(|f| targets(anchor, f, cx).collect()).unwrap_or_default();
    Search { facts: &facts, duty, rule, cx, anchor, ends }.on_all(act, &named).0
}

/// When duties of these rules ended, or (true) were breached.
pub(super) type Ends<'e> = dyn Fn(&crate::rule::Named) -> Vec<Moment> + 'e;

impl<T: Trace> Search<'_, '_, '_, T> {
    /// The whole act on each of the named subjects, then the last of them; and how many are done.
    fn on_all(&self, act: &Act, named: &[&str]) -> (Option<Moment>, Option<(u32, u32)>) {
        let search = self;
        if named.len() < 2 {
            let done = search.done(act, 0, None);
            return (done.map(|(at, _)| at), None);
        }
        // Of each subject named: the whole act, then the last of them.
        let done: Vec<Moment> =
            named.iter().filter_map(|one| search.done(act, 0, Some(one))).map(|(at, _)| at).collect();
        let progress = (done.len() as u32, named.len() as u32);
        let all = done.len() == named.len();
        (done.into_iter().max().filter(|_| all), Some(progress))
    }
}

/// Whether a fact completes an anchor of several events. What has completed one counts for none after it.
pub(super) fn completes<T: Trace>(whole: &Act, fact: Fact<'_>, rule: &Rule, cx: &Cx<'_, '_, T>) -> bool {
    let probe = Duty::new(rule.family, 0, Moment::DAWN);
    let facts: Vec<(usize, Fact<'_>)> = cx.so_far().filter(|f| !f.linked()).enumerate().collect();
    let search = Search { facts: &facts, duty: &probe, rule, cx, anchor: None, ends: &|_| Vec::new() };
    let mut from = 0;
    while let Some((_, next)) = search.done(whole, from, None) {
        if next <= from || next > facts.len() {
            return false;
        }
        from = next;
        if facts[from - 1].1.key() == fact.key() {
            return true;
        }
    }
    false
}

/// Whether steps before this one were done by then, on the same subject: of an act in order, those before position `n`.
pub(super) fn steps_before<T: Trace>(
    steps: &[Act],
    on: Option<&str>,
    duty: &Duty,
    rule: &Rule,
    cx: &Cx<'_, '_, T>,
) -> bool {
    let after = cx.before().filter(|f| f.at() >= duty.acts_from() && !is_its_beginning(*f, duty, cx));
    let facts: Vec<(usize, Fact<'_>)> = after.enumerate().collect();
    let anchor = cx.anchor(duty);
    let search = Search { facts: &facts, duty, rule, cx, anchor, ends: &|_| Vec::new() };
    let mut from = 0;
    for step in steps {
        match search.done(step, from, on) {
            Some((_, next)) => from = next,
            None => return false,
        }
    }
    true
}

struct Search<'s, 'a, 'l, T> {
    facts: &'s [(usize, Fact<'a>)],
    duty: &'s Duty,
    rule: &'s Rule,
    cx: &'s Cx<'a, 'l, T>,
    anchor: Option<Fact<'a>>,
    ends: &'s Ends<'s>,
}

impl<T: Trace> Search<'_, '_, '_, T> {
    /// When the act was done by facts from position `from` on, and the position after it.
    fn done(&self, act: &Act, from: usize, on: Option<&str>) -> Option<(Moment, usize)> {
        match act {
            Act::One(leaf) => self.first(leaf, from, on),
            Act::Duty(named) => {
                // In order after what stands before it.
                let since = from.checked_sub(1).and_then(|i| self.facts.get(i)).map_or(Moment::DAWN, |(_, f)| f.at());
                let all = (self.ends)(named);
                let at = all.into_iter().filter(|at| *at >= since.max(self.duty.acts_from())).min()?;
                Some((at, self.facts.iter().filter(|(_, f)| f.at() <= at).count().max(from)))
            }
            Act::Every(population) => {
                super::populations::gathered(population, self.duty, self.cx).map(|(at, _)| (at, from))
            }
            Act::Any(of) => of.iter().filter_map(|a| self.done(a, from, on)).min(),
            Act::All(of) => {
                let all: Option<Vec<_>> = of.iter().map(|a| self.done(a, from, on)).collect();
                all?.into_iter().max()
            }
            Act::InOrder(of) => {
                let mut last = (self.duty.acts_from(), from);
                for one in of {
                    last = self.done(one, last.1, on)?;
                }
                Some(last)
            }
        }
    }

    fn first(&self, leaf: &Match, from: usize, on: Option<&str>) -> Option<(Moment, usize)> {
        let names = self.cx.book().names();
        let place = |fact: Fact<'_>| match on {
            Some(one) if leaf.on.is_some() => fact.origin().is_some_and(|o| names.text(o) == one),
            _ => at_place(leaf, fact, self.rule, self.anchor, self.cx),
        };
        let counts = |fact: Fact<'_>| {
            let meets = place(fact) && leaf_meets(leaf, fact, self.duty, self.cx) == Met::Yes;
            let at = meets.then(|| super::evidence::counts_from(leaf, fact, self.duty, self.rule, self.cx)).flatten();
            at.filter(|at| self.facts.last().is_some_and(|(_, now)| *at <= now.at()))
        };
        let undoes = |fact: Fact<'_>| self.cx.about(fact).undoes.contains(&leaf.kind);
        let mut found: Option<(Moment, usize, Fact<'_>)> = None;
        for (i, fact) in self.facts.iter().skip(from) {
            match found {
                None => found = counts(*fact).map(|at| (at, i + 1, *fact)),
                // An act is undone on the subject on which it was done; of those on others the first that stands counts.
                Some((_, _, act)) if undoes(*fact) && act.origin() == fact.origin() => {
                    let before = || self.facts.iter().skip(from).take_while(|(n, _)| n <= i);
                    let stands = |n: usize, act: Fact<'_>| {
                        !before().any(|(m, f)| *m > n && undoes(*f) && f.origin() == act.origin())
                    };
                    let mut others = before().filter(|(n, f)| stands(*n, *f));
                    found = others.find_map(|(n, f)| counts(*f).map(|at| (at, n + 1, *f)));
                }
                Some(_) => {}
            }
        }
        found.map(|(at, next, _)| (at, next))
    }
}
