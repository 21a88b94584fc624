//! How far has been heard, duty by duty: of the feeds that could tell of its act, the one that is furthest behind.
//!
//! Without feeds (event files) there is one frontier for all. With feeds, duties that wait for the same ones share a
//! *lane*, so that a step of time costs one look a lane and not one a duty.

use super::{Engine, Partner, Subject};
use crate::book::{Book, Sheet};
use crate::duty::Duty;
use crate::rule::{Form, Rule, RuleId, glob};
use crate::standing::Standing;
use crate::terms::{Side, Trust};
use crate::time::{Millis, Moment};
use crate::vocabulary::Effect;
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most feeds of one shard.
pub const FEEDS: usize = 64;

/// A feed: whom it may speak of, and what it may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its name, by which a snapshot knows it.
    pub name: String,
    /// Patterns (`*`) of partners.
    pub partners: Vec<String>,
    /// Patterns of event types.
    pub types: Vec<String>,
    /// How far it is trusted.
    pub trust: Trust,
    /// Whose it is: a side cannot hide behind the silence of its own feed for ever.
    pub owner: Option<Side>,
}

/// Duties that wait for the same feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waits {
    /// Feeds, a bit each.
    feeds: u64,
    /// Of these, the obligor's own.
    own: u64,
    /// How long the obligor's own silence counts.
    blind_for: Millis,
}

/// Lanes by rule, of all partners for which the same feeds speak and whom the same rules bind.
pub(super) type Lanes = Arc<[u16]>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    feeds: Vec<Feed>,
    heard: Vec<Moment>,
    lanes: Vec<(Waits, Moment)>,
    by_waits: BTreeMap<Waits, u16>,
    /// By the feeds that speak of the partner, and the rules that bind it.
    shared: BTreeMap<(u64, Vec<RuleId>), Lanes>,
    /// Told unknown for want of news: lane, deadline, subject; until heard.
    blind: BTreeSet<(u16, Moment, u32)>,
    /// The same by subject: lanes and deadlines. Asked for with each event, and never gone through.
    waiting: HashMap<u32, Vec<(u16, Moment)>>,
}

impl Hearing {
    pub(super) fn new(feeds: &[Feed]) -> Hearing {
        let feeds: Vec<Feed> = feeds.iter().take(FEEDS).cloned().collect();
        Hearing { heard: vec![Moment::DAWN; feeds.len()], feeds, ..Hearing::default() }
    }

    /// One frontier for all.
    #[inline(always)]
    pub(super) fn is_single(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Feeds by name, and how far each was heard.
    pub(super) fn frontiers(&self) -> impl Iterator<Item = (&str, Moment)> {
        self.feeds.iter().map(|feed| feed.name.as_str()).zip(self.heard.iter().copied())
    }

    pub(super) fn hear(&mut self, feed: usize, heard: Moment) {
        if let Some(known) = self.heard.get_mut(feed) {
            *known = heard.max(*known);
        }
    }

    pub(super) fn hear_named(&mut self, name: &str, heard: Moment) {
        if let Some(at) = self.feeds.iter().position(|feed| feed.name == name) {
            self.hear(at, heard);
        }
    }

    /// Lanes of a partner's rules.
    pub(super) fn lanes(&mut self, book: &Book, partner: &str, sheet: &Sheet, now: Moment) -> Option<Lanes> {
        if self.is_single() {
            return None;
        }
        let speak = |feed: &Feed| feed.partners.iter().any(|pattern| glob(pattern, partner));
        let speaking = bits(self.feeds.iter().map(speak));
        let known = (speaking, sheet.rules.clone());
        if let Some(lanes) = self.shared.get(&known) {
            return Some(Arc::clone(lanes));
        }
        let lanes: Vec<u16> = book.rules().iter().map(|rule| self.lane(book, rule, speaking, now)).collect();
        let lanes: Lanes = lanes.into();
        self.shared.insert(known, Arc::clone(&lanes));
        Some(lanes)
    }

    fn lane(&mut self, book: &Book, rule: &Rule, speaking: u64, now: Moment) -> u16 {
        let wanted = wanted(book, rule);
        let tells = |feed: &Feed| {
            wanted.iter().any(|(name, trust)| feed.trust >= *trust && feed.types.iter().any(|t| glob(t, name)))
        };
        let mut feeds = speaking & bits(self.feeds.iter().map(tells));
        if feeds == 0 {
            // Nobody could tell of it. Judged when everything else has been heard.
            feeds = bits(self.feeds.iter().map(|_| true));
        }
        let own = feeds & bits(self.feeds.iter().map(|feed| feed.owner == Some(rule.obligor.side)));
        let waits = Waits { feeds, own, blind_for: if own == 0 { 0 } else { rule.blind_for } };
        let next = self.lanes.len() as u16;
        let lane = *self.by_waits.entry(waits).or_insert(next);
        if lane == next {
            self.lanes.push((waits, self.reckon(waits, now)));
        }
        lane
    }

    /// A lane's frontier at `now`.
    fn reckon(&self, waits: Waits, now: Moment) -> Moment {
        let each = self.heard.iter().enumerate().filter(|(i, _)| waits.feeds >> i & 1 == 1);
        let heard = each.map(|(i, heard)| match waits.own >> i & 1 {
            0 => *heard,
            _ => (*heard).max(now + -waits.blind_for),
        });
        heard.min().unwrap_or(now).min(now)
    }

    /// The feeds that a rule's duties wait for, a bit each.
    pub(super) fn feeds(&self, lanes: &[u16], rule: RuleId) -> u64 {
        let lane = lanes.get(usize::from(rule)).and_then(|lane| self.lanes.get(usize::from(*lane)));
        lane.map_or(0, |(waits, _)| waits.feeds)
    }

    /// How far was really heard of a lane, whatever may be said without.
    fn told(&self, lane: u16) -> Moment {
        let Some((waits, heard)) = self.lanes.get(usize::from(lane)) else { return Moment::DAWN };
        if waits.own == 0 {
            return *heard;
        }
        let each = self.heard.iter().enumerate().filter(|(i, _)| waits.feeds >> i & 1 == 1);
        each.map(|(_, heard)| *heard).min().unwrap_or(*heard).min(*heard)
    }

    fn heard(&self, lane: u16) -> Moment {
        self.lanes.get(usize::from(lane)).map_or(Moment::DAWN, |(_, heard)| *heard)
    }

    /// Time has come to `now`, and feeds may have been heard: subjects of which something is known now that was not.
    fn listen(&mut self, now: Moment) -> Vec<u32> {
        let mut seen = Vec::new();
        for lane in 0..self.lanes.len() {
            let (waits, before) = self.lanes[lane];
            let heard = self.reckon(waits, now).max(before);
            if heard > before {
                self.lanes[lane].1 = heard;
                seen.extend(self.see(lane as u16, heard));
            }
        }
        seen
    }

    /// What is known of a lane up to before this instant.
    pub(super) fn see(&mut self, lane: u16, heard: Moment) -> Vec<u32> {
        let mut seen = Vec::new();
        let from = (lane, Moment(i64::MIN), 0);
        while let Some(first) = self.blind.range(from..(lane, heard, 0)).next().copied() {
            self.blind.remove(&first);
            let (_, deadline, slot) = first;
            if let Some(waits) = self.waiting.get_mut(&slot) {
                waits.retain(|one| *one != (lane, deadline));
                if waits.is_empty() {
                    self.waiting.remove(&slot);
                }
            }
            seen.push(slot);
        }
        seen
    }

    /// Something is unknown of a subject until a lane has been heard beyond a deadline.
    #[cold]
    fn wait(&mut self, lane: u16, deadline: Moment, slot: u32) {
        if self.blind.insert((lane, deadline, slot)) {
            self.waiting.entry(slot).or_default().push((lane, deadline));
        }
    }

    /// What was unknown of a subject may be known by now, or be no duty any more.
    #[cold]
    fn forget(&mut self, slot: u32) {
        for (lane, deadline) in self.waiting.remove(&slot).unwrap_or_default() {
            self.blind.remove(&(lane, deadline, slot));
        }
    }

    /// Something of a subject is unknown: it stays until it is known.
    #[inline(always)]
    pub(super) fn waits_for(&self, slot: u32) -> bool {
        !self.waiting.is_empty() && self.waiting.contains_key(&slot)
    }

    /// Whether anything of lane 0 waits for less than this.
    #[inline(always)]
    pub(super) fn waits_before(&self, heard: Moment) -> bool {
        self.blind.first().is_some_and(|(_, deadline, _)| *deadline < heard)
    }
}

/// Where a partner's duties are looked up: how far was heard of each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ear<'a> {
    /// Where there is one frontier for all.
    pub(super) heard: Moment,
    pub(super) lanes: Option<(&'a [u16], &'a Hearing)>,
}

impl Ear<'_> {
    #[inline(always)]
    pub(super) fn lane(&self, rule: RuleId) -> u16 {
        self.lanes.map_or(0, |(lanes, _)| lanes.get(rule as usize).copied().unwrap_or(0))
    }

    /// How far was heard of a rule's duties.
    #[inline(always)]
    pub(super) fn of(&self, rule: RuleId) -> Moment {
        match self.lanes {
            None => self.heard,
            Some((lanes, hearing)) => hearing.heard(lanes.get(rule as usize).copied().unwrap_or(0)),
        }
    }
}

impl Engine {
    /// Up to `heard`, everything has come of a feed; it never goes back. Counts from the next [`Engine::advance`] on.
    pub fn hear(&mut self, feed: usize, heard: Moment) {
        self.hearing.hear(feed, heard);
    }

    /// Feeds by name, and how far each was heard.
    pub fn frontiers(&self) -> impl Iterator<Item = (&str, Moment)> {
        self.hearing.frontiers()
    }

    /// How far was heard of a partner's duties under an obligation (its first version). Of the obligor's own silence
    /// nothing is said beyond what was heard, though it no longer holds anything up.
    pub fn heard(&self, partner: u32, rule: RuleId) -> Moment {
        let ear = self.ear(&self.partners[partner as usize]);
        match ear.lanes {
            None => ear.heard,
            Some((_, hearing)) => hearing.told(ear.lane(rule)),
        }
    }

    pub(super) fn ear<'a>(&'a self, partner: &'a Partner) -> Ear<'a> {
        let lanes = partner.lanes.as_deref().map(|lanes| (lanes, &self.hearing));
        Ear { heard: self.heard, lanes }
    }

    /// What was told unknown of a subject is told again when there is news, and nothing else of it is waited for.
    #[cold]
    pub(super) fn wait_for_news(&mut self, slot: u32, subject: &Subject) {
        self.hearing.forget(slot);
        let partner = &self.partners[subject.partner as usize];
        let ear = Ear { heard: self.heard, lanes: partner.lanes.as_deref().map(|lanes| (lanes, &self.hearing)) };
        let unknown = |d: &&Duty| d.told == Standing::Unknown;
        let open = subject.head.open.iter().filter(unknown).map(|d| (ear.lane(d.rule), d.deadline));
        // A finding: certain from its own instant on, a deadline only after it.
        let ended = subject.head.ended.iter().filter(unknown).map(|d| (ear.lane(d.rule), d.deadline + -1));
        for (lane, deadline) in open.chain(ended).collect::<Vec<_>>() {
            self.hearing.wait(lane, deadline, slot);
        }
    }

    /// After time has moved, where there are feeds.
    #[cold]
    pub(super) fn listen(&mut self) {
        let seen = self.hearing.listen(self.now);
        self.know(seen);
    }

    /// Deadlines of these subjects are no longer unknown.
    #[cold]
    pub(super) fn know(&mut self, seen: Vec<u32>) {
        for slot in seen {
            if !self.shelf.is_empty(slot) {
                let mut subject = self.shelf.take(slot);
                self.tell(slot, &mut subject, true);
                self.put(slot, subject);
            }
        }
    }
}

/// Types that can stop, hold or excuse a rule's duties, with the trust that each needs.
fn wanted<'b>(book: &'b Book, rule: &Rule) -> Vec<(&'b str, Trust)> {
    let names = book.names();
    let mut leaves = rule.act().map(|act| act.leaves().to_vec()).unwrap_or_default();
    if let Form::Requires(table) = &rule.form {
        leaves.extend(table.rows.iter().flat_map(|row| row.value.leaves()));
    }
    let mut wanted: Vec<(&str, Trust)> =
        leaves.iter().map(|leaf| (names.about(leaf.kind).name.as_str(), leaf.trust)).collect();
    if rule.pause.is_some() {
        let holds = [Effect::Paused, Effect::Resumed, Effect::Confirmed, Effect::Voided];
        let pauses = names.types().iter().filter(|t| holds.contains(&t.effect));
        wanted.extend(pauses.map(|t| (t.name.as_str(), Trust::Asserted)));
    }
    wanted
}

fn bits(each: impl Iterator<Item = bool>) -> u64 {
    each.enumerate().fold(0, |all, (i, is)| all | u64::from(is) << i)
}
