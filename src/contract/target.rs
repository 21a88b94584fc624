//! `target`: a level over many duties. It is measured in the report, and changes no standing.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::duty;
use super::length;
use super::names::Cx;
use super::report::quote;
use super::yaml::Node;
use onus_engine::terms::{Level, Span, Target, Unit};

const EACH: &[(&str, Unit)] = &[
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("half-year", Unit::HalfYear),
    ("year", Unit::Year),
];

/// Reads `target:`.
pub(crate) fn target(node: &Node, cx: &mut Cx<'_>) -> Option<Target> {
    let fields = Fields::of(node, &duty::TARGET, &mut cx.report)?;
    let each = fields.need("each", &mut cx.report);
    let each = each.and_then(|node| fields::word(node, "`each`", EACH, &mut cx.report));
    let credit = fields.get("credit").map(|node| percent(node, "credit", cx).map(|(_, text)| text));
    let level = match (fields.get("at-least"), fields.get("average")) {
        (Some(_), Some(average)) => {
            let hint = "make it two obligations, or keep the one that is meant";
            cx.report.hinted(Code::WrongSentence, average.at, "a target has `at-least` or `average`, not both", hint);
            None
        }
        (Some(node), None) => percent(node, "at-least", cx).map(|(share, _)| Level::Share(share)),
        (None, Some(node)) => average(node, cx),
        (None, None) => {
            let message = "a target has neither `at-least` nor `average`";
            cx.report.hinted(Code::MissingKey, node.at, message, "add `at-least: 95%` or `average: 6h`");
            None
        }
    };
    Some(Target { level: level?, each: each?, credit: fields::optional(credit)? })
}

/// Time used is measured as the limit is: in hours of its calendar, or of the clock.
fn average(node: &Node, cx: &mut Cx<'_>) -> Option<Level> {
    match cx.length(node, "`average`", length::length)? {
        Span::Elapsed(ms) | Span::Open(ms) => Some(Level::Average(ms)),
        days => Some(Level::AverageOf(days)),
    }
}

/// Millionths, and the text.
fn percent(node: &Node, key: &str, cx: &mut Cx<'_>) -> Option<(u32, String)> {
    let text = fields::text(node, key, &mut cx.report)?;
    let digits = text.strip_suffix('%').unwrap_or("");
    let formed = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !digits.starts_with('.');
    let share = digits.parse::<f64>().ok().filter(|share| formed && (0.0..=100.0).contains(share));
    if share.is_none() {
        let message = format!("`{key}` cannot be {}", quote(text));
        cx.report.hinted(Code::BadPercent, node.at, message, "write it like 95% or 99.5%");
    }
    share.map(|share| ((share * 10_000.0).round() as u32, text.to_owned()))
}
