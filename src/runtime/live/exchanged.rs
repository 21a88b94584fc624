//! A judge's partition of the exchange: events of all sources, each with where it was, and how far each source was heard.
//!
//! What was taken is remembered in the commit that holds it, a row a commit, so a restart finds neither without the other.

use super::judge::Refused;
use super::{Feed, Live, LiveError};
use crate::exchange::carried::{self, Carried, Events, Place, Run, Tick};
use crate::exchange::repeats::{Digests, Item, KEPT, Reading, Repeats, Seen};
use crate::ingest::feed::{FeedId, Records};
use crate::store::{Position, Remembered, Store};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The reason of what is said of a place of a source where something else was said before.
pub(crate) const DIVERGENCE: &str = "Divergence";
/// The reason of what no intake has written.
pub(crate) const FOREIGN: &str = "Foreign";
/// Rows that are forgotten with one commit, at most.
const AT_ONCE: usize = 1_000;

/// A dead letter for this reason holds nothing that may be read again.
pub(crate) fn is_no_record(reason: &str) -> bool {
    reason == DIVERGENCE || reason == FOREIGN
}

/// A row in the store: its commit, and the last place in it.
type Row = (u64, (u64, u32));

/// See the module.
#[derive(Debug)]
pub(super) struct Exchanged {
    feed: FeedId,
    repeats: Repeats,
    digests: Digests,
    /// Taken since the batch before, by reading.
    news: BTreeMap<Reading, Vec<Item>>,
    /// The rows of each reading, oldest first, each with the last place in it.
    rows: BTreeMap<Reading, VecDeque<Row>>,
    /// Names of rows that are to be forgotten.
    leaving: VecDeque<String>,
    /// When the last of them came.
    came: Moment,
}

impl Exchanged {
    /// Where one of the feeds is an exchange.
    pub(super) fn of(feeds: &[Feed], store: &mut dyn Store) -> Result<Option<Exchanged>, LiveError> {
        let at = feeds.iter().position(|feed| feed.name == crate::exchange::NAME);
        at.map(|at| Exchanged::open(FeedId(at as u16), store)).transpose()
    }

    /// With what was taken up to the last commit.
    fn open(feed: FeedId, store: &mut dyn Store) -> Result<Exchanged, LiveError> {
        let mut found: BTreeMap<(Reading, u64), Vec<Item>> = BTreeMap::new();
        let mut trouble = None;
        store.remembered(crate::exchange::NAME, &mut |one| {
            let items = one.row.as_deref().and_then(|row| postcard::from_bytes::<Vec<(u64, u32, u64)>>(row).ok());
            match (named(&one.id), items) {
                (Some(key), Some(items)) => {
                    let items = items.into_iter().map(|(offset, item, digest)| Item { offset, item, digest });
                    found.insert(key, items.collect());
                }
                _ => {
                    trouble = Some(format!("what was taken from the exchange cannot be read in the store: {}", one.id));
                }
            }
        })?;
        if let Some(trouble) = trouble {
            return Err(LiveError::Exchange(trouble));
        }
        let mut all = Exchanged {
            feed,
            repeats: Repeats::default(),
            digests: Digests::default(),
            news: BTreeMap::new(),
            rows: BTreeMap::new(),
            leaving: VecDeque::new(),
            came: Moment::DAWN,
        };
        for ((reading, sequence), items) in found {
            for item in &items {
                all.repeats.take(&reading, *item);
            }
            if let Some(last) = items.last() {
                all.rows.entry(reading).or_default().push_back((sequence, (last.offset, last.item)));
            }
        }
        Ok(all)
    }

    /// Takes those that are new; gives of each of these events what it is.
    fn take<'a>(
        &mut self,
        run: &Run,
        lines: &mut impl Iterator<Item = &'a [u8]>,
        mut each: impl FnMut(Seen, Place, &'a [u8]),
    ) {
        let taken = self.repeats.of(&run.reading);
        let news = self.news.entry(run.reading.clone()).or_default();
        for (place, line) in run.places.iter().zip(lines) {
            let Place { offset, item, arrived } = *place;
            let item = Item { offset, item, digest: self.digests.of(line, arrived) };
            let seen = taken.take(item);
            if seen == Seen::New {
                news.push(item);
            }
            each(seen, *place, line);
        }
    }

    /// What has changed, for the next commit.
    pub(super) fn seal(&mut self, sequence: u64, remembered: &mut Vec<Remembered>) {
        let adapter = || crate::exchange::NAME.to_owned();
        for (reading, items) in std::mem::take(&mut self.news) {
            let Some(last) = items.last().map(|last| (last.offset, last.item)) else { continue };
            let plain: Vec<(u64, u32, u64)> = items.iter().map(|one| (one.offset, one.item, one.digest)).collect();
            // Into memory, of plain types: there is nothing that could go wrong.
            let row = postcard::to_allocvec(&plain).unwrap_or_default();
            remembered.push(Remembered {
                adapter: adapter(),
                id: name(&reading, sequence),
                row: Some(row),
                at: self.came,
            });
            let rows = self.rows.entry(reading.clone()).or_default();
            rows.push_back((sequence, last));
            let oldest = self.repeats.oldest(&reading);
            while let Some((sequence, _)) = rows.front().filter(|(_, last)| Some(*last) < oldest).copied() {
                rows.pop_front();
                self.leaving.push_back(name(&reading, sequence));
            }
            self.make_room(&reading);
        }
        let over = self.leaving.drain(..self.leaving.len().min(AT_ONCE));
        remembered.extend(over.map(|id| Remembered { adapter: adapter(), id, row: None, at: self.came }));
    }

    /// A file that is put aside each day, and each life of what is pushed, is a reading of its own: of those of a partition
    /// that take more room than two, the one that was taken of the longest ago is forgotten.
    fn make_room(&mut self, own: &Reading) {
        let (incarnation, generation) = (String::new(), 0);
        let from = Reading { source: own.source.clone(), partition: own.partition, incarnation, generation };
        let beside =
            self.rows.range(from..).map(|(reading, rows)| (reading, rows.back().map(|(sequence, _)| *sequence)));
        let beside = beside.take_while(|(one, _)| (&one.source, one.partition) == (&own.source, own.partition));
        let mut beside: Vec<(Option<u64>, &Reading)> = beside.map(|(reading, last)| (last, reading)).collect();
        let mut kept: usize = beside.iter().map(|(_, reading)| self.repeats.kept(reading)).sum();
        if kept <= 2 * KEPT {
            return;
        }
        beside.sort_unstable();
        let mut gone = Vec::new();
        for (_, reading) in beside.into_iter().filter(|(_, reading)| *reading != own) {
            if kept <= 2 * KEPT {
                break;
            }
            kept -= self.repeats.kept(reading);
            gone.push(reading.clone());
        }
        for reading in gone {
            self.repeats.forget(&reading);
            let rows = self.rows.remove(&reading).unwrap_or_default();
            self.leaving.extend(rows.into_iter().map(|(sequence, _)| name(&reading, sequence)));
        }
    }
}

/// A row's name: the commit, and the reading. A source's name has no blanks; what is read may have.
pub(super) fn name(reading: &Reading, sequence: u64) -> String {
    let Reading { source, partition, incarnation, generation } = reading;
    format!("{sequence} {partition} {generation} {source} {incarnation}")
}

pub(super) fn named(id: &str) -> Option<(Reading, u64)> {
    let mut parts = id.splitn(5, ' ');
    let sequence = parts.next()?.parse().ok()?;
    let (partition, generation) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (source, incarnation) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some((Reading { source, partition, incarnation, generation }, sequence))
}

impl Live {
    /// It brings what others say.
    pub(super) fn is_exchange(&self, feed: FeedId) -> bool {
        self.exchanged.as_ref().is_some_and(|exchanged| exchanged.feed == feed)
    }

    /// Takes in what came through the exchange: new events as if their sources had brought them, repeats not at all.
    pub(super) fn exchanged(&mut self, records: &Records) -> Result<(), LiveError> {
        // Events of one source's partition that follow one another go on together.
        let mut together: Option<(Reading, Records)> = None;
        for (line, one) in records.list.iter().enumerate() {
            match carried::read(records.record(one)) {
                Some(Carried::Events(events)) => self.carried(&events, one.arrived, &mut together)?,
                Some(Carried::Tick(Tick { source, heard, last, part })) => {
                    // What was written before it counts first.
                    self.go_with(together.take())?;
                    let feed = self.feed_of(&source)?;
                    let frontier = &mut self.frontiers[usize::from(feed.0)];
                    match part {
                        None => frontier.told(heard, last),
                        Some(part) => frontier.told_part(part, heard, last),
                    }
                }
                // Were it left out, somebody would be late who was not.
                Some(Carried::Later) => {
                    return Err(LiveError::Exchange(format!(
                        "a later version has written what is at offset {} of partition {} of the exchange: start that version of the \
                         judge; nothing of it was taken",
                        one.offset, records.partition
                    )));
                }
                None => {
                    let what = "no intake has written it: find out who may write to the exchange";
                    self.refuse(records, line, FOREIGN, what, carried::value(records.record(one)));
                }
            }
        }
        self.go_with(together)?;
        self.note_position(records, (records.feed.0, records.partition));
        if let Some(last) = records.list.last() {
            let frontier = &mut self.frontiers[usize::from(records.feed.0)];
            frontier.came(records.partition, last.arrived, records.stamped);
        }
        self.since.get_or_insert(self.now.steady());
        Ok(())
    }

    /// Events of one record, which came then.
    fn carried(
        &mut self,
        events: &Events<'_>,
        came: Moment,
        together: &mut Option<(Reading, Records)>,
    ) -> Result<(), LiveError> {
        let mut lines = events.lines();
        for run in &events.runs {
            let feed = self.feed_of(&run.reading.source)?;
            if together.as_ref().is_some_and(|(reading, _)| *reading != run.reading) {
                self.go_with(together.take())?;
            }
            let Some(exchanged) = &mut self.exchanged else { continue };
            exchanged.came = exchanged.came.max(came);
            let none = || Records::new(feed, run.reading.partition, Arc::from(run.reading.incarnation.as_str()));
            let (_, new) = together.get_or_insert_with(|| (run.reading.clone(), none()));
            // Nearly always all of them are new, and they stay where they are put until they are in the journal.
            new.bytes.reserve(lines.clone().take(run.places.len()).map(|line| line.len() + 1).sum());
            new.list.reserve(run.places.len());
            let mut odd = none();
            exchanged.take(run, &mut lines, |seen, place, line| {
                let into = match seen {
                    Seen::Repeat => return,
                    Seen::New => &mut *new,
                    Seen::Divergence => &mut odd,
                };
                into.push(line, place.offset, place.offset + 1, place.arrived);
            });
            for (line, one) in odd.list.iter().enumerate() {
                let Reading { source, partition, .. } = &run.reading;
                tracing::error!(source, partition, offset = one.offset, "divergence in the exchange");
                let what = "the exchange says of this place of the source something else than it said before, or says it again \
                            long after: what was taken first counts. Find out who else writes there, whether the intake's \
                            settings or store have changed, or whether the source was tampered with";
                self.refuse(&odd, line, DIVERGENCE, what, odd.record(one));
            }
        }
        Ok(())
    }

    fn go_with(&mut self, run: Option<(Reading, Records)>) -> Result<(), LiveError> {
        run.map_or(Ok(()), |(_, records)| self.records(records, None))
    }

    fn refuse(&mut self, records: &Records, line: usize, reason: &'static str, detail: &str, whole: &[u8]) {
        let refused = Refused { line, reason, detail: detail.to_owned() };
        self.put_letter(records, &refused, whole);
        self.status.feed(records.feed).took(1, 1);
    }

    /// What an intake brings that this process has not in its settings is nothing that it may leave out.
    fn feed_of(&self, source: &str) -> Result<FeedId, LiveError> {
        let own = self.exchanged.as_ref().map(|exchanged| exchanged.feed);
        let mut feeds = self.plan.feeds.iter().zip(0..).map(|(feed, at)| (feed, FeedId(at)));
        let found = feeds.find(|(feed, at)| feed.name == source && Some(*at) != own);
        found.map(|(_, at)| at).ok_or_else(|| {
            LiveError::Exchange(format!(
                "the exchange brings events of the source `{}`, and it is not in the settings: give intake and judges the same \
                 [[source]] sections, then start again; nothing of it was taken",
                source.escape_debug()
            ))
        })
    }

    /// Has a position written down with the next commit.
    pub fn remember(&mut self, position: Position) {
        self.hand.positions.push(position);
        self.since.get_or_insert(self.now.steady());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_that_are_over_make_room() {
        let mut all = Exchanged {
            feed: FeedId(0),
            repeats: Repeats::default(),
            digests: Digests::default(),
            news: BTreeMap::new(),
            rows: BTreeMap::new(),
            leaving: VecDeque::new(),
            came: Moment::DAWN,
        };
        // What they say is the same wherever it stands: only places matter here.
        let take = |all: &mut Exchanged, reading: Reading, offset: u64| {
            let run = Run { reading, places: vec![Place { offset, item: 0, arrived: Moment(0) }] };
            let mut found = None;
            all.take(&run, &mut [&b"{}"[..]].into_iter(), |seen, _, _| found = Some(seen));
            found.expect("one event")
        };
        let reading = |source: &str, life: usize| Reading {
            source: source.to_owned(),
            partition: 0,
            incarnation: format!("life {life}"),
            generation: 0,
        };
        let (mut kept, mut sequence) = (std::collections::BTreeSet::new(), 0);
        let mut commit = |all: &mut Exchanged| {
            let mut rows = Vec::new();
            sequence += 1;
            all.seal(sequence, &mut rows);
            for one in rows {
                let fresh = if one.row.is_some() { kept.insert(one.id) } else { kept.remove(&one.id) };
                assert!(fresh, "each is put down once, and forgotten once");
            }
            kept.len()
        };
        take(&mut all, reading("vault", 0), 0);
        for life in 0..12 {
            for offset in 0..KEPT as u64 {
                assert_eq!(take(&mut all, reading("desk", life), offset), Seen::New);
                if offset % 4_096 == 0 {
                    commit(&mut all);
                }
            }
        }
        let left = (0..4).map(|_| commit(&mut all)).last().unwrap_or_default();
        assert_eq!(all.repeats.kept(&reading("desk", 9)), 0);
        assert_eq!(all.repeats.kept(&reading("desk", 11)), KEPT);
        assert_eq!(all.repeats.kept(&reading("vault", 0)), 1, "others are not touched");
        assert!(left < 20, "{left} rows");
        assert_eq!(all.rows.values().map(VecDeque::len).sum::<usize>(), left);
    }

    #[test]
    fn a_rows_name_is_read_as_it_was_written() {
        let incarnation = "8:42 and more".to_owned();
        let reading = Reading { source: "desk".to_owned(), partition: 3, incarnation, generation: 1 };
        assert_eq!(named(&name(&reading, 77)), Some((reading, 77)));
        assert_eq!(named("77 3"), None);
    }
}
