//! The facts that a duty rests on, and those that it was held against in vain.

use super::{Life, Note, rfc, words};
use crate::book::fits;
use crate::duty::Flags;
use crate::fact::{Fact, Value};
use crate::fold::View;
use crate::rule::{Form, Match, Rule};
use crate::select::{self, Against, Met};
use crate::terms::Party;
use crate::time::Moment;
use crate::vocabulary::Effect;
use serde::Serialize;

/// What an anchor does.
pub(super) const BEGINS: &str = "begins it";

/// A fact, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FactUse {
    /// When it happened.
    #[serde(serialize_with = "rfc")]
    pub at: Moment,
    /// Event type.
    pub event: String,
    /// Event id.
    pub id: String,
    /// What it did to the duty.
    pub part: String,
    /// Where it came from.
    pub source: String,
    /// How far that source is believed.
    pub trust: crate::terms::Trust,
    /// The person.
    pub actor: Option<String>,
    /// The side, or its role.
    pub side: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// When Onus first saw it.
    #[serde(serialize_with = "rfc")]
    pub recorded: Moment,
    /// The linked subject on which it happened.
    pub on: Option<String>,
}

/// A fact's line.
pub(super) fn line(view: View<'_>, fact: Fact<'_>, part: &str) -> FactUse {
    let names = view.book.names();
    let one = |field: &str| fact.field(names.field_id(field)?).map(|v| names.show(v));
    let known = names.well_known();
    let about = &names.about(fact.kind()).name;
    let event = match about.strip_suffix(".*") {
        Some(kind) => format!("another event of the {kind}"),
        None => about.clone(),
    };
    let side = names.side(fact.field(known.side));
    let role = one("role").map(|r| r.split_once('.').map_or(r.clone(), |(_, role)| role.to_owned()));
    FactUse {
        at: fact.at(),
        event,
        id: fact.id().to_owned(),
        part: part.to_owned(),
        source: view.sources.get(usize::from(fact.source())).map_or(String::new(), |s| s.name.clone()),
        trust: fact.trust(),
        actor: one("actor").or_else(|| one("approver")),
        side: match (side, role) {
            (Some(side), role) => Some(Party { side, role }.to_string()),
            (None, role) => role.or_else(|| one("side")),
        },
        reason: one("reason"),
        recorded: fact.recorded(),
        on: fact.origin().map(|o| names.text(o).to_owned()),
    }
}

/// All facts of a duty, in order: what the recorder saw, and what the act or the requirement was held against.
pub(super) fn of(view: View<'_>, life: &Life<'_>, end: Moment) -> Vec<FactUse> {
    let duty = life.duty;
    let rule = view.book.rule(duty.rule);
    let mut out = life.raw.facts.clone();
    if matches!(rule.form, Form::Requires(_)) {
        out.iter_mut().filter(|f| f.part == BEGINS).for_each(|f| f.part = "what is judged".to_owned());
    }
    let anchor = view.timeline.facts().find(|f| f.key() == duty.key);
    let against = Against { anchor, subject: view.subject };
    for fact in view.timeline.facts() {
        let known = |out: &[FactUse]| out.iter().any(|u| u.id == fact.id() && u.at == fact.at());
        if known(&out) || fact.key() == duty.key {
            continue;
        }
        let met = |leaf: &Match| select::meets(view.book, leaf, fact, against);
        let part = match &rule.form {
            Form::Requires(table) => {
                let mut leaves = table.rows.iter().flat_map(|r| r.value.leaves());
                // One that is due later than it was told can be satisfied until then.
                let before = fact.at() <= duty.start.max(duty.ended.min(end));
                leaves.find(|l| l.kind == fact.kind()).map(|leaf| match (before, met(leaf)) {
                    (true, Met::Yes) => "what is required".to_owned(),
                    (true, Met::Claimed) => "too little trust for what is required".to_owned(),
                    (true, Met::No) => format!("not {}", words::event(view.book, leaf)),
                    (false, _) => "came too late".to_owned(),
                })
            }
            Form::Within { act, .. } | Form::Every { act, .. } => {
                let ended = !duty.is_open() && fact.kind() == duty.ended_by && fact.at() == duty.ended;
                let inside = fact.at() >= duty.acts_from() && fact.at() <= end;
                let leaf = act.leaves().into_iter().find(|l| l.kind == fact.kind());
                match leaf {
                    _ if ended => Some("the act that was owed".to_owned()),
                    Some(leaf) if inside => Some(match met(leaf) {
                        Met::Yes if act.simple() => continue,
                        Met::Yes => "part of the act".to_owned(),
                        Met::Claimed => "claims the act, at too little trust".to_owned(),
                        Met::No => format!("not {}", words::event(view.book, leaf)),
                    }),
                    Some(_) | None => None,
                }
            }
        };
        if let Some(part) = part {
            out.push(line(view, fact, &part));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Pauses in a duty's life that did not stop it, and why not.
pub(super) fn futile_pauses(view: View<'_>, life: &Life<'_>, end: Moment) -> Vec<Note> {
    let duty = life.duty;
    let rule = view.book.rule(duty.rule);
    let names = view.book.names();
    let mut out = Vec::new();
    if duty.flags.has(Flags::FINDING) {
        return out;
    }
    let pauses = view.timeline.facts().filter(|f| !f.linked() && names.about(f.kind()).effect == Effect::Paused);
    for fact in pauses.filter(|f| f.at() >= duty.start && (f.at() < end || duty.is_open() && f.at() == end)) {
        let held = life
            .raw
            .held
            .iter()
            .flat_map(|(_, by)| by)
            .any(|by| by.at == fact.at() && by.reason == one(view, fact, "reason"));
        if held {
            continue;
        }
        let told = line(view, fact, "");
        let reason = told.reason.as_deref().unwrap_or("no reason given");
        let who = told.actor.as_deref().map(|a| format!("{a} of ")).unwrap_or_default();
        let side = told.side.as_deref().unwrap_or("an unknown side");
        let why = refusal(view, rule, fact);
        out.push(Note {
            at: fact.at(),
            text: format!("the pause {} ({reason}) by {who}{side} does not stop this clock: {why}", told.id),
        });
    }
    out
}

fn refusal(view: View<'_>, rule: &Rule, fact: Fact<'_>) -> String {
    let names = view.book.names();
    let Some(pause) = &rule.pause else { return "nobody may pause it".to_owned() };
    let reason = one(view, fact, "reason");
    let known = |known: &String| reason.as_deref().is_some_and(|r| crate::rule::glob(known, r));
    if let Some(reasons) = pause.reasons.as_ref().filter(|reasons| !reasons.iter().any(known)) {
        return format!("only {} may be a reason", reasons.join(" or "));
    }
    if let Some(by) = &pause.by {
        let side = names.side(fact.field(names.well_known().side));
        let role = one(view, fact, "role").map(|r| r.split_once('.').map_or(r.clone(), |(_, role)| role.to_owned()));
        if !by.iter().any(|p| fits(p, side, role.as_deref())) {
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            return format!("only the {} may pause it", by.join(" or "));
        }
    }
    match &pause.confirm {
        Some((confirm, _)) => {
            let within = words::span(&confirm.within, rule.zone);
            format!("{} has not confirmed it within {within}", confirm.by)
        }
        None => "it was void, or over at once".to_owned(),
    }
}

fn one(view: View<'_>, fact: Fact<'_>, field: &str) -> Option<String> {
    let names = view.book.names();
    match fact.field(names.field_id(field)?)? {
        Value::One(atom) => Some(names.text(atom).to_owned()),
        Value::List(_) => None,
    }
}
