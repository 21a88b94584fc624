//! Time passes, and what has ended and settled leaves memory: memory is bounded by what is open, not by history.

use super::apply::judge;
use super::recall::archived;
use super::{Archive, Engine, Subject};
use crate::duty::Duty;
use crate::fact::Fact;
use crate::fold::{Cx, Fold, Silent, is_looked_back_on};
use crate::rule::Form;
use crate::standing::Standing;
use crate::time::{MINUTE, Moment};
use crate::timeline::Timeline;
use crate::vocabulary::Effect;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A timeline longer than this is looked at for facts that have settled.
const LONG: usize = 2 * 1024;
/// So are the duties of one that has had more.
const MANY: usize = 16;
/// How many subjects lie between two steps of looking ahead.
const STEP: usize = 16;
/// 2^22 ms, about 70 minutes.
const COARSE: i64 = 1 << 22;

impl Engine {
    /// Lets time pass up to `now`; all feeds have been heard up to `heard` (never later than `now`).
    #[inline]
    pub fn advance(&mut self, now: Moment, heard: Moment, archive: &mut dyn Archive) {
        if now > self.now {
            self.now = now;
        }
        let heard = heard.min(self.now);
        let listened = heard > self.heard;
        if listened {
            self.heard = heard;
        }
        if self.wheel.is_due(self.now) {
            self.go_off(archive);
        }
        if self.now >= self.next_ending {
            self.end_contracts(archive);
        }
        // By the time alone: not by what else happens to go off.
        if self.now >= self.next_sweep {
            self.sweep(archive);
        }
        if !self.hearing.is_single() {
            self.listen();
        } else if listened && self.hearing.waits_before(self.heard) {
            let seen = self.hearing.see(0, self.heard);
            self.know(seen);
        }
    }

    #[inline(never)]
    fn go_off(&mut self, archive: &mut dyn Archive) {
        let mut due = std::mem::take(&mut self.due);
        self.wheel.advance(self.now, &mut due);
        let step = due.len().min(STEP);
        for i in 0..due.len() + 3 * step {
            self.prefetch_due(&due, i, step, archive);
            let Some(slot) = i.checked_sub(3 * step).map(|i| due[i]) else { continue };
            if self.let_go(slot, archive) {
                continue;
            }
            let mut subject = self.shelf.take(slot);
            let mut links = Vec::new();
            if subject.head.wake < self.now {
                self.pass(&mut subject, &mut links);
                self.tell(slot, &mut subject, false);
            }
            if subject.head.ended.len() >= MANY {
                let own = self.is_own(slot, &subject);
                self.compact(own, &mut subject, archive);
            }
            if !links.is_empty() {
                // What follows a breach may read other subjects.
                self.put(slot, subject);
                for target in links {
                    self.link(slot, &target, self.now, archive);
                }
                continue;
            }
            // Of what is unknown something will be told.
            let stays = || self.is_awaited(&subject) || self.hearing.waits_for(slot) || self.lives_on(&subject);
            if self.may_go(slot, &subject) && stays() {
                subject.rare().watched = self.now + MINUTE;
            }
            if self.may_go(slot, &subject) {
                if !subject.timeline.is_empty() {
                    let partner = &self.partners[subject.partner as usize].name;
                    archive.keep(partner, &subject.name, subject.timeline.bytes(), subject.whole);
                }
                self.shelf.remove(slot, subject);
            } else {
                self.put(slot, subject);
            }
        }
        due.clear();
        self.due = due;
    }

    /// What will be needed comes from afar while others are dealt with: where a subject lies, then itself, then what the archive
    /// will be asked about it.
    #[inline(always)]
    fn prefetch_due(&self, due: &[u32], i: usize, step: usize, archive: &dyn Archive) {
        if let Some(slot) = due.get(i) {
            self.shelf.prefetch_slot(*slot);
        }
        if let Some(slot) = i.checked_sub(step).and_then(|i| due.get(i)) {
            self.shelf.prefetch(*slot);
        }
        if let Some(slot) = i.checked_sub(2 * step).and_then(|i| due.get(i))
            && self.options.settling.is_some()
        {
            std::hint::black_box(self.shelf.touch_index(*slot));
            let name = self.shelf.name(*slot);
            if !name.is_empty() {
                archive.prefetch(&self.partners[self.shelf.partner(*slot) as usize].name, name);
            }
        }
    }

    /// A subject whose timer rang though nothing changes in it by itself: it rang for its release. The short way for those
    /// of which nothing rare is known, as they lie.
    fn let_go(&mut self, slot: u32, archive: &mut dyn Archive) -> bool {
        let Some((partner, name, facts, whole)) = self.shelf.quiet(slot, self.now) else { return false };
        let partner = &self.partners[partner as usize];
        // Put back since it rang, by a link of one that rang with it: then its timer is set again, and says when.
        let moved = self.wheel.armed(slot).is_some();
        let stays = partner.own == Some(slot) || self.options.settling.is_none() || self.hearing.waits_for(slot);
        if moved || stays {
            return false;
        }
        if !facts.is_empty() {
            archive.keep(&partner.name, name, facts, whole);
        }
        self.shelf.discard(slot);
        true
    }

    /// Everything up to and including `until` has happened: the last word of a finished stream.
    pub fn finish(&mut self, until: Moment, archive: &mut dyn Archive) {
        self.advance(until, until, archive);
    }

    fn pass(&mut self, subject: &mut Subject, links: &mut Vec<String>) {
        let mut head = std::mem::take(&mut subject.head);
        if let Some(view) = self.view(subject) {
            let position = view.timeline.bytes().len();
            let mut cx = Cx { view, trace: &mut Silent, links, position, passing: false };
            head.advance(self.now, &mut cx);
        }
        subject.head = head;
    }

    /// Puts a subject back and sets its one timer: the next change by itself, or the time to let go.
    #[inline]
    pub(super) fn put(&mut self, slot: u32, subject: Box<Subject>) {
        let mut at = subject.head.wake;
        if subject.head.is_quiet() && !self.is_own(slot, &subject) {
            at = at.min(self.release_at(&subject));
        }
        self.shelf.put(slot, subject);
        if at == Moment::NEVER {
            self.wheel.cancel(slot);
        } else {
            // What is overdue goes off when time moves: where the wheel stands is no part of what is known.
            self.wheel.arm(slot, at.max(self.now));
        }
    }

    /// When nothing that may still come can change it, as far as the settling time says.
    fn release_at(&self, subject: &Subject) -> Moment {
        let Some(settling) = self.options.settling else { return Moment::NEVER };
        let last = subject.timeline.last().map_or(Moment::DAWN, |f| f.at());
        let ended = subject.head.ended.iter().map(|d| d.ended).max().unwrap_or(Moment::DAWN);
        let watched = subject.rare.as_ref().map_or(Moment::DAWN, |r| r.watched);
        // Nothing hangs on the millisecond: at these multiples the wheel's timers need not come down level by level.
        let at = last.max(ended).max(watched) + settling;
        Moment(at.0.checked_add(COARSE - 1).map_or(at.0, |n| n & !(COARSE - 1)))
    }

    fn may_go(&self, slot: u32, subject: &Subject) -> bool {
        subject.head.is_quiet() && !self.is_own(slot, subject) && self.release_at(subject) < self.now
    }

    /// Never seen, but an open duty waits for what it will do.
    fn is_awaited(&self, subject: &Subject) -> bool {
        let open = |(watcher, then): &(u32, u32)| {
            self.shelf.generation(*watcher) == *then && !self.shelf.copy(*watcher).head.is_quiet()
        };
        subject.timeline.is_empty() && subject.rare.as_ref().is_some_and(|r| r.watchers.iter().any(open))
    }

    /// Merged into one with an open duty, at whatever remove: what is told of this one concerns that duty.
    fn lives_on(&self, subject: &Subject) -> bool {
        let mut seen = vec![subject.name.clone()];
        let mut next = subject.head.merged_into().map(str::to_owned);
        while let Some(into) = next.filter(|into| !seen.contains(into)) {
            let Some(slot) = self.shelf.find(subject.partner, &into) else { return false };
            let other = self.shelf.copy(slot);
            if !other.head.is_quiet() {
                return true;
            }
            next = other.head.merged_into().map(str::to_owned);
            seen.push(into);
        }
        false
    }

    /// A long timeline gives its settled facts to the archive and keeps their outcome.
    #[inline(always)]
    pub(super) fn compact(&mut self, own: bool, subject: &mut Subject, archive: &mut dyn Archive) {
        if is_long(subject) {
            self.shorten(own, subject, archive);
        }
    }

    #[cold]
    fn shorten(&mut self, own: bool, subject: &mut Subject, archive: &mut dyn Archive) {
        // What a partner takes over with a subject follows from all that was before.
        if self.options.settling.is_none() || subject.head.has_pauses() || self.is_handed(&subject.name) {
            return;
        }
        // Duties on other subjects are judged by the copies of all their facts.
        if self.partners[subject.partner as usize].sheet.as_ref().is_some_and(|sheet| sheet.abroad) {
            return;
        }
        if subject.rare.as_ref().is_some_and(|r| bulk(subject) < r.compact_at) {
            return;
        }
        if subject.whole && subject.rare().compact_at == 0 {
            // One that came back will leave again before long: its settled part goes ahead only if it grows much.
            subject.rare().compact_at = bulk(subject).saturating_mul(2);
            return;
        }
        // Not by what else has been heard by now: the same facts settle up to the same instant, in whatever pieces they came.
        let Some(last) = subject.timeline.last() else { return };
        let horizon = self.horizon().min(last.at() + -self.options.settling.unwrap_or_default());
        if subject.rare.as_ref().is_some_and(|r| horizon <= r.settled) {
            return;
        }
        let Some(view) = self.view(subject) else { return };
        let settled = subject.rare.as_ref().and_then(|r| r.base.clone().map(|b| (b, r.settled)));
        let mut base = judge_to(view, settled, own, horizon);
        let mut stay = Keep::new(self, subject, &base);
        let book = Arc::clone(&self.book);
        stay.look(&subject.timeline, horizon);
        let dropped = subject.timeline.drain(horizon, &mut |fact| stay.keeps(fact, &book));
        if !dropped.is_empty() {
            archive.keep(&self.partners[subject.partner as usize].name, &subject.name, &dropped, false);
            subject.whole = false;
        }
        // What is told unknown stays until it is known.
        let name = |d: &Duty| (d.key, book.rule(d.rule).family);
        let unknown = subject.head.ended.iter().filter(|d| d.told == Standing::Unknown).map(name).collect::<Vec<_>>();
        let settled = |d: &Duty| d.ended < horizon && !can_be_undone(&book, d) && !unknown.contains(&name(d));
        subject.head.ended.retain(|d| !settled(d));
        base.ended.retain(|d| !settled(d));
        let left = bulk(subject);
        let rare = subject.rare();
        rare.base = Some(base);
        rare.settled = horizon;
        rare.compact_at = left.saturating_mul(2);
    }

    /// News from before the settled part: the archived facts come back, and all is judged from the beginning.
    #[cold]
    pub(super) fn unsettle(&mut self, own: bool, subject: &mut Subject, archive: &mut dyn Archive) {
        let partner = &self.partners[subject.partner as usize].name;
        let back = archive.recall(partner, &subject.name).unwrap_or_default();
        self.counts.recalled += 1;
        let rank = |t| self.book.names().about(t).rank;
        for fact in archived(&back) {
            subject.timeline.insert(fact, &rank);
        }
        let limit = bulk(subject).saturating_mul(2);
        let rare = subject.rare();
        (rare.base, rare.settled, rare.compact_at) = (None, Moment::DAWN, limit);
        self.fill_for(subject, archive);
        // Duties that had settled were told: they come back as told, and only differences are news.
        let Some(view) = self.view(subject) else { return };
        let whole = judge(view, None, own, self.now, &mut Silent, &mut Vec::new());
        let family = |d: &Duty| self.book.rule(d.rule).family;
        for mut duty in whole.ended {
            let head = &subject.head;
            let known = head.ended.iter().chain(&head.open).any(|d| d.key == duty.key && family(d) == family(&duty));
            if !known {
                self.as_told(subject.partner, &mut duty);
                subject.head.ended.push(duty);
            }
        }
    }
}

/// How much there is of a subject that settles: facts and ended duties, in bytes.
fn bulk(subject: &Subject) -> u32 {
    let bytes = subject.timeline.bytes().len() + subject.head.ended.len() * size_of::<Duty>();
    bytes.try_into().unwrap_or(u32::MAX)
}

/// So long that its settled part may leave.
#[inline(always)]
fn is_long(subject: &Subject) -> bool {
    subject.timeline.bytes().len() >= LONG || subject.head.ended.len() >= MANY
}

/// The judgement of what came before an instant: of the facts, and of what happened by itself.
fn judge_to(view: crate::fold::View<'_>, base: Option<(Fold, Moment)>, own: bool, horizon: Moment) -> Fold {
    let fresh = base.is_none();
    let (mut fold, settled) = base.unwrap_or((Fold::default(), Moment::DAWN));
    let mut cx = Cx { view, trace: &mut Silent, links: &mut Vec::new(), position: 0, passing: false };
    if fresh && own {
        fold.begin_partner(&mut cx);
    }
    if fresh {
        fold.begin_at_home(view);
    }
    let mut offset = 0;
    for fact in view.timeline.facts().take_while(|f| f.at() < horizon) {
        cx.position = offset;
        offset += fact.bytes().len();
        if fact.at() >= settled {
            fold.step(fact, &mut cx);
        }
    }
    cx.position = offset;
    fold.advance(horizon, &mut cx);
    fold
}

/// An undoing may come at any time: such a duty stays as long as its subject.
fn can_be_undone(book: &crate::book::Book, duty: &Duty) -> bool {
    let names = book.names();
    names.types().iter().any(|t| t.effect == Effect::Undo && t.undoes.contains(&duty.ended_by))
}

/// Which settled facts later judgements may still ask for.
struct Keep {
    anchors: Vec<u64>,
    /// Types that a requirement reads.
    required: Vec<u16>,
    /// Types of which each fact counts: what opens a duty only together.
    all: Vec<u16>,
    /// Fields that choose rows.
    fields: Vec<crate::fact::FieldId>,
    /// Open duties with acts of several parts: everything from here on.
    from: Moment,
    /// The last fact that carries each field; the first and last of each required content.
    chosen: Vec<u64>,
}

impl Keep {
    fn new(engine: &Engine, subject: &Subject, base: &Fold) -> Keep {
        let mut keep = Keep {
            anchors: Vec::new(),
            required: Vec::new(),
            all: Vec::new(),
            fields: Vec::new(),
            from: Moment::NEVER,
            chosen: Vec::new(),
        };
        for duty in subject.head.open.iter().chain(&base.open) {
            keep.anchors.push(duty.anchor());
            let rule = engine.book.rule(duty.rule);
            let several = |act: &crate::rule::Act| !act.simple();
            let excuse = match rule.excuse.as_deref() {
                Some(crate::rule::Excuse::Event(act)) => act.of_several(),
                Some(crate::rule::Excuse::Itself(_)) | None => false,
            };
            if excuse || rule.act().is_some_and(several) || rule.until.as_ref().is_some_and(several) {
                keep.from = keep.from.min(duty.acts_from());
            }
        }
        if let Some(sheet) = &engine.partners[subject.partner as usize].sheet {
            // What happened while they run may keep others from beginning.
            let ended = subject.head.ended.iter().chain(&base.ended).filter(|d| can_be_undone(&engine.book, d));
            for duty in subject.head.open.iter().chain(&base.open).chain(ended) {
                if is_looked_back_on(engine.book.rule(duty.rule), &sheet.rules, &engine.book) {
                    keep.from = keep.from.min(duty.acts_from());
                }
            }
            for rule in sheet.rules.iter().map(|r| engine.book.rule(*r)) {
                keep.fields.extend(rule.facts.iter().copied().chain(rule.among.iter().map(|test| test.field)));
                let leaves = rule.act().map(|a| a.leaves()).unwrap_or_default();
                let since = rule.anchor.events.iter().chain(leaves).filter_map(|e| e.since());
                keep.required.extend(since.map(|s| s.event.kind));
                keep.required.extend(crate::fold::limits(rule).iter().flat_map(|l| &l.from).map(|from| from.kind));
                let whole = rule
                    .anchor
                    .whole
                    .iter()
                    .flat_map(|act| act.leaves().into_iter().map(|l| l.kind).collect::<Vec<_>>());
                keep.all.extend(whole);
                if let Form::Requires(table) = &rule.form {
                    let required = || table.rows.iter().map(|r| &r.value);
                    keep.required.extend(required().flat_map(|r| r.leaves()).map(|l| l.kind));
                    // Of steps in order, which one counts depends on the others.
                    let ordered = required().filter(|r| r.in_order());
                    keep.all.extend(ordered.flat_map(|r| r.leaves()).map(|l| l.kind));
                }
            }
        }
        keep
    }

    fn look(&mut self, timeline: &Timeline, horizon: Moment) {
        let mut last: BTreeMap<crate::fact::FieldId, u64> = BTreeMap::new();
        let mut first: BTreeMap<Vec<u8>, (u64, u64)> = BTreeMap::new();
        for fact in timeline.facts().take_while(|f| f.at() < horizon) {
            for (field, _) in fact.fields().filter(|(f, _)| self.fields.contains(f)) {
                if !fact.linked() {
                    last.insert(field, fact.key());
                }
            }
            if self.required.contains(&fact.kind()) {
                let content = fact.content();
                first.entry(content).and_modify(|(_, l)| *l = fact.key()).or_insert((fact.key(), fact.key()));
            }
        }
        self.chosen.extend(last.into_values());
        self.chosen.extend(first.into_values().flat_map(|(f, l)| [f, l]));
        self.chosen.sort_unstable();
    }

    fn keeps(&self, fact: Fact<'_>, book: &crate::book::Book) -> bool {
        let about = book.names().about(fact.kind());
        about.effect != Effect::None
            || about.state
            || self.all.contains(&fact.kind())
            || fact.at() >= self.from
            || self.anchors.contains(&fact.key())
            || self.chosen.binary_search(&fact.key()).is_ok()
    }
}
