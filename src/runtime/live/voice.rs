//! Of what and of whom a feed may speak.

use super::Feed;
use super::judge::{Refused, UNAUTHORISED};
use crate::decode::Decoder;
use onus_engine::book::Book;
use onus_engine::time::Moment;
use std::collections::HashMap;
use std::sync::Arc;

/// A feed, as events that come from it are looked at.
pub(super) struct Voice {
    pub(super) feed: Feed,
    pub(super) decoder: Decoder,
    /// By event type: it may say that.
    pub(super) kinds: Vec<bool>,
    /// It may speak of these, or not.
    partners: HashMap<String, bool>,
}

impl Voice {
    pub(super) fn new(feed: &Feed, book: &Arc<Book>) -> Voice {
        let may = |name: &str| feed.types.iter().any(|pattern| onus_engine::rule::glob(pattern, name));
        Voice {
            kinds: book.names().types().iter().map(|t| may(&t.name)).collect(),
            feed: feed.clone(),
            decoder: Decoder::new(Arc::clone(book), Moment::NEVER).only(&feed.types),
            partners: HashMap::new(),
        }
    }

    #[inline]
    pub(super) fn speaks_of_all(&self) -> bool {
        self.feed.partners.iter().any(|pattern| pattern == "*")
    }

    #[inline]
    pub(super) fn speaks_of(&mut self, partner: &str) -> bool {
        if self.speaks_of_all() {
            return true;
        }
        if let Some(known) = self.partners.get(partner) {
            return *known;
        }
        let may = self.feed.partners.iter().any(|pattern| onus_engine::rule::glob(pattern, partner));
        if self.partners.len() > 1 << 16 {
            self.partners.clear();
        }
        self.partners.insert(partner.to_owned(), may);
        may
    }

    pub(super) fn foreign(&self, line: u32, partner: &str) -> Refused {
        let detail = format!(
            "the source {} may not speak of {partner}: let its `partners` in the settings have it, or find out who sent it",
            self.feed.name
        );
        Refused { line: line as usize, reason: UNAUTHORISED, detail }
    }
}
