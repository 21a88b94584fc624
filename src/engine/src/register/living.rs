//! How many live, by kind: kept as facts come in, so that nobody who asks walks through a register.

use super::homes::is_here;
use super::life::life;
use super::{Member, Register};
use crate::book::Book;
use crate::timeline::Timeline;
use crate::vocabulary::{KindId, Life};

impl Register {
    /// How many subjects of a kind live.
    pub(crate) fn living(&self, kind: KindId) -> u64 {
        self.living.get(&kind).copied().unwrap_or_default()
    }

    /// Whether this one does.
    pub(crate) fn lives(&self, kind: KindId, name: &str) -> bool {
        self.members.get(&kind).and_then(|of| of.get(name)).is_some_and(|member| member.alive)
    }

    /// Kinds of which not so many live as is kept: kept, and counted anew.
    pub(crate) fn miscounted(&self, book: &Book) -> Vec<(KindId, u64, u64)> {
        let here = |name: &str| is_here(self.homes.of(name));
        let counted = |of: &std::collections::BTreeMap<String, Member>| {
            of.iter().filter(|(name, member)| here(name) && is_alive(book, &member.facts)).count() as u64
        };
        let all = self.members.iter().map(|(kind, of)| (*kind, self.living(*kind), counted(of)));
        all.filter(|(_, kept, anew)| kept != anew).collect()
    }

    pub(super) fn count_anew(&mut self, book: &Book) {
        self.living.clear();
        for (kind, of) in &mut self.members {
            for (name, member) in of {
                member.alive = is_here(self.homes.of(name)) && is_alive(book, &member.facts);
                *self.living.entry(*kind).or_default() += u64::from(member.alive);
            }
        }
    }
}

/// Whether a subject lives by the latest that is told of it. One that was turned off does: it may be turned on again.
pub(super) fn is_alive(book: &Book, facts: &Timeline) -> bool {
    facts.facts().enumerate().fold(false, |alive, (i, fact)| match life(book, fact) {
        Life::Begins => true,
        Life::Ends | Life::EndsWhole => false,
        Life::Shows => alive || i == 0,
    })
}
