//! Who held the onus, instant by instant (law 5): of the open duties, the obligor of the earliest deadline; where all
//! that is open waits in effective pauses, the side that it waits for; where nothing runs, the risk owner.

use super::recorder::Name;
use super::{Life, rfc};
use crate::fold::{Stopped, View};
use crate::rule::Rule;
use crate::terms::{Party, Side};
use crate::time::Moment;
use serde::Serialize;

/// A stretch of time with one holder; half-open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holding {
    /// First instant inside.
    #[serde(serialize_with = "rfc")]
    pub from: Moment,
    /// First instant outside, or now.
    #[serde(serialize_with = "rfc")]
    pub to: Moment,
    /// The side, or its role.
    pub holder: String,
    /// That side's name.
    pub name: String,
    /// The obligation that decides; None: nothing runs.
    pub obligation: Option<String>,
    /// Why.
    pub why: String,
}

/// Holders from the first duty or fact on to `now`; they touch.
pub(super) fn over_time(view: View<'_>, lives: &[(Name, Life<'_>)], now: Moment) -> Vec<Holding> {
    let first_fact = view.timeline.facts().find(|f| !f.linked()).map(|f| f.at());
    let first_duty = lives.iter().map(|(_, life)| life.raw.pieces.first().map_or(life.duty.start, |p| p.from)).min();
    let Some(begin) = first_fact.into_iter().chain(first_duty).min().filter(|begin| *begin < now) else {
        return Vec::new();
    };
    let mut instants: Vec<Moment> = vec![begin, now];
    for (_, life) in lives {
        instants.extend(life.raw.pieces.iter().flat_map(|p| [p.from, p.to, p.deadline]));
        instants.extend(life.raw.held.iter().map(|(at, _)| *at));
    }
    instants.retain(|at| *at >= begin && *at <= now);
    instants.sort_unstable();
    instants.dedup();
    let mut out: Vec<Holding> = Vec::new();
    for pair in instants.windows(2) {
        let next = at(view, lives, pair[0], pair[1]);
        match out.last_mut() {
            Some(last)
                if (&last.holder, &last.obligation, &last.why) == (&next.holder, &next.obligation, &next.why) =>
            {
                last.to = next.to;
            }
            Some(_) | None => out.push(next),
        }
    }
    out
}

/// Who holds it from `now` on.
pub(super) fn from_now(view: View<'_>, lives: &[(Name, Life<'_>)], now: Moment) -> Option<Holding> {
    view.timeline.facts().next()?;
    let open = lives.iter().map(|(_, life)| life).filter(|life| life.duty.is_open() && life.duty.start <= now);
    let states: Vec<State<'_>> = open.map(|life| (life, Stopped::of(life.duty), life.duty.deadline)).collect();
    Some(held(view, lives, &states, now, now))
}

fn at(view: View<'_>, lives: &[(Name, Life<'_>)], from: Moment, to: Moment) -> Holding {
    let inside = |life: &Life<'_>| {
        let piece = life.raw.pieces.iter().find(|p| p.from <= from && from < p.to)?;
        Some((piece.why, piece.deadline))
    };
    let states: Vec<State<'_>> =
        lives.iter().filter_map(|(_, life)| inside(life).map(|(why, deadline)| (life, why, deadline))).collect();
    held(view, lives, &states, from, to)
}

/// A duty, whether its time counts, and its deadline.
type State<'s> = (&'s Life<'s>, Stopped, Moment);

fn held(view: View<'_>, lives: &[(Name, Life<'_>)], states: &[State<'_>], from: Moment, to: Moment) -> Holding {
    let mut running: Vec<(Moment, Side, &Life<'_>)> = Vec::new();
    let mut waiting: Vec<(Side, &Life<'_>)> = Vec::new();
    let mut covered = false;
    for (life, why, deadline) in states {
        let rule = view.book.rule(life.duty.rule);
        match why {
            Stopped::Not => running.push((*deadline, rule.obligor.side, life)),
            Stopped::Paused => waiting.push((waits_for(rule, life, from), life)),
            Stopped::Waived | Stopped::Exempt => covered = true,
            Stopped::Ended => {}
        }
    }
    // Of equal deadlines the partner's.
    running.sort_by_key(|(deadline, side, life)| (*deadline, *side != Side::Partner, life.duty.key));
    waiting.sort_by_key(|(side, life)| (*side != Side::Partner, life.duty.key));
    let (party, rule, why) = if let Some((deadline, _, life)) = running.first() {
        let rule = view.book.rule(life.duty.rule);
        let why = match deadline.known() {
            Some(deadline) if deadline <= from => "it is late".to_owned(),
            Some(_) if running.len() + waiting.len() == 1 => "it is due".to_owned(),
            Some(_) => "it is due first".to_owned(),
            None => "it runs".to_owned(),
        };
        (rule.obligor.clone(), Some(rule), why)
    } else if let Some((side, life)) = waiting.first() {
        let rule = view.book.rule(life.duty.rule);
        (Party { side: *side, role: None }, Some(rule), "it is paused, and waits for this side".to_owned())
    } else {
        let why = if covered { "what is open is waived or exempt" } else { "nothing is open" };
        (risk_owner(view, lives), None, format!("{why}: the risk owner"))
    };
    Holding {
        from,
        to,
        holder: party.to_string(),
        name: name(view, lives, rule, party.side),
        obligation: rule.map(|r| r.id.clone()),
        why,
    }
}

/// A pause excuses the obligor because another must act first. A reason that names a side (`waiting-customer`) says
/// which; else it is the side that does not owe the duty.
fn waits_for(rule: &Rule, life: &Life<'_>, at: Moment) -> Side {
    let other = |side: Side| if side == Side::Partner { Side::Customer } else { Side::Partner };
    let named = |reason: &str| match (reason.contains("customer"), reason.contains("partner")) {
        (true, false) => Some(Side::Customer),
        (false, true) => Some(Side::Partner),
        (true, true) | (false, false) => None,
    };
    let sides = life
        .raw
        .held_at(at)
        .iter()
        .map(|by| by.reason.as_deref().and_then(named).unwrap_or_else(|| other(rule.obligor.side)));
    // Several pauses that wait for both sides: a tie.
    sides.max().unwrap_or_else(|| other(rule.obligor.side))
}

fn risk_owner(view: View<'_>, lives: &[(Name, Life<'_>)]) -> Party {
    let of_lives = lives.iter().map(|(_, life)| view.book.rule(life.duty.rule));
    let of_sheet = view.sheet.rules.iter().map(|id| view.book.rule(*id));
    let owner = of_lives.chain(of_sheet).find_map(|rule| rule.risk_owner.clone());
    owner.unwrap_or(Party { side: Side::Customer, role: None })
}

fn name(view: View<'_>, lives: &[(Name, Life<'_>)], rule: Option<&Rule>, side: Side) -> String {
    if side == Side::Partner {
        return view.partner.to_owned();
    }
    let first = lives.first().map(|(_, life)| life.duty.rule).or(view.sheet.rules.first().copied());
    rule.or_else(|| first.map(|id| view.book.rule(id))).map_or(String::new(), |rule| rule.customer.clone())
}
