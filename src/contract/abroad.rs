//! `done` and `breached` of an obligation about another kind of subject. The judge follows such a duty from copies of what
//! is said of its subject; so all that decides of it must be said there.

use super::chains::{self, Kinds};
use super::code::Code;
use super::names::Cx;
use super::report::{At, quote};
use onus_engine::terms::{Act, EventMatch, Excuse, Limit, Obligation, Per, Requirement, Sentence, Trigger};

/// Why a duty of `id` cannot be seen from the subject of `own`, and what to do; None: it can.
pub(crate) fn refusal(
    own: &Obligation,
    id: &str,
    all: &[Obligation],
    kinds: &Kinds,
) -> Option<(&'static str, &'static str)> {
    let (mine, theirs) = (about(own, kinds), about_id(id, all, kinds));
    match (&mine, &theirs) {
        (Some(a), Some(b)) if a == b => None,
        (None, _) | (_, None) => Some(("of several", "say it of an obligation about one kind of subject")),
        (Some(a), Some(b)) if a == "partner" || b == "partner" => {
            let hint = "begin at its end, with `when: {done: ..}`; or name the event that ends it";
            Some(("duties of the partner as a whole and of single subjects never meet", hint))
        }
        _ if !stands_alone(id, all, kinds, all.len()) => {
            let hint = "name the event that ends it";
            Some(("it looks at other subjects itself", hint))
        }
        _ => None,
    }
}

/// Reports a breach on another kind of subject where waivers may be granted: they are said of that subject elsewhere.
pub(crate) fn waived_abroad(all: &[Obligation], at: At, cx: &mut Cx<'_>) {
    let mut kinds = Kinds::new();
    for _ in 0..all.len() {
        for obligation in all {
            let kind = chains::kind(obligation, &kinds);
            kinds.insert(obligation.id.clone(), kind);
        }
    }
    for obligation in all {
        for id in breaches(obligation) {
            if about(obligation, &kinds) != about_id(id, all, &kinds) {
                let message = format!(
                    "{} waits for a breach of {}, which is about another kind of subject and may be waived there",
                    quote(&obligation.id),
                    quote(id)
                );
                let hint = "begin at that breach, with `when: {breached: ..}`; or take `waivers` out";
                cx.report.hinted(Code::KindsDiffer, at, message, hint);
                return;
            }
        }
    }
}

fn about(obligation: &Obligation, kinds: &Kinds) -> Option<String> {
    match obligation.sentence {
        Sentence::Every { per: Per::Partner, .. } => Some("partner".to_owned()),
        _ => kinds.get(&obligation.id).cloned().flatten(),
    }
}

fn about_id(id: &str, all: &[Obligation], kinds: &Kinds) -> Option<String> {
    all.iter().find(|o| o.id == id).and_then(|o| about(o, kinds))
}

/// All that decides of its duties is said of its own subject.
fn stands_alone(id: &str, all: &[Obligation], kinds: &Kinds, depth: usize) -> bool {
    let Some(obligation) = all.iter().find(|o| o.id == id) else { return false };
    let Some(own) = about(obligation, kinds) else { return false };
    let here = |event: &&EventMatch| {
        let kind = |event: &EventMatch| event.kind.split_once('.').is_some_and(|(kind, _)| kind == own);
        kind(event) && event.evidenced.is_none() && event.since.as_ref().is_none_or(|since| kind(&since.event))
    };
    let mut seen = Seen::default();
    seen.obligation(obligation);
    let same = |id: &&str| {
        depth > 0 && about_id(id, all, kinds).as_ref() == Some(&own) && stands_alone(id, all, kinds, depth - 1)
    };
    seen.events.iter().all(here) && seen.duties.iter().all(same)
}

/// Ids whose breach ends a duty, or is required.
fn breaches(obligation: &Obligation) -> Vec<&str> {
    let mut seen = Seen::default();
    seen.obligation(obligation);
    seen.breached
}

/// What an obligation speaks of.
#[derive(Default)]
struct Seen<'o> {
    events: Vec<&'o EventMatch>,
    duties: Vec<&'o str>,
    breached: Vec<&'o str>,
}

impl<'o> Seen<'o> {
    fn obligation(&mut self, obligation: &'o Obligation) {
        for trigger in chains::triggers(obligation) {
            match trigger {
                Trigger::Event(event) => self.events.push(event),
                Trigger::Done(ids) | Trigger::Breached(ids) => self.duties.extend(ids.iter().map(String::as_str)),
            }
        }
        match &obligation.sentence {
            Sentence::Within { act, limits, .. } | Sentence::Every { act, limits, .. } => {
                self.act(act);
                self.limits(limits);
            }
            Sentence::Requires { what, .. } => what.rows.iter().for_each(|row| self.requirement(&row.value)),
        }
        obligation.until.iter().for_each(|act| self.act(act));
        if let Some(Excuse::Event(act)) = &obligation.excused_by {
            self.act(act);
        }
    }

    fn limits(&mut self, limits: &'o [Limit]) {
        self.events.extend(limits.iter().flat_map(|limit| &limit.from));
    }

    fn act(&mut self, act: &'o Act) {
        match act {
            Act::One(event) => self.events.push(event),
            Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().for_each(|act| self.act(act)),
            Act::Duty(ids, breached) => self.named(ids, *breached),
        }
    }

    fn requirement(&mut self, what: &'o Requirement) {
        match what {
            Requirement::Before(event) | Requirement::Ahead(event, ..) => self.events.push(event),
            Requirement::Duty(ids, breached) => self.named(ids, *breached),
            Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
                of.iter().for_each(|one| self.requirement(one));
            }
            Requirement::Itself(_) | Requirement::During(_) | Requirement::Quota(..) => {}
        }
    }

    fn named(&mut self, ids: &'o [String], breached: bool) {
        let ids = ids.iter().map(String::as_str);
        if breached {
            self.breached.extend(ids.clone());
        }
        self.duties.extend(ids);
    }
}
