//! A member's rounds, made by a thread of its own: nothing that its units do, and no restore, keeps it from renewing its leases.

use super::Unit;
use super::hold::{Fresh, Hold};
use crate::store::place::Server;
use crate::store::pool::{Me, Pool as Leases, PoolError, Said, Turn};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the pool wants of whoever runs units.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The unit is ours from now on.
    Take(Unit),
    /// Finish what is in hand, then [say so](Pool::gave).
    Give(Unit),
    /// It is another's, or may be: stop at once.
    Lost(Unit),
    /// There is no place for this process in the pool, for good.
    Out(String),
}

/// A process's place in a pool.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    orders: Receiver<Order>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    news: Condvar,
    fresh: Arc<Fresh>,
}

#[derive(Default)]
struct State {
    said: Said,
    /// Something is to be said before it is time.
    hurry: bool,
    /// Nothing is left to be done.
    ends: bool,
    /// Why the last round was not made, if so.
    trouble: Option<String>,
    /// So many units were taken.
    taken: u64,
    /// Of those that run, whether they may speak.
    holds: BTreeMap<Unit, Arc<Hold>>,
}

impl Shared {
    // A poisoned lock guards plain values: they are as good as they were.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.hurry = true;
        drop(state);
        self.news.notify_all();
    }
}

impl Pool {
    /// Begins to make rounds.
    ///
    /// # Errors
    /// There is no thread.
    pub(crate) fn join(server: Server, pool: &str, me: Me) -> std::io::Result<Pool> {
        let (orders, heard) = channel();
        let fresh = Arc::new(Fresh::new(Duration::from_millis(me.lease.unsigned_abs())));
        let shared = Arc::new(Shared { state: Mutex::default(), news: Condvar::new(), fresh });
        let (ours, pool) = (Arc::clone(&shared), pool.to_owned());
        let thread = std::thread::Builder::new().name("leases".to_owned()).spawn(move || {
            Rounds { shared: ours, server, pool, me, leases: None, orders }.run();
        })?;
        Ok(Pool { shared, orders: heard, thread: Some(thread) })
    }

    /// The next order, if there is one within this time.
    pub(crate) fn order(&self, within: Duration) -> Option<Order> {
        self.orders.recv_timeout(within).ok()
    }

    /// A unit that was to be taken runs, under this hold.
    pub(crate) fn hold(&self, unit: Unit) -> Arc<Hold> {
        let hold = Arc::new(Hold::new(Arc::clone(&self.shared.fresh)));
        self.shared.state().holds.insert(unit, Arc::clone(&hold));
        hold
    }

    /// A unit was given up; nobody takes it for so long.
    pub(crate) fn gave(&self, unit: Unit, rests: Duration) {
        self.shared.change(|state| {
            if state.said.held.remove(&unit) {
                state.said.given.insert(unit, rests.as_millis() as i64);
            }
        });
    }

    /// From now on others get what is given up.
    pub(crate) fn leaves(&self) {
        self.shared.change(|state| state.said.leaves = true);
    }

    /// How it stands with the leases, for whoever shows it.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.shared))
    }

    /// Leaves the pool.
    pub(crate) fn leave(mut self) {
        self.shared.change(|state| state.ends = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Whoever does not leave in order is struck off when its lease is over.
        self.shared.change(|state| state.ends = true);
    }
}

/// See [`Pool::watch`].
pub(crate) struct Watch(Arc<Shared>);

impl Watch {
    /// How long ago leases were renewed; None: never.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.0.fresh.age()
    }

    /// Why they are not renewed, if so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.0.state().trouble.clone()
    }

    /// So many units were taken since the process began.
    pub(crate) fn taken(&self) -> u64 {
        self.0.state().taken
    }
}

struct Rounds {
    shared: Arc<Shared>,
    server: Server,
    pool: String,
    me: Me,
    leases: Option<Leases>,
    orders: Sender<Order>,
}

impl Rounds {
    fn run(mut self) {
        let lease = Duration::from_millis(self.me.lease.unsigned_abs());
        loop {
            let (said, ends) = {
                let mut state = self.shared.state();
                state.hurry = false;
                (state.said.clone(), state.ends)
            };
            if ends {
                self.leave();
                return;
            }
            let began = Instant::now();
            match self.round(&said) {
                Ok(turn) => {
                    // Whoever lost a unit is silent before the leases of the others are good again.
                    self.made(&said, &turn);
                    self.shared.fresh.renew(began);
                    if !self.tell(turn) {
                        return;
                    }
                }
                Err(PoolError::Store(error)) if error.may_pass() => self.trouble(&error.to_string()),
                Err(error) => {
                    let _ = self.orders.send(Order::Out(error.to_string()));
                    return;
                }
            }
            let wait = (lease / 3).saturating_sub(began.elapsed());
            let state = self.shared.state();
            let waits = |state: &mut State| !state.hurry && !state.ends;
            drop(self.shared.news.wait_timeout_while(state, wait, waits).unwrap_or_else(PoisonError::into_inner));
            // Nobody hurries a database that is away.
            if self.shared.state().trouble.is_some() && !self.shared.state().ends {
                std::thread::sleep((lease / 10).saturating_sub(began.elapsed()));
            }
        }
    }

    fn open(&mut self) -> Result<&mut Leases, PoolError> {
        let leases = match self.leases.take() {
            Some(leases) => leases,
            None => Leases::open(&self.server, &self.pool)?,
        };
        Ok(self.leases.insert(leases))
    }

    fn round(&mut self, said: &Said) -> Result<Turn, PoolError> {
        let me = self.me.clone();
        self.open()?.round(&me, said)
    }

    /// What was said is written.
    fn made(&self, said: &Said, turn: &Turn) {
        let mut state = self.shared.state();
        if state.trouble.take().is_some() {
            tracing::info!("leases are renewed again");
        }
        state.said.joined = true;
        state.said.given.retain(|unit, _| !said.given.contains_key(unit));
        state.said.held.extend(&turn.take);
        for unit in &turn.lost {
            state.said.held.remove(unit);
            state.holds.remove(unit).iter().for_each(|hold| hold.end());
        }
        state.taken += turn.take.len() as u64;
    }

    /// False: nobody listens any more.
    fn tell(&self, turn: Turn) -> bool {
        let take = turn.take.into_iter().map(Order::Take);
        let give = turn.give.into_iter().map(Order::Give);
        turn.lost.into_iter().map(Order::Lost).chain(give).chain(take).all(|order| self.orders.send(order).is_ok())
    }

    fn trouble(&self, why: &str) {
        let mut state = self.shared.state();
        if state.trouble.as_deref() != Some(why) {
            tracing::error!("leases cannot be renewed: {why}");
            state.trouble = Some(why.to_owned());
        }
    }

    fn leave(&mut self) {
        let me = self.me.clone();
        if let Err(error) = self.open().and_then(|leases| leases.leave(&me)) {
            tracing::warn!("the pool could not be left in order, others take over when the leases end: {error}");
        }
    }
}
