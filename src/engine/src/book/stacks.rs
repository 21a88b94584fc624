//! Stacks: what a customer shares of one reaches each partner that runs a part of it, as a copy of the partner's own.
//!
//! Shared is what the customer says, not what a partner says of itself: that stays behind its wall.

use super::{Book, Field};
use crate::fact::{FieldId, TypeId};
use crate::terms::{Contract, Of, PartnerPattern, Sentence, Trigger};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The field by which a fact says of which stack it is.
pub(crate) const STACK: &str = "stack";
/// The field that marks a copy that was shared. No event can have it.
pub(crate) const SHARED: &str = "\0shared";

/// One contract on a stack.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    stack: String,
    customer: String,
    partners: Vec<String>,
    /// Types that it takes as shared facts, by name until numbers are known.
    takes: BTreeSet<String>,
}

/// All contracts on stacks, and the fields that matter.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    members: Vec<Member>,
    stack: FieldId,
    pub(crate) shared: FieldId,
}

/// Types of event that some contract takes as shared facts.
pub(super) fn shared_types(contracts: &[&Contract]) -> BTreeSet<String> {
    contracts.iter().flat_map(|c| taken(c)).collect()
}

fn taken(contract: &Contract) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for o in &contract.obligations {
        let when = match &o.sentence {
            Sentence::Within { when, .. } | Sentence::Requires { when, .. } => Some(when),
            Sentence::Every { when, .. } => when.as_ref(),
        };
        for trigger in when.iter().flat_map(|w| &w.any) {
            if let Trigger::Event(event) = trigger
                && event.of.as_deref() == Some(&Of::Stack)
            {
                out.insert(event.kind.clone());
            }
        }
    }
    out
}

impl Stacks {
    /// None: no contract takes a shared fact.
    pub(super) fn new(contracts: &[&Contract], stack: FieldId, shared: FieldId) -> Option<Stacks> {
        let exact = |c: &Contract| -> Vec<String> {
            let name = |p: &PartnerPattern| match p {
                PartnerPattern::Exact(name) => Some(name.clone()),
                PartnerPattern::Prefix(_) => None,
            };
            c.partners.iter().filter_map(name).collect()
        };
        let member = |c: &&Contract| {
            let stack = c.stack.clone()?;
            Some(Member { stack, customer: c.customer.clone(), partners: exact(c), takes: taken(c) })
        };
        let members: Vec<Member> = contracts.iter().filter_map(member).filter(|m| !m.takes.is_empty()).collect();
        (!members.is_empty()).then_some(Stacks { members, stack, shared })
    }
}

impl Book {
    /// Whether some contract takes facts that a stack shares.
    pub fn has_stacks(&self) -> bool {
        self.stacks.is_some()
    }

    /// Whether an event of this type may be one that a stack shares.
    pub fn is_shared(&self, kind: TypeId) -> bool {
        self.names.about(kind).shared
    }

    /// Whether some contract names the partner, or a pattern that it fits.
    pub fn binds(&self, partner: &str) -> bool {
        let fits = |p: &PartnerPattern| match p {
            PartnerPattern::Exact(name) => name == partner,
            PartnerPattern::Prefix(stem) => partner.starts_with(stem.as_str()),
        };
        self.bindings.iter().any(|b| b.partners.iter().any(fits))
    }

    /// The partners whom an event reaches as a shared fact, by name: one that the customer says, of the stacks that it
    /// names, or of all of that customer's. `by` is the partner that it names; empty if none.
    pub fn reaches(&self, kind: TypeId, by: &str, fields: &[(FieldId, Field<'_>)]) -> BTreeSet<&str> {
        let Some(stacks) = &self.stacks else { return BTreeSet::new() };
        let name = self.names.about(kind).name.as_str();
        let said = fields.iter().find(|(field, _)| *field == stacks.stack).map(|(_, value)| super::texts(value));
        let of = |member: &&Member| {
            let by_customer = by == member.customer || by == "customer" || by.is_empty() && said.is_some();
            let named = said.as_ref().is_none_or(|said| said.contains(&member.stack.as_str()));
            by_customer && named && member.takes.contains(name)
        };
        let all = stacks.members.iter().filter(of).flat_map(|member| &member.partners);
        all.map(String::as_str).filter(|partner| *partner != by).collect()
    }

    /// The fields of a shared copy for one partner: without the names of others, and marked.
    pub fn shared_fields<'f>(&self, fields: &[(FieldId, Field<'f>)], partner: &str) -> Vec<(FieldId, Field<'f>)> {
        let Some(stacks) = &self.stacks else { return Vec::new() };
        let mut out = self.own_fields(fields, partner, &BTreeSet::new());
        out.push((stacks.shared, Field::One(Cow::Borrowed("true"))));
        out
    }
}
