//! Limits as codes: what was loaded, in the words of the list.

use super::rows::Reference;
use onus_engine::terms::{Cell, Limit, Obligation, Period, Requirement, Sentence, Span, Table, Test, Unit, Want};
use onus_engine::time::{DAY, HOUR, MINUTE, SECOND};

/// The limits of an obligation in the order written, as codes, each once in a row.
pub(crate) fn of(obligation: &Obligation, reference: &Reference) -> Result<Vec<String>, String> {
    let mut codes = match &obligation.sentence {
        Sentence::Within { when, limits, .. } => {
            let mut codes = limited(limits, reference)?;
            if let Some(field) = &when.time {
                codes.iter_mut().for_each(|code| code.push_str(&format!("@{field}")));
            }
            codes
        }
        Sentence::Every { limits, .. } if !limits.is_empty() => limited(limits, reference)?,
        Sentence::Every { period, .. } => rows(period, reference).map(self::period).collect(),
        Sentence::Requires { what, .. } => rows(what, reference).map(requirement).collect(),
    };
    codes.dedup();
    if codes.is_empty() { Err(format!("{}: no such limit", obligation.id)) } else { Ok(codes) }
}

fn limited(limits: &[Limit], reference: &Reference) -> Result<Vec<String>, String> {
    let limit = match (limits, reference.limit) {
        ([only], None) => only,
        (_, Some(n)) => limits.get(n - 1).ok_or("no limit of that number")?,
        _ => return Err("several limits: say which, @1".to_owned()),
    };
    Ok(rows(&limit.must, reference).map(span).collect())
}

/// The rows that are meant: all, or those one of whose cells is named.
fn rows<'t, T>(table: &'t Table<T>, reference: &'t Reference) -> impl Iterator<Item = &'t T> {
    let meant = |cell: &Cell| {
        let text = match cell {
            Cell::Any => "*".to_owned(),
            Cell::Is(text) => text.clone(),
            Cell::From(date) => date.to_string(),
        };
        reference.cells.contains(&text)
    };
    table.rows.iter().filter(move |row| reference.cells.is_empty() || row.cells.iter().any(meant)).map(|row| &row.value)
}

fn span(span: &Span) -> String {
    match span {
        Span::Elapsed(ms) if ms % DAY == 0 && *ms > 7 * DAY => format!("P{}D", ms / DAY),
        Span::Elapsed(ms) if ms % HOUR == 0 => format!("PT{}H", ms / HOUR),
        Span::Elapsed(ms) if ms % MINUTE == 0 => format!("PT{}M", ms / MINUTE),
        Span::Elapsed(ms) => format!("PT{}S", ms / SECOND),
        Span::Open(ms) => format!("BH{}", ms / HOUR),
        Span::WorkingDays(days) => format!("BD{days}"),
        Span::CalendarDays(days) => format!("P{days}D"),
        Span::Months(months) if months % 12 == 0 => format!("P{}Y", months / 12),
        Span::Months(months) => format!("P{months}M"),
        Span::DayOfYear { month, day } => format!("DATE:{month:02}-{day:02}"),
        Span::TimeOfWorkingDay { .. } | Span::At(_) => "FIXED".to_owned(),
        Span::AtOnce => "PT0S".to_owned(),
    }
}

fn period(period: &Period) -> String {
    match period {
        Period::Sliding(length) => span(length),
        Period::Calendar(Unit::HalfYear) => "P6M".to_owned(),
        Period::Calendar(Unit::Quarter) => "P3M".to_owned(),
        Period::Calendar(Unit::Year) => "P1Y".to_owned(),
        Period::Calendar(Unit::Month) => "P1M".to_owned(),
        Period::Calendar(Unit::Week) => "P7D".to_owned(),
        Period::Calendar(Unit::Day) => "P1D".to_owned(),
    }
}

/// How long before its anchor: an order without a length is of zero length.
fn requirement(what: &Requirement) -> String {
    match what {
        Requirement::Ahead(_, ahead, ..) => format!("-{}", span(ahead)),
        Requirement::Before(..) | Requirement::Duty(..) => "-PT0S".to_owned(),
        Requirement::Itself(tests) => tests.iter().find_map(days_at_most).unwrap_or_else(|| "ITSELF".to_owned()),
        Requirement::During(_) | Requirement::Quota(..) => "ITSELF".to_owned(),
        Requirement::Any(all) | Requirement::All(all) | Requirement::InOrder(all) => {
            all.first().map_or_else(String::new, requirement)
        }
    }
}

/// A field of days, like `validity-days`, that may be no more than so many.
fn days_at_most(test: &Test) -> Option<String> {
    match test.want {
        Want::AtMost(days) if test.field.ends_with("-days") => Some(format!("P{days}D")),
        _ => None,
    }
}

/// Whether a limit that was loaded is the one of the list. Days may be of 24 hours, or of the calendar.
pub(crate) fn same(said: &str, wanted: &str) -> bool {
    let said = said.split('@').next().unwrap_or_default();
    let hours = |code: &str| {
        let days = |code: &str| code.strip_prefix('P')?.strip_suffix('D')?.parse::<i64>().ok();
        let hours = |code: &str| code.strip_prefix("PT")?.strip_suffix('H')?.parse::<i64>().ok();
        days(code).map(|days| days * 24).or_else(|| hours(code))
    };
    said == wanted || (hours(said).is_some() && hours(said) == hours(wanted))
}
