//! Dead letters that are told besides: read from the store after their commit, handed over as fast as they are taken, and
//! the number up to which they were taken written down with the next commit. Who is killed tells the last ones again.

use super::{Live, LiveError};
use crate::store::{Letter, Position, Query};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

/// The name under which the position is kept. No source has it: names have no such character.
const NAME: &str = "@dead-letters";
/// Letters that are read at once: each may have a megabyte.
const AT_ONCE: u32 = 16;

/// Where they are told.
#[derive(Debug)]
pub struct Outlet {
    /// What it is called: another name is told everything from the first letter on.
    pub name: String,
    /// Takes letters.
    pub letters: SyncSender<Letter>,
    /// Up to this number all were taken.
    pub done: Arc<AtomicU64>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Telling {
    outlet: Option<Outlet>,
    /// As the store has it.
    known: Option<Position>,
    /// Up to this number they were handed over.
    handed: u64,
    /// Up to this number they were taken.
    taken: u64,
    waiting: VecDeque<Letter>,
}

impl Telling {
    pub(super) fn new(positions: &[Position]) -> Telling {
        Telling { known: positions.iter().find(|position| position.source == NAME).cloned(), ..Telling::default() }
    }

    /// The position, where it is to be written.
    pub(super) fn position(&self) -> Option<Position> {
        let outlet = self.outlet.as_ref()?;
        let next = self.taken + 1;
        let position =
            Position { source: NAME.to_owned(), partition: 0, incarnation: outlet.name.clone(), next, last: 0 };
        (self.known.as_ref() != Some(&position)).then_some(position)
    }

    /// It is written.
    pub(super) fn written(&mut self, position: Option<Position>) {
        if position.is_some() {
            self.known = position;
        }
    }
}

impl Live {
    /// Dead letters are told there, too.
    pub fn tell_letters_to(&mut self, outlet: Outlet) {
        let known = self.telling.known.as_ref().filter(|known| known.incarnation == outlet.name);
        let taken = known.map_or(0, |known| known.next.saturating_sub(1));
        outlet.done.store(taken, Ordering::Release);
        (self.telling.handed, self.telling.taken) = (taken, taken);
        self.telling.outlet = Some(outlet);
    }

    /// Hands over what is written and there is room for.
    pub(super) fn tell_letters(&mut self) -> Result<(), LiveError> {
        let Some(outlet) = &self.telling.outlet else { return Ok(()) };
        self.telling.taken = outlet.done.load(Ordering::Acquire);
        let written = self.letter - self.letters.len() as u64;
        if self.telling.waiting.is_empty() && self.telling.handed < written {
            let query = Query { after: self.telling.handed, limit: AT_ONCE, ..Query::default() };
            match self.store.letters(&query) {
                Err(error) if error.may_pass() => return Ok(()),
                found => self.telling.waiting.extend(found?),
            }
        }
        while let Some(letter) = self.telling.waiting.pop_front() {
            let number = letter.number;
            match outlet.letters.try_send(letter) {
                Ok(()) => self.telling.handed = number,
                Err(TrySendError::Full(letter) | TrySendError::Disconnected(letter)) => {
                    self.telling.waiting.push_front(letter);
                    break;
                }
            }
        }
        Ok(())
    }
}
