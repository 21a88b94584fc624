//! A mapper's own examples: records as they come, and what becomes of each.

use super::places;
use crate::contract::code::Code;
use crate::contract::dates;
use crate::contract::fields::{self, Fields};
use crate::contract::keys::examples::{EXAMPLE, SAMPLE, WANT};
use crate::contract::keys::mapper::QUALITY_WORDS;
use crate::contract::names::Cx;
use crate::contract::report::Report;
use crate::contract::yaml::{Node, Value};
use crate::mapper::{Example, Outcome, Sample, Want};
use serde_json::{Map, Number};

type Json = serde_json::Value;

pub(super) fn read(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Example>> {
    fields::every(fields::list(node, "`examples`", &mut cx.report)?, |item| {
        let fields = Fields::of(item, &EXAMPLE, &mut cx.report)?;
        let report = &mut cx.report;
        let name = fields.need("name", report).and_then(|node| fields::text(node, "an example's name", report));
        let records = fields.need("records", report).and_then(|node| fields::list(node, "`records`", report));
        let records = records.and_then(|items| fields::every(items, |item| sample(item, cx)));
        Some(Example { name: name?.to_owned(), line: item.at.line, records: records? })
    })
}

fn sample(node: &Node, cx: &mut Cx<'_>) -> Option<Sample> {
    let fields = Fields::of(node, &SAMPLE, &mut cx.report)?;
    let report = &mut cx.report;
    let value = fields.need("value", report).and_then(|node| value(node, report));
    let topic = fields::optional(fields.get("topic").map(|node| fields::text(node, "a topic", report)));
    let received =
        fields::optional(fields.get("received").map(|node| dates::instant(node, "when it was received", report)));
    let outcome = outcome(&fields, cx);
    let (value, topic) = (value?, topic?.map(str::to_owned));
    Some(Sample { line: node.at.line, value, topic, received: received?, outcome: outcome? })
}

/// A record's bytes: a text is the bytes themselves.
fn value(node: &Node, report: &mut Report<'_>) -> Option<Option<String>> {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Some(None),
        Value::Scalar { text, .. } => Some(Some(text.clone())),
        Value::List(_) | Value::Map(_) => json(node, report).map(|value| Some(value.to_string())),
    }
}

fn outcome(fields: &Fields<'_>, cx: &mut Cx<'_>) -> Option<Outcome> {
    let said: Vec<&str> = ["tells", "skips", "fails"].into_iter().filter(|key| fields.has(key)).collect();
    match said.as_slice() {
        ["tells"] => {
            let items = fields::one_or_more(fields.get("tells")?, "`tells`", &mut cx.report)?;
            fields::every(items, |item| want(item, cx)).map(Outcome::Tells)
        }
        [key] => {
            let code = fields::text(fields.get(key)?, "a code", &mut cx.report)?.to_owned();
            Some(if *key == "skips" { Outcome::Skips(code) } else { Outcome::Fails(code) })
        }
        [] => {
            if !["tells", "skips", "fails"].iter().any(|key| fields.is_meant(key)) {
                let hint = "add `tells:` with its events, `skips:` or `fails:` with the code";
                cx.report.hinted(Code::BadExample, fields.at, "a record that does not say what becomes of it", hint);
            }
            None
        }
        [_, second, ..] => {
            let at = fields.entry(second).map_or(fields.at, |entry| entry.at);
            let message = format!("a record that both `{}` and `{second}`", said[0]);
            cx.report.hinted(Code::BadExample, at, message, "one thing becomes of a record");
            None
        }
    }
}

fn want(node: &Node, cx: &mut Cx<'_>) -> Option<Want> {
    let kind = |kind: String| ("type".to_owned(), Json::String(kind));
    if !matches!(node.value, Value::Map(_)) {
        return cx.event(node).map(|event| Want { says: vec![kind(event)], data: Vec::new() });
    }
    let fields = Fields::of(node, &WANT, &mut cx.report)?;
    let event = fields.need("type", &mut cx.report).and_then(|node| cx.event(node));
    let report = &mut cx.report;
    let mut says = Vec::new();
    if let Some(node) = fields.get("timequality") {
        let words: Vec<(&str, &str)> = QUALITY_WORDS.iter().map(|(word, _)| (*word, *word)).collect();
        let word = fields::word(node, "`timequality`", &words, report)?;
        says.push(("timequality".to_owned(), Json::String(word.to_owned())));
    }
    for key in ["id", "subject", "partner", "sequence", "correlationid"] {
        if let Some(node) = fields.get(key) {
            says.push((key.to_owned(), Json::String(places::word(node, key, report)?)));
        }
    }
    if let Some(node) = fields.get("time") {
        says.push(("time".to_owned(), Json::String(dates::instant(node, "`time`", report)?.to_string())));
    }
    let data = match fields.get("data") {
        Some(node) => match json(node, report)? {
            Json::Object(members) => members.into_iter().collect(),
            _ => {
                report.hinted(Code::WrongShape, node.at, "`data` must be a map", "write `field: value`, one a line");
                return None;
            }
        },
        None => Vec::new(),
    };
    says.insert(0, kind(event?));
    Some(Want { says, data })
}

/// What YAML says, as JSON. Plain text that is one thing to a person and another to YAML is refused.
fn json(node: &Node, report: &mut Report<'_>) -> Option<Json> {
    Some(match &node.value {
        Value::Scalar { .. } if node.is_null() => Json::Null,
        Value::Scalar { text, quoted: true } => Json::String(text.clone()),
        Value::Scalar { text, quoted: false } => {
            let Some(meant) = fields::plain_value(text) else { return Some(Json::String(text.clone())) };
            fields::canonical(text, false, node.at, "a value", report)?;
            match meant.as_str() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                number => number.parse::<Number>().map_or_else(|_| Json::String(text.clone()), Json::Number),
            }
        }
        Value::List(items) => Json::Array(fields::every(items, |item| json(item, report))?),
        Value::Map(entries) => {
            let members = fields::every(entries, |entry| Some((entry.key.clone(), json(&entry.node, report)?)))?;
            Json::Object(members.into_iter().collect::<Map<_, _>>())
        }
    })
}
