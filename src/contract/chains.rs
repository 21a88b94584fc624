//! Obligations that begin where another ends: they must not go round, and they share its subject.

use super::abroad;
use super::code::Code;
use super::evidence::SUFFIX;
use super::names::{self, Cx};
use super::order::order;
use super::report::{At, quote};
use onus_engine::terms::{Act, Obligation, Per, Requirement, Sentence, Test, Trigger, Want};
use std::collections::{BTreeMap, BTreeSet};

/// An obligation that has been read, with what the reader must still know of its text.
pub(crate) struct Draft {
    pub(crate) at: At,
    pub(crate) obligation: Obligation,
    /// `every` with `when` and without `per`: its duties are about the anchor's subject.
    pub(crate) per_anchor: bool,
    /// It stands for one of each control.
    pub(crate) per_control: bool,
    /// The evidence that is owed after it.
    pub(crate) evidence: Option<Obligation>,
}

/// The kind of subject that each obligation's duties are about, when it is one.
pub(crate) type Kinds = BTreeMap<String, Option<String>>;

/// Puts the last touches that need all obligations at once. Those that could not be read (None) are gone by then, and
/// what would only follow from that is not told.
pub(crate) fn settle(read: Vec<Option<Draft>>, cx: &mut Cx<'_>) -> Option<Vec<Obligation>> {
    let whole = read.iter().all(Option::is_some);
    let read = read.into_iter().flat_map(|draft| match draft {
        Some(draft) if draft.per_control => of_each_control(&draft, cx),
        other => vec![other],
    });
    let read: Vec<Option<Draft>> = read.collect();
    let mut drafts: Vec<Draft> = Vec::new();
    for mut draft in read.into_iter().flatten() {
        let evidence = draft.evidence.take();
        let at = draft.at;
        drafts.push(draft);
        drafts.extend(evidence.map(|obligation| Draft {
            at,
            obligation,
            per_anchor: false,
            per_control: false,
            evidence: None,
        }));
    }
    let mut clean = supersedes_in_turn(&drafts, cx);
    let places: BTreeMap<String, At> = drafts.iter().map(|d| (d.obligation.id.clone(), d.at)).collect();
    for (i, draft) in drafts.iter().enumerate() {
        let id = &draft.obligation.id;
        if id.ends_with(SUFFIX) && drafts[..i].iter().chain(&drafts[i + 1..]).any(|d| d.obligation.id == *id) {
            let message = format!("{} is what the evidence of another obligation is named", quote(id));
            cx.report.hinted(Code::DuplicateName, draft.at, message, "give it another id");
            return None;
        }
    }
    let things: Vec<(&str, Vec<&str>)> =
        drafts.iter().map(|d| (d.obligation.id.as_str(), begins_after(&d.obligation))).collect();
    let ordered = match order(&things) {
        Ok(ordered) => ordered,
        Err(cycle) => {
            let ids: Vec<&str> = cycle.iter().chain(cycle.first()).map(|at| things[*at].0).collect();
            let message = format!("obligations that wait for each other: {}", ids.join(", after "));
            let at = cycle.first().map_or(At::TOP, |at| drafts[*at].at);
            cx.report.hinted(Code::ObligationCycle, at, message, "begin one of them at an event");
            return None;
        }
    };
    let is_actless = |draft: &&Draft| matches!(draft.obligation.sentence, Sentence::Requires { .. });
    let actless: BTreeSet<String> = drafts.iter().filter(is_actless).map(|draft| draft.obligation.id.clone()).collect();
    let mut kinds = Kinds::new();
    let mut settled: Vec<Option<Obligation>> = Vec::new();
    settled.resize_with(drafts.len(), || None);
    let mut open: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    for position in ordered {
        let Some(Draft { at, mut obligation, per_anchor, per_control: _, evidence: _ }) = open[position].take() else {
            continue;
        };
        clean &= ends_in_an_act(&obligation, &actless, at, cx);
        let kind = kind(&obligation, &kinds);
        if per_anchor && whole {
            clean &= about_anchor(&mut obligation, kind.as_deref(), at, cx);
        }
        kinds.insert(obligation.id.clone(), kind);
        settled[position] = Some(obligation);
    }
    let settled: Option<Vec<Obligation>> = settled.into_iter().collect();
    // Of what could not be read the kind is not known.
    for obligation in settled.iter().flatten().filter(|_| whole) {
        clean &= named_can_be_seen(
            obligation,
            settled.as_deref().unwrap_or_default(),
            &kinds,
            places.get(&obligation.id),
            cx,
        );
        clean &= supersedes_on_its_subject(obligation, &kinds, places.get(&obligation.id), cx);
    }
    if clean && whole { settled } else { None }
}

/// Obligations that take each other's place would leave nothing owed.
fn supersedes_in_turn(drafts: &[Draft], cx: &mut Cx<'_>) -> bool {
    let things: Vec<(&str, Vec<&str>)> = drafts
        .iter()
        .map(|d| (d.obligation.id.as_str(), d.obligation.supersedes.iter().map(String::as_str).collect()))
        .collect();
    let Err(cycle) = order(&things) else { return true };
    let ids: Vec<&str> = cycle.iter().chain(cycle.first()).map(|at| things[*at].0).collect();
    let message = format!("obligations that take each other's place: {}", ids.join(", supersedes "));
    let at = cycle.first().map_or(At::TOP, |at| drafts[*at].at);
    cx.report.hinted(Code::ObligationCycle, at, message, "of two only one can take the other's place");
    false
}

/// Duties that end this one, or that it requires, are on its own subject, or are judged from what is said of theirs.
fn named_can_be_seen(
    obligation: &Obligation,
    all: &[Obligation],
    kinds: &Kinds,
    at: Option<&At>,
    cx: &mut Cx<'_>,
) -> bool {
    fn in_act<'a>(act: &'a Act, out: &mut Vec<&'a String>) {
        match act {
            Act::Duty(ids, _) => out.extend(ids),
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().for_each(|act| in_act(act, out)),
            Act::One(_) => {}
        }
    }
    fn in_requirement<'a>(what: &'a Requirement, out: &mut Vec<&'a String>) {
        match what {
            Requirement::Duty(ids, _) => out.extend(ids),
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().for_each(|one| in_requirement(one, out));
            }
            Requirement::Before(_)
            | Requirement::Ahead(..)
            | Requirement::Itself(_)
            | Requirement::During(_)
            | Requirement::Quota(..) => {}
        }
    }
    let mut named = Vec::new();
    match &obligation.sentence {
        Sentence::Within { act, .. } | Sentence::Every { act, .. } => in_act(act, &mut named),
        Sentence::Requires { what, .. } => what.rows.iter().for_each(|row| in_requirement(&row.value, &mut named)),
    }
    obligation.until.iter().for_each(|act| in_act(act, &mut named));
    let at = at.copied().unwrap_or(At::TOP);
    if let Some(id) = named.iter().find(|id| ***id == obligation.id) {
        let message = format!("{} waits for itself", quote(id));
        cx.report.hinted(Code::WrongSentence, at, message, "name another obligation, or an event");
        return false;
    }
    for id in named {
        let Some(refusal) = abroad::refusal(obligation, id, all, kinds) else { continue };
        let (why, hint) = refusal;
        let message = format!("`done` or `breached` of {}, which is about another kind of subject: {why}", quote(id));
        cx.report.hinted(Code::KindsDiffer, at, message, hint);
        return false;
    }
    true
}

/// What is about another kind of subject is never on the same one.
fn supersedes_on_its_subject(obligation: &Obligation, kinds: &Kinds, at: Option<&At>, cx: &mut Cx<'_>) -> bool {
    let kind = |id: &str| kinds.get(id).cloned().flatten();
    let Some(own) = kind(&obligation.id) else { return true };
    let other = obligation.supersedes.iter().find_map(|id| Some((id, kind(id).filter(|k| *k != own)?)));
    if let Some((id, theirs)) = &other {
        let message = format!(
            "{} is about a {own}, and supersedes {}, which is about a {theirs}",
            quote(&obligation.id),
            quote(id)
        );
        let at = at.copied().unwrap_or(At::TOP);
        cx.report.hinted(Code::WrongSentence, at, message, "they are never on one subject: take it out");
    }
    other.is_none()
}

/// `done` of an obligation that asks for no act would never come.
fn ends_in_an_act(obligation: &Obligation, actless: &BTreeSet<String>, at: At, cx: &mut Cx<'_>) -> bool {
    let waits_for = triggers(obligation).iter().find_map(|trigger| match trigger {
        Trigger::Done(ids) => ids.iter().find(|id| actless.contains(*id)),
        Trigger::Breached(_) | Trigger::Event(_) => None,
    });
    if let Some(id) = waits_for {
        let message = format!("{} waits for the act of {}, which has none", quote(&obligation.id), quote(id));
        cx.report.hinted(Code::WrongSentence, at, message, "a `requires` finds at its anchor: begin at that event");
    }
    waits_for.is_none()
}

fn about_anchor(obligation: &mut Obligation, kind: Option<&str>, at: At, cx: &mut Cx<'_>) -> bool {
    let Sentence::Every { per, .. } = &mut obligation.sentence else { return true };
    match kind {
        Some("partner") => *per = Per::Partner,
        Some(kind) => *per = Per::Subject { kind: kind.to_owned(), tests: Vec::new() },
        None => {
            let hint = "say with `per` what each duty is about, or make an obligation for each kind";
            let message = "`every` whose `when` is on subjects of several kinds";
            cx.report.hinted(Code::KindsDiffer, at, message, hint);
            return false;
        }
    }
    true
}

/// The kind of subject that duties of an obligation are about, when it is one.
pub(crate) fn kind(obligation: &Obligation, known: &Kinds) -> Option<String> {
    if let Sentence::Every { per: Per::Subject { kind, .. }, .. } = &obligation.sentence {
        return Some(kind.clone());
    }
    if let Sentence::Every { per: Per::Source { .. }, .. } = &obligation.sentence {
        return Some("source".to_owned());
    }
    let mut kinds = triggers(obligation).iter().flat_map(|trigger| match trigger {
        Trigger::Event(event) => vec![event.kind.split_once('.').map(|(kind, _)| kind.to_owned())],
        Trigger::Done(ids) | Trigger::Breached(ids) => ids.iter().map(|id| known.get(id).cloned().flatten()).collect(),
    });
    let Some(first) = kinds.next() else { return Some("partner".to_owned()) };
    kinds.all(|kind| kind == first).then_some(first).flatten()
}

fn begins_after(obligation: &Obligation) -> Vec<&str> {
    triggers(obligation)
        .iter()
        .flat_map(|trigger| match trigger {
            Trigger::Done(ids) | Trigger::Breached(ids) => ids.as_slice(),
            Trigger::Event(_) => &[],
        })
        .map(String::as_str)
        .collect()
}

pub(crate) fn triggers(obligation: &Obligation) -> &[Trigger] {
    match &obligation.sentence {
        Sentence::Within { when, .. } | Sentence::Requires { when, .. } | Sentence::Every { when: Some(when), .. } => {
            &when.any
        }
        Sentence::Every { when: None, .. } => &[],
    }
}

/// An obligation of each control of the contract: its acts are those that say of which control they are.
fn of_each_control(draft: &Draft, cx: &Cx<'_>) -> Vec<Option<Draft>> {
    let one = |control: &String| {
        let id = names::of_control(&draft.obligation.id, control);
        let mut obligation = Obligation { id: id.clone(), control: Some(control.clone()), ..draft.obligation.clone() };
        if let Sentence::Every { act, .. } = &mut obligation.sentence {
            about(act, control);
        }
        let evidence = draft.evidence.clone().map(|mut evidence| {
            evidence.id = format!("{id}{SUFFIX}");
            if let Sentence::Within { when, .. } = &mut evidence.sentence {
                when.any = vec![Trigger::Done(vec![id.clone()])];
            }
            evidence
        });
        Some(Draft { at: draft.at, obligation, per_anchor: draft.per_anchor, per_control: false, evidence })
    };
    cx.names.controls.iter().map(one).collect()
}

fn about(act: &mut Act, control: &str) {
    match act {
        Act::One(event) => {
            event.tests.push(Test { field: "control".to_owned(), want: Want::OneOf(vec![control.to_owned()]) });
        }
        Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter_mut().for_each(|act| about(act, control)),
        Act::Duty(..) => {}
    }
}
