//! Merged tickets: of two duties of one obligation one is left, from the earlier trigger; nothing begins anew, and
//! nothing is got rid of.
//!
//! The facts of a merged ticket are copied to the one that it was merged into. There the merged one is judged up to the
//! merge, and what it still owed goes on.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Clocks, Duty, Flags};
use crate::fact::{Fact, Value};
use crate::fold::View;
use crate::timeline::Timeline;

impl Fold {
    /// The subject that this one was merged into.
    pub(crate) fn merged_into(&self) -> Option<&str> {
        self.memory.as_ref().and_then(|m| m.merged.as_deref())
    }

    /// This subject is merged into another, or another into this one.
    pub(super) fn merge<T: Trace>(&mut self, fact: Fact<'_>, opening: bool, cx: &mut Cx<'_, '_, T>) {
        let Some(into) = into(fact, cx) else {
            cx.trace.note(fact.at(), None, &|| format!("{} says not into what: no effect", fact.id()));
            return;
        };
        if fact.linked() {
            if into == cx.view.subject && opening && !self.is_away() {
                self.take_over(fact, cx);
            }
            return;
        }
        if into == cx.view.subject || self.merged_into().is_some() {
            return;
        }
        cx.trace.note(fact.at(), None, &|| format!("merged into {into} ({}): it goes on there", fact.id()));
        // What it owed goes on there; what it broke stays broken here.
        self.cancel(fact, cx);
        self.memory().merged = Some(into);
    }

    /// What a merged subject still owed goes on here.
    fn take_over<T: Trace>(&mut self, merge: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let names = cx.book().names();
        let Some(origin) = merge.origin().map(|o| names.text(o).to_owned()) else { return };
        let facts = facts_of(&origin, cx);
        let mut theirs = Fold::default();
        let mut aside = cx.trace.aside();
        {
            let view = View { timeline: &facts, subject: &origin, ..cx.view };
            theirs.begin_at_home(view);
            let mut there = Cx { view, trace: &mut aside, links: &mut Vec::new(), position: 0, passing: false };
            let mut offset = 0;
            for fact in facts.facts() {
                there.position = offset;
                offset += fact.bytes().len();
                if fact.key() == merge.key() {
                    break;
                }
                theirs.step(fact, &mut there);
                there.trace.taken(fact, &theirs);
            }
            theirs.advance(merge.at(), &mut there);
            for duty in &mut theirs.open {
                Fold::settle(duty, merge.at(), &mut there);
            }
        }
        for duty in theirs.open {
            self.join(duty, merge, &mut aside, cx);
        }
    }

    /// One duty of a merged subject, and what this subject has of the same obligation.
    fn join<T: Trace>(&mut self, theirs: Duty, merge: Fact<'_>, aside: &mut T, cx: &mut Cx<'_, '_, T>) {
        let at = merge.at();
        let rule = cx.rule(theirs.rule);
        let same = |d: &Duty| cx.view.book.rule(d.rule).family == rule.family;
        let over = theirs.flags.has(Flags::BROKEN) || theirs.flags.has(Flags::FINDING);
        if over || self.open.iter().chain(&self.ended).any(|d| same(d) && d.key == theirs.key) {
            return;
        }
        let mine = (0..self.open.len()).filter(|i| same(&self.open[*i])).min_by_key(|i| self.open[*i].start);
        let Some(i) = mine else {
            // Done here since it was owed there: done for both.
            let since = theirs.acts_from();
            let ended = |d: &Duty| same(d) && d.ended >= since && !d.flags.has(Flags::CANCELLED);
            let done = rule.act().is_some_and(|act| acts::evaluate(act, &theirs, rule, cx).0.is_some());
            if !done && !self.ended.iter().any(ended) {
                cx.trace.adopted(&theirs, aside);
                self.adopt(theirs, None, merge, cx);
            }
            return;
        };
        Fold::settle(&mut self.open[i], at, cx);
        if self.open[i].flags.has(Flags::BROKEN) {
            return;
        }
        if theirs.start < self.open[i].start {
            let mine = self.open[i].clone();
            cx.trace.adopted(&theirs, aside);
            cx.trace.runs_along(&theirs, &mine, None);
            self.adopt(theirs, Some(&mine), merge, cx);
            let kind = merge.kind();
            self.end(i, at, kind, true, cx);
            return;
        }
        let mut mine = self.open[i].clone();
        cx.trace.runs_along(&mine, &theirs, Some(aside));
        run_along(&mut mine, &theirs);
        self.go_on(&mut mine, merge, cx);
        self.open[i] = mine;
    }

    /// A duty of a merged subject goes on here, entire; what this subject would have owed runs along.
    fn adopt<T: Trace>(&mut self, mut duty: Duty, mine: Option<&Duty>, merge: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        // Pauses and waivers of the one are none of the other.
        for flag in [Flags::HELD, Flags::CAPPED, Flags::WAIVED, Flags::CLAIMED] {
            duty.flags.put(flag, false);
        }
        if let Some(more) = &mut duty.more {
            (more.held_since, more.waivers) = (None, Vec::new());
        }
        let rule = cx.rule(duty.rule);
        let anchor = cx.anchor(&duty);
        for field in rule.act().map(|a| a.leaves()).unwrap_or_default().iter().filter_map(|l| l.on) {
            let named: Vec<String> = acts::targets(anchor, field, cx).map(str::to_owned).collect();
            cx.links.extend(named);
        }
        if let Some(mine) = mine {
            run_along(&mut duty, mine);
        }
        self.add_waivers(&mut duty, anchor, cx);
        let waived = |d: &Duty| {
            let spans = d.more.iter().flat_map(|m| &m.waivers);
            spans.into_iter().any(|w| w.starts.max(w.approved) <= merge.at() && merge.at() < w.ends)
        };
        let on = waived(&duty);
        duty.flags.put(Flags::WAIVED, on);
        self.go_on(&mut duty, merge, cx);
        self.open.push(duty);
    }

    fn go_on<T: Trace>(&mut self, duty: &mut Duty, merge: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let text = || "a merged ticket: one duty from the earlier trigger, by the limit that ends first".to_owned();
        cx.trace.note(merge.at(), Some(duty), &text);
        self.hold(duty, merge.at(), cx);
        Fold::find_deadline(duty, cx);
        duty.flags.put(Flags::NEWS, true);
    }
}

/// The rows of the other apply as well, to the time that the duty has used: the earliest deadline binds.
fn run_along(duty: &mut Duty, other: &Duty) {
    if other.flags.has(Flags::EXEMPT) {
        return;
    }
    let mut clocks: Clocks =
        if duty.flags.has(Flags::EXEMPT) { Clocks::new() } else { duty.clocks().copied().collect() };
    let own = clocks.clone();
    for theirs in other.clocks() {
        let mut clock = *theirs;
        if let Some(kept) = own.iter().find(|c| c.calendar == clock.calendar).or(own.first())
            && clock.state == crate::duty::ClockState::Counting
            && kept.state == crate::duty::ClockState::Counting
        {
            clock.elapsed = kept.elapsed;
        }
        if !clocks.contains(&clock) {
            clocks.push(clock);
        }
    }
    duty.flags.put(Flags::EXEMPT, false);
    duty.set_clocks(clocks);
}

/// The subject that a merge names.
fn into<T: Trace>(fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> Option<String> {
    let names = cx.book().names();
    match fact.field(names.well_known().into)? {
        Value::One(atom) => Some(names.text(atom).to_owned()),
        Value::List(_) => None,
    }
}

/// The timeline of another subject, as far as copies of it have come here: its own facts, and copies that it had.
fn facts_of<T: Trace>(origin: &str, cx: &Cx<'_, '_, T>) -> Timeline {
    let names = cx.book().names();
    let rank = |t| names.about(t).rank;
    let mut out = Timeline::default();
    for fact in cx.view.timeline.facts().filter(|f| f.linked()) {
        let theirs = fact.origin().is_some_and(|o| names.text(o) == origin);
        let mut bytes = Vec::new();
        if theirs {
            fact.own_again(&mut bytes);
        } else {
            bytes.extend_from_slice(fact.bytes());
        }
        if let Some((fact, _)) = Fact::split(&bytes) {
            out.insert(fact, &rank);
        }
    }
    out
}
