//! What opens a duty: an event, another duty's end or breach. And what does not: the same again, or what came too soon.

use super::{Cx, Fold, Trace, acts};
use crate::duty::{Duty, Flags, More};
use crate::fact::{Fact, FieldId, Value};
use crate::rule::{Form, Match, Rule, RuleId, Test};
use crate::scope::Bounds;
use crate::select::{self, Against, Met};
use crate::terms::{Period, Pick};
use crate::time::Moment;
use crate::vocabulary::{EventType, LOOKS_BACK};
use xxhash_rust::xxh3::xxh3_64;

/// What opens a duty.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) rule: RuleId,
    pub(super) key: u64,
    pub(super) fact: Option<Fact<'a>>,
    pub(super) start: Moment,
    pub(super) acts_from: Moment,
    /// Some fact of the same instant was taken in before.
    pub(super) tied: bool,
}

/// The contract's end is the last of its anchors.
#[cold]
fn is_its_end<T: Trace>(rule: &Rule, at: Moment, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    rule.closes && at == rule.to && cx.book().names().about(fact.kind()).name == crate::book::ENDED
}

/// Whether an anchor says of itself that it is outside the contract's scope.
#[cold]
fn leads_out<T: Trace>(bounds: &Bounds, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    let names = cx.book().names();
    let kind = names.kind_name(names.about(fact.kind()).kind);
    bounds.leave_out(names, kind, &cx.view.sources[usize::from(fact.source())].name, cx.view.subject, fact)
}

/// Whether the subject, as it then stands, is one of those that *every P* is about.
#[cold]
pub(super) fn is_among<'a, T: Trace>(among: &[Test], fact: Fact<'a>, cx: &Cx<'a, '_, T>) -> bool {
    let against = Against { anchor: None, subject: cx.view.subject };
    among.iter().all(|test| {
        let told = cx.so_far().filter(|f| !f.linked() && f.field(test.field).is_some()).last().unwrap_or(fact);
        select::passes(cx.book(), test, told, against)
    })
}

impl Fold {
    /// Opens what this fact opens.
    pub(super) fn open_on<T: Trace>(&mut self, fact: Fact<'_>, about: &EventType, tied: bool, cx: &mut Cx<'_, '_, T>) {
        let Some((_, fact)) = Some(()).zip(current(fact, cx)) else { return };
        if self.merged_into().is_some() || self.is_away() {
            return;
        }
        let sheet = cx.view.sheet;
        for id in &sheet.opens[usize::from(fact.kind())] {
            self.open_rule(*id, fact, tied, cx);
        }
        if sheet.supersedes {
            self.supersede(&sheet.opens[usize::from(fact.kind())], fact.key(), fact.at(), cx);
        }
        for (kind, id) in &sheet.periodic {
            // Acts begin sliding periods anew; those of the calendar begin at a creation, or where `when` says so.
            let is_act = || cx.rule(*id).act().is_some_and(|act| act.leaves().iter().any(|l| l.kind == fact.kind()));
            if *kind == about.kind && (about.opening || !is_act()) {
                self.recur(*id, fact, cx);
            }
        }
    }

    #[inline(always)]
    fn open_rule<'a, T: Trace>(&mut self, id: RuleId, fact: Fact<'a>, tied: bool, cx: &mut Cx<'a, '_, T>) {
        let rule = cx.rule(id);
        let at = fact.at();
        let subject = cx.view.subject;
        if rule.elsewhere {
            look_since(rule, fact, cx);
        }
        let meets =
            |event: &&Match| select::meets(cx.book(), event, fact, Against { anchor: None, subject }) != Met::No;
        let events = rule.anchor.events.iter();
        let found = events.clone().position(|event| meets(&event) && super::since::holds(event, fact, cx));
        // What comes too soon or too late after another event is the first all the same.
        let Some(place) = found.or_else(|| events.clone().position(|e| e.since().is_some() && meets(&e))) else {
            return;
        };
        let matched = &rule.anchor.events[place];
        if !rule.in_scope(&cx.view.sources[usize::from(fact.source())].name) {
            return;
        }
        if rule.of_source && self.is_no_news_of(rule, fact, cx) {
            return;
        }
        if !rule.among.is_empty() && !is_among(&rule.among, fact, cx) {
            return;
        }
        if rule.bounds.as_ref().is_some_and(|bounds| leads_out(bounds, fact, cx)) {
            return;
        }
        if let Some((_, control)) = &rule.control {
            let known = cx.known(Some(fact), cx.book().names().well_known().control);
            if known != Some(crate::fact::Atom::Sym(*control)) {
                return;
            }
        }
        if rule.anchor.whole.as_ref().is_some_and(|whole| !acts::completes(whole, fact, rule, cx)) {
            return;
        }
        if found.is_none() {
            self.pick_in_vain(rule, matched);
            return;
        }
        let time = matched.rare.as_ref().and_then(|rare| rare.time).or(rule.anchor.time);
        let start = time.and_then(|field| instant_in(fact, field, cx)).unwrap_or(at);
        let sliding = matches!(&rule.form, Form::Every { .. });
        if matches!(&rule.form, Form::Every { period, .. } if period.rows.iter().any(|r| matches!(r.value, Period::Calendar(_))))
        {
            return;
        }
        let first = cx.rule(rule.family).from;
        let ruled = if start.min(at) < first { at } else { start.min(at) };
        let (start, acts_from, scheduled) = if sliding && ruled < first && rule.from == first {
            // A subject that was there before the contract: its first period runs from the contract's beginning.
            (first, first, true)
        } else if ruled < rule.from || ruled >= rule.to && !is_its_end(rule, ruled, fact, cx) {
            return;
        } else {
            // What was known before the contract began is owed from then on: nothing was broken before it.
            let owed = if matches!(rule.form, Form::Requires(_)) { start } else { start.max(first) };
            (owed, start.min(at), false)
        };
        let (start, acts_from) = self.not_before_home(start, acts_from);
        let anew = sliding && place >= rule.anchor.acts;
        if anew && !self.recurs(rule) {
            return;
        }
        let already = match matched.rare.as_ref().and_then(|rare| rare.pick) {
            Some(own) => self.already_member(rule, own, fact.key(), (start, acts_from), cx),
            // An act begins the next of them, whichever of several anchors began the first.
            None if anew && rule.anchor.pick == Some(Pick::First) => {
                self.open.iter().any(|d| cx.view.book.rule(d.rule).family == rule.family)
            }
            None => self.already(rule, fact.key(), sliding, (start, acts_from), cx),
        };
        if already {
            return;
        }
        if sliding && !anew {
            self.recur_from_now(rule);
        }
        let opening = Opening { rule: id, key: fact.key(), fact: Some(fact), start, acts_from, tied };
        self.birth(opening, None, scheduled, cx);
    }

    /// The first of several anchors was this one, and it opened nothing.
    #[cold]
    fn pick_in_vain(&mut self, rule: &Rule, matched: &Match) {
        match matched.rare.as_ref().and_then(|rare| rare.pick) {
            Some((Pick::First, member)) if !self.memory().firsts.contains(&(rule.family, member)) => {
                self.memory().firsts.push((rule.family, member));
            }
            None if rule.anchor.pick == Some(Pick::First) && !self.memory().picked.contains(&rule.family) => {
                self.memory().picked.push(rule.family);
            }
            Some(_) | None => {}
        }
    }

    /// Copies of one fact open one duty; only the first, or the latest, of several anchors may count.
    #[inline(always)]
    pub(super) fn already<T: Trace>(
        &mut self,
        rule: &Rule,
        key: u64,
        sliding: bool,
        from: (Moment, Moment),
        cx: &mut Cx<'_, '_, T>,
    ) -> bool {
        let same = |d: &Duty| cx.view.book.rule(d.rule).family == rule.family;
        if self.open.iter().any(|d| d.key == key && same(d))
            || self.ended.iter().rev().take(64).any(|d| d.key == key && same(d))
        {
            return true;
        }
        match rule.anchor.pick {
            Some(Pick::First) => {
                let memory = self.memory();
                if memory.picked.contains(&rule.family) {
                    return true;
                }
                memory.picked.push(rule.family);
                false
            }
            Some(Pick::Latest) => match self.open.iter().position(|d| same(d) && !d.flags.has(Flags::BROKEN)) {
                Some(i) => {
                    self.start_anew(i, rule, key, from, cx);
                    true
                }
                None => false,
            },
            // One sliding period is open at a time.
            Some(Pick::Each) | None => sliding && self.open.iter().any(|d| same(d) && !d.flags.has(Flags::SCHEDULED)),
        }
    }

    /// The same, of a member of an anchor with a `pick` of its own: as if the obligation were written for it alone.
    #[cold]
    fn already_member<T: Trace>(
        &mut self,
        rule: &Rule,
        (pick, member): (Pick, u8),
        key: u64,
        from: (Moment, Moment),
        cx: &mut Cx<'_, '_, T>,
    ) -> bool {
        let same = |d: &Duty| cx.view.book.rule(d.rule).family == rule.family;
        if self.open.iter().chain(&self.ended).any(|d| d.key == key && same(d)) {
            return true;
        }
        match pick {
            Pick::Each => false,
            Pick::First => {
                let firsts = &mut self.memory().firsts;
                let known = firsts.contains(&(rule.family, member));
                if !known {
                    firsts.push((rule.family, member));
                }
                known
            }
            Pick::Latest => {
                let own = |d: &Duty| cx.anchor(d).and_then(|anchor| member_of(rule, anchor, cx)) == Some(member);
                let found = self.open.iter().position(|d| same(d) && !d.flags.has(Flags::BROKEN) && own(d));
                let Some(i) = found else { return false };
                self.start_anew(i, rule, key, from, cx);
                true
            }
        }
    }

    /// Another event counts now: the duty starts anew, and acts count from where they would if it had begun with that one.
    #[cold]
    fn start_anew<T: Trace>(
        &mut self,
        i: usize,
        rule: &Rule,
        key: u64,
        (start, acts_from): (Moment, Moment),
        cx: &mut Cx<'_, '_, T>,
    ) {
        let mut duty = self.open[i].clone();
        if let Form::Requires(table) = &rule.form {
            self.open.remove(i);
            duty.start = start;
            duty.more_mut().anchor = Some(key);
            let anchor = cx.anchor(&duty);
            self.judge_requirement(duty, table, rule, anchor, cx);
            return;
        }
        cx.trace.note(start, Some(&duty), &|| "starts anew".to_owned());
        Fold::settle(&mut duty, acts_from, cx);
        (duty.start, duty.since) = (start, start);
        // Another start is news, as when late news moves it.
        duty.flags.put(Flags::NEWS, true);
        let anchor = cx.anchor(&duty);
        let clocks = self.clocks_for(cx.rule(duty.rule), anchor, start, cx);
        duty.set_clocks(clocks);
        if acts_from != start {
            duty.more_mut().acts_from = Some(acts_from);
        } else if let Some(more) = &mut duty.more {
            more.acts_from = None;
        }
        if rule.populated {
            super::populations::look_back(&duty, cx);
        }
        Fold::find_deadline(&mut duty, cx);
        self.open[i] = duty;
    }

    /// Duties that begin when one of these ends.
    pub(super) fn open_done<T: Trace>(&mut self, rule: RuleId, key: u64, at: Moment, cx: &mut Cx<'_, '_, T>) {
        if cx.rule(rule).followed {
            self.open_after(rule, key, at, cx, &|r| &r.anchor.done);
        }
    }

    /// Duties that begin when one of these is breached.
    pub(super) fn open_breached<T: Trace>(&mut self, rule: RuleId, key: u64, at: Moment, cx: &mut Cx<'_, '_, T>) {
        if cx.rule(rule).feared {
            self.open_after(rule, key, at, cx, &|r| &r.anchor.breached);
        }
    }

    #[cold]
    fn open_after<T: Trace>(
        &mut self,
        rule: RuleId,
        key: u64,
        at: Moment,
        cx: &mut Cx<'_, '_, T>,
        of: &dyn Fn(&Rule) -> &Vec<RuleId>,
    ) {
        let family = cx.rule(rule).family;
        let sheet = cx.view.sheet;
        for id in &sheet.rules {
            let next = cx.rule(*id);
            let follows = of(next).iter().any(|r| cx.rule(*r).family == family);
            // What follows from a duty that outlives its contract outlives it, too: no later version takes it over.
            if !follows || at < next.from || at >= next.to && !next.closes {
                continue;
            }
            // One chained duty a duty and instant: derived from what it follows, whatever told of it.
            let mut name = key.to_le_bytes().to_vec();
            name.extend_from_slice(&at.0.to_le_bytes());
            let chained = xxh3_64(&name);
            if self.is_foregone(next, (rule, key), at, cx) {
                continue;
            }
            if self.recur_after(*id, at, cx) || self.already(next, chained, false, (at, at), cx) {
                continue;
            }
            if next.anchor.awaited {
                self.recur_from_now(next);
            }
            let more = More { cycle: 1, root: chained, follows: Some(key), ..More::default() };
            let opening = Opening { rule: *id, key: chained, fact: None, start: at, acts_from: at, tied: false };
            self.birth(opening, Some(more), false, cx);
            if sheet.supersedes {
                self.supersede(&[*id], chained, at, cx);
            }
        }
    }
}

/// The subjects on which something must have happened for this fact to open a duty.
#[cold]
fn look_since<'a, T: Trace>(rule: &Rule, fact: Fact<'a>, cx: &mut Cx<'a, '_, T>) {
    for event in rule.anchor.events.iter().filter(|e| e.kind == fact.kind()) {
        if let Some(field) = event.since().and_then(|since| since.event.on) {
            let targets: Vec<String> = acts::targets(Some(fact), field, cx).map(str::to_owned).collect();
            cx.links.extend(targets);
        }
    }
}

/// Which member of an anchor with picks of their own a fact is.
fn member_of<T: Trace>(rule: &Rule, fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> Option<u8> {
    let against = Against { anchor: None, subject: cx.view.subject };
    let meets = |e: &&crate::rule::Match| {
        select::meets(cx.book(), e, fact, against) != Met::No && super::since::holds(e, fact, cx)
    };
    rule.anchor.events.iter().find(meets)?.rare.as_ref()?.pick.map(|(_, member)| member)
}

/// The current fact with the timeline's own life.
#[inline(always)]
pub(super) fn current<'a, T: Trace>(fact: Fact<'_>, cx: &Cx<'a, '_, T>) -> Option<Fact<'a>> {
    let bytes = cx.view.timeline.bytes().get(cx.position..)?;
    let (own, _) = Fact::split(bytes)?;
    (own.key() == fact.key()).then_some(own)
}

/// The instant in a field. Of what has happened or become known, never one later than the event that says it: whoever
/// writes it would give himself time.
fn instant_in<T: Trace>(fact: Fact<'_>, field: FieldId, cx: &Cx<'_, '_, T>) -> Option<Moment> {
    let names = cx.book().names();
    let at = match fact.field(field)? {
        Value::One(atom) => Moment::parse(names.text(atom))?,
        Value::List(_) => return None,
    };
    Some(if LOOKS_BACK.contains(&names.field_name(field)) { at.min(fact.at()) } else { at })
}
