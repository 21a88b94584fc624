//! A promise that serves a larger one must leave time for it.

use super::carried::{self, Run};
use super::{Lint, list, reading, text};
use crate::contract::code::Code;
use crate::contract::report::{Report, quote};
use crate::contract::yaml::Node;
use onus_engine::terms::{Contract, Limit, Obligation, Row, Span};
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
                compare(served, id, (obligation, lint.contract), (other, lint.contract), report);
            }
        }
    }
}

/// The same for promises of other contracts, which are named with their contract.
pub(super) fn across<'c>(root: &Node, contract: &Contract, others: &[&'c Contract], report: &mut Report<'_>) {
    for (node, obligation) in list(root.get("obligations")).iter().zip(&contract.obligations) {
        for served in list(node.get("serves")) {
            let Some((name, id)) = text(served).and_then(|words| words.split_once('/')) else { continue };
            let found = others.iter().filter(|other| other.name == name);
            let of = |other: &&'c Contract| Some((other.obligations.iter().find(|o| o.id == id)?, *other));
            if let Some(other) = found.filter_map(of).next_back() {
                compare(served, &format!("{name}/{id}"), (obligation, contract), other, report);
            }
        }
    }
}

fn compare(
    at: &Node,
    name: &str,
    own: (&Obligation, &Contract),
    other: (&Obligation, &Contract),
    report: &mut Report<'_>,
) {
    let limits = reading::limits(own.0);
    let against = |mine: &Limit, longer: &dyn Fn(&Span, &Span, &Limit) -> bool| {
        reading::limits(other.0).iter().any(|theirs| {
            mine.must.rows.iter().any(|row| {
                let alike =
                    |other: &&Row<_>| other.cells == row.cells || other.cells.is_empty() || row.cells.is_empty();
                theirs.must.rows.iter().filter(alike).any(|larger| longer(&row.value, &larger.value, theirs))
            })
        })
    };
    let plain = |mine: &Limit| against(mine, &|mine, theirs, _| reading::may_outlast(mine, theirs));
    if limits.is_empty() {
        return;
    }
    let (message, hint) = if limits.iter().all(plain) {
        let message = format!("it may last as long as {} or longer, which it serves", quote(name));
        (message, "shorten `within`, so that the larger promise can be kept after it")
    } else {
        let runs: Vec<Option<Run>> = limits.iter().map(|mine| carried::longest_run(mine, own.1)).collect();
        let over = |(mine, run): (&Limit, &Option<Run>)| {
            let longer = |span: &Span, larger: &Span, theirs: &Limit| {
                let (Some(run), Some((least, _))) = (run, reading::reach(larger)) else { return false };
                let alike = carried::alike((mine, own.1), (theirs, other.1));
                !alike && carried::longest(span, mine, *run).is_some_and(|longest| longest >= least)
            };
            plain(mine) || against(mine, &longer)
        };
        let longest = runs.iter().flatten().max_by_key(|run| run.days);
        let (Some(run), true) = (longest, limits.iter().zip(&runs).all(over)) else { return };
        let many = if run.days == 1 { "day".to_owned() } else { format!("{} days", run.days) };
        let message = format!(
            "closed days may carry it to the end of {} or beyond, which it serves: its calendar is closed for the {many} \
             from {} on",
            quote(name),
            run.first
        );
        (
            message,
            "count it in plain hours without `roll`, or shorten it: the larger promise does not wait for a working day",
        )
    };
    report.within(Some(own.0.id.clone()), Some(own.0.clause.clone()));
    report.hinted(Code::ServesTooLate, at.at, message, hint);
    report.within(None, None);
}
