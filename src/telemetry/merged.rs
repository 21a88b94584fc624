//! One page of several shards of one process.
//!
//! What is counted since the process began goes on when a shard is another's: a count that fell would look like a restart. How things stand
//! now is shown of the shards that are its own now.

use super::Histogram;
use super::reading::{Reading, ReceiverReading, SourceReading, SourceState};
use onus_engine::time::Moment;
use std::collections::BTreeMap;

impl Reading {
    /// Adds what a shard has counted since the process began.
    pub fn count(&mut self, shard: &Reading) {
        for theirs in &shard.sources {
            let mine = self.source(theirs);
            add(&mut mine.results, &theirs.results);
            add(&mut mine.violations, &theirs.violations);
            mine.violated = mine.violated.max(theirs.violated);
            let mut skipped: BTreeMap<&'static str, u64> = mine.skipped.iter().copied().collect();
            theirs.skipped.iter().for_each(|(why, n)| *skipped.entry(why).or_default() += n);
            mine.skipped = skipped.into_iter().collect();
        }
        for theirs in &shard.receivers {
            let mine = self.receiver(theirs);
            mine.sent += theirs.sent;
            mine.errors += theirs.errors;
            mine.dropped += theirs.dropped;
            mine.last_success = mine.last_success.max(theirs.last_success);
            mine.latency.add(&theirs.latency);
        }
        shard.letters.iter().for_each(|(reason, n)| *self.letters.entry(reason.clone()).or_default() += n);
        self.commits += shard.commits;
        self.recounts_wrong += shard.recounts_wrong;
    }

    /// Adds how a shard stands now.
    pub fn show(&mut self, number: u16, shard: Reading) {
        for theirs in &shard.sources {
            let mine = self.source(theirs);
            mine.lag += theirs.lag;
            mine.last = mine.last.max(theirs.last);
            mine.state = worse(mine.state, theirs.state);
        }
        for theirs in &shard.receivers {
            let mine = self.receiver(theirs);
            mine.queue += theirs.queue;
            mine.halted |= theirs.halted;
        }
        for (severity, n) in &shard.firing {
            match self.firing.iter_mut().find(|(known, _)| known == severity) {
                Some((_, mine)) => *mine += n,
                None => self.firing.push((severity, *n)),
            }
        }
        add(&mut self.astray, &shard.astray);
        let shards = self.shards.get_or_insert_default();
        // As far as the one that is least far: its duties wait for no less.
        let heard =
            |name: &str| (shards.iter().map(|(_, one)| one)).chain([&shard]).map(|one| heard_of(one, name)).min();
        let least: Vec<Option<Moment>> = self.sources.iter().map(|one| heard(&one.name).flatten()).collect();
        self.sources.iter_mut().zip(least).for_each(|(mine, heard)| mine.heard = heard);
        let Reading { partners, .. } = shard;
        self.partners.extend(partners);
        shards.push((number, Reading { partners: Vec::new(), ..shard }));
    }

    fn source(&mut self, like: &SourceReading) -> &mut SourceReading {
        let at = self.sources.iter().position(|one| one.name == like.name).unwrap_or_else(|| {
            let (name, expected) = (like.name.clone(), like.expected);
            self.sources.push(SourceReading { name, expected, ..SourceReading::default() });
            self.sources.len() - 1
        });
        &mut self.sources[at]
    }

    fn receiver(&mut self, like: &ReceiverReading) -> &mut ReceiverReading {
        let at = self.receivers.iter().position(|one| one.name == like.name).unwrap_or_else(|| {
            let (name, latency) = (like.name.clone(), Histogram::new(like.latency.bounds));
            let (sent, errors, dropped, queue, halted, last_success) = (0, 0, 0, 0, false, None);
            self.receivers.push(ReceiverReading { name, sent, errors, dropped, queue, halted, last_success, latency });
            self.receivers.len() - 1
        });
        &mut self.receivers[at]
    }
}

fn heard_of(shard: &Reading, source: &str) -> Option<Moment> {
    shard.sources.iter().find(|one| one.name == source).and_then(|one| one.heard)
}

fn add<const N: usize>(mine: &mut [u64; N], theirs: &[u64; N]) {
    mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
}

fn worse(one: SourceState, other: SourceState) -> SourceState {
    let rank = |state: &SourceState| match state {
        SourceState::Up => 0,
        SourceState::Trouble => 1,
        SourceState::Halted => 2,
    };
    std::cmp::max_by_key(one, other, rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::PartnerReading;

    fn shard(heard: Option<i64>, partner: &str, state: SourceState) -> Reading {
        let source = SourceReading {
            name: "desk".to_owned(),
            results: [3, 0, 0, 1, 0],
            skipped: vec![("tombstone", 2)],
            lag: 5,
            heard: heard.map(Moment),
            state,
            ..SourceReading::default()
        };
        let latency = Histogram::of(&crate::publish::told::BOUNDS, &[1, 2], 0.5);
        let receiver = ReceiverReading {
            name: "hook".to_owned(),
            sent: 3,
            errors: 1,
            dropped: 0,
            queue: 2,
            halted: false,
            last_success: None,
            latency,
        };
        Reading {
            sources: vec![source],
            partners: vec![PartnerReading { name: partner.to_owned(), ..PartnerReading::default() }],
            receivers: vec![receiver],
            firing: vec![("page", 1)],
            letters: BTreeMap::from([("Unauthorised".to_owned(), 1)]),
            commits: 7,
            ..Reading::default()
        }
    }

    #[test]
    fn counts_go_on_when_a_shard_is_anothers_and_how_it_stands_goes_with_it() {
        let (a, b) = (shard(Some(100), "p1", SourceState::Up), shard(Some(50), "p2", SourceState::Trouble));
        let mut both = Reading::default();
        for (number, one) in [(0, &a), (3, &b)] {
            both.count(one);
            both.show(number, one.clone());
        }
        let source = &both.sources[0];
        assert_eq!((source.results, source.lag, source.heard), ([6, 0, 0, 2, 0], 10, Some(Moment(50))));
        assert_eq!((source.state, &source.skipped[..]), (SourceState::Trouble, &[("tombstone", 4)][..]));
        assert_eq!(both.partners.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
        assert_eq!((both.commits, both.firing.clone(), both.letters["Unauthorised"]), (14, vec![("page", 2)], 2));
        assert_eq!((both.receivers[0].sent, both.receivers[0].queue), (6, 4));
        assert_eq!(both.shards.as_ref().map(|all| all.iter().map(|(n, _)| *n).collect()), Some(vec![0, 3]));
        let mut one = Reading::default();
        one.count(&a);
        one.count(&b);
        one.show(0, a);
        assert_eq!(
            (one.commits, one.sources[0].results[0], one.receivers[0].sent),
            (14, 6, 6),
            "what was counted stays"
        );
        assert_eq!((one.firing, one.sources[0].lag, one.receivers[0].queue), (vec![("page", 1)], 5, 2));
        assert_eq!((one.partners.len(), one.sources[0].heard), (1, Some(Moment(100))));
    }

    #[test]
    fn a_source_that_one_shard_has_not_heard_is_not_heard() {
        let mut both = Reading::default();
        both.show(0, shard(None, "p1", SourceState::Up));
        both.show(1, shard(Some(50), "p2", SourceState::Up));
        assert_eq!(both.sources[0].heard, None);
    }
}
