//! `of`: the population of which each owes an act, or a fact that a stack's partners share; and where these may stand.

use super::code::Code;
use super::fields::{self, Fields};
use super::filters;
use super::keys::selectors;
use super::names::Cx;
use super::report::{At, quote};
use super::words;
use super::yaml::{Node, Value};
use onus_engine::terms::{
    Act, Anchor, Obligation, Of, PartnerPattern, Period, Population, Sentence, Table, Test, Trigger, Want,
};
use onus_engine::vocabulary::UNDONE_BY;

/// Reads `of:`.
pub(crate) fn of(node: &Node, cx: &mut Cx<'_>) -> Option<Of> {
    if let Value::Scalar { .. } = &node.value {
        fields::word(node, "`of`", &[("stack", ())], &mut cx.report)?;
        if cx.names.stack || cx.names.open {
            return Some(Of::Stack);
        }
        let hint = "add `stack: NAME` to the contract: a shared fact reaches each partner of that stack";
        cx.report.hinted(Code::WrongFilter, node.at, "`of: stack`, and the contract names no stack", hint);
        return None;
    }
    let fields = Fields::of(node, &selectors::POPULATION, &mut cx.report)?;
    let kind = fields.need("every", &mut cx.report).and_then(|node| kind(node, cx));
    let tests = fields.get("where").map(|node| filters::tests(node, cx));
    Some(Of::Every(Population { kind: kind?, tests: fields::optional(tests)?.unwrap_or_default() }))
}

/// What stands before the dot of some event.
fn kind(node: &Node, cx: &mut Cx<'_>) -> Option<String> {
    let kind = fields::text(node, "`every`", &mut cx.report)?;
    let all: Vec<String> = words::events().chain(cx.names.events().iter().cloned()).collect();
    let kinds: Vec<&str> = all.iter().filter_map(|event| Some(event.split_once('.')?.0)).collect();
    if kinds.contains(&kind) {
        return Some(kind.to_owned());
    }
    cx.report.misnamed(Code::UnknownWord, node.at, format!("no event is about a {}", quote(kind)), kind, kinds);
    None
}

/// Checks an event with `of` where an act, or an anchor, names it.
pub(crate) fn sound(kind: &str, of: &Of, key: &str, bare: bool, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let (message, hint) = match of {
        Of::Stack if key == "when" => return Some(()),
        Of::Stack => (
            format!("`of: stack` stands only in `when`, not in `{key}`"),
            "a shared fact begins a duty; what stops it is the partner's own",
        ),
        Of::Every(_) if key != "do" => (
            format!("`of` a population stands only in `do`, not in `{key}`"),
            "name one event here; of each of a population an act can be owed",
        ),
        Of::Every(population) if kind.split_once('.').is_none_or(|(subject, _)| subject != population.kind) => (
            format!("{} is not an event of a {}", quote(kind), population.kind),
            "name an event of the same kind: the act is looked for on each of the population",
        ),
        Of::Every(_) if UNDONE_BY.iter().any(|(act, _)| *act == kind) => {
            cx.report.unsupported(at, format!("`of` a population beside {}, which can be undone", quote(kind)));
            return None;
        }
        Of::Every(_) if !bare => {
            cx.report.unsupported(at, "`since` or `evidenced` beside `of` a population");
            return None;
        }
        Of::Every(_) => return Some(()),
    };
    cx.report.hinted(Code::WrongFilter, at, message, hint);
    None
}

/// Steps in order are those of each of one population, or of none.
pub(crate) fn in_one_order(act: &Act, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let Act::InOrder(_) = act else { return Some(()) };
    if act.population().is_some() || act.events().iter().all(|event| event.population().is_none()) {
        return Some(());
    }
    let hint = "give all its steps one `of`, or make two obligations, the second `when: {done: ..}`";
    cx.report.unsupported_but(at, "`in-order` with steps of different populations", hint);
    None
}

/// Whether a sentence that owes an act of a population can be kept.
pub(crate) fn can_be_kept(sentence: &Sentence, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let (act, when, period) = match sentence {
        Sentence::Within { when, act, .. } => (act, Some(when), None),
        Sentence::Every { when, act, period, .. } => (act, when.as_ref(), Some(period)),
        Sentence::Requires { .. } => return Some(()),
    };
    let populations: Vec<&Population> = act.events().into_iter().filter_map(|event| event.population()).collect();
    if populations.is_empty() {
        return Some(());
    }
    if period.is_some_and(slides) {
        let hint = "use a calendar period like `quarter`, at whose beginning it is known who they are";
        cx.report.unsupported_but(at, "`of` a population in a sliding period", hint);
        return None;
    }
    let refers = populations.iter().any(|population| population.tests.iter().any(refers));
    if refers && !when.is_some_and(begins_at_events) {
        let what = "`same-as` in `of`, where no event begins the duty";
        cx.report.unsupported_but(at, what, "`same-as` speaks of the anchor: begin at an event");
        return None;
    }
    Some(())
}

/// A shared fact reaches the partners of a stack by name: who fits a pattern is not known.
pub(crate) fn shared_by_named(
    partners: &[PartnerPattern],
    obligations: &[Obligation],
    at: At,
    cx: &mut Cx<'_>,
) -> Option<()> {
    let shared =
        |trigger: &Trigger| matches!(trigger, Trigger::Event(event) if event.of.as_deref() == Some(&Of::Stack));
    let shares = obligations.iter().any(|o| match &o.sentence {
        Sentence::Within { when, .. } | Sentence::Requires { when, .. } | Sentence::Every { when: Some(when), .. } => {
            when.any.iter().any(shared)
        }
        Sentence::Every { when: None, .. } => false,
    });
    if shares && partners.iter().any(|partner| matches!(partner, PartnerPattern::Prefix(_))) {
        cx.report.unsupported_but(at, "`of: stack` for a pattern of partners", "name the partners, in a list");
        return None;
    }
    Some(())
}

fn slides(period: &Table<Period>) -> bool {
    period.rows.iter().any(|row| matches!(row.value, Period::Sliding(_)))
}

fn begins_at_events(when: &Anchor) -> bool {
    when.any.iter().all(|trigger| matches!(trigger, Trigger::Event(_)))
}

fn refers(test: &Test) -> bool {
    match &test.want {
        Want::SameAs(_) => true,
        Want::Not(inner) => matches!(**inner, Want::SameAs(_)),
        Want::Present
        | Want::Absent
        | Want::OneOf(_)
        | Want::MoreThan(_)
        | Want::AtLeast(_)
        | Want::LessThan(_)
        | Want::AtMost(_) => false,
    }
}
