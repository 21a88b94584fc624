//! Names that nothing uses: often something was meant to.

use super::{Lint, entries, list, text};
use crate::contract::code::Code;
use crate::contract::report::{At, Report, quote};
use crate::contract::yaml::{Node, Value};
use std::collections::BTreeSet;

/// A text and the key it stands under, however deep in lists.
type Uses<'l> = BTreeSet<(&'l str, &'l str)>;

/// Reports calendars, holiday sets, ladders, values and event types that nothing refers to.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let mut uses = Uses::new();
    gather("", lint.root, &mut uses);
    for part in &lint.parts.scoped {
        part.calendar.iter().for_each(|node| gather("calendar", node, &mut uses));
        part.defaults.iter().for_each(|node| gather("defaults", node, &mut uses));
    }
    let used = |keys: &[&'static str], name: &str| keys.iter().any(|key| uses.contains(&(*key, name)));
    let mut unused = |what: &str, name: &str, at: At| {
        report.hinted(Code::Unused, at, format!("nothing uses the {what} {}", quote(name)), "use it, or take it out");
    };
    let tables: [(&str, &str, &[&'static str]); 3] = [
        ("calendars", "calendar", &["calendar", "any", "all"]),
        ("holidays", "holiday set", &["holidays"]),
        ("escalation", "ladder", &["escalate"]),
    ];
    for (key, what, under) in tables {
        for entry in entries(lint.root.get(key)).iter().filter(|entry| !used(under, &entry.key)) {
            unused(what, &entry.key, entry.at);
        }
    }
    for entry in entries(lint.root.get("values")).iter().filter(|entry| !lint.names.uses(&entry.key)) {
        unused("value", &entry.key, entry.at);
    }
    let selected = ["when", "do", "until", "requires", "from", "event", "any", "all", "in-order", "table"];
    for node in list(lint.root.get("events")) {
        if let Some(kind) = text(node).filter(|kind| !selected.iter().any(|key| uses.contains(&(*key, *kind)))) {
            unused("event type", kind, node.at);
        }
    }
}

fn gather<'l>(key: &'l str, node: &'l Node, uses: &mut Uses<'l>) {
    match &node.value {
        Value::Scalar { text, .. } => {
            uses.insert((key, text));
        }
        Value::List(items) => items.iter().for_each(|item| gather(key, item, uses)),
        Value::Map(entries) => {
            for entry in entries {
                // Rows of a table are named by values of facts, and hold what stands under `requires`.
                let key = if key == "table" { key } else { entry.key.as_str() };
                gather(key, &entry.node, uses);
            }
        }
    }
}
