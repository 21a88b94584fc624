//! How a deadline comes about: the start, the limit, and all that did not count on the way.

use super::limits;
use super::stretches::{Stretch, Why};
use super::{Life, rfc, words};
use crate::duty::{ClockState, Flags};
use crate::fold::View;
use crate::rule::Form;
use crate::terms::Roll;
use crate::time::{Millis, Moment};
use chrono_tz::Tz;
use serde::Serialize;

/// Deadline = start + limit + everything in `plus`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Due {
    /// Counting from.
    #[serde(serialize_with = "rfc")]
    pub from: Moment,
    /// The limit in counted time; None: the contract names an instant.
    pub limit_ms: Option<Millis>,
    /// What did not count before the deadline, and what moved it.
    pub plus: Vec<Plus>,
    /// The deadline.
    #[serde(serialize_with = "rfc")]
    pub deadline: Moment,
    /// The same as a sentence, in local time.
    pub words: String,
}

/// Time that moved a deadline out (or in, if negative).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plus {
    /// How much.
    pub ms: Millis,
    /// Why.
    pub why: String,
}

/// The arithmetic of the deadline; None where there is no deadline.
pub(super) fn arithmetic(view: View<'_>, life: &Life<'_>, cut: &[Stretch], end: Moment, zone: Tz) -> Option<Due> {
    let duty = life.duty;
    let deadline = duty.shown_deadline().filter(|_| !duty.flags.has(Flags::FINDING))?;
    let clock = &duty.clock;
    let rule = view.book.rule(duty.rule);
    if clock.state == ClockState::Fixed {
        let words = format!("{}: an instant that nothing moves", words::local(deadline, zone));
        let due = Due { from: duty.start, limit_ms: None, plus: Vec::new(), deadline, words };
        return Some(rolled(due, Moment(clock.target), zone));
    }
    let from = cut.first().map_or(duty.start, |s| s.from);
    let mut plus: Vec<Plus> = Vec::new();
    let mut add = |ms: Millis, why: String| match plus.iter_mut().find(|p| p.why == why) {
        _ if ms == 0 => {}
        Some(known) => known.ms += ms,
        None => plus.push(Plus { ms, why }),
    };
    for s in cut.iter().filter(|s| !s.counted && s.from < deadline) {
        add(s.to.min(deadline) - s.from, short(&s.why));
    }
    // What lies ahead, or lay ahead when the act came.
    let ahead = cut.last().map_or(from, |s| s.to).max(end);
    let stopped = duty.flags.has(Flags::WAIVED) || duty.flags.has(Flags::EXEMPT);
    if ahead < deadline && !stopped {
        for part in view.book.calendar(clock.calendar).stretches(ahead, deadline) {
            if let Some(closed) = part.closed {
                let why = match closed {
                    crate::calendar::Closed::Outside => Why::Outside,
                    crate::calendar::Closed::Holiday(name) => Why::Holiday { name },
                    crate::calendar::Closed::Break => Why::Break,
                };
                add(part.to - part.from, short(&why));
            }
        }
    }
    let sum: Millis = plus.iter().map(|p| p.ms).sum();
    let moved = deadline - from - clock.target - sum;
    if moved != 0 {
        let limit = limits::limits(rule).get(usize::from(clock.limit));
        let roll = match (limit, &rule.form) {
            (Some(limit), _) => limit.roll_of(usize::from(clock.row)) != Roll::None,
            (None, Form::Every { roll, rolls, .. }) => *roll != Roll::None || !rolls.is_empty(),
            (None, Form::Within { .. } | Form::Requires(_)) => false,
        };
        let why = if roll { "moved off a closed day" } else { "already used up when this limit came to apply" };
        plus.push(Plus { ms: moved, why: why.to_owned() });
    }
    let limit = if clock.calendar == 0 { words::wall_length(clock.target) } else { words::length(clock.target) };
    let mut text = format!("{} = {} + {limit}", words::local(deadline, zone), words::local(from, zone));
    for p in &plus {
        let sign = if p.ms < 0 { "-" } else { "+" };
        text.push_str(&format!(" {sign} {} {}", words::wall_length(p.ms.abs()), p.why));
    }
    Some(Due { from, limit_ms: Some(clock.target), plus, deadline, words: text })
}

fn rolled(mut due: Due, raw: Moment, zone: Tz) -> Due {
    let moved = due.deadline - raw;
    if moved != 0 {
        due.plus.push(Plus { ms: moved, why: "moved off a closed day".to_owned() });
        due.words =
            format!("{}, moved off a closed day to {}", words::local(raw, zone), words::local(due.deadline, zone));
    }
    due
}

/// A reason in few words, so that all stretches of one reason add up.
fn short(why: &Why) -> String {
    match why {
        Why::Paused { .. } => "paused".to_owned(),
        Why::Waived { waiver, .. } => format!("waived by {waiver}"),
        Why::Exempt => "exempt".to_owned(),
        Why::Ended => "done and reopened".to_owned(),
        Why::Waiting => "before its first event".to_owned(),
        Why::Discarded => "dropped when the count began anew".to_owned(),
        Why::Open | Why::Capped | Why::Earlier | Why::Outside | Why::Holiday { .. } | Why::Break => words::why(why),
    }
}
