//! The limits of a duty in words: which row of which table, on which calendar, and how much of each is used.

use super::{rfc_known, words};
use crate::duty::{Clock, ClockState, Duty, PARKED};
use crate::fact::{Atom, FieldId};
use crate::fold::View;
use crate::rule::{Form, Limit, RowCell, Rule, Table};
use crate::terms::{Period, Span};
use crate::time::{Millis, Moment};
use serde::Serialize;

/// One limit that runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitUse {
    /// As the contract says it: `4 business hours`.
    pub says: String,
    /// The row of the table, if there is a choice: `priority P2`.
    pub row: Option<String>,
    /// The event that it counts from, where this is not the first one.
    pub counts_from: Option<String>,
    /// The calendar by name; None: around the clock.
    pub calendar: Option<String>,
    /// The length of counted time; None: an instant.
    pub limit_ms: Option<Millis>,
    /// The instant; None: a length.
    #[serde(serialize_with = "rfc_known")]
    pub fixed: Option<Moment>,
    /// Counted so far.
    pub used_ms: Millis,
    /// It is the one that binds: the earliest deadline.
    pub binds: bool,
}

/// All limits of a duty, the binding one first.
pub(super) fn of(view: View<'_>, duty: &Duty, end: Moment) -> Vec<LimitUse> {
    let rule = view.book.rule(duty.rule);
    if matches!(rule.form, Form::Requires(_)) {
        return Vec::new();
    }
    let clocks = duty.clocks().enumerate().filter(|(_, clock)| clock.row != PARKED).map(|(i, clock)| {
        let fixed = clock.state == ClockState::Fixed;
        let (says, row) = said(view, rule, duty, clock, end);
        let limit = limits(rule).get(usize::from(clock.limit));
        let grown = if duty.counting() && clock.state != ClockState::Waiting {
            view.book.calendar(clock.calendar).between(duty.since, end.max(duty.since))
        } else {
            0
        };
        LimitUse {
            says,
            row,
            counts_from: limit.filter(|l| !l.from.is_empty()).map(|l| origin(view, l)),
            calendar: view.book.calendar_name(clock.calendar).map(str::to_owned),
            limit_ms: (!fixed).then_some(clock.target),
            fixed: fixed.then_some(Moment(clock.target)),
            used_ms: clock.elapsed + grown,
            binds: i == 0,
        }
    });
    clocks.collect()
}

/// What a limit counts from, in words.
fn origin(view: View<'_>, limit: &Limit) -> String {
    let events: Vec<String> = limit.from.iter().map(|from| words::event(view.book, from)).collect();
    let latest = if limit.latest { "the latest " } else { "" };
    format!("{latest}{}", events.join(" or "))
}

pub(super) fn limits(rule: &Rule) -> &[Limit] {
    crate::fold::limits(rule)
}

/// The words of the limit that gave a clock, and its row.
fn said(view: View<'_>, rule: &Rule, duty: &Duty, clock: &Clock, end: Moment) -> (String, Option<String>) {
    let facts = |field| known(view, field, end);
    let book = view.book;
    let fixed = clock.state == ClockState::Fixed;
    let same = |fresh: Clock| {
        fresh.target == clock.target && fresh.calendar == clock.calendar && fixed == (fresh.state == ClockState::Fixed)
    };
    let gives = |span: &Span, limit: usize, id: u16| {
        same(crate::limits::clock(span, (limit, usize::from(clock.row)), id, book.calendar(id), rule.zone, duty.start))
    };
    match &rule.form {
        Form::Within { limits, .. } | Form::Every { limits, .. } if !limits.is_empty() => {
            let at = usize::from(clock.limit);
            let Some(limit) = limits.get(at) else { return (String::new(), None) };
            let day = crate::calendar::local(rule.zone, duty.start).date();
            let apply = crate::limits::rows(&limit.must, &facts, day);
            // What counts from another event than the anchor came to this from there.
            let begun =
                (!limit.from.is_empty()).then_some(usize::from(clock.row)).filter(|i| *i < limit.must.rows.len());
            let row = begun.or_else(|| choose(&limit.must, &apply, &|s| gives(s, at, limit.calendar)));
            match row {
                Some(i) => {
                    let row = &limit.must.rows[i];
                    (words::span(&row.value, rule.zone), label(view, &limit.must, i, &facts))
                }
                None => (format!("{} (at least so much was left at a change)", words::length(clock.target)), None),
            }
        }
        Form::Every { period, calendar, .. } => {
            let apply = crate::limits::rows(period, &facts, crate::limits::day_of(period, rule.zone, duty.start));
            let known = usize::from(clock.row);
            let applies = period.rows.get(known).filter(|r| apply.iter().any(|a| std::ptr::eq(*a, &r.value)));
            let row = applies.map(|_| known).or_else(|| {
                choose(period, &apply, &|p| match p {
                    Period::Sliding(span) => gives(span, 0, *calendar),
                    Period::Calendar(_) => fixed,
                })
            });
            let i = row.unwrap_or(0);
            let words = match &period.rows[i].value {
                Period::Sliding(span) => words::span(span, rule.zone),
                calendar @ Period::Calendar(_) => format!("by the end of the {}", words::period(calendar, rule.zone)),
            };
            (words, label(view, period, i, &facts))
        }
        Form::Within { .. } | Form::Requires(_) => (String::new(), None),
    }
}

/// Of the rows that come to this clock, one that applies, else any.
fn choose<T>(table: &Table<T>, apply: &[&T], gives: &dyn Fn(&T) -> bool) -> Option<usize> {
    let rows = || table.rows.iter().enumerate().filter(|(_, row)| gives(&row.value));
    let applies = |value: &T| apply.iter().any(|a| std::ptr::eq(*a, value));
    rows().find(|(_, row)| applies(&row.value)).or_else(|| rows().next()).map(|(i, _)| i)
}

fn label<'v, T>(
    view: View<'v>,
    table: &Table<T>,
    at: usize,
    facts: &dyn Fn(FieldId) -> Option<Atom<'v>>,
) -> Option<String> {
    let names = view.book.names();
    let parts: Vec<String> = table
        .keys
        .iter()
        .zip(&table.rows[at].cells)
        .map(|(key, cell)| match (key, cell) {
            (Some(field), RowCell::Is(sym)) => {
                let unknown = if facts(*field).is_none() { " (not known: the strictest row binds)" } else { "" };
                format!("{} {}{unknown}", names.field_name(*field), names.text(Atom::Sym(*sym)))
            }
            (Some(field), RowCell::Any | RowCell::From(_)) => format!("any other {}", names.field_name(*field)),
            (None, RowCell::From(day)) => format!("from {day} on"),
            (None, RowCell::Any | RowCell::Is(_)) => "any other day".to_owned(),
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// What was last known of the subject.
fn known<'v>(view: View<'v>, field: FieldId, until: Moment) -> Option<Atom<'v>> {
    let own = view.timeline.facts().take_while(|f| f.at() <= until).filter(|f| !f.linked());
    own.filter_map(|f| f.field(field)?.atoms().next()).last()
}
