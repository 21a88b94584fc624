//! What partners hold, credentials above all, by how the duties about each stand: looked up with the rest of a [`super::Pass`].

use super::Engine;
use crate::standing::Standing;
use crate::vocabulary::KindId;
use std::collections::BTreeMap;

/// How what is held stands: by the worst of the duties about it that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeldState {
    /// It lives, and no duty about it is open.
    Live,
    /// Waived or exempt.
    Waived,
    /// The clock stands.
    Paused,
    /// Something is due later.
    Open,
    /// Little of a limit is left.
    AtRisk,
    /// The deadline has passed, and a feed that could tell is silent.
    Unknown,
    /// Past its deadline, and not done.
    Breached,
}

/// All of them, in the order of [`Held::by_state`].
pub const HELD_STATES: [HeldState; 7] = [
    HeldState::Live,
    HeldState::Waived,
    HeldState::Paused,
    HeldState::Open,
    HeldState::AtRisk,
    HeldState::Unknown,
    HeldState::Breached,
];

/// What a partner holds of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many stand so: each once.
    pub by_state: [u64; HELD_STATES.len()],
    /// Of those about which a duty has not ended, so many live by the register.
    registered: u64,
}

impl HeldState {
    pub(super) fn of(told: Standing, at_risk: bool) -> Option<HeldState> {
        Some(match told {
            Standing::Breached => HeldState::Breached,
            Standing::Unknown => HeldState::Unknown,
            Standing::Open if at_risk => HeldState::AtRisk,
            Standing::Open => HeldState::Open,
            Standing::Paused => HeldState::Paused,
            Standing::Waived | Standing::Exempt => HeldState::Waived,
            // A duty that stands so has ended.
            Standing::Untold | Standing::Met | Standing::MetLate | Standing::Cancelled | Standing::Withdrawn => {
                return None;
            }
        })
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            HeldState::Live => "live",
            HeldState::Waived => "waived",
            HeldState::Paused => "paused",
            HeldState::Open => "open",
            HeldState::AtRisk => "at-risk",
            HeldState::Unknown => "unknown",
            HeldState::Breached => "breached",
        }
    }
}

impl Engine {
    /// Kinds of what a partner holds, as far as obligations are about them.
    pub fn held_kinds(&self, partner: u32) -> Vec<(KindId, &str)> {
        let sheet = self.partners.get(partner as usize).and_then(|one| one.sheet.as_ref());
        let kinds = sheet.map(|sheet| self.book.held_kinds(&sheet.rules)).unwrap_or_default();
        kinds.into_iter().map(|kind| (kind, self.book.names().kind_name(kind))).collect()
    }

    /// One about which a duty has not ended.
    pub(super) fn note_held(&self, held: &mut Held, (partner, kind, slot): (u32, KindId, u32), state: HeldState) {
        held.by_state[state as usize] += 1;
        let register = self.partners.get(partner as usize).and_then(|one| one.register.as_deref());
        held.registered += u64::from(register.is_some_and(|register| register.lives(kind, self.shelf.name(slot))));
    }

    /// The others that live: registers know them, whether or not they are in memory.
    pub(super) fn note_living(&self, all: &mut BTreeMap<(u32, KindId), Held>) {
        for (p, partner) in self.partners.iter().enumerate() {
            let Some(register) = partner.register.as_deref() else { continue };
            for (kind, _) in self.held_kinds(p as u32) {
                let held = all.entry((p as u32, kind)).or_default();
                // While a look goes on some begin and others end: less than nothing is left of none.
                held.by_state[HeldState::Live as usize] = register.living(kind).saturating_sub(held.registered);
            }
        }
    }

    /// Where a register counts otherwise than it knows, in words.
    pub(super) fn miscounted(&self, partner: u32) -> Vec<String> {
        let register = self.partners.get(partner as usize).and_then(|one| one.register.as_deref());
        let wrong = register.map(|register| register.miscounted(&self.book)).unwrap_or_default();
        let words = |(kind, kept, anew)| {
            format!("{kept} of kind {} were said to live, {anew} do", self.book.names().kind_name(kind))
        };
        wrong.into_iter().map(words).collect()
    }
}
