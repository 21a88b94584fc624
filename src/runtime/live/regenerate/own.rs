//! One process: what is read anew lies in the journal behind the first reading, until the marks say that it counts.

use super::Destination;
use crate::exchange::repeats::Reading;
use crate::ingest::feed::Records;
use crate::runtime::live::LiveError;
use crate::runtime::live::generations::named;
use crate::runtime::live::journal::Writer;
use crate::runtime::live::judge::Refused;
use crate::store::{Regenerated, Remembered, Store};
use onus_engine::time::Moment;

/// Bytes of events that are written at once.
const ENOUGH: usize = 8 << 20;

/// See the module.
#[derive(Default)]
pub(super) struct OwnJournal {
    writer: Writer,
    bytes: usize,
}

impl Destination for OwnJournal {
    fn begins(&mut self, _: &mut dyn Store, commit: u64) -> Result<u64, LiveError> {
        Ok(commit)
    }

    fn put(&mut self, reading: Reading, events: &Records, lines: &[usize]) -> Vec<Refused> {
        let name = named(&reading.source, reading.generation);
        self.bytes += self.writer.put_lines(&name, events, lines.iter().copied());
        Vec::new()
    }

    fn is_full(&self) -> bool {
        self.bytes >= ENOUGH
    }

    fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    fn journal(&self) -> Result<Vec<u8>, LiveError> {
        match self.writer.is_empty() {
            true => Ok(Vec::new()),
            false => self.writer.blob().map_err(|error| LiveError::Journal(error.to_string())),
        }
    }

    fn committed(&mut self) -> Result<(), LiveError> {
        self.writer.clear();
        self.bytes = 0;
        Ok(())
    }

    fn last(&mut self, _: &[Regenerated], _: Moment) -> Result<Option<Remembered>, LiveError> {
        Ok(None)
    }
}
