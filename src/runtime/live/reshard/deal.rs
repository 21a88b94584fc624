//! The journals of some shards, dealt out to others: each new one gets the events of its partners, in the order in which they
//! were taken in, and all that is said of time.
//!
//! Where several old shards come together in a new one, their times do. Its judge has heard a source as far as that one of
//! them has that heard it least: the partners of one must not be judged by what was heard for those of another. One that has
//! no more to say holds nobody up: all that it had stands before.

use super::super::journal::{Item, Piece, Writer, places};
use crate::exchange::partition::partition;
use onus_engine::time::Moment;
use onus_engine::vocabulary::REHOMED;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is gathered for one new shard.
#[derive(Debug, Default)]
pub(super) struct Hand {
    pub(super) journal: Writer,
    /// Bytes of events in it.
    pub(super) bytes: usize,
    /// Events that were dealt to it.
    pub(super) events: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Dealer {
    /// How many new shards there are in all.
    of: u16,
    /// Those that are dealt to.
    own: Range<u16>,
    pub(super) hands: Vec<Hand>,
    /// By old shard: how far it has heard each feed; None: it has said all.
    heard: Vec<Option<BTreeMap<String, Moment>>>,
    /// The furthest that any of them has heard.
    furthest: BTreeMap<String, Moment>,
    /// As the new ones were told.
    told: BTreeMap<String, Moment>,
    /// Time goes on.
    now: Moment,
}

/// Whose an event is, of which that alone is looked at: a dead letter may be wrong in all else.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    partner: Option<Cow<'a, str>>,
}

/// The partner of an event; None: it names none, and is nobody's.
pub(super) fn partner_of(line: &[u8]) -> Option<Cow<'_, str>> {
    let said: Said<'_> = serde_json::from_slice(line).ok()?;
    said.partner.filter(|partner| !partner.is_empty())
}

/// The new shard of an event. What is nobody's stays with the first.
pub(super) fn shard_of(line: &[u8], of: u16) -> u16 {
    partner_of(line).map_or(0, |partner| partition(&partner, of) as u16)
}

/// An event hands its subject over: what was before would be in one shard, and what comes in another.
fn hands_over(line: &[u8]) -> bool {
    // Most events need not be read for that.
    memchr::memmem::find(line, REHOMED.as_bytes()).is_some()
        && serde_json::from_slice::<Said<'_>>(line).is_ok_and(|said| said.kind.as_deref() == Some(REHOMED))
}

/// Why it cannot be divided.
pub(super) fn by_events() -> String {
    "it was judged by the events' clock (`judge.clock = \"events\"`), by which time is that of the last event of any partner: such a \
     store cannot be divided; begin with a new one"
        .to_owned()
}

/// A piece in the making.
#[derive(Default)]
struct Part {
    offsets: Vec<u64>,
    arrived: Vec<i64>,
    lines: Vec<u8>,
    last: (u64, i64),
}

impl Dealer {
    /// Deals what `old` shards have to those of `own` of so many.
    pub(super) fn new(old: usize, own: Range<u16>, of: u16) -> Dealer {
        Dealer {
            of,
            hands: own.clone().map(|_| Hand::default()).collect(),
            own,
            heard: vec![Some(BTreeMap::new()); old],
            furthest: BTreeMap::new(),
            told: BTreeMap::new(),
            now: Moment(i64::MIN),
        }
    }

    /// Deals one thing that this old shard took in.
    ///
    /// # Errors
    /// It cannot be divided.
    pub(super) fn take(&mut self, old: usize, names: &[String], item: Item<'_>) -> Result<(), String> {
        match item {
            Item::Ceiling(_) => Err(by_events()),
            Item::Time { now, .. } if now == Moment::NEVER => Err(by_events()),
            Item::Time { now, heard } => {
                let name = |at: u16| names.get(usize::from(at)).cloned().ok_or_else(|| "a feed has no name".to_owned());
                let heard = heard.into_iter().map(|(at, moment)| Ok((name(at)?, moment)));
                let heard = heard.collect::<Result<Vec<(String, Moment)>, String>>()?;
                self.time(old, now, heard);
                Ok(())
            }
            Item::Piece(piece) => {
                let Some(name) = names.get(usize::from(piece.feed)) else {
                    return Err("a feed has no name".to_owned());
                };
                self.piece(name, &piece)
            }
        }
    }

    fn time(&mut self, old: usize, now: Moment, heard: Vec<(String, Moment)>) {
        for (name, at) in &heard {
            for known in self.heard[old].as_mut().into_iter().chain([&mut self.furthest]) {
                let known = known.entry(name.clone()).or_insert(*at);
                *known = (*known).max(*at);
            }
        }
        let news = heard.into_iter().filter_map(|(name, _)| Some((self.least(&name)?, name))).collect();
        self.tell(now, news);
    }

    /// How far all of them have heard it.
    fn least(&self, name: &str) -> Option<Moment> {
        let all = self.heard.iter().flatten();
        all.map(|heard| heard.get(name).copied()).min().flatten()
    }

    /// Time comes to `now` in all new ones, and these are heard so far, where that is news.
    fn tell(&mut self, now: Moment, mut news: Vec<(Moment, String)>) {
        news.retain(|(at, name)| self.told.get(name).is_none_or(|told| told < at));
        if now <= self.now && news.is_empty() {
            return;
        }
        self.now = self.now.max(now);
        for hand in &mut self.hands {
            let heard = news.iter().map(|(at, name)| (hand.journal.name(name), *at)).collect();
            hand.journal.put(Item::Time { now: self.now, heard });
        }
        self.told.extend(news.into_iter().map(|(at, name)| (name, at)));
    }

    /// This old shard has said all.
    pub(super) fn over(&mut self, old: usize) {
        self.heard[old] = None;
        let names: Vec<String> = self.furthest.keys().cloned().collect();
        let last = self.heard.iter().all(Option::is_none);
        // Each has been told all that there was to be heard: the ticks of a source are in every partition.
        let how_far = |name: &String| if last { self.furthest.get(name).copied() } else { self.least(name) };
        let news = names.into_iter().filter_map(|name| Some((how_far(&name)?, name))).collect();
        self.tell(self.now, news);
    }

    fn piece(&mut self, name: &str, piece: &Piece<'_>) -> Result<(), String> {
        let mut parts: BTreeMap<u16, Part> = BTreeMap::new();
        for one in places(&piece.lines, &piece.offsets, &piece.arrived) {
            if hands_over(one.line) {
                return Err(format!(
                    "an event hands a subject over from partner to partner ({name}, partition {}, offset {}): the two may come into \
                     two shards, and what was before would be in one of them alone; judge in one process",
                    piece.partition, one.offset
                ));
            }
            let shard = shard_of(one.line, self.of);
            if !self.own.contains(&shard) {
                continue;
            }
            let part = parts.entry(shard).or_default();
            part.offsets.push(one.offset.wrapping_sub(part.last.0));
            part.arrived.push(one.arrived.0.wrapping_sub(part.last.1));
            part.lines.extend_from_slice(one.line);
            part.lines.push(b'\n');
            part.last = (one.offset, one.arrived.0);
        }
        for (shard, Part { offsets, arrived, lines, .. }) in parts {
            let hand = &mut self.hands[usize::from(shard - self.own.start)];
            let feed = hand.journal.name(name);
            hand.bytes += lines.len();
            hand.events += offsets.len() as u64;
            let (partition, lines) = (piece.partition, Cow::Owned(lines));
            hand.journal.put(Item::Piece(Piece { feed, partition, offsets, arrived, lines }));
        }
        Ok(())
    }

    /// Where time has come to.
    pub(super) fn now(&self) -> Moment {
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::journal::read;
    use super::*;
    use proptest::prelude::*;

    /// One thing that an old shard took in: an event of a partner, or time.
    #[derive(Clone, Debug)]
    enum Step {
        Event { partner: usize, feed: usize },
        Time { pass: i64, heard: Vec<(usize, i64)> },
    }

    const FEEDS: [&str; 3] = ["desk", "vault", "vault~7"];

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let event = (0..12usize, 0..3usize).prop_map(|(partner, feed)| Step::Event { partner, feed });
        let time = (0..9i64, prop::collection::btree_map(0..3usize, 0..50i64, 0..3))
            .prop_map(|(pass, heard)| Step::Time { pass, heard: heard.into_iter().collect() });
        prop::collection::vec(prop_oneof![3 => event, 1 => time], 0..60)
    }

    /// Journals of as many old shards, an item a commit: partners are divided among them.
    fn journals(all: &[Vec<Step>]) -> Vec<Vec<(Moment, Vec<u8>)>> {
        let mut journals = Vec::new();
        for (old, steps) in all.iter().enumerate() {
            let (mut now, mut place, mut journal) = (0, 0, Vec::new());
            for step in steps {
                let mut writer = Writer::default();
                match step {
                    Step::Event { partner, feed } => {
                        let feed = writer.name(FEEDS[*feed]);
                        place += 1;
                        let line = format!("{{\"id\":\"{old}-{place}\",\"partner\":\"p{old}-{partner}\"}}\n");
                        let lines = Cow::Owned(line.into_bytes());
                        let piece = Piece { feed, partition: 3, offsets: vec![place], arrived: vec![now], lines };
                        writer.put(Item::Piece(piece));
                    }
                    Step::Time { pass, heard } => {
                        now += pass;
                        let heard = heard.iter().map(|(feed, at)| (writer.name(FEEDS[*feed]), Moment(*at))).collect();
                        writer.put(Item::Time { now: Moment(now), heard });
                    }
                }
                journal.push((Moment(now), writer.blob().expect("a blob")));
            }
            journals.push(journal);
        }
        journals
    }

    /// What a judge of it takes in: events (feed, offset, arrival, line), and times with what was heard.
    #[derive(Debug, PartialEq)]
    enum Seen {
        Event(String, u64, i64, String),
        Time(Moment, BTreeMap<String, Moment>),
    }

    fn seen(blob: &[u8]) -> Vec<Seen> {
        let mut all = Vec::new();
        read(blob, &mut |names, item| match item {
            Item::Piece(piece) => {
                for one in places(&piece.lines, &piece.offsets, &piece.arrived) {
                    let line = String::from_utf8(one.line.to_vec()).expect("text");
                    all.push(Seen::Event(names[usize::from(piece.feed)].clone(), one.offset, one.arrived.0, line));
                }
            }
            Item::Time { now, heard } => {
                let heard = heard.into_iter().map(|(at, moment)| (names[usize::from(at)].clone(), moment));
                all.push(Seen::Time(now, heard.collect()));
            }
            Item::Ceiling(_) => panic!("by the wall clock"),
        })
        .expect("its own blob");
        all
    }

    fn dealt(journals: &[Vec<(Moment, Vec<u8>)>], of: u16) -> Vec<Vec<Seen>> {
        let mut dealer = Dealer::new(journals.len(), 0..of, of);
        let mut next = vec![0; journals.len()];
        (0..journals.len()).filter(|old| journals[*old].is_empty()).for_each(|old| dealer.over(old));
        loop {
            let first = (0..journals.len()).filter(|old| next[*old] < journals[*old].len());
            let Some(old) = first.min_by_key(|old| (journals[*old][next[*old]].0, *old)) else { break };
            read(&journals[old][next[old]].1, &mut |names, item| {
                dealer.take(old, names, item).expect("it can be divided");
            })
            .expect("a blob");
            next[old] += 1;
            if next[old] == journals[old].len() {
                dealer.over(old);
            }
        }
        dealer.hands.iter().map(|hand| seen(&hand.journal.blob().expect("a blob"))).collect()
    }

    proptest! {
        /// Of each partner the events are in one new journal, all of them, as they were and in their order; none is in two.
        #[test]
        fn the_new_journals_together_are_the_old_and_a_partners_order_is_kept(
            all in prop::collection::vec(steps(), 1..4), of in 1..8u16,
        ) {
            let journals = journals(&all);
            let new = dealt(&journals, of);
            let mut there: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
            for (shard, journal) in new.iter().enumerate() {
                for one in journal {
                    if let Seen::Event(_, _, _, line) = one {
                        let partner = partner_of(line.as_bytes()).expect("a partner").into_owned();
                        prop_assert_eq!(partition(&partner, of) as usize, shard);
                        there.entry(partner).or_default().push(one);
                    }
                }
            }
            let old: Vec<Seen> = journals.iter().flatten().flat_map(|(_, blob)| seen(blob)).collect();
            let mut due: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
            for one in &old {
                if let Seen::Event(_, _, _, line) = one {
                    let partner = partner_of(line.as_bytes()).expect("a partner").into_owned();
                    due.entry(partner).or_default().push(one);
                }
            }
            prop_assert_eq!(there, due);
        }

        /// No new judge is told that a source was heard further than every old shard that still has events to bring has heard
        /// it; time never goes back; and at the end all is as far as the furthest of them.
        #[test]
        fn nobody_is_judged_by_what_was_heard_for_others(all in prop::collection::vec(steps(), 1..4), of in 1..4u16) {
            let journals = journals(&all);
            for (shard, journal) in dealt(&journals, of).iter().enumerate() {
                let (mut now, mut told) = (Moment(i64::MIN), BTreeMap::<String, Moment>::new());
                // How far each old shard had heard when it took an event in that comes later here.
                let mut left: BTreeMap<&str, Vec<BTreeMap<String, Moment>>> = BTreeMap::new();
                let mut events = Vec::new();
                for old in &journals {
                    let mut heard = BTreeMap::<String, Moment>::new();
                    for one in old.iter().flat_map(|(_, blob)| seen(blob)) {
                        match one {
                            Seen::Time(_, news) => news.into_iter().for_each(|(name, at)| {
                                let known = heard.entry(name).or_insert(at);
                                *known = (*known).max(at);
                            }),
                            Seen::Event(_, _, _, line) => events.push((line, heard.clone())),
                        }
                    }
                }
                for (line, heard) in &events {
                    left.entry(line).or_default().push(heard.clone());
                }
                for one in journal {
                    match one {
                        Seen::Time(at, news) => {
                            prop_assert!(*at >= now);
                            now = *at;
                            for (name, at) in news {
                                prop_assert!(told.get(name).is_none_or(|before| before < at));
                                told.insert(name.clone(), *at);
                            }
                        }
                        Seen::Event(_, _, _, line) => {
                            let own = left.get_mut(line.as_str()).and_then(Vec::pop).expect("it was there");
                            for (name, at) in &told {
                                prop_assert!(own.get(name).is_some_and(|own| own >= at), "{shard}: {name} at {line}");
                            }
                        }
                    }
                }
                let mut furthest = BTreeMap::<String, Moment>::new();
                for one in journals.iter().flatten().flat_map(|(_, blob)| seen(blob)) {
                    if let Seen::Time(_, news) = one {
                        news.into_iter().for_each(|(name, at)| {
                            let known = furthest.entry(name).or_insert(at);
                            *known = (*known).max(at);
                        });
                    }
                }
                prop_assert_eq!(told, furthest);
            }
        }
    }

    #[test]
    fn what_cannot_be_divided_is_refused_and_named() {
        let mut dealer = Dealer::new(1, 0..2, 2);
        let names = ["desk".to_owned()];
        let line = b"{\"type\":\"subject.rehomed\",\"partner\":\"p1\",\"data\":{\"from\":\"p1\",\"to\":\"p2\"}}\n";
        let lines = Cow::Borrowed(&line[..]);
        let piece = Piece { feed: 0, partition: 0, offsets: vec![77], arrived: vec![0], lines };
        assert!(
            dealer.take(0, &names, Item::Piece(piece)).expect_err("refused").contains("desk, partition 0, offset 77")
        );
        assert!(dealer.take(0, &names, Item::Ceiling(Moment(0))).expect_err("refused").contains("events"));
        let nobodys = Cow::Borrowed(&b"{\"type\":\"x\"}\n\nnonsense\n"[..]);
        let piece = Piece { feed: 0, partition: 0, offsets: vec![1, 1, 1], arrived: vec![0; 3], lines: nobodys };
        dealer.take(0, &names, Item::Piece(piece)).expect("it is kept");
        assert_eq!(
            dealer.hands.iter().map(|hand| hand.events).collect::<Vec<_>>(),
            [3, 0],
            "what is nobody's is not lost"
        );
    }
}
