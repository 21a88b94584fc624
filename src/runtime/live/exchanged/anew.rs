//! Records that an intake read anew. What was made of them comes first, is put into the journal unjudged, and counts nowhere; the
//! word that they are read, behind it, has the journal judged again with them in the place of what was there before.

use super::{AGAIN, Exchanged, name};
use crate::exchange::repeats::Reading;
use crate::ingest::feed::Records;
use crate::runtime::live::generations::named;
use crate::runtime::live::regenerate::{is_settled, settled};
use crate::runtime::live::{Live, LiveError};
use crate::store::{LetterState, Regenerated};
use std::sync::atomic::Ordering;

impl Exchanged {
    /// Nothing more comes of readings that have been finished, nor of those before that never were.
    fn is_over(&mut self, mark: &Regenerated) {
        let over = |one: &Reading| {
            let here = one.source == mark.source && one.partition == mark.partition;
            here && (1..=mark.generation).contains(&one.generation)
        };
        self.news.retain(|reading, _| !over(reading));
        let gone: Vec<Reading> = self.rows.keys().filter(|one| over(one)).cloned().collect();
        for reading in gone {
            let rows = self.rows.remove(&reading).unwrap_or_default();
            self.leaving.extend(rows.into_iter().map(|(sequence, _)| name(&reading, sequence)));
        }
        self.repeats.forget_all(over);
    }
}

impl Live {
    /// Of this reading nothing more may come.
    pub(super) fn is_over(&self, reading: &Reading) -> bool {
        reading.generation > 0 && self.generations.is_over(&reading.source, reading.generation)
    }

    /// Events of records that are read anew.
    pub(super) fn anew(&mut self, reading: &Reading, records: &Records) {
        let name = named(&reading.source, reading.generation);
        self.hand.journal.put_lines(&name, records, 0..records.list.len());
        self.hand.events += records.list.len();
    }

    /// Records were read anew, and what came of it is in the journal. What is judged by it is written in the next commit, with
    /// where this was read.
    pub(super) fn renewed(&mut self, mut marks: Vec<Regenerated>) -> Result<(), LiveError> {
        for mark in &marks {
            self.feed_of(&mark.source)?;
        }
        // Whoever goes on after an intake says it once more.
        marks.retain(|mark| !self.generations.is_known(mark));
        if marks.is_empty() {
            return Ok(());
        }
        self.settle(&marks)?;
        for mark in &marks {
            let Regenerated { source, partition, begins, ends, why, .. } = mark;
            tracing::info!(source, partition, begins, ends, why, "records were read anew, and all is judged again");
            self.generations.add(mark.clone());
            if let Some(exchanged) = &mut self.exchanged {
                exchanged.is_over(mark);
            }
        }
        self.hand.regenerated.extend(marks);
        self.renews = true;
        self.reload_at = Some(self.now.steady());
        Ok(())
    }

    /// Dead letters of what was read before are none any more. A store that is away is waited for: they would be there for good.
    fn settle(&mut self, marks: &[Regenerated]) -> Result<(), LiveError> {
        let found = loop {
            let found = self.keeper.store().and_then(|store| settled(marks, store));
            match found {
                Err(error) if error.may_pass() && !self.stop.load(Ordering::Relaxed) => {
                    tracing::error!("{error}");
                    self.status.store(Some(error.to_string()));
                    std::thread::sleep(AGAIN);
                }
                found => break found?,
            }
        };
        let unwritten = self.keeper.unwritten().map_or(&[][..], |hand| &hand.letters);
        let unwritten = unwritten.iter().filter(|letter| is_settled(marks, letter)).map(|letter| letter.number);
        self.hand.reread.extend(found.into_iter().chain(unwritten.map(|number| (number, LetterState::Replayed))));
        for letter in self.hand.letters.iter_mut().filter(|letter| is_settled(marks, letter)) {
            letter.state = LetterState::Replayed;
        }
        Ok(())
    }
}
