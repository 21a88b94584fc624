//! Acts of a partner that are counted: what is one too many in its stretch of time is a finding.
//!
//! They are counted in the partner's own timeline, where copies of its acts lie in order of their times.

use super::opening::{Opening, current};
use super::{Cx, Fold, Trace};
use crate::calendar::local;
use crate::fact::{Atom, Fact};
use crate::limits;
use crate::rule::RuleId;
use crate::select::{self, Against, Met};
use crate::terms::Each;
use crate::time::{HOUR, MINUTE, Moment};
use chrono::Timelike;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// What has been counted of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Count {
    /// The rule's first version.
    family: RuleId,
    /// Where the stretch begins.
    from: Moment,
    /// Keys of the acts in it: a copy from another feed is the same act.
    keys: Vec<u64>,
}

impl Fold {
    /// Counts a copy of one of the partner's acts.
    pub(super) fn count<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        // Other subjects have copies, too: of what they are linked to.
        let own = cx.view.subject == cx.view.partner;
        let Some(fact) = current(fact, cx).filter(|_| own) else { return };
        let sheet = cx.view.sheet;
        for id in &sheet.counted {
            let rule = cx.rule(*id);
            let Some((most, each)) = rule.quota() else { continue };
            let names = cx.book().names();
            let subject = fact.origin().map_or(cx.view.subject, |origin| names.text(origin));
            let against = Against { anchor: None, subject };
            let meets = rule.anchor.events.iter().any(|e| select::meets(cx.book(), e, fact, against) != Met::No);
            let in_force = rule.from <= fact.at() && fact.at() < rule.to;
            let control = fact.field(names.well_known().control).and_then(|value| value.atoms().next());
            let of_control = rule.control.as_ref().is_none_or(|(_, sym)| control == Some(Atom::Sym(*sym)));
            let heard = rule.in_scope(&cx.view.sources[usize::from(fact.source())].name);
            if !(meets && in_force && of_control && heard) {
                continue;
            }
            let from = begins(each, rule.zone, fact.at());
            let counts = &mut self.memory().counts;
            let place = counts.iter().position(|count| count.family == rule.family).unwrap_or_else(|| {
                counts.push(Count { family: rule.family, from, keys: Vec::new() });
                counts.len() - 1
            });
            let count = &mut counts[place];
            if count.from != from {
                (count.from, count.keys) = (from, Vec::new());
            }
            if count.keys.contains(&fact.key()) {
                continue;
            }
            count.keys.push(fact.key());
            if count.keys.len() > most as usize {
                let at = fact.at();
                let opening =
                    Opening { rule: *id, key: fact.key(), fact: Some(fact), start: at, acts_from: at, tied: false };
                self.birth(opening, None, false, cx);
            }
        }
    }
}

/// Where the stretch begins in which an instant lies.
fn begins(each: Each, zone: Tz, at: Moment) -> Moment {
    match each {
        Each::Hour => {
            let minutes = i64::from(local(zone, at).minute()) * MINUTE;
            let full = Moment(at.0 - minutes);
            Moment(full.0 - full.0.rem_euclid(MINUTE))
        }
        Each::Unit(unit) => {
            limits::period(unit, zone, at).map_or(Moment(at.0 - at.0.rem_euclid(24 * HOUR)), |(from, _)| from)
        }
    }
}
