//! From what is written to a judge that goes on: the snapshot and the journal after it, or, where contracts have changed
//! or the snapshot is another version's, the whole journal.

use super::generations::{Generations, split};
use super::identities;
use super::joined::{gone, joined, text};
use super::journal::{self, Item, places};
use super::judge::Judge;
use super::ledger::{self, Ledger};
use super::shelves::{Leaving, Shelves};
use super::{Contracts, Feed, LiveError, PIECE, Plan};
use crate::catalogue::Names;
use crate::runtime::spill::Spill;
use crate::store::reshard::Follows;
use crate::store::{Batch, Claim, Entry, Epoch, Query, Store, StoreError, Terms, zip};
use onus_engine::engine::Archive;
use onus_engine::identity::DutyId;
use onus_engine::standing::Standing;
use onus_engine::time::{DAY, Moment};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Commits of the journal that are read at once.
const AT_ONCE: u32 = 64;
/// Entries of the ledger that are read at once.
const ENTRIES: u32 = 10_000;
/// Bytes that have left memory before they are written in between, while the journal is judged again.
const LEFT: usize = 8 << 20;

/// A judge where the last owner was.
pub(super) struct Recovered {
    pub(super) claim: Claim,
    pub(super) judge: Judge,
    pub(super) terms: Terms,
    pub(super) ledger: Ledger,
    pub(super) generations: Generations,
}

/// A judge by other terms, and the net of what it decided.
pub(super) struct Rebuilt {
    judge: Judge,
    net: BTreeMap<DutyId, Entry>,
    terms: Terms,
    leaving: Leaving,
}

/// One number for everything that a judgement depends on but the facts: this program, contracts, feeds, settling, names, and
/// which readings of records count.
pub(super) fn digest_of(plan: &Plan, contracts: &Contracts, names: &Names, generations: &Generations) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update(format!("{:?} {:?} {}", contracts.list, plan.clock, plan.settling));
    for feed in &plan.feeds {
        let Feed { name, partners, types, trust, owner, claims_time, .. } = feed;
        hash.update(format!("{name:?} {partners:?} {types:?} {trust:?} {owner:?} {claims_time}"));
    }
    for (name, named) in names.iter() {
        hash.update(format!("{name:?} {named:?}"));
    }
    hash.update(generations.text());
    hash.finalize().into()
}

/// Takes the shard over.
pub(super) fn recover(
    plan: &Plan,
    contracts: &Contracts,
    store: &mut dyn Store,
    now: Moment,
) -> Result<Recovered, LiveError> {
    let mut claim = store.claim(&plan.owner)?;
    let mut ledger = Ledger::new(claim.entries, claim.digest);
    let generations = Generations::of(store)?;
    let names = identities::names(&contracts.catalogue, claim.terms.as_ref(), now);
    if let Some(why) = identities::parted(&plan.feeds, &names) {
        return Err(LiveError::Exchange(why));
    }
    let digest = digest_of(plan, contracts, &names, &generations);
    let known = claim.terms.clone().filter(|terms| terms.digest == digest);
    if let Some(terms) = known
        && let Some((mut judge, after)) = restored(plan, contracts, store, &terms)?
    {
        judge.name_by(names);
        let judge = replayed(judge, store, after, terms.generation, (&joined(plan, Some(&terms)), &generations))?;
        return Ok(Recovered { claim, judge, terms, ledger, generations });
    }
    let rebuilt = rebuild(plan, (contracts, names), &generations, store, claim.epoch, &mut claim.sequence)?;
    let (judge, terms) = adopt(rebuilt, store, claim.epoch, &mut claim.sequence, &mut ledger)?;
    write_snapshot(store, claim.epoch, claim.sequence, &judge, &terms)?;
    Ok(Recovered { claim, judge, terms, ledger, generations })
}

/// The newest snapshot, if it was taken under these terms; where there is none and the terms hold from the first commit
/// on, a judge that has seen nothing. With the sequence after which the journal is to be judged.
fn restored(
    plan: &Plan,
    contracts: &Contracts,
    store: &mut dyn Store,
    terms: &Terms,
) -> Result<Option<(Judge, u64)>, LiveError> {
    let mut bytes = Vec::new();
    let mut trouble = None;
    let found = store.snapshot(&mut |piece| {
        match zstd::stream::decode_all(piece) {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(error) => trouble = Some(error.to_string()),
        }
        Ok(())
    })?;
    let damaged = |what: String| StoreError::Damaged {
        target: "the store".to_owned(),
        what: format!("its snapshot cannot be read: {what}"),
    };
    if let Some(what) = trouble {
        return Err(damaged(what).into());
    }
    let Some(sequence) = found else {
        let first = terms.since <= 1;
        let new = || Judge::new(&contracts.list, &plan.feeds, &[], plan.clock, plan.settling);
        return Ok(first.then(|| (new(), 0)));
    };
    let retired = gone(plan, Some(terms));
    let both = (terms.digest, terms.generation);
    let judge = Judge::restore(&bytes, both, &contracts.list, &plan.feeds, &retired, plan.clock, plan.settling);
    Ok(judge.map_err(damaged)?.map(|judge| (judge, sequence)))
}

/// Judges the journal's commits after a sequence; nothing of it is news.
fn replayed(
    mut judge: Judge,
    store: &mut dyn Store,
    after: u64,
    generation: u32,
    past: Past<'_>,
) -> Result<Judge, LiveError> {
    let mut after = after;
    let mut leaving = Leaving::default();
    loop {
        let commits = store.journal(after, AT_ONCE)?;
        let Some(last) = commits.last() else { return Ok(judge) };
        after = last.sequence;
        for commit in &commits {
            // What left memory with this commit or before is in the store; what left later must not be seen yet.
            let before = commit.sequence;
            let known = std::mem::take(&mut judge.known);
            let mut shelves = Shelves::of(&mut *store, &mut leaving, known, (generation, before));
            take_again(&mut judge, &commit.journal, past, &mut shelves)?;
            judge.known = shelves.known;
            if let Some(trouble) = shelves.trouble {
                return Err(trouble.into());
            }
            leaving.clear();
            let told = judge.engine.take_differences();
            judge.engine.give_back(told);
        }
    }
}

/// How the journal is looked at: of each feed, until when it is taken to have been heard, and which readings count.
type Past<'a> = (&'a [Moment], &'a Generations);

/// Takes a commit's records in again.
fn take_again(
    judge: &mut Judge,
    blob: &[u8],
    (joined, generations): Past<'_>,
    archive: &mut dyn Archive,
) -> Result<(), LiveError> {
    if blob.is_empty() {
        return Ok(());
    }
    let read = journal::read(blob, &mut |names, item| match item {
        Item::Time { now, heard } => {
            let heard =
                heard.into_iter().filter_map(|(name, at)| Some((judge.feed(names.get(usize::from(name))?)?, at)));
            let before = joined.iter().enumerate().filter(|(_, joined)| now <= **joined).map(|(feed, _)| (feed, now));
            let heard: Vec<(usize, Moment)> = heard.chain(before).collect();
            judge.time(now, &heard, archive);
        }
        Item::Ceiling(at) => judge.ceiling = at,
        Item::Piece(piece) => {
            let Some((source, generation)) = names.get(usize::from(piece.feed)).map(|name| split(name)) else { return };
            let Some(feed) = judge.feed(source) else { return };
            let (mut lines, mut arrived) = (piece.lines, Vec::with_capacity(piece.arrived.len()));
            match generations.of_all(source, generation) {
                Some(false) => return,
                Some(true) => {
                    let mut at = 0;
                    arrived.extend(piece.arrived.iter().map(|apart| {
                        at += apart;
                        Moment(at)
                    }));
                }
                None => {
                    let mut left = Vec::new();
                    for one in places(&lines, &piece.offsets, &piece.arrived) {
                        if generations.counts(source, generation, piece.partition, one.offset) {
                            left.extend_from_slice(one.line);
                            left.push(b'\n');
                            arrived.push(one.arrived);
                        }
                    }
                    lines = left.into();
                }
            }
            judge.lines(feed, &lines, &arrived, archive, &mut |_| {});
        }
    });
    // They became dead letters when they first came home.
    judge.strays.clear();
    read.map_err(LiveError::Journal)
}

/// Judges the whole journal by these terms. Writes only what leaves memory, where nobody looks yet.
pub(super) fn rebuild(
    plan: &Plan,
    (contracts, names): (&Contracts, Arc<Names>),
    generations: &Generations,
    store: &mut dyn Store,
    epoch: Epoch,
    sequence: &mut u64,
) -> Result<Rebuilt, LiveError> {
    let before = store.terms()?;
    let (retired, joined) = (gone(plan, before.as_ref()), joined(plan, before.as_ref()));
    // Sequences are given once: no generation before has this number.
    let generation = (*sequence + 1) as u32;
    let mut judge = Judge::new(&contracts.list, &plan.feeds, &retired, plan.clock, plan.settling);
    judge.name_by(names);
    let (mut leaving, mut net) = (Leaving::default(), BTreeMap::new());
    let (mut after, last) = (0, *sequence);
    while after < last {
        let commits = store.journal(after, AT_ONCE)?;
        let Some(end) = commits.last() else { break };
        after = end.sequence;
        for commit in commits.iter().filter(|commit| commit.sequence <= last) {
            let known = std::mem::take(&mut judge.known);
            let mut shelves = Shelves::of(&mut *store, &mut leaving, known, (generation, u64::MAX));
            take_again(&mut judge, &commit.journal, (&joined, generations), &mut shelves)?;
            judge.known = shelves.known;
            if let Some(trouble) = shelves.trouble {
                return Err(trouble.into());
            }
            keep_net(&mut judge, &mut net);
            if leaving.len() > LEFT {
                let pages = leaving.pages().map_err(LiveError::Journal)?;
                let now = judge.engine.now();
                store.commit(epoch, &Batch { released: (generation, &pages), ..Batch::empty(*sequence + 1, now) })?;
                *sequence += 1;
                leaving.clear();
            }
        }
    }
    keep_net(&mut judge, &mut net);
    let end = judge.engine.now();
    let text = text(&contracts.text, &judge.names, plan, before.as_ref(), end).map_err(LiveError::Journal)?;
    let digest = digest_of(plan, contracts, &judge.names, generations);
    let terms = Terms { since: 0, generation, digest, text };
    Ok(Rebuilt { judge, net, terms, leaving })
}

/// The last word on each duty.
fn keep_net(judge: &mut Judge, net: &mut BTreeMap<DutyId, Entry>) {
    let differences = judge.engine.take_differences();
    for (subject, d) in differences.iter() {
        if ledger::worth(&judge.engine, d) {
            let entry = ledger::entry(&judge.engine, subject, d, ledger::under(&judge.engine, d));
            net.insert(entry.duty(), entry);
        }
    }
    judge.engine.give_back(differences);
}

/// From here on these terms are judged by: the ledger gets what they change, and the store their text.
pub(super) fn adopt(
    rebuilt: Rebuilt,
    store: &mut dyn Store,
    epoch: Epoch,
    sequence: &mut u64,
    ledger: &mut Ledger,
) -> Result<(Judge, Terms), LiveError> {
    let Rebuilt { judge, net, mut terms, leaving } = rebuilt;
    let now = judge.engine.now();
    for moved in compared(net, store)? {
        let entry = match moved {
            Moved { before: None, after: Some(after) } => after,
            Moved { before: Some(before), after: Some(after) } => {
                Entry { from: before.to, adjustment: true, at: now, ..after }
            }
            Moved { before: Some(before), after: None } => {
                Entry { from: before.to, to: Standing::Withdrawn, adjustment: true, at: now, ..before }
            }
            Moved { before: None, after: None } => continue,
        };
        ledger.add(entry);
    }
    ledger.chain();
    terms.since = *sequence + 1;
    let pages = leaving.pages().map_err(LiveError::Journal)?;
    store.commit(
        epoch,
        &Batch {
            entries: &ledger.entries,
            released: (terms.generation, &pages),
            terms: Some(&terms),
            ..Batch::empty(*sequence + 1, now)
        },
    )?;
    *sequence += 1;
    ledger.clear();
    store.forget_generations(epoch, terms.generation)?;
    Ok((judge, terms))
}

/// A duty that stands otherwise than the ledger says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// What the ledger says last; None: nothing.
    pub before: Option<Entry>,
    /// What the journal says when it is judged again; None: nothing.
    pub after: Option<Entry>,
}

fn compared(mut net: BTreeMap<DutyId, Entry>, store: &mut dyn Store) -> Result<Vec<Moved>, LiveError> {
    // Where the beginning has gone, what rests on it cannot be judged again: the ledger's word stands.
    let first = store.journal(0, 1)?;
    let judged_from = first.first().filter(|commit| commit.sequence > 1).map_or(Moment(i64::MIN), |commit| commit.now);
    let mut told_from = Moment(i64::MIN);
    let mut last: BTreeMap<DutyId, Entry> = BTreeMap::new();
    let mut query = Query { limit: ENTRIES, ..Query::default() };
    loop {
        let entries = store.entries(&query)?;
        let Some(end) = entries.last() else { break };
        if let Some(first) = entries.first().filter(|first| query.after == 0 && first.number > 1) {
            told_from = first.at;
        }
        query.after = end.number;
        last.extend(entries.into_iter().map(|entry| (entry.duty(), entry)));
    }
    if let Some(follows) = Follows::of(&store.positions()?) {
        told_from = told_from.max(follows.told_from);
    }
    let says = |e: &Entry| (e.to, e.start, e.deadline, e.ended, e.broken, e.excused, e.disputed);
    let mut moved = Vec::new();
    for (duty, before) in last {
        let after = net.remove(&duty);
        let gone = after.is_none() && (before.to == Standing::Withdrawn || before.start < judged_from);
        if !gone && after.as_ref().map(says) != Some(says(&before)) {
            moved.push(Moved { before: Some(before), after });
        }
    }
    let unheard = net.into_values().filter(|after| after.start >= judged_from && after.at >= told_from);
    moved.extend(unheard.map(|after| Moved { before: None, after: Some(after) }));
    Ok(moved)
}

/// What came of judging the journal again.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Commits.
    pub commits: u64,
    /// Events.
    pub events: u64,
    /// Duties on which the ledger says something else.
    pub moved: Vec<Moved>,
    /// The state in words.
    pub dump: String,
}

/// Judges the whole journal by these contracts and holds the outcome against the ledger. Writes nothing.
pub fn replay(plan: &mut Plan, store: &mut dyn Store) -> Result<Replayed, LiveError> {
    let contracts = (plan.contracts)().map_err(LiveError::Contracts)?;
    let (terms, generations) = (store.terms()?, Generations::of(store)?);
    let (retired, joined) = (gone(plan, terms.as_ref()), joined(plan, terms.as_ref()));
    let mut judge = Judge::new(&contracts.list, &plan.feeds, &retired, plan.clock, plan.settling);
    // What the catalogue moved since then is handed over when the service sees it.
    judge.name_by(identities::names(&contracts.catalogue, terms.as_ref(), Moment::NEVER + -DAY));
    let mut spill = Spill::new().map_err(|e| LiveError::Journal(format!("a temporary file: {e}")))?;
    let (mut net, mut after, mut out) = (BTreeMap::new(), 0, Replayed::default());
    loop {
        let commits = store.journal(after, AT_ONCE)?;
        let Some(last) = commits.last() else { break };
        after = last.sequence;
        for commit in &commits {
            out.commits += 1;
            take_again(&mut judge, &commit.journal, (&joined, &generations), &mut spill)?;
            keep_net(&mut judge, &mut net);
        }
    }
    if let Some(trouble) = spill.trouble {
        return Err(LiveError::Journal(format!("a temporary file: {trouble}")));
    }
    keep_net(&mut judge, &mut net);
    out.events = judge.taken.iter().map(|taken| taken.events).sum();
    out.moved = compared(net, store)?;
    out.dump = judge.engine.dump();
    Ok(out)
}

/// How hard pieces of a snapshot are packed: they are there until the next one.
const LEVEL: i32 = -2;

/// Writes what a judge knows; gives how many bytes that took.
pub(super) fn write_snapshot(
    store: &mut dyn Store,
    epoch: Epoch,
    sequence: u64,
    judge: &Judge,
    terms: &Terms,
) -> Result<usize, LiveError> {
    let refused = |why: String| StoreError::Refused { target: "the snapshot".to_owned(), why };
    let bytes = judge.snapshot(terms.digest, terms.generation).map_err(refused)?;
    let (mut pieces, mut size) = (0, 0);
    for piece in bytes.chunks(PIECE) {
        let piece = zip(piece, LEVEL).map_err(|e| refused(e.to_string()))?;
        size += piece.len();
        store.put_snapshot(epoch, sequence, pieces, &piece)?;
        pieces += 1;
    }
    store.seal_snapshot(epoch, sequence, pieces)?;
    Ok(size)
}
