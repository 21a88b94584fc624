//! What is older than anybody wants to keep goes: a little at a time, and never what a judge would still need.
//!
//! The ledger goes from its first entry on; what is left stays linked by the digest of the last one that went. The journal
//! goes commit by commit, up to the newest snapshot, and no further than the oldest thing in memory rests on: else other
//! contracts could not be judged by it again. Under the events' clock nothing goes: an archive that is read is old by nature.

use super::{Clock, Live, LiveError};
use crate::store::{Committed, Query};
use onus_engine::terms::{Contract, Span};
use onus_engine::time::{DAY, HOUR, MINUTE, Millis, Moment};

/// Commits of one pass.
const COMMITS: u32 = 64;
/// Entries of one pass.
const ENTRIES: u32 = 5_000;
/// Events may come so much before their time: the commit that has them is no older than this before them.
const AHEAD: Millis = DAY;
/// From pass to pass while there is more.
const MORE: Millis = 1_000;

/// How long everything is kept: the settings' time, or the longest that a contract says.
pub(super) fn kept_for(settings: Millis, contracts: &[Contract]) -> Millis {
    let said = contracts.iter().filter_map(|contract| contract.retention.as_ref()).map(length);
    said.fold(settings, Millis::max)
}

/// At most so long.
fn length(span: &Span) -> Millis {
    match span {
        Span::Elapsed(ms) | Span::Open(ms) => *ms,
        Span::CalendarDays(days) => (i64::from(*days) + 1) * DAY,
        // Weekends and holidays between them.
        Span::WorkingDays(days) => (i64::from(*days) + 1) * 3 * DAY,
        Span::Months(months) => i64::from(*months) * 31 * DAY,
        Span::TimeOfWorkingDay { .. } | Span::DayOfYear { .. } | Span::At(_) | Span::AtOnce => 0,
    }
}

impl Live {
    /// Lets a little of what is too old go, if it is time to look.
    pub(super) fn retire(&mut self) -> Result<(), LiveError> {
        let steady = self.now.steady();
        if steady < self.retire_at || self.plan.clock == Clock::Events {
            return Ok(());
        }
        let pause = match self.retire_some() {
            Ok(true) => MORE,
            Ok(false) => HOUR,
            Err(LiveError::Store(error)) if error.may_pass() => MINUTE,
            Err(error) => return Err(error),
        };
        self.retire_at = steady + pause;
        Ok(())
    }

    /// One pass; true: there is more.
    fn retire_some(&mut self) -> Result<bool, LiveError> {
        let horizon = self.judge.engine.now() + -self.kept_for;
        let (commits, more_commits) = self.old_commits(horizon)?;
        let (before, more_entries) = self.old_entries(horizon)?;
        if commits.is_none() && before.is_none() {
            return Ok(false);
        }
        self.keeper.store()?.retire(self.epoch, commits.unwrap_or(0), before.unwrap_or(Moment(i64::MIN)))?;
        tracing::info!(
            "what is older than {horizon} goes: the journal to commit {}, the ledger to {}",
            commits.unwrap_or(0),
            before.map_or_else(|| "where it was".to_owned(), |at| at.to_string())
        );
        Ok(more_commits || more_entries)
    }

    /// Up to which commit the journal may go now.
    fn old_commits(&mut self, horizon: Moment) -> Result<(Option<u64>, bool), LiveError> {
        if self.snapped_at == 0 {
            return Ok((None, false));
        }
        let oldest = self.keeper.store()?.journal(0, COMMITS)?;
        // A store begins with commits that have nothing in them and say no time. They go with what came after them: what is
        // left would look, to whoever judges it again, as if its beginning were gone.
        let empty = oldest.iter().take_while(|commit| commit.journal.is_empty()).count();
        if oldest.get(empty).is_none_or(|first| first.now >= horizon) && empty < COMMITS as usize {
            return Ok((None, false));
        }
        let rests = self.judge.engine.rests_on();
        let bound = if rests == Moment::NEVER { horizon } else { horizon.min(rests + -AHEAD) };
        let goes = |commit: &&Committed| commit.now < bound && commit.sequence <= self.snapped_at;
        let gone = match oldest.iter().take_while(goes).count() {
            some if some <= empty && empty < COMMITS as usize => 0,
            some => some,
        };
        if gone == 0 && bound < horizon {
            tracing::info!(
                "the journal is kept from {bound} on, longer than it must be: what is in memory rests on it"
            );
        }
        Ok((gone.checked_sub(1).map(|last| oldest[last].sequence), gone == COMMITS as usize))
    }

    /// Before which instant entries may go now.
    fn old_entries(&mut self, horizon: Moment) -> Result<(Option<Moment>, bool), LiveError> {
        let oldest = |limit| Query { limit, ..Query::default() };
        let store = self.keeper.store()?;
        if store.entries(&oldest(1))?.first().is_none_or(|first| first.at >= horizon) {
            return Ok((None, false));
        }
        let some = store.entries(&oldest(ENTRIES))?;
        Ok(match some.last() {
            Some(last) if some.len() == ENTRIES as usize && last.at < horizon => {
                // At least one goes, even where many were decided at one instant.
                let before = if some[0].at < last.at { last.at } else { last.at + 1 };
                (Some(before), true)
            }
            _ => (Some(horizon), false),
        })
    }
}
