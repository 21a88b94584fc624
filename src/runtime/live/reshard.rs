//! `onus store reshard`: what some shards hold, divided among others, in a new store.
//!
//! The journals of the old shards are dealt out by partner (deal.rs), ledgers and dead letters after them, and what was taken
//! from the exchange goes to each new shard (carry.rs); intakes keep what is theirs (lanes.rs). Then each new shard is taken
//! over as by a judge that finds other contracts: the journal is judged again, the ledger gets what comes out otherwise, and a
//! snapshot is taken. The new store is in force when all of that is done, and not before; the old one is only fenced off.

mod carry;
mod deal;
mod lanes;
mod several;
mod target;

use super::joined;
use super::journal::{self, Item};
use super::recover::recover;
use super::{LiveError, Plan, identities};
use crate::exchange::{self, NAME};
use crate::store::place::{self, Place};
use crate::store::reshard::{self, Follows, Held, New};
use crate::store::{Batch, Committed, Position, Regenerated, Store, StoreError, Terms, copies};
use deal::Dealer;
use onus_engine::time::Moment;
use several::Several;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use target::{Begun, Target, nothing};

/// Commits of the journal that are read at once.
const AT_ONCE: u32 = 64;
/// New shards that are filled in one pass through the old ones: each has a connection.
const TOGETHER: u16 = 16;
/// Bytes of events after which a new shard's commit is written.
const ENOUGH: usize = 1 << 20;
/// A commit of the journal spans no more time than this: retention lets go of whole ones.
const SPAN: i64 = 3_600_000;
/// Under this name it owns shards, the old and the new.
const OWNER: &str = "onus store reshard";
/// Shards from here on are lanes': the greatest number of lanes is far less.
const LANES: u16 = u16::MAX / 2;

/// See the module.
pub struct Reshard {
    olds: Vec<Old>,
    lanes: Vec<Old>,
    /// The exchange of the old store; None: one process read its sources itself.
    exchange: Option<Position>,
}

/// A shard that is divided.
pub(super) struct Old {
    pub(super) store: Box<dyn Store>,
    pub(super) held: Held,
    pub(super) positions: Vec<Position>,
}

/// What a new shard gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Events.
    pub events: u64,
    /// Entries of ledgers.
    pub entries: u64,
    /// Dead letters.
    pub letters: u64,
    /// Entries that judging again has added.
    pub added: u64,
}

/// What came of it, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dealt {
    /// By new shard.
    pub shares: Vec<Share>,
    /// Dead letters that lanes keep.
    pub lanes: u64,
    /// Receivers that had not been told all, and how many entries or letters they are told a second time for that.
    pub again: BTreeMap<String, u64>,
}

fn cannot(why: String) -> LiveError {
    LiveError::Exchange(why)
}

impl Reshard {
    /// Looks at what is to be divided: all shards of these stores.
    ///
    /// # Errors
    /// They are no shards of one exchange, nor that of one process; or a store cannot be read.
    pub fn open(places: &[Place]) -> Result<Reshard, LiveError> {
        let mut all: BTreeMap<u16, Old> = BTreeMap::new();
        for place in places {
            for held in reshard::held(place)? {
                let mut store = copies::existing(place, held.shard)?;
                let positions = store.positions()?;
                let shard = held.shard;
                if all.insert(shard, Old { store, held, positions }).is_some() {
                    return Err(cannot(format!("shard {shard} is in two of the stores: name each store once")));
                }
            }
        }
        let Some(first) = all.values().next() else {
            return Err(cannot("there is no shard in it: there is nothing to divide".to_owned()));
        };
        let exchange = exchange::of(&first.positions).cloned();
        if let Some(other) = all.values().find(|old| exchange::of(&old.positions) != exchange.as_ref()) {
            let (a, b) = (first.held.shard, other.held.shard);
            return Err(cannot(format!("shards {a} and {b} are not of one exchange: they are not divided together")));
        }
        if exchange == Some(exchange::unfinished()) {
            return Err(cannot(
                "this store was begun by `onus store reshard` and not finished: name the one that was \
                               divided then"
                    .to_owned(),
            ));
        }
        if exchange.is_none() && all.len() > 1 {
            return Err(cannot(
                "these are stores of several processes that read their sources themselves: one can be divided, \
                               several cannot be joined"
                    .to_owned(),
            ));
        }
        let lanes = all.split_off(&LANES).into_values().collect();
        Ok(Reshard { olds: all.into_values().collect(), lanes, exchange })
    }

    /// The exchange that the old shards are of; None: one process read its sources itself.
    pub fn exchange(&self) -> Option<&Position> {
        self.exchange.as_ref()
    }

    /// How far each partition of the old exchange was taken.
    pub fn taken(&self) -> BTreeMap<i32, u64> {
        let own = self.olds.iter().flat_map(|old| old.positions.iter().filter(|position| position.source == NAME));
        own.map(|position| (position.partition, position.next)).collect()
    }

    /// Whether all of it can be divided so, and what each new shard would get. Writes nothing. `plan`: a judge's.
    ///
    /// # Errors
    /// It cannot, or not yet; in words, with what to do.
    pub fn look(&mut self, plan: &mut Plan, of: u16, lanes: u16, now: Moment) -> Result<Dealt, LiveError> {
        let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
        let names = identities::names(&contracts.catalogue, self.terms()?.as_ref(), now);
        if let Some(why) = identities::parted(&plan.feeds, &names) {
            return Err(cannot(why));
        }
        self.look_at_lanes(lanes)?;
        let mut several = self.exchange.is_none().then(|| Several::new(&contracts));
        let mut dealer = Dealer::new(self.olds.len(), 0..of, of);
        self.deal(&mut dealer, several.as_mut(), &mut |dealer, _| {
            dealer.hands.iter_mut().for_each(|hand| hand.journal.clear());
            Ok(())
        })?;
        let events = dealer.hands.iter().map(|hand| Share { events: hand.events, ..Share::default() });
        let mut dealt = Dealt { shares: events.collect(), ..Dealt::default() };
        carry::count(self, of, &mut dealt)?;
        Ok(dealt)
    }

    /// Fences off whoever runs on the old shards.
    ///
    /// # Errors
    /// One of them has written something since it was looked at: it runs.
    fn claim(&mut self, owner: &str) -> Result<(), LiveError> {
        for old in self.olds.iter_mut().chain(&mut self.lanes) {
            let claim = old.store.claim(owner)?;
            if claim.sequence != old.held.sequence {
                return Err(cannot(format!(
                    "somebody runs on shard {}: it was written to a moment ago. Nothing was divided; stop everything, then \
                     start this again",
                    old.held.shard
                )));
            }
        }
        Ok(())
    }

    /// Makes the new store of it, with a shard for each partition of `exchange`. `plans`: of a judge, as often as asked.
    ///
    /// # Errors
    /// Then the new store is not finished: nobody runs on it, and it may be begun again.
    pub fn build(
        &mut self,
        plans: &mut dyn FnMut() -> Plan,
        into: &Place,
        exchange: &Position,
        now: Moment,
    ) -> Result<Dealt, LiveError> {
        let of = u16::try_from(exchange.next).unwrap_or(u16::MAX);
        let mark = exchange::unfinished();
        let follows = self.follows()?;
        let begun = Begun { terms: self.terms()?, regenerated: self.regenerated()?, from: self.judged_from()? };
        let after = u64::from(self.olds.iter().any(|old| old.held.retired_commits > 0));
        let mut new: Vec<New> =
            (0..of).map(|shard| New { shard, epoch: 0, after, follows: Some(follows.clone()) }).collect();
        new.extend(self.new_lanes());
        reshard::begin(into, &mark, &new)?;
        // Not before there is a place for it: whoever still runs there need not end for nothing.
        self.claim(OWNER)?;
        let mut dealt = Dealt { shares: vec![Share::default(); usize::from(of)], ..Dealt::default() };
        dealt.lanes = self.fill_lanes(into)?;
        let mut from = 0;
        while from < of {
            let own = from..of.min(from.saturating_add(TOGETHER));
            from = own.end;
            let mut targets = Vec::new();
            for shard in own.clone() {
                targets.push(Target::open(into, shard, &begun, &follows)?);
            }
            self.fill(&mut targets, own, of, &mut dealt)?;
        }
        for shard in 0..of {
            let mut store = place::open(into, shard)?;
            let mut plan = plans();
            let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
            let recovered = recover(&plan, &contracts, store.as_mut(), now)?;
            let share = &mut dealt.shares[usize::from(shard)];
            share.added = recovered.ledger.len() - follows.after - share.entries;
        }
        let wrong =
            copies::verify(into)?.into_iter().find_map(|(shard, found)| Some((shard, found.wrong.into_iter().next()?)));
        if let Some((shard, what)) = wrong {
            let (target, what) = (into.to_string(), format!("shard {shard}, {what}"));
            return Err(StoreError::Damaged { target, what }.into());
        }
        reshard::finish(into, &mark, exchange)?;
        Ok(dealt)
    }

    /// Fills some new shards: journal, ledger, dead letters, and what is remembered of the exchange.
    fn fill(&mut self, targets: &mut [Target], own: Range<u16>, of: u16, dealt: &mut Dealt) -> Result<(), LiveError> {
        let mut dealer = Dealer::new(self.olds.len(), own.clone(), of);
        self.deal(&mut dealer, None, &mut |dealer, last| {
            let now = dealer.now();
            for (hand, target) in dealer.hands.iter_mut().zip(targets.iter_mut()) {
                let spans = target.begins.is_some_and(|begins| now.0.saturating_sub(begins.0) >= SPAN);
                if !hand.journal.is_empty() && (last || spans || hand.bytes >= ENOUGH) {
                    let blob = hand.journal.blob().map_err(|error| LiveError::Journal(error.to_string()))?;
                    target.commit(now, &Batch { journal: &blob, ..nothing() })?;
                    hand.journal.clear();
                    hand.bytes = 0;
                    target.begins = None;
                }
                if !hand.journal.is_empty() {
                    target.begins.get_or_insert(now);
                }
            }
            Ok(())
        })?;
        for (hand, shard) in dealer.hands.iter().zip(own.clone()) {
            dealt.shares[usize::from(shard)].events = hand.events;
        }
        carry::all(self, targets, own, of, dealt)
    }

    /// Deals all journals out, commit by commit in the order of their times; `each` is called after each, and with true at
    /// the end.
    fn deal(
        &mut self,
        dealer: &mut Dealer,
        mut several: Option<&mut Several>,
        each: &mut dyn FnMut(&mut Dealer, bool) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let mut next: Vec<(VecDeque<Committed>, u64)> = vec![(VecDeque::new(), 0); self.olds.len()];
        let mut over = vec![false; self.olds.len()];
        let mut timed: Vec<bool> = self.olds.iter().map(|old| old.held.retired_commits > 0).collect();
        loop {
            for (at, old) in self.olds.iter_mut().enumerate() {
                let (waiting, after) = &mut next[at];
                if waiting.is_empty() && !over[at] {
                    waiting.extend(old.store.journal(*after, AT_ONCE)?);
                    *after = waiting.back().map_or(*after, |last| last.sequence);
                    if waiting.is_empty() {
                        over[at] = true;
                        dealer.over(at);
                    }
                }
            }
            let first = next.iter().enumerate().filter_map(|(at, (waiting, _))| Some((waiting.front()?.now, at))).min();
            let Some((_, at)) = first else { break };
            let Some(commit) = next[at].0.pop_front() else { break };
            if commit.journal.is_empty() {
                continue;
            }
            let mut trouble = None;
            journal::read(&commit.journal, &mut |names, item| {
                if trouble.is_some() {
                    return;
                }
                // Before anything is judged it is as late as the clock says.
                timed[at] |= matches!(item, Item::Time { .. });
                let looked = match (&mut several, &item) {
                    (_, Item::Piece(_)) if !timed[at] => Err(deal::by_events()),
                    (Some(several), Item::Piece(piece)) => several.look(names, piece),
                    _ => Ok(()),
                };
                trouble = looked.and_then(|()| dealer.take(at, names, item)).err();
            })
            .map_err(LiveError::Journal)?;
            if let Some(why) = trouble {
                return Err(cannot(format!("shard {}: {why}", self.olds[at].held.shard)));
            }
            each(dealer, false)?;
        }
        each(dealer, true)
    }

    /// What all of them were judged by.
    fn terms(&mut self) -> Result<Option<Terms>, LiveError> {
        self.olds.sort_by_key(|old| (old.held.now, old.held.shard));
        let mut all = Vec::new();
        for old in &mut self.olds {
            all.extend(old.store.terms()?);
        }
        self.olds.sort_by_key(|old| old.held.shard);
        let text = joined::merged(&all).map_err(LiveError::Journal)?;
        // Nobody judges by a digest of nothing: whoever takes the shard over judges all of it.
        Ok(text.map(|text| Terms { since: 0, generation: 0, digest: [0; 32], text }))
    }

    fn regenerated(&mut self) -> Result<Vec<Regenerated>, LiveError> {
        let mut all: Vec<Regenerated> = Vec::new();
        for old in &mut self.olds {
            let new = old.store.regenerated()?;
            all.extend(new.into_iter().filter(|one| !all.contains(one)).collect::<Vec<_>>());
        }
        Ok(all)
    }

    /// From when on all journals that have lost their beginning are there.
    fn judged_from(&mut self) -> Result<Moment, LiveError> {
        let mut from = Moment(i64::MIN);
        for old in self.olds.iter_mut().filter(|old| old.held.retired_commits > 0) {
            from = old.store.journal(0, 1)?.first().map_or(old.held.now, |first| first.now).max(from);
        }
        Ok(from)
    }

    /// The line with which the new ledgers begin.
    fn follows(&mut self) -> Result<Follows, LiveError> {
        let of = self.exchange.as_ref().map_or_else(
            || "one process".to_owned(),
            |exchange| format!("{} with {} partitions", exchange.incarnation, exchange.next),
        );
        let mut line = format!("after the ledgers of {of}:");
        let (mut after, mut told_from) = (0, Moment(i64::MIN));
        for old in &mut self.olds {
            let Held { shard, entries, digest, retired_entries, .. } = &old.held;
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            line.push_str(&format!(" {shard} to entry {entries} {hex};"));
            if let Some(before) = Follows::of(&old.positions) {
                told_from = told_from.max(before.told_from);
            }
            if *retired_entries > 0 {
                after = 1;
                told_from = carry::first_entry(old)?.max(told_from);
            }
        }
        Ok(Follows { line, after, told_from })
    }
}
