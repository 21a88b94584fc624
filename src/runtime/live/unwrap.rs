//! Dead letters whose wrapping could not be taken off, read again: perhaps the registry knows their schema now.

use super::Live;
use crate::ingest::feed::{FeedId, Records, Wrong};
use crate::ingest::wire::{Found, REASONS};
use crate::store::Letter;

/// Reads what a letter of a source keeps; None: the source has no such records.
pub type Unwrap = Box<dyn FnMut(FeedId, &[u8]) -> Option<Found<'static>> + Send>;

impl Live {
    /// Has letters be read again so.
    pub fn unwrap_by(&mut self, unwrap: Unwrap) {
        self.unwrap = Some(unwrap);
    }

    /// A letter's records; None: what it needs is not there yet, and it is asked for again.
    pub(super) fn unwrapped(&mut self, letter: &Letter, records: Records) -> Option<Records> {
        unwrapped(self.unwrap.as_mut(), letter, records)
    }
}

/// The same, by whoever knows what they are wrapped in.
pub(crate) fn unwrapped(unwrap: Option<&mut Unwrap>, letter: &Letter, mut records: Records) -> Option<Records> {
    let feed = records.feed;
    let mut push = |line: &[u8]| records.push(line, letter.offset, letter.offset, letter.at);
    if letter.length > letter.record.len() as u64 {
        push(&letter.record);
        records.is_wrong(Wrong::Cut(letter.length));
        return Some(records);
    }
    let wrapped = REASONS.contains(&letter.reason.as_str());
    let unwrap = unwrap.filter(|_| wrapped);
    match unwrap.and_then(|unwrap| unwrap(feed, &letter.record)) {
        None => push(&letter.record),
        Some(Found::One(line)) => push(&line),
        Some(Found::Many(lines)) => lines.iter().for_each(|line| push(line)),
        // There is nothing to read, and so nothing that is wrong.
        Some(Found::Skip(_)) => {}
        Some(Found::Wrong(fault)) => {
            push(&letter.record);
            records.is_wrong(Wrong::Wire { reason: fault.reason, detail: fault.why });
        }
        Some(Found::Waits(_)) => return None,
    }
    Some(records)
}
