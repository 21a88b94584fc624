//! Selectors: which events. One head (`event`, `any`, `all`, `in-order`, `done`, `breached`) with filters.

mod origin;

pub(crate) use origin::origin;

use super::code::Code;
use super::fields::{self, Fields};
use super::filters::{self, Filters};
use super::keys::selectors;
use super::length;
use super::names::{Business, Cx};
use super::population;
use super::report::At;
use super::yaml::{Node, Value};
use onus_engine::terms::{Act, Anchor, EventMatch, Evidenced, Excuse, Pick, Requirement, Test, Trigger};

/// A selector as written, filters handed down to its leaves.
struct Selector {
    at: At,
    head: Head,
}

enum Head {
    Event {
        kind: String,
        filters: Filters,
    },
    Any(Vec<Selector>),
    All(Vec<Selector>),
    InOrder(Vec<Selector>),
    Done {
        ids: Vec<String>,
        filters: Filters,
    },
    Breached {
        ids: Vec<String>,
        filters: Filters,
    },
    /// No event: the anchor itself.
    Itself {
        filters: Filters,
    },
}

const HEADS: &[&str] = &["event", "any", "all", "in-order", "done", "breached"];

/// Which events open a duty.
pub(crate) fn anchor(node: &Node, cx: &mut Cx<'_>) -> Option<Anchor> {
    let selector = read(node, &Filters::default(), cx)?;
    let mut leaves = Vec::new();
    triggers(&selector, &mut leaves, node, cx)?;
    let (_, time, _) = leaves.first()?.clone();
    let pick = one_pick(&selector, &leaves, cx)?;
    let one_time = leaves.iter().all(|(_, t, _)| *t == time);
    let any = leaves.into_iter().map(|(trigger, time, own)| match trigger {
        Trigger::Event(event) => {
            let own = (own != pick).then_some(own.unwrap_or(Pick::Each));
            Trigger::Event(EventMatch { time: time.filter(|_| !one_time), pick: own, ..event })
        }
        other => other,
    });
    let any: Vec<Trigger> = any.collect();
    // A contract ends once: by a termination, or by its `ends`, whichever comes first.
    let once = any.iter().all(|t| matches!(t, Trigger::Event(event) if event.kind == "contract.ended"));
    let pick = pick.or(once.then_some(Pick::First));
    let whole = match &selector.head {
        Head::All(_) | Head::InOrder(_) => Some(whole(&selector, cx)?),
        _ => None,
    };
    Some(Anchor { any, whole, time: time.filter(|_| one_time), pick: pick.unwrap_or(Pick::Each) })
}

/// What an anchor's members say of `pick`; events may differ from it, each by itself.
fn one_pick(selector: &Selector, leaves: &[Leaf], cx: &mut Cx<'_>) -> Option<Option<Pick>> {
    let of_duties = |(trigger, ..): &&Leaf| !matches!(trigger, Trigger::Event(_));
    let pick = leaves.iter().find(of_duties).or(leaves.first()).map(|(.., pick)| *pick)?;
    let together = matches!(selector.head, Head::All(_) | Head::InOrder(_));
    if leaves.iter().filter(|leaf| together || of_duties(leaf)).any(|(.., own)| *own != pick) {
        let what = if together { "members of `all` or `in-order`" } else { "`done` and `breached` of one anchor" };
        let hint = "say it once, around them; or make an obligation of each";
        cx.report.hinted(Code::WrongFilter, selector.at, format!("{what} with `pick` of their own"), hint);
        return None;
    }
    Some(pick)
}

/// An anchor of several events: they are looked for on one subject.
fn whole(selector: &Selector, cx: &mut Cx<'_>) -> Option<Act> {
    fn bare(selector: &Selector) -> Selector {
        let members = |of: &[Selector]| of.iter().map(bare).collect();
        let head = match &selector.head {
            Head::Event { kind, filters } => {
                let filters = Filters { time: None, pick: None, ..filters.clone() };
                Head::Event { kind: kind.clone(), filters }
            }
            Head::Any(of) => Head::Any(members(of)),
            Head::All(of) => Head::All(members(of)),
            Head::InOrder(of) => Head::InOrder(members(of)),
            Head::Done { ids, filters } => Head::Done { ids: ids.clone(), filters: filters.clone() },
            Head::Breached { ids, filters } => Head::Breached { ids: ids.clone(), filters: filters.clone() },
            Head::Itself { filters } => Head::Itself { filters: filters.clone() },
        };
        Selector { at: selector.at, head }
    }
    let act = to_act(&bare(selector), "when", cx)?;
    let mut kinds: Vec<&str> = Vec::new();
    leaves(&act, &mut kinds);
    kinds.iter_mut().for_each(|kind| *kind = kind.split_once('.').map_or(*kind, |(subject, _)| subject));
    kinds.dedup();
    if kinds.len() > 1 {
        let hint = "begin at the last of them, and require the others: `requires: {all: [..]}`";
        let what = "`all` or `in-order` as an anchor over several kinds of subject";
        cx.report.hinted(Code::KindsDiffer, selector.at, what, hint);
        return None;
    }
    Some(act)
}

fn leaves<'a>(act: &'a Act, kinds: &mut Vec<&'a str>) {
    match act {
        Act::One(event) => kinds.push(&event.kind),
        Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().for_each(|act| leaves(act, kinds)),
        Act::Duty(..) => {}
    }
}

/// The act that is owed, or that ends a duty; `key` is where it stands.
pub(crate) fn act(node: &Node, key: &str, cx: &mut Cx<'_>) -> Option<Act> {
    let selector = read(node, &Filters::default(), cx)?;
    to_act(&selector, key, cx)
}

/// What excuses a late act: an event, or what the act itself carries.
pub(crate) fn excuse(node: &Node, cx: &mut Cx<'_>) -> Option<Excuse> {
    let selector = read(node, &Filters::default(), cx)?;
    match &selector.head {
        Head::Itself { filters } => itself(filters, selector.at, cx).map(Excuse::Itself),
        _ => to_act(&selector, "excused-by", cx).map(Excuse::Event),
    }
}

/// What must have come before an anchor, or be true of it.
pub(crate) fn requirement(node: &Node, cx: &mut Cx<'_>) -> Option<Requirement> {
    let selector = read(node, &Filters::default(), cx)?;
    to_requirement(&selector, cx)
}

fn read(node: &Node, outer: &Filters, cx: &mut Cx<'_>) -> Option<Selector> {
    let at = node.at;
    if let Value::Scalar { .. } = &node.value {
        let head = Head::Event { kind: cx.event(node)?, filters: outer.clone() };
        return Some(Selector { at, head });
    }
    if let Value::List(_) = &node.value {
        let hint = "say whether one is enough (`any: [..]`) or all are needed (`all: [..]`)";
        cx.report.hinted(Code::WrongShape, at, "a selector is an event type or a map, not a list", hint);
        return None;
    }
    let fields = Fields::of(node, &selectors::SELECTOR, &mut cx.report)?;
    let heads: Vec<&str> = HEADS.iter().filter(|head| fields.has(head)).copied().collect();
    let filters = filters::read(&fields, outer, cx);
    let head = match heads.as_slice() {
        [] => {
            if !fields.has("where") {
                cx.report.hinted(Code::SelectorHead, at, "a selector that names no event", "add `event:`");
                return None;
            }
            Head::Itself { filters: filters? }
        }
        [head] => {
            let value = fields.get(head)?;
            match *head {
                "event" => Head::Event { kind: cx.event(value)?, filters: filters? },
                "done" => Head::Done { ids: cx.obligations(value, "`done`")?, filters: filters? },
                "breached" => Head::Breached { ids: cx.obligations(value, "`breached`")?, filters: filters? },
                // Members are read even when the filters are wrong, so that their problems are told too.
                "any" => Head::Any(members(value, "`any`", filters, cx)?),
                "all" => Head::All(members(value, "`all`", filters, cx)?),
                _ => Head::InOrder(members(value, "`in-order`", filters, cx)?),
            }
        }
        [first, second, ..] => {
            let message = format!("a selector says `{first}` or `{second}`, not both");
            cx.report.hinted(Code::SelectorHead, at, message, "nest one in the other: `any: [.., {all: [..]}]`");
            return None;
        }
    };
    Some(Selector { at, head })
}

fn members(node: &Node, what: &str, filters: Option<Filters>, cx: &mut Cx<'_>) -> Option<Vec<Selector>> {
    let items = fields::list(node, what, &mut cx.report)?;
    let outer = filters.clone().unwrap_or_default();
    let members = fields::every(items, |item| read(item, &outer, cx))?;
    filters.map(|_| members)
}

type Leaf = (Trigger, Option<String>, Option<Pick>);

fn triggers(selector: &Selector, leaves: &mut Vec<Leaf>, node: &Node, cx: &mut Cx<'_>) -> Option<()> {
    match &selector.head {
        Head::Event { kind, filters } => {
            not_ahead(filters, selector.at, cx)?;
            sound(kind, filters, "an anchor", selector.at, cx)?;
            of_whom(kind, filters, "when", selector.at, cx)?;
            filters::without_anchor(&filters.tests, node, "an anchor", cx)?;
            let each = events(kind, filters);
            leaves.extend(each.into_iter().map(|e| (Trigger::Event(e), filters.time.clone(), filters.pick)));
        }
        Head::Any(members) => {
            let all: Vec<Option<()>> = members.iter().map(|m| triggers(m, leaves, node, cx)).collect();
            all.into_iter().collect::<Option<Vec<()>>>()?;
        }
        Head::Done { ids, filters } => {
            bare(filters, "done", selector.at, cx)?;
            leaves.push((Trigger::Done(ids.clone()), None, filters.pick));
        }
        Head::Breached { ids, filters } => {
            bare(filters, "breached", selector.at, cx)?;
            leaves.push((Trigger::Breached(ids.clone()), None, filters.pick));
        }
        Head::All(members) | Head::InOrder(members) => {
            if members.iter().any(|m| matches!(m.head, Head::Done { .. } | Head::Breached { .. })) {
                let hint = "begin at one of them, and name the others in `requires`";
                let what = "`done` or `breached` in an anchor's `all` or `in-order`";
                cx.report.hinted(Code::WrongFilter, selector.at, what, hint);
                return None;
            }
            let all: Vec<Option<()>> = members.iter().map(|m| triggers(m, leaves, node, cx)).collect();
            all.into_iter().collect::<Option<Vec<()>>>()?;
        }
        Head::Itself { .. } => {
            nameless(selector.at, cx);
            return None;
        }
    }
    Some(())
}

fn to_act(selector: &Selector, key: &str, cx: &mut Cx<'_>) -> Option<Act> {
    let all = |members: &[Selector], cx: &mut Cx<'_>| fields::every(members, |m| to_act(m, key, cx));
    match &selector.head {
        Head::Event { kind, filters } => {
            // The first such act is what stops a duty anyway.
            if filters.pick == Some(Pick::Latest) {
                let message = format!("`pick: latest` in `{key}`: the first such act ends it");
                cx.report.hinted(Code::WrongFilter, selector.at, message, "take `pick` out");
                return None;
            }
            plain(filters, &format!("`{key}`"), selector.at, cx)?;
            sound(kind, filters, &format!("`{key}`"), selector.at, cx)?;
            of_whom(kind, filters, key, selector.at, cx)?;
            let mut each: Vec<Act> = events(kind, filters).into_iter().map(Act::One).collect();
            match each.len() {
                1 => each.pop(),
                _ => Some(Act::Any(each)),
            }
        }
        Head::Any(members) => all(members, cx).map(Act::Any),
        Head::All(members) | Head::InOrder(members) => {
            let acts = all(members, cx)?;
            if matches!(selector.head, Head::InOrder(_)) && acts.iter().any(has_duty) {
                let hint = "begin at its end, with `when: {done: ..}`; or say `all`";
                let what = "`done` or `breached` in `in-order`";
                cx.report.hinted(Code::WrongFilter, selector.at, what, hint);
                return None;
            }
            let act = if matches!(selector.head, Head::All(_)) { Act::All(acts) } else { Act::InOrder(acts) };
            population::in_one_order(&act, selector.at, cx)?;
            Some(act)
        }
        Head::Done { ids, filters } => duty(ids, filters, false, key, selector.at, cx).map(|ids| Act::Duty(ids, false)),
        Head::Breached { ids, filters } => {
            duty(ids, filters, true, key, selector.at, cx).map(|ids| Act::Duty(ids, true))
        }
        Head::Itself { .. } if key == "excused-by" => {
            let hint = "say `excused-by: {where: ..}` with nothing beside it, of what the late act itself carries; or name \
                        events alone, which count up to the deadline";
            cx.report.hinted(
                Code::SelectorHead,
                selector.at,
                "`where` without an event among the events of `excused-by`",
                hint,
            );
            None
        }
        Head::Itself { .. } => {
            nameless(selector.at, cx);
            None
        }
    }
}

/// Other duties whose end or breach is looked for.
fn duty(ids: &[String], filters: &Filters, breached: bool, key: &str, at: At, cx: &mut Cx<'_>) -> Option<Vec<String>> {
    let head = if breached { "breached" } else { "done" };
    if *filters != Filters::default() {
        return beside_duty(head, at, cx);
    }
    if key == "excused-by" {
        let hint = "name the event that gives the reasons";
        cx.report.hinted(Code::WrongFilter, at, format!("`{head}` in `{key}`: a duty's end gives no reasons"), hint);
        return None;
    }
    Some(ids.to_vec())
}

fn has_duty(act: &Act) -> bool {
    match act {
        Act::Duty(..) => true,
        Act::Any(of) | Act::All(of) | Act::InOrder(of) => of.iter().any(has_duty),
        Act::One(_) => false,
    }
}

fn to_requirement(selector: &Selector, cx: &mut Cx<'_>) -> Option<Requirement> {
    let all = |members: &[Selector], cx: &mut Cx<'_>| fields::every(members, |m| to_requirement(m, cx));
    match &selector.head {
        Head::Event { kind, filters } => {
            own_time(filters, "`requires`", selector.at, cx)?;
            if filters.pick.is_some() {
                let hint = "take `pick` out: that one of them came before is enough";
                cx.report.hinted(Code::WrongFilter, selector.at, "`pick` in `requires`", hint);
                return None;
            }
            sound(kind, filters, "`requires`", selector.at, cx)?;
            of_whom(kind, filters, "requires", selector.at, cx)?;
            let mut each: Vec<Requirement> = events(kind, filters)
                .into_iter()
                .map(|event| match &filters.ahead {
                    Some(span) => Requirement::Ahead(event, span.clone(), None),
                    None => Requirement::Before(event),
                })
                .collect();
            match each.len() {
                1 => each.pop(),
                _ => Some(Requirement::Any(each)),
            }
        }
        Head::Itself { filters } => itself(filters, selector.at, cx).map(Requirement::Itself),
        Head::Any(members) => all(members, cx).map(Requirement::Any),
        Head::All(members) => all(members, cx).map(Requirement::All),
        Head::Done { ids, filters } => {
            duty(ids, filters, false, "requires", selector.at, cx).map(|ids| Requirement::Duty(ids, false))
        }
        Head::Breached { ids, filters } => {
            duty(ids, filters, true, "requires", selector.at, cx).map(|ids| Requirement::Duty(ids, true))
        }
        Head::InOrder(members) => {
            let steps = all(members, cx)?;
            if !steps.iter().all(is_step) {
                let hint =
                    "a step is an event, or `any` of several; `ahead` and the like stand in a requirement of their own";
                let what = "a step of `in-order` that is more than an event";
                cx.report.hinted(Code::WrongFilter, selector.at, what, hint);
                return None;
            }
            Some(Requirement::InOrder(steps))
        }
    }
}

/// What can come after something else.
fn is_step(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Before(_) => true,
        Requirement::Any(of) => of.iter().all(is_step),
        _ => false,
    }
}

/// Says what "business" means in each `ahead`. False: no calendar does, which has been reported.
pub(crate) fn in_business(what: &mut Requirement, business: Business, at: At, cx: &mut Cx<'_>) -> bool {
    match what {
        Requirement::Ahead(_, span, calendar) => {
            let needed = length::is_business(span);
            *calendar = business.position().filter(|_| needed);
            cx.business(needed, business, at, "`ahead` is in business time").is_some()
        }
        Requirement::Any(of) | Requirement::All(of) | Requirement::InOrder(of) => {
            let all: Vec<bool> = of.iter_mut().map(|one| in_business(one, business, at, cx)).collect();
            all.into_iter().all(|good| good)
        }
        Requirement::Before(_)
        | Requirement::Itself(_)
        | Requirement::Duty(..)
        | Requirement::During(_)
        | Requirement::Quota(..) => true,
    }
}

/// The anchor itself has only fields; who did it and when are its own selector's to say.
fn itself(filters: &Filters, at: At, cx: &mut Cx<'_>) -> Option<Vec<Test>> {
    let only_where = Filters { tests: filters.tests.clone(), ..Filters::default() } == *filters;
    if !only_where {
        let hint = "put it under `when`, or name an event here";
        cx.report.hinted(Code::WrongFilter, at, "`where` without an event stands alone", hint);
        return None;
    }
    Some(filters.tests.clone())
}

/// One event match for each party of `by`: any of them will do.
fn events(kind: &str, filters: &Filters) -> Vec<EventMatch> {
    let one = |by| EventMatch {
        kind: kind.to_owned(),
        tests: filters.tests.clone(),
        by,
        trust: filters.trust,
        time: None,
        pick: None,
        since: filters.since.clone().map(Box::new),
        evidenced: filters.evidenced.map(|accepted| Evidenced { accepted, by: None }),
        of: filters.of.clone().map(Box::new),
    };
    if filters.by.is_empty() {
        return vec![one(None)];
    }
    filters.by.iter().map(|party| one(Some(party.clone()))).collect()
}

/// No filter that moves the event's instant.
fn plain(filters: &Filters, what: &str, at: At, cx: &mut Cx<'_>) -> Option<()> {
    own_time(filters, what, at, cx)?;
    not_ahead(filters, at, cx)
}

/// A field that moves an act to an earlier instant would help who fills it.
fn own_time(filters: &Filters, what: &str, at: At, cx: &mut Cx<'_>) -> Option<()> {
    if filters.time.is_some() {
        let hint = "what is done counts when it happened: let its source give that time to the event";
        cx.report.hinted(Code::OwnTime, at, format!("`time` in {what}"), hint);
        return None;
    }
    Some(())
}

/// `since` looks back on the subject of the event; only an act waits for evidence.
fn sound(kind: &str, filters: &Filters, what: &str, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let subject = |kind: &str| kind.split_once('.').map(|(subject, _)| subject.to_owned());
    if what != "an anchor" && filters.since.as_ref().is_some_and(|s| subject(&s.event.kind) != subject(kind)) {
        let hint = "only what opens a duty may be held against an event on another kind of subject";
        let message = format!("`since` an event on another kind of subject, in {what}");
        cx.report.hinted(Code::KindsDiffer, at, message, hint);
        return None;
    }
    if filters.evidenced.is_some() && what != "`do`" {
        let hint = "it says when an act counts that is owed";
        cx.report.hinted(Code::WrongFilter, at, format!("`evidenced` stands only in `do`, not in {what}"), hint);
        return None;
    }
    Some(())
}

/// `of`, where it may stand and with what.
fn of_whom(kind: &str, filters: &Filters, key: &str, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let Some(of) = &filters.of else { return Some(()) };
    let bare = filters.since.is_none() && filters.evidenced.is_none();
    population::sound(kind, of, key, bare, at, cx)
}

fn not_ahead(filters: &Filters, at: At, cx: &mut Cx<'_>) -> Option<()> {
    if filters.ahead.is_some() {
        let hint = "it says how long before an anchor something came";
        cx.report.hinted(Code::WrongFilter, at, "`ahead` stands only in `requires`", hint);
        return None;
    }
    Some(())
}

fn bare(filters: &Filters, head: &str, at: At, cx: &mut Cx<'_>) -> Option<()> {
    let only_pick = Filters { pick: filters.pick, ..Filters::default() } == *filters;
    if !only_pick {
        return beside_duty(head, at, cx);
    }
    Some(())
}

/// How a duty stands is nobody's act.
fn beside_duty<T>(head: &str, at: At, cx: &mut Cx<'_>) -> Option<T> {
    let hint = "it is how a duty stands, not an event with fields: name the event that ended it, with its filters";
    cx.report.hinted(Code::WrongFilter, at, format!("filters beside `{head}`"), hint);
    None
}

fn nameless(at: At, cx: &mut Cx<'_>) {
    let hint = "add `event:`; only `requires` may speak of the anchor itself, and `excused-by` of the late act";
    cx.report.hinted(Code::SelectorHead, at, "`where` without an event", hint);
}
