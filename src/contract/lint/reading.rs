//! What the rules ask of an obligation: its events, its limits, how long they may last.

use onus_engine::terms::{Act, EventMatch, Limit, Obligation, Requirement, Sentence, Span, Table, Trigger};
use onus_engine::time::{DAY, HOUR, Millis};

/// The events of the act that is owed.
pub(super) fn acts(obligation: &Obligation) -> Vec<&EventMatch> {
    let mut out = Vec::new();
    match &obligation.sentence {
        Sentence::Within { act, .. } | Sentence::Every { act, .. } => leaves(act, &mut out),
        Sentence::Requires { .. } => {}
    }
    out
}

fn leaves<'a>(act: &'a Act, out: &mut Vec<&'a EventMatch>) {
    match act {
        Act::One(event) => out.push(event),
        Act::Any(acts) | Act::All(acts) | Act::InOrder(acts) => acts.iter().for_each(|act| leaves(act, out)),
        Act::Duty(..) => {}
    }
}

/// Whether the act may be one of these events.
pub(super) fn asks_for(obligation: &Obligation, kinds: &[&str]) -> bool {
    acts(obligation).iter().any(|event| kinds.contains(&event.kind.as_str()))
}

/// What it begins at.
pub(super) fn triggers(obligation: &Obligation) -> &[Trigger] {
    match &obligation.sentence {
        Sentence::Within { when, .. } | Sentence::Requires { when, .. } | Sentence::Every { when: Some(when), .. } => {
            &when.any
        }
        Sentence::Every { when: None, .. } => &[],
    }
}

/// Whether it begins at one of these events.
pub(super) fn begins_at(obligation: &Obligation, kinds: &[&str]) -> bool {
    triggers(obligation)
        .iter()
        .any(|trigger| matches!(trigger, Trigger::Event(event) if kinds.contains(&event.kind.as_str())))
}

/// Whether it requires something of a field of its anchor.
pub(super) fn requires_field(obligation: &Obligation, field: &str) -> bool {
    fn tests(requirement: &Requirement, field: &str) -> bool {
        match requirement {
            Requirement::Itself(tests) => tests.iter().any(|test| test.field == field),
            Requirement::Any(all) | Requirement::All(all) | Requirement::InOrder(all) => {
                all.iter().any(|one| tests(one, field))
            }
            Requirement::Before(_)
            | Requirement::Ahead(..)
            | Requirement::Duty(..)
            | Requirement::During(_)
            | Requirement::Quota(..) => false,
        }
    }
    match &obligation.sentence {
        Sentence::Requires { what, .. } => what.rows.iter().any(|row| tests(&row.value, field)),
        Sentence::Within { .. } | Sentence::Every { .. } => false,
    }
}

/// Its limits.
pub(super) fn limits(obligation: &Obligation) -> &[Limit] {
    match &obligation.sentence {
        Sentence::Within { limits, .. } | Sentence::Every { limits, .. } => limits,
        Sentence::Requires { .. } => &[],
    }
}

/// Every span of a limit.
pub(super) fn spans(table: &Table<Span>) -> impl Iterator<Item = &Span> {
    table.rows.iter().map(|row| &row.value)
}

/// Whether the first may end after the second, or with it, when both begin together.
pub(super) fn may_outlast(first: &Span, second: &Span) -> bool {
    if let (Some(first), Some(second)) = (business(first), business(second)) {
        return first >= second;
    }
    match (reach(first), reach(second)) {
        (Some((_, longest)), Some((shortest, _))) => longest >= shortest,
        _ => false,
    }
}

/// Business time in hours of an ordinary day.
fn business(span: &Span) -> Option<Millis> {
    match span {
        Span::Open(ms) => Some(*ms),
        Span::WorkingDays(days) => Some(i64::from(*days) * 8 * HOUR),
        Span::Elapsed(_)
        | Span::CalendarDays(_)
        | Span::Months(_)
        | Span::TimeOfWorkingDay { .. }
        | Span::DayOfYear { .. }
        | Span::At(_)
        | Span::AtOnce => None,
    }
}

/// The shortest and the longest that a length lasts, day and night, over weekends and a holiday; None: an instant.
pub(super) fn reach(span: &Span) -> Option<(Millis, Millis)> {
    let days = |n: &u32| i64::from(*n) * DAY;
    match span {
        Span::Elapsed(ms) => Some((*ms, *ms)),
        Span::Open(ms) => Some((*ms, ms * 3 + 3 * DAY)),
        Span::WorkingDays(n) => Some(((days(n) - DAY / 2).max(0), days(n) * 7 / 5 + 3 * DAY)),
        Span::CalendarDays(n) => Some((days(n), days(n) + DAY)),
        Span::Months(n) => Some((days(n) * 28, days(n) * 31)),
        Span::TimeOfWorkingDay { .. } | Span::DayOfYear { .. } | Span::At(_) | Span::AtOnce => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_weekend_a_business_day_outlasts_two_days() {
        assert!(may_outlast(&Span::WorkingDays(1), &Span::Elapsed(2 * DAY)));
        assert!(!may_outlast(&Span::Elapsed(4 * HOUR), &Span::WorkingDays(1)));
        assert!(!may_outlast(&Span::Open(4 * HOUR), &Span::WorkingDays(3)));
        assert!(!may_outlast(&Span::WorkingDays(3), &Span::Months(1)));
        assert!(may_outlast(&Span::Elapsed(DAY), &Span::Elapsed(DAY)));
    }
}
