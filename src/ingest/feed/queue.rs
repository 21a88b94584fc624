//! What waits between sources and the loop, and whose turn it is.
//!
//! Each partition of each source has a queue of its own, and is full by itself. Sources take turns by deficit round robin: in
//! its turn a source may have a slice taken, which is about a piece; what a large piece uses beyond is waited for. So what a
//! source says is taken after one slice of each other source at most, however much of them waits. Within a source its
//! partitions take turns, piece by piece.
//!
//! The order in which a partition speaks is kept. What a source says as a whole (trouble, its end) comes after all that it
//! said before and before all that it said later.
//!
//! Knows nothing of threads and clocks.

use super::quota::{Meter, Portion};
use super::{FeedId, Heard, PIECE, Records, Wish};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Pieces of a partition that may wait.
pub const WAITING: usize = 16;
/// Once so many bytes wait altogether, a partition may have one piece waiting and no more.
const TOGETHER: usize = 16 << 20;
/// Bytes that wait altogether at most, but for one piece; that is reached only where very many partitions speak at once.
const MOST: usize = 64 << 20;
/// What is taken of a source in its turn, for each of its shares: bytes, ...
const SLICE: usize = PIECE;
/// ... of which a record counts for so many at least.
const RECORD: usize = 256;
/// What counts for a word that has no records.
const WORD: usize = 64;

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// This; and somebody may have room now who had none.
    Heard(Heard, bool),
    /// Only what has used up its quota, until then.
    Later(Duration),
    /// Nothing waits.
    Nothing,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Queue {
    portions: Vec<Portion>,
    /// By [`FeedId`].
    sources: Vec<Source>,
    /// Sources of which something waits. The first has its turn.
    turn: VecDeque<u16>,
    wishes: VecDeque<Wish>,
    /// Numbers what comes.
    count: u64,
    bytes: usize,
    /// Somebody of whom nothing waits was turned away.
    tight: bool,
}

#[derive(Debug, Default)]
struct Source {
    lanes: BTreeMap<i32, Lane>,
    /// Partitions of which something waits, the one whose turn it is first.
    ready: VecDeque<i32>,
    /// What it says as a whole.
    whole: VecDeque<(u64, Heard)>,
    share: usize,
    /// What may still be taken in its turn.
    credit: usize,
    quota: Option<Meter>,
    records: u64,
    /// Since when only its quota keeps it waiting, and how long that was before.
    held_since: Option<Duration>,
    held: Duration,
    turned_away: u64,
}

/// One partition.
#[derive(Debug, Default)]
struct Lane {
    items: VecDeque<(u64, Heard)>,
    /// It was full: it is let in again when half of it is taken, so that whoever waits is not woken for each piece.
    closed: bool,
}

/// Where in a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Whole,
    Lane(i32),
}

/// How one source waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// Records that were read and not taken in.
    pub records: u64,
    /// How long it waited for its quota, with records at hand. None: it has none.
    pub held: Option<Duration>,
    /// How often somebody was turned away who would not wait for it.
    pub turned_away: u64,
}

impl Queue {
    /// `portions`: by source; those beyond the end have the usual one.
    pub(super) fn new(portions: Vec<Portion>) -> Queue {
        Queue { portions, ..Queue::default() }
    }

    /// Puts it at its end of the queue; gives it back where there is no room.
    pub(super) fn put(&mut self, heard: Heard) -> Result<(), Heard> {
        let (feed, place) = match whose(&heard) {
            Ok(whose) => whose,
            Err(wish) => {
                if !self.wishes.contains(&wish) {
                    self.wishes.push_back(wish);
                }
                return Ok(());
            }
        };
        let (bytes, number) = (bytes(&heard), self.count);
        let (all, tight) = (self.bytes, self.bytes > 0 && self.bytes + bytes > MOST);
        let source = self.source(feed);
        let silent = source.is_silent();
        match place {
            Place::Whole if source.whole.len() >= WAITING => return Err(heard),
            Place::Whole => source.whole.push_back((number, heard)),
            Place::Lane(partition) => {
                let lane = source.lanes.entry(partition).or_default();
                let first = lane.items.is_empty();
                if first && tight {
                    self.tight = true;
                    return Err(heard);
                }
                if !first && (lane.closed || lane.items.len() >= WAITING || all + bytes > TOGETHER) {
                    lane.closed = true;
                    return Err(heard);
                }
                source.records += records(&heard);
                lane.items.push_back((number, heard));
                if first {
                    source.ready.push_back(partition);
                }
            }
        }
        self.count += 1;
        self.bytes += bytes;
        if silent {
            self.turn.push_back(feed.0);
            if self.turn.len() == 1 {
                self.begin_turn();
            }
        }
        Ok(())
    }

    /// Takes what is next at an instant.
    pub(super) fn take(&mut self, now: Duration) -> Next {
        if let Some(wish) = self.wishes.pop_front() {
            return Next::Heard(Heard::Wish(wish), false);
        }
        let (mut held, mut until) = (0, Duration::MAX);
        while let Some(at) = self.turn.front().copied() {
            let Some(source) = self.sources.get_mut(usize::from(at)) else { break };
            let wait = source.quota.as_ref().and_then(|quota| quota.wait(now, 0));
            let Some((place, weight)) = source.next(wait.is_some()) else {
                // Only records wait, and they wait for its quota.
                source.held_since.get_or_insert(now);
                source.credit = 0;
                until = until.min(now.saturating_add(wait.unwrap_or_default()));
                held += 1;
                if held == self.turn.len() {
                    return Next::Later(until);
                }
                self.end_turn();
                continue;
            };
            if weight > source.credit {
                held = 0;
                self.end_turn();
                continue;
            }
            source.credit -= weight;
            let (heard, room) = source.pop(place, now);
            if source.is_silent() {
                source.credit = 0;
                self.turn.pop_front();
                self.begin_turn();
            }
            let Some(heard) = heard else { continue };
            self.bytes -= bytes(&heard);
            return Next::Heard(heard, room | std::mem::take(&mut self.tight));
        }
        Next::Nothing
    }

    /// How long a source's quota keeps out what comes now, for whoever turns it away then; None: it does not.
    pub(super) fn over(&mut self, feed: FeedId, now: Duration) -> Option<Duration> {
        let source = self.source(feed);
        let wait = source.quota.as_ref().and_then(|quota| quota.wait(now, source.records));
        source.turned_away += u64::from(wait.is_some());
        wait
    }

    pub(super) fn has_quota(&mut self, feed: FeedId) -> bool {
        self.source(feed).quota.is_some()
    }

    /// How each source waits; those that never spoke may be missing at the end.
    pub(super) fn waits(&self, now: Duration) -> Vec<Waits> {
        let one = |source: &Source| {
            let since = source.held_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
            let held = source.quota.as_ref().map(|_| source.held + since);
            Waits { records: source.records, held, turned_away: source.turned_away }
        };
        self.sources.iter().map(one).collect()
    }

    fn source(&mut self, feed: FeedId) -> &mut Source {
        let at = usize::from(feed.0);
        while self.sources.len() <= at {
            let Portion { share, quota } = self.portions.get(self.sources.len()).copied().unwrap_or_default();
            let (share, quota) = (usize::from(share.max(1)), quota.map(Meter::new));
            self.sources.push(Source { share, quota, ..Source::default() });
        }
        &mut self.sources[at]
    }

    fn end_turn(&mut self) {
        self.turn.rotate_left(1);
        self.begin_turn();
    }

    fn begin_turn(&mut self) {
        if let Some(source) = self.turn.front().and_then(|at| self.sources.get_mut(usize::from(*at))) {
            source.credit += SLICE * source.share;
        }
    }
}

impl Source {
    fn is_silent(&self) -> bool {
        self.ready.is_empty() && self.whole.is_empty()
    }

    /// What of it comes next, and its weight. `held`: no records.
    fn next(&self, held: bool) -> Option<(Place, usize)> {
        let head = |partition: &i32| self.lanes.get(partition).and_then(|lane| lane.items.front());
        let whole = self.whole.front().map(|(number, _)| *number);
        if let Some(whole) = whole
            && self.ready.iter().filter_map(head).all(|(number, _)| *number > whole)
        {
            return Some((Place::Whole, WORD));
        }
        self.ready.iter().find_map(|partition| {
            let (number, heard) = head(partition)?;
            let may = whole.is_none_or(|whole| *number < whole) && !(held && records(heard) > 0);
            may.then(|| (Place::Lane(*partition), weight(heard)))
        })
    }

    /// Takes it; true: there is room where there was none.
    fn pop(&mut self, place: Place, now: Duration) -> (Option<Heard>, bool) {
        let Place::Lane(partition) = place else {
            let full = self.whole.len() >= WAITING;
            return (self.whole.pop_front().map(|(_, heard)| heard), full);
        };
        let Some(lane) = self.lanes.get_mut(&partition) else { return (None, false) };
        let heard = lane.items.pop_front().map(|(_, heard)| heard);
        let room = lane.closed && lane.items.len() <= WAITING / 2;
        lane.closed &= !room;
        self.ready.retain(|one| *one != partition);
        if !lane.items.is_empty() {
            self.ready.push_back(partition);
        }
        let records = heard.as_ref().map_or(0, records);
        self.records -= records;
        if records > 0
            && let Some(quota) = &mut self.quota
        {
            quota.take(now, records);
            self.held += self.held_since.take().map_or(Duration::ZERO, |since| now.saturating_sub(since));
        }
        (heard, room)
    }
}

/// Whose it is, and where; or a wish, which is nobody's and comes before all else.
fn whose(heard: &Heard) -> Result<(FeedId, Place), Wish> {
    match heard {
        Heard::Records(Records { feed, partition, .. })
        | Heard::Began { feed, partition, .. }
        | Heard::CaughtUp { feed, partition, .. }
        | Heard::Behind { feed, partition, .. }
        | Heard::Halted { feed, partition, .. } => Ok((*feed, Place::Lane(*partition))),
        Heard::Trouble { feed, .. } | Heard::Fine { feed } | Heard::Ended { feed } => Ok((*feed, Place::Whole)),
        Heard::Wish(wish) => Err(*wish),
    }
}

fn records(heard: &Heard) -> u64 {
    match heard {
        Heard::Records(records) => records.list.len() as u64 + records.passed.values().sum::<u64>(),
        _ => 0,
    }
}

/// In memory.
fn bytes(heard: &Heard) -> usize {
    match heard {
        Heard::Records(records) => {
            size_of::<Heard>() + records.bytes.len() + records.list.len() * size_of::<super::Record>()
        }
        _ => size_of::<Heard>(),
    }
}

/// In its turn.
fn weight(heard: &Heard) -> usize {
    match heard {
        Heard::Records(one) => one.bytes.len().max(RECORD * records(heard) as usize).max(WORD),
        _ => WORD,
    }
}
