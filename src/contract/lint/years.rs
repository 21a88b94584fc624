//! A beginning so long ago that the year is probably wrong.

use super::Lint;
use crate::contract::code::Code;
use crate::contract::report::Report;
use chrono::Datelike;
use onus_engine::calendar::{instant, local};
use onus_engine::terms::{Period, Sentence, Unit};
use onus_engine::time::DAY;

/// No contract with a computer's events began before.
const FIRST: i32 = 1990;

/// Most periods that a contract may plausibly have had.
const MOST: i64 = 20_000;

/// Reports an `effective` that looks like a slip.
pub(super) fn check(lint: &Lint<'_>, report: &mut Report<'_>) {
    let contract = lint.contract;
    let began = local(contract.zone, contract.effective).date();
    let today = instant(contract.zone, lint.today, 0);
    let end = contract.ends.map_or(today, |ends| ends.min(today));
    let days = (end - contract.effective) / DAY;
    let counted = contract.obligations.iter().filter_map(|obligation| {
        let Sentence::Every { period, .. } = &obligation.sentence else { return None };
        let least = period.rows.iter().filter_map(|row| match &row.value {
            Period::Calendar(unit) => Some(length(*unit)),
            Period::Sliding(_) => None,
        });
        Some((days / least.min()?, obligation.id.as_str()))
    });
    let message = match counted.max() {
        Some((times, id)) if times > MOST => {
            format!(
                "effective since {began}, and a period of `{id}` has begun {times} times by {}",
                local(contract.zone, end).date()
            )
        }
        _ if began.year() < FIRST => format!("effective since {began}, before {FIRST}"),
        _ => return,
    };
    let at = lint.root.get("effective").map_or_else(|| lint.key("effective"), |node| node.at);
    report.hinted(Code::WrongYear, at, message, "is the year right?");
}

/// Days that a period has, at least about.
fn length(unit: Unit) -> i64 {
    match unit {
        Unit::Day => 1,
        Unit::Week => 7,
        Unit::Month => 30,
        Unit::Quarter => 91,
        Unit::HalfYear => 182,
        Unit::Year => 365,
    }
}
