//! A schema registry, asked by a thread of its own, so that nobody who polls waits for it. What it has said is kept: a
//! schema's id never means another schema.

mod ask;

pub use ask::types;

use super::schema::{Id, Schema, Text};
use super::{BAD_SCHEMA, Fault, Stop, UNKNOWN_SCHEMA};
use crate::web::Target;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Schemas that are kept, and bytes of their texts; those that were not used for longest go first.
const KEPT: usize = 1_000;
const WEIGHT: usize = 32 << 20;
/// So long what the registry does not know, or what cannot be used, is not asked for again.
const UNKNOWN: Duration = Duration::from_secs(60);
/// Pauses between questions while it is away: each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A schema that a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need(Id);

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// One registry.
#[derive(Debug)]
pub struct Registry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Target,
    state: Mutex<State>,
    /// Something was asked, answered, or is over.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    known: HashMap<Id, Known>,
    weight: usize,
    /// Rises with each use.
    uses: u64,
    /// Asked for, and not answered yet.
    asked: VecDeque<Id>,
    /// Why it does not answer.
    trouble: Option<String>,
    /// Its thread runs.
    runs: bool,
    over: bool,
}

#[derive(Debug)]
struct Known {
    what: Result<Arc<Schema>, Fault>,
    weight: usize,
    used: u64,
    /// What is not known now may be known then.
    until: Option<Instant>,
}

/// What became of a question.
enum Answer {
    Schema(Schema, usize),
    /// There is none, or none that could be used.
    Never(Fault),
    /// It does not answer; ask again.
    Away(String),
}

impl Registry {
    /// The one there. Nothing is asked yet.
    pub fn new(target: Target) -> Registry {
        Registry { shared: Arc::new(Shared { target, state: Mutex::default(), changed: Condvar::new() }) }
    }

    /// Has it know a schema by its number, as if it had been asked: for whoever tries what can be written by it.
    ///
    /// # Errors
    /// The schema cannot be used, in words.
    pub fn know(&self, id: u32, kind: &str, text: &str) -> Result<(), String> {
        let text = Text { kind: kind.to_owned(), text: text.to_owned(), references: Vec::new() };
        let schema = Schema::of(&text)?;
        self.shared.state().keep(Id::Number(id), (Ok(Arc::new(schema)), Schema::weight(&text), None));
        Ok(())
    }

    /// Has a schema be asked for, if it is not known.
    pub(super) fn schema(&self, id: Id) -> Result<Arc<Schema>, Stop> {
        let mut state = self.shared.state();
        state.uses += 1;
        let uses = state.uses;
        if let Some(known) = state.known.get_mut(&id) {
            if known.until.is_none_or(|until| Instant::now() < until) {
                known.used = uses;
                return known.what.clone().map_err(Stop::Wrong);
            }
            state.forget(id);
        }
        if !state.asked.contains(&id) {
            state.asked.push_back(id);
            if !state.runs {
                state.runs = true;
                let shared = Arc::clone(&self.shared);
                let begun = std::thread::Builder::new().name("schemas".to_owned()).spawn(move || shared.answer());
                if let Err(error) = begun {
                    state.runs = false;
                    state.trouble = Some(format!("no thread can be had that asks the schema registry: {error}"));
                }
            }
            self.shared.changed.notify_all();
        }
        Err(Stop::Waits(Need(id)))
    }

    /// Waits until it is answered, so long at most, and not at all while the registry is away.
    pub(super) fn wait(&self, need: Need, within: Duration) -> bool {
        let until = Instant::now() + within;
        let mut state = self.shared.state();
        while state.asked.contains(&need.0) && state.trouble.is_none() {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        !state.asked.contains(&need.0)
    }

    /// It was answered.
    pub(super) fn has(&self, need: Need) -> bool {
        !self.shared.state().asked.contains(&need.0)
    }

    /// Why it does not answer, if it does not.
    pub(super) fn trouble(&self) -> Option<String> {
        self.shared.state().trouble.clone()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread that asks.
    fn answer(&self) {
        let mut asker = ask::Asker::new(self.target.clone());
        let mut pause = FIRST_PAUSE;
        loop {
            let id = {
                let mut state = self.state();
                loop {
                    if state.over {
                        return;
                    }
                    if let Some(id) = state.asked.front() {
                        break *id;
                    }
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            };
            let answer = asker.schema(id);
            let mut state = self.state();
            let known = match answer {
                Answer::Schema(schema, weight) => (Ok(Arc::new(schema)), weight, None),
                Answer::Never(fault) => (Err(fault), 1, Some(Instant::now() + UNKNOWN)),
                Answer::Away(why) => {
                    state.trouble = Some(why);
                    // What it does not answer for this one it may answer for another.
                    state.asked.rotate_left(1);
                    self.changed.notify_all();
                    self.pause(state, pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
            };
            pause = FIRST_PAUSE;
            state.trouble = None;
            state.asked.retain(|asked| *asked != id);
            state.keep(id, known);
            self.changed.notify_all();
        }
    }

    fn pause(&self, mut state: MutexGuard<'_, State>, length: Duration) {
        let until = Instant::now() + length;
        while !state.over
            && let Some(left) = until.checked_duration_since(Instant::now())
        {
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn keep(&mut self, id: Id, (what, weight, until): (Result<Arc<Schema>, Fault>, usize, Option<Instant>)) {
        while !self.known.is_empty() && (self.known.len() >= KEPT || self.weight + weight > WEIGHT) {
            // Some hundred of them, now and then: not worth an order of its own.
            let Some(oldest) = self.known.iter().min_by_key(|(_, known)| known.used).map(|(id, _)| *id) else { break };
            self.forget(oldest);
        }
        self.weight += weight;
        self.known.insert(id, Known { what, weight, used: self.uses, until });
    }

    fn forget(&mut self, id: Id) {
        if let Some(known) = self.known.remove(&id) {
            self.weight -= known.weight;
        }
    }
}

fn unknown(why: String) -> Answer {
    Answer::Never(Fault { reason: UNKNOWN_SCHEMA, why })
}

fn unusable(why: String) -> Answer {
    Answer::Never(Fault { reason: BAD_SCHEMA, why })
}
