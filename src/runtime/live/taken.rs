//! What was taken in, as it lies in the journal: for whoever wants to look, or to judge it by other means.

use super::journal::{self, Item};
use super::{LiveError, joined};
use crate::store::Store;
use onus_engine::time::Moment;

/// Commits of the journal that are read at once.
const AT_ONCE: u32 = 64;

/// An event that was taken in.
#[derive(Clone, Copy, Debug)]
pub struct TakenIn<'a> {
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

/// Shows every event of the journal, in the order in which they were taken in, with identities where the catalogue has native
/// names.
///
/// # Errors
/// The store, or a journal that no version of this program wrote.
pub fn taken_in(store: &mut dyn Store, show: &mut dyn FnMut(TakenIn<'_>)) -> Result<(), LiveError> {
    let catalogued = joined::names(store.terms()?.as_ref());
    let mut after = 0;
    loop {
        let commits = store.journal(after, AT_ONCE)?;
        let Some(last) = commits.last() else { return Ok(()) };
        after = last.sequence;
        for commit in commits.iter().filter(|commit| !commit.journal.is_empty()) {
            journal::read(&commit.journal, &mut |names, item| {
                let Item::Piece(piece) = item else { return };
                let source = names.get(usize::from(piece.feed)).map_or("", String::as_str);
                let (mut offset, mut at) = (0u64, 0i64);
                let places = piece.offsets.iter().zip(&piece.arrived);
                let lines = catalogued.resolved(&piece.lines);
                for (event, (further, later)) in lines.split(|byte| *byte == b'\n').zip(places) {
                    offset = offset.wrapping_add(*further);
                    at += later;
                    show(TakenIn { source, partition: piece.partition, offset, arrived: Moment(at), event });
                }
            })
            .map_err(LiveError::Journal)?;
        }
    }
}
