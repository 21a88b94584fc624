//! A promise that serves a larger one must leave time for it.

use super::{Lint, list, reading, text};
use crate::contract::code::Code;
use crate::contract::report::{Report, quote};
use crate::contract::yaml::Node;
use onus_engine::terms::{Contract, Obligation};
use std::collections::BTreeMap;

/// Reports limits that outlast the promise of the same contract that they serve.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let mut by_id: Option<BTreeMap<&str, &Obligation>> = None;
    for (node, obligation) in lint.obligations() {
        for served in list(node.get("serves")) {
            let Some(id) = text(served) else { continue };
            let by_id = by_id.get_or_insert_with(|| {
                lint.contract.obligations.iter().map(|other| (other.id.as_str(), other)).collect()
            });
            if let Some(other) = by_id.get(id) {
                compare(served, id, obligation, other, report);
            }
        }
    }
}

/// The same for promises of other contracts, which are named with their contract.
pub(super) fn across(root: &Node, contract: &Contract, others: &[&Contract], report: &mut Report<'_>) {
    for (node, obligation) in list(root.get("obligations")).iter().zip(&contract.obligations) {
        for served in list(node.get("serves")) {
            let Some((name, id)) = text(served).and_then(|words| words.split_once('/')) else { continue };
            let found = others.iter().filter(|other| other.name == name);
            let found = found.filter_map(|other| other.obligations.iter().find(|o| o.id == id)).next_back();
            if let Some(other) = found {
                compare(served, &format!("{name}/{id}"), obligation, other, report);
            }
        }
    }
}

fn compare(at: &Node, name: &str, own: &Obligation, other: &Obligation, report: &mut Report<'_>) {
    let outlasts = reading::limits(own).iter().all(|mine| {
        reading::limits(other).iter().any(|theirs| {
            mine.must.rows.iter().any(|row| {
                let alike = |other: &&onus_engine::terms::Row<_>| {
                    other.cells == row.cells || other.cells.is_empty() || row.cells.is_empty()
                };
                theirs.must.rows.iter().filter(alike).any(|larger| reading::may_outlast(&row.value, &larger.value))
            })
        })
    });
    if outlasts && !reading::limits(own).is_empty() {
        report.within(Some(own.id.clone()), Some(own.clause.clone()));
        let message = format!("it may last as long as {} or longer, which it serves", quote(name));
        report.hinted(
            Code::ServesTooLate,
            at.at,
            message,
            "shorten `within`, so that the larger promise can be kept after it",
        );
        report.within(None, None);
    }
}
