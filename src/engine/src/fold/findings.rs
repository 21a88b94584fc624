//! Findings: what had to come before an anchor, or be true of it, judged at its instant.

use super::{Cx, Trace, acts};
use crate::duty::{Duty, Flags};
use crate::fact::Fact;
use crate::limits::{self, Target};
use crate::rule::{CalendarId, Match, Requirement, Rule, Table};
use crate::select::{self, Against, Met};
use crate::terms::Span;
use crate::time::Moment;
use chrono::NaiveDate;

/// Judges a `requires` at its anchor. Every row that may apply must hold; no row: exempt.
pub(super) fn judge<'a, T: Trace>(
    duty: &mut Duty,
    table: &Table<Requirement>,
    rule: &Rule,
    anchor: Option<Fact<'a>>,
    cx: &mut Cx<'a, '_, T>,
) {
    for leaf in table.rows.iter().flat_map(|r| r.value.leaves()) {
        if let Some(field) = leaf.on {
            let named: Vec<String> = acts::targets(anchor, field, cx).map(str::to_owned).collect();
            cx.links.extend(named);
        }
    }
    let facts = |field| cx.known(anchor, field);
    let rows = limits::rows(table, &facts, NaiveDate::MIN);
    let finding = Finding { duty, rule, anchor, cx };
    let (exempt, holds) = (rows.is_empty(), rows.iter().all(|r| finding.holds(r)));
    duty.flags.put(Flags::FINDING, true);
    duty.flags.put(Flags::EXEMPT, exempt);
    duty.flags.put(Flags::FAILED, !exempt && !holds);
    duty.ended = duty.start;
    duty.deadline = duty.start;
    duty.since = duty.start;
    cx.trace.note(duty.start, Some(duty), &|| match () {
        () if exempt => "no row of the table applies: exempt".to_owned(),
        () if holds => "what is required was there".to_owned(),
        () => "what is required was not there: a finding".to_owned(),
    });
}

struct Finding<'f, 'a, 'l, T> {
    duty: &'f Duty,
    rule: &'f Rule,
    anchor: Option<Fact<'a>>,
    cx: &'f Cx<'a, 'l, T>,
}

impl<T: Trace> Finding<'_, '_, '_, T> {
    fn holds(&self, requirement: &Requirement) -> bool {
        match requirement {
            Requirement::Itself(tests) => self.anchor.is_some_and(|fact| {
                let against = Against { anchor: Some(fact), subject: self.cx.view.subject };
                tests.iter().all(|t| select::passes(self.cx.book(), t, fact, against))
            }),
            Requirement::During(calendar) => self.cx.book().calendar(*calendar).is_open(self.duty.start),
            // Only what is one too many becomes a duty: see `quotas`.
            Requirement::Quota(..) => false,
            Requirement::Before(leaf, ahead) => self.came_before(leaf, ahead.as_ref()),
            Requirement::Any(of) => of.iter().any(|r| self.holds(r)),
            Requirement::All(of) => of.iter().all(|r| self.holds(r)),
        }
    }

    fn came_before(&self, leaf: &Match, ahead: Option<&(Span, CalendarId)>) -> bool {
        let latest = ahead.map_or(Moment::NEVER, |(span, id)| self.ahead(span, *id));
        let names = self.cx.book().names();
        let fits =
            |fact: &Fact<'_>| fact.at() <= latest && acts::leaf_meets(leaf, *fact, self.duty, self.cx) == Met::Yes;
        let named: Vec<&str> = match leaf.on {
            Some(field) => acts::targets(self.anchor, field, self.cx).collect(),
            None => Vec::new(),
        };
        // What the anchor's own instant orders before it came before; copies of linked facts are ordered among them.
        let at_place = |fact: &Fact<'_>| acts::at_place(leaf, *fact, self.rule, self.anchor, self.cx);
        if named.len() < 2 {
            return self.cx.before().any(|f| at_place(&f) && fits(&f));
        }
        named.iter().all(|one| self.cx.before().any(|f| f.origin().is_some_and(|o| names.text(o) == *one) && fits(&f)))
    }

    /// The latest instant that lies so long before the anchor.
    fn ahead(&self, span: &Span, id: CalendarId) -> Moment {
        let calendar = self.cx.book().calendar(id);
        let start = self.duty.start;
        match span {
            Span::WorkingDays(n) => {
                let day = calendar.working_day(start, -(*n as i32));
                day.and_then(|d| calendar.close_of(d)).unwrap_or(Moment::DAWN)
            }
            Span::CalendarDays(n) => {
                let zone = self.rule.zone;
                let day = crate::calendar::local(zone, start).date().checked_sub_days(chrono::Days::new(u64::from(*n)));
                let end = day.and_then(|d| d.succ_opt());
                end.map_or(Moment::DAWN, |d| crate::calendar::instant(zone, d, 0))
            }
            Span::Months(n) => {
                let at = crate::calendar::local(self.rule.zone, start);
                let day = at.date().checked_sub_months(chrono::Months::new(*n));
                let minute = (chrono::Timelike::hour(&at) * 60 + chrono::Timelike::minute(&at)) as u16;
                day.map_or(Moment::DAWN, |d| crate::calendar::instant(self.rule.zone, d, minute))
            }
            other => match limits::target(other, id, calendar, self.rule.zone, start) {
                Target::Length(ms, id) => self.cx.book().calendar(id).sub(start, ms).unwrap_or(Moment::DAWN),
                Target::Fixed(at) => at,
            },
        }
    }
}
