//! Contracts end by themselves: at their `ends` the judge takes in the event that says so, as if somebody had sent it.
//!
//! It is an event like others, about the contract, of each partner that it binds.

use super::apply::Incoming;
use super::{Archive, Engine};
use crate::book::ENDED;
use crate::fact::Draft;
use crate::rule::OWN_SOURCE;
use std::sync::Arc;

impl Engine {
    /// Takes in the ends that have come.
    #[cold]
    pub(super) fn end_contracts(&mut self, archive: &mut dyn Archive) {
        self.next_ending = self.book.next_ending(self.now);
        let book = Arc::clone(&self.book);
        let Some(kind) = book.names().event_type(ENDED) else { return };
        for partner in 0..self.partners.len() {
            let name = self.partners[partner].name.clone();
            for ending in book.endings(&name).filter(|ending| ending.at <= self.now).collect::<Vec<_>>() {
                let id = format!("ended {}", ending.at);
                let draft = Draft {
                    kind,
                    id: &id,
                    source: OWN_SOURCE,
                    at: ending.at,
                    recorded: ending.at,
                    sequence: "",
                    factkey: None,
                    exact: true,
                };
                if !self.told_ended.insert((partner as u32, ending.contract.clone())) {
                    continue;
                }
                let mut bytes = Vec::new();
                let place = book.write(&draft, &[], &mut bytes);
                let fact = &mut bytes[place];
                self.apply(
                    Incoming { partner: &name, subject: &ending.contract, source: OWN_SOURCE, fact, trust: None },
                    archive,
                );
            }
        }
    }
}
