//! `since` in business time: a selector does not know what that means, its obligation does.

use super::length;
use super::names::{Business, Cx};
use super::report::At;
use onus_engine::terms::{Act, Anchor, EventMatch, Excuse, Limit, Obligation, Requirement, Sentence, Trigger};

/// Says what "business" means in each `since` of an obligation. None: no calendar does, which has been reported.
pub(crate) fn bind(obligation: &mut Obligation, business: Business, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let mut needed = false;
    let mut visit = |event: &mut EventMatch| {
        if let Some(since) = event.since.as_mut().filter(|since| length::is_business(&since.span)) {
            since.calendar = business.position();
            needed = true;
        }
    };
    match &mut obligation.sentence {
        Sentence::Within { when, act, limits } => {
            anchor(when, &mut visit);
            acts(act, &mut visit);
            origins(limits, &mut visit);
        }
        Sentence::Every { when, act, limits, .. } => {
            when.iter_mut().for_each(|when| anchor(when, &mut visit));
            acts(act, &mut visit);
            origins(limits, &mut visit);
        }
        Sentence::Requires { when, what } => {
            anchor(when, &mut visit);
            what.rows.iter_mut().for_each(|row| requirements(&mut row.value, &mut visit));
        }
    }
    obligation.until.iter_mut().for_each(|act| acts(act, &mut visit));
    if let Some(Excuse::Event(act)) = &mut obligation.excused_by {
        acts(act, &mut visit);
    }
    cx.business(needed, business, at, "`since` is in business time")
}

type Visit<'v> = &'v mut dyn FnMut(&mut EventMatch);

fn anchor(anchor: &mut Anchor, visit: Visit<'_>) {
    for trigger in &mut anchor.any {
        if let Trigger::Event(event) = trigger {
            visit(event);
        }
    }
    anchor.whole.iter_mut().for_each(|act| acts(act, visit));
}

fn acts(act: &mut Act, visit: Visit<'_>) {
    match act {
        Act::One(event) => visit(event),
        Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter_mut().for_each(|act| acts(act, visit)),
        Act::Duty(..) => {}
    }
}

fn origins(limits: &mut [Limit], visit: Visit<'_>) {
    limits.iter_mut().flat_map(|limit| &mut limit.from).for_each(visit);
}

fn requirements(what: &mut Requirement, visit: Visit<'_>) {
    match what {
        Requirement::Before(event) | Requirement::Ahead(event, ..) => visit(event),
        Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
            of.iter_mut().for_each(|one| requirements(one, visit))
        }
        Requirement::Itself(_) | Requirement::Duty(..) | Requirement::During(_) | Requirement::Quota(..) => {}
    }
}
