//! The store, and the one commit that may be under way: while a thread writes it down, the loop judges what comes next.
//!
//! Whoever needs the store meanwhile waits until it is back, so there is never more than one user of it; but what left memory
//! is asked for so often that the judge has a view of its own for that. What could not be written stays here until it is:
//! nothing after it is written before it.

use super::hand::Hand;
use super::shelves::Leaving;
use crate::store::{Show, Store, StoreError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// See the module.
pub(super) struct Keeper {
    /// None: the thread has it.
    store: Option<Box<dyn Store>>,
    /// Another view of it, for questions while a commit is under way.
    reader: Option<Box<dyn Store>>,
    /// What leaves memory with the commit that is under way, and that commit.
    leaving: Option<(Arc<Leaving>, u64)>,
    thread: Option<Thread>,
    /// A commit has come to its end and nobody has asked yet: what became of it.
    ended: Option<Result<Written, StoreError>>,
    unwritten: Option<Box<Hand>>,
}

/// A hand whose commit took place, and how long that took.
pub(super) struct Written {
    pub(super) hand: Box<Hand>,
    pub(super) seconds: f64,
}

struct Thread {
    jobs: SyncSender<Job>,
    done: Receiver<(Job, Result<(), StoreError>, f64)>,
    handle: JoinHandle<()>,
}

type Job = (Box<dyn Store>, Box<Hand>);

impl Keeper {
    pub(super) fn new(store: Box<dyn Store>) -> Keeper {
        let reader = store.reader().inspect_err(|error| tracing::warn!("no second view of the store: {error}"));
        let reader = reader.ok().flatten();
        Keeper { store: Some(store), reader, leaving: None, thread: None, ended: None, unwritten: None }
    }

    /// A commit is under way.
    pub(super) fn is_writing(&self) -> bool {
        self.store.is_none()
    }

    /// A commit is under way, has ended unasked, or has failed.
    pub(super) fn is_busy(&self) -> bool {
        self.is_writing() || self.ended.is_some() || self.unwritten.is_some()
    }

    /// The store, once no commit is under way.
    pub(super) fn store(&mut self) -> Result<&mut dyn Store, StoreError> {
        self.wait();
        match &mut self.store {
            Some(store) => Ok(store.as_mut()),
            None => Err(gone()),
        }
    }

    /// What has left memory with a commit that is under way, or could not be written yet.
    pub(super) fn leaving(&self) -> Option<&Leaving> {
        match &self.leaving {
            Some((leaving, _)) if self.is_writing() => Some(leaving),
            _ => self.unwritten.as_ref().map(|hand| &*hand.leaving),
        }
    }

    /// Shows pages that are written; those of [`Keeper::leaving`] may or may not be among them.
    pub(super) fn recall(&mut self, generation: u32, key: u64, show: &mut Show<'_>) -> Result<(), StoreError> {
        match (&mut self.reader, &self.leaving) {
            (Some(reader), Some((_, sequence))) if self.store.is_none() => {
                reader.recall(generation, key, *sequence, show)
            }
            _ => self.store()?.recall(generation, key, u64::MAX, show),
        }
    }

    /// The store for questions about what is written: the other view, where there is one.
    pub(super) fn view(&mut self) -> Result<&mut dyn Store, StoreError> {
        match self.reader {
            Some(ref mut reader) => Ok(reader.as_mut()),
            None => self.store(),
        }
    }

    /// A commit that has ended could not be written.
    pub(super) fn has_unwritten(&self) -> bool {
        self.unwritten.is_some()
    }

    /// It.
    pub(super) fn unwritten(&self) -> Option<&Hand> {
        self.unwritten.as_deref()
    }

    /// Who waits for a commit that could not be written is to be told so.
    pub(super) fn give_up(&mut self) -> Option<Box<Hand>> {
        self.unwritten.take()
    }

    /// Writes here and now; what failed before comes first.
    pub(super) fn write(&mut self, hand: Box<Hand>) -> Result<Written, StoreError> {
        let mut hand = hand;
        let began = Instant::now();
        let done = self.store().and_then(|store| hand.write(store));
        match done {
            Ok(()) => {
                self.tell_reader(&hand);
                Ok(Written { hand, seconds: began.elapsed().as_secs_f64() })
            }
            Err(error) => {
                self.unwritten = Some(hand);
                Err(error)
            }
        }
    }

    /// Has a thread write it. Only where nothing [is busy](Keeper::is_busy).
    pub(super) fn begin(&mut self, hand: Box<Hand>) {
        self.wait();
        if self.thread.is_none() {
            self.thread = thread();
        }
        self.leaving = Some((Arc::clone(&hand.leaving), hand.sequence()));
        let job = match (&self.thread, self.store.take()) {
            (Some(thread), Some(store)) => match thread.jobs.send((store, hand)) {
                Ok(()) => return,
                Err(back) => Some(back.0),
            },
            (_, Some(store)) => Some((store, hand)),
            (_, None) => None,
        };
        // No thread is to be had: it is written here.
        self.ended = Some(match job {
            Some((store, hand)) => {
                self.store = Some(store);
                self.write(hand)
            }
            None => Err(gone()),
        });
    }

    /// Tries again what could not be written.
    pub(super) fn again(&mut self) {
        if let Some(hand) = self.unwritten.take() {
            self.begin(hand);
        }
    }

    /// What became of the commit that was under way; None: there was none, or, if not waited for, it still is.
    pub(super) fn ended(&mut self, wait: bool) -> Option<Result<Written, StoreError>> {
        if wait {
            self.wait();
        } else if self.is_writing() {
            match self.thread.as_ref().map(|thread| thread.done.try_recv()) {
                Some(Ok(done)) => self.take_back(done),
                Some(Err(TryRecvError::Empty)) => {}
                Some(Err(TryRecvError::Disconnected)) | None => self.ended = Some(Err(gone())),
            }
        }
        self.ended.take()
    }

    fn tell_reader(&mut self, hand: &Hand) {
        if let Some(reader) = &mut self.reader {
            reader.know(hand.sequence(), hand.released());
        }
    }

    fn wait(&mut self) {
        if self.is_writing() && self.ended.is_none() {
            match self.thread.as_ref().map(|thread| thread.done.recv()) {
                Some(Ok(done)) => self.take_back(done),
                Some(Err(_)) | None => self.ended = Some(Err(gone())),
            }
        }
    }

    fn take_back(&mut self, ((store, hand), done, seconds): (Job, Result<(), StoreError>, f64)) {
        self.store = Some(store);
        self.leaving = None;
        self.ended = Some(match done {
            Ok(()) => {
                self.tell_reader(&hand);
                Ok(Written { hand, seconds })
            }
            Err(error) => {
                self.unwritten = Some(hand);
                Err(error)
            }
        });
    }
}

impl Drop for Keeper {
    /// Whoever opens the store next must not meet a commit of ours that is still on its way.
    fn drop(&mut self) {
        if let Some(Thread { jobs, done, handle }) = self.thread.take() {
            drop(jobs);
            let _ = handle.join();
            drop(done);
        }
    }
}

fn thread() -> Option<Thread> {
    let (jobs, todo) = sync_channel::<Job>(1);
    let (ended, done) = sync_channel(1);
    let work = move || {
        for (mut store, mut hand) in todo {
            let began = Instant::now();
            let result = hand.write(store.as_mut());
            if ended.send(((store, hand), result, began.elapsed().as_secs_f64())).is_err() {
                return;
            }
        }
    };
    let made = std::thread::Builder::new().name("onus-store".to_owned()).spawn(work);
    let handle = made.inspect_err(|error| tracing::warn!("no thread for the store: {error}")).ok()?;
    Some(Thread { jobs, done, handle })
}

fn gone() -> StoreError {
    let why = "the thread that writes it has ended: this is a fault in Onus, please report it".to_owned();
    StoreError::Refused { target: "the store".to_owned(), why }
}
