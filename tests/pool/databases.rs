//! The database beneath judges that share: another one takes its place, and an owner that stands still in the middle of a commit.

use crate::house::signal;
use crate::postgres::{Cluster, Stop};
use crate::world::World;
use std::time::{Duration, Instant};

#[test]
fn a_standby_that_lost_the_last_commits_takes_over_beneath_two_judges_and_the_same_is_said_again() {
    let primary = Cluster::start("-c fsync=off");
    let mut world = World::at(&primary, 4, 3_000, "[run]\nlease = \"1s\"");
    let [a, b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed(700);
    world.until("both tell", || !world.told("a").is_empty() && !world.told("b").is_empty());
    let mut standby = primary.standby();
    let commits =
        |server: &Cluster| server.sql(world.database(), "SELECT sum(sequence) FROM onus.shard").trim().to_owned();
    world.until("the standby follows", || {
        let before = commits(&primary);
        std::thread::sleep(Duration::from_millis(300));
        before == commits(&standby) && before == commits(&primary)
    });
    let before = world.commits();
    let noted = |world: &World| {
        let lane = format!("SELECT sequence FROM onus.shard WHERE shard = {}", u16::MAX);
        primary.sql(world.database(), &lane).trim().parse::<u64>().expect("a number")
    };
    let lane = noted(&world);
    // It hears nothing of what comes now.
    standby.stop(Stop::Fast);
    world.feed(700);
    world.until("all of them go on", || world.commits().iter().zip(&before).all(|(now, then)| now > then));
    // Judges go on by time alone; the intake has something to lose once it has noted what it read.
    world.until("the intake goes on", || noted(&world) > lane);
    world.until("more is told", || world.told("a").len() > 10 && world.told("b").len() > 10);
    primary.stop(Stop::Immediate);
    standby.takes_over(&primary);
    world.went_back = true;
    // The process goes on: its shards are given up, and taken again where the store is now.
    // Whoever lost its lease meanwhile has nothing left to find out by.
    let notices = ["has gone back to commit", "another judge has it now"];
    world.until("both find that the store is another one", || {
        ["a", "b"].iter().all(|name| notices.iter().any(|notice| world.talk(name).contains(notice)))
    });
    world.until("one says that it has gone back", || {
        ["a", "b"].iter().any(|name| world.talk(name).contains(notices[0]))
    });
    // It finds out when it next notes what it has read.
    world.feed(100);
    world.intake_again();
    world.feed_while(|_| std::thread::sleep(Duration::from_millis(150)));
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn an_owner_that_stands_still_in_the_middle_of_a_commit_does_not_hold_its_shard_for_long() {
    let cluster = Cluster::start("-c fsync=off");
    let mut world = World::at(&cluster, 1, 3_000, "[judge]\nbatch = 10\n[run]\nlease = \"1s\"");
    let a = world.judge("a");
    world.until_owned(&[("a", 1)]);
    let b = world.judge("b");
    world.until("both are there", || world.list().members.len() == 2);
    world.feed(500);
    world.until("it tells", || !world.told("a").is_empty());
    // Stopped until that is in a transaction which has the shard's row.
    let within = "SELECT count(*) FROM pg_stat_activity s JOIN pg_locks l ON l.pid = s.pid AND l.relation = 'onus.shard'::regclass \
                  WHERE s.state = 'idle in transaction' AND l.mode = 'RowExclusiveLock'";
    let holds = |world: &World| cluster.sql(world.database(), within).trim() != "0";
    let mut tries = 0;
    loop {
        world.feed(5);
        signal(&a.0, "STOP");
        if holds(&world) {
            break;
        }
        signal(&a.0, "CONT");
        tries += 1;
        assert!(tries < 500, "never in the middle of one");
        std::thread::sleep(Duration::from_millis(1 + tries % 7));
    }
    let since = Instant::now();
    world.until_owned(&[("b", 1)]);
    world.until("the other one goes on", || world.figures("b").contains("onus_shards_held 1\n"));
    // Without more, a session that waits for its client is ended after a minute.
    assert!(since.elapsed() < Duration::from_secs(40), "it held the row for {:?}", since.elapsed());
    world.feed(300);
    world.until("and tells", || !world.told("b").is_empty());
    signal(&a.0, "CONT");
    world.until("it knows", || world.talk("a").contains("another judge has it now"));
    world.feed_while(|_| std::thread::sleep(Duration::from_millis(50)));
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}
