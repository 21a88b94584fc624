//! The new terms as if they had been in force: which text binds whom, from when.

use onus_engine::terms::{Contract, PartnerPattern};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// A new text, and from when it is taken to be in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The contract's name.
    pub contract: String,
    /// Whom it binds.
    pub partners: Vec<String>,
    /// The `effective` that is written in it.
    pub written: Moment,
    /// Taken as in force from here.
    pub from: Moment,
    /// There is a contract of this name among those of today.
    pub known: bool,
    /// Whom today's contracts of this name bind, where none of them binds these partners: then nothing is compared.
    pub others: Vec<String>,
}

/// The contracts of both runs.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// Of the first run.
    pub(super) today: Vec<Contract>,
    /// Of the second.
    pub(super) contracts: Vec<Contract>,
    pub(super) taken: Vec<Taken>,
    /// Contracts of today that the new ones do not name: as they are in both runs.
    pub(super) kept: Vec<String>,
}

/// Puts the newest version of each new contract in the place of today's of the same name and partner: from `since` on,
/// but not before today's first version; without `since`, from that first version on. A contract that is new altogether
/// is in force from `since`, else from its own `effective`.
pub(super) fn as_if(today: &[Contract], new: &[Contract], since: Option<Moment>) -> Terms {
    let parted = parted(today, new);
    let today: Vec<Contract> = today.iter().flat_map(|c| single(c, &parted)).collect();
    let mut newest: Vec<Contract> = Vec::new();
    for contract in new.iter().flat_map(|c| single(c, &parted)) {
        match newest.iter_mut().find(|other| same(other, &contract)) {
            Some(other) if other.effective >= contract.effective => {}
            Some(other) => *other = contract,
            None => newest.push(contract),
        }
    }
    let mut taken: Vec<Taken> = Vec::new();
    let mut contracts = Vec::new();
    for mut contract in newest {
        let first = today.iter().filter(|old| same(old, &contract)).map(|old| old.effective).min();
        let named = today.iter().filter(|old| old.name == contract.name).map(|old| old.effective).min();
        let from = match (since, first.or(named)) {
            (Some(since), Some(first)) => since.max(first),
            (None, Some(first)) => first,
            (Some(since), None) => since,
            (None, None) => contract.effective,
        };
        let earlier = today.iter().filter(|old| same(old, &contract) && old.effective < from);
        contracts.extend(earlier.cloned());
        let of = Taken {
            contract: contract.name.clone(),
            partners: contract.partners.iter().map(shown).collect(),
            written: contract.effective,
            from,
            known: named.is_some(),
            others: if first.is_some() { Vec::new() } else { partners_of(&contract.name, &today) },
        };
        match taken.iter_mut().find(|t| (&t.contract, t.written, t.from) == (&of.contract, of.written, of.from)) {
            Some(other) => other.partners.extend(of.partners),
            None => taken.push(of),
        }
        contract.effective = from;
        contracts.push(contract);
    }
    let mut kept = Vec::new();
    for old in &today {
        if kept.contains(&label(old)) || !contracts.iter().any(|contract| same(contract, old)) {
            if !kept.contains(&label(old)) {
                kept.push(label(old));
            }
            contracts.push(old.clone());
        }
    }
    taken.sort_by(|a, b| (&a.contract, &a.partners).cmp(&(&b.contract, &b.partners)));
    kept.sort();
    Terms { today, contracts, taken, kept }
}

/// Whom the contracts of a name bind, each once.
fn partners_of(name: &str, contracts: &[Contract]) -> Vec<String> {
    let all: BTreeSet<String> =
        contracts.iter().filter(|contract| contract.name == name).flat_map(|c| c.partners.iter().map(shown)).collect();
    all.into_iter().collect()
}

/// Names of contracts whose texts do not all bind the same partners: they are taken partner by partner.
fn parted(today: &[Contract], new: &[Contract]) -> BTreeSet<String> {
    let mut binds: BTreeMap<&str, &[PartnerPattern]> = BTreeMap::new();
    let all = today.iter().chain(new);
    let differs = all.filter(|c| *binds.entry(&c.name).or_insert(&c.partners) != &c.partners[..]);
    differs.map(|c| c.name.clone()).collect()
}

/// One contract for each partner that it names, if it is to be parted: versions follow each other only where they bind
/// the same ones.
fn single(contract: &Contract, parted: &BTreeSet<String>) -> Vec<Contract> {
    if !parted.contains(&contract.name) {
        return vec![contract.clone()];
    }
    contract.partners.iter().map(|p| Contract { partners: vec![p.clone()], ..contract.clone() }).collect()
}

fn same(a: &Contract, b: &Contract) -> bool {
    a.name == b.name && a.partners == b.partners
}

fn label(contract: &Contract) -> String {
    let partners: Vec<String> = contract.partners.iter().map(shown).collect();
    format!("{} of {}", contract.name, partners.join(", "))
}

fn shown(pattern: &PartnerPattern) -> String {
    match pattern {
        PartnerPattern::Exact(name) => name.clone(),
        PartnerPattern::Prefix(stem) => format!("{stem}*"),
    }
}
