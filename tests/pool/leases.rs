//! Rounds of members, on a real PostgreSQL: what the database holds after each.

#![allow(clippy::unwrap_used)]

use crate::postgres::shared;
use onus::store::place::Place;
use onus::store::pool::{Me, Pool, PoolError, Said, Turn};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

struct Member {
    pool: Pool,
    me: Me,
    said: Said,
}

fn pool(database: &str) -> Pool {
    let Place::Postgres(server) = Place::parse(&shared().url(database)).unwrap() else { panic!("no server") };
    Pool::open(&server, "judge").unwrap()
}

impl Member {
    fn new(database: &str, name: &str, token: &str, lease: i64) -> Member {
        let (name, token, version) = (name.to_owned(), token.to_owned(), "1.2.3".to_owned());
        Member { pool: pool(database), me: Me { name, token, version, lease, units: 4 }, said: Said::default() }
    }

    fn round(&mut self) -> Turn {
        self.try_round().unwrap()
    }

    fn try_round(&mut self) -> Result<Turn, PoolError> {
        let turn = self.pool.round(&self.me, &self.said)?;
        self.said.joined = true;
        self.said.given.clear();
        self.said.held.extend(&turn.take);
        turn.lost.iter().for_each(|unit| {
            self.said.held.remove(unit);
        });
        Ok(turn)
    }

    /// Into a pool that nobody is in: in the round after.
    fn first(&mut self, database: &str) -> Turn {
        assert_eq!(self.round(), Turn::default(), "others may come at the same time");
        begun(database);
        self.round()
    }

    fn gave(&mut self, unit: u16, rests: i64) {
        assert!(self.said.held.remove(&unit));
        self.said.given.insert(unit, rests);
    }

    fn held(&self) -> Vec<u16> {
        self.said.held.iter().copied().collect()
    }
}

const LONG: i64 = 60_000;

/// As if whoever is there had come long ago.
fn begun(database: &str) {
    shared().sql(database, "UPDATE onus.member SET since = since - 60000");
}

#[test]
fn those_who_begin_together_each_take_their_share_and_nothing_that_they_would_have_to_give_up() {
    let database = shared().database();
    let mut all: Vec<_> = ["a", "b", "c", "d"].map(|name| Member::new(&database, name, "1", LONG)).into();
    for _ in 0..2 {
        all.iter_mut().for_each(|one| assert_eq!(one.round(), Turn::default(), "others may still come"));
    }
    begun(&database);
    for (one, unit) in all.iter_mut().zip(0..) {
        assert_eq!(one.round(), Turn { take: vec![unit], ..Turn::default() });
    }
    all.iter_mut().for_each(|one| assert_eq!(one.round(), Turn::default(), "nothing is given up"));
}

#[test]
fn nobody_waits_where_somebody_is_or_a_clock_was_set_back() {
    let database = shared().database();
    let mut a = Member::new(&database, "a", "1", LONG);
    a.round();
    begun(&database);
    let mut b = Member::new(&database, "b", "1", LONG);
    assert_eq!(b.round().take, [2, 3], "the first is there for a while: its share is free");
    assert_eq!(a.round().take, [0, 1]);
    a.pool.leave(&a.me).unwrap();
    assert_eq!(b.round().take, [0, 1], "at once");
    b.pool.leave(&b.me).unwrap();
    let mut c = Member::new(&database, "c", "1", LONG);
    c.round();
    shared().sql(&database, "UPDATE onus.member SET since = since + 3600000");
    assert_eq!(c.round().take, [0, 1, 2, 3], "not for an hour");
}

#[test]
fn one_has_all_and_a_second_gets_its_share_one_after_the_other() {
    let database = shared().database();
    let mut a = Member::new(&database, "a", "1", LONG);
    assert_eq!(a.first(&database), Turn { take: vec![0, 1, 2, 3], ..Turn::default() });
    assert_eq!(a.round(), Turn::default(), "renewed, and nothing else");
    let mut b = Member::new(&database, "b", "1", LONG);
    assert_eq!(b.round(), Turn::default());
    for unit in [2, 3] {
        assert_eq!(a.round().give, [unit]);
        assert_eq!(b.round(), Turn::default(), "not before it is given up");
        assert_eq!(a.round().give, [unit], "said until it is done");
        a.gave(unit, 0);
        assert_eq!(a.round().take, Vec::<u16>::new());
        assert_eq!(b.round().take, [unit]);
    }
    assert_eq!((a.round(), b.round()), (Turn::default(), Turn::default()));
    let listed = a.pool.list().unwrap();
    let owners: Vec<_> = listed.units.iter().map(|unit| unit.member.as_deref().unwrap()).collect();
    assert_eq!(owners, ["a", "a", "b", "b"]);
    assert_eq!(listed.members.iter().map(|member| member.version.as_str()).collect::<Vec<_>>(), ["1.2.3", "1.2.3"]);
    b.pool.leave(&b.me).unwrap();
    assert_eq!(a.round().take, [2, 3], "at once");
}

#[test]
fn who_is_not_heard_for_a_lease_is_struck_off_and_finds_that_it_owns_nothing() {
    let database = shared().database();
    let (mut a, mut b) = (Member::new(&database, "a", "1", LONG), Member::new(&database, "b", "1", LONG));
    b.first(&database);
    a.round();
    b.pool.drain("b", true).unwrap();
    assert_eq!(b.round().give, [0, 1, 2, 3], "all at once");
    (0..4).for_each(|unit| b.gave(unit, 0));
    b.round();
    assert_eq!(a.round().take, [0, 1, 2, 3]);
    // Time passes by the database's clock, for this one alone.
    shared().sql(&database, "UPDATE onus.member SET seen = seen - 60000 WHERE name = 'a'");
    assert_eq!(b.round().take, [0, 1, 2, 3], "it drains, and there is nobody else");
    let turn = a.round();
    assert_eq!((turn.lost, turn.take), (vec![0, 1, 2, 3], vec![]), "and it joins anew");
    assert_eq!(a.pool.list().unwrap().members.len(), 2);
}

#[test]
fn a_database_that_was_away_moves_nothing() {
    let database = shared().database();
    let (mut a, mut b) = (Member::new(&database, "a", "1", LONG), Member::new(&database, "b", "1", LONG));
    a.first(&database);
    b.round();
    for _ in 0..2 {
        let unit = a.round().give[0];
        a.gave(unit, 0);
        a.round();
        b.round();
    }
    assert_eq!((a.held().len(), b.held().len()), (2, 2));
    shared().sql(&database, "UPDATE onus.member SET seen = seen - 600000");
    assert_eq!((a.round(), b.round()), (Turn::default(), Turn::default()), "nobody was heard, so nobody is struck off");
    // Of those who were there one does not come back: it has a lease more, and no longer.
    shared().sql(&database, "UPDATE onus.member SET seen = seen - 600000");
    a.round();
    assert_eq!(a.round(), Turn::default());
    shared().sql(&database, "UPDATE onus.member SET seen = seen - 60000 WHERE name = 'b'");
    assert_eq!(a.round().take.len(), 2);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_who_is_gone() {
    let database = shared().database();
    let (mut a, mut b) = (Member::new(&database, "a", "1", 300), Member::new(&database, "b", "1", LONG));
    a.first(&database);
    b.round();
    // As if the database had been an hour ahead when it was heard.
    shared().sql(&database, "UPDATE onus.member SET seen = seen + 3600000");
    b.round();
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while b.held().is_empty() {
        assert!(std::time::Instant::now() < until, "never struck off");
        b.round();
    }
    assert_eq!(b.held(), [0, 1, 2, 3]);
}

#[test]
fn who_is_started_again_under_its_name_has_its_units_back_and_the_older_one_is_told() {
    let database = shared().database();
    let mut old = Member::new(&database, "a", "1", LONG);
    old.first(&database);
    let mut new = Member::new(&database, "a", "2", LONG);
    assert_eq!(new.round().take, [0, 1, 2, 3], "at once");
    let error = old.try_round().unwrap_err();
    assert!(matches!(error, PoolError::Replaced(_)) && error.to_string().contains("name"), "{error}");
    old.pool.leave(&old.me).unwrap();
    assert_eq!(new.round(), Turn::default(), "what the older one does is nothing to it");
}

#[test]
fn a_round_of_which_no_word_came_back_is_put_right_by_the_next() {
    let database = shared().database();
    let mut a = Member::new(&database, "a", "1", LONG);
    a.round();
    begun(&database);
    a.pool.round(&a.me, &a.said).unwrap();
    assert_eq!(a.round().take, [0, 1, 2, 3]);
}

#[test]
fn what_failed_rests_and_is_then_taken_by_whoever_it_falls_to() {
    let database = shared().database();
    let mut a = Member::new(&database, "a", "1", LONG);
    a.first(&database);
    a.gave(2, LONG);
    assert_eq!(a.round(), Turn::default());
    assert_eq!(a.round(), Turn::default());
    shared().sql(&database, "UPDATE onus.lease SET rests = 1 WHERE unit = 2");
    assert_eq!(a.round().take, [2]);
}

#[test]
fn who_leaves_is_given_nothing_back() {
    let database = shared().database();
    let mut a = Member::new(&database, "a", "1", LONG);
    a.first(&database);
    a.said.leaves = true;
    a.gave(1, 0);
    assert_eq!(a.round().take, Vec::<u16>::new());
    let mut b = Member::new(&database, "b", "1", LONG);
    assert_eq!(b.round().take, [1]);
    assert_eq!(a.round().give, [0, 2, 3]);
}

#[test]
fn pins_and_drains_are_wishes_of_operators_and_unknown_names_are_said() {
    let database = shared().database();
    let (mut a, mut b) = (Member::new(&database, "a", "1", LONG), Member::new(&database, "b", "1", LONG));
    let error = a.pool.pin(1, None).unwrap_err().to_string();
    assert!(error.contains("start a judge"), "{error}");
    a.first(&database);
    b.round();
    let error = a.pool.pin(1, Some("c")).unwrap_err().to_string();
    assert!(error.contains("`c`") && error.contains("there are a, b"), "{error}");
    let error = a.pool.pin(9, Some("b")).unwrap_err().to_string();
    assert!(error.contains("0 to 3"), "{error}");
    let error = a.pool.drain("z", true).unwrap_err().to_string();
    assert!(error.contains("there are a, b"), "{error}");
    a.pool.pin(0, Some("b")).unwrap();
    let settle = |a: &mut Member, b: &mut Member| {
        for _ in 0..20 {
            for one in [&mut *a, &mut *b] {
                let give: BTreeSet<u16> = one.round().give.into_iter().collect();
                give.into_iter().for_each(|unit| one.gave(unit, 0));
            }
        }
        BTreeMap::from([("a", a.held()), ("b", b.held())])
    };
    let owned = settle(&mut a, &mut b);
    assert!(owned["b"].contains(&0) && owned["b"].len() == 2, "{owned:?}");
    a.pool.drain("b", true).unwrap();
    assert_eq!(settle(&mut a, &mut b)["a"], [0, 1, 2, 3], "a pin to who drains waits");
    a.pool.drain("b", false).unwrap();
    a.pool.pin(0, None).unwrap();
    let owned = settle(&mut a, &mut b);
    assert_eq!((owned["a"].len(), owned["b"].len()), (2, 2));
}

#[test]
fn many_at_once_never_own_one_unit_together() {
    let database = shared().database();
    let member = |n: u16| Member::new(&database, &format!("m{n}"), "1", LONG);
    let mut first = member(0);
    first.first(&database);
    let done = std::thread::scope(|scope| {
        let threads: Vec<_> = [first, member(1), member(2), member(3)]
            .into_iter()
            .map(|mut one| {
                scope.spawn(move || {
                    for _ in 0..60 {
                        let turn = one.round();
                        assert!(turn.lost.is_empty(), "{turn:?}");
                        turn.give.into_iter().for_each(|unit| one.gave(unit, 0));
                    }
                    one.held()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let all: Vec<u16> = done.concat();
    assert!(all.len() <= 4 && all.iter().collect::<BTreeSet<_>>().len() == all.len(), "{done:?}");
}

#[test]
fn a_member_whose_program_is_older_than_the_store_keeps_what_it_has_and_gets_nothing_more() {
    let database = shared().database();
    let (mut a, mut b) = (Member::new(&database, "a", "1", LONG), Member::new(&database, "b", "1", LONG));
    a.first(&database);
    b.round();
    for _ in 0..2 {
        let unit = a.round().give[0];
        a.gave(unit, 0);
        a.round();
        b.round();
    }
    assert_eq!((a.held(), b.held()), (vec![0, 1], vec![2, 3]));
    // As if `a` were of the version before; it makes no round meanwhile.
    shared().sql(&database, "UPDATE onus.member SET knows = 2 WHERE name = 'a'");
    b.pool.pin(2, Some("a")).unwrap();
    assert_eq!(b.round(), Turn::default(), "not even what is pinned to it");
    b.pool.pin(2, None).unwrap();
    shared().sql(&database, "UPDATE onus.lease SET member = NULL WHERE unit = 1");
    assert_eq!(b.round().take, [1], "it would have fallen to the other one");
}
