//! What is looked for: events, acts and requirements, compiled.

use super::compile::Compiler;
use super::kept::{innermost, named_in};
use crate::fact::TypeId;
use crate::rule::*;
use crate::terms::{self, Trust};
use crate::vocabulary::KindId;

impl Compiler<'_> {
    /// Obligations of the contract that is compiled, by id.
    pub(super) fn duties(&self, ids: &[String], breached: bool) -> Named {
        let (name, v) = &self.of;
        let of = ids.iter().filter_map(|id| self.ids.get(&(name.clone(), *v, id.clone())).copied()).collect();
        // Where they are is known when all are compiled: see `abroad`.
        Named { of, breached, on: None }
    }

    /// Duties that another duty looks at and that are on subjects of another kind: all that is said of such a subject
    /// is copied to who looks.
    pub(super) fn abroad(&mut self) {
        for id in 0..self.rules.len() {
            let (own, wide) = (self.rules[id].anchor.kinds.clone(), self.rules[id].wide);
            let kind_of = |rules: &[Rule], named: &Named| {
                let target = named.of.first().map(|id| &rules[usize::from(*id)])?;
                let kind = *target.anchor.kinds.first()?;
                (!wide && !target.wide && !own.contains(&kind)).then_some(kind)
            };
            let mut rule = self.rules[id].clone();
            let mut found = Vec::new();
            for named in named_in(&mut rule) {
                if let Some(kind) = kind_of(&self.rules, named) {
                    let target = self.names.kind_name(kind).to_owned();
                    let field = self.names.field(&target);
                    named.on = Some((field, kind));
                    found.push((kind, field));
                }
            }
            if found.is_empty() {
                continue;
            }
            for (kind, field) in found {
                for event in &rule.anchor.events {
                    self.names.want(event.kind, field);
                }
                self.subject_fact(&own, field);
                self.all_linked.push(kind);
            }
            self.rules[id] = rule;
        }
    }

    pub(super) fn requirement(
        &mut self,
        r: &terms::Requirement,
        trust: Trust,
        kinds: &[KindId],
        anchor: &Anchor,
    ) -> Requirement {
        match r {
            terms::Requirement::Before(event) => Requirement::Before(self.elsewhere(event, trust, kinds, anchor), None),
            terms::Requirement::Ahead(event, span, calendar) => {
                let calendar = calendar.map_or(0, |c| self.first + c as CalendarId);
                Requirement::Before(self.elsewhere(event, trust, kinds, anchor), Some((span.clone(), calendar)))
            }
            terms::Requirement::Duty(ids, breached) => Requirement::Duty(self.duties(ids, *breached)),
            terms::Requirement::Itself(tests) => {
                let tests = tests.iter().map(|t| self.test(t)).collect::<Vec<_>>();
                for event in &anchor.events {
                    for test in &tests {
                        self.names.want(event.kind, test.field);
                    }
                }
                Requirement::Itself(tests)
            }
            terms::Requirement::During(calendar) => Requirement::During(self.first + *calendar as CalendarId),
            terms::Requirement::Quota(most, each) => {
                // Counted where all of the partner's acts are: in its own timeline.
                for event in &anchor.events {
                    self.names.about_mut(event.kind).partner_wide = true;
                    let control = self.names.well_known().control;
                    self.names.want(event.kind, control);
                }
                Requirement::Quota(*most, *each)
            }
            terms::Requirement::Any(of) => {
                Requirement::Any(of.iter().map(|r| self.requirement(r, trust, kinds, anchor)).collect())
            }
            terms::Requirement::InOrder(of) => {
                Requirement::InOrder(of.iter().map(|r| self.requirement(r, trust, kinds, anchor)).collect())
            }
            terms::Requirement::All(of) => {
                Requirement::All(of.iter().map(|r| self.requirement(r, trust, kinds, anchor)).collect())
            }
        }
    }

    pub(super) fn act(&mut self, act: &terms::Act, trust: Trust, kinds: &[KindId], anchor: &Anchor) -> Act {
        if let Some(population) = act.population() {
            return self.population(population, act, trust, anchor);
        }
        match act {
            terms::Act::One(event) => Act::One(self.elsewhere(event, trust, kinds, anchor)),
            terms::Act::Any(of) => Act::Any(of.iter().map(|a| self.act(a, trust, kinds, anchor)).collect()),
            terms::Act::All(of) => Act::All(of.iter().map(|a| self.act(a, trust, kinds, anchor)).collect()),
            terms::Act::InOrder(of) => Act::InOrder(of.iter().map(|a| self.act(a, trust, kinds, anchor)).collect()),
            terms::Act::Duty(ids, breached) => Act::Duty(self.duties(ids, *breached)),
        }
    }

    /// Acts of a duty of the partner as a whole are read on whatever subject they happen.
    pub(super) fn partner_act(&mut self, act: &terms::Act, trust: Trust) -> Act {
        if let Some(population) = act.population() {
            return self.population(population, act, trust, &Anchor::default());
        }
        match act {
            terms::Act::One(event) => {
                let one = self.event(event, trust);
                self.names.about_mut(one.kind).partner_wide = true;
                if one.evidenced().is_some() {
                    for name in ["evidence.submitted", "evidence.accepted", "evidence.rejected"] {
                        let t = self.names.declare(name);
                        self.names.about_mut(t).partner_wide = true;
                    }
                }
                Act::One(one)
            }
            terms::Act::Any(of) => Act::Any(of.iter().map(|a| self.partner_act(a, trust)).collect()),
            terms::Act::All(of) => Act::All(of.iter().map(|a| self.partner_act(a, trust)).collect()),
            terms::Act::InOrder(of) => Act::InOrder(of.iter().map(|a| self.partner_act(a, trust)).collect()),
            terms::Act::Duty(ids, breached) => Act::Duty(self.duties(ids, *breached)),
        }
    }

    /// An event that may be on another kind of subject than the anchor: then links lead to it.
    pub(super) fn elsewhere(
        &mut self,
        event: &terms::EventMatch,
        trust: Trust,
        kinds: &[KindId],
        anchor: &Anchor,
    ) -> Match {
        let mut out = self.event(event, trust);
        if !kinds.is_empty() && !kinds.contains(&out.subject) {
            let target = self.names.kind_name(out.subject).to_owned();
            let field = self.names.field(&target);
            out.on = Some(field);
            self.names.about_mut(out.kind).linked = true;
            for event in &anchor.events {
                self.names.want(event.kind, field);
            }
            self.subject_fact(kinds, field);
        }
        if out.evidenced().is_some() {
            for name in ["evidence.submitted", "evidence.accepted", "evidence.rejected"] {
                let t = self.names.declare(name);
                self.names.about_mut(t).linked = true;
            }
        }
        for test in &out.tests {
            if let Want::SameAs(field) = innermost(&test.want) {
                for event in &anchor.events {
                    self.names.want(event.kind, *field);
                }
            }
        }
        out
    }

    pub(super) fn event(&mut self, event: &terms::EventMatch, trust: Trust) -> Match {
        let kind = self.names.declare(&event.kind);
        let subject = self.names.about(kind).kind;
        let mut tests: Vec<Test> = event.tests.iter().map(|t| self.test(t)).collect();
        if self.shared.contains(&event.kind) && event.of.is_none() {
            // What is shared concerns those who ask for it, and nothing else that begins or stops with such an event.
            tests.push(Test { field: self.names.field(super::stacks::SHARED), want: Want::Absent });
        }
        for test in &tests {
            self.names.want(kind, test.field);
        }
        if event.by.is_some() {
            let known = *self.names.well_known();
            self.names.want(kind, known.side);
            self.names.want(kind, known.role);
        }
        let rare = self.beside(event, kind, trust);
        Match { kind, subject, tests, by: event.by.clone(), trust: event.trust.unwrap_or(trust), on: None, rare }
    }

    pub(super) fn beside(&mut self, event: &terms::EventMatch, kind: TypeId, trust: Trust) -> Option<Box<Beside>> {
        if event.since.is_none() && event.evidenced.is_none() && event.time.is_none() {
            // Which of several counts is the anchor's to say.
            return None;
        }
        let time = event.time.as_ref().map(|field| {
            let field = self.names.field(field);
            self.names.want(kind, field);
            field
        });
        let since = event.since.as_ref().map(|s| {
            let zone = self.zone;
            let calendar = s.calendar.map_or(0, |c| self.first + c as CalendarId);
            let event = self.event(&s.event, trust);
            Since { event, latest: s.latest, more: s.more, span: s.span.clone(), calendar, zone }
        });
        if event.evidenced.is_some() {
            let known = *self.names.well_known();
            self.names.want(kind, known.evidence);
            for name in ["evidence.submitted", "evidence.accepted", "evidence.rejected"] {
                let t = self.names.declare(name);
                self.names.about_mut(t).reaches_back = true;
                self.names.want(t, known.side);
                self.names.want(t, known.role);
            }
        }
        Some(Box::new(Beside { time, pick: None, since, evidenced: event.evidenced.clone() }))
    }

    /// An anchor may have to follow an event on another kind of subject: links lead there.
    pub(super) fn since_elsewhere(&mut self, events: &mut [Match]) {
        for event in events {
            let (kind, own) = (event.kind, event.subject);
            let Some(since) = event.rare.as_mut().and_then(|rare| rare.since.as_mut()) else { continue };
            if since.event.subject == own {
                continue;
            }
            let target = self.names.kind_name(since.event.subject).to_owned();
            let field = self.names.field(&target);
            since.event.on = Some(field);
            self.names.about_mut(since.event.kind).linked = true;
            self.names.want(kind, field);
            self.subject_fact(&[own], field);
        }
    }

    pub(super) fn test(&mut self, test: &terms::Test) -> Test {
        Test { field: self.names.field(&test.field), want: self.want(&test.want) }
    }

    pub(super) fn want(&mut self, want: &terms::Want) -> Want {
        match want {
            terms::Want::Present => Want::Present,
            terms::Want::Absent => Want::Absent,
            terms::Want::OneOf(texts) => {
                let (patterns, exact): (Vec<_>, Vec<_>) = texts.iter().partition(|t| t.contains('*'));
                let patterns = patterns.into_iter().cloned().collect();
                Want::OneOf(exact.into_iter().map(|t| self.names.constant(t)).collect(), patterns)
            }
            terms::Want::Not(inner) => Want::Not(Box::new(self.want(inner))),
            terms::Want::SameAs(field) if field == "subject" => Want::SameAsSubject,
            terms::Want::SameAs(field) => Want::SameAs(self.names.field(field)),
            terms::Want::MoreThan(n) => Want::Number(Some((*n, false)), None),
            terms::Want::AtLeast(n) => Want::Number(Some((*n, true)), None),
            terms::Want::LessThan(n) => Want::Number(None, Some((*n, false))),
            terms::Want::AtMost(n) => Want::Number(None, Some((*n, true))),
        }
    }
}
