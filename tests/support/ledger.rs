//! What ledgers come to: those of all shards together, or that of one process. Whoever wrote which entry, and however often somebody else went
//! on, two that judged the same must say the same of every duty.
//!
//! The way there is not compared: whether a breach was declared before the news that takes it back hangs on when what was heard. What must hold
//! of every way is in [`coherent`].

use crate::w1::{self, Expected};
use onus::store::Entry;
use onus_engine::standing::Standing;
use std::collections::{BTreeMap, BTreeSet};

/// What an entry says of its duty, but for when it was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    partner: String,
    obligation: String,
    subject: String,
    to: String,
    start: String,
    deadline: Option<String>,
    ended: Option<String>,
    /// Broken, excused, disputed.
    flags: [bool; 3],
}

impl Word {
    fn of(entry: &Entry) -> Word {
        let at = |moment: Option<onus_engine::time::Moment>| moment.map(|at| at.to_string());
        Word {
            partner: entry.under.partner.clone(),
            obligation: entry.under.obligation.clone(),
            subject: entry.subject.clone(),
            to: entry.to.word().to_owned(),
            start: entry.start.to_string(),
            deadline: at(entry.deadline),
            ended: at(entry.ended),
            flags: [entry.broken, entry.excused, entry.disputed],
        }
    }
}

/// The last entry of each duty, where it says something by itself. S4 and S7 are checks: one that passes makes no entry.
fn last(shards: &[Vec<Entry>]) -> BTreeMap<String, &Entry> {
    let mut last: BTreeMap<String, &Entry> = BTreeMap::new();
    shards.iter().flatten().for_each(|entry| _ = last.insert(entry.duty().to_string(), entry));
    last.retain(|_, entry| match entry.to {
        Standing::Open | Standing::Paused | Standing::Unknown | Standing::Withdrawn | Standing::Untold => false,
        Standing::Met => !["S4", "S7"].contains(&entry.under.obligation.as_str()),
        Standing::MetLate | Standing::Breached | Standing::Waived | Standing::Cancelled | Standing::Exempt => true,
    });
    last
}

/// The last word on each duty.
pub(crate) fn words(shards: &[Vec<Entry>]) -> BTreeMap<String, Word> {
    last(shards).into_iter().map(|(duty, entry)| (duty, Word::of(entry))).collect()
}

/// Everything that was said of each duty, in its order: the same only where the same was heard at the same time.
#[allow(dead_code)]
pub(crate) fn sequences(shards: &[Vec<Entry>]) -> BTreeMap<String, Vec<Word>> {
    let mut all = BTreeMap::<String, Vec<Word>>::new();
    shards.iter().flatten().for_each(|entry| all.entry(entry.duty().to_string()).or_default().push(Word::of(entry)));
    all
}

/// What holds of every ledger: a duty is in one shard, each of its entries goes on where the one before ended (or from a word that is not told),
/// whoever wrote them, none says what the one before has said, and its breach has one identity.
pub(crate) fn coherent(shards: &[Vec<Entry>]) {
    let mut home = BTreeMap::<String, usize>::new();
    for (shard, entries) in shards.iter().enumerate() {
        let mut before = BTreeMap::<String, &Entry>::new();
        for entry in entries {
            let duty = entry.duty().to_string();
            assert_eq!(*home.entry(duty.clone()).or_insert(shard), shard, "{duty} is in two shards");
            let silent = [Standing::Untold, Standing::Open, Standing::Paused, Standing::Unknown];
            let before = before.insert(duty, entry);
            let goes_on = silent.contains(&entry.from) || before.is_some_and(|before| before.to == entry.from);
            assert!(goes_on, "entry {} of shard {shard} goes on from elsewhere: {before:?} {entry:?}", entry.number);
            let again = before.is_some_and(|before| Word::of(before) == Word::of(entry));
            assert!(!again, "entry {} of shard {shard} says again: {before:?} {entry:?}", entry.number);
        }
    }
    let mut breaches = BTreeMap::<String, BTreeSet<String>>::new();
    for entry in shards.iter().flatten().filter(|entry| entry.broken) {
        breaches.entry(entry.duty().to_string()).or_default().insert(entry.start.to_string());
    }
    assert!(breaches.values().all(|starts| starts.len() == 1), "two identities of one page: {breaches:?}");
}

/// What the workload's generator drew: breaches up to its end by their number and digest, and what was met, by rule. What is open at its end
/// breaks later, by the wall clock.
pub(crate) fn as_drawn(shards: &[Vec<Entry>], expected: &Expected) {
    let mut found = Expected::default();
    expected.totals.keys().for_each(|rule| _ = found.totals.insert(rule.clone(), [0; 3]));
    for entry in last(shards).into_values() {
        let rule = &entry.under.obligation;
        match entry.deadline {
            Some(at) if entry.broken && at.0 <= w1::end() => {
                found.breached(rule, &entry.under.partner, &entry.subject, at.0, entry.start.0);
            }
            _ if entry.to == Standing::Met => found.met(rule),
            _ => {}
        }
    }
    for (rule, [met, breached, _]) in &expected.totals {
        let [seen, broke, _] = found.totals[rule];
        assert_eq!(broke, *breached, "breaches of {rule}");
        assert!(["S4", "S7"].contains(&rule.as_str()) || seen == *met, "{seen} of {met} are met of {rule}");
    }
    assert_eq!(found.digest, expected.digest, "the digest of all breaches");
}

/// All of it: ours against that of a process that nobody disturbed, and both against what was drawn.
pub(crate) fn same(ours: &[Vec<Entry>], undisturbed: &[Vec<Entry>], expected: &Expected) {
    for ledger in [ours, undisturbed] {
        coherent(ledger);
    }
    let (here, there) = (words(ours), words(undisturbed));
    let differ = |(duty, word): &(&String, &Word)| there.get(*duty) != Some(*word);
    let wrong: Vec<_> = here.iter().filter(differ).map(|(duty, word)| (word, there.get(duty))).take(5).collect();
    assert!(wrong.is_empty(), "said here, and there: {wrong:#?}");
    assert_eq!(here.len(), there.len(), "something is said there alone");
    as_drawn(ours, expected);
}
