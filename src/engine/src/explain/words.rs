//! Words for lengths, instants, limits and matches: one way to say each, for the explanation and for whoever shows it.

use super::stretches::{Pause, Why};
use crate::book::Book;
use crate::rule::{Act, Anchor, Form, Match, Named, Requirement, Rule, Test, Want};
use crate::terms::{Each, Period, Span, Unit};
use crate::time::{DAY, HOUR, MINUTE, Millis, Moment, SECOND};
use chrono_tz::Tz;

/// `1h 30min`; a day is never said, since a day of working time is not one of the calendar.
pub fn length(ms: Millis) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let mut rest = ms.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, word) in [(HOUR, "h"), (MINUTE, "min"), (SECOND, "s"), (1, "ms")] {
        let n = rest / unit as u64;
        rest %= unit as u64;
        if n > 0 {
            parts.push(format!("{n}{word}"));
        }
    }
    if parts.is_empty() { "0min".to_owned() } else { format!("{sign}{}", parts.join(" ")) }
}

/// The same of wall time, where days can be said once there are three: `4 days 3h`.
pub fn wall_length(ms: Millis) -> String {
    if ms.abs() < 3 * DAY {
        return length(ms);
    }
    let days = ms.abs() / DAY;
    let rest = ms.abs() % DAY;
    let sign = if ms < 0 { "-" } else { "" };
    if rest == 0 { format!("{sign}{days} days") } else { format!("{sign}{days} days {}", length(rest)) }
}

/// Local time: `Fri 6 Mar 15:50`, with seconds only where there are any.
pub fn local(at: Moment, zone: Tz) -> String {
    let Some(utc) = at.utc() else { return at.to_string() };
    let format = match at.0.rem_euclid(MINUTE) {
        0 => "%a %-d %b %H:%M",
        rest if rest % SECOND == 0 => "%a %-d %b %H:%M:%S",
        _ => "%a %-d %b %H:%M:%S%.3f",
    };
    utc.with_timezone(&zone).format(format).to_string()
}

/// A limit's words: `4 business hours`, `by 12:00 next business day`.
pub fn span(span: &Span, zone: Tz) -> String {
    let many = |n: u32, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    match span {
        Span::Elapsed(ms) => wall_length(*ms),
        Span::Open(ms) if ms % HOUR == 0 => many((ms / HOUR) as u32, "business hour"),
        Span::Open(ms) => format!("{} of business time", length(*ms)),
        Span::WorkingDays(n) => many(*n, "business day"),
        Span::CalendarDays(n) => many(*n, "calendar day"),
        Span::Months(n) if n % 12 == 0 => many(n / 12, "year"),
        Span::Months(n) => many(*n, "month"),
        Span::TimeOfWorkingDay { minute, days } => {
            let day = if *days == 1 { "next business day".to_owned() } else { format!("business day {days} after") };
            format!("by {:02}:{:02} {day}", minute / 60, minute % 60)
        }
        Span::DayOfYear { month, day } => {
            let names = [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ];
            format!("by {day} {}", names.get(*month as usize - 1).unwrap_or(&"?"))
        }
        Span::At(at) => format!("by {}", local(*at, zone)),
        Span::AtOnce => "at once".to_owned(),
    }
}

/// A period's words.
pub fn period(p: &Period, zone: Tz) -> String {
    match p {
        Period::Sliding(of) => span(of, zone),
        Period::Calendar(unit) => match unit {
            Unit::Day => "day",
            Unit::Week => "week",
            Unit::Month => "month",
            Unit::Quarter => "quarter",
            Unit::HalfYear => "half-year",
            Unit::Year => "year",
        }
        .to_owned(),
    }
}

/// Why a stretch counts or not.
pub fn why(why: &Why) -> String {
    match why {
        Why::Open => "counts".to_owned(),
        Why::Capped => "counts: the longest pause is used up".to_owned(),
        Why::Earlier => "counts: the limit runs from an earlier event".to_owned(),
        Why::Outside => "outside hours".to_owned(),
        Why::Holiday { name } => format!("holiday: {name}"),
        Why::Break => "break".to_owned(),
        Why::Paused { by } if by.is_empty() => "paused".to_owned(),
        Why::Paused { by } => format!("paused: {}", by.iter().map(pause).collect::<Vec<_>>().join(", and ")),
        Why::Waived { waiver, because: None } => format!("waived by {waiver}"),
        Why::Waived { waiver, because: Some(because) } => format!("waived by {waiver}: {because}"),
        Why::Exempt => "exempt: no row of the table applies".to_owned(),
        Why::Ended => "done, until it was reopened".to_owned(),
        Why::Waiting => "not begun: its first event has not happened".to_owned(),
        Why::Discarded => "dropped: the count began anew".to_owned(),
    }
}

fn pause(of: &Pause) -> String {
    let reason = of.reason.as_deref().unwrap_or("no reason given");
    let who = match (&of.actor, &of.side) {
        (Some(actor), Some(side)) => format!("{actor} ({side})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "someone unknown".to_owned(),
    };
    format!("{reason}, by {who}")
}

/// The sentence of an obligation: `when ticket.opened, do ticket.resolved`.
pub fn sentence(book: &Book, rule: &Rule) -> String {
    match &rule.form {
        Form::Within { act: a, .. } => format!("when {}, {} must follow", anchor(book, &rule.anchor), act(book, a)),
        Form::Every { act: a, period: p, .. } => {
            let periods: Vec<String> = p.rows.iter().map(|row| period(&row.value, rule.zone)).collect();
            format!("every {}, {} must come", periods.join(" or "), act(book, a))
        }
        Form::Requires(table) => {
            let what: Vec<String> = table.rows.iter().map(|row| requirement(book, &row.value)).collect();
            format!("when {}, required: {}", anchor(book, &rule.anchor), what.join("; or, by another row: "))
        }
    }
}

fn anchor(book: &Book, anchor: &Anchor) -> String {
    let ids = |rules: &[u16]| rules.iter().map(|r| book.rule(*r).id.clone()).collect::<Vec<_>>().join(" or ");
    if let Some(whole) = &anchor.whole {
        return act(book, whole);
    }
    let mut all: Vec<String> = anchor.events.iter().map(|e| event(book, e)).collect();
    if !anchor.done.is_empty() {
        all.push(format!("{} is done", ids(&anchor.done)));
    }
    if !anchor.breached.is_empty() {
        all.push(format!("{} is breached", ids(&anchor.breached)));
    }
    all.dedup();
    all.join(" or ")
}

/// An act's words.
pub fn act(book: &Book, of: &Act) -> String {
    let list = |of: &[Act], word: &str| of.iter().map(|a| act(book, a)).collect::<Vec<_>>().join(word);
    match of {
        Act::One(one) => event(book, one),
        Act::Any(of) => list(of, " or "),
        Act::All(of) => list(of, " and "),
        Act::InOrder(of) => list(of, ", then "),
        Act::Duty(named) => duties(book, named),
        Act::Every(population) => {
            let tests: Vec<String> = population.tests.iter().map(|t| test(book, t)).collect();
            let which = if tests.is_empty() { String::new() } else { format!(" with {}", tests.join(" and ")) };
            let kind = book.names().kind_name(population.kind);
            format!("{} of every {kind}{which}", act(book, &population.act))
        }
    }
}

fn duties(book: &Book, named: &Named) -> String {
    let breached = named.breached;
    let ids: Vec<&str> = named.of.iter().map(|r| book.rule(*r).id.as_str()).collect();
    format!("{} is {}", ids.join(" or "), if breached { "breached" } else { "done" })
}

/// A requirement's words.
pub fn requirement(book: &Book, of: &Requirement) -> String {
    let list = |of: &[Requirement], word: &str| of.iter().map(|r| requirement(book, r)).collect::<Vec<_>>().join(word);
    match of {
        Requirement::Before(one, None) => format!("{} before it", event(book, one)),
        Requirement::Before(one, Some((ahead, _))) => {
            format!("{} at least {} before it", event(book, one), span(ahead, Tz::UTC))
        }
        Requirement::Duty(named) => format!("{} before it", duties(book, named)),
        Requirement::Itself(tests) => tests.iter().map(|t| test(book, t)).collect::<Vec<_>>().join(" and "),
        Requirement::During(calendar) => {
            format!("in the hours of {}", book.calendar_name(*calendar).unwrap_or("every day"))
        }
        Requirement::Quota(most, each) => format!("at most {most} each {}", each_of(*each)),
        Requirement::Any(of) => list(of, " or "),
        Requirement::All(of) => list(of, " and "),
        Requirement::InOrder(of) => list(of, ", then "),
    }
}

/// A match's words: `change.approved by customer where privileged is true`.
pub fn event(book: &Book, of: &Match) -> String {
    let mut out = book.names().about(of.kind).name.clone();
    if let Some(by) = &of.by {
        out.push_str(&format!(" by {by}"));
    }
    for (i, one) in of.tests.iter().enumerate() {
        out.push_str(if i == 0 { " where " } else { " and " });
        out.push_str(&test(book, one));
    }
    out
}

fn test(book: &Book, of: &Test) -> String {
    let field = book.names().field_name(of.field);
    want(book, field, &of.want, false)
}

fn want(book: &Book, field: &str, of: &Want, not: bool) -> String {
    let is = if not { "is not" } else { "is" };
    let text = |sym: &u16| book.names().text(crate::fact::Atom::Sym(*sym)).to_owned();
    match of {
        Want::Present if not => format!("{field} is not given"),
        Want::Present => format!("{field} is given"),
        Want::Absent if not => format!("{field} is given"),
        Want::Absent => format!("{field} is not given"),
        Want::OneOf(constants, patterns) => {
            let all: Vec<String> = constants.iter().map(text).chain(patterns.iter().cloned()).collect();
            format!("{field} {is} {}", all.join(" or "))
        }
        Want::Not(inner) => want(book, field, inner, !not),
        Want::SameAs(other) => format!("{field} {is} the {} of the first event", book.names().field_name(*other)),
        Want::SameAsSubject => format!("{field} {is} the subject"),
        Want::Number(least, most) => {
            let bound = |(n, inclusive): &(f64, bool), word: &str| {
                if *inclusive { format!("{word} or equal to {n}") } else { format!("{word} {n}") }
            };
            let parts: Vec<String> =
                least.iter().map(|b| bound(b, "more than")).chain(most.iter().map(|b| bound(b, "less than"))).collect();
            format!("{field} {is} {}", parts.join(" and "))
        }
    }
}

fn each_of(each: Each) -> &'static str {
    match each {
        Each::Hour => "hour",
        Each::Unit(Unit::Day) => "day",
        Each::Unit(Unit::Week) => "week",
        Each::Unit(Unit::Month) => "month",
        Each::Unit(Unit::Quarter) => "quarter",
        Each::Unit(Unit::HalfYear) => "half-year",
        Each::Unit(Unit::Year) => "year",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_said_without_zeros() {
        assert_eq!(length(0), "0min");
        assert_eq!(length(90 * MINUTE), "1h 30min");
        assert_eq!(length(26 * HOUR + 5), "26h 5ms");
        assert_eq!(length(-MINUTE), "-1min");
        assert_eq!(wall_length(26 * HOUR), "26h");
        assert_eq!(wall_length(72 * HOUR), "3 days");
        assert_eq!(wall_length(-99 * HOUR), "-4 days 3h");
    }

    #[test]
    fn local_time_shows_seconds_only_where_there_are_any() {
        let at = |text: &str| Moment::parse(text).expect("an instant");
        let zone = chrono_tz::Europe::Amsterdam;
        assert_eq!(local(at("2026-03-06T14:50:00Z"), zone), "Fri 6 Mar 15:50");
        assert_eq!(local(at("2026-03-06T14:50:00.001Z"), zone), "Fri 6 Mar 15:50:00.001");
    }
}
