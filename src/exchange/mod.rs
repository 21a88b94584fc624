//! The exchange: one Kafka topic of canonical events between those who read sources and those who judge.
//!
//! ```text
//! sources -> intake: adapter, catalogue -> topic, by partner -> judge of that partition -> its own shard of the store
//! ```
//!
//! An intake keeps what it made of what it read until the brokers have it; a judge takes its partition in as its only source.
//! What an intake that was killed writes again is told from what is new by where it came from ([`repeats`]). Several intakes
//! divide the sources between them ([`lanes`]). Nothing rests on Kafka's transactions.

pub mod carried;
#[cfg(feature = "kafka")]
pub mod intake;
pub mod kept;
pub mod lanes;
pub mod partition;
pub mod repeats;
#[cfg(feature = "kafka")]
mod whose;

use crate::store::Position;

/// The source under whose name a judge's position in its partition is stored. No source of the settings can be called so.
pub const NAME: &str = "@exchange";
/// Under this name the store remembers the topic and how many partitions it has.
const COUNT: &str = "@exchange-partitions";
/// No topic of any cluster is called so.
const UNFINISHED: &str = "not finished";

/// What the store is to remember of the topic.
pub fn remembered(cluster: &str, topic: &str, partitions: u16) -> Position {
    Position {
        source: COUNT.to_owned(),
        partition: 0,
        incarnation: format!("{cluster}/{topic}"),
        next: u64::from(partitions),
        last: 0,
    }
}

/// What a store remembers instead while `onus store reshard` makes it.
pub fn unfinished() -> Position {
    Position { incarnation: UNFINISHED.to_owned(), ..remembered("", "", 0) }
}

/// The exchange that a store remembers; None: a process that reads its sources itself filled it.
pub fn of(stored: &[Position]) -> Option<&Position> {
    stored.iter().find(|position| position.source == COUNT)
}

/// Nobody runs on half a store.
fn finished(stored: &[Position]) -> Result<(), String> {
    match of(stored).filter(|position| position.incarnation == UNFINISHED) {
        Some(_) => Err(
            "`onus store reshard` has begun this store and not finished it: have it end, or start it again; what it \
                        divides is as it was"
                .to_owned(),
        ),
        None => Ok(()),
    }
}

/// Whether the topic is what the settings say and what it was before: which partner is where follows from the number of
/// partitions.
///
/// # Errors
/// It is not, in words, with what to do.
pub fn check(wanted: &Position, there: usize, stored: &[Position]) -> Result<(), String> {
    finished(stored)?;
    let (topic, count) = (&wanted.incarnation, wanted.next);
    if there as u64 != count {
        return Err(format!(
            "the exchange {topic} has {there} partitions, and [exchange] partitions says {count}: with another number partners \
             would move between judges. Write the number with which the topic was made, or make a new topic for a new store"
        ));
    }
    match of(stored) {
        Some(before) if (&before.incarnation, before.next) != (topic, count) => Err(format!(
            "this store was filled by the exchange {} with {} partitions, and the settings say {topic} with {count}: partners \
             would move between judges. Write what was there before, or have `onus store reshard` make a new store of it",
            before.incarnation, before.next
        )),
        Some(_) => Ok(()),
        // Whoever has read sources by itself holds partners of all partitions.
        None => match stored.iter().find(|position| !position.source.starts_with('@')) {
            Some(own) => Err(format!(
                "this store was filled by a process that reads its sources itself (`{}`): `onus store reshard` divides it, into \
                 a new one",
                own.source
            )),
            None => Ok(()),
        },
    }
}

/// A process without an exchange must not go on where one with it was: half of its partners would be missing.
///
/// # Errors
/// In words.
pub fn check_alone(stored: &[Position]) -> Result<(), String> {
    finished(stored)?;
    match of(stored) {
        Some(before) => Err(format!(
            "this store holds one shard of the exchange {}: start it with `--role judge`, or name another store",
            before.incarnation
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str) -> Position {
        Position { source: name.to_owned(), ..remembered("c", "t", 1) }
    }

    #[test]
    fn the_number_of_partitions_is_held_against_settings_and_store() {
        let wanted = remembered("c", "t", 4);
        assert_eq!(check(&wanted, 4, &[]), Ok(()));
        assert_eq!(check(&wanted, 4, &[wanted.clone(), source("desk")]), Ok(()));
        assert_eq!(check_alone(&[source("desk"), source("@told topic")]), Ok(()));
        let refused = |there, stored: &[Position]| check(&wanted, there, stored).expect_err("refused");
        assert!(refused(5, &[]).contains("has 5 partitions"));
        assert!(refused(4, &[remembered("c", "t", 3)]).contains("with 3 partitions"));
        assert!(refused(4, &[remembered("d", "t", 4)]).contains("d/t"), "another cluster");
        assert!(refused(4, &[source("desk")]).contains("desk"));
        for half in [check(&unfinished(), 0, &[unfinished()]), check_alone(&[unfinished()])] {
            assert!(half.expect_err("refused").contains("onus store reshard"));
        }
        assert!(check_alone(std::slice::from_ref(&wanted)).expect_err("refused").contains("--role judge"));
    }
}
