//! Warnings: what a contract may say, and rarely means. They stop nothing.
//!
//! They are looked for in contracts that load, so that each is judged by what the contract says and not by half of it.

mod acts;
mod against;
mod alike;
mod calendars;
mod carried;
mod clocks;
mod gaps;
mod misspelt;
mod pauses;
mod reading;
mod serves;
mod several;
mod tables;
mod unused;
mod years;

pub(crate) use against::backdated;
pub(crate) use several::{Loaded, between};

use super::include::Parts;
use super::names::Names;
use super::report::{At, Report};
use super::yaml::{Entry, Node, Value};
use chrono::NaiveDate;
use onus_engine::terms::{Contract, Obligation};

/// A contract that has been read, as text with places and as terms.
pub(crate) struct Lint<'l> {
    /// With its values in their places.
    pub(crate) root: &'l Node,
    pub(crate) contract: &'l Contract,
    pub(crate) names: &'l Names,
    pub(crate) parts: &'l Parts,
    /// Time is an argument: holidays run out.
    pub(crate) today: NaiveDate,
}

impl<'l> Lint<'l> {
    /// Reports everything that is worth a warning.
    pub(crate) fn run(&self, report: &mut Report<'_>) {
        let known = tables::priorities(self);
        for (node, obligation) in self.obligations() {
            report.within(Some(obligation.id.clone()), Some(obligation.clause.clone()));
            tables::check(self, node, obligation, &known, report);
            clocks::check(self, node, obligation, report);
            pauses::check(self, node, obligation, report);
            acts::check(node, obligation, report);
            report.within(None, None);
        }
        serves::check(self, report);
        clocks::ladders(self, report);
        calendars::check(self, report);
        unused::check(self, report);
        alike::check(self, report);
        misspelt::check(self, report);
        years::check(self, report);
        gaps::check(self, report);
    }

    /// Each obligation as it is written, and as it is meant. Those that no one wrote, such as that of evidence, stand
    /// behind the one that they follow from, and have no place of their own.
    fn obligations(&self) -> impl Iterator<Item = (&'l Node, &'l Obligation)> + use<'l> {
        let mut meant = self.contract.obligations.iter();
        list(self.root.get("obligations")).iter().filter_map(move |node| {
            let id = node.get("id").and_then(text)?;
            Some((node, meant.find(|obligation| obligation.id == id)?))
        })
    }

    /// Where a key of the contract stands.
    fn key(&self, name: &str) -> At {
        self.root.entry(name).map_or(At::TOP, |entry| entry.at)
    }
}

fn list(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn entries(node: Option<&Node>) -> &[Entry] {
    match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

/// The items of a list, or the one thing that stands without brackets.
fn one_or_more(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Scalar { .. } | Value::Map(_) => std::slice::from_ref(node),
    }
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        Value::List(_) | Value::Map(_) => None,
    }
}
