//! The judge of one shard, and everything that belongs to its state: what is taken in goes through here, whether it comes
//! from a source now or from the journal again.

use super::super::ahead::Foresight;
use super::super::homes::Homes;
use super::Feed;
use super::known::Known;
use super::voice::Voice;
use crate::catalogue::{Handover, Names};
use crate::decode::{Batch, Homeless};
use onus_engine::book::{Book, Field};
use onus_engine::engine::{Ahead, Applied, Archive, Engine, Incoming, Options, RestoreError};
use onus_engine::fact::{Draft, Fact};
use onus_engine::terms::Contract;
use onus_engine::terms::Trust;
use onus_engine::time::{DAY, Millis, Moment};
use onus_engine::vocabulary::REHOMED;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// Events from further in the future than this are dead letters: their source's clock is wrong.
pub(super) const FUTURE: Millis = DAY;

/// Who says what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The clock on the wall; feeds' frontiers say how far was heard.
    Wall,
    /// The events: now is the latest event's time, and all before it has been heard. For backfill and trials.
    Events,
}

/// A line that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its place in the piece, from 0.
    pub(crate) line: usize,
    /// Stable name of the reason.
    pub(crate) reason: &'static str,
    /// In words.
    pub(crate) detail: String,
}

/// What is said of an event for several partners, where each is judged by another process.
const SEVERAL: &str = "it concerns several partners, and through an exchange each event goes to one: send one for each of them, or run with \
                       role = \"all\"";

/// Who says that the catalogue moved an identity.
const CATALOGUE: &str = "urn:onus:catalogue";

/// The reason of what its source may not say: a security event, too.
pub(super) const UNAUTHORISED: &str = "Unauthorised";

/// The reason of what does not count and yet stays in the journal: subjects may be linked by what it says.
pub(super) const CONFLICT: &str = "Conflict";

/// What happened to events, by feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Events read, ticks too.
    pub events: u64,
    /// Of types that no contract names.
    pub idle: u64,
    /// Of partners that no contract names.
    pub unbound: u64,
    /// Waiting for their time.
    pub aside: u64,
}

/// See the module.
pub(super) struct Judge {
    pub(super) engine: Engine,
    pub(super) homes: Homes,
    /// Native names by which identities are known.
    pub(super) names: Arc<Names>,
    /// What the catalogue moves and time has not come to, the next at the end.
    handovers: Vec<Handover>,
    /// What has left memory.
    pub(super) known: Known,
    clock: Clock,
    /// By the events' clock: other partitions have not come further than this.
    pub(super) ceiling: Moment,
    /// By the events' clock: the latest event of any partition. Time comes to it once the others let it.
    furthest: Moment,
    voices: Vec<Voice>,
    /// It has one partition of an exchange: other partners may be judged elsewhere.
    divided: bool,
    batch: Batch,
    foresight: Foresight,
    /// Events of the future, until their time has come; the number keeps them in their order.
    aside: BTreeMap<(Moment, u64), Aside>,
    asides: u64,
    /// By feed.
    pub(super) taken: Vec<Taken>,
    /// Records whose subject came home to a partner of whom their feed may not speak.
    pub(super) strays: Vec<Stray>,
    /// Of the lines taken in last: the latest event, and the latest tick.
    pub(super) peak: Option<Moment>,
    pub(super) tick: Option<Moment>,
}

/// A record that waited to be placed, and then was not its feed's to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) feed: String,
    pub(super) partner: String,
    pub(super) record: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Aside {
    feed: String,
    arrived: Moment,
    line: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    /// Of the contracts that it was judged by.
    terms: [u8; 32],
    generation: u32,
    #[serde(with = "serde_bytes", borrow)]
    engine: Cow<'a, [u8]>,
    homes: Homes,
    furthest: Moment,
    aside: Vec<((Moment, u64), Aside)>,
}

impl Judge {
    /// One that has seen nothing.
    /// `retired`: feeds that are read no more, as what they once said is looked at.
    pub(super) fn new(
        contracts: &[Contract],
        feeds: &[Feed],
        retired: &[Feed],
        clock: Clock,
        settling: Millis,
    ) -> Judge {
        let book = Arc::new(Book::with(contracts, false));
        let mut engine = Engine::new(Arc::clone(&book), options(feeds, clock, settling));
        for partner in book.named_partners() {
            engine.begin(partner);
        }
        Judge::around(engine, feeds, retired, clock)
    }

    fn around(engine: Engine, feeds: &[Feed], retired: &[Feed], clock: Clock) -> Judge {
        let voices: Vec<Voice> = feeds.iter().chain(retired).map(|feed| Voice::new(feed, engine.book())).collect();
        Judge {
            engine,
            homes: Homes::default(),
            names: Arc::default(),
            handovers: Vec::new(),
            known: Known::default(),
            clock,
            ceiling: Moment::NEVER,
            furthest: Moment::DAWN,
            voices,
            divided: feeds.iter().any(|feed| feed.name == crate::exchange::NAME),
            batch: Batch::default(),
            foresight: Foresight::default(),
            aside: BTreeMap::new(),
            asides: 0,
            strays: Vec::new(),
            taken: vec![Taken::default(); feeds.len() + retired.len()],
            peak: None,
            tick: None,
        }
    }

    /// Everything that it knows.
    pub(super) fn snapshot(&self, terms: [u8; 32], generation: u32) -> Result<Vec<u8>, String> {
        let aside = self.aside.iter().map(|(key, one)| (*key, one.clone())).collect();
        let homes = self.homes.clone();
        let engine = self.engine.snapshot().into();
        let saved = Saved { terms, generation, engine, homes, furthest: self.furthest, aside };
        let bytes = postcard::to_allocvec(&saved).map_err(|e| e.to_string())?;
        // Behind the rest: who reads a snapshot that was written without them knows that they are missing.
        let bytes = postcard::to_extend(&self.ceiling, bytes).map_err(|e| e.to_string())?;
        postcard::to_extend(&self.known, bytes).map_err(|e| e.to_string())
    }

    /// One that goes on where the snapshot was taken; None: it was taken under other terms.
    pub(super) fn restore(
        bytes: &[u8],
        terms: ([u8; 32], u32),
        contracts: &[Contract],
        feeds: &[Feed],
        retired: &[Feed],
        clock: Clock,
        settling: Millis,
    ) -> Result<Option<Judge>, String> {
        // The store holds its sums: what cannot be read is another version's form, and the journal is judged again.
        let Ok((saved, rest)) = postcard::take_from_bytes::<Saved<'_>>(bytes) else { return Ok(None) };
        let Ok((ceiling, rest)) = postcard::take_from_bytes::<Moment>(rest) else { return Ok(None) };
        let Ok(known) = postcard::from_bytes::<Known>(rest) else { return Ok(None) };
        if (saved.terms, saved.generation) != terms {
            return Ok(None);
        }
        let book = Arc::new(Book::with(contracts, false));
        let engine = match Engine::restore(book, options(feeds, clock, settling), &saved.engine) {
            Ok(engine) => engine,
            Err(RestoreError::Form(_) | RestoreError::OtherNames) => return Ok(None),
            Err(error @ RestoreError::Damaged(_)) => return Err(error.to_string()),
        };
        let mut judge = Judge::around(engine, feeds, retired, clock);
        (judge.homes, judge.known) = (saved.homes, known);
        (judge.furthest, judge.ceiling) = (saved.furthest, ceiling);
        judge.asides = saved.aside.iter().map(|((_, n), _)| n + 1).max().unwrap_or(0);
        judge.aside = saved.aside.into_iter().collect();
        Ok(Some(judge))
    }

    /// Native names are identities by this from here on, and what the catalogue ever moved was handed over.
    pub(super) fn name_by(&mut self, names: Arc<Names>) {
        self.handovers = names.handovers();
        self.handovers.reverse();
        self.names = names;
    }

    /// What the catalogue has moved by now is handed over. It is known from the terms: the journal has none of it. What was
    /// handed over before, changes nothing.
    fn hand_over(&mut self, now: Moment, archive: &mut dyn Archive) {
        while let Some(one) = self.handovers.pop_if(|one| one.at <= now) {
            let heard = if self.clock == Clock::Events { one.at } else { Moment::DAWN };
            self.engine.advance(one.at, heard, archive);
            let book = Arc::clone(self.engine.book());
            let Some(kind) = book.names().event_type(REHOMED) else { continue };
            let id = format!("{} {}", one.identity, one.at);
            let draft = Draft {
                kind,
                id: &id,
                source: CATALOGUE,
                at: one.at,
                recorded: one.at,
                sequence: "",
                factkey: None,
                exact: true,
            };
            let known = book.names().well_known();
            let fields =
                [(known.from, Field::One(one.from.as_str().into())), (known.to, Field::One(one.to.as_str().into()))];
            let mut bytes = Vec::new();
            let place = book.write(&draft, &fields, &mut bytes);
            let fact = &mut bytes[place];
            let (partner, subject, trust) = (one.from.as_str(), one.identity.as_str(), Some(Trust::Verified));
            self.engine.apply(Incoming { partner, subject, source: CATALOGUE, fact, trust }, archive);
            let first = self.homes.hand(subject, &one.from, &one.to).to_owned();
            self.come_home(&first, subject, archive);
        }
    }

    /// Which feed has this name.
    pub(super) fn feed(&self, name: &str) -> Option<usize> {
        self.voices.iter().position(|voice| voice.feed.name == name)
    }

    /// Time comes to `now`, and feeds were heard up to these instants. What waited for its time is taken in. By the events'
    /// clock `now` is how far the events that follow may move time.
    pub(super) fn time(&mut self, now: Moment, heard: &[(usize, Moment)], archive: &mut dyn Archive) {
        if self.clock == Clock::Events {
            self.ceiling = now;
            self.follow(self.furthest, archive);
            return;
        }
        for (feed, heard) in heard {
            self.engine.hear(*feed, *heard);
        }
        self.hand_over(now, archive);
        while let Some(first) = self.aside.first_entry().filter(|one| one.key().0 <= now) {
            let ((at, _), one) = first.remove_entry();
            self.engine.advance(at, Moment::DAWN, archive);
            if let Some(feed) = self.feed(&one.feed) {
                self.taken[feed].aside -= 1;
                self.lines(feed, &one.line, &[one.arrived], archive, &mut |_| {});
            }
        }
        self.engine.advance(now, Moment::DAWN, archive);
    }

    /// Takes lines of a feed in; says which it refused. `arrived`: of each line, when it came.
    pub(super) fn lines(
        &mut self,
        feed: usize,
        lines: &[u8],
        arrived: &[Moment],
        archive: &mut dyn Archive,
        refuse: &mut dyn FnMut(Refused),
    ) {
        let mut batch = std::mem::take(&mut self.batch);
        let names = Arc::clone(&self.names);
        let voice = &mut self.voices[feed];
        let now = self.engine.now();
        batch.clear();
        batch.arrived.clear();
        if !voice.feed.claims_time {
            batch.arrived.extend_from_slice(arrived);
        }
        voice.decoder.hold_beyond(match self.clock {
            Clock::Wall => now,
            Clock::Events => Moment::NEVER,
        });
        voice.decoder.lines(&names.resolved(lines), 0, &mut batch);
        for letter in &batch.letters {
            let (reason, detail) = (letter.error.name(), letter.error.to_string());
            refuse(Refused { line: letter.line as usize, reason, detail });
        }
        let taken = &mut self.taken[feed];
        taken.events += batch.read - batch.aside.len() as u64;
        taken.idle += batch.idle;
        if !batch.aside.is_empty() {
            self.put_aside(feed, lines, arrived, &batch, now, refuse);
        }
        let barred = self.barred(feed, &batch, refuse);
        let trust = self.voices[feed].feed.trust;
        self.foresight.clear();
        for at in 0..batch.events.len() {
            let seen = self.foresight.of(at, &mut batch, Some(trust), &self.engine, archive);
            if barred.is_empty() || !barred.contains(&batch.events[at].line) {
                self.take((feed, lines), &mut batch, at, seen, archive, refuse);
            }
        }
        for one in &batch.sightings {
            if !self.may_place(feed, one) {
                continue;
            }
            if let Some(partner) = self.homes.place(one).map(str::to_owned) {
                self.come_home(&partner, &one.subject, archive);
            }
        }
        if let Some(peak) = batch.peak {
            self.furthest = self.furthest.max(peak);
            self.follow(peak, archive);
        }
        self.peak = batch.peak;
        self.tick = batch.tick;
        self.batch = batch;
    }

    /// By the events' clock: time comes to an event, as far as other partitions have come.
    #[inline]
    fn follow(&mut self, peak: Moment, archive: &mut dyn Archive) {
        if self.clock == Clock::Events {
            let now = peak.min(self.ceiling);
            self.hand_over(now, archive);
            self.engine.advance(now, now, archive);
        }
    }

    /// By the events' clock: time may go on by itself.
    pub(super) fn lags(&self) -> bool {
        self.engine.now() < self.furthest.min(self.ceiling)
    }

    #[inline]
    fn take(
        &mut self,
        (feed, lines): (usize, &[u8]),
        batch: &mut Batch,
        at: usize,
        seen: Ahead,
        archive: &mut dyn Archive,
        refuse: &mut dyn FnMut(Refused),
    ) {
        self.follow(batch.events[at].peak, archive);
        let Batch { events, facts, names, homeless, grounds, customers, .. } = batch;
        let event = &events[at];
        let name = |place: &Range<u32>| &names[place.start as usize..place.end as usize];
        let fact = &mut facts[event.fact.start as usize..event.fact.end as usize];
        let (partner, source, subject) = (name(&event.partner), name(&event.source), name(&event.subject));
        let kind = Fact::split(fact).map_or(0, |(fact, _)| fact.kind());
        let voice = &mut self.voices[feed];
        let trust = Some(voice.feed.trust);
        if !voice.kinds[usize::from(kind)] {
            let what = &self.engine.book().names().about(kind).name;
            let detail = format!(
                "the source {} may not say {what}: let its `types` in the settings have it, or find out who sent it",
                voice.feed.name
            );
            return refuse(Refused { line: event.line as usize, reason: UNAUTHORISED, detail });
        }
        if !partner.is_empty() {
            if !voice.speaks_of(partner) {
                if grounds.binary_search(&at).is_ok() {
                    // What is said of the one who acted stands; of whose ground it is, this source has no say.
                    return;
                }
                if customers.binary_search(&at).is_err() {
                    return refuse(voice.foreign(event.line, partner));
                }
            }
            // Whoever hands something over must have a say of both: nobody gets rid of what is owed by naming another.
            let handed = self.engine.handover(fact).map(|(from, to)| [from.to_owned(), to.to_owned()]);
            if let Some([_, to]) = &handed
                && !voice.speaks_of(to)
            {
                return refuse(voice.foreign(event.line, to));
            }
            let incoming = Incoming { partner, subject, source, fact, trust };
            match self.engine.apply_seen(incoming, seen, archive) {
                Applied::Unbound => self.taken[feed].unbound += 1,
                Applied::Conflict => refuse(conflict(event.line)),
                Applied::Placed | Applied::Repeat => {}
            }
            if let Some([from, to]) = handed {
                let known = self.homes.hand(subject, &from, &to).to_owned();
                self.come_home(&known, subject, archive);
            }
            return;
        }
        let place = homeless.binary_search_by_key(&at, |one| one.event);
        let Some(one) = place.ok().map(|place| &homeless[place]) else { return };
        if let Ok(partner) = &one.owner.partner
            && !voice.speaks_of(partner)
        {
            // Before it is noted: what is refused leaves no trace.
            return refuse(voice.foreign(event.line, partner));
        }
        match self.homes.place(one).map(str::to_owned) {
            None => {
                let narrow = (!voice.speaks_of_all()).then(|| {
                    let text = lines.split(|byte| *byte == b'\n').nth(event.line as usize).unwrap_or_default();
                    (voice.feed.name.clone(), text.to_vec())
                });
                self.homes.wait(one, source, fact, trust, narrow);
            }
            Some(partner) if !voice.speaks_of(&partner) => refuse(voice.foreign(event.line, &partner)),
            Some(partner) => {
                let incoming = Incoming { partner: &partner, subject, source, fact, trust };
                if self.engine.apply(incoming, archive) == Applied::Conflict {
                    refuse(conflict(event.line));
                }
                self.come_home(&partner, subject, archive);
            }
        }
    }

    /// Lines that speak of several partners, of one of whom the feed may not: none of it is taken in.
    fn barred(&mut self, feed: usize, batch: &Batch, refuse: &mut dyn FnMut(Refused)) -> BTreeSet<u32> {
        let voice = &mut self.voices[feed];
        let mut barred = BTreeSet::new();
        if batch.several.is_empty() {
            return barred;
        }
        if self.divided {
            for line in &batch.several {
                barred.insert(*line);
                refuse(Refused { line: *line as usize, reason: "Several", detail: SEVERAL.to_owned() });
            }
            return barred;
        }
        if voice.speaks_of_all() {
            return barred;
        }
        for (at, event) in batch.events.iter().enumerate() {
            let partner = batch.name(&event.partner);
            let derived = batch.grounds.binary_search(&at).is_ok() || batch.customers.binary_search(&at).is_ok();
            let one_of = batch.several.binary_search(&event.line).is_ok();
            if one_of && !derived && !voice.speaks_of(partner) && barred.insert(event.line) {
                refuse(voice.foreign(event.line, partner));
            }
        }
        barred
    }

    /// An event that no contract cares for, and that says whose its subject is: its feed may speak of that partner.
    fn may_place(&mut self, feed: usize, one: &Homeless) -> bool {
        one.owner.partner.as_ref().is_ok_and(|partner| self.voices[feed].speaks_of(partner))
    }

    fn come_home(&mut self, partner: &str, subject: &str, archive: &mut dyn Archive) {
        for mut one in self.homes.release(subject) {
            if let Some((feed, record)) = &one.narrow
                && let Some(at) = self.feed(feed)
                && !self.voices[at].speaks_of(partner)
            {
                let (feed, partner, record) = (feed.clone(), partner.to_owned(), record.clone());
                self.strays.push(Stray { feed, partner, record });
                continue;
            }
            let trust = one.trust;
            let incoming = Incoming { partner, subject, source: &one.source, fact: &mut one.fact, trust };
            self.engine.apply(incoming, archive);
        }
    }

    /// Events of the future wait for their time, unless they are from too far.
    #[cold]
    fn put_aside(
        &mut self,
        feed: usize,
        lines: &[u8],
        arrived: &[Moment],
        batch: &Batch,
        now: Moment,
        refuse: &mut dyn FnMut(Refused),
    ) {
        let texts: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
        for (line, at) in &batch.aside {
            let line = *line as usize;
            if *at > now + FUTURE {
                let detail = format!(
                    "its time {at} lies more than a day ahead of {now}: set the clock of what sends it, then read it again"
                );
                refuse(Refused { line, reason: "Future", detail });
                continue;
            }
            let (Some(text), Some(arrived)) = (texts.get(line), arrived.get(line)) else { continue };
            let name = self.voices[feed].feed.name.clone();
            let one = Aside { feed: name, arrived: *arrived, line: text.to_vec() };
            self.aside.insert((*at, self.asides), one);
            self.asides += 1;
            self.taken[feed].aside += 1;
        }
    }
}

/// Two events of one id: nobody knows which is true, so people are shown the one that does not count.
#[cold]
fn conflict(line: u32) -> Refused {
    let detail = "another event of the same source and id says something else and counts: find out which is true; if it is this \
                  one, send it under an id of its own"
        .to_owned();
    Refused { line: line as usize, reason: CONFLICT, detail }
}

fn options(feeds: &[Feed], clock: Clock, settling: Millis) -> Options {
    let heard = feeds.iter().map(|feed| onus_engine::engine::Feed {
        name: feed.name.clone(),
        partners: feed.partners.clone(),
        types: feed.types.clone(),
        trust: feed.trust,
        owner: feed.owner,
    });
    // By the events' clock everything up to the event has been heard.
    let feeds = if clock == Clock::Events { Vec::new() } else { heard.collect() };
    Options { settling: Some(settling), feeds, ..Options::default() }
}
