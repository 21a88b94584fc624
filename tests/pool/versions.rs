//! Programs of two versions over one store. Here the store is made newer beneath judges that run; with a real older program beside newer ones:
//! benches/live/upgrade.py.

use crate::postgres;
use crate::world::World;
use std::time::Duration;

/// The last commit of each shard, past any program.
fn commits(world: &World) -> Vec<u64> {
    let said =
        postgres::shared().sql(world.database(), "SELECT sequence FROM onus.shard WHERE shard < 100 ORDER BY shard");
    said.lines().map(|line| line.parse().expect("a number")).collect()
}

#[test]
fn a_schema_that_becomes_newer_beneath_judges_ends_none_of_them_and_starts_no_other() {
    let mut world = World::new(4, 2_000, "[run]\nlease = \"1s\"");
    let [a, mut b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed(600);
    world.until("both tell", || !world.told("a").is_empty() && !world.told("b").is_empty());
    let of_a = world.owned()["a"].clone();
    // A newer program was started, and went away again.
    world.sql("INSERT INTO onus.migration VALUES (99)");
    let mut older = world.judge("older");
    world.until("it is refused", || older.0.try_wait().expect("its status").is_some());
    assert_eq!(older.0.wait().expect("it ended").code(), Some(2));
    assert!(world.talk("older").contains("99"), "{}", world.talk("older"));
    let before = commits(&world);
    world.feed(600);
    world.until("who runs goes on", || commits(&world).iter().zip(&before).all(|(now, then)| now > then));
    // What is nobody's any more none of them can begin with: it is said, and nothing else is touched.
    b.kill();
    world.until("it is said", || {
        let (status, why) = world.ask("a", "/readyz");
        status == 503 && why.contains("schema 99")
    });
    let before = commits(&world);
    world.feed(200);
    let mine = |commits: &[u64]| of_a.iter().map(|unit| commits[usize::from(*unit)]).collect::<Vec<_>>();
    world.until("it goes on with its own", || {
        mine(&commits(&world)).iter().zip(mine(&before)).all(|(now, then)| *now > then)
    });
    // As if a program that can do it had come.
    world.sql("DELETE FROM onus.migration WHERE number = 99");
    let b = world.judge("b");
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed_while(|_| std::thread::sleep(Duration::from_millis(100)));
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}
