//! The catalogue in a shard that runs: what is said for events as they come, and which names stand for which identities.
//!
//! The names belong to the terms, as contracts do: they are kept with them, in the commit that begins to judge by them, and
//! the journal keeps what sources said. So history that is judged again needs no catalogue but the store, and a name that
//! was entered late counts for all that was told under it.

use super::{Feed, joined};
use crate::catalogue::{Catalogue, Handover, Names};
use crate::ingest::feed::Records;
use crate::store::Terms;
use onus_engine::time::Moment;
use std::sync::Arc;

/// Events that contradict the catalogue are told in the log so often; the count has all.
const SAID: u64 = 100;

/// The catalogue in force, and how many events contradicted it.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    pub(crate) catalogue: Arc<Catalogue>,
    /// Events that named another partner than the catalogue.
    pub(crate) against: u64,
}

impl Identities {
    /// Events with what the catalogue knows of them; None: it adds nothing. Each stands at its place.
    pub(crate) fn pin(&mut self, events: &Records, source: &str) -> Option<Records> {
        if self.catalogue.is_empty() {
            return None;
        }
        let mut out: Option<Records> = None;
        for (line, one) in events.list.iter().enumerate() {
            let pinned = match (&one.wrong, std::str::from_utf8(events.record(one))) {
                (None, Ok(text)) => self.catalogue.pin(text),
                _ => crate::catalogue::Pinned::default(),
            };
            if let Some((said, known)) = pinned.against {
                self.note(source, &said, &known);
            }
            if pinned.line.is_none() && out.is_none() {
                continue;
            }
            let out = out.get_or_insert_with(|| first(events, line));
            let bytes = pinned.line.as_deref().map_or(events.record(one), str::as_bytes);
            out.push(bytes, one.offset, one.next, one.arrived);
            if let Some(last) = out.list.last_mut() {
                last.wrong.clone_from(&one.wrong);
            }
        }
        out
    }

    /// An identity that another catalogue has with another partner.
    #[cfg(feature = "kafka")]
    pub(crate) fn moved(&self, new: &Catalogue) -> Option<String> {
        let moved = |before: &&crate::catalogue::Identity| {
            let after = new.find(&before.id).filter(|after| after.id == before.id);
            let partner = after.and_then(|after| after.partner.as_ref());
            before.partner.is_some() && partner.is_some() && before.partner.as_ref() != partner
        };
        self.catalogue.identities().iter().find(moved).map(|before| before.id.clone())
    }

    /// Another catalogue is in force from here on.
    pub(crate) fn replace(&mut self, new: Arc<Catalogue>) {
        let old = std::mem::replace(&mut self.catalogue, new);
        let moved = old.identities().iter().filter_map(|before| {
            let after = self.catalogue.find(&before.id)?;
            let (from, to) = (before.partner.as_ref()?, after.partner.as_ref()?);
            (after.id == before.id && from != to).then_some((&before.id, from, to))
        });
        for (identity, from, to) in moved.take(SAID as usize) {
            tracing::warn!(identity, "the catalogue moves it: {from} hands it over to {to} now");
        }
    }

    #[cold]
    fn note(&mut self, source: &str, said: &str, known: &str) {
        self.against += 1;
        if self.against <= SAID {
            tracing::warn!(
                source,
                "an event names {said} where the catalogue has {known}: its own word counts; correct the one that is wrong"
            );
        }
    }
}

/// The first so many of them.
fn first(events: &Records, count: usize) -> Records {
    let mut out = Records::new(events.feed, events.partition, Arc::clone(&events.incarnation));
    out.stamped = events.stamped;
    out.list.extend_from_slice(&events.list[..count]);
    let end = events.list[..count].last().map_or(0, |last| last.place.end as usize + 1);
    out.bytes.extend_from_slice(&events.bytes[..end]);
    out
}

/// Why these names cannot be judged by behind an exchange: the other partner's judge has nothing of what was before.
pub(super) fn parted(feeds: &[Feed], names: &Names) -> Option<String> {
    feeds.iter().find(|feed| feed.name == crate::exchange::NAME)?;
    let Handover { identity, from, to, .. } = names.handovers().into_iter().next()?;
    Some(format!(
        "the catalogue hands {identity} over from {from} to {to}, and through an exchange nothing is handed over yet: let {from} \
         keep it there, or judge in one process (docs/scale-out.md)"
    ))
}

/// The names that are judged by from here on, the catalogue being read at `now`.
pub(crate) fn names(catalogue: &Catalogue, before: Option<&Terms>, now: Moment) -> Arc<Names> {
    Arc::new(Names::of(catalogue, &joined::names(before), now))
}
