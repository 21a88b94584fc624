//! Limits that say little or come too late, and ladders that are climbed from the wrong end.

use super::{Lint, entries, list, one_or_more, reading, text};
use crate::contract::code::Code;
use crate::contract::length;
use crate::contract::report::{Report, quote};
use crate::contract::yaml::Node;
use onus_engine::terms::{Obligation, Span};
use onus_engine::time::Millis;

/// Notices of an incident that laws ask for.
const NOTICES: &[&str] = &["incident.notified", "incident.reported"];

/// Reports limits of one obligation.
pub(super) fn check(lint: &Lint<'_>, node: &Node, obligation: &Obligation, report: &mut Report<'_>) {
    let nodes = node.get("within").map_or(&[][..], one_or_more);
    for (node, limit) in nodes.iter().zip(reading::limits(obligation)) {
        let should = node.get("should").zip(limit.should.as_ref());
        if let Some((at, should)) = should {
            let late = reading::spans(&limit.must).any(|must| reading::may_outlast(should, must));
            if late {
                let message = "`should` may end after `must`: they run on different clocks";
                report.hinted(Code::LateShould, at.at, message, "say both on one clock");
            }
        }
        for must in reading::spans(&limit.must) {
            if matches!(must, Span::At(at) if *at <= lint.contract.effective) {
                let message = "the limit lies before the contract takes effect: every duty is overdue when it begins";
                report.hinted(Code::PastLimit, node.at, message, "write an instant within the contract's life");
            }
        }
        let business = reading::spans(&limit.must).any(length::is_business);
        if business && reading::asks_for(obligation, NOTICES) {
            let message = "notice of an incident is due in business time, and what it serves counts at night";
            report.hinted(Code::NoticeInBusinessTime, node.at, message, "write it like `4h` or `1 day`");
        }
    }
}

/// Reports ladders whose rungs are not in the order in which they are reached.
pub(super) fn ladders(lint: &Lint<'_>, report: &mut Report<'_>) {
    for ladder in entries(lint.root.get("escalation")) {
        let mut last: Option<(Rung, &str)> = None;
        for rung in list(Some(&ladder.node)) {
            let Some(node) = rung.get("at") else { continue };
            let Some((place, words)) = text(node).and_then(|text| Some((rung_at(text)?, text))) else { continue };
            if let Some((before, told)) = &last
                && place.comes_before(before)
            {
                let message = format!(
                    "the ladder {} has {} above {}, which is reached first",
                    quote(&ladder.key),
                    quote(told),
                    quote(words)
                );
                report.hinted(Code::RungOrder, node.at, message, "write the rungs in the order of time");
            }
            last = Some((place, words));
        }
    }
}

/// When a rung is reached.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    Share(u32),
    Before(Millis),
    Breach,
    After(Millis),
}

impl Rung {
    fn comes_before(&self, other: &Rung) -> bool {
        match (self, other) {
            // A share of the limit and a length before its end: which comes first depends on the limit.
            (Rung::Share(_), Rung::Before(_)) | (Rung::Before(_), Rung::Share(_)) => false,
            (Rung::Before(mine), Rung::Before(theirs)) => mine > theirs,
            _ => self < other,
        }
    }
}

/// None: lengths that cannot be compared with others.
fn rung_at(text: &str) -> Option<Rung> {
    if text == "breach" {
        return Some(Rung::Breach);
    }
    if let Some(share) = text.strip_suffix('%') {
        return share.parse().ok().map(Rung::Share);
    }
    let (words, before) = match text.strip_suffix(" before") {
        Some(words) => (words, true),
        None => (text.strip_suffix(" after")?, false),
    };
    let nominal = match length::length(words).ok()? {
        Span::Elapsed(ms) => ms,
        Span::Open(ms) => ms * 3,
        Span::WorkingDays(days) | Span::CalendarDays(days) => i64::from(days) * onus_engine::time::DAY,
        Span::Months(months) => i64::from(months) * 30 * onus_engine::time::DAY,
        Span::TimeOfWorkingDay { .. } | Span::DayOfYear { .. } | Span::At(_) | Span::AtOnce => return None,
    };
    Some(if before { Rung::Before(nominal) } else { Rung::After(nominal) })
}
