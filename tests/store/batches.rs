//! Batches as an owner makes them: numbers and digests that follow, drawn from the sequence.

use onus::store::{
    Batch, Claim, Entry, Epoch, Letter, LetterState, Page, Position, Regenerated, Remembered, Stamp, Store, StoreError,
    Terms, Under, Which, digest,
};
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::Moment;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Pages as a list.
pub(crate) trait Recalled: Store {
    /// All with this key, the newest first.
    fn recalled(&mut self, generation: u32, key: u64, before: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut pages = Vec::new();
        self.recall(generation, key, before, &mut |page| {
            pages.push(page.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok(pages)
    }
}

impl<S: Store + ?Sized> Recalled for S {}

/// An owner of a shard: what a loop knows between two commits.
pub(crate) struct Owner {
    pub(crate) epoch: Epoch,
    pub(crate) sequence: u64,
    pub(crate) entries: u64,
    pub(crate) digest: [u8; 32],
    pub(crate) letters: u64,
}

impl From<&Claim> for Owner {
    fn from(claim: &Claim) -> Owner {
        Owner {
            epoch: claim.epoch,
            sequence: claim.sequence,
            entries: claim.entries,
            digest: claim.digest,
            letters: claim.letters,
        }
    }
}

/// What goes into a batch, owned.
#[derive(Clone)]
pub(crate) struct Full {
    pub(crate) sequence: u64,
    pub(crate) now: Moment,
    pub(crate) journal: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) reread: Vec<(u64, LetterState)>,
    pub(crate) generation: u32,
    pub(crate) pages: Vec<Page>,
    pub(crate) remembered: Vec<Remembered>,
    pub(crate) stamps: Vec<Stamp>,
    pub(crate) regenerated: Vec<Regenerated>,
    pub(crate) positions: Vec<Position>,
    pub(crate) terms: Option<Terms>,
}

impl Full {
    pub(crate) fn batch(&self) -> Batch<'_> {
        Batch {
            sequence: self.sequence,
            now: self.now,
            journal: &self.journal,
            entries: &self.entries,
            letters: &self.letters,
            reread: &self.reread,
            released: (self.generation, &self.pages),
            remembered: &self.remembered,
            stamps: &self.stamps,
            regenerated: &self.regenerated,
            positions: &self.positions,
            terms: self.terms.as_ref(),
        }
    }
}

impl Owner {
    pub(crate) fn claim(store: &mut dyn Store) -> Owner {
        Owner::from(&store.claim("test").unwrap())
    }

    /// The next batch, with something of everything in it.
    pub(crate) fn next(&self) -> Full {
        let sequence = self.sequence + 1;
        let mut before = self.digest;
        let entries: Vec<Entry> = (1..=3)
            .map(|step| {
                let entry = entry(self.entries + step, &before);
                before = entry.digest;
                entry
            })
            .collect();
        Full {
            sequence,
            now: Moment(sequence as i64 * 1_000),
            journal: format!("journal of {sequence}").repeat(20).into_bytes(),
            entries,
            letters: vec![letter(self.letters + 1)],
            reread: Vec::new(),
            generation: 1,
            // Keys beyond the half of 64 bits are there, and one that is in every commit.
            pages: vec![
                Page { keys: vec![7, sequence + 1_000], bytes: format!("page of {sequence}").into_bytes() },
                Page { keys: vec![sequence + 2_000, u64::MAX - sequence], bytes: vec![0, 255, sequence as u8] },
            ],
            remembered: vec![row("one", sequence, true), row("two", sequence, sequence % 2 == 1)],
            stamps: if sequence % 4 == 1 { vec![stamp(sequence)] } else { Vec::new() },
            regenerated: if sequence % 4 == 2 { vec![regenerated(sequence)] } else { Vec::new() },
            positions: vec![position("tickets", 0, sequence), position("changes", 3, sequence)],
            terms: (sequence % 4 == 1).then(|| terms(sequence)),
        }
    }

    /// Commits it and goes on from there.
    pub(crate) fn write(&mut self, store: &mut dyn Store, full: &Full) -> Result<(), StoreError> {
        store.commit(self.epoch, &full.batch())?;
        self.sequence = full.sequence;
        self.entries += full.entries.len() as u64;
        self.digest = full.entries.last().map_or(self.digest, |last| last.digest);
        self.letters += full.letters.len() as u64;
        Ok(())
    }

    /// So many, one after the other.
    pub(crate) fn write_some(&mut self, store: &mut dyn Store, count: u64) -> Vec<Full> {
        (0..count)
            .map(|_| {
                let full = self.next();
                self.write(store, &full).unwrap();
                full
            })
            .collect()
    }
}

/// The adapter `one` remembers a row more with each commit, and each fifth under the same id; `two` forgets each second.
pub(crate) fn row(adapter: &str, sequence: u64, kept: bool) -> Remembered {
    Remembered {
        adapter: format!("urn:onus:{adapter}"),
        id: if kept { format!("incident:{}", sequence % 5) } else { format!("incident:{}", (sequence - 1) % 5) },
        row: kept.then(|| format!("row\0 of {sequence}").into_bytes()),
        at: Moment(sequence as i64),
    }
}

pub(crate) fn regenerated(sequence: u64) -> Regenerated {
    let (source, why) = ("tickets".to_owned(), format!("priority 18 in {sequence}"));
    Regenerated { source, partition: 0, generation: sequence, begins: 3, ends: u64::MAX / 2, why }
}

pub(crate) fn stamp(sequence: u64) -> Stamp {
    Stamp { adapter: "urn:onus:one".to_owned(), config: [sequence as u8; 32], version: 3, since: sequence }
}

pub(crate) fn entry(number: u64, before: &[u8; 32]) -> Entry {
    let at = number as i64 * 100;
    let mut entry = Entry {
        number,
        under: Arc::new(Under {
            partner: format!("partner-{}", number % 2),
            contract: "contract".to_owned(),
            obligation: "resolve".to_owned(),
            clause: "4.2".to_owned(),
        }),
        // What partners send is in it: the character zero, too.
        subject: format!("INC-{} \0\u{1a}0'é", number % 5),
        // As they were written before keys were, too.
        which: if number.is_multiple_of(3) {
            Which::Id(DutyId([number as u8; 16]))
        } else {
            Which::Key(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        },
        from: Standing::ALL[number as usize % 11],
        to: Standing::ALL[(number as usize + 1) % 11],
        start: Moment(at - 50),
        deadline: number.is_multiple_of(2).then_some(Moment(at - 10)),
        ended: number.is_multiple_of(3).then_some(Moment(i64::MAX)),
        broken: number.is_multiple_of(2),
        excused: number.is_multiple_of(3),
        disputed: number.is_multiple_of(5),
        adjustment: number.is_multiple_of(5),
        used: 40,
        at: Moment(at),
        heard: Moment(at - 1),
        digest: [0; 32],
    };
    entry.digest = digest(before, &entry);
    entry
}

pub(crate) fn letter(number: u64) -> Letter {
    let record = vec![0, 0xff, b'x', number as u8];
    Letter {
        number,
        source: "tickets".to_owned(),
        partition: 2,
        offset: number * 10,
        at: Moment(number as i64),
        reason: "no-partner".to_owned(),
        detail: "names no partner: \0".to_owned(),
        length: record.len() as u64,
        hash: u64::MAX - number,
        record,
        state: LetterState::Waiting,
        note: None,
    }
}

pub(crate) fn position(source: &str, partition: i32, sequence: u64) -> Position {
    Position {
        source: source.to_owned(),
        partition,
        incarnation: "cluster/topic".to_owned(),
        next: sequence * 500,
        last: u64::MAX - sequence,
    }
}

pub(crate) fn terms(since: u64) -> Terms {
    Terms { since, generation: since as u32, digest: [since as u8; 32], text: format!("contracts of {since}") }
}
