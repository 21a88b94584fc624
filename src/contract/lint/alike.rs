//! Names that people do not tell apart.

use super::{Lint, entries, list, text};
use crate::contract::code::Code;
use crate::contract::report::{At, Report, quote};
use std::collections::BTreeMap;

/// Reports names of one kind that differ in capital letters only.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let ids = list(lint.root.get("obligations")).iter().filter_map(|node| node.get("id"));
    differ("obligations", ids.filter_map(|id| Some((text(id)?, id.at))), report);
    for (key, what) in [
        ("controls", "controls"),
        ("calendars", "calendars"),
        ("holidays", "holiday sets"),
        ("escalation", "ladders"),
        ("values", "values"),
    ] {
        differ(what, entries(lint.root.get(key)).iter().map(|entry| (entry.key.as_str(), entry.at)), report);
    }
}

fn differ<'n>(what: &str, names: impl Iterator<Item = (&'n str, At)>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, at) in names {
        let other = *seen.entry(name.to_lowercase()).or_insert(name);
        if other != name {
            let message = format!("two {what} differ in capital letters only: {} and {}", quote(other), quote(name));
            report.hinted(Code::AlikeNames, at, message, "give one of them another name");
        }
    }
}
