//! Pauses: a set of reasons; a clock runs when no reason in the set counts for it.

use super::{ActivePause, Cx, Fold, PausedBy, Trace};
use crate::book::fits;
use crate::duty::{Duty, Flags};
use crate::fact::{Fact, FieldId, Value};
use crate::limits;
use crate::rule::{CalendarId, Rule};
use crate::time::Moment;
use crate::vocabulary::Effect;

impl Fold {
    #[inline(never)]
    pub(super) fn pause<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let reason = reason(fact, cx);
        let at = fact.at();
        // A pause and a resume of one reason at one instant, on a clock that was running, change nothing: many tools have
        // whole seconds. Whether it was running is for each obligation to say: by the pauses that were lifted just now.
        let lifted = |m: &super::Memory| -> Vec<ActivePause> {
            let now = m.lifted.iter().filter(|(when, p)| *when == at && p.reason == reason);
            now.map(|(_, p)| p.clone()).collect()
        };
        let instead_of =
            resumed_with(fact, reason.as_deref(), cx).then(|| self.memory.as_deref().map(lifted).unwrap_or_default());
        let names = cx.book().names();
        let known = names.well_known();
        let Some(confirmed) = confirmations(fact, reason.as_deref(), cx) else {
            cx.trace.note(at, None, &|| format!("pause {} is void", fact.id()));
            return;
        };
        let pause = ActivePause {
            at,
            reason,
            side: names.side(fact.field(known.side)),
            role: text(fact, known.role, cx),
            confirmed,
            instead_of,
        };
        if !self.open.is_empty() && !self.open.iter().any(|d| counts(&pause, cx.rule(d.rule), cx)) {
            cx.trace.note(at, None, &|| {
                let why = pause.reason.as_deref().unwrap_or("no reason given");
                let who = pause.side.map_or("an unknown side", |s| {
                    if s == crate::terms::Side::Customer { "the customer" } else { "the partner" }
                });
                format!("pause {} ({why}) by {who} has no effect", fact.id())
            });
        }
        self.memory().pauses.push(pause);
        self.hold_all(at, cx);
    }

    #[inline(never)]
    pub(super) fn resume<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let reason = reason(fact, cx);
        let at = fact.at();
        let memory = self.memory();
        let lifts = |p: &ActivePause| reason.is_none() || p.reason == reason;
        let (lifted, stay) = std::mem::take(&mut memory.pauses).into_iter().partition(lifts);
        memory.pauses = stay;
        let any = !Vec::is_empty(&lifted);
        // Begun at this very instant, it never held anything.
        memory.lifted.extend(lifted.into_iter().filter(|p: &ActivePause| p.at < at).map(|p| (at, p)));
        if any {
            self.hold_all(at, cx);
        }
    }

    fn hold_all<T: Trace>(&mut self, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let mut open = std::mem::take(&mut self.open);
        for duty in &mut open {
            if cx.rule(duty.rule).pause.is_some() {
                let counted = duty.counting();
                self.hold(duty, at, cx);
                // Where time counts on, as beyond the longest pause, the deadline stays, also in its own last instant.
                if duty.counting() != counted {
                    Fold::find_deadline(duty, cx);
                }
            }
        }
        self.open = open;
    }

    /// Brings a duty's held state in line with the pauses in force at `at`.
    #[inline]
    pub(super) fn hold<T: Trace>(&self, duty: &mut Duty, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let rule = cx.rule(duty.rule);
        let pauses = self.memory.as_ref().map_or(&[][..], |m| &m.pauses);
        let held = pauses.iter().any(|p| counts(p, rule, cx));
        if cx.trace.watches() && (held || duty.flags.has(Flags::HELD)) {
            let by = pauses.iter().filter(|p| counts(p, rule, cx)).map(ActivePause::shown).collect();
            cx.trace.held(at, duty, by);
        }
        if held == duty.flags.has(Flags::HELD) {
            return;
        }
        Fold::settle(duty, at, cx);
        duty.flags.put(Flags::HELD, held);
        self.hold_no_longer_than_allowed(duty, held, at, cx);
    }

    fn hold_no_longer_than_allowed<T: Trace>(&self, duty: &mut Duty, held: bool, at: Moment, cx: &mut Cx<'_, '_, T>) {
        let rule = cx.rule(duty.rule);
        let Some(cap) = rule.pause.as_ref().and_then(|p| p.cap.as_ref()) else { return };
        if held {
            let limit = super::limits(rule).first();
            let (most, calendar) = limits::cap(cx.book(), rule, cap, limit, &duty.clock, at);
            let more = duty.more_mut();
            if more.cap.is_none() {
                (more.cap, more.cap_calendar) = (Some(most), calendar);
            }
            more.held_since = Some(at);
            if more.held >= more.cap.unwrap_or(most) {
                duty.flags.put(Flags::CAPPED, true);
            }
        } else {
            let calendars = cx.book().calendars();
            let more = duty.more_mut();
            if let Some(since) = more.held_since.take() {
                more.held += calendars[usize::from(more.cap_calendar)].between(since, at);
            }
            duty.flags.put(Flags::CAPPED, false);
        }
    }
}

/// A resume of this reason, or of all, at the pause's own instant; the resume is ordered first.
fn resumed_with<T: Trace>(pause: Fact<'_>, reason: Option<&str>, cx: &Cx<'_, '_, T>) -> bool {
    cx.before().filter(|f| f.at() == pause.at() && !f.linked()).any(|f| {
        cx.about(f).effect == Effect::Resumed && self::reason(f, cx).is_none_or(|r| Some(r.as_str()) == reason)
    })
}

impl ActivePause {
    fn shown(&self) -> PausedBy {
        PausedBy { at: self.at, reason: self.reason.clone(), side: self.side, role: self.role.clone() }
    }
}

/// When the longest pause is used up, if the duty stays held.
#[cold]
pub(super) fn cap_reached<T: Trace>(duty: &Duty, cx: &Cx<'_, '_, T>) -> Option<Moment> {
    if !duty.flags.has(Flags::HELD) || duty.flags.has(Flags::CAPPED) {
        return None;
    }
    let more = duty.more.as_ref()?;
    let calendar: CalendarId = more.cap_calendar;
    cx.book().calendar(calendar).add(more.held_since?, (more.cap? - more.held).max(0))
}

fn reason<T: Trace>(fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> Option<String> {
    text(fact, cx.book().names().well_known().reason, cx)
}

fn text<T: Trace>(fact: Fact<'_>, field: FieldId, cx: &Cx<'_, '_, T>) -> Option<String> {
    match fact.field(field)? {
        Value::One(atom) => Some(cx.book().names().text(atom).to_owned()),
        Value::List(_) => None,
    }
}

/// When, by which side, in which role.
pub(super) type Confirmation = (Moment, Option<crate::terms::Side>, Option<String>);

/// Who confirmed a pause, read ahead: what comes later decides from the pause's own instant. None: it was voided.
fn confirmations<T: Trace>(pause: Fact<'_>, reason: Option<&str>, cx: &Cx<'_, '_, T>) -> Option<Vec<Confirmation>> {
    let names = cx.book().names();
    let known = names.well_known();
    let mut out = Vec::new();
    let mut offset = 0;
    for fact in cx.view.timeline.facts() {
        let later = offset > cx.position;
        offset += fact.bytes().len();
        if !later && fact.at() != pause.at() || fact.linked() {
            continue;
        }
        let effect = cx.about(fact).effect;
        if !matches!(effect, Effect::Confirmed | Effect::Voided) {
            continue;
        }
        let about = text(fact, known.reason, cx);
        if about.is_some() && about.as_deref() != reason {
            continue;
        }
        if effect == Effect::Voided {
            return None;
        }
        out.push((fact.at(), names.side(fact.field(known.side)), text(fact, known.role, cx)));
    }
    Some(out)
}

/// Whether a pause stops this obligation's clock.
fn counts<T: Trace>(pause: &ActivePause, rule: &Rule, cx: &Cx<'_, '_, T>) -> bool {
    let Some(terms) = &rule.pause else { return false };
    if pause.instead_of.as_ref().is_some_and(|before| !before.iter().any(|p| counts(p, rule, cx))) {
        return false;
    }
    let reasons = terms
        .reasons
        .as_ref()
        .is_none_or(|wanted| pause.reason.as_deref().is_some_and(|r| wanted.iter().any(|w| crate::rule::glob(w, r))));
    let role =
        |r: &Option<String>| r.as_ref().map(|r| r.split_once('.').map_or(r.clone(), |(_, name)| name.to_owned()));
    let by = terms
        .by
        .as_ref()
        .is_none_or(|parties| parties.iter().any(|p| fits(p, pause.side, role(&pause.role).as_deref())));
    let confirmed = terms.confirm.as_ref().is_none_or(|(confirm, calendar)| {
        let until = match limits::target(&confirm.within, *calendar, cx.book().calendar(*calendar), rule.zone, pause.at)
        {
            limits::Target::Length(ms, id) => cx.book().calendar(id).add(pause.at, ms).unwrap_or(Moment::NEVER),
            limits::Target::Fixed(at) => at,
        };
        pause.confirmed.iter().any(|(at, side, r)| *at <= until && fits(&confirm.by, *side, role(r).as_deref()))
    });
    reasons && by && confirmed
}
