//! Who is told what was decided follows the ledger: reads it in the store behind the commits, in its order, and the number up
//! to which it has it is written down with a later commit. Who is killed tells the last entries again, with the same
//! identity; nobody is told of what is not written. Who is told of dead letters follows those in the same way.
//!
//! Each has a thread and a view of the store of its own, so none waits for another, and the judge for none of them. Where the
//! store has no second view, or the order among receivers and sources matters, the loop tells them.

use super::keeper::Keeper;
use crate::store::{Entry, Letter, Position, Query, Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After what could not be told it is tried again; and again so soon when it is the last chance.
const AGAIN: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_millis(50);

/// What is numbered as it is written, and told.
pub(super) trait Followed: Sized {
    /// Before the name under which a receiver's position is kept. No source is called so.
    const PREFIX: &'static str;
    /// So many are read at once.
    const AT_ONCE: u32;
    /// Its number.
    fn number(&self) -> u64;
    /// Those in the store.
    ///
    /// # Errors
    /// They cannot be read.
    fn read(store: &mut dyn Store, query: &Query) -> Result<Vec<Self>, StoreError>;
}

impl Followed for Entry {
    const PREFIX: &'static str = "@told ";
    /// As many as lie together in the store.
    const AT_ONCE: u32 = 1_024;
    fn number(&self) -> u64 {
        self.number
    }
    fn read(store: &mut dyn Store, query: &Query) -> Result<Vec<Entry>, StoreError> {
        store.entries(query)
    }
}

impl Followed for Letter {
    const PREFIX: &'static str = "@dead-letters ";
    /// Each may have a megabyte.
    const AT_ONCE: u32 = 16;
    fn number(&self) -> u64 {
        self.number
    }
    fn read(store: &mut dyn Store, query: &Query) -> Result<Vec<Letter>, StoreError> {
        store.letters(query)
    }
}

/// Takes some, in their order and at least once; says how many of them it took. Those that it did not take come again
/// before any others.
pub type Takes<T = Entry> = Box<dyn FnMut(&[T]) -> usize + Send>;

/// Somebody who is told what was decided.
pub struct Receiver<T = Entry> {
    /// Its name: its position is kept under it.
    pub name: String,
    /// Whether one that was never told anything hears what was written before it came.
    pub from_the_beginning: bool,
    /// Who takes it.
    pub takes: Takes<T>,
    /// Those from this one on are told again after a restart, whether they were taken or not; 0: none. For whoever keeps
    /// in memory what follows from them.
    pub again_from: Option<Arc<AtomicU64>>,
}

/// All of them.
pub(super) struct Followers<T> {
    /// As the store had them at the start.
    kept: Vec<Position>,
    all: Vec<Follower<T>>,
    gate: Arc<Gate>,
}

struct Follower<T> {
    source: String,
    /// Up to this number it has everything.
    taken: Arc<AtomicU64>,
    again_from: Option<Arc<AtomicU64>>,
    /// As the store has it.
    known: Option<u64>,
    /// None: it has a thread.
    takes: Option<(Takes<T>, Option<Instant>)>,
    thread: Option<JoinHandle<()>>,
}

impl<T> Follower<T> {
    /// What is to be written down.
    fn told(&self) -> u64 {
        // What it holds back for is noted before it is taken: read in the other order, nothing is missed.
        let taken = self.taken.load(Ordering::Acquire);
        let again = self.again_from.as_ref().map_or(0, |again| again.load(Ordering::Acquire));
        if again == 0 { taken } else { taken.min(again - 1) }
    }
}

/// What threads wait at.
#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    /// Up to this number all are written, by us.
    written: u64,
    /// Nothing more will be written, and until then it may be told.
    ended: Option<Instant>,
    /// Why a thread could not go on, for good.
    trouble: Option<StoreError>,
}

impl Gate {
    // A poisoned lock guards plain values: they are as good as they were.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until more is written than that; gives how much. None: nothing more will be.
    fn beyond(&self, after: u64) -> Option<u64> {
        let waits = |state: &mut State| state.written <= after && state.ended.is_none();
        let state = self.news.wait_while(self.state(), waits).unwrap_or_else(PoisonError::into_inner);
        (state.written > after).then_some(state.written)
    }

    /// Before it is tried again. False: there is no time for that any more.
    fn pause(&self) -> bool {
        let paused = self.news.wait_timeout_while(self.state(), AGAIN, |state| state.ended.is_none());
        let (state, _) = paused.unwrap_or_else(PoisonError::into_inner);
        let Some(until) = state.ended else { return true };
        drop(state);
        std::thread::sleep(LAST);
        Instant::now() < until
    }

    fn end(&self, until: Instant) {
        self.state().ended.get_or_insert(until);
        self.news.notify_all();
    }
}

impl<T: Followed + 'static> Followers<T> {
    /// `written`: so many are in the store.
    pub(super) fn new(positions: &[Position], written: u64) -> Followers<T> {
        let kept = positions.iter().filter(|position| position.source.starts_with(T::PREFIX)).cloned().collect();
        let gate = Arc::new(Gate::default());
        gate.state().written = written;
        Followers { kept, all: Vec::new(), gate }
    }

    /// One more. `view`: of the store, for a thread of its own; None: it is told by whoever calls [`Followers::tell`].
    /// Gives up to which entry it has everything.
    pub(super) fn add(&mut self, receiver: Receiver<T>, view: Option<Box<dyn Store>>) -> Arc<AtomicU64> {
        let Receiver { name, from_the_beginning, takes, again_from } = receiver;
        let source = format!("{}{name}", T::PREFIX);
        let known = self.kept.iter().find(|position| position.source == source).map(|p| p.next.saturating_sub(1));
        let written = self.gate.state().written;
        // A store that was restored to an earlier commit has fewer entries than were told: they are told anew.
        let start = known.unwrap_or(if from_the_beginning { 0 } else { written }).min(written);
        let taken = Arc::new(AtomicU64::new(start));
        let mut one = Follower { source, taken: Arc::clone(&taken), again_from, known, takes: None, thread: None };
        match view {
            Some(store) => {
                let (gate, taken) = (Arc::clone(&self.gate), Arc::clone(&taken));
                let work = move || follow(store, takes, &gate, &taken);
                match std::thread::Builder::new().name(format!("tell {name}")).spawn(work) {
                    Ok(thread) => one.thread = Some(thread),
                    Err(error) => {
                        let (target, why) = (format!("a thread for {name}"), error.to_string());
                        self.gate.state().trouble = Some(StoreError::Refused { target, why });
                    }
                }
            }
            None => one.takes = Some((takes, None)),
        }
        self.all.push(one);
        taken
    }

    /// Positions that the store does not have yet.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        self.all.iter().filter_map(|one| {
            let told = one.told();
            let position = |source: &String| Position {
                source: source.clone(),
                partition: 0,
                incarnation: String::new(),
                next: told + 1,
                last: 0,
            };
            (one.known != Some(told)).then(|| position(&one.source))
        })
    }

    /// A commit is written: these positions, and all up to this number.
    pub(super) fn written(&mut self, positions: &[Position], last: Option<u64>) {
        for position in positions.iter().filter(|position| position.source.starts_with(T::PREFIX)) {
            if let Some(one) = self.all.iter_mut().find(|one| one.source == position.source) {
                one.known = Some(position.next - 1);
            }
        }
        if let Some(last) = last {
            self.gate.state().written = last;
            self.gate.news.notify_all();
        }
    }

    /// Tells those that have no thread.
    ///
    /// # Errors
    /// The store cannot be read, by whichever of them, and that does not pass.
    pub(super) fn tell(&mut self, keeper: &mut Keeper) -> Result<(), StoreError> {
        let (written, trouble) = {
            let mut state = self.gate.state();
            (state.written, state.trouble.take())
        };
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        for one in &mut self.all {
            let Some((takes, again)) = &mut one.takes else { continue };
            while one.taken.load(Ordering::Acquire) < written && again.is_none_or(|again| again <= Instant::now()) {
                let after = one.taken.load(Ordering::Acquire);
                let told = keeper.view().and_then(|store| tell(store, takes, after, written));
                *again = match told {
                    Ok((to, whole)) => {
                        one.taken.store(to, Ordering::Release);
                        (!whole).then(|| Instant::now() + AGAIN)
                    }
                    Err(error) if error.may_pass() => Some(Instant::now() + AGAIN),
                    Err(error) => return Err(error),
                };
            }
        }
        Ok(())
    }

    /// Somebody without a thread has not taken everything.
    fn waits(&self) -> bool {
        let written = self.gate.state().written;
        self.all.iter().any(|one| one.takes.is_some() && one.taken.load(Ordering::Acquire) < written)
    }

    /// Nothing more will be written: waits, though not for ever, until everybody has what is.
    pub(super) fn end(&mut self, keeper: &mut Keeper, until: Instant) -> Result<(), StoreError> {
        self.gate.end(until);
        self.tell(keeper)?;
        while self.waits() && Instant::now() < until {
            std::thread::sleep(LAST);
            self.all.iter_mut().filter_map(|one| one.takes.as_mut()).for_each(|(_, again)| *again = None);
            self.tell(keeper)?;
        }
        for thread in self.all.iter_mut().filter_map(|one| one.thread.take()) {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
        self.tell(keeper)
    }
}

impl<T> Drop for Followers<T> {
    fn drop(&mut self) {
        self.gate.end(Instant::now());
    }
}

fn follow<T: Followed>(mut store: Box<dyn Store>, mut takes: Takes<T>, gate: &Gate, taken: &AtomicU64) {
    let mut after = taken.load(Ordering::Acquire);
    while let Some(written) = gate.beyond(after) {
        let whole = match tell(store.as_mut(), &mut takes, after, written) {
            Ok((to, whole)) => {
                after = to;
                taken.store(after, Ordering::Release);
                whole
            }
            Err(error) if error.may_pass() => false,
            Err(error) => {
                gate.state().trouble = Some(error);
                return;
            }
        };
        if !whole && !gate.pause() {
            return;
        }
    }
}

/// Tells the next few; up to which number it has come, and whether the receiver took all that it was shown.
fn tell<T: Followed>(
    store: &mut dyn Store,
    takes: &mut Takes<T>,
    after: u64,
    written: u64,
) -> Result<(u64, bool), StoreError> {
    let found = T::read(store, &Query { after, limit: T::AT_ONCE, ..Query::default() })?;
    // What another owner may have written since is not ours to tell.
    let ours = &found[..found.partition_point(|one| one.number() <= written)];
    let Some(last) = ours.last() else {
        // Retention took them.
        return Ok((written, true));
    };
    let took = takes(ours).min(ours.len());
    let to = if took == ours.len() { last.number() } else { ours[took].number() - 1 };
    Ok((to, took == ours.len()))
}
