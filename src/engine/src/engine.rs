//! The engine: many subjects, one clock. It places facts, makes links, lets time pass, tells what changed, lets go.

mod apply;
mod arena;
mod endings;
mod enrol;
mod figures;
mod hearing;
mod held;
mod history;
mod links;
mod merges;
mod pack;
mod parties;
mod recall;
mod rehoming;
mod rests;
mod settle;
mod shelf;
mod snapshot;
mod speakers;
mod tell;
mod voices;

use crate::book::{Book, Sheet};
use crate::duty::Duty;
use crate::fold::{Fold, Source, SubjectWaiver, View};
use crate::register::Register;
use crate::rule::RuleId;
use crate::standing::Standing;
use crate::terms::Trust;
use crate::time::{DAY, Millis, Moment};
use crate::timeline::Timeline;
use crate::wheel::Wheel;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use shelf::Shelf;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use apply::judge;
pub(crate) use pack::{part as pack_part, put_onto as pack_onto, read as unpack_bytes};

pub use apply::{Ahead, Applied, Incoming};
pub use figures::{Counted, Minima, OfPartner, Pass, Risk};
pub use hearing::{FEEDS, Feed};
pub use held::{HELD_STATES, Held, HeldState};
pub use history::{ENDED, History, Month, month_of};
pub use snapshot::RestoreError;
pub use tell::{Cells, Difference, Differences, Tally};

/// Where facts go that have left memory, and come back from when later news concerns them.
pub trait Archive {
    /// Keeps facts of a subject, beside those kept before. `whole`: all that were kept before are among them, and need
    /// never come back.
    fn keep(&mut self, partner: &str, subject: &str, facts: &[u8], whole: bool);
    /// Keeps notes on a subject, which are never among what is whole.
    fn note(&mut self, partner: &str, subject: &str, notes: &[u8]);
    /// All that was kept of a subject, facts and notes, in any order, repeats allowed; None if nothing was. Facts that were kept
    /// before something whole may come or not.
    fn recall(&mut self, partner: &str, subject: &str) -> Option<Vec<u8>>;
    /// Has the memory fetched that will be asked first about a subject: see [`Engine::look_ahead`].
    fn prefetch(&self, partner: &str, subject: &str);
}

/// Keeps nothing: right where nothing is ever released.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoArchive;

impl Archive for NoArchive {
    fn keep(&mut self, _: &str, _: &str, _: &[u8], _: bool) {}
    fn note(&mut self, _: &str, _: &str, _: &[u8]) {}
    fn recall(&mut self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn prefetch(&self, _: &str, _: &str) {}
}

/// How an engine is set.
#[derive(Clone, Debug)]
pub struct Options {
    /// How late news may come: what has ended longer ago than this leaves memory. None: never.
    pub settling: Option<Millis>,
    /// Trust by source: pattern (`*`) and level; the first that fits counts.
    pub trust: Vec<(String, Trust)>,
    /// Trust of any other source.
    pub otherwise: Trust,
    /// Feeds, each heard for itself, at most [`FEEDS`]; none: one frontier for everything.
    pub feeds: Vec<Feed>,
}

impl Default for Options {
    fn default() -> Options {
        Options { settling: Some(7 * DAY), trust: Vec::new(), otherwise: Trust::Verified, feeds: Vec::new() }
    }
}

/// All partners of a shard, judged.
#[derive(Debug)]
pub struct Engine {
    book: Arc<Book>,
    options: Options,
    now: Moment,
    heard: Moment,
    partners: Vec<Partner>,
    partner_index: HashTable<u32>,
    /// By the rules on them.
    sheets: BTreeMap<Vec<RuleId>, Arc<Sheet>>,
    sources: Vec<Source>,
    source_index: HashTable<u16>,
    voices: voices::Voices,
    shelf: Shelf,
    wheel: Wheel,
    differences: Differences,
    hearing: hearing::Hearing,
    due: Vec<u32>,
    counts: Counts,
    /// The next instant at which a contract ends, as far as its partners are known.
    next_ending: Moment,
    /// Whose contracts' ends have been taken in: partner and contract.
    told_ended: std::collections::BTreeSet<(u32, String)>,
    /// When registers are next rid of what no answer needs.
    next_sweep: Moment,
    /// Subjects that went from one partner to another, by name.
    handed: BTreeMap<String, Vec<rehoming::Handing>>,
}

/// What happened to the events taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Facts placed.
    pub facts: u64,
    /// Known already.
    pub repeats: u64,
    /// Another content under a known id.
    pub conflicts: u64,
    /// Of partners that no contract names.
    pub unbound: u64,
    /// Late: judged again.
    pub late: u64,
    /// Timelines that came back from the archive.
    pub recalled: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Partner {
    name: String,
    sheet: Option<Arc<Sheet>>,
    /// By rule, where there are feeds.
    lanes: Option<hearing::Lanes>,
    waivers: Vec<SubjectWaiver>,
    /// The partner's own timeline, where duties of the partner as a whole live.
    own: Option<u32>,
    cells: Cells,
    /// Who lives, where some act is owed of each.
    register: Option<Box<Register>>,
    /// Since when its sources are there, where something is owed of each.
    speakers: BTreeMap<crate::fact::SourceId, Moment>,
}

/// A subject in the hand: what is known of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    name: String,
    partner: u32,
    timeline: Timeline,
    head: Fold,
    /// Made without a look into the archive: what is there is not here.
    unread: bool,
    /// All that is in the archive is here, too, or was compacted since.
    read: bool,
    /// All that is in the archive is here: what is kept next is whole.
    whole: bool,
    rare: Option<Box<Rare>>,
}

/// What few subjects need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rare {
    /// Judged up to `settled`, where later news starts from.
    base: Option<Fold>,
    /// Facts before this were given to the archive (but for those still needed).
    settled: Moment,
    /// Subjects whose duties read this one's facts: place and generation.
    watchers: Vec<(u32, u32)>,
    /// Told once, but no longer following from the facts.
    withdrawn: Vec<Duty>,
    /// Bytes at which the timeline is looked at next.
    compact_at: u32,
    /// When it was last linked: one that is waited for stays a while, seen or not.
    watched: Moment,
}

impl Default for Rare {
    fn default() -> Rare {
        Rare {
            base: None,
            settled: Moment::DAWN,
            watchers: Vec::new(),
            withdrawn: Vec::new(),
            compact_at: 0,
            watched: Moment::DAWN,
        }
    }
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(book: Arc<Book>, options: Options) -> Engine {
        let next_ending = book.next_ending(Moment::DAWN);
        let hearing = hearing::Hearing::new(&options.feeds);
        Engine {
            book,
            options,
            now: Moment::DAWN,
            heard: Moment::DAWN,
            partners: Vec::new(),
            partner_index: HashTable::new(),
            sheets: BTreeMap::new(),
            sources: Vec::new(),
            source_index: HashTable::new(),
            voices: voices::Voices::default(),
            shelf: Shelf::default(),
            wheel: Wheel::default(),
            differences: Differences::default(),
            hearing,
            due: Vec::new(),
            counts: Counts::default(),
            next_ending,
            told_ended: std::collections::BTreeSet::new(),
            next_sweep: Moment::DAWN,
            handed: BTreeMap::new(),
        }
    }

    /// A partner whom a contract names outright: its recurring duties run before any event of its own. Asked once a
    /// partner, of the one engine that judges it.
    pub fn begin(&mut self, partner: &str) {
        self.partner(partner);
    }

    /// The book that it judges by.
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// The instant up to which it has judged.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What happened to the events taken in.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Subjects in memory.
    pub fn live(&self) -> usize {
        self.shelf.len()
    }

    /// Bytes that subjects take up in memory, but for what the allocator adds.
    pub fn bytes(&self) -> usize {
        self.shelf.bytes() + self.shelf.len() * 16
    }

    /// Names of the partners seen or named by contracts, in the order of their first sight.
    pub fn partners(&self) -> impl Iterator<Item = &str> {
        self.partners.iter().map(|p| p.name.as_str())
    }

    /// A partner's name, by the position that differences give.
    pub fn partner_name(&self, at: u32) -> &str {
        &self.partners[at as usize].name
    }

    /// Counts by standing of a partner's obligation, by the obligation's first version.
    pub fn tally(&self, partner: &str, rule: RuleId) -> Tally {
        self.find_partner(partner).map_or(Tally::default(), |p| self.partners[p as usize].cells.get(rule))
    }

    /// Partners with the obligations (first versions) that bind them.
    pub fn bound(&self) -> impl Iterator<Item = (&str, Vec<RuleId>)> {
        self.partners.iter().filter_map(|p| {
            let sheet = p.sheet.as_ref()?;
            let mut families: Vec<RuleId> = sheet.rules.iter().map(|r| self.book.rule(*r).family).collect();
            families.dedup();
            families.sort_unstable();
            families.dedup();
            Some((p.name.as_str(), families))
        })
    }

    /// What changed since this was last asked, in order.
    pub fn take_differences(&mut self) -> Differences {
        std::mem::take(&mut self.differences)
    }

    /// Gives a buffer back for use again.
    pub fn give_back(&mut self, mut differences: Differences) {
        differences.clear();
        if self.differences.is_empty() {
            self.differences = differences;
        }
    }

    /// Shows every duty in memory: open, ended, withdrawn. In no order that may be relied on.
    pub fn each_duty(&self, show: &mut dyn FnMut(&str, &str, &Duty, Standing)) {
        for slot in self.shelf.slots() {
            let s = self.shelf.copy(slot);
            let partner = &self.partners[s.partner as usize];
            let (ear, partner) = (self.ear(partner), partner.name.as_str());
            for duty in s.head.open.iter().chain(&s.head.ended).filter(|d| d.told != Standing::Untold) {
                show(partner, &s.name, duty, duty.standing(ear.of(duty.rule)));
            }
            for duty in s.rare.iter().flat_map(|r| &r.withdrawn) {
                show(partner, &s.name, duty, Standing::Withdrawn);
            }
        }
    }

    /// Every duty of one subject in memory: open, ended, withdrawn.
    pub fn duties_of(&self, partner: &str, subject: &str) -> Vec<(Duty, Standing)> {
        let Some(slot) = self.find_partner(partner).and_then(|p| self.shelf.find(p, subject)) else {
            return Vec::new();
        };
        let s = self.shelf.copy(slot);
        let withdrawn = s.rare.into_iter().flat_map(|r| r.withdrawn).map(|d| (d, Standing::Withdrawn));
        let judged = s.head.open.into_iter().chain(s.head.ended).filter(|d| d.told != Standing::Untold);
        let ear = self.ear(&self.partners[s.partner as usize]);
        judged.map(|d| (d.standing(ear.of(d.rule)), d)).map(|(standing, d)| (d, standing)).chain(withdrawn).collect()
    }

    /// Shows a subject as it is judged, if it is in memory.
    pub fn look<R>(&self, partner: &str, subject: &str, show: impl FnOnce(View<'_>, &Fold) -> R) -> Option<R> {
        let slot = self.shelf.find(self.find_partner(partner)?, subject)?;
        let s = self.shelf.copy(slot);
        Some(show(self.view(&s)?, &s.head))
    }

    /// Partners and ids of all subjects in memory that have facts.
    pub fn each_subject(&self, show: &mut dyn FnMut(&str, &str)) {
        for slot in self.shelf.slots() {
            let s = self.shelf.copy(slot);
            if !s.timeline.is_empty() {
                show(&self.partners[s.partner as usize].name, &s.name);
            }
        }
    }

    fn view<'a>(&'a self, subject: &'a Subject) -> Option<View<'a>> {
        let partner = &self.partners[subject.partner as usize];
        Some(View {
            book: &self.book,
            sheet: partner.sheet.as_deref()?,
            partner: &partner.name,
            subject: &subject.name,
            timeline: &subject.timeline,
            waivers: &partner.waivers,
            sources: &self.sources,
            register: partner.register.as_deref(),
        })
    }
}
