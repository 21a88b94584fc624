//! How a duty begins, and what is known by then that bears on it: on the subject itself, elsewhere, or since, where the news of it
//! came late.

use super::opening::{Opening, current};
use super::{Cx, Fold, Trace, acts};
use crate::duty::{Clocks, Duty, Flags, More};
use crate::fact::Fact;
use crate::limits;
use crate::rule::{Form, Rule};
use crate::select::{self, Met};
use crate::terms::{Period, Span};
use crate::time::Moment;
use xxhash_rust::xxh3::xxh3_64;

impl Fold {
    /// Makes the duty and looks at what is already known that bears on it.
    #[inline(never)]
    pub(super) fn birth<'a, T: Trace>(
        &mut self,
        opening: Opening<'a>,
        more: Option<More>,
        scheduled: bool,
        cx: &mut Cx<'a, '_, T>,
    ) {
        let Opening { rule: id, key, fact, start, acts_from, tied } = opening;
        let rule = cx.rule(id);
        let mut duty = Duty::new(id, key, start);
        duty.more = more.map(Box::new);
        if acts_from != start {
            duty.more_mut().acts_from = Some(acts_from);
        }
        duty.flags.put(Flags::SCHEDULED, scheduled);
        cx.trace.note(start, Some(&duty), &|| match fact {
            Some(fact) => format!("begins with {} ({})", cx.view.book.names().about(fact.kind()).name, fact.id()),
            None => "begins".to_owned(),
        });
        if let Form::Requires(table) = &rule.form {
            self.add_waivers(&mut duty, fact, cx);
            self.judge_requirement(duty, table, rule, fact, cx);
            return;
        }
        if rule.elsewhere {
            look_elsewhere(rule, fact, &mut duty, cx);
        }
        let clocks = self.clocks_for(rule, fact, start, cx);
        duty.flags.put(Flags::EXEMPT, clocks.is_empty());
        duty.set_clocks(clocks);
        if super::limits(rule).iter().any(|l| !l.from.is_empty()) {
            self.begin_earlier_limits(&mut duty, rule, cx);
        }
        self.add_waivers(&mut duty, fact, cx);
        // So it is when what began it became known only with a later fact.
        let retroactive = fact.is_some_and(|f| acts_from < f.at())
            || rule.begins_next && super::periods::is_renewed(&duty) && acts_from < self.at;
        if retroactive {
            self.catch_up(duty, acts_from, cx);
            return;
        }
        self.hold(&mut duty, start, cx);
        Fold::find_deadline(&mut duty, cx);
        self.open.push(duty);
        if cx.position > 0
            && let Some(fact) = fact
            && (tied || cx.about(fact).opening)
        {
            self.at_birth(fact, rule, cx);
        }
    }

    /// The clocks of a rule for a duty that counts from `start`.
    #[inline(always)]
    pub(super) fn clocks_for<'a, T: Trace>(
        &self,
        rule: &'a Rule,
        anchor: Option<Fact<'a>>,
        start: Moment,
        cx: &Cx<'a, '_, T>,
    ) -> Clocks {
        let facts = |field| cx.known(anchor, field);
        match &rule.form {
            Form::Within { limits, .. } => limits::clocks(cx.book(), rule, limits, &facts, start),
            Form::Every { limits, .. } if !limits.is_empty() => limits::clocks(cx.book(), rule, limits, &facts, start),
            Form::Every { period, calendar, .. } => {
                let spans = limits::rows(period, &facts, limits::day_of(period, rule.zone, start));
                let row = |p: &Period| period.rows.iter().position(|r| std::ptr::eq(&r.value, p)).unwrap_or(0);
                let sliding = spans.into_iter().filter_map(|p| match p {
                    Period::Sliding(span) => Some((row(p), span)),
                    Period::Calendar(_) => None,
                });
                let (id, calendar) = (*calendar, cx.book().calendar(*calendar));
                let mut out: Clocks = sliding
                    .map(|(row, span): (usize, &Span)| limits::clock(span, (0, row), id, calendar, rule.zone, start))
                    .collect();
                out.dedup();
                out
            }
            Form::Requires(_) => Clocks::new(),
        }
    }

    /// What was known before the anchor and still holds: a state of the subject dated before its opening, and an act of
    /// the anchor's own instant that is ordered before it.
    #[cold]
    fn at_birth<'a, T: Trace>(&mut self, fact: Fact<'a>, rule: &Rule, cx: &mut Cx<'a, '_, T>) {
        let opening = cx.about(fact).opening;
        let Some(i) = self.open.len().checked_sub(1) else { return };
        let mut act_by = None;
        let mut cancelled = None;
        for earlier in cx.before() {
            let about = cx.about(earlier);
            let same_instant =
                earlier.at() == fact.at() && !rule.anchor.events.iter().any(|e| e.kind == earlier.kind());
            let standing = opening && about.state && !earlier.linked();
            if about.effect == crate::vocabulary::Effect::Cancelled && opening && !earlier.linked() {
                cancelled = Some(earlier);
            }
            if act_by.is_some_and(|(kind, _)| about.undoes.contains(&kind)) {
                act_by = None;
            }
            let Some(act) = rule.act().filter(|a| a.simple() && (same_instant || standing)) else { continue };
            let met = act.leaves().iter().any(|leaf| {
                acts::at_place(leaf, earlier, rule, Some(fact), cx)
                    && acts::leaf_meets(leaf, earlier, &self.open[i], cx) == Met::Yes
            });
            if met {
                let first = act_by.map_or(earlier.at(), |(_, first)| first);
                act_by = Some((earlier.kind(), first));
            }
        }
        let start = self.open[i].start.max(fact.at());
        let Some((by, at)) = act_by.or(cancelled.map(|earlier| (earlier.kind(), earlier.at()))) else { return };
        let is_this = {
            let (rule, key) = (self.open[i].rule, self.open[i].key);
            move |duty: &Duty| duty.rule == rule && duty.key == key
        };
        // Overdue at birth, by a limit that counts from before it, and done only after that.
        if self.open[i].deadline < at {
            self.breach(i, start, cx);
        }
        if let Some(i) = self.open.iter().position(is_this) {
            self.end(i, start, by, act_by.is_none(), cx);
        }
    }

    /// A duty that began before the news of it joins the others when it has heard what happened since.
    #[cold]
    fn catch_up<T: Trace>(&mut self, mut duty: Duty, from: Moment, cx: &mut Cx<'_, '_, T>) {
        Fold::find_deadline(&mut duty, cx);
        let Fold { mut open, mut ended, memory, .. } = self.replay(duty, from, cx);
        // A period that it begins may have begun here already: one duty a period.
        let family = |d: &Duty| cx.rule(d.rule).family;
        let known = |d: &Duty| self.open.iter().chain(&self.ended).any(|o| o.key == d.key && family(o) == family(d));
        open.retain(|d| !known(d));
        ended.retain(|d| !known(d));
        self.open.extend(open);
        ended.into_iter().for_each(|d| self.retire(d));
        // And what recurs from there on goes on here.
        if let Some(grown) = memory.filter(|grown| !grown.periods.is_empty() || !grown.recurring.is_empty()) {
            let memory = self.memory();
            for plan in grown.periods {
                if memory.periods.iter().all(|p| p.rule != plan.rule) {
                    memory.periods.push(plan);
                }
            }
            for (family, goes_on) in grown.recurring {
                if memory.recurring.iter().all(|(known, _)| *known != family) {
                    memory.recurring.push((family, goes_on));
                }
            }
        }
    }

    /// What happened since is told to it alone.
    fn replay<'a, T: Trace>(&self, duty: Duty, from: Moment, cx: &mut Cx<'a, '_, T>) -> Fold {
        let mut alone = Fold::default();
        let mut duty = Some(duty);
        let (position, passing) = (cx.position, std::mem::replace(&mut cx.passing, false));
        let mut offset = 0;
        let facts: Vec<Fact<'a>> = cx.before().collect();
        for fact in facts {
            cx.position = offset;
            offset += fact.bytes().len();
            if fact.at() >= from
                && let Some(mut duty) = duty.take()
            {
                alone.at = from;
                alone.hold(&mut duty, from, cx);
                Fold::find_deadline(&mut duty, cx);
                alone.begin_alone(duty, cx);
            }
            alone.advance(fact.at(), cx);
            alone.take(fact, cx, false);
            alone.schedule(cx);
        }
        (cx.position, cx.passing) = (position, passing);
        if let Some(mut duty) = duty {
            alone.at = from;
            alone.hold(&mut duty, from, cx);
            Fold::find_deadline(&mut duty, cx);
            alone.begin_alone(duty, cx);
        }
        alone.advance(self.at, cx);
        alone
    }

    /// A duty of which nothing else is known begins.
    fn begin_alone<T: Trace>(&mut self, duty: Duty, cx: &mut Cx<'_, '_, T>) {
        self.open.push(duty);
        if cx.view.sheet.populations {
            self.gather(cx);
        }
        self.schedule(cx);
    }

    /// The act was undone too late for the old duty: a new one, on the terms now in force.
    pub(super) fn next_cycle<T: Trace>(&mut self, before: &Duty, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let Some(fact) = current(fact, cx) else { return };
        let at = fact.at();
        let mut id = before.rule;
        while let Some((_, next)) = cx.rule(id).next.filter(|(since, _)| *since <= at) {
            id = next;
        }
        let mut more = More { cycle: before.cycle() + 1, root: before.root(), ..More::default() };
        let family = cx.rule(id).family;
        let taken = |d: &Duty| d.key == fact.key() && cx.view.book.rule(d.rule).family == family;
        let elsewhere = fact.linked();
        let key = if elsewhere || self.open.iter().chain(&self.ended).any(taken) {
            // One reopening begins a new cycle of several duties: each has a name of its own.
            more.anchor = Some(if elsewhere { before.anchor() } else { fact.key() });
            xxh3_64(&[fact.key().to_le_bytes(), before.root().to_le_bytes()].concat())
        } else {
            fact.key()
        };
        // Undone before the time that the duty was about, nothing is late before that.
        let start = at.max(before.start);
        // What was undone on another subject says nothing of this one: it is about what it was about before.
        let fact = (!elsewhere).then_some(fact);
        let opening = Opening { rule: id, key, fact, start, acts_from: at, tied: false };
        self.birth(opening, Some(more), false, cx);
    }

    /// Duties that are there already may look for their acts on the subjects that this fact names.
    #[inline(always)]
    pub(super) fn look_there<T: Trace>(&self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        for field in &cx.view.sheet.on {
            if fact.field(*field).is_some() {
                let looks = |duty: &Duty| cx.rule(duty.rule).looks_on().contains(field);
                if self.open.iter().chain(&self.ended).any(looks) {
                    cx.links.extend(select::named(cx.view.book, fact, *field).map(str::to_owned));
                }
            }
        }
    }
}

/// The subjects on which the act of a duty that begins is looked for.
#[cold]
fn look_elsewhere<'a, T: Trace>(rule: &Rule, fact: Option<Fact<'a>>, duty: &mut Duty, cx: &mut Cx<'a, '_, T>) {
    if rule.populated {
        duty.more_mut();
        super::populations::look_back(duty, cx);
    }
    for field in rule.looks_on() {
        if fact.is_some_and(|fact| fact.field(field).is_some()) {
            let targets: Vec<String> = acts::targets(fact, field, cx).map(str::to_owned).collect();
            cx.links.extend(targets);
            continue;
        }
        // All that others of its subject's facts name, whenever: which of them counts is seen act by act, and what is asked for
        // must not depend on which was heard first.
        let others = cx.view.timeline.facts().filter(|fact| !fact.linked());
        cx.links.extend(others.flat_map(|fact| select::named(cx.view.book, fact, field)).map(str::to_owned));
    }
}
