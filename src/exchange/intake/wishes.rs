//! What people decide about what an intake could not read: halted partitions go on, dead letters are read again.
//!
//! A record that is read again has a place of its own (this commit's, under the record's own offset), since its old place
//! lies behind what judges took. It is made once: its events are kept in the commit that says it was read.

use super::Intake;
use crate::exchange::repeats::Reading;
use crate::ingest::adapt::redact_bytes;
use crate::ingest::feed::{FeedId, Records};
use crate::runtime::live::LiveError;
use crate::runtime::live::adapted::is_record;
use crate::runtime::live::exchanged::is_no_record;
use crate::runtime::live::halts::{HALTED, Halt, SKIPPED, is_of, own_letter, standing};
use crate::runtime::live::unwrap::unwrapped;
use crate::store::{Letter, LetterState, Query};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Letters that are read again in one commit, at most.
const AT_ONCE: u32 = 100;

/// Which of the events of a record comes next.
#[derive(Default)]
pub(super) struct Items {
    last: Option<u64>,
    item: u32,
}

impl Items {
    pub(super) fn next(&mut self, offset: u64) -> u32 {
        self.item = if self.last == Some(offset) { self.item + 1 } else { 0 };
        self.last = Some(offset);
        self.item
    }
}

impl Intake {
    /// A partition will not go on until somebody decides.
    pub(super) fn halted(&mut self, feed: FeedId, partition: i32, why: String) -> Result<(), LiveError> {
        let source = self.name(feed);
        tracing::error!(source, partition, "halted: {why}");
        let key = (feed.0, partition);
        let offset = self.positions.get(&key).map_or(0, |position| position.next);
        let pending = self.hand.letters.iter().find(|letter| is_of(letter, &source, partition, offset));
        let known = match pending {
            Some(letter) => Some(letter.number),
            None => standing(Ok(self.store.as_mut()), &source, partition, offset)?,
        };
        let letter = match known {
            Some(number) => number,
            None => {
                let detail = Halt::detail(&why, &source);
                self.own_letter(HALTED, (&source, partition, offset), detail, LetterState::Waiting, None)
            }
        };
        self.status.feed(feed).halt(why.clone());
        self.halts.halted.insert(key, Halt { letter, why, decided: None });
        Ok(())
    }

    /// Reading of a partition begins: if it had halted, what was decided and what that left out is written down.
    pub(super) fn goes_on(&mut self, feed: FeedId, partition: i32, incarnation: &str, next: u64) {
        let key = (feed.0, partition);
        let Some(halt) = self.halts.halted.remove(&key) else { return };
        let source = self.name(feed);
        let before = self.positions.get(&key);
        let read = before.map_or(0, |one| one.next);
        let (detail, reason) = halt.gone_on(partition, before, incarnation, next);
        tracing::warn!(source, partition, "{detail}");
        self.own_letter(SKIPPED, (&source, partition, read), detail, LetterState::Dropped, reason);
        self.hand.reread.push((halt.letter, LetterState::Dropped));
        let still = self.halts.still(feed);
        self.status.feed(feed).goes_on(still);
    }

    fn own_letter(
        &mut self,
        reason: &'static str,
        (source, partition, offset): (&str, i32, u64),
        detail: String,
        state: LetterState,
        note: Option<String>,
    ) -> u64 {
        let (number, at) = (self.next_letter(), (self.clock)());
        self.hand.letters.push(own_letter(number, reason, source, partition, offset, at, detail, state, note));
        self.hand.begins();
        self.status.letter(reason);
        number
    }

    /// Carries out what was asked for since. True: the next commit is due, since places are by commit.
    pub(super) fn wishes(&mut self) -> Result<bool, LiveError> {
        let asked = Query { state: Some(LetterState::Asked), limit: AT_ONCE, ..Query::default() };
        let mut letters = match self.store.letters(&asked) {
            Err(error) if error.may_pass() => return Ok(false),
            found => found?,
        };
        // Within a place, in order: what judges take only grows.
        letters.sort_by(|a, b| {
            (&a.source, a.partition, a.offset, a.number).cmp(&(&b.source, b.partition, b.offset, b.number))
        });
        let mut items: BTreeMap<(u16, i32), Items> = BTreeMap::new();
        for letter in &letters {
            let feed = self.plan.feeds.iter().position(|feed| feed.name == letter.source);
            let Some(feed) = feed.map(|at| FeedId(at as u16)) else { continue };
            let key = (feed.0, letter.partition);
            if letter.reason == HALTED {
                let next = self.positions.get(&key).map_or(0, |position| position.next);
                // It went on by itself: what was there before is there again.
                if !self.halts.decided(key, letter) && next != letter.offset {
                    self.hand.reread.push((letter.number, LetterState::Replayed));
                }
                continue;
            }
            if is_no_record(&letter.reason) {
                self.hand.reread.push((letter.number, LetterState::Waiting));
                continue;
            }
            let records = Records::new(feed, letter.partition, Arc::from(""));
            if let Some(records) = unwrapped(self.unwrap.as_mut(), letter, records) {
                self.read_again(letter, records, items.entry(key).or_default());
            }
        }
        Ok(!self.hand.reread.is_empty())
    }

    fn read_again(&mut self, letter: &Letter, records: Records, items: &mut Items) {
        // It may be an event already.
        let (events, brought) = match is_record(&letter.reason) {
            true => self.machines.read(records),
            false => (records, None),
        };
        let source = self.name(events.feed);
        let events = self.identities.pin(&events, &source).unwrap_or(events);
        let (lane, epoch, commit) = (self.lane.own, self.claim.epoch.0, self.claim.sequence + 1);
        let incarnation = format!("dead letters of lane {lane}, epoch {epoch}, commit {commit}");
        let reading = Arc::new(Reading { source, partition: letter.partition, incarnation, generation: 0 });
        let refused = self.made(&events, &reading, items);
        let unread = brought.as_ref().map_or(&[][..], |brought| &brought.refused);
        for one in refused.iter().chain(unread) {
            let detail = String::from_utf8_lossy(&redact_bytes(one.detail.as_bytes())).into_owned();
            tracing::warn!(letter = letter.number, "it is a dead letter still: {}: {detail}", one.reason);
        }
        let done = refused.is_empty() && unread.is_empty();
        let state = if done { LetterState::Replayed } else { LetterState::Waiting };
        self.hand.reread.push((letter.number, state));
        self.hand.begins();
    }
}
