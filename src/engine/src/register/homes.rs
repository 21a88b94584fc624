//! Whose a subject is: one that was handed to another partner is of no population of this one until it comes back.

use super::Register;
use super::living::is_alive;
use crate::book::Book;
use crate::fold::Way;
use crate::time::Moment;
use std::collections::{BTreeMap, BTreeSet};

/// When subjects came and went, by name; of those that ever did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Homes(BTreeMap<String, Vec<(Moment, Way)>>);

impl Homes {
    /// A subject comes or goes. False: that was known.
    pub(crate) fn add(&mut self, name: &str, at: Moment, way: Way) -> bool {
        let all = self.0.entry(name.to_owned()).or_default();
        let place = all.binary_search(&(at, way));
        if let Err(place) = place {
            all.insert(place, (at, way));
        }
        place.is_err()
    }

    /// When a subject came and went, in order.
    pub(super) fn of(&self, name: &str) -> &[(Moment, Way)] {
        self.0.get(name).map_or(&[], |all| all)
    }
}

/// Whether a subject is this partner's before it first came or went.
pub(super) fn begins_here(moves: &[(Moment, Way)]) -> bool {
    moves.first().is_none_or(|(_, way)| *way == Way::Out)
}

/// Whether it is by the latest that is known.
pub(super) fn is_here(moves: &[(Moment, Way)]) -> bool {
    moves.last().is_none_or(|(_, way)| *way == Way::In)
}

impl Register {
    /// A subject comes or goes. Gives the subjects whose duties' answers that changes.
    pub(crate) fn rehome(&mut self, book: &Book, name: &str, at: Moment, way: Way) -> BTreeSet<String> {
        if !self.homes.add(name, at, way) {
            return BTreeSet::new();
        }
        let here = is_here(self.homes.of(name));
        let mut changed = BTreeSet::new();
        let kinds: Vec<_> = self.members.keys().copied().collect();
        for kind in kinds {
            let Some(member) = self.members.get_mut(&kind).and_then(|of| of.get_mut(name)) else { continue };
            let alive = here && is_alive(book, &member.facts);
            let count = self.living.entry(kind).or_default();
            match (std::mem::replace(&mut member.alive, alive), alive) {
                (false, true) => *count += 1,
                (true, false) => *count -= 1,
                (true, true) | (false, false) => {}
            }
            changed.extend(self.ask_again(book, kind, name));
        }
        changed
    }
}
