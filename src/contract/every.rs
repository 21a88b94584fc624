//! *Every P*: periods, and what each duty of one is about.

use super::code::Code;
use super::fields::{self, Fields};
use super::filters;
use super::keys::duty;
use super::length::{self, Slip};
use super::names::Cx;
use super::report::{At, Hint, nearest, quote};
use super::table;
use super::words::{self, PerKind};
use super::yaml::{Node, Value};
use onus_engine::terms::{Per, Period, Roll, Table, Unit};

const UNITS: &[(&str, Unit)] = &[
    ("day", Unit::Day),
    ("week", Unit::Week),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("half-year", Unit::HalfYear),
    ("year", Unit::Year),
];

/// `every`: a period, or a table of them.
pub(crate) fn periods(node: &Node, cx: &mut Cx<'_>) -> Option<Table<Period>> {
    match &node.value {
        Value::Map(_) => table::read(node, cx, &mut |node, cx| match node.value {
            Value::Map(_) => {
                table::too_deep(node, cx);
                None
            }
            Value::Scalar { .. } | Value::List(_) => period(node, cx),
        }),
        Value::Scalar { .. } | Value::List(_) => period(node, cx).map(table::single),
    }
}

fn period(node: &Node, cx: &mut Cx<'_>) -> Option<Period> {
    cx.length(node, "`every`", read)
}

/// Whether some row slides in business time.
pub(crate) fn is_business(period: &Table<Period>) -> bool {
    period.rows.iter().any(|row| matches!(&row.value, Period::Sliding(span) if length::is_business(span)))
}

fn read(text: &str) -> Result<Period, Slip> {
    if let Some((_, unit)) = UNITS.iter().find(|(word, _)| *word == text) {
        return Ok(Period::Calendar(*unit));
    }
    let slip = match length::length(text) {
        Ok(span) => return Ok(Period::Sliding(span)),
        Err(slip) => slip,
    };
    let said = match text {
        "daily" => Some("day"),
        "weekly" => Some("week"),
        "monthly" => Some("month"),
        "quarterly" => Some("quarter"),
        "half-yearly" | "semi-annually" | "biannually" => Some("half-year"),
        "yearly" | "annually" => Some("year"),
        _ => nearest(text, UNITS.iter().map(|(word, _)| *word)),
    };
    let hint = match (said, &slip.hint) {
        (Some(word), _) => Hint::Meant(word.to_owned()),
        (None, Some(Hint::Meant(meant))) => Hint::Meant(meant.clone()),
        (None, _) => {
            "possible here: a length like `90 days`, which slides from the last act, or day, week, month, quarter, half-year, year"
                .into()
        }
    };
    Err(Slip { message: format!("{} is no period", quote(text)), hint: Some(hint) })
}

/// What each duty of *every P* is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Each {
    /// As the terms say it.
    Of(Per),
    /// A control: the obligation stands for one of each.
    Control,
}

/// `per`: a kind, or those of a kind that pass the tests.
pub(crate) fn per(node: &Node, cx: &mut Cx<'_>) -> Option<Each> {
    let (kind_node, tests) = match &node.value {
        Value::Map(_) => {
            let fields = Fields::of(node, &duty::PER, &mut cx.report)?;
            let tests = match fields.get("where") {
                Some(node) => {
                    let tests = filters::tests(node, cx)?;
                    filters::without_anchor(&tests, node, "`per`", cx)?;
                    tests
                }
                None => Vec::new(),
            };
            (fields.need("every", &mut cx.report)?, tests)
        }
        Value::Scalar { .. } | Value::List(_) => (node, Vec::new()),
    };
    match fields::word(kind_node, "`per`", words::KINDS, &mut cx.report)? {
        PerKind::Partner if tests.is_empty() => Some(Each::Of(Per::Partner)),
        PerKind::Partner => {
            let hint = "take `where` out: a partner is bound or not, and no event creates it";
            cx.report.hinted(Code::WrongFilter, node.at, "tests of the partner in `per`", hint);
            None
        }
        PerKind::Subject => {
            let kind = fields::text(kind_node, "`per`", &mut cx.report)?.to_owned();
            Some(Each::Of(Per::Subject { kind, tests }))
        }
        PerKind::Source => Some(Each::Of(Per::Source { tests })),
        PerKind::Control if !tests.is_empty() => {
            cx.report.unsupported(node.at, "tests of the control in `per`");
            None
        }
        PerKind::Control if cx.names.controls.is_empty() && !cx.names.open => {
            let hint = "list them under `controls`, or take `per` out: then it is owed once a period";
            cx.report.hinted(Code::WrongSentence, node.at, "`per: control`, and the contract has no controls", hint);
            None
        }
        PerKind::Control => Some(Each::Control),
    }
}

/// Whether any row slides: then the period itself is the limit.
pub(crate) fn slides(period: &Table<Period>) -> bool {
    period.rows.iter().any(|row| matches!(row.value, Period::Sliding(_)))
}

/// Reports a limit beside a sliding period.
pub(crate) fn no_limit_beside_sliding(period: &Table<Period>, within: &Node, cx: &mut Cx<'_>) -> Option<()> {
    if slides(period) {
        let hint = "drop `within`, or use a calendar period like `quarter`, after whose end `within` counts";
        cx.report.hinted(
            Code::WrongSentence,
            within.at,
            "`within` beside a sliding period: the period is the limit",
            hint,
        );
        return None;
    }
    Some(())
}

/// Without `within`, a calendar period ends with its last instant: that may move to a working day before, not into the
/// next period, whose acts would then be those of both.
pub(crate) fn rolls_back(period: &Table<Period>, roll: &Table<Roll>, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let days = period.rows.iter().any(|row| row.value == Period::Calendar(Unit::Day));
    let forward = roll.rows.iter().any(|row| !matches!(row.value, Roll::None | Roll::Previous));
    if slides(period) || !super::limit::rolls(roll) || !(days || forward || !roll.depends_on.is_empty()) {
        return Some(());
    }
    let message = "a calendar period ends with its last day; that can only move to the working day before";
    let hint = "say `roll: previous business day` of a week or longer, or `within` so long after the period's end";
    cx.report.hinted(Code::WrongSentence, at, message, hint);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use onus_engine::terms::Span;

    #[test]
    fn a_counted_unit_slides_and_a_bare_one_is_of_the_calendar() {
        assert_eq!(read("quarter"), Ok(Period::Calendar(Unit::Quarter)));
        assert_eq!(read("1 month"), Ok(Period::Sliding(Span::Months(1))));
        assert_eq!(read("6 months"), Ok(Period::Sliding(Span::Months(6))));
        assert_eq!(read("monthly").expect_err("no period").hint, Some(Hint::Meant("month".into())));
        assert_eq!(read("90d").expect_err("no period").hint, Some(Hint::Meant("90 days".into())));
    }
}
