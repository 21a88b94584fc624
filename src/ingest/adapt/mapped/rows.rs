//! Rows as they are now. What happened is the difference from the state before, by the mapper's own words.
//!
//! Nothing is told that no line speaks of, and no change is passed over that no line speaks of. When it happened is said by
//! the field that proves it; else it had happened by the time of the row.

use super::values;
use super::{Deed, Mapped};
use crate::ingest::adapt::codes::{Error, No, Skip, quoted};
use crate::ingest::adapt::desk::Desk;
use crate::ingest::adapt::event::Quality;
use crate::ingest::adapt::state::Row;
use crate::ingest::adapt::tree::Tree;
use crate::mapper::{Order, States};
use onus_engine::time::Moment;

impl Mapped {
    pub(super) fn row(&self, tree: &Tree<'_>, states: &States, desk: &mut Desk<'_>) -> Result<(), No> {
        let id = self.id(tree)?;
        let Some(order) = &self.mapper.order else {
            return No::error(Error::MissingId, "the mapper does not say what tells the row's states apart");
        };
        let order = self.order(tree, order)?;
        let before = desk.known(&id).cloned();
        let last = before.as_ref().and_then(|row| row.get("order")).and_then(|order| order.parse::<i64>().ok());
        if last.is_some_and(|last| order < last) {
            return No::skip(
                Skip::Stale,
                format!("the row of {} is older than one that was read already", quoted(&id)),
            );
        }
        let Some(state) = values::word(tree, &states.state, "the state", Error::UnmappedState)? else {
            let at = values::list(&states.state.from);
            return No::error(Error::UnmappedState, format!("there is nothing at {at}"));
        };
        if !states.first.contains_key(&state) {
            return No::error(Error::UnmappedState, format!("the mapper knows no state {}", quoted(&state)));
        }
        let from = before.as_ref().and_then(|row| row.get("state"));
        if last == Some(order) {
            return match from {
                Some(from) if from != state => self.same_order(&id, from, &state),
                _ => No::skip(Skip::Duplicate, format!("this state of {} was read already", quoted(&id))),
            };
        }
        let (subject, partner) = match &before {
            // Whose it is and what it is about stays, whatever the row is moved to.
            Some(row) => {
                (row.get("subject").unwrap_or_default().to_owned(), row.get("partner").unwrap_or_default().to_owned())
            }
            None => (self.subject(tree)?, self.partner(tree)?),
        };
        let tells: &[String] = match from {
            None => states.first.get(&state).map_or(&[], Vec::as_slice),
            Some(from) if from == state => &[],
            Some(from) => match states.changes.iter().find(|change| change.fits(from, &state)) {
                Some(change) => &change.tells,
                None => {
                    let why = format!(
                        "the row of {} went from {} to {}, and no line of `changes` speaks of that",
                        quoted(&id),
                        quoted(from),
                        quoted(&state)
                    );
                    return No::error(Error::UnmappedState, why);
                }
            },
        };
        let mut row = before
            .clone()
            .unwrap_or_default()
            .with("order", Some(&order.to_string()))
            .with("state", Some(&state))
            .with("subject", Some(&subject))
            .with("partner", Some(&partner));
        for kind in tells {
            let (at, quality, proof) = self.when(tree, kind, &row, desk)?;
            let id = match proof {
                // The same proof is the same event, whenever the row is looked at.
                true => format!("{id}:{kind}:{}", at.0),
                false => format!("{id}:{order}:{kind}"),
            };
            if proof {
                row.set(&proven(kind), Some(&at.0.to_string()));
            }
            let (subject, partner, sequence) = (subject.clone(), partner.clone(), Some(order.to_string()));
            self.tell(tree, Deed { id, kind, at, quality, subject, partner, sequence }, desk)?;
        }
        desk.remember(&id, row);
        if tells.is_empty() {
            return No::skip(Skip::NoChange, format!("nothing that is told has changed: {}", quoted(&state)));
        }
        Ok(())
    }

    fn same_order(&self, id: &str, from: &str, to: &str) -> Result<(), No> {
        let which = match self.mapper.order {
            Some(Order::Time(_)) => "at one and the same time: order by a counter, if the source has one",
            _ => "under one and the same number",
        };
        let why = format!("the row of {} was {} and {} {which}", quoted(id), quoted(from), quoted(to));
        No::error(Error::MissingId, why)
    }

    /// When it happened, and whether the row proves it. A proof that was told already proves nothing new.
    fn when(&self, tree: &Tree<'_>, kind: &str, row: &Row, desk: &Desk<'_>) -> Result<(Moment, Quality, bool), No> {
        let clock = self.mapper.events.get(kind).and_then(|telling| telling.time.as_ref());
        if let Some(clock) = clock
            && let Some((at, quality)) = values::time(tree, clock)?
            && row.get(&proven(kind)) != Some(at.0.to_string().as_str())
        {
            return Ok((at, quality, true));
        }
        if let Some(clock) = &self.mapper.time
            && let Some((at, quality)) = values::time(tree, clock)?
        {
            let quality = if quality == Quality::Received { quality } else { Quality::UpperBound };
            return Ok((at, quality, false));
        }
        match desk.received() {
            Some(at) => Ok((at, Quality::Received, false)),
            None => {
                No::error(Error::MissingTime, format!("nothing says when {kind} happened, or when the row was written"))
            }
        }
    }
}

/// Under which name a row remembers the proof that was told.
pub(super) fn proven(kind: &str) -> String {
    format!("proof {kind}")
}
