//! What every store does, whatever keeps it.

use crate::batches;
use crate::batches::{Full, Owner, Recalled};
use onus::store::{Committed, Epoch, Letter, LetterState, Query, Store, StoreError};
use onus_engine::time::Moment;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// A place for one store, as a test needs it.
pub(crate) trait Ground: Sync {
    /// Opens the store of shard 7, beside all that have it open already.
    fn open(&self) -> Box<dyn Store> {
        self.try_open().unwrap()
    }
    /// The same, where it may be refused.
    fn try_open(&self) -> Result<Box<dyn Store>, StoreError>;
    /// Runs a statement past the store.
    fn run(&self, sql: &str);
    /// Turns one bit round, in the first byte of a blob.
    fn flip(&self, table: &str, column: &str, condition: &str);
}

/// Each claim as a test of one kind of ground.
macro_rules! conforms {
    ($ground:path) => {
        conforms!($ground: conformance:
            an_empty_store_has_nothing
            what_was_committed_is_found
            a_claim_fences_whoever_was_there
            a_sequence_with_a_gap_is_refused
            a_batch_told_again_is_written_once
            another_batch_of_the_same_number_is_refused
            numbers_with_gaps_write_nothing
            an_error_in_the_middle_writes_nothing
            what_adapters_remember_is_theirs
            released_subjects_come_back_newest_first
            keys_are_found_in_runs_and_beside_them
            generations_go
            a_snapshot_counts_when_it_is_sealed
            what_another_owner_left_is_no_part_of_a_snapshot
            queries_go_on_where_they_ended
            letters_are_marked_once
            letters_are_read_again
            the_journal_goes_up_to_the_snapshot
            entries_go_and_stay_linked
            shards_are_walls
            the_journal_is_read_in_parts
            a_claim_waits_for_a_commit_in_flight
            two_owners_are_never_both_believed
            first_starts_at_once_are_safe
            verify_finds_nothing_wrong
            empty_batches_and_large_ones
        );
        conforms!($ground: damage:
            a_changed_commit
            a_missing_commit
            a_changed_entry
            a_forged_entry
            a_changed_link
            a_missing_entry
            a_ledger_cut_at_its_end
            a_changed_page
            a_changed_key
            changed_keys
            a_missing_row_of_keys
            a_changed_piece
            a_changed_letter
            changed_contracts
            a_changed_position
            a_changed_memory
            a_changed_stamp
            a_changed_generation
            a_cell_of_another_kind
            a_newer_schema
        );
    };
    ($ground:path: $room:ident: $($name:ident)+) => {
        $(#[test] fn $name() { $crate::$room::$name(&$ground()); })+
    };
}
pub(crate) use conforms;

pub(crate) fn fenced(result: Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Fenced { .. })), "{result:?}");
}

pub(crate) fn refused(result: Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Refused { .. })), "{result:?}");
}

pub(crate) fn journal(store: &mut dyn Store, after: u64) -> Vec<Committed> {
    store.journal(after, 0).expect("the journal")
}

fn snapshot(store: &mut dyn Store) -> Option<(u64, Vec<Vec<u8>>)> {
    let mut pieces = Vec::new();
    let sequence = store
        .snapshot(&mut |piece| {
            pieces.push(piece.to_vec());
            Ok(())
        })
        .unwrap()?;
    Some((sequence, pieces))
}

pub(crate) fn whole(store: &mut dyn Store) {
    assert_eq!(store.verify().unwrap().wrong, Vec::<String>::new());
}

pub(crate) fn an_empty_store_has_nothing(ground: &dyn Ground) {
    let mut store = ground.open();
    assert_eq!(store.snapshot(&mut |_| Ok(())).unwrap(), None);
    assert_eq!(store.entries(&Query::default()).unwrap(), []);
    assert_eq!(store.verify().unwrap(), Default::default());
    let claim = store.claim("first").unwrap();
    assert_eq!((claim.epoch, claim.sequence, claim.entries), (Epoch(1), 0, 0));
    assert_eq!((claim.digest, claim.letters), ([0; 32], 0));
    assert!(claim.positions.is_empty() && claim.snapshot.is_none() && claim.terms.is_none());
    whole(&mut *store);
}

pub(crate) fn what_was_committed_is_found(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let written = owner.write_some(&mut *store, 6);
    drop(store);
    let mut store = ground.open();
    let claim = store.claim("next").unwrap();
    assert_eq!((claim.epoch.0, claim.sequence, claim.entries), (2, 6, 18));
    assert_eq!((claim.digest, claim.letters), (owner.digest, 6));
    let last = &written[5];
    assert_eq!(claim.positions, [last.positions[1].clone(), last.positions[0].clone()]);
    assert_eq!(claim.terms, written[4].terms);
    let commits = journal(&mut *store, 2);
    assert_eq!(commits.len(), 4);
    for (commit, full) in commits.iter().zip(&written[2..]) {
        assert_eq!((commit.sequence, commit.now, &commit.journal), (full.sequence, full.now, &full.journal));
        assert_eq!(commit.epoch, Epoch(1));
    }
    let all = Query::default();
    assert_eq!(store.entries(&all).unwrap(), written.iter().flat_map(|f| f.entries.clone()).collect::<Vec<_>>());
    assert_eq!(store.letters(&all).unwrap(), written.iter().flat_map(|f| f.letters.clone()).collect::<Vec<_>>());
}

pub(crate) fn what_adapters_remember_is_theirs(ground: &dyn Ground) {
    let mut store = ground.open();
    assert_eq!(store.stamps().unwrap(), []);
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 6);
    let mut kept = |adapter: &str| {
        let mut rows = Vec::new();
        store.remembered(adapter, &mut |row| rows.push(row)).unwrap();
        rows
    };
    // The last word of each id, in the order of ids; what was forgotten is not there.
    assert_eq!(kept("urn:onus:one"), [5, 6, 2, 3, 4].map(|sequence| batches::row("one", sequence, true)));
    assert_eq!(kept("urn:onus:two"), []);
    assert_eq!(kept("urn:onus:three"), []);
    assert_eq!(store.stamps().unwrap(), [batches::stamp(5)]);
    assert_eq!(store.regenerated().unwrap(), [2, 6].map(batches::regenerated));
    // Of another commit than its own, or of one that fails, nothing is kept.
    let mut full = owner.next();
    full.stamps = vec![batches::stamp(5)];
    refused(store.commit(owner.epoch, &full.batch()));
    let full = owner.next();
    store.claim("another").unwrap();
    fenced(store.commit(owner.epoch, &full.batch()));
    let mut rows = 0;
    store.remembered("urn:onus:two", &mut |_| rows += 1).unwrap();
    assert_eq!((rows, store.stamps().unwrap()), (0, vec![batches::stamp(5)]));
}

pub(crate) fn a_claim_fences_whoever_was_there(ground: &dyn Ground) {
    let (mut old, mut new) = (ground.open(), ground.open());
    let mut zombie = Owner::claim(&mut *old);
    zombie.write_some(&mut *old, 1);
    let mut owner = Owner::claim(&mut *new);
    assert_eq!(owner.sequence, 1);
    let late = zombie.next();
    fenced(zombie.write(&mut *old, &late));
    fenced(old.put_snapshot(zombie.epoch, 1, 0, b"x"));
    fenced(old.seal_snapshot(zombie.epoch, 1, 1));
    fenced(old.forget_generations(zombie.epoch, 9));
    fenced(old.retire(zombie.epoch, 1, Moment(0)));
    owner.write_some(&mut *new, 1);
    // Beside the new owner's sequence, too.
    zombie.sequence = owner.sequence;
    let late = zombie.next();
    fenced(zombie.write(&mut *old, &late));
    // An epoch that is yet to come is no epoch.
    fenced(new.commit(Epoch(owner.epoch.0 + 1), &owner.next().batch()));
    assert_eq!(old.entries(&Query::default()).unwrap().len(), 6);
    whole(&mut *old);
}

pub(crate) fn a_sequence_with_a_gap_is_refused(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 2);
    for sequence in [0, 1, 4, u64::MAX] {
        let mut full = owner.next();
        full.sequence = sequence;
        full.terms = None;
        fenced(store.commit(owner.epoch, &full.batch()));
    }
    owner.write_some(&mut *store, 1);
    whole(&mut *store);
}

pub(crate) fn a_batch_told_again_is_written_once(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let full = owner.next();
    owner.write(&mut *store, &full).unwrap();
    // As after a commit of which nobody learned the outcome.
    store.commit(owner.epoch, &full.batch()).unwrap();
    owner.write_some(&mut *store, 1);
    assert_eq!(store.entries(&Query::default()).unwrap().len(), 6);
    // A new owner is another one: its first batch is no repeat.
    let next = Owner::claim(&mut *store);
    let mut again = owner.next();
    again.sequence = 2;
    fenced(store.commit(next.epoch, &again.batch()));
    whole(&mut *store);
}

pub(crate) fn another_batch_of_the_same_number_is_refused(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let mut full = owner.next();
    owner.write(&mut *store, &full).unwrap();
    full.journal.push(0);
    fenced(store.commit(owner.epoch, &full.batch()));
}

pub(crate) fn numbers_with_gaps_write_nothing(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 2);
    let change: [fn(&mut batches::Full); 5] = [
        |full| full.entries[1].number += 1,
        |full| full.letters[0].number += 1,
        |full| full.entries[0].subject.push('x'),
        |full| full.reread = vec![(99, LetterState::Replayed)],
        |full| full.terms = Some(batches::terms(1)),
    ];
    for change in change {
        let mut full = owner.next();
        change(&mut full);
        refused(store.commit(owner.epoch, &full.batch()));
    }
    assert_eq!(journal(&mut *store, 0).len(), 2);
    owner.write_some(&mut *store, 1);
    whole(&mut *store);
}

pub(crate) fn an_error_in_the_middle_writes_nothing(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 1);
    // The last thing that a batch writes is there already: everything before it has been done by then.
    ground.run("INSERT INTO terms VALUES (7, 2, 0, (SELECT digest FROM terms LIMIT 1), '', 0)");
    let mut full = owner.next();
    full.terms = Some(batches::terms(2));
    refused(store.commit(owner.epoch, &full.batch()));
    ground.run("DELETE FROM terms WHERE since = 2");
    assert_eq!(journal(&mut *store, 0).len(), 1);
    assert_eq!(store.entries(&Query::default()).unwrap().len(), 3);
    assert_eq!(store.letters(&Query::default()).unwrap().len(), 1);
    assert_eq!(store.recalled(1, 7, u64::MAX).unwrap().len(), 1);
    whole(&mut *store);
    // And nothing stands in the way of trying again.
    owner.write(&mut *store, &full).unwrap();
    whole(&mut *store);
}

pub(crate) fn released_subjects_come_back_newest_first(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 3);
    let text = |n: u64| format!("page of {n}").into_bytes();
    assert_eq!(store.recalled(1, 7, u64::MAX).unwrap(), [text(3), text(2), text(1)]);
    assert_eq!(store.recalled(1, 1_002, u64::MAX).unwrap(), [text(2)]);
    assert_eq!(store.recalled(1, u64::MAX - 3, u64::MAX).unwrap(), [vec![0, 255, 3]]);
    assert_eq!(store.recalled(1, 8, u64::MAX).unwrap(), Vec::<Vec<u8>>::new());
    // Who has enough is shown no more.
    let mut shown = Vec::new();
    let enough = |page: &[u8]| {
        shown.push(page.to_vec());
        if shown.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    store.recall(1, 7, u64::MAX, &mut { enough }).unwrap();
    assert_eq!(shown, [text(3), text(2)]);
    assert_eq!(store.recalled(2, 7, u64::MAX).unwrap(), Vec::<Vec<u8>>::new());
}

/// Enough keys for runs of two levels, and some that wait; who reads beside the owner finds what was there and what came.
pub(crate) fn keys_are_found_in_runs_and_beside_them(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let mut reader = store.reader().unwrap().unwrap();
    // This one looks now and then: of some runs it sees nothing before they are merged.
    let mut seldom = store.reader().unwrap().unwrap();
    // And this one is told what was committed, most of the time.
    let mut told = store.reader().unwrap().unwrap();
    let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for step in 0..29_u64 {
        let mut full = owner.next();
        full.terms = None;
        // One key is in all pages, and each in one more.
        full.pages[0].keys = (step * 3_000..(step + 1) * 3_000).map(spread).chain([7]).collect();
        full.pages[0].keys.sort_unstable();
        full.pages[1].keys = vec![spread(step * 3_000 + 1)];
        // Another owner goes on: it reads what waited.
        if step % 5 == 2 {
            owner = Owner::claim(&mut *store);
            full = Full { sequence: owner.sequence + 1, ..full };
        }
        owner.write(&mut *store, &full).unwrap();
        if step == 2 {
            // The first run has just been written.
            whole(&mut *store);
        }
        // As of this commit, and of the one before.
        assert_eq!(reader.recalled(1, 7, step + 2).unwrap().len() as u64, step + 1);
        assert_eq!(reader.recalled(1, 7, step + 1).unwrap().len() as u64, step);
        assert_eq!(reader.recalled(1, spread(step * 3_000), step + 2).unwrap().len(), 1);
        if step % 7 != 5 {
            told.know(full.sequence, (1, &full.pages));
        }
        assert_eq!(told.recalled(1, 7, step + 2).unwrap().len() as u64, step + 1);
        if step == 3 || step == 9 {
            assert_eq!(seldom.recalled(1, 7, step + 2).unwrap().len() as u64, step + 1);
        }
    }
    let due = |sequence: u64| [vec![0, 255, sequence as u8], format!("page of {sequence}").into_bytes()];
    let mut again = ground.open();
    for store in [&mut store, &mut reader, &mut seldom, &mut told, &mut again] {
        for sequence in [1, 2, 5, 15, 28, 29] {
            let first = (sequence - 1) * 3_000;
            assert_eq!(store.recalled(1, spread(first), 30).unwrap(), due(sequence)[1..]);
            assert_eq!(store.recalled(1, spread(first + 1), 30).unwrap(), due(sequence));
            assert_eq!(store.recalled(1, spread(first + 1), sequence).unwrap(), Vec::<Vec<u8>>::new());
            assert_eq!(store.recalled(1, spread(first + 2_999), 30).unwrap(), due(sequence)[1..]);
        }
        assert_eq!(store.recalled(1, 7, 30).unwrap().len(), 29);
        assert_eq!(store.recalled(1, spread(29 * 3_000), 30).unwrap(), Vec::<Vec<u8>>::new());
        assert_eq!(store.recalled(2, 7, 30).unwrap(), Vec::<Vec<u8>>::new());
    }
    whole(&mut *store);
    store.forget_generations(owner.epoch, 2).unwrap();
    assert_eq!(store.recalled(1, 7, u64::MAX).unwrap(), Vec::<Vec<u8>>::new());
    whole(&mut *store);
}

pub(crate) fn generations_go(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 2);
    let mut full = owner.next();
    full.generation = 2;
    owner.write(&mut *store, &full).unwrap();
    store.forget_generations(owner.epoch, 2).unwrap();
    assert_eq!(store.recalled(1, 7, u64::MAX).unwrap(), Vec::<Vec<u8>>::new());
    assert_eq!(store.recalled(2, 7, u64::MAX).unwrap(), [b"page of 3".to_vec()]);
    assert_eq!(store.verify().unwrap().pages, 2);
    whole(&mut *store);
}

pub(crate) fn a_snapshot_counts_when_it_is_sealed(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 2);
    let epoch = owner.epoch;
    store.put_snapshot(epoch, 2, 0, b"a").unwrap();
    store.put_snapshot(epoch, 2, 1, b"b").unwrap();
    assert_eq!(snapshot(&mut *store), None);
    whole(&mut *store);
    refused(store.seal_snapshot(epoch, 2, 3));
    refused(store.seal_snapshot(epoch, 2, 0));
    refused(store.seal_snapshot(epoch, 9, 2));
    store.seal_snapshot(epoch, 2, 2).unwrap();
    assert_eq!(snapshot(&mut *store), Some((2, vec![b"a".to_vec(), b"b".to_vec()])));
    owner.write_some(&mut *store, 1);
    // Half of the next one: the one before counts yet.
    store.put_snapshot(epoch, 3, 0, b"c").unwrap();
    drop(store);
    let mut store = ground.open();
    let claim = store.claim("next").unwrap();
    assert_eq!(claim.snapshot, Some(2));
    assert_eq!(snapshot(&mut *store).unwrap().0, 2);
    whole(&mut *store);
    store.put_snapshot(claim.epoch, 3, 0, b"d").unwrap();
    store.seal_snapshot(claim.epoch, 3, 1).unwrap();
    store.seal_snapshot(claim.epoch, 3, 1).unwrap();
    assert_eq!(snapshot(&mut *store), Some((3, vec![b"d".to_vec()])));
    // Never back.
    store.put_snapshot(claim.epoch, 2, 0, b"e").unwrap();
    refused(store.seal_snapshot(claim.epoch, 2, 1));
    whole(&mut *store);
}

pub(crate) fn what_another_owner_left_is_no_part_of_a_snapshot(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 1);
    for piece in 0..3 {
        store.put_snapshot(owner.epoch, 1, piece, b"old").unwrap();
    }
    let next = Owner::claim(&mut *store);
    store.put_snapshot(next.epoch, 1, 0, b"new").unwrap();
    refused(store.seal_snapshot(next.epoch, 1, 2));
    store.seal_snapshot(next.epoch, 1, 1).unwrap();
    assert_eq!(snapshot(&mut *store), Some((1, vec![b"new".to_vec()])));
    whole(&mut *store);
}

pub(crate) fn queries_go_on_where_they_ended(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let written = owner.write_some(&mut *store, 10);
    let all: Vec<_> = written.iter().flat_map(|f| f.entries.clone()).collect();
    let subject = all[4].subject.clone();
    let questions = [
        (None, None),
        (Some("partner-1".to_owned()), None),
        (None, Some(subject.clone())),
        (Some("partner-0".to_owned()), Some(subject)),
        (Some("nobody".to_owned()), None),
    ];
    for (partner, subject) in questions {
        let mut query = Query { partner, subject, limit: 4, ..Query::default() };
        let mut found = Vec::new();
        loop {
            let page = store.entries(&query).unwrap();
            assert!(page.len() <= 4);
            let Some(last) = page.last() else { break };
            query.after = last.number;
            found.extend(page);
        }
        let due: Vec<_> = all
            .iter()
            .filter(|e| query.partner.as_ref().is_none_or(|p| *p == e.under.partner))
            .filter(|e| query.subject.as_ref().is_none_or(|s| *s == e.subject))
            .cloned()
            .collect();
        assert_eq!(found, due, "{query:?}");
    }
    let page = store.letters(&Query { after: 3, limit: 2, ..Query::default() }).unwrap();
    assert_eq!(page.iter().map(|l| l.number).collect::<Vec<_>>(), [4, 5]);
}

fn states(store: &mut dyn Store) -> Vec<LetterState> {
    store.letters(&Query::default()).unwrap().into_iter().map(|letter: Letter| letter.state).collect()
}

pub(crate) fn letters_are_marked_once(ground: &dyn Ground) {
    let (mut store, mut operator) = (ground.open(), ground.open());
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 3);
    // Operators do it beside the owner, without an epoch.
    assert!(operator.mark(1, LetterState::Dropped, Some("a test record")).unwrap());
    assert!(operator.mark(2, LetterState::Asked, Some("mended")).unwrap());
    assert!(operator.mark(2, LetterState::Asked, None).unwrap());
    assert!(!operator.mark(1, LetterState::Asked, None).unwrap());
    assert!(!operator.mark(9, LetterState::Asked, None).unwrap());
    assert_eq!(states(&mut *store), [LetterState::Dropped, LetterState::Asked, LetterState::Waiting]);
    let asked = store.letters(&Query { state: Some(LetterState::Asked), ..Query::default() }).unwrap();
    assert_eq!(asked.iter().map(|l| (l.number, l.note.as_deref())).collect::<Vec<_>>(), [(2, Some("mended"))]);
    owner.write_some(&mut *store, 1);
    whole(&mut *store);
}

pub(crate) fn letters_are_read_again(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 3);
    store.mark(1, LetterState::Asked, None).unwrap();
    store.mark(2, LetterState::Asked, None).unwrap();
    let mut full = owner.next();
    full.reread = vec![(1, LetterState::Replayed), (2, LetterState::Waiting)];
    owner.write(&mut *store, &full).unwrap();
    assert_eq!(states(&mut *store)[..2], [LetterState::Replayed, LetterState::Waiting]);
    assert!(!store.mark(1, LetterState::Dropped, None).unwrap());
    whole(&mut *store);
}

pub(crate) fn the_journal_goes_up_to_the_snapshot(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 5);
    let epoch = owner.epoch;
    let left = |store: &mut dyn Store| journal(store, 0).iter().map(|c| c.sequence).collect::<Vec<_>>();
    store.retire(epoch, 4, Moment::DAWN).unwrap();
    assert_eq!(left(&mut *store), [1, 2, 3, 4, 5]);
    store.put_snapshot(epoch, 3, 0, b"x").unwrap();
    store.seal_snapshot(epoch, 3, 1).unwrap();
    store.retire(epoch, 2, Moment::DAWN).unwrap();
    assert_eq!(left(&mut *store), [3, 4, 5]);
    store.retire(epoch, 1, Moment::DAWN).unwrap();
    store.retire(epoch, u64::MAX, Moment::DAWN).unwrap();
    assert_eq!(left(&mut *store), [4, 5]);
    owner.write_some(&mut *store, 1);
    assert_eq!(store.verify().unwrap().commits, 3);
    whole(&mut *store);
}

pub(crate) fn entries_go_and_stay_linked(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 3);
    let numbers =
        |store: &mut dyn Store| store.entries(&Query::default()).unwrap().iter().map(|e| e.number).collect::<Vec<_>>();
    // Entry n was decided at n * 100.
    store.retire(owner.epoch, 0, Moment(400)).unwrap();
    assert_eq!(numbers(&mut *store), [4, 5, 6, 7, 8, 9]);
    whole(&mut *store);
    store.retire(owner.epoch, 0, Moment(0)).unwrap();
    store.retire(owner.epoch, 0, Moment::NEVER).unwrap();
    assert!(numbers(&mut *store).is_empty());
    whole(&mut *store);
    let claim = store.claim("next").unwrap();
    assert_eq!((claim.entries, claim.digest), (9, owner.digest));
    let mut owner = Owner::from(&claim);
    owner.write_some(&mut *store, 1);
    whole(&mut *store);
}

pub(crate) fn shards_are_walls(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 1);
    ground.run("UPDATE shard SET shard = 8");
    for table in [
        "journal",
        "ledger",
        "letter",
        "released_key",
        "released_page",
        "regenerated",
        "remembered",
        "source_position",
        "stamp",
        "terms",
    ] {
        ground.run(&format!("UPDATE {table} SET shard = 8"));
    }
    assert_eq!(store.entries(&Query::default()).unwrap(), []);
    assert!(!store.mark(1, LetterState::Asked, None).unwrap());
    let mut owner = Owner::claim(&mut *store);
    assert_eq!((owner.epoch.0, owner.sequence), (1, 0));
    owner.write_some(&mut *store, 2);
    assert_eq!(store.recalled(1, 7, u64::MAX).unwrap().len(), 2);
    whole(&mut *store);
}

pub(crate) fn the_journal_is_read_in_parts(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 3);
    let sequences = |after, limit, store: &mut dyn Store| -> Vec<u64> {
        store.journal(after, limit).unwrap().iter().map(|commit| commit.sequence).collect()
    };
    assert_eq!(sequences(0, 2, &mut *store), [1, 2]);
    assert_eq!(sequences(2, 2, &mut *store), [3]);
    assert_eq!(sequences(3, 2, &mut *store), [0; 0]);
}

/// Whoever holds the shard's row while it commits is waited for, and what it wrote is seen.
pub(crate) fn a_claim_waits_for_a_commit_in_flight(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut zombie = Owner::claim(&mut *store);
    let refused = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut store = store;
            let mut written = 0;
            while !refused.load(Ordering::Relaxed) {
                let full = zombie.next();
                match zombie.write(&mut *store, &full) {
                    Ok(()) => written += 1,
                    Err(StoreError::Fenced { .. }) => break,
                    Err(error) => panic!("{error}"),
                }
            }
            written
        });
        let mut other = ground.open();
        while journal(&mut *other, 3).is_empty() {}
        let claim = other.claim("next");
        refused.store(claim.is_err(), Ordering::Relaxed);
        let claim = claim.unwrap();
        let written = writing.join().unwrap();
        assert_eq!(claim.sequence, written, "what the old owner wrote is what the new one found");
        Owner::from(&claim).write_some(&mut *other, 1);
        whole(&mut *other);
    });
}

/// Two that claim and write by turns, as fast as they can: the chain is whole, and each commit is of one of them.
pub(crate) fn two_owners_are_never_both_believed(ground: &dyn Ground) {
    ground.open();
    let run = || {
        let mut store = ground.open();
        let mut written = 0;
        for _ in 0..8 {
            let mut owner = Owner::claim(&mut *store);
            for _ in 0..4 {
                let full = owner.next();
                match owner.write(&mut *store, &full) {
                    Ok(()) => written += 1,
                    Err(StoreError::Fenced { .. }) => break,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        written
    };
    let written: u64 = std::thread::scope(|scope| {
        let others = [scope.spawn(run), scope.spawn(run)];
        others.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let mut store = ground.open();
    let claim = store.claim("last").unwrap();
    assert_eq!((claim.sequence, claim.epoch.0), (written, 17));
    whole(&mut *store);
}

pub(crate) fn first_starts_at_once_are_safe(ground: &dyn Ground) {
    let epochs: Vec<u64> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..4).map(|_| scope.spawn(|| ground.open().claim("one of many").unwrap().epoch.0)).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let mut sorted = epochs.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 2, 3, 4]);
}

pub(crate) fn verify_finds_nothing_wrong(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    owner.write_some(&mut *store, 5);
    store.put_snapshot(owner.epoch, 5, 0, b"x").unwrap();
    let found = store.verify().unwrap();
    assert_eq!((found.commits, found.entries, found.pages), (5, 15, 10));
    assert_eq!(found.wrong, Vec::<String>::new());
}

pub(crate) fn empty_batches_and_large_ones(ground: &dyn Ground) {
    let mut store = ground.open();
    let mut owner = Owner::claim(&mut *store);
    let mut empty = owner.next();
    empty.journal.clear();
    empty.entries.clear();
    empty.letters.clear();
    empty.pages.clear();
    empty.positions.clear();
    empty.terms = None;
    owner.write(&mut *store, &empty).unwrap();
    let mut large = owner.next();
    let mut before = owner.digest;
    large.entries.clear();
    for number in 1..=4_000 {
        let entry = batches::entry(number, &before);
        before = entry.digest;
        large.entries.push(entry);
    }
    large.journal = (0..6_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    large.pages[0].keys = (1..=3_000_u64).map(|n| n << 50).collect();
    large.pages[0].keys.sort_unstable();
    large.pages[0].keys.dedup();
    owner.write(&mut *store, &large).unwrap();
    assert_eq!(journal(&mut *store, 1)[0].journal, large.journal);
    assert_eq!(store.entries(&Query { after: 3_998, ..Query::default() }).unwrap(), large.entries[3_998..]);
    assert_eq!(store.recalled(1, 5 << 50, u64::MAX).unwrap(), [large.pages[0].bytes.clone()]);
    whole(&mut *store);
}
