//! Judges that end, stand still, or do not let go.

use crate::hook::Hook;
use crate::house::signal;
use crate::postgres::{Cluster, Stop};
use crate::world::World;
use std::collections::BTreeSet;
use std::time::Duration;

const QUICK: &str = "[run]\nlease = \"1s\"";
/// Between two pieces of what happens, while judges come and go.
const PACE: Duration = Duration::from_millis(150);

#[test]
fn of_a_judge_that_is_killed_the_others_take_over_and_say_what_it_would_have_said() {
    let mut world = World::new(4, 3_000, QUICK);
    let [mut a, b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed(1_200);
    world.until("it tells", || !world.told("a").is_empty());
    a.kill();
    world.feed_while(|_| std::thread::sleep(PACE));
    world.until_owned(&[("b", 4)]);
    // Started again it has its share again.
    let a = world.judge("a");
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn a_judge_that_stood_still_beyond_its_lease_tells_nothing_shows_nothing_and_takes_part_again() {
    let mut world = World::new(4, 3_000, QUICK);
    let [a, b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    let of_a = world.owned()["a"].clone();
    world.feed(1_200);
    world.until("both tell", || !world.told("a").is_empty() && !world.told("b").is_empty());
    world.until("both show figures", || {
        let clock = format!("onus_clock_timestamp_seconds{{shard=\"{}\"}}", of_a[0]);
        ["a", "b"].iter().all(|name| world.figures(name).contains("onus_shards_held 2\n"))
            && world.figures("a").contains(&clock)
    });
    signal(&a.0, "STOP");
    let before = world.told("a").len();
    world.until_owned(&[("b", 4)]);
    world.feed(600);
    (0..4).for_each(|unit| world.pool().pin(unit, Some("b")).expect("it is there"));
    signal(&a.0, "CONT");
    // From its first answer on: nobody has told it anything yet.
    let page = world.figures("a");
    assert!(page.contains("onus_shards_held 0\n"), "{page}");
    for family in ["onus_duties{", "onus_clock_timestamp_seconds{", "onus_facts_total{"] {
        assert!(!page.contains(family), "{family} is another's");
    }
    world.until("it knows", || world.talk("a").contains("another judge has it now"));
    world.feed_while(|_| std::thread::sleep(PACE));
    world.until("the other one has it all", || world.figures("b").contains("onus_shards_held 4\n"));
    let tells = world.told("a").len();
    assert_eq!(tells, before, "it told nothing more");
    // What stood still is part of it again.
    (0..4).for_each(|unit| world.pool().pin(unit, None).expect("it is there"));
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn of_a_judge_that_was_told_its_shard_beside_the_pool_and_the_pool_one_goes_on_and_nothing_is_wrong() {
    let mut world = World::new(2, 2_000, QUICK);
    let a = world.judge("a");
    world.until_owned(&[("a", 2)]);
    world.feed(800);
    world.until("it tells", || !world.told("a").is_empty());
    let mut beside = world.judge_with("beside", &[("ONUS__RUN__SHARD", "0")]);
    world.feed_while(|_| std::thread::sleep(PACE));
    world.until("the pool is fenced", || world.talk("a").contains("another process has taken it over"));
    world.until("and has it back", || world.talk("a").matches("judged up to the last commit").count() > 2);
    world.until("the other one ends", || beside.0.try_wait().expect("its status").is_some());
    assert_eq!(beside.0.wait().expect("it ended").code(), Some(2));
    assert!(world.talk("beside").contains("another process has taken over"), "{}", world.talk("beside"));
    world.until_owned(&[("a", 2)]);
    world.ends_as_undisturbed(&["a", "beside"]);
    assert!(a.end());
}

#[test]
fn what_is_not_finished_in_time_is_given_up_all_the_same_and_fenced() {
    let mut world = World::new(2, 1_500, "[run]\nlease = \"1s\"\ndrain = \"500ms\"");
    // It can tell nobody, and at the end it tries for longer than it may.
    std::os::unix::fs::symlink("/dev/full", world.house.path("told-a")).expect("a link");
    let a = world.judge("a");
    world.until_owned(&[("a", 2)]);
    world.feed(700);
    // Whichever of them it is to give up has something to tell.
    world.until("it decides", || world.ledgers().iter().all(|shard| shard.len() > 20));
    let b = world.judge("b");
    world.until("it is not finished in time", || world.talk("a").contains("not finished in time"));
    world.until_owned(&[("a", 1), ("b", 1)]);
    assert!(!world.talk("a").contains("cannot go on"), "the process goes on: {}", world.talk("a"));
    world.pool().drain("a", true).expect("it is there");
    world.until_owned(&[("b", 2)]);
    world.feed_while(|_| std::thread::sleep(PACE));
    world.ends_as_undisturbed(&["b"]);
    assert!(a.end() && b.end());
}

#[test]
fn three_judges_are_started_again_one_after_the_other_under_load_and_each_thing_is_told_once() {
    let mut world = World::new(6, 4_000, QUICK);
    let names = ["a", "b", "c"];
    let mut judges: Vec<_> = names.iter().map(|name| Some(world.judge(name))).collect();
    world.until_owned(&[("a", 2), ("b", 2), ("c", 2)]);
    world.feed(500);
    let mut turn = 0;
    world.feed_while(|world| {
        let (name, n) = (names[turn % 3], turn % 3);
        if turn < 6 {
            assert!(judges[n].take().expect("it runs").end(), "{}", world.talk(name));
            let left = world.list().units.iter().filter(|unit| unit.member.as_deref() == Some(name)).count();
            assert_eq!(left, 0, "all was given up at once");
            judges[n] = Some(world.judge(name));
            world.until("it is back", || world.list().members.len() == 3 && !world.owned().contains_key(""));
        }
        turn += 1;
    });
    world.until_owned(&[("a", 2), ("b", 2), ("c", 2)]);
    world.until("all is decided", || world.net().len() > 1_000);
    let told: Vec<_> = names.iter().flat_map(|name| world.told(name)).collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), told.len(), "each once");
    for name in names {
        assert!(!world.talk(name).contains("not finished in time"), "{}", world.talk(name));
    }
    world.ends_as_undisturbed(&names);
    judges.into_iter().flatten().for_each(|judge| assert!(judge.end()));
}

#[test]
fn a_judge_that_stood_still_pages_nobody_again_and_the_one_that_took_over_pages_on() {
    let repeats =
        "[alerting]\nresend = \"1s\"\n[alertmanager.hook]\nurl = \"http://127.0.0.1:1\"\n[run]\nlease = \"1s\"";
    let mut world = World::new(2, 400, repeats);
    // Each tells an Alertmanager of its own, so it is seen who tells.
    let hooks = [Hook::new(), Hook::new()];
    let start = |name: &str, hook: &Hook| world.judge_with(name, &[("ONUS__ALERTMANAGER__HOOK__URL", &hook.url())]);
    let a = start("a", &hooks[0]);
    world.until_owned(&[("a", 2)]);
    let b = start("b", &hooks[1]);
    world.until_owned(&[("a", 1), ("b", 1)]);
    world.feed(400);
    let told = |hook: &Hook| hook.all().len();
    world.until("both page, and again", || hooks.iter().all(|hook| told(hook) > 3));
    let alerts = |hook: &Hook, from: usize| -> BTreeSet<String> {
        let all = hook.all();
        let bodies = all[from..].iter().flat_map(|posted| posted.json().as_array().expect("alerts").clone());
        bodies.map(|alert| alert["labels"].to_string()).collect()
    };
    world.until("no more is decided", || {
        let before = world.ledger().len();
        std::thread::sleep(Duration::from_secs(1));
        world.ledger().len() == before
    });
    let of_a = alerts(&hooks[0], 0);
    signal(&a.0, "STOP");
    world.until_owned(&[("b", 2)]);
    world.until("the other one pages all of it", || of_a.is_subset(&alerts(&hooks[1], 0)));
    (0..2).for_each(|unit| world.pool().pin(unit, Some("b")).expect("it is there"));
    let before = told(&hooks[0]);
    signal(&a.0, "CONT");
    world.until("it knows", || world.talk("a").contains("another judge has it now"));
    // Long enough for several repeats of the one that pages.
    let now = told(&hooks[1]);
    world.until("the other one pages on", || told(&hooks[1]) > now + 4);
    // A request that was on its way when it was stopped is one.
    assert!(told(&hooks[0]) <= before + 1, "{} requests", told(&hooks[0]) - before);
    world.feed_while(|_| ());
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn a_database_that_is_away_for_longer_than_a_lease_moves_nothing() {
    let cluster = Cluster::start("-c fsync=off");
    let mut world = World::at(&cluster, 4, 2_000, QUICK);
    let [a, b] = [world.judge("a"), world.judge("b")];
    world.until_owned(&[("a", 2), ("b", 2)]);
    world.feed(700);
    world.until("both tell", || !world.told("a").is_empty() && !world.told("b").is_empty());
    let (owned, before) = (world.owned(), world.epochs());
    cluster.stop(Stop::Immediate);
    world.until("it is said", || world.ask("a", "/readyz").1.contains("leases: "));
    world.until("nobody speaks beyond the lease", || world.figures("a").contains("onus_shards_held 0\n"));
    cluster.go_on();
    world.until("they own it again", || {
        ["a", "b"].iter().all(|name| world.figures(name).contains("onus_shards_held 2\n"))
    });
    assert_eq!((world.owned(), world.epochs()), (owned, before), "nothing was claimed anew");
    world.feed_while(|_| std::thread::sleep(PACE));
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn a_judge_that_cannot_run_a_shard_gives_it_up_and_runs_the_others() {
    let mut world = World::new(2, 1_000, QUICK);
    let a = world.judge("a");
    world.until_owned(&[("a", 2)]);
    world.feed(500);
    world.until("both are judged", || world.list().units.iter().all(|unit| unit.shard.is_some_and(|one| one.1 > 1)));
    assert!(a.end());
    // A snapshot of one shard cannot be read any more.
    let damage = "UPDATE onus.snapshot_piece SET bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1) WHERE shard = 1";
    let mend = "UPDATE onus.snapshot_piece SET bytes = set_byte(bytes, 20, get_byte(bytes, 20) # 1) WHERE shard = 1";
    world.sql(damage);
    let a = world.judge("a");
    world.until("it is said", || world.talk("a").contains("it cannot go on here, and is given up for"));
    world.until("where people look, too", || {
        let (status, why) = world.ask("a", "/readyz");
        status == 503 && why.contains("shard 1: ") && why.contains("damaged")
    });
    world.until("the other one is judged", || world.figures("a").contains("onus_clock_timestamp_seconds{shard=\"0\"}"));
    world.sql(mend);
    world.until_owned(&[("a", 2)]);
    world.feed_while(|_| std::thread::sleep(PACE));
    world.until("it is ready", || world.ask("a", "/readyz").0 == 200);
    world.ends_as_undisturbed(&["a"]);
    assert!(a.end());
}
