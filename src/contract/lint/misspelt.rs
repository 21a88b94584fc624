//! Fields that nothing has, one slip away from one that is known.
//!
//! Fields need no declaration: whatever a source sends can be tested. So a field is only called misspelt where it is near
//! to another, and not merely another form of the word.

use super::{Lint, list, text};
use crate::contract::code::Code;
use crate::contract::filters::is_field;
use crate::contract::report::{At, Hint, Report, quote};
use crate::contract::words;
use crate::contract::yaml::{Node, Value};
use std::collections::BTreeMap;

/// Shorter ones have too many neighbours that mean something.
const SHORTEST: usize = 5;

/// From this length on, two slips may be in one.
const LONG: usize = 8;

/// Where each field is used.
type Uses<'l> = BTreeMap<&'l str, Vec<At>>;

/// Reports fields that were probably meant to be others.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let mut uses = Uses::new();
    gather("", lint.root, &mut uses);
    for part in &lint.parts.scoped {
        part.defaults.iter().for_each(|node| gather("defaults", node, &mut uses));
    }
    let kinds = || words::EVENTS.iter().map(|(kind, _)| *kind);
    let is_known = |field: &str| words::FIELDS.contains(&field) || kinds().any(|kind| kind == field);
    for (field, places) in uses.iter().filter(|(field, _)| !is_known(field)) {
        let known =
            words::FIELDS.iter().copied().chain(kinds()).find(|known| is_slip(field, known, field.len() >= LONG));
        // What the contract says again and again is what it means.
        let often =
            || uses.iter().find(|(other, at)| at.len() > 1 && places.len() == 1 && is_slip(field, other, false));
        if let Some(meant) = known.or_else(|| often().map(|(other, _)| *other)) {
            for at in places {
                let message = format!("no event is known to have a field {}", quote(field));
                report.hinted(Code::MisspeltField, *at, message, Hint::Meant(meant.to_owned()));
            }
        }
    }
}

/// A letter too many, too few, wrong or out of place, and no other form or compound of the same word.
fn is_slip(field: &str, known: &str, twice: bool) -> bool {
    let ends = |text: &str| (text.chars().next(), text.chars().next_back());
    let most = if twice && known.len() >= LONG { 2 } else { 1 };
    let long = field.len() >= SHORTEST && known.len() >= SHORTEST;
    let form = field.starts_with(known) || known.starts_with(field);
    let near = || (1..=most).contains(&strsim::damerau_levenshtein(field, known));
    long && !form && ends(field) == ends(known) && near()
}

/// Fields of tests, of `same-as`, `time` and `depends-on`, however deep.
fn gather<'l>(key: &'l str, node: &'l Node, uses: &mut Uses<'l>) {
    let mut see = |field: &'l str, at: At| {
        if is_field(field) {
            uses.entry(field).or_default().push(at);
        }
    };
    match &node.value {
        Value::Scalar { text, .. } if matches!(key, "same-as" | "time") => see(text, node.at),
        Value::Scalar { text, .. } if key == "depends-on" && text != "date" => see(text, node.at),
        Value::Scalar { .. } => {}
        Value::List(_) if key == "depends-on" => {
            list(Some(node)).iter().filter(|item| text(item) != Some("date")).for_each(|item| gather(key, item, uses));
        }
        Value::List(items) => items.iter().for_each(|item| gather("", item, uses)),
        Value::Map(entries) => {
            for entry in entries {
                if key == "where" {
                    uses.entry(&entry.key).or_default().push(entry.at);
                    gather("", &entry.node, uses);
                } else {
                    gather(&entry.key, &entry.node, uses);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_no_other_word() {
        for (field, known) in
            [("prioritty", "priority"), ("prority", "priority"), ("severty", "severity"), ("acotr", "actor")]
        {
            assert!(is_slip(field, known, true), "{field}");
        }
        for (field, known) in [
            ("reasons", "reason"),
            ("factor", "actor"),
            ("waived", "waiver"),
            ("role", "rule"),
            ("amount", "mount"),
            ("approved", "approver"),
            ("verified-at", "verified-by"),
            ("priority", "priority"),
        ] {
            assert!(!is_slip(field, known, true), "{field}");
        }
    }
}
