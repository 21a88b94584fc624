//! What a mapper that can be used may say, and rarely means.

use super::states;
use crate::contract::code::Code;
use crate::contract::report::Report;
use crate::contract::yaml::{Node, Value};
use crate::mapper::{Mapper, Reading, Shape, States};

pub(super) fn run(root: &Node, mapper: &Mapper, report: &mut Report<'_>) {
    if let Reading::Rows(states) = &mapper.reading {
        changes(root, states, report);
    }
    waivers(root, mapper, report);
    if let Some(Value::Map(entries)) = root.get("tells").map(|node| &node.value) {
        let types = mapper.types();
        for entry in entries.iter().filter(|entry| !types.contains(entry.key.as_str())) {
            let message = format!("`{}` is told nowhere in this mapper", entry.key);
            report.hinted(Code::Unused, entry.at, message, "let something tell it, or take it out");
        }
    }
    if mapper.examples.is_empty()
        && let Some(entry) = root.entry("mapper")
    {
        let hint =
            "add `examples:` with a record of each kind and what it tells; `onus adapt --mapper FILE --test` runs them";
        report.hinted(
            Code::NoExamples,
            entry.at,
            "a mapper without examples: nobody sees whether it does what it says",
            hint,
        );
    }
}

/// What an approval leaves out, it waives without measure.
fn waivers(root: &Node, mapper: &Mapper, report: &mut Report<'_>) {
    const APPROVED: &str = "waiver.approved";
    if !mapper.types().contains(APPROVED) {
        return;
    }
    let own = mapper.events.get(APPROVED).map_or(&[][..], |telling| &telling.data);
    let said = |name: &str| {
        let field = own.iter().find(|field| field.name == name).or_else(|| mapper.data.iter().find(|f| f.name == name));
        field.is_some_and(|field| {
            field.required || matches!(&field.shape, Shape::Text(place) | Shape::List(place) if place.fixed.is_some())
        })
    };
    let own = root.get("tells").and_then(|node| node.entry(APPROVED));
    let Some(entry) = own.or_else(|| root.entry("data")).or_else(|| root.entry("mapper")) else { return };
    for (missing, means) in [
        (!said("ends"), "`ends`, and without it a waiver holds for ever"),
        (!said("obligations") && !said("obligation"), "`obligations`, and without them it waives all"),
    ] {
        if missing {
            let message = format!("an approved waiver need not say {means}");
            report.hinted(Code::OpenWaiver, entry.at, message, "add it to `data` with `required: true`, or `fixed:`");
        }
    }
}

/// Changes of which nothing is said are errors when they come.
fn changes(root: &Node, states: &States, report: &mut Report<'_>) {
    let names: Vec<&str> = states.first.keys().map(String::as_str).collect();
    let said = |from: &str, to: &str| states.changes.iter().any(|change| change.fits(from, to));
    let missing: Vec<String> = names
        .iter()
        .flat_map(|from| names.iter().map(move |to| (*from, *to)))
        .filter(|(from, to)| from != to && !said(from, to))
        .map(|(from, to)| format!("{from} to {to}"))
        .collect();
    let Some(entry) = root.entry("changes").or_else(|| root.entry("state")) else { return };
    if let Some(first) = missing.first() {
        let shown: Vec<&str> = missing.iter().map(String::as_str).collect();
        let message =
            format!("nothing is said of rows that go from {}: each is an error when it comes", states::list(&shown));
        let (from, to) = first.split_once(" to ").unwrap_or((first, ""));
        let hint = format!("add `{{from: {from}, to: {to}, tells: ..}}`, or `tells: nothing` for what tells nothing");
        report.hinted(Code::UntoldChange, entry.at, message, hint);
    }
}
