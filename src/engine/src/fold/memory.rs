//! What few subjects need beside their duties. Of those few, most have pauses and nothing else, and are taken up and laid down
//! again and again while they wait: these are written by hand, all others plainly.

use super::pauses::Confirmation;
use super::{Fold, Periodic, SubjectWaiver, quotas};
use crate::duty::Duty;
use crate::engine::{pack_part, unpack_bytes};
use crate::rule::RuleId;
use crate::terms::Side;
use crate::time::Moment;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) pauses: Vec<ActivePause>,
    /// Lifted at the last resume, with its instant.
    pub(super) lifted: Vec<(Moment, ActivePause)>,
    /// Obligations of which only the first anchor counts, and which have had it.
    pub(super) picked: Vec<RuleId>,
    /// The same, of single members of an anchor.
    pub(super) firsts: Vec<(RuleId, u8)>,
    pub(super) waivers: Vec<SubjectWaiver>,
    pub(super) periods: Vec<Periodic>,
    /// Recurring obligations that `when` began (true), or `until` ended (false): whether an act begins them anew.
    pub(super) recurring: Vec<(RuleId, bool)>,
    pub(super) counts: Vec<quotas::Count>,
    /// It was merged into this subject: nothing begins on it any more.
    pub(super) merged: Option<String>,
    /// It is another partner's as things stand: nothing begins here.
    pub(super) away: bool,
    /// It was handed to this partner: no duty begins before that.
    pub(super) home_since: Option<Moment>,
    /// What was done before that: undone from here on, it is owed anew, by this partner.
    pub(super) done_before: Vec<Duty>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ActivePause {
    pub(super) at: Moment,
    pub(super) reason: Option<String>,
    pub(super) side: Option<Side>,
    pub(super) role: Option<String>,
    /// Who confirmed it, and when.
    pub(super) confirmed: Vec<Confirmation>,
    /// Resumed and paused at one instant: counts only where one of these counted, which were lifted by that resume.
    pub(super) instead_of: Option<Vec<ActivePause>>,
}

impl Memory {
    #[cold]
    fn forget(&mut self, at: Moment) {
        self.lifted.retain(|(when, _)| *when == at);
    }

    /// Nothing but pauses, as they mostly are: what [`Memory::put`] can write.
    fn is_pauses_alone(&self) -> bool {
        // Whoever adds a field has to say here that it is empty.
        let Memory {
            pauses,
            lifted,
            picked,
            firsts,
            waivers,
            periods,
            recurring,
            counts,
            merged,
            away,
            home_since,
            done_before,
        } = self;
        let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() < usize::from(NONE));
        let mut all = pauses.iter().chain(lifted.iter().map(|(_, pause)| pause));
        let few = |count: usize| count <= usize::from(u8::MAX);
        let others = picked.is_empty()
            && firsts.is_empty()
            && waivers.is_empty()
            && periods.is_empty()
            && recurring.is_empty()
            && counts.is_empty()
            && done_before.is_empty();
        others
            && merged.is_none()
            && !away
            && home_since.is_none()
            && few(pauses.len())
            && few(lifted.len())
            && all.all(|p| p.confirmed.is_empty() && p.instead_of.is_none() && short(&p.reason) && short(&p.role))
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.pauses.len() as u8, self.lifted.len() as u8]);
        for pause in &self.pauses {
            pause.put(out);
        }
        for (when, pause) in &self.lifted {
            out.extend_from_slice(&when.0.to_le_bytes());
            pause.put(out);
        }
    }

    /// None where the bytes are not what [`Memory::put`] wrote.
    fn read(bytes: &[u8]) -> Option<Memory> {
        let ([pauses, lifted], mut rest) = bytes.split_first_chunk()?;
        let pauses = (0..*pauses).map(|_| ActivePause::read(&mut rest)).collect::<Option<_>>()?;
        let lifted = (0..*lifted)
            .map(|_| Some((Moment(i64::from_le_bytes(*take(&mut rest)?)), ActivePause::read(&mut rest)?)))
            .collect::<Option<_>>()?;
        Some(Memory { pauses, lifted, ..Memory::default() })
    }
}

/// In place of the length of a text: there is none.
const NONE: u8 = u8::MAX;

impl ActivePause {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.at.0.to_le_bytes());
        out.push(match self.side {
            None => 0,
            Some(Side::Customer) => 1,
            Some(Side::Partner) => 2,
        });
        for text in [&self.reason, &self.role] {
            out.push(text.as_ref().map_or(NONE, |text| text.len() as u8));
            out.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
        }
    }

    fn read(rest: &mut &[u8]) -> Option<ActivePause> {
        let at = Moment(i64::from_le_bytes(*take(rest)?));
        let side = match take(rest)? {
            [1] => Some(Side::Customer),
            [2] => Some(Side::Partner),
            _ => None,
        };
        let (reason, role) = (text(rest)?, text(rest)?);
        Some(ActivePause { at, reason, side, role, confirmed: Vec::new(), instead_of: None })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(first)
}

fn text(rest: &mut &[u8]) -> Option<Option<String>> {
    let [len] = *take(rest)?;
    if len == NONE {
        return Some(None);
    }
    let (text, after) = rest.split_at_checked(len.into())?;
    *rest = after;
    Some(Some(std::str::from_utf8(text).ok()?.to_owned()))
}

/// How the bytes that follow were written.
const PLAINLY: u8 = 0;
const BY_HAND: u8 = 1;

impl Fold {
    /// It knows what few subjects need.
    pub(crate) fn has_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Appends what few subjects need, if it knows such.
    pub(crate) fn put_memory(&self, out: &mut Vec<u8>) {
        if let Some(memory) = &self.memory {
            pack_part(out, |out| match memory.is_pauses_alone() {
                true => {
                    out.push(BY_HAND);
                    memory.put(out);
                }
                false => {
                    out.push(PLAINLY);
                    crate::engine::pack_onto(out, &**memory);
                }
            });
        }
    }

    /// Takes what [`Fold::put_memory`] wrote, without its length; nothing from no bytes.
    #[inline(always)]
    pub(crate) fn set_memory(&mut self, bytes: &[u8]) {
        self.memory = match bytes {
            [] => None,
            [BY_HAND, rest @ ..] => Memory::read(rest).map(Box::new),
            [_, rest @ ..] => unpack_bytes(rest).map(Box::new),
        };
    }

    pub(super) fn memory(&mut self) -> &mut Memory {
        self.memory.get_or_insert_with(Box::default)
    }

    /// What a resume lifted is asked for at its own instant only.
    #[inline(always)]
    pub(super) fn forget_lifted(&mut self, at: Moment) {
        let Some(memory) = self.memory.as_mut().filter(|m| !m.lifted.is_empty()) else { return };
        memory.forget(at);
        if **memory == Memory::default() {
            self.memory = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pause() -> impl Strategy<Value = ActivePause> {
        let text = || prop::option::of(prop_oneof![4 => "[a-zß]{0,12}", 1 => "x{250,260}"]);
        let side = prop::option::of(prop_oneof![Just(Side::Customer), Just(Side::Partner)]);
        let confirmed = prop_oneof![3 => Just(Vec::new()), 1 => Just(vec![(Moment(7), None, None)])];
        (any::<i64>(), text(), side, text(), confirmed).prop_map(|(at, reason, side, role, confirmed)| ActivePause {
            at: Moment(at),
            reason,
            side,
            role,
            instead_of: None,
            confirmed,
        })
    }

    proptest! {
        #[test]
        fn what_few_need_comes_back_as_it_was(
            pauses in prop::collection::vec(pause(), 0..4),
            lifted in prop::collection::vec((any::<i64>().prop_map(Moment), pause()), 0..3),
            away in prop::bool::weighted(0.2),
        ) {
            let memory = Memory { pauses, lifted, away, ..Memory::default() };
            let fold = Fold { memory: Some(Box::new(memory)), ..Fold::default() };
            let mut bytes = Vec::new();
            fold.put_memory(&mut bytes);
            let mut back = Fold::default();
            back.set_memory(&bytes[4..]);
            prop_assert_eq!(&back, &fold);
            // Cut short, or of another kind, they are refused; nothing panics.
            for end in 5..bytes.len() {
                back.set_memory(&bytes[4..end]);
            }
        }
    }
}
