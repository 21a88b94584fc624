//! The brokers beneath an intake and judges. Nobody here is in a group of Kafka's, so no coordinator can move: what moves is the leader of
//! each partition, for whoever writes and whoever reads.

use crate::world::World;
use std::time::Duration;

#[test]
fn a_broker_that_is_killed_and_one_that_is_restarted_beneath_intake_and_judges_change_nothing() {
    let mut world = World::alone(4, 3_000, "[run]\nlease = \"1s\"");
    let [a, b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed(1_000);
    world.until("both tell", || !world.told("a").is_empty() && !world.told("b").is_empty());
    let (owned, epochs) = (world.owned(), world.epochs());
    world.feed(500);
    // With messages on their way.
    world.broker.kill();
    world.feed(500);
    world.until("it is said", || world.ask("a", "/readyz").0 == 503 && world.ask("b", "/readyz").0 == 503);
    world.broker.start();
    world.until("they are ready again", || ["a", "b"].iter().all(|name| world.ask(name, "/readyz").0 == 200));
    world.broker.stop();
    world.feed(500);
    world.broker.start();
    world.feed_while(|_| std::thread::sleep(Duration::from_millis(150)));
    assert_eq!((world.owned(), world.epochs()), (owned, epochs), "leases are the database's: nothing has moved");
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}
