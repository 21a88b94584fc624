//! Events that concern several partners: one process judges them, and several cannot.

use super::super::Contracts;
use super::super::journal::{Piece, places};
use crate::decode::{Batch, Decoder};
use onus_engine::book::Book;
use onus_engine::time::Moment;
use std::sync::Arc;

/// See the module.
pub(super) struct Several {
    decoder: Decoder,
    batch: Batch,
}

impl Several {
    pub(super) fn new(contracts: &Contracts) -> Several {
        let decoder = Decoder::new(Arc::new(Book::with(&contracts.list, false)), Moment::NEVER);
        Several { decoder, batch: Batch::default() }
    }

    pub(super) fn look(&mut self, names: &[String], piece: &Piece<'_>) -> Result<(), String> {
        self.batch.clear();
        self.batch.arrived.clear();
        self.decoder.lines(&piece.lines, 0, &mut self.batch);
        let Some(line) = self.batch.several.first() else { return Ok(()) };
        let mut all = places(&piece.lines, &piece.offsets, &piece.arrived);
        let place = all.nth(*line as usize).map_or(0, |one| one.offset);
        let name = names.get(usize::from(piece.feed)).map_or("", String::as_str);
        Err(format!(
            "an event concerns several partners ({name}, partition {}, offset {place}), and through an exchange each goes to one: \
             judge in one process, or have the sources send one for each of them, and begin with a new store",
            piece.partition
        ))
    }
}
