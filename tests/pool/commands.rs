//! `onus shards`, beside judges that run.

use crate::house::{House, W1, file};
use crate::world::World;
use serde_json::Value;
use std::process::Output;

const QUICK: &str = "[run]\nlease = \"1s\"";

fn said(out: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

fn fine(world: &World, args: &[&str]) -> String {
    let out = world.house.onus(&[&["shards"][..], args].concat());
    assert!(out.status.success(), "{args:?}: {}", said(&out));
    said(&out)
}

fn refused(world: &World, args: &[&str], due: &str) {
    let out = world.house.onus(&[&["shards"][..], args].concat());
    assert_eq!(out.status.code(), Some(2), "{args:?}");
    assert!(said(&out).contains(due), "{args:?}: {}", said(&out));
}

#[test]
fn shards_are_listed_moved_and_drained_and_what_nobody_knows_is_said() {
    let mut world = World::new(3, 600, QUICK);
    let [a, b] = [world.judge("a"), world.judge("b")];
    world.feed_while(|_| ());
    world.until("both have some", || world.owned().len() == 2 && !world.owned().contains_key(""));
    let (more, less) = if world.owned()["a"].len() == 2 { ("a", "b") } else { ("b", "a") };
    let one = world.owned()[less][0].to_string();
    refused(&world, &["move", &one, "--to", "c"], "no member of the pool is called `c`; there are a, b");
    refused(&world, &["move", "3", "--to", more], "they are 0 to 2");
    refused(&world, &["drain", "nobody"], "there are a, b");
    fine(&world, &["move", &one, "--to", more]);
    // Pinned there, so the others are shared around it: the other one has one of them still.
    world.until("it is there", || world.owned()[more].contains(&one.parse().expect("a number")));
    world.until_owned(&[(more, 2), (less, 1)]);
    fine(&world, &["drain", less]);
    world.until_owned(&[(more, 3)]);
    world.until("all are judged", || world.list().units.iter().all(|unit| unit.shard.is_some_and(|shard| shard.1 > 0)));
    let listed: Value = serde_json::from_str(&fine(&world, &["list", "--format", "json"])).expect("JSON");
    let members = listed["members"].as_array().expect("members");
    assert_eq!(members.len(), 2);
    let drained = members.iter().find(|one| one["member"] == less).expect("it is there");
    assert_eq!((&drained["draining"], drained["shards"].as_array().map(Vec::len)), (&Value::Bool(true), Some(0)));
    assert_eq!(drained["version"], env!("CARGO_PKG_VERSION"));
    let shards = listed["shards"].as_array().expect("shards");
    let pinned: Vec<&Value> =
        shards.iter().filter(|shard| !shard["pinned"].is_null()).map(|shard| &shard["shard"]).collect();
    assert_eq!(pinned, [&Value::from(one.parse::<u16>().expect("a number"))]);
    for shard in shards {
        assert_eq!(shard["owner"], more);
        assert!(shard["epoch"].as_u64() > Some(0) && shard["commit"].as_u64() > Some(0), "{shard}");
        assert!(shard["lease_until"].is_string() && shard["now"].is_string() && shard["entries"].is_u64(), "{shard}");
    }
    let table = fine(&world, &["list"]);
    assert!(table.contains("drains") && table.contains("PINNED TO"), "{table}");
    assert_eq!(fine(&world, &["list", "--format", "jsonl"]).lines().count(), 5);
    fine(&world, &["drain", less, "--undo"]);
    fine(&world, &["move", &one, "--unpin"]);
    world.until_owned(&[(more, 2), (less, 1)]);
    world.ends_as_undisturbed(&["a", "b"]);
    assert!(a.end() && b.end());
}

#[test]
fn with_sqlite_shards_are_not_shared_and_that_is_said() {
    let house = House::new(W1, &file("desk"));
    let out = house.onus(&["shards", "list"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("PostgreSQL"), "{}", said(&out));
}
