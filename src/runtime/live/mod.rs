//! `onus run`: the one loop. Sources wait in queues, and are heard in turn; what they say is judged, written down in one commit, and only
//! then told.
//!
//! ```text
//! sources -> queues -> Live::take     journal, judge, ledger: in memory
//!                       hand_over     a thread writes all of it in one transaction, or none of it
//!                       land          once it is written: positions, receipts
//!                       followers     read it in the store, and tell it
//! ```
//!
//! Killed at any instant, the next process finds a commit and goes on behind it: the journal is judged again up to there,
//! and sources are read from the positions that it holds.

pub(crate) mod adapted;
mod clock;
mod declared;
pub(crate) mod exchanged;
mod figures;
mod follow;
pub(crate) mod frontiers;
pub mod generations;
pub mod halts;
mod hand;
pub(crate) mod identities;
pub(crate) mod intake;
mod joined;
mod journal;
pub(crate) mod judge;
mod keeper;
mod known;
mod ledger;
mod passing;
mod proof;
mod recover;
mod regenerate;
mod reload;
mod reshard;
mod retention;
mod run;
mod shelves;
pub(crate) mod status;
mod taken;
pub(crate) mod unwrap;
mod voice;
mod writing;

pub use adapted::Plugged;
pub use clock::{Machine, Time};
pub use figures::{
    Duties, NamedObligation, NamedPartner, Names, OfObligation, PartnerFigures, TakesThreatened, Threatened,
};
pub use follow::{Receiver, Takes};
pub use judge::{Clock, Taken};
pub use proof::{Proof, Proven, SETTLED};
pub use recover::{Moved, Replayed, replay};
#[cfg(feature = "kafka")]
pub(crate) use regenerate::Destination;
pub use regenerate::{Regeneration, Renewed};
pub use reshard::{Dealt, Reshard, Share};
pub use status::{Board, Declared, FeedStatus, Shown, Status};
pub use taken::{TakenIn, taken_in};
pub use unwrap::Unwrap;

use crate::catalogue::Catalogue;
use crate::ingest::feed::{FeedId, Heard, Receipt, Wish};
use crate::store::{Entry, Epoch, Letter, Position, Store, StoreError, Terms};
use adapted::Machines;
use clock::Now;
use frontiers::Frontier;
use generations::Generations;
use hand::Hand;
use identities::Identities;
use judge::Judge;
use keeper::Keeper;
use ledger::Ledger;
use onus_engine::terms::{Contract, Side, Trust};
use onus_engine::time::{Millis, Moment};
use serde::{Deserialize, Serialize};
use shelves::{Behind, Patience, Shelves};
use status::Snap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use tokio::sync::oneshot;

/// What a source may say, and how its silence is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name in the settings.
    pub name: String,
    /// Patterns of the partners that it may speak of.
    pub partners: Vec<String>,
    /// Patterns of the event types that it may say.
    pub types: Vec<String>,
    /// How far it is believed.
    pub trust: Trust,
    /// Whose it is.
    pub owner: Option<Side>,
    /// The `recordedtime` of its events is believed, not only when they came.
    pub claims_time: bool,
    /// How long an act normally takes to reach us.
    pub transit: Millis,
    /// How often it promises to say something.
    pub heartbeat: Option<Millis>,
    /// It comes in partitions, and only its source knows how many there are.
    #[serde(skip)]
    pub partitioned: bool,
    /// An adapter makes its events, here or where they come from.
    #[serde(skip)]
    pub adapted: bool,
}

impl Feed {
    /// One that may say everything, believed, at once.
    pub fn named(name: &str) -> Feed {
        Feed {
            name: name.to_owned(),
            partners: vec!["*".to_owned()],
            types: vec!["*".to_owned()],
            trust: Trust::Verified,
            owner: None,
            claims_time: false,
            transit: 0,
            heartbeat: None,
            partitioned: false,
            adapted: false,
        }
    }
}

/// Contracts and catalogue as they were read.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// Loaded.
    pub list: Vec<Contract>,
    /// Their files, for the store.
    pub text: String,
    /// Which names are one identity.
    pub catalogue: Arc<Catalogue>,
}

/// How a shard is run.
pub struct Plan {
    /// Reads the contracts and the catalogue, at the start and when asked to; else says why not.
    pub contracts: Box<dyn FnMut() -> Result<Contracts, String> + Send>,
    /// Sources, in the order of their [`FeedId`]s.
    pub feeds: Vec<Feed>,
    /// Adapters of those that do not bring events of ours; in the same order, and those beyond the end have none.
    pub adapters: Vec<Option<Plugged>>,
    /// Who says what time it is.
    pub clock: Clock,
    /// How late news may come.
    pub settling: Millis,
    /// Longest time from an event to its commit.
    pub commit_every: Millis,
    /// Events after which a commit is due; while one takes long, some times as many wait.
    pub batch: usize,
    /// Least time between snapshots.
    pub snapshot_every: Millis,
    /// How long journal and ledger are kept at least.
    pub retention: Millis,
    /// Who runs it, for people who find another owner.
    pub owner: String,
}

/// Why it cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The contracts at the start.
    #[error("{0}")]
    Contracts(String),
    /// The journal says what no version of this program wrote.
    #[error("the journal cannot be judged again: {0}")]
    Journal(String),
    /// Adapters do not fit together, or not to what they remembered.
    #[error("{0}")]
    Adapters(String),
    /// The exchange is not what this shard was made for.
    #[error("{0}")]
    Exchange(String),
}

/// One shard, judged as it happens.
pub struct Live {
    plan: Plan,
    keeper: Keeper,
    epoch: Epoch,
    sequence: u64,
    terms: Terms,
    judge: Judge,
    ledger: Ledger,
    /// Taken in, and not handed over yet.
    hand: Box<Hand>,
    /// Room for the next.
    spare: Option<Box<Hand>>,
    machines: Machines,
    generations: Generations,
    identities: Identities,
    frontiers: Vec<Frontier>,
    /// As told to the judge.
    heard: Vec<Moment>,
    positions: BTreeMap<(u16, i32), Position>,
    moved: BTreeSet<(u16, i32)>,
    /// By the events' clock: how far each partition has come, and whether it waits for more.
    peaks: BTreeMap<(u16, i32), (Option<Moment>, bool)>,
    letter: u64,
    now: Now,
    /// When the oldest thing that waits for a commit came, by the steady clock.
    since: Option<Millis>,
    idle_since: Millis,
    /// How long the last commit took, in milliseconds.
    took: Millis,
    snapped: (Millis, usize, usize),
    letters_asked: Millis,
    shown: Millis,
    /// The commit of the newest snapshot; 0: there is none.
    snapped_at: u64,
    /// What is looked up of duties besides what is counted.
    looking: figures::Looking,
    /// How long everything is kept, and when is looked next.
    kept_for: Millis,
    retire_at: Millis,
    halts: halts::Halts,
    unwrap: Option<Unwrap>,
    followers: follow::Followers<Entry>,
    letters_told: follow::Followers<Letter>,
    /// Records were read anew, and what was made of them before is judged by still.
    renews: bool,
    /// When the contracts are to be read again, if they are.
    reload_at: Option<Millis>,
    /// Somebody wants it to end, whatever it waits for.
    stop: Arc<AtomicBool>,
    /// All sources have gone.
    disconnected: bool,
    /// What came through the exchange; None: there is none.
    exchanged: Option<exchanged::Exchanged>,
    status: Arc<Status>,
}

/// Somebody who waits until records are written down.
#[derive(Debug)]
struct Waiting {
    done: oneshot::Sender<Receipt>,
    /// Of them, those that became dead letters.
    refused: Vec<(usize, String)>,
}

/// Journal bytes for each byte of a snapshot before the next is taken.
const WORTH: usize = 4;
/// One piece of a snapshot, compressed.
const PIECE: usize = 4 << 20;
/// How often counts are shown.
const SHOWN: Millis = 1_000;
/// How often operators' wishes are looked up.
const WISHES: Millis = 2_000;

impl Live {
    /// Takes the shard over and comes to where the last owner was.
    pub fn open(mut plan: Plan, mut store: Box<dyn Store>, time: Box<dyn Time>) -> Result<Live, LiveError> {
        let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
        let mut now = Now::new(time);
        let found = recover::recover(&plan, &contracts, store.as_mut(), now.now())?;
        let recover::Recovered { claim, judge, terms, ledger, generations } = found;
        let machines = Machines::open(&plan.adapters, store.as_mut())?;
        let exchanged = exchanged::Exchanged::of(&plan.feeds, store.as_mut())?;
        let entries = ledger.len();
        let heard_before: BTreeMap<String, Moment> =
            judge.engine.frontiers().map(|(name, heard)| (name.to_owned(), heard)).collect();
        let heard: Vec<Moment> =
            plan.feeds.iter().map(|f| heard_before.get(&f.name).copied().unwrap_or(Moment::DAWN)).collect();
        let frontiers = plan.feeds.iter().zip(&heard).map(|(feed, heard)| Frontier::new(feed, *heard)).collect();
        let mut positions = BTreeMap::new();
        for position in claim.positions.iter().cloned() {
            if let Some(feed) = plan.feeds.iter().position(|feed| feed.name == position.source) {
                positions.insert((feed as u16, position.partition), position);
            }
        }
        let start = now.steady();
        let mut live = Live {
            keeper: Keeper::new(store),
            epoch: claim.epoch,
            sequence: claim.sequence,
            terms,
            judge,
            ledger,
            hand: Box::default(),
            spare: None,
            machines,
            generations,
            identities: Identities { catalogue: Arc::clone(&contracts.catalogue), ..Identities::default() },
            frontiers,
            heard,
            positions,
            moved: BTreeSet::new(),
            peaks: BTreeMap::new(),
            letter: claim.letters,
            now,
            since: None,
            idle_since: start,
            took: 0,
            snapped: (start, 0, 0),
            letters_asked: 0,
            shown: Millis::MIN / 2,
            snapped_at: claim.snapshot.unwrap_or(0),
            looking: figures::Looking::default(),
            kept_for: retention::kept_for(plan.retention, &contracts.list),
            retire_at: 0,
            halts: halts::Halts::default(),
            unwrap: None,
            letters_told: follow::Followers::new(&claim.positions, claim.letters),
            followers: follow::Followers::new(&claim.positions, entries),
            renews: false,
            reload_at: None,
            stop: Arc::default(),
            disconnected: false,
            exchanged,
            status: Arc::new(Status::new(&plan.feeds)),
            plan,
        };
        live.looking.on(&live.judge.engine, start, true);
        live.status.show(live.snap(live.sequence, true));
        Ok(live)
    }

    /// How far a feed was read, for whoever reads it on.
    pub fn positions(&self, feed: FeedId) -> Vec<Position> {
        self.positions.range((feed.0, i32::MIN)..=(feed.0, i32::MAX)).map(|(_, p)| p.clone()).collect()
    }

    /// What others may know of it.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// The state in words, by which two shards are compared.
    pub fn dump(&self) -> String {
        self.judge.engine.dump()
    }

    /// The last commit's sequence.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Heeds this flag wherever it waits for a store that is away, even in the middle of an event.
    pub fn heed(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = Arc::clone(stop);
    }

    /// Somebody who is told what was decided, by a thread of its own. Gives the number up to which it has everything, as it
    /// rises.
    ///
    /// # Errors
    /// The store gives no view for it.
    pub fn tell(&mut self, receiver: Receiver) -> Result<Arc<AtomicU64>, StoreError> {
        let view = self.keeper.store()?.reader()?;
        Ok(self.followers.add(receiver, view))
    }

    /// The same, of dead letters.
    ///
    /// # Errors
    /// The store gives no view for it.
    pub fn tell_letters(&mut self, receiver: Receiver<Letter>) -> Result<Arc<AtomicU64>, StoreError> {
        let view = self.keeper.store()?.reader()?;
        Ok(self.letters_told.add(receiver, view))
    }

    /// Somebody who is told which duties are at risk, again and again, by the loop itself.
    pub fn tell_threatened(&mut self, takes: TakesThreatened) {
        self.looking.tell_threatened(takes);
    }

    /// Entries that were decided up to here.
    pub fn entries(&self) -> u64 {
        self.ledger.len()
    }

    /// The same, by the loop itself: told before the next records are taken in.
    pub fn tell_at_once(&mut self, receiver: Receiver) {
        self.followers.add(receiver, None);
    }

    /// The store, for questions between commits.
    ///
    /// # Errors
    /// It is lost.
    pub fn store(&mut self) -> Result<&mut dyn Store, StoreError> {
        self.keeper.store()
    }

    /// Takes in what a source says.
    pub fn take(&mut self, heard: Heard) -> Result<(), LiveError> {
        match heard {
            Heard::Records(records) if self.is_exchange(records.feed) => self.exchanged(&records)?,
            Heard::Records(records) => self.records(records, None)?,
            Heard::Began { feed, partition, incarnation, next } => {
                self.goes_on(feed, partition, &incarnation, next);
                self.began(feed, partition, &incarnation, next);
            }
            Heard::CaughtUp { feed, partition, partitions, at, lag } => {
                self.frontiers[usize::from(feed.0)].caught_up(partition, partitions, at, lag);
                self.peaks.entry((feed.0, partition)).or_default().1 = true;
                self.status.feed(feed).fine();
            }
            Heard::Behind { feed, partition, partitions, lag } => {
                self.frontiers[usize::from(feed.0)].behind(partition, partitions, lag);
                self.peaks.entry((feed.0, partition)).or_default().1 = false;
            }
            Heard::Trouble { feed, why } => {
                tracing::warn!(source = self.plan.feeds[usize::from(feed.0)].name, "{why}");
                self.status.feed(feed).trouble(why);
            }
            Heard::Fine { feed } => self.status.feed(feed).fine(),
            Heard::Halted { feed, partition, why } => {
                self.halted(feed, partition, why)?;
            }
            Heard::Ended { feed } => {
                self.frontiers[usize::from(feed.0)].end();
                for (_, peak) in self.peaks.range_mut((feed.0, i32::MIN)..=(feed.0, i32::MAX)) {
                    peak.1 = true;
                }
            }
            // What is in hand is written first, however long that takes.
            Heard::Wish(Wish::Reload) => self.reload_at = Some(self.now.steady()),
            Heard::Wish(Wish::Stop) => {}
        }
        Ok(())
    }

    fn with_shelves(&mut self, act: impl FnOnce(&mut Judge, &mut Shelves<'_>)) {
        let mut shelves = Shelves {
            leaving: Arc::make_mut(&mut self.hand.leaving),
            known: std::mem::take(&mut self.judge.known),
            behind: Behind::Keeper(&mut self.keeper),
            generation: self.terms.generation,
            before: u64::MAX,
            trouble: None,
            patience: Some(Patience { stop: &self.stop, status: &self.status }),
            name: String::new(),
        };
        act(&mut self.judge, &mut shelves);
        self.judge.known = shelves.known;
    }

    /// How it stands; `count`: with counts of duties.
    fn snap(&self, sequence: u64, count: bool) -> Snap {
        let [unowned, moved] = self.judge.homes.astray();
        let shown = Shown {
            now: self.judge.engine.now(),
            sequence,
            entries: self.ledger.len(),
            live: self.judge.engine.live() as u64,
            letters: self.letter,
            unowned,
            moved,
        };
        Snap::new(shown, &self.judge, &self.frontiers, &self.heard, count.then_some(&self.looking))
    }
}
