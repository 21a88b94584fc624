//! A range of time cut into what counts and what does not, with the reason: what people are shown.
//!
//! In a joined calendar a holiday of any member that is closed names the stretch. A break does so only where nothing but
//! breaks stands in the way.

use super::spec::Layers;
use super::{Calendar, Closed, Kind, Spec, Stretch, page};
use crate::time::Moment;

/// See [`Calendar::stretches`].
pub(super) fn of(calendar: &Calendar, a: Moment, b: Moment) -> Vec<Stretch> {
    if a >= b {
        return Vec::new();
    }
    if calendar.is_always() {
        return vec![Stretch { from: a, to: b, closed: None }];
    }
    let mut cut = Cut { from: a, stretches: Vec::new() };
    match &calendar.0.kind {
        Kind::Always(_) => cut.until(b, None),
        Kind::Hours(spec) => by_hours(spec, &mut cut, b),
        Kind::Any(_, members) => joined(members, &mut cut, b, any),
        Kind::All(_, members) => joined(members, &mut cut, b, all),
        Kind::Versions(versions) => {
            for (begin, end, version) in page::reigns(versions) {
                for stretch in of(version, begin.max(a), end.min(b)) {
                    cut.until(stretch.to, stretch.closed);
                }
            }
            cut.until(b, Some(Closed::Outside));
        }
    }
    cut.stretches
}

/// A range being cut, from its start on.
struct Cut {
    from: Moment,
    stretches: Vec<Stretch>,
}

impl Cut {
    /// The next stretch; one of the same kind as the last prolongs it.
    fn until(&mut self, to: Moment, closed: Option<Closed>) {
        if to <= self.from {
            return;
        }
        match self.stretches.last_mut() {
            Some(last) if last.closed == closed => last.to = to,
            Some(_) | None => self.stretches.push(Stretch { from: self.from, to, closed }),
        }
        self.from = to;
    }
}

fn by_hours(spec: &Spec, cut: &mut Cut, b: Moment) {
    let world = page::numbers(cut.from, b);
    let (from, to) = (page::bounds(*world.start()).0.max(cut.from), page::bounds(*world.end()).1.min(b));
    if from < to {
        for (begin, end, closed) in labelled(spec.layers(from, to)) {
            cut.until(begin.min(to), Some(Closed::Outside));
            cut.until(end.min(to), closed);
        }
    }
    cut.until(b, Some(Closed::Outside));
}

/// Open time, holidays and breaks, which do not overlap, in order; what is missing lies outside hours.
fn labelled(layers: Layers) -> Vec<(Moment, Moment, Option<Closed>)> {
    let mut all: Vec<_> = layers.open().into_iter().map(|(from, to)| (from, to, None)).collect();
    all.extend(layers.open_but_for_breaks().into_iter().map(|(from, to)| (from, to, Some(Closed::Break))));
    all.extend(layers.holidays.into_iter().map(|((from, to), name)| (from, to, Some(Closed::Holiday(name)))));
    all.sort_unstable_by_key(|(from, ..)| *from);
    all
}

fn joined(members: &[Calendar], cut: &mut Cut, b: Moment, reason: fn(&[&Stretch]) -> Option<Closed>) {
    let each: Vec<Vec<Stretch>> = members.iter().map(|member| of(member, cut.from, b)).collect();
    let mut at = vec![0; each.len()];
    while cut.from < b {
        let now: Vec<&Stretch> = each.iter().zip(&at).filter_map(|(stretches, i)| stretches.get(*i)).collect();
        let to = now.iter().map(|stretch| stretch.to).min().unwrap_or(b);
        cut.until(to, reason(&now));
        for (i, stretch) in at.iter_mut().zip(now) {
            *i += usize::from(stretch.to == to);
        }
    }
}

fn any(now: &[&Stretch]) -> Option<Closed> {
    if now.iter().any(|stretch| stretch.closed.is_none()) {
        return None;
    }
    let only_a_break = now.iter().any(|stretch| stretch.closed == Some(Closed::Break));
    Some(holiday(now).unwrap_or(if only_a_break { Closed::Break } else { Closed::Outside }))
}

fn all(now: &[&Stretch]) -> Option<Closed> {
    if now.iter().all(|stretch| stretch.closed.is_none()) {
        return None;
    }
    let only_breaks = now.iter().all(|stretch| stretch.closed != Some(Closed::Outside));
    Some(holiday(now).unwrap_or(if only_breaks { Closed::Break } else { Closed::Outside }))
}

/// The first holiday named.
fn holiday(now: &[&Stretch]) -> Option<Closed> {
    now.iter().find_map(|stretch| match &stretch.closed {
        Some(Closed::Holiday(name)) => Some(Closed::Holiday(name.clone())),
        Some(Closed::Outside | Closed::Break) | None => None,
    })
}
