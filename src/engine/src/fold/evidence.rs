//! `evidenced`: an act that counts only with evidence. It counts from its own time once the evidence, submitted in time,
//! is submitted or accepted; until then it is claimed. What decides may come later, so it is read ahead, and whoever
//! takes such news in judges again.

use super::{Cx, Fold, Trace, acts};
use crate::book::fits;
use crate::duty::{Duty, Flags};
use crate::fact::{Fact, Value};
use crate::rule::{Match, Rule};
use crate::select::{self, Met};
use crate::terms::Evidenced;
use crate::time::Moment;

impl Fold {
    /// The act was seen and does not count yet; the evidence that it names is looked for.
    pub(super) fn claim<T: Trace>(&mut self, i: usize, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let duty = &self.open[i];
        let rule = cx.rule(duty.rule);
        let Some(act) = rule.act().filter(|a| a.evidenced()) else { return };
        let anchor = cx.anchor(duty);
        let claimed = act.leaves().iter().any(|leaf| {
            leaf.evidenced().is_some()
                && acts::leaf_meets(leaf, fact, duty, cx) == Met::Yes
                && acts::at_place(leaf, fact, rule, anchor, cx)
        });
        if !claimed {
            return;
        }
        let names = cx.view.book.names();
        let field = names.well_known().evidence;
        cx.links.extend(fact.field(field).into_iter().flat_map(Value::atoms).map(|a| names.text(a).to_owned()));
        self.open[i].flags.put(Flags::CLAIMED, true);
        cx.trace.note(fact.at(), Some(&self.open[i]), &|| {
            format!("{} claims the act: its evidence is not there, or not accepted", fact.id())
        });
    }
}

/// From when an act counts; None: not yet. What needs no evidence counts from its own time.
pub(super) fn counts_from<T: Trace>(
    leaf: &Match,
    fact: Fact<'_>,
    duty: &Duty,
    rule: &Rule,
    cx: &Cx<'_, '_, T>,
) -> Option<Moment> {
    let Some(wanted) = leaf.evidenced() else { return Some(fact.at()) };
    let names = cx.book().names();
    let look = Look { wanted, leaf, duty, rule, cx };
    let kind = names.kind_name(leaf.subject);
    let submitted = if kind == "evidence" {
        // It is evidence itself: a submission that was rejected is none.
        let own = fact.origin().map_or(cx.view.subject, |o| names.text(o));
        let standing = look.submitted(own)?;
        return (fact.at() >= standing).then_some(fact.at());
    } else if let Some(value) = fact.field(names.well_known().evidence) {
        let all: Option<Vec<Moment>> = value.atoms().map(|a| look.submitted(names.text(a))).collect();
        all?.into_iter().max()?
    } else {
        let mut known: Vec<&str> = Vec::new();
        for origin in look.facts().filter_map(|f| f.origin()) {
            known.push(names.text(origin));
        }
        known.sort_unstable();
        known.dedup();
        known.into_iter().filter_map(|one| look.submitted(one)).min()?
    };
    // Submitted in time, it shows the act at the act's own time; later, not before it was submitted.
    let in_time = submitted <= duty.deadline || submitted <= fact.at();
    Some(if in_time { fact.at() } else { submitted })
}

struct Look<'s, 'a, 'l, T> {
    wanted: &'s Evidenced,
    leaf: &'s Match,
    duty: &'s Duty,
    rule: &'s Rule,
    cx: &'s Cx<'a, 'l, T>,
}

impl<'a, T: Trace> Look<'_, 'a, '_, T> {
    /// All that was said of evidence since the duty began, also after the current fact.
    fn facts(&self) -> impl Iterator<Item = Fact<'a>> + use<'a, '_, T> {
        let names = self.cx.view.book.names();
        let evidence = names.kind_id("evidence");
        let from = self.duty.acts_from();
        self.cx.view.timeline.facts().filter(move |f| f.at() >= from && Some(names.about(f.kind()).kind) == evidence)
    }

    /// The first submission that was not rejected, where the evidence stands as it must.
    fn submitted(&self, one: &str) -> Option<Moment> {
        let names = self.cx.book().names();
        let own = self.cx.view.subject == one;
        let about = |f: &Fact<'_>| f.origin().map_or(own, |o| names.text(o) == one);
        let (mut first, mut accepted) = (None, false);
        for fact in self.facts().filter(about) {
            match names.about(fact.kind()).name.as_str() {
                "evidence.submitted" => first = first.or(Some(fact.at())),
                "evidence.accepted" if self.may_accept(fact) => {
                    first = first.or(Some(fact.at()));
                    accepted = true;
                }
                "evidence.rejected" => (first, accepted) = (None, false),
                _ => {}
            }
        }
        first.filter(|_| accepted || !self.wanted.accepted)
    }

    /// The one whom the contract names, or anyone who is shown to be another than the obligor.
    fn may_accept(&self, fact: Fact<'_>) -> bool {
        if fact.trust() < self.leaf.trust {
            return false;
        }
        if let Some(by) = &self.wanted.by {
            return select::done_by(self.cx.book(), by, fact);
        }
        let names = self.cx.book().names();
        let known = names.well_known();
        let Some(side) = names.side(fact.field(known.side)) else { return false };
        let obligor = &self.rule.obligor;
        let role = match fact.field(known.role) {
            Some(Value::One(atom)) => Some(names.text(atom)),
            Some(Value::List(_)) | None => None,
        };
        let role = role.map(|r| r.split_once('.').map_or(r, |(_, name)| name));
        // Of the same side, only a role that is known to be another.
        !fits(obligor, Some(side), role)
    }
}
