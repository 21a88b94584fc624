//! What somebody holds: credentials and grants, and whatever else a contract owes an act of each of. And which obligations
//! ask who answers for an act. Neither is asked for while anything is judged.

use super::Book;
use crate::rule::{Form, Requirement, Rule, RuleId, Want};
use crate::terms::Per;
use crate::vocabulary::{KindId, Vocabulary};
use std::collections::BTreeSet;

/// Held wherever an obligation is about one.
const HELD: [&str; 2] = ["credential", "grant"];
/// Never held: this is work, and what comes of it.
const WORK: [&str; 6] = ["ticket", "change", "incident", "evidence", "drill", "finding"];

/// Of each rule, the held kind that it is about, if it is about one kind alone.
pub(super) fn held(rules: &[Rule], names: &Vocabulary) -> Vec<Option<KindId>> {
    let of = |rule: &Rule| match (&rule.form, rule.anchor.kinds.as_slice()) {
        _ if rule.wide || rule.of_source => None,
        (Form::Every { per: Per::Subject { .. }, .. }, [kind]) => Some(*kind).filter(|k| !is_work(names, *k)),
        (_, [kind]) => Some(*kind).filter(|k| HELD.contains(&names.kind_name(*k))),
        _ => None,
    };
    rules.iter().map(of).collect()
}

fn is_work(names: &Vocabulary, kind: KindId) -> bool {
    WORK.contains(&names.kind_name(kind))
}

impl Book {
    /// The held kind that a rule is about.
    pub(crate) fn held(&self, rule: RuleId) -> Option<KindId> {
        self.held[usize::from(rule)]
    }

    /// Held kinds that rules are about, by themselves or as populations.
    pub(crate) fn held_kinds(&self, rules: &[RuleId]) -> BTreeSet<KindId> {
        let populated = |id: &RuleId| self.rule(*id).act().map(|act| act.populations()).unwrap_or_default();
        let populated = rules.iter().flat_map(populated).map(|population| population.kind);
        let populated = populated.filter(|kind| !is_work(&self.names, *kind));
        rules.iter().filter_map(|id| self.held(*id)).chain(populated).collect()
    }

    /// Whether an obligation asks who answers for an act: that the act names its actor, or that somebody asked for it or
    /// approved it before.
    pub fn asks_who(&self, rule: RuleId) -> bool {
        let Form::Requires(table) = &self.rule(rule).form else { return false };
        table.rows.iter().any(|row| self.names_who(&row.value))
    }

    fn names_who(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Itself(tests) => tests
                .iter()
                .any(|test| self.names.field_name(test.field) == "actor" && !matches!(test.want, Want::Absent)),
            Requirement::Before(leaf, _) => {
                let name = &self.names.about(leaf.kind).name;
                let act = name.rsplit_once('.').map_or("", |(_, act)| act);
                act == "approved" || act == "requested" || act.ends_with("-requested")
            }
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().any(|one| self.names_who(one))
            }
            Requirement::Duty(_) | Requirement::During(_) | Requirement::Quota(..) => false,
        }
    }
}
