//! What must outlive the process: the journal, the ledger, how far each source was read, and how much each receiver was told.
//!
//! One trait, two implementations: a file (SQLite) for one node, PostgreSQL where several share it. One suite of tests
//! (tests/store) holds both to what stands here.
//!
//! A **commit** is one transaction, and its first statement checks and locks the shard's epoch: who has lost the shard
//! can write nothing. In it are the batch's journal blob, ledger entries, dead letters, released subjects, what adapters
//! remember, and positions. So none of them is ever seen without the others.

mod check;
mod commit;
pub mod copies;
mod copying;
mod database;
mod entry;
mod error;
mod kept;
mod ledger;
pub mod place;
pub mod pool;
pub mod postgres;
mod released;
pub mod reshard;
mod rows;
mod schema;
mod segments;
pub mod sqlite;
mod sums;
mod zip;

pub(crate) use entry::chain;
pub use entry::{Entry, Under, Which, digest};
pub use error::StoreError;
pub(crate) use zip::{Effort, zip, zip_onto};

use onus_engine::time::Moment;
use std::ops::ControlFlow;

/// What is shown pages one by one, and says whether more are wanted.
pub type Show<'s> = dyn FnMut(&[u8]) -> ControlFlow<()> + 's;

/// Which life of a shard: each claim raises it, and only the newest may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// What a new owner finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its epoch.
    pub epoch: Epoch,
    /// Sequence of the last commit; 0: none.
    pub sequence: u64,
    /// Entries in the ledger.
    pub entries: u64,
    /// Digest of the last entry; zeros: none.
    pub digest: [u8; 32],
    /// Dead letters ever written: the next one's number is one more.
    pub letters: u64,
    /// How far each source was read.
    pub positions: Vec<Position>,
    /// Sequence at which the newest whole snapshot was taken.
    pub snapshot: Option<u64>,
    /// Contracts in force, as they were written down last.
    pub terms: Option<Terms>,
}

/// The contracts that the journal was judged by from a commit on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Sequence of the commit that wrote them.
    pub since: u64,
    /// Of released subjects, those of this generation can be read under these terms.
    pub generation: u32,
    /// SHA-256 over their text.
    pub digest: [u8; 32],
    /// Their text, as [`crate::store`] got it: files one after the other, with names.
    pub text: String,
}

/// How far one partition of one source was read, or how much one receiver was told: names of those begin with `@`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The source's name in the settings.
    pub source: String,
    /// Partition; 0 where there is but one.
    pub partition: i32,
    /// What was read there: cluster and topic, device and inode. Another one under the same name is no continuation.
    pub incarnation: String,
    /// The next record: an offset in Kafka, a byte in a file.
    pub next: u64,
    /// xxh3 of the last record, with its headers where its line is not what lies there; 0: none was read.
    pub last: u64,
}

/// What an adapter remembers of one record of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Which adapter: the `source` of its events.
    pub adapter: String,
    /// The source's own id of the record.
    pub id: String,
    /// The row, in the adapter's form; None: it is forgotten.
    pub row: Option<Vec<u8>>,
    /// When the record came that the row was written for last.
    pub at: Moment,
}

/// Under what an adapter reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which adapter: the `source` of its events.
    pub adapter: String,
    /// SHA-256 over its settings.
    pub config: [u8; 32],
    /// Version of the code.
    pub version: u32,
    /// The commit from which on it reads so.
    pub since: u64,
}

/// Records of a partition that were read anew, under other settings of their adapter: what was made of them before is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regenerated {
    /// The source's name in the settings.
    pub source: String,
    /// Partition.
    pub partition: i32,
    /// Which reading: later ones are greater. What is read as usual is 0.
    pub generation: u64,
    /// The first position that was read anew.
    pub begins: u64,
    /// The first after them.
    pub ends: u64,
    /// Why, by whoever did it.
    pub why: String,
}

/// A record that could not be read, placed or trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// Where it came from.
    pub source: String,
    /// Partition.
    pub partition: i32,
    /// Offset, byte or count.
    pub offset: u64,
    /// When it was put here.
    pub at: Moment,
    /// Stable name of the reason.
    pub reason: String,
    /// What is wrong and what to do, in words.
    pub detail: String,
    /// The record; cut at [`LETTER`] bytes.
    pub record: Vec<u8>,
    /// Length of the whole record.
    pub length: u64,
    /// xxh3 of the whole record.
    pub hash: u64,
    /// What became of it.
    pub state: LetterState,
    /// Why it was dropped, by whoever did it.
    pub note: Option<String>,
}

/// Longest record that a dead letter keeps whole, in bytes.
pub const LETTER: usize = 1 << 20;

/// What became of a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterState {
    /// Nobody has looked at it.
    Waiting,
    /// Somebody asked for it to be read again; the owner of the shard will.
    Asked,
    /// It was read again, and became a fact or a repeat.
    Replayed,
    /// Given up, with a reason.
    Dropped,
}

impl LetterState {
    /// All, in the order of their numbers in the store.
    pub const ALL: [LetterState; 4] =
        [LetterState::Waiting, LetterState::Asked, LetterState::Replayed, LetterState::Dropped];

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            LetterState::Waiting => "waiting",
            LetterState::Asked => "asked",
            LetterState::Replayed => "replayed",
            LetterState::Dropped => "dropped",
        }
    }
}

/// Subjects that have left memory, some of them in one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Hashes of the subjects in it, sorted, without repeats.
    pub keys: Vec<u64>,
    /// Their facts, compressed; the reader knows the form.
    pub bytes: Vec<u8>,
}

/// What one commit writes.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// One more than the last commit's.
    pub sequence: u64,
    /// The shard's `now` after it.
    pub now: Moment,
    /// Everything that was taken in, compressed; the reader knows the form.
    pub journal: &'a [u8],
    /// What was decided.
    pub entries: &'a [Entry],
    /// What could not be read.
    pub letters: &'a [Letter],
    /// Dead letters that were read again: number, and whether they are letters still.
    pub reread: &'a [(u64, LetterState)],
    /// What has left memory, under this generation.
    pub released: (u32, &'a [Page]),
    /// What adapters remember, where it has changed.
    pub remembered: &'a [Remembered],
    /// Under what they read, where it has changed; `since` is this batch's sequence.
    pub stamps: &'a [Stamp],
    /// What was read anew; it counts from this commit on.
    pub regenerated: &'a [Regenerated],
    /// Positions that have changed.
    pub positions: &'a [Position],
    /// Contracts, where they have changed; `since` is this batch's sequence.
    pub terms: Option<&'a Terms>,
}

impl Batch<'_> {
    /// One that writes nothing but its sequence.
    pub fn empty(sequence: u64, now: Moment) -> Batch<'static> {
        Batch {
            sequence,
            now,
            journal: &[],
            entries: &[],
            letters: &[],
            reread: &[],
            released: (0, &[]),
            remembered: &[],
            stamps: &[],
            regenerated: &[],
            positions: &[],
            terms: None,
        }
    }
}

/// One commit of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its sequence.
    pub sequence: u64,
    /// The owner that wrote it.
    pub epoch: Epoch,
    /// The shard's `now` after it.
    pub now: Moment,
    /// What [`Batch::journal`] was.
    pub journal: Vec<u8>,
}

/// Which entries or letters to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Of this partner alone (entries).
    pub partner: Option<String>,
    /// Of this subject alone (entries).
    pub subject: Option<String>,
    /// In this state alone (letters).
    pub state: Option<LetterState>,
    /// Numbers beyond this one.
    pub after: u64,
    /// At most so many; 0: all.
    pub limit: u32,
}

/// What `verify` has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Commits of the journal, with whole sums.
    pub commits: u64,
    /// Entries whose digests follow from one another.
    pub entries: u64,
    /// Pages of released subjects.
    pub pages: u64,
    /// What is wrong: where, and what. Empty: nothing.
    pub wrong: Vec<String>,
}

/// Where everything is kept. Calls block; each is one transaction. An error has changed nothing; of a commit see there.
pub trait Store: Send {
    /// Takes the shard over: raises its epoch, so that any other owner's next commit fails.
    fn claim(&mut self, owner: &str) -> Result<Claim, StoreError>;

    /// The contracts in force, as they were written down last; for those who only read.
    fn terms(&mut self) -> Result<Option<Terms>, StoreError>;

    /// How far each source was read; for those who only read.
    fn positions(&mut self) -> Result<Vec<Position>, StoreError>;

    /// Under what adapters read since when.
    fn stamps(&mut self) -> Result<Vec<Stamp>, StoreError>;

    /// What was read anew, the oldest first.
    fn regenerated(&mut self) -> Result<Vec<Regenerated>, StoreError>;

    /// Shows what an adapter remembers, row by row.
    fn remembered(&mut self, adapter: &str, show: &mut dyn FnMut(Remembered)) -> Result<(), StoreError>;

    /// Writes a batch. The very batch that was written last may be told again, and is not written again: after an error
    /// that [may pass](StoreError::may_pass) nobody knows whether a commit took place, so call with the same batch until it
    /// is `Ok`, or stop.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] where the epoch is not the newest, or the sequence does not follow.
    fn commit(&mut self, epoch: Epoch, batch: &Batch<'_>) -> Result<(), StoreError>;

    /// The journal's commits after a sequence, in order, at most so many.
    fn journal(&mut self, after: u64, limit: u32) -> Result<Vec<Committed>, StoreError>;

    /// Another view of the same store, for questions while this one is busy; None: there is none.
    fn reader(&self) -> Result<Option<Box<dyn Store>>, StoreError> {
        Ok(None)
    }

    /// Tells such a view what another has committed: generation and pages of released subjects. It would read them else.
    fn know(&mut self, _sequence: u64, _released: (u32, &[Page])) {}

    /// Shows pages that have this key, of commits before a sequence, the newest first, for as long as more are wanted.
    fn recall(&mut self, generation: u32, key: u64, before: u64, show: &mut Show<'_>) -> Result<(), StoreError>;

    /// Writes one piece of a snapshot taken after the commit `sequence`; pieces are numbered from 0.
    fn put_snapshot(&mut self, epoch: Epoch, sequence: u64, piece: u32, bytes: &[u8]) -> Result<(), StoreError>;

    /// All of its pieces are written: it counts from here on; older ones and unfinished ones go.
    fn seal_snapshot(&mut self, epoch: Epoch, sequence: u64, pieces: u32) -> Result<(), StoreError>;

    /// Shows the pieces of the newest whole snapshot, in order; gives its sequence.
    fn snapshot(&mut self, show: &mut dyn FnMut(&[u8]) -> Result<(), StoreError>) -> Result<Option<u64>, StoreError>;

    /// Ledger entries by number.
    fn entries(&mut self, query: &Query) -> Result<Vec<Entry>, StoreError>;

    /// Dead letters by number.
    fn letters(&mut self, query: &Query) -> Result<Vec<Letter>, StoreError>;

    /// Changes a dead letter's state, whoever asks: operators do it beside the owner. False: there is none such, or it is
    /// replayed or dropped already.
    fn mark(&mut self, number: u64, state: LetterState, note: Option<&str>) -> Result<bool, StoreError>;

    /// Released pages of generations before this one go.
    fn forget_generations(&mut self, epoch: Epoch, before: u32) -> Result<(), StoreError>;

    /// Retention: commits of the journal up to this sequence go, but none after the newest snapshot; ledger entries
    /// decided before `entries_before` stay linked by the digest of the last one that goes.
    fn retire(&mut self, epoch: Epoch, journal_to: u64, entries_before: Moment) -> Result<(), StoreError>;

    /// Reads everything and checks every sum.
    fn verify(&mut self) -> Result<Verified, StoreError>;
}
