//! Limits that count from another event than the anchor: from the first such event, or anew from each.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Clock, ClockState, Clocks, Duty, Flags, PARKED};
use crate::fact::{Fact, Value};
use crate::limits;
use crate::rule::{Limit, Rule};
use crate::select::Met;
use crate::time::Moment;

impl Fold {
    /// A limit counted from another event begins with it.
    pub(super) fn begin_limits<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let renews = cx.view.sheet.renews;
        for i in 0..self.open.len() {
            if renews || self.open[i].clocks().any(|c| c.state == ClockState::Waiting) {
                self.begin_limit(i, fact, cx);
            }
        }
    }

    #[cold]
    fn begin_limit<T: Trace>(&mut self, i: usize, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let rule = cx.rule(self.open[i].rule);
        let limits = super::limits(rule);
        let mut duty = self.open[i].clone();
        let anew = |limit: &Limit| limit.latest && !duty.flags.has(Flags::BROKEN) && fact.at() >= duty.start;
        let begins = |clock: &Clock| {
            let limit = limits.get(usize::from(clock.limit))?;
            (clock.row != PARKED && (clock.state == ClockState::Waiting || anew(limit))).then_some(())?;
            Some((limit, self.begun(limit, fact, &duty, rule, cx)?))
        };
        let starts: Vec<Option<(&Limit, Moment)>> = duty.clocks().map(begins).collect();
        if starts.iter().all(Option::is_none) {
            return;
        }
        let due_now = (duty.deadline == fact.at() && starts[0].is_none()).then_some(duty.clock);
        Fold::settle(&mut duty, fact.at(), cx);
        // The others count on: as they stand now, not as they stood when they were last looked at.
        let mut clocks: Clocks = duty.clocks().copied().collect();
        for (clock, start) in clocks.iter_mut().zip(starts) {
            if let Some((limit, start)) = start {
                *clock = resumed(clock, limit, rule, start, fact.at(), cx);
            }
        }
        duty.set_clocks(clocks);
        Fold::find_deadline(&mut duty, cx);
        still_due(&mut duty, due_now, fact.at());
        self.open[i] = duty;
    }

    /// A limit counted from an event that lies before the anchor: it may be overdue at birth.
    #[cold]
    pub(super) fn begin_earlier_limits<T: Trace>(&self, duty: &mut Duty, rule: &Rule, cx: &mut Cx<'_, '_, T>) {
        let limits = super::limits(rule);
        let mut clocks: Clocks = duty.clocks().copied().collect();
        for clock in clocks.iter_mut().filter(|c| c.state == ClockState::Waiting) {
            let Some(limit) = limits.get(usize::from(clock.limit)) else { continue };
            // What came after a start that lies in the past begins the limit at its own instant, when it is replayed.
            let mut earlier = cx.before().filter(|f| f.at() <= duty.start);
            let start = if limit.latest {
                earlier.filter_map(|f| self.begun(limit, f, duty, rule, cx)).last()
            } else {
                earlier.find_map(|f| self.begun(limit, f, duty, rule, cx))
            };
            if let Some(start) = start {
                *clock = resumed(clock, limit, rule, start, duty.start, cx);
            }
        }
        duty.set_clocks(clocks);
    }

    /// A limit counted from an event that came while the duty was stopped: stopped time does not count.
    #[cold]
    pub(super) fn begin_stopped_limits<T: Trace>(
        &self,
        duty: &mut Duty,
        stopped: Moment,
        now: Moment,
        cx: &mut Cx<'_, '_, T>,
    ) {
        let rule = cx.rule(duty.rule);
        let limits = super::limits(rule);
        let mut clocks: Clocks = duty.clocks().copied().collect();
        for clock in &mut clocks {
            let Some(limit) = limits.get(usize::from(clock.limit)).filter(|l| !l.from.is_empty()) else { continue };
            let anew = limit.latest && !duty.flags.has(Flags::BROKEN);
            if clock.row == PARKED || clock.state != ClockState::Waiting && !anew {
                continue;
            }
            let mut meanwhile = cx.before().filter(|f| f.at() >= stopped);
            if meanwhile.any(|f| self.begun(limit, f, duty, rule, cx).is_some()) {
                *clock = resumed(clock, limit, rule, now, now, cx);
            }
        }
        duty.set_clocks(clocks);
    }

    /// The same limit after another row of its table has come to apply: the row counts from where the limit began. None: it has not.
    pub(super) fn as_of_its_beginning<T: Trace>(
        &self,
        clock: Clock,
        duty: &Duty,
        rule: &Rule,
        cx: &Cx<'_, '_, T>,
    ) -> Option<Clock> {
        let limit = super::limits(rule).get(usize::from(clock.limit)).filter(|l| !l.from.is_empty())?;
        let mut so_far = cx.so_far();
        let start = if limit.latest {
            so_far.filter_map(|f| self.begun(limit, f, duty, rule, cx)).last()
        } else {
            so_far.find_map(|f| self.begun(limit, f, duty, rule, cx))
        };
        let row = limit.must.rows.get(usize::from(clock.row))?;
        let place = (usize::from(clock.limit), usize::from(clock.row));
        let calendar = cx.book().calendar(limit.calendar);
        Some(limits::clock(&row.value, place, limit.calendar, calendar, rule.zone, start?))
    }

    /// From when a limit counts, if this fact is what it counts from. A later instant than the fact's own gives no time.
    fn begun<T: Trace>(
        &self,
        limit: &Limit,
        fact: Fact<'_>,
        duty: &Duty,
        rule: &Rule,
        cx: &Cx<'_, '_, T>,
    ) -> Option<Moment> {
        let from = limit.from.iter().find(|from| {
            from.kind == fact.kind()
                && acts::at_place(from, fact, rule, cx.anchor(duty), cx)
                && acts::leaf_meets(from, fact, duty, cx) == Met::Yes
        })?;
        let said = from.rare.as_ref().and_then(|rare| rare.time).and_then(|field| match fact.field(field)? {
            Value::One(atom) => Moment::parse(cx.book().names().text(atom)),
            Value::List(_) => None,
        });
        let counted = self.counted_at_home(duty, said.map_or(fact.at(), |said| said.min(fact.at())));
        // A new cycle begins with nothing used.
        Some(if duty.cycle() > 1 { counted.max(duty.start) } else { counted })
    }
}

/// The clock of a limit that counts from `start`, as it stands at `now`.
fn resumed<T: Trace>(
    clock: &Clock,
    limit: &Limit,
    rule: &Rule,
    start: Moment,
    now: Moment,
    cx: &Cx<'_, '_, T>,
) -> Clock {
    let place = (usize::from(clock.limit), usize::from(clock.row));
    let (id, calendar) = (limit.calendar, cx.book().calendar(limit.calendar));
    let fresh = match limit.must.rows.get(place.1) {
        Some(row) => limits::clock(&row.value, place, id, calendar, rule.zone, start),
        None => Clock { state: ClockState::Counting, elapsed: 0, ..*clock },
    };
    if fresh.state == ClockState::Fixed || start >= now {
        return fresh;
    }
    let calendar = cx.book().calendar(fresh.calendar);
    let due = calendar.add(start, fresh.target).unwrap_or(Moment::NEVER);
    if due < now || (due == now && calendar.add(now, 0) != Some(now)) {
        let elapsed = calendar.between(start, now);
        return Clock { state: ClockState::Fixed, target: due.0, elapsed, ..fresh };
    }
    Clock { elapsed: calendar.between(start, now), ..fresh }
}

/// The clock of a limit of a duty that is taken over: it counts from then on.
#[cold]
pub(super) fn counting<T: Trace>(clock: &Clock, rule: &Rule, start: Moment, cx: &Cx<'_, '_, T>) -> Clock {
    match super::limits(rule).get(usize::from(clock.limit)) {
        Some(limit) => resumed(clock, limit, rule, start, start, cx),
        None => Clock { state: ClockState::Counting, elapsed: 0, ..*clock },
    }
}

/// Used up at the close, a limit is due then and not at the next opening, whatever becomes of the others.
pub(super) fn still_due(duty: &mut Duty, due_now: Option<Clock>, now: Moment) {
    let Some(was) = due_now.filter(|_| duty.deadline > now && duty.counting() && !duty.flags.has(Flags::BROKEN)) else {
        return;
    };
    let mut clocks: Clocks = duty.clocks().copied().collect();
    let same = |c: &Clock| (c.limit, c.row) == (was.limit, was.row) && c.elapsed == c.target;
    if let Some(i) = clocks.iter().position(same) {
        clocks.swap(0, i);
        duty.set_clocks(clocks);
        duty.deadline = now;
    }
}
