//! Contracts of many partners, and partners with a contract of their own: the one that names a partner wins, from its
//! beginning on. What was owed before stays owed by the terms of before.

use crate::terms::{Contract, PartnerPattern};
use crate::time::Moment;
use std::collections::BTreeSet;

/// What contracts for a pattern say of partners whom another contract names, until it does.
pub(super) fn until_named(contracts: &[Contract]) -> Vec<Contract> {
    let named =
        |c: &Contract, name: &str| c.partners.iter().any(|p| matches!(p, PartnerPattern::Exact(n) if n == name));
    let all: BTreeSet<&str> = contracts.iter().flat_map(|c| &c.partners).filter_map(exact).collect();
    let mut out = Vec::new();
    for name in all {
        let from = contracts.iter().filter(|c| named(c, name)).map(|c| c.effective).min().unwrap_or(Moment::DAWN);
        let before = contracts.iter().filter(|c| c.effective < from && c.partners.iter().any(|p| fits(p, name)));
        out.extend(before.map(|contract| Contract {
            partners: vec![PartnerPattern::Exact(name.to_owned())],
            until: Some(from),
            ..contract.clone()
        }));
    }
    out
}

fn exact(pattern: &PartnerPattern) -> Option<&str> {
    match pattern {
        PartnerPattern::Exact(name) => Some(name),
        PartnerPattern::Prefix(_) => None,
    }
}

fn fits(pattern: &PartnerPattern, name: &str) -> bool {
    match pattern {
        PartnerPattern::Prefix(stem) => name.starts_with(stem.as_str()),
        PartnerPattern::Exact(_) => false,
    }
}
