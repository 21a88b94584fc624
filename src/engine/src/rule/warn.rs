//! From when on an open duty is at risk: as its contract warns, else at four fifths of its limit.

use super::Rule;
use crate::calendar::{Calendar, instant, local};
use crate::duty::{ClockState, Duty, Flags};
use crate::terms::{Contract, Obligation, RungAt, Span};
use crate::time::{DAY, Moment};

/// Hundredths of the limit, where the contract names no rung before the breach.
const USUAL: u32 = 80;

/// From when on an open duty is at risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warn {
    /// So many hundredths of the limit that binds are used.
    Share(u32),
    /// So long before the deadline.
    Before(Span),
}

impl Warn {
    /// The first rung of the obligation's ladder that lies before the breach.
    pub(crate) fn of(contract: &Contract, o: &Obligation) -> Warn {
        let ladder = contract.escalation.iter().find(|ladder| o.escalate.as_ref() == Some(&ladder.name));
        let before = |at: &RungAt| match at {
            RungAt::Share(share) => Some(Warn::Share(*share)),
            RungAt::Before(span) => Some(Warn::Before(span.clone())),
            RungAt::Breach | RungAt::After(_) => None,
        };
        ladder.and_then(|ladder| ladder.rungs.iter().find_map(|rung| before(&rung.at))).unwrap_or(Warn::Share(USUAL))
    }
}

impl Rule {
    /// Whether a duty of it that is open, unbroken and counting is at risk at `now`: little is left of the limit that
    /// binds, in the time that counts.
    pub fn at_risk(&self, duty: &Duty, now: Moment, calendars: &[Calendar]) -> bool {
        if !duty.counting() || duty.flags.has(Flags::BROKEN) || duty.deadline == Moment::NEVER {
            return false;
        }
        match &self.warn {
            Warn::Share(share) => {
                let (used, all) = match duty.clock.state {
                    ClockState::Counting => (duty.elapsed(now, calendars), duty.clock.target),
                    ClockState::Fixed | ClockState::Waiting => (now - duty.start, duty.deadline - duty.start),
                };
                i128::from(used) * 100 >= i128::from(all) * i128::from(*share)
            }
            Warn::Before(span) => earlier(duty, span, self.zone, calendars).is_none_or(|at| now >= at),
        }
    }
}

/// So long before the deadline; "business" means what it means for the limit.
fn earlier(duty: &Duty, span: &Span, zone: chrono_tz::Tz, calendars: &[Calendar]) -> Option<Moment> {
    let calendar = calendars.get(usize::from(duty.clock.calendar))?;
    let days_before = |at: Moment, day: Option<chrono::NaiveDate>| {
        let since = at - instant(zone, local(zone, at).date(), 0);
        day.map(|day| instant(zone, day, 0) + since)
    };
    let at = duty.deadline;
    match span {
        Span::Elapsed(ms) => Some(at + -ms),
        Span::Open(ms) => calendar.sub(at, *ms),
        Span::WorkingDays(n) => days_before(at, calendar.working_day(at, -(*n as i32))),
        Span::CalendarDays(n) => Some(at + -(i64::from(*n) * DAY)),
        Span::Months(n) => days_before(at, local(zone, at).date().checked_sub_months(chrono::Months::new(*n))),
        // No length: warned from the start.
        Span::TimeOfWorkingDay { .. } | Span::DayOfYear { .. } | Span::At(_) | Span::AtOnce => None,
    }
}
