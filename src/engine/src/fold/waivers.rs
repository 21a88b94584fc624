//! Waivers: deviations that the customer approved. Before the breach they stop the clock; after it they excuse.

use super::{Cx, Fold, SubjectWaiver, Trace};
use crate::book::fits;
use crate::duty::{Duty, Flags, WaiverSpan};
use crate::fact::{Fact, Value};
use crate::rule::Rule;
use crate::select::{self, Against};
use crate::terms::{Trust, Want};
use crate::time::Moment;
use crate::vocabulary::Effect;

/// Reads an approval.
#[cold]
fn read(fact: Fact<'_>, book: &crate::book::Book) -> SubjectWaiver {
    let names = book.names();
    let text = |field: &str| match fact.field(names.field_id(field)?)? {
        Value::One(atom) => Some(names.text(atom).to_owned()),
        Value::List(_) => None,
    };
    let list = |field: &str| {
        let value = names.field_id(field).and_then(|f| fact.field(f));
        value.into_iter().flat_map(Value::atoms).map(|a| names.text(a).to_owned()).collect::<Vec<_>>()
    };
    let instant = |field: &str| text(field).and_then(|t| Moment::parse(&t));
    let known = names.well_known();
    // An approval counts from its own time, or from when it was received where its source is not one of record.
    let approved = if fact.trust() < Trust::System { fact.recorded().max(fact.at()) } else { fact.at() };
    let mut obligations = list("obligations");
    obligations.extend(list("obligation"));
    SubjectWaiver {
        key: fact.key(),
        obligations,
        side: names.side(fact.field(known.side)),
        role: text("role")
            .or_else(|| text("approver"))
            .map(|r| r.split_once('.').map_or(r.clone(), |(_, n)| n.to_owned())),
        span: WaiverSpan {
            // Without a beginning it covers the whole duty.
            starts: instant("starts").unwrap_or(Moment::DAWN),
            ends: instant("ends").unwrap_or(Moment::NEVER),
            approved,
            name: fact.id().to_owned(),
        },
    }
}

/// What a timeline says of waivers, in the end: for the partner as a whole, where it is the partner's own.
pub(crate) fn granted(timeline: &crate::timeline::Timeline, book: &crate::book::Book) -> Vec<SubjectWaiver> {
    let mut out: Vec<SubjectWaiver> = Vec::new();
    for fact in timeline.facts().filter(|f| !f.linked()) {
        match book.names().about(fact.kind()).effect {
            Effect::WaiverApproved => out.push(read(fact, book)),
            Effect::WaiverEnded => out.iter_mut().for_each(|w| w.span.ends = w.span.ends.min(fact.at())),
            Effect::None
            | Effect::Paused
            | Effect::Resumed
            | Effect::Confirmed
            | Effect::Voided
            | Effect::Cancelled
            | Effect::Undo
            | Effect::Rehomed
            | Effect::Merged => {}
        }
    }
    out
}

impl Fold {
    /// Takes in an approval for this subject.
    fn grant<T: Trace>(&mut self, waiver: SubjectWaiver, cx: &mut Cx<'_, '_, T>) {
        let mut open = std::mem::take(&mut self.open);
        for duty in open.iter_mut().chain(&mut self.ended) {
            if covers(&waiver, cx.rule(duty.rule)) {
                give(duty, &waiver.span, cx.rule(duty.rule));
            }
        }
        for duty in &mut open {
            self.refresh(duty, cx);
        }
        self.open = open;
        self.schedule(cx);
    }

    pub(super) fn waive<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        if !concerns(fact, cx) {
            return;
        }
        let waiver = read(fact, cx.book());
        cx.trace.note(fact.at(), None, &|| format!("waiver {} approved", fact.id()));
        self.memory().waivers.push(waiver.clone());
        self.grant(waiver, cx);
    }

    pub(super) fn end_waiver<T: Trace>(&mut self, fact: Fact<'_>, cx: &mut Cx<'_, '_, T>) {
        let at = fact.at();
        if !concerns(fact, cx) {
            return;
        }
        for waiver in &mut self.memory().waivers {
            waiver.span.ends = waiver.span.ends.min(at);
        }
        let mut open = std::mem::take(&mut self.open);
        for duty in &mut open {
            if let Some(more) = &mut duty.more {
                for span in more.waivers.iter_mut().filter(|w| w.ends > at) {
                    span.ends = at;
                }
            }
            self.refresh(duty, cx);
        }
        self.open = open;
    }

    /// Waivers known when a duty begins.
    #[inline(always)]
    pub(super) fn add_waivers<T: Trace>(&self, duty: &mut Duty, fact: Option<Fact<'_>>, cx: &mut Cx<'_, '_, T>) {
        let rule = cx.rule(duty.rule);
        let subject = cx.view.subject;
        for granted in &rule.waivers {
            let own = granted.subjects.iter().all(|want| names_subject(want, subject));
            let against = Against { anchor: fact, subject };
            let tests = granted.tests.iter().all(|t| fact.is_some_and(|f| select::passes(cx.book(), t, f, against)));
            if own && tests {
                let span = WaiverSpan {
                    starts: granted.starts,
                    ends: granted.ends,
                    approved: granted.starts,
                    name: granted.id.clone(),
                };
                give(duty, &span, rule);
            }
        }
        let mine = self.memory.as_ref().map_or(&[][..], |m| &m.waivers);
        for waiver in mine.iter().chain(cx.view.waivers) {
            if covers(waiver, rule) {
                give(duty, &waiver.span, rule);
            }
        }
        if duty.more.as_ref().is_some_and(|m| !m.waivers.is_empty()) {
            let start = duty.start;
            let now = duty
                .more
                .as_ref()
                .is_some_and(|m| m.waivers.iter().any(|w| w.starts.max(w.approved) <= start && start < w.ends));
            duty.flags.put(Flags::WAIVED, now);
        }
    }

    fn refresh<T: Trace>(&self, duty: &mut Duty, cx: &mut Cx<'_, '_, T>) {
        let now = self.at;
        let Some(more) = &duty.more else { return };
        let waived = more.waivers.iter().any(|w| w.starts.max(w.approved) <= now && now < w.ends);
        if waived != duty.flags.has(Flags::WAIVED) {
            Fold::settle(duty, now, cx);
            duty.flags.put(Flags::WAIVED, waived);
        }
        Fold::find_deadline(duty, cx);
    }
}

/// The subjects that a waiver names, beside its own.
pub(crate) fn waived<'a>(fact: Fact<'a>, book: &'a crate::book::Book) -> impl Iterator<Item = &'a str> {
    let names = book.names();
    ["ticket", "change", "credential", "incident", "grant"]
        .into_iter()
        .filter_map(move |kind| fact.field(names.field_id(kind)?))
        .flat_map(Value::atoms)
        .map(|atom| names.text(atom))
}

/// Told of this subject, or naming it: a copy that was sent here may have been replaced by one that names others.
fn concerns<T: Trace>(fact: Fact<'_>, cx: &Cx<'_, '_, T>) -> bool {
    !fact.linked() || waived(fact, cx.book()).any(|name| name == cx.view.subject)
}

/// The waiver names the obligation, and its approver is the one whom the contract lets approve; never the obligor.
pub(crate) fn covers(waiver: &SubjectWaiver, rule: &Rule) -> bool {
    let named = waiver.obligations.is_empty() || waiver.obligations.contains(&rule.id);
    let Some(by) = &rule.waived_by else { return false };
    named && fits(by, waiver.side, waiver.role.as_deref()) && waiver.side != Some(rule.obligor.side)
        || named
            && fits(by, waiver.side, waiver.role.as_deref())
            && rule.obligor.side == crate::terms::Side::Customer
            && rule.obligor.role != by.role
}

#[cold]
fn give(duty: &mut Duty, span: &WaiverSpan, rule: &Rule) {
    let mut span = span.clone();
    if let Some(longest) = rule.waiver_longest {
        let from = if span.starts == Moment::DAWN { span.approved } else { span.starts };
        span.ends = span.ends.min(from + longest);
    }
    let more = duty.more_mut();
    if !more.waivers.contains(&span) {
        more.waivers.push(span);
        if let Some(renewals) = rule.waiver_renewals {
            // Whichever was approved first counts: one that is heard of late has had no effect before its approval.
            more.waivers.sort_by(|a, b| (a.approved, a).cmp(&(b.approved, b)));
            more.waivers.truncate((renewals as usize).saturating_add(1));
        }
        more.waivers.sort();
    }
}

fn names_subject(want: &Want, subject: &str) -> bool {
    match want {
        Want::OneOf(texts) => texts.iter().any(|t| crate::rule::glob(t, subject)),
        Want::Present => true,
        Want::Not(inner) => !names_subject(inner, subject),
        Want::Absent | Want::SameAs(_) | Want::MoreThan(_) | Want::AtLeast(_) | Want::LessThan(_) | Want::AtMost(_) => {
            false
        }
    }
}
