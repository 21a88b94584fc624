//! Limits: how long an act may take, and where a deadline on a closed day goes.

use super::code::Code;
use super::fields::{self, Fields};
use super::keys::duty;
use super::length;
use super::names::{Business, Cx};
use super::report::At;
use super::yaml::{Node, Value};
use super::{selector, table};
use onus_engine::terms::{Cell, Limit, Roll, Span, Table};

/// What an obligation says of all its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'g> {
    pub(crate) business: Business,
    pub(crate) roll: &'g Table<Roll>,
}

/// `within`: one limit, or a list of which all run.
pub(crate) fn limits(node: &Node, ground: Ground<'_>, cx: &mut Cx<'_>) -> Option<Vec<Limit>> {
    let items = fields::one_or_more(node, "`within`", &mut cx.report)?;
    fields::every(items, |item| limit(item, ground, cx))
}

fn limit(node: &Node, ground: Ground<'_>, cx: &mut Cx<'_>) -> Option<Limit> {
    let whole = matches!(&node.value, Value::Map(entries)
        if !table::is_table(node) && !entries.iter().any(|e| table::is_priority(&e.key) || e.key == "*"));
    if !whole {
        let must = spans(node, ground.business, cx)?;
        return rolled(plain(must), ground, node.at, cx);
    }
    let possible = [duty::LIMIT.names(), duty::TABLE.names(), vec!["P1"]].concat();
    let fields = Fields::among(node, duty::LIMIT.what, &possible, &mut cx.report)?;
    let business = fields.get("calendar").map_or(ground.business, |node| cx.calendar(node));
    let must = fields.need("must", &mut cx.report).and_then(|node| spans(node, business, cx));
    let should = fields.get("should").map(|node| (node.at, cx.limit(node, "`should`", business)));
    let from = fields.get("from").map(|node| selector::origin(node, cx));
    let roll = fields.get("roll").map_or_else(|| Some(ground.roll.clone()), |node| roll(node, cx));
    let must = must?;
    let should = match should {
        Some((at, span)) => {
            let span = span?;
            shorter(&span, &must, at, cx)?;
            Some(span)
        }
        None => None,
    };
    let limit = Limit { should, from: fields::optional(from)?.unwrap_or_default(), ..plain(must) };
    rolled(limit, Ground { business, roll: &roll? }, node.at, cx)
}

/// A limit that says no more than how long.
pub(crate) fn plain(must: Table<Span>) -> Limit {
    Limit { must, should: None, from: Vec::new(), calendar: None, roll: Table::single(Roll::None) }
}

fn rolled(limit: Limit, ground: Ground<'_>, at: At, cx: &mut Cx<'_>) -> Option<Limit> {
    cx.business(rolls(ground.roll), ground.business, at, "`roll` moves deadlines off closed days")?;
    Some(Limit { calendar: ground.business.position(), roll: ground.roll.clone(), ..limit })
}

/// Whether some deadline may be moved.
pub(crate) fn rolls(roll: &Table<Roll>) -> bool {
    roll.rows.iter().any(|row| row.value != Roll::None)
}

/// Text, priorities, or a table of them.
fn spans(node: &Node, business: Business, cx: &mut Cx<'_>) -> Option<Table<Span>> {
    let leaf = &mut |node: &Node, cx: &mut Cx<'_>| row(node, business, cx);
    match &node.value {
        Value::Map(_) if table::is_table(node) => table::read(node, cx, leaf),
        Value::Map(_) => table::by_priority(node, cx, leaf),
        Value::Scalar { .. } | Value::List(_) => cx.limit(node, "the limit", business).map(table::single),
    }
}

/// A row holds one span; `{must: ..}` is the long way to say it.
fn row(node: &Node, business: Business, cx: &mut Cx<'_>) -> Option<Span> {
    let Value::Map(entries) = &node.value else {
        return cx.limit(node, "the limit", business);
    };
    if !entries.iter().any(|e| duty::LIMIT.key(&e.key).is_some()) {
        table::too_deep(node, cx);
        return None;
    }
    let fields = Fields::of(node, &duty::LIMIT, &mut cx.report)?;
    let own = duty::LIMIT.keys.iter().find(|key| key.name != "must" && fields.has(key.name));
    if let Some(key) = own {
        let message = format!("`{}` in a row; say it around the table, in a list of limits if need be", key.name);
        let hint = "a row holds one length; two that differ in more are two limits of a list";
        cx.report.hinted(Code::KeyInRow, node.at, message, hint);
        return None;
    }
    let must = fields.need("must", &mut cx.report)?;
    cx.limit(must, "the limit", business)
}

/// A `should` as long as the `must` would never be noted before the breach.
fn shorter(should: &Span, must: &Table<Span>, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let not_shorter = must.rows.iter().any(|row| match (should, &row.value) {
        (Span::Elapsed(a), Span::Elapsed(b)) | (Span::Open(a), Span::Open(b)) => a >= b,
        (Span::WorkingDays(a), Span::WorkingDays(b))
        | (Span::CalendarDays(a), Span::CalendarDays(b))
        | (Span::Months(a), Span::Months(b)) => a >= b,
        (Span::At(a), Span::At(b)) => a >= b,
        // Different clocks: which ends first depends on the day.
        _ => false,
    });
    if not_shorter {
        let hint = "past `should` it is noted, past `must` it is a breach: shorten `should`, or swap them";
        cx.report.hinted(Code::ShouldNotShorter, at, "`should` is not shorter than `must`", hint);
        return None;
    }
    Some(())
}

/// Where a deadline on a closed day goes; in a table, by facts. What no row speaks of would be moved or not as one likes:
/// there is a row for the rest.
pub(crate) fn roll(node: &Node, cx: &mut Cx<'_>) -> Option<Table<Roll>> {
    if !matches!(node.value, Value::Map(_)) {
        return roll_text(node, cx).map(table::single);
    }
    let table = table::read(node, cx, &mut |node, cx| match node.value {
        Value::Map(_) => {
            table::too_deep(node, cx);
            None
        }
        Value::Scalar { .. } | Value::List(_) => roll_text(node, cx),
    })?;
    let rest = |cells: &[Cell], level: usize| {
        table.rows.iter().any(|row| row.cells[..level] == cells[..level] && row.cells[level] == Cell::Any)
    };
    let whole = table.rows.iter().all(|row| (0..row.cells.len()).all(|level| rest(&row.cells, level)));
    if !whole {
        let hint = "add `\"*\": none`, or where else the rest goes, to each level of the table";
        cx.report.hinted(Code::NoRow, node.at, "`roll` by facts has no row for the rest", hint);
        return None;
    }
    Some(table)
}

fn roll_text(node: &Node, cx: &mut Cx<'_>) -> Option<Roll> {
    let text = fields::text(node, "`roll`", &mut cx.report)?;
    let at_time = || {
        let time = text.strip_prefix("by ")?.strip_suffix(" next business day")?;
        length::time_of_day(time).map(Roll::NextAt)
    };
    let roll = match text {
        "none" => Some(Roll::None),
        "previous business day" => Some(Roll::Previous),
        "next business day" => Some(Roll::Next),
        _ => at_time(),
    };
    if roll.is_none() {
        let words = ["none", "previous business day", "next business day", "by 12:00 next business day"];
        let message = format!("`roll` cannot be {}", super::report::quote(text));
        cx.report.misnamed(Code::UnknownWord, node.at, message, text, words);
    }
    roll
}
