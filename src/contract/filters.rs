//! `where` and the other filters of a selector.

use super::code::Code;
use super::fields::{self, canonical};
use super::keys::selectors;
use super::names::Cx;
use super::report::quote;
use super::words;
use super::yaml::{Entry, Node, Value};
use super::{length, names, population};
use onus_engine::terms::{EventMatch, Of, Party, Pick, Since, Span, Test, Trust, Want};

/// What a selector asks of an event beside its type. Filters beside `any`, `all` and `in-order` hold for each member.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filters {
    pub(crate) tests: Vec<Test>,
    /// Any of these; empty: anyone.
    pub(crate) by: Vec<Party>,
    pub(crate) trust: Option<Trust>,
    pub(crate) time: Option<String>,
    pub(crate) pick: Option<Pick>,
    pub(crate) ahead: Option<Span>,
    pub(crate) since: Option<Since>,
    /// True: accepted; false: submitted.
    pub(crate) evidenced: Option<bool>,
    pub(crate) of: Option<Of>,
}

/// Reads the filters of one selector on top of those that stand around it.
pub(crate) fn read(fields: &fields::Fields<'_>, outer: &Filters, cx: &mut Cx<'_>) -> Option<Filters> {
    let mut own = Some(outer.clone());
    let mut set = |ok: Option<()>| {
        if ok.is_none() {
            own = None;
        }
    };
    let mut filters = outer.clone();
    if let Some(node) = fields.get("where") {
        set(tests(node, cx).map(|tests| filters.tests.extend(tests)));
    }
    if let Some(node) = fields.get("by") {
        set(cx.parties(node, "`by`").and_then(|by| narrow(&mut filters.by, by, node, cx)));
    }
    if let Some(node) = fields.get("trust") {
        let trust = fields::word(node, "`trust`", words::TRUST, &mut cx.report);
        set(trust.map(|t| filters.trust = filters.trust.max(Some(t))));
    }
    if let Some(node) = fields.get("of") {
        set(population::of(node, cx).and_then(|of| agree(&mut filters.of, of, "of", node, cx)));
    }
    if let Some(node) = fields.get("time") {
        set(field(node, "`time`", cx).and_then(|t| agree(&mut filters.time, t, "time", node, cx)));
    }
    if let Some(node) = fields.get("pick") {
        let pick = fields::word(node, "`pick`", &[("first", Pick::First), ("latest", Pick::Latest)], &mut cx.report);
        set(pick.and_then(|p| agree(&mut filters.pick, p, "pick", node, cx)));
    }
    if let Some(node) = fields.get("ahead") {
        set(ahead(node, cx).and_then(|a| agree(&mut filters.ahead, a, "ahead", node, cx)));
    }
    if let Some(node) = fields.get("since") {
        set(since(node, cx).and_then(|s| agree(&mut filters.since, s, "since", node, cx)));
    }
    if let Some(node) = fields.get("evidenced") {
        let word = fields::word(node, "`evidenced`", words::EVIDENCED, &mut cx.report);
        set(word.and_then(|w| agree(&mut filters.evidenced, w, "evidenced", node, cx)));
    }
    own.map(|_| filters)
}

/// The tests of a `where`.
pub(crate) fn tests(node: &Node, cx: &mut Cx<'_>) -> Option<Vec<Test>> {
    let entries = fields::map(node, "`where`", &mut cx.report)?;
    fields::every(entries, |entry| test(entry, cx))
}

/// Reports `same-as` where there is no anchor to be the same as.
pub(crate) fn without_anchor(tests: &[Test], node: &Node, what: &str, cx: &mut Cx<'_>) -> Option<()> {
    if tests.iter().any(|t| refers(&t.want)) {
        let message = format!("`same-as` speaks of the anchor, and {what} has none");
        cx.report.error(Code::WrongFilter, node.at, message);
        return None;
    }
    Some(())
}

fn refers(want: &Want) -> bool {
    match want {
        Want::SameAs(_) => true,
        Want::Not(inner) => refers(inner),
        Want::Present
        | Want::Absent
        | Want::OneOf(_)
        | Want::MoreThan(_)
        | Want::AtLeast(_)
        | Want::LessThan(_)
        | Want::AtMost(_) => false,
    }
}

/// Whether a text can be the name of a field.
pub(crate) fn is_field(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// The name of a field, as a value.
fn field(node: &Node, what: &str, cx: &mut Cx<'_>) -> Option<String> {
    let text = fields::text(node, what, &mut cx.report)?;
    if !is_field(text) {
        let hint = "a field has letters, digits, dots, underscores and hyphens, a letter first";
        cx.report.hinted(Code::BadName, node.at, format!("{} is no field name", quote(text)), hint);
        return None;
    }
    Some(text.to_owned())
}

fn test(entry: &Entry, cx: &mut Cx<'_>) -> Option<Test> {
    if !is_field(&entry.key) {
        let message = format!("{} is no field name", quote(&entry.key));
        let hint = if entry.key.contains(':') && entry.node.is_null() {
            "a map in braces wants a blank after the colon"
        } else {
            "a field has letters, digits, dots, underscores and hyphens"
        };
        cx.report.hinted(Code::BadName, entry.at, message, hint);
        return None;
    }
    Some(Test { field: entry.key.clone(), want: want(&entry.node, 0, cx)? })
}

fn want(node: &Node, depth: u8, cx: &mut Cx<'_>) -> Option<Want> {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => Some(Want::Absent),
        Value::Scalar { text, quoted } => one(text, *quoted, node, cx),
        Value::List(_) => {
            let items = fields::list(node, "the list of values", &mut cx.report)?;
            let texts = fields::every(items, |item| match &item.value {
                Value::Scalar { text, quoted } if !item.is_null() => match one(text, *quoted, item, cx)? {
                    Want::OneOf(mut texts) => texts.pop(),
                    _ => {
                        let hint = "write \"*\" alone for any value";
                        cx.report.hinted(Code::BadTest, item.at, "`*` in a list takes everything", hint);
                        None
                    }
                },
                Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                    let message = format!("a list of values holds texts, not {}", item.shape());
                    cx.report.error(Code::BadTest, item.at, message);
                    None
                }
            })?;
            Some(Want::OneOf(texts))
        }
        Value::Map(_) => relation(node, depth, cx),
    }
}

/// A text to be equal to, with `*` for any run of characters.
fn one(text: &str, quoted: bool, node: &Node, cx: &mut Cx<'_>) -> Option<Want> {
    if text == "*" {
        return Some(Want::Present);
    }
    // A `$name` that is left has no value, which has been reported.
    if names::value_name(text).is_some() {
        return None;
    }
    Some(Want::OneOf(vec![canonical(text, quoted, node.at, "the value", &mut cx.report)?]))
}

fn relation(node: &Node, depth: u8, cx: &mut Cx<'_>) -> Option<Want> {
    let fields = fields::Fields::of(node, &selectors::TEST, &mut cx.report)?;
    let present: Vec<&str> = selectors::TEST.names().into_iter().filter(|key| fields.has(key)).collect();
    let [key] = present.as_slice() else {
        if present.len() > 1 {
            cx.report.error(Code::BadTest, node.at, "a test says one thing; test the field twice in two selectors");
        }
        return None;
    };
    let value = fields.get(key)?;
    if depth > 0 && *key == "not" {
        cx.report.error(Code::BadTest, node.at, "`not` of a `not`: say what is meant");
        return None;
    }
    match *key {
        "not" => want(value, depth + 1, cx).map(|inner| Want::Not(Box::new(inner))),
        "same-as" => field(value, "`same-as`", cx).map(Want::SameAs),
        "more-than" => number(value, cx).map(Want::MoreThan),
        "at-least" => number(value, cx).map(Want::AtLeast),
        "less-than" => number(value, cx).map(Want::LessThan),
        _ => number(value, cx).map(Want::AtMost),
    }
}

fn number(node: &Node, cx: &mut Cx<'_>) -> Option<f64> {
    let text = fields::text(node, "the number", &mut cx.report)?;
    // `parse` takes `inf` and `nan` too, which no field can be compared with.
    let digits = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number = text.parse::<f64>().ok().filter(|n| digits && n.is_finite());
    if number.is_none() {
        cx.report.error(Code::BadNumber, node.at, format!("{} is no number", quote(text)));
    }
    number
}

fn ahead(node: &Node, cx: &mut Cx<'_>) -> Option<Span> {
    cx.length(node, "`ahead`", length::length)
}

/// `since: {event: .., more-than: ..}`.
fn since(node: &Node, cx: &mut Cx<'_>) -> Option<Since> {
    let fields = fields::Fields::of(node, &selectors::SINCE_BLOCK, &mut cx.report)?;
    let kind = fields.need("event", &mut cx.report).and_then(|node| cx.event(node));
    let tests = fields.get("where").map(|node| tests(node, cx));
    let by = fields.get("by").map(|node| cx.party(node, "`by`"));
    let picks = &[("first", false), ("latest", true)];
    let latest = fields.get("pick").map(|node| fields::word(node, "`pick`", picks, &mut cx.report));
    let bounds = ["more-than", "at-most"];
    let given: Vec<&str> = bounds.iter().filter(|key| fields.has(key)).copied().collect();
    let [key] = given.as_slice() else {
        let hint = "add `more-than: 24h` or `at-most: 24h`, one of the two";
        cx.report.hinted(Code::WrongFilter, node.at, "`since` says how long after the other event", hint);
        return None;
    };
    let length_node = fields.get(key)?;
    let span = cx.length(length_node, "`since`", length::length)?;
    let mut event = EventMatch::of(kind?);
    event.tests = fields::optional(tests)?.unwrap_or_default();
    event.by = fields::optional(by)?;
    let latest = fields::optional(latest)?.unwrap_or(false);
    // What "business" means is the obligation's to say: see `since::bind`.
    Some(Since { event, latest, more: *key == "more-than", span, calendar: None })
}

/// Both the outer and the own `by` must hold; two that differ cannot be said in one filter.
fn narrow(outer: &mut Vec<Party>, own: Vec<Party>, node: &Node, cx: &mut Cx<'_>) -> Option<()> {
    let within = |party: &Party| outer.iter().any(|o| o == party || (o.role.is_none() && o.side == party.side));
    if !outer.is_empty() && !own.iter().all(within) {
        let message = "`by` contradicts the `by` around it, which holds for each member";
        cx.report.hinted(Code::WrongFilter, node.at, message, "say it once, at each member");
        return None;
    }
    *outer = own;
    Some(())
}

fn agree<T: PartialEq>(outer: &mut Option<T>, own: T, key: &str, node: &Node, cx: &mut Cx<'_>) -> Option<()> {
    if outer.as_ref().is_some_and(|o| *o != own) {
        let message = format!("`{key}` contradicts the `{key}` around it, which holds for each member");
        cx.report.hinted(Code::WrongFilter, node.at, message, "say it once");
        return None;
    }
    *outer = Some(own);
    Some(())
}
