//! Subjects that are handed from one partner to another.
//!
//! Both have the subject's facts from before. What the one owes ends with the handover, and what it broke stays broken. What
//! the other one would owe then, had the subject been its own all along, begins with the handover, with the whole of its limits.

use super::{Cx, Fold, Silent, Trace, View, origins, populations, rebase};
use crate::book::Book;
use crate::duty::{ClockState, Duty, Flags, More};
use crate::fact::{Fact, FieldId, Value};
use crate::rule::{Form, RuleId};
use crate::time::Moment;
use crate::vocabulary::Effect;
use xxhash_rust::xxh3::xxh3_64;

/// Which way a subject goes, as one partner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// It is handed to another.
    Out,
    /// Another hands it to this one.
    In,
}

/// Which way a fact moves its subject; None: it is no handover, or none that concerns the partner.
pub(crate) fn way(fact: Fact<'_>, partner: &str, book: &Book) -> Option<Way> {
    if book.names().about(fact.kind()).effect != Effect::Rehomed {
        return None;
    }
    let (from, to) = parties(fact, book)?;
    match () {
        () if from == to => None,
        () if from == partner => Some(Way::Out),
        () if to == partner => Some(Way::In),
        () => None,
    }
}

/// From whom to whom a subject is handed.
pub(crate) fn parties<'a>(fact: Fact<'a>, book: &'a Book) -> Option<(&'a str, &'a str)> {
    let known = book.names().well_known();
    let one = |field: FieldId| match fact.field(field)? {
        Value::One(atom) => Some(book.names().text(atom)).filter(|text| !text.is_empty()),
        Value::List(_) => None,
    };
    Some((one(known.from)?, one(known.to)?))
}

impl Fold {
    /// Whether the subject is this partner's from the beginning: not if the first that is told of it is that it came from
    /// another.
    pub fn begin_at_home(&mut self, view: View<'_>) {
        if view.subject == view.partner {
            return;
        }
        let own = view.timeline.facts().filter(|fact| !fact.linked());
        if own.filter_map(|fact| way(fact, view.partner, view.book)).next() == Some(Way::In) {
            self.memory().away = true;
        }
    }

    /// It is another partner's as things stand.
    pub(super) fn is_away(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.away)
    }

    /// No duty begins, and no act counts, before the subject was handed to this partner.
    #[inline(always)]
    pub(super) fn not_before_home(&self, start: Moment, acts_from: Moment) -> (Moment, Moment) {
        match self.memory.as_ref().and_then(|memory| memory.home_since) {
            Some(since) => (start.max(since), acts_from.max(since)),
            None => (start, acts_from),
        }
    }

    /// From when a limit of a duty counts: not from what happened before the subject was handed to this partner, unless the duty
    /// is older than that, of a ticket that was merged into this one.
    pub(super) fn counted_at_home(&self, duty: &Duty, start: Moment) -> Moment {
        match self.memory.as_ref().and_then(|memory| memory.home_since) {
            Some(since) if duty.start >= since => start.max(since),
            _ => start,
        }
    }

    /// The subject is handed over. `opening`: all of its duties are at hand, not one that is told alone what happened.
    #[cold]
    pub(super) fn rehome<T: Trace>(&mut self, fact: Fact<'_>, opening: bool, cx: &mut Cx<'_, '_, T>) {
        let Some(way) = way(fact, cx.view.partner, cx.book()).filter(|_| cx.view.subject != cx.view.partner) else {
            cx.trace.note(fact.at(), None, &|| format!("{} hands over nothing of this partner's", fact.id()));
            return;
        };
        match way {
            Way::Out if !self.is_away() => {
                cx.trace.note(fact.at(), None, &|| format!("handed over ({})", fact.id()));
                self.cancel(fact, cx);
                self.memory().away = true;
            }
            Way::In if opening && self.is_away() => {
                cx.trace.note(fact.at(), None, &|| format!("taken over ({})", fact.id()));
                self.come_home(fact, cx);
            }
            Way::Out | Way::In => {}
        }
    }

    fn come_home<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let theirs = had_it_been_here(fact, cx);
        let memory = self.memory();
        (memory.away, memory.home_since) = (false, Some(fact.at()));
        if let Some(theirs) = theirs.memory {
            // Of what was picked, and of what recurs, the subject's whole story counts.
            memory.picked = theirs.picked;
            memory.firsts = theirs.firsts;
            memory.recurring = theirs.recurring;
            for plan in theirs.periods {
                self.plan(plan.rule, plan.since.max(fact.at()), cx);
            }
        }
        let verdict = |duty: &Duty| {
            ![Flags::CANCELLED, Flags::FINDING, Flags::RENEWED, Flags::VOID].iter().any(|flag| duty.flags.has(*flag))
        };
        // Its own of an earlier time, too: undone now, they would go on through the time in which another had the subject.
        self.ended.iter_mut().for_each(|own| own.flags.put(Flags::RENEWED, true));
        self.memory().done_before = theirs.ended.into_iter().filter(verdict).collect();
        for duty in theirs.open {
            self.take_on(&duty, fact, cx);
        }
    }

    /// What another left undone is owed here from the handover on.
    fn take_on<T: Trace>(&mut self, theirs: &Duty, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let at = fact.at();
        let start = theirs.start.max(at);
        let id = in_force(theirs.rule, start, cx);
        let rule = cx.rule(id);
        // A requirement is held against whose the subject was at its anchor; a calendar's period begins by itself.
        let asks = matches!(rule.form, Form::Requires(_));
        let period = theirs.more.as_ref().is_some_and(|more| more.period_end.is_some());
        if asks || period || start >= rule.to && theirs.start < rule.to {
            return;
        }
        let key = xxh3_64(&[fact.key().to_le_bytes(), theirs.key.to_le_bytes()].concat());
        let mut duty = Duty::new(id, key, start);
        let follows = theirs.more.as_ref().and_then(|more| more.follows);
        // Of several acts those count that were done before.
        let acts_from = if rule.populated { start } else { theirs.acts_from() };
        duty.more = Some(Box::new(More {
            cycle: 1,
            root: key,
            anchor: Some(theirs.anchor()),
            follows,
            acts_from: (acts_from != start).then_some(acts_from),
            ..More::default()
        }));
        let anchor = cx.anchor(&duty);
        let said = rebase::last_with(rule, cx).or(anchor);
        let mut clocks = self.clocks_for(rule, said, start, cx);
        for clock in &mut clocks {
            // What counts from an event that has been counts from the handover.
            let waits = theirs.clocks().any(|one| one.limit == clock.limit && one.state == ClockState::Waiting);
            if clock.state == ClockState::Waiting && !waits {
                *clock = origins::counting(clock, rule, start, cx);
            }
        }
        duty.flags.put(Flags::EXEMPT, clocks.is_empty());
        duty.set_clocks(clocks);
        self.add_waivers(&mut duty, anchor, cx);
        self.hold(&mut duty, start, cx);
        Fold::find_deadline(&mut duty, cx);
        if rule.populated {
            populations::look_back(&duty, cx);
        }
        cx.trace.note(start, Some(&duty), &|| "begins with the handover".to_owned());
        self.open.push(duty);
    }
}

/// What would stand at the handover, had the subject been this partner's all along.
fn had_it_been_here<T: Trace>(handover: Fact<'_>, cx: &mut Cx<'_, '_, T>) -> Fold {
    let mut theirs = Fold::default();
    let mut there = Cx { view: cx.view, trace: &mut Silent, links: &mut *cx.links, position: 0, passing: false };
    let mut offset = 0;
    for fact in cx.view.timeline.facts() {
        if offset >= cx.position {
            break;
        }
        there.position = offset;
        offset += fact.bytes().len();
        if way(fact, cx.view.partner, cx.view.book).is_none() || fact.linked() {
            theirs.step(fact, &mut there);
        }
    }
    there.position = cx.position;
    theirs.advance(handover.at(), &mut there);
    theirs
}

/// The version of an obligation that is in force at an instant.
fn in_force<T: Trace>(rule: RuleId, at: Moment, cx: &Cx<'_, '_, T>) -> RuleId {
    let mut id = rule;
    while let Some((_, next)) = cx.rule(id).next.filter(|(since, _)| *since <= at) {
        id = next;
    }
    id
}
