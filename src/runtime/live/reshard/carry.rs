//! What goes with the events: ledgers, dead letters, up to where receivers were told, and what was taken from the exchange.
//!
//! Entries and letters of several old shards come together in the order of their times, those of one in their own order. A
//! receiver that had been told all is told nothing again. One that had not, or that wants to be told again from some entry on
//! (what fires), goes on at the first that it lacks: nothing is left out, and what it gets twice it knows by its identity.

use super::super::adapted::is_record;
use super::super::exchanged::{name, named};
use super::super::follow::Followed;
use super::super::halts::{HALTED, SKIPPED};
use super::deal::partner_of;
use super::target::{Target, nothing};
use super::{Dealt, LiveError, Old, Reshard, cannot};
use crate::exchange::NAME;
use crate::exchange::partition::partition;
use crate::exchange::repeats::{Item, KEPT, Reading};
use crate::store::{Batch, Entry, Letter, Position, Query, Remembered, StoreError};
use onus_engine::time::Moment;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Entries of one commit.
const ENTRIES: usize = 4_096;
/// Letters of one commit: each may have a megabyte.
pub(super) const LETTERS: usize = 16;

/// What is numbered, and decided or refused at an instant.
trait Dated: Followed {
    fn at(&self) -> Moment;
}

impl Dated for Entry {
    fn at(&self) -> Moment {
        self.at
    }
}

impl Dated for Letter {
    fn at(&self) -> Moment {
        self.at
    }
}

/// Shows what all old shards have of a kind: with the shard's place, in the order of their times.
fn together<T: Dated>(
    olds: &mut [Old],
    show: &mut dyn FnMut(usize, T) -> Result<(), LiveError>,
) -> Result<(), LiveError> {
    let mut next: Vec<(VecDeque<T>, u64, bool)> = olds.iter().map(|_| (VecDeque::new(), 0, false)).collect();
    loop {
        for ((waiting, after, over), old) in next.iter_mut().zip(olds.iter_mut()) {
            if waiting.is_empty() && !*over {
                let query = Query { after: *after, limit: T::AT_ONCE, ..Query::default() };
                waiting.extend(T::read(old.store.as_mut(), &query)?);
                *after = waiting.back().map_or(*after, T::number);
                *over = waiting.is_empty();
            }
        }
        let first = next.iter().enumerate().filter_map(|(at, (waiting, ..))| Some((waiting.front()?.at(), at))).min();
        let Some((_, at)) = first else { return Ok(()) };
        if let Some(one) = next[at].0.pop_front() {
            show(at, one)?;
        }
    }
}

/// Up to where receivers were told.
struct Told {
    /// By the name of its position: up to which number, by old shard.
    told: BTreeMap<String, Vec<u64>>,
    /// By new shard: how many it has by now, and of each receiver the first that it lacks, and what it gets twice.
    new: Vec<(u64, Lacks)>,
}

/// By receiver: the first that it lacks, and how many behind that it has all the same.
type Lacks = BTreeMap<String, (u64, u64)>;

impl Told {
    fn of<T: Followed>(olds: &[Old], new: usize) -> Told {
        let mut told: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (at, old) in olds.iter().enumerate() {
            for position in old.positions.iter().filter(|position| position.source.starts_with(T::PREFIX)) {
                // Whoever was never told of a shard's lacks all of it.
                let all = told.entry(position.source.clone()).or_insert_with(|| vec![0; olds.len()]);
                all[at] = position.next.saturating_sub(1);
            }
        }
        Told { told, new: vec![(0, BTreeMap::new()); new] }
    }

    /// The new shard begins behind this number.
    fn begin(&mut self, new: usize, after: u64) {
        self.new[new].0 = after;
    }

    /// One more goes to a new shard.
    fn put(&mut self, new: usize, old: usize, number: u64) {
        let (count, lacks) = &mut self.new[new];
        *count += 1;
        for (receiver, told) in &self.told {
            match lacks.get_mut(receiver) {
                Some((_, again)) => *again += u64::from(number <= told[old]),
                None if number > told[old] => {
                    lacks.insert(receiver.clone(), (*count, 0));
                }
                None => {}
            }
        }
    }

    /// Up to where each receiver has all of a new shard's.
    fn positions(&self, new: usize) -> Vec<Position> {
        let (count, lacks) = &self.new[new];
        let next = |receiver: &String| lacks.get(receiver).map_or(count + 1, |(first, _)| *first);
        let position = |receiver: &String| Position {
            source: receiver.clone(),
            partition: 0,
            incarnation: String::new(),
            next: next(receiver),
            last: 0,
        };
        self.told.keys().map(position).collect()
    }

    fn again(&self, dealt: &mut Dealt) {
        for (receiver, (_, again)) in self.new.iter().flat_map(|(_, lacks)| lacks).filter(|(_, (_, again))| *again > 0)
        {
            *dealt.again.entry(receiver.clone()).or_default() += again;
        }
    }
}

/// The new shard of a dead letter; None: an intake's.
fn of_letter(letter: &Letter, of: u16, judged: bool) -> Option<u16> {
    let reason = letter.reason.as_str();
    let event = reason != HALTED && reason != SKIPPED && !is_record(reason);
    let whole = event && letter.length == letter.record.len() as u64;
    let partner = if whole { partner_of(&letter.record) } else { None };
    match partner {
        Some(partner) => Some(partition(&partner, of) as u16),
        None => judged.then_some(0),
    }
}

/// How many entries and letters each new shard would get.
pub(super) fn count(reshard: &mut Reshard, of: u16, dealt: &mut Dealt) -> Result<(), LiveError> {
    let judged = reshard.exchange.is_some();
    let mut told = Told::of::<Entry>(&reshard.olds, usize::from(of));
    together::<Entry>(&mut reshard.olds, &mut |old, entry| {
        let new = partition(&entry.under.partner, of) as usize;
        told.put(new, old, entry.number);
        dealt.shares[new].entries += 1;
        Ok(())
    })?;
    told.again(dealt);
    let mut told = Told::of::<Letter>(&reshard.olds, usize::from(of));
    together::<Letter>(&mut reshard.olds, &mut |old, letter| {
        match of_letter(&letter, of, judged) {
            Some(new) => {
                told.put(usize::from(new), old, letter.number);
                dealt.shares[usize::from(new)].letters += 1;
            }
            None => dealt.lanes += 1,
        }
        Ok(())
    })?;
    told.again(dealt);
    dealt.lanes += reshard.lanes.iter().map(|lane| lane.held.letters).sum::<u64>();
    Ok(())
}

/// All of it, to these new shards.
pub(super) fn all(
    reshard: &mut Reshard,
    targets: &mut [Target],
    own: Range<u16>,
    of: u16,
    dealt: &mut Dealt,
) -> Result<(), LiveError> {
    let judged = reshard.exchange.is_some();
    let mine = |shard: u16| own.contains(&shard).then(|| usize::from(shard - own.start));
    let mut entries = Told::of::<Entry>(&reshard.olds, targets.len());
    let mut hands: Vec<Vec<Entry>> = targets.iter().map(|_| Vec::new()).collect();
    for (at, target) in targets.iter().enumerate() {
        entries.begin(at, target.entries);
    }
    together::<Entry>(&mut reshard.olds, &mut |old, entry| {
        let shard = partition(&entry.under.partner, of) as u16;
        let Some(at) = mine(shard) else { return Ok(()) };
        entries.put(at, old, entry.number);
        dealt.shares[usize::from(shard)].entries += 1;
        hands[at].push(entry);
        if hands[at].len() >= ENTRIES {
            targets[at].decide(&mut std::mem::take(&mut hands[at]))?;
        }
        Ok(())
    })?;
    for (target, hand) in targets.iter_mut().zip(&mut hands).filter(|(_, hand)| !hand.is_empty()) {
        target.decide(hand)?;
    }
    entries.again(dealt);
    let mut letters = Told::of::<Letter>(&reshard.olds, targets.len());
    let mut hands: Vec<Vec<Letter>> = targets.iter().map(|_| Vec::new()).collect();
    together::<Letter>(&mut reshard.olds, &mut |old, letter| {
        let Some(shard) = of_letter(&letter, of, judged) else { return Ok(()) };
        let Some(at) = mine(shard) else { return Ok(()) };
        letters.put(at, old, letter.number);
        dealt.shares[usize::from(shard)].letters += 1;
        hands[at].push(letter);
        if hands[at].len() >= LETTERS {
            targets[at].put_letters(&mut std::mem::take(&mut hands[at]))?;
        }
        Ok(())
    })?;
    for (target, hand) in targets.iter_mut().zip(&mut hands).filter(|(_, hand)| !hand.is_empty()) {
        target.put_letters(hand)?;
    }
    letters.again(dealt);
    let taken = taken(&mut reshard.olds)?;
    for (at, target) in targets.iter_mut().enumerate() {
        let positions = [entries.positions(at), letters.positions(at)].concat();
        let remembered: Vec<Remembered> =
            taken.iter().map(|(reading, taken)| row(reading, taken, target.sequence + 1)).collect();
        target.commit(Moment::DAWN, &Batch { positions: &positions, remembered: &remembered, ..nothing() })?;
    }
    Ok(())
}

/// The places of one reading that were taken, each with its digest; and when the last of them came.
#[derive(Debug, Default)]
pub(super) struct Places {
    places: BTreeMap<(u64, u32), u64>,
    came: Option<Moment>,
}

impl Places {
    pub(super) fn has(&self, item: &Item) -> bool {
        self.places.get(&(item.offset, item.item)) == Some(&item.digest)
    }
}

/// What was taken from the exchange by any of the old shards: places are of sources, not of partners, so what one of them has
/// taken is no news to any other.
pub(super) fn taken(olds: &mut [Old]) -> Result<BTreeMap<Reading, Places>, LiveError> {
    let mut all: BTreeMap<Reading, Places> = BTreeMap::new();
    let mut wrong = None;
    for old in olds {
        old.store.remembered(NAME, &mut |one| {
            let items = one.row.as_deref().and_then(|row| postcard::from_bytes::<Vec<(u64, u32, u64)>>(row).ok());
            let (Some((reading, _)), Some(items)) = (named(&one.id), items) else {
                wrong.get_or_insert(one.id);
                return;
            };
            let reading = all.entry(reading).or_default();
            reading.came = reading.came.max(Some(one.at));
            reading.places.extend(items.into_iter().map(|(offset, item, digest)| ((offset, item), digest)));
            while reading.places.len() > KEPT {
                reading.places.pop_first();
            }
        })?;
    }
    match wrong {
        Some(id) => Err(cannot(format!("what was taken from the exchange cannot be read in the store: {id}"))),
        None => Ok(all),
    }
}

fn row(reading: &Reading, taken: &Places, sequence: u64) -> Remembered {
    let items: Vec<(u64, u32, u64)> =
        taken.places.iter().map(|((offset, item), digest)| (*offset, *item, *digest)).collect();
    Remembered {
        adapter: NAME.to_owned(),
        id: name(reading, sequence),
        // Into memory, of plain types: there is nothing that could go wrong.
        row: Some(postcard::to_allocvec(&items).unwrap_or_default()),
        at: taken.came.unwrap_or(Moment::DAWN),
    }
}

/// Shows the letters of one old shard that are an intake's.
pub(super) fn letters_of(
    old: &mut Old,
    judged: bool,
    show: &mut dyn FnMut(Letter) -> Result<(), LiveError>,
) -> Result<(), LiveError> {
    together::<Letter>(std::slice::from_mut(old), &mut |_, letter| match of_letter(&letter, 1, judged) {
        Some(_) => Ok(()),
        None => show(letter),
    })
}

/// When the first entry was decided that is kept.
pub(super) fn first_entry(old: &mut Old) -> Result<Moment, StoreError> {
    let first = old.store.entries(&Query { limit: 1, ..Query::default() })?;
    Ok(first.first().map_or(Moment(i64::MIN), |first| first.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever a receiver had not been told is told; and one that had been told all is told nothing again.
        #[test]
        fn nobody_lacks_anything_and_who_had_all_is_told_nothing_again(
            order in prop::collection::vec((0..3usize, 0..4usize), 0..60), told in prop::collection::vec(0..20u64, 3), after in 0..2u64,
        ) {
            let name = "@told desk".to_owned();
            let told = Told { told: [(name.clone(), told)].into(), new: vec![(0, BTreeMap::new()); 4] };
            let mut all = told;
            (0..4).for_each(|new| all.begin(new, after));
            let (mut numbers, mut new) = ([0; 3], vec![Vec::new(); 4]);
            for (old, to) in order {
                numbers[old] += 1;
                all.put(to, old, numbers[old]);
                new[to].push(numbers[old] <= all.told[&name][old]);
            }
            let mut dealt = Dealt::default();
            all.again(&mut dealt);
            let mut again = 0;
            for (at, known) in new.iter().enumerate() {
                let position = all.positions(at).remove(0);
                prop_assert_eq!(&position.source, &name);
                let first = known.iter().position(|known| !known).unwrap_or(known.len());
                prop_assert_eq!(position.next, after + first as u64 + 1);
                again += known[first..].iter().filter(|known| **known).count() as u64;
            }
            prop_assert_eq!(dealt.again.get(&name).copied().unwrap_or(0), again);
        }
    }

    #[test]
    fn a_dead_letter_goes_to_its_partner_or_to_the_intake() {
        let letter = |reason: &str, record: &str| Letter {
            number: 1,
            source: "desk".to_owned(),
            partition: 0,
            offset: 0,
            at: Moment(0),
            reason: reason.to_owned(),
            detail: String::new(),
            record: record.as_bytes().to_vec(),
            length: record.len() as u64,
            hash: 0,
            state: crate::store::LetterState::Waiting,
            note: None,
        };
        let event = "{\"partner\":\"p1\"}";
        let own = Some(partition("p1", 5) as u16);
        assert_eq!(of_letter(&letter("Unauthorised", event), 5, false), own);
        // Whatever else is wrong with it.
        assert_eq!(of_letter(&letter("Unauthorised", "{\"partner\":\"p1\",\"time\":7}"), 5, false), own);
        for (reason, record) in
            [("Json", "nonsense"), (HALTED, ""), (SKIPPED, ""), ("TooLong", event), ("Missing", "{}")]
        {
            assert_eq!(of_letter(&letter(reason, record), 5, false), None, "{reason}: one process's are the intake's");
            assert_eq!(of_letter(&letter(reason, record), 5, true), Some(0), "{reason}: a judge's stay with judges");
        }
        let cut = Letter { length: 1 << 21, ..letter("Unauthorised", event) };
        assert_eq!(of_letter(&cut, 5, false), None, "what is cut is no event");
    }
}
