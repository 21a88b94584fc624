//! What was taken in, as it lies in the journal: for whoever wants to look, or to judge it by other means.

use super::generations::{Generations, split};
use super::journal::{self, Item, places};
use super::{LiveError, joined};
use crate::store::Store;
use onus_engine::time::Moment;

/// Commits of the journal that are read at once.
const AT_ONCE: u32 = 64;

/// An event that was taken in.
#[derive(Clone, Copy, Debug)]
pub struct TakenIn<'a> {
    /// The commit that it was taken in with.
    pub commit: u64,
    /// The source that brought it, by its name in the settings then.
    pub source: &'a str,
    /// Partition.
    pub partition: i32,
    /// Offset, byte or count of its record.
    pub offset: u64,
    /// When it came.
    pub arrived: Moment,
    /// The event, as it came, or as an adapter made it of what came; what the catalogue knows of it is in it.
    pub event: &'a [u8],
}

/// Shows every event of the journal that counts, in the order in which they were taken in, with identities where the catalogue has
/// native names.
///
/// # Errors
/// The store, or a journal that no version of this program wrote.
pub fn taken_in(store: &mut dyn Store, show: &mut dyn FnMut(TakenIn<'_>)) -> Result<(), LiveError> {
    let generations = Generations::of(store)?;
    let catalogued = joined::names(store.terms()?.as_ref());
    let mut after = 0;
    loop {
        let commits = store.journal(after, AT_ONCE)?;
        let Some(last) = commits.last() else { return Ok(()) };
        after = last.sequence;
        for commit in commits.iter().filter(|commit| !commit.journal.is_empty()) {
            journal::read(&commit.journal, &mut |names, item| {
                let Item::Piece(piece) = item else { return };
                let name = names.get(usize::from(piece.feed)).map_or("", String::as_str);
                let ((source, generation), partition) = (split(name), piece.partition);
                let lines = catalogued.resolved(&piece.lines);
                for one in places(&lines, &piece.offsets, &piece.arrived) {
                    if generations.counts(source, generation, partition, one.offset) {
                        let (commit, offset, arrived, event) = (commit.sequence, one.offset, one.arrived, one.line);
                        show(TakenIn { commit, source, partition, offset, arrived, event });
                    }
                }
            })
            .map_err(LiveError::Journal)?;
        }
    }
}
