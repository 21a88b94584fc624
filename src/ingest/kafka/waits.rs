//! Partitions whose next record waits for its schema: they are not asked for meanwhile, and what was fetched of them is thrown
//! away, so that they go on with that record.

use super::Topic;
use crate::ingest::wire::Need;
use std::collections::BTreeMap;

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Waits(BTreeMap<i32, One>);

#[derive(Debug)]
struct One {
    need: Need,
    /// What was said of it.
    said: Option<String>,
}

/// What is to be done about them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct News {
    /// Some go on: they are asked for again.
    pub(super) go_on: bool,
    /// None waits any more, and somebody was told that one did.
    pub(super) fine: bool,
    /// Why they wait, where nobody was told yet.
    pub(super) trouble: Option<String>,
}

impl Waits {
    pub(super) fn add(&mut self, partition: i32, need: Need) {
        self.0.insert(partition, One { need, said: None });
    }

    pub(super) fn forget(&mut self, partition: i32) {
        self.0.remove(&partition);
    }

    pub(super) fn has(&self, partition: i32) -> bool {
        self.0.contains_key(&partition)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Another trouble is over, and with it what was said: one that waits says so again.
    pub(super) fn say_again(&mut self) {
        self.0.values_mut().for_each(|one| one.said = None);
    }

    /// Those whose schema is there go on; of the others it is said why not. `next`: where a partition stands.
    pub(super) fn look(&mut self, topic: &Topic, next: impl Fn(i32) -> u64) -> News {
        if self.0.is_empty() {
            return News::default();
        }
        let before = self.0.len();
        let said = self.0.values().any(|one| one.said.is_some());
        self.0.retain(|_, one| !topic.wire.has(one.need));
        let mut news = News { go_on: self.0.len() < before, fine: self.0.is_empty() && said, trouble: None };
        let Some(trouble) = topic.wire.trouble() else { return news };
        let new = self.0.iter().find(|(_, one)| one.said.as_ref() != Some(&trouble));
        news.trouble = new.map(|(partition, one)| {
            format!(
                "{trouble}. The record at offset {} of partition {partition} of `{}` waits for schema {}; nothing behind it \
                 is read until then, and it goes on by itself",
                next(*partition),
                topic.name,
                one.need
            )
        });
        // Once for all that wait, whatever their number.
        self.0.values_mut().for_each(|one| one.said = Some(trouble.clone()));
        news
    }
}
