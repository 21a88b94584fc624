//! Partitions that halted, and what people decide about them.
//!
//! A halt is a dead letter (`Halted`) at the position where reading ended. Whoever decides asks for it to be gone on with,
//! and says from where and why, in the letter's note: beside a process that runs, or while none does. Who owns the shard
//! carries it out, and writes down with the new position what was skipped (`Skipped`). So an auditor finds all three.

use super::judge::UNAUTHORISED;
use super::{Live, LiveError};
use crate::ingest::feed::FeedId;
use crate::store::{Letter, LetterState, Position, Query, Store, StoreError};
use onus_engine::time::Moment;
use std::collections::BTreeMap;
use std::fmt;
use xxhash_rust::xxh3::xxh3_64;

/// The reason of a letter that stands for a halted partition.
pub const HALTED: &str = "Halted";
/// The reason of a letter that says what a decision left out.
pub const SKIPPED: &str = "Skipped";
/// How a decision begins, in a letter's note.
const GO_ON: &str = "go on with ";

/// Where a halted partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// With the oldest record that is there.
    Earliest,
    /// With what comes from now on.
    Latest,
    /// With this offset.
    Offset(u64),
    /// With the first record that is not older.
    At(Moment),
}

impl Whence {
    /// As people write it.
    pub fn parse(text: &str) -> Option<Whence> {
        match text {
            "earliest" => Some(Whence::Earliest),
            "latest" => Some(Whence::Latest),
            text => text.parse().map(Whence::Offset).ok().or_else(|| Moment::parse(text).map(Whence::At)),
        }
    }
}

impl fmt::Display for Whence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whence::Earliest => f.write_str("earliest"),
            Whence::Latest => f.write_str("latest"),
            Whence::Offset(offset) => write!(f, "{offset}"),
            Whence::At(at) => write!(f, "{at}"),
        }
    }
}

/// A decision as a letter's note.
pub fn note(from: Whence, reason: &str) -> String {
    format!("{GO_ON}{from}: {reason}")
}

/// And back: where to go on, and why.
pub fn noted(note: &str) -> Option<(Whence, &str)> {
    let (from, reason) = note.strip_prefix(GO_ON)?.split_once(": ")?;
    Some((Whence::parse(from)?, reason))
}

/// What somebody decided, for whoever reads the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The source's name.
    pub source: String,
    /// Its partition.
    pub partition: i32,
    /// Where it goes on.
    pub from: Whence,
}

/// Carries decisions out; may be told the same one again until reading begins.
pub type Decide = Box<dyn FnMut(&Decision) + Send>;

/// See the module.
#[derive(Default)]
pub(crate) struct Halts {
    pub(crate) halted: BTreeMap<(u16, i32), Halt>,
    pub(crate) decide: Option<Decide>,
}

/// A partition that halted.
pub(crate) struct Halt {
    pub(crate) letter: u64,
    pub(crate) why: String,
    /// The note by which it goes on.
    pub(crate) decided: Option<String>,
}

impl Halts {
    /// Has a decision carried out that a halt's letter holds. False: this partition has not halted so.
    pub(crate) fn decided(&mut self, key: (u16, i32), letter: &Letter) -> bool {
        let halt = self.halted.get_mut(&key).filter(|halt| halt.letter == letter.number);
        let Some(halt) = halt else { return false };
        let Some((from, _)) = letter.note.as_deref().and_then(noted) else { return true };
        halt.decided.clone_from(&letter.note);
        if let Some(decide) = &mut self.decide {
            decide(&Decision { source: letter.source.clone(), partition: letter.partition, from });
        }
        true
    }

    /// Why a feed is halted still.
    pub(crate) fn still(&self, feed: FeedId) -> Option<String> {
        let first = self.halted.range((feed.0, i32::MIN)..=(feed.0, i32::MAX)).next();
        first.map(|(_, halt)| halt.why.clone())
    }
}

impl Halt {
    /// What a halt's letter says.
    pub(crate) fn detail(why: &str, source: &str) -> String {
        format!("{why}; `onus sources resume {source}` says it to the process")
    }

    /// What its going on left out, and why that was decided.
    pub(crate) fn gone_on(
        &self,
        partition: i32,
        before: Option<&Position>,
        incarnation: &str,
        next: u64,
    ) -> (String, Option<String>) {
        let (read, whose) = before.map_or((0, "nothing"), |one| (one.next, one.incarnation.as_str()));
        let reason = self.decided.as_deref().and_then(noted).map(|(_, reason)| reason.to_owned());
        let gap = match next.checked_sub(read) {
            Some(0) => "No offset lies between".to_owned(),
            Some(_) => format!("Offsets {read} to {} were never read here", next - 1),
            None => {
                format!("Offsets {next} to {} are read a second time; what is known already changes nothing", read - 1)
            }
        };
        let detail = format!(
            "partition {partition} halted at offset {read} of {whose} (dead letter {}: {}), and by decision goes on at \
             offset {next}, from here on named {incarnation}. {gap}. What stood in another topic under the same name is \
             not known",
            self.letter, self.why
        );
        (detail, reason)
    }
}

/// The letter of this very halt in a store, from before a restart.
pub(crate) fn standing(
    store: Result<&mut dyn Store, StoreError>,
    source: &str,
    partition: i32,
    offset: u64,
) -> Result<Option<u64>, StoreError> {
    let store = match store {
        // A second letter of the same halt does no harm.
        Err(error) if error.may_pass() => return Ok(None),
        store => store?,
    };
    for state in [LetterState::Asked, LetterState::Waiting] {
        let mut query = Query { state: Some(state), limit: 64, ..Query::default() };
        loop {
            let letters = match store.letters(&query) {
                Err(error) if error.may_pass() => return Ok(None),
                found => found?,
            };
            let Some(last) = letters.last() else { break };
            query.after = last.number;
            if let Some(letter) = letters.iter().find(|letter| is_of(letter, source, partition, offset)) {
                return Ok(Some(letter.number));
            }
        }
    }
    Ok(None)
}

/// A letter stands for a halt at this position.
pub(crate) fn is_of(letter: &Letter, source: &str, partition: i32, offset: u64) -> bool {
    letter.reason == HALTED && (letter.source.as_str(), letter.partition, letter.offset) == (source, partition, offset)
}

/// A letter that is no record's.
#[expect(clippy::too_many_arguments, reason = "each is a column")]
pub(crate) fn own_letter(
    number: u64,
    reason: &'static str,
    source: &str,
    partition: i32,
    offset: u64,
    at: Moment,
    detail: String,
    state: LetterState,
    note: Option<String>,
) -> Letter {
    let (source, reason) = (source.to_owned(), reason.to_owned());
    let (record, hash) = (Vec::new(), xxh3_64(&[]));
    Letter { number, source, partition, offset, at, reason, detail, record, length: 0, hash, state, note }
}

impl Live {
    /// Where decisions about halted partitions go.
    pub fn decide_by(&mut self, decide: Decide) {
        self.halts.decide = Some(decide);
    }

    /// A partition will not go on until somebody decides.
    pub(super) fn halted(&mut self, feed: FeedId, partition: i32, why: String) -> Result<(), LiveError> {
        let source = self.plan.feeds[usize::from(feed.0)].name.clone();
        tracing::error!(source, partition, "{why}");
        let key = (feed.0, partition);
        let offset = self.positions.get(&key).map_or(0, |position| position.next);
        let letter = match self.standing_halt(&source, partition, offset)? {
            Some(number) => number,
            None => {
                let at = self.now.now();
                let detail = Halt::detail(&why, &source);
                self.own_letter(HALTED, &source, partition, offset, at, detail, LetterState::Waiting, None)
            }
        };
        self.status.feed(feed).halt(why.clone());
        self.halts.halted.insert(key, Halt { letter, why, decided: None });
        Ok(())
    }

    /// The letter of this very halt, from before a restart.
    fn standing_halt(&mut self, source: &str, partition: i32, offset: u64) -> Result<Option<u64>, LiveError> {
        if let Some(letter) = self.hand.letters.iter().find(|letter| is_of(letter, source, partition, offset)) {
            return Ok(Some(letter.number));
        }
        Ok(standing(self.keeper.store(), source, partition, offset)?)
    }

    /// Somebody has decided about a halt.
    pub(super) fn decided(&mut self, letter: &Letter) {
        let feed = self.plan.feeds.iter().position(|feed| feed.name == letter.source);
        let Some(feed) = feed else { return };
        let key = (feed as u16, letter.partition);
        if !self.halts.decided(key, letter) {
            let next = self.positions.get(&key).map_or(0, |position| position.next);
            // It went on by itself: what was there before is there again.
            if next != letter.offset && !self.hand.reread.iter().any(|(number, _)| *number == letter.number) {
                self.hand.reread.push((letter.number, LetterState::Replayed));
                self.since.get_or_insert(self.now.steady());
            }
        }
    }

    /// Reading of a partition begins: if it had halted, what was decided and what that left out is written down.
    pub(super) fn goes_on(&mut self, feed: FeedId, partition: i32, incarnation: &str, next: u64) {
        let key = (feed.0, partition);
        let Some(halt) = self.halts.halted.remove(&key) else { return };
        let source = self.plan.feeds[usize::from(feed.0)].name.clone();
        let before = self.positions.get(&key);
        let read = before.map_or(0, |one| one.next);
        let (detail, reason) = halt.gone_on(partition, before, incarnation, next);
        tracing::warn!(source, partition, "{detail}");
        let at = self.now.now();
        self.own_letter(SKIPPED, &source, partition, read, at, detail, LetterState::Dropped, reason);
        self.hand.reread.push((halt.letter, LetterState::Dropped));
        let still = self.halts.still(feed);
        self.status.feed(feed).goes_on(still);
    }

    /// Records that waited to be placed, and then were not their feed's to say.
    pub(super) fn strays(&mut self) {
        for stray in std::mem::take(&mut self.judge.strays) {
            let detail = format!(
                "the source {} may not speak of {}, whose its subject turned out to be: let its `partners` in the settings \
                 have it, or find out who sent it",
                stray.feed, stray.partner
            );
            let at = self.now.now();
            if let Some(feed) = self.plan.feeds.iter().position(|feed| feed.name == stray.feed) {
                self.status.feed(FeedId(feed as u16)).violated(1, at);
            }
            self.own_letter(UNAUTHORISED, &stray.feed, 0, 0, at, detail, LetterState::Waiting, None);
            if let Some(letter) = self.hand.letters.last_mut() {
                letter.length = stray.record.len() as u64;
                letter.hash = xxh3_64(&stray.record);
                letter.record = stray.record;
            }
        }
    }

    /// A letter that is no record's.
    #[expect(clippy::too_many_arguments, reason = "each is a column")]
    fn own_letter(
        &mut self,
        reason: &'static str,
        source: &str,
        partition: i32,
        offset: u64,
        at: Moment,
        detail: String,
        state: LetterState,
        note: Option<String>,
    ) -> u64 {
        self.letter += 1;
        self.hand.letters.push(own_letter(self.letter, reason, source, partition, offset, at, detail, state, note));
        self.status.letter(reason);
        self.since.get_or_insert(self.now.steady());
        self.letter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_as_it_was_written() {
        let at = Moment::parse("2026-03-02T09:00:00Z").expect("an instant");
        for from in [Whence::Earliest, Whence::Latest, Whence::Offset(17), Whence::At(at)] {
            assert_eq!(Whence::parse(&from.to_string()), Some(from));
            let why = "the topic was made anew: see CHG-7";
            assert_eq!(noted(&note(from, why)), Some((from, why)));
        }
        assert_eq!(noted("test data"), None);
        assert_eq!(Whence::parse("yesterday"), None);
    }
}
